"""Reading tables. The ending is not asked: many a file called .xls is xlsx inside.

Text is read as it streams by, Parquet batch by batch; a workbook's sheet is unpacked by calamine as a whole. A cell is
None, str, bool, a number, a date or a time, or what Parquet nests; nothing is interpreted here.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lipei.gateways.tables.sheet import NotATable, Sheet
from lipei.gateways.tables.writing import unharmed

_ZIP, _OLE, _PARQUET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1"
_ENCRYPTED_PARQUET = b"PARE"
_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HEAD_BYTES = 262_144
_DELIMITERS = ",;\t|"
_CELL_MAX = 1_000_000
_QUOTED = re.compile(r'"[^"]*"')
_BLANK = re.compile(rb"[\s\0]*")


def sheets(path: Path, *, encoding: str = "") -> Iterator[Sheet]:
    """The tables of a file, each readable once, in order. Raises NotATable with one clear reason."""
    if not path.is_file():
        raise NotATable("refusal.import_no_file", path=str(path))
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if _BLANK.fullmatch(head.removeprefix(codecs.BOM_UTF8)):
        raise NotATable("refusal.import_empty", path=path.name)
    if head.startswith((_ZIP, _OLE)):
        from lipei.gateways.tables import workbooks

        yield from workbooks.sheets(path)
    elif head.startswith(_ENCRYPTED_PARQUET):
        raise NotATable("refusal.import_encrypted", path=path.name)
    elif head.startswith(_PARQUET):
        from lipei.gateways.tables import parquet

        yield parquet.sheet(path)
    else:
        yield _text(path, head, encoding)


def _text(path: Path, head: bytes, encoding: str) -> Sheet:
    encoding = encoding or encoding_of(path, head)
    try:
        beginning = codecs.getincrementaldecoder(encoding)("replace").decode(head)
    except LookupError:
        beginning = ""
    if not beginning or not (head.startswith(_MARKS) or _readable(beginning)):
        raise NotATable("refusal.import_not_a_table", path=path.name)
    delimiter = delimiter_of(beginning)

    def rows() -> Iterator[Sequence[Any]]:
        csv.field_size_limit(_CELL_MAX)
        with path.open(encoding=encoding, newline="") as file:
            found = csv.reader(file, delimiter=delimiter)
            try:
                for row in found:
                    yield [unharmed(cell) if cell[:1] == "'" else cell for cell in row]
            except (csv.Error, UnicodeError) as error:
                raise NotATable("refusal.import_breaks_off", path=path.name, row=found.line_num + 1) from error

    return Sheet(path.name, "text", rows())


def encoding_of(path: Path, head: bytes) -> str:
    """How a text is encoded: by its mark or its NULs UTF-16, else UTF-8 if all of it is, else the mainland's GB 18030.

    Anything else must be named.
    """
    if head.startswith(_MARKS[1:]):
        return "utf-16"
    first, second = head[::2].count(0), head[1::2].count(0)  # digits, commas and line ends have a NUL beside them
    if max(first, second) * 10 > len(head) and min(first, second) * 20 < max(first, second):
        return "utf-16-be" if first > second else "utf-16-le"
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_HEAD_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "utf-8-sig" if not head.isascii() and _lost(head, "utf-8") <= _lost(head, "gb18030") else "gb18030"
    return "utf-8-sig"


def _lost(head: bytes, encoding: str) -> int:
    """How much of a text cannot be read in an encoding: a damaged one is still nearer to its own."""
    return codecs.getincrementaldecoder(encoding)("replace").decode(head).count("\ufffd")


def delimiter_of(beginning: str) -> str:
    """What stands between the cells: the candidate that most lines of the beginning have equally often, and most often."""
    lines = _QUOTED.sub("", beginning).splitlines()[:20]

    def regular(candidate: str) -> tuple[int, int]:
        often = Counter(count for line in lines if (count := line.count(candidate)))
        return max(((same, count) for count, same in often.items()), default=(0, 0))

    return max(_DELIMITERS, key=regular)


def _readable(text: str) -> bool:
    """Whether a text without a mark is text: few control characters beside line ends and tabs, few bytes that are none."""
    strange = sum(1 for c in text[:4000] if ord(c) < 32 and c not in "\r\n\t\x0c")
    return strange * 100 <= len(text[:4000]) and text.count("\ufffd") * 20 <= len(text)
