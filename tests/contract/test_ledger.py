"""A limit that claims share: what ends gives back, what may still be paid stays taken (norm 2.2.3)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.contract.conftest import Stranger, item
from tests.contract.test_settlements import exposure

from lipei.services import sweeps, verify
from lipei.store import models

pytestmark = pytest.mark.norm("2.2.3")
MEDICAL = exposure("medical_expense", "accident_medical")


def insured(stranger: Stranger) -> None:
    cover = {"limit_minor": 500_000, "deductible_minor": 0, "pay_rate": "100%"}
    stranger.insure("P", "medical", medical_expense=cover)


def decided(stranger: Stranger, loss: str) -> Any:
    """A claim of so much under a year's limit of 5,000, approved."""
    insured(stranger)
    claim = stranger.report("P", MEDICAL)
    stranger.papers(claim)
    stranger.assess(claim, 1, item(loss))
    stranger.decide(claim, 1)
    return claim


def left(stranger: Stranger) -> str:
    """What another claim of a large loss would get."""
    probe = stranger.report("P", MEDICAL, story="另一件事")
    stranger.assess(probe, 1, item("99999.00"))
    found = stranger.payable(probe)
    stranger.act(stranger.office.manager1, probe, "exposures/1/drop", {"reason": "试算"})
    assert list(verify.differences(now=stranger.office.now)) == []
    return found


@pytest.mark.parametrize("how", ["withdraw", "rework", "drop", "refuse"])
def test_what_ends_without_money_gives_back(stranger: Stranger, how: str) -> None:
    claim, manager = decided(stranger, "4000.00"), stranger.office.manager1
    assert left(stranger) == "1000.00"
    if how == "withdraw":
        stranger.act(manager, claim, "withdraw", {"reason": "不要了"})
    else:
        stranger.act(manager, claim, "exposures/1/return_for_rework", {"reason": "重看"})
    if how == "drop":
        stranger.act(manager, claim, "exposures/1/drop", {"reason": "误报"})
    if how == "refuse":
        ground = {"code": "not_covered", "clause": "M7", "reason": "投保前就有的病。"}
        stranger.act(stranger.handler(claim), claim, "exposures/1/propose_refusal", ground)
        for approver in (stranger.office.approver1, stranger.office.approver2):
            stranger.act(approver, claim, "exposures/1/refuse")
    assert left(stranger) == "5000.00"


@pytest.mark.parametrize("how", ["declined", "expired"])
def test_what_the_customer_turned_down_is_still_theirs(stranger: Stranger, how: str) -> None:
    claim = decided(stranger, "4000.00")
    stranger.act(stranger.handler(claim), claim, "offers/1/send")
    if how == "declined":
        stranger.act(stranger.office.program, claim, "offers/1/decline", {"reason": "太少"})
    else:
        stranger.office.later(days=31)
        sweeps.offers(now=stranger.office.now, limit=10)
    assert left(stranger) == "1000.00"


def test_money_that_did_not_arrive_or_came_and_went_stays_taken(stranger: Stranger) -> None:
    claim, finance = decided(stranger, "3000.00"), stranger.office.finance1
    stranger.agree(claim)
    for step, said in (("approve_payment", {}), ("submit", {}), ("fail", {"reason": "AC04"})):
        stranger.act(finance, claim, f"payments/1/{step}", said)
    assert left(stranger) == "2000.00"
    stranger.act(finance, claim, "payments/1/retry")
    stranger.act(finance, claim, "payments/1/submit")
    stranger.act(finance, claim, "payments/1/confirm", {"reference": "B"})
    stranger.act(stranger.office.lead1, claim, "reopen", {"reason": "补充发票"})
    assert left(stranger) == "2000.00"


def test_two_heads_of_one_claim_share_it(stranger: Stranger) -> None:
    insured(stranger)
    claim = stranger.report("P", MEDICAL, MEDICAL)
    stranger.papers(claim)
    for part in (1, 2):
        stranger.assess(claim, part, item("4000.00"))
    assert stranger.payable(claim) == "5000.00"
    for part in (1, 2):
        stranger.decide(claim, part)
    assert sum(Decimal(stranger.payable(claim, part)) for part in (1, 2)) == Decimal("5000.00")
    assert left(stranger) == "0.00"


def test_another_policy_year_has_a_limit_of_its_own(stranger: Stranger) -> None:
    decided(stranger, "4000.00")
    now = stranger.office.now
    models.Policy.objects.filter(number="P").update(starts_at=now - timedelta(days=400))
    before = stranger.report("P", MEDICAL, loss_at=(now - timedelta(days=380)).isoformat(), story="去年的事")
    stranger.assess(before, 1, item("4500.00"))
    assert stranger.payable(before) == "4500.00"
