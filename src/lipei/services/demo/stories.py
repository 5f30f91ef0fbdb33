"""The stories of the demonstration: what happens to claims in an ordinary year, good and bad."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from lipei.domain import commands as c
from lipei.domain.events import Actor
from lipei.services.demo.people import Person, card, failing_card
from lipei.services.demo.scenes import (
    agree,
    by,
    consult,
    decide,
    items,
    known,
    offer,
    on_duty,
    papers,
    pay,
    refused,
    ring,
    settled,
    survey,
    take_up,
    told,
)
from lipei.services.demo.stage import PROGRAM, Stage, Wait

Story = Callable[[Stage], Wait]
UNKNOWN_PHONE = "13600007777"
"""A phone that stands on no policy."""


def _bump(stage: Stage, low: int = 900, high: int = 4300, **more: Any) -> c.Report:
    """Somebody hit a post: small own damage."""
    part = stage.chance.choice(("后保险杠", "前保险杠", "左前门", "右后翼子板", "前大灯"))
    lost = c.ExposureReported(
        "own_damage", "single_vehicle", items=items(stage, (part, stage.chance.randrange(low, high)))
    )
    said = {
        "story": f"倒车时不慎碰撞，{part}破损，没有人受伤。",
        "line": "motor",
        "loss_kind": "single_vehicle",
        "exposures": (lost,),
    }
    return told(stage, stage.insured("private_car"), **{**said, **more})


def straight_through(stage: Stage) -> Wait:
    """Small, clear, agreed to beforehand: paid with no hand."""
    stage.report(_bump(stage, accept_automatic=True), by(stage))
    yield from take_up(stage)
    yield from papers(stage)
    yield from settled(stage)


def delayed_flight(stage: Stage) -> Wait:
    """A flight is late; a fixed sum for every four hours."""
    late = c.ExposureReported(
        "trip_delay", "trip_delay", facts={"delay_hours": stage.chance.randrange(4, 14)}, reserve=stage.money(600)
    )
    report = told(
        stage, stage.insured("travel"), story="航班因天气原因延误，行程受影响。", line="travel", loss_kind="trip_delay",
        exposures=(late,), accept_automatic=True,
    )  # fmt: skip
    stage.report(report, PROGRAM)
    yield from take_up(stage)
    yield from papers(stage)
    yield from settled(stage)


def burst_pipe(stage: Stage) -> Wait:
    """Water in the home."""
    one = stage.insured("household")
    what = items(stage, ("木地板", stage.chance.randrange(800, 3000)), ("橱柜", stage.chance.randrange(300, 1800)))
    lost = c.ExposureReported("contents", "water", facts={"value_minor": 10_000_000}, items=what)
    report = told(
        stage, one, story="厨房水管夜里爆裂，地板和橱柜被泡。", line="household", loss_kind="water", exposures=(lost,)
    )
    stage.report(report, by(stage))
    yield from take_up(stage)
    if stage.chance.random() < 0.4 or stage.leave_at == "survey":
        yield from survey(stage)
    yield from papers(stage)
    yield from settled(stage)


def hospital_bill(stage: Stage) -> Wait:
    """Treatment, after what social insurance paid."""
    bill = stage.chance.randrange(2000, 16000)
    lost = c.ExposureReported(
        "medical_expense",
        "illness_medical",
        items=items(stage, ("住院费用", bill)),
        facts={"social_insurance_minor": bill * 40},
    )
    report = told(
        stage, stage.insured("medical"), story="因急性阑尾炎住院手术，现已出院。", line="health",
        loss_kind="illness_medical",
        loss_at=stage.ago(100, 200), exposures=(lost,),
    )  # fmt: skip
    stage.report(report, by(stage))
    yield from take_up(stage)
    yield from papers(stage, refuse_one=stage.chance.random() < 0.4)
    yield from settled(stage)


def days_in_hospital(stage: Stage) -> Wait:
    """An accident: a sum for every day in hospital."""
    days = stage.chance.randrange(5, 15)
    lost = c.ExposureReported(
        "hospital_allowance", "hospital_allowance", facts={"hospital_days": days}, reserve=stage.money(100.0 * days)
    )
    report = told(
        stage, stage.insured("personal_accident"), story="骑车摔倒骨折，住院治疗。", line="accident",
        loss_kind="hospital_allowance", loss_at=stage.ago(24 * days, 24 * days + 72), exposures=(lost,),
    )  # fmt: skip
    stage.report(report, by(stage))
    yield from take_up(stage)
    yield from papers(stage)
    yield from settled(stage)


def crash(stage: Stage) -> Wait:
    """A collision with another car: survey, perhaps experts and rework, two who are paid."""
    yours, theirs = stage.chance.randrange(6000, 40000), stage.chance.randrange(1200, 8000)
    one = stage.insured("private_car")
    other = stage.insured("private_car").who
    parties = (
        c.PartyReported(roles=("reporter", "insured", "claimant", "payee"), name=one.who.name, phone=one.who.phone),
        c.PartyReported(
            roles=("third_party", "claimant", "payee"), name=other.name, phone=other.phone, id_type="resident_id",
            id_number=other.id_number, account_name=other.name, account_number=other.card, account_bank="102290000000",
        ),
    )  # fmt: skip
    fault = {"fault_percent": stage.chance.choice((30, 50, 70, 100))}
    exposures = (
        c.ExposureReported(
            "own_damage", "collision", 1, items=items(stage, ("车头钣金喷漆", yours * 0.6), ("水箱总成", yours * 0.4))
        ),
        c.ExposureReported(
            "compulsory_property", "third_party_property", 2, facts=fault, items=items(stage, ("对方车门", theirs))
        ),
    )
    report = told(
        stage, one, story="路口左转与直行轿车相撞，双方车辆受损，无人受伤。", line="motor", loss_kind="collision",
        parties=parties, exposures=exposures,
    )  # fmt: skip
    stage.report(report, by(stage))
    yield from take_up(stage)
    yield from survey(stage)
    yield from papers(stage, refuse_one=stage.chance.random() < 0.3)
    if yours > 25000 or stage.leave_at == "consultation":
        yield from consult(stage, 1)
    yield from settled(stage, share=0.92, rework=stage.chance.random() < 0.3)
    if stage.case.claim.state == "closed" and stage.chance.random() < 0.4:
        yield stage.office(24, 200)
        due = stage.money(round(stage.case.exposures[1].paid_minor * 0.3) / 100)
        stage.act(
            stage.handler,
            "recovery",
            "subrogate",
            0,
            c.OpenRecovery(exposure=1, debtor=2, amount=due, reason="对方负次要责任"),
        )
        stage.leave("subrogation")
        yield stage.office(100, 400)
        stage.act(stage.staff("finance1"), "recovery", "receive_recovery", 1, c.ReceiveRecovery(due))


def rescue_at_night(stage: Stage) -> Wait:
    """Somebody is badly hurt late in the evening: the person on duty is called, the hospital is given our word at once and

    is paid by day, once it has sent its bill and its account.
    """
    one = stage.insured("private_car")
    hurt, bill = stage.insured("medical").who, stage.chance.randrange(9000, 30000)
    parties = (
        c.PartyReported(roles=("reporter", "insured"), name=one.who.name, phone=one.who.phone),
        c.PartyReported(
            roles=("injured", "claimant"), name=hurt.name, phone=hurt.phone, id_type="resident_id",
            id_number=hurt.id_number,
            account_name=hurt.name, account_number=hurt.card, account_bank="102290000000",
        ),
        c.PartyReported(
            roles=("hospital",), name="市第一人民医院", person=False, email="duty@hospital.example",
        ),
    )  # fmt: skip
    lost = c.ExposureReported(
        "compulsory_medical",
        "third_party_injury",
        2,
        facts={"fault_percent": 100},
        items=items(stage, ("抢救及住院费用", bill)),
    )
    report = told(
        stage, one, story="与电动车相撞，对方骑车人受重伤，正在医院抢救。", line="motor",
        loss_kind="third_party_injury",
        injured=1, serious_injuries=1, rescue=True, parties=parties, exposures=(lost,),
    )  # fmt: skip
    stage.report(report, stage.staff("intake1"))
    yield from on_duty(stage)
    ring(stage)
    stage.leave("rescue")
    first = stage.money(6000)
    stage.act(stage.handler, "exposure", "guarantee", 1, c.OnAccount(first, 3, "抢救费用"))
    yield from take_up(stage)
    stage.act(stage.handler, "claim", "report_upwards", 0, c.Reasoned("重伤案件，按规定上报"))
    account = c.PartyReported(account_name="市第一人民医院", account_number=card(900), account_bank="103290000000")
    stage.act(stage.handler, "party", "correct", 3, account)
    stage.act(stage.handler, "exposure", "pay_guarantee", 1, c.OnAccount(first, 3, "医院请求结算"))
    yield from pay(stage)
    yield from papers(stage)
    yield stage.office(60, 160)
    yield from settled(stage)


def not_covered(stage: Stage) -> Wait:
    """The driver had no licence: refused by a person, with the clause and plain words."""
    stage.report(_bump(stage, 5000, 20000), by(stage))
    yield from take_up(stage)
    yield from survey(stage)
    yield stage.office(1, 20)
    why = c.Propose(
        "no_licence", "机动车损失保险条款 第八条", "事故发生时驾驶人的驾驶证已被吊销，按条款这部分损失不在保障范围内。"
    )
    yield from refused(stage, why)


def taken_back(stage: Stage) -> Wait:
    """The customer repairs it themselves and withdraws."""
    stage.report(_bump(stage, 300, 900), by(stage))
    yield from take_up(stage)
    yield stage.hours(2, 40)
    stage.act(stage.customer, "claim", "withdraw", 0, c.Reasoned("自己修好了，不再索赔。"))


def reported_twice(stage: Stage) -> Wait:
    """Husband and wife report the same loss: one claim goes on, the other points to it."""
    report = _bump(stage)
    stage.report(report, PROGRAM)
    first, kept, number = stage.case, stage._id, stage.number
    yield stage.hours(0.3, 2)
    stage.report(replace(report, story=report.story + "（家人代报）"), stage.staff("intake1"))
    yield stage.office(0.5, 4)
    stage.act(stage.handler, "claim", "link_duplicate", 0, c.LinkDuplicate(number))
    stage._id, stage.number, stage._case = kept, number, first
    stage.woken(stage.now)
    yield from take_up(stage)
    yield from papers(stage)
    yield from settled(stage)


def looked_at_again(stage: Stage) -> Wait:
    """Paid, reopened, found to be too much; the difference comes back."""
    stage.report(_bump(stage, 7000, 15000), by(stage))
    yield from take_up(stage)
    yield from papers(stage)
    yield from settled(stage)
    yield stage.office(30, 200)
    stage.act(stage.staff("lead1"), "claim", "reopen", 0, c.Reasoned("复核发现同一配件列了两次"))
    yield stage.office(2, 20)
    yield from decide(stage, share=0.7)
    yield from offer(stage)
    open_ = [n for n, r in stage.case.recoveries.items() if r.state == "open"]
    stage.leave("overpaid")
    yield stage.office(40, 300)
    for number in open_:
        recovery = stage.case.recoveries[number]
        due = stage.money((recovery.due_minor - recovery.received_minor) / 100)
        stage.act(stage.staff("finance2"), "recovery", "receive_recovery", number, c.ReceiveRecovery(due))


def wrong_account(stage: Stage) -> Wait:
    """The bank returns the payment; the customer corrects the account and it goes out again."""
    one = stage.insured("private_car")
    named = c.PartyReported(
        roles=("reporter", "insured", "claimant", "payee"), name=one.who.name, phone=one.who.phone,
        id_type="resident_id", id_number=one.who.id_number, account_name=one.who.name,
        account_number=failing_card(300_000), account_bank="102290000000",
    )  # fmt: skip
    lost = c.ExposureReported(
        "own_damage", "glass", 1, items=items(stage, ("前挡风玻璃", stage.chance.randrange(2000, 9000)))
    )
    report = told(
        stage,
        one,
        story="高速上飞石击裂前挡风玻璃。",
        line="motor",
        loss_kind="glass",
        parties=(named,),
        exposures=(lost,),
    )
    stage.report(report, by(stage))
    yield from take_up(stage)
    yield from papers(stage)
    yield from settled(stage)
    stage.leave("failed")
    yield stage.office(2, 20)
    for number, payment in stage.case.payments.items():
        if payment.state == "failed":
            stage.act(stage.staff("finance1"), "payment", "retry", number, c.Retry(account_number=one.who.card))
    yield from pay(stage)


def offer_declined(stage: Stage) -> Wait:
    """The customer does not agree; what is undisputed is paid, the rest is worked out anew and offered again."""
    stage.report(_bump(stage, 5000, 12000), by(stage))
    yield from take_up(stage)
    yield from papers(stage)
    yield from decide(stage, share=0.6)
    known(stage)
    yield from offer(stage, answer="decline")
    stage.leave("declined")
    yield from pay(stage)
    yield stage.office(1, 8)
    ring(stage)
    yield stage.office(4, 20)
    for number in [n for n, e in stage.case.exposures.items() if e.state == "approved"]:
        stage.act(stage.handler, "exposure", "return_for_rework", number, c.Reasoned("客户补来修理厂报价，重新核定。"))
    yield from decide(stage, share=0.9)
    yield from offer(stage)
    yield from pay(stage)


def offer_forgotten(stage: Stage) -> Wait:
    """Nobody answers the offer; it expires, is sent again and agreed to."""
    stage.report(_bump(stage, 5000, 9000), by(stage))
    yield from take_up(stage)
    yield from papers(stage)
    yield from decide(stage)
    yield from offer(stage, answer="silence")
    yield timedelta(days=32)
    yield stage.office(1, 8)
    ring(stage)
    yield stage.office(1, 10)
    for number, one in stage.case.offers.items():
        if one.state == "expired":
            stage.act(stage.handler, "offer", "send", number)
            yield stage.hours(1, 20)
            agree(stage, number)
    yield from pay(stage)


def nothing_due(stage: Stage) -> Wait:
    """The garage repaired it for nothing."""
    stage.report(_bump(stage, 200, 600), by(stage))
    yield from take_up(stage)
    yield stage.office(4, 30)
    stage.act(stage.handler, "claim", "close_without_payment", 0, c.Reasoned("修理厂免费修复，客户确认无需赔付。"))


def looked_strange(stage: Stage) -> Wait:
    """Something does not fit; it is looked into, without a day's delay, and clears up."""
    stage.report(_bump(stage, 9000, 25000), by(stage))
    yield from take_up(stage)
    yield from survey(stage)
    stage.act(stage.staff("surveyor1"), "claim", "suspect", 0, c.Reasoned("碰撞高度与描述不一致，建议核实。"))
    stage.leave("suspected")
    yield from papers(stage)
    yield stage.office(4, 40)
    stage.act(
        stage.staff("investigator1"), "claim", "clear_suspicion", 0, c.Reasoned("行车记录仪与现场一致，疑点排除。")
    )
    yield from settled(stage)


