"""The hint that worklists are sorted by: the next promise to fall due."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lipei.domain.claims import Case, Claim, Clock
from lipei.services.consequences import next_due

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def clock(part: int, binds: str, hours: int, state: str = "running") -> Clock:
    return Clock(part, promise=f"p{part}", state=state, binds=binds, due_at=NOW + timedelta(hours=hours))


def case(*clocks: Clock) -> Case:
    return Case(1, 1, {"claim": {0: Claim(0)}, "clock": {c.part: c for c in clocks}})


def test_the_promise_that_breaks_first_counts_and_a_teams_target_does_not() -> None:
    law, own, target = clock(1, "law", 30), clock(2, "company", 4), clock(3, "team", -90)
    assert next_due(case(law, own, target)) == own.due_at
    assert next_due(case(law, clock(2, "company", 4, "paused"), target)) == law.due_at
    assert next_due(case(target)) is None
