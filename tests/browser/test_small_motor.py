"""Journey (a) in a real browser: a small motor claim from the roadside to the money, on a phone and at the desk."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page
from tests.browser.test_console import desk
from tests.browser.test_portal import browser, own_folder, people, phone, shot, site
from tests.company import card
from tests.portal.conftest import code_sent
from tests.portal.test_uploads import photo

from lipei.jobs import loop
from lipei.norms.texts import text
from lipei.store import models

pytestmark = [pytest.mark.once, pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.norm("1.3.1")]
__all__ = ["browser", "own_folder", "people", "site"]  # fixtures
LANGUAGE = "zh-hans"


def said(key: str, **more: Any) -> str:
    return text(key, LANGUAGE, **more)


def test_from_the_roadside_to_the_money(browser: Browser, site: SimpleNamespace, tmp_path: Path) -> None:
    models.Policy.objects.filter(number="PC-1").update(account_number=card(1), account_name="王小明")
    customer = phone(browser, site)
    number = report(customer, site)
    handler = sign_in(browser, site, number)
    handler.goto(f"{site.url}/console/claims/{number}/request_papers/")
    handler.get_by_role("button", name=said("action.claim.request_papers")).click()
    send_papers(customer, site, number, tmp_path)
    claim = models.Claim.objects.get(number=number)
    assert models.Payment.objects.get(aggregate_id=claim.id).state == "approved", "nobody but the rules decided"
    for hours in (0, 12):  # the bank confirms; what quiet hours held back is told in the morning
        loop.settle(timezone.now() + timedelta(hours=hours))
    customer.goto(f"{site.url}/claim/{number}/")
    paid = customer.locator("section", has=customer.locator("#payments"))
    assert said("portal.payment.state.confirmed") in paid.inner_text() and "2,150.00" in paid.inner_text()
    shot(customer, "journey-paid")
    handler.goto(f"{site.url}/console/claims/{number}/")
    assert said("state.claim.closed") in handler.locator("main").inner_text()
    told = models.Delivery.objects.filter(stream_id=claim.id, message="payment_confirmed", sent_at__isnull=False)
    assert told.count() == 1
    customer.context.close()
    handler.context.close()


def report(page: Page, site: SimpleNamespace) -> str:
    """A story, a phone and what is broken; the number on the receipt."""
    page.goto(site.url)
    page.fill("#story", "倒车时撞到柱子，后保险杠破损。")
    page.fill("#phone", "13800138000")
    page.click("details summary")
    happened = timezone.now().astimezone(ZoneInfo("Asia/Shanghai")) - timedelta(hours=2)
    page.fill("#loss_at", f"{happened:%Y-%m-%dT%H:%M}")
    page.select_option("#kind", "motor:single_vehicle")
    page.fill("#item_1", "后保险杠")
    page.fill("#item_1_amount", "2650")
    page.check("[name=accept_automatic]")
    page.click("main form button")
    page.wait_for_url("**/receipt")
    number = page.inner_text(".lp-big >> nth=0")
    shot(page, "journey-receipt")
    return number


def sign_in(browser: Browser, site: SimpleNamespace, number: str) -> Page:
    """The colleague who handles the claim, at the desk."""
    row = models.Staff.objects.get(id=models.Claim.objects.get(number=number).handler)
    row.user = get_user_model().objects.create_user(row.code)
    row.save()
    client = Client()
    client.force_login(row.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return desk(browser, site, client, language=LANGUAGE)


def send_papers(page: Page, site: SimpleNamespace, number: str, folder: Path) -> None:
    """The customer proves who it is and sends a different photo for each paper that is asked for."""
    page.goto(f"{site.url}/claim/")
    page.fill("#number", number)
    page.fill("#phone", "13800138000")
    page.click("main form button")
    page.fill("#code", code_sent(number, "portal_code"))
    page.click("main form button")
    page.wait_for_url(f"**/claim/{number}/")
    claim = models.Claim.objects.get(number=number)
    wanted = models.Paper.objects.filter(aggregate_id=claim.id, required=True).order_by("part")
    for part in wanted.values_list("part", flat=True):
        picture = folder / f"paper-{part}.jpg"
        picture.write_bytes(photo(part))
        page.set_input_files(f"#files-{part}", str(picture))
        with page.expect_navigation():
            page.click(f"#paper-{part} .po-upload > button")
