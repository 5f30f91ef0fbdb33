"""`lipei verify` sees a policy that was altered, exchanged, put back, invented or removed (norm part 4).

By raw SQL, one test per kind of tampering: new claims are settled by these rows and paid to their accounts.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from tests.company import NOW, card, company
from tests.jobs.conftest import reported
from tests.jobs.tampering import found, sql

from lipei.domain.events import Actor
from lipei.domain.registers import PolicyRegister
from lipei.services import imports, registers, verify
from lipei.store import journal, models, policy_digests

pytestmark = [pytest.mark.django_db, pytest.mark.norm("4")]
COLUMNS = ("policy_number", "product", "starts_at", "ends_at", "holder_name", "phone", "id_number", "account_name",
           "account_number", "plate", "own_damage.sum_insured")  # fmt: skip
ROW = ("A-1", "private_car", "2026-01-01", "2026-12-31", "张伟", "13912345678", "", "张伟", card(7),
       "沪B00001", "150000.00")  # fmt: skip
OTHER = ("A-2", *ROW[1:4], "李娜", "13912345679", "", "李娜", "", "沪B00002", "80000.00")


@pytest.fixture
def held(tmp_path: Path) -> Path:
    """Two policies that an import brought."""
    path = tmp_path / "p.csv"
    brought(path, ROW, OTHER)
    clean()
    return path


def brought(path: Path, *rows: tuple[str, ...]) -> Any:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    actor, rejects = Actor("system:import", "mei"), path.with_suffix(".rejected.csv")
    report = imports.run(kind="policies", path=path, now=NOW, actor=actor, rejects_path=rejects)
    assert isinstance(report, imports.Report) and not report.rejected, report
    return report


def clean() -> None:
    assert list(verify.differences(now=NOW)) == []


def said(number: str) -> str:
    (one,) = found("policies", number)
    return one.partition(f"policy {number}: ")[2]


def test_everything_that_a_policy_says_is_named() -> None:
    assert set(policy_digests.NAMED) == {field.name for field in models.Policy._meta.concrete_fields}


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("schedule", '{"own_damage":{"sum_insured_minor":95000000}}'), ("schedule", "none"),
        ("ends_at", "2028-01-01 00:00:00+00:00"), ("starts_at", "2025-01-01 00:00:00+00:00"),
        ("ended_at", "2026-06-01 00:00:00+00:00"), ("status", "void"), ("product", "household"), ("terms_version", 7),
        ("currency", "USD"), ("account_bank", "102290000001"), ("region", "北京"), ("language", "en"),
        ("phone_index", "0" * 32), ("plate_index", "0" * 32), ("id_number_index", "0" * 32), ("account_number", b"\x01no"),
    ],
)  # fmt: skip
def test_an_altered_policy(held, column, value):
    assert sql(f"UPDATE policy SET {column} = %s WHERE number = 'A-1'", value) == 1
    assert said("A-1") == "is not what entry 2 made of it"


@pytest.mark.parametrize(
    "column", ["account_number", "account_name", "insured_name", "holder_name", "phone", "insured_objects"]
)
def test_a_text_exchanged_for_that_of_another_policy(held, column):
    """Whoever cannot read a ciphertext can still put it somewhere else."""
    sql(f"UPDATE policy SET {column} = (SELECT {column} FROM policy WHERE number = 'A-1') WHERE number = 'A-2'")
    assert said("A-2") == "is not what entry 2 made of it"


def test_the_same_text_written_anew_is_no_difference(held):
    row = models.Policy.objects.get(number="A-1")
    row.save()
    clean()


def test_two_policies_that_changed_places(held):
    """A claim knows its policy by this number."""
    one, two = models.Policy.objects.order_by("number").values_list("id", flat=True)
    sql("DELETE FROM policy_token")
    for before, after in ((one, 999), (two, one), (999, two)):
        sql("UPDATE policy SET id = %s WHERE id = %s", after, before)
    assert len(found("policies")) == 2


def test_a_policy_of_another_number(held):
    sql("UPDATE policy SET number = 'A-3' WHERE number = 'A-1'")
    assert said("A-3") == "no import brought it" and said("A-1") == "what entry 2 made is gone"


def test_an_earlier_state_put_back(held):
    def state() -> dict[str, Any]:
        return models.Policy.objects.values("schedule", "ends_at").get(number="A-1")

    before = state()
    brought(held, (*ROW[:-1], "90000.00"), OTHER)
    clean()
    models.Policy.objects.filter(number="A-1").update(**before)
    assert said("A-1") == "is not what entry 3 made of it"


def test_an_invented_policy(held):
    row = models.Policy.objects.get(number="A-1")
    row.pk, row.number = None, "A-9"
    row.save()
    assert said("A-9") == "no import brought it"


def test_a_removed_policy(held):
    sql("DELETE FROM policy_token")
    sql("DELETE FROM policy WHERE number = 'A-2'")
    assert said("A-2") == "what entry 2 made is gone"


def test_a_removed_policy_that_a_claim_is_of(db):
    us = company()
    case = reported(us)
    assert case.claim.policy_id == us.car.pk
    sql("DELETE FROM policy")
    (one,) = found("references", case.claim.number)
    assert one.endswith("is of policy PC-1, which is gone")


def test_what_was_there_before_the_register_is_taken_as_it_was_then(tmp_path, monkeypatch):
    """An installation of an earlier release, brought up to date: a few at a time."""
    monkeypatch.setattr(policy_digests, "AT_ONCE", 2)
    company()
    for n in range(4):
        row = models.Policy.objects.get(number="PC-1")
        row.pk, row.number = None, f"PC-1{n}"
        row.save()
    clean()
    registers.begin(PolicyRegister, now=NOW)
    registers.begin(PolicyRegister, now=NOW)
    entries = models.Entry.objects.filter(stream_kind=PolicyRegister.kind).order_by("sequence")
    facts = [journal.said(payload)[0] for payload in entries.values_list("payload", flat=True)]
    assert [len(one["rows"]) for one in facts] == [2, 2, 1]
    clean()
    sql("UPDATE policy SET status = 'void' WHERE number = 'PC-12'")
    assert said("PC-12") == "is not what entry 2 made of it"


def test_an_import_begins_with_what_was_there(tmp_path):
    company()
    sql("UPDATE policy SET schedule = %s", json.dumps({"own_damage": {}}))
    brought(tmp_path / "p.csv", ROW)
    clean()
    sql("UPDATE policy SET status = 'void' WHERE number = 'PC-1'")
    assert said("PC-1") == "is not what entry 1 made of it"


def test_an_import_mends_what_was_altered_and_what_is_gone(held):
    sql("UPDATE policy SET status = 'void' WHERE number = 'A-1'")
    sql("DELETE FROM policy_token")
    sql("DELETE FROM policy WHERE number = 'A-2'")
    assert len(found("policies")) == 2
    assert brought(held, ROW, OTHER).imported == 2
    clean()
