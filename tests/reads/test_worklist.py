"""Worklists: order, cursors that neither lose nor repeat, and the same number of queries however many claims."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.company import NOW
from tests.reads.conftest import Desk

from lipei.domain import commands as c
from lipei.reads import claims as reads
from lipei.reads import worklist
from lipei.reads.worklist import BadCursor, Filters
from lipei.store import models


def claim(
    n: int,
    *,
    handler: int | None = None,
    fast: bool = False,
    due: datetime | None = None,
    unit: str = "shanghai",
    state: str = "investigating",
) -> Any:
    return models.Claim(
        id=1000 + n,
        number=f"N{n}",
        state=state,
        handler=handler,
        fast_lane=fast,
        due_at=due,
        unit=unit,
        reported_at=NOW - timedelta(minutes=n % 5),
    )


def all_pages(ask: Any, limit: int) -> list[str]:
    found, cursor = [], ""
    for _ in range(100):
        page = ask(limit=limit, cursor=cursor)
        found += [row.number for row in page.rows]
        cursor = page.next_cursor
        if not cursor:
            return found
    raise AssertionError("a list without an end")


ROWS = st.lists(st.tuples(st.booleans(), st.one_of(st.none(), st.integers(0, 3)), st.booleans()), max_size=12)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=ROWS, limit=st.integers(1, 5))
def test_pages_put_together_are_the_whole_list_in_order(desk: Desk, rows: list[Any], limit: int) -> None:
    models.Claim.objects.all().delete()
    me = desk.us.handler1
    made = [
        claim(
            n, handler=me.staff_id if mine else None, fast=fast, due=None if due is None else NOW + timedelta(hours=due)
        )
        for n, (fast, due, mine) in enumerate(rows)
    ]
    models.Claim.objects.bulk_create(made)
    far = NOW + timedelta(days=1)
    order = sorted(made, key=lambda c: (not c.fast_lane, c.due_at is None, c.due_at or far, c.id))

    def work(viewer: Any) -> Any:
        return lambda **paging: worklist.work(viewer, language="en", now=NOW, **paging)

    assert all_pages(work(desk.us.manager1), limit) == [c.number for c in order]
    assert all_pages(work(me), limit) == [c.number for c in order if c.handler is not None]
    newest = sorted(made, key=lambda c: (c.reported_at, c.id), reverse=True)
    assert all_pages(lambda **paging: worklist.claims(desk.us.manager1, language="en", now=NOW, **paging), limit) == [
        c.number for c in newest
    ]


@pytest.mark.parametrize("who", ["handler1", "manager1", "lead1", "expert1"])
def test_a_worklist_takes_six_queries_however_many_claims(desk: Desk, who: str) -> None:
    viewer = getattr(desk.us, who)
    desk.busy()
    models.Claim.objects.bulk_create(
        claim(n, handler=viewer.staff_id, fast=n % 7 == 0, due=None if n % 5 == 0 else NOW + timedelta(minutes=n))
        for n in range(30)
    )
    counts = []
    for limit in (1, 10, 200):
        with CaptureQueriesContext(connection) as seen:
            worklist.work(viewer, language="en", now=NOW, limit=limit)
        counts.append(len(seen))
    assert max(counts) <= 6, counts


def test_a_row_names_handler_promise_and_person_masked(desk: Desk) -> None:
    case = desk.busy()
    row = worklist.work(desk.us.manager1, language="en", now=NOW).rows[0]
    assert (row.number, row.person) == (case.claim.number, "王*明")
    assert row.handler_name.startswith("Handler") and row.promise_name and row.state_name
    assert row.due_at == min(c.due_at for c in case.clocks.values() if c.state == "running" and c.due_at)


def test_a_surveyor_finds_what_is_put_to_them(desk: Desk) -> None:
    case = desk.busy()
    desk.report(story="另一件")
    for who in ("surveyor1", "expert1"):
        rows = worklist.work(getattr(desk.us, who), language="en", now=NOW).rows
        assert [r.number for r in rows] == [case.claim.number], who


def test_what_a_colleague_has_done_waits_for_them_no_more(desk: Desk) -> None:
    """A survey recorded and an opinion given leave the list; the claim stays open to whoever worked on it."""
    case = desk.busy()
    surveyor, expert = desk.us.surveyor1, desk.us.expert1

    def waits(viewer: Any) -> list[str]:
        return [r.number for r in worklist.work(viewer, language="en", now=NOW).rows]

    case = desk.act(surveyor, case, "survey", "record", 1, c.RecordSurvey("保险杠凹陷。"))
    case = desk.act(expert, case, "consultation", "opine", 1, c.Opine("for", "合理。"))
    assert waits(surveyor) == waits(expert) == []
    for viewer in (surveyor, expert):
        assert reads.find(case.claim.number, viewer=viewer) is not None
    desk.act(desk.us.lead1, case, "consultation", "convene", 0, c.Convene("再看？", (desk.us.expert2.staff_id,)))
    assert waits(expert) == [] and waits(desk.us.expert2) == [case.claim.number]


def test_filters_narrow(desk: Desk) -> None:
    models.Claim.objects.bulk_create(
        [claim(1, due=NOW - timedelta(hours=1)), claim(2, fast=True), claim(3, state="closed")]
    )

    def numbers(**asked: Any) -> list[str]:
        return [
            r.number for r in worklist.claims(desk.us.manager1, language="en", now=NOW, filters=Filters(**asked)).rows
        ]

    assert numbers(late=True) == ["N1"]
    assert numbers(fast_lane=True) == ["N2"]
    assert numbers(state="closed") == ["N3"]
    assert sorted(numbers(unassigned=True)) == ["N1", "N2", "N3"]
    assert numbers(handler=99) == []


@pytest.mark.parametrize(
    "cursor",
    ["x", "MXx8", "4pyT", "MXwyMDI2LTExLTIzfDE", "MXx8LTE", "MnwyMDI2LTExLTIzVDAwOjAwOjAwKzAwOjAwfDE", "%", "ü"],
)
def test_a_cursor_that_is_none_of_ours_is_refused(desk: Desk, cursor: str) -> None:
    with pytest.raises(BadCursor):
        worklist.claims(desk.us.manager1, language="en", now=NOW, cursor=cursor)


def test_the_person_of_a_row_is_who_reported_whoever_was_named_first(desk: Desk) -> None:
    case = desk.busy()
    first = models.Party.objects.filter(aggregate_id=case.id).order_by("part")[0]
    last = first.part + 50
    models.Party.objects.filter(aggregate_id=case.id).update(roles=("injured", "claimant"))
    models.Party.objects.create(aggregate_id=case.id, part=last, roles=("reporter", "insured"), name="赵子超")
    assert worklist.work(desk.us.manager1, language="en", now=NOW).rows[0].person == "赵*超"
