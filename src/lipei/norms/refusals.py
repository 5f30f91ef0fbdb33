"""What stands in the sentence of a refusal, in words: sums with their currency, states, papers, permissions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lipei.domain import lifecycle
from lipei.domain.money import Money
from lipei.norms.money import money_text
from lipei.norms.texts import text, texts


def worded(params: Mapping[str, Any], language: str) -> dict[str, Any]:
    """The parameters of a refusal as its sentence says them; what needs no words stays as it is.

    Beside a permission stand the ``roles`` that have it: whom to ask.
    """
    said = {name: _worded(name, value, language) for name, value in params.items()}
    return {"roles": holders(params["permission"], language), **said} if "permission" in params else said


def holders(permission: str, language: str) -> str:
    """Who may do what a permission allows, in words: roles, or whoever is permitted where it is no matter of roles."""
    roles = lifecycle.holders(permission)
    words = [text(f"role.{role}", language) for role in roles] or [text("role.somebody_permitted", language)]
    return text("common.list_separator", language).join(words)


_NAMED = {"papers": "paper", "facts": "fact", "cover": "cover", "peril": "loss", "kinds": "authority"}
"""Parameters that are codes, by the texts that name them."""


def _worded(name: str, value: Any, language: str) -> Any:
    if isinstance(value, Mapping) and value.keys() == {"minor", "currency"}:  # a sum as an entry or a run keeps it
        return money_text(Money(**value), language)
    if isinstance(value, Mapping) and language in value:  # a name out of the terms
        return value[language]
    if isinstance(value, Money):
        return money_text(value, language)
    if isinstance(value, list | tuple):
        return text("common.list_separator", language).join(str(_worded(name, one, language)) for one in value)
    if not isinstance(value, str):
        return value
    if name in _NAMED and f"{_NAMED[name]}.{value}" in texts():
        return text(f"{_NAMED[name]}.{value}", language)
    if name == "permission" and value.startswith("norm."):
        return text("permission.norm", language, table=text(f"console.{value}", language))
    if name in ("state", "permission"):
        known = (key for key in (f"state.{value}", f"action.{value}", f"permission.{value}") if key in texts())
        return next((text(key, language) for key in known), value)
    subject, _, number = value.partition(" ")
    if name == "part" and f"subject.{subject}" in texts():
        return f"{text(f'subject.{subject}', language)} {number}"
    return value
