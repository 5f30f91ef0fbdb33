"""Heads of loss under one limit: what is shown adds up at every moment, and only what was submitted is approved."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.contract.conftest import Stranger, cny, good, item
from tests.contract.test_settlements import COMPULSORY, exposure

from lipei.domain.claims import Case
from lipei.domain.events import Event
from lipei.norms.texts import LANGUAGES
from lipei.services import actions, exports, verify
from lipei.store import aggregates, models

MEDICAL = exposure("compulsory_medical", "third_party_injury")


def sums(stranger: Stranger, claim: Any) -> list[str]:
    """Payable of the whole, then of each head, as the explained sum and as the claim says it."""
    told = stranger.settlement(claim)
    heads = [head["payable"]["amount"] for head in told["exposures"]]
    assert heads == [head["payable"]["amount"] for head in stranger.claim(claim)["exposures"]]
    return [told["payable"]["amount"], *heads]


@pytest.mark.norm("2.2.3")
def test_two_victims_are_shown_what_the_limit_gives_from_the_assessment_to_the_offer(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", **COMPULSORY)
    claim = stranger.report("P", MEDICAL, MEDICAL)
    lead, approver = stranger.office.lead1, stranger.office.approver1
    stranger.assess(claim, 1, item("15000.00"), fault_percent=100)
    stranger.assess(claim, 2, item("30000.00"), fault_percent=100)
    assert sums(stranger, claim) == ["18000.00", "6000.00", "12000.00"]
    stranger.act(stranger.office.assessor1, claim, "exposures/1/check_assessment")
    stranger.act(stranger.handler(claim), claim, "exposures/1/submit_decision")
    stranger.act(lead, claim, "exposures/2/drop", {"reason": "重复录入"})
    assert sums(stranger, claim) == ["15000.00", "15000.00", "0.00"]
    head = stranger.claim(claim)["exposures"][0]
    assert (head["state"], head["approvals"]) == ("checked", [])
    refused = approver.post(f"claims/{claim['number']}/exposures/1/approve_decision", {})
    assert refused.status == 409 and stranger.claim(claim)["offers"] == []
    said = [e["sentence"] for e in good(lead.get(f"claims/{claim['number']}/timeline"))["entries"]]
    assert any("6,000.00" in words and "15,000.00" in words for words in said), said
    stranger.act(stranger.handler(claim), claim, "exposures/1/submit_decision")
    stranger.act(approver, claim, "exposures/1/approve_decision")
    assert [o["amount"]["amount"] for o in stranger.claim(claim)["offers"]] == ["15000.00"]
    assert list(verify.differences(now=stranger.office.now)) == []


def of_one_year(stranger: Stranger, *losses: str) -> list[Any]:
    """Claims under one medical policy whose year's limit is 5,000, each assessed at so much."""
    cover = {"limit_minor": 500_000, "deductible_minor": 0, "pay_rate": "100%"}
    stranger.insure("P", "medical", medical_expense=cover)
    claims = [stranger.report("P", exposure("medical_expense", "accident_medical")) for _ in losses]
    for claim, loss in zip(claims, losses, strict=True):
        stranger.assess(claim, 1, item(loss))
    return claims


@pytest.mark.norm("2.2.3")
def test_open_claims_are_shown_what_another_claim_left_of_the_limit(stranger: Stranger) -> None:
    one, two, three = of_one_year(stranger, "4000.00", "4000.00", "500.00")
    stranger.act(stranger.office.assessor1, two, "exposures/1/check_assessment")
    stranger.act(stranger.handler(two), two, "exposures/1/submit_decision")
    version = stranger.claim(three)["version"]
    stranger.decide(one, 1)
    assert [sums(stranger, claim)[0] for claim in (one, two, three)] == ["4000.00", "1000.00", "500.00"]
    assert stranger.claim(two)["exposures"][0]["state"] == "checked"
    assert stranger.claim(three)["version"] == version, "nothing is written where nothing changes"
    told = models.Entry.objects.filter(stream_id=models.Claim.objects.get(number=two["number"]).id).last()
    assert (told.actor, told.cause) == ("system:limits", "limits:shared")
    told_handler = models.Delivery.objects.get(stream_id=told.stream_id, message="staff_overtaken")
    assert told_handler.staff_id == models.Claim.objects.get(number=two["number"]).handler
    assert told_handler.facts["amount_minor"] == 100_000
    stranger.act(stranger.office.lead1, one, "exposures/1/return_for_rework", {"reason": "重新核对"})
    assert stranger.payable(two) == "4000.00", "what was given back is there again"
    assert list(verify.differences(now=stranger.office.now)) == []


def test_what_is_brought_up_to_date_costs_no_more_for_claims_that_are_not_assessed(
    stranger: Stranger, django_assert_num_queries: Any
) -> None:
    one, two = of_one_year(stranger, "4000.00", "300.00")
    stranger.act(stranger.office.lead1, two, "exposures/1/drop", {"reason": "重复录入"})
    for _ in range(3):
        stranger.report("P", exposure("medical_expense", "accident_medical"))
    stranger.decide(one, 1)
    done = actions.Done(
        aggregates.load(Case, actions.claim_id(one["number"])).aggregate, ((1, Event("ledger.drawn", 0)),)
    )  # fmt: skip
    with django_assert_num_queries(1):
        actions.share_anew(done, now=stranger.office.now)


@pytest.mark.norm("4")
@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_approves_reads_that_another_sum_was_submitted(
    stranger: Stranger, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions, "share_anew", lambda done, now: None)  # as where a process dies in between
    one, two = of_one_year(stranger, "4000.00", "4000.00")
    stranger.act(stranger.office.assessor1, two, "exposures/1/check_assessment")
    stranger.act(stranger.handler(two), two, "exposures/1/submit_decision", {"ex_gratia": cny("0.00")})
    stranger.decide(one, 1)  # takes of the same year's limit
    seen = {"If_Match": f'"{stranger.claim(two)["version"]}"', "Accept_Language": language}
    approve = f"claims/{two['number']}/exposures/1/approve_decision"
    refused = stranger.office.approver1.post(approve, {}, **seen)
    assert refused.status == 409 and refused.body["code"] == "refusal.sum_changed"
    assert all(amount in refused.body["detail"] for amount in ("4,000.00", "1,000.00")), refused.body
    assert stranger.claim(two)["exposures"][0]["state"] == "checked" and stranger.payable(two) == "1000.00"
    stranger.act(stranger.handler(two), two, "exposures/1/submit_decision")
    stranger.act(stranger.office.approver1, two, "exposures/1/approve_decision")
    assert [o["amount"]["amount"] for o in stranger.claim(two)["offers"]] == ["1000.00"]


def test_a_claim_that_was_taken_back_has_nothing_payable(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", **COMPULSORY)
    claim = stranger.report("P", MEDICAL)
    stranger.assess(claim, 1, item("15000.00"), fault_percent=100)
    assert stranger.payable(claim) == "15000.00"
    stranger.act(stranger.handler(claim), claim, "withdraw", {"reason": "不再申请"})
    assert stranger.payable(claim) == "0.00"
    (row,) = exports._claim_rows(list(models.Claim.objects.all()), "en", False)
    assert Decimal(row["payable"]) == 0
