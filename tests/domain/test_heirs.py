"""Somebody has died (norm part 4, 2.2.4, 2.4.1): who is written to, who may act, who agrees and who is paid in their place."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.domain.conduct_desk import (
    APPROVER,
    CARDS,
    CODE,
    FINANCE,
    HANDLER,
    NOW,
    PROGRAM,
    Desk,
    cny,
    customer,
    own_damage,
    party,
    policy,
    rulebook,
)

from lipei.domain import accounts, acting, customers, messages
from lipei.domain import commands as c
from lipei.domain.claims import Party
from lipei.domain.events import Event
from lipei.domain.rules.payments import shares_of

DEAD, WIDOW, SON = 1, 2, 3
TABLE = rulebook().messages
pytestmark = [pytest.mark.norm("4"), pytest.mark.norm("2.2.4")]


def heir(name: str, card: int, *roles: str, **more: Any) -> c.PartyReported:
    said = {"acts_for": DEAD, "mandate": "inheritance", **more}
    return party(name, ("heir", *roles), card, **said)


@pytest.fixture
def desk() -> Desk:
    """A driver has died. The widow reports; the son is named as the other heir; nothing is checked yet."""
    desk = Desk(policy=policy())
    desk.report(own_damage(insured_died=True, phone="", parties=(
        c.PartyReported(roles=("insured", "claimant"), name="王小明", phone="13800138000"),
        heir("李芳", 1, "reporter", phone="13900139001"),
        heir("王一", 2, phone="13900139002"),
    )))  # fmt: skip
    return desk


def prove(desk: Desk, number: int, mandate: str = "inheritance") -> None:
    desk.do(HANDLER, "party", "check_identity", number, c.CheckIdentity("passport", f"E{number}", mandate))


def told(desk: Desk, kind: str, part: int = 0, **facts: Any) -> dict[str, set[int]]:
    event = Event(kind, part, facts)
    due = messages.deliveries_for(case=desk.case, event=event, stream="claim:1", sequence=1, table=TABLE, now=desk.now)
    found: dict[str, set[int]] = {}
    for one in due:
        if one.to.party is not None:
            found.setdefault(one.message, set()).add(one.to.party)
    return found


def offered(desk: Desk, *shares: c.Share) -> None:
    desk.approve(yuan=10501)
    desk.send(1, shares or (c.Share(WIDOW, 1, 2), c.Share(SON, 1, 2)))


def test_a_report_says_that_the_insured_has_died_and_keeps_them_apart_from_who_reports() -> None:
    desk = Desk(policy=policy())
    # The widow reports from the phone that is on file for the insured.
    desk.report(own_damage(insured_died=True, name="李芳"), customer(1))
    widow, insured = desk.case.parties.values()
    assert (widow.roles, widow.deceased, widow.name) == (("reporter",), False, "李芳")
    assert (insured.roles, insured.deceased, insured.name) == (("insured", "claimant"), True, "王小明")
    assert (desk.case.claim.insured_died, desk.case.claim.deaths) == (True, 1)
    assert desk.case.exposures[1].claimant == insured.part


def test_who_has_died_cannot_have_reported() -> None:
    both = c.PartyReported(roles=("reporter", "insured"), name="王小明", phone="13800138000")
    desk = Desk(policy=policy())
    refused = desk.refused(PROGRAM, "claim", "report", 0, own_damage(insured_died=True, parties=(both,)))
    assert refused.fields == {"insured_died": "refusal.reporter_deceased"}
    refused = desk.refused(PROGRAM, "claim", "report", 0, own_damage(parties=(replace(both, deceased=True),)))
    assert set(refused.fields.values()) == {"refusal.reporter_deceased"}


def test_a_policy_found_later_knows_that_its_insured_has_died() -> None:
    desk = Desk()
    desk.report(own_damage(insured_died=True, name="李芳", line="motor"))
    assert [(p.roles, p.deceased) for p in desk.case.parties.values()] == [
        (("reporter",), False), (("insured", "claimant"), True)
    ]  # fmt: skip
    desk.policy = policy()
    desk.do(HANDLER, "claim", "register", 0, c.Register("PC-1"))
    assert desk.case.parties[1].roles == ("reporter",), "the same phone makes nobody the insured"
    assert (desk.case.parties[2].name, desk.case.parties[2].deceased) == ("王小明", True)


@pytest.mark.norm("2.4.1")
def test_nothing_goes_to_the_dead(desk: Desk) -> None:
    assert told(desk, "claim.opinion_given") == {"opinion": {WIDOW}}  # to the insured and to who reported
    prove(desk, WIDOW)
    prove(desk, SON)
    assert told(desk, "claim.opinion_given") == {"opinion": {WIDOW, SON}}
    offered(desk)
    assert told(desk, "offer.sent", 1)["offer_sent"] == {WIDOW, SON}
    desk.do(HANDLER, "party", "check_identity", SON, c.CheckIdentity("passport", "E3", "inheritance_all"))
    assert acting.addressees(desk.case, DEAD) == (SON,), "who speaks for all is written to for all"


@pytest.mark.norm("2.2.2")
def test_papers_are_asked_of_who_reported_and_brought_by_them(desk: Desk) -> None:
    desk.do(HANDLER, "claim", "request_papers")
    assert {p.asked_of for p in desk.case.papers.values()} == {WIDOW}
    assert told(desk, "claim.papers_requested") == {"papers_request": {WIDOW}}
    # Asked of the insured before the death was known, they are the reporter's to bring.
    papers = {n: replace(p, asked_of=DEAD) for n, p in desk.case.papers.items()}
    case = replace(desk.case, parts={**desk.case.parts, "paper": papers})
    assert customers.brings(case, WIDOW, DEAD) and not customers.brings(case, SON, DEAD)


def test_of_the_dead_without_anybody_nobody_is_written_to() -> None:
    desk = Desk(policy=policy())
    desk.report()
    desk.do(HANDLER, "party", "correct", 1, c.PartyReported(deceased=True))
    assert acting.addressees(desk.case, 1) == ()
    assert told(desk, "claim.closed") == {}
    gone = c.TellCustomer("已电话告知", party=1)
    assert desk.refused(HANDLER, "claim", "tell_customer", 0, gone).fields == {"party": "refusal.party_deceased"}


def test_the_dead_do_not_act_and_are_not_paid(desk: Desk) -> None:
    assert desk.refused(customer(DEAD), "claim", "add_note", 0, c.Write("在吗")).code == "refusal.not_yours"
    advance = c.OnAccount(cny(100), DEAD)
    desk.do(HANDLER, "party", "correct", DEAD, c.PartyReported(account_number=CARDS[3]))
    refused = desk.refused(HANDLER, "exposure", "advance", 1, advance)
    assert refused.code == "refusal.payee_deceased"


def test_an_order_to_somebody_who_then_dies_waits_again() -> None:
    desk = Desk(policy=policy())
    desk.report()
    desk.agreed()
    desk.do(FINANCE, "payment", "approve_payment", 1)
    desk.do(HANDLER, "party", "correct", 1, c.PartyReported(deceased=True))
    assert desk.case.payments[1].state == "ordered"
    assert desk.refused(FINANCE, "payment", "approve_payment", 1).code == "refusal.payee_deceased"


def test_no_offer_goes_out_before_somebody_may_act_and_each_has_a_share(desk: Desk) -> None:
    desk.approve()
    both = c.SendOffer((c.Share(WIDOW, 1, 2), c.Share(SON, 1, 2)))
    assert desk.refused(HANDLER, "offer", "send", 1).code == "refusal.heir_missing"
    prove(desk, WIDOW)
    assert desk.refused(HANDLER, "offer", "send", 1, both).fields == {"shares.2.payee": "refusal.mandate_not_checked"}
    prove(desk, SON)
    assert desk.refused(HANDLER, "offer", "send", 1).fields == {"shares": "refusal.shares_missing"}
    dead = c.SendOffer((c.Share(DEAD, 1, 1),))
    assert desk.refused(HANDLER, "offer", "send", 1, dead).fields == {"shares.1.payee": "refusal.payee_deceased"}
    desk.do(HANDLER, "offer", "send", 1, both)


def three_heirs(claimant: int | None = DEAD, **more: Any) -> c.Report:
    """Each of three is named heir, claimant and payee at once, as whoever fills in the form may well do."""
    return own_damage(
        insured_died=True, phone="", parties=(
            c.PartyReported(roles=("insured",), name="王小明"),
            heir("李芳", 1, "reporter", "claimant", "payee", phone="13900139001"),
            heir("王一", 2, "claimant", "payee", phone="13900139002"),
            heir("王二", 3, "claimant", "payee", phone="13900139003"),
        ),
        exposures=(c.ExposureReported("own_damage", "single_vehicle", claimant, cny(9000)),), **more,
    )  # fmt: skip


def test_several_heirs_named_payees_each_have_a_share_and_agree() -> None:
    desk = Desk(policy=policy())
    desk.report(three_heirs())
    for number in (WIDOW, SON, 4):
        prove(desk, number)
    assert acting.payee_of(desk.case, DEAD) == DEAD, "nobody alone"
    desk.approve(yuan=9500)
    assert desk.refused(HANDLER, "offer", "send", 1).fields == {"shares": "refusal.shares_missing"}
    desk.send(1, tuple(c.Share(n, 1, 3) for n in (WIDOW, SON, 4)))
    desk.agree(1, customer(WIDOW))
    desk.agree(1, customer(SON))
    assert (desk.case.offers[1].state, desk.case.payments) == ("sent", {})
    desk.agree(1, customer(4))
    assert {p.payee: p.amount_minor for p in desk.case.payments.values()} == {WIDOW: 300000, SON: 300000, 4: 300000}


def test_one_heir_alone_is_named_while_another_is_not_proved() -> None:
    desk = Desk(policy=policy())
    desk.report(three_heirs())
    prove(desk, WIDOW)
    desk.approve()
    assert desk.refused(HANDLER, "offer", "send", 1).fields == {"shares": "refusal.shares_missing"}


def test_of_several_who_inherit_a_person_says_whose_claim_it_is() -> None:
    desk = Desk(policy=policy())
    unsaid = replace(three_heirs(), exposures=(c.ExposureReported("third_party", "third_party_property"),))
    refused = desk.refused(PROGRAM, "claim", "report", 0, unsaid)
    assert refused.fields == {"exposures.1.claimant": "refusal.claimant_missing"}
    desk.report(three_heirs(None))
    assert desk.case.exposures[1].claimant == DEAD, "what is for the insured is theirs"
    added = c.AddExposure("third_party", "third_party_property")
    assert desk.refused(HANDLER, "exposure", "add", 0, added).fields == {"claimant": "refusal.claimant_missing"}
    desk.do(HANDLER, "exposure", "add", 0, replace(added, claimant=DEAD))


def test_what_one_of_several_heirs_claims_is_not_theirs_alone() -> None:
    desk = Desk(policy=policy())
    desk.report(three_heirs(WIDOW))
    prove(desk, WIDOW)
    desk.approve()
    assert desk.refused(HANDLER, "offer", "send", 1).fields == {"shares": "refusal.shares_missing"}
    desk.send(1, (c.Share(WIDOW, 1, 1),))


def test_who_alone_is_named_payee_of_the_dead_is_paid_once_their_right_was_seen() -> None:
    desk = Desk(policy=policy())
    desk.report(own_damage(insured_died=True, name="李芳"))
    agent = party("赵律师", ("agent", "payee"), 1, acts_for=2, mandate="power_of_attorney")
    desk.do(HANDLER, "party", "add", 0, agent)
    assert acting.payee_of(desk.case, 2) == 2
    prove(desk, 3, "power_of_attorney")
    assert acting.payee_of(desk.case, 2) == 3
    desk.do(HANDLER, "party", "add", 0, party("王一", ("heir",), 2, acts_for=2, mandate="inheritance"))
    assert acting.payee_of(desk.case, 2) == 2, "an heir and a representative: a person says who gets it"


def test_an_only_heir_gets_all_without_a_word_about_shares() -> None:
    desk = Desk(policy=policy())
    desk.report(own_damage(insured_died=True, name="李芳"))
    desk.do(HANDLER, "party", "correct", 1, c.PartyReported(
        roles=("reporter", "heir"), acts_for=2, mandate="inheritance", account_number=CARDS[1], account_name="李芳",
    ))  # fmt: skip
    prove(desk, 1)
    desk.approve()
    desk.send(1)
    assert desk.case.offers[1].shares == ({"payee": 1, "numerator": 1, "denominator": 1},)
    desk.agree(1, customer(1))
    assert [(p.payee, p.amount_minor) for p in desk.case.payments.values()] == [(1, 850000)]


def test_each_heir_agrees_with_a_code_of_their_own(desk: Desk) -> None:
    prove(desk, WIDOW)
    prove(desk, SON)
    offered(desk)
    assert shares_of(desk.case, 1) == {WIDOW: 500050, SON: 500050}
    desk.do(customer(WIDOW), "offer", "send_code", 1)
    event = desk.log[-1][0]
    assert told(desk, event.kind, 1, **event.facts) == {"one_time_code": {WIDOW}}
    # The code of one is of no use to the other.
    other = desk.refused(customer(SON), "offer", "agree", 1, c.Agree(CODE))
    assert other.fields == {"code": "refusal.code_expired"}
    desk.do(customer(WIDOW), "offer", "agree", 1, c.Agree(CODE))
    offer = desk.case.offers[1]
    assert (offer.state, offer.agreed_parties, desk.case.payments) == ("sent", (WIDOW,), {})
    assert desk.case.exposures[1].state == "approved"
    desk.do(customer(WIDOW), "offer", "send_code", 1)
    assert desk.refused(customer(WIDOW), "offer", "agree", 1, c.Agree(CODE)).code == "refusal.agreed_already"
    desk.agree(1, customer(SON))
    assert (desk.case.offers[1].state, desk.case.exposures[1].state) == ("agreed", "agreed")
    assert {p.payee: p.amount_minor for p in desk.case.payments.values()} == {WIDOW: 500050, SON: 500050}


def test_each_heir_has_a_code_of_their_own(desk: Desk) -> None:
    """A code for one leaves the other's good; whose word an entered code is, the code says (norm 2.2.4)."""
    prove(desk, WIDOW)
    prove(desk, SON)
    offered(desk)
    for number, code in ((WIDOW, "111111"), (SON, "222222")):
        desk.more["one_time_code"] = code
        desk.do(HANDLER, "offer", "send_code", 1, c.SendCode(number))
    desk.attempt(
        customer(SON), "offer", "agree", 1, c.Agree("111111")
    )  # a code of somebody else is a wrong try of one's own
    assert {code["party"]: code["attempts"] for code in desk.case.offers[1].codes} == {WIDOW: 0, SON: 1}
    desk.do(HANDLER, "offer", "agree", 1, c.Agree("111111"))  # the widow reads hers out on the phone
    assert desk.case.offers[1].agreed_parties == (WIDOW,)
    desk.do(customer(SON), "offer", "agree", 1, c.Agree("222222"))  # sent before the widow agreed
    assert (desk.case.offers[1].state, desk.case.offers[1].codes) == ("agreed", ())


