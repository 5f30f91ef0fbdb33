"""The rules under pressure: who may not, what is not paid twice, what a person's hand means, what cannot be entered."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.domain.conduct_desk import (
    APPROVER,
    APPROVER2,
    ASSESSOR,
    BANK,
    CARDS,
    CODE,
    FINANCE,
    FINANCE2,
    HANDLER,
    INTAKE,
    INVESTIGATOR,
    LEAD,
    MANAGER,
    MANAGER2,
    NOW,
    ON_FILE,
    PROGRAM,
    SURVEYOR,
    Desk,
    cny,
    customer,
    lent,
    own_damage,
    party,
    policy,
    rulebook,
    staff,
)

from lipei.domain import commands as c
from lipei.domain import lifecycle, reactions
from lipei.domain.claims import Document, Note
from lipei.domain.events import Actor
from lipei.domain.limits import PolicyLedger, Usage
from lipei.domain.money import Money
from lipei.domain.owing import given_besides_minor
from lipei.domain.reactions import STRAIGHT_THROUGH
from lipei.norms.texts import texts


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


# --- maker, checker, payer --------------------------------------------------------------------------------------------


@pytest.mark.norm("4")
def test_three_stand_behind_a_sum_and_a_fourth_lets_it_go(desk):
    desk.report()
    both = staff(2, "team_lead", "assessor", "approver")
    desk.assess(actor=both)
    assert desk.refused(both, "exposure", "check_assessment", 1).kind == "permission"
    desk.do(ASSESSOR, "exposure", "check_assessment", 1)
    desk.do(HANDLER, "exposure", "submit_decision", 1)
    for maker in (both, staff(9, "assessor", "approver"), staff(1, "handler", "approver")):
        assert desk.refused(maker, "exposure", "approve_decision", 1).kind == "permission"
    desk.do(APPROVER, "exposure", "approve_decision", 1)
    desk.send()
    desk.agree()
    for payer in (both, staff(9, "assessor", "finance"), staff(3, "approver", "finance")):
        assert desk.refused(payer, "payment", "approve_payment", 1).kind == "permission"
    desk.do(FINANCE, "payment", "approve_payment", 1)


@pytest.mark.norm("4")
def test_a_program_is_no_way_around_oneself(desk):
    """A token with a person's roles is that person's hand: it neither checks what the token nor what the person made."""
    token = Actor("token:7", "token", frozenset({"assessor"}), unit="shanghai", on_behalf_of=ASSESSOR.id)
    desk.report()
    desk.assess(actor=token)
    assert desk.refused(token, "exposure", "check_assessment", 1).code == "refusal.guard.not_the_assessor"
    desk.assess(actor=ASSESSOR)
    assert desk.refused(token, "exposure", "check_assessment", 1).code == "refusal.guard.not_the_assessor"


@pytest.mark.norm("4")
def test_authority_lent_does_not_make_one_person_two():
    desk = Desk(policy=policy(), delegations=(lent(APPROVER, LEAD),))
    desk.report(own_damage(exposures=(c.ExposureReported("own_damage", "single_vehicle", reserve=cny(120000)),)))
    desk.assess(yuan=120000, actor=ASSESSOR)
    desk.do(MANAGER, "exposure", "check_assessment", 1)
    desk.do(HANDLER, "exposure", "submit_decision", 1)
    desk.do(LEAD, "exposure", "approve_decision", 1)  # 119,500: above the lead's own 100,000, and four eyes
    assert desk.case.exposures[1].state == "submitted"
    assert desk.case.exposures[1].approvals == (f"{LEAD.id}/{APPROVER.id}",)
    assert desk.refused(APPROVER, "exposure", "approve_decision", 1).kind == "permission"  # whose authority was used
    desk.do(APPROVER2, "exposure", "approve_decision", 1)
    assert desk.case.exposures[1].state == "approved"


def offered(desk: Desk, actor: Actor) -> set[tuple[str, int]]:
    """The steps on payments that are drawn as buttons for this person."""
    steps = lifecycle.possible(case=desk.case, actor=actor, book=rulebook(), now=desk.now)
    return {(step.action, part) for step, part in steps if step.subject == "payment"}


@pytest.mark.norm("2.2.4")
def test_money_on_account_goes_to_the_claimant_or_who_stands_in_for_them(desk):
    hurt, garage = party("李雷", ("injured", "third_party"), 1), party("安顺修理厂", ("repairer",), 2, person=False)
    agent = party("张三", ("agent",), 3, acts_for=1, mandate="power_of_attorney")
    desk.report(
        own_damage(
            parties=(party("王小明", ("reporter", "insured", "claimant"), phone="13800138000"), hurt, garage, agent)
        )
    )
    assert desk.case.exposures[1].claimant == 1
    wrong = {"payee": "refusal.payee_not_for_claimant"}
    assert desk.refused(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(1000), 2)).fields == wrong
    assert desk.refused(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(1000), 4)).fields == wrong, "not checked"
    desk.do(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(1000), 3, "修车"))
    changed = replace(desk.case.parties[4], mandate_checked_at=NOW)
    desk.case = replace(desk.case, parts={**desk.case.parts, "party": {**desk.case.parties, 4: changed}})
    desk.do(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(500), 4, "代收"))


@pytest.mark.norm("4")
def test_an_account_that_one_changed_one_does_not_pay_to(desk):
    desk.report()
    desk.agreed()
    desk.do(FINANCE2, "payment", "approve_payment", 1)
    changed = c.PartyReported(account_number=CARDS[1])
    desk.do(FINANCE, "party", "correct", 1, changed)
    assert desk.case.payments[1].state == "ordered"  # approved for another account: approved anew
    assert desk.case.payments[1].approved_by == ()
    assert desk.refused(FINANCE, "payment", "approve_payment", 1).code == "refusal.guard.not_the_account_giver"
    assert ("approve_payment", 1) not in offered(desk, FINANCE)
    assert ("approve_payment", 1) in offered(desk, FINANCE2)
    desk.do(FINANCE2, "payment", "approve_payment", 1)


@pytest.mark.norm("4")
def test_an_account_changed_for_one_payment_has_the_others_to_it_approved_anew(desk):
    desk.report()
    desk.assess()
    desk.do(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(1000), 1, "先付"))
    desk.agreed()
    for part in (1, 2):
        desk.do(FINANCE2, "payment", "approve_payment", part)
        desk.do(BANK, "payment", "submit", part)
        desk.do(BANK, "payment", "fail", part, c.Failed("AC04"))
    desk.do(FINANCE, "payment", "retry", 1, c.Retry(account_number=CARDS[1]))
    assert desk.case.payments[2].approved_by == ()
    desk.do(FINANCE, "payment", "retry", 2, c.Retry())
    assert [desk.case.payments[n].state for n in (1, 2)] == ["ordered", "ordered"]
    assert desk.refused(FINANCE, "payment", "approve_payment", 2).code == "refusal.guard.not_the_account_giver"
    assert ("approve_payment", 2) not in offered(desk, FINANCE)


@pytest.mark.norm("4")
def test_who_assessed_checked_or_decided_is_not_offered_the_payment(desk):
    desk.report()
    desk.agreed()
    case, worked = desk.case, {"assessed_by": LEAD.id, "checked_by": MANAGER.id, "decided_by": MANAGER2.id}
    head = replace(case.exposures[1], **worked)
    desk.case = replace(case, parts={**case.parts, "exposure": {1: head}})
    assert not {("approve_payment", 1)} & (offered(desk, LEAD) | offered(desk, MANAGER) | offered(desk, MANAGER2))
    failed = replace(case.payments[1], state="failed")
    desk.case = replace(case, parts={**desk.case.parts, "payment": {1: failed}})
    assert ("retry", 1) in offered(desk, MANAGER)
    assert ("retry", 1) not in offered(desk, MANAGER2)
    assert desk.refused(MANAGER2, "payment", "retry", 1).code == "refusal.guard.not_the_decider"


@pytest.mark.norm("2.2.4")
def test_an_account_whose_bank_is_not_known_is_not_paid_to(desk):
    bare = c.PartyReported(
        ("reporter", "insured", "claimant", "payee"), "王小明", "13800138000", account_number=CARDS[1]
    )
    desk.more["on_file"] = {}
    desk.report(own_damage(parties=(bare,)))
    desk.agreed()
    refused = desk.refused(FINANCE, "payment", "approve_payment", 1)
    assert (refused.code, refused.params) == ("refusal.bank_code", {"payee": 1})
    own = c.PartyReported(account_number=CARDS[2])
    assert desk.refused(customer(1), "party", "correct", 1, own).fields == {"account_bank": "refusal.bank_code"}
    odd = c.PartyReported(account_bank="工商银行")
    assert desk.refused(HANDLER, "party", "correct", 1, odd).fields == {"account_bank": "refusal.bank_code"}
    desk.do(HANDLER, "party", "correct", 1, c.PartyReported(account_bank="102290000000"))
    desk.do(FINANCE, "payment", "approve_payment", 1)


def test_an_iban_names_its_bank_itself(desk):
    iban = c.PartyReported(account_number="DE89 3704 0044 0532 0130 00")
    desk.report()
    desk.agreed()
    changed = replace(desk.case.parties[1], account_bank="")
    desk.case = replace(desk.case, parts={**desk.case.parts, "party": {1: changed}})
    desk.do(HANDLER, "party", "correct", 1, iban)
    desk.do(FINANCE, "payment", "approve_payment", 1)


def test_a_bank_code_alone_can_be_mended_for_paying_again(desk):
    desk.report()
    desk.agreed()
    desk.do(FINANCE2, "payment", "approve_payment", 1)
    desk.do(BANK, "payment", "submit", 1)
    desk.do(BANK, "payment", "fail", 1, c.Failed("RC01"))
    number = desk.case.parties[1].account_number
    desk.do(FINANCE, "payment", "retry", 1, c.Retry(account_bank="102290068319"))
    payee = desk.case.parties[1]
    assert (payee.account_number, payee.account_bank, payee.account_by) == (number, "102290068319", FINANCE.id)
    assert desk.case.payments[1].state == "ordered"


@pytest.mark.norm("4")
def test_a_written_off_sum_above_the_threshold_needs_two(desk):
    desk.report(own_damage(exposures=(c.ExposureReported("own_damage", "single_vehicle", reserve=cny(40000)),)))
    desk.agreed(yuan=40000)
    desk.do(MANAGER, "party", "check_identity", 1, c.CheckIdentity("passport", "E12345678"))
    desk.pay(1)
    desk.do(FINANCE, "recovery", "subrogate", 0, c.OpenRecovery(1, None, cny(30000), "责任方"))
    assert desk.refused(MANAGER, "recovery", "write_off", 1).kind == "fields"
    desk.do(MANAGER, "recovery", "write_off", 1, c.Reasoned("对方无力偿还"))
    assert desk.case.recoveries[1].state == "open"
    assert desk.refused(MANAGER, "recovery", "write_off", 1, c.Reasoned("再来")).kind == "permission"
    desk.do(MANAGER2, "recovery", "write_off", 1, c.Reasoned("对方无力偿还"))
    assert desk.case.recoveries[1].state == "written_off"


# --- authority everywhere ---------------------------------------------------------------------------------------------


def test_reserves_need_authority_at_registration_and_when_a_head_is_added():
    desk = Desk()
    desk.report()
    desk.policy, desk.ledger = policy(), PolicyLedger(id=1)
    named = c.Register("PC-1", (c.Reserve(1, cny(5000)),))
    assert desk.refused(INTAKE, "claim", "register", 0, named).code == "refusal.authority.none"
    above = c.Register("PC-1", (c.Reserve(1, cny(100_001)),))
    assert desk.refused(HANDLER, "claim", "register", 0, above).code == "refusal.authority.above_limit"
    desk.do(HANDLER, "claim", "register", 0, named)
    more = c.AddExposure("third_party", "third_party_property", reserve=cny(95_001))
    assert desk.refused(HANDLER, "exposure", "add", 0, more).code == "refusal.authority.above_limit"
    desk.do(HANDLER, "exposure", "add", 0, replace(more, reserve=cny(95_000)))


def test_money_on_account_is_of_what_will_be_due(desk):
    desk.report()
    assert desk.refused(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(9001))).code == "refusal.more_than_likely"
    desk.do(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(5000)))
    assert desk.refused(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(4001))).code == "refusal.more_than_likely"


def test_ex_gratia_needs_its_own_authority(desk):
    desk.report()
    desk.submit(ex_gratia=600)
    assert desk.case.exposures[1].ex_gratia_minor == 60000
    lead = desk.refused(LEAD, "exposure", "approve_decision", 1)
    assert lead.params["permission"] == "authority.ex_gratia"
    desk.do(APPROVER, "exposure", "approve_decision", 1)
    assert desk.case.exposures[1].state == "submitted"  # above 5,000: two persons
    desk.do(MANAGER, "exposure", "approve_decision", 1)
    assert desk.case.offers[1].amount_minor == 850000 + 60000


def test_nobody_closes_what_waits_for_a_decision_or_for_money(desk):
    desk.report()
    desk.do(HANDLER, "exposure", "propose_refusal", 1, c.Propose("not_covered", "第八条", "理由"))
    for action, command in (
        ("close_without_payment", c.Reasoned("零结")),
        ("cancel", c.Reasoned("注销")),
        ("link_duplicate", c.LinkDuplicate("C2")),
    ):
        assert desk.refused(HANDLER, "claim", action, 0, command).code == "refusal.guard.nothing_promised"


# --- nothing twice ----------------------------------------------------------------------------------------------------


@pytest.mark.norm("4")
def test_a_failed_payment_is_retried_or_replaced_but_not_both(desk):
    desk.report()
    desk.agreed()
    desk.do(FINANCE, "payment", "approve_payment", 1)
    desk.do(BANK, "payment", "submit", 1)
    desk.do(BANK, "payment", "fail", 1, c.Failed("AC04"))
    again = c.OrderPayment(1, 1, cny(8500))
    assert desk.refused(FINANCE, "payment", "order", 0, again).code == "refusal.more_than_due"
    desk.do(FINANCE, "payment", "cancel", 1, c.Reasoned("另开一笔"))
    desk.do(HANDLER, "payment", "order", 0, again)
    assert desk.refused(FINANCE, "payment", "retry", 1).kind == "state"
    desk.pay(2)
    assert desk.case.exposures[1].paid_minor == 850000
    assert desk.case.claim.state == "closed"


def test_a_failed_advance_is_not_paid_beside_the_whole_sum(desk):
    desk.report()
    desk.do(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(3000)))
    desk.do(FINANCE, "payment", "approve_payment", 1)
    desk.do(BANK, "payment", "submit", 1)
    desk.do(BANK, "payment", "fail", 1, c.Failed("AC04"))
    desk.agreed()
    assert [p.amount_minor for p in desk.case.payments.values()] == [300000, 550000]
    desk.do(FINANCE, "payment", "cancel", 1, c.Reasoned("不再预付"))
    assert desk.case.payments[3].amount_minor == 300000  # part of what is due again
    desk.pay(2)
    desk.pay(3)
    assert desk.case.exposures[1].paid_minor == 850000 and desk.case.exposures[1].state == "settled"


def thresholds(**minor: int) -> Any:
    """The shipped norm, with other sums above which two persons must agree."""
    book = rulebook()
    changed = {kind: {"CNY": sum_minor} for kind, sum_minor in minor.items()}
    four_eyes = {**book.authority.four_eyes_minor, **changed}
    return replace(book, authority=replace(book.authority, four_eyes_minor=four_eyes))


@pytest.mark.norm("2.2.4")
def test_money_on_account_above_its_threshold_takes_two_with_authority_over_it(desk):
    desk.more["rulebook"] = thresholds(advance=100_000)
    desk.report()
    desk.do(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(600), 1))
    desk.do(FINANCE, "payment", "approve_payment", 1)  # below it any payer may let it go
    desk.do(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(500), 1))
    refused = desk.refused(FINANCE, "payment", "approve_payment", 2)  # together they are above
    assert (refused.code, refused.params["permission"]) == ("refusal.authority.none", "authority.advance")
    assert refused.params["amount_minor"] == 110_000
    desk.do(LEAD, "payment", "approve_payment", 2)
    assert desk.case.payments[2].state == "approved"


def test_a_large_advance_is_seen_by_who_has_authority_and_then_by_another(desk):
    desk.report()
    desk.do(MANAGER2, "exposure", "set_reserve", 1, c.SetReserve(cny(80_000), "按报损估计"))
    desk.do(HANDLER, "party", "check_identity", 1, c.CheckIdentity("passport", "E1"))
    desk.do(LEAD, "exposure", "advance", 1, c.OnAccount(cny(60_000)))
    assert desk.refused(FINANCE, "payment", "approve_payment", 1).code == "refusal.authority.none"
    desk.do(MANAGER, "payment", "approve_payment", 1)
    assert desk.case.payments[1].state == "ordered"
    assert desk.refused(MANAGER, "payment", "approve_payment", 1).kind == "permission"
    desk.do(FINANCE, "payment", "approve_payment", 1)
    assert desk.case.payments[1].state == "approved"


def test_a_rule_is_not_the_second_of_two_persons(desk):
    desk.more["rulebook"] = thresholds(advance=100)
    heads = (c.ExposureReported("own_damage", "single_vehicle", items=(c.ItemAssessed("发动机", claimed=cny(30000)),)),)
    desk.report(own_damage(exposures=heads))
    papers_in(desk)
    assert [(p.kind, p.state) for p in desk.case.payments.values()] == [("advance", "ordered")]


def test_cancelling_the_last_order_settles_what_is_paid(desk):
    desk.report()
    desk.do(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(8500)))
    desk.agreed(yuan=8900)  # 8,400 by the terms: the advance is more than the final sum
    assert desk.case.exposures[1].state == "agreed"
    assert desk.refused(FINANCE, "payment", "approve_payment", 1).code == "refusal.more_than_due"
    desk.do(FINANCE, "payment", "cancel", 1, c.Reasoned("超过应付"))
    assert [p.amount_minor for p in desk.case.payments.values() if p.state == "ordered"] == [840000]


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


@pytest.mark.norm("2.2.4")
def test_shares_are_exact_and_each_waits_for_its_own_payee(desk):
    shares = three_heirs(desk, proved=(2, 3, 4))
    desk.approve(yuan=10501)  # 10,001.00 after the deductible
    desk.send(1, shares)
    for n in (2, 3, 4):
        desk.agree(1, customer(n))
    assert [(p.payee, p.amount_minor) for p in desk.case.payments.values()] == [(2, 333367), (3, 333367)]
    # The third heir's account comes later. It changes nothing for the other two.
    desk.do(customer(4), "party", "correct", 4, c.PartyReported(account_number=CARDS[3], account_bank="102290000000"))
    assert [(p.payee, p.amount_minor) for p in desk.case.payments.values()] == [(2, 333367), (3, 333367), (4, 333366)]
    assert sum(p.amount_minor for p in desk.case.payments.values()) == 1000100
    too_much = desk.refused(HANDLER, "payment", "order", 0, c.OrderPayment(1, 2, cny(1)))
    assert too_much.code == "refusal.more_than_due"


def test_an_order_by_hand_goes_to_who_was_agreed(desk):
    desk.report(own_damage(parties=(
        c.PartyReported(roles=("reporter", "insured", "claimant"), name="王小明", phone="13800138000"),
        party("某修理厂", ("repairer",), 1, person=False),
    )))  # fmt: skip
    desk.agreed()
    desk.do(FINANCE, "payment", "cancel", 1, c.Reasoned("改付"))
    assert desk.refused(HANDLER, "payment", "order", 0, c.OrderPayment(1, 2, cny(8500))).code == "refusal.more_than_due"
    desk.do(HANDLER, "payment", "order", 0, c.OrderPayment(1, 1, cny(8500)))


@pytest.mark.norm("4")
def test_a_mandate_fits_the_role(desk):
    three_heirs(desk, proved=(3,))
    other = desk.refused(HANDLER, "party", "check_identity", 2, c.CheckIdentity("passport", "E2", "power_of_attorney"))
    assert other.fields == {"mandate": "refusal.mandate_other"}
    refused = desk.refused(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(100), 2))
    assert refused.code == "refusal.mandate_not_checked"
    desk.do(HANDLER, "party", "check_identity", 2, c.CheckIdentity("passport", "E2", "inheritance"))
    desk.do(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(100), 2))
    # Whoever is to be somebody else, or act for somebody else, shows it again.
    desk.do(HANDLER, "party", "correct", 3, c.PartyReported(mandate="inheritance_all"))
    assert desk.case.parties[3].mandate_checked_at is None


def test_heirs_and_agents_say_for_whom(desk):
    report = own_damage(parties=(party("王大", ("heir",), 1), party("王二", ("agent",), 2, acts_for=9)))
    refused = desk.refused(PROGRAM, "claim", "report", 0, report)
    assert refused.fields == {
        "parties.1.acts_for": "refusal.acts_for_missing",
        "parties.2.acts_for": "refusal.party_unknown",
    }


@pytest.mark.norm("4")
def test_a_minor_is_paid_through_a_guardian(desk):
    child = "310101201501013578"
    desk.report(own_damage(parties=(
        c.PartyReported(roles=("reporter",), name="王小明", phone="13800138000"),
        party("小孩", ("claimant", "payee"), 1, id_type="resident_id", id_number=child),
    ), exposures=(c.ExposureReported("own_damage", "single_vehicle", 2, cny(9000)),)))  # fmt: skip
    assert desk.case.parties[2].born_on == "2015-01-01"
    advance = c.OnAccount(cny(100), 2)
    assert desk.refused(HANDLER, "exposure", "advance", 1, advance).code == "refusal.guardian_needed"
    mother = party("母亲", ("guardian",), 2, acts_for=2, mandate="guardianship")
    desk.do(HANDLER, "party", "add", 0, mother)
    assert desk.refused(HANDLER, "exposure", "advance", 1, advance).code == "refusal.guardian_needed"
    desk.do(
        HANDLER, "party", "check_identity", max(desk.case.parties), c.CheckIdentity("passport", "E9", "guardianship")
    )
    desk.do(HANDLER, "exposure", "advance", 1, advance)


@pytest.mark.norm("2.2.4")
@pytest.mark.parametrize("own_account", [0, 1])
def test_a_child_without_an_account_is_paid_to_the_guardian_whoever_is_named_payee(desk, own_account):
    child = party("小孩", ("claimant",), own_account, id_type="resident_id", id_number="310101201501013578")
    mother = party("母亲", ("guardian",), 2, acts_for=2, mandate="guardianship")
    desk.report(own_damage(parties=(
        c.PartyReported(roles=("reporter",), name="王小明", phone="13800138000"), child, mother,
    ), exposures=(c.ExposureReported("own_damage", "single_vehicle", 2, cny(9000)),)))  # fmt: skip
    desk.approve()
    desk.send()
    desk.do(HANDLER, "party", "check_identity", 3, c.CheckIdentity("passport", "E9", "guardianship"))
    desk.agree()
    assert [(p.payee, p.amount_minor) for p in desk.case.payments.values()] == [(2 if own_account else 3, 850_000)]


# --- the customer -----------------------------------------------------------------------------------------------------


@pytest.fixture
def two(desk) -> Desk:
    """A claim with the insured (1) and an injured third party (2)."""
    desk.report(own_damage(
        loss_kind="collision", injured=1,
        parties=(
            c.PartyReported(roles=("reporter", "insured", "claimant", "payee"), name="王小明", phone="13800138000"),
            party("陈一", ("injured", "claimant"), 1, phone="13900139001"),
        ),
        exposures=(
            c.ExposureReported("own_damage", "collision", 1, cny(9000)),
            c.ExposureReported("compulsory_medical", "third_party_injury", 2, cny(3000)),
        ),
    ))  # fmt: skip
    return desk


@pytest.mark.norm("4")
def test_customers_reach_their_own_and_no_further(two):
    me, other, elsewhere = customer(1), customer(2), customer(1, number="C2")
    moved = c.PartyReported(phone="13900139009")
    assert two.refused(other, "party", "correct", 1, moved).code == "refusal.not_yours"
    assert two.refused(elsewhere, "party", "correct", 1, moved).code == "refusal.not_permitted"
    assert two.refused(customer(9), "party", "correct", 1, moved).code == "refusal.not_yours"
    two.do(other, "party", "correct", 2, moved)
    two.approve(1)
    two.send(1)
    assert two.refused(other, "offer", "send_code", 1).code == "refusal.not_yours"
    assert two.refused(other, "offer", "decline", 1, c.Reasoned("不")).code == "refusal.not_yours"
    assert two.refused(other, "claim", "withdraw", 0, c.Reasoned("不要了")).code == "refusal.not_yours"
    two.agree(1, me)
    for subject, action in (
        ("exposure", "assess"),
        ("exposure", "approve_decision"),
        ("payment", "order"),
        ("claim", "assign"),
    ):
        assert two.refused(me, subject, action, 0 if action in ("order", "assign") else 1).kind == "permission"


def test_customers_cannot_become_somebody_else(two):
    said = {
        "roles": {"roles": ("insured", "payee")}, "acts_for": {"acts_for": 1}, "mandate": {"mandate": "inheritance"},
        "name": {"name": "王小明"},
    }  # fmt: skip
    for field, entries in said.items():
        refused = two.refused(customer(2), "party", "correct", 2, c.PartyReported(**entries))
        assert refused.fields[field] == "refusal.ask_us"
    stranger = c.PartyReported(account_number=CARDS[2], account_name="李四")
    assert two.refused(customer(2), "party", "correct", 2, stranger).fields == {
        "account_name": "refusal.account_name_differs"
    }


def test_customers_agree_to_the_shares_that_were_offered(desk):
    shares = three_heirs(desk, proved=(2, 3, 4))
    desk.approve()
    desk.send(1, shares)
    desk.do(customer(2), "offer", "send_code", 1)
    mine = c.Agree(CODE, (c.Share(2, 1, 1),))
    assert desk.refused(customer(2), "offer", "agree", 1, mine).fields == {"shares": "refusal.shares_fixed"}
    desk.do(customer(2), "offer", "agree", 1, c.Agree(CODE, shares))


def test_customers_send_a_paper_to_have_it_received(two):
    two.do(HANDLER, "claim", "request_papers")
    papers = two.case.papers
    mine = next(n for n, p in papers.items() if p.asked_of == 1)
    theirs = [n for n, p in papers.items() if p.asked_of == 2]
    assert two.refused(customer(1), "paper", "receive", mine).fields == {"documents": "refusal.document_missing"}
    two.case = replace(two.case, parts={**two.case.parts, "document": {1: Document(1, digest="d")}})
    two.do(customer(1), "paper", "receive", mine, c.Receive((1,)))
    for n in theirs:
        assert two.refused(customer(1), "paper", "receive", n, c.Receive((1,))).code == "refusal.not_yours"


# --- a person's hand, and automation's silence ------------------------------------------------------------------------


@pytest.mark.norm("1.3.1")
def test_straight_through_without_a_hand(desk):
    desk.report(small())
    papers_in(desk)
    assert desk.case.payments[1].state == "approved"
    assert {a.id for e, a in desk.log if e.subject == "exposure"} == {"system:straight-through"}


@pytest.mark.norm("3.2")
def test_what_is_drawn_for_sampling_goes_to_a_person(desk):
    everything = replace(rulebook(), settings=replace(rulebook().settings, sampling_rate_ppm=1_000_000))
    desk.more["rulebook"] = everything
    desk.report(small())
    papers_in(desk)
    assert desk.case.exposures[1].state == "open" and not desk.case.payments


@pytest.mark.norm("4")
def test_after_a_persons_hand_no_rule_goes_ahead(desk):
    desk.report(small())
    desk.do(INVESTIGATOR, "claim", "suspect", 0, c.Reasoned("照片像旧的"))
    papers_in(desk)
    assert desk.case.exposures[1].state == "open"
    desk.assess(yuan=2650, actor=SURVEYOR)
    desk.do(ASSESSOR, "exposure", "return_for_rework", 1, c.Reasoned("看看工时"))
    desk.do(INVESTIGATOR, "claim", "clear_suspicion", 0, c.Reasoned("是新照片"))
    assert desk.case.exposures[1].state == "open" and not desk.case.offers


@pytest.mark.norm("1.3.1")
def test_a_suspicion_cleared_lets_the_rule_go_on(desk):
    desk.report(small())
    desk.do(INVESTIGATOR, "claim", "suspect", 0, c.Reasoned("照片像旧的"))
    papers_in(desk)
    assert not desk.case.payments
    desk.do(INVESTIGATOR, "claim", "clear_suspicion", 0, c.Reasoned("是新照片"))
    assert desk.case.payments[1].state == "approved"


def test_a_suspicion_stops_the_rule_before_the_money(desk):
    desk.report(small(accept_automatic=False))
    papers_in(desk)
    assert desk.case.offers[1].state == "sent"
    desk.do(INVESTIGATOR, "claim", "suspect", 0, c.Reasoned("照片像旧的"))
    desk.agree()
    assert desk.case.payments[1].state == "ordered"  # for a person to let go, or not
    desk.do(INVESTIGATOR, "claim", "clear_suspicion", 0, c.Reasoned("是新照片"))
    assert desk.case.payments[1].state == "approved"


def test_no_rule_goes_ahead_of_a_visit_or_a_death(desk):
    desk.report(small())
    desk.do(HANDLER, "survey", "schedule", 0, c.ScheduleSurvey(at=NOW + timedelta(hours=3), place="车库", surveyor=12))
    papers_in(desk)
    assert desk.case.exposures[1].state == "open"
    other = Desk(policy=policy())
    other.report(small(deaths=1))
    papers_in(other)
    assert other.case.exposures[1].state == "open"


def test_no_rule_pays_to_an_account_that_a_colleague_changed(desk):
    desk.report(small())
    desk.do(INTAKE, "party", "correct", 1, c.PartyReported(account_number=CARDS[1]))
    papers_in(desk)
    assert desk.case.exposures[1].state == "open"


@pytest.mark.norm("1.3.1")
def test_an_advance_by_rule_needs_no_hand_either(desk):
    heads = (c.ExposureReported("own_damage", "single_vehicle", items=(c.ItemAssessed("发动机", claimed=cny(30000)),)),)
    desk.report(own_damage(exposures=heads))
    papers_in(desk)
    advance = desk.case.payments.get(1)
    assert advance is not None and (advance.kind, advance.state, advance.amount_minor) == (
        "advance",
        "approved",
        1000000,
    )


# --- rounds -----------------------------------------------------------------------------------------------------------


@pytest.mark.norm("4")
def test_reopened_everything_is_decided_anew(desk):
    desk.report()
    desk.agreed()
    desk.pay(1)
    desk.do(LEAD, "claim", "reopen", 0, c.Reasoned("复核"))
    again = desk.case.exposures[1]
    assert (again.state, again.approvals, again.decided_by, again.checked_by, again.submitted_by) == (
        "open",
        (),
        "",
        "",
        "",
    )
    assert desk.refused(APPROVER, "exposure", "approve_decision", 1).kind == "state"
    desk.agreed(yuan=10000)  # 9,500: the rest is paid, under the new offer
    assert [(p.offer, p.amount_minor) for p in desk.case.payments.values()] == [(1, 850000), (2, 100000)]


def test_an_offer_of_a_withdrawn_claim_cannot_be_agreed_to(desk):
    desk.report()
    desk.approve()
    desk.send()
    desk.do(PROGRAM, "offer", "send_code", 1)
    desk.do(INTAKE, "claim", "withdraw", 0, c.Reasoned("客户撤回"))
    assert desk.case.offers[1].state == "expired"
    desk.do(LEAD, "claim", "reopen", 0, c.Reasoned("客户改变主意"))
    assert desk.refused(PROGRAM, "offer", "agree", 1, c.Agree(CODE)).kind == "state"
    assert desk.refused(HANDLER, "offer", "send", 1).kind == "state"


def test_a_claim_reopened_before_its_policy_was_found_is_not_registered():
    desk = Desk()
    desk.report()
    desk.do(INTAKE, "claim", "withdraw", 0, c.Reasoned("客户撤回"))
    desk.do(LEAD, "claim", "reopen", 0, c.Reasoned("客户改变主意"))
    assert desk.case.claim.state == "reported" and desk.case.claim.registered_at is None


def test_rework_of_one_head_leaves_the_others_offer(desk):
    two_heads = (
        c.ExposureReported("own_damage", "collision", 1, cny(3000)),
        c.ExposureReported("own_damage", "glass", 1, cny(900)),
    )
    desk.report(own_damage(exposures=two_heads))
    desk.approve(1, 3000)
    desk.approve(2, 900)
    joint = desk.case.offers[1]
    assert (joint.exposures, joint.amount_minor) == ((1, 2), 250000 + 40000)
    desk.do(ASSESSOR, "exposure", "return_for_rework", 2, c.Reasoned("少了一项"))
    assert (desk.case.offers[1].exposures, desk.case.offers[1].amount_minor) == ((1,), 250000)
    desk.send(1)
    desk.do(PROGRAM, "offer", "decline", 1, c.Reasoned("太少"))
    desk.do(ASSESSOR, "exposure", "return_for_rework", 1, c.Reasoned("再看"))
    desk.approve(1, 3300)
    assert desk.refused(HANDLER, "offer", "send", 1).kind == "state"  # nothing is left of it
    assert desk.case.offers[2].amount_minor == 280000
    desk.send(2)


@pytest.mark.norm("2.2.4")
def test_a_declined_offer_has_its_undisputed_part_paid_and_an_expired_one_is_sent_again(desk):
    desk.report()
    desk.approve()
    desk.send()
    desk.now = NOW + timedelta(days=31)
    desk.do(BANK, "offer", "expire", 1)
    desk.send()
    assert desk.refused(BANK, "offer", "expire", 1).code == "refusal.guard.offer_past"
    desk.do(PROGRAM, "offer", "decline", 1, c.Reasoned("太少"))
    assert [(p.kind, p.amount_minor, p.state) for p in desk.case.payments.values()] == [("advance", 850000, "ordered")]
    assert (desk.case.payments[1].offer, desk.case.payments[1].called) == (1, "undisputed")
    desk.pay(1)
    desk.send()
    desk.agree()
    assert desk.case.exposures[1].state == "settled" and len(desk.case.payments) == 1  # all of it was paid already


@pytest.mark.norm("2.5.1")
def test_after_a_declined_offer_the_handler_reworks_it_and_offers_anew(desk):
    desk.report()
    desk.approve()
    denied = desk.refused(HANDLER, "exposure", "return_for_rework", 1, c.Reasoned("再看"))
    assert (denied.code, denied.kind) == ("refusal.guard.checker_or_turned_down", "permission")
    desk.send()
    desk.do(PROGRAM, "offer", "decline", 1, c.Reasoned("太少"))
    desk.do(HANDLER, "exposure", "return_for_rework", 1, c.Reasoned("修理厂报价更高"))
    first = desk.case.offers[1]
    assert (first.state, first.exposures, first.answer) == ("declined", (1,), "太少")  # history stays
    assert desk.refused(HANDLER, "offer", "send", 1).code == "refusal.guard.exposures_approved"
    desk.approve(1, 10000)
    assert desk.refused(HANDLER, "offer", "send", 1).code == "refusal.guard.offer_current"
    desk.send(2)
    desk.agree(2)
    assert [p.amount_minor for p in desk.case.payments.values()] == [850000, 100000]  # the rest of 9,500


@pytest.mark.norm("2.2.4")
@pytest.mark.parametrize("end", ["declined", "expired"])
def test_the_undisputed_part_is_paid_by_its_name_and_never_more(end, monkeypatch):
    desk = Desk(policy=policy())
    monkeypatch.setitem(reactions.REACTIONS, "offer.declined", ())  # as where no rule has the authority
    desk.report()
    assert desk.refused(HANDLER, "exposure", "pay_undisputed", 1).code == "refusal.guard.something_undisputed"
    desk.approve()
    assert desk.refused(HANDLER, "exposure", "pay_undisputed", 1).code == "refusal.guard.something_undisputed"
    desk.send()
    if end == "expired":
        desk.now = NOW + timedelta(days=31)
        desk.do(BANK, "offer", "expire", 1)
    else:
        desk.do(PROGRAM, "offer", "decline", 1, c.Reasoned("太少"))
    much = desk.refused(HANDLER, "exposure", "pay_undisputed", 1, c.PayUndisputed(cny(8501)))
    assert (much.code, much.params) == ("refusal.more_than_undisputed", {"undisputed": cny(8500)})
    dollars = c.PayUndisputed(Money(100, "USD"))
    assert desk.refused(HANDLER, "exposure", "pay_undisputed", 1, dollars).fields == {
        "amount": "refusal.currency_mixed"
    }
    desk.do(HANDLER, "exposure", "pay_undisputed", 1, c.PayUndisputed(cny(500)))
    desk.do(HANDLER, "exposure", "return_for_rework", 1, c.Reasoned("再看"))
    desk.do(HANDLER, "exposure", "pay_undisputed", 1, c.PayUndisputed())  # what was offered stays undisputed meanwhile
    assert [(p.kind, p.amount_minor) for p in desk.case.payments.values()] == [("advance", 50000), ("advance", 800000)]
    assert {p.called for p in desk.case.payments.values()} == {"undisputed"}
    assert given_besides_minor(desk.case, (1,), 1) == 850000, "what is due under the offer itself is due besides"
    assert desk.refused(HANDLER, "exposure", "pay_undisputed", 1).code == "refusal.guard.something_undisputed"


@pytest.mark.norm("2.5.1")
def test_a_declined_offer_is_agreed_to_by_nobody_until_it_is_sent_again(desk):
    """Who speaks for the same person cannot agree to what was declined; another claimant's offer is not touched by it."""
    wife = party("王芳", ("claimant",), 1)
    heads = (
        c.ExposureReported("own_damage", "collision", 1, cny(3000)),
        c.ExposureReported("own_damage", "glass", 2, cny(900)),
    )
    report = own_damage(exposures=heads)
    desk.report(replace(report, parties=(*report.parties, wife)))
    desk.approve(1, 3000)
    desk.approve(2, 900)
    desk.send(1)
    desk.send(2)
    desk.do(PROGRAM, "offer", "decline", 1, c.Reasoned("太少"))
    for who in (PROGRAM, HANDLER, customer(1)):
        assert desk.refused(who, "offer", "agree", 1, c.Agree(CODE)).kind in ("state", "permission")
    desk.agree(2)
    assert {n: o.state for n, o in desk.case.offers.items()} == {1: "declined", 2: "agreed"}
    desk.send(1)  # who declined thought better of it
    desk.agree(1)
    assert desk.case.offers[1].state == "agreed"


