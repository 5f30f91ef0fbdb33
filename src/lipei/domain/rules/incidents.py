"""Incidents (突发事件): only one that is declared can be named, for it puts a claim first (norm 2.3.2, 2.5.2)."""

from __future__ import annotations

from lipei.domain.conduct import Ask
from lipei.domain.events import Refusal


def wrong_incident(ask: Ask, code: str, before: str = "") -> dict[str, str]:
    """What is wrong with the incident that a loss is said to be part of: it puts a claim first, so it must be declared.

    ``before`` is what the claim names already: it stays, though the incident may be over.
    """
    known = code in ("", before) or code in ask.rulebook.triage.incidents
    return {} if known else {"incident": "refusal.incident_unknown"}


def wrong_with_incidents(ask: Ask, codes: dict[str, str]) -> Refusal:
    """A refusal of fields that names the incidents declared, where that is what was wrong."""
    named = ", ".join(f"{code} ({name})" for code, name in ask.rulebook.triage.incidents.items()) or "–"
    return Refusal("refusal.fields", "fields", {"incidents": named} if "incident" in codes else {}, codes)
