"""Triage (分流): which way a claim goes, and why (norm 2.3.1, 2.3.2).

Three answers that have nothing to do with each other, from one table of rules:

* the *lane*: a simple claim is one that can be paid at once, everything else is complex;
* the *fast lane*: urgent for the customer, goes first everywhere;
* *report upwards*: large for the company, somebody above must hear of it.

Nothing is simple by ignorance: a claim is simple when a rule says so, no rule says complex, and its size is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta

from lipei.domain import sizes
from lipei.domain.claims import Case, Claim, Exposure
from lipei.domain.conditions import Condition, Match, matches
from lipei.domain.events import Value, private_fields
from lipei.domain.settlement.terms import Products

SIMPLE, COMPLEX = "simple", "complex"
LANES = (SIMPLE, COMPLEX)

ANSWERS = frozenset({"lane", "fast_lane", "report_upwards", "triage_reasons"})
"""The fields of a claim that hold what triage said; the others hold what it was said of."""

NO_RULE = "reason.triage.no_rule"
NO_RATE = "reason.triage.no_rate"

CLAIM_FIELDS = tuple(f.name for f in fields(Claim) if f.name not in private_fields(Claim))
DERIVED_FIELDS = (
    "amount_minor",  # the larger of the claim's estimate and the sum of its exposures, in the table's currency
    "injury_minor",  # of that, what falls on injured persons
    "damage_minor",  # of that, what falls on things
    "refused_minor",  # what is being refused or has been
    "covers",  # of the live exposures
    "perils",  # kinds of loss of the claim and of its live exposures
    "days_to_report",  # whole days from the loss to its report
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: when it holds, what follows. ``lane`` is empty where the rule says nothing about it.

    ``automatic``: a complex claim that automation may pay all the same; any other complex one goes to a person.
    """

    code: str
    when: Condition
    text: str
    lane: str = ""
    fast_lane: bool = False
    report_upwards: bool = False
    automatic: bool = False
    source_status: str = ""


