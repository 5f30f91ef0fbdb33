"""The comparisons that `verify` makes on each chunk of streams: small, each with a name, each naming the place."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import orjson
from django.db import connection

from lipei.domain import promises
from lipei.domain.claims import Case, Clock
from lipei.domain.limits import PolicyLedger
from lipei.domain.rulebook import Rulebook
from lipei.services.verify import reading
from lipei.services.verify.reading import Chunk, Stream
from lipei.store import canonical, claim_tokens, crypto, models
from lipei.store.aggregates import normal
from lipei.store.fields import stamp_sql, stamped

WATCHED = ("notice.", "payment.", "bank.", "people.")
"""Entries that more than the parts of their claim follows from."""
HOLDING = ("approved", "agreed", "settled")
"""States of an exposure in which it holds what its settlement drew of shared limits."""


@dataclass(frozen=True)
class Difference:
    """Two things that should agree and do not: which comparison, where, and how they differ."""

    comparison: str
    place: str
    detail: str

    def __str__(self) -> str:
        return f"{self.comparison}: {self.place}: {self.detail}"


@dataclass
class Count:
    """How much was compared."""

    entries: int = 0
    streams: int = 0


Found = Iterator[Difference]


def chain(chunk: Chunk, count: Count) -> list[tuple[int, str, str]]:
    """Every entry's hash, the unbroken order of entries, the head of each stream, and what the seals saw.

    Folds the journal into the chunk's streams on the way, so that every payload is decoded once. Answers with
    (stream, comparison, detail), since a claim's number is known only when its journal has been read.
    """
    found: list[tuple[int, str, str]] = []
    seals = reading.sealed(chunk)
    at: dict[int, tuple[int, bytes]] = {}
    current, previous, expected = None, b"", 1
    nobody = reading.Stream(0, 0, b"", b"", 0)
    stream = nobody
    kind, dumps, loads = chunk.kind, orjson.dumps, orjson.loads
    on_sqlite = connection.vendor == "sqlite"
    for row in reading.entries(chunk):
        stream_id, sequence, event, part, schema, actor, behalf, cause, occurred, recorded, payload, stored = row
        if stream_id != current:
            if current is not None:
                at[current] = (expected - 1, previous)
            current, previous, expected = stream_id, b"", 1
            stream = chunk.streams.get(stream_id, nobody)
            parts = stream.parts
            witnessed = seals.get(stream_id, {})
        if on_sqlite:
            occurred, recorded = stamped(occurred), stamped(recorded)
            stored = bytes(stored)
        count.entries += 1
        if sequence != expected:
            found.append((stream_id, "order", f"entry {expected} is missing before entry {sequence}"))
        header = dumps((kind, stream_id, sequence, event, part, schema, actor, behalf, cause, occurred, recorded))
        body = payload.encode()
        if sha256(previous + b"\n" + header + b"\n" + body).digest() != stored:
            found.append((stream_id, "chain", f"entry {sequence} ({event}) is not what was written"))
        if witnessed and sequence in witnessed and witnessed[sequence] != stored:
            found.append((stream_id, "seal", f"entry {sequence} differs from what was sealed"))
        previous, expected = stored, sequence + 1
        said = loads(body)
        for key, fields in said["set"].items():
            known = parts.get(key)
            if known is None:
                parts[key] = fields
                continue
            if schema == 1 and key.startswith("party/") and ("name" in fields or "phone" in fields):
                stream.renamed = True
            known.update(fields)
        if schema == 1:
            stream.silent.add(sequence)
        elif "owes" in said:
            stream.recorded[sequence] = recorded
            for name, digest in said["owes"].items():
                stream.owed.setdefault(name, (digest, sequence))  # what is said once in a claim's life is the first
        if event.startswith(WATCHED):
            stream.told.append((sequence, event, part, said["facts"]))
            stream.recorded[sequence] = recorded
    if current is not None:
        at[current] = (expected - 1, previous)
    return [*found, *_heads(chunk, at, seals, count)]


def _heads(
    chunk: Chunk, at: Mapping[int, tuple[int, bytes]], seals: Mapping[int, Mapping[int, bytes]], count: Count
) -> Iterator[tuple[int, str, str]]:
    for number, stream in chunk.streams.items():
        count.streams += 1
        length, last = at.get(number, (0, b""))
        if (length, last) != (stream.version, stream.head):
            yield number, "head", f"the journal ends at entry {length}, the stream says {stream.version}"
        witnessed = seals.get(number, {})
        for version in witnessed:
            if version > length:
                yield number, "seal", f"entry {version} was sealed and is gone"
        if stream.sealed_version != max(witnessed, default=0):
            yield number, "seal", f"sealed up to {max(witnessed, default=0)}, the stream says {stream.sealed_version}"
    for number in (set(at) | set(seals)) - set(chunk.streams):
        yield number, "head", "there are entries or seals of a stream that does not exist"


def fold(chunk: Chunk) -> Found:
    """Every row against the fold of its journal, column by column; private texts by their digest."""
    known: dict[str, list[tuple[int, str]]] = {}
    for number, each in chunk.streams.items():
        for key in each.parts:
            known.setdefault(key.partition("/")[0], []).append((number, key))
    for table in reading.tables(chunk.kind, connection.vendor):
        missing = set(known.get(table.entity, ()))
        for row in reading.rows(table, chunk):
            stream = chunk.streams.get(row[0])
            key = f"{table.entity}/{row[1]}"
            said = stream.parts.get(key) if stream else None
            if stream is None or said is None:
                yield Difference("rows", f"{chunk.name(row[0])} {key}", "the row has no entry in the journal")
                continue
            missing.discard((row[0], key))
            yield from _columns(chunk, stream, table, key, said, row[2:])
        for number, key in sorted(missing):
            yield Difference("rows", f"{chunk.name(number)} {key}", "the journal has it, the row is gone")


def _columns(
    chunk: Chunk, stream: Stream, table: reading.Table, key: str, said: reading.Raw, values: tuple[Any, ...]
) -> Found:
    """A row's columns: those of which the journal speaks one by one, all others at once against their defaults."""
    wanted = [*table.defaults]
    for name, value in said.items():
        at = table.places.get(name)
        if at is None:
            continue
        if name in table.nested:
            value = orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
        elif name in table.private:
            if _same_secret(chunk, bytes(values[at]), value, stream.salt):
                value = values[at]
        elif type(value) is dict and "$t" in value:
            value = value["$t"]
        wanted[at] = value
    if tuple(wanted) == values:
        return
    for (name, read), value, due in zip(table.columns, values, wanted, strict=True):
        if value == due:
            continue
        if read is not None and value is not None:
            value = read(value)
        if value != due:
            yield Difference("rows", f"{chunk.name(stream.id)} {key}.{name}", _differ(table, name, value, due))


