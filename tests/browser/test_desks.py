"""The desks of those who are not handlers, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.test import Client
from playwright.sync_api import Browser, expect
from tests.browser.test_console import PHONE, desk, fits, opened, shot, site, violations
from tests.web.conftest import browser, office, reported, today
from tests.web.test_team import given

from lipei.store import models

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
__all__ = ["browser", "office", "site", "today"]  # fixtures


def test_claims_are_given_to_somebody_by_key_and_by_dragging(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client]
) -> None:
    first, second = given(site.office, 1, 2)
    one, other = (site.office.rows[code] for code in ("handler1", "handler2"))
    page = desk(chromium, site, browser("lead1"))
    opened(page, f"{site.url}/console/team/")
    assert fits(page) and not violations(page)
    page.keyboard.press("j")
    page.keyboard.press("a")  # the claim one is at, and the list of people
    expect(page.locator("#to")).to_be_focused()
    expect(page.get_by_label(f"Select claim {first}")).to_be_checked()
    page.keyboard.type("Handler2")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Handler: Handler1 → Handler2")).to_be_visible()
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_text("Done: 1")).to_be_visible()
    assert models.Claim.objects.get(number=first).handler == other.id
    page.get_by_role("link", name="Back to the list").click()
    page.wait_for_url(f"{site.url}/console/team/")
    page.locator(f"[data-row='{second}'] .lp-work-waits").drag_to(page.locator(f"[data-person='{other.id}']"))
    expect(page.get_by_text("Handler: Handler1 → Handler2")).to_be_visible()
    shot(page, "team-preview")
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_text("Done: 1")).to_be_visible()
    assert models.Claim.objects.get(number=second).handler == other.id
    page.get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Undone")
    assert models.Claim.objects.get(number=second).handler == one.id
    page.set_viewport_size(PHONE)
    opened(page, f"{site.url}/console/team/")
    assert fits(page)


def test_a_day_is_changed_after_its_effect_was_seen(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client]
) -> None:
    number = reported(site.office)
    page = desk(chromium, site, browser("manager1"), javascript=False)
    opened(page, f"{site.url}/console/calendar/?year=2026")
    assert fits(page)
    page.get_by_role("link", name="2026-11-24 · Working day").click()
    page.get_by_label("These days are").select_option("day off")
    page.get_by_label("Holiday or occasion").fill("Founding day")
    page.get_by_label("Reason of the change").fill("The board")
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    page.get_by_role("button", name="Preview the effect").click()
    expect(page.get_by_role("table", name="Effect on open claims")).to_contain_text(number)
    shot(page, "calendar-preview")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("link", name="2026-11-24 · Day off · Founding day")).to_be_visible()
    assert models.NormVersion.objects.get(version=2).reason == "The board"
    page.set_viewport_size(PHONE)
    assert fits(page)
