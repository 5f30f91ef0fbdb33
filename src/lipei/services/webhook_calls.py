"""Calling webhooks: at least once, signed by the Standard Webhooks scheme (https://www.standardwebhooks.com).

The signature covers id, timestamp and body with HMAC-SHA-256 under the webhook's secret (``whsec_`` and base64). The id
stays the same over every attempt and replay, so that the receiver can tell a repetition.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from urllib.request import getproxies

import httpx
import structlog
from django.conf import settings

from lipei.domain import deliveries as patience
from lipei.gateways.outside import Outside
from lipei.services import norms, one_by_one, unit_of_work
from lipei.services.leases import LeaseLost, Watch, finish, hold_on, take
from lipei.store import canonical, models

BATCH = 10

log = structlog.get_logger(__name__)


def signature(secret: str, message_id: str, timestamp: int, body: str) -> str:
    """``v1,<base64>`` over ``id.timestamp.body``. A secret without the prefix is taken as it is."""
    key = secret.removeprefix("whsec_")
    try:
        raw = base64.b64decode(key, validate=True) if secret.startswith("whsec_") else secret.encode()
    except binascii.Error:
        raw = secret.encode()
    mac = hmac.digest(raw, f"{message_id}.{timestamp}.{body}".encode(), hashlib.sha256)
    return "v1," + base64.b64encode(mac).decode()


def headers(secret: str, message_id: str, body: str, now: datetime) -> dict[str, str]:
    """The headers of a call."""
    at = int(now.timestamp())
    return {
        "content-type": "application/json",
        "user-agent": "lipei",
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": signature(secret, message_id, at, body),
    }


@dataclass
class Round:
    """One call of `work`: how long it has lasted, and which webhooks did not answer meanwhile."""

    client: httpx.Client
    now: datetime
    hooks: Mapping[int, Any]
    watch: Watch
    silent: set[int]
    """To wait for the same silence again and again would keep everybody else's calls, and the worker's other work."""


def work(*, now: datetime, limit: int, transport: httpx.BaseTransport | None = None) -> int:
    """Make the calls that are due; how many. ``transport`` replaces the network in tests."""
    assert not unit_of_work.in_transaction(), "the world outside is never spoken to inside a transaction"
    table, done, watch, silent = norms.current().jobs, 0, Watch(), set[int]()
    while done < limit:
        due = models.WebhookDelivery.objects.filter(state="queued", due_at__lte=now).order_by("due_at", "id")
        rows = take(due, now=now, lease=watch.passed() + table.lease, limit=min(BATCH, limit - done))
        if not rows:
            break
        hooks = {w.id: w for w in models.Webhook.objects.filter(id__in={row.webhook_id for row in rows})}
        with httpx.Client(transport=transport or _outward(), timeout=table.webhook_timeout.total_seconds()) as client:
            one_by_one.each(rows, partial(_one, Round(client, now, hooks, watch, silent)), work="webhooks")
        done += len(rows)
    return done


def _outward() -> httpx.BaseTransport | None:
    """To the world outside alone; where the operator named a proxy for it (``HTTPS_PROXY``), the proxy decides."""
    return None if getproxies() else Outside(settings.LIPEI_WEBHOOK_INSIDE)


def _one(this: Round, row: Any) -> int:
    try:
        # The calls before this one may have taken long: its own lease begins anew.
        hold_on(row, until=this.now + this.watch.passed() + norms.current().jobs.lease)
        _call(this, this.hooks[row.webhook_id], row)
    except LeaseLost as error:
        log.info("webhook call left to another worker", why=str(error))
    return 1


def _call(this: Round, hook: Any, row: Any) -> None:
    if not hook.active:
        finish(row, state="failed", answer="switched off")
        return
    attempts = row.attempts + 1
    said, status = _said(this, hook, row)
    if 200 <= status < 300:
        finish(row, state="done", answer=said, attempts=attempts)
        return
    policy = norms.current().jobs.webhooks
    key = f"{row.webhook_id}/{row.message_id}"
    gone = status == httpx.codes.GONE
    again = None if gone else patience.next_attempt(attempts=attempts, now=this.now, policy=policy, key=key)
    after = {"due_at": again} if again else {"state": "failed"}
    finish(row, answer=said, attempts=attempts, **after)


def _said(this: Round, hook: Any, row: Any) -> tuple[str, int]:
    """What came of a call: in a word for the record, and the status (0: none). What the answer holds is not read."""
    if hook.id in this.silent:
        return "not tried: silent just now", 0
    signed = headers(hook.secret, row.message_id, row.body, this.now)
    try:
        with this.client.stream("POST", hook.url, content=row.body.encode(), headers=signed) as answer:
            return f"{answer.status_code}", answer.status_code
    except httpx.TimeoutException as error:
        this.silent.add(hook.id)
        return type(error).__name__, 0
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return type(error).__name__, 0


def again(*, call_id: int, now: datetime) -> bool:
    """Queue one call that failed; False where there is none or its webhook was stopped."""
    done = models.WebhookDelivery.objects.filter(id=call_id, state="failed", webhook__active=True).update(
        state="queued", due_at=now, attempts=0, leased_until=None
    )
    return bool(done)


def replay(*, webhook_id: int, since: datetime, now: datetime) -> int:
    """Call again for every event since an instant, under the ids of the first time; how many are queued."""
    rows = models.WebhookDelivery.objects.filter(webhook_id=webhook_id).exclude(state="queued")
    names = list(rows.values_list("id", "body"))
    # The body tells when the event was: rows are kept in the order of writing, and few are replayed.
    wanted = [pk for pk, body in names if canonical.instant(canonical.loads(body)["timestamp"]) >= since]
    return models.WebhookDelivery.objects.filter(id__in=wanted).update(
        state="queued", due_at=now, attempts=0, leased_until=None
    )
