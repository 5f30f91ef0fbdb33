"""Laws of the rules: whoever tries whatever in whatever order, these hold. On pure values, no database."""

from __future__ import annotations

import os
import typing
from collections import Counter
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.domain.conduct_desk import (
    CARDS,
    CODE,
    EVERYBODY,
    NOW,
    PROGRAM,
    Desk,
    cny,
    customer,
    own_damage,
    policy,
    rulebook,
)

from lipei.domain import commands as c
from lipei.domain import lifecycle
from lipei.domain.claims import Case
from lipei.domain.commands import COMMANDS
from lipei.domain.events import Actor, Event, Refusal
from lipei.domain.limits import PolicyLedger
from lipei.domain.money import Money
from lipei.domain.rules.payments import LIVE, MOVING, due_minor

ACTORS = (
    *EVERYBODY,
    customer(1),
    customer(2),
    customer(3),
    customer(1, number="C2"),
    Actor("system:straight-through", "rule"),
)
LIMITS_MINOR = {"compulsory_medical": 1800000, "compulsory_property": 200000, "compulsory_death_disability": 18000000}
AMOUNTS = (cny(0), cny(1), cny(300), cny(3000), cny(9000), cny(60000), cny(-5), Money(100, "USD"))
NUMBERS = (None, 0, 1, 2, 3, 4, 99)
MONEY_FIELDS = "_minor"
BY_CUSTOMER = {
    "claim.withdrawn", "claim.note_added", "claim.customer_wrote", "party.corrected", "paper.received", "offer.agreed",
    "claim.corrected", "offer.declined", "offer.code_sent", "offer.code_wrong", "exposure.settled",
}  # fmt: skip

# Plausible values per field, so that the machine gets somewhere; the rest comes from the field's type.
SAID: dict[str, tuple[Any, ...]] = {
    "reason": ("理由", "理由", "x" * 5000, ""),
    "text": ("说明", "说明", ""),
    "code": (CODE, CODE, "000000", "not_covered"),
    "facts": ({}, {}, {"fault_percent": 70}, {"fault_percent": 33.3}, {"$t": 1}),
    "checklist": ({}, {"ok": True}, {"depth": 1.5}),
    "shares": ((), (), (c.Share(1, 1, 1),), (c.Share(1, 1, 3), c.Share(2, 2, 3)), (c.Share(1, 1, 2),)),
    "roles": ((), ("payee",), ("heir",), ("guardian", "payee")),
    "policy_number": ("", "PC-1"),
    "phone": ("", "13800138000", "12"),
    "account_number": ("", "", *CARDS[:2], "1"),
    "name": ("", "陈一", "王小明"),
    "cover": ("own_damage", "compulsory_medical", "third_party", "hull"),
    "peril": ("single_vehicle", "third_party_injury", ""),
    "papers": ((), (), ("invoice",)),
    "documents": ((), (), (1,)),
    "experts": ((), (13,)),
    "mandate": ("", "inheritance", "guardianship"),
    "id_type": ("", "passport"),
    "vote": ("for", "maybe"),
    "handler": (1, None, 99),
    "surveyor": (12, None, 99),
    "numerator": (1,),
    "denominator": (1, 2),
}


def value(draw: Callable[[Any], Any], name: str, hint: Any) -> Any:
    """Something that somebody might enter in a field."""
    if name in SAID:
        return draw(st.sampled_from(SAID[name]))
    kinds = [h for h in typing.get_args(hint) if h is not type(None)] or [hint]
    kind = kinds[0]
    if kind is Money:
        return draw(st.sampled_from((*AMOUNTS, None)))
    if kind is int:
        return draw(st.sampled_from(NUMBERS))
    if kind is bool:
        return draw(st.booleans())
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)[0]
        return (made(draw, inner),) if is_dataclass(inner) and draw(st.booleans()) else ()
    if kind is str:
        return draw(st.sampled_from(("词", "词", "")))
    return draw(st.sampled_from((None, NOW + timedelta(days=2), NOW.replace(tzinfo=None))))


def made(draw: Callable[[Any], Any], kind: type) -> Any:
    """A command of a class with plausible and implausible entries; often what the class itself proposes."""
    hints = typing.get_type_hints(kind)
    entered = {
        f.name: value(draw, f.name, hints[f.name])
        for f in fields(kind)
        if (f.default is MISSING and f.default_factory is MISSING) or draw(st.integers(0, 3))
    }
    return kind(**entered)


def party(name: str, roles: tuple[str, ...], card: int, **more: Any) -> c.PartyReported:
    return c.PartyReported(roles=roles, name=name, account_number=CARDS[card], account_name=name, **more)


REPORTS = (
    own_damage(),
    own_damage(
        accept_automatic=True,
        exposures=(
            c.ExposureReported("own_damage", "single_vehicle", items=(c.ItemAssessed("杠", claimed=cny(2650)),)),
        ),
    ),
    own_damage(
        loss_kind="third_party_injury",
        injured=2,
        parties=(
            c.PartyReported(("reporter", "insured", "claimant", "payee"), "王小明", "13800138000"),
            party("陈一", ("injured", "claimant"), 1),
            party("陈二", ("injured", "claimant"), 2),
        ),
        exposures=(
            c.ExposureReported("compulsory_medical", "third_party_injury", 2, cny(15000)),
            c.ExposureReported("compulsory_medical", "third_party_injury", 3, cny(9000)),
            c.ExposureReported("own_damage", "collision", 1, cny(9000)),
        ),
    ),
)


