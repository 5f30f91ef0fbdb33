"""The course of a claim (parts 2 and 3): the customer, rules that keep still, rounds, the policy found later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.domain.conduct_desk import (
    APPROVER,
    ASSESSOR,
    BANK,
    CARDS,
    CODE,
    HANDLER,
    INTAKE,
    INVESTIGATOR,
    LEAD,
    NOW,
    ON_FILE,
    PROGRAM,
    SURVEYOR,
    Desk,
    cny,
    customer,
    desk,
    own_damage,
    papers_in,
    party,
    policy,
    rulebook,
    small,
    three_heirs,
)

from lipei.domain import commands as c
from lipei.domain import reactions
from lipei.domain.claims import Document
from lipei.domain.events import Actor
from lipei.domain.limits import PolicyLedger
from lipei.domain.money import Money
from lipei.domain.owing import given_besides_minor

__all__ = ["desk"]  # a fixture


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
