"""Exports: claims masked, the journal entry by entry with its chain."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests.company import NOW, company

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.domain.money import Money
from lipei.gateways.tables import sheets, writer
from lipei.services import exports, intake, norms
from lipei.store import canonical, journal, models

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    made = company()
    lost = c.ExposureReported(
        "own_damage", "single_vehicle", items=(c.ItemAssessed("后保险杠", claimed=Money(265000, "CNY")),)
    )
    report = c.Report(
        story="倒车碰撞。",
        phone="13800138000",
        line="motor",
        loss_kind="single_vehicle",
        loss_at=NOW - timedelta(hours=2),
        exposures=(lost,),
    )
    done = intake.report(report, actor=made.program, now=NOW)
    assert not isinstance(done, Refusal)
    made.number = done.case.claim.number
    return made


def read(path) -> list[list]:
    return [list(row) for row in next(sheets(Path(path))).rows]


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
@pytest.mark.norm("4")
def test_claims_are_masked_unless_asked_for_by_who_may(people, tmp_path, ending):
    path = tmp_path / f"claims.{ending}"
    assert exports.run(what="claims", path=path, actor=people.admin1, language="en").rows == 1
    header, row = read(path)
    said = dict(zip(header, row, strict=True))
    assert said["Claim number"] == people.number
    assert said["Claimed"] == (2650 if ending == "xlsx" else "2650.00")
    assert "王小明" not in row and "13800138000" not in row and "王*明" in row
    refused = exports.run(what="claims", path=path, actor=people.admin1, unmasked=True)
    assert isinstance(refused, Refusal) and refused.kind == "permission"
    exports.run(what="claims", path=path, actor=people.manager1, unmasked=True)
    assert "王小明" in read(path)[1]


def test_times_are_those_of_the_companys_zone_as_on_the_pages(people, tmp_path):
    version, text = norms.text_in_force("settings")
    moved = text.replace("zone, default: home}", "zone, default: Asia/Kolkata}")
    saved = norms.save(table="settings", text=moved, reason="搬迁", seen_version=version, actor=people.admin1, now=NOW)
    assert not isinstance(saved, Refusal), saved
    exports.run(what="claims", path=tmp_path / "c.xlsx", actor=people.admin1, language="en")
    header, row = read(tmp_path / "c.xlsx")
    assert str(dict(zip(header, row, strict=True))["Reported"]) == "2026-11-23 07:30:00"


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
def test_columns_speak_the_readers_language(people, tmp_path, language):
    exports.run(what="claims", path=tmp_path / "c.csv", actor=people.admin1, language=language)
    assert (
        read(tmp_path / "c.csv")[0][0] == {"zh-hans": "案件号", "zh-hant": "案件編號", "en": "Claim number"}[language]
    )


def test_only_claims_of_the_time_named(people, tmp_path):
    later = exports.run(what="claims", path=tmp_path / "c.csv", actor=people.admin1, since=NOW + timedelta(days=1))
    assert later.rows == 0 and len(read(tmp_path / "c.csv")) == 1


def test_the_journal_leaves_with_its_chain_and_without_personal_data(people, tmp_path):
    path = tmp_path / "journal.jsonl"
    done = exports.run(what="journal", path=path, actor=people.admin1)
    lines = path.read_text().splitlines()
    assert done.rows == len(lines) == models.Entry.objects.count()
    assert "王小明" not in path.read_text() and "13800138000" not in path.read_text()
    previous: dict[str, bytes] = {}
    for line in lines:  # an outsider follows the chain with the file alone
        said = json.loads(line)
        kind, _, number = said["stream"].partition("/")
        body = canonical.dumps({name: said[name] for name in ("facts", "set", "owes") if name != "owes" or said[name]})
        head = journal.header(
            kind,
            int(number),
            said["sequence"],
            said["kind"],
            said["part"],
            journal.SCHEMA,
            said["actor"],
            said["on_behalf_of"],
            said["cause"],
            said["occurred_at"],
            said["recorded_at"],
        )
        previous[said["stream"]] = journal.chained(previous.get(said["stream"], b""), head, body)
        assert previous[said["stream"]].hex() == said["hash"]


def test_the_journal_as_a_table(people, tmp_path):
    exports.run(what="journal", path=tmp_path / "j.csv", actor=people.admin1)
    header, *rows = read(tmp_path / "j.csv")
    assert tuple(header) == exports.JOURNAL and rows[0][2] == "claim.reported"
    assert json.loads(rows[0][9])["number"] == people.number


@pytest.mark.parametrize(
    ("what", "name", "code"),
    [
        ("cats", "a.csv", "refusal.export_kind"),
        ("claims", "a.pdf", "refusal.export_ending"),
        ("journal", "a.xlsx", "refusal.export_ending"),
    ],
)
def test_what_cannot_be_exported(people, tmp_path, what, name, code):
    assert exports.run(what=what, path=tmp_path / name, actor=people.admin1).code == code


def test_a_text_is_no_formula_and_a_failed_file_is_no_file(tmp_path):
    with writer(tmp_path / "a.csv") as file:
        file.row(["=1+1", "-12.5", 2007010518383.0, "@cmd"])
    assert next(csv.reader((tmp_path / "a.csv").open(encoding="utf-8-sig"))) == [
        "'=1+1",
        "-12.5",
        "2007010518383",
        "'@cmd",
    ]
    with pytest.raises(KeyError), writer(tmp_path / "b.xlsx") as file:
        file.row(["half"])
        raise KeyError
    assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]
