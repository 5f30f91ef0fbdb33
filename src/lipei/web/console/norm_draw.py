"""The fields of a piece of a norm table as a template draws them (``console/norm_field.html``), see `norm_fields`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lipei.norms import vocabularies
from lipei.norms.shapes import Field, Shape
from lipei.norms.texts import LANGUAGES
from lipei.web.console.norm_fields import FIXED, ROOT, UNITS, Typed, items, many, one, sub
from lipei.web.console.norm_read import OPERATORS
from lipei.web.console.norm_words import ALL, Words, choice, field_name, reference, setting, unit_of

Options = list[tuple[str, str]]
CHOOSE = "table.choose"
SMALL = 8
"""So many codes are shown side by side; more of them fold away behind what is chosen."""


@dataclass
class Input:
    """One field, or a group of fields. ``less``: the path that a button takes away; ``add``: the one it adds to."""

    kind: str  # text long number money select checks check date moment time group list hidden
    name: str
    label: str
    value: str = ""
    values: list[str] = field(default_factory=list)
    options: Options = field(default_factory=list)
    error: str = ""
    unit: str = ""
    hint: str = ""
    parts: list[Input] = field(default_factory=list)
    less: str = ""
    add: str = ""
    add_group: str = ""
    add_label: str = ""
    said: str = ""
    focus: bool = False
    shows: bool = False  # what is chosen here says which fields there are: a button asks for them

    @property
    def id(self) -> str:
        """The element's id."""
        return self.name.replace(".", "-").replace("+", "new")


