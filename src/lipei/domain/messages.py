"""Who is told what, and how, when something happens: event → message → channels (norm 2.4.1).

The table is data; `deliveries_for` reads it. Each answer is a `Due` that the write path turns into a delivery row in
the transaction of the event itself, under a key that makes a second delivery of the same message impossible.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from lipei.domain import acting, papers
from lipei.domain.claims import Case, Exposure, Offer, Party
from lipei.domain.commands import PARTY_ROLES
from lipei.domain.conditions import Condition, holds, values_of
from lipei.domain.events import Actor, Event, Value
from lipei.domain.owing import left_minor

CHANNELS: Mapping[str, str] = {"sms": "phone", "email": "email"}
"""Every channel with the field of a party that it needs. Parts of a text: an SMS is one text, an e-mail has two."""

LETTERS = ("receipt", "paper_request", "settlement", "refusal", "advance", "guarantee")
CODE_SENT = "offer.code_sent"
OF_SUBJECT = {"asked": "asked_of", "offeree": "to", "debtor": "debtor", "payee": "payee"}
"""Recipients named by the part an event is about: selector → field holding the party's number."""
STAFF = ("handler", "handler_before", "duty_person", "surveyor", "experts", "told")
STAFF_ROLES = frozenset(
    {"intake", "handler", "surveyor", "assessor", "approver", "team_lead", "manager", "finance", "expert",
     "investigator", "compliance", "administrator"}
)  # fmt: skip
_COMPUTED = frozenset({"papers.outstanding", "papers.awaited", "exposures.open", "offer.left_minor"})
_ENDED_PAPERS = ("accepted", "waived")
_ENDED_EXPOSURES = ("settled", "refused", "dropped")


def known_selector(name: str) -> bool:
    """Whether ``name`` can stand after ``to``: a party's role, a party of the event's part, staff, ``role:<role>``."""
    return (
        name in PARTY_ROLES
        or name in OF_SUBJECT
        or name in STAFF
        or (name.startswith("role:") and name.removeprefix("role:") in STAFF_ROLES)
    )


def known_field(name: str) -> bool:
    """Whether conditions of this table may ask for ``name``: a field of the claim, of the event's part, or a fact."""
    entity, _, attribute = name.partition(".")
    if name in _COMPUTED or (entity == "event" and attribute.isidentifier()):
        return True
    part = Case.entities.get(entity)
    return part is not None and attribute in {f.name for f in fields(part)}


@dataclass(frozen=True, slots=True)
class MessageRow:
    """One message. ``to`` lists recipients, each a list of alternatives of which the first that exists is told.

    ``events`` is empty for a message that a service asks for by name (`direct`), such as a one-time code.
    ``urgent`` ignores quiet hours, ``fast`` goes before other deliveries, ``once`` is sent once in the life of a claim.
    ``when`` must hold as the event happens, ``still`` when the message is about to leave: what has been overtaken
    meanwhile (a night of quiet hours, a mail server that was down) is not said any more. ``void_by`` are later events
    that make it void whatever is true then: of the same part, where they are about the same kind of part.
    ``law``: the law wants it said, so that nothing makes it void but that the decision itself is taken back.
    """

    code: str
    events: tuple[str, ...]
    to: tuple[tuple[str, ...], ...]
    channels: tuple[str, ...]
    urgent: bool = False
    fast: bool = False
    once: bool = False
    letter: str = ""
    when: Condition | None = None
    norm: str = ""
    still: Condition | None = None
    void_by: tuple[str, ...] = ()
    law: bool = False


