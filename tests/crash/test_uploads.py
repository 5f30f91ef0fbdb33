"""A photo of 12 MB over HTTP to a real server that is killed in the middle of it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
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
LOOK = """
import json
from lipei.services import portal
from lipei.services.portal import Visit
import sys
print(json.dumps([[d.digest, d.size_bytes] for d in portal.claim_seen(Visit(sys.argv[1], 1)).documents.values()]))
"""


def photo(seed: int) -> bytes:
    """A JPEG of 12 MB: a small picture, and comments that fill it up."""
    out = io.BytesIO()
    Image.effect_noise((320, 240), 20 + seed).convert("RGB").save(out, "JPEG")
    picture, filled = out.getvalue(), b""
    while (left := PHOTO_BYTES - len(picture) - len(filled)) > 4:
        size = min(left - 2, 65_535)
        filled += b"\xff\xfe" + size.to_bytes(2, "big") + bytes(size - 2)
    return picture[:2] + filled + picture[2:]


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


@pytest.fixture
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