def test_shares_stand_once_one_has_agreed_to_them(desk: Desk) -> None:
    prove(desk, WIDOW)
    prove(desk, SON)
    offered(desk)
    desk.agree(1, customer(WIDOW))
    desk.do(HANDLER, "offer", "send_code", 1)
    assert [code["party"] for code in desk.case.offers[1].codes] == [SON], "the one who has not said it yet"
    all_mine = c.Agree(CODE, (c.Share(SON, 1, 1),))
    assert desk.refused(HANDLER, "offer", "agree", 1, all_mine).fields == {"shares": "refusal.shares_fixed"}


def test_a_manager_may_let_one_heir_answer_for_all(desk: Desk) -> None:
    book = rulebook()
    desk.more["rulebook"] = replace(book, settings=replace(book.settings, heirs_agree="one"))
    prove(desk, WIDOW)
    prove(desk, SON)
    offered(desk)
    desk.agree(1, customer(SON))
    assert desk.case.offers[1].state == "agreed"


@pytest.mark.parametrize("how", ["an heir with the mandate of all", "a representative of all"])
def test_who_holds_the_mandate_of_all_heirs_agrees_for_them(desk: Desk, how: str) -> None:
    prove(desk, WIDOW)
    if how.startswith("an heir"):
        who = SON
        prove(desk, SON, "inheritance_all")
    else:
        prove(desk, SON)
        lawyer = party("赵律师", ("agent",), acts_for=DEAD, mandate="power_of_attorney", phone="13900139009")
        desk.do(HANDLER, "party", "add", 0, lawyer)
        who = 4
        assert desk.refused(customer(who), "offer", "send_code", 1).kind == "missing"  # there is no offer yet
        prove(desk, who, "power_of_attorney")
    offered(desk)
    desk.agree(1, customer(who))
    assert desk.case.offers[1].state == "agreed"
    assert sorted(p.payee for p in desk.case.payments.values()) == [WIDOW, SON]


