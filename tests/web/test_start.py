"""The first minutes: doors of a demonstration, tours, the list of an empty company."""

from __future__ import annotations

import functools
import re
from html.parser import HTMLParser

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.test import Client
from tests.company import NOW
from tests.web.conftest import full_claim

from lipei.domain.permissions import ROLES
from lipei.norms.texts import LANGUAGES, text
from lipei.reads import demo as in_place
from lipei.reads import readiness, rulebook
from lipei.services import demo
from lipei.store import models
from lipei.web import doors
from lipei.web.console.tours import TOURS

pytestmark = pytest.mark.once

DOORS = "Who would you like to be?"


@functools.cache
def shown() -> str:
    """The digest of the demonstration's password, made once."""
    return make_password(demo.PASSWORD)


@pytest.fixture
def demonstration(office):
    """The test company as if it had been made for show."""
    models.CompanyState.objects.create(key=in_place.KEY, value={})
    user = get_user_model().objects.get(username="handler1")
    user.password = shown()
    user.save()
    return office


def get(where: str, **more) -> str:
    return Client().get(where, headers={"accept-language": "en"}, **more).content.decode()


def test_without_a_demonstration_the_front_page_is_the_portal(office):
    assert DOORS not in get("/") and 'name="story"' in get("/")
    assert 'name="story"' in get("/report/")
    answer = Client().post("/enter/", {"role": "handler"})
    assert answer.status_code == 404


def test_a_demonstration_shows_a_door_for_every_role_and_for_customers(demonstration):
    page = get("/")
    assert DOORS in page
    assert set(re.findall(r'name="role" value="(\w+)"', page)) == {*ROLES, "customer"}
    assert 'href="/report/"' in page and 'name="story"' in get("/report/")
    assert {role for role, _ in doors.ROLES} == set(ROLES)


@pytest.mark.parametrize(
    "how", [{"REMOTE_ADDR": "192.0.2.7"}, {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "192.0.2.7"}]
)
def test_doors_open_to_nobody_from_elsewhere(demonstration, how):
    assert DOORS not in get("/", **how)
    client = Client()
    assert client.post("/enter/", {"role": "handler"}, **how).status_code == 404
    assert "_auth_user_id" not in client.session


@pytest.mark.parametrize("name, value", [("SESSION_COOKIE_SECURE", True), ("LIPEI_PROXIES", 1)])
def test_doors_stay_shut_in_service(demonstration, settings, name, value):
    setattr(settings, name, value)
    assert DOORS not in get("/")
    assert Client().post("/enter/", {"role": "handler"}).status_code == 404


def test_one_click_and_one_is_in(demonstration):
    client = Client(headers={"accept-language": "en"})
    assert client.get("/enter/").status_code == 405
    answer = client.post("/enter/", {"role": "handler"}, follow=True)
    assert answer.redirect_chain[-1][0] == "/console/tour/"
    assert answer.context["request"].staff.code == "handler1"
    assert "Be somebody else" in answer.content.decode()
    assert client.post("/enter/", {"role": "no_such_role"}).status_code == 404


def test_the_click_needs_the_pages_token(demonstration):
    assert Client(enforce_csrf_checks=True).post("/enter/", {"role": "handler"}).status_code == 403


def test_an_account_that_somebody_made_their_own_is_not_opened(demonstration):
    user = get_user_model().objects.get(username="handler1")
    user.set_password("mine alone, and long")
    user.save()
    client = Client()
    assert client.post("/enter/", {"role": "handler"}).url == "/accounts/login/"
    assert "_auth_user_id" not in client.session


def test_a_customer_comes_in_to_a_claim(demonstration):
    number = full_claim(demonstration)
    answer = Client().post("/enter/", {"role": "customer"}, follow=True)
    assert answer.redirect_chain[-1][0] == f"/claim/{number}/"
    models.Claim.objects.all().update(state="closed")
    assert Client().post("/enter/", {"role": "customer"}).url == "/report/"


# --- tours ----------------------------------------------------------------------------------------------------------


