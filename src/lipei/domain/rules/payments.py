"""Payments (支付): orders to the bank, each paid at most once, adding up to what is due and never to more (norm 2.2.4).

What has been given on an exposure is the sum of its live payments less what came back; an advance counts like any other.
So an advance is set off, a payment repeated by a double click finds nothing due, and a reopened exposure pays the rest.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from fractions import Fraction

from lipei.domain import accounts, acting, authority
from lipei.domain.acting import mandate_holds, payee_of
from lipei.domain.claims import Case, Exposure, Party, Payment, without_attempt
from lipei.domain.commands import OnAccount
from lipei.domain.conduct import Ask, World
from lipei.domain.events import Change, Event, Outcome, Refusal, Value, wrong
from lipei.domain.limits import freed_by_return
from lipei.domain.money import Money, allocate_rows
from lipei.domain.owing import (
    HELD,
    LIVE,
    NOTHING_OWED,
    UNSETTLED,
    arrived_minor,
    beyond_minor,
    given_minor,
    guaranteed_open_minor,
    is_turned_down,
    offer_of,
    owed_minor,
    undisputed_minor,
)
from lipei.domain.papers import minor
from lipei.domain.rulebook import Rulebook
from lipei.domain.rules.authority import allowed, cumulative_minor, may
from lipei.domain.rules.payees import account_fields, approved_anew
from lipei.domain.rules.settlement import foreseen_of

MOVING = ("ordered", "approved", "submitted", "failed")
ENDED = ("settled", *NOTHING_OWED)


def due_minor(case: Case, exposure: Exposure) -> int:
    """Minor units still to be ordered for an agreed exposure; negative where more was given than is due."""
    return owed_minor(exposure) - given_minor(case, exposure.part)


def overpaid_minor(case: Case, exposure: Exposure) -> int:
    """Minor units that arrived beyond what an ended exposure is worth, and that nobody was asked to give back yet.

    Where nothing is owed, what a hospital was paid for treatment stays out: that is asked of whoever is at fault, by a
    person (交强险条例22).
    """
    if exposure.state not in ENDED:
        return 0
    return beyond_minor(case, exposure, but=("guarantee",) if exposure.state in NOTHING_OWED else ())


def planned(case: Case, offer_number: int) -> list[tuple[int, int, int]]:
    """What an agreed offer asks to be paid now: (exposure, payee, minor units), payees in the order of the shares.

    Shares are of what this offer pays out in all, after what was given before it. They are exact and add up (the
    earlier payee gets the odd unit), over its heads of loss together; what a payee was already ordered under it is taken
    off their own share, so that nobody is paid out of another's.
    """
    offer = case.offers[offer_number]
    shares = offer.shares or ({"payee": payee_of(case, offer.to), "numerator": 1, "denominator": 1},)
    heads = [number for number in offer.exposures if offer_of(case, number) == offer_number]
    left = {n: owed_minor(case.exposures[n]) - given_minor(case, n, HELD) for n in heads}
    had = {(n, s["payee"]): _had(case, offer_number, n, s["payee"]) for n in heads for s in shares}
    pools = [max(0, left[n] + sum(had[n, s["payee"]] for s in shares)) for n in heads]
    parts = allocate_rows(pools, [Fraction(s["numerator"], s["denominator"]) for s in shares])
    found: list[tuple[int, int, int]] = []
    for number, row in zip(heads, parts, strict=True):
        for share, part in zip(shares, row, strict=True):
            amount = min(part - had[number, share["payee"]], left[number])
            if amount > 0:
                found.append((number, share["payee"], amount))
                left[number] -= amount
    return found


def _had(case: Case, offer: int, exposure: int, payee: int) -> int:
    """Minor units that a payee was ordered for an exposure under an offer."""
    place = (exposure, offer, "settlement", payee)
    under = (p for p in case.payments.values() if (p.exposure, p.offer, p.kind, p.payee) == place)
    return sum(p.amount_minor for p in under if p.state in HELD)


def shares_of(case: Case, offer_number: int) -> dict[int, int]:
    """Payee → minor units that an offer pays them in all, in the order of the shares: ordered already or still to be."""
    found: dict[int, int] = {}
    for _, payee, amount in planned(case, offer_number):
        found[payee] = found.get(payee, 0) + amount
    for p in case.payments.values():
        if p.offer == offer_number and p.kind == "settlement" and p.state in HELD and p.payee is not None:
            found[p.payee] = found.get(p.payee, 0) + p.amount_minor
    order = [s["payee"] for s in case.offers[offer_number].shares]
    return dict(sorted(found.items(), key=lambda row: order.index(row[0]) if row[0] in order else len(order)))


def order(ask: Ask) -> Outcome:
    """A payment within what is due, to a payee whose account and identity hold."""
    command, case = ask.command, ask.case
    exposure, payee = case.exposures.get(command.exposure), case.parties.get(command.payee)
    if exposure is None or payee is None:
        return wrong(
            **({"exposure": "refusal.unknown_exposure"} if exposure is None else {"payee": "refusal.party_unknown"})
        )
    if exposure.state != "agreed":
        return Refusal("refusal.nothing_agreed")
    # What was agreed says who is paid how much; a person may order less at a time, never more or to somebody else.
    due = sum(a for e, p, a in planned(case, offer_of(case, exposure.part)) if (e, p) == (exposure.part, payee.part))
    amount = command.amount.minor if command.amount else due
    if command.amount and command.amount.currency != case.claim.currency:
        return wrong(amount="refusal.currency_mixed")
    if amount <= 0 or amount > due:
        return _more_than_due(ask, max(0, due))
    refusal = wrong_payee(ask, payee, amount)
    if refusal is not None:
        return refusal
    return (ordered(ask, command.exposure, payee.part, amount, "settlement"),)


def wrong_payee(ask: Ask, payee: Party, amount_minor: int, *, without: int = 0) -> Refusal | None:
    """Why this person cannot be paid this sum yet: dead, or account, name, mandate, guardian or identity.

    ``without`` is the payment looked at again, which is not to count beside itself.
    """
    named = accounts.match_names(account_name=payee.account_name, payee_name=payee.name) != "different"
    code = ""
    if payee.deceased:
        code = "refusal.payee_deceased"
    elif not payee.account_number:
        code = "refusal.account_missing"
    elif not named:
        code = "refusal.account_name_differs"
    elif not mandate_holds(payee):
        code = "refusal.mandate_not_checked"
    elif guardian_missing(ask.case, payee, ask.rulebook, ask.now):
        code = "refusal.guardian_needed"
    elif _identity_missing(ask.case, ask.rulebook, payee, amount_minor, without):
        code = "refusal.identity_not_checked"
    params = {"payee": payee.part, "limit": _identity_limit(ask.rulebook)}
    return Refusal(code, "fields", params, {"payee": code}) if code else None


def _identity_missing(case: Case, rulebook: Rulebook, payee: Party, amount_minor: int, without: int = 0) -> bool:
    """Whether a person is to be paid so much, with what they have had, that their identity is checked first."""
    if not payee.person or payee.identity_checked_at is not None:
        return False
    had = (
        p.amount_minor for n, p in case.payments.items() if p.payee == payee.part and p.state in LIVE and n != without
    )
    return identity_needed(rulebook, case.claim.currency, sum(had) + amount_minor)


def identity_awaited(case: Case, rulebook: Rulebook) -> frozenset[int]:
    """The parties for whom agreed money waits until their identity has been checked."""
    agreed = (n for n, offer in case.offers.items() if offer.state == "agreed")
    due = ((payee, amount) for n in agreed for _, payee, amount in planned(case, n))
    return frozenset(n for n, amount in due if _identity_missing(case, rulebook, case.parties[n], amount))


def _bank_unknown(payee: Party) -> Refusal | None:
    """The refusal of an account whose bank cannot be found: the order would not leave (see gateways/bank)."""
    code = accounts.check_bank_code(number=payee.account_number, code=payee.account_bank)
    return Refusal(code, "fields", {"payee": payee.part}, {"payee": code}) if code else None


def guardian_missing(case: Case, party: Party, rulebook: Rulebook, now: datetime) -> bool:
    """Whether a party is under age and no guardian's mandate for them was checked (民法典 19, 34)."""
    return minor(party, rulebook.papers.adult_age_years, rulebook.settings.day(now)) and not any(
        "guardian" in p.roles and p.acts_for == party.part and mandate_holds(p) for p in case.parties.values()
    )


