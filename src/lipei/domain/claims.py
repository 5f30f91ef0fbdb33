"""The claim (案件) and its parts, as frozen values.

One accident is one claim with several exposures (赔付项): own damage, the other party's property, each injured person,
under compulsory and commercial cover. Parts refer to each other by their number within the claim: an exposure's
``claimant`` is the number of a party. Amounts are minor units of the claim's one currency, times are UTC instants.
Staff are named by their id. Every field here is a column of the table of the same name and nothing else is.

Parts have no slots: `events.altered` copies one with a few fields changed many times for every report.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from lipei.domain.events import Aggregate, private

NUMBER_LENGTH_MAX = 40
NUMBER = re.compile(rf"[0-9A-Za-z][0-9A-Za-z-]{{0,{NUMBER_LENGTH_MAX - 1}}}")
"""What a claim's number looks like: it stands in addresses as it is, whoever gave it."""

USUAL = "usual"
"""Why a reserve is as it is: nobody has named one, and this is what such a loss usually costs (`domain/reserves.py`)."""
ASSESSED = "assessed"
"""Why a reserve is as it is: nobody has named one, and this is what the terms give for the loss as it was assessed."""


@dataclass(frozen=True)
class Claim:
    """The root. ``state`` follows from the parts by `lifecycle.claim_state`; only ends are set by an action."""

    part: int = 0
    number: str = ""
    state: str = "reported"
    line: str = ""  # line of business, a code of norms/lines.yaml; empty while unknown
    loss_kind: str = ""  # kind of loss, a code of norms/lines.yaml
    product: str = ""  # code of the product whose terms apply
    terms_version: int = 0  # version of the product's terms on the day of the loss
    policy_id: int | None = None
    policy_number: str = ""
    channel: str = ""  # portal, console, phone, api, import
    language: str = "zh-hans"
    currency: str = "CNY"
    region: str = ""
    reported_at: datetime | None = None
    loss_at: datetime | None = None
    registered_at: datetime | None = None
    story: str = private()
    place: str = private()
    country: str = ""  # where it happened, ISO 3166-1 alpha-2; empty: not said, as where no cover has a territory
    estimate_minor: int = 0  # the reporter's own estimate, else the sum of reserves
    deaths: int = 0
    serious_injuries: int = 0
    injured: int = 0
    insured_died: bool = False  # the insured person is among the dead
    rescue: bool = False  # rescue treatment is going on
    major_accident: bool = False
    incident: str = ""  # code of a declared incident
    facts: Mapping[str, Any] = field(default_factory=dict)  # of the claim as a whole: lawsuit, public_attention …
    lane: str = ""  # simple or complex, by triage
    fast_lane: bool = False  # urgent for the customer (norm 2.3.2)
    report_upwards: bool = False  # large for the company
    reported_upwards_at: datetime | None = None
    triage_reasons: tuple[Any, ...] = ()
    handler: int | None = None
    unit: str = ""
    assignment_reasons: tuple[Any, ...] = ()
    accepted_at: datetime | None = None
    duty_person: int | None = None  # whom an urgent off-hours report waits for
    duty_position: int = 0
    duty_due_at: datetime | None = None
    duty_acknowledged_at: datetime | None = None
    opinion_at: datetime | None = None
    opinion: str = private()
    papers_requested_at: datetime | None = None
    papers_requests: int = 0
    suspicion: bool = False
    sampled: bool = False  # drawn for quality sampling: no straight-through
    help_wanted: bool = False
    duplicate_of: str = ""
    outcome: str = ""  # paid, refused, closed_without_payment, withdrawn, cancelled, duplicate
    closed_at: datetime | None = None
    reopened: int = 0
    reopened_at: datetime | None = None  # the last time
    external_number: str = ""
    accept_automatic: bool = False  # the customer agreed beforehand to a sum that the terms alone give
    last_told_at: datetime | None = None  # when the customer last heard from us (norm 2.2.2)


@dataclass(frozen=True)
class Party:
    """A person or firm in one or more roles: who reports, is insured, claims, is injured and is paid may all differ."""

    part: int
    roles: tuple[
        str, ...
    ] = ()  # reporter insured claimant injured beneficiary heir guardian agent payee repairer hospital
    person: bool = True
    name: str = private()
    phone: str = private()
    email: str = private()
    id_type: str = ""  # resident_id, passport, business_licence …
    id_number: str = private()
    born_on: str = private()
    language: str = ""
    deceased: bool = False  # recorded as having died: written to, asked and paid nothing any more
    acts_for: int | None = None  # the party an agent, guardian or heir acts for
    mandate: str = ""  # power_of_attorney, guardianship, inheritance, inheritance_all; empty: none needed or none shown
    mandate_reason: str = private()  # why an adult has a guardian
    mandate_checked_at: datetime | None = None
    identity_checked_at: datetime | None = None
    account_name: str = private()
    account_number: str = private()
    account_bank: str = ""  # bank's clearing code (CNAPS) or BIC
    account_kind: str = ""  # iban, cn_card, other
    account_checked_at: datetime | None = None
    account_by: str = ""  # who typed the account or changed it or the name; does not let money go to it


