"""A norm table as a readable tree: its keys as they are edited, and beside every known code the words for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lipei.norms.texts import text, texts
from lipei.web.templatetags.lipei import language

COLUMNS_MAX = 7
"""A row of more columns than this is shown as a card of its own, not in a table that nobody can overlook."""

WORDS: Mapping[str, tuple[str, ...]] = {
    # key of the document: where the words for its codes stand
    **dict.fromkeys(
        ("start", "fulfil", "cancel", "pause", "resume", "ending", "voiding", "event", "events"), ("event",)
    ),
    **dict.fromkeys(("role", "roles", "tell_warning", "tell_breach", "to"), ("role", "party_role")),
    **dict.fromkeys(("line", "lines", "minutes_by_line", "limits_by_line"), ("line",)),
    **dict.fromkeys(("loss", "losses", "perils", "peril"), ("loss",)),
    **dict.fromkeys(("cover", "covers"), ("cover",)),
    **dict.fromkeys(("paper", "papers"), ("paper",)),
    **dict.fromkeys(("channel", "channels"), ("channel",)),
    "kinds": ("authority",),
    "skill": ("skill", "line"),
    "lane": ("lane",),
    "state": ("state.claim",),
    "letter": ("letter_kind",),
    "settings": ("setting",),
    "promises": ("promise",),
    "messages": ("message_name",),
    "of": ("party_role",),
    "unit": ("unit",),
    "binds": ("binds",),
}


def words(key: str, value: Any) -> str:
    """The words for a code that stands under a key; empty where none are known."""
    known = texts()
    for prefix in WORDS.get(key, ()):
        found = known.get(f"{prefix}.{value}") if isinstance(value, str) else None
        if found is not None:
            return found[language()]
    return ""


def node(value: Any, key: str = "") -> dict[str, Any]:
    """A document as a readable tree: ``rows`` (a table), ``cards``, ``pairs``, ``items`` or a plain ``value``."""
    if isinstance(value, Mapping):
        if len(value) > 1 and all(isinstance(v, Mapping) for v in value.values()):
            return _rows([{"": code, **row} for code, row in value.items()], key)
        return {"kind": "pairs", "pairs": [(str(k), words(key, k), node(v, str(k))) for k, v in value.items()]}
    if isinstance(value, list):
        if value and all(isinstance(v, Mapping) for v in value):
            return _rows(value, key)
        return {"kind": "items", "items": [node(v, key) for v in value]}
    if isinstance(value, bool):
        return {"kind": "value", "value": text("common.yes" if value else "common.no", language()), "words": ""}
    return {"kind": "value", "value": "—" if value in (None, "") else value, "words": words(key, value)}


def _rows(rows: list[Any], key: str) -> dict[str, Any]:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    if len(columns) > COLUMNS_MAX:
        return {"kind": "cards", "cards": [_card(row, columns[0], key) for row in rows]}
    return {
        "kind": "rows",
        "columns": columns,
        "rows": [[_cell(row, c, columns[0], key) for c in columns] for row in rows],
    }


def _card(row: Mapping[str, Any], first: str, key: str) -> dict[str, Any]:
    pairs: Iterable[tuple[str, Any]] = ((k, v) for k, v in row.items() if k != first)
    return {
        "title": words(key, row.get(first)),
        "code": row.get(first, ""),
        "brief": _brief(row),
        "pairs": [(k, "", node(v, k)) for k, v in pairs],
    }


def _brief(row: Mapping[str, Any]) -> str:
    """The figure that a card is about, with its unit: a setting's value, a promise's limit."""
    figure = row.get("value", row.get("default", row.get("limit")))
    if figure is None or isinstance(figure, list | Mapping):
        return ""
    unit = row.get("unit", "")
    return f"{figure} {words('unit', unit) or unit}".strip()


def _cell(row: Mapping[str, Any], column: str, first: str, key: str) -> dict[str, Any] | None:
    """One cell; a row's first column names it, so its code is one of the table's own."""
    if column not in row:
        return None
    return node(row[column], key if column == first and words(key, row[column]) else column)
