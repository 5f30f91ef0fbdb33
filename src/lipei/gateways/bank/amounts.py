"""Minor units to the decimal numbers of bank messages and back, exactly."""

from __future__ import annotations

import re
from decimal import Decimal

_CURRENCY = re.compile(r"[A-Z]{3}")
# ISO 4217: currencies whose minor unit is not a hundredth. All others have two digits.
_CURRENCIES_BY_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_DIGITS = {code: digits for digits, codes in _CURRENCIES_BY_DIGITS.items() for code in codes.split()}
DIGITS_MAX = 18  # of an ISO 20022 amount


def is_currency(code: str) -> bool:
    """Whether this has the form of an ISO 4217 code."""
    return _CURRENCY.fullmatch(code) is not None


def to_decimal(amount_minor: int, currency: str) -> Decimal:
    """``123456`` of CNY as ``1234.56``, of JPY as ``123456``: always with the currency's own digits."""
    return Decimal(amount_minor).scaleb(-_DIGITS.get(currency, 2))


def to_minor(amount: Decimal, currency: str) -> int | None:
    """The minor units of an amount; None where it has more digits than the currency, or than a message has room for."""
    if not amount.is_finite() or abs(amount.adjusted()) >= DIGITS_MAX:
        return None
    scaled = amount.scaleb(_DIGITS.get(currency, 2))
    return int(scaled) if scaled == scaled.to_integral_value() else None


def fits(amount_minor: int) -> bool:
    """Whether a message has room for the amount, and it is something to pay."""
    return 0 < amount_minor < int(10**DIGITS_MAX)