def identity_needed(rulebook: Rulebook, currency: str, amount_minor: int) -> bool:
    """Whether a sum is so large that the payee's identity is checked first; a currency without a rate always is."""
    rate = rulebook.triage.rate_ppm(currency)
    return rate is None or amount_minor * rate // 1_000_000 > rulebook.settings.identity_check_threshold_minor


def _identity_limit(rulebook: Rulebook) -> Money:
    return Money(rulebook.settings.identity_check_threshold_minor, rulebook.triage.currency)


def ordered(ask: Ask, exposure: int, payee: int, amount: int, kind: str, *, undisputed: bool = False) -> Event:
    """The event of a payment ordered: under the offer that counts, or as the part of it that nobody disputes."""
    part = ask.case.next_part("payment")
    offer = offer_of(ask.case, exposure) if undisputed or kind == "settlement" else 0
    fields: dict[str, Value] = {
        "state": "ordered",
        "kind": kind,
        "exposure": exposure,
        "offer": offer,
        "payee": payee,
        "amount_minor": amount,
        "ordered_by": ask.actor.id,
        "end_to_end_id": f"{ask.case.claim.number}-{part}-1",
        "attempt": 1,
    }
    facts = {"amount_minor": amount, "payee": payee, "exposure": exposure, "kind": kind}
    return Event("payment.ordered", part, facts, (Change("payment", part, fields),))


