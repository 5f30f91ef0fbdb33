"""Settlement (理算) of a claim's heads of loss: what the terms of its policy give, or would give (norm 2.2.3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from lipei.domain.claims import Case, Exposure
from lipei.domain.conduct import World
from lipei.domain.events import Change, Event, Refusal, Value
from lipei.domain.facts import of_head
from lipei.domain.lifecycle import OPEN
from lipei.domain.limits import PolicyLedger
from lipei.domain.money import Money
from lipei.domain.reserves import following
from lipei.domain.settlement import Accident, Settlement, foresee, settle
from lipei.domain.settlement.values import Loss, loss_of


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
    loss = replace(asked["loss"], estimate_minor=exposure.named_reserve_minor)
    found = foresee(**{**asked, "loss": loss})
    return exposure.named_reserve_minor if isinstance(found, Refusal) and found.kind == "fields" else found


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


# --- sums that follow what happens beside them -------------------------------------------------------------------------

UNDECIDED = ("open", "assessed", "checked", "submitted", "refusal_proposed")
"""States of a head of loss whose sum nobody has approved: it is what the terms give now."""
OVERTAKEN = "exposure.decision_overtaken"


def recomputed(case: Case, events: Sequence[Event], world: World) -> tuple[Event, ...]:
    """What becomes of the sums of a claim's other heads of loss, which may share a limit with what changed, or be paid
    before or after it.

    Nothing unless one that was assessed is there and sees something else beside it than before, or another claim may have
    changed what is left of a limit: a report costs nothing. A sum that cannot be computed at present stays; nobody can
    approve it meanwhile.
    """
    if world.policy is None or not any(e.assessed_by for e in case.exposures.values()):
        return ()
    after = case.after(e for e in events if e.subject != "ledger")
    touched = {c.part for e in events for c in e.changes if c.entity == "exposure"}
    same = _whole(case) == _whole(after) and all(_seen(case, n) == _seen(after, n) for n in touched)
    if same and not _shared(after, world.ledger):
        return ()
    if world.ledger is not None:
        world = replace(world, ledger=world.ledger.after(e for e in events if e.subject == "ledger"))
    # A head that was just computed is; one that was only given back for rework still has the sum of before.
    computed = {c.part for e in events for c in e.changes if c.entity == "exposure" and "payable_minor" in c.fields}
    heads = (e for n, e in after.exposures.items() if n not in computed and e.assessed_by and e.state in UNDECIDED)
    return tuple(event for head in heads for event in _anew(after, head, world))


def _whole(case: Case) -> tuple[Value, ...]:
    """What the terms ask of the claim as a whole."""
    claim = case.claim
    return (claim.facts, claim.loss_at, claim.country, claim.terms_version)


def _shared(case: Case, ledger: PolicyLedger | None) -> bool:
    """Whether other claims take of the policy's limits, or did, beside this one that is open."""
    others = ledger is not None and any(u.claim_number != case.claim.number for u in ledger.usages)
    return others and case.claim.state in OPEN


def _seen(case: Case, part: int) -> Loss | None:
    """What the other heads of loss see of one."""
    head = case.exposures.get(part)
    return loss_of(head) if head is not None else None


def _anew(case: Case, head: Exposure, world: World) -> Iterable[Event]:
    found = settlement_of(case, head, world)
    if isinstance(found, Refusal):
        return
    before = head.settlement
    if head.state == "submitted" and found.payable_minor != head.payable_minor:
        yield overtaken(head, found)
    elif not before or (found.payable_minor, found.provisional, found.terms_version) != (
        head.payable_minor, before["provisional"], before["terms_version"],
    ):  # fmt: skip
        facts = {"before_minor": head.payable_minor, "payable_minor": found.payable_minor}
        fields = {
            "settlement": found.as_dict(), "payable_minor": found.payable_minor, **following(head, found.payable_minor)
        }  # fmt: skip
        yield Event("exposure.recomputed", head.part, facts, (Change("exposure", head.part, fields),))


def overtaken(head: Exposure, found: Settlement) -> Event:
    """A decision that comes to another sum than was submitted: it is submitted anew, and no approval so far counts."""
    facts = {
        "before_minor": head.payable_minor + head.ex_gratia_minor,
        "amount_minor": found.payable_minor + head.ex_gratia_minor,
        "approvals": len(head.approvals),
    }
    fields = {
        "state": "checked", "settlement": found.as_dict(), "payable_minor": found.payable_minor, "ex_gratia_minor": 0,
        "submitted_by": "", "approvals": (), **following(head, found.payable_minor),
    }  # fmt: skip
    return Event(OVERTAKEN, head.part, facts, (Change("exposure", head.part, fields),))


def not_approved(case: Case, events: Iterable[Event], part: int) -> Refusal | None:
    """What whoever wanted to approve a sum is told that was no longer the one submitted; None where it was."""
    told = next((e.facts for e in events if (e.kind, e.part) == (OVERTAKEN, part)), None)
    if told is None:
        return None
    submitted, amount = (Money(told[n], case.claim.currency) for n in ("before_minor", "amount_minor"))
    return Refusal("refusal.sum_changed", params={"submitted": submitted, "amount": amount})
