"""What Lipei asks of a bank, whichever way it is reached.

The promises every gateway keeps, so that nothing is paid twice and nothing is lost (norm part 4):

* an order is known by its ``end_to_end_id``. Submitted again with the same content it changes nothing; with other
  content it is refused. A payment made anew after a failure is a new order with a new id;
* an answer is handed out by every `BankGateway.poll` until it is acknowledged, so a crash between reading and
  recording loses nothing. Whoever reads answers must take the same one twice;
* `BankGateway.inquire` tells an order that never left (None) from one whose fate is unknown.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol

AnswerStatus = Literal["accepted", "confirmed", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class Account:
    """One side of a payment. ``bank`` is a clearing code (CNAPS 12, Taiwan 7, Hong Kong 3 digits) or a BIC.

    It may be empty beside an IBAN on the creditor's side, which names its bank itself.
    """

    name: str
    number: str
    bank: str = ""


@dataclass(frozen=True, slots=True)
class BankOrder:
    """Pay ``amount_minor`` (minor units of ``currency``) from ``debtor`` to ``creditor`` on ``requested_on``.

    ``remittance`` is what the payee reads on the statement: the claim number.
    """

    end_to_end_id: str
    amount_minor: int
    currency: str
    debtor: Account
    creditor: Account
    remittance: str
    requested_on: date


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of a batch. Every order's id stands in exactly one of the three.

    ``sent`` has left under ``message_id``, now or in an earlier try of this batch; ``known`` had left in another batch;
    ``refused`` has not left, with the text key of the reason.
    """

    message_id: str
    sent: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BankAnswer:
    """What the bank says of one order.

    ``accepted``: the bank will pay. ``confirmed``: the money has moved, ``amount_minor`` of it. ``failed``: it has not,
    or has come back; ``reason`` says why. ``unknown``: nobody can say yet, or the bank contradicts the order or itself
    (``reason``); never pay again on this. ``at`` is the bank's time, never later than when its answer was read.
    """

    end_to_end_id: str
    status: AnswerStatus
    reason: str
    at: datetime
    reference: str
    amount_minor: int

    @property
    def id(self) -> str:
        """The answer's own name: the same content has the same name."""
        content = [self.end_to_end_id, self.status, self.reason, self.at.isoformat(), self.reference, self.amount_minor]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class FileRefusal:
    """A file of the bank that was put aside, with the text key of the reason and its parameters."""

    name: str
    code: str
    params: Mapping[str, str]
    at: datetime


@dataclass(frozen=True, slots=True)
class BankFile:
    """A file that went to the bank or came from it.

    ``state``: *waiting* (to be taken away), *gone* (taken away: its content is no longer here), *read*, *rejected*.
    ``orders``, their ``ids`` and ``control_sum`` are known of our own; ``code`` says why a file was rejected (a text key).
    """

    place: str
    name: str
    kind: str
    at: datetime
    size_bytes: int
    state: str
    orders: int = 0
    control_sum: str = ""
    code: str = ""
    params: Mapping[str, str] = field(default_factory=dict)
    ids: tuple[str, ...] = ()


class BankGateway(Protocol):
    """The way to one bank. ``now`` is an aware datetime."""

    def submit(self, orders: Sequence[BankOrder], *, now: datetime, batch_id: str = "") -> Submission:
        """Hands the orders to the bank, once. Without ``batch_id`` the same orders are the same batch.

        Raises OSError where they could not be stored; submitting them again is safe.
        """

    def poll(self, now: datetime) -> Sequence[BankAnswer]:
        """All answers not yet acknowledged, those that came first first."""

    def acknowledge(self, answers: Iterable[BankAnswer]) -> None:
        """These answers are on record; do not hand them out again."""

    def inquire(self, end_to_end_id: str) -> BankAnswer | None:
        """The last word on an order; ``unknown`` while the bank is silent; None where it was never handed over."""
