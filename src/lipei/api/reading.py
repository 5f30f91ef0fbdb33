"""From a request's body to a command: strict, complete, and in words for whoever sent it.

What a field may hold is drawn from the command's class (`commands.said`). Everything wrong is found at once, a code per
field; fields of lists are numbered from one, as the rules number them: ``parties.1.phone``.
"""

from __future__ import annotations

import re
import types
import typing
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from lipei.domain import entries, money
from lipei.domain.money import Money, MoneyError

LIST_LENGTH_MAX = entries.ROWS_MAX
NUMBER_MAX = 2**53 - 1
"""The largest whole number that every JSON reader holds exactly."""
FACTS_DEPTH_MAX = entries.DEPTH_MAX
FACTS_LENGTH_MAX = entries.FACTS_MAX
FACT_TEXT_MAX = entries.WORD_LENGTH_MAX
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})")
_LINE_ENDS = "\t\n\r"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field: a text code and its parameters."""

    code: str
    params: Mapping[str, Any]


Faults = dict[str, Fault]
Reader = Callable[[Any, str, Faults], Any]


def fault(code: str, **params: Any) -> Fault:
    """A fault of a code."""
    return Fault(code, params)


def command_of(cls: type, data: Any, faults: Faults, *, place: str = "") -> Any:
    """The command that a JSON object says, or None with the faults found added to ``faults``."""
    if not isinstance(data, dict):
        faults[place or "body"] = fault("refusal.not_an_object")
        return None
    readers = _readers(cls)
    for name in data:
        if name not in readers:
            faults[_at(place, shown(name))] = fault("refusal.unknown_field")
    before = len(faults)
    values = {name: reader(data[name], _at(place, name), faults) for name, reader in readers.items() if name in data}
    return None if len(faults) > before or set(data) - set(readers) else cls(**values)


def _at(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def shown(name: str) -> str:
    """An unknown field's name, cut so that an answer does not repeat a book."""
    return name[:60]


@cache
def _readers(cls: type) -> Mapping[str, Reader]:
    hints = typing.get_type_hints(cls)
    return {f.name: _reader(f, hints[f.name]) for f in fields(cls)}


def _reader(field: Field[Any], hint: Any) -> Reader:
    optional, hint = without_none(hint)
    read = _of_hint(field, hint)
    if not optional:
        return read
    return lambda value, place, faults: None if value is None else read(value, place, faults)


def without_none(hint: Any) -> tuple[bool, Any]:
    """Whether a hint allows None, and the rest of it."""
    if isinstance(hint, types.UnionType):
        inner = [h for h in typing.get_args(hint) if h is not type(None)]
        return len(inner) < len(typing.get_args(hint)), inner[0]
    return False, hint


def _of_hint(field: Field[Any], hint: Any) -> Reader:
    meta = field.metadata
    if hint is bool:
        return _flag
    if hint is int:
        return _number(meta.get("low"), meta.get("high"))
    if hint is str:
        return _text(meta.get("length_max", 200), meta.get("choices", ()), one_line=not meta.get("long", False))
    if hint is datetime:
        return _time
    if hint is Money:
        return _money
    origin = typing.get_origin(hint)
    if origin is tuple:
        return _many(_of_item(field, typing.get_args(hint)[0]))
    if origin is not None and issubclass(origin, Mapping):
        return _facts
    raise TypeError(f"no reader for {field.name}: {hint}")


def _of_item(field: Field[Any], hint: Any) -> Reader:
    if is_dataclass(hint):
        return lambda value, place, faults: command_of(hint, value, faults, place=place)  # type: ignore[arg-type]
    return _of_hint(field, hint)


def _flag(value: Any, place: str, faults: Faults) -> bool:
    if not isinstance(value, bool):
        faults[place] = fault("refusal.not_yes_or_no")
        return False
    return value


def _number(low: int | None, high: int | None) -> Reader:
    least, most = 0 if low is None else low, NUMBER_MAX if high is None else high

    def read(value: Any, place: str, faults: Faults) -> int:
        if type(value) is not int:
            faults[place] = fault("refusal.not_a_number")
            return 0
        if not least <= value <= most:
            faults[place] = fault("refusal.out_of_bounds")
        return value

    return read


def _text(length_max: int, choices: tuple[str, ...], *, one_line: bool = False) -> Reader:
    def read(value: Any, place: str, faults: Faults) -> str:
        if not isinstance(value, str):
            faults[place] = fault("refusal.not_text")
            return ""
        if len(value) > length_max:
            faults[place] = fault("refusal.too_long")
        elif choices and value not in choices:
            faults[place] = fault("refusal.not_a_choice")
        elif not printable(value):
            faults[place] = fault("refusal.characters")
        elif one_line and not entries.LINE_ENDS.isdisjoint(value):
            faults[place] = fault("refusal.one_line")
        return value

    return read


