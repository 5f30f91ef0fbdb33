"""Handling: the acts on the claim as a whole, from triage to its end and back again (norm 1.4.3, 2.2.1, 2.3.2, 2.3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from lipei.domain import assignment, countries, duty, limits, triage
from lipei.domain.claims import Case, Claim
from lipei.domain.conduct import Ask
from lipei.domain.events import Change, Event, Outcome, Refusal, Value, wrong
from lipei.domain.lifecycle import EXPOSURE_ENDS
from lipei.domain.rules.decisions import without
from lipei.domain.rules.incidents import wrong_incident, wrong_with_incidents
from lipei.domain.rules.intake import known_facts, wrong_facts


def triage_claim(ask: Ask) -> Outcome:
    """Which way the claim goes: lane, fast lane, report upwards, each with its reasons."""
    command, claim = ask.command, ask.case.claim
    if codes := wrong_incident(ask, command.incident or "", claim.incident):
        return wrong_with_incidents(ask, codes)
    names = ("deaths", "serious_injuries", "injured", "rescue", "major_accident", "incident", "country")
    if code := countries.wrong(command.country or ""):
        return wrong(country=code)
    known: dict[str, Value] = {n: getattr(command, n) for n in names if getattr(command, n) is not None}
    if command.estimate is not None:
        if command.estimate.currency != claim.currency:
            return wrong(estimate="refusal.currency_mixed")
        known["estimate_minor"] = command.estimate.minor
    facts = claim_facts(ask)
    if isinstance(facts, Refusal):
        return facts
    if facts != claim.facts:
        known["facts"] = facts
    after = ask.case.after([Event("claim.triaged", 0, {}, (Change("claim", 0, known),))])
    found = triage.triage(case=after, table=ask.rulebook.triage, now=ask.now, products=ask.rulebook.products)
    reasons = tuple(reason.as_value() for reason in found.reasons)
    told = {
        "lane": found.lane,
        "fast_lane": found.fast_lane,
        "report_upwards": found.report_upwards,
        "reasons": reasons,
    }
    if gone := triage.no_longer(claim.triage_reasons, found):
        told["no_longer"] = gone
    known |= {
        "lane": found.lane,
        "fast_lane": found.fast_lane,
        "report_upwards": found.report_upwards,
        "triage_reasons": reasons,
    }
    return (Event(ask.step.event, 0, told, (Change("claim", 0, known),)),)


def claim_facts(ask: Ask) -> Mapping[str, Value] | Refusal:
    """What is known of the claim as a whole, with what this command adds or takes back."""
    command = ask.command
    codes = wrong_facts(ask, command.facts, ask.case.claim.product)
    if codes:
        return wrong(**codes)
    found = known_facts({**ask.case.claim.facts, **command.facts})
    for name in ("lawsuit", "liability_disputed", "public_attention", "regulator_asks"):
        if getattr(command, name) is not None:
            found[name] = getattr(command, name)
    if command.lawsuit_amount is not None:
        if command.lawsuit_amount.currency != ask.case.claim.currency:
            return wrong(lawsuit_amount="refusal.currency_mixed")
        found["lawsuit_amount_minor"] = command.lawsuit_amount.minor
    return found


def assign(ask: Ask) -> Outcome:
    """Who handles the claim: somebody named, or whoever the rule finds; nobody able means the unit's queue."""
    table, need = ask.rulebook.assignment, _need(ask)
    if ask.command.handler is None:
        found: assignment.Assignment | Refusal = assignment.assign(
            need=need, candidates=ask.world.candidates, table=table, now=ask.now
        )
    else:
        person = next((c for c in ask.world.candidates if c.staff_id == ask.command.handler), None)
        if person is None:
            return wrong(handler="refusal.staff_unknown")
        found = assignment.assign_to(need=need, candidate=person, table=table, now=ask.now)
    if isinstance(found, Refusal):
        return found
    facts = {"handler": found.staff_id, "unit": found.unit, "before": ask.case.claim.handler, "reasons": found.reasons}
    return (
        ask.done(
            facts=facts,
            handler=found.staff_id,
            unit=found.unit,
            assignment_reasons=tuple(found.reasons),
            accepted_at=None,
        ),
    )


