"""Where no sum can be computed everybody is told why, in words (norm 2.2.3, part 4)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.conftest import Stranger, good, item

from lipei.norms.texts import LANGUAGES, text

pytestmark = [pytest.mark.django_db, pytest.mark.once]

CAR = {"own_damage": {"sum_insured_minor": 1_000_000}, "compulsory_property": {}}


def head(cover: str, peril: str) -> dict[str, Any]:
    return {"cover": cover, "peril": peril}


def told(stranger: Stranger, body: Any, language: str) -> tuple[str, list[str]]:
    """What the sum and the claim say of it."""
    sums = good(stranger.office.program.get(f"claims/{body['number']}/settlement", Accept_Language=language))
    claim = good(stranger.office.manager1.get(f"claims/{body['number']}", Accept_Language=language))
    remarks = [r["message"] for r in claim["remarks"] if r["code"] == "remark.not_computed"]
    last = sums["exposures"][-1]
    assert last["computed"] is (not last["why"])
    return last["why"], remarks


@pytest.mark.norm("4")
@pytest.mark.norm("2.2.3")
@pytest.mark.parametrize("language", LANGUAGES)
def test_why_there_is_no_sum_is_said_in_words(stranger: Stranger, language: str) -> None:
    stranger.insure("P", "private_car", **CAR)
    heads = head("own_damage", "collision"), head("third_party", "third_party_property")
    body = stranger.report("P", *heads)
    stranger.assess(body, 1, item("2000.00"))
    answered = stranger.assess(body, 2, item("2000.00"), fault_percent=100)
    assert "remark.not_computed" in {r["code"] for r in answered["remarks"]}
    why, remarks = told(stranger, body, language)
    assert text("cover.third_party", language) in why and "third_party" not in why
    assert len(remarks) == 1 and why in remarks[0]


@pytest.mark.norm("4")
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_differs_is_named_and_gone_once_it_agrees(stranger: Stranger, language: str) -> None:
    stranger.insure("P", "private_car", **CAR)
    heads = (head("compulsory_property", "third_party_property"),) * 2
    body = stranger.report("P", *heads)
    stranger.assess(body, 1, item("500.00"), fault_percent=0)
    stranger.assess(body, 2, item("500.00"), fault_percent=30)
    why, remarks = told(stranger, body, language)
    assert "compulsory_property" not in why and "2,000.00" in why and len(remarks) == 1
    said = {"items": [item("500.00")], "facts": {"fault_percent": 0}}
    stranger.act(stranger.handler(body), body, "exposures/2/assess", said)
    assert told(stranger, body, language) == ("", [])


@pytest.mark.norm("4")
def test_a_loss_outside_the_policy_is_said_with_the_sum(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", **CAR)
    body = stranger.report("P", head("own_damage", "collision"), loss_at="2025-01-01T00:00:00+08:00")
    stranger.assess(body, 1, item("2000.00"))
    why, remarks = told(stranger, body, "en")
    assert "not in force" in why and len(remarks) == 1
