"""What every page offers: the choice of language and look, and the mark."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.templatetags.static import static
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from lipei.norms.texts import LANGUAGES
from lipei.services import people
from lipei.web.context import THEME_COOKIE, THEMES
from lipei.web.middleware import COOKIE

YEAR_SECONDS = 365 * 24 * 60 * 60


def back(request: HttpRequest) -> str:
    """Where the reader came from, if that is one of our own addresses."""
    wanted = request.POST.get("next", "")
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe else "/"


def remember(response: HttpResponse, cookie: str, value: str) -> HttpResponse:
    """Keep a choice in a cookie for a year."""
    response.set_cookie(
        cookie, value, max_age=YEAR_SECONDS, samesite="Lax", httponly=True, secure=bool(settings.SESSION_COOKIE_SECURE)
    )
    return response


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """The mark, for browsers that ask for it unasked: beside a PDF they know of no page that names it."""
    return HttpResponseRedirect(static("mark.svg"))


@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Remember the language: in a cookie, and for staff in their record. An unknown one changes nothing."""
    wanted = request.POST.get("language", "")
    response = HttpResponseRedirect(back(request))
    if wanted not in LANGUAGES:
        return response
    if request.actor:  # type: ignore[attr-defined]
        people.prefer_language(language=wanted, actor=request.actor)  # type: ignore[attr-defined]
    return remember(response, COOKIE, wanted)


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """Remember the look: light, dark or as the device has it."""
    wanted = request.POST.get("theme", "")
    response = HttpResponseRedirect(back(request))
    return remember(response, THEME_COOKIE, wanted) if wanted in THEMES else response
