"""How often a stranger may report, ask for codes and leave files; and who is one caller."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.utils import timezone
from tests.portal.conftest import report, reported

from lipei.domain.events import Refusal
from lipei.norms.texts import text
from lipei.services import norms, portal, portal_limits
from lipei.store import models
from lipei.web.callers import address

pytestmark = pytest.mark.django_db


def limit(monkeypatch: pytest.MonkeyPatch, **figures: int) -> None:
    """The manager's figures for this test."""
    from dataclasses import replace

    book = norms.current()
    changed = replace(book, settings=replace(book.settings, **figures))
    monkeypatch.setattr("lipei.services.norms.current", lambda: changed)


def phone(n: int) -> str:
    return f"138{n:08d}"


# --- reports ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
def test_one_phone_reports_so_often_and_no_more(client: Client, people: Any, language: str) -> None:
    client.cookies["lipei_language"] = language
    rules = norms.current().settings
    for n in range(rules.portal_reports_per_phone):
        reported(client, story=f"第{n}件事")
    answer = report(client, story="又一件事")
    page = unescape(answer.content.decode())
    assert answer.status_code == 429 and "又一件事" in page
    assert text("refusal.too_many_reports", language, minutes=rules.portal_report_window_minutes) in page
    assert models.Claim.objects.count() == rules.portal_reports_per_phone
    reported(client, phone="13900139000")  # another phone is not held responsible


