"""My day and the list of all claims in the browser's eyes: filters, views, the next claim, export, several at a time."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.company import NOW
from tests.web.conftest import reported

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.domain.money import Money
from lipei.gateways.tables import sheets
from lipei.services import actions, list_exports
from lipei.store import models
from lipei.web.console import work, work_filters

WORK, ALL = "/console/work/", "/console/claims/"


def page(client: Client, where: str, **headers: str) -> str:
    answer = client.get(where, headers=headers)
    assert answer.status_code == 200, (where, answer.status_code)
    return answer.content.decode()


def numbers(body: str) -> list[str]:
    return re.findall(r'<tr data-row="(\w+)"', body)


def mark(body: str) -> str:
    found = re.search(r'data-mark="([^"]+)"', body)
    assert found
    return found[1].replace("&quot;", '"')


@pytest.fixture
def three(office: SimpleNamespace) -> list[str]:
    """Three claims of handler1, late, due today and due next month."""
    found = [reported(office, story=f"第{n}件：停车时被刮擦。", phone=f"1390013800{n}") for n in range(3)]
    for number, hours in zip(found, (-2, 3, 24 * 30), strict=True):
        models.Claim.objects.filter(number=number).update(
            handler=office.rows["handler1"].id, due_at=NOW + timedelta(hours=hours)
        )
    return found


# --- the list ---------------------------------------------------------------------------------------------------------


@pytest.mark.norm("2.3.1")
def test_groups_in_the_order_in_which_promises_break(browser: Callable[..., Client], three: list[str]) -> None:
    body = page(browser("handler1"), WORK)
    heads = re.findall(r"lp-work-group-(\w+)", body)
    assert heads == ["late", "today", "later"] and numbers(body) == three
    assert re.findall(r"<strong>(\d+)</strong>", body)[:5] == ["1", "1", "0", "1", "0"]
    assert body.count("New report") == 3


def test_the_next_step_of_a_row_is_one_press(browser: Callable[..., Client], three: list[str], office: Any) -> None:
    models.Claim.objects.filter(number=three[0]).update(accepted_at=NOW)
    assert f'href="/console/claims/{three[0]}/give_opinion/"' in page(browser("handler1"), WORK), (
        "a form is a link away"
    )
    number = reported(office)
    models.Claim.objects.filter(number=number).update(handler=office.rows["handler1"].id)
    command = c.Assess(items=(c.ItemAssessed("后保险杠", assessed=Money(240000, "CNY")),))
    done = actions.act(number, "exposure", "assess", 1, command, actor=office.handler1, now=NOW)
    assert not isinstance(done, Refusal)
    where = f"/console/claims/{number}/exposures/1/check_assessment/"
    assert f'href="{where}"' in page(browser("assessor1"), WORK), "somebody's word on another's work takes its form"
    other = office.handler2.staff_id
    for action, said in (("assign", c.Assign(other)), ("give_opinion", c.GiveOpinion("属于保险责任。"))):
        done = actions.act(number, "claim", action, 0, said, actor=office.lead1, now=NOW)
        assert not isinstance(done, Refusal), done
    client = browser("handler2")
    where = f"/console/claims/{number}/accept_assignment/"
    form = re.search(rf'action="{where}">(.*?)</form>', page(client, WORK), re.DOTALL)
    assert form, "what is done at once is done from here"
    version = re.search(r'name="seen_version" value="(\d+)"', form[1])
    assert version and int(version[1]) == models.Stream.objects.get(kind="claim", stream_id=done.case.id).version
    assert client.post(where, {"seen_version": version[1]}).status_code == 302
    assert models.Entry.objects.filter(stream_id=done.case.id, kind="claim.assignment_accepted").exists()


def test_filters_narrow_and_each_has_a_chip_that_takes_it_away(
    browser: Callable[..., Client], three: list[str]
) -> None:
    client = browser("handler1")
    body = page(client, f"{WORK}?due=late&line=motor&state=nonsense&q=&handler=1")
    assert numbers(body) == three[:1]
    chips = re.findall(r'class="lp-work-chip" href="\?([^"]*)"', body)
    assert [dict(parse_qsl(href.replace("&amp;", "&"))) for href in chips] == [
        {"whose": "mine", "due": "late"},
        {"whose": "mine", "line": "motor"},
    ]
    assert numbers(page(client, f"{WORK}?late=1")) == three[:1]  # the address of earlier versions
    assert numbers(page(client, f"{WORK}?due=week")) == []
    assert "No claim fits" in page(client, f"{WORK}?due=week")
    assert numbers(page(browser("lead1"), f"{WORK}?handler=999999")) == numbers(page(browser("lead1"), WORK))


def test_dates_of_all_claims_are_days_of_the_companys_zone(browser: Callable[..., Client], three: list[str]) -> None:
    client = browser("manager1")
    at = NOW.replace(hour=15, minute=59)  # still the same day in Shanghai
    models.Claim.objects.filter(number=three[0]).update(reported_at=at)
    models.Claim.objects.filter(number=three[1]).update(reported_at=at + timedelta(minutes=1))
    day = "2026-11-23"
    assert set(numbers(page(client, f"{ALL}?from={day}&to={day}"))) == {three[0], three[2]}
    assert numbers(page(client, f"{ALL}?from=2026-11-24")) == [three[1]]
    for nonsense in ("2026-02-30", "x", "0000-01-01", "99999-01-01"):
        assert len(numbers(page(client, f"{ALL}?from={nonsense}&to={nonsense}"))) == 3


def test_columns_are_chosen_in_the_address(browser: Callable[..., Client], three: list[str]) -> None:
    client = browser("handler1")

    def heads(where: str) -> list[str]:
        return re.findall(r'<th scope="col"[^>]*>([^<]+)</th>', page(client, where))

    assert heads(WORK) == ["Promise due first", "Claim number", "Next step", "Waiting for", "State", "Customer",
                           "Estimated loss"]  # fmt: skip
    assert heads(f"{WORK}?col=unit&col=loss_at&col=nonsense") == [
        "Promise due first", "Claim number", "Unit", "Time of loss",
    ]  # fmt: skip
    assert "next" not in work_filters.FITTING["claims"]


def test_the_names_of_customers_are_masked(browser: Callable[..., Client], three: list[str]) -> None:
    models.Party.objects.all().update(name="王小明")
    for where in (WORK, f"{WORK}?col=person", ALL):
        body = page(browser("handler1"), where)
        assert "王*明" in body and "王小明" not in body


def test_an_empty_worklist_says_so(browser: Callable[..., Client]) -> None:
    assert "All done" in page(browser("handler1"), WORK)
    assert "No claims yet" in page(browser("manager1"), ALL)


def test_a_surname_alone_is_too_little_and_the_list_says_what_is_enough(browser: Callable[..., Client]) -> None:
    for where in (WORK, ALL):
        assert "at least two characters of a name" in page(browser("manager1"), f"{where}?q=宋")
        assert "Remove a filter" in page(browser("manager1"), f"{where}?q=宋一")


# --- staying up to date -----------------------------------------------------------------------------------------------


def test_nothing_new_is_answered_with_304_and_little_work(browser: Callable[..., Client], three: list[str]) -> None:
    client = browser("handler1")
    body = page(client, WORK)
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(WORK, headers={"If-None-Match": mark(body), "HX-Request": "true"})
    assert answer.status_code == 304 and answer.content == b""
    assert answer["Cache-Control"] == "private, no-store"
    assert len(seen) <= 4 + 8, "the rows are not worked out for nobody"
    part = page(client, WORK, **{"HX-Request": "true", "If-None-Match": '"another"'})
    assert part.startswith("<div data-mark=") and "<html" not in part and numbers(part) == three


@pytest.mark.parametrize("change", ["claim", "order", "time", "language", "reader", "filter"])
def test_whatever_a_reader_would_see_changes_the_mark(
    browser: Callable[..., Client], three: list[str], office: Any, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    before, where, client = mark(page(browser("handler1"), WORK)), WORK, browser("handler1")
    if change == "claim":
        actions.act(three[2], "claim", "add_note", 0, c.Write("客户来电"), actor=office.lead1, now=NOW)
    elif change == "order":
        models.Claim.objects.filter(number=three[2]).update(fast_lane=True)
    elif change == "time":
        monkeypatch.setattr(timezone, "now", lambda: NOW + timedelta(minutes=work.FRESH_MINUTES))
    elif change == "language":
        client = browser("handler1", "zh-hans")
    elif change == "reader":
        client, where = browser("lead1"), WORK
    else:
        where = f"{WORK}?due=today"
    assert client.get(where, headers={"If-None-Match": before}).status_code == 200


def test_a_page_that_asks_by_itself_keeps_no_session_alive(
    browser: Callable[..., Client], three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody may be sitting there: only what a person opens counts as use."""
    client = browser("handler1")
    body = page(client, WORK)
    for minute in range(1, 120, 7):
        monkeypatch.setattr(timezone, "now", lambda minute=minute: NOW + timedelta(minutes=minute))
        answer = client.get(WORK, headers={"Lipei-Poll": "1", "HX-Request": "true", "If-None-Match": mark(body)})
        if answer.status_code == 401:
            return
    raise AssertionError("the session never ended")


