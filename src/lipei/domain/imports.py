"""Import (历史案件导入): a layout says what the columns of another's file mean; a closed claim becomes a fact.

An imported claim is history: its dates are the real ones, nothing is promised any more, nothing can be done to it. So
it is one event, `claim.imported`, and no clock starts.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from functools import cache

from lipei.domain import lifecycle
from lipei.domain.claims import NUMBER, NUMBER_LENGTH_MAX, Case, Claim
from lipei.domain.events import Change, Event, Refusal, Value
from lipei.domain.money import LARGEST_MINOR

KINDS = ("claims", "policies", "staff")
OUTCOMES = ("paid", "refused", "closed_without_payment", "withdrawn", "cancelled")
STILL_OPEN = "open"
"""What a layout calls a row whose claim has not ended where it comes from: it is rejected, and imported once it has."""

EARLIEST_YEAR = 1950
"""Before it a date is a slip of the keyboard (the year 0206), not a loss that a computer file could know."""

_MARK_LENGTH = 8  # hexadecimal digits: two of a million claims that need one have the same with a chance of 1 in 8000


@dataclass(frozen=True, slots=True)
class Source:
    """Where a field comes from: a column by any of its names, another where that one is empty, or a fixed value.

    ``values`` translates the words of the file (all of them: an unknown word rejects the row); ``missing`` is what an
    empty cell means; ``prefix`` is put before a number so that numbers of two systems never meet.
    """

    columns: tuple[str, ...] = ()
    otherwise: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    missing: str | None = None
    prefix: str = ""
    fixed: str | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """What the columns of one kind of file mean. ``empty`` are the words that stand for nothing (``-``)."""

    kind: str
    fields: Mapping[str, Source]
    facts: Mapping[str, Source] = field(default_factory=dict)
    zone: tzinfo = UTC
    currency: str = ""
    language: str = ""
    empty: frozenset[str] = frozenset({""})
    date_formats: tuple[str, ...] = ()
    encoding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedClaim:
    """A closed claim as the other system tells it. Amounts are minor units of ``currency``, times UTC instants.

    ``number`` is what the other system calls the claim, behind the layout's prefix.
    """

    number: str
    external_number: str
    line: str
    outcome: str
    currency: str
    reported_at: datetime
    loss_kind: str = ""
    loss_at: datetime | None = None
    closed_at: datetime | None = None
    claimed_minor: int = 0
    paid_minor: int = 0
    policy_number: str = ""
    region: str = ""
    place: str = ""
    language: str = ""
    name: str = ""
    phone: str = ""
    facts: Mapping[str, Value] = field(default_factory=dict)


def safe_number(told: str) -> str:
    """The number that a claim has here for the one it is told to have: as it is, where it can stand in an address.

    What cannot (a blank, a slash, 沪) becomes a hyphen; a number too long, or of nothing else, is marked.
    """
    if NUMBER.fullmatch(told):
        return told
    safe = _hyphened(told)
    return safe if NUMBER.fullmatch(safe) else marked_number(told)


def marked_number(told: str) -> str:
    """The number of a claim where another one came to the same: told apart by digits of what it was told to be.

    They are the same digits whenever the file comes again.
    """
    mark = hashlib.sha256(told.encode()).hexdigest()[:_MARK_LENGTH]
    return f"{_hyphened(told)[: NUMBER_LENGTH_MAX - _MARK_LENGTH - 1].rstrip('-')}-{mark}".lstrip("-")


def _hyphened(told: str) -> str:
    return re.sub(r"[^0-9A-Za-z]+", "-", unicodedata.normalize("NFKC", told)).strip("-")


def numbered(claim: ImportedClaim, number: str, bare: str) -> ImportedClaim:
    """The claim under the number that it has here; what the other system calls it (``bare``) is its external number.

    Where the file has an external number of its own beside that, and the number had to change, it goes among the facts.
    """
    own = claim.external_number
    if number == claim.number:
        return claim if own or number == bare else replace(claim, external_number=bare)
    facts = {**claim.facts, "external_number": own} if own and own != bare else claim.facts
    return replace(claim, number=number, external_number=bare, facts=facts)


@cache
def end_state(outcome: str) -> str:
    """The state of a claim that ended so, by the one rule for it (`lifecycle.claim_state`)."""
    return lifecycle.claim_state(Case(id=0, parts={"claim": {0: Claim(outcome=outcome)}}))


def wrong(claim: ImportedClaim, *, now: datetime, absurd_minor: int) -> Refusal | None:
    """What makes a row's values impossible: the first thing that is wrong, or None."""
    if claim.outcome == STILL_OPEN:
        return Refusal("refusal.import_still_open", "fields", {"number": claim.number})
    if claim.loss_at is not None and claim.loss_at > claim.reported_at:
        return Refusal("refusal.import_loss_after_report", "fields")
    if claim.closed_at is not None and claim.closed_at < claim.reported_at:
        return Refusal("refusal.import_closed_before_report", "fields")
    if max(claim.reported_at, claim.closed_at or claim.reported_at) > now:
        return Refusal("refusal.import_in_future", "fields")
    if max(claim.claimed_minor, claim.paid_minor) > min(absurd_minor, LARGEST_MINOR):
        return Refusal("refusal.import_amount_absurd", "fields")
    if claim.outcome == "paid" and claim.paid_minor == 0:
        return Refusal("refusal.import_paid_nothing", "fields")
    if claim.outcome != "paid" and claim.paid_minor:
        return Refusal("refusal.import_paid_without_approval", "fields")
    return None