def _same_secret(chunk: Chunk, value: bytes, wanted: Any, salt: bytes) -> bool:
    """Whether a ciphertext is of the text whose digest the journal holds. An erased salt leaves nothing to compare."""
    said = wanted["$p"] if isinstance(wanted, dict) else wanted
    if not value:
        return said == "" or not salt
    if not salt or not said:
        return False  # what was erased must stay erased; a text that the journal does not know
    text = chunk.text(value)
    return text is not None and bool(crypto.digest(text, salt) == said)


def _differ(table: reading.Table, name: str, value: Any, wanted: Any) -> str:
    if name in table.private:
        return "the text is not the one whose digest the journal holds"
    return f"the row says {_short(value)}, the journal {_short(wanted)}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 80 else text[:77] + "…"


# --- what follows from the parts -----------------------------------------------------------------------------


def clocks(chunk: Chunk, rulebook: Rulebook) -> Found:
    """Every clock's due time against its rule, on the version of the calendar it names."""
    for number, stream in chunk.streams.items():
        for part, raw in reading.parts_of(stream, "clock").items():
            clock = Clock(part=part, **canonical.thaw(raw))
            place = f"{chunk.name(number)} clock/{part}"
            try:
                if promises.disagrees(clock=clock, calendars=rulebook.calendars):
                    yield Difference("clocks", place, f"{clock.promise} is not due when its rule says")
            except KeyError as error:
                yield Difference("clocks", place, f"{clock.promise} names a calendar that nobody knows: {error}")


def balances(chunk: Chunk, rulebook: Rulebook) -> Found:
    """What each exposure is said to have been paid, against its payments."""
    for number, stream in chunk.streams.items():
        payments = reading.parts_of(stream, "payment").values()
        imported = stream.parts.get("claim/0", {}).get("channel") == "import"
        for part, raw in reading.parts_of(stream, "exposure").items():
            own = [p for p in payments if p.get("exposure") == part]
            if imported and not own:
                continue  # paid by another system, which kept the payments
            sums = {
                "paid_minor": sum(p["amount_minor"] for p in own if p.get("state") == "confirmed"),
                "advanced_minor": _on_account(own, "advance"),
                "guaranteed_minor": _promised(raw) if raw.get("guarantees") else _on_account(own, "guarantee"),
            }
            for name, wanted in sums.items():
                if raw.get(name, 0) != wanted:
                    place = f"{chunk.name(number)} exposure/{part}.{name}"
                    yield Difference("balances", place, f"says {raw.get(name, 0)}, its payments come to {wanted}")