def test_an_offer_past_its_day_is_agreed_to_by_nobody(desk):
    desk.report(small(accept_automatic=False))
    papers_in(desk)
    desk.now = NOW + timedelta(days=30)
    straight_through = Actor("system:straight-through", "straight-through")
    assert desk.refused(straight_through, "offer", "agree", 1).code == "refusal.guard.offer_live"


# --- identity ---------------------------------------------------------------------------------------------------------


@pytest.mark.norm("4")
def test_an_identity_is_checked_by_a_document_that_was_seen(desk):
    desk.report()
    empty = desk.refused(HANDLER, "party", "check_identity", 1, c.CheckIdentity())
    assert empty.fields == {"id_type": "refusal.id_type_missing", "id_number": "refusal.id_number_missing"}
    for said, field in (
        (c.CheckIdentity("passport", "  "), "id_number"),
        (c.CheckIdentity("", "E12345678"), "id_type"),
        (c.CheckIdentity("resident_id", "110105194912310020"), "id_number"),  # no such number
    ):
        assert set(desk.refused(HANDLER, "party", "check_identity", 1, said).fields) == {field}
    desk.do(HANDLER, "party", "check_identity", 1, c.CheckIdentity("resident_id", "11010519491231002X"))
    assert desk.case.parties[1].identity_checked_at == desk.now
    # Checked again, by the same document written otherwise.
    desk.do(HANDLER, "party", "check_identity", 1, c.CheckIdentity("resident_id", "110105 19491231 002x"))
    assert desk.case.parties[1].identity_checked_at is not None


