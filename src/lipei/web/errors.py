"""Pages that say no or sorry, in the reader's language, with whom to ask."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from lipei.domain.events import Refusal
from lipei.domain.money import Money
from lipei.norms.money import money_text
from lipei.norms.texts import text, texts
from lipei.web.templatetags.lipei import language, local


def forbidden(request: HttpRequest, exception: Exception | None = None, *, permission: str = "") -> HttpResponse:
    """403: what is missing, and whom to ask."""
    return render(request, "403.html", {"permission": permission}, status=403)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 where a form was open too long or cookies are off."""
    return render(request, "403.html", {"stale_form": True}, status=403)


def sentence(refusal: Refusal) -> str:
    """Why something was not done, in the language of the request."""
    spoken = language()
    params = {name: _param(name, value) for name, value in refusal.params.items()}
    if refusal.code not in texts():
        return text("refusal.conflict" if refusal.kind == "conflict" else "refusal.fields", spoken)
    try:
        return texts()[refusal.code][spoken].format(**params)
    except (KeyError, IndexError):
        return texts()[refusal.code][spoken]


def _param(name: str, value: Any) -> str:
    if name in ("state", "permission") and isinstance(value, str):
        for prefix in ("state", "action"):
            if f"{prefix}.{value}" in texts():
                return text(f"{prefix}.{value}", language())
    if name == "papers" and isinstance(value, tuple):
        return text("common.list_separator", language()).join(text(f"paper.{code}", language()) for code in value)
    if isinstance(value, Money):
        return money_text(value, language())
    return local(value) if hasattr(value, "astimezone") else str(value)
