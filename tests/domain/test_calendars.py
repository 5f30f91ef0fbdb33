"""Business calendars: the numbered clock cases that need nothing but a calendar, and the laws of counting."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from time import process_time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lipei.norms
from lipei.domain.calendars import Calendar, Calendars, add_months
from lipei.domain.promises import count
from lipei.norms import yaml_texts
from lipei.norms.calendars import parse

DEFAULTS = Path(lipei.norms.__file__).parent / "defaults"
SHANGHAI = ZoneInfo("Asia/Shanghai")
ALL_DAY = ((0, 1440),)
CALENDARS: Calendars = parse(yaml_texts.load((DEFAULTS / "calendars.yaml").read_text(encoding="utf-8")))
CN = CALENDARS.current["cn"]


def at(text: str, zone: str = "Asia/Shanghai") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def round_the_clock(zone: str) -> Calendar:
    return Calendar("always", 1, zone, (ALL_DAY,) * 7, published=None)


@pytest.mark.norm("2.3.1")
@pytest.mark.parametrize(
    ("case", "start", "minutes", "due"),
    [
        (1, "2026-11-20 16:30", 120, "2026-11-23 10:00"),
        (2, "2026-11-23 12:15", 60, "2026-11-23 14:30"),
        (3, "2026-11-23 09:00", 420, "2026-11-23 17:30"),
        (4, "2026-09-30 16:30", 120, "2026-10-08 10:00"),
        (5, "2026-10-09 17:00", 60, "2026-10-10 09:30"),
        (6, "2026-10-01 10:00", 60, "2026-10-08 10:00"),
        # Like cases: the morning's end, Spring Festival with its make-up Saturday and Sunday, the Dragon Boat weekend.
        (3, "2026-11-23 09:00", 180, "2026-11-23 12:00"),
        (3, "2026-11-23 12:00", 1, "2026-11-23 13:31"),
        (4, "2026-02-14 17:00", 60, "2026-02-24 09:30"),
        (5, "2026-02-27 17:30", 60, "2026-02-28 10:00"),
        (6, "2026-06-20 23:59", 420, "2026-06-22 17:30"),
        (6, "2026-01-03 10:00", 30, "2026-01-04 09:30"),
        (4, "2026-09-24 17:00", 60, "2026-09-28 09:30"),  # Mid-Autumn; the Sunday before it was worked
        (5, "2026-09-19 20:00", 420, "2026-09-20 17:30"),
        (5, "2026-05-08 17:30", 421, "2026-05-11 09:01"),  # all of a make-up Saturday and a minute of Monday
        (6, "2026-05-01 00:00", 1, "2026-05-06 09:01"),
    ],
)
def test_working_time(case: int, start: str, minutes: int, due: str) -> None:
    assert CN.add(at(start), minutes) == at(due)
    assert CN.between(at(start), at(due)) == minutes


@pytest.mark.parametrize(
    ("case", "zone", "start", "due"),
    [
        (9, "America/New_York", "2026-03-07 12:00", "2026-03-08 13:00"),
        (10, "America/New_York", "2026-10-31 12:00", "2026-11-01 11:00"),
        (11, "America/Sao_Paulo", "2018-11-03 12:00", "2018-11-04 13:00"),
        (9, "Europe/London", "2026-03-28 12:00", "2026-03-29 13:00"),
        (10, "Europe/London", "2026-10-24 12:00", "2026-10-25 11:00"),
        (11, "Asia/Beirut", "2022-03-26 12:00", "2022-03-27 13:00"),
    ],
)
def test_round_the_clock_over_daylight_saving(case: int, zone: str, start: str, due: str) -> None:
    calendar = round_the_clock(zone)
    assert calendar.add(at(start, zone), 24 * 60) == at(due, zone)
    assert count(calendar, at(start, zone), 24, "elapsed_hours", ()) == at(due, zone)


@pytest.mark.parametrize(
    ("zone", "day", "openings", "minutes"),
    [
        # Put forward at 02:00: what the clocks skip is not open, whatever opens or closes in it.
        ("America/New_York", "2026-03-08", ((60, 240),), 120),
        ("America/New_York", "2026-03-08", ((150, 195),), 15),  # 02:30-03:15: the quarter of an hour that there was
        ("America/New_York", "2026-03-08", ((135, 165),), 0),
        ("America/New_York", "2026-03-08", ((60, 150), (180, 300)), 180),  # never twice
        ("America/New_York", "2026-03-09", ((150, 195),), 45),
        ("Australia/Lord_Howe", "2026-10-04", ((0, 1440),), 1410),  # half an hour
        ("America/Sao_Paulo", "2018-11-04", ((0, 60), (60, 120)), 60),  # a day without midnight
        # Put back: the hour that comes twice is open twice.
        ("America/New_York", "2026-11-01", ((0, 1440),), 1500),
        ("America/New_York", "2026-11-01", ((60, 90), (90, 300)), 300),
        ("America/Sao_Paulo", "2018-02-17", ((0, 1440),), 1500),  # a day with 23:00 twice
    ],
)
def test_openings_over_the_hour_that_daylight_saving_changes(
    zone: str, day: str, openings: tuple[tuple[int, int], ...], minutes: int
) -> None:
    calendar = Calendar("nights", 1, zone, (openings,) * 7, published=None)
    date_ = date.fromisoformat(day)
    spans = calendar.open_spans(date_)
    assert sum((end - start) // timedelta(minutes=1) for start, end in spans) == minutes
    assert all(one[1] <= other[0] for one, other in pairwise(spans))
    start, end = (datetime.combine(d, time(12), UTC) for d in (date_ - timedelta(days=1), date_ + timedelta(days=2)))
    assert sum(calendar.between(a, b) for a, b in spans) == minutes
    if minutes:
        assert calendar.add(spans[0][0], minutes) == spans[-1][1]
    assert calendar.between(start, end) >= minutes


def test_a_date_ends_with_its_last_second_also_where_that_comes_twice() -> None:
    put_back = round_the_clock("America/Sao_Paulo")
    assert put_back.end_of_day(date(2018, 2, 17)) == datetime(2018, 2, 18, 2, 59, 59, tzinfo=UTC)
    assert put_back.add(put_back.end_of_day(date(2018, 2, 16)) + timedelta(seconds=1), 25 * 60) == datetime(
        2018, 2, 18, 3, tzinfo=UTC
    )


def test_case_22_the_viewer_s_zone_changes_nothing() -> None:
    start = at("2026-11-20 16:30")
    for zone in ("UTC", "America/Los_Angeles", "Pacific/Kiritimati", "Pacific/Pago_Pago"):
        assert CN.add(start.astimezone(ZoneInfo(zone)), 120) == at("2026-11-23 10:00")
        new_year = at("2027-01-01 00:30").astimezone(ZoneInfo(zone))
        assert CN.between(new_year, at("2027-01-01 10:00")) == 60  # nothing published for 2027: a Friday like others


def test_case_23_a_calendar_with_no_working_time_is_no_calendar() -> None:
    with pytest.raises(ValueError, match="no working time"):
        Calendar("never", 1, "UTC", ((),) * 7)
    with pytest.raises(ValueError, match="no working time"):
        Calendar("one special day", 1, "UTC", ((),) * 7, {date(2026, 1, 1): ((540, 600),)})
    with pytest.raises(ValueError, match="overlap"):
        Calendar("twice", 1, "UTC", (((540, 600), (590, 700)),) * 7)


def test_going_back_stays_at_opening_as_going_forward_stays_at_closing() -> None:
    assert CN.add(at("2026-11-24 10:00"), -60) == at("2026-11-24 09:00")
    assert CN.add(at("2026-11-24 14:00"), -60) == at("2026-11-24 11:30")
    assert CN.add(at("2026-10-08 09:30"), -60) == at("2026-09-30 17:00")
    assert CN.add(at("2026-11-24 14:00"), 0) == at("2026-11-24 14:00")


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2026-11-23 09:00", True), ("2026-11-23 11:59", True), ("2026-11-23 12:00", False), ("2026-11-23 13:30", True),
        ("2026-11-23 17:30", False), ("2026-11-22 10:00", False), ("2026-10-10 10:00", True),
        ("2026-10-01 10:00", False),
    ],
)  # fmt: skip
def test_is_open(moment: str, is_open: bool) -> None:
    assert CN.is_open(at(moment)) is is_open


@pytest.mark.norm("2.3.1")
@pytest.mark.parametrize(
    ("start", "days", "due", "extended"),
    [
        ("2026-11-20 16:30", 10, "2026-11-30", None),  # a Monday
        ("2026-11-20 00:00", 3, "2026-11-23", None),  # the first day is not counted, however early it begins
        ("2026-09-25 10:00", 10, "2026-10-05", "2026-10-08"),  # within the National Day holiday
        ("2026-11-19 10:00", 2, "2026-11-21", "2026-11-23"),  # a Saturday
        ("2026-10-07 10:00", 3, "2026-10-10", None),  # a make-up Saturday is a working day
        ("2026-02-13 10:00", 3, "2026-02-16", "2026-02-24"),
        ("2026-02-25 23:59", 3, "2026-02-28", None),  # no 29th; a Saturday worked for Spring Festival
        ("2026-09-17 10:00", 3, "2026-09-20", None),  # a Sunday worked for the National Day
        ("2026-11-21 09:00", 30, "2026-12-21", None),
        ("2026-11-25 09:00", 30, "2026-12-25", None),  # no holiday here
        ("2026-11-04 09:00", 60, "2027-01-03", None),  # a Sunday of a year that is not published: not extended
    ],
)
def test_case_26_statutory_count(start: str, days: int, due: str, extended: str | None) -> None:
    last = date.fromisoformat(due)
    assert count(CN, at(start), days, "calendar_days", ()) == at(f"{due} 23:59:59")
    assert CN.extended(last) == (date.fromisoformat(extended) if extended else None)


def test_a_day_off_before_a_year_that_is_not_published_extends_nothing() -> None:
    """The Saturday is known; whether the Monday after it is New Year's Day off is not."""
    calendar = Calendar("cn", 1, "Asia/Shanghai", CN.hours, published=frozenset({2028}))
    assert calendar.extended(date(2028, 12, 30)) is None
    assert calendar.is_extension_unknown(date(2028, 12, 30))
    assert not calendar.is_extension_unknown(date(2028, 12, 29))
    assert calendar.extended(date(2028, 12, 23)) == date(2028, 12, 25)


