"""The company's day: terms begin and people come of age at midnight here, not at midnight in Greenwich (norm 2.2.3)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.company import card
from tests.contract.conftest import ACCOUNT, Stranger, item

from lipei.store import models

OWN = {"own_damage": {"sum_insured_minor": 15_000_000}}


def born(day: str) -> str:
    """A resident identity number of somebody born on a day."""
    body = f"110105{day}002"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(a) * w for a, w in zip(body, weights, strict=True)) % 11]


@pytest.mark.norm("2.2.3")
@pytest.mark.parametrize(
    ("loss_at", "payable"),
    [("2020-09-18T23:59:59+08:00", "10000.00"), ("2020-09-19T00:00:00+08:00", "18000.00")],
)
@pytest.mark.parametrize("registered_late", [False, True])
def test_new_terms_begin_at_midnight_where_the_contract_counts_its_days(
    stranger: Stranger, loss_at: str, payable: str, registered_late: bool
) -> None:
    stranger.insure("P", "private_car", compulsory_medical={})
    models.Policy.objects.filter(number="P").update(starts_at=datetime(2020, 1, 1, tzinfo=UTC))
    head = {"cover": "compulsory_medical", "peril": "third_party_injury"}
    if registered_late:
        claim = stranger.report("", head, loss_at=loss_at)
        stranger.act(stranger.office.intake1, claim, "register", {"policy_number": "P"})
    else:
        claim = stranger.report("P", head, loss_at=loss_at)
    stranger.assess(claim, 1, item("20000.00"), fault_percent=100)
    assert stranger.payable(claim) == payable


@pytest.mark.norm("2.2.4")
@pytest.mark.parametrize(
    ("now", "of_age"),
    [(datetime(2026, 11, 23, 15, 59, tzinfo=UTC), False), (datetime(2026, 11, 23, 16, 0, tzinfo=UTC), True)],
)
def test_a_person_comes_of_age_at_midnight_here(stranger: Stranger, now: datetime, of_age: bool) -> None:
    stranger.insure("P", "private_car", **OWN)
    stranger.office.now = now
    person = {"roles": ["insured", "claimant", "payee"], "name": "张三", "id_type": "resident_id"}
    account = {"account_number": card(41), "account_bank": ACCOUNT, "account_name": "张三"}
    head = {"cover": "own_damage", "peril": "collision"}
    claim = stranger.report("P", head, parties=[{**person, **account, "id_number": born("20081124")}])
    stranger.papers(claim)
    stranger.assess(claim, 1, item("800.00"))
    stranger.decide(claim, 1)
    stranger.act(stranger.handler(claim), claim, "offers/1/send")
    stranger.act(stranger.office.program, claim, "offers/1/send_code")
    agreed = stranger.office.program.post(f"claims/{claim['number']}/offers/1/agree", {"code": stranger.code()})
    assert (agreed.status == 200) == of_age


@pytest.mark.norm("2.2.1")
def test_a_child_born_today_has_an_identity_number(stranger: Stranger) -> None:
    stranger.office.now = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)  # half past midnight on the 24th
    child: dict[str, Any] = {"roles": ["injured"], "name": "小明", "id_type": "resident_id"}
    said = {"story": "x", "phone": "13700001111", "parties": [{**child, "id_number": born("20261124")}]}
    body = stranger.office.program.post("claims", said)
    assert body.status == 201
    part = next(p["id"] for p in stranger.claim(body.body)["parties"] if "injured" in p["roles"])
    seen = {"id_type": "resident_id", "id_number": born("20261124")}
    assert stranger.office.lead1.post(f"claims/{body.body['number']}/parties/{part}/check_identity", seen).status == 200
    said["parties"] = [{**child, "id_number": born("20261125")}]
    assert stranger.office.program.post("claims", said).status == 422
