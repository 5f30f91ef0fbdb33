"""The claim as a cockpit in a real browser: how many keys the day's work takes, two people at once, photos by keyboard."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from tests.browser.test_console import (
    PHONE,
    browser,
    chromium,
    claim,
    desk,
    fits,
    handler_code,
    office,
    site,
    today,
    violations,
)
from tests.company import NOW

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.domain.money import Money
from lipei.services import actions
from lipei.store import models

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
__all__ = ["browser", "chromium", "claim", "handler_code", "office", "site", "today"]  # fixtures

BUDGET = {
    "give_opinion": 4, "request_papers": 4, "assess": 14, "approve_decision": 2, "propose_refusal": 6, "send": 2,
}  # fmt: skip
"""Keys and clicks that an action may take, from the open page of the claim until it is sent. A chord counts as one key;
typing free text does not count."""


class Hands:
    """Somebody at the keyboard: counts keys and clicks, not the typing of free text."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def key(self, *keys: str) -> None:
        for one in keys:
            self.page.keyboard.press(one)
            self.count += 1

    def words(self, said: str) -> None:
        """Free text into the field in focus, in place of what stands there."""
        self.page.locator(":focus").fill(said)

    def click(self, target: Any) -> None:
        target.click()
        self.count += 1

    def sent(self, kind: str) -> int:
        """Send what is open; the count once the page came back."""
        with self.page.expect_navigation():
            self.key("Control+Enter")
        expect(self.page.get_by_role("status").first).to_contain_text("Done:")
        assert models.Entry.objects.filter(kind=kind).exists(), kind
        return self.count


def act(number: str, subject: str, action: str, part: int, command: Any, actor: Any) -> None:
    done = actions.act(number, subject, action, part, command, actor=actor, now=NOW)
    assert not isinstance(done, Refusal), (action, done)


def ready(page: Page) -> None:
    """The drawer is there and its first field has the focus."""
    page.wait_for_selector("#act:not([hidden]) form")
    page.wait_for_function("document.activeElement && document.activeElement.closest('#act')")


@pytest.fixture
def handler(office: SimpleNamespace, claim: str, handler_code: str) -> Any:
    return getattr(office, handler_code)


@pytest.fixture
def page(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client], claim: str, handler_code: str
) -> Iterator[Page]:
    made = desk(chromium, site, browser(handler_code))
    made.goto(f"{site.url}/console/claims/{claim}/")
    yield made
    made.context.close()


@pytest.mark.norm("2.2.1")
def test_the_opinion_takes_three_keys(page: Page) -> None:
    hands = Hands(page)
    hands.key("o")
    ready(page)
    hands.key("Alt+1")
    assert page.locator("#act textarea").input_value().startswith("您报的这起事故")
    assert hands.sent("claim.opinion_given") <= BUDGET["give_opinion"]


@pytest.mark.norm("2.2.2")
def test_asking_for_papers_takes_two_keys(page: Page) -> None:
    hands = Hands(page)
    hands.key("p")
    ready(page)
    assert hands.sent("claim.papers_requested") <= BUDGET["request_papers"]
    assert models.Paper.objects.count() >= 3


@pytest.mark.norm("2.2.3")
def test_an_assessment_of_three_items(page: Page, claim: str, handler: Any) -> None:
    if not models.Claim.objects.get(number=claim).registered_at:
        act(claim, "claim", "register", 0, c.Register(policy_number="PC-1"), handler)
    page.reload()
    hands = Hands(page)
    hands.key("a")
    ready(page)
    for n, (what, amount) in enumerate((("", "2400"), ("喷漆", "300"), ("雷达", "260"))):
        if n:
            hands.key("Enter")
        if what:
            hands.words(what)
            hands.key("Tab")
        hands.words(amount)
    assert hands.sent("exposure.assessed") <= BUDGET["assess"]
    exposure = models.Exposure.objects.get(part=1)
    assert (len(exposure.items), exposure.assessed_minor) == (3, 296_000)


