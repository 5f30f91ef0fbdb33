"""What the portal says of a claim is true for who reads it: sums, steps, letters, what to do next (norm 2.2.4, 2.3.1)."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pypdf import PdfReader
from tests.company import NOW, card
from tests.portal.conftest import code_sent, done, offered, reported, verified

from lipei.domain import commands as c
from lipei.domain.money import Money
from lipei.norms.money import money_text
from lipei.norms.texts import LANGUAGES, text, texts
from lipei.reads.way import in_turn
from lipei.services import norms, portal
from lipei.services.deliveries.words import VALUES, Telling
from lipei.services.portal import Visit
from lipei.store import models
from lipei.web.portal import seen

pytestmark = [pytest.mark.once, pytest.mark.django_db]
BANK = c.Settled("bank-1")
SMS = {"claim_number": "1", "amount": "1", "link": "1"}


def cny(yuan: float) -> Money:
    return Money(round(yuan * 100), "CNY")


def words(pdf: bytes) -> str:
    """The words of a letter without white space: where lines break is the layout's business."""
    return "".join("".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(pdf)).pages)


def said(key: str, **params: Any) -> str:
    return text(key, "zh-hans", **params)


def case_of(number: str) -> Any:
    found = portal.claim_seen(Visit(number, 1))
    assert found is not None
    return found


def agree(client: Client, number: str, offer: int) -> None:
    client.post(f"/claim/{number}/offers/{offer}/", {"do": "code"})
    client.post(f"/claim/{number}/offers/{offer}/", {"do": "agree", "code": code_sent(number, "one_time_code")})
    assert case_of(number).offers[offer].state == "agreed"


def decided(people: Any, number: str, yuan: float) -> int:
    """Assessed, checked, approved and offered by the colleagues whose it is; the number of the offer."""
    handler = people.handler_of(case_of(number))
    item = c.ItemAssessed("后保险杠", claimed=cny(2650), assessed=cny(yuan))
    done(number, "exposure", "assess", 1, c.Assess((item,)), handler)
    done(number, "exposure", "check_assessment", 1, None, people.assessor1)
    done(number, "exposure", "submit_decision", 1, c.SubmitDecision(without_papers="简化单证"), handler)
    case = done(number, "exposure", "approve_decision", 1, c.ApproveDecision("简化单证"), people.approver1)
    offer = max(case.offers)
    done(number, "offer", "send", offer, None, handler)
    return offer


def paid(people: Any, number: str) -> None:
    """Everything ordered goes out and arrives."""
    for part, payment in case_of(number).payments.items():
        if payment.state == "ordered":
            done(number, "payment", "approve_payment", part, None, people.finance1)
    for part, payment in case_of(number).payments.items():
        if payment.state == "approved":
            done(number, "payment", "submit", part, None, people.bank)
            done(number, "payment", "confirm", part, BANK, people.bank)


@pytest.mark.norm("2.3.1")
def test_an_offer_of_ones_own_is_ready_whatever_other_heads_still_wait_for(client: Client, people: Any) -> None:
    """Nor is a paper called complete that nobody ever asked for."""
    number = reported(client, kind="motor:single_vehicle", item_1="后保险杠", item_1_amount="2650")
    handler = people.handler_of(case_of(number))
    decided(people, number, 2650)
    page = verified(client, number).get(f"/claim/{number}/")
    assert [step.code for step in page.context["steps"]] == ["reported", "opinion", "decided", "agreed", "paid"]
    done(number, "exposure", "add", 0, c.AddExposure("driver_passenger", "single_vehicle", 1), handler)
    assert case_of(number).claim.state == "investigating", "the other head is only looked into"
    assert said("portal.track.state.offering") in client.get(f"/claim/{number}/").content.decode()


def test_whose_own_sum_is_agreed_is_paid_whatever_the_heads_of_others_wait_for(client: Client, people: Any) -> None:
    number = reported(client, kind="motor:single_vehicle", item_1="后保险杠", item_1_amount="2650")
    handler = people.handler_of(case_of(number))
    other = c.PartyReported(("third_party", "claimant"), "丁一", "13900001111")
    stranger = max(done(number, "party", "add", 0, other, handler).parties)
    done(number, "exposure", "add", 0, c.AddExposure("third_party", "third_party_property", stranger), handler)
    agree(verified(client, number), number, decided(people, number, 2650))
    assert case_of(number).claim.state == "investigating"
    assert said("portal.track.state.paying") in client.get(f"/claim/{number}/").content.decode()


