"""Messages leave once, are confirmed or fall back, and what a crash cuts off is neither lost nor sent twice (norm 2.4.1)."""

from __future__ import annotations

import email
import time
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from email import policy
from pathlib import Path
from typing import Any

import pytest
from tests.company import NOW
from tests.jobs.conftest import Provider, approved, kinds, loaded, reported

from lipei.domain import commands as c
from lipei.domain.claims import Paper
from lipei.domain.events import Actor, Refusal
from lipei.domain.money import Money
from lipei.gateways.channels import DeliveryReport, Receipt
from lipei.jobs import loop
from lipei.norms import messages as norm_messages
from lipei.norms.money import money_text
from lipei.norms.texts import text
from lipei.services import actions, deliveries, norms, verify
from lipei.services.deliveries import composing, letters, outlets
from lipei.services.deliveries.composing import message_id, row_id
from lipei.services.deliveries.words import VALUES, Telling
from lipei.store import models

pytestmark = pytest.mark.django_db


def receipt_of(case: Any) -> Any:
    return models.Delivery.objects.get(stream_id=case.id, message="receipt")


def test_superiors_are_told_what_a_large_case_may_come_to(people: Any) -> None:
    """Not only what the customer guessed at the report: what colleagues have set aside since."""
    case = reported(people)
    words = Telling(case, norms.current(), "en", event="claim.reported_upwards")
    assert VALUES["amount"](words) == money_text(Money(case.claim.estimate_minor, "CNY"), "en")
    actor = people.lead1
    command = c.SetReserve(Money(case.claim.estimate_minor + 6_000_000, "CNY"), "伤情加重")
    done = actions.act(case.claim.number, "exposure", "set_reserve", 1, command, actor=actor, now=NOW)
    words = Telling(done.case, norms.current(), "en", event="claim.reported_upwards")
    assert VALUES["amount"](words) == money_text(Money(case.claim.estimate_minor + 6_000_000, "CNY"), "en")


def test_a_reason_and_what_was_written_along_are_one_sentence(people: Any) -> None:
    case = reported(people)
    paper = Paper(1, state="refused", reason="incomplete", note="第二页没有拍到。")
    case = replace(case, parts={**case.parts, "paper": {1: paper}})
    written = {"zh-hans": "（第二页没有拍到）。请", "zh-hant": "（第二页没有拍到）。請", "en": "(第二页没有拍到). "}
    for language, words in written.items():
        params = {"reason": VALUES["reason"](Telling(case, norms.current(), language, "paper.refused", 1))}
        params |= {"claim_number": "1", "paper": "2", "link": "3"}
        table = norms.current().messages
        said = norm_messages.render(
            table=table, message="paper_refused", channel="sms", language=language, params=params
        )
        assert words in said.text


@pytest.mark.norm("1.4.3")
def test_in_a_role_only_those_are_told_who_neither_did_it_nor_are_told_by_name(people):
    case = reported(people)
    number = case.claim.number
    done = actions.act(number, "claim", "suspect", 0, c.Reasoned("发票可疑"), actor=people.investigator1, now=NOW)
    assert models.Delivery.objects.get(message="staff_suspected").role == "investigator"
    loop.settle(NOW)
    row = models.Delivery.objects.get(message="staff_suspected")
    assert (row.state, row.body) == ("overtaken", ""), "the only investigator did it"
    assert "notice.failed" not in kinds(case)
    other = models.Staff.objects.get(code="expert1")
    models.Staff.objects.filter(id=other.id).update(roles=("expert", "investigator"))
    for action, reason in (("clear_suspicion", "已核实"), ("suspect", "又有疑点")):
        done = actions.act(number, "claim", action, 0, c.Reasoned(reason), actor=people.investigator1, now=NOW)
        assert not isinstance(done, Refusal), done
    row = models.Delivery.objects.filter(message="staff_suspected").latest("id")
    found = composing.compose(row, done.case, norms.current(), now=NOW)
    assert [m.to for m in found.messages] == [other.email]
    models.Delivery.objects.create(
        **{f: getattr(row, f) for f in ("stream_kind", "stream_id", "sequence", "message", "channels", "due_at")},
        staff_id=other.id, dedupe="test:by-name",
    )  # fmt: skip
    with pytest.raises(composing.Stopped, match="known_already"):
        composing.compose(row, done.case, norms.current(), now=NOW)