def decided(number: str, office: SimpleNamespace, handler: Any, *, until: str) -> None:
    """Carry the claim on to where a decision, or an offer, is next."""
    if not models.Claim.objects.get(number=number).registered_at:
        act(number, "claim", "register", 0, c.Register(policy_number="PC-1"), handler)
    act(number, "claim", "give_opinion", 0, c.GiveOpinion("属于保险责任。"), handler)
    items = (c.ItemAssessed("后保险杠", assessed=Money(240_000, "CNY"), claimed=Money(265_000, "CNY")),)
    act(number, "exposure", "assess", 1, c.Assess(items=items), handler)
    act(number, "exposure", "check_assessment", 1, None, office.assessor1)
    act(number, "exposure", "submit_decision", 1, None, handler)
    if until == "offer":
        act(number, "exposure", "approve_decision", 1, None, office.approver1)


@pytest.mark.norm("2.2.3")
def test_approving_takes_two_keys(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client], claim: str, handler: Any
) -> None:
    decided(claim, site.office, handler, until="decision")
    page = desk(chromium, site, browser("approver1"))
    page.goto(f"{site.url}/console/claims/{claim}/")
    hands = Hands(page)
    hands.key("n")
    form = page.locator("#act form")
    expect(form).to_be_visible()
    assert not models.Entry.objects.filter(kind="exposure.decision_approved").exists()
    expect(form.locator(":focus")).to_have_count(1)
    with page.expect_navigation():
        hands.key("Control+Enter")
    assert models.Entry.objects.filter(kind="exposure.decision_approved").exists()
    assert hands.count <= BUDGET["approve_decision"]


@pytest.mark.norm("2.2.4")
def test_an_offer_takes_two_keys(page: Page, site: SimpleNamespace, claim: str, handler: Any) -> None:
    decided(claim, site.office, handler, until="offer")
    page.reload()
    hands = Hands(page)
    hands.key("f")
    ready(page)
    assert hands.sent("offer.sent") <= BUDGET["send"]


@pytest.mark.norm("4")
def test_a_refusal_with_reasons_takes_six(page: Page, claim: str, handler: Any) -> None:
    if not models.Claim.objects.get(number=claim).registered_at:
        act(claim, "claim", "register", 0, c.Register(policy_number="PC-1"), handler)
    page.reload()
    hands = Hands(page)
    hands.key("x")
    ready(page)
    hands.key("ArrowDown", "Tab")
    hands.key("ArrowDown", "Tab")  # the clause, of those that the terms have
    hands.words("事故发生时合同尚未生效。")
    assert hands.sent("exposure.refusal_proposed") <= BUDGET["propose_refusal"]


@pytest.mark.norm("4")
def test_what_is_typed_stays_while_the_page_shows_what_changed(page: Page, site: SimpleNamespace, claim: str) -> None:
    page.keyboard.press("o")
    ready(page)
    page.locator("#act textarea").fill("Covered. Please send the papers.")
    act(claim, "claim", "add_note", 0, c.Write("The customer rang again."), site.office.lead1)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    page.get_by_role("link", name="Show", exact=True).click()
    expect(page.locator("#timeline")).to_contain_text("The customer rang again.")
    assert page.locator("#act textarea").input_value() == "Covered. Please send the papers."
    page.locator("#act textarea").press("Control+Enter")
    expect(page.get_by_role("status").first).to_contain_text("Done:")
    assert models.Entry.objects.filter(kind="claim.opinion_given").count() == 1


@pytest.mark.bad_moment("a colleague was faster")
@pytest.mark.norm("4")
def test_a_stale_form_beside_the_claim_says_what_changed_and_keeps_the_words(
    page: Page, site: SimpleNamespace, claim: str
) -> None:
    page.keyboard.press("o")
    ready(page)
    page.locator("#act textarea").fill("Covered.")
    act(claim, "claim", "add_note", 0, c.Write("hello"), site.office.lead1)
    page.locator("#act textarea").press("Control+Enter")
    expect(page.locator("#act")).to_contain_text("What changed since you looked")
    expect(page.locator("#act textarea")).to_have_value("Covered.")
    page.keyboard.press("Escape")
    expect(page.locator("#act")).to_be_hidden()
    page.keyboard.press("o")  # taken up again
    expect(page.locator("#act textarea")).to_have_value("Covered.")


