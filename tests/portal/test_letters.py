"""Letters and notices as the customer finds them again: what was sent, and only to who showed that it was for them."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from tests.portal.conftest import done, reported, verified

from lipei.domain import commands as c
from lipei.domain.money import Money
from lipei.norms.money import money_text
from lipei.norms.texts import LANGUAGES, text
from lipei.services import deliveries, norms, portal
from lipei.services.deliveries import letters
from lipei.services.deliveries.words import VALUES, Telling
from lipei.services.portal import Visit
from lipei.store import models

pytestmark = [pytest.mark.once, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def the_test_is_no_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Deliveries refuse to speak to the world inside a transaction; the one that wraps a test does not count."""
    monkeypatch.setattr("lipei.services.unit_of_work.in_transaction", lambda: False)


def delivered(number: str) -> None:
    """Let everything that waits go out, at night too, into the folder that stands for mail and SMS here."""
    models.Delivery.objects.filter(state="queued").update(due_at=timezone.now(), urgent=True)
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_notice_whose_words_are_hidden_says_what_it_is_about(client: Client, people: Any, language: str) -> None:
    number = reported(client, phone="13900139000")
    models.Delivery.objects.filter(party=1).update(message="offer_agreed")
    client.cookies["lipei_language"] = language
    plain = client.get(f"/claim/{number}/").content.decode()
    assert text("message_name.offer_agreed", language) in plain and "***" not in plain


@pytest.mark.norm("2.3.2")
def test_what_is_kept_for_a_hospital_is_never_called_paid_nor_asked_back(client: Client, people: Any) -> None:
    """Page, message, overview and letter say the same of a guarantee that the hospital has not called yet."""
    number = reported(client, kind="motor:third_party_injury", hurt="slight")
    handler = people.handler_of(portal.claim_seen(Visit(number, 1)))
    head = c.AddExposure(cover="compulsory_medical", peril="third_party_injury", claimant=1)
    done(number, "exposure", "add", 0, head, handler)
    hospital = done(number, "party", "add", 0, c.PartyReported(("hospital",), "市第一医院"), handler)
    part = max(hospital.parties)
    done(number, "exposure", "set_reserve", 1, c.SetReserve(Money(400000, "CNY"), "伤者"), handler)
    done(number, "exposure", "guarantee", 1, c.OnAccount(Money(300000, "CNY"), part, "抢救"), handler)
    bill = c.Assess((c.ItemAssessed("治疗", assessed=Money(265000, "CNY")),), {"fault_percent": "100%"})
    done(number, "exposure", "assess", 1, bill, handler)
    done(number, "exposure", "check_assessment", 1, None, people.assessor1)
    done(number, "exposure", "submit_decision", 1, None, handler)
    case = done(number, "exposure", "approve_decision", 1, None, people.approver1)
    done(number, "offer", "send", 1, None, handler)
    worth = case.offers[1].amount_minor
    assert 0 < worth < 300000
    verified(client, number)
    client.cookies["lipei_language"] = "en"
    said = text("portal.offer.kept", "en", amount=money_text(Money(worth, "CNY"), "en"))
    page = client.get(f"/claim/{number}/offers/1/").content.decode()
    assert text("portal.offer.kept_line", "en") in page and text("portal.offer.before", "en") not in page
    assert "is to be returned" not in page and "We pay you" not in page
    assert f"up to {money_text(Money(worth, 'CNY'), 'en')}" in page
    assert said in client.get(f"/claim/{number}/").content.decode()
    delivered(number)
    deliveries.work(now=timezone.now() + timedelta(hours=12), limit=100)  # at night it waits for the morning
    sms = models.Delivery.objects.filter(message="offer_sent").get()
    assert "留给医院" in sms.body
    telling = Telling(portal.claim_seen(Visit(number, 1)), norms.current(), "en", event="offer.sent", part=1, party=1)
    letter = letters.DATA["settlement"](telling, letters._common("settlement", telling, timezone.now()))
    assert (letter.already_paid_minor, letter.kept_minor, letter.due_minor, letter.recover_minor) == (0, worth, 0, 0)


