"""Promised dates under other laws and clocks: summer time, holidays by place, the last day of a legal limit (norm 2.3.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.contract.conftest import Stranger, good

from lipei.norms import loader
from lipei.reads import rulebook

pytestmark = pytest.mark.norm("2.3.1")
PHONES = {"CN": "13700001111", "UK": "+447700900123", "HK": "+85291234567", "TW": "+886912345678"}


def zone(market: str) -> ZoneInfo:
    return ZoneInfo(loader.rulebook({}, market=market).settings.zone)


def reported(stranger: Stranger, settings: Any, market: str, said: str, fold: int = 0, **more: Any) -> Any:
    """A report under a market's law at its own time."""
    settings.LIPEI_MARKET = market
    rulebook.at.cache_clear()
    local = datetime.fromisoformat(said).replace(tzinfo=zone(market), fold=fold)
    stranger.office.now = local.astimezone(UTC)
    body = {"phone": PHONES.get(market, "+31612345678"), "story": "倒车时撞到柱子。", **more}
    return good(stranger.office.program.post("claims", body), 201)


def promise(body: Any, code: str) -> Any:
    return next(p for p in body["promises"] if p["code"] == code)


def last_day(said: str, place: ZoneInfo) -> str:
    """The day that ends with an instant."""
    return f"{datetime.fromisoformat(said).astimezone(place) - timedelta(microseconds=1):%Y-%m-%d}"


@pytest.mark.parametrize(
    ("market", "at", "code", "due"),
    [
        # a day is 24 hours, whatever the clocks show
        ("UK", "2026-03-28 12:00", "preliminary_opinion", "2026-03-29 13:00"),
        ("UK", "2026-10-24 12:00", "preliminary_opinion", "2026-10-25 11:00"),
        ("US-CA", "2026-03-07 12:00", "preliminary_opinion", "2026-03-08 13:00"),
        # working minutes begin at the hour on the wall
        ("UK", "2026-03-27 17:15", "first_contact", "2026-03-30 09:15"),
        ("US-CA", "2026-10-30 16:45", "first_contact", "2026-11-02 09:15"),
        # five working days
        ("CN", "2026-02-13 10:00", "complex_answer", "2026-02-27 17:30"),  # 14 (make-up), 24-27
        ("CN", "2026-09-18 10:00", "complex_answer", "2026-09-24 17:30"),  # a Sunday worked
        ("HK", "2026-04-02 10:00", "complex_answer", "2026-04-14 17:30"),  # Easter, and Ching Ming moved to Tuesday
        ("TW", "2026-09-24 10:00", "complex_answer", "2026-10-05 17:30"),  # Mid-Autumn, Teachers' Day
        ("EU-NL", "2026-04-01 10:00", "complex_answer", "2026-04-10 17:30"),  # Good Friday, Easter Monday
        ("EU-NL", "2026-04-23 10:00", "complex_answer", "2026-05-01 17:30"),  # King's Day
        ("UK", "2026-12-17 10:00", "complex_answer", "2026-12-24 17:30"),
    ],
)
def test_dates_at_their_place(stranger: Stranger, settings: Any, market: str, at: str, code: str, due: str) -> None:
    told = promise(reported(stranger, settings, market, at), code)
    assert f"{datetime.fromisoformat(told['due_at']).astimezone(zone(market)):%Y-%m-%d %H:%M}" == due
    assert due in told["why"] and not told["provisional"]


def test_the_hour_that_comes_twice_is_two_hours(stranger: Stranger, settings: Any) -> None:
    first, second = (
        promise(
            reported(stranger, settings, "US-NAIC", "2026-11-01 01:30", fold, story=f"{fold}"), "preliminary_opinion"
        )
        for fold in (0, 1)
    )
    between = datetime.fromisoformat(second["due_at"]) - datetime.fromisoformat(first["due_at"])
    assert between == timedelta(hours=1)


@pytest.mark.parametrize(
    ("market", "at", "code", "day"),
    [
        ("US-CA", "2026-03-02 10:00", "ca_acknowledge", "2026-03-17"),  # over the change to summer time
        ("US-CA", "2026-10-20 23:59", "ca_acknowledge", "2026-11-04"),  # and back
        ("UK", "2026-11-30 10:00", "uk_reasoned_offer", "2027-02-28"),  # three months: the last day of the month
        ("EU-NL", "2026-11-29 10:00", "eu_reasoned_offer", "2027-02-28"),
    ],
)
def test_days_and_months_of_a_law_end_with_their_day(
    stranger: Stranger, settings: Any, market: str, at: str, code: str, day: str
) -> None:
    hurt = [{"cover": "third_party", "peril": "third_party_injury"}] if code.endswith("offer") else []
    told = promise(reported(stranger, settings, market, at, line="motor", exposures=hurt), code)
    assert last_day(told["due_at"], zone(market)) == day


@pytest.mark.parametrize(
    ("at", "ours", "the_laws"),
    [
        ("2026-09-05 10:00", "2026-10-05", "2026-10-08"),  # National Day
        ("2026-08-26 10:00", "2026-09-25", "2026-09-28"),  # Mid-Autumn and the weekend after it
        ("2026-08-21 10:00", "2026-09-20", ""),  # a Sunday that is worked moves nothing
        ("2026-09-10 10:00", "2026-10-10", ""),  # nor a Saturday that is
        ("2026-12-10 10:00", "2027-01-09", ""),  # nobody knows that year yet
    ],
)
def test_the_law_moves_a_last_day_that_is_a_day_off_and_we_work_to_the_day_itself(
    stranger: Stranger, settings: Any, at: str, ours: str, the_laws: str
) -> None:
    told, here = promise(reported(stranger, settings, "CN", at), "cn_decision"), zone("CN")
    assert last_day(told["due_at"], here) == ours
    assert (last_day(told["extended_due_at"], here) if told["extended_due_at"] else "") == the_laws
    assert told["provisional"] == ours.startswith("2027")


def test_days_that_run_into_a_year_that_is_not_published_are_provisional(stranger: Stranger, settings: Any) -> None:
    told = promise(reported(stranger, settings, "UK", "2026-12-24 10:00"), "complex_answer")
    assert told["provisional"] and told["due_at"].startswith("2027-01")
