"""Webhooks: signed by the Standard Webhooks scheme, at least once, replayable."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from django.db import connection
from tests.company import NOW
from tests.jobs.conftest import reported

from lipei.services import norms, webhook_calls
from lipei.store import models

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_signature_of_the_schemes_own_example():
    """The example of the scheme's reference libraries: the same id, time, body and secret give the same signature."""
    said = webhook_calls.signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}')
    assert said == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


class Receiver:
    def __init__(self, *answers: Any) -> None:
        self.answers, self.calls = list(answers), []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(request)
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer)


@pytest.fixture
def hook(people: Any) -> Any:
    return models.Webhook.objects.create(
        url="https://example.com/in", secret=SECRET, kinds=("claim.reported",), created_at=NOW
    )


def work(receiver: Receiver, now: Any) -> int:
    return webhook_calls.work(now=now, limit=10, transport=httpx.MockTransport(receiver))


@pytest.mark.django_db
def test_a_call_can_be_checked_and_names_no_person(people, hook):
    case = reported(people)
    receiver = Receiver()
    assert work(receiver, NOW) == 1
    request = receiver.calls[0]
    assert datetime.fromisoformat(json.loads(request.content)["timestamp"]) == NOW
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.content
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    wanted = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert request.headers["webhook-signature"] == f"v1,{wanted}"
    body = json.loads(request.content)
    assert body["type"] == "claim.reported" and body["data"]["claim"] == case.claim.number
    assert "王小明" not in request.content.decode() and "13800138000" not in request.content.decode()
    assert work(receiver, NOW + timedelta(hours=1)) == 0


@pytest.mark.django_db
def test_a_receiver_that_is_down_is_called_again_under_the_same_id(people, hook):
    reported(people)
    receiver = Receiver(httpx.ConnectError("down"), 500)
    for minutes in (0, 1, 20):
        work(receiver, NOW + timedelta(minutes=minutes))
    assert len(receiver.calls) == 3 and len({r.headers["webhook-id"] for r in receiver.calls}) == 1
    row = models.WebhookDelivery.objects.get()
    assert (row.state, row.attempts, row.answer) == ("done", 3, "200")


@pytest.mark.django_db
def test_in_the_end_it_is_given_up_and_can_be_replayed(people, hook):
    reported(people)
    tries = len(norms.current().jobs.webhooks.retry_after) + 1
    receiver = Receiver(*[503] * tries)
    now = NOW
    for _ in range(tries):
        work(receiver, now)
        now += timedelta(days=2)
    assert models.WebhookDelivery.objects.get().state == "failed"
    assert webhook_calls.replay(webhook_id=hook.id, since=NOW - timedelta(hours=1), now=now) == 1
    work(receiver, now)
    assert models.WebhookDelivery.objects.get().state == "done"
    assert len({r.headers["webhook-id"] for r in receiver.calls}) == 1
    assert webhook_calls.replay(webhook_id=hook.id, since=NOW + timedelta(hours=1), now=now) == 0


@pytest.mark.django_db
def test_who_says_gone_is_called_no_more(people, hook):
    reported(people)
    work(Receiver(410), NOW)
    assert models.WebhookDelivery.objects.get().state == "failed"


def elsewhere(statement: str, *values: Any) -> None:
    """What another process does: this one's memory hears nothing of it."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.mark.django_db
def test_who_was_just_subscribed_by_another_process_is_told_at_once(people, hook):
    """The answer to the subscription says that it holds; an event a moment later must not be missed anywhere."""
    reported(people, "before")
    columns = "url, secret, kinds, active, created_at"
    elsewhere(
        f"INSERT INTO webhook ({columns}) SELECT 'https://example.com/2', secret, kinds, active, created_at FROM webhook"
    )
    reported(people, "after", story="另一件事", loss_at=NOW - timedelta(days=9))
    rows = models.WebhookDelivery.objects.order_by("id").values_list("webhook__url", flat=True)
    assert list(rows) == ["https://example.com/in", "https://example.com/in", "https://example.com/2"]
    elsewhere("UPDATE webhook SET active = %s WHERE url = 'https://example.com/in'", False)
    reported(people, "stopped", story="第三件事", loss_at=NOW - timedelta(days=20))
    assert models.WebhookDelivery.objects.filter(webhook__url="https://example.com/in").count() == 2


@pytest.mark.django_db
def test_a_silent_receiver_keeps_neither_the_others_nor_the_worker(people, hook):
    other = models.Webhook.objects.create(
        url="https://example.org/in", secret=SECRET, kinds=("claim.reported",), created_at=NOW
    )
    for n in range(3):
        reported(people, f"k{n}", story=f"第{n}件", loss_at=NOW - timedelta(days=9 * n + 1))
    asked: list[str] = []

    def receive(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        if request.url.host == "example.com":
            raise httpx.ReadTimeout("silence")
        return httpx.Response(200)

    assert work(receive, NOW) == 6  # type: ignore[arg-type]
    assert sorted(asked) == ["example.com"] + ["example.org"] * 3
    assert {row.state for row in models.WebhookDelivery.objects.filter(webhook=other)} == {"done"}
    silent = list(models.WebhookDelivery.objects.filter(webhook=hook))
    assert {(row.state, row.attempts) for row in silent} == {("queued", 1)} and all(row.due_at > NOW for row in silent)


class Endless(httpx.SyncByteStream):
    """An answer that never ends."""

    def __init__(self) -> None:
        self.read = 0

    def __iter__(self) -> Any:
        while True:
            self.read += 1
            assert self.read < 1000, "it was read to its end, which it has not"
            yield b"x" * 1000


@pytest.mark.django_db
def test_what_a_receiver_answers_is_not_read(people, hook):
    reported(people)
    endless = Endless()
    assert work(lambda request: httpx.Response(200, stream=endless), NOW) == 1  # type: ignore[arg-type]
    assert models.WebhookDelivery.objects.get().state == "done" and endless.read == 0


@pytest.mark.django_db
def test_a_call_that_nobody_foresaw_keeps_no_other(people, hook):
    for n in range(2):
        reported(people, f"k{n}", story=f"第{n}件", loss_at=NOW - timedelta(days=9 * n + 1))
    answers = [RuntimeError("on purpose"), 200]
    assert work(Receiver(*answers), NOW) == 2
    assert sorted(models.WebhookDelivery.objects.values_list("state", flat=True)) == ["done", "queued"]
