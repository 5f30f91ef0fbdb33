"""What a rule leaves to a person, and whom several heirs' money waits for, as somebody outside sees it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.conftest import ACCOUNT, Stranger, cny, item
from tests.domain.conduct_desk import CARDS

from lipei.store import models

pytestmark = pytest.mark.django_db
CAR = {"own_damage": {"sum_insured_minor": 15_000_000, "deductible_minor": 50_000}}
LOST = {"cover": "own_damage", "peril": "collision"}


def in_hand(stranger: Stranger, amount: str, triage: Any = None, **more: Any) -> Any:
    """A collision reported for automatic handling, triaged with what is newly known, its papers accepted."""
    stranger.insure("D1", "private_car", **CAR)
    said = {"phone": stranger.policy_phone("D1"), "loss_kind": "collision", "accept_automatic": True, **more}
    body = stranger.report("D1", {**LOST, "items": [item(amount)]}, **said)
    if triage:
        stranger.act(stranger.handler(body), body, "triage", triage)
    stranger.papers(body)
    return body


@pytest.mark.norm("1.3.1")
@pytest.mark.norm("4")
@pytest.mark.parametrize(
    ("amount", "triage", "more"),
    [
        ("3000.00", {"liability_disputed": True}, {}),
        ("90000.00", {"lawsuit": True}, {}),
        ("5000.01", None, {}),
        ("3000.00", None, {"loss_at": "2026-09-20T10:00:00+08:00"}),
        ("3000.00", None, {"rescue": True}),
        ("3000.00", None, {"phone": "13899990000"}),
        ("90000.00", None, {"estimate": cny("1000.00")}),
    ],
)
def test_no_hand_but_a_persons_lets_the_money_go(stranger: Stranger, amount: str, triage: Any, more: Any) -> None:
    body = in_hand(stranger, amount, triage, **more)
    assert [kind for kind, _, _ in stranger.payments(body)] == (["advance"] if amount == "5000.01" else [])
    claim = stranger.claim(body)
    assert (claim["exposures"][0]["state"], claim["offers"]) == ("open", [])


@pytest.mark.norm("1.3.1")
def test_what_is_clear_is_paid_once(stranger: Stranger) -> None:
    assert stranger.payments(in_hand(stranger, "4500.01", estimate=cny("6000.00"))) == [
        ("settlement", "4000.01", "approved")
    ]


@pytest.mark.norm("4")
@pytest.mark.parametrize(
    ("name", "account", "by_rule"), [("张三", "张三", 1), ("张伟明", "张伟民", 0), ("星河公司", "星和公司", 0)]
)
def test_an_account_in_a_name_that_is_only_like_the_payees_waits_for_a_person(
    stranger: Stranger, name: str, account: str, by_rule: int
) -> None:
    stranger.insure("D1", "private_car", **CAR)
    models.Policy.objects.filter(number="D1").update(holder_name=name, insured_name=name, account_name=account)
    body = stranger.report(
        "D1", {**LOST, "items": [item("3000.00")]}, phone=stranger.policy_phone("D1"), loss_kind="collision",
        accept_automatic=True,
    )  # fmt: skip
    stranger.papers(body)
    assert len(stranger.payments(body)) == by_rule


@pytest.mark.norm("1.3.1")
def test_a_loss_that_may_have_been_told_twice_waits_for_a_person_whatever_is_corrected(stranger: Stranger) -> None:
    stranger.insure("D1", "private_car", **CAR)
    said = {"phone": stranger.policy_phone("D1"), "loss_kind": "collision", "accept_automatic": True}
    stranger.report("D1", {**LOST, "items": [item("3000.00")]}, **said)
    again = stranger.report("D1", {**LOST, "items": [item("3000.00")]}, **said)
    stranger.papers(again)
    assert stranger.payments(again) == []
    stranger.act(stranger.handler(again), again, "parties/1/correct", {"email": "wang@example.com"})
    assert stranger.payments(again) == [] and stranger.claim(again)["exposures"][0]["state"] == "open"


def an_heir(name: str, number: int) -> dict[str, Any]:
    return {
        "name": name, "roles": ["heir", "claimant", "payee"], "acts_for": 1, "mandate": "inheritance",
        "phone": f"1390013900{number}", "account_number": CARDS[number], "account_name": name, "account_bank": ACCOUNT,
    }  # fmt: skip


@pytest.mark.norm("2.2.4")
@pytest.mark.norm("4")
def test_the_money_of_three_heirs_goes_to_all_of_them(stranger: Stranger) -> None:
    stranger.insure("A1", "personal_accident", accidental_death={"sum_insured_minor": 3_000_000})
    parties = [
        {"name": "张三", "roles": ["insured"], "deceased": True},
        *(an_heir(name, n) for n, name in enumerate(("李芳", "张一", "张二"), start=1)),
    ]
    lost = {"cover": "accidental_death", "peril": "accidental_death", "reserve": cny("30000.00")}
    report = {"loss_kind": "accidental_death", "insured_died": True, "parties": parties}
    whose = stranger.office.program.post(
        "claims", {"story": "意外身故", "phone": "13900139001", "policy_number": "A1",
                   "loss_at": "2026-11-22T10:00:00+08:00", "exposures": [lost], **report},
    )  # fmt: skip
    assert (whose.status, [e["field"] for e in whose.body["errors"]]) == (422, ["exposures.1.claimant"])
    body = stranger.report("A1", {**lost, "claimant": 1}, **report, phone="13900139001")
    handler = stranger.handler(body)
    for number in (2, 3, 4):
        seen = {"id_type": "passport", "id_number": f"E{number}", "mandate": "inheritance"}
        stranger.act(handler, body, f"parties/{number}/check_identity", seen)
    stranger.papers(body)
    stranger.assess(body, 1)
    stranger.decide(body, 1)
    unsaid = handler.post(f"claims/{body['number']}/offers/1/send", {})
    assert (unsaid.status, [e["field"] for e in unsaid.body["errors"]]) == (422, ["shares"])
    stranger.act(handler, body, "offers/1/send", {"shares": [
        {"payee": n, "numerator": 1, "denominator": 3} for n in (2, 3, 4)
    ]})  # fmt: skip
    for left in (2, 1, 0):
        stranger.act(handler, body, "offers/1/send_code")
        stranger.act(handler, body, "offers/1/agree", {"code": stranger.code()})
        assert len(stranger.payments(body)) == (0 if left else 3)
