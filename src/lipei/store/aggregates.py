"""Aggregates between their frozen form and their rows: loading a snapshot, writing the changes of events.

Both directions go by the fields of the parts, so no column is named twice. Loading costs one query per kind of part,
writing one statement per kind of new part and one per altered part, however many claims there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from typing import Any

import orjson
from django.db import connection
from django.db import models as dj

from lipei.domain.claims import Case
from lipei.domain.events import Aggregate, Event, merged
from lipei.domain.limits import PolicyLedger
from lipei.store import crypto, models
from lipei.store.fields import CanonicalField, EncryptedTextField
from lipei.store.journal import Head
from lipei.store.parts import defaults

TABLES: Mapping[str, Mapping[str, Any]] = {
    Case.kind: {
        "claim": models.Claim, "party": models.Party, "exposure": models.Exposure, "paper": models.Paper,
        "document": models.Document, "survey": models.Survey, "consultation": models.Consultation,
        "offer": models.Offer, "payment": models.Payment, "recovery": models.Recovery, "note": models.Note,
        "clock": models.Clock,
    },
    PolicyLedger.kind: {"ledger": models.Ledger, "usage": models.Usage},
}  # fmt: skip
ROOTS = {Case.kind: "claim", PolicyLedger.kind: "ledger"}
CLASSES: Mapping[str, type[Aggregate]] = {Case.kind: Case, PolicyLedger.kind: PolicyLedger}


@dataclass(frozen=True)
class Loaded:
    """A snapshot and the head of its stream as they were read together."""

    aggregate: Any
    head: Head


@cache
def names(part: type) -> tuple[str, ...]:
    """The columns of a part, without its number."""
    return tuple(f.name for f in fields(part) if f.name != "part")


def head(kind: str, stream_id: int) -> Head | None:
    """The head of a stream, or None where nothing was written yet."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT version, head, salt FROM stream WHERE kind = %s AND stream_id = %s", [kind, stream_id])
        row = cursor.fetchone()
    return None if row is None else Head(kind, stream_id, row[0], bytes(row[1]), bytes(row[2]))


def load(cls: type[Aggregate], stream_id: int, entities: Iterable[str] | None = None) -> Loaded | None:
    """The snapshot of an aggregate, or None. ``entities`` loads only some kinds of part (a reader's choice, not a rule's).

    The head is read first: a write in between makes the version old, and the write path refuses it.
    """
    stream = head(cls.kind, stream_id)
    if stream is None:
        return None
    parts: dict[str, dict[int, Any]] = {}
    for entity in entities or cls.entities:
        parts[entity] = _parts(cls, entity, stream_id)
    return Loaded(cls(id=stream_id, version=stream.version, parts=parts), stream)