def test_the_agent_of_one_heir_answers_for_that_one_alone(desk: Desk) -> None:
    prove(desk, WIDOW)
    prove(desk, SON)
    desk.do(HANDLER, "party", "add", 0, party("赵律师", ("agent",), acts_for=SON, mandate="power_of_attorney"))
    prove(desk, 4, "power_of_attorney")
    offered(desk)
    assert acting.answers_for(desk.case, desk.case.offers[1], 4) == {SON}
    desk.agree(1, customer(4))
    assert desk.case.offers[1].agreed_parties == (SON,)


def test_a_stranger_and_an_unproved_heir_are_not_asked(desk: Desk) -> None:
    prove(desk, WIDOW)
    desk.approve()
    desk.send(1, (c.Share(WIDOW, 1, 1),))
    assert desk.refused(customer(SON), "offer", "send_code", 1).code == "refusal.not_yours"
    named = c.SendCode(SON)
    assert desk.refused(HANDLER, "offer", "send_code", 1, named).fields == {"party": "refusal.not_asked_to_agree"}


def test_two_beneficiaries_each_agree_to_what_is_theirs() -> None:
    desk = Desk(policy=policy())
    desk.report(own_damage(insured_died=True, parties=(
        c.PartyReported(roles=("insured",), name="王小明"),
        party("李芳", ("reporter", "beneficiary", "claimant"), 1, phone="13900139001"),
        party("王一", ("beneficiary",), 2, phone="13900139002"),
    )))  # fmt: skip
    desk.approve()
    desk.send(1, (c.Share(2, 2, 3), c.Share(3, 1, 3)))
    desk.agree(1, customer(2))
    assert desk.case.offers[1].state == "sent"
    desk.agree(1, customer(3))
    assert {p.payee for p in desk.case.payments.values()} == {2, 3}


