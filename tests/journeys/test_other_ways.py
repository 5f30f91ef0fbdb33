"""Journeys (c) to (f): a refusal, a Saturday night, papers that go back and forth, money that comes back."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import yaml
from tests.company import NOW, card, company

from lipei.domain import commands as c
from lipei.domain.money import Money
from lipei.jobs import loop
from lipei.norms import loader, yaml_texts
from lipei.services import duty, norms, sweeps
from lipei.store import models

pytestmark = pytest.mark.django_db


def cny(yuan: float) -> Money:
    return Money(round(yuan * 100), "CNY")


def own_damage(**more):
    said = {
        "story": "停车时刮到墙。",
        "phone": "13800138000",
        "line": "motor",
        "loss_kind": "single_vehicle",
        "loss_at": NOW - timedelta(hours=3),
        "exposures": (c.ExposureReported("own_damage", "single_vehicle", reserve=cny(9000)),),
    }
    return c.Report(**{**said, **more})


def clock(case, promise):
    return next(k for k in case.clocks.values() if k.promise == promise)


def agreed(drive, people, case, *, amount, now):
    """From report to an agreed offer, by persons."""
    handler, number = people.handler_of(case), case.claim.number
    items = (c.ItemAssessed("维修", claimed=cny(amount), assessed=cny(amount)),)
    drive.act(handler, number, "exposure", "assess", 1, c.Assess(items), now=now)
    drive.act(people.lead1, number, "exposure", "check_assessment", 1, now=now)
    drive.act(handler, number, "exposure", "submit_decision", 1, now=now)
    case = drive.act(people.approver1, number, "exposure", "approve_decision", 1, now=now)
    offer = next(n for n, o in case.offers.items() if o.state == "prepared")
    drive.act(handler, number, "offer", "send", offer, now=now)
    return drive.agree(people.program, number, offer, now=now)


def paid(drive, people, case, *, now):
    """Every payment that waits goes out and is confirmed."""
    number = case.claim.number
    for n, payment in sorted(case.payments.items()):
        if payment.state == "ordered":
            drive.act(people.finance1, number, "payment", "approve_payment", n, now=now)
            payment_state = "approved"
        else:
            payment_state = payment.state
        if payment_state == "approved":
            drive.act(people.bank, number, "payment", "submit", n, now=now)
            case = drive.act(people.bank, number, "payment", "confirm", n, now=now)
    return case


@pytest.mark.norm("4")
@pytest.mark.norm("2.4.1")
def test_c_a_refusal_with_its_letter_and_clocks(drive):
    people = company()
    case = drive.report(people.program, own_damage(), now=NOW)
    handler, number = people.handler_of(case), case.claim.number
    why = c.Propose("not_covered", "车损险条款 第八条", "驾驶证在事故发生前已被吊销，这部分损失无法赔付。")
    drive.act(handler, number, "exposure", "propose_refusal", 1, why, now=NOW)
    # The proposer cannot finish it, nor can the system, nor anybody without the authority.
    assert drive.refused(handler, number, "exposure", "refuse", 1, now=NOW).kind == "permission"
    assert drive.refused(people.bank, number, "exposure", "refuse", 1, now=NOW).kind == "permission"
    assert drive.refused(people.finance1, number, "exposure", "refuse", 1, now=NOW).kind == "permission"
    later = NOW + timedelta(hours=5)
    case = drive.act(people.approver1, number, "exposure", "refuse", 1, now=later)
    assert case.exposures[1].state == "refused"
    assert (case.claim.state, case.claim.outcome) == ("closed", "refused")
    notice = clock(case, "cn_refusal_notice")  # 保险法24: three days, the first not counted
    assert notice.state == "running" and notice.due_at == datetime(2026, 11, 26, 15, 59, 59, tzinfo=UTC)
    letter = models.Delivery.objects.get(stream_id=case.id, message="refusal")
    assert letter.letter == "refusal"
    # The law asks for a notice, so what keeps the promise is that it left, not that it was decided.
    loop.settle(later + timedelta(hours=1))
    case = drive.case(number)
    sent = [e for e in entries(case, "notice.sent") if e["facts"].get("letter") == "refusal"]
    assert [(e["facts"]["to"], e["facts"]["party"], e["facts"]["exposure"]) for e in sent] == [("customer", 1, 1)]
    notice = clock(case, "cn_refusal_notice")
    assert (notice.state, notice.ended_at, notice.breached_at) == ("fulfilled", later + timedelta(hours=1), None)
    assert clock(case, "decision_notice").state == "fulfilled"
    assert case.claim.last_told_at == later + timedelta(hours=1)
    drive.verify()


@pytest.mark.norm("2.4.1")
def test_c_a_refusal_that_reaches_nobody_breaks_the_law_until_somebody_hands_it_over(drive):
    people = company()
    case = drive.report(people.program, own_damage(), now=NOW)
    handler, number = people.handler_of(case), case.claim.number
    why = c.Propose("not_covered", "车损险条款 第八条", "驾驶证在事故发生前已被吊销，这部分损失无法赔付。")
    drive.act(handler, number, "exposure", "propose_refusal", 1, why, now=NOW)
    case = drive.act(people.approver1, number, "exposure", "refuse", 1, now=NOW)
    letter = models.Delivery.objects.filter(stream_id=case.id, message="refusal")
    channels = letter.get().channels
    letter.update(channels=())  # as if there had been no address
    loop.settle(NOW)
    letter.update(channels=channels)
    assert models.Delivery.objects.filter(stream_id=case.id, message="staff_unreachable").count() == 1
    assert [e["facts"]["party"] for e in entries(drive.case(number), "notice.failed")] == [1]
    # A call tells the customer, but the law wants it in writing.
    soon = NOW + timedelta(days=1)
    drive.act(handler, number, "claim", "tell_customer", 0, c.TellCustomer("已电话说明", exposure=1), now=soon)
    case = drive.case(number)
    assert clock(case, "decision_notice").state == "fulfilled"
    late = clock(case, "cn_refusal_notice").due_at + timedelta(days=1)
    sweeps.clocks(now=late, limit=100)
    broken = clock(drive.case(number), "cn_refusal_notice")
    assert (broken.state, broken.breached_at) == ("running", broken.due_at)
    given = c.TellCustomer("已上门送达核定通知书", "visit", exposure=1, letter="refusal")
    case = drive.act(handler, number, "claim", "tell_customer", 0, given, now=late)
    assert clock(case, "cn_refusal_notice").state == "fulfilled"
    drive.verify()


def entries(case, kind):
    """The payloads of the journal's entries of a kind."""
    rows = models.Entry.objects.filter(stream_id=case.id, kind=kind).order_by("sequence")
    return [json.loads(text) for text in rows.values_list("payload", flat=True)]


