"""Letters and notices as the customer finds them again: what was sent, and only to who showed that it was for them."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.portal.conftest import done, reported, verified

from lipei.domain import commands as c
from lipei.norms.texts import text
from lipei.services import deliveries, portal
from lipei.services.portal import Visit
from lipei.store import models

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def the_test_is_no_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliveries refuse to speak to the world inside a transaction; the one that wraps a test does not count."""
    monkeypatch.setattr("lipei.services.unit_of_work.in_transaction", lambda: False)


def delivered(number: str) -> None:
    """Let everything that waits go out, into the folder that stands for mail and SMS here."""
    deliveries.work(now=timezone.now(), limit=100)
    assert models.Delivery.objects.filter(state__in=("sent", "asking", "delivered")).exists(), number


def test_the_very_letter_that_was_sent_is_given_out_again(client: Client, people: Any) -> None:
    number = reported(client, phone="13900139000", name="李雷", email="leilei@example.com")
    models.Delivery.objects.filter(message="receipt").update(channels=("email",))
    delivered(number)
    verified(client, number)
    address = f"/claim/{number}/letters/receipt/0.pdf"
    first = client.get(address).content
    client.cookies["lipei_language"] = "en"
    assert first.startswith(b"%PDF") and client.get(address).content == first, "not printed anew in another language"
    masked = Client()
    masked.post("/claim/", {"number": number, "return_code": portal.return_code(number, 1)})
    assert masked.get(address).content != first


def test_the_words_of_notices_are_for_verified_visits(client: Client, people: Any) -> None:
    """They carry the link that verifies, so who has not shown to be the customer must not read them."""
    number = reported(client, phone="13900139000")
    delivered(number)
    title = text("message.receipt.subject", "zh-hans", claim_number=number)
    plain = client.get(f"/claim/{number}/").content.decode()
    assert title in plain and text("portal.notices.open", "zh-hans") not in plain and "/c/" not in plain
    verified(client, number)
    full = client.get(f"/claim/{number}/").content.decode()
    assert text("portal.notices.open", "zh-hans") in full and "/c/" in full


def test_a_refusal_is_said_with_its_letter(client: Client, people: Any) -> None:
    number = reported(client, kind="motor:single_vehicle", item_1="后保险杠", item_1_amount="2650")
    case = portal.claim_seen(Visit(number, 1))
    handler = people.handler_of(case)
    proposal = c.Propose(code="excluded", clause="D8", reason="事故发生在比赛中。")
    done(number, "exposure", "propose_refusal", 1, proposal, handler)
    done(number, "exposure", "refuse", 1, None, people.manager1)
    page = client.get(f"/claim/{number}/").content.decode()
    assert text("portal.refused.lead", "zh-hans") in page and "letters/refusal" not in page
    assert text("portal.step.papers", "zh-hans") not in page, "papers that never came are not said to be complete"
    verified(client, number)
    address = f"/claim/{number}/letters/refusal/1.pdf"
    assert address in client.get(f"/claim/{number}/").content.decode()
    assert client.get(address).content.startswith(b"%PDF")
