"""Writing tables, row by row: a workbook or comma-separated text, by the ending of the path.

A file takes its name only when it is whole: until then it is written beside it.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from lipei.domain.money import Money, plain

_EXACT_DIGITS = 11
"""Whole numbers of more digits are numbers of things, and a spreadsheet would spoil them: they are written as text."""

_WIDTH = 18
"""Of a column with a heading, in characters: dates and numbers of claims fit."""

FLOAT_DIGITS_END = 10**15
"""From here on a spreadsheet no longer keeps every digit of a number: the last ones are made up."""

_TEXT_MAX = 32_767
"""Characters that a cell of a workbook holds."""

_FORMULA = re.compile(r"'*[=+\-@\t\r].", re.S)
_SIGNED = re.compile(r"[+-][0-9]+(\.[0-9]*)?")


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
    """A cell as people and other programs read it again: no exponent, no time of day where there is none.

    What a sheet cannot hold becomes a text: a number that is none, a number of more digits than it keeps, a list.
    """
    if value is None:
        return ""
    if isinstance(value, Money):
        return f"{plain(value)} {value.currency}"
    if isinstance(value, float):
        if not math.isfinite(value):
            return str(value)
        value = int(value) if value.is_integer() and abs(value) < FLOAT_DIGITS_END else value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**_EXACT_DIGITS:
        return str(Decimal(value))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value if isinstance(value, str | int | float) else str(value)


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
    """A text that a spreadsheet would take for a formula, kept from being one by a leading apostrophe.

    One that begins with apostrophes before it gets one more, so that `unharmed` gives back what was there.
    """
    if isinstance(value, str) and _FORMULA.match(value) and not _SIGNED.fullmatch(value):
        return f"'{value}"
    return value


def unharmed(cell: str) -> str:
    """A cell of a text as it was before `harmless`: the apostrophe is no part of it."""
    return cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell


def _amount(value: Any) -> Decimal | None:
    """The number of an amount that a sheet keeps to the last digit; None for anything else."""
    amount = Decimal(plain(value)) if isinstance(value, Money) else value
    kept = isinstance(amount, Decimal) and amount.is_finite() and len(amount.as_tuple().digits) <= _SHEET_DIGITS
    return amount if kept else None


_SHEET_DIGITS = 15


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
        self._formats: dict[str, Any] = {}
        self._at = 0

    def row(self, values: Sequence[Any]) -> None:
        for column, value in enumerate(values):
            said = written(value)
            if (amount := _amount(value)) is not None:
                self._sheet.write_number(self._at, column, float(amount), self._money(value, amount))
            elif isinstance(said, str):
                self._sheet.write_string(self._at, column, said[:_TEXT_MAX])
            else:
                self._sheet.write(self._at, column, said)
        self._at += 1

    def _money(self, value: Any, amount: Decimal) -> Any:
        """The format of an amount: as many decimals as it has, and its currency where it brings one along."""
        decimals = max(0, -int(amount.as_tuple().exponent))
        shown = "#,##0" + (f".{'0' * decimals}" if decimals else "")
        shown = f"[${value.currency}] {shown}" if isinstance(value, Money) else shown
        if shown not in self._formats:
            self._formats[shown] = self._book.add_format({"num_format": shown})
        return self._formats[shown]

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