def roster(people, first, second):
    """A roster with two persons on every hour of the coming weeks."""
    document = yaml_texts.load(loader.default_text("duty"))
    start = datetime(2026, 11, 20)
    document["shifts"] = [
        {
            "from": (start + timedelta(days=n)).isoformat(sep=" "),
            "to": (start + timedelta(days=n + 1)).isoformat(sep=" "),
            "persons": [first, second],
        }
        for n in range(30)
    ]
    document["team_lead"] = people.lead1.staff_id
    saved = norms.save(
        table="duty",
        text=yaml.safe_dump(document, allow_unicode=True),
        reason="值班表",
        seen_version=1,
        actor=people.manager1,
        now=NOW,
    )
    assert saved == 2, saved


@pytest.mark.norm("2.3.2")
@pytest.mark.norm("2.3.3")
def test_d_rescue_treatment_on_a_saturday_night(drive):
    people = company()
    first, second = people.handler1, people.handler2
    roster(people, first.staff_id, second.staff_id)
    night = datetime(2026, 11, 28, 15, 0, tzinfo=UTC)  # Saturday 23:00 in Shanghai
    report = own_damage(
        story="车祸，伤者正在抢救。",
        loss_kind="third_party_injury",
        loss_at=night - timedelta(minutes=30),
        rescue=True,
        serious_injuries=1,
        injured=1,
        parties=(
            c.PartyReported(("hospital",), "中山医院", email="duty@hospital.example"),  # no account: it is night
            c.PartyReported(("injured", "claimant"), "伤者甲"),
        ),
        exposures=(c.ExposureReported("compulsory_medical", "third_party_injury", reserve=cny(18000)),),
    )
    case = drive.report(people.program, report, now=night)
    number = case.claim.number
    assert case.claim.fast_lane
    assert case.claim.duty_person == case.claim.handler == first.staff_id, "the receipt names who is on duty"
    assert clock(case, "preliminary_opinion").due_at == night + timedelta(hours=24)  # from the report, whoever accepts
    # Silence: the next in line is called, the first no longer can acknowledge.
    later = case.claim.duty_due_at + timedelta(minutes=1)
    assert duty.sweep(now=later, limit=10) == 1
    case = drive.case(number)
    assert case.claim.duty_person == second.staff_id
    assert drive.refused(first, number, "claim", "acknowledge_duty", now=later).kind == "permission"
    case = drive.act(second, number, "claim", "acknowledge_duty", now=later)
    assert case.claim.duty_acknowledged_at == case.claim.accepted_at == later
    assert case.claim.handler == second.staff_id and clock(case, "acceptance").state == "fulfilled"
    told = models.Delivery.objects.get(stream_id=case.id, message="duty_taken")
    assert told.due_at == later, "no quiet hours for this"
    # Who took it up does what the night asks for, alone: rings the customer and gives the hospital our word.
    drive.act(second, number, "claim", "tell_customer", 0, c.TellCustomer("已致电家属，马上联系医院担保。"), now=later)
    case = drive.act(
        second,
        number,
        "exposure",
        "guarantee",
        1,
        c.OnAccount(cny(10000), hospital := case.party("hospital").part, "抢救"),
        now=later,
    )
    assert (case.exposures[1].guaranteed_minor, case.payments) == (1_000_000, {}), "nothing waits for finance"
    assert clock(case, "rescue_cost").state == "fulfilled"
    assert models.Delivery.objects.filter(stream_id=case.id, message="guarantee").exists()
    loop.settle(later)
    loop.settle(later + timedelta(minutes=5))  # the mail server is asked what became of it
    letter = models.Delivery.objects.get(stream_id=case.id, message="guarantee_letter")
    assert (letter.party, letter.letter) == (hospital, "guarantee") and letter.state in ("sent", "delivered")
    assert letter.letter_digest

    # By day the hospital sends a smaller bill and its account; the rest is released and set off no more.
    day = later + timedelta(days=3)
    account = c.PartyReported(account_number=card(5), account_bank="102290000000", account_name="中山医院")
    drive.act(second, number, "party", "correct", hospital, account, now=day)
    drive.act(second, number, "exposure", "pay_guarantee", 1, c.OnAccount(cny(8000), hospital), now=day)
    drive.act(people.finance1, number, "payment", "approve_payment", 1, now=day)
    drive.act(people.bank, number, "payment", "submit", 1, now=day)
    case = drive.act(people.bank, number, "payment", "confirm", 1, now=day)
    assert (case.payments[1].kind, case.exposures[1].paid_minor) == ("guarantee", 800_000)
    rest = c.ReleaseGuarantee(hospital, "出院结算少于担保金额")
    case = drive.act(second, number, "exposure", "release_guarantee", 1, rest, now=day)
    assert case.exposures[1].guaranteed_minor == 800_000
    assert models.Delivery.objects.filter(stream_id=case.id, message="guarantee_released", party=hospital).exists()
    drive.verify()


