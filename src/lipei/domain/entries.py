"""What was entered is looked at once, before any rule sees it: types, lengths, bounds, and nothing that cannot be kept.

The bounds stand with the fields of the commands (`said`); pages, API and services are checked alike. Every
wrong field is named with a text code, all at once, so that nobody corrects one by one (issue: bad input, nothing lost).
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from dataclasses import field as dataclass_field
from datetime import date, datetime
from functools import cache
from typing import Any

from lipei.domain.money import LARGEST_MINOR, Money

TEXT_LENGTH_MAX = 4000  # a text of several lines
ROWS_MAX = 100  # parties, exposures, items … in one command: a form is never longer, a bulk import is something else
FACTS_MAX = 100  # names in one mapping of facts
DEPTH_MAX = 4  # mappings and lists within each other
WORD_LENGTH_MAX = 500  # a text within facts
NAME_LENGTH_MAX = 60  # the name of a fact
NUMBER_MAX = 2**63 - 1  # what the database's integers hold
LINE_ENDS = frozenset("\n\r\v\f\x85\u2028\u2029")
DIRECTIONS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that turn the direction of writing by hand: a name or account would read otherwise than it is. A story
keeps them: people paste what they wrote in their own script, and pages keep each text's direction to itself."""
YEARS = range(1900, 2200)  # outside, an instant is a slip of the keyboard

Found = Iterator[tuple[str, str]]


def said(default: Any = "", *, length_max: int = 200, choices: tuple[str, ...] = (), low: int | None = None,
         high: int | None = None, long: bool = False, example: Any = None, required: bool = False) -> Any:  # fmt: skip
    """A field with its bounds: at most so many characters, one of these codes, between two whole numbers.

    ``required``: the rules refuse the command without it, whatever else is said and whoever says it.
    """
    meta = {"length_max": TEXT_LENGTH_MAX if long else length_max, "choices": choices, "low": low, "high": high,
            "long": long, "example": example, "required": required}  # fmt: skip
    if isinstance(default, dict | list):
        return dataclass_field(default_factory=type(default), metadata=meta)
    return dataclass_field(default=default, metadata=meta)


def wrong_fields(command: Any, *, amount_max_minor: int = LARGEST_MINOR) -> dict[str, str]:
    """A text code per wrong field, ``parties.2.phone``; empty where everything can be looked at by a rule.

    ``amount_max_minor`` is the sum, in minor units, above which an amount is a slip of the keyboard (setting
    ``amount_absurd_minor``). Sums below zero are wrong everywhere. Whether a field must be filled is for the rules.
    """
    return dict(_of_dataclass(command, "", amount_max_minor))


@dataclass(frozen=True, slots=True)
class _Form:
    """A declared type, taken apart once: ``plain`` tests a single value, ``rows`` are those of a tuple, ``parts`` a class."""

    optional: bool
    plain: Callable[[Any, Mapping[str, Any], int], str] | None = None
    rows: _Form | None = None
    parts: type | None = None


def _form(hint: Any) -> _Form:
    optional = isinstance(hint, types.UnionType)
    if optional:
        hint = next(h for h in typing.get_args(hint) if h is not types.NoneType)
    if typing.get_origin(hint) is tuple:
        return _Form(optional, rows=_form(typing.get_args(hint)[0]))
    if typing.get_origin(hint) is not None:
        return _Form(optional)
    if is_dataclass(hint) and hint is not Money:
        return _Form(optional, parts=typing.cast(type, hint))
    return _Form(optional, plain=_PLAIN[hint])


@cache
def _fields(kind: type) -> tuple[tuple[str, Mapping[str, Any], _Form], ...]:
    hints = typing.get_type_hints(kind)
    return tuple((f.name, f.metadata, _form(hints[f.name])) for f in fields(kind))


def _of_dataclass(value: Any, prefix: str, amount_max: int) -> Found:
    for name, said, form in _fields(type(value)):  # type: ignore[arg-type]
        yield from _of(getattr(value, name), form, said, f"{prefix}{name}", amount_max)


def _of(value: Any, form: _Form, said: Mapping[str, Any], at: str, amount_max: int) -> Found:
    """What is wrong with one value, by its declared type and the bounds said for it."""
    if form.optional and value is None:
        return
    if form.plain is not None:
        if code := form.plain(value, said, amount_max):
            yield at, code
    elif form.rows is not None:
        yield from _rows(value, form.rows, said, at, amount_max)
    elif form.parts is None:
        yield from _facts(value, at)
    elif isinstance(value, form.parts):
        yield from _of_dataclass(value, f"{at}.", amount_max)
    else:
        yield at, "refusal.value_form"


