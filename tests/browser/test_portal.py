"""The portal on a phone, in a real browser: 360 px, light and dark, three languages, with JavaScript and without."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect
from tests.browser.looking import ill_laid, violations
from tests.company import card
from tests.portal.conftest import code_sent, done, offered, own_folder, people, reported
from tests.portal.test_uploads import photo

from lipei.domain import commands as c
from lipei.norms.texts import LANGUAGES, text
from lipei.services import portal
from lipei.services.portal import Visit
from lipei.store import journal, models

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
__all__ = ["own_folder", "people"]  # fixtures
PHONE = {"width": 360, "height": 740}
SHOTS = os.environ.get("LIPEI_TEST_SHOTS", "")
"""A folder to put pictures of the pages into, for somebody to look at."""


@pytest.fixture
def browser(chromium: Browser) -> Browser:
    return chromium


@pytest.fixture
def site(live_server: Any, people: SimpleNamespace, settings: Any) -> Iterator[SimpleNamespace]:
    """The site with a company in it. Afterwards the guards make way, for the test database is emptied."""
    settings.LIPEI_ORIGIN = live_server.url
    models.Policy.objects.update(account_number="", account_name="")  # so that there is something to ask for
    yield SimpleNamespace(url=live_server.url, people=people)
    with connection.cursor() as cursor:
        for statement in journal.guards(connection.vendor):
            if statement.startswith("DROP TRIGGER"):
                cursor.execute(statement)


def phone(
    browser: Browser, site: Any, language: str = "zh-hans", scheme: str = "light", javascript: bool = True, **more: Any
) -> Page:
    more = {"service_workers": "block", **more}
    context = browser.new_context(viewport=PHONE, color_scheme=scheme, java_script_enabled=javascript, **more)  # type: ignore[arg-type]
    context.add_cookies([{"name": "lipei_language", "value": language, "url": site.url}])
    page = context.new_page()
    page.set_default_timeout(10_000)
    return page


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


def fits(page: Page) -> bool:
    """Whether nothing is wider than the phone."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def opened(page: Page, site: Any, number: str, party: int = 1) -> None:
    """Open the claim by the link that its message carries."""
    page.goto(portal.claim_address(number, party, now=timezone.now()))


def claim_with_everything(site: Any) -> str:
    """An offer, papers asked for and one refused, a message: a page with every section on it."""
    client = Client()
    number = offered(client, site.people, phone="13800138000")
    case = portal.claim_seen(Visit(number, 1))
    handler = site.people.handler_of(case)
    done(number, "claim", "give_opinion", 0, c.GiveOpinion("事故属于保障范围，材料齐后三日内赔付。"), handler)
    asked = c.RequestPapers(("police_report", "bank_account"), "补充")
    case = done(number, "claim", "request_papers", 0, asked, handler)
    part = next(n for n, p in case.papers.items() if p.code == "police_report")
    done(number, "paper", "receive", part, c.Receive(), site.people.intake1)
    done(number, "paper", "refuse", part, c.RefusePaper("unreadable", "右下角看不清"), handler)
    client.post(f"/claim/{number}/message", {"text": "车停在4S店，请先打电话。"})
    return number


def test_report_track_and_agree_without_javascript(browser: Browser, site: Any) -> None:
    page = phone(browser, site, javascript=False)
    page.goto(site.url)
    page.fill("#story", "倒车时撞到柱子，后保险杠破损。")
    page.fill("#phone", "12")
    page.click("main form button")
    assert page.input_value("#story") and page.is_visible("#phone-error")
    page.fill("#phone", "13800138000")
    page.click("main form button")
    number = page.inner_text(".lp-big >> nth=0")
    assert page.url.endswith(f"/claim/{number}/receipt")
    page.click("text=" + text("portal.receipt.track", "zh-hans"))
    page.fill("#text", "请下午来电")
    page.click("text=" + text("portal.write.send", "zh-hans"))
    assert page.is_visible("text=" + text("portal.write.sent", "zh-hans"))
    assert page.is_visible("text=请下午来电")
    page.context.close()


