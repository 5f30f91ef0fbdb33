"""Money on account is of what the terms can pay: never more, nothing where they give nothing (norm 2.3.2, 1.3.1)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.domain.conduct_desk import FINANCE, HANDLER, INTAKE, MANAGER, NOW, SCHEDULE, Desk, cny, own_damage, policy

from lipei.domain import commands as c


def reserved(yuan: int = 60_000, *, sum_insured: int = 10_000, **more) -> Desk:
    schedule = {**SCHEDULE, "own_damage": {"sum_insured_minor": sum_insured * 100, "deductible_minor": 50_000}}
    desk = Desk(policy=policy(schedule=schedule))
    head = c.ExposureReported("own_damage", "single_vehicle", reserve=cny(yuan))
    desk.report(own_damage(exposures=(head,), **more))
    return desk


def advance(yuan: int) -> c.OnAccount:
    return c.OnAccount(cny(yuan), None, "急用")


@pytest.mark.norm("2.3.2")
def test_no_more_is_advanced_than_the_sum_insured_leaves():
    desk = reserved()
    refused = desk.refused(HANDLER, "exposure", "advance", 1, advance(9_501))
    assert (refused.code, refused.params["likely"]) == ("refusal.more_than_likely", cny(9_500))
    desk.do(HANDLER, "exposure", "advance", 1, advance(9_500))


@pytest.mark.norm("2.3.2")
def test_nothing_is_advanced_on_a_loss_outside_the_policy():
    desk = reserved(loss_at=NOW - timedelta(days=300))
    assert desk.refused(HANDLER, "exposure", "advance", 1, advance(100)).code == "refusal.more_than_likely"


@pytest.mark.norm("2.3.2")
def test_a_guarantee_stays_within_the_compulsory_limit_before_anybody_knows_the_fault():
    desk = Desk(policy=policy())
    head = c.ExposureReported("compulsory_medical", "third_party_injury", reserve=cny(30_000))
    hospital = c.PartyReported(roles=("hospital",), name="市一医院", person=False)
    desk.report(own_damage(loss_kind="third_party_injury", rescue=True, exposures=(head,), parties=(hospital,)))
    over = desk.refused(MANAGER, "exposure", "guarantee", 1, c.OnAccount(cny(18_001), 1, "抢救"))
    assert over.params["likely"] == cny(18_000)
    desk.do(MANAGER, "exposure", "guarantee", 1, c.OnAccount(cny(18_000), 1, "抢救"))


@pytest.mark.norm("2.2.4")
def test_an_advance_is_looked_at_again_before_it_goes():
    desk = reserved()
    desk.do(HANDLER, "exposure", "advance", 1, advance(6_000))
    desk.assess(1, 400)  # below the deductible: nothing will be due
    refused = desk.refused(FINANCE, "payment", "approve_payment", 1)
    assert (refused.code, refused.params["likely"]) == ("refusal.more_than_likely", cny(0))
    desk.assess(1, 6_500)
    desk.do(FINANCE, "payment", "approve_payment", 1)


def large(phone: str = "13800138000") -> Desk:
    """A claim that has to wait for a person, reported from this phone with a policy's number."""
    desk = Desk(policy=policy())
    items = (c.ItemAssessed("发动机", claimed=cny(30_000)),)
    heads = (c.ExposureReported("own_damage", "single_vehicle", items=items),)
    desk.report(own_damage(phone=phone, policy_number="PC-1", exposures=heads))
    return desk


def shown(desk: Desk) -> None:
    """Every paper that was asked for comes in."""
    desk.do(HANDLER, "claim", "request_papers")
    for number, paper in desk.case.papers.items():
        if paper.required and paper.state == "requested":
            assert not desk.case.payments, "not before the last of them"
            desk.do(INTAKE, "paper", "receive", number)


@pytest.mark.norm("1.3.1")
def test_a_rule_advances_nothing_on_what_was_said_alone():
    desk = large()
    assert not desk.case.payments
    shown(desk)
    assert [(p.kind, p.amount_minor) for p in desk.case.payments.values()] == [("advance", 1_000_000)]


@pytest.mark.norm("1.3.1")
def test_a_rule_advances_nothing_to_a_stranger_with_a_policy_number_until_somebody_saw_who_it_is():
    desk = large("13712345678")
    shown(desk)
    assert not desk.case.payments
    reporter = desk.case.party("reporter").part
    desk.do(HANDLER, "party", "check_identity", reporter, c.CheckIdentity("passport", "E12345678"))
    assert [p.kind for p in desk.case.payments.values()] == ["advance"]
