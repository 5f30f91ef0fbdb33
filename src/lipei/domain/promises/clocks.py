"""When a clock is due: the rule that turns start, limit, calendar and pauses into an instant.

Everything here is computed from the clock and its calendar alone, so that any stored due time can be checked and
explained at any later day. Three ways of counting (`definitions.UNITS`): real time, working time, and dates, which
count as 民法典 201-203 says, see `calendars`. A pause pushes the due time on by what was paused, in the clock's own way
of counting; a pause that begins when the time has already run out changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Any

from lipei.domain.calendars import MINUTE, Calendar, Calendars, add_months, instant, microseconds
from lipei.domain.claims import Clock
from lipei.domain.events import Change, altered
from lipei.domain.promises.definitions import (
    UNIT_WORKING_DAYS,
    UNITS_DAYS,
    UNITS_ELAPSED,
    UNITS_MONTHS,
    UNITS_WORKING,
    Promise,
    Warn,
)

RUNNING, PAUSED, FULFILLED, CANCELLED = "running", "paused", "fulfilled", "cancelled"
OPEN = frozenset({RUNNING, PAUSED})
LEGAL = frozenset({"law", "regulator"})

Pauses = Sequence[Any]  # of pairs (from, to), in order of time; the last one may be open (to: None)


@dataclass(frozen=True, slots=True)
class Due:
    """The result of the rule. ``due_at`` is None while an open pause leaves it undecided.

    ``extended_due_at`` is where the law moves a last day that is a day off: for show, we work to ``due_at``.
    ``counted_due_at`` is what counting gives; ``due_at`` is earlier where the customer was told an earlier date.
    """

    due_at: datetime | None
    extended_due_at: datetime | None
    provisional: bool
    counted_due_at: datetime | None


def due_time(*, clock: Clock, calendars: Calendars) -> Due:
    """When the clock is due, on the version of the calendar it names. Raises KeyError for an unknown calendar."""
    calendar = calendars.at(clock.calendar, clock.calendar_version)
    assert clock.started_at is not None, clock
    counted = count(calendar, clock.started_at, clock.limit, clock.unit, clock.pauses)
    due = counted
    if clock.told_due_at is not None:
        told = _pushed(calendar, clock.told_due_at, clock.unit, clock.pauses[clock.told_pauses :])
        due = told if counted is None else counted if told is None else min(counted, told)
    if due is None:
        return Due(None, None, False, None)
    extended = _extended(calendar, clock, due)
    return Due(due, extended, _is_provisional(calendar, clock, due), counted)


def count(calendar: Calendar, start: datetime, limit: int, unit: str, pauses: Pauses) -> datetime | None:
    """The due time of a limit; None where an open pause begins before the time has run out."""
    if unit in UNITS_ELAPSED:
        return _count_elapsed(start, limit * UNITS_ELAPSED[unit] * MINUTE, pauses)
    if unit in UNITS_WORKING:
        return _count_working(calendar, start, limit * UNITS_WORKING[unit] * MINUTE, pauses)
    pauses = [(max(begin, start), end) for begin, end in pauses if end is None or end > start]
    if unit == UNIT_WORKING_DAYS:
        return _push_working_days(calendar, calendar.add_working_days(calendar.local_date(start), limit), pauses)
    first = calendar.local_date(start)
    if unit in UNITS_MONTHS:
        return _push_dates(calendar, add_months(first, limit * UNITS_MONTHS[unit]), pauses)
    return _push_dates(calendar, first + timedelta(days=limit * UNITS_DAYS[unit]), pauses)


def _count_elapsed(start: datetime, left: int, pauses: Pauses) -> datetime | None:
    at = microseconds(start)
    for begin, end in pauses:
        used = max(microseconds(begin) - at, 0)
        if used >= left:
            break
        if end is None:
            return None
        left -= used
        at = max(at, microseconds(end))
    return instant(at + left)


def _count_working(calendar: Calendar, start: datetime, left: int, pauses: Pauses) -> datetime | None:
    at = start
    for begin, end in pauses:
        used = max(calendar.worked(begin) - calendar.worked(at), 0)
        if used >= left:
            break
        if end is None:
            return None
        left -= used
        at = max(at, end)
    return calendar.add_microseconds(at, left)


def _push_working_days(calendar: Calendar, day: date, pauses: Pauses) -> datetime | None:
    """The close of business of a working day, moved on by the working days that ended during each pause (case 7)."""
    due = calendar.close_of_business(day)
    for begin, end in pauses:
        if begin >= due:
            break
        if end is None:
            return None
        day = calendar.add_working_days(day, calendar.working_days_between(begin, end))
        # Where the last day has become a day off a pause over it would else end when the time is already up.
        while calendar.close_of_business(day) < end:
            day = calendar.next_working_day(day)
        due = calendar.close_of_business(day)
    return due


def _push_dates(calendar: Calendar, day: date, pauses: Pauses) -> datetime | None:
    """The end of a date, moved on by the dates that passed during each pause."""
    due = calendar.end_of_day(day)
    for begin, end in pauses:
        if begin >= due:
            break
        if end is None:
            return None
        day += calendar.local_date(end) - calendar.local_date(begin)
        due = calendar.end_of_day(day)
    return due


def _pushed(calendar: Calendar, due: datetime, unit: str, pauses: Pauses) -> datetime | None:
    """A date once told, moved by the pauses that began after it was told: the customer's time, not our doing."""
    if unit not in UNITS_ELAPSED and unit not in UNITS_WORKING:
        if unit == UNIT_WORKING_DAYS:
            return _push_working_days(calendar, calendar.local_date(due), pauses) if pauses else due
        return _push_dates(calendar, calendar.local_date(due), pauses) if pauses else due
    for begin, end in pauses:
        if begin >= due:
            break
        if end is None:
            return None
        if unit in UNITS_ELAPSED:
            due += end - begin
        else:
            due = calendar.add_microseconds(due, calendar.worked(end) - calendar.worked(begin))
    return due


