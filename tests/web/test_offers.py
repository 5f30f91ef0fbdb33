"""An offer that came to nothing, on the pages: the customer's reason, the ways on, the undisputed part by its name."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from tests.company import NOW

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.domain.money import Money
from lipei.norms.texts import LANGUAGES, text
from lipei.services import actions, sweeps
from lipei.store import models

pytestmark = pytest.mark.django_db
REASON = "修理厂报价更高"
OFFERED = Money(1_600_000, "CNY")
"""More than a rule may advance, less than a handler may."""


def act(number: str, subject: str, action: str, command: Any, actor: Any, at: Any = NOW) -> Any:
    done = actions.act(number, subject, action, 1 if subject != "claim" else 0, command, actor=actor, now=at)
    assert not isinstance(done, Refusal), done
    return done.case


@pytest.fixture
def sent(office, claim, handler_code):
    """A claim whose offer is with the customer."""
    handler = getattr(office, handler_code)
    act(claim, "claim", "accept_assignment", None, handler)
    act(claim, "claim", "tell_customer", c.TellCustomer("已受理。"), handler)
    act(claim, "claim", "give_opinion", c.GiveOpinion("属于保险责任。"), handler)
    item = c.ItemAssessed("后保险杠", claimed=OFFERED, assessed=OFFERED)
    act(claim, "exposure", "assess", c.Assess((item,)), handler)
    act(claim, "exposure", "check_assessment", None, office.assessor1)
    act(claim, "exposure", "submit_decision", c.SubmitDecision(without_papers="简化单证"), handler)
    act(claim, "exposure", "approve_decision", c.ApproveDecision(without_papers="简化单证"), office.approver1)
    act(
        claim,
        "party",
        "correct",
        c.PartyReported(name="李雷", account_name="李雷", account_number="6222021001116245702"),
        handler,
    )
    act(claim, "party", "check_identity", c.CheckIdentity("resident_id", "11010519491231002X"), handler)
    act(claim, "offer", "send", None, handler)
    return claim


def next_of(page: Any) -> list[str]:
    return [row["button"]["label"] for row in page.context["next"]]


@pytest.mark.norm("2.5.1")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_declined_offer_says_why_and_its_next_steps_are_to_talk_to_rework_and_to_pay_what_is_undisputed(
    office, browser, sent, handler_code, language
):
    handler = getattr(office, handler_code)
    client = browser(handler_code, language)
    act(sent, "offer", "decline", c.Reasoned(REASON), handler)
    page = client.get(f"/console/claims/{sent}/")
    html = page.content.decode()
    assert text("console.offer.reason", language) in html and REASON in html
    keys = (
        "action.claim.tell_customer", "action.exposure.return_for_rework.turned_down", "action.exposure.pay_undisputed",
    )  # fmt: skip
    words = [text(key, language) for key in keys]
    assert next_of(page)[0] == words[0] and set(words) <= set(next_of(page))
    assert text("action.offer.send.turned_down", language) not in next_of(page)
    offers = html[html.index('id="offer-1"') :]
    assert text("action.offer.send.turned_down", language) in offers, "who thought better of it can still have it"
    assert "/exposures/1/advance/" not in html, "the same money under a name that says less"
    act(sent, "claim", "tell_customer", c.TellCustomer("已说明计算依据。"), handler)
    assert text("action.claim.tell_customer", language) not in next_of(client.get(f"/console/claims/{sent}/"))


@pytest.mark.norm("2.2.4")
def test_the_undisputed_part_starts_with_its_whole_sum_and_the_head_ends_owing_nothing_twice(
    office, browser, sent, handler_code
):
    act(sent, "offer", "decline", c.Reasoned(REASON), getattr(office, handler_code))
    due = models.Offer.objects.get(part=1).amount_minor
    client, where = browser(handler_code), f"/console/claims/{sent}/exposures/1/pay_undisputed/"
    form = {f.name: f for f in client.get(where).context["fields"]}
    assert form["amount"].value == f"{due / 100:.2f}"
    too_much = client.post(where, {"amount": f"{due / 100 + 0.01:.2f}"})
    assert too_much.status_code == 422 and f"CNY {due / 100:,.2f}" in too_much.content.decode()
    assert client.post(where, {"amount": form["amount"].value}).status_code == 302
    assert list(models.Payment.objects.values_list("kind", "amount_minor")) == [("advance", due)]
    assert text("action.exposure.pay_undisputed", "en") not in next_of(client.get(f"/console/claims/{sent}/"))


@pytest.mark.norm("2.5.1")
def test_an_offer_that_ran_out_has_the_same_ways_on_and_may_be_sent_again(office, browser, sent, handler_code):
    sweeps.offers(now=NOW + timedelta(days=35), limit=9)
    labels = next_of(browser(handler_code).get(f"/console/claims/{sent}/"))
    assert labels[0] == text("action.claim.tell_customer", "en")
    assert text("action.exposure.pay_undisputed", "en") in labels
    assert text("action.exposure.return_for_rework.turned_down", "en") in labels
    assert text("action.offer.send.turned_down", "en") in labels


def test_a_refusal_starts_with_no_ground_and_wants_one(office, browser, claim, handler_code):
    """Whoever refuses names the ground: nothing is chosen for them, however much speaks for it."""
    item = c.ItemAssessed("车头", claimed=Money(90000, "CNY"), assessed=Money(90000, "CNY"), excluded="race")
    act(claim, "exposure", "assess", c.Assess((item,), {"drunk_driving": True}), getattr(office, handler_code))
    client, where = browser(handler_code), f"/console/claims/{claim}/exposures/1/propose_refusal/"
    page = client.get(where)
    fields = {f.name: f for f in page.context["fields"]}
    for name in ("code", "clause"):
        assert fields[name].value == "" and fields[name].options[0][0] == ""
        select = re.search(rf'<select[^>]*name="{name}"[^>]*>(.*?)</select>', page.content.decode(), re.S)
        assert select is not None and not re.search(r'value="[^"]+" selected', select[1])
    silent = client.post(where, {"reason": "竞速"})
    assert silent.status_code == 422 and {"code", "clause"} <= {f.name for f in silent.context["fields"] if f.error}
    assert models.Exposure.objects.get(part=1).state == "assessed"