def test_a_year_that_is_not_published_extends_nothing() -> None:
    saturday = date(2027, 5, 1)
    assert not CN.is_published(2027)
    assert CN.extended(saturday) is None
    assert CN.is_provisional(at("2026-12-31 17:00"), at("2027-01-01 10:00"))
    assert not CN.is_provisional(at("2026-12-30 17:00"), at("2026-12-31 17:30"))


@pytest.mark.parametrize(
    ("start", "months", "due"),
    [("2026-01-31", 1, "2026-02-28"), ("2028-01-31", 1, "2028-02-29"), ("2026-11-30", 3, "2027-02-28"),
     ("2026-05-15", 24, "2028-05-15"), ("2028-02-29", 12, "2029-02-28"), ("2026-08-31", 6, "2027-02-28"),
     ("2026-12-31", 2, "2027-02-28")],
)  # fmt: skip
def test_months_end_on_the_same_day_or_the_last(start: str, months: int, due: str) -> None:
    assert add_months(date.fromisoformat(start), months) == date.fromisoformat(due)


def test_working_days_end_at_the_close_of_business() -> None:
    assert count(CN, at("2026-11-20 16:30"), 5, "working_days", ()) == at("2026-11-27 17:30")
    assert count(CN, at("2026-11-21 10:00"), 1, "working_days", ()) == at("2026-11-23 17:30")
    assert count(CN, at("2026-09-30 10:00"), 2, "working_days", ()) == at("2026-10-09 17:30")
    assert count(CN, at("2026-10-09 10:00"), 1, "working_days", ()) == at("2026-10-10 17:30")


