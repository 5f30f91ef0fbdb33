"""Tables drawn from the frozen parts of an aggregate: one column per field, so that row and fold can be compared.

A part lives in the table of its name, keyed by the aggregate's id and its number within it. Private fields are
encrypted; nested values are canonical JSON.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields
from datetime import datetime
from functools import cache
from typing import Any

from django.db import models

from lipei.store.fields import CanonicalField, EncryptedTextField


def _column(field: Field[Any], hint: Any) -> models.Field[Any, Any]:
    if field.metadata.get("private"):
        return EncryptedTextField()
    nullable = False
    if isinstance(hint, types.UnionType):
        inner = [h for h in typing.get_args(hint) if h is not type(None)]
        hint, nullable = inner[0], True
    origin = typing.get_origin(hint) or hint
    if origin is bool:
        return models.BooleanField(default=False)
    if origin is int:
        return models.BigIntegerField(null=nullable, default=None if nullable else 0)
    if origin is str:
        return models.TextField(default="")
    if origin is datetime:
        return models.DateTimeField(null=True, default=None)
    if origin is tuple or origin is Mapping or origin.__name__ == "Mapping":
        return CanonicalField(default=tuple if origin is tuple else dict)
    raise TypeError(f"no column for {field.name}: {hint}")


def part_model(
    part: type, name: str, *, root: bool = False, extra: Mapping[str, models.Field[Any, Any]] | None = None,
    indexes: Iterable[models.Index] = (), constraints: Iterable[models.BaseConstraint] = (),
) -> Any:  # fmt: skip
    """The Django model of a part. A root's primary key is the aggregate's id; other parts add their number.

    ``extra`` are columns derived from the fields (blind indexes), written by `rows.derived`.
    """
    hints = typing.get_type_hints(part)
    columns: dict[str, Any] = {}
    if root:
        columns["id"] = models.BigIntegerField(primary_key=True)
    else:
        columns["id"] = models.BigAutoField(primary_key=True)
        columns["aggregate_id"] = models.BigIntegerField()
        columns["part"] = models.IntegerField()
        constraints = (
            models.UniqueConstraint(fields=["aggregate_id", "part"], name=f"{name.lower()}_part"),
            *constraints,
        )
    for field in fields(part):
        if field.name != "part":
            columns[field.name] = _column(field, hints[field.name])
    columns.update(extra or {})
    meta = type(
        "Meta",
        (),
        {"app_label": "store", "db_table": name.lower(), "indexes": list(indexes), "constraints": list(constraints)},
    )
    return type(
        name, (models.Model,), {**columns, "Meta": meta, "__module__": "lipei.store.models", "__doc__": part.__doc__}
    )


def defaults(part: type) -> dict[str, Any]:
    """Field name → default of a part, as the row of a part gets them that names only some fields."""
    values, made = _defaults(part)
    return {**values, **{name: make() for name, make in made.items()}}


@cache
def _defaults(part: type) -> tuple[dict[str, Any], dict[str, Callable[[], Any]]]:
    """Those that are values, and those that are made anew each time."""
    named = {f.name: f for f in fields(part)}
    values = {name: f.default for name, f in named.items() if f.default is not MISSING}
    return values, {name: f.default_factory for name, f in named.items() if f.default_factory is not MISSING}
