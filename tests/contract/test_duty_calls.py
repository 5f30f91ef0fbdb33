"""Urgency reaches somebody on duty whenever it is learnt outside the hours of one's own market (norm 2.3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from tests.contract.conftest import Stranger, good
from tests.contract.test_clocks import reported

from lipei.domain.events import Actor
from lipei.norms import loader
from lipei.reads import rulebook
from lipei.services import duty, norms
from lipei.store import models

CALLS = {"claim.duty_called", "claim.duty_unmanned"}
MANAGER = Actor("staff:1", "m", frozenset({"manager"}))


@pytest.fixture(autouse=True)
def _tables_of_this_test_alone() -> Iterator[None]:
    rulebook.at.cache_clear()
    yield
    rulebook.at.cache_clear()


def put_in_force(table: str, document: dict[str, Any], now: datetime) -> None:
    text = yaml.safe_dump(document, allow_unicode=True)
    assert norms.save(table=table, text=text, reason="x", seen_version=1, actor=MANAGER, now=now) == 2


def roster(now: datetime, *codes: str) -> None:
    persons = [models.Staff.objects.get(code=code).id for code in codes]
    shift = {"from": f"{now:%Y-%m-%d} 00:00", "to": f"{now + timedelta(days=30):%Y-%m-%d} 00:00", "persons": persons}
    put_in_force("duty", {**loader.read(loader.default_text("duty")), "shifts": [shift]}, now)


def called(body: Any) -> set[str]:
    return CALLS & {event["kind"] for event in body["events"]}


@pytest.mark.norm("2.3.3")
@pytest.mark.parametrize(("said", "night"), [("2026-11-21 22:00", True), ("2026-11-23 10:00", False)])
def test_urgency_learnt_after_the_report_calls_somebody_too(stranger: Stranger, said: str, night: bool) -> None:
    body = reported(stranger, said, line="motor")
    assert not called(body)
    assert bool(called(stranger.act(stranger.office.manager1, body, "triage", {"rescue": True}))) == night
    assert not called(stranger.act(stranger.office.manager1, body, "triage", {"injured": 1}))  # known by now


@pytest.mark.norm("2.3.3")
def test_who_does_not_answer_is_followed_by_the_next_though_the_handler_had_accepted(stranger: Stranger) -> None:
    roster(datetime(2026, 11, 20, tzinfo=UTC), "handler2", "lead1")
    body = reported(stranger, "2026-11-20 10:00", line="motor")
    stranger.act(stranger.handler(body), body, "accept_assignment")
    stranger.office.later(hours=12)
    assert called(stranger.act(stranger.office.manager1, body, "triage", {"rescue": True})) == {"claim.duty_called"}
    assert stranger.claim(body)["handler"] == body["handler"]
    rows = models.Claim.objects.values_list("duty_person", flat=True)
    assert rows[0] == models.Staff.objects.get(code="handler2").id
    stranger.office.later(hours=1)
    assert duty.sweep(now=stranger.office.now, limit=5) == 1
    assert rows.all()[0] == models.Staff.objects.get(code="lead1").id


@pytest.mark.norm("2.3.3")
@pytest.mark.parametrize(("said", "night"), [("2026-11-23T14:00", False), ("2026-11-23T20:00", True)])
def test_hours_off_are_those_of_the_market(stranger: Stranger, said: str, night: bool) -> None:
    document = loader.read(loader.default_text("settings"))
    document["settings"]["market"]["value"] = "US-CA"
    put_in_force("settings", document, stranger.office.now)
    there = datetime.fromisoformat(said).replace(tzinfo=ZoneInfo("America/Los_Angeles"))
    stranger.office.now = there.astimezone(UTC)
    body = {"phone": "+8613700001111", "story": "x", "rescue": True, "line": "motor"}
    assert bool(called(good(stranger.office.program.post("claims", body), 201))) == night
