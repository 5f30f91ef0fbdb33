"""Cells of other people's files: any value at all gives a value or a rejection with its reason, never an exception."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.company import NOW

from lipei.domain import imports
from lipei.domain.claims import NUMBER
from lipei.domain.events import Actor, Refusal
from lipei.domain.rulebook import Rulebook
from lipei.norms import loader, mappings
from lipei.norms.texts import LANGUAGES, text
from lipei.services.imports import claims, policies, staff
from lipei.services.imports.cells import Header, Row, Wrong, header_of

pytestmark = pytest.mark.once

CLAIM = {"claim_number": "A-1", "line": "motor", "outcome": "paid", "reported_at": "2024-03-01 09:30", "currency": "CNY",
         "loss_at": "2024-03-01", "closed_at": "2024-03-05", "claimed": "1,500.00", "paid": "1234.50", "policy_number": "P",
         "region": "上海", "place": "路口", "name": "王小明", "phone": "13800138000", "external_number": ""}  # fmt: skip
POLICY = {"policy_number": "PC-9", "product": "private_car", "terms_version": "", "currency": "", "status": "active",
          "starts_at": "2026-01-01", "ends_at": "2027-01-01", "ended_at": "", "region": "", "language": "zh-hans",
          "holder_name": "张伟", "insured_name": "", "phone": "13912345678", "email": "", "id_number": "",
          "account_name": "", "account_number": "", "account_bank": "", "plate": "沪B00001", "object_kind": "",
          "object": "", "object_description": "", "own_damage.sum_insured": "150000.00", "third_party.limit": "1000000",
          "third_party.deductible_rate": "5%", "compulsory_property": "yes"}  # fmt: skip
STAFF = {"code": "h1", "name": "李明", "roles": "handler", "unit": "", "skills": "motor", "regions": "", "languages": "",
         "phone": "", "email": "h1@example.com", "language": "", "active": "是"}  # fmt: skip
GOOD: Mapping[str, Mapping[str, str]] = {"claims": CLAIM, "policies": POLICY, "staff": STAFF}

ODD = ["1e999999", "Infinity", "-Infinity", "NaN", "sNaN", "9" * 5000, "0." + "0" * 400 + "1", "1_000", "١٢٣", "²", "1e5",
       "12,50", "1,23,456.00", "$", "-", "--5", "#REF!", "#N/A", "[1]", '{"a": 1}', "[" * 100_000, "0001-01-01", "9999-12-31",
       "9999-12-31T23:59:59-12:00", "2024-02-30", "2024/2/29", "2024年2月29日", "24:00", "a\0b", "\x1f", "王\u202e明", "\u200f",
       "\ufffd", "=1+1", "'=1", "1.23457E+17", "x" * 100_000, "\ud800"]  # fmt: skip
ZONES = st.sampled_from([None, dt.UTC, ZoneInfo("Asia/Shanghai"), dt.timezone(dt.timedelta(hours=-23, minutes=-59))])
PLAIN = st.one_of(
    st.none(), st.booleans(), st.integers(), st.sampled_from([10**5000, -(2**63)]), st.floats(), st.decimals(),
    st.sampled_from([Decimal("1e999999"), Decimal("1e-999999"), Decimal(10) ** 40]), st.text(max_size=40),
    st.sampled_from(ODD), st.text("0123456789.,-+eE/: ¥年月日T", max_size=20), st.dates(), st.times(), st.timedeltas(),
    st.datetimes(timezones=ZONES), st.binary(max_size=8),
)  # fmt: skip
ANYTHING = st.one_of(
    PLAIN, st.lists(PLAIN, max_size=3), st.dictionaries(st.text(max_size=3), PLAIN, max_size=2), st.builds(object)
)


@cache
def rulebook() -> Rulebook:
    return loader.rulebook({}, market="CN")


@cache
def header(kind: str) -> Header:
    layout = mappings.shipped(kind)[0][1]
    found = header_of(list(GOOD[kind]), layout, mappings.NEEDED[kind])
    assert isinstance(found, Header)
    return found


@cache
def importer(kind: str) -> Any:
    actor = Actor("system:import", "import")
    if kind == "claims":
        return claims.Claims(rulebook(), True, NOW, actor)
    if kind == "policies":
        return policies.Policies(rulebook(), True, NOW, header(kind), actor, Path("policies.csv"))
    return staff.StaffRows(rulebook(), True, NOW, Actor("system:import", "import"))


def read(kind: str, **cells: Any) -> Any:
    return importer(kind)._read(Row(header(kind), list({**GOOD[kind], **cells}.values())))


def code(kind: str, **cells: Any) -> str:
    """The code with which a row is rejected, its sentence there in every language; empty where it is taken."""
    found = read(kind, **cells)
    if not isinstance(found, Refusal):
        return ""
    for language in LANGUAGES:
        assert text(found.code, language, **found.params)
    return found.code.removeprefix("refusal.import_")


@pytest.mark.parametrize("kind", GOOD)
def test_the_rows_that_are_spoiled_here_are_good(kind: str) -> None:
    assert code(kind) == ""


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
@pytest.mark.parametrize("kind", GOOD)
def test_any_cell_gives_a_value_or_a_rejection(kind: str, data: st.DataObject) -> None:
    column = data.draw(st.sampled_from(sorted(GOOD[kind])))
    cell = data.draw(ANYTHING)
    code(kind, **{column: cell})


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANYTHING)
def test_every_reader_of_a_cell_gives_a_value_of_its_kind_or_raises_wrong(cell: Any) -> None:
    row = Row(header("claims"), list({**CLAIM, "paid": cell, "reported_at": cell, "place": cell}.values()))
    readers: list[tuple[Any, type | tuple[type, ...]]] = [
        (lambda: row.text("place"), str),
        (lambda: row.fact(row.header.fields["place"]), str),
        (lambda: row.at("reported_at"), (dt.datetime, type(None))),
        (lambda: row.minor("paid", "CNY"), int),
        (lambda: row.minor("paid", "JPY"), int),
        (lambda: row.day_only("reported_at"), bool),
    ]
    for reader, kind in readers:
        try:
            assert isinstance(reader(), kind)
        except Wrong as wrong:
            assert wrong.refusal.params["column"] in CLAIM


@pytest.mark.parametrize("amount", ["1e999999", "Infinity", "NaN", "sNaN", "9" * 5000, "1e5", "12,50", "1_000", "2²",
                                    "1.005", True, dt.date(2020, 1, 1), "(5)", "-0.01", -1.0])  # fmt: skip
def test_what_is_no_amount_is_called_so(amount: Any) -> None:
    assert code("claims", claimed=amount) == "amount"
    assert code("policies", **{"own_damage.sum_insured": amount}) == "amount"


@pytest.mark.parametrize(
    ("written", "minor"),
    [
        ("1,234.50", 123450), ("1 234.50", 123450), ("1\u202f234.5", 123450), ("￥1,234", 123400), ("1,23,456.00", 12345600),
        (120.30000000000001, 12030), (Decimal("7.50"), 750), (Decimal("7.5000"), 750), (3, 300), ("١٢", 1200), (".5", 50),
    ],
)  # fmt: skip
def test_amounts_are_read_as_they_are_meant(written: Any, minor: int) -> None:
    assert read("claims", claimed=written).claim.claimed_minor == minor


@pytest.mark.parametrize(
    "cell", [[1], {"a": 1}, "[1]", '{"a": 1}', b"x", object(), float("nan"), Decimal("sNaN"), 10**40]
)
def test_what_is_not_one_value_is_called_so(cell: Any) -> None:
    for column in ("claim_number", "place", "paid", "reported_at"):
        assert code("claims", **{column: cell}) == "cell"


@pytest.mark.parametrize("mark", ["\0", "\x07", "\x9f", "\u202e", "\u2066", "\u200f", "\ufffd", "\ud800"])
@pytest.mark.parametrize("column", ["claim_number", "name", "phone", "place"])
def test_characters_that_nobody_meant_reject_their_row(column: str, mark: str) -> None:
    assert code("claims", **{column: f"王{mark}1"}) == "characters"


def test_a_failed_formula_is_not_an_empty_cell() -> None:
    for column in ("paid", "closed_at", "name"):
        assert code("claims", **{column: "#DIV/0!"}) == "error_cell"


def test_a_number_that_a_spreadsheet_rounded_is_not_taken_for_what_it_was() -> None:
    for cell in (3.10101199001011e17, "3.10101E+17"):
        assert code("policies", account_number=cell) == code("claims", claim_number=cell) == "rounded"
    assert read("claims", claim_number=2010010567154.0).bare == "2010010567154"


@pytest.mark.parametrize("written", ["2024/3/1 9:05", "2024年3月1日 09:05", "2024-03-01T01:05Z", "2024.3.1 9:05:00",
                                     dt.datetime(2024, 3, 1, 9, 5), dt.datetime(2024, 3, 1, 1, 5, tzinfo=dt.UTC)])  # fmt: skip
def test_times_are_read_as_spreadsheets_write_them(written: Any) -> None:
    found = read("claims", reported_at=written, loss_at="2024年3月1日")
    assert found.claim.reported_at == dt.datetime(2024, 3, 1, 1, 5, tzinfo=dt.UTC)


@pytest.mark.parametrize("day", ["0206-11-03", "9999-12-31", "2024-02-30", "2024/13/1", True, 40179.0, dt.date(1, 1, 1),
                                 dt.datetime(9999, 12, 31, tzinfo=dt.timezone(-dt.timedelta(hours=12)))])  # fmt: skip
def test_a_date_that_cannot_be_right_is_called_so(day: Any) -> None:
    assert code("claims", reported_at=day) == "date"


def test_a_policys_version_and_counts_are_whole_numbers() -> None:
    for word in ("²", "1.5", "9" * 5000, "-1"):
        assert code("policies", terms_version=word) in ("word_unknown", "too_long")


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
def test_every_number_becomes_one_that_stands_in_an_address(told: str) -> None:
    for number in (imports.safe_number(told), imports.marked_number(told)):
        assert NUMBER.fullmatch(number), number
    if NUMBER.fullmatch(told):
        assert imports.safe_number(told) == told


def test_a_number_keeps_what_can_be_kept_of_it() -> None:
    assert imports.safe_number("H-2019/沪 001") == "H-2019-001"
    assert imports.safe_number("H-（２０１９）1") == "H-2019-1"
    marked = imports.marked_number("H-2019/001"), imports.marked_number("H-2019 001")
    assert len({*marked}) == 2 and all(one.startswith("H-2019-001-") for one in marked)
