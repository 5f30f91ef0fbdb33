"""Facts of a loss (案情): what the norm tables and the terms ask, of the claim as a whole or of one head of loss.

The terms ask what a settlement is computed from; the tables ask what a paper, a lane or a promise depends on (was the
car towed, was there a stay in hospital). What nobody asks for is refused when it is entered: a misspelt name must not
silently say nothing. Whoever settles is given what the terms of the cover ask for, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lipei.domain.conditions import Compare, Condition
from lipei.domain.events import Value
from lipei.domain.settlement.terms import Cover, FactSpec
from lipei.domain.settlement.values import EXCLUSION, check_figures

SHARED = ("yes_no", "percent")
"""Kinds of fact that terms may take from the claim as a whole. A sum or a number of days is one head's: it would else be
deducted, or paid, once for each."""

Specs = Mapping[str, FactSpec]


def asked_by(conditions: Iterable[Condition]) -> Specs:
    """The facts that conditions look at (``facts.<name>``), each with the kind that their comparisons need."""
    found: dict[str, FactSpec] = {}
    for one in comparisons(conditions):
        _, named, name = one.field.rpartition("facts.")
        if named:
            kind = "yes_no" if one.op == "is_true" else "money" if name.endswith("_minor") else "count"
            found.setdefault(name, FactSpec(name, kind, required=False))
    return found


def comparisons(conditions: Iterable[Condition]) -> Iterable[Compare]:
    """Every comparison within conditions, in their order."""
    for condition in conditions:
        if isinstance(condition, Compare):
            yield condition
        else:
            yield from comparisons(condition.parts)


def wrong_of_claim(given: Mapping[str, Value], *, tables: Specs, covers: Iterable[Cover]) -> dict[str, str]:
    """A text code per wrong fact of the claim as a whole, ``facts.towed``."""
    terms = _asked_by_terms(covers)
    shared = {name: spec for name, spec in terms.items() if spec.type in SHARED}
    of_heads = set(terms) - set(shared)
    codes = _wrong(given, {**tables, **shared})
    return codes | {f"facts.{name}": "refusal.fact_of_a_head" for name in given if name in of_heads}


def wrong_of_head(given: Mapping[str, Value], *, tables: Specs, covers: Iterable[Cover]) -> dict[str, str]:
    """A text code per wrong fact of one head of loss; ``covers`` are those that it may fall under."""
    return _wrong({n: v for n, v in given.items() if n != EXCLUSION}, {**tables, **_asked_by_terms(covers)})


def of_head(
    of_claim: Mapping[str, Value], of_exposure: Mapping[str, Value], *, tables: Specs, cover: Cover | None
) -> dict[str, Value]:
    """What the terms of a cover are told: the head's own facts, else those of the claim that they ask for.

    What only tables ask stays out. What nobody asks for stays in, so that the settlement names it.
    """
    if cover is None:
        return dict(of_exposure)
    shared = {n: v for n, v in of_claim.items() if n in cover.facts and cover.facts[n].type in SHARED}
    own = {n: v for n, v in of_exposure.items() if n in cover.facts or n not in tables}
    return {**shared, **{n: v for n, v in own.items() if v is not None or n not in shared}}


def _asked_by_terms(covers: Iterable[Cover]) -> dict[str, FactSpec]:
    found: dict[str, FactSpec] = {}
    for cover in covers:
        for name, spec in cover.facts.items():
            found.setdefault(name, spec)
    return found


def _wrong(given: Mapping[str, Value], specs: Specs) -> dict[str, str]:
    asked = {name: spec for name, spec in specs.items() if given.get(name) is not None}
    unknown = {f"facts.{name}": "refusal.settlement_fact_unknown" for name in given if name not in specs}
    return unknown | check_figures({n: given[n] for n in asked}, asked, prefix="facts")[1]
