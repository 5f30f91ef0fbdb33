"""Messages and letters with example data."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from django.test import Client

from lipei.norms.messages import PLACEHOLDERS
from lipei.norms.texts import LANGUAGES
from lipei.reads import rulebook
from lipei.services import previews
from lipei.store import models

pytestmark = pytest.mark.once

PAGE = "/console/messages/"


@pytest.mark.norm("2.4.1")
def test_a_message_reads_in_every_language_with_example_data(
    browser: Callable[..., Client], office: SimpleNamespace
) -> None:
    body = browser("admin1").get(f"{PAGE}?message=receipt").content.decode()
    for language in LANGUAGES:
        assert f'lang="{language}"' in body
    assert PLACEHOLDERS["claim_number"][1] in body and "Alice Wang" in body
    assert "安和" not in body, "the company is the one that looks"
    assert browser("handler1").get(f"{PAGE}?message=nothing").status_code == 200
    assert not models.Delivery.objects.exists()


@pytest.mark.django_db
def test_every_message_can_be_read() -> None:
    book = rulebook.current()
    for code in book.messages.rows:
        for one in previews.wordings(code, book=book):
            assert one.said.text and "{" not in one.said.text, (code, one.channel, one.language)


@pytest.mark.norm("2.4.1")
def test_every_letter_is_a_pdf_under_the_companys_own_head(
    browser: Callable[..., Client], office: SimpleNamespace
) -> None:
    client = browser("admin1")
    answer = client.get(f"{PAGE}letters/receipt/en/")
    assert answer["Content-Type"] == "application/pdf" and answer.content.startswith(b"%PDF")
    for odd in ("letters/nothing/en/", "letters/receipt/fr/"):
        assert client.get(f"{PAGE}{odd}").status_code == 404
