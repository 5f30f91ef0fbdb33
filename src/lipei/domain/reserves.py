"""First reserves (立案估损): what a head of loss of its kind usually costs, until somebody names this one's (norm 2.2.3).

A usual reserve is an average: it belongs into the company's sums, and says nothing of the one loss it stands on. Once
that loss is assessed, its reserve is what the terms give for it. No lane, authority, advance or settlement rests on
either, see `Exposure.named_reserve_minor`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lipei.domain.claims import ASSESSED, USUAL, Exposure
from lipei.domain.events import Value
from lipei.domain.papers import Selector


@dataclass(frozen=True, slots=True)
class ReserveRow:
    """What heads of loss of these lines, covers and kinds usually cost."""

    code: str
    applies: Selector
    amounts_minor: Mapping[str, int]  # by currency


@dataclass(frozen=True, slots=True)
class ReserveTable:
    """The rows in their order: the first that fits counts."""

    rows: tuple[ReserveRow, ...] = ()

    def usual_minor(self, *, line: str, cover: str, loss: str, currency: str) -> int:
        """Minor units of a first reserve; 0 where no row fits or the row names no sum in this currency."""
        found = next((row for row in self.rows if row.applies.fits(line=line, cover=cover, loss=loss)), None)
        return found.amounts_minor.get(currency, 0) if found else 0


def following(exposure: Exposure, payable_minor: int) -> dict[str, Value]:
    """The fields of a reserve that nobody has named, now that the terms give ``payable_minor`` for the loss as assessed.

    Empty where a person named the reserve, or it is that already.
    """
    unnamed = exposure.reserve_reason in (USUAL, ASSESSED) or (
        exposure.reserve_minor == 0 and exposure.reserve_reason in ("", "reported")
    )
    if not unnamed or (exposure.reserve_minor, exposure.reserve_reason) == (payable_minor, ASSESSED):
        return {}
    return {"reserve_minor": payable_minor, "reserve_reason": ASSESSED}
