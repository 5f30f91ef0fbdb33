"""Money: whole minor units beside their currency, and every division with its rounding by name.

An amount is an int of the currency's smallest unit (分, cent, fils; yen have none). Two currencies never meet in one
sum: that raises. A part that is not whole is rounded by a rule that the caller names, and shares of a sum always add
up to the sum, in the same order each time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction
from typing import Self

_BY_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
    2: "AED ARS AUD BRL CAD CHF CNH CNY CZK DKK EGP EUR GBP HKD HUF IDR ILS INR KHR KZT LKR MMK MNT MOP MXN MYR NOK "
    "NPR NZD PHP PKR PLN QAR RUB SAR SEK SGD THB TRY TWD UAH USD UZS ZAR",
    3: "BHD IQD JOD KWD LYD OMR TND",
}
EXPONENTS = {code: places for places, codes in _BY_DECIMALS.items() for code in codes.split()}
"""Decimals of each currency (ISO 4217). A currency that is not here is refused rather than guessed."""

LARGEST_MINOR = 10**15
"""Beyond this an amount is a slip of the keyboard, not a loss. Far below what the database's integers hold."""

PPM = 1_000_000
"""A whole, in parts per million: the unit of every rate (5 % is 50,000 ppm)."""

_AMOUNT = re.compile(r"(?P<sign>-?)(?P<whole>0|[1-9][0-9]*)(?:\.(?P<decimals>[0-9]+))?")


