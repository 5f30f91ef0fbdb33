"""Forms drawn from the command dataclasses: one builder for every action.

A form works on the text that was typed (`Typed`), never loses it, and works without JavaScript: a list of rows shows
what is there and three empty rows more. `read` turns what was typed into the command, or says per field what is wrong.
Wrong fields are named as rules name them: ``items.2.assessed``, rows counted from 1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from datetime import UTC, datetime
from functools import cache
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from django.utils import timezone

from lipei.domain.commands import TEXT_LENGTH_MAX
from lipei.domain.money import Money, MoneyError, parse, plain
from lipei.domain.settlement.terms import FactSpec
from lipei.norms.texts import texts

Typed = Mapping[str, list[str]]
Options = tuple[tuple[str, str], ...]
Label = Callable[[str], str]

NO_ERRORS: Mapping[str, str] = {}
SPARE_ROWS = 3
MORE_ROWS = "more_rows"
"""The button that only asks for more empty rows. With JavaScript the page adds them itself."""
ROWS_MAX = 200
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?")


@dataclass(frozen=True)
class Offers:
    """What a form may choose from and by what it counts.

    ``options`` by field name (a dotted name wins: ``exposures.claimant``), ``facts`` asked by the terms (``facts_named``: of
    their texts), ``omit`` names of fields that this page does not show, ``labels`` text keys of fields that this page calls
    otherwise, ``pictures`` by field name and option where there are any, ``currency`` of all amounts.
    """

    currency: str = "CNY"
    options: Mapping[str, Options] = field(default_factory=dict)
    facts: tuple[FactSpec, ...] = ()
    facts_named: str = "fact"
    omit: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    pictures: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of(self, path: str) -> Options | None:
        """The options of a field, by its dotted name or its last part."""
        return self.options.get(path, self.options.get(path.rpartition(".")[2]))


@dataclass
class Input:
    """One field as a template draws it (``parts/field.html``)."""

    path: str  # the name in the command, dotted within rows
    name: str  # the name in the HTML
    key: str  # text key of the label
    kind: str  # text long whole flag maybe choice choices money time rows facts
    value: str = ""
    values: tuple[str, ...] = ()
    options: Options = ()
    error: str = ""  # text key
    type: str = "text"
    length_max: int = 200
    currency: str = ""
    rows: tuple[tuple[Input, ...], ...] = ()
    pictures: Mapping[str, str] = field(default_factory=dict)  # of options

    @property
    def id(self) -> str:
        """The element's id."""
        return f"f-{self.name}"


@cache
def kind_of(cls: type, name: str) -> tuple[str, type | None]:
    """How a field of a command is asked for, and the class of its rows."""
    hint, meta = get_type_hints(cls)[name], _meta(cls, name)
    optional = get_origin(hint) in (Union, UnionType)
    inner = next(a for a in get_args(hint) if a is not type(None)) if optional else hint
    if inner is bool:
        return ("maybe" if optional else "flag"), None
    if inner is int:
        return "whole", None
    if inner is Money:
        return "money", None
    if inner is datetime:
        return "time", None
    if get_origin(inner) is tuple:
        item = get_args(inner)[0]
        return ("rows" if is_dataclass(item) else "choices"), item
    if inner is str:
        return ("choice" if meta.get("choices") else "long" if meta.get("long") else "text"), None
    return "facts", None


def _meta(cls: type, name: str) -> Mapping[str, Any]:
    return _field(cls, name).metadata


@cache
def _field(cls: type, name: str) -> Field[Any]:
    return next(f for f in fields(cls) if f.name == name)


# --- drawing --------------------------------------------------------------------------------------------------------

_PREFIXES = {"roles": "party_role", "outcome": "consultation_outcome", "letter": "letter_kind"}
_TYPES = {"phone": "tel", "email": "email", "password": "password", "url": "url"}


def draw(
    cls: type, typed: Typed, offers: Offers, errors: Mapping[str, str] = NO_ERRORS, prefix: str = "", path: str = ""
) -> tuple[Input, ...]:
    """The fields of a command with what was typed and what is wrong with it."""
    found = []
    for one in fields(cls):
        where = f"{path}{one.name}"
        if where in offers.omit or (path and _plain_path(where) in offers.omit):
            continue
        drawn = _draw_one(cls, one.name, typed, offers, errors, prefix, where)
        if drawn.kind != "facts" or drawn.rows:
            found.append(drawn)
    return tuple(found)


