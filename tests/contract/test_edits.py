"""Promises and calendars edited while claims are open: the preview is the effect, what was told stays (norm 2.3.1)."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
import yaml
from tests.contract.conftest import Stranger
from tests.contract.test_clocks import at, due, reported

from lipei.domain.events import Refusal
from lipei.norms import yaml_texts
from lipei.reads import rulebook
from lipei.services import calendar_days, norms, sweeps, verify
from lipei.store import models

pytestmark = pytest.mark.norm("2.3.1")


def promise(code: str, **change: Any) -> str:
    """The table of promises with one of them changed."""
    document = yaml_texts.load(norms.text_in_force("promises")[1])
    next(row for row in document["promises"] if row["code"] == code).update(change)
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)


def day(said: str, kind: str) -> str:
    """The mainland calendar with one day changed."""
    made = calendar_days.edited(calendar_days.Days("cn", date.fromisoformat(said), date.fromisoformat(said), kind))
    assert isinstance(made, str), made
    return made


def saved(stranger: Stranger, table: str, text: str) -> Refusal | int:
    version, _ = norms.text_in_force(table)
    done = norms.save(
        table=table, text=text, reason="试", seen_version=version, actor=stranger.office.us.manager1,
        now=stranger.office.now,
    )  # fmt: skip
    rulebook.at.cache_clear()
    return done


def edited(stranger: Stranger, table: str, text: str) -> dict[str, datetime | None]:
    """Saves an edit; what its preview had shown, by promise: the new date."""
    effect = sweeps.preview(table=table, text=text, now=stranger.office.now)
    assert isinstance(saved(stranger, table, text), int)
    sweeps.after_edits(now=stranger.office.now)
    assert list(verify.differences(now=stranger.office.now)) == []
    return {one.promise: one.due_after for one in effect.listed}


def dates(stranger: Stranger, body: Any) -> dict[str, datetime]:
    found = stranger.claim(body)["promises"]
    return {p["code"]: datetime.fromisoformat(p["due_at"]) for p in found if p["due_at"]}


def moved(stranger: Stranger, body: Any, before: dict[str, datetime]) -> dict[str, datetime]:
    return {code: at for code, at in dates(stranger, body).items() if at != before[code]}


def test_what_was_told_stays_where_it_gets_longer_and_what_was_not_moves(stranger: Stranger) -> None:
    body = reported(stranger, "2026-11-23 10:00")
    before = dates(stranger, body)
    assert edited(stranger, "promises", promise("preliminary_opinion", limit=48)) == {}
    shown = edited(stranger, "promises", promise("acceptance", limit=120))
    assert shown == {"acceptance": at("2026-11-23 12:00")} == moved(stranger, body, before)
    new = reported(stranger, "2026-11-23 12:00", story="又一件事")
    assert due(new, "preliminary_opinion") == "2026-11-25 12:00"
    edited(stranger, "promises", promise("preliminary_opinion", limit=36))
    assert due(stranger.claim(body), "preliminary_opinion") == "2026-11-24 10:00"
    assert due(stranger.claim(new), "preliminary_opinion") == "2026-11-25 00:00"


def test_another_unit_counts_otherwise_and_an_edit_taken_back_leaves_what_was_told(stranger: Stranger) -> None:
    body = reported(stranger, "2026-11-26 10:00")
    before, text = dates(stranger, body), norms.text_in_force("promises")[1]
    shown = edited(stranger, "promises", promise("complex_answer", unit="calendar_days", limit=5))
    assert shown == {"complex_answer": at("2026-12-01 23:59:59")} == moved(stranger, body, before)
    assert "5 日" in next(p["why"] for p in stranger.claim(body)["promises"] if p["code"] == "complex_answer")
    edited(stranger, "promises", text)
    assert moved(stranger, body, before) == {}


def test_a_day_off_moves_what_nobody_was_told_and_a_day_worked_brings_dates_forward(stranger: Stranger) -> None:
    body = reported(stranger, "2026-11-25 10:00")
    before = dates(stranger, body)
    shown = edited(stranger, "calendars", day("2026-11-27", "day off"))
    assert shown == moved(stranger, body, before)
    assert "silence" in shown and "complex_answer" not in shown, "the customer was given that date"
    edited(stranger, "calendars", day("2026-11-27", "week"))
    shown = edited(stranger, "calendars", day("2026-11-28", "workday (make-up)"))
    assert shown["complex_answer"] == at("2026-12-01 17:30") and shown == moved(stranger, body, before)


def test_what_is_kept_or_over_is_not_touched(stranger: Stranger) -> None:
    kept = reported(stranger, "2026-11-23 10:00")
    stranger.act(stranger.handler(kept), kept, "give_opinion", {"text": "属于保险责任，请补齐材料。"})
    gone = reported(stranger, "2026-11-23 11:00", story="另一件事")
    stranger.act(stranger.office.manager1, gone, "withdraw", {"reason": "不报了"})
    before = [stranger.claim(body)["version"] for body in (kept, gone)]
    assert edited(stranger, "promises", promise("preliminary_opinion", limit=1)) == {}
    assert [stranger.claim(body)["version"] for body in (kept, gone)] == before


def test_what_waits_for_papers_waits_and_breaks_nothing(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", own_damage={"sum_insured_minor": 15_000_000})
    stranger.office.now = at("2026-11-23 10:00").astimezone(UTC)
    body = stranger.report("P", {"cover": "own_damage", "peril": "collision"})
    stranger.office.later(hours=1)
    stranger.act(stranger.handler(body), body, "request_papers")
    stranger.office.later(days=10)
    edited(stranger, "promises", promise("complex_answer", limit=3))
    sweeps.clocks(now=stranger.office.now, limit=50)
    (clock,) = (p for p in stranger.claim(body)["promises"] if p["code"] == "complex_answer")
    assert (clock["state"], clock["late"]) == ("paused", False)


@pytest.mark.parametrize("tell", [["manager"], ["finance", "handler"], []])
def test_whoever_a_promise_names_now_is_told_of_a_clock_that_began_before(stranger: Stranger, tell: list[str]) -> None:
    body = reported(stranger, "2026-11-23 10:00")
    edited(stranger, "promises", promise("preliminary_opinion", tell_breach=tell, on_breach=[]))
    stranger.office.later(hours=25)
    sweeps.clocks(now=stranger.office.now, limit=50)
    told = models.Delivery.objects.filter(message="staff_clock_breached", facts__contains="preliminary_opinion")
    staff = {models.Staff.objects.get(id=body["handler"]["id"]).id: "handler"}
    assert {role or staff[number] for role, number in told.values_list("role", "staff_id")} == set(tell)


@pytest.mark.parametrize(
    "change",
    [
        {"limit": 0}, {"limit": 1.5}, {"limit": 10**9}, {"calendar": "nowhere"}, {"unit": "fortnights"}, {"start": []},
        {"start": ["claim.exploded"]}, {"fulfil": ["claim.closed", "claim.exploded"]}, {"markets": ["XX"]},
        {"tell_breach": ["nobody"]}, {"tell_warning": ["customer"]}, {"warnings": [{"percent": 150}]},
    ],
)  # fmt: skip
def test_a_promise_that_would_never_do_anything_is_refused(stranger: Stranger, change: dict[str, Any]) -> None:
    refused = saved(stranger, "promises", promise("preliminary_opinion", **change))
    assert isinstance(refused, Refusal) and refused.kind == "fields", change