@pytest.mark.norm("2.2.4")
def test_a_guardian_agrees_for_a_child_who_inherits_and_is_paid_for_it(desk: Desk) -> None:
    child = "310101201501013578"
    desk.do(HANDLER, "party", "correct", SON, c.PartyReported(id_type="resident_id", id_number=child))
    desk.do(HANDLER, "party", "add", 0, party(
        "张姨", ("guardian", "payee"), 3, acts_for=SON, mandate="guardianship", phone="13900139005",
    ))  # fmt: skip
    prove(desk, WIDOW)
    desk.do(HANDLER, "party", "check_identity", SON, c.CheckIdentity("resident_id", child, "inheritance"))
    prove(desk, 4, "guardianship")
    assert acting.addressees(desk.case, SON) == (4,)
    offered(desk, c.Share(WIDOW, 1, 2), c.Share(4, 1, 2))
    assert acting.offerees(desk.case, desk.case.offers[1]) == (WIDOW, 4)
    desk.agree(1, customer(WIDOW))
    desk.agree(1, customer(4))
    assert {p.payee for p in desk.case.payments.values()} == {WIDOW, 4}


# --- mandates that do not fit ----------------------------------------------------------------------------------------

FITS = {
    "heir of a living person": (
        {"roles": ("heir",), "acts_for": 1, "mandate": "inheritance"}, {"acts_for": "refusal.principal_alive"},
    ),
    "for themselves": (
        {"roles": ("agent",), "acts_for": 1, "mandate": "power_of_attorney", "name": "王小明", "phone": "13800138000"},
        {"acts_for": "refusal.acts_for_self"},
    ),
    "another's mandate": (
        {"roles": ("agent",), "acts_for": 1, "mandate": "guardianship"}, {"mandate": "refusal.mandate_other"},
    ),
    "a mandate without its role": (
        {"roles": ("payee",), "acts_for": 1, "mandate": "inheritance"}, {"mandate": "refusal.mandate_other"},
    ),
    "for nobody": ({"roles": ("payee",), "mandate": "power_of_attorney"}, {"acts_for": "refusal.acts_for_missing"}),
    "guardian of an adult": (
        {"roles": ("guardian",), "acts_for": 1, "mandate": "guardianship"},
        {"mandate_reason": "refusal.guardian_reason"},
    ),
    "guardian of a firm": (
        {"roles": ("guardian",), "acts_for": 2, "mandate": "guardianship"}, {"acts_for": "refusal.principal_firm"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("which", FITS)
def test_a_mandate_that_does_not_fit_is_refused_in_one_sentence(which: str) -> None:
    said, expected = FITS[which]
    desk = Desk(policy=policy())
    insured = c.PartyReported(
        roles=("reporter", "insured", "claimant"), name="王小明", phone="13800138000", id_type="resident_id",
        id_number=_adult(),
    )  # fmt: skip
    desk.report(own_damage(parties=(insured, c.PartyReported(roles=("hospital",), name="市医院"))))
    if which == "for themselves":
        said = {**said, "id_number": _adult()}
    added = c.PartyReported(**{"name": "李芳", **said})
    assert desk.refused(HANDLER, "party", "add", 0, added).fields == expected
    # The same where it comes with the report.
    refused = Desk(policy=policy()).refused(PROGRAM, "claim", "report", 0, own_damage(
        parties=(insured, c.PartyReported(roles=("hospital",), name="市医院"), added),
    ))  # fmt: skip
    assert refused.fields == {f"parties.3.{name}": code for name, code in expected.items()}


def _adult() -> str:
    body = "31010119800101001"
    return next(body + d for d in "0123456789X" if not accounts.check_resident_id(number=body + d, today=NOW.date()))


def test_an_adult_has_a_guardian_for_a_reason() -> None:
    desk = Desk(policy=policy())
    desk.report(own_damage(parties=(c.PartyReported(
        roles=("reporter", "insured", "claimant"), name="王小明", phone="13800138000", id_type="resident_id",
        id_number=_adult(),
    ),)))  # fmt: skip
    why = "法院判决认定为无民事行为能力人"
    desk.do(HANDLER, "party", "add", 0, party(
        "李芳", ("guardian",), acts_for=1, mandate="guardianship", mandate_reason=why,
    ))  # fmt: skip
    assert desk.case.parties[2].mandate_reason == why


def test_a_death_recorded_later_lets_heirs_be_added() -> None:
    desk = Desk(policy=policy())
    desk.report()
    added = heir("王一", 2)
    assert desk.refused(HANDLER, "party", "add", 0, added).fields == {"acts_for": "refusal.principal_alive"}
    desk.do(HANDLER, "party", "correct", 1, c.PartyReported(deceased=True))
    desk.do(HANDLER, "party", "add", 0, added)
    prove(desk, 2)
    assert acting.heirs(desk.case, 1) == (2,)
    # A death entered in error: nobody inherits from the living.
    desk.do(HANDLER, "party", "correct", 1, c.PartyReported(deceased=False))
    assert acting.represented(desk.case, 2) == {2}
    assert desk.refused(APPROVER, "party", "add", 0, added).kind == "permission"


def test_whoever_acts_in_a_circle_is_found_once() -> None:
    mandate = {"mandate": "power_of_attorney", "mandate_checked_at": NOW}
    a = Party(1, roles=("agent",), acts_for=2, **mandate)
    b = Party(2, roles=("agent",), acts_for=1, **mandate)
    desk = Desk(policy=policy())
    desk.report()
    case = replace(desk.case, parts={**desk.case.parts, "party": {1: a, 2: b}})
    assert acting.represented(case, 1) == {1, 2}


def test_a_hospital_is_no_person_whatever_the_form_was_left_at() -> None:
    desk = Desk(policy=policy())
    desk.report()
    desk.do(HANDLER, "party", "add", 0, c.PartyReported(roles=("hospital",), name="市第一医院", person=True))
    assert desk.case.parties[2].person is False
    desk.do(HANDLER, "party", "add", 0, c.PartyReported(roles=("payee",), name="某某汽修"))
    desk.do(HANDLER, "party", "correct", 3, c.PartyReported(roles=("repairer",)))
    assert desk.case.parties[3].person is False
