"""The norm tables: read as tables, edited as YAML, checked, previewed on open claims, saved with a reason."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from lipei.domain.events import Refusal
from lipei.norms import loader
from lipei.norms.errors import NormError
from lipei.reads import norm_versions, people
from lipei.services import norms, sweeps
from lipei.web.console.norm_tables import node
from lipei.web.console.shell import book, now, say, show, status_of, who
from lipei.web.errors import forbidden, sentence
from lipei.web.templatetags.lipei import language

PREVIEWED = ("promises", "calendars")
ROWS_LISTED_MAX = 50


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """All tables with the version in force."""
    in_force = dict(book(request).versions)
    rows = [
        (table, in_force.get(table, 1), bool(who(request).roles & set(norms.EDITORS.get(table, ()))))
        for table in loader.TABLES
    ]
    return show(request, "norms", "norms", rows=rows)


def _known(table: str) -> str:
    if table not in loader.TABLES:
        raise Http404
    return table


@require_GET
def table(request: HttpRequest, table: str) -> HttpResponse:
    """A table as it is in force, its versions, and how it differs from the shipped default."""
    version, text = norms.text_in_force(_known(table))
    return _shown(request, table, version, text)


@require_GET
def version(request: HttpRequest, table: str, version: int) -> HttpResponse:
    """An earlier version."""
    found = norm_versions.document(_known(table), version)
    if found is None:
        raise Http404
    return _shown(request, table, version, found)


def _shown(request: HttpRequest, table: str, version: int, text: str) -> HttpResponse:
    history = norm_versions.history(table)
    default = loader.default_text(table) if table != "products" else ""
    staff = people.names(people.staff_ids(h.author for h in history))
    newest = history[0] if history else None
    return show(
        request,
        "norm",
        "norms",
        table=table,
        version=version,
        text=text,
        products=[
            (t.code, t.version, t.valid_from, t.name[language()], t.source_status) for t in book(request).products.terms
        ]
        if table == "products"
        else (),
        node=node(loader.read(text)) if text else None,
        newest_version=newest.version if newest else 1,
        history=[(h, people.actor_name(h.author, staff, language())) for h in history],
        difference=list(difference(default, text)) if default and text != default else (),
        default_moved=table != "products" and norm_versions.made_from(table) not in ("", loader.default_digest(table)),
        may_edit=bool(who(request).roles & set(norms.EDITORS.get(table, ()))),
    )


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, table: str) -> HttpResponse:
    """Edit a table. "Check" says whether it makes sense and what it would do to open claims; "Save" needs a reason.

    Promises and calendars are not saved before their effect was shown: the first "Save" shows it (norm 2.3.1).
    """
    if not who(request).roles & set(norms.EDITORS.get(_known(table), ())):
        return forbidden(request, permission=f"norm.{table}")
    in_force, text = norms.text_in_force(table)
    if request.method == "GET":
        start = _start(request, table) or text
        return show(request, "norm_edit", "norms", table=table, text=start, seen=in_force, reason="")
    text, reason = request.POST.get("document", "").replace("\r\n", "\n"), request.POST.get("reason", "")
    seen = request.POST.get("seen_version", "")
    shown = request.POST.get("previewed", "") == mark(text)
    kept: dict[str, Any] = {"table": table, "text": text, "reason": reason, "seen": seen}
    if "check" in request.POST or (not shown and _moves_clocks(table, text)):
        refusal = norms.check(table, text)
        if refusal is not None:
            return show(request, "norm_edit", "norms", **kept, refusal=sentence(refusal), status=422)
        found = effect(table, text)
        return show(request, "norm_edit", "norms", **kept, checked=True, effect=found, previewed=mark(text))
    outcome = norms.save(
        table=table,
        text=text,
        reason=reason,
        seen_version=int(seen) if seen.isdigit() else 0,
        actor=who(request),
        now=now(),
    )
    if isinstance(outcome, Refusal):
        current, there = norms.text_in_force(table)
        stale = list(difference(there, text)) if outcome.kind == "conflict" else ()
        return show(
            request,
            "norm_edit",
            "norms",
            **{**kept, "seen": current if stale else seen},
            refusal=sentence(outcome),
            stale=stale,
            reason_missing="reason" in outcome.fields,
            previewed=mark(text) if shown else "",
            status=status_of(outcome),
        )
    say(request, "console.norms.saved", version=outcome)
    return redirect("console:norm", table=table)


def _start(request: HttpRequest, table: str) -> str | None:
    """What an edit begins with other than what is in force: terms of a product, or an earlier version (``version``)."""
    if table == "products":
        return norm_versions.product_text(request.GET.get("of", ""))
    earlier = request.GET.get("version", "")
    return norm_versions.document(table, int(earlier)) if earlier.isdecimal() and len(earlier) < 7 else None


def _moves_clocks(table: str, text: str) -> bool:
    """Whether saving may move the promises of open claims: of the settings only another market does."""
    if table != "settings":
        return table in PREVIEWED
    try:
        return bool(
            loader.parsed(table, 2, text).market != loader.parsed(table, 2, norms.text_in_force(table)[1]).market
        )
    except NormError:
        return False  # saving says what is wrong


def mark(text: str) -> str:
    """What tells whether a document is the one whose effect was shown."""
    return hashlib.sha256(text.encode()).hexdigest()


def effect(table: str, text: str) -> Any | None:
    """What saving would do to the promises of open claims."""
    if not _moves_clocks(table, text):
        return None
    try:
        return sweeps.preview(table=table, text=text, now=now(), list_max=ROWS_LISTED_MAX)
    except NormError:
        return None


def difference(old: str, new: str) -> Iterator[tuple[str, str]]:
    """Lines taken away and added, each with its kind (``del``, ``add``, ``ctx``)."""
    kinds = {"-": "del", "+": "add", " ": "ctx"}
    for line in difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2):
        if not line.startswith(("---", "+++", "@@")):
            yield kinds.get(line[:1], "ctx"), line
        elif line.startswith("@@"):
            yield "ctx", "…"
