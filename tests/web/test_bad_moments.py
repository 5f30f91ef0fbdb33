"""Bad moments of the pages for staff: closed a second ago, two tabs, odd names and words."""

from __future__ import annotations

import pytest
from tests.company import NOW
from tests.web.conftest import reported
from tests.web.test_claims import entries, seen

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.norms.texts import LANGUAGES, text
from lipei.services import actions
from lipei.store import models

pytestmark = pytest.mark.django_db
ARABIC = "اصطدمت السيارة بالعمود"


@pytest.mark.norm("4")
@pytest.mark.bad_moment("a colleague was faster")
@pytest.mark.parametrize("language", LANGUAGES)
def test_closed_a_second_ago_says_so_and_keeps_the_words(office, browser, claim, handler_code, language):
    client, version = browser(handler_code, language), seen(claim)
    done = actions.act(claim, "claim", "withdraw", 0, c.Reasoned("客户自己修好了"), actor=office.lead1, now=NOW)
    assert not isinstance(done, Refusal), done
    typed = {"text": "Covered. Please send the papers.", "seen_version": version}
    answer = client.post(f"/console/claims/{claim}/give_opinion/", typed)
    body = answer.content.decode()
    assert answer.status_code == 409 and typed["text"] in body and "Lead1" in body
    assert text("console.stale.title", language) in body
    assert text(f"state.claim.{models.Claim.objects.get().state}", language) in body
    again = client.post(f"/console/claims/{claim}/give_opinion/", {**typed, "seen_version": seen(claim)})
    assert again.status_code == 409 and typed["text"] in again.content.decode()
    assert entries(claim, "claim.opinion_given") == 0


@pytest.mark.bad_moment("two tabs")
def test_of_two_tabs_neither_undoes_what_the_other_did(browser, claim, handler_code):
    """What one did oneself in the other tab is no news: both are done, each once, and nothing is lost."""
    client, version = browser(handler_code), seen(claim)
    first = {"amount": "1200", "reason": "after the survey", "seen_version": version}
    assert client.post(f"/console/claims/{claim}/exposures/1/set_reserve/", first).status_code == 302
    second = {"text": "Covered.", "seen_version": version}
    assert client.post(f"/console/claims/{claim}/give_opinion/", second).status_code == 302
    row = models.Claim.objects.get()
    assert models.Exposure.objects.get(aggregate_id=row.id).reserve_minor == 120000 and row.opinion == "Covered."
    assert entries(claim, "claim.opinion_given") == entries(claim, "exposure.reserve_set") == 1


@pytest.mark.bad_moment("short and long names")
@pytest.mark.parametrize("name", ["李", "Ö" * 40, "司" * 40])
def test_names_of_one_character_and_of_forty_on_the_pages_for_staff(browser, office, name):
    client = browser("intake1")
    said = {"phone": "13900001111", "story": "家里水管爆了", "name": name, "idempotency_key": "n"}
    answer = client.post("/console/report/", said, follow=True)
    assert answer.status_code == 200
    number = models.Claim.objects.get().number
    for where in ("/console/work/?whose=all", f"/console/claims/{number}/", "/console/report/"):
        assert client.get(where).status_code == 200
    assert models.Party.objects.get().name == name


@pytest.mark.bad_moment("long story")
@pytest.mark.bad_moment("right to left")
def test_a_long_story_and_words_from_right_to_left_on_the_pages_for_staff(office, browser):
    story = (ARABIC + "。" + "停车场里倒车时撞到柱子，后保险杠破损。" * 300)[:4000]
    number = reported(office, story=story)
    body = browser("lead1").get(f"/console/claims/{number}/").content.decode()
    assert f'<p dir="auto" class="lp-story lp-told">{story}</p>' in body
    turned = browser("intake1").post(
        "/console/report/", {"phone": "13900001111", "story": "\u202e撞车", "name": "\u202e"}
    )
    assert turned.status_code == 422 or "\u202e" not in models.Party.objects.latest("id").name
