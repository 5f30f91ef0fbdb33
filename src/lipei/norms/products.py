"""Products: a YAML document per product and version becomes `Terms`, or one clear sentence about what is wrong with it.

A document names its covers; each cover what it asks, what it leaves out, and its steps in order. Every step rests on a
clause of the document, every figure on something that is certain to be there when a loss is settled. Amounts are
written as ``"1234.56"`` in the product's currency, rates as ``"5%"``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from lipei.domain.money import MoneyError, Rounding, exponent, rate_ppm
from lipei.domain.money import parse as parse_money
from lipei.domain.policies import PERIODS
from lipei.domain.settlement.sharing import METHODS
from lipei.domain.settlement.steps import VOCABULARY, Operation
from lipei.domain.settlement.terms import (
    FACT_TYPES,
    Clause,
    Cover,
    Exclusion,
    FactSpec,
    Figure,
    Limit,
    Products,
    Step,
    Terms,
    Wording,
)
from lipei.norms import yaml_texts
from lipei.norms.errors import NormError
from lipei.norms.lines import check_remarks
from lipei.norms.texts import LANGUAGES
from lipei.norms.texts import shipped as shipped_texts

FOLDER = Path(__file__).parent / "defaults" / "products"

_TOP = {"version", "code", "valid_from", "line", "currency", "name", "covers", "clauses"}
_COVER = {"name", "head", "clause", "perils", "steps"}
_COVER_MORE = {"facts", "schedule", "exclusions", "territory", "waiting"}
_STEP_OPTIONS = ("what", "limit", "fact", "raised_by", "method", "codes", "covers", "table")


@cache
def shipped() -> Products:
    """The products that come with Lipei, all versions."""
    return catalogue(yaml_texts.load(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml")))


def catalogue(documents: Iterable[Mapping[str, Any]]) -> Products:
    """All documents together. Raises `NormError` as `joined` does."""
    return joined(parse(document) for document in documents)


def joined(terms: Iterable[Terms]) -> Products:
    """All terms together. Raises `NormError` for a version that stands twice or starts before its predecessor."""
    try:
        return Products.of(terms)
    except ValueError as error:
        raise NormError("norm_error.product_versions", detail=str(error)) from None


def parse(document: Mapping[str, Any], *, own: Mapping[str, Any] | None = None) -> Terms:
    """The terms that a document describes; raises `NormError` with the place and reason where it makes no sense.

    ``own`` are texts that the document brought along for facts of its own.
    """
    at = str(document.get("code", "?")) if isinstance(document, Mapping) else "?"
    _keys(document, at, _TOP, {"limits", "rounding", "source", "source_status"})
    check_remarks(at, document)
    try:
        exponent(document["currency"])
    except MoneyError:
        raise NormError("norm_error.product_value", at=f"{at}.currency", value=document["currency"]) from None
    reader = _Reader(document["currency"], {}, own=own or {})
    for code, row in _mapping(document["clauses"], f"{at}.clauses").items():
        place = f"{at}.clauses.{code}"
        _keys(row, place, {"name", "plain"})
        reader.clauses[str(code)] = Clause(
            _wording(row["name"], f"{place}.name"), _wording(row["plain"], f"{place}.plain")
        )
    covers: dict[str, Cover] = {}
    limits = _mapping(document.get("limits", {}), f"{at}.limits")
    for code, row in _mapping(document["covers"], f"{at}.covers").items():
        covers[code] = _cover(code, row, reader, limits, tuple(covers), f"{at}.{code}")
    used = {step.limit for cover in covers.values() for step in cover.steps if step.limit}
    if used != set(limits):
        raise NormError("norm_error.product_limit", at=at, limit=sorted(used ^ set(limits))[0])
    return Terms(
        code=_is(document["code"], str, f"{at}.code"),
        version=_whole(document["version"], f"{at}.version"),
        valid_from=_is(document["valid_from"], date, f"{at}.valid_from"),
        line=_is(document["line"], str, f"{at}.line"),
        currency=document["currency"],
        name=_wording(document["name"], f"{at}.name"),
        covers=covers,
        clauses=reader.clauses,
        limits={code: reader.limits[code] for code in limits},
        rounding=Rounding(_one_of(document.get("rounding", "half_up"), tuple(Rounding), f"{at}.rounding")),
        source_status=str(document.get("source_status", "")),
    )


@dataclass(frozen=True)
class _Reader:
    """What the parts of one document have in common."""

    currency: str
    clauses: dict[str, Clause]
    limits: dict[str, Limit] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)

    def clause(self, code: Any, at: str) -> str:
        if str(code) not in self.clauses:
            raise NormError("norm_error.product_clause", at=at, clause=code)
        return str(code)

    def number(self, value: Any, unit: str, at: str) -> int:
        """A literal of the document in the unit of the terms: minor units, parts per million or a plain number."""
        try:
            if unit == "money":
                return parse_money(value, self.currency).minor
            if unit == "percent":
                return rate_ppm(_is(value, str, at))
        except MoneyError:
            raise NormError("norm_error.product_value", at=at, value=value) from None
        return _whole(value, at, least=0)


@dataclass(frozen=True)
class _Scope:
    """What a figure may refer to: the facts and the schedule of its cover."""

    facts: Mapping[str, FactSpec]
    schedule: Mapping[str, FactSpec]
    reader: _Reader

    def figure(self, value: Any, unit: str, at: str) -> Figure:
        if not isinstance(value, Mapping):
            return Figure("fixed", value=self.reader.number(value, unit, at))
        if "by" in value:
            return self._choice(value, unit, at)
        if len(value) != 1:
            raise NormError("norm_error.product_value", at=at, value=dict(value))
        ((source, key),) = value.items()
        specs = {"fact": self.facts, "schedule": self.schedule}.get(source)
        if specs is None:
            raise NormError("norm_error.product_key_unknown", at=at, key=source)
        spec = specs.get(str(key))
        if spec is None or spec.type != unit or (spec.default is None and not spec.required):
            raise NormError("norm_error.product_figure", at=at, key=key)
        return Figure(source, key=key)

    def _choice(self, value: Mapping[str, Any], unit: str, at: str) -> Figure:
        if "bands" in value:
            return self._bands(value, unit, at)
        _keys(value, at, {"by", "choices", "otherwise"})
        spec = self.facts.get(str(value["by"]))
        if spec is None or spec.type in ("money", "policies") or (spec.default is None and not spec.required):
            raise NormError("norm_error.product_figure", at=at, key=value["by"])
        choices = {}
        for key, figure in _mapping(value["choices"], f"{at}.choices", keys=object).items():
            place = f"{at}.choices.{key}"
            choices[_choice_key(key, spec, self.reader, place)] = self.figure(figure, unit, place)
        otherwise = self.figure(value["otherwise"], unit, f"{at}.otherwise")
        return Figure("choice", key=spec.name, choices=choices, otherwise=otherwise)

    def _bands(self, value: Mapping[str, Any], unit: str, at: str) -> Figure:
        """A figure by how large a fact is: each band up to and including its key, in rising order."""
        _keys(value, at, {"by", "bands", "otherwise"})
        spec = self.facts.get(str(value["by"]))
        if (
            spec is None
            or spec.type not in ("money", "percent", "count")
            or (spec.default is None and not spec.required)
        ):
            raise NormError("norm_error.product_figure", at=at, key=value["by"])
        bands = []
        for key, figure in _mapping(value["bands"], f"{at}.bands", keys=object).items():
            place = f"{at}.bands.{key}"
            bands.append(
                (
                    self.reader.number(key if spec.type == "count" else str(key), spec.type, place),
                    self.figure(figure, unit, place),
                )
            )
        if not bands or any(one[0] >= other[0] for one, other in pairwise(bands)):
            raise NormError("norm_error.product_value", at=f"{at}.bands", value=list(value["bands"]))
        otherwise = self.figure(value["otherwise"], unit, f"{at}.otherwise")
        return Figure("band", key=spec.name, bands=tuple(bands), otherwise=otherwise)


def _choice_key(key: Any, spec: FactSpec, reader: _Reader, at: str) -> int | bool | str:
    if spec.type == "yes_no":
        return _is(key, bool, at)  # type: ignore[no-any-return]
    if spec.type == "choice":
        return _one_of(key, spec.choices, at)
    return reader.number(str(key) if spec.type == "percent" else key, spec.type, at)


def _cover(code: str, row: Any, reader: _Reader, limits: Mapping[str, Any], earlier: tuple[str, ...], at: str) -> Cover:
    _keys(row, at, _COVER, _COVER_MORE)
    facts = _specs(row.get("facts", {}), reader, f"{at}.facts")
    schedule = _specs(row.get("schedule", {}), reader, f"{at}.schedule")
    scope = _Scope(facts, schedule, reader)
    waiting = row.get("waiting", {"days": 0, "perils": []})
    _keys(waiting, f"{at}.waiting", {"days", "perils"})
    perils = _strings(row["perils"], f"{at}.perils", least=1)
    exclusions = {
        name: _exclusion(name, one, facts, reader, f"{at}.exclusions.{name}")
        for name, one in _mapping(row.get("exclusions", {}), f"{at}.exclusions").items()
    }
    if not isinstance(row["steps"], list) or not row["steps"]:
        raise NormError("norm_error.product_first_step", at=at)
    steps = [_step(one, scope, perils, earlier, f"{at}.steps.{n}") for n, one in enumerate(row["steps"], start=1)]
    if [VOCABULARY[step.do].base for step in steps] != [True] + [False] * (len(steps) - 1):
        raise NormError("norm_error.product_first_step", at=at)
    drawn = [step.limit for step in steps if step.limit]
    for name in drawn:
        if name not in limits or drawn.count(name) > 1:
            raise NormError("norm_error.product_limit", at=at, limit=name)
        reader.limits[name] = _limit(name, limits[name], scope, f"{at}.limits.{name}")
    return Cover(
        code=code,
        name=_wording(row["name"], f"{at}.name"),
        head=_is(row["head"], str, f"{at}.head"),
        clause=reader.clause(row["clause"], at),
        perils=perils,
        steps=tuple(steps),
        facts=facts,
        schedule=schedule,
        exclusions=exclusions,
        territory=_strings(row.get("territory", []), f"{at}.territory"),
        waiting_days=_whole(waiting["days"], f"{at}.waiting.days", least=0),
        waiting_perils=_strings(waiting["perils"], f"{at}.waiting.perils", among=perils),
    )


def _exclusion(name: str, row: Any, facts: Mapping[str, FactSpec], reader: _Reader, at: str) -> Exclusion:
    _keys(row, at, {"clause", "wording"}, {"fact"})
    fact = row.get("fact", "")
    if fact and (str(fact) not in facts or facts[str(fact)].type != "yes_no"):
        raise NormError("norm_error.product_figure", at=at, key=fact)
    return Exclusion(name, reader.clause(row["clause"], at), _wording(row["wording"], f"{at}.wording"), fact)


def _limit(name: str, row: Any, scope: _Scope, at: str) -> Limit:
    """A shared limit. Its amount never hangs on a fact that victims could differ in, but by choice."""
    _keys(row, at, {"per", "amount", "name"})
    amount = scope.figure(row["amount"], "money", f"{at}.amount")
    if amount.source == "fact":
        raise NormError("norm_error.product_figure", at=at, key=amount.key)
    return Limit(name, _one_of(row["per"], PERIODS, f"{at}.per"), amount, _wording(row["name"], f"{at}.name"))


def _specs(rows: Any, reader: _Reader, at: str) -> dict[str, FactSpec]:
    specs = {}
    for name, row in _mapping(rows, at).items():
        place = f"{at}.{name}"
        _keys(row, place, {"type"}, {"minimum", "maximum", "default", "required", "choices"})
        kind = _one_of(row["type"], FACT_TYPES, f"{place}.type")
        if f"fact.{name}" not in shipped_texts() and f"fact.{name}" not in reader.own:
            raise NormError("norm_error.product_text", at=place, key=f"fact.{name}")
        choices = _strings(row.get("choices", []), f"{place}.choices", least=1 if kind == "choice" else 0)
        low, high = (_bound(row.get(key), kind, reader, f"{place}.{key}") for key in ("minimum", "maximum"))
        if low is not None and high is not None and low > high:
            raise NormError("norm_error.product_value", at=place, value=row["minimum"])
        default = _default(row.get("default"), kind, choices, reader, f"{place}.default")
        required = _is(row.get("required", True), bool, f"{place}.required")
        specs[name] = FactSpec(name, kind, low, high, default, required, choices)
    return specs


def _bound(value: Any, kind: str, reader: _Reader, at: str) -> int | None:
    return None if value is None else reader.number(value, kind, at)


def _default(value: Any, kind: str, choices: tuple[str, ...], reader: _Reader, at: str) -> int | bool | str | None:
    if value is None:
        return None
    if kind == "yes_no":
        return _is(value, bool, at)  # type: ignore[no-any-return]
    if kind == "choice":
        return _one_of(value, choices, at)
    return reader.number(value, kind, at)


def _step(row: Any, scope: _Scope, perils: tuple[str, ...], earlier: tuple[str, ...], at: str) -> Step:
    do = row.get("do") if isinstance(row, Mapping) else None
    operation = VOCABULARY.get(str(do))
    if operation is None:
        raise NormError("norm_error.product_operation", at=at, do=do)
    needed = {"do", "clause", *operation.options} | (set(operation.figures) - set(operation.defaults))
    _keys(row, at, needed, {"automatic", *operation.may, *operation.defaults})
    step = Step(
        do=str(do),
        clause=scope.reader.clause(row["clause"], at),
        figures=_figures(row, operation, scope, at),
        automatic=_is(row.get("automatic", False), bool, f"{at}.automatic"),
        **{name: _OPTIONS[name](row[name], scope, f"{at}.{name}") for name in _STEP_OPTIONS if name in row},
    )
    if step.covers and (
        set(step.covers) != set(perils) or not {c for v in step.covers.values() for c in v} <= {*earlier}
    ):
        raise NormError("norm_error.product_order", at=at)
    _fitting(step, scope, at)
    _worded(step, at)
    return step


def _fitting(step: Step, scope: _Scope, at: str) -> None:
    """A fact that a step looks at by name is of the type that the step can read."""
    spec = scope.facts.get(step.fact)
    if spec is None:
        return
    fits = {
        "excess": spec.type == "money" and not spec.required and spec.default is None,
        "indemnity": spec.type == "policies",
        "grade": spec.type == "choice" and set(spec.choices) == set(step.table) and spec.required,
    }
    if not fits[step.do]:
        raise NormError("norm_error.product_figure", at=at, key=step.fact)
    if step.raised_by and scope.facts[step.raised_by].type != "yes_no":
        raise NormError("norm_error.product_figure", at=at, key=step.raised_by)


def _figures(row: Mapping[str, Any], operation: Operation, scope: _Scope, at: str) -> dict[str, Figure]:
    return {
        name: scope.figure(row[name], unit, f"{at}.{name}")
        if name in row
        else Figure("fixed", value=operation.defaults[name])
        for name, unit in operation.figures.items()
    }


def _table(value: Any, scope: _Scope, at: str) -> dict[str, int]:
    rows = _mapping(value, at, keys=object)
    return {str(grade): scope.reader.number(rate, "percent", f"{at}.{grade}") for grade, rate in rows.items()}


def _fact_name(value: Any, scope: _Scope, at: str) -> str:
    if str(value) not in scope.facts:
        raise NormError("norm_error.product_figure", at=at, key=value)
    return str(value)


_OPTIONS: Mapping[str, Any] = {
    "what": lambda value, scope, at: _is(value, str, at),
    "limit": lambda value, scope, at: _is(value, str, at),
    "fact": _fact_name,
    "raised_by": _fact_name,
    "method": lambda value, scope, at: _one_of(value, METHODS, at),
    "codes": lambda value, scope, at: _strings(value, at, least=1),
    "covers": lambda value, scope, at: {k: _strings(v, at, least=1) for k, v in _mapping(value, at).items()},
    "table": _table,
}


def _worded(step: Step, at: str) -> None:
    """Each line that the step can give has its sentence; terms cannot bring a step that nobody could explain."""
    if step.text not in shipped_texts():
        raise NormError("norm_error.product_text", at=at, key=step.text)


def _keys(row: Any, at: str, needed: Iterable[str], more: Iterable[str] = ()) -> None:
    """A mapping with all the keys it needs and none that nobody reads."""
    if not isinstance(row, Mapping):
        raise NormError("norm_error.product_value", at=at, value=row)
    for key in sorted(set(needed) - set(row)):
        raise NormError("norm_error.product_key_missing", at=at, key=key)
    for key in sorted(map(str, set(row) - set(needed) - set(more))):
        raise NormError("norm_error.product_key_unknown", at=at, key=key)


def _mapping(value: Any, at: str, keys: type = str) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, keys) for key in value):
        raise NormError("norm_error.product_value", at=at, value=value)
    return value


def _is(value: Any, kind: type, at: str) -> Any:
    if type(value) is not kind or value == "":
        raise NormError("norm_error.product_value", at=at, value=value)
    return value


def _whole(value: Any, at: str, least: int = 1) -> int:
    if type(value) is not int or value < least:
        raise NormError("norm_error.product_value", at=at, value=value)
    return value


def _one_of(value: Any, among: Iterable[str], at: str) -> str:
    if value not in tuple(among):
        raise NormError("norm_error.product_value", at=at, value=value)
    return str(value)


def _strings(value: Any, at: str, least: int = 0, among: Iterable[str] | None = None) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) < least or len(set(map(str, value))) != len(value):
        raise NormError("norm_error.product_value", at=at, value=value)
    return tuple(_one_of(one, among, at) if among is not None else _is(one, str, at) for one in value)


def _wording(value: Any, at: str) -> Wording:
    """The same words in every language, none left out."""
    if not isinstance(value, Mapping) or set(value) != set(LANGUAGES):
        raise NormError("norm_error.product_wording", at=at)
    if not all(isinstance(words, str) and words.strip() for words in value.values()):
        raise NormError("norm_error.product_wording", at=at)
    return dict(value)
