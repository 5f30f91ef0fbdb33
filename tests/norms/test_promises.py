"""The shipped promises, calendars and law, and what their parsers refuse."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import lipei.norms
from lipei.config.environment import MARKETS
from lipei.domain import lifecycle
from lipei.domain.claims import Case, Claim, Clock, Exposure
from lipei.domain.events import Change, Event
from lipei.domain.promises import explain, react
from lipei.domain.promises.definitions import NO_CLOCK, UNITS
from lipei.norms import calendars, promises, settings, yaml_texts
from lipei.norms.errors import NormError
from lipei.norms.texts import LANGUAGES, text, texts

DEFAULTS = Path(lipei.norms.__file__).parent / "defaults"
KINDS = {step.event for step in lifecycle.STEPS} | set(lifecycle.KINDS)


def document(table: str) -> Any:
    return yaml_texts.load((DEFAULTS / f"{table}.yaml").read_text(encoding="utf-8"))


TABLE = promises.parse(document("promises"))
CALENDARS = calendars.parse(document("calendars"))
LAW = promises.parse_law(document("law"))
SETTINGS = document("settings")
CN = TABLE.promises(profile="CN")


def at(written: str) -> datetime:
    return datetime.fromisoformat(written).replace(tzinfo=ZoneInfo("Asia/Shanghai"))


# --- what is shipped ---


@pytest.mark.norm("2.3.1")
@pytest.mark.parametrize(
    ("code", "limit", "unit", "binds", "clause"),
    [
        ("preliminary_opinion", 24, "elapsed_hours", "company", "2.2.1"),
        ("simple_payment", 3, "calendar_days", "company", "2.3.1"),
        ("complex_answer", 5, "working_days", "company", "2.3.1"),
        ("handling_time", 48, "elapsed_hours", "team", "1.1"),
        ("cn_decision", 30, "calendar_days", "law", "2.3.1"),
        ("cn_payment", 10, "calendar_days", "law", "2.3.1"),
        ("cn_refusal_notice", 3, "calendar_days", "law", "2.3.1"),
        ("cn_undisputed", 60, "calendar_days", "law", "2.3.1"),
        ("cn_compulsory_papers", 1, "calendar_days", "law", "2.3.1"),
        ("cn_compulsory_decision", 5, "calendar_days", "law", "2.3.1"),
    ],
)
def test_the_norm_s_promises_are_shipped(code: str, limit: int, unit: str, binds: str, clause: str) -> None:
    promise = CN.current[code]
    assert (promise.limit, promise.unit, promise.binds, promise.clause) == (limit, unit, binds, clause)


def test_every_event_named_exists_and_every_calendar_is_known() -> None:
    assert promises.unknown_kinds(TABLE, KINDS) == ()
    promises.check_calendars(TABLE, CALENDARS)


def test_only_companies_pause_and_the_one_law_that_says_so() -> None:
    pausing = {row.code: row for row in TABLE.rows if row.pause}
    assert {code for code, row in pausing.items() if row.binds in ("law", "regulator")} == {"cn_decision"}
    assert {row.id for row in LAW if row.clock_pause} == {"CN-IL-23-DEC"}
    assert not any("suspect" in rule.event for row in pausing.values() for rule in row.pause)


def test_unsourced_rows_say_so_and_the_unclear_one_is_off() -> None:
    unclear = next(row for row in TABLE.rows if row.code == "cn_life_decision")
    assert (unclear.enabled, unclear.source_status) == (False, "unsourced")
    assert "cn_life_decision" not in CN.current
    by_id = {row.id: row for row in LAW}
    for promise in TABLE.rows:
        for duty in promise.duties:
            # Where the figure is our own default because the law names none, it is marked even if the law was read.
            if promise.source_status == "read":
                assert by_id[duty].source_status == "read", promise.code


def test_the_law_table_is_whole() -> None:
    assert len(LAW) == 107
    codes = {row.code for row in TABLE.rows}
    served = {duty: {row.code for row in TABLE.rows if duty in row.duties} for duty in (r.id for r in LAW)}
    for row in LAW:
        assert set(row.promises) == served[row.id] and set(row.promises) <= codes
    assert {duty for row in TABLE.rows for duty in row.duties} <= {row.id for row in LAW}


STATES = ["EU-DE", "EU-FR", "EU-BE", "EU-NL", "EU-AT"]


@pytest.mark.parametrize("profile", ["CN", "TW", "HK", "UK", "EU", *STATES, "US-NAIC", "US-CA", "US-UT", "US-OK"])
def test_a_profile_takes_its_own_law_and_calendar(profile: str) -> None:
    chosen = TABLE.promises(profile=profile)
    markets = set(TABLE.profiles[profile].markets)
    assert all(not row.markets or markets & set(row.markets) for row in chosen.current.values())
    assert chosen.current["complex_answer"].calendar == TABLE.profiles[profile].calendar
    foreign = next(row for row in TABLE.rows if row.markets and not markets & set(row.markets))
    assert chosen.at(foreign.code, foreign.version).code == foreign.code  # remembered for clocks that still run on it


def test_every_market_can_be_chosen_wherever_one_is_chosen() -> None:
    market = next(d for d in settings.definitions(SETTINGS) if d.name == "market")
    assert set(market.choices) == set(MARKETS) == set(TABLE.profiles)


@pytest.mark.parametrize(
    ("profile", "off", "worked"),
    [
        ("EU-DE", "2026-10-03", "2026-07-14"), ("EU-FR", "2026-07-14", "2026-10-26"), ("EU-BE", "2026-07-21", "2026-07-14"),
        ("EU-NL", "2026-04-27", "2026-07-21"), ("EU-AT", "2026-10-26", "2026-07-21"), ("EU", "2026-05-01", "2026-07-21"),
    ],
)  # fmt: skip
def test_a_member_state_counts_with_its_own_days_and_the_unions_limit(profile: str, off: str, worked: str) -> None:
    """The Union's figure is law in all of them; a state's days off are its own and not Belgium's."""
    calendar = CALENDARS.current[TABLE.profiles[profile].calendar]
    assert calendar.days[date.fromisoformat(off)] == () and date.fromisoformat(worked) not in calendar.days
    assert TABLE.promises(profile=profile).current["eu_reasoned_offer"].calendar == calendar.code
    assert "naic_acknowledge" not in TABLE.promises(profile=profile).current


