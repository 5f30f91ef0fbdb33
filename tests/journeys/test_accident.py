"""Journey (b): one accident, own damage, two injured and a third party's car (norm 2.2.2, 2.2.3, 2.2.4, 2.3.2).

Survey, consultation, rework, four eyes, advance, hospital guarantee, shared compulsory limit, failed and repeated payment.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.company import NOW, card, company

from lipei.domain import commands as c
from lipei.domain.money import Money

pytestmark = pytest.mark.django_db

WHY = "票据原件在交警处，已核对复印件"


def cny(yuan: float) -> Money:
    return Money(round(yuan * 100), "CNY")


def party(name, roles, seed=0, **more):
    account = {"account_number": card(seed), "account_name": name, "account_bank": "102290000000"} if seed else {}
    return c.PartyReported(roles=roles, name=name, **account, **more)


def report():
    return c.Report(
        story="路口左转与直行轿车相撞，对方车上两人受伤，已送医院抢救。我方车头受损。",
        phone="13800138000",
        line="motor",
        loss_kind="collision",
        loss_at=NOW - timedelta(hours=1),
        place="上海市徐汇区漕溪北路",
        injured=2,
        serious_injuries=1,
        rescue=True,
        parties=(
            c.PartyReported(roles=("reporter", "insured", "claimant", "payee"), name="王小明", phone="13800138000"),
            party("陈一", ("injured", "claimant"), 11, phone="13900139001"),
            party("陈二", ("injured", "claimant"), 12, phone="13900139002"),
            party("赵六", ("third_party", "claimant"), 13, phone="13900139003"),
            party("徐汇区中心医院", ("hospital", "payee"), 14, person=False),
        ),
        exposures=(
            c.ExposureReported("own_damage", "collision", 1, cny(8000)),
            c.ExposureReported("compulsory_medical", "third_party_injury", 2, cny(30000)),
            c.ExposureReported("compulsory_medical", "third_party_injury", 3, cny(15000)),
            c.ExposureReported("compulsory_property", "third_party_property", 4, cny(9000)),
            c.ExposureReported("third_party", "third_party_property", 4, cny(5000)),
        ),
    )


def items(*amounts):
    return tuple(c.ItemAssessed(f"项目{n}", assessed=cny(a), claimed=cny(a)) for n, a in enumerate(amounts, 1))


@pytest.mark.norm("2.2.2")
@pytest.mark.norm("2.2.3")
@pytest.mark.norm("2.3.2")
def test_accident(drive):
    people = company()
    case = drive.report(people.program, report(), now=NOW)
    number, claim = case.claim.number, case.claim
    assert (claim.lane, claim.fast_lane, claim.report_upwards) == ("complex", True, True)
    handler = people.handler_of(case)

    def do(actor, subject, action, part=0, command=None, hours=0.0):
        return drive.act(actor, number, subject, action, part, command, now=NOW + timedelta(hours=hours))

    do(handler, "claim", "accept_assignment")
    do(handler, "claim", "report_upwards", 0, c.Reasoned("重伤案件，按规定上报"))

    # Treatment is paid for at the hospital, and an advance helps the second injured person at once.
    do(handler, "exposure", "guarantee", 2, c.OnAccount(cny(10000), 5, "抢救"), hours=1)
    do(handler, "exposure", "pay_guarantee", 2, c.OnAccount(cny(10000), 5, "医院要求先付"), hours=1)
    do(handler, "exposure", "advance", 3, c.OnAccount(cny(3000), 3, "治疗费"), hours=1)
    for payment in (1, 2):
        case = do(people.finance1, "payment", "approve_payment", payment, hours=1)
    assert {p.state for p in case.payments.values()} == {"approved"}, "so little goes by one person's word"

    do(
        handler,
        "claim",
        "give_opinion",
        0,
        c.GiveOpinion("属于保险责任，已安排垫付抢救费用，请保存好医疗票据。"),
        hours=2,
    )
    do(handler, "claim", "request_papers", hours=2)
    do(
        handler,
        "survey",
        "schedule",
        0,
        c.ScheduleSurvey(at=NOW + timedelta(hours=20), surveyor=people.surveyor1.staff_id),
        hours=2,
    )
    do(
        people.surveyor1,
        "survey",
        "record",
        1,
        c.RecordSurvey("车头受损，水箱、前杠需更换。", {"vin_agrees": True}),
        hours=21,
    )

    do(
        handler,
        "consultation",
        "convene",
        0,
        c.Convene("第二位伤者的后续治疗费是否合理？", (people.expert1.staff_id, people.expert2.staff_id), 3),
        hours=22,
    )
    do(people.expert1, "consultation", "opine", 1, c.Opine("for", "合理，符合诊疗常规。", cny(12000)), hours=23)
    do(people.expert2, "consultation", "opine", 1, c.Opine("for", "同意。"), hours=24)
    case = do(handler, "consultation", "conclude", 1, c.Conclude("accepted", "按 12,000 元认定。"), hours=25)
    assert case.consultations[1].state == "concluded"

    # Assessment, checked by a second person, one of them sent back once.
    do(handler, "exposure", "assess", 1, c.Assess(items(5000, 3500)), hours=26)
    refused = drive.refused(handler, number, "exposure", "check_assessment", 1, now=NOW + timedelta(hours=26))
    assert refused.kind == "permission"
    do(people.assessor1, "exposure", "return_for_rework", 1, c.Reasoned("水箱价格高于标准"), hours=27)
    do(handler, "exposure", "assess", 1, c.Assess(items(5000, 3000)), hours=28)
    do(handler, "exposure", "assess", 2, c.Assess(items(30000), {"fault_percent": 70}), hours=28)
    do(handler, "exposure", "assess", 3, c.Assess(items(15000), {"fault_percent": 70}), hours=28)
    do(handler, "exposure", "assess", 4, c.Assess(items(9000), {"fault_percent": 70}), hours=28)
    # So much is beyond a handler's authority to assess.
    car = c.Assess(items(169_000), {"fault_percent": 70})
    beyond = drive.refused(handler, number, "exposure", "assess", 5, car, now=NOW + timedelta(hours=28))
    assert beyond.code == "refusal.authority.above_limit"
    do(people.assessor1, "exposure", "assess", 5, car, hours=28)
    for exposure in range(1, 6):
        do(people.lead1, "exposure", "check_assessment", exposure, hours=29)
    for exposure in range(1, 6):
        case = do(handler, "exposure", "submit_decision", exposure, c.SubmitDecision(without_papers=WHY), hours=30)

    # 18,000 of compulsory medical cover shared by two in proportion 30:15; the property limit is its own. Of the car
    # 167,000 go beyond it: 70 % of that, less 5 %.
    sums = {n: e.payable_minor for n, e in case.exposures.items()}
    assert sums == {1: 750000, 2: 1200000, 3: 600000, 4: 200000, 5: 11105500}

    # Together the heads come to more than 100,000: each of them asks for four eyes, however small it is by itself.
    for exposure in range(1, 6):
        case = do(people.approver1, "exposure", "approve_decision", exposure, c.ApproveDecision(WHY), hours=31)
        assert case.exposures[exposure].state == "submitted" and case.exposures[exposure].approvals
        again = drive.refused(
            people.approver1,
            number,
            "exposure",
            "approve_decision",
            exposure,
            c.ApproveDecision(WHY),
            now=NOW + timedelta(hours=31),
        )
        assert again.kind == "permission"
        case = do(people.approver2, "exposure", "approve_decision", exposure, c.ApproveDecision(WHY), hours=31)
        assert case.exposures[exposure].state == "approved"

    for offer in sorted(case.offers):
        do(handler, "offer", "send", offer, hours=32)
        case = drive.agree(people.program, number, offer, now=NOW + timedelta(hours=33))
    # So much money goes to nobody whose identity was not looked at.
    assert not any(p.exposure == 5 for p in case.payments.values())
    case = do(handler, "party", "check_identity", 4, c.CheckIdentity("passport", "E12345678"), hours=33)
    by_exposure = {p.exposure: p.amount_minor for p in case.payments.values() if p.kind == "settlement"}
    assert by_exposure == {1: 750000, 2: 200000, 3: 300000, 4: 200000, 5: 11105500}

    # Two persons stand between a decision and the money; the bank returns one payment.
    by_two = []
    for payment, row in sorted(case.payments.items()):
        if row.state == "ordered":
            case = do(people.finance1, "payment", "approve_payment", payment, hours=34)
        if case.payments[payment].state == "ordered":
            by_two.append(case.payments[payment].exposure)
            again = drive.refused(
                people.finance1, number, "payment", "approve_payment", payment, now=NOW + timedelta(hours=34)
            )
            assert again.kind == "permission"
            case = do(people.finance2, "payment", "approve_payment", payment, hours=34)
    assert set(by_two) == {1, 2, 3, 4, 5}, "above 50,000 of a claim money is let go by two"
    for payment in sorted(case.payments):
        case = do(people.bank, "payment", "submit", payment, hours=35)
    failed = next(n for n, p in case.payments.items() if p.exposure == 4)
    for payment in sorted(case.payments):
        if payment == failed:
            case = do(people.bank, "payment", "fail", payment, c.Failed("AC04"), hours=36)
        else:
            case = do(people.bank, "payment", "confirm", payment, c.Settled("bank-1"), hours=36)
    assert case.claim.state == "paying"
    do(people.finance1, "payment", "retry", failed, c.Retry(account_number=card(99)), hours=37)
    # An account that a colleague named is looked at by two others.
    case = do(people.finance2, "payment", "approve_payment", failed, hours=38)
    assert case.payments[failed].state == "ordered"
    do(people.manager1, "payment", "approve_payment", failed, hours=38)
    do(people.bank, "payment", "submit", failed, hours=38)
    case = do(people.bank, "payment", "confirm", failed, c.Settled("bank-2"), hours=39)
    assert case.claim.state == "closed" and case.claim.outcome == "paid"
    assert {n: e.paid_minor for n, e in case.exposures.items()} == sums
    drive.verify()
