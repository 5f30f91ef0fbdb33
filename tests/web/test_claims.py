"""The page of a claim and its actions: typed input is kept, colleagues are seen, personal data is masked."""

from __future__ import annotations

import re

import pytest
from tests.company import NOW
from tests.web.conftest import reported

from lipei.domain import commands as c
from lipei.domain.events import Actor, Refusal
from lipei.domain.money import Money
from lipei.gateways.channels import REASONS
from lipei.norms.texts import LANGUAGES, text, texts
from lipei.services import actions, deliveries
from lipei.services.deliveries.composing import STOPS
from lipei.store import models
from lipei.web.errors import by_field

pytestmark = pytest.mark.once


def entries(number: str, kind: str) -> int:
    claim = models.Claim.objects.get(number=number)
    return models.Entry.objects.filter(stream_kind="claim", stream_id=claim.id, kind=kind).count()


def seen(number: str) -> int:
    return models.Stream.objects.get(kind="claim", stream_id=models.Claim.objects.get(number=number).id).version


@pytest.mark.norm("2.2.1")
def test_opinion_is_given_and_kept_on_record(browser, claim, handler_code):
    client = browser(handler_code)
    form = client.get(f"/console/claims/{claim}/give_opinion/")
    assert 'name="text"' in form.content.decode()
    answer = client.post(
        f"/console/claims/{claim}/give_opinion/", {"text": "属于保险责任。", "seen_version": seen(claim)}, follow=True
    )
    assert answer.status_code == 200
    assert entries(claim, "claim.opinion_given") == 1
    assert "属于保险责任。" in answer.content.decode()
    assert "Done: Give the preliminary opinion." in answer.content.decode()


def test_wrong_entries_stand_beside_the_field_and_keep_what_was_typed(browser, claim, handler_code):
    client = browser(handler_code, "zh-hant")
    typed = {"amount": "12,34x", "reason": "查勘後調整", "seen_version": seen(claim)}
    answer = client.post(f"/console/claims/{claim}/exposures/1/set_reserve/", typed)
    body = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="12,34x"' in body and 'value="查勘後調整"' in body
    assert 'aria-describedby="f-amount-error"' in body and 'id="f-amount-error"' in body
    assert entries(claim, "exposure.reserve_set") == 0


def test_rules_refusals_stand_beside_the_field_too(browser, claim, handler_code):
    answer = browser(handler_code).post(
        f"/console/claims/{claim}/exposures/1/set_reserve/", {"amount": "100", "reason": ""}
    )
    assert answer.status_code == 422
    assert 'id="f-reason-error"' in answer.content.decode()


@pytest.mark.bad_moment("a colleague was faster")
@pytest.mark.norm("4")
def test_somebody_was_faster(office, browser, claim, handler_code):
    client, version = browser(handler_code), seen(claim)
    done = actions.act(claim, "claim", "add_note", 0, c.Write("hello"), actor=office.lead1, now=NOW)
    assert not isinstance(done, Refusal)
    typed = {"text": "Covered. Please send the papers.", "seen_version": version}
    answer = client.post(f"/console/claims/{claim}/give_opinion/", typed)
    body = answer.content.decode()
    assert answer.status_code == 409
    assert "What changed since you looked" in body and "Lead1" in body
    assert "Covered. Please send the papers." in body
    assert f'name="seen_version" value="{seen(claim)}"' in body
    assert entries(claim, "claim.opinion_given") == 0
    again = client.post(f"/console/claims/{claim}/give_opinion/", {**typed, "seen_version": seen(claim)})
    assert again.status_code == 302 and entries(claim, "claim.opinion_given") == 1


@pytest.mark.bad_moment("two tabs")
def test_a_form_sent_twice_is_done_once_and_loses_nothing(browser, claim, handler_code):
    client, version = browser(handler_code), seen(claim)
    typed = {"amount": "1200", "reason": "after the survey", "seen_version": version}
    where = f"/console/claims/{claim}/exposures/1/set_reserve/"
    assert client.post(where, typed).status_code == 302
    again = client.post(where, typed)
    body = again.content.decode()
    assert again.status_code == 409 and entries(claim, "exposure.reserve_set") == 1
    assert "what you sent now was not done" in body and 'value="1200"' in body
    assert client.post(where, {**typed, "seen_version": seen(claim)}).status_code == 302  # meant twice: possible
    assert entries(claim, "exposure.reserve_set") == 2


