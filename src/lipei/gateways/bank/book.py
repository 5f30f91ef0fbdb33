"""What a gateway remembers of its orders, in a folder that survives any crash.

No personal data: ids, amounts, our own account, and a keyed digest of the rest. Every write is atomic and durable
before the next one starts, so whatever is read is whole.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

from lipei.gateways.bank.interface import BankAnswer

WAIT_SECONDS = 10
LOOK_AGAIN_SECONDS = 0.05


class BankBusy(OSError):
    """Another process holds the folder and does not let go. The sentence says what to do."""


def _locked(handle: TextIO) -> bool:
    """Whether the lock is ours now."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Record:
    """One order as remembered. ``answer`` is the last word on it, None while the bank is silent.

    ``returned``: the money moved and came back. ``booking`` is the bank's reference of the booking.
    """

    end_to_end_id: str
    message_id: str
    amount_minor: int
    currency: str
    debtor_account: str
    fingerprint: str
    handed_over_at: datetime
    answer: BankAnswer | None = None
    returned: bool = False
    booking: str = ""

    @property
    def last_word(self) -> BankAnswer:
        """The answer so far; ``unknown`` without a reason while the bank is silent."""
        silence = BankAnswer(self.end_to_end_id, "unknown", "", self.handed_over_at, "", self.amount_minor)
        return self.answer or silence


@dataclass(frozen=True, slots=True)
class Manifest:
    """A message that left: the ids of its orders by group (PmtInfId), and its control sum as written."""

    message_id: str
    groups: Mapping[str, tuple[str, ...]]
    control_sum: str

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(id_ for members in self.groups.values() for id_ in members)


class Book:
    """Records, manifests and unacknowledged answers under one folder. Writers hold `lock`."""

    def __init__(self, folder: Path, *, wait_seconds: int = WAIT_SECONDS) -> None:
        self._folder, self._wait_seconds = folder, wait_seconds
        self._orders = folder / "orders"
        self._messages = folder / "messages"
        self._unread = folder / "unread"
        for place in (self._orders, self._messages, self._unread):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Only one process at a time; freed by the system when a process dies. Raises `BankBusy` after a while."""
        with (self._folder / "lock").open("w") as handle:
            ends = time.monotonic() + self._wait_seconds
            while not _locked(handle):
                if time.monotonic() >= ends:
                    raise BankBusy(
                        f"another process has held the bank's folder {self._folder} for {self._wait_seconds} seconds: "
                        "stop it if it hangs, or raise LIPEI_BANK_WAIT."
                    )
                time.sleep(LOOK_AGAIN_SECONDS)
            yield

    def record(self, end_to_end_id: str) -> Record | None:
        found = read_json(self._record_path(end_to_end_id))
        if found is None:
            return None
        answer = found.pop("answer")
        handed_over_at = datetime.fromisoformat(found.pop("handed_over_at"))
        return Record(**found, handed_over_at=handed_over_at, answer=_answer(answer) if answer else None)

    def keep(self, record: Record) -> None:
        write(self._record_path(record.end_to_end_id), asdict(record))

    def manifest(self, message_id: str) -> Manifest | None:
        """The manifest of a message of ours, None for any other id, whatever a foreign file may call itself."""
        found = read_json(self._messages / f"{_digest(message_id)}.json")
        if found is None:
            return None
        groups = {group: tuple(members) for group, members in found["groups"].items()}
        return Manifest(found["message_id"], groups, found["control_sum"])

    def keep_manifest(self, manifest: Manifest) -> None:
        write(self._messages / f"{_digest(manifest.message_id)}.json", asdict(manifest))

    def put_unread(self, answer: BankAnswer, number: int) -> None:
        """Keeps an answer until it is acknowledged. Answers are handed out in the order of their numbers."""
        write(self._unread / f"{number:020d}-{answer.id}.json", asdict(answer))

    def next_number(self) -> int:
        """A number after those of all answers not acknowledged."""
        return max((int(path.name.partition("-")[0]) for path in self._unread.glob("*.json")), default=0) + 1

    def unread(self) -> list[BankAnswer]:
        """The answers not acknowledged, in the order of their numbers, each once."""
        found: dict[str, BankAnswer] = {}
        for path in sorted(self._unread.glob("*.json")):
            if content := read_json(path):
                answer = _answer(content)
                found.setdefault(answer.id, answer)
        return list(found.values())

    def drop_unread(self, answers: Iterable[BankAnswer]) -> None:
        ids = {answer.id for answer in answers}
        for path in self._unread.glob("*.json"):
            if path.stem.rpartition("-")[2] in ids:
                path.unlink(missing_ok=True)

    def _record_path(self, end_to_end_id: str) -> Path:
        name = _digest(end_to_end_id)
        return self._orders / name[:2] / f"{name}.json"


def write(path: Path, content: bytes | Mapping[str, Any]) -> None:
    """Writes a file whole or not at all, on the disk when this returns. Raises OSError, leaving nothing behind."""
    if not isinstance(content, bytes):
        content = json.dumps(content, default=_plain, ensure_ascii=False, indent=1).encode()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
            handle.write(content)
            handle.flush()
            os.fsync(handle.fileno())
        move(draft, path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def move(source: Path, target: Path) -> None:
    """Renames within a file system; the new name is on the disk when this returns."""
    source.replace(target)
    for folder in {source.parent, target.parent}:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read_json(path: Path) -> dict[str, Any] | None:
    """The content of a file written by `write`; None where there is none (any more)."""
    try:
        return json.loads(path.read_bytes())  # type: ignore[no-any-return]
    except FileNotFoundError:
        return None


def _answer(content: Mapping[str, Any]) -> BankAnswer:
    return BankAnswer(**{**content, "at": datetime.fromisoformat(content["at"])})


def _plain(value: object) -> str:
    assert isinstance(value, datetime), value
    return value.isoformat()


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
