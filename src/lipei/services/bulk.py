"""The second gear of the one write path: many new aggregates in one transaction.

What `unit_of_work.commit` does for one decision this does for thousands at a time: the same events, the same chain
(`journal.rows`), the same rows (the changes of the events), all of a batch or none. What is left out is what history
does not have: clocks, deliveries and webhooks. Only streams that do not exist yet are written, so there is no version
to move; a stream or number that somebody took meanwhile undoes the batch (`IntegrityError`) and the caller looks again.

On PostgreSQL rows travel by COPY, on SQLite by a prepared INSERT.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection, transaction

from lipei.domain.claims import Case
from lipei.domain.events import Event
from lipei.services.unit_of_work import Write
from lipei.store import aggregates, claim_tokens, journal, models
from lipei.store.aggregates import ROOTS, TABLES
from lipei.store.parts import defaults

STREAM = ("kind", "stream_id", "version", "head", "salt", "sealed_version")
Rows = list[Sequence[Any]]


def append(writes: Sequence[Write], *, now: datetime, cause: str) -> None:
    """Write new aggregates with their journals, in one transaction. Raises IntegrityError where one is taken."""
    streams: Rows = []
    entries: Rows = []
    parts: dict[tuple[str, str], Rows] = {}
    tokens: Rows = []
    for write in writes:
        aggregate = write.loaded.aggregate
        assert write.loaded.head.version == 0, "the second gear writes new streams only"
        rows, head = journal.rows(type(aggregate), write.loaded.head, write.events, cause=cause, now=now)
        entries += [row.values for row in rows]
        streams.append((head.kind, head.stream_id, head.version, head.hash, head.salt, 0))
        merged = _merged(event for event, _ in write.events)
        for (entity, part), fields in merged.items():
            row = _shape(head.kind, entity, connection.vendor).row(head.stream_id, part, fields)
            parts.setdefault((head.kind, entity), []).append(row)
        if head.kind == Case.kind:
            tokens += [(token, head.stream_id) for token in _tokens(merged)]
    with transaction.atomic():
        _insert(models.Stream, STREAM, streams)
        _insert(models.Entry, journal.COLUMNS, entries)
        for (kind, entity), found in parts.items():
            _put(TABLES[kind][entity], _shape(kind, entity, connection.vendor).columns, found)
        _insert(models.SearchToken, ("token", "claim_id"), tokens)


def _merged(events: Iterable[Event]) -> dict[tuple[str, int], dict[str, Any]]:
    """The fields of each part after all its changes."""
    merged: dict[tuple[str, int], dict[str, Any]] = {}
    for event in events:
        for change in event.changes:
            merged.setdefault((change.entity, change.part), {}).update(change.fields)
    return merged


def _tokens(merged: Mapping[tuple[str, int], Mapping[str, Any]]) -> list[int]:
    return sorted({token for (entity, _), fields in merged.items() for token in claim_tokens.of(entity, fields)})


@dataclass(frozen=True)
class _Shape:
    """How a part of one kind becomes a row: its columns, the row of nothing but defaults, and what prepares a value."""

    entity: str
    root: bool
    columns: tuple[str, ...]
    empty: tuple[Any, ...]
    place: Mapping[str, int]
    prepare: tuple[Callable[[Any], Any] | None, ...]

    def row(self, stream_id: int, part: int, fields: Mapping[str, Any]) -> list[Any]:
        """The row of a new part, every value as the database takes it."""
        row = list(self.empty)
        row[0] = stream_id
        if not self.root:
            row[1] = part
        for name, value in (*fields.items(), *aggregates.derived(self.entity, fields).items()):
            at = self.place[name]
            prepare = self.prepare[at]
            row[at] = prepare(value) if prepare else value
        return row


@cache
def _shape(kind: str, entity: str, vendor: str) -> _Shape:
    model, root = TABLES[kind][entity], ROOTS[kind] == entity
    values = defaults(aggregates.CLASSES[kind].entities[entity])
    values.pop("part", None)
    keys = ("id",) if root else ("aggregate_id", "part")
    others = [f for f in model._meta.concrete_fields if f.name not in (*keys, *values) and f.name != "id"]
    values |= {f.name: f.get_default() for f in others}  # columns beside the part's own: blind indexes, hints
    columns = (*keys, *values)
    prepare = aggregates.converters(model, columns, vendor)
    empty = [
        c(v) if c and v is not None else v for c, v in zip(prepare, (*(0 for _ in keys), *values.values()), strict=True)
    ]
    return _Shape(entity, root, columns, tuple(empty), {name: n for n, name in enumerate(columns)}, prepare)


def _insert(model: Any, columns: tuple[str, ...], rows: Rows) -> None:
    """Insert rows whose values are still as the domain has them."""
    prepare = aggregates.converters(model, columns, connection.vendor)
    if any(prepare):
        rows = [[c(v) if c else v for c, v in zip(prepare, row, strict=True)] for row in rows]
    _put(model, columns, rows)


def _put(model: Any, columns: Sequence[str], rows: Rows) -> None:
    """Insert prepared rows."""
    if not rows:
        return
    quote = connection.ops.quote_name
    into = f"{quote(model._meta.db_table)} ({', '.join(quote(model._meta.get_field(c).column) for c in columns)})"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with connection.wrap_database_errors, cursor.copy(f"COPY {into} FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            cursor.executemany(f"INSERT INTO {into} VALUES ({', '.join(['%s'] * len(columns))})", rows)
