"""The list of what waits for one's word: what to look at, what changed, until when; and no way around its form."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from tests.company import NOW
from tests.web.conftest import reported
from tests.web.test_decisions import HEAD, act, asked, assessed, cny
from tests.web.test_queries import queries

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.norms.texts import LANGUAGES, text
from lipei.reads import approvals, rulebook
from lipei.services import actions
from lipei.store import models

pytestmark = [pytest.mark.once, pytest.mark.django_db]
LIST = "/console/approvals/"
__all__ = ["asked"]  # a fixture
WHY = c.SubmitDecision(without_papers="简化单证")


def page(client: Any) -> str:
    return str(client.get(LIST).content.decode())


def points(actor: Any) -> dict[str, Any]:
    (one,) = approvals.waiting(actor, book=rulebook.current(), language="en", now=NOW)
    return {p.code: p for p in one.weighed.points}


@pytest.mark.norm("2.2.3")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_shows_what_changed_since_it_was_returned(office, browser, asked, handler_code, language):
    handler = getattr(office, handler_code)
    act(asked, "submit_decision", WHY, handler)
    act(asked, "return_for_rework", c.Reasoned("请补充漆面价格依据"), office.approver1)
    act(asked, "assess", c.Assess((c.ItemAssessed("后保险杠", assessed=cny(2000)),)), handler)
    act(asked, "check_assessment", None, office.assessor1)
    act(asked, "submit_decision", WHY, handler)
    shown = page(browser("approver1", language))
    assert "请补充漆面价格依据" in shown and text("claim_page.rework", language, n=1) in shown
    assert shown.count("<del>") == shown.count("<ins>") == 3, "each change with a mark, not by colour alone"
    assert text("claim_page.rework.changed", language) in shown


def test_what_came_in_after_it_was_asked_for_is_named_and_what_one_did_oneself_is_not(
    office, browser, asked, handler_code
):
    act(asked, "submit_decision", WHY, getattr(office, handler_code))
    quiet = page(browser("approver1"))
    assert text("approvals.news", "en") not in quiet
    for actor in (office.lead1, office.approver1):
        done = actions.act(asked, "claim", "add_note", 0, c.Write("看过照片"), actor=actor, now=NOW)
        assert not isinstance(done, Refusal), done
    glass = c.AddExposure("own_damage", "glass")
    assert not isinstance(actions.act(asked, "exposure", "add", 0, glass, actor=office.lead1, now=NOW), Refusal)
    shown = page(browser("approver1"))
    assert text("approvals.news", "en") in shown and shown.count(text("event.claim.note_added", "en")) == 1
    other = f"2. {text('cover.own_damage', 'en')}: {text('event.exposure.added', 'en')}"
    assert other in shown, "with the head of loss where it is another"


def test_the_sum_stands_beside_what_it_was_made_of_and_beside_ones_limit(office, browser, asked, handler_code):
    act(asked, "submit_decision", WHY, getattr(office, handler_code))
    assert set(points(office.approver1)) == {"papers_out"}
    models.Exposure.objects.filter(part=1).update(payable_minor=90_000_000, ex_gratia_minor=100_000)
    found = points(office.approver1)
    assert set(found) == {"papers_out", "above_limit", "ex_gratia", "above_reserve", "above_claimed"}
    assert found["above_claimed"].minor == 90_100_000 - 265_000
    shown = page(browser("approver1"))
    assert "Above your limit of CNY" in shown and "lp-approvals-bad" in shown
    assert text("field.claimed", "en") in shown and "CNY 2,650.00" in shown


@pytest.mark.norm("2.2.3")
def test_the_list_counts_the_papers_that_the_form_lists(office, browser, asked, handler_code):
    """Those of this head of loss: not what another one was asked for, nor what the customer has told us meanwhile."""
    act(asked, "submit_decision", WHY, getattr(office, handler_code))
    before = points(office.approver1)["papers_out"].n
    claim_id = models.Claim.objects.get(number=asked).id
    models.Paper.objects.create(aggregate_id=claim_id, part=90, code="medical_records", state="requested")
    party = models.Party.objects.filter(aggregate_id=claim_id)[0]
    party.roles = ("reporter", "insured", "claimant")
    party.account_number, party.id_number = "6222020200066666667", "110101199003070134"
    party.save()
    form = browser("approver1").get(HEAD.format(asked, "approve_decision")).content.decode()
    listed = form.partition(text("console.papers_away", "en"))[2].partition("</ul>")[0].count("<li>")
    assert 0 < listed < before, "what is known of the claimant is not asked for"
    assert points(office.approver1)["papers_out"].n == listed


def test_who_approves_less_than_was_paid_reads_that_it_will_be_asked_back(office, browser, asked, handler_code):
    act(asked, "submit_decision", WHY, getattr(office, handler_code))
    head = models.Exposure.objects.get(part=1)
    paid = {"part": 90, "exposure": 1, "amount_minor": head.payable_minor + 30_000, "state": "confirmed"}
    models.Payment.objects.create(aggregate_id=head.aggregate_id, kind="settlement", payee=1, **paid)
    assert points(office.approver1)["below_paid"].minor == 30_000
    client, where = browser("approver1"), f"/console/claims/{asked}/exposures/1/approve_decision/"
    assert text("claim_page.asked_back_part", "en", amount="CNY 300.00") in client.get(where).content.decode()


def test_the_list_names_the_promise_that_the_decision_keeps_and_who_asked(office, browser, asked, handler_code):
    act(asked, "submit_decision", WHY, getattr(office, handler_code))
    (one,) = approvals.waiting(office.approver1, book=rulebook.current(), language="en", now=NOW)
    assert one.weighed.due == (), "the law's clock rests while papers are awaited, and an opinion is no decision"
    models.Clock.objects.filter(promise="cn_decision").update(state="running", due_at=NOW)
    (one,) = approvals.waiting(office.approver1, book=rulebook.current(), language="en", now=NOW)
    assert [(due.binds, due.at) for due in one.weighed.due] == [("law", NOW)]
    shown = page(browser("approver1"))
    assert text("promise.cn_decision", "en") in shown and handler_code.capitalize() in shown


def submitted(office, n: int) -> None:
    """The n-th of several claims that wait for an approval."""
    number = reported(office, story=f"第{n}件：停车时被刮擦。", loss_at=NOW - timedelta(days=n))
    handler = next(
        a for a in (office.handler1, office.handler2)
        if a.staff_id == models.Claim.objects.get(number=number).handler
    )  # fmt: skip
    act(number, "assess", assessed(), handler)
    act(number, "check_assessment", None, office.assessor1)
    act(number, "submit_decision", WHY, handler)


def test_the_list_costs_the_same_with_one_and_with_many(office, browser):
    client = browser("approver1")
    submitted(office, 1)
    one = queries(client, LIST)
    for n in range(2, 6):
        submitted(office, n)
    assert page(client).count("<tr") == 6
    assert queries(client, LIST) == one <= 4 + 18


@pytest.mark.norm("2.2.3")
@pytest.mark.parametrize("action", ["check_assessment", "approve_decision", "refuse"])
def test_no_button_gives_ones_word_without_its_form(office, browser, claim, handler_code, action):
    """Neither the claim's page nor the worklist, nor an address pressed by itself."""
    handler = getattr(office, handler_code)
    act(claim, "assess", assessed(), handler)
    if action == "approve_decision":
        act(claim, "check_assessment", None, office.assessor1)
        act(claim, "submit_decision", WHY, handler)
    if action == "refuse":
        act(claim, "propose_refusal", c.Propose("excluded", "9(1)", "不属于保险责任"), handler)
    who = {"check_assessment": "assessor1"}.get(action, "manager1" if action == "refuse" else "approver1")
    client, where = browser(who), HEAD.format(claim, action)
    for at in (f"/console/claims/{claim}/", "/console/work/?whose=all", LIST):
        body = client.get(at).content.decode()
        assert f'action="{where}"' not in body, at
    assert f'href="{where}?back=approvals"' in page(client)
    version = models.Stream.objects.get(kind="claim").version
    pressed = client.post(where, {"seen_version": version})
    assert pressed.status_code == 422 and text("refusal.look_first", "en") in pressed.content.decode()
    form = client.get(f"{where}?back=approvals").content.decode()
    sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form.split("data-act")[1]))
    assert sent["looked"] == "1" and sent["back"] == "approvals"
    done = client.post(where, {**sent, "without_papers": "简化单证"})
    assert done.status_code == 302 and done["Location"] == LIST


