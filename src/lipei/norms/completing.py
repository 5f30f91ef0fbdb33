"""Documents written before a release brought something new: what they leave out is read as it is shipped.

Which keys those are, the declaration of the table says (`shapes.shipped`, `Shape.complete`), and what they hold stands in the
shipped document alone. A manager who wants something else says so: no key that is there is touched.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lipei.norms.shapes import Field, Shape


def completed(shape: Shape, own: Any, shipped: Any) -> Any:
    """A value with what it leaves out of the shipped one at the same place; rows are the same by their code.

    What makes no sense is left as it is, for the parsers to say so.
    """
    if shape.kind == "record" and isinstance(own, Mapping) and isinstance(shipped, Mapping):
        return {**own, **dict(_fields(shape.fields, own, shipped))}
    if shape.kind == "entries" and isinstance(own, Mapping) and isinstance(shipped, Mapping):
        new = {key: value for key, value in shipped.items() if shape.complete and key not in own}
        known = {key: completed(_item(shape), value, shipped[key]) for key, value in own.items() if key in shipped}
        return {**new, **own, **known}
    if shape.kind == "rows" and isinstance(own, list) and isinstance(shipped, list):
        at = {_name(shape, row): row for row in shipped}
        return [completed(_item(shape), row, at.get(_name(shape, row))) for row in own]
    return own


def _fields(fields: tuple[Field, ...], own: Mapping[str, Any], shipped: Mapping[str, Any]) -> list[tuple[str, Any]]:
    here = (f for f in fields if f.key in shipped and (f.shipped or f.key in own))
    return [(f.key, completed(f.shape, own[f.key], shipped[f.key]) if f.key in own else shipped[f.key]) for f in here]


def _item(shape: Shape) -> Shape:
    assert shape.item is not None
    return shape.item


def _name(shape: Shape, row: Any) -> str:
    """What a row is known by: its code, else what tells it from others."""
    if not isinstance(row, Mapping):
        return ""
    return str(row["code"] if "code" in row else [row.get(key) for key in shape.title])
