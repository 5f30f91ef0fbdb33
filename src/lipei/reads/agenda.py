"""What the rows of a worklist say beyond the list itself: what is next, for whom a claim waits, what is new (norm 2.3.1).

A list names claims; this looks at those of one page together: their parts in one query per kind of part, never per
claim, and without anything private. Nothing is decided here: what may be done comes from the lifecycle table, which of
it comes first from `next_steps`, when a promise breaks from the stored hint that the list is sorted by.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from lipei.domain import lifecycle, papers
from lipei.domain.calendars import Calendar
from lipei.domain.claims import Case, Clock
from lipei.domain.events import Actor, private_fields
from lipei.domain.rulebook import Rulebook
from lipei.norms.texts import text
from lipei.reads import people
from lipei.reads.claims import Possible, Promised
from lipei.reads.next_steps import FORWARD, Next, steps, ways_to_keep
from lipei.reads.worklist import Horizon, Row
from lipei.store import models
from lipei.store.aggregates import TABLES, names

LOOKED_AT = ("claim", "exposure", "paper", "survey", "consultation", "offer", "payment", "clock")
"""The parts on which it depends what is next and who is waited for."""
ONLY: Mapping[str, tuple[str, ...]] = {"clock": ("running",), "paper": ("requested", "refused", "received")}
"""Of some parts only those in these states: the others say nothing here."""
LEFT_OUT = frozenset(
    {
        "facts", "items", "settlement", "pauses", "triage_reasons", "assignment_reasons", "shares", "codes",
        "refusal_code", "duplicate_of", "external_number",
    }
)  # fmt: skip
"""Columns that no step, guard or promise asks for, most of them large."""

GROUPS = ("fast", "late", "today", "week", "later", "none", "customer")
"""The order of the groups: the fast lane first everywhere (norm 2.3.2), what waits for the customer last."""

NEWS = (
    "claim.reported", "claim.assigned", "claim.handed_over", "claim.customer_wrote", "claim.help_asked",
    "claim.duty_called", "document.received", "paper.received", "offer.agreed", "offer.declined", "offer.expired",
    "survey.recorded", "consultation.opined", "exposure.returned_for_rework",
    "exposure.decision_overtaken", "exposure.decision_approved", "payment.failed", "payment.confirmed",
)  # fmt: skip
"""What is worth telling somebody who comes to work in the morning, the most telling first."""
ARRIVED = frozenset(NEWS[:3])


@dataclass(frozen=True, slots=True)
class Waits:
    """For whom a claim waits: ``you``, a kind of person or firm, and the colleague's name where one is meant."""

    whom: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """A row of the worklist with its group, the next step of the reader if there is one, and what is new on it."""

    row: Row
    group: str
    case: Case | None
    next: Next | None
    waits: Waits
    news: str
    arrived: bool


def plain(rows: Sequence[Row]) -> tuple[Item, ...]:
    """The rows of a list in which nobody looks for what is next: as they come, without a query."""
    return tuple(Item(row, "", None, None, Waits(""), "", False) for row in rows)


def items(
    rows: Sequence[Row], *, viewer: Actor, book: Rulebook, language: str, horizon: Horizon, since: datetime
) -> tuple[Item, ...]:
    """The rows as an agenda, in the order of their groups and within each in the order given. At most 10 queries."""
    if not rows:
        return ()
    cases = _cases(rows)
    fresh = _news(cases, viewer, since)
    nexts = {i: _next(case, book, viewer, language, horizon.now) for i, case in cases.items()}
    waits = {i: _waits(case, viewer, nexts[i]) for i, case in cases.items()}
    staff = people.names({who for _, who in waits.values()})
    found = []
    for row in rows:
        case = cases.get(row.id)
        if case is None:  # gone between two questions
            continue
        whom, who = waits[row.id]
        found.append(
            Item(
                row=row,
                group=_group(row, whom, horizon),
                case=case,
                next=nexts[row.id],
                waits=Waits(whom, staff.get(who or 0, "")),
                news=fresh.get(row.id, ""),
                arrived=fresh.get(row.id, "") in ARRIVED,
            )
        )
    return tuple(sorted(found, key=lambda item: GROUPS.index(item.group)))