def test_an_offer_is_agreed_on_the_phone_after_proving_who_it_is(browser: Browser, site: Any) -> None:
    number = offered(Client(), site.people, phone="13800138000")
    page = phone(browser, site)
    page.goto(f"{site.url}/claim/")
    page.fill("#number", number)
    page.fill("#phone", "13800138000")
    page.click("text=" + text("portal.enter.send", "zh-hans"))
    page.fill("#code", code_sent(number, "portal_code"))
    page.click("main form button")
    page.click("text=" + text("portal.todo.account", "zh-hans"))
    page.fill("#account_number", card(9))
    page.fill("#account_bank", "102290000000")
    page.click("main form button")
    page.click("text=" + text("portal.todo.offer", "zh-hans"))
    page.click("text=" + text("portal.offer.get_code", "zh-hans"))
    page.fill("#code", code_sent(number, "one_time_code"))
    page.click("#agree form:has(#code) button")
    assert page.is_visible("text=" + text("portal.offer.agreed", "zh-hans"))
    after = portal.claim_seen(Visit(number, 1))
    assert after is not None and after.offers[1].state == "agreed"
    page.context.close()


def asked_for_papers(site: Any) -> tuple[str, list[int]]:
    """A claim and the papers that its customer has to send."""
    number = reported(Client(), kind="motor:single_vehicle")
    case = portal.claim_seen(Visit(number, 1))
    case = done(number, "claim", "request_papers", 0, c.RequestPapers(), site.people.handler_of(case))
    return number, [n for n in portal.papers_for(case, 1) if case.papers[n].required]


def test_a_photo_goes_up_in_pieces_over_a_line_that_breaks(browser: Browser, site: Any, tmp_path: Path) -> None:
    number, (part, *_) = asked_for_papers(site)
    big = tmp_path / "photo.jpg"
    big.write_bytes(photo(3, (2000, 1600)))
    assert big.stat().st_size > 2 << 20, "it takes several pieces"
    page = phone(browser, site)
    opened(page, site, number)
    sent: list[str] = []

    def break_the_second(route: Any) -> None:
        sent.append(route.request.headers.get("upload-offset", ""))
        route.abort() if len(sent) == 2 else route.continue_()

    page.route(
        "**/uploads/*", lambda route: break_the_second(route) if route.request.method == "PATCH" else route.continue_()
    )
    page.set_input_files(f"#files-{part}", str(big))
    with page.expect_navigation():
        page.click(f"#paper-{part} .po-upload > button")
    after = portal.claim_seen(Visit(number, 1))
    assert after is not None and after.papers[part].state == "received"
    assert after.documents[after.papers[part].uploads[0]].size_bytes == big.stat().st_size
    assert sent[1] == sent[2] != "0", "the broken piece was sent again, and nothing before it"
    page.context.close()


def test_what_was_chosen_for_two_papers_goes_with_either_button(browser: Browser, site: Any, tmp_path: Path) -> None:
    """And whoever would leave the page with files chosen and not sent is asked first."""
    number, (first, second, *_) = asked_for_papers(site)
    page = phone(browser, site)
    opened(page, site, number)
    for part in (first, second):
        (tmp_path / f"{part}.jpg").write_bytes(photo(part))
        page.set_input_files(f"#files-{part}", str(tmp_path / f"{part}.jpg"))
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.evaluate("setTimeout(() => location.assign('/help/'))")
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"] and page.url.split("#")[0].endswith(f"/claim/{number}/")
    with page.expect_navigation():
        page.click(f"#paper-{second} .po-upload > button")
    page.wait_for_load_state()
    case = portal.claim_seen(Visit(number, 1))
    assert case is not None and {case.papers[n].state for n in (first, second)} == {"received"}
    assert asked == ["beforeunload"], "nothing is lost any more"
    page.context.close()


def test_who_leaves_out_what_was_refused_sees_how_the_papers_stand(browser: Browser, site: Any, tmp_path: Path) -> None:
    number, (first, second, *_) = asked_for_papers(site)
    page = phone(browser, site)
    opened(page, site, number)
    (tmp_path / "good.jpg").write_bytes(photo(1))
    (tmp_path / "bad.jpg").write_bytes(b"MZ" * 400)
    page.set_input_files(f"#files-{first}", str(tmp_path / "good.jpg"))
    page.set_input_files(f"#files-{second}", str(tmp_path / "bad.jpg"))
    page.click(f"#paper-{second} .po-upload > button")
    expect(page.locator(f"#paper-{second} .po-state-refused")).to_be_visible()
    expect(page.locator(f"#paper-{second} .lp-progress")).to_contain_text("bad.jpg")
    why = text("refusal.upload_not_what_it_says", "zh-hans", declared=".jpg")
    assert page.inner_text("main").count(why) == 1, "the reason stands once, beside its file"
    with page.expect_navigation():
        page.click(f"#paper-{second} .po-drop")
    expect(page.locator(f"#paper-{first} .lp-state-received")).to_be_visible()
    page.context.close()


