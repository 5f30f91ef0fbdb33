"""A calculation to try the terms with: one loss under one cover of a policy that nobody has (norm 2.2.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from lipei.domain.events import Refusal
from lipei.domain.limits import PolicyLedger
from lipei.domain.policies import Policy
from lipei.domain.settlement.engine import Accident, settle
from lipei.domain.settlement.results import Settlement
from lipei.domain.settlement.terms import Terms
from lipei.domain.settlement.values import Loss

YEAR = timedelta(days=365)


def trial(
    *,
    terms: Terms,
    cover: str,
    peril: str,
    schedule: Mapping[str, Any],
    facts: Mapping[str, Any],
    items: Sequence[Mapping[str, Any]],
    now: datetime,
) -> Settlement | Refusal:
    """What the terms give for a loss now, under a policy in force for a year, with nothing used of any limit.

    By the same rule as for a claim; wrong fields are named as there (``facts.fault_percent``, ``schedule.limit_minor``).
    """
    policy = Policy(
        id=0, number="", product=terms.code, terms_version=terms.version, currency=terms.currency,
        starts_at=now - YEAR, ends_at=now + YEAR, schedule={cover: schedule},
    )  # fmt: skip
    loss = Loss(exposure=1, cover=cover, peril=peril, facts=facts, items=items)
    accident = Accident("", now, terms.currency)
    return settle(terms=terms, policy=policy, accident=accident, loss=loss, ledger=PolicyLedger(id=0))
