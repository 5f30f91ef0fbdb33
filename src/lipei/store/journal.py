"""The journal: streams of entries, append-only, each chained to the one before by a hash.

An entry's hash covers the hash before it, who, when, what, and the payload's very bytes; so no entry can be changed,
removed, inserted or re-ordered without every later hash disagreeing. `GUARDS` makes the database itself refuse UPDATE
and DELETE; `lipei verify` (services/verify.py) recomputes everything.

A payload is ``{"facts": …, "set": {"exposure/1": {"state": "assessed"}}}`` in canonical bytes. A private field stands
there as ``{"$p": digest}``: keyed, and salted with the stream's salt, which erasure can forget without touching the chain.
Since schema 2 a payload also names by digest what else was written with the entry: ``{…, "owes": {"delivery/…": digest}}``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db import connection

from lipei.domain.events import Actor, Aggregate, Event, private_fields
from lipei.store import canonical, crypto

SCHEMA = 2
EMPTY_HEAD = b""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a stream stands: its length, the last hash and the salt of its digests."""

    kind: str
    stream_id: int
    version: int
    hash: bytes
    salt: bytes


def new_head(kind: str, stream_id: int) -> Head:
    """The head of a stream that does not exist yet."""
    return Head(kind, stream_id, 0, EMPTY_HEAD, os.urandom(16))


def payload(aggregate: type[Aggregate], event: Event, salt: bytes, owes: Mapping[str, str] | None = None) -> bytes:
    """The canonical bytes of what an event says, private fields as digests; ``owes`` as `services.owing` names it."""
    sets: dict[str, dict[str, Any]] = {}
    for change in event.changes:
        private = private_fields(aggregate.entities[change.entity])
        said = sets.setdefault(f"{change.entity}/{change.part}", {})
        for name, value in change.fields.items():
            said[name] = {"$p": crypto.digest(value, salt) if value else ""} if name in private else value
    return canonical.dumps({"facts": event.facts, "set": sets, **({"owes": owes} if owes else {})})


def chained(previous: bytes, header: Sequence[Any], body: bytes) -> bytes:
    """SHA-256 over the hash before, the header's canonical bytes and the payload's bytes."""
    return hashlib.sha256(previous + b"\n" + canonical.dumps(header) + b"\n" + body).digest()


def header(
    kind: str, stream_id: int, sequence: int, event_kind: str, part: int, schema: int, actor: str, behalf: str,
    cause: str, occurred: str, recorded: str,
) -> tuple[Any, ...]:  # fmt: skip
    """What is hashed beside the payload; times as `canonical.stamp`."""
    return (kind, stream_id, sequence, event_kind, part, schema, actor, behalf, cause, occurred, recorded)


@dataclass(frozen=True, slots=True)
class Row:
    """One entry ready to be written, in the order of `COLUMNS`."""

    values: tuple[Any, ...]
    hash: bytes
    sequence: int


COLUMNS = (
    "stream_kind", "stream_id", "sequence", "kind", "part", "schema", "actor", "on_behalf_of", "cause",
    "occurred_at", "recorded_at", "payload", "hash",
)  # fmt: skip


def rows(
    aggregate: type[Aggregate], head: Head, events: Iterable[tuple[Event, Actor]], *, cause: str, now: datetime,
    owes: Mapping[int, Mapping[str, str]] = MappingProxyType({}),
) -> tuple[list[Row], Head]:  # fmt: skip
    """The entries that these events become at the end of a stream, and the head after them. Writes nothing.

    ``owes``: sequence → name → digest of what is written with that entry.
    """
    found: list[Row] = []
    sequence, last = head.version, head.hash
    recorded = canonical.stamp(now)
    for event, actor in events:
        sequence += 1
        occurred_at = event.occurred_at or now
        body = payload(aggregate, event, head.salt, owes.get(sequence))
        fields = (
            head.kind,
            head.stream_id,
            sequence,
            event.kind,
            event.part,
            SCHEMA,
            actor.id,
            actor.on_behalf_of,
            cause,
        )
        last = chained(last, header(*fields, canonical.stamp(occurred_at), recorded), body)
        found.append(Row((*fields, occurred_at, now, body.decode(), last), last, sequence))
    return found, Head(head.kind, head.stream_id, sequence, last, head.salt)


def said(body: str) -> tuple[Mapping[str, Any], Mapping[str, Mapping[str, Any]]]:
    """Facts and sets of a payload."""
    value = canonical.loads(body)
    return value["facts"], value["set"]


def owes(body: str) -> Mapping[str, str]:
    """What a payload names beside them: name → digest."""
    return canonical.loads(body).get("owes", {})  # type: ignore[no-any-return]


# --- the database's own guard -----------------------------------------------------------------------------------------

GUARDED = ("journal", "seal", "sealed_head", "norm_version")

_POSTGRES = """
CREATE OR REPLACE FUNCTION lipei_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the journal is append-only: % on % refused', TG_OP, TG_TABLE_NAME; END $$;
"""


def guards(vendor: str) -> list[str]:
    """The statements that make the database refuse to alter or remove what was written. Safe to run again."""
    if vendor == "postgresql":
        made = [_POSTGRES]
        for table in GUARDED:
            for name, when in (
                ("row", "BEFORE UPDATE OR DELETE ON {t} FOR EACH ROW"),
                ("all", "BEFORE TRUNCATE ON {t} FOR EACH STATEMENT"),
            ):
                made.append(f"DROP TRIGGER IF EXISTS {table}_append_only_{name} ON {table}")
                made.append(
                    f"CREATE TRIGGER {table}_append_only_{name} {when.format(t=table)} EXECUTE FUNCTION lipei_append_only()"
                )
        return made
    made = []
    for table in GUARDED:
        for act in ("UPDATE", "DELETE"):
            made.append(f"DROP TRIGGER IF EXISTS {table}_append_only_{act.lower()}")
            made.append(
                f"CREATE TRIGGER {table}_append_only_{act.lower()} BEFORE {act} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
            )
    return made


def install_guards() -> None:
    """Install the triggers; called after every migration, since SQLite drops them when a table is remade."""
    with connection.cursor() as cursor:
        for statement in guards(connection.vendor):
            cursor.execute(statement)


def guards_missing() -> list[str]:
    """The guarded tables whose triggers are not there: asserted at start and by `lipei verify`."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'")
            ends = ("row", "all")
        else:
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ends = ("update", "delete")
        there = {name for (name,) in cursor.fetchall()}
    return [t for t in GUARDED if not all(f"{t}_append_only_{end}" in there for end in ends)]
