"""Webhooks: where programs want to be told of events, and telling them again. For tokens of an administrator."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest, HttpResponse

from lipei.api import calls, problems, shapes
from lipei.api.access import token_of
from lipei.api.problems import Problem
from lipei.domain.commands import Nothing
from lipei.domain.events import Refusal
from lipei.domain.permissions import may
from lipei.reads import health
from lipei.services import webhooks
from lipei.services.webhooks import PERMISSION, Replay, Subscribe


def listing(request: HttpRequest) -> HttpResponse:
    """All webhooks without their secrets, the newest first, with what waits for them and what was given up."""
    calls.query(request, {})
    if not may(token_of(request).actor, PERMISSION):
        raise Problem(403, "refusal.not_permitted", {"permission": PERMISSION}, more={"permission": PERMISSION})
    return shapes.respond({"webhooks": [asdict(hook) for hook in health.webhooks()]})


def subscribe(request: HttpRequest) -> HttpResponse:
    """Be told of events at an address; 201 with the secret that signs the calls, seen this once.

    Calls follow the Standard Webhooks scheme, come at least once, and keep their ``webhook-id`` over every repetition.
    """
    command = calls.command_of(request, Subscribe, _no_currency)
    made = webhooks.subscribe(command, actor=token_of(request).actor, now=calls.now())
    if isinstance(made, Refusal):
        raise problems.of_refusal(made)
    hook = next(hook for hook in health.webhooks() if hook.url == command.url.strip())
    return shapes.respond({**asdict(hook), "secret": made}, 201)


def stop(request: HttpRequest, webhook: int) -> HttpResponse:
    """No more calls; what still waits is given up."""
    calls.command_of(request, Nothing, _no_currency)
    outcome = webhooks.stop(webhook, actor=token_of(request).actor, now=calls.now())
    if outcome is not None:
        raise problems.of_refusal(outcome)
    return shapes.respond({"id": webhook, "active": False})


def replay(request: HttpRequest, webhook: int) -> HttpResponse:
    """Call again for every event since an instant, under the ids of the first time; how many are queued."""
    command = calls.command_of(request, Replay, _no_currency)
    queued = webhooks.replay(webhook, command, actor=token_of(request).actor, now=calls.now())
    if isinstance(queued, Refusal):
        raise problems.of_refusal(queued)
    return shapes.respond({"id": webhook, "queued": queued})


def _no_currency(command: Any) -> str:
    return ""