def test_figures_agree_with_the_law_table() -> None:
    rows = {row.id: row for row in LAW}
    units = {"day": "calendar_days", "business_day": "working_days", "working_day": "working_days", "month": "months",
             "hour": "elapsed_hours", "minute": ("elapsed_minutes", "working_minutes")}  # fmt: skip
    for promise in TABLE.rows:
        for row in (rows[duty] for duty in promise.duties):
            if row.limit is not None and row.unit in units:
                assert promise.limit == row.limit, promise.code
                assert promise.unit in units[row.unit], promise.code


# --- calendars ---


def test_all_39_rows_of_2026_agree_with_the_published_calendar() -> None:
    from chinese_calendar.constants import holidays, workdays

    cn = next(row for row in document("calendars")["calendars"] if row["code"] == "cn")
    off = {day["date"] for day in cn["days"] if day["kind"] == calendars.DAY_OFF}
    made_up = {day["date"] for day in cn["days"] if day["kind"] == calendars.MAKE_UP}
    assert len(cn["days"]) == len(off) + len(made_up) == 39
    assert off == {day for day in holidays if day.year == 2026}
    assert made_up == {day for day in workdays if day.year == 2026}


def test_mainland_years_are_seeded_and_2027_is_provisional() -> None:
    from chinese_calendar import is_workday

    cn = CALENDARS.current["cn"]
    day, last = date(2004, 1, 1), date(2026, 12, 31)
    while day <= last:
        assert cn.is_working_day(day) == is_workday(day), day
        day += timedelta(days=1)
    assert cn.is_published(2026) and not cn.is_published(2027) and not cn.is_published(2003)