def _promised(exposure: reading.Raw) -> int:
    return sum(row["amount_minor"] for row in exposure["guarantees"] if not row["waits"])


def _on_account(payments: list[reading.Raw], kind: str) -> int:
    return sum(p["amount_minor"] for p in payments if p.get("kind") == kind and p.get("state") != "cancelled")


def limits(chunk: Chunk, rulebook: Rulebook) -> Found:
    """What each decided exposure drew of its policy's shared limits, against the policy's ledger."""
    wanted: dict[tuple[str, int], list[tuple[str, str, int]]] = {}
    policies: set[int] = set()
    for stream in chunk.streams.values():
        root = stream.parts.get("claim/0", {})
        if root.get("policy_id") is None:
            continue
        for part, raw in reading.parts_of(stream, "exposure").items():
            if raw.get("state", "open") not in (*HOLDING, "dropped"):
                continue
            draws = (raw.get("settlement") or {}).get("draws", ()) if raw.get("state") in HOLDING else ()
            drawn = sorted((d["limit"], d["period"], d["amount_minor"]) for d in draws if d["amount_minor"])
            wanted[root["number"], part] = drawn
            policies.add(root["policy_id"])
    held: dict[tuple[str, int], list[tuple[str, str, int]]] = {}
    rows = models.Usage.objects.filter(aggregate_id__in=policies, released=False)
    for number, part, limit, period, amount in rows.values_list(
        "claim_number", "exposure", "limit", "period", "amount_minor"
    ):
        held.setdefault((number, part), []).append((limit, period, amount))
    for (number, part), drawn in wanted.items():
        if sorted(held.get((number, part), [])) != drawn:
            detail = f"the ledger holds {held.get((number, part), [])}, the settlement drew {drawn}"
            yield Difference("limits", f"claim {number} exposure/{part}", detail)


def hints(chunk: Chunk, rulebook: Rulebook) -> Found:
    """What lists are sorted and people are found by: the next due time of a claim, the indexes of a party."""
    tokens: dict[int, set[int]] = {}
    called = (*claim_tokens.FOUND_BY["claim"], "policy_id")
    query = f"SELECT id, {stamp_sql('due_at')}, {', '.join(called)} FROM claim WHERE id BETWEEN %s AND %s"
    with connection.cursor() as cursor:
        cursor.execute(query, (chunk.low, chunk.high))
        for number, due_at, *numbers in cursor.fetchall():
            tokens[number] = claim_tokens.of("claim", dict(zip(called, numbers, strict=True)))
            stream = chunk.streams.get(number)
            if stream is not None and stamped(due_at) != _next_due(stream):
                yield Difference("hints", f"{chunk.name(number)} due_at", "is not the next promise to fall due")
    yield from _indexes(chunk, tokens)


def _indexes(chunk: Chunk, tokens: dict[int, set[int]]) -> Found:
    """The blind indexes of each party, and the tokens that its claim is found by: those of its numbers are at hand."""
    columns = "aggregate_id, part, name, phone, phone_index, id_number, id_number_index"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM party WHERE aggregate_id BETWEEN %s AND %s", [chunk.low, chunk.high])
        for number, part, name, phone, phone_index, id_number, id_index in cursor:
            texts = [chunk.text(bytes(cipher)) for cipher in (name, phone, id_number)]
            for column, text, stored in (("phone", texts[1], phone_index), ("id_number", texts[2], id_index)):
                if text is None or crypto.blind_index(column, normal(text)) != stored:
                    place = f"{chunk.name(number)} party/{part}.{column}_index"
                    yield Difference("hints", place, "does not find its text")
            tokens.setdefault(number, set()).update(claim_tokens.of("party", {"name": texts[0], "phone": texts[1]}))
    stored_of = reading.tokens(chunk)
    for number in tokens.keys() | stored_of.keys():
        wanted, stored = tokens.get(number, set()), stored_of.get(number, set())
        stream = chunk.streams.get(number)
        if wanted - stored:
            yield Difference("search", chunk.name(number), "is not found by all of its names and numbers")
        if stored - wanted and not (stream is not None and stream.renamed):
            yield Difference("search", chunk.name(number), "is found by a name or number that is not on it")


def _next_due(stream: Stream) -> str | None:
    clocks = reading.parts_of(stream, "clock").values()
    running = (c for c in clocks if c.get("state", "running") == "running" and c.get("binds") != "team")
    return min((c["due_at"]["$t"] for c in running if c.get("due_at")), default=None)


Comparison = Callable[[Chunk, Rulebook], Found]

BY_KIND: Mapping[str, tuple[Comparison, ...]] = {
    Case.kind: (clocks, balances, limits, hints),
    PolicyLedger.kind: (),
}
"""What is compared beside chain and fold, by kind of stream."""
