"""The table of what surveyors look at, read from its document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lipei.domain.surveys import Checklist, Look, SurveyTable
from lipei.norms.errors import NormError
from lipei.norms.lines import known_codes, known_keys, rows, texts_of


def parse(document: Mapping[str, Any]) -> SurveyTable:
    """The looks and lists of a ``surveys`` document. Raises NormError for a code that no row declares."""
    known_keys("surveys", document, required={"version", "looks", "always", "lists"})
    looks = {row["code"]: _look(row) for row in rows("surveys.looks", document["looks"])}
    always = texts_of("surveys.always", document["always"])
    known_codes("surveys.always", always, looks)
    lists = tuple(_list(row, looks) for row in rows("surveys.lists", document["lists"]))
    return SurveyTable(looks, always, lists)


def _look(row: Mapping[str, Any]) -> Look:
    place = f"surveys.looks.{row['code']}"
    known_keys(place, row, required={"code"}, optional={"photo"})
    photo = row.get("photo", False)
    if not isinstance(photo, bool):
        raise NormError("norm_error.table.not_yes_or_no", place=place, key="photo")
    return Look(row["code"], photo)


def _list(row: Mapping[str, Any], looks: Mapping[str, Look]) -> Checklist:
    place = f"surveys.lists.{row['code']}"
    known_keys(place, row, required={"code", "lines", "looks"}, optional={"losses"})
    named = texts_of(place, row["looks"])
    known_codes(place, named, looks)
    return Checklist(row["code"], texts_of(place, row["lines"]), texts_of(place, row.get("losses", [])), named)
