"""Automation (自动理赔): which of a claim's exposures may go on without a hand, and how much may be advanced (norm 1.3.1).

This gathers what the straight-through table asks for; the table decides. Automation may cut by deductible, ratio or
limit; whatever is excluded or doubtful goes to a person. It never refuses (norm part 4).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from lipei.domain import accounts, acting, papers, straight_through, triage
from lipei.domain.acting import mandate_holds, payee_of
from lipei.domain.claims import Case, Exposure, Offer
from lipei.domain.conduct import World
from lipei.domain.events import Refusal
from lipei.domain.owing import owed_minor
from lipei.domain.rules.payments import guardian_missing, identity_needed
from lipei.domain.rules.settlement import settlement_of
from lipei.domain.settlement import Settlement
from lipei.domain.straight_through import Facts, Verdict

NEXT_STEP = {
    "open": "assess",
    "assessed": "check_assessment",
    "checked": "submit_decision",
    "submitted": "approve_decision",
}
NOT_COMPUTED = "reason.straight_through.not_computed"
NOT_TOLD = "reason.straight_through.not_told"
PERSON_AT_WORK = "reason.straight_through.person_at_work"
DEATH = "reason.straight_through.death"
OF_LOSS, MISSING = "facts.", "refusal.settlement_fact_missing"
BEYOND_ESTIMATE = "reason.straight_through.beyond_estimate"


def triage_differs(case: Case, world: World, now: datetime) -> bool:
    """Whether the table says otherwise now: another lane, flag or rule. New figures under the same rules are no news."""
    found = _triaged(case, world, now)
    claim = case.claim
    before = (claim.lane, claim.fast_lane, claim.report_upwards, [r["rule"] for r in claim.triage_reasons])
    return (found.lane, found.fast_lane, found.report_upwards, [r.rule for r in found.reasons]) != before


def _triaged(case: Case, world: World, now: datetime) -> triage.Triage:
    return triage.triage(case=case, table=world.rulebook.triage, now=now, products=world.rulebook.products)


def doubts_of(case: Case, world: World, now: datetime) -> tuple[str, ...]:
    """Why no rule decides on the claim or lets its money go: what triage finds doubtful in it as it now stands."""
    return triage.doubts(_triaged(case, world, now), world.rulebook.triage)


def eligible_exposures(case: Case, world: World, now: datetime) -> tuple[Exposure, ...]:
    """The exposures whose next step needs no hand. A person's proposal or assessment is left to persons."""
    waiting = [e for e in case.exposures.values() if e.state in NEXT_STEP and (e.items or _needs_no_items(e))]
    # No table may leave this check out, and a new claim mostly fails it: nothing need be computed to say so.
    if not waiting or not papers.papers_at_hand(case=case, table=world.rulebook.papers):
        return ()
    return tuple(e for e in waiting if verdict(case, e, world, now).ok)


def _needs_no_items(exposure: Exposure) -> bool:
    """A benefit by days or grade has no line items: its facts say everything."""
    return bool(exposure.facts)


def verdict(case: Case, exposure: Exposure, world: World, now: datetime) -> Verdict:
    """Every check of the straight-through table for one exposure, answered: shown to people as the reason."""
    if not case.claim.accept_automatic and case.claim.lane != triage.SIMPLE:
        return Verdict(False)
    found = settlement_of(case, exposure, world)
    amount = found.payable_minor if isinstance(found, Settlement) else 0
    facts = facts_of(case, exposure, world, found, amount + _others(case, exposure), now)
    untold = _untold(found, world)
    if untold:
        doubts = (doubt for doubt in facts.needs_person if doubt != NOT_COMPUTED)
        facts = replace(facts, needs_person=(*doubts, NOT_TOLD))
    answer = straight_through.eligible(facts=facts, table=world.rulebook.straight_through)
    waited = papers.facts_waited_for(case=case, table=world.rulebook.papers, exposure=exposure)
    return replace(answer, doubts=facts.needs_person, untold=tuple(dict.fromkeys((*untold, *waited))))


