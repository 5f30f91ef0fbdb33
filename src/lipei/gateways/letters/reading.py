"""From plain mappings to the letters' dataclasses, strictly: unknown and missing fields are refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")


def read(kind: type[T], data: Mapping[str, Any], *, place: str = "letter") -> T:
    """Build ``kind`` from a mapping such as `dataclasses.asdict` gives. Raises ValueError naming the field."""
    hints = _hints(kind)
    unknown = sorted(set(data) - set(hints))
    if unknown:
        raise ValueError(f"{place}: unknown field {unknown[0]!r}")
    missing = sorted(_required(kind) - set(data))
    if missing:
        raise ValueError(f"{place}: field {missing[0]!r} is missing")
    return kind(**{name: _value(hints[name], value, f"{place}.{name}") for name, value in data.items()})


def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _required(kind: type) -> frozenset[str]:
    assert is_dataclass(kind)
    return frozenset(f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING)


def _value(hint: Any, value: Any, place: str) -> Any:
    """A nested dataclass, a tuple of such, or the plain value, checked for its type."""
    if isinstance(hint, type) and is_dataclass(hint):
        return value if isinstance(value, hint) else read(hint, _checked(value, (Mapping,), place), place=place)
    inner = get_args(hint)
    if get_origin(hint) is tuple:
        rows = _checked(value, (tuple, list), place)
        return tuple(_value(inner[0], row, f"{place}[{number}]") for number, row in enumerate(rows))
    return _checked(value, inner or (hint,), place)


def _checked(value: Any, kinds: tuple[type, ...], place: str) -> Any:
    # True is an int to Python; an amount of True is a mistake.
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise ValueError(f"{place}: {type(value).__name__} where {' or '.join(k.__name__ for k in kinds)} is expected")
    return value
