"""Every clause that the main job carries out has a test with its number."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
CARRIED_OUT = (
    "1.3.1", "1.3.3", "1.4.3", "2.2.1", "2.2.2", "2.2.3", "2.2.4", "2.3.1", "2.3.2", "2.3.3", "2.4.1", "4",
)  # fmt: skip


@pytest.fixture(scope="module")
def marked() -> frozenset[str]:
    """The clauses named by a marker of some test."""
    sources = (file.read_text(encoding="utf-8") for file in TESTS.rglob("test_*.py"))
    return frozenset(clause for text in sources for clause in re.findall(r'pytest\.mark\.norm\("([\d.]+)"\)', text))


@pytest.mark.parametrize("clause", CARRIED_OUT)
def test_a_clause_that_is_carried_out_is_tested_by_its_number(clause: str, marked: frozenset[str]) -> None:
    assert clause in marked
