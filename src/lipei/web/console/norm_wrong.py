"""What people type in forms of norm tables as numbers, amounts and short names, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from lipei.domain.money import MoneyError, parse


class Wrong(Exception):
    """What was typed cannot be this value; ``code`` is a text key."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code, self.params = code, params


def number(said: str, low: int | None, high: int | None) -> int:
    """A whole number within bounds. Raises `Wrong`."""
    said = re.sub(r"[,，\s]", "", said)
    if not re.fullmatch(r"-?\d{1,16}", said):
        raise Wrong("refusal.not_a_number")
    found = int(said)
    if (low is not None and found < low) or (high is not None and found > high):
        raise Wrong("table.error.bounds", low="–" if low is None else low, high="–" if high is None else high)
    return found


def amount(said: str, currency: str) -> int:
    """Minor units of an amount as people type it. Raises `Wrong`."""
    try:
        return parse(re.sub(r"[,，\s]", "", said), currency).minor
    except MoneyError as error:
        raise Wrong(error.code, **error.params) from None


def slug(said: str, taken: Iterable[str]) -> str:
    """A short name that nobody has yet, made of words: what a new row is kept under."""
    stem = re.sub(r"[^a-z0-9]+", "_", said.lower()).strip("_")[:36] or "row"
    found, n = stem, 2
    while found in taken:
        found, n = f"{stem}_{n}", n + 1
    return found