def on_account(ask: Ask) -> Outcome:
    """Money before the final sum: an advance to the claimant (预付)."""
    return _given(ask, ask.command, more_than_likely(ask))


def pay_undisputed(ask: Ask) -> Outcome:
    """What nobody disputes of a sum that was declined or not answered, all of it or part, before the rest (保险法25)."""
    least = undisputed_minor(ask.case, ask.target)
    most = Money(least, ask.case.claim.currency)
    asked = OnAccount(ask.command.amount or most, ask.command.payee)
    too_much = Refusal("refusal.more_than_undisputed", "fields", {"undisputed": most})
    return _given(ask, asked, too_much, undisputed=True)


def _given(ask: Ask, command: OnAccount, too_much: Refusal, *, undisputed: bool = False) -> Outcome:
    """An order of money on account. ``too_much`` refuses more than its one figure."""
    exposure, claim = ask.target, ask.case.claim
    (most,) = too_much.params.values()
    if command.amount is None or command.amount.minor <= 0:
        return wrong(amount="refusal.amount_missing")
    if command.amount.currency != claim.currency:
        return wrong(amount="refusal.currency_mixed")
    payee = ask.case.parties.get(command.payee or payee_of(ask.case, exposure.claimant) or 0)
    if payee is None:
        return wrong(payee="refusal.party_unknown")
    if not acting.may_receive(ask.case, exposure.claimant, payee.part):
        return wrong(payee="refusal.payee_not_for_claimant")
    if command.amount.minor > most.minor:
        return replace(too_much, fields={"amount": too_much.code})
    refusal = wrong_payee(ask, payee, command.amount.minor)
    if refusal is not None:
        return refusal
    granted = allowed(ask, "advance", command.amount.minor)
    if isinstance(granted, Refusal):
        return granted
    amount = command.amount.minor
    told = {"amount_minor": amount, "payee": payee.part, "reason": command.reason.strip()}
    told |= {"undisputed": True} if undisputed else {}
    return (
        ask.done(facts=told, advanced_minor=exposure.advanced_minor + amount),
        ordered(ask, ask.part, payee.part, amount, "advance", undisputed=undisputed),
    )


