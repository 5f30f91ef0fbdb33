"""The rulebook in force: which versions of the norm tables hold now, as one frozen value.

Versions are only ever added, so their number says whether anything is new; the parsed tables are kept in the process
for as long as that number stays the same. An edit holds everywhere from the next question on, and nobody is told.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import IntegerField
from django.db.models.expressions import RawSQL

from lipei.domain.rulebook import Rulebook
from lipei.norms import loader, texts
from lipei.store import models

EDITS_COUNT = "(SELECT COUNT(*) FROM norm_version)"
SUBSCRIBED = "(SELECT COUNT(*) * 1000000 + COUNT(CASE WHEN active THEN 1 END) FROM webhook)"
"""What differs whenever a webhook was added or stopped: rows are never removed, and none comes back to life."""
_seen: ContextVar[tuple[int, int] | None] = ContextVar("seen", default=None)
"""Edits and subscriptions as this thread last read them. Of each thread's own: another may have read at another time."""
_held: ContextVar[list[int] | None] = ContextVar("held", default=None)
"""In a block of `held`: the number of edits that were there when it was first asked for, once it was."""


def current() -> Rulebook:
    """The rulebook in force. One query; within a block of `held` only the first time."""
    held_at = _held.get()
    if held_at is not None and held_at:
        return at(held_at[0])
    with connection.cursor() as cursor:  # every command asks: the plain cursor costs a fraction of a queryset
        cursor.execute(f"SELECT {EDITS_COUNT}, {SUBSCRIBED}")
        edits_count, subscribed = cursor.fetchone()
    _seen.set((edits_count, subscribed))
    if held_at is not None:
        held_at.append(edits_count)
    return at(edits_count)


def note(edits_count: int, subscribed: int) -> None:
    """The same, read on the way beside something else: within a block of `held` nobody asks for it again."""
    held_at = _held.get()
    if held_at is not None and not held_at:
        held_at.append(edits_count)
        _seen.set((edits_count, subscribed))


def subscribed() -> int | None:
    """`SUBSCRIBED` as it was read with the rulebook that is worked by; None where none was asked for."""
    seen = _seen.get()
    return seen[1] if seen else None


@contextmanager
def held() -> Iterator[None]:
    """One piece of work by one rulebook: an edit made meanwhile holds from the next piece on. Not for what edits."""
    token = _held.set([])
    try:
        yield
    finally:
        _held.reset(token)


def used() -> Rulebook:
    """The rulebook that `current` gave last in this thread: for an answer about what was just done by it. No query."""
    seen = _seen.get()
    return at(seen[0]) if seen else current()


def counting_edits(rows: Any) -> Any:
    """The rows with the number of edits beside each (``edits_count``): a reader saves the query of `current`."""
    return rows.annotate(edits_count=RawSQL(EDITS_COUNT, (), output_field=IntegerField()))


def own(**which: Any) -> dict[str, list[tuple[int, str]]]:
    """The company's own versions by table, oldest first, each with what its seeds gave when it was made."""
    rows = models.NormVersion.objects.filter(**which).order_by("table", "version")
    found: dict[str, list[tuple[int, str]]] = {}
    for table, version, text, seeds in rows.values_list("table", "version", "document", "seeds"):
        found.setdefault(table, []).append((version, text + seeds))
    return found


@lru_cache(maxsize=4)
def at(edits_count: int) -> Rulebook:
    """The rulebook after so many edits."""
    edits = own() if edits_count else {}
    texts.adopt(loader.texts_of(edits))
    return loader.rulebook(edits, market=settings.LIPEI_MARKET)