def test_an_address_is_told_when_too_much_comes_from_it_and_so_are_the_operators(
    client: Client, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(monkeypatch, portal_reports_per_caller=2)
    warned: list[Any] = []
    monkeypatch.setattr(portal_limits.log, "warning", lambda event, **said: warned.append((event, said)))
    for n in range(2):
        reported(Client(), phone=phone(n))
    answer = report(Client(), phone=phone(9))
    assert answer.status_code == 429
    assert text("refusal.too_many_reports_here", "zh-hans", minutes=60) in answer.content.decode()
    assert len(warned) == 1 and "127.0.0.1" not in str(warned) and phone(9) not in str(warned)
    elsewhere = Client(REMOTE_ADDR="203.0.113.9")
    reported(elsewhere, phone=phone(9))


def test_the_limits_are_of_a_while(client: Client, people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, portal_reports_per_phone=1)
    now = timezone.now()
    assert not isinstance(portal_limits.report(phone(1), "a", now=now), Refusal)
    assert isinstance(portal_limits.report(phone(1), "a", now=now), Refusal)
    later = now + timedelta(minutes=norms.current().settings.portal_report_window_minutes)
    assert not isinstance(portal_limits.report(phone(1), "a", now=later), Refusal)


def test_a_double_click_and_a_slip_count_nothing_against_the_phone(
    client: Client, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(monkeypatch, portal_reports_per_phone=1)
    for _ in range(3):
        assert report(client, policy_number="NOPE").status_code == 422
    one, two = (report(client, key="k" * 24) for _ in range(2))
    assert one.url == two.url
    assert report(client, story="另一件").status_code == 429


def test_guessing_policy_numbers_ends_at_the_address_limit(
    client: Client, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(monkeypatch, portal_reports_per_caller=3)
    answers = [report(client, policy_number=f"P-{n}", phone=phone(n)).status_code for n in range(5)]
    assert answers == [422, 422, 422, 429, 429]


def test_photos_of_reports_that_never_come_are_not_kept_without_end(
    client: Client, people: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    limit(monkeypatch, portal_reports_per_caller=2)
    for _ in range(4):
        photo = SimpleUploadedFile("a.jpg", b"x" * 1000, content_type="image/jpeg")
        answer = report(client, phone="12", photos=photo)
        assert answer.status_code == 422
    assert len(list((tmp_path / "uploads").glob("*.part"))) == 2
    assert text("portal.report.photos_later", "zh-hans") in answer.content.decode()


def test_a_script_is_told_in_its_own_form_what_a_page_would_say(
    client: Client, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(monkeypatch, portal_reports_per_phone=1)
    said = {"key": "k" * 24, "story": "车灯坏了", "phone": "13800138000", "hurt": "none"}
    asks = {"Accept": "application/json"}
    wrong = client.post("/", {**said, "phone": "12"}, headers=asks)
    assert wrong.status_code == 422
    assert wrong.json()["errors"] == {"phone": text("refusal.phone_impossible", "zh-hans")}
    taken = client.post("/", said, headers=asks)
    number = models.Claim.objects.get().number
    assert taken.json()["receipt"] == f"/claim/{number}/receipt" and number in taken.json()["said"]
    assert client.post(taken.json()["uploads"], {"size": 5}, content_type="application/json").status_code == 201
    assert client.post("/", said, headers=asks).json()["receipt"] == f"/claim/{number}/receipt", "pressed twice"
    other = client.post("/", {**said, "story": "别的事"}, headers=asks)
    assert other.status_code == 409 and other.json()["key"] != said["key"]
    limited = client.post("/", {**said, "key": "l" * 24, "story": "又一件"}, headers=asks)
    assert limited.status_code == 429
    assert limited.json()["error"] == text("refusal.too_many_reports", "zh-hans", minutes=60)


# --- codes -----------------------------------------------------------------------------------------------------------


def test_codes_of_a_day_have_an_end_however_patient_the_guesser(client: Client, people: Any) -> None:
    number = reported(client)
    rules = norms.current().settings
    sent, at = 0, timezone.now()
    for _ in range(60):
        at += timedelta(minutes=rules.sign_in_lock_minutes / 2)
        if not isinstance(portal.ask_code(number=number, phone="13800138000", caller=str(at), now=at), Refusal):
            sent += 1
    assert at < timezone.now() + timedelta(days=1) and sent == rules.portal_codes_per_day
    tomorrow = at + timedelta(days=1)
    assert isinstance(portal.ask_code(number=number, phone="13800138000", caller="a", now=tomorrow), int)


def test_a_code_of_a_receipt_misread_by_eye_is_understood(client: Client, people: Any) -> None:
    number = reported(client)
    read = portal.return_code(number, 1).translate(str.maketrans("OIB", "018")).replace("-", " ").lower()
    assert Client().post("/claim/", {"number": number, "return_code": read}).url == f"/claim/{number}/"


# --- who is one caller -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proxies", "said", "found"),
    [
        (0, "", "10.0.0.1"),
        (0, "203.0.113.7", "10.0.0.1"),  # no proxy of ours: whoever says so invents it
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "198.51.100.1, 203.0.113.7", "203.0.113.7"),  # the left one was written by the caller
        (2, "203.0.113.7, 10.0.0.9", "203.0.113.7"),
        (2, "203.0.113.7", "10.0.0.1"),
        (1, "nonsense", "10.0.0.1"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),  # a subscriber's whole network
        (1, "::ffff:203.0.113.7", "203.0.113.7"),
    ],
)
def test_the_caller_is_whom_our_own_proxies_saw(settings: Any, proxies: int, said: str, found: str) -> None:
    settings.LIPEI_PROXIES = proxies
    extra = {"HTTP_X_FORWARDED_FOR": said} if said else {}
    assert address(RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", **extra)) == found


# --- large forms -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
@pytest.mark.parametrize("path", ["/", "/claim/", "/accounts/login/", "/console/payments/answers/"])
def test_a_form_without_end_is_refused_before_it_is_read(client: Client, people: Any, language: str, path: str) -> None:
    client.cookies["lipei_language"] = language
    most = norms.current().settings.upload_form_max_bytes

    class Unread:
        def read(self, *args: Any) -> bytes:
            raise AssertionError("read")

        readline = read

    answer = client.generic(
        "POST", path, b"", content_type="multipart/form-data; boundary=x",
        **{"CONTENT_LENGTH": str(most + 1), "wsgi.input": Unread()},
    )  # fmt: skip
    assert answer.status_code == 413
    assert text("refusal.form_too_large", language, megabytes=f"{most / 1_000_000:g}") in answer.content.decode()
