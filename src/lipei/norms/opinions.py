"""The templates of the preliminary opinion, read from their document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lipei.domain.commands import TEXT_LENGTH_MAX
from lipei.domain.opinions import Opinion, OpinionTable
from lipei.norms.errors import NormError
from lipei.norms.lines import check_remarks, known_keys, rows, texts_of
from lipei.norms.settings import whole
from lipei.norms.texts import LANGUAGES

NAME_LENGTH_MAX = 40


def parse(document: Mapping[str, Any]) -> OpinionTable:
    """The table of an ``opinions`` document. Raises NormError, above all for a wording that lacks one of the languages."""
    known_keys("opinions", document, required={"version", "opinions", "source", "source_status"})
    check_remarks("opinions", document)
    return OpinionTable(
        version=whole("opinions.version", document["version"], 1),
        opinions=tuple(_opinion(row) for row in rows("opinions.opinions", document["opinions"])),
    )


def _opinion(row: Mapping[str, Any]) -> Opinion:
    place = f"opinions.{row['code']}"
    known_keys(place, row, required={"code", "lines", "name", "text"})
    return Opinion(
        code=row["code"],
        lines=texts_of(f"{place}.lines", row["lines"]),
        name=_wording(f"{place}.name", row["name"], NAME_LENGTH_MAX),
        text=_wording(f"{place}.text", row["text"], TEXT_LENGTH_MAX),
    )


def _wording(place: str, value: Any, length_max: int) -> Mapping[str, str]:
    """One wording per language, none empty and none longer than the field that takes it."""
    known_keys(place, value, required=LANGUAGES)
    for language, said in value.items():
        if not isinstance(said, str) or not 0 < len(said.strip()) <= length_max:
            raise NormError("norm_error.table.wording", place=f"{place}.{language}", most=length_max)
    return {language: said.strip() for language, said in value.items()}
