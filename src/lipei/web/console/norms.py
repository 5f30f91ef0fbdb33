"""The norm tables to read: each as a table in words, its versions, and what a version changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from lipei.domain import permissions
from lipei.norms import loader
from lipei.norms.declared import both_of, shape_of
from lipei.norms.errors import NormError
from lipei.norms.shapes import WORDINGS
from lipei.reads import colleagues, norm_versions, people
from lipei.services import norms
from lipei.services.roster import ABLE
from lipei.web.console.norm_changes import Change, changes
from lipei.web.console.norm_context import words_of
from lipei.web.console.norm_pieces import document_of
from lipei.web.console.norm_sections import FIND_FROM, contents, narrowed, sections
from lipei.web.console.norm_words import Words
from lipei.web.console.shell import book, now, show, who
from lipei.web.templatetags.lipei import language


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """All tables with the version in force."""
    in_force = dict(book(request).versions)
    # Of products there are several: which one is edited is chosen on their page.
    rows = [
        (table, in_force.get(table, 1), table != "products" and may_edit(request, table)) for table in loader.TABLES
    ]
    return show(request, "norms", "norms", rows=rows)


def may_edit(request: HttpRequest, table: str) -> bool:
    """Whether the visitor's role keeps this table."""
    return permissions.may(who(request), f"norm.{table}")


def known(table: str) -> str:
    """The name of a table; 404 for another."""
    if table not in loader.TABLES:
        raise Http404
    return table


@require_GET
def table(request: HttpRequest, table: str) -> HttpResponse:
    """A table as it is in force, its versions, and how it differs from the shipped default."""
    version, text = norms.text_in_force(known(table))
    if table == "products":
        return _products(request, version)
    return _shown(request, table, version, text)


def _products(request: HttpRequest, version: int) -> HttpResponse:
    """The products with their editions; the terms of one (``of``) as a table in words."""
    text = norm_versions.product_text(request.GET.get("of", ""))
    if text:
        return _shown(request, "products", version, text)
    rows: dict[str, list[Any]] = {}
    for t in reversed(book(request).products.terms):
        rows.setdefault(t.code, []).append(
            (f"{t.code}-{t.version}", t.version, t.valid_from, t.name[language()], t.source_status)
        )
    return show(
        request, "products", "norms", products=[rows[code] for code in sorted(rows)], history=_history("products"),
        may_edit=may_edit(request, "products"),
    )  # fmt: skip


@require_GET
def version(request: HttpRequest, table: str, version: int) -> HttpResponse:
    """An earlier version: who, when, why, and what it changed; ``with`` compares it with another."""
    found = norm_versions.document(known(table), version)
    if found is None:
        raise Http404
    return _shown(request, table, version, found, earlier=True)


def _shown(request: HttpRequest, table: str, version: int, text: str, *, earlier: bool = False) -> HttpResponse:
    history = _history(table)
    document = document_of(table, text) if text else {}
    w = words(request, table, document)
    against, other = _against(request, table, version, document, earlier=earlier)
    of = f"{document.get('code')}-{document.get('version')}" if table == "products" else ""
    newest = history[0][0].version if history else 1
    return show(
        request, "norm", "norms", table=table, version=version, text=text, earlier=earlier, of=of,
        name=w.said(WORDINGS, document.get("name")) if of else "", edition=document.get("version") if of else "",
        **laid(sections(w, shape_of(table, document), document), request.GET.get("find", "")),
        newest_version=newest if not of else version,
        history=history if not of else (),
        this=next((pair for pair in history if pair[0].version == version), None) if earlier else None,
        against=against, versions=[h.version for h, _ in history] + [1] if not of else [],
        changes=compared(request, table, other, text) if other is not None else None,
        default_moved=not of and norm_versions.made_from(table) not in ("", loader.default_digest(table)),
        may_edit=may_edit(request, table),
    )  # fmt: skip


def laid(found: list[dict[str, Any]], find: str) -> dict[str, Any]:
    """The sections of a page with what helps to find a row among them: the words looked for, and the places to go to."""
    shown = narrowed(found, find)
    many = any(len(section.get("rows", ())) >= FIND_FROM for section in found)
    return {"sections": shown, "places": contents(shown), "find": find, "find_from": many}


def _history(table: str) -> list[tuple[norm_versions.Version, str]]:
    """The edits of a table, newest first, each with its author's name."""
    history = norm_versions.history(table)
    staff = people.names(people.staff_ids(h.author for h in history))
    return [(h, people.actor_name(h.author, staff, language())) for h in history]


def _against(
    request: HttpRequest, table: str, version: int, document: Mapping[str, Any], *, earlier: bool
) -> tuple[int, str | None]:
    """What a version is compared with: the one asked for, else its predecessor; of terms the product's edition before."""
    if table == "products":
        before = int(document.get("version") or 1) - 1
        return before, norm_versions.product_text(f"{document.get('code')}-{before}") or None
    asked = request.GET.get("with", "")
    usual = version - 1 if earlier else 1
    against = int(asked) if earlier and asked.isdecimal() and len(asked) < 7 else usual
    return against, norm_versions.document(table, against) if against and against != version else None


def words(request: HttpRequest, table: str, document: Mapping[str, Any]) -> Words:
    """The words for a document. Two queries more where it names colleagues."""
    staff: dict[int, str] = {}
    if table == "duty":
        named = {p for row in document.get("shifts") or () for p in row.get("persons") or () if isinstance(p, int)}
        staff = {p.id: p.name for p in colleagues.listed(now=now(), roles=ABLE)}
        lead = document.get("team_lead")
        named |= {lead} if isinstance(lead, int) else set()
        staff |= people.names(named - set(staff))
    return words_of(table, document, book=book(request), language=language(), staff=staff)


def compared(request: HttpRequest, table: str, old: str, new: str) -> list[Change]:
    """What the second document says otherwise than the first, in words; nothing where one of them cannot be read."""
    try:
        before, after = document_of(table, old), document_of(table, new)
    except NormError:
        return []
    shape = both_of(shape_of(table, before), shape_of(table, after))
    return changes(words(request, table, before), words(request, table, after), shape, before, after)
