"""The console in a real browser: from the worklist through opinion and assessment, light and dark, in three languages,
with JavaScript and without, on a screen of 360 px. Each page is opened once per language and looked at in every way."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.browser.test_portal_roadside import AGAIN_BYTES_MAX, REQUESTS_MAX, weighed
from tests.web.conftest import PASSWORD, browser, claim, full_claim, handler_code, office, reported, today
from tests.web.every_page import pages

from lipei.norms.texts import LANGUAGES, text
from lipei.store import journal, models

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
__all__ = ["browser", "claim", "handler_code", "office", "today"]  # fixtures
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SHOTS = os.environ.get("LIPEI_TEST_SHOTS", "")
"""A folder to put pictures of the pages into, for somebody to look at."""
expect.set_options(timeout=20_000)  # a busy machine is no fault
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium; name one with CHROMIUM=/path")
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        # Playwright runs a loop in this thread; Django then takes every query for one inside of it.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
        yield made
        os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE")
        made.close()


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


def violations(page: Page, only: str = "", but: str = "") -> list[str]:
    """What axe finds: by all its rules, by one, or by all but one."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}
    if only:
        options["runOnly"] = [only]
    if but:
        options["rules"] = {but: {"enabled": False}}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{v['id']}: {[n['html'][:160] for n in v['nodes'][:3]]}" for v in found]


def test_from_sign_in_through_opinion_and_assessment(chromium: Browser, site: SimpleNamespace) -> None:
    number = reported(site.office)
    models.Claim.objects.filter(number=number).update(handler=site.office.rows["handler1"].id)
    page = desk(chromium, site, None)
    page.goto(f"{site.url}/console/")
    page.get_by_label("Sign-in name").fill("handler1")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    assert page.get_by_role("alert").is_visible() and page.get_by_label("Sign-in name").input_value() == "handler1"
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


CONTRAST = "color-contrast"
COLOURS_IN = "zh-hans"
"""Colours are the same in all languages: they are looked at in one, light and dark."""
ALIKE = "zh-hant"
"""Written like zh-hans, sign for sign: looked at where somebody asks for that. Its words have tests of their own."""
LOOKED_AT_IN = [one for one in LANGUAGES if one != ALIKE or os.environ.get("LIPEI_TEST_EVERYTHING")]


AT_ONCE = 6
"""Pages that one test looks at: several processes share the work."""
PORTIONS = [(code, first) for code, found in pages("0", 0).items() for first in range(0, len(found), AT_ONCE)]


@pytest.mark.slow
@pytest.mark.parametrize(("code", "first"), PORTIONS)
def test_every_page_in_every_language_look_and_width(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client], code: str, first: int
) -> None:
    """Without barriers, within its weight, with nothing clipped, covered or wider than the screen."""
    found: list[str] = []
    whole = pages(full_claim(site.office), site.office.rows["handler1"].id)[code]
    paths = dict([*whole.items()][first : first + AT_ONCE])
    page = desk(chromium, site, browser(code) if code else None)
    for language in LOOKED_AT_IN:
        page.context.add_cookies([{"name": "lipei_language", "value": language, "url": site.url}])
        for name, path in paths.items():
            opened(page, f"{site.url}/{path}")
            found += [f"{path} {language}: {why}" for why in barriers(page, language, name)]
    for path in paths.values():
        found += [f"{path}: {why}" for why in heavy(page, f"{site.url}/{path}")]
    page.context.close()
    assert not found, "\n".join(found)


def barriers(page: Page, language: str, name: str) -> list[str]:
    """What is wrong with a page as it stands, in the dark, and on screens of other widths."""
    name = f"{language}-{name.replace('/', '_')}"
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
    shot(page, name)
    found = violations(page, but="" if language == COLOURS_IN else CONTRAST)
    if language == COLOURS_IN:
        page.emulate_media(color_scheme="dark")  # nobody chose a look here: it follows the device
        expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
        shot(page, f"{name}-dark")
        found += [f"dark {v}" for v in violations(page, only=CONTRAST)]
        page.emulate_media(color_scheme="light")
    for width, height in SCREENS:
        page.set_viewport_size({"width": width, "height": height})
        found += [f"{width} px: {why}" for why in page.evaluate(ILL_LAID)]
    shot(page, f"{name}-phone")
    return found


def heavy(page: Page, address: str) -> list[str]:
    """What a page weighs too much, fetched by somebody who just was there; the first visit is weighed in benchmarks/."""
    weight, pieces = weighed(page, address, "load")
    home = "/".join(address.split("/")[:3]) + "/"
    wrong = [f"from elsewhere: {url}" for url in pieces if not url.startswith(home)]
    wrong += [f"{weight} bytes"] if weight > AGAIN_BYTES_MAX else []
    return wrong + ([f"{len(pieces)} requests: {pieces}"] if len(pieces) > REQUESTS_MAX else [])


SCREENS = ((1920, 1080), (768, 1024), (360, 740))
ILL_LAID = """() => {
  const wrong = [], say = (why, e) => wrong.push(why + ': ' + e.outerHTML.slice(0, 140));
  const box = e => e.getBoundingClientRect(), all = what => [...document.querySelectorAll(what)];
  const drawn = {opacityProperty: true, visibilityProperty: true};
  const shown = e => box(e).width > 1 && box(e).height > 1 && e.checkVisibility(drawn);
  const within = (e, name, values) => {
    for (let at = e; at; at = at.parentElement) if (values.includes(getComputedStyle(at)[name])) return true;
    return false;
  };
  const floats = e => within(e, 'position', ['fixed', 'sticky']);
  const scrolls = e => within(e.parentElement, 'overflowX', ['auto', 'scroll']);
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth)
    all('body *').filter(e => shown(e) && box(e).right > innerWidth + 1 && !scrolls(e)).forEach(e => say('too wide', e));
  for (const e of all('body *')) {
    if (e.scrollWidth <= e.clientWidth + 1 || !shown(e) || e.closest('.lp-only-read, svg, select, input')) continue;
    if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
    const style = getComputedStyle(e), whole = style.textOverflow === 'ellipsis' && e.closest('[title]');
    if (['hidden', 'clip'].includes(style.overflowX) && !whole) say('clipped', e);
  }
  const pressed = all('a, button, input, select, textarea, summary').filter(e => shown(e) && !floats(e));
  pressed.forEach((e, i) => pressed.slice(i + 1).forEach(other => {
    const label = e.closest('label');
    if (e.contains(other) || other.contains(e) || (label && label === other.closest('label'))) return;
    const both = [...e.getClientRects()].some(r => [...other.getClientRects()].some(o =>
      Math.min(r.right, o.right) - Math.max(r.left, o.left) > 2 && Math.min(r.bottom, o.bottom) - Math.max(r.top, o.top) > 2));
    if (both) say('covered by ' + other.outerHTML.slice(0, 80), e);
  }));
  return wrong.slice(0, 6);
}"""
"""What is wrong with where things stand: wider than the screen, cut off without its whole words in a title, overlapping."""


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
