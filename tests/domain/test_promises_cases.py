"""The numbered cases that a promise clock must pass, driven by events through `react`, `sweep` and `recompute`.

Cases 1-6, 9-11, 23 and 26 need only a calendar and stand in test_calendars.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import lipei.norms
from lipei.domain import papers
from lipei.domain.calendars import Calendar, Calendars
from lipei.domain.claims import Case, Claim, Clock, Exposure
from lipei.domain.conditions import ALWAYS, Compare
from lipei.domain.events import Change, Event
from lipei.domain.promises import (
    Promise,
    Promises,
    Rule,
    Warn,
    count,
    disagrees,
    explain,
    next_change,
    preview,
    react,
    recompute,
    sweep,
    told,
)
from lipei.domain.promises.definitions import UNITS
from lipei.norms import yaml_texts
from lipei.norms.calendars import parse

DEFAULTS = Path(lipei.norms.__file__).parent / "defaults"
CALENDARS: Calendars = parse(yaml_texts.load((DEFAULTS / "calendars.yaml").read_text(encoding="utf-8")))
CN = CALENDARS.current["cn"]

PAPERS = {
    "pause": (Rule("claim.papers_requested", ("first_request", "papers_outstanding")),),
    "resume": (Rule("paper.received", ("papers_complete",)),),
}
BASE = Promise(
    code="answer_customer", version=1, binds="company", limit=8, unit="working_hours", calendar="cn",
    start=(Rule("claim.reported"),), fulfil=(Rule("claim.opinion_given"),), since="reported_at", told_to_customer=True,
)  # fmt: skip


def at(text: str, zone: str = "Asia/Shanghai") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def book(*promises: Promise, older: tuple[Promise, ...] = ()) -> Promises:
    return Promises.of(
        promises,
        older,
        ending=("claim.closed", "claim.closed_without_payment"),
        voiding=("claim.withdrawn", "claim.cancelled", "claim.duplicate_linked"),
    )


class Desk:
    """A claim on which things happen, as the write path makes them happen."""

    def __init__(self, *promises: Promise, reported: str, calendars: Calendars = CALENDARS, **claim: Any) -> None:
        self.promises, self.calendars, self.journal = book(*promises), calendars, list[Event]()
        root = Claim(number="C-1", reported_at=at(reported), state="investigating", **claim)
        self.case = Case(1, parts={"claim": {0: root}})

    def does(self, kind: str, when: str | datetime, *changes: Change, part: int = 0, **facts: Any) -> list[str]:
        now = at(when) if isinstance(when, str) else when
        event = Event(kind, part, facts, changes)
        self.case = self.case.after([event])
        args: Mapping[str, Any] = {"promises": self.promises, "calendars": self.calendars, "now": now}
        return self._keep(react(case=self.case, events=[event], **args))

    def sweeps(self, when: str) -> list[str]:
        return self._keep(sweep(case=self.case, promises=self.promises, calendars=self.calendars, now=at(when)))

    def recomputes(self, when: str, reason: str = "promise_changed") -> list[str]:
        return self._keep(
            recompute(case=self.case, promises=self.promises, calendars=self.calendars, now=at(when), reason=reason)
        )

    def asks_papers(self, when: str) -> list[str]:
        asked = [Change("paper", 1, {"state": "requested"}), Change("claim", 0, {"papers_requests": 1})]
        return self.does("claim.papers_requested", when, *asked)

    def gets_papers(self, when: str) -> list[str]:
        return self.does("paper.received", when, Change("paper", 1, {"state": "received"}), part=1)

    def _keep(self, events: tuple[Event, ...]) -> list[str]:
        self.case = self.case.after(events)
        self.journal.extend(events)
        for clock in self.case.clocks.values():
            # The law "recomputing from the journal gives the stored due time", at every step of every case.
            assert not disagrees(clock=clock, calendars=self.calendars), clock
        return [event.kind for event in events]

    @property
    def clock(self) -> Clock:
        return next(reversed(self.case.clocks.values()))

    def last(self, kind: str) -> Event:
        return [event for event in self.journal if event.kind == kind][-1]

    def swap(self, *promises: Promise) -> None:
        self.promises = book(*promises, older=tuple(self.promises.history.values()))


def started(promise: Promise, reported: str, **claim: Any) -> Desk:
    desk = Desk(promise, reported=reported, **claim)
    assert desk.does("claim.reported", reported) == ["clock.started"]
    return desk


def test_case_7_a_pause_without_working_time_moves_nothing() -> None:
    desk = started(replace(BASE, **PAPERS), "2026-11-23 16:00")
    due = desk.clock.due_at
    assert desk.asks_papers("2026-11-23 17:30") == ["clock.paused"]
    assert desk.clock.due_at is None
    assert desk.gets_papers("2026-11-24 09:00") == ["clock.resumed"]
    assert desk.clock.due_at == due


@pytest.mark.norm("2.3.1")
def test_case_8_the_customer_s_time_is_added() -> None:
    desk = started(replace(BASE, **PAPERS), "2026-11-20 14:00")
    assert desk.clock.due_at == at("2026-11-23 15:00")
    desk.asks_papers("2026-11-20 16:00")
    desk.gets_papers("2026-11-23 10:00")
    assert desk.clock.due_at == at("2026-11-23 17:30")
    why = explain(clock=desk.clock, calendars=CALENDARS, now=at("2026-11-23 11:00"))
    assert why.pauses == ((at("2026-11-20 16:00"), at("2026-11-23 10:00")),)
    assert why.moved_by_pauses == timedelta(hours=2, minutes=30)
    assert (why.calendar, why.calendar_version, why.limit, why.unit) == ("cn", 1, 8, "working_hours")


def test_case_8_while_paused_it_says_when_it_would_be_due() -> None:
    desk = started(replace(BASE, **PAPERS), "2026-11-20 14:00")
    desk.asks_papers("2026-11-20 16:00")
    why = explain(clock=desk.clock, calendars=CALENDARS, now=at("2026-11-23 10:00"))
    assert (why.due_at, why.if_resumed) == (None, at("2026-11-23 17:30"))


def test_case_8_a_second_request_is_our_own_doing_and_stops_nothing() -> None:
    desk = started(replace(BASE, **PAPERS), "2026-11-20 14:00")
    desk.asks_papers("2026-11-20 16:00")
    desk.gets_papers("2026-11-23 10:00")
    again = [Change("paper", 2, {"state": "requested"}), Change("claim", 0, {"papers_requests": 2})]
    assert desk.does("claim.papers_requested", "2026-11-23 11:00", *again) == []
    assert desk.clock.state == "running"


def test_case_12_warning_one_working_hour_before() -> None:
    desk = started(replace(BASE, limit=4, warnings=(Warn(minutes_before=60, working=True),)), "2026-11-23 17:00")
    assert desk.clock.due_at == at("2026-11-24 14:00")
    assert desk.clock.warn_at == at("2026-11-24 11:30")
    assert next_change(desk.clock) == at("2026-11-24 11:30")


def test_case_13_warning_at_a_share_of_the_limit() -> None:
    desk = started(replace(BASE, limit=7, warnings=(Warn(percent=80),)), "2026-11-23 09:00")
    assert desk.clock.warn_at == at("2026-11-23 16:06")


def test_case_13_a_pause_moves_the_share_as_well() -> None:
    desk = started(replace(BASE, limit=7, warnings=(Warn(percent=80),), **PAPERS), "2026-11-23 09:00")
    desk.asks_papers("2026-11-23 10:00")
    desk.gets_papers("2026-11-23 11:00")
    assert desk.clock.warn_at == at("2026-11-23 17:06")


def test_case_14_a_shorter_limit_finds_it_broken_at_its_due_instant() -> None:
    desk = started(replace(BASE, limit=16), "2026-11-23 09:00")
    desk.swap(replace(BASE, version=2, limit=4))
    assert desk.recomputes("2026-11-23 16:30", "limit_shortened") == ["clock.recomputed", "clock.breached"]
    breach = desk.last("clock.breached")
    assert breach.occurred_at == at("2026-11-23 14:30") == desk.clock.breached_at
    assert breach.facts["reason"] == "limit_shortened"
    assert desk.last("clock.recomputed").facts["due_before"] == at("2026-11-25 11:00")
    assert desk.recomputes("2026-11-23 16:31") == []


def test_case_15_changed_while_paused() -> None:
    desk = started(replace(BASE, limit=16, **PAPERS), "2026-11-23 09:00")
    desk.asks_papers("2026-11-23 11:00")
    desk.swap(replace(BASE, version=2, limit=4, **PAPERS))
    assert desk.recomputes("2026-11-25 16:30") == ["clock.recomputed"]
    assert desk.clock.state == "paused"
    assert desk.sweeps("2026-11-26 09:00") == []
    desk.gets_papers("2026-11-26 10:00")
    assert desk.clock.due_at == at("2026-11-26 12:00")
    assert desk.clock.breached_at is None


def test_case_15_a_promise_that_no_longer_pauses_runs_from_now() -> None:
    desk = started(replace(BASE, limit=16, **PAPERS), "2026-11-23 09:00")
    desk.asks_papers("2026-11-23 11:00")
    desk.swap(replace(BASE, version=2, limit=4))
    desk.recomputes("2026-11-26 10:00")
    assert (desk.clock.state, desk.clock.due_at, desk.clock.breached_at) == ("running", at("2026-11-26 12:00"), None)


def test_case_16_fulfilled_without_resuming_counts_the_pause() -> None:
    desk = started(replace(BASE, limit=4, **PAPERS), "2026-11-23 09:00")
    desk.asks_papers("2026-11-23 10:00")
    assert desk.does("claim.opinion_given", "2026-11-30 10:00") == ["clock.fulfilled"]
    assert desk.clock.breached_at is None
    assert desk.clock.pauses == ((at("2026-11-23 10:00"), at("2026-11-30 10:00")),)
    assert desk.clock.due_at == at("2026-11-30 14:30")


@pytest.mark.norm("2.3.1")
def test_fulfilled_late_breaks_at_the_due_instant_and_says_so() -> None:
    desk = started(replace(BASE, limit=4), "2026-11-23 09:00")
    assert desk.does("claim.opinion_given", "2026-11-24 10:00") == ["clock.breached", "clock.fulfilled"]
    assert desk.last("clock.breached").occurred_at == at("2026-11-23 14:30")
    assert desk.last("clock.fulfilled").facts["late"] is True


def test_fulfilled_at_the_last_instant_is_kept() -> None:
    desk = started(replace(BASE, limit=4), "2026-11-23 09:00")
    assert desk.sweeps("2026-11-23 14:30") == []
    assert desk.does("claim.opinion_given", "2026-11-23 14:30") == ["clock.fulfilled"]


def reopened(on_reopen: str) -> Desk:
    desk = started(replace(BASE, on_reopen=on_reopen, fulfil=(Rule("claim.closed"),)), "2026-11-23 09:00")
    desk.does("claim.closed", "2026-11-23 14:30", Change("claim", 0, {"state": "closed"}))
    desk.does("claim.reopened", "2026-11-25 09:00", Change("claim", 0, {"state": "investigating"}))
    return desk


def test_case_17_reopened_and_resumed() -> None:
    clock = reopened("resume").clock
    # 4 of 8 hours were used before it was closed; they stay used, and the time while closed counts for nobody.
    assert (clock.part, clock.state, clock.ended_at) == (1, "running", None)
    assert clock.due_at == at("2026-11-25 14:30")


def test_case_17_reopened_and_begun_anew() -> None:
    desk = reopened("new")
    assert [c.state for c in desk.case.clocks.values()] == ["fulfilled", "running"]
    assert desk.clock.started_at == at("2026-11-25 09:00")
    assert desk.clock.due_at == at("2026-11-26 10:00")


def test_case_17_reopened_where_the_promise_says_nothing() -> None:
    assert [c.state for c in reopened("").case.clocks.values()] == ["fulfilled"]


@pytest.mark.norm("2.3.1")
def test_case_18_a_company_pause_does_not_move_a_legal_date() -> None:
    legal = replace(BASE, code="legal", binds="law", limit=30, unit="calendar_days")
    desk = Desk(replace(BASE, **PAPERS), legal, reported="2026-11-20 14:00")
    desk.does("claim.reported", "2026-11-20 14:00")
    before = {c.promise: c.due_at for c in desk.case.clocks.values()}
    assert desk.asks_papers("2026-11-20 16:00") == ["clock.paused"]
    desk.gets_papers("2026-11-27 10:00")
    after = {c.promise: c.due_at for c in desk.case.clocks.values()}
    assert after["legal"] == before["legal"] == at("2026-12-20 23:59:59")
    assert after["answer_customer"] != before["answer_customer"]


def test_case_18_suspicion_pauses_nothing() -> None:
    desk = started(replace(BASE, **PAPERS), "2026-11-20 14:00")
    assert desk.does("claim.suspected", "2026-11-20 15:00", Change("claim", 0, {"suspicion": True})) == []
    assert desk.clock.state == "running"


def with_holiday(day: str, version: int = 2) -> Calendars:
    new = replace(CN, version=version, days={**CN.days, date.fromisoformat(day): ()})
    return Calendars.of([new, CALENDARS.current["round_the_clock"]], [CN])


def test_case_19_a_holiday_is_added() -> None:
    desk = started(BASE, "2026-11-23 09:00")
    fulfilled = started(BASE, "2026-11-23 09:00")
    fulfilled.does("claim.opinion_given", "2026-11-23 10:00")
    desk.calendars = fulfilled.calendars = with_holiday("2026-11-24")
    args: Mapping[str, Any] = {"promises": desk.promises, "calendars": desk.calendars, "now": at("2026-11-23 12:00")}
    seen = preview(cases=[desk.case, fulfilled.case], **args)
    assert [(d.due_before, d.due_after, d.breaks, d.ends) for d in seen] == [
        (at("2026-11-24 10:00"), at("2026-11-25 10:00"), False, False)
    ]
    assert desk.clock.due_at == at("2026-11-24 10:00")  # a preview changes nothing
    assert desk.recomputes("2026-11-23 12:00", "holiday_added") == ["clock.recomputed"]
    assert (desk.clock.due_at, desk.clock.calendar_version) == (at("2026-11-25 10:00"), 2)
    assert fulfilled.recomputes("2026-11-23 12:00") == []
    assert fulfilled.clock.calendar_version == 1
    why = explain(clock=fulfilled.clock, calendars=fulfilled.calendars, now=at("2026-11-23 12:00"))
    assert (why.due_at, why.calendar_version) == (at("2026-11-24 10:00"), 1)


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("claim.withdrawn", {"state": "withdrawn"}),
        ("claim.duplicate_linked", {"state": "cancelled"}),
        ("claim.cancelled", {"state": "cancelled"}),
        ("claim.handed_over", {"unit": "west"}),
    ],
)
def test_case_20_clocks_that_no_longer_apply_end(kind: str, fields: dict[str, Any]) -> None:
    promise = replace(BASE, condition=Compare("unit", "eq", "east"), warnings=(Warn(percent=50),))
    desk = started(promise, "2026-11-23 09:00", unit="east")
    assert desk.does(kind, "2026-11-23 10:00", Change("claim", 0, fields)) == ["clock.cancelled"]
    assert (desk.clock.warn_at, next_change(desk.clock)) == (None, None)
    assert desk.sweeps("2026-11-30 10:00") == []


def test_case_20_what_broke_before_it_was_cancelled_stays_broken() -> None:
    desk = started(BASE, "2026-11-23 09:00")
    assert desk.does("claim.withdrawn", "2026-11-30 10:00") == ["clock.breached", "clock.cancelled"]
    assert desk.last("clock.breached").occurred_at == at("2026-11-24 10:00")


def test_case_21_the_customer_waits_again() -> None:
    waits = replace(BASE, code="waits", start=(Rule("claim.customer_wrote"),), fulfil=(Rule("claim.customer_told"),),
                    since="", again=True, limit=4)  # fmt: skip
    desk = Desk(waits, reported="2026-11-20 09:00")
    assert desk.does("claim.customer_wrote", "2026-11-23 09:00") == ["clock.started"]
    assert desk.does("claim.customer_wrote", "2026-11-23 10:00") == []  # they wait since the first letter
    assert desk.does("claim.customer_told", "2026-11-23 11:00") == ["clock.fulfilled"]
    assert desk.does("claim.customer_wrote", "2026-11-23 15:00") == ["clock.started"]
    assert (desk.clock.part, desk.clock.due_at) == (2, at("2026-11-24 10:30"))


@pytest.mark.norm("2.2.2")
def test_the_silence_alert_begins_anew_with_every_word_from_us() -> None:
    silence = replace(BASE, code="silence", start=(Rule("claim.reported"), Rule("notice.sent")), fulfil=(), since="",
                      restart=True, limit=3, unit="working_days")  # fmt: skip
    desk = started(silence, "2026-11-23 09:00")
    assert desk.clock.due_at == at("2026-11-26 17:30")
    assert desk.does("notice.sent", "2026-11-25 09:00") == ["clock.started"]
    assert (len(desk.case.clocks), desk.clock.due_at) == (1, at("2026-11-30 17:30"))
    assert desk.sweeps("2026-12-01 09:00") == ["clock.breached"]
    # Speaking again does not undo that we were silent: the broken clock stays, a new one starts.
    assert desk.does("notice.sent", "2026-12-01 10:00") == ["clock.fulfilled", "clock.started"]
    assert desk.case.clocks[1].breached_at == at("2026-11-30 17:30")
    assert desk.clock.due_at == at("2026-12-04 17:30")
    desk.case = desk.case.after([Event("x.x", changes=(Change("claim", 0, {"state": "closed"}),))])
    assert desk.does("claim.closed", "2026-12-01 11:00") == ["clock.cancelled"]
    assert desk.does("notice.sent", "2026-12-01 12:00") == []  # nobody waits for news of a closed claim


def test_case_22_the_zone_of_who_writes_changes_nothing() -> None:
    here = started(BASE, "2026-11-23 09:00")
    away = Desk(BASE, reported="2026-11-23 09:00")
    away.case = away.case.after(
        [Event("x.x", changes=(Change("claim", 0, {"reported_at": at("2026-11-22 20:00", "America/New_York")}),))]
    )
    away.does("claim.reported", at("2026-11-22 17:00", "America/Los_Angeles"))
    assert here.clock.due_at == away.clock.due_at


def test_case_24_two_sweeps_and_a_late_one() -> None:
    promise = replace(BASE, limit=7, warnings=(Warn(percent=50), Warn(minutes_before=60, working=True)))
    desk = started(promise, "2026-11-23 09:00")
    assert desk.sweeps("2026-11-23 12:29") == []
    assert desk.sweeps("2026-11-23 14:00") == ["clock.warned"]
    assert desk.sweeps("2026-11-23 14:00") == []
    assert desk.clock.warn_at == at("2026-11-23 16:30")
    # An hour late: the second level and the breach, each once, the breach at its true time.
    assert desk.sweeps("2026-11-23 18:30") == ["clock.warned", "clock.breached"]
    assert desk.sweeps("2026-11-23 18:30") == []
    assert desk.last("clock.breached").occurred_at == at("2026-11-23 17:30")
    assert [e.facts["level"] for e in desk.journal if e.kind == "clock.warned"] == [1, 2]
    assert next_change(desk.clock) is None


def test_case_25_a_year_without_a_calendar() -> None:
    desk = started(replace(BASE, limit=16), "2026-12-31 09:00")
    assert (desk.clock.due_at, desk.clock.provisional) == (at("2027-01-04 11:00"), True)
    off = {date(2027, 1, 1): (), date(2027, 1, 4): ()}
    published = replace(CN, version=2, days={**CN.days, **off}, published=(CN.published or frozenset()) | {2027})
    desk.calendars = Calendars.of([published], [CN])
    assert desk.sweeps("2026-12-31 10:00") == ["clock.recomputed"]
    assert (desk.clock.due_at, desk.clock.provisional) == (at("2027-01-06 11:00"), False)
    facts = desk.last("clock.recomputed").facts
    assert (facts["provisional_before"], facts["provisional"], facts["reason"]) == (True, False, "calendar_changed")
    assert desk.journal[0].facts["provisional"] is True


def test_case_26_the_extended_date_is_shown_beside_the_one_we_keep() -> None:
    legal = replace(BASE, binds="law", limit=10, unit="calendar_days")
    desk = started(legal, "2026-09-25 10:00")
    assert (desk.clock.due_at, desk.clock.extended_due_at) == (at("2026-10-05 23:59:59"), at("2026-10-08 23:59:59"))
    assert desk.sweeps("2026-10-06 00:00") == ["clock.breached"]
    company = started(replace(legal, binds="company"), "2026-09-25 10:00")
    assert company.clock.extended_due_at is None
    unknown = started(legal, "2027-04-25 10:00")
    assert (unknown.clock.extended_due_at, unknown.clock.provisional) == (None, True)


def tell(desk: Desk, when: str) -> None:
    desk.does("claim.customer_told", when, *told(case=desk.case, promises=desk.promises))


@pytest.mark.norm("2.3.1")
def test_case_27_a_date_told_never_moves_to_a_later_one() -> None:
    desk = started(BASE, "2026-11-23 09:00")
    tell(desk, "2026-11-23 09:01")
    desk.swap(replace(BASE, version=2, limit=16))
    assert desk.recomputes("2026-11-23 10:00") == ["clock.recomputed"]
    assert desk.clock.due_at == at("2026-11-24 10:00") == desk.clock.told_due_at
    why = explain(clock=desk.clock, calendars=CALENDARS, now=at("2026-11-23 10:00"))
    assert (why.told_holds, why.counted_due_at) == (True, at("2026-11-25 11:00"))
    desk.calendars = with_holiday("2026-11-24")
    desk.recomputes("2026-11-23 11:00", "holiday_added")
    assert desk.clock.due_at == at("2026-11-24 10:00")
    desk.swap(replace(BASE, version=3, limit=4))
    desk.recomputes("2026-11-23 12:00")
    assert desk.clock.due_at == at("2026-11-23 14:30")  # a shorter one applies


def test_case_27_untold_it_may_move() -> None:
    desk = started(BASE, "2026-11-23 09:00")
    desk.swap(replace(BASE, version=2, limit=16))
    desk.recomputes("2026-11-23 10:00")
    assert desk.clock.due_at == at("2026-11-25 11:00")


def test_case_27_a_new_triage_keeps_what_was_told() -> None:
    simple = replace(BASE, code="simple", condition=Compare("lane", "eq", "simple"), start=(Rule("claim.triaged"),))
    complex_ = replace(simple, code="complex", limit=40, condition=Compare("lane", "eq", "complex"))
    desk = Desk(simple, complex_, reported="2026-11-23 09:00", lane="simple")
    assert desk.does("claim.triaged", "2026-11-23 09:00") == ["clock.started"]
    tell(desk, "2026-11-23 09:01")
    desk.does("claim.triaged", "2026-11-23 11:00", Change("claim", 0, {"lane": "complex"}))
    assert [(c.promise, c.state) for c in desk.case.clocks.values()] == [("simple", "running"), ("complex", "running")]
    assert desk.case.clocks[1].due_at == at("2026-11-24 10:00")
    # Never told: the complex one ends when the claim turns out to be simple after all.
    desk.does("claim.triaged", "2026-11-23 12:00", Change("claim", 0, {"lane": "simple"}))
    assert [(c.promise, c.state) for c in desk.case.clocks.values()] == [
        ("simple", "running"),
        ("complex", "cancelled"),
    ]


def test_case_27_the_customer_s_own_pause_moves_a_date_told() -> None:
    desk = started(replace(BASE, **PAPERS), "2026-11-20 14:00")
    tell(desk, "2026-11-20 14:01")
    desk.asks_papers("2026-11-20 16:00")
    desk.gets_papers("2026-11-23 10:00")
    assert desk.clock.due_at == at("2026-11-23 17:30")
    desk.swap(replace(BASE, version=2, limit=80, **PAPERS))
    desk.recomputes("2026-11-23 11:00")
    assert desk.clock.due_at == at("2026-11-23 17:30")  # what was told, plus the pause, and not a minute more


def test_case_27_a_promise_switched_off_is_kept_where_it_was_told() -> None:
    for is_told, state in ((True, "running"), (False, "cancelled")):
        desk = started(BASE, "2026-11-23 09:00")
        if is_told:
            tell(desk, "2026-11-23 09:01")
        desk.swap(replace(BASE, version=2, enabled=False))
        desk.recomputes("2026-11-23 10:00")
        assert desk.clock.state == state


@pytest.mark.norm("2.2.1")
def test_case_28_the_24_hours_run_from_the_report() -> None:
    opinion = replace(BASE, limit=24, unit="elapsed_hours", start=(Rule("claim.triaged"),))
    desk = Desk(opinion, reported="2026-11-21 23:00")
    desk.does("claim.triaged", "2026-11-23 09:05")
    assert desk.clock.due_at == at("2026-11-22 23:00")
    assert desk.last("clock.started").occurred_at == at("2026-11-21 23:00")
    assert desk.sweeps("2026-11-23 09:06") == ["clock.breached"]


def test_an_event_of_one_exposure_moves_that_exposure_s_clock_alone() -> None:
    notice = replace(
        BASE, code="refusal_notice", binds="law", limit=3, unit="calendar_days", scope="exposure", since="",
        start=(Rule("exposure.refused"),), ends_with_claim=False,
        fulfil=(Rule("notice.sent", facts={"letter": ("refusal",)}),),
    )  # fmt: skip
    desk = Desk(notice, reported="2026-11-23 09:00")
    for part in (1, 2):
        change = Change("exposure", part, {"state": "refused"})
        assert desk.does("exposure.refused", "2026-11-23 10:00", change, part=part) == ["clock.started"]
    desk.does("claim.closed", "2026-11-23 10:01", Change("claim", 0, {"state": "closed"}))
    assert desk.does("notice.sent", "2026-11-23 11:00", letter="receipt", exposure=2) == []
    assert desk.does("notice.sent", "2026-11-23 11:00", letter="refusal", exposure=2) == ["clock.fulfilled"]
    assert [c.state for c in desk.case.clocks.values()] == ["running", "fulfilled"]


def test_a_started_clock_starts_once() -> None:
    promise = replace(BASE, start=(Rule("claim.reported"), Rule("claim.triaged")))
    desk = started(promise, "2026-11-23 09:00")
    assert desk.does("claim.triaged", "2026-11-23 09:00") == []
    desk.does("claim.opinion_given", "2026-11-23 09:30")
    assert desk.does("claim.triaged", "2026-11-23 10:00") == []


def test_a_hint_that_disagrees_with_the_rule_is_put_right_before_anybody_acts_on_it() -> None:
    desk = started(BASE, "2026-11-23 09:00")
    wrong = Change("clock", 1, {"due_at": at("2026-11-23 09:01")})
    desk.case = desk.case.after([Event("x.x", changes=(wrong,))])
    assert disagrees(clock=desk.clock, calendars=CALENDARS)
    assert desk.sweeps("2026-11-23 10:00") == ["clock.recomputed"]
    assert desk.last("clock.recomputed").facts["reason"] == "hint_wrong"
    assert desk.clock.due_at == at("2026-11-24 10:00")


def test_a_new_calendar_version_that_changes_nothing_is_no_news() -> None:
    desk = started(BASE, "2026-11-23 09:00")
    desk.calendars = with_holiday("2026-12-24")
    assert desk.sweeps("2026-11-23 10:00") == []


def test_a_calendar_of_seven_days_keeps_its_own_hours() -> None:
    always = Calendar("cn", 1, "Asia/Shanghai", (((0, 1440),),) * 7, published=None)
    desk = Desk(
        replace(BASE, limit=1, unit="working_days"), reported="2026-11-20 10:00", calendars=Calendars.of([always])
    )
    desk.does("claim.reported", "2026-11-20 10:00")
    assert desk.clock.due_at == at("2026-11-21 23:59:59")


@pytest.mark.parametrize(
    ("paused", "resumed", "due"),
    [
        ("2026-11-25 10:00", "2026-11-27 10:00", "2026-12-01 17:30"),  # two working days
        ("2026-11-27 10:00", "2026-11-29 10:00", "2026-11-30 17:30"),  # the last day's rest and a weekend
        ("2026-11-27 18:00", "2026-12-04 10:00", "2026-11-27 17:30"),  # after the time was up: broken
        ("2026-11-24 17:30", "2026-11-25 09:00", "2026-11-27 17:30"),  # a night: no working time between (case 7)
        ("2026-11-24 08:00", "2026-11-24 18:00", "2026-11-30 17:30"),  # one whole working day
    ],
)
def test_working_days_are_pushed_by_the_days_of_a_pause(paused: str, resumed: str, due: str) -> None:
    desk = started(replace(BASE, limit=5, unit="working_days", **PAPERS), "2026-11-20 10:00")
    assert desk.clock.due_at == at("2026-11-27 17:30")
    desk.asks_papers(paused)
    desk.gets_papers(resumed)
    assert desk.clock.due_at == at(due)
    assert (desk.clock.breached_at is not None) is (at(due) < at(paused))


@pytest.mark.norm("2.4.1")
def test_word_of_one_offer_keeps_the_promises_of_its_heads_only():
    of_head = replace(BASE, code="notice", scope="exposure", since="", start=(Rule("exposure.refused"),),
                      fulfil=(Rule("notice.sent", (), {"letter": ("settlement",)}),))  # fmt: skip
    case = Case(
        id=1,
        parts={
            "claim": {0: Claim(reported_at=at("2026-11-23 09:00"))},
            "exposure": {n: Exposure(n) for n in (1, 2, 3)},
        },
    )
    refused = [Event("exposure.refused", n) for n in (1, 2, 3)]
    said = Event("notice.sent", 0, {"letter": "settlement", "exposures": (1, 3)})
    ticks = react(
        case=case, events=(*refused, said), promises=book(of_head), calendars=CALENDARS, now=at("2026-11-23 10:00")
    )
    assert [t.facts["exposure"] for t in ticks if t.kind == "clock.fulfilled"] == [1, 3]


# --- more of each: what a late beginning, a closed claim and the bank do to a clock ---

ANSWER = replace(BASE, code="answer", limit=5, unit="working_days", start=(Rule("claim.triaged"),), on_reopen="new",
                 condition=Compare("lane", "eq", "complex"), **PAPERS)  # fmt: skip
PAY = replace(ANSWER, code="pay", limit=3, unit="calendar_days", condition=Compare("lane", "eq", "simple"))


def reopens(desk: Desk, when: str, **claim: Any) -> list[str]:
    return desk.does(
        "claim.reopened", when, Change("claim", 0, {"state": "investigating", "reopened_at": at(when), **claim})
    )


def closes(desk: Desk, when: str) -> list[str]:
    return desk.does("claim.closed", when, Change("claim", 0, {"state": "closed"}))


def test_case_17_a_promise_first_made_after_reopening_runs_from_the_reopening() -> None:
    desk = Desk(PAY, ANSWER, reported="2026-11-02 09:00", lane="simple")
    desk.does("claim.triaged", "2026-11-02 09:00")
    closes(desk, "2026-11-03 09:00")
    assert reopens(desk, "2026-11-23 09:00") == ["clock.started"]
    desk.does("claim.triaged", "2026-11-23 10:00", Change("claim", 0, {"lane": "complex"}))
    assert (desk.clock.promise, desk.clock.started_at) == ("answer", at("2026-11-23 09:00"))
    assert (desk.clock.due_at, desk.clock.breached_at) == (at("2026-11-30 17:30"), None)


@pytest.mark.parametrize(("on_reopen", "starts"), [("again", 2), ("new", 2), ("", 1), ("resume", 1)])
def test_case_17_a_reopened_claim_that_is_agreed_once_more(on_reopen: str, starts: int) -> None:
    """``again``: the ten days run from each agreement; a claim that stays closed has none of it."""
    pays = replace(BASE, code="pays", since="", start=(Rule("offer.agreed"),), fulfil=(Rule("exposure.settled"),),
                   limit=10, unit="calendar_days", on_reopen=on_reopen)  # fmt: skip
    desk = Desk(pays, reported="2026-11-02 09:00")
    assert desk.does("offer.agreed", "2026-11-02 10:00") == ["clock.started"]
    assert desk.does("exposure.settled", "2026-11-03 10:00") == ["clock.fulfilled"]
    assert desk.does("offer.agreed", "2026-11-03 11:00") == []  # once is once, while it stays open
    closes(desk, "2026-11-03 12:00")
    reopens(desk, "2026-11-23 09:00")
    desk.does("exposure.settled", "2026-11-23 10:00")
    desk.does("offer.agreed", "2026-11-24 10:00")
    begun = [e for e in desk.journal if e.kind == "clock.started"]
    assert len(begun) == starts
    if on_reopen == "again":
        assert desk.clock.due_at == at("2026-12-04 23:59:59")


def test_case_17_reopened_while_papers_are_still_to_come() -> None:
    # Two of eight hours were used before the papers were asked for; a new clock has all eight.
    for on_reopen, due in (("resume", "2026-11-26 16:30"), ("new", "2026-11-27 10:00")):
        desk = started(replace(BASE, on_reopen=on_reopen, **PAPERS), "2026-11-20 14:00")
        desk.asks_papers("2026-11-20 16:00")
        desk.does("claim.withdrawn", "2026-11-23 10:00", Change("claim", 0, {"state": "withdrawn"}))
        reopens(desk, "2026-11-24 09:00", papers_requested_at=at("2026-11-20 16:00"))
        assert desk.clock.state == "paused"
        assert desk.sweeps("2026-11-26 08:00") == []
        desk.gets_papers("2026-11-26 09:00")
        assert (desk.clock.due_at, desk.clock.breached_at) == (at(due), None)


def test_case_27_a_new_triage_while_the_customer_supplies_papers_breaks_nothing() -> None:
    desk = Desk(ANSWER, PAY, reported="2026-11-23 09:00", lane="complex")
    desk.does("claim.triaged", "2026-11-23 09:00")
    desk.asks_papers("2026-11-23 11:00")
    desk.does("claim.triaged", "2026-11-30 11:00", Change("claim", 0, {"lane": "simple"}))
    assert (desk.clock.promise, desk.clock.state) == ("pay", "paused")
    assert desk.clock.pauses == ((at("2026-11-23 11:00"), None),)
    assert desk.sweeps("2026-11-30 12:00") == []
    desk.gets_papers("2026-12-01 10:00")
    assert desk.clock.due_at == at("2026-12-04 23:59:59")  # three days, and eight that were the customer's
    # Triaged after the papers came: what was waited for is taken off all the same.
    desk.does("claim.triaged", "2026-12-01 11:00", Change("claim", 0, {"lane": "complex"}))
    assert (desk.clock.promise, desk.clock.state) == ("answer", "running")
    assert desk.clock.pauses == ((at("2026-11-23 11:00"), at("2026-12-01 10:00")),)
    assert desk.clock.due_at == at("2026-12-08 17:30")


def test_papers_of_a_head_of_loss_that_has_ended_hold_up_nothing() -> None:
    ended = replace(ANSWER, start=(Rule("claim.reported"),), condition=ALWAYS,
                    resume=(*PAPERS["resume"], Rule("exposure.refused", ("papers_complete",))))  # fmt: skip
    desk = Desk(ended, reported="2026-11-23 09:00")
    heads = [Change("exposure", n, {"state": "open"}) for n in (1, 2)]
    desk.does("claim.reported", "2026-11-23 09:00", *heads)
    asked = [Change("paper", 1, {"state": "requested", "exposure": 2}), Change("claim", 0, {"papers_requests": 1})]
    assert desk.does("claim.papers_requested", "2026-11-23 10:00", *asked) == ["clock.paused"]
    refused = Change("exposure", 2, {"state": "refused"})
    assert desk.does("exposure.refused", "2026-11-25 10:00", refused, part=2) == ["clock.resumed"]
    assert desk.clock.due_at == at("2026-12-02 17:30")


def test_what_is_decided_without_a_paper_waits_for_it_no_more() -> None:
    """Else a promise would stand still for ever, and nobody could break it."""
    answer = replace(ANSWER, start=(Rule("claim.reported"),), condition=ALWAYS, fulfil=(Rule("claim.closed"),),
                     resume=(*PAPERS["resume"], Rule("exposure.decision_approved", ("papers_complete",))))  # fmt: skip
    desk = Desk(answer, reported="2026-11-23 09:00")
    desk.does("claim.reported", "2026-11-23 09:00", *(Change("exposure", n, {"state": "open"}) for n in (1, 2)))
    assert desk.asks_papers("2026-11-23 10:00") == ["clock.paused"]
    first, second = (Change("exposure", n, {"state": "approved"}) for n in (1, 2))
    assert desk.does("exposure.decision_approved", "2026-11-24 10:00", first, part=1) == [], "the other still waits"
    assert desk.does("exposure.decision_approved", "2026-11-25 10:00", second, part=2) == ["clock.resumed"]
    assert papers.awaited(desk.case) == ()


def test_what_the_bank_gives_back_was_not_paid() -> None:
    pays = replace(BASE, code="pays", since="", start=(Rule("offer.agreed"),), fulfil=(Rule("exposure.settled"),),
                   undo=(Rule("payment.given_back"),), limit=10, unit="calendar_days")  # fmt: skip
    desk = Desk(pays, reported="2026-11-02 09:00")
    desk.does("offer.agreed", "2026-11-02 10:00")
    desk.does("exposure.settled", "2026-11-05 10:00")
    assert desk.does("payment.given_back", "2026-11-06 10:00") == ["clock.resumed"]
    assert (desk.clock.due_at, desk.clock.ended_at) == (at("2026-11-12 23:59:59"), None)
    assert desk.does("payment.given_back", "2026-11-06 11:00") == []  # it runs already
    assert desk.does("exposure.settled", "2026-11-13 10:00") == ["clock.breached", "clock.fulfilled"]


def test_what_its_own_rule_has_cancelled_is_not_begun_by_the_next_triage() -> None:
    asks = replace(BASE, code="asks", start=(Rule("claim.triaged"),), cancel=(Rule("exposure.assessed"),))
    desk = Desk(asks, reported="2026-11-23 09:00")
    desk.does("claim.triaged", "2026-11-23 09:00")
    assert desk.does("exposure.assessed", "2026-11-23 10:00") == ["clock.cancelled"]
    assert desk.does("claim.triaged", "2026-11-23 10:00") == []


def test_a_head_of_loss_that_is_added_later_has_its_own_beginning() -> None:
    added = Rule("exposure.added", from_event=True)
    lists = replace(BASE, code="lists", scope="exposure", limit=1, unit="calendar_days", start=(*BASE.start, added))
    desk = Desk(lists, reported="2026-11-20 09:00")
    desk.does("claim.reported", "2026-11-21 09:00", Change("exposure", 1, {"state": "open"}))
    desk.does("exposure.added", "2026-11-27 09:00", Change("exposure", 2, {"state": "open"}), part=2)
    assert [c.due_at for c in desk.case.clocks.values()] == [at("2026-11-21 23:59:59"), at("2026-11-28 23:59:59")]


@pytest.mark.parametrize(
    ("unit", "limit", "begins", "due"),
    [
        # Paused Fri 20:00 - Mon 08:00: the weekend belongs to nobody's working time, but to everybody's hours and dates.
        ("elapsed_hours", 72, "2026-11-20 14:00", "2026-11-26 02:00"),
        ("working_hours", 8, "2026-11-20 14:00", "2026-11-23 15:00"),
        ("working_days", 2, "2026-11-20 14:00", "2026-11-24 17:30"),
        ("calendar_days", 3, "2026-11-20 14:00", "2026-11-26 23:59:59"),
        ("weeks", 1, "2026-11-20 14:00", "2026-11-30 23:59:59"),
        ("months", 1, "2026-11-20 14:00", "2026-12-23 23:59:59"),
    ],
)
def test_a_pause_over_a_weekend_in_every_unit(unit: str, limit: int, begins: str, due: str) -> None:
    desk = started(replace(BASE, limit=limit, unit=unit, **PAPERS), begins)
    desk.asks_papers("2026-11-20 20:00")
    desk.gets_papers("2026-11-23 08:00")
    assert desk.clock.due_at == at(due)


@pytest.mark.parametrize("unit", UNITS)
def test_what_was_paused_before_the_start_counts_for_nothing(unit: str) -> None:
    start, before, after = at("2026-11-23 10:00"), at("2026-11-18 10:00"), at("2026-11-26 10:00")
    assert count(CN, start, 2, unit, [(before, start)]) == count(CN, start, 2, unit, ())
    assert count(CN, start, 2, unit, [(before, after)]) == count(CN, start, 2, unit, [(start, after)])


def test_a_pause_over_a_holiday_only_moves_no_working_day() -> None:
    pause = (at("2026-09-30 17:30"), at("2026-10-08 09:00"))
    assert count(CN, at("2026-09-29 10:00"), 3, "working_days", [pause]) == at("2026-10-09 17:30")


@pytest.mark.parametrize(
    ("resumed", "due"),
    [
        ("2026-02-13 17:00", "2026-02-14 10:00"),
        ("2026-02-14 12:00", "2026-02-14 15:00"),
        ("2026-02-16 10:00", "2026-02-24 10:30"),
    ],
)
def test_a_pause_over_spring_festival_and_its_make_up_saturday(resumed: str, due: str) -> None:
    """Two hours from Friday 15:30, half an hour used; the Saturday is worked, then nine days are off."""
    desk = started(replace(BASE, limit=2, **PAPERS), "2026-02-13 15:30")
    desk.asks_papers("2026-02-13 16:00")
    desk.gets_papers(resumed)
    assert desk.clock.due_at == at(due)


def test_a_half_day_closes_at_its_own_hour() -> None:
    half = replace(CN, version=2, days={**CN.days, date(2026, 12, 24): ((9 * 60, 12 * 60),)})
    calendars = Calendars.of([half], [CN])
    for limit, unit, due in ((4, "working_hours", "2026-12-25 10:00"), (1, "working_days", "2026-12-24 12:00")):
        desk = Desk(replace(BASE, limit=limit, unit=unit), reported="2026-12-23 17:30", calendars=calendars)
        desk.does("claim.reported", "2026-12-23 17:30")
        assert desk.clock.due_at == at(due)


def test_a_promise_that_was_broken_stays_broken_whatever_is_edited() -> None:
    desk = started(replace(BASE, limit=4), "2026-11-23 09:00")
    desk.sweeps("2026-11-23 15:00")
    for version, limit in ((2, 40), (3, 1)):
        desk.swap(replace(BASE, version=version, limit=limit))
        desk.recomputes("2026-11-23 16:00")
        assert desk.clock.breached_at == at("2026-11-23 14:30")
    assert len([e for e in desk.journal if e.kind == "clock.breached"]) == 1


def test_a_fulfilled_promise_is_not_edited() -> None:
    desk = started(replace(BASE, limit=4), "2026-11-23 09:00")
    desk.does("claim.opinion_given", "2026-11-23 10:00")
    before = desk.clock
    desk.swap(replace(BASE, version=2, limit=1))
    assert desk.recomputes("2026-11-23 16:00") == []
    assert desk.clock == before


def test_shortened_while_paused_after_more_than_the_new_limit_was_used() -> None:
    """Three of sixteen hours were used when it was paused; a limit of two was over an hour before the pause."""
    desk = started(replace(BASE, limit=16, **PAPERS), "2026-11-23 09:00")
    desk.asks_papers("2026-11-23 12:00")
    desk.swap(replace(BASE, version=2, limit=2, **PAPERS))
    assert desk.recomputes("2026-11-24 10:00") == ["clock.recomputed", "clock.breached"]
    assert desk.clock.breached_at == at("2026-11-23 11:00")


def test_a_date_told_and_then_a_lengthening_a_holiday_and_a_pause() -> None:
    desk = started(replace(BASE, limit=5, unit="working_days", **PAPERS), "2026-11-20 10:00")
    tell(desk, "2026-11-20 10:01")
    desk.swap(replace(BASE, version=2, limit=8, unit="working_days", **PAPERS))
    desk.recomputes("2026-11-23 09:00")
    desk.calendars = with_holiday("2026-11-25")
    desk.recomputes("2026-11-23 10:00", "holiday_added")
    assert desk.clock.due_at == at("2026-11-27 17:30") == desk.clock.told_due_at
    desk.asks_papers("2026-11-24 10:00")
    desk.gets_papers("2026-11-26 10:00")
    assert desk.clock.due_at == at("2026-11-30 17:30")  # one working day of theirs: the 25th is a holiday now
    tell(desk, "2026-11-26 10:01")
    desk.swap(replace(BASE, version=3, limit=20, unit="working_days", **PAPERS))
    desk.recomputes("2026-11-27 09:00")
    assert desk.clock.due_at == at("2026-11-30 17:30")


def test_the_year_that_is_not_published_is_named() -> None:
    legal = replace(BASE, binds="law", limit=10, unit="calendar_days")
    for reported, year in (("2026-12-25 10:00", 2027), ("2027-04-25 10:00", 2027)):
        desk = started(legal, reported)
        why = explain(clock=desk.clock, calendars=CALENDARS, now=at(reported))
        assert (why.provisional, why.provisional_year) == (True, year)
    assert (
        explain(
            clock=started(legal, "2026-11-25 10:00").clock, calendars=CALENDARS, now=at("2026-11-25 10:00")
        ).provisional_year
        is None
    )