def only_a_phone_number(stage: Stage) -> Wait:
    """A shaken caller, no policy known; found later."""
    one = stage.insured("private_car")
    story = "我的车刚才在高架上被追尾了，我很慌，请帮帮我。"
    report = c.Report(story=story, phone=UNKNOWN_PHONE, place="延安高架", loss_at=stage.now - timedelta(minutes=20))
    stage.report(report, stage.staff("intake1"))
    stage.leave("unknown")
    yield stage.office(0.5, 3)
    who = c.PartyReported(
        roles=("reporter", "insured", "claimant", "payee"), name=one.who.name, phone=one.who.phone,
        id_type="resident_id", id_number=one.who.id_number, account_name=one.who.name,
        account_number=one.who.card, account_bank="102290000000",
    )  # fmt: skip
    stage.act(stage.staff("intake1"), "party", "correct", 1, who)
    stage.act(stage.staff("lead1"), "claim", "register", 0, c.Register(policy_number=one.number))
    lost = c.AddExposure("own_damage", "collision", 1, stage.money(stage.chance.randrange(2000, 6000)))
    stage.act(stage.staff("lead1"), "exposure", "add", 0, lost)
    yield from take_up(stage)
    yield from survey(stage)
    found = (c.ItemAssessed("后保险杠及尾门", claimed=stage.money(3200), assessed=stage.money(3000)),)
    stage.act(stage.handler, "exposure", "assess", 1, c.Assess(found))
    yield from settled(stage)


