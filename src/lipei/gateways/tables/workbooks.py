"""Workbooks, read by calamine, and what it does not say of an xlsx: cells that are errors, and how far a sheet reaches.

An error (``#REF!``) would come as an empty cell, and an amount that could not be computed as nothing paid; a stray cell
in the last column of the last row would ask for more memory than there is and end the process.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from lipei.gateways.tables.sheet import NotATable, Sheet

CELLS_MAX = 50_000_000
"""Unpacked, so many cells are more than a gigabyte; a table of a million rows and fifty columns still fits."""

_CHUNK_BYTES = 1 << 20
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_ERROR = re.compile(
    rb'<(?:\w+:)?c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]{1,3})([0-9]{1,7})"[^>]*>\s*'
    rb"(?:<(?:\w+:)?f\b[^>]*(?:/>|>[^<]*</(?:\w+:)?f>)\s*)?<(?:\w+:)?v>([^<]*)<"
)
_DIMENSION = re.compile(rb'<(?:\w+:)?dimension\b[^>]*\bref="(?:[A-Z]+[0-9]+:)?([A-Z]{1,3})([0-9]{1,7})"')

Errors = Mapping[int, Mapping[int, str]]
"""Row → column → what the error is called, both counted from zero."""


def sheets(path: Path) -> Iterator[Sheet]:
    """The sheets of a workbook, in order. Raises NotATable with one clear reason."""
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    insides = _insides(path)
    try:
        with path.open("rb") as file:  # by its bytes: given the path, calamine would believe the ending
            book = CalamineWorkbook.from_filelike(file)
            for name in book.sheet_names:
                inside = insides.get(name, _Inside())
                if inside.cells > CELLS_MAX:
                    raise NotATable("refusal.import_sheet_too_large", path=path.name, sheet=name)
                sheet = book.get_sheet_by_name(name)
                rows = _with_errors(sheet.iter_rows(), inside.errors, sheet.start[1] if sheet.start else 0)
                yield Sheet(name, "workbook", rows, sheet.height)
    except NotATable:
        raise
    except (CalamineError, OSError, ValueError) as error:
        locked = isinstance(error, PasswordError) or _ENCRYPTED in path.read_bytes()
        code = "refusal.import_encrypted" if locked else "refusal.import_not_a_table"
        raise NotATable(code, path=path.name) from error


def _with_errors(rows: Iterator[Sequence[Any]], errors: Errors, left: int) -> Iterator[Sequence[Any]]:
    """The rows with their errors in place. ``left`` is the column with which calamine's rows begin."""
    if not errors:
        yield from rows
        return
    for number, row in enumerate(rows):
        if number in errors:
            row = list(row)
            for column, name in errors[number].items():
                if 0 <= column - left < len(row):
                    row[column - left] = name
        yield row


@dataclass(frozen=True, slots=True)
class _Inside:
    """What the parts of an xlsx say of one sheet."""

    cells: int = 0
    errors: Errors = field(default_factory=dict)


def _insides(path: Path) -> Mapping[str, _Inside]:
    """By sheet what its part says; empty for what is no xlsx, or not as we know it: calamine then says what is wrong."""
    try:
        with zipfile.ZipFile(path) as book:
            relations = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))
            targets = {row.get("Id"): str(row.get("Target")) for row in relations}
            named = ElementTree.fromstring(book.read("xl/workbook.xml")).iter()
            listed = [(str(row.get("name")), targets.get(_relation(row), "")) for row in named if _relation(row)]
            parts = {name: f"xl/{target}" if target[:1] != "/" else target[1:] for name, target in listed}
            return {name: _inside(book, part) for name, part in parts.items() if part in book.namelist()}
    except (
        zipfile.BadZipFile,
        KeyError,
        ElementTree.ParseError,
        OSError,
        ValueError,
        NotImplementedError,
        RuntimeError,
    ):
        return {}


def _relation(row: ElementTree.Element) -> str:
    return next((value for name, value in row.attrib.items() if name.endswith("}id")), "")


def _inside(book: zipfile.ZipFile, part: str) -> _Inside:
    errors: dict[int, dict[int, str]] = {}
    cells = 0
    rest = b""
    with book.open(part) as file:
        chunk = file.read(_CHUNK_BYTES)
        if said := _DIMENSION.search(chunk):
            cells = (_column(said[1]) + 1) * int(said[2])
        while chunk:
            whole, _, rest = (rest + chunk).rpartition(b"row>")
            if b't="e"' in whole:
                for column, row, name in _ERROR.findall(whole):
                    errors.setdefault(int(row) - 1, {})[_column(column)] = name.decode("utf-8", "replace")
            chunk = file.read(_CHUNK_BYTES)
    return _Inside(cells, errors)


def _column(letters: bytes) -> int:
    """A column's number from zero: A is 0, Z 25, AA 26."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number - 1