@pytest.mark.parametrize(
    ("code", "holiday"),
    [("tw", "2026-02-17"), ("hk", "2026-07-01"), ("hk", "2026-04-03"), ("hk", "2026-04-07"), ("eu_nl", "2026-05-05"),
     ("us_ut", "2026-06-15"), ("uk", "2026-12-28"), ("us", "2026-11-26"), ("us_ca", "2026-03-31"),
     ("eu", "2026-05-01")],
)  # fmt: skip
def test_other_markets_have_their_holidays(code: str, holiday: str) -> None:
    assert not CALENDARS.current[code].is_working_day(date.fromisoformat(holiday))
    assert not CALENDARS.current[code].is_published(2027)


def test_round_the_clock_is_never_provisional() -> None:
    assert not CALENDARS.current["round_the_clock"].is_provisional(at("2026-12-31 10:00"), at("2030-01-01 10:00"))


Edit = Callable[[Any], Any]


def refused(table: str, parse: Callable[[Any], Any], edit: Edit) -> str:
    mended = copy.deepcopy(document(table))
    edit(mended)
    with pytest.raises(NormError) as caught:
        parse(mended)
    for language in LANGUAGES:
        if caught.value.code in texts():
            assert text(caught.value.code, language, **caught.value.params)
    return caught.value.code


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda d: d["calendars"][0].update(hours={}), "norm_error.calendar.no_working_time"),
        (lambda d: d["calendars"][0].update(hours={"mon": []}), "norm_error.calendar.no_working_time"),
        (lambda d: d["calendars"][0].update(hours={"mon": ["12:00-09:00"]}), "norm_error.calendar.hours"),
        (lambda d: d["calendars"][0].update(hours={"mon": ["9-12"]}), "norm_error.calendar.hours"),
        (
            lambda d: d["calendars"][0].update(hours={"mon": ["09:00-12:00", "11:00-13:00"]}),
            "norm_error.calendar.hours",
        ),
        (lambda d: d["calendars"][0].update(hours={"mon": ["09:00-25:00"]}), "norm_error.calendar.hours"),
        (lambda d: d["calendars"][0].update(hours={"moon": []}), "norm_error.table.unknown_key"),
        (lambda d: d["calendars"][0].update(zone="Asia/Atlantis"), "norm_error.calendar.zone"),
        (lambda d: d["calendars"][0].update(zone=8), "norm_error.calendar.zone"),
        (lambda d: d["calendars"][0].update(published=["2026"]), "norm_error.calendar.years"),
        (lambda d: d["calendars"][0].update(make_up_hours=[]), "norm_error.calendar.make_up"),
        (lambda d: d["calendars"][0]["days"].append(d["calendars"][0]["days"][0]), "norm_error.table.twice"),
        (lambda d: d["calendars"][0]["days"][0].update(date="1 May"), "norm_error.calendar.date"),
        (lambda d: d["calendars"][0]["days"][0].update(kind="half"), "norm_error.table.unknown_code"),
        (lambda d: d["calendars"][0]["days"][0].update(hours=["09:00-12:00"]), "norm_error.calendar.day_off"),
        (lambda d: d["calendars"][0]["days"][0].update(kind="other hours"), "norm_error.calendar.other_hours"),
        (lambda d: d["calendars"][0]["seed"].update(package="almanac"), "norm_error.calendar.seed"),
        (lambda d: d["calendars"][0].update(version=0), "norm_error.calendar.version"),
        (lambda d: d["calendars"][0].update(colour="red"), "norm_error.table.unknown_key"),
    ],
)
def test_a_calendar_that_makes_no_sense_is_refused(edit: Edit, code: str) -> None:
    assert refused("calendars", calendars.parse, edit) == code


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        ({"start": []}, "norm_error.promise.no_start"),
        ({"fulfil": []}, "norm_error.promise.no_end"),
        ({"limit": 0}, "norm_error.promise.limit"),
        ({"limit": 2.5}, "norm_error.promise.limit"),
        ({"limit": True}, "norm_error.promise.limit"),
        ({"limit": 10**9}, "norm_error.promise.limit"),
        ({"unit": "moons"}, "norm_error.table.unknown_code"),
        ({"binds": "nobody"}, "norm_error.table.unknown_code"),
        ({"since": "story"}, "norm_error.table.unknown_code"),
        ({"start": ["reported"]}, "norm_error.promise.event"),
        ({"start": [{"event": "claim.reported", "when": ["moonlight"]}]}, "norm_error.table.unknown_code"),
        ({"pause": ["claim.papers_requested"]}, "norm_error.promise.pause"),
        ({"warnings": [{"percent": 100}]}, "norm_error.promise.warning"),
        ({"warnings": [{"percent": 50, "working_minutes_before": 5}]}, "norm_error.promise.warning"),
        ({"condition": {"field": "nickname", "op": "eq", "value": 1}}, "norm_error.condition.unknown_field"),
        ({"condition": {"field": "story", "op": "eq", "value": "x"}}, "norm_error.condition.unknown_field"),
        ({"enabled": "yes"}, "norm_error.promise.flag"),
        ({"colour": "red"}, "norm_error.table.unknown_key"),
        ({"source_status": "heard"}, "norm_error.table.unknown_code"),
    ],
)
def test_a_promise_that_makes_no_sense_is_refused(edit: dict[str, Any], code: str) -> None:
    assert refused("promises", promises.parse, lambda d: d["promises"][0].update(edit)) == code


