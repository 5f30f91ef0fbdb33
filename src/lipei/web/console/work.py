"""My day and the list of all claims (norm 2.3.1: in the order in which promises would break).

A list is one address: filters, columns and page stand in its query. The same address answers with the whole page, with
its rows alone (htmx, and the page asking whether anything is new: 304 where nothing is), or as a workbook.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from lipei.domain import lifecycle
from lipei.domain.events import Actor, Refusal
from lipei.domain.rulebook import Rulebook
from lipei.norms.texts import text
from lipei.reads import agenda, readiness, saved_views, search
from lipei.reads import worklist as lists
from lipei.reads.agenda import Item
from lipei.reads.worklist import BadCursor, Listed
from lipei.services import actions, bulk_actions, list_exports
from lipei.web.console import as_workbook, claim_page, work_cells
from lipei.web.console.access import PAGES, allowed
from lipei.web.console.shell import book, complain, now, say, show, who
from lipei.web.console.work_filters import ALL, COLUMNS, FITTING, FLAGS, WORK, Asked, chips, read
from lipei.web.templatetags.lipei import language

ROWS = {WORK: 30, ALL: 50}
"""Of a page: in the worklist each row is looked at closely."""
EXPORT_ROWS = 200
FRESH_MINUTES = 5
"""So old may the words for the time left grow on a page where nothing else happens."""
FIRST = (
    ("team_lead", "team"), ("handler", "worklist"), ("manager", "worklist"), ("intake", "report"),
    ("surveyor", "visits"), ("assessor", "approvals"), ("approver", "approvals"), ("finance", "finance"),
    ("expert", "consultations"), ("investigator", "claims"), ("compliance", "claims"), ("administrator", "health"),
)  # fmt: skip
"""Which page somebody begins with, by role; of several roles the first one here tells."""
TAKEN = ("acknowledge_duty", "accept_assignment")
"""What taking a claim does by the way: it says that one has it in hand."""


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Where somebody begins: the page that their role needs first.

    In an empty company whoever sets it up begins with the list of what it still lacks.
    """
    actor = who(request)
    if allowed(PAGES["setup"], actor) and readiness.is_empty():
        return redirect("console:setup")
    mine = (page for role, page in FIRST if role in actor.roles)
    first = next(name for name in (*mine, "worklist", "health", "norms") if allowed(PAGES[name], actor))
    return redirect(f"console:{first}")


def _listed(asked: Asked, viewer: Actor, cursor: str, limit: int = 0) -> Listed:
    limit = limit or ROWS[asked.page]
    common = {"language": language(), "now": asked.horizon.now, "filters": asked.filters()}
    if asked.page == WORK:
        return lists.work(viewer, whose=asked.whose, limit=limit, cursor=cursor, **common)  # type: ignore[arg-type]
    return lists.claims(viewer, limit=limit, cursor=cursor, **common)  # type: ignore[arg-type]


@require_GET
def worklist(request: HttpRequest) -> HttpResponse:
    """The open claims that wait for the reader."""
    return _page(request, WORK)


@require_GET
def claims(request: HttpRequest) -> HttpResponse:
    """All claims within the reader's scope, newest first; a whole claim number leads straight to the claim."""
    return _page(request, ALL)


def _page(request: HttpRequest, page: str) -> HttpResponse:
    viewer = who(request)
    views = saved_views.of(viewer, page)
    opens_with = next((v for v in views if v.default), None)
    if not request.GET and opens_with is not None and opens_with.query:
        return redirect(f"{request.path}?{opens_with.query}")
    asked = read(request, page, viewer, book(request), now())
    try:
        listed = _listed(asked, viewer, request.GET.get("cursor", ""))
    except BadCursor:
        return redirect(f"console:{page}")
    if page == ALL and len(listed.rows) == 1 and asked.said.get("q") == listed.rows[0].number:
        return redirect("console:claim", number=listed.rows[0].number)
    counted = lists.counts(viewer, whose=asked.whose, horizon=asked.horizon) if page == WORK else {}
    mark = _mark(asked, listed, counted, viewer)
    if request.headers.get("If-None-Match") == mark:
        answer: HttpResponse = HttpResponseNotModified()
    else:
        part = request.headers.get("HX-Request") == "true"
        answer = show(
            request, "worklist_rows" if part else "worklist", page, mark=mark, views=_drawn_views(views, asked),
            **_rows(request, asked, listed, counted, viewer), **_frame(request, asked, viewer),
        )  # fmt: skip
    answer.headers["ETag"] = mark
    answer.headers["Vary"] = "HX-Request, Cookie, Accept-Language"
    return answer