def printable(value: str) -> bool:
    """Whether a text holds nothing but characters that can be shown, line ends, and no mark that turns its direction."""
    shown = not any(unicodedata.category(c) in ("Cc", "Cs") and c not in _LINE_ENDS for c in value)
    return shown and entries.DIRECTIONS.isdisjoint(value)


def _time(value: Any, place: str, faults: Faults) -> datetime | None:
    found = instant(value)
    if found is None:
        faults[place] = fault(time_fault(value))
    return found


def time_fault(value: Any) -> str:
    """The code of what is wrong with what is no instant."""
    shaped = isinstance(value, str) and _RFC3339.fullmatch(value)
    return "refusal.time_impossible" if shaped else "refusal.not_a_time"


def instant(value: Any) -> datetime | None:
    """The instant of an RFC 3339 text with its zone; None for anything else."""
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        return None
    try:
        found = datetime.fromisoformat(value.upper().replace(" ", "T", 1)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found.year in entries.YEARS else None


def _money(value: Any, place: str, faults: Faults) -> Money | None:
    if not _is_money(value):
        faults[place] = fault("refusal.money_object")
        return None
    try:
        return money.parse(value["amount"], value["currency"])
    except MoneyError as error:
        faults[place] = Fault(error.code, error.params)
        return None


def _many(read_item: Reader) -> Reader:
    def read(value: Any, place: str, faults: Faults) -> tuple[Any, ...]:
        if not isinstance(value, list):
            faults[place] = fault("refusal.not_a_list")
            return ()
        if len(value) > LIST_LENGTH_MAX:
            faults[place] = fault("refusal.too_many")
            return ()
        return tuple(read_item(item, f"{place}.{number}", faults) for number, item in enumerate(value, start=1))

    return read


def _facts(value: Any, place: str, faults: Faults) -> Mapping[str, Any]:
    """Facts that the terms ask for: amounts, whole numbers, texts, yes or no, and lists and objects of these.

    An amount is said as everywhere (``salvage``) and kept in minor units (``salvage_minor``). No fractions.
    """
    if not isinstance(value, dict):
        faults[place] = fault("refusal.not_an_object")
        return {}
    return typing.cast(Mapping[str, Any], _plain(value, place, faults, 0))


def _plain(value: Any, place: str, faults: Faults, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(FACT_TEXT_MAX, ())(value, place, faults)
    if type(value) is int:
        if abs(value) > NUMBER_MAX:
            faults[place] = fault("refusal.out_of_bounds")
        return value
    if isinstance(value, list | dict) and (depth >= FACTS_DEPTH_MAX or len(value) > FACTS_LENGTH_MAX):
        faults[place] = fault("refusal.too_many")
        return None
    if isinstance(value, list):
        return tuple(_plain(item, f"{place}.{n}", faults, depth + 1) for n, item in enumerate(value, start=1))
    if isinstance(value, dict):
        if any(not n.isascii() or not n.replace("_", "").replace(".", "").isalnum() or len(n) > 60 for n in value):
            faults[place] = fault("refusal.fact_name")
            return None
        return dict(_fact(name, item, f"{place}.{name}", faults, depth) for name, item in value.items())
    faults[place] = fault("refusal.no_fractions")
    return None


def _fact(name: str, item: Any, place: str, faults: Faults, depth: int) -> tuple[str, Any]:
    if not _is_money(item):
        return name, _plain(item, place, faults, depth + 1)
    found = _money(item, place, faults)
    return f"{name.removesuffix('_minor')}_minor", found.minor if found else None


def _is_money(item: Any) -> bool:
    return isinstance(item, dict) and set(item) == {"amount", "currency"}


def currencies(data: Any, place: str = "") -> dict[str, str]:
    """The currencies of the amounts among the facts of a request, by their place. A fact itself keeps minor units."""
    rows = data.items() if isinstance(data, dict) else enumerate(data, start=1) if isinstance(data, list) else ()
    found: dict[str, str] = {}
    for name, item in rows:
        at = _at(place, str(name))
        if _is_money(item) and "facts" in at.split("."):
            found[at] = item["currency"]
        else:
            found |= currencies(item, at)
    return found


def default_of(field: Field[Any]) -> Any:
    """What a field holds where nothing is said."""
    return field.default_factory() if field.default_factory is not MISSING else field.default
