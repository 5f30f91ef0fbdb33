"""Taking a report with the customer on the phone."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.utils.html import escape
from tests.company import NOW
from tests.web.conftest import reported

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.norms.texts import LANGUAGES, text
from lipei.services import intake, prenotices
from lipei.store import models

pytestmark = pytest.mark.once


def test_phone_and_story_suffice(browser, office):
    client = browser("intake1")
    assert client.get("/console/report/").status_code == 200
    said = {
        "phone": "13900001111",
        "story": "家里水管爆了",
        "idempotency_key": "k1",
        "injured": "0",
        "deaths": "0",
        "serious_injuries": "0",
    }
    answer = client.post("/console/report/", said, follow=True)
    claim = models.Claim.objects.get()
    assert answer.status_code == 200
    body = answer.content.decode()
    assert claim.number in body and claim.channel == "console"
    assert "Dates promised to the customer" in body


@pytest.mark.bad_moment("double click")
def test_a_double_click_is_one_report(browser, office):
    client = browser("intake1")
    said = {"phone": "13900001111", "story": "家里水管爆了", "idempotency_key": "k2"}
    one, two = client.post("/console/report/", said), client.post("/console/report/", said)
    assert one.url == two.url and models.Claim.objects.count() == 1


@pytest.mark.bad_moment("back after submit")
def test_going_back_and_retyping_the_phone_makes_no_second_claim_unasked(browser, office):
    client = browser("intake1")
    said = {"phone": "13900001111", "story": "家里水管爆了", "idempotency_key": "k3"}
    client.post("/console/report/", said)
    again = client.post("/console/report/", {**said, "phone": "13900002222"})
    body = again.content.decode()
    assert again.status_code == 409 and models.Claim.objects.count() == 1
    assert "This form was sent before" in body and "idempotency key “" not in body and "13900002222" in body
    assert models.Claim.objects.get().number in body
    fresh = re.search(r'name="idempotency_key" value="([^"]+)"', body)
    assert fresh and fresh[1] != "k3"
    client.post("/console/report/", {**said, "phone": "13900002222", "idempotency_key": fresh[1]})
    assert models.Claim.objects.count() == 2, "who sends it once more means another loss"


@pytest.mark.norm("1.3.3")
def test_what_is_on_file_is_shown_and_prenotices_too(browser, office):
    told = prenotices.tell(
        prenotices.Tell(text="客户下周出国，请打手机。", policy_number="PC-1"), actor=office.lead1, now=NOW
    )
    assert isinstance(told, int)
    client = browser("intake1")
    body = client.post(
        "/console/report/", {"plate": "沪A12345", "story": "追尾", "look_up": "1", "idempotency_key": "k"}
    ).content.decode()
    assert "PC-1" in body and "王*明" in body and "王小明" not in body
    assert "客户下周出国，请打手机。" in body and "追尾" in body
    assert models.Claim.objects.count() == 0
    client.post(
        "/console/report/", {"plate": "沪A12345", "phone": "13800138000", "story": "追尾", "idempotency_key": "k"}
    )
    claim = models.Claim.objects.get()
    assert claim.policy_number == "PC-1"
    assert models.PreNotice.objects.get().used_by == claim.number
    page = browser("manager1").get(f"/console/claims/{claim.number}/").content.decode()
    assert "客户下周出国，请打手机。" in page


def test_nothing_typed_is_lost(browser, office):
    said = {
        "phone": "13900001111",
        "story": "",
        "place": "徐汇区漕溪路",
        "loss_at": "2026-13-45T10:00",
        "idempotency_key": "k",
    }
    answer = browser("intake1", "zh-hans").post("/console/report/", said)
    body = answer.content.decode()
    assert answer.status_code == 422
    assert 'value="徐汇区漕溪路"' in body and 'value="2026-13-45T10:00"' in body
    assert 'id="f-loss_at-error"' in body


def test_local_times_are_the_companys(browser, office):
    said = {"phone": "13900001111", "story": "追尾", "loss_at": "2026-11-23T08:30", "idempotency_key": "k"}
    browser("intake1").post("/console/report/", said)
    assert models.Claim.objects.get().loss_at.isoformat() == "2026-11-23T00:30:00+00:00"


def test_the_same_loss_twice_is_offered_for_linking(browser, office):
    client = browser("intake1")
    said = {"phone": "13800138000", "story": "追尾", "loss_at": "2026-11-23T08:30", "policy_number": "PC-1"}
    first = client.post("/console/report/", {**said, "idempotency_key": "a"}, follow=True)
    number = models.Claim.objects.get().number
    assert "These may be about the same loss" not in first.content.decode()
    second = client.post("/console/report/", {**said, "idempotency_key": "b"}, follow=True)
    assert "These may be about the same loss" in second.content.decode() and number in second.content.decode()


STORY = "今天早上倒车时撞到柱子，车牌沪A12345，没有人受伤。"


@pytest.mark.norm("2.1.1")
def test_the_story_comes_first_and_suggests_without_setting(browser, office):
    client = browser("intake1")
    empty = client.get("/console/report/").content.decode()
    assert empty.index('name="story"') < empty.index('name="phone"') < empty.index('name="loss_kind"')
    page = client.post("/console/report/", {"story": STORY, "look_up": "1", "idempotency_key": "k"}).content.decode()
    assert 'value="plate=%E6%B2%AAA12345"' in page and 'value="line=motor&amp;loss_kind=single_vehicle"' in page
    assert 'name="plate" value=""' in page, "offered, not filled in"
    assert models.Claim.objects.count() == 0


def test_a_confirmed_hint_is_filled_in_and_finds_the_policy(browser, office):
    client = browser("intake1")
    said = {"story": STORY, "place": "徐汇区", "idempotency_key": "k", "confirm": "plate=%E6%B2%AAA12345"}
    page = client.post("/console/report/", said).content.decode()
    assert 'name="plate" value="沪A12345"' in page and 'value="徐汇区"' in page and STORY in page
    assert "PC-1" in page and "王*明" in page and "138****8000" in page and "13800138000" not in page
    assert '<div data-field="name" hidden>' in page, "what is on file is not asked"
    assert 'value="plate=' not in page, "what is known is not suggested again"
    unknown = client.post("/console/report/", {**said, "confirm": "external_number=1&story=x%0A"}).content.decode()
    assert 'name="external_number"' not in unknown


def test_while_typing_only_the_part_that_changes_is_sent(browser, office):
    client = browser("intake1")
    part = client.post(
        "/console/report/", {"phone": "13800138000", "line": "motor", "look_up": "1"}, headers={"hx-request": "true"}
    ).content.decode()
    assert "<html" not in part and "PC-1" in part and 'data-known="' in part


def test_several_policies_are_offered_and_one_is_chosen(browser, office):
    client = browser("intake1")
    phone = models.Policy.objects.get(number="PC-1")
    phone.pk, phone.number = None, "PC-1B"
    phone.save()
    page = client.post(
        "/console/report/", {"phone": "13800138000", "look_up": "1", "idempotency_key": "k"}
    ).content.decode()
    assert 'value="policy_number=PC-1"' in page and 'value="policy_number=PC-1B"' in page
    page = client.post(
        "/console/report/", {"phone": "13800138000", "confirm": "policy_number=PC-1B", "idempotency_key": "k"}
    ).content.decode()
    assert 'name="policy_number" value="PC-1B"' in page and 'value="policy_number=PC-1"' not in page


def test_somebody_who_claimed_before_is_found_by_name(browser, office, claim):
    part = (
        browser("intake1")
        .post("/console/report/", {"name": "王小明", "look_up": "1"}, headers={"hx-request": "true"})
        .content.decode()
    )
    assert 'value="policy_number=PC-1"' in part and "王小明" not in part


@pytest.mark.norm("2.2.1")
def test_the_receipt_is_read_out_in_the_customers_language(browser, office):
    client = browser("intake1", "en")
    said = {
        "phone": "13800138000",
        "story": "追尾",
        "policy_number": "PC-1",
        "language": "zh-hant",
        "idempotency_key": "k",
    }
    page = client.post("/console/report/", said, follow=True).content.decode()
    claim = models.Claim.objects.get()
    spelled = " ".join(claim.number[i : i + 4] for i in range(0, len(claim.number), 4))
    script = page[page.index('<div lang="zh-hant">') :]
    script = script[: script.index("</div>")]
    assert spelled in script and "您的案件編號是" in script and "之前" in script
    assert "告知您初步意見" in script, "what is promised is named in the customer's words"
    assert "Read this out to the customer" in page
    assert 'data-sent="queued ' in page or 'data-sent="sent ' in page, "the message that is on its way is shown"


@pytest.mark.norm("2.2.1")
def test_whose_loss_it_is_and_for_whom_somebody_acts_is_said_at_once(browser, office):
    """The driver's own car, an injured child and their mother, each in their role: nothing has to be put right later."""
    said = {
        "phone": "13800138000", "story": "路口相撞，对方车上一名儿童受伤。", "line": "motor", "loss_kind": "collision",
        "policy_number": "PC-1", "injured": "1", "idempotency_key": "k",
        "parties-0-roles": ["reporter", "insured", "claimant", "payee"], "parties-0-name": "王小明",
        "parties-0-phone": "13800138000",
        "parties-1-roles": ["injured", "claimant"], "parties-1-name": "小宝",
        "parties-2-roles": ["guardian"], "parties-2-name": "李芳", "parties-2-phone": "13900139002",
        "parties-2-acts_for": "2", "parties-2-mandate": "guardianship",
        "exposures-0-cover": "own_damage", "exposures-0-peril": "collision", "exposures-0-reserve": "8000",
        "exposures-0-claimant": "1",
        "exposures-1-cover": "compulsory_medical", "exposures-1-peril": "third_party_injury",
        "exposures-1-reserve": "3000", "exposures-1-claimant": "2",
    }  # fmt: skip
    answer = browser("intake1").post("/console/report/", said)
    assert answer.status_code == 302, answer.context["unplaced"]
    claim = models.Claim.objects.get()
    heads = models.Exposure.objects.filter(aggregate_id=claim.id).order_by("part")
    assert [(h.cover, h.claimant) for h in heads] == [("own_damage", 1), ("compulsory_medical", 2)]
    guardian = models.Party.objects.get(aggregate_id=claim.id, part=3)
    assert (guardian.acts_for, guardian.mandate) == (2, "guardianship")


