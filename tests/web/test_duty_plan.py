"""A week of duty planned in a form: persons put in, gaps named, duties exchanged, last week copied."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from tests.web.test_duty import manned
from tests.web.test_norm_forms import filled
from tests.web.test_queries import FRAME, queries

from lipei.reads import rulebook
from lipei.store import models

pytestmark = pytest.mark.once

__all__ = ["manned"]  # a fixture
PLAN = "/console/duty/plan/?week=2026-11-30"


def pressed(client: Client, page: Any, do: str, **typed: str) -> Any:
    said = filled(page) | {name.replace("__", ".").replace("_", "-"): value for name, value in typed.items()}
    return client.post(PLAN, {**said, "do": do})


def on(day: str, hour: int = 22) -> tuple[int, ...]:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from lipei.domain.duty import on_duty

    at = datetime.fromisoformat(f"{day}T{hour:02}:00").replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    return on_duty(roster=rulebook.current().duty.roster, at=at)


@pytest.mark.norm("2.3.3")
def test_a_person_is_put_on_duty_after_the_week_was_seen(
    browser: Callable[..., Client], manned: SimpleNamespace
) -> None:
    client, three = browser("lead1"), manned.rows["handler2"].id
    one, two = (manned.rows[code].id for code in ("handler1", "handler2"))
    page = client.get(PLAN)
    assert filled(page)["2026-12-01.0"] == [str(one)] and filled(page)["2026-12-01.1"] == [str(two)]
    versions = models.NormVersion.objects.count()
    seen = pressed(client, page, "check", **{"2026-12-01.0": str(three), "2026-12-01.1": ""})
    body = seen.content.decode()
    assert "This week still has gaps" in body  # Saturday's, further ahead than a gap is refused
    whole = pressed(client, seen, "check", **{"2026-12-05.0": str(one), "2026-12-05.1": "", "2026-12-04.0": str(one)})
    assert whole.status_code == 200 and "Handler2</li>" in " ".join(whole.content.decode().split())
    assert models.NormVersion.objects.count() == versions
    missing = pressed(client, whole, "save")
    assert missing.status_code == 422 and 'id="reason-error"' in missing.content.decode()
    assert pressed(client, missing, "save", reason="Swapped").status_code == 302
    assert on("2026-12-01") == (two,) and on("2026-11-30") == (one, two) and on("2026-12-02") == (one, two)
    assert on("2026-12-02", 14) == (two,) and on("2026-12-02", 16) == (one, two)  # until the duties change


@pytest.mark.norm("2.3.3")
def test_a_day_without_anybody_is_refused_with_the_gap_named(
    browser: Callable[..., Client], manned: SimpleNamespace
) -> None:
    client, where = browser("manager1"), "/console/duty/plan/?week=2026-11-23"
    said = filled(client.get(where)) | {"2026-11-25.0": "", "2026-11-25.1": "", "reason": "x", "do": "save"}
    refused = client.post(where, said)
    body = refused.content.decode()
    assert (
        refused.status_code == 409 and "nobody is on duty from 2026-11-25 12:00" in body and "lp-duty-said-gap" in body
    )
    assert filled(refused)["2026-11-25.0"] == [""] and filled(refused)["reason"] == ["x"]
    assert models.NormVersion.objects.count() == 1


def test_two_duties_are_exchanged_and_last_week_is_copied(
    browser: Callable[..., Client], manned: SimpleNamespace
) -> None:
    client, (one, two) = browser("lead1"), (str(manned.rows[c].id) for c in ("handler1", "handler2"))
    page = pressed(client, client.get(PLAN), "check", **{"2026-12-01.0": two, "2026-12-01.1": ""})
    swapped = pressed(client, page, "exchange", first="2026-12-01", second="2026-12-03")
    assert filled(swapped)["2026-12-03.0"] == [two] and filled(swapped)["2026-12-03.1"] == [""]
    assert filled(swapped)["2026-12-01.0"] == [one]
    wrong = pressed(client, swapped, "exchange", first="2026-12-01", second="2026-12-01")
    assert wrong.status_code == 422 and 'id="exchange-error"' in wrong.content.decode()
    copied = pressed(client, wrong, "copy")
    assert all(filled(copied)[f"2026-{day}.0"] == [one] for day in ("11-30", "12-01", "12-03", "12-06"))


def test_a_stranger_cannot_be_put_on_duty(browser: Callable[..., Client], manned: SimpleNamespace) -> None:
    client = browser("lead1")
    refused = pressed(client, client.get(PLAN), "check", **{"2026-12-01.0": str(manned.rows["finance1"].id)})
    assert refused.status_code == 409
    for said in ("x", "99999", "-1", "1" * 40):
        assert pressed(client, client.get(PLAN), "check", **{"2026-12-01.0": said}).status_code in (200, 409)
    assert pressed(client, client.get(PLAN), "check", change="25:99").status_code in (200, 409)


def test_the_plan_costs_the_same_whatever_the_roster(browser: Callable[..., Client], manned: SimpleNamespace) -> None:
    assert queries(browser("lead1"), PLAN) <= FRAME + 8
