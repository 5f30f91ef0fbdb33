"""The calendar as a year, and a day changed after its effect was seen."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from types import SimpleNamespace

import pytest
from django.test import Client
from tests.web.conftest import reported
from tests.web.test_queries import FRAME, queries

from lipei.norms import loader
from lipei.reads import rulebook
from lipei.services import calendar_days, norms
from lipei.store import models

pytestmark = pytest.mark.once

PAGE = "/console/calendar/"


def look(body: str, day: str) -> str:
    """How a day is drawn."""
    found = re.search(rf'<td class="lp-cal-(\w+)[^"]*"><(?:a|span)[^>]*title="{day}', body)
    return found[1] if found else ""


@pytest.mark.norm("2.3.1")
def test_a_year_with_days_off_and_make_up_days(browser: Callable[..., Client], office: SimpleNamespace) -> None:
    body = browser("admin1").get(f"{PAGE}?year=2026").content.decode()
    days = ("2026-11-23", "2026-11-28", "2026-10-01", "2026-10-10")
    assert [look(body, day) for day in days] == ["work", "weekend", "off", "make_up"]
    assert body.count("<caption>") == 12 and "国庆节" in body and "lp-cal-today" in body
    assert "not known yet" not in body
    body = browser("handler1").get(f"{PAGE}?year=2028").content.decode()
    assert "The days off of 2028 are not known yet" in body and 'name="publish"' not in body
    assert browser("handler1").post(PAGE, {"publish": "2028"}).status_code == 403
    assert browser("admin1").get(f"{PAGE}?code=nowhere").status_code == 404
    assert browser("admin1").get(f"{PAGE}?year=99999&day=x").status_code == 200


@pytest.mark.norm("2.3.1")
def test_days_are_changed_after_their_effect_was_seen(browser: Callable[..., Client], office: SimpleNamespace) -> None:
    number, client = reported(office), browser("manager1")
    body = client.get(f"{PAGE}?day=2026-11-24").content.decode()
    assert 'value="2026-11-24"' in body and 'name="save"' not in body, "first the effect"
    said = {
        "first": "2026-11-24",
        "last": "2026-11-26",
        "kind": "day off",
        "festival": "司庆",
        "reason": "Board",
        "seen_version": "1",
    }
    early = client.post(PAGE, {**said, "save": "1"})
    body = early.content.decode()
    assert models.NormVersion.objects.count() == 0, "nothing is saved unseen"
    assert "This makes sense" in body and number in body and "司庆" in body
    mark = re.search(r'name="previewed" value="(\w+)"', body)
    assert mark
    no_reason = client.post(PAGE, {**said, "reason": "", "save": "1", "previewed": mark[1]})
    assert no_reason.status_code == 422 and "Please give the reason." in no_reason.content.decode()
    far = client.post(PAGE, {**said, "first": "2026-12-30", "last": "2026-12-30"}).content.decode()
    assert "This makes sense" in far and number not in far, "no promise of this claim falls due on another day"
    other = client.post(PAGE, {**said, "last": "2026-11-25", "save": "1", "previewed": mark[1]})
    assert models.NormVersion.objects.count() == 0 and other.status_code == 200, "another change than was seen"
    assert client.post(PAGE, {**said, "save": "1", "previewed": mark[1]}).status_code == 302
    rulebook.at.cache_clear()
    body = client.get(f"{PAGE}?year=2026").content.decode()
    assert [look(body, f"2026-11-{d}") for d in (23, 24, 26, 27)] == ["work", "off", "off", "work"]
    assert look(body, "2026-10-10") == "make_up", "the other days stand as they were"
    said |= {"kind": "week", "seen_version": "2"}
    mark = re.search(r'name="previewed" value="(\w+)"', client.post(PAGE, said).content.decode())
    client.post(PAGE, {**said, "save": "1", "previewed": mark[1] if mark else ""})
    rulebook.at.cache_clear()
    assert look(client.get(f"{PAGE}?year=2026").content.decode(), "2026-11-24") == "work"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"first": "2026-02-30"}, "Please enter a real date."),
        ({"first": "2026-11-24", "last": "2026-11-20"}, "Please check both dates"),
        ({"first": "2026-01-01", "last": "2026-12-31"}, "Please check both dates"),
        ({"kind": "other hours", "hours": "9 to 12"}, "9 to 12"),
        ({"kind": "other hours"}, "2026-11-24"),
        ({"kind": "party"}, "Please choose one of the given values."),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_is_lost(
    browser: Callable[..., Client], office, wrong, sentence
) -> None:
    said = {
        "first": "2026-11-24",
        "last": "2026-11-24",
        "kind": "day off",
        "festival": "司庆",
        "seen_version": "1",
        **wrong,
    }
    answer = browser("admin1").post(PAGE, said)
    body = answer.content.decode()
    assert answer.status_code == 422 and sentence in body and "司庆" in body


def test_a_half_day_and_a_year_that_is_known(browser: Callable[..., Client], office: SimpleNamespace) -> None:
    client = browser("admin1")
    said = {
        "first": "2027-02-05",
        "last": "",
        "kind": "other hours",
        "hours": "09:00-12:00",
        "reason": "r",
        "seen_version": "1",
    }
    for change in (said, {"publish": "2027", "reason": "r", "seen_version": "2"}):
        mark = re.search(r'name="previewed" value="(\w+)"', client.post(PAGE, change).content.decode())
        assert mark and client.post(PAGE, {**change, "save": "1", "previewed": mark[1]}).status_code == 302
        rulebook.at.cache_clear()
    body = client.get(f"{PAGE}?year=2027").content.decode()
    assert look(body, "2027-02-05") == "other" and "09:00-12:00" in body and "not known yet" not in body


@pytest.mark.norm("2.3.1")
@pytest.mark.parametrize(
    ("code", "day"), [("us", date(2026, 10, 12)), ("tw", date(2026, 10, 9)), ("cn", date(2026, 10, 10))]
)
def test_a_day_that_ships_with_a_calendar_is_set_back_to_the_week(
    office: SimpleNamespace, code: str, day: date
) -> None:
    before = norms.current().calendars.current[code]
    assert before.openings(day) != before.hours[day.weekday()]
    made = calendar_days.edited(calendar_days.Days(code, day, day, calendar_days.AS_THE_WEEK))
    assert isinstance(made, str) and norms.check("calendars", made) is None
    after = loader.draft("calendars", made).current[code]
    assert after.openings(day) == after.hours[day.weekday()]


def test_the_page_costs_few_queries(browser: Callable[..., Client], office: SimpleNamespace) -> None:
    assert queries(browser("admin1"), PAGE) <= FRAME + 3
