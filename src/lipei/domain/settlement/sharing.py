"""Two ways in which several share: policies that cover one loss, and victims under one limit."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from lipei.domain.money import allocate

METHODS = ("by_payment", "by_sum_insured", "after_others")


def across_policies(
    *, loss_minor: int, would_pay_minor: Sequence[int], method: str, sums_insured_minor: Sequence[int] = ()
) -> tuple[int, ...]:
    """What each of several policies pays for one loss: together never more than the loss (indemnity, 保险法 56).

    ``would_pay_minor`` is what each would pay were it alone; none pays more than that. Methods: ``by_payment`` in
    proportion to what each would pay, ``by_sum_insured`` in proportion to the sums insured (the law's rule where the
    contract has none), ``after_others`` the first policy pays only what the others leave open.
    """
    assert method in METHODS, method
    together = min(loss_minor, sum(would_pay_minor))
    if together == sum(would_pay_minor):
        return tuple(would_pay_minor)
    if method == "after_others":
        first = max(0, min(would_pay_minor[0], together - sum(would_pay_minor[1:])))
        return (first, *across_policies(
            loss_minor=together - first, would_pay_minor=would_pay_minor[1:], method="by_payment"))  # fmt: skip
    weights = would_pay_minor if method == "by_payment" else sums_insured_minor
    assert len(weights) == len(would_pay_minor), "a sum insured for each policy"
    return _filled(together, would_pay_minor, weights)


def _filled(together: int, caps: Sequence[int], weights: Sequence[int]) -> tuple[int, ...]:
    """Shares by weight, none above its cap; what a cap leaves over goes to the others by the same weights."""
    given = [0] * len(caps)
    left = together
    while left:
        open_ = [i for i, cap in enumerate(caps) if given[i] < cap]
        by = [weights[i] for i in open_]
        shares = allocate(left, by if sum(by) else [1] * len(by))
        for i, share in zip(open_, shares, strict=True):
            taken = min(share, caps[i] - given[i])
            given[i] += taken
            left -= taken
    return tuple(given)


def among_victims(*, left_minor: int, wanted_minor: Sequence[int]) -> tuple[int, ...]:
    """What each victim gets of a limit they share: the full loss if it suffices, else in proportion to the losses.

    The last units are given out so that what one of them was given already changes nothing for the others, who share
    what is left: each unit goes to whoever has least of their loss (the method of Webster), the earlier of two alike.
    """
    whole = sum(wanted_minor)
    if whole <= left_minor:
        return tuple(wanted_minor)
    shares = [(2 * left_minor * want + whole) // (2 * whole) for want in wanted_minor]
    while lacking := left_minor - sum(shares):
        step = 1 if lacking > 0 else -1
        least = [
            (Fraction(want, 2 * share + step), -i)
            for i, (want, share) in enumerate(zip(wanted_minor, shares, strict=True))
        ]
        at = max(least) if lacking > 0 else min(one for one in least if shares[-one[1]])
        shares[-at[1]] += step
    return tuple(shares)
