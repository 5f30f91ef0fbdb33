"""Heads of loss put right: under their cover, for their claimant, or gone because they were entered in error."""

from __future__ import annotations

import pytest
from tests.domain.conduct_desk import (
    APPROVER,
    ASSESSOR,
    FINANCE,
    HANDLER,
    INTAKE,
    LEAD,
    Desk,
    cny,
    own_damage,
    party,
    policy,
)

from lipei.domain import commands as c

NO_COVER = c.ExposureReported("", "single_vehicle", items=(c.ItemAssessed("后保险杠", claimed=cny(2650)),))


@pytest.fixture
def desk():
    return Desk(policy=policy())


def test_a_head_of_loss_without_a_cover_is_no_dead_end(desk):
    """Who reports need not know which cover answers: whoever looks at it says so, and it goes on."""
    desk.report(own_damage(exposures=(NO_COVER,)))
    desk.do(HANDLER, "exposure", "assess", 1, c.Assess((c.ItemAssessed("后保险杠", assessed=cny(2650)),)))
    desk.do(ASSESSOR, "exposure", "check_assessment", 1)
    assert desk.refused(HANDLER, "exposure", "submit_decision", 1).code == "refusal.cover_missing"
    desk.do(HANDLER, "exposure", "correct", 1, c.CorrectExposure(cover="own_damage"))
    head = desk.case.exposures[1]
    assert (head.state, head.cover, head.peril, head.checked_by) == ("open", "own_damage", "single_vehicle", "")
    assert head.items[0]["assessed_minor"] == 265000, "what was found stays"
    desk.do(HANDLER, "exposure", "assess", 1, c.Assess())
    assert desk.case.exposures[1].payable_minor == 215000
    desk.do(ASSESSOR, "exposure", "check_assessment", 1)
    desk.do(HANDLER, "exposure", "submit_decision", 1)


def test_a_cover_found_later_lets_the_rule_pay(desk):
    """Choosing the cover is no assessment: what was reported goes straight through as if it had been known at once."""
    desk.report(own_damage(exposures=(NO_COVER,), accept_automatic=True))
    desk.do(HANDLER, "exposure", "correct", 1, c.CorrectExposure(cover="own_damage"))
    desk.do(HANDLER, "claim", "request_papers")
    for number in desk.case.papers:
        desk.do(INTAKE, "paper", "receive", number, c.Receive())
    assert [(p.state, p.amount_minor) for p in desk.case.payments.values()] == [("approved", 215000)]


def test_what_an_old_cover_asked_goes_with_it(desk):
    heads = (c.ExposureReported("own_damage", "collision", facts={"drunk_driving": False, "salvage_minor": 10000}),)
    desk.report(own_damage(exposures=heads))
    found = (c.ItemAssessed("车头", assessed=cny(900)), c.ItemAssessed("旧伤", assessed=cny(100), excluded="wear"))
    desk.do(HANDLER, "exposure", "assess", 1, c.Assess(found))
    assert desk.case.exposures[1].settlement
    desk.do(HANDLER, "exposure", "correct", 1, c.CorrectExposure("compulsory_property", "third_party_property"))
    head = desk.case.exposures[1]
    assert (head.settlement, head.payable_minor, head.assessed_minor) == ({}, 0, 0)
    assert "salvage_minor" not in head.facts and [row["excluded"] for row in head.items] == ["", ""]


def test_what_is_no_correction_is_refused(desk):
    desk.report()
    for command, code in (
        (c.CorrectExposure(), "refusal.nothing_changed"),
        (c.CorrectExposure(cover="own_damage", peril="single_vehicle"), "refusal.nothing_changed"),
        (c.CorrectExposure(cover="flood_of_frogs"), "refusal.cover_unknown"),
        (c.CorrectExposure(claimant=9), "refusal.party_unknown"),
    ):
        assert code in desk.refused(HANDLER, "exposure", "correct", 1, command).fields.values()


def test_what_money_went_out_on_stays_where_it_is(desk):
    desk.report()
    desk.do(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(1000)))
    for who, action, command in (
        (HANDLER, "correct", c.CorrectExposure(peril="collision")),
        (LEAD, "drop", c.Reasoned("录错")),
    ):
        assert desk.refused(who, "exposure", action, 1, command).code == "refusal.guard.nothing_spent_on_it"
    desk.do(FINANCE, "payment", "cancel", 1, c.Reasoned("录错"))
    desk.do(HANDLER, "exposure", "correct", 1, c.CorrectExposure(peril="collision"))


