"""PDF (ISO 32000): sound enough to open, and what its reader should know before opening it.

Names are looked for where they act: outside of streams, and inside of object streams, which are unpacked for this. A
name may be written with escapes (``/J#61vaScript``); those are undone first.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from lipei.gateways.uploads.kinds import Facts, Unreadable

_TAIL_BYTES = 4096
_UNPACKED_BYTES_MAX = 50_000_000
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_NAME_END = rb"(?=[\x00\t\n\x0c\r ()<>\[\]{}/%]|$)"
_FLAGS = {
    "pdf_encrypted": re.compile(rb"/Encrypt" + _NAME_END),
    "pdf_javascript": re.compile(rb"/(?:JavaScript|JS)" + _NAME_END),
    "pdf_launch": re.compile(rb"/Launch" + _NAME_END),
    "pdf_attachment": re.compile(rb"/EmbeddedFiles?" + _NAME_END),
}


def look(data: BinaryIO) -> Facts:
    """The flags of a document. Raises Unreadable: ``damaged`` where its end is missing."""
    data.seek(0)
    content = data.read()
    tail = content[-_TAIL_BYTES:]
    if b"startxref" not in tail or b"%%EOF" not in tail:
        raise Unreadable("damaged")
    found: set[str] = set()
    for text in _readable(content):
        plain = _ESCAPE.sub(lambda escape: bytes([int(escape[1], 16)]), text)
        found |= {flag for flag, pattern in _FLAGS.items() if pattern.search(plain)}
    return Facts(flags=tuple(flag for flag in _FLAGS if flag in found))


def _readable(content: bytes) -> Iterator[bytes]:
    """The document without its streams, then each object stream unpacked, within a bound for all of them.

    One pass by plain search: a pattern would look for the end again and again in a file made to be slow.
    """
    outside: list[bytes] = []
    at, left = 0, _UNPACKED_BYTES_MAX
    while (start := content.find(b"stream", at)) >= 0 and (end := content.find(b"endstream", start + 6)) >= 0:
        before = content[at:start]
        outside.append(before)
        if b"ObjStm" in before and left > 0:
            unpacked = _unpacked(content[start + 6 : end].lstrip(b"\r\n"), left)
            left -= len(unpacked)
            yield unpacked
        at = end + len(b"endstream")
    outside.append(content[at:])
    yield b"\n".join(outside)


def _unpacked(packed: bytes, most: int) -> bytes:
    """What can be unpacked; a stream with another filter or a fault yields what it has."""
    try:
        return zlib.decompressobj().decompress(packed, most)
    except zlib.error:
        return packed[:most]
