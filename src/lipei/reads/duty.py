"""Who is on duty, and which urgent reports still wait for somebody to acknowledge them (norm 2.3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from lipei.domain.duty import Roster, Shift
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


@dataclass(frozen=True, slots=True)
class Duty:
    """The roster of the days ahead and the calls that are open."""

    open_now: bool
    shifts: tuple[OnDuty, ...]
    calls: tuple[Called, ...]
    team_lead: str


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
