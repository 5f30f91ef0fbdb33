"""Webhooks: programs are told of events, signed by the Standard Webhooks scheme, at least once, replayable."""

from __future__ import annotations

import base64
import ipaddress
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from lipei.domain import lifecycle
from lipei.domain.claims import Case
from lipei.domain.commands import said
from lipei.domain.events import Actor, Event, Refusal, wrong
from lipei.domain.permissions import may
from lipei.gateways.addresses import is_public
from lipei.reads import rulebook
from lipei.store import canonical, models

KNOWN_KINDS = frozenset({*lifecycle.KINDS, *(step.event for step in lifecycle.STEPS)})
PERMISSION = "webhooks.edit"
_known: tuple[int, list[Any]] = (-1, [])
"""The active webhooks, and the state of the table that they were read in."""


def subscribed() -> list[Any]:
    """The active webhooks. Every write asks, so they are read anew only when one was added or stopped, here or anywhere:
    whoever was told that they are subscribed hears of whatever happens from then on."""
    global _known
    mark, known = rulebook.subscribed(), _known
    if mark is None or known[0] != mark:
        known = (-1 if mark is None else mark, list(models.Webhook.objects.filter(active=True).only("id", "kinds")))
        _known = known
    return known[1]


def due(case: Case, events: Sequence[tuple[int, Event]], now: datetime) -> list[Any]:
    """The webhook deliveries that these events cause: one per webhook and event, with no personal data in it."""
    found = []
    for webhook in subscribed():
        for sequence, event in events:
            if webhook.kinds and event.kind not in webhook.kinds:
                continue
            body = {
                "type": event.kind,
                "timestamp": canonical.stamp(now),
                "data": {
                    "claim": case.claim.number,
                    "state": case.claim.state,
                    "part": event.part,
                    "sequence": sequence,
                },
            }
            found.append(
                models.WebhookDelivery(
                    webhook_id=webhook.id,
                    message_id=f"{case.claim.number}-{sequence}",
                    body=canonical.dumps(body).decode(),
                    due_at=now,
                )
            )
    return found


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Where a program wants to be told, and of which kinds of event (none named: of all)."""

    url: str = said(length_max=500, example="https://example.com/claims", required=True)
    kinds: tuple[str, ...] = said((), example=("claim.closed", "payment.confirmed"))


@dataclass(frozen=True, slots=True)
class Replay:
    """Tell again of every event since an instant (none said: of all)."""

    since: datetime | None = None


def subscribe(command: Subscribe, *, actor: Actor, now: datetime) -> Refusal | str:
    """A new webhook; the answer is its signing secret, seen this once. Refused: not an address that
    can be called, one with a password in it, one within the company's network, unknown kinds.
    """
    if not may(actor, PERMISSION):
        return Refusal("refusal.not_permitted", "permission", {"permission": PERMISSION})
    fault = wrong_address(command.url.strip())
    if fault:
        return wrong(url=fault)
    if not set(command.kinds) <= KNOWN_KINDS:
        return wrong(kinds="refusal.not_a_choice")
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    with transaction.atomic():
        row = models.Webhook.objects.create(url=command.url.strip(), secret=secret, kinds=command.kinds, created_at=now)
        _on_record("people.webhook_made", row.id, {"kinds": command.kinds}, actor=actor, now=now)
    return secret


def wrong_address(url: str) -> str:
    """The code of what is wrong with an address that could never be called; empty where it can be."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").encode("idna").decode()
        sound = parts.scheme in ("http", "https") and bool(host) and url.isprintable() and " " not in url
        sound = sound and parts.port != 0
    except ValueError:  # a port that cannot be, a host that is no name
        return "refusal.webhook.url"
    if not sound:
        return "refusal.webhook.url"
    if parts.username is not None:
        return "refusal.webhook.password"
    inside = {name.lower() for name in settings.LIPEI_WEBHOOK_INSIDE}
    literal = _literal(host)
    return "refusal.webhook.inside" if literal and host not in inside and not is_public(literal) else ""


def _on_record(kind: str, row_id: int, facts: Mapping[str, Any], *, actor: Actor, now: datetime) -> None:
    from lipei.services import personnel  # which writes to the journal, of which this module tells

    rows = models.Webhook.objects.filter(id=row_id)
    personnel.record(kind, rows, {"webhook": row_id, **facts}, actor=actor, now=now)


def _literal(host: str) -> str:
    """The address where a host is written as one; empty for a name, which is looked up at each call."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return ""


def stop(webhook_id: int, *, actor: Actor, now: datetime) -> Refusal | None:
    """No more calls: what is queued is given up."""
    if not may(actor, PERMISSION):
        return Refusal("refusal.not_permitted", "permission", {"permission": PERMISSION})
    with transaction.atomic():
        if not models.Webhook.objects.filter(id=webhook_id, active=True).update(active=False):
            return Refusal("refusal.missing", "missing")
        models.WebhookDelivery.objects.filter(webhook_id=webhook_id, state="queued").update(
            state="failed", answer="stopped"
        )
        _on_record("people.webhook_stopped", webhook_id, {}, actor=actor, now=now)
    return None


def call_again(call_id: int, *, actor: Actor, now: datetime) -> Refusal | None:
    """Make one call that failed once more, under its id of the first time."""
    if not may(actor, PERMISSION):
        return Refusal("refusal.not_permitted", "permission", {"permission": PERMISSION})
    from lipei.services import webhook_calls  # with it comes what speaks to the network

    return None if webhook_calls.again(call_id=call_id, now=now) else Refusal("refusal.missing", "missing")


def replay(webhook_id: int, command: Replay, *, actor: Actor, now: datetime) -> Refusal | int:
    """Queue again what a webhook was told since an instant, under the ids of the first time; how many that is."""
    if not may(actor, PERMISSION):
        return Refusal("refusal.not_permitted", "permission", {"permission": PERMISSION})
    if not models.Webhook.objects.filter(id=webhook_id, active=True).exists():
        return Refusal("refusal.missing", "missing")
    since = command.since or datetime.min.replace(tzinfo=now.tzinfo)
    from lipei.services import webhook_calls

    return webhook_calls.replay(webhook_id=webhook_id, since=since, now=now)