def test_a_guardian_of_nobody_is_told_what_is_missing_beside_the_field(browser, office):
    said = {
        "phone": "13900001111", "story": "孩子摔伤了", "idempotency_key": "k",
        "parties-0-roles": ["guardian"], "parties-0-name": "李芳",
    }  # fmt: skip
    answer = browser("intake1").post("/console/report/", said)
    assert answer.status_code == 422 and not answer.context["unplaced"]
    assert 'id="f-parties-0-acts_for-error"' in answer.content.decode()


def test_the_country_is_asked_for_only_where_the_cover_ends_at_a_border(office, browser, monkeypatch):
    """The private car's covers hold in mainland China; a policy without a territory, or none found, is not asked about."""
    client = browser("intake1")
    assert 'name="country"' not in client.get("/console/report/").content.decode()
    page = client.get("/console/report/?policy_number=PC-1").content.decode()
    assert 'name="country"' in page and '<option value="JP"' in page
    models.Policy.objects.filter(number="PC-1").update(product="personal_accident")
    assert 'name="country"' not in client.get("/console/report/?policy_number=PC-1").content.decode()


def test_below_the_form_stand_todays_own_reports_and_what_became_of_them(office, browser):
    client = browser("intake1")
    assert text("intake.today.none", "en") in client.get("/console/report/").content.decode()
    mine, older = reported(office), reported(office, story="昨天的事。")
    models.Claim.objects.filter(number=older).update(reported_at=NOW - timedelta(days=1))
    with_lead = intake.report(c.Report(story="停车被刮。", phone="13800138000"), actor=office.lead1, now=NOW)
    assert not isinstance(with_lead, Refusal)
    body = client.get("/console/report/").content.decode()
    below = body[body.index('id="today"') :]
    assert mine in below and older not in below and with_lead.case.claim.number not in below
    handler = models.Staff.objects.get(id=models.Claim.objects.get(number=mine).handler).name
    state = models.Claim.objects.get(number=mine).state
    assert handler in below and text(f"state.claim.{state}", "en") in below
    assert f"/console/claims/{mine}/receipt/" in below
    looked_up = client.post("/console/report/", {"look_up": "1", "story": "x"}, headers={"HX-Request": "true"})
    assert 'id="today"' not in looked_up.content.decode()


