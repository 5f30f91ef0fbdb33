"""Settlement (理算) of a claim's heads of loss: what the terms of its policy give, or would give (norm 2.2.3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lipei.domain.claims import Case, Exposure
from lipei.domain.conduct import World
from lipei.domain.events import Refusal
from lipei.domain.facts import of_head
from lipei.domain.limits import PolicyLedger
from lipei.domain.settlement import Accident, Settlement, foresee, settle
from lipei.domain.settlement.values import loss_of


def settlement_of(case: Case, exposure: Exposure, world: World) -> Settlement | Refusal:
    """What the terms give for an exposure as it stands, seen together with the claim's other live exposures."""
    asked = _put_to_terms(case, exposure, world)
    return asked if isinstance(asked, Refusal) else settle(**asked)


def foreseen_of(case: Case, exposure: Exposure, world: World) -> int | Refusal:
    """Minor units that the terms would give at most if an exposure's loss came to its reserve.

    Why they give nothing at all is a refusal; what nobody has entered rightly yet cuts nothing.
    """
    reserved = replace(exposure, items=())
    asked = _put_to_terms(case, reserved, world)
    if isinstance(asked, Refusal):
        return asked
    loss = replace(asked["loss"], estimate_minor=exposure.reserve_minor)
    found = foresee(**{**asked, "loss": loss})
    return exposure.reserve_minor if isinstance(found, Refusal) and found.kind == "fields" else found


def _put_to_terms(case: Case, exposure: Exposure, world: World) -> dict[str, Any] | Refusal:
    """What `settle` and `foresee` are asked about an exposure, or why they cannot be."""
    claim, policy = case.claim, world.policy
    if policy is None:
        return Refusal("refusal.policy_unknown")
    terms = world.rulebook.products.version(policy.product, claim.terms_version or policy.terms_version)
    if terms is None:
        return Refusal("refusal.terms_unknown")

    def informed(one: Exposure) -> Exposure:
        """With what its own cover asks of it, also where that was said of the claim as a whole."""
        cover = terms.covers.get(one.cover)
        told = of_head(claim.facts, one.facts, tables=world.rulebook.facts_asked, cover=cover)
        return replace(one, facts=told)

    loss = loss_of(informed(exposure), calculate=True)
    if loss is None:
        return Refusal("refusal.cover_missing")
    rest = (e for e in case.exposures.values() if e.part != exposure.part and e.cover in terms.covers)
    others = (loss_of(informed(e)) for e in rest)
    at = claim.loss_at or claim.reported_at
    assert at is not None, claim.number
    return {
        "terms": terms,
        "policy": policy,
        "accident": Accident(claim.number, at, claim.currency, claim.country),
        "loss": loss,
        "related": [other for other in others if other is not None],
        "ledger": world.ledger or PolicyLedger(id=policy.id),
    }