def _need(ask: Ask) -> assignment.Need:
    """What the claim asks of its handler."""
    book = ask.rulebook
    values = triage.claim_values(case=ask.case, table=book.triage, now=ask.now, products=book.products)
    return assignment.need_of(values=values, currency=book.triage.currency, table=book.assignment)


def call_duty(found: duty.Call, claim: Claim) -> Event:
    """An urgent off-hours report is put to a named person, who must acknowledge in time (norm 2.3.3).

    Until somebody has accepted the claim, whoever is called is its handler: at night the customer is given the name and
    phone of who is on duty, not of a colleague who is asleep.
    """
    facts = {"person": found.staff_id, "position": found.position, "round": found.round, "due_at": found.due_at}
    changed: dict[str, Value] = {
        "duty_person": found.staff_id, "duty_position": found.position, "duty_due_at": found.due_at,
    }  # fmt: skip
    if claim.accepted_at is None:
        changed["handler"] = found.staff_id
    return Event("claim.duty_called", 0, facts, (Change("claim", 0, changed),))


def duty_unmanned(now: datetime, minutes: int) -> Event:
    """Nobody can be called: whoever leads is told, and the roster is asked again once the time for an answer is up."""
    retry = Change("claim", 0, {"duty_person": None, "duty_due_at": now + timedelta(minutes=minutes)})
    return Event("claim.duty_unmanned", 0, {}, (retry,))


def acknowledge_duty(ask: Ask) -> Outcome:
    """The duty person has it in hand, and is the handler until it is assigned anew; unless somebody has accepted it."""
    claim = ask.case.claim
    taken: dict[str, Value] = {"handler": ask.actor.staff_id, "accepted_at": ask.now} if not claim.accepted_at else {}
    if not claim.unit:
        taken["unit"] = ask.actor.unit
    return (
        ask.done(
            facts={"person": ask.actor.staff_id, "position": claim.duty_position},
            duty_acknowledged_at=ask.now,
            duty_due_at=None,
            **taken,
        ),
    )


def accept_assignment(ask: Ask) -> Outcome:
    """The handler has seen it."""
    return (ask.done(facts={"handler": ask.case.claim.handler}, accepted_at=ask.now),)


def give_opinion(ask: Ask) -> Outcome:
    """The preliminary opinion is told to the customer (norm 2.2.1: within 24 hours)."""
    if not ask.command.text.strip():
        return wrong(text="refusal.text_missing")
    return (
        ask.done(
            facts={"first": ask.case.claim.opinion_at is None}, opinion=ask.command.text.strip(), opinion_at=ask.now
        ),
    )


def _noted(ask: Ask, text: str, kind: str) -> Change:
    fields = {"text": text, "author": ask.actor.id, "at": ask.now, "kind": kind}
    return Change("note", ask.case.next_part("note"), fields)


def add_note(ask: Ask) -> Outcome:
    """Something worth knowing, on record."""
    text = ask.command.text.strip()
    if not text:
        return wrong(text="refusal.text_missing")
    by_customer = ask.actor.id.startswith("customer:")
    note = _noted(ask, text, "customer" if by_customer else "note")
    wrote = (Event("claim.customer_wrote", 0, {"note": note.part}),) if by_customer else ()
    return (ask.done(note, facts={"note": note.part}), *wrote)


CUSTOMERS = frozenset({"reporter", "insured", "claimant", "injured", "beneficiary", "heir", "guardian", "agent"})
"""Roles of those to whom we owe word; a garage or a hospital is nobody's customer here."""


def tell_customer(ask: Ask) -> Outcome:
    """A person told a customer how things stand (norm 2.2.2, 2.4.1). What was said is a note, that it was said a fact.

    A letter handed over or posted serves where the law wants a written notice (保险法24).
    """
    command, case = ask.command, ask.case
    reporter = case.party("reporter") or case.party("claimant")
    whom = case.parties.get(command.party) if command.party is not None else reporter
    codes = {} if command.text.strip() else {"text": "refusal.text_missing"}
    if whom is None:
        codes["party"] = "refusal.party_unknown"
    elif whom.deceased:
        codes["party"] = "refusal.party_deceased"
    elif not CUSTOMERS & set(whom.roles):
        codes["party"] = "refusal.party_no_customer"
    if command.exposure and command.exposure not in case.exposures:
        codes["exposure"] = "refusal.unknown_exposure"
    if command.letter and command.way == "phone":
        codes["letter"] = "refusal.letter_by_phone"
    if codes or whom is None:
        return wrong(**codes)
    note = _noted(ask, command.text.strip(), "told")
    facts = {"to": "customer", "party": whom.part, "way": command.way, "exposure": command.exposure, "note": note.part}
    return (ask.done(note, facts=facts | ({"letter": command.letter} if command.letter else {}), last_told_at=ask.now),)


