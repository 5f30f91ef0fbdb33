"""Who on the duty roster can really be reached: they work here, may answer, and are not away (norm 2.3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from lipei.domain import duty, lifecycle
from lipei.domain.duty import Roster, Span
from lipei.domain.events import Refusal
from lipei.reads.duty import away
from lipei.store import models

ABLE = frozenset(who.partition(":")[0] for who in lifecycle.BY_ACTION["claim", "acknowledge_duty"].who)
"""The roles of those who can acknowledge a call."""


def absent_now(roster: Roster, now: datetime) -> frozenset[int]:
    """Who on the roster is away at this moment, has left, or could not acknowledge a call."""
    named = _persons(roster, now)
    away = models.Absence.objects.filter(starts_at__lte=now, ends_at__gt=now, staff_id__in=named)
    return frozenset(named - able(named) | set(away.values_list("staff_id", flat=True)))


def able(staff_ids: set[int]) -> set[int]:
    """Those of the staff named who work here and hold a role that can acknowledge a call."""
    rows = models.Staff.objects.filter(id__in=staff_ids, active=True).values_list("id", "roles")
    return {number for number, roles in rows if ABLE & set(roles)}


def refused(roster: Roster, needed: Sequence[Span], now: datetime) -> Refusal | None:
    """Why a roster cannot be relied on: somebody on it who cannot answer, or an hour that nobody covers (norm 2.3.3)."""
    persons = _persons(roster, now)
    strangers = sorted(persons - able(persons))
    if strangers:
        return Refusal("refusal.duty.person", params={"person": strangers[0]})
    return duty.check_roster(roster=roster, needed=needed, away=away(persons, after=now))


def _persons(roster: Roster, now: datetime) -> set[int]:
    """Everybody whom the roster still names from now on."""
    persons = {person for shift in roster.shifts if shift.ends > now for person in shift.persons}
    return persons if roster.team_lead is None else persons | {roster.team_lead}
