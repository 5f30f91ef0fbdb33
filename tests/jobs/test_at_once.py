"""Double clicks, two colleagues, four workers: what several do at the same instant is done once, and nobody sees an error.

The scenarios are `tests/jobs/at_once.py`; they need connections of their own and so an installation of their own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.jobs.installations import installation

pytestmark = pytest.mark.slow

WANTED: dict[str, Any] = {
    # the same report under one key: claims by the answers, claims in the database, answers that made something
    "one_key_from_eight": [1, 1, 1],
    "one_key_two_reports": [1, 4],  # the other report of the same key is refused, each time
    "two_approvers": [2, "approved", 2, 2],  # four eyes: each counted once, though each pressed twice
    "pay_pressed_eight_times": [1, 1, 750_000],
    "payment_approved_and_cancelled": [True, True, []],  # one end, an order only where it was paid, no exception
    "four_claims_one_limit": [500_000, 500_000, [0, 100_000, 200_000, 200_000]],
    "agree_from_eight": [1, "agreed", 1],
    "agreed_while_the_handler_changes_the_decision": [1, True],
    "withdrawn_while_the_order_leaves": [True, True, True],
    "seals_while_everybody_writes": ["sealed", "written"],
    "a_seal_and_a_decision_each_with_what_the_other_wants": ["written", "sealed"],
    "two_managers_save_one_table": [1, {"refusal.stale_table": 3}],
    "one_file_from_six": [{"done": 6}, 1],
    "a_code_guessed_by_eight": [True, 5],
    "a_right_code_entered_by_four": 1,
    "four_workers": [["worked"] * 4, 1, 1],  # no message twice, no breach twice
    "verify": [],
    "confirmed twice": 0,
}


def test_done_once_and_nobody_sees_an_error(tmp_path: Path) -> None:
    """One test and not one for each: processes that share the tests would each make an installation."""
    with installation(tmp_path) as made:
        assert made.lipei("migrate").returncode == 0
        printed = made.python("from tests.jobs import at_once; at_once.main()")
    assert json.loads(printed.splitlines()[-1]) == WANTED
