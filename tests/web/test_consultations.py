"""The expert's page: what waits, the form to answer with, what others said, what came of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from tests.company import NOW
from tests.web.conftest import reported
from tests.web.test_queries import FRAME, queries

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.services import actions
from lipei.store import models

pytestmark = pytest.mark.once

PAGE = "/console/consultations/"


def convened(office: SimpleNamespace, question: str, *experts: str, **more: Any) -> str:
    """The number of a claim on which these experts are asked."""
    number = reported(office, **more)
    handler = next(
        a for a in (office.handler1, office.handler2) if a.staff_id == models.Claim.objects.get(number=number).handler
    )
    command = c.Convene(question, tuple(office.rows[code].id for code in experts))
    done = actions.act(number, "consultation", "convene", 0, command, actor=handler, now=NOW)
    assert not isinstance(done, Refusal), done
    return number


@pytest.mark.norm("2.2.3")
def test_a_question_is_answered_on_the_page(browser: Callable[..., Client], office: SimpleNamespace) -> None:
    number = convened(office, "后保险杠是否需要更换？请联系王小明 13800138000", "expert1", "expert2")
    client = browser("expert1")
    body = client.get(PAGE).content.decode()
    assert "Waiting for your opinion" in body and "后保险杠是否需要更换" in body and "Expert1 · Expert2" in body
    assert "13800138000" not in body and "王小明" not in body, "masked like on the claim"
    where = re.search(r'<form method="post" action="(/console/claims/[^"]+/opine/)"', body)
    seen = re.search(r'name="seen_version" value="(\d+)"', body)
    assert where and seen
    said = {"vote": "against", "text": "可以修复。", "seen_version": seen[1], "back": "consultations"}
    assert client.post(where[1], said).url == PAGE
    body = client.get(PAGE).content.decode()
    assert "No consultation waits for you." in body and "You have spoken" in body
    assert f"?open={number}/1" in body and 'name="vote"' not in body, "the form only where it is asked for"
    assert "Change your opinion" in client.get(f"{PAGE}?open={number}/1").content.decode()
    other = browser("expert2").get(PAGE).content.decode()
    assert "Expert1: Against" in other and "Not yet: Expert2" in other


@pytest.mark.norm("2.2.3")
def test_nobody_votes_without_choosing(browser: Callable[..., Client], office: SimpleNamespace) -> None:
    number = convened(office, "后保险杠是否需要更换？", "expert1")
    client = browser("expert1")
    body = client.get(PAGE).content.decode()
    assert re.search(r'name="vote"><option value="" selected>', body), "the first, which a browser shows, is no vote"
    assert not re.search(r'<option value="(for|against|abstain)" selected', body)
    seen = re.search(r'name="seen_version" value="(\d+)"', body)
    assert seen
    said = {"vote": "", "text": "可以修复。", "seen_version": seen[1], "back": "consultations"}
    answer = client.post(f"/console/claims/{number}/consultations/1/opine/", said)
    assert answer.status_code == 422
    body = answer.content.decode()
    assert "Please choose one of the given values." in body and "可以修复。" in body, "what was typed stays"


@pytest.mark.norm("2.2.3")
def test_what_came_of_it_stays_and_others_see_nothing(browser: Callable[..., Client], office: SimpleNamespace) -> None:
    number = convened(office, "是否属于保险责任？", "expert1")
    actions.act(number, "consultation", "opine", 1, c.Opine("for", "属于。"), actor=office.expert1, now=NOW)
    actions.act(
        number, "consultation", "conclude", 1, c.Conclude("accepted", "采纳专家意见。"), actor=office.lead1, now=NOW
    )
    body = browser("expert1").get(PAGE).content.decode()
    assert "Concluded" in body and "采纳专家意见。" in body and "Accepted" in body
    assert number not in browser("expert2").get(PAGE).content.decode()


def test_the_page_costs_the_same_however_much_waits(browser: Callable[..., Client], office: SimpleNamespace) -> None:
    convened(office, "一？", "expert1")
    client = browser("expert1")
    one = queries(client, PAGE)
    for n in range(4):
        convened(office, f"第{n}问？", "expert1", story=f"第{n}件", phone=f"1390013000{n}")
    assert queries(client, PAGE) == one <= FRAME + 10
