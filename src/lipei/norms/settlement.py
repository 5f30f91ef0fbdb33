"""The explanation of a sum in the reader's language: each line with its clause, in the plain words of the terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lipei.domain.money import Money
from lipei.domain.settlement.terms import Terms
from lipei.norms.money import money_text, rate_text
from lipei.norms.texts import text


@dataclass(frozen=True, slots=True)
class ExplainedLine:
    """One line for a person. ``after`` is the amount the line ends at, ``cut`` what it took away, empty for nothing."""

    words: str
    clause: str
    plain: str
    after: str
    cut: str
    kind: str


def explain(*, terms: Terms, settlement: Mapping[str, Any], language: str) -> tuple[ExplainedLine, ...]:
    """The lines of a stored settlement (`Settlement.as_dict`) in words (norm 2.2.4: how the sum is made up).

    ``terms`` are those of the settlement's own version, so an old letter keeps the words of its day.
    """
    return tuple(_explained(line, terms, settlement, language) for line in settlement["lines"])


def _explained(line: Mapping[str, Any], terms: Terms, settlement: Mapping[str, Any], language: str) -> ExplainedLine:
    def money(minor: int) -> str:
        return money_text(Money(minor, settlement["currency"]), language)

    clause = terms.clauses[line["clause"]]
    cut = line["cut_minor"]
    params = {"before": money(line["before_minor"]), "after": money(line["after_minor"]), "cut": money(cut)}
    for name, value in line["params"].items():
        if name.endswith("_minor"):
            params[name.removesuffix("_minor")] = money(value)
        elif name.endswith("_ppm"):
            params[name.removesuffix("_ppm")] = rate_text(value)
        elif name == "limit":
            params["limit_name"] = terms.limits[value].name[language]
        elif name == "exclusion":
            params["exclusion"] = terms.covers[settlement["cover"]].exclusions[value].wording[language]
        else:
            params[name] = str(value)
    words = text(line["text"], language, **params)
    return ExplainedLine(
        words, clause.name[language], clause.plain[language], params["after"], money(cut) if cut else "", line["kind"]
    )