@dataclass(frozen=True)
class MessageTable:
    """All messages, found by event kind. ``texts`` are wordings that a manager put in place of the shipped ones."""

    rows: Mapping[str, MessageRow] = field(default_factory=dict)
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    by_event: Mapping[str, tuple[MessageRow, ...]] = field(init=False)

    def __post_init__(self) -> None:
        found: dict[str, tuple[MessageRow, ...]] = {}
        for row in self.rows.values():
            for kind in row.events:
                found[kind] = (*found.get(kind, ()), row)
        object.__setattr__(self, "by_event", found)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who is told: a party of the claim by number, a member of staff by id, or everybody in a staff role."""

    party: int | None = None
    staff: int | None = None
    role: str = ""

    @property
    def key(self) -> str:
        if self.party is not None:
            return f"party-{self.party}"
        return f"staff-{self.staff}" if self.staff is not None else f"role-{self.role}"


@dataclass(frozen=True, slots=True)
class Due:
    """A message to deliver. ``channels`` are tried in order, the next one when one fails.

    Empty ``channels`` mean that the party left neither phone nor e-mail address: the message is due all the same, and a
    person has to tell the party by other means. ``part`` is the part of the event, for the figures in the text.
    """

    message: str
    to: Recipient
    channels: tuple[str, ...]
    language: str
    dedupe: str
    due_at: datetime
    urgent: bool = False
    fast: bool = False
    letter: str = ""
    event: str = ""
    part: int = 0


def deliveries_for(
    *, case: Case, event: Event, stream: str, sequence: int, table: MessageTable, now: datetime, by: Actor | None = None
) -> tuple[Due, ...]:
    """The messages that an event causes, for the case as it is *after* the event.

    ``stream`` and ``sequence`` are the event's place in the journal. The same event yields the same keys, and one
    person is told the same thing once although they stand in several roles. ``by`` is who did it: a colleague is not
    told of their own act, and nobody else in their place.
    """
    rows = table.by_event.get(event.kind, ())
    if not rows:
        return ()
    values = _values(case, event) if any(row.when for row in rows) else {}
    found: dict[str, Due] = {}
    for row in rows:
        if row.when is not None and not holds(row.when, values):
            continue
        for to in _recipients(case, event, row):
            if by is not None and to.staff is not None and to.staff == by.staff_id:
                continue
            place = "once" if row.once else str(sequence)
            due = _due(case, row, to, f"{stream}:{place}:{row.code}:{to.key}", now, event)
            found.setdefault(due.dedupe, due)
    return tuple(found.values())


def overtaken(*, case: Case, event: Event, message: str, table: MessageTable) -> bool:
    """Whether what a message was to say is true no longer, for the claim as it is when the message is about to leave."""
    row = table.rows.get(message)
    return row is not None and row.still is not None and not holds(row.still, _values(case, event))


def voids(*, row: MessageRow, event: str, part: int) -> tuple[tuple[str, int | None], ...]:
    """The later events that make a message about ``part`` void: kind, and the part it must be about (None: any)."""
    subject = event.partition(".")[0]
    return tuple((kind, part if kind.partition(".")[0] == subject else None) for kind in row.void_by)


def direct(*, case: Case, message: str, to: Recipient, key: str, table: MessageTable, now: datetime) -> Due:
    """A message that a service asks for itself. ``key`` names its cause (``offer-2:code-3``): a repeat is not sent.

    Raises KeyError for a message that the table does not have.
    """
    row = table.rows[message]
    return _due(case, row, to, f"claim:{case.id}:{key}:{message}:{to.key}", now, None)


def _due(case: Case, row: MessageRow, to: Recipient, dedupe: str, now: datetime, event: Event | None) -> Due:
    party = case.parties.get(to.party) if to.party is not None else None
    return Due(
        message=row.code,
        to=to,
        channels=row.channels if party is None else reachable(party, row.channels),
        language=(party.language if party else "") or (case.claim.language if party else ""),
        dedupe=dedupe,
        due_at=now,
        urgent=row.urgent,
        fast=row.fast,
        letter=row.letter,
        event=event.kind if event else "",
        part=event.part if event else 0,
    )


def reachable(party: Party, channels: Iterable[str] = CHANNELS) -> tuple[str, ...]:
    """The channels for which the party left an address, in the order given."""
    return tuple(channel for channel in channels if getattr(party, CHANNELS[channel]))


def _recipients(case: Case, event: Event, row: MessageRow) -> tuple[Recipient, ...]:
    """Everybody the row names, each once; of alternatives the first who can be reached, else the first there is."""
    found: dict[str, Recipient] = {}
    for alternatives in row.to:
        choices = [chosen for name in alternatives if (chosen := _select(case, event, name))]
        best = next((c for c in choices if any(_can_be_reached(case, one) for one in c)), choices[0] if choices else ())
        for one in best:
            found.setdefault(one.key, one)
    return tuple(found.values())


def _can_be_reached(case: Case, to: Recipient) -> bool:
    return to.party is None or bool(reachable(case.parties[to.party]))


def _select(case: Case, event: Event, name: str) -> tuple[Recipient, ...]:
    """Whom one selector means; empty where there is nobody."""
    if name.startswith("role:"):
        return (Recipient(role=name.removeprefix("role:")),)
    if name in STAFF:
        return _staff(case, event, name)
    if name == "offeree" and event.kind == CODE_SENT and event.facts.get("party") in case.parties:
        return (Recipient(party=event.facts["party"]),)  # a code is for who asked for it, and for nobody else
    named = (number for number in _parties(case, event, name) if number in case.parties)
    numbers = (to for number in named for to in acting.addressees(case, number))
    return tuple(Recipient(party=number) for number in dict.fromkeys(numbers))


def _staff(case: Case, event: Event, name: str) -> tuple[Recipient, ...]:
    part = _part(case, event)
    if name == "told":  # whom the promise that warns or broke says; its handler's lead while nobody handles the claim
        told = (
            "team_lead" if n == "handler" and case.claim.handler is None else n for n in event.facts.get("tell", ())
        )
        return tuple(Recipient(staff=case.claim.handler) if n == "handler" else Recipient(role=n) for n in told)
    if name == "experts":
        return tuple(Recipient(staff=expert) for expert in getattr(part, "experts", ()))
    if name == "handler_before":  # whose claim it was until it was handed on
        staff = event.facts.get("from", event.facts.get("before"))
        staff = None if staff == case.claim.handler else staff
    else:
        staff = getattr(part if name == "surveyor" else case.claim, name, None)
    return (Recipient(staff=staff),) if staff is not None else ()


def _parties(case: Case, event: Event, name: str) -> tuple[int, ...]:
    part = _part(case, event)
    if name == "offeree" and isinstance(part, Offer):
        return acting.offerees(case, part)
    if name == "hospital" and event.facts.get("payee") in case.parties:
        return (event.facts["payee"],)  # the one that the guarantee is given to
    if name in OF_SUBJECT and getattr(part, OF_SUBJECT[name], None) is not None:
        return (getattr(part, OF_SUBJECT[name]),)
    if name == "asked":
        asked = (p.asked_of for p in case.papers.values() if p.state not in _ENDED_PAPERS)
        return tuple(dict.fromkeys(number for number in asked if number is not None))
    if name == "claimant":
        return _claimants(case, event)
    return tuple(p.part for p in case.parties.values() if name in p.roles)


def _claimants(case: Case, event: Event) -> tuple[int, ...]:
    """The claimant of the exposure that the event is about; for the claim as a whole, all of them."""
    exposure = _exposure(case, event)
    if exposure is not None:
        return (exposure.claimant,) if exposure.claimant is not None else ()
    named = [e.claimant for e in case.exposures.values() if e.claimant is not None]
    return tuple(dict.fromkeys([*named, *(p.part for p in case.parties.values() if "claimant" in p.roles)]))


def _part(case: Case, event: Event) -> Any:
    return case.of(event.subject).get(event.part) if event.subject in case.entities else None


def _exposure(case: Case, event: Event) -> Exposure | None:
    part = _part(case, event)
    return part if isinstance(part, Exposure) else case.exposures.get(getattr(part, "exposure", 0))


def _values(case: Case, event: Event) -> dict[str, Value]:
    """What conditions may ask for, see `known_field`."""
    outstanding = [p for p in case.papers.values() if p.required and p.state not in _ENDED_PAPERS]
    values = values_of("claim", case.claim)
    values |= {f"event.{name}": value for name, value in event.facts.items()}
    values["papers.outstanding"] = len(outstanding)
    values["papers.awaited"] = len(papers.awaited(case))
    values["exposures.open"] = sum(e.state not in _ENDED_EXPOSURES for e in case.exposures.values())
    exposure, part = _exposure(case, event), _part(case, event)
    for entity, value in (("exposure", exposure), (event.subject, part)):
        if value is not None:
            values |= values_of(entity, value)
    if isinstance(part, Offer):
        values["offer.left_minor"] = left_minor(case, part)
    return values
