"""What entries owe, against the rows that are there, both ways: messages, bank orders and answers, idempotency keys.

A row that an entry names must be there as it was written; a row that is there must be named by an entry, or follow from
it. What an entry of schema 1 caused is not named, and is taken as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lipei.domain.claims import Case
from lipei.domain.registers import ID, BankRegister
from lipei.domain.rulebook import Rulebook
from lipei.norms.errors import NormError
from lipei.services import norms, owing
from lipei.services.owing import INTENT, order_digest
from lipei.services.verify import reading
from lipei.services.verify.comparing import Difference, Found
from lipei.services.verify.reading import Chunk, Stream
from lipei.store import canonical, crypto, journal, models

AT_ONCE = 400
UNCAUSED = "portal_code"
"""The message that no entry causes: a customer's code for the portal, sent before anybody is known to be them."""
ENDS = {"sent": "notice.sent", "delivered": "notice.delivered", "failed": "notice.failed",
        "overtaken": "notice.overtaken"}  # fmt: skip
"""State of a delivery → the entry that it must have ended with."""
ORDER_STATES = {
    # What the journal says last of the payment → the states in which its order can be.
    "payment.submitted": ("queued", "sent"),
    "payment.confirmed": ("queued", "sent", "void"),  # void: a person said that it arrived before it left
    "payment.given_back": ("queued", "sent", "void"),
    "payment.failed": ("queued", "sent", "refused", "void"),
    "payment.cancelled": ("queued", "sent", "refused", "void"),
}  # queued beside a payment that is over: it was answered before it was noted as sent, and leaves no more
ANSWERED = ("payment.confirmed", "payment.failed", "payment.given_back")

Wanted = dict[str, tuple[str, str, str]]
"""Name of an owed row → its digest, the place of the entry and the state that the row is in."""


@dataclass
class Owed:
    """One run's comparison. ``keys`` are read once: they are few, and kept for days only."""

    now: datetime | None
    keys: dict[int, str] = field(default_factory=dict)
    kept_since: str = ""

    def __post_init__(self) -> None:
        self.keys = {claim: digest for _, digest, (claim,) in reading.fixed(owing.KEY, ("claim_id",), "1 = 1", ())}
        if self.now is not None:  # the shortest time that was ever set: what is older may have been forgotten under it
            with suppress(NormError):  # an altered table is reported as such
                shortest = min(jobs.key_keep for jobs in norms.versions("jobs"))
                self.kept_since = canonical.stamp(self.now - shortest)

    def compare(self, chunk: Chunk, rulebook: Rulebook) -> Found:
        """What the chunk's claims owe."""
        yield from deliveries(chunk)
        yield from bank(chunk)
        yield from self._keys(chunk)

    def _keys(self, chunk: Chunk) -> Found:
        for number, stream in chunk.streams.items():
            wanted, sequence = stream.owed.get(owing.KEY.called(number), ("", 0))
            there = self.keys.get(number, "")
            place = f"{chunk.name(number)} idempotency key"
            if there and not wanted and 1 not in stream.silent:
                yield Difference("keys", place, "no entry made it")
            elif there and wanted and there != wanted:
                yield Difference("keys", place, "is not what was written")
            elif wanted and not there and self.kept_since and stream.recorded[sequence] > self.kept_since:
                yield Difference("keys", place, "is gone: the same report would be taken twice")


# --- messages ------------------------------------------------------------------------------------------------

_MORE = ("stream_id", "id", "sequence", "message", "channels", "position", "state", "body", "letter_digest")


def deliveries(chunk: Chunk) -> Found:
    """Every message owed is there as it was written, none is there that nobody owes, and each ended as the journal says."""
    seen: set[tuple[int, str]] = set()
    ended = {number: ends(stream) for number, stream in chunk.streams.items()}
    where = "stream_kind = %s AND stream_id BETWEEN %s AND %s"
    for name, digest, more in reading.fixed(owing.DELIVERY, _MORE, where, (chunk.kind, chunk.low, chunk.high)):
        number, row = more[0], Row(*more[1:])
        stream = chunk.streams.get(number)
        if stream is None:
            continue  # `references` says so
        seen.add((number, name))
        place = f"{chunk.name(number)} delivery {row.id} ({row.message})"
        yield from (Difference("deliveries", place, why) for why in _wrong(stream, name, digest, row))
        said = ended[number].pop(row.id, NOTHING)
        yield from (Difference("deliveries", place, why) for why in _end_wrong(chunk, stream, row, said))
    for number, stream in chunk.streams.items():
        for name, (_, sequence) in stream.owed.items():
            if name.startswith("delivery/") and (number, name) not in seen:
                what = f"the message {name.removeprefix('delivery/')} that entry {sequence} owes is gone"
                yield Difference("deliveries", chunk.name(number), what)
        for delivery, end in ended[number].items():
            yield Difference("deliveries", chunk.name(number), f"delivery {delivery} of {end.kind} is gone")


@dataclass(frozen=True, slots=True)
class Row:
    """What of a delivery changes, and what says where it belongs."""

    id: int
    sequence: int
    message: str
    channels: str
    position: int
    state: str
    body: bytes
    letter: str


