"""What differs between two documents of a table, in words: row by row, field by field, before and after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from lipei.norms.shapes import Field, Shape
from lipei.norms.texts import LANGUAGES, shipped
from lipei.web.console.norm_sections import has_rows, is_section
from lipei.web.console.norm_words import NOTHING, Words


@dataclass(frozen=True, slots=True)
class Change:
    """One row or part that was *changed*, *added* or *removed*; ``fields``: label, before, after."""

    kind: str
    section: str
    title: str
    fields: tuple[tuple[str, str, str], ...] = ()


def changes(
    old_words: Words, new_words: Words, shape: Shape, old: Mapping[str, Any], new: Mapping[str, Any]
) -> list[Change]:
    """Everything that differs; each side is told in its own words (names, staff, currency)."""
    found: list[Change] = []
    alone: list[tuple[str, str, str]] = []
    both = (old_words, new_words)
    for one in shape.fields:
        before, after = old.get(one.key), new.get(one.key)
        if one.key in ("version", "texts") or before == after:
            continue
        if has_rows(one.shape):
            found += _rows(both, one, before, after)
        elif is_section(one.shape):
            found += _part(both, one, before, after)
        else:
            alone.append(
                (new_words.label(one.key), _said(old_words, one, before, old), _said(new_words, one, after, new))
            )
    if alone:
        found.append(Change("changed", new_words.t("table.head"), "", tuple(alone)))
    return [*found, *_texts(both, old.get("texts") or {}, new.get("texts") or {})]


Both = tuple[Words, Words]


def _said(w: Words, one: Field, value: Any, row: Any) -> str:
    return w.said(one.shape, value, row if isinstance(row, Mapping) else {})


def _pairs(shape: Shape, before: Any, after: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Rows that belong together, with their key where they have one; None on the side where a row is missing."""
    if isinstance(before, Mapping) or isinstance(after, Mapping):
        old, new = dict(before or {}), dict(after or {})
        yield from ((key, old.get(key), new.get(key)) for key in dict.fromkeys((*old, *new)))
        return
    olds, news = _keyed(shape, before or []), _keyed(shape, after or [])
    yield from ((None, olds.pop(key), news.pop(key)) for key in [k for k in olds if k in news])
    yield from ((None, o, n) for o, n in zip_longest(olds.values(), news.values())) if len(olds) == len(news) else (
        *((None, o, None) for o in olds.values()), *((None, None, n) for n in news.values())
    )  # fmt: skip


def _keyed(shape: Shape, rows: list[Any]) -> dict[str, Any]:
    """Rows by what tells them apart; a second one of the same by its number as well."""
    found: dict[str, Any] = {}
    for row in rows:
        own = row if isinstance(row, Mapping) else {}
        key = str(own["code"]) if "code" in own else repr([own.get(name) for name in shape.title])
        found[key if key not in found else f"{key} {len(found)}"] = row
    return found


def _rows(both: Both, one: Field, before: Any, after: Any) -> Iterator[Change]:
    shape, section = one.shape, both[1].label(one.key)
    item = shape.item
    assert item is not None
    for key, old, new in _pairs(shape, before, after):
        if old == new:
            continue
        w = both[0] if new is None else both[1]
        title = w.code(shape.of, key) if key is not None else w.title(shape, old if new is None else new)
        if item.kind == "setting":
            said = [words.said(item, value) for words, value in zip(both, (old, new), strict=True)]
            yield Change("changed", section, title, ((both[1].label("value"), said[0], said[1]),))
        elif old is None or new is None:
            yield Change("added" if old is None else "removed", section, title, tuple(_one_side(w, item, old, new)))
        else:
            yield Change("changed", section, title, tuple(_fields(both, item, old, new)))


def _fields(both: Both, item: Shape, old: Any, new: Any) -> Iterator[tuple[str, str, str]]:
    units = {f.shape.unit[1:]: f.key for f in item.fields if f.shape.unit.startswith(".")}
    for f in item.present(lambda key: new.get(key, old.get(key))):
        if f.key in ("code", "version", "text") and f.shape.kind in ("words", "kept"):
            continue
        before, after = old.get(f.key, f.default), new.get(f.key, f.default)
        beside = f.shape.unit[1:] if f.shape.unit.startswith(".") else ""
        if (before == after and not (beside and old.get(beside) != new.get(beside))) or f.key in units:
            continue
        yield both[1].label(f.called), _said(both[0], f, before, old), _said(both[1], f, after, new)


def _one_side(w: Words, item: Shape, old: Any, new: Any) -> Iterator[tuple[str, str, str]]:
    row = old if new is None else new
    units = {f.shape.unit[1:] for f in item.fields if f.shape.unit.startswith(".")}
    for f in item.present(row.get if isinstance(row, Mapping) else lambda key: None):
        if f.key in ("code", "version", "text", *units) or not isinstance(row, Mapping) or f.key not in row:
            continue
        said = _said(w, f, row[f.key], row)
        yield w.label(f.called), *((said, "") if new is None else ("", said))


def _part(both: Both, one: Field, before: Any, after: Any) -> Iterator[Change]:
    shape, label = one.shape, both[1].label(one.key)
    old, new = (value if isinstance(value, Mapping) else {} for value in (before, after))
    if shape.kind == "record":
        yield Change("changed", label, "", tuple(_fields(both, shape, old, new)))
        return
    assert shape.item is not None
    fields = [
        (both[1].code(shape.of, key) if not shape.open else both[1].t("column.name"),
         both[0].said(shape.item, old.get(key)), both[1].said(shape.item, new.get(key)))
        for key in dict.fromkeys((*old, *new)) if old.get(key) != new.get(key)
    ]  # fmt: skip
    yield Change("changed", label, "", tuple(fields))


def _texts(both: Both, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Own wordings, in each language in which they differ; one that a side does not have is the shipped one there."""
    w = both[1]
    old, new = ({**{k: shipped()[k] for k in (*old, *new) if k in shipped()}, **side} for side in (old, new))
    fields = [
        (w.t(f"messages.language.{spoken}"), (old.get(key) or {}).get(spoken, "") or NOTHING,
         (new.get(key) or {}).get(spoken, "") or NOTHING)
        for key in dict.fromkeys((*old, *new)) if old.get(key) != new.get(key)
        for spoken in LANGUAGES if (old.get(key) or {}).get(spoken) != (new.get(key) or {}).get(spoken)
    ]  # fmt: skip
    if fields:
        yield Change("changed", w.label("texts"), "", tuple(fields))
