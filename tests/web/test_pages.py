"""Every page opens for those who may, in three languages, with nothing that the content security policy forbids."""

from __future__ import annotations

import re

import pytest
from django.utils.html import escape
from tests.web.conftest import full_claim

from lipei.domain import permissions
from lipei.norms import loader
from lipei.norms.texts import texts
from lipei.reads import worklist

pytestmark = pytest.mark.once

PAGES = {
    "manager1": (
        "work/",
        "claims/",
        "report/",
        "approvals/",
        "payments/",
        "duty/",
        "team/",
        "norms/",
        "staff/",
        "staff/new/",
        "absences/",
        "delegations/",
        "prenotices/",
        "health/",
    ),
    "finance1": ("work/", "payments/", "approvals/", "finance/", "finance/?show=files"),
    "expert1": ("consultations/",),
    "admin1": (
        "calendar/",
        "calendar/?day=2026-11-24",
        "calculation/",
        "tokens/",
        "webhooks/",
        "health/",
        "norms/",
        "staff/",
    ),
    "handler1": ("", "report/", "prenotices/"),
}
INLINE = re.compile(r"\son[a-z]+\s*=|\sstyle\s*=|<style|<script(?![^>]*\ssrc=)", re.IGNORECASE)


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
def test_pages_open(browser, claim, handler_code, language):
    for code, pages in {
        **PAGES,
        handler_code: (f"claims/{claim}/", f"claims/{claim}/receipt/", f"claims/{claim}/give_opinion/"),
    }.items():
        client = browser(code, language)
        for page in pages:
            answer = client.get(f"/console/{page}", follow=True)
            assert answer.status_code == 200, (code, page)
            body = answer.content.decode()
            assert f'lang="{language}"' in body
            assert not INLINE.search(body), (page, INLINE.search(body))
            assert "unsafe-inline" not in answer["Content-Security-Policy"]


@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
def test_a_claim_on_which_much_happened(browser, office, language):
    """Every section of the page, and every form that the table now offers to anybody."""
    number = full_claim(office)
    for code in office.rows if language == "en" else ("manager1", "expert1"):
        client = browser(code, language)
        page = client.get(f"/console/claims/{number}/")
        if code.startswith("admin"):
            assert page.status_code == 403
            continue
        assert page.status_code in (200, 404)
        if page.status_code == 404:
            assert code == "expert2"  # not invited
            continue
        body = page.content.decode()
        assert not INLINE.search(body)
        for path in set(re.findall(rf'href="(/console/claims/{number}/[a-z0-9_/]+/)"', body)):
            answer = client.get(path)
            assert answer.status_code in (200, 302), (code, path, answer.status_code)


def test_norm_tables_open_and_edit(browser, office):
    codes = {"manager": "manager1", "team_lead": "lead1", "administrator": "admin1"}
    for table in loader.TABLES:
        client = browser(next(codes[role] for role in permissions.EDIT[table] if role in codes))
        answer = client.get(f"/console/norms/{table}/")
        assert answer.status_code == 200, table
        edit = client.get(f"/console/norms/{table}/edit/")
        if table == "products":  # one of them is chosen first
            assert edit.status_code == 302 and edit.url == "/console/norms/products/"
            edit = client.get("/console/norms/products/edit/?of=private_car-2")
        assert edit.status_code == 200, table
        assert f"console.norm.{table}" in texts()


def test_account_pages_open(browser, client):
    page = client.get("/accounts/login/").content.decode()
    assert not INLINE.search(page) and 'autocomplete="current-password"' in page
    mine = browser("handler1")
    for path in ("/accounts/2fa/", "/accounts/sessions/", "/accounts/password/change/", "/accounts/logout/"):
        answer = mine.get(path)
        assert answer.status_code == 200, path
        assert not INLINE.search(answer.content.decode())


@pytest.mark.parametrize("path", ["/accounts/signup/", "/accounts/password/reset/", "/accounts/email/"])
def test_nobody_signs_up_or_resets(client, db, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.templates[0].name == "account/ask.html"


WHOM = {"zh-hans": "管理员", "zh-hant": "管理員", "en": "administrator"}


@pytest.mark.bad_moment("no permission")
@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
def test_pages_that_say_no_or_sorry_name_whom_to_ask(browser, office, monkeypatch, language):
    client = browser("handler1", language)
    client.raise_request_exception = False
    no = client.get("/console/tokens/")
    assert no.status_code == 403 and WHOM[language] in no.content.decode()
    gone = client.get("/console/claims/000/")
    assert gone.status_code == 404 and escape(texts()["error.404.words"][language]) in gone.content.decode()
    monkeypatch.setattr(worklist, "work", lambda *_, **__: 1 / 0)
    sorry = client.get("/console/work/")
    assert sorry.status_code == 500 and WHOM[language] in sorry.content.decode()
    assert f'lang="{language}"' in sorry.content.decode() and not INLINE.search(sorry.content.decode())
