"""The peer of `reports`: a pgbench script that commits the same rows as one report, to the same tables and indexes.

It is made from the rows that a report really wrote: literals in a transaction of one INSERT per table, with a fresh id
and the keys that must be unique. What remains is what the database alone needs, with no product before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg import sql

TABLES: Sequence[tuple[str, str]] = (
    ("stream", "stream_id"),
    ("journal", "stream_id"),
    ("claim", "id"),
    ("party", "aggregate_id"),
    ("exposure", "aggregate_id"),
    ("clock", "aggregate_id"),
    ("delivery", "stream_id"),
    ("search_token", "claim_id"),
    ("idempotency_key", "claim_id"),
)
"""Where a report writes, and by which column a claim's rows are found."""
GENERATED = {"party": "id", "exposure": "id", "clock": "id", "stream": "id", "journal": "id", "delivery": "id",
             "search_token": "id", "idempotency_key": "id"}  # fmt: skip
NUMBER = "CAST(:id AS text)"


def script(url: str, claim_id: int) -> tuple[str, int]:
    """The script, and how many rows one run of it commits."""
    lines, rows = ["\\set id random(1, 9000000000000000)", "BEGIN;"], 0
    with psycopg.connect(url) as connection:
        for table, key in TABLES:
            found = _rows(connection, table, key, claim_id)
            assert found, f"the report wrote no {table}"
            rows += len(found)
            columns = ", ".join(f'"{name}"' for name in found[0])
            values = ", ".join(
                "(" + ", ".join(_value(table, name, row[name], claim_id) for name in row) + ")" for row in found
            )
            lines.append(f"INSERT INTO {table} ({columns}) VALUES {values};")
    return "\n".join([*lines, "COMMIT;", ""]), rows


def _rows(connection: psycopg.Connection[Any], table: str, key: str, claim_id: int) -> list[dict[str, str | None]]:
    """A claim's rows, every value as the database writes it."""
    question = sql.SQL("SELECT * FROM {} WHERE {} = %s").format(sql.Identifier(table), sql.Identifier(key))
    found = connection.execute(question, [claim_id])
    names = [column.name for column in found.description or ()]
    texts = sql.SQL("SELECT {} FROM {} WHERE {} = %s ORDER BY 1").format(
        sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(n)) for n in names),
        sql.Identifier(table),
        sql.Identifier(key),
    )
    made = GENERATED.get(table)
    rows = [dict(zip(names, row, strict=True)) for row in connection.execute(texts, [claim_id])]
    return [{n: v for n, v in row.items() if n != made} for row in rows]


def _value(table: str, name: str, value: str | None, claim_id: int) -> str:
    if value is None:
        return "NULL"
    if (table, name) in (("claim", "number"), ("idempotency_key", "key")):
        return NUMBER
    if value == str(claim_id):
        return ":id"
    if name == "dedupe":
        before, _, after = value.partition(str(claim_id))
        return f"{quoted(before)} || {NUMBER} || {quoted(after)}"
    return quoted(value)


def quoted(value: str) -> str:
    """A literal without colons, which pgbench would take for the beginning of a variable."""
    plain = value.replace("'", "''")
    if ":" not in plain:
        return f"'{plain}'"
    return "U&'" + plain.replace("\\", "\\\\").replace(":", "\\003A") + "'"
