"""HEIC and HEIF (ISO/IEC 23008-12): what iPhones write. Read box by box, nothing is decoded.

Only the item tables are needed: the largest picture size (``ispe``), whether every item lies within the file, and the
Exif item.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import tzinfo
from typing import BinaryIO

from PIL import Image

from lipei.gateways.uploads import images
from lipei.gateways.uploads.kinds import Facts, Unreadable

_ITEMS_MAX = 10_000  # a 100-megapixel picture has a few hundred tiles
_EXTENTS_MAX = 100_000
_EXIF_BYTES_MAX = 4_000_000


@dataclass(frozen=True, slots=True)
class _Box:
    kind: bytes
    start: int  # of the content
    end: int


def look(data: BinaryIO, *, zone: tzinfo, pixels_max: int) -> Facts:
    """Size, time and place of a picture. Raises Unreadable: ``damaged`` or ``too_many_pixels``."""
    data.seek(0)
    content = data.read()
    try:
        meta = _only(content, 0, len(content), b"meta")
        inside = meta.start + 4  # a full box: version and flags come first
        sizes = list(_sizes(content, _only(content, inside, meta.end, b"iprp")))
        if not sizes:
            raise Unreadable("damaged")
        width, height = max(sizes, key=lambda size: size[0] * size[1])
        images.check_pixels(width, height, pixels_max)
        places = _places(content, _only(content, inside, meta.end, b"iloc"))
        if not places or any(end > len(content) for extents in places.values() for _, end in extents):
            raise Unreadable("damaged")
        exif = _exif(content, _only(content, inside, meta.end, b"iinf"), places)
    except (struct.error, IndexError) as error:
        raise Unreadable("damaged") from error
    return images.facts(width, height, exif, zone=zone)


def _boxes(content: bytes, start: int, end: int) -> Iterator[_Box]:
    at = start
    while at + 8 <= end:
        size, kind = struct.unpack_from(">I4s", content, at)
        head = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", content, at + 8)
            head = 16
        elif size == 0:
            size = end - at
        if size < head or at + size > end:
            raise Unreadable("damaged")
        yield _Box(kind, at + head, at + size)
        at += size


def _only(content: bytes, start: int, end: int, kind: bytes) -> _Box:
    found = next((box for box in _boxes(content, start, end) if box.kind == kind), None)
    if found is None:
        raise Unreadable("damaged")
    return found


def _sizes(content: bytes, properties: _Box) -> Iterator[tuple[int, int]]:
    container = _only(content, properties.start, properties.end, b"ipco")
    for box in _boxes(content, container.start, container.end):
        if box.kind == b"ispe":
            yield struct.unpack_from(">II", content, box.start + 4)


class _Reader:
    """Big-endian numbers of given widths, one after the other."""

    def __init__(self, content: bytes, box: _Box) -> None:
        self.content, self.at, self.end = content, box.start, box.end

    def number(self, width_bytes: int) -> int:
        if self.at + width_bytes > self.end:
            raise Unreadable("damaged")
        value = int.from_bytes(self.content[self.at : self.at + width_bytes])
        self.at += width_bytes
        return value


def _places(content: bytes, box: _Box) -> dict[int, list[tuple[int, int]]]:
    """Item → where its bytes lie in the file (start, end). Items kept inside the meta box itself are left out."""
    read = _Reader(content, box)
    version = read.number(4) >> 24
    widths = read.number(2)
    offset_width, length_width, base_width = widths >> 12, widths >> 8 & 15, widths >> 4 & 15
    index_width = widths & 15 if version in (1, 2) else 0
    id_width = 4 if version == 2 else 2
    count = read.number(id_width)
    if version > 2 or count > _ITEMS_MAX:
        raise Unreadable("damaged")
    places: dict[int, list[tuple[int, int]]] = {}
    extents_left = _EXTENTS_MAX
    for _ in range(count):
        item = read.number(id_width)
        in_file = version == 0 or read.number(2) & 15 == 0
        read.number(2)  # data reference
        base = read.number(base_width)
        extents = []
        for _ in range(read.number(2)):
            read.number(index_width)
            start, length = base + read.number(offset_width), read.number(length_width)
            extents.append((start, start + length))
        extents_left -= len(extents)
        if extents_left < 0:
            raise Unreadable("damaged")
        if in_file:
            places[item] = extents
    return places


def _exif(content: bytes, items: _Box, places: dict[int, list[tuple[int, int]]]) -> Image.Exif | None:
    read = _Reader(content, items)
    version = read.number(4) >> 24
    read.number(2 if version == 0 else 4)  # how many follow
    for box in _boxes(content, read.at, items.end):
        entry = _Reader(content, box)
        id_width = 4 if entry.number(4) >> 24 == 3 else 2
        item, _, kind = entry.number(id_width), entry.number(2), entry.number(4)
        if box.kind == b"infe" and kind == int.from_bytes(b"Exif") and item in places:
            extents = places[item]
            if sum(end - start for start, end in extents) > _EXIF_BYTES_MAX:
                return None
            return _parsed(b"".join(content[start:end] for start, end in extents))
    return None


def _parsed(block: bytes) -> Image.Exif | None:
    """An Exif block begins with the distance to its TIFF header."""
    tiff = block[4 + int.from_bytes(block[:4]) :]
    exif = Image.Exif()
    try:
        exif.load(b"Exif\x00\x00" + tiff)
    except Exception:  # the notes are broken, the picture is not
        return None
    return exif
