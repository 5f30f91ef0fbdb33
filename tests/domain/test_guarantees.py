"""A guarantee to a hospital (norm 2.3.2): a promise at any hour without an account, paid when it is asked for, set off later."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.domain.conduct_desk import (
    APPROVER,
    BANK,
    CARDS,
    FINANCE,
    HANDLER,
    LEAD,
    MANAGER,
    MANAGER2,
    Desk,
    cny,
    own_damage,
    party,
    policy,
    rulebook,
)

from lipei.domain import commands as c
from lipei.domain.claims import Exposure
from lipei.domain.lifecycle import possible
from lipei.domain.owing import given_besides_minor, guaranteed_open_minor, kept_minor
from lipei.domain.triage import is_injury

HOSPITAL, OTHER = 2, 3
BANK_CODE = "102290000000"
pytestmark = pytest.mark.norm("2.3.2")


@pytest.fixture
def desk() -> Desk:
    """A claim with two hospitals, of which nothing is known but the names."""
    desk = Desk(policy=policy())
    desk.report(own_damage(
        loss_kind="third_party_injury",
        parties=(
            party("陈一", ("injured", "claimant", "payee"), 1, phone="13900139001"),
            c.PartyReported(("hospital",), "市第一医院"), c.PartyReported(("hospital",), "市第二医院"),
        ),
        exposures=(c.ExposureReported("compulsory_medical", "third_party_injury", 1, cny(9000)),),
    ))  # fmt: skip
    return desk


def guarantee(yuan: int, hospital: int | None = HOSPITAL) -> c.OnAccount:
    return c.OnAccount(cny(yuan), hospital, "抢救")


def test_a_promise_needs_no_account_and_moves_no_money(desk: Desk) -> None:
    desk.do(HANDLER, "exposure", "guarantee", 1, guarantee(3000))
    head = desk.case.exposures[1]
    assert (head.guaranteed_minor, desk.case.payments) == (300000, {})
    assert guaranteed_open_minor(desk.case, 1) == 300000
    assert desk.refused(HANDLER, "exposure", "guarantee", 1, guarantee(6001)).code == "refusal.more_than_likely"
    assert desk.refused(HANDLER, "claim", "cancel", 0, c.Reasoned("错报")).code == "refusal.guard.money_at_rest"
    assert desk.refused(LEAD, "exposure", "drop", 1, c.Reasoned("错报")).code == "refusal.guard.nothing_spent_on_it"


def test_only_a_hospital_is_given_one(desk: Desk) -> None:
    assert desk.refused(HANDLER, "exposure", "guarantee", 1, guarantee(100, 1)).fields == {
        "payee": "refusal.not_a_hospital"
    }
    assert desk.refused(HANDLER, "exposure", "guarantee", 1, guarantee(100, None)).fields == {
        "payee": "refusal.hospital_missing"
    }
    assert desk.refused(APPROVER, "exposure", "pay_guarantee", 1, guarantee(100)).kind == "permission"
    assert desk.refused(HANDLER, "exposure", "pay_guarantee", 1, guarantee(100)).code == "refusal.guard.guarantee_open"


def test_the_account_is_asked_for_when_it_is_paid_and_no_more_than_was_promised_goes_out(desk: Desk) -> None:
    desk.do(HANDLER, "exposure", "guarantee", 1, guarantee(3000))
    called = c.OnAccount(cny(2000), HOSPITAL)
    assert desk.refused(HANDLER, "exposure", "pay_guarantee", 1, called).code == "refusal.account_missing"
    desk.do(HANDLER, "party", "correct", HOSPITAL, c.PartyReported(account_number=CARDS[3], account_bank=BANK_CODE))
    other = desk.refused(HANDLER, "exposure", "pay_guarantee", 1, c.OnAccount(cny(1), OTHER))
    assert (other.code, other.params) == ("refusal.more_than_guaranteed", {"left": cny(0)})
    desk.do(HANDLER, "exposure", "pay_guarantee", 1, called)
    assert desk.refused(HANDLER, "exposure", "pay_guarantee", 1, called).params == {"left": cny(1000)}
    # An order taken back leaves the promise as it was.
    desk.do(FINANCE, "payment", "cancel", 1, c.Reasoned("账单有误"))
    assert guaranteed_open_minor(desk.case, 1) == 300000 == desk.case.exposures[1].guaranteed_minor
    desk.do(HANDLER, "exposure", "pay_guarantee", 1, called)
    desk.pay(2)
    assert guaranteed_open_minor(desk.case, 1) == 100000


@pytest.mark.norm("2.2.4")
def test_it_is_set_off_from_what_is_paid_later_and_the_rest_follows_when_it_is_released(desk: Desk) -> None:
    desk.do(HANDLER, "exposure", "guarantee", 1, guarantee(3000))
    desk.agreed(fault_percent=100)
    assert kept_minor(desk.case, (1,), 1) == 300000
    assert given_besides_minor(desk.case, (1,), 1) == 0, "promised is not paid"
    assert [(p.payee, p.amount_minor) for p in desk.case.payments.values()] == [(1, 600000)]
    desk.pay(1)
    assert desk.case.exposures[1].state == "agreed", "a promise is still open"
    desk.do(MANAGER, "party", "correct", HOSPITAL, c.PartyReported(account_number=CARDS[3], account_bank=BANK_CODE))
    desk.do(HANDLER, "exposure", "pay_guarantee", 1, c.OnAccount(cny(2500), HOSPITAL))
    desk.pay(2)
    assert (given_besides_minor(desk.case, (1,), 1), kept_minor(desk.case, (1,), 1)) == (250000, 50000)
    done = c.ReleaseGuarantee(HOSPITAL, "出院结算少于担保金额")
    desk.do(HANDLER, "exposure", "release_guarantee", 1, done)
    assert desk.case.exposures[1].guaranteed_minor == 250000
    assert [(p.payee, p.kind, p.amount_minor) for p in desk.case.payments.values()][2:] == [(1, "settlement", 50000)]
    desk.pay(3)
    assert (desk.case.exposures[1].state, desk.case.claim.state) == ("settled", "closed")
    assert not desk.case.recoveries


def test_a_promise_is_kept_although_the_head_of_loss_is_refused(desk: Desk) -> None:
    desk.do(HANDLER, "exposure", "guarantee", 1, guarantee(3000))
    desk.do(HANDLER, "exposure", "propose_refusal", 1, c.Propose("not_covered", "第八条", "不属于保险责任"))
    desk.do(APPROVER, "exposure", "refuse", 1)
    assert desk.case.claim.state != "closed", "the hospital has our word"
    desk.do(MANAGER, "party", "correct", HOSPITAL, c.PartyReported(account_number=CARDS[3], account_bank=BANK_CODE))
    desk.do(HANDLER, "exposure", "pay_guarantee", 1, c.OnAccount(cny(3000), HOSPITAL))
    desk.pay(1)
    assert (desk.case.claim.state, desk.case.recoveries) == ("closed", {})


def test_nothing_paid_and_all_released_leaves_nothing(desk: Desk) -> None:
    desk.do(HANDLER, "exposure", "guarantee", 1, guarantee(3000))
    assert desk.refused(HANDLER, "exposure", "release_guarantee", 1, c.ReleaseGuarantee(HOSPITAL)).fields == {
        "reason": "refusal.reason_missing"
    }
    desk.do(HANDLER, "exposure", "release_guarantee", 1, c.ReleaseGuarantee(HOSPITAL, "改由医保结算"))
    head = desk.case.exposures[1]
    assert (head.guaranteed_minor, head.guarantees) == (0, ())
    desk.do(HANDLER, "claim", "cancel", 0, c.Reasoned("错报"))


@pytest.mark.norm("2.2.4")
def test_a_promise_above_what_is_due_keeps_all_of_it_and_nothing_is_to_be_returned(desk: Desk) -> None:
    desk.do(HANDLER, "exposure", "guarantee", 1, guarantee(8500))
    desk.agreed(yuan=8000, fault_percent=100)
    assert (kept_minor(desk.case, (1,), 1), given_besides_minor(desk.case, (1,), 1)) == (800000, 0)
    assert (desk.case.payments, desk.case.recoveries) == ({}, {})
    desk.do(HANDLER, "exposure", "release_guarantee", 1, c.ReleaseGuarantee(HOSPITAL, "改由医保结算"))
    assert [(p.payee, p.amount_minor) for p in desk.case.payments.values()] == [(1, 800000)]


@pytest.mark.norm("4")
def test_above_the_threshold_a_second_person_says_the_same(desk: Desk) -> None:
    book = rulebook()
    four_eyes = {**book.authority.four_eyes_minor, "guarantee": {"CNY": 100_000}}
    desk.more["rulebook"] = replace(book, authority=replace(book.authority, four_eyes_minor=four_eyes))
    desk.do(HANDLER, "exposure", "guarantee", 1, guarantee(600))
    assert desk.case.exposures[1].guaranteed_minor == 60000
    desk.do(HANDLER, "exposure", "guarantee", 1, guarantee(500))  # together they are above
    assert [e.kind for e, _ in desk.log][-1] == "exposure.guarantee_first_given"
    assert desk.case.exposures[1].guaranteed_minor == 60000 == guaranteed_open_minor(desk.case, 1)
    assert desk.refused(HANDLER, "exposure", "guarantee", 1, guarantee(500)).code == "refusal.authority.own_work"
    desk.do(LEAD, "exposure", "guarantee", 1, guarantee(500))
    assert desk.case.exposures[1].guaranteed_minor == 110000
    desk.do(MANAGER, "party", "correct", HOSPITAL, c.PartyReported(account_number=CARDS[3], account_bank=BANK_CODE))
    desk.do(HANDLER, "exposure", "pay_guarantee", 1, c.OnAccount(cny(1100), HOSPITAL))
    desk.do(FINANCE, "payment", "approve_payment", 1)  # the second person has spoken already
    assert desk.case.payments[1].state == "approved"


def test_beyond_ones_authority_nobody_promises(desk: Desk) -> None:
    desk.do(MANAGER2, "exposure", "correct", 1, c.CorrectExposure("third_party", "third_party_injury"))
    desk.do(MANAGER2, "exposure", "set_reserve", 1, c.SetReserve(cny(80_000), "重伤"))
    assert desk.refused(HANDLER, "exposure", "guarantee", 1, guarantee(20_001)).kind == "permission"
    desk.do(HANDLER, "exposure", "guarantee", 1, guarantee(20_000))
    assert desk.refused(BANK, "exposure", "guarantee", 1, guarantee(1)).kind == "permission"


@pytest.mark.parametrize(
    ("cover", "peril", "treats"),
    [
        ("own_damage", "single_vehicle", False),
        ("compulsory_property", "third_party_property", False),
        ("third_party", "third_party_property", False),
        ("third_party", "third_party_injury", True),
        ("compulsory_medical", "third_party_injury", True),
        ("compulsory_death_disability", "third_party_injury", True),
        ("driver_passenger", "collision", True),
    ],
)
def test_it_is_given_on_a_head_of_loss_for_somebodys_body_and_on_no_other(cover: str, peril: str, treats: bool) -> None:
    desk = Desk(policy=policy(schedule={}))
    hospital = c.PartyReported(("hospital",), "市第一医院")
    head = c.ExposureReported(cover, peril, reserve=cny(9000))
    desk.report(own_damage(loss_kind=peril, rescue=True, injured=1, parties=(hospital,), exposures=(head,)))
    steps = {(s.subject, s.action) for s, _ in possible(case=desk.case, actor=HANDLER, book=rulebook(), now=desk.now)}
    assert (("exposure", "guarantee") in steps) is treats
    if not treats:
        refused = desk.refused(HANDLER, "exposure", "guarantee", 1, guarantee(100, None))
        assert (refused.code, refused.kind) == ("refusal.guard.for_an_injury", "state")


def test_what_was_promised_on_another_head_before_is_still_paid_or_released(desk: Desk) -> None:
    desk.do(HANDLER, "exposure", "guarantee", 1, guarantee(3000))
    own = replace(desk.case.exposures[1], cover="own_damage", peril="single_vehicle")
    desk.case = replace(desk.case, parts={**desk.case.parts, "exposure": {1: own}})
    desk.do(HANDLER, "exposure", "release_guarantee", 1, c.ReleaseGuarantee(HOSPITAL, "改由医保结算"))


def test_a_cover_that_an_edited_table_counts_as_an_injury_still_counts() -> None:
    own = Exposure(1, cover="own_damage", peril="glass")
    book = rulebook()
    assert not is_injury(own, book.triage, book.products)
    assert is_injury(own, replace(book.triage, injury_covers=frozenset({"own_damage"})), book.products)
