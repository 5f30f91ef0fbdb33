"""Where files are kept: under the digest of their plain bytes, each content once, sealed at rest.

Built on Django's storage API, so that the files may lie on a disk or in an S3-compatible store. On a disk use
`DurableFiles`: it writes a file whole or not at all, and what it has written survives a power cut.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, Storage

from lipei.gateways.uploads.sealing import Unsealed, seal

_DIGEST = re.compile(r"[0-9a-f]{64}")
_UNFINISHED = ".writing-"
_CHUNK_BYTES = 1 << 20
_ASKED_AT_ONCE = 400
_IN_MEMORY_BYTES_MAX = 4_000_000  # sealed files larger than this wait on disk until they are stored


class WrongDigest(Exception):
    """The bytes are not those that the digest names."""


class DurableFiles(FileSystemStorage):
    """Files on a disk: written beside their place, flushed to the platter, then renamed into it."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """The name itself: under a digest there can only be the same content."""
        return name

    def sweep(self, *, now: datetime, older_than: timedelta) -> int:
        """Remove what killed writers left unfinished beside its place; how many."""
        removed = 0
        for partial in Path(self.location).glob(f"*/{_UNFINISHED}*"):
            with contextlib.suppress(FileNotFoundError):  # its writer was only slow, and has finished meanwhile
                if partial.stat().st_mtime < (now - older_than).timestamp():
                    partial.unlink()
                    removed += 1
        return removed

    def move_up(self) -> int:
        """Move what earlier versions kept two folders deep to where it is looked for now; how many files."""
        moved = 0
        for path in [p for p in Path(self.location).glob("??/??/*") if _DIGEST.fullmatch(p.name)]:
            path.replace(self.path(path_of(path.name)))
            with contextlib.suppress(OSError):  # not its last one
                path.parent.rmdir()
            moved += 1
        return moved

    def renewed(self, name: str) -> bool:
        """Whether a file is there, and counts as new from now on: whoever is about to refer to it has time to."""
        try:
            os.utime(self.path(name))
        except FileNotFoundError:
            return False
        return True

    def collect(
        self, *, now: datetime, older_than: timedelta, unreferenced: Callable[[Sequence[str]], Iterable[str]],
        folders: str = "*",
    ) -> int:  # fmt: skip
        """Remove finished files that have been there for a while and that nobody refers to; how many.

        ``unreferenced`` says which of some digests those are; ``folders`` limits the search to some of the store. A file
        that is kept once more at this very moment stays (`renewed`): it is put aside first, and put back if it was.
        """
        until = (now - older_than).timestamp()
        old = [path for path in Path(self.location).glob(f"{folders}/*") if _DIGEST.fullmatch(path.name)]
        old = [path for path in old if _written_at(path) < until]
        removed = 0
        for at in range(0, len(old), _ASKED_AT_ONCE):
            portion = {path.name: path for path in old[at : at + _ASKED_AT_ONCE]}
            for digest in unreferenced([*portion]):
                removed += _put_aside(portion[digest], until)
        return removed

    def _save(self, name: str, content: File) -> str:  # type: ignore[type-arg]
        target = Path(self.path(name))
        _make_folder(target.parent)
        descriptor, partial = tempfile.mkstemp(prefix=_UNFINISHED, dir=target.parent)
        try:
            with os.fdopen(descriptor, "wb") as out:
                for chunk in content.chunks(_CHUNK_BYTES):
                    out.write(chunk)
                out.flush()
                os.fsync(out.fileno())
            Path(partial).replace(target)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(partial).unlink()
            raise
        _flush_folder(target.parent)
        return name


@dataclass(frozen=True, slots=True)
class MediaStore:
    """``key`` (32 bytes) seals what is written; ``old_keys`` still open what was written before a change of keys."""

    storage: Storage
    key: bytes = field(repr=False)
    old_keys: Sequence[bytes] = field(default=(), repr=False)

    def put(self, data: BinaryIO, *, digest: str) -> bool:
        """Keep the bytes of ``data``, from its beginning, whose SHA-256 is ``digest``. False: they were kept already.

        Raises WrongDigest, and OSError where they cannot be written (a full disk): nothing is kept then.
        """
        data.seek(0)
        if _digest_of(data) != digest:
            raise WrongDigest
        if self._there(digest):
            return False
        data.seek(0)
        with tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES_MAX) as sealed:
            for piece in seal(data, key=self.key):
                sealed.write(piece)
            sealed.seek(0)
            name = self.storage.save(path_of(digest), File(sealed))
        if name != path_of(digest):  # a storage that renames: somebody was faster with the same bytes
            self.storage.delete(name)
            return False
        return True

    def _there(self, digest: str) -> bool:
        """Whether the bytes are kept, and will be for as long as it takes to refer to them."""
        if isinstance(self.storage, DurableFiles):
            return self.storage.renewed(path_of(digest))
        return self.has(digest)

    def has(self, digest: str) -> bool:
        """Whether the bytes of this digest are kept."""
        return self.storage.exists(path_of(digest))

    def open(self, digest: str) -> BinaryIO:
        """The plain bytes, as a stream to be closed. Raises FileNotFoundError, or Tampered here or while reading."""
        sealed = self.storage.open(path_of(digest), "rb")
        try:
            plain = Unsealed(cast(BinaryIO, sealed), keys=(self.key, *self.old_keys))
        except BaseException:
            sealed.close()
            raise
        return cast(BinaryIO, io.BufferedReader(plain))

    def chunks(self, digest: str) -> Iterator[bytes]:
        """The plain bytes piece by piece, for a response that is streamed."""
        with self.open(digest) as plain:
            while chunk := plain.read(_CHUNK_BYTES):
                yield chunk

    def holds(self, digest: str) -> bool:
        """Whether the bytes kept are still those of the digest (a check that reads all of them). Raises as `open`."""
        with self.open(digest) as plain:
            return _digest_of(plain) == digest

    def delete(self, digest: str) -> None:
        """Forget the bytes (end of retention). The caller knows that nothing refers to them any more."""
        self.storage.delete(path_of(digest))


def _written_at(path: Path) -> float:
    """When a file was written or renewed; now where it has just gone."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _put_aside(path: Path, until: float) -> bool:
    """Remove a file unless it was renewed meanwhile."""
    aside = path.with_name(f"{_UNFINISHED}{path.name}")
    with contextlib.suppress(FileNotFoundError):
        path.replace(aside)
        if _written_at(aside) < until:
            aside.unlink()
            return True
        aside.replace(path)
    return False


def path_of(digest: str) -> str:
    """``ab/abcd…``: spread over 256 folders. Raises ValueError for what is not a digest: it might be a path."""
    if not _DIGEST.fullmatch(digest):
        raise ValueError("not a SHA-256 in hex")
    return f"{digest[:2]}/{digest}"


def _digest_of(data: BinaryIO) -> str:
    digest = hashlib.sha256()
    while chunk := data.read(_CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()


def _make_folder(folder: Path) -> None:
    """With all its parents, each entry flushed: a file is not safe in a folder that is not."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir()
    _flush_folder(folder.parent)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
