"""The duty roster: no gap, and somebody answers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lipei.norms.duty
from lipei.domain.calendars import Calendar
from lipei.domain.conditions import holds
from lipei.domain.duty import (
    Call,
    Roster,
    Shift,
    Span,
    assigned,
    call,
    check_roster,
    gaps,
    joined,
    laid_out,
    line_up,
    next_call,
    off_hours,
    on_duty,
)
from lipei.domain.events import Refusal
from lipei.norms import yaml_texts
from lipei.norms.errors import NormError
from lipei.norms.texts import LANGUAGES, text

DEFAULT = Path(lipei.norms.duty.__file__).parent / "defaults" / "duty.yaml"
DAY = datetime(2026, 3, 7, 0, 0, tzinfo=UTC)  # a Saturday


def at(hours: float) -> datetime:
    return DAY + timedelta(hours=hours)


def shift(starts: float, ends: float, *persons: int) -> Shift:
    return Shift(at(starts), at(ends), persons)


def span(starts: float, ends: float) -> Span:
    return Span(at(starts), at(ends))


ROSTER = Roster(1, (shift(0, 12, 1, 2), shift(12, 24, 3, 4, 5)), team_lead=9)


# --- gaps


def test_who_is_away_covers_nothing() -> None:
    alone = Roster(1, (shift(0, 12, 1, 2), shift(12, 24, 3)))
    away = {1: [span(0, 24)], 3: [span(15, 16), span(18, 19)], 2: [span(10, 11)]}
    assert gaps(roster=alone, needed=[span(0, 24)], away=away) == (span(10, 11), span(15, 16), span(18, 19))
    refusal = check_roster(roster=alone, needed=[span(12, 24)], away=away)
    assert refusal is not None and (refusal.params["starts"], refusal.params["gaps"]) == (at(15), 2)
    assert check_roster(roster=alone, needed=[span(0, 9)], away=away) is None


def test_a_roster_without_a_gap_is_accepted() -> None:
    assert gaps(roster=ROSTER, needed=[span(0, 9), span(18, 24)]) == ()
    assert check_roster(roster=ROSTER, needed=[span(0, 24)]) is None


@pytest.mark.norm("2.3.3")
def test_a_roster_with_a_gap_is_refused_and_the_gap_named() -> None:
    roster = Roster(1, (shift(0, 8, 1), shift(10, 20, 2), shift(20, 22)), team_lead=9)
    assert gaps(roster=roster, needed=[span(18, 24), span(6, 12)]) == (span(8, 10), span(20, 24))
    refusal = check_roster(roster=roster, needed=[span(6, 12), span(18, 24)])
    assert refusal is not None and refusal.code == "refusal.duty.gap"
    assert refusal.params == {"starts": at(8), "ends": at(10), "gaps": 2}
    for language in LANGUAGES:
        assert "2026-03-07 08:00" in text(refusal.code, language, **refusal.params)


def test_a_gap_of_one_second_is_a_gap() -> None:
    late = Shift(at(12) + timedelta(seconds=1), at(24), (3,))
    assert gaps(roster=Roster(1, (shift(0, 12, 1), late)), needed=[span(0, 24)]) == (Span(at(12), late.starts),)


HOURS = st.integers(0, 48)
SPANS = st.tuples(HOURS, HOURS).filter(lambda pair: pair[0] < pair[1])


@given(st.lists(st.tuples(SPANS, st.booleans()), max_size=8), st.lists(SPANS, max_size=4))
def test_an_hour_lies_in_a_gap_exactly_if_it_is_needed_and_nobody_is_on_duty(shifts: Any, needed: Any) -> None:
    roster = Roster(1, tuple(shift(a, b, *([n + 1] if manned else [])) for n, ((a, b), manned) in enumerate(shifts)))
    found = gaps(roster=roster, needed=[span(a, b) for a, b in needed])
    for hour in range(48):
        moment = at(hour + 0.5)
        alone = not on_duty(roster=roster, at=moment) and any(a <= hour < b for a, b in needed)
        assert any(gap.starts <= moment < gap.ends for gap in found) is alone


@given(st.lists(SPANS, max_size=6), st.lists(SPANS, max_size=3))
def test_what_is_laid_out_is_whole_and_its_gaps_are_the_gaps(shifts: Any, away: Any) -> None:
    office = ((540, 720), (780, 1080))
    calendar = Calendar("T", 1, "UTC", (*[office] * 5, (), ()), published=frozenset({2026}))
    roster = Roster(1, tuple(shift(a, b, n % 2 + 1) for n, (a, b) in enumerate(shifts)))
    absent = {1: [span(a, b) for a, b in away]}
    found = laid_out(roster=roster, calendar=calendar, span=span(24, 72), away=absent)
    assert (found[0].starts, found[-1].ends) == (at(24), at(72))
    assert all(one.ends == other.starts for one, other in pairwise(found))
    needed = off_hours(calendar=calendar, starts=at(24), ends=at(72))
    missing = sum((g.ends - g.starts for g in gaps(roster=roster, needed=needed, away=absent)), timedelta())
    assert sum((s.ends - s.starts for s in found if s.kind == "gap"), timedelta()) == missing


@pytest.mark.norm("2.3.3")
def test_off_hours_are_everything_outside_the_calendars_opening_holidays_and_make_up_days_included() -> None:
    office = ((540, 720), (780, 1080))  # 9–12, 13–18 local
    calendar = Calendar(
        "T", 1, "Asia/Shanghai", (*[office] * 5, (), ()),
        days={date(2026, 3, 9): (), date(2026, 3, 7): office},  # Monday off, Saturday made up
        published=frozenset({2026}),
    )  # fmt: skip
    local = timedelta(hours=8)
    friday = datetime(2026, 3, 6, 12, 30, tzinfo=UTC) - local
    found = off_hours(calendar=calendar, starts=friday, ends=datetime(2026, 3, 10, 10, tzinfo=UTC) - local)

    def wall(day: int, hour: int, minute: int = 0) -> datetime:
        return datetime(2026, 3, day, hour, minute, tzinfo=UTC) - local

    assert found == (
        Span(wall(6, 12, 30), wall(6, 13)),
        Span(wall(6, 18), wall(7, 9)),
        Span(wall(7, 12), wall(7, 13)),
        Span(wall(7, 18), wall(10, 9)),
    )
    assert sum((s.ends - s.starts for s in found), timedelta()) + timedelta(
        minutes=calendar.between(friday, wall(10, 10))
    ) == (wall(10, 10) - friday)


# --- calling


def test_who_is_absent_is_passed_over() -> None:
    assert line_up(roster=ROSTER, at=at(13), absent={3}) == (4, 5, 9)
    assert line_up(roster=ROSTER, at=at(13), absent={3, 4, 5, 9}) == ()
    first = call(roster=ROSTER, at=at(13), acknowledge_minutes=15, absent={3})
    assert isinstance(first, Call) and first.staff_id == 4
    after = next_call(
        roster=ROSTER, silent=4, position=0, due_at=at(13.25), now=at(13.25), acknowledge_minutes=15, absent={3, 5}
    )
    assert isinstance(after, Call) and (after.staff_id, after.position) == (9, 1)
    # Who was called and then went home is not in line any more: it begins anew.
    anew = next_call(
        roster=ROSTER, silent=4, position=1, due_at=at(13.5), now=at(13.5), acknowledge_minutes=15, absent={4}
    )
    assert isinstance(anew, Call) and anew.staff_id == 3
    assert isinstance(call(roster=ROSTER, at=at(13), acknowledge_minutes=15, absent={3, 4, 5, 9}), Refusal)


def test_who_is_on_duty_changes_at_the_turn_of_the_shift() -> None:
    assert on_duty(roster=ROSTER, at=at(11.99)) == (1, 2)
    assert on_duty(roster=ROSTER, at=at(12)) == (3, 4, 5)
    assert on_duty(roster=ROSTER, at=at(24)) == ()
    overlapping = Roster(1, (shift(6, 18, 7, 1), shift(0, 12, 1, 2)))
    assert on_duty(roster=overlapping, at=at(7)) == (1, 2, 7)


@pytest.mark.norm("2.3.3")
def test_a_silent_person_is_followed_by_the_next_then_the_team_lead_then_around_again() -> None:
    first = call(roster=ROSTER, at=at(1), acknowledge_minutes=15)
    assert first == Call(1, 0, 0, at(1), at(1.25))
    order, now = [1], at(1)
    silent: Any = first
    for _ in range(6):
        now += timedelta(minutes=15)
        assert next_call(
            roster=ROSTER, silent=silent.staff_id, position=silent.position, due_at=silent.due_at,
            now=now - timedelta(seconds=1), acknowledge_minutes=15,
        ) is None  # fmt: skip
        silent = next_call(
            roster=ROSTER, silent=silent.staff_id, position=silent.position, due_at=silent.due_at, now=now,
            acknowledge_minutes=15,
        )  # fmt: skip
        order.append(silent.staff_id)
    assert order == [1, 2, 9, 1, 2, 9, 1]
    assert (silent.position, silent.round) == (6, 2)


def test_a_new_shift_is_called_from_its_beginning() -> None:
    answer = next_call(roster=ROSTER, silent=2, position=1, due_at=at(12), now=at(12), acknowledge_minutes=10)
    assert answer == Call(3, 2, 0, at(12), at(12) + timedelta(minutes=10))
    lead = next_call(roster=ROSTER, silent=9, position=2, due_at=at(12), now=at(12), acknowledge_minutes=10)
    assert isinstance(lead, Call) and lead.staff_id == 3


def test_a_late_sweep_calls_from_now_on() -> None:
    answer = next_call(roster=ROSTER, silent=1, position=0, due_at=at(2), now=at(5), acknowledge_minutes=10)
    assert isinstance(answer, Call) and answer.called_at == at(5) and answer.due_at == at(5) + timedelta(minutes=10)


def test_one_person_alone_is_called_again() -> None:
    alone = Roster(1, (shift(0, 24, 1),))
    answer = next_call(roster=alone, silent=1, position=0, due_at=at(1), now=at(1), acknowledge_minutes=10)
    assert isinstance(answer, Call) and (answer.staff_id, answer.position) == (1, 1)


def test_a_team_lead_on_duty_is_not_called_twice_in_a_round() -> None:
    assert line_up(roster=Roster(1, (shift(0, 24, 9, 1),), team_lead=9), at=at(1)) == (9, 1)


def test_outside_every_shift_the_team_lead_is_called_and_without_one_it_is_said() -> None:
    answer = call(roster=ROSTER, at=at(30), acknowledge_minutes=10)
    assert isinstance(answer, Call) and answer.staff_id == 9
    nobody = call(roster=Roster(1), at=at(30), acknowledge_minutes=10)
    assert isinstance(nobody, Refusal) and nobody.code == "refusal.duty.nobody"
    assert all(text(nobody.code, language) for language in LANGUAGES)


# --- the document


def document(*shifts: Any, zone: str = "Asia/Shanghai") -> dict[str, Any]:
    shipped = yaml_texts.load(DEFAULT.read_text(encoding="utf-8"))
    return {**shipped, "zone": zone, "team_lead": 9, "shifts": list(shifts)}


def test_the_shipped_table_calls_somebody_for_fast_lane_claims_and_has_no_shifts_yet() -> None:
    table = lipei.norms.duty.parse(yaml_texts.load(DEFAULT.read_text(encoding="utf-8")))
    assert table.roster.shifts == ()
    assert table.calendar == "home" and table.at_home("uk").calendar == "uk"
    assert holds(table.calls, {"fast_lane": True}) and not holds(table.calls, {"fast_lane": False})


@pytest.mark.parametrize(
    "start", ["2026-10-01 18:00", yaml_texts.load("2026-10-01 18:00:00"), "2026-10-01T10:00:00+00:00"]
)
def test_local_times_become_instants(start: Any) -> None:
    table = lipei.norms.duty.parse(document({"from": start, "to": "2026-10-02 09:00", "persons": [12, 7]}))
    assert table.roster.shifts == (
        Shift(datetime(2026, 10, 1, 10, tzinfo=UTC), datetime(2026, 10, 2, 1, tzinfo=UTC), (12, 7)),
    )
    assert table.roster.team_lead == 9


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"from": "2026-10-02 09:00", "to": "2026-10-02 09:00", "persons": [1]}, "ends_before"),
        ({"from": "2026-10-01 18:00", "to": "2026-10-02 09:00", "persons": []}, "nobody"),
        ({"from": "2026-10-01 18:00", "to": "2026-10-02 09:00", "persons": [1, 1]}, "twice"),
        ({"from": "tomorrow", "to": "2026-10-02 09:00", "persons": [1]}, "time"),
        ({"from": 18, "to": "2026-10-02 09:00", "persons": [1]}, "time"),
    ],
)
def test_a_shift_that_makes_no_sense_is_refused(row: Any, code: str) -> None:
    with pytest.raises(NormError) as caught:
        lipei.norms.duty.parse(document(row))
    assert caught.value.code == f"norm_error.duty.{code}"
    assert all(text(caught.value.code, language, **caught.value.params) for language in LANGUAGES)


def test_an_hour_that_the_clock_skips_is_refused() -> None:
    row = {"from": "2026-03-29 01:30", "to": "2026-03-29 09:00", "persons": [1]}
    with pytest.raises(NormError, match="time"):
        lipei.norms.duty.parse(document(row, zone="Europe/London"))
    with pytest.raises(NormError, match="zone"):
        lipei.norms.duty.parse(document(row, zone="Europe/Nowhere"))


# --- planning


@given(st.lists(SPANS, max_size=5), SPANS, st.integers(0, 2))
def test_who_is_put_on_duty_in_a_span_is_there_alone_and_nothing_else_changes(shifts: Any, put: Any, many: int) -> None:
    before = tuple(shift(a, b, n + 1) for n, (a, b) in enumerate(shifts))
    persons = tuple(range(90, 90 + many))
    after = assigned(before, span(*put), persons)
    for hour in range(48):
        moment = at(hour + 0.5)
        there = persons if put[0] <= hour < put[1] else on_duty(roster=Roster(1, before), at=moment)
        assert set(on_duty(roster=Roster(1, after), at=moment)) == set(there)


def test_shifts_of_the_same_persons_that_follow_each_other_are_one() -> None:
    assert joined([shift(8, 12, 1), shift(0, 8, 1), shift(12, 20, 2), shift(21, 24, 2)]) == (
        shift(0, 12, 1), shift(12, 20, 2), shift(21, 24, 2),
    )  # fmt: skip
