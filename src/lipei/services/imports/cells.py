"""Cells of somebody else's file by a layout: found by column, translated, and refused one by one with a reason."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Context, Decimal
from itertools import islice
from typing import Any

from lipei.domain import money
from lipei.domain.events import Refusal
from lipei.domain.imports import EARLIEST_YEAR, Layout, Source
from lipei.gateways.tables import Sheet

HEADER_ROWS = 20
"""A header is looked for in so many rows: titles and blank lines above it do no harm."""

FLOAT_DIGITS = 15
"""So many digits of a number a spreadsheet keeps; it makes up those behind them."""

DIGITS_MAX = 30
"""Of a number before its point. More is a slip: money ends far below (`money.LARGEST_MINOR`)."""

_STRANGE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
"""Control characters, marks that turn the direction of writing, what stands for a character that was lost."""

_ERROR = re.compile(r"#(REF!|DIV/0!|N/A|NAME\?|NULL!|NUM!|VALUE!|SPILL!|CALC!|GETTING_DATA)")
_ROUNDED = re.compile(r"[0-9](\.[0-9]+)?[Ee]\+[0-9]{1,3}")
_AMOUNT = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:[, \u00a0\u202f]\d{2,3})*[, \u00a0\u202f]\d{3})?(?:\.\d*)?")
_BETWEEN_THOUSANDS = re.compile("[, \u00a0\u202f]")
_DAY = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[ T]+(\d{1,2}):(\d{2})(?::(\d{2}))?)?", re.A)
"""A day as spreadsheets in Chinese write it: 2010/1/31, 2010年1月31日, with a time of day or without."""

_DAY_LENGTH_MAX, _TIME_LENGTH_MAX = 11, 60


class Wrong(Exception):
    """A cell that cannot be used. ``refusal`` says which and why."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.refusal = Refusal(code, "fields", params)


@dataclass(frozen=True, slots=True)
class Field:
    """A source with its columns found: places of the cells to look at, in order, and what to call them to people."""

    name: str
    source: Source
    places: tuple[int, ...]


@dataclass(frozen=True)
class Header:
    """The header of a sheet as a layout reads it. ``named`` are its columns by their names in small letters."""

    columns: tuple[str, ...]
    named: Mapping[str, int]
    fields: Mapping[str, Field]
    facts: Mapping[str, Field]
    layout: Layout


def plain(name: Any) -> str:
    """A column's name as it is compared: single blanks, no letter case."""
    return " ".join(str(name if name is not None else "").split()).casefold()


def header_of(row: Sequence[Any], layout: Layout, needed: Sequence[str]) -> Header | list[str]:
    """The header that this row is for the layout, else the columns that are missing."""
    named: dict[str, int] = {}
    for place, cell in enumerate(row):
        named.setdefault(plain(cell), place)
    named.pop("", None)

    def found(name: str, source: Source) -> Field:
        first = [named[plain(c)] for c in source.columns if plain(c) in named][:1]
        second = [named[plain(c)] for c in source.otherwise if plain(c) in named][:1]
        return Field(name, source, (*first, *second))

    fields = {name: found(name, source) for name, source in layout.fields.items()}
    lacking = [name for name in needed if not fields[name].places and fields[name].source.fixed is None]
    if lacking:
        return [layout.fields[name].columns[0] for name in lacking]
    facts = {name: found(name, source) for name, source in layout.facts.items()}
    return Header(tuple(str(c if c is not None else "").strip() for c in row), named, fields, facts, layout)


def beginning(sheet: Sheet) -> list[Sequence[Any]]:
    """The first rows of a sheet, among which the header stands. The sheet goes on after them."""
    return list(islice(sheet.rows, HEADER_ROWS))


