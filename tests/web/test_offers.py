"""An offer that came to nothing, on the pages: the customer's reason, the ways on, the undisputed part by its name."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from tests.company import NOW, policy

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.domain.money import Money
from lipei.norms.texts import LANGUAGES, text
from lipei.services import actions, intake, sweeps
from lipei.store import models

pytestmark = [pytest.mark.once, pytest.mark.django_db]
REASON = "修理厂报价更高"
OFFERED = Money(1_600_000, "CNY")
"""More than a rule may advance, less than a handler may."""


def act(number: str, subject: str, action: str, command: Any, actor: Any, at: Any = NOW, part: int = 1) -> Any:
    done = actions.act(number, subject, action, part if subject != "claim" else 0, command, actor=actor, now=at)
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
        c.PartyReported(
            name="李雷", account_name="李雷", account_number="6222021001116245702", account_bank="102290000000"
        ),
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
    form = client.get(f"/console/claims/{sent}/exposures/1/return_for_rework/").content.decode()
    assert f"<h1>{words[1]}</h1>" in form and text("action.exposure.return_for_rework", language) not in form
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
    page, name = client.get(f"/console/claims/{sent}/").content.decode(), text("payment_kind.undisputed", "en")
    assert name in page[page.index('id="payment-1"') :][:600]
    assert text("payment_kind.advance", "en") not in page
    money = browser("finance1")
    assert name in money.get("/console/finance/").content.decode()
    assert text("approvals.point.kind_undisputed", "en") in money.get("/console/approvals/").content.decode()
    assert models.Delivery.objects.filter(message="undisputed").exists()
    assert not models.Delivery.objects.filter(message__startswith="advance").exists()
    assert name in money.get("/console/payments/").content.decode()
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
    for language in LANGUAGES:
        client.cookies["lipei_language"] = language
        empty = client.post(where, {}).content.decode()
        for missing in ("ground", "clause", "plain_reason"):
            assert text(f"refusal.{missing}_missing", language) in empty
        assert text("field.plain_reason", language) in empty
    assert models.Exposure.objects.get(part=1).state == "assessed"


@pytest.mark.norm("2.2.4")
def test_a_code_goes_to_the_heir_whom_the_handler_chooses(office, browser):
    """Whoever is on the phone gets the code, not whoever is next in turn."""
    policy("PA-1", "personal_accident", {"accidental_death": {"sum_insured_minor": 900_000}}, name="王大明",
           phone="13800138011", seed=7)  # fmt: skip
    said = c.Report(story="我爱人被撞身故。", name="李芳", phone="13900139001", policy_number="PA-1", loss_at=NOW,
                    loss_kind="accidental_death", insured_died=True)  # fmt: skip
    done = intake.report(said, actor=office.intake1, now=NOW)
    number, handler = done.case.claim.number, office.handler_of(done.case)
    heir = {"acts_for": 2, "mandate": "inheritance"}
    if not done.case.exposures:
        act(number, "exposure", "add", c.AddExposure("accidental_death", "accidental_death", 2), handler, part=0)
    act(number, "party", "correct", c.PartyReported(roles=("reporter", "heir"), **heir), handler)
    act(number, "party", "add", c.PartyReported(("heir",), "李华", "13900139002", **heir), handler, part=0)
    for part in (1, 3):
        act(
            number,
            "party",
            "check_identity",
            c.CheckIdentity("passport", f"E{part}", "inheritance"),
            handler,
            part=part,
        )
    act(number, "exposure", "assess", c.Assess(), handler)
    act(number, "exposure", "check_assessment", None, office.lead1)
    act(number, "exposure", "submit_decision", c.SubmitDecision(without_papers="原件已核对"), handler)
    act(number, "exposure", "approve_decision", c.ApproveDecision("原件已核对"), office.approver1)
    act(number, "offer", "send", c.SendOffer((c.Share(1, 1, 2), c.Share(3, 1, 2))), handler)
    client = browser(next(code for code, row in office.rows.items() if row.id == handler.staff_id))
    page = client.get(f"/console/claims/{number}/")
    codes = [b for o, row in page.context["offers"] for b in row if b["action"] == ("offer", "send_code")]
    assert [(b["label"], b["says"]) for b in codes] == [
        ("Send a code to 1. 李*", {"party": 1}),
        ("Send a code to 3. 李*", {"party": 3}),
    ]
    assert '<input type="hidden" name="party" value="3">' in page.content.decode()
    client.post(codes[1]["href"], {"seen_version": page.context["version"], "party": "3"})
    assert [d.party for d in models.Delivery.objects.filter(message="one_time_code")] == [3]
