"""How many queries a page costs: known, and the same however much there is to show."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from tests.company import NOW
from tests.web.conftest import full_claim, reported

from lipei.domain import commands as c
from lipei.services import actions

FRAME = 4
"""Session, user, number of norm edits, member of staff: what every page of the console asks before it begins."""


def queries(client: Client, where: str) -> int:
    client.get(where)  # what is kept in memory, and the minute's note of the session, is there from here on
    with CaptureQueriesContext(connection) as captured:
        assert client.get(where).status_code == 200
    return len(captured)


@pytest.mark.parametrize("where", ["/console/work/?whose=all", "/console/work/?whose=unit", "/console/claims/"])
def test_lists_cost_the_same_with_one_claim_and_with_many(office: Any, browser: Any, where: str) -> None:
    client = browser("manager1")
    reported(office)
    one = queries(client, where)
    for n in range(6):
        reported(office, story=f"第{n}件：停车时被刮擦。", phone=f"1390013800{n}")
    assert client.get(where).content.decode().count("<tr data-row=") == 7
    assert queries(client, where) == one <= FRAME + (24 if "work" in where else 6)


def test_a_claim_costs_the_same_whatever_its_history(office: Any, browser: Any) -> None:
    number = full_claim(office)
    client, where = browser("manager1"), f"/console/claims/{number}/"
    before = queries(client, where)
    for n in range(30):
        actions.act(number, "claim", "add_note", 0, c.Write(f"note {n}"), actor=office.lead1, now=NOW)
    assert queries(client, where) == before <= FRAME + 18