@pytest.mark.norm("4")
@pytest.mark.parametrize("seen", [("passport", "E99999999"), ("other", "E12345678")])
def test_a_document_that_is_not_the_one_on_file_proves_nothing_and_is_on_record(desk, seen):
    desk.report()
    desk.do(HANDLER, "party", "check_identity", 1, c.CheckIdentity("passport", "E12345678"))
    before = desk.case.parties[1]
    desk.do(HANDLER, "party", "check_identity", 1, c.CheckIdentity(*seen))
    after = desk.case.parties[1]
    assert after.identity_checked_at is None and after.id_number == before.id_number
    event = next(e for e, _ in desk.log if e.kind == "party.identity_differs")
    assert event.facts == {"id_type": seen[0]}, "no number stands in the journal"


# --- recoveries -------------------------------------------------------------------------------------------------------


def test_an_overpayment_is_asked_for_once(desk):
    desk.report()
    desk.agreed()
    desk.pay(1)
    desk.do(LEAD, "claim", "reopen", 0, c.Reasoned("复核"))
    early = desk.refused(FINANCE, "recovery", "recover_overpayment", 0, c.OpenRecovery(1))
    assert early.code == "refusal.guard.something_overpaid"
    desk.agreed(yuan=6000)
    assert [r.due_minor for r in desk.case.recoveries.values()] == [300000]
    for opener in (FINANCE, BANK):
        again = desk.refused(opener, "recovery", "recover_overpayment", 0, c.OpenRecovery(1))
        assert again.code == "refusal.guard.something_overpaid"
    desk.do(MANAGER, "recovery", "write_off", 1, c.Reasoned("小额"))
    assert (
        desk.refused(FINANCE, "recovery", "recover_overpayment", 0, c.OpenRecovery(1)).code
        == "refusal.guard.something_overpaid"
    )


