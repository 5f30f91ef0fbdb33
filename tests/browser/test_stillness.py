"""What a page costs the reader's machine: nothing moves while it appears, and a key never has all of it styled anew."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.browser.test_console import desk, opened, site
from tests.web.conftest import browser, full_claim, handler_code, office, today

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
__all__ = ["browser", "handler_code", "office", "site", "today"]  # fixtures
SHIFTS = """new PerformanceObserver(all => all.getEntries().forEach(e => { window.shifted = (window.shifted || 0) + e.value; }))
  .observe({type: 'layout-shift', buffered: true})"""


def styled(page: Page, *keys: str) -> int:
    """How many elements the browser styles anew for some keys."""
    line, seen, over = page.context.new_cdp_session(page), [], []
    line.on("Tracing.dataCollected", lambda event: seen.extend(event["value"]))
    line.on("Tracing.tracingComplete", lambda event: over.append(event))
    line.send("Tracing.start", {"categories": "devtools.timeline", "transferMode": "ReportEvents"})
    for key in keys:
        page.keyboard.press(key)
        page.wait_for_timeout(200)
    line.send("Tracing.end")
    while not over:
        page.wait_for_timeout(50)
    return sum(e["args"].get("elementCount", 0) for e in seen if e["name"] == "UpdateLayoutTree")


def test_the_list_of_keys_and_the_palette_leave_the_rest_of_the_page_alone(
    chromium: Browser, site: SimpleNamespace, browser: Any
) -> None:
    number = full_claim(site.office)
    page = desk(chromium, site, browser("lead1"))
    opened(page, f"{site.url}/console/claims/{number}/")
    count = int(page.evaluate("document.querySelectorAll('main *').length"))
    for key, name in (("?", "Keyboard shortcuts"), ("/", "Command palette")):
        page.keyboard.press(key)
        raised = page.get_by_role("dialog", name=name)
        expect(raised).to_be_visible()
        page.keyboard.press("Escape")
        expect(raised).to_have_count(0)
        assert styled(page, key, "Escape") < count / 2, name


def test_what_is_raised_goes_with_a_press_beside_it_and_gives_the_focus_back(
    chromium: Browser, site: SimpleNamespace, browser: Any
) -> None:
    number = full_claim(site.office)
    page = desk(chromium, site, browser("lead1"))
    opened(page, f"{site.url}/console/claims/{number}/")
    link = page.locator("#menu li a").first
    link.focus()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys).to_be_visible()
    page.keyboard.press("?")  # once is enough
    expect(keys).to_have_count(1)
    page.keyboard.press("Escape")
    expect(link).to_be_focused()
    page.keyboard.press("?")
    expect(keys).to_be_visible()
    page.mouse.click(5, 880)
    expect(keys).to_have_count(0)


@pytest.mark.parametrize(
    ("who", "where"), [("expert1", "/console/calculation/"), ("admin1", "/console/health/"), (None, "/report/")]
)
def test_nothing_moves_while_a_page_appears(
    chromium: Browser, site: SimpleNamespace, browser: Any, who: str | None, where: str
) -> None:
    """Also with the slowest machine: nothing of it is painted before all of it was read."""
    page = desk(chromium, site, browser(who) if who else None)
    page.add_init_script(SHIFTS)
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    opened(page, site.url + where)
    page.wait_for_timeout(500)
    assert page.evaluate("window.shifted || 0") <= 0.01
    assert page.locator("link[rel=expect][blocking=render]").get_attribute("href") == "#end"
    assert page.evaluate("document.body.lastElementChild.id") == "end"
