"""The console in a real browser: from the worklist through opinion and assessment, light and dark, in three languages,
with JavaScript and without, on a screen of 360 px. Each page is opened once per language and looked at in every way."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from tests.browser.looking import SCREENS, ill_laid, violations
from tests.browser.test_portal_roadside import AGAIN_BYTES_MAX, REQUESTS_MAX, weighed
from tests.web.conftest import PASSWORD, browser, claim, full_claim, handler_code, office, reported, today
from tests.web.every_page import Visit, visits

from lipei.norms.texts import text
from lipei.store import journal, models

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
__all__ = ["browser", "claim", "handler_code", "office", "today", "violations"]  # fixtures, and what others look with
SHOTS = os.environ.get("LIPEI_TEST_SHOTS", "")
"""A folder to put pictures of the pages into, for somebody to look at."""
expect.set_options(timeout=20_000)  # a busy machine is no fault
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
DESK, POCKET = (1280, 900), (360, 740)
OTHERS = [screen for screen in SCREENS if screen not in (DESK, POCKET)]


@pytest.fixture
def site(live_server: Any, office: SimpleNamespace) -> Iterator[SimpleNamespace]:
    """The console with a company in it. Afterwards the guards make way, for the test database is emptied."""
    yield SimpleNamespace(url=live_server.url, office=office)
    with connection.cursor() as cursor:
        for statement in journal.guards(connection.vendor):
            if statement.startswith("DROP TRIGGER"):
                cursor.execute(statement)


def desk(
    chromium: Browser,
    site: Any,
    client: Client | None,
    *,
    language: str = "en",
    size: Any = WIDE,
    javascript: bool = True,
) -> Page:
    """A page of a browser in which somebody is signed in (None: nobody)."""
    context = chromium.new_context(viewport=size, color_scheme="light", java_script_enabled=javascript)  # type: ignore[arg-type]
    cookies = [{"name": "lipei_language", "value": language, "url": site.url}]
    if client is not None:
        name = django_settings.SESSION_COOKIE_NAME
        cookies.append({"name": name, "value": client.cookies[name].value, "url": site.url})
    context.add_cookies(cookies)  # type: ignore[arg-type]
    page = context.new_page()
    page.set_default_timeout(30_000)
    return page


def opened(page: Page, where: str) -> None:
    answer = page.goto(where)
    assert answer is not None and answer.status == 200, where


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/console-{name}.png", full_page=True)


def fits(page: Page) -> bool:
    """Whether nothing is wider than the screen."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def test_from_sign_in_through_opinion_and_assessment(chromium: Browser, site: SimpleNamespace) -> None:
    number = reported(site.office)
    models.Claim.objects.filter(number=number).update(handler=site.office.rows["handler1"].id)
    page = desk(chromium, site, None)
    page.goto(f"{site.url}/console/")
    page.get_by_label("Sign-in name").fill("handler1")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.get_by_label("Sign-in name").input_value() == "handler1"
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name=number, exact=True).click()
    page.get_by_role("link", name="Give the preliminary opinion").click()
    page.get_by_label("Text").fill("Covered. Please send the papers on the list.")
    page.get_by_role("button", name="Give the preliminary opinion").click()
    expect(page.get_by_role("status").first).to_contain_text("Done: Give the preliminary opinion.")
    if page.get_by_role("link", name="Register the claim").count():
        page.get_by_role("link", name="Register the claim").click()
        page.get_by_role("button", name="Register the claim").click()
    page.locator("#exposure-1").get_by_role("link", name="Assess", exact=True).click()
    row = page.get_by_role("group", name="Items 1")
    row.get_by_label("Assessed").fill("2,400.00")
    page.get_by_role("button", name="Assess", exact=True).click()
    expect(page.locator("#exposure-1")).to_contain_text("CNY 1,900.00")  # less the deductible of 500.00
    exposure = models.Exposure.objects.get(part=1)
    assert (exposure.state, exposure.assessed_minor, exposure.payable_minor) == ("assessed", 240000, 190000)


def test_the_same_without_javascript(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client], claim: str, handler_code: str
) -> None:
    page = desk(chromium, site, browser(handler_code), language="zh-hans", javascript=False)
    opened(page, f"{site.url}/console/claims/{claim}/give_opinion/")
    page.locator("textarea").fill("属于保险责任。")
    page.get_by_role("button", name=text("action.claim.give_opinion", "zh-hans")).click()
    assert "属于保险责任。" in page.content()
    page.locator(".lp-head-tools summary").click()
    page.get_by_role("button", name="English").click()
    assert page.locator("html").get_attribute("lang") == "en"
    page.locator(".lp-head-tools summary").click()
    page.get_by_role("button", name="Dark").click()
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"
    page.get_by_role("button", name="Show personal data").click()
    assert "13800138000" in page.content()