@pytest.mark.norm("2.2.4")
def test_what_was_paid_too_much_stands_on_the_page_that_the_message_names(client: Client, people: Any) -> None:
    number = reported(client, kind="motor:single_vehicle", item_1="后保险杠", item_1_amount="2650")
    handler = people.handler_of(portal.claim_seen(Visit(number, 1)))
    done(number, "exposure", "set_reserve", 1, c.SetReserve(Money(400000, "CNY"), "估损"), handler)
    case = done(number, "exposure", "advance", 1, c.OnAccount(Money(100000, "CNY"), 1, "先付"), handler)
    if case.payments[1].state == "ordered":
        done(number, "payment", "approve_payment", 1, None, people.finance1)
    done(number, "payment", "submit", 1, None, people.bank)
    done(number, "payment", "confirm", 1, c.Settled(), people.bank)
    done(number, "exposure", "propose_refusal", 1, c.Propose("excluded", "D8", "事故发生在比赛中。"), handler)
    office = Client()
    user = get_user_model().objects.create_user(username="m1")
    people.rows["manager1"].user = user
    people.rows["manager1"].save()
    office.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    asked = text("claim_page.asked_back", "zh-hans", amount=money_text(Money(100000, "CNY"), "zh-hans"))
    assert asked in office.get(f"/console/claims/{number}/exposures/1/refuse/").content.decode()
    done(number, "exposure", "refuse", 1, None, people.manager1)
    title = text("portal.owed_back.title", "zh-hans")
    assert title not in client.get(f"/claim/{number}/").content.decode(), "not before it is known who asks"
    verified(client, number)
    page = client.get(f"/claim/{number}/").content.decode()
    assert title in page and money_text(Money(100000, "CNY"), "zh-hans") in page
    assert text("reason.not_owed", "zh-hans") in page and text("portal.owed_back.state.open", "zh-hans") in page


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


@pytest.mark.norm("4")
def test_a_refusal_in_part_is_said_with_its_letter_and_stands_beside_the_sum(client: Client, people: Any) -> None:
    number = reported(client, kind="motor:single_vehicle", item_1="后保险杠", item_1_amount="2650")
    handler = people.handler_of(portal.claim_seen(Visit(number, 1)))
    why = "减震器是自然磨损，与这次事故无关。"
    rows = (("后保险杠", 265000, ""), ("右前减震器", 80000, "wear"))
    items = tuple(c.ItemAssessed(w, claimed=Money(m, "CNY"), assessed=Money(m, "CNY"), excluded=e) for w, m, e in rows)
    done(number, "exposure", "set_reserve", 1, c.SetReserve(Money(400000, "CNY"), "估损"), handler)
    done(number, "exposure", "assess", 1, c.Assess(items), handler)
    done(number, "exposure", "check_assessment", 1, None, people.assessor1)
    done(number, "exposure", "submit_decision", 1, c.SubmitDecision(refusal_reason=why, without_papers="略"), handler)
    lead = text("portal.refused.lead_part", "zh-hans")
    assert lead not in client.get(f"/claim/{number}/").content.decode(), "nothing is decided yet"
    done(number, "exposure", "approve_decision", 1, c.ApproveDecision("略"), people.approver1)
    page = client.get(f"/claim/{number}/").content.decode()
    assert lead in page and "letters/refusal" not in page, "not before it is known who asks"
    assert text("portal.refused.lead", "zh-hans") not in page
    done(number, "offer", "send", 1, None, handler)
    verified(client, number)
    address = f"/claim/{number}/letters/refusal/1.pdf"
    for where in (f"/claim/{number}/", f"/claim/{number}/offers/1/"):
        page = client.get(where).content.decode()
        assert lead in page and address in page, where
    made = client.get(address).content
    assert made.startswith(b"%PDF")
    models.Delivery.objects.filter(message="refusal_in_part").update(channels=("email",))
    models.Party.objects.filter(part=1).update(email="li@example.com")
    delivered(number)
    row = models.Delivery.objects.get(message="refusal_in_part")
    assert row.letter == "refusal" and row.letter_digest
    client.cookies["lipei_language"] = "en"
    kept = client.get(address).content
    assert kept == client.get(address).content and hashlib.sha256(kept).hexdigest() == row.letter_digest
    done(number, "offer", "decline", 1, c.Reasoned("不同意"), handler)
    done(number, "exposure", "return_for_rework", 1, c.Reasoned("重新核定"), people.approver1)
    page = client.get(f"/claim/{number}/").content.decode()
    assert text("portal.refused.lead_part", "en") not in page and address not in page


@pytest.mark.norm("2.2.2")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_counts_the_papers_that_the_portal_asks_for(client: Client, people: Any, language: str) -> None:
    number = reported(client, kind="motor:single_vehicle", item_1="后保险杠", item_1_amount="90000")
    handler = people.handler_of(portal.claim_seen(Visit(number, 1)))
    case = done(number, "claim", "request_papers", 0, c.RequestPapers(), handler)
    assert {p.required for p in case.papers.values()} == {True, False}, "some apply only in some cases"
    telling = Telling(case, norms.current(), language, event="claim.papers_requested", part=0, facts={}, party=1)
    verified(client, number)
    client.cookies["lipei_language"] = language
    page = client.get(f"/claim/{number}/").content.decode()
    assert text("portal.todo.papers", language, n=VALUES["paper_count"](telling)) in page
