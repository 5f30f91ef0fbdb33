"""The journeys (b) to (f) once more, driven through the pages: who does a step opens its form, fills it in and sends it.

The same stories as `tests.journeys` tell to services and API, told here to a real browser: staff at the console, the
customer in the portal. What no person does stays with the services: the bank, and papers that come from a core system.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page
from tests.browser.test_portal import browser
from tests.company import NOW
from tests.journeys import test_accident as accident
from tests.journeys import test_other_ways as others
from tests.journeys.conftest import Refused, Services
from tests.portal.conftest import code_sent, own_folder

from lipei.api import shapes
from lipei.domain.events import Actor
from lipei.domain.lifecycle import BY_ACTION
from lipei.norms.texts import text
from lipei.reads import rulebook
from lipei.store import journal, models
from lipei.web import forms

pytestmark = [
    pytest.mark.browser,
    pytest.mark.once,
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("own_folder"),
]
__all__ = ["browser", "own_folder"]  # fixtures
LANGUAGE = "zh-hans"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


class Pages(Services):
    """A journey by people at screens, on the time that the test says.

    Who answers the phone has a browser of their own; the colleagues sign in at one, without JavaScript: the steps need
    none, what it adds has tests of its own, and so has taking a report with it.
    """

    def __init__(self, chromium: Browser, url: str, clock: SimpleNamespace) -> None:
        self.chromium, self.url, self.clock = chromium, url, clock
        self.desks: dict[bool, Page] = {}

    # --- staff ---

    def report(self, actor: Any, command: Any, *, now: Any, key: str = "") -> Any:
        """Whoever answers the phone takes the report; the receipt names the claim."""
        page = self.at(self.intake(), now, javascript=True)
        page.goto(f"{self.url}/console/report/")
        page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
        fill(page.locator("form[data-intake]"), forms.typed_of(command))
        page.locator("[data-key=s]").click()
        page.wait_for_url("**/receipt/")
        number = page.url.split("/")[-3]
        page.goto(
            "about:blank"
        )  # a page left open goes on asking for news, of a database in memory that takes one at a time
        return self.case(number)

    def act(
        self, actor: Any, number: str, subject: str, action: str, part: int = 0, command: Any = None, *, now: Any
    ) -> Any:
        if actor.staff_id is None:
            return super().act(actor, number, subject, action, part, command, now=now)
        shown = self.sent(actor, number, subject, action, part, command, now)
        assert shown == "", (subject, action, part, shown)
        return self.case(number)

    def refused(
        self, actor: Any, number: str, subject: str, action: str, part: int = 0, command: Any = None, *, now: Any
    ) -> Refused:
        """Refused where the rules refuse, and the page says their sentence, or whom to ask where there is no form."""
        said = super().refused(actor, number, subject, action, part, command, now=now)
        if actor.staff_id is None:
            return said
        shown = self.sent(actor, number, subject, action, part, command, now)
        words = re.sub(r"Money\(minor=(\d+), currency='CNY'\)", lambda m: amount(int(m[1])), said.words)
        assert words in shown or (said.kind in ("permission", "state") and shown.startswith("no form")), (words, shown)
        return said

    def sent(self, actor: Actor, number: str, subject: str, action: str, part: int, command: Any, now: datetime) -> str:
        """Fill in a step's form and send it; what is wrong, in the words of the page (empty: it was done)."""
        page = self.at(actor, now)
        path = shapes.href(number, BY_ACTION[subject, action], part).partition("/claims/")[2]
        answer = page.goto(f"{self.url}/console/claims/{path}/", wait_until="domcontentloaded")
        form = page.locator("form.lp-act")
        if not form.count():
            assert answer is not None and answer.status in (403, 404, 409), answer
            return f"no form: {page.locator('main').inner_text()}"
        fill(form, forms.typed_of(command) if command is not None else {})
        with page.expect_navigation(wait_until="commit"):  # it was done: nobody waits until all is drawn
            form.locator(".lp-act-send").click()
        done = urlsplit(page.url).path.endswith(f"/claims/{number}/")
        return "" if done else page.locator("main").inner_text()

    def intake(self) -> Actor:
        row = models.Staff.objects.get(code="intake1")
        return Actor(f"staff:{row.id}", row.name, frozenset(row.roles), unit=row.unit)

    def at(self, actor: Actor, now: datetime, *, javascript: bool = False) -> Page:
        """The desk of a member of staff, signed in at this time of the day."""
        self.clock.now = now
        assert actor.staff_id is not None
        if javascript not in self.desks:
            self.desks[javascript] = self.opened({"width": 1280, "height": 900}, javascript=javascript)
        page, client = self.desks[javascript], Client()
        row = models.Staff.objects.get(id=actor.staff_id)
        if row.user is None:
            row.user = get_user_model().objects.create_user(row.code)
            row.save()
        client.force_login(row.user, backend=BACKEND)
        name = settings.SESSION_COOKIE_NAME
        page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": self.url}])
        return page

    # --- the customer ---

    def agree(self, actor: Any, number: str, offer: int, *, now: Any, shares: Any = ()) -> Any:
        """The customer proves who it is, reads the offer, has a code sent and agrees with it."""
        self.clock.now = now
        case = self.case(number)
        party = case.parties[case.offers[offer].to]
        page = self.opened({"width": 360, "height": 740})
        page.goto(f"{self.url}/claim/")
        page.fill("#number", number)
        page.fill("#phone", party.phone)
        page.click("main form button")
        page.fill("#code", code_sent(number, "portal_code"))
        with page.expect_navigation():
            page.click("main form button")
        page.goto(f"{self.url}/claim/{number}/offers/{offer}/")
        page.click("text=" + text("portal.offer.get_code", LANGUAGE))
        page.fill("#code", code_sent(number, "one_time_code"))
        page.click("#agree form:has(#code) button")
        page.wait_for_url(lambda url: urlsplit(url).path == f"/claim/{number}/")
        told = {text(f"portal.offer.{said}", LANGUAGE) for said in ("agreed", "agreed_nothing")}
        assert any(page.is_visible(f"text={words}") for words in told)
        page.context.close()
        return self.case(number)

    def opened(self, size: Any, *, javascript: bool = True) -> Page:
        context = self.chromium.new_context(
            viewport=size, service_workers="block", java_script_enabled=javascript, reduced_motion="reduce"
        )
        context.add_cookies([{"name": "lipei_language", "value": LANGUAGE, "url": self.url}])
        page = context.new_page()
        page.set_default_timeout(20_000)
        return page


