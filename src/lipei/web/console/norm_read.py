"""What was typed in a form of a norm table, read as a value; a sentence for each path at which it is none."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from lipei.domain.calendars import HOME
from lipei.norms import vocabularies
from lipei.norms.shapes import Shape
from lipei.norms.texts import LANGUAGES, texts
from lipei.web.console.norm_fields import UNITS, Typed, blank, items, many, one, sub, typed_of
from lipei.web.console.norm_figures import figure_read, literal_read
from lipei.web.console.norm_words import ZONES_AT_HOME, Words, setting, unit_of
from lipei.web.console.norm_wrong import Wrong, amount, number, slug

_SPAN = re.compile(r"\d{2}:\d{2}-\d{2}:\d{2}")
_ABSENT = object()
OPERATORS: Mapping[str, tuple[str, ...]] = {
    "flag": ("yes", "no"),
    "code": ("in", "ne", "filled", "empty"),
    "money": ("gte", "gt", "lte", "lt", "eq", "filled", "empty"),
    "number": ("gte", "gt", "lte", "lt", "eq", "ne", "filled", "empty"),
    "words": ("eq", "ne", "filled", "empty"),
    "known": ("filled", "empty"),
}
"""The comparisons that a field of a kind can stand in."""


class Reader:
    """Reads values from the tree; what is wrong is in ``errors`` afterwards: path → sentence."""

    def __init__(self, w: Words) -> None:
        self.w = w
        self.errors: dict[str, str] = {}

    def value(self, shape: Shape, node: Typed, path: str, *, required: bool = False, was: Any = _ABSENT) -> Any:
        """The value of a shape; ``was`` is kept where what was typed says the same. None for nothing."""
        if was is not _ABSENT and shape.kind not in ("record", "setting"):
            quiet = Reader(self.w)
            if quiet._value(shape, typed_of(self.w, shape, was), path, False) == quiet._value(shape, node, path, False):
                return was
        return self._value(shape, node, path, required, was)

    def _value(self, shape: Shape, node: Typed, path: str, required: bool, was: Any = _ABSENT) -> Any:
        try:
            if shape.kind == "record":
                return self.record(shape, node, path, was if isinstance(was, Mapping) else None)
            if shape.kind == "setting":
                return self.setting(was, node, path)
            branch = _BRANCHES.get(shape.kind)
            if branch is not None:
                found = branch(self, shape, node, path)
            elif blank(node):
                found = False if shape.kind == "flag" else [] if shape.kind in _LISTS else None
            else:
                found = _LEAVES[shape.kind](self.w, shape, node)
            nobody = shape.kind == "code" and shape.open
            if required and not nobody and (found is None or (found == [] and shape.kind in ("listed", "rows"))):
                raise Wrong("refusal.required")
        except Wrong as wrong:
            self.errors[path] = self.w.t(wrong.code, **wrong.params)
            return None
        return found

    def record(self, shape: Shape, node: Typed, path: str, was: Mapping[str, Any] | None) -> Any:
        """A record; what the form does not show stays as it was."""
        found: dict[str, Any] = {}
        for f in shape.present(lambda key: one(sub(node, key))):
            where, held = f"{path}.{f.key}", sub(node, f.key)
            if not f.form:
                kept = was.get(f.key) if was is not None else _unpacked(one(held))
                if kept is not None:
                    found[f.key] = kept
                continue
            if not f.required and f.shape.kind == "record" and blank(held):
                continue
            before = was[f.key] if was is not None and f.key in was else _ABSENT
            if f.shape.kind == "literal" and f.shape.unit.startswith("."):
                shown = replace(f.shape, unit=unit_of(f.shape, lambda key: one(sub(node, key))))
            else:
                shown = f.shape
            value = self.value(shown, held, where, required=f.required, was=before)
            empty = value is None or (value in ([], {}) and f.shape.kind not in ("amounts",))
            shown_as_shipped = f.shipped and before is not _ABSENT  # left out it would be so again
            if f.required or shown_as_shipped or not (empty or (value == f.default and before is _ABSENT)):
                found[f.key] = value if value is not None or f.required else f.default
            elif before is not _ABSENT and value == before:
                found[f.key] = before
        if was is not None:
            found |= {key: value for key, value in was.items() if shape.field(key) is None}
        if shape.short and set(found) == {shape.short}:
            return found[shape.short]
        return found

    def literal(self, shape: Shape, node: Typed, path: str) -> Any:
        """A literal of its unit."""
        return literal_read(self.w, shape, node, shape.unit)

    def figure(self, shape: Shape, node: Typed, path: str) -> Any:
        """A figure of terms."""
        return figure_read(self.w, shape, node, path, self.errors)

    def rows(self, shape: Shape, node: Typed, path: str) -> list[Any]:
        """The rows in which something was typed."""
        assert shape.item is not None
        return [
            self.value(shape.item, row, f"{path}.{n}", required=True) for n, row in items(node) if not blank(row)
        ]  # fmt: skip

    def entries(self, shape: Shape, node: Typed, path: str) -> dict[str, Any]:
        """Codes with their values; a code twice, and a new one without a name, is wrong."""
        assert shape.item is not None
        found: dict[str, Any] = {}
        for n, row in items(node):
            if blank(row):
                continue
            code, where = one(sub(row, "key")), f"{path}.{n}"
            value = self.value(shape.item, sub(row, "item"), f"{where}.item", required=True)
            if shape.open and not code and isinstance(value, str):
                code = slug(value, found)
            if not code or code in found:
                self.errors[f"{where}.key"] = self.w.t("refusal.said_twice" if code else "refusal.required")
            found[code] = value
        return found

    def amounts(self, shape: Shape, node: Typed, path: str) -> dict[str, Any]:
        """Sums per currency in minor units."""
        found: dict[str, Any] = {}
        for name, cell in node.items() if isinstance(node, Mapping) else ():
            currency = one(sub(cell, "c")) if name == "+" else name
            if not currency:
                if one(sub(cell, "n")):
                    self.errors[f"{path}.+"] = self.w.t("refusal.required")
                continue
            if shape.open and one(sub(cell, "un")):
                found[currency] = "unlimited"
            elif one(sub(cell, "n")):
                try:
                    found[currency] = amount(one(sub(cell, "n")), currency)
                except Wrong as wrong:
                    self.errors[f"{path}.{name}"] = self.w.t(wrong.code, **wrong.params)
        return found

    def condition(self, shape: Shape, node: Typed, path: str) -> Any:
        """A condition; a group of one test is that test, none at all leaves the condition out."""
        parts = [
            self.condition(shape, part, f"{path}.of.{n}") if isinstance(sub(part, "of"), Mapping)
            else self.test(part, f"{path}.of.{n}")
            for n, part in items(sub(node, "of"))
            if not blank(part)
        ]  # fmt: skip
        parts = [part for part in parts if part is not None]
        if len(parts) < 2:
            return parts[0] if parts else None
        return {one(sub(node, "how")) if one(sub(node, "how")) in ("all", "any") else "all": parts}

    def test(self, node: Typed, path: str) -> Any:
        """One comparison. A field that was just chosen has no value yet: the form asks for it."""
        name, op = one(sub(node, "field")), one(sub(node, "op"))
        kind = self.w.fields.get(name, "")
        if not name or not kind:
            self.errors[f"{path}.field"] = self.w.t("refusal.required")
            return None
        if op not in OPERATORS[kind]:
            self.errors[f"{path}.op"] = self.w.t("table.error.operator")
            return None
        try:
            return {"field": name, **_compared(self.w, name, kind, op, many(sub(node, "value")))}
        except Wrong as wrong:
            self.errors[f"{path}.value"] = self.w.t(wrong.code, **wrong.params)
            return None

    def wordings(self, shape: Shape, node: Typed, path: str) -> Any:
        """A wording in every language, or in none."""
        found = {spoken: one(sub(node, spoken)).replace("\r\n", "\n") for spoken in LANGUAGES}
        if not any(found.values()):
            return None
        for spoken, said in found.items():
            if not said:
                self.errors[f"{path}.{spoken}"] = self.w.t("table.error.language")
            elif shape.high is not None and len(said) > shape.high:
                self.errors[f"{path}.{spoken}"] = self.w.t("table.error.long", most=shape.high)
        return found

    def remark(self, shape: Shape, node: Typed, path: str) -> Any:
        """A wording in every language; what is said in one alone stands as it was written."""
        found = [said for spoken in LANGUAGES if (said := one(sub(node, spoken)))]
        return found[0] if len(found) == 1 else self.wordings(shape, node, path)

    def setting(self, was: Any, node: Typed, path: str) -> Any:
        """The row of a setting with its value; the row itself says which values there are."""
        row, where = dict(was), f"{path}.v"
        try:
            value = _setting_value(self.w, row, sub(node, "v"))
        except Wrong as wrong:
            self.errors[where] = self.w.t(wrong.code, **wrong.params)
            return row
        if "value" in row or value != row["default"]:
            row["value"] = value
        return row


_LISTS = ("codes", "strings", "spans", "years")
_BRANCHES: Mapping[str, Callable[[Reader, Shape, Typed, str], Any]] = {
    "rows": Reader.rows,
    "listed": Reader.rows,
    "entries": Reader.entries,
    "amounts": Reader.amounts,
    "condition": Reader.condition,
    "wordings": Reader.wordings,
    "remark": Reader.remark,
    "literal": Reader.literal,
    "figure": Reader.figure,
}


def _compared(w: Words, name: str, kind: str, op: str, said: list[str]) -> dict[str, Any]:
    if op in ("yes", "no"):
        return {"op": "is_true"} if op == "yes" else {"op": "is_true", "value": False}
    if op in ("empty", "filled"):
        return {"op": "eq" if op == "empty" else "ne", "value": vocabularies.empty_of(name)}
    if not said:
        raise Wrong("refusal.required")
    if kind == "code":
        known = set(vocabularies.codes_of_field(vocabularies.of_field(name), w.book))
        if not set(said) <= known:
            raise Wrong("refusal.not_a_choice")
        if op == "in" and len(said) > 1:
            return {"op": "in", "value": said}
        if len(said) > 1:
            raise Wrong("table.error.one")
        return {"op": "ne" if op == "ne" else "eq", "value": said[0]}
    if kind == "money":
        return {"op": op, "value": amount(said[0], w.currency)}
    return {"op": op, "value": number(said[0], None, None) if kind == "number" else said[0]}


def _unpacked(said: str) -> Any:
    try:
        return json.loads(said) if said else None
    except ValueError:
        return None


def _code(w: Words, shape: Shape, node: Typed) -> Any:
    said = one(node)
    if shape.of == "staff":
        if not said.isdigit() or int(said) not in w.staff:
            raise Wrong("refusal.not_a_choice")
        return int(said)
    if said not in w.codes(shape):
        raise Wrong("refusal.not_a_choice")
    return said


def _codes(w: Words, shape: Shape, node: Typed) -> list[str]:
    return [_code(w, shape, code) for code in many(node)]


def _alternatives(w: Words, shape: Shape, node: Typed) -> str:
    return " | ".join(_code(w, shape, name) for _, name in items(node) if one(name))


def _words(w: Words, shape: Shape, node: Typed) -> str:
    said = node[0] if isinstance(node, list) else str(node)
    return said.replace("\r\n", "\n") if said != said.strip() and len(said) < 5 else said.replace("\r\n", "\n").strip()


def _spans(w: Words, shape: Shape, node: Typed) -> list[str]:
    found = [part.strip() for part in re.split(r"[,，、;\n]", one(node)) if part.strip()]
    if not all(_SPAN.fullmatch(part) for part in found):
        raise Wrong("table.error.spans")
    return found


def _years(w: Words, shape: Shape, node: Typed) -> Any:
    said = one(node)
    if said == "every year":
        return said
    return [number(part, 1900, 2200) for part in re.split(r"[,，、\s]+", said) if part]


def _duration(w: Words, shape: Shape, node: Typed) -> str:
    unit = UNITS.get(one(sub(node, "u")), "m")
    return f"{number(one(sub(node, 'n')), 1, 99_999)}{unit}"


def _either(w: Words, shape: Shape, node: Typed) -> dict[str, int]:
    which = one(sub(node, "which"))
    if which not in shape.options:
        raise Wrong("refusal.not_a_choice")
    return {which: number(one(sub(node, "n")), shape.low, 99 if which == "percent" else shape.high)}


def _zone(w: Words, shape: Shape, node: Typed) -> str:
    said = one(node).strip()
    if shape.open and (said == HOME or any(said in texts()[key].values() for key in ZONES_AT_HOME)):
        return HOME
    try:
        return ZoneInfo(said).key
    except (ValueError, OSError, KeyError):
        raise Wrong("table.error.zone") from None


def _clock(w: Words, shape: Shape, node: Typed) -> str:
    try:
        return time.fromisoformat(one(node)).strftime("%H:%M")
    except ValueError:
        raise Wrong("table.error.time") from None


def _moment(w: Words, shape: Shape, node: Typed) -> datetime:
    try:
        return datetime.strptime(one(node).replace("T", " ")[:16], "%Y-%m-%d %H:%M")  # noqa: DTZ007 - local time of the table's zone, as the document has it
    except ValueError:
        raise Wrong("form.time") from None


def _date(w: Words, shape: Shape, node: Typed) -> date:
    try:
        return date.fromisoformat(one(node))
    except ValueError:
        raise Wrong("refusal.calendar.date") from None


_LEAVES: Mapping[str, Callable[[Words, Shape, Typed], Any]] = {
    "words": _words,
    "whole": lambda w, s, n: number(one(n), s.low, s.high),
    "minor": lambda w, s, n: amount(one(n), w.currency),
    "flag": lambda w, s, n: one(n) == "yes",
    "code": _code,
    "codes": _codes,
    "alternatives": _alternatives,
    "strings": lambda w, s, n: [line.strip() for line in one(n).splitlines() if line.strip()],
    "spans": _spans,
    "years": _years,
    "duration": _duration,
    "either": _either,
    "zone": _zone,
    "time": _clock,
    "date": _date,
    "moment": _moment,
}


def _setting_value(w: Words, row: Mapping[str, Any], node: Typed) -> Any:
    """A setting's value of the type that it declares."""
    kind, unit, low, high = row["type"], row.get("unit", ""), row.get("min"), row.get("max")
    said = one(node)
    if kind == "words":
        return said
    if kind == "choices":
        if not many(node) or not set(many(node)) <= set(row["choices"]):
            raise Wrong("refusal.required" if not many(node) else "refusal.not_a_choice")
        return many(node)
    if not said:
        raise Wrong("refusal.required")
    if kind == "whole" and unit in ("minor", "ppm", "bytes"):
        found = amount(said, w.currency) if unit == "minor" else _scaled(said, 10_000 if unit == "ppm" else 1_000_000)
        if not (low or 0) <= found <= (found if high is None else high):
            raise Wrong(
                "table.error.bounds", low=setting(w, row, low or 0), high="–" if high is None else setting(w, row, high)
            )
        return found
    if kind == "whole":
        return number(said, low, high)
    if kind == "choice" and said not in row["choices"]:
        raise Wrong("refusal.not_a_choice")
    leaf = {"zone": _zone, "time": _clock}.get(kind)
    return leaf(w, Shape(kind, open=True), said) if leaf else said


def _scaled(said: str, by: int) -> int:
    try:
        found = Decimal(re.sub(r"[,，\s%]", "", said)) * by
    except InvalidOperation:
        raise Wrong("refusal.not_a_number") from None
    if found != int(found):
        raise Wrong("form.money_decimals")
    return int(found)
