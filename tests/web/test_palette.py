"""The command palette answers with what its reader may see and do."""

from __future__ import annotations

import pytest
from tests.web.conftest import reported

from lipei.domain import lifecycle
from lipei.reads import claims as reads
from lipei.store import models
from lipei.web.console.access import MENU
from lipei.web.console.claim_page import address
from lipei.web.console.palette import GO

JSON = {"accept": "application/json"}


def asked(client, **what):
    return client.get("/console/palette/", what, headers=JSON).json()


@pytest.mark.parametrize("words", ["沪A12345", "沪a12345", "13800138000", "PC-1", "王小", "number"])
def test_a_claim_is_found_by_what_one_remembers(office, browser, claim, words):
    found = asked(browser("intake1"), q=claim if words == "number" else words)["claims"]
    assert [row["href"] for row in found] == [f"/console/claims/{claim}/"]
    assert "王*明" in found[0]["label"] and "王小明" not in str(found) and "13800138000" not in str(found)


def test_what_one_may_not_see_is_not_found(office, browser, claim):
    assert asked(browser("admin1"), q=claim) == {"claims": []}
    assert asked(browser("admin1"))["finds"] is False
    models.Claim.objects.filter(number=claim).update(unit="beijing", handler=office.rows["manager2"].id)
    assert asked(browser("handler1"), q="沪A12345")["claims"] == []
    assert asked(browser("handler1"), claim=claim)["actions"] == []


@pytest.mark.parametrize("code", ["manager1", "finance1", "lead1"])
def test_every_action_possible_now_and_no_other(office, browser, claim, code):
    found = asked(browser(code), claim=claim)
    actor = getattr(office, code)
    case = reads.find(claim, viewer=actor).raw
    assert [row["href"] for row in found["actions"]] == [
        address(claim, step, part) for step, part in lifecycle.possible(case=case, actor=actor)
    ]
    assert found["claim"] == claim and found["actions"]


def test_pages_are_those_of_the_menu(office, browser):
    hrefs = {row["href"] for row in asked(browser("finance1"))["pages"]}
    assert {"/console/work/", "/console/payments/"} <= hrefs and "/console/staff/" not in hrefs
    letters = [GO.get(entry.name, entry.name) for _, entries in MENU for entry in entries if entry.name in GO]
    assert len(letters) == len(set(letters)), "a letter leads to one page"


def test_a_person_is_led_to_the_list(office, browser):
    number = reported(office)
    answer = browser("intake1").get("/console/palette/", {"q": "沪A12345"}, follow=True)
    assert answer.redirect_chain[0][0].startswith("/console/claims/?q=") and number in answer.content.decode()
