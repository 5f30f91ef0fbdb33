"""Whether what runs by itself runs: what waits, what failed, when the journal was last sealed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Count, Manager, Min, Q, QuerySet

from lipei.reads import demo
from lipei.store import journal, models

STALLED = timedelta(minutes=10)
"""A queued row that has been due for longer than this waits for a worker that is not there."""


SIGNS = ("worker", "backup", "verify")
"""What tells of itself that it was done, see `services.signs`."""
SIGN = "sign."
"""Before the name of a sign in the table of small facts."""


@dataclass(frozen=True, slots=True)
class Sign:
    """When something was done last (None: never), whether it went well, and whether that is too long ago to be well."""

    name: str
    at: datetime | None
    good: bool
    silent: bool


@dataclass(frozen=True, slots=True)
class Queue:
    """One kind of row that owns its fate."""

    name: str
    waiting: int
    failed: int
    oldest_due_at: datetime | None
    stalled: bool


@dataclass(frozen=True, slots=True)
class Health:
    """What an administrator looks at first."""

    database: str
    queues: tuple[Queue, ...]
    guards_missing: tuple[str, ...]
    sealed_at: datetime | None
    journal_entries: int
    is_demonstration: bool


@dataclass(frozen=True, slots=True)
class Token:
    """An API token without its secret."""

    name: str
    scopes: tuple[str, ...]
    staff: str
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook without its secret."""

    id: int
    url: str
    kinds: tuple[str, ...]
    active: bool
    created_at: datetime
    waiting: int
    failed: int


def health(*, now: datetime) -> Health:
    """The state of the installation. Eight short queries."""
    clocks = models.Clock.objects.filter(state="running", breached_at=None, due_at__lt=now)
    return Health(
        database=connection.vendor,
        queues=(
            _queue("deliveries", models.Delivery.objects, now, ("queued", "sending")),
            _queue("webhooks", models.WebhookDelivery.objects, now, ("queued",)),
            Queue(
                "bank",
                models.Payment.objects.filter(state__in=("approved", "submitted")).count(),
                models.Payment.objects.filter(state="failed").count(),
                None,
                False,
            ),
            _clocks(clocks, now),
        ),
        guards_missing=tuple(journal.guards_missing()),
        sealed_at=models.Seal.objects.order_by("-id").values_list("at", flat=True).first(),
        journal_entries=models.Entry.objects.order_by("-id").values_list("id", flat=True).first() or 0,
        is_demonstration=demo.exists(),
    )


def signs(*, now: datetime) -> tuple[Sign, ...]:
    """Every sign of `SIGNS`. One query. Only a worker is expected to be heard of all the time."""
    rows = dict(models.CompanyState.objects.filter(key__startswith=SIGN).values_list("key", "value"))
    found = []
    for name in SIGNS:
        value = rows.get(f"{SIGN}{name}")
        at = datetime.fromisoformat(value["at"]) if value else None
        silent = at is None or (name == "worker" and at < now - STALLED)
        found.append(Sign(name, at, bool(value and value["good"]), silent))
    return tuple(found)


def _queue(name: str, rows: Manager[Any], now: datetime, waiting: tuple[str, ...]) -> Queue:
    found = rows.aggregate(
        waiting=Count("id", filter=Q(state__in=waiting)),
        failed=Count("id", filter=Q(state="failed")),
        oldest=Min("due_at", filter=Q(state__in=waiting)),
    )
    oldest = found["oldest"]
    return Queue(name, found["waiting"], found["failed"], oldest, oldest is not None and oldest < now - STALLED)


def _clocks(rows: QuerySet[Any], now: datetime) -> Queue:
    found = rows.aggregate(n=Count("id"), oldest=Min("due_at"))
    return Queue(
        "clocks", found["n"], 0, found["oldest"], found["oldest"] is not None and found["oldest"] < now - STALLED
    )


def tokens() -> tuple[Token, ...]:
    """All API tokens, newest first."""
    rows = models.ApiToken.objects.select_related("staff").order_by("-id")
    return tuple(
        Token(r.name, tuple(r.scopes), r.staff.name if r.staff else "", r.created_at, r.revoked_at) for r in rows
    )


def webhooks() -> tuple[Hook, ...]:
    """All webhooks with what waits for them, newest first."""
    rows = models.Webhook.objects.annotate(
        waiting=Count("webhookdelivery", filter=Q(webhookdelivery__state="queued")),
        failed=Count("webhookdelivery", filter=Q(webhookdelivery__state="failed")),
    ).order_by("-id")
    return tuple(Hook(r.id, r.url, tuple(r.kinds), r.active, r.created_at, r.waiting, r.failed) for r in rows)
