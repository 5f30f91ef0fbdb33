"""A death claim, a guardian and a mandate in a real browser: reported, worked on and agreed to by those whose it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, Page, expect
from tests.browser.test_console import (
    PHONE,
    browser,
    desk,
    fits,
    office,
    shot,
    site,
    today,
    violations,
)
from tests.company import NOW, card, policy

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.norms.texts import text
from lipei.services import actions, portal
from lipei.services.portal import Visit
from lipei.store import models

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True), pytest.mark.norm("4")]
__all__ = ["browser", "office", "site", "today"]  # fixtures
DEAD = "13800138011"


@pytest.fixture
def insured(office: SimpleNamespace) -> Any:
    return policy("PA-1", "personal_accident", {"accidental_death": {"sum_insured_minor": 18_000_000}}, name="王大明",
                  phone=DEAD, seed=7)  # fmt: skip


@pytest.fixture
def customer(chromium: Browser, site: SimpleNamespace) -> Iterator[Callable[..., Page]]:
    """A customer's phone, opened at the link of a message to a party."""
    made: list[Page] = []

    def opened(number: str = "", party: int = 0, language: str = "zh-hans", scheme: str = "light") -> Page:
        context = chromium.new_context(viewport=PHONE, color_scheme=scheme, service_workers="block")  # type: ignore[arg-type]
        context.add_cookies([{"name": "lipei_language", "value": language, "url": site.url}])
        page = context.new_page()
        page.set_default_timeout(30_000)
        made.append(page)
        path = portal.link(Visit(number, party, verified=True), now=NOW) if number else "/"
        page.goto(site.url + path)
        return page

    yield opened
    for page in made:
        page.context.close()


def act(number: str, subject: str, action: str, part: int, command: Any, actor: Any) -> Any:
    done = actions.act(number, subject, action, part, command, actor=actor, now=NOW)
    assert not isinstance(done, Refusal), (action, done)
    return done.case


def say(key: str, language: str = "zh-hans") -> str:
    return text(key, language)


def code_for(number: str, party: int) -> str:
    case = portal.claim_seen(Visit(number, party))
    rows = models.Delivery.objects.filter(stream_id=case.id, message="one_time_code", party=party)
    return str(rows.order_by("-id").first().secret)


def agree(page: Page, number: str, party: int) -> None:
    """Take a code, enter it, send it."""
    page.get_by_role("button", name=say("portal.offer.get_code")).click()
    page.fill("#code", code_for(number, party))
    page.click("#agree form:has(#code) button")
    page.wait_for_load_state()


def decided(number: str, office: SimpleNamespace, handler: Any) -> None:
    why = "单证原件已在柜面核对"
    act(number, "exposure", "assess", 1, c.Assess(), handler)
    act(number, "exposure", "check_assessment", 1, None, office.lead1)
    act(number, "exposure", "submit_decision", 1, c.SubmitDecision(without_papers=why), handler)
    for approver in (office.approver1, office.approver2):
        case = act(number, "exposure", "approve_decision", 1, c.ApproveDecision(why), approver)
        if case.exposures[1].state == "approved":
            return


