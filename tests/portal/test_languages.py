"""No page of the portal is half translated (see `tests.web.test_languages`)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from tests.portal.conftest import offered, verified
from tests.web.test_languages import bracketed, own_words, strange

from lipei.norms.texts import LANGUAGES

pytestmark = [pytest.mark.once, pytest.mark.django_db]
__all__ = ["bracketed"]  # a fixture


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_on_a_page_is_in_another_language(people: Any, bracketed: None, language: str) -> None:
    client = Client()
    client.cookies["lipei_language"] = language
    number = offered(client, people)
    paths = ["/report/", "/help/", "/claim/", "/claim/code", f"/offline/{language}/", f"/claim/{number}/receipt"]
    wrong = []
    for path in (*paths, f"/claim/{number}/verify", f"/claim/{number}/", f"/claim/{number}/offers/1/"):
        if path.endswith(f"{number}/"):
            verified(client, number)
        answer = client.get(path, follow=True)
        assert answer.status_code == 200, path
        wrong += [f"{path}: {one!r}" for one in strange(answer.content.decode(), language, own_words(people, language))]
    assert not wrong, "\n".join(wrong)