def test_a_promise_on_a_calendar_nobody_has_is_refused() -> None:
    edited = document("promises")
    edited["promises"][0]["calendar"] = "lunar"
    with pytest.raises(NormError):
        promises.check_calendars(promises.parse(edited), CALENDARS)


def test_a_half_day_is_a_day_with_other_hours() -> None:
    edited = document("calendars")
    edited["calendars"][0]["days"].append({"date": date(2026, 12, 24), "kind": "other hours", "hours": ["09:00-12:00"]})
    cn = calendars.parse(edited).current["cn"]
    assert cn.is_working_day(date(2026, 12, 24))
    assert cn.add(at("2026-12-24 11:00"), 120) == at("2026-12-25 10:00")


def test_a_row_of_law_has_a_clock_or_a_reason() -> None:
    assert (
        refused("law", promises.parse_law, lambda d: d["rows"][0].update(no_clock="conduct")) == "norm_error.law.clock"
    )
    assert refused("law", promises.parse_law, lambda d: d["rows"][0].update(promises=[])) == "norm_error.law.clock"


# --- words ---


def test_everything_has_its_words() -> None:
    keys = [row.text_key for row in TABLE.rows] + [row.text_key for row in LAW]
    keys += [f"law_no_clock.{reason}" for reason in NO_CLOCK] + [f"calendar.{code}" for code in CALENDARS.current]
    keys += [f"promise_unit.{unit}.{number}" for unit in UNITS for number in ("one", "many")]
    for key in keys:
        assert all(texts()[key][language] for language in LANGUAGES), key


def test_words_are_whole_in_three_languages() -> None:
    own = yaml_texts.load((DEFAULTS.parent / "texts" / "promises.yaml").read_text(encoding="utf-8"))
    han = re.compile(r"[\u4e00-\u9fff]")
    for key, wordings in own.items():
        assert set(wordings) == set(LANGUAGES), key
        holes = {language: set(re.findall(r"\{\w+\}", wordings[language])) for language in LANGUAGES}
        assert holes["zh-hans"] == holes["zh-hant"] == holes["en"], key
        assert not han.search(wordings["en"]), key
        assert not set("证赔时单为过发则们后约开个说请写业应尽险类实") & set(wordings["zh-hant"]), key
        assert not set("證賠時單為過發則們後約開個說請寫業應盡險類實") & set(wordings["zh-hans"]), key


CLOCK = Clock(
    part=1, promise="complex_answer", calendar="cn", calendar_version=1, binds="law", started_at=at("2026-11-16 10:00"),
    limit=5, unit="calendar_days", pauses=((at("2026-11-17 10:00"), at("2026-11-17 12:00")),),
)  # fmt: skip


@pytest.mark.norm("2.3.1")
@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("zh-hans", "期限最后一日是休息日，法律上顺延至 2026-11-23 23:59；我们仍按原日期办理。"),
        ("zh-hant", "到期時間：2026-11-21 23:59。"),
        ("en", "“Answer to a complex claim” runs from 2026-11-16 10:00; the limit is 5 days."),
    ],
)
def test_a_due_time_explains_itself(language: str, expected: str) -> None:
    words = promises.explanation_words(explain(clock=CLOCK, calendars=CALENDARS, now=at("2026-11-18 10:00")), language)
    assert expected in words
    assert len(words) == 5


