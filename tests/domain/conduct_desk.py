"""A claims desk on pure values: one claim, the ledger of its policy, everybody who may act. No database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import pytest

from lipei.domain import accounts, conduct
from lipei.domain import commands as c
from lipei.domain.assignment import Candidate
from lipei.domain.authority import Delegation
from lipei.domain.claims import Case
from lipei.domain.commands import COMMANDS
from lipei.domain.conduct import World
from lipei.domain.events import Actor, Refusal
from lipei.domain.limits import PolicyLedger
from lipei.domain.money import Money
from lipei.domain.policies import Policy
from lipei.domain.rulebook import Rulebook
from lipei.norms import loader

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def card(seed: int) -> str:
    """A bank card number with a good check digit (ISO/IEC 7812-1)."""
    body = f"622202020011{seed:06d}"
    return next(
        body + digit for digit in "0123456789" if accounts.check_account(number=body + digit, kind="cn_card") is None
    )


CARDS = tuple(card(n) for n in range(4))
CODE = "135790"
SCHEDULE: dict[str, dict[str, Any]] = {
    "compulsory_property": {}, "compulsory_medical": {}, "compulsory_death_disability": {},
    "own_damage": {"sum_insured_minor": 15000000, "deductible_minor": 50000},
    "third_party": {"limit_minor": 100000000, "deductible_rate": "5%"},
}  # fmt: skip
ON_FILE = {
    "name": "王小明",
    "phone": "13800138000",
    "account_name": "王小明",
    "account_number": CARDS[0],
    "account_bank": "102290000000",
}


@cache
def rulebook() -> Rulebook:
    """The shipped norm; nothing is drawn for sampling, so that what a rule does can be foreseen."""
    book = loader.rulebook({}, market="CN")
    return replace(book, settings=replace(book.settings, sampling_rate_ppm=0))


def staff(number: int, *roles: str, unit: str = "shanghai") -> Actor:
    return Actor(f"staff:{number}", f"S{number}", frozenset(roles), unit=unit)


HANDLER, LEAD, APPROVER, APPROVER2 = (
    staff(1, "handler"),
    staff(2, "team_lead"),
    staff(3, "approver"),
    staff(4, "approver"),
)
FINANCE, FINANCE2, MANAGER, MANAGER2 = (
    staff(5, "finance"),
    staff(6, "finance"),
    staff(7, "manager"),
    staff(8, "manager"),
)
ASSESSOR, INTAKE, INVESTIGATOR, SURVEYOR = (
    staff(9, "assessor"),
    staff(10, "intake"),
    staff(11, "investigator"),
    staff(12, "surveyor"),
)
EXPERT, ADMIN = staff(13, "expert"), staff(14, "administrator")
BANK, PROGRAM = Actor("system:bank", "bank"), Actor("token:1", "program", frozenset({"program"}))
EVERYBODY = (HANDLER, LEAD, APPROVER, APPROVER2, FINANCE, FINANCE2, MANAGER, MANAGER2, ASSESSOR, INTAKE, INVESTIGATOR,
             SURVEYOR, EXPERT, ADMIN, BANK, PROGRAM)  # fmt: skip


def cny(yuan: int) -> Money:
    return Money(yuan * 100, "CNY")


def policy(**more: Any) -> Policy:
    said = {
        "id": 1, "number": "PC-1", "product": "private_car", "terms_version": 2, "currency": "CNY",
        "starts_at": NOW - timedelta(days=200), "ends_at": NOW + timedelta(days=165), "schedule": SCHEDULE,
    }  # fmt: skip
    return Policy(**{**said, **more})


def candidates() -> tuple[Candidate, ...]:
    skills = frozenset(skill for skill, _ in rulebook().assignment.skills)
    return (
        Candidate(
            staff_id=1,
            unit="shanghai",
            skills=skills,
            authority_minor={"CNY": 10**12},
            languages=frozenset({"zh-hans", "zh-hant", "en"}),
        ),
        Candidate(staff_id=12, unit="shanghai", skills=skills, languages=frozenset({"zh-hans"})),
        Candidate(staff_id=13, unit="shanghai", skills=skills, languages=frozenset({"zh-hans"})),
    )


def own_damage(**more: Any) -> c.Report:
    said = {
        "story": "倒车时撞到柱子，后保险杠破损。",
        "phone": "13800138000",
        "line": "motor",
        "loss_kind": "single_vehicle",
        "loss_at": NOW - timedelta(hours=2),
        "exposures": (c.ExposureReported("own_damage", "single_vehicle", reserve=cny(9000)),),
    }
    return c.Report(**{**said, **more})


def party(name: str, roles: tuple[str, ...], card: int = 0, **more) -> c.PartyReported:
    account = {"account_number": CARDS[card], "account_name": name, "account_bank": "102290000000"} if card else {}
    return c.PartyReported(roles=roles, name=name, **account, **more)


class Desk:
    """One claim that anybody may try anything on. What is refused changes nothing."""

    def __init__(
        self, *, number: str = "C1", policy: Policy | None = None, ledger: PolicyLedger | None = None, **world: Any
    ) -> None:
        self.case = Case(id=1)
        self.policy = policy
        self.ledger = ledger or (PolicyLedger(id=policy.id) if policy else None)
        self.number = number
        self.more: dict[str, Any] = world
        self.now = NOW
        self.log: list[tuple[Any, Actor]] = []

    @property
    def world(self) -> World:
        said = {
            "rulebook": rulebook(),
            "policy": self.policy,
            "ledger": self.ledger,
            "number": self.number,
            "on_file": ON_FILE if self.policy else {},
            "candidates": candidates(),
            "one_time_code": CODE,
            "sampling_salt": b"s",
        }
        return World(**{**said, **self.more})

    def attempt(self, actor: Actor, subject: str, action: str, part: int = 0, command: Any = None) -> Any:
        """The refusal, or what happened; then the case and the ledger are what they fold to."""
        command = COMMANDS[subject, action]() if command is None else command
        found = conduct.conduct(
            case=self.case,
            subject=subject,
            action=action,
            part=part,
            command=command,
            actor=actor,
            world=self.world,
            now=self.now,
        )
        if not isinstance(found, Refusal):
            self.case = self.case.after(e for e, _ in found if e.subject != "ledger")
            if self.ledger is not None:
                self.ledger = self.ledger.after(e for e, _ in found if e.subject == "ledger")
            self.log += found
        return found

    def do(self, actor: Actor, subject: str, action: str, part: int = 0, command: Any = None) -> Case:
        found = self.attempt(actor, subject, action, part, command)
        assert not isinstance(found, Refusal), (subject, action, part, found)
        return self.case

    def refused(self, actor: Actor, subject: str, action: str, part: int = 0, command: Any = None) -> Refusal:
        before = self.case
        found = self.attempt(actor, subject, action, part, command)
        assert isinstance(found, Refusal), (subject, action, part, [e.kind for e, _ in found])
        assert self.case is before
        return found

    # --- the usual way, in strides

    def report(self, command: c.Report | None = None, actor: Actor = PROGRAM) -> Case:
        self.do(actor, "claim", "report", 0, command or own_damage())
        if self.case.claim.handler != 1:
            self.do(MANAGER, "claim", "assign", 0, c.Assign(1))
        return self.case

    def assess(self, exposure: int = 1, yuan: int = 9000, actor: Actor = HANDLER, **facts: Any) -> Case:
        items = (c.ItemAssessed("维修", assessed=cny(yuan), claimed=cny(yuan)),)
        return self.do(actor, "exposure", "assess", exposure, c.Assess(items, facts))

    def submit(self, exposure: int = 1, yuan: int = 9000, ex_gratia: int = 0, **facts: Any) -> Case:
        self.assess(exposure, yuan, **facts)
        self.do(ASSESSOR, "exposure", "check_assessment", exposure)
        command = c.SubmitDecision(cny(ex_gratia), "客户多年投保") if ex_gratia else c.SubmitDecision()
        return self.do(HANDLER, "exposure", "submit_decision", exposure, command)

    def approve(self, exposure: int = 1, yuan: int = 9000, **more: Any) -> Case:
        self.submit(exposure, yuan, **more)
        return self.do(APPROVER, "exposure", "approve_decision", exposure)

    def send(self, offer: int = 1, shares: tuple[c.Share, ...] = ()) -> Case:
        return self.do(HANDLER, "offer", "send", offer, c.SendOffer(shares))

    def agree(self, offer: int = 1, actor: Actor = PROGRAM) -> Case:
        self.do(actor, "offer", "send_code", offer)
        return self.do(actor, "offer", "agree", offer, c.Agree(CODE))

    def agreed(self, exposure: int = 1, yuan: int = 9000, shares: tuple[c.Share, ...] = (), **more: Any) -> Case:
        self.approve(exposure, yuan, **more)
        offer = max(self.case.offers)
        self.send(offer, shares)
        return self.agree(offer)

    def pay(self, payment: int, payer: Actor = FINANCE) -> Case:
        if self.case.payments[payment].state == "ordered":
            self.do(payer, "payment", "approve_payment", payment)
        if self.case.payments[payment].state == "ordered":
            self.do(FINANCE2 if payer is FINANCE else FINANCE, "payment", "approve_payment", payment)
        self.do(BANK, "payment", "submit", payment)
        return self.do(BANK, "payment", "confirm", payment)


def customer(party: int, number: str = "C1") -> Actor:
    return Actor(f"customer:P{party}", "customer", frozenset({"customer"}), unit=number)


def lent(giver: Actor, taker: Actor) -> Delegation:
    return Delegation(1, giver.id, giver.roles, taker.id, NOW - timedelta(days=1), NOW + timedelta(days=1))


@pytest.fixture
def desk() -> Desk:
    return Desk(policy=policy())


def small(**more) -> c.Report:
    """A claim that may go straight through once its papers are there."""
    item = c.ItemAssessed("后保险杠", claimed=cny(2650))
    said = {"exposures": (c.ExposureReported("own_damage", "single_vehicle", items=(item,)),), "accept_automatic": True}
    return own_damage(**{**said, **more})


def papers_in(desk: Desk) -> None:
    desk.do(HANDLER, "claim", "request_papers")
    for n, paper in desk.case.papers.items():
        if paper.required and paper.state == "requested":
            desk.do(INTAKE, "paper", "receive", n)


def three_heirs(desk: Desk, *, proved: tuple[int, ...] = ()) -> tuple[c.Share, ...]:
    report = own_damage(
        insured_died=True,
        parties=(
            c.PartyReported(roles=("insured", "claimant"), name="王小明", phone="13800138000"),
            party("王大", ("reporter", "heir"), 1, acts_for=1, mandate="inheritance", phone="13900139001"),
            party("王二", ("heir",), 2, acts_for=1, mandate="inheritance"),
            party("王三", ("heir",), 0, acts_for=1, mandate="inheritance"),
        ),
    )  # fmt: skip
    desk.report(report)
    for n in proved:
        desk.do(HANDLER, "party", "check_identity", n, c.CheckIdentity("passport", f"E{n}", "inheritance"))
    return tuple(c.Share(n, 1, 3) for n in (2, 3, 4))
