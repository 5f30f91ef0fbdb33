"""The job table, read from its document: how patient background work is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from lipei.domain.deliveries import RetryPolicy
from lipei.domain.jobs import JobTable
from lipei.domain.messages import CHANNELS
from lipei.norms.errors import NormError
from lipei.norms.lines import known_keys
from lipei.norms.settings import whole

SWEEPS = ("clocks", "duty", "offers", "papers", "norms", "bank_asking", "tidying", "retention", "seals")
BATCH_MAX = 10_000
_TIME = re.compile(r"([1-9]\d{0,4})(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def parse(document: Mapping[str, Any]) -> JobTable:
    """The table of a ``jobs`` document. Raises NormError where it makes no sense."""
    own = {
        "version",
        "channels",
        "webhooks",
        "webhook_timeout",
        "lease",
        "batch",
        "every",
        "bank_ask_after",
        "key_keep",
    }
    known_keys("jobs", document, required=own)
    known_keys("jobs.channels", document["channels"], required=set(CHANNELS))
    known_keys("jobs.every", document["every"], required=set(SWEEPS))
    return JobTable(
        channels={name: _policy(f"jobs.channels.{name}", row) for name, row in document["channels"].items()},
        webhooks=_policy("jobs.webhooks", document["webhooks"]),
        lease=_time("jobs.lease", document["lease"]),
        every={name: _time(f"jobs.every.{name}", text) for name, text in document["every"].items()},
        batch=whole("jobs.batch", document["batch"], 1, BATCH_MAX),
        bank_ask_after=_time("jobs.bank_ask_after", document["bank_ask_after"]),
        key_keep=_time("jobs.key_keep", document["key_keep"]),
        webhook_timeout=_time("jobs.webhook_timeout", document["webhook_timeout"]),
    )


def _policy(place: str, row: Mapping[str, Any]) -> RetryPolicy:
    known_keys(place, row, required={"retry_after"}, optional={"inquire_after", "spread_percent"})
    return RetryPolicy(
        _times(f"{place}.retry_after", row["retry_after"]),
        _times(f"{place}.inquire_after", row.get("inquire_after", [])),
        whole(f"{place}.spread_percent", row.get("spread_percent", 0), 0, 100),
    )


def _times(place: str, texts: Any) -> tuple[timedelta, ...]:
    if not isinstance(texts, list):
        raise NormError("norm_error.table.not_a_list", place=place)
    return tuple(_time(place, text) for text in texts)


def _time(place: str, text: Any) -> timedelta:
    found = _TIME.fullmatch(str(text))
    if found is None:
        raise NormError("norm_error.jobs.time", place=place, text=str(text))
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