@pytest.mark.bad_moment("double click")
def test_a_button_pressed_twice_leads_back_to_the_claim(office, browser, claim, handler_code):
    client, version = browser(handler_code), seen(claim)
    where = f"/console/claims/{claim}/accept_assignment/"
    assert client.post(where, {"seen_version": version}).status_code == 302
    again = client.post(where, {"seen_version": version}, follow=True)
    assert again.redirect_chain and "It was not done twice." in again.content.decode()
    assert entries(claim, "claim.assignment_accepted") == 1


def test_the_next_step_stands_first_with_its_promise(office, browser, claim, handler_code):
    page = browser(handler_code).get(f"/console/claims/{claim}/")
    rows = page.context["next"]
    kept = {row["button"]["label"]: row["promise"] for row in rows}
    assert kept["Give the preliminary opinion"].code in ("first_contact", "preliminary_opinion")
    assert rows[0]["button"]["action"] == ("claim", "accept_assignment"), "who takes it on comes before what is due"
    due = [r["promise"].due_at for r in rows[1:] if r["promise"]]
    assert due == sorted(due)
    actions.act(claim, "claim", "give_opinion", 0, c.GiveOpinion("ok"), actor=getattr(office, handler_code), now=NOW)
    later = browser(handler_code).get(f"/console/claims/{claim}/").context["next"]
    assert "Give the preliminary opinion" not in {row["button"]["label"] for row in later}


def test_assessment_with_rows(office, browser, claim, handler_code):
    client = browser(handler_code)
    actions.act(
        claim, "claim", "register", 0, c.Register(policy_number="PC-1"), actor=getattr(office, handler_code), now=NOW
    )
    form = client.get(f"/console/claims/{claim}/exposures/1/assess/").content.decode()
    assert 'value="后保险杠"' in form and 'name="items-3-what"' in form  # one row known, three to spare
    rows = {
        "items-0-what": "后保险杠",
        "items-0-claimed": "2650.00",
        "items-0-assessed": "2,400.00",
        "items-0-quantity": "1",
        "items-1-what": "喷漆",
        "items-1-assessed": "300",
        "items-1-quantity": "1",
        "items-2-quantity": "1",
        "seen_version": seen(claim),
    }
    answer = client.post(f"/console/claims/{claim}/exposures/1/assess/", rows)
    assert answer.status_code == 302, answer.content.decode()
    exposure = models.Exposure.objects.get(aggregate_id=models.Claim.objects.get(number=claim).id, part=1)
    assert exposure.state == "assessed"
    assert exposure.assessed_minor == 270000
    assert len(exposure.items) == 2
    page = client.get(f"/console/claims/{claim}/").content.decode()
    assert "2,200.00" in page  # after the deductible of 500.00, as the make-up of the sum shows
    assert "How the sum is made up" in page


def test_a_wrong_row_is_named(office, browser, claim, handler_code):
    actions.act(
        claim, "claim", "register", 0, c.Register(policy_number="PC-1"), actor=getattr(office, handler_code), now=NOW
    )
    rows = {"items-0-what": "保险杠", "items-0-assessed": "abc", "items-0-quantity": "0"}
    body = browser(handler_code).post(f"/console/claims/{claim}/exposures/1/assess/", rows).content.decode()
    assert 'id="f-items-0-assessed-error"' in body and 'id="f-items-0-quantity-error"' in body


def test_more_rows_are_there_for_the_asking_and_nothing_is_done(browser, claim, handler_code):
    """Without JavaScript; with it the page adds them itself (`tests/browser/test_journeys.py` types five parties)."""
    rows = {f"items-{n}-what": f"零件{n}" for n in range(4)}
    answer = browser(handler_code).post(f"/console/claims/{claim}/exposures/1/assess/", {**rows, "more_rows": "1"})
    body = answer.content.decode()
    assert answer.status_code == 200 and "lp-error" not in body
    assert 'value="零件3"' in body and 'name="items-6-what"' in body
    assert models.Exposure.objects.get(part=1).state == "open"


