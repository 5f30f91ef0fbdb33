"""What is doubtful goes to a person, and money goes out once (norm 1.3.1, part 4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.domain.conduct_desk import (
    HANDLER,
    INTAKE,
    LEAD,
    NOW,
    PROGRAM,
    SURVEYOR,
    Desk,
    cny,
    own_damage,
    policy,
    rulebook,
)

from lipei.domain import automation
from lipei.domain import commands as c
from lipei.domain.money import Money
from lipei.domain.reactions import STRAIGHT_THROUGH, follows

pytestmark = [pytest.mark.norm("1.3.1"), pytest.mark.norm("4")]


def claimed(minor: int, **more: Any) -> c.Report:
    """A report that may go through without a hand, with what it claims."""
    item = c.ItemAssessed("后保险杠", claimed=Money(minor, "CNY"))
    said = {"exposures": (c.ExposureReported("own_damage", "single_vehicle", items=(item,)),), "accept_automatic": True}
    return own_damage(**{**said, **more})


def handled(report: c.Report, triage: c.Triage | None = None, **world: Any) -> Desk:
    """Reported, triaged with what is newly known, every required paper received."""
    desk = Desk(policy=policy(), **world)
    desk.report(report)
    if triage is not None:
        desk.do(HANDLER, "claim", "triage", 0, triage)
    papers_in(desk)
    return desk


def papers_in(desk: Desk) -> None:
    desk.do(HANDLER, "claim", "request_papers")
    for number, paper in desk.case.papers.items():
        if paper.required:
            desk.do(INTAKE, "paper", "receive", number)


def money(desk: Desk) -> list[tuple[str, int, str]]:
    return [(p.kind, p.amount_minor, p.state) for p in desk.case.payments.values()]


LATE = NOW - timedelta(days=61)
DOUBTFUL = {
    "disputed": (claimed(265_000), c.Triage(liability_disputed=True)),
    "in court": (claimed(265_000), c.Triage(lawsuit=True)),
    "reported late": (claimed(265_000, loss_at=LATE), None),
    "claimed beyond the limit": (claimed(500_001), None),
    "rescue treatment": (claimed(265_000, rescue=True), None),
}


@pytest.mark.parametrize("why", DOUBTFUL)
def test_what_is_doubtful_goes_to_a_person_though_automatic_handling_was_agreed_to(why: str) -> None:
    report, triage = DOUBTFUL[why]
    desk = handled(report, triage)
    assert desk.case.exposures[1].state == "open"
    assert [kind for kind, _, _ in money(desk) if kind == "settlement"] == []
    assert desk.case.claim.lane == "complex"


@pytest.mark.parametrize("why", [w for w in DOUBTFUL if w != "claimed beyond the limit"])
def test_nothing_is_advanced_on_what_is_doubtful(why: str) -> None:
    report, triage = DOUBTFUL[why]
    large = replace(report.exposures[0], items=(c.ItemAssessed("发动机", claimed=cny(30_000)),))
    report = replace(report, exposures=(large, *report.exposures[1:]), accept_automatic=False)
    assert money(handled(report, triage)) == []


def test_a_head_of_loss_for_an_injured_person_says_that_somebody_is_hurt() -> None:
    hurt = c.ExposureReported("driver_passenger", "injury")
    desk = handled(claimed(265_000, exposures=(*claimed(265_000).exposures, hurt)))
    verdict = automation.verdict(desk.case, desk.case.exposures[1], desk.world, desk.now)
    assert "nobody_hurt" in {check.name for check in verdict.failed}


def test_the_limit_itself_may_be_claimed() -> None:
    assert money(handled(claimed(500_000))) == [("settlement", 450_000, "approved")]


def test_a_doubt_after_the_decision_keeps_the_money_for_a_person() -> None:
    desk = handled(claimed(265_000, accept_automatic=False))
    assert desk.case.offers[1].state == "sent"
    desk.do(HANDLER, "claim", "triage", 0, c.Triage(liability_disputed=True))
    desk.agree()
    assert money(desk) == [("settlement", 215_000, "ordered")]


def test_no_advance_on_a_claim_drawn_for_sampling_or_reported_upwards() -> None:
    large = claimed(3_000_000, accept_automatic=False)
    assert money(handled(large)) == [("advance", 1_000_000, "approved")]
    everything = replace(rulebook(), settings=replace(rulebook().settings, sampling_rate_ppm=1_000_000))
    assert money(handled(large, rulebook=everything)) == []
    assert money(handled(large, c.Triage(public_attention=True))) == []


def test_no_advance_where_more_is_claimed_than_the_loss_was_estimated_at() -> None:
    assert money(handled(claimed(9_000_000, estimate=cny(1_000)))) == []
    assert money(handled(claimed(9_000_000, estimate=cny(90_000)))) == [("advance", 1_000_000, "approved")]


def test_what_a_rule_pays_in_full_is_not_advanced_as_well() -> None:
    """Complex only because the estimate is above what triage knows as small; paid within the limit, at once and once."""
    desk = handled(claimed(450_001, estimate=cny(6_000)))
    assert desk.case.claim.lane == "complex"
    assert money(desk) == [("settlement", 400_001, "approved")]


def test_a_strangers_consent_binds_nobody() -> None:
    desk = handled(claimed(265_000, phone="13700001111", name="李四"))
    assert desk.case.exposures[1].state == "open" and not desk.case.offers
    # Once somebody has seen who reports, the rule decides; the insured still says yes or no themselves.
    reporter = next(n for n, p in desk.case.parties.items() if "reporter" in p.roles)
    desk.do(HANDLER, "party", "check_identity", reporter, c.CheckIdentity("passport", "E1"))
    assert (desk.case.offers[1].state, money(desk)) == ("sent", [])
    desk.do(PROGRAM, "offer", "send_code", 1)
    assert desk.case.offers[1].codes[0]["party"] != reporter
    desk.agree()
    assert money(desk) == [("settlement", 215_000, "approved")]


SAID = {"liability_disputed": True}, {"lawsuit": True}, {"regulator_asks": True}, {"rescue": True}


@pytest.mark.parametrize("said", SAID)
def test_a_doubt_that_is_taken_back_lets_the_rule_look_again_at_once(said: dict[str, bool]) -> None:
    desk = handled(claimed(265_000), c.Triage(**said))
    assert desk.case.exposures[1].state == "open"
    desk.do(HANDLER, "claim", "triage", 0, c.Triage(**dict.fromkeys(said, False)))
    assert money(desk) == [("settlement", 215_000, "approved")]


def test_orders_that_a_doubt_held_back_go_on_when_it_is_taken_back() -> None:
    desk = handled(claimed(265_000, accept_automatic=False))
    desk.do(HANDLER, "claim", "triage", 0, c.Triage(lawsuit=True))
    desk.agree()
    assert money(desk) == [("settlement", 215_000, "ordered")]
    desk.do(HANDLER, "claim", "triage", 0, c.Triage(lawsuit=False))
    assert money(desk) == [("settlement", 215_000, "approved")]


def test_a_refusal_that_is_proposed_no_longer_lets_the_rule_look_at_the_other_heads() -> None:
    other = c.ExposureReported("own_damage", "glass", reserve=cny(500))
    desk = Desk(policy=policy())
    desk.report(claimed(265_000, exposures=(*claimed(265_000).exposures, other)))
    desk.do(HANDLER, "exposure", "propose_refusal", 2, c.Propose("wear", "D8", "玻璃是旧伤。"))
    papers_in(desk)
    assert desk.case.exposures[1].state == "open"
    desk.do(LEAD, "exposure", "drop", 2, c.Reasoned("客户撤回这一项"))
    assert desk.case.exposures[1].decided_by == STRAIGHT_THROUGH.id


def test_triage_that_says_nothing_new_sets_no_rule_going() -> None:
    desk = Desk(policy=policy())
    desk.report(claimed(265_000))
    triaged = [(e, desk.case) for e, _ in desk.log if e.kind == "claim.triaged"]
    assert triaged and all("no_longer" not in e.facts for e, _ in triaged)
    assert all(not [*follow(e, case, desk.world, desk.now)] for e, case in triaged for follow in follows(e))


def visited(desk: Desk) -> None:
    """A surveyor is to look at the damage, and the papers come in meanwhile."""
    at = c.ScheduleSurvey(at=NOW + timedelta(hours=3), place="车库", surveyor=12)
    desk.do(HANDLER, "survey", "schedule", 0, at)
    papers_in(desk)
    assert money(desk) == []


def test_a_visit_that_is_called_off_leaves_the_claim_to_the_rule_again():
    desk = Desk(policy=policy())
    desk.report(claimed(265_000))
    visited(desk)
    desk.do(HANDLER, "survey", "cancel", 1, c.Reasoned("not_needed"))
    assert [amount for _, amount, _ in money(desk)] == [215_000]


def test_what_a_surveyor_found_is_read_by_a_person_and_no_rule_pays_past_it():
    desk = Desk(policy=policy())
    desk.report(claimed(265_000))
    visited(desk)
    desk.do(SURVEYOR, "survey", "record", 1, c.RecordSurvey("后保险杠的旧损与本次事故无关"))
    assert money(desk) == []
    assert not automation.verdict(desk.case, desk.case.exposures[1], desk.world, NOW).ok


@pytest.mark.norm("2.2.2")
@pytest.mark.parametrize(
    ("by", "agreed", "asked"),
    [("nobody", True, 0), ("agreed", True, 1), ("agreed", False, 0), ("simple", False, 1)],
)
def test_the_one_request_for_papers_goes_out_by_rule_where_the_company_wants_it(by: str, agreed: bool, asked: int):
    desk = Desk(policy=policy())
    desk.more["rulebook"] = replace(rulebook(), settings=replace(rulebook().settings, papers_ask_by_rule=by))
    desk.report(claimed(265_000, accept_automatic=agreed))
    assert desk.case.claim.papers_requests == asked
    assert bool(desk.case.papers) == bool(asked)
    if asked:
        by_hand = desk.refused(HANDLER, "claim", "request_papers", 0, c.RequestPapers())
        assert by_hand.fields == {"reason": "refusal.papers_asked_before"}, (
            "one request is all that the law lets us make"
        )
        for number, paper in desk.case.papers.items():
            if paper.required:
                desk.do(INTAKE, "paper", "receive", number)
        assert bool(money(desk)) == agreed, "paid with no hand from the report to the money"


def test_a_rule_asks_for_no_papers_of_what_is_not_simple_or_not_known():
    for report in (claimed(265_000, rescue=True), own_damage(exposures=())):
        desk = Desk(policy=policy())
        desk.more["rulebook"] = replace(rulebook(), settings=replace(rulebook().settings, papers_ask_by_rule="simple"))
        desk.report(report)
        assert desk.case.claim.papers_requests == 0
