"""Workbooks (ECMA-376): an archive that does not unpack into something enormous."""

from __future__ import annotations

import zipfile
import zlib
from typing import BinaryIO

from lipei.gateways.uploads.kinds import Facts, Unreadable

_ENTRIES_MAX = 10_000


def look(data: BinaryIO, *, unpacked_bytes_max: int) -> Facts:
    """Raises Unreadable: ``unpacks_too_large``, or ``damaged`` for one whose parts disagree with their checksums."""
    data.seek(0)
    try:
        with zipfile.ZipFile(data) as archive:
            entries = archive.infolist()
            if len(entries) > _ENTRIES_MAX or sum(entry.file_size for entry in entries) > unpacked_bytes_max:
                raise Unreadable("unpacks_too_large", megabytes=unpacked_bytes_max // 1_000_000)
            broken = archive.testzip()  # reads no entry further than the size it declares
    except (zipfile.BadZipFile, zlib.error, RuntimeError, ValueError, EOFError, OSError) as error:
        raise Unreadable("damaged") from error
    if broken is not None:
        raise Unreadable("damaged")
    return Facts()
