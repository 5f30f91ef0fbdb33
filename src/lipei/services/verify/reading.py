"""Reading for `verify`: raw rows in the form that the journal's payloads have, with nothing computed on the way.

Times come as `canonical.stamp` texts, nested values as the canonical JSON they are stored as, private texts as their
ciphertext. So the stored bytes are compared, and a million entries need no million of objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import orjson
from django.db import connection, transaction
from django.db.models import BooleanField, DateTimeField

from lipei.domain.events import private_fields
from lipei.services import owing
from lipei.store import aggregates, canonical, crypto, models
from lipei.store.fields import CanonicalField, EncryptedTextField, stamp_sql, stamped
from lipei.store.parts import defaults

STREAMS_AT_ONCE = 400
ROWS_AT_ONCE = 2000
LOWEST, HIGHEST = -(2**63), 2**63 - 1

Raw = dict[str, Any]


@dataclass
class Stream:
    """One stream as its row says and as its journal folds. ``parts``: ``exposure/1`` → field → raw value."""

    id: int
    version: int
    head: bytes
    salt: bytes
    sealed_version: int
    parts: dict[str, Raw] = field(default_factory=dict)
    owed: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Name of a row that an entry owes → its digest, and that entry."""
    recorded: dict[int, str] = field(default_factory=dict)
    """When the entries that owe something were recorded."""
    silent: set[int] = field(default_factory=set)
    """Entries of schema 1: what they caused is not named."""
    told: list[tuple[int, str, int, Raw]] = field(default_factory=list)
    """Entries about messages and payments: sequence, kind, part, facts."""
    renamed: bool = False
    """Whether a silent entry corrected a name or number: the former one may still find the claim."""

    @cached_property
    def by_entity(self) -> Mapping[str, Mapping[int, Raw]]:
        """The parts by kind and number; asked for once the whole journal has been read."""
        found: dict[str, dict[int, Raw]] = {}
        for key, raw in self.parts.items():
            entity, _, number = key.partition("/")
            found.setdefault(entity, {})[int(number)] = raw
        return found


@dataclass
class Chunk:
    """All streams of a kind with ids from ``low`` to ``high``; the chunks of a kind leave no id out."""

    kind: str
    low: int
    high: int
    streams: dict[int, Stream]
    texts: dict[bytes, str | None] = field(default_factory=dict)

    def text(self, cipher: bytes) -> str | None:
        """The text of a ciphertext, opened once for all comparisons; None where it cannot be read."""
        if cipher not in self.texts:
            try:
                self.texts[cipher] = crypto.decrypt(cipher)
            except Exception:  # altered bytes, or another data key
                self.texts[cipher] = None
        return self.texts[cipher]

    def name(self, stream_id: int) -> str:
        """How a person finds the stream: a claim by its number."""
        stream = self.streams.get(stream_id)
        number = stream.parts.get("claim/0", {}).get("number") if stream else None
        return f"{self.kind} {number or stream_id}"


@contextmanager
def snapshot() -> Iterator[None]:
    """One state of the database for the whole reading, while others write. Inside a transaction: that one's."""
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield
    else:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")  # reads one state of the WAL and keeps no writer waiting
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


def kinds() -> list[str]:
    """The kinds of stream there are, by the streams and by the journal."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT kind FROM stream UNION SELECT DISTINCT stream_kind FROM journal")
        return sorted(kind for (kind,) in cursor.fetchall())


def chunks(kind: str) -> Iterator[Chunk]:
    """The streams of a kind in order of their ids."""
    low = LOWEST
    while True:
        rows = list(
            models.Stream.objects.filter(kind=kind, stream_id__gte=low)
            .order_by("stream_id")
            .values_list("stream_id", "version", "head", "salt", "sealed_version")[:STREAMS_AT_ONCE]
        )
        last = len(rows) < STREAMS_AT_ONCE
        high = HIGHEST if last else rows[-1][0]
        streams = {row[0]: Stream(row[0], row[1], bytes(row[2]), bytes(row[3]), row[4]) for row in rows}
        yield Chunk(kind, low, high, streams)
        if last:
            return
        low = high + 1


def entries(chunk: Chunk) -> Iterator[tuple[Any, ...]]:
    """The chunk's journal in order: stream, sequence, kind, part, schema, actor, behalf, cause, times, body, hash."""
    query = (
        "SELECT stream_id, sequence, kind, part, schema, actor, on_behalf_of, cause, "
        f"{stamp_sql('occurred_at')}, {stamp_sql('recorded_at')}, payload, hash FROM journal "
        "WHERE stream_kind = %s AND stream_id BETWEEN %s AND %s ORDER BY stream_id, sequence"
    )
    with connection.cursor() as cursor:
        cursor.execute(query, [chunk.kind, chunk.low, chunk.high])
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield from rows