def _plain_path(path: str) -> str:
    """``items.2.assessed`` → ``items.assessed``."""
    return ".".join(p for p in path.split(".") if not p.isdigit())


def _draw_one(
    cls: type, name: str, typed: Typed, offers: Offers, errors: Mapping[str, str], prefix: str, path: str
) -> Input:
    kind, row = kind_of(cls, name)
    meta = _meta(cls, name)
    options = _options(meta, name, path, offers)
    if options is not None and kind in ("text", "whole"):
        kind = "choice"
    html = f"{prefix}{name}"
    values = tuple(typed.get(html, ()))
    if kind == "choice" and options and len(options) > 1 and not any(values) and "" not in dict(options):
        options = (("", ""), *options)  # else the browser would choose the first of them for the reader
    key = f"field.{_plain_path(path)}" if f"field.{_plain_path(path)}" in texts() else f"field.{name}"
    drawn = Input(
        path=path,
        name=html,
        key=offers.labels.get(path, key),
        kind=kind,
        value=values[0] if values else "",
        values=values,
        options=options or (),
        error=errors.get(path, errors.get(f"{path}_minor", "")),
        type=_TYPES.get(name, "text"),
        length_max=meta.get("length_max", 200),
        currency=offers.currency,
        pictures=offers.pictures.get(path, {}),
    )
    if kind == "rows" and row is not None:
        drawn.rows = _draw_rows(row, typed, offers, errors, html, path)
    if kind == "facts":
        drawn.rows = (
            (tuple(_draw_fact(spec, typed, offers, errors, html, path) for spec in offers.facts),)
            if offers.facts
            else ()
        )
    return drawn


def _options(meta: Mapping[str, Any], name: str, path: str, offers: Offers) -> Options | None:
    offered = offers.of(_plain_path(path))
    if offered is not None:
        return offered
    choices = meta.get("choices")
    if not choices:
        return None
    prefix = _PREFIXES.get(name, name)
    return tuple((code, f"{prefix}.{code}" if code else "") for code in choices)


def _draw_rows(
    row: type, typed: Typed, offers: Offers, errors: Mapping[str, str], html: str, path: str
) -> tuple[tuple[Input, ...], ...]:
    given = _filled(row, typed, html, offers, path)
    first = max(_indexes(typed, html), default=-1) + 1
    rows = [draw(row, typed, offers, errors, f"{html}-{i}-", f"{path}.{n}.") for n, i in enumerate(given, start=1)]
    for n in range(SPARE_ROWS):
        name = f"{html}-{first + n}-"
        if first + n < ROWS_MAX:
            rows.append(
                draw(row, _untouched(row, offers, name, path), offers, {}, name, f"{path}.{len(given) + n + 1}.")
            )
    return tuple(rows)


def _untouched(row: type, offers: Offers, prefix: str, path: str) -> Typed:
    """A spare row: defaults stand in it, but nothing is chosen for the reader."""
    said = typed_of(row(), prefix)
    return {name: value for name, value in said.items() if offers.of(f"{path}.{name.removeprefix(prefix)}") is None}


def _draw_fact(spec: FactSpec, typed: Typed, offers: Offers, errors: Mapping[str, str], html: str, path: str) -> Input:
    kinds = {"money": "money", "percent": "text", "count": "whole", "yes_no": "maybe", "choice": "choice"}
    name, where = f"{html}-{spec.name}", f"{path}.{spec.name}"
    values = tuple(typed.get(name, ()))
    options = tuple((c, f"fact_choice.{c}") for c in spec.choices)
    return Input(
        path=where,
        name=name,
        key=f"{offers.facts_named}.{spec.name}",
        kind=kinds[spec.type],
        value=values[0] if values else "",
        values=values,
        options=(("", ""), *options),
        error=errors.get(where, errors.get(f"settlement.{where}", "")),
        currency=offers.currency,
    )


# --- reading --------------------------------------------------------------------------------------------------------