def _extended(calendar: Calendar, clock: Clock, due: datetime) -> datetime | None:
    if clock.binds not in LEGAL or not (clock.unit in UNITS_DAYS or clock.unit in UNITS_MONTHS):
        return None
    moved = calendar.extended(calendar.local_date(due))
    return None if moved is None else calendar.end_of_day(moved)


def _is_provisional(calendar: Calendar, clock: Clock, due: datetime) -> bool:
    """Whether the due time rests on a year whose days off are not published (case 25 of the clock cases)."""
    assert clock.started_at is not None
    if clock.unit in UNITS_ELAPSED:
        return False
    if clock.unit in UNITS_WORKING or clock.unit == UNIT_WORKING_DAYS:
        return calendar.is_provisional(clock.started_at, due)
    # A count of days needs the calendar for its last day only, and only where the law may move that day.
    return clock.binds in LEGAL and calendar.is_extension_unknown(calendar.local_date(due))


# --- warnings ---


def warning_times(*, clock: Clock, due_at: datetime, promise: Promise, calendar: Calendar) -> tuple[datetime, ...]:
    """When each level of warning is due, earliest first; none is before the start."""
    assert clock.started_at is not None
    times = (_warning_time(calendar, clock, due_at, level) for level in promise.warnings)
    return tuple(sorted(max(at, clock.started_at) for at in times))


def _warning_time(calendar: Calendar, clock: Clock, due: datetime, level: Warn) -> datetime:
    if level.minutes_before and level.working:
        return calendar.add(due, -level.minutes_before)
    if level.minutes_before:
        return due - timedelta(minutes=level.minutes_before)
    assert clock.started_at is not None
    elapsed = clock.unit in UNITS_ELAPSED
    closed = [(begin, end) for begin, end in clock.pauses if end is not None and end > clock.started_at]
    if not elapsed:
        allowance = calendar.worked(due) - calendar.worked(clock.started_at)
        allowance -= sum(calendar.worked(end) - calendar.worked(max(begin, clock.started_at)) for begin, end in closed)
        if allowance > 0:
            part = allowance * level.percent // 100
            return _count_working(calendar, clock.started_at, part, closed) or due
    # Real time; also for dates that hold no working time at all (a day's limit over a weekend).
    allowance = microseconds(due) - microseconds(clock.started_at)
    allowance -= sum(microseconds(end) - microseconds(max(begin, clock.started_at)) for begin, end in closed)
    return _count_elapsed(clock.started_at, max(allowance, 0) * level.percent // 100, closed) or due


# --- a clock as it should stand ---


def scheduled(clock: Clock, promise: Promise, calendars: Calendars) -> Clock:
    """The clock with its due time and next warning computed anew."""
    due = due_time(clock=clock, calendars=calendars)
    warn_at = None
    waiting = clock.state == RUNNING and clock.breached_at is None and clock.warned < len(promise.warnings)
    if due.due_at is not None and waiting:
        calendar = calendars.at(clock.calendar, clock.calendar_version)
        warn_at = warning_times(clock=clock, due_at=due.due_at, promise=promise, calendar=calendar)[clock.warned]
    said = {
        "due_at": due.due_at,
        "extended_due_at": due.extended_due_at,
        "provisional": due.provisional,
        "warn_at": warn_at,
    }
    found: Clock = altered(clock, said)
    return found


def close_pauses(pauses: Pauses, at: datetime) -> tuple[Any, ...]:
    """The pauses with the open one, if any, ended at an instant."""
    if not pauses or pauses[-1][1] is not None:
        return tuple(pauses)
    return (*pauses[:-1], (pauses[-1][0], max(at, pauses[-1][0])))


_NAMES = tuple(f.name for f in fields(Clock) if f.name != "part")
_READ_ALL = attrgetter(*_NAMES)
_EMPTY: tuple[Any, ...] = _READ_ALL(Clock(part=0))


def change(before: Clock | None, after: Clock) -> Change:
    """The change that turns one clock into the other; ``before`` None for a new one."""
    return Change("clock", after.part, dict(_differences(before, after)))


def _differences(before: Clock | None, after: Clock) -> Iterator[tuple[str, Any]]:
    old = _EMPTY if before is None else _READ_ALL(before)
    for name, was, is_now in zip(_NAMES, old, _READ_ALL(after), strict=True):
        if was != is_now or (before is None and name == "state"):
            yield name, is_now
