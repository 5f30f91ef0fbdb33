"""Bad moments of a customer: the session ends, *back* after sending, two tabs, words from right to left, long and short names."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from tests.company import card
from tests.portal.conftest import STORY, code_sent, offered, report, reported, verified

from lipei.norms.texts import LANGUAGES, text
from lipei.services import norms, portal
from lipei.services.portal import Visit
from lipei.store import models
from lipei.web.portal import drafts

pytestmark = pytest.mark.django_db
ARABIC = "اصطدمت السيارة بالعمود"
WORDS = "车停在4S店，请先打电话。"


def ended(client: Client) -> None:
    """The visit has run out while a page stood open."""
    session = client.session
    session["portal"] = {}
    session.save()


# --- the session ends ------------------------------------------------------------------------------------------------


@pytest.mark.bad_moment("session ends")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_typed_into_a_visit_that_ran_out_waits_for_its_writer(
    client: Client, people: Any, language: str
) -> None:
    client.cookies["lipei_language"] = language
    number = reported(client)
    ended(client)
    answer = client.post(f"/claim/{number}/message", {"text": WORDS})
    assert answer.url == f"/claim/?number={number}" and not models.Note.objects.exists()
    assert text("portal.enter.waits", language) in unescape(client.get(answer.url).content.decode())
    back = client.post("/claim/", {"number": number, "return_code": portal.return_code(number, 1)})
    assert back.url == f"/claim/{number}/#write"
    assert f">{WORDS}</textarea>" in client.get(f"/claim/{number}/").content.decode()
    assert WORDS not in client.get(f"/claim/{number}/").content.decode(), "shown once, kept no longer"


def test_reasons_and_accounts_wait_too_and_lead_back_to_their_form(client: Client, people: Any) -> None:
    number = offered(client, people)
    typed = {
        f"/claim/{number}/withdraw": {"reason": "自己修好了"},
        f"/claim/{number}/offers/1/": {"do": "decline", "reason": "维修价格更高"},
        f"/claim/{number}/account": {
            "account_name": "王小明",
            "account_number": card(7),
            "account_bank": "102290000000",
        },
    }
    for address, said in typed.items():
        ended(client)
        assert client.post(address, said).url.startswith("/claim/?number=")
        client.post("/claim/", {"number": number, "phone": "13800138000"})
        answer = client.post("/claim/code", {"code": code_sent(number, "portal_code")})
        models.PortalTry.objects.all().delete()
        assert answer.url == address
        page = client.get(address).content.decode()
        assert all(words in page for name, words in said.items() if name != "do"), address
    assert models.Claim.objects.get(number=number).state != "withdrawn"


def test_what_waits_is_sealed_ends_and_is_nobody_elses(
    client: Client, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    number, other = reported(client), reported(client, phone="13900139000", story="另一件")
    ended(client)
    client.post(f"/claim/{number}/message", {"text": WORDS})
    kept = Session.objects.get(pk=client.session.session_key).get_decoded()
    assert drafts._KEY in kept and WORDS not in str(kept) and WORDS.encode("unicode_escape").decode() not in str(kept)
    verified(client, other)
    assert WORDS not in client.get(f"/claim/{other}/").content.decode(), "not on another claim"
    stranger = verified(Client(), number)
    assert WORDS not in stranger.get(f"/claim/{number}/").content.decode(), "not in another browser"
    later = timezone.now() + drafts.KEPT_FOR + timedelta(seconds=1)
    verified(client, number)
    with monkeypatch.context() as patched:
        patched.setattr("lipei.web.portal.tracking.timezone.now", lambda: later)
        assert WORDS not in client.get(f"/claim/{number}/").content.decode(), "not for ever"


def test_leaving_forgets_what_waited(client: Client, people: Any) -> None:
    number = reported(client)
    ended(client)
    client.post(f"/claim/{number}/message", {"text": WORDS})
    client.post("/claim/leave")
    verified(client, number)
    assert WORDS not in client.get(f"/claim/{number}/").content.decode()


# --- back, and again -------------------------------------------------------------------------------------------------


@pytest.mark.bad_moment("back after submit")
@pytest.mark.bad_moment("two tabs")
def test_the_same_words_sent_again_after_going_back_or_from_a_second_tab_are_one_claim(
    client: Client, people: Any
) -> None:
    first = reported(client)
    page = client.get("/report/").content.decode()
    assert text("portal.report.before", "zh-hans") in page and f"/claim/{first}/" in page
    assert reported(client) == first and models.Claim.objects.count() == 1
    assert reported(client, story=STORY + "还有车灯。") != first, "other words are another matter"
    assert reported(Client()) != first, "and so is another browser"


def test_the_same_words_much_later_are_a_new_report(
    client: Client, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = reported(client)
    minutes = norms.current().settings.portal_report_window_minutes
    later = timezone.now() + timedelta(minutes=minutes, seconds=1)
    monkeypatch.setattr("lipei.web.portal.report.timezone.now", lambda: later)
    assert reported(client) != first


# --- what people type ------------------------------------------------------------------------------------------------


@pytest.mark.bad_moment("short and long names")
@pytest.mark.parametrize("name", ["王", "A" * 40, "欧阳" * 20])
def test_names_of_one_character_and_of_forty(client: Client, people: Any, name: str) -> None:
    number = reported(client, name=name, phone="13900139000")
    case = portal.claim_seen(Visit(number, 1))
    assert case is not None and case.parties[1].name == name
    assert client.get(f"/claim/{number}/receipt").status_code == 200


@pytest.mark.bad_moment("long story")
@pytest.mark.bad_moment("right to left")
def test_a_story_of_four_thousand_characters_and_words_from_right_to_left(client: Client, people: Any) -> None:
    story = (ARABIC + "\u202e 倒车 ") * 200
    story = story[:3999] + "。"
    number = reported(client, story=story)
    case = portal.claim_seen(Visit(number, 1))
    assert case is not None and len(case.claim.story) == 4000
    assert 'id="story" name="story" rows="5" dir="auto"' in client.get("/report/").content.decode()
    client.post(f"/claim/{number}/message", {"text": ARABIC})
    page = client.get(f"/claim/{number}/").content.decode()
    assert f'dir="auto">{ARABIC}' in page, "each text keeps its direction to itself"


@pytest.mark.bad_moment("forty photos")
def test_forty_photos_of_twelve_megabytes_are_within_what_a_claim_holds() -> None:
    rules = norms.current().settings
    assert rules.upload_max_bytes >= 12_000_000
    assert rules.upload_files_max >= 40 and rules.upload_claim_max_bytes >= 40 * 12_000_000


@pytest.mark.bad_moment("double click")
def test_a_double_tap_is_one_report(client: Client, people: Any) -> None:
    answers = [report(client, key="d" * 24) for _ in range(2)]
    assert answers[0].url == answers[1].url and models.Claim.objects.count() == 1