def test_d_nobody_on_the_roster_is_said_aloud(drive):
    people = company()
    night = datetime(2026, 11, 28, 15, 0, tzinfo=UTC)
    case = drive.report(people.program, own_damage(loss_at=night, rescue=True, serious_injuries=1), now=night)
    assert models.Entry.objects.filter(stream_id=case.id, kind="claim.duty_unmanned").exists()
    assert models.Delivery.objects.filter(stream_id=case.id, message="staff_duty_unmanned").exists()


@pytest.mark.norm("2.2.2")
def test_e_papers_asked_once_refused_sent_again(drive):
    people = company()
    case = drive.report(
        people.program,
        own_damage(exposures=(c.ExposureReported("own_damage", "single_vehicle", reserve=cny(30000)),)),
        now=NOW,
    )
    handler, number = people.handler_of(case), case.claim.number
    promise = clock(case, "complex_answer")
    due = promise.due_at
    t1 = NOW + timedelta(hours=1)
    case = drive.act(handler, number, "claim", "request_papers", now=t1)
    assert clock(case, "complex_answer").state == "paused"
    assert clock(case, "preliminary_opinion").state == "running"
    again = drive.refused(handler, number, "claim", "request_papers", now=t1)
    assert again.code == "refusal.papers_asked_before"
    wanted = [n for n, p in case.papers.items() if p.required]
    t2 = NOW + timedelta(days=2)
    for n in wanted:
        case = drive.act(people.program, number, "paper", "receive", n, c.Receive(invoice_number=f"INV{n}"), now=t2)
    case = drive.act(handler, number, "paper", "refuse", wanted[0], c.RefusePaper("unreadable", "照片太暗"), now=t2)
    assert case.papers[wanted[0]].state == "refused"
    assert models.Delivery.objects.filter(stream_id=case.id, message="paper_refused").exists()
    t3 = NOW + timedelta(days=3)
    case = drive.act(people.program, number, "paper", "receive", wanted[0], now=t3)
    for n in wanted:
        case = drive.act(handler, number, "paper", "accept", n, now=t3)
    for n, p in case.papers.items():
        if p.state == "requested":
            case = drive.act(handler, number, "paper", "waive", n, c.Reasoned("不适用"), now=t3)
    resumed = clock(case, "complex_answer")
    assert resumed.state == "running" and resumed.due_at > due
    # The invoice of one claim cannot be used for another.
    other = drive.report(people.program, own_damage(loss_at=NOW - timedelta(days=9)), now=t3)
    drive.act(people.handler_of(other), other.claim.number, "claim", "request_papers", now=t3)
    seen = drive.refused(
        people.program, other.claim.number, "paper", "receive", 1, c.Receive(invoice_number=f"inv{wanted[0]}"), now=t3
    )
    assert seen.code == "refusal.invoice_seen" and number in seen.words
    drive.verify()