# --- the next claim ---------------------------------------------------------------------------------------------------


def test_take_the_next_claim_is_one_press_and_says_that_one_has_it(
    browser: Callable[..., Client], three: list[str]
) -> None:
    client = browser("handler1")
    body = page(client, WORK)
    assert re.search(r'<button[^>]*data-key="t"', body)
    answer = client.post("/console/work/take/", {"query": "whose=mine"})
    assert (answer.status_code, answer.url) == (302, f"/console/claims/{three[0]}/")
    assert [models.Claim.objects.get(number=n).accepted_at for n in three] == [NOW, None, None]
    answer = client.post("/console/work/take/", {"query": "whose=mine&due=later"})  # within what is filtered
    assert answer.url == f"/console/claims/{three[2]}/"


def test_with_nothing_to_do_there_is_no_next_claim(browser: Callable[..., Client], three: list[str]) -> None:
    client = browser("handler2")
    answer = client.post("/console/work/take/", {"query": "whose=mine"}, follow=True)
    assert answer.redirect_chain[0][0] == "/console/work/?whose=mine"
    assert "Nothing waits for you now." in answer.content.decode()
    answer = client.post("/console/work/take/", {"query": "whose=unit"})  # what a colleague has in hand is not mine
    assert answer.url == "/console/work/?whose=unit"


