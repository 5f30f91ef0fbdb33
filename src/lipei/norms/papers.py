"""The table of papers, read from a document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lipei.domain.conditions import Condition, ConditionError, parse_condition
from lipei.domain.lines import Lines
from lipei.domain.papers import (
    FORMS,
    PERS,
    REQUIRED,
    ROLES,
    UNKNOWN,
    PaperKind,
    PaperList,
    PaperRow,
    PaperTable,
    Selector,
    known_field,
)
from lipei.norms.errors import NormError
from lipei.norms.lines import check_remarks, known_codes, known_keys, rows, texts_of
from lipei.norms.settings import flag

SENSITIVITIES = ("low", "personal", "id", "financial", "location", "medical", "sensitive")


def parse(document: Mapping[str, Any], *, lines: Lines | None = None) -> PaperTable:
    """The kinds and lists of a ``papers`` document; with ``lines``, every line, cover and kind of loss must be known.

    Raises NormError for unknown keys and codes, for a conditional row without condition, for a condition that is none.
    """
    known_keys("papers", document, required={"version", "adult_age_years", "sources", "papers", "lists"})
    age = document["adult_age_years"]
    if not isinstance(age, int) or isinstance(age, bool) or age < 0:
        raise NormError("norm_error.table.not_a_number", place="papers.adult_age_years")
    named = known_keys("papers.sources", document["sources"], optional=document["sources"] or ())
    sources = {code: _status(code, row) for code, row in named.items()}
    kinds = {row["code"]: _kind(row) for row in rows("papers.papers", document["papers"])}
    lists = tuple(_list(row, kinds, sources, lines) for row in rows("papers.lists", document["lists"]))
    return PaperTable(kinds, lists, age)


def _status(code: str, row: Any) -> str:
    place = f"papers.sources.{code}"
    known_keys(place, row, required={"source", "status"})
    check_remarks(place, row)
    return str(row["status"])


def _kind(row: Mapping[str, Any]) -> PaperKind:
    place = f"papers.{row['code']}"
    known_keys(
        place, row, required={"code", "of", "per", "issuer", "sensitivity"}, optional={"asked", "on_file", "form"}
    )
    of = texts_of(place, row["of"])
    known_codes(place, of, ROLES)
    known_codes(place, [row["per"]], PERS)
    known_codes(place, [row["sensitivity"]], SENSITIVITIES)
    known_codes(place, [row["form"]] if "form" in row else [], FORMS)
    if not of:
        raise NormError("norm_error.table.missing_key", place=place, key="of")
    return PaperKind(
        row["code"], of, row["per"], row["issuer"], row["sensitivity"], bool(row.get("asked", True)),
        condition(place, row["on_file"]) if "on_file" in row else None, row.get("form", ""),
    )  # fmt: skip


def _list(
    row: Mapping[str, Any],
    kinds: Mapping[str, PaperKind],
    sources: Mapping[str, str],
    lines: Lines | None,
) -> PaperList:
    place = f"papers.lists.{row['code']}"
    known_keys(place, row, required={"code", "source", "applies", "papers"})
    known_codes(place, [row["source"]], sources)
    if not isinstance(row["applies"], list) or not row["applies"]:
        raise NormError("norm_error.table.not_a_list", place=place)
    selectors = tuple(_selector(place, one, lines) for one in row["applies"])
    papers = tuple(
        _row(f"{place}.{one['paper']}", one, kinds, sources[row["source"]])
        for one in rows(place, row["papers"], code="paper")
    )
    return PaperList(row["code"], selectors, papers)


def _selector(place: str, row: Any, lines: Lines | None) -> Selector:
    known_keys(place, row, required={"lines"}, optional={"covers", "losses"})
    selector = Selector(
        texts_of(place, row["lines"]), texts_of(place, row.get("covers", [])), texts_of(place, row.get("losses", []))
    )
    if lines is not None:
        known_codes(place, selector.lines, lines.lines)
        known_codes(place, selector.covers, lines.covers | {UNKNOWN})
        known_codes(place, selector.losses, {loss for line in selector.lines for loss in lines.lines[line].losses})
    return selector


def _row(place: str, row: Mapping[str, Any], kinds: Mapping[str, PaperKind], source_status: str) -> PaperRow:
    known_keys(place, row, required={"paper", "required"}, optional={"when", "why", "waits"})
    known_codes(place, [row["paper"]], kinds)
    known_codes(place, [row["required"]], REQUIRED)
    if row["required"] == "C" and not {"when", "why"} <= set(row):
        raise NormError("norm_error.table.missing_key", place=place, key="why" if "when" in row else "when")
    when = condition(place, row["when"]) if "when" in row else None
    waits = flag(f"{place}.waits", row.get("waits", True))
    return PaperRow(row["paper"], row["required"], when, row.get("why", ""), waits, source_status)


def condition(place: str, document: Any) -> Condition:
    """A condition on the fields that papers know; NormError where it is none."""
    try:
        return parse_condition(document, known=known_field)
    except ConditionError as error:
        raise NormError(error.code, place=place, **error.params) from error
