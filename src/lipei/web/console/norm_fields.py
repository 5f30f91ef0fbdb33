"""The form of a piece of a norm table as a tree of what was typed.

The names of the inputs are the paths of the tree (``f.limits_minor.CNY.n``), lists count from 0. `typed_of` makes the
tree of a value, `norm_read` a value of the tree, `norm_draw` its fields. Everything works without JavaScript: adding
and removing is a button that sends the form.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from lipei.domain.money import Money, plain
from lipei.norms import vocabularies
from lipei.norms.shapes import Shape
from lipei.norms.texts import LANGUAGES
from lipei.web.console.norm_words import Words, cases_of, choice, operator, zone_at_home

Typed = Any
"""A text, a list of texts or a mapping of further ones."""

ROOT = "f"
FIXED = "fixed"
ROWS_MAX = 400
UNITS = {"seconds": "s", "minutes": "m", "hours": "h", "days": "d"}


def nested(data: Any) -> dict[str, Any]:
    """The tree of what was posted under `ROOT`."""
    found: dict[str, Any] = {}
    for name in data:
        head, *path = name.split(".")
        if head != ROOT or not path or len(path) > 24:
            continue
        at = found
        for step in path[:-1]:
            inner = at.setdefault(step, {})
            at = inner if isinstance(inner, dict) else {}
        at[path[-1]] = data.getlist(name)
    return found


def one(node: Typed) -> str:
    """A single text of the tree."""
    if isinstance(node, list):
        node = node[0] if node else ""
    return node.strip() if isinstance(node, str) else ""


def many(node: Typed) -> list[str]:
    """All texts of a leaf."""
    return [v for v in node if isinstance(v, str) and v] if isinstance(node, list) else [node] if one(node) else []


def sub(node: Typed, key: str) -> Typed:
    """A branch of the tree, empty where there is none."""
    return node.get(key, "") if isinstance(node, Mapping) else ""


def items(node: Typed) -> list[tuple[str, Typed]]:
    """The branches of a list in their order."""
    if not isinstance(node, Mapping):
        return []
    return sorted(((k, v) for k, v in node.items() if k.isdigit()), key=lambda pair: int(pair[0]))[:ROWS_MAX]


def blank(node: Typed) -> bool:
    """Whether nothing was typed anywhere below."""
    if isinstance(node, Mapping):
        return all(blank(v) for k, v in node.items() if k not in ("how", "u", "which"))
    return not many(node)


def counted(nodes: Iterable[Typed]) -> dict[str, Typed]:
    """A list as a branch of the tree."""
    return {str(n): node for n, node in enumerate(nodes)}


# --- from a value to what would have been typed -----------------------------------------------------------------------


def typed_of(w: Words, shape: Shape, value: Any) -> Typed:
    """What somebody would have typed to say this value."""
    if value is None:
        return {} if shape.kind in ("record", "rows", "entries", "listed", "amounts", "condition") else ""
    make = _TYPED.get(shape.kind)
    return make(w, shape, value) if make else str(value)


def _typed_record(w: Words, shape: Shape, value: Any) -> Typed:
    if not isinstance(value, Mapping):
        value = {shape.short: value}
    found = {}
    for f in shape.present(value.get):
        if f.form:
            found[f.key] = typed_of(w, f.shape, value.get(f.key, f.default))
        elif f.key in value:
            found[f.key] = json.dumps(value[f.key], ensure_ascii=False, default=str)
    return found


def _typed_amounts(w: Words, shape: Shape, value: Any) -> Typed:
    return {
        currency: {"n": "", "un": "yes"} if limit == "unlimited" else {"n": plain(Money(limit, currency)), "un": ""}
        for currency, limit in value.items()
    }


def _typed_condition(w: Words, shape: Shape, value: Any) -> Typed:
    if not value:
        return {"how": "all", "of": {}}
    node = typed_test(w, value)
    return node if "of" in node else {"how": "all", "of": {"0": node}}


def typed_test(w: Words, value: Any) -> dict[str, Typed]:
    """A test or a group of a condition."""
    for how in ("all", "any"):
        if how in value:
            return {"how": how, "of": counted(typed_test(w, part) for part in value[how])}
    op, wanted = operator(value), value.get("value")
    if op == "eq" and vocabularies.of_field(value["field"]):
        op = "in"
    if value["field"].endswith("_minor") and isinstance(wanted, int) and not isinstance(wanted, bool):
        said: Typed = plain(Money(wanted, w.currency))
    else:
        said = [str(one) for one in wanted] if isinstance(wanted, list) else [] if wanted is None else [str(wanted)]
    return {"field": value["field"], "op": op, "value": said if op not in ("yes", "no", "empty", "filled") else []}


def _typed_either(w: Words, shape: Shape, value: Any) -> Typed:
    which, n = next(iter(value.items()))
    return {"which": which, "n": str(n)}


def _typed_duration(w: Words, shape: Shape, value: Any) -> Typed:
    unit = next((name for name, short in UNITS.items() if str(value).endswith(short)), "minutes")
    return {"n": str(value)[:-1], "u": unit}


def _typed_setting(w: Words, shape: Shape, value: Any) -> Typed:
    held = value.get("value", value.get("default"))
    if isinstance(held, list):
        return {"v": held}
    unit = value.get("unit", "")
    if unit == "minor":
        return {"v": plain(Money(held, w.currency))}
    if unit in ("ppm", "bytes"):
        return {"v": f"{Decimal(held) / (10_000 if unit == 'ppm' else 1_000_000):f}"}
    return {"v": choice(w, value, held) if value["type"] == "zone" else str(held)}


def _typed_literal(w: Words, shape: Shape, value: Any) -> Typed:
    return ("yes" if value else "no") if isinstance(value, bool) else str(value).removesuffix("%").strip()


def _typed_figure(w: Words, shape: Shape, value: Any) -> Typed:
    if not isinstance(value, Mapping):
        return {"from": FIXED, "n": _typed_literal(w, shape, value)}
    if "by" not in value:
        ((source, key),) = value.items()
        return {"from": f"{source}:{key}", "n": ""}
    how, cases = cases_of(value)
    typed = ({"key": _typed_literal(w, shape, key), "is": _typed_figure(w, shape, held)} for key, held in cases.items())
    return {
        "from": f"by:{value['by']}", "n": "", "how": how, "of": counted(typed),
        "else": _typed_figure(w, shape, value["otherwise"]),
    }  # fmt: skip


_TYPED: Mapping[str, Callable[[Words, Shape, Any], Typed]] = {
    "record": _typed_record,
    "rows": lambda w, s, v: counted(typed_of(w, s.item, row) for row in v),  # type: ignore[arg-type]
    "listed": lambda w, s, v: counted(typed_of(w, s.item, row) for row in v),  # type: ignore[arg-type]
    "entries": lambda w, s, v: counted({"key": str(k), "item": typed_of(w, s.item, row)} for k, row in v.items()),  # type: ignore[arg-type]
    "amounts": _typed_amounts,
    "minor": lambda w, s, v: plain(Money(v, w.currency)),
    "flag": lambda w, s, v: "yes" if v else "",
    "codes": lambda w, s, v: [str(code) for code in ([v] if isinstance(v, str) else v)],
    "alternatives": lambda w, s, v: counted(name.strip() for name in str(v).split("|")),
    "strings": lambda w, s, v: "\n".join(v),
    "spans": lambda w, s, v: ", ".join(v),
    "years": lambda w, s, v: v if isinstance(v, str) else ", ".join(str(year) for year in v),
    "wordings": lambda w, s, v: {spoken: v.get(spoken, "") for spoken in LANGUAGES},
    "remark": lambda w, s, v: dict(v) if isinstance(v, Mapping) else {w.language: str(v)},
    "moment": lambda w, s, v: (v if isinstance(v, datetime) else datetime.fromisoformat(str(v))).strftime("%Y-%m-%dT%H:%M"),
    "date": lambda w, s, v: str(v),
    "condition": _typed_condition,
    "either": _typed_either,
    "duration": _typed_duration,
    "zone": lambda w, s, v: zone_at_home(w, v),
    "setting": _typed_setting,
    "literal": _typed_literal,
    "figure": _typed_figure,
}  # fmt: skip
