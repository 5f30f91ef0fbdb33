"""Editing a norm table: row by row in forms, or as text; previewed, then saved with a reason as the next version.

The draft is the document itself and travels with the form, so that several rows can be changed in one version and
nothing is lost without JavaScript. One piece is open at a time (see `norm_pieces`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from lipei.domain.events import Refusal
from lipei.norms import loader, vocabularies
from lipei.norms.declared import shape_of
from lipei.norms.errors import NormError
from lipei.norms.shapes import WORDINGS, Shape, fits
from lipei.norms.texts import text as wording
from lipei.norms.texts import texts
from lipei.reads import norm_versions
from lipei.services import norms, sweeps
from lipei.web.console import calculation, terms
from lipei.web.console.access import refused
from lipei.web.console.norm_draw import focused
from lipei.web.console.norm_fields import ROOT, nested
from lipei.web.console.norm_pieces import (
    ALONE,
    Piece,
    changed,
    copied,
    document_of,
    draw_piece,
    earlier,
    piece,
    put,
    read_piece,
    removed,
    text_of,
    typed_piece,
)
from lipei.web.console.norm_sections import sections
from lipei.web.console.norm_words import Words
from lipei.web.console.norms import compared, known, laid, may_edit, words
from lipei.web.console.shell import book, now, say, show, status_of, who
from lipei.web.errors import sentence
from lipei.web.templatetags.lipei import language

PREVIEWED = ("promises", "calendars")
ROWS_LISTED_MAX = 50


@dataclass
class Draft:
    """An edit under way: the document as it would be, and the piece that is open with what was typed in it."""

    table: str
    text: str
    part: str = ""
    typed: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    document: dict[str, Any] | None = None
    refusal: str = ""
    refused: Refusal | None = None
    focus: str = ""

    def load(self) -> None:
        """Read the text; where it is no table, say so."""
        try:
            found = document_of(self.table, self.text)
        except NormError as error:
            self.document = None
            self.refuse(error)
            return
        if fits(shape_of(self.table, found), found):
            self.document = found
        else:  # it can be shown as text alone; what is wrong with it, its parser says
            self.document = None
            self.refused = norms.check(self.table, self.text) or Refusal("norm_error.yaml_value", "fields")

    def refuse(self, error: NormError) -> None:
        """Keep why this is no table."""
        self.refused = Refusal(error.code, "fields", error.params)

    @property
    def shape(self) -> Shape:
        """What the document holds."""
        return shape_of(self.table, self.document or {})

    def become(self, document: dict[str, Any]) -> None:
        """Go on with a changed document; a refusal where it cannot be written."""
        try:
            self.text = text_of(self.table, document)
            self.document = document_of(self.table, self.text) if self.table == "products" else document
        except NormError as error:
            self.refuse(error)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, table: str) -> HttpResponse:
    """Edit a table. Promises and calendars are not saved before their effect was shown (norm 2.3.1)."""
    if not may_edit(request, known(table)):
        return refused(request, f"norm.{table}")
    in_force, there = norms.text_in_force(table)
    if request.method == "GET":
        begun = _start(request, table)
        if table == "products" and not begun:
            return redirect("console:norm", table=table)
        draft = Draft(table, begun or there, part=request.GET.get("part", ""))
        draft.load()
        _open(request, draft, draft.part)
        return _page(request, draft, seen=in_force, there=_there(draft, there))
    draft = Draft(
        table,
        request.POST.get("document", "").replace("\r\n", "\n"),
        request.POST.get("part", ""),
        nested(request.POST),
    )
    draft.load()
    seen, reason = request.POST.get("seen_version", ""), request.POST.get("reason", "")
    do, _, what = _asked(request).partition(":")
    if draft.document is not None:
        do = _worked(request, draft, do, what)
    kept: dict[str, Any] = {"seen": seen, "reason": reason, "there": _there(draft, there)}
    if draft.errors or draft.refused:
        return _page(request, draft, **kept, status=422)
    if do == "try":
        refusal = norms.check(table, draft.text)
        if refusal is not None:
            draft.refusal = told(request, draft, refusal)
            return _page(request, draft, **kept, status=422)
        return calculation.of_draft(request, draft.text, seen=seen, reason=reason)
    if do not in ("check", "save"):
        return _page(request, draft, **kept)
    shown = request.POST.get("previewed", "") == mark(draft.text)
    if do == "check" or (not shown and _moves_clocks(table, draft.text)):
        return _previewed(request, draft, kept)
    return _saved(request, draft, kept, shown=shown)


def _asked(request: HttpRequest) -> str:
    """Which button was pressed."""
    return request.POST.get("do", "") or ("save" if "save" in request.POST else "check")


def _start(request: HttpRequest, table: str) -> str | None:
    """What an edit begins with other than what is in force: terms of a product, or an earlier version (``version``)."""
    if table == "products":
        return terms.next_edition(book(request).products, request.GET.get("of", ""), now())
    earlier = request.GET.get("version", "")
    return norm_versions.document(table, int(earlier)) if earlier.isdecimal() and len(earlier) < 7 else None


def _there(draft: Draft, in_force: str) -> str:
    """What a draft is compared with: the document in force, of terms the newest edition of that product."""
    if draft.table != "products":
        return in_force
    return terms.newest_text(norms.current().products, str((draft.document or {}).get("code")))


# --- one step of the edit -----------------------------------------------------------------------------------------------


def _worked(request: HttpRequest, draft: Draft, do: str, what: str) -> str:
    """Take what was typed into the draft and do what the button says; what is left to do is answered."""
    if do in ("add", "group", "less"):
        draft.typed, draft.focus = changed(draft.typed, do, what)
        return ""
    if do == "show":
        draft.focus = what
        return ""
    if do == "leave":
        draft.part = ""
        return ""
    if draft.part and not _applied(request, draft):
        return ""
    assert draft.document is not None
    w = words(request, draft.table, draft.document)
    if do == "open":
        _open(request, draft, what)
    elif do == "copy":
        document, where = copied(w, draft.shape, draft.document, what)
        draft.become(terms.with_parts(draft.document, document, what) if draft.table == "products" else document)
        _open(request, draft, where)
    elif do == "remove":
        draft.become(removed(w, draft.shape, draft.document, what))
        draft.part = ""
    elif do == "earlier":
        draft.become(earlier(draft.document, what))
        draft.part = ""
    elif do == "take":
        draft.part = ""
    else:
        _open(request, draft, draft.part)
        draft.focus = ""
    return do


def _open(request: HttpRequest, draft: Draft, part: str) -> None:
    """Show a piece of the draft as a form."""
    draft.part = ""
    if draft.document is None or not part:
        return
    w = words(request, draft.table, draft.document)
    found = piece(w, draft.shape, draft.document, part)
    if found is not None:
        draft.part, draft.typed = part, typed_piece(w, found)
        draft.focus = ROOT


def _applied(request: HttpRequest, draft: Draft) -> bool:
    """Put the open piece into the draft; False, and what is wrong, where it cannot be read."""
    assert draft.document is not None
    w = words(request, draft.table, draft.document)
    found = piece(w, draft.shape, draft.document, draft.part)
    if found is None:
        draft.part = ""
        return True
    value, named, draft.errors = read_piece(w, found, draft.typed)
    if draft.errors:
        return False
    made, draft.part = put(w, draft.document, found, value, named)
    if made != draft.document:
        draft.become(made)
    return draft.refused is None


# --- preview and save ---------------------------------------------------------------------------------------------------


def _previewed(request: HttpRequest, draft: Draft, kept: dict[str, Any]) -> HttpResponse:
    refusal = norms.check(draft.table, draft.text)
    if refusal is None and draft.table == "duty":
        refusal = norms.roster_gap(draft.text, now())
    if refusal is not None:
        draft.refusal = told(request, draft, refusal)
        return _page(request, draft, **kept, status=status_of(refusal))
    found = effect(draft.table, draft.text)
    return _page(request, draft, **kept, checked=True, effect=found, previewed=mark(draft.text))


def _saved(request: HttpRequest, draft: Draft, kept: dict[str, Any], *, shown: bool) -> HttpResponse:
    seen, there = kept["seen"], kept["there"]
    outcome = norms.save(
        table=draft.table,
        text=draft.text,
        reason=kept["reason"],
        seen_version=int(seen) if seen.isdigit() else 0,
        actor=who(request),
        now=now(),
    )
    if not isinstance(outcome, Refusal):
        say(request, "console.norms.saved", version=outcome)
        return redirect("console:norm", table=draft.table)
    draft.refusal = told(request, draft, outcome)
    if outcome.kind == "conflict":
        current, there = norms.text_in_force(draft.table)
        begun = norm_versions.document(draft.table, int(seen)) if seen.isdigit() and draft.table != "products" else None
        there = _there(draft, there)
        kept = {**kept, "seen": current, "there": there, "stale": begun or "", "stale_now": there}
    return _page(
        request, draft, **kept, checked=shown or "reason" in outcome.fields, previewed=mark(draft.text) if shown else "",
        reason_missing="reason" in outcome.fields, status=status_of(outcome),
    )  # fmt: skip


def told(request: HttpRequest, draft: Draft, refusal: Refusal) -> str:
    """Why an edit was refused, its place named as the page names it."""
    if draft.document is None and draft.table == "products":
        return sentence(refusal)
    document = draft.document or document_of(draft.table, norms.text_in_force(draft.table)[1])
    w = words(request, draft.table, document)
    params = dict(refusal.params)
    if isinstance(params.get("place"), str):
        params["place"] = place_words(w, document, params["place"])
    if isinstance(params.get("at"), str):
        params |= terms.told(w, params)
    elif isinstance(params.get("key"), str):
        params["key"] = w.label(params["key"])
    for name, of in (("role", "role"), ("kind", "authority_kind"), ("line", "line"), ("check", "check")):
        if isinstance(params.get(name), str):
            params[name] = w.code(of, params[name])
    if isinstance(params.get("person"), int):
        params["person"] = w.code("staff", params["person"])
    return sentence(Refusal(refusal.code, refusal.kind, params, refusal.fields))


def place_words(w: Words, document: dict[str, Any], place: str) -> str:
    """``authority.limits.3`` as people find it on the page."""
    table, *steps = place.split(".")
    shape, named = shape_of(w.table, document), []
    rows = {
        str(row["code"]): w.title(f.shape, row)
        for f in shape.fields if f.shape.kind == "rows" for row in document.get(f.key) or ()
        if isinstance(row, dict) and "code" in row
    }  # fmt: skip
    for step in steps:
        if step.isdigit():
            named.append(w.t("table.row.number", n=step))
        elif step in rows:
            named.append(rows[step])
        else:
            named.append(w.label(step) if w.label(step) != step else _step_words(w, step))
    key = f"console.norm.{table}"
    return " · ".join(named) or (w.t(key) if key in texts() else place)


def _step_words(w: Words, step: str) -> str:
    """The words for a code that a place leads over, in whichever vocabulary it stands; the code where in none."""
    if f"messages.language.{step}" in texts():
        return w.t(f"messages.language.{step}")
    found = (vocabularies.words(of, step, w.language) for of in ("setting", *vocabularies.VOCABULARIES))
    return next(filter(None, found), step)


def _moves_clocks(table: str, text: str) -> bool:
    """Whether saving may move the promises of open claims: of the settings only another market does."""
    if table != "settings":
        return table in PREVIEWED
    try:
        now = loader.draft(table, norms.text_in_force(table)[1])
        return bool(loader.draft(table, text).market != now.market)
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


# --- the page -----------------------------------------------------------------------------------------------------------


def _page(request: HttpRequest, draft: Draft, *, there: str, status: int = 200, **more: Any) -> HttpResponse:
    found: dict[str, Any] = {}
    stale = more.pop("stale", "")
    if draft.document is not None:
        w = words(request, draft.table, draft.document)
        opened = piece(w, draft.shape, draft.document, draft.part) if draft.part else None
        found = {
            **laid(sections(w, draft.shape, draft.document), request.POST.get("find", "")),
            "changes": compared(request, draft.table, there, draft.text),
            **_drawn(w, opened, draft),
        }
        if draft.table == "products":
            found |= {"edition": terms.edition(w, draft.document), "name": w.said(WORDINGS, draft.document.get("name"))}
        if stale:
            found["stale"] = compared(request, draft.table, stale, more.pop("stale_now"))
    if draft.refused and not draft.refusal:
        draft.refusal = told(request, draft, draft.refused)
    if draft.errors and not draft.refusal:
        draft.refusal = wording("table.error.fields", language())
    return show(
        request, "norm_edit", "norms", status=status, table=draft.table, text=draft.text, part=draft.part,
        refusal=draft.refusal, declared=draft.document is not None, **found, **{"reason": "", **more},
    )  # fmt: skip


def _drawn(w: Words, opened: Piece | None, draft: Draft) -> dict[str, Any]:
    if opened is None:
        return {}
    title = w.t("table.new") if opened.new else opened.label
    fields = draw_piece(w, opened, draft.typed, draft.errors)
    focused(fields, draft.focus)
    return {
        "fields": fields, "opened": title, "opened_key": draft.part.partition("/")[0],
        "alone": draft.part == ALONE,
    }  # fmt: skip