@pytest.mark.norm("2.2.1")
@pytest.mark.parametrize("language", LANGUAGES)
def test_all_that_is_wrong_is_told_at_once(browser, office, language):
    """What cannot be read and what the rules refuse: in one round, and nothing about what could not be read."""
    typed = {"story": "", "phone": "123", "loss_at": "yesterday", "injured": "many", "idempotency_key": "k" * 20}
    page = browser("intake1", language).post("/console/report/", typed)
    body = page.content.decode()
    assert page.status_code == 422
    for key in ("refusal.story_missing", "form.time", "refusal.not_a_number"):
        assert escape(text(key, language)) in body, key
    wrong = {f.name for group in ("who", "what") for f in page.context[group] if f.error}
    assert wrong == {"phone", "loss_at", "injured"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_loss_in_1900_happened_too_long_ago_and_is_no_matter_of_format(browser, office, language):
    for day, why in (("1900-01-01T00:00", "year_impossible"), ("1950-06-01T10:00", "loss_too_long_ago")):
        typed = {"story": "追尾", "phone": "13800138000", "loss_at": day, "idempotency_key": "k" * 20}
        page = browser("intake1", language).post("/console/report/", typed)
        assert page.status_code == 422 and escape(text(f"refusal.{why}", language)) in page.content.decode()
        assert escape(text("form.time", language)) not in page.content.decode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_row_of_parties_has_its_heading_for_eye_and_ear(browser, office, language):
    body = browser("intake1", language).get("/console/report/").content.decode()
    name = f"{text('field.parties', language)} 1"
    assert f'aria-label="{name}"' in body and f'<p class="lp-rows-name" aria-hidden="true">{name}</p>' in body


@pytest.mark.norm("2.1.1")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_policy_of_a_claim_that_has_none_is_looked_up_where_it_is_registered(browser, office, language):
    number = reported(office, phone="13900002222", line="", loss_kind="", exposures=())
    assert models.Claim.objects.get(number=number).policy_id is None
    client, where = browser("lead1", language), f"/console/claims/{number}/register/"
    assert text("claim_page.find_policy", language) in client.get(where).content.decode()
    for said in ("沪A12345", "PC-1", "13800138000"):
        found = client.get(where, {"find": said}).content.decode()
        assert "?policy_number=PC-1" in found and "王小明" not in found, said
    fields = {f.name: f for f in client.get(f"{where}?policy_number=PC-1").context["fields"]}
    assert fields["policy_number"].value == "PC-1"
    assert "?policy_number=" not in client.get(where, {"find": "nobody"}).content.decode()
