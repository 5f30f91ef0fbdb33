"""What several do at the same instant: a program for an installation of its own, one scenario after the other.

Threads with connections of their own start together behind a barrier, as double clicks and two colleagues do. Prints
one JSON object: scenario → what came of it.
"""

from __future__ import annotations

import io
import json
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.db import connection
from tests.company import NOW, company, policy
from tests.jobs.conftest import approved, reported, small_report

from lipei.domain import automation
from lipei.domain import commands as c
from lipei.domain.claims import Case
from lipei.domain.events import Actor, Change, Event, Refusal
from lipei.domain.limits import PolicyLedger
from lipei.domain.money import Money
from lipei.services import (
    actions,
    bank,
    deliveries,
    documents,
    intake,
    norms,
    portal,
    seals,
    sweeps,
    unit_of_work,
    verify,
)
from lipei.store import aggregates, models

SCENARIOS: dict[str, Callable[[SimpleNamespace], Any]] = {}


def scenario(do: Callable[[SimpleNamespace], Any]) -> Callable[[SimpleNamespace], Any]:
    SCENARIOS[do.__name__] = do
    return do


def at_once(*tasks: Callable[[], Any]) -> list[Any]:
    """The tasks, all begun at one instant; what each came to, an exception by its name."""
    assert len(tasks) <= 8, "no more than a process has connections"
    barrier, came = threading.Barrier(len(tasks)), [None] * len(tasks)

    def run(number: int, task: Callable[[], Any]) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=180)
            came[number] = task()
        except Exception as error:
            traceback.print_exc()
            came[number] = f"{type(error).__name__}: {error}"
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n, task)) for n, task in enumerate(tasks)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return came


def said(outcomes: list[Any]) -> dict[str, int]:
    """How often what came out: ``done``, the code of a refusal, or an exception."""
    named = [o if isinstance(o, str) else o.code if isinstance(o, Refusal) else "done" for o in outcomes]
    return dict(sorted(Counter(named).items()))


def now_is(case: Any) -> Any:
    found = aggregates.load(Case, case.id)
    assert found is not None
    return found.aggregate


def act(case: Any, subject: str, action: str, part: int = 0, command: Any = None, *, actor: Actor, **more: Any) -> Any:
    done = actions.act(case.claim.number, subject, action, part, command, actor=actor, now=NOW, **more)
    assert not isinstance(done, Refusal), (subject, action, done)
    return done.case


def decided(us: SimpleNamespace, key: str, yuan: int = 120_000, **more: Any) -> Any:
    """A claim whose own damage is submitted for a decision above the threshold of four eyes."""
    case = reported(
        us,
        key,
        accept_automatic=False,
        exposures=(c.ExposureReported("own_damage", "collision"),),
        loss_kind="collision",
        **more,
    )
    handler = us.handler_of(case)
    item = c.ItemAssessed("车身", assessed=Money(yuan * 100, "CNY"), claimed=Money(yuan * 100, "CNY"))
    act(case, "exposure", "assess", 1, c.Assess((item,)), actor=us.assessor1)
    act(case, "exposure", "check_assessment", 1, actor=us.lead1)
    return act(case, "exposure", "submit_decision", 1, actor=handler)


def agreed(us: SimpleNamespace, key: str, **more: Any) -> Any:
    case = decided(us, key, 8000, **more)
    for approver in (us.approver1, us.approver2):
        if now_is(case).exposures[1].state == "submitted":
            act(case, "exposure", "approve_decision", 1, actor=approver)
    offer = max(now_is(case).offers)
    if now_is(case).offers[offer].state != "sent":
        act(case, "offer", "send", offer, actor=us.handler_of(case))
    return agree(us, case, offer)


def code_of(us: SimpleNamespace, case: Any, offer: int) -> str:
    act(case, "offer", "send_code", offer, actor=us.handler_of(case))
    return str(models.Delivery.objects.filter(message="one_time_code").order_by("-id").first().secret)


def agree(us: SimpleNamespace, case: Any, offer: int) -> Any:
    return act(case, "offer", "agree", offer, c.Agree(code_of(us, case, offer)), actor=us.intake1)


# --- the scenarios ---------------------------------------------------------------------------------------------


@scenario
def one_key_from_eight(us: SimpleNamespace) -> Any:
    command = small_report(story="八次", loss_at=NOW - timedelta(days=3))
    came = at_once(*[lambda: intake.report(command, actor=us.program, now=NOW, key="eight")] * 8)
    numbers = {o.case.claim.number for o in came}
    return [len(numbers), models.Claim.objects.filter(number__in=numbers).count(), sum(bool(o.events) for o in came)]


