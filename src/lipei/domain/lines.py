"""Lines of business (险种) and kinds of loss: the one vocabulary to which every table is mapped.

Collected tables speak of ``motor_compulsory`` or ``accident_health_life``; `Lines.meaning` says what such a word of
theirs is in ours, so that no other code translates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Line:
    """One line of business with the kinds of loss that are reported under it. Labels: ``line.<code>``."""

    code: str
    losses: tuple[str, ...] = ()
    products: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Product:
    """A product's line and covers, as far as other tables need them; its terms are a table of their own.

    ``liability``: those of the covers under which others claim from the insured.
    """

    code: str
    line: str
    covers: tuple[str, ...] = ()
    liability: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a word of another vocabulary is in ours. An empty tuple of losses or covers means all of the lines'."""

    lines: tuple[str, ...]
    losses: tuple[str, ...] = ()
    covers: tuple[str, ...] = ()

    def fits(self, *, line: str, loss: str = "", cover: str = "") -> bool:
        """Whether a claim of this line, loss kind and cover is meant; what it leaves empty is not held against it."""
        if line not in self.lines:
            return False
        return (not self.losses or not loss or loss in self.losses) and (
            not self.covers or not cover or cover in self.covers
        )


@dataclass(frozen=True, slots=True)
class Lines:
    """The table of lines: ours by code, other vocabularies by name and word."""

    lines: Mapping[str, Line] = field(default_factory=dict)
    products: Mapping[str, Product] = field(default_factory=dict)
    vocabularies: Mapping[str, Mapping[str, Meaning]] = field(default_factory=dict)

    @property
    def losses(self) -> frozenset[str]:
        """Every kind of loss of any line. Labels: ``loss.<code>``."""
        return frozenset(loss for line in self.lines.values() for loss in line.losses)

    @property
    def covers(self) -> frozenset[str]:
        """Every cover of any product. Labels: ``cover.<code>``."""
        return frozenset(cover for product in self.products.values() for cover in product.covers)

    def meaning(self, *, vocabulary: str, word: str) -> Meaning | None:
        """What ``word`` of a collected table or of a file to import means here, or None where nobody has said.

        Letter case and surrounding blanks do not matter.
        """
        return self.vocabularies.get(vocabulary, {}).get(word.strip().casefold())