@pytest.mark.norm("2.4.1")
def test_a_head_of_loss_that_is_dropped_is_told_with_its_reason(people):
    case = reported(people)
    reason = c.Reasoned("您告诉我们这部分不再申请")
    done = actions.act(case.claim.number, "exposure", "drop", 1, reason, actor=people.lead1, now=NOW)
    assert not isinstance(done, Refusal), done
    row = models.Delivery.objects.get(message="head_dropped")
    said = composing.compose(row, done.case, norms.current(), now=NOW).messages[0].text
    assert reason.reason in said and text("cover.own_damage", "zh-hans") in said
    assert models.Delivery.objects.filter(message="head_dropped").count() == 1


@pytest.mark.norm("2.2.2")
def test_the_letter_that_asks_for_papers_says_in_which_form(people):
    case = reported(people)
    done = actions.act(case.claim.number, "claim", "request_papers", actor=people.handler_of(case), now=NOW)
    telling = Telling(done.case, norms.current(), "en", "claim.papers_requested", 0, {}, 1, now=NOW)
    asked = letters.DATA["paper_request"](telling, letters._common("paper_request", telling, NOW))
    forms = {paper.name: paper.form for paper in asked.papers}
    assert forms[text("paper.driving_licence", "en")] == "photo" and all(forms.values()), forms


@pytest.mark.norm("2.2.2")
def test_made_again_once_all_is_decided_the_letter_names_what_was_asked_for_and_never_came(people):
    case = reported(people)
    done = actions.act(case.claim.number, "claim", "request_papers", actor=people.handler_of(case), now=NOW)
    asked = {paper.code for paper in done.case.papers.values()}
    models.Exposure.objects.filter(aggregate_id=case.id).update(state="approved")
    telling = Telling(loaded(case), norms.current(), "en", "claim.papers_requested", 0, {}, 1, now=NOW)
    assert {paper.code for paper in telling.papers()} == asked
    made = letters.DATA["paper_request"](telling, letters._common("paper_request", telling, NOW))
    assert len(made.papers) == len(asked)


@pytest.mark.norm("2.2.1")
def test_the_receipt_leaves_at_once_and_says_who_and_when(people, tmp_path):
    case = reported(people)
    loop.settle(NOW)
    row = receipt_of(case)
    assert row.sent_at == NOW and case.claim.number in row.body
    assert f"/c/{case.claim.number}." in row.body  # the customer's own signed link
    assert kinds(case).count("notice.sent") == 2  # the customer, and the colleague it was assigned to
    assert loaded(case).claim.last_told_at == NOW
    assert len(list((tmp_path / "outbox" / "sms").glob("*.json"))) == 1
    loop.settle(NOW + timedelta(minutes=2))
    assert receipt_of(case).state == "delivered"
    assert "notice.delivered" in kinds(case)
    assert list(verify.differences(now=NOW)) == []


def test_a_second_turn_sends_nothing_twice(people, tmp_path):
    case = reported(people)
    for minutes in (0, 0, 1, 60, 24 * 60):
        loop.run_once(NOW + timedelta(minutes=minutes))
    assert kinds(case).count("notice.sent") == models.Delivery.objects.filter(sent_at__isnull=False).count()
    assert len(list((tmp_path / "outbox" / "sms").glob("*.json"))) == 1


def test_the_letter_goes_with_the_mail_and_is_kept(people, tmp_path):
    case = reported(people, phone="", email="wang@example.com", policy_number="PC-1", name="王小明")
    row = receipt_of(case)
    models.Delivery.objects.filter(id=row.id).update(channels=("email",))
    deliveries.work(now=NOW, limit=10)
    files = list((tmp_path / "outbox" / "mail").glob(f"lipei-{row.id}-*.eml"))
    mail = email.message_from_bytes(files[0].read_bytes(), policy=policy.default)
    pdfs = [part for part in mail.iter_attachments() if part.get_content_type() == "application/pdf"]
    assert len(pdfs) == 1 and pdfs[0].get_content().startswith(b"%PDF")
    entry = models.Entry.objects.filter(stream_id=case.id, kind="notice.sent").first()
    facts = __import__("json").loads(entry.payload)["facts"]
    with deliveries.media().open(facts["letter_digest"]) as kept:
        assert kept.read() == pdfs[0].get_content()