class MoneyError(ValueError):
    """An amount that cannot be one. ``code`` is a key of the texts table, ``params`` fill it."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(f"{code} {params}" if params else code)
        self.code = code
        self.params = params


class CurrencyMismatch(ValueError):
    """Two currencies met in one sum: a mistake of ours, never an input of a user."""


class Rounding(StrEnum):
    """What happens to a part of a minor unit."""

    HALF_UP = "half_up"  # 0.5 away from zero: what contracts and customers expect
    HALF_EVEN = "half_even"
    DOWN = "down"  # towards zero
    UP = "up"  # away from zero


@dataclass(frozen=True, slots=True, order=False)
class Money:
    """An amount in minor units of a currency. May be negative; rules that pay refuse that themselves."""

    minor: int
    currency: str

    def __post_init__(self) -> None:
        if type(self.minor) is not int:
            raise TypeError(f"minor units are a whole number, not {self.minor!r}")
        exponent(self.currency)

    def __add__(self, other: Money) -> Money:
        return Money(self.minor + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.minor - self._same(other), self.currency)

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.minor < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.minor <= self._same(other)

    def _same(self, other: Self) -> int:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} do not add up")
        return other.minor


def exponent(currency: str) -> int:
    """How many decimals a currency has. Raises `MoneyError` for one that is not known."""
    try:
        return EXPONENTS[currency]
    except (KeyError, TypeError):
        raise MoneyError("refusal.money_currency", currency=str(currency)) from None


def total(amounts: Iterable[Money], *, currency: str) -> Money:
    """The sum; zero of the currency for no amounts. Raises `CurrencyMismatch` where one of them is of another."""
    return sum(amounts, start=Money(0, currency))


def divide(numerator: int, denominator: int, *, rounding: Rounding) -> int:
    """A whole quotient by the named rounding. The denominator is positive; ZeroDivisionError or ValueError if not."""
    if denominator < 0:
        raise ValueError("the denominator of a division of money is positive")
    size, rest = divmod(abs(numerator), denominator)
    bump = {
        Rounding.DOWN: False,
        Rounding.UP: rest > 0,
        Rounding.HALF_UP: 2 * rest >= denominator,
        Rounding.HALF_EVEN: 2 * rest > denominator or (2 * rest == denominator and size % 2 == 1),
    }[rounding]
    size += bump
    return size if numerator >= 0 else -size


def scale(minor: int, ppm: int, *, rounding: Rounding) -> int:
    """A rate of an amount: ``scale(490000, 950000)`` is 95 % of 4,900.00."""
    return divide(minor * ppm, PPM, rounding=rounding)


def allocate(total_minor: int, weights: Sequence[int | Fraction]) -> tuple[int, ...]:
    """Shares of a sum in proportion to weights: they add up to it, exactly and always in the same order.

    Largest remainders take the units left over, the earlier of two equals first. So 1,000.00 in three equal parts is
    333.34, 333.33, 333.33. Raises ValueError for a negative weight or where all weights are zero.
    """
    if any(weight < 0 for weight in weights) or not sum(weights):
        raise ValueError("shares need weights that are not negative and not all zero")
    whole = sum(Fraction(weight) for weight in weights)
    exact = [Fraction(abs(total_minor)) * weight / whole for weight in weights]
    shares = [part.numerator // part.denominator for part in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: (shares[i] - exact[i], i))
    for i in by_remainder[: abs(total_minor) - sum(shares)]:
        shares[i] += 1
    return tuple(shares) if total_minor >= 0 else tuple(-share for share in shares)


def allocate_rows(sums_minor: Sequence[int], weights: Sequence[int | Fraction]) -> tuple[tuple[int, ...], ...]:
    """Several sums, none negative, each shared by the same weights: each adds up, and so do the shares of all together.

    Whoever has a share gets of the total what `allocate` gives, and of each sum their part to within a unit or so.
    """
    wanted = allocate(sum(sums_minor), weights)
    whole = sum(Fraction(weight) for weight in weights)
    rows = [[int(minor * Fraction(weight) / whole) for weight in weights] for minor in sums_minor]
    lacking = [total - sum(row[i] for row in rows) for i, total in enumerate(wanted)]
    for row, minor in zip(rows, sums_minor, strict=True):
        for i, lack in enumerate(lacking):
            units = min(lack, minor - sum(row))
            row[i] += units
            lacking[i] -= units
    return tuple(tuple(row) for row in rows)


def parse(text: str, currency: str, *, negative: bool = False, largest_minor: int = LARGEST_MINOR) -> Money:
    """The amount written as ``1234.56``: plain digits, a point, no separators, no more decimals than the currency has.

    Raises `MoneyError` with the code of what is wrong: form, decimals, size, sign or currency.
    """
    places = exponent(currency)
    found = _AMOUNT.fullmatch(text) if isinstance(text, str) and len(text) <= 40 else None
    if found is None:
        raise MoneyError("refusal.money_form")
    if found["sign"] and not negative:
        raise MoneyError("refusal.money_negative")
    decimals = found["decimals"] or ""
    if len(decimals) > places:
        raise MoneyError("refusal.money_decimals", currency=currency, decimals=places)
    minor = int(found["whole"] + decimals.ljust(places, "0"))
    if minor > largest_minor:
        raise MoneyError("refusal.money_size")
    return Money(-minor if found["sign"] else minor, currency)


def plain(money: Money) -> str:
    """The amount as `parse` reads it: ``1234.56``. What programs are given."""
    places = exponent(money.currency)
    digits = str(abs(money.minor)).rjust(places + 1, "0")
    written = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return f"-{written}" if money.minor < 0 else written


def grouped(money: Money) -> str:
    """The amount with separators of thousands, for people: ``1,234.56``."""
    written = plain(money)
    whole, point, decimals = written.partition(".")
    return f"{int(whole):,}{point}{decimals}" if not whole.startswith("-0") else written


def rate_ppm(value: int | str) -> int:
    """Parts per million of a percentage written as ``70``, ``"70"``, ``"33.3333"`` or ``"5 %"``.

    Raises `MoneyError` for anything else, for a negative rate, and for more than four decimals.
    """
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise MoneyError("refusal.rate_form")
    written = str(value).removesuffix("%").strip()
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,4})?", written):
        raise MoneyError("refusal.rate_form")
    try:
        return int(Decimal(written) * 10_000)
    except InvalidOperation:  # pragma: no cover - the pattern admits no such text
        raise MoneyError("refusal.rate_form") from None