# --- the shipped table at work ---


def story(
    lane: str, *events: tuple[Any, ...], covers: tuple[str, ...] = ("compulsory_property",), profile: str = "CN"
) -> Case:
    """A motor claim with one exposure per cover, and what happens to it: (kind, when, changes …)."""
    claim = Claim(number="C-1", line="motor", state="investigating", reported_at=at("2026-11-23 10:00"), lane=lane)
    heads = {n: Exposure(n, cover=cover) for n, cover in enumerate(covers, 1)}
    case = Case(1, parts={"claim": {0: claim}, "exposure": heads})
    book = TABLE.promises(profile=profile)
    for kind, when, *changes in events:
        said = [change for change in changes if change]
        event = Event(kind, said[0].part if said else 0, {}, tuple(said))
        case = case.after([event])
        case = case.after(react(case=case, events=[event], promises=book, calendars=CALENDARS, now=at(when)))
    return case


def states(case: Case) -> dict[str, str]:
    return {clock.promise: clock.state for clock in case.clocks.values()}


@pytest.mark.norm("2.2.1")
def test_a_report_starts_its_promises_at_the_report() -> None:
    clocks = {c.promise: c for c in story("simple", ("claim.reported", "2026-11-23 10:05", None)).clocks.values()}
    assert set(clocks) == {
        "preliminary_opinion", "simple_payment", "handling_time", "first_contact", "silence", "cn_decision",
        "cn_compulsory_papers",
    }  # fmt: skip
    assert clocks["preliminary_opinion"].due_at == at("2026-11-24 10:00")
    assert clocks["simple_payment"].due_at == at("2026-11-26 23:59:59")
    assert clocks["cn_decision"].due_at == at("2026-12-23 23:59:59")
    assert clocks["cn_compulsory_papers"].due_at == at("2026-11-24 23:59:59")


@pytest.mark.norm("2.3.1")
def test_papers_pause_what_the_company_promised_but_not_the_opinion() -> None:
    case = story(
        "complex",
        ("claim.reported", "2026-11-23 10:00", None),
        ("paper.requested", "2026-11-23 11:00", Change("paper", 1, {"state": "requested"})),
        ("claim.papers_requested", "2026-11-23 11:00", Change("claim", 0, {"papers_requests": 1})),
    )
    assert {promise for promise, state in states(case).items() if state == "paused"} == {
        "complex_answer", "handling_time", "cn_decision",
    }  # fmt: skip
    assert states(case)["cn_compulsory_papers"] == "fulfilled"
    assert states(case)["preliminary_opinion"] == "running"


@pytest.mark.norm("2.3.2")
def test_the_fast_lane_has_clocks_of_its_own() -> None:
    case = story(
        "complex",
        ("claim.reported", "2026-11-23 10:00", None),
        ("claim.triaged", "2026-11-23 10:01", Change("claim", 0, {"fast_lane": True, "rescue": True})),
    )
    assert states(case)["first_contact"] == "cancelled"
    clocks = {c.promise: c for c in case.clocks.values()}
    assert clocks["fast_contact"].due_at == at("2026-11-23 10:11")
    assert clocks["rescue_cost"].due_at == at("2026-11-23 14:01")


@pytest.mark.norm("2.3.2")
def test_urgent_from_the_first_word_runs_from_the_report_and_urgent_later_from_when_it_was_known() -> None:
    """The clocks of a report start at the report; but nobody breaks a promise before they could know of it."""
    urgent = {"fast_lane": True, "rescue": True}
    for kind, when, since, fast, rescue in (
        ("claim.reported", "2026-11-23 10:05", None, "2026-11-23 10:10", "2026-11-23 14:00"),
        ("claim.triaged", "2026-11-25 15:00", "2026-11-23 10:00", "2026-11-25 15:10", "2026-11-25 19:00"),
    ):
        first = () if kind == "claim.reported" else (("claim.reported", "2026-11-23 10:05", None),)
        case = story("complex", *first, (kind, when, Change("claim", 0, urgent)))
        for code, due in (("fast_contact", fast), ("rescue_cost", rescue)):
            clock = next(c for c in case.clocks.values() if c.promise == code)
            assert (clock.due_at, clock.breached_at) == (at(due), None), (kind, code)
            promise = TABLE.promises(profile="CN").of_clock(clock)
            assert promise.told_to_customer, "the customer is told these dates"
            why = explain(clock=clock, calendars=CALENDARS, now=at(when), promise=promise, claim=case.claim)
            assert why.since == (at(since) if since else None)
            for language in LANGUAGES:
                said = text("promise_explain.known", language, at=when, since=since)
                assert (said in promises.explanation_words(why, language)) is bool(since)


