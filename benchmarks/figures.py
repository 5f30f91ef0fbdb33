"""What a benchmark answers with: measured values beside their bars."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

FIGURE_PREFIX = "figure: "


@dataclass(frozen=True)
class Figure:
    """One measured value. ``at_least`` or ``at_most`` is the bar; neither: the value is only told (a peer, a count)."""

    name: str
    value: float
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def bar(self) -> str:
        """The bar in words."""
        if self.at_least is not None:
            return f"≥ {shown(self.at_least)} {self.unit}".strip()
        return f"≤ {shown(self.at_most)} {self.unit}".strip() if self.at_most is not None else ""

    @property
    def met(self) -> bool | None:
        """Whether the bar is met; None where there is none."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most


def shown(value: float) -> str:
    """Three digits that matter."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def tell(figures: Sequence[Figure]) -> None:
    """Hand figures to the process that started this one."""
    for figure in figures:
        print(FIGURE_PREFIX + json.dumps(asdict(figure), ensure_ascii=False), flush=True)


def told(line: str) -> Figure | None:
    """The figure in a line of output."""
    return Figure(**json.loads(line.removeprefix(FIGURE_PREFIX))) if line.startswith(FIGURE_PREFIX) else None


def say(words: str) -> None:
    """Progress, on the error stream."""
    print(words, file=sys.stderr, flush=True)


def percentile(values: Sequence[float], percent: float) -> float:
    """The least value that at least this percent of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * int(percent * 100) // 10_000) - 1)]
