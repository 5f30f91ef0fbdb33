"""A session that ends while somebody fills in a form: signed in again, nothing is lost (bad moments of a console)."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from lipei.store import models

pytestmark = pytest.mark.once

OURS = {"HTTP_ORIGIN": "http://testserver"}
WORDS = '客户说：保险杠\n还有 <b>车灯</b> & "倒车镜"'


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page as a browser would send them."""
    from html import unescape

    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {unescape(name): unescape(value) for name, value in found}


@pytest.mark.bad_moment("session ends")
@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
def test_what_was_typed_is_there_after_signing_in_again(browser, claim, handler_code, language):
    where = f"/console/claims/{claim}/add_note/"
    gone = Client()
    gone.cookies["lipei_language"] = language
    answer = gone.post(where, {"text": WORDS, "seen_version": "1"}, **OURS)
    page = answer.content.decode()
    assert answer.status_code == 401 and "<b>车灯" not in page and f'action="{where}"' in page
    fields = hidden(page)
    assert fields["text"] == WORDS and fields["seen_version"] == "1"
    again = browser(handler_code, language).post(
        where, {k: v for k, v in fields.items() if k != "seen_version"}, **OURS
    )
    assert again.status_code == 302
    assert models.Entry.objects.filter(kind="claim.note_added").count() == 1


def test_a_token_that_grew_old_keeps_the_form_too(browser, claim, handler_code):
    where = f"/console/claims/{claim}/add_note/"
    client = Client(enforce_csrf_checks=True)
    client.cookies = browser(handler_code).cookies
    answer = client.post(where, {"text": WORDS, "csrfmiddlewaretoken": "a" * 64}, **OURS)
    fields = hidden(answer.content.decode())
    assert answer.status_code == 403 and fields["text"] == WORDS
    assert '<nav id="menu"' in answer.content.decode(), "a page of the console, with its menu"
    assert client.post(where, fields, **OURS).status_code == 302
    assert models.Entry.objects.filter(kind="claim.note_added").count() == 1


def test_a_form_of_another_site_is_never_offered_for_sending(browser, claim, handler_code):
    where = f"/console/claims/{claim}/add_note/"
    foreign = {"HTTP_ORIGIN": "http://evil.example"}
    assert Client().post(where, {"text": WORDS}, **foreign).status_code == 302
    assert Client().post(where, {"text": WORDS}).status_code == 302
    client = Client(enforce_csrf_checks=True)
    client.cookies = browser(handler_code).cookies
    answer = client.post(where, {"text": WORDS}, **foreign)
    assert answer.status_code == 403 and WORDS.split("\n", maxsplit=1)[0] not in answer.content.decode()


def test_a_password_is_never_written_into_a_page(browser, office):
    client = Client(enforce_csrf_checks=True)
    client.cookies = browser("handler1").cookies
    secret = "nobody else may read this"
    said = {"oldpassword": secret, "password1": secret, "password2": secret, "csrfmiddlewaretoken": "a" * 64}
    answer = client.post("/accounts/password/change/", said, **OURS)
    assert answer.status_code == 403 and secret not in answer.content.decode()
    assert (
        secret not in Client().post("/console/staff/new/", {"code": "x", "password": secret}, **OURS).content.decode()
    )