def more_than_likely(ask: Ask) -> Refusal:
    """The refusal of more than may come due on the exposure asked about; its one figure says how much may."""
    exposure, likely = ask.target, likely_minor(ask.case, ask.target, ask.world)
    unnamed = likely <= 0 and exposure.reserve_minor and not exposure.named_reserve_minor
    return _beyond_likely(ask, likely, "refusal.reserve_only_usual" if unnamed else "refusal.more_than_likely")


def _beyond_likely(ask: Ask, likely_minor: int, code: str = "refusal.more_than_likely") -> Refusal:
    return Refusal(code, "fields", {"likely": Money(max(0, likely_minor), ask.case.claim.currency)}, {"amount": code})


def likely_minor(case: Case, exposure: Exposure, world: World) -> int:
    """Minor units that may still be given on account: of what was decided, else of the calculation, else of what the
    terms would make of the reserve, nothing where they give nothing.

    Money on account is of a sum that will be due; more than that would have to be asked back. While no policy is known
    the reserve stands for it: rescue is not kept waiting for a number.
    """
    given = given_minor(case, exposure.part, HELD)
    if exposure.state == "approved":
        return owed_minor(exposure) - given
    if exposure.state != "open" and exposure.settlement:
        return exposure.payable_minor - given
    if world.policy is None or not exposure.cover:
        return max(exposure.named_reserve_minor, exposure.payable_minor) - given
    foreseen = foreseen_of(case, exposure, world)
    return (0 if isinstance(foreseen, Refusal) else foreseen) - given


def approve(ask: Ask) -> Outcome:
    """Somebody who neither ordered nor decided lets the money go; above the threshold two of them."""
    payment: Payment = ask.target
    payee = ask.case.parties.get(payment.payee or 0)
    if payee is None:
        return wrong(payee="refusal.party_unknown")
    exposure = ask.case.exposures[payment.exposure]
    # Who assessed, checked, decided or ordered does not pay; nor does who gave the account that it goes to. The guards
    # have said so of this actor; here it is whose authority they borrow.
    done_by = (exposure.assessed_by, exposure.checked_by, exposure.decided_by, *exposure.approvals)
    involved = authority.people_of((payment.ordered_by, payee.account_by, *done_by, *payment.approved_by))
    refusal = _no_longer_owed(ask, payment) or (
        wrong_payee(ask, payee, payment.amount_minor, without=ask.part) or _bank_unknown(payee)
    )
    if refusal is not None:
        return refusal
    granted = allowed(ask, "pay", payment.amount_minor, involved=involved)
    if isinstance(granted, Refusal):
        return granted
    refusal = _second_on_account(ask, payment, involved)
    if refusal is not None:
        return refusal
    approvals = (*payment.approved_by, authority.approval(actor=ask.actor, granted=granted))
    facts = {"amount_minor": payment.amount_minor, "approvals": len(approvals), **granted.lent}
    if not authority.approved_enough(granted=granted, approvals=approvals):
        return (
            Event(
                "payment.first_approval_given",
                ask.part,
                facts,
                (Change("payment", ask.part, {"approved_by": approvals}),),
            ),
        )
    return (ask.done(facts=facts, approved_by=approvals),)


def _second_on_account(ask: Ask, payment: Payment, involved: frozenset[str]) -> Refusal | None:
    """Money on account above the threshold for it takes two persons with authority over it: who ordered, and who first
    lets it go (four eyes). None where this actor may."""
    if payment.kind not in ("advance", "guarantee") or payment.approved_by:
        return None
    if ask.case.exposures[payment.exposure].guarantees and payment.kind == "guarantee":
        return None  # the second person agreed when it was promised
    table, claim = ask.rulebook.authority, ask.case.claim
    total = cumulative_minor(ask, payment.kind, 0, part=payment.exposure)
    if not authority.needs_second(table=table, kind=payment.kind, cumulative_minor=total, currency=claim.currency):
        return None
    if ask.actor.by_rule:
        return Refusal("refusal.authority.second_person", "permission", {"permission": f"authority.{payment.kind}"})
    granted = may(ask, payment.kind, total, involved=involved)
    return granted if isinstance(granted, Refusal) else None


