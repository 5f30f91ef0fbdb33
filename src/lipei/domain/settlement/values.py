"""What is settled: a loss with its facts and items, checked against what the terms ask.

What people enter is never trusted to be of the right type or size: every wrong field is named with its code, all at
once. What comes out are plain figures in the units of the terms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lipei.domain.claims import Exposure
from lipei.domain.money import LARGEST_MINOR, PPM, MoneyError, rate_ppm
from lipei.domain.settlement.terms import Cover, FactSpec

EXCLUSION = "exclusion"
"""The fact every cover knows: code of the exclusion that a person established for the whole loss."""

COUNT_MAX = 100_000
ITEM_KEYS = frozenset({"what", "code", "quantity", "claimed_minor", "assessed_minor", "standard_minor", "excluded"})

Figures = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Loss:
    """One exposure as the calculation needs it.

    ``items`` are rows like `Exposure.items`; sums are of the whole row, not per piece. ``excluded`` in a row is the
    code of the exclusion that a person established for it. A loss that is not assessed yet takes part with
    ``estimate_minor`` so that victims who share a limit are treated alike; it need not have its facts, and what the
    others get beside it is provisional where the limit does not suffice.
    ``settled_minor`` is what an exposure was already given for good: it is not calculated again, but others see it.
    """

    exposure: int
    cover: str
    peril: str
    claimant: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    items: Sequence[Mapping[str, Any]] = ()
    estimate_minor: int | None = None
    settled_minor: int | None = None


def loss_of(exposure: Exposure, *, calculate: bool = False) -> Loss | None:
    """The loss that an exposure of a claim stands for; None for one that is refused, dropped or has no cover yet.

    ``calculate`` is for the exposure in question: it needs its items. As a related loss a decided exposure counts with
    what it was given, one that is not assessed yet with its reserve; where nobody has set one its size is not known.
    """
    if exposure.state in ("refused", "dropped") or not exposure.cover:
        return None
    decided = exposure.state in ("approved", "agreed", "settled") and not calculate
    return Loss(
        exposure=exposure.part,
        cover=exposure.cover,
        peril=exposure.peril,
        claimant=exposure.claimant,
        facts=exposure.facts,
        items=exposure.items,
        estimate_minor=None if exposure.items or calculate else exposure.named_reserve_minor or None,
        settled_minor=exposure.payable_minor if decided else None,
    )


@dataclass(frozen=True, slots=True)
class Item:
    """A checked line item, sums of the whole row in minor units. ``number`` is its place in the list, from 1."""

    number: int
    code: str
    claimed_minor: int
    assessed_minor: int
    standard_minor: int | None
    excluded: str

    def as_dict(self) -> dict[str, Any]:
        """What a recalculation needs of the row: no free text."""
        return {
            "code": self.code,
            "claimed_minor": self.claimed_minor,
            "assessed_minor": self.assessed_minor,
            "standard_minor": self.standard_minor,
            "excluded": self.excluded,
        }


def check_figures(
    given: Mapping[str, Any], specs: Mapping[str, FactSpec], *, prefix: str
) -> tuple[dict[str, Any], dict[str, str]]:
    """Figures in the terms' units, and a text code per wrong field (``facts.fault_percent``).

    A percentage becomes parts per million; a money figure or count stays; a missing one takes its default. A name that
    is not asked for is wrong too: a misspelt deduction must not silently be none.
    """
    figures: dict[str, Any] = {}
    wrong = {f"{prefix}.{name}": "refusal.settlement_fact_unknown" for name in given if name not in specs}
    for name, spec in specs.items():
        value = given.get(name)
        if value is None:
            if spec.default is not None:
                figures[name] = spec.default
            elif spec.required:
                wrong[f"{prefix}.{name}"] = "refusal.settlement_fact_missing"
            continue
        figure, code = _figure(value, spec)
        if code:
            wrong[f"{prefix}.{name}"] = code
        else:
            figures[name] = figure
    return figures, wrong


def _figure(value: Any, spec: FactSpec) -> tuple[Any, str]:
    """The value in the unit of the terms, or the code of what is wrong with it."""
    if spec.type == "yes_no":
        return value, "" if isinstance(value, bool) else "refusal.settlement_fact_form"
    if spec.type == "choice":
        return value, "" if value in spec.choices else "refusal.settlement_fact_choice"
    if spec.type == "policies":
        return _other_policies(value)
    if spec.type == "percent":
        try:
            value = rate_ppm(value)
        except MoneyError:
            return None, "refusal.settlement_fact_percent"
    if type(value) is not int:
        return None, "refusal.settlement_fact_form"
    low = spec.minimum if spec.minimum is not None else 0
    high = spec.maximum if spec.maximum is not None else _HIGHEST[spec.type]
    return value, "" if low <= value <= high else "refusal.settlement_fact_range"


_HIGHEST = {"money": LARGEST_MINOR, "percent": PPM, "count": COUNT_MAX}


def _other_policies(value: Any) -> tuple[Any, str]:
    keys = {"would_pay_minor", "sum_insured_minor"}
    if not isinstance(value, Sequence) or isinstance(value, str):
        return None, "refusal.settlement_fact_form"
    for row in value:
        if not isinstance(row, Mapping) or not {"would_pay_minor"} <= set(row) <= keys:
            return None, "refusal.settlement_fact_form"
        if not all(_amount(sum_minor) for sum_minor in row.values()):
            return None, "refusal.settlement_fact_range"
    return tuple(dict(row) for row in value), ""


def check_items(items: Sequence[Mapping[str, Any]], cover: Cover) -> tuple[tuple[Item, ...], dict[str, str]]:
    """The checked items, and a text code per wrong field (``items.2.assessed_minor``)."""
    checked: list[Item] = []
    wrong: dict[str, str] = {}
    for number, row in enumerate(items, start=1):
        at = f"items.{number}"
        wrong |= {f"{at}.{key}": "refusal.settlement_fact_unknown" for key in row if key not in ITEM_KEYS}
        claimed, assessed, standard = (row.get(k) for k in ("claimed_minor", "assessed_minor", "standard_minor"))
        if claimed is None and assessed is None:
            wrong[f"{at}.claimed_minor"] = "refusal.settlement_fact_missing"
        wrong |= {
            f"{at}.{key}": "refusal.settlement_amount"
            for key in ("claimed_minor", "assessed_minor", "standard_minor")
            if row.get(key) is not None and not _amount(row[key])
        }
        excluded = row.get("excluded") or ""
        if excluded and excluded not in cover.exclusions:
            wrong[f"{at}.excluded"] = "refusal.settlement_exclusion_unknown"
        claimed, assessed = assessed if claimed is None else claimed, claimed if assessed is None else assessed
        checked.append(Item(number, str(row.get("code") or ""), claimed or 0, assessed or 0, standard, excluded))
    return tuple(checked), wrong


def check_estimate(estimate_minor: int | None) -> dict[str, str]:
    """A text code where the estimate is not an amount."""
    if estimate_minor is None or _amount(estimate_minor):
        return {}
    return {"estimate_minor": "refusal.settlement_amount"}


def _amount(value: Any) -> bool:
    """Whole minor units, not negative, not absurd."""
    return type(value) is int and 0 <= value <= LARGEST_MINOR
