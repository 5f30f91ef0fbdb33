"""Why a claim went this way and to this person, in words: the reasons that triage and assignment left on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lipei.norms.texts import text, texts


def in_words(reasons: Iterable[Mapping[str, Any]], language: str, staff: Mapping[int, str]) -> tuple[str, ...]:
    """A sentence for each reason. ``staff`` are the names of those whom a reason may name by id."""
    return tuple(_sentence(row, language, staff) for row in reasons)


def _sentence(row: Mapping[str, Any], language: str, staff: Mapping[int, str]) -> str:
    key = str(row.get("text", ""))
    if key not in texts():
        return str(row.get("rule", key))
    blanks = {**row, **row.get("params", {})}
    if "staff" in blanks:
        blanks["staff"] = _names(blanks["staff"], language, staff)
    if "unit" in blanks:
        blanks["unit"] = unit_name(str(blanks["unit"]), language)
    try:
        return texts()[key][language].format(**blanks)
    except (KeyError, IndexError):
        return texts()[key][language]


def unit_name(unit: str, language: str) -> str:
    """What the unit of a queue is called: a shipped queue by its text, a company's own as it is written."""
    key = f"queue.{unit}"
    return text(key, language) if key in texts() else unit


def _names(found: Any, language: str, staff: Mapping[int, str]) -> str:
    numbers = found if isinstance(found, list | tuple) else (found,)
    return text("common.list_separator", language).join(staff.get(n, str(n)) for n in numbers)


def staff_in(reasons: Iterable[Mapping[str, Any]]) -> set[int]:
    """The members of staff whom reasons name."""
    rows = ({**row, **row.get("params", {})}.get("staff", ()) for row in reasons)
    return {n for found in rows for n in (found if isinstance(found, list | tuple) else (found,)) if type(n) is int}
