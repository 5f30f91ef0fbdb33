"""What an answer says no with: fields as they are sent, names of covers and sums in words, which limit it is (norm 4)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.conftest import Stranger, cny, item

from lipei.norms.texts import LANGUAGES, text

pytestmark = [pytest.mark.django_db, pytest.mark.once]

CAR = {
    "own_damage": {"sum_insured_minor": 90_000_000},
    "compulsory_property": {},
    "third_party": {"limit_minor": 50_000_000},
}


def collided(stranger: Stranger) -> Any:
    stranger.insure("P", "private_car", **CAR)
    return stranger.report("P", {"cover": "own_damage", "peril": "collision"})


def test_a_wrong_amount_is_named_as_it_was_sent(stranger: Stranger) -> None:
    body = collided(stranger)
    said = {"items": [item("5.00")], "facts": {"salvge": cny("1.00")}}
    found = stranger.handler(body).post(f"claims/{body['number']}/exposures/1/assess", said)
    assert found.status == 422 and [e["field"] for e in found.body["errors"]] == ["facts.salvge"]
    said["facts"] = {"salvage": 1.5}
    found = stranger.handler(body).post(f"claims/{body['number']}/exposures/1/assess", said, Accept_Language="en")
    assert '{"amount": "1234.56", "currency": "CNY"}' in found.body["errors"][0]["message"]


@pytest.mark.norm("2.2.3")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_decision_that_lacks_a_fact_says_to_assess_with_it(stranger: Stranger, language: str) -> None:
    stranger.insure("P", "private_car", **CAR)
    heads = [{"cover": c, "peril": "third_party_property"} for c in ("compulsory_property", "third_party")]
    body = stranger.report("P", *heads)
    for part in (1, 2):
        stranger.assess(body, part, item("9000.00"), fault_percent=70)
    refusal = {"code": "x", "clause": "C11", "reason": "y"}
    stranger.act(stranger.handler(body), body, "exposures/1/propose_refusal", refusal)
    stranger.act(stranger.office.approver1, body, "exposures/1/refuse")
    stranger.act(stranger.office.assessor1, body, "exposures/2/check_assessment")
    address = f"claims/{body['number']}/exposures/2/submit_decision"
    found = stranger.handler(body).post(address, {}, Accept_Language=language)
    assert (found.status, found.body["code"]) == (409, "refusal.assess_anew")
    assert text("fact.compulsory_paid_minor", language) in found.body["detail"] and "errors" not in found.body


@pytest.mark.norm("1.4.3")
def test_beyond_the_limit_for_ex_gratia_the_limit_is_named(stranger: Stranger) -> None:
    body = collided(stranger)
    stranger.papers(body)
    stranger.assess(body, 1, item("20000.00"))
    stranger.act(stranger.office.assessor1, body, "exposures/1/check_assessment")
    more = {"ex_gratia": cny("1.00"), "reason": "老客户"}
    stranger.act(stranger.handler(body), body, "exposures/1/submit_decision", more)
    found = stranger.office.approver1.post(
        f"claims/{body['number']}/exposures/1/approve_decision", {}, Accept_Language="en"
    )
    assert found.status == 403 and "your limit for ex gratia payments CNY 10,000.00" in found.body["detail"]
