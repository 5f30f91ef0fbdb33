"""The one write path: what was decided becomes durable, wholly or not at all.

`commit` takes the decisions on one or more aggregates and, in one short transaction,

1. moves every touched stream from the version that was read to the new one, in a fixed order; whoever was faster wins,
   the other gets `Stale` and decides again on what is true now;
2. appends the entries to the journal;
3. writes the rows that the same changes describe;
4. writes what follows of itself and must not be lost: deliveries, bank orders, webhooks, search tokens.

The clocks are decided before the transaction begins, by the same pure function that `verify` uses: `promises.react`.
Rules run before the lock is taken, since SQLite has one writer. Nothing here calls the world outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import Any

from django.db import IntegrityError, OperationalError, connection, transaction

from lipei.domain import promises
from lipei.domain.claims import Case
from lipei.domain.events import Actor, Aggregate, Event
from lipei.domain.registers import REGISTERS
from lipei.domain.rulebook import Rulebook
from lipei.services import consequences, owing
from lipei.services.consequences import OrderLeaving
from lipei.services.owing import Insert
from lipei.store import aggregates, journal, models, trouble
from lipei.store.aggregates import Loaded

STREAM = ("kind", "stream_id", "version", "head", "salt", "sealed_version")
_MOVE = "UPDATE stream SET version = %s, head = %s WHERE kind = %s AND stream_id = %s AND version = %s"
CLOCKWORK = Actor("system:clocks", "clocks")
ORDER = ("policy", "claim", *(register.kind for register in REGISTERS))
"""The order in which streams are moved. The same for everybody, so that two writers never wait for each other."""


class Stale(Exception):
    """Somebody else wrote to an aggregate between the reading and the writing. Decide again."""


@dataclass(frozen=True)
class Write:
    """What was decided on one aggregate: what was read, and the events with who caused each."""

    loaded: Loaded
    events: tuple[tuple[Event, Actor], ...]

    @cached_property
    def after(self) -> Any:
        """The aggregate as it will be."""
        return self.loaded.aggregate.after(event for event, _ in self.events)


@dataclass(frozen=True)
class Committed:
    """What was written: the aggregates as they are now, by kind and id, and their events with their sequence numbers."""

    aggregates: dict[tuple[str, int], Any]
    events: tuple[tuple[int, Event], ...]


def begin(cls: type[Aggregate], stream_id: int) -> Loaded:
    """The empty aggregate of a stream that does not exist yet."""
    return Loaded(cls(id=stream_id), journal.new_head(cls.kind, stream_id))


def commit(
    writes: Sequence[Write],
    *,
    rulebook: Rulebook,
    now: datetime,
    cause: str = "",
    inside: Callable[[], None] | None = None,
    secret: str = "",
    beside: Sequence[Insert] = (),
    owes: Mapping[str, str] = MappingProxyType({}),
) -> Committed:
    """Make decisions durable. Raises `Stale` where a stream moved meanwhile; then nothing was written.

    ``beside`` are rows that stand or fall with the decision (an idempotency key, a bank's answer); its first entry names
    them, and ``owes`` besides, which are there already. ``inside`` does what else must (a
    claimed lease) and may raise to undo everything. ``cause`` names the command or entry that led here. ``secret`` is
    a one-time code that only its message may carry.
    """
    writes = sorted((with_clocks(w, rulebook, now) for w in writes if w.events), key=_order)
    follow = consequences.of(writes, rulebook=rulebook, now=now, secret=secret, owes={**owing.beside(beside), **owes})
    prepared = [_entries(w, follow, cause, now) for w in writes]
    changes = consequences.with_hints(
        [c for w in writes for c in aggregates.row_changes(w.loaded.aggregate, [e for e, _ in w.events])], writes
    )
    fresh = all(w.loaded.head.version == 0 for w in writes)
    inserts_only = fresh and inside is None and not (follow.webhooks or follow.stopped)
    try:
        with _transaction(inserts_only):
            _move(writes, [head for _, head in prepared])
            with aggregates.sent_together():
                aggregates.update_rows(changes)
                aggregates.insert_many(models.Stream, STREAM, _fresh(writes, [head for _, head in prepared]))
                aggregates.insert_many(models.Entry, journal.COLUMNS, [r.values for rows, _ in prepared for r in rows])
                aggregates.insert_rows(changes)
                follow.write()
                for model, columns, rows in beside:
                    aggregates.insert_many(model, columns, rows)
            follow.forget_tokens()
            follow.stop_orders(now)
            if inside is not None:
                inside()
    except OrderLeaving as error:
        raise Stale("an order that is leaving") from error
    except OperationalError as error:
        if trouble.collided(error):
            raise Stale("two transactions in each other's way") from error
        raise
    except IntegrityError as error:
        if _taken(writes):
            raise Stale("a stream that was to begin here") from error
        raise
    numbered = [
        (row.sequence, event)
        for w, (rows, _) in zip(writes, prepared, strict=True)
        for row, (event, _) in zip(rows, w.events, strict=True)
    ]
    return Committed({(w.loaded.head.kind, w.loaded.head.stream_id): w.after for w in writes}, tuple(numbered))


def _entries(
    write: Write, follow: consequences.Consequences, cause: str, now: datetime
) -> tuple[list[journal.Row], journal.Head]:
    """The entries of a decision, each with what it owes."""
    head = write.loaded.head
    owes = follow.owes[head.kind, head.stream_id]
    return journal.rows(type(write.loaded.aggregate), head, write.events, cause=cause, now=now, owes=owes)


def _transaction(inserts_only: bool) -> AbstractContextManager[Any]:
    """Wholly or not at all. On PostgreSQL inserts travel as one statement (`aggregates.sent_together`), and one that
    stands alone is a transaction of its own: nobody waits for BEGIN and COMMIT."""
    if inserts_only and connection.vendor == "postgresql" and not connection.in_atomic_block:
        return nullcontext()
    return transaction.atomic()


def _order(write: Write) -> tuple[int, int]:
    return ORDER.index(write.loaded.head.kind), write.loaded.head.stream_id


def with_clocks(write: Write, rulebook: Rulebook, now: datetime) -> Write:
    """The decision and what it does to the promises running on the claim."""
    if not isinstance(write.loaded.aggregate, Case):
        return write
    events = tuple(event for event, _ in write.events)
    ticks = promises.react(
        case=write.after, events=events, promises=rulebook.promises, calendars=rulebook.calendars, now=now
    )
    ticked = Write(write.loaded, (*write.events, *((tick, CLOCKWORK) for tick in ticks)))
    # From now on the customer sees these dates, in the receipt and in the portal: they are told.
    told = promises.told(case=ticked.after, promises=rulebook.promises) if ticks else ()
    if not told:
        return ticked
    return Write(
        write.loaded,
        (*ticked.events, (Event("clock.told", 0, {"clocks": tuple(c.part for c in told)}, told), CLOCKWORK)),
    )


def _move(writes: Sequence[Write], heads: Sequence[journal.Head]) -> None:
    """Step 1 for streams that were there: from the version that was read to the new one, or `Stale`."""
    for write, head in zip(writes, heads, strict=True):
        if write.loaded.head.version == 0:
            continue
        with connection.cursor() as cursor:
            cursor.execute(_MOVE, [head.version, head.hash, head.kind, head.stream_id, write.loaded.head.version])
            moved = cursor.rowcount
        if moved != 1:
            raise Stale(f"{head.kind} {head.stream_id}")


def _fresh(writes: Sequence[Write], heads: Sequence[journal.Head]) -> list[tuple[Any, ...]]:
    """The rows of streams that begin here."""
    return [
        (h.kind, h.stream_id, h.version, h.hash, h.salt, 0)
        for w, h in zip(writes, heads, strict=True)
        if w.loaded.head.version == 0
    ]


def _taken(writes: Sequence[Write]) -> bool:
    """Whether somebody else began one of the streams that were to begin here."""
    begun = (w.loaded.head for w in writes if w.loaded.head.version == 0)
    return any(aggregates.head(head.kind, head.stream_id) is not None for head in begun)


def in_transaction() -> bool:
    """Whether a transaction is open: gateways assert that none is before they speak to the world outside."""
    return connection.in_atomic_block
