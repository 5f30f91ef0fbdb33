"""Templates of the preliminary opinion (norm 2.2.1): what a handler says within 24 hours, in the customer's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Opinion:
    """One template. ``lines`` are the lines of business that it is for; empty: all. Wordings are per language."""

    code: str
    lines: tuple[str, ...]
    name: Mapping[str, str]
    text: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OpinionTable:
    """The templates, in the order in which they are offered."""

    version: int
    opinions: tuple[Opinion, ...]

    def of_line(self, line: str) -> tuple[Opinion, ...]:
        """The templates for a claim of this line: its own first, then those for every line."""
        own = tuple(o for o in self.opinions if line in o.lines)
        return (*own, *(o for o in self.opinions if not o.lines))
