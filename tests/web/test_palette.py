"""The command palette answers with what its reader may see and do."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.company import NOW
from tests.web.conftest import reported

from lipei.domain import lifecycle, permissions
from lipei.norms import loader
from lipei.reads import claims as reads
from lipei.store import models
from lipei.web.console.access import MENU
from lipei.web.console.claim_page import address
from lipei.web.console.palette import GO

JSON = {"accept": "application/json"}


def asked(client, **what):
    return client.get("/console/palette/", what, headers=JSON).json()


@pytest.mark.parametrize("words", ["沪A12345", "沪a12345", "13800138000", "PC-1", "王小", "number", "part", "end"])
def test_a_claim_is_found_by_what_one_remembers(office, browser, claim, words):
    known = {"number": claim, "part": claim[:9], "end": claim[-6:]}
    found = asked(browser("intake1"), q=known.get(words, words))["claims"]
    assert [row["href"] for row in found] == [f"/console/claims/{claim}/"]
    assert "王*明" in found[0]["label"] and "王小明" not in str(found) and "13800138000" not in str(found)


def test_what_one_may_not_see_is_not_found(office, browser, claim):
    assert asked(browser("admin1"), q=claim)["claims"] == []
    assert asked(browser("admin1"))["finds"] is False
    models.Claim.objects.filter(number=claim).update(unit="beijing", handler=office.rows["manager2"].id)
    assert asked(browser("handler1"), q="沪A12345")["claims"] == []
    assert asked(browser("handler1"), claim=claim)["actions"] == []


@pytest.mark.parametrize("code", ["manager1", "finance1", "lead1"])
def test_every_action_possible_now_and_no_other(office, browser, claim, code):
    found = asked(browser(code), claim=claim)
    actor = getattr(office, code)
    claimed = reads.find(claim, viewer=actor)
    assert [row["href"] for row in found["actions"]] == [
        address(claim, step, part)
        for step, part in lifecycle.possible(case=claimed.raw, actor=actor, book=claimed.rulebook, now=NOW)
    ]
    assert found["claim"] == claim and found["actions"] and found["steps"] == []


@pytest.mark.parametrize(
    ("code", "offered", "withheld"),
    [
        ("intake1", {"claim.add_note"}, {"exposure.assess", "payment.approve_payment"}),
        ("handler1", {"claim.add_note", "exposure.assess"}, {"claim.assign", "payment.submit"}),
        ("lead1", {"claim.add_note", "claim.assign"}, {"exposure.assess", "payment.submit"}),
        ("finance1", {"payment.submit"}, {"exposure.assess", "exposure.approve_decision"}),
        ("admin1", set(), {"claim.add_note"}),
    ],
)
def test_without_a_claim_every_step_of_ones_role_and_no_other(office, browser, claim, code, offered, withheld):
    steps = [row["step"] for row in asked(browser(code))["steps"]]
    assert offered <= set(steps) and not withheld & set(steps) and len(steps) == len(set(steps))
    assert "claim.report" not in steps, "to take a report is a page"
    assert {row["step"] for row in asked(browser(code), claim=claim)["actions"]} <= set(steps)


def test_each_table_of_the_rules_by_its_name_for_who_may_read_them(office, browser, monkeypatch):
    client = browser("handler1")
    rules = asked(client)["rules"]
    assert [row["href"] for row in rules] == [f"/console/norms/{table}/" for table in loader.TABLES]
    assert "Promises" in {row["label"] for row in rules} and len({row["label"] for row in rules}) == len(rules)
    assert client.get(rules[0]["href"]).status_code == 200
    monkeypatch.setitem(permissions.MAY, "norms.see", frozenset({"manager"}))
    assert asked(client)["rules"] == []


def test_one_character_is_answered_with_what_is_enough(office, browser, claim):
    assert asked(browser("intake1"), q="王")["says"].startswith("Type at least two characters")
    assert asked(browser("intake1"), q="王小")["says"] == ""


def test_the_palette_asks_little_and_no_more_where_there_are_more_claims(office, browser, claim):
    client = browser("manager1")

    def queries(**what):
        with CaptureQueriesContext(connection) as seen:
            asked(client, **what)
        return len(seen)

    ways = ({}, {"claim": claim}, {"q": claim}, {"q": "王小"}, {"q": claim[3:10]})
    for way in ways:
        queries(**way)  # what is read once a process
    before = [queries(**way) for way in ways]
    reported(office)
    reported(office)
    assert [queries(**way) for way in ways] == before
    assert before[0] <= 4, "without a claim: who it is, and nothing of any claim"


def test_pages_are_those_of_the_menu(office, browser):
    hrefs = {row["href"] for row in asked(browser("finance1"))["pages"]}
    assert {"/console/work/", "/console/payments/"} <= hrefs and "/console/staff/" not in hrefs
    letters = [GO.get(entry.name, entry.name) for _, entries in MENU for entry in entries if entry.name in GO]
    assert len(letters) == len(set(letters)), "a letter leads to one page"


def test_a_person_is_led_to_the_list(office, browser):
    number = reported(office)
    answer = browser("intake1").get("/console/palette/", {"q": "沪A12345"}, follow=True)
    assert answer.redirect_chain[0][0].startswith("/console/claims/?q=") and number in answer.content.decode()
