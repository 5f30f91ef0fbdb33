"""What runs by itself and did not come through: messages, calls of webhooks, orders of the bank (norm 2.4.1, 2.2.4).

Of a claim only its number is told, of a message only its kind: whoever keeps the system running need not see more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lipei.domain.claims import Case, payment_called
from lipei.reads import rulebook
from lipei.store import canonical, models

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Failed:
    """One row that came to its end without success. ``name``: code of the message, kind of the event, kind of the
    payment. ``reason`` is a code, of a webhook what was answered. ``number`` of the claim, empty where it is of none.
    ``channels`` of a message: the one that it failed on; all that it could have taken where there was no address.
    """

    id: int
    name: str
    number: str
    to: str
    at: datetime | None
    reason: str
    attempts: int
    channels: tuple[str, ...] = ()


def failed() -> Mapping[str, tuple[Failed, ...]]:
    """By queue, the newest first, at most `SHOWN` of each. Four queries."""
    deliveries = list(models.Delivery.objects.filter(state="failed").order_by("-id")[:SHOWN])
    payments = list(models.Payment.objects.filter(state="failed").order_by("-id")[:SHOWN])
    calls = models.WebhookDelivery.objects.filter(state="failed").select_related("webhook").order_by("-id")[:SHOWN]
    ids = {d.stream_id for d in deliveries if d.stream_kind == Case.kind} | {p.aggregate_id for p in payments}
    numbers = dict(models.Claim.objects.filter(id__in=ids).values_list("id", "number"))
    return {
        "deliveries": tuple(
            Failed(d.id, d.message, numbers.get(d.stream_id, ""), "", d.due_at, d.reason, d.attempts, _channels(d))
            for d in deliveries
        ),
        "webhooks": tuple(_call(one) for one in calls),
        "bank": tuple(
            Failed(
                p.id, payment_called(p.kind, p.offer), numbers.get(p.aggregate_id, ""), p.end_to_end_id, p.submitted_at,
                p.failure, p.attempt,
            )
            for p in payments
        ),
    }  # fmt: skip


def _channels(row: Any) -> tuple[str, ...]:
    if row.channels:
        return (row.channels[row.position],)
    declared = rulebook.current().messages.rows.get(row.message)
    return declared.channels if declared else ()


def _call(row: Any) -> Failed:
    body = canonical.loads(row.body)
    return Failed(
        row.id, str(body.get("type", "")), "", row.webhook.url if row.webhook.active else "", row.due_at, row.answer,
        row.attempts,
    )  # fmt: skip