@pytest.mark.norm("2.2.2")
def test_a_reporter_is_not_told_that_we_wait_for_papers_that_others_bring(client: Client, people: Any) -> None:
    number = reported(client, phone="13711112222", policy_number="PC-1", kind="motor:single_vehicle")
    done(number, "claim", "request_papers", 0, c.RequestPapers(), people.handler_of(case_of(number)))
    page = verified(client, number).get(f"/claim/{number}/")
    step = next(one for one in page.context["steps"] if one.code == "papers")
    body = page.content.decode()
    assert (step.state, step.promised_at) == ("now", None)
    assert said("portal.papers.by_others") in body and said("portal.promises.paused_others") in body
    assert said("portal.papers.none") not in body and said("portal.promises.paused") not in body


@pytest.mark.norm("2.2.2")
def test_papers_are_not_asked_for_any_more_once_it_is_decided_without_them(client: Client, people: Any) -> None:
    number = reported(client, kind="motor:single_vehicle", item_1="后保险杠", item_1_amount="2650")
    done(number, "claim", "request_papers", 0, c.RequestPapers(), people.handler_of(case_of(number)))
    assert verified(client, number).get(f"/claim/{number}/").context["todo"]["papers"]
    decided(people, number, 2650)
    page = client.get(f"/claim/{number}/")
    assert not page.context["todo"]["papers"] and "papers" not in [step.code for step in page.context["steps"]]
    paused = [clock.promise for clock in case_of(number).clocks.values() if clock.state == "paused"]
    assert not paused, "what we promised runs on"


def test_who_only_reported_cannot_take_back_what_others_claim(client: Client, people: Any) -> None:
    number = reported(client, phone="13711112222", policy_number="PC-1", kind="motor:single_vehicle")
    assert "/withdraw" not in verified(client, number).get(f"/claim/{number}/").content.decode()
    assert client.post(f"/claim/{number}/withdraw", {"reason": "算了"}).status_code == 422
    assert not case_of(number).claim.outcome
    insured = next(n for n, party in case_of(number).parties.items() if "insured" in party.roles)
    owner = verified(Client(), number, insured)
    assert "/withdraw" in owner.get(f"/claim/{number}/").content.decode()
    assert owner.post(f"/claim/{number}/withdraw", {"reason": "自己修好了"}).status_code == 302
    assert case_of(number).claim.outcome == "withdrawn"


@pytest.mark.norm("2.2.4")
def test_what_was_paid_in_advance_is_not_promised_again(client: Client, people: Any) -> None:
    """2,150 are due and 1,000 were advanced: the page promises 1,150, and so does its letter."""
    number = reported(client, kind="motor:single_vehicle", item_1="后保险杠", item_1_amount="2650")
    handler = people.handler_of(case_of(number))
    done(number, "exposure", "advance", 1, c.OnAccount(cny(1000), 1, "急用"), handler)
    offer = decided(people, number, 2650)
    verified(client, number)
    page = client.get(f"/claim/{number}/offers/{offer}/").content.decode()
    assert said("portal.offer.sum", amount="1,150.00元") in page
    assert said("portal.offer.before") in page and "1,000.00元" in page and "2,150.00元" in page
    letter = words(client.get(f"/claim/{number}/letters/settlement/{offer}.pdf").content)
    assert "−1,000.00元" in letter and "1,150.00元" in letter
    undisputed = "".join(said("letter.settlement.undisputed", undisputed="1,150.00元").split())
    assert undisputed in letter, "nobody is promised to be paid first what they have had"
    agree(client, number, offer)
    assert [p.amount_minor for p in case_of(number).payments.values()] == [100000, 115000]


@pytest.mark.norm("2.2.4")
def test_a_later_round_says_what_comes_back_and_takes_the_place_of_the_earlier(client: Client, people: Any) -> None:
    number = offered(client, people)
    verified(client, number)
    agree(client, number, 1)
    paid(people, number)
    assert case_of(number).claim.state == "closed"
    done(number, "claim", "reopen", 0, c.Reasoned("复核发现重复列项"), people.lead1)
    second = decided(people, number, 2150)
    page = client.get(f"/claim/{number}/offers/{second}/").content.decode()
    assert (
        said("portal.offer.sum_kept", amount="1,650.00元") in page
        and said("portal.offer.back", amount="500.00元") in page
    )
    letter = words(client.get(f"/claim/{number}/letters/settlement/{second}.pdf").content)
    assert "−2,150.00元" in letter and "500.00元" in letter
    first = client.get(f"/claim/{number}/offers/1/").content.decode()
    assert said("portal.offer.replaced") in first and "1,650.00" not in first, (
        "the new sum is not the old one's make-up"
    )
    assert client.get(f"/claim/{number}/letters/settlement/1.pdf").status_code == 404


