"""A norm table as a page shows it: its sections with their rows, those that somebody looks for, and where to go to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lipei.norms.shapes import Field, Shape
from lipei.web.console.norm_words import ALL, NOTHING, Words, setting

FIND_FROM = 15
"""Tables of so many rows offer to look for one of them."""


def narrowed(found: list[dict[str, Any]], words: str) -> list[dict[str, Any]]:
    """The sections with the rows alone in which all these words stand; those without any are left out."""
    wanted = words.casefold().split()
    if not wanted:
        return found
    kept = []
    for section in found:
        rows = [row for row in section.get("rows", ()) if all(word in _row_text(row) for word in wanted)]
        if rows:
            kept.append({**section, "rows": rows})
    return kept


def _row_text(row: Mapping[str, Any]) -> str:
    said = [row["title"], row["called"], row["group"], *(line for lines in row["cells"] for line in lines)]
    return " ".join([*said, *(line for _, lines in row["more"] for line in lines)]).casefold()


def contents(found: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    """Where one can go on a long page: each section, and each group of its rows; anchor, name, how many rows.

    The first row of a group is told its anchor (``opens``).
    """
    places: list[tuple[str, str, int]] = []
    for section in found:
        groups: dict[str, list[dict[str, Any]]] = {}
        for row in section.get("rows", ()):
            groups.setdefault(row["group"], []).append(row)
        if "" not in groups and groups:
            for n, (group, rows) in enumerate(groups.items(), 1):
                rows[0]["opens"] = f"s-{section['key']}-{n}"
                places.append((rows[0]["opens"], group, len(rows)))
        elif section.get("toc"):
            places.append((f"s-{section['key'] or 'rest'}", section["toc"], sum(map(len, groups.values()))))
    return places


def sections(w: Words, shape: Shape, document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A document as parts to read: tables of rows first, then what stands alone."""
    found, alone = [], []
    for one in shape.fields:
        if one.key in ("version", "texts") or one.key not in document:
            continue
        if is_section(one.shape):
            found.append(section(w, one, document[one.key]))
        else:
            alone.append((w.label(one.key), w.lines(one.shape, document[one.key], document) or [NOTHING]))
    if alone:
        label = w.t("table.head")
        found.append({"key": "", "label": label, "toc": label, "facts": alone, "part": "-", "form": True})
    return found


def is_section(shape: Shape) -> bool:
    """Whether a part of a document has a heading of its own."""
    return shape.kind in ("rows", "entries", "record")


def has_rows(shape: Shape) -> bool:
    """Whether a part of a document is edited row by row."""
    return shape.kind == "rows" or (
        shape.kind == "entries" and shape.item is not None and shape.item.kind in ("record", "setting")
    )


def section(w: Words, one: Field, value: Any) -> dict[str, Any]:
    """One part of a document under its heading."""
    shape = one.shape
    label, (kind, _, cover) = w.label(one.key), one.key.partition(".")
    toc = label if not cover else w.code("own_cover", cover) if kind == "steps" else ""
    found: dict[str, Any] = {"key": one.key, "label": label, "toc": toc, "form": one.form, "part": one.key}
    if has_rows(shape):
        pairs = list(value.items()) if isinstance(value, Mapping) else list(enumerate(value or ()))
        return {**found, **_table(w, shape, one.key, pairs)}
    if shape.kind == "entries":
        assert shape.item is not None
        pairs = [(w.code(shape.of, key), w.lines(shape.item, v) or [NOTHING]) for key, v in (value or {}).items()]
        return {**found, "facts": pairs}
    facts = [(w.label(f.called), w.lines(f.shape, value.get(f.key), value) or [NOTHING]) for f in shape.fields]
    return {**found, "facts": facts}


def _table(w: Words, shape: Shape, key: str, pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    item = shape.item
    assert item is not None
    if item.kind == "setting":
        return _settings(w, key, pairs)
    named = bool(shape.names) or shape.kind == "entries" or shape.title[0] in ("code", "name")
    own = set() if not named else {*shape.title, "code"}
    wanted = (*(() if named else shape.title), *shape.columns)
    shown = [f for f in item.fields if (f.key in wanted if shape.columns else f.key not in own)]
    hidden = _spread(shown) | ({"code"} if not named else set()) | {"version"}
    shown = [f for f in shown if f.key not in hidden]
    rest = [
        f for f in item.fields if f not in shown and f.key not in own | _spread(shown) | {"code", "version", "text"}
    ]
    if shape.title == ("name",):
        rest += [f for f in item.fields if f.key == "text" and f not in shown]
    rows = []
    for at, row in pairs:
        entry = row if isinstance(row, Mapping) else {}
        there = list(item.present(entry.get))
        more = [
            (w.label(f.called), said)
            for f in rest
            if f in there and (said := w.lines(f.shape, entry.get(f.key), entry))
        ]
        rows.append({
            "title": (w.title(shape, row) if shape.kind == "rows" else w.code(shape.of, at)) if named else "",
            "called": w.title(shape, row) if shape.kind == "rows" else w.code(shape.of, at),
            "code": entry.get("code", "") if shape.kind == "rows" else at, "part": f"{key}/{at}",
            "cells": [_cell(w, f, entry) for f in shown], "more": more, "group": _group(w, shape, entry),
        })  # fmt: skip
        if shape.ordered:  # what a step does differs from row to row: its parts stand in one cell
            rows[-1] |= {
                "cells": [[w.title(shape, entry)], [w.pair(label, w.also(said)) for label, said in more]],
                "more": [],
            }
    labels = [w.label(f.called) for f in shown] if not shape.ordered else [w.label("do"), w.label("how")]
    if shape.groups:
        order = list(dict.fromkeys(row["group"] for row in rows))
        rows.sort(key=lambda row: order.index(row["group"]))
    columns = [*([w.label("name")] if named else []), *labels]
    return {
        "columns": columns, "rows": [{**row, "labels": dict(enumerate(labels))} for row in rows], "named": named,
        "width": len(columns) + 1, "adds": shape.kind == "rows", "ordered": shape.ordered,
    }  # fmt: skip


def _settings(w: Words, key: str, pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    columns = [w.label("settings"), w.label("value"), w.t("table.default")]
    rows = []
    for name, row in pairs:
        said = [[setting(w, row, row.get("value", row.get("default")))], [setting(w, row, row.get("default"))]]
        title = w.code("setting", name)
        rows.append({
            "title": title, "called": title, "code": name, "part": f"{key}/{name}", "cells": said, "more": [], "group": "",
            "labels": dict(enumerate(columns[1:])),
        })  # fmt: skip
    return {"columns": columns, "rows": rows, "named": True, "width": 4}


def _group(w: Words, shape: Shape, row: Mapping[str, Any]) -> str:
    """The group of a row: what it says for the fields that groups are made by."""
    fields = [one for key in shape.groups if shape.item is not None and (one := shape.item.field(key)) is not None]
    said = " · ".join(line for f in fields for line in w.lines(f.shape, row.get(f.key), row))
    return said[:1].upper() + said[1:]


def _spread(shown: list[Field]) -> set[str]:
    """Columns that another one says already: the unit beside its number."""
    return {f.shape.unit[1:] for f in shown if f.shape.unit.startswith(".")}


def _cell(w: Words, one: Field, row: Mapping[str, Any]) -> list[str]:
    said = w.lines(one.shape, row.get(one.key, one.default), row)
    return said or ([w.t(ALL)] if one.shape.kind == "codes" and one.shape.open else [])