def left_behind(stage: Stage) -> Wait:
    """The insured is killed on the road. Who was married to them reports; with their child they inherit in equal shares,

    each agrees and is paid.
    """
    one = stage.insured("personal_accident")
    spouse = stage.insured("medical").who
    child = replace(stage.insured("travel").who, name=f"{one.who.name[0]}子涵")
    story = f"我爱人{one.who.name}骑电动车在路口被货车撞倒，送医抢救无效，昨天夜里去世了。"
    lost = c.ExposureReported("accidental_death", "accidental_death", reserve=stage.money(300_000))
    report = told(
        stage, one, story=story, phone=spouse.phone, name=spouse.name, loss_kind="accidental_death", exposures=(lost,),
        loss_at=stage.now - timedelta(hours=stage.chance.randrange(14, 30)), insured_died=True,
    )  # fmt: skip
    stage.report(report, stage.staff("intake1"))
    yield from on_duty(stage)
    yield stage.office(0.05, 0.5)
    # A sum above the authority of every handler lies in the queue: a manager gives it to somebody.
    stage.act(stage.staff("manager1"), "claim", "assign", 0, c.Assign(stage.staff("handler1").staff_id))
    yield from take_up(stage)
    parties = stage.case.parties
    dead = next(n for n, p in parties.items() if p.deceased)
    first = next(n for n, p in parties.items() if "reporter" in p.roles)
    stage.act(stage.handler, "party", "correct", first, _heir(spouse, dead, "reporter"))
    second = max(stage.act(stage.handler, "party", "add", 0, _heir(child, dead)).parties)
    yield from papers(stage)
    for number, who in ((first, spouse), (second, child)):
        seen = c.CheckIdentity("resident_id", who.id_number, "inheritance")
        stage.act(stage.handler, "party", "check_identity", number, seen)
    yield from decide(stage, approvers=("manager1", "manager2"))
    heirs = (first, second)
    yield from offer(stage, shares=[c.Share(n, 1, 2) for n in heirs], answer="silence")
    for number in heirs:
        yield stage.hours(3, 20)
        said_by = Actor(f"customer:P{number}", "customer", frozenset({"customer"}), unit=stage.number)
        stage.act(said_by, "offer", "send_code", 1)
        stage.act(said_by, "offer", "agree", 1, c.Agree(stage.code()))
        stage.leave("one_agreed")
    yield from pay(stage)


