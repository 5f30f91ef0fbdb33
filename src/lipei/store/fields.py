"""Columns of our own: encrypted text and canonical JSON; times read as the journal writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection, models

from lipei.store import canonical, crypto

if TYPE_CHECKING:
    _Text = models.Field[Any, Any]
else:
    _Text = models.TextField


class EncryptedTextField(models.Field):  # type: ignore[type-arg]
    """Text that is ciphertext in the database (norm part 4: personal data is encrypted). Not searchable by itself."""

    empty_values = (None, "")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("default", "")
        kwargs.setdefault("blank", True)
        super().__init__(*args, **kwargs)

    def get_internal_type(self) -> str:
        return "BinaryField"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str:
        return "" if value is None else crypto.decrypt(value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if isinstance(value, str):
            value = crypto.encrypt(value)
        return None if value is None else connection.Database.Binary(value)


class CanonicalField(_Text):
    """A nested value in canonical JSON, tuples and times included; small, never queried into."""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        return None if value is None else canonical.loads(value)

    def get_prep_value(self, value: Any) -> Any:
        return None if value is None else canonical.dumps(value).decode()


def stamp_sql(column: str) -> str:
    """SQL for a time as `canonical.stamp` writes it (on SQLite as Django stored it, see `stamped`)."""
    if connection.vendor == "postgresql":
        return f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    return f"{column} || ''"  # an expression keeps the driver from making a time of it


def stamped(text: str | None) -> str | None:
    """SQLite's text of a time as a stamp."""
    if text is None or text.endswith("Z"):
        return text
    return f"{text[:10]}T{text[11:]}Z" if len(text) > 19 else f"{text[:10]}T{text[11:]}.000000Z"
