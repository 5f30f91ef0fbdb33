"""Lent authority on a claim: within its days, on record, and never a second pair of eyes of the lender's own (norm part 4)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.contract.conftest import Stranger, cny, good, item

from lipei.domain.events import Refusal
from lipei.services import people, verify
from lipei.store import models

pytestmark = [pytest.mark.norm("4"), pytest.mark.norm("1.4.3")]
DAY = timedelta(days=1)


def lend(stranger: Stranger, giver: str, taker: str, *, start: int = 0, end: int = 1) -> Any:
    """Authority to decide, from so many days from now to so many."""
    us, now = stranger.office.us, stranger.office.now
    lent = people.lend(
        giver_id=models.Staff.objects.get(code=giver).id, taker_id=models.Staff.objects.get(code=taker).id,
        kinds=("decide",), starts_at=now + start * DAY, ends_at=now + end * DAY, actor=getattr(us, giver), now=now,
    )  # fmt: skip
    assert not isinstance(lent, Refusal), lent
    return lent


def hired(stranger: Stranger, code: str, unit: str) -> None:
    """One more team lead."""
    said = {"name": code, "roles": ("team_lead",), "unit": unit, "languages": ("zh-hans",), "email": "l@example.com"}
    people.save(code=code, fields=said, actor=stranger.office.us.admin1, now=stranger.office.now)


def submitted(stranger: Stranger, amount: str = "200000.00", by: str = "") -> Any:
    """A claim that waits for a decision beyond a team lead's authority, and for two persons."""
    office = stranger.office
    stranger.insure("P", "private_car", own_damage={"sum_insured_minor": 150_000_000})
    claim = stranger.report("P", {"cover": "own_damage", "peril": "collision"})
    stranger.papers(claim)
    stranger.act(office.manager2, claim, "exposures/1/set_reserve", {"amount": cny(amount), "reason": "估损"})
    stranger.act(office.assessor1, claim, "exposures/1/assess", {"items": [item(amount)], "facts": {}})
    stranger.act(office.manager2, claim, "exposures/1/check_assessment")
    stranger.act(getattr(office, by) if by else stranger.handler(claim), claim, "exposures/1/submit_decision")
    return claim


def approves(stranger: Stranger, who: str, claim: Any) -> bool:
    answer = getattr(stranger.office, who).post(f"claims/{claim['number']}/exposures/1/approve_decision", {})
    assert answer.status in (200, 401, 403, 404), answer.body
    return bool(answer.status == 200)


def test_who_approves_by_lent_authority_says_whose_and_the_lender_is_no_second(stranger: Stranger) -> None:
    claim = submitted(stranger)
    assert not approves(stranger, "lead1", claim)
    lent = lend(stranger, "approver1", "lead1")
    assert approves(stranger, "lead1", claim)
    entries = good(stranger.office.lead1.get(f"claims/{claim['number']}/timeline"))["entries"]
    said = entries[-1]
    assert said["kind"] == "exposure.first_approval_given" and "Approver1" in said["authority"]
    people.take_back(delegation_id=lent.id, actor=stranger.office.us.approver1, now=stranger.office.now)
    assert not approves(stranger, "approver1", claim), "theirs was counted"
    assert not approves(stranger, "lead1", claim)
    assert approves(stranger, "approver2", claim)
    assert stranger.claim(claim)["exposures"][0]["state"] == "approved"
    assert list(verify.differences(now=stranger.office.now)) == []


def test_one_authority_lent_to_two_is_one(stranger: Stranger) -> None:
    claim = submitted(stranger)
    hired(stranger, "lead2", "shanghai")
    for taker in ("lead1", "lead2"):
        lend(stranger, "approver1", taker)
    assert approves(stranger, "lead1", claim) and not approves(stranger, "lead2", claim)


def test_it_holds_from_its_first_instant_to_before_its_last(stranger: Stranger) -> None:
    claim = submitted(stranger)
    lend(stranger, "approver1", "lead1", start=1, end=2)
    assert not approves(stranger, "lead1", claim)
    stranger.office.later(days=2)
    assert not approves(stranger, "lead1", claim)


def test_what_was_taken_back_or_whose_lender_is_gone_gives_nothing(stranger: Stranger) -> None:
    claim, us, now = submitted(stranger), stranger.office.us, stranger.office.now
    lent = lend(stranger, "approver1", "lead1")
    people.take_back(delegation_id=lent.id, actor=us.approver1, now=now)
    assert not approves(stranger, "lead1", claim)
    lend(stranger, "approver2", "lead1")
    people.save(code="approver2", fields={"active": False}, actor=us.admin1, now=now)
    assert not approves(stranger, "lead1", claim)


def test_it_is_not_lent_on_nor_used_on_the_lenders_own_work_nor_beyond_ones_cases(stranger: Stranger) -> None:
    claim = submitted(stranger, "350000.00", by="manager1")
    lend(stranger, "manager1", "approver1")
    lend(stranger, "approver1", "lead1")
    hired(stranger, "lead3", "beijing")
    lend(stranger, "manager2", "lead3")
    lend(stranger, "manager2", "intake1")
    for who in ("approver1", "lead1", "manager1", "lead3", "intake1"):
        assert not approves(stranger, who, claim), who