def _no_longer_owed(ask: Ask, payment: Payment) -> Refusal | None:
    """An order is looked at once more before money goes: what it was for may have been refused, or given otherwise."""
    exposure = ask.case.exposures[payment.exposure]
    if payment.kind == "guarantee":
        return None  # a promise to a hospital is kept whatever the claim comes to
    # What was declined and nobody disputes is owed whatever the sum is worked out to anew.
    if payment.kind == "advance" and exposure.state in UNSETTLED and not is_turned_down(ask.case, exposure.part):
        left = likely_minor(ask.case, exposure, ask.world)
        return _beyond_likely(ask, left + payment.amount_minor) if left < 0 else None
    waits = 0 if payment.state in LIVE else payment.amount_minor
    over = exposure.state in ("agreed", "settled") and due_minor(ask.case, exposure) < waits
    if exposure.state not in NOTHING_OWED and not over:
        return None
    due = max(0, due_minor(ask.case, exposure) + payment.amount_minor - waits)
    return _more_than_due(ask, due)


def _more_than_due(ask: Ask, due_minor: int) -> Refusal:
    params = {"due": Money(due_minor, ask.case.claim.currency)}
    return Refusal("refusal.more_than_due", "fields", params, {"amount": "refusal.more_than_due"})


def submit(ask: Ask) -> Outcome:
    """The order is on its way to the bank, under an identity that stays the same however often it is sent."""
    payment = ask.target
    facts = {"amount_minor": payment.amount_minor, "end_to_end_id": payment.end_to_end_id, "attempt": payment.attempt}
    return (ask.done(facts=facts, submitted_at=ask.now),)


def confirm(ask: Ask) -> Outcome:
    """The bank says that the money has arrived (norm 2.2.4: and the customer is told)."""
    payment, exposure = ask.target, ask.case.exposures[ask.target.exposure]
    at: datetime = min(ask.command.at or ask.now, ask.now)  # a bank's day of booking may lie ahead, the past cannot
    paid = exposure.paid_minor + payment.amount_minor
    facts = {
        "amount_minor": payment.amount_minor,
        "payee": payment.payee,
        "exposure": payment.exposure,
        "kind": payment.kind,
        "reference": ask.command.reference,
        "at": at,
    }
    arrived = ask.done(
        Change("exposure", exposure.part, {"paid_minor": paid}), facts=facts, confirmed_at=at, failure=""
    )
    return (arrived, *settled_now(ask.case.after([arrived]), exposure.part))


def settled_now(case: Case, number: int) -> tuple[Event, ...]:
    """The exposure is settled once it is agreed, nothing more is due or guaranteed and no payment of it is moving."""
    exposure = case.exposures[number]
    moving = any(p.exposure == number and p.state in MOVING for p in case.payments.values())
    if exposure.state != "agreed" or moving or due_minor(case, exposure) > 0 or guaranteed_open_minor(case, number):
        return ()
    over = max(0, -due_minor(case, exposure))
    facts = {"paid_minor": exposure.paid_minor, "overpaid_minor": over}
    return (Event("exposure.settled", number, facts, (Change("exposure", number, {"state": "settled"}),)),)


def fail(ask: Ask) -> Outcome:
    """The bank did not pay; the order goes back to a person with the bank's reason."""
    payment = ask.target
    facts = {"amount_minor": payment.amount_minor, "reason": ask.command.reason, "payee": payment.payee}
    return (ask.done(facts=facts, failure=ask.command.reason or "unknown"),)


def give_back(ask: Ask) -> Outcome:
    """The bank returns money that it had confirmed: the exposure is unpaid again, and a claim closed on it is open.

    What was asked back of it as too much is asked for no more: it never arrived.
    """
    payment, exposure = ask.target, ask.case.exposures[ask.target.exposure]
    fields: dict[str, Value] = {"paid_minor": exposure.paid_minor - payment.amount_minor}
    if exposure.state == "settled":
        fields["state"] = "agreed"
    changes = [Change("exposure", exposure.part, fields), *_asked_back_less(ask, exposure, payment.amount_minor)]
    if ask.case.claim.outcome == "paid":
        changes.append(Change("claim", 0, {"outcome": "", "closed_at": None}))
    facts = {"amount_minor": payment.amount_minor, "reason": ask.command.reason, "payee": payment.payee}
    returned = ask.done(*changes, facts=facts, failure=ask.command.reason or "unknown", confirmed_at=None)
    after = ask.case.after([returned])
    return (returned, *freed_by_return(case=after, exposure=exposure.part, ledger=ask.world.ledger))


