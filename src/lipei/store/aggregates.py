"""Aggregates between their frozen form and their rows: loading a snapshot, writing the changes of events.

Both directions go by the fields of the parts, so no column is named twice. On PostgreSQL loading is one statement and
writing another; on SQLite, which is not far away, one per kind of part and per altered part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

import orjson
from django.db import connection
from django.db import models as dj

from lipei.domain.claims import Case
from lipei.domain.events import Aggregate, Event, merged
from lipei.domain.limits import PolicyLedger
from lipei.store import canonical, crypto, models
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
AS_IN_JSON = (dj.IntegerField, dj.CharField, dj.TextField, dj.BooleanField)
"""Columns whose values JSON has as well."""
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

    On PostgreSQL one statement reads everything, as of one instant. SQLite is asked part by part, the head first: a
    write in between makes the version old, and the write path refuses it.
    """
    wanted = tuple(entities or cls.entities)
    if connection.vendor == "postgresql":
        return _load_at_once(cls, stream_id, wanted)
    stream = head(cls.kind, stream_id)
    if stream is None:
        return None
    parts = {entity: _parts(cls, entity, stream_id) for entity in wanted}
    return Loaded(cls(id=stream_id, version=stream.version, parts=parts), stream)


def _parts(cls: type[Aggregate], entity: str, stream_id: int) -> dict[int, Any]:
    statement, convert = _reader(TABLES[cls.kind][entity], _columns(cls, entity), _key(cls, entity), connection.vendor)
    with connection.cursor() as cursor:
        cursor.execute(statement, [stream_id])
        return _shaped(cls, entity, cursor.fetchall(), convert)


def _shaped(
    cls: type[Aggregate], entity: str, rows: Iterable[Sequence[Any]], convert: Sequence[Callable[[Any], Any] | None]
) -> dict[int, Any]:
    """The parts of one kind by number, from rows of `_columns`."""
    part = cls.entities[entity]
    found = [[c(v) if c and v is not None else v for c, v in zip(convert, row, strict=True)] for row in rows]
    if ROOTS[cls.kind] == entity:
        return {0: part(0, *found[0][1:])} if found else {}
    return {row[0]: part(*row) for row in found}


def _key(cls: type[Aggregate], entity: str) -> str:
    return "id" if ROOTS[cls.kind] == entity else "aggregate_id"


def _columns(cls: type[Aggregate], entity: str) -> tuple[str, ...]:
    return ("id" if ROOTS[cls.kind] == entity else "part", *names(cls.entities[entity]))


def _load_at_once(cls: type[Aggregate], stream_id: int, wanted: tuple[str, ...]) -> Loaded | None:
    statement, convert = _whole(cls.kind, wanted)
    with connection.cursor() as cursor:
        cursor.execute(statement, [cls.kind, stream_id])
        row = cursor.fetchone()
    if row is None:
        return None
    version, last, salt, *documents = row
    parts = {
        entity: _shaped(cls, entity, orjson.loads(document) if document else (), convert[entity])
        for entity, document in zip(wanted, documents, strict=True)
    }
    return Loaded(
        cls(id=stream_id, version=version, parts=parts), Head(cls.kind, stream_id, version, bytes(last), bytes(salt))
    )


@cache
def _whole(kind: str, wanted: tuple[str, ...]) -> tuple[str, Mapping[str, tuple[Callable[[Any], Any] | None, ...]]]:
    """The statement that reads a head and each kind of part as a JSON list, and what makes values of a part's list."""
    cls, quote = CLASSES[kind], connection.ops.quote_name
    selected, convert = ["s.version", "s.head", "s.salt"], {}
    for entity in wanted:
        model, columns = TABLES[cls.kind][entity], _columns(cls, entity)
        fields_ = [model._meta.get_field(name) for name in columns]
        listed = ", ".join(quote(field.column) for field in fields_)
        selected.append(
            f"(SELECT json_agg(json_build_array({listed}) ORDER BY {quote(columns[0])}) "
            f"FROM {quote(model._meta.db_table)} WHERE {quote(_key(cls, entity))} = s.stream_id)::text"
        )
        convert[entity] = tuple(_out_of_json(field) for field in fields_)
    return f"SELECT {', '.join(selected)} FROM stream s WHERE s.kind = %s AND s.stream_id = %s", convert


