"""Two ways to drive a journey, with the same words: the services themselves, and the HTTP API over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from typing import Any

import orjson
import pytest
from django.test import Client
from tests.company import NOW
from tests.jobs.conftest import own_home as own_home

from lipei.api import calls, shapes
from lipei.domain.claims import Case
from lipei.domain.commands import Agree
from lipei.domain.events import Actor, Refusal
from lipei.domain.lifecycle import BY_ACTION
from lipei.domain.money import Money, plain
from lipei.norms.refusals import worded
from lipei.norms.texts import text
from lipei.services import actions, intake, tokens, verify
from lipei.store import aggregates, models

SCOPES = ("claims:read", "claims:write", "documents:write")


@dataclass(frozen=True)
class Refused:
    """What a refusal tells whoever drives: how it is answered, its code, and its sentence."""

    kind: str
    code: str
    words: str


class Drive:
    """What every way of driving can do: look at the claim, agree with the code that was sent, check the books."""

    def act(
        self, actor: Any, number: str, subject: str, action: str, part: int = 0, command: Any = None, *, now: Any
    ) -> Any:
        raise NotImplementedError

    def agree(self, actor: Any, number: str, offer: int, *, now: Any, shares: Any = ()) -> Any:
        """The customer reads the code on the phone and says it."""
        self.act(actor, number, "offer", "send_code", offer, now=now)
        code = models.Delivery.objects.filter(message="one_time_code").order_by("-id").first().secret
        return self.act(actor, number, "offer", "agree", offer, Agree(code, shares), now=now)

    def case(self, number: str) -> Any:
        """The claim as it is."""
        return aggregates.load(Case, actions.claim_id(number)).aggregate

    def verify(self) -> None:
        found = list(verify.differences(now=NOW))
        assert not found, found


class Services(Drive):
    """Journeys through the services, on the time that the test says."""

    def report(self, actor: Any, command: Any, *, now: Any, key: str = "") -> Any:
        done = intake.report(command, actor=actor, now=now, key=key)
        assert not isinstance(done, Refusal), done
        return done.case

    def no_report(self, actor: Any, command: Any, *, now: Any, key: str = "") -> str:
        done = intake.report(command, actor=actor, now=now, key=key)
        assert isinstance(done, Refusal), done
        return done.kind

    def act(
        self, actor: Any, number: str, subject: str, action: str, part: int = 0, command: Any = None, *, now: Any
    ) -> Any:
        done = actions.act(number, subject, action, part, command, actor=actor, now=now)
        assert not isinstance(done, Refusal), (subject, action, part, done)
        return done.case

    def refused(
        self, actor: Any, number: str, subject: str, action: str, part: int = 0, command: Any = None, *, now: Any
    ) -> Refused:
        done = actions.act(number, subject, action, part, command, actor=actor, now=now)
        assert isinstance(done, Refusal), (subject, action, done)
        own = next(iter(done.fields.values())) if len(done.fields) == 1 else done.code
        return Refused(done.kind, own, text(own, "zh-hans", **worded(done.params, "zh-hans")))


KINDS = {403: ("permission",), 404: ("missing",), 409: ("state", "conflict"), 422: ("fields",)}


@dataclass
class Api(Drive):
    """The same journeys as a program drives them: tokens, addresses and JSON, nothing else."""

    now: datetime | None = None
    tokens: dict[str, str] = field(default_factory=dict)
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def token(self, actor: Actor) -> str:
        """The token of a member of staff, or of a program. What the bank's own worker does, finance does by hand."""
        code = (
            "finance2" if actor.by_rule else models.Staff.objects.get(id=actor.staff_id).code if actor.staff_id else ""
        )
        if code not in self.tokens:
            made = tokens.make(code or "core system", SCOPES, code or None, now=self.now)
            assert isinstance(made, str), made
            self.tokens[code] = made
        return self.tokens[code]

    def send(self, actor: Actor, path: str, body: Any, *, now: datetime, **headers: str) -> tuple[int, Any]:
        self.now = now
        headers = {"Authorization": f"Bearer {self.token(actor)}", "Accept-Language": "zh-Hans", **headers}
        sent = orjson.dumps(body)
        answer = self.client.generic("POST", path, sent, content_type="application/json", headers=headers)
        return answer.status_code, orjson.loads(answer.content)

    def report(self, actor: Any, command: Any, *, now: Any, key: str = "") -> Any:
        status, body = self._report(actor, command, now, key)
        assert status == 201, body
        case = self.case(body["number"])
        assert body["state"] == case.claim.state and body["handler"]["id"] == case.claim.handler
        return case

    def act(
        self, actor: Any, number: str, subject: str, action: str, part: int = 0, command: Any = None, *, now: Any
    ) -> Any:
        status, body = self._act(actor, number, subject, action, part, command, now)
        assert status == 200, (subject, action, part, body)
        case = self.case(number)
        assert body["state"] == case.claim.state and body["events"]
        return case

    def refused(
        self, actor: Any, number: str, subject: str, action: str, part: int = 0, command: Any = None, *, now: Any
    ) -> Refused:
        status, body = self._act(actor, number, subject, action, part, command, now)
        assert status in KINDS, (subject, action, status, body)
        errors = body.get("errors", [])
        code = errors[0]["code"] if body["code"] == "refusal.fields" and len(errors) == 1 else body["code"]
        return Refused(KINDS[status][0], code, " ".join((body["detail"], *(e["message"] for e in errors))))

    def no_report(self, actor: Any, command: Any, *, now: Any, key: str = "") -> str:
        status, body = self._report(actor, command, now, key)
        assert status == 409, body
        return "conflict"

    def _report(self, actor: Any, command: Any, now: Any, key: str) -> tuple[int, Any]:
        headers = {"Idempotency-Key": key} if key else {}
        return self.send(actor, f"{shapes.BASE}/claims", said(command), now=now, **headers)

    def _act(
        self, actor: Any, number: str, subject: str, action: str, part: int, command: Any, now: Any
    ) -> tuple[int, Any]:
        where = shapes.href(number, BY_ACTION[subject, action], part)
        return self.send(actor, where, said(command) if command is not None else {}, now=now)


def said(value: Any) -> Any:
    """A command as a program writes it: what is not said is left out."""
    if isinstance(value, Money):
        return {"amount": plain(value), "currency": value.currency}
    if is_dataclass(value):
        told = {f.name: getattr(value, f.name) for f in fields(value)}
        return {name: said(one) for name, one in told.items() if one is not None and one not in ("", (), {})}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: said(one) for name, one in value.items()}
    return [said(one) for one in value] if isinstance(value, tuple | list) else value


@pytest.fixture(params=("services", "api"))
def drive(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Drive]:
    """A journey is driven both ways."""
    if request.param == "services":
        yield Services()
        return
    way = Api()
    monkeypatch.setattr(calls, "now", lambda: way.now)
    yield way