def _wrong(stream: Stream, name: str, digest: str, row: Row) -> Iterator[str]:
    wanted, sequence = stream.owed.get(name, ("", 0))
    if row.sequence in stream.silent:
        return
    if not wanted:
        if row.sequence or row.message != UNCAUSED:
            yield "no entry caused it"
    elif wanted != digest:
        yield f"is not the message that entry {sequence} caused"


@dataclass(frozen=True, slots=True)
class End:
    """The last entry about a delivery, and the digests of text and letter that went out last."""

    kind: str = ""
    channel: str = ""
    body: str = ""
    letter: str = ""


NOTHING = End()


def ends(stream: Stream) -> dict[int, End]:
    """By delivery how far it came."""
    found: dict[int, End] = {}
    for _, kind, _, facts in stream.told:
        if kind.startswith("notice.") and "delivery" in facts:
            before = found.get(facts["delivery"], NOTHING)
            sent = facts if kind == "notice.sent" else {"body_digest": before.body, "letter_digest": before.letter}
            found[facts["delivery"]] = End(
                kind, facts.get("channel", ""), sent.get("body_digest", ""), sent.get("letter_digest", "")
            )
    return found


def _end_wrong(chunk: Chunk, stream: Stream, row: Row, end: End) -> Iterator[str]:
    if row.state in ENDS:
        if end.kind != ENDS[row.state]:
            yield f"is said to be {row.state}, the journal says {end.kind or 'nothing of it'}"
    elif row.state not in ("queued", "sending", "asking"):
        yield f"is in a state that there is not: {row.state}"
    elif end.kind and (end.kind != "notice.sent" or (row.state != "asking" and end.channel == _channel(row))):
        yield f"is {row.state} although the journal has {end.kind}: it would be sent twice"
    if row.letter != end.letter:
        yield "the letter on record is not the one that was sent"
    if not (end.body and stream.salt):
        return
    if not row.body:
        yield "the text that was sent is gone"
    elif crypto.digest(chunk.text(row.body) or "", stream.salt) != end.body:
        yield "its text is not the one that was sent"


def _channel(row: Row) -> str:
    channels = canonical.loads(row.channels)
    return channels[row.position] if row.position < len(channels) else ""


# --- the bank ------------------------------------------------------------------------------------------------


def bank(chunk: Chunk) -> Found:
    """Every order that an entry made and every answer that one took is there as it was written."""
    orders, answers = _orders(chunk), _answers(chunk, "done")
    there: dict[str, tuple[Any, ...]] = {}
    for part in _portions([*orders]):
        marks = ", ".join(["%s"] * len(part))
        more = ("kind", "message_id", "payments", "at", "state")
        where = f"direction = 'out' AND digest IN ({marks})"
        there |= {name: tuple(row) for name, _, row in reading.fixed(owing.ANSWER, more, where, part)}
    for digest, (place, wanted, last) in orders.items():
        row = there.get(f"answer/{digest}")
        if row is None:
            yield Difference("bank", place, "its order is gone")
        elif row[:4] != wanted:
            yield Difference("bank", place, "its order is not what was written")
        elif row[4] not in ORDER_STATES[last]:
            yield Difference("bank", place, f"its order is said to be {row[4]}, and the last word on it is {last}")
    yield from _answers_there(answers)


def _orders(chunk: Chunk) -> dict[str, tuple[str, tuple[Any, ...], str]]:
    """By digest: the place, the order's columns as they follow from the entry, and what is said last of the payment."""
    found: dict[str, tuple[str, tuple[Any, ...], str]] = {}
    for number, stream in chunk.streams.items():
        last: dict[int, str] = {}
        for sequence, kind, part, facts in stream.told:
            if kind == "payment.submitted":
                name = str(facts["end_to_end_id"])
                last[part] = order_digest(name)
                wanted = (INTENT, name, canonical.dumps((name,)).decode(), stream.recorded[sequence])
                found[last[part]] = (f"{chunk.name(number)} payment/{part} {name}", wanted, kind)
            elif kind in ORDER_STATES and part in last:
                found[last[part]] = (*found[last[part]][:2], kind)
    return found


def _answers(chunk: Chunk, state: str) -> Wanted:
    return {
        name: (digest, f"{chunk.name(number)} entry {sequence}", state)
        for number, stream in chunk.streams.items()
        for name, (digest, sequence) in stream.owed.items()
        if name.startswith("answer/")
    }


def _answers_there(wanted: Wanted) -> Found:
    there: dict[str, tuple[str, str]] = {}
    for part in _portions([name.removeprefix("answer/") for name in wanted]):
        where = f"direction = 'in' AND digest IN ({', '.join(['%s'] * len(part))})"
        there |= {
            name: (digest, state) for name, digest, (state,) in reading.fixed(owing.ANSWER, ("state",), where, part)
        }
    for name, (digest, place, state) in wanted.items():
        if name not in there:
            yield Difference("bank", place, "the answer that it took is gone")
        elif there[name][0] != digest:
            yield Difference("bank", place, "the answer that it took is not what was written")
        elif there[name][1] != state:
            yield Difference("bank", place, f"the answer that it took is {there[name][1]}, and was {state}")


