"""An action beside the claim that does not get through: the form stays with what was typed, and says so."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.test import Client
from playwright.sync_api import Browser, Route, expect
from tests.browser.test_console import browser, claim, desk, handler_code, office, site, today
from tests.web.conftest import reported

from lipei.domain import commands as c

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
__all__ = ["browser", "claim", "handler_code", "office", "site", "today"]  # fixtures


def unavailable(route: Route) -> None:
    """A server that restarts at this very moment."""
    route.fulfill(status=503, body="")


def gone(route: Route) -> None:
    """No network."""
    route.abort()


@pytest.mark.parametrize("trouble", [unavailable, gone])
def test_what_was_typed_stays_until_it_gets_through(
    chromium: Browser,
    site: SimpleNamespace,
    browser: Callable[..., Client],
    claim: str,
    handler_code: str,
    trouble: Callable[[Route], None],
) -> None:
    page = desk(chromium, site, browser(handler_code))
    page.goto(f"{site.url}/console/claims/{claim}/")
    page.keyboard.press("m")
    text = page.locator("#act textarea")
    text.fill("Rang the customer.")
    page.route("**/add_note/", trouble)
    text.press("Control+Enter")
    expect(page.locator("#not-sent")).to_be_visible()
    assert text.input_value() == "Rang the customer."
    page.unroute("**/add_note/")
    text.press("Control+Enter")
    expect(page.get_by_role("status").first).to_contain_text("Done:")
    expect(page.locator("#not-sent")).to_be_hidden()


def test_a_form_that_does_not_open_says_why(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client], claim: str, handler_code: str
) -> None:
    page = desk(chromium, site, browser(handler_code))
    page.goto(f"{site.url}/console/claims/{claim}/")
    page.route("**/add_note/", unavailable)
    page.keyboard.press("m")
    expect(page.locator("#not-sent")).to_be_in_viewport()
    page.unroute("**/add_note/")
    page.keyboard.press("m")
    expect(page.locator("#act textarea")).to_be_focused()
    expect(page.locator("#not-sent")).to_be_hidden()


def test_a_key_for_a_step_on_several_heads_asks_which(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client]
) -> None:
    heads = (c.ExposureReported("own_damage", "collision"), c.ExposureReported("compulsory_property", "collision"))
    number = reported(site.office, exposures=heads)
    page = desk(chromium, site, browser("lead1"))
    page.goto(f"{site.url}/console/claims/{number}/")
    page.keyboard.press("r")
    which = page.get_by_role("dialog")
    expect(which.get_by_role("button")).to_have_count(2)
    page.keyboard.press("2")
    expect(page.locator("#act form")).to_have_attribute("action", re.compile(r"/exposures/2/set_reserve/$"))
    expect(which).to_have_count(0)
