"""Altering what the product wrote, behind its back."""

from __future__ import annotations

from typing import Any

from django.db import connection
from tests.company import NOW

from lipei.services import verify
from lipei.store import journal


def sql(statement: str, *values: Any) -> int:
    """The number of rows that a statement touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount


def without_guards() -> None:
    """Take the triggers away: whoever owns the database can."""
    ends = ("row", "all") if connection.vendor == "postgresql" else ("update", "delete")
    for table in journal.GUARDED:
        for end in ends:
            on = f" ON {table}" if connection.vendor == "postgresql" else ""
            sql(f"DROP TRIGGER {table}_append_only_{end}{on}")


def found(comparison: str, place: str = "") -> list[str]:
    """The differences of one comparison; the guards, dropped by the test itself, aside."""
    everything = [d for d in verify.differences(now=NOW) if d.comparison != "guards"]
    chosen = [str(d) for d in everything if d.comparison == comparison and place in d.place]
    assert chosen, everything
    return chosen
