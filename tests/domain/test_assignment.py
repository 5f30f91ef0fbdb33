"""Assignment: least expected completion among those who may and can, and what gives way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lipei.norms.assignment
from lipei.domain.assignment import (
    EXCLUSIONS,
    Assignment,
    AssignmentTable,
    Candidate,
    Need,
    OpenCase,
    assign,
    assign_to,
    completion_minutes,
    exclusions,
    need_of,
    reassign,
)
from lipei.domain.events import Refusal
from lipei.norms import yaml_texts
from lipei.norms.errors import NormError
from lipei.norms.texts import LANGUAGES, text, texts

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DEFAULT = Path(lipei.norms.assignment.__file__).parent / "defaults" / "assignment.yaml"


def document() -> dict[str, Any]:
    return yaml_texts.load(DEFAULT.read_text(encoding="utf-8"))


TABLE: AssignmentTable = lipei.norms.assignment.parse(document())
NEED = Need(
    line="motor", skills=frozenset({"motor"}), amount_minor=400_000, region="310000", language="zh-hans", queue="motor"
)
ABLE = Candidate(
    1, "motor-east", frozenset({"motor", "injury"}), {"CNY": 1_000_000}, frozenset({"310000"}), frozenset({"zh-hans"})
)


def pick(*candidates: Candidate, need: Need = NEED) -> Assignment:
    return assign(need=need, candidates=candidates, table=TABLE, now=NOW)


def said(answer: Assignment) -> list[str]:
    return [str(reason["text"]).removeprefix("reason.assignment.") for reason in answer.reasons]


def test_the_one_who_is_done_first_gets_it() -> None:
    busy, free = replace(ABLE, load_minutes=600), replace(ABLE, staff_id=2, load_minutes=60)
    answer = pick(busy, free)
    assert (answer.staff_id, answer.unit, answer.runner_ups) == (2, "motor-east", (1,))
    assert answer.minutes == 60 + TABLE.minutes_by_line["motor"] and said(answer) == ["first_done"]


def test_least_completion_is_not_least_load() -> None:
    slow = replace(ABLE, load_minutes=0, minutes_by_line={"motor": 600})
    quick = replace(ABLE, staff_id=2, load_minutes=300, minutes_by_line={"motor": 100})
    half = replace(ABLE, staff_id=3, load_minutes=200, percent=50, minutes_by_line={"motor": 100})
    assert pick(slow, quick, half).staff_id == 2
    assert completion_minutes(need=NEED, candidate=half, table=TABLE) == 600


def test_ties_have_one_answer_whatever_the_order() -> None:
    a, b = replace(ABLE, staff_id=7), replace(ABLE, staff_id=4)
    assert pick(a, b).staff_id == pick(b, a).staff_id == 4


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"conflict": True}, "conflict"),
        ({"skills": frozenset({"health"})}, "skill"),
        ({"absences": ((NOW, NOW + timedelta(days=3)),)}, "absent"),
        ({"authority_minor": {"CNY": 399_999}}, "authority"),
        ({"authority_minor": {"USD": 10**9}}, "authority"),
        ({"regions": frozenset({"440000"})}, "region"),
        ({"languages": frozenset({"en"})}, "language"),
    ],
)
def test_each_hindrance_excludes_and_is_named(change: dict[str, Any], code: str) -> None:
    hindered = replace(ABLE, staff_id=9, **change)
    assert exclusions(need=NEED, candidate=hindered, table=TABLE, now=NOW) == (code,)
    answer = pick(replace(ABLE, load_minutes=9999), hindered)
    assert answer.staff_id == 1
    assert {"text": f"reason.assignment.excluded_{code}", "staff": (9,)} in answer.reasons


def test_absence_counts_while_it_lasts_and_shortly_before() -> None:
    notice = timedelta(minutes=TABLE.absence_notice_minutes)

    def found(start: timedelta, end: timedelta) -> tuple[str, ...]:
        away = replace(ABLE, absences=((NOW + start, NOW + end),))
        return exclusions(need=NEED, candidate=away, table=TABLE, now=NOW)

    day = timedelta(days=1)
    assert found(-day, timedelta(0)) == ()  # back since this instant
    assert found(-day, timedelta(minutes=1)) == ("absent",)
    assert found(notice, day) == ("absent",)
    assert found(notice + timedelta(minutes=1), day) == ()


def test_region_gives_way_first_then_language_then_authority_and_each_says_so() -> None:
    abroad = replace(ABLE, staff_id=2, regions=frozenset({"440000"}))
    mute = replace(ABLE, staff_id=3, languages=frozenset({"en"}))
    assert pick(abroad, mute).staff_id == 2 and "relaxed_region" in said(pick(abroad, mute))
    answer = pick(mute)
    assert answer.staff_id == 3 and "relaxed_language" in said(answer) and "relaxed_region" not in said(answer)
    junior = replace(ABLE, staff_id=4, authority_minor={})
    assert pick(junior, mute).staff_id == 3
    assert pick(junior).staff_id == 4 and "relaxed_authority" in said(pick(junior))


@given(st.lists(st.sampled_from(["conflict", "skill", "absent", "authority", "region", "language"]), max_size=8))
def test_interest_skill_and_absence_never_give_way(hindrances: list[str]) -> None:
    change: dict[str, dict[str, Any]] = {
        "conflict": {"conflict": True},
        "skill": {"skills": frozenset()},
        "absent": {"absences": ((NOW, NOW + timedelta(days=1)),)},
        "authority": {"authority_minor": {}},
        "region": {"regions": frozenset({"x"})},
        "language": {"languages": frozenset()},
    }
    staff = [replace(ABLE, staff_id=n, **change[code]) for n, code in enumerate(hindrances, start=1)]
    answer = pick(*staff)
    able = [code for code in ("region", "language", "authority") if code in hindrances]
    if not able:
        assert answer.staff_id is None and answer.unit == "motor" and said(answer)[0] == "nobody"
    else:
        assert answer.staff_id == hindrances.index(able[0]) + 1


def test_with_nobody_at_all_the_claim_waits_in_its_units_queue() -> None:
    assert pick() == Assignment(None, "motor", ({"text": "reason.assignment.nobody", "unit": "motor"},))


@pytest.mark.norm("2.3.2")
def test_a_fast_lane_case_goes_before_ordinary_work_and_prefers_the_fast_lane_team() -> None:
    urgent = replace(NEED, fast_lane=True)
    loaded = replace(ABLE, staff_id=2, load_minutes=5000, urgent_minutes=0)
    idle_but_urgent = replace(ABLE, staff_id=3, load_minutes=200, urgent_minutes=200)
    assert pick(loaded, idle_but_urgent, need=urgent).staff_id == 2
    assert pick(loaded, idle_but_urgent).staff_id == 3
    bonus = TABLE.fast_lane_bonus_minutes
    team = replace(ABLE, staff_id=4, load_minutes=bonus, urgent_minutes=bonus - 1, fast_lane=True)
    assert pick(loaded, team, need=urgent).staff_id == 4 and "fast_lane" in said(pick(loaded, team, need=urgent))
    overrun = replace(team, urgent_minutes=bonus + 1)
    assert pick(loaded, overrun, need=urgent).staff_id == 2


def test_unknown_line_region_language_ask_nothing() -> None:
    assert exclusions(need=Need(), candidate=Candidate(1), table=TABLE, now=NOW) == ()


def test_the_need_follows_from_the_claim() -> None:
    values = {"line": "motor", "injured": 2, "amount_minor": 5, "region": "r", "language": "en", "fast_lane": True}
    need = need_of(values=values, currency="CNY", table=TABLE)
    assert need == Need("motor", frozenset({"motor", "injury"}), 5, "CNY", "r", "en", True, "motor")
    assert need_of(values={"line": ""}, currency="CNY", table=TABLE) == Need(queue="claims")


def test_somebody_picked_by_hand_is_refused_only_for_what_never_gives_way() -> None:
    def by_hand(**change: Any) -> Assignment | Refusal:
        return assign_to(need=NEED, candidate=replace(ABLE, **change), table=TABLE, now=NOW)

    for change, code in [
        ({"conflict": True}, "conflict"),
        ({"skills": frozenset()}, "skill"),
        ({"absences": ((NOW, NOW + timedelta(hours=1)),)}, "absent"),
    ]:
        answer = by_hand(**change)
        assert isinstance(answer, Refusal) and answer.code == f"refusal.assignment.{code}"
        assert all(text(answer.code, language) for language in LANGUAGES)
    answer = by_hand(regions=frozenset({"x"}), authority_minor={})
    assert isinstance(answer, Assignment) and said(answer) == ["by_hand", "relaxed_authority", "relaxed_region"]


@pytest.mark.norm("1.4.3")
def test_when_somebody_falls_ill_their_cases_go_out_most_urgent_first_and_evenly() -> None:
    staff = [replace(ABLE, staff_id=n) for n in (1, 2, 3)]
    cases = [
        OpenCase("C-3", NEED),
        OpenCase("C-2", NEED, NOW + timedelta(days=2)),
        OpenCase("C-1", NEED, NOW + timedelta(days=1)),
        OpenCase("C-4", replace(NEED, fast_lane=True)),
    ]
    answers = reassign(cases=cases, away=1, candidates=staff, table=TABLE, now=NOW)
    assert [number for number, _ in answers] == ["C-4", "C-1", "C-2", "C-3"]
    assert [answer.staff_id for _, answer in answers] == [2, 3, 2, 3]
    assert all(answer.reasons[0] == {"text": "reason.assignment.taken_over", "staff": (1,)} for _, answer in answers)


def test_reassigning_without_anybody_left_queues_every_case() -> None:
    answers = reassign(cases=[OpenCase("C-1", NEED)], away=1, candidates=[ABLE], table=TABLE, now=NOW)
    assert [(n, a.staff_id, a.unit) for n, a in answers] == [("C-1", None, "motor")]


def test_every_reason_has_its_sentence() -> None:
    for code in EXCLUSIONS:
        assert f"reason.assignment.excluded_{code}" in texts()
    for code in ("first_done", "fast_lane", "by_hand", "taken_over", "nobody", *(f"relaxed_{r}" for r in TABLE.relax)):
        assert f"reason.assignment.{code}" in texts()


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda d: d.update(relax=["region", "conflict"]), "norm_error.table.unknown_code"),
        (lambda d: d.update(relax=["skill"]), "norm_error.table.unknown_code"),
        (lambda d: d.update(minutes_other=0), "norm_error.value.bounds"),
        (
            lambda d: d["skills"][0].update(when={"field": "lien", "op": "eq", "value": "x"}),
            "norm_error.condition.unknown_field",
        ),
        (lambda d: d.update(speed=3), "norm_error.table.unknown_key"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(edit: Any, code: str) -> None:
    broken = document()
    edit(broken)
    with pytest.raises(NormError) as caught:
        lipei.norms.assignment.parse(broken)
    assert caught.value.code == code