class Drawer:
    """Draws the tree of what was typed; ``errors`` are sentences by path."""

    def __init__(self, w: Words, errors: Mapping[str, str]) -> None:
        self.w = w
        self.errors = errors

    def fields(
        self, shape: Shape, node: Typed, row: Any = None, path: str = ROOT, omit: Iterable[str] = ()
    ) -> list[Input]:
        """The fields of a record, or the one field of what is none."""
        if shape.kind == "setting":
            return [self._setting(row, node, path)]
        if shape.kind != "record":
            return [self.draw(shape, node, path, "")]
        steering = {f.when[0] for f in shape.fields if f.when[0]}
        found = [
            self.draw(self._beside(f.shape, node), sub(node, f.key), f"{path}.{f.key}", self.w.label(f.called))
            if f.form else self._kept(f, node, row, path)
            for f in shape.present(lambda key: one(sub(node, key)))
            if f.key not in omit and (f.form or (f.key != "version" and (row or {}).get(f.key) is not None))
        ]  # fmt: skip
        for drawn in found:
            drawn.shows = drawn.name.rpartition(".")[2] in steering
        return found

    def _beside(self, shape: Shape, node: Typed) -> Shape:
        """A literal with the unit that stands beside it."""
        if shape.kind != "literal" or not shape.unit.startswith("."):
            return shape
        return replace(shape, unit=unit_of(shape, lambda key: one(sub(node, key))))

    def _kept(self, f: Field, node: Typed, row: Any, path: str) -> Input:
        said = self.w.also(self.w.lines(f.shape, row[f.key], row)[:40])
        return Input("kept", f"{path}.{f.key}", self.w.label(f.called), said=said)

    def draw(self, shape: Shape, node: Typed, path: str, label: str) -> Input:
        """One field with what was typed and what is wrong with it."""
        make = _DRAWN.get(shape.kind)
        found = make(self, shape, node, path, label) if make else Input("text", path, label, one(node))
        found.error = self.errors.get(path, "")
        return found

    # --- leaves ---

    def options(self, of: str, chosen: Iterable[str] = ()) -> Options:
        """The codes of a vocabulary with their words; what is chosen already is among them."""
        if of == "staff":
            return [(str(number), name) for number, name in self.w.staff.items()]
        return self._options(Shape("code", of=of), chosen)

    def _options(self, shape: Shape, chosen: Iterable[str]) -> Options:
        codes = dict.fromkeys((*self.w.codes(shape), *(c for c in chosen if c)))
        return [(code, self.w.code(shape.of, code)) for code in codes]

    def whole(self, shape: Shape, node: Typed, path: str, label: str) -> Input:
        unit = "" if shape.unit.startswith(".") or not shape.unit else self.w.t(f"unit.{shape.unit}")
        return Input("number", path, label, one(node), unit=unit)

    def code(self, shape: Shape, node: Typed, path: str, label: str) -> Input:
        options = self.options(shape.of) if shape.of == "staff" else self._options(shape, [one(node)])
        return Input("select", path, label, one(node), options=[("", "—"), *options])

    def literal(self, shape: Shape, node: Typed, path: str, label: str) -> Input:
        """An amount, a rate, a number, yes or no, or one of the choices, as the unit says."""
        if shape.unit == "yes_no":
            yes_no = [("", "—"), ("yes", self.w.t("common.yes")), ("no", self.w.t("common.no"))]
            return Input("select", path, label, one(node), options=yes_no)
        if shape.options:
            choices = [(c, self.w.code("disability_grade", c)) for c in shape.options]
            return Input("select", path, label, one(node), options=[("", "—"), *choices])
        unit = {"money": self.w.currency, "percent": "%"}.get(shape.unit, "")
        return Input({"money": "money", "percent": "money", "count": "number"}.get(shape.unit, "text"), path, label,
                     one(node), unit=unit)  # fmt: skip

    def figure(self, shape: Shape, node: Typed, path: str, label: str) -> Input:
        """Where a figure comes from, and what it is; by a fact: case by case."""
        chosen = one(sub(node, "from"))
        within = path.endswith((".is", ".else"))  # a case of a figure: seldom differs by a fact once more
        by = shape.fields if not within or chosen.startswith("by:") else ()
        sources = [
            (FIXED, self.w.t("figure.fixed")),
            *((refers, reference(self.w, refers)) for refers in shape.options),
            *((f"by:{f.key}", self.w.t("figure.by", fact=self.w.code("fact", f.key))) for f in by),
        ]
        source = Input("select", f"{path}.from", self.w.t("figure.from"), chosen or FIXED, options=sources)
        source.shows, source.error = bool(by), self.errors.get(f"{path}.from", "")
        plain = self.literal(
            Shape("literal", unit=shape.unit), sub(node, "n"), f"{path}.n", self.w.t(f"figure.n.{shape.unit}")
        )
        plain.error = self.errors.get(f"{path}.n", "")
        fact = shape.field(chosen.removeprefix("by:")) if chosen.startswith("by:") else None
        if fact is None:
            return Input("figure", path, label, parts=[source, plain])
        return Input("figure", path, label, parts=[source, *self._cases(shape, fact, node, path)])

    def _cases(self, shape: Shape, fact: Field, node: Typed, path: str) -> list[Input]:
        how, called = one(sub(node, "how")) or "is", self.w.code("fact", fact.key)
        hows = [("is", self.w.t("figure.is", fact=called)), ("upto", self.w.t("figure.upto", fact=called))]
        cases = Input("list", f"{path}.of", self.w.t("figure.cases"), add=f"{path}.of", add_label=self.w.t("figure.case"),
                      error=self.errors.get(f"{path}.of", ""))  # fmt: skip
        for n, case in items(sub(node, "of")):
            where = f"{path}.of.{n}"
            key = self.draw(fact.shape, sub(case, "key"), f"{where}.key", dict(hows)[how])
            figure = self.draw(shape, sub(case, "is"), f"{where}.is", self.w.t("figure.then"))
            cases.parts.append(
                Input("group", where, f"{self.w.t('figure.case')} {int(n) + 1}", parts=[key, figure], less=where)
            )
        how_input = Input("select", f"{path}.how", self.w.t("figure.how"), how, options=hows)
        shown = [how_input] if fact.shape.unit in ("percent", "count", "money") else []
        return [*shown, cases, self.draw(shape, sub(node, "else"), f"{path}.else", self.w.t("figure.otherwise"))]

    def codes(self, shape: Shape, node: Typed, path: str, label: str) -> Input:
        none = ALL if shape.open else CHOOSE
        return self._checks(path, label, many(node), self._options(shape, many(node)), none)

    def _checks(self, path: str, label: str, chosen: list[str], options: Options, none: str = CHOOSE) -> Input:
        """Boxes, the chosen ones first and in their order; a long list folds away behind them, or the text ``none``."""
        by_code = dict(options)
        first = [(code, by_code[code]) for code in chosen if code in by_code]
        ordered = options if len(options) <= SMALL else [*first, *(o for o in options if o[0] not in chosen)]
        said = self.w.join([words for _, words in first]) if len(options) > SMALL else ""
        kind = "folded" if len(options) > SMALL else "checks"
        return Input(kind, path, label, values=chosen, options=ordered, said=said or self.w.t(none))

    def alternatives(self, shape: Shape, node: Typed, path: str, label: str) -> Input:
        said = [one(v) for _, v in items(node)] if isinstance(node, Mapping) else []
        parts = [
            Input("select", f"{path}.{n}", self.w.t("table.first" if n == 0 else "table.else"), code,
                  options=[("", "—"), *self.options(shape.of, [code])])
            for n, code in enumerate((*said, ""))
        ]  # fmt: skip
        return Input("group", path, label, parts=parts)

    def wordings(self, shape: Shape, node: Typed, path: str, label: str) -> Input:
        kind = "long" if shape.open else "text"
        parts = [
            Input(kind, f"{path}.{spoken}", self.w.t(f"messages.language.{spoken}"), one(sub(node, spoken)),
                  error=self.errors.get(f"{path}.{spoken}", ""))
            for spoken in LANGUAGES
        ]  # fmt: skip
        hint = self.w.t("table.remark.hint") if shape.kind == "remark" else ""
        return Input("group", path, label, parts=parts, hint=hint)

    def amounts(self, shape: Shape, node: Typed, path: str, label: str) -> Input:
        typed = node if isinstance(node, Mapping) else {}
        parts = [
            self._amount(shape, sub(typed, currency), f"{path}.{currency}", currency)
            for currency in dict.fromkeys((*self.w.currencies, *(c for c in typed if c != "+")))
        ]
        other = sub(typed, "+")
        chosen = one(sub(other, "c"))
        parts.append(
            Input(
                "select",
                f"{path}.+.c",
                self.w.t("table.other_currency"),
                chosen,
                options=[("", "—"), *self.options("currency", [chosen])],
                error=self.errors.get(f"{path}.+", ""),
            )
        )
        if chosen:
            parts.append(self._amount(shape, other, f"{path}.+", chosen))
        return Input("amounts", path, label, parts=parts)  # fmt: skip

    def _amount(self, shape: Shape, cell: Typed, path: str, currency: str) -> Input:
        found = Input("money", f"{path}.n", currency, one(sub(cell, "n")), error=self.errors.get(path, ""))
        if shape.open:
            unlimited = "yes" if one(sub(cell, "un")) else ""
            label = self.w.t("table.unlimited")
            found.parts = [Input("check", f"{path}.un", label, unlimited, hint=f"{currency}: {label}")]
        return found

    def either(self, shape: Shape, node: Typed, path: str, label: str) -> Input:
        options = [(which, self.w.t(f"warning_kind.{which}")) for which in shape.options]
        which = one(sub(node, "which")) or shape.options[0]
        return Input("pair", path, label, parts=[
            Input("number", f"{path}.n", self.w.t("table.number"), one(sub(node, "n"))),
            Input("select", f"{path}.which", self.w.t("column.unit"), which, options=options),
        ])  # fmt: skip

    def duration(self, shape: Shape, node: Typed, path: str, label: str) -> Input:
        options = [(unit, self.w.t(f"unit.{unit}")) for unit in UNITS]
        return Input("pair", path, label, parts=[
            Input("number", f"{path}.n", self.w.t("table.number"), one(sub(node, "n"))),
            Input("select", f"{path}.u", self.w.t("column.unit"), one(sub(node, "u")) or "minutes", options=options),
        ])  # fmt: skip

    # --- branches ---

    def record(self, shape: Shape, node: Typed, path: str, label: str) -> Input:
        hidden = [
            Input("hidden", f"{path}.{f.key}", "", one(sub(node, f.key)))
            for f in shape.fields if not f.form and one(sub(node, f.key))
        ]  # fmt: skip
        shown = [f for f in shape.present(lambda key: one(sub(node, key))) if f.form]
        parts = [self.draw(f.shape, sub(node, f.key), f"{path}.{f.key}", self.w.label(f.called)) for f in shown]
        return Input("group", path, label, parts=[*parts, *hidden])

    def listed(self, shape: Shape, node: Typed, path: str, label: str) -> Input:
        assert shape.item is not None
        parts = []
        for n, row in items(node):
            part = self.draw(shape.item, row, f"{path}.{n}", f"{label} {int(n) + 1}")
            part.less = f"{path}.{n}"
            parts.append(part)
        return Input("list", path, label, parts=parts, add=path, add_label=label)

    def entries(self, shape: Shape, node: Typed, path: str, label: str) -> Input:
        assert shape.item is not None
        found = Input("list", path, label, add=path, add_label=label)
        for n, row in items(node):
            where, code = f"{path}.{n}", one(sub(row, "key"))
            if shape.open:
                key = Input("hidden", f"{where}.key", "", code)
            else:
                key = Input("select", f"{where}.key", self.w.t("table.of"), code,
                            options=[("", "—"), *self._options(shape, [code])])  # fmt: skip
            key.error = self.errors.get(f"{where}.key", "")
            item = self.draw(shape.item, sub(row, "item"), f"{where}.item", self.w.t("column.value"))
            title = self.w.code(shape.of, code) if code and not shape.open else f"{label} {int(n) + 1}"
            found.parts.append(Input("group", where, title, parts=[key, item], less=where))
        return found

    def condition(self, shape: Shape, node: Typed, path: str, label: str) -> Input:
        how = Input("select", f"{path}.how", self.w.t("table.how"), one(sub(node, "how")) or "all",
                    options=[("all", self.w.t("table.how.all")), ("any", self.w.t("table.how.any"))])  # fmt: skip
        found = Input("condition", path, label, parts=[how], add=f"{path}.of", add_group=f"{path}.of")
        for n, part in items(sub(node, "of")):
            where = f"{path}.of.{n}"
            if isinstance(sub(part, "of"), Mapping):
                inner = self.condition(shape, part, where, self.w.t("table.group"))
                inner.add_group = inner.add_group if where.count(".of.") < 3 else ""
            else:
                inner = self._test(part, where)
            inner.less = where
            found.parts.append(inner)
        return found

    def _test(self, node: Typed, path: str) -> Input:
        name, op = one(sub(node, "field")), one(sub(node, "op"))
        kind = self.w.fields.get(name, "")
        fields = sorted(((f, field_name(self.w, f)) for f in self.w.fields), key=lambda pair: pair[1].casefold())
        parts = [Input("select", f"{path}.field", self.w.t("table.test"), name, options=[("", "—"), *fields],
                       error=self.errors.get(f"{path}.field", ""))]  # fmt: skip
        if kind:
            ops = [(o, self.w.t(f"condition_op.{o}")) for o in OPERATORS[kind]]
            shown = [] if op in OPERATORS[kind] else [("", "—")]
            parts.append(Input("select", f"{path}.op", self.w.t("table.operator"), op, options=[*shown, *ops],
                               error=self.errors.get(f"{path}.op", "")))  # fmt: skip
        if kind in ("code", "money", "number", "words") and op not in ("empty", "filled"):
            parts.append(self._wanted(name, kind, sub(node, "value"), f"{path}.value"))
        return Input("test", path, field_name(self.w, name) if name else self.w.t("table.test"), parts=parts)

    def _wanted(self, name: str, kind: str, node: Typed, path: str) -> Input:
        label = self.w.label("value")
        if kind == "code":
            of = vocabularies.of_field(name)
            codes = dict.fromkeys((*vocabularies.codes_of_field(of, self.w.book), *many(node)))
            found = self._checks(path, label, many(node), [(code, self.w.code(of, code)) for code in codes])
        else:
            shown = {"money": "money", "number": "number"}.get(kind, "text")
            found = Input(shown, path, label, one(node), unit=self.w.currency if kind == "money" else "")
        found.error = self.errors.get(path, "")
        return found

    def _setting(self, row: Mapping[str, Any], node: Typed, path: str) -> Input:
        where, kind, unit = f"{path}.v", row["type"], row.get("unit", "")
        label, value = self.w.label("value"), one(sub(node, "v"))
        if kind == "choices":
            found = self._checks(
                where, label, many(sub(node, "v")), [(c, choice(self.w, row, c)) for c in row["choices"]]
            )
        elif kind == "choice":
            found = Input("select", where, label, value, options=[(c, choice(self.w, row, c)) for c in row["choices"]])
        elif kind == "currency":
            found = Input("select", where, label, value, options=self.options("currency", [value]))
        else:
            shown = {"whole": "money" if unit == "minor" else "number", "time": "time"}.get(kind, "text")
            found = Input(shown, where, label, value, unit=self._unit(unit))
        found.error, found.hint = self.errors.get(where, ""), self._bounds(row)
        return found

    def _unit(self, unit: str) -> str:
        shown = {"minor": "", "ppm": "percent", "bytes": "megabytes"}.get(unit, unit)
        return self.w.currency if unit == "minor" else self.w.t(f"unit.{shown}") if shown else ""

    def _bounds(self, row: Mapping[str, Any]) -> str:
        default = self.w.t("table.default_is", value=setting(self.w, row, row["default"]))
        if "min" not in row or "max" not in row:
            return default
        low, high = (setting(self.w, row, row[bound]) for bound in ("min", "max"))
        return f"{self.w.t('table.between', low=low, high=high)} {default}"


