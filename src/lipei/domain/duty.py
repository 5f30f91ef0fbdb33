"""The duty roster (值班): whom an urgent report reaches outside working time (norm 2.3.3).

A roster is shifts of named persons in the order in which they are called. It must leave no needed hour without a
person; `check_roster` names the first hour it does. A person called must acknowledge in time, else the next in line
is called; after the last the team lead, then around again, until somebody answers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from lipei.domain.calendars import HOME, Calendar
from lipei.domain.conditions import Condition
from lipei.domain.events import Refusal


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Time from ``starts`` up to, not including, ``ends``; aware instants."""

    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True)
class Shift:
    """Who is on duty in a span, in the order of calling. Staff ids."""

    starts: datetime
    ends: datetime
    persons: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Roster:
    """All shifts known, and the team lead who closes each round. ``team_lead`` None: nobody does."""

    version: int
    shifts: tuple[Shift, ...] = ()
    team_lead: int | None = None


@dataclass(frozen=True, slots=True)
class DutyTable:
    """The duty rules as data: outside the opening hours of ``calendar`` some claims go to the roster.

    ``calls`` says which: a condition on `triage.claim_values`. ``zone`` is that in whose time the shifts are written.
    """

    version: int
    calendar: str
    calls: Condition
    roster: Roster
    zone: str

    def at_home(self, calendar: str) -> DutyTable:
        """The table where `HOME` means this calendar, that of the profile in force."""
        return replace(self, calendar=calendar) if self.calendar == HOME else self


