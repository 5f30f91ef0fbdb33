"""Files as they come in: whatever their ending and encoding they are read rightly, or refused in one sentence."""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import xlsxwriter
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from lipei.gateways.tables import NotATable, sheets, workbooks, writer
from lipei.gateways.tables.writing import harmless, unharmed
from lipei.norms.texts import LANGUAGES, text


def rows(path: Path) -> list[list[Any]]:
    return [list(row) for row in next(sheets(path)).rows]


def refused(path: Path) -> str:
    """The code, whose sentence exists in every language."""
    with pytest.raises(NotATable) as raised:
        rows(path)
    for language in LANGUAGES:
        assert "{" not in text(raised.value.code, language, **raised.value.params)
    return raised.value.code.removeprefix("refusal.import_")


# --- text ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_text_is_read_in_the_encodings_and_with_the_delimiters_that_are_met(
    tmp_path: Path, encoding: str, delimiter: str
) -> None:
    path = tmp_path / "旧系统.xlsx"  # whatever the ending says
    lines = [["案件号", "索赔人", "金额"], ["A-1", "王小明", "12.50"], ["A-2", "李, 华; 二", "7"]]
    written = "\r\n".join(delimiter.join(f'"{c}"' if {*",;"} & {*c} else c for c in line) for line in lines)
    path.write_bytes(written.encode(encoding))
    assert rows(path) == lines


def test_a_title_above_the_columns_does_not_decide_what_stands_between_them(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Claims, closed\na;b;c\n1,5;2;3\n", encoding="utf-8")
    assert rows(path)[1:] == [["a", "b", "c"], ["1,5", "2", "3"]]


def test_the_first_character_beyond_ascii_may_stand_far_down(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"number,name\n" + b"1,x\n" * 100_000 + "2,王小明\n".encode("gb18030"))
    assert rows(path)[-1] == ["2", "王小明"]


def test_a_damaged_text_is_read_until_it_breaks_off_and_says_where(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 20 + b"3,\xff\xff\n")
    assert refused(path) == "breaks_off"
    path.write_bytes(b'a,b\n1,"' + b"x" * 1_000_001 + b'"\n')  # a quotation that never ends swallows what follows
    assert refused(path) == "breaks_off"


@pytest.mark.parametrize("content", [b"", b"  \r\n\t", b"\0\0\0", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_what_is_empty_is_called_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    assert refused(tmp_path / "a.csv") == "empty"


def test_a_nul_in_a_cell_is_a_matter_of_its_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 100 + b"x\0y,z\n")
    assert rows(path)[-1] == ["x\0y", "z"]


# --- workbooks -------------------------------------------------------------------------------------------------------


def compound(path: Path, *names: str) -> Path:
    """A compound file of streams by these names, all of them empty: what an encrypted workbook looks like from outside."""
    free, end, fat = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<9I", 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack("<109I", 0, *[free] * 108)
    table = struct.pack("<3I", fat, end, end) + struct.pack("<125I", *[free] * 125)

    def entry(name: str, kind: int, right: int, child: int) -> bytes:
        said = f"{name}\0".encode("utf-16-le")
        return said.ljust(64, b"\0") + struct.pack("<HBB3I36xIQ", len(said), kind, 1, free, right, child, end, 0)

    streams = [entry(name, 2, n + 2 if n + 1 < len(names) else free, free) for n, name in enumerate(names)]
    directory = (entry("Root Entry", 5, free, 1) + b"".join(streams)).ljust(512, b"\0")
    path.write_bytes(head + table + directory + b"\0" * 512)
    return path


def test_a_workbook_with_a_password_is_called_so(tmp_path: Path) -> None:
    assert refused(compound(tmp_path / "a.xlsx", "EncryptionInfo", "EncryptedPackage")) == "encrypted"
    assert refused(compound(tmp_path / "a.xls", "WordDocument")) == "not_a_table"


def workbook(path: Path, fill: Callable[[Any, Any], None]) -> Path:
    book = xlsxwriter.Workbook(str(path))
    book.add_worksheet("before")
    fill(book, book.add_worksheet("here"))
    book.close()
    return path


def test_an_error_of_a_formula_is_not_an_empty_cell(tmp_path: Path) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(2, 1, ["number", "paid"])
        for at, error in enumerate(["#DIV/0!", "#REF!", "#N/A", 7], start=3):
            sheet.write(at, 1, f"A-{at}")
            sheet.write_formula(at, 2, "=B9/0", None, error)
        sheet.write_formula(7, 3, "=1/0", None, "#NAME?")

    _, here = sheets(workbook(tmp_path / "a.xlsx", fill))
    found = [list(row) for row in here.rows][2:]
    assert [row[1] for row in found] == ["paid", "#DIV/0!", "#REF!", "#N/A", 7.0, ""]
    assert found[-1][2] == "#NAME?"


def test_a_stray_cell_far_away_does_not_take_all_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "CELLS_MAX", 9999)

    def fill(book: Any, sheet: Any) -> None:
        sheet.write(0, 0, "number")
        sheet.write(99, 99, "x")

    with pytest.raises(NotATable) as raised:
        list(sheets(workbook(tmp_path / "a.xlsx", fill)))
    assert raised.value.code == "refusal.import_sheet_too_large" and raised.value.params["sheet"] == "here"


# --- Parquet ---------------------------------------------------------------------------------------------------------

NIGHT = dt.datetime(2020, 2, 29, 23, 59, 58, 123456)
COLUMNS: dict[str, tuple[pa.Array, list[Any]]] = {
    "text": (pa.array(["王", None, ""]), ["王", None, ""]),
    "words": (pa.array(["x", "y", None]).dictionary_encode(), ["x", "y", None]),
    "bytes": (pa.array(["王".encode(), b"\xff", None]), ["王", "\ufffd", None]),
    "day": (pa.array([dt.date(2020, 2, 29), None, dt.date(1, 1, 1)]), [dt.date(2020, 2, 29), None, dt.date(1, 1, 1)]),
    "no_day": (pa.array([2**30, 0, None], pa.date32()), ["date32[day]: 1073741824", dt.date(1970, 1, 1), None]),
    "money": (pa.array([Decimal("1.20"), None, Decimal("-3.00")]), [Decimal("1.20"), None, Decimal("-3.00")]),
    "nanoseconds": (pa.array([1_000_001, None, 0], pa.timestamp("ns")),
                    [dt.datetime(1970, 1, 1, 0, 0, 0, 1000), None, dt.datetime(1970, 1, 1)]),
    "zoned": (pa.array([NIGHT, None, None], pa.timestamp("ns", "Asia/Shanghai")),
              [NIGHT.replace(tzinfo=dt.UTC), None, None]),
    "mars": (pa.array([NIGHT, None, None], pa.timestamp("us", "Mars/Olympus")),
             [NIGHT.replace(tzinfo=dt.UTC), None, None]),
    "far": (pa.array([2**53, None, None], pa.timestamp("ms")), ["timestamp[ms]: 9007199254740992", None, None]),
    "of_day": (pa.array([1_001, None, None], pa.time64("ns")), [dt.time(0, 0, 0, 1), None, None]),
    "lasting": (pa.array([1_001, None, None], pa.duration("ns")), [dt.timedelta(microseconds=1), None, None]),
    "list": (pa.array([[1, 2], None, []]), [[1, 2], None, []]),
    "table": (pa.array([{"a": 1}, None, {"a": None}]), [{"a": 1}, None, {"a": None}]),
    "none": (pa.nulls(3), [None, None, None]),
    "large": (pa.array([2**63 - 1, None, 0]), [2**63 - 1, None, 0]),
    "yes": (pa.array([True, None, False]), [True, None, False]),
}  # fmt: skip


def test_parquet_is_read_column_by_column_whatever_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    parquet.write_table(pa.table({name: column for name, (column, _) in COLUMNS.items()}), path)
    sheet = next(sheets(path))
    assert (sheet.kept_as, sheet.total) == ("parquet", 4)
    header, *found = sheet.rows
    assert list(header) == list(COLUMNS)
    assert [list(column) for column in zip(*found, strict=True)] == [expected for _, expected in COLUMNS.values()]


def test_a_damaged_parquet_file_is_refused_or_says_where_it_breaks_off(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"a": list(range(20_000)), "b": ["x"] * 20_000}), path, row_group_size=10_000)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert refused(path) == "not_a_table"
    broken = bytearray(whole)
    broken[len(whole) // 2 : len(whole) // 2 + 2000] = bytes(2000)
    path.write_bytes(bytes(broken))
    assert refused(path) == "breaks_off"
    path.write_bytes(b"PARE" + whole[4:-4] + b"PARE")
    assert refused(path) == "encrypted"


# --- what is written is read again -----------------------------------------------------------------------------------

CELLS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.text("'=+-@\t\r\n,;\"|1.A\0", max_size=8),
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(table=st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=6))
@example(table=[["=1+1", "'=1+1", "''@x"], ["-5", "+5.25", "-1,234"], ["a\rb", "\rb", "'"]])
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_a_file_read_back_has_the_cells_that_were_written(tmp_path: Path, ending: str, table: list[list[str]]) -> None:
    """Whatever guards a spreadsheet from formulas is no part of the cell when the mended file comes back."""
    path = tmp_path / f"a.{ending}"
    header = ["claim_number", "outcome", "paid"]
    with writer(path) as file:
        for row in [header, *table]:
            file.row(row)
    assert rows(path) == [header, *table]


