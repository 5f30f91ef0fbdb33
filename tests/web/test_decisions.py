"""Deciding on a page: papers that are missing, and the reserve's history."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.company import NOW

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.domain.money import Money
from lipei.norms.money import money_text
from lipei.norms.texts import LANGUAGES, text
from lipei.reads import approvals_changed, way
from lipei.services import actions, norms
from lipei.store import models

pytestmark = [pytest.mark.once, pytest.mark.django_db]
HEAD = "/console/claims/{}/exposures/1/{}/"


def cny(yuan: float) -> Money:
    return Money(round(yuan * 100), "CNY")


def act(number: str, action: str, command: Any, actor: Any) -> Any:
    done = actions.act(number, "exposure", action, 1, command, actor=actor, now=NOW)
    assert not isinstance(done, Refusal), done
    return done


def assessed(yuan: float = 2400, **facts: Any) -> c.Assess:
    item = c.ItemAssessed("后保险杠", claimed=Money(265000, "CNY"), assessed=Money(round(yuan * 100), "CNY"))
    return c.Assess(items=(item,), facts=facts)


@pytest.fixture
def asked(office, claim, handler_code):
    """A claim whose papers were asked for and did not come, ready to be decided."""
    handler = getattr(office, handler_code)
    done = actions.act(claim, "claim", "request_papers", 0, actor=handler, now=NOW)
    assert not isinstance(done, Refusal), done
    act(claim, "assess", assessed(), handler)
    act(claim, "check_assessment", None, office.assessor1)
    return claim


@pytest.mark.norm("2.2.3")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_decision_names_the_papers_that_are_missing_and_asks_why(browser, asked, handler_code, language):
    client, where = browser(handler_code, language), HEAD.format(asked, "submit_decision")
    page = client.get(where).content.decode()
    assert text("console.papers_away", language) in page and text("paper.driving_licence", language) in page
    silent = client.post(where, {})
    assert silent.status_code == 422 and text("paper.repair_invoice", language) in silent.content.decode()
    assert client.post(where, {"without_papers": "原件在交警处"}).status_code == 302
    approver, where = browser("approver1", language), HEAD.format(asked, "approve_decision")
    pressed = approver.post(where, {"looked": "1"})
    assert pressed.status_code == 422 and 'name="without_papers"' in pressed.content.decode()
    assert approver.post(where, {"looked": "1", "without_papers": "已核对照片"}).status_code == 302
    assert models.Exposure.objects.get(part=1).state == "approved"
    told = approver.get(f"/console/claims/{asked}/").content.decode()
    assert "原件在交警处" in told and "已核对照片" in told
    assert text("event_beside.papers_missing", language, papers="").rstrip("。.")[:6] in told


def test_nothing_is_asked_where_nothing_is_missing(office, browser, asked, handler_code):
    for paper in models.Paper.objects.filter(required=True):
        done = actions.act(asked, "paper", "receive", paper.part, c.Receive(), actor=office.intake1, now=NOW)
        assert not isinstance(done, Refusal), done
    page = browser(handler_code).get(HEAD.format(asked, "submit_decision")).content.decode()
    assert "without_papers" not in page and text("console.papers_away", "en") not in page


@pytest.mark.norm("2.2.3")
def test_the_history_of_a_reserve_tells_why_and_by_which_authority(office, browser, claim, handler_code):
    act(claim, "set_reserve", c.SetReserve(Money(300000, "CNY"), "查勘后调整"), getattr(office, handler_code))
    act(claim, "set_reserve", c.SetReserve(Money(350000, "CNY"), "配件涨价"), office.manager1)
    page = browser(handler_code).get(f"/console/claims/{claim}/").content.decode()
    history = page[page.index('id="reserves"') :].split("</details>")[0]
    rows = re.findall(r"<li>(.*?)</li>", history, re.S)
    assert "配件涨价" in rows[0] and text("event_beside.authority_unlimited", "en") in rows[0]
    assert "查勘后调整" in rows[1] and text("event_beside.authority", "en", amount="CNY 100,000.00") in rows[1]


@pytest.mark.norm("2.2.3")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_decision_that_comes_back_shows_what_changed_since_it_was_returned(
    office, browser, asked, handler_code, language
):
    handler, why = getattr(office, handler_code), "简化单证"
    act(asked, "submit_decision", c.SubmitDecision(without_papers=why), handler)
    case = act(asked, "return_for_rework", c.Reasoned("请补充漆面价格依据"), office.approver1).case
    assert approvals_changed.since_returned(case, 1) is None, "it waits for nobody's word yet"
    items = (c.ItemAssessed("后保险杠", assessed=cny(2000)), c.ItemAssessed("喷漆", assessed=cny(300)))
    act(asked, "assess", c.Assess(items), handler)
    act(asked, "check_assessment", None, office.assessor1)
    paper = next(n for n, p in case.papers.items() if p.code == "repair_invoice")
    done = actions.act(asked, "paper", "receive", paper, c.Receive(), actor=office.intake1, now=NOW)
    assert not isinstance(done, Refusal), done
    case = act(asked, "submit_decision", c.SubmitDecision(without_papers=why), handler).case
    found = approvals_changed.since_returned(case, 1)
    assert found is not None and found.times == 1 and found.by == office.approver1.id
    assert case.of("note")[found.note].text == "请补充漆面价格依据"
    assert [(s.name, s.before, s.after) for s in found.sums] == [
        ("assessed_minor", 240000, 230000), ("payable_minor", 190000, 180000),
    ]  # fmt: skip
    assert [(i.name, i.before, i.after, i.how) for i in found.items] == [
        ("后保险杠", 240000, 200000, "changed"), ("喷漆", None, 30000, "added"),
    ]  # fmt: skip
    assert [(p.name, p.before, p.after) for p in found.papers] == [("repair_invoice", "requested", "received")]
    page = browser("approver1", language).get(HEAD.format(asked, "approve_decision")).content.decode()
    table = page[page.index("lp-rework") :].split("</section>")[0]
    for said in (
        "请补充漆面价格依据",
        "喷漆",
        text("claim_page.rework.added", language),
        text("paper.repair_invoice", language),
    ):
        assert said in table
    assert table.count("<del>") == 4 and table.count("<ins>") == 5, "a word and a mark, not colour alone"


def test_why_a_head_was_returned_stands_on_it_until_it_is_submitted_again(office, browser, asked, handler_code):
    handler, said = getattr(office, handler_code), c.SubmitDecision(without_papers="简化单证")
    client = browser(handler_code)

    def head() -> str:
        page = client.get(f"/console/claims/{asked}/").content.decode()
        return page.partition('<article id="exposure-1"')[2].partition("</article>")[0]

    act(asked, "submit_decision", said, handler)
    assert "缺少第二张发票" not in head()
    act(asked, "return_for_rework", c.Reasoned("缺少第二张发票"), office.approver1)
    assert "缺少第二张发票" in head()
    act(asked, "assess", assessed(), handler)
    act(asked, "check_assessment", None, office.assessor1)
    assert "缺少第二张发票" in head()
    act(asked, "submit_decision", said, handler)
    assert "缺少第二张发票" not in head()


def test_a_decision_that_comes_back_as_it_was_says_so_and_one_never_returned_nothing(office, asked, handler_code):
    handler, said = getattr(office, handler_code), c.SubmitDecision(without_papers="简化单证")
    case = act(asked, "submit_decision", said, handler).case
    with CaptureQueriesContext(connection) as seen:
        assert approvals_changed.since_returned(case, 1) is None
    assert len(seen) == 1
    for again in (1, 2):
        act(asked, "return_for_rework", c.Reasoned("请再看一次"), office.approver1)
        act(asked, "assess", assessed(), handler)
        act(asked, "check_assessment", None, office.assessor1)
        case = act(asked, "submit_decision", said, handler).case
        with CaptureQueriesContext(connection) as seen:
            found = approvals_changed.since_returned(case, 1)
        assert found is not None and found.nothing and found.times == again and len(seen) <= 3


def test_a_claim_refused_whole_ends_with_the_refusal_and_was_neither_agreed_nor_paid(
    office, browser, claim, handler_code
):
    why = c.Propose("no_licence", "第八条", "驾驶证已被吊销。")
    act(claim, "propose_refusal", why, getattr(office, handler_code))
    act(claim, "refuse", None, office.approver1)
    page = browser(handler_code).get(f"/console/claims/{claim}/")
    assert page.context["claim"].outcome == "refused"
    codes = [step.code for step in way.steps(page.context["page"], now=NOW)]
    assert codes[-1] == "refused" and not {"decided", "agreed", "paid"} & set(codes)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_of_before_the_claim_was_reopened_is_history(office, browser, claim, handler_code, language):
    why = c.Propose("excluded", "9(1)", "不属于保险责任")
    act(claim, "propose_refusal", why, getattr(office, handler_code))
    client, before = browser(handler_code, language), text("claim_page.refusal.before", language)

    def head() -> str:
        page = client.get(f"/console/claims/{claim}/").content.decode()
        return page.partition('<article id="exposure-1"')[2].partition("</article>")[0]

    def current() -> bool:
        return re.search(r'<p class="lp-alert lp-alert-warn">[^<]*不属于保险责任', head()) is not None

    assert current() and before not in head(), "proposed"
    act(claim, "refuse", None, office.approver1)
    assert current() and before not in head(), "refused"
    for action in ("close", "reopen"):
        done = actions.act(claim, "claim", action, 0, c.Reasoned("客户补充了证据"), actor=office.lead1, now=NOW)
        assert action == "close" or not isinstance(done, Refusal), done
    assert models.Exposure.objects.get(part=1).state == "open"
    assert not current() and before in head() and "不属于保险责任" in head()
    act(claim, "propose_refusal", why, getattr(office, handler_code))
    assert current() and before not in head(), "proposed anew"


@pytest.mark.norm("4")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_part_that_is_excluded_asks_why_and_whoever_approves_reads_it(office, browser, asked, handler_code, language):
    """The reason is the customer's to read; where nothing is excluded nobody is asked for one."""
    client, where = browser(handler_code, language), HEAD.format(asked, "submit_decision")
    assert 'name="refusal_reason"' not in client.get(where).content.decode()
    act(asked, "return_for_rework", c.Reasoned("漏了一项"), office.assessor1)
    worn = c.ItemAssessed("右前减震器", claimed=cny(800), assessed=cny(800), excluded="wear")
    act(asked, "set_reserve", c.SetReserve(cny(4000), "查勘后调整"), getattr(office, handler_code))
    act(asked, "assess", c.Assess(items=(*assessed().items, worn)), getattr(office, handler_code))
    act(asked, "check_assessment", None, office.assessor1)
    assert 'name="refusal_reason"' in client.get(where).content.decode()
    silent = client.post(where, {"without_papers": "简化单证"})
    assert silent.status_code == 422 and text("refusal.part_without_reason", language) in silent.content.decode()
    why = "减震器是自然磨损，与这次事故无关。"
    assert client.post(where, {"without_papers": "简化单证", "refusal_reason": why}).status_code == 302
    approver, where = browser("approver1", language), HEAD.format(asked, "approve_decision")
    page = approver.get(where).content.decode()
    terms = norms.current().products.version("private_car", models.Claim.objects.get(number=asked).terms_version)
    exclusion = terms.covers["own_damage"].exclusions["wear"]
    assert why in page and exclusion.wording[language] in page
    assert exclusion.wording[language] in approver.get("/console/approvals/").content.decode()
    assert approver.post(where, {"looked": "1", "without_papers": "已核对"}).status_code == 302
    page = approver.get(f"/console/claims/{asked}/").content.decode()
    assert text("field.refused", language) in page and text("promise.cn_refusal_notice", language) in page
    assert text("message_name.refusal_in_part", language) in page and "letters/refusal" in page
    assert text("event_beside.refused", language, amount=money_text(cny(800), language)) in page


