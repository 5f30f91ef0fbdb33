"""The customer at the roadside, in a real browser: taps and fields to the receipt, weight on the wire, dead spots."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page
from tests.browser.hands import Finger
from tests.browser.test_portal import browser, fits, own_folder, people, phone, shot, site
from tests.portal.conftest import STORY, reported
from tests.portal.test_uploads import photo

from lipei.norms.texts import text
from lipei.services import portal
from lipei.services.portal import Visit
from lipei.store import models

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
__all__ = ["browser", "own_folder", "people", "site"]  # fixtures
FIRST_VISIT_BYTES_MAX, AGAIN_BYTES_MAX, REQUESTS_MAX = 200_000, 20_000, 12


@pytest.mark.norm("2.2.1")
def test_a_small_motor_loss_takes_eleven_taps_and_eight_fields(browser: Browser, site: Any, tmp_path: Path) -> None:
    """With everything that lets the rules settle it: what broke, what it costs, when, a photo and the consent."""
    picture = tmp_path / "photo.jpg"
    picture.write_bytes(photo(5))
    page = phone(browser, site, has_touch=True, is_mobile=True)
    page.goto(site.url)
    finger = Finger(page)
    finger.fill("#story", STORY)
    with page.expect_file_chooser() as chooser:
        finger.tap(".po-choose")
    chooser.value.set_files(str(picture))
    finger.fields += 1
    finger.fill("#phone", "13800138000")
    finger.tap("main details summary")
    happened = timezone.now().astimezone(ZoneInfo("Asia/Shanghai")) - timedelta(hours=2)
    finger.fill("#loss_at", f"{happened:%Y-%m-%dT%H:%M}")
    finger.choose("#kind", "motor:single_vehicle")
    finger.fill("#item_1", "后保险杠")
    finger.fill("#item_1_amount", "2650")
    finger.tap("label:has([name=accept_automatic])")
    finger.fields += 1
    finger.tap(".lp-send button")
    page.wait_for_url("**/receipt")
    case = portal.claim_seen(Visit(models.Claim.objects.get().number, 1))
    assert case is not None and case.exposures[1].cover == "own_damage" and len(case.documents) == 1
    assert case.claim.accept_automatic
    finger.counted("small_motor_loss")
    page.context.close()


def weighed(page: Page, address: str, until: Any = "networkidle") -> tuple[int, list[str]]:
    """The bytes on the wire and the addresses of everything that a page asked for, ``until`` it is there."""
    line = page.context.new_cdp_session(page)
    sizes: list[int] = []
    asked: list[str] = []
    line.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    line.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
    line.send("Network.enable")
    page.goto(address, wait_until=until)
    line.detach()
    return sum(sizes), [url for url in asked if not url.startswith("data:")]


def test_pages_are_light_come_in_few_pieces_and_from_us_alone(browser: Browser, site: Any) -> None:
    number = reported(Client())
    link = portal.claim_address(number, 1, now=timezone.now())
    for first in (f"{site.url}/report/", f"{site.url}/help/", link):
        page = phone(browser, site)
        size, asked = weighed(page, first)
        assert 2_000 < size <= FIRST_VISIT_BYTES_MAX and len(asked) <= REQUESTS_MAX, (first, size, len(asked))
        assert all(url.startswith(site.url) for url in asked)
        again, _ = weighed(page, page.url)
        assert again <= AGAIN_BYTES_MAX, (first, again)
        page.context.close()


def test_the_page_opens_in_a_dead_spot_says_so_kindly_and_keeps_what_is_written(browser: Browser, site: Any) -> None:
    page = phone(browser, site, language="en", service_workers="allow")
    page.goto(f"{site.url}/report/")
    page.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    page.wait_for_function(
        "caches.match('/-language').then(kept => kept ? kept.text() : '').then(said => said === 'en')"
    )
    page.context.set_offline(True)
    page.goto(f"{site.url}/claim/")
    assert text("portal.offline.title", "en") in page.inner_text("h1")
    shot(page, "dead-spot")
    assert fits(page) and page.evaluate("getComputedStyle(document.querySelector('.lp-button')).borderRadius") == "10px"
    page.fill("#early", STORY)
    page.context.set_offline(False)
    page.goto(f"{site.url}/report/")
    assert page.input_value("#story") == STORY
    kept = page.evaluate(
        "caches.keys().then(names => Promise.all(names.map(name => caches.open(name).then(c => c.keys()))))"
        ".then(all => all.flat().map(request => new URL(request.url).pathname))"
    )
    assert kept and all(path.startswith(("/static/", "/offline/", "/-language")) for path in kept)
    page.context.close()


def test_a_report_in_a_dead_spot_stays_on_the_page_and_goes_out_when_pressed_again(browser: Browser, site: Any) -> None:
    page = phone(browser, site)
    page.goto(f"{site.url}/report/")
    page.fill("#story", STORY)
    page.fill("#phone", "13800138000")
    page.context.set_offline(True)
    assert page.is_visible(".po-away")
    page.click(".lp-send button")
    page.wait_for_selector(f".lp-progress:text-is('{text('portal.report.broken', 'zh-hans')}')")
    assert page.input_value("#story") == STORY and not models.Claim.objects.exists()
    page.context.set_offline(False)
    page.wait_for_selector(".po-away", state="hidden")
    page.click(".lp-send button")
    page.wait_for_url("**/receipt")
    assert models.Claim.objects.count() == 1
    page.goto(f"{site.url}/report/")
    assert page.input_value("#story") == "", "what was sent is not offered again"
    page.context.close()


@pytest.mark.bad_moment("wrong clock")
def test_what_is_being_written_outlasts_a_reload_and_a_wrong_clock_harms_nothing(browser: Browser, site: Any) -> None:
    page = phone(browser, site)
    page.clock.set_fixed_time("2031-01-01T00:00:00Z")  # the phone is years ahead
    page.goto(f"{site.url}/report/")
    page.type("#story", "倒车")
    page.reload()
    assert page.input_value("#story") == "倒车"
    page.fill("#phone", "13800138000")
    page.click(".lp-send button")
    page.wait_for_url("**/receipt")
    assert abs(models.Claim.objects.get().reported_at - timezone.now()) < timedelta(minutes=5)
    page.context.close()


@pytest.mark.bad_moment("forty photos")
def test_forty_photos_wait_in_a_queue_and_all_arrive(browser: Browser, site: Any, tmp_path: Path) -> None:
    """Chosen in two goes, one left out again; a dead spot in between stops none."""
    files = []
    for n in range(41):
        (tmp_path / f"{n:02}.jpg").write_bytes(photo(n, (48 + n, 36)))
        files.append(str(tmp_path / f"{n:02}.jpg"))
    page = phone(browser, site)
    page.goto(f"{site.url}/report/")
    page.fill("#story", STORY)
    page.fill("#phone", "13800138000")
    page.set_input_files("#photos", files[:20])
    page.set_input_files("#photos", files[20:])
    assert page.locator(".po-queue li").count() == 41
    page.click(".po-queue li:nth-child(3) .po-drop")
    assert (
        page.locator(".po-queue li").count() == 40
        and page.evaluate("document.querySelector('#photos').files.length") == 40
    )
    assert fits(page)
    page.click(".lp-send button")
    page.wait_for_selector(".po-state-sent >> nth=5")
    page.context.set_offline(True)
    page.wait_for_selector(f".lp-progress:text-is('{text('portal.papers.resume', 'zh-hans')}')")
    shot(page, "queue-in-a-dead-spot")
    page.context.set_offline(False)
    page.wait_for_url("**/receipt", timeout=90_000)
    case = portal.claim_seen(Visit(models.Claim.objects.get().number, 1))
    assert case is not None and len(case.documents) == 40
    page.context.close()


def test_the_largest_type_fits_the_smallest_phone(browser: Browser, site: Any) -> None:
    number = reported(Client(), name="A" * 40, phone="13900139000")
    page = phone(browser, site, language="en")
    page.context.add_cookies([{"name": "lipei_text", "value": "huge", "url": site.url}])
    for where in ("/report/", "/help/", "/claim/", portal.link(Visit(number, 1), now=timezone.now())):
        page.goto(site.url + where)
        shot(page, "huge-" + where.strip("/").partition("/")[0])
        assert fits(page), where
    page.context.close()


THUMB_MIN = 44
"""What can be pressed is at least so high, in pixels; links within a sentence aside."""
PRESSED = "button, summary, select, .lp-button, nav a, .po-tel, .po-onward, .po-first a, .po-back a, .po-foot a"
TOO_SMALL = """([pressed, smallest]) => [...document.querySelectorAll(pressed)]
    .filter(e => e.offsetHeight && e.getBoundingClientRect().height < smallest - .5).map(e => e.outerHTML.slice(0, 120))"""


def test_all_that_is_pressed_is_large_enough_for_a_thumb(browser: Browser, site: Any) -> None:
    number = reported(Client(), phone="13900139000")
    page = phone(browser, site)
    for where in ("/report/", "/help/", "/claim/", portal.link(Visit(number, 1), now=timezone.now()), "/nowhere/"):
        page.goto(site.url + where)
        assert page.evaluate(TOO_SMALL, [PRESSED, THUMB_MIN]) == [], where
    page.context.close()


def test_the_page_shows_what_is_wrong_and_asks_only_what_makes_sense_now(
    browser: Browser, site: Any, tmp_path: Path
) -> None:
    page = phone(browser, site)
    page.goto(site.url + "/report/")
    assert page.is_hidden("#hurt_count")
    page.check("[name=hurt][value=light]")
    assert page.is_visible("#hurt_count")
    page.check("[name=hurt][value=insured_death]")
    assert page.is_hidden("#hurt_count"), "nobody who has lost one person is asked how many"
    plain = page.eval_on_selector("#phone", "e => getComputedStyle(e).borderColor")
    page.fill("#phone", "12")
    page.click("main form button.po-main")
    page.wait_for_selector("#phone-error")
    assert page.eval_on_selector("#phone", "e => getComputedStyle(e).borderColor") != plain
    number, file = reported(Client(), phone="13900139000"), tmp_path / "photo.jpg"
    file.write_bytes(photo(4))
    page.goto(site.url + portal.link(Visit(number, 1), now=timezone.now()))
    page.click("#paper-0 summary")
    assert page.is_hidden("#paper-0 .po-upload > button"), "there is nothing to send yet"
    page.set_input_files("#files-0", str(file))
    assert page.is_visible("#paper-0 .po-upload > button")
    page.context.close()