@pytest.mark.norm("2.2.4")
def test_a_widow_reports_and_two_heirs_agree(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client], customer: Callable[..., Page], insured: Any,
) -> None:  # fmt: skip
    office, page = site.office, customer()
    page.fill("#story", "我丈夫昨天骑车被撞，抢救无效去世了。")
    page.get_by_text(say("portal.report.hurt.insured_death"), exact=True).click()
    page.fill("#phone", "13900139001")
    page.fill("#name", "李芳")
    page.locator("details summary").first.click()
    page.fill("#policy_number", "PA-1")
    page.select_option("#kind", "accident:accidental_death")
    shot(page, "heirs-report")
    page.get_by_role("button", name=say("portal.report.send")).click()
    page.wait_for_url("**/receipt")
    number = models.Claim.objects.get().number
    case = portal.claim_seen(Visit(number, 1))
    assert (case.parties[1].name, case.parties[2].deceased) == ("李芳", True)

    # The console says first that there is no head of loss, then that the heir's right is not seen yet.
    row = next(r for r in office.rows.values() if r.id == case.claim.handler)
    handler = next(a for a in vars(office).values() if getattr(a, "staff_id", None) == row.id)
    console = desk(chromium, site, browser(row.code, "zh-hans"), language="zh-hans")
    console.goto(f"{site.url}/console/claims/{number}/")
    if not case.exposures:
        expect(console.locator(".lp-next")).to_contain_text(say("action.exposure.add"))
        shot(console, "heirs-no-head")
        act(number, "exposure", "add", 0, c.AddExposure("accidental_death", "accidental_death", 2), handler)
    expect(console.locator("#party-2")).to_contain_text(say("field.deceased"))
    heir: dict[str, Any] = {"acts_for": 2, "mandate": "inheritance"}
    account = {"account_number": card(21), "account_name": "李芳", "account_bank": "102290000000"}
    act(number, "party", "correct", 1, c.PartyReported(roles=("reporter", "heir"), **heir, **account), handler)
    act(number, "party", "add", 0, c.PartyReported(("heir",), "李华", "13900139002", **heir), handler)
    console.reload()
    expect(console.locator(".lp-next")).to_contain_text(say("action.party.check_identity"))
    for part in (1, 3):
        act(number, "party", "check_identity", part, c.CheckIdentity("passport", f"E{part}", "inheritance"), handler)
    decided(number, office, handler)

    # The offer starts with equal shares of the heirs; each payee is named with share and sum.
    console.goto(f"{site.url}/console/claims/{number}/offers/1/send/")
    assert console.locator("[name='shares-0-payee']").input_value() == "1"
    assert console.locator("[name='shares-1-denominator']").input_value() == "2"
    shot(console, "heirs-offer-form")
    console.locator("main form button.lp-button").last.click()
    console.wait_for_load_state()
    console.goto(f"{site.url}/console/claims/{number}/")
    offer = console.locator("#offer-1")
    for part in ("1. 李*", "3. 李*", "1/2", "90,000.00"):
        expect(offer).to_contain_text(part)
    shot(console, "heirs-claim")

    widow = customer(number, 1)
    widow.get_by_role("link", name=say("portal.todo.offer")).click()
    for part in ("李芳", "李*", "1/2", "90,000.00", say("portal.offer.share.you")):
        expect(widow.locator("main")).to_contain_text(part)
    expect(widow.locator(".po-sum")).to_contain_text("90,000.00")
    assert fits(widow) and not violations(widow)
    shot(widow, "heirs-portal-offer")
    agree(widow, number, 1)
    expect(widow.get_by_role("status").first).to_contain_text(say("portal.offer.agreed_waiting"))
    expect(widow.locator("main")).to_contain_text(say("portal.track.state.others"))
    shot(widow, "heirs-portal-waiting")
    widow.goto(f"{site.url}/claim/{number}/offers/1")
    assert widow.locator("#agree").count() == 0

    son = customer(number, 3, scheme="dark")
    son.get_by_role("link", name=say("portal.todo.offer")).click()
    expect(son.locator("main")).to_contain_text(say("portal.offer.share.agreed"))
    shot(son, "heirs-portal-son-dark")
    agree(son, number, 3)
    son.goto(f"{site.url}/claim/{number}/account")
    shot(son, "heirs-portal-account")
    case = portal.claim_seen(Visit(number, 1))
    assert (case.offers[1].state, case.offers[1].agreed_parties) == ("agreed", (1, 3))
    assert not models.Delivery.objects.filter(party=2).exists()
    # The phone of the dead opens nothing.
    assert portal.claim_seen(Visit(number, 2)) is None
    console.context.close()


