"""Imports of what comes from outside as it comes: each odd cell is a matter of its row, and every claim can be found."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from tests.api.conftest import Office, office  # noqa: F401 - the fixture
from tests.company import NOW
from tests.services.test_imports import claims, policies, read, table

from lipei.domain.events import Actor, Refusal
from lipei.norms.texts import LANGUAGES, text
from lipei.reads import search
from lipei.services import imports
from lipei.store import models

pytestmark = pytest.mark.django_db
COLUMNS = ("claim_number", "line", "outcome", "reported_at", "claimed", "paid", "name", "place")
MANAGER = Actor("staff:1", "manager", frozenset({"manager"}))


def row(number: Any = "A-1", **more: Any) -> list[Any]:
    said = {"claim_number": number, "line": "motor", "outcome": "paid", "reported_at": "2024-03-01", "claimed": "9.00",
            "paid": "7.50", "name": "王小明", "place": "路口"}  # fmt: skip
    return list({**said, **more}.values())


def take(tmp_path: Path, *rows: list[Any], **more: Any) -> Any:
    return claims(table(tmp_path / "a.csv", COLUMNS, *rows), rejects_path=tmp_path / "r.csv", **more)


def reasons(report: Any) -> list[str]:
    return [line[-1] for line in read(report.rejects_file)[1:]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_absurd_cell_rejects_its_row_and_the_import_goes_on(tmp_path: Path, language: str) -> None:
    odd: list[dict[str, Any]] = [
        {"paid": "1e999999"}, {"paid": "Infinity"}, {"claimed": "NaN"}, {"claimed": "9" * 5000}, {"paid": "9" * 20},
        {"name": "王\0小明"}, {"name": "\u202e明小王"}, {"reported_at": "99999-01-01"}, {"place": "\u200f路口"},
        {"paid": "#REF!"}, {"number": "A\x07"},
    ]  # fmt: skip
    report = take(tmp_path, row("A-0"), *(row(f"B-{n}") if "number" not in o else row(**o) for n, o in enumerate(odd)),
                  *(row(f"C-{n}", **{k: v for k, v in o.items() if k != "number"}) for n, o in enumerate(odd)),
                  row("Z-0"), language=language)  # fmt: skip
    assert (report.read, report.imported, report.rejected) == (24, 13, 11)
    assert models.Claim.objects.filter(number="H-Z-0").exists()
    for words in reasons(report):
        assert words.strip() and "{" not in words and "\0" not in words


def test_rejects_not_mended_stay_rejected_and_those_mended_come_in_as_they_are(tmp_path: Path) -> None:
    """What kept a spreadsheet from taking a cell for a formula is no part of the cell when the file comes back."""
    first = take(
        tmp_path, row("A-1", name="=1+1", paid="x"), row("A-2", name="'-王"), row("A-3", place="'@家", paid="-")
    )
    assert (first.imported, first.rejected) == (1, 2)
    raw = (tmp_path / "r.csv").read_text(encoding="utf-8-sig")
    assert "'=1+1" in raw and "'@家" in raw
    again = claims(tmp_path / "r.csv", rejects_path=tmp_path / "r2.csv")
    assert (again.read, again.rejected) == (2, 2)
    assert [line[:-1] for line in read(tmp_path / "r2.csv")] == [line[:-1] for line in read(tmp_path / "r.csv")]
    (tmp_path / "m.csv").write_text(raw.replace(",x,", ",7.50,").replace(",-,", ",7.50,"), encoding="utf-8-sig")
    assert claims(tmp_path / "m.csv").imported == 2
    assert {p.name for p in models.Party.objects.all()} == {"=1+1", "-王", "王小明"}
    assert models.Claim.objects.get(number="H-A-3").place == "@家"


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.text("'=+-@\t1a,;\"\n王", max_size=6), min_size=1, max_size=8))
def test_the_file_of_rejects_has_the_cells_that_were_read(tmp_path: Path, cells: list[str]) -> None:
    rows = [row("A-1", outcome="nonsense", place=cell, name=cell) for cell in cells]
    report = take(tmp_path, *rows, dry_run=True)
    assert [line[:-1] for line in read(report.rejects_file)[1:]] == read(tmp_path / "a.csv")[1:]


def test_every_imported_claim_can_be_reached_and_found(tmp_path: Path, office: Office) -> None:  # noqa: F811
    told = ["2019/沪 001", "2019 沪/001", "案件甲", "A-1", "X" * 50, "(2019) 1", "2019-001"]
    report = take(tmp_path, *(row(number, name=f"甲{number[-3:]}") for number in told))
    assert (report.imported, report.rejected) == (len(told), 0)
    found = {claim.external_number: claim for claim in models.Claim.objects.all()}
    assert set(found) == set(told)
    assert found["2019/沪 001"].number == "H-2019-001" and found["A-1"].number == "H-A-1"
    assert found["2019 沪/001"].number.startswith("H-2019-001-") and found["2019-001"].number.startswith("H-2019-001-")
    for number in told:
        claim = found[number]
        body = office.lead1.get(f"claims/{claim.number}").body
        assert (body["number"], body["external_number"]) == (claim.number, number)
        assert claim.id in search.claim_ids(number, viewer=MANAGER)
        assert claim.id in search.claim_ids(claim.number, viewer=MANAGER)


def test_numbers_that_had_to_change_are_known_again(tmp_path: Path) -> None:
    rows = [row("2019/1"), row("2019 1", place="别处"), row("2019-1", place="第三处"), row("2019/1")]
    for dry in (True, False):
        report = take(tmp_path, *rows, dry_run=dry)
        assert (report.imported, report.unchanged, report.rejected) == (3, 1, 0)
    numbers = set(models.Claim.objects.values_list("number", flat=True))
    before = models.Entry.objects.count()
    for order in (rows, rows[::-1]):
        report = take(tmp_path, *order)
        assert (report.imported, report.unchanged, report.rejected) == (0, 4, 0)
    assert set(models.Claim.objects.values_list("number", flat=True)) == numbers
    assert models.Entry.objects.count() == before
    changed = take(tmp_path, row("2019 1", place="又一处"))
    assert changed.rejected == 1 and "2019 1" in reasons(changed)[0]


def test_an_external_number_of_its_own_is_not_lost_when_the_number_has_to_change(tmp_path: Path) -> None:
    path = table(tmp_path / "b.csv", (*COLUMNS, "external_number"), [*row("1/2"), "E-9"], [*row("3"), "E-8"])
    assert claims(path).imported == 2
    one, two = models.Claim.objects.get(number="H-1-2"), models.Claim.objects.get(number="H-3")
    assert (one.external_number, one.facts["external_number"], two.external_number) == ("1/2", "E-9", "E-8")
    assert claims(path).unchanged == 2


def test_what_an_earlier_release_kept_under_its_own_number_is_not_imported_again(tmp_path: Path) -> None:
    take(tmp_path, row("A 1"))
    models.Claim.objects.update(number="H-A 1")
    entry = models.Entry.objects.get()
    assert '"told"' in entry.payload
    report = take(tmp_path, row("A 1"))
    assert (report.imported, report.unchanged) == (0, 1)


def test_a_parquet_file_is_imported_and_its_lists_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    columns = {
        "claim_number": pa.array(["P/1", "P-2", "P-3", None]),
        "line": pa.array(["motor"] * 4).dictionary_encode(),
        "outcome": pa.array(["paid", "refused", "refused", "refused"]),
        "reported_at": pa.array([1709285400_000_000_001] * 4, pa.timestamp("ns", "Asia/Shanghai")),
        "closed_at": pa.array([datetime(2024, 3, 5).date()] * 4),
        "paid": pa.array([Decimal("1234.50"), None, None, None]),
        "name": pa.array(["王小明", None, "李", None]),
        "place": pa.array([None, None, ["路口"], None], pa.list_(pa.string())),
    }
    parquet.write_table(pa.table(columns), path)
    report = claims(path, rejects_path=tmp_path / "r.csv")
    assert (report.read, report.imported, report.rejected) == (4, 2, 2), reasons(report)
    assert "place" in reasons(report)[0] and "claim_number" in reasons(report)[1]
    claim = models.Claim.objects.get(number="H-P-1")
    assert claim.reported_at == datetime(2024, 3, 1, 9, 30, tzinfo=UTC) and claim.closed_at.year == 2024
    assert models.Exposure.objects.get(aggregate_id=claim.id).paid_minor == 123450
    assert claims(path, rejects_path=tmp_path / "r2.csv").unchanged == 2
    assert claims(tmp_path / "r.csv", rejects_path=tmp_path / "r3.csv").rejected == 2  # as they were: nothing is mended


def test_a_file_that_breaks_off_keeps_what_came_before_and_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "BATCH", 100)
    path = table(tmp_path / "a.csv", COLUMNS, *(row(f"A-{n}") for n in range(400)))
    with path.open("ab") as file:
        file.write(b"\xff\xff,motor\n")
    report = claims(path)
    assert isinstance(report, Refusal) and report.code == "refusal.import_breaks_off"
    before = models.Claim.objects.count()
    assert 100 <= before < 400 and before % 100 == 0
    path.write_bytes(path.read_bytes().replace(b"\xff\xff,motor\n", b""))
    assert (claims(path).unchanged, models.Claim.objects.count()) == (before, 400)


def test_files_that_people_name_by_mistake(tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", COLUMNS, row(paid="x"))
    before = path.read_bytes()
    assert claims(path, rejects_path=path).code == "refusal.import_rejects_same"
    assert claims(path, mapping=table(tmp_path / "b.xlsx", ("a", "b"))).code == "norm_error.yaml"
    (tmp_path / "c.yaml").write_bytes("名称".encode("gb18030"))
    assert claims(path, mapping=tmp_path / "c.yaml").code == "refusal.import_mapping_unreadable"
    (tmp_path / "d.yaml").write_text(
        "version: 1\nkind: claims\nencoding: latin-99\nfields: {number: a, line: b, outcome: c, reported_at: d}\n"
    )
    assert claims(path, mapping=tmp_path / "d.yaml").code == "norm_error.mapping_value"
    assert path.read_bytes() == before
    for language in LANGUAGES:
        assert str(path) in text("refusal.import_rejects_same", language, path=path)


def test_policies_and_staff_are_as_robust(tmp_path: Path) -> None:
    columns = (
        "policy_number",
        "product",
        "starts_at",
        "ends_at",
        "holder_name",
        "own_damage.sum_insured",
        "terms_version",
    )
    good = ["P-1", "private_car", "2026-01-01", "2027-01-01", "张伟", "150000.00", ""]
    odd = [(5, "1e999999"), (5, "Infinity"), (5, "9" * 30), (4, "张\0伟"), (6, "²"), (2, "0001-01-01"), (4, "\u202e张"),
           (5, "#VALUE!"), (0, "3.10101E+17")]  # fmt: skip
    rows = [[*good[:at], cell, *good[at + 1 :]] for at, cell in odd]
    report = policies(table(tmp_path / "p.csv", columns, *rows, good))
    assert (report.read, report.imported, report.rejected) == (10, 1, 9)
    staff = table(tmp_path / "s.csv", ("code", "name", "roles", "phone", "email"),
                  ["h1", "李\u202e明", "handler", "", ""], ["h2", "李", "handler", "\0", ""],
                  ["h3", "李", "handler", "", "a@[::1"],
                  ["h4", "李", '["handler"]', "", ""],
                  ["h5", "李", "handler", "12", ""], ["h6", "李", "handler", "", ""])  # fmt: skip
    report = imports.run(
        kind="staff", path=staff, now=NOW, actor=MANAGER, language="en", rejects_path=tmp_path / "q.csv"
    )
    assert (report.read, report.imported, report.rejected) == (6, 1, 5)
    assert all(column in words for column, words in
               zip(("name", "phone", "email", "roles", "phone"), reasons(report), strict=True))  # fmt: skip
    with Path(report.rejects_file).open(encoding="utf-8-sig", newline="") as file:
        assert len(list(csv.reader(file))) == 6
