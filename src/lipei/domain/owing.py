"""What an exposure is worth and what arrived beyond it: sums that guards, rules and reactions look at alike."""

from __future__ import annotations

from lipei.domain.claims import Case, Exposure

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
