"""The terms of a product as a table like the others: laid out as lists of rows, declared, and put together again.

A document of terms nests a cover's parts under its code. Laid out, each part is a list beside the others: the steps
of own damage stand under ``steps.own_damage``. What the rows of a cover may refer to is that cover's own.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from lipei.domain.settlement.steps import VOCABULARY
from lipei.norms.errors import NormError
from lipei.norms.shapes import (
    DATE,
    FLAG,
    KEPT,
    LONG_REMARK,
    LONG_WORDINGS,
    STRINGS,
    WORDINGS,
    WORDS,
    Field,
    Shape,
    code,
    codes,
    entries,
    kept,
    may,
    must,
    record,
    rows,
    whole,
)
from lipei.norms.texts import shipped

Document = Mapping[str, Any]

LISTS = ("clauses", "limits", "covers")
PARTS = ("steps", "exclusions", "schedule", "facts")
"""The lists that each cover has."""
WHATS = {do: tuple(k.removeprefix(f"settlement.{do}.") for k in shipped()
                   if k.startswith(f"settlement.{do}.") and k.count(".") == 2 and not k.endswith(".none"))
         for do, operation in VOCABULARY.items() if "what" in operation.options}  # fmt: skip
"""Operation → what it can be about: each has a sentence of its own."""
_SHARE = Shape("literal", unit="percent")
_BY = ("percent", "count", "yes_no", "choice")


def laid_out(document: Document) -> dict[str, Any]:
    """A document of terms as lists of rows; parts that are no mappings are left as they are, the parser names them."""
    found = copy.deepcopy(dict(document))
    covers = found.get("covers")
    for key in LISTS:
        found[key] = _rows(found.get(key) or {})
    if not isinstance(covers, Mapping):
        return found
    for name, cover in covers.items():
        for part in PARTS:
            held = cover.get(part) if isinstance(cover, Mapping) else None
            found[f"{part}.{name}"] = _rows(held or {}) if part != "steps" else list(held or [])
    for row in found["covers"]:
        for part in PARTS:
            row.pop(part, None)
    return found


def _rows(held: Any) -> Any:
    if not isinstance(held, Mapping):
        return held
    return [{"code": name, **(row if isinstance(row, Mapping) else {})} for name, row in held.items()]


def put_together(found: Document) -> dict[str, Any]:
    """The document that was laid out. Raises `NormError` where a list names the same thing twice.

    A cover that has no parts yet begins with what was assessed; the name of a new one is the company's own text.
    """
    parts = tuple(f"{part}." for part in PARTS)
    made = {key: copy.deepcopy(value) for key, value in found.items() if not key.startswith(parts)}
    product = str(found.get("code"))
    for key in LISTS:
        made[key] = _mapping(made.get(key), f"{product}.{key}")
    if not isinstance(made["covers"], dict):
        return made
    for name, cover in made["covers"].items():
        for part in reversed(PARTS):
            held = copy.deepcopy(found.get(f"{part}.{name}"))
            if part == "steps":
                cover[part] = held or [{"do": "items", "clause": cover.get("clause", "")}]
            elif held:
                cover[part] = _mapping(held, f"{product}.{name}.{part}")
        if f"cover.{name}" not in shipped() and isinstance(cover.get("name"), dict):
            made["texts"] = {**(made.get("texts") or {}), f"cover.{name}": cover["name"]}
    if not made["limits"]:
        del made["limits"]
    return made


def _mapping(held: Any, place: str) -> Any:
    if not isinstance(held, list):
        return held or {}
    made: dict[str, Any] = {}
    for row in held:
        name = row.get("code")
        if name in made:
            raise NormError("norm_error.product_twice", at=place, key=name)
        made[name] = {key: value for key, value in row.items() if key != "code"}
    return made


# --- the declaration ------------------------------------------------------------------------------------------------------


def shape(found: Document) -> Shape:
    """What laid-out terms hold: their lists, and those of each cover that they have."""
    covers = [row["code"] for row in _listed(found, "covers") if "code" in row]
    of_covers = [must(f"{part}.{name}", _PART[part](found, name)) for name in covers for part in PARTS]
    return record(
        must("covers", _COVERS), *of_covers,
        must("limits", rows(
            must("name", WORDINGS), must("per", code("limit_per")), must("amount", _figure("money", _drawing(found), "schedule")),
            must("code", WORDS), title=("name",), columns=("name", "per", "amount"),
        )),
        must("clauses", rows(
            must("name", WORDINGS), must("plain", LONG_WORDINGS), must("code", WORDS), title=("name",), columns=("plain",),
        )),
        must("name", WORDINGS), must("valid_from", DATE), must("line", code("line")),
        kept("currency", code("currency")), may("rounding", code("rounding"), "half_up"),
        may("source", LONG_REMARK), may("source_status", code("source_status")), kept("version"), kept("texts"), kept("code", KEPT),
    )  # fmt: skip


_COVERS = rows(
    must("name", WORDINGS), must("clause", code("own_clause")), must("head", code("head")), must("perils", codes("loss")),
    may("territory", codes("country")),
    may("waiting", record(must("days", whole("days", 0)), must("perils", codes("loss")))), must("code", WORDS),
    title=("name",), columns=("clause", "perils"),
)  # fmt: skip


def _exclusions(found: Document, cover: str) -> Shape:
    asked = tuple(name for name, spec in _specs(found, "facts", cover) if spec.get("type") == "yes_no")
    return rows(
        must("wording", WORDINGS), must("clause", code("own_clause")),
        may("fact", Shape("code", of="fact", options=asked)), must("code", WORDS),
        title=("wording",), columns=("clause", "fact"),
    )  # fmt: skip


def _facts(found: Document, cover: str) -> Shape:
    value = Shape("literal", unit=".type")
    sized = ("type", ("money", "percent", "count"))
    return rows(
        must("code", code("fact")), must("type", code("fact_type")), Field("minimum", value, when=sized),
        Field("maximum", value, when=sized), may("default", value), may("required", FLAG, True),
        Field("choices", STRINGS, when=("type", ("choice",))), columns=("type", "default"),
    )  # fmt: skip


def _steps(found: Document, cover: str) -> Shape:
    """The steps in their order; which figures and choices a step has, its operation says (`VOCABULARY`)."""
    specs = {part: list(_specs(found, part, cover)) for part in ("facts", "schedule")}
    names = tuple(name for name, _ in specs["facts"])
    limits = tuple(str(row.get("code")) for row in _listed(found, "limits"))
    grades = tuple(dict.fromkeys(str(one) for _, spec in specs["facts"] for one in spec.get("choices") or ()))
    more = {
        "what": [_its_own(do, "what", Shape("code", of="step_what", options=what)) for do, what in WHATS.items()],
        "limit": [_chosen("limit", Shape("code", of="own_limit", options=limits))],
        "fact": [_chosen("fact", Shape("code", of="fact", options=names))],
        "raised_by": [_chosen("raised_by", Shape("code", of="fact", options=names))],
        "method": [_chosen("method", code("sharing"))],
        "covers": [_chosen("covers", entries(codes("own_cover"), "loss"))],
        "table": [_chosen("table", Shape("entries", of="disability_grade", item=_SHARE, options=grades))],
        "codes": [_chosen("codes", STRINGS)],
    }
    figures = {name: unit for operation in VOCABULARY.values() for name, unit in operation.figures.items()}
    return rows(
        must("do", code("step")),
        *(f for name in ("what", "limit") for f in more.pop(name)),
        *(_chosen(name, _figure(unit, specs)) for name, unit in figures.items()),
        *(f for held in more.values() for f in held),
        must("clause", code("own_clause")), may("automatic", FLAG, False),
        title=("do", "what"), columns=("do",), ordered=True,
    )  # fmt: skip


_PART = {
    "steps": _steps,
    "exclusions": _exclusions,
    "schedule": _facts,
    "facts": _facts,
}


def _chosen(key: str, shape: Shape) -> Field:
    """A figure or a choice of the operations that have it; needed where no operation can do without."""
    having = {do: o for do, o in VOCABULARY.items() if key in o.figures or key in o.options or key in o.may}
    free = [o.defaults.get(key) for o in having.values() if key in o.defaults or key in o.may]
    return Field(key, shape, required=not free, default=next(iter(free), None), when=("do", tuple(having)),
                 label=f"step_{key}")  # fmt: skip


def _its_own(do: str, key: str, shape: Shape) -> Field:
    """A choice that one operation alone has in this form."""
    return Field(key, shape, required=True, when=("do", (do,)), label=f"step_{key}")


def _figure(unit: str, specs: Mapping[str, list[tuple[str, Mapping[str, Any]]]], *sources: str) -> Shape:
    """A figure of a unit: what of the policy and of the loss it may be, and by which facts it may differ."""
    refers = tuple(
        f"{source}:{name}"
        for source, part in (("schedule", "schedule"), ("fact", "facts")) if source in (sources or (source,))
        for name, spec in specs[part] if spec.get("type") == unit and _certain(spec)
    )  # fmt: skip
    by = tuple(
        Field(name, Shape("literal", unit=str(spec.get("type")), options=tuple(map(str, spec.get("choices") or ()))))
        for name, spec in specs["facts"] if spec.get("type") in _BY and _certain(spec)
    )  # fmt: skip
    return Shape("figure", unit=unit, options=refers, fields=by)


def _certain(spec: Mapping[str, Any]) -> bool:
    """Whether a fact is always there when a loss is settled."""
    return bool(spec.get("required", True)) or spec.get("default") is not None


def _specs(found: Document, part: str, cover: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((str(row.get("code")), row) for row in _listed(found, f"{part}.{cover}"))


def _drawing(found: Document) -> dict[str, list[tuple[str, Mapping[str, Any]]]]:
    """What every shared limit may refer to: the facts and figures of the covers, each once."""
    covers = [str(row.get("code")) for row in _listed(found, "covers")]
    return {part: list(dict(one for name in covers for one in _specs(found, part, name)).items())
            for part in ("facts", "schedule")}  # fmt: skip


def _listed(found: Document, key: str) -> list[Any]:
    held = found.get(key)
    return [row for row in held if isinstance(row, Mapping)] if isinstance(held, list) else []
