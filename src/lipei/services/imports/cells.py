"""Cells of somebody else's file by a layout: found by column, translated, and refused one by one with a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, tzinfo
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from itertools import islice
from typing import Any

from lipei.domain import money
from lipei.domain.events import Refusal
from lipei.domain.imports import EARLIEST_YEAR, Layout, Source
from lipei.gateways.tables import Sheet

HEADER_ROWS = 20
"""A header is looked for in so many rows: titles and blank lines above it do no harm."""


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
    return not any(cell is not None and str(cell).strip() for cell in row)


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
        """The first of a field's cells that says something; None where none does."""
        if field is None:
            return None
        empty = self.header.layout.empty
        for place in field.places:
            cell = self.cells[place] if place < len(self.cells) else None
            if isinstance(cell, str):
                cell = cell.strip()
            if cell is not None and cell not in empty:
                return cell
        return None

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

    def day_only(self, name: str) -> bool:
        """Whether a field says a day and no time of day."""
        cell = self.raw(self.header.fields.get(name))
        return (isinstance(cell, date) and not isinstance(cell, datetime)) or (
            isinstance(cell, str) and len(cell) <= 10
        )

    def minor(self, name: str, currency: str) -> int:
        """A field as minor units, 0 where it is empty. Raises Wrong for what is no amount, or a negative one."""
        cell = self.raw(self.header.fields.get(name))
        return 0 if cell is None else self.amount(cell, currency, self.label(name))

    def amount(self, cell: Any, currency: str, label: str) -> int:
        """A cell as minor units: at most as many decimals as the currency has. Raises Wrong."""
        try:
            minor = as_minor(cell, currency)
        except (InvalidOperation, ValueError):
            raise Wrong("refusal.import_amount", column=label, value=as_text(cell)[:40]) from None
        if minor < 0:
            raise Wrong("refusal.import_amount", column=label, value=as_text(cell)[:40])
        return minor


def as_text(cell: Any) -> str:
    """A cell as text: whole numbers without the point that a spreadsheet gives them."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ", timespec="minutes")
    return " ".join(str(cell).split())


def as_minor(cell: Any, currency: str) -> int:
    """Minor units of a number or a text with or without separators of thousands.

    A float is read as the decimal it prints as. Raises ValueError for more decimals than the currency has.
    """
    places = money.exponent(currency)
    if isinstance(cell, str):
        cell = cell.replace(",", "").replace(" ", "").lstrip("¥￥$")
    exact = Decimal(repr(cell) if isinstance(cell, float) else str(cell)).scaleb(places)
    whole = exact.to_integral_value(ROUND_HALF_UP)
    if whole != exact:
        raise ValueError("more decimals than the currency has")
    return int(whole)


def as_time(cell: Any, layout: Layout) -> datetime | None:
    """The instant of a cell, or None where it is no date."""
    if isinstance(cell, datetime):
        return _placed(cell, layout.zone)
    if isinstance(cell, date):
        return _placed(datetime.combine(cell, time()), layout.zone)
    if not isinstance(cell, str):
        return None
    text = cell.strip().replace("/", "-")
    readers: list[Callable[[str], datetime]] = [datetime.fromisoformat]
    readers += [lambda t, f=form: datetime.strptime(t, f) for form in layout.date_formats]  # type: ignore[misc]  # noqa: DTZ007
    for reader in readers:
        try:
            return _placed(reader(text if reader is datetime.fromisoformat else cell.strip()), layout.zone)
        except (ValueError, OverflowError):
            continue
    return None


def _placed(found: datetime, zone: tzinfo) -> datetime | None:
    try:
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        return None
