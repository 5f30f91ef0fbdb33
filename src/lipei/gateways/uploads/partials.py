"""Uploads that may be interrupted: a phone in a tunnel, a browser closed, our own process killed.

One upload is two files: ``<id>.json`` (what was announced) and ``<id>.part`` (what has come). The length of the second
is the truth about how much has come; it is flushed to the disk before it is acknowledged. Whoever appends holds a lock
on it which the operating system takes away with the process. Nothing needs repair after a crash: the client asks for
`received` and goes on from there.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

_ID = re.compile(r"[0-9a-f]{32}")


class UploadConflict(Exception):
    """A step that does not fit what has come so far. ``code`` is a text key: answer 409 with `received`, or 410."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params: Mapping[str, Any] = params


@dataclass(frozen=True, slots=True)
class Partial:
    """An upload under way: announced and received bytes, and what its creator wanted to remember."""

    id: str
    total_bytes: int
    received_bytes: int
    created_at: datetime
    about: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PartialUploads:
    """All uploads under way, in one folder on one file system. An upload untouched for ``lifetime`` may be swept."""

    folder: Path
    lifetime: timedelta = field(kw_only=True)

    def create(self, total_bytes: int, *, now: datetime, about: Mapping[str, Any] | None = None) -> str:
        """Begin an upload of so many bytes (more than none); its id, which cannot be guessed.

        ``about`` (who sends, which file name) is kept as JSON beside it, for `look`.
        """
        assert total_bytes > 0, "an upload has content"
        self.folder.mkdir(parents=True, exist_ok=True)
        id = secrets.token_hex(16)
        announced = {"total_bytes": total_bytes, "created_at": now.isoformat(), "about": dict(about or {})}
        part, record = self._files(id)
        part.touch(exist_ok=False)
        os.utime(part, (now.timestamp(), now.timestamp()))
        draft = record.with_suffix(".draft")
        with draft.open("x", encoding="utf-8") as out:
            json.dump(announced, out, ensure_ascii=False)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(record)  # from here on it exists
        _flush_folder(self.folder)
        return id

    def look(self, id: str) -> Partial:
        """How far an upload has come. Raises UploadConflict (``upload_gone``)."""
        part, record = self._files(id)
        try:
            announced = json.loads(record.read_text("utf-8"))
            received = part.stat().st_size
        except FileNotFoundError:
            raise UploadConflict("refusal.upload_gone") from None
        created_at = datetime.fromisoformat(announced["created_at"])
        return Partial(id, announced["total_bytes"], received, created_at, announced["about"])

    def received(self, id: str) -> int:
        """The offset at which the next piece begins. Raises UploadConflict (``upload_gone``)."""
        return self.look(id).received_bytes

    def append(self, id: str, offset: int, data: bytes, *, now: datetime) -> int:
        """Add a piece; the new offset, safe on the disk.

        Raises UploadConflict: ``upload_offset`` where the piece does not begin where the last one ended (or another
        request is appending just now), ``upload_longer_than_said``, ``upload_gone``. Nothing is added then. A disk that
        is full raises OSError; what had been written of the piece is taken back.
        """
        with self._locked(id) as part:
            known = self.look(id)
            if offset != known.received_bytes:
                raise UploadConflict("refusal.upload_offset", received=known.received_bytes)
            if offset + len(data) > known.total_bytes:
                raise UploadConflict("refusal.upload_longer_than_said", total=known.total_bytes)
            try:
                part.seek(offset)
                left = memoryview(data)
                while left:
                    left = left[part.write(left) :]
                os.fsync(part.fileno())
            except OSError:
                part.truncate(offset)
                raise
            os.utime(part.fileno(), (now.timestamp(), now.timestamp()))
        return offset + len(data)

    def finish(self, id: str) -> BinaryIO:
        """The complete file, open for reading; the upload stays until `drop`, so that a crash meanwhile loses nothing.

        Raises UploadConflict: ``upload_incomplete``, ``upload_gone``.
        """
        known = self.look(id)
        if known.received_bytes != known.total_bytes:
            raise UploadConflict("refusal.upload_incomplete", received=known.received_bytes, total=known.total_bytes)
        return self._files(id)[0].open("rb")

    def drop(self, id: str) -> None:
        """Forget an upload: its file is stored elsewhere, or nobody wants it. Twice is once."""
        part, record = self._files(id)
        record.unlink(missing_ok=True)
        part.unlink(missing_ok=True)

    def sweep(self, now: datetime) -> int:
        """Remove uploads untouched for longer than the lifetime, and what a crash left of beginnings; how many."""
        removed = 0
        for file in [*self.folder.glob("*.part"), *self.folder.glob("*.draft")]:
            try:
                if file.stat().st_mtime >= (now - self.lifetime).timestamp():
                    continue
                with self._locked(file.stem) if file.suffix == ".part" else contextlib.nullcontext():
                    self.drop(file.stem)
                    file.unlink(missing_ok=True)
            except (UploadConflict, FileNotFoundError):  # being appended to, or gone meanwhile
                continue
            removed += 1
        return removed

    def _files(self, id: str) -> tuple[Path, Path]:
        """Raises UploadConflict for what is not an id: it might be a path."""
        if not _ID.fullmatch(id):
            raise UploadConflict("refusal.upload_gone")
        return self.folder / f"{id}.part", self.folder / f"{id}.json"

    @contextmanager
    def _locked(self, id: str) -> Iterator[FileIO]:
        """The part file, ours alone. Raises UploadConflict where somebody else has it or it is gone."""
        part, _ = self._files(id)
        try:
            file = part.open("r+b", buffering=0)  # unbuffered: nothing is written later than we think
        except FileNotFoundError:
            raise UploadConflict("refusal.upload_gone") from None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise UploadConflict("refusal.upload_offset", received=part.stat().st_size) from None
            if os.fstat(file.fileno()).st_nlink == 0:  # dropped between our opening and locking it
                raise UploadConflict("refusal.upload_gone")
            yield file


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
