"""The table of first reserves, read from its document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lipei.domain.papers import Selector
from lipei.domain.reserves import ReserveRow, ReserveTable
from lipei.norms.lines import check_remarks, known_keys, rows, texts_of
from lipei.norms.straight_through import money_limits


def parse(document: Mapping[str, Any]) -> ReserveTable:
    """The rows of a ``reserves`` document, in their order. Raises NormError."""
    known_keys("reserves", document, required={"version", "rows"}, optional={"source", "source_status"})
    check_remarks("reserves", document)
    return ReserveTable(tuple(_row(row) for row in rows("reserves.rows", document["rows"])))


def _row(row: Mapping[str, Any]) -> ReserveRow:
    place = f"reserves.rows.{row['code']}"
    known_keys(place, row, required={"code", "lines", "amounts_minor"}, optional={"covers", "losses"})
    return ReserveRow(
        code=row["code"],
        applies=Selector(
            texts_of(f"{place}.lines", row["lines"]),
            texts_of(f"{place}.covers", row.get("covers", [])),
            texts_of(f"{place}.losses", row.get("losses", [])),
        ),
        amounts_minor=money_limits(f"{place}.amounts_minor", row["amounts_minor"]),
    )