def _parts(cls: type[Aggregate], entity: str, stream_id: int) -> dict[int, Any]:
    part, model = cls.entities[entity], TABLES[cls.kind][entity]
    root = ROOTS[cls.kind] == entity
    columns = ("id", *names(part)) if root else ("part", *names(part))
    statement, convert = _reader(model, columns, "id" if root else "aggregate_id", connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(statement, [stream_id])
        rows = cursor.fetchall()
    found = [[c(v) if c and v is not None else v for c, v in zip(convert, row, strict=True)] for row in rows]
    if root:
        return {0: part(0, *found[0][1:])} if found else {}
    return {row[0]: part(*row) for row in found}


def row(model: Any, key: str, value: Any) -> Any | None:
    """The row with this value in a unique column, or None: a queryset's `first`, its statement put together once."""
    columns = tuple(field.attname for field in model._meta.concrete_fields)
    statement, convert = _reader(model, columns, key, connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(statement, [value])
        found = cursor.fetchone()
    if found is None:
        return None
    values = [c(v) if c and v is not None else v for c, v in zip(convert, found, strict=True)]
    return model.from_db(connection.alias, columns, values)


@cache
def _reader(
    model: Any, columns: tuple[str, ...], key: str, vendor: str
) -> tuple[str, tuple[Callable[[Any], Any] | None, ...]]:
    """The statement that reads an aggregate's parts, and per column what makes a value of it.

    Every command loads a dozen kinds of part: to put the same statement together each time would cost more than to run it.
    """
    quote = connection.ops.quote_name
    fields_ = [model._meta.get_field(name) for name in columns]
    listed = ", ".join(quote(field.column) for field in fields_)
    order = f" ORDER BY {quote('part')}" if key == "aggregate_id" else ""
    statement = f"SELECT {listed} FROM {quote(model._meta.db_table)} WHERE {quote(key)} = %s{order}"
    return statement, tuple(_from_database(model, field) for field in fields_)


def _from_database(model: Any, field: Any) -> Callable[[Any], Any] | None:
    """What Django would do to a value of this column on the way out, or None where it comes as it is."""
    column = field.get_col(model._meta.db_table)
    steps = [*connection.ops.get_db_converters(column), *column.get_db_converters(connection)]

    def convert(value: Any) -> Any:
        for step in steps:
            value = step(value, column, connection)
        return value

    return convert if steps else None


# --- writing ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RowChange:
    """What one row becomes: every column for a new row, the changed ones for an old row."""

    kind: str
    entity: str
    stream_id: int
    part: int
    new: bool
    columns: Mapping[str, Any]


def row_changes(before: Aggregate, events: Iterable[Event]) -> list[RowChange]:
    """The rows that these events put or alter, several changes of one part taken together."""
    found = []
    for (entity, part), columns in merged(events).items():
        new = part not in before.of(entity)
        if not new and not columns:
            continue  # an event may restate what was, and change nothing
        if new:
            columns = {**defaults(before.entities[entity]), **columns}
            columns.pop("part", None)
        found.append(RowChange(before.kind, entity, before.id, part, new, {**columns, **derived(entity, columns)}))
    return found


def derived(entity: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    """The blind indexes that follow from a party's columns."""
    found: dict[str, Any] = {}
    if entity == "party":
        for name in ("phone", "id_number"):
            if name in columns:
                found[f"{name}_index"] = crypto.blind_index(name, normal(columns[name]))
    return found


def normal(value: str) -> str:
    """A phone, plate or identity number as it is compared: no spaces, hyphens or case; no leading +86."""
    plain = "".join(c for c in value if c.isalnum()).upper()
    return plain[2:] if value.strip().startswith("+86") else plain


def insert_many(
    model: Any, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, ignore_known: bool = False
) -> None:
    """One INSERT of many rows; ``ignore_known`` passes over rows that a unique key has already.

    On PostgreSQL the rows travel as one JSON document: one parameter instead of hundreds, and a statement that is the
    same for any number of rows and stays prepared. SQLite takes the rows as they are.
    """
    if not rows:
        return
    columns = tuple(columns)
    prepare = converters(model, columns, connection.vendor)
    values = [[c(v) if c else v for c, v in zip(prepare, row, strict=True)] for row in rows]
    known = " ON CONFLICT DO NOTHING" if ignore_known else ""
    if connection.vendor == "postgresql":
        document = orjson.dumps([dict(zip(columns, row, strict=True)) for row in values]).decode()
        _send(_from_json(model, columns) + known, document)
        return
    one = "(" + ", ".join(["%s"] * len(columns)) + ")"
    statement = f"{_into(model, columns)} VALUES {', '.join([one] * len(values))}{known}"
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for row in values for value in row])


@cache
def converters(model: Any, columns: tuple[str, ...], vendor: str) -> tuple[Callable[[Any], Any] | None, ...]:
    """Per column how a value is prepared for `insert_many`, or None where it goes as it is."""
    same = (dj.IntegerField, dj.CharField, dj.TextField, dj.BooleanField)

    def of(field: Any) -> Callable[[Any], Any] | None:
        if isinstance(field, CanonicalField):
            return field.get_prep_value
        if isinstance(field, same):
            return None
        if vendor != "postgresql":
            return lambda value: field.get_db_prep_save(value, connection)
        if isinstance(field, EncryptedTextField):
            return lambda value: _hex(crypto.encrypt(value))
        if isinstance(field, dj.BinaryField):
            return _hex
        assert isinstance(field, dj.DateTimeField), f"{field}: no form in JSON"
        return None

    return tuple(of(model._meta.get_field(column)) for column in columns)


def _hex(data: bytes) -> str:
    """Bytes as PostgreSQL reads them in a text."""
    return "\\x" + data.hex()


def _into(model: Any, columns: Sequence[str]) -> str:
    quote = connection.ops.quote_name
    names_ = ", ".join(quote(model._meta.get_field(c).column) for c in columns)
    return f"INSERT INTO {quote(model._meta.db_table)} ({names_})"


@cache
def _from_json(model: Any, columns: tuple[str, ...]) -> str:
    quote = connection.ops.quote_name
    types = (str(model._meta.get_field(c).db_type(connection)).partition("(")[0] for c in columns)
    typed = ", ".join(f"{quote(c)} {t}" for c, t in zip(columns, types, strict=True))
    return f"{_into(model, columns)} SELECT * FROM json_to_recordset((%s)::json) AS row_({typed})"


_waiting: ContextVar[list[tuple[str, str]] | None] = ContextVar("waiting", default=None)
"""The inserts of a `sent_together` block, each with its document."""


@contextmanager
def sent_together() -> Iterator[None]:
    """The `insert_many` of this block become one statement on PostgreSQL: one way there and back for all tables.

    They are sent at the end of the block, which raises what is wrong with any of them. SQLite is not far away and does
    without.
    """
    waiting: list[tuple[str, str]] = []
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)
    if waiting:
        with connection.cursor() as cursor:
            cursor.execute(_as_one(tuple(s for s, _ in waiting)), [document for _, document in waiting])


