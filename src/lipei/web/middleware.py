"""The language of a request, and who is asking."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.utils.functional import SimpleLazyObject

from lipei.norms.texts import LANGUAGES
from lipei.reads import rulebook
from lipei.web import accounts

COOKIE = "lipei_language"
FOR_PROGRAMS = ("/api/", "/healthz", "/readyz", "/metrics", "/static/")
"""Addresses of programs: no session is read for them, and they name their language by header alone."""

Handler = Callable[[HttpRequest], HttpResponse]


def bounded(get_response: Handler) -> Handler:
    """Answer a form that is larger than ``upload_form_max_bytes`` with 413 before anything of it is written to the disk.

    Stands before whatever reads a form (the check against forged requests does), for that writes every file aside.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        said = str(request.META.get("CONTENT_LENGTH") or "0")
        size_bytes = int(said) if said.isascii() and said.isdigit() else 0
        if size_bytes <= int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE) or request.path_info.startswith(FOR_PROGRAMS):
            return get_response(request)
        most = rulebook.current().settings.upload_form_max_bytes
        if size_bytes <= most:
            return get_response(request)
        cookie = request.COOKIES.get(COOKIE, "")
        with translation.override(cookie if cookie in LANGUAGES else asked(request)):
            return render(None, "413.html", {"megabytes": f"{most / 1_000_000:g}"}, status=413)

    return middleware


def language(get_response: Handler) -> Handler:
    """Activate the language chosen, by the cookie, else in the staff record, else what the browser asks for; and the
    company's zone.

    Puts ``request.staff`` (the row of the member of staff or None), ``request.actor`` (see `accounts.actor_of`) and
    ``request.rulebook`` within reach of the views; each is looked up only if somebody asks, and once.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        request.staff = SimpleLazyObject(lambda: accounts.staff_of(request))  # type: ignore[attr-defined]
        request.actor = SimpleLazyObject(lambda: accounts.actor_of(request.staff))  # type: ignore[attr-defined]
        if request.path_info.startswith(FOR_PROGRAMS):
            with translation.override(asked(request)):
                return get_response(request)
        request.rulebook = rulebook.current()  # type: ignore[attr-defined]
        accounts.keep_session(request, request.rulebook.settings, timezone.now())  # type: ignore[attr-defined]
        zone = ZoneInfo(request.rulebook.settings.zone)  # type: ignore[attr-defined]
        with translation.override(chosen(request)), timezone.override(zone):
            response = get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or "")
        return response

    return middleware


def chosen(request: HttpRequest) -> str:
    """The language of a page, one of `LANGUAGES`."""
    cookie = request.COOKIES.get(COOKIE, "")
    if cookie in LANGUAGES:
        return cookie
    staff = accounts.staff_of(request)
    if staff is not None and staff.language in LANGUAGES:
        return str(staff.language)
    return asked(request)


def asked(request: HttpRequest) -> str:
    """The language that the browser or program asks for by header, else the installation's."""
    found = translation.get_language_from_request(request).lower()
    return found if found in LANGUAGES else LANGUAGES[0]
