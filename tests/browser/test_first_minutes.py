"""The palette, the keys and the tour by keyboard alone, and a report taken on the phone, in a real browser."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Browser, expect
from tests.browser.test_console import PHONE, WIDE, desk, fits, opened, shot, site, violations
from tests.web.conftest import browser, claim, handler_code, office, reported, today

from lipei.store import models
from lipei.web import doors

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
__all__ = ["browser", "claim", "handler_code", "office", "site", "today"]  # fixtures


def test_a_claim_is_found_by_its_plate_in_two_keys(
    chromium: Browser, site: SimpleNamespace, browser: Any, claim: str
) -> None:
    page = desk(chromium, site, browser("intake1"))
    opened(page, f"{site.url}/console/report/")
    page.get_by_role("heading", level=1).click()  # out of the story, where keys are letters
    page.keyboard.press("/")
    palette = page.get_by_role("dialog")
    expect(page.get_by_role("combobox", name="Command palette")).to_be_focused()
    page.keyboard.type("沪A12345")
    expect(palette.get_by_role("option", name=re.compile(claim))).to_have_attribute("aria-selected", "true")
    assert violations(page) == []
    shot(page, "palette")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/console/claims/{claim}/")
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys.get_by_text("Worklist").first).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(keys).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url("**/console/report/")


def test_what_is_to_be_done_is_said_first_and_the_claim_after(
    chromium: Browser, site: SimpleNamespace, browser: Any, claim: str
) -> None:
    page = desk(chromium, site, browser("manager1"))
    opened(page, f"{site.url}/console/claims/")
    palette = page.get_by_role("dialog")

    def open_palette() -> None:
        page.keyboard.press("/")
        expect(page.get_by_role("combobox", name="Command palette")).to_be_focused()

    def say(words: str, option: str) -> None:
        page.keyboard.type(words)
        expect(palette.get_by_role("option", name=re.compile(option), selected=True)).to_be_visible()
        page.keyboard.press("Enter")

    open_palette()
    say("add a note", "Add a note")
    expect(page.get_by_role("combobox", name=re.compile("on which claim"))).to_be_focused()
    assert violations(page) == []
    shot(page, "palette-which-claim")
    say("沪A12345", claim)
    page.wait_for_url(f"**/console/claims/{claim}/add_note/")

    opened(page, f"{site.url}/console/claims/")
    page.keyboard.press("j")
    open_palette()
    say("add a note", "Add a note")
    expect(palette.get_by_role("option", name=re.compile("Where you are in the list"))).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/console/claims/{claim}/add_note/")

    opened(page, f"{site.url}/console/claims/")
    open_palette()
    say("columns", "Columns")
    expect(page.get_by_role("checkbox", name="Unit")).to_be_visible()
    open_palette()
    say("look dark", "Dark")
    page.wait_for_selector("html[data-bs-theme=dark]")
    page.wait_for_load_state("networkidle")
    open_palette()
    page.keyboard.type("sign out")
    expect(palette.get_by_role("option", name="Sign out")).to_be_visible()
    page.wait_for_load_state("networkidle")


def test_the_tour_goes_by_keyboard_is_left_and_goes_on(chromium: Browser, site: SimpleNamespace, browser: Any) -> None:
    page = desk(chromium, site, browser("admin1"))
    opened(page, f"{site.url}/console/tour/")
    page.get_by_role("button", name="Start the tour").press("Enter")
    tour = page.get_by_role("dialog", name="Two-minute tour")
    expect(tour).to_contain_text("Step 1 of 6")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/console/staff/")
    expect(tour).to_contain_text("Step 2 of 6")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(tour).to_have_count(0)
    opened(page, f"{site.url}/console/norms/")
    expect(tour).to_have_count(0)  # left is left
    opened(page, f"{site.url}/console/tour/")
    page.get_by_role("button", name="Go on with the tour").click()
    page.wait_for_url("**/console/staff/")
    expect(tour).to_contain_text("Step 2 of 6")


UNCOVERED = """() => {
  const target = document.querySelector(".lp-tour-target"), at = target.getBoundingClientRect();
  const seen = (x, y) => target.contains(document.elementFromPoint(x, y));
  const y = Math.min(at.height, 140) - 4;
  return [[at.left + 6, at.top + 4], [at.right - 6, at.top + 4], [at.left + at.width / 2, at.top + y]].map(p => seen(...p));
}"""
"""Whether the beginning of what the tour speaks of is seen: its corners above, and what stands below them."""


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_the_tour_does_not_hide_what_it_speaks_of(
    chromium: Browser, site: SimpleNamespace, browser: Any, claim: str, handler_code: str, size: Any
) -> None:
    client = browser(handler_code)
    session = client.session
    session[doors.ROLE] = "handler"
    session.save()
    page = desk(chromium, site, client, size=size)
    opened(page, f"{site.url}/console/tour/")
    page.get_by_role("button", name="Start the tour").click()
    tour = page.get_by_role("dialog", name="Two-minute tour")
    for n in range(1, 8):
        expect(tour).to_contain_text(f"Step {n} of 7")
        page.wait_for_load_state("networkidle")
        shot(page, f"tour-{n}")
        assert page.evaluate(UNCOVERED) == [True] * 3, n
        assert fits(page)
        tour.get_by_role("button").nth(1).click()
    expect(tour).to_have_count(0)


def test_a_small_motor_loss_is_taken_on_the_phone(chromium: Browser, site: SimpleNamespace, browser: Any) -> None:
    """Beside the story five presses: plate, phone, time, kind of loss, report. Nothing else is typed."""
    page = desk(chromium, site, browser("intake1"))
    opened(page, f"{site.url}/console/report/")
    expect(page.locator("#f-story")).to_be_focused()
    page.keyboard.type("今天早上倒车时撞到柱子，车牌沪A12345，没有人受伤，电话13800138000。")
    for words in ("沪A12345", "13800138000", "今天早上", "倒车"):
        page.locator(".lp-hint", has_text=words).click()
        expect(page.locator(".lp-hint", has_text=words)).to_have_count(0)
    expect(page.locator("#found")).to_contain_text("王*明")
    expect(page.locator("#f-name")).to_be_hidden()
    expect(page.locator("#f-loss_kind")).to_have_value("single_vehicle")
    assert violations(page) == [] and fits(page)
    shot(page, "intake")
    page.locator("button[data-key=s]").click()
    expect(page.get_by_role("heading", name="Read this out to the customer")).to_be_visible()
    assert violations(page) == []
    made = models.Claim.objects.get()
    assert (made.policy_number, made.line, made.loss_kind) == ("PC-1", "motor", "single_vehicle")
    page.set_viewport_size({"width": 360, "height": 740})
    assert fits(page)


def test_once_the_line_is_known_only_its_own_is_to_choose_from(
    chromium: Browser, site: SimpleNamespace, browser: Any
) -> None:
    page = desk(chromium, site, browser("intake1"))
    opened(page, f"{site.url}/console/report/")
    codes = "e => [...e.options].map(o => o.value).filter(Boolean)"
    kinds, cover = page.locator("#f-loss_kind"), page.locator("[name='exposures-0-cover']")
    assert {"collision", "illness_medical"} <= set(kinds.evaluate(codes))
    kinds.select_option("illness_medical")
    page.locator("#f-line").select_option("motor")
    assert {"collision", "illness_medical"} <= set(kinds.evaluate(codes)), "what was chosen stays"
    assert "hospital_allowance" not in kinds.evaluate(codes) and kinds.input_value() == "illness_medical"
    assert "own_damage" in cover.evaluate(codes) and "medical_expense" not in cover.evaluate(codes)
    page.locator("#f-line").select_option("")
    assert "medical_expense" in cover.evaluate(codes)
    page.locator("#f-policy_number").fill("PC-1")
    expect(page.locator("#found")).to_contain_text("王*明")
    assert "own_damage" in cover.evaluate(codes) and "medical_expense" not in cover.evaluate(codes)


@pytest.mark.bad_moment("back after submit")
def test_going_back_after_a_report_shows_that_it_was_taken_and_makes_no_second(
    chromium: Browser, site: SimpleNamespace, browser: Any
) -> None:
    page = desk(chromium, site, browser("intake1"))
    opened(page, f"{site.url}/console/report/")
    page.locator("#f-story").fill("家里水管爆了，地板泡坏。")
    page.locator("#f-phone").fill("13900001111")
    page.locator("button[data-key=s]").click()
    read_out = page.get_by_role("heading", name="Read this out to the customer")
    expect(read_out).to_be_visible()
    number = models.Claim.objects.get().number
    page.go_back()
    expect(page.locator("#today + table")).to_contain_text(number)
    page.locator("button[data-key=s]").click()  # a form anew, whatever the browser puts back into it
    expect(page.get_by_role("alert").first).to_be_visible()
    assert models.Claim.objects.count() == 1


@pytest.mark.bad_moment("right to left")
@pytest.mark.bad_moment("short and long names")
def test_odd_names_and_words_from_right_to_left_fit_the_smallest_screen(
    chromium: Browser, site: SimpleNamespace, browser: Any
) -> None:
    said = "اصطدمت السيارة بالعمود " * 20
    number = reported(site.office, story=said, name="司" * 40)
    page = desk(chromium, site, browser("lead1"), size={"width": 360, "height": 740})
    for where in (f"claims/{number}/", "work/?whose=all", "approvals/", "report/"):
        opened(page, f"{site.url}/console/{where}")
        assert fits(page), where
    opened(page, f"{site.url}/console/claims/{number}/")
    story = page.locator(".lp-told").first
    assert story.evaluate("one => getComputedStyle(one).direction") == "rtl"
    assert page.locator("h1").evaluate("one => getComputedStyle(one).direction") == "ltr"