def _mark(asked: Asked, listed: Listed, counted: dict[str, int], viewer: Actor) -> str:
    """What the rows of a page look like, as an ETag: it changes with any claim shown, its order, and with time."""
    seen = [(r.id, r.version, r.handler_name, asked.horizon.stretch(r.due_at)) for r in listed.rows]
    age = int(asked.horizon.now.timestamp()) // (60 * FRESH_MINUTES)
    said = (viewer.id, asked.query(), language(), seen, sorted(counted.items()), listed.next_cursor, age)
    return f'"{hashlib.sha256(repr(said).encode()).hexdigest()[:32]}"'


def _frame(request: HttpRequest, asked: Asked, viewer: Actor) -> dict[str, Any]:
    """What stands around the rows: filters, columns, views, what may be done with several."""
    return {
        "asked": asked.said, "whose": asked.whose, "whoses": lists.WHOSE if asked.page == WORK else (),
        "states": lifecycle.OPEN if asked.page == WORK else lifecycle.ANY, "lines": tuple(book(request).lines.lines),
        "dues": lists.DUE, "flags": FLAGS, "handlers": asked.handlers, "chips": chips(asked),
        "clear": f"?{asked.query(without=tuple(asked.said))}", "fitting": [(c, COLUMNS[c]) for c in FITTING[asked.page]],
        "chosen": asked.columns, "since": asked.since, "kept": asked.pairs(without=("col",)),
        "export": f"{reverse('console:' + asked.page + '-export')}?{asked.query()}",
        "bulk_actions": bulk_actions.offered(viewer),
    }  # fmt: skip


def _drawn_views(views: Sequence[saved_views.View], asked: Asked) -> list[dict[str, Any]]:
    here = asked.query()
    return [
        {"id": v.id, "name": v.name, "default": v.default, "href": f"?{v.query}", "here": v.query == here}
        for v in views
    ]


def _rows(request: HttpRequest, asked: Asked, listed: Listed, counted: dict[str, int], viewer: Actor) -> dict[str, Any]:
    found = _items(request, asked, listed, viewer)
    rows = [drawn(item, viewer) for item in found]
    groups = grouped(rows) if asked.page == WORK else [("", rows)] if rows else []
    cursor = request.GET.get("cursor", "")
    again = {"cursor": cursor} if cursor else {}
    return {
        "groups": groups,
        "columns": asked.shown,
        "shown": [(code, text(COLUMNS[code], language())) for code in asked.shown],
        "tiles": _tiles(asked, counted) if counted else [],
        "query": asked.query(),
        "same": f"?{asked.query()}{'&' + urlencode(again) if again else ''}",
        "following": f"?{asked.query()}&{urlencode({'cursor': listed.next_cursor})}" if listed.next_cursor else "",
        "beginning": f"?{asked.query()}",
        "first": not cursor,
        "on_work": asked.page == WORK,
        "too_short": search.too_short(asked.said.get("q", "")),
        "may_take": asked.page == WORK and any(item.next is not None for item in found),
    }