@dataclass(frozen=True)
class Table:
    """How one kind of part is read and compared: per column its name and what makes its raw value, and its default."""

    entity: str
    query: str
    columns: tuple[tuple[str, Callable[[Any], Any] | None], ...]
    defaults: tuple[Any, ...]
    places: Mapping[str, int]
    """Name → which of the columns."""
    private: frozenset[str]
    nested: frozenset[str]
    """The columns that hold nested values."""


@cache
def tables(kind: str, vendor: str) -> tuple[Table, ...]:
    """The tables that hold the parts of a kind of aggregate; none for a kind that is journal only."""
    cls = aggregates.CLASSES.get(kind)
    if cls is None:
        return ()
    return tuple(_table(kind, entity, part) for entity, part in cls.entities.items())


def _table(kind: str, entity: str, part: type) -> Table:
    model = aggregates.TABLES[kind][entity]
    root = aggregates.ROOTS[kind] == entity
    raw_defaults = orjson.loads(canonical.dumps(defaults(part)))
    expressions, columns, expected_of = [], [], []
    for name in aggregates.names(part):
        column = model._meta.get_field(name)
        quoted = connection.ops.quote_name(column.column)
        expressions.append(stamp_sql(quoted) if isinstance(column, DateTimeField) else quoted)
        columns.append((name, _reader(column)))
        private = isinstance(column, EncryptedTextField)
        expected_of.append(b"" if private else expected(column, raw_defaults.get(name)))
    key = "id, 0" if root else "aggregate_id, part"
    where = "id" if root else "aggregate_id"
    query = f"SELECT {key}, {', '.join(expressions)} FROM {model._meta.db_table} WHERE {where} BETWEEN %s AND %s"
    places = {name: at for at, (name, _) in enumerate(columns)}
    nested = frozenset(f.name for f in model._meta.get_fields() if isinstance(f, CanonicalField))
    return Table(entity, query, tuple(columns), tuple(expected_of), places, private_fields(part), nested)


def _reader(column: Any) -> Callable[[Any], Any] | None:
    if isinstance(column, DateTimeField):
        return stamped
    if isinstance(column, BooleanField):
        return bool
    if isinstance(column, EncryptedTextField):
        return bytes
    return None


def expected(column: Any, value: Any) -> Any:
    """What a column holds for a raw value of the journal: a time's stamp, the JSON text of a nested value."""
    if isinstance(column, CanonicalField):
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    return value["$t"] if isinstance(value, dict) and "$t" in value else value


def rows(table: Table, chunk: Chunk) -> Iterator[tuple[Any, ...]]:
    """The rows of a table in the chunk: stream, part, then the columns as the database gives them."""
    with connection.cursor() as cursor:
        cursor.execute(table.query, [chunk.low, chunk.high])
        yield from cursor.fetchall()


def sealed(chunk: Chunk) -> dict[int, dict[int, bytes]]:
    """Stream → version → head, as the seals saw them."""
    found: dict[int, dict[int, bytes]] = {}
    seen = models.SealedHead.objects.filter(stream_kind=chunk.kind, stream_id__gte=chunk.low, stream_id__lte=chunk.high)
    for number, version, head in seen.values_list("stream_id", "version", "head").iterator(chunk_size=2000):
        found.setdefault(number, {})[version] = bytes(head)
    return found


def tokens(chunk: Chunk) -> dict[int, set[int]]:
    """The search tokens of each claim."""
    joined = "string_agg(token::text, ',')" if connection.vendor == "postgresql" else "group_concat(token)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT claim_id, {joined} FROM search_token WHERE claim_id BETWEEN %s AND %s GROUP BY claim_id",
            [chunk.low, chunk.high],
        )
        return {number: set(map(int, listed.split(","))) for number, listed in cursor}


def parts_of(stream: Stream, entity: str) -> Mapping[int, Raw]:
    """The folded parts of one kind, by number."""
    return stream.by_entity.get(entity, {})


def fixed(kind: owing.Kind, more: Sequence[str], where: str, values: Sequence[Any]) -> Iterator[tuple[str, str, Any]]:
    """Owed rows as the database has them: name, digest of what never changes, and the columns of ``more``."""
    expressions, readers = _fixed(kind, tuple(more), connection.vendor)
    at, key = len(kind.fixed), [kind.fixed.index(name) for name in kind.key]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expressions} FROM {kind.model._meta.db_table} WHERE {where}", values)
        for row in cursor:
            read = [reader(v) if reader and v is not None else v for reader, v in zip(readers, row, strict=True)]
            yield kind.called(*(read[place] for place in key)), owing.digest(read[:at]), read[at:]


@cache
def _fixed(kind: owing.Kind, more: tuple[str, ...], vendor: str) -> tuple[str, tuple[Callable[[Any], Any] | None, ...]]:
    columns = [kind.model._meta.get_field(name) for name in (*kind.fixed, *more)]
    quoted = [connection.ops.quote_name(column.column) for column in columns]
    expressions = (stamp_sql(q) if isinstance(c, DateTimeField) else q for q, c in zip(quoted, columns, strict=True))
    return ", ".join(expressions), tuple(map(_reader, columns))