def _out_of_json(field: Any) -> Callable[[Any], Any] | None:
    """What makes a value of a column of what PostgreSQL puts into JSON for it, or None where that is the value."""
    if isinstance(field, EncryptedTextField):
        return lambda value: crypto.decrypt(bytes.fromhex(value[2:]))
    if isinstance(field, CanonicalField):
        return canonical.loads
    if isinstance(field, dj.DateTimeField):
        return datetime.fromisoformat
    assert isinstance(field, AS_IN_JSON), f"{field}: no form in JSON"
    return None


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
        _send(_Waiting(f"{_into(model, columns)} SELECT * FROM {_rows_of(model, columns)}{known}", document))
        return
    one = "(" + ", ".join(["%s"] * len(columns)) + ")"
    statement = f"{_into(model, columns)} VALUES {', '.join([one] * len(values))}{known}"
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for row in values for value in row])


@cache
def converters(model: Any, columns: tuple[str, ...], vendor: str) -> tuple[Callable[[Any], Any] | None, ...]:
    """Per column how a value is prepared for `insert_many`, or None where it goes as it is."""

    def of(field: Any) -> Callable[[Any], Any] | None:
        if isinstance(field, CanonicalField):
            return field.get_prep_value
        if isinstance(field, AS_IN_JSON):
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


@cache
def _into(model: Any, columns: tuple[str, ...]) -> str:
    quote = connection.ops.quote_name
    names_ = ", ".join(quote(model._meta.get_field(c).column) for c in columns)
    return f"INSERT INTO {quote(model._meta.db_table)} ({names_})"


@cache
def _rows_of(model: Any, columns: tuple[str, ...]) -> str:
    """The rows of a JSON document as a table."""
    quote = connection.ops.quote_name
    fields_ = [model._meta.get_field(c) for c in columns]
    typed = ", ".join(f"{quote(f.column)} {str(f.db_type(connection)).partition('(')[0]}" for f in fields_)
    return f"json_to_recordset((%s)::json) AS row_({typed})"


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A statement of a `sent_together` block with its document, and how many rows it must alter (None: any number)."""

    statement: str
    document: str
    rows: int | None = None


_waiting: ContextVar[list[_Waiting] | None] = ContextVar("waiting", default=None)


@contextmanager
def sent_together() -> Iterator[None]:
    """What this block inserts and updates becomes one statement on PostgreSQL: one way there and back for all tables.

    It is sent at the end of the block, which raises what is wrong with any of it. SQLite is not far away and does
    without. No row may be written twice in a block: the parts of one statement do not see each other.
    """
    waiting: list[_Waiting] = []
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)
    if waiting:
        _run(waiting)


def _send(one: _Waiting) -> None:
    """Write from a document, now or together with the rest of the block."""
    waiting = _waiting.get()
    if waiting is None:
        _run([one])
    else:
        waiting.append(one)


def _run(waiting: Sequence[_Waiting]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _as_one(tuple((w.statement, w.rows is not None) for w in waiting)), [w.document for w in waiting]
        )
        altered = cursor.fetchone()
    wanted = tuple(w.rows for w in waiting if w.rows is not None)
    assert altered == (1, *wanted), f"rows altered: {altered[1:]}, to be altered: {wanted}"


@lru_cache(maxsize=512)
def _as_one(statements: tuple[tuple[str, bool], ...]) -> str:
    """Several statements as one that answers with 1 and the rows altered by each that is counted."""
    named = ", ".join(f"w{n} AS ({statement})" for n, (statement, _) in enumerate(statements))
    counts = "".join(f", (SELECT count(*) FROM w{n})" for n, (_, counted) in enumerate(statements) if counted)
    return f"WITH {named} SELECT 1{counts}"


def update_rows(changes: Iterable[RowChange]) -> None:
    """Write the changes of rows that are there."""
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
    if connection.vendor == "postgresql":
        columns = (*key, *change.columns)
        values = [
            c(v) if c else v
            for c, v in zip(
                converters(model, columns, connection.vendor), (*key.values(), *change.columns.values()), strict=True
            )
        ]
        document = orjson.dumps([dict(zip(columns, values, strict=True))]).decode()
        _send(_Waiting(_altering(model, columns, len(key)), document, rows=1))
        return
    changed = model.objects.filter(**key).update(**change.columns)
    assert changed == 1, f"{change.entity}/{change.part} of {change.kind} {change.stream_id}: {changed} rows"


@cache
def _altering(model: Any, columns: tuple[str, ...], keys: int) -> str:
    """The statement that alters rows found by the first ``keys`` columns of a document."""
    quote = connection.ops.quote_name
    named = [quote(model._meta.get_field(c).column) for c in columns]
    same = " AND ".join(f"t.{name} = row_.{name}" for name in named[:keys])
    altered = ", ".join(f"{name} = row_.{name}" for name in named[keys:])
    return (
        f"UPDATE {quote(model._meta.db_table)} t SET {altered} FROM {_rows_of(model, columns)} WHERE {same} RETURNING 1"
    )
