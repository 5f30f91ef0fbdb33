"""The norm tables to read: each as a table in words, its versions, and what a version changed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from lipei.norms import loader
from lipei.norms.declared import TABLES
from lipei.norms.errors import NormError
from lipei.reads import colleagues, norm_versions, people
from lipei.services import norms
from lipei.services.roster import ABLE
from lipei.web.console.norm_changes import Change, changes
from lipei.web.console.norm_context import words_of
from lipei.web.console.norm_words import Words, sections
from lipei.web.console.shell import book, now, show, who
from lipei.web.templatetags.lipei import language


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """All tables with the version in force."""
    in_force = dict(book(request).versions)
    rows = [(table, in_force.get(table, 1), may_edit(request, table)) for table in loader.TABLES]
    return show(request, "norms", "norms", rows=rows)


def may_edit(request: HttpRequest, table: str) -> bool:
    """Whether the visitor's role keeps this table."""
    return bool(who(request).roles & set(norms.EDITORS.get(table, ())))


def known(table: str) -> str:
    """The name of a table; 404 for another."""
    if table not in loader.TABLES:
        raise Http404
    return table


@require_GET
def table(request: HttpRequest, table: str) -> HttpResponse:
    """A table as it is in force, its versions, and how it differs from the shipped default."""
    version, text = norms.text_in_force(known(table))
    return _shown(request, table, version, text)


@require_GET
def version(request: HttpRequest, table: str, version: int) -> HttpResponse:
    """An earlier version: who, when, why, and what it changed; ``with`` compares it with another."""
    found = norm_versions.document(known(table), version)
    if found is None:
        raise Http404
    return _shown(request, table, version, found, earlier=True)


def _shown(request: HttpRequest, table: str, version: int, text: str, *, earlier: bool = False) -> HttpResponse:
    history = norm_versions.history(table)
    staff = people.names(people.staff_ids(h.author for h in history))
    newest = history[0].version if history else 1
    document = loader.read(text) if text else {}
    w = words(request, table, document)
    against = _against(request, table, version) if earlier else 1
    other = norm_versions.document(table, against) if against and against != version else None
    return show(
        request,
        "norm",
        "norms",
        table=table,
        version=version,
        text=text,
        earlier=earlier,
        products=_products(request) if table == "products" else (),
        sections=sections(w, TABLES[table], document) if table in TABLES else (),
        newest_version=newest,
        history=[(h, people.actor_name(h.author, staff, language())) for h in history],
        this=next(((h, people.actor_name(h.author, staff, language())) for h in history if h.version == version), None),
        against=against,
        versions=[h.version for h in history] + ([1] if table in TABLES else []),
        changes=compared(request, table, other, text) if other is not None and table in TABLES else None,
        difference=list(difference(other, text)) if other is not None and table not in TABLES else (),
        default_moved=table != "products" and norm_versions.made_from(table) not in ("", loader.default_digest(table)),
        may_edit=may_edit(request, table),
    )


def _against(request: HttpRequest, table: str, version: int) -> int:
    """The version that an earlier one is compared with: the one asked for, else its predecessor."""
    asked = request.GET.get("with", "")
    return int(asked) if asked.isdecimal() and len(asked) < 7 else version - 1


def _products(request: HttpRequest) -> list[tuple[Any, ...]]:
    return [
        (t.code, t.version, t.valid_from, t.name[language()], t.source_status) for t in book(request).products.terms
    ]


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
        before, after = loader.read(old), loader.read(new)
    except NormError:
        return []
    return changes(words(request, table, before), words(request, table, after), TABLES[table], before, after)


def difference(old: str, new: str) -> Iterator[tuple[str, str]]:
    """For a table that is text: lines taken away and added, each with its kind (``del``, ``add``, ``ctx``)."""
    kinds = {"-": "del", "+": "add", " ": "ctx"}
    for line in difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2):
        if not line.startswith(("---", "+++", "@@")):
            yield kinds.get(line[:1], "ctx"), line
        elif line.startswith("@@"):
            yield "ctx", "…"
