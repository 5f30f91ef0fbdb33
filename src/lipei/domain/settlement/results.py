"""The outcome of a calculation: lines that chain from nothing to the sum payable, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from lipei.domain.limits import Draw

AUTOMATIC = ("deductible", "ratio", "limit")
"""The cuts that a machine may make by itself (norm part 4). Everything else that takes away goes to a person."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the explanation. ``text`` with ``params`` is its sentence, ``clause`` what it rests on.

    ``kind`` is what sort of step it is: loss, assessment, exclusion, subtraction, other_cover, deductible, ratio or
    limit. The ``after_minor`` of a line is the ``before_minor`` of the next.
    """

    step: str
    kind: str
    clause: str
    text: str
    params: Mapping[str, Any]
    before_minor: int
    after_minor: int

    @property
    def cut_minor(self) -> int:
        """What the line took away, 0 where it added."""
        return max(0, self.before_minor - self.after_minor)

    def as_dict(self) -> dict[str, Any]:
        """For the journal and for programs."""
        return {
            "step": self.step,
            "kind": self.kind,
            "clause": self.clause,
            "text": self.text,
            "params": dict(self.params),
            "before_minor": self.before_minor,
            "after_minor": self.after_minor,
            "cut_minor": self.cut_minor,
        }


@dataclass(frozen=True, slots=True)
class Settlement:
    """What one exposure is given by the terms, and why.

    ``needs_person`` are text codes of what a machine may not decide alone; empty means straight-through is possible.
    ``provisional`` says that an estimate took part, so the sum may still move. ``inputs`` is all that `replay` needs
    to come to the same cent with the same version of the terms.
    """

    exposure: int
    product: str
    terms_version: int
    cover: str
    peril: str
    currency: str
    lines: tuple[Line, ...]
    loss_minor: int
    payable_minor: int
    draws: tuple[Draw, ...] = ()
    excluded: tuple[Mapping[str, Any], ...] = ()
    needs_person: tuple[str, ...] = ()
    provisional: bool = False
    inputs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def excluded_minor(self) -> int:
        """Minor units that exclusions took from the loss."""
        return sum(line.cut_minor for line in self.lines if line.kind == "exclusion")

    def as_dict(self) -> dict[str, Any]:
        """The value of `Exposure.settlement`: JSON without floats, personal data or free text."""
        return {
            "exposure": self.exposure,
            "product": self.product,
            "terms_version": self.terms_version,
            "cover": self.cover,
            "peril": self.peril,
            "currency": self.currency,
            "lines": [line.as_dict() for line in self.lines],
            "loss_minor": self.loss_minor,
            "payable_minor": self.payable_minor,
            "draws": [asdict(draw) for draw in self.draws],
            "excluded": [dict(row) for row in self.excluded],
            "needs_person": list(self.needs_person),
            "provisional": self.provisional,
            "inputs": dict(self.inputs),
        }


class Due(NamedTuple):
    """What is still to be paid, or to be asked back. One of the two is always 0."""

    due_minor: int
    to_recover_minor: int


def due(*, final_minor: int, advanced_minor: int) -> Due:
    """Set an advance off against the final sum (保险法 25: 应当支付相应的差额). Never a negative payment.

    Raises ValueError for a negative sum.
    """
    if final_minor < 0 or advanced_minor < 0:
        raise ValueError("neither the final sum nor an advance is negative")
    return Due(max(0, final_minor - advanced_minor), max(0, advanced_minor - final_minor))
