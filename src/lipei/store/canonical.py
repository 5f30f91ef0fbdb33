"""Canonical bytes of values: the one form in which journal payloads and JSON columns are written and read.

Keys are sorted, nothing is spaced, times are ``{"$t": "2026-11-23T01:00:00.000000Z"}``, dates ``{"$d": "2026-11-23"}``.
Floats are refused: money is an int of minor units, and two machines print one float in two ways.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import orjson

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


def stamp(at: datetime) -> str:
    """An instant as text, UTC, microseconds always written. Raises ValueError for a naive time."""
    if at.tzinfo is None:
        raise ValueError(f"a time without a zone: {at}")
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def instant(text: str) -> datetime:
    """The instant of a `stamp`."""
    return datetime.fromisoformat(text)


def _default(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"$t": stamp(value)}
    if isinstance(value, date):
        return {"$d": value.isoformat()}
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")


def dumps(value: Any) -> bytes:
    """Canonical bytes. Raises TypeError for unknown types; a float is a mistake of ours (AssertionError)."""
    data = orjson.dumps(value, default=_default, option=_OPTIONS)
    suspect = _FRACTION.search(data) or _EXPONENT.search(data)
    assert not (suspect and _has_float(value)), "floats have no canonical form"
    return data


def digest(value: Any) -> str:
    """SHA-256 in hex of a value's canonical bytes; a dataclass stands there as its fields."""
    data = orjson.dumps(value, default=_default, option=_OPTIONS & ~orjson.OPT_PASSTHROUGH_DATACLASS)
    return hashlib.sha256(data).hexdigest()


def _has_float(value: Any) -> bool:
    kind = type(value)
    if kind is dict:
        return any(map(_has_float, value.values()))
    if kind is list or kind is tuple:
        return any(map(_has_float, value))
    if kind in _PLAIN:
        return False
    return isinstance(value, float) or (isinstance(value, Mapping) and any(map(_has_float, value.values())))


_FRACTION = re.compile(rb"\.[0-9]+(?:e[+-]?[0-9]+)?(?:[,\]}]|$)")
_EXPONENT = re.compile(rb"e[+-]?[0-9]+(?:[,\]}]|$)")
"""What a float ends in. A text may look so too: only then the value itself is walked through. Both begin with a letter
that is searched for quickly, for every entry of the journal passes here."""
_PLAIN = frozenset({str, int, bool, type(None), datetime, date})
"""Told apart first: nearly every value is one of these, and every entry of the journal passes here."""


def loads(data: str | bytes) -> Any:
    """The value of canonical bytes, lists as tuples, so that it can stand in a frozen snapshot."""
    return thaw(orjson.loads(data))


def thaw(value: Any) -> Any:
    """A parsed JSON value with lists as tuples and ``$t``, ``$d`` as times and dates."""
    if isinstance(value, dict):
        if len(value) == 1:
            if "$t" in value:
                return instant(value["$t"])
            if "$d" in value:
                return date.fromisoformat(value["$d"])
        return {k: v if type(v) in _PLAIN else thaw(v) for k, v in value.items()}
    if isinstance(value, list):
        return tuple([v if type(v) in _PLAIN else thaw(v) for v in value])
    return value
