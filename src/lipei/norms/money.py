"""How an amount is written for a reader, in each language."""

from __future__ import annotations

from lipei.domain.money import Money, grouped
from lipei.norms.texts import text, texts


def money_text(money: Money, language: str) -> str:
    """``1,234.56元``, ``人民幣1,234.56元`` or ``CNY 1,234.56``; a currency without a wording of its own by its code."""
    key = f"money.{money.currency}"
    return text(key if key in texts() else "money.other", language, amount=grouped(money), currency=money.currency)


def unit_text(currency: str, language: str) -> str:
    """What stands for the currency beside a field for an amount: ``元``, ``人民幣元``, ``CNY``."""
    key = f"money.{currency}"
    return text(key if key in texts() else "money.other", language, amount="", currency=currency).strip()


def rate_text(ppm: int) -> str:
    """A rate in percent without needless zeros: ``5%``, ``33.3333%``."""
    whole, rest = divmod(ppm, 10_000)
    decimals = f"{rest:04}".rstrip("0")
    return f"{whole}.{decimals}%" if decimals else f"{whole}%"
