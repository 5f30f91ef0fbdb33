"""Who may do what with whose sum (parts 2 and 4): several hands, authority, nothing twice, identity."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.domain.conduct_desk import (
    APPROVER,
    APPROVER2,
    ASSESSOR,
    BANK,
    CARDS,
    FINANCE,
    FINANCE2,
    HANDLER,
    INTAKE,
    LEAD,
    MANAGER,
    MANAGER2,
    NOW,
    PROGRAM,
    Desk,
    cny,
    customer,
    desk,
    lent,
    own_damage,
    papers_in,
    party,
    policy,
    rulebook,
    staff,
    three_heirs,
)

from lipei.domain import commands as c
from lipei.domain import lifecycle
from lipei.domain.events import Actor
from lipei.domain.limits import PolicyLedger

__all__ = ["desk"]  # a fixture


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
