"""What time alone brings about: warnings, breaches, ends of offers, reminders, the next person on duty (norm 2.3)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.company import NOW
from tests.jobs.conftest import approved, reported

from lipei.domain import commands as c
from lipei.domain.claims import Case
from lipei.jobs import loop
from lipei.norms import loader
from lipei.services import actions, duty, norms, sweeps, verify
from lipei.store import aggregates, models

pytestmark = pytest.mark.django_db


def now_is(case: Any) -> Any:
    found = aggregates.load(Case, case.id)
    assert found is not None
    return found.aggregate


def entries(case: Any, kind: str) -> list[Any]:
    return list(models.Entry.objects.filter(stream_id=case.id, kind=kind).order_by("sequence"))


# --- promises ------------------------------------------------------------------------------------------------


@pytest.mark.norm("2.3.1")
def test_a_breach_is_dated_at_its_due_instant_however_late_it_is_noticed(people):
    case = reported(people)
    due = next(k.due_at for k in case.clocks.values() if k.promise == "preliminary_opinion")
    assert sweeps.clocks(now=due + timedelta(hours=5), limit=100) == 1
    broken = next(k for k in now_is(case).clocks.values() if k.promise == "preliminary_opinion")
    assert broken.breached_at == due
    entry = next(e for e in entries(case, "clock.breached") if '"preliminary_opinion"' in e.payload)
    assert entry.occurred_at == due and entry.recorded_at == due + timedelta(hours=5)


def test_a_second_sweep_says_nothing_more(people):
    reported(people)
    later = NOW + timedelta(days=2)
    assert sweeps.clocks(now=later, limit=100) == 1
    before = models.Entry.objects.count()
    assert sweeps.clocks(now=later, limit=100) == 0
    assert models.Entry.objects.count() == before
    assert list(verify.differences(now=NOW)) == []


def test_warnings_come_once_per_level(people):
    case = reported(people)
    sweeps.clocks(now=NOW + timedelta(hours=12), limit=100)
    sweeps.clocks(now=NOW + timedelta(hours=13), limit=100)
    warned = [e for e in entries(case, "clock.warned") if '"preliminary_opinion"' in e.payload]
    assert len(warned) == 1 and json.loads(warned[0].payload)["facts"]["level"] == 1


def test_the_sweep_asks_no_more_with_more_clocks_open(people):
    """Its cost grows with the clocks due, not with the clocks open."""
    reported(people)
    with CaptureQueriesContext(connection) as few:
        assert sweeps.clocks(now=NOW, limit=100) == 0
    for number in range(6):
        reported(people, f"more-{number}", story=f"第{number}件", loss_at=NOW - timedelta(days=number * 5, hours=1))
    with CaptureQueriesContext(connection) as many:
        assert sweeps.clocks(now=NOW, limit=100) == 0
    assert len(many) == len(few) == 2


def test_the_sweep_reads_its_indexes(people):
    reported(people)
    for hint, index in (("due_at", "clock_due"), ("warn_at", "clock_warn")):
        found = models.Clock.objects.filter(state="running", breached_at=None, **{f"{hint}__lte": NOW}).order_by(hint)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL enable_seqscan = off")
        assert index in found.explain()


# --- duty ----------------------------------------------------------------------------------------------------


def roster(people: Any, *persons: str) -> None:
    ids = [people.rows[p].id for p in persons]
    text = loader.default_text("duty").replace("team_lead: null", f"team_lead: {people.rows['lead1'].id}").replace(
        "shifts: []", f"shifts: [{{from: 2026-11-20 00:00, to: 2026-11-30 00:00, persons: {ids}}}]"
    )  # fmt: skip
    models.NormVersion.objects.create(
        table="duty", version=2, document=text, default_digest="", author="staff:1", reason="test", at=NOW
    )


@pytest.mark.norm("2.3.3")
def test_a_silent_person_on_duty_is_followed_by_the_next(people):
    roster(people, "handler1", "handler2")
    night = NOW.replace(hour=15)  # 23:00 in Shanghai
    case = actions_report(people, night)
    assert case.claim.duty_person == people.rows["handler1"].id
    due = case.claim.duty_due_at
    assert duty.sweep(now=due - timedelta(seconds=1), limit=10) == 0
    assert duty.sweep(now=due, limit=10) == 1
    after = now_is(case)
    assert after.claim.duty_person == people.rows["handler2"].id and after.claim.duty_position == 1
    assert models.Delivery.objects.filter(stream_id=case.id, message="staff_duty_call").count() == 2
    done = actions.act(
        case.claim.number, "claim", "acknowledge_duty", actor=people.handler2, now=due + timedelta(minutes=1)
    )
    assert done.case.claim.duty_due_at is None
    assert duty.sweep(now=due + timedelta(hours=3), limit=10) == 0


@pytest.mark.norm("2.3.3")
def test_who_is_away_or_has_left_is_not_called(people):
    roster(people, "handler1", "handler2")
    night = NOW.replace(hour=15)
    absence = {"starts_at": night - timedelta(days=1), "ends_at": night + timedelta(days=1)}
    models.Absence.objects.create(staff_id=people.rows["handler1"].id, reason="ill", **absence)
    case = actions_report(people, night)
    assert case.claim.duty_person == people.rows["handler2"].id
    models.Staff.objects.filter(id=people.rows["handler2"].id).update(active=False)
    assert duty.sweep(now=case.claim.duty_due_at, limit=10) == 1
    assert now_is(case).claim.duty_person == people.rows["lead1"].id  # who closes each round


@pytest.mark.norm("2.3.3")
def test_nobody_to_call_is_said_again_until_a_shift_begins(people):
    night = NOW.replace(hour=15)
    case = actions_report(people, night)
    assert case.claim.duty_person is None
    assert duty.sweep(now=night + timedelta(minutes=14), limit=10) == 0
    assert duty.sweep(now=night + timedelta(minutes=15), limit=10) == 1
    assert models.Entry.objects.filter(stream_id=case.id, kind="claim.duty_unmanned").count() == 2
    roster(people, "handler2")
    assert duty.sweep(now=night + timedelta(minutes=30), limit=10) == 1
    assert now_is(case).claim.duty_person == people.rows["handler2"].id
    assert models.Delivery.objects.filter(stream_id=case.id, message="staff_duty_call").exists()


def test_a_claim_that_its_handler_has_accepted_calls_nobody(people):
    roster(people, "handler1", "handler2")
    case = actions_report(people, NOW.replace(hour=15))
    handler = next(p for p in (people.handler1, people.handler2) if p.staff_id == case.claim.handler)
    done = actions.act(
        case.claim.number, "claim", "accept_assignment", actor=handler, now=NOW.replace(hour=15, minute=5)
    )
    assert done.case.claim.accepted_at is not None
    assert duty.sweep(now=case.claim.duty_due_at, limit=10) == 0


@pytest.mark.norm("2.3.3")
@pytest.mark.parametrize(
    ("person", "code"), [("finance1", "refusal.duty.person"), ("handler1", "refusal.duty.gap"), ("handler2", None)]
)
def test_a_roster_names_people_who_can_answer_and_are_there(people, person, code):
    away = {"starts_at": NOW + timedelta(days=2), "ends_at": NOW + timedelta(days=3)}
    models.Absence.objects.create(staff_id=people.rows["handler1"].id, **away)
    text = loader.default_text("duty").replace(
        "shifts: []", f"shifts: [{{from: 2026-11-20 00:00, to: 2026-12-30 00:00, persons: [{people.rows[person].id}]}}]"
    )
    found = norms.save(table="duty", text=text, reason="r", seen_version=1, actor=people.manager1, now=NOW)
    assert (found if code is None else found.code) == (code or 2)
    if code == "refusal.duty.gap":
        assert away["starts_at"] <= found.params["starts"] < found.params["ends"] <= away["ends_at"]


def actions_report(people: Any, at: Any, key: str = "night", days: int = 0) -> Any:
    from tests.jobs.conftest import small_report

    from lipei.services import intake

    command = small_report(
        loss_kind="third_party_injury", rescue=True, serious_injuries=1, exposures=(),
        loss_at=at - timedelta(hours=1, days=days),
    )  # fmt: skip
    return intake.report(command, actor=people.program, now=at, key=key).case


# --- offers and papers ---------------------------------------------------------------------------------------


def offered(people: Any, key: str = "one", **more: Any) -> Any:
    """A claim with an offer out that the customer has to answer."""
    case = reported(people, key, accept_automatic=False, **more)
    number, handler = case.claim.number, people.handler_of(case)
    done = actions.act(number, "claim", "request_papers", actor=handler, now=NOW)
    for part, paper in done.case.papers.items():
        if paper.required:
            done = actions.act(number, "paper", "receive", part, c.Receive(), actor=people.intake1, now=NOW)
    assert done.case.offers[1].state == "sent", done.case.offers
    return done.case


@pytest.mark.norm("2.2.4")
def test_an_offer_is_reminded_of_once_and_then_expires(people):
    case = offered(people)
    book = norms.current().settings
    sent, expires = case.offers[1].sent_at, case.offers[1].expires_at
    assert sweeps.offers(now=sent + timedelta(days=book.offer_remind_days) - timedelta(seconds=1), limit=10) == 0
    assert sweeps.offers(now=sent + timedelta(days=book.offer_remind_days), limit=10) == 1
    assert sweeps.offers(now=sent + timedelta(days=book.offer_remind_days + 1), limit=10) == 0
    assert models.Delivery.objects.filter(stream_id=case.id, message="offer_reminder").count() == 1
    assert sweeps.offers(now=expires - timedelta(seconds=1), limit=10) == 0
    assert sweeps.offers(now=expires, limit=10) == 1
    assert now_is(case).offers[1].state == "expired"
    assert models.Delivery.objects.filter(stream_id=case.id, message="offer_expired").count() == 1


@pytest.mark.norm("2.2.2")
def test_missing_papers_are_reminded_of_once(people):
    case = reported(people)
    actions.act(case.claim.number, "claim", "request_papers", actor=people.handler_of(case), now=NOW)
    days = norms.current().settings.papers_remind_days
    assert sweeps.papers(now=NOW + timedelta(days=days) - timedelta(seconds=1), limit=10) == 0
    assert sweeps.papers(now=NOW + timedelta(days=days), limit=10) == 1
    assert sweeps.papers(now=NOW + timedelta(days=days + 3), limit=10) == 0
    assert models.Delivery.objects.filter(stream_id=case.id, message="papers_reminder").count() == 1
    from lipei.services import deliveries

    deliveries.work(now=NOW + timedelta(days=days), limit=100)
    row = models.Delivery.objects.get(stream_id=case.id, message="papers_reminder")
    assert row.sent_at is not None and "还差" in row.body


def test_a_closed_claim_is_reminded_of_nothing(people):
    case = reported(people)
    handler = people.handler_of(case)
    actions.act(case.claim.number, "claim", "request_papers", actor=handler, now=NOW)
    actions.act(case.claim.number, "claim", "withdraw", 0, c.Reasoned("客户不再申请"), actor=handler, now=NOW)
    assert sweeps.papers(now=NOW + timedelta(days=30), limit=10) == 0


# --- edits ---------------------------------------------------------------------------------------------------


def shorter() -> str:
    text = loader.default_text("promises")
    place = text.index("- code: preliminary_opinion")
    return text[:place] + text[place:].replace("limit: 24", "limit: 4", 1)


@pytest.mark.norm("2.3.1")
def test_an_edit_shows_its_effect_before_it_is_saved_and_has_it_afterwards(people):
    case = reported(people)
    at = NOW + timedelta(hours=1)
    effect = sweeps.preview(table="promises", text=shorter(), now=at)
    changed = [d for d in effect.listed if d.promise == "preliminary_opinion"]
    assert effect.claims == 1 and [(d.number, d.due_after) for d in changed] == [
        (case.claim.number, NOW + timedelta(hours=4))
    ]
    assert models.NormVersion.objects.count() == 0  # nothing was saved
    assert sweeps.after_edits(now=at) == 0
    saved = norms.save(table="promises", text=shorter(), reason="更快", seen_version=1, actor=people.manager1, now=at)
    assert saved == 2
    assert sweeps.after_edits(now=at) == 1
    clock = next(k for k in now_is(case).clocks.values() if k.promise == "preliminary_opinion")
    assert clock.due_at == NOW + timedelta(hours=4)
    assert sweeps.after_edits(now=at) == 0  # once
    assert list(verify.differences(now=NOW)) == []


def test_a_claim_that_cannot_be_read_keeps_no_other_from_an_edit(people):
    broken = reported(people)
    whole = reported(people, "two", story="另一件事", loss_at=NOW - timedelta(days=9))
    norms.save(table="promises", text=shorter(), reason="更快", seen_version=1, actor=people.manager1, now=NOW)
    unreadable(broken)
    assert sweeps.after_edits(now=NOW) == 1
    clock = next(k for k in now_is(whole).clocks.values() if k.promise == "preliminary_opinion")
    assert clock.due_at == NOW + timedelta(hours=4)


def test_a_date_once_told_never_moves_to_a_later_one(people):
    case = reported(people)
    text = shorter().replace("limit: 4\n", "limit: 400\n", 1)
    norms.save(table="promises", text=text, reason="慢", seen_version=1, actor=people.manager1, now=NOW)
    sweeps.after_edits(now=NOW)
    clock = next(k for k in now_is(case).clocks.values() if k.promise == "preliminary_opinion")
    assert clock.due_at == NOW + timedelta(hours=24)


# --- tidying, and the whole turn -----------------------------------------------------------------------------


def test_old_keys_are_forgotten(people):
    reported(people)
    assert sweeps.tidy(now=NOW + norms.current().jobs.key_keep - timedelta(days=1), limit=10) == 0
    assert sweeps.tidy(now=NOW + norms.current().jobs.key_keep + timedelta(days=1), limit=10) >= 1
    assert not models.IdempotencyKey.objects.exists()


def test_one_turn_does_everything_and_a_quiet_one_nothing(people):
    case = approved(people)
    assert loop.settle(NOW) > 0
    assert now_is(case).claim.state == "closed"
    assert loop.settle(NOW + timedelta(minutes=5)) >= 0
    assert loop.run_once(NOW + timedelta(minutes=5)) == 0


def test_a_sweep_that_fails_keeps_no_other(people, monkeypatch):
    case = reported(people)

    def broken(now: Any, limit: int) -> int:
        raise RuntimeError("on purpose")

    monkeypatch.setitem(loop.SCHEDULE, "offers", broken)  # type: ignore[arg-type]
    loop.settle(NOW)
    assert models.Delivery.objects.get(stream_id=case.id, message="receipt").sent_at is not None


def unreadable(case: Any) -> None:
    blob = connection.Database.Binary(b"\x01" + b"\x00" * 40)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE claim SET story = %s WHERE id = %s", [blob, case.id])


def test_a_claim_that_cannot_be_read_keeps_no_other_from_its_sweeps(people):
    """It is due first at every turn; whatever is due behind it has its turn all the same."""
    broken = offered(people)
    whole = offered(people, "two", story="另一件事", loss_at=NOW - timedelta(days=9))
    papers = reported(people, "three", story="第三件", loss_at=NOW - timedelta(days=20))
    actions.act(papers.claim.number, "claim", "request_papers", actor=people.handler_of(papers), now=NOW)
    unreadable(broken)
    later = NOW + timedelta(days=2)
    assert sweeps.clocks(now=later, limit=1) == 1 and sweeps.clocks(now=later, limit=1) == 1
    assert entries(whole, "clock.breached") and entries(papers, "clock.breached")
    assert sweeps.papers(now=NOW + timedelta(days=30), limit=1) == 1
    assert sweeps.offers(now=whole.offers[1].expires_at, limit=1) == 1
    assert now_is(whole).offers[1].state == "expired"


def test_a_duty_call_that_fails_keeps_no_other(people):
    roster(people, "handler1", "handler2")
    night = NOW.replace(hour=15)
    broken, whole = (actions_report(people, night, key, days) for key, days in (("one", 1), ("two", 9)))
    unreadable(broken)
    assert duty.sweep(now=whole.claim.duty_due_at, limit=1) == 1
    assert now_is(whole).claim.duty_position == 1


def test_sweeps_keep_their_rhythm(people, monkeypatch):
    ran: list[Any] = []
    monkeypatch.setitem(loop.SCHEDULE, "clocks", lambda now, limit: ran.append(now) or 0)  # type: ignore[arg-type]
    jobs = loop.Jobs()
    every = norms.current().jobs.every["clocks"]
    for passed in (timedelta(), every / 2, every, every * 2):
        jobs.run_once(NOW + passed)
    assert ran == [NOW, NOW + every, NOW + every * 2]


def test_every_sweep_has_a_rhythm():
    assert set(loop.SCHEDULE) == set(norms.current().jobs.every)