@settings(deadline=None)
@given(st.one_of(CELLS, st.text("'=", max_size=5)))
def test_no_text_is_taken_for_a_formula_and_none_is_changed(cell: str) -> None:
    guarded = harmless(cell)
    assert unharmed(guarded) == cell
    assert len(cell) < 2 or guarded[0] not in "=@\t\r"
    assert guarded[:1] not in ("+", "-") or len(cell) < 2 or guarded[1:].replace(".", "", 1).isdigit()


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_what_no_spreadsheet_holds_is_written_all_the_same(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"a.{ending}"
    odd = [float("nan"), float("inf"), 10**5000, Decimal("NaN"), [1, {"a": dt.date(2020, 1, 1)}], b"\xff", dt.time(1, 2),
           dt.timedelta(1), 3.1010119900101094e17, 2010010567154.0, dt.datetime(2020, 1, 1, 1, 2, 3, 4), "x" * 40_000]  # fmt: skip
    with writer(path) as file:
        file.row(["x"] * len(odd))
        file.row(odd)
    found = rows(path)[1]
    assert found[0] == "nan" and found[1] == "inf" and found[4] == '[1, {"a": "2020-01-01"}]'
    assert found[2] == "1" + "0" * 5000
    assert (
        float(found[8]) == pytest.approx(odd[8])
        and found[9] == "2010010567154"
        and found[10] == "2020-01-01 01:02:03.000004"
    )
    assert found[11].startswith("x" * 32_767)
