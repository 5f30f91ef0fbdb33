"""The bank reached through folders: pain.001 files go out, pain.002 and camt.054 files come in.

Whatever carries files to and from the bank (SFTP, EBICS, a bank's own client) works on two folders::

    outbox/    whole files only, 0600; take them away as they appear
    inbox/     put files here; names that begin with a dot or end in .part, .tmp or .filepart are left alone
    rejected/  files of the bank that could not be used, each beside its reason; mend and put back into inbox
    read/      files of the bank that were used, under their digest

The rest (``orders``, ``messages``, ``staging``, ``unread``) is the gateway's memory. All of it is on one file system.

How an order leaves exactly once: its record, the finished file in ``staging`` and the message's manifest are each on
the disk before the next is begun; then one rename puts the file into ``outbox``. A manifest means that the message
leaves: if its file still lies in ``staging`` after a crash, the next call moves it. No manifest means it never left.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from lipei.gateways.bank import pain001
from lipei.gateways.bank.book import WAIT_SECONDS, Book, Manifest, Record, move, read_json, write
from lipei.gateways.bank.interface import BankAnswer, BankOrder, FileRefusal, Submission
from lipei.gateways.bank.messages import Unreadable, load
from lipei.gateways.bank.orders import fingerprint, message_id, select
from lipei.gateways.bank.statements import ACCEPTS, Said, statements, weigh

FILE_SIZE_BYTES_MAX = 16 * 1024 * 1024
_CHINA = ZoneInfo("Asia/Shanghai")
_UNFINISHED = (".part", ".tmp", ".filepart")


class FilesGateway:
    """See `interface.BankGateway`. Any number of processes on one machine may use the same folder.

    ``key`` keys the digests of orders; ``zone`` is the bank's, for times without an offset; ``wait_seconds`` is how long to
    wait for a process that holds the folder before `BankBusy` is raised.
    """

    def __init__(
        self, folder: Path, *, key: bytes = b"", zone: tzinfo = _CHINA, wait_seconds: int = WAIT_SECONDS
    ) -> None:
        self._book = Book(folder, wait_seconds=wait_seconds)
        self._key = key
        self._zone = zone
        self._outbox, self._inbox = folder / "outbox", folder / "inbox"
        self._read, self._rejected, self._staging = folder / "read", folder / "rejected", folder / "staging"
        for place in (self._outbox, self._inbox, self._read, self._rejected, self._staging):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)

    def submit(self, orders: Sequence[BankOrder], *, now: datetime, batch_id: str = "") -> Submission:
        """Writes one file for the orders that never left, see `interface.BankGateway.submit`.

        Raises ValueError for a batch id that cannot name a message, OSError where the disk fails (nothing has left
        then, or everything; submitting again finds out).
        """
        good, refused = select(orders)
        with self._book.lock():
            self._finish_interrupted()
            fresh, known = [], []
            for order in good:
                record = self._left(order.end_to_end_id)
                if record is None:
                    fresh.append(order)
                elif record.fingerprint == fingerprint(order, self._key):
                    known.append(order.end_to_end_id)
                else:
                    refused[order.end_to_end_id] = "refusal.bank_order_reused"
            message = message_id(fresh, batch_id) if fresh or batch_id else ""
            if fresh and self._book.manifest(message):
                refused |= {order.end_to_end_id: "refusal.bank_batch_closed" for order in fresh}
                fresh = []
            if fresh:
                self._hand_over(fresh, message, now)
        return Submission(message, tuple(order.end_to_end_id for order in fresh), tuple(known), refused)

    def poll(self, now: datetime) -> Sequence[BankAnswer]:
        """Reads what lies in ``inbox`` and returns all answers not yet acknowledged, the oldest first."""
        with self._book.lock():
            self._finish_interrupted()
            for path in sorted(self._inbox.iterdir()):
                if path.is_file() and not path.name.startswith(".") and not path.name.endswith(_UNFINISHED):
                    self._take_in(path, now)
            return self._book.unread()

    def acknowledge(self, answers: Iterable[BankAnswer]) -> None:
        """See `interface.BankGateway.acknowledge`."""
        self._book.drop_unread(answers)

    def inquire(self, end_to_end_id: str) -> BankAnswer | None:
        """The last word on an order from the files read so far; a bank's folder cannot be asked anything new."""
        record = self._left(end_to_end_id)
        return record.last_word if record else None

    def refusals(self) -> list[FileRefusal]:
        """The files put aside, for the people who must look at them."""
        found = []
        for path in sorted(self._rejected.glob("*.reason.json")):
            if reason := read_json(path):
                at = datetime.fromisoformat(reason["at"])
                found.append(FileRefusal(reason["name"], reason["code"], reason["params"], at))
        return found

    def _left(self, end_to_end_id: str) -> Record | None:
        """The record of an order that left or certainly will. One without a manifest was interrupted before that."""
        record = self._book.record(end_to_end_id)
        return record if record and self._book.manifest(record.message_id) else None

    def _hand_over(self, orders: Sequence[BankOrder], message: str, now: datetime) -> None:
        content = pain001.build(orders, message_id=message, created_at=now)
        for order in orders:
            self._book.keep(
                Record(
                    order.end_to_end_id,
                    message,
                    order.amount_minor,
                    order.currency,
                    order.debtor.number,
                    fingerprint(order, self._key),
                    now.astimezone(UTC),
                )
            )
        groups = {
            name: tuple(order.end_to_end_id for order in members)
            for name, members in pain001.groups(orders, message_id=message).items()
        }
        write(self._staging / f"{message}.xml", content)
        self._book.keep_manifest(Manifest(message, groups, str(pain001.control_sum(orders))))
        self._finish_interrupted()

    def _finish_interrupted(self) -> None:
        """Moves what has its manifest into ``outbox``, and clears away what a crash left half made."""
        for path in sorted(self._staging.iterdir()):
            if path.suffix == ".xml" and not path.name.startswith(".") and self._book.manifest(path.stem):
                move(path, self._outbox / path.name)
            else:
                path.unlink(missing_ok=True)

    def _take_in(self, path: Path, now: datetime) -> None:
        """One file of the bank: into ``read`` once all it says is kept, or into ``rejected`` as a whole."""
        try:
            content = self._content(path)
            kept = self._read / f"{hashlib.sha256(content).hexdigest()}.xml"
            if not kept.exists():
                self._keep_all(self._statements(content), now)
            move(path, kept)
        except Unreadable as refusal:
            self._put_aside(path, refusal, now)

    def _content(self, path: Path) -> bytes:
        if path.stat().st_size > FILE_SIZE_BYTES_MAX:
            raise Unreadable("refusal.bank_file_size", limit=f"{FILE_SIZE_BYTES_MAX // 1024 // 1024} MB")
        return path.read_bytes()

    def _statements(self, content: bytes) -> list[Said]:
        message = load(content, accepts=ACCEPTS)
        try:
            return statements(message, manifest_of=self._book.manifest, zone=self._zone)
        # Follows its schema and still makes no sense (a year 0, an amount that is not a number): one bad file must
        # not keep the others from being read.
        except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
            raise Unreadable("refusal.bank_file_structure", detail=str(error)[:200]) from error

    def _keep_all(self, said: Iterable[Said], now: datetime) -> None:
        """The answer is kept before the record: after a crash between the two it is made again, never lost."""
        number = self._book.next_number()
        for statement in said:
            record = self._left(statement.end_to_end_id)
            if record is None:
                continue  # an entry of the account that is no order of ours
            after = weigh(statement, record, now=now.astimezone(UTC))
            if after.answer and after.answer != record.answer:
                self._book.put_unread(after.answer, number)
                number += 1
            if after != record:
                self._book.keep(after)

    def _put_aside(self, path: Path, refusal: Unreadable, now: datetime) -> None:
        """Beside its reason; a file of the same name put aside before stays."""
        target = self._rejected / path.name
        for number in range(2, 10_000):
            if not target.exists():
                break
            target = self._rejected / f"{path.stem}.{number}{path.suffix}"
        reason = {"name": target.name, "code": refusal.code, "params": refusal.params, "at": now.astimezone(UTC)}
        write(target.with_name(f"{target.name}.reason.json"), reason)
        move(path, target)