AT_ONCE = 16
"""Visits that one test makes: several processes share the work."""
PORTIONS = [
    (code, first)
    for code, count in Counter(one.code for one in visits("0", 0)).items()
    for first in range(0, count, AT_ONCE)
]


@pytest.mark.slow
@pytest.mark.parametrize(("code", "first"), PORTIONS)
def test_every_page_in_every_role_language_look_and_width(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client], code: str, first: int
) -> None:
    """Without barriers, within its weight, with nothing clipped, covered, scrolled aside or wider than the screen."""
    number = full_claim(site.office)
    for reader, name in NAMES.items():
        models.Staff.objects.filter(code=reader).update(name=name)
    own = [one for one in visits(number, site.office.rows["handler1"].id) if one.code == code]
    page = desk(chromium, site, browser(code) if code else None)
    found: list[str] = []
    for visit in own[first : first + AT_ONCE]:
        found += [f"{visit.path} {code} {visit.language} {visit.look}: {why}" for why in barriers(page, site, visit)]
        if not visit.turn:
            found += [f"{visit.path}: {why}" for why in heavy(page, f"{site.url}/{visit.path}")]
    page.context.close()
    assert not found, "\n".join(found)


NAMES = {"handler1": "李", "handler2": "欧阳" + "长" * 38}
"""Colleagues with the shortest and the longest of names: a page must stand both."""


def barriers(page: Page, site: SimpleNamespace, visit: Visit) -> list[str]:
    """What is wrong with a page for this reader; on the first visits on a phone too, and on other screens in turns.

    Colours come of the look alone: that they stand apart is asked on these first visits, which have both looks.
    """
    name = f"{visit.name.replace('/', '_')}-{visit.code}-{visit.language}-{visit.look}"
    page.context.add_cookies([{"name": "lipei_language", "value": visit.language, "url": site.url}])
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    page.emulate_media(color_scheme=visit.look)  # type: ignore[arg-type]  # nobody chose a look: it follows the device
    answer = page.goto(f"{site.url}/{visit.path}")
    assert answer is not None and answer.status in (200, 403), visit  # a step that is others': the page that says so
    expect(page.locator("html")).to_have_attribute("data-bs-theme", visit.look)
    shot(page, name)
    found = violations(page, but="" if visit.first else "color-contrast")
    found += ill_laid(page, (DESK, OTHERS[visit.turn], POCKET) if visit.first else (DESK,))
    shot(page, f"{name}-phone")
    return found


def heavy(page: Page, address: str) -> list[str]:
    """What a page weighs too much, fetched by somebody who just was there; the first visit is weighed in benchmarks/."""
    weight, pieces = weighed(page, address, "load")
    home = "/".join(address.split("/")[:3]) + "/"
    wrong = [f"from elsewhere: {url}" for url in pieces if not url.startswith(home)]
    wrong += [f"{weight} bytes"] if weight > AGAIN_BYTES_MAX else []
    return wrong + ([f"{len(pieces)} requests: {pieces}"] if len(pieces) > REQUESTS_MAX else [])


def test_a_double_click_does_nothing_twice(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client], claim: str, handler_code: str
) -> None:
    page = desk(chromium, site, browser(handler_code))
    opened(page, f"{site.url}/console/claims/{claim}/add_note/")
    page.locator("textarea").fill("Rang the customer.")
    page.get_by_role("button", name=text("action.claim.add_note", "en")).dblclick()
    page.wait_for_url(f"{site.url}/console/claims/{claim}/")
    assert page.get_by_role("status").inner_text().strip() == "Done: Add a note."
    assert models.Entry.objects.filter(kind="claim.note_added").count() == 1


def test_pages_read_well_without_tablers_style_sheet(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client]
) -> None:
    number = full_claim(site.office)
    page = desk(chromium, site, browser("manager1"))
    page.route("**/tabler.min.css", lambda route: route.abort())
    opened(page, f"{site.url}/console/claims/{number}/")
    shot(page, "without-tabler")
    assert violations(page) == []
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert fits(page)
