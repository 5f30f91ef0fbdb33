"""The tables of pages as workbooks: the same rows, masked alike, without what is there to be pressed."""

from __future__ import annotations

import io
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation
from python_calamine import CalamineWorkbook
from tests.web.conftest import full_claim
from tests.web.every_page import pages
from tests.web.test_visits import to_visit

from lipei.domain.money import Money, plain
from lipei.gateways.tables import writer
from lipei.norms.money import money_text
from lipei.norms.texts import LANGUAGES
from lipei.web.console import as_workbook

pytestmark = pytest.mark.once

HAVE_THEIR_OWN = {"worklist", "claims", "finance"}
"""Lists that go on over pages are exported whole."""
NO_LISTS = {"claim", "part-act", "claim-act", "look", "receipt", "work-bulk", "tour", "setup", "accounts/sessions"}


def sheet(answer: Any) -> list[list[Any]]:
    content = b"".join(answer.streaming_content)
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def test_colleagues_as_a_workbook(office, browser):
    answer = browser("manager1").get("/console/staff/?as=xlsx")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="staff-2026')
    assert answer.headers["Cache-Control"] == "private, no-store"
    head, *rows = sheet(answer)
    assert head[0] == "Name" and len(rows) == len(office.rows)
    assert {"Handler1 handler1", "Finance2 finance2"} <= {row[0] for row in rows}


def test_nobody_gets_as_a_workbook_what_they_may_not_see(office, browser):
    assert browser("handler1").get("/console/tokens/?as=xlsx").status_code == 403


def test_a_page_without_a_table_stays_a_page(office, browser):
    answer = browser("manager1").get("/console/absences/?as=xlsx")
    assert answer.status_code == 200 and b"<main" in answer.content


def test_what_is_only_to_be_looked_at_is_not_read():
    (found,) = as_workbook.tables(
        "<table><tr><td><span aria-hidden='true'>李<span>!</span></span> <span>李明</span></td><td>3</td></tr></table>"
    )
    assert found.rows == [["李明", 3]]


def test_several_tables_of_a_page_and_nothing_to_press():
    found = as_workbook.tables(
        "<table><caption>A</caption><tr><th>n</th><th>x</th></tr><tr><td>12</td><td>a<br>b <button>go</button></td></tr></table>"
        "<table><tr><th scope='row'>all</th><td>0012</td></tr></table><table><tr><th>empty</th></tr></table>"
    )
    assert [(t.caption, t.head, t.rows) for t in found] == [
        ("A", ["n", "x"], [[12, "a b"]]),
        ("", [], [["all", "0012"]]),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "minor, currency", [(123456, "CNY"), (5, "TWD"), (-99900, "USD"), (1234567, "JPY"), (100, "CHF")]
)
def test_amounts_and_counts_of_a_page_are_numbers(language, minor, currency, tmp_path):
    money = Money(minor, currency)
    with translation.override(language):
        page = f"<table><tr><td>{money_text(money, language)}</td><td>1,234</td><td>0</td><td>12,34</td><td>CNY</td></tr></table>"
        (table,) = as_workbook.tables(page)
    assert table.rows == [[money, 1234, 0, "12,34", "CNY"]]
    with writer(tmp_path / "page.xlsx") as file:
        file.row([*table.rows[0], Decimal("1234.50"), Decimal(10) ** 20])
    with zipfile.ZipFile(tmp_path / "page.xlsx") as book:
        styles = book.read("xl/styles.xml").decode()
    assert f'formatCode="[${currency}] #,##0' in styles
    (row,) = CalamineWorkbook.from_path(tmp_path / "page.xlsx").get_sheet_by_index(0).to_python()
    assert row == [float(plain(money)), 1234, 0, "12,34", "CNY", 1234.5, "1" + "0" * 20]


@pytest.mark.django_db
def test_every_list_of_the_console_can_be_taken_along(office, browser):
    number = full_claim(office)
    staff = office.rows["handler1"].id
    for code, found in pages(number, staff).items():
        for name, path in found.items() if code else ():
            if name in NO_LISTS or name.startswith("norm") or name in ("calculation", "calendar"):
                continue
            body = browser(code).get(f"/{path}").content.decode()
            if 'class="lp-table' in body:
                own = "/export/" in body if name in HAVE_THEIR_OWN else "as=xlsx" in body
                assert own, name


@pytest.mark.django_db
def test_consultations_and_visits_are_lists_too(office, browser):
    for code, path, cells in (
        ("expert1", "consultations", {full_claim(office), "Waiting for your opinion"}),
        ("surveyor1", "visits", {to_visit(office), "Today"}),
    ):
        client = browser(code)
        assert "as=xlsx" in client.get(f"/console/{path}/").content.decode()
        head, row = sheet(client.get(f"/console/{path}/?as=xlsx"))
        assert "Claim number" in head and cells <= set(row), path
