"""Reading tables. The ending is not asked: many a file called .xls is xlsx inside.

Text is read as it streams by; a workbook's sheet is unpacked by calamine as a whole. A cell is None, str, bool, int,
float, date or datetime; nothing is interpreted here.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ZIP, _OLE, _PARQUET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1"
_HEAD_BYTES = 262_144
_DELIMITERS = ",;\t|"
_CELL_MAX = 1_000_000


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


def sheets(path: Path, *, encoding: str = "") -> Iterator[Sheet]:
    """The tables of a file, each readable once, in order. Raises NotATable with one clear reason."""
    if not path.is_file():
        raise NotATable("refusal.import_no_file", path=str(path))
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.strip():
        raise NotATable("refusal.import_empty", path=path.name)
    if head.startswith((_ZIP, _OLE)):
        yield from _workbook(path)
    elif head.startswith(_PARQUET):
        yield _parquet(path)
    else:
        yield _text(path, head, encoding)


def _workbook(path: Path) -> Iterator[Sheet]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        with path.open("rb") as file:  # by its bytes: given the path, calamine would believe the ending
            book = CalamineWorkbook.from_filelike(file)
            for name in book.sheet_names:
                sheet = book.get_sheet_by_name(name)
                yield Sheet(name, "workbook", sheet.iter_rows(), sheet.height)
    except (CalamineError, OSError, ValueError) as error:
        raise NotATable("refusal.import_not_a_table", path=path.name) from error


def _parquet(path: Path) -> Sheet:
    try:
        import pyarrow.parquet as parquet  # type: ignore[import-not-found,import-untyped,unused-ignore]
    except ImportError:
        raise NotATable("refusal.import_parquet", path=path.name) from None
    try:
        file = parquet.ParquetFile(path)
    except (OSError, ValueError) as error:
        raise NotATable("refusal.import_not_a_table", path=path.name) from error

    def rows() -> Iterator[Sequence[Any]]:
        names = file.schema_arrow.names
        yield names
        for batch in file.iter_batches(batch_size=5000):
            yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)

    return Sheet(path.name, "parquet", rows(), file.metadata.num_rows + 1)


def _text(path: Path, head: bytes, encoding: str) -> Sheet:
    encoding = encoding or encoding_of(head)
    try:
        beginning = codecs.getincrementaldecoder(encoding)().decode(head)
    except (LookupError, UnicodeDecodeError):
        beginning = ""
    if not beginning or "\0" in beginning or not _readable(beginning):
        raise NotATable("refusal.import_not_a_table", path=path.name)
    delimiter = delimiter_of(beginning)

    def rows() -> Iterator[Sequence[Any]]:
        csv.field_size_limit(_CELL_MAX)
        try:
            with path.open(encoding=encoding, newline="") as file:
                yield from csv.reader(file, delimiter=delimiter)
        except (csv.Error, UnicodeDecodeError) as error:
            raise NotATable("refusal.import_not_a_table", path=path.name) from error

    return Sheet(path.name, "text", rows())


def encoding_of(head: bytes) -> str:
    """How a text is encoded: by its mark, else UTF-8, else the mainland's GB 18030. Anything else must be named."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8-sig"


def delimiter_of(beginning: str) -> str:
    """What stands between the cells: the most frequent candidate of the first line that has one."""
    for line in beginning.splitlines()[:20]:
        found = max(_DELIMITERS, key=line.count)
        if line.count(found):
            return found
    return ","


def _readable(text: str) -> bool:
    """Whether a text is text: few control characters beside line ends and tabs."""
    strange = sum(1 for c in text[:4000] if ord(c) < 32 and c not in "\r\n\t\x0c")
    return strange * 100 <= len(text[:4000])
