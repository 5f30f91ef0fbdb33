"""A week of the duty roster planned by day, as an edit of the table that the shifts stand in (norm 2.3.3).

The duty of a day runs from the hour at which duties change to the same hour of the next day.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from lipei.domain.duty import DutyTable, Roster, Shift, Span, assigned, on_duty
from lipei.norms import loader, yaml_texts
from lipei.services import norms

Line = tuple[int, ...]
"""Who is on duty, in the order of calling."""
CHANGE = time(9)
"""When duties change where the roster does not say."""


def in_force() -> tuple[DutyTable, ZoneInfo]:
    """The duty table in force and the zone that it speaks in."""
    table = norms.current().duty
    return table, ZoneInfo(table.zone)


def span_of(day: date, change: time, zone: ZoneInfo) -> Span:
    """The duty of a day."""
    starts, ends = (datetime.combine(day + timedelta(days=n), change, zone).astimezone(UTC) for n in (0, 1))
    return Span(starts, ends)


def change_of(roster: Roster, week: Span, zone: ZoneInfo) -> time:
    """The hour at which duties change in a week: that of the first change by day, else `CHANGE`."""
    hours = [s.starts.astimezone(zone).time() for s in roster.shifts if week.starts <= s.starts < week.ends]
    return next((hour for hour in hours if hour != time()), CHANGE)


def lines(roster: Roster, days: list[date], change: time, zone: ZoneInfo) -> dict[date, Line]:
    """Who is on duty as the duty of each day ends: at night, whenever a shift of whole days began."""
    return {day: on_duty(roster=roster, at=span_of(day, change, zone).ends - timedelta(hours=1)) for day in days}


def planned(wanted: Mapping[date, Line], change: time, now: datetime) -> str:
    """The document in force with these days' duties as wanted. What is over stays; what is the same is not touched."""
    table, zone = in_force()
    held = lines(table.roster, list(wanted), change, zone)
    shifts = table.roster.shifts
    for day, persons in wanted.items():
        span = span_of(day, change, zone)
        if persons != held[day] and span.ends > now:
            shifts = assigned(shifts, Span(max(span.starts, _minute(now)), span.ends), persons)
    document = loader.read(norms.text_in_force("duty")[1])
    if shifts != table.roster.shifts:
        document["shifts"] = [_row(shift, zone) for shift in shifts]
    return yaml_texts.dump(document)


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _row(shift: Shift, zone: ZoneInfo) -> dict[str, object]:
    starts, ends = (f"{at.astimezone(zone):%Y-%m-%d %H:%M}" for at in (shift.starts, shift.ends))
    return {"from": starts, "to": ends, "persons": list(shift.persons)}
