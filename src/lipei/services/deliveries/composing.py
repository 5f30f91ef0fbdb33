"""From a delivery's row to messages ready to go: whom it reaches, in which language, with which letter."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from string import Formatter
from typing import Any

from django.conf import settings

from lipei.domain.accounts import text_phone
from lipei.domain.claims import Case
from lipei.domain.rulebook import Rulebook
from lipei.gateways.channels import Attachment, Message
from lipei.gateways.letters import MissingGlyph
from lipei.gateways.uploads.media import DurableFiles, MediaStore
from lipei.norms import messages
from lipei.services.deliveries import letters
from lipei.services.deliveries.words import VALUES, Telling
from lipei.store import crypto, models

STOPS = (
    "no_address",  # the reader left no address for any channel
    "code_gone",  # the one-time code that it was to carry is no longer valid
    "text_incomplete",  # a figure that the wording asks for is not known
    "letter_incomplete",  # as above, for the letter that goes along
    "missing_glyph",  # the letter holds a character that no font carries
    "known_already",  # everybody in the role did it themselves or is told by name
)
"""Why a message is stopped before any channel sees it; what a channel may say is `gateways.channels.REASONS`."""


class Stopped(Exception):
    """A message that must not leave. ``code``, one of `STOPS`, stands in the texts as ``reason.delivery_<code>``."""

    def __init__(self, code: str, detail: str = "") -> None:
        assert code in STOPS, code
        super().__init__(code)
        self.code, self.detail = code, detail


@dataclass(frozen=True)
class Composed:
    """What leaves: a message per address (several for a staff role), and what it tells."""

    messages: tuple[Message, ...]
    letter_digest: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """One reader. ``key`` tells the readers of one delivery apart."""

    key: str
    to: str
    name: str
    language: str
    party: int = 0


def message_id(row: Any, key: str) -> str:
    """The id of a message: the same over every attempt, and the way back from a provider's report to the row."""
    mark = hashlib.sha256(f"{row.dedupe}/{key}".encode()).hexdigest()[:16]
    return f"lipei-{row.id}-{mark}"


def row_id(message_id: str) -> int | None:
    """The delivery that a message id names, None for another's id."""
    parts = message_id.split("-")
    return int(parts[1]) if len(parts) == 3 and parts[0] == "lipei" and parts[1].isdigit() else None


def compose(row: Any, case: Case, rulebook: Rulebook, *, now: datetime) -> Composed:
    """The messages of a delivery over the channel it is at. Raises `Stopped`."""
    channel = row.channels[row.position]
    found = addresses(row, case, rulebook, channel)
    if not found:
        raise Stopped("no_address")
    knowing = _knowing(row)
    found = [address for address in found if address.key not in knowing]
    if not found:
        raise Stopped("known_already")
    made = [_one(row, case, rulebook, channel, address, now) for address in found]
    return Composed(tuple(message for message, _ in made), made[0][1])


def addresses(row: Any, case: Case, rulebook: Rulebook, channel: str) -> list[Address]:
    """Who is reached, each with an address for this channel: a party, a colleague, or everybody in a role."""
    default = rulebook.settings.language_default
    if row.party:
        party = case.parties[row.party]
        # Who has died meanwhile is not written to; the handler is told, as of anybody whom nothing reaches.
        to = "" if party.deceased else address_for(channel, party.phone, party.email, rulebook)
        return (
            [Address("", to, party.name, row.language or party.language or case.claim.language or default, row.party)]
            if to
            else []
        )
    staff = models.Staff.objects.filter(active=True)
    if row.staff_id is not None:
        people = list(staff.filter(id=row.staff_id))
    else:
        # Roles are a JSON column, and a company's staff is a few hundred rows.
        holders = [p for p in staff if row.role in p.roles]
        own = [p for p in holders if case.claim.unit and p.unit == case.claim.unit]
        people = own or holders
    found = [(p, address_for(channel, p.phone, p.email, rulebook)) for p in people]
    return [Address(f"staff-{p.id}", to, p.name, p.language or default) for p, to in found if to]


def _knowing(row: Any) -> frozenset[str]:
    """Of the readers in a role those who need no telling: who did it, and who is told the same by name."""
    if row.party or row.staff_id is not None:
        return frozenset()
    here = {"stream_kind": row.stream_kind, "stream_id": row.stream_id, "sequence": row.sequence}
    did = models.Entry.objects.filter(**here, actor__startswith="staff:").values_list("actor", flat=True)
    by_name = models.Delivery.objects.filter(**here, message=row.message, staff_id__isnull=False)
    return frozenset(
        [actor.replace(":", "-") for actor in did] + [f"staff-{n}" for n in by_name.values_list("staff_id", flat=True)]
    )


def address_for(channel: str, phone: str, email: str, rulebook: Rulebook) -> str:
    """The address that a channel needs, empty where there is none: a landline is none for a text message."""
    return text_phone(number=phone, region=rulebook.settings.region) if channel == "sms" else email.strip()


def _one(
    row: Any, case: Case, rulebook: Rulebook, channel: str, address: Address, now: datetime
) -> tuple[Message, str]:
    t = Telling(case, rulebook, address.language, row.event, row.part, row.facts, address.party, row.secret, now)
    table = rulebook.messages
    names = messages.needed_params(table=table, message=row.message, channel=channel, language=address.language)
    if "code" in names and not row.secret:
        raise Stopped("code_gone")
    params = _params(t, names)
    words = messages.render(table=table, message=row.message, channel=channel, language=address.language, params=params)
    files: tuple[Attachment, ...] = ()
    digest = ""
    if row.letter:
        files, digest = _letter(row.letter, t, now)
    wording = messages.wording(table, f"message.{row.message}.sms", address.language) if channel == "sms" else ""
    message = Message(
        id=message_id(row, address.key), to=address.to, to_name=address.name, text=words.text, subject=words.subject,
        language=address.language, template=row.message, params=_in_order(wording, messages.fitting(wording, params)),
        attachments=files if channel == "email" else (),
    )  # fmt: skip
    return message, digest


def _params(t: Telling, names: frozenset[str]) -> dict[str, str]:
    try:
        return {name: VALUES[name](t) for name in names}
    except (AttributeError, KeyError, TypeError) as error:
        # The part that the text speaks of is not there: a text with a hole is never sent.
        raise Stopped("text_incomplete", f"{type(error).__name__}: {error}") from error


def _in_order(wording: str, params: Mapping[str, str]) -> tuple[str, ...]:
    """The values in the order in which a wording first names them: what providers of approved templates ask for."""
    names = dict.fromkeys(name for _, name, _, _ in Formatter().parse(wording) if name)
    return tuple(params[name] for name in names)


def _letter(letter: str, t: Telling, now: datetime) -> tuple[tuple[Attachment, ...], str]:
    """The letter as an attachment, kept in the media store: the portal shows the very bytes that were sent."""
    try:
        data = letters.pdf(letter, t, now=now)
    except MissingGlyph as error:
        raise Stopped("missing_glyph", error.named) from error
    except ValueError as error:
        raise Stopped("letter_incomplete", str(error)) from error
    digest = hashlib.sha256(data).hexdigest()
    media().put(io.BytesIO(data), digest=digest)
    name = f"{letters.called(letter, t)} {t.case.claim.number}.pdf"
    return (Attachment(name, "application/pdf", data),), digest


def media() -> MediaStore:
    """Where files are kept."""
    return MediaStore(DurableFiles(location=str(Path(settings.LIPEI_MEDIA))), crypto.keys().media)