def amount(minor: int) -> str:
    return f"{minor / 100:,.2f}元"


def fill(form: Locator, typed: dict[str, list[str]]) -> None:
    """Type what is to be said into the fields of those names, in further rows where the form has too few."""
    for name, values in typed.items():
        if not values or name.startswith("checklist-"):  # ticked on the surveyor's own page, see `test_visits`
            continue
        fields = form.locator(f'[name="{name}"]')
        while not fields.count():
            form.locator(f"#f-{name.partition('-')[0]} [data-more-rows]").click()
        kind, there = fields.first.evaluate("e => [e.type, e.value]")
        if kind in ("checkbox", "radio"):
            for value in values:
                (form.locator(f'[name="{name}"][value="{value}"]') if fields.count() > 1 else fields).first.check()
        elif kind.startswith("select"):
            offered = fields.locator("option").evaluate_all("all => all.map(one => one.value)")
            # A program may write a clause as it likes; a page offers those of the terms.
            fields.first.select_option(values if set(values) <= set(offered) else next(filter(None, offered)))
        elif there != values[0]:
            fields.first.fill(values[0])


@pytest.fixture
def pages(browser: Browser, live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pages]:
    """Afterwards the guards make way, for the test database is emptied."""
    settings.LIPEI_ORIGIN = live_server.url
    clock = SimpleNamespace(now=NOW)
    cache.clear()
    rulebook.at.cache_clear()
    monkeypatch.setattr(timezone, "now", lambda: clock.now)
    driven = Pages(browser, live_server.url, clock)
    yield driven
    for page in driven.desks.values():
        page.context.close()
    with connection.cursor() as cursor:
        for statement in journal.guards(connection.vendor):
            if statement.startswith("DROP TRIGGER"):
                cursor.execute(statement)


STORIES: tuple[Callable[[Any], None], ...] = (
    accident.test_accident,
    others.test_c_a_refusal_with_its_letter_and_clocks,
    others.test_d_rescue_treatment_on_a_saturday_night,
    others.test_e_papers_asked_once_refused_sent_again,
    others.test_f_withdrawn_reopened_overpaid_recovered,
)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.__name__.removeprefix("test_"))
def test_a_journey_at_the_screens(pages: Pages, story: Callable[[Any], None]) -> None:
    story(pages)