def test_without_javascript_the_page_opens_where_a_file_was_not_taken(
    browser: Browser, site: Any, tmp_path: Path
) -> None:
    number, (first, second, *_) = asked_for_papers(site)
    context = browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    page = context.new_page()
    opened(page, site, number)
    (tmp_path / "good.jpg").write_bytes(photo(1))
    (tmp_path / "bad.jpg").write_bytes(b"MZ" * 400)
    page.set_input_files(f"#files-{first}", str(tmp_path / "good.jpg"))
    page.set_input_files(f"#files-{second}", str(tmp_path / "bad.jpg"))
    page.click(f"#paper-{second} .po-upload > button")
    page.wait_for_selector(f"#files-{second}-error")
    case = portal.claim_seen(Visit(number, 1))
    assert case is not None and [case.papers[n].state for n in (first, second)] == ["received", "requested"]
    expect(page.locator(f"#files-{second}-error")).to_be_in_viewport()
    context.close()


def pages(page: Page, site: Any, number: str) -> Iterator[str]:
    """Every page of the portal, one after the other; the name of each."""
    for name, path in (("report", "/"), ("enter", "/claim/")):
        page.goto(site.url + path)
        yield name
    page.goto(site.url + "/")
    page.fill("#phone", "12")
    page.click("summary")
    page.fill("#item_1_amount", "viel")
    page.click("main form button")
    page.wait_for_selector("#phone-error")
    yield "report-wrong"
    page.goto(site.url + "/help/")
    yield "help"
    page.goto(f"{site.url}/offline/{page.evaluate('document.documentElement.lang')}/")
    yield "offline"
    page.goto(site.url + portal.link(Visit(number, 1), now=timezone.now()))
    yield "track-unverified"
    page.goto(f"{site.url}/claim/{number}/verify")
    yield "verify"
    page.click("main form button")
    yield "code"
    opened(page, site, number)
    yield "track"
    for name in ("receipt", "account", "when", "withdraw", "offers/1/"):
        page.goto(f"{site.url}/claim/{number}/{name}")
        yield name.strip("/1").replace("/", "-")


CONTRAST = "color-contrast"
"""What a look can change on a page. Words cannot: it is asked once for each look, everything else in each language."""


@pytest.mark.slow
@pytest.mark.once
def test_every_page_fits_all_screens_and_has_no_barrier_in_any_language_and_look(browser: Browser, site: Any) -> None:
    number = claim_with_everything(site)
    found: list[str] = []
    for language in LANGUAGES:
        page = phone(browser, site, language)
        for name in pages(page, site, number):
            models.PortalTry.objects.all().delete()
            shot(page, f"{language}-light-{name}")
            first = language == LANGUAGES[0]
            wrong = violations(page, but="" if first else CONTRAST) + ill_laid(page)
            page.set_viewport_size(PHONE)  # type: ignore[arg-type]
            found += [f"{language} {name}: {why}" for why in wrong]
            if first:
                page.emulate_media(color_scheme="dark")
                page.wait_for_selector("html[data-bs-theme=dark]", state="attached")
                found += [f"{name} dark: {why}" for why in violations(page, only=CONTRAST)]
                shot(page, f"{language}-dark-{name}")
                page.emulate_media(color_scheme="light")
        page.context.close()
    assert found == []


def test_the_chosen_look_wins_over_the_devices(browser: Browser, site: Any) -> None:
    page = phone(browser, site, "zh-hans", "light")
    for scheme in ("dark", "light"):
        page.context.add_cookies([{"name": "lipei_theme", "value": scheme, "url": site.url}])
        page.goto(site.url)
        assert page.get_attribute("html", "data-bs-theme") == scheme
    page.context.close()


