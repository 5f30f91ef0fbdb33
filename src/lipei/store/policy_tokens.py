"""Tokens by which a policy is found by part of its number, a name or plate (docs/decisions/0006)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from lipei.store import crypto


def texts(row: Any) -> tuple[str, ...]:
    """What a policy may be found by a part of: the names on it, and what identifies the things it insures."""
    things = json.loads(row.insured_objects or "[]")
    named = (str(one.get("identifier") or "") for one in things if one.get("kind") in ("vehicle", "person"))
    return tuple(dict.fromkeys(said for said in (row.holder_name, row.insured_name, *named) if said))


def plates(row: Any) -> tuple[str, ...]:
    """The plates that a policy insures."""
    things = json.loads(row.insured_objects or "[]")
    return tuple(str(one.get("identifier") or "") for one in things if one.get("kind") == "vehicle")


def write(rows: Sequence[Any], model: Any) -> None:
    """Keep the tokens of these policies and of nothing they were called before. Three statements, however many rows."""
    model.objects.filter(policy_id__in=[row.pk for row in rows]).delete()
    model.objects.bulk_create(
        [model(token=token, policy_id=pk) for pk, token in _pairs(rows)], batch_size=500, ignore_conflicts=True
    )


def _pairs(rows: Iterable[Any]) -> Iterable[tuple[int, int]]:
    for row in rows:
        for token in sorted({*crypto.search_tokens(*texts(row)), *crypto.number_tokens(row.number)}):
            yield row.pk, token
