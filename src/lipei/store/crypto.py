"""Keys and what is made with them: ciphertext, digests, blind indexes.

One data key (`LIPEI_DATA_KEY`, 32 bytes in URL-safe base64, kept apart from backups) yields a key for each use by HKDF,
so that no use weakens another. Losing the data key loses all personal data; that is its purpose.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass
from functools import cache, lru_cache

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_VERSION = b"\x01"
PERSONAL_RUN, NUMBER_RUN = 2, 4
"""So many neighbouring characters make a token: of a name, phone or plate, and of the number of a claim or policy."""


@dataclass(frozen=True)
class Keys:
    """The derived keys, 32 bytes each."""

    cipher: AESGCM
    digest: bytes
    index: bytes
    tokens: bytes
    media: bytes


@cache
def keys(data_key: str | None = None) -> Keys:
    """The keys of the configured data key (or of one given). Raises ValueError where it is not 32 bytes of base64."""
    raw = base64.urlsafe_b64decode(data_key or settings.LIPEI_DATA_KEY)
    if len(raw) != 32:
        raise ValueError("LIPEI_DATA_KEY must be 32 bytes in URL-safe base64")

    def derive(use: str) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"lipei {use}".encode()).derive(raw)

    return Keys(AESGCM(derive("cipher")), derive("digest"), derive("index"), derive("tokens"), derive("media"))


def encrypt(text: str) -> bytes:
    """Ciphertext of a text; the empty text stays empty, for there is nothing to hide in it."""
    if not text:
        return b""
    nonce = os.urandom(12)
    return _VERSION + nonce + keys().cipher.encrypt(nonce, text.encode(), None)


def decrypt(data: bytes | memoryview) -> str:
    """The text of a ciphertext. Raises cryptography's InvalidTag where key or bytes are wrong."""
    data = bytes(data)
    if not data:
        return ""
    return keys().cipher.decrypt(data[1:13], data[13:], None).decode()


def digest(text: str, salt: bytes) -> str:
    """What the journal holds in place of a private text: 128 bits, hex, keyed and salted with the stream's salt.

    Once the salt is erased nobody can tell any more which text it stood for, and the hash chain is as whole as before.
    """
    return hmac.digest(keys().digest, salt + text.encode(), hashlib.sha256)[:16].hex()


def blind_index(kind: str, value: str) -> str:
    """A keyed fingerprint for exact look-up of a phone, plate or identity number, normalised by the caller."""
    if not value:
        return ""
    return hmac.digest(keys().index, f"{kind}:{value}".encode(), hashlib.sha256)[:16].hex()


def search_tokens(*texts: str) -> set[int]:
    """Keyed 63-bit tokens of every two neighbouring characters, for search by part of a name, phone or plate.

    What they leak is written in docs/decisions/0006.
    """
    return {token for text in texts for token in tokens_of(text, PERSONAL_RUN)}


def tokens_of(text: str, run: int) -> list[int]:
    """The tokens of one text in its order."""
    key, said = keys().tokens, plain(text)
    return [_token(key, said[at : at + run]) for at in range(len(said) - run + 1)]


def number_tokens(number: str) -> list[int]:
    """The tokens of the number of a claim or policy: of every second run from its end, and of its beginning.

    Half of the runs are enough: every part of more than a run's length holds one of them.
    """
    runs = tokens_of(number, NUMBER_RUN)
    return list(dict.fromkeys([*runs[::-1][::2], *runs[:1]]))


def plain(text: str) -> str:
    """A text as its parts are compared: no spaces, no case."""
    return "".join(text.lower().split())


@lru_cache(maxsize=1 << 16)
def _token(key: bytes, run: str) -> int:
    """The token of a run of characters: the digits of numbers and the names of a country are always the same few thousand."""
    return int.from_bytes(hmac.digest(key, run.encode(), hashlib.sha256)[:8], "big") >> 1
