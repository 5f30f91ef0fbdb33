"""Sums that hang together: what one head of loss comes to follows the others until somebody has approved it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.conduct_desk import (
    APPROVER,
    APPROVER2,
    ASSESSOR,
    HANDLER,
    LEAD,
    MANAGER,
    Desk,
    cny,
    own_damage,
    party,
    policy,
)

from lipei.domain import commands as c
from lipei.domain.limits import PolicyLedger, Usage
from lipei.domain.money import Money
from lipei.domain.reactions import STRAIGHT_THROUGH
from lipei.domain.settlement.sharing import among_victims

MEDICAL, DISABILITY = "compulsory_medical", "compulsory_death_disability"
GONE = c.Reasoned("重复录入")


def victims(*yuan: int, cover: str = MEDICAL, assessed: bool = True) -> Desk:
    """A claim with so many injured under one cover, each with a reserve of nothing and a loss of so much."""
    desk = Desk(policy=policy())
    people = [party(f"伤者{n}", ("injured", "claimant")) for n in range(len(yuan))]
    heads = tuple(c.ExposureReported(cover, "third_party_injury", n) for n in range(2, 2 + len(yuan)))
    reporter = party("王小明", ("reporter", "insured"), phone="13800138000")
    desk.report(own_damage(loss_kind="third_party_injury", parties=(reporter, *people), exposures=heads))
    for number, loss in enumerate(yuan, 1):
        if assessed:
            assess(desk, number, cny(loss))
    return desk


def assess(desk: Desk, number: int, loss: Money) -> None:
    items = (c.ItemAssessed("治疗费", assessed=loss, claimed=loss),)
    desk.do(ASSESSOR, "exposure", "assess", number, c.Assess(items, {"fault_percent": 100}))


def submit(desk: Desk, number: int, **ex_gratia: Any) -> None:
    if desk.case.exposures[number].state == "assessed":
        desk.do(LEAD, "exposure", "check_assessment", number)
    desk.do(HANDLER, "exposure", "submit_decision", number, c.SubmitDecision(**ex_gratia))


def sums(desk: Desk) -> list[int]:
    """Whole yuan of each head."""
    return [e.payable_minor // 100 for e in desk.case.exposures.values()]


def kinds(desk: Desk, since: int) -> list[tuple[str, int]]:
    return [(e.kind, e.part) for e, _ in desk.log[since:]]


@pytest.mark.norm("2.2.3")
def test_the_sums_of_all_follow_when_one_is_assessed_corrected_dropped_or_refused():
    desk = victims(15_000, 30_000, assessed=False)
    assess(desk, 1, cny(15_000))
    assert sums(desk) == [15_000, 0]
    assess(desk, 2, cny(30_000))
    assert sums(desk) == [6_000, 12_000], "together what the limit gives, without a word of anybody"
    told = next(e for e, _ in desk.log if e.kind == "exposure.recomputed")
    assert (told.part, told.facts["before_minor"], told.facts["payable_minor"]) == (1, 1_500_000, 600_000)
    desk.do(LEAD, "exposure", "check_assessment", 1)
    assess(desk, 2, cny(3_000))
    assert sums(desk) == [15_000, 3_000] and desk.case.exposures[1].state == "checked", "the damage stays checked"
    desk.do(HANDLER, "exposure", "correct", 2, c.CorrectExposure(cover=DISABILITY))
    assert sums(desk) == [15_000, 0]
    desk.do(HANDLER, "exposure", "correct", 2, c.CorrectExposure(cover=MEDICAL))
    assess(desk, 2, cny(30_000))
    desk.do(HANDLER, "exposure", "propose_refusal", 2, c.Propose("not_covered", "C6", "不是本次事故所致"))
    assert sums(desk) == [6_000, 12_000], "not refused yet"
    desk.do(APPROVER, "exposure", "refuse", 2)
    assert sums(desk) == [15_000, 0]


def test_a_head_that_is_dropped_has_nothing_payable_and_leaves_its_share_to_the_others():
    desk = victims(15_000, 30_000)
    desk.do(LEAD, "exposure", "drop", 2, GONE)
    assert sums(desk) == [15_000, 0]


def test_the_share_of_a_decision_taken_back_goes_to_those_who_wait():
    desk = victims(15_000)
    submit(desk, 1)
    desk.do(APPROVER, "exposure", "approve_decision", 1)
    desk.do(HANDLER, "exposure", "add", 0, c.AddExposure(MEDICAL, "third_party_injury", 2))
    assess(desk, 2, cny(30_000))
    assert sums(desk) == [15_000, 3_000]
    desk.do(APPROVER, "exposure", "return_for_rework", 1, GONE)
    assert sums(desk) == [6_000, 12_000]


def test_what_cannot_be_computed_at_present_stays_and_nobody_approves_it():
    desk = victims(15_000)
    submit(desk, 1)
    desk.do(HANDLER, "exposure", "add", 0, c.AddExposure("own_damage", "collision", 1))
    items = (c.ItemAssessed("药", assessed=cny(30_000), claimed=cny(30_000)),)
    desk.do(ASSESSOR, "exposure", "assess", 2, c.Assess(items))
    moved = c.CorrectExposure(MEDICAL, "third_party_injury", 2)  # whose share of fault nobody has said of it
    desk.do(HANDLER, "exposure", "correct", 2, moved)
    assert (sums(desk)[0], desk.case.exposures[1].state) == (15_000, "submitted")
    assert desk.refused(APPROVER, "exposure", "approve_decision", 1).code == "refusal.fields"


@pytest.mark.norm("4")
@pytest.mark.parametrize(("second", "before", "after"), [(30_000, 15_000, 6_000), (0, 6_000, 15_000)])
def test_a_submitted_sum_that_comes_to_something_else_is_submitted_anew(second: int, before: int, after: int):
    desk = victims(15_000, 30_000, assessed=False) if second else victims(15_000, 30_000)
    if second:
        assess(desk, 1, cny(15_000))
    submit(desk, 1)
    assert sums(desk)[0] == before
    at = len(desk.log)
    if second:
        assess(desk, 2, cny(second))
    else:
        desk.do(LEAD, "exposure", "drop", 2, GONE)
    head = desk.case.exposures[1]
    assert ("exposure.decision_overtaken", 1) in kinds(desk, at)
    assert (head.state, head.payable_minor, head.submitted_by) == ("checked", after * 100, "")
    assert desk.refused(APPROVER, "exposure", "approve_decision", 1).code == "refusal.not_possible_now"
    submit(desk, 1)
    desk.do(APPROVER, "exposure", "approve_decision", 1)
    assert desk.case.offers[1].amount_minor == after * 100


@pytest.mark.norm("2.2.4")
def test_of_four_eyes_both_see_the_same_sum():
    desk = victims(150_000, 150_000, cover=DISABILITY)
    submit(desk, 1)
    desk.do(APPROVER, "exposure", "approve_decision", 1)
    assert desk.case.exposures[1].approvals == (APPROVER.id,) and sums(desk)[0] == 90_000
    desk.do(LEAD, "exposure", "drop", 2, GONE)
    assert desk.case.exposures[1].approvals == () and sums(desk)[0] == 150_000
    desk.refused(APPROVER2, "exposure", "approve_decision", 1)
    submit(desk, 1)
    desk.do(APPROVER2, "exposure", "approve_decision", 1)
    assert desk.case.exposures[1].state == "submitted", "who approved the other sum has not approved this one"
    desk.do(APPROVER, "exposure", "approve_decision", 1)
    given = [e.facts["sum_minor"] for e, _ in desk.log if e.kind == "exposure.first_approval_given"]
    assert given == [9_000_000, 15_000_000] and desk.case.offers[1].amount_minor == 15_000_000


def elsewhere(desk: Desk, yuan: int) -> None:
    """What no head of this claim shows: so much of the limit was given to another."""
    drawn = Usage(1, MEDICAL, "C1", "C2", 9, yuan * 100)
    desk.ledger = PolicyLedger(id=1, parts={"usage": {1: drawn}})


@pytest.mark.norm("4")
def test_a_limit_used_up_elsewhere_sends_the_decision_back_with_what_was_beyond_the_terms():
    desk = victims(15_000)
    submit(desk, 1, ex_gratia=cny(500), reason="客户多年投保")
    elsewhere(desk, 8_000)
    desk.do(APPROVER, "exposure", "approve_decision", 1)
    head = desk.case.exposures[1]
    assert (head.state, head.payable_minor, head.ex_gratia_minor, desk.case.offers) == ("checked", 1_000_000, 0, {})
    told = desk.log[-1][0]
    assert told.facts["before_minor"] == 1_550_000 and told.facts["amount_minor"] == 1_050_000
    assert desk.case.claim.state == "assessing"
    submit(desk, 1)
    desk.do(APPROVER, "exposure", "approve_decision", 1)
    assert desk.case.offers[1].amount_minor == 1_000_000


@pytest.mark.norm("2.2.3")
@pytest.mark.parametrize("submitted", [False, True])
def test_whatever_happens_next_brings_a_sum_to_what_another_claim_left_of_the_limit(submitted: bool):
    desk = victims(15_000)
    if submitted:
        submit(desk, 1)
    elsewhere(desk, 8_000)
    at = len(desk.log)
    desk.do(HANDLER, "claim", "add_note", 0, c.Write("已联系伤者"))
    news = "exposure.decision_overtaken" if submitted else "exposure.recomputed"
    assert (news, 1) in kinds(desk, at) and sums(desk) == [10_000]
    at = len(desk.log)
    desk.do(HANDLER, "claim", "add_note", 0, c.Write("再次联系"))
    assert kinds(desk, at) == [("claim.note_added", 0)], "said once"


def test_what_is_withdrawn_follows_no_other_claim():
    desk = victims(15_000)
    desk.do(MANAGER, "claim", "withdraw", 0, GONE)
    elsewhere(desk, 8_000)
    at = len(desk.log)
    desk.do(HANDLER, "claim", "add_note", 0, c.Write("已撤回"))
    assert kinds(desk, at) == [("claim.note_added", 0)]


def test_an_approval_of_before_is_none_of_another_sum():
    """An earlier version gave the first of two approvals to whatever the sum then was."""
    desk = victims(150_000, cover=DISABILITY)
    submit(desk, 1)
    desk.do(APPROVER, "exposure", "approve_decision", 1)
    head = replace(desk.case.exposures[1], payable_minor=9_000_000)
    desk.case = replace(desk.case, parts={**desk.case.parts, "exposure": {1: head}})
    desk.do(APPROVER2, "exposure", "approve_decision", 1)
    assert (desk.case.exposures[1].state, desk.case.exposures[1].approvals) == ("checked", ())


@pytest.mark.norm("1.3.1")
def test_a_rule_submits_anew_and_goes_on():
    desk = Desk(policy=policy(), number="C1")
    heads = (c.ExposureReported("own_damage", "single_vehicle", items=(c.ItemAssessed("杠", claimed=cny(2_650)),)),)
    desk.report(own_damage(exposures=heads, accept_automatic=True))
    desk.do(HANDLER, "claim", "request_papers")
    for number in desk.case.papers:
        desk.do(LEAD, "paper", "receive", number, c.Receive())
    at = next(n for n, (e, _) in enumerate(desk.log) if e.kind == "exposure.decision_approved")
    own = [e for e, _ in desk.log[:at] if e.subject != "ledger"]
    desk.case, desk.log = replace(desk.case, parts={}).after(own), desk.log[:at]
    head = replace(desk.case.exposures[1], payable_minor=1)  # what the rule submitted, of a limit since used up
    desk.case = replace(desk.case, parts={**desk.case.parts, "exposure": {1: head}})
    assert head.state == "submitted" and head.submitted_by == STRAIGHT_THROUGH.id
    desk.do(STRAIGHT_THROUGH, "exposure", "approve_decision", 1)
    told = [k for k, _ in kinds(desk, at) if k.startswith("exposure.decision")]
    assert told == ["exposure.decision_overtaken", "exposure.decision_submitted", "exposure.decision_approved"]
    assert desk.case.payments[1].amount_minor == 215_000


def test_whoever_is_paid_first_changes_nothing_for_the_others():
    """To the cent, in any order: no decision comes back because another was approved."""
    losses = (1_234_567, 987_654, 333_333, 1)
    for first in range(1, 5):
        desk = victims(1, 1, 1, 1, assessed=False)
        for number, minor in enumerate(losses, 1):
            assess(desk, number, Money(minor, "CNY"))
        for number in range(1, 5):
            submit(desk, number)
        found = [e.payable_minor for e in desk.case.exposures.values()]
        assert sum(found) == 1_800_000
        for number in (*range(first, 5), *range(1, first)):
            desk.do(APPROVER, "exposure", "approve_decision", number)
        assert [e.payable_minor for e in desk.case.exposures.values()] == found
        assert {e.state for e in desk.case.exposures.values()} == {"approved"}


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=6), st.integers(0, 3 * 10**6), st.data())
def test_what_is_left_of_a_limit_is_shared_as_before(wanted: list[int], left: int, data: Any) -> None:
    shares = among_victims(left_minor=left, wanted_minor=wanted)
    gone = data.draw(st.integers(0, len(wanted) - 1))
    rest = among_victims(left_minor=left - shares[gone], wanted_minor=[w for n, w in enumerate(wanted) if n != gone])
    assert rest == tuple(s for n, s in enumerate(shares) if n != gone)


def test_an_ended_claim_computes_nothing():
    desk = victims(15_000, 30_000)
    at = len(desk.log)
    desk.do(MANAGER, "claim", "withdraw", 0, GONE)
    assert not [k for k in kinds(desk, at) if k[0] in ("exposure.recomputed", "exposure.decision_overtaken")]
