"""Photos of 12 MB over HTTP to a real server: one while it is killed, and forty that must not fill its memory."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cache
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.crash.test_crash import target
from tests.jobs.installations import Installation, free_port

pytestmark = [pytest.mark.slow, pytest.mark.once]
__all__ = ["target"]  # a fixture
PIECE = 1 << 20
PHOTO_BYTES = 12_000_000
START_SECONDS = 180
REPORTED = """
from django.test import Client
from django.utils import timezone
from tests.portal.conftest import reported
from lipei.services import portal
from lipei.services.portal import Visit
number = reported(Client(headers={"host": "127.0.0.1"}))
print(number, portal.link(Visit(number, 1, verified=True), now=timezone.now()))
"""
SIGNED_IN = """
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
from lipei.store import models
client, user = Client(), get_user_model().objects.create_user(username="lead1")
models.Staff.objects.filter(code="lead1").update(user=user)
client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
print(settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value)
"""
LOOK = """
import json
from lipei.services import portal
from lipei.services.portal import Visit
import sys
print(json.dumps([[d.digest, d.size_bytes] for d in portal.claim_seen(Visit(sys.argv[1], 1)).documents.values()]))
"""


@cache
def picture() -> bytes:
    """A JPEG of as many pixels as a phone takes."""
    out = io.BytesIO()
    Image.effect_noise((1000, 750), 60).resize((4000, 3000)).convert("RGB").save(out, "JPEG")
    return out.getvalue()


def photo(seed: int) -> bytes:
    """A photo of 12 MB, another for each seed: a picture, and behind it what a phone adds for one that moves."""
    return picture() + seed.to_bytes(2) + bytes(PHOTO_BYTES - len(picture()) - 2)


@dataclass
class Server:
    """`lipei serve` as anybody starts it, and a customer's phone that speaks to it."""

    home: Installation
    port: int = field(default_factory=free_port)
    cookies: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = self.home.start("-m", "lipei", "serve", "--port", str(self.port), log=self.home.home / "log")
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until:
            try:
                return self.ask("GET", "/healthz")[0] == 200 or None
            except (OSError, HTTPException):
                time.sleep(0.1)
        raise AssertionError((self.home.home / "log").read_text()[-3000:])

    def family(self) -> list[int]:
        """The process and those that it began, youngest first."""
        assert self.process is not None
        found = [self.process.pid]
        for pid in found:
            children = Path(f"/proc/{pid}/task/{pid}/children")
            found += [int(one) for one in children.read_text().split()] if children.exists() else []
        return found[::-1]

    def memory_peak_kb(self) -> int:
        """The most that any of its processes ever held."""
        lines = [line for pid in self.family() for line in Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()]
        return max(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))

    def kill(self) -> None:
        for pid in self.family():
            os.kill(pid, signal.SIGKILL)
        assert self.process is not None
        self.process.wait(timeout=START_SECONDS)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, bytes, str]:
        """Status, body and where it leads, with the cookies that came so far."""
        line = HTTPConnection("127.0.0.1", self.port, timeout=START_SECONDS)
        headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "X-CSRFToken": self.cookies.get("csrftoken", ""), **headers,
        }  # fmt: skip
        try:
            line.request(method, path, body, headers)
            answer = line.getresponse()
            for said in answer.headers.get_all("Set-Cookie") or []:
                name, _, value = said.partition(";")[0].partition("=")
                self.cookies[name] = value
            return answer.status, answer.read(), answer.headers.get("Location", "")
        finally:
            line.close()

    def begin(self, number: str, data: bytes) -> str:
        """Announce a photo; the address for its pieces."""
        about = json.dumps({"name": "photo.jpg", "type": "image/jpeg", "size": len(data)}).encode()
        status, said, _ = self.ask("POST", f"/claim/{number}/uploads", about, **{"Content-Type": "application/json"})
        assert status == 201, said
        return str(json.loads(said)["address"])

    def send(self, address: str, data: bytes, offset: int = 0, until: int | None = None) -> dict[str, Any]:
        """Piece by piece; what the server said to the last."""
        answer: dict[str, Any] = {}
        while offset < (until or len(data)):
            status, said, _ = self.ask(
                "PATCH", address, data[offset : offset + PIECE], **{"Upload-Offset": str(offset)}
            )
            assert status == 200, said
            answer = json.loads(said)
            offset = answer["offset"]
        return answer


@pytest.fixture(scope="module")
def server(target: Installation) -> Iterator[Server]:
    made = Server(target)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def number(server: Server) -> str:
    """A claim whose customer has opened the link of their message."""
    number, link = server.home.python(REPORTED).split()
    _, _, where = server.ask("GET", link)
    server.ask("GET", where)
    assert "csrftoken" in server.cookies
    return number


def kept(server: Server, number: str) -> list[list[Any]]:
    """Digest and size of every photo of the claim."""
    found: list[list[Any]] = json.loads(server.home.python(LOOK, number))
    return found


@pytest.mark.bad_moment("restart during upload")
@pytest.mark.norm("2.2.2")
def test_an_upload_goes_on_where_it_was_after_the_server_was_killed(server: Server, number: str) -> None:
    data = photo(1)
    address = server.begin(number, data)
    assert server.send(address, data, until=5 * PIECE) == {"offset": 5 * PIECE}
    line = HTTPConnection("127.0.0.1", server.port, timeout=30)  # the sixth piece is on its way when the server dies
    line.putrequest("PATCH", address)
    line.putheader("Content-Length", str(PIECE))
    line.endheaders(data[:1000])
    server.kill()
    line.close()
    server.start()
    status, said, _ = server.ask("GET", address)
    assert (status, json.loads(said)) == (200, {"offset": 5 * PIECE})
    assert server.send(address, data, offset=5 * PIECE)["done"]
    assert kept(server, number) == [[hashlib.sha256(data).hexdigest(), PHOTO_BYTES]]


PHOTOS = 40
AT_ONCE = 6
"""As many files as a browser fetches at once from one host."""
GROWTH_KB_MAX = 100_000
"""Reading pictures at all takes 25 MB for the libraries that do. Kept as long as garbage may lie, forty took 400 MB."""


@pytest.mark.bad_moment("forty photos")
@pytest.mark.norm("2.2.2")
def test_forty_photos_of_twelve_megabytes_arrive_are_shown_small_and_leave_the_memory(
    server: Server, number: str
) -> None:
    before_kb = server.memory_peak_kb()
    digests = []
    for seed in range(PHOTOS):
        data = photo(seed)
        assert server.send(server.begin(number, data), data)["done"]
        digests.append(hashlib.sha256(data).hexdigest())
    received_kb = server.memory_peak_kb()
    assert kept(server, number) == [[digest, PHOTO_BYTES] for digest in digests] and len({*digests}) == PHOTOS
    name, session = server.home.python(SIGNED_IN).split()
    lead = replace(server, cookies={name: session})
    small = [f"/console/claims/{number}/documents/{part}/?size=small" for part in range(1, PHOTOS + 1)]
    with ThreadPoolExecutor(AT_ONCE) as browser:
        seen = list(browser.map(lambda address: lead.ask("GET", address), small))
    assert {status for status, _, _ in seen} == {200}
    assert {Image.open(io.BytesIO(made)).size for _, made, _ in seen} == {(320, 240)}
    shown_kb = server.memory_peak_kb()
    print(f"peak before {before_kb} KB, received {received_kb} KB, shown {shown_kb} KB")
    assert shown_kb - before_kb < GROWTH_KB_MAX