def blank(row: Sequence[Any]) -> bool:
    """Whether a row has nothing in it: such rows are not counted."""
    return not any(cell is not None and (not isinstance(cell, str) or cell.strip()) for cell in row)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the file as a layout reads it."""

    header: Header
    cells: Sequence[Any]

    def label(self, name: str) -> str:
        """What the file calls the column of a field."""
        field = self.header.fields[name]
        return self.header.columns[field.places[0]] if field.places else name

    def raw(self, field: Field | None) -> Any:
        """The first of a field's cells that says something; None where none does. Raises Wrong as `cell` does."""
        for place in field.places if field is not None else ():
            cell = self.cell(place)
            if cell is not None:
                return cell
        return None

    def cell(self, place: int) -> Any:
        """A cell: text, number, yes or no, date or time; None where it says nothing.

        Raises Wrong for what is none of these (a list, a number that is none, a formula that failed) and for a text
        of characters that nobody could have meant.
        """
        cell = self.cells[place] if place < len(self.cells) else None
        if isinstance(cell, str):
            cell = cell.strip()
            if cell in self.header.layout.empty:
                return None
            if cell.isascii() and cell.isprintable() and cell[0] not in "#[{":
                return cell  # as nearly all are
            code = _wrong_text(cell)
        else:
            code = "" if cell is None or _single(cell) else "refusal.import_cell"
        if code:
            raise Wrong(code, column=self.header.columns[place], value=cell[:40] if isinstance(cell, str) else "")
        return cell

    def text(self, name: str, *, needed: bool = False, length_max: int = 200) -> str:
        """A field as text, translated by the layout. Raises Wrong: missing, unknown word, too long."""
        field = self.header.fields.get(name)
        if field is None:
            return ""
        source = field.source
        if source.fixed is not None:
            return source.fixed
        cell = self.raw(field)
        if cell is None:
            if source.missing is not None:
                return source.missing
            if needed:
                raise Wrong("refusal.import_missing", column=self.label(name))
            return ""
        found = as_text(cell)
        if source.values:
            return self._translated(name, found, source)
        if rounded(cell):
            raise Wrong("refusal.import_rounded", column=self.label(name), value=found[:40])
        if len(found) > length_max:
            raise Wrong("refusal.import_too_long", column=self.label(name), most=length_max)
        return source.prefix + found

    def _translated(self, name: str, word: str, source: Source) -> str:
        meaning = source.values.get(word.casefold())
        if meaning is None:
            raise Wrong("refusal.import_word_unknown", column=self.label(name), value=word[:80])
        return meaning

    def fact(self, field: Field) -> str:
        """A fact to keep as it stands, shortened to what a list can show."""
        cell = self.raw(field)
        return "" if cell is None else as_text(cell)[:120]

    def at(self, name: str, *, needed: bool = False) -> datetime | None:
        """A field as an instant; a day alone is its first moment in the layout's zone. Raises Wrong."""
        cell = self.raw(self.header.fields.get(name))
        if cell is None:
            if needed:
                raise Wrong("refusal.import_missing", column=self.label(name))
            return None
        found = as_time(cell, self.header.layout)
        if found is None or not EARLIEST_YEAR <= found.year < 9000:
            raise Wrong("refusal.import_date", column=self.label(name), value=as_text(cell)[:40])
        return found

    def end(self, name: str, *, needed: bool = False) -> datetime | None:
        """A field as the end of a time: a day alone lasts until 24:00 in the layout's zone. Raises Wrong as `at` does."""
        found = self.at(name, needed=needed)
        if found is None or not self.day_only(name):
            return found
        zone = self.header.layout.zone
        return (found.astimezone(zone).replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone).astimezone(UTC)

    def day_only(self, name: str) -> bool:
        """Whether a field says a day and no time of day."""
        cell = self.raw(self.header.fields.get(name))
        return (isinstance(cell, date) and not isinstance(cell, datetime)) or (
            isinstance(cell, str) and len(cell) <= _DAY_LENGTH_MAX and ":" not in cell
        )

    def minor(self, name: str, currency: str) -> int:
        """A field as minor units, 0 where it is empty. Raises Wrong for what is no amount, or a negative one."""
        cell = self.raw(self.header.fields.get(name))
        return 0 if cell is None else self.amount(cell, currency, self.label(name))

    def amount(self, cell: Any, currency: str, label: str) -> int:
        """A cell as minor units: at most as many decimals as the currency has. Raises Wrong."""
        try:
            minor = as_minor(cell, currency)
        except ValueError:
            raise Wrong("refusal.import_amount", column=label, value=as_text(cell)[:40]) from None
        if minor < 0:
            raise Wrong("refusal.import_amount", column=label, value=as_text(cell)[:40])
        if minor > money.LARGEST_MINOR:
            raise Wrong("refusal.import_amount_absurd", column=label)
        return minor


