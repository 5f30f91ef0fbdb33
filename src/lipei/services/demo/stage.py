"""The stage on which a story plays: one claim, who acts on it, and the time, which only the play moves on.

A story is a generator: it acts, and yields how long it then waits. `Play` runs all stories side by side on one
simulated clock, with the background jobs running on the same clock in between.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from lipei.domain import commands as c
from lipei.domain.calendars import Calendar
from lipei.domain.claims import Case
from lipei.domain.events import Actor, Refusal
from lipei.domain.money import Money
from lipei.services import actions, bank, deliveries, duty, intake, norms, seals, sweeps, world
from lipei.services.demo.founding import Company, Insured
from lipei.store import aggregates, models

Wait = Iterator[timedelta]
PROGRAM = Actor("token:0", "partner", frozenset({"program"}))
TICK = timedelta(hours=6)
"""How often the sweeps run on the simulated clock. A breach is dated at its due instant, however late it is noticed."""
LIMIT = 500
_LIGHT = (9, 20)
"""The hours of the day between which a visit is due."""
_WAKING = Calendar("waking", 1, settings.TIME_ZONE, (((8 * 60, 22 * 60),),) * 7, published=None)
"""When people are awake. What is left waiting is worked on by this, so that it stands well on whatever day it is looked at."""
_SLOW, _USUAL, _PROMPT = 5.0, 0.4, 0.15
"""How much of the time that a scene gives everybody takes: too much of it; as usual; where promises are still to be kept."""


class Stuck(Exception):
    """An action of a story was refused: the story ends there."""


class Left(Exception):
    """The story is left where it is: work that waits for somebody."""


@dataclass
class Stage:
    """One story's claim. ``ends``: when the play ends, for what is to be still ahead then.

    ``papers_at``: when the customer sends the papers, for a story that is left waiting soon after; None: in their own time.
    """

    company: Company
    chance: Random
    now: datetime
    leave_at: str = ""
    slow: bool = False
    ends: datetime | None = None
    papers_at: datetime | None = None
    visit_days: int = 0
    number: str = ""
    _id: int = 0
    _case: Case | None = None

    # --- who

    def staff(self, code: str) -> Actor:
        """A member of staff by code."""
        return self.company.staff[code]

    @property
    def handler(self) -> Actor:
        """Whoever handles the claim; the team lead where nobody does."""
        return self.company.by_id(self.case.claim.handler) or self.staff("lead1")

    @property
    def customer(self) -> Actor:
        """The reporter, signed in to this claim."""
        return Actor("customer:P1", "customer", frozenset({"customer"}), unit=self.number)

    def asked(self, offer: int) -> Actor:
        """The party to whom an offer is made, signed in to this claim."""
        party = self.case.offers[offer].to or 1
        return Actor(f"customer:P{party}", "customer", frozenset({"customer"}), unit=self.number)

    def insured(self, product: str) -> Insured:
        """Somebody who holds such a policy; nobody a second time before everybody had a turn."""
        many, heard = self.company.policies[product][1:] or self.company.policies[product], self.company.heard
        if all(one.number in heard for one in many):
            heard.difference_update(one.number for one in many)
        found = self.chance.choice([one for one in many if one.number not in heard])
        heard.add(found.number)
        return found

    # --- what

    @property
    def case(self) -> Case:
        """The claim as it is now."""
        if self._case is None:
            loaded = aggregates.load(Case, self._id)
            assert loaded is not None
            self._case = loaded.aggregate
        return self._case

    def woken(self, now: datetime) -> None:
        """Time has passed: others may have acted meanwhile."""
        self.now, self._case = now, None

    def report(self, command: c.Report, by: Actor) -> None:
        """The loss is reported."""
        world.forget_staff()  # how busy everybody is, is looked up by the clock on the wall; here it is another clock
        done = intake.report(command, actor=by, now=self.now, key=f"demo-{self.chance.getrandbits(64):x}")
        if isinstance(done, Refusal):
            raise Stuck(f"report: {done.code} {dict(done.fields)}")
        self._case, self._id, self.number = done.case, done.case.id, done.case.claim.number

    def act(self, by: Actor, subject: str, action: str, part: int = 0, command: Any = None) -> Case:
        """An action on the claim. Raises Stuck where it is refused."""
        done = actions.act(self.number, subject, action, part, command, actor=by, now=self.now)
        if isinstance(done, Refusal):
            raise Stuck(f"{subject}.{action} {part} by {by.id}: {done.code} {dict(done.params)} {dict(done.fields)}")
        self._case = done.case
        return done.case

    def leave(self, name: str) -> None:
        """A place at which a story may be left for somebody to take up."""
        if self.leave_at == name:
            raise Left(name)

    def money(self, yuan: float) -> Money:
        """An amount in the claim's currency."""
        return Money(round(yuan * 100), "CNY")

    def code(self) -> str:
        """The one-time code just sent, as the customer reads it on the phone."""
        sent = models.Delivery.objects.filter(message="one_time_code", stream_id=self._id).order_by("-id").first()
        assert sent is not None
        return str(sent.secret)

    # --- when

    def visit(self) -> timedelta:
        """Until soon after the play's end, or so many days later, but by the day's light: a visit that is still to come."""
        assert self.ends is not None
        local = self.ends.astimezone(ZoneInfo(settings.TIME_ZONE))
        first, last = (local.replace(hour=h, minute=0, second=0, microsecond=0) for h in _LIGHT)
        soon = max(first, min(local + timedelta(hours=1.5), last))
        return soon + timedelta(days=self.visit_days) - self.now

    def papers(self, least: float, most: float) -> timedelta:
        """Until the customer sends the papers."""
        return max(self.papers_at - self.now, timedelta()) if self.papers_at else self.hours(least, most)

    def hours(self, least: float, most: float) -> timedelta:
        """Some time between, at the pace of the story."""
        took = timedelta(minutes=self.chance.randrange(int(least * 60), int(most * 60) + 1))
        return took * (_SLOW if self.slow else _PROMPT if self.ends else _USUAL)

    def ago(self, least: float, most: float) -> datetime:
        """Some time before now: when a loss happened, of which nobody's pace changes anything."""
        return self.now - timedelta(minutes=self.chance.randrange(int(least * 60), int(most * 60) + 1))

    def office(self, least: float, most: float) -> timedelta:
        """As `hours`, and then until somebody is in the office."""
        calendar = _WAKING if self.ends else norms.current().calendars.current["cn"]
        at = self.now + self.hours(least, most)
        while not calendar.is_open(at):
            at += timedelta(minutes=self.chance.randrange(20, 50))
        return at - self.now


