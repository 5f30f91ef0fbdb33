"""Settle all losses of an accident together, by the terms of the policy.

Covers are settled in the order of the terms: what pays first stands first. Within a cover all losses go step by step
side by side, so that victims who share a limit share it in proportion and the answer does not depend on who asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from lipei.domain.events import Refusal
from lipei.domain.limits import Draw, PolicyLedger
from lipei.domain.money import Money, allocate
from lipei.domain.policies import Policy
from lipei.domain.settlement import steps
from lipei.domain.settlement.results import AUTOMATIC, Line, Settlement
from lipei.domain.settlement.sharing import among_victims
from lipei.domain.settlement.steps import Given
from lipei.domain.settlement.terms import Cover, Step, Terms
from lipei.domain.settlement.values import EXCLUSION, Loss, check_estimate, check_figures, check_items


@dataclass(frozen=True, slots=True)
class Accident:
    """What all losses of a claim have in common. ``country`` is where it happened (ISO 3166), empty if not known."""

    claim_number: str
    loss_at: datetime
    currency: str
    country: str = ""


@dataclass
class _Work:
    """What is known so far of one settlement of several losses. Lives for one call."""

    terms: Terms
    policy: Policy
    accident: Accident
    ledger: PolicyLedger
    losses: tuple[Loss, ...]
    given: dict[int, Given] = field(default_factory=dict)
    rough: dict[int, int] = field(default_factory=dict)  # running amounts of estimates whose facts are not known
    provisional: set[int] = field(default_factory=set)
    unknown: set[int] = field(default_factory=set)  # losses with neither items nor an estimate
    taken: dict[tuple[str, str], int] = field(default_factory=dict)
    paid: dict[int, int] = field(default_factory=dict)
    done: dict[int, Settlement] = field(default_factory=dict)


def settle(
    *,
    terms: Terms,
    policy: Policy,
    accident: Accident,
    loss: Loss,
    related: Sequence[Loss] = (),
    ledger: PolicyLedger,
) -> Settlement | Refusal:
    """What the terms give for one loss. ``related`` are the claim's other losses under this policy.

    Give every related loss that is neither refused nor dropped: they may share a limit with this one or pay first.
    Fields wrong in ``loss`` are named plainly (``facts.fault_percent``), those of others with their exposure. The loss
    itself is always calculated anew and from its items: an estimate is no settlement.
    """
    loss = replace(loss, settled_minor=None, estimate_minor=None)
    cover = terms.covers.get(loss.cover)
    if cover is not None:
        near = _near(terms, cover)
        related = [other for other in related if other.cover in near]
    outcome = _settle(terms, policy, accident, (loss, *related), ledger, about=loss.exposure)
    return outcome if isinstance(outcome, Refusal) else outcome.done[loss.exposure]


def foresee(
    *,
    terms: Terms,
    policy: Policy,
    accident: Accident,
    loss: Loss,
    related: Sequence[Loss] = (),
    ledger: PolicyLedger,
) -> int | Refusal:
    """Minor units that the terms would give at most if a loss came to its estimate: what may go out before it is settled.

    Facts that nobody knows yet cut nothing; what is paid first and limits cut also without them.
    """
    outcome = _settle(terms, policy, accident, (loss, *related), ledger, about=None)
    return outcome if isinstance(outcome, Refusal) else outcome.paid[loss.exposure]


def settle_together(
    *, terms: Terms, policy: Policy, accident: Accident, losses: Sequence[Loss], ledger: PolicyLedger
) -> Mapping[int, Settlement] | Refusal:
    """What the terms give for each loss that is not settled for good yet, by exposure (norm 2.2.3).

    The order in which losses are given does not matter. A `Refusal` says why nothing can be calculated: the loss is
    outside the policy's time, the cover was not bought or does not know the peril, currencies differ, or fields are
    missing or wrong, all of them named. It is never a refusal of the claim: that is a person's.
    """
    outcome = _settle(terms, policy, accident, losses, ledger, about=None)
    return outcome if isinstance(outcome, Refusal) else outcome.done


def replay(*, terms: Terms, settlement: Mapping[str, Any]) -> Settlement:
    """Calculate a stored settlement again from its own inputs: with the terms of its version, the same to the cent.

    Raises ValueError where the terms are of another product or version.
    """
    if (terms.code, terms.version) != (settlement["product"], settlement["terms_version"]):
        raise ValueError(f"{settlement['product']} version {settlement['terms_version']} is needed")
    inputs = settlement["inputs"]
    cover = terms.covers[settlement["cover"]]
    loss = Loss(
        exposure=settlement["exposure"],
        cover=cover.code,
        peril=settlement["peril"],
        facts=inputs["facts"],
        items=inputs["items"],
        estimate_minor=inputs["estimate_minor"],
    )
    given, wrong = _given(terms, cover, inputs["schedule"], loss)
    if wrong:
        raise ValueError(f"the stored inputs do not fit the terms: {sorted(wrong)}")
    given = replace(given, outside=inputs["outside"])
    return _result(terms, cover, inputs["schedule"], loss, given, inputs["notes"], settlement["provisional"])


def _near(terms: Terms, cover: Cover) -> frozenset[str]:
    """The covers whose losses can matter to one under this cover: they share a limit with it or pay before it."""
    near = {cover.code}
    while True:
        limits = {step.limit for code in near for step in terms.covers[code].steps if step.limit}
        firsts = {
            first for code in near for step in terms.covers[code].steps for c in step.covers.values() for first in c
        }
        sharing = {other.code for other in terms.covers.values() if any(step.limit in limits for step in other.steps)}
        if firsts | sharing <= near:
            return frozenset(near)
        near |= firsts | sharing


def _settle(
    terms: Terms,
    policy: Policy,
    accident: Accident,
    losses: Sequence[Loss],
    ledger: PolicyLedger,
    about: int | None,
) -> _Work | Refusal:
    ordered = tuple(sorted(losses, key=lambda loss: loss.exposure))
    work = _Work(terms, policy, accident, ledger, ordered)
    refusal = _possible(work) or _prepare(work, about)
    if refusal:
        return refusal
    for cover in terms.covers.values():
        group = [loss for loss in ordered if loss.cover == cover.code and loss.exposure in work.given]
        refusal = _settle_cover(work, cover, group)
        if refusal:
            return refusal
    return work


def _possible(work: _Work) -> Refusal | None:
    """Whether these terms and this policy can say anything about these losses at all."""
    terms, policy, accident = work.terms, work.policy, work.accident
    assert len({loss.exposure for loss in work.losses}) == len(work.losses), "an exposure stands once"
    if terms.code != policy.product:
        return Refusal("refusal.settlement_product", params={"policy": policy.product, "terms": terms.code})
    if not accident.currency == policy.currency == terms.currency:
        params: dict[str, Any] = {"claim": accident.currency, "policy": policy.currency}
        return Refusal("refusal.settlement_currency", "fields", params, {"currency": "refusal.settlement_currency"})
    if not policy.in_force_at(accident.loss_at):
        return Refusal("refusal.settlement_not_in_force", params={"policy": policy.number})
    for loss in work.losses:
        cover = terms.covers.get(loss.cover)
        if cover is None or not policy.bought(loss.cover):
            return Refusal("refusal.settlement_cover", params={"cover": loss.cover, "exposure": loss.exposure})
        if loss.peril not in cover.perils:
            params = {"cover": loss.cover, "peril": loss.peril, "exposure": loss.exposure}
            return Refusal("refusal.settlement_peril", params=params)
    return None


_NOT_YET_KNOWN = {"refusal.settlement_fact_missing", "refusal.settlement_items_missing"}


def _prepare(work: _Work, about: int | None) -> Refusal | None:
    """Check what was entered for every loss that is to be calculated; name all that is wrong at once."""
    wrong: dict[str, str] = {}
    for loss in work.losses:
        if loss.settled_minor is not None:
            work.paid[loss.exposure] = loss.settled_minor
            continue
        cover = work.terms.covers[loss.cover]
        given, bad = _given(work.terms, cover, work.policy.schedule[loss.cover], loss)
        work.given[loss.exposure] = given
        if cover.steps[0].do == "items" and not given.items and given.estimate_minor is not None:
            work.provisional.add(loss.exposure)
        if loss.exposure != about and not loss.items and set(bad.values()) <= _NOT_YET_KNOWN and bad:
            work.rough[loss.exposure] = given.estimate_minor or 0
            if given.estimate_minor is None:
                work.unknown.add(loss.exposure)
                work.provisional.add(loss.exposure)
            continue
        at = "" if loss.exposure == about else f"exposures.{loss.exposure}."
        wrong |= {f"{at}{name}": code for name, code in bad.items()}
    return Refusal("refusal.fields", "fields", fields=wrong) if wrong else None


def _given(terms: Terms, cover: Cover, schedule: Mapping[str, Any], loss: Loss) -> tuple[Given, dict[str, str]]:
    """The checked inputs of one loss, and a code per wrong field."""
    entered = {name: value for name, value in loss.facts.items() if name != EXCLUSION}
    facts, wrong = check_figures(entered, cover.facts, prefix="facts")
    chosen, wrong_schedule = check_figures(schedule, cover.schedule, prefix="schedule")
    rows, wrong_items = check_items(loss.items, cover)
    excluded = loss.facts.get(EXCLUSION) or ""
    if excluded and excluded not in cover.exclusions:
        wrong[f"facts.{EXCLUSION}"] = "refusal.settlement_exclusion_unknown"
    if cover.steps[0].do == "items" and not rows and loss.estimate_minor is None:
        wrong["items"] = "refusal.settlement_items_missing"
    wrong |= _sums_insured_missing(cover, facts)
    facts[EXCLUSION] = excluded
    if cover.steps[0].do != "items":
        rows = ()  # a benefit is what was agreed, whatever it cost
    given = Given(loss.peril, facts, chosen, rows, terms.rounding, loss.estimate_minor)
    return given, wrong | wrong_schedule | wrong_items | check_estimate(loss.estimate_minor)


def _sums_insured_missing(cover: Cover, facts: Mapping[str, Any]) -> dict[str, str]:
    """A split by sums insured needs the sum insured of every other policy."""
    return {
        f"facts.{step.fact}": "refusal.settlement_sum_insured_missing"
        for step in cover.steps
        if step.method == "by_sum_insured" and any("sum_insured_minor" not in row for row in facts.get(step.fact) or ())
    }


def _settle_cover(work: _Work, cover: Cover, group: Sequence[Loss]) -> Refusal | None:
    """All losses under one cover, side by side: at each step that looks outside, first all of them come that far."""
    for number, step in enumerate(cover.steps):
        if step.do not in steps.OUTSIDE or not group:
            continue
        wanted = [_wanted(work, cover, loss, number) for loss in group]
        looks = _pays_first if step.do == "excess" else _shared
        found = looks(work, step, group, wanted)
        if isinstance(found, Refusal):
            return found
        for loss, outside in zip(group, found, strict=True):
            given = work.given[loss.exposure]
            work.given[loss.exposure] = replace(given, outside={**given.outside, str(number): outside})
            if loss.exposure in work.rough:
                amount = work.rough[loss.exposure]
                rest = max(0, amount - outside.get("paid_minor", 0))
                work.rough[loss.exposure] = min(rest, outside.get("available_minor", rest))
    for loss in group:
        if loss.exposure in work.rough:
            work.paid[loss.exposure] = work.rough[loss.exposure]
            continue
        given, schedule = work.given[loss.exposure], work.policy.schedule[cover.code]
        notes, provisional = _notes(work, cover, loss, given), loss.exposure in work.provisional
        settlement = _result(work.terms, cover, schedule, loss, given, notes, provisional)
        work.done[loss.exposure] = settlement
        work.paid[loss.exposure] = settlement.payable_minor
    return None


def _wanted(work: _Work, cover: Cover, loss: Loss, number: int) -> int:
    """The running amount of a loss before a step."""
    if loss.exposure in work.rough:
        return work.rough[loss.exposure]
    return _amount(steps.execute(cover, work.given[loss.exposure], until=number))


def _amount(lines: Sequence[Line]) -> int:
    return lines[-1].after_minor if lines else 0


def _pays_first(
    work: _Work, step: Step, group: Sequence[Loss], wanted: Sequence[int]
) -> list[dict[str, Any]] | Refusal:
    """What the covers that pay first give to each loss's claimant, spread over that claimant's losses here.

    The claim's own exposures under those covers count, and what another insurer's compulsory cover paid is entered as
    a fact. Where neither is known nothing can be said.
    """
    found: list[dict[str, Any]] = []
    for loss in group:
        first = step.covers[loss.peril]
        payers = [o for o in work.losses if o.cover in first and o.claimant == loss.claimant]
        told = work.given[loss.exposure].facts.get(step.fact)
        if not payers and told is None and loss.exposure not in work.rough:
            fields = {f"facts.{step.fact}": "refusal.settlement_fact_missing"}
            return Refusal("refusal.fields", "fields", {"exposure": loss.exposure}, fields)
        if any(payer.exposure in work.provisional for payer in payers):
            work.provisional.add(loss.exposure)
        theirs = [
            (other, amount)
            for other, amount in zip(group, wanted, strict=True)
            if other.claimant == loss.claimant and step.covers[other.peril] == first
        ]
        paid = min(sum(work.paid[payer.exposure] for payer in payers), sum(amount for _, amount in theirs))
        shares = allocate(paid, [amount for _, amount in theirs]) if paid else (0,) * len(theirs)
        mine = next(share for (other, _), share in zip(theirs, shares, strict=True) if other is loss)
        found.append({"paid_minor": mine + (told or 0)})
    return found


def _shared(work: _Work, step: Step, group: Sequence[Loss], wanted: Sequence[int]) -> list[dict[str, Any]] | Refusal:
    """What each loss may draw from a shared limit: in proportion to the losses where it does not suffice for all.

    A loss that was given something before its claim was reopened keeps that; what is left is shared by what is open.
    """
    limit = work.terms.limits[step.limit]
    known = [loss for loss in group if loss.exposure not in work.rough] or group
    limits = {steps.resolve(limit.amount, work.given[loss.exposure]) for loss in known}
    if len(limits) > 1:
        figures = tuple(Money(minor, work.accident.currency) for minor in sorted(limits))
        return Refusal("refusal.settlement_limits_differ", params={"limit": limit.name, "figures": figures})
    (limit_minor,) = limits
    accident = work.accident
    period = work.policy.period_key(limit.per, instant=accident.loss_at, claim_number=accident.claim_number)
    left_of = partial(work.ledger.remaining, limit=limit.code, period=period, limit_minor=limit_minor)
    own = [(accident.claim_number, loss.exposure) for loss in group]
    held = [min(work.ledger.held_of(limit.code, period, *one), left_of(without=[one])) for one in own]
    open_minor = [max(0, amount - kept) for amount, kept in zip(wanted, held, strict=True)]
    left = max(0, left_of() - work.taken.get((limit.code, period), 0))
    shares = among_victims(left_minor=left, wanted_minor=open_minor)
    work.taken[limit.code, period] = work.taken.get((limit.code, period), 0) + sum(shares)
    waiting = any(loss.exposure in work.provisional for loss in group) and sum(open_minor) > left
    if waiting or any(loss.exposure in work.unknown for loss in group):
        work.provisional |= {loss.exposure for loss in group}
    sharers = sum(amount > 0 for amount in open_minor)
    same = {"limit": limit.code, "period": period, "limit_minor": limit_minor, "sharers": sharers}
    return [
        {**same, "left_minor": left + kept, "available_minor": share + kept, **_beside(work, limit.code, period, loss)}
        for loss, share, kept in zip(group, shares, held, strict=True)
    ]


def _beside(work: _Work, limit: str, period: str, loss: Loss) -> dict[str, Any]:
    """How many other claimants of the accident have their share of a limit for good; nothing where none has."""
    number = work.accident.claim_number
    others = {
        other.claimant
        for other in work.losses
        if other.settled_minor is not None
        and other.claimant != loss.claimant
        and work.ledger.held_of(limit, period, number, other.exposure)
    }
    return {"settled": len(others)} if others else {}


def _notes(work: _Work, cover: Cover, loss: Loss, given: Given) -> list[str]:
    """What is doubtful for reasons outside the calculation. Doubt goes to a person, it cuts nothing."""
    accident, policy = work.accident, work.policy
    notes = []
    if loss.peril in cover.waiting_perils and policy.days_in_force(accident.loss_at) < cover.waiting_days:
        notes.append("settlement.person.waiting_period")
    if cover.territory and accident.country and accident.country not in cover.territory:
        notes.append("settlement.person.territory")
    if any(e.fact and given.facts.get(e.fact) is True for e in cover.exclusions.values()):
        notes.append("settlement.person.possible_exclusion")
    graded = any(step.do == "grade" for step in cover.steps)
    if graded and any(
        (other.cover, other.claimant) == (loss.cover, loss.claimant) and other.exposure != loss.exposure
        for other in work.losses
    ):
        notes.append("settlement.person.second_grade")  # several injuries of one person are one disability
    return notes


def _result(
    terms: Terms,
    cover: Cover,
    schedule: Mapping[str, Any],
    loss: Loss,
    given: Given,
    notes: Sequence[str],
    provisional: bool,
) -> Settlement:
    lines = steps.execute(cover, given)
    draws = tuple(_draws(cover, given, lines))
    doubts = [*notes, *_doubts(cover, given, lines), *(["settlement.person.provisional"] if provisional else [])]
    return Settlement(
        exposure=loss.exposure,
        product=terms.code,
        terms_version=terms.version,
        cover=cover.code,
        peril=loss.peril,
        currency=terms.currency,
        lines=lines,
        loss_minor=sum(line.after_minor - line.before_minor for line in lines if line.kind in steps.LOSS_KINDS),
        payable_minor=_amount(lines),
        draws=draws,
        excluded=tuple(
            {"item": row.number, "exclusion": row.excluded, "amount_minor": row.assessed_minor}
            for row in given.items
            if row.excluded
        ),
        needs_person=tuple(dict.fromkeys(doubts)),
        provisional=provisional,
        inputs={
            "facts": dict(loss.facts),
            "schedule": dict(schedule),
            "items": [row.as_dict() for row in given.items],
            "estimate_minor": loss.estimate_minor,
            "outside": {number: dict(found) for number, found in given.outside.items()},
            "notes": list(notes),
        },
    )


def _draws(cover: Cover, given: Given, lines: Sequence[Line]) -> list[Draw]:
    """What the settlement takes from the ledger, one draw per limit step that gave anything."""
    amounts = iter([line.after_minor for line in lines if line.step == "limit"])
    return [
        Draw(step.limit, found["period"], found["limit_minor"], amount)
        for number, step in enumerate(cover.steps)
        if step.do == "limit" and (amount := next(amounts)) and (found := given.outside[str(number)])
    ]


def _doubts(cover: Cover, given: Given, lines: Sequence[Line]) -> list[str]:
    """Cuts that a machine may not make, and figures that do not look right."""
    by_hand = [
        f"settlement.person.{line.kind}"
        for line in lines
        if line.cut_minor and line.kind not in AUTOMATIC and not _allowed(cover, line)
    ]
    rows = [row for row in given.items if not row.excluded]
    if any(row.assessed_minor > row.claimed_minor for row in rows):
        by_hand.append("settlement.person.above_claimed")
    if any(row.assessed_minor < row.claimed_minor for row in rows):
        by_hand.append("settlement.person.assessment")
    if any(row.standard_minor is not None and row.assessed_minor > row.standard_minor for row in rows):
        by_hand.append("settlement.person.above_standard")
    if given.facts.get(EXCLUSION) or any(row.excluded for row in given.items):
        by_hand.append("settlement.person.exclusion")
    return by_hand


def _allowed(cover: Cover, line: Line) -> bool:
    """Whether the terms let a machine make this cut although its kind is not among `AUTOMATIC`."""
    return any(step.automatic and step.text == line.text for step in cover.steps)
