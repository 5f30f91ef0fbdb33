"""The worklist and the list of all claims (norm 2.3.1: in the order in which promises would break)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from lipei.domain import lifecycle
from lipei.reads import readiness
from lipei.reads import worklist as lists
from lipei.reads.worklist import BadCursor, Filters
from lipei.web.console.access import PAGES, allowed
from lipei.web.console.shell import book, now, show, who
from lipei.web.templatetags.lipei import language

ROWS = 50
ASKED = ("q", "whose", "state", "line", "late", "fast_lane", "unassigned")


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Where somebody begins: the worklist, or for those who see no claims the first page they may open.

    In an empty company whoever sets it up begins with the list of what it still lacks.
    """
    actor = who(request)
    if allowed(PAGES["setup"], actor) and readiness.is_empty():
        return redirect("console:setup")
    first = next(name for name in ("worklist", "health", "norms") if allowed(PAGES[name], actor))
    return redirect(f"console:{first}")


def _filters(request: HttpRequest) -> Filters:
    asked = request.GET
    return Filters(
        q=asked.get("q", "").strip()[:80],
        state=asked.get("state", "") if asked.get("state") in lifecycle.ANY else "",
        line=asked.get("line", "") if asked.get("line") in book(request).lines.lines else "",
        late=asked.get("late") == "1",
        fast_lane=True if asked.get("fast_lane") == "1" else None,
        unassigned=asked.get("unassigned") == "1",
    )


def _shown(request: HttpRequest, listed: Any, here: str, states: tuple[str, ...], **more: Any) -> HttpResponse:
    asked = {name: request.GET[name] for name in ASKED if request.GET.get(name)}
    following = f"?{urlencode({**asked, 'cursor': listed.next_cursor})}" if listed.next_cursor else ""
    return show(
        request, "worklist", here, listed=listed, following=following, asked=asked, states=states,
        lines=tuple(book(request).lines.lines), first=not request.GET.get("cursor"), **more,
    )  # fmt: skip


@require_GET
def worklist(request: HttpRequest) -> HttpResponse:
    """The open claims that wait for the reader."""
    viewer = who(request)
    whose = request.GET.get("whose", "")
    whose = whose if whose in lists.WHOSE else lists.usual(viewer)
    try:
        listed = lists.work(
            viewer, language=language(), now=now(), whose=whose, filters=_filters(request), limit=ROWS,
            cursor=request.GET.get("cursor", ""),
        )  # fmt: skip
    except BadCursor:
        return redirect("console:worklist")
    return _shown(request, listed, "worklist", lifecycle.OPEN, whose=whose, whoses=lists.WHOSE)


@require_GET
def claims(request: HttpRequest) -> HttpResponse:
    """All claims within the reader's scope, newest first; a whole claim number leads straight to the claim."""
    try:
        listed = lists.claims(
            who(request), language=language(), now=now(), filters=_filters(request), limit=ROWS,
            cursor=request.GET.get("cursor", ""),
        )  # fmt: skip
    except BadCursor:
        return redirect("console:claims")
    q = listed.filters.q
    if len(listed.rows) == 1 and q == listed.rows[0].number:
        return redirect("console:claim", number=q)
    return _shown(request, listed, "claims", lifecycle.ANY)