def waking(ends: datetime, hours: float) -> datetime:
    """So many waking hours before the end."""
    return _WAKING.add(ends, -round(hours * 60))


@dataclass
class Play:
    """All stories on one clock, up to its end."""

    ends: datetime
    progress: Callable[[int, int], None] | None = None
    stuck: list[str] = field(default_factory=list)
    told: int = 0
    _queue: list[tuple[datetime, int, Wait, Stage]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)
    _swept: datetime | None = None

    def begin(self, stage: Stage, story: Wait) -> None:
        """A story that begins at its stage's time."""
        heapq.heappush(self._queue, (stage.now, next(self._order), story, stage))

    def run(self) -> None:
        """Everything that happens until the end, in its order."""
        stories = len(self._queue)
        while self._queue:
            at, _, story, stage = heapq.heappop(self._queue)
            if at > self.ends:
                continue
            self.background(at)
            stage.woken(at)
            begun = stage.number
            try:
                wait = next(story)
                heapq.heappush(self._queue, (at + wait, next(self._order), story, stage))
            except (StopIteration, Left):
                pass
            except Stuck as stuck:
                self.stuck.append(f"{story.__name__}: {stuck}")  # type: ignore[attr-defined]
            self.told += not begun and bool(stage.number)
            if self.progress is not None:
                self.progress(self.told, stories)
        self.background(self.ends)

    def background(self, until: datetime) -> None:
        """The jobs up to an instant: sweeps at their ticks, the bank, messages and duty calls right now too."""
        at = self._swept or until
        while at + TICK <= until:
            at += TICK
            self._sweep(at)
            self._drain(at)
        self._swept = at
        self._drain(until)

    def _sweep(self, at: datetime) -> None:
        sweeps.clocks(now=at, limit=LIMIT)
        sweeps.offers(now=at, limit=LIMIT)
        sweeps.papers(now=at, limit=LIMIT)
        seals.daily(now=at)

    def _drain(self, at: datetime) -> None:
        duty.sweep(now=at, limit=LIMIT)
        bank.turn(now=at, limit=LIMIT)
        deliveries.work(now=at, limit=LIMIT)
