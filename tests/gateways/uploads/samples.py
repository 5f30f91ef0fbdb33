"""Files for the tests: real ones by real writers where there is one, hand-made ones where a fault is wanted."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import xlsxwriter
from PIL import ExifTags, Image
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, NumberObject, TextStringObject


def exif(
    taken: str = "2026:03:01 09:30:15",
    offset: str = "+08:00",
    place: Mapping[int, Any] | None = None,
) -> Image.Exif:
    """What a phone writes. The default place is the Bund in Shanghai, 31.240018 N 121.490317 E."""
    notes = Image.Exif()
    notes[ExifTags.Base.Make] = "Test camera"  # some writers drop notes without a main tag
    shot = notes.get_ifd(ExifTags.IFD.Exif)
    if taken:
        shot[ExifTags.Base.DateTimeOriginal] = taken
    if offset:
        shot[ExifTags.Base.OffsetTimeOriginal] = offset
    bund = {1: "N", 2: (31.0, 14.0, 24.0648), 3: "E", 4: (121.0, 29.0, 25.1412)}
    notes.get_ifd(ExifTags.IFD.GPSInfo).update(bund if place is None else place)
    return notes


def picture(
    kind: str = "JPEG", *, size: tuple[int, int] = (120, 80), notes: Image.Exif | None = None, **more: Any
) -> bytes:
    """A picture with some content, so that its data have a length."""
    image = Image.effect_noise(size, 60).convert("RGB")
    out = io.BytesIO()
    image.save(out, kind, **({"exif": notes} if notes is not None else {}), **more)
    return out.getvalue()


def heic(*, size: tuple[int, int] = (120, 80), notes: Image.Exif | None = None, brand: bytes = b"heic") -> bytes:
    """The container that a real writer made (libavif), under the brand of HEIC: the boxes are the same standard's."""
    avif = bytearray(picture("AVIF", size=size, notes=notes))
    length = int.from_bytes(avif[:4])
    head = bytes(avif[:length]).replace(b"avif", brand).replace(b"avis", b"msf1").replace(b"MA1B", b"miaf")
    return head + bytes(avif[length:])


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has next to nothing in it: a bomb."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def pdf(*, script: bool = False, password: str = "", attachment: bool = False, launch: bool = False) -> bytes:
    """A document by a real writer."""
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    if script:
        writer._root_object[NameObject("/OpenAction")] = _action("/JavaScript", "/JS", "app.alert(1)")
    if attachment:
        writer.add_attachment("inside.txt", b"hello")
    if launch:
        writer._root_object[NameObject("/OpenAction")] = _action("/Launch", "/F", "x.exe")
    if password:
        writer.encrypt(password, algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _action(kind: str, key: str, value: str) -> DictionaryObject:
    return DictionaryObject({NameObject("/S"): NameObject(kind), NameObject(key): TextStringObject(value)})


def pdf_with_hidden_script() -> bytes:
    """A script inside of a packed object stream, its name escaped."""
    hidden = b"7 0 << /S /J#61vaScript /J#53 (app.alert(1)) >>"
    writer = PdfWriter()
    writer.add_blank_page(200, 200)
    stream = DecodedStreamObject()
    stream.set_data(hidden)
    packed = stream.flate_encode()
    packed[NameObject("/Type")] = NameObject("/ObjStm")
    packed[NameObject("/N")] = NumberObject(1)
    packed[NameObject("/First")] = NumberObject(4)
    writer._add_object(packed)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def workbook() -> bytes:
    """A workbook by a real writer."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        book.add_worksheet().write_row(0, 0, ["案件号", "金额"])
    return out.getvalue()


def zipped(parts: Mapping[str, bytes]) -> bytes:
    """An archive of these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()
