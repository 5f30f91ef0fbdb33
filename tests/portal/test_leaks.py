"""What an attacker reads: personal data that slips past the mask, into any answer, export, log line or message queue."""

from __future__ import annotations

import io
import logging
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.company import card
from tests.portal.conftest import done, reported

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.services import norms, portal, tokens
from lipei.services.portal import Visit
from lipei.store import models

pytestmark = [pytest.mark.once, pytest.mark.django_db]

ACCOUNT = card(7)
PLACE = "淮海中路1888弄"
PLANTED = ("欧阳春晓", "13812345678", "spring@example.org", "E98765432", ACCOUNT, "司徒静", "13787654321")
"""Names, phones and numbers that stand on the claim and nowhere else."""


@pytest.fixture
def number(client: Client, people: Any) -> str:
    """A claim full of personal data, told to a webhook too."""
    models.Webhook.objects.create(url="https://example.com/in", secret="whsec_x", kinds=(), created_at=timezone.now())
    number = reported(
        client, name="欧阳春晓", phone="13812345678", email="spring@example.org", place=PLACE,
        story="司徒静 13787654321 看到了，欧阳春晓 在车里。", policy_number="PC-1",
    )  # fmt: skip
    handler = people.handler_of(portal.claim_seen(Visit(number, 1)))
    hurt = c.PartyReported(roles=("injured", "claimant"), name="司徒静", phone="13787654321")
    done(number, "party", "add", 0, hurt, people.intake1)
    checked = c.CheckIdentity(id_type="passport", id_number="E98765432")
    done(number, "party", "check_identity", 1, checked, handler)
    account = c.PartyReported(account_name="欧阳春晓", account_number=ACCOUNT, account_bank="102290000000")
    proved = Visit(number, 1, verified=True, proved=True)
    assert not isinstance(portal.act(proved, "party", "correct", 1, account, now=timezone.now()), Refusal)
    client.post(f"/claim/{number}/message", {"text": "请打 13787654321 找司徒静"})
    return number


def leaked(text: str, *more: str) -> list[str]:
    return [planted for planted in (*PLANTED, *more) if planted in text]


READ = ("", "/timeline", "/promises", "/settlement")


@pytest.mark.parametrize("staff", [None, "surveyor1", "admin1", "finance1"])
def test_no_answer_of_the_api_shows_what_is_masked(client: Client, number: str, staff: str | None) -> None:
    secret = tokens.make(f"t {staff}", tokens.SCOPES, staff, now=timezone.now())
    assert isinstance(secret, str)
    headers = {"Authorization": f"Bearer {secret}", "Accept-Language": "zh-Hans"}
    answers = [client.get(f"/api/v1/claims/{number}{path}", headers=headers) for path in READ]
    answers += [client.get(f"/api/v1/{path}", headers=headers) for path in ("claims", "worklist", "claims?q=司徒静")]
    wrong = {"story": "x", "phone": "13812345678x", "policy_number": "欧阳春晓", "parties": [{"phone": "13787654321y"}]}
    answers.append(client.post("/api/v1/claims", wrong, content_type="application/json", headers=headers))
    for action in ("claim/agree", "offers/1/agree", "parties/1/correct", "add_note"):
        address = f"/api/v1/claims/{number}/{action}"
        answers.append(client.post(address, {"x": 1}, content_type="application/json", headers=headers))
    for answer in answers:
        assert answer.status_code < 500 and answer.content
        assert leaked(answer.content.decode().replace(wrong["phone"], "")) == [], answer.content.decode()


def test_who_may_see_is_shown_and_written_down(client: Client, number: str, people: Any) -> None:
    handler = people.handler_of(portal.claim_seen(Visit(number, 1)))
    code = models.Staff.objects.get(id=handler.staff_id).code
    secret = tokens.make("h", tokens.SCOPES, code, now=timezone.now())
    answer = client.get(f"/api/v1/claims/{number}?unmask=1", headers={"Authorization": f"Bearer {secret}"})
    assert leaked(answer.content.decode()) == list(PLANTED), "they are there, or the tests above prove nothing"
    assert models.Entry.objects.filter(kind="claim.personal_data_seen").count() == 1