def test_a_field_says_what_is_wrong_with_its_figure():
    wrong_sum = Refusal("refusal.fields", "fields", {"left": Money(12345, "CNY")}, {"amount": "refusal.more_than_owed"})
    assert "123.45" in by_field(wrong_sum)["amount"]


@pytest.mark.norm("4")
def test_personal_data_is_masked_until_asked_for_and_the_look_is_recorded(browser, claim, handler_code):
    client = browser(handler_code)
    page = client.get(f"/console/claims/{claim}/").content.decode()
    assert "13800138000" not in page and "138****8000" in page
    assert "沪A***45" in page and "沪A12345" not in page, "what is insured"
    assert entries(claim, "claim.personal_data_seen") == 0
    whole = client.post(f"/console/claims/{claim}/unmask/", follow=True).content.decode()
    assert "13800138000" in whole and "沪A12345" in whole
    assert entries(claim, "claim.personal_data_seen") == 1


def test_unmasking_ends(browser, claim, handler_code, monkeypatch):
    from datetime import timedelta

    from django.utils import timezone

    client = browser(handler_code)
    client.post(f"/console/claims/{claim}/unmask/")
    monkeypatch.setattr(timezone, "now", lambda: NOW + timedelta(minutes=11))
    assert "13800138000" not in client.get(f"/console/claims/{claim}/").content.decode()


def test_unknown_things_are_404(browser, claim, handler_code):
    client = browser(handler_code)
    for path in (
        "nothing/",
        "exposures/9/assess/",
        "exposures/new/assess/",
        "exposures/1/add/",
        "wheels/1/assess/",
        "report/",
    ):
        assert client.get(f"/console/claims/{claim}/{path}").status_code == 404, path
    assert client.get("/console/claims/000/").status_code == 404


def test_what_is_not_possible_now_says_so(browser, claim, handler_code):
    answer = browser(handler_code).get(f"/console/claims/{claim}/exposures/1/submit_decision/")
    assert answer.status_code == 409
    assert "This is not possible now" in answer.content.decode()


def test_a_file_comes_in_and_is_shown_to_those_who_may(office, browser, claim, handler_code):
    import io

    from django.core.files.uploadedfile import SimpleUploadedFile
    from PIL import Image

    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "red").save(picture, "PNG")
    client = browser(handler_code)
    sent = {"file": SimpleUploadedFile("crash.png", picture.getvalue(), "image/png"), "place": ""}
    answer = client.post(f"/console/claims/{claim}/upload/", sent, follow=True)
    assert "The file was received." in answer.content.decode()
    shown = client.get(f"/console/claims/{claim}/documents/1/")
    assert shown["Content-Type"] == "image/png"
    assert b"".join(shown.streaming_content).startswith(b"\x89PNG")
    assert entries(claim, "claim.personal_data_seen") == 1
    wrong = {"file": SimpleUploadedFile("crash.png", b"MZ not a picture", "image/png")}
    assert "lp-message-error" in client.post(f"/console/claims/{claim}/upload/", wrong, follow=True).content.decode()


def test_what_ends_a_promise_by_the_way_is_not_shown_as_keeping_it(office, browser, claim, handler_code):
    """A refusal also ends the wait for papers and for the opinion; its approver reads of the decision alone."""
    propose = c.Propose(code="not_covered", clause="第八条", reason="事故发生时合同尚未生效。")
    handler = getattr(office, handler_code)
    done = actions.act(claim, "exposure", "propose_refusal", 1, propose, actor=handler, now=NOW)
    assert not isinstance(done, Refusal), done
    rows = {r["button"]["label"]: r for r in browser("approver1").get(f"/console/claims/{claim}/").context["next"]}
    assert set(rows) == {"Refuse"}
    promise = rows["Refuse"]["promise"]
    assert promise is None or promise.code not in ("papers_request", "preliminary_opinion", "first_contact")


