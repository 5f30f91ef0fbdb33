"""Recoveries (追偿): money that was paid too much, or that another must bear."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lipei.domain import authority
from lipei.domain.claims import Case, Exposure
from lipei.domain.conduct import Ask
from lipei.domain.events import Change, Event, Outcome, Refusal, wrong
from lipei.domain.limits import freed_by_return
from lipei.domain.money import Money
from lipei.domain.owing import DECIDED, NOTHING_OWED, beyond_minor
from lipei.domain.rules.authority import allowed
from lipei.domain.rules.payments import overpaid_minor


def recover_overpayment(ask: Ask) -> Outcome:
    """More was paid than was due: ask for the difference, never for more (民法典985 不当得利)."""
    exposure = ask.case.exposures.get(ask.command.exposure)
    if exposure is None:
        return wrong(exposure="refusal.unknown_exposure")
    if ask.command.debtor is not None and ask.command.debtor not in ask.case.parties:
        return wrong(debtor="refusal.party_unknown")
    if exposure.state not in DECIDED:
        return Refusal("refusal.nothing_decided")  # what is too much is known only once the sum is
    # What was asked for once is not asked for again, whether it came back or was written off.
    over = beyond_minor(ask.case, exposure)
    amount = ask.command.amount.minor if ask.command.amount else over
    if ask.command.amount and ask.command.amount.currency != ask.case.claim.currency:
        return wrong(amount="refusal.currency_mixed")
    if amount <= 0 or amount > over:
        return Refusal(
            "refusal.more_than_overpaid",
            "fields",
            {"over": Money(max(0, over), ask.case.claim.currency)},
            {"amount": "refusal.more_than_overpaid"},
        )
    return (_opened(ask, "overpayment", amount, ask.command.debtor or exposure.claimant),)


def asked_back_minor(case: Case, exposure: Exposure, ending: str) -> int:
    """Minor units that are asked back once an exposure has ended so (``refused``, or ``settled`` at what is computed now)."""
    return overpaid_minor(case, replace(exposure, state=ending))


def subrogate(ask: Ask) -> Outcome:
    """Step into the customer's rights against who is at fault, up to what was paid (代位求偿, 保险法60)."""
    exposure = ask.case.exposures.get(ask.command.exposure)
    codes = {}
    if exposure is None:
        codes["exposure"] = "refusal.unknown_exposure"
    if ask.command.amount is None or ask.command.amount.minor <= 0:
        codes["amount"] = "refusal.amount_missing"
    elif ask.command.amount.currency != ask.case.claim.currency:
        codes["amount"] = "refusal.currency_mixed"
    if ask.command.debtor is not None and ask.command.debtor not in ask.case.parties:
        codes["debtor"] = "refusal.party_unknown"
    if codes or exposure is None:
        return wrong(**codes)
    most = exposure.paid_minor - _subrogated(ask.case, exposure.part)
    if ask.command.amount.minor > most:
        params = {"paid": Money(max(0, most), ask.case.claim.currency)}
        return Refusal("refusal.more_than_paid", "fields", params, {"amount": "refusal.more_than_paid"})
    return (_opened(ask, "subrogation", ask.command.amount.minor, ask.command.debtor),)


def _subrogated(case: Case, exposure: int) -> int:
    """What others are asked for already on an exposure: together never more than was paid (保险法60)."""
    return sum(r.due_minor for r in case.recoveries.values() if r.exposure == exposure and r.kind == "subrogation")


def _opened(ask: Ask, kind: str, amount: int, debtor: int | None) -> Event:
    facts = {"amount_minor": amount, "kind": kind, "exposure": ask.command.exposure}
    return ask.done(
        part=ask.case.next_part("recovery"), facts=facts, kind=kind, exposure=ask.command.exposure, debtor=debtor,
        due_minor=amount, reason=ask.command.reason.strip() or _why(ask), opened_by=ask.actor.id, opened_at=ask.now,
    )  # fmt: skip


def receive(ask: Ask) -> Outcome:
    """Money came back; with the last of it the recovery ends."""
    recovery, money = ask.target, ask.command.amount
    left = recovery.due_minor - recovery.received_minor
    if money is None or money.minor <= 0:
        return wrong(amount="refusal.amount_missing")
    if money.currency != ask.case.claim.currency:
        return wrong(amount="refusal.currency_mixed")
    if money.minor > left:
        return Refusal(
            "refusal.more_than_owed",
            "fields",
            {"left": Money(left, money.currency)},
            {"amount": "refusal.more_than_owed"},
        )
    received = recovery.received_minor + money.minor
    ended: dict[str, Any] = {"state": "received", "ended_at": ask.now} if received == recovery.due_minor else {}
    facts = {"amount_minor": money.minor, "left_minor": left - money.minor}
    came = ask.done(facts=facts, received_minor=received, **ended)
    after = ask.case.after([came])
    return (came, *freed_by_return(case=after, exposure=recovery.exposure, ledger=ask.world.ledger))


def write_off(ask: Ask) -> Outcome:
    """Not worth or not possible to get back, by authority and with a reason."""
    if not ask.command.reason.strip():
        return wrong(reason="refusal.reason_missing")
    left = ask.target.due_minor - ask.target.received_minor
    involved = authority.people_of((ask.target.opened_by, *ask.target.approvals))
    granted = allowed(ask, "waive", left, part=0, involved=involved)
    if isinstance(granted, Refusal):
        return granted
    approvals = (*ask.target.approvals, authority.approval(actor=ask.actor, granted=granted))
    facts = {"amount_minor": left, **granted.lent}
    if not authority.approved_enough(granted=granted, approvals=approvals):
        change = Change("recovery", ask.part, {"approvals": approvals, "reason": ask.command.reason.strip()})
        return (Event("recovery.first_approval_given", ask.part, facts, (change,)),)
    return (ask.done(facts=facts, reason=ask.command.reason.strip(), ended_at=ask.now, approvals=approvals),)


def _why(ask: Ask) -> str:
    """The reason of what is asked back where nobody said one; a code, empty for a sum that came out smaller."""
    head = ask.case.exposures.get(ask.command.exposure)
    over = ask.step.action == "recover_overpayment" and head is not None and head.state in NOTHING_OWED
    return "not_owed" if over else ""
