"""Journey (g): an accident policy with a death benefit, the insured has died, two heirs, from the report to their money."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.company import NOW, card, company, policy

from lipei.domain import commands as c
from lipei.jobs import loop
from lipei.services import portal
from lipei.services.portal import Visit
from lipei.store import models

pytestmark = [pytest.mark.django_db, pytest.mark.norm("4"), pytest.mark.norm("2.2.4"), pytest.mark.norm("2.4.1")]

DEAD_PHONE, WIDOW_PHONE, SON_PHONE = "13800138011", "13900139001", "13900139002"


def test_g_a_death_benefit_is_paid_to_two_heirs(drive):
    people = company()
    policy("PA-1", "personal_accident", {"accidental_death": {"sum_insured_minor": 5_000_001}}, name="王大明",
           phone=DEAD_PHONE, seed=7)  # fmt: skip
    report = c.Report(
        story="我丈夫王大明昨天骑车被撞，抢救无效去世了。", phone=WIDOW_PHONE, name="李芳", policy_number="PA-1",
        loss_kind="accidental_death", loss_at=NOW - timedelta(hours=20), insured_died=True,
    )  # fmt: skip
    case = drive.report(people.program, report, now=NOW)
    number, handler = case.claim.number, people.handler_of(case)
    assert (case.claim.deaths, case.claim.insured_died) == (1, True)
    widow = case.party("reporter").part
    dead = case.party("insured").part
    assert case.parties[dead].deceased and case.parties[dead].phone == DEAD_PHONE

    def do(actor, subject, action, part=0, command=None, hours=0.0):
        return drive.act(actor, number, subject, action, part, command, now=NOW + timedelta(hours=hours))

    # The death benefit is a head of loss; the widow and a son of age inherit and show it.
    do(handler, "exposure", "add", 0, c.AddExposure("accidental_death", "accidental_death", dead), hours=1)
    heir = {"acts_for": dead, "mandate": "inheritance"}
    alive = drive.refused(
        handler,
        number,
        "party",
        "add",
        0,
        c.PartyReported(("heir",), "王一", acts_for=widow, mandate="inheritance"),
        now=NOW,
    )
    assert alive.code == "refusal.principal_alive"
    account = {"account_number": card(21), "account_name": "李芳", "account_bank": "102290000000"}
    do(handler, "party", "correct", widow, c.PartyReported(roles=("reporter", "heir"), **heir, **account), hours=1)
    case = do(handler, "party", "add", 0, c.PartyReported(("heir",), "王一", SON_PHONE, **heir), hours=1)
    son = max(case.parties)
    case = do(handler, "claim", "request_papers", hours=2)
    assert {p.asked_of for p in case.papers.values()} <= {widow, son}
    for part in (widow, son):
        do(handler, "party", "check_identity", part, c.CheckIdentity("passport", f"E{part}", "inheritance"), hours=20)

    # Decided by three pairs of hands.
    do(handler, "exposure", "assess", 1, c.Assess(), hours=21)
    do(people.lead1, "exposure", "check_assessment", 1, hours=21)
    why = "单证原件已在柜面核对"
    do(handler, "exposure", "submit_decision", 1, c.SubmitDecision(without_papers=why), hours=22)
    case = do(people.approver1, "exposure", "approve_decision", 1, c.ApproveDecision(why), hours=22)
    if case.exposures[1].state == "submitted":
        case = do(people.approver2, "exposure", "approve_decision", 1, c.ApproveDecision(why), hours=22)
    assert case.exposures[1].payable_minor == 5_000_001
    bare = drive.refused(handler, number, "offer", "send", 1, now=NOW + timedelta(hours=23))
    assert bare.code == "refusal.shares_missing"
    shares = (c.Share(widow, 1, 2), c.Share(son, 1, 2))
    do(handler, "offer", "send", 1, c.SendOffer(shares), hours=23)

    # Each agrees: the widow by herself in the portal, the son through a colleague, with the code on his own phone.
    at = NOW + timedelta(hours=24)
    visit = Visit(number, widow, verified=True)
    assert not hasattr(portal.send_offer_code(visit, 1, now=at), "kind")
    agreed = portal.act(visit, "offer", "agree", 1, c.Agree(_code(case, widow)), now=at)
    assert agreed.case.offers[1].state == "sent" and agreed.case.payments == {}
    case = _agree(drive, people.program, number, son, at)
    assert (case.offers[1].state, case.offers[1].agreed_parties) == ("agreed", (widow, son))
    # The odd unit goes to the first; the son has not named an account yet.
    assert [(p.payee, p.amount_minor) for p in case.payments.values()] == [(widow, 2_500_001)]
    said = c.PartyReported(account_number=card(22), account_bank="102290000000", account_name="王一")
    done = portal.act(Visit(number, son, verified=True, proved=True), "party", "correct", son, said, now=at)
    case = done.case
    assert [(p.payee, p.amount_minor) for p in case.payments.values()] == [(widow, 2_500_001), (son, 2_500_000)]
    for n in case.payments:
        do(people.finance1, "payment", "approve_payment", n, hours=25)
        if drive.case(number).payments[n].state == "ordered":
            do(people.finance2, "payment", "approve_payment", n, hours=25)
        do(people.bank, "payment", "submit", n, hours=26)
        case = do(people.bank, "payment", "confirm", n, hours=27)
    assert (case.claim.state, case.claim.outcome) == ("closed", "paid")

    loop.settle(NOW + timedelta(days=2))
    sent = models.Delivery.objects.filter(stream_id=case.id, party__gt=0)
    assert not sent.filter(party=dead).exists(), "nothing went to the deceased person's phone"
    assert set(sent.filter(message="offer_sent").values_list("party", flat=True)) == {widow, son}
    assert set(sent.filter(message="payment_confirmed").values_list("party", flat=True)) == {widow, son}
    assert not sent.filter(state="failed").exists()
    drive.verify()


def _code(case, party):
    rows = models.Delivery.objects.filter(stream_id=case.id, message="one_time_code", party=party)
    return rows.order_by("-id").first().secret


def _agree(drive, actor, number, party, at):
    case = drive.act(actor, number, "offer", "send_code", 1, c.SendCode(party), now=at)
    return drive.act(actor, number, "offer", "agree", 1, c.Agree(_code(case, party)), now=at)