def _untold(found: Settlement | Refusal, world: World) -> tuple[str, ...]:
    """The facts that nobody has told: without which there is no sum, or which a sum must not assume for its head of
    damage (``told_heads``)."""
    if isinstance(found, Refusal):
        missing = found.fields.items()
        return tuple(
            name.removeprefix(OF_LOSS) for name, code in missing if name.startswith(OF_LOSS) and code == MISSING
        )
    terms = world.rulebook.products.version(found.product, found.terms_version)
    cover = terms.covers[found.cover] if terms else None
    if cover is None or cover.head not in world.rulebook.straight_through.payment.told_heads:
        return ()
    return tuple(name for name in cover.facts if name in cover.assumed and found.inputs["facts"].get(name) is None)


def _others(case: Case, exposure: Exposure) -> int:
    return sum(owed_minor(e) for e in case.exposures.values() if e.part != exposure.part)


def person_at_work(case: Case, exposure: Exposure) -> bool:
    """Whether a person took the exposure in hand, or a visit or experts were called for: no rule goes ahead of what they
    find, nor reads it."""
    visit = any(s.state != "cancelled" and s.exposure in (0, exposure.part) for s in case.surveys.values())
    experts = any(c.exposure in (0, exposure.part) for c in case.consultations.values())
    by_person = bool(exposure.assessed_by) and not exposure.assessed_by.startswith("system:")
    return exposure.by_hand or by_person or visit or experts


def facts_of(
    case: Case, exposure: Exposure, world: World, found: Settlement | Refusal, amount_minor: int, now: datetime,
    *, paid_out_minor: int | None = None,
) -> Facts:  # fmt: skip
    """What the checks look at. What is not known fails."""
    claim, policy = case.claim, world.policy
    computed = isinstance(found, Settlement)
    insured = case.party("insured")
    doubts = tuple(found.needs_person) if isinstance(found, Settlement) else (NOT_COMPUTED,)
    doubts = (*doubts, *doubts_of(case, world, now))
    if person_at_work(case, exposure):
        doubts = (*doubts, PERSON_AT_WORK)
    claimant = case.parties.get(exposure.claimant or 0)
    if claim.deaths or (claimant is not None and claimant.deceased):
        doubts = (*doubts, DEATH)  # who inherits, and by what right, is looked at by persons
    return Facts(
        line=claim.line,
        currency=claim.currency,
        amount_minor=amount_minor,
        policy_in_force=policy is not None and claim.loss_at is not None and policy.in_force_at(claim.loss_at),
        cause_covered=computed,
        papers_complete=papers.papers_at_hand(case=case, table=world.rulebook.papers),
        suspicion=claim.suspicion,
        sampled=drawn(case, world),
        injury=_somebody_hurt(case, world),
        third_party=insured is None or exposure.claimant != insured.part,
        identity_ok=_identity_ok(
            case, exposure, world, amount_minor if paid_out_minor is None else paid_out_minor, now
        ),
        account_ok=_account_ok(case, exposure),
        reporter_known=reporter_known(case, world),
        duplicate=bool(world.alike),
        report_upwards=claim.report_upwards,
        needs_person=doubts,
        claimed_minor=_claimed(case),
    )


def _claimed(case: Case) -> int:
    """Minor units that the items of the whole claim are said to come to, before anything is cut."""
    rows = (row for e in case.exposures.values() if e.state != "dropped" for row in e.items)
    return sum(max(row.get("claimed_minor") or 0, row.get("assessed_minor") or 0) for row in rows)


def _somebody_hurt(case: Case, world: World) -> bool:
    """Whether somebody died, was hurt or is being treated, by what was said of the claim or by what it is for."""
    claim, table = case.claim, world.rulebook.triage
    heads = any(
        triage.is_injury(e, table, world.rulebook.products) for e in case.exposures.values() if e.state != "dropped"
    )
    said = claim.deaths or claim.serious_injuries or claim.injured or claim.rescue
    return bool(said) or heads or claim.loss_kind in table.injury_perils


