"""The team lead's page: counts, what breaks next, who is away, and claims given to others through the preview."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.test import Client
from tests.company import NOW
from tests.web.conftest import reported
from tests.web.test_queries import FRAME, queries

from lipei.store import models

pytestmark = pytest.mark.once

TEAM = "/console/team/"


def given(office: SimpleNamespace, *hours: float | None, handler: str | None = "handler1") -> list[str]:
    """Claims due so many hours from now, in somebody's hands."""
    found = []
    for n, hour in enumerate(hours):
        number = reported(office, story=f"第{n}件：停车时被刮擦。", phone=f"1390013{models.Claim.objects.count():04}")
        models.Claim.objects.filter(number=number).update(
            handler=office.rows[handler].id if handler else None, fast_lane=False,
            due_at=None if hour is None else NOW + timedelta(hours=hour),
        )  # fmt: skip
        found.append(number)
    return found


def row(body: str, name: str) -> list[int]:
    """The figures of a person's row: broken, soon, today, later, without a date, all."""
    found = next(r for r in re.findall(r"<tr(?: data-person|>|\sclass).*?</tr>", body, re.S) if name in r)
    return [int(n) for n in re.findall(r"lp-num[^>]*>(?:<strong>)?(\d+)<", found)]


@pytest.mark.norm("2.3.1")
def test_each_claim_counts_once_by_when_its_promise_breaks(browser: Callable[..., Client], office) -> None:
    given(office, -1, 1, 3.9, 12, 100, None)  # at 10:00: within 4 working hours is until 15:00, the noon break counted
    given(office, 100, handler=None)
    body = browser("lead1").get(TEAM).content.decode()
    assert row(body, "Handler1") == [1, 2, 1, 1, 1, 6]
    assert row(body, "Handler2") == [0, 0, 0, 0, 0, 0]
    assert row(body, "lp-person-nobody") == [0, 0, 0, 1, 0, 1]


def test_what_breaks_next_is_listed_and_of_one_person_all(browser: Callable[..., Client], office) -> None:
    late, soon, later = given(office, -1, 2, 200)
    client = browser("lead1")
    numbers = lambda where: re.findall(r'<tr data-row="(\w+)"', client.get(where).content.decode())  # noqa: E731
    assert numbers(TEAM) == [late, soon]
    assert numbers(f"{TEAM}?of={office.rows['handler1'].id}") == [late, soon, later]
    assert numbers(f"{TEAM}?of={office.rows['handler2'].id}") == numbers(f"{TEAM}?of=nobody") == []
    fragment = client.get(TEAM, headers={"HX-Request": "true"})
    assert "<html" not in fragment.content.decode()
    again = client.get(TEAM, headers={"HX-Request": "true", "If-None-Match": fragment["ETag"]})
    assert again.status_code == 304


def test_who_is_away_until_when_and_who_stands_in(browser: Callable[..., Client], office) -> None:
    one, other = office.rows["handler1"], office.rows["handler2"]
    models.Absence.objects.create(staff=one, starts_at=NOW - timedelta(days=1), ends_at=NOW + timedelta(days=2))
    body = browser("lead1").get(TEAM).content.decode()
    assert "Away until" in body and "2026-11-25 10:00" in body and "Nobody stands in yet" in body
    models.Delegation.objects.create(
        giver=one, taker=other, kinds=(), starts_at=NOW - timedelta(days=1), ends_at=NOW + timedelta(days=2)
    )
    assert "Stands in: Handler2" in browser("lead1").get(TEAM).content.decode()


def test_claims_go_to_somebody_else_by_a_form_and_back(browser: Callable[..., Client], office) -> None:
    number = given(office, 1)[0]
    client, other = browser("lead1"), office.rows["handler2"].id
    said = {"action": "assign", "stage": "preview", "claim": number, "handler": other, "back": f"{TEAM}?of=1"}
    body = client.post("/console/work/several/", said).content.decode()
    assert "Handler: Handler1 → Handler2" in body and models.Claim.objects.get().handler != other
    seen = re.search(rf'name="seen-{number}" value="(\d+)"', body)
    assert seen
    done = client.post("/console/work/several/", {**said, "stage": "do", f"seen-{number}": seen[1]}, follow=True)
    assert models.Claim.objects.get().handler == other
    body = done.content.decode()
    assert f'href="{TEAM}?of=1"' in body, "the way back leads to where one came from"
    run = models.BulkRun.objects.get()
    client.post(f"/console/work/several/{run.id}/undo/", {"back": TEAM})
    assert models.Claim.objects.get().handler == office.rows["handler1"].id


def test_the_page_costs_the_same_however_much_there_is(browser: Callable[..., Client], office) -> None:
    given(office, 1)
    client = browser("lead1")
    one = queries(client, TEAM)
    given(office, -3, 1, 2, 3)
    given(office, 1, 2, handler="handler2")
    models.Absence.objects.create(
        staff=office.rows["handler2"], starts_at=NOW - timedelta(days=1), ends_at=NOW + timedelta(days=2)
    )
    assert queries(client, TEAM) <= one + 1 <= FRAME + 26  # one more: who stands in, asked only where somebody is away
