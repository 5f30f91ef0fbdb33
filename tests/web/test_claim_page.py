"""The page of a claim as a cockpit: where it stands, what is next, who else is there, files, ready words, actions beside it."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image
from tests.company import NOW
from tests.web.conftest import full_claim, reported
from tests.web.test_claims import entries, seen
from tests.web.test_queries import FRAME

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.norms.texts import LANGUAGES, text
from lipei.reads import rulebook
from lipei.reads.way import steps as steps_of
from lipei.services import actions
from lipei.store import models
from lipei.web.console.claim_page import KEYS

pytestmark = pytest.mark.once

INLINE = {"HTTP_HX_REQUEST": "true"}


def done(outcome: Any) -> None:
    assert not isinstance(outcome, Refusal), outcome


# --- where it stands ------------------------------------------------------------------------------------------------


@pytest.mark.norm("2.3.1")
def test_the_way_shows_what_is_done_and_by_when_the_rest_is_promised(office, browser, claim, handler_code):
    client = browser(handler_code)
    way = {s["name"]: s for s in client.get(f"/console/claims/{claim}/").context["way"]}
    assert way["Reported"]["state"] == "done"
    assert way["First opinion"]["state"] == "now" and way["First opinion"]["at"].startswith("by ")
    assert way["Paid"]["state"] == "ahead" and way["Paid"]["at"].startswith("by ")
    done(
        actions.act(
            claim, "claim", "give_opinion", 0, c.GiveOpinion("ok"), actor=getattr(office, handler_code), now=NOW
        )
    )
    way = {s["name"]: s for s in client.get(f"/console/claims/{claim}/").context["way"]}
    assert (way["First opinion"]["state"], way["Papers complete"]["state"]) == ("done", "now")
    assert not way["First opinion"]["at"].startswith("by ")


@pytest.mark.norm("2.3.1")
def test_a_step_waits_for_the_promise_that_is_about_it_and_for_no_other(office, browser):
    """An urgent call, a guarantee to a hospital or the limit of an undisputed part says nothing of opinion and payment."""
    number = reported(office, rescue=True)
    page = browser("manager1").get(f"/console/claims/{number}/").context
    due = {p.code: p.due_at for p in page["running"]}
    ahead = {step.code: step.due_at for step in steps_of(page["page"], now=NOW)}
    assert ahead["opinion"] == due["preliminary_opinion"] > due["fast_contact"]
    assert {"handling_time", "rescue_cost"} <= set(due)
    assert ahead["paid"] is None, "what a team aims at in the mean is promised to nobody"


@pytest.mark.norm("2.3.1")
def test_a_step_that_is_late_says_by_when_it_was_promised(office, browser):
    """Also where a step after it was promised before that."""
    page = browser("manager1").get(f"/console/claims/{reported(office)}/").context["page"]
    days = {"preliminary_opinion": timedelta(days=-1)}
    told = tuple(replace(p, due_at=NOW + days.get(p.code, timedelta(days=-2))) for p in page.promises)
    found = {step.code: step for step in steps_of(replace(page, promises=told), now=NOW)}
    assert (found["opinion"].state, found["opinion"].due_at) == ("late", NOW - timedelta(days=1))
    assert NOW - timedelta(days=2) in {step.due_at for step in found.values()}


def test_a_reporter_without_a_name_is_somebody(office, browser):
    number = reported(office, phone="13500001111")
    body = browser("manager1", "en").get(f"/console/claims/{number}/").content.decode()
    assert text("claim_page.unnamed", "en") in body


@pytest.mark.norm("2.3.1")
def test_a_step_whose_promise_broke_says_so_and_says_it_afterwards_too(
    office, browser, claim, handler_code, monkeypatch
):
    from lipei.services import sweeps

    late = NOW + timedelta(days=2)
    monkeypatch.setattr(timezone, "now", lambda: late)
    client = browser(handler_code)
    steps = {s["name"]: s for s in client.get(f"/console/claims/{claim}/").context["way"]}
    assert steps["First opinion"]["state"] == "late" and steps["First opinion"]["at"].startswith("was due ")
    sweeps.clocks(now=late, limit=100)
    done(
        actions.act(
            claim, "claim", "give_opinion", 0, c.GiveOpinion("ok"), actor=getattr(office, handler_code), now=late
        )
    )
    steps = {s["name"]: s for s in client.get(f"/console/claims/{claim}/").context["way"]}
    assert steps["First opinion"]["state"] == "done" and steps["First opinion"]["at"].endswith(", late")


def test_a_claim_that_went_another_way_ends_its_way_there(office, browser, claim, handler_code):
    handler = getattr(office, handler_code)
    done(actions.act(claim, "claim", "withdraw", 0, c.Reasoned("客户不再索赔"), actor=handler, now=NOW))
    steps = browser(handler_code).get(f"/console/claims/{claim}/").context["way"]
    assert [s["name"] for s in steps] == ["Reported", "Withdrawn"]


def test_lane_and_handler_have_their_reasons_in_words(browser, claim, handler_code):
    for language in LANGUAGES:
        page = browser(handler_code, language).get(f"/console/claims/{claim}/")
        body = page.content.decode()
        assert page.context["lane_reasons"] and page.context["handler_reasons"]
        assert all(reason in body for reason in page.context["handler_reasons"])
        assert not any("{" in reason for reason in page.context["handler_reasons"])


def test_each_key_is_given_once_and_the_next_step_has_one(office, browser, claim, handler_code):
    body = browser(handler_code).get(f"/console/claims/{claim}/").content.decode()
    assert body.count('data-key="n"') == 1
    for key in {"w", "s", *KEYS.values()}:
        assert body.count(f'data-key="{key}"') <= 1, key
    assert 'data-key="m"' in body  # a note, whatever else


def test_the_timeline_is_of_people_of_promises_or_whole(office, browser):
    number = full_claim(office)
    client = browser("manager1")
    kinds = {
        which: [
            e.kind for e in client.get(f"/console/claims/{number}/?timeline={which}&entries=all").context["timeline"]
        ]
        for which in ("people", "clocks", "all")
    }
    assert not any(k.startswith(("clock.", "notice.")) for k in kinds["people"])
    assert kinds["clocks"] and all(k.startswith(("clock.", "notice.")) for k in kinds["clocks"])
    assert sorted(kinds["all"]) == sorted(kinds["people"] + kinds["clocks"])


def test_a_long_timeline_shows_its_newest_and_the_rest_when_asked(office, browser, claim):
    for n in range(40):
        done(actions.act(claim, "claim", "add_note", 0, c.Write(f"note {n}"), actor=office.lead1, now=NOW))
    client = browser("manager1")
    short = client.get(f"/console/claims/{claim}/").content.decode()
    assert "note 39" in short and "note 3\n" not in short and "Show all" in short
    assert "note 0" in client.get(f"/console/claims/{claim}/?entries=all").content.decode()


@pytest.mark.norm("1.4.3")
def test_a_reserve_keeps_its_history(office, browser, claim, handler_code):
    handler = getattr(office, handler_code)
    for amount in (300_000, 280_000):
        command = c.SetReserve(c.Money(amount, "CNY"), "查勘后调整")
        done(actions.act(claim, "exposure", "set_reserve", 1, command, actor=handler, now=NOW))
    rows = browser(handler_code).get(f"/console/claims/{claim}/").context["reserves"]
    assert (rows[0].before, rows[0].after) == (300_000, 280_000)
    assert rows[1].after == 300_000 and len(rows) == 2


# --- two at once ----------------------------------------------------------------------------------------------------


def pulse(client: Any, number: str, version: int, **more: str) -> Any:
    return client.get(f"/console/claims/{number}/pulse/?seen={version}", **INLINE, **more)


@pytest.mark.norm("4")
def test_two_people_at_one_claim_see_each_other(office, browser, claim, handler_code, monkeypatch):
    mine, theirs, version = browser(handler_code), browser("lead1"), seen(claim)
    assert "Also here" not in pulse(mine, claim, version).content.decode()
    assert f"Also here: {office.rows[handler_code].name}" in pulse(theirs, claim, version).content.decode()
    assert "Also here: Lead1" in pulse(mine, claim, version).content.decode()
    monkeypatch.setattr(timezone, "now", lambda: NOW + timedelta(seconds=61))
    assert "Also here" not in pulse(mine, claim, version).content.decode()
    assert entries(claim, "claim.personal_data_seen") == 0 and seen(claim) == version  # nothing of it is journaled


@pytest.mark.norm("4")
def test_what_somebody_else_did_meanwhile_is_said_with_who(office, browser, claim, handler_code):
    client, version = browser(handler_code), seen(claim)
    assert "Changed since" not in pulse(client, claim, version).content.decode()
    done(actions.act(claim, "claim", "add_note", 0, c.Write("hello"), actor=office.lead1, now=NOW))
    body = pulse(client, claim, version).content.decode()
    assert "Changed since you opened this: 1" in body and "Lead1" in body
    assert "Changed since" not in pulse(browser("lead1"), claim, version).content.decode()  # one's own is no news
    assert "Changed since" not in pulse(client, claim, seen(claim)).content.decode()


def test_nothing_travels_while_nothing_changes(browser, claim, handler_code):
    client, version = browser(handler_code), seen(claim)
    first = pulse(client, claim, version)
    again = pulse(client, claim, version, HTTP_IF_NONE_MATCH=first["ETag"])
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


def test_asking_for_news_costs_little_and_keeps_no_session_alive(office, browser, claim, handler_code, monkeypatch):
    client, version = browser(handler_code), seen(claim)
    pulse(client, claim, version)
    with CaptureQueriesContext(connection) as captured:
        pulse(client, claim, version)
    assert len(captured) <= FRAME + 4
    idle = rulebook.current().settings.session_idle_minutes
    for minute in range(0, idle + 2, 5):
        at = NOW + timedelta(minutes=minute)
        monkeypatch.setattr(timezone, "now", lambda at=at: at)
        pulse(client, claim, version, HTTP_LIPEI_POLL="1")
    monkeypatch.setattr(timezone, "now", lambda: NOW + timedelta(minutes=idle + 2))
    assert client.get(f"/console/claims/{claim}/").status_code == 302


def test_news_opened_by_hand_lead_to_the_claim(browser, claim, handler_code):
    assert browser(handler_code).get(f"/console/claims/{claim}/pulse/").url == f"/console/claims/{claim}/"


def test_a_part_of_a_page_says_that_one_is_signed_out_and_leads_nowhere(client, claim):
    assert client.get(f"/console/claims/{claim}/add_note/", **INLINE).status_code == 401
    assert client.get(f"/console/claims/{claim}/add_note/").status_code == 302


# --- actions beside the claim ---------------------------------------------------------------------------------------


def test_an_action_is_a_part_of_the_page_or_a_page_of_its_own(browser, claim, handler_code):
    client, where = browser(handler_code), f"/console/claims/{claim}/add_note/"
    part, whole = client.get(where, **INLINE).content.decode(), client.get(where).content.decode()
    assert "<html" not in part and "<html" in whole
    for body in (part, whole):
        assert f'action="{where}"' in body and 'name="text"' in body
    wrong = client.post(where, {"text": "", "seen_version": seen(claim)}, **INLINE)
    assert wrong.status_code == 422 and "<html" not in wrong.content.decode()
    sent = client.post(where, {"text": "Rang the customer.", "seen_version": seen(claim)}, **INLINE)
    assert (sent.status_code, sent["HX-Refresh"]) == (204, "true")
    assert entries(claim, "claim.note_added") == 1


@pytest.mark.norm("2.2.1")
def test_ready_words_for_the_opinion_are_for_the_line_and_in_the_customers_language(
    office, browser, claim, handler_code
):
    client = browser(handler_code, "en")
    page = client.get(f"/console/claims/{claim}/give_opinion/")
    ready = {o.code: o for o in page.context["templates"]}
    assert next(iter(ready)) == "motor_repair" and "medical" not in ready and "covered" in ready
    assert ready["covered"].name == "Covered, papers please"  # picked by the handler, in theirs
    assert ready["covered"].words.startswith("您报的这件事")  # read by the customer, in theirs
    filled = client.get(f"/console/claims/{claim}/give_opinion/?template=covered").content.decode()
    assert f"{ready['covered'].words}</textarea>" in filled
    assert "</textarea>" in client.get(f"/console/claims/{claim}/give_opinion/?template=none").content.decode()


def test_other_actions_have_no_ready_words(browser, claim, handler_code):
    assert browser(handler_code).get(f"/console/claims/{claim}/add_note/").context["templates"] == ()


# --- files ----------------------------------------------------------------------------------------------------------


def photo(client: Any, number: str, size: tuple[int, int] = (1600, 1200)) -> None:
    made = io.BytesIO()
    Image.new("RGB", size, "red").save(made, "JPEG")
    file = SimpleUploadedFile("crash.jpg", made.getvalue(), "image/jpeg")
    client.post(f"/console/claims/{number}/upload/", {"file": file, "place": ""})


def test_the_bar_counts_photos_that_no_paper_was_asked_for(browser, claim, handler_code):
    client = browser(handler_code)
    photo(client, claim)
    body = client.get(f"/console/claims/{claim}/").content.decode()
    papers = models.Paper.objects.count()
    assert f'Papers and photos <span class="lp-count">{papers + 1}</span>' in body


@pytest.mark.norm("4")
def test_no_picture_is_shown_and_no_look_recorded_before_personal_data_is_asked_for(browser, claim, handler_code):
    client = browser(handler_code)
    photo(client, claim)
    body = client.get(f"/console/claims/{claim}/").content.decode()
    assert "size=small" not in body and "data-photo" in body and entries(claim, "claim.personal_data_seen") == 0
    whole = client.post(f"/console/claims/{claim}/unmask/", follow=True).content.decode()
    assert f'src="/console/claims/{claim}/documents/1/?size=small"' in whole
    small = client.get(f"/console/claims/{claim}/documents/1/?size=small")
    assert small["Content-Type"] == "image/jpeg" and max(Image.open(io.BytesIO(small.content)).size) == 320
    assert entries(claim, "claim.personal_data_seen") == 1


@pytest.mark.norm("4")
def test_files_are_told_apart_on_a_form_without_their_names(browser, claim, office, handler_code):
    """People name files after people: number, kind, size, time and place say which is which, and pictures once unmasked."""
    client = browser(handler_code)
    photo(client, claim)
    photo(client, claim, size=(3200, 2400))
    done(
        actions.act(
            claim, "claim", "request_papers", 0, c.RequestPapers(), actor=getattr(office, handler_code), now=NOW
        )
    )
    where = f"/console/claims/{claim}/papers/1/receive/"
    page = client.get(where).content.decode()
    labels = re.findall(r'name="documents" value="(\d)">([^<]+)</label>', page)
    assert [value for value, _ in labels] == ["1", "2"] and len({said for _, said in labels}) == 2
    assert all(re.fullmatch(r"\d\. JPEG · \d+ KB · [-0-9]{10} [0-9:]{5}", said) for _, said in labels), labels
    assert "***.jpg" not in page and "size=small" not in page
    client.post(f"/console/claims/{claim}/unmask/")
    assert f'src="/console/claims/{claim}/documents/2/?size=small"' in client.get(where).content.decode()


def test_a_file_shows_its_digest_and_when_it_came(browser, claim, handler_code):
    client = browser(handler_code)
    photo(client, claim)
    body = client.get(f"/console/claims/{claim}/").content.decode()
    assert models.Document.objects.get().digest in body and "Digest (SHA-256)" in body and "Received" in body


def test_a_colleague_who_may_not_see_personal_data_has_no_way_to_files(office, browser):
    number = reported(office)
    handler = next(
        a for a in (office.handler1, office.handler2) if a.staff_id == models.Claim.objects.get(number=number).handler
    )
    done(
        actions.act(
            number, "consultation", "convene", 0, c.Convene("?", (office.expert1.staff_id,)), actor=handler, now=NOW
        )
    )
    photo(browser("manager1"), number)
    body = browser("expert1").get(f"/console/claims/{number}/").content.decode()
    assert "/documents/1/" not in body and "crash.jpg" not in body and 'id="viewer"' not in body


def test_the_words_of_the_page_speak_every_language(office, browser):
    number = full_claim(office)
    for language in LANGUAGES:
        body = browser("manager1", language).get(f"/console/claims/{number}/").content.decode()
        for key in ("claim_page.money", "claim_page.evidence", "claim_page.experts", "claim_page.timeline.people"):
            assert text(key, language) in body, (language, key)