def test_an_expert_is_told_that_their_opinion_is_next(office, browser, claim, handler_code):
    """Until they have given it: an opinion changes no state, and stands in front all the same."""
    handler = getattr(office, handler_code)
    asked = c.Convene("是否需要更换？", (office.expert1.staff_id, office.expert2.staff_id))
    actions.act(claim, "consultation", "convene", 0, asked, actor=handler, now=NOW)

    def ahead() -> set[str]:
        rows = browser("expert1").get(f"/console/claims/{claim}/").context["next"]
        return {row["button"]["label"] for row in rows}

    assert ahead() == {"Give an opinion"}
    actions.act(
        claim, "consultation", "opine", 1, c.Opine("for", "换新。", Money(160000, "CNY")), actor=office.expert1, now=NOW
    )
    assert ahead() == set()
    assert "CNY 1,600.00" in browser(handler_code).get(f"/console/claims/{claim}/").content.decode()


def test_what_people_wrote_is_read_where_they_wrote_it(office, browser, claim, handler_code):
    """A note, a reason, a handover, the customer's own words: whoever opens the claim reads them, once."""
    handler = getattr(office, handler_code)
    customer = Actor("customer:P1", "customer", frozenset({"customer"}), unit=claim)
    for actor, subject, action, part, command in (
        (handler, "claim", "add_note", 0, c.Write("配件要等三天")),
        (customer, "claim", "add_note", 0, c.Write("车停在修理厂")),
        (handler, "claim", "tell_customer", 0, c.TellCustomer("已致电说明")),
        (office.assessor1, "exposure", "assess", 1, c.Assess()),
        (office.lead1, "exposure", "return_for_rework", 1, c.Reasoned("水箱价格高于标准")),
        (office.lead1, "claim", "suspect", 0, c.Reasoned("照片时间不符")),
    ):
        done = actions.act(claim, subject, action, part, command, actor=actor, now=NOW)
        assert not isinstance(done, Refusal), done
    page = browser(handler_code).get(f"/console/claims/{claim}/").content.decode()
    for words in ("配件要等三天", "车停在修理厂", "已致电说明", "照片时间不符"):
        assert page.count(words) == 1, words
    assert page.count("水箱价格高于标准") == 2, "in the timeline, and on the head of loss until it is submitted again"


def test_what_is_doubtful_about_a_report_stands_on_top(office, browser, claim, handler_code):
    """The same loss reported again is offered for linking to whoever handles it, not only to who took the report."""
    again = reported(office, story="再报一次")
    page = browser("manager1").get(f"/console/claims/{again}/").content.decode()
    assert text("remark.alike", "en", claims=claim) in page and f'href="/console/claims/{claim}/"' in page
    assert (
        text("remark.alike", "en", claims=again)
        not in browser("manager1").get(f"/console/claims/{claim}/").content.decode()
    )


@pytest.mark.norm("1.3.1")
@pytest.mark.norm("4")
def test_why_a_rule_left_it_to_a_person_is_said(office, browser):
    """Papers are here, nobody has touched it, and it was not paid by itself: the reasons stand beside the sum."""
    item = c.ItemAssessed("后保险杠", claimed=Money(900000, "CNY"))  # above what a rule may pay
    number = reported(
        office, accept_automatic=True, exposures=(c.ExposureReported("own_damage", "single_vehicle", items=(item,)),)
    )
    why = text("reason.straight_through.within_limit.no", "en")
    client = browser("manager1")
    assert why not in client.get(f"/console/claims/{number}/").content.decode(), "papers are still awaited"
    done = actions.act(number, "claim", "request_papers", 0, c.RequestPapers(), actor=office.lead1, now=NOW)
    assert not isinstance(done, Refusal)
    for part, paper in done.case.papers.items():
        if paper.required:
            actions.act(number, "paper", "receive", part, c.Receive(), actor=office.intake1, now=NOW)
    assert why in client.get(f"/console/claims/{number}/").content.decode()
    actions.act(number, "exposure", "assess", 1, c.Assess(), actor=office.assessor1, now=NOW)
    assert why not in client.get(f"/console/claims/{number}/").content.decode(), "a person has it in hand"


