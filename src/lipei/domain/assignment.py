"""Assignment (派工): who handles a claim, and why this person (norm 2.2.1, 2.3.2, 1.4.3).

Of all who may and can, the one who is expected to be done first. Nobody with an interest in the matter and nobody
without the skill is ever chosen; region, language and authority give way, in the order the table names, if else nobody
is left: whoever handles a claim above their authority has it decided by somebody else.
With nobody at all the claim goes to its unit's queue, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from lipei.domain.conditions import Condition, holds
from lipei.domain.events import Refusal, Value

CONFLICT, SKILL, ABSENT, AUTHORITY, REGION, LANGUAGE = "conflict", "skill", "absent", "authority", "region", "language"
EXCLUSIONS = (CONFLICT, SKILL, ABSENT, AUTHORITY, REGION, LANGUAGE)
RELAXABLE = (REGION, LANGUAGE, AUTHORITY)

REASON = "reason.assignment."


@dataclass(frozen=True, slots=True)
class AssignmentTable:
    """What a claims manager decides about assignment. Minutes are working minutes."""

    version: int
    relax: tuple[str, ...]  # what gives way, in this order; of RELAXABLE
    minutes_by_line: Mapping[str, int]  # expected work on one case, where a person has no figure of their own
    minutes_other: int
    fast_lane_bonus_minutes: int  # the head start of fast-lane staff in fast-lane cases
    absence_notice_minutes: int  # who leaves within this time gets nothing new; elapsed minutes
    runner_ups: int
    skills: tuple[tuple[str, Condition], ...] = ()  # skill needed, when
    queues: tuple[tuple[str, Condition], ...] = ()  # unit whose queue it is, when; the first that holds
    queue_other: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """What a claim asks of its handler. Empty texts and a sum of 0 ask nothing: not yet known."""

    line: str = ""
    skills: frozenset[str] = frozenset()
    amount_minor: int = 0
    currency: str = "CNY"
    region: str = ""
    language: str = ""
    fast_lane: bool = False
    queue: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member of staff as assignment sees them at this moment. Minutes are working minutes of expected work."""

    staff_id: int
    unit: str = ""
    skills: frozenset[str] = frozenset()
    authority_minor: Mapping[str, int] = field(default_factory=dict)  # per currency
    regions: frozenset[str] = frozenset()  # empty: everywhere
    languages: frozenset[str] = frozenset()
    absences: tuple[tuple[datetime, datetime], ...] = ()  # from, to (not included)
    load_minutes: int = 0  # all open work
    urgent_minutes: int = 0  # of that, in fast-lane cases
    minutes_by_line: Mapping[str, int] = field(default_factory=dict)
    percent: int = 100  # share of full working time
    fast_lane: bool = False
    conflict: bool = False  # shares a name, phone or ID number with a party, or has a declared interest


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who it is, or whose queue (``staff_id`` None). Reasons are dictionaries with a ``text`` key, for the journal."""

    staff_id: int | None
    unit: str
    reasons: tuple[Mapping[str, Value], ...] = ()
    runner_ups: tuple[int, ...] = ()
    minutes: int = 0  # working minutes until the case is expected to be done


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case that looks for a new handler, with the next due time of its promises."""

    number: str
    need: Need
    due_at: datetime | None = None


def need_of(*, values: Mapping[str, Value], currency: str, table: AssignmentTable) -> Need:
    """What a claim asks of its handler.

    ``values`` are `triage.claim_values`, so the sum is in ``currency``, the triage table's, and is compared in it.
    """
    return Need(
        line=values.get("line") or "",
        skills=frozenset(skill for skill, when in table.skills if holds(when, values)),
        amount_minor=values.get("amount_minor") or 0,
        currency=currency,
        region=values.get("region") or "",
        language=values.get("language") or "",
        fast_lane=bool(values.get("fast_lane")),
        queue=next((unit for unit, when in table.queues if holds(when, values)), table.queue_other),
    )


def exclusions(*, need: Need, candidate: Candidate, table: AssignmentTable, now: datetime) -> tuple[str, ...]:
    """Why this person cannot have the case, as codes of EXCLUSIONS; empty for one who can."""
    leaving = now + timedelta(minutes=table.absence_notice_minutes)
    excluded = {
        CONFLICT: candidate.conflict,
        SKILL: not need.skills <= candidate.skills,
        ABSENT: any(start <= leaving and now < end for start, end in candidate.absences),
        AUTHORITY: need.amount_minor > candidate.authority_minor.get(need.currency, 0),
        REGION: bool(need.region and candidate.regions) and need.region not in candidate.regions,
        LANGUAGE: bool(need.language) and need.language not in candidate.languages,
    }
    return tuple(code for code in EXCLUSIONS if excluded[code])