@pytest.mark.norm("4")
def test_a_part_assessed_at_nothing_asks_why_as_well(office: Any, browser: Any, asked: str, handler_code: str) -> None:
    client, where = browser(handler_code, "en"), HEAD.format(asked, "submit_decision")
    act(asked, "return_for_rework", c.Reasoned("漏了一项"), office.assessor1)
    old = c.ItemAssessed("旧划痕", claimed=cny(800), assessed=cny(0))
    act(asked, "set_reserve", c.SetReserve(cny(4000), "查勘后调整"), getattr(office, handler_code))
    act(asked, "assess", c.Assess(items=(*assessed().items, old)), getattr(office, handler_code))
    act(asked, "check_assessment", None, office.assessor1)
    assert 'name="refusal_reason"' in client.get(where).content.decode()
    why = "划痕是旧伤，与这次事故无关。"
    assert client.post(where, {"without_papers": "简化单证", "refusal_reason": why}).status_code == 302
    approver = browser("approver1", "en")
    assert why in approver.get(HEAD.format(asked, "approve_decision")).content.decode()
    assert "CNY 800.00 is excluded or assessed at nothing" in approver.get("/console/approvals/").content.decode()
    ground = text("letter.refusal.at_nothing", "en")
    assert f"{ground} — " in approver.get(HEAD.format(asked, "approve_decision")).content.decode()


