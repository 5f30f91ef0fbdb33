"""Signing in: password, lockout, two steps, sessions, languages (norm part 4)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from allauth.mfa.totp.internal import auth as totp
from allauth.usersessions.models import UserSession
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone
from tests.company import NOW
from tests.web.conftest import PASSWORD, REAL_CLOCK

from lipei.services import verify
from lipei.store import models
from lipei.web.templatetags.lipei import browser_name

pytestmark = pytest.mark.once

LOGIN = "/accounts/login/"


def attempt(client: Client, password: str, username: str = "handler1"):
    return client.post(LOGIN, {"login": username, "password": password})


@pytest.fixture
def english(client: Client) -> Client:
    client.cookies["lipei_language"] = "en"
    return client


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real clock: the parts we take compare with it under names of their own."""
    monkeypatch.setattr(timezone, "now", REAL_CLOCK)


def test_sign_in_and_out(office, english):
    assert attempt(english, PASSWORD).url == "/console/"
    page = english.get("/console/work/")
    assert page.status_code == 200
    assert not list(page.context["messages"]), "it was made in the visitor's language and read in the colleague's"
    english.post("/accounts/logout/")
    assert english.get("/console/work/").status_code == 302


def test_wrong_password_keeps_the_name(office, english):
    body = attempt(english, "wrong").content.decode()
    assert 'value="handler1"' in body and "lp-alert-bad" in body
    assert 'value="wrong"' not in body


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh-hans", "登录已暂时锁定"), ("zh-hant", "登入已暫時鎖定"), ("en", "Sign-in is locked for now")],
)
def test_too_many_wrong_passwords_lock_with_a_clear_sentence(office, client, ticking, language, words):
    client.cookies["lipei_language"] = language
    answers = [attempt(client, f"wrong {n}") for n in range(6)]
    assert [a.status_code for a in answers] == [200] * 4 + [429] * 2
    assert words in answers[-1].content.decode() and "15" in answers[-1].content.decode()
    assert attempt(client, PASSWORD).status_code == 429  # the right one does not help now


def test_who_no_longer_works_here_sees_nothing(office, english):
    attempt(english, PASSWORD)
    models.Staff.objects.filter(code="handler1").update(active=False)
    assert english.get("/console/work/").status_code == 403


def test_two_steps(office, english, ticking):
    attempt(english, PASSWORD)
    asked = english.get("/accounts/2fa/totp/activate/")
    assert "/reauthenticate/" in asked.url, "the password is asked for once more"
    assert "Please confirm that it is you" in english.get(asked.url).content.decode()
    english.post(asked.url, {"password": PASSWORD})
    page = english.get("/accounts/2fa/totp/activate/")
    assert page.status_code == 200 and 'class="lp-qr" src="data:image/svg+xml' in page.content.decode()
    secret = page.context["form"].secret
    made = english.post("/accounts/2fa/totp/activate/", {"code": code(secret)}, follow=True)
    assert "Recovery codes" in made.content.decode()
    codes = english.get("/accounts/2fa/recovery-codes/").context["unused_codes"]
    assert len(codes) == 10

    other = Client()
    other.cookies["lipei_language"] = "en"
    answer = attempt(other, PASSWORD)
    assert "/2fa/authenticate/" in answer.url
    assert other.get("/console/work/").status_code == 302, "a password alone is not enough any more"
    assert other.post(answer.url, {"code": "000000"}).status_code == 200
    assert other.post(answer.url, {"code": codes[0]}).url == "/console/"
    assert other.get("/console/work/").status_code == 200


def code(secret: str) -> str:
    return totp.format_hotp_value(totp.hotp_value(secret, next(iter(totp.yield_hotp_counters_from_time()))))


def test_sessions_are_listed(office, english):
    attempt(english, PASSWORD)
    english.get("/console/work/")
    body = english.get("/accounts/sessions/").content.decode()
    assert "127.0.0.1" in body and "This one" in body
    attempt(Client(), PASSWORD)
    rows = english.get("/accounts/sessions/").content.decode().split("<tr>")[2:]
    assert len(rows) == 2 and "This one" in rows[1], "the newest comes first"


def test_one_session_is_ended_alone_and_that_is_on_record(office, english):
    """A phone was lost: its session ends, the one at the desk goes on."""
    phone = Client()
    for client in (english, phone):
        attempt(client, PASSWORD)
        assert client.get("/console/work/").status_code == 200
    lost = UserSession.objects.get(session_key=phone.cookies["sessionid"].value)
    assert f"/accounts/sessions/{lost.pk}/end/" in english.get("/accounts/sessions/").content.decode()
    assert english.post(f"/accounts/sessions/{lost.pk}/end/").url == "/accounts/sessions/"
    assert phone.get("/console/work/").status_code == 302 and english.get("/console/work/").status_code == 200
    entry = models.Entry.objects.get(kind="access.session_ended")
    assert entry.actor == office.handler1.id
    english.post(f"/accounts/sessions/{lost.pk}/end/")  # gone already
    assert models.Entry.objects.filter(kind="access.session_ended").count() == 1
    assert list(verify.differences(now=NOW)) == []