def test_a_refusal_starts_its_three_days_and_outlives_the_claim() -> None:
    case = story(
        "simple",
        ("claim.reported", "2026-11-23 10:00", None),
        ("exposure.refused", "2026-11-24 10:00", Change("exposure", 1, {"state": "refused"})),
        ("claim.closed", "2026-11-24 10:01", Change("claim", 0, {"state": "closed"})),
    )
    found = states(case)
    assert (found["simple_payment"], found["cn_decision"], found["handling_time"]) == (
        "cancelled",
        "fulfilled",
        "fulfilled",
    )
    assert {promise for promise, state in found.items() if state == "running"} == {
        "cn_refusal_notice",
        "decision_notice",
    }
    notice = next(c for c in case.clocks.values() if c.promise == "cn_refusal_notice")
    assert (notice.due_at, notice.exposure) == (at("2026-11-27 23:59:59"), 1)


REPORTED = ("claim.reported", "2026-11-23 10:00")
PAPERS_IN = ("paper.received", "2026-11-23 12:00")


def head(**fields: Any) -> Change:
    return Change("exposure", 1, fields)


def root(**fields: Any) -> Change:
    return Change("claim", 0, fields)


@pytest.mark.norm("2.3.1")
@pytest.mark.parametrize(
    ("profile", "cover", "events", "promise", "due"),
    [
        # Under each law, what has to be done by when: counted from the day after, in the market's own zone.
        ("CN", "own_damage", [REPORTED], "cn_decision", "2026-12-23"),
        ("CN", "own_damage", [REPORTED, ("offer.agreed", "2026-11-25 10:00")], "cn_payment", "2026-12-05"),
        ("CN", "own_damage", [REPORTED, PAPERS_IN], "cn_undisputed", "2027-01-22"),
        ("CN", "compulsory_medical", [REPORTED], "cn_compulsory_papers", "2026-11-24"),
        ("CN", "compulsory_medical", [REPORTED, PAPERS_IN], "cn_compulsory_decision", "2026-11-28"),
        (
            "CN",
            "compulsory_medical",
            [REPORTED, ("offer.agreed", "2026-11-25 10:00")],
            "cn_compulsory_payment",
            "2026-12-05",
        ),
        ("TW", "own_damage", [REPORTED, PAPERS_IN], "tw_payment", "2026-12-08"),
        ("TW", "compulsory_medical", [REPORTED, PAPERS_IN], "tw_compulsory_payment", "2026-12-07"),
        ("UK", "third_party", [REPORTED], "uk_reasoned_offer", "2027-02-23"),
        ("EU", "third_party", [REPORTED], "eu_reasoned_offer", "2027-02-23"),
        ("EU", "compulsory_medical", [REPORTED], "eu_reasoned_offer", "2027-02-23"),
        # In New York it is still Sunday, in Los Angeles too.
        ("US-NAIC", "own_damage", [REPORTED], "naic_acknowledge", "2026-12-07"),
        ("US-NAIC", "own_damage", [REPORTED, PAPERS_IN], "naic_decision", "2026-12-13"),
        (
            "US-NAIC",
            "own_damage",
            [REPORTED, ("exposure.decision_approved", "2026-11-24 23:00", head(state="approved"))],
            "naic_payment",
            "2026-12-24",
        ),
        ("US-NAIC", "own_damage", [REPORTED, ("claim.customer_wrote", "2026-11-24 23:00")], "naic_reply", "2026-12-09"),
        ("US-CA", "own_damage", [REPORTED], "ca_investigation", "2026-12-07"),
        ("US-CA", "own_damage", [REPORTED, PAPERS_IN], "ca_decision", "2027-01-01"),
        ("US-UT", "own_damage", [REPORTED, PAPERS_IN], "ut_decision", "2026-12-22"),
        ("US-OK", "own_damage", [REPORTED], "ok_acknowledge", "2026-12-22"),
        # 45 business days: Thanksgiving, the Friday after it and Christmas are off; of 2027 only the weekends are known.
        ("US-OK", "own_damage", [REPORTED, PAPERS_IN], "ok_decision", "2027-01-27"),
    ],
)
def test_the_law_of_each_market_by_the_day(profile: str, cover: str, events: list[Any], promise: str, due: str) -> None:
    case = story("complex", *events, covers=(cover,), profile=profile)
    clock = next(c for c in case.clocks.values() if c.promise == promise)
    calendar = CALENDARS.current[clock.calendar]
    assert clock.state == "running"
    assert clock.due_at is not None and calendar.local_date(clock.due_at).isoformat() == due