def _heir(who: Person, dead: int, *roles: str) -> c.PartyReported:
    return c.PartyReported(
        ("heir", "payee", *roles), who.name, who.phone, acts_for=dead, mandate="inheritance",
        id_type="resident_id", id_number=who.id_number,
        account_name=who.name, account_number=who.card, account_bank="102290000000",
    )  # fmt: skip


STORIES: Mapping[Story, int] = {
    straight_through: 26, delayed_flight: 9, burst_pipe: 8, hospital_bill: 10, days_in_hospital: 6, crash: 12,
    rescue_at_night: 3, not_covered: 4, taken_back: 4, reported_twice: 3, looked_at_again: 3, wrong_account: 3,
    offer_declined: 3, offer_forgotten: 2, nothing_due: 3, looked_strange: 3, only_a_phone_number: 2,
    left_behind: 1,
}  # fmt: skip
"""How often each story happens, of about a hundred."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A story that at the end waits for somebody: left at a place, reported so many waking hours before the end.

    ``papers``: so many waking hours before the end the customer sends the papers, and until then no time of ours runs. So most
    of what waits is in time however old it is, and on whatever day it is looked at. ``visit_days``: how far off a visit is.
    """

    story: Story
    leave_at: str
    hours: float
    papers: float | None = None
    visit_days: int = 0