# --- patience ------------------------------------------------------------------------------------------------


def test_a_server_that_is_down_for_a_day_loses_nothing(people, plug):
    case = reported(people, email="wang@example.com")
    sms, mail = Provider(), Provider(*[Receipt("failed", reason="unreachable")] * 14)  # two messages, seven times each
    models.Delivery.objects.filter(message="receipt").update(channels=("email",))
    plug(sms=sms, email=mail)
    now, end = NOW, NOW + timedelta(hours=40)
    while now < end:
        deliveries.work(now=now, limit=50)
        now += timedelta(minutes=30)
    assert receipt_of(case).state == "sent"
    ids = [m.id for m in mail.sent if m.template == "receipt"]
    assert len(set(ids)) == 1 and len(ids) > 1  # the same identity at every attempt


def test_what_is_refused_for_good_goes_to_the_next_channel(people, plug):
    case = reported(people, email="wang@example.com")
    sms, mail = Provider(Receipt("rejected", reason="address_refused")), Provider()
    plug(sms=sms, email=mail)
    deliveries.work(now=NOW, limit=10)
    row = receipt_of(case)
    assert (row.state, row.position, row.channels) == ("sent", 1, ("sms", "email"))
    assert [m.to for m in mail.sent if m.template == "receipt"] == ["wang@example.com"]


@pytest.mark.norm("2.4.1")
def test_a_landline_gets_no_text_message_but_the_next_channel(people, plug):
    case = reported(people, phone="021-62345678", email="wang@example.com")
    sms, mail = Provider(), Provider()
    plug(sms=sms, email=mail)
    deliveries.work(now=NOW, limit=10)
    assert not sms.sent and [m.to for m in mail.sent if m.template == "receipt"] == ["wang@example.com"]
    assert receipt_of(case).state == "sent"


@pytest.mark.norm("2.4.1")
def test_whom_no_channel_reaches_is_told_by_a_person(people, plug):
    case = reported(people)
    sms, mail = Provider(Receipt("rejected", reason="address_refused")), Provider()
    plug(sms=sms, email=mail)
    deliveries.work(now=NOW, limit=10)
    assert receipt_of(case).state == "failed"
    assert "notice.failed" in kinds(case)
    assert loaded(case).claim.last_told_at is None
    deliveries.work(now=NOW, limit=10)
    told = [m for m in mail.sent if m.template == "staff_unreachable"]
    assert len(told) == 1 and "王小明" in told[0].text


def test_who_left_no_address_is_told_by_a_person(people, plug):
    case = reported(people)
    models.Delivery.objects.filter(message="receipt").update(channels=())
    plug(sms=Provider(), email=Provider())
    deliveries.work(now=NOW, limit=10)
    assert (receipt_of(case).state, receipt_of(case).reason) == ("failed", "no_address")
    assert "notice.failed" in kinds(case)


def test_a_provider_that_can_be_asked_confirms(people, plug):
    case = reported(people)
    sms = Provider(can_inquire=True, reports=(None, DeliveryReport(True, provider_id="p-1", at=NOW)))
    plug(sms=sms, email=Provider())
    deliveries.work(now=NOW, limit=10)
    assert receipt_of(case).state == "asking"
    for minutes in (1, 10):
        deliveries.work(now=NOW + timedelta(minutes=minutes), limit=10)
    row = receipt_of(case)
    assert (row.state, row.delivered_at) == ("delivered", NOW)
    assert len([m for m in sms.sent if m.template == "receipt"]) == 1
    assert {a.provider_id for a in sms.asked} == {"p-1"}


