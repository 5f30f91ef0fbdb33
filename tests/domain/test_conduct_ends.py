"""What comes at the end (part 2): recoveries, limits given back, what cannot be entered, what an end is called."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from tests.domain.conduct_desk import (
    APPROVER,
    ASSESSOR,
    BANK,
    CARDS,
    FINANCE,
    HANDLER,
    INTAKE,
    LEAD,
    MANAGER,
    NOW,
    PROGRAM,
    SURVEYOR,
    Desk,
    cny,
    customer,
    desk,
    own_damage,
    party,
    policy,
    rulebook,
    small,
)

from lipei.domain import commands as c
from lipei.domain.claims import Note
from lipei.domain.limits import PolicyLedger, Usage
from lipei.domain.money import Money
from lipei.domain.reactions import STRAIGHT_THROUGH
from lipei.norms.texts import texts

__all__ = ["desk"]  # a fixture


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
