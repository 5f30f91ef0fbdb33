"""What events do to the clocks of a claim: `react` is asked on every write, with the case as it is after the events.

It walks through the events once, in their order, and keeps the clocks as they then stand. Starting looks at promises by
the kind of the event; everything else looks only at the clocks that are open. A clock that ends late was broken at its
due instant, whenever that is noticed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from lipei.domain.calendars import Calendars
from lipei.domain.claims import Case, Clock
from lipei.domain.events import Change, Event
from lipei.domain.promises.clocks import (
    CANCELLED,
    FULFILLED,
    OPEN,
    PAUSED,
    RUNNING,
    change,
    close_pauses,
    due_time,
    scheduled,
)
from lipei.domain.promises.definitions import ENDED, Promise, Promises, Rule, fires

CORRECTED = "claim.corrected"
"""Moves the clocks that run from the loss."""


def react(
    *, case: Case, events: Iterable[Event], promises: Promises, calendars: Calendars, now: datetime
) -> tuple[Event, ...]:
    """The clock events that follow from these events (norm 2.2.1, 2.3.1). ``case`` is the case after them."""
    relevant = [event for event in events if event.kind in promises.kinds or event.kind == CORRECTED]
    desk = Desk(case, promises, calendars, now)
    for event in relevant:
        desk.take(event)
    desk.end_what_no_longer_applies()
    return tuple(desk.events)


def fact_sheet(clock: Clock, **more: Any) -> dict[str, Any]:
    """What every clock event tells: which promise, whom it binds, and when it is due."""
    return {
        "promise": clock.promise,
        "binds": clock.binds,
        "exposure": clock.exposure,
        "due_at": clock.due_at,
        "provisional": clock.provisional,
        **more,
    }


class Desk:
    """The clocks of one claim while events are gone through, and the clock events so far."""

    def __init__(self, case: Case, promises: Promises, calendars: Calendars, now: datetime) -> None:
        self.case, self.promises, self.calendars, self.now = case, promises, calendars, now
        self.clocks: dict[int, Clock] = dict(case.clocks)
        self.events: list[Event] = []

    def open_clocks(self) -> list[Clock]:
        """The clocks that run or are paused, as they stand now."""
        return [clock for clock in self.clocks.values() if clock.state in OPEN]

    def calendar_version(self, code: str, known: int) -> int:
        """The version of a calendar in force; the one known where the calendar itself is gone."""
        calendar = self.calendars.current.get(code)
        return known if calendar is None else calendar.version

    def put(self, kind: str, clock: Clock, *, at: datetime | None = None, **facts: Any) -> Clock:
        """Keep a clock's new state and tell of it."""
        before = self.clocks.get(clock.part)
        self.clocks[clock.part] = clock
        changes: tuple[Change, ...] = (change(before, clock),)
        self.events.append(Event(kind, clock.part, fact_sheet(clock, **facts), changes, at))
        return clock

    # --- one event ---

    def take(self, event: Event) -> None:
        """What one event does: first to the clocks that are open, then which clocks it starts."""
        at = event.occurred_at or self.now
        touched = exposures_of(self.case, event)
        may_end = event.kind in self.promises.ending or event.kind in self.promises.voiding
        for clock in self.open_clocks():
            promise = self.promises.of_clock(clock)
            if not may_end and event.kind not in promise.moved_by:
                continue
            if not clock.exposure or touched is None or clock.exposure in touched:
                self._move(clock, promise, event, at)
        if event.kind == "claim.reopened":
            self._reopen(at)
        if event.kind == CORRECTED and "loss_at" in event.facts["fields"]:
            self._begin_since_loss()
        for promise, rule in self.promises.started_by.get(event.kind, ()):
            if promise.ends_with_claim and self.case.claim.state in ENDED:
                continue
            for exposure in self._scope(promise, touched):
                if rule.fires(event, self.case, exposure) and promise.applies(self.case, exposure):
                    self._start(promise, exposure, at, rule)
        for promise, rule in self.promises.undone_by.get(event.kind, ()):
            for exposure in self._scope(promise, touched):
                if rule.fires(event, self.case, exposure):
                    self._undo(promise, exposure, event.kind)

    def _scope(self, promise: Promise, touched: Sequence[int] | None) -> Sequence[int]:
        if promise.scope == "claim":
            return (0,)
        return tuple(self.case.exposures) if touched is None else touched

    def _move(self, clock: Clock, promise: Promise, event: Event, at: datetime) -> None:
        if clock.started_at is not None and at < clock.started_at:
            at = clock.started_at
        if fires(promise.cancel, event, self.case, clock.exposure):
            self.cancel(clock, at, event.kind)
        elif fires(promise.fulfil, event, self.case, clock.exposure):
            self._end(clock, FULFILLED, at, event.kind)
        elif event.kind in self.promises.voiding or (promise.ends_with_claim and event.kind in self.promises.ending):
            self.cancel(clock, at, event.kind)
        elif clock.state == RUNNING and fires(promise.pause, event, self.case, clock.exposure):
            self._pause(clock, promise, at, event.kind)
        elif clock.state == PAUSED and fires(promise.resume, event, self.case, clock.exposure):
            self.resume(clock, promise, at, event.kind)

    # --- what may happen to a clock ---

    def _start(self, promise: Promise, exposure: int, at: datetime, rule: Rule) -> None:
        last = self._last(promise.code, exposure)
        if last is not None and last.state in OPEN:
            if promise.restart:
                self._restart(last, promise, at)
        elif last is None or promise.again or promise.restart or self._may_start_once_more(last, promise):
            self._begin_at(promise, exposure, at if rule.from_event else self._since(promise, at))

    def _may_start_once_more(self, last: Clock, promise: Promise) -> bool:
        """Whether a promise that had its clock has another: after it had stopped to apply, or in a reopened claim."""
        reopened_at = self.case.claim.reopened_at
        if reopened_at is not None and last.ended_at is not None and last.ended_at <= reopened_at:
            return promise.on_reopen in ("new", "again")
        return last.state == CANCELLED and not self._ended_for_good(last, promise)

    def _ended_for_good(self, last: Clock, promise: Promise) -> bool:
        """Whether what cancelled a clock still holds: one that ended for want of papers may begin once they are here."""
        return any(rule.event == last.reason and rule.holds(self.case, last.exposure) for rule in promise.cancel)

    def _since(self, promise: Promise, at: datetime) -> datetime:
        """From when a clock runs that an event starts."""
        since: datetime | None = getattr(self.case.claim, promise.since) if promise.since else None
        if since is not None and self.case.claim.reopened_at is not None:
            since = max(since, self.case.claim.reopened_at)
        return since or at

    def _begin_since_loss(self) -> None:
        """Open clocks that run from the loss run from where it is known now to have happened."""
        for clock in self.open_clocks():
            promise = self.promises.of_clock(clock)
            if promise.since != "loss_at" or clock.started_at is None or any(rule.from_event for rule in promise.start):
                continue
            began = self._since(promise, clock.started_at)
            if began != clock.started_at:
                pauses = tuple((max(a, began), b) for a, b in clock.pauses if b is None or b > began)
                moved = scheduled(replace(clock, started_at=began, pauses=pauses), promise, self.calendars)
                self.recompute(clock, moved, CORRECTED)

    def recompute(self, clock: Clock, new: Clock, reason: str) -> None:
        """Put an open clock on another due time; one that is past breaks now."""
        self.put(
            "clock.recomputed",
            replace(new, reason=reason),
            reason=reason,
            due_before=clock.due_at,
            limit=new.limit,
            limit_before=clock.limit,
            unit=new.unit,
            calendar=new.calendar,
            calendar_version=new.calendar_version,
            promise_version=new.promise_version,
            provisional_before=clock.provisional,
            told_due_at=new.told_due_at,
        )
        self.note_breach(self.clocks[clock.part], self.now, reason=reason)

    def _begin_at(self, promise: Promise, exposure: int, started_at: datetime) -> None:
        pauses = self._pauses_since(promise, exposure, started_at)
        clock = Clock(
            part=max(self.clocks, default=0) + 1,
            promise=promise.code,
            promise_version=promise.version,
            calendar=promise.calendar,
            calendar_version=self.calendars.current[promise.calendar].version,
            binds=promise.binds,
            exposure=exposure,
            started_at=started_at,
            limit=promise.limit,
            unit=promise.unit,
            pauses=tuple((begin, end) for begin, end in pauses if end is not None),
        )
        at = started_at if started_at != self.now else None
        clock = self.put("clock.started", scheduled(clock, promise, self.calendars), at=at)
        if pauses and pauses[-1][1] is None:
            self._pause(clock, promise, pauses[-1][0], promise.pause[0].event)

    def _pauses_since(self, promise: Promise, exposure: int, started_at: datetime) -> list[tuple[Any, Any]]:
        """The pauses of a clock that begins late or while the customer supplies papers: their time is not ours.

        They are those of a clock of the same claim that pauses by the same rules; where none of them is open, the
        papers themselves say whether we wait.
        """
        if not promise.pause:
            return []
        alike = [clock for clock in self.clocks.values() if self._pauses_alike(clock, promise, exposure)]
        model = max(alike, key=lambda clock: (clock.state in OPEN, clock.part), default=None)
        known = model.pauses if model is not None else ()
        pauses = [(max(begin, started_at), end) for begin, end in known if end is None or end > started_at]
        if (model is None or model.state not in OPEN) and self._waits(promise, exposure):
            asked_at = self.case.claim.papers_requested_at or self.now
            pauses.append((max(asked_at, started_at, *(end for _, end in pauses)), None))
        return pauses

    def _pauses_alike(self, clock: Clock, promise: Promise, exposure: int) -> bool:
        own = self.promises.of_clock(clock)
        return clock.exposure in (0, exposure) and (own.pause, own.resume) == (promise.pause, promise.resume)

    def _waits(self, promise: Promise, exposure: int) -> bool:
        """Whether the case, as it stands, is one in which the promise pauses."""
        return any(rule.when and rule.holds(self.case, exposure) for rule in promise.pause)

    def _undo(self, promise: Promise, exposure: int, reason: str) -> None:
        """What was kept turns out not to be: the last clock runs on, or waits on, as if it had never ended."""
        last = self._last(promise.code, exposure)
        if last is None or last.state != FULFILLED or last.ended_at is None:
            return
        own = self.promises.of_clock(last)
        again = scheduled(replace(last, state=RUNNING, ended_at=None, reason=""), own, self.calendars)
        again = self.put("clock.resumed", again, reason=reason)
        if self._waits(own, exposure):
            self._pause(again, own, last.ended_at, own.pause[0].event)

    def _restart(self, clock: Clock, promise: Promise, at: datetime) -> None:
        """Begin anew in place; a clock that broke meanwhile ends first, so that the breach stays on its own row."""
        if self.note_breach(clock, at).breached_at is not None:
            self._end(self.clocks[clock.part], FULFILLED, at, "restarted")
            self._begin_at(promise, clock.exposure, self._since(promise, at))
            return
        anew = replace(
            clock,
            state=RUNNING,
            promise_version=promise.version,
            calendar=promise.calendar,
            calendar_version=self.calendars.current[promise.calendar].version,
            started_at=at,
            limit=promise.limit,
            unit=promise.unit,
            pauses=(),
            warned=0,
            told_due_at=None,
            told_pauses=0,
        )
        self.put("clock.started", scheduled(anew, promise, self.calendars), restarted=True)

    def _pause(self, clock: Clock, promise: Promise, at: datetime, reason: str) -> None:
        clock = self.note_breach(clock, at)
        begin = max(at, clock.pauses[-1][1]) if clock.pauses else at
        paused = replace(clock, state=PAUSED, pauses=(*clock.pauses, (begin, None)))
        self.put("clock.paused", scheduled(paused, promise, self.calendars), reason=reason)

    def resume(self, clock: Clock, promise: Promise, at: datetime, reason: str) -> Clock:
        """Let a paused clock run again."""
        running = replace(
            clock,
            state=RUNNING,
            pauses=close_pauses(clock.pauses, at),
            calendar_version=self.calendar_version(clock.calendar, clock.calendar_version),
        )
        return self.put("clock.resumed", scheduled(running, promise, self.calendars), reason=reason)

    def cancel(self, clock: Clock, at: datetime, reason: str) -> None:
        """End a clock that no longer applies; its warnings stop (case 20)."""
        self._end(clock, CANCELLED, at, reason)

    def _end(self, clock: Clock, state: str, at: datetime, reason: str) -> None:
        clock = self.note_breach(replace(clock, pauses=close_pauses(clock.pauses, at)), at)
        promise = self.promises.of_clock(clock)
        ended = scheduled(clock, promise, self.calendars)
        ended = replace(ended, state=state, ended_at=at, warn_at=None, reason=reason)
        late = ended.breached_at is not None
        self.put(f"clock.{state}", ended, at=at if at != self.now else None, reason=reason, late=late)

    def note_breach(self, clock: Clock, at: datetime, **facts: Any) -> Clock:
        """Record that the clock broke before ``at``, at its due instant, unless that is on record already.

        ``clock`` may differ from what is kept in its pauses: the due time is computed from what is given.
        """
        if clock.breached_at is not None:
            return clock
        due = due_time(clock=clock, calendars=self.calendars).due_at
        if due is None or at <= due:
            return clock
        promise = self.promises.in_force(clock)
        broken = replace(self.clocks[clock.part], breached_at=due, warn_at=None)
        facts |= {"due_at": due, "tell": promise.tell_breach, "effects": promise.on_breach}
        self.put("clock.breached", broken, at=due, **facts)
        return replace(clock, breached_at=due)

    # --- reopening ---

    def _reopen(self, at: datetime) -> None:
        """Case 17: the promise says whether its last clock goes on or a new one starts.

        The time while the claim was closed counts for nobody: it becomes a pause. The time waited before it was closed
        stays used.
        """
        seen: set[tuple[str, int]] = set()
        for clock in sorted(self.clocks.values(), key=lambda c: -c.part):
            key = (clock.promise, clock.exposure)
            promise = self.promises.current.get(clock.promise)
            if key in seen:
                continue
            seen.add(key)
            if promise is None or clock.state in OPEN or promise.on_reopen not in ("new", "unkept", "resume"):
                continue
            if promise.on_reopen == "unkept" and (clock.state != CANCELLED or self._ended_for_good(clock, promise)):
                continue
            if not promise.applies(self.case, clock.exposure):
                continue
            if promise.on_reopen != "resume":
                self._begin_at(promise, clock.exposure, at)
                continue
            pauses = (*clock.pauses, (clock.ended_at, at))
            again = replace(clock, state=RUNNING, ended_at=None, reason="", pauses=pauses)
            own = self.promises.of_clock(clock)
            again = self.put("clock.resumed", scheduled(again, own, self.calendars), reason="claim.reopened")
            if self._waits(own, clock.exposure):
                self._pause(again, own, at, own.pause[0].event)

    # --- afterwards ---

    def end_what_no_longer_applies(self) -> None:
        """Cases 20 and 27: after a new triage, another unit or a dropped exposure, clocks that no longer apply end.

        A date that the customer was told stays, whatever we think of the claim now.
        """
        for clock in self.open_clocks():
            reason = self.why_gone(clock, self.promises.of_clock(clock))
            if reason:
                self.cancel(clock, self.now, reason)

    def why_gone(self, clock: Clock, promise: Promise) -> str:
        """Why an open clock does not apply any more, or nothing."""
        exposure = self.case.exposures.get(clock.exposure)
        if exposure is not None and exposure.state == "dropped":
            return "exposure_dropped"
        if clock.told_due_at is None and promise.recheck and not promise.applies(self.case, clock.exposure):
            return "no_longer_applies"
        return ""

    def _last(self, code: str, exposure: int) -> Clock | None:
        """The newest clock of a promise."""
        found = (c for c in self.clocks.values() if c.promise == code and c.exposure == exposure)
        return max(found, key=lambda clock: clock.part, default=None)


def exposures_of(case: Case, event: Event) -> tuple[int, ...] | None:
    """The exposures an event is about; None where it is about the whole claim."""
    if event.subject == "exposure":
        return (event.part,)
    if event.subject == "offer" and event.part in case.offers:
        return tuple(case.offers[event.part].exposures)
    if event.subject in ("payment", "paper", "survey", "consultation", "recovery"):
        part = case.of(event.subject).get(event.part)
        return (part.exposure,) if part is not None and part.exposure else None
    several, named = event.facts.get("exposures"), event.facts.get("exposure")
    if isinstance(several, tuple | list) and several:
        return tuple(several)
    return (named,) if isinstance(named, int) and named else None