@scenario
def one_key_two_reports(us: SimpleNamespace) -> Any:
    reports = [small_report(story=story, loss_at=NOW - timedelta(days=5)) for story in ("甲", "乙")]
    came = at_once(*[lambda r=r: intake.report(r, actor=us.program, now=NOW, key="two") for r in reports * 4])
    return [
        len({o.case.claim.number for o in came if not isinstance(o, Refusal)}),
        said(came).get("refusal.key_reused"),
    ]


@scenario
def two_approvers(us: SimpleNamespace) -> Any:
    case = decided(us, "approvers", loss_at=NOW - timedelta(days=8))
    people = (us.approver1, us.approver2) * 2
    came = at_once(
        *[
            lambda a=a: actions.act(case.claim.number, "exposure", "approve_decision", 1, actor=a, now=NOW)
            for a in people
        ]
    )
    after = now_is(case).exposures[1]
    return [said(came).get("done"), after.state, len({a.split("/")[0] for a in after.approvals}), len(after.approvals)]


@scenario
def pay_pressed_eight_times(us: SimpleNamespace) -> Any:
    case = agreed(us, "double", loss_at=NOW - timedelta(days=12))
    for n, payment in case.payments.items():
        if payment.state == "ordered":
            act(case, "payment", "cancel", n, c.Reasoned("重来"), actor=us.finance1)
    order = c.OrderPayment(exposure=1, payee=1)
    seen = aggregates.load(Case, case.id).head.version
    handler = us.handler_of(case)
    came = at_once(
        *[
            lambda: actions.act(
                case.claim.number, "payment", "order", 0, order, actor=handler, now=NOW, seen_version=seen
            )
        ]
        * 8
    )
    live = [p for p in now_is(case).payments.values() if p.state == "ordered"]
    return [said(came).get("done"), len(live), live[0].amount_minor]


@scenario
def payment_approved_and_cancelled(us: SimpleNamespace) -> Any:
    case = agreed(us, "cancel", loss_at=NOW - timedelta(days=16))
    number, part = case.claim.number, next(n for n, p in case.payments.items() if p.state == "ordered")
    came = at_once(
        lambda: actions.act(number, "payment", "approve_payment", part, actor=us.finance1, now=NOW),
        lambda: actions.act(number, "payment", "approve_payment", part, actor=us.finance2, now=NOW),
        lambda: actions.act(number, "payment", "cancel", part, c.Reasoned("停"), actor=us.finance2, now=NOW),
        lambda: bank.turn(now=NOW, limit=10),
        lambda: bank.turn(now=NOW, limit=10),
    )
    while bank.turn(now=NOW, limit=10):
        pass
    end = now_is(case).payments[part]
    left = models.BankMessage.objects.filter(direction="out", message_id=end.end_to_end_id).count()
    return [
        end.state in ("confirmed", "cancelled", "approved"),
        left == (end.state == "confirmed"),
        [o for o in came if isinstance(o, str)],
    ]


@scenario
def four_claims_one_limit(us: SimpleNamespace) -> Any:
    """Four stays in hospital under one limit of the year, decided at one instant: together never more than the limit."""
    cover = {"medical_expense": {"limit_minor": 500_000, "deductible_minor": 0, "pay_rate": "100%"}}
    held = policy("MED-1", "medical", cover, name="李四", phone="13700137000", seed=7)
    item = c.ItemAssessed("治疗费", assessed=Money(200_000, "CNY"), claimed=Money(200_000, "CNY"))
    cases = []
    for n in range(4):
        stay = c.Report(
            story=f"住院{n}", phone="13700137000", line="health", policy_number=held.number,
            loss_kind="accident_medical", loss_at=NOW - timedelta(days=20 + 30 * n),
            exposures=(c.ExposureReported("medical_expense", "accident_medical"),),
        )  # fmt: skip
        done = intake.report(stay, actor=us.program, now=NOW, key=f"limit-{n}")
        assert not isinstance(done, Refusal), done
        handler = us.handler_of(done.case)
        act(done.case, "exposure", "assess", 1, c.Assess((item,)), actor=handler)
        act(done.case, "exposure", "check_assessment", 1, actor=us.assessor1)
        cases.append(act(done.case, "exposure", "submit_decision", 1, actor=handler))

    def decide(case: Any) -> Any:
        return actions.act(case.claim.number, "exposure", "approve_decision", 1, actor=us.approver1, now=NOW)

    at_once(*[lambda case=case: decide(case) for case in cases])
    for case in cases:
        if (
            now_is(case).exposures[1].state == "checked"
        ):  # another had taken of the limit: the sum that is left is submitted
            act(case, "exposure", "submit_decision", 1, actor=us.handler_of(now_is(case)))
        decide(case)  # and who was refused for being too slow too often
    ledger = aggregates.load(PolicyLedger, held.id).aggregate
    drawn = sum(u.amount_minor for u in ledger.usages if not u.released)
    payable = [now_is(case).exposures[1].payable_minor for case in cases]
    return [drawn, sum(payable), sorted(payable)]