def leaves(inputs: Iterable[Input]) -> Iterator[Input]:
    """Every field, and every list with its button, in the order of the page."""
    for i in inputs:
        yield from leaves(i.parts)
        if i.kind not in ("group", "figure", "amounts", "pair", "test", "hidden", "kept"):
            yield i


def focused(inputs: list[Input], path: str) -> None:
    """Let the page open at the first wrong field, else at the first field under a path."""
    found = list(leaves(inputs))
    first = next((i for i in found if i.error and not i.parts), None) or next(
        (i for i in found if path and f"{i.name}.".startswith(f"{path}.")), None
    )
    if first is not None:
        first.focus = True


_Draw = Callable[[Drawer, Shape, Typed, str, str], Input]
_SIMPLE = {"strings": "long", "flag": "check", "date": "date", "moment": "moment", "time": "time"}


def _simple(kind: str) -> _Draw:
    return lambda drawer, shape, node, path, label: Input(kind, path, label, one(node))


def _raw(drawer: Drawer, shape: Shape, node: Typed, path: str, label: str) -> Input:
    """A text whose blanks count."""
    value = node[0] if isinstance(node, list) and node else node
    return Input("text", path, label, value if isinstance(value, str) else "")


def _hinted(key: str) -> _Draw:
    return lambda d, shape, node, path, label: Input("text", path, label, one(node), hint=d.w.t(key))


_DRAWN: Mapping[str, _Draw] = {
    **{kind: _simple(shown) for kind, shown in _SIMPLE.items()},
    "words": _raw,
    "spans": _hinted("calendar.hours.hint"),
    "minor": lambda d, shape, node, path, label: Input("money", path, label, one(node), unit=d.w.currency),
    "whole": Drawer.whole,
    "code": Drawer.code,
    "codes": Drawer.codes,
    "alternatives": Drawer.alternatives,
    "wordings": Drawer.wordings,
    "remark": Drawer.wordings,
    "amounts": Drawer.amounts,
    "either": Drawer.either,
    "duration": Drawer.duration,
    "record": Drawer.record,
    "rows": Drawer.listed,
    "listed": Drawer.listed,
    "entries": Drawer.entries,
    "condition": Drawer.condition,
    "literal": Drawer.literal,
    "figure": Drawer.figure,
}