def ask_for_help(ask: Ask) -> Outcome:
    """A colleague or superior is asked, with the whole history at hand (norm 2.1.3)."""
    text = ask.command.text.strip()
    if not text:
        return wrong(text="refusal.text_missing")
    note = _noted(ask, text, "help")
    return (ask.done(note, facts={"note": note.part}, help_wanted=True),)


def hand_over(ask: Ask) -> Outcome:
    """To a colleague or unit, with what they must know; nothing is asked of the customer twice."""
    command, claim = ask.command, ask.case.claim
    person = next((c for c in ask.world.candidates if c.staff_id == command.handler), None)
    if command.handler is not None and person is None:
        return wrong(handler="refusal.staff_unknown")
    if command.handler is None and not command.unit:
        return wrong(handler="refusal.handover_to_nobody")
    if command.handler is None and command.unit not in {c.unit for c in ask.world.candidates}:
        return wrong(unit="refusal.unit_unknown")
    if not command.text.strip():
        return wrong(text="refusal.text_missing")
    if person is not None:  # whoever takes it over can have it as if it were assigned to them
        table = ask.rulebook.assignment
        found = assignment.assign_to(need=_need(ask), candidate=person, table=table, now=ask.now)
        if isinstance(found, Refusal):
            return found
    unit = person.unit if person else command.unit
    note = _noted(ask, command.text.strip(), "handover")
    facts = {"from": claim.handler, "to": command.handler, "unit": unit, "note": note.part}
    return (ask.done(note, facts=facts, handler=command.handler, unit=unit, accepted_at=None, help_wanted=False),)


def suspect(ask: Ask) -> Outcome:
    """A suspicion is a lead, never a reason to be slow: no clock pauses (反保险欺诈工作办法: 不得拖延理赔)."""
    if not ask.command.reason.strip():
        return wrong(reason="refusal.reason_missing")
    note = _noted(ask, ask.command.reason.strip(), "note")
    return (ask.done(note, facts={"note": note.part}, suspicion=True),)


def clear_suspicion(ask: Ask) -> Outcome:
    """The suspicion was looked into and is gone."""
    if not ask.command.reason.strip():
        return wrong(reason="refusal.reason_missing")
    note = _noted(ask, ask.command.reason.strip(), "note")
    return (ask.done(note, facts={"note": note.part}, suspicion=False),)


def report_upwards(ask: Ask) -> Outcome:
    """A large case is made known above."""
    if not ask.command.reason.strip():
        return wrong(reason="refusal.reason_missing")
    note = _noted(ask, ask.command.reason.strip(), "note")
    return (ask.done(note, facts={"note": note.part}, reported_upwards_at=ask.now, report_upwards=True),)


# --- ends and new beginnings ------------------------------------------------------------------------------------------


def close(ask: Ask) -> Outcome:
    """Everything is decided and paid (结案). Money on account of what was refused in the end is no payment of the claim.

    Where the terms left nothing to pay and nothing was refused, the claim ends without payment (零结).
    """
    heads = ask.case.exposures.values()
    paid = any(e.state == "settled" and e.paid_minor for e in heads)
    outcome = "paid" if paid else "refused" if any(e.state == "refused" for e in heads) else "closed_without_payment"
    facts = {"outcome": outcome, "paid_minor": sum(e.paid_minor for e in ask.case.exposures.values())}
    return (ask.done(facts=facts, outcome=outcome, closed_at=ask.now),)


