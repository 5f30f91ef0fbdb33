"""The claim as a cockpit in a real browser: how many keys the day's work takes, two people at once, photos by keyboard."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from tests.browser.hands import Hands
from tests.browser.looking import ill_laid
from tests.browser.test_console import (
    PHONE,
    browser,
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
from lipei.norms.texts import LANGUAGES
from lipei.services import actions
from lipei.store import models

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]
__all__ = ["browser", "claim", "handler_code", "office", "site", "today"]  # fixtures


def sent(hands: Hands, action: str, kind: str) -> None:
    """Send what is open; once the page came back it has taken what is published."""
    with hands.page.expect_navigation():
        hands.key("Control+Enter")
    expect(hands.page.get_by_role("status").first).to_contain_text("Done:")
    assert models.Entry.objects.filter(kind=kind).exists(), kind
    hands.counted(action)


def act(number: str, subject: str, action: str, part: int, command: Any, actor: Any) -> None:
    done = actions.act(number, subject, action, part, command, actor=actor, now=NOW)
    assert not isinstance(done, Refusal), (action, done)


def ready(page: Page) -> None:
    """The drawer is there and its first field has the focus."""
    page.wait_for_selector("#act:not([hidden]) form")
    page.wait_for_function("document.activeElement && document.activeElement.closest('#act')")


PRINTED_PAGES_MAX = 4
"""Of a claim on which little happened yet."""


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
    sent(hands, "give_opinion", "claim.opinion_given")


@pytest.mark.norm("2.2.2")
def test_asking_for_papers_takes_two_keys(page: Page) -> None:
    hands = Hands(page)
    hands.key("p")
    ready(page)
    sent(hands, "request_papers", "claim.papers_requested")
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
    sent(hands, "assess", "exposure.assessed")
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
    hands.counted("approve_decision")


def test_what_waits_for_a_word_fits_every_screen(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client], claim: str, handler: Any
) -> None:
    decided(claim, site.office, handler, until="decision")
    page = desk(chromium, site, browser("approver1"))
    for language in LANGUAGES:
        page.context.add_cookies([{"name": "lipei_language", "value": language, "url": site.url}])
        page.goto(f"{site.url}/console/approvals/")
        expect(page.locator(".lp-approvals tbody tr")).to_have_count(1)
        assert not ill_laid(page), language


@pytest.mark.norm("2.2.4")
def test_an_offer_takes_two_keys(page: Page, site: SimpleNamespace, claim: str, handler: Any) -> None:
    decided(claim, site.office, handler, until="offer")
    page.reload()
    hands = Hands(page)
    hands.key("f")
    ready(page)
    sent(hands, "send", "offer.sent")


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
    sent(hands, "propose_refusal", "exposure.refusal_proposed")


@pytest.mark.norm("2.2.1")
def test_the_next_claim_is_taken_by_one_key_and_one_found_by_its_plate(
    page: Page, site: SimpleNamespace, claim: str
) -> None:
    page.goto(f"{site.url}/console/work/")
    taking = Hands(page)
    taking.key("t")
    page.wait_for_url(f"**/console/claims/{claim}/")
    taking.counted("take_next")
    page.goto(f"{site.url}/console/")
    finding = Hands(page)
    finding.key("Control+k")
    expect(page.locator("#palette-input")).to_be_focused()
    finding.words("沪A12345")
    with page.expect_navigation(url=f"**/console/claims/{claim}/"):
        finding.key("Enter")
    finding.counted("find_by_plate")


@pytest.mark.norm("2.1.1")
def test_a_report_on_the_phone_of_a_small_motor_loss(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client]
) -> None:
    """The story first; what it says and the policy that fits are confirmed, nothing else is asked."""
    page = desk(chromium, site, browser("intake1"))
    page.goto(f"{site.url}/console/report/")
    expect(page.locator("#f-story")).to_be_focused()
    hands = Hands(page)
    hands.words("今天早上倒车时撞到柱子，后保险杠破损，车牌沪A12345，没有人受伤。")
    expect(page.locator(".lp-hint")).to_have_count(3)
    hands.key("Tab")
    hands.key("Enter", "Enter", "Enter")  # what the story says of plate, kind and day
    expect(page.locator("#found")).to_contain_text("PC-1")
    hands.click(page.locator("#f-phone"))
    hands.words("13800138000")
    with page.expect_navigation():
        hands.click(page.get_by_role("button", name="Report a loss"))
    made = models.Claim.objects.get()
    assert (made.policy_number, made.loss_kind) == ("PC-1", "single_vehicle") and made.registered_at
    hands.counted("report")


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


def test_a_printed_claim_says_what_there_is_and_of_what_is_past_how_much(page: Page) -> None:
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    opened = page.locator(".lp-claim details[open]")
    assert opened.count() and not page.locator(".lp-claim :is(.lp-why, [data-brief], [data-again])[open]").count()
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) <= PRINTED_PAGES_MAX


@pytest.mark.bad_moment("session ends")
def test_a_form_that_grew_old_beside_the_claim_becomes_a_page_of_its_own(page: Page, site: SimpleNamespace) -> None:
    page.keyboard.press("m")
    ready(page)
    page.locator("#act textarea").fill("Rang the customer.")
    page.context.clear_cookies(name="csrftoken")
    page.locator("#act textarea").press("Control+Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Please send it once more")
    expect(page.locator("#menu")).to_be_visible()
    expect(page.locator("#act")).to_have_count(0)
    expect(page.locator("blockquote")).to_contain_text("Rang the customer.")
    page.get_by_role("button", name="Send it").click()
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


def test_the_bar_of_sections_is_never_cut(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client], claim: str
) -> None:
    for language, width in itertools.product(LANGUAGES, (1280, 1024)):
        page = desk(chromium, site, browser("lead1"), language=language, size={"width": width, "height": 900})
        page.emulate_media(reduced_motion="reduce")  # a click waits for a page that scrolls smoothly
        page.goto(f"{site.url}/console/claims/{claim}/")
        bar_is_whole(page)
        page.context.close()


def bar_is_whole(page: Page) -> None:
    bar = page.locator(".lp-claim-bar nav")
    bar.evaluate("one => one.querySelectorAll('.lp-count').forEach(count => { count.textContent = '12'; })")
    for section in bar.get_by_role("link").all():
        section.click()
        assert bar.evaluate("one => one.scrollWidth <= one.clientWidth"), section.inner_text()
    whys = page.locator("[data-whys]")
    expect(whys).to_be_visible()
    assert whys.inner_text().strip(), "its name is read out where only its sign is seen"
    page.locator(".lp-actionbar a.lp-button").first.click()
    ready(page)
    assert bar.evaluate("one => one.scrollWidth <= one.clientWidth"), "nor beside an open action"


def test_what_is_usual_for_its_kind_never_lies_over_the_next_sum(page: Page, claim: str, handler: Any) -> None:
    """Two heads of loss stand side by side, so that a sum has little room."""
    act(claim, "exposure", "add", 0, c.AddExposure("own_damage", "collision"), handler)
    models.Exposure.objects.filter(part=1).update(reserve_minor=4_000_000, reserve_reason="usual", assessed_by="")
    page.reload()
    tag = page.locator("#exposure-1 .lp-sumgrid .lp-tag")
    assert tag.evaluate("e => e.getBoundingClientRect().right <= e.closest('div').getBoundingClientRect().right")


def test_a_page_left_open_after_signing_out_asks_no_more(page: Page) -> None:
    asked: list[int] = []
    page.on("response", lambda answer: asked.append(answer.status) if "/pulse/" in answer.url else None)
    page.clock.install()
    page.reload()
    page.clock.run_for(3_000)
    page.wait_for_timeout(500)
    page.context.clear_cookies()
    for _ in range(4):
        page.clock.run_for(20_000)
        page.wait_for_timeout(300)
    assert asked[0] == 200 and asked[1:] == [401]