def test_the_provider_calls_back(people, plug):
    case = reported(people)
    plug(sms=Provider(can_inquire=True), email=Provider())
    deliveries.work(now=NOW, limit=10)
    name = message_id(receipt_of(case), "")
    assert deliveries.report("sms", name.encode(), {}, query={}, now=NOW) == 1
    assert receipt_of(case).state == "delivered"
    assert deliveries.report("sms", name.encode(), {}, query={}, now=NOW) == 0  # the same report again
    assert kinds(case).count("notice.delivered") == 1


def test_quiet_hours_hold_back_what_is_not_urgent(people):
    night = NOW.replace(hour=15)  # 23:00 in Shanghai
    case = reported(people)
    actions.act(
        case.claim.number,
        "claim",
        "give_opinion",
        0,
        c.GiveOpinion("属于保险责任。"),
        actor=people.handler_of(case),
        now=night,
    )
    deliveries.work(now=night, limit=50)
    row = models.Delivery.objects.filter(stream_id=case.id, message="opinion").first()
    assert row.state == "queued" and row.due_at.hour == 0  # 08:00 in Shanghai
    deliveries.work(now=row.due_at, limit=50)
    row.refresh_from_db()
    assert row.sent_at is not None


@pytest.mark.norm("2.4.1")
def test_quiet_hours_hold_for_a_worker_that_was_down_and_for_the_next_channel(people, plug):
    evening, night = NOW.replace(hour=12, minute=40), NOW.replace(hour=19)  # 20:40 and 03:00 in Shanghai
    case = reported(people, email="wang@example.com")
    said, by = c.GiveOpinion("属于保险责任。"), people.handler_of(case)
    actions.act(case.claim.number, "claim", "give_opinion", 0, said, actor=by, now=evening)
    row = models.Delivery.objects.filter(stream_id=case.id, message="opinion").first()
    assert row.due_at == evening
    sms, mail = Provider(Receipt("rejected", reason="address_refused")), Provider()
    plug(sms=sms, email=mail)
    deliveries.work(now=night, limit=50)
    row.refresh_from_db()
    assert (row.state, row.sent_at, row.due_at.hour) == ("queued", None, 0)
    deliveries.work(now=row.due_at, limit=50)
    row.refresh_from_db()
    assert row.sent_at is not None


# --- crashes -------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """What SIGKILL looks like from the inside: nothing below runs any more."""


