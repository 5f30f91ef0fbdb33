"""How patient the work is that runs by itself: the job table as a value (read by `norms/jobs.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from lipei.domain.deliveries import RetryPolicy


@dataclass(frozen=True, slots=True)
class JobTable:
    """Waits, leases and rhythms of background work.

    ``channels`` and ``webhooks`` say how often and when something is tried again. ``lease`` is how long a worker may
    be silent with a row in its hands before another takes it up. ``every`` is the rhythm of each sweep, ``batch`` how
    many rows one turn takes up at most.
    """

    channels: Mapping[str, RetryPolicy]
    webhooks: RetryPolicy
    lease: timedelta
    every: Mapping[str, timedelta]
    batch: int
    bank_ask_after: timedelta  # a payment the bank has said nothing about is asked about after this
    key_keep: timedelta  # how long an idempotency key gets the same answer
    webhook_timeout: timedelta