@pytest.mark.bad_moment("session ends")
def test_signed_out_while_typing_loses_nothing(
    page: Page, site: SimpleNamespace, browser: Callable[..., Client], handler_code: str
) -> None:
    from django.conf import settings

    page.keyboard.press("m")
    ready(page)
    page.locator("#act textarea").fill("Rang the customer.")
    name = settings.SESSION_COOKIE_NAME
    page.context.clear_cookies(name=name)
    page.locator("#act textarea").press("Control+Enter")
    expect(page.locator("#signed-out")).to_be_visible()
    assert page.locator("#act textarea").input_value() == "Rang the customer."
    page.context.add_cookies([{"name": name, "value": browser(handler_code).cookies[name].value, "url": site.url}])
    page.locator("#act textarea").press("Control+Enter")
    expect(page.get_by_role("status").first).to_contain_text("Done:")


def test_every_why_at_one_key(page: Page) -> None:
    closed = page.locator(".lp-claim .lp-why:not([open])").count()
    assert closed >= 3
    page.keyboard.press("w")
    assert page.locator(".lp-claim .lp-why:not([open])").count() == 0
    page.keyboard.press("w")
    assert page.locator(".lp-claim .lp-why:not([open])").count() == closed


def photos(client: Client, number: str, *colours: str) -> None:
    for colour in colours:
        made = io.BytesIO()
        Image.new("RGB", (400, 300), colour).save(made, "JPEG")
        file = SimpleUploadedFile(f"{colour}.jpg", made.getvalue(), "image/jpeg")
        client.post(f"/console/claims/{number}/upload/", {"file": file, "place": ""})


def test_photos_by_keyboard(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client], claim: str, handler_code: str
) -> None:
    client = browser(handler_code)
    photos(client, claim, "red", "green", "blue")
    page = desk(chromium, site, client)
    page.goto(f"{site.url}/console/claims/{claim}/")
    first = page.locator("a[data-photo]").first
    first.focus()
    page.keyboard.press("Enter")
    viewer = page.locator("#viewer")
    expect(viewer).to_be_visible()
    name, image = viewer.locator("[data-name]"), viewer.locator("[data-shown] img")
    expect(name).to_contain_text("1 / 3")
    expect(viewer).to_contain_text(models.Document.objects.get(part=1).digest)
    page.keyboard.press("ArrowRight")
    expect(name).to_contain_text("2 / 3")
    page.keyboard.press("r")
    page.keyboard.press("+")
    assert "rotate(90deg)" in str(image.get_attribute("style")) and "scale(1.25)" in str(image.get_attribute("style"))
    page.keyboard.press("c")
    expect(viewer.locator("[data-kept]")).to_be_visible()
    expect(name).to_contain_text("3 / 3")
    for _ in range(12):  # the focus stays inside
        page.keyboard.press("Tab")
        inside = page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('#viewer')"
        )
        assert inside
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    assert page.evaluate("document.activeElement.hasAttribute('data-photo')")
    assert models.Entry.objects.filter(kind="claim.personal_data_seen").count() == 1


def test_the_action_beside_the_claim_has_no_barriers_and_fits_a_phone(page: Page) -> None:
    page.get_by_role("link", name="Give the preliminary opinion").click()
    ready(page)
    assert violations(page) == []
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert fits(page)
    box = page.locator("#act").bounding_box()
    assert box is not None and box["width"] <= 360


@pytest.mark.parametrize("language", ["en", "zh-hans", "zh-hant"])
@pytest.mark.parametrize("width", [1280, 1024])
def test_the_bar_of_sections_is_never_cut(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client], claim: str, language: str, width: int
) -> None:
    page = desk(chromium, site, browser("lead1"), language=language, size={"width": width, "height": 900})
    page.goto(f"{site.url}/console/claims/{claim}/")
    bar = page.locator(".lp-claim-bar nav")
    assert bar.evaluate("one => one.scrollWidth <= one.clientWidth")
    whys = page.locator("[data-whys]")
    expect(whys).to_be_visible()
    assert whys.inner_text().strip(), "its name is read out where only its sign is seen"
