"""The rules in a real browser: a manager changes them in forms, sees the effect first, with and without JavaScript."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, expect
from tests.browser.test_console import PHONE, desk, fits, opened, shot, site, violations
from tests.web.conftest import browser, office, reported, today
from tests.web.test_settings import edited

from lipei.norms.texts import LANGUAGES
from lipei.reads import rulebook
from lipei.store import models

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
__all__ = ["browser", "office", "site", "today"]  # fixtures


@pytest.mark.norm("2.3.1")
def test_a_manager_shortens_a_promise_and_lifts_a_limit_seeing_the_effect(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client]
) -> None:
    number = reported(site.office)
    page = desk(chromium, site, browser("manager1"), javascript=False)
    opened(page, f"{site.url}/console/norms/promises/")
    page.get_by_role("link", name="Change: Preliminary opinion", exact=True).click()
    expect(page.get_by_role("group", name="Name").get_by_label("Simplified Chinese")).to_be_focused()
    page.get_by_label("Time limit").fill("twenty")
    expect(page.get_by_role("button", name="Save")).to_have_count(0)  # the first button previews
    page.get_by_role("button", name="Preview the effect").first.click()
    field = page.get_by_label("Time limit")
    expect(field).to_be_focused()
    expect(field).to_have_value("twenty")
    expect(page.locator("#f-limit-error")).to_have_text("Please enter a number.")
    field.fill("20")
    page.keyboard.press("Enter")  # previews as well
    expect(page.get_by_text("24 hours → 20 hours").first).to_be_visible()
    expect(page.get_by_role("table", name="Effect on open claims")).to_contain_text(number)
    assert models.NormVersion.objects.count() == 0
    shot(page, "rules-promise-preview")
    page.get_by_label("Reason of the change").fill("Faster")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("row", name="Preliminary opinion")).to_contain_text("20 hours")
    assert rulebook.current().promises.current["preliminary_opinion"].limit == 20

    opened(page, f"{site.url}/console/norms/authority/")
    page.get_by_role("link", name="Change: Claims handler · Approve the claim", exact=True).click()
    page.get_by_label("CNY", exact=True).fill("12,500")
    page.get_by_role("button", name="Preview the effect").first.click()
    expect(page.locator(".lp-norm-changes")).to_contain_text("CNY 12,500.00")
    page.get_by_label("Reason of the change").fill("Inflation")
    page.get_by_role("button", name="Save", exact=True).click()
    limit = next(m for m in rulebook.current().authority.limits if m.role == "handler" and "decide" in m.kinds)
    assert limit.limits_minor["CNY"] == 1_250_000
    page.get_by_role("link", name="Version 2").click()
    expect(page.locator(".lp-norm-changes")).to_contain_text("CNY 10,000.00")
    expect(page.get_by_text("Inflation").first).to_be_visible()


@pytest.mark.norm("2.3.3")
def test_a_person_is_put_on_duty_seeing_the_week(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client]
) -> None:
    one = site.office.rows["handler1"].id

    def whole(document):  # type: ignore[no-untyped-def]
        document["shifts"] = [{"from": "2026-11-23 00:00", "to": "2026-12-20 00:00", "persons": [one]}]

    said = {"document": edited("duty", whole), "seen_version": "1", "reason": "roster", "save": "1"}
    assert browser("manager1").post("/console/norms/duty/edit/", said).status_code == 302
    page = desk(chromium, site, browser("manager1"), javascript=False)
    opened(page, f"{site.url}/console/duty/?week=2026-11-23")
    page.get_by_role("link", name="Plan this week").click()
    friday = page.get_by_role("group", name="Friday 11-27")
    friday.get_by_label("Called first").select_option("")
    page.get_by_role("button", name="Preview the effect").last.click()
    expect(page.get_by_role("alert")).to_contain_text("nobody is on duty from 2026-11-27 12:00")
    page.get_by_role("group", name="Friday 11-27").get_by_label("Called first").select_option(label="Handler2")
    page.get_by_role("button", name="Preview the effect").last.click()
    expect(page.get_by_role("region", name="The week as it would be")).to_contain_text("Handler2")
    shot(page, "duty-plan")
    page.get_by_label("Reason of the change").fill("Handler1 is at a wedding")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("region", name="Roster")).to_contain_text("Handler2")


@pytest.mark.slow
@pytest.mark.parametrize(("language", "look"), list(zip(LANGUAGES, ("light", "dark", "light"), strict=True)))
def test_tables_and_forms_fit_and_are_clean(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client], language: str, look: Any
) -> None:
    """Each fits in every language; barriers, which hang on the form and not on the words, are looked for in one in turn."""
    page = desk(chromium, site, browser("manager1"), language=language)
    page.emulate_media(color_scheme=look)
    for turn, path in enumerate((
        "norms/promises/", "norms/authority/", "norms/messages/", "norms/promises/edit/?part=promises/0",
        "norms/authority/edit/?part=limits/0", "norms/triage/edit/?part=rules/7", "norms/messages/edit/?part=messages/0",
        "norms/settings/edit/?part=settings/languages", "norms/straight_through/edit/?part=payment", "duty/plan/",
    )):  # fmt: skip
        opened(page, f"{site.url}/console/{path}")
        for size in ({"width": 1280, "height": 900}, PHONE):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            assert fits(page), (path, size)
        if LANGUAGES[turn % len(LANGUAGES)] == language:
            assert not violations(page), path
