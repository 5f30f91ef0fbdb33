"""The sweep for due clocks: its cost follows the clocks that are due, not those that are open."""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime, timedelta

from benchmarks import application, company, database
from benchmarks.figures import Figure
from benchmarks.options import Options
from benchmarks.reports import body, database_url

DUE, OPEN_FEW, OPEN_MANY = 40, 500, 50_000
ROUNDS = 5


def run(options: Options) -> list[Figure]:
    """Seconds per due claim with few and with many open clocks, and of a sweep that finds nothing."""
    company.set_up()
    from django.conf import settings

    from lipei.services import sweeps

    url, now = database_url(settings.DATABASES["default"]), datetime.now(UTC)
    company.colleagues()
    company.policies(DUE * (2 * ROUNDS + 1), now=now)
    secret = company.token()
    late = now + timedelta(days=60)
    made = 0

    def due_ms() -> float:
        """Milliseconds of a sweep over fresh claims, all of whose promises have been broken."""
        nonlocal made
        for _ in range(DUE):
            application.post(secret, "/api/v1/claims", body(made, now))
            made += 1
        begun = time.perf_counter()
        swept = sweeps.clocks(now=late, limit=DUE * 4)
        taken = (time.perf_counter() - begun) * 1000
        assert swept == DUE, swept
        return taken / DUE

    def idle_ms() -> float:
        begun = time.perf_counter()
        assert sweeps.clocks(now=late, limit=DUE) == 0
        return (time.perf_counter() - begun) * 1000

    due_ms()
    _open_until(OPEN_FEW, late)
    database.tidy(url)
    few = statistics.median(due_ms() for _ in range(ROUNDS))
    idle_few = statistics.median(idle_ms() for _ in range(20))
    _open_until(OPEN_MANY, late)
    database.tidy(url)
    many = statistics.median(due_ms() for _ in range(ROUNDS))
    idle_many = statistics.median(idle_ms() for _ in range(20))
    return [
        Figure(
            f"sweep with {OPEN_MANY:,} open clocks beside {OPEN_FEW:,}, {DUE} claims due", many / few, "times",
            at_most=1.5, note=f"{few:.1f} ms and {many:.1f} ms per claim due, each with all its breaches",
        ),
        Figure(
            f"sweep that finds nothing, {OPEN_MANY:,} open clocks", idle_many, "ms",
            note=f"{idle_few:.2f} ms with {OPEN_FEW:,}",
        ),
    ]  # fmt: skip


def _open_until(count: int, late: datetime) -> None:
    """Open clocks that fall due after ``late``: copies of one that a report started, on claims nobody asks for."""
    from django.db import connection

    from lipei.store import models

    other = {
        "aggregate_id": "-g.n",
        "state": "'running'",
        "breached_at": "NULL",
        "due_at": f"'{(late + timedelta(days=1)).isoformat()}'::timestamptz + make_interval(mins => (g.n % 50000)::int)",
        "warn_at": f"'{(late + timedelta(days=1)).isoformat()}'::timestamptz + make_interval(mins => (g.n % 50000)::int)",
    }
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM clock WHERE aggregate_id < 0")
        company.copied(
            cursor, models.Clock, other, f"generate_series(1, {count}) AS g(n)", "o.id = (SELECT min(id) FROM clock)"
        )