def test_killed_before_handing_over_it_is_sent_later(people, plug, monkeypatch):
    case = reported(people)
    sms = Provider()
    plug(sms=sms, email=Provider())

    def die(*args: Any, **kwargs: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(deliveries, "compose", die)
        deliveries.work(now=NOW, limit=10)
    row = receipt_of(case)
    assert (row.state, row.sent_at) == ("sending", None)
    deliveries.work(now=NOW + timedelta(seconds=30), limit=10)
    assert sms.sent == []  # the lease still holds
    deliveries.work(now=NOW + norms.current().jobs.lease, limit=10)
    assert receipt_of(case).state == "sent" and len([m for m in sms.sent if m.template == "receipt"]) == 1


def killed_after_sending(people: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    case = reported(people)

    def die(*args: Any, **kwargs: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(deliveries, "_next", die)
        deliveries.work(now=NOW, limit=10)
    assert receipt_of(case).state == "sending"
    return case


def test_killed_between_sending_and_recording_an_sms_is_asked_about(people, plug, monkeypatch):
    sms = Provider(can_inquire=True, reports=(DeliveryReport(True, message_id="x", at=NOW),))
    plug(sms=sms, email=Provider())
    case = killed_after_sending(people, monkeypatch)
    assert receipt_of(case).sent_at is not None
    deliveries.work(now=NOW + norms.current().jobs.lease, limit=10)
    deliveries.work(now=NOW + norms.current().jobs.lease + timedelta(minutes=5), limit=10)
    assert len([m for m in sms.sent if m.template == "receipt"]) == 1  # never a second time
    assert receipt_of(case).state == "delivered"
    assert sms.asked[0].message_id == message_id(receipt_of(case), "")


def test_killed_between_sending_and_recording_a_mail_goes_again_under_the_same_id(people, plug, monkeypatch):
    mail = Provider()
    plug(repeatable=True, sms=mail, email=mail)
    case = killed_after_sending(people, monkeypatch)
    deliveries.work(now=NOW + norms.current().jobs.lease, limit=10)
    ids = [m.id for m in mail.sent if m.template == "receipt"]
    assert len(ids) == 2 and len(set(ids)) == 1
    assert receipt_of(case).state == "sent"


def test_who_lost_the_lease_records_nothing(people, plug):
    case = reported(people)
    plug(sms=Provider(), email=Provider())
    rows = deliveries.take(
        models.Delivery.objects.filter(message="receipt"), now=NOW, lease=timedelta(seconds=1), limit=1, state="sending"
    )
    models.Delivery.objects.filter(id=rows[0].id).update(leased_until=NOW + timedelta(hours=1))  # another worker's now
    deliveries._deal_with(rows[0], deliveries.Round(NOW))
    assert "notice.sent" not in kinds(case)


# --- slow ones keep nobody ---------------------------------------------------------------------------------------


class Clockwork:
    """A clock of the machine that only goes on when a provider takes its time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.seconds)

    def slow(self, provider: Provider, seconds: float) -> None:
        taken = provider.send

        def send(message: Any, *, now: Any) -> Receipt:
            self.seconds += seconds
            return taken(message, now=now)

        provider.send = send  # type: ignore[method-assign]


def several(people: Any, number: int) -> list[Any]:
    """Claims whose receipts go by mail, and no other message."""
    cases = [
        reported(
            people, f"k{n}", story=f"第{n}件", email=f"wang{n}@example.com", loss_at=NOW - timedelta(days=9 * n + 1)
        )
        for n in range(number)
    ]
    models.Delivery.objects.exclude(message="receipt").delete()
    models.Delivery.objects.update(channels=("email",), urgent=False)
    return cases


def test_a_slow_server_does_not_outlast_the_lease_of_what_waits_behind(people, plug, monkeypatch):
    """A minute for each message, two for a lease: another worker that looks in meanwhile finds nothing to send."""
    clock, mail, other = Clockwork(monkeypatch), Provider(), Provider()
    several(people, 4)
    plug(email=mail, sms=Provider())
    clock.slow(mail, 60)
    taken, nested = mail.send, []

    def send(message: Any, *, now: Any) -> Receipt:
        answer = taken(message, now=now)
        if not nested:  # the other worker is quick, and its clock is right
            nested.append(1)
            plug(email=other, sms=Provider())
            deliveries.work(now=NOW + timedelta(seconds=clock.seconds - 1000), limit=10)
            plug(email=mail, sms=Provider())
            nested.clear()
        return answer

    mail.send = send  # type: ignore[method-assign]
    deliveries.work(now=NOW, limit=10)
    sent = Counter(m.id for m in (*mail.sent, *other.sent))
    assert len(sent) == 4 and set(sent.values()) == {1}
    assert {row.state for row in models.Delivery.objects.all()} == {"sent"}


def test_a_server_that_lets_us_wait_in_vain_is_asked_once_in_a_round(people, plug, monkeypatch):
    clock, mail = Clockwork(monkeypatch), Provider(*[Receipt("failed", reason="unreachable")] * 9)
    several(people, 3)
    plug(email=mail, sms=Provider())
    clock.slow(mail, 20)
    deliveries.work(now=NOW, limit=10)
    assert len(mail.sent) == 1
    rows = list(models.Delivery.objects.all())
    assert {(row.state, row.attempts, row.reason, row.sent_at) for row in rows} == {("queued", 1, "unreachable", None)}
    assert all(row.due_at >= NOW + timedelta(minutes=1) for row in rows)


def test_what_is_urgent_does_not_stand_behind_the_mail_of_a_morning(people, plug):
    several(people, 3)
    models.Delivery.objects.create(
        stream_kind="claim", stream_id=models.Claim.objects.first().id, sequence=1, message="staff_suspected",
        role="finance", channels=("email",), event="claim.suspected", due_at=NOW, dedupe="test:urgent", urgent=True,
    )  # fmt: skip
    mail = Provider()
    plug(email=mail, sms=Provider())
    deliveries.work(now=NOW, limit=1)
    assert {m.template for m in mail.sent} == {"staff_suspected"}


def test_a_worker_goes_on_with_its_sweeps_while_a_server_is_slow(people, plug, monkeypatch):
    clock, mail, swept = Clockwork(monkeypatch), Provider(), []
    several(people, 12)
    plug(email=mail, sms=Provider())
    clock.slow(mail, 3)
    monkeypatch.setitem(loop.SCHEDULE, "duty", lambda now, limit: swept.append(now) or 0)  # type: ignore[arg-type]
    jobs = loop.Jobs()
    for _ in range(3):
        jobs.run_once(NOW, lambda: NOW + timedelta(seconds=clock.seconds - 1000))
        jobs.last.clear()
    assert len(mail.sent) == 12 and len(swept) == 3
    assert swept[1] - swept[0] <= timedelta(seconds=40)


# --- what must not leave -------------------------------------------------------------------------------------


def test_a_glyph_that_no_font_carries_stops_the_letter_and_somebody_is_told(people, plug):
    case = reported(people, story="车撞到了𰻝𰻝面馆的招牌😀")
    mail = Provider()
    plug(sms=Provider(), email=mail)
    deliveries.work(now=NOW, limit=10)
    row = receipt_of(case)
    assert (row.state, row.reason) == ("failed", "missing_glyph")
    deliveries.work(now=NOW, limit=10)
    assert "staff_unreachable" in [m.template for m in mail.sent]


def test_a_one_time_code_leaves_and_is_kept_nowhere(people, plug):
    case = approved(people)
    sms = Provider()
    plug(sms=sms, email=Provider())
    due = norm_messages  # the wording has {code}
    assert "code" in due.needed_params(
        table=norms.current().messages, message="one_time_code", channel="sms", language="en"
    )
    row = models.Delivery.objects.create(
        stream_kind="claim", stream_id=case.id, sequence=1, message="one_time_code", party=1, channels=("sms",),
        event="offer.code_sent", part=1, secret="482913", due_at=NOW, dedupe="test:code", language="zh-hans",
    )  # fmt: skip
    deliveries.work(now=NOW, limit=50)
    row.refresh_from_db()
    assert [m.params[0] for m in sms.sent if m.template == "one_time_code"] == ["482913"]
    assert row.state == "sent" and row.secret == "" and "482913" not in row.body
    assert not models.Entry.objects.filter(payload__contains="482913").exists()


def test_a_code_that_is_gone_is_not_sent_as_a_hole(people, plug):
    case = reported(people)
    plug(sms=Provider(), email=Provider())
    row = models.Delivery.objects.create(
        stream_kind="claim", stream_id=case.id, sequence=1, message="one_time_code", party=1, channels=("sms",),
        event="offer.code_sent", part=1, secret="", due_at=NOW, dedupe="test:code", language="zh-hans",
    )  # fmt: skip
    deliveries.work(now=NOW, limit=50)
    row.refresh_from_db()
    assert (row.state, row.reason) == ("failed", "code_gone")


def test_a_role_is_told_each_at_their_own_address(people, plug):
    case = reported(people)
    mail = Provider()
    plug(sms=Provider(), email=mail)
    row = models.Delivery.objects.create(
        stream_kind="claim",
        stream_id=case.id,
        sequence=1,
        message="staff_suspected",
        role="finance",
        channels=("email",),
        event="claim.suspected",
        part=0,
        due_at=NOW,
        dedupe="test:role",
    )
    deliveries.work(now=NOW, limit=50)
    row.refresh_from_db()
    to = {m.to for m in mail.sent if m.template == "staff_suspected"}
    assert to == {"finance1@example.com", "finance2@example.com"} and row.state == "sent"


# --- the tables fit each other -------------------------------------------------------------------------------


def test_every_placeholder_can_be_filled():
    assert set(VALUES) == set(norm_messages.PLACEHOLDERS)


def test_every_channel_has_its_patience():
    from lipei.domain.messages import CHANNELS

    assert set(norms.current().jobs.channels) == set(CHANNELS)
    assert sum(norms.current().jobs.channels["email"].retry_after, timedelta()) > timedelta(days=1)


def test_an_id_finds_its_row_again(people):
    row = receipt_of(reported(people))
    assert row_id(message_id(row, "")) == row.id
    assert row_id("somebody-else") is None and row_id("lipei-x-1") is None
    assert message_id(row, "staff-1") != message_id(row, "staff-2")


def test_every_message_of_a_whole_life_has_its_words(people, plug):
    """Everything that a small claim causes from report to close is said, with no hole and nobody left out."""
    case = approved(people)
    mail = Provider()
    plug(sms=mail, email=mail)
    loop.settle(NOW + timedelta(minutes=1))
    assert loaded(case).claim.state == "closed"
    left = models.Delivery.objects.filter(stream_id=case.id).exclude(state__in=("sent", "delivered"))
    # The papers came before we could ask, who agreed beforehand is not asked to agree, and the money was there at once:
    # nothing is left for the handler to look at.
    overtaken = {"papers_request", "offer_sent", "offer_agreed_beforehand", "staff_paper_received"}
    assert {(d.message, d.state, d.reason) for d in left} == {(code, "overtaken", "") for code in overtaken}
    templates = {m.template for m in mail.sent}
    assert {"receipt", "payment_confirmed", "closed"} <= templates


@pytest.mark.norm("2.4.1")
def test_a_night_does_not_make_a_customer_be_asked_for_what_they_have_done(people, plug):
    """Offered at 23:00 and agreed at 23:05: in the morning nothing asks for agreement, and nobody is alarmed."""
    mail = Provider()
    plug(sms=mail, email=mail)
    case = reported(people, accept_automatic=False)
    number = case.claim.number
    actions.act(number, "claim", "request_papers", actor=people.handler_of(case), now=NOW)
    for part, paper in loaded(case).papers.items():
        if paper.required:
            actions.act(number, "paper", "receive", part, c.Receive(), actor=people.intake1, now=NOW)
    offer = max(loaded(case).offers)
    night = NOW.replace(hour=15)  # 23:00 in Shanghai
    models.Delivery.objects.filter(stream_id=case.id, message="offer_sent").update(due_at=NOW + timedelta(days=1))
    actions.act(case.claim.number, "offer", "send_code", offer, actor=people.program, now=night)
    code = models.Delivery.objects.get(stream_id=case.id, message="one_time_code").secret
    agreed = actions.act(case.claim.number, "offer", "agree", offer, c.Agree(code), actor=people.program, now=night)
    assert agreed.case.offers[offer].state == "agreed"
    deliveries.work(now=NOW + timedelta(days=1), limit=50)
    row = models.Delivery.objects.get(stream_id=case.id, message="offer_sent")
    assert (row.state, row.sent_at, row.secret) == ("overtaken", None, "")
    assert "offer_sent" not in {m.template for m in mail.sent}
    assert kinds(case).count("notice.overtaken") >= 1 and "notice.failed" not in kinds(case)
    assert not models.Delivery.objects.filter(stream_id=case.id, message="staff_unreachable").exists()
    assert list(verify.differences(now=NOW)) == []


def test_only_what_goes_to_customers_counts_as_telling_them(people, plug):
    case = reported(people)
    plug(sms=Provider(Receipt("failed", reason="not_now")), email=Provider())
    deliveries.work(now=NOW, limit=10)
    assert kinds(case).count("notice.sent") == 1  # the colleague only
    assert loaded(case).claim.last_told_at is None


def test_nobody_acts_for_a_delivery_but_the_product():
    assert Actor("system:deliveries", "deliveries") == deliveries.DELIVERIES


def test_the_outbox_is_below_the_home(tmp_path):
    assert outlets.outlet("email", sender_name="x").channel.folder == Path(tmp_path) / "outbox"


@pytest.mark.parametrize("url", ["http://x", "tencent://id:k3y@host/?app=1", "tencent:///?app=1&sign=2"])
def test_an_sms_url_that_makes_no_sense_is_refused_without_repeating_the_key(url):
    with pytest.raises(ValueError, match="an SMS URL is") as refused:
        outlets.sms_account(url)
    assert "k3y" not in str(refused.value)
