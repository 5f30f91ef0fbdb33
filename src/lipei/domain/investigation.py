"""What is wanted of an investigation: visits to the damage, and opinions of experts (norm 2.2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lipei.domain.entries import said
from lipei.domain.money import Money


@dataclass(frozen=True, slots=True)
class ScheduleSurvey:
    """A visit or remote look at the damage."""

    at: datetime | None = said(None, required=True)  # noqa: RUF009 - `said` makes a field
    place: str = said(length_max=200)
    surveyor: int | None = None
    exposure: int = said(0, low=0)
    remote: bool = False


@dataclass(frozen=True, slots=True)
class RecordSurvey:
    """What the surveyor found."""

    findings: str = said(long=True, required=True)
    checklist: Mapping[str, Any] = said({})
    documents: tuple[int, ...] = said(())


@dataclass(frozen=True, slots=True)
class Convene:
    """Ask experts (norm 2.2.3)."""

    question: str = said(long=True, required=True)
    experts: tuple[int, ...] = said(())
    exposure: int = said(0, low=0)


@dataclass(frozen=True, slots=True)
class Opine:
    """One expert's opinion and vote."""

    vote: str = said(choices=("for", "against", "abstain"), required=True)
    text: str = said(long=True, required=True)
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Conclude:
    """What the consultation came to."""

    outcome: str = said(choices=("accepted", "rejected", "undecided"), required=True)
    text: str = said(long=True, required=True)
