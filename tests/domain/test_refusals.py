"""How large a refusal is, and that nothing is refused past whoever may refuse (norm part 4)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.domain.conduct_desk import (
    APPROVER,
    APPROVER2,
    ASSESSOR,
    FINANCE,
    HANDLER,
    LEAD,
    MANAGER,
    MANAGER2,
    SCHEDULE,
    Desk,
    cny,
    lent,
    own_damage,
    policy,
    staff,
)

from lipei.domain import commands as c
from lipei.domain.money import Money
from lipei.domain.reactions import STRAIGHT_THROUGH

GROUND = c.Propose("not_covered", "D8", "车辆已转卖，不在保障范围内")
CAR = c.ExposureReported("own_damage", "single_vehicle")


def proposed(*heads: c.ExposureReported, **more) -> Desk:
    """A claim of these heads of loss, the first of which is proposed for refusal."""
    desk = Desk(policy=policy())
    desk.report(own_damage(exposures=heads, **more))
    return desk


def propose(desk: Desk, part: int = 1) -> None:
    desk.do(HANDLER, "exposure", "propose_refusal", part, GROUND)


@pytest.mark.norm("4")
def test_a_head_without_a_figure_is_as_large_as_what_the_claim_was_reported_to_cost():
    desk = proposed(CAR, CAR, estimate=cny(900_000))
    propose(desk)
    assert desk.refused(APPROVER, "exposure", "refuse", 1).code == "refusal.authority.above_limit"
    desk.do(MANAGER, "exposure", "refuse", 1)
    assert desk.case.exposures[1].state == "refusal_proposed"  # four eyes
    desk.do(MANAGER2, "exposure", "refuse", 1)
    propose(desk, 2)
    refused = desk.refused(APPROVER, "exposure", "refuse", 2)
    assert refused.params["amount_minor"] == 90_000_000  # both heads together, and not twice


@pytest.mark.norm("4")
def test_of_several_heads_one_without_a_figure_is_what_the_others_leave_of_the_estimate():
    desk = proposed(CAR, c.ExposureReported("own_damage", "glass", reserve=cny(20_000)), estimate=cny(90_000))
    propose(desk)
    desk.do(APPROVER, "exposure", "refuse", 1)
    first = next(e for e, _ in desk.log if e.kind == "exposure.first_approval_given")
    assert first.facts["sum_minor"] == 7_000_000


@pytest.mark.norm("4")
@pytest.mark.parametrize("items", [(), (c.ItemAssessed("整车", claimed=cny(80_000)),)])
def test_a_lowered_reserve_makes_no_refusal_small(items):
    head = c.ExposureReported("own_damage", "single_vehicle", reserve=cny(80_000), items=items)
    desk = proposed(head)
    desk.do(HANDLER, "exposure", "set_reserve", 1, c.SetReserve(cny(1), "重新估计"))
    propose(desk)
    desk.do(APPROVER, "exposure", "refuse", 1)
    assert desk.case.exposures[1].state == "refusal_proposed"
    desk.do(APPROVER2, "exposure", "refuse", 1)
    assert desk.case.exposures[1].state == "refused"


@pytest.mark.norm("4")
def test_a_small_refusal_is_still_one_persons():
    desk = proposed(c.ExposureReported("own_damage", "single_vehicle", reserve=cny(9_000)))
    propose(desk)
    desk.do(APPROVER, "exposure", "refuse", 1)
    assert desk.case.exposures[1].state == "refused"


# --- by exclusion


def assessed(desk: Desk, *items: c.ItemAssessed, **facts) -> None:
    desk.do(HANDLER, "exposure", "assess", 1, c.Assess(items, facts))
    desk.do(ASSESSOR, "exposure", "check_assessment", 1)


def item(yuan: int, excluded: str = "") -> c.ItemAssessed:
    return c.ItemAssessed("维修", claimed=cny(yuan), assessed=cny(yuan), excluded=excluded)


def reported(**more) -> Desk:
    return proposed(c.ExposureReported("own_damage", "single_vehicle", reserve=cny(9_000)), **more)


@pytest.mark.norm("4")
@pytest.mark.parametrize(("items", "facts"), [((item(80_000, "wear"),), {}), ((item(80_000),), {"exclusion": "race"})])
def test_what_exclusions_leave_nothing_of_is_a_refusal_and_no_decision_of_0(items, facts):
    desk = reported()
    assessed(desk, *items, **facts)
    assert desk.refused(HANDLER, "exposure", "submit_decision", 1).code == "refusal.exclusion_is_a_refusal"
    propose(desk)  # the way that the sentence names is open


@pytest.mark.norm("4")
def test_it_is_a_refusal_too_where_it_was_submitted_before():
    desk = reported()
    assessed(desk, item(9_000))
    desk.do(HANDLER, "exposure", "submit_decision", 1)
    items = tuple({**r, "excluded": "wear"} for r in desk.case.exposures[1].items)
    head = replace(desk.case.exposures[1], items=items, payable_minor=0)
    desk.case = replace(desk.case, parts={**desk.case.parts, "exposure": {1: head}})
    assert desk.refused(APPROVER, "exposure", "approve_decision", 1).code == "refusal.exclusion_is_a_refusal"


@pytest.mark.norm("4")
def test_a_deductible_may_leave_nothing():
    desk = reported()
    assessed(desk, item(400))  # the deductible is 500
    desk.do(HANDLER, "exposure", "submit_decision", 1)
    desk.do(APPROVER, "exposure", "approve_decision", 1)
    assert desk.case.exposures[1].payable_minor == 0


WORN = c.SubmitDecision(refusal_reason="减震器是自然磨损，与这次事故无关。")


@pytest.mark.norm("4")
def test_refusing_in_part_takes_authority_to_refuse_that_part():
    desk = reported()
    assessed(desk, item(5_000), item(60_000, "wear"))
    desk.do(HANDLER, "exposure", "submit_decision", 1, WORN)
    decides = staff(20, "handler")  # up to 10,000, and nothing to refuse with
    desk.case = replace(desk.case, parts={**desk.case.parts, "claim": {0: replace(desk.case.claim, handler=20)}})
    assert desk.refused(decides, "exposure", "approve_decision", 1).kind == "permission"
    desk.do(APPROVER, "exposure", "approve_decision", 1)
    assert desk.case.exposures[1].state == "submitted", "60,000 are refused by two"
    desk.do(APPROVER2, "exposure", "approve_decision", 1)
    assert desk.case.exposures[1].state == "approved"


@pytest.mark.norm("4")
def test_what_a_limit_would_have_cut_anyway_is_not_refused():
    cheap = {**SCHEDULE, "own_damage": {"sum_insured_minor": 1_000_000, "deductible_minor": 0}}
    desk = Desk(policy=policy(schedule=cheap))
    desk.report(own_damage())
    assessed(desk, item(20_000), item(60_000, "wear"))
    desk.do(HANDLER, "exposure", "submit_decision", 1)
    desk.do(APPROVER, "exposure", "approve_decision", 1)
    assert (desk.case.exposures[1].state, desk.case.exposures[1].payable_minor) == ("approved", 1_000_000)
    assert desk.case.exposures[1].refused_minor == 0


@pytest.mark.norm("4")
def test_a_gesture_of_a_cent_hides_no_refusal():
    desk = reported()
    assessed(desk, item(80_000, "wear"))
    desk.do(HANDLER, "exposure", "submit_decision", 1, replace(WORN, ex_gratia=Money(1, "CNY"), reason="客户多年投保"))
    desk.do(APPROVER, "exposure", "approve_decision", 1)
    assert desk.case.exposures[1].state == "submitted", "all but the cent is refused by two"


# --- assessed at nothing


def nothing(yuan: int, excluded: str = "") -> c.ItemAssessed:
    """Claimed, and assessed at 0."""
    return c.ItemAssessed("旧划痕", claimed=cny(yuan), assessed=cny(0), excluded=excluded)


@pytest.mark.norm("4")
def test_what_is_claimed_and_all_assessed_at_nothing_is_a_refusal_and_no_decision_of_0():
    desk = reported()
    assessed(desk, nothing(5_000))
    assert desk.refused(HANDLER, "exposure", "submit_decision", 1).code == "refusal.nothing_assessed_is_a_refusal"
    propose(desk)  # the way that the sentence names is open


@pytest.mark.norm("4")
@pytest.mark.parametrize("excluded", ["", "wear"])
def test_an_item_assessed_at_nothing_is_refused_in_part_whatever_exclusion_it_names(excluded):
    desk = reported()
    assessed(desk, item(5_000), nothing(60_000, excluded))
    refused = desk.refused(HANDLER, "exposure", "submit_decision", 1)
    assert refused.fields == {"refusal_reason": "refusal.part_without_reason"}
    desk.do(HANDLER, "exposure", "submit_decision", 1, WORN)
    desk.do(APPROVER, "exposure", "approve_decision", 1)
    assert desk.case.exposures[1].state == "submitted", "60,000 are refused by two"
    desk.do(APPROVER2, "exposure", "approve_decision", 1)
    head = desk.case.exposures[1]
    assert (head.payable_minor, head.refused_minor, head.refusal_reason) == (450_000, 6_000_000, WORN.refusal_reason)


@pytest.mark.norm("4")
def test_what_is_measured_at_less_or_would_be_the_customers_own_is_not_refused():
    desk = reported()
    assessed(desk, nothing(400))  # the deductible is 500
    desk.do(HANDLER, "exposure", "submit_decision", 1)
    desk.do(APPROVER, "exposure", "approve_decision", 1)
    assert (desk.case.exposures[1].state, desk.case.exposures[1].refused_minor) == ("approved", 0)
    unclaimed = reported()
    less = c.ItemAssessed("维修", claimed=cny(6_000), assessed=cny(5_000))
    assessed(unclaimed, less, c.ItemAssessed("工时", assessed=cny(0)))
    unclaimed.do(HANDLER, "exposure", "submit_decision", 1)
    unclaimed.do(APPROVER, "exposure", "approve_decision", 1)
    assert (unclaimed.case.exposures[1].payable_minor, unclaimed.case.exposures[1].refused_minor) == (450_000, 0)


@pytest.mark.norm("4")
def test_refused_in_part_counts_into_how_much_of_a_claim_is_refused():
    """Two heads of which each refuses a part: the second is for who may refuse both together."""
    desk = proposed(*(c.ExposureReported("own_damage", "single_vehicle", reserve=cny(9_000)) for _ in range(2)))
    for part in (1, 2):
        desk.do(HANDLER, "exposure", "assess", part, c.Assess((item(5_000), nothing(40_000))))
        desk.do(ASSESSOR, "exposure", "check_assessment", part)
        desk.do(HANDLER, "exposure", "submit_decision", part, WORN)
        desk.do(APPROVER, "exposure", "approve_decision", part)
    assert [desk.case.exposures[n].state for n in (1, 2)] == ["approved", "submitted"]


# --- in part: the reason, and what stands of it


def in_part(desk: Desk) -> Desk:
    """Decided: 5,000 are paid but for the deductible of 500, 3,000 are not."""
    assessed(desk, item(5_000), item(3_000, "wear"))
    desk.do(HANDLER, "exposure", "submit_decision", 1, WORN)
    desk.do(APPROVER, "exposure", "approve_decision", 1)
    return desk


@pytest.mark.norm("4")
def test_a_part_is_refused_with_a_reason_as_the_whole_is():
    desk = reported()
    assessed(desk, item(5_000), item(3_000, "wear"))
    for said in (c.SubmitDecision(), c.SubmitDecision(reason="内部说明"), c.SubmitDecision(refusal_reason=" ")):
        refused = desk.refused(HANDLER, "exposure", "submit_decision", 1, said)
        assert refused.fields == {"refusal_reason": "refusal.part_without_reason"}
    desk.do(HANDLER, "exposure", "submit_decision", 1, WORN)
    head = desk.case.exposures[1]
    assert (head.refusal_reason, head.refused_minor) == (WORN.refusal_reason, 0), (
        "nothing is refused before it is decided"
    )
    desk.do(APPROVER, "exposure", "approve_decision", 1)
    head = desk.case.exposures[1]
    assert (head.payable_minor, head.refused_minor) == (450_000, 300_000)
    decided = next(e for e, _ in desk.log if e.kind == "exposure.decision_approved")
    assert decided.facts["refused_minor"] == 300_000


def test_whatever_a_decision_lacks_is_told_at_once():
    desk = reported()
    desk.do(HANDLER, "claim", "request_papers", 0)
    assessed(desk, item(5_000), item(3_000, "wear"))
    refused = desk.refused(HANDLER, "exposure", "submit_decision", 1, c.SubmitDecision(ex_gratia=cny(10)))
    assert refused.fields == {
        "reason": "refusal.reason_missing",
        "refusal_reason": "refusal.part_without_reason",
        "without_papers": "refusal.papers_missing",
    }
    assert refused.params["papers"]


@pytest.mark.norm("4")
def test_no_rule_refuses_a_part():
    desk = reported()
    assessed(desk, item(2_000), item(300, "wear"))
    desk.do(HANDLER, "exposure", "submit_decision", 1, WORN)
    refused = desk.refused(STRAIGHT_THROUGH, "exposure", "approve_decision", 1)
    assert refused.code == "refusal.authority.only_a_person"


@pytest.mark.norm("4")
def test_what_is_made_good_is_not_refused_and_a_cut_by_the_terms_is_none():
    desk = reported()
    assessed(desk, item(5_000), item(3_000, "wear"))
    desk.do(HANDLER, "exposure", "submit_decision", 1, c.SubmitDecision(cny(3_000), "客户多年投保"))
    desk.do(APPROVER, "exposure", "approve_decision", 1)
    assert desk.case.exposures[1].refused_minor == 0
    plain = reported()
    plain.approve(yuan=5_000)  # the deductible takes 500
    head = plain.case.exposures[1]
    assert (head.payable_minor, head.refused_minor, head.refusal_reason) == (450_000, 0, "")


@pytest.mark.norm("4")
def test_a_proposal_that_came_to_nothing_is_not_the_reason_of_a_part():
    desk = reported()
    propose(desk)
    desk.do(APPROVER, "exposure", "return_for_rework", 1, c.Reasoned("只有一部分不赔"))
    in_part(desk)
    head = desk.case.exposures[1]
    assert (head.refusal_code, head.refusal_clause, head.refusal_reason) == ("", "", WORN.refusal_reason)
    again = reported()
    propose(again)
    again.do(APPROVER, "exposure", "return_for_rework", 1, c.Reasoned("应当赔付"))
    again.approve(yuan=5_000)
    assert again.case.exposures[1].refusal_reason == ""


@pytest.mark.norm("4")
def test_what_begins_to_refuse_only_when_it_is_decided_goes_back_for_its_reason():
    """A limit that would have cut it anyway was used up when it was submitted, and is free again."""
    desk = reported()
    assessed(desk, item(5_000))
    desk.do(HANDLER, "exposure", "submit_decision", 1)
    head = desk.case.exposures[1]
    more = {**head.items[0], "claimed_minor": 300_000, "assessed_minor": 300_000, "excluded": "wear"}
    desk.case = replace(desk.case, parts={**desk.case.parts, "exposure": {1: replace(head, items=(*head.items, more))}})
    assert desk.refused(APPROVER, "exposure", "approve_decision", 1).code == "refusal.part_unexplained"


@pytest.mark.norm("4")
@pytest.mark.parametrize("back", ["rework", "reopened"])
def test_a_decision_taken_back_refuses_nothing_any_more(back):
    desk = in_part(reported())
    if back == "rework":
        desk.do(APPROVER, "exposure", "return_for_rework", 1, c.Reasoned("重新核定"))
    else:
        desk.send()
        desk.agree()
        desk.pay(1)
        assert desk.case.exposures[1].refused_minor == 300_000, "a decision that is paid still says what it refused"
        desk.do(LEAD, "claim", "reopen", 0, c.Reasoned("客户补充了材料"))
    assert desk.case.exposures[1].refused_minor == 0


# --- interest


@pytest.mark.norm("4")
def test_whoever_has_an_interest_neither_decides_nor_pays_nor_refuses():
    desk = reported()
    desk.more = {"interested": frozenset({APPROVER.id})}
    desk.submit(yuan=9_000)
    assert desk.refused(APPROVER, "exposure", "approve_decision", 1).code == "refusal.authority.interest"
    desk.do(APPROVER2, "exposure", "approve_decision", 1)
    desk.send()
    desk.agree()
    desk.more = {"interested": frozenset({FINANCE.id})}
    assert desk.refused(FINANCE, "payment", "approve_payment", 1).code == "refusal.authority.interest"
    other = reported()
    friend = staff(30, "handler")
    other.more = {"interested": frozenset({APPROVER.id}), "delegations": (lent(APPROVER, friend),)}
    propose(other)
    assert other.refused(APPROVER, "exposure", "refuse", 1).code == "refusal.authority.interest"
    friend = replace(friend, roles=frozenset({"team_lead"}))  # what is lent adds nothing to a lead's own 100,000
    other.do(HANDLER, "exposure", "set_reserve", 1, c.SetReserve(cny(100_000), "重估"))
    assert other.case.exposures[1].reserve_minor == 10_000_000
    other.do(friend, "exposure", "refuse", 1)
    assert other.case.exposures[1].approvals == (friend.id,)