class Claims(RuleBasedStateMachine):
    """One claim; at each step somebody tries something, possible or not."""

    @initialize(report=st.sampled_from(REPORTS), known=st.sampled_from((True, True, True, False)))
    def begin(self, report: c.Report, known: bool) -> None:
        found = policy()
        self.desk = Desk(policy=found if known else None, ledger=PolicyLedger(id=1))
        self.desk.do(PROGRAM, "claim", "report", 0, report)
        self.desk.policy = found
        self.empty = Case(id=1)
        self.confirmed: Counter[int] = Counter()

    def attempt(self, actor: Actor, step: lifecycle.Step, part: int, command: Any) -> None:
        before, ledger = self.desk.case, self.desk.ledger
        snapshot = repr(before)
        found = self.desk.attempt(actor, step.subject, step.action, part, command)
        assert repr(before) == snapshot, "a rule altered what it was given"
        if isinstance(found, Refusal):
            assert self.desk.case is before and self.desk.ledger is ledger
            assert found.kind != "fields" or found.fields
        else:
            assert found
            self.watch(before, found)

    def watch(self, case: Case, found: tuple[tuple[Event, Actor], ...]) -> None:
        """The laws of single events, each on the case as it was just before."""
        for event, actor in found:
            if actor.by_rule:
                assert event.kind not in (
                    "exposure.refused",
                    "exposure.refusal_proposed",
                    "claim.closed_without_payment",
                )
            else:
                hands_apart(case, event, actor)
            if actor.id.startswith("customer:"):
                assert event.kind in BY_CUSTOMER, event.kind
            self.confirmed[event.part] += {"payment.confirmed": 1, "payment.given_back": -1}.get(event.kind, 0)
            if event.subject != "ledger":
                case = case.after([event])
            if event.kind == "payment.ordered":
                paid_within_reason(case, event)

    @rule(data=st.data(), actor=st.sampled_from(ACTORS), step=st.sampled_from(lifecycle.STEPS))
    def anything(self, data: Any, actor: Actor, step: lifecycle.Step) -> None:
        if step.action != "report":
            kind = COMMANDS[step.subject, step.action]
            self.attempt(actor, step, data.draw(st.integers(0, 4)), made(data.draw, kind))

    @rule(data=st.data(), actor=st.sampled_from(ACTORS))
    def something_possible(self, data: Any, actor: Actor) -> None:
        found = lifecycle.possible(case=self.desk.case, actor=actor, book=rulebook(), now=self.desk.now)
        possible = [p for p in found if p[0].action not in ENDS]
        if possible:
            step, part = data.draw(st.sampled_from(possible))
            self.attempt(actor, step, part, made(data.draw, COMMANDS[step.subject, step.action]))

    @rule(data=st.data(), strides=st.integers(3, 12))
    def onwards(self, data: Any, strides: int) -> None:
        """Steps of the usual way by whoever may, so that claims get as far as their money and beyond."""
        for _ in range(strides):
            able = [
                (actor, step, part)
                for actor in ACTORS
                for step, part in lifecycle.possible(
                    case=self.desk.case, actor=actor, book=rulebook(), now=self.desk.now
                )
                if step.action in USUAL
            ]
            if not able:
                return
            wanted = data.draw(st.sampled_from(sorted({step.action for _, step, _ in able}, key=USUAL.index)))
            actor, step, part = data.draw(st.sampled_from([a for a in able if a[1].action == wanted]))
            self.attempt(actor, step, part, usual(wanted, data.draw))

    @precondition(lambda self: self.desk.case.claim.outcome)
    @rule()
    def open_again(self) -> None:
        self.attempt(EVERYBODY[1], lifecycle.BY_ACTION["claim", "reopen"], 0, c.Reasoned("再看"))

    @rule(hours=st.integers(1, 24 * 40))
    def time_passes(self, hours: int) -> None:
        self.desk.now += timedelta(hours=hours)

    @invariant()
    def the_claim_follows_from_its_parts(self) -> None:
        if hasattr(self, "desk"):
            case = self.desk.case
            assert case.claim.state == lifecycle.claim_state(case)
            if case.claim.outcome:
                assert not any(p.state in MOVING for p in case.payments.values())
                assert not any(o.state in ("prepared", "sent") for o in case.offers.values())

    @invariant()
    def the_case_is_the_fold_of_its_events(self) -> None:
        if hasattr(self, "desk"):
            own = [e for e, _ in self.desk.log if e.subject != "ledger"]
            assert self.empty.after(own).parts == self.desk.case.parts

    @invariant()
    def nothing_is_paid_twice(self) -> None:
        if hasattr(self, "desk"):
            case = self.desk.case
            assert set(self.confirmed.values()) <= {0, 1}
            for n, e in case.exposures.items():
                assert e.paid_minor == sum(
                    p.amount_minor for p in case.payments.values() if (p.exposure, p.state) == (n, "confirmed")
                )

    @invariant()
    def sums_are_whole_and_never_negative(self) -> None:
        if hasattr(self, "desk"):
            for entity in Case.entities:
                for part in self.desk.case.of(entity).values():
                    amounts = {f.name: getattr(part, f.name) for f in fields(part) if f.name.endswith(MONEY_FIELDS)}
                    assert all(type(v) is int and v >= 0 for v in amounts.values()), (entity, amounts)

    @invariant()
    def no_shared_limit_is_ever_exceeded(self) -> None:
        if hasattr(self, "desk"):
            used: Counter[tuple[str, str]] = Counter()
            for usage in self.desk.ledger.usages:
                used[usage.limit, usage.period] += 0 if usage.released else usage.amount_minor
            for (limit, period), amount in used.items():
                assert amount <= LIMITS_MINOR.get(limit, 10**15), (limit, period, amount)

    @invariant()
    def no_sums_together_exceed_a_shared_limit(self) -> None:
        if hasattr(self, "desk"):
            shown: Counter[str] = Counter()
            for e in self.desk.case.exposures.values():
                shown[e.cover] += 0 if e.state in ("refused", "dropped") else e.payable_minor
            assert all(shown[cover] <= limit for cover, limit in LIMITS_MINOR.items()), shown


