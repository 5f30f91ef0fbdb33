"""A small closed language for conditions in norm tables: what a claims manager may write after ``when``.

A condition is a comparison ``{field, op, value}`` or a group ``{all: […]}`` / ``{any: […]}``; groups nest, and ``{}``
always holds. There is nothing else: no code, no arithmetic, no look-up. Who evaluates supplies the fields by name.

Two rules keep it safe to use on a claim of which little is known yet:

* what is unknown (None, or a field nobody supplied) satisfies nothing but ``eq null`` and ``is_true: false``;
* a field with several values (a tuple, one per exposure) satisfies a comparison as soon as one of them does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from lipei.domain.events import Value


class ConditionError(ValueError):
    """A document that is no condition. ``code`` is a key of the texts, ``params`` fill it."""

    def __init__(self, code: str, /, **params: Any) -> None:
        super().__init__(f"{code} {params}")
        self.code = code
        self.params = params


@dataclass(frozen=True, slots=True)
class Compare:
    """One field against one wanted value."""

    field: str
    op: str
    value: Value


@dataclass(frozen=True, slots=True)
class Group:
    """Several conditions: with ``every`` all of them must hold, else one suffices."""

    every: bool
    parts: tuple[Condition, ...]


Condition = Compare | Group

ALWAYS = Group(True, ())


@dataclass(frozen=True, slots=True)
class Match:
    """Why a condition held: the comparison and the value that satisfied it."""

    field: str
    op: str
    wanted: Value
    value: Value

    def as_value(self) -> dict[str, Value]:
        """As a dictionary for the journal and for pages."""
        return {"field": self.field, "op": self.op, "wanted": self.wanted, "value": self.value}


def _ordered(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    """An ordering that a value of another type never satisfies (``"12" >= 5`` is no error and not true)."""

    def satisfied(value: Any, wanted: Any) -> bool:
        return type(value) is type(wanted) and test(value, wanted)

    return satisfied


_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, wanted: type(value) is type(wanted) and value == wanted,
    "ne": lambda value, wanted: value is not None and value != wanted,
    "in": lambda value, wanted: value is not None and value in wanted,
    "gte": _ordered(lambda value, wanted: value >= wanted),
    "gt": _ordered(lambda value, wanted: value > wanted),
    "lte": _ordered(lambda value, wanted: value <= wanted),
    "lt": _ordered(lambda value, wanted: value < wanted),
    "is_true": lambda value, wanted: bool(value) is wanted,
}

OPS = frozenset(_TESTS)
_ORDERINGS = frozenset({"gte", "gt", "lte", "lt"})
_OF_THE_UNKNOWN = frozenset({"eq", "is_true"})
"""The only ones that an unknown value can satisfy, which most values are when a claim is reported."""


def matches(condition: Condition, values: Mapping[str, Value]) -> tuple[Match, ...] | None:
    """The comparisons that made the condition hold, or None where it does not hold.

    An empty tuple means that it held without comparing anything (``{}``).
    """
    if isinstance(condition, Compare):
        return _compare(condition, values.get(condition.field))
    found: tuple[Match, ...] = ()
    for part in condition.parts:
        part_found = matches(part, values)
        if part_found is None and condition.every:
            return None
        if part_found is not None:
            found += part_found
            if not condition.every:
                return found
    return found if condition.every else None


def holds(condition: Condition, values: Mapping[str, Value]) -> bool:
    """Whether the condition holds for these values."""
    return matches(condition, values) is not None


def _compare(condition: Compare, value: Value) -> tuple[Match, ...] | None:
    if value is None and condition.op not in _OF_THE_UNKNOWN:
        return None
    test = _TESTS[condition.op]
    if condition.op == "is_true" and condition.value is False and isinstance(value, tuple):
        satisfied = not any(value)  # "no exposure is …", not "one exposure is not …"
        return (Match(condition.field, condition.op, False, value),) if satisfied else None
    for one in value if isinstance(value, tuple) else (value,):
        if test(one, condition.value):
            return (Match(condition.field, condition.op, condition.value, one),)
    return None


def fields_of(condition: Condition) -> frozenset[str]:
    """Every field that the condition looks at."""
    if isinstance(condition, Compare):
        return frozenset({condition.field})
    return frozenset().union(*(fields_of(part) for part in condition.parts))


def parse_condition(document: object, *, known: Callable[[str], bool] = lambda name: True) -> Condition:
    """Read a condition from a document (a YAML mapping); ``known`` says which fields exist where it will be used.

    Raises ConditionError for anything that is not a condition, above all for a misspelt field or operator.
    """
    if not isinstance(document, Mapping):
        raise ConditionError("norm_error.condition.shape", found=str(document))
    if not document:
        return ALWAYS
    keys = set(document)
    if keys in ({"all"}, {"any"}):
        return _parse_group("all" in keys, document["all" if "all" in keys else "any"], known)
    if not {"field", "op"} <= keys <= {"field", "op", "value"}:
        raise ConditionError("norm_error.condition.shape", found=", ".join(sorted(map(str, keys))))
    name, op = document["field"], document["op"]
    if not isinstance(name, str) or not known(name):
        raise ConditionError("norm_error.condition.unknown_field", field=str(name))
    if not isinstance(op, str) or op not in OPS:
        raise ConditionError("norm_error.condition.unknown_op", op=str(op), ops=", ".join(sorted(OPS)))
    if op != "is_true" and "value" not in document:
        raise ConditionError("norm_error.condition.value", field=name, op=op)
    return Compare(name, op, _parse_value(name, op, document.get("value", True)))


def _parse_group(every: bool, parts: object, known: Callable[[str], bool]) -> Group:
    if not isinstance(parts, list | tuple) or not parts:
        raise ConditionError("norm_error.condition.shape", found="all" if every else "any")
    return Group(every, tuple(parse_condition(part, known=known) for part in parts))


def _parse_value(name: str, op: str, value: object) -> Value:
    """The wanted value in the type its operator needs. Floats are refused: amounts are whole minor units."""
    if op == "in":
        right = isinstance(value, list | tuple) and bool(value) and all(isinstance(v, str | int) for v in value)
    elif op == "is_true":
        right = isinstance(value, bool)
    elif op in _ORDERINGS:
        right = isinstance(value, int) and not isinstance(value, bool)
    else:
        right = value is None or isinstance(value, str | int)
    if not right:
        raise ConditionError("norm_error.condition.value", field=name, op=op)
    return tuple(value) if isinstance(value, list) else value


def values_of(entity: str, part: Any) -> dict[str, Value]:
    """The fields of a part of a claim by the names that conditions know them by: ``claim.lane``."""
    return {name: getattr(part, attribute) for name, attribute in _names(entity, type(part))}  # type: ignore[arg-type]


@cache
def _names(entity: str, kind: type) -> tuple[tuple[str, str], ...]:
    return tuple((f"{entity}.{f.name}", f.name) for f in fields(kind))