class Seen(HTMLParser):
    """The ids, classes and elements of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.classes: set[str] = set()
        self.elements: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.ids.add(known.get("id") or "")
        self.classes |= set((known.get("class") or "").split())
        self.elements.add(tag)

    def holds(self, selector: str) -> bool:
        last = selector.split()[-1]
        if last.startswith("#"):
            return last[1:] in self.ids
        return last[1:] in self.classes if last.startswith(".") else last in self.elements


def signed_in(browser, role: str) -> Client:
    client = browser({"team_lead": "lead1", "administrator": "admin1"}.get(role, f"{role}1"))
    session = client.session
    session[doors.ROLE] = role
    session.save()
    return client


@pytest.mark.parametrize("role", ROLES)
def test_every_stop_of_a_tour_is_a_page_of_that_role_with_what_is_pointed_at(office, browser, monkeypatch, role):
    number = full_claim(office)
    monkeypatch.setattr(
        demo, "waiting", lambda row, role, now: demo.Door(role, row.code, row.name, number, "claim", "add_note")
    )
    client = signed_in(browser, role)
    steps = client.get("/console/tour/", headers={"accept": "application/json"}).json()["steps"]
    assert len(steps) == len(TOURS[role]) >= 4
    for step in steps:
        answer = client.get(step["href"])
        assert answer.status_code == 200, step
        seen = Seen(answer.content.decode())
        assert seen.holds(step["at"][-1]), step
    page = client.get("/console/tour/").content.decode()
    assert all(f'href="{step["href"]}"' in page for step in steps), "the same as a list, without a script"


def test_a_tour_takes_two_minutes_and_speaks_every_language():
    """At 200 words of English or 300 Chinese characters a minute."""
    for role, steps in TOURS.items():
        for language in LANGUAGES:
            said = " ".join(text(f"tour.{step.code}", language) for step in steps)
            pace = len(said.split()) / 200 if language == "en" else len(said) / 300
            assert pace <= 2, (role, language)
    assert set(TOURS) == set(ROLES)


def test_the_claim_that_waits_is_named(demonstration, browser):
    number = full_claim(demonstration)
    models.Claim.objects.filter(number=number).update(handler=demonstration.rows["handler1"].id)
    client = Client(headers={"accept-language": "en"})
    page = client.post("/enter/", {"role": "handler"}, follow=True).content.decode()
    assert f'href="/console/claims/{number}/"' in page and "Accept" in page
    assert "A claim that waits for you" not in browser("handler2").get("/console/tour/").content.decode()


# --- an empty company -----------------------------------------------------------------------------------------------


@pytest.fixture
def empty(db):
    """Nobody but an administrator, and nothing else."""
    rulebook.at.cache_clear()
    hired("administrator")


def hired(*codes: str) -> None:
    for code in codes:
        user = get_user_model().objects.create_user(username=code)
        models.Staff.objects.create(code=code, name=code, roles=(code,), user=user)


def of(code: str) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.cookies["lipei_language"] = "en"
    client.force_login(
        get_user_model().objects.get(username=code), backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    return client


def listed(code: str) -> dict[str, str]:
    """The list as somebody sees it, by what is to be done."""
    page = of(code).get("/console/setup/").content.decode()
    return dict(re.findall(r'<li class="[^"]*" id="setup-(\w+)">(.*?)</li>', page, re.DOTALL))


def test_an_empty_company_begins_with_the_list(empty):
    client = of("administrator")
    assert client.get("/console/").url == "/console/setup/"
    assert "1 of 10 done" in client.get("/console/setup/").content.decode()  # the calendar of this year comes along
    seen = listed("administrator")
    assert "Still missing: Intake, Claims handler, Approver, Team lead, Claims manager, Finance" in seen["staff"]
    hired("manager")
    assert "Approver, Team lead, Finance" in listed("manager")["staff"]


def test_the_list_says_who_may_do_what_one_may_not(empty):
    hired("manager")
    others = {
        code: {item: re.findall("Done by: ([^<]+)", row) for item, row in listed(code).items()}
        for code in ("administrator", "manager")
    }
    assert {item for item, roles in others["administrator"].items() if roles} == {"duty", "products"}
    assert others["administrator"]["duty"] == ["Team lead, Claims manager"]
    assert others["administrator"]["products"] == ["Claims manager"]
    assert not any(others["manager"].values())
    edits = {
        item for item, row in listed("administrator").items() if re.search(r'href="/console/norms/\w+/edit/"', row)
    }
    assert edits == {"company", "calendar", "messages"}
    assert 'href="/console/norms/duty/edit/"' in listed("manager")["duty"]


def test_the_list_knows_what_is_done(office, settings):
    def done() -> set[str]:
        rulebook.at.cache_clear()
        found = readiness.items(
            book=rulebook.current(), roster_whole=True, gateways={"mail": False, "sms": True}, now=NOW
        )
        return {item.code for item in found if item.done}

    assert done() == {"calendar", "staff", "duty", "import", "sms"}
    for row in models.Staff.objects.filter(roles__contains="finance"):
        row.user = None
        row.save()
    assert "staff" not in done()  # somebody who cannot sign in does nothing
    from lipei.services import norms

    version, document = norms.text_in_force("settings")
    named = document.replace("default: 理赔服务中心}", "default: 理赔服务中心, value: 大江保险}").replace(
        'company_phone: {type: words, default: ""}', 'company_phone: {type: words, default: "", value: "95500"}'
    )
    saved = norms.save(
        table="settings", text=named, reason="our name", seen_version=version, actor=office.manager1, now=NOW
    )
    assert isinstance(saved, int), saved
    assert "company" in done()


def test_a_company_at_work_begins_with_its_work(office, browser):
    assert browser("admin1").get("/console/").url == "/console/health/"
    assert browser("manager1").get("/console/").url == "/console/work/"


@pytest.mark.parametrize(
    ("code", "page"),
    [
        ("intake1", "report"), ("handler1", "work"), ("surveyor1", "visits"), ("assessor1", "approvals"),
        ("approver1", "approvals"), ("lead1", "team"), ("manager1", "work"), ("finance1", "finance"),
        ("expert1", "consultations"), ("investigator1", "claims"), ("compliance1", "claims"), ("admin1", "health"),
    ],
)  # fmt: skip
def test_each_role_begins_with_the_page_that_it_needs_first(browser, office, claim, code, page):
    begins = browser(code).get("/console/")
    assert begins.status_code == 302 and begins.url == f"/console/{page}/"
    assert browser(code).get(begins.url).status_code == 200
