"""What an entry owes: rows written with it that are no part of the aggregate, named in its payload by digest.

A message to a customer, a bank's answer, an idempotency key: the journal says of each, in the entry that caused it, what
it was when it was written (``owes``: name → digest of the columns that never change again). What may change (state,
attempts, lease) is no part of that; its end is an entry of its own. A bank order is not named: it follows from
``payment.submitted`` alone. `lipei verify` compares both ways, so that nothing altered, removed or invented goes unseen.

Entries of schema 1 are from before: they name nothing, and what they caused is taken as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import orjson

from lipei.store import canonical, models
from lipei.store.fields import CanonicalField

Insert = tuple[Any, Sequence[str], Sequence[Sequence[Any]]]
"""Rows to be inserted: model, columns, values."""


@dataclass(frozen=True)
class Kind:
    """One kind of owed row: how an entry calls it, the columns that never change, and those that tell rows apart."""

    name: str
    model: Any
    fixed: tuple[str, ...]
    key: tuple[str, ...]

    def called(self, *key: Any) -> str:
        """The name of a row among what is owed: ``answer/3f…``. A delivery's key begins with its stream: that is known."""
        text = "/".join(map(str, key))
        return f"{self.name}/{text.split(':', 2)[2] if self.name == 'delivery' else text}"


DELIVERY = Kind(
    "delivery", models.Delivery,
    ("sequence", "message", "party", "staff_id", "role", "channels", "urgent", "letter", "language", "event", "part",
     "facts", "dedupe"),
    ("dedupe",),
)  # fmt: skip
ANSWER = Kind("answer", models.BankMessage, ("kind", "message_id", "digest", "at", "payments", "detail"), ("digest",))
KEY = Kind("key", models.IdempotencyKey, ("caller", "key", "body_digest", "claim_id", "at"), ("claim_id",))
EDITION = Kind(
    "edition", models.NormVersion,
    ("table", "version", "document", "seeds", "default_digest", "author", "reason", "at"), ("table", "version"),
)  # fmt: skip
STAFF = Kind(
    "staff", models.Staff,
    ("id", "code", "user_id", "roles", "unit", "skills", "regions", "languages", "minutes_per_case", "conflicts", "active"),
    ("id",),
)  # fmt: skip
ABSENCE = Kind("absence", models.Absence, ("id", "staff_id", "starts_at", "ends_at"), ("id",))
LENT = Kind("lent", models.Delegation, ("id", "giver_id", "taker_id", "kinds", "starts_at", "ends_at"), ("id",))
TOKEN = Kind("token", models.ApiToken, ("id", "name", "digest", "scopes", "staff_id", "revoked_at"), ("id",))
WEBHOOK = Kind("webhook", models.Webhook, ("id", "url", "kinds", "active"), ("id",))
PEOPLE = (STAFF, ABSENCE, LENT, TOKEN, WEBHOOK)
"""What the register of people names. These rows do change: each change is an entry, and the last one holds."""
KINDS = (DELIVERY, ANSWER, KEY, EDITION, *PEOPLE)
INTENT = "order"
"""The kind of a bank message that is an order of ours."""
BY_MODEL: Mapping[Any, Kind] = {kind.model: kind for kind in KINDS}


def digest(values: Sequence[Any]) -> str:
    """128 bits over the fixed columns, each as it stands in the database: text, number, yes or no, or a time's stamp."""
    return hashlib.sha256(orjson.dumps(tuple(values))).hexdigest()[:32]


def order_digest(end_to_end_id: str) -> str:
    """What an order of ours is known by among bank messages, once each."""
    return hashlib.sha256(end_to_end_id.encode()).hexdigest()


@cache
def _nested(model: Any) -> frozenset[str]:
    return frozenset(f.name for f in model._meta.concrete_fields if isinstance(f, CanonicalField))


def owed(kind: Kind, columns: Sequence[str], row: Sequence[Any]) -> tuple[str, str]:
    """Name and digest of a row that is about to be written."""
    values, nested = dict(zip(columns, row, strict=True)), _nested(kind.model)
    plain = (
        canonical.dumps(value).decode() if name in nested else canonical.stamp(value) if isinstance(value, datetime)
        else value
        for name, value in ((name, values[name]) for name in kind.fixed)
    )  # fmt: skip
    return kind.called(*(values[name] for name in kind.key)), digest(tuple(plain))


def beside(inserts: Sequence[Insert]) -> dict[str, str]:
    """What rows that stand or fall with a decision add to what its entry owes."""
    return dict(
        owed(BY_MODEL[model], columns, row) for model, columns, rows in inserts if model in BY_MODEL for row in rows
    )
