"""What time alone does to clocks, and what an edited promise or calendar does.

`recompute` brings the open clocks of a claim up to the tables in force; `sweep` does that, then warns and records what
broke. Both are idempotent: run twice, or an hour late, they say the same, once. `preview` shows what saving an edit
would do, by doing it to copies.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from lipei.domain.calendars import Calendars
from lipei.domain.claims import Case, Clock
from lipei.domain.events import Change, Event
from lipei.domain.promises.clocks import CANCELLED, PAUSED, RUNNING, close_pauses, due_time, scheduled, warning_times
from lipei.domain.promises.definitions import Promise, Promises
from lipei.domain.promises.reactions import Desk

HINT_WRONG = "hint_wrong"  # the stored due time disagreed with the rule although nothing was edited


def recompute(*, case: Case, promises: Promises, calendars: Calendars, now: datetime, reason: str) -> tuple[Event, ...]:
    """Bring every open clock to the promises and calendars in force (cases 14, 15, 19, 25 and 27).

    ``reason`` is a code and goes into the journal with the dates before and after. A date the customer was told never
    moves to a later one; a shorter one applies. A clock that the shorter limit finds broken broke at its due instant.
    """
    desk = Desk(case, promises, calendars, now)
    for clock in desk.open_clocks():
        _bring_up(desk, clock, reason)
    return tuple(desk.events)


def sweep(*, case: Case, promises: Promises, calendars: Calendars, now: datetime) -> tuple[Event, ...]:
    """Warn once per level, and record each breach at its true instant (case 24)."""
    desk = Desk(case, promises, calendars, now)
    for clock in desk.open_clocks():
        _bring_up(desk, clock, "")
    for clock in desk.open_clocks():
        _warn(desk, clock)
        desk.note_breach(desk.clocks[clock.part], now)
    return tuple(desk.events)


def _bring_up(desk: Desk, clock: Clock, reason: str) -> None:
    own = desk.promises.of_clock(clock)
    wanted = desk.promises.current.get(clock.promise)
    if wanted is None:
        # Switched off by a manager. A date that was told is kept all the same.
        if clock.told_due_at is None:
            desk.cancel(clock, desk.now, reason or "promise_withdrawn")
            return
        wanted = own
    gone = desk.why_gone(clock, wanted)
    if gone:
        desk.cancel(clock, desk.now, gone)
        return
    fresh = _with_terms(clock, wanted, desk)
    new = scheduled(fresh, wanted, desk.calendars)
    if _shown(new) == _shown(clock):
        return
    changed = _why(clock, new, own, wanted)
    reason = reason or changed
    desk.recompute(clock, new, reason)


def _with_terms(clock: Clock, promise: Promise, desk: Desk) -> Clock:
    """The clock on the terms in force. What was paused stays paused (case 15)."""
    state, pauses = clock.state, clock.pauses
    if state == PAUSED and not promise.resume:
        # The promise no longer pauses: nothing would ever let it run again, so it runs from now.
        state, pauses = RUNNING, close_pauses(pauses, desk.now)
    return replace(
        clock,
        state=state,
        pauses=pauses,
        promise_version=promise.version,
        binds=promise.binds,
        limit=promise.limit,
        unit=promise.unit,
        calendar=promise.calendar,
        calendar_version=desk.calendar_version(promise.calendar, clock.calendar_version),
    )


def _shown(clock: Clock) -> tuple[object, ...]:
    """What a reader of the clock would see differ. New versions that change nothing are not news."""
    return (
        clock.state, clock.due_at, clock.extended_due_at, clock.provisional, clock.limit, clock.unit, clock.calendar,
        clock.binds, clock.warn_at,
    )  # fmt: skip


def _why(old: Clock, new: Clock, own: Promise, wanted: Promise) -> str:
    terms = ((old.limit, old.unit, old.calendar), (new.limit, new.unit, new.calendar))
    if own.version != wanted.version or terms[0] != terms[1]:
        return "promise_changed"
    return "calendar_changed" if old.calendar_version != new.calendar_version else HINT_WRONG


def _warn(desk: Desk, clock: Clock) -> None:
    """One event per level that has come; a level that a late sweep finds past is given all the same, and says so."""
    if clock.state != RUNNING or clock.due_at is None or clock.breached_at is not None:
        return
    promise = desk.promises.of_clock(clock)
    calendar = desk.calendars.at(clock.calendar, clock.calendar_version)
    times = warning_times(clock=clock, due_at=clock.due_at, promise=promise, calendar=calendar)
    tell = desk.promises.in_force(clock).tell_warning
    for level in range(clock.warned, len(times)):
        if times[level] > desk.now:
            break
        following = times[level + 1] if level + 1 < len(times) else None
        clock = replace(clock, warned=level + 1, warn_at=following)
        past = clock.due_at is not None and desk.now > clock.due_at
        desk.put("clock.warned", clock, level=level + 1, warn_at=times[level], past=past, tell=tell)


# --- preview ---


@dataclass(frozen=True, slots=True)
class Difference:
    """What an edit would do to one open clock. ``due_after`` is None where the clock ends or is paused."""

    claim: int
    number: str
    clock: int
    promise: str
    exposure: int
    due_before: datetime | None
    due_after: datetime | None
    told_due_at: datetime | None
    provisional_before: bool
    provisional_after: bool
    breaks: bool
    ends: bool


def preview(
    *, cases: Iterable[Case], promises: Promises, calendars: Calendars, now: datetime
) -> tuple[Difference, ...]:
    """What `recompute` would do to these claims with the edited tables (norm 2.3.1), before they are saved.

    A clock that only follows the new version of a table and falls due as before is no difference.
    """
    found: list[Difference] = []
    for case in cases:
        events = recompute(case=case, promises=promises, calendars=calendars, now=now, reason="preview")
        if not events:
            continue
        after = case.after(events).clocks
        differences = (_difference(case, case.clocks[part], after[part]) for part in sorted({e.part for e in events}))
        found += [one for one in differences if one.due_before != one.due_after or one.breaks or one.ends]
    return tuple(found)


def _difference(case: Case, before: Clock, after: Clock) -> Difference:
    ends = after.state == CANCELLED
    return Difference(
        claim=case.id,
        number=case.claim.number,
        clock=before.part,
        promise=before.promise,
        exposure=before.exposure,
        due_before=before.due_at,
        due_after=None if ends else after.due_at,
        told_due_at=before.told_due_at,
        provisional_before=before.provisional,
        provisional_after=after.provisional,
        breaks=before.breached_at is None and after.breached_at is not None,
        ends=ends,
    )


# --- telling the customer ---


def told(*, case: Case, promises: Promises, clocks: Iterable[int] | None = None) -> tuple[Change, ...]:
    """The changes to add to the event by which the customer was told dates, e.g. of the receipt (cases 25 and 27).

    ``clocks`` are the parts whose dates the message named; None: every open clock of a promise made to the customer.
    """
    parts = case.clocks if clocks is None else tuple(clocks)
    found: list[Change] = []
    for part in parts:
        clock = case.clocks[part]
        if clock.state != RUNNING or clock.due_at is None:
            continue
        if clocks is None and not promises.of_clock(clock).told_to_customer:
            continue
        if (clock.told_due_at, clock.told_pauses) != (clock.due_at, len(clock.pauses)):
            found.append(Change("clock", part, {"told_due_at": clock.due_at, "told_pauses": len(clock.pauses)}))
    return tuple(found)


def next_change(clock: Clock) -> datetime | None:
    """When a sweep should look at this clock next: its next warning or its due time; None when nothing will come."""
    if clock.state not in (RUNNING, PAUSED) or (clock.breached_at is not None and clock.warn_at is None):
        return None
    times = [at for at in (clock.warn_at, clock.due_at if clock.breached_at is None else None) if at is not None]
    return min(times, default=None)


def disagrees(*, clock: Clock, calendars: Calendars) -> bool:
    """Whether a stored due time is not what the rule gives: what `lipei verify` asks of every clock."""
    due = due_time(clock=clock, calendars=calendars)
    return (clock.due_at, clock.extended_due_at, clock.provisional) != (
        due.due_at, due.extended_due_at, due.provisional,
    )  # fmt: skip
