"""Files at rest: AES-256-GCM in chunks, so that a large file is written and read as a stream.

The format: a header of 28 bytes (``LPM1``, 8 bytes that name the key, 16 of salt), then chunks of 64 KiB of plain text,
each followed by its tag of 16 bytes. Each file has its own key, derived from the master key and the salt (HKDF-SHA256);
the nonce of a chunk is its number and whether it is the last one, so that chunks cannot be dropped, moved or cut off
without `Tampered` (the STREAM construction, Hoang et al. 2015).
"""

from __future__ import annotations

import hashlib
import hmac
import io
import os
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CHUNK_BYTES = 65_536
_TAG_BYTES = 16
_MAGIC = b"LPM1"
_NAME_BYTES = 8
_SALT_BYTES = 16
_HEADER_BYTES = len(_MAGIC) + _NAME_BYTES + _SALT_BYTES


class Tampered(Exception):
    """A sealed file that is not what was written: altered, cut off, or sealed with a key that we do not have."""


def seal(plain: BinaryIO, *, key: bytes) -> Iterator[bytes]:
    """The sealed file, piece by piece, of what ``plain`` holds from its position on. ``key``: 32 bytes."""
    salt = os.urandom(_SALT_BYTES)
    header = _MAGIC + _name(key) + salt
    cipher = _cipher(key, salt)
    yield header
    number, chunk = 0, _read(plain, CHUNK_BYTES)
    while True:
        following = _read(plain, CHUNK_BYTES)
        yield cipher.encrypt(_nonce(number, last=not following), chunk, header)
        if not following:
            return
        number, chunk = number + 1, following


class Unsealed(io.RawIOBase):
    """The plain text of a sealed file: readable and seekable, one chunk in memory at a time. Closes what it reads."""

    def __init__(self, sealed: BinaryIO, *, keys: Sequence[bytes]) -> None:
        """``keys``: those that may have sealed it. Raises Tampered where none did, or the header is not ours."""
        super().__init__()
        self._sealed = sealed
        self._header = _read(sealed, _HEADER_BYTES)
        name = self._header[len(_MAGIC) : len(_MAGIC) + _NAME_BYTES]
        key = next((key for key in keys if hmac.compare_digest(_name(key), name)), None)
        if len(self._header) != _HEADER_BYTES or not self._header.startswith(_MAGIC) or key is None:
            raise Tampered("not sealed by a key of ours")
        self._cipher = _cipher(key, self._header[-_SALT_BYTES:])
        body = sealed.seek(0, io.SEEK_END) - _HEADER_BYTES
        self._chunks = -(-body // (CHUNK_BYTES + _TAG_BYTES))
        self._size = body - self._chunks * _TAG_BYTES
        if self._chunks == 0 or self._size < 0:
            raise Tampered("cut off")
        self._position = 0
        self._number = -1
        self._chunk = b""
        if self._size == 0:
            self._load(0)  # an empty file has one empty chunk, which nobody would read otherwise

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError("before the beginning of the file")
        self._position = start + offset
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Raises Tampered."""
        if self._position >= self._size:
            return 0
        number, within = divmod(self._position, CHUNK_BYTES)
        self._load(number)
        piece = self._chunk[within : within + len(buffer)]
        buffer[: len(piece)] = piece
        self._position += len(piece)
        return len(piece)

    def close(self) -> None:
        if not self.closed:
            self._sealed.close()
        super().close()

    def _load(self, number: int) -> None:
        if number == self._number:
            return
        self._sealed.seek(_HEADER_BYTES + number * (CHUNK_BYTES + _TAG_BYTES))
        sealed = _read(self._sealed, CHUNK_BYTES + _TAG_BYTES)
        try:
            nonce = _nonce(number, last=number == self._chunks - 1)
            self._chunk = self._cipher.decrypt(nonce, sealed, self._header)
        except InvalidTag as error:
            raise Tampered(f"chunk {number}") from error
        self._number = number


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    assert len(key) == 32, "a master key has 32 bytes"
    return AESGCM(HKDF(SHA256(), 32, salt, b"lipei media").derive(key))


def _name(key: bytes) -> bytes:
    """Names a key without telling anything about it: which key of several, after a change of keys."""
    return hmac.new(key, b"lipei media key", hashlib.sha256).digest()[:_NAME_BYTES]


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11) + bytes([last])


def _read(stream: BinaryIO, size: int) -> bytes:
    """Exactly ``size`` bytes, or what there is: one read may give less, for no reason."""
    pieces = []
    while size > 0 and (piece := stream.read(size)):
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