def test_neither_journal_nor_webhooks_nor_tries_hold_personal_data(client: Client, number: str) -> None:
    kept = [str(row) for model in (models.Entry, models.WebhookDelivery, models.PortalTry) for row in values(model)]
    assert len(kept) > 20 and leaked("\n".join(kept), PLACE) == []


def test_no_row_of_the_claim_holds_personal_data_in_the_clear(client: Client, number: str) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for table in ("claim", "party", "note", "delivery", "search_token", "idempotency_key"):
            cursor.execute(f"SELECT * FROM {table}")
            assert leaked(str(cursor.fetchall()), PLACE) == [], table


def values(model: Any) -> list[dict[str, Any]]:
    return list(model.objects.values())


def test_a_whole_journey_and_its_slips_leave_no_personal_data_in_the_log(
    client: Client, number: str, people: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    try:
        logging.getLogger().setLevel(logging.DEBUG)
        client.raise_request_exception = False
        client.post("/claim/", {"number": number, "phone": "13812345678"})
        client.post("/claim/code", {"code": "13812345678"})
        monkeypatch.setattr("lipei.services.intake.report", lambda command, **rest: 1 / 0)
        failed = client.post("/", {"key": "z" * 24, "story": "司徒静", "phone": "13787654321", "name": "欧阳春晓"})
        assert failed.status_code == 500 and leaked(failed.content.decode()) == []
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(logging.WARNING)
    assert "ZeroDivisionError" in stream.getvalue() and leaked(stream.getvalue()) == []


# --- whoever makes tokens does not act under every name --------------------------------------------------------------


def test_a_token_under_a_name_is_made_by_its_person_or_the_operator(people: Any) -> None:
    now = timezone.now()
    refused = tokens.make("as another", ["claims:write"], "approver1", now=now, by=people.admin1)
    assert isinstance(refused, Refusal) and refused.fields == {"staff": "refusal.token_of_another"}
    assert isinstance(tokens.make("as myself", ["claims:write"], "admin1", now=now, by=people.admin1), str)
    assert isinstance(tokens.make("a program", ["claims:write"], now=now, by=people.admin1), str)
    assert isinstance(tokens.make("by the operator", ["claims:write"], "approver1", now=now), str)


# --- messages ----------------------------------------------------------------------------------------------------------


def test_messages_come_to_an_end_within_the_hour(client: Client, people: Any) -> None:
    number = reported(client)
    most = norms.current().settings.portal_messages_per_claim
    codes = [client.post(f"/claim/{number}/message", {"text": f"{n}"}).status_code for n in range(most + 1)]
    assert codes == [302] * most + [422]
    other = portal.act(Visit(number, 1), "claim", "withdraw", 0, c.Reasoned("x"), now=timezone.now())
    assert not isinstance(other, Refusal), "only writing is slowed down"


def test_the_same_loss_reported_twice_is_recognised_and_named_to_who_reported_it_alone(
    client: Client, people: Any
) -> None:
    """Without any time of the loss: a story and a phone. Somebody else with the same phone number learns nothing."""
    first = reported(client, story="车被刮了")
    again = client
    second = reported(again, story="我的车被刮了，车停在路边")
    assert first != second
    assert f"（{first}）" in again.get(f"/claim/{second}/receipt").content.decode()
    stranger = Client()
    third = reported(stranger, story="车被刮了，是白色的车")
    assert first not in stranger.get(f"/claim/{third}/receipt").content.decode()
    facts = [models.Entry.objects.filter(kind="claim.reported").order_by("id").last()]
    from lipei.store import journal

    assert first in journal.said(facts[0].payload)[0]["alike"]
