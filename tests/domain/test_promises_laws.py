"""Laws that hold for every clock, whatever happens to it: limits, pauses, sweeps and edits at random."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lipei.norms
from lipei.domain.calendars import Calendars
from lipei.domain.claims import Case, Claim
from lipei.domain.events import Change, Event
from lipei.domain.promises import (
    Promise,
    Promises,
    Rule,
    Warn,
    count,
    disagrees,
    react,
    recompute,
    sweep,
    told,
)
from lipei.norms import yaml_texts
from lipei.norms.calendars import parse

DEFAULTS = Path(lipei.norms.__file__).parent / "defaults"
CALENDARS: Calendars = parse(yaml_texts.load((DEFAULTS / "calendars.yaml").read_text(encoding="utf-8")))
CN = CALENDARS.current["cn"]
SHANGHAI = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 9, 20, 9, 0, tzinfo=SHANGHAI)

moments = st.integers(0, 60 * 24 * 60).map(lambda n: START + timedelta(minutes=n))
measured = st.sampled_from(["elapsed_minutes", "working_minutes"])
every_unit = st.sampled_from(["elapsed_minutes", "working_minutes", "working_hours", "calendar_days", "working_days"])
fast = settings(deadline=None, max_examples=80)


def closed_pauses(instants: Sequence[datetime]) -> tuple[tuple[datetime, datetime], ...]:
    ordered = sorted(instants)
    return tuple(zip(ordered[::2], ordered[1::2], strict=False))


pauses = st.lists(moments, max_size=6).map(closed_pauses)


@fast
@given(moments, st.integers(1, 5_000), measured, pauses)
def test_a_pause_of_length_zero_changes_nothing(start: datetime, limit: int, unit: str, own: Any) -> None:
    own = tuple((a, b) for a, b in own if a >= start)
    due = count(CN, start, limit, unit, own)
    for begin, end in own:
        for nothing in ((begin, begin), (end, end)):
            assert count(CN, start, limit, unit, tuple(sorted((*own, nothing)))) == due


@fast
@given(moments, st.integers(1, 5_000), measured, pauses)
def test_the_time_that_counts_is_the_limit(start: datetime, limit: int, unit: str, own: Any) -> None:
    own = tuple((a, b) for a, b in own if a >= start)
    due = count(CN, start, limit, unit, own)
    assert due is not None

    def length(a: datetime, b: datetime) -> int:
        return CN.between(a, b) if unit == "working_minutes" else int((b - a) / timedelta(minutes=1))

    assert length(start, due) - sum(length(a, min(b, due)) for a, b in own if a < due) == limit


@fast
@given(moments, st.integers(1, 200), st.integers(1, 200), every_unit, pauses)
def test_a_longer_limit_is_never_due_earlier(start: datetime, n: int, m: int, unit: str, own: Any) -> None:
    n, m = sorted((n, m))
    own = tuple((a, b) for a, b in own if a >= start)
    shorter, longer = count(CN, start, n, unit, own), count(CN, start, m, unit, own)
    assert shorter is not None and longer is not None and shorter <= longer


@fast
@given(moments, st.integers(1, 200), every_unit, pauses)
def test_a_pause_never_makes_it_earlier_nor_breaks_it(start: datetime, limit: int, unit: str, own: Any) -> None:
    own = tuple((a, b) for a, b in own if a >= start)
    without, due = count(CN, start, limit, unit, ()), count(CN, start, limit, unit, own)
    assert without is not None and due is not None and due >= without
    # Whoever resumes in time is not late at that very instant.
    assert all(due >= b or due <= a for a, b in own)


BASE = Promise(
    code="p", version=1, binds="law", limit=3, unit="working_days", calendar="cn", since="reported_at",
    start=(Rule("claim.reported"),), fulfil=(Rule("claim.opinion_given"),),
    pause=(Rule("claim.papers_requested"),), resume=(Rule("paper.received"),), on_reopen="resume",
    warnings=(Warn(percent=50), Warn(minutes_before=120, working=True)), told_to_customer=True,
)  # fmt: skip
KINDS = ["claim.papers_requested", "paper.received", "claim.opinion_given", "claim.customer_told", "sweep", "edit",
         "claim.reopened"]  # fmt: skip


class History:
    """A claim to which things happen in random order, with every clock event kept."""

    def __init__(self, promise: Promise) -> None:
        self.promise, self.now, self.journal = promise, START, list[Event]()
        self.promises = Promises.of([promise])
        self.case = Case(1, parts={"claim": {0: Claim(reported_at=START, state="investigating")}})
        self.origin = self.case
        self._react(Event("claim.reported"))

    def _react(self, event: Event) -> None:
        self._keep([event])
        args: dict[str, Any] = {"promises": self.promises, "calendars": CALENDARS, "now": self.now}
        self._keep(react(case=self.case, events=[event], **args))

    def _keep(self, events: Sequence[Event]) -> None:
        self.case = self.case.after(events)
        self.journal.extend(events)

    def step(self, kind: str, minutes: int, limit: int, unit: str) -> None:
        self.now += timedelta(minutes=minutes)
        args: dict[str, Any] = {"promises": self.promises, "calendars": CALENDARS, "now": self.now}
        if kind == "sweep":
            self._keep(sweep(case=self.case, **args))
            assert sweep(case=self.case, **args) == ()
        elif kind == "edit":
            self.promise = replace(self.promise, version=self.promise.version + 1, limit=limit, unit=unit)
            self.promises = Promises.of([self.promise], self.promises.history.values())
            args["promises"] = self.promises
            self._keep(recompute(case=self.case, reason="edited", **args))
            assert recompute(case=self.case, reason="edited", **args) == ()
        elif kind == "claim.customer_told":
            self._react(Event(kind, changes=told(case=self.case, promises=self.promises)))
        else:
            self._react(Event(kind))


steps = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 3_000), st.integers(1, 30), every_unit), min_size=1, max_size=12
)


@pytest.mark.norm("2.3.1")
@settings(deadline=None, max_examples=150)
@given(steps)
def test_whatever_happens_a_clock_agrees_with_its_rule_and_its_journal(story: Any) -> None:
    history = History(BASE)
    for kind, minutes, limit, unit in story:
        before = history.case.clocks[1]
        history.step(kind, minutes, limit, unit)
        clock = history.case.clocks[1]
        assert not disagrees(clock=clock, calendars=CALENDARS)
        assert history.origin.after(history.journal).parts == history.case.parts
        _a_date_told_stays(kind, before, clock)
        if before.breached_at is not None:
            assert clock.breached_at == before.breached_at  # what broke stays broken, at the instant it broke
    breaches = [e for e in history.journal if e.kind == "clock.breached"]
    assert len(breaches) <= 1
    assert all(e.occurred_at is not None and e.occurred_at < history.now for e in breaches)
    levels = [e.facts["level"] for e in history.journal if e.kind == "clock.warned"]
    assert levels == sorted(set(levels))


def _a_date_told_stays(kind: str, before: Any, after: Any) -> None:
    if kind == "edit" and before.told_due_at is not None and before.due_at is not None and after.due_at is not None:
        assert after.due_at <= before.due_at or after.due_at <= before.told_due_at or _pushed(before)


def _pushed(clock: Any) -> bool:
    """Whether the customer's own pauses have moved the date since it was told."""
    return len(clock.pauses) > clock.told_pauses


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 20_000), st.lists(st.integers(0, 20_000), min_size=1, max_size=5))
def test_however_sweeps_come_the_breach_is_the_same(end: int, sweeps: list[int]) -> None:
    once, often = History(BASE), History(BASE)
    last = max(end, *sweeps)
    for minutes in sorted(sweeps):
        often.now = START + timedelta(minutes=minutes)
        often.step("sweep", 0, 1, "elapsed_minutes")
    for history in (once, often):
        history.now = START + timedelta(minutes=last)
        history.step("sweep", 0, 1, "elapsed_minutes")
    assert once.case.clocks[1] == often.case.clocks[1]


def test_a_change_of_a_clock_carries_only_what_changed() -> None:
    history = History(BASE)
    history.step("claim.papers_requested", 10, 1, "elapsed_minutes")
    (change,) = history.journal[-1].changes
    assert isinstance(change, Change)
    assert set(change.fields) == {"state", "pauses", "due_at", "warn_at"}


@fast
@given(moments, st.integers(1, 200), every_unit, st.integers(1, 5_000))
def test_a_pause_that_begins_when_the_time_is_up_changes_nothing(
    start: datetime, limit: int, unit: str, minutes: int
) -> None:
    due = count(CN, start, limit, unit, ())
    assert due is not None
    for begin in (due, due + timedelta(seconds=1)):
        assert count(CN, start, limit, unit, ((begin, begin + timedelta(minutes=minutes)),)) == due
        assert count(CN, start, limit, unit, ((begin, None),)) == due
    just_before = count(CN, start, limit, unit, ((due - timedelta(seconds=1), None),))
    assert just_before is None