def hurt_child(office: SimpleNamespace, *more: c.PartyReported) -> tuple[str, Any]:
    """A child hurt by an insured car, with an offer ready to be sent."""
    from lipei.domain.money import Money
    from lipei.services import intake

    done = intake.report(c.Report(
        story="路口相撞，对方车上一名儿童受伤。", phone="13800138000", line="motor", loss_kind="third_party_injury",
        loss_at=NOW, injured=1, policy_number="PC-1", parties=(
            c.PartyReported(("reporter", "insured"), "王小明", "13800138000"),
            c.PartyReported(("injured", "claimant"), "小宝", id_type="resident_id", id_number="310101201501013578"),
            *more,
        ),
        exposures=(c.ExposureReported("compulsory_medical", "third_party_injury", 2, Money(500000, "CNY")),),
    ), actor=office.intake1, now=NOW)  # fmt: skip
    assert not isinstance(done, Refusal), done
    number = done.case.claim.number
    handler = office.handler_of(done.case)
    items = (c.ItemAssessed("治疗费", claimed=Money(300000, "CNY"), assessed=Money(300000, "CNY")),)
    act(number, "exposure", "assess", 1, c.Assess(items, {"fault_percent": 100}), handler)
    act(number, "exposure", "check_assessment", 1, None, office.lead1)
    why = "单证原件已在柜面核对"
    act(number, "exposure", "submit_decision", 1, c.SubmitDecision(without_papers=why), handler)
    act(number, "exposure", "approve_decision", 1, c.ApproveDecision(why), office.approver1)
    return number, handler


@pytest.mark.norm("2.2.4")
def test_a_guardian_agrees_for_a_child_and_is_paid(
    chromium: Browser, site: SimpleNamespace, browser: Callable[..., Client], customer: Callable[..., Page]
) -> None:
    mother = c.PartyReported(
        ("guardian", "payee"), "李芳", "13900139001", acts_for=2, mandate="guardianship"
    )  # fmt: skip
    number, handler = hurt_child(site.office, mother)
    act(number, "party", "check_identity", 3, c.CheckIdentity("passport", "E3", "guardianship"), handler)
    act(number, "offer", "send", 1, c.SendOffer(), handler)
    page = customer(number, 3)
    shot(page, "guardian-track")
    page.get_by_role("link", name=say("portal.todo.offer")).click()
    shot(page, "guardian-offer")
    agree(page, number, 3)
    shot(page, "guardian-agreed")
    case = portal.claim_seen(Visit(number, 3))
    assert case.offers[1].state == "agreed" and not case.payments, "there is no account yet"
    page.get_by_role("link", name=say("portal.todo.account")).click()
    page.fill("[name=account_name]", "李芳")
    page.fill("[name=account_number]", card(31))
    page.fill("[name=account_bank]", "102290000000")
    page.locator("main form button").last.click()
    page.wait_for_load_state()
    shot(page, "guardian-account")
    case = portal.claim_seen(Visit(number, 3))
    assert [(p.payee, p.amount_minor) for p in case.payments.values()] == [(3, 300000)]
    assert not models.Delivery.objects.filter(party=2).exists()


def test_whoever_holds_a_mandate_uses_the_portal_for_the_claimant(
    site: SimpleNamespace, customer: Callable[..., Page]
) -> None:
    mother = c.PartyReported(("guardian",), "李芳", "13900139001", acts_for=2, mandate="guardianship",
                             account_number=card(31), account_bank="102290000000", account_name="李芳")  # fmt: skip
    lawyer = c.PartyReported(("agent",), "赵律师", "13900139009", acts_for=3, mandate="power_of_attorney")
    number, handler = hurt_child(site.office, mother, lawyer)
    for part, mandate in ((3, "guardianship"), (4, "power_of_attorney")):
        act(number, "party", "check_identity", part, c.CheckIdentity("passport", f"E{part}", mandate), handler)
    act(number, "offer", "send", 1, c.SendOffer((c.Share(3, 1, 1),)), handler)
    page = customer(number, 4)
    shot(page, "agent-track")
    assert page.get_by_role("link", name=say("portal.todo.account")).count() == 0, "nothing is paid to the agent"
    page.get_by_role("link", name=say("portal.todo.offer")).click()
    shot(page, "agent-offer")
    expect(page.locator(".po-sum")).to_have_text(text("portal.offer.sum_other", "zh-hans", amount="3,000.00元"))
    expect(page.locator("main")).to_contain_text("李芳")
    agree(page, number, 4)
    case = portal.claim_seen(Visit(number, 4))
    assert case.offers[1].state == "agreed"
    assert [p.payee for p in case.payments.values()] == [3]
