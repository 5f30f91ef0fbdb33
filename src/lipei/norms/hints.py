"""The table of hints, read from its document."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from lipei.domain.hints import HintTable, Pattern, Words
from lipei.domain.spoken import PartOfDay
from lipei.norms.errors import NormError
from lipei.norms.lines import check_remarks, known_codes, known_keys, rows, texts_of
from lipei.norms.settings import flag, whole, words

FIELDS = ("phone", "name", "plate", "policy_number", "place", "loss_kind", "line", "rescue", "injured", "serious_injuries",
          "deaths")  # fmt: skip
"""The fields of a report that may be suggested; the time of the loss by ``days`` and ``hour``."""
_SLOW = re.compile(r"\([^()]*[+*][^()]*\)[+*{]")
_PATTERN_LENGTH_MAX = 300


def parse(document: Mapping[str, Any]) -> HintTable:
    """The table of a ``hints`` document. Raises NormError for a field that cannot be suggested and a pattern that is
    none, or that could take forever (a repetition of a repetition)."""
    known_keys("hints", document, required={"version", "patterns", "words"}, optional={"source", "clock"})
    check_remarks("hints", document)
    return HintTable(
        version=whole("hints.version", document["version"], 1),
        patterns=tuple(_pattern(row) for row in rows("hints.patterns", document["patterns"])),
        words=tuple(_words(row) for row in rows("hints.words", document["words"])),
        clock=tuple(_part_of_day(row) for row in rows("hints.clock", document.get("clock", []))),
    )


HOURS_MAX = 36
"""A part of the day ends by then: noon of the day that follows."""


def _part_of_day(row: Mapping[str, Any]) -> PartOfDay:
    place = f"hints.clock.{row['code']}"
    known_keys(place, row, required={"code", "any", "from_hour", "to_hour"})
    start = whole(f"{place}.from_hour", row["from_hour"], 0, HOURS_MAX - 1)
    end = whole(f"{place}.to_hour", row["to_hour"], start + 1, HOURS_MAX)
    return PartOfDay(row["code"], texts_of(f"{place}.any", row["any"]), start, end)


def _pattern(row: Mapping[str, Any]) -> Pattern:
    place = f"hints.patterns.{row['code']}"
    known_keys(place, row, required={"code", "field", "pattern"}, optional={"drop", "count"})
    known_codes(f"{place}.field", [row["field"]], FIELDS)
    pattern = words(f"{place}.pattern", row["pattern"])
    try:
        re.compile(pattern)
    except re.error:
        raise NormError("norm_error.hints.pattern", place=f"{place}.pattern") from None
    if len(pattern) > _PATTERN_LENGTH_MAX or _SLOW.search(pattern):
        raise NormError("norm_error.hints.pattern", place=f"{place}.pattern")
    return Pattern(
        row["code"], row["field"], pattern, str(row.get("drop", "")), flag(f"{place}.count", row.get("count", False))
    )


def _words(row: Mapping[str, Any]) -> Words:
    place = f"hints.words.{row['code']}"
    known_keys(place, row, required={"code", "any"}, optional={"unless", "says", "days", "hour"})
    says = row.get("says") or {}
    known_keys(f"{place}.says", says, optional=FIELDS)
    hour = whole(f"{place}.hour", row["hour"], 0) if "hour" in row else None
    if not (says or "days" in row) or (hour is not None and hour > 23):
        raise NormError("norm_error.table.missing_key", place=place, key="says")
    return Words(
        code=row["code"],
        any=texts_of(f"{place}.any", row["any"]),
        unless=texts_of(f"{place}.unless", row.get("unless", [])),
        says={name: words(f"{place}.says.{name}", value) for name, value in says.items()},
        days=whole(f"{place}.days", row["days"], 0) if "days" in row else None,
        hour=hour,
    )
