"""Worked settlements, through the API: each sum to the cent, each line with its clause (norm 2.2.3, 2.2.4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.company import card
from tests.contract.conftest import ACCOUNT, Stranger, cny, item

ADDED = ("甲某", "乙某")
THIRD_PARTY = {"third_party": {"limit_minor": 100_000_000, "deductible_rate": "5%"}}
COMPULSORY: dict[str, Any] = {"compulsory_property": {}, "compulsory_medical": {}, "compulsory_death_disability": {}}


def exposure(cover: str, peril: str, **more: Any) -> dict[str, Any]:
    return {"cover": cover, "peril": peril, **more}


@pytest.mark.norm("2.2.3")
@pytest.mark.parametrize(
    ("salvage", "deductible", "payable"),
    [("50.00", 50_000, "2100.00"), ("0.00", 0, "2650.00"), ("2650.00", 50_000, "0.00"), ("0.01", 50_000, "2149.99")],
)
def test_own_damage_less_salvage_and_deductible(
    stranger: Stranger, salvage: str, deductible: int, payable: str
) -> None:
    own = {"sum_insured_minor": 15_000_000, "deductible_minor": deductible}
    stranger.insure("P", "private_car", own_damage=own)
    claim = stranger.report("P", exposure("own_damage", "collision"))
    stranger.assess(claim, 1, item("1200.00"), item("800.00"), item("650.00"), salvage=cny(salvage))
    assert stranger.payable(claim) == payable
    lines = stranger.settlement(claim)["exposures"][0]["lines"]
    assert lines[0]["after"]["amount"] == "2650.00" and lines[-1]["after"]["amount"] == payable
    assert all(line["clause"] and line["plain"] for line in lines)


def test_a_loss_beyond_the_sum_insured_is_cut_before_the_deductible(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", own_damage={"sum_insured_minor": 1_000_000, "deductible_minor": 50_000})
    claim = stranger.report("P", exposure("own_damage", "collision"))
    stranger.assess(claim, 1, item("12000.00"))
    assert stranger.payable(claim) == "9500.00"


def test_what_compulsory_cover_pays_comes_first(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", **COMPULSORY, **THIRD_PARTY)
    heads = [exposure(cover, "third_party_property") for cover in ("compulsory_property", "third_party")]
    claim = stranger.report("P", *heads)
    for part in (1, 2):
        stranger.assess(claim, part, item("9000.00"), fault_percent=70)
    assert [stranger.payable(claim, part) for part in (1, 2, 0)] == ["2000.00", "4655.00", "6655.00"]


def test_compulsory_heads_never_borrow_and_victims_share_in_proportion(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", **COMPULSORY)
    injury = "third_party_injury"
    heads = (
        exposure("compulsory_medical", injury),
        exposure("compulsory_medical", injury),
        exposure("compulsory_property", "third_party_property"),
    )
    claim = stranger.report("P", *heads)
    for part, loss in ((1, "20000.00"), (2, "10000.00"), (3, "500.00")):
        stranger.assess(claim, part, item(loss), fault_percent=100)
    stranger.assess(claim, 1, item("20000.00"), fault_percent=100)  # with the others known
    assert stranger.payable(claim, 1) == "12000.00"
    assert stranger.payable(claim, 2) == "6000.00"
    assert stranger.payable(claim, 3) == "500.00"


def test_a_victim_known_after_the_first_was_paid_gets_what_is_left_of_the_limit(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", **COMPULSORY, **THIRD_PARTY)
    injury = "third_party_injury"
    claim = stranger.report("P", exposure("compulsory_medical", injury))
    handler = stranger.handler(claim)
    for name, seed in zip(ADDED, (71, 72), strict=True):
        account = {"account_number": card(seed), "account_bank": ACCOUNT, "account_name": name}
        said = {"roles": ["claimant", "payee"], "name": name, **account}
        stranger.act(stranger.office.intake1, claim, "parties/new/add", said)
    one, two = (party["id"] for party in stranger.claim(claim)["parties"][-2:])
    stranger.act(handler, claim, "exposures/1/correct", {"claimant": one})
    checked = {"id_type": "resident_id", "id_number": "11010519491231002X"}
    stranger.act(handler, claim, f"parties/{one}/check_identity", checked)
    stranger.papers(claim)
    stranger.assess(claim, 1, item("12000.00"), fault_percent=70)
    stranger.decide(claim, 1)
    stranger.agree(claim, [{"payee": one, "numerator": 1, "denominator": 1}])
    stranger.pay(claim, 1)
    stranger.act(stranger.office.lead1, claim, "reopen", {"reason": "第二名伤者"})
    for part, cover in ((2, "compulsory_medical"), (3, "third_party")):
        stranger.act(handler, claim, "exposures/new/add", {"cover": cover, "peril": injury, "claimant": two})
        stranger.assess(claim, part, item("10000.00"), fault_percent=70)
    stranger.decide(claim, 2)
    assert [stranger.payable(claim, part) for part in (1, 2, 3)] == ["12000.00", "6000.00", "2660.00"]


def test_not_at_fault_the_compulsory_limits_are_lower(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", **COMPULSORY)
    claim = stranger.report("P", exposure("compulsory_medical", "third_party_injury"))
    stranger.assess(claim, 1, item("20000.00"), fault_percent=0)
    assert stranger.payable(claim) == "1800.00"


def test_medical_costs_within_what_is_left_of_the_year(stranger: Stranger) -> None:
    cover = {"limit_minor": 500_000, "deductible_minor": 100_000, "pay_rate": "80%"}
    stranger.insure("P", "medical", medical_expense=cover)
    claim = stranger.report("P", exposure("medical_expense", "accident_medical"))
    stranger.assess(
        claim, 1, item("17400.00"), item("1240.35", excluded="not_eligible"), social_insurance=cny("9200.00")
    )
    found = stranger.settlement(claim)["exposures"][0]
    assert found["payable"]["amount"] == "5000.00" and found["lines"][-1]["cut"]["amount"] == "760.00"
    assert found["needs_person"], "what is not covered is a person's to decide"


def test_hospital_allowance_by_the_day(stranger: Stranger) -> None:
    cover = {"daily_minor": 15_000, "waiting_days": 3, "days_max": 180}
    stranger.insure("P", "personal_accident", hospital_allowance=cover)
    for days, payable in ((12, "1350.00"), (3, "0.00"), (4, "150.00"), (400, "27000.00")):
        claim = stranger.report("P", exposure("hospital_allowance", "hospital_allowance"))
        stranger.assess(claim, 1, hospital_days=days)
        assert stranger.payable(claim) == payable, days


def test_household_insured_for_less_than_it_is_worth(stranger: Stranger) -> None:
    stranger.insure("P", "household", building={"sum_insured_minor": 30_000_000, "deductible_minor": 100_000})
    claim = stranger.report("P", exposure("building", "fire"))
    stranger.assess(claim, 1, item("50000.00"), value=cny("400000.00"))
    assert stranger.payable(claim) == "36500.00"


def test_several_policies_together_never_pay_more_than_the_loss(stranger: Stranger) -> None:
    stranger.insure("P", "household", building={"sum_insured_minor": 30_000_000, "deductible_minor": 200_000})
    claim = stranger.report("P", exposure("building", "fire"))
    other = [{"would_pay": cny("8000.00")}]
    stranger.assess(claim, 1, item("10000.00"), value=cny("300000.00"), other_policies=other)
    assert stranger.payable(claim) == "5000.00"
    assert "2" in stranger.settlement(claim)["exposures"][0]["lines"][-1]["words"]


def test_two_claims_never_both_see_the_last_of_a_limit(stranger: Stranger) -> None:
    cover = {"limit_minor": 500_000, "deductible_minor": 0, "pay_rate": "100%"}
    stranger.insure("P", "medical", medical_expense=cover)
    claims = [stranger.report("P", exposure("medical_expense", "accident_medical")) for _ in range(2)]
    for claim in claims:
        stranger.assess(claim, 1, item("4000.00"))
    assert [stranger.payable(claim) for claim in claims] == ["4000.00", "4000.00"]  # neither is decided yet
    for claim in claims:
        stranger.decide(claim, 1)
    assert [stranger.payable(claim) for claim in claims] == ["4000.00", "1000.00"]


@pytest.mark.norm("2.2.4")
def test_equal_shares_are_always_the_whole_sum(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", own_damage={"sum_insured_minor": 15_000_000})
    claim = stranger.report("P", exposure("own_damage", "collision"))
    for name in ADDED:
        stranger.act(stranger.office.intake1, claim, "parties/new/add", {"roles": ["payee"], "name": name})
    stranger.papers(claim)
    stranger.assess(claim, 1, item("1000.00"))
    stranger.decide(claim, 1)
    insured = next(p["id"] for p in stranger.claim(claim)["parties"] if "insured" in p["roles"])
    payees = {insured: "", **{p["id"]: n for p, n in zip(stranger.claim(claim)["parties"][-2:], ADDED, strict=True)}}
    agreed = stranger.agree(claim, [{"payee": payee, "numerator": 1, "denominator": 3} for payee in payees])
    assert stranger.payments(claim) == [("settlement", "333.34", "ordered")]
    waits = [remark["message"] for remark in agreed["remarks"] if remark["code"] == "remark.payee_waits"]
    assert len(waits) == 2 and all("账户" in words for words in waits), "it is said why the others wait"
    for seed, (payee, name) in enumerate(list(payees.items())[1:], start=61):
        account = {"account_number": card(seed), "account_bank": ACCOUNT, "account_name": name}
        stranger.act(stranger.office.intake1, claim, f"parties/{payee}/correct", account)
    assert [amount for _, amount, _ in stranger.payments(claim)] == ["333.34", "333.33", "333.33"]
    assert stranger.claim(claim)["remarks"] == []


def test_a_payee_who_waits_for_the_identity_check_reads_the_figure(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", own_damage={"sum_insured_minor": 15_000_000})
    claim = stranger.report("P", exposure("own_damage", "collision"))
    stranger.papers(claim)
    stranger.assess(claim, 1, item("12000.00"))
    stranger.decide(claim, 1)
    (waits,) = stranger.agree(claim)["remarks"]
    assert waits["code"] == "remark.payee_waits"
    assert "10,000.00" in waits["message"] and "{" not in waits["message"]


@pytest.mark.parametrize(("final", "due", "back"), [("52300.00", "32300.00", None), ("18000.00", None, "2000.00")])
def test_an_advance_is_set_off_and_never_becomes_a_negative_payment(
    stranger: Stranger, final: str, due: str | None, back: str | None
) -> None:
    stranger.insure("P", "private_car", own_damage={"sum_insured_minor": 15_000_000})
    claim = stranger.report("P", exposure("own_damage", "collision", reserve=cny("60000.00")))
    handler = stranger.handler(claim)
    payee = next(party["id"] for party in stranger.claim(claim)["parties"] if "payee" in party["roles"])
    checked = {"id_type": "resident_id", "id_number": "11010519491231002X"}
    stranger.act(handler, claim, f"parties/{payee}/check_identity", checked)
    stranger.papers(claim)
    stranger.act(handler, claim, "exposures/1/advance", {"amount": cny("20000.00"), "reason": "急需用款"})
    stranger.pay(claim, 1)
    stranger.assess(claim, 1, item(final))
    stranger.decide(claim, 1)
    stranger.agree(claim)
    expected = [("advance", "20000.00", "confirmed")] + ([("settlement", due, "ordered")] if due else [])
    assert stranger.payments(claim) == expected
    found = stranger.claim(claim)
    assert [r["due"]["amount"] for r in found["recoveries"]] == ([back] if back else [])
    assert found["state"] == ("paying" if due else "closed")


@pytest.mark.norm("2.2.4")
def test_shares_are_of_the_whole_offer_and_not_of_each_head(stranger: Stranger) -> None:
    stranger.insure("P", "private_car", own_damage={"sum_insured_minor": 15_000_000})
    claim = stranger.report("P", exposure("own_damage", "collision"), exposure("own_damage", "glass"))
    stranger.papers(claim)
    for part, amount in ((1, "100.01"), (2, "0.02")):
        stranger.assess(claim, part, item(amount))
        stranger.decide(claim, part)
    account = {"account_number": card(81), "account_bank": ACCOUNT, "account_name": "甲某"}
    stranger.act(stranger.office.intake1, claim, "parties/new/add", {"roles": ["payee"], "name": "甲某", **account})
    people = stranger.claim(claim)["parties"]
    ids = [next(p["id"] for p in people if "insured" in p["roles"]), people[-1]["id"]]
    stranger.agree(claim, [{"payee": n, "numerator": i, "denominator": 3} for i, n in enumerate(ids, start=1)])
    paid = dict.fromkeys(ids, Decimal(0))
    for payment in stranger.claim(claim)["payments"]:
        paid[payment["payee"]] += Decimal(payment["amount"]["amount"])
    assert list(paid.values()) == [Decimal("33.34"), Decimal("66.69")]