def _ending(outcome: str, ask: Ask) -> Outcome:
    reason = ask.command.reason.strip()
    if not reason:
        return wrong(reason="refusal.reason_missing")
    note = _noted(ask, reason, "note")
    facts = {"outcome": outcome, "note": note.part}
    return (ask.done(note, *left_open(ask.case), facts=facts, outcome=outcome, closed_at=ask.now), *given_back(ask))


def left_open(case: Case) -> list[Change]:
    """What a claim that ends leaves behind: exposures dropped, visits called off, and no offer that could be agreed to."""
    return [
        *(
            Change("exposure", n, {"state": "dropped"})
            for n, e in case.exposures.items()
            if e.state not in EXPOSURE_ENDS
        ),
        *(Change("survey", n, {"state": "cancelled"}) for n, s in case.surveys.items() if s.state == "scheduled"),
        *(
            Change("offer", n, {"state": "expired", "codes": ()})
            for n, o in case.offers.items()
            if o.state in ("prepared", "sent")
        ),
    ]


def given_back(ask: Ask) -> tuple[Event, ...]:
    """What the claim's exposures that never came to their end held of shared limits goes back, see `limits.freed`."""
    open_ones = [n for n, exposure in ask.case.exposures.items() if exposure.state not in EXPOSURE_ENDS]
    ledger, events = ask.world.ledger, tuple[Event, ...]()
    for number in open_ones:
        freed = limits.freed(case=ask.case, exposure=number, ledger=ledger, reason="claim_ended")
        ledger = ledger.after(freed) if ledger is not None else None
        events += freed
    return events


def close_without_payment(ask: Ask) -> Outcome:
    """Nothing is due (零结), by the customer's or the facts' doing; a refusal is something else."""
    return _ending("closed_without_payment", ask)


def withdraw(ask: Ask) -> Outcome:
    """The customer takes the claim back."""
    return _ending("withdrawn", ask)


def cancel(ask: Ask) -> Outcome:
    """Reported in error (注销)."""
    return _ending("cancelled", ask)


def link_duplicate(ask: Ask) -> Outcome:
    """The same loss twice: this claim ends and points to the other (案件合并)."""
    number = ask.command.number.strip()
    if not number or number == ask.case.claim.number:
        return wrong(number="refusal.duplicate_number")
    if number not in ask.world.alike:
        return wrong(number="refusal.claim_unknown")
    ended = ask.done(
        *left_open(ask.case),
        facts={"duplicate_of": number},
        duplicate_of=number,
        outcome="duplicate",
        closed_at=ask.now,
    )
    return (ended, *given_back(ask))


AGAIN: Mapping[str, Value] = {
    "state": "open", "checked_by": "", "submitted_by": "", "submitted_at": None, "decided_by": "", "decided_at": None,
    "approvals": (), "agreed_at": None, "refusal_proposed_by": "", "refused_minor": 0, "by_hand": True,
}  # fmt: skip
"""An exposure that is looked at anew: the sums stay for comparison, what persons said of them does not."""


def reopen(ask: Ask) -> Outcome:
    """The file is opened again (重开赔案); ended heads of loss live again, what was paid stays paid.

    Whatever was checked and decided counts no more: persons do it again, each with their own authority.
    """
    reason = ask.command.reason.strip()
    if not reason:
        return wrong(reason="refusal.reason_missing")
    note = _noted(ask, reason, "note")
    alive = [Change("exposure", n, AGAIN) for n, e in ask.case.exposures.items() if e.state in EXPOSURE_ENDS]
    void = [
        change
        for n, e in ask.case.exposures.items()
        for o in ask.case.offers.values()
        for change in without(ask.case, o, n)
        if e.state in EXPOSURE_ENDS
    ]
    facts: dict[str, Value] = {
        "outcome_before": ask.case.claim.outcome, "note": note.part, "times": ask.case.claim.reopened + 1,
    }  # fmt: skip
    if any(e.state == "refused" or e.refused_minor for e in ask.case.exposures.values()):
        facts["refused_under"] = ask.case.claim.handler  # the letter promised a review by somebody else
    return (
        ask.done(
            note, *alive, *void, facts=facts, outcome="", closed_at=None, reopened=ask.case.claim.reopened + 1,
            reopened_at=ask.now,
        ),
    )  # fmt: skip
