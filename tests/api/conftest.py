"""A company, a token for everybody in it, and the API over them at a fixed time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from django.test import Client
from tests.company import NOW, company

from lipei.api import calls
from lipei.services import tokens
from lipei.store import models

ALL = ("claims:read", "claims:write", "worklist:read", "documents:write")


@dataclass
class Answer:
    """Status, headers and parsed body."""

    status: int
    body: Any
    headers: Any


@dataclass
class Caller:
    """Somebody with a token."""

    token: str
    client: Client = field(default_factory=lambda: Client(raise_request_exception=False))

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """``headers`` with underscores; a body of bytes goes as it is."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            named.setdefault("Authorization", f"Bearer {self.token}")
        data = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        kind = named.pop("Content-Type", "application/json")
        where = path if path.startswith("/") else f"/api/v1/{path}"
        found = self.client.generic(method, where, data, content_type=kind, headers=named)
        is_json = "json" in found.headers.get("Content-Type", "")
        content = b"".join(found.streaming_content) if found.streaming else found.content  # type: ignore[attr-defined]
        return Answer(found.status_code, orjson.loads(content) if is_json and content else content, found.headers)

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.send("POST", path, body, **headers)


@dataclass
class Office:
    """The company, its clock, and a caller per person."""

    us: Any
    now: datetime = NOW
    callers: dict[str, Caller] = field(default_factory=dict)

    def __getattr__(self, code: str) -> Caller:
        if code.startswith("_"):
            raise AttributeError(code)
        if code not in self.callers:
            person = None if code == "program" else code
            made = tokens.make(code, ALL, person, now=NOW)
            assert isinstance(made, str), made
            self.callers[code] = Caller(made)
        return self.callers[code]

    def handler(self, body: Any) -> Caller:
        """Who handles a claim, by an answer about it."""
        return getattr(self, models.Staff.objects.get(id=body["handler"]["id"]).code)

    def later(self, **span: int) -> None:
        """Time passes."""
        self.now += timedelta(**span)


@pytest.fixture
def office(db: Any, monkeypatch: pytest.MonkeyPatch) -> Office:
    made = Office(company())
    monkeypatch.setattr(calls, "now", lambda: made.now)
    return made
