"""The team at a glance: who has how much, whose promises break next, who is away and who stands in (norm 2.3.1, 1.4.3).

What is counted is each open claim once, by its next due time: the stored hint that worklists are sorted by. The same
number of queries however many claims and colleagues there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q

from lipei.domain.calendars import Calendar
from lipei.domain.events import Actor
from lipei.reads import colleagues, scope
from lipei.reads.colleagues import Away
from lipei.reads.worklist import OPEN, Horizon
from lipei.store import models

RISKS = ("late", "soon", "today", "later", "none")
"""When the next promise of a claim breaks: it did, within the working time set, before the day ends, later, never."""
HANDS = ("handler",)
"""Whoever has this role stands in the list even with nothing in hand."""
PEOPLE_MAX = 200


@dataclass(frozen=True, slots=True)
class Reach:
    """Where the stretches of `RISKS` end, seen from now."""

    now: datetime
    soon: datetime
    today: datetime

    @classmethod
    def of(cls, horizon: Horizon, calendar: Calendar | None, minutes: int) -> Reach:
        """``minutes`` of working time ahead are *soon*; without a calendar, as much of real time."""
        ahead = calendar.add(horizon.now, minutes) if calendar else horizon.now + timedelta(minutes=minutes)
        return cls(horizon.now, ahead, max(horizon.today, ahead))

    def conditions(self) -> Mapping[str, Q]:
        """The stretches as conditions on ``due_at``."""
        return {
            "late": Q(due_at__lt=self.now),
            "soon": Q(due_at__gte=self.now, due_at__lt=self.soon),
            "today": Q(due_at__gte=self.soon, due_at__lt=self.today),
            "later": Q(due_at__gte=self.today),
            "none": Q(due_at__isnull=True),
        }


@dataclass(frozen=True, slots=True)
class Member:
    """A colleague with what is in their hands; ``id`` 0 stands for the claims that nobody has yet.

    ``risks`` counts the open claims by `RISKS`; ``fast`` of them are in the fast lane. ``away``: the absence that holds
    now; ``next_away``: the next one ahead. ``stands_in``: to whom authority is lent meanwhile.
    """

    id: int
    name: str
    risks: Mapping[str, int] = field(default_factory=dict)
    fast: int = 0
    away: Away | None = None
    next_away: Away | None = None
    stands_in: tuple[str, ...] = ()

    @property
    def load(self) -> int:
        return sum(self.risks.values())

    @property
    def pressing(self) -> int:
        """What is broken or about to."""
        return self.risks.get("late", 0) + self.risks.get("soon", 0)


@dataclass(frozen=True, slots=True)
class Team:
    """Everybody, whoever is pressed most first, and what nobody has yet (None: nothing)."""

    members: tuple[Member, ...]
    nobody: Member | None

    @property
    def most(self) -> int:
        """The largest load: the full width of the picture."""
        return max((m.load for m in (*self.members, *((self.nobody,) if self.nobody else ()))), default=0)


def unit_of(viewer: Actor) -> str:
    """The unit that somebody leads; empty: the whole company."""
    return "" if "manager" in viewer.roles else viewer.unit


def team(viewer: Actor, *, reach: Reach, away_until: datetime) -> Team:
    """The viewer's team. Absences are told that begin before ``away_until``. At most six queries."""
    unit = unit_of(viewer)
    staff = {c.id: c for c in colleagues.listed(now=reach.now, unit=unit)}
    counted = _counted(viewer, reach)
    away = _absences(unit, reach.now, away_until)
    lent = _stand_ins(away, reach.now)
    members = [
        replace(
            _member(counted.get(c.id), c.id, c.name),
            away=next((a for a in away.get(c.id, ()) if a.starts_at <= reach.now), None),
            next_away=next((a for a in away.get(c.id, ()) if a.starts_at > reach.now), None),
            stands_in=lent.get(c.id, ()),
        )
        for c in staff.values()
        if c.id in counted or set(HANDS) & set(c.roles)
    ]
    members.sort(key=lambda m: (-m.risks.get("late", 0), -m.pressing, -m.load, m.name))
    nobody = counted.get(None)
    return Team(tuple(members[:PEOPLE_MAX]), _member(nobody, 0, "") if nobody else None)


def _counted(viewer: Actor, reach: Reach) -> dict[int | None, Any]:
    rows = models.Claim.objects.filter(scope.claims(viewer) & OPEN).order_by().values("handler")
    figures = {name: Count("id", filter=condition) for name, condition in reach.conditions().items()}
    return {row["handler"]: row for row in rows.annotate(fast=Count("id", filter=Q(fast_lane=True)), **figures)}


def _member(row: Any, id_: int, name: str) -> Member:
    if row is None:
        return Member(id_, name, dict.fromkeys(RISKS, 0))
    return Member(id_, name, {risk: row[risk] for risk in RISKS}, row["fast"])


def _absences(unit: str, now: datetime, until: datetime) -> dict[int, list[Away]]:
    found: dict[int, list[Away]] = {}
    for absence in colleagues.absences(now=now, unit=unit):
        if absence.starts_at < until:
            found.setdefault(absence.staff_id, []).append(absence)
    return found


def _stand_ins(away: Iterable[int], now: datetime) -> dict[int, tuple[str, ...]]:
    """Who holds the authority of those who are away, or will when they are."""
    rows = models.Delegation.objects.filter(giver_id__in=list(away), ends_at__gt=now).order_by("starts_at", "id")
    found: dict[int, tuple[str, ...]] = {}
    for giver, taker in rows.values_list("giver_id", "taker__name"):
        if taker not in found.get(giver, ()):
            found[giver] = (*found.get(giver, ()), taker)
    return found
