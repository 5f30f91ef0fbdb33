"""What is on file is found by part of a plate or name, through tokens and never by reading every policy (norm 1.3.3)."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.company import NOW, company, policy

from lipei.reads import on_file
from lipei.store import models, policy_tokens

pytestmark = [pytest.mark.django_db, pytest.mark.norm("1.3.3")]


@pytest.fixture
def us() -> Any:
    """A company with cars and travellers on file, their tokens made as an upgrade makes them."""
    found = company()
    policy("PC-2", "private_car", {}, name="李小明", phone="13800138002", plate="沪A99345", seed=2)
    policy("PC-3", "private_car", {}, name="王大海", phone="13800138003", plate="苏E12345", seed=3)
    policy("TR-1", "travel", {}, name="John Smith", phone="13800138004", seed=4)
    importlib.import_module("lipei.store.migrations.0006_policy_tokens").fill(apps, None)
    return found


def numbers(us: Any, plate: str = "", name: str = "") -> list[str]:
    found = on_file.matching(phone="", plate=plate, number="", name=name, viewer=us.intake1, at=NOW)
    return sorted(one.number for one in found)


@pytest.mark.parametrize(
    ("plate", "expected"),
    [
        ("沪A345", ["PC-1", "PC-2"]), ("沪A 345", ["PC-1", "PC-2"]), ("沪a…12345", ["PC-1"]), ("2345", ["PC-1", "PC-3"]),
        ("苏E45", ["PC-3"]), ("沪A12345", ["PC-1"]), ("345沪", []), ("沪B345", []), ("5", []), ("", []), ("·*·", []),
    ],
)  # fmt: skip
def test_a_plate_is_found_by_its_beginning_and_last_digits(us: Any, plate: str, expected: list[str]) -> None:
    assert numbers(us, plate=plate) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("小明", ["PC-1", "PC-2"]),
        ("王小", ["PC-1"]),
        ("smith", ["TR-1"]),
        ("john smith", ["TR-1"]),
        ("明小", []),
        ("王", []),
    ],
)
def test_a_name_is_found_by_a_part_of_it(us: Any, name: str, expected: list[str]) -> None:
    assert numbers(us, name=name) == expected


def test_it_takes_as_many_questions_and_decryptions_whatever_is_on_file(
    us: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    monkeypatch.setattr(
        policy_tokens, "texts", lambda row, own=policy_tokens.texts: read.append(row.number) or own(row)
    )

    def asked() -> tuple[int, int]:
        read.clear()
        with CaptureQueriesContext(connection) as seen:
            assert numbers(us, plate="苏E345") == ["PC-3"]
        return len(seen), len(read)

    few = asked()
    more = [
        policy(f"M-{n}", "private_car", {}, name="钱多", phone=f"137{n:08d}", plate=f"鲁B{n:05d}") for n in range(30)
    ]
    policy_tokens.write(more, models.PolicyToken)
    assert asked() == few == (few[0], 1) and few[0] <= 9


def test_what_a_policy_was_called_before_finds_it_no_more(us: Any) -> None:
    row = models.Policy.objects.get(number="PC-3")
    row.holder_name = row.insured_name = "赵六"
    row.save()
    policy_tokens.write([row], models.PolicyToken)
    assert numbers(us, name="大海") == [] and numbers(us, name="赵六") == ["PC-3"]
    row.delete()
    assert not models.PolicyToken.objects.filter(policy_id=row.pk).exists() and numbers(us, name="赵六") == []