def test_hong_kong_names_no_days_and_has_the_company_s_promises_on_its_own_calendar() -> None:
    case = story("complex", REPORTED, profile="HK")
    assert {c.binds for c in case.clocks.values()} <= {"company", "team"}
    answer = next(c for c in case.clocks.values() if c.promise == "complex_answer")
    assert (answer.calendar, answer.due_at) == ("hk", at("2026-11-30 17:30"))


@pytest.mark.parametrize("profile", ["CN", "TW", "UK", "US-NAIC", "US-CA", "US-UT", "US-OK"])
def test_every_day_count_of_the_law_says_where_a_day_off_would_move_it(profile: str) -> None:
    case = story("complex", ("claim.reported", "2026-11-23 10:00"), PAPERS_IN, profile=profile)
    for clock in case.clocks.values():
        calendar = CALENDARS.current[clock.calendar]
        if clock.binds in ("law", "regulator") and clock.unit == "calendar_days" and not clock.provisional:
            assert clock.due_at is not None
            last = calendar.local_date(clock.due_at)
            assert (clock.extended_due_at is None) == calendar.is_working_day(last)


@pytest.mark.parametrize(
    ("peril", "facts", "promise", "due"),
    [
        ("livestock_loss", {}, "livestock_assessment", "2026-11-26"),
        ("crop_loss", {"total_loss": True}, "crop_assessment_total", "2026-12-03"),
        ("crop_loss", {}, "crop_assessment_partial", "2026-12-13"),
    ],
)
def test_what_was_promised_to_farmers_runs_from_the_report(
    peril: str, facts: dict[str, Any], promise: str, due: str
) -> None:
    claim = Claim(number="C-1", line="agriculture", state="reported", reported_at=at("2026-11-23 10:00"))
    case = Case(1, parts={"claim": {0: claim}, "exposure": {1: Exposure(1, peril=peril, facts=facts)}})
    ticks = react(
        case=case, events=[Event("claim.reported")], promises=CN, calendars=CALENDARS, now=at("2026-11-23 10:00")
    )
    found = {
        t.facts["promise"]: t.facts["due_at"]
        for t in ticks
        if t.facts["promise"].endswith(("assessment", "total", "partial"))
    }
    assert found == {promise: at(f"{due} 23:59:59")}


REOPENED = (
    REPORTED, PAPERS_IN,
    ("exposure.decision_approved", "2026-11-24 10:00", head(state="approved")),
    ("offer.agreed", "2026-11-24 11:00", head(state="agreed")),
    ("exposure.settled", "2026-11-25 11:00", head(state="settled")),
    ("claim.closed", "2026-11-25 11:00", root(state="closed")),
    ("claim.reopened", "2026-12-10 09:00", root(state="investigating", reopened_at=at("2026-12-10 09:00")), head(state="open")),
)  # fmt: skip


