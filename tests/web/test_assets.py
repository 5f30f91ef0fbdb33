"""What pages load: kept for a year under an address of its content, packed on the way."""

from __future__ import annotations

import re

import pytest
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def test_every_file_of_a_page_is_there_and_has_the_address_of_its_content(client: Client) -> None:
    page = client.get("/accounts/login/").content.decode()
    named = re.findall(r'(?:href|src)="(/static/[^"#]+)"', page)
    assert named
    for address in named:
        assert re.search(r"\?v=[0-9a-f]{10}$", address) or "/dist/" in address, address


def test_pages_travel_packed_and_answers_to_programs_do_not(client: Client) -> None:
    packed = {"HTTP_ACCEPT_ENCODING": "gzip"}
    assert client.get("/accounts/login/", **packed).headers.get("Content-Encoding") == "gzip"
    assert "Content-Encoding" not in client.get("/api/v1/openapi.json", **packed).headers
