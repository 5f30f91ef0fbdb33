"""Triage is asked again whenever something happens that its rules look at, and says so once (norm 2.3.1, 1.4.1)."""

from __future__ import annotations

import pytest
from tests.domain.conduct_desk import HANDLER, INVESTIGATOR, LEAD, MANAGER, MANAGER2, Desk, cny, own_damage, policy

from lipei.domain import commands as c

WHY = c.Reasoned("照片与说法不符")


@pytest.fixture
def desk() -> Desk:
    return Desk(policy=policy())


def triaged(desk: Desk) -> int:
    return sum(e.kind == "claim.triaged" for e, _ in desk.log)


def rules(desk: Desk) -> set[str]:
    return {reason["rule"] for reason in desk.case.claim.triage_reasons}


@pytest.mark.norm("2.3.1")
def test_a_suspicion_makes_a_claim_complex_and_its_end_simple_again(desk):
    desk.report(own_damage(exposures=(), estimate=cny(3000)))
    assert (desk.case.claim.lane, desk.case.claim.report_upwards) == ("simple", False)
    desk.do(HANDLER, "claim", "suspect", 0, WHY)
    assert desk.case.claim.lane == "complex" and "suspicion" in rules(desk)
    desk.do(INVESTIGATOR, "claim", "clear_suspicion", 0, WHY)
    assert (desk.case.claim.lane, desk.case.claim.report_upwards) == ("simple", False)


@pytest.mark.norm("2.3.1")
def test_a_large_refusal_is_a_reason_from_its_proposal_until_it_is_returned(desk):
    desk.report(own_damage(exposures=(c.ExposureReported("own_damage", "single_vehicle", reserve=cny(500_000)),)))
    desk.do(LEAD, "exposure", "propose_refusal", 1, c.Propose("not_covered", "D8", "不在保障范围内"))
    assert desk.case.claim.report_upwards and {"large_refusal", "disputed"} <= rules(desk)
    desk.do(MANAGER, "exposure", "return_for_rework", 1, WHY)
    assert not {"large_refusal", "disputed"} & rules(desk)


@pytest.mark.norm("2.3.1")
def test_what_a_person_reported_upwards_stays_so(desk):
    desk.report()
    desk.do(HANDLER, "claim", "report_upwards", 0, WHY)
    before = triaged(desk)
    desk.do(HANDLER, "exposure", "set_reserve", 1, c.SetReserve(cny(9_100), "报价变化"))
    assert desk.case.claim.report_upwards and triaged(desk) == before


@pytest.mark.norm("2.3.1")
def test_dropping_a_head_is_looked_at_too(desk):
    head = c.ExposureReported("own_damage", "single_vehicle", reserve=cny(2_500))
    desk.report(own_damage(exposures=(head, c.ExposureReported("own_damage", "glass", reserve=cny(2_600)))))
    assert desk.case.claim.lane == "complex"
    desk.do(MANAGER, "claim", "triage", 0, c.Triage(estimate=cny(2_500)))
    desk.do(MANAGER, "exposure", "drop", 2, WHY)
    assert desk.case.claim.lane == "simple"


@pytest.mark.norm("1.4.3")
def test_the_journal_has_no_triage_that_says_nothing_new(desk):
    desk.report()
    before = triaged(desk)
    for yuan in (9_100, 9_200, 9_300):
        desk.do(HANDLER, "exposure", "set_reserve", 1, c.SetReserve(cny(yuan), "报价变化"))
    desk.submit(yuan=9_300)
    assert triaged(desk) == before
    desk.do(HANDLER, "claim", "suspect", 0, WHY)
    assert triaged(desk) == before + 1
    desk.do(MANAGER2, "exposure", "return_for_rework", 1, WHY)
    assert triaged(desk) == before + 1
