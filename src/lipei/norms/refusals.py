"""What stands in the sentence of a refusal, in words: sums with their currency, states, papers, permissions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lipei.domain.money import Money
from lipei.norms.money import money_text
from lipei.norms.texts import text, texts


def worded(params: Mapping[str, Any], language: str) -> dict[str, Any]:
    """The parameters of a refusal as its sentence says them; what needs no words stays as it is."""
    return {name: _worded(name, value, language) for name, value in params.items()}


def _worded(name: str, value: Any, language: str) -> Any:
    if isinstance(value, Mapping) and value.keys() == {
        "minor",
        "currency",
    }:  # a sum as it is kept beside the outcome of a run
        return money_text(Money(**value), language)
    if isinstance(value, Money):
        return money_text(value, language)
    if isinstance(value, tuple):
        words = (text(f"paper.{v}", language) if name == "papers" else _worded(name, v, language) for v in value)
        return text("common.list_separator", language).join(str(word) for word in words)
    if not isinstance(value, str):
        return value
    if name in ("state", "permission"):
        known = (key for key in (f"state.{value}", f"action.{value}") if key in texts())
        return next((text(key, language) for key in known), value)
    subject, _, number = value.partition(" ")
    if name == "part" and f"subject.{subject}" in texts():
        return f"{text(f'subject.{subject}', language)} {number}"
    return value
