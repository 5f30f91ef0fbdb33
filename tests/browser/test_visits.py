"""A surveyor in a tunnel: the network goes between the third photo and the fourth, then the phone dies; nothing is lost."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import BrowserContext, Page, Playwright, expect
from tests.browser.looking import CHROMIUM
from tests.browser.test_console import PHONE, site, violations
from tests.web.conftest import browser, office, today
from tests.web.test_visits import picture, to_visit

from lipei.norms.texts import text
from lipei.store import models

pytestmark = [pytest.mark.once, pytest.mark.browser, pytest.mark.django_db(transaction=True)]
__all__ = ["browser", "office", "site", "today"]  # fixtures


def phone(playwright: Playwright, home: Path, site: Any, client: Any) -> BrowserContext:
    """A phone with a memory of its own, on which the surveyor is signed in."""
    made = playwright.chromium.launch_persistent_context(
        str(home), executable_path=CHROMIUM, args=["--no-sandbox"], viewport=PHONE, permissions=["geolocation"],  # type: ignore[arg-type]
        geolocation={"latitude": 31.1791, "longitude": 121.4365},
    )  # fmt: skip
    name = django_settings.SESSION_COOKIE_NAME
    made.add_cookies(
        [
            {"name": "lipei_language", "value": "en", "url": site.url},
            {"name": name, "value": client.cookies[name].value, "url": site.url},
        ]
    )
    made.set_default_timeout(30_000)
    return made


def killed(home: Path) -> None:
    """The phone's battery is empty: every process of that browser ends at once."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if str(home).encode() in (entry / "cmdline").read_bytes():
                    os.kill(int(entry.name), signal.SIGKILL)
            except (OSError, ProcessLookupError):
                continue


def arrived(page: Page, photos: int) -> None:
    """Wait until so many photos are on the claim."""
    for _ in range(100):
        if models.Document.objects.filter(survey=1).count() == photos:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{models.Document.objects.count()} photos arrived, not {photos}")


def take(page: Page, shades: range) -> None:
    for shade in shades:
        file = {"name": f"IMG_{shade}.jpg", "mimeType": "image/jpeg", "buffer": picture(shade * 45)}
        page.locator("#photos").set_input_files(files=[file])  # type: ignore[list-item]


@pytest.mark.norm("2.2.2")
def test_photos_and_report_outlive_a_tunnel_and_a_dead_phone(
    playwright: Playwright, site: SimpleNamespace, browser: Any, tmp_path: Path
) -> None:
    number = to_visit(site.office)
    where = f"{site.url}/console/visits/{number}/1/"
    held = phone(playwright, tmp_path, site, browser("surveyor1"))
    page = held.new_page()
    page.goto(f"{site.url}/console/visits/")
    page.evaluate("navigator.serviceWorker.ready")
    page.goto(where)
    assert violations(page) == []
    page.evaluate("navigator.serviceWorker.ready")
    take(page, range(1, 4))
    arrived(page, 3)
    expect(page.locator("[data-there] strong")).to_have_text("3 received")
    held.set_offline(True)
    expect(page.locator("[data-arrived] img")).to_have_count(3)
    take(page, range(4, 6))
    page.locator("#findings").fill("Rear bumper dented.")
    page.locator(".lp-look").first.get_by_role("radio", name="Yes").press("Space")
    expect(page.locator(".lp-look").first.get_by_role("radio", name="Yes")).to_be_checked()
    page.get_by_role("button", name="Send the report").click()
    expect(page.locator("[data-waits] span")).to_have_text("3 waiting to be sent")
    page.reload()  # in the tunnel the page is there all the same
    expect(page.locator("#findings")).to_have_value("Rear bumper dented.")
    expect(page.locator("[data-there] strong")).to_have_text("3 received")
    assert page.locator("[data-arrived] img").evaluate_all("them => Promise.all(them.map(one => one.decode()))")
    expect(page.locator("[data-queue] li")).to_have_count(2)
    killed(tmp_path)

    again = phone(playwright, tmp_path, site, browser("surveyor1"))
    page = again.new_page()
    page.goto(f"{site.url}/console/visits/")
    expect(page.locator("[data-waits] span")).to_have_text("Everything is sent")
    survey = models.Survey.objects.get()
    assert (survey.state, survey.findings) == ("recorded", "Rear bumper dented.")
    photos = models.Document.objects.filter(survey=1)
    assert photos.count() == 5 and len({p.digest for p in photos}) == 5
    assert {p.latitude_microdegrees for p in photos} == {31_179_100}
    page.reload()
    expect(page.locator(".lp-message-success")).to_have_text("The report is in. Photos received: 5.")
    page.goto(where)
    expect(page.locator("[data-there] strong")).to_have_text("5 received")
    expect(page.locator("[data-arrived] img")).to_have_count(5)
    again.close()


@pytest.mark.norm("2.2.2")
def test_a_report_kept_for_the_network_leads_on_to_the_list_once_it_has_gone(
    playwright: Playwright, site: SimpleNamespace, browser: Any, tmp_path: Path
) -> None:
    number = to_visit(site.office)
    held = phone(playwright, tmp_path, site, browser("surveyor1"))
    page = held.new_page()
    page.goto(f"{site.url}/console/visits/{number}/1/")
    held.set_offline(True)
    page.locator("#findings").fill("Rear bumper dented.")
    page.get_by_role("button", name="Send the report").click()
    line = page.locator("[data-error]")
    expect(line).to_have_text(text("visits.kept", "en"))
    expect(line).not_to_have_class("lp-error")
    held.set_offline(False)
    page.wait_for_url(f"{site.url}/console/visits/")
    expect(page.locator(".lp-message-success")).to_contain_text("The report is in.")
    held.close()


@pytest.mark.norm("2.2.2")
def test_a_photo_that_was_not_taken_is_not_called_sent(
    playwright: Playwright, site: SimpleNamespace, browser: Any, tmp_path: Path
) -> None:
    """The list of visits says so, and leads to where the reason stands; the count falls as each photo arrives."""
    number = to_visit(site.office)
    held = phone(playwright, tmp_path, site, browser("surveyor1"))
    page = held.new_page()
    page.goto(f"{site.url}/console/visits/{number}/1/")
    held.set_offline(True)
    take(page, range(1, 3))
    broken = {"name": "broken.jpg", "mimeType": "image/jpeg", "buffer": b"MZ" * 300}
    page.locator("#photos").set_input_files(files=[broken])  # type: ignore[list-item]
    expect(page.locator("[data-waits] span")).to_have_text("3 waiting to be sent")
    held.set_offline(False)
    expect(page.locator("[data-waits] span")).to_have_text("1 not taken")
    expect(page.locator("[data-there] strong")).to_have_text("2 received")
    page.goto(f"{site.url}/console/visits/")
    expect(page.locator("[data-waits] span")).to_have_text("1 not taken")
    page.locator("[data-look]").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("[data-waits] span")).to_have_text("Everything is sent")
    held.close()
