"""What the rows of a worklist say: what is next, for whom a claim waits, what is new, and in which group it stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.company import NOW
from tests.reads.conftest import Desk
from tests.reads.test_worklist import claim

from lipei.domain import commands as c
from lipei.reads import agenda, rulebook, worklist
from lipei.reads import claims as reads
from lipei.reads.next_steps import ahead
from lipei.reads.worklist import Filters, Horizon
from lipei.store import models

SHANGHAI = ZoneInfo("Asia/Shanghai")
LONG_AGO = NOW - timedelta(days=30)


def items(viewer: Any, *, now: datetime = NOW, since: datetime = LONG_AGO, **more: Any) -> Any:
    horizon = Horizon.of(now, SHANGHAI)
    listed = worklist.work(viewer, language="en", now=now, whose="all", **more)
    return agenda.items(
        listed.rows, viewer=viewer, book=rulebook.current(), language="en", horizon=horizon, since=since
    )


def test_the_next_step_is_the_one_of_the_claims_page(desk: Desk) -> None:
    """Loaded without anything private and for many at once, the answer is the same as on the page of each claim."""
    desk.busy()
    desk.report(story="另一件：停车被刮擦", phone="13900139000")
    compared = 0
    for who in ("handler1", "handler2", "lead1", "manager1", "assessor1", "approver1", "surveyor1", "expert1"):
        viewer = getattr(desk.us, who)
        for item in items(viewer, now=NOW + timedelta(minutes=5)):
            page = reads.page(item.row.number, viewer=viewer, language="en", now=NOW + timedelta(minutes=5))
            assert page is not None
            first = next(iter(ahead(page, viewer)), None)
            here = item.next
            assert (here is None) == (first is None), (who, item.row.number)
            if first is not None and here is not None:
                compared += 1
                assert (here.action, here.parts) == (first.action, first.parts)
                assert (here.promise and here.promise.part) == (first.promise and first.promise.part)
    assert compared >= 8


@pytest.mark.parametrize("who", ["handler1", "lead1", "manager1"])
def test_a_page_of_rows_costs_the_same_however_many(desk: Desk, who: str) -> None:
    viewer = getattr(desk.us, who)
    counts = []
    for n in range(3):
        desk.report(story=f"第{n}件", phone=f"1390013900{n}")
        horizon = Horizon.of(NOW, SHANGHAI)
        listed = worklist.work(viewer, language="en", now=NOW, whose="all")
        with CaptureQueriesContext(connection) as seen:
            agenda.items(
                listed.rows, viewer=viewer, book=rulebook.current(), language="en", horizon=horizon, since=LONG_AGO
            )
        counts.append(len(seen) - 1)  # the rulebook's own
    assert max(counts) <= 10, counts  # one less where nobody is waited for by name


def test_for_whom_a_claim_waits(desk: Desk) -> None:
    case = desk.report()
    handler = desk.us.handler_of(case)
    other = next(a for a in (desk.us.handler1, desk.us.handler2) if a is not handler)

    def waits(viewer: Any) -> tuple[str, str]:
        (item,) = items(viewer)
        return item.waits.whom, item.waits.name

    assert waits(handler) == ("you", "")
    assert waits(other) == ("handler", handler.name)
    assert waits(desk.us.lead1) == ("handler", handler.name)  # who could do it is not who it waits for
    models.Claim.objects.filter(id=case.id).update(handler=None, duty_person=None, duty_due_at=None)
    assert waits(desk.us.lead1) == ("you", "")
    (item,) = items(desk.us.lead1)
    assert item.next is not None and item.next.action.action == "assign"
    assert waits(desk.us.intake1) == ("lead", "")


@pytest.mark.norm("2.2.2")
def test_a_long_silence_leads_to_telling_the_customer_and_no_promise_to_dropping_what_it_is_about(desk: Desk) -> None:
    case = desk.report()
    handler = desk.us.handler_of(case)
    desk.act(handler, case, "claim", "accept_assignment")
    desk.act(handler, case, "claim", "give_opinion", 0, c.GiveOpinion("属于保险责任。"))
    desk.act(handler, case, "claim", "request_papers")

    def steps(viewer: Any, days: float) -> list[tuple[str, str]]:
        now = NOW + timedelta(days=days)
        page = reads.page(case.claim.number, viewer=viewer, now=now, language="en")
        assert page is not None
        return [(n.action.action, n.promise.code if n.promise else "") for n in ahead(page, viewer)]

    assert "tell_customer" not in dict(steps(handler, 0.1)), "nothing presses yet"
    assert ("tell_customer", "silence") in steps(handler, 20)
    models.Clock.objects.filter(aggregate_id=case.id, state="paused").update(state="running")
    assert "drop" not in dict(steps(desk.us.lead1, 60))
    assert steps(handler, 20)[-1] == ("tell_customer", "silence"), "whatever else is done is told to the customer too"


@pytest.mark.norm("2.3.2")
def test_what_the_customer_owes_waits_for_the_customer_at_the_end_of_the_list(desk: Desk) -> None:
    case = desk.report()
    handler = desk.us.handler_of(case)
    desk.act(handler, case, "claim", "accept_assignment")
    desk.act(handler, case, "claim", "give_opinion", 0, c.GiveOpinion("属于保险责任。"))
    desk.act(handler, case, "claim", "request_papers")
    models.Claim.objects.filter(id=case.id).update(due_at=NOW + timedelta(days=3))
    models.Clock.objects.filter(aggregate_id=case.id, state="running").update(state="paused")
    models.Claim.objects.bulk_create(
        [claim(1, due=NOW + timedelta(days=30)), claim(2, due=NOW - timedelta(hours=1)), claim(3), claim(4, fast=True)]
    )
    found = items(desk.us.manager1, now=NOW + timedelta(minutes=5))
    assert [(i.group, i.row.number) for i in found] == [
        ("fast", "N4"),
        ("late", "N2"),
        ("later", "N1"),
        ("none", "N3"),
        ("customer", case.claim.number),
    ]
    (mine,) = items(handler, now=NOW + timedelta(minutes=5), filters=Filters(for_customer=True))
    assert mine.waits.whom == "customer"
    models.Claim.objects.filter(id=case.id).update(due_at=NOW + timedelta(hours=1))
    found = items(desk.us.manager1, now=NOW + timedelta(minutes=5))
    assert ("today", case.claim.number) in [(i.group, i.row.number) for i in found]  # a date of ours is never hidden


def test_what_others_did_since_is_new(desk: Desk) -> None:
    case = desk.report()
    handler = desk.us.handler_of(case)
    (item,) = items(handler)
    assert (item.news, item.arrived) == ("claim.reported", True)
    (item,) = items(handler, since=NOW + timedelta(minutes=2))
    assert item.news == ""
    desk.act(handler, case, "claim", "request_papers", minutes=3)
    (item,) = items(handler, since=NOW + timedelta(minutes=2))
    assert item.news == ""  # one's own doing is no news
    desk.act(desk.us.intake1, case, "paper", "receive", 1, c.Receive(), minutes=4)
    (item,) = items(handler, since=NOW + timedelta(minutes=2))
    assert (item.news, item.arrived) == ("paper.received", False)


def test_last_evening_is_the_close_of_the_working_day_before(desk: Desk) -> None:
    book = rulebook.current()
    calendar = book.calendars.current[book.duty.calendar]
    monday, tuesday = NOW, NOW + timedelta(days=1)
    friday = agenda.last_evening(calendar, monday)
    assert friday.astimezone(SHANGHAI).date().isoformat() == "2026-11-20"  # over the weekend
    assert agenda.last_evening(calendar, tuesday).astimezone(SHANGHAI).date().isoformat() == "2026-11-23"
    assert agenda.last_evening(None, monday) == monday - timedelta(days=1)


@pytest.mark.parametrize(
    "due, stretch",
    [
        (None, "none"),
        ("2026-11-23T01:59:59", "late"),
        ("2026-11-23T02:00:00", "today"),
        ("2026-11-23T15:59:59", "today"),  # midnight in Shanghai is 16:00 UTC
        ("2026-11-23T16:00:00", "week"),
        ("2026-11-29T15:59:59", "week"),
        ("2026-11-29T16:00:00", "later"),
    ],
)
def test_stretches_follow_the_days_of_the_companys_zone_and_the_filter_agrees(
    desk: Desk, due: str | None, stretch: str
) -> None:
    at = datetime.fromisoformat(due).replace(tzinfo=UTC) if due else None
    horizon = Horizon.of(NOW, SHANGHAI)
    assert horizon.stretch(at) == stretch
    models.Claim.objects.bulk_create([claim(1, due=at)])
    found = {
        name: [
            r.number
            for r in worklist.work(
                desk.us.manager1, language="en", now=NOW, filters=Filters(due=name, horizon=horizon)
            ).rows
        ]
        for name in worklist.DUE
    }
    assert found == {name: ["N1"] if name == stretch else [] for name in worklist.DUE}
    assert worklist.counts(desk.us.manager1, whose="all", horizon=horizon) == {
        name: int(name == stretch) for name in worklist.DUE
    }


def test_counts_stop_where_more_would_tell_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worklist, "COUNTED_MAX", 3)
    models.Claim.objects.bulk_create(
        [claim(n, due=NOW - timedelta(hours=n + 1), fast=n % 2 == 0) for n in range(20)]
        + [claim(50 + n, due=NOW + timedelta(hours=1)) for n in range(2)]
    )
    horizon = Horizon.of(NOW, SHANGHAI)
    with CaptureQueriesContext(connection) as seen:
        found = worklist.counts(desk.us.manager1, whose="all", horizon=horizon)
    assert len(seen) == 1
    assert found["late"] > 3 and found["today"] == 2  # what is behind many late ones is counted all the same
    assert found["later"] == found["none"] == 0