def _asked_back_less(ask: Ask, exposure: Exposure, returned_minor: int) -> list[Change]:
    """Overpayments asked back of an exposure come down to what is still too much once so much is not there."""
    over = max(0, arrived_minor(ask.case, exposure.part) - returned_minor - owed_minor(exposure))
    changes = []
    for number, one in ask.case.recoveries.items():
        if (one.kind, one.exposure) != ("overpayment", exposure.part):
            continue
        due = max(one.received_minor, min(one.due_minor, over))
        over = max(0, over - due)
        if one.state == "open" and due < one.due_minor:
            state = "received" if due else "written_off"
            ended = {"state": state, "ended_at": ask.now} if due == one.received_minor else {}
            changes.append(Change("recovery", number, {"due_minor": due, **ended}))
    return changes


def _may_be_paid(ask: Ask) -> Refusal | None:
    """Refuses to order anew what the bank said something of that nobody has cleared up: it may have been paid."""
    doubted = without_attempt(ask.target.end_to_end_id) in ask.world.doubted
    return Refusal("refusal.bank_word_open") if doubted else None


def retry(ask: Ask) -> Outcome:
    """Again, under a new identity (the first was refused for good), if need be to a corrected account."""
    payment, command = ask.target, ask.command
    payee = ask.case.parties[payment.payee]
    refusal = _may_be_paid(ask) or _no_longer_owed(ask, payment)
    if refusal is not None:
        return refusal
    changes: list[Change] = []
    if command.account_number or command.account_name or command.account_bank:
        number = command.account_number or payee.account_number
        fields, codes = account_fields(ask, payee, command.account_name, number, command.account_bank)
        if codes:
            return wrong(**codes)
        changes += [Change("party", payee.part, fields), *approved_anew(ask, payee, but=ask.part)]
        payee = replace(payee, account_number=number, account_bank=str(fields["account_bank"]))
    if _bank_unknown(payee):
        return wrong(account_bank="refusal.bank_code")
    attempt = payment.attempt + 1
    facts = {"amount_minor": payment.amount_minor, "attempt": attempt, "account_changed": bool(changes)}
    # A changed account is a changed order: it is approved anew by somebody else than who changed it.
    state = "approved" if payment.approved_by and not changes else "ordered"
    fields = {
        "state": state,
        "attempt": attempt,
        "end_to_end_id": f"{ask.case.claim.number}-{ask.part}-{attempt}",
        "failure": "",
        "submitted_at": None,
        **({"ordered_by": ask.actor.id, "approved_by": ()} if changes else {}),
    }
    return (Event(ask.step.event, ask.part, facts, (Change("payment", ask.part, fields), *changes)),)


def cancel(ask: Ask) -> Outcome:
    """The order is taken back before the bank has it."""
    payment = ask.target
    if not ask.command.reason.strip():
        return wrong(reason="refusal.reason_missing")
    if refusal := _may_be_paid(ask):  # another order would take its place
        return refusal
    exposure = ask.case.exposures[payment.exposure]
    on_account = {"advance": "advanced_minor"} | ({} if exposure.guarantees else {"guarantee": "guaranteed_minor"})
    name = on_account.get(payment.kind)  # a guarantee stands when the order to pay it is taken back
    back = [Change("exposure", exposure.part, {name: getattr(exposure, name) - payment.amount_minor})] if name else []
    taken_back = ask.done(*back, facts={"amount_minor": payment.amount_minor, "kind": payment.kind}, failure="")
    return (taken_back, *settled_now(ask.case.after([taken_back]), exposure.part))