def drawn(case: Case, world: World) -> bool:
    """Whether the claim is drawn for quality sampling: automatic decisions are sampled too (norm 3.2)."""
    rate = world.rulebook.settings.sampling_rate_ppm
    return case.claim.sampled or straight_through.drawn(
        number=case.claim.number, salt=world.sampling_salt, rate_ppm=rate
    )


def _identity_ok(case: Case, exposure: Exposure, world: World, amount_minor: int, now: datetime) -> bool:
    payee = case.parties.get(payee_of(case, exposure.claimant) or 0)
    claimant = case.parties.get(exposure.claimant or 0)
    if payee is None or not mandate_holds(payee):
        return False
    if any(guardian_missing(case, p, world.rulebook, now) for p in (payee, claimant) if p is not None):
        return False
    needed = identity_needed(world.rulebook, case.claim.currency, amount_minor)
    return not needed or payee.identity_checked_at is not None


def reporter_known(case: Case, world: World) -> bool:
    """Whether the report came from the phone that the policy has on file, or somebody saw who the reporter is.

    A policy's number alone is known to many.
    """
    reporter, region = case.party("reporter"), world.rulebook.settings.region
    if reporter is None:
        return False
    on_file = accounts.normal_phone(number=world.on_file.get("phone", ""), region=region)
    own = bool(on_file) and accounts.normal_phone(number=reporter.phone, region=region) == on_file
    return own or reporter.identity_checked_at is not None


def agreed_beforehand(case: Case, offer: Offer, world: World) -> bool:
    """Whether automatic handling was agreed to beforehand by somebody whose word counts for all of the offer."""
    reporter = case.party("reporter")
    if reporter is None or not case.claim.accept_automatic or not reporter_known(case, world):
        return False
    needed = frozenset(acting.offerees(case, offer))
    return bool(needed) and needed <= acting.answers_for(case, offer, reporter.part)


def _account_ok(case: Case, exposure: Exposure) -> bool:
    payee = case.parties.get(payee_of(case, exposure.claimant) or 0)
    if payee is None or not payee.account_number or payee.account_by.startswith("staff:"):
        return False  # an account that a colleague changed is looked at by another
    if accounts.check_account(number=payee.account_number, kind=payee.account_kind) is not None:
        return False
    # A name that is only like theirs may be another's: a person looks first.
    return accounts.match_names(account_name=payee.account_name, payee_name=payee.name) == "exact"


def eligible_advances(case: Case, world: World, now: datetime) -> tuple[tuple[int, int], ...]:
    """(exposure, minor units) that may be advanced with no hand: a share of what is likely due, for complex claims.

    A simple claim, and whatever a rule may pay in full, is better paid at once; an advance is for who has to wait.
    """
    if case.claim.lane == triage.SIMPLE or case.claim.registered_at is None:
        return ()
    found = []
    in_full = {e.part for e in eligible_exposures(case, world, now)}
    path = world.rulebook.straight_through.advance
    for exposure in case.exposures.values():
        if exposure.state != "open" or not exposure.named_reserve_minor or exposure.advanced_minor:
            continue
        if exposure.part in in_full:
            continue
        settlement = settlement_of(case, exposure, world)
        likely = settlement.payable_minor if isinstance(settlement, Settlement) else 0
        goes_out = min(
            likely * path.share_percent // 100, path.limits_minor.get(case.claim.line, {}).get(case.claim.currency, 0)
        )
        facts = facts_of(case, exposure, world, settlement, likely, now, paid_out_minor=goes_out)
        if 0 < case.claim.estimate_minor < _claimed(case):
            facts = replace(facts, needs_person=(*facts.needs_person, BEYOND_ESTIMATE))
        answer = straight_through.eligible_advance(
            facts=facts, table=world.rulebook.straight_through, advanced_minor=exposure.advanced_minor
        )
        if answer.ok:
            found.append((exposure.part, answer.amount_minor))
    return tuple(found)
