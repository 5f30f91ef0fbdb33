"""Leases: a worker takes rows that are due, for a while; a worker that dies loses them by the clock (decision 0004).

A taken row carries ``leased_until``, and the due time of the same instant: so the index of due rows finds it again when
its worker has died. Whoever finishes a row does so on the condition that the lease is still the one it took.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists


class Watch:
    """How long a piece of work has been going on, in whole seconds.

    A lease is counted from when it is taken, however long ago the work began whose ``now`` we were given: else a worker
    that was slow for as long as a lease would hand out leases that have run out already.
    """

    def __init__(self) -> None:
        self._began = time.monotonic()

    def passed(self) -> timedelta:
        """Since the beginning."""
        return timedelta(seconds=int(time.monotonic() - self._began))


class LeaseLost(Exception):
    """The lease ran out and somebody else has the row: what was about to be recorded is theirs to record."""


def take(due: Any, *, now: datetime, lease: timedelta, limit: int, **columns: Any) -> list[Any]:
    """Take up to ``limit`` rows of a queryset, ordered by the caller; the rows as they were before they were taken.

    ``columns`` are set beside the lease. On PostgreSQL rows that another worker is taking are skipped, on SQLite there
    is one writer at a time; so no row is taken twice.
    """
    if not due.exists():
        return []  # an idle worker takes no lock
    until = now + lease
    with transaction.atomic():
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True)
        rows = list(due[:limit])
        type(rows[0])._default_manager.filter(id__in=[r.id for r in rows]).update(
            leased_until=until, due_at=until, **columns
        ) if rows else None
    for row in rows:
        row.leased_until = until
    return rows


def hold_on(row: Any, *, until: datetime, unless: Any | None = None, **columns: Any) -> bool:
    """Lengthen the lease on a row that is still ours, before something that may take long. Raises `LeaseLost`.

    False, and nothing is done, where the queryset ``unless`` finds something.
    """
    held = type(row)._default_manager.filter(id=row.id, leased_until=row.leased_until)
    free = held if unless is None else held.filter(~Exists(unless))
    if free.update(leased_until=until, due_at=until, **columns) != 1:
        if unless is not None and held.exists():
            return False
        raise LeaseLost(f"{type(row).__name__} {row.id}")
    row.leased_until = until
    return True


def finish(row: Any, **columns: Any) -> None:
    """Write the outcome on a row that is still ours, and give the lease back. Raises `LeaseLost`."""
    held = type(row)._default_manager.filter(id=row.id, leased_until=row.leased_until)
    if held.update(**{"leased_until": None, **columns}) != 1:
        raise LeaseLost(f"{type(row).__name__} {row.id}")
