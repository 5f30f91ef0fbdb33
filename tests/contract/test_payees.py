"""Who is paid, to which account and after which look at them (norm 2.2.4, part 4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.company import card
from tests.contract.conftest import ACCOUNT, Stranger, cny, good, item
from tests.contract.test_settlements import exposure

pytestmark = pytest.mark.norm("2.2.4")
SEEN = {"id_type": "resident_id", "id_number": "11010519491231002X"}


def approved(stranger: Stranger, amount: str) -> Any:
    """A claim of which so much was approved."""
    stranger.insure("P", "private_car", own_damage={"sum_insured_minor": 150_000_000})
    claim = stranger.report("P", exposure("own_damage", "collision"))
    stranger.papers(claim)
    stranger.assess(claim, 1, item(amount))
    stranger.decide(claim, 1)
    return claim


def insured(stranger: Stranger, claim: Any) -> int:
    return int(next(p["id"] for p in stranger.claim(claim)["parties"] if "insured" in p["roles"]))


def checked(stranger: Stranger, claim: Any, seen: dict[str, str] = SEEN) -> int:
    payee = insured(stranger, claim)
    stranger.act(stranger.handler(claim), claim, f"parties/{payee}/check_identity", seen)
    return payee


@pytest.mark.norm("4")
@pytest.mark.parametrize(("amount", "waits"), [("10000.00", False), ("10000.01", True)])
def test_the_identity_is_checked_above_the_sum_of_the_setting(stranger: Stranger, amount: str, waits: bool) -> None:
    claim = approved(stranger, amount)
    stranger.agree(claim)
    assert (stranger.payments(claim) == []) == waits
    if waits:
        checked(stranger, claim)
        assert stranger.payments(claim) == [("settlement", amount, "ordered")]


@pytest.mark.norm("4")
@pytest.mark.parametrize("failed", [False, True])
def test_whoever_is_known_otherwise_since_is_approved_anew(stranger: Stranger, failed: bool) -> None:
    claim, finance = approved(stranger, "20000.00"), stranger.office.finance1
    payee = checked(stranger, claim)
    stranger.agree(claim)
    stranger.act(finance, claim, "payments/1/approve_payment")
    if failed:
        stranger.act(finance, claim, "payments/1/submit")
        stranger.act(finance, claim, "payments/1/fail", {"reason": "AC04"})
    other = {"id_type": "passport", "id_number": "E12345678"}
    stranger.act(stranger.office.intake1, claim, f"parties/{payee}/correct", other)
    if failed:
        stranger.act(finance, claim, "payments/1/retry")
    assert stranger.payments(claim) == [("settlement", "20000.00", "ordered")]
    refused = stranger.office.finance2.post(f"claims/{claim['number']}/payments/1/approve_payment", {})
    assert (refused.status, refused.body["errors"][0]["code"]) == (422, "refusal.identity_not_checked")
    checked(stranger, claim, other)
    stranger.act(stranger.office.finance2, claim, "payments/1/approve_payment")


@pytest.mark.norm("4")
def test_a_document_that_is_not_the_one_on_file_takes_the_approval_back(stranger: Stranger) -> None:
    claim = approved(stranger, "20000.00")
    payee = checked(stranger, claim)
    stranger.agree(claim)
    stranger.act(stranger.office.finance1, claim, "payments/1/approve_payment")
    other = {"id_type": "passport", "id_number": "E1"}
    told = stranger.office.finance2.post(f"claims/{claim['number']}/parties/{payee}/check_identity", other)
    assert told.body["errors"][0]["code"] == "refusal.identity_differs"
    assert stranger.payments(claim) == [("settlement", "20000.00", "ordered")]


@pytest.mark.norm("4")
@pytest.mark.parametrize("how", ["added", "reported", "on file"])
def test_whoever_typed_the_account_does_not_let_money_go_to_it(stranger: Stranger, how: str) -> None:
    lead, own = stranger.office.lead1, {"account_number": card(66), "account_bank": ACCOUNT, "account_name": "张三"}
    stranger.insure("P", "private_car", own_damage={"sum_insured_minor": 150_000_000})
    insured_as = {"roles": ["insured", "claimant", "payee"], "name": "张三", **(own if how == "reported" else {})}
    said = {"story": "追尾", "phone": "13700001111", "policy_number": "P", "parties": [insured_as]}
    body = {**said, "loss_at": "2026-11-22T10:00:00+08:00", "exposures": [exposure("own_damage", "collision")]}
    claim = good(lead.post("claims", body), 201)
    stranger.papers(claim)
    stranger.assess(claim, 1, item("1000.00"))
    stranger.decide(claim, 1)
    payee = insured(stranger, claim)
    if how == "added":
        stranger.act(
            lead, claim, "parties/new/add", {"roles": ["payee"], "name": "张三丰", **own, "account_name": "张三丰"}
        )
        payee = stranger.claim(claim)["parties"][-1]["id"]
    stranger.agree(claim, [{"payee": payee, "numerator": 1, "denominator": 1}])
    answer = lead.post(f"claims/{claim['number']}/payments/1/approve_payment", {})
    assert answer.status == (200 if how == "on file" else 403), answer.body
    if how != "on file":
        assert answer.body["code"] == "refusal.guard.not_the_account_giver"
        stranger.act(stranger.office.finance1, claim, "payments/1/approve_payment")


@pytest.mark.parametrize(
    ("name", "account", "paid"),
    [
        ("ＡＢＣ汽修（上海）有限公司", "ABC汽修(上海)有限公司", True),
        ("阿卜杜拉·买买提", "阿卜杜拉•买买提", True),
        ("张三", "张\u3000三", True),
        ("张三", "张四", False),
    ],
)
def test_a_name_is_the_same_however_wide_or_spaced(stranger: Stranger, name: str, account: str, paid: bool) -> None:
    claim = approved(stranger, "1000.00")
    said = {"name": name, "account_name": account, "account_number": card(66), "account_bank": ACCOUNT}
    stranger.act(stranger.office.intake1, claim, "parties/new/add", {"roles": ["payee"], **said})
    payee = stranger.claim(claim)["parties"][-1]["id"]
    stranger.agree(claim, [{"payee": payee, "numerator": 1, "denominator": 1}])
    assert bool(stranger.payments(claim)) == paid


@pytest.mark.parametrize("total", ["0.02", "99999.99"])
def test_thirds_are_the_whole_to_the_cent(stranger: Stranger, total: str) -> None:
    claim = approved(stranger, total)
    payees = [checked(stranger, claim)]
    for seed in (61, 62):
        said = {"name": f"甲{seed}", "account_number": card(seed), "account_bank": ACCOUNT}
        stranger.act(stranger.office.intake1, claim, "parties/new/add", {"roles": ["payee"], **said})
        payees.append(stranger.claim(claim)["parties"][-1]["id"])
        seen = {"id_type": "passport", "id_number": f"E{seed}"}
        stranger.act(stranger.handler(claim), claim, f"parties/{payees[-1]}/check_identity", seen)
    stranger.agree(claim, [{"payee": payee, "numerator": 1, "denominator": 3} for payee in payees])
    amounts = [Decimal(amount) for _, amount, _ in stranger.payments(claim)]
    assert sum(amounts) == Decimal(total) and all(amount > 0 for amount in amounts)


def test_what_is_ordered_by_hand_stays_within_what_is_due(stranger: Stranger) -> None:
    claim = approved(stranger, "1000.00")
    payee = insured(stranger, claim)
    stranger.agree(claim)
    stranger.act(stranger.office.manager1, claim, "payments/1/cancel", {"reason": "分两次付"})
    ordered = (
        ("1000.01", 422), ("0.00", 422), ("-1.00", 422), ("10.001", 422), ("400.00", 200), ("600.01", 422),
        ("600.00", 200), ("0.01", 422),
    )  # fmt: skip
    for amount, status in ordered:
        said = {"exposure": 1, "payee": payee, "amount": cny(amount)}
        answer = stranger.handler(claim).post(f"claims/{claim['number']}/payments/new/order", said)
        assert answer.status == status, (amount, answer.body)
