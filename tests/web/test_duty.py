"""The duty page: a week with its gaps named, who is on now, and what became of calls."""

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
from tests.web.test_settings import edited

from lipei.store import models

pytestmark = pytest.mark.once

DUTY = "/console/duty/"


@pytest.fixture
def manned(browser: Callable[..., Client], office: SimpleNamespace) -> SimpleNamespace:
    """Handler1 has the nights of four weeks, then handler2; saved as a manager saves it."""
    one, two = (office.rows[code].id for code in ("handler1", "handler2"))

    def whole(document):
        document["shifts"] = [
            {"from": "2026-11-23 00:00", "to": "2026-12-05 12:00", "persons": [one, two]},
            {"from": "2026-12-05 15:00", "to": "2026-12-20 00:00", "persons": [two]},
        ]

    said = {"document": edited("duty", whole), "seen_version": "1", "reason": "roster", "save": "1"}
    assert browser("manager1").post("/console/norms/duty/edit/", said).status_code == 302
    return office


def days(body: str) -> list[str]:
    return re.findall(r"<h3><span>(\w+)</span>.*?</ul>", body, re.S)


@pytest.mark.norm("2.3.3")
def test_a_week_with_its_gaps_named(browser: Callable[..., Client], manned: SimpleNamespace) -> None:
    client = browser("lead1")
    body = client.get(DUTY).content.decode()
    assert days(body) == ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    assert "2026-11-23" in body and "Handler1 → Handler2" in body and "lp-duty-said-gap" not in body
    body = client.get(f"{DUTY}?week=2026-12-03").content.decode()  # any day of the week leads to its Monday
    gaps = re.findall(r'lp-duty-said-gap"><span class="lp-duty-when">([\d:–]+)', body)
    assert gaps == ["12:00–15:00"]
    for nonsense in ("2026-13-40", "x", "9999-12-31", "0001-01-01"):
        assert "2026-11-23" in client.get(f"{DUTY}?week={nonsense}").content.decode()


@pytest.mark.norm("2.3.3")
def test_who_is_away_leaves_a_gap(browser: Callable[..., Client], manned: SimpleNamespace) -> None:
    for code in ("handler1", "handler2"):
        models.Absence.objects.create(
            staff=manned.rows[code], starts_at=NOW + timedelta(days=1), ends_at=NOW + timedelta(days=1, hours=10)
        )
    body = browser("lead1").get(DUTY).content.decode()
    assert re.findall(r'lp-duty-said-gap"><span class="lp-duty-when">([\d:–]+)', body)[-1] == "17:30–20:00"


@pytest.mark.norm("2.3.3")
def test_a_call_and_what_became_of_it(browser: Callable[..., Client], manned: SimpleNamespace) -> None:
    number, one = reported(manned), manned.rows["handler1"]
    claim = models.Claim.objects.filter(number=number)
    claim.update(duty_person=one.id, duty_position=1, duty_due_at=NOW + timedelta(minutes=5), handler=one.id)
    body = browser("handler1").get(DUTY).content.decode()
    assert "call 2, not acknowledged yet" in body and f"/console/claims/{number}/acknowledge_duty/" in body
    page = browser("handler1").get(f"/console/claims/{number}/").context
    first = [row["button"]["action"] for row in page["next"]]
    assert first[:2] == [("claim", "acknowledge_duty"), ("claim", "accept_assignment")], (
        "the call goes on to the next person"
    )
    claim.update(duty_acknowledged_at=NOW)
    body = browser("lead1").get(DUTY).content.decode()
    assert number in body and "In time" in body and "not acknowledged yet" not in body
    claim.update(duty_due_at=NOW - timedelta(minutes=5))
    assert "In time" not in browser("lead1").get(DUTY).content.decode()


def test_the_page_costs_the_same_however_many_shifts_and_calls(browser: Callable[..., Client], manned) -> None:
    client = browser("lead1")
    for n in range(4):
        models.Claim.objects.filter(number=reported(manned, story=f"第{n}件", phone=f"1390013000{n}")).update(
            duty_person=manned.rows["handler1"].id, duty_acknowledged_at=NOW if n % 2 else None,
            duty_due_at=NOW + timedelta(minutes=5),
        )  # fmt: skip
    assert queries(client, DUTY) <= FRAME + 13
