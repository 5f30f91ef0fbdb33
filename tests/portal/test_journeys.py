"""What a customer goes through, page by page, without JavaScript, in each language."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.company import card, policy
from tests.portal.conftest import STORY, code_sent, done, offered, report, reported, verified

from lipei.domain import commands as c
from lipei.norms.texts import text
from lipei.services import portal, sweeps
from lipei.services.portal import Visit
from lipei.store import models

pytestmark = pytest.mark.django_db
LANGUAGES = ("zh-hans", *(pytest.param(one, marks=pytest.mark.once) for one in ("zh-hant", "en")))
"""A database knows no languages: in one of them a customer goes through on both."""


def speaking(client: Client, language: str) -> Client:
    client.cookies["lipei_language"] = language
    return client


@pytest.mark.norm("2.2.1")
@pytest.mark.parametrize("language", LANGUAGES)
def test_story_and_phone_are_enough_and_the_receipt_says_everything(client: Client, people: Any, language: str) -> None:
    number = reported(speaking(client, language))
    page = client.get(f"/claim/{number}/receipt").content.decode()
    case = portal.claim_seen(Visit(number, 1))
    assert case is not None and case.claim.language == language and case.claim.channel == "portal"
    assert number in page
    assert models.Staff.objects.get(id=case.claim.handler).name in page
    assert text("portal.promise.preliminary_opinion", language) in page
    told = [c for c in case.clocks.values() if c.told_due_at]
    assert told and all(c.due_at.isoformat() in page for c in told if c.state == "running")
    assert portal.return_code(number, 1) in page and "/c/" in page


def test_the_link_on_the_receipt_opens_the_claim_elsewhere(client: Client, people: Any) -> None:
    number = reported(client)
    page = client.get(f"/claim/{number}/receipt").content.decode()
    link = re.search(r'href="[^"]*(/c/[^"]+)"', page)
    assert link is not None
    other = Client()
    assert other.get(link[1]).url == f"/claim/{number}/"
    assert number in other.get(f"/claim/{number}/").content.decode()


def test_sent_twice_it_is_one_report(client: Client, people: Any) -> None:
    key = {"key": "k" * 24}
    one, two = report(client, **key), report(client, **key)
    assert one.url == two.url
    assert models.Claim.objects.count() == 1


def test_a_second_text_under_the_same_key_is_not_a_second_claim(client: Client, people: Any) -> None:
    number = reported(client, key="k" * 24)
    again = report(client, key="k" * 24, story="还有车灯也坏了")
    assert again.status_code == 409 and models.Claim.objects.count() == 1
    page = again.content.decode()
    assert "还有车灯也坏了" in page and f"/claim/{number}/" in page


@pytest.mark.norm("2.3.2")
def test_serious_injury_goes_into_the_fast_lane(client: Client, people: Any) -> None:
    number = reported(client, hurt="serious", hurt_count="２")
    case = portal.claim_seen(Visit(number, 1))
    assert case is not None and case.claim.fast_lane and case.claim.serious_injuries == 2
    assert text("portal.receipt.fast", "zh-hans") in client.get(f"/claim/{number}/receipt").content.decode()


def test_amounts_as_people_write_them_and_the_cover_is_found(client: Client, people: Any) -> None:
    number = reported(
        client, kind="motor:single_vehicle", item_1="后保险杠", item_1_amount="２,６５０元", plate="沪A12345"
    )
    case = portal.claim_seen(Visit(number, 1))
    assert case is not None
    assert case.exposures[1].cover == "own_damage"
    assert case.exposures[1].items[0]["claimed_minor"] == 265000


def test_cover_for_the_people_in_the_car_leaves_no_choice_where_nobody_was_hurt(client: Client, people: Any) -> None:
    """Policies usually hold both; the damage to the car is then as clear as without it, and an injury is not."""
    policy = models.Policy.objects.get(number="PC-1")
    policy.schedule = {**policy.schedule, "driver_passenger": {"seat_limit_minor": 2000000}}
    policy.save()
    for hurt, cover in (("none", "own_damage"), ("light", "")):
        number = reported(
            client, kind="motor:single_vehicle", item_1="后保险杠", item_1_amount="2650", plate="沪A12345", hurt=hurt,
            key=hurt.ljust(24, "k"),
        )  # fmt: skip
        case = portal.claim_seen(Visit(number, 1))
        assert case is not None and case.exposures[1].cover == cover


BAD = [
    ({"story": " "}, "story", "refusal.story_missing"),
    ({"phone": "12"}, "phone", "refusal.phone_impossible"),
    ({"phone": ""}, "phone", "refusal.required"),
    ({"loss_at": "2100-01-01T10:00"}, "loss_at", "refusal.loss_after_report"),
    ({"loss_at": "0026-11-20T10:00"}, "loss_at", "refusal.year_impossible"),
    ({"loss_at": "1950-11-20"}, "loss_at", "refusal.loss_too_long_ago"),
    ({"loss_at": "gestern"}, "loss_at", "refusal.not_a_date"),
    ({"policy_number": "NOPE-1"}, "policy_number", "refusal.policy_unknown"),
    ({"estimate": "-5"}, "estimate", "refusal.money_negative"),
    ({"estimate": "viel"}, "estimate", "refusal.money_form"),
    ({"kind": "motor:baggage_loss"}, "kind", "refusal.not_a_choice"),
    ({"item_1_amount": "5"}, "item_1", "refusal.required"),
    ({"hurt": "light", "hurt_count": "0"}, "hurt_count", "refusal.out_of_bounds"),
    ({"story": "字" * 4001}, "story", "refusal.too_long"),
]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("said", "field", "code"), BAD)
def test_what_is_wrong_is_said_beside_the_field_and_nothing_is_lost(
    client: Client, people: Any, language: str, said: dict[str, str], field: str, code: str
) -> None:  # fmt: skip
    answer = report(speaking(client, language), **{"name": "王小明", "place": "人民路", "story": STORY, **said})
    page = answer.content.decode()
    assert answer.status_code == 422 and models.Claim.objects.count() == 0
    assert re.search(rf'id="{field}-error">{re.escape(text(code, language))}<', page)
    assert 'value="王小明"' in page and 'value="人民路"' in page
    typed = {name: value for name, value in said.items() if name not in ("kind", "hurt")}  # chosen, not typed
    assert all(value.strip() in page for value in typed.values())


@pytest.mark.norm("2.2.4")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_offer_is_explained_and_agreed_with_a_code(client: Client, people: Any, language: str) -> None:
    number = offered(speaking(client, language), people)
    verified(client, number)
    address = f"/claim/{number}/offers/1/"
    assert address in client.get(f"/claim/{number}/").content.decode()
    page = client.get(address).content.decode()
    case = portal.claim_seen(Visit(number, 1))
    assert case is not None
    lines = case.exposures[1].settlement["lines"]
    sums = page[page.index('<table class="lp-sums">') : page.index("</table>")]
    assert sums.count("<tr>") == len(lines) + 2 and "2,150.00" in sums, "a head, every line, and what comes of it"
    assert client.post(address, {"do": "code"}).status_code == 302
    wrong = client.post(address, {"do": "agree", "code": "x"})
    assert wrong.status_code == 422 and text("refusal.code_wrong", language) in wrong.content.decode()
    answer = client.post(address, {"do": "agree", "code": code_sent(number, "one_time_code")})
    assert answer.url == f"/claim/{number}/"
    after = portal.claim_seen(Visit(number, 1))
    assert after is not None and after.offers[1].state == "agreed" and after.offers[1].agreed_by == "customer:P1"
    assert text("portal.offer.agreed", language) in client.get(answer.url).content.decode()


def test_too_many_wrong_codes_and_only_a_new_one_helps(client: Client, people: Any) -> None:
    number = offered(client, people)
    verified(client, number)
    address = f"/claim/{number}/offers/1/"
    client.post(address, {"do": "code"})
    right = code_sent(number, "one_time_code")
    for _ in range(5):
        client.post(address, {"do": "agree", "code": "x"})
    late = client.post(address, {"do": "agree", "code": right})
    assert text("refusal.code_too_often", "zh-hans") in late.content.decode()
    case = portal.claim_seen(Visit(number, 1))
    assert case is not None and case.offers[1].state == "sent"


def test_an_offer_declined_with_its_reason(client: Client, people: Any) -> None:
    number = offered(client, people)
    verified(client, number)
    address = f"/claim/{number}/offers/1/"
    empty = client.post(address, {"do": "decline", "reason": " "})
    assert empty.status_code == 422 and text("refusal.reason_missing", "zh-hans") in empty.content.decode()
    client.post(address, {"do": "decline", "reason": "维修价格高于核定"})
    case = portal.claim_seen(Visit(number, 1))
    assert case is not None and case.offers[1].state == "declined" and case.offers[1].answer == "维修价格高于核定"
    said = text("portal.offer.sum_offered", "zh-hans", amount=f"{case.offers[1].amount_minor / 100:,.2f}元")
    assert said in client.get(address).content.decode()  # what was offered, not what would be paid now: nothing
    assert text("portal.offer.next", "zh-hans") in client.get(f"/claim/{number}/").content.decode()


@pytest.mark.norm("2.5.1")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("end", ["declined", "expired"])
def test_after_an_offer_came_to_nothing_the_ways_on_are_shown(
    client: Client, people: Any, language: str, end: str
) -> None:
    """What happens now and by when, what is paid first, and whom one can turn to: as in the letter of a refusal."""
    number = offered(client, people)
    verified(client, number)
    address = f"/claim/{number}/offers/1/"
    if end == "declined":
        client.post(address, {"do": "decline", "reason": "维修价格高于核定"})
    else:
        sweeps.offers(now=timezone.now() + timedelta(days=400), limit=9)
    client.cookies["lipei_language"] = language
    page = client.get(address).content.decode()
    assert text(f"portal.offer.next.{end}", language) in page
    assert text("portal.offer.next.by", language) in page
    assert (
        text("portal.offer.next." + ("given" if end == "declined" else "undisputed"), language, amount="§").split("§")[
            1
        ]
        in page
    )
    for way in ("review", "complaint", "mediation", "court"):
        assert text(f"letter.way.{way}", language) in page and text(f"letter.way.{way}.body", language) in page
    assert ("维修价格高于核定" in page) == (end == "declined")
    if end == "declined":
        done(number, "payment", "approve_payment", 1, None, people.finance1)
        done(number, "payment", "submit", 1, None, people.bank)
        done(number, "payment", "confirm", 1, c.Settled(), people.bank)
        track = client.get(f"/claim/{number}/").content.decode()
        assert text("payment_kind.undisputed", language) in track and text("letter_kind.undisputed", language) in track
        assert text("payment_kind.advance", language) not in track
        assert client.get(f"/claim/{number}/letters/advance/1.pdf").content.startswith(b"%PDF")
    assert 'name="code"' not in page and 'value="decline"' not in page
    late = client.post(address, {"do": "agree", "code": "1"})
    assert late.status_code == 422
    case = portal.claim_seen(Visit(number, 1))
    assert case is not None and case.offers[1].state == end


@pytest.mark.norm("2.5.1")
def test_while_a_declined_sum_is_worked_out_anew_no_old_calculation_is_shown(client: Client, people: Any) -> None:
    number = offered(client, people)
    verified(client, number)
    client.post(f"/claim/{number}/offers/1/", {"do": "decline", "reason": "太少"})
    case = portal.claim_seen(Visit(number, 1))
    done(number, "exposure", "return_for_rework", 1, c.Reasoned("重新核定"), people.handler_of(case))
    page = client.get(f"/claim/{number}/offers/1/").content.decode()
    assert text("portal.offer.reworked", "zh-hans") in page and text("portal.offer.how", "zh-hans") not in page
    assert client.get(f"/claim/{number}/letters/settlement/1.pdf").status_code == 404


def test_who_let_the_time_to_confirm_pass_is_not_told_that_we_wait(client: Client, people: Any) -> None:
    number = offered(client, people)
    verified(client, number)
    sweeps.offers(now=timezone.now() + timedelta(days=400), limit=9)
    page = client.get(f"/claim/{number}/").content.decode()
    assert text("portal.track.state.expired", "zh-hans") in page
    assert text("portal.track.state.offering", "zh-hans") not in page


def test_an_account_with_a_slip_is_explained_and_a_good_one_saved(client: Client, people: Any) -> None:
    number = reported(client, name="李雷", phone="13900139000")
    verified(client, number)
    address = f"/claim/{number}/account"
    right, tail = card(7), card(7)[-4:]
    slipped = right[:-1] + str((int(right[-1]) + 1) % 10)
    slip = client.post(address, {"account_name": "李雷", "account_number": slipped})
    assert slip.status_code == 422 and text("refusal.account_check_digit", "zh-hans") in slip.content.decode()
    assert slipped in slip.content.decode()
    other = client.post(address, {"account_name": "韩梅梅", "account_number": right})
    assert text("refusal.account_name_differs", "zh-hans") in other.content.decode()
    said = {"account_name": "李雷", "account_number": f"{right[:4]} {right[4:]}"}
    bare = client.post(address, said)
    assert bare.status_code == 422 and text("refusal.bank_code", "zh-hans") in bare.content.decode()
    good = client.post(address, {**said, "account_bank": "1022 9000 0000"})
    assert good.status_code == 302
    page = client.get(f"/claim/{number}/").content.decode()
    assert tail in page and right not in page


def test_a_message_is_kept_and_answered_for(client: Client, people: Any) -> None:
    number = reported(client)
    empty = client.post(f"/claim/{number}/message", {"text": ""})
    assert empty.status_code == 422 and text("refusal.text_missing", "zh-hans") in empty.content.decode()
    assert client.post(f"/claim/{number}/message", {"text": "车停在4S店\n请先打电话"}).status_code == 302
    page = client.get(f"/claim/{number}/").content.decode()
    assert "车停在4S店" in page
    kinds = list(models.Entry.objects.values_list("kind", flat=True))
    assert "claim.customer_wrote" in kinds


def test_withdrawing_takes_a_reason_and_a_page_of_its_own(client: Client, people: Any) -> None:
    number = reported(client)
    address = f"/claim/{number}/withdraw"
    assert client.get(address).status_code == 200
    assert client.post(address, {"reason": ""}).status_code == 422
    assert client.post(address, {"reason": "自己修好了"}).status_code == 302
    assert models.Claim.objects.get(number=number).state == "withdrawn"
    page = client.get(f"/claim/{number}/").content.decode()
    assert text("portal.track.state.withdrawn", "zh-hans") in page and address not in page
    for gone in ("dates.ics", "account"):  # no date is still to come, nothing is still to be paid
        assert f"/claim/{number}/{gone}" not in page
    assert text("portal.papers.none", "zh-hans") not in page, "nobody asks for papers any more"


@pytest.mark.norm("2.2.2")
def test_a_refused_paper_says_why_and_by_when(client: Client, people: Any) -> None:
    from lipei.domain import commands as c

    number = reported(client, kind="motor:single_vehicle")
    case = portal.claim_seen(Visit(number, 1))
    handler = people.handler_of(case)
    case = done(number, "claim", "request_papers", 0, c.RequestPapers(), handler)
    part = next(n for n in portal.papers_for(case, 1) if case.papers[n].required)
    done(number, "paper", "receive", part, c.Receive(), people.intake1)
    done(number, "paper", "refuse", part, c.RefusePaper(reason="unreadable", note="右下角看不清"), handler)
    page = client.get(f"/claim/{number}/").content.decode()
    assert text("reason.unreadable", "zh-hans") in page and "右下角看不清" in page
    assert case.papers[part].due_at.isoformat() in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_receipt_as_a_letter(client: Client, people: Any, language: str) -> None:
    number = reported(speaking(client, language))
    answer = client.get(f"/claim/{number}/letters/receipt/0.pdf")
    assert answer.status_code == 200 and answer["Content-Type"] == "application/pdf"
    assert answer.content.startswith(b"%PDF") and number in answer["Content-Disposition"]


def test_the_settlement_as_a_letter(client: Client, people: Any) -> None:
    number = offered(client, people)
    assert client.get(f"/claim/{number}/letters/settlement/1.pdf").status_code == 404
    verified(client, number)
    assert client.get(f"/claim/{number}/letters/settlement/1.pdf").content.startswith(b"%PDF")


@pytest.mark.parametrize("hurt", ["rescue", "death"])
def test_whose_family_is_in_need_is_not_asked_for_an_account_first(client: Client, people: Any, hurt: str) -> None:
    asked = text("portal.todo.account", "zh-hans")
    calm = reported(client, phone="13900139000", story="车停在路边被人刮了。")
    assert asked in client.get(f"/claim/{calm}/").content.decode()
    number = reported(client, phone="13900139001", story="我父亲被车撞了，在医院。", hurt=hurt)
    assert asked not in client.get(f"/claim/{number}/").content.decode()


def test_who_reported_twice_reads_that_the_other_claim_goes_on(client: Client, people: Any) -> None:
    first, second = reported(client), reported(client, story="倒车撞柱子了，保险杠坏了。")
    done(second, "claim", "link_duplicate", 0, c.LinkDuplicate(first), people.manager1)
    page = client.get(f"/claim/{second}/").content.decode()
    assert text("portal.track.state.duplicate", "zh-hans") in page
    assert text("portal.track.state.cancelled", "zh-hans") not in page


TREATED = {
    "kind": "health:illness_medical", "item_1": "门诊", "item_1_amount": "2000",
    "fact_social_insurance_minor": "１,200元", "fact_other_payment_minor": "0", "fact_used_social_insurance": "yes",
    "fact_inpatient": "no", "fact_outpatient": "yes",
}  # fmt: skip


@pytest.mark.norm("1.3.1")
@pytest.mark.parametrize("language", LANGUAGES)
def test_who_was_treated_says_what_others_paid(client: Client, people: Any, language: str) -> None:
    bought = {"medical_expense": {"limit_minor": 5_000_000, "deductible_minor": 0, "pay_rate": "100%"}}
    policy("M1", "medical", bought, name="张三", phone="13911110040", seed=40)
    models.Policy.objects.filter(number="M1").update(starts_at=timezone.now() - timedelta(days=200))
    page = speaking(client, language).get("/").content.decode()
    assert text("portal.report.treated", language) in page and text("fact.social_insurance_minor", language) in page
    wrong = report(client, phone="13911110040", **TREATED | {"fact_other_payment_minor": "viel"})
    assert wrong.status_code == 422 and 'id="fact_other_payment_minor-error"' in wrong.content.decode()
    number = reported(client, phone="13911110040", **TREATED)
    head = portal.claim_seen(Visit(number, 1)).exposures[1]
    assert head.cover == "medical_expense" and head.facts == {
        "social_insurance_minor": 120_000, "other_payment_minor": 0, "used_social_insurance": True, "inpatient": False,
        "outpatient": True,
    }  # fmt: skip


def test_what_the_loss_does_not_ask_is_left_out(client: Client, people: Any) -> None:
    number = reported(client, **TREATED | {"kind": "motor:single_vehicle"})
    assert portal.claim_seen(Visit(number, 1)).exposures[1].facts == {}
    unsaid = {name: "" for name in TREATED if name.startswith("fact_")}
    other = reported(client, **TREATED | unsaid)
    assert portal.claim_seen(Visit(other, 1)).exposures[1].facts == {}