def _wrong_text(cell: str) -> str:
    """The code of what makes a text one that cannot be used; empty where it can."""
    if "\ufffd" in cell or not (cell.isprintable() or _STRANGE.search(cell) is None):
        return "refusal.import_characters"
    if cell[0] == "#" and _ERROR.fullmatch(cell):
        return "refusal.import_error_cell"
    return "refusal.import_cell" if cell[0] in "[{" and _nested(cell) else ""


def _nested(text: str) -> bool:
    """Whether a text is a list or a table: so they stand in a file of rejects, and a cell holds one thing."""
    try:
        return isinstance(json.loads(text), list | dict)
    except (ValueError, RecursionError):
        return False


def _single(cell: Any) -> bool:
    """Whether a value is one thing that a cell may hold."""
    if isinstance(cell, float):
        return math.isfinite(cell)
    if isinstance(cell, Decimal):
        return cell.is_finite() and abs(cell.adjusted()) <= DIGITS_MAX
    if isinstance(cell, int):
        return bool(abs(cell) < 10**DIGITS_MAX)
    return isinstance(cell, date | time | timedelta)


def rounded(cell: Any) -> bool:
    """Whether a number has more digits than a spreadsheet keeps: the number of an account would be another one."""
    if isinstance(cell, str):
        return "+" in cell and _ROUNDED.fullmatch(cell) is not None
    return isinstance(cell, float) and abs(cell) >= 10**FLOAT_DIGITS


def as_text(cell: Any) -> str:
    """A cell as text: whole numbers without the point that a spreadsheet gives them."""
    if isinstance(cell, str):
        return " ".join(cell.split())
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="minutes")
    if isinstance(cell, float | Decimal) and cell == int(cell):
        return str(int(cell))
    return str(cell)


def as_minor(cell: Any, currency: str) -> int:
    """Minor units of a number or a text with or without separators of thousands.

    A float is read to the fifteen digits that a spreadsheet keeps. Raises ValueError for what is no number, one of
    absurdly many digits, and one of more decimals than the currency has.
    """
    places = money.exponent(currency)
    if isinstance(cell, str):
        found = cell.lstrip("¥￥$").strip()
        if not _AMOUNT.fullmatch(found) or len(found) > 2 * DIGITS_MAX:
            raise ValueError("no amount")
        cell = _BETWEEN_THOUSANDS.sub("", found)
    if isinstance(cell, bool) or not isinstance(cell, str | int | float | Decimal):
        raise ValueError("no number")
    exact = _decimal(f"{cell:.{FLOAT_DIGITS}g}" if isinstance(cell, float) else cell)
    if not exact.is_finite() or exact.adjusted() > DIGITS_MAX:
        raise ValueError("not a number of money")
    scaled = exact.scaleb(places, _EXACT)
    if scaled != scaled.to_integral_value():
        raise ValueError("more decimals than the currency has")
    return int(scaled)


_EXACT = Context(prec=10 * DIGITS_MAX)


def _decimal(written: str | int | Decimal) -> Decimal:
    try:
        return Decimal(written)
    except ArithmeticError:
        raise ValueError("no number") from None


def as_time(cell: Any, layout: Layout) -> datetime | None:
    """The instant of a cell, or None where it is no date."""
    if isinstance(cell, datetime):
        return _placed(cell, layout.zone)
    if isinstance(cell, date):
        return _placed(datetime.combine(cell, time()), layout.zone)
    if not isinstance(cell, str) or len(cell) > _TIME_LENGTH_MAX:
        return None
    readers: list[Callable[[str], datetime]] = [lambda t: datetime.fromisoformat(_iso(t))]
    readers += [lambda t, f=form: datetime.strptime(t, f) for form in layout.date_formats]  # type: ignore[misc]  # noqa: DTZ007
    for reader in readers:
        try:
            return _placed(reader(cell), layout.zone)
        except (ValueError, OverflowError):
            continue
    return None


def _iso(cell: str) -> str:
    """A day as spreadsheets in Chinese write it, in the form of ISO; any other text as it is."""
    found = _DAY.fullmatch(cell)
    if found is None:
        return cell
    year, month, day, hour, minute, second = found.groups()
    of_day = f" {int(hour):02}:{minute}:{second or '00'}" if hour else ""
    return f"{year}-{int(month):02}-{int(day):02}{of_day}"


def _placed(found: datetime, zone: tzinfo) -> datetime | None:
    try:
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except (OverflowError, ValueError):  # the first or last hours of the calendar
        return None
