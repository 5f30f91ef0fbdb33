"""The terms of a product (条款) as data: covers, what each asks, leaves out and limits, and its ordered steps.

Nothing here calculates. Wordings belong to the terms, so that a letter of an old claim quotes the words of its day.
Money figures are minor units of the product's currency, rates parts per million, counts plain numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import pairwise

from lipei.domain.money import Rounding

Wording = Mapping[str, str]
"""The same words in each language: ``{"zh-hans": …, "zh-hant": …, "en": …}``."""

FACT_TYPES = ("money", "percent", "count", "yes_no", "choice", "policies")
"""``policies`` is a list of other policies for the same loss: what each would pay alone, and its sum insured."""


@dataclass(frozen=True, slots=True)
class Figure:
    """Where a step takes a figure from.

    ``source`` is ``fixed`` (``value``), ``schedule`` or ``fact`` (``key`` names it), or ``choice``: the figure of
    ``choices`` under the value of fact ``key``, else ``otherwise``. So lower limits for a driver who was not at fault
    are ``Figure("choice", key="fault_percent", choices={0: …}, otherwise=…)``. ``band``: the figure of the first of
    ``bands`` (up to and including, figure) that the fact does not exceed, else ``otherwise``.
    """

    source: str
    value: int = 0
    key: str = ""
    choices: Mapping[int | bool | str, Figure] = field(default_factory=dict)
    bands: tuple[tuple[int, Figure], ...] = ()
    otherwise: Figure | None = None


@dataclass(frozen=True, slots=True)
class FactSpec:
    """One thing that the terms ask about a loss, or leave to be chosen in the policy's schedule.

    Bounds and default are in the unit of the type. A fact without default must be given, unless ``required`` is False.
    The label is the text ``fact.<name>``.
    """

    name: str
    type: str
    minimum: int | None = None
    maximum: int | None = None
    default: int | bool | str | None = None
    required: bool = True
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A part that the terms do not pay for. Only a person establishes it (norm part 4: automation never refuses).

    ``fact`` names a yes-or-no fact that makes the exclusion worth a person's look when true.
    """

    code: str
    clause: str
    wording: Wording
    fact: str = ""


@dataclass(frozen=True, slots=True)
class Clause:
    """A clause of the terms: its name as printed, and what it says in plain words."""

    name: Wording
    plain: Wording


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit kept in the policy's ledger, counted per accident, policy year or policy."""

    code: str
    per: str
    amount: Figure
    name: Wording


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the calculation: an operation of `steps.VOCABULARY`, its clause, its figures and options.

    ``what`` chooses between wordings of one operation: subtract *salvage* or *social_insurance*. ``automatic`` lets
    a machine make this cut although its kind is none of `results.AUTOMATIC`.
    """

    do: str
    clause: str
    what: str = ""
    figures: Mapping[str, Figure] = field(default_factory=dict)
    limit: str = ""  # `Limit.code` where the step draws on a shared limit
    table: Mapping[str, int] = field(default_factory=dict)  # rate by grade, ppm
    fact: str = ""
    raised_by: str = ""  # yes-or-no fact that raises a grade by one row of the table
    method: str = ""
    codes: tuple[str, ...] = ()  # item codes the step is about; empty: all
    covers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # peril → covers that pay first
    automatic: bool = False

    @property
    def text(self) -> str:
        """The key of the step's sentence."""
        return ".".join(filter(None, ("settlement", self.do, self.what, self.method)))


PERSONAL_HEADS = frozenset({"medical", "death_disability", "death", "disability", "allowance"})
"""Heads of damage that are somebody's body."""


@dataclass(frozen=True, slots=True)
class Cover:
    """One promise of the product, for one head of damage.

    ``waiting_days`` runs from the policy's first day for the perils named in ``waiting_perils``. ``territory`` lists
    the country codes where the cover holds, empty means everywhere.
    """

    code: str
    name: Wording
    head: str
    clause: str
    perils: tuple[str, ...]
    steps: tuple[Step, ...]
    facts: Mapping[str, FactSpec] = field(default_factory=dict)
    schedule: Mapping[str, FactSpec] = field(default_factory=dict)
    exclusions: Mapping[str, Exclusion] = field(default_factory=dict)
    territory: tuple[str, ...] = ()
    waiting_days: int = 0
    waiting_perils: tuple[str, ...] = ()

    @property
    def assumed(self) -> frozenset[str]:
        """The facts that change the sum and of which the steps assume something where nobody has said it."""
        figures = (figure for step in self.steps for figure in step.figures.values())
        names = {figure.key for figure in figures if figure.source not in ("fixed", "schedule")}
        return frozenset(name for name in names if name in self.facts and self.facts[name].default is not None)

    @property
    def of_persons(self) -> bool:
        """Whether it answers for somebody's body, not for a thing: it has nothing to do where nobody was hurt."""
        return self.head in PERSONAL_HEADS


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one product in one version, valid for losses from ``valid_from`` until the next version's day."""

    code: str
    version: int
    valid_from: date
    line: str
    currency: str
    name: Wording
    covers: Mapping[str, Cover]
    clauses: Mapping[str, Clause] = field(default_factory=dict)
    limits: Mapping[str, Limit] = field(default_factory=dict)
    rounding: Rounding = Rounding.HALF_UP
    source_status: str = ""


@dataclass(frozen=True)
class Products:
    """All products in all versions."""

    terms: tuple[Terms, ...]

    @classmethod
    def of(cls, terms: Iterable[Terms]) -> Products:
        """Put in order; raises ValueError where a version stands twice or a later one is valid from an earlier day."""
        ordered = tuple(sorted(terms, key=lambda t: (t.code, t.version)))
        for one, other in pairwise(ordered):
            if one.code == other.code and (one.version == other.version or one.valid_from >= other.valid_from):
                raise ValueError(f"{one.code}: version {other.version} does not follow version {one.version}")
        return cls(ordered)

    @property
    def codes(self) -> tuple[str, ...]:
        """The products' codes, each once."""
        return tuple(dict.fromkeys(terms.code for terms in self.terms))

    @cached_property
    def of_persons(self) -> frozenset[str]:
        """The codes of the covers that answer for somebody's body, of any product in any version."""
        return frozenset(c.code for terms in self.terms for c in terms.covers.values() if c.of_persons)

    def on(self, code: str, day: date) -> Terms | None:
        """The terms valid for a loss on that day; None where the product is unknown or did not exist yet."""
        valid = [terms for terms in self.terms if terms.code == code and terms.valid_from <= day]
        return valid[-1] if valid else None

    def version(self, code: str, version: int) -> Terms | None:
        """The terms in one version: what a recalculation uses years later."""
        return next((terms for terms in self.terms if (terms.code, terms.version) == (code, version)), None)

    def end_at_borders(self, code: str = "") -> bool:
        """Whether a cover of a product's newest terms has a territory; without ``code``, of any product's."""
        newest = (self.latest(one) for one in ((code,) if code else self.codes))
        return any(cover.territory for terms in newest if terms for cover in terms.covers.values())

    def latest(self, code: str) -> Terms | None:
        """The newest terms of a product."""
        return next((terms for terms in reversed(self.terms) if terms.code == code), None)