def _portions(values: list[str]) -> Iterator[list[str]]:
    return (values[at : at + AT_ONCE] for at in range(0, len(values), AT_ONCE))


def invented() -> Found:
    """No order and no answer is there that no entry made."""
    register = models.Entry.objects.filter(stream_kind=BankRegister.kind, stream_id=ID)
    unmatched = {name for body in register.values_list("payload", flat=True) for name in journal.owes(body)}
    begun, last = register.exists(), 0
    while True:
        rows = list(
            models.BankMessage.objects.filter(id__gt=last)
            .order_by("id")
            .values_list("id", "direction", "message_id", "digest", "state")[:AT_ONCE]
        )
        if not rows:
            return
        last = rows[-1][0]
        made, taken, before = _made(message for _, _, message, _, _ in rows)
        for number, direction, message, digest, state in rows:
            place = f"bank message {number} ({message})"
            if direction == "out" and digest not in made:
                yield Difference("bank", place, "no entry made this order")
            elif direction == "in" and not (
                owing.ANSWER.called(digest) in taken | unmatched
                or (state != "done" and not begun)
                or (state == "done" and _claim_of(message) in before)
            ):
                yield Difference("bank", place, "no entry took this answer")


def _claim_of(end_to_end_id: str) -> str:
    """The number in an end-to-end id: claim, payment, attempt."""
    return end_to_end_id.rsplit("-", 2)[0]


def _made(messages: Iterable[str]) -> tuple[set[str], set[str], set[str]]:
    """What the journal knows about these: digests of orders, names of answers, and claims whose answers it does not name."""
    numbers = sorted({_claim_of(message) for message in messages})
    claims = {row[0]: row[1] for row in models.Claim.objects.filter(number__in=numbers).values_list("id", "number")}
    entries = models.Entry.objects.filter(
        stream_kind=Case.kind, stream_id__in=list(claims), kind__startswith="payment."
    )
    made: set[str] = set()
    taken: set[str] = set()
    before: set[str] = set()
    for claim, kind, schema, body in entries.values_list("stream_id", "kind", "schema", "payload"):
        if kind == "payment.submitted":
            made.add(order_digest(str(journal.said(body)[0]["end_to_end_id"])))
        elif schema == 1 and kind in ANSWERED:
            before.add(claims[claim])
        taken |= set(journal.owes(body))
    return made, taken, before


def editions(chunk: Chunk, rulebook: Rulebook) -> Found:
    """Every version of a norm table is the one that its entry put in force, and none is there that no entry did."""
    wanted = {name: owed for stream in chunk.streams.values() for name, owed in stream.owed.items()}
    for name, digest, _ in reading.fixed(owing.EDITION, (), "1 = 1", ()):
        said, sequence = wanted.pop(name, ("", 0))
        place = f"norm table {name.partition('/')[2]}"
        if not said:
            if chunk.streams:  # else the register has not begun
                yield Difference("norms", place, "no entry put this version in force")
        elif said != digest:
            yield Difference("norms", place, f"is not the version that entry {sequence} put in force")
    for name, (_, sequence) in wanted.items():
        yield Difference("norms", f"norm table {name.partition('/')[2]}", f"the version of entry {sequence} is gone")


def people(chunk: Chunk, rulebook: Rulebook) -> Found:
    """Staff, absences, lent authority, tokens and webhooks are what their last entry in the register made of them."""
    if not chunk.streams:
        return  # the register has not begun
    wanted = {name: owed for stream in chunk.streams.values() for name, owed in stream.owed.items()}
    for stream in chunk.streams.values():
        for sequence, _, _, facts in stream.told:
            wanted |= {name: (digest, sequence) for name, digest in facts.get("rows", {}).items()}
    for kind in owing.PEOPLE:
        for name, digest, _ in reading.fixed(kind, (), "1 = 1", ()):
            said, sequence = wanted.pop(name, ("", 0))
            if not sequence:
                yield Difference("people", name, "no entry made it")
            elif said != digest:
                yield Difference("people", name, f"is not what entry {sequence} made of it")
    for name, (said, sequence) in wanted.items():
        if said:
            yield Difference("people", name, f"what entry {sequence} made is gone")


ANSWER_STATES = {"bank.answer_cleared": "cleared", "bank.answer_agrees": "done"}
"""What an answer in the bank's register is besides unmatched, by the entry that names it."""


def register(chunk: Chunk, rulebook: Rulebook) -> Found:
    """What the bank's register names is there."""
    wanted = _answers(chunk, "unmatched")
    for stream in chunk.streams.values():
        for _, kind, _, facts in stream.told:
            name = owing.ANSWER.called(facts.get("digest", ""))
            if kind in ANSWER_STATES and name in wanted:
                wanted[name] = (*wanted[name][:2], ANSWER_STATES[kind])
    yield from _answers_there(wanted)