def test_an_advance_on_a_refused_head_is_asked_back(desk):
    desk.report()
    desk.do(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(3000)))
    desk.do(HANDLER, "exposure", "propose_refusal", 1, c.Propose("not_covered", "第八条", "不属于保险责任"))
    desk.do(APPROVER, "exposure", "refuse", 1)
    assert desk.refused(FINANCE, "payment", "approve_payment", 1).code == "refusal.more_than_due"
    paid = Desk(policy=policy())
    paid.report()
    paid.do(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(3000)))
    paid.pay(1)
    paid.do(HANDLER, "exposure", "propose_refusal", 1, c.Propose("not_covered", "第八条", "不属于保险责任"))
    paid.do(APPROVER, "exposure", "refuse", 1)
    assert [r.due_minor for r in paid.case.recoveries.values()] == [300000]
    assert (paid.case.claim.state, paid.case.claim.outcome) == ("closed", "refused")  # money back is no payment
    again = paid.refused(FINANCE, "recovery", "recover_overpayment", 0, c.OpenRecovery(1))
    assert again.code == "refusal.guard.something_overpaid"


def test_an_advance_on_a_withdrawn_claim_is_asked_back(desk):
    desk.report()
    desk.do(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(3000)))
    desk.pay(1)
    desk.do(customer(1), "claim", "withdraw", 0, c.Reasoned("自行处理"))
    assert [(r.due_minor, r.debtor) for r in desk.case.recoveries.values()] == [(300000, 1)]


