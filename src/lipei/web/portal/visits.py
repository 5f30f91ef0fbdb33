"""Who is looking at which claim: visits kept in the session, and the decorator of every page of a claim."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache

from lipei.domain.claims import Case
from lipei.domain.events import Refusal
from lipei.norms.refusals import worded
from lipei.norms.texts import text
from lipei.services import norms, portal
from lipei.services.portal import Visit
from lipei.web.callers import address as caller
from lipei.web.portal import drafts
from lipei.web.templatetags.lipei import language

_KEY = "portal"
_VISITS_MAX = 8
SIZE_COOKIE = "lipei_text"
SIZES = ("normal", "large", "huge")
"""Sizes of type that a reader may choose; kept in a cookie, so that it works without JavaScript."""
View = Callable[..., HttpResponse]


def remember(request: HttpRequest, visit: Visit, *, now: datetime) -> None:
    """Keep a visit for as long as a session may last. A verified visit is not undone by an unverified one."""
    known = known_visits(request, now=now)
    before = known.pop(visit.number, None)
    same = before if before is not None and before.party == visit.party else visit
    verified, proved = visit.verified or same.verified, visit.proved or same.proved
    until = now + timedelta(hours=norms.current().settings.session_max_hours)
    kept = {**request.session.get(_KEY, {}), visit.number: [visit.party, verified, proved, until.timestamp()]}
    kept = {number: kept[number] for number in (*known, visit.number)[-_VISITS_MAX:]}
    if not getattr(request.user, "is_authenticated", False):
        request.session.cycle_key()  # who knew the session before knows nothing now
    request.session[_KEY] = kept


def known_visits(request: HttpRequest, *, now: datetime) -> dict[str, Visit]:
    """The visits of this browser that have not run out, by claim number."""
    kept = request.session.get(_KEY, {})
    return {
        n: Visit(n, int(party), bool(verified), bool(proved))
        for n, (party, verified, proved, until) in kept.items()
        if until > now.timestamp()
    }


def forget(request: HttpRequest) -> None:
    """End all visits of this browser."""
    request.session.pop(_KEY, None)
    drafts.drop(request)


def of_claim(*, verified: bool = False) -> Callable[[View], View]:
    """A page of one claim: ``view(request, visit, case, **rest)``. Without a visit it leads to the way in.

    The answer is the same for a claim that is not there and for one that is somebody else's. What was typed into a form
    whose visit has run out is kept for whoever comes back to this claim in this browser.
    """

    def wrap(view: View) -> View:
        @never_cache
        @wraps(view)
        def guarded(request: HttpRequest, number: str, **rest: Any) -> HttpResponse:
            visit = known_visits(request, now=timezone.now()).get(number)
            case = portal.claim_seen(visit) if visit else None
            if request.method == "POST" and (visit is None or case is None or (verified and not visit.verified)):
                drafts.keep(request, number, now=timezone.now())
            if visit is None or case is None:
                return HttpResponseRedirect(reverse("portal:enter") + "?" + urlencode({"number": number}))
            if verified and not visit.verified:
                return to_verify(request, number)
            return view(request, visit, case, **rest)

        return guarded

    return wrap


def to_verify(request: HttpRequest, number: str) -> HttpResponse:
    """To the page that asks for a code, and from there back to where the visitor wanted to go."""
    onward = urlencode({"next": request.path})
    return HttpResponseRedirect(reverse("portal:verify", args=[number]) + "?" + onward)


def onward(request: HttpRequest, otherwise: str) -> str:
    """Where to go after verifying: one of our own addresses, never another's."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    safe = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith("/")
    return wanted if safe else otherwise


def say(code: str, params: Mapping[str, Any] | None = None) -> str:
    """The sentence of a refusal in the reader's language."""
    return text(code, language(), **worded(params or {}, language()))


def why(refusal: Refusal) -> str:
    """The sentence of a refusal, of its first field if it has one; other claims' numbers stay ours."""
    params = dict(refusal.params)
    if "claim" in params:
        params["claim"] = "…"
    return say(next(iter(refusal.fields.values()), refusal.code), params)


def page(request: HttpRequest, template: str, status: int = 200, **context: Any) -> HttpResponse:
    """A page of the portal."""
    chosen = request.COOKIES.get(SIZE_COOKIE, "")
    rules = norms.current().settings
    numbers = {"ambulance": rules.phone_ambulance, "police": rules.phone_police, "fire": rules.phone_fire}
    around = {
        "text_size": chosen if chosen in SIZES else SIZES[0], "text_sizes": SIZES,
        "place": template if template in ("report", "help") else "track",
        "urgent": [(name, number) for name, number in numbers.items() if number],
    }  # fmt: skip
    context = around | context
    return render(request, f"portal/{template}.html", context, status=status)


__all__ = [
    "Case",
    "Visit",
    "caller",
    "forget",
    "known_visits",
    "of_claim",
    "onward",
    "page",
    "remember",
    "say",
    "to_verify",
    "why",
]
