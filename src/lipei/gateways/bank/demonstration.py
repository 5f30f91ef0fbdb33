"""A bank for demonstrations and tests: it pays everything by itself, and fails on request.

What becomes of an order depends on nothing but the order: accounts with certain endings fail or stay silent, all others
are confirmed once ``delay`` has passed on the clock that `poll` is given. No money moves. It keeps its orders in a
folder, without personal data, so that a restart forgets nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from lipei.gateways.bank.book import Book, Record
from lipei.gateways.bank.interface import BankAnswer, BankOrder, Submission
from lipei.gateways.bank.orders import fingerprint, message_id, select

# Ending of the creditor's account → the reason for which the order fails; empty: the bank never answers.
ENDINGS: Mapping[str, str] = {"0001": "AC01", "0004": "AC04", "0006": "AC06", "0007": "AM04", "0009": ""}


class DemonstrationGateway:
    """See `interface.BankGateway`."""

    def __init__(
        self,
        folder: Path,
        *,
        delay: timedelta = timedelta(0),
        endings: Mapping[str, str] = ENDINGS,
        key: bytes = b"",
    ) -> None:
        self._book = Book(folder)
        self._delay = delay
        self._endings = endings
        self._key = key

    def submit(self, orders: Sequence[BankOrder], *, now: datetime, batch_id: str = "") -> Submission:
        """Decides the fate of each new order and keeps it as an answer that becomes readable after the delay."""
        good, refused = select(orders)
        sent, known = [], []
        with self._book.lock():
            message = message_id(good, batch_id) if good or batch_id else ""
            for order in good:
                record = self._book.record(order.end_to_end_id)
                if record is None:
                    self._decide(order, message, now.astimezone(UTC))
                    sent.append(order.end_to_end_id)
                elif record.fingerprint == fingerprint(order, self._key):
                    known.append(order.end_to_end_id)
                else:
                    refused[order.end_to_end_id] = "refusal.bank_order_reused"
        return Submission(message, tuple(sent), tuple(known), refused)

    def poll(self, now: datetime) -> Sequence[BankAnswer]:
        """The answers whose time has come and that were not acknowledged."""
        return [answer for answer in self._book.unread() if answer.at <= now]

    def acknowledge(self, answers: Iterable[BankAnswer]) -> None:
        """See `interface.BankGateway.acknowledge`."""
        self._book.drop_unread(answers)

    def inquire(self, end_to_end_id: str) -> BankAnswer | None:
        """The fate of an order, even before `poll` tells it; ``unknown`` where it is to stay silent."""
        record = self._book.record(end_to_end_id)
        return record.last_word if record else None

    def _decide(self, order: BankOrder, message: str, now: datetime) -> None:
        """The answer is kept before the record: a crash between the two leaves an order to be submitted again."""
        record = Record(
            order.end_to_end_id,
            message,
            order.amount_minor,
            order.currency,
            order.debtor.number,
            fingerprint(order, self._key),
            now,
        )
        answer = self._answer(order, now + self._delay)
        if answer is not None:
            self._book.put_unread(answer, int(answer.at.timestamp()))
        self._book.keep(replace(record, answer=answer))

    def _answer(self, order: BankOrder, at: datetime) -> BankAnswer | None:
        ending = next((end for end in self._endings if order.creditor.number.endswith(end)), None)
        if ending is None:
            reference = f"DEMO-{fingerprint(order, self._key)[:12].upper()}"
            return BankAnswer(order.end_to_end_id, "confirmed", "", at, reference, order.amount_minor)
        reason = self._endings[ending]
        if not reason:
            return None
        return BankAnswer(order.end_to_end_id, "failed", reason, at, "", order.amount_minor)
