"""The team lead's page: load and promise risk per person, what breaks next, claims given to others (norm 2.3.1, 1.4.3).

Claims are handed on by the same form, preview and undoing as from the worklist (`work_bulk`): this page only chooses
which and to whom. It is one address with ``of`` for whose claims are listed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET

from lipei.domain.events import Actor
from lipei.norms.texts import text
from lipei.reads import agenda, colleagues
from lipei.reads import team as reads
from lipei.reads import worklist as lists
from lipei.reads.team import Member, Reach, Team
from lipei.reads.worklist import BadCursor, Filters, Horizon, Listed
from lipei.services import bulk_actions
from lipei.web.console import work
from lipei.web.console.shell import book, now, show, who
from lipei.web.console.work_filters import COLUMNS as HEADS
from lipei.web.console.work_filters import WORK
from lipei.web.templatetags.lipei import duration_words, language
from lipei.web.templatetags.parts import Part

COLUMNS = ("next", "waits", "handler", "person")
AWAY_AHEAD = timedelta(days=14)
"""Absences that begin within this time stand beside the name."""
NOBODY = "nobody"
LOOKS = {"late": "late", "soon": "soon", "today": "today", "later": "ok", "none": "none"}
"""How each stretch of a load is drawn."""


@require_GET
def team(request: HttpRequest) -> HttpResponse:
    """The team and a list of claims: those that break next, or the open ones of ``of`` (a colleague, or *nobody*)."""
    viewer, at = who(request), now()
    horizon = Horizon.of(at, timezone.get_current_timezone())
    calendar = book(request).calendars.current.get(book(request).duty.calendar)
    reach = Reach.of(horizon, calendar, book(request).settings.team_risk_minutes)
    found = reads.team(viewer, reach=reach, away_until=at + AWAY_AHEAD)
    chosen = _chosen(request.GET.get("of", ""), found)
    try:
        listed = lists.work(
            viewer, language=language(), now=at, whose="all", filters=_filters(chosen, reach),
            limit=work.ROWS[WORK], cursor=request.GET.get("cursor", ""),
        )  # fmt: skip
    except BadCursor:
        return redirect("console:team")
    mark = _mark(viewer, listed, horizon, found, chosen)
    if request.headers.get("If-None-Match") == mark:
        answer: HttpResponse = HttpResponseNotModified()
    else:
        items = agenda.items(
            listed.rows, viewer=viewer, book=book(request), language=language(), horizon=horizon,
            since=agenda.last_evening(calendar, at),
        )  # fmt: skip
        part = request.headers.get("HX-Request") == "true"
        answer = show(
            request, "team_rows" if part else "team", "team", mark=mark, chosen=chosen,
            **_rows(request, [work.drawn(item, viewer) for item in items], listed, chosen),
            **_people(found, viewer), within=duration_words(timedelta(minutes=book(request).settings.team_risk_minutes)),
        )  # fmt: skip
    answer.headers["ETag"] = mark
    answer.headers["Vary"] = "HX-Request, Cookie, Accept-Language"
    return answer


def _chosen(said: str, found: Team) -> Member | None:
    """Whose claims are listed; None: those of everybody that break next."""
    if said == NOBODY:
        return found.nobody or Member(0, "")
    return next((m for m in found.members if str(m.id) == said), None)


def _filters(chosen: Member | None, reach: Reach) -> Filters:
    if chosen is None:
        return Filters(due_before=reach.soon)
    return Filters(unassigned=True) if not chosen.id else Filters(handler=chosen.id)


def _mark(viewer: Actor, listed: Listed, horizon: Horizon, found: Team, chosen: Member | None) -> str:
    seen = [(r.id, r.version, r.handler, horizon.stretch(r.due_at)) for r in listed.rows]
    age = int(horizon.now.timestamp()) // (60 * work.FRESH_MINUTES)
    said = (viewer.id, language(), seen, chosen and chosen.id, listed.next_cursor, age)
    return f'"{hashlib.sha256(repr(said).encode()).hexdigest()[:32]}"'


def _rows(request: HttpRequest, rows: list[dict[str, Any]], listed: Listed, chosen: Member | None) -> dict[str, Any]:
    """The list as `worklist_rows.html` draws it."""
    mine = {"of": str(chosen.id) if chosen.id else NOBODY} if chosen else {}
    cursor = request.GET.get("cursor", "")

    def where(cursor: str = "") -> str:
        return "?" + urlencode({**mine, **({"cursor": cursor} if cursor else {})})

    return {
        "groups": work.grouped(rows), "columns": COLUMNS, "on_work": True, "asked": {}, "tiles": (),
        "shown": [(code, text(HEADS[code], language())) for code in COLUMNS],
        "same": where(cursor), "beginning": where(), "first": not cursor,
        "following": where(listed.next_cursor) if listed.next_cursor else "",
        "bulk_actions": ("assign",) if "assign" in bulk_actions.offered(who(request)) else (),
    }  # fmt: skip


def _people(found: Team, viewer: Actor) -> dict[str, Any]:
    handlers = {c.id: c for c in colleagues.listed(now=now(), roles=reads.HANDS)} if _assigns(viewer) else {}
    loads = {m.id: m.load for m in found.members}
    own = [m.id for m in sorted(found.members, key=lambda m: (m.away is not None, m.load)) if m.id in handlers]
    others = [i for i in handlers if i not in own]
    return {
        "people": [_drawn(m, found.most, m.id in handlers) for m in found.members],
        "nobody": _drawn(found.nobody, found.most, False) if found.nobody else None,
        "targets": [(handlers[i], loads.get(i)) for i in (*own, *others)],
        "total": {risk: sum(m.risks[risk] for m in _all(found)) for risk in reads.RISKS},
        "load": sum(m.load for m in _all(found)),
        "away": [m for m in found.members if m.away or m.next_away],
    }


def _assigns(viewer: Actor) -> bool:
    return "assign" in bulk_actions.offered(viewer)


def _all(found: Team) -> Sequence[Member]:
    return (*found.members, *((found.nobody,) if found.nobody else ()))


def _drawn(member: Member, most: int, takes: bool) -> dict[str, Any]:
    parts = [Part(LOOKS[risk], n, text(f"team.risk.{risk}", language())) for risk, n in member.risks.items()]
    return {"m": member, "parts": parts, "most": most, "takes": takes, "risks": list(member.risks.items())}