class _Wrong(Exception):
    """What is wrong with one field, as a text key."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read(cls: type, typed: Typed, offers: Offers) -> tuple[Any, dict[str, str]]:
    """The command that was typed, and a text key per field that makes no sense (then the command is None)."""
    command, errors = _read(cls, typed, offers)
    return (None, errors) if errors else (command, {})


def partly(cls: type, typed: Typed, offers: Offers) -> Any:
    """The command as far as it can be read: a field that makes no sense says nothing."""
    return _read(cls, typed, offers)[0]


def all_wrong(unread: Mapping[str, str], by_rule: Mapping[str, str]) -> dict[str, str]:
    """What could not be read, and what a rule says of the rest: nothing of it about what was not read."""
    said = {f: code for f, code in by_rule.items() if not any(_same_place(f, other) for other in unread)}
    return {**said, **unread}


def _same_place(one: str, other: str) -> bool:
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def _read(cls: type, typed: Typed, offers: Offers, prefix: str = "", path: str = "") -> tuple[Any, dict[str, str]]:
    said: dict[str, Any] = {}
    errors: dict[str, str] = {}
    for one in fields(cls):
        where = f"{path}{one.name}"
        if _plain_path(where) in offers.omit:
            continue
        kind, row = kind_of(cls, one.name)
        html = f"{prefix}{one.name}"
        if kind == "rows" and row is not None:
            said[one.name] = _read_rows(row, typed, offers, html, where, errors)
        elif kind == "facts":
            said[one.name] = _read_facts(typed, offers, html, where, errors)
        else:
            try:
                said[one.name] = _read_one(cls, one, kind, row, typed.get(html, []), offers, where)
            except _Wrong as wrong:
                errors[where] = wrong.code
    return cls(**said), errors


def _default(one: Field[Any]) -> Any:
    if one.default is not MISSING:
        return one.default
    return one.default_factory() if one.default_factory is not MISSING else None


def _read_one(
    cls: type, one: Field[Any], kind: str, item: type | None, given: list[str], offers: Offers, path: str
) -> Any:
    value = given[0].strip() if given else ""
    meta = one.metadata
    if kind == "flag":
        return value in ("on", "yes", "true", "1")
    if kind == "maybe":
        return {"yes": True, "no": False}.get(value)
    if kind == "choices":
        return _read_choices(given, item, _options(meta, one.name, path, offers))
    if not value:
        if "." in path and kind == "whole" and offers.of(_plain_path(path)) is not None and _default(one) is not None:
            raise _Wrong("refusal.required")  # of a row: which one is meant must be chosen
        return _default(one)
    if kind == "whole":
        return whole(value, meta.get("low"), meta.get("high"))
    if kind == "money":
        return money(value, offers.currency)
    if kind == "time":
        return instant(value)
    value = value.replace("\r\n", "\n")
    if len(value) > meta.get("length_max", TEXT_LENGTH_MAX):
        raise _Wrong("refusal.too_long")
    if kind == "choice" and value not in meta["choices"]:
        raise _Wrong("refusal.not_a_choice")
    return value


def _read_choices(given: list[str], item: type | None, options: Options | None) -> tuple[Any, ...]:
    chosen = [v for v in given if v]
    if options is not None and not set(chosen) <= {code for code, _ in options}:
        raise _Wrong("refusal.not_a_choice")
    return tuple(whole(v, None, None) for v in chosen) if item is int else tuple(chosen)


def whole(value: str, low: int | None, high: int | None) -> int:
    """A whole number within bounds. Raises `_Wrong`."""
    if not re.fullmatch(r"-?\d{1,18}", value):
        raise _Wrong("refusal.not_a_number")
    number = int(value)
    if (low is not None and number < low) or (high is not None and number > high):
        raise _Wrong("refusal.out_of_bounds")
    return number


def money(value: str, currency: str) -> Money:
    """An amount as people type it: separators of thousands and blanks do not matter. Raises `_Wrong`."""
    try:
        return parse(re.sub(r"[,，\s]", "", value), currency, negative=True)
    except MoneyError as error:
        raise _Wrong(error.code if not error.params else "form.money_decimals") from None


def instant(value: str) -> datetime:
    """A local time of the company as the browser's field gives it. Raises `_Wrong`."""
    try:
        if not _TIME.fullmatch(value):
            raise ValueError(value)
        return datetime.fromisoformat(value).replace(tzinfo=timezone.get_current_timezone()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Wrong("form.time") from None


def _indexes(typed: Typed, html: str) -> list[int]:
    found = {int(m[1]) for name in typed if (m := re.match(rf"{re.escape(html)}-(\d{{1,3}})-", name))}
    return sorted(i for i in found if i < ROWS_MAX)


def _filled(row: type, typed: Typed, html: str, offers: Offers, path: str) -> list[int]:
    """The rows in which something was typed or chosen: a default left standing does not count."""
    return [
        i
        for i in _indexes(typed, html)
        if any(_says(row, one, typed, f"{html}-{i}-", offers, path) for one in fields(row))
    ]


def _says(row: type, one: Field[Any], typed: Typed, prefix: str, offers: Offers, path: str) -> bool:
    kind, _ = kind_of(row, one.name)
    if kind in ("flag", "rows", "facts"):
        return False
    given = [v.strip() for v in typed.get(f"{prefix}{one.name}", []) if v.strip()]
    chosen = offers.of(_plain_path(f"{path}.{one.name}")) is not None
    return bool(given) and (chosen or given != [str(_default(one))])


def _read_rows(
    row: type, typed: Typed, offers: Offers, html: str, path: str, errors: dict[str, str]
) -> tuple[Any, ...]:
    found = []
    for number, index in enumerate(_filled(row, typed, html, offers, path), start=1):
        one, wrong = _read(row, typed, offers, f"{html}-{index}-", f"{path}.{number}.")
        errors.update(wrong)
        found.append(one)
    return tuple(found)


def _read_facts(typed: Typed, offers: Offers, html: str, path: str, errors: dict[str, str]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for spec in offers.facts:
        value = (typed.get(f"{html}-{spec.name}") or [""])[0].strip()
        if not value:
            continue
        try:
            said[spec.name] = _fact(spec, value, offers.currency)
        except _Wrong as wrong:
            errors[f"{path}.{spec.name}"] = wrong.code
    return said


def _fact(spec: FactSpec, value: str, currency: str) -> Any:
    if spec.type == "money":
        return money(value, currency).minor
    if spec.type == "count":
        return whole(value, spec.minimum, spec.maximum)
    if spec.type == "yes_no":
        return {"yes": True, "no": False}.get(value)
    return value  # a percentage stays as written, the terms read it; a choice is checked by them


# --- what is known already ------------------------------------------------------------------------------------------


def typed_of(command: Any, prefix: str = "") -> dict[str, list[str]]:
    """What somebody would have typed to say this command: what a form starts with."""
    found: dict[str, list[str]] = {}
    for one in fields(command):
        value, name = getattr(command, one.name), f"{prefix}{one.name}"
        if isinstance(value, tuple) and value and is_dataclass(value[0]):
            for number, row in enumerate(value):
                found.update(typed_of(row, f"{name}-{number}-"))
        elif isinstance(value, Mapping):
            found.update({f"{name}-{key}": [_typed(v)] for key, v in value.items() if v is not None})
        elif isinstance(value, tuple):
            found[name] = [_typed(v) for v in value]
        elif value not in (None, "", False):
            found[name] = [_typed(value)]
    return found


def _typed(value: Any) -> str:
    if isinstance(value, Money):
        return plain(value)
    if isinstance(value, datetime):
        return timezone.localtime(value).strftime("%Y-%m-%dT%H:%M")
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def posted(data: Any) -> dict[str, list[str]]:
    """What was typed, of a request's POST."""
    return {name: data.getlist(name) for name in data}


def unplaced(drawn: Sequence[Input], errors: Mapping[str, str]) -> dict[str, str]:
    """Errors that no field of the form shows: they go above it."""
    shown: set[str] = set()

    def walk(inputs: Sequence[Input]) -> None:
        for one in inputs:
            if one.error:
                shown.update({one.path, f"{one.path}_minor", f"settlement.{one.path}"})
            for row in one.rows:
                walk(row)

    walk(drawn)
    return {path: code for path, code in errors.items() if path not in shown}
