"""A small medical claim is paid with no hand only when its invoices are here and what cuts the sum was said (norm 1.3.1)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.contract.conftest import Stranger, item

pytestmark = [pytest.mark.django_db, pytest.mark.once]

HEADS = [
    ("medical", "medical_expense", "illness_medical"),
    ("medical", "medical_expense", "accident_medical"),
    ("personal_accident", "accident_medical", "accident_medical"),
]
TREATED = {"inpatient": False, "outpatient": True}
NOTHING_PAID = {"used_social_insurance": False, "social_insurance": {"amount": "0.00", "currency": "CNY"}}
NOBODY_ELSE = {"other_payment": {"amount": "0.00", "currency": "CNY"}}
EVERYTHING = TREATED | NOTHING_PAID | NOBODY_ELSE


def reported(stranger: Stranger, head: tuple[str, str, str], facts: dict[str, Any]) -> Any:
    product, cover, peril = head
    stranger.insure("M1", product, **{cover: {"limit_minor": 5_000_000, "deductible_minor": 0, "pay_rate": "100%"}})
    lost = {"cover": cover, "peril": peril, "items": [item("3000.00")], "facts": facts}
    phone = {"phone": stranger.policy_phone("M1"), "loss_kind": peril, "accept_automatic": True}
    body = stranger.report("M1", lost, **phone)
    stranger.act(stranger.handler(body), body, "request_papers")
    return body


def received(stranger: Stranger, body: Any, *more: str) -> None:
    for paper in stranger.claim(body)["papers"]:
        if paper["state"] == "requested" and (paper["required"] or paper["code"] in more):
            stranger.act(stranger.office.intake1, body, f"papers/{paper['id']}/receive")


@pytest.mark.norm("1.3.1")
@pytest.mark.parametrize("head", HEADS)
def test_without_an_invoice_nothing_is_paid(stranger: Stranger, head: tuple[str, str, str]) -> None:
    body = reported(stranger, head, NOTHING_PAID | NOBODY_ELSE)
    received(stranger, body)
    assert stranger.payments(body) == []
    received(stranger, body, "inpatient_invoices")
    assert stranger.payments(body) == [], "of the outpatient treatment nobody has said anything"
    received(stranger, body, "outpatient_invoices")
    assert stranger.payments(body) == [("settlement", "3000.00", "approved")]


@pytest.mark.norm("1.3.1")
@pytest.mark.parametrize("head", HEADS)
def test_of_the_two_kinds_of_invoice_one_is_always_required(stranger: Stranger, head: tuple[str, str, str]) -> None:
    body = reported(stranger, head, EVERYTHING | {"outpatient": False})
    assert "outpatient_invoices" in {p["code"] for p in stranger.claim(body)["papers"] if p["required"]}
    received(stranger, body)
    assert stranger.payments(body) == [("settlement", "3000.00", "approved")]


@pytest.mark.norm("1.3.1")
@pytest.mark.norm("4")
@pytest.mark.parametrize("unsaid", ["used_social_insurance", "social_insurance", "other_payment"])
def test_what_others_paid_is_said_and_never_assumed(stranger: Stranger, unsaid: str) -> None:
    body = reported(stranger, HEADS[2], {n: v for n, v in EVERYTHING.items() if n != unsaid})
    received(stranger, body, "outpatient_invoices", "social_insurance_statement")
    claim = stranger.claim(body)
    assert (claim["payments"], claim["exposures"][0]["state"]) == ([], "open")
    where, handler = "exposures/1/correct", stranger.handler(body)
    stranger.act(handler, body, where, {"facts": {unsaid: EVERYTHING[unsaid]}})
    assert stranger.payments(body) == [("settlement", "3000.00", "approved")], "now it was said"


@pytest.mark.norm("1.3.1")
def test_what_the_terms_do_not_ask_is_not_told_by_a_correction(stranger: Stranger) -> None:
    body = reported(stranger, HEADS[0], TREATED)
    where = f"claims/{body['number']}/exposures/1/correct"
    wrong = stranger.handler(body).post(where, {"facts": {"delay_hours": 3}})
    assert (wrong.status, wrong.body["errors"][0]["field"]) == (422, "facts.delay_hours")
    assert stranger.handler(body).post(where, {"facts": TREATED}).status == 422, "nothing new"