def test_every_version_is_kept() -> None:
    older = Calendar("cn", 7, "Asia/Shanghai", (ALL_DAY,) * 7)
    calendars = Calendars.of([CN], [older])
    assert calendars.current["cn"] is CN
    assert calendars.at("cn", 7) is older
    with pytest.raises(KeyError):
        calendars.at("cn", 8)


# --- laws ---

instants = st.datetimes(datetime(2019, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC))
minutes = st.integers(0, 60_000)
calendars = st.sampled_from([CN, round_the_clock("America/New_York"), CALENDARS.current["uk"], CALENDARS.current["tw"]])


@settings(deadline=None)
@given(calendars, instants, minutes)
def test_law_between_undoes_add(calendar: Calendar, start: datetime, n: int) -> None:
    assert calendar.between(start, calendar.add(start, n)) == n
    assert calendar.between(calendar.add(start, -n), start) == n


@settings(deadline=None)
@given(calendars, instants, instants, minutes, minutes)
def test_law_add_is_monotonic(calendar: Calendar, a: datetime, b: datetime, n: int, m: int) -> None:
    (a, b), (n, m) = sorted((a, b)), sorted((n, m))
    assert calendar.add(a, n) <= calendar.add(b, n)
    assert calendar.add(a, n) <= calendar.add(a, m)


@settings(deadline=None)
@given(calendars, instants, minutes, minutes)
def test_law_splitting_a_limit_changes_nothing(calendar: Calendar, start: datetime, n: int, m: int) -> None:
    split = calendar.add(calendar.add(start, n), m)
    # Only with nothing left to add may the second step not leave the closing time it stands on.
    assert split == calendar.add(start, n + m)


@settings(deadline=None)
@given(calendars, instants, minutes, st.sampled_from(["Asia/Tokyo", "America/Sao_Paulo", "Pacific/Apia"]))
def test_law_the_viewer_s_zone_changes_nothing(calendar: Calendar, start: datetime, n: int, zone: str) -> None:
    assert calendar.add(start.astimezone(ZoneInfo(zone)), n) == calendar.add(start, n)


def _step_by_step(calendar: Calendar, start: datetime, n: int) -> datetime:
    """Working time counted the slow way, minute by minute, as a person would."""
    now = start
    while n:
        n -= calendar.is_open(now)
        now += timedelta(minutes=1)
    return now


@settings(max_examples=15, deadline=None)
@given(st.datetimes(datetime(2026, 9, 1), datetime(2026, 11, 1)), st.integers(1, 500))
def test_law_adding_agrees_with_counting_minute_by_minute(start: datetime, n: int) -> None:
    whole = start.replace(second=0, microsecond=0, tzinfo=SHANGHAI)
    assert CN.add(whole, n) == _step_by_step(CN, whole, n)


def test_adding_working_time_is_fast() -> None:
    start, rounds = at("2026-11-20 16:30"), 5_000
    CN.add(start, 1)
    begun = process_time()
    for n in range(rounds):
        CN.add(start, n)
    # The aim is 20 µs; the bound leaves room for a busy machine.
    assert (process_time() - begun) / rounds < 60e-6
