"""Every action that a page offers works as a plain form: no JavaScript, nothing typed is lost, no error is ours.

The forms are found as a browser finds them, in the page of a claim; what they hold is read out of their HTML.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from tests.web.conftest import full_claim, reported

from lipei.domain.lifecycle import STEPS
from lipei.norms.texts import texts
from lipei.store import models

pytestmark = pytest.mark.once

NONSENSE = {
    "amount": "12,34x",
    "number": "eleven",
    "time": "tomorrow at noon",
    "words": "<b>“quoted” & typed</b>",
}
PEOPLE = (
    "intake1",
    "handler1",
    "handler2",
    "surveyor1",
    "assessor1",
    "approver1",
    "lead1",
    "manager1",
    "finance1",
    "expert1",
    "investigator1",
    "compliance1",
)


class Page(HTMLParser):
    """The forms of a page: address → field → values as they stand, and the kinds of the fields; and all links."""

    def __init__(self, body: str) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, list[str]]] = {}
        self.kinds: dict[str, str] = {}
        self.links: set[str] = set()
        self._form: dict[str, list[str]] | None = None
        self._select = self._area = ""
        self.feed(body)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        a = {k: v or "" for k, v in attrs}
        name = a.get("name", "")
        if tag == "a":
            self.links.add(a.get("href", ""))
        elif tag == "form" and a.get("method") == "post":
            self._form = self.forms.setdefault(a.get("action", ""), {})
        elif self._form is None:
            return
        elif tag == "input" and name:
            self.kinds[name] = {"decimal": "amount", "numeric": "number"}.get(a.get("inputmode", ""), a["type"])
            if a["type"] not in ("checkbox", "radio", "submit") or "checked" in a:
                self._form.setdefault(name, []).append(a.get("value", ""))
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in a:
            self._form.setdefault(self._select, []).append(a.get("value", ""))
        elif tag == "textarea":
            self._area, self.kinds[name] = name, "words"
            self._form.setdefault(name, []).append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        self._select = "" if tag == "select" else self._select
        self._area = "" if tag == "textarea" else self._area

    def handle_data(self, data: str) -> None:
        if self._area and self._form is not None:
            self._form[self._area][-1] += data


def offered(client, number: str) -> set[str]:
    """The addresses of all actions that the claim's page offers, as links and as buttons."""
    answer = client.get(f"/console/claims/{number}/")
    if answer.status_code != 200:
        return set()
    page = Page(answer.content.decode())
    found = {href for href in page.links | set(page.forms) if href.startswith(f"/console/claims/{number}/")}
    other = ("unmask/", "upload/", "receipt/", f"claims/{number}/")
    return {
        href for href in found if not href.endswith(other) and "/documents/" not in href and "/letters/" not in href
    }


@pytest.mark.slow
def test_every_form_is_drawn_and_answers_nonsense_in_the_readers_language(office, browser):
    """Nonsense in every field at once: never an error of ours, each wrong field marked, all that was typed still there."""
    numbers, tried = (reported(office), full_claim(office)), set()
    for language, code in zip(("zh-hans", "zh-hant", "en") * 4, PEOPLE, strict=True):
        client = browser(code, language)
        for number in numbers:
            for href in sorted(offered(client, number)):
                form = (language, re.sub(r"/\d+/", "/n/", href))
                if form in tried:
                    continue  # the same form, by the hand of another
                tried.add(form)
                drawn = client.get(href)
                assert drawn.status_code in (200, 409), (code, href)
                if drawn.status_code == 409 or href.endswith(ENDS):
                    continue  # words are all that it needs: it would come true
                page = Page(drawn.content.decode())
                fields = page.forms[href]
                wrong = {n: NONSENSE[_kind(page.kinds.get(n, ""))] for n in fields if _typed(page.kinds.get(n, ""))}
                answer = client.post(href, {**fields, **wrong})
                assert answer.status_code in (302, 409, 422, 403), (code, href, answer.status_code)
                if answer.status_code == 302:
                    assert not any(page.kinds[n] in ("amount", "number", "datetime-local") for n in wrong), (code, href)
                    continue
                again = Page(answer.content.decode())
                assert {n: again.forms[href][n] for n in wrong} == {n: [v] for n, v in wrong.items()}, (code, href)
                said = sentences(answer.content.decode())
                assert said and not any(re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", one) for one in said), (code, href, said)
                assert language == "en" or all(re.search(r"[\u4e00-\u9fff]", one) for one in said), (code, href, said)
    actions = {href.split("/")[-2] for _, href in tried}
    assert actions > {
        "give_opinion",
        "request_papers",
        "assess",
        "set_reserve",
        "schedule",
        "convene",
        "add",
        "correct",
    }


ENDS = ("/withdraw/", "/cancel/", "/close_without_payment/", "/close/", "/hand_over/")


def sentences(body: str) -> list[str]:
    """What a page says is wrong, above the form and beside its fields."""
    return [one.strip() for one in re.findall(r'(?:class="lp-error"[^>]*|role="alert")>(?:<h2>)?([^<]*)<', body)]


def _typed(kind: str) -> bool:
    return kind in ("text", "amount", "number", "datetime-local", "words", "tel", "email", "url")


def _kind(kind: str) -> str:
    return {"datetime-local": "time", "amount": "amount", "number": "number"}.get(kind, "words")


def press(client, number: str, action: str, **typed: str) -> None:
    """Press a button of the claim's page: fill in its form as it stands with what is typed, and send it."""
    href = next(h for h in sorted(offered(client, number)) if h.endswith(f"/{action}/"))
    page = Page(client.get(href).content.decode())
    answer = client.post(href, {**page.forms[href], **typed})
    assert answer.status_code == 302, (action, answer.status_code, answer.content.decode()[:4000])


@pytest.mark.norm("2.2.1", "2.2.3", "2.2.4")
def test_from_the_report_to_the_money_by_forms_alone(office, browser):
    """One claim through the hands of five people, each pressing what their page offers."""
    number = reported(office)
    row = models.Claim.objects.get(number=number)
    handler = browser(next(code for code, r in office.rows.items() if r.id == row.handler))
    press(handler, number, "give_opinion", text="Covered.")
    press(handler, number, "assess", **{"items-0-assessed": "2,400.00"})
    press(browser("assessor1"), number, "check_assessment")
    press(handler, number, "submit_decision")
    press(browser("approver1"), number, "approve_decision")
    press(handler, number, "send")
    intake = browser("intake1")
    press(intake, number, "send_code")
    press(intake, number, "agree", code=models.Delivery.objects.filter(message="one_time_code").latest("id").secret)
    finance = browser("finance1")
    press(finance, number, "approve_payment")
    press(finance, number, "submit")
    press(finance, number, "confirm", reference="B-1")
    exposure = models.Exposure.objects.get(aggregate_id=row.id, part=1)
    assert (exposure.state, exposure.paid_minor) == ("settled", 190000)
    row.refresh_from_db()
    assert row.state == "closed"


def test_no_step_of_the_table_lacks_a_name():
    for step in STEPS:
        assert f"action.{step.subject}.{step.action}" in texts()