@pytest.mark.norm("2.4.1")
def test_who_has_agreed_is_not_asked_again(client: Client, people: Any) -> None:
    """Neither by the page, while others have still to answer, nor by the letter."""
    number = offered(client, people)
    other = c.PartyReported(roles=("third_party", "claimant"), name="赵六", phone="13900139003")
    handler = people.handler_of(case_of(number))
    done(number, "party", "add", 0, other, handler)
    done(number, "exposure", "add", 0, c.AddExposure("compulsory_property", "third_party_property", 2), handler)
    verified(client, number)
    agree(client, number, 1)
    models.Claim.objects.filter(number=number).update(state="offering")  # as while the other's offer waits
    page = client.get(f"/claim/{number}/").content.decode()
    assert said("portal.track.state.paying") in page and said("portal.track.state.offering") not in page
    letter = words(client.get(f"/claim/{number}/letters/settlement/1.pdf").content)
    assert "".join(said("letter.settlement.answer").split()) not in letter
    assert "同意这个金额" in letter


def test_the_receipt_is_for_who_told_us(client: Client, people: Any) -> None:
    number = reported(client)
    handler = people.handler_of(case_of(number))
    other = c.PartyReported(roles=("injured", "claimant"), name="陈一", phone="13900139001")
    done(number, "party", "add", 0, other, handler)
    theirs = verified(Client(), number, party=2)
    assert "letters/receipt" not in theirs.get(f"/claim/{number}/").content.decode()
    assert theirs.get(f"/claim/{number}/letters/receipt/0.pdf").status_code == 404
    assert "letters/receipt" in client.get(f"/claim/{number}/").content.decode()


@pytest.mark.norm("2.3.1")
def test_an_opinion_still_promised_is_not_called_given(client: Client, people: Any) -> None:
    number = reported(client, kind="motor:single_vehicle", item_1="后保险杠", item_1_amount="90000")
    handler = people.handler_of(case_of(number))
    case = done(number, "claim", "request_papers", 0, c.RequestPapers(), handler)
    for part, paper in case.papers.items():
        if paper.required:
            done(number, "paper", "receive", part, c.Receive(), people.intake1)
            done(number, "paper", "accept", part, None, handler)

    def states() -> dict[str, str]:
        return {step.code: step.state for step in seen.steps(case_of(number), Visit(number, 1))}

    assert states()["opinion"] == "now" and states()["papers"] == "done"
    done(number, "claim", "give_opinion", 0, c.GiveOpinion("属于保险责任。"), handler)
    assert states()["opinion"] == "done"


def test_an_ended_claim_waits_for_no_papers(client: Client, people: Any) -> None:
    number = reported(client, kind="motor:single_vehicle", item_1="后保险杠", item_1_amount="2650")
    handler = people.handler_of(case_of(number))
    done(number, "claim", "request_papers", 0, c.RequestPapers(), handler)
    offer = decided(people, number, 2650)
    verified(client, number)
    agree(client, number, offer)
    paid(people, number)
    assert case_of(number).claim.state == "closed"
    assert {s.state for s in seen.steps(case_of(number), Visit(number, 1))} == {"done"}


@pytest.mark.norm("2.2.4")
def test_whose_payment_failed_is_asked_for_an_account_that_works(client: Client, people: Any) -> None:
    number = offered(client, people)
    verified(client, number)
    agree(client, number, 1)
    part = max(case_of(number).payments)
    if case_of(number).payments[part].state == "ordered":
        done(number, "payment", "approve_payment", part, None, people.finance1)
    done(number, "payment", "submit", part, None, people.bank)
    assert said("portal.todo.failed") not in client.get(f"/claim/{number}/").content.decode()
    done(number, "payment", "fail", part, c.Failed("AC04"), people.bank)
    assert said("portal.todo.failed") in client.get(f"/claim/{number}/").content.decode()
    form = f"/claim/{number}/account"
    client.post(f"/claim/{number}/verify", {"next": form})
    client.post("/claim/code", {"code": code_sent(number, "portal_code"), "next": form})
    assert "收款账户已销户。请在这里改好账户" in client.get(form).content.decode()
    other = {"account_number": card(8), "account_bank": "102290000000"}
    client.post(form, {**other, "account_name": case_of(number).parties[1].name})
    assert case_of(number).payments[part].state == "failed", "finance sends it again"
    assert said("portal.todo.failed") not in client.get(f"/claim/{number}/").content.decode(), "it was done"
    done(number, "payment", "retry", part, c.Retry(account_number=card(9)), people.finance1)
    assert said("portal.todo.failed") not in client.get(f"/claim/{number}/").content.decode()