# --- views ------------------------------------------------------------------------------------------------------------


def test_a_view_is_kept_opens_the_list_and_is_forgotten(browser: Callable[..., Client], three: list[str]) -> None:
    client = browser("lead1")
    answer = client.post(
        "/console/work/views/",
        {"page": "worklist", "name": "Late", "query": "whose=unit&due=late&x=<script>", "default": "1"},
    )
    assert answer.url == "/console/work/?whose=unit&due=late"
    opened = client.get(WORK)
    assert (opened.status_code, opened.url) == (302, "/console/work/?whose=unit&due=late")
    body = page(client, opened.url)
    assert ">Late</a>" in body and 'aria-current="true">Late' in body
    assert numbers(page(client, f"{WORK}?whose=unit")) != numbers(body)  # whoever asks for something gets that
    view = models.SavedView.objects.get()
    client.post(f"/console/work/views/{view.id}/", {"page": "worklist", "do": "plain", "query": ""})
    assert client.get(WORK).status_code == 200
    assert browser("manager1").post(f"/console/work/views/{view.id}/", {"do": "remove"}).status_code == 404
    client.post(f"/console/work/views/{view.id}/", {"page": "worklist", "do": "remove", "query": ""})
    assert not models.SavedView.objects.exists()


def test_everything_can_be_asked_for_past_a_view_that_opens_the_list(
    browser: Callable[..., Client], three: list[str]
) -> None:
    client = browser("manager1")
    client.post("/console/work/views/", {"page": "claims", "name": "Late", "query": "late=1", "default": "1"})
    body = page(client, client.get(ALL).url)
    chip = re.search(r'class="lp-work-chip" href="([^"]*)"', body)
    assert chip and len(numbers(page(client, ALL + chip[1].replace("&amp;", "&")))) == 3