def test_f_withdrawn_reopened_overpaid_recovered(drive):
    people = company()
    case = drive.report(people.program, own_damage(), now=NOW)
    number = case.claim.number
    case = drive.act(
        people.intake1, number, "claim", "withdraw", 0, c.Reasoned("客户来电撤回"), now=NOW + timedelta(hours=1)
    )
    assert case.claim.state == "withdrawn"
    assert all(k.state in ("cancelled", "fulfilled") for k in case.clocks.values())
    t = NOW + timedelta(hours=2)
    case = drive.act(people.lead1, number, "claim", "reopen", 0, c.Reasoned("客户改变主意"), now=t)
    assert case.claim.state == "investigating" and case.exposures[1].state == "open"
    case = agreed(drive, people, case, amount=9000, now=t)
    case = paid(drive, people, case, now=t)
    assert case.claim.state == "closed" and case.exposures[1].paid_minor == 850000

    # Looked at again, less was due: nothing more is paid, the difference is asked back, never a negative payment.
    t = NOW + timedelta(days=2)
    case = drive.act(people.lead1, number, "claim", "reopen", 0, c.Reasoned("复核发现重复列项"), now=t)
    case = agreed(drive, people, case, amount=6000, now=t)
    assert case.exposures[1].state == "settled"
    assert [r.due_minor for r in case.recoveries.values()] == [300000]
    assert all(p.state == "confirmed" for p in case.payments.values())
    too_much = drive.refused(
        people.finance1, number, "recovery", "receive_recovery", 1, c.ReceiveRecovery(cny(3000.01)), now=t
    )
    assert too_much.code == "refusal.more_than_owed"
    drive.act(people.finance1, number, "recovery", "receive_recovery", 1, c.ReceiveRecovery(cny(1000)), now=t)
    case = drive.act(people.finance1, number, "recovery", "receive_recovery", 1, c.ReceiveRecovery(cny(2000)), now=t)
    assert case.recoveries[1].state == "received"
    drive.verify()
