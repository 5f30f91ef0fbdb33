"""Survey (查勘): what a surveyor looks at, by line of business and kind of loss (norm 2.2.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Look:
    """One thing to look at: answered yes or no. ``photo``: it wants a picture."""

    code: str
    photo: bool = False


@dataclass(frozen=True, slots=True)
class Checklist:
    """What to look at in losses of these lines and kinds; no kinds named means all of the lines'."""

    code: str
    lines: tuple[str, ...]
    losses: tuple[str, ...]
    looks: tuple[str, ...]

    def fits(self, *, line: str, loss: str) -> bool:
        """Whether the list is for such a loss. While the line is not known, lists for every kind of it do not fit."""
        return line in self.lines and (not self.losses or loss in self.losses)


@dataclass(frozen=True, slots=True)
class SurveyTable:
    """All things to look at, and the lists that name them."""

    looks: Mapping[str, Look] = field(default_factory=dict)
    always: tuple[str, ...] = ()
    lists: tuple[Checklist, ...] = ()

    def looks_for(self, *, line: str, loss: str) -> tuple[Look, ...]:
        """What to look at in such a loss, each once, in the order of the lists."""
        codes = [*self.always, *(code for one in self.lists if one.fits(line=line, loss=loss) for code in one.looks)]
        return tuple(self.looks[code] for code in dict.fromkeys(codes))
