"""The history on a claim's page: a broken promise names its head of loss, whoever acted is named once."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone
from tests.company import NOW
from tests.web.conftest import reported

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.norms.texts import LANGUAGES, text
from lipei.services import actions, sweeps
from lipei.store import models

pytestmark = [pytest.mark.once, pytest.mark.django_db]
TWO = (c.ExposureReported("own_damage", "single_vehicle"), c.ExposureReported("third_party", "single_vehicle"))


@pytest.mark.norm("2.3.1")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_promise_broken_for_several_heads_names_each(office, browser, monkeypatch, language):
    number = reported(office, exposures=TWO)
    handler = models.Claim.objects.get(number=number).handler
    handler = next(getattr(office, code) for code, row in office.rows.items() if row.id == handler)
    asked = actions.act(number, "claim", "request_papers", 0, actor=handler, now=NOW)
    assert not isinstance(asked, Refusal), asked
    for part in [n for n, p in asked.case.papers.items() if p.required]:
        actions.act(number, "paper", "receive", part, c.Receive(), actor=office.intake1, now=NOW)
    late = NOW + timedelta(days=90)
    while sweeps.clocks(now=late, limit=50):
        pass
    entries = models.Entry.objects.filter(kind="clock.breached")
    assert entries.count() > 1
    monkeypatch.setattr(timezone, "now", lambda: late)
    page = browser("manager1", language).get(f"/console/claims/{number}/?timeline=all&entries=all").content.decode()
    words = [unescape(w) for w in re.findall(r'class="lp-event-words">(.*?)</span>', page)]
    of_heads = [w for w in words if w.startswith(("1. ", "2. "))]
    covers = {text("cover.own_damage", language), text("cover.third_party", language)}
    assert {next((cover for cover in covers if cover in w), "") for w in of_heads} == covers
    assert len(of_heads) == len(set(of_heads)), "no two entries read alike"


def test_one_head_is_not_named(office, browser, claim):
    while sweeps.clocks(now=NOW + timedelta(days=90), limit=50):
        pass
    page = browser("manager1").get(f"/console/claims/{claim}/?timeline=all&entries=all").content.decode()
    assert not re.findall(r'class="lp-event-words">1\. ', page)


def test_whoever_acted_is_named_once_in_an_entry(office, browser, claim, handler_code):
    handler = getattr(office, handler_code)
    done = actions.act(claim, "claim", "give_opinion", 0, c.GiveOpinion("属于保险责任。"), actor=handler, now=NOW)
    assert not isinstance(done, Refusal), done
    page = browser("manager1").get(f"/console/claims/{claim}/?timeline=all&entries=all").content.decode()
    rows = [r for r in re.findall(r"<li[^>]*>(.*?)</li>", page, re.S) if "lp-event-words" in r and handler.name in r]
    assert rows and all(r.count(handler.name) == 1 for r in rows)


def test_what_one_person_did_alike_in_one_minute_stands_folded_behind_the_first(office, browser, claim, handler_code):
    handler = getattr(office, handler_code)
    asked = actions.act(claim, "claim", "request_papers", 0, actor=handler, now=NOW)
    assert not isinstance(asked, Refusal) and len(asked.case.papers) > 2
    for n in asked.case.papers:
        came = actions.act(claim, "paper", "receive", n, c.Receive(), actor=office.intake1, now=NOW)
        assert not isinstance(came, Refusal), came
    page = browser("manager1").get(f"/console/claims/{claim}/").content.decode()
    folded = [int(n) for n in re.findall(r"(\d+) more at the same time", page)]
    assert folded and max(folded) >= 2
    asked_of = set(re.findall(r"Asked of ([^<·]*)", page))
    assert asked_of and not any(re.match(r"\d+\. \d+\. ", name) for name in asked_of), "one number before a name"