def test_an_advance_that_arrives_after_the_refusal_is_asked_back(desk):
    desk.report()
    desk.do(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(3000)))
    desk.do(FINANCE, "payment", "approve_payment", 1)
    desk.do(BANK, "payment", "submit", 1)
    desk.do(HANDLER, "exposure", "propose_refusal", 1, c.Propose("not_covered", "第八条", "不属于保险责任"))
    desk.do(APPROVER, "exposure", "refuse", 1)
    assert desk.case.claim.state == "paying" and not desk.case.recoveries
    desk.do(BANK, "payment", "confirm", 1)
    assert [r.due_minor for r in desk.case.recoveries.values()] == [300000]
    assert desk.case.claim.state == "closed"


def test_treatment_paid_for_at_the_hospital_is_not_asked_of_the_injured(desk):
    hospital = c.PartyReported(
        ("hospital",),
        "中山医院",
        person=False,
        account_number=CARDS[3],
        account_name="中山医院",
        account_bank="102290000000",
    )
    desk.report(own_damage(
        loss_kind="third_party_injury",
        parties=(c.PartyReported(("reporter", "insured", "claimant"), "王小明", "13800138000"), hospital),
        exposures=(c.ExposureReported("compulsory_medical", "third_party_injury", reserve=cny(9000)),),
    ))  # fmt: skip
    desk.do(HANDLER, "exposure", "guarantee", 1, c.OnAccount(cny(3000), 2, "抢救"))
    desk.do(HANDLER, "exposure", "pay_guarantee", 1, c.OnAccount(cny(3000)))
    desk.pay(1)
    desk.do(HANDLER, "exposure", "propose_refusal", 1, c.Propose("not_covered", "第八条", "不属于保险责任"))
    desk.do(APPROVER, "exposure", "refuse", 1)
    assert not desk.case.recoveries