@scenario
def agree_from_eight(us: SimpleNamespace) -> Any:
    case = decided(us, "agree8", 6000, loss_at=NOW - timedelta(days=24))
    for approver in (us.approver1, us.approver2):
        if now_is(case).exposures[1].state == "submitted":
            act(case, "exposure", "approve_decision", 1, actor=approver)
    offer = max(now_is(case).offers)
    if now_is(case).offers[offer].state != "sent":
        act(case, "offer", "send", offer, actor=us.handler_of(case))
    code = code_of(us, case, offer)
    came = at_once(
        *[lambda: actions.act(case.claim.number, "offer", "agree", offer, c.Agree(code), actor=us.intake1, now=NOW)] * 8
    )
    after = now_is(case)
    return [
        said(came).get("done"),
        after.offers[offer].state,
        len([p for p in after.payments.values() if p.state != "cancelled"]),
    ]


@scenario
def agreed_while_the_handler_changes_the_decision(us: SimpleNamespace) -> Any:
    case = decided(us, "race", 6000, loss_at=NOW - timedelta(days=28))
    for approver in (us.approver1, us.approver2):
        if now_is(case).exposures[1].state == "submitted":
            act(case, "exposure", "approve_decision", 1, actor=approver)
    offer = max(now_is(case).offers)
    if now_is(case).offers[offer].state != "sent":
        act(case, "offer", "send", offer, actor=us.handler_of(case))
    code, number = code_of(us, case, offer), case.claim.number
    came = at_once(
        lambda: actions.act(number, "offer", "agree", offer, c.Agree(code), actor=us.intake1, now=NOW),
        lambda: actions.act(number, "exposure", "return_for_rework", 1, c.Reasoned("再看"), actor=us.lead1, now=NOW),
    )
    state = now_is(case).exposures[1].state
    return [said(came).get("done"), state in ("agreed", "open", "settled")]


@scenario
def withdrawn_while_the_order_leaves(us: SimpleNamespace) -> Any:
    case = approved(us, "leave", story="撤回", loss_at=NOW - timedelta(days=20))
    number = case.claim.number
    came = at_once(
        lambda: actions.act(number, "claim", "withdraw", 0, c.Reasoned("不要了"), actor=us.intake1, now=NOW),
        lambda: bank.turn(now=NOW, limit=10),
    )
    after = now_is(case)
    return [isinstance(came[0], Refusal), after.claim.state != "withdrawn", not isinstance(came[1], str)]


@scenario
def seals_while_everybody_writes(us: SimpleNamespace) -> Any:
    cases = [reported(us, f"seal-{n}", story=f"封{n}", loss_at=NOW - timedelta(days=40 + n)) for n in range(4)]

    def write(case: Any) -> Callable[[], Any]:
        def notes() -> Any:
            for n in range(12):
                done = actions.act(
                    case.claim.number, "claim", "add_note", 0, c.Write(f"记{n}"), actor=us.lead1, now=NOW
                )
                assert not isinstance(done, Refusal), done
            return "written"

        return notes

    def seal() -> Any:
        for n in range(8):
            seals.seal(now=NOW + timedelta(seconds=n))
        return "sealed"

    came = at_once(*(write(case) for case in cases), seal, seal)
    return sorted(set(came))


@scenario
def a_seal_and_a_decision_each_with_what_the_other_wants(us: SimpleNamespace) -> Any:
    """A decision moves the policy's stream and then the claim's; a seal marks both, in whatever order they are found."""
    case = decided(us, "locks", 6000, loss_at=NOW - timedelta(days=90))
    moved, came = unit_of_work._move, []

    def slowly(writes: Any, heads: Any) -> None:
        for write, head in zip(writes, heads, strict=True):
            moved([write], [head])
            time.sleep(1.0)

    unit_of_work._move = slowly
    try:
        write = unit_of_work.Write(ledger_of(us), ((Event("ledger.noted", 0, {}), us.program),))
        own = unit_of_work.Write(aggregates.load(Case, case.id), ((Event("claim.note_added", 0, {}), us.program),))
        came = at_once(
            lambda: unit_of_work.commit([write, own], rulebook=norms.current(), now=NOW) and "written",
            lambda: time.sleep(0.5) or (seals.seal(now=NOW + timedelta(days=1)) and "sealed"),
        )
    finally:
        unit_of_work._move = moved
    return came


