"""How large a claim is: what its heads of loss come to, each loss once, and what of it is being refused (norm part 4).

A loss that stands under two covers, of which one pays only beyond the other, is one loss: under the second it counts with
what the first does not carry.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from lipei.domain.claims import Case, Exposure
from lipei.domain.owing import NOTHING_OWED, owed_minor
from lipei.domain.settlement.terms import Products


def claimed_minor(exposure: Exposure) -> int:
    """Minor units that the items of a head of loss claim, excluded ones too."""
    return sum(row.get("claimed_minor") or 0 for row in exposure.items)


def likely_minor(exposure: Exposure) -> int:
    """What a head of loss may come to: a stale reserve must not hide a large assessment, nor the other way round."""
    return max(exposure.named_reserve_minor, exposure.assessed_minor, exposure.payable_minor + exposure.ex_gratia_minor)


def set_at_nothing(row: Mapping[str, Any]) -> bool:
    """Whether an item was assessed at 0 although something was claimed for it: no measure of a loss, but a refusal of it."""
    return bool(row.get("claimed_minor")) and row.get("assessed_minor") == 0


def allowed_minor(row: Mapping[str, Any]) -> int | None:
    """What an item is assessed at where nobody turns it down."""
    return row["claimed_minor"] if set_at_nothing(row) else row.get("assessed_minor")


def turned_down_minor(exposure: Exposure) -> int:
    """Minor units that exclusions took from the calculation of a head of loss, or that were claimed and set at nothing.

    A benefit whose sum the terms name is not calculated from items.
    """
    lines = exposure.settlement.get("lines", ())
    excluded: int = sum(line["cut_minor"] for line in lines if line["kind"] == "exclusion")
    by_items = any(line["step"] == "items" for line in lines)
    at_nothing: int = sum(row["claimed_minor"] for row in exposure.items if by_items and set_at_nothing(row))
    return excluded + at_nothing


def counted_once(case: Case, figures: Mapping[int, int], products: Products | None, *, anew: int = 0) -> dict[int, int]:
    """The figures by exposure, each loss once.

    A head whose terms pay in excess counts beyond what the same claimant's heads that pay first carry: what was computed
    for them, else their figure. What was computed for exposure ``anew`` is out of date.
    """
    found = dict(figures)
    carried: dict[int, int] = {}
    for part in figures:
        for first in _paying_first(case, part, figures, products):
            head = case.exposures[first]
            known = owed_minor(head) if head.settlement and first != anew else figures[first]
            found[first] = known
            carried.setdefault(first, known)
            taken = min(carried[first], found[part])
            carried[first] -= taken
            found[part] -= taken
        if found[part] < figures[part] and part != anew:
            found[part] = max(found[part], owed_minor(case.exposures[part]))
    return found


def _paying_first(case: Case, part: int, figures: Mapping[int, int], products: Products | None) -> tuple[int, ...]:
    """The heads of the same claimant that pay before this one and are not refused."""
    claim, head = case.claim, case.exposures[part]
    terms = products.version(claim.product, claim.terms_version) if products else None
    cover = terms.covers.get(head.cover) if terms else None
    if cover is None:
        return ()
    first = {code for step in cover.steps if step.do == "excess" for code in step.covers.get(head.peril, ())}
    heads = (case.exposures[n] for n in figures)
    return tuple(
        e.part for e in heads if e.cover in first and e.claimant == head.claimant and e.state not in NOTHING_OWED
    )


def refused_minor(case: Case, parts: Collection[int], products: Products | None) -> int:
    """Minor units that refusing these heads of loss takes from the customer, as far as anybody has put a figure to it.

    The largest figure of each counts: claimed, assessed or reserved. What the claim was reported to cost beyond the
    figures of its other heads counts too, so that neither a head without a figure nor a lowered reserve is small.
    """
    if not parts:
        return 0
    live = {n: max(likely_minor(e), claimed_minor(e)) for n, e in case.exposures.items() if e.state != "dropped"}
    figures = counted_once(case, live, products)
    others = sum(minor for n, minor in figures.items() if n not in parts)
    known = max(sum(figures.get(n, 0) for n in parts), case.claim.estimate_minor - others)
    return known or case.claim.estimate_minor