@dataclass(frozen=True, slots=True)
class Stretch:
    """Time in which nothing changes. ``kind``: *manned* (somebody is on duty), *open* (opening hours), *gap* (neither)."""

    starts: datetime
    ends: datetime
    kind: str
    persons: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody is called. ``position`` counts the calls of this report from 0, ``round`` how often the line began anew.

    The round is counted by the length of today's line.
    """

    staff_id: int
    position: int
    round: int
    called_at: datetime
    due_at: datetime


def off_hours(*, calendar: Calendar, starts: datetime, ends: datetime) -> tuple[Span, ...]:
    """The time from ``starts`` to ``ends`` outside the opening hours of a calendar: what a roster must cover."""
    return _without(Span(starts, ends), _openings(calendar, starts, ends))


def _openings(calendar: Calendar, starts: datetime, ends: datetime) -> Iterator[Span]:
    day, last = calendar.local_date(starts), calendar.local_date(ends)
    while day <= last:
        yield from (Span(first, end) for first, end in calendar.open_spans(day))
        day += timedelta(days=1)


def gaps(
    *, roster: Roster, needed: Iterable[Span], away: Mapping[int, Iterable[Span]] | None = None
) -> tuple[Span, ...]:
    """Every needed stretch of time in which nobody is on duty, in order. A shift without persons covers nothing.

    ``away`` are the absences of persons: who is away then covers nothing either. The team lead alone is no cover: the
    roster promises somebody who is on duty.
    """
    absences = away or {}
    manned = [
        there
        for shift in roster.shifts
        for person in shift.persons
        for there in _without(Span(shift.starts, shift.ends), absences.get(person, ()))
    ]
    return tuple(gap for span in sorted(needed) for gap in _without(span, manned))


def _without(span: Span, covered: Iterable[Span]) -> tuple[Span, ...]:
    """What is left of a span once the covered spans are taken away."""
    left, reached = [], span.starts
    for cover in sorted(covered):
        if cover.ends <= reached:
            continue
        if cover.starts >= span.ends:
            break
        if cover.starts > reached:
            left.append(Span(reached, cover.starts))
        reached = cover.ends
    if reached < span.ends:
        left.append(Span(reached, span.ends))
    return tuple(left)


def laid_out(
    *, roster: Roster, calendar: Calendar, span: Span, away: Mapping[int, Iterable[Span]] | None = None
) -> tuple[Stretch, ...]:
    """A span of time as whole as a picture of it needs: every stretch with who is on duty then, or that nobody is.

    The stretches follow each other without a hole. What is ``away`` counts as in `gaps`, so that what is drawn here as
    a gap is one there.
    """
    absences = {person: tuple(spans) for person, spans in (away or {}).items()}
    opened = tuple(_openings(calendar, span.starts, span.ends))
    edges = {span.starts, span.ends}
    shifts = (Span(s.starts, s.ends) for s in roster.shifts)
    for part in (*opened, *shifts, *(s for spans in absences.values() for s in spans)):
        edges |= {at for at in (part.starts, part.ends) if span.starts < at < span.ends}
    found: list[Stretch] = []
    for starts, ends in pairwise(sorted(edges)):
        out = {person for person, spans in absences.items() if any(s.starts <= starts < s.ends for s in spans)}
        persons = tuple(p for p in on_duty(roster=roster, at=starts) if p not in out)
        open_ = any(s.starts <= starts < s.ends for s in opened)
        kind = "manned" if persons else "open" if open_ else "gap"
        if found and (found[-1].kind, found[-1].persons) == (kind, persons):
            starts = found.pop().starts
        found.append(Stretch(starts, ends, kind, persons))
    return tuple(found)


def check_roster(
    *, roster: Roster, needed: Iterable[Span], away: Mapping[int, Iterable[Span]] | None = None
) -> Refusal | None:
    """Refuses a roster with a gap, the first gap named and all of them counted (norm 2.3.3: no gap)."""
    found = gaps(roster=roster, needed=needed, away=away)
    if not found:
        return None
    first = found[0]
    return Refusal("refusal.duty.gap", params={"starts": first.starts, "ends": first.ends, "gaps": len(found)})


def on_duty(*, roster: Roster, at: datetime) -> tuple[int, ...]:
    """Who is on duty at an instant, in the order of calling; of overlapping shifts the one that began first leads."""
    now = sorted((s for s in roster.shifts if s.starts <= at < s.ends), key=lambda s: (s.starts, s.ends))
    return tuple(dict.fromkeys(person for shift in now for person in shift.persons))


def line_up(*, roster: Roster, at: datetime, absent: Collection[int] = ()) -> tuple[int, ...]:
    """Who is called in one round, the team lead last. Who is ``absent`` is passed over."""
    persons = tuple(person for person in on_duty(roster=roster, at=at) if person not in absent)
    if roster.team_lead is None or roster.team_lead in (*persons, *absent):
        return persons
    return (*persons, roster.team_lead)


def call(
    *, roster: Roster, at: datetime, acknowledge_minutes: int, absent: Collection[int] = (), position: int = 0
) -> Call | Refusal:
    """The first call of an urgent report: who, and until when they must acknowledge.

    Refuses only where there is nobody to call at all: neither a person on duty nor a team lead.
    """
    return _call(line_up(roster=roster, at=at, absent=absent), 0, position, at, acknowledge_minutes)


def next_call(
    *,
    roster: Roster,
    silent: int,
    position: int,
    due_at: datetime,
    now: datetime,
    acknowledge_minutes: int,
    absent: Collection[int] = (),
) -> Call | Refusal | None:
    """Whom to call once ``silent``, call number ``position``, has not acknowledged by ``due_at``; None before that.

    The next in line, after the last the first again. A late sweep calls from ``now`` on: nobody can be called in the
    past. Where the shift has changed meanwhile, the new one is called from its beginning.
    """
    if now < due_at:
        return None
    line = line_up(roster=roster, at=now, absent=absent)
    following = line.index(silent) + 1 if silent in line else 0
    return _call(line, following, position + 1, now, acknowledge_minutes)


def _call(line: tuple[int, ...], place: int, position: int, at: datetime, acknowledge_minutes: int) -> Call | Refusal:
    if not line:
        return Refusal("refusal.duty.nobody", params={"at": at})
    return Call(
        line[place % len(line)], position, position // len(line), at, at + timedelta(minutes=acknowledge_minutes)
    )


# --- planning -----------------------------------------------------------------------------------------------------------


def assigned(shifts: Iterable[Shift], span: Span, persons: tuple[int, ...]) -> tuple[Shift, ...]:
    """The shifts with these persons, and nobody else, on duty in a span; nobody at all where there are none."""
    kept = [
        Shift(left.starts, left.ends, shift.persons)
        for shift in shifts
        for left in _without(Span(shift.starts, shift.ends), [span])
    ]
    new = [Shift(span.starts, span.ends, persons)] if persons else []
    return joined([*kept, *new])


def joined(shifts: Iterable[Shift]) -> tuple[Shift, ...]:
    """The shifts in their order, those of the same persons that follow each other as one."""
    found: list[Shift] = []
    for shift in sorted(shifts, key=lambda s: (s.starts, s.ends)):
        if found and found[-1].ends == shift.starts and found[-1].persons == shift.persons:
            shift = Shift(found.pop().starts, shift.ends, shift.persons)
        found.append(shift)
    return tuple(found)