def test_subrogation_is_for_no_more_than_was_paid_taken_together(desk):
    desk.report()
    desk.agreed()
    desk.pay(1)
    desk.do(FINANCE, "recovery", "subrogate", 0, c.OpenRecovery(1, None, cny(8000), "责任方"))
    assert desk.refused(
        FINANCE, "recovery", "subrogate", 0, c.OpenRecovery(1, None, cny(501), "又一责任方")
    ).fields == {"amount": "refusal.more_than_paid"}


# --- the ledger -------------------------------------------------------------------------------------------------------


def medical(desk: Desk) -> Desk:
    desk.report(own_damage(
        loss_kind="third_party_injury",
        parties=(
            c.PartyReported(roles=("reporter", "insured"), name="王小明", phone="13800138000"),
            party("陈一", ("injured", "claimant"), 1, phone="13900139001"),
        ),
        exposures=(c.ExposureReported("compulsory_medical", "third_party_injury", 2, cny(3000)),),
    ))  # fmt: skip
    return desk


@pytest.mark.norm("2.2.3")
def test_shared_limits_are_given_back_by_every_end_but_payment():
    for action, command, actor in (
        ("withdraw", c.Reasoned("撤回"), INTAKE),
        ("rework", None, None),
    ):
        desk = medical(Desk(policy=policy()))
        desk.approve(1, 3000, fault_percent=70)
        assert [u.amount_minor for u in desk.ledger.usages if not u.released] == [300000]
        if action == "rework":
            desk.do(ASSESSOR, "exposure", "return_for_rework", 1, c.Reasoned("再看"))
        else:
            desk.do(actor, "claim", action, 0, command)
        assert [u.amount_minor for u in desk.ledger.usages if not u.released] == []


def test_what_was_paid_under_a_limit_stays_taken_until_it_is_refused():
    desk = medical(Desk(policy=policy()))
    desk.agreed(1, 3000, fault_percent=70)
    desk.pay(1)
    desk.do(LEAD, "claim", "reopen", 0, c.Reasoned("复核"))
    assert [u.amount_minor for u in desk.ledger.usages if not u.released] == [300000]
    desk.do(HANDLER, "exposure", "propose_refusal", 1, c.Propose("not_covered", "第八条", "不属于保险责任"))
    desk.do(APPROVER, "exposure", "refuse", 1)
    assert [u for u in desk.ledger.usages if not u.released] == []
    assert desk.case.exposures[1].payable_minor == 0


def test_what_was_paid_on_account_stays_taken_while_the_sum_is_worked_out_anew():
    """Else another claim would get the same money of the limit once more."""
    desk = medical(Desk(policy=policy()))
    desk.do(HANDLER, "exposure", "set_reserve", 1, c.SetReserve(cny(3000), "住院押金"))
    desk.do(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(1000), desk.case.exposures[1].claimant, "急用"))
    desk.pay(1)
    desk.approve(1, 3000, fault_percent=70)
    assert [u.amount_minor for u in desk.ledger.usages if not u.released] == [300000]
    desk.do(APPROVER, "exposure", "return_for_rework", 1, c.Reasoned("再查"))
    assert [u.amount_minor for u in desk.ledger.usages if not u.released] == [100000]


def held(desk: Desk) -> list[int]:
    return [u.amount_minor for u in desk.ledger.usages if not u.released]


@pytest.mark.parametrize("back", ["the customer pays", "the bank returns it"])
def test_what_comes_back_after_a_claim_was_withdrawn_is_free_for_others_again(back):
    desk = medical(Desk(policy=policy()))
    desk.do(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(1000), desk.case.exposures[1].claimant, "急用"))
    desk.pay(1)
    desk.approve(1, 3000, fault_percent=70)
    desk.do(INTAKE, "claim", "withdraw", 0, c.Reasoned("撤回"))
    assert held(desk) == [100000]
    if back == "the bank returns it":
        desk.do(BANK, "payment", "give_back", 1, c.Failed("AC04"))
    else:
        desk.do(FINANCE, "recovery", "receive_recovery", 1, c.ReceiveRecovery(cny(400)))
        assert held(desk) == [60000]
        desk.do(FINANCE, "recovery", "receive_recovery", 1, c.ReceiveRecovery(cny(600)))
    assert held(desk) == []


def test_what_never_arrived_is_not_asked_back():
    desk = Desk(policy=policy())
    desk.report(own_damage())
    desk.do(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(8500), desk.case.exposures[1].claimant, "急用"))
    desk.pay(1)
    desk.approve(1, 8000)
    desk.send(max(desk.case.offers))
    desk.agree(max(desk.case.offers))
    assert desk.case.recoveries[1].state == "open" and desk.case.recoveries[1].due_minor == 100_000
    desk.do(BANK, "payment", "give_back", 1, c.Failed("AC04"))
    recovery = desk.case.recoveries[1]
    assert (recovery.state, recovery.due_minor, recovery.received_minor) == ("written_off", 0, 0)


def test_a_duplicate_gives_back_what_it_held():
    desk = medical(Desk(policy=policy(), alike=("C2",)))
    held = Usage(1, "compulsory_medical", "C1", "C1", 1, 300000)
    desk.ledger = PolicyLedger(id=1, parts={"usage": {1: held}})
    desk.do(HANDLER, "claim", "link_duplicate", 0, c.LinkDuplicate("C2"))
    assert desk.ledger.of("usage")[1].released
    assert (desk.case.claim.state, desk.case.exposures[1].state) == ("cancelled", "dropped")


# --- the policy found later -------------------------------------------------------------------------------------------


@pytest.mark.norm("1.3.3")
def test_a_policy_found_at_registration_brings_what_is_on_file():
    desk = Desk()
    desk.report(own_damage(phone="13800138000", line=""))
    assert desk.case.claim.state == "reported"
    desk.policy, desk.ledger = policy(), PolicyLedger(id=1)
    desk.do(HANDLER, "claim", "register", 0, c.Register("PC-1"))
    claim, insured = desk.case.claim, desk.case.party("insured")
    assert (claim.policy_id, claim.policy_number, claim.product, claim.line) == (1, "PC-1", "private_car", "motor")
    assert claim.terms_version == 2 and claim.state == "investigating"
    assert insured is not None and (insured.name, insured.account_number) == ("王小明", CARDS[0])
    desk.agreed()
    assert desk.case.payments[1].amount_minor == 850000


def test_who_reports_for_the_insured_is_not_paid_in_their_place():
    desk = Desk(policy=policy())
    desk.report(own_damage(phone="13900139000", name="邻居老李"))
    reporter, insured = desk.case.party("reporter"), desk.case.party("insured")
    assert reporter.roles == ("reporter",)
    assert insured.part != reporter.part and {"claimant", "payee"} <= set(insured.roles)
    assert desk.case.exposures[1].claimant == insured.part


@pytest.mark.norm("2.3.3")
@pytest.mark.parametrize(("phone", "language"), [("13900139000", "zh-hant"), ("13800138000", "")])
def test_the_insured_is_written_to_in_the_language_of_the_policy_and_who_reports_in_that_of_the_report(phone, language):
    desk = Desk(policy=policy())
    desk.more["on_file"] = {**ON_FILE, "language": "zh-hant"}
    desk.report(own_damage(phone=phone, language="en"))
    assert desk.case.party("insured").language == language and desk.case.claim.language == "en"


def test_parties_keep_the_numbers_they_were_given(desk):
    report = own_damage(
        parties=(party("修理厂", ("repairer",), 1, person=False), party("陈一", ("claimant",), 2)),
        exposures=(c.ExposureReported("own_damage", "single_vehicle", 2, cny(9000)),),
    )
    desk.report(report)
    assert desk.case.parties[desk.case.exposures[1].claimant].name == "陈一"