@pytest.mark.norm("4")
def test_a_head_entered_in_error_goes_by_a_superior_and_with_a_reason(desk):
    """It is no way around a refusal: the handler has it dropped by somebody above, and says why."""
    desk.report()
    added = c.AddExposure("compulsory_property", "third_party_property")
    desk.do(HANDLER, "exposure", "add", 0, added)
    desk.do(HANDLER, "claim", "request_papers")
    idle = {n for n, p in desk.case.papers.items() if p.code == "property_list"}
    assert idle, "a paper that only the other head of loss asks for"
    assert desk.refused(HANDLER, "exposure", "drop", 2, c.Reasoned("录错")).kind == "permission"
    assert desk.refused(APPROVER, "exposure", "drop", 2, c.Reasoned("录错")).kind == "permission"
    assert desk.refused(LEAD, "exposure", "drop", 2, c.Reasoned(" ")).fields == {"reason": "refusal.reason_missing"}
    desk.do(LEAD, "exposure", "drop", 2, c.Reasoned("对方车辆没有受损"))
    assert desk.case.exposures[2].state == "dropped" and desk.case.claim.state == "investigating"
    assert {desk.case.papers[n].state for n in idle} == {"waived"}
    others = [p.state for n, p in desk.case.papers.items() if n not in idle and p.code != "replacement_bill"]
    assert others and set(others) == {"requested"}, "what is still needed is still asked for"
    assert any(note.text == "对方车辆没有受损" for note in desk.case.of("note").values())


def test_the_last_open_head_dropped_closes_what_is_paid(desk):
    desk.report()
    desk.do(HANDLER, "exposure", "add", 0, c.AddExposure("compulsory_property", "third_party_property"))
    desk.agreed()
    desk.pay(1)
    assert desk.case.claim.state == "investigating", "the other head of loss still waits"
    desk.do(LEAD, "exposure", "drop", 2, c.Reasoned("对方车辆没有受损"))
    assert (desk.case.claim.state, desk.case.claim.outcome) == ("closed", "paid")


def test_a_claim_of_dropped_heads_alone_waits_for_a_person(desk):
    desk.report()
    desk.do(LEAD, "exposure", "drop", 1, c.Reasoned("不是本车"))
    assert desk.case.claim.state == "investigating"
    desk.do(HANDLER, "claim", "close_without_payment", 0, c.Reasoned("没有损失"))
    assert desk.case.claim.state == "closed"


def test_recoveries_are_offered_only_where_there_is_something_to_get_back(desk):
    desk.report()
    asked = c.OpenRecovery(1, None, cny(100), "对方全责")
    assert desk.refused(HANDLER, "recovery", "subrogate", 0, asked).code == "refusal.guard.something_paid"
    early = desk.refused(FINANCE, "recovery", "recover_overpayment", 0, c.OpenRecovery(1))
    assert early.code == "refusal.guard.something_overpaid"
    desk.agreed()
    desk.pay(1)
    desk.do(HANDLER, "recovery", "subrogate", 0, asked)
    none_left = desk.refused(FINANCE, "recovery", "recover_overpayment", 0, c.OpenRecovery(1))
    assert none_left.code == "refusal.guard.something_overpaid"


@pytest.mark.norm("4")
def test_a_head_that_nobody_was_named_for_is_claimed_by_whom_its_cover_is_for(desk):
    """The insured's own car is not the injured third party's, whatever order they were named in."""
    desk.report(own_damage(
        loss_kind="collision", injured=1, name="王小明",
        parties=(party("陈一", ("injured", "claimant"), 1, phone="13900139001"),),
        exposures=(
            c.ExposureReported("own_damage", "collision", reserve=cny(9000)),
            c.ExposureReported("compulsory_medical", "third_party_injury", reserve=cny(3000)),
        ),
    ))  # fmt: skip
    insured, injured = desk.case.party("insured").part, desk.case.party("injured").part
    assert [head.claimant for head in desk.case.exposures.values()] == [insured, injured]
    desk.do(HANDLER, "exposure", "add", 0, c.AddExposure("third_party", "third_party_injury"))
    desk.do(HANDLER, "exposure", "add", 0, c.AddExposure("driver_passenger", "collision"))
    assert [head.claimant for head in desk.case.exposures.values()][2:] == [injured, insured]


@pytest.mark.norm("2.2.3")
def test_an_exclusion_brings_its_clause_and_stands_beside_no_other(desk):
    desk.report()
    other = c.Propose("no_licence", "C6", "驾驶证已被吊销。")
    assert desk.refused(HANDLER, "exposure", "propose_refusal", 1, other).fields == {
        "clause": "refusal.clause_of_another"
    }
    missing = c.Propose("not_covered", "", "不属于保险责任。")
    assert desk.refused(HANDLER, "exposure", "propose_refusal", 1, missing).fields == {
        "clause": "refusal.clause_missing"
    }
    desk.do(HANDLER, "exposure", "propose_refusal", 1, c.Propose("no_licence", "", "驾驶证已被吊销。"))
    assert desk.case.exposures[1].refusal_clause == "D8"