def _send(statement: str, document: str) -> None:
    """Insert from a document, now or together with the rest of the block."""
    waiting = _waiting.get()
    if waiting is not None:
        waiting.append((statement, document))
        return
    with connection.cursor() as cursor:
        cursor.execute(statement, [document])


@lru_cache(maxsize=256)
def _as_one(statements: tuple[str, ...]) -> str:
    """Several inserts as one statement: none of them reads what another writes, so their order is all the same."""
    *others, last = statements
    named = ", ".join(f"i{n} AS ({statement})" for n, statement in enumerate(others))
    return f"WITH {named} {last}" if others else last


def update_rows(changes: Iterable[RowChange]) -> None:
    """Write the changes of rows that are there, one by one."""
    for change in changes:
        if not change.new:
            _update(change)


def insert_rows(changes: Iterable[RowChange]) -> None:
    """Write the new rows, those of one kind together."""
    fresh: dict[tuple[str, str], list[RowChange]] = {}
    for change in changes:
        if change.new:
            fresh.setdefault((change.kind, change.entity), []).append(change)
    for (kind, entity), made in fresh.items():
        root = ROOTS[kind] == entity
        columns = tuple(made[0].columns)
        keys = ("id",) if root else ("aggregate_id", "part")
        rows = [
            ((c.stream_id,) if root else (c.stream_id, c.part)) + tuple(c.columns[name] for name in columns)
            for c in made
        ]
        insert_many(TABLES[kind][entity], (*keys, *columns), rows)


def _update(change: RowChange) -> None:
    model = TABLES[change.kind][change.entity]
    key = (
        {"id": change.stream_id}
        if ROOTS[change.kind] == change.entity
        else {"aggregate_id": change.stream_id, "part": change.part}
    )
    changed = model.objects.filter(**key).update(**change.columns)
    assert changed == 1, f"{change.entity}/{change.part} of {change.kind} {change.stream_id}: {changed} rows"