def _rows(value: Any, form: _Form, said: Mapping[str, Any], at: str, amount_max: int) -> Found:
    if not isinstance(value, tuple | list):
        yield at, "refusal.value_form"
    elif len(value) > ROWS_MAX:
        yield at, "refusal.too_many"
    else:
        for number, row in enumerate(value, start=1):
            yield from _of(row, form, said, f"{at}.{number}", amount_max)


def _text(value: Any, said: Mapping[str, Any], amount_max: int) -> str:
    if not isinstance(value, str):
        return "refusal.value_form"
    if len(value) > said.get("length_max", WORD_LENGTH_MAX):
        return "refusal.too_long"
    one_line = not said.get("long", True)
    if not storable(value) or (one_line and not DIRECTIONS.isdisjoint(value)):
        return "refusal.text_characters"
    if one_line and not LINE_ENDS.isdisjoint(value):
        return "refusal.one_line"
    choices = said.get("choices") or ()
    return "refusal.not_a_choice" if choices and value not in choices else ""


def storable(text: str) -> bool:
    """Whether a text can be kept: no NUL (databases refuse it) and no half of a surrogate pair (it is not UTF-8)."""
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)


def _whole(value: Any, said: Mapping[str, Any], amount_max: int) -> str:
    if type(value) is not int:
        return "refusal.not_a_number"
    low, high = said.get("low"), said.get("high")
    fits = (0 if low is None else low) <= value <= (NUMBER_MAX if high is None else high)
    return "" if fits else "refusal.out_of_bounds"


def _yes_no(value: Any, said: Mapping[str, Any], amount_max: int) -> str:
    return "" if isinstance(value, bool) else "refusal.value_form"


def _instant(value: Any, said: Mapping[str, Any], amount_max: int) -> str:
    if not (isinstance(value, datetime) and value.tzinfo is not None):
        return "refusal.not_a_time"
    return _wrong_year(value.year)


def _wrong_year(year: int) -> str:
    """An instant or day that can be read and cannot be meant."""
    return "" if year in YEARS else "refusal.year_impossible"


def _money(value: Any, said: Mapping[str, Any], amount_max: int) -> str:
    if not isinstance(value, Money):
        return "refusal.value_form"
    if value.minor < 0:
        return "refusal.amount_negative"
    return "refusal.amount_absurd" if value.minor > amount_max else ""


_PLAIN = {str: _text, int: _whole, bool: _yes_no, datetime: _instant, Money: _money}


def _facts(value: Any, at: str) -> Found:
    """What is wrong with free facts or a checklist: each name's value must be one that the journal can keep."""
    if not isinstance(value, Mapping):
        yield at, "refusal.value_form"
    elif len(value) > FACTS_MAX:
        yield at, "refusal.too_many"
    else:
        for name, inner in value.items():
            if not _name(name):
                yield at, "refusal.unknown_field"
            elif code := _kept(inner, 1):
                yield f"{at}.{name}", code


def _name(name: Any) -> bool:
    # "$" begins the marks by which the store knows times and digests: nobody may write them.
    return isinstance(name, str) and 0 < len(name) <= NAME_LENGTH_MAX and not name.startswith("$") and storable(name)


def _kept(value: Any, depth: int) -> str:
    """The code of what is wrong with a value within facts; empty where it can be kept as it is."""
    if value is None or isinstance(value, bool):
        return ""
    if isinstance(value, float):
        return "refusal.value_float"
    if isinstance(value, int):
        return "" if abs(value) <= LARGEST_MINOR else "refusal.out_of_bounds"
    if isinstance(value, str):
        return _text(value, {}, 0)
    if isinstance(value, datetime):
        return _instant(value, {}, 0)
    if isinstance(value, date):
        return _wrong_year(value.year)
    if depth >= DEPTH_MAX:
        return "refusal.value_form"
    if isinstance(value, Mapping):
        names = len(value) <= FACTS_MAX and all(_name(name) for name in value)
        return next(filter(None, (_kept(v, depth + 1) for v in value.values())), "") if names else "refusal.value_form"
    if isinstance(value, tuple | list):
        return (
            next(filter(None, (_kept(v, depth + 1) for v in value)), "")
            if len(value) <= FACTS_MAX
            else "refusal.too_many"
        )
    return "refusal.value_form"
