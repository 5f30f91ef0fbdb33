"""The triage table, read from its document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lipei.domain.conditions import Condition, ConditionError, parse_condition
from lipei.domain.triage import LANES, Rule, TriageTable, known_field
from lipei.norms.errors import NormError
from lipei.norms.lines import check_remarks, known_codes, known_keys, rows, texts_of
from lipei.norms.settings import currency_of, flag, whole, words

CODE_MAX = 40
"""Characters of an incident's code: what `Report.incident` holds."""


def parse(document: Mapping[str, Any]) -> TriageTable:
    """The rules of a ``triage`` document. Raises NormError, above all for a field or operator that does not exist."""
    required = {"version", "currency", "rates_ppm", "injury", "rules"}
    known_keys("triage", document, required=required, optional={"incidents"})
    injury = known_keys("triage.injury", document["injury"], required={"perils"}, optional={"covers"})
    return TriageTable(
        version=whole("triage.version", document["version"], 1),
        currency=currency_of("triage.currency", document["currency"]),
        rules=tuple(_rule(row) for row in rows("triage.rules", document["rules"])),
        rates_ppm=_rates(document["rates_ppm"]),
        injury_covers=frozenset(texts_of("triage.injury.covers", injury.get("covers", []))),
        injury_perils=frozenset(texts_of("triage.injury.perils", injury["perils"])),
        incidents=_incidents(document.get("incidents") or {}),
    )


def _incidents(document: Any) -> Mapping[str, str]:
    """Code → name. A code is as long as a report can say it."""
    place = "triage.incidents"
    known_keys(place, document, optional=document)
    wrong = next((code for code in document if not (isinstance(code, str) and 0 < len(code.strip()) <= CODE_MAX)), None)
    if wrong is not None:
        raise NormError("norm_error.triage.incident", place=place, code=str(wrong))
    return {code.strip(): words(f"{place}.{code}", name) for code, name in document.items()}


def _rates(document: Any) -> Mapping[str, int]:
    place = "triage.rates_ppm"
    known_keys(place, document, required={"rates", "source", "source_status"})
    check_remarks(place, document)
    known_keys(place, document["rates"], optional=document["rates"])
    return {currency_of(place, code): whole(place, rate, 1) for code, rate in document["rates"].items()}


def _rule(row: Mapping[str, Any]) -> Rule:
    place = f"triage.{row['code']}"
    required = {"code", "when", "text", "source", "source_status"}
    known_keys(place, row, required=required, optional={"lane", "fast_lane", "report_upwards", "automatic"})
    check_remarks(place, row)
    lane = words(place, row.get("lane", ""))
    if lane:
        known_codes(place, [lane], LANES)
    rule = Rule(
        code=row["code"],
        when=condition(place, row["when"]),
        text=words(place, row["text"]),
        lane=lane,
        fast_lane=flag(place, row.get("fast_lane", False)),
        report_upwards=flag(place, row.get("report_upwards", False)),
        automatic=flag(place, row.get("automatic", False)),
        source_status=words(place, row["source_status"]),
    )
    if not (rule.lane or rule.fast_lane or rule.report_upwards):
        raise NormError("norm_error.triage.no_effect", place=place)
    return rule


def condition(place: str, document: Any) -> Condition:
    """A condition on a claim (see `lipei.domain.triage.claim_values`), its mistakes named with their place."""
    try:
        return parse_condition(document, known=known_field)
    except ConditionError as error:
        raise NormError(error.code, place=place, **error.params) from error
