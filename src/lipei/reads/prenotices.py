"""Pre-notices for whoever takes a report or handles the claim (norm 1.3.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from lipei.reads import people
from lipei.store import crypto, models
from lipei.store.aggregates import normal

ROWS_MAX = 20


@dataclass(frozen=True, slots=True)
class Told:
    """One pre-notice. ``used_by`` is the claim that took it up."""

    id: int
    text: str
    author: str
    at: datetime
    policy_number: str
    used_by: str


def about(*, policy_id: int | None, phone: str, now: datetime, show_days: int, language: str) -> tuple[Told, ...]:
    """What is known about a policy or phone, newest first, no older than ``show_days``. At most two queries."""
    index = crypto.blind_index("phone", normal(phone)) if normal(phone) else ""
    ways = Q(policy_id=policy_id) if policy_id is not None else Q(pk__in=())
    if index:
        ways |= Q(phone_index=index)
    if policy_id is None and not index:
        return ()
    return _told(Q(at__gte=now - timedelta(days=show_days)) & ways, language)


def latest(*, now: datetime, show_days: int, language: str) -> tuple[Told, ...]:
    """The newest pre-notices of all."""
    return _told(Q(at__gte=now - timedelta(days=show_days)), language)


def _told(which: Q, language: str) -> tuple[Told, ...]:
    rows = list(models.PreNotice.objects.select_related("policy").filter(which).order_by("-at", "-id")[:ROWS_MAX])
    staff = people.names(people.staff_ids(row.author for row in rows))
    return tuple(
        Told(
            r.id,
            r.text,
            people.actor_name(r.author, staff, language),
            r.at,
            r.policy.number if r.policy else "",
            r.used_by,
        )
        for r in rows
    )
