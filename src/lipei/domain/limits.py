"""The ledger of a policy: what of its shared limits is used up.

Limits that several claims or several victims share (the year's medical limit, the compulsory limits per head of
damage) are guarded here. The ledger is an aggregate of its own with its own version: of two claims decided at the
same moment one commits first, the other finds the version moved, looks again and gets what is left.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lipei.domain.claims import Case
from lipei.domain.events import Aggregate, Change, Event, Outcome, Refusal
from lipei.domain.owing import paid_out_minor

REFUSED = "refused"
"""Why something is given back: its head of loss is refused."""


@dataclass(frozen=True)
class Ledger:
    """The root. Limits of one policy are in one currency."""

    part: int = 0
    currency: str = ""


@dataclass(frozen=True)
class Usage:
    """So much of a limit is taken by one exposure of one claim, until it is released."""

    part: int
    limit: str = ""  # code of the limit in the product's terms
    period: str = ""  # what the limit counts over, see `Policy.period_key`
    claim_number: str = ""
    exposure: int = 0
    amount_minor: int = 0
    released: bool = False


@dataclass(frozen=True, slots=True)
class Draw:
    """What a settlement takes from a limit. ``limit_minor`` is the whole limit by the terms."""

    limit: str
    period: str
    limit_minor: int
    amount_minor: int


@dataclass(frozen=True)
class PolicyLedger(Aggregate):
    """The uses of one policy's limits. ``id`` is the policy's."""

    kind = "policy"
    entities = {"ledger": Ledger, "usage": Usage}

    @property
    def usages(self) -> Iterable[Usage]:
        """All uses ever made, released ones too, in the order in which they were made."""
        return self.of("usage").values()

    def used(self, *, limit: str, period: str, without: Iterable[tuple[str, int]] = ()) -> int:
        """Minor units taken of a limit in a period, not counting the (claim number, exposure) pairs named."""
        apart = set(without)
        return sum(
            usage.amount_minor
            for usage in self.usages
            if (usage.limit, usage.period) == (limit, period)
            and not usage.released
            and (usage.claim_number, usage.exposure) not in apart
        )

    def remaining(self, *, limit: str, period: str, limit_minor: int, without: Iterable[tuple[str, int]] = ()) -> int:
        """Minor units left of a limit of ``limit_minor``, never below zero.

        ``without`` leaves out the uses of exposures that are being settled anew: they would give back before taking.
        """
        return max(0, limit_minor - self.used(limit=limit, period=period, without=without))

    def held(self, *, claim_number: str, exposure: int) -> tuple[Usage, ...]:
        """What one exposure holds now."""
        return tuple(
            usage
            for usage in self.usages
            if (usage.claim_number, usage.exposure) == (claim_number, exposure) and not usage.released
        )

    def held_of(self, limit: str, period: str, claim_number: str, exposure: int) -> int:
        """Minor units of one limit in a period that one exposure holds now."""
        held = self.held(claim_number=claim_number, exposure=exposure)
        return sum(usage.amount_minor for usage in held if (usage.limit, usage.period) == (limit, period))


def draw(*, ledger: PolicyLedger, claim_number: str, exposure: int, wanted: Sequence[Draw], currency: str) -> Outcome:
    """Take what a settlement wants, but no more than is left: ``min(left, wanted)`` of each limit.

    What the exposure held before is given back first, so drawing twice is drawing once, and a draw that changes nothing
    is no event. A limit that is used up gives nothing and no event: the settlement then shows the whole cut.
    """
    root = ledger.of("ledger").get(0)
    if root is not None and root.currency != currency:
        return Refusal("refusal.settlement_currency", "fields", {"policy": root.currency, "claim": currency})
    assert all(want.amount_minor >= 0 and want.limit_minor >= 0 for want in wanted), "a draw is never negative"
    own = ((claim_number, exposure),)
    grants = [
        (want, min(want.amount_minor, ledger.remaining(
            limit=want.limit, period=want.period, limit_minor=want.limit_minor, without=own)))
        for want in wanted
    ]  # fmt: skip
    held = ledger.held(claim_number=claim_number, exposure=exposure)
    if [(u.limit, u.period, u.amount_minor) for u in held] == [(w.limit, w.period, n) for w, n in grants if n]:
        return ()
    events = list(_released(held, "redrawn"))
    part = ledger.next_part("usage")
    for want, amount_minor in grants:
        if amount_minor:
            opening = (
                () if root is not None or len(events) > len(held) else (Change("ledger", 0, {"currency": currency}),)
            )
            events.append(_drawn(part, want, amount_minor, claim_number, exposure, opening))
            part += 1
    return tuple(events)


def release(
    *, ledger: PolicyLedger, claim_number: str, exposure: int, reason: str, given_minor: int = 0
) -> tuple[Event, ...]:
    """Give back what an exposure holds: it was refused, sent back for rework or its claim was cancelled.

    ``given_minor`` was paid on it and has not come back: so much of each limit stays taken. ``reason`` is a code of the
    texts. Nothing to give back is no event.
    """
    beyond = [u for u in ledger.held(claim_number=claim_number, exposure=exposure) if u.amount_minor > given_minor]
    events = list(_released(beyond, reason))
    if given_minor > 0:
        for part, usage in enumerate(beyond, ledger.next_part("usage")):
            want = Draw(usage.limit, usage.period, usage.amount_minor, given_minor)
            events.append(_drawn(part, want, given_minor, claim_number, exposure, ()))
    return tuple(events)


def freed(*, case: Case, exposure: int, ledger: PolicyLedger | None, reason: str) -> tuple[Event, ...]:
    """What an exposure of a case holds of shared limits beyond what was paid on it goes back, see `release`.

    Money that was paid out under a limit stays taken until it is recovered, else another claim would get it once more.
    Of a refusal all goes back: nothing was due, and what was paid is asked back.
    """
    if ledger is None:
        return ()
    given = 0 if reason == REFUSED else max(0, paid_out_minor(case, exposure))
    return release(ledger=ledger, claim_number=case.claim.number, exposure=exposure, reason=reason, given_minor=given)


def freed_by_return(*, case: Case, exposure: int, ledger: PolicyLedger | None) -> tuple[Event, ...]:
    """What goes back of shared limits when money comes back that was paid on an exposure whose claim came to nothing."""
    if case.exposures[exposure].state != "dropped":  # of one that is owed only what was beyond the limits came back
        return ()
    return freed(case=case, exposure=exposure, ledger=ledger, reason="money_back")


def _drawn(
    part: int, want: Draw, amount_minor: int, claim_number: str, exposure: int, opening: tuple[Change, ...]
) -> Event:
    row = {
        "limit": want.limit,
        "period": want.period,
        "claim_number": claim_number,
        "exposure": exposure,
        "amount_minor": amount_minor,
    }
    facts = {**row, "usage": part, "wanted_minor": want.amount_minor}
    return Event("ledger.drawn", 0, facts, (*opening, Change("usage", part, row)))


def _released(held: Iterable[Usage], reason: str) -> Iterable[Event]:
    for usage in held:
        facts = {
            "usage": usage.part,
            "limit": usage.limit,
            "period": usage.period,
            "claim_number": usage.claim_number,
            "exposure": usage.exposure,
            "amount_minor": usage.amount_minor,
            "reason": reason,
        }
        yield Event("ledger.released", 0, facts, (Change("usage", usage.part, {"released": True}),))