@dataclass(frozen=True)
class Exposure:
    """One head of loss under one cover, for one claimant: reserve, assessment, decision, offer and payees of its own."""

    part: int
    state: str = "open"
    cover: str = ""  # cover code of the product's terms
    claimant: int | None = None  # party
    peril: str = ""  # kind of loss under this cover
    reserve_minor: int = 0
    reserve_reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)  # what the terms ask for: fault percent, days, grade …
    items: tuple[
        Any, ...
    ] = ()  # assessed line items: {what, code, quantity, claimed_minor, assessed_minor, standard_minor}
    assessed_minor: int = 0
    assessed_by: str = ""
    assessed_at: datetime | None = None
    checked_by: str = ""
    submitted_by: str = ""
    submitted_at: datetime | None = None
    settlement: Mapping[str, Any] = field(default_factory=dict)  # the explained calculation, see domain/settlement.py
    payable_minor: int = 0  # what the terms give
    ex_gratia_minor: int = 0  # beyond the terms, by authority
    refused_minor: int = 0  # what a decision that stands refuses in part, less what is made good ex gratia
    decided_by: str = ""
    decided_at: datetime | None = None
    approvals: tuple[str, ...] = ()  # actor ids; two where four eyes are asked for
    refusal_clause: str = ""
    refusal_code: str = ""
    refusal_reason: str = private()
    refusal_proposed_by: str = ""
    agreed_at: datetime | None = None
    advanced_minor: int = 0
    guaranteed_minor: int = 0  # promised to hospitals, paid or not
    guarantees: tuple[Any, ...] = ()  # {"payee": party, "amount_minor": n, "by": actor, "waits": for a second person}
    paid_minor: int = 0
    by_hand: bool = False  # a person took it in hand: no rule decides it any more

    @property
    def named_reserve_minor(self) -> int:
        """The reserve that somebody named for this loss; 0 where it is what such losses usually cost, or follows the sum
        assessed."""
        return 0 if self.reserve_reason in (USUAL, ASSESSED) else self.reserve_minor


@dataclass(frozen=True)
class Paper:
    """A document asked for (单证), with what became of it."""

    part: int
    state: str = "requested"
    code: str = ""  # code of norms/papers.yaml
    exposure: int = 0  # 0: for the whole claim
    asked_of: int | None = None  # party
    required: bool = True  # False: only if it applies, see papers.Need
    requested_at: datetime | None = None
    due_at: datetime | None = None
    received_at: datetime | None = None
    decided_at: datetime | None = None
    reason: str = ""  # code of the reason of a refusal or waiver
    note: str = private()
    invoice_number: str = ""
    uploads: tuple[int, ...] = ()  # documents, by part number


@dataclass(frozen=True)
class Document:
    """A file received: photo, scan, report. The bytes lie in the media store under their digest."""

    part: int
    digest: str = ""  # SHA-256, hex
    media_type: str = ""
    size_bytes: int = 0
    file_name: str = private()
    paper: int = 0
    survey: int = 0
    taken_at: datetime | None = None  # capture data, where the file carries them
    latitude_microdegrees: int | None = None
    longitude_microdegrees: int | None = None
    received_at: datetime | None = None
    duplicate_of: str = ""  # "claim number/part" of the same bytes seen before


@dataclass(frozen=True)
class Survey:
    """A visit or remote look at the damage (查勘)."""

    part: int
    state: str = "scheduled"
    exposure: int = 0
    surveyor: int | None = None
    at: datetime | None = None
    place: str = private()
    remote: bool = False
    checklist: Mapping[str, Any] = field(default_factory=dict)
    findings: str = private()
    recorded_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True)
class Consultation:
    """Experts confer on a complex case (norm 2.2.3)."""

    part: int
    state: str = "convened"
    exposure: int = 0
    question: str = private()
    experts: tuple[int, ...] = ()
    opinions: tuple[Any, ...] = ()  # {"expert": id, "vote": "for|against|abstain", "at": …, "amount_minor": …}
    opinion_texts: str = private()  # the opinions in words, one block per expert
    outcome: str = ""
    conclusion: str = private()
    concluded_at: datetime | None = None


@dataclass(frozen=True)
class Offer:
    """A sum offered for one or more approved exposures, with its explanation."""

    part: int
    state: str = "prepared"
    exposures: tuple[int, ...] = ()
    to: int | None = None  # party
    amount_minor: int = 0
    undisputed_minor: int = 0
    sent_at: datetime | None = None
    expires_at: datetime | None = None
    codes: tuple[
        Any, ...
    ] = ()  # one-time codes, one for each party asked: {"party", "digest", "expires_at", "attempts"}
    agreed_parties: tuple[int, ...] = ()  # those whose agreement is there, where several are asked
    answered_at: datetime | None = None
    agreed_by: str = ""
    answer: str = private()
    shares: tuple[Any, ...] = ()  # {"payee": party, "numerator": n, "denominator": d}


