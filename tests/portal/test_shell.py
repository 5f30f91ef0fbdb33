"""What surrounds the customers' pages: help, size of type, and what a phone keeps for a dead spot."""

from __future__ import annotations

import json
import re
from html import escape, unescape
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from tests.portal.conftest import offered, reported, verified

from lipei.norms.texts import LANGUAGES, text
from lipei.services import norms
from lipei.web.portal.shell import ICON_PIXELS, safe_lists

pytestmark = [pytest.mark.once, pytest.mark.django_db]
PHONE = "+86 400-820-1234"


def settled(monkeypatch: pytest.MonkeyPatch, **figures: Any) -> None:
    """The manager's settings for this test, for services and for what every page knows."""
    from dataclasses import replace

    book = norms.current()
    changed = replace(book, settings=replace(book.settings, **figures))
    monkeypatch.setattr("lipei.services.norms.current", lambda: changed)
    monkeypatch.setattr("lipei.reads.rulebook.current", lambda: changed)


def addresses(client: Client, people: Any) -> list[str]:
    number = offered(client, people)
    verified(client, number)
    return [
        "/report/",
        "/claim/",
        "/help/",
        *(f"/claim/{number}/{page}" for page in ("", "receipt", "withdraw", "offers/1/")),
    ]


# --- help at hand ----------------------------------------------------------------------------------------------------


def test_every_page_offers_a_call_and_what_to_do_now(
    client: Client, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(monkeypatch, company_phone=PHONE)
    for address in addresses(client, people):
        page = client.get(address).content.decode()
        assert 'href="tel:+864008201234"' in page and 'href="/help/"' in page, address


@pytest.mark.parametrize("language", LANGUAGES)
def test_help_is_a_short_list_for_every_line_that_is_sold(client: Client, people: Any, language: str) -> None:
    client.cookies["lipei_language"] = language
    page = unescape(client.get("/help/").content.decode())
    lines = {line.code for line in norms.current().lines.lines.values() if line.products}
    assert {line for line, _ in safe_lists()} == lines
    for line, steps in safe_lists():
        assert text(f"portal.help.{line}", language) in page and 3 <= len(steps) <= 5
        assert all(text(step, language) in page for step in steps)


def test_the_numbers_to_call_are_the_managers(client: Client, people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settled(monkeypatch, phone_ambulance="119", phone_police="110", phone_fire="")
    page = client.get("/help/").content.decode()
    assert 'href="tel:119"' in page and 'href="tel:110"' in page and 'href="tel:120"' not in page
    assert f"<span>{text('portal.urgent.fire', 'zh-hans')}</span>" not in page


# --- size of type ----------------------------------------------------------------------------------------------------


def test_the_size_of_type_is_chosen_without_javascript_and_remembered(client: Client, people: Any) -> None:
    assert 'data-lp-text="normal"' in client.get("/report/").content.decode()
    answer = client.post("/text-size/", {"size": "huge", "next": "/claim/"})
    assert answer.status_code == 302 and answer.url == "/claim/"
    for address in ("/report/", "/claim/", "/help/"):
        assert 'data-lp-text="huge"' in client.get(address).content.decode()
    client.post("/text-size/", {"size": 'enormous"><script>', "next": "https://evil.example/"})
    page = client.get("/report/").content.decode()
    assert 'data-lp-text="huge"' in page and "<script>alert" not in page
    assert client.post("/text-size/", {"size": "large", "next": "https://evil.example/"}).url == "/"


# --- kept by the phone -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_manifest_makes_the_portal_installable(client: Client, people: Any, language: str) -> None:
    client.cookies["lipei_language"] = language
    answer = client.get("/manifest.webmanifest")
    said = json.loads(answer.content)
    assert answer["Content-Type"] == "application/manifest+json" and said["display"] == "standalone"
    assert said["name"] == norms.current().settings[f"company_name_{language.replace('-', '_')}"]
    assert said["lang"] == language and client.get(said["start_url"]).status_code == 200
    sizes = {icon["sizes"] for icon in said["icons"]}
    assert sizes == {f"{n}x{n}" for n in ICON_PIXELS} and {i["purpose"] for i in said["icons"]} == {"any", "maskable"}
    assert all(client.get(shortcut["url"]).status_code == 200 for shortcut in said["shortcuts"])
    assert 'rel="manifest" href="/manifest.webmanifest"' in client.get("/report/").content.decode()


@pytest.mark.parametrize("pixels", ICON_PIXELS)
def test_the_icons_are_drawn_from_the_mark(pixels: int) -> None:
    import io
    import runpy

    from PIL import Image, ImageChops

    kept = Image.open(str(finders.find(f"portal/icon-{pixels}.png"))).convert("RGB")
    tool = runpy.run_path(str(Path(__file__).resolve().parents[2] / "tools/portal_icons.py"))
    drawn = Image.open(io.BytesIO(tool["drawn"](pixels))).convert("RGB")
    assert kept.size == (pixels, pixels)
    assert max(high for _, high in ImageChops.difference(kept, drawn).getextrema()) <= 8
    assert len(kept.getcolors(pixels * pixels) or ()) > 2, "a mark, not a plain square"


def test_the_worker_stands_at_the_root_and_keeps_nothing_personal(client: Client, people: Any) -> None:
    number = reported(client)
    answer = client.get("/worker.js")
    assert answer["Content-Type"].startswith("text/javascript") and "no-cache" in answer["Cache-Control"]
    script = answer.content.decode()
    kept = json.loads(re.search(r"KEPT = (\{.*?\});", script)[1])  # type: ignore[index]
    assert number not in script and "claim" not in json.dumps(kept)
    assert {f"/offline/{language}/" for language in LANGUAGES} <= set(kept["shell"])
    assert all(address.startswith(("/static/", "/offline/")) for address in kept["shell"])
    assert script == Client(headers={"Accept-Language": "en"}).get("/worker.js").content.decode(), (
        "the same for everybody"
    )


def test_a_change_of_what_is_kept_makes_a_new_version(
    client: Client, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = client.get("/worker.js").content.decode().partition("KEPT")[0]
    settled(monkeypatch, company_phone=PHONE)
    assert client.get("/worker.js").content.decode().partition("KEPT")[0] != before


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_for_a_dead_spot_is_the_same_for_everybody(client: Client, people: Any, language: str) -> None:
    number = reported(client)
    client.cookies["lipei_language"] = "en"
    mine, theirs = client.get(f"/offline/{language}/"), Client().get(f"/offline/{language}/")
    page = mine.content.decode()
    assert mine.content == theirs.content and not mine.cookies and not theirs.cookies
    assert text("portal.offline.title", language) in unescape(page) and f'lang="{language}"' in page
    assert number not in page and "csrfmiddlewaretoken" not in page


def test_a_language_that_there_is_not_has_no_page(client: Client, people: Any) -> None:
    assert client.get("/offline/LANGUAGE/").status_code == 404


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_got_lost_is_shown_the_ways_in_and_no_word_meant_for_staff(people: Any, language: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.cookies["lipei_language"] = language
    gone = client.get("/nowhere/").content.decode()
    assert escape(text("error.404.sorry", language)) in gone and escape(text("error.404.words", language)) not in gone
    assert 'href="/report/"' in gone and 'href="/claim/"' in gone
    stale = client.post("/report/", {"story": "…"})
    said = stale.content.decode()
    assert stale.status_code == 403 and escape(text("error.kept.title.form", language)) in said
    assert escape(text("error.403.title", language)) not in said and 'href="/console/"' not in said
