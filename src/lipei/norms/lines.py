"""The table of lines of business, read from a document, and the small checks that strict tables share."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from lipei.domain.lines import Line, Lines, Meaning, Product
from lipei.norms.errors import NormError
from lipei.norms.texts import LANGUAGES


def parse(document: Mapping[str, Any]) -> Lines:
    """The lines, products and foreign vocabularies of a ``lines`` document.

    Raises NormError where a code is used that no line or product declares, or a key is unknown or missing.
    """
    known_keys("lines", document, required={"version", "lines", "products"}, optional={"vocabularies"})
    products = {row["code"]: _product(row) for row in rows("lines.products", document["products"])}
    lines = {}
    for row in rows("lines.lines", document["lines"]):
        known_keys(f"lines.{row.get('code')}", row, required={"code", "losses"})
        own = tuple(product.code for product in products.values() if product.line == row["code"])
        lines[row["code"]] = Line(row["code"], texts_of("lines.losses", row["losses"]), own)
    for product in products.values():
        known_codes(f"lines.products.{product.code}", [product.line], lines)
    table = Lines(lines, products)
    return Lines(lines, products, _vocabularies(document.get("vocabularies") or {}, table))


def _product(row: Mapping[str, Any]) -> Product:
    known_keys(f"lines.products.{row.get('code')}", row, required={"code", "line", "covers"}, optional={"liability"})
    covers, liability = texts_of("lines.covers", row["covers"]), texts_of("lines.liability", row.get("liability", []))
    known_codes(f"lines.products.{row['code']}.liability", liability, covers)
    return Product(row["code"], row["line"], covers, liability)


def _vocabularies(document: Mapping[str, Any], table: Lines) -> dict[str, dict[str, Meaning]]:
    found: dict[str, dict[str, Meaning]] = {}
    for vocabulary, words in known_keys("lines.vocabularies", document, optional=document).items():
        found[vocabulary] = {}
        for row in rows(f"lines.{vocabulary}", words, code="word"):
            place = f"lines.{vocabulary}.{row['word']}"
            known_keys(place, row, required={"word", "lines"}, optional={"losses", "covers"})
            meant = tuple(table.lines) if row["lines"] == "all" else texts_of(place, row["lines"])
            meaning = Meaning(meant, texts_of(place, row.get("losses", [])), texts_of(place, row.get("covers", [])))
            known_codes(place, meaning.lines, table.lines)
            known_codes(place, meaning.losses, table.losses)
            known_codes(place, meaning.covers, table.covers)
            found[vocabulary][row["word"].strip().casefold()] = meaning
    return found


def known_keys(
    place: str, row: Any, *, required: Collection[str] = (), optional: Collection[str] = ()
) -> Mapping[str, Any]:
    """The row itself, once it is sure to be a mapping with every required key and no key nobody reads."""
    if not isinstance(row, Mapping):
        raise NormError("norm_error.table.not_a_row", place=place)
    for key in required:
        if key not in row:
            raise NormError("norm_error.table.missing_key", place=place, key=key)
    for key in row:
        if key not in required and key not in optional:
            raise NormError("norm_error.table.unknown_key", place=place, key=key)
    return row


def rows(place: str, value: Any, *, code: str = "code") -> list[Mapping[str, Any]]:
    """The rows of a list, each a mapping with its own ``code``: no two the same."""
    if not isinstance(value, list):
        raise NormError("norm_error.table.not_a_list", place=place)
    seen: set[str] = set()
    for row in value:
        if not isinstance(row, Mapping):
            raise NormError("norm_error.table.not_a_row", place=place)
        name = row.get(code)
        if not isinstance(name, str) or not name:
            raise NormError("norm_error.table.missing_key", place=place, key=code)
        if name in seen:
            raise NormError("norm_error.table.twice", place=place, code=name)
        seen.add(name)
    return value


def known_codes(place: str, codes: Iterable[str], known: Collection[str]) -> None:
    """Refuse a code that no table declares."""
    if isinstance(codes, str) or not isinstance(codes, Iterable):
        raise NormError("norm_error.table.not_a_list", place=place)
    for code in codes:
        if not isinstance(code, str) or code not in known:
            raise NormError("norm_error.table.unknown_code", place=place, code=code)


def check_remarks(place: str, row: Mapping[str, Any]) -> None:
    """Refuse a ``source`` or ``note`` that is neither a text nor a wording in every language."""
    for key in ("source", "note"):
        said = row.get(key, "")
        if isinstance(said, Mapping):
            known_keys(f"{place}.{key}", said, required=LANGUAGES)
        for words in said.values() if isinstance(said, Mapping) else (said,):
            if not isinstance(words, str):
                raise NormError("norm_error.value.words", place=f"{place}.{key}", value=str(words))


def texts_of(place: str, value: Any) -> tuple[str, ...]:
    """A list of codes as a tuple; anything else, and a code twice, is refused."""
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise NormError("norm_error.table.not_a_list", place=place)
    if len(set(value)) != len(value):
        raise NormError("norm_error.table.twice", place=place, code=next(v for v in value if value.count(v) > 1))
    return tuple(value)
