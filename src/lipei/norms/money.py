"""How an amount is written for a reader, in each language."""

from __future__ import annotations

import re
from functools import cache

from lipei.domain.money import Money, MoneyError, grouped, parse
from lipei.norms.texts import shipped, text, texts


def money_text(money: Money, language: str) -> str:
    """``1,234.56元``, ``人民幣1,234.56元`` or ``CNY 1,234.56``; a currency without a wording of its own by its code."""
    key = f"money.{money.currency}"
    return text(key if key in texts() else "money.other", language, amount=grouped(money), currency=money.currency)


def money_read(said: str, language: str) -> Money | None:
    """The amount that `money_text` wrote so; None for what is no amount."""
    for pattern, currency in _written(language):
        match = pattern.fullmatch(said)
        if match is None:
            continue
        try:
            found = parse(match["amount"].replace(",", ""), currency or match["currency"], negative=True)
        except MoneyError:
            continue
        if money_text(found, language) == said:
            return found
    return None


@cache
def _written(language: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """How amounts are written in a language, with the currency that this stands for; empty where it is named."""
    found = []
    for key, wordings in shipped().items():
        kind, _, currency = key.partition(".")
        if kind == "money":
            shape = re.escape(wordings[language].replace("{amount}", "AMOUNT").replace("{currency}", "CURRENCY"))
            shape = shape.replace("AMOUNT", r"(?P<amount>-?[\d,]+(?:\.\d+)?)").replace(
                "CURRENCY", "(?P<currency>[A-Z]{3})"
            )
            found.append((re.compile(shape), "" if currency == "other" else currency))
    return tuple(found)


def unit_text(currency: str, language: str) -> str:
    """What stands for the currency beside a field for an amount: ``元``, ``人民幣元``, ``CNY``."""
    key = f"money.{currency}"
    return text(key if key in texts() else "money.other", language, amount="", currency=currency).strip()


def rate_text(ppm: int) -> str:
    """A rate in percent without needless zeros: ``5%``, ``33.3333%``."""
    whole, rest = divmod(ppm, 10_000)
    decimals = f"{rest:04}".rstrip("0")
    return f"{whole}.{decimals}%" if decimals else f"{whole}%"
