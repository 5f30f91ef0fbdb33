"""What a file really is, whatever it says it is.

The type is read from the content. A file that is something else than its name or its sender says is refused with a code
that can be explained in one sentence; only one picture format under another's name is let through (phones and
messengers rename pictures, and the customer could not mend it), with a flag.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Any, BinaryIO

from lipei.gateways.uploads import kinds, pdfs, sheets
from lipei.gateways.uploads.kinds import Facts, Unreadable

PHOTOS = frozenset({"image/jpeg", "image/png", "image/heic", "image/heif", "image/webp"})
PAPERS = PHOTOS | {"application/pdf"}
SHEETS = frozenset({kinds.XLSX, kinds.CSV})

_CHUNK_BYTES = 1 << 20
_NAME_LENGTH_MAX = 150


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a file may be once unpacked: what keeps a small file from filling the memory."""

    pixels_max: int = 150_000_000
    unpacked_bytes_max: int = 200_000_000


@dataclass(frozen=True, slots=True)
class Inspected:
    """A file that may be taken, and what it says about itself. ``flags`` are for the person who reads it:

    ``renamed`` (a picture under another format's name), ``pdf_javascript``, ``pdf_encrypted``, ``pdf_attachment``,
    ``pdf_launch``. ``taken_at`` and the place are the camera's word, unchecked.
    """

    digest: str  # SHA-256, hex
    media_type: str
    size_bytes: int
    file_name: str
    width: int = 0
    height: int = 0
    taken_at: datetime | None = None
    latitude_microdegrees: int | None = None
    longitude_microdegrees: int | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UploadRefusal:
    """Why a file is not taken: a text key and its parameters."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)


def inspect(
    data: BinaryIO,
    declared_name: str,
    declared_type: str,
    *,
    max_bytes: int,
    allowed: frozenset[str] = PAPERS,
    zone: tzinfo = UTC,
    limits: Limits = Limits(),
) -> Inspected | UploadRefusal:
    """Look at a file from its beginning; its position is back at 0 afterwards.

    ``zone`` is where a camera is taken to be that writes the time without its zone. Raises only what ``data`` raises.
    """
    counted = _digest(data, max_bytes)
    if isinstance(counted, UploadRefusal):
        return counted
    digest, size_bytes = counted
    file_name = clean_name(declared_name)
    try:
        found = kinds.sniff(data, wants_text=kinds.CSV in allowed and kinds.says_text(file_name, declared_type))
        refusal = _disagreement(found, file_name, declared_type, allowed)
        if refusal or found is None:
            return refusal or _not_taken(allowed)
        facts = _look(data, found, zone=zone, limits=limits)
    except Unreadable as unreadable:
        return UploadRefusal(f"refusal.upload_{unreadable.code}", unreadable.params)
    finally:
        data.seek(0)
    renamed = ("renamed",) if kinds.said_by_name(file_name) not in (None, found) else ()
    return Inspected(
        digest=digest,
        media_type=found,
        size_bytes=size_bytes,
        file_name=file_name,
        width=facts.width,
        height=facts.height,
        taken_at=facts.taken_at,
        latitude_microdegrees=facts.latitude_microdegrees,
        longitude_microdegrees=facts.longitude_microdegrees,
        flags=renamed + facts.flags,
    )


def clean_name(name: str) -> str:
    """A file's name without folders, control characters and tricks with the writing direction; its ending is kept."""
    last = re.split(r"[/\\]", name)[-1]
    plain = "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
    plain = plain.strip(" .")
    stem, dot, ending = plain.rpartition(".")
    if not dot or len(ending) > 10:
        return plain[:_NAME_LENGTH_MAX]
    return f"{stem[: _NAME_LENGTH_MAX - len(ending) - 1]}.{ending}"


def _digest(data: BinaryIO, max_bytes: int) -> tuple[str, int] | UploadRefusal:
    """Digest and size; reads no further than the limit."""
    data.seek(0)
    digest, size_bytes = hashlib.sha256(), 0
    while chunk := data.read(_CHUNK_BYTES):
        size_bytes += len(chunk)
        if size_bytes > max_bytes:
            data.seek(0)
            return UploadRefusal("refusal.upload_too_large", {"megabytes": f"{max_bytes / 1_000_000:g}"})
        digest.update(chunk)
    return (digest.hexdigest(), size_bytes) if size_bytes else UploadRefusal("refusal.upload_empty")


def _disagreement(found: str | None, name: str, declared_type: str, allowed: frozenset[str]) -> UploadRefusal | None:
    """Whether name, sender and content tell different stories, or the content is a type we do not take here."""
    said = {family for family in (kinds.family_of_name(name), kinds.family_of_type(declared_type)) if family}
    if found is None:
        known = said & {kinds.family(kind) for kind in allowed}
        return _not_what_it_says(name, declared_type) if known else _not_taken(allowed)
    if said - {kinds.family(found)}:
        return _not_what_it_says(name, declared_type)
    return None if found in allowed else _not_taken(allowed)


def _not_what_it_says(name: str, declared_type: str) -> UploadRefusal:
    return UploadRefusal("refusal.upload_not_what_it_says", {"declared": kinds.ending(name) or declared_type})


def _not_taken(allowed: frozenset[str]) -> UploadRefusal:
    return UploadRefusal("refusal.upload_type_not_taken", {"taken": ", ".join(kinds.labels(allowed))})


def _look(data: BinaryIO, found: str, *, zone: tzinfo, limits: Limits) -> Facts:
    """Open it as what it is. Raises Unreadable."""
    from lipei.gateways.uploads import heif, images  # heavy: only once a file has come

    if found in ("image/heic", "image/heif"):
        return heif.look(data, zone=zone, pixels_max=limits.pixels_max)
    if found == "application/pdf":
        return pdfs.look(data)
    if found == kinds.XLSX:
        return sheets.look(data, unpacked_bytes_max=limits.unpacked_bytes_max)
    if found == kinds.CSV:
        return Facts()
    return images.look(data, found, zone=zone, pixels_max=limits.pixels_max)