def last_evening(calendar: Calendar | None, now: datetime) -> datetime:
    """When the last working day before today closed: what happened since is new this morning."""
    if calendar is None:
        return now - timedelta(days=1)
    day = calendar.local_date(now) - timedelta(days=1)
    for _ in range(31):
        if calendar.is_working_day(day):
            break
        day -= timedelta(days=1)
    return calendar.close_of_business(day)


def _group(row: Row, whom: str, horizon: Horizon) -> str:
    if row.fast_lane:
        return "fast"
    stretch = horizon.stretch(row.due_at)
    return "customer" if whom == "customer" and stretch in ("week", "later", "none") else stretch


# --- the cases, as far as they are looked at -------------------------------------------------------------------------


@cache
def _open_columns(part: type) -> tuple[str, ...]:
    """The columns of a part that are looked at. None is private: nothing here needs to be decrypted."""
    hidden = private_fields(part) | LEFT_OUT
    return tuple(name for name in names(part) if name not in hidden)


def _cases(rows: Sequence[Row]) -> dict[int, Case]:
    """The cases of a page of rows, as far as `LOOKED_AT`, `ONLY` and `LEFT_OUT` say. Eight queries."""
    ids = [row.id for row in rows]
    parts: dict[int, dict[str, dict[int, Any]]] = {}
    for entity in LOOKED_AT:
        cls, table = Case.entities[entity], TABLES[Case.kind][entity]
        columns = _open_columns(cls)
        if entity == "claim":
            for key, *values in table.objects.filter(id__in=ids).values_list("id", *columns):
                parts[key] = {"claim": {0: cls(part=0, **dict(zip(columns, values, strict=True)))}}
            continue
        found = table.objects.filter(aggregate_id__in=list(parts)).order_by("aggregate_id", "part")
        if entity in ONLY:
            found = found.filter(state__in=ONLY[entity])
        for key, part, *values in found.values_list("aggregate_id", "part", *columns):
            made = cls(part=part, **dict(zip(columns, values, strict=True)))
            parts[key].setdefault(entity, {})[part] = made
    versions = {row.id: row.version for row in rows}
    return {key: Case(id=key, version=versions[key], parts=found) for key, found in parts.items()}


# --- what is next ----------------------------------------------------------------------------------------------------


def _next(case: Case, book: Rulebook, viewer: Actor, language: str, now: datetime) -> Next | None:
    if case.claim.handler is None and case.claim.duty_due_at is None:
        assign = _possible(case, (lifecycle.BY_ACTION["claim", "assign"],), viewer, book, language, now)
        if assign:  # a claim that nobody has comes first of all into somebody's hands
            return Next(assign[0], (0,), None)
    clocks = sorted(
        (c for c in case.clocks.values() if c.state == "running" and c.due_at is not None),
        key=lambda c: (c.due_at, c.part),
    )
    promises = [_promised(clock, now) for clock in clocks]
    actions = _possible(case, _worth_asking(case, clocks, book), viewer, book, language, now)
    found = steps(case, book, promises, actions, viewer)
    return found[0] if found else None


ASKABLE = tuple(step for step in lifecycle.STEPS if step.action != "report")


def _worth_asking(case: Case, clocks: Iterable[Clock], book: Rulebook) -> list[lifecycle.Step]:
    """The steps that could come first: those that carry a claim forward and those that keep a running promise."""
    kept: set[str] = set()
    for clock in clocks:
        try:
            kept.update(rule.event for rule in ways_to_keep(book.promises.of_clock(clock)))
        except KeyError:  # a definition that is no longer known
            continue
    return [
        s
        for s in ASKABLE
        if s.subject in case.parts or s.makes_part
        if (s.subject, s.action) in FORWARD or s.event in kept
    ]