def test_a_view_without_a_name_is_refused_in_words(browser: Callable[..., Client]) -> None:
    client = browser("lead1")
    answer = client.post("/console/work/views/", {"page": "worklist", "name": " ", "query": ""}, follow=True)
    assert "Please fill this in." in answer.content.decode() and not models.SavedView.objects.exists()


# --- as a workbook ----------------------------------------------------------------------------------------------------


def sheet(client: Client, where: str) -> list[tuple[Any, ...]]:
    answer = client.get(where)
    assert answer.status_code == 200 and "attachment" in answer["Content-Disposition"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.xlsx"
        path.write_bytes(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
        return [tuple(row) for row in next(sheets(path)).rows]


def test_the_list_as_filtered_is_a_workbook_with_masked_names(
    browser: Callable[..., Client], three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    models.Party.objects.all().update(name="=王小明")
    monkeypatch.setattr(work, "EXPORT_ROWS", 2)  # so that it takes several pages
    client = browser("handler1")
    href = re.search(r'href="(/console/work/export/[^"]*)"', page(client, f"{WORK}?due=late&col=person&col=estimate"))
    assert href
    head, *rows = sheet(client, href[1].replace("&amp;", "&"))
    assert head == (
        "Claim number",
        "Promise due first",
        "Due",
        "Customer",
        "Kind of loss",
        "Estimated loss",
        "Currency",
    )
    assert [r[0] for r in rows] == three[:1]
    assert rows[0][3] == "=***" and rows[0][2] == "2026-11-23 08:00:00"  # local time; no formula
    head, *rows = sheet(client, "/console/work/export/")
    assert [r[0] for r in rows] == three and rows[0][head.index("Waiting for")] == "You"
    head, *rows = sheet(client, "/console/claims/export/")
    assert len(rows) == 3


def test_a_workbook_is_bounded_and_says_what_is_missing(
    browser: Callable[..., Client], three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_exports, "ROWS_MAX", 2)
    _, *rows = sheet(browser("handler1"), "/console/work/export/")
    assert [r[0] for r in rows[:2]] == three[:2]
    assert rows[2][0].startswith("Only the first 2 claims are here") and len(rows) == 3


# --- several at a time ------------------------------------------------------------------------------------------------


def test_several_are_previewed_done_and_undone(browser: Callable[..., Client], three: list[str], office: Any) -> None:
    client, other = browser("lead1"), office.rows["handler2"].id
    choice = {"claim": three, "action": "assign", "back": "/console/work/?whose=unit"}
    form = client.post("/console/work/several/", choice).content.decode()
    assert 'name="handler"' in form and "Would be done" not in form
    preview = client.post("/console/work/several/", {**choice, "stage": "preview", "handler": other}).content.decode()
    assert "Would be done: 3" in preview and preview.count("Handler: Handler1 → Handler2") == 3
    assert 'href="/console/work/?whose=unit"' in preview
    inputs = dict(re.findall(r'name="(seen-\w+)" value="(\d+)"', preview))
    assert set(inputs) == {f"seen-{n}" for n in three}
    assert set(models.Claim.objects.values_list("handler", flat=True)) == {office.rows["handler1"].id}
    said = {**choice, **inputs, "stage": "do", "handler": other, "claim": three[:2]}  # one was left out in the preview
    done = client.post("/console/work/several/", said)
    body = page(client, done.url)
    assert "Done: 2" in body and "Undo" in body
    rows = dict(models.Claim.objects.values_list("number", "handler"))
    assert [rows[n] for n in three] == [other, other, office.rows["handler1"].id]
    assert browser("manager1").get(done.url).status_code == 404
    ahead = page(client, f"{done.url}undo/")
    assert ahead.count("Handler: Handler2 → Handler1") == 2 and "has had this already" not in ahead
    told = models.Claim.objects.get(number=three[0]).id
    cause = models.Entry.objects.filter(stream_id=told, cause="bulk.assign").latest("sequence").sequence
    models.Delivery.objects.create(
        stream_kind="claim", stream_id=told, sequence=cause, message="new_handler", party=1, state="sent", due_at=NOW,
        dedupe="told",
    )  # fmt: skip
    ahead = page(client, f"{done.url}undo/")
    assert ahead.count("The customer has had this already") == 1 and "cannot be called back" in ahead
    assert set(models.Claim.objects.filter(number__in=three[:2]).values_list("handler", flat=True)) == {other}
    undone = client.post(f"{done.url}undo/", follow=True)
    assert "Undone; this is what became of it." in undone.content.decode()
    assert set(models.Claim.objects.values_list("handler", flat=True)) == {office.rows["handler1"].id}
    again = client.post(f"{done.url}undo/", follow=True)
    assert "This was undone already." in again.content.decode()


def test_the_preview_says_why_not(browser: Callable[..., Client], three: list[str], office: Any) -> None:
    models.Claim.objects.filter(number=three[0]).update(handler=office.rows["handler2"].id)
    client = browser("handler1")
    choice = {"claim": three, "action": "accept_assignment"}
    body = client.post("/console/work/several/", choice).content.decode()  # nothing to be said: previewed at once
    assert "Would be done: 2" in body and "Not possible: 1" in body and "This cannot be undone." in body
    assert three[0] in body.split("Not possible")[1]


def test_what_every_claim_lacks_is_said_at_the_field(browser: Callable[..., Client], three: list[str]) -> None:
    answer = browser("lead1").post(
        "/console/work/several/", {"claim": three, "action": "add_note", "stage": "preview", "text": " "}
    )
    body = answer.content.decode()
    assert answer.status_code == 422 and 'aria-invalid="true"' in body and "Not possible" not in body


@pytest.mark.parametrize(
    "said, sentence",
    [
        ({"action": "assign"}, "Please select a claim first."),
        ({"claim": ["x"], "action": "cancel"}, "Please choose what to do."),
        ({"claim": ["x"], "action": ""}, "Please choose what to do."),
        ({"claim": ["x"], "action": "add_note", "stage": "do", "text": "x"}, "Please select a claim first."),
    ],
)
def test_nothing_chosen_is_said_in_words(
    browser: Callable[..., Client], three: list[str], said: dict[str, Any], sentence: str
) -> None:
    for back in ("/console/claims/?late=1", "https://elsewhere.example/", "//elsewhere.example/console/", ""):
        answer = browser("lead1").post("/console/work/several/", {**said, "back": back}, follow=True)
        assert sentence in answer.content.decode()
        assert answer.redirect_chain[0][0] == (back if back.startswith("/console/") else WORK)


def test_what_was_never_previewed_is_not_done(browser: Callable[..., Client], three: list[str]) -> None:
    client = browser("lead1")
    claim = models.Claim.objects.get(number=three[0])
    version = models.Stream.objects.get(kind="claim", stream_id=claim.id).version
    said = {"claim": three, "action": "add_note", "stage": "do", "text": "x", f"seen-{three[0]}": str(version)}
    body = page(client, client.post("/console/work/several/", said).url)
    assert "Done: 1" in body
    assert models.Entry.objects.filter(kind="claim.note_added").count() == 1


def test_too_many_are_cut_and_it_is_said(
    browser: Callable[..., Client], three: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from lipei.services import bulk_actions
    from lipei.web.console import work_bulk

    monkeypatch.setattr(bulk_actions, "CLAIMS_MAX", 2)
    monkeypatch.setattr(work_bulk, "CLAIMS_MAX", 2)
    body = (
        browser("handler1")
        .post("/console/work/several/", {"claim": three, "action": "accept_assignment"})
        .content.decode()
    )
    assert "At most 2 at a time" in body and "Would be done: 2" in body