@pytest.mark.norm("2.2.3")
@pytest.mark.parametrize("language", LANGUAGES)
def test_whoever_decides_reads_why_it_was_submitted_without_all_papers(office, browser, asked, handler_code, language):
    act(asked, "submit_decision", WHY, getattr(office, handler_code))
    client = browser("approver1", language)
    for shown in (page(client), client.get(HEAD.format(asked, "approve_decision")).content.decode()):
        assert "简化单证" in shown and text("approvals.because", language) in shown


def test_an_open_suspicion_is_something_unusual(office, browser, asked, handler_code):
    act(asked, "submit_decision", c.SubmitDecision(without_papers="简化单证"), getattr(office, handler_code))
    models.Paper.objects.update(state="received")
    assert points(office.approver1) == {}
    done = actions.act(asked, "claim", "suspect", 0, c.Reasoned("照片与损伤不符"), actor=office.approver1, now=NOW)
    assert not isinstance(done, Refusal), done
    assert set(points(office.approver1)) == {"suspicion"}
    shown = (
        page(browser("approver1")),
        browser("approver1").get(HEAD.format(asked, "approve_decision")).content.decode(),
    )
    assert all(text("approvals.point.suspicion", "en") in one for one in shown)


def test_after_a_decision_one_is_at_the_next_thing_that_waits(office, browser):
    for n in (1, 2):
        submitted(office, n)
    client = browser("approver1")
    shown = page(client)
    first, second = re.findall(r'<tr id="([\w-]+)"', shown)
    (link,) = re.findall(r'href="([^"]+&amp;then=[^"]+)"', shown)
    form = client.get(link.replace("&amp;", "&")).content.decode()
    assert 'href="/console/approvals/" data-close' in form, "who gives up is back at the list"
    sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form.split("data-act")[1]))
    done = client.post(link.partition("?")[0], {**sent, "without_papers": "简化单证"})
    assert done["Location"] == f"{LIST}#{second}" and f'id="{second}"' in page(client) and first not in page(client)