def completion_minutes(*, need: Need, candidate: Candidate, table: AssignmentTable) -> int:
    """Working minutes until this person is expected to be done with the case, rounded up.

    A fast-lane case goes before everything but other fast-lane cases.
    """
    ahead = candidate.urgent_minutes if need.fast_lane else candidate.load_minutes
    work = ahead + case_minutes(need=need, candidate=candidate, table=table)
    return -(-work * 100 // max(candidate.percent, 1))


def case_minutes(*, need: Need, candidate: Candidate, table: AssignmentTable) -> int:
    """Expected working minutes of this case in this person's hands."""
    own = candidate.minutes_by_line.get(need.line)
    return table.minutes_by_line.get(need.line, table.minutes_other) if own is None else own


def assign(*, need: Need, candidates: Sequence[Candidate], table: AssignmentTable, now: datetime) -> Assignment:
    """Who gets the case. Always answers: with nobody able, with the unit's queue and the reason.

    Ties go to the smaller open load, then to the lower staff id, so that the same question has the same answer.
    """
    found = {c.staff_id: exclusions(need=need, candidate=c, table=table, now=now) for c in candidates}
    for given_way in range(len(table.relax) + 1):
        relaxed = table.relax[:given_way]
        eligible = [c for c in candidates if not set(found[c.staff_id]) - set(relaxed)]
        if eligible:
            ranked = sorted(eligible, key=lambda c: _rank(need, c, table))
            gave_way = [code for code in relaxed if code in found[ranked[0].staff_id]]
            reasons = (*_excluded(found, relaxed), *({"text": f"{REASON}relaxed_{code}"} for code in gave_way))
            return _chosen(need, ranked, table, reasons)
    nobody = {"text": f"{REASON}nobody", "unit": need.queue}
    return Assignment(None, need.queue, (nobody, *_excluded(found, ())))


def assign_to(*, need: Need, candidate: Candidate, table: AssignmentTable, now: datetime) -> Assignment | Refusal:
    """Somebody picked by hand. Refused for what never gives way (interest, skill, absence), noted for the rest."""
    found = exclusions(need=need, candidate=candidate, table=table, now=now)
    for code in (CONFLICT, SKILL, ABSENT):
        if code in found:
            return Refusal(f"refusal.assignment.{code}", params={"staff": candidate.staff_id})
    notes = tuple({"text": f"{REASON}relaxed_{code}"} for code in found)
    minutes = completion_minutes(need=need, candidate=candidate, table=table)
    return Assignment(candidate.staff_id, candidate.unit, ({"text": f"{REASON}by_hand"}, *notes), (), minutes)


def reassign(
    *, cases: Sequence[OpenCase], away: int, candidates: Sequence[Candidate], table: AssignmentTable, now: datetime
) -> tuple[tuple[str, Assignment], ...]:
    """New handlers for the cases of somebody who is away: fast lane first, then as their promises fall due.

    Each case adds to the load that the next one finds. Answers (number, assignment) in the order of assigning.
    """
    staff = {c.staff_id: c for c in candidates if c.staff_id != away}
    answers = []
    for case in sorted(cases, key=_urgency):
        answer = assign(need=case.need, candidates=tuple(staff.values()), table=table, now=now)
        taken_over: Mapping[str, Value] = {"text": f"{REASON}taken_over", "staff": (away,)}
        answers.append((case.number, replace(answer, reasons=(taken_over, *answer.reasons))))
        if answer.staff_id is not None:
            staff[answer.staff_id] = _with_case(staff[answer.staff_id], case.need, table)
    return tuple(answers)


def _urgency(case: OpenCase) -> tuple[bool, bool, float, str]:
    due = case.due_at.timestamp() if case.due_at else 0.0
    return (not case.need.fast_lane, case.due_at is None, due, case.number)


def _with_case(candidate: Candidate, need: Need, table: AssignmentTable) -> Candidate:
    minutes = case_minutes(need=need, candidate=candidate, table=table)
    return replace(
        candidate,
        load_minutes=candidate.load_minutes + minutes,
        urgent_minutes=candidate.urgent_minutes + (minutes if need.fast_lane else 0),
    )


def _rank(need: Need, candidate: Candidate, table: AssignmentTable) -> tuple[int, int, int]:
    minutes = completion_minutes(need=need, candidate=candidate, table=table)
    if need.fast_lane and candidate.fast_lane:
        minutes -= table.fast_lane_bonus_minutes
    return (minutes, candidate.load_minutes, candidate.staff_id)


def _chosen(
    need: Need, ranked: Sequence[Candidate], table: AssignmentTable, reasons: tuple[Mapping[str, Value], ...]
) -> Assignment:
    first = ranked[0]
    minutes = completion_minutes(need=need, candidate=first, table=table)
    why: list[Mapping[str, Value]] = [{"text": f"{REASON}first_done", "minutes": minutes, "eligible": len(ranked)}]
    if need.fast_lane and first.fast_lane:
        why.append({"text": f"{REASON}fast_lane"})
    others = tuple(c.staff_id for c in ranked[1 : 1 + table.runner_ups])
    return Assignment(first.staff_id, first.unit, (*why, *reasons), others, minutes)


def _excluded(found: Mapping[int, tuple[str, ...]], relaxed: tuple[str, ...]) -> tuple[Mapping[str, Value], ...]:
    """Who was left out and why, one reason per code: short enough to keep with every claim."""
    by_code = {
        code: tuple(sorted(staff for staff, codes in found.items() if code in codes))
        for code in EXCLUSIONS
        if code not in relaxed
    }
    return tuple({"text": f"{REASON}excluded_{code}", "staff": staff} for code, staff in by_code.items() if staff)
