"""A company, a customer's browser, and claims at the stages that customers meet."""

from __future__ import annotations

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.company import company

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.domain.money import Money
from lipei.services import actions, norms, portal
from lipei.services.portal import Visit
from lipei.store import models

STORY = "倒车时撞到柱子，后保险杠破损。"


@pytest.fixture(autouse=True)
def own_folder(settings: Any, tmp_path: Any) -> None:
    """Uploads of a test lie in a folder of their own."""
    settings.LIPEI_HOME = tmp_path
    settings.LIPEI_MEDIA = str(tmp_path / "media")


@pytest.fixture
def people(db: Any) -> SimpleNamespace:
    """The company, its policies in force today."""
    made = company()
    now = timezone.now()
    models.Policy.objects.update(starts_at=now - timedelta(days=200), ends_at=now + timedelta(days=165))
    return made


def report(client: Client, **said: Any) -> Any:
    """Send the report form as a browser does: get it, fill it, post it."""
    key = re.search(r'name="key" value="([^"]+)"', client.get("/").content.decode())
    assert key is not None
    return client.post("/", {"key": key[1], "story": STORY, "phone": "13800138000", "hurt": "none", **said})


def reported(client: Client, **said: Any) -> str:
    """Report, and answer with the claim's number."""
    answer = report(client, **said)
    assert answer.status_code == 302, answer.content.decode()
    found = re.fullmatch(r"/claim/(\d+)/receipt", answer.url)
    assert found is not None, answer.url
    return found[1]


def verified(client: Client, number: str, party: int = 1) -> Client:
    """Open the link that a message to this party carries."""
    path = portal.link(Visit(number, party, verified=True), now=timezone.now())
    assert client.get(path).status_code == 302
    return client


def done(number: str, subject: str, action: str, part: int, command: Any, actor: Any) -> Any:
    """A colleague's step, which must succeed."""
    outcome = actions.act(number, subject, action, part, command, actor=actor, now=timezone.now())
    assert not isinstance(outcome, Refusal), outcome
    return outcome.case


def offered(client: Client, people: SimpleNamespace, **said: Any) -> str:
    """A claim with an offer sent to the customer, every step by the colleague whose it is."""
    number = reported(client, kind="motor:single_vehicle", item_1="后保险杠", item_1_amount="2650", **said)
    case = done(number, "claim", "request_papers", 0, c.RequestPapers(), people.handler_of(_case(number)))
    handler = people.handler_of(case)
    for part, paper in case.papers.items():
        if paper.required:
            done(number, "paper", "receive", part, c.Receive(), people.intake1)
            case = done(number, "paper", "accept", part, None, handler)
    if case.exposures[1].state == "open":
        items = (c.ItemAssessed("后保险杠", claimed=Money(265000, "CNY"), assessed=Money(265000, "CNY")),)
        done(number, "exposure", "assess", 1, c.Assess(items), handler)
        done(number, "exposure", "check_assessment", 1, None, people.assessor1)
        done(number, "exposure", "submit_decision", 1, None, handler)
        case = done(number, "exposure", "approve_decision", 1, None, people.approver1)
        if case.offers[1].state == "prepared":
            done(number, "offer", "send", 1, None, handler)
    assert _case(number).offers[1].state == "sent"
    return number


def _case(number: str) -> Any:
    found = portal.claim_seen(Visit(number, 1))
    assert found is not None
    return found


def code_sent(number: str, message: str) -> str:
    """The code in the newest message of this kind, as the phone shows it."""
    row = models.Delivery.objects.filter(message=message).order_by("-id").first()
    assert row is not None and row.secret, message
    return str(row.secret)


def attempts_max() -> int:
    return norms.current().settings.one_time_code_attempts
