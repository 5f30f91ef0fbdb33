"""How a message leaves the house: one folder per kind of channel, each complete in itself (norm 2.4.1).

A channel is told what to send and answers with what became of it. It keeps no state, retries nothing and never raises
for what the outside world does: patience is `lipei.domain.deliveries`, memory is the delivery's row. `send` may be
called outside of any transaction only.

To add a kind, add a folder with a class that fits `Channel`; nothing else is touched but the wiring in `config`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from lipei.domain.deliveries import OUTCOMES

REASONS = (
    "address_refused",  # no such mailbox or number, or its owner wants nothing from us
    "message_refused",  # the text, its size or its template is not taken
    "no_template",  # the channel needs an approved template, and none is set up for this message and language
    "unreachable",  # nobody answers at the channel's address
    "not_now",  # the channel asks us to come back later
    "throttled",  # too many messages, in all or to this one address
    "not_admitted",  # our own credentials, sender or account are refused: for the operator to mend
    "connection_lost",  # it broke where it cannot be known whether the message was taken
    "unclear_answer",  # an answer came which says neither yes nor no
    "not_delivered",  # taken, but reported later as never arrived
)
"""Why a message did not go out or may not have: a closed list; each has a text ``reason.delivery_<reason>``."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a message (a letter as PDF)."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """One delivery over one channel, in one language, ready to go.

    ``id`` is the delivery's id: the same over every attempt, and carried along so that duplicates are recognisable and
    the provider's reports find their way back. ``to`` is a mail address or an E.164 number (``+8613800138000``).
    ``template`` names our message and ``params`` are its values in order, for providers that only send what they
    approved beforehand; such a provider ignores ``text``.
    """

    id: str
    to: str
    text: str
    language: str
    to_name: str = ""
    subject: str = ""
    html: str = ""
    template: str = ""
    params: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one attempt.

    ``outcome`` is one of `domain.deliveries.OUTCOMES`, ``reason`` one of `REASONS` ("" when accepted), ``detail`` the
    provider's own code, without personal data. ``provider_id`` is how the provider names the message.
    """

    outcome: str
    provider_id: str = ""
    reason: str = ""
    detail: str = ""
    retry_after: timedelta | None = None

    def __post_init__(self) -> None:
        assert self.outcome in OUTCOMES, self.outcome
        assert (self.reason == "") == (self.outcome == "accepted"), "whatever did not simply go out has a reason"
        assert self.reason in ("", *REASONS), self.reason


@dataclass(frozen=True, slots=True)
class Inquiry:
    """What to ask a provider about: one message sent (or perhaps sent) at an instant to an address."""

    message_id: str
    to: str
    sent_at: datetime
    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """The provider's word on whether a message arrived. Either id may be empty, never both."""

    delivered: bool
    message_id: str = ""
    provider_id: str = ""
    at: datetime | None = None
    detail: str = ""


class CallbackRefused(Exception):
    """A callback that is not the provider's (``unsigned``) or not in its form (``malformed``). Answer 403 or 400."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Channel(Protocol):
    """What every channel can do."""

    @property
    def name(self) -> str:
        """``mail``, ``sms``, …: the name in the messages table."""

    @property
    def can_inquire(self) -> bool:
        """Whether `inquire` can ever answer."""

    def send(self, message: Message, *, now: datetime) -> Receipt:
        """Make one attempt, within a bounded time. Raises nothing for what the outside does."""

    def inquire(self, inquiry: Inquiry, *, now: datetime) -> DeliveryReport | None:
        """Ask what became of a message. None: nothing is known (yet)."""

    def parse_callback(
        self, body: bytes, headers: Mapping[str, str], *, query: Mapping[str, str]
    ) -> list[DeliveryReport]:
        """The reports in a provider's call to us. Raises CallbackRefused for what is not authentic or clear."""