USUAL = (
    "agree",
    "confirm",
    "submit",
    "send_code",
    "approve_payment",
    "send",
    "approve_decision",
    "submit_decision",
    "check_assessment",
    "assess",
    "retry",
    "fail",
    "order",
    "advance",
    "give_back",
    "receive_recovery",
    "decline",
    "return_for_rework",
)
ENDS = ("withdraw", "cancel", "close_without_payment", "suspect", "report", "hand_over", "reopen")


def usual(action: str, draw: Callable[[Any], Any]) -> Any:
    """What is usually entered."""
    yuan = draw(st.sampled_from((900, 9000, 12000, 20000)))
    return {
        "assess": c.Assess(
            (c.ItemAssessed("维修", assessed=cny(yuan), claimed=cny(yuan)),),
            draw(st.sampled_from(({}, {"fault_percent": 70}))),
        ),
        "agree": c.Agree(CODE),
        "advance": c.OnAccount(cny(500)),
        "fail": c.Failed("AC04"),
        "give_back": c.Failed("AC04"),
        "decline": c.Reasoned("太少"),
        "receive_recovery": c.ReceiveRecovery(cny(1)),
        "order": c.OrderPayment(draw(st.integers(1, 3)), draw(st.integers(1, 3))),
        "return_for_rework": c.Reasoned("再看"),
    }.get(action) or next(COMMANDS[k]() for k in COMMANDS if k[1] == action)


def hands_apart(case: Case, event: Event, actor: Actor) -> None:
    """No person continues their own work: who made it does not check it, who checked it does not pay it (norm part 4)."""
    if event.subject == "exposure" and event.part in case.exposures:
        e = case.exposures[event.part]
        if event.kind == "exposure.assessment_checked":
            assert actor.id != e.assessed_by
        if event.kind in ("exposure.decision_approved", "exposure.first_approval_given") and e.state == "submitted":
            assert actor.id not in (e.assessed_by, e.checked_by, e.submitted_by, *e.approvals)
        if event.kind == "exposure.refused":
            assert actor.is_person and actor.id not in (e.refusal_proposed_by, *e.approvals)
    if event.kind in ("payment.approved", "payment.first_approval_given"):
        p = case.payments[event.part]
        e = case.exposures[p.exposure]
        assert actor.id not in (
            p.ordered_by,
            *p.approved_by,
            e.decided_by,
            *e.approvals,
            case.parties[p.payee].account_by,
        )
    if event.kind == "recovery.written_off":
        assert actor.id not in (case.recoveries[event.part].opened_by, *case.recoveries[event.part].approvals)


def paid_within_reason(case: Case, event: Event) -> None:
    """An order never takes an exposure beyond what it is worth; one on account never beyond what it will probably be."""
    p = case.payments[event.part]
    e = case.exposures[p.exposure]
    if p.kind == "settlement":
        assert e.state == "agreed" and due_minor(case, e) >= 0
    else:
        given = sum(q.amount_minor for q in case.payments.values() if q.exposure == p.exposure and q.state in LIVE)
        assert given <= max(e.reserve_minor, e.payable_minor + e.ex_gratia_minor) + recovered(case, p.exposure)


def recovered(case: Case, exposure: int) -> int:
    return sum(r.received_minor for r in case.recoveries.values() if r.exposure == exposure)


TestClaims = pytest.mark.norm("4")(Claims.TestCase)
TestClaims.settings = settings(
    max_examples=int(os.environ.get("LIPEI_TEST_LAWS", "8")), stateful_step_count=50, deadline=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
"""A handful of stories at every build; ``LIPEI_TEST_LAWS=500`` looks longer."""
