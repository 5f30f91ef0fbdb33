"""What reading a table gives: a sheet, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any


class NotATable(ValueError):
    """A file that cannot be read as a table. ``code`` is a key of the texts, ``params`` fill it."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(f"{code} {params}" if params else code)
        self.code = code
        self.params = params


@dataclass(frozen=True)
class Sheet:
    """One table: its name, how it is kept (``workbook``, ``text``, ``parquet``), its rows and how many (0: unknown)."""

    name: str
    kept_as: str
    rows: Iterator[Sequence[Any]]
    total: int = 0
