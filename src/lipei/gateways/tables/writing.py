"""Writing tables, row by row: a workbook or comma-separated text, by the ending of the path.

A file takes its name only when it is whole: until then it is written beside it.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_EXACT_DIGITS = 11
"""Whole numbers of more digits are numbers of things, and a spreadsheet would spoil them: they are written as text."""

_WIDTH = 18
"""Of a column with a heading, in characters: dates and numbers of claims fit."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def writer(path: Path) -> Writer:
    """The writer for a path: ``.xlsx`` a workbook, anything else text in UTF-8 with commas."""
    return _Workbook(path) if path.suffix.lower() == ".xlsx" else _Text(path)


class Writer:
    """Takes rows; gives the file its name at the end of a ``with`` block that went well, else leaves nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = path.with_name(f".{path.name}.part")
        path.parent.mkdir(parents=True, exist_ok=True)

    def row(self, values: Sequence[Any]) -> None:
        """Append a row."""
        raise NotImplementedError

    def head(self, labels: Sequence[str]) -> None:
        """Append the row that names the columns: in a workbook it stands out, stays in sight and can be filtered by."""
        self.row(labels)

    def _close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        if kind is None:
            self._part.replace(self.path)
        else:
            self._part.unlink(missing_ok=True)


def written(value: Any) -> Any:
    """A cell as people and other programs read it again: no exponent, no time of day where there is none."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and len(str(abs(value))) > _EXACT_DIGITS:
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return value.isoformat() if isinstance(value, date) else value


class _Text(Writer):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._file = self._part.open("w", encoding="utf-8-sig", newline="")
        self._csv = csv.writer(self._file)

    def row(self, values: Sequence[Any]) -> None:
        self._csv.writerow([harmless(written(value)) for value in values])

    def _close(self) -> None:
        self._file.close()


def harmless(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula, kept from being one by a leading apostrophe."""
    if isinstance(value, str) and len(value) > 1 and value.startswith(_FORMULA):
        return value if value[1:].replace(".", "", 1).isdigit() else f"'{value}"
    return value


class _Workbook(Writer):
    def __init__(self, path: Path) -> None:
        import xlsxwriter

        super().__init__(path)
        self._book = xlsxwriter.Workbook(
            str(self._part),
            {
                "constant_memory": True,
                "strings_to_numbers": False,
                "strings_to_formulas": False,
                "strings_to_urls": False,
            },
        )
        self._sheet = self._book.add_worksheet()
        self._at = 0

    def row(self, values: Sequence[Any]) -> None:
        for column, value in enumerate(values):
            plain = written(value)
            if isinstance(plain, str):
                self._sheet.write_string(self._at, column, plain)
            else:
                self._sheet.write(self._at, column, plain)
        self._at += 1

    def head(self, labels: Sequence[str]) -> None:
        bold = self._book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        for column, label in enumerate(labels):
            self._sheet.set_column(column, column, _WIDTH)
            self._sheet.write_string(self._at, column, str(label), bold)
        self._sheet.freeze_panes(self._at + 1, 0)
        self._sheet.autofilter(self._at, 0, self._at, max(len(labels) - 1, 0))
        self._at += 1

    def _close(self) -> None:
        self._book.close()
