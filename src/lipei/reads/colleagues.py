"""Colleagues: who works here, in which role, and who is away (norm 1.4.3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Prefetch

from lipei.store import models


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member of staff as lists show them. ``away_until``: when an absence that holds now ends."""

    id: int
    code: str
    name: str
    unit: str
    roles: tuple[str, ...]
    active: bool
    signs_in: str
    away_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Away:
    """An absence."""

    id: int
    staff_id: int
    name: str
    starts_at: datetime
    ends_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Lent:
    """Authority lent by one colleague to another, with its end."""

    id: int
    giver_id: int
    giver: str
    taker: str
    kinds: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime


def listed(
    *, now: datetime, active_only: bool = True, roles: Iterable[str] = (), unit: str = ""
) -> tuple[Colleague, ...]:
    """Colleagues by name; with ``roles`` only those who have one of them. Two queries."""
    rows = models.Staff.objects.select_related("user").order_by("name", "id")
    absences = models.Absence.objects.filter(starts_at__lte=now, ends_at__gt=now)
    rows = rows.prefetch_related(Prefetch("absences", queryset=absences, to_attr="away_now"))
    if active_only:
        rows = rows.filter(active=True)
    if unit:
        rows = rows.filter(unit=unit)
    wanted = set(roles)
    return tuple(_colleague(row) for row in rows if not wanted or wanted & set(row.roles))


def _colleague(row: Any) -> Colleague:
    until = max((a.ends_at for a in row.away_now), default=None)
    signs_in = row.user.get_username() if row.user is not None and row.user.is_active else ""
    return Colleague(row.id, row.code, row.name, row.unit, tuple(row.roles), row.active, signs_in, until)


def absences(*, now: datetime, unit: str = "") -> tuple[Away, ...]:
    """Absences that hold or are to come, of a unit or of everybody."""
    rows = models.Absence.objects.select_related("staff").filter(ends_at__gt=now).order_by("starts_at", "id")
    if unit:
        rows = rows.filter(staff__unit=unit)
    return tuple(Away(a.id, a.staff_id, a.staff.name, a.starts_at, a.ends_at, a.reason) for a in rows)


def delegations(*, now: datetime, giver: int | None = None) -> tuple[Lent, ...]:
    """Authority lent that holds or is to come, of one giver or of all."""
    rows = (
        models.Delegation.objects.select_related("giver", "taker").filter(ends_at__gt=now).order_by("starts_at", "id")
    )
    if giver is not None:
        rows = rows.filter(giver_id=giver)
    return tuple(
        Lent(d.id, d.giver_id, d.giver.name, d.taker.name, tuple(d.kinds), d.starts_at, d.ends_at) for d in rows
    )
