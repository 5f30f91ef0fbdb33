"""Digests of policies, by which the register of policies names them (docs/decisions/0017).

A digest is taken over everything that a policy says: private texts as they read and not as ciphertext, which is another
one each time it is written. It is keyed, so that nobody can find a phone by trying all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.db import connection
from django.db.models import DateTimeField

from lipei.store import canonical, crypto, models
from lipei.store.fields import CanonicalField, EncryptedTextField, stamp_sql, stamped

NAMED = (
    "id", "number", "product", "terms_version", "currency", "status", "starts_at", "ends_at", "ended_at", "region",
    "language", "holder_name", "insured_name", "phone", "email", "id_number", "account_name", "account_number",
    "account_bank", "insured_objects", "schedule", "phone_index", "id_number_index", "plate_index",
)  # fmt: skip
_COLUMNS: tuple[Any, ...] = tuple(models.Policy._meta.get_field(name) for name in NAMED)
_NESTED = frozenset(c.attname for c in _COLUMNS if isinstance(c, CanonicalField))
_NUMBER = NAMED.index("number")
_SALT = b"policy"
AT_ONCE, LOWEST = 2000, -(2**63)


def digest(values: Sequence[Any]) -> str:
    """Of the columns `NAMED`: text, number, a time's stamp, the JSON text of a nested value; 128 bits, hex."""
    return crypto.digest(orjson.dumps(tuple(values), default=repr).decode(), _SALT)


def named(rows: Iterable[Any]) -> dict[str, str]:
    """Policies that were just written: number → digest."""
    return {row.number: digest([_written(name, getattr(row, name)) for name in NAMED]) for row in rows}


def _written(name: str, value: Any) -> Any:
    if name in _NESTED:
        return canonical.dumps(value).decode()
    return canonical.stamp(value) if isinstance(value, datetime) else value


def there() -> Iterator[tuple[str, str]]:
    """Number and digest of every policy as the database has it. A text that cannot be opened counts as none."""
    quoted = [(connection.ops.quote_name(column.column), column) for column in _COLUMNS]
    columns = ", ".join(stamp_sql(name) if isinstance(column, DateTimeField) else name for name, column in quoted)
    query = f"SELECT {columns} FROM {models.Policy._meta.db_table} WHERE id > %s ORDER BY id LIMIT {AT_ONCE}"
    last = LOWEST
    while True:
        with connection.cursor() as cursor:
            cursor.execute(query, [last])
            rows = cursor.fetchall()
        for row in rows:
            yield row[_NUMBER], digest([_read(c, value) for c, value in zip(_COLUMNS, row, strict=True)])
        if len(rows) < AT_ONCE:
            return
        last = rows[-1][0]


def _read(column: Any, value: Any) -> Any:
    if isinstance(column, EncryptedTextField):
        return _opened(value)
    return stamped(value) if isinstance(column, DateTimeField) else value


def _opened(cipher: Any) -> str | None:
    try:
        return crypto.decrypt(cipher)
    except Exception:  # altered bytes, or another data key
        return None
