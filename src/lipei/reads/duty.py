"""Who is on duty, and which urgent reports still wait for somebody to acknowledge them (norm 2.3.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from lipei.domain.duty import Roster, Shift, Span, laid_out
from lipei.domain.events import Actor
from lipei.domain.rulebook import Rulebook
from lipei.norms.texts import text, texts
from lipei.reads import people, scope
from lipei.store import models


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A shift with names, in the order of calling."""

    starts: datetime
    ends: datetime
    persons: tuple[tuple[int, str], ...]
    now: bool


@dataclass(frozen=True, slots=True)
class Called:
    """A report that waits for a person to acknowledge it."""

    number: str
    person: int
    person_name: str
    position: int
    due_at: datetime
    late: bool
    loss_name: str
    mine: bool

    @property
    def nth(self) -> int:
        return self.position + 1


@dataclass(frozen=True, slots=True)
class Answered:
    """A call that somebody acknowledged; ``in_time`` before the next in line would have been called."""

    number: str
    person_name: str
    position: int
    at: datetime
    in_time: bool


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a day, see `domain.duty.Stretch`, with names; minutes are counted from the day's beginning."""

    starts: datetime
    ends: datetime
    kind: str
    names: tuple[str, ...]
    begin_minute: int
    length_minutes: int


@dataclass(frozen=True, slots=True)
class Day:
    """A day of the roster, whole: its stretches follow each other from midnight to midnight."""

    day: date
    working: bool
    today: bool
    pieces: tuple[Piece, ...]
    minutes: int

    @property
    def gaps(self) -> tuple[Piece, ...]:
        return tuple(p for p in self.pieces if p.kind == "gap")


@dataclass(frozen=True, slots=True)
class Duty:
    """The roster of the days ahead and the calls that are open."""

    open_now: bool
    shifts: tuple[OnDuty, ...]
    calls: tuple[Called, ...]
    team_lead: str

    @property
    def on_now(self) -> bool:
        return any(s.now and s.persons for s in self.shifts)


def duty(viewer: Actor, *, rulebook: Rulebook, language: str, now: datetime) -> Duty:
    """What a duty page shows. At most three queries."""
    roster = rulebook.duty.roster
    until = now + timedelta(days=rulebook.settings.duty_roster_ahead_days)
    shifts = [s for s in roster.shifts if s.ends > now and s.starts < until]
    rows = list(
        models.Claim.objects.filter(
            scope.claims(viewer), duty_acknowledged_at=None, duty_due_at__isnull=False, duty_person__isnull=False
        )
        .order_by("duty_due_at")
        .values_list("number", "duty_person", "duty_position", "duty_due_at", "loss_kind")[:200]
    )
    staff = people.names({*_persons(roster, shifts), *(row[1] for row in rows)})
    calendar = rulebook.calendars.current.get(rulebook.duty.calendar)
    return Duty(
        open_now=calendar is not None and calendar.is_open(now),
        shifts=tuple(_shift(s, dict(staff), now) for s in shifts),
        calls=tuple(_call(row, dict(staff), viewer, language, now) for row in rows),
        team_lead=staff.get(roster.team_lead or 0, ""),
    )


def away(persons: Iterable[int], *, after: datetime) -> Mapping[int, list[Span]]:
    """The absences of these colleagues that end after an instant. One query."""
    found: dict[int, list[Span]] = {}
    rows = models.Absence.objects.filter(ends_at__gt=after, staff_id__in=list(persons))
    for staff_id, starts_at, ends_at in rows.values_list("staff_id", "starts_at", "ends_at"):
        found.setdefault(staff_id, []).append(Span(starts_at, ends_at))
    return found


def week(monday: date, *, rulebook: Rulebook, now: datetime) -> tuple[Day, ...]:
    """The seven days from a Monday on: who is on duty when, and where nobody is. Two queries; none without a calendar."""
    calendar = rulebook.calendars.current.get(rulebook.duty.calendar)
    if calendar is None:
        return ()
    edges = [datetime.combine(monday + timedelta(days=n), time(), calendar.tz).astimezone(UTC) for n in range(8)]
    shifts = tuple(s for s in rulebook.duty.roster.shifts if s.ends > edges[0] and s.starts < edges[-1])
    roster = replace(rulebook.duty.roster, shifts=shifts)
    persons = {p for s in shifts for p in s.persons}
    staff, absent = people.names(persons), away(persons, after=edges[0])
    found = []
    for n, (starts, ends) in enumerate(pairwise(edges)):
        stretches = laid_out(roster=roster, calendar=calendar, span=Span(starts, ends), away=absent)
        pieces = tuple(
            Piece(
                s.starts, s.ends, s.kind, tuple(staff.get(p, str(p)) for p in s.persons),
                _minutes(starts, s.starts), _minutes(s.starts, s.ends),
            )
            for s in stretches
        )  # fmt: skip
        day = monday + timedelta(days=n)
        found.append(Day(day, calendar.is_working_day(day), starts <= now < ends, pieces, _minutes(starts, ends)))
    return tuple(found)


def _minutes(starts: datetime, ends: datetime) -> int:
    return int((ends - starts).total_seconds()) // 60


def answered(viewer: Actor, *, since: datetime) -> tuple[Answered, ...]:
    """The calls that were acknowledged on claims reported since, the newest first. At most three queries."""
    rows = list(
        models.Claim.objects.filter(
            scope.claims(viewer), reported_at__gte=since, duty_acknowledged_at__isnull=False, duty_person__isnull=False
        )
        .order_by("-reported_at", "-id")
        .values_list("number", "duty_person", "duty_position", "duty_acknowledged_at", "duty_due_at")[:50]
    )
    staff = people.names({row[1] for row in rows})
    return tuple(
        Answered(number, staff.get(person, ""), position, at, due_at is None or at <= due_at)
        for number, person, position, at, due_at in rows
    )


def _persons(roster: Roster, shifts: list[Shift]) -> set[int | None]:
    return {roster.team_lead, *(p for s in shifts for p in s.persons)}


def _shift(shift: Shift, staff: dict[int, str], now: datetime) -> OnDuty:
    persons = tuple((p, staff.get(p, str(p))) for p in shift.persons)
    return OnDuty(shift.starts, shift.ends, persons, shift.starts <= now < shift.ends)


def _call(
    row: tuple[str, int, int, datetime, str], staff: dict[int, str], viewer: Actor, language: str, now: datetime
) -> Called:
    number, person, position, due_at, loss = row
    key = f"loss.{loss}"
    return Called(
        number=number,
        person=person,
        person_name=staff.get(person, ""),
        position=position,
        due_at=due_at,
        late=due_at < now,
        loss_name=text(key, language) if key in texts() else loss,
        mine=viewer.staff_id == person,
    )