@pytest.mark.norm("2.3.1")
def test_case_17_the_law_s_limits_run_again_in_a_reopened_claim() -> None:
    case = story(
        "simple", *REOPENED,
        ("paper.received", "2026-12-11 12:00"),
        ("exposure.decision_approved", "2026-12-12 10:00", head(state="approved")),
        ("offer.agreed", "2026-12-12 11:00", head(state="agreed")),
    )  # fmt: skip
    of = {c.promise: c for c in case.clocks.values()}
    assert of["cn_compulsory_payment"].due_at == at("2026-12-22 23:59:59")
    assert (of["cn_compulsory_payment"].state, of["cn_compulsory_decision"].state) == ("running", "fulfilled")
    assert of["cn_compulsory_decision"].started_at == at("2026-12-11 12:00")
    assert of["cn_decision"].started_at == of["simple_payment"].started_at == at("2026-12-10 09:00")


@pytest.mark.parametrize(
    ("events", "promise", "state", "due"),
    [
        # What a new triage begins was not broken before anybody could know of it.
        ([("claim.customer_told", "2026-11-23 10:05", Change("note", 1, {"kind": "told"})),
          ("claim.triaged", "2026-11-23 15:00", root(fast_lane=True, rescue=True))], "fast_contact", "running", "2026-11-23 15:10"),
        ([("claim.triaged", "2026-11-23 15:00", root(fast_lane=True, rescue=True))], "rescue_cost", "running", "2026-11-23 19:00"),
        ([("claim.triaged", "2026-11-23 10:01", root(fast_lane=True)),
          ("claim.customer_told", "2026-11-23 10:05", Change("note", 1, {"kind": "told"})),
          ("claim.triaged", "2026-11-24 15:00", root(fast_lane=False))], "first_contact", "cancelled", "2026-11-23 10:30"),
        ([("exposure.decision_approved", "2026-11-24 10:00", head(state="approved")),
          ("claim.triaged", "2026-11-24 15:00", root(lane="complex"))], "complex_answer", None, None),
        ([("exposure.settled", "2026-11-24 10:00", head(state="settled")),
          ("claim.triaged", "2026-11-24 15:00", root(lane="complex")),
          ("claim.triaged", "2026-11-24 16:00", root(lane="simple"))], "simple_payment", "fulfilled", "2026-11-26 23:59"),
        # Papers were asked for before the compulsory head was known: it is told its papers by the day after.
        ([("claim.papers_requested", "2026-11-23 11:00", root(papers_requests=1)),
          ("exposure.added", "2026-11-30 11:00", Change("exposure", 2, {"state": "open", "cover": "compulsory_medical"}))],
         "cn_compulsory_papers", "running", "2026-12-01 23:59"),
        # An optional paper that was refused holds up nobody.
        ([("claim.papers_requested", "2026-11-23 11:00", root(papers_requests=1)),
          ("paper.refused", "2026-11-23 12:00", Change("paper", 1, {"state": "refused", "required": False}))],
         "simple_payment", "running", "2026-11-26 23:59"),
        ([("exposure.assessed", "2026-11-24 10:00", head(state="assessed", assessed_at=at("2026-11-24 10:00")))],
         "cn_compulsory_decision", "running", "2026-11-29 23:59"),  # nothing had to be sent: what we have is complete
        ([("claim.triaged", "2026-11-23 10:00"),
          ("exposure.assessed", "2026-11-23 12:00", head(state="assessed", assessed_at=at("2026-11-23 12:00"))),
          ("claim.triaged", "2026-11-23 12:00", root(lane="complex"))], "papers_request", "cancelled", "2026-11-24 17:30"),
        ([("offer.agreed", "2026-11-24 11:00", head(state="agreed")),
          ("exposure.settled", "2026-11-25 11:00", head(state="settled")),
          ("payment.given_back", "2026-11-26 11:00", head(state="agreed"))], "cn_compulsory_payment", "running", "2026-12-04 23:59"),
    ],
)  # fmt: skip
def test_no_promise_is_broken_by_what_came_later(
    events: list[Any], promise: str, state: str | None, due: str | None
) -> None:
    case = story("simple", REPORTED, *events)
    found = [c for c in case.clocks.values() if c.promise == promise]
    if state is None:
        assert not found
        return
    calendar = CALENDARS.current["cn"]
    assert (found[-1].state, found[-1].breached_at if state == "running" else None) == (state, None)
    assert due is not None and f"{found[-1].due_at.astimezone(calendar.tz):%Y-%m-%d %H:%M}" == due
