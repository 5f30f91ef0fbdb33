"""When a message is tried, tried again, held back for the night, or given to the next channel (norm 2.4.1).

"Delivery is confirmed or falls back to the next channel; nothing is sent twice, nothing is lost." Every figure is in
the `RetryPolicy`, which is a norm table: nothing here knows a minute or an hour by itself.

An attempt has one of four outcomes, and each has its own way on (`after_attempt`):

* ``accepted``: the provider has it. Whether it arrived is asked, where one can ask (`after_inquiry`);
* ``rejected``: never by this channel to this address. On to the next channel;
* ``failed``: it certainly did not go out. Try again later;
* ``unknown``: it may have gone out. Ask the provider; never blindly repeat.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from hashlib import blake2b
from zoneinfo import ZoneInfo

from lipei.domain.settings import Settings

OUTCOMES = ("accepted", "rejected", "failed", "unknown")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patient a channel is.

    ``retry_after``: the wait before each further attempt, so ``len + 1`` attempts in all. Its sum is the outage that a
    message survives: more than a day, for a mail server that is down for a day.
    ``inquire_after``: likewise, the wait before each question whether a message arrived. Empty: nobody asks.
    ``spread_percent``: a wait is longer by up to this share, differently for each message, so that an hour's backlog
    does not knock at one instant on the server that has just come back.
    """

    retry_after: tuple[timedelta, ...]
    inquire_after: tuple[timedelta, ...] = ()
    spread_percent: int = 0

    def __post_init__(self) -> None:
        assert all(wait > timedelta(0) for wait in (*self.retry_after, *self.inquire_after)), "no empty waits"
        assert 0 <= self.spread_percent <= 100, "a share of the wait, in percent"


@dataclass(frozen=True, slots=True)
class Step:
    """What happens to a delivery next.

    ``action``: ``done``, ``send`` or ``inquire`` (both at ``at``), or ``fall_back`` (this channel is finished with; see
    `fallback`).
    """

    action: str
    at: datetime | None = None


def next_attempt(
    *, attempts: int, now: datetime, policy: RetryPolicy, key: str = "", retry_after: timedelta | None = None
) -> datetime | None:
    """When to try again after the ``attempts``-th attempt failed at ``now``; None: give up.

    ``key`` (the delivery's id) spreads the waits. ``retry_after`` is what the provider asked for: never earlier.
    """
    return _later(attempts, now, policy.retry_after, policy.spread_percent, key, retry_after)


def next_inquiry(*, inquiries: int, now: datetime, policy: RetryPolicy, key: str = "") -> datetime | None:
    """When to ask what became of a message after ``inquiries`` questions without an answer; None: stop asking."""
    return _later(inquiries + 1, now, policy.inquire_after, policy.spread_percent, key, None)


def _later(
    done: int, now: datetime, waits: Sequence[timedelta], spread_percent: int, key: str, at_least: timedelta | None
) -> datetime | None:
    assert done >= 1, "there is a next time only after a first"
    if done > len(waits):
        return None
    wait = waits[done - 1]
    wait += wait * spread_percent * _share(key, done) / 100
    return now + max(wait, at_least or timedelta(0))


def _share(key: str, done: int) -> float:
    """A number in [0, 1), the same for the same message and attempt: chance would make tests and replays differ."""
    digest = blake2b(f"{key}/{done}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big") / 2**32


def after_attempt(
    *,
    outcome: str,
    attempts: int,
    now: datetime,
    policy: RetryPolicy,
    can_inquire: bool,
    key: str = "",
    retry_after: timedelta | None = None,
) -> Step:
    """The next step after the ``attempts``-th attempt had this outcome.

    A channel that cannot be asked (mail) has confirmed what it can by accepting. An unknown outcome that nobody can be
    asked about goes to the next channel: the customer hears at least once, the same channel never says it twice.
    """
    assert outcome in OUTCOMES, outcome
    if outcome == "failed":
        again = next_attempt(attempts=attempts, now=now, policy=policy, key=key, retry_after=retry_after)
        return Step("send", again) if again else Step("fall_back")
    ask = next_inquiry(inquiries=0, now=now, policy=policy, key=key) if can_inquire else None
    if ask and outcome in ("accepted", "unknown"):
        return Step("inquire", ask)
    return Step("done") if outcome == "accepted" else Step("fall_back")


def after_inquiry(*, delivered: bool | None, inquiries: int, now: datetime, policy: RetryPolicy, key: str = "") -> Step:
    """The next step after a report, or the ``inquiries``-th question: arrived, did not, or (None) still nothing known.

    "Delivery is confirmed or falls back": what nobody confirms within the policy's patience goes to the next channel.
    """
    if delivered:
        return Step("done")
    ask = None if delivered is False else next_inquiry(inquiries=inquiries, now=now, policy=policy, key=key)
    return Step("inquire", ask) if ask else Step("fall_back")


def not_before(
    *, now: datetime, zone: tzinfo, quiet_from: time | None, quiet_to: time | None, urgent: bool = False
) -> datetime:
    """The earliest instant at which a message may disturb the customer: ``now``, or the end of the quiet hours.

    The hours are wall-clock times in the customer's ``zone`` and may span midnight (21:00 to 08:00). Equal or missing
    ends mean no quiet hours. Urgent messages (a one-time code, a duty call) do not wait. The result keeps the zone of
    ``now`` and is never before it.
    """
    if urgent or quiet_from is None or quiet_to is None or quiet_from == quiet_to:
        return now
    local = now.astimezone(zone)
    clock = local.time().replace(fold=0)
    over_midnight = quiet_from > quiet_to
    quiet = (clock >= quiet_from or clock < quiet_to) if over_midnight else quiet_from <= clock < quiet_to
    if not quiet:
        return now
    ends_tomorrow = over_midnight and clock >= quiet_from
    day = local.date() + timedelta(days=1 if ends_tomorrow else 0)
    end = datetime.combine(day, quiet_to, zone)
    if end.astimezone(now.tzinfo) < now:
        end = end.replace(fold=1)  # the hour that summer time's end repeats: we are in its second run
    return max(now, end.astimezone(now.tzinfo))


def may_leave(*, settings: Settings, now: datetime, urgent: bool) -> datetime:
    """The same by the company's settings: asked when a message is made, and again when it is about to leave, for a retry,
    another channel or a worker that was down may come to it at night."""
    zone, ends = ZoneInfo(settings.zone), (settings.quiet_from, settings.quiet_to)
    return not_before(now=now, zone=zone, quiet_from=ends[0], quiet_to=ends[1], urgent=urgent)


def fallback(*, channels: Sequence[str], tried: Collection[str]) -> str | None:
    """The first channel, in the order of the messages table, not tried yet; None: a person has to tell the customer."""
    return next((channel for channel in channels if channel not in tried), None)