def test_a_report_goes_first_and_its_photos_follow_over_a_line_that_breaks(
    browser: Browser, site: Any, tmp_path: Path
) -> None:
    """A slip loses neither words nor photos; a file that is none stops no other; after a new start it goes on."""
    for n in range(4):
        (tmp_path / f"{n}.jpg").write_bytes(photo(n, (300, 200)))
    (tmp_path / "not.jpg").write_bytes(b"MZ" * 500)
    page = phone(browser, site)
    page.goto(site.url)
    page.fill("#story", "行李没有到。")
    page.fill("#phone", "12")
    page.set_input_files("#photos", [str(file) for file in sorted(tmp_path.iterdir())])
    page.click("main form button.lp-wide")
    page.wait_for_selector("#phone-error")
    assert models.Claim.objects.count() == 0 and page.evaluate("document.activeElement.id") == "phone"
    page.fill("#phone", "13800138000")
    broken: list[str] = []

    def break_once(route: Any) -> None:
        if route.request.method == "PATCH" and not broken:
            broken.append(route.request.url)
            return route.abort()
        return route.continue_()

    page.route("**/uploads/*", break_once)
    page.click("main form button.lp-wide")
    page.wait_for_selector(".lp-progress.lp-error")
    shot(page, "report-one-refused")
    assert "not.jpg" in page.inner_text(".lp-progress") and page.is_hidden(".lp-send") and broken
    page.click(".lp-taken a")
    page.wait_for_url("**/receipt")
    case = portal.claim_seen(Visit(models.Claim.objects.get().number, 1))
    assert case is not None and len(case.documents) == 4
    page.context.close()


@pytest.mark.bad_moment("restart during upload")
def test_an_upload_goes_on_after_the_page_was_opened_anew(browser: Browser, site: Any, tmp_path: Path) -> None:
    number = reported(Client())
    big = tmp_path / "photo.jpg"
    big.write_bytes(photo(3, (1300, 1000)))
    page = phone(browser, site)
    opened(page, site, number)
    offsets: list[str] = []

    def note(route: Any) -> None:
        if route.request.method == "PATCH":
            offsets.append(route.request.headers["upload-offset"])
            return route.abort() if len(offsets) == 2 else route.continue_()
        return route.continue_()

    page.route("**/uploads/*", note)
    choose_and_send(page, big)
    page.wait_for_selector("#paper-0 .lp-progress:text-is('" + text("portal.papers.resume", "zh-hans") + "')")
    page.reload()
    choose_and_send(page, big)
    page.wait_for_selector("text=" + text("portal.papers.files", "zh-hans", n=1))
    assert offsets[:2] == ["0", str(1 << 20)] and "0" not in offsets[1:]
    page.context.close()


@pytest.mark.norm("2.2.2")
def test_invoices_with_a_number_survive_a_broken_line(browser: Browser, site: Any, people: Any, tmp_path: Path) -> None:
    number = reported(Client(), kind="motor:single_vehicle")
    handler = people.handler_of(portal.claim_seen(Visit(number, 1)))
    case = done(number, "claim", "request_papers", 0, c.RequestPapers(), handler)
    part = next(n for n, p in case.papers.items() if p.code == "repair_invoice")
    for n in range(2):
        (tmp_path / f"{n}.jpg").write_bytes(photo(40 + n, (300, 200)))
    page = phone(browser, site)
    opened(page, site, number)
    broken: list[str] = []

    def break_once(route: Any) -> None:
        if route.request.method == "PATCH" and not broken:
            broken.append(route.request.url)
            return route.abort()
        return route.continue_()

    page.route("**/uploads/*", break_once)
    page.set_input_files(f"#files-{part}", [str(file) for file in sorted(tmp_path.iterdir())])
    page.fill(f"[name=invoice-{part}]", "FP-9")
    page.click(f"#paper-{part} .po-upload > button")
    page.wait_for_selector(f"#paper-{part} .lp-state-received")
    paper = portal.claim_seen(Visit(number, 1)).papers[part]  # type: ignore[union-attr]
    assert (paper.invoice_number, len(paper.uploads)) == ("FP-9", 2) and broken
    page.context.close()


def choose_and_send(page: Page, file: Path) -> None:
    page.click("#paper-0 summary")
    page.set_input_files("#files-0", str(file))
    page.click("#paper-0 .po-upload > button")
