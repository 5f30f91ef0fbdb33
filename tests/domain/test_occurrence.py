"""When and where it happened, learnt or put right after the report: terms, sums, lane and clocks follow."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.conduct_desk import (
    APPROVER,
    FINANCE,
    HANDLER,
    INTAKE,
    LEAD,
    NOW,
    PROGRAM,
    Desk,
    customer,
    own_damage,
    papers_in,
    policy,
    rulebook,
    small,
)
from tests.domain.test_promises_cases import BASE
from tests.domain.test_promises_cases import Desk as Clocks

from lipei.domain import commands as c
from lipei.domain.events import Actor, Change
from lipei.domain.policies import Policy
from lipei.domain.promises import Rule

YESTERDAY = NOW - timedelta(days=1)
REASON = "客户来电更正"


def told(*, book: Any = None, insured: Policy | None = None, **said: Any) -> Desk:
    """A claim whose reporter did not say when it happened."""
    desk = Desk(policy=insured or policy(), **({"rulebook": book} if book else {}))
    desk.report(small(loss_at=None, **said))
    return desk


def since(desk: Desk, at: Any, actor: Actor = HANDLER, **more: Any) -> None:
    desk.do(actor, "claim", "correct", 0, c.CorrectReport(at, **more))


@pytest.mark.norm("1.3.1")
def test_a_time_told_later_lets_the_rule_pay():
    desk = told()
    papers_in(desk)
    assert not desk.case.payments, "whether there was cover is not known"
    since(desk, YESTERDAY, place="延安高架")
    assert desk.case.claim.loss_at == YESTERDAY and desk.case.claim.place == "延安高架"
    assert [(p.state, p.amount_minor) for p in desk.case.payments.values()] == [("approved", 215_000)]


def test_the_customer_tells_what_nobody_told_and_changes_nothing():
    desk, me = told(), customer(1)
    since(desk, YESTERDAY, me)
    command = c.CorrectReport(YESTERDAY - timedelta(days=1), reason=REASON)
    for outside in (me, PROGRAM):
        assert desk.refused(outside, "claim", "correct", 0, command).fields == {"loss_at": "refusal.told_already"}
    desk.do(me, "claim", "correct", 0, c.CorrectReport(place="延安高架"))
    assert desk.refused(me, "claim", "correct", 0, command).code == "refusal.guard.untold_or_ours"


def test_what_was_told_before_is_changed_by_a_colleague_with_a_reason():
    desk = Desk(policy=policy())
    desk.report()
    command = c.CorrectReport(YESTERDAY)
    assert desk.refused(HANDLER, "claim", "correct", 0, command).fields == {"reason": "refusal.reason_missing"}
    since(desk, YESTERDAY, INTAKE, reason=REASON)
    assert desk.case.claim.loss_at == YESTERDAY
    assert [note.text for note in desk.case.of("note").values()] == [REASON]
    event = next(e for e, _ in desk.log if e.kind == "claim.corrected")
    assert event.facts["loss_at_before"] == NOW - timedelta(hours=2) and event.facts["in_force"] is True
    for actor in (APPROVER, FINANCE):
        assert desk.refused(actor, "claim", "correct", 0, command).kind == "permission"


@pytest.mark.parametrize(
    ("command", "field", "code"),
    [
        (c.CorrectReport(), "loss_at", "refusal.nothing_changed"),
        (c.CorrectReport(NOW - timedelta(hours=2)), "loss_at", "refusal.nothing_changed"),
        (c.CorrectReport(NOW + timedelta(days=1), reason=REASON), "loss_at", "refusal.loss_after_report"),
        (c.CorrectReport(NOW.replace(year=1990), reason=REASON), "loss_at", "refusal.loss_too_long_ago"),
    ],
)
def test_a_time_that_cannot_be(command: c.CorrectReport, field: str, code: str):
    desk = Desk(policy=policy())
    desk.report()
    desk.now = NOW + timedelta(days=3)  # the report, not the day of its correction, is what a loss cannot follow
    assert desk.refused(HANDLER, "claim", "correct", 0, command).fields[field] == code


@pytest.mark.norm("2.2.3")
def test_the_terms_of_the_day_of_the_loss_bind_and_sums_follow():
    book, newest = rulebook(), rulebook().products.latest("private_car")
    assert newest is not None
    later = replace(newest, version=newest.version + 1, valid_from=YESTERDAY.date())
    book = replace(book, products=type(book.products).of((*book.products.terms, later)))
    desk = Desk(policy=policy(), rulebook=book)
    desk.report()
    desk.submit(yuan=3_000)
    assert desk.case.claim.terms_version == later.version == desk.case.exposures[1].settlement["terms_version"]
    since(desk, NOW - timedelta(days=20), reason=REASON)
    assert desk.case.claim.terms_version == newest.version
    head = desk.case.exposures[1]
    assert head.settlement["terms_version"] == newest.version


def test_a_loss_outside_the_policy_is_for_a_person_and_refused_by_nobody_else():
    insured = policy(starts_at=NOW - timedelta(days=10))
    desk = told(insured=insured)
    since(desk, NOW - timedelta(days=12))
    papers_in(desk)
    event = next(e for e, _ in desk.log if e.kind == "claim.corrected")
    assert event.facts["in_force"] is False
    assert not desk.case.payments and desk.case.exposures[1].state == "open"


def test_a_submitted_sum_that_another_day_changes_is_submitted_anew():
    """The waiting or no cover of that day: nobody approves what was submitted under another."""
    desk = Desk(policy=policy(starts_at=NOW - timedelta(days=10)))
    desk.report()
    desk.submit(yuan=3_000)
    since(desk, NOW - timedelta(days=12), reason=REASON)
    refused = desk.refused(APPROVER, "exposure", "approve_decision", 1)
    assert refused.code == "refusal.settlement_not_in_force"


@pytest.mark.parametrize("decided", ["approved", "refused", "settled"])
def test_nothing_moves_under_a_decision(decided: str):
    desk = Desk(policy=policy())
    desk.report()
    if decided == "refused":
        desk.do(HANDLER, "exposure", "add", 0, c.AddExposure("own_damage", "glass"))
        desk.do(HANDLER, "exposure", "propose_refusal", 1, c.Propose("excluded", "wear", "磨损"))
        desk.do(APPROVER, "exposure", "refuse", 1)
    elif decided == "approved":
        desk.approve(yuan=3_000)
    else:
        desk.do(HANDLER, "exposure", "add", 0, c.AddExposure("own_damage", "glass"))
        desk.agreed(yuan=3_000)
        for number in desk.case.payments:
            desk.pay(number)
    assert desk.case.exposures[1].state == decided
    refused = desk.refused(HANDLER, "claim", "correct", 0, c.CorrectReport(YESTERDAY, reason=REASON))
    assert refused.code == "refusal.guard.nothing_decided"
    if decided == "approved":
        desk.do(LEAD, "exposure", "return_for_rework", 1, c.Reasoned("出险日期有误"))
        since(desk, YESTERDAY, reason=REASON)


def test_a_claim_that_ended_stays_as_it_was():
    desk = Desk(policy=policy())
    desk.report()
    desk.do(HANDLER, "claim", "cancel", 0, c.Reasoned("误报"))
    refused = desk.refused(HANDLER, "claim", "correct", 0, c.CorrectReport(YESTERDAY, reason=REASON))
    assert refused.code == "refusal.not_possible_now"


@given(days=st.lists(st.integers(0, 300), min_size=1, max_size=4))
def test_a_claim_put_right_is_the_claim_told_so_at_once(days: list[int]):
    """Whatever was said in between, terms and facts are those of a report that knew it from the beginning."""
    right = NOW - timedelta(days=days[-1])
    desk, once = Desk(policy=policy()), Desk(policy=policy())
    desk.report(own_damage(loss_at=None))
    for day in days:
        desk.attempt(HANDLER, "claim", "correct", 0, c.CorrectReport(NOW - timedelta(days=day), reason=REASON))
    once.report(own_damage(loss_at=right))
    for name in ("loss_at", "terms_version", "line", "lane", "fast_lane", "policy_id"):
        assert getattr(desk.case.claim, name) == getattr(once.case.claim, name), name


def test_clocks_that_run_from_the_loss_run_from_where_it_is_known_now():
    from_loss = replace(BASE, since="loss_at", unit="calendar_days", limit=10, start=(Rule("claim.reported"),))
    beside = replace(BASE, code="beside")
    desk = Clocks(from_loss, beside, reported="2026-11-23 09:00")
    desk.does("claim.reported", "2026-11-23 09:00")
    own, other = desk.case.clocks[1], desk.case.clocks[2]
    assert own.due_at is not None
    known = own.started_at - timedelta(days=3)
    done = desk.does("claim.corrected", "2026-11-23 10:00", Change("claim", 0, {"loss_at": known}), fields=("loss_at",))
    assert done == ["clock.recomputed"]
    assert desk.case.clocks[1].started_at == known and desk.case.clocks[1].due_at == own.due_at - timedelta(days=3)
    assert desk.case.clocks[2] == other
    assert (
        desk.does("claim.corrected", "2026-11-23 10:05", Change("claim", 0, {"place": "沪"}), fields=("place",)) == []
    )
