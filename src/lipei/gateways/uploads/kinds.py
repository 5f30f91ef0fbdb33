"""Types of files: recognised by their first bytes, named by their endings, grouped into families."""

from __future__ import annotations

import codecs
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, BinaryIO

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv"

_HEAD_BYTES = 65_536
_PDF_WITHIN_BYTES = 1024  # ISO 32000 readers look for the header there
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_HEIF_BRANDS = frozenset({b"mif1", b"msf1"})

_TYPES = {
    "image/jpeg": ("image", "JPEG", (".jpg", ".jpeg", ".jpe", ".jfif")),
    "image/png": ("image", "PNG", (".png",)),
    "image/heic": ("image", "HEIC", (".heic", ".hif")),
    "image/heif": ("image", "HEIF", (".heif",)),
    "image/webp": ("image", "WebP", (".webp",)),
    "application/pdf": ("pdf", "PDF", (".pdf",)),
    XLSX: ("sheet", "XLSX", (".xlsx", ".xls")),
    CSV: ("sheet", "CSV", (".csv", ".txt")),
}
_BY_ENDING = {ending: kind for kind, (_, _, endings) in _TYPES.items() for ending in endings}
_ALIASES = {
    # what browsers send instead of the registered names
    "image/jpg": "image",
    "image/pjpeg": "image",
    "image/x-png": "image",
    "image/heic-sequence": "image",
    "image/heif-sequence": "image",
    "image/*": "image",
    "application/x-pdf": "pdf",
    "application/vnd.ms-excel": "sheet",  # Windows says so of .csv too
    "application/csv": "sheet",
    "text/plain": "sheet",
}
_SAYS_NOTHING = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/zip"})


class Unreadable(Exception):
    """The content is not a sound file of its type. ``code`` completes ``refusal.upload_…``."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params: Mapping[str, Any] = params


@dataclass(frozen=True, slots=True)
class Facts:
    """What a sound file says about itself."""

    width: int = 0
    height: int = 0
    taken_at: datetime | None = None
    latitude_microdegrees: int | None = None
    longitude_microdegrees: int | None = None
    flags: tuple[str, ...] = field(default=())


def ending(name: str) -> str:
    """``.jpg`` of ``Photo.JPG``; empty where there is none (``scan 12.03.2026`` and ``王小明.身份证`` have none)."""
    found = re.search(r"[^.](\.[A-Za-z][A-Za-z0-9]{0,9})$", name)
    return found[1].lower() if found else ""


def family(kind: str) -> str:
    """``image``, ``pdf`` or ``sheet``."""
    return _TYPES[kind][0]


def labels(types: frozenset[str]) -> list[str]:
    """The types' names as people know them, in a fixed order."""
    return [label for kind, (_, label, _) in _TYPES.items() if kind in types]


def said_by_name(name: str) -> str | None:
    """The type that the ending of a name claims; None for no or an unknown ending."""
    return _BY_ENDING.get(ending(name))


def family_of_name(name: str) -> str:
    """The family that a name claims: ``other`` for an ending we do not know, empty without one."""
    kind = said_by_name(name)
    return family(kind) if kind else ("other" if ending(name) else "")


def family_of_type(declared_type: str) -> str:
    """The family that a declared type claims: ``other`` for one we do not know, empty for one that says nothing."""
    plain = declared_type.partition(";")[0].strip().lower()
    if plain in _SAYS_NOTHING:
        return ""
    return family(plain) if plain in _TYPES else _ALIASES.get(plain, "other")


def says_text(name: str, declared_type: str) -> bool:
    """Whether the file is declared as a table in plain text: text has no mark of its own, so somebody must say so."""
    return said_by_name(name) == CSV or (not ending(name) and declared_type.lower().startswith(CSV))


def sniff(data: BinaryIO, *, wants_text: bool) -> str | None:
    """The type by content; None for anything that is none of ours."""
    data.seek(0)
    head = data.read(_HEAD_BYTES)
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return _heif(head)
    if head.startswith(b"PK\x03\x04"):
        return _zipped(data)
    if b"%PDF-" in head[:_PDF_WITHIN_BYTES] and not head.lstrip().startswith((b"<", b"MZ", b"\x7fELF", b"#!", b"GIF8")):
        return "application/pdf"
    return CSV if wants_text and _is_table(head) else None


def _heif(head: bytes) -> str | None:
    brands = {head[8:12]} | {head[i : i + 4] for i in range(16, min(int.from_bytes(head[:4]), 256), 4)}
    if brands & _HEIC_BRANDS:
        return "image/heic"
    return "image/heif" if brands & _HEIF_BRANDS and b"avif" not in brands else None


def _zipped(data: BinaryIO) -> str | None:
    """A workbook, if it is one and carries no macros. Raises Unreadable for an archive that breaks off."""
    try:
        with zipfile.ZipFile(data) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise Unreadable("damaged") from error
    book = {"[Content_Types].xml", "xl/workbook.xml"} <= names
    return XLSX if book and not any(name.endswith("vbaProject.bin") for name in names) else None


def _is_table(head: bytes) -> bool:
    """Readable text in UTF-8, GB 18030 or Big5, and no markup."""
    if re.match(rb"(\xef\xbb\xbf)?\s*<", head) or re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", head):
        return False
    return any(_decodes(head, encoding) for encoding in ("utf-8-sig", "gb18030", "big5hkscs"))


def _decodes(head: bytes, encoding: str) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(head)  # not final: the head may end within a character
    except UnicodeDecodeError:
        return False
    return True
