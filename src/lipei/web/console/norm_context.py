"""What the pages of a norm table need to know beside the document: whose words, which currencies, which fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from lipei.domain.rulebook import Rulebook
from lipei.norms import loader
from lipei.norms.declared import TABLES
from lipei.norms.declared_terms import PARTS
from lipei.norms.texts import text
from lipei.norms.vocabularies import of_field
from lipei.web.console.norm_words import Words

FAMILIES = {"triage": ("triage", "assignment", "duty"), "assignment": ("triage", "assignment", "duty"),
            "duty": ("triage", "assignment", "duty")}  # fmt: skip
"""Tables whose conditions ask for the same fields; every other table is a family of its own."""
_OWN = {"paper_source": "sources", "paper": "papers", "look": "looks", "line": "lines", "product": "products"}
_OF_TERMS = {"own_clause": "clauses", "own_limit": "limits", "own_cover": "covers"}
_MINE = {"papers": ("paper_source", "paper"), "surveys": ("look",), "lines": ("line", "product")}


def words_of(
    table: str, document: Mapping[str, Any], *, book: Rulebook, language: str, staff: Mapping[int, str] | None = None
) -> Words:
    """The words for a document of a table; ``staff`` are the names of colleagues that it may name."""
    currency = document.get("currency") if isinstance(document.get("currency"), str) else ""
    texts = document.get("texts")
    found = Words(
        table=table, language=language, book=book, currency=str(currency or book.settings.currency),
        staff=staff or {},
        names=texts if isinstance(texts, Mapping) else {},
        fields=field_kinds(table, document),
        declared={of: _declared(document, _OWN[of]) for of in _MINE.get(table, ())},
        currencies=tuple(dict.fromkeys((book.settings.currency, *_currencies(document)))),
    )  # fmt: skip
    return replace(found, **_of_terms(document, language, book)) if table == "products" else found


def _of_terms(document: Mapping[str, Any], language: str, book: Rulebook) -> dict[str, Any]:
    """The words of laid-out terms for their own clauses, limits and covers, and the headings of each cover's parts.

    What a draft took out and still names is called as in the edition in force.
    """
    own = {of: _names(document.get(key), language) for of, key in _OF_TERMS.items()}
    newest = book.products.latest(str(document.get("code")))
    said = {
        of: {**({code: one.name[language] for code, one in getattr(newest, key).items()} if newest else {}), **own[of]}
        for of, key in _OF_TERMS.items()
    }
    labels = {
        f"{part}.{cover}": text(f"terms.{part}", language, cover=name)
        for cover, name in own["own_cover"].items() for part in PARTS
    }  # fmt: skip
    return {"declared": {of: tuple(names) for of, names in own.items()}, "said_of": said, "labels": labels}


def _names(rows: Any, language: str) -> dict[str, str]:
    found = {}
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, Mapping) and "code" in row:
            name = row.get("name")
            found[str(row["code"])] = (
                str(name[language]) if isinstance(name, Mapping) and language in name else str(row["code"])
            )
    return found


def _declared(document: Mapping[str, Any], key: str) -> tuple[str, ...]:
    found = document.get(key)
    if isinstance(found, Mapping):
        return tuple(map(str, found))
    return tuple(str(row["code"]) for row in found or () if isinstance(row, Mapping) and "code" in row)


def _currencies(value: Any) -> Iterator[str]:
    """The currencies for which a document names sums."""
    if isinstance(value, Mapping):
        for key, one in value.items():
            if isinstance(key, str) and len(key) == 3 and key.isupper() and isinstance(one, int | str):
                yield key
            yield from _currencies(one)
    elif isinstance(value, list):
        for one in value:
            yield from _currencies(one)


def field_kinds(table: str, document: Mapping[str, Any]) -> dict[str, str]:
    """Field of a condition → *flag*, *code*, *money*, *number*, *words* or *known*: those in use, in this table and its kin.

    The tables themselves say what can be asked for: a form offers what some condition asks already.
    """
    return {**_shipped(table), **_kinds([document])}


@cache
def _shipped(table: str) -> Mapping[str, str]:
    return _kinds(loader.read(loader.default_text(t)) for t in FAMILIES.get(table, (table,)) if t in TABLES)


def _kinds(documents: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for test in (test for document in documents for test in _tests(document)):
        name, kind = str(test["field"]), _kind(test)
        if kind != "known" or name not in found:
            found[name] = kind
    return found


def _tests(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if {"field", "op"} <= set(value):
            yield value
            return
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _tests(one)


def _kind(test: Mapping[str, Any]) -> str:
    name, value = str(test["field"]), test.get("value")
    if test["op"] == "is_true" or isinstance(value, bool):
        return "flag"
    if of_field(name):
        return "code"
    if isinstance(value, int):
        return "money" if name.endswith("_minor") else "number"
    return "words" if isinstance(value, str) and value else "known"
