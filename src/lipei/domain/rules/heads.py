"""Heads of loss (赔付项) put right: under another cover, for another person, or gone: in error, or not claimed any more."""

from __future__ import annotations

from dataclasses import replace

from lipei.domain import limits, papers
from lipei.domain.claims import ASSESSED, USUAL, Case, Exposure
from lipei.domain.conduct import Ask
from lipei.domain.events import Change, Event, Outcome, Value, wrong
from lipei.domain.facts import wrong_of_head
from lipei.domain.rules.intake import known_facts, unnamed_reserve, wrong_exposure


def correct(ask: Ask) -> Outcome:
    """Another cover, kind of loss or claimant, or what was learnt of the loss. What is left empty stays.

    Whatever was computed or checked rested on what was there before: it is done again. The line items stay, the facts
    that the new cover does not ask for and the exclusions of the old one go.
    """
    command, before = ask.command, ask.target
    after = replace(
        before, cover=command.cover or before.cover, peril=command.peril or before.peril,
        claimant=command.claimant or before.claimant,
    )  # fmt: skip
    said = {name: value for name, value in command.facts.items() if before.facts.get(name) != value}
    if after == before and not said:
        return wrong(cover="refusal.nothing_changed")
    codes = wrong_exposure(ask, replace(after, facts=said), set(ask.case.parties))
    if codes:
        return wrong(**codes)
    other_cover = after.cover != before.cover
    facts = known_facts({**(_facts(ask, after) if other_cover else before.facts), **said})
    items = tuple({**row, "excluded": ""} for row in before.items) if other_cover else before.items
    told: dict[str, Value] = {
        "cover": after.cover, "peril": after.peril, "claimant": after.claimant, "from": before.cover,
        **({"facts": tuple(sorted(said))} if said else {}),
    }  # fmt: skip
    fields = {
        "state": ask.step.target, **_changed(before, after, facts, items), "assessed_minor": 0, "assessed_by": "",
        "assessed_at": None, "checked_by": "", "settlement": {}, "payable_minor": 0,
    }  # fmt: skip
    if before.reserve_reason in (USUAL, ASSESSED):
        fields |= unnamed_reserve(ask, after)
    return (Event(ask.step.event, ask.part, told, (Change("exposure", ask.part, fields),)),)


def _changed(
    before: Exposure, after: Exposure, facts: dict[str, Value], items: tuple[dict[str, Value], ...]
) -> dict[str, Value]:
    fields: dict[str, Value] = {"cover": after.cover, "peril": after.peril, "claimant": after.claimant}
    changed = {name: value for name, value in fields.items() if getattr(before, name) != value}
    return (
        changed
        | ({"facts": facts} if facts != before.facts else {})
        | ({"items": items} if items != before.items else {})
    )


def _facts(ask: Ask, exposure: Exposure) -> dict[str, Value]:
    covers = ask.rulebook.covers_of(ask.case.claim.product, exposure.cover)
    tables = ask.rulebook.facts_asked
    return {n: v for n, v in exposure.facts.items() if not wrong_of_head({n: v}, tables=tables, covers=covers)}


def drop(ask: Ask) -> Outcome:
    """A head of loss entered in error or not claimed any more goes; papers that only it needed are not asked for any more.

    It is no refusal: a superior drops it, and nothing was paid on it. The reason is told to the customer as written.
    """
    reason = ask.command.reason.strip()
    if not reason:
        return wrong(reason="refusal.reason_missing")
    note = {"text": reason, "author": ask.actor.id, "at": ask.now, "kind": "note"}
    number = ask.case.next_part("note")
    gone = ask.done(
        Change("note", number, note), facts={"from": ask.target.state, "note": number}, refusal_proposed_by="",
        payable_minor=0, ex_gratia_minor=0,
    )  # fmt: skip
    given_back = limits.freed(case=ask.case, exposure=ask.part, ledger=ask.world.ledger, reason="dropped")
    return (gone, *_papers_not_needed(ask, ask.case.after([gone])), *given_back)


def _papers_not_needed(ask: Ask, after: Case) -> tuple[Event, ...]:
    """Papers asked for that no head of loss still alive asks for."""
    idle = papers.papers_idle(case=after, table=ask.rulebook.papers, exposure=ask.part)
    fields: dict[str, Value] = {"state": "waived", "decided_at": ask.now, "reason": "waived"}
    return tuple(
        Event("paper.waived", n, {"code": after.papers[n].code}, (Change("paper", n, dict(fields)),)) for n in idle
    )
