"""My day in a real browser: keys, a selection that outlives its page, and rows that change under nobody's hands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from tests.browser.test_console import PHONE, desk, fits, opened, shot, site, violations
from tests.company import NOW
from tests.web.conftest import browser, office, reported, today

from lipei.domain import commands as c
from lipei.services import actions
from lipei.store import models
from lipei.web.console import work

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
__all__ = ["browser", "office", "site", "today"]  # fixtures


def given(site: SimpleNamespace, count: int) -> list[str]:
    """Claims of handler1, one due every hour from an hour ago."""
    found = [reported(site.office, story=f"第{n}件：停车时被刮擦。", phone=f"1390013{n:04}") for n in range(count)]
    for n, number in enumerate(found):
        models.Claim.objects.filter(number=number).update(
            handler=site.office.rows["handler1"].id, due_at=NOW + timedelta(hours=n - 1), fast_lane=False
        )
    return found


def here(page: Page) -> str:
    return str(page.evaluate("document.activeElement.closest('[data-row]')?.dataset.row || ''"))


def asked(page: Page) -> None:
    """The page asks whether anything is new, as it does by itself every twenty seconds."""
    with page.expect_response(lambda answer: "/console/work/" in answer.url and "hx-request" in answer.request.headers):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_keys_walk_select_and_take_the_next_claim(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client]
) -> None:
    numbers = given(site, 3)
    page = desk(chromium, site, browser("handler1"))
    opened(page, f"{site.url}/console/work/")
    for key, number in zip("jjk", (numbers[0], numbers[1], numbers[0]), strict=True):
        page.keyboard.press(key)
        assert here(page) == number
    page.keyboard.press("x")
    expect(page.locator("#selected")).to_have_text("1 selected")
    expect(page.get_by_label(f"Select claim {numbers[0]}")).to_be_checked()
    shot(page, "worklist-selected")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/console/claims/{numbers[1]}/")
    page.go_back()
    expect(page.locator("#selected")).to_have_text("1 selected")  # still selected
    page.keyboard.press("t")  # one key: the claim whose promise breaks first
    page.wait_for_url(f"{site.url}/console/claims/{numbers[0]}/")
    assert models.Claim.objects.get(number=numbers[0]).accepted_at == NOW


def test_rows_change_without_anybody_losing_their_place(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client]
) -> None:
    numbers = given(site, 12)
    page = desk(chromium, site, browser("handler1"))
    page.set_viewport_size({"width": 1280, "height": 500})
    opened(page, f"{site.url}/console/work/")
    kept = page.locator(f"[data-row='{numbers[8]}']")
    kept.get_by_role("checkbox").check()
    kept.locator("[data-open]").focus()
    kept.scroll_into_view_if_needed()
    before = kept.bounding_box()
    asked(page)  # nothing is new
    page.evaluate("document.querySelector('#rows > div').dataset.same_node = 'yes'")
    asked(page)
    assert page.evaluate("document.querySelector('#rows > div').dataset.same_node") == "yes"
    new = reported(site.office, story="又一件", phone="13700137000")
    models.Claim.objects.filter(number=new).update(
        handler=site.office.rows["handler1"].id, due_at=NOW - timedelta(hours=5), fast_lane=False
    )
    actions.act(numbers[8], "claim", "add_note", 0, c.Write("客户来电"), actor=site.office.lead1, now=NOW)
    models.Claim.objects.filter(number=numbers[8]).update(due_at=NOW + timedelta(hours=7))
    asked(page)
    expect(page.locator(f"[data-row='{new}']")).to_have_count(1)
    expect(page.locator("#live")).to_have_text("The list was updated; 1 new.")
    assert page.locator("#rows [data-row]").first.get_attribute("data-row") == new  # above everything
    after = kept.bounding_box()
    assert here(page) == numbers[8] and before and after and abs(before["y"] - after["y"]) < 2
    expect(kept.get_by_role("checkbox")).to_be_checked()


def test_a_selection_goes_over_pages_and_through_preview_to_undo(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(work.ROWS, "worklist", 2)
    numbers = given(site, 3)
    handler1, handler2 = (site.office.rows[code] for code in ("handler1", "handler2"))
    page = desk(chromium, site, browser("lead1"))
    opened(page, f"{site.url}/console/work/?whose=unit")
    page.get_by_label("Select all on this page").check()
    page.keyboard.press("n")
    page.wait_for_url("**cursor=**")
    page.get_by_label(f"Select claim {numbers[2]}").check()
    expect(page.locator("#selected")).to_have_text("3 selected")
    page.get_by_label("What to do").select_option("assign")
    page.get_by_role("button", name="Preview").click()
    page.locator("#f-handler").select_option(str(handler2.id))
    page.get_by_role("button", name="Preview").click()
    assert page.get_by_text("Handler: Handler1 → Handler2").count() == 3
    shot(page, "worklist-preview")
    page.get_by_role("button", name="Do it").click()
    expect(page.get_by_text("Done: 3")).to_be_visible()
    assert set(models.Claim.objects.values_list("handler", flat=True)) == {handler2.id}
    page.get_by_role("link", name="Undo").click()
    assert page.get_by_text("Handler: Handler2 → Handler1").count() == 3
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status")).to_contain_text("Undone")
    assert set(models.Claim.objects.values_list("handler", flat=True)) == {handler1.id}
    opened(page, f"{site.url}/console/work/?whose=unit")
    expect(page.locator("#several")).to_be_hidden()  # nothing is selected any more


def test_nobody_is_shut_out_and_nothing_is_too_wide(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client]
) -> None:
    numbers, found = given(site, 2), []
    models.Staff.objects.filter(code="handler1").update(name="欧阳" + "长" * 38)
    page = desk(chromium, site, browser("lead1"))

    def look(where: str, name: str, prepare: Callable[[], Any] = lambda: None) -> None:
        page.set_viewport_size({"width": 1280, "height": 900})
        opened(page, f"{site.url}{where}")
        prepare()
        found.extend(f"{name}: {v}" for v in violations(page))
        shot(page, f"worklist-{name}")
        page.emulate_media(color_scheme="dark")
        expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
        found.extend(f"{name} dark: {v}" for v in violations(page, only="color-contrast"))
        page.emulate_media(color_scheme="light")
        for width in (PHONE["width"], 768, 1920):
            page.set_viewport_size({"width": width, "height": 800})
            if not fits(page):
                found.append(f"{name}: wider than {width}")
        shot(page, f"worklist-{name}-wide")

    def menus() -> None:
        for summary in page.locator(".lp-work-menu > summary, .lp-work-more > summary").all()[:1]:
            summary.click()

    look("/console/work/?whose=unit&due=late&line=motor", "filtered", menus)
    look("/console/claims/?col=unit&col=lane&col=reported&col=loss_at&col=estimate&col=handler&col=loss", "columns")
    page.set_viewport_size({"width": 1280, "height": 900})
    opened(page, f"{site.url}/console/work/?whose=unit")
    page.get_by_label(f"Select claim {numbers[0]}").check()
    page.get_by_label("What to do").select_option("request_papers")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Preview").click()
    found += [f"preview: {v}" for v in violations(page)]
    page.get_by_role("button", name="Do it").click()
    found += [f"done: {v}" for v in violations(page)]
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert fits(page)
    assert not found, "\n".join(found)
