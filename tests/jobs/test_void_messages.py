"""What a night held back and a later event made void: not sent, and on record; sent or void, never both (norm 2.4.1)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.company import NOW
from tests.jobs.conftest import Provider, kinds, loaded, reported

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.gateways.channels import Receipt
from lipei.services import actions, deliveries, verify
from lipei.store import journal, models

pytestmark = pytest.mark.django_db
MORNING = NOW + timedelta(days=1)


def do(case: Any, subject: str, action: str, part: int, command: Any, actor: Any) -> Any:
    done = actions.act(case.claim.number, subject, action, part, command, actor=actor, now=NOW)
    assert not isinstance(done, Refusal), done
    return done.case


def held(case: Any, *messages: str) -> None:
    """As quiet hours hold them: due in the morning."""
    rows = models.Delivery.objects.filter(stream_id=case.id, message__in=messages)
    assert {r.message for r in rows} == set(messages)
    rows.update(due_at=MORNING)


def states(case: Any, message: str) -> list[str]:
    rows = models.Delivery.objects.filter(stream_id=case.id, message=message).order_by("id")
    return list(rows.values_list("state", flat=True))


def overtaken_by(case: Any) -> list[tuple[str, str]]:
    rows = models.Entry.objects.filter(stream_id=case.id, kind="notice.overtaken").order_by("sequence")
    facts = [journal.said(row.payload)[0] for row in rows]
    return [(f["message"], f.get("by", "")) for f in facts]


@pytest.fixture
def other(people: Any) -> str:
    return reported(people, "other").claim.number


def at_night(people: Any, case: Any, other: str) -> None:
    """Withdrawn, reopened, then found to be reported twice."""
    do(case, "claim", "withdraw", 0, c.Reasoned("不赔了"), people.intake1)
    do(case, "claim", "reopen", 0, c.Reasoned("又要赔"), people.lead1)
    do(case, "claim", "link_duplicate", 0, c.LinkDuplicate(other), people.lead1)
    held(case, "withdrawn", "reopened", "duplicate_linked")


def refused(people: Any) -> Any:
    """Every paper there, then refused as a whole."""
    case = reported(people, accept_automatic=False)
    handler = people.handler_of(case)
    do(case, "claim", "suspect", 0, c.Reasoned("发票可疑"), people.investigator1)  # so that no rule goes on by itself
    case = do(case, "claim", "request_papers", 0, None, handler)
    for part, paper in case.papers.items():
        if paper.required:
            do(case, "paper", "receive", part, c.Receive(), people.intake1)
    for part, paper in loaded(case).papers.items():
        if paper.state == "received":
            do(case, "paper", "accept", part, None, handler)
    do(case, "exposure", "propose_refusal", 1, c.Propose("not_covered", "D8", "合同尚未生效。"), handler)
    return do(case, "exposure", "refuse", 1, None, people.manager1)


@pytest.mark.norm("2.4.1")
def test_in_the_morning_only_what_still_holds_is_said(people, plug, other):
    mail = Provider()
    plug(sms=mail, email=mail)
    case = reported(people)
    at_night(people, case, other)
    deliveries.work(now=MORNING, limit=99)
    said = [m.template for m in mail.sent]
    assert "duplicate_linked" in said and not {"withdrawn", "reopened"} & set(said)
    assert states(case, "withdrawn") == ["overtaken"] and set(states(case, "reopened")) == {"overtaken"}
    assert ("reopened", "claim.duplicate_linked") in overtaken_by(case), "with the event that made it void"
    assert not set(models.Delivery.objects.filter(stream_id=case.id).values_list("state", flat=True)) & {
        "queued",
        "sending",
    }
    assert list(verify.differences(now=MORNING)) == []


@pytest.mark.norm("2.4.1")
def test_a_refusal_that_is_taken_back_before_it_was_told_is_not_told(people, plug):
    """Decided at night, reopened before morning: nothing is refused, so that nobody hears it and no clock runs for it.

    Refused once more it is told once, and the law's days count from then.
    """
    mail = Provider()
    plug(sms=mail, email=mail)
    case = refused(people)
    held(case, "refusal")
    do(case, "claim", "reopen", 0, c.Reasoned("合同已经生效"), people.lead1)
    held(case, "reopened")
    deliveries.work(now=MORNING, limit=99)
    said = [m.template for m in mail.sent]
    assert "refusal" not in said and "reopened" in said
    assert states(case, "refusal") == ["overtaken"] and ("refusal", "claim.reopened") in overtaken_by(case)
    assert clocks(case) == [("cn_refusal_notice", "cancelled"), ("decision_notice", "cancelled")]
    assert not models.Delivery.objects.filter(stream_id=case.id, message="staff_unreachable").exists()

    do(
        case,
        "exposure",
        "propose_refusal",
        1,
        c.Propose("not_covered", "D8", "还是尚未生效。"),
        people.handler_of(case),
    )
    do(case, "exposure", "refuse", 1, None, people.manager1)
    deliveries.work(now=MORNING, limit=99)
    assert [m.template for m in mail.sent].count("refusal") == 1
    assert states(case, "refusal") == ["overtaken", "sent"]
    assert sorted(state for _, state in clocks(case)) == ["cancelled", "cancelled", "fulfilled", "fulfilled"]
    assert list(verify.differences(now=MORNING)) == []


def clocks(case: Any) -> list[tuple[str, str]]:
    promises = ("cn_refusal_notice", "decision_notice")
    return sorted((k.promise, k.state) for k in loaded(case).clocks.values() if k.promise in promises)


@pytest.mark.norm("2.4.1")
def test_no_thanks_for_papers_beside_a_refusal_and_the_refusal_always_comes(people, plug):
    mail = Provider()
    plug(sms=mail, email=mail)
    case = refused(people)
    held(case, "papers_complete", "refusal")
    deliveries.work(now=MORNING, limit=99)
    said = [m.template for m in mail.sent]
    assert "papers_complete" not in said and said.count("refusal") == 1
    assert states(case, "papers_complete") == ["overtaken"] and states(case, "refusal") == ["sent"]
    assert ("papers_complete", "exposure.refused") in overtaken_by(case)


@pytest.mark.parametrize("repeatable", [False, True])
def test_what_happens_while_a_message_is_written_still_makes_it_void(people, plug, monkeypatch, repeatable):
    """The journal is asked in the statement by which the message leaves, not when its row was taken."""
    mail = Provider()
    plug(repeatable=repeatable, sms=mail, email=mail)
    case = reported(people)
    do(case, "claim", "withdraw", 0, c.Reasoned("不赔了"), people.intake1)
    right = deliveries.compose

    def meanwhile(row: Any, *more: Any, **named: Any) -> Any:
        if row.message == "withdrawn" and loaded(case).claim.closed_at is not None:
            do(case, "claim", "reopen", 0, c.Reasoned("又要赔"), people.lead1)
        return right(row, *more, **named)

    monkeypatch.setattr(deliveries, "compose", meanwhile)
    deliveries.work(now=MORNING, limit=99)
    assert "withdrawn" not in {m.template for m in mail.sent} and states(case, "withdrawn") == ["overtaken"]
    assert kinds(case).count("notice.overtaken") >= 1
    assert list(verify.differences(now=MORNING)) == []


@pytest.mark.parametrize("repeatable", [False, True])
def test_what_happens_once_a_message_leaves_makes_it_void_no_more(people, plug, repeatable):
    case = reported(people)
    do(case, "claim", "withdraw", 0, c.Reasoned("不赔了"), people.intake1)

    class Slow(Provider):
        def send(self, message: Any, *, now: Any) -> Receipt:
            if message.template == "withdrawn" and loaded(case).claim.closed_at is not None:
                do(case, "claim", "reopen", 0, c.Reasoned("又要赔"), people.lead1)
            return super().send(message, now=now)

    mail = Slow()
    plug(repeatable=repeatable, sms=mail, email=mail)
    deliveries.work(now=MORNING, limit=99)
    assert [m.template for m in mail.sent].count("withdrawn") == 1 and states(case, "withdrawn") == ["sent"]
    assert ("withdrawn", "claim.reopened") not in overtaken_by(case)


def test_mail_that_may_have_left_before_a_crash_is_not_called_void(people, plug):
    mail = Provider()
    plug(repeatable=True, sms=mail, email=mail)
    case = reported(people)
    do(case, "claim", "withdraw", 0, c.Reasoned("不赔了"), people.intake1)
    do(case, "claim", "reopen", 0, c.Reasoned("又要赔"), people.lead1)
    rows = models.Delivery.objects.filter(stream_id=case.id, message="withdrawn")
    # As a worker leaves it that was killed between handing over and recording.
    rows.update(state="sending", sent_at=NOW, leased_until=NOW, due_at=NOW)
    deliveries.work(now=MORNING, limit=99)
    assert states(case, "withdrawn") == ["sent"] and "withdrawn" in {m.template for m in mail.sent}
    # A worker killed earlier has sent nothing: what it had taken is void like all the rest.
    second = reported(people, "two")
    do(second, "claim", "withdraw", 0, c.Reasoned("不赔了"), people.intake1)
    do(second, "claim", "reopen", 0, c.Reasoned("又要赔"), people.lead1)
    rows = models.Delivery.objects.filter(stream_id=second.id, message="withdrawn")
    rows.update(state="sending", sent_at=None, leased_until=NOW, due_at=NOW)
    deliveries.work(now=MORNING, limit=99)
    assert states(second, "withdrawn") == ["overtaken"]
