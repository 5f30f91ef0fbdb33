"""Why this date: a due time that explains itself (norm 2.3.1, part 4), as data. `norms/promises.py` makes the words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from lipei.domain.calendars import Calendar, Calendars
from lipei.domain.claims import Claim, Clock
from lipei.domain.promises.clocks import OPEN, Due, close_pauses, count, due_time
from lipei.domain.promises.definitions import UNITS_DAYS, UNITS_MONTHS, Promise


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything a due time rests on. ``counted_due_at`` is what counting gives, ``due_at`` what applies.

    ``since`` is when the clock would have begun had what it rests on been known at once; None where it began then.
    ``moved_by_pauses`` is how much later the pauses made it. ``if_resumed`` is, for a paused clock, the due time
    it would have if it ran again at the instant of asking. ``provisional_year`` is the first year that it rests on and
    whose days off are not published.
    """

    promise: str
    promise_version: int
    binds: str
    state: str
    exposure: int
    started_at: datetime
    limit: int
    unit: str
    calendar: str
    calendar_version: int
    zone: str
    pauses: tuple[tuple[datetime, datetime | None], ...]
    moved_by_pauses: timedelta | None
    counted_due_at: datetime | None
    due_at: datetime | None
    extended_due_at: datetime | None
    provisional: bool
    provisional_year: int | None
    told_due_at: datetime | None
    told_holds: bool  # the date told is what keeps it from being later
    if_resumed: datetime | None
    breached_at: datetime | None
    ended_at: datetime | None
    reason: str
    since: datetime | None = None


def explain(
    *, clock: Clock, calendars: Calendars, now: datetime, promise: Promise | None = None, claim: Claim | None = None
) -> Explanation:
    """The explanation of a clock, on the versions it ran on. Raises KeyError for a calendar that was never known.

    With ``promise``, its definition, and its ``claim`` it also tells a clock that began late from one that did not.
    """
    assert clock.started_at is not None, clock
    calendar = calendars.at(clock.calendar, clock.calendar_version)
    due = due_time(clock=clock, calendars=calendars)
    without = due.counted_due_at
    if clock.pauses:
        without = count(calendar, clock.started_at, clock.limit, clock.unit, ())
    assert without is not None
    is_paused = clock.state in OPEN and bool(clock.pauses) and clock.pauses[-1][1] is None
    return Explanation(
        promise=clock.promise,
        promise_version=clock.promise_version,
        binds=clock.binds,
        state=clock.state,
        exposure=clock.exposure,
        started_at=clock.started_at,
        limit=clock.limit,
        unit=clock.unit,
        calendar=clock.calendar,
        calendar_version=clock.calendar_version,
        zone=calendar.zone,
        pauses=_pairs(clock.pauses),
        moved_by_pauses=None if due.counted_due_at is None else due.counted_due_at - without,
        counted_due_at=due.counted_due_at,
        due_at=due.due_at,
        extended_due_at=due.extended_due_at,
        provisional=due.provisional,
        provisional_year=_unpublished(calendar, clock, due) if due.provisional else None,
        told_due_at=clock.told_due_at,
        told_holds=due.due_at is not None and due.due_at != due.counted_due_at,
        if_resumed=_if_resumed(clock, calendars, now) if is_paused else None,
        breached_at=clock.breached_at,
        ended_at=clock.ended_at,
        reason=clock.reason,
        since=_began_late(clock, promise, claim),
    )


def _began_late(clock: Clock, promise: Promise | None, claim: Claim | None) -> datetime | None:
    """From when it would have run, for a clock that began with the event that made something known."""
    if promise is None or claim is None or not promise.since or not any(rule.from_event for rule in promise.start):
        return None
    since: datetime | None = getattr(claim, promise.since)
    begun = max(since, claim.reopened_at) if since and claim.reopened_at else since
    return since if begun and clock.started_at and begun < clock.started_at else None


def _pairs(pauses: tuple[Any, ...]) -> tuple[tuple[datetime, datetime | None], ...]:
    return tuple((begin, end) for begin, end in pauses)


def _unpublished(calendar: Calendar, clock: Clock, due: Due) -> int:
    assert clock.started_at is not None and due.due_at is not None
    first, last = calendar.local_date(clock.started_at).year, calendar.local_date(due.due_at).year
    # A count of days hangs on its last day alone; the day to which the law would move that may lie in the next year.
    years = range(last if clock.unit in UNITS_DAYS or clock.unit in UNITS_MONTHS else first, last + 1)
    return next((year for year in years if not calendar.is_published(year)), last + 1)


def _if_resumed(clock: Clock, calendars: Calendars, now: datetime) -> datetime | None:
    return due_time(clock=replace(clock, pauses=close_pauses(clock.pauses, now)), calendars=calendars).due_at
