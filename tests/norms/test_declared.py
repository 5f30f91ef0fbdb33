"""The declarations of the tables say what the shipped documents hold, and have words for all of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from lipei.norms import loader, vocabularies
from lipei.norms.declared import TABLES
from lipei.norms.shapes import Shape
from lipei.norms.texts import LANGUAGES, texts


def mistakes(shape: Shape, value: Any, place: str) -> Iterator[str]:
    """Keys that nobody declares, and declared ones that are missing."""
    if shape.kind == "record" and isinstance(value, Mapping):
        yield from (f"{place}.{key} is not declared" for key in value if shape.field(key) is None)
        yield from (f"{place}.{f.key} is missing" for f in shape.fields if f.required and f.key not in value)
        for f in shape.fields:
            if f.key in value:
                yield from mistakes(f.shape, value[f.key], f"{place}.{f.key}")
    elif shape.item is not None and isinstance(value, list | Mapping):
        inner = value.items() if isinstance(value, Mapping) else enumerate(value)
        for at, one in inner:
            yield from mistakes(shape.item, one, f"{place}.{at}")


def fields(shape: Shape) -> Iterator[tuple[str, Shape]]:
    """Every key that a declaration names."""
    for f in shape.fields:
        yield f.key, f.shape
        yield from fields(f.shape)
    if shape.item is not None:
        yield from fields(shape.item)


def test_every_table_but_the_terms_of_products_is_declared() -> None:
    assert set(TABLES) == set(loader.TABLES) - {"products"}


@pytest.mark.parametrize("table", TABLES)
def test_a_declaration_holds_exactly_what_the_shipped_document_has(table: str) -> None:
    assert list(mistakes(TABLES[table], loader.read(loader.default_text(table)), table)) == []


@pytest.mark.parametrize("table", TABLES)
def test_every_column_has_a_heading(table: str) -> None:
    known = texts()
    keys = {key for key, _ in fields(TABLES[table])}
    assert not {key for key in keys if not {f"column.{table}.{key}", f"column.{key}"} & set(known)}


@pytest.mark.parametrize("of", sorted(set(vocabularies.VOCABULARIES) - {"currency", "staff"}))
def test_every_code_that_can_be_chosen_has_words(of: str) -> None:
    book = loader.rulebook({})
    for language in LANGUAGES:
        codes = vocabularies.VOCABULARIES[of].codes(book)
        assert not [code for code in codes if not vocabularies.words(of, code, language)]
