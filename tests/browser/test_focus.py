"""Whoever goes through a page by keyboard sees where they are: nothing covers it, and it is marked."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page
from tests.browser.test_console import PHONE, WIDE, desk, office, opened, site, today
from tests.web.conftest import browser, full_claim

from lipei.services import portal
from lipei.services.portal import Visit

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
__all__ = ["browser", "office", "site", "today"]  # fixtures

HIDDEN = """async () => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  await new Promise(requestAnimationFrame);  // nothing scrolls smoothly here: it has come to rest
  const about = e.outerHTML.slice(0, 140), seen = e.closest('label') || e.labels?.[0] || e;
  const marked = [e, e.parentElement, seen].some(one => {
    const style = getComputedStyle(one);
    return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none';
  });
  if (!marked && e.type !== 'datetime-local') return 'not marked: ' + about;
  const at = [...e.getClientRects()].find(r => r.width > 1 && r.height > 1) || seen.getClientRects()[0];
  if (!at) return 'not drawn: ' + about;
  const x = (Math.max(at.left, 0) + Math.min(at.right, innerWidth)) / 2;
  const y = (Math.max(at.top, 0) + Math.min(at.bottom, innerHeight)) / 2;
  const top = document.elementFromPoint(x, y);
  const free = top && (e.contains(top) || top.contains(e) || seen.contains(top));
  return free ? '' : `covered by ${top ? top.outerHTML.slice(0, 80) : 'nothing'}: ${about}`;
}"""
"""What keeps the element in focus from being seen; empty: nothing does, null: no element has the
focus. The button within a field for a date is drawn and marked by the browser."""
STEPS_MAX = 150
"""So many presses of the tab key go through the longest of these pages."""


def unseen(page: Page, where: str) -> list[str]:
    """Once through the page, from the link that skips the menu on; without motion, which is waited for at every step."""
    page.emulate_media(reduced_motion="reduce")
    opened(page, where)
    page.locator(".lp-skip").focus()
    found = []
    for step in range(STEPS_MAX):
        why = page.evaluate(HIDDEN)
        page.keyboard.press("Tab")
        if why is None or (step and page.evaluate("document.activeElement.matches('.lp-skip')")):  # past the last one
            break
        if why:
            found.append(f"{where}, step {step + 1}: {why}")
    assert step > 3, where
    return found


def test_the_focus_is_seen_on_every_step_through_the_console(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client]
) -> None:
    number, found = full_claim(site.office), []
    page = desk(chromium, site, browser("manager1"))
    for where in (
        "",
        "work/?whose=all",
        f"claims/{number}/",
        f"claims/{number}/add_note/",
        "report/",
        "norms/",
        "staff/",
    ):
        found += unseen(page, f"{site.url}/console/{where}")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    for where in ("work/?whose=all", f"claims/{number}/"):
        found += [f"phone: {why}" for why in unseen(page, f"{site.url}/console/{where}")]
    page.context.close()
    assert not found, "\n".join(found)


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["desktop", "phone"])
def test_the_focus_is_seen_on_every_step_through_the_portal(
    chromium: Browser, site: SimpleNamespace, size: Any
) -> None:
    number, found = full_claim(site.office), []
    page = desk(chromium, site, None, size=size)
    page.goto(site.url + portal.link(Visit(number, 1, verified=True), now=timezone.now()))
    for where in ("report/", "help/", "claim/", f"claim/{number}/", f"claim/{number}/withdraw"):
        found += unseen(page, f"{site.url}/{where}")
    page.context.close()
    assert not found, "\n".join(found)