def _possible(
    case: Case, asked: Iterable[lifecycle.Step], viewer: Actor, book: Rulebook, language: str, now: datetime
) -> list[Possible]:
    found = []
    for step in asked:
        parts: Iterable[tuple[int, Any]] = ((0, None),) if step.makes_part else case.of(step.subject).items()
        for number, part in parts:
            if lifecycle.check(case=case, step=step, part=part, actor=viewer, book=book, now=now) is None:
                found.append(Possible(step, number, text(f"action.{step.subject}.{step.action}", language)))
    return found


def _promised(clock: Clock, now: datetime) -> Promised:
    """A running clock by its stored due time: enough to say what comes first, no reasons worked out."""
    late = clock.breached_at is not None or (clock.due_at is not None and clock.due_at < now)
    return Promised(
        clock.part, clock.promise, "", clock.binds, clock.state, clock.exposure, clock.due_at, None, False,
        clock.breached_at, None, late, (),
    )  # fmt: skip


# --- for whom it waits -----------------------------------------------------------------------------------------------

WAITING_PARTS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    # part, in one of these states, waits for; the first line that fits holds
    ("payment", ("failed", "approved", "ordered"), "finance"),
    ("payment", ("submitted",), "bank"),
    ("exposure", ("submitted", "refusal_proposed"), "approver"),
    ("exposure", ("assessed",), "assessor"),
    ("offer", ("sent",), "customer"),
    ("consultation", ("convened",), "expert"),
    ("survey", ("scheduled",), "surveyor"),
    ("paper", ("received",), "handler"),
)


def _waits(case: Case, viewer: Actor, ahead: Next | None) -> tuple[str, int | None]:
    """For whom, and the id of the colleague where one is named.

    What the customer still owes is waited for even where the reader could do something meanwhile, unless that something
    keeps a promise.
    """
    subject, whom, person = waited(case)
    if ahead is None:
        return whom, person
    if viewer.staff_id in (person, case.claim.handler):
        mine = ahead.promise is not None or whom != "customer"
    else:  # who could do a colleague's work is not who it waits for, unless nobody in particular is asked
        mine = person is None and whom != "customer" and ahead.action.subject == subject
    return ("you", None) if mine else (whom, person)


def waited(case: Case) -> tuple[str, str, int | None]:
    """What a claim waits for (the kind of part), for whom, and the id of the colleague where one is named."""
    claim = case.claim
    if claim.duty_person is not None and claim.duty_due_at is not None and claim.duty_acknowledged_at is None:
        return "claim", "duty", claim.duty_person
    if claim.handler is None:
        return "claim", "lead", None
    if claim.accepted_at is None:
        return "claim", "handler", claim.handler
    for subject, states, whom in WAITING_PARTS:
        for part in case.of(subject).values():
            if part.state in states:
                named = {"surveyor": getattr(part, "surveyor", None), "handler": claim.handler}
                return subject, whom, named.get(whom)
    if papers.awaited(case):
        return "paper", "customer", None
    return "claim", "handler", claim.handler


# --- what is new -----------------------------------------------------------------------------------------------------


def _news(cases: Mapping[int, Case], viewer: Actor, since: datetime) -> dict[int, str]:
    """What others did on these claims since then: per claim the kind that tells most. One query."""
    rows = models.Entry.objects.filter(
        stream_kind=Case.kind, stream_id__in=list(cases), kind__in=NEWS, occurred_at__gte=since
    ).exclude(actor=viewer.id)
    found: dict[int, str] = {}
    for claim_id, kind in rows.values_list("stream_id", "kind"):
        known = found.get(claim_id)
        if known is None or NEWS.index(kind) < NEWS.index(known):
            found[claim_id] = kind
    return found