def test_a_policy_in_another_currency_asks_for_its_sums_anew():
    desk = Desk()
    desk.report(
        own_damage(exposures=(c.ExposureReported("own_damage", "single_vehicle", reserve=Money(100000, "HKD")),))
    )
    assert desk.case.claim.currency == "HKD"
    desk.policy, desk.ledger = policy(), PolicyLedger(id=1)
    refused = desk.refused(HANDLER, "claim", "register", 0, c.Register("PC-1"))
    assert refused.fields == {"reserves.1": "refusal.policy_currency"}
    desk.do(HANDLER, "claim", "register", 0, c.Register("PC-1", (c.Reserve(1, cny(900)),)))
    assert (desk.case.claim.currency, desk.case.exposures[1].reserve_minor) == ("CNY", 90000)


def test_a_policy_in_another_currency_asks_for_the_estimate_anew():
    desk = Desk()
    desk.report(c.Report(story="追尾", phone="13800138000", line="motor", estimate=Money(100_000_000, "USD")))
    assert desk.case.claim.report_upwards
    desk.policy, desk.ledger = policy(), PolicyLedger(id=1)
    refused = desk.refused(HANDLER, "claim", "register", 0, c.Register("PC-1"))
    assert refused.fields == {"estimate": "refusal.policy_currency_estimate"}
    mixed = desk.refused(HANDLER, "claim", "register", 0, c.Register("PC-1", estimate=Money(100_000_000, "USD")))
    assert mixed.fields == {"estimate": "refusal.currency_mixed"}
    desk.do(HANDLER, "claim", "register", 0, c.Register("PC-1", estimate=cny(7_000_000)))
    claim = desk.case.claim
    assert (claim.currency, claim.estimate_minor, claim.report_upwards) == ("CNY", 700_000_000, True)


@pytest.mark.norm("4")
def test_a_loss_outside_the_policys_time_is_flagged_and_refused_by_nobody():
    desk = Desk(policy=policy(ends_at=NOW - timedelta(days=1)))
    desk.report(small())
    registered = next(e for e, _ in desk.log if e.kind == "claim.registered")
    assert registered.facts["in_force"] is False
    papers_in(desk)
    assert desk.case.exposures[1].state == "open"


# --- what cannot be entered -------------------------------------------------------------------------------------------

NAIVE = datetime(2026, 11, 23)
WRONG = (
    ("exposure", "assess", 1, c.Assess(facts={"fault_percent": 70.5}), "facts.fault_percent", "refusal.value_float"),
    ("exposure", "assess", 1, c.Assess(facts={"$t": "x"}), "facts", "refusal.unknown_field"),
    ("exposure", "assess", 1, c.Assess(facts={"x": {"$d": "no"}}), "facts.x", "refusal.value_form"),
    ("exposure", "assess", 1, c.Assess(facts={"x": object()}), "facts.x", "refusal.value_form"),
    ("exposure", "assess", 1, c.Assess(facts={"x": 10**30}), "facts.x", "refusal.out_of_bounds"),
    ("exposure", "assess", 1, c.Assess(facts="no"), "facts", "refusal.value_form"),
    ("exposure", "assess", 1, c.Assess(items=({"what": "x"},)), "items.1", "refusal.value_form"),
    (
        "exposure",
        "assess",
        1,
        c.Assess((c.ItemAssessed("x", assessed=cny(-1)),)),
        "items.1.assessed",
        "refusal.amount_negative",
    ),
    ("exposure", "set_reserve", 1, c.SetReserve(cny(10**9 + 1), "x"), "amount", "refusal.amount_absurd"),
    ("exposure", "set_reserve", 1, c.SetReserve(cny(-1), "x"), "amount", "refusal.amount_negative"),
    ("exposure", "set_reserve", 1, c.SetReserve(Money(1, "USD"), "x"), "amount", "refusal.currency_mixed"),
    ("exposure", "advance", 1, c.OnAccount(Money(1, "USD")), "amount", "refusal.currency_mixed"),
    ("exposure", "advance", 1, c.OnAccount(cny(0)), "amount", "refusal.amount_missing"),
    ("exposure", "advance", 1, c.OnAccount(cny(1), payee=-1), "payee", "refusal.out_of_bounds"),
    ("exposure", "propose_refusal", 1, c.Propose("x", "y" * 121, "z"), "clause", "refusal.too_long"),
    ("claim", "give_opinion", 0, c.GiveOpinion("x" * 4001), "text", "refusal.too_long"),
    ("claim", "give_opinion", 0, c.GiveOpinion("a\0b"), "text", "refusal.text_characters"),
    ("claim", "give_opinion", 0, c.GiveOpinion("\ud800"), "text", "refusal.text_characters"),
    ("claim", "triage", 0, c.Triage(injured=-1), "injured", "refusal.out_of_bounds"),
    ("claim", "triage", 0, c.Triage(injured=True), "injured", "refusal.not_a_number"),
    ("claim", "triage", 0, c.Triage(estimate=cny(-5)), "estimate", "refusal.amount_negative"),
    ("survey", "schedule", 0, c.ScheduleSurvey(at=NAIVE, place="x"), "at", "refusal.not_a_time"),
    (
        "survey",
        "schedule",
        0,
        c.ScheduleSurvey(at=NOW + timedelta(hours=1), place="x", exposure=9),
        "exposure",
        "refusal.unknown_exposure",
    ),
    ("party", "add", 0, c.PartyReported(roles=("king",)), "roles.1", "refusal.not_a_choice"),
    ("party", "add", 0, c.PartyReported(roles=("payee",), email="a@b"), "email", "refusal.email_impossible"),
    (
        "party",
        "add",
        0,
        c.PartyReported(roles=("payee",), id_number="310101201501013576"),
        "id_number",
        "refusal.resident_id_check_digit",
    ),
    ("claim", "request_papers", 0, c.RequestPapers(("nothing_like_it",)), "papers", "refusal.paper_unknown"),
    ("claim", "request_papers", 0, c.RequestPapers(("x",) * 101), "papers", "refusal.too_many"),
    ("claim", "give_opinion", 0, c.Nothing(), "command", "refusal.value_form"),
)


@pytest.mark.parametrize("subject, action, part, command, field, code", WRONG, ids=lambda v: str(v)[:30])
def test_what_is_wrong_is_named_and_nothing_raises(desk, subject, action, part, command, field, code):
    desk.report()
    assert desk.refused(HANDLER, subject, action, part, command).fields[field] == code


def test_a_checklist_is_looked_at_too(desk):
    desk.report()
    desk.do(HANDLER, "survey", "schedule", 0, c.ScheduleSurvey(at=NOW + timedelta(hours=1), place="车库", surveyor=12))
    refused = desk.refused(SURVEYOR, "survey", "record", 1, c.RecordSurvey("无异常", {"depth": 1.5}))
    assert refused.fields == {"checklist.depth": "refusal.value_float"}


REPORTS = (
    ({"loss_at": NAIVE}, "loss_at", "refusal.not_a_time"),
    ({"loss_at": NOW + timedelta(days=1)}, "loss_at", "refusal.loss_after_report"),
    ({"loss_at": datetime.min.replace(tzinfo=NOW.tzinfo)}, "loss_at", "refusal.year_impossible"),
    ({"phone": "12"}, "phone", "refusal.phone_impossible"),
    ({"email": "a b@c.d"}, "email", "refusal.email_impossible"),
    ({"story": " "}, "story", "refusal.story_missing"),
    ({"loss_kind": "baggage_loss"}, "loss_kind", "refusal.loss_kind_unknown"),
    (
        {"line": "travel", "loss_kind": "baggage_loss", "policy_number": "PC-1"},
        "policy_number",
        "refusal.policy_other_line",
    ),
    ({"estimate": Money(100, "USD")}, "estimate", "refusal.currency_mixed"),
    ({"estimate": Money(-100, "CNY")}, "estimate", "refusal.amount_negative"),
    (
        {"exposures": (c.ExposureReported("own_damage", reserve=Money(1, "USD")),)},
        "exposures.1.reserve",
        "refusal.currency_mixed",
    ),
    ({"exposures": (c.ExposureReported("own_damage", claimant=7),)}, "exposures.1.claimant", "refusal.party_unknown"),
    ({"exposures": (c.ExposureReported("hull"),)}, "exposures.1.cover", "refusal.cover_unknown"),
)


@pytest.mark.parametrize("said, field, code", REPORTS, ids=lambda v: str(v)[:30])
def test_a_report_says_all_that_is_wrong_with_it(desk, said, field, code):
    assert desk.refused(PROGRAM, "claim", "report", 0, own_damage(**said)).fields[field] == code


def test_unknown_parts_and_actions_are_missing_not_errors(desk):
    desk.report()
    assert desk.refused(HANDLER, "exposure", "assess", 9, c.Assess()).kind == "missing"
    assert desk.refused(HANDLER, "claim", "add_note", 1, c.Write("x")).kind == "missing"
    desk.case = replace(desk.case, parts={**desk.case.parts, "note": {1: Note(1)}})
    assert desk.refused(HANDLER, "claim", "add_note", 1, c.Write("x")).kind == "missing"


