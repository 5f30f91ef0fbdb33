"""`lipei work`: one loop that sweeps by the clock and drains what is due. Only the loop reads the clock on the wall.

`Jobs.run_once` does one turn for an instant that it is given, so tests and the demonstration drive years of background
work on a clock of their own. Several workers may run at once; each keeps its own rhythm, and rows are leased.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import structlog
from django.db import Error as DatabaseTrouble
from django.db import close_old_connections

from lipei.services import bank, deliveries, duty, norms, retention, seals, signs, sweeps, webhook_calls
from lipei.store import trouble

log = structlog.get_logger(__name__)

IDLE_SECONDS = 0.5
"""The rest after a turn with nothing to do: the longest that a message waits for a worker."""
TROUBLE_SECONDS = 5.0
"""The rest after a turn that failed: a database that is away is not knocked at in a circle."""

Sweep = Callable[[datetime, int], int]

SCHEDULE: Mapping[str, Sweep] = {
    "clocks": lambda now, limit: sweeps.clocks(now=now, limit=limit),
    "duty": lambda now, limit: duty.sweep(now=now, limit=limit),
    "offers": lambda now, limit: sweeps.offers(now=now, limit=limit),
    "papers": lambda now, limit: sweeps.papers(now=now, limit=limit),
    "norms": lambda now, limit: sweeps.after_edits(now=now),
    "bank_asking": lambda now, limit: bank.ask(now=now, limit=limit),
    "tidying": lambda now, limit: sweeps.tidy(now=now, limit=limit),
    "retention": lambda now, limit: retention.sweep(now, limit=limit),
    "seals": lambda now, limit: 1 if seals.daily(now=now) else 0,
}
"""Sweeps by rhythm: name in the job table → what it does. They answer how much they did."""

DRAINS: Mapping[str, Sweep] = {
    "bank": lambda now, limit: bank.turn(now=now, limit=limit),
    "deliveries": lambda now, limit: deliveries.work(now=now, limit=limit),
    "webhooks": lambda now, limit: webhook_calls.work(now=now, limit=limit),
}
"""Rows that own their fate, drained at every turn. The bank first: its answers are news for customers."""

AT_ONCE: Mapping[str, int] = {"deliveries": 10, "webhooks": 10}
"""Rows that a drain takes up before it asks for the time again; the bank's orders go into one file together."""
TURN_SECONDS = 5.0
"""What takes longer is left for the next turn: a duty call waits for nobody's slow mail server."""

SIGN = "sign"
TELL_EVERY = timedelta(minutes=1)
"""How often a worker says that it is at work."""

GROWS_WITH_WORK = ("clocks", "duty", "offers", "papers")
"""Sweeps that take a batch at a time: one that was full is run again at the next turn, not at its next rhythm."""


@dataclass
class Jobs:
    """One worker's memory: when each sweep last ran. Nothing is lost with it."""

    last: dict[str, datetime] = field(default_factory=dict)

    def run_once(self, now: datetime, clock: Callable[[], datetime] | None = None) -> int:
        """One turn: the sweeps whose time has come, then everything due; how much was done.

        ``clock`` tells what time it has become meanwhile, for leases and due times must not be those of an hour ago;
        without one, time stands still. A sweep that fails is logged and does not keep the others; it runs again at its
        next time.
        """
        time_is = clock or (lambda: now)
        table = norms.current().jobs
        done = 0
        self._tell(now)
        for name, sweep in SCHEDULE.items():
            last = self.last.get(name)
            if last is not None and last <= now < last + table.every[name]:
                continue
            self.last[name] = now
            count = _guarded(name, sweep, time_is(), table.batch)
            if name in GROWS_WITH_WORK and count >= table.batch:
                del self.last[name]
            done += count
        for name, drain in DRAINS.items():
            done += _drained(name, drain, time_is, table.batch)
        return done

    def _tell(self, now: datetime) -> None:
        """Say now and then that this worker is at work."""
        said = self.last.get(SIGN)
        if said is None or not said <= now < said + TELL_EVERY:
            self.last[SIGN] = now
            signs.note("worker", now=now)


def _drained(name: str, drain: Sweep, time_is: Callable[[], datetime], most: int) -> int:
    """Up to ``most`` rows of one kind, a few at a time, for a while."""
    done, ends = 0, time.monotonic() + TURN_SECONDS
    while done < most and time.monotonic() < ends:
        count = _guarded(name, drain, time_is(), AT_ONCE.get(name, most))
        if not count:
            break
        done += count
    return done


def _guarded(name: str, sweep: Sweep, now: datetime, limit: int) -> int:
    try:
        return sweep(now, limit)
    except Exception as error:
        if isinstance(error, DatabaseTrouble) and trouble.of(error):
            raise  # the database is everybody's: the loop rests and begins anew
        log.exception("sweep failed", sweep=name)
        return 0


def run_once(now: datetime) -> int:
    """Everything that is due at an instant, whatever ran before: for tests, and for a demonstration's clock."""
    return Jobs().run_once(now)


def settle(now: datetime, *, turns_max: int = 50) -> int:
    """Turns until nothing is left to do at an instant; how much was done."""
    total = 0
    for _ in range(turns_max):
        done = run_once(now)
        total += done
        if not done:
            break
    return total


def work(stop: threading.Event | None = None) -> None:
    """Work until told to stop (SIGTERM, SIGINT). The row at hand is finished first; nothing is left half done."""
    stop = stop or _stopped_by_signal()
    jobs = Jobs()
    log.info("worker started")
    while not stop.is_set():
        try:
            done = jobs.run_once(_now(), _now)
        except DatabaseTrouble as error:
            log.error("the database takes nothing", why=trouble.of(error) or "mistake", error=str(error).strip())
            close_old_connections()
            stop.wait(TROUBLE_SECONDS)
            continue
        except Exception:
            log.exception("turn failed")  # a worker that has gone is worse than one that rests
            stop.wait(TROUBLE_SECONDS)
            continue
        if not done:
            stop.wait(IDLE_SECONDS)
    log.info("worker stopped")


def _now() -> datetime:
    return datetime.now(UTC)


def _stopped_by_signal() -> threading.Event:
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, frame: stop.set())
    return stop
