"""The job table, read from its document: how patient background work is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any

from lipei.domain.deliveries import RetryPolicy
from lipei.domain.jobs import JobTable
from lipei.domain.messages import CHANNELS
from lipei.norms.errors import NormError
from lipei.norms.lines import known_codes, known_keys

SWEEPS = ("clocks", "duty", "offers", "papers", "norms", "bank_asking", "tidying", "retention", "seals")
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
    known_codes("jobs.channels", document["channels"], CHANNELS)
    known_keys("jobs.every", document["every"], required=set(SWEEPS))
    batch = document["batch"]
    if not isinstance(batch, int) or isinstance(batch, bool) or batch < 1:
        raise NormError("norm_error.table.not_a_number", place="jobs.batch")
    return JobTable(
        channels={name: _policy(f"jobs.channels.{name}", row) for name, row in document["channels"].items()},
        webhooks=_policy("jobs.webhooks", document["webhooks"]),
        lease=_time("jobs.lease", document["lease"]),
        every={name: _time(f"jobs.every.{name}", text) for name, text in document["every"].items()},
        batch=batch,
        bank_ask_after=_time("jobs.bank_ask_after", document["bank_ask_after"]),
        key_keep=_time("jobs.key_keep", document["key_keep"]),
        webhook_timeout=_time("jobs.webhook_timeout", document["webhook_timeout"]),
    )


@cache
def shipped() -> JobTable:
    """The table as shipped."""
    from lipei.norms.loader import default_text, read

    return parse(read(default_text("jobs")))


def _policy(place: str, row: Mapping[str, Any]) -> RetryPolicy:
    known_keys(place, row, required={"retry_after"}, optional={"inquire_after", "spread_percent"})
    spread = row.get("spread_percent", 0)
    if not isinstance(spread, int) or isinstance(spread, bool) or not 0 <= spread <= 100:
        raise NormError("norm_error.table.not_a_number", place=f"{place}.spread_percent")
    return RetryPolicy(
        tuple(_time(place, text) for text in row["retry_after"]),
        tuple(_time(place, text) for text in row.get("inquire_after", ())),
        spread,
    )


def _time(place: str, text: Any) -> timedelta:
    found = _TIME.fullmatch(str(text))
    if found is None:
        raise NormError("norm_error.jobs.time", place=place, text=str(text))
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
