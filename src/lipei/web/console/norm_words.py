"""A norm table in words: what stands in it, as people say it, drawn from its declaration (`lipei.norms.declared`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from lipei.domain.money import Money, MoneyError
from lipei.domain.rulebook import Rulebook
from lipei.norms import vocabularies
from lipei.norms.money import money_text, rate_text
from lipei.norms.shapes import Field, Shape
from lipei.norms.texts import text, texts

NOTHING = "—"


@dataclass(frozen=True)
class Words:
    """Says the values of one table in a language. ``currency`` of amounts that name none, ``staff`` by id."""

    table: str
    language: str
    book: Rulebook
    currency: str
    staff: Mapping[int, str] = field(default_factory=dict)
    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # the document's own wordings
    fields: Mapping[str, str] = field(default_factory=dict)  # what conditions may ask for, and what kind it is
    declared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # codes that the document itself declares
    currencies: tuple[str, ...] = ()

    def t(self, key: str, **params: Any) -> str:
        """A text in this language."""
        return text(key, self.language, **params)

    def label(self, key: str) -> str:
        """The heading of a column."""
        for name in (f"column.{self.table}.{key}", f"column.{key}"):
            if name in texts():
                return self.t(name)
        return key

    def code(self, of: str, code: Any) -> str:
        """The words for a code; the code itself where nobody has named it."""
        if of == "staff":
            return NOTHING if code is None else self.staff.get(code, str(code)) if isinstance(code, int) else str(code)
        if of == "calendar" and f"calendar.{code}" in self.names:
            return self.names[f"calendar.{code}"][self.language]
        return vocabularies.words(of, str(code), self.language) or str(code)

    def quantity(self, unit: str, n: int) -> str:
        """A number with its unit."""
        for prefix in ("promise_unit", "quantity"):
            key = f"{prefix}.{unit}.{'one' if n == 1 else 'many'}"
            if key in texts():
                return self.t(key, n=n)
        return f"{n:,}"

    def money(self, minor: int, currency: str = "") -> str:
        """An amount of minor units with its currency."""
        try:
            return money_text(Money(minor, currency or self.currency), self.language)
        except MoneyError:
            return f"{minor} {currency or self.currency}"

    def own_codes(self, of: str) -> tuple[str, ...]:
        """Codes of a vocabulary that only this document knows."""
        return self.declared.get(of, ())

    def join(self, parts: list[str]) -> str:
        """Several things in one line."""
        return self.t("common.list_separator").join(parts)

    def lines(self, shape: Shape, value: Any, row: Mapping[str, Any] | None = None) -> list[str]:
        """A value as lines to read; none for what is empty. ``row`` is the record that it stands in."""
        if value is None or value == "" or value == [] or (value == {} and shape.kind != "condition"):
            return []
        say = _LINES.get(shape.kind)
        try:
            return say(self, shape, value, row or {}) if say else [str(value)]
        except (TypeError, ValueError, AttributeError, KeyError):  # a document that makes no sense is shown as it is
            return [str(value)]

    def said(self, shape: Shape, value: Any, row: Mapping[str, Any] | None = None) -> str:
        """A value in one line."""
        return "; ".join(self.lines(shape, value, row)) or NOTHING

    def title(self, shape: Shape, row: Any) -> str:
        """What people call a row: its own name, else what tells it from the others."""
        if not isinstance(row, Mapping):
            return str(row)
        for name in shape.names:
            found = self.name(name.pattern, row) if name.label == "name" else ""
            if found:
                return found
        if self.table == "messages" and f"message_name.{row.get('code')}" in texts():
            return self.t(f"message_name.{row['code']}")
        item = shape.item
        assert item is not None
        fields = [one for key in shape.title if (one := item.field(key)) is not None]
        parts = [self.join(self.lines(f.shape, row.get(f.key), row)[:6]) for f in fields]
        return " · ".join(part for part in parts if part) or str(row.get("code", NOTHING))

    def name(self, pattern: str, row: Mapping[str, Any]) -> str:
        """The wording of a row under a pattern of text keys; the document's own before the one in force."""
        key = row["text"] if "text" in row and pattern.startswith("reason.") else pattern.format(code=row.get("code"))
        found = self.names.get(key) or texts().get(key)
        return found[self.language] if found and self.language in found else ""


# --- a value of each kind -----------------------------------------------------------------------------------------------

Say = Callable[[Words, Shape, Any, Mapping[str, Any]], list[str]]