@dataclass(frozen=True, slots=True)
class TriageTable:
    """The rules, and what is needed to compare claims with them.

    Amounts in rules are minor units of ``currency``. A claim in another currency is compared at a fixed rate:
    ``rates_ppm`` says how many millionths of the table's minor unit one minor unit of that currency is worth.
    ``incidents`` are those that are declared (norm 2.5.2), code → name. ``injury_perils`` are the kinds of loss by which
    somebody is hurt, ``injury_covers`` covers that count as an injury besides those whose terms say so.
    """

    version: int
    currency: str
    rules: tuple[Rule, ...]
    rates_ppm: Mapping[str, int] = field(default_factory=dict)
    injury_covers: frozenset[str] = frozenset()
    injury_perils: frozenset[str] = frozenset()
    incidents: Mapping[str, str] = field(default_factory=dict)

    def rate_ppm(self, currency: str) -> int | None:
        """The rate of comparison, or None for a currency nobody has given one for."""
        return 1_000_000 if currency == self.currency else self.rates_ppm.get(currency)


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule that spoke: its code, its sentence (a text key), what it did and the values that made it hold."""

    rule: str
    text: str
    effects: tuple[str, ...]
    matched: tuple[Match, ...] = ()

    def as_value(self) -> dict[str, Value]:
        """As a dictionary for the journal, for ``Claim.triage_reasons`` and for pages."""
        return {
            "rule": self.rule,
            "text": self.text,
            "effects": self.effects,
            "matched": tuple(match.as_value() for match in self.matched),
        }


@dataclass(frozen=True, slots=True)
class Triage:
    """The answer. ``reasons`` names every rule that led to it, in the order of the table."""

    lane: str
    fast_lane: bool
    report_upwards: bool
    reasons: tuple[Reason, ...]


def known_field(name: str) -> bool:
    """Whether a condition may ask for this field: a public field of the claim, a derived one, or ``facts.<name>``.

    Facts are what the covers ask for (`Exposure.facts`); the products name them, so any name is accepted here.
    """
    return name in CLAIM_FIELDS or name in DERIVED_FIELDS or (name.startswith("facts.") and len(name) > len("facts."))


def triage(
    *, case: Case, table: TriageTable, now: datetime, facts: Mapping[str, Value] | None = None,
    products: Products | None = None,
) -> Triage:  # fmt: skip
    """Which way this claim goes, as it stands now. Repeatable: asked again with more known, it may answer otherwise.

    ``facts`` is what is known of the claim as a whole and stands in no field of it (``regulator_asks``, …).
    """
    values = claim_values(case=case, table=table, now=now, facts=facts, products=products)
    reasons = [_reason(rule, found) for rule in table.rules if (found := matches(rule.when, values)) is not None]
    effects = {effect for reason in reasons for effect in reason.effects}
    if table.rate_ppm(case.claim.currency) is None:
        reasons.append(Reason("no_rate", NO_RATE, (COMPLEX,)))
        effects.add(COMPLEX)
    if not effects & set(LANES):
        reasons.append(Reason("no_rule", NO_RULE, (COMPLEX,)))
        effects.add(COMPLEX)
    return Triage(
        lane=COMPLEX if COMPLEX in effects else SIMPLE,
        fast_lane="fast_lane" in effects,
        # What somebody made known above stays so, whatever the rules say of it later.
        report_upwards="report_upwards" in effects or case.claim.reported_upwards_at is not None,
        reasons=tuple(reasons),
    )


def doubts(found: Triage, table: TriageTable) -> tuple[str, ...]:
    """Why a person has to look, as text keys: each rule that says complex and does not leave automation its way.

    That no rule makes a claim simple is no doubt: it may be clear and of a kind or size that the rules do not know.
    """
    left = {rule.code for rule in table.rules if rule.automatic}
    return tuple(r.text for r in found.reasons if COMPLEX in r.effects and r.rule not in left and r.text != NO_RULE)


def no_longer(before: Iterable[Mapping[str, Value]], found: Triage) -> tuple[str, ...]:
    """The rules that said complex or report upwards when the claim was last looked at, and do not any more."""
    speak = {reason.rule for reason in found.reasons}
    held = (row for row in before if {COMPLEX, "report_upwards"} & set(row["effects"]))
    return tuple(row["rule"] for row in held if row["rule"] not in speak)


def _reason(rule: Rule, matched: tuple[Match, ...]) -> Reason:
    flags = [name for name in ("fast_lane", "report_upwards") if getattr(rule, name)]
    return Reason(rule.code, rule.text, tuple(filter(None, (rule.lane, *flags))), matched)


def claim_values(
    *, case: Case, table: TriageTable, now: datetime, facts: Mapping[str, Value] | None = None,
    products: Products | None = None,
) -> dict[str, Value]:  # fmt: skip
    """The fields that conditions on a claim may ask for, by name (see `known_field`). Nothing private is among them.

    Amounts (``…_minor``) are in the table's currency, rounded down, and None where there is no rate for the claim's.
    With ``products`` a loss under two covers, of which one pays beyond the other, counts once (`sizes.counted_once`).
    ``facts.<name>`` holds one value per exposure that knows the fact, and that of ``facts``.
    """
    claim = case.claim
    live = [e for e in case.exposures.values() if e.state != "dropped"]
    rate = table.rate_ppm(claim.currency)
    values: dict[str, Value] = {name: getattr(claim, name) for name in CLAIM_FIELDS}
    values |= _facts((*(e.facts for e in live), claim.facts, facts or {}), rate)
    values |= _amounts(case, live, table, rate, products)
    values["covers"] = tuple(dict.fromkeys(e.cover for e in live if e.cover))
    values["perils"] = tuple(dict.fromkeys(p for p in (claim.loss_kind, *(e.peril for e in live)) if p))
    values["days_to_report"] = _days(claim.loss_at, claim.reported_at or now)
    return values


def _days(start: datetime | None, end: datetime) -> int | None:
    return None if start is None else (end - start) // timedelta(days=1)


def _compared(minor: Value, rate: int | None) -> int | None:
    return minor * rate // 1_000_000 if rate is not None and isinstance(minor, int) else None


def _facts(sources: tuple[Mapping[str, Value], ...], rate: int | None) -> dict[str, Value]:
    found: dict[str, tuple[Value, ...]] = {}
    for facts in sources:
        for name, value in facts.items():
            known = _compared(value, rate) if name.endswith("_minor") else value
            found[f"facts.{name}"] = (*found.get(f"facts.{name}", ()), known)
    return dict(found)


def _amounts(
    case: Case, exposures: list[Exposure], table: TriageTable, rate: int | None, products: Products | None
) -> dict[str, Value]:
    """The claim's size in the table's currency: what is known of it so far, whichever figure is the largest."""
    claim = case.claim
    heads = sizes.counted_once(case, {e.part: sizes.likely_minor(e) for e in exposures}, products)
    injury = sum(heads[e.part] for e in exposures if is_injury(e, table, products))
    known = sum(heads.values())
    total = max(claim.estimate_minor, known)
    # What the estimate holds beyond the exposures belongs to the kind of loss that was reported.
    if claim.loss_kind in table.injury_perils:
        injury += total - known
    refused = {e.part for e in exposures if e.state in ("refusal_proposed", "refused")}
    amounts = {
        "estimate_minor": claim.estimate_minor,
        "amount_minor": total,
        "injury_minor": injury,
        "damage_minor": total - injury,
        "refused_minor": sizes.refused_minor(case, refused, products),
    }
    return {name: _compared(minor, rate) for name, minor in amounts.items()}


def is_injury(exposure: Exposure, table: TriageTable, products: Products | None) -> bool:
    """Whether a head of loss is about somebody's body: its cover answers for persons, or its kind of loss hurts them."""
    of_persons = products.of_persons if products else frozenset()
    return exposure.cover in of_persons | table.injury_covers or exposure.peril in table.injury_perils