@pytest.mark.norm("4")
def test_whoever_approves_another_sum_than_was_submitted_reads_it_on_the_form(
    browser: Any, asked: str, handler_code: str
) -> None:
    """As if another claim had taken of the limit meanwhile."""
    browser(handler_code).post(HEAD.format(asked, "submit_decision"), {"without_papers": "原件在交警处"})
    models.Exposure.objects.filter(part=1).update(payable_minor=123_456)
    form = {"seen_version": "", "looked": "1", "without_papers": "原件已核对"}
    page = browser("approver1", "en").post(HEAD.format(asked, "approve_decision"), form)
    assert page.status_code == 409
    assert "1,234.56" in page.content.decode() and "submit it again" in page.content.decode()
    assert models.Exposure.objects.get(part=1).state == "checked"


@pytest.mark.norm("2.2.4")
@pytest.mark.parametrize("language", LANGUAGES)
def test_after_a_refusal_the_review_that_its_letter_promised_is_somebody_elses(
    office, browser, claim, handler_code, language
):
    act(claim, "propose_refusal", c.Propose("no_licence", "D8", "驾驶证已被吊销。"), getattr(office, handler_code))
    act(claim, "refuse", None, office.approver1)
    said, lead = text("remark.review_by_another", language), browser("lead1", language)
    done = actions.act(claim, "claim", "reopen", 0, c.Reasoned("客户要求复核"), actor=office.lead1, now=NOW)
    assert not isinstance(done, Refusal), done
    assert said in lead.get(f"/console/claims/{claim}/").content.decode()
    other = next(a for a in (office.handler1, office.handler2) if a.staff_id != done.case.claim.handler)
    given = c.Assign(other.staff_id, "复核")
    assert not isinstance(actions.act(claim, "claim", "assign", 0, given, actor=office.lead1, now=NOW), Refusal)
    assert said not in lead.get(f"/console/claims/{claim}/").content.decode()
