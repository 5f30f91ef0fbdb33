"""What each letter is told: plain frozen values.

Everything in words (a cover's name, what a promise is about, the reason of a refusal) comes in the letter's language.
Times are aware datetimes; the letter shows them in the company's zone. Amounts are ints of minor units of the letter's
one currency. Empty strings and empty tuples mean "not known" and leave no trace on the page.

A letter that contradicts itself is a ValueError here, before anything is printed: sums that do not add up, a refusal
without reason, clause, person or ways on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lipei.domain.money import exponent

WAYS = ("review", "complaint", "mediation", "ombudsman", "court")
"""The ways on after a refusal, in the order in which they are shown (norm 2.5.1)."""

NEXT_STEPS = ("contact", "survey", "papers", "rescue", "assess", "offer", "payment")
"""What can be said to happen next; each has its sentence under ``letter.next``."""

BINDS = ("company", "law", "regulator")
"""Whose promise it is. Promises that bind only a team are not the customer's business."""

FORMS = ("original", "copy", "photo")


def require(holds: object, why: str) -> None:
    """Raise ValueError with one sentence where a letter contradicts itself."""
    if not holds:
        raise ValueError(why)


def aware(*instants: datetime | None) -> None:
    """Raise ValueError for a time without a zone: it would be printed hours off."""
    require(all(at is None or at.tzinfo for at in instants), "a letter's times must carry their zone")


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """The letterhead. ``time_zone`` is an IANA name, ``time_zone_words`` what customers call it (北京时间)."""

    name: str
    address: str = ""
    phone: str = ""
    email: str = ""
    website: str = ""
    department: str = ""
    time_zone: str = "Asia/Shanghai"
    time_zone_words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """Whom the letter is for, with the lines of the postal address where there is one."""

    name: str
    address: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler:
    """The named person who is responsible (norm 1.4.3)."""

    name: str
    phone: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterData:
    """What all letters share. ``issued_at`` is also the PDF's date: the same data give the same bytes.

    Raises MoneyError for an unknown currency.
    """

    company: Company
    addressee: Addressee
    handler: Handler
    claim_number: str
    issued_at: datetime
    policy_number: str = ""
    loss: str = ""  # the kind of loss in words
    loss_at: datetime | None = None
    place: str = ""
    currency: str = "CNY"
    legal_basis: str = ""  # the law behind this letter, as it is to be cited

    def __post_init__(self) -> None:
        aware(self.issued_at, self.loss_at)
        exponent(self.currency)
        require(self.claim_number and self.handler.name, "a letter names its claim and its handler")


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """A promised date (norm 2.3.1). ``extended_due_at`` is what the law would allow where the last day is a day off."""

    what: str
    due_at: datetime
    binds: str = "company"
    provisional: bool = False
    extended_due_at: datetime | None = None

    def __post_init__(self) -> None:
        aware(self.due_at, self.extended_due_at)
        require(self.binds in BINDS, f"a promise to a customer binds one of {BINDS}, not {self.binds!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptData(LetterData):
    """Receipt of a report: number, named handler, what happens next, every promised date (norm 2.2.1)."""

    reported_at: datetime
    promises: tuple[Promise, ...]
    next_steps: tuple[str, ...]  # codes of NEXT_STEPS, in order
    story: str = ""  # the customer's own account

    def __post_init__(self) -> None:
        LetterData.__post_init__(self)
        aware(self.reported_at)
        require(self.next_steps and set(self.next_steps) <= set(NEXT_STEPS), f"next steps are among {NEXT_STEPS}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper asked for: ``why`` it is needed, and the ``problem`` with the one received where there is one."""

    name: str
    why: str = ""
    form: str = ""
    problem: str = ""

    def __post_init__(self) -> None:
        require(self.form in ("", *FORMS), f"a paper's form is one of {FORMS}, not {self.form!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperRequestData(LetterData):
    """Everything that is still needed, in one request (norm 2.2.2; in mainland China 保险法 22), or sent back."""

    papers: tuple[Paper, ...]
    on_file: tuple[str, ...] = ()  # what we have and do not ask for
    due_at: datetime | None = None
    portal_url: str = ""
    email: str = ""
    postal_address: str = ""
    pauses_clocks: bool = True  # whether company promises pause while the customer supplies these papers

    def __post_init__(self) -> None:
        LetterData.__post_init__(self)
        aware(self.due_at)
        require(self.papers, "a request for papers names at least one")


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementLine:
    """One step of the calculation: what it is, its effect, what is left after it, the clause and plain words."""

    what: str
    amount_minor: int  # signed effect; 0 where the step only confirms, for example that a limit is not reached
    result_minor: int  # what is left after this step
    calculation: str = ""  # in figures: "7,000.00 × 70 %"
    clause: str = ""
    plain: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementHead:
    """One head of loss under one cover for one claimant. Raises ValueError where its last line is not its sum."""

    cover: str
    lines: tuple[SettlementLine, ...]
    payable_minor: int
    claimant: str = ""

    def __post_init__(self) -> None:
        require(self.lines, "a settlement explains every sum")
        last = self.lines[-1].result_minor
        require(last == self.payable_minor, f"the lines of {self.cover} end at {last}, not {self.payable_minor}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Payee:
    """Who is paid and how much. ``account`` is shown as given: mask it."""

    name: str
    amount_minor: int
    account: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementData(LetterData):
    """The sum and its make-up (norm 2.2.4). The total is the sum of the heads.

    ``already_paid_minor`` are advances; where they exceed the total nothing is paid and the letter says what comes
    back. ``kept_minor`` is held back for a hospital that has our guarantee. ``share_minor`` is the reader's part of a
    sum that several are paid; None: all of it. ``paid_at`` given: the money has arrived. Otherwise it is an offer, and
    ``expires_at`` and ``pay_by`` say when to answer and when we pay; ``agreed_at`` given: it was agreed to.
    """

    heads: tuple[SettlementHead, ...]
    already_paid_minor: int = 0
    kept_minor: int = 0
    payees: tuple[Payee, ...] = ()
    expires_at: datetime | None = None
    pay_by: datetime | None = None
    paid_at: datetime | None = None
    undisputed_minor: int = 0
    share_minor: int | None = None
    agreed_at: datetime | None = None

    def __post_init__(self) -> None:
        LetterData.__post_init__(self)
        aware(self.expires_at, self.pay_by, self.paid_at, self.agreed_at)
        require(not (self.agreed_at and self.expires_at), "nobody is asked to answer twice")
        require(self.heads, "a settlement has at least one head")
        require(self.already_paid_minor >= 0, "what was paid before is not negative")
        left = max(self.total_minor - self.already_paid_minor, 0)
        require(0 <= self.kept_minor <= left, "no more is kept for a hospital than is left")
        require(0 <= self.undisputed_minor <= self.total_minor, "the undisputed part is a part of the total")
        require(self.share_minor is None or 0 < self.share_minor < self.due_minor, "a share is a part of what is due")
        paid = sum(payee.amount_minor for payee in self.payees)
        require(not self.payees or paid == self.due_minor, f"the payees get {paid}, due are {self.due_minor}")

    @property
    def total_minor(self) -> int:
        """What the claim is worth, before advances."""
        return sum(head.payable_minor for head in self.heads)

    @property
    def due_minor(self) -> int:
        """What is paid now, never negative."""
        return max(self.total_minor - self.already_paid_minor - self.kept_minor, 0)

    @property
    def recover_minor(self) -> int:
        """What was advanced beyond the final sum."""
        return max(self.already_paid_minor - self.total_minor, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """One thing that cannot be paid: the reason, the facts it rests on, the clause and what the clause means."""

    cover: str
    reason: str
    clause: str  # its place in the terms
    plain: str  # the clause in plain words
    clause_text: str = ""  # its wording
    findings: str = ""
    amount_minor: int | None = None
    claimant: str = ""
    items: tuple[str, ...] = ()  # what of the head it concerns, where that is not all of it
    claimed_minor: int | None = None
    beyond: str = ""  # what is paid all the same, beyond the terms

    def __post_init__(self) -> None:
        require(self.reason and self.clause and self.plain, "a refusal gives reason, clause and plain words")


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way on: a code of WAYS, whom to turn to, until when, or the period in words where it has no fixed date."""

    code: str
    contact: str = ""
    until: datetime | None = None
    period: str = ""

    def __post_init__(self) -> None:
        aware(self.until)
        require(self.code in WAYS, f"a way on is one of {WAYS}, not {self.code!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusalData(LetterData):
    """A refusal, whole or in part: only by a person, with reasons and the ways on (norm part 4, 2.5.1).

    ``ways`` name at least review, complaint, court and one neutral body (mediation or ombudsman).
    """

    refused: tuple[Refused, ...]
    whole: bool
    decided_by: str
    decided_at: datetime
    ways: tuple[Way, ...]

    def __post_init__(self) -> None:
        LetterData.__post_init__(self)
        aware(self.decided_at)
        require(self.refused, "a refusal says what is refused")
        require(self.decided_by.strip(), "a refusal names the person who decided")
        codes = {way.code for way in self.ways}
        require({"review", "complaint", "court"} <= codes, "a refusal shows review, complaint and court as ways on")
        require(codes & {"mediation", "ombudsman"}, "a refusal shows a neutral body as a way on")


@dataclass(frozen=True, slots=True, kw_only=True)
class GuaranteeData(LetterData):
    """A promise to a hospital to bear treatment up to a sum (担保函; norm 2.3.2). ``patients`` are named in full."""

    amount_minor: int
    patients: tuple[str, ...]
    reason: str = ""

    def __post_init__(self) -> None:
        LetterData.__post_init__(self)
        require(self.amount_minor > 0, "a guarantee is a positive sum")
        require(self.patients and all(self.patients), "a guarantee names whose treatment it bears")


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceData(LetterData):
    """Money on account of a sum due (预付; norm 1.3.1, in mainland China 保险法 25)."""

    amount_minor: int
    reason: str
    heads: tuple[str, ...] = ()  # covers the money is on account of
    undisputed: bool = False  # the part of a declined offer that nobody disputes
    payees: tuple[Payee, ...] = ()
    pay_by: datetime | None = None

    def __post_init__(self) -> None:
        LetterData.__post_init__(self)
        aware(self.pay_by)
        require(self.amount_minor > 0, "an advance is a positive sum")
        paid = sum(payee.amount_minor for payee in self.payees)
        require(not self.payees or paid == self.amount_minor, f"the payees get {paid}, not {self.amount_minor}")