@pytest.mark.norm("2.3.1")
def test_no_step_is_promised_later_than_the_one_after_it(client: Client, people: Any) -> None:
    """Small claims are paid within days, though the law leaves a month for the decision."""
    number = reported(client, kind="motor:single_vehicle", item_1="后保险杠", item_1_amount="2650")
    promised = {step.code: step.promised_at for step in seen.steps(case_of(number), Visit(number, 1))}
    assert promised["paid"] is not None and promised["decided"] is None
    days = [NOW + timedelta(days=n) for n in range(4)]
    assert in_turn([days[0], days[3], None, days[2], days[1]]) == [days[0], None, None, None, days[1]]


@pytest.mark.norm("2.3.1")
def test_a_step_that_is_late_says_by_when_it_was_promised(
    client: Client, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the step after it was promised before that."""
    number = reported(client, kind="motor:single_vehicle", item_1="后保险杠", item_1_amount="2650")

    def told(name: str, days: int) -> seen.Promised:
        return seen.Promised(f"promise.{name}", "running", NOW + timedelta(days), None, days < 0, False, False)

    monkeypatch.setattr(seen, "promises", lambda case: [told("preliminary_opinion", -1), told("cn_decision", -2)])
    shown = {step.code: step for step in seen.steps(case_of(number), Visit(number, 1))}
    assert shown["opinion"].is_late and shown["opinion"].promised_at == NOW - timedelta(days=1)
    assert shown["decided"].promised_at == NOW - timedelta(days=2)
    monkeypatch.setattr(seen, "promises", lambda case: [told("preliminary_opinion", 2), told("cn_decision", 1)])
    shown = {step.code: step for step in seen.steps(case_of(number), Visit(number, 1))}
    assert not shown["opinion"].is_late and shown["opinion"].promised_at is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_why_a_bank_did_not_pay_ends_with_one_full_stop(language: str) -> None:
    why = text("reason.bank.AC04", language)
    for key, params in (("portal.account.failed", {}), ("message.payment_failed.sms", SMS)):
        told = text(key, language, reason=why, **params)
        assert why in told and not set(told.split(why)[1][:1]) & set("。."), told


def worked_out_anew(people: Any, number: str, yuan: float) -> int:
    """Reopened, and decided with another sum; the number of the offer, which is not sent yet."""
    done(number, "claim", "reopen", 0, c.Reasoned("发票金额不同"), people.lead1)
    handler = people.handler_of(case_of(number))
    item = c.ItemAssessed("后保险杠", claimed=cny(2650), assessed=cny(yuan))
    done(number, "exposure", "assess", 1, c.Assess((item,)), handler)
    done(number, "exposure", "check_assessment", 1, None, people.assessor1)
    done(number, "exposure", "submit_decision", 1, c.SubmitDecision(without_papers="简化单证"), handler)
    done(number, "exposure", "approve_decision", 1, c.ApproveDecision("简化单证"), people.approver1)
    return max(case_of(number).offers)


@pytest.mark.norm("2.2.4")
@pytest.mark.parametrize(("yuan", "still"), [(1000, 0), (2000, 50_000)])
def test_the_message_of_an_offer_says_what_is_still_paid(client: Client, people: Any, yuan: int, still: int) -> None:
    """Of a sum that was paid in part before, or whole: as the page does."""
    number = reported(client, kind="motor:single_vehicle", item_1="后保险杠", item_1_amount="2650")
    first = decided(people, number, 1500)
    verified(client, number)
    agree(client, number, first)
    paid(people, number)
    second = worked_out_anew(people, number, yuan)
    done(number, "offer", "send", second, None, people.handler_of(case_of(number)))
    case = case_of(number)
    assert seen.sums(case, case.offers[second]).now_minor == still
    for language in LANGUAGES:
        telling = Telling(case, norms.current(), language, "offer.sent", second, {}, 1, now=NOW)
        key = "jobs.left" if still else "jobs.nothing_left"
        assert VALUES["kept"](telling) == text(key, language, amount=money_text(cny(still / 100), language))
        sums = [f"message.{code}.{p}" for code in ("offer_sent", "offer_reminder") for p in ("sms", "body")]
        assert all("{amount}{kept}" in texts()[key][language] for key in sums)
    first_told = Telling(case, norms.current(), "en", "offer.sent", first, {}, 1, now=NOW)
    assert VALUES["kept"](first_told) == "", "of the first round nothing was paid before"


@pytest.mark.norm("2.2.4")
def test_a_sum_worked_out_anew_is_not_on_its_way_and_what_came_back_is_not_asked_for(
    client: Client, people: Any
) -> None:
    number = reported(client, kind="motor:single_vehicle", item_1="后保险杠", item_1_amount="2650")
    first = decided(people, number, 2650)
    verified(client, number)
    agree(client, number, first)
    paid(people, number)
    anonymous = Client()
    anonymous.get(portal.link(Visit(number, 1), now=case_of(number).claim.reported_at))
    unseen = anonymous.get(f"/claim/{number}/").content.decode()
    assert said("portal.offer.hidden") in unseen and said("portal.offer.waiting") not in unseen
    assert 'id="account"' not in unseen, "an empty card says nothing"
    second = worked_out_anew(people, number, 1000)
    shown = client.get(f"/claim/{number}/").content.decode()
    assert said("portal.track.state.deciding") in shown and said("portal.track.state.paying") not in shown
    done(number, "offer", "send", second, None, people.handler_of(case_of(number)))
    client.post(f"/claim/{number}/offers/{second}/", {"do": "code"})
    code = code_sent(number, "one_time_code")
    agreed = client.post(f"/claim/{number}/offers/{second}/", {"do": "agree", "code": code}, follow=True)
    told = agreed.content.decode()
    assert said("portal.offer.agreed_nothing") in told and said("portal.offer.agreed") not in told
    assert said("portal.owed_back.how") in told
    (part,) = case_of(number).recoveries
    owed = case_of(number).recoveries[part].due_minor
    done(number, "recovery", "receive_recovery", part, c.ReceiveRecovery(cny(owed / 100)), people.finance1)
    back = client.get(f"/claim/{number}/").content.decode()
    assert said("portal.owed_back.state.received") in back and said("portal.owed_back.how") not in back


def test_a_claim_is_offered_to_be_withdrawn_only_while_it_can_be(client: Client, people: Any) -> None:
    number = offered(client, people)
    verified(client, number)
    where = f"/claim/{number}/withdraw"
    assert where in client.get(f"/claim/{number}/").content.decode()
    agree(client, number, 1)
    assert where not in client.get(f"/claim/{number}/").content.decode(), "money is on its way"


@pytest.mark.norm("2.2.4")
def test_who_agrees_to_less_than_they_were_paid_is_promised_no_money(client: Client, people: Any) -> None:
    number = reported(client, kind="motor:single_vehicle", item_1="后保险杠", item_1_amount="2650")
    verified(client, number)
    first = decided(people, number, 2650)
    agree(client, number, first)
    paid(people, number)
    done(number, "claim", "reopen", 0, c.Reasoned("发票金额有误"), people.lead1)
    again = decided(people, number, 1500)
    page = client.get(f"/claim/{number}/offers/{again}/").content.decode()
    assert said("portal.offer.sum", amount="").strip() not in page.partition("</section>")[0]
    client.post(f"/claim/{number}/offers/{again}/", {"do": "code"})
    code = code_sent(number, "one_time_code")
    page = client.post(f"/claim/{number}/offers/{again}/", {"do": "agree", "code": code}, follow=True).content.decode()
    assert said("portal.offer.agreed_nothing") in page and said("portal.offer.agreed") not in page
    assert said("portal.owed_back.title") in page


@pytest.mark.norm("2.2.4")
def test_who_is_about_to_be_asked_is_not_told_that_others_are(client: Client, people: Any) -> None:
    number = offered(client, people)
    models.Offer.objects.update(state="prepared")  # as between the decision and the offer's sending
    page = verified(client, number).get(f"/claim/{number}/").content.decode()
    assert said("portal.track.state.deciding") in page and said("portal.track.state.others") not in page
