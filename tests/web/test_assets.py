"""What pages load: kept for a year under an address of its content, packed on the way."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.test import Client

from lipei.web.assets import Held

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def test_every_file_of_a_page_is_there_and_has_the_address_of_its_content(client: Client) -> None:
    page = client.get("/accounts/login/").content.decode()
    named = re.findall(r'(?:href|src)="(/static/[^"#]+)"', page)
    assert named
    for address in named:
        assert re.search(r"\?v=[0-9a-f]{10}$", address) or "/dist/" in address, address


def test_a_browser_that_knows_no_page_finds_the_mark(client: Client) -> None:
    answer = client.get("/favicon.ico", follow=True)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "image/svg+xml"


def test_pages_travel_packed_and_answers_to_programs_do_not(client: Client) -> None:
    packed = {"HTTP_ACCEPT_ENCODING": "gzip"}
    assert client.get("/accounts/login/", **packed).headers.get("Content-Encoding") == "gzip"
    assert "Content-Encoding" not in client.get("/api/v1/openapi.json", **packed).headers


def test_files_travel_packed_from_memory_and_are_asked_for_once(client: Client) -> None:
    for name in ("lipei.css", "console/keys.js", "dist/tabler.min.css"):
        plain, packed = client.get(f"/static/{name}"), client.get(f"/static/{name}", HTTP_ACCEPT_ENCODING="gzip, br")
        assert packed.headers["Content-Encoding"] == "gzip" and packed.headers["Vary"] == "Accept-Encoding"
        body = b"".join(packed.streaming_content)
        assert len(body) == int(packed.headers["Content-Length"]) < int(plain.headers["Content-Length"]) / 2
        assert gzip.decompress(body) == b"".join(plain.streaming_content)
        same = client.get(f"/static/{name}", HTTP_IF_NONE_MATCH=packed.headers["ETag"])
        assert same.status_code == 304
        assert "max-age=31536000" in packed.headers["Cache-Control"]
    assert "Content-Encoding" not in client.get("/static/portal/icon-192.png", HTTP_ACCEPT_ENCODING="gzip").headers
    assert client.head("/static/lipei.css").headers["Content-Type"].startswith("text/css")
    assert client.post("/static/lipei.css").status_code == 405
    assert client.get("/static/none.css").status_code == 404


def test_an_update_under_a_running_server_takes_no_file_from_its_pages(tmp_path: Path) -> None:
    """The folder is swapped while the process serves: what its pages name is still there, as it was."""
    sheet = tmp_path / "sheet.css"
    sheet.write_text("a { color: red }")
    held = Held(str(sheet), {})
    sheet.write_text("a { color: blue; margin: 0 }")
    first = held.get_response("GET", {})
    assert first.file.read() == b"a { color: red }"
    sheet.unlink()
    assert held.get_response("GET", {}).status == 200