WAITING = (
    # Most of it in time: due today, on the next working day, or waiting for the customer.
    Waiting(only_a_phone_number, "unknown", 0.4),  # intake, team lead: no policy yet
    Waiting(straight_through, "reported", 0.1),  # handler: just assigned, to be accepted
    Waiting(rescue_at_night, "rescue", 0.8),  # whoever is on duty: the hospital waits for our word
    Waiting(hospital_bill, "help", 5),  # team lead: a colleague asks for help
    Waiting(burst_pipe, "accepted", 13),  # handler: opinion due
    Waiting(crash, "survey", 9),  # surveyor: a visit today
    Waiting(burst_pipe, "survey", 4, visit_days=1),  # surveyor: a visit tomorrow
    Waiting(looked_strange, "suspected", 8),  # investigator
    Waiting(not_covered, "refusal", 12),  # another approver
    Waiting(hospital_bill, "papers", 30),  # customer: papers
    Waiting(days_in_hospital, "papers", 16),
    Waiting(hospital_bill, "paper_refused", 80, papers=6),
    Waiting(crash, "consultation", 70, papers=4),  # experts
    Waiting(crash, "assessed", 90, papers=7),  # assessor
    Waiting(burst_pipe, "assessed", 60, papers=4),
    Waiting(looked_at_again, "submitted", 100, papers=6),  # approver
    Waiting(crash, "approved", 120, papers=9),  # handler: offer to send
    Waiting(offer_declined, "offered", 110, papers=7),  # customer: offer to answer
    Waiting(offer_declined, "declined", 130, papers=9),
    Waiting(looked_at_again, "ordered", 120, papers=9),  # finance
    Waiting(left_behind, "one_agreed", 140, papers=12),  # customer: the second of two heirs
    # Some of it not.
    Waiting(burst_pipe, "accepted", 40),  # handler: the opinion is late
    Waiting(offer_declined, "declined", 150),  # handler: nobody has talked to the customer
    Waiting(wrong_account, "failed", 200),  # finance: the bank returned it; compliance: a limit of the law is broken
    Waiting(looked_at_again, "overpaid", 560),  # manager: wait for the money or write it off
)
"""Work for every role on the morning after."""