def _whole(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    unit = row.get(shape.unit[1:], "") if shape.unit.startswith(".") else shape.unit
    return [w.quantity(str(unit), value)]


def _amounts(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    if value and all(limit == "unlimited" for limit in value.values()):
        return [w.t("table.unlimited")]
    return [
        w.t("table.unlimited.in", currency=currency) if limit == "unlimited" else w.money(limit, currency)
        for currency, limit in value.items()
    ]


def _codes(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    return [w.join([w.code(shape.of, one) for one in ([value] if isinstance(value, str) else value)])]


def _alternatives(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    first, *others = [w.code(shape.of, name.strip()) for name in str(value).split("|")]
    for other in others:
        first = w.t("table.otherwise", first=first, then=other)
    return [first]


def _duration(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    units = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
    return [w.quantity(units[str(value)[-1]], int(str(value)[:-1]))]


def _either(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    return [w.t(f"warning.{which}", n=n) for which, n in value.items()]


def _listed(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    assert shape.item is not None
    return [line for one in value for line in w.lines(shape.item, one)]


def _record(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    if not isinstance(value, Mapping):
        return [w.said(shape.fields[0].shape, value)]
    return [
        f"{w.label(f.key)}: {said}" for f in shape.fields if (said := "; ".join(w.lines(f.shape, value.get(f.key), value)))
    ]  # fmt: skip


def _rows(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    return [_row(w, shape, one) for one in value]


def _row(w: Words, shape: Shape, one: Any) -> str:
    """One row of a table within a row: what it is called, and the rest in brackets."""
    item = shape.item
    assert item is not None
    if not isinstance(one, Mapping):
        return w.said(item.fields[0].shape, one)
    rest = [
        w.label(f.key) if one[f.key] is True else "; ".join(w.lines(f.shape, one[f.key], one))
        for f in item.fields
        if f.key not in shape.title and one.get(f.key) not in (None, "", False, [])
    ]
    title = w.title(shape, one)
    return f"{title} ({'; '.join(rest)})" if rest else title


def _entries(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    assert shape.item is not None
    return [f"{w.code(shape.of, key)}: {w.said(shape.item, one)}" for key, one in value.items()]


def _wordings(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    return [value[w.language]]


def _condition(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    if "all" in value:
        return [_test(w, part) for part in value["all"]]
    return [_test(w, value)] if value else [w.t("table.always")]


def _test(w: Words, value: Any) -> str:
    for how in ("all", "any"):
        if how in value:
            parts = [_test(w, part) for part in value[how]]
            separator = w.t("condition_say.or") if how == "any" else "; "
            return w.t(f"condition_say.{how}", parts=separator.join(parts)) if len(parts) > 1 else parts[0]
    name, op = str(value["field"]), operator(value)
    return w.t(f"condition_say.{op}", field=field_name(w, name), value=_wanted(w, name, value.get("value")))


def operator(test: Mapping[str, Any]) -> str:
    """The comparison of a test as people choose it: ``is_true`` and ``eq null`` have words of their own."""
    op, value = str(test.get("op")), test.get("value")
    if op == "is_true":
        return "no" if value is False else "yes"
    if op in ("eq", "ne") and value in (None, ""):
        return "empty" if op == "eq" else "filled"
    if op in ("eq", "ne") and isinstance(value, bool):
        return "yes" if value is (op == "eq") else "no"
    return op


def field_name(w: Words, name: str) -> str:
    """What a field of a condition is called."""
    return vocabularies.field_words(name, w.language) or name


def _wanted(w: Words, name: str, value: Any) -> str:
    if isinstance(value, list | tuple):
        return w.join([_wanted(w, name, one) for one in value])
    if isinstance(value, int) and not isinstance(value, bool) and name.endswith("_minor"):
        return w.money(value)
    if isinstance(value, str):
        of = vocabularies.of_field(name)
        return w.code(of, value) if of else (vocabularies.words("condition_value", value, w.language) or value)
    return str(value)


def _flag(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    return [w.t("common.yes" if value else "common.no")]


def _kept(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    """What no form edits: each key with its words, and those of its codes."""
    if isinstance(value, Mapping):
        return [
            f"{w.label(str(key))}: {w.join([w.code(str(key), one) for one in _several(v)])}" for key, v in value.items()
        ]
    return [w.join([str(one) for one in _several(value)])]


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# --- settings, which declare themselves ---------------------------------------------------------------------------------


def setting(w: Words, row: Mapping[str, Any], value: Any) -> str:
    """The value of a setting with its unit."""
    if isinstance(value, list | tuple):
        return w.join([setting(w, row, one) for one in value])
    if value in (None, ""):
        return NOTHING
    if row.get("type") != "whole":
        return choice(w, row, str(value))
    unit = row.get("unit", "")
    if unit == "minor":
        return w.money(value)
    if unit == "ppm":
        return rate_text(value)
    if unit == "bytes":
        return w.t("quantity.megabytes.many", n=f"{value / 1_000_000:,.6g}")
    return w.quantity(unit, value)


def choice(w: Words, row: Mapping[str, Any], value: str) -> str:
    """The words for one of a setting's choices."""
    if row.get("type") not in ("choice", "choices"):
        return value
    keys = (f"market.{value}", f"messages.language.{value}", f"setting_choice.{value}")
    return next((w.t(key) for key in keys if key in texts()), value)


def _setting(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    return [setting(w, value, value.get("value", value.get("default")))]


_LINES: Mapping[str, Say] = {
    "words": lambda w, s, v, r: [str(v)],
    "text": lambda w, s, v, r: [str(v)],
    "zone": lambda w, s, v, r: [str(v)],
    "time": lambda w, s, v, r: [str(v)],
    "date": lambda w, s, v, r: [v.isoformat() if isinstance(v, date) else str(v)],
    "moment": lambda w, s, v, r: [v.strftime("%Y-%m-%d %H:%M") if isinstance(v, datetime) else str(v)],
    "strings": lambda w, s, v, r: [" / ".join(v)],
    "spans": lambda w, s, v, r: [w.join(list(v))],
    "years": lambda w, s, v, r: [w.t("table.every_year") if isinstance(v, str) else w.join([str(year) for year in v])],
    "minor": lambda w, s, v, r: [w.money(v)],
    "code": lambda w, s, v, r: [w.code(s.of, v)],
    "whole": _whole,
    "amounts": _amounts,
    "flag": _flag,
    "codes": _codes,
    "alternatives": _alternatives,
    "duration": _duration,
    "either": _either,
    "listed": _listed,
    "record": _record,
    "rows": _rows,
    "entries": _entries,
    "wordings": _wordings,
    "condition": _condition,
    "setting": _setting,
    "kept": _kept,
}


# --- a whole table ------------------------------------------------------------------------------------------------------


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
    return [
        *found,
        *([{"key": "", "label": w.t("table.head"), "facts": alone, "part": "-", "form": True}] if alone else []),
    ]


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
    found: dict[str, Any] = {"key": one.key, "label": w.label(one.key), "form": one.form, "part": one.key}
    if has_rows(shape):
        pairs = list(value.items()) if isinstance(value, Mapping) else list(enumerate(value or ()))
        return {**found, **_table(w, shape, one.key, pairs)}
    if shape.kind == "entries":
        assert shape.item is not None
        pairs = [(w.code(shape.of, key), w.lines(shape.item, v) or [NOTHING]) for key, v in (value or {}).items()]
        return {**found, "facts": pairs}
    facts = [(w.label(f.key), w.lines(f.shape, value.get(f.key), value) or [NOTHING]) for f in shape.fields]
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
        more = [(w.label(f.key), said) for f in rest if (said := w.lines(f.shape, entry.get(f.key), entry))]
        rows.append({
            "title": (w.title(shape, row) if shape.kind == "rows" else w.code(shape.of, at)) if named else "",
            "called": w.title(shape, row) if shape.kind == "rows" else w.code(shape.of, at),
            "code": entry.get("code", "") if shape.kind == "rows" else at, "part": f"{key}/{at}",
            "cells": [_cell(w, f, entry) for f in shown], "more": more,
        })  # fmt: skip
    labels = [w.label(f.key) for f in shown]
    columns = [*([w.label("name")] if named else []), *labels]
    return {
        "columns": columns, "rows": [{**row, "labels": dict(enumerate(labels))} for row in rows], "named": named,
        "width": len(columns) + 1, "adds": shape.kind == "rows",
    }  # fmt: skip


def _settings(w: Words, key: str, pairs: list[tuple[Any, Any]]) -> dict[str, Any]:
    columns = [w.label("settings"), w.label("value"), w.t("table.default")]
    rows = []
    for name, row in pairs:
        said = [[setting(w, row, row.get("value", row.get("default")))], [setting(w, row, row.get("default"))]]
        title = w.code("setting", name)
        rows.append({
            "title": title, "called": title, "code": name, "part": f"{key}/{name}", "cells": said, "more": [],
            "labels": dict(enumerate(columns[1:])),
        })  # fmt: skip
    return {"columns": columns, "rows": rows, "named": True, "width": 4}


def _spread(shown: list[Field]) -> set[str]:
    """Columns that another one says already: the unit beside its number."""
    return {f.shape.unit[1:] for f in shown if f.shape.unit.startswith(".")}


def _cell(w: Words, one: Field, row: Mapping[str, Any]) -> list[str]:
    return w.lines(one.shape, row.get(one.key, one.default), row)
