"""Pictures: sound, not a bomb, and what the camera noted (EXIF 2.32)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any, BinaryIO

from PIL import ExifTags, Image

from lipei.gateways.uploads.kinds import Facts, Unreadable

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
_DECODED_PIXELS_MAX = 25_000_000  # larger ones are checked by their structure only: decoding would cost the memory


def look(data: BinaryIO, media_type: str, *, zone: tzinfo, pixels_max: int) -> Facts:
    """Size, time and place of a picture. Raises Unreadable: ``damaged`` or ``too_many_pixels``."""
    data.seek(0)
    try:
        with Image.open(data, formats=[_FORMATS[media_type]]) as picture:
            width, height = picture.size
            check_pixels(width, height, pixels_max)
            exif = picture.getexif()
            if width * height <= _DECODED_PIXELS_MAX:
                picture.draft("L", (max(1, width // 8), max(1, height // 8)))  # JPEG: an eighth is enough
                picture.load()
    except Unreadable:
        raise
    except Image.DecompressionBombError as error:
        raise _too_many(pixels_max) from error
    except Exception as error:  # whatever a decoder makes of bytes from outside: the picture cannot be read
        raise Unreadable("damaged") from error
    return facts(width, height, exif, zone=zone)


SMALL_SIDE = 320
"""The longer side of a small picture, in pixels."""


def small(data: BinaryIO, media_type: str) -> bytes | None:
    """A small upright JPEG of a picture, without what the camera noted; None for one that cannot be made small cheaply."""
    data.seek(0)
    try:
        with Image.open(data, formats=[_FORMATS[media_type]]) as picture:
            turned = picture.getexif().get(ExifTags.Base.Orientation, 1)
            picture.draft("RGB", (SMALL_SIDE, SMALL_SIDE))  # JPEG: decoded at a fraction of its size
            if picture.size[0] * picture.size[1] > _DECODED_PIXELS_MAX:
                return None
            shown = picture.convert("RGB")
    except Exception:  # whatever a decoder makes of bytes from outside: then there is no small one
        return None
    shown.thumbnail((SMALL_SIDE, SMALL_SIDE))
    if turned in _TURNS:
        shown = shown.transpose(_TURNS[turned])
    made = io.BytesIO()
    shown.save(made, "JPEG", quality=75)
    return made.getvalue()


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
"""How a picture is turned upright, by the camera's own note of how it was held (EXIF 2.32, 0x0112)."""


def check_pixels(width: int, height: int, pixels_max: int) -> None:
    """Raises Unreadable for a picture of no or too many pixels."""
    if width * height == 0:
        raise Unreadable("damaged")
    if width * height > pixels_max:
        raise _too_many(pixels_max)


def facts(width: int, height: int, exif: Image.Exif | None, *, zone: tzinfo) -> Facts:
    """What the camera noted. Notes that make no sense are as good as none."""
    if exif is None:
        return Facts(width, height)
    try:
        shot, place = exif.get_ifd(ExifTags.IFD.Exif), exif.get_ifd(ExifTags.IFD.GPSInfo)
    except Exception:  # the notes are broken, the picture is not
        return Facts(width, height)
    latitude = _microdegrees(place, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, "NS", 90)
    longitude = _microdegrees(place, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, "EW", 180)
    if latitude is None or longitude is None or (latitude, longitude) == (0, 0):  # 0/0: a receiver without a fix
        latitude = longitude = None
    return Facts(width, height, _taken_at(shot, zone), latitude, longitude)


def _taken_at(shot: Mapping[int, Any], zone: tzinfo) -> datetime | None:
    for when, where in (
        (ExifTags.Base.DateTimeOriginal, ExifTags.Base.OffsetTimeOriginal),
        (ExifTags.Base.DateTimeDigitized, ExifTags.Base.OffsetTimeDigitized),
    ):
        noted, offset = _text(shot.get(when)), _text(shot.get(where))
        try:
            naive = datetime.strptime(noted, "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007  the zone follows
            return (
                datetime.strptime(f"{noted}{offset}", "%Y:%m:%d %H:%M:%S%z") if offset else naive.replace(tzinfo=zone)
            )
        except ValueError:
            continue
    return None


def _microdegrees(place: Mapping[int, Any], tag: int, ref: int, signs: str, most: int) -> int | None:
    """Degrees, minutes, seconds and a compass letter as signed millionths of a degree."""
    letter = _text(place.get(ref)).upper()
    try:
        degrees, minutes, seconds = (float(part) for part in place[tag])
        value = round((degrees + minutes / 60 + seconds / 3600) * 1_000_000)
    except (KeyError, TypeError, ValueError, ZeroDivisionError, OverflowError):
        return None
    if len(letter) != 1 or letter not in signs or not 0 <= value <= most * 1_000_000:
        return None
    return -value if letter == signs[1] else value


def _text(noted: Any) -> str:
    text = noted.decode("ascii", "replace") if isinstance(noted, bytes) else noted
    return text.strip("\x00 ") if isinstance(text, str) else ""


def _too_many(pixels_max: int) -> Unreadable:
    return Unreadable("too_many_pixels", megapixels=pixels_max // 1_000_000)
