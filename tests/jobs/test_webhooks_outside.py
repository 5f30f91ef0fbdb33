"""Webhooks lead to the world outside, never into the company's own network by whatever name."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.company import NOW
from tests.jobs.conftest import reported
from tests.jobs.test_webhooks import hook

from lipei.config import environment
from lipei.gateways import outside
from lipei.services import webhook_calls
from lipei.store import models

__all__ = ["hook"]  # a fixture
INSIDE = ("127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.9", "::1", "fd00::1", "::ffff:10.0.0.1", "100.64.0.1")


@pytest.mark.parametrize("points_to", [*INSIDE, ("93.184.216.34", "10.0.0.1")])
def test_a_name_that_points_into_our_own_network_is_not_called(monkeypatch, points_to):
    addresses = (points_to,) if isinstance(points_to, str) else points_to
    monkeypatch.setattr(
        outside.socket, "getaddrinfo", lambda host, port, type: [(0, 0, 0, "", (a, port)) for a in addresses]
    )
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda self, request: pytest.fail("called"))
    with httpx.Client(transport=outside.Outside(())) as client, pytest.raises(outside.AddressInside):
        client.post("https://hooks.example.com/in", content=b"{}")


def test_the_call_goes_to_the_address_that_was_looked_at_under_the_name_that_was_given(monkeypatch):
    monkeypatch.setattr(
        outside.socket, "getaddrinfo", lambda host, port, type: [(0, 0, 0, "", ("93.184.216.34", port))]
    )
    called: list[httpx.Request] = []

    def answer(self: Any, request: httpx.Request) -> httpx.Response:
        called.append(request)
        return httpx.Response(200)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", answer)
    with httpx.Client(transport=outside.Outside(("Receiver.corp",))) as client:
        client.post("https://hooks.example.com/in", content=b"{}")
        client.post("http://receiver.corp:8080/in", content=b"{}")
    assert called[0].url.host == "93.184.216.34" and called[0].headers["host"] == "hooks.example.com"
    assert called[0].extensions["sni_hostname"] == "hooks.example.com"
    assert called[1].url.host == "receiver.corp", "a host that the operator named is called wherever it is"


@pytest.mark.django_db
def test_a_webhook_into_our_own_network_fails_and_says_why(people, hook, monkeypatch, settings):
    settings.LIPEI_WEBHOOK_INSIDE = []
    monkeypatch.setattr(webhook_calls, "getproxies", dict)
    models.Webhook.objects.update(url="http://169.254.169.254/latest/meta-data")
    reported(people)
    webhook_calls.work(now=NOW, limit=10)
    assert models.WebhookDelivery.objects.get().answer == "AddressInside"


def test_this_machine_may_be_called_only_while_the_product_is_used_on_it_alone():
    assert "127.0.0.1" in environment.webhooks_inside([], "http://127.0.0.1:8000")
    assert environment.webhooks_inside(["hooks.corp"], "https://claims.example.com") == ["hooks.corp"]
