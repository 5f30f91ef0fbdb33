"""Money never loses a cent, never mixes currencies and never guesses what was written."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipei.domain.money import (
    EXPONENTS,
    LARGEST_MINOR,
    PPM,
    CurrencyMismatch,
    Money,
    MoneyError,
    Rounding,
    allocate,
    allocate_rows,
    divide,
    exponent,
    grouped,
    parse,
    plain,
    rate_ppm,
    scale,
    total,
)

minors = st.integers(min_value=-LARGEST_MINOR, max_value=LARGEST_MINOR)
currencies = st.sampled_from(sorted(EXPONENTS))


@pytest.mark.parametrize(("currency", "places"), [("CNY", 2), ("TWD", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3)])
def test_each_currency_has_its_decimals(currency: str, places: int) -> None:
    assert exponent(currency) == places


def test_mixing_currencies_raises_whatever_is_done() -> None:
    yuan, dollar = Money(100, "CNY"), Money(100, "USD")
    for mix in (lambda: yuan + dollar, lambda: yuan - dollar, lambda: yuan < dollar, lambda: yuan <= dollar):
        with pytest.raises(CurrencyMismatch):
            mix()
    with pytest.raises(CurrencyMismatch):
        total([yuan, dollar], currency="CNY")
    assert yuan != dollar


def test_sums_and_signs() -> None:
    assert total([Money(1, "CNY"), Money(2, "CNY")], currency="CNY") == Money(3, "CNY")
    assert total([], currency="JPY") == Money(0, "JPY")
    assert -Money(5, "CNY") == Money(0, "CNY") - Money(5, "CNY")


@pytest.mark.parametrize("minor", [1.0, True, "1", None])
def test_minor_units_are_whole_numbers(minor: object) -> None:
    with pytest.raises(TypeError):
        Money(minor, "CNY")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rounding", "results"),
    [
        (Rounding.HALF_UP, (3, 2, -3, 4)),
        (Rounding.HALF_EVEN, (2, 2, -2, 4)),
        (Rounding.DOWN, (2, 2, -2, 3)),
        (Rounding.UP, (3, 3, -3, 4)),
    ],
)
def test_every_rounding_by_name(rounding: Rounding, results: tuple[int, ...]) -> None:
    assert tuple(divide(*parts, rounding=rounding) for parts in ((5, 2), (9, 4), (-5, 2), (7, 2))) == results


@given(minors, st.integers(min_value=1, max_value=10**6), st.sampled_from(Rounding))
def test_a_quotient_is_less_than_one_unit_off(numerator: int, denominator: int, rounding: Rounding) -> None:
    assert abs(Fraction(numerator, denominator) - divide(numerator, denominator, rounding=rounding)) < 1


def test_a_denominator_is_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        divide(1, -2, rounding=Rounding.UP)
    with pytest.raises(ZeroDivisionError):
        divide(1, 0, rounding=Rounding.UP)


def test_a_rate_of_an_amount() -> None:
    assert scale(490_000, rate_ppm("95%"), rounding=Rounding.HALF_UP) == 465_500


@pytest.mark.norm("2.2.4")
def test_case_f_three_payees_share_a_thousand() -> None:
    assert allocate(100_000, (1, 1, 1)) == (33_334, 33_333, 33_333)


@given(minors, st.lists(st.integers(0, 10**9), min_size=1, max_size=12).filter(any))
def test_shares_add_up_and_are_fair(total_minor: int, weights: list[int]) -> None:
    shares = allocate(total_minor, weights)
    assert sum(shares) == total_minor
    assert shares == allocate(total_minor, weights)
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - Fraction(total_minor * weight, sum(weights))) < 1
        assert weight or not share


def test_shares_by_fractions() -> None:
    assert allocate(101, (Fraction(1, 2), Fraction(1, 3), Fraction(1, 6))) == (50, 34, 17)


@pytest.mark.parametrize("weights", [(), (0, 0), (1, -1, 2)])
def test_shares_need_weights(weights: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="weights"):
        allocate(100, weights)


@given(minors, currencies)
def test_written_and_read_back(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert parse(plain(money), currency, negative=True) == money
    assert grouped(money).replace(",", "") == plain(money)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("1234.56", "CNY", 123_456), ("12.5", "CNY", 1250), ("0", "CNY", 0), ("100", "JPY", 100), ("1.001", "KWD", 1001)],
)
def test_amounts_as_written(text: str, currency: str, minor: int) -> None:
    assert parse(text, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("text", "currency", "code"),
    [
        ("1.234", "CNY", "decimals"),
        ("1.0", "JPY", "decimals"),
        ("-1", "CNY", "negative"),
        ("1,234.56", "CNY", "form"),
        ("１２", "CNY", "form"),
        ("1e5", "CNY", "form"),
        ("1.", "CNY", "form"),
        (".5", "CNY", "form"),
        ("007", "CNY", "form"),
        (" 1", "CNY", "form"),
        ("1\n", "CNY", "form"),
        ("", "CNY", "form"),
        ("NaN", "CNY", "form"),
        ("9" * 41, "CNY", "form"),
        ("10000000000000.01", "CNY", "size"),
        ("1", "XXX", "currency"),
        ("1", "cny", "currency"),
    ],
)
def test_what_cannot_be_an_amount_is_refused_by_name(text: str, currency: str, code: str) -> None:
    with pytest.raises(MoneyError) as refused:
        parse(text, currency)
    assert refused.value.code == f"refusal.money_{code}"


def test_grouping() -> None:
    assert grouped(Money(123_456_789, "CNY")) == "1,234,567.89"
    assert grouped(Money(-50, "CNY")) == "-0.50"
    assert grouped(Money(-123_456, "JPY")) == "-123,456"


@pytest.mark.parametrize(("written", "ppm"), [(70, 700_000), ("70", 700_000), ("33.3333", 333_333), ("5 %", 50_000)])
def test_rates(written: int | str, ppm: int) -> None:
    assert rate_ppm(written) == ppm
    assert rate_ppm(100) == PPM


@pytest.mark.parametrize("written", ["", "-5", "5%%", "1.23456", 0.5, True, None, "1e2"])
def test_what_cannot_be_a_rate(written: object) -> None:
    with pytest.raises(MoneyError):
        rate_ppm(written)  # type: ignore[arg-type]


@given(
    st.lists(st.integers(min_value=0, max_value=10**9), max_size=6),
    st.lists(st.integers(min_value=0, max_value=9), min_size=1, max_size=5).filter(any),
)
def test_shares_of_several_sums_are_right_for_each_and_for_all_together(sums: list[int], weights: list[int]) -> None:
    rows = allocate_rows(sums, weights)
    assert [sum(row) for row in rows] == sums
    assert tuple(sum(row[i] for row in rows) for i in range(len(weights))) == allocate(sum(sums), weights)
    for row, minor in zip(rows, sums, strict=True):
        for part, weight in zip(row, weights, strict=True):
            assert part >= 0 and abs(part - minor * weight / sum(weights)) <= len(weights)


def test_a_third_of_two_heads_is_a_third_of_the_offer() -> None:
    assert allocate_rows([10_001, 2], [Fraction(1, 3), Fraction(2, 3)]) == ((3_334, 6_667), (0, 2))
