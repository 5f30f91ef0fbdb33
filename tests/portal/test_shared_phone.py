"""Two persons at one phone: a couple, or a parent and a child. Each sees their own, nobody else sees any of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from tests.portal.conftest import code_sent, done, reported, verified

from lipei.domain import commands as c

pytestmark = pytest.mark.django_db
PHONE = "13900139001"


@pytest.fixture
def couple(client: Client, people: Any) -> str:
    """A claim with two injured persons at one phone, and somebody else with another."""
    number = reported(client)
    for name, phone in (("陈一", PHONE), ("陈二", "139-0013-9001"), ("李三", "13900139003")):
        done(number, "party", "add", 0, c.PartyReported(("injured", "claimant"), name, phone), people.intake1)
    return number


def entered(number: str, phone: str = PHONE) -> Client:
    """A browser that came in by number and phone, with the code that the phone got."""
    other = Client()
    other.post("/claim/", {"number": number, "phone": phone})
    assert other.post("/claim/code", {"code": code_sent(number, "portal_code")}).url == f"/claim/{number}/"
    return other


def test_who_comes_by_a_shared_phone_chooses_whose_claim_to_see(couple: str) -> None:
    other = entered(couple)
    page = other.get(f"/claim/{couple}/").content.decode()
    assert "<strong><bdi>陈一</bdi>" in page and "<bdi>陈二</bdi></button>" in page and "李三" not in page
    assert other.post(f"/claim/{couple}/person/3").url == f"/claim/{couple}/"
    page = other.get(f"/claim/{couple}/").content.decode()
    assert "<strong><bdi>陈二</bdi>" in page and "<bdi>陈一</bdi></button>" in page
    answer = other.post(f"/claim/{couple}/account", {"account_name": "陈二", "account_number": ""})
    assert answer.status_code == 422, "their own form, not the way to prove who they are"


def test_nobody_gets_at_others_by_number(couple: str) -> None:
    other = entered(couple)
    for party in (1, 4, 9):
        other.post(f"/claim/{couple}/person/{party}")
        assert "<strong><bdi>陈一</bdi>" in other.get(f"/claim/{couple}/").content.decode()
    by_link = verified(Client(), couple, 2)  # a link can be handed on: it opens its own person's page and no other
    by_link.post(f"/claim/{couple}/person/3")
    page = by_link.get(f"/claim/{couple}/").content.decode()
    assert "陈二" not in page
    assert Client().post(f"/claim/{couple}/person/3").url.startswith("/claim/?")
    alone = entered(couple, "13900139003").get(f"/claim/{couple}/").content.decode()
    assert f"/claim/{couple}/person/" not in alone
