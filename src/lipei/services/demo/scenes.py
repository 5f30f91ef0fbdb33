"""Scenes that stories are made of: taking a claim up, papers, assessment and decision, offer, payment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

from lipei.domain import commands as c
from lipei.services.demo.founding import Insured
from lipei.services.demo.stage import PROGRAM, Stage, Wait

OPINIONS = (
    "事故属于保险责任，请按清单补齐材料，预计三日内完成赔付。",
    "已收到您的报案，初步判断在保障范围内，请保留维修和就诊票据。",
    "已了解情况，请保留现场照片和各项票据，金额核定后马上告诉您。",
)
CALLS = (
    "已致电客户，确认事故经过和联系方式，说明下一步和所需材料。",
    "已电话告知客户由我经办，费用可先行支付，请保留发票。",
    "已电话慰问客户，约定材料备齐后再联系。",
)
HELP = "客户情绪激动，要求今天就定下金额，我拿不准能否先预付一部分，请主管帮忙看一下。"


def told(stage: Stage, one: Insured, **said: Any) -> c.Report:
    """A report by the insured, with what every report says."""
    known = {
        "phone": one.who.phone,
        "name": one.who.name,
        "language": stage.chance.choices(("zh-hans", "zh-hant", "en"), (90, 6, 4))[0],
        "loss_at": stage.ago(0.5, 9),
        "place": one.who.address,
        "policy_number": one.number,
    }
    return c.Report(**{**known, **said})


def by(stage: Stage) -> Any:
    """Who takes the report: mostly a program (the app), else a colleague on the phone."""
    return stage.chance.choices((PROGRAM, stage.staff("intake1")), (70, 30))[0]


def items(stage: Stage, *named: tuple[str, float]) -> tuple[c.ItemAssessed, ...]:
    """Line items as claimed."""
    return tuple(c.ItemAssessed(what, claimed=stage.money(yuan)) for what, yuan in named)


def assessed(stage: Stage, rows: Iterable[Any], share: float = 1.0) -> tuple[c.ItemAssessed, ...]:
    """The items of an exposure as a person finds them: so much of what was claimed."""
    return tuple(
        c.ItemAssessed(
            row["what"], claimed=stage.money((row["claimed_minor"] or 0) / 100),
            assessed=stage.money(round((row["claimed_minor"] or 0) * share) / 100), excluded=row["excluded"],
        )
        for row in rows
    )  # fmt: skip


def take_up(stage: Stage) -> Wait:
    """The handler accepts, rings the customer and gives the preliminary opinion; who is slow breaks those promises."""
    stage.leave("reported")
    yield stage.office(0.05, 0.45)
    if stage.case.claim.handler is None:
        stage.act(stage.staff("lead1"), "claim", "assign", 0, c.Assign())
    if stage.case.claim.accepted_at is None:  # who acknowledged a call at night has accepted
        stage.act(stage.handler, "claim", "accept_assignment")
    ring(stage)
    if stage.leave_at == "help":
        stage.act(stage.handler, "claim", "ask_for_help", 0, c.Write(HELP))
    stage.leave("help")
    stage.leave("accepted")
    at_once = stage.chance.random() < 0.65
    yield stage.office(0.05, 0.2) if at_once else stage.office(0.5, 7)
    stage.act(stage.handler, "claim", "give_opinion", 0, c.GiveOpinion(stage.chance.choice(OPINIONS)))


def on_duty(stage: Stage) -> Wait:
    """Whoever is on duty is called and answers: within the time to acknowledge, or the second in line."""
    yield timedelta(minutes=stage.chance.choice((6, 22)))
    if stage.case.claim.duty_person is not None:
        stage.act(
            stage.company.by_id(stage.case.claim.duty_person) or stage.staff("lead1"), "claim", "acknowledge_duty"
        )


def ring(stage: Stage) -> None:
    """The customer is told on the phone how things stand."""
    stage.act(stage.handler, "claim", "tell_customer", 0, c.TellCustomer(stage.chance.choice(CALLS)))


def papers(stage: Stage, *, refuse_one: bool = False) -> Wait:
    """Papers are asked for once, the customer sends them, they are looked at."""
    case = stage.act(stage.handler, "claim", "request_papers")
    stage.leave("papers")
    yield stage.papers(6, 60)
    for number, paper in case.papers.items():
        if paper.state == "requested" and paper.required:
            stage.act(stage.staff("intake1"), "paper", "receive", number, c.Receive())
    if stage.case.claim.state in ("offering", "paying", "closed"):
        return  # it went on without a hand
    yield stage.office(0.5, 5)
    received = [n for n, p in stage.case.papers.items() if p.state == "received"]
    if received and (stage.leave_at == "paper_refused" or (refuse_one and not stage.ends)):
        stage.act(
            stage.handler,
            "paper",
            "refuse",
            received[0],
            c.RefusePaper("unreadable", "照片模糊，看不清金额，请重新拍摄。"),
        )
        stage.leave("paper_refused")
        yield stage.hours(10, 50)
        stage.act(stage.staff("intake1"), "paper", "receive", received[0], c.Receive())
        yield stage.office(0.5, 4)
    for number, paper in stage.case.papers.items():
        if paper.state == "received":
            stage.act(stage.handler, "paper", "accept", number)
    for number, paper in stage.case.papers.items():
        if paper.state == "requested" and not paper.required:
            stage.act(stage.handler, "paper", "waive", number, c.Reasoned("本案不需要"))


def survey(stage: Stage) -> Wait:
    """A surveyor looks at the damage."""
    surveyor = stage.staff("surveyor1")
    wait = stage.visit() if stage.leave_at == "survey" else stage.office(2, 10)
    case = stage.act(
        stage.handler, "survey", "schedule", 0, c.ScheduleSurvey(at=stage.now + wait, surveyor=surveyor.staff_id)
    )
    stage.leave("survey")
    yield wait
    found = c.RecordSurvey(
        "损坏部位与报案描述相符，已拍照存档，建议按清单定损。", {"licence_seen": True, "damage_matches": True}
    )
    stage.act(surveyor, "survey", "record", max(case.surveys), found)


def consult(stage: Stage, exposure: int) -> Wait:
    """Two experts are asked (norm 2.2.3)."""
    experts = [stage.staff("expert1"), stage.staff("expert2")]
    ask = c.Convene("损失金额是否合理，是否需要扩大检查？", tuple(e.staff_id or 0 for e in experts), exposure)
    number = max(stage.act(stage.handler, "consultation", "convene", 0, ask).consultations)
    stage.leave("consultation")
    for expert in experts:
        yield stage.office(1, 8)
        stage.act(expert, "consultation", "opine", number, c.Opine("for", "与损坏情况相符，金额合理。"))
    yield stage.office(0.5, 3)
    stage.act(stage.handler, "consultation", "conclude", number, c.Conclude("accepted", "按清单金额认定。"))


def decide(
    stage: Stage, *, share: float = 1.0, rework: bool = False, facts: dict[str, Any] | None = None,
    approvers: Sequence[str] = ("approver1", "approver2"),
) -> Wait:  # fmt: skip
    """Assessed, checked by a second person, submitted, approved by one or two."""
    open_ = _in(stage, "open")
    for number in open_:
        found = assessed(stage, stage.case.exposures[number].items, share)
        stage.act(stage.handler, "exposure", "assess", number, c.Assess(found, facts or {}))
    stage.leave("assessed")
    yield stage.office(0.3, 3)
    if rework and open_:
        stage.act(
            stage.staff("assessor1"),
            "exposure",
            "return_for_rework",
            open_[0],
            c.Reasoned("配件价格高于标准，请重新核定。"),
        )
        yield stage.office(1, 6)
        less = assessed(stage, stage.case.exposures[open_[0]].items, share * 0.9)
        stage.act(stage.handler, "exposure", "assess", open_[0], c.Assess(less, facts or {}))
        yield stage.office(0.5, 4)
    for number in _in(stage, "assessed"):
        stage.act(stage.staff("assessor1"), "exposure", "check_assessment", number)
    yield stage.office(0.2, 2)
    for number in _in(stage, "checked"):
        stage.act(stage.handler, "exposure", "submit_decision", number)
    stage.leave("submitted")
    yield stage.office(0.3, 4)
    for approver in approvers:
        for number in _in(stage, "submitted"):
            stage.act(stage.staff(approver), "exposure", "approve_decision", number)
    stage.leave("approved")


def _in(stage: Stage, state: str) -> list[int]:
    return [n for n, e in stage.case.exposures.items() if e.state == state]


def offer(stage: Stage, *, shares: Sequence[c.Share] = (), answer: str = "agree") -> Wait:
    """The offer goes out; the customer agrees with the one-time code, declines, or never answers."""
    yield stage.office(0.2, 2)
    out = [n for n, o in stage.case.offers.items() if o.state in ("prepared", "sent")]
    for number in out:
        if stage.case.offers[number].state == "prepared":
            stage.act(stage.handler, "offer", "send", number, c.SendOffer(tuple(shares)))
    stage.leave("offered")
    if answer == "silence":
        return
    yield stage.hours(0.3, 12)
    for number in out:
        if answer == "decline":
            stage.act(stage.asked(number), "offer", "decline", number, c.Reasoned("修理厂报价更高，我不同意这个金额。"))
        else:
            agree(stage, number)


def agree(stage: Stage, number: int) -> None:
    """The code is sent, read on the phone and typed in."""
    stage.act(stage.asked(number), "offer", "send_code", number)
    stage.act(stage.asked(number), "offer", "agree", number, c.Agree(stage.code()))


def known(stage: Stage) -> None:
    """Identity of everybody with an account is checked: above the threshold nothing is paid without."""
    for number, party in stage.case.parties.items():
        if party.person and party.account_number and party.identity_checked_at is None:
            stage.act(stage.handler, "party", "check_identity", number, c.CheckIdentity("resident_id", party.id_number))


def pay(stage: Stage) -> Wait:
    """Finance lets the money go; the bank answers by itself, between this scene and the next."""
    stage.leave("ordered")
    yield stage.office(0.3, 3)
    for finance in ("finance1", "finance2"):
        for number, payment in stage.case.payments.items():
            if payment.state == "ordered" and payment.ordered_by != stage.staff(finance).id:
                stage.act(stage.staff(finance), "payment", "approve_payment", number)
    yield stage.hours(0.5, 1)


def settled(stage: Stage, **how: Any) -> Wait:
    """From wherever it stands to the money in the account. What a rule decided already only wants an answer."""
    if stage.case.claim.state in ("paying", "closed"):
        return
    if stage.case.claim.state != "offering":
        yield from decide(stage, **how)
        known(stage)
    yield from offer(stage)
    yield from pay(stage)


def refused(stage: Stage, why: c.Propose) -> Wait:
    """A handler proposes, another person refuses. The three days of 保险法24 run from that act."""
    for number, payment in stage.case.payments.items():
        if payment.state == "ordered":  # an advance that has not left yet
            stage.act(stage.staff("finance1"), "payment", "cancel", number, c.Reasoned("保险责任存疑，暂不预付"))
    for number in _in(stage, "open"):
        stage.act(stage.handler, "exposure", "propose_refusal", number, why)
    stage.leave("refusal")
    yield stage.office(1, 10)
    for approver in ("approver1", "manager1"):
        for number in _in(stage, "refusal_proposed"):
            stage.act(stage.staff(approver), "exposure", "refuse", number)