def grouped(rows: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Rows in the order of an agenda, by its groups."""
    return [(name, list(found)) for name, found in groupby(rows, key=lambda d: d["item"].group)]


def _tiles(asked: Asked, counted: dict[str, int]) -> list[tuple[str, int, bool, str]]:
    """How much is due when: name, number, whether there is more, and the list narrowed to it (the one shown: undone)."""
    return [
        (
            name, min(counted[name], lists.COUNTED_MAX), counted[name] > lists.COUNTED_MAX,
            f"?{asked.query(without=('due',)) if asked.said.get('due') == name else asked.query(due=name)}",
        )
        for name in lists.DUE
    ]  # fmt: skip


def _items(request: HttpRequest, asked: Asked, listed: Listed, viewer: Actor) -> tuple[Item, ...]:
    if asked.page == ALL:
        return agenda.plain(listed.rows)
    return agenda.items(
        listed.rows, viewer=viewer, book=book(request), language=language(), horizon=asked.horizon, since=asked.since
    )


def drawn(item: Item, viewer: Actor) -> dict[str, Any]:
    """A row as the template draws it: the next step as a button, or as a way to where several parts wait."""
    rows = claim_page.next_rows(item.row.number, item.case, (item.next,)) if item.next and item.case else []
    button = rows[0]["button"] if rows else None
    if button and rows[0]["count"]:
        where = reverse("console:claim", args=[item.row.number])
        button = {**button, "href": f"{where}{button['href']}"}
    mine = item.row.handler is not None and item.row.handler == viewer.staff_id
    return {"item": item, "row": item.row, "button": button, "step": rows[0] if rows else None, "mine": mine}


# --- the next claim ---------------------------------------------------------------------------------------------------


@require_POST
def take(request: HttpRequest) -> HttpResponse:
    """Open the first claim of the list on which something is the reader's to do, accepting it where that is open."""
    viewer = who(request)
    asked = read(request, WORK, viewer, book(request), now(), given=request.POST.get("query", ""))
    listed = _listed(asked, viewer, "")
    item = next(
        (i for i in _items(request, asked, listed, viewer) if i.next is not None and i.waits.whom == "you"), None
    )
    if item is None or item.next is None:
        say(request, "worklist.take.nothing")
        return redirect(f"{reverse('console:worklist')}?{asked.query()}")
    for step in _taking(item, viewer, book(request)):
        done = actions.act(item.row.number, "claim", step.action, actor=viewer, now=now())
        if isinstance(done, Refusal):
            complain(request, done)
        else:
            say(request, "console.done", action=claim_page.label(step))
    return redirect("console:claim", number=item.row.number)


def _taking(item: Item, viewer: Actor, rules: Rulebook) -> list[lifecycle.Step]:
    """What the reader says by taking a claim that was put to them and that they have not answered for yet."""
    found = (lifecycle.BY_ACTION["claim", action] for action in TAKEN)
    case = item.case
    if case is None:
        return []
    return [
        s for s in found if not lifecycle.check(case=case, step=s, part=case.claim, actor=viewer, book=rules, now=now())
    ]


# --- as a workbook ----------------------------------------------------------------------------------------------------


@require_GET
def worklist_export(request: HttpRequest) -> HttpResponse:
    """The worklist as filtered, as a workbook."""
    return _export(request, WORK)


@require_GET
def claims_export(request: HttpRequest) -> HttpResponse:
    """The list of claims as filtered, as a workbook."""
    return _export(request, ALL)


def _export(request: HttpRequest, page: str) -> HttpResponse:
    """A list in its order, names masked, no more than `list_exports.ROWS_MAX` rows; the file is gone once it is sent."""
    viewer = who(request)
    asked = read(request, page, viewer, book(request), now())
    columns = work_cells.columns(asked)

    def rows() -> Iterator[list[Any]]:
        for listed in list_exports.pages(lambda cursor: _listed(asked, viewer, cursor, EXPORT_ROWS)):
            found = {item.row.id: item for item in _items(request, asked, listed, viewer)}
            for row in listed.rows:
                if row.id in found:
                    yield work_cells.cells(found[row.id], columns)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.xlsx"
        list_exports.write(
            path, labels=work_cells.labels(columns), rows=rows(),
            more=text("worklist.export.more", language(), n=list_exports.ROWS_MAX),
        )  # fmt: skip
        return as_workbook.sent(path, page, at=asked.horizon.now)