@dataclass(frozen=True)
class Payment:
    """An order to a bank: one payee, one sum, paid at most once."""

    part: int
    state: str = "ordered"
    kind: str = "settlement"  # settlement, advance, guarantee, ex_gratia
    exposure: int = 0
    offer: int = 0  # that it is paid under; of an advance: that was turned down, of which nobody disputes this part
    payee: int | None = None  # party
    amount_minor: int = 0
    ordered_by: str = ""
    approved_by: tuple[str, ...] = ()
    end_to_end_id: str = ""  # stable identity with the bank, the same over every attempt to send it
    attempt: int = 0
    submitted_at: datetime | None = None
    confirmed_at: datetime | None = None
    failure: str = ""  # bank's reason code
    retry_of: int = 0

    @property
    def called(self) -> str:
        """What it is called where payments are listed, see `payment_called`."""
        return payment_called(self.kind, self.offer)


def without_attempt(end_to_end_id: str) -> str:
    """What every order of one payment shares of its identity with the bank: all but the number of the attempt."""
    return end_to_end_id.rpartition("-")[0]


def payment_called(kind: str, offer: int) -> str:
    """The kind of a payment as people know it: money on account of an offer that was turned down is ``undisputed``."""
    return "undisputed" if kind == "advance" and offer else kind


@dataclass(frozen=True)
class Recovery:
    """Money that comes back: an overpayment, or from the party at fault (追偿)."""

    part: int
    state: str = "open"
    kind: str = "overpayment"  # overpayment, subrogation
    exposure: int = 0
    debtor: int | None = None  # party
    due_minor: int = 0
    received_minor: int = 0
    reason: str = ""
    opened_by: str = ""
    opened_at: datetime | None = None
    ended_at: datetime | None = None
    approvals: tuple[str, ...] = ()  # actor ids of who agreed to write it off; two where four eyes are asked for


@dataclass(frozen=True)
class Note:
    """Something a colleague wrote, or the customer said."""

    part: int
    text: str = private()
    author: str = ""
    at: datetime | None = None
    kind: str = "note"  # note, help, handover, customer, told


@dataclass(frozen=True)
class Clock:
    """A promise running on this claim, see `promises`. The stored due time is a hint, recomputed before anybody acts."""

    part: int
    state: str = "running"  # running, paused, fulfilled, cancelled
    promise: str = ""
    promise_version: int = 0
    calendar: str = ""
    calendar_version: int = 0
    binds: str = ""  # company, law, regulator, team
    exposure: int = 0
    started_at: datetime | None = None
    limit: int = 0
    unit: str = ""
    due_at: datetime | None = None
    extended_due_at: datetime | None = None  # the law's extension of a last day that is a day off, for show only
    warn_at: datetime | None = None
    warned: int = 0  # levels of warning already given
    pauses: tuple[Any, ...] = ()  # pairs (from, to); an open pause has None
    told_due_at: datetime | None = None  # the date the customer was told: never moves to a later one
    told_pauses: int = 0  # pauses already behind us when it was told: only later ones move it
    provisional: bool = False
    breached_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True)
class Case(Aggregate):
    """A claim with all its parts: what every rule of the main job looks at."""

    kind = "claim"
    entities = {
        "claim": Claim,
        "party": Party,
        "exposure": Exposure,
        "paper": Paper,
        "document": Document,
        "survey": Survey,
        "consultation": Consultation,
        "offer": Offer,
        "payment": Payment,
        "recovery": Recovery,
        "note": Note,
        "clock": Clock,
    }

    @property
    def claim(self) -> Claim:
        return self.parts["claim"][0]  # type: ignore[no-any-return]

    @property
    def parties(self) -> Mapping[int, Party]:
        return self.of("party")

    @property
    def exposures(self) -> Mapping[int, Exposure]:
        return self.of("exposure")

    @property
    def papers(self) -> Mapping[int, Paper]:
        return self.of("paper")

    @property
    def documents(self) -> Mapping[int, Document]:
        return self.of("document")

    @property
    def surveys(self) -> Mapping[int, Survey]:
        return self.of("survey")

    @property
    def consultations(self) -> Mapping[int, Consultation]:
        return self.of("consultation")

    @property
    def offers(self) -> Mapping[int, Offer]:
        return self.of("offer")

    @property
    def payments(self) -> Mapping[int, Payment]:
        return self.of("payment")

    @property
    def recoveries(self) -> Mapping[int, Recovery]:
        return self.of("recovery")

    @property
    def clocks(self) -> Mapping[int, Clock]:
        return self.of("clock")

    def party(self, role: str) -> Party | None:
        """The first party in a role, or None."""
        return next((p for p in self.parties.values() if role in p.roles), None)