def test_an_administrator_ends_anybodys_session_and_nobody_else_does(office, browser, english):
    attempt(english, PASSWORD)
    english.get("/console/work/")
    (row,) = UserSession.objects.all()
    staff = office.rows["handler1"].id
    where = f"/console/staff/{staff}/sessions/{row.pk}/end/"
    assert browser("handler2").post(where).status_code == 403
    other = browser("handler2")
    other.post(f"/accounts/sessions/{row.pk}/end/")
    assert english.get("/console/work/").status_code == 200, "somebody else's"
    admin = browser("admin1")
    assert where in admin.get(f"/console/staff/{staff}/").content.decode()
    assert admin.post(where).url == f"/console/staff/{staff}/"
    assert english.get("/console/work/").status_code == 302
    page = admin.get(f"/console/staff/{staff}/").content.decode()
    assert "A session was ended by Admin1" in page


def test_password_is_changed_and_weak_ones_are_refused(office, english):
    attempt(english, PASSWORD)
    english.get("/accounts/password/change/")
    short = {"oldpassword": PASSWORD, "password1": "short", "password2": "short"}
    assert english.post("/accounts/password/change/", short).status_code == 200
    good = {"oldpassword": PASSWORD, "password1": "a much longer pass phrase", "password2": "a much longer pass phrase"}
    assert english.post("/accounts/password/change/", good).status_code == 302
    assert get_user_model().objects.get(username="handler1").check_password("a much longer pass phrase")


def test_a_session_left_alone_ends(office, english, monkeypatch):
    attempt(english, PASSWORD)
    assert english.get("/console/work/").status_code == 200
    monkeypatch.setattr(timezone, "now", lambda: NOW + timedelta(minutes=59))
    assert english.get("/console/work/").status_code == 200
    monkeypatch.setattr(timezone, "now", lambda: NOW + timedelta(minutes=59 + 61))
    assert english.get("/console/work/").status_code == 302


def test_the_last_use_of_a_session_is_noted_once_a_minute(office, english, monkeypatch):
    attempt(english, PASSWORD)
    for seconds, noted in ((0, 0), (59, 0), (61, 61), (100, 61)):
        at = NOW + timedelta(seconds=seconds)
        monkeypatch.setattr(timezone, "now", lambda at=at: at)
        english.get("/console/work/")
        assert UserSession.objects.get().last_seen_at == NOW + timedelta(seconds=noted), seconds


# --- language ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [("zh-CN,zh;q=0.9", "zh-hans"), ("zh-TW", "zh-hant"), ("zh-HK", "zh-hant"), ("en-GB", "en"), ("fr", "zh-hans")],
)
def test_language_the_browser_asks_for(client, db, asked, spoken):
    answer = client.get(LOGIN, HTTP_ACCEPT_LANGUAGE=asked)
    assert f'<html lang="{spoken}"' in answer.content.decode()
    assert answer["Content-Language"] == spoken


def test_language_chosen_is_kept_with_the_person(office, browser):
    client = browser("handler1", "")
    answer = client.post("/language/", {"language": "zh-hant", "next": "/console/work/"})
    assert answer.url == "/console/work/" and answer.cookies["lipei_language"].value == "zh-hant"
    assert models.Staff.objects.get(code="handler1").language == "zh-hant"
    elsewhere = browser("handler1", "")
    assert '<html lang="zh-hant"' in elsewhere.get("/console/work/").content.decode()


def test_language_switch_leads_nowhere_else(client, db):
    assert client.post("/language/", {"language": "en", "next": "https://evil.example/"}).url == "/"
    assert "lipei_language" not in client.post("/language/", {"language": "xx"}).cookies


def test_look_is_kept(client, db):
    client.post("/theme/", {"theme": "dark", "next": "/accounts/login/"})
    assert 'data-bs-theme="dark"' in client.get(LOGIN).content.decode()


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/138.0 Safari/537.36", "Chrome · Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari · iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/130.0 Safari/537.36 MicroMessenger/8.0", "WeChat · Android"),
        ("curl/8.5.0", "curl/8.5.0"),
    ],
)
def test_a_browser_is_called_as_people_call_it(agent: str, name: str) -> None:
    assert browser_name(agent) == name
