"""The SMS provider's delivery reports, as it calls us: taken in once, and from nobody else (norm 2.4.1)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from tests.company import NOW
from tests.jobs.conftest import reported

from lipei.gateways.channels.sms.counterpart import Counterpart, serving
from lipei.services import deliveries
from lipei.services.deliveries import outlets
from lipei.store import models

pytestmark = [pytest.mark.django_db, pytest.mark.norm("2.4.1")]


@pytest.fixture
def provider(settings: Any, tmp_path: Any) -> Iterator[Counterpart]:
    """An account at the provider, named by the setting alone."""
    templates = tmp_path / "templates.json"
    templates.write_text(json.dumps({f"receipt:{one}": "1001" for one in ("zh-hans", "zh-hant", "en")}))
    account = Counterpart("AKID", "k3y", "1400", "Lipei", {"1001": 4}, clock=lambda: NOW)
    with serving(account) as address:
        place = address.removeprefix("http://").rstrip("/")
        settings.LIPEI_SMS_URL = (
            f"tencent+http://AKID:k3y@{place}/?app=1400&sign=Lipei&templates={templates}&callback=s3cret"
        )
        settings.LIPEI_ORIGIN = "http://testserver"
        yield account


@pytest.fixture
def sent(people: Any, provider: Counterpart) -> Any:
    """The receipt of a report, on its way through the provider."""
    case = reported(people)
    deliveries.work(now=NOW, limit=10)
    row = models.Delivery.objects.get(stream_id=case.id, message="receipt")
    assert row.state == "asking" and [m.template for m in provider.sent] == ["1001"]
    return row


def call(body: bytes, address: str = "") -> Any:
    place = address or outlets.callback_address().removeprefix("http://testserver")
    return Client(enforce_csrf_checks=True).post(place, body, content_type="application/json")


def test_a_report_ends_the_delivery_once(sent: Any, provider: Counterpart) -> None:
    for _ in range(2):  # the provider calls again where it did not hear the answer
        answer = call(provider.callback_body())
        assert (answer.status_code, answer.json()) == (200, {"result": 0, "errmsg": "OK"})
    sent.refresh_from_db()
    assert sent.state == "delivered" and sent.delivered_at == NOW
    assert models.Entry.objects.filter(stream_id=sent.stream_id, kind="notice.delivered").count() == 1


def test_what_did_not_arrive_goes_another_way_or_to_a_person(sent: Any, provider: Counterpart) -> None:
    provider.undelivered.add("+8613800138000")
    assert call(provider.callback_body()).status_code == 200
    sent.refresh_from_db()
    assert (sent.state, sent.reason) == ("failed", "not_delivered")  # this customer gave no mail address
    assert models.Entry.objects.filter(stream_id=sent.stream_id, kind="notice.failed").exists()


@pytest.mark.parametrize("query", ["", "?key=", "?key=s3cret", "?key=" + "0" * 64])
def test_whoever_has_not_the_key_changes_nothing(sent: Any, provider: Counterpart, query: str) -> None:
    answer = call(provider.callback_body(), f"/api/callbacks/sms{query}")
    assert answer.status_code == 403 and answer["Content-Type"] == "application/problem+json"
    sent.refresh_from_db()
    assert sent.state == "asking"


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'[{"sid": "x"}]', b"\xff"])
def test_what_is_not_in_the_providers_form_is_said_to_be_so(sent: Any, body: bytes) -> None:
    assert call(body).status_code == 400
    sent.refresh_from_db()
    assert sent.state == "asking"


def test_only_posting_is_possible(sent: Any) -> None:
    assert Client().get(outlets.callback_address()).status_code == 405


def test_without_a_provider_nobody_may_call(people: Any) -> None:
    assert outlets.callback_address() == ""
    assert Client().post("/api/callbacks/sms?key=x", b"[]", content_type="application/json").status_code == 403
