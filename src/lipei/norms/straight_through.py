"""The table of what automation may do by itself, read from its document."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from lipei.domain.straight_through import (
    ALSO_FOR_ADVANCE,
    ALSO_FOR_PAYMENT,
    ALWAYS_FOR_ADVANCE,
    ALWAYS_FOR_PAYMENT,
    CHECKS,
    Path,
    StraightThroughTable,
)
from lipei.norms.errors import NormError
from lipei.norms.lines import check_remarks, known_codes, known_keys, texts_of
from lipei.norms.settings import currency_of, flag, whole

_KEYS = {"enabled", "checks", "limits_minor", "injury_lines", "third_party_lines"}


def parse(document: Mapping[str, Any]) -> StraightThroughTable:
    """The table of a ``straight_through`` document. Raises NormError where a check that must stay is left out."""
    required = {"version", "payment", "advance", "source", "source_status"}
    known_keys("straight_through", document, required=required)
    check_remarks("straight_through", document)
    return StraightThroughTable(
        version=whole("straight_through.version", document["version"], 1),
        payment=_path(
            "straight_through.payment",
            document["payment"],
            (ALWAYS_FOR_PAYMENT, ALSO_FOR_PAYMENT),
            {*_KEYS, "told_heads"},
            {"claimed_lines"},
        ),
        advance=_path(
            "straight_through.advance",
            document["advance"],
            (ALWAYS_FOR_ADVANCE, ALSO_FOR_ADVANCE),
            {*_KEYS, "share_percent"},
        ),
    )


def _path(
    place: str, document: Any, asked: tuple[Collection[str], Collection[str]], keys: Collection[str],
    more: Collection[str] = (),
) -> Path:  # fmt: skip
    """One way. ``asked``: the checks that must be named, and those that are asked whether named or not."""
    always, also = asked
    known_keys(place, document, required=keys, optional=more)
    checks = texts_of(f"{place}.checks", document["checks"])
    known_codes(f"{place}.checks", checks, CHECKS)
    for check in always:
        if check not in checks:
            raise NormError("norm_error.straight_through.check_missing", place=place, check=check)
    limits = known_keys(f"{place}.limits_minor", document["limits_minor"], optional=document["limits_minor"])
    return Path(
        enabled=flag(place, document["enabled"]),
        checks=(*checks, *(check for check in also if check not in checks)),
        limits_minor={line: money_limits(f"{place}.limits_minor.{line}", row) for line, row in limits.items()},
        # A table that does not say it: in every line.
        claimed_lines=frozenset(texts_of(f"{place}.claimed_lines", document.get("claimed_lines", list(limits)))),
        injury_lines=frozenset(texts_of(f"{place}.injury_lines", document["injury_lines"])),
        third_party_lines=frozenset(texts_of(f"{place}.third_party_lines", document["third_party_lines"])),
        told_heads=frozenset(texts_of(f"{place}.told_heads", document.get("told_heads", []))),
        share_percent=whole(f"{place}.share_percent", document.get("share_percent", 100), 1, 100),
    )


def money_limits(place: str, row: Any) -> Mapping[str, int]:
    """Limits per currency: ``{CNY: 500000}``, minor units."""
    known_keys(place, row, optional=row if isinstance(row, Mapping) else ())
    return {currency_of(place, currency): whole(place, limit, 0) for currency, limit in row.items()}
