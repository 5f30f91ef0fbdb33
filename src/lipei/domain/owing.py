"""What an exposure is worth and what arrived beyond it: sums that guards, rules and reactions look at alike."""

from __future__ import annotations

from collections.abc import Iterable

from lipei.domain.claims import Case, Exposure, Offer

LIVE = ("ordered", "approved", "submitted", "confirmed")
"""States of a payment whose money is out or on its way."""
NOTHING_OWED = ("refused", "dropped")
DECIDED = ("agreed", "settled", *NOTHING_OWED)
"""States in which it is known what an exposure is worth: only then can something be too much."""


def owed_minor(exposure: Exposure) -> int:
    """Minor units that an exposure is worth: by the terms and beyond them; nothing once it is refused or dropped."""
    return 0 if exposure.state in NOTHING_OWED else exposure.payable_minor + exposure.ex_gratia_minor


def asked_back_minor(case: Case, exposure: int) -> int:
    """Minor units of overpayments that were asked for on an exposure, whether they came back or were written off."""
    asked = (r for r in case.recoveries.values() if r.exposure == exposure and r.kind == "overpayment")
    return sum(r.due_minor for r in asked)


def arrived_minor(case: Case, exposure: int, *, but: tuple[str, ...] = ()) -> int:
    """Minor units that arrived for an exposure, without the kinds of payment named in ``but``."""
    arrived = (p for p in case.payments.values() if p.exposure == exposure and p.state == "confirmed")
    return sum(p.amount_minor for p in arrived if p.kind not in but)


def beyond_minor(case: Case, exposure: Exposure, *, but: tuple[str, ...] = ()) -> int:
    """Minor units that arrived beyond what a decided exposure is worth and were not asked back yet; never below 0."""
    if exposure.state not in DECIDED:
        return 0
    arrived = arrived_minor(case, exposure.part, but=but)
    return max(0, arrived - owed_minor(exposure) - asked_back_minor(case, exposure.part))


def given_besides_minor(case: Case, exposures: Iterable[int], offer: int) -> int:
    """Minor units given or on their way for these exposures on account, to a hospital or under earlier offers.

    That is, all but what is paid under ``offer`` itself (0: none), less what came back of overpayments.
    """
    heads = frozenset(exposures)
    paid = (p for p in case.payments.values() if p.exposure in heads and p.state in LIVE)
    out = sum(p.amount_minor for p in paid if not offer or p.offer != offer)
    back = (r for r in case.recoveries.values() if r.exposure in heads and r.kind == "overpayment")
    return max(0, out - sum(r.received_minor for r in back))


def is_current(case: Case, offer: Offer) -> bool:
    """Whether an offer still says what its exposures come to: no later round has taken its place."""
    later = {n for o in case.offers.values() if o.part > offer.part for n in o.exposures}
    return bool(offer.exposures) and later.isdisjoint(offer.exposures)
