"""Accounts of staff: an administrator makes them, nobody signs up; and whom a signed-in user acts as."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.views.decorators.http import require_POST

from lipei.domain.events import Actor
from lipei.domain.settings import Settings
from lipei.norms.texts import LANGUAGES, text
from lipei.reads import rulebook
from lipei.services import sessions
from lipei.store import models

ASKED_BY_ITSELF = "Lipei-Poll"
"""A header of requests that a page makes of its own accord: they keep no session from standing idle."""
BEGUN, SEEN, SEEN_SECONDS = "begun", "seen", 60
"""In the session: when it began and was last used, in Unix seconds."""


class StaffOnly(DefaultAccountAdapter):  # type: ignore[misc]
    """No open sign-up: allauth answers its sign-up page with "closed"."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


def staff_of(request: HttpRequest) -> Any | None:
    """The active member of staff who is signed in, or None. One query per request."""
    found = getattr(request, "_staff", False)
    if found is False:
        user = getattr(request, "user", None)
        found = None
        if user is not None and user.is_authenticated:
            found = models.Staff.objects.filter(user_id=user.pk, active=True).first()
        request._staff = found  # type: ignore[attr-defined]
    return found


def actor_of(staff: Any | None) -> Actor | None:
    """The actor that a member of staff is, see `Actor`; None for nobody."""
    if not staff:
        return None
    return Actor(f"staff:{staff.id}", staff.name, frozenset(staff.roles), unit=staff.unit)


def locked_out(request: HttpRequest, credentials: Any = None, *args: Any, **kwargs: Any) -> HttpResponse:
    """The page that a sign-in gets after too many wrong passwords (429)."""
    minutes = rulebook.current().settings.sign_in_lock_minutes
    return render(request, "account/locked.html", {"minutes": minutes}, status=429)


def attempts_max(request: HttpRequest, credentials: Any = None) -> int:
    """How many wrong passwords lock a sign-in (the setting ``sign_in_attempts``)."""
    return int(rulebook.current().settings.sign_in_attempts)


def lock_time(request: HttpRequest | None = None) -> timedelta:
    """For how long it is locked (the setting ``sign_in_lock_minutes``)."""
    return timedelta(minutes=rulebook.current().settings.sign_in_lock_minutes)


def keep_session(request: HttpRequest, limits: Settings, now: datetime) -> None:
    """End a session that stood idle too long or is too old (``session_idle_minutes``, ``session_max_hours``).

    The last use is written down once a minute, not at every request: for this, and for the list of one's own sessions.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return
    at = int(now.timestamp())
    begun, seen = request.session.get(BEGUN, at), request.session.get(SEEN, at)
    if at - seen > limits.session_idle_minutes * 60 or at - begun > limits.session_max_hours * 3600:
        logout(request)
        return
    if request.headers.get(ASKED_BY_ITSELF):  # a page that asks for news: nobody sits before it for that
        return
    if SEEN not in request.session or at - seen >= SEEN_SECONDS:
        request.session[BEGUN], request.session[SEEN] = begun, at
        UserSession.objects.create_from_request(request)


@require_POST
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """End one of one's own sessions; the one in use too, which signs out."""
    actor = actor_of(staff_of(request))
    if actor is None or actor.staff_id is None:
        return redirect("account_login")
    outcome = sessions.end(session_id, staff_id=actor.staff_id, actor=actor, now=timezone.now())
    key, level = ("refusal.missing", messages.ERROR) if outcome else ("accounts.sessions.ended", messages.SUCCESS)
    messages.add_message(request, level, text(key, translation.get_language() or LANGUAGES[0]))
    return redirect("usersessions_list")


def ask_administrator(request: HttpRequest, *args: Any) -> HttpResponse:
    """Where allauth would sign somebody up, reset a password or change an address: that is the administrator's."""
    return render(request, "account/ask.html", status=404)
