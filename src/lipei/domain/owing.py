"""What an exposure is worth and what arrived beyond it: sums that guards, rules and reactions look at alike."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from lipei.domain.claims import Case, Exposure, Offer

LIVE = ("ordered", "approved", "submitted", "confirmed")
"""States of a payment whose money is out or on its way."""
HELD = (*LIVE, "failed")
"""A failed order keeps its place until it is retried or cancelled: nothing is ordered beside it."""
TURNED_DOWN = ("declined", "expired")
"""States of an offer to which nobody agreed."""
UNSETTLED = ("open", "assessed", "checked", "submitted", "approved")
"""States of an exposure whose sum nobody has agreed to or refused."""
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


def guaranteed_open_minor(case: Case, exposure: int, payee: int | None = None) -> int:
    """Minor units promised to hospitals (to one, with ``payee``) that are neither paid nor on their way nor released."""
    head = case.exposures.get(exposure)
    promised: dict[int, int] = {}
    for row in head.guarantees if head is not None else ():
        if not row["waits"] and payee in (None, row["payee"]):
            promised[row["payee"]] = promised.get(row["payee"], 0) + row["amount_minor"]
    for p in case.payments.values():
        if p.exposure == exposure and p.kind == "guarantee" and p.state in HELD and p.payee in promised:
            promised[p.payee] -= p.amount_minor
    return sum(max(0, left) for left in promised.values())


def given_besides_minor(case: Case, exposures: Iterable[int], offer: int) -> int:
    """Minor units paid or on their way for these exposures on account, to a hospital or under earlier offers.

    That is, all but what is paid under ``offer`` itself (0: none), less what came back of overpayments. What nobody
    disputed of it was given before it was agreed to. What is only promised to a hospital is not paid: see `kept_minor`.
    """
    heads = frozenset(exposures)
    paid = (p for p in case.payments.values() if p.exposure in heads and p.state in LIVE)
    out = sum(p.amount_minor for p in paid if not offer or p.offer != offer or p.kind == "advance")
    back = (r for r in case.recoveries.values() if r.exposure in heads and r.kind == "overpayment")
    return max(0, out - sum(r.received_minor for r in back))


def left_minor(case: Case, offer: Offer) -> int:
    """Minor units of an offer that nobody was paid yet, with what is kept of them for a hospital."""
    return max(0, offer.amount_minor - given_besides_minor(case, offer.exposures, offer.part))


def kept_minor(case: Case, exposures: Iterable[int], offer: int) -> int:
    """Minor units held back of these exposures for a hospital that may still call for them; never more than is left.

    What the hospital does not call for is paid to whoever it is due to once the guarantee is released.
    """
    found = 0
    for number in frozenset(exposures):
        left = owed_minor(case.exposures[number]) - given_besides_minor(case, (number,), offer)
        found += min(guaranteed_open_minor(case, number), max(0, left))
    return found


def is_current(case: Case, offer: Offer) -> bool:
    """Whether an offer still says what its exposures come to: no later round has taken its place."""
    later = {n for o in case.offers.values() if o.part > offer.part for n in o.exposures}
    return bool(offer.exposures) and later.isdisjoint(offer.exposures)


def is_past(offer: Offer, now: datetime) -> bool:
    """Whether the day by which an offer was to be answered is over, whoever has noticed."""
    return offer.expires_at is not None and offer.expires_at <= now


def is_reworked(case: Case, offer: Offer) -> bool:
    """Whether the sum of an offer that came to nothing is being worked out anew."""
    return offer.state in TURNED_DOWN and any(case.exposures[n].state != "approved" for n in offer.exposures)


def paid_out_minor(case: Case, exposure: int, states: tuple[str, ...] = LIVE) -> int:
    """Minor units paid or on their way for an exposure, less what was recovered of overpayments."""
    out = sum(p.amount_minor for p in case.payments.values() if p.exposure == exposure and p.state in states)
    back = sum(r.received_minor for r in case.recoveries.values() if r.exposure == exposure and r.kind == "overpayment")
    return out - back


def given_minor(case: Case, exposure: int, states: tuple[str, ...] = LIVE) -> int:
    """Minor units paid, on their way or guaranteed for an exposure, less what was recovered of overpayments."""
    return paid_out_minor(case, exposure, states) + guaranteed_open_minor(case, exposure)


def offer_of(case: Case, exposure: int) -> int:
    """The offer that counts for an exposure: the last that names it. Earlier rounds are history; 0 for none."""
    return max((n for n, o in case.offers.items() if exposure in o.exposures), default=0)


def is_turned_down(case: Case, exposure: int) -> bool:
    """Whether the last offer of this exposure was declined or ran out, so that nobody agreed to its sum."""
    number = offer_of(case, exposure)
    return number > 0 and case.offers[number].state in TURNED_DOWN


def undisputed_minor(case: Case, exposure: Exposure) -> int:
    """Minor units that both sides hold to be due at least and that were not given yet: what was offered and declined.

    To be paid without waiting for the rest (保险法25). While the sum is worked out anew, it is what was offered.
    """
    if exposure.state not in UNSETTLED or not is_turned_down(case, exposure.part):
        return 0
    offer = case.offers[offer_of(case, exposure.part)]
    offered = offer.undisputed_minor if len(offer.exposures) == 1 else 0
    least = owed_minor(exposure) if exposure.state == "approved" else offered
    return max(0, least - given_minor(case, exposure.part, HELD))
