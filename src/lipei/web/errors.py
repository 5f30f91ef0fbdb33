"""Pages that say no or sorry, in the reader's language, with whom to ask."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from lipei.domain import lifecycle
from lipei.domain.events import Refusal
from lipei.norms.refusals import holders, worded
from lipei.norms.texts import text, texts
from lipei.reads import colleagues
from lipei.web.templatetags.lipei import language, local

NAMED = 3
"""So many colleagues are named to somebody who may not open a page."""


NO_FRAME: Mapping[str, Any] = {}


def forbidden(
    request: HttpRequest,
    exception: Exception | None = None,
    *,
    permission: str = "",
    frame: Mapping[str, Any] = NO_FRAME,
) -> HttpResponse:
    """403: what is missing, and whom to ask: the roles, and some at work now who have them.

    ``frame``: what a page of its surroundings is drawn with, ``layout`` its template; without one it stands alone.
    """
    roles = lifecycle.holders(permission)
    found = colleagues.listed(now=timezone.now(), roles=roles) if roles else ()
    present = [one.name for one in found if one.away_until is None]
    whom = {"holders": holders(permission, language()), "people": present[:NAMED]} if permission else {}
    return render(request, "403.html", {**frame, **whom}, status=403)


def csrf_failed(request: HttpRequest, reason: str = "", *, frame: Mapping[str, Any] = NO_FRAME) -> HttpResponse:
    """403 where a form was open too long or cookies are off. What was typed in it stays on the page, to be sent again."""
    if _may_be_kept(request) and request.user.is_authenticated:
        return kept(request, "form", status=403, frame=frame)
    return render(request, "403.html", {**frame, "stale_form": True}, status=403)


def kept(request: HttpRequest, why: str, *, status: int, frame: Mapping[str, Any] = NO_FRAME) -> HttpResponse:
    """A form that could not be taken (``why``: ``session`` ended, or the ``form`` was open too long) with all that was
    typed, to be sent again. Files are not among it: a browser hands them over only when somebody chooses them.
    """
    fields = [(n, v) for n, values in request.POST.lists() if n != CSRF_FIELD for v in values]
    typed = [str(value) for name, value in fields if name not in _UNTYPED and str(value).strip()]
    seen = {"why": why, "fields": fields, "typed": typed, "files": bool(request.FILES)}
    return render(request, "kept.html", {**frame, **seen, "where": request.get_full_path()}, status=status)


CSRF_FIELD = "csrfmiddlewaretoken"
_UNTYPED = ("seen_version", "form_key", "idempotency_key")
"""Fields that forms carry for themselves."""


def _may_be_kept(request: HttpRequest) -> bool:
    """Whether this form may be shown and offered for sending again: one of another site never, nor one with a secret."""
    ours = request.headers.get("Origin", "") == f"{request.scheme}://{request.get_host()}"
    return (
        request.method == "POST"
        and ours
        and not any(_SECRET.search(name) for name in request.POST if name != CSRF_FIELD)
    )


_SECRET = re.compile(r"password|token|^code$", re.IGNORECASE)
"""Names of fields that are never written into a page (Django's own token aside, which is none of the form's)."""


def signed_out(request: HttpRequest) -> HttpResponse:
    """To the page of signing in; a form that somebody was filling in meanwhile is not lost."""
    if _may_be_kept(request):
        return kept(request, "session", status=401)
    return redirect_to_login(request.get_full_path())


def sentence(refusal: Refusal) -> str:
    """Why something was not done, in the language of the request."""
    spoken = language()
    said = worded(refusal.params, spoken)
    params = {name: local(value) if hasattr(value, "astimezone") else value for name, value in said.items()}
    if refusal.code not in texts():
        return text("refusal.conflict" if refusal.kind == "conflict" else "refusal.fields", spoken)
    try:
        return texts()[refusal.code][spoken].format(**params)
    except (KeyError, IndexError):
        return texts()[refusal.code][spoken]


def by_field(refusal: Refusal) -> dict[str, str]:
    """What is wrong with each field, in sentences with their figures."""
    return {path: sentence(Refusal(code, params=refusal.params)) for path, code in refusal.fields.items()}
