"""What every page of the console is rendered with."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from lipei.domain.events import Actor, Refusal
from lipei.domain.rulebook import Rulebook
from lipei.norms.texts import text
from lipei.web.console.access import frame
from lipei.web.errors import sentence
from lipei.web.templatetags.lipei import language

STATUS = {"fields": 422, "permission": 403, "state": 409, "conflict": 409, "missing": 404}


def who(request: HttpRequest) -> Actor:
    """The member of staff who is signed in; the guard of the page has made sure there is one."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return Actor(actor.id, actor.name, actor.roles, unit=actor.unit)


def book(request: HttpRequest) -> Rulebook:
    """The rulebook in force, as the middleware found it."""
    found: Rulebook = request.rulebook  # type: ignore[attr-defined]
    return found


def now() -> datetime:
    """The instant of this request: pages read the clock here and hand it on."""
    return timezone.now()


def show(request: HttpRequest, template: str, here: str = "", status: int = 200, **context: Any) -> HttpResponse:
    """A page of the console. Times left are told by the company's own office hours."""
    return render(request, f"console/{template}.html", {**frame(request), "here": here, **context}, status=status)


def say(request: HttpRequest, key: str, **params: Any) -> None:
    """A message that the next page shows once."""
    messages.success(request, text(key, language(), **params))


def complain(request: HttpRequest, refusal: Refusal) -> None:
    """A refusal that the next page shows once."""
    messages.error(request, sentence(refusal))


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal."""
    return STATUS[refusal.kind]
