"""Guarantees for treatment (医疗费用担保、垫付): a promise to a hospital, given at any hour without an account (norm 2.3.2).

A guarantee moves no money. It is set off from what is paid later as an advance is; when the hospital asks for it, money is
ordered like any other, and what it needs no more is released (docs/decisions/0013).
"""

from __future__ import annotations

from lipei.domain import authority
from lipei.domain.claims import Exposure
from lipei.domain.conduct import Ask
from lipei.domain.events import Change, Event, Outcome, Refusal, Value, wrong
from lipei.domain.money import Money
from lipei.domain.owing import guaranteed_open_minor
from lipei.domain.rules.authority import cumulative_minor, may
from lipei.domain.rules.payments import more_than_likely, ordered, settled_now, wrong_payee


def give(ask: Ask) -> Outcome:
    """A sum is guaranteed to a hospital by whoever has the authority; above the threshold a second person says so too."""
    command, exposure, claim = ask.command, ask.target, ask.case.claim
    if command.amount is None or command.amount.minor <= 0:
        return wrong(amount="refusal.amount_missing")
    if command.amount.currency != claim.currency:
        return wrong(amount="refusal.currency_mixed")
    hospital = _hospital(ask, command.payee)
    if isinstance(hospital, Refusal):
        return hospital
    amount = command.amount.minor
    too_much = more_than_likely(ask)
    if amount > too_much.params["likely"].minor:
        return too_much
    begun = next(
        (r for r in exposure.guarantees if r["waits"] and (r["payee"], r["amount_minor"]) == (hospital, amount)), None
    )
    involved = authority.people_of((begun["by"],)) if begun else frozenset()
    table = ask.rulebook.authority
    total = cumulative_minor(ask, "guarantee", amount)
    granted = may(ask, "guarantee", total, involved=involved)
    if isinstance(granted, Refusal):
        return granted
    told = {"amount_minor": amount, "payee": hospital, "reason": command.reason.strip()}
    two = authority.needs_second(table=table, kind="guarantee", cumulative_minor=total, currency=claim.currency)
    row: dict[str, Value] = {
        "payee": hospital,
        "amount_minor": amount,
        "by": ask.actor.id,
        "waits": two and begun is None,
    }
    rows = (*(r for r in exposure.guarantees if r is not begun), row)
    if row["waits"]:
        change = Change("exposure", ask.part, {"guarantees": rows})
        return (Event("exposure.guarantee_first_given", ask.part, told, (change,)),)
    return (ask.done(facts=told, guarantees=rows, guaranteed_minor=exposure.guaranteed_minor + amount),)


def pay(ask: Ask) -> Outcome:
    """The hospital asks for its money: an order to its account, within what was guaranteed to it and is still open."""
    command = ask.command
    hospital = _hospital(ask, command.payee)
    if isinstance(hospital, Refusal):
        return hospital
    left = guaranteed_open_minor(ask.case, ask.part, hospital)
    if command.amount is None or command.amount.minor <= 0:
        return wrong(amount="refusal.amount_missing")
    if command.amount.currency != ask.case.claim.currency:
        return wrong(amount="refusal.currency_mixed")
    amount = command.amount.minor
    if amount > left:
        return _beyond(ask, left, "amount")
    refusal = wrong_payee(ask, ask.case.parties[hospital], amount)
    if refusal is not None:
        return refusal
    facts = {"amount_minor": amount, "payee": hospital, "reason": command.reason.strip()}
    return (ask.done(facts=facts), ordered(ask, ask.part, hospital, amount, "guarantee"))


def release(ask: Ask) -> Outcome:
    """The rest of a guarantee is over: the hospital was paid otherwise, or its bill was smaller."""
    exposure: Exposure = ask.target
    if not ask.command.reason.strip():
        return wrong(reason="refusal.reason_missing")
    hospital = _hospital(ask, ask.command.payee)
    if isinstance(hospital, Refusal):
        return hospital
    left = guaranteed_open_minor(ask.case, ask.part, hospital)
    if not left:
        return _beyond(ask, 0, "payee")
    promised = sum(r["amount_minor"] for r in exposure.guarantees if r["payee"] == hospital and not r["waits"])
    spent = {"payee": hospital, "amount_minor": promised - left, "by": ask.actor.id, "waits": False}
    rows = (*(r for r in exposure.guarantees if r["payee"] != hospital), *((spent,) if promised > left else ()))
    facts = {"amount_minor": left, "payee": hospital, "reason": ask.command.reason.strip()}
    event = ask.done(facts=facts, guarantees=rows, guaranteed_minor=exposure.guaranteed_minor - left)
    return (event, *settled_now(ask.case.after([event]), ask.part))


def _beyond(ask: Ask, left_minor: int, field: str) -> Refusal:
    code = "refusal.more_than_guaranteed"
    return Refusal(code, "fields", {"left": Money(left_minor, ask.case.claim.currency)}, {field: code})


def _hospital(ask: Ask, said: int | None) -> int | Refusal:
    """The hospital named, else the only one there is."""
    known = [p.part for p in ask.case.parties.values() if "hospital" in p.roles]
    if said is None and len(known) == 1:
        return known[0]
    if said in known:
        return said
    code = "refusal.hospital_missing" if said is None else "refusal.not_a_hospital"
    return wrong(payee=code)
