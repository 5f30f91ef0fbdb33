"""Taking a report with the customer on the phone."""

from __future__ import annotations

import pytest
from tests.company import NOW

from lipei.services import prenotices
from lipei.store import models


def test_phone_and_story_suffice(browser, office):
    client = browser("intake1")
    assert client.get("/console/report/").status_code == 200
    said = {
        "phone": "13900001111",
        "story": "家里水管爆了",
        "idempotency_key": "k1",
        "injured": "0",
        "deaths": "0",
        "serious_injuries": "0",
    }
    answer = client.post("/console/report/", said, follow=True)
    claim = models.Claim.objects.get()
    assert answer.status_code == 200
    body = answer.content.decode()
    assert claim.number in body and claim.channel == "console"
    assert "Dates promised to the customer" in body


def test_a_double_click_is_one_report(browser, office):
    client = browser("intake1")
    said = {"phone": "13900001111", "story": "家里水管爆了", "idempotency_key": "k2"}
    one, two = client.post("/console/report/", said), client.post("/console/report/", said)
    assert one.url == two.url and models.Claim.objects.count() == 1


@pytest.mark.norm("1.3.3")
def test_what_is_on_file_is_shown_and_prenotices_too(browser, office):
    told = prenotices.tell(
        prenotices.Tell(text="客户下周出国，请打手机。", policy_number="PC-1"), actor=office.lead1, now=NOW
    )
    assert isinstance(told, int)
    client = browser("intake1")
    body = client.post(
        "/console/report/", {"plate": "沪A12345", "story": "追尾", "look_up": "1", "idempotency_key": "k"}
    ).content.decode()
    assert "PC-1" in body and "王*明" in body and "王小明" not in body
    assert "客户下周出国，请打手机。" in body and "追尾" in body
    assert models.Claim.objects.count() == 0
    client.post(
        "/console/report/", {"plate": "沪A12345", "phone": "13800138000", "story": "追尾", "idempotency_key": "k"}
    )
    claim = models.Claim.objects.get()
    assert claim.policy_number == "PC-1"
    assert models.PreNotice.objects.get().used_by == claim.number
    page = browser("manager1").get(f"/console/claims/{claim.number}/").content.decode()
    assert "客户下周出国，请打手机。" in page


def test_nothing_typed_is_lost(browser, office):
    said = {
        "phone": "13900001111",
        "story": "",
        "place": "徐汇区漕溪路",
        "loss_at": "2026-13-45T10:00",
        "idempotency_key": "k",
    }
    answer = browser("intake1", "zh-hans").post("/console/report/", said)
    body = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="徐汇区漕溪路"' in body and 'value="2026-13-45T10:00"' in body
    assert 'id="f-loss_at-error"' in body


def test_local_times_are_the_companys(browser, office):
    said = {"phone": "13900001111", "story": "追尾", "loss_at": "2026-11-23T08:30", "idempotency_key": "k"}
    browser("intake1").post("/console/report/", said)
    assert models.Claim.objects.get().loss_at.isoformat() == "2026-11-23T00:30:00+00:00"


def test_the_same_loss_twice_is_offered_for_linking(browser, office):
    client = browser("intake1")
    said = {"phone": "13800138000", "story": "追尾", "loss_at": "2026-11-23T08:30", "policy_number": "PC-1"}
    first = client.post("/console/report/", {**said, "idempotency_key": "a"}, follow=True)
    number = models.Claim.objects.get().number
    assert "These may be about the same loss" not in first.content.decode()
    second = client.post("/console/report/", {**said, "idempotency_key": "b"}, follow=True)
    assert "These may be about the same loss" in second.content.decode() and number in second.content.decode()