def test_every_code_of_the_rules_has_its_words():
    """No customer is ever shown a code: each that stands in the domain has a text in three languages."""
    found = set()
    for path in (Path(c.__file__).parent).rglob("*.py"):
        found |= set(re.findall(r'"(refusal\.[a-z_.]+[a-z])"', path.read_text(encoding="utf-8")))
    from lipei.domain.lifecycle import BY_CLOCK, BY_TABLES, GUARDS

    found |= {f"refusal.guard.{guard}" for guard in (*GUARDS, *BY_TABLES, *BY_CLOCK)}
    assert found - set(texts()) == set()


# --- telling the customer -----------------------------------------------------------------------------------------------


@pytest.mark.norm("2.2.2")
def test_who_was_told_what_is_on_record_and_no_text_in_the_journal(desk):
    desk.report()
    assert desk.case.claim.last_told_at is None
    case = desk.do(HANDLER, "claim", "tell_customer", 0, c.TellCustomer("已电话告知，请先修车。", "phone"))
    told = desk.log[-1][0]
    assert told.kind == "claim.customer_told"
    assert dict(told.facts) == {"to": "customer", "party": 1, "way": "phone", "exposure": 0, "note": 1}
    assert (case.of("note")[1].text, case.of("note")[1].kind) == ("已电话告知，请先修车。", "told")
    assert case.claim.last_told_at == desk.now


@pytest.mark.norm("2.2.2")
@pytest.mark.parametrize(
    ("said", "field", "code"),
    [
        ({"text": " "}, "text", "refusal.text_missing"),
        ({"way": "dream"}, "way", "refusal.not_a_choice"),
        ({"party": 9}, "party", "refusal.party_unknown"),
        ({"party": 2}, "party", "refusal.party_no_customer"),
        ({"exposure": 7}, "exposure", "refusal.unknown_exposure"),
        ({"letter": "refusal"}, "letter", "refusal.letter_by_phone"),
    ],
)
def test_telling_that_cannot_be_is_refused_by_field(desk, said, field, code):
    garage = c.PartyReported(("repairer",), "汇通汽修", person=False)
    me = c.PartyReported(("reporter", "insured", "claimant"), "王小明", "13800138000")
    desk.report(own_damage(parties=(me, garage)))
    refused = desk.refused(HANDLER, "claim", "tell_customer", 0, c.TellCustomer(**{"text": "说明", **said}))
    assert refused.fields == {field: code}


# --- what the end of a claim is called ------------------------------------------------------------------------------------


def test_what_the_deductible_ate_whole_ends_without_payment(desk):
    item = c.ItemAssessed("后视镜", claimed=cny(300))
    desk.report(small(exposures=(c.ExposureReported("own_damage", "single_vehicle", items=(item,)),)))
    desk.agreed(yuan=300)
    assert not desk.case.payments
    assert (desk.case.claim.state, desk.case.claim.outcome) == ("closed", "closed_without_payment")


def test_one_head_paid_and_one_refused_is_a_paid_claim(desk):
    one = c.ExposureReported("own_damage", "single_vehicle", reserve=cny(9000))
    desk.report(own_damage(exposures=(one, one)))
    desk.do(HANDLER, "exposure", "propose_refusal", 2, c.Propose("not_covered", "第八条", "不属于保险责任"))
    desk.do(APPROVER, "exposure", "refuse", 2)
    desk.agreed(1)
    desk.pay(1)
    assert (desk.case.claim.state, desk.case.claim.outcome) == ("closed", "paid")


@pytest.mark.norm("2.2.3")
def test_a_decision_without_papers_that_were_asked_for_is_made_by_who_says_why(desk):
    """A warning and no bar: the entry names what was missing, the note why; another head's papers do not matter."""
    desk.report(own_damage())
    desk.do(HANDLER, "claim", "request_papers")
    desk.assess()
    desk.do(ASSESSOR, "exposure", "check_assessment", 1)
    missing = desk.refused(HANDLER, "exposure", "submit_decision", 1)
    assert (missing.kind, missing.fields) == ("fields", {"without_papers": "refusal.papers_missing"})
    assert "driving_licence" in missing.params["papers"]
    for actor, action, kind in (
        (HANDLER, "submit_decision", c.SubmitDecision), (APPROVER, "approve_decision", c.ApproveDecision),
    ):  # fmt: skip
        desk.refused(actor, "exposure", action, 1, kind(without_papers="  "))
        before = len(desk.log)
        desk.do(actor, "exposure", action, 1, kind(without_papers="原件在交警处"))
        event = desk.log[before][0]
        assert event.facts["papers_missing"] == missing.params["papers"]
        assert desk.case.of("note")[event.facts["note"]].text == "原件在交警处"
    assert desk.case.exposures[1].state == "approved"


@pytest.mark.norm("2.2.3")
def test_papers_that_came_need_no_word_and_those_never_asked_for_only_where_a_manager_wants_it(desk):
    desk.report(own_damage())
    desk.assess()
    desk.do(ASSESSOR, "exposure", "check_assessment", 1)
    strict = replace(rulebook(), settings=replace(rulebook().settings, papers_missing_reason="always"))
    desk.more["rulebook"] = strict
    assert desk.refused(HANDLER, "exposure", "submit_decision", 1).code == "refusal.papers_missing"
    del desk.more["rulebook"]
    before = len(desk.log)
    desk.do(HANDLER, "exposure", "submit_decision", 1)
    facts = desk.log[before][0].facts
    assert "driving_licence" in facts["papers_missing"] and "note" not in facts, "recorded all the same"
    desk.do(APPROVER, "exposure", "return_for_rework", 1, c.Reasoned("先收齐单证"))
    desk.do(HANDLER, "claim", "request_papers")
    for number, paper in desk.case.papers.items():
        if paper.required:
            desk.do(INTAKE, "paper", "receive", number, c.Receive())
    desk.assess()
    desk.do(ASSESSOR, "exposure", "check_assessment", 1)
    before = len(desk.log)
    desk.do(HANDLER, "exposure", "submit_decision", 1)
    assert "papers_missing" not in desk.log[before][0].facts


@pytest.mark.norm("1.3.1")
def test_no_rule_decides_without_papers(desk):
    """Whatever a table lets through: what is missing goes to a person."""
    desk.report(own_damage())
    desk.assess()
    desk.do(ASSESSOR, "exposure", "check_assessment", 1)
    for word in ("", "系统"):
        found = desk.refused(STRAIGHT_THROUGH, "exposure", "submit_decision", 1, c.SubmitDecision(without_papers=word))
        assert found.code == "refusal.papers_missing"


@pytest.mark.norm("2.2.3")
def test_a_changed_reserve_keeps_its_reason_and_the_authority_behind_it(desk):
    desk.report(own_damage())
    for actor, limit in ((HANDLER, 10000000), (MANAGER, None)):
        before = len(desk.log)
        desk.do(actor, "exposure", "set_reserve", 1, c.SetReserve(cny(9500 + len(desk.log)), "查勘后调整"))
        event = desk.log[before][0]
        assert event.facts["authority"] == {"limit_minor": limit, "on_behalf_of": ""}
        assert desk.case.of("note")[event.facts["note"]].text == "查勘后调整"
        assert "查勘后调整" not in str([ch for ch in event.changes if ch.entity != "note"]), (
            "free text stands in the note"
        )


@pytest.mark.norm("2.2.3")
@pytest.mark.parametrize(("country", "paid", "doubt"), [("", True, False), ("CN", True, False), ("JP", False, True)])
def test_a_loss_outside_the_territory_goes_to_a_person_and_is_refused_by_nobody(desk, country, paid, doubt):
    desk.report(small(country=country))
    desk.do(HANDLER, "claim", "request_papers")
    for number in desk.case.papers:
        desk.do(INTAKE, "paper", "receive", number, c.Receive())
    assert bool(desk.case.payments) is paid
    head = desk.case.exposures[1]
    assert head.state not in ("refused", "refusal_proposed", "dropped")
    if not paid:
        desk.assess()
        assert "settlement.person.territory" in desk.case.exposures[1].settlement["needs_person"]
        assert desk.case.exposures[1].payable_minor > 0, "doubt cuts nothing"
        desk.do(LEAD, "claim", "triage", 0, c.Triage(country="CN"))
        desk.assess()
        assert not desk.case.exposures[1].settlement["needs_person"], "said wrongly at first: put right"


def test_a_country_is_a_code_of_the_norm():
    for wrong in ("cn", "XX", "C", "86"):
        found = Desk(policy=policy()).refused(PROGRAM, "claim", "report", 0, small(country=wrong))
        assert found.fields == {"country": "refusal.country_unknown"}, wrong
    desk = Desk(policy=policy())
    desk.report()
    assert desk.refused(HANDLER, "claim", "triage", 0, c.Triage(country="zz")).fields["country"]
    assert desk.do(HANDLER, "claim", "triage", 0, c.Triage(country="MO")).claim.country == "MO"