@pytest.mark.norm("2.2.2")
def test_who_asks_for_papers_sees_first_what_will_be_asked_for(office, browser):
    number = reported(office)
    page = browser("lead1").get(f"/console/claims/{number}/request_papers/").content.decode()
    shown = page[page.index(text("console.papers_to_ask", "en")) :].partition("</ul>")[0]
    done = actions.act(number, "claim", "request_papers", 0, c.RequestPapers(), actor=office.lead1, now=NOW)
    assert not isinstance(done, Refusal) and done.case.papers
    for paper in done.case.papers.values():
        line = next(one for one in shown.split("</li>") if text(f"paper.{paper.code}", "en") in one)
        assert (text("console.papers_if", "en") in line) == (not paper.required)
    assert shown.count("<li>") == len({paper.code for paper in done.case.papers.values()})


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_became_of_a_message_is_said_in_words(office, browser, claim, handler_code, language):
    """Every state of a message and every reason why it did not arrive."""
    rows = models.Delivery.objects.filter(party__gt=0)
    for state, reason in (("asking", ""), ("failed", "no_address"), ("failed", "not_delivered")):
        rows.update(state=state, reason=reason)
        page = browser(handler_code, language).get(f"/console/claims/{claim}/").content.decode()
        assert text(f"delivery_state.{state}", language) in page
        assert reason not in page or not reason
        assert not reason or text(f"reason.delivery_{reason}", language) in page
    assert {*STOPS, *REASONS} <= {key.removeprefix("reason.delivery_") for key in texts()}


def test_a_letter_beside_a_message_is_the_one_that_went_with_it(
    office, browser, claim, handler_code, tmp_path, settings, monkeypatch
):
    """Two papers requests, two letters: each link gives the bytes that were sent, not the latest made anew."""
    settings.LIPEI_HOME, settings.LIPEI_MEDIA = str(tmp_path), str(tmp_path / "media")
    monkeypatch.setattr("lipei.services.unit_of_work.in_transaction", lambda: False)
    handler = getattr(office, handler_code)
    for said in (c.RequestPapers(), c.RequestPapers(("police_report",), "补充")):
        done = actions.act(claim, "claim", "request_papers", 0, said, actor=handler, now=NOW)
        assert not isinstance(done, Refusal), done
        deliveries.work(now=NOW, limit=50)
    client = browser(handler_code)
    page = client.get(f"/console/claims/{claim}/").content.decode()
    links = re.findall(r'href="(/console/claims/\d+/letters/paper_request/\?of=\d+)"', page)
    assert len(links) == 2
    newer, older = (client.get(link).content for link in links)
    assert older.startswith(b"%PDF") and older != newer
    done = actions.act(claim, "paper", "waive", 1, c.Reasoned("不需要"), actor=handler, now=NOW)
    assert client.get(links[1]).content == older, "what was sent stays what it was"
    assert client.get(f"/console/claims/{claim}/letters/paper_request/?of=999999").status_code == 404


@pytest.mark.norm("2.5.1")
def test_a_refusal_rests_on_a_clause_that_the_letter_can_quote(office, browser, claim, handler_code):
    """The handler chooses among the clauses of the terms, the policy and the law; who decides reads what for."""
    client = browser(handler_code)
    form = client.get(f"/console/claims/{claim}/exposures/1/propose_refusal/")
    fields = {f.name: f for f in form.context["fields"]}
    clauses = dict(fields["clause"].options)
    assert "D8" in clauses and text("refusal_basis.period", "zh-hans") in clauses
    assert fields["code"].key == "field.refusal_ground"
    said = {"code": "race", "clause": "D8", "reason": "行车记录仪显示正在竞速。", "seen_version": seen(claim)}
    client.post(f"/console/claims/{claim}/exposures/1/propose_refusal/", said)
    page = browser("approver1").get(f"/console/claims/{claim}/exposures/1/refuse/").content.decode()
    assert "damage in a race or test" in page and said["reason"] in page
    approve = browser("approver1").get(f"/console/claims/{claim}/").content.decode()
    assert "damage in a race or test" in approve
