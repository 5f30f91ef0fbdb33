"""A norm table in words: what stands in it, as people say it, drawn from its declaration (`lipei.norms.declared`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from lipei.domain.calendars import HOME
from lipei.domain.money import Money, MoneyError, parse, rate_ppm
from lipei.domain.rulebook import Rulebook
from lipei.norms import vocabularies
from lipei.norms.money import money_text, rate_text
from lipei.norms.shapes import Shape
from lipei.norms.texts import text, texts

ZONES_AT_HOME = ("zone_home.home", "setting_choice.home")
"""The words for whichever zone is the company's, and for that of its market."""

NOTHING = "—"
ALL = "table.all"
"""What is said where no code is named and so all of them are meant."""


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
    said_of: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # words for codes that the document declares
    labels: Mapping[str, str] = field(default_factory=dict)  # headings of parts that only this document has

    def t(self, key: str, **params: Any) -> str:
        """A text in this language."""
        return text(key, self.language, **params)

    def label(self, key: str) -> str:
        """The heading of a column."""
        if key in self.labels:
            return self.labels[key]
        for name in (f"column.{self.table}.{key}", f"column.{key}"):
            if name in texts():
                return self.t(name)
        return key

    def code(self, of: str, code: Any) -> str:
        """The words for a code; the code itself where nobody has named it."""
        if of == "staff":
            return NOTHING if code is None else self.staff.get(code, str(code)) if isinstance(code, int) else str(code)
        if code in self.said_of.get(of, ()):
            return self.said_of[of][code]
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

    def codes(self, shape: Shape) -> tuple[str, ...]:
        """The codes that may be chosen: those that the shape names, else those of its vocabulary and of this document."""
        if shape.options:
            return shape.options
        known = vocabularies.VOCABULARIES[shape.of].codes(self.book) if shape.of in vocabularies.VOCABULARIES else ()
        return tuple(dict.fromkeys((*known, *self.own_codes(shape.of))))

    def join(self, parts: list[str]) -> str:
        """Several things in one line."""
        return self.t("common.list_separator").join(parts)

    def also(self, lines: list[str]) -> str:
        """Several lines in one."""
        return self.t("table.also").join(lines)

    def pair(self, label: str, said: str) -> str:
        """A value with what it is called."""
        return self.t("table.pair", label=label, value=said)

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
        return self.also(self.lines(shape, value, row)) or NOTHING

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
    parts = ((f, w.also(w.lines(f.shape, value.get(f.key), value))) for f in shape.present(value.get))
    return [w.pair(w.label(f.called), said) for f, said in parts if said]


def _rows(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    return [_row(w, shape, one) for one in value]


def _row(w: Words, shape: Shape, one: Any) -> str:
    """One row of a table within a row: what it is called, and the rest in brackets."""
    item = shape.item
    assert item is not None
    if not isinstance(one, Mapping):
        return w.said(item.fields[0].shape, one)
    rest = [
        w.label(f.called) if one[f.key] is True else w.also(w.lines(f.shape, one[f.key], one))
        for f in item.present(one.get)
        if f.key not in shape.title and one.get(f.key) not in (None, "", False, [])
    ]
    title = w.title(shape, one)
    return w.t("table.with", what=title, rest=w.also(rest)) if rest else title


def _entries(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    assert shape.item is not None
    return [w.pair(w.code(shape.of, key), w.said(shape.item, one)) for key, one in value.items()]


def _wordings(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    return [value[w.language]]


def _remark(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    return [value[w.language] if isinstance(value, Mapping) else str(value)]


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
            w.pair(w.label(str(key)), w.join([w.code(str(key), one) for one in _several(v)]))
            for key, v in value.items()
        ]
    return [w.join([str(one) for one in _several(value)])]


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# --- figures of terms -------------------------------------------------------------------------------------------------


def _literal(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    """A literal as people say it."""
    unit = unit_of(shape, row.get)
    if unit == "money":
        try:
            return [money_text(parse(str(value), w.currency), w.language)]
        except MoneyError:
            return [str(value)]
    if unit == "percent":
        try:
            return [rate_text(rate_ppm(value))]
        except MoneyError:
            return [str(value)]
    if isinstance(value, bool):
        return [w.t("common.yes" if value else "common.no")]
    return [f"{value:,}" if isinstance(value, int) else str(value)]


def _figure(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    """A figure as people say it, one line per case."""
    if not isinstance(value, Mapping):
        return _literal(w, Shape("literal", unit=shape.unit), value, {})
    if "by" not in value:
        ((source, key),) = value.items()
        return [reference(w, f"{source}:{key}")]
    fact = str(value["by"])
    how, cases = cases_of(value)
    found = [
        w.t(
            f"figure.{how}.case",
            fact=w.code("fact", fact),
            value=_case(w, shape, fact, key),
            figure=w.said(shape, held),
        )
        for key, held in cases.items()
    ]
    return [*found, w.t("figure.otherwise.case", figure=w.said(shape, value["otherwise"]))]


def cases_of(value: Mapping[str, Any]) -> tuple[str, Mapping[Any, Any]]:
    """How a figure differs by a fact (*upto* or *is*), and its cases."""
    return ("upto", value["bands"]) if "bands" in value else ("is", value["choices"])


def _case(w: Words, shape: Shape, fact: str, key: Any) -> str:
    declared = shape.field(fact)
    return w.said(declared.shape, key) if declared else str(key)


def reference(w: Words, refers: str) -> str:
    """What a figure refers to: a figure of the policy or a fact of the loss."""
    source, _, key = refers.partition(":")
    return w.t(f"figure.{source}", what=w.code("fact", key))


def unit_of(shape: Shape, beside: Callable[[str], Any]) -> str:
    """The unit of a literal; after a point the key beside it that holds it."""
    return str(beside(shape.unit[1:]) or "") if shape.unit.startswith(".") else shape.unit


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
    if row.get("type") not in ("choice", "choices", "zone"):
        return value
    keys = (f"market.{value}", f"messages.language.{value}", f"setting_choice.{value}")
    return next((w.t(key) for key in keys if key in texts()), value)


def zone_at_home(w: Words, value: Any) -> str:
    """A zone, or the words for whichever is the company's."""
    return w.t(ZONES_AT_HOME[0]) if value == HOME else str(value)


def _setting(w: Words, shape: Shape, value: Any, row: Mapping[str, Any]) -> list[str]:
    return [setting(w, value, value.get("value", value.get("default")))]


_LINES: Mapping[str, Say] = {
    "words": lambda w, s, v, r: [str(v)],
    "zone": lambda w, s, v, r: [zone_at_home(w, v)],
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
    "remark": _remark,
    "condition": _condition,
    "setting": _setting,
    "literal": _literal,
    "figure": _figure,
    "kept": _kept,
}