def imported(*, claim: ImportedClaim, told: str, digest: str) -> Event:
    """The event by which closed history becomes a claim here: dated when it ended, else when it was reported.

    ``digest`` recognises the same row when the file comes again, ``told`` the number that it had there, prefix and all.
    What was paid stands as one confirmed payment, so that balances agree with payments for imported claims too.
    """
    party = 1 if claim.name or claim.phone else None
    changes = [Change("claim", 0, _root(claim)), Change("exposure", 1, _exposure(claim, party))]
    if party:
        roles = ("reporter", "claimant", "payee")
        changes.append(Change("party", party, {"roles": roles, "name": claim.name, "phone": claim.phone}))
    if claim.paid_minor:
        changes.append(Change("payment", 1, _payment(claim, party)))
    facts = {"number": claim.number, "outcome": claim.outcome, "paid_minor": claim.paid_minor, "digest": digest}
    if told != claim.number:
        facts["told"] = told
    return Event("claim.imported", 0, facts, tuple(changes), occurred_at=claim.closed_at or claim.reported_at)


def _root(claim: ImportedClaim) -> dict[str, Value]:
    return {
        "number": claim.number,
        "state": end_state(claim.outcome),
        "line": claim.line,
        "loss_kind": claim.loss_kind,
        "policy_number": claim.policy_number,
        "channel": "import",
        "language": claim.language,
        "currency": claim.currency,
        "region": claim.region,
        "place": claim.place,
        "reported_at": claim.reported_at,
        "loss_at": claim.loss_at,
        "closed_at": claim.closed_at,
        "estimate_minor": claim.claimed_minor,
        "facts": claim.facts,
        "outcome": claim.outcome,
        "external_number": claim.external_number,
    }


def _exposure(claim: ImportedClaim, party: int | None) -> dict[str, Value]:
    state = {"paid": "settled", "refused": "refused"}.get(claim.outcome, "dropped")
    return {
        "state": state,
        "peril": claim.loss_kind,
        "claimant": party,
        "reserve_minor": claim.claimed_minor,
        "payable_minor": claim.paid_minor,
        "paid_minor": claim.paid_minor,
    }


def _payment(claim: ImportedClaim, party: int | None) -> dict[str, Value]:
    return {
        "state": "confirmed",
        "exposure": 1,
        "payee": party,
        "amount_minor": claim.paid_minor,
        "confirmed_at": claim.closed_at,
    }