def ledger_of(us: SimpleNamespace) -> Any:
    """The car's ledger, with its stream begun."""
    draw = {"limit": "x", "period": "x", "claim_number": "x", "exposure": 1, "amount_minor": 0, "released": True}
    if aggregates.load(PolicyLedger, us.car.id) is None:
        event = Event("ledger.drawn", 1, {}, (Change("ledger", 0, {"currency": "CNY"}), Change("usage", 1, draw)))
        begun = unit_of_work.Write(unit_of_work.begin(PolicyLedger, us.car.id), ((event, us.program),))
        unit_of_work.commit([begun], rulebook=norms.current(), now=NOW)
    return aggregates.load(PolicyLedger, us.car.id)


@scenario
def two_managers_save_one_table(us: SimpleNamespace) -> Any:
    version, text = norms.text_in_force("settings")
    came = at_once(
        *[
            lambda a=a: norms.save(
                table="settings", text=text + f"\n# {a.id}\n", reason="r", seen_version=version, actor=a, now=NOW
            )
            for a in (us.manager1, us.manager2) * 2
        ]
    )
    return [sum(isinstance(o, int) for o in came), said([o for o in came if not isinstance(o, int)])]


@scenario
def one_file_from_six(us: SimpleNamespace) -> Any:
    case = reported(us, "file", story="照片", loss_at=NOW - timedelta(days=50))
    data = png()
    came = at_once(
        *[
            lambda: documents.receive(
                case.claim.number,
                io.BytesIO(data),
                file_name="a.png",
                declared_type="image/png",
                actor=us.intake1,
                now=NOW,
            )
        ]
        * 6
    )
    return [said(came), len(now_is(case).documents)]


def png() -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (20, 20), "red").save(out, "PNG")
    return out.getvalue()


@scenario
def a_code_guessed_by_eight(us: SimpleNamespace) -> Any:
    case = reported(us, "guess", story="猜", loss_at=NOW - timedelta(days=60))
    attempt = portal.ask_code(number=case.claim.number, phone="13800138000", caller="1", now=NOW)
    assert isinstance(attempt, int)
    came = at_once(*[lambda: portal.enter_code(attempt, "not it", now=NOW)] * 8)
    return [
        said(came).get("refusal.code_wrong") == norms.current().settings.one_time_code_attempts,
        models.PortalTry.objects.get(id=attempt).attempts,
    ]


@scenario
def a_right_code_entered_by_four(us: SimpleNamespace) -> Any:
    case = reported(us, "right", story="对", loss_at=NOW - timedelta(days=64))
    attempt = portal.ask_code(number=case.claim.number, phone="13800138000", caller="2", now=NOW)
    code = models.Delivery.objects.filter(message="portal_code").order_by("-id").first().secret
    came = at_once(*[lambda: portal.enter_code(attempt, code, now=NOW)] * 4)
    return said(came).get("done")


@scenario
def four_workers(us: SimpleNamespace) -> Any:
    """Everything that is due, drained and swept by four workers at one instant."""
    later = NOW + timedelta(days=3)

    def work() -> Any:
        done = 1
        while done:
            done = (
                deliveries.work(now=later, limit=50)
                + sweeps.clocks(now=later, limit=50)
                + bank.turn(now=later, limit=50)
            )
            done += sweeps.papers(now=later + timedelta(days=30), limit=20) + sweeps.offers(
                now=later + timedelta(days=60), limit=20
            )
        return "worked"

    came = at_once(work, work, work, work)
    sent = Counter(models.Entry.objects.filter(kind="notice.sent").values_list("cause", flat=True))
    broken = Counter(models.Entry.objects.filter(kind="clock.breached").values_list("stream_id", "part"))
    return [came, max(sent.values()), max(broken.values())]


def main() -> None:
    automation.drawn = lambda case, world: case.claim.sampled  # nobody's claim is drawn by lot
    us = company()
    found: dict[str, Any] = {}
    wanted = sys.argv[1:] or list(SCENARIOS)
    for name in wanted:
        try:
            found[name] = SCENARIOS[name](us)
        except Exception as error:
            traceback.print_exc()
            found[name] = f"{type(error).__name__}: {error}"
    found["verify"] = [str(d) for d in verify.differences(now=NOW)]
    ends = models.Entry.objects.filter(kind="payment.confirmed").values_list("stream_id", "part")
    found["confirmed twice"] = len(ends) - len(set(ends))
    print(json.dumps(found, ensure_ascii=False))


if __name__ == "__main__":
    import django

    django.setup()
    main()
