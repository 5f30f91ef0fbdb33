"""When and where it happened, told after the report by whoever knows: the customer on their phone, a colleague at the desk."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from tests.portal.conftest import done, reported, verified
from tests.portal.test_standing import case_of

from lipei.domain import commands as c
from lipei.norms.texts import text
from lipei.store import journal, models

pytestmark = [pytest.mark.django_db, pytest.mark.norm("1.3.1")]


def local(days_ago: float) -> str:
    """As the field of a browser gives a time of the company's zone (UTC+8)."""
    return (timezone.now() - timedelta(days=days_ago) + timedelta(hours=8)).strftime("%Y-%m-%dT%H:%M")


def small(client: Client, **said: Any) -> str:
    """A small loss whose papers are here and whose customer agreed to a sum by the terms alone."""
    said = {
        "kind": "motor:single_vehicle",
        "item_1": "后保险杠",
        "item_1_amount": "2650",
        "accept_automatic": "yes",
        **said,
    }
    return reported(client, **said)


def papers_in(number: str, people: SimpleNamespace) -> None:
    case = done(number, "claim", "request_papers", 0, c.RequestPapers(), people.handler_of(case_of(number)))
    for part, paper in case.papers.items():
        if paper.required:
            done(number, "paper", "receive", part, c.Receive(), people.intake1)


def test_asked_where_it_was_not_told_and_paid_once_it_is(client: Client, people: SimpleNamespace) -> None:
    number = small(client)
    papers_in(number, people)
    assert not models.Payment.objects.exists(), "whether the policy was in force is not known"
    page = client.get(f"/claim/{number}/").content.decode()
    assert text("portal.todo.when", "zh-hans") in page and f'href="/claim/{number}/when"' in page
    form = client.get(f"/claim/{number}/when").content.decode()
    assert 'name="loss_at"' in form and 'name="place"' in form
    answer = client.post(f"/claim/{number}/when", {"loss_at": local(1), "place": "延安高架"}, follow=True)
    page = answer.content.decode()
    assert text("portal.when.saved", "zh-hans") in page and text("portal.todo.when", "zh-hans") not in page
    assert case_of(number).claim.place == "延安高架"
    assert [p.state for p in models.Payment.objects.all()] == ["approved"], "a rule took it from there"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ({}, "refusal.required"),
        ({"loss_at": "gestern"}, "refusal.not_a_date"),
        ({"loss_at": local(-1)}, "refusal.loss_after_report"),
        ({"loss_at": "1990-01-01T10:00"}, "refusal.loss_too_long_ago"),
    ],
)
def test_what_cannot_be_stays_typed_with_one_sentence(
    client: Client, people: SimpleNamespace, typed: dict[str, str], code: str
) -> None:
    number = small(client)
    answer = client.post(f"/claim/{number}/when", {"place": "延安高架", **typed})
    page = answer.content.decode()
    assert answer.status_code == 422 and text(code, "zh-hans") in page and 'value="延安高架"' in page
    assert case_of(number).claim.loss_at is None and not case_of(number).claim.place


def test_what_is_on_file_is_not_asked_and_not_changed(client: Client, people: SimpleNamespace) -> None:
    number = small(client, loss_at=local(2), place="延安高架")
    assert text("portal.todo.when", "zh-hans") not in client.get(f"/claim/{number}/").content.decode()
    before = case_of(number).claim
    assert text("refusal.guard.untold_or_ours", "zh-hans") in client.get(f"/claim/{number}/when").content.decode()
    client.post(f"/claim/{number}/when", {"loss_at": local(1), "place": "外滩"})
    assert (case_of(number).claim.loss_at, case_of(number).claim.place) == (before.loss_at, before.place)


def test_a_claim_that_ended_says_so(client: Client, people: SimpleNamespace) -> None:
    number = small(client)
    done(number, "claim", "withdraw", 0, c.Reasoned("自己修好了"), people.handler_of(case_of(number)))
    page = client.get(f"/claim/{number}/when").content.decode()
    assert 'name="loss_at"' not in page and text("refusal.guard.untold_or_ours", "zh-hans") not in page
    assert client.post(f"/claim/{number}/when", {"loss_at": local(1)}).status_code == 422


def test_only_whose_claim_it_is_says_it(client: Client, people: SimpleNamespace) -> None:
    """The injured of an accident reads their own progress; what the claim as a whole is about is told by who reported."""
    number = small(client)
    hurt = c.PartyReported(roles=("injured", "claimant"), name="李四", phone="13911110088")
    done(number, "party", "add", 0, hurt, people.handler_of(case_of(number)))
    other = verified(Client(), number, max(case_of(number).parties))
    assert text("portal.todo.when", "zh-hans") not in other.get(f"/claim/{number}/").content.decode()
    other.post(f"/claim/{number}/when", {"loss_at": local(1)})
    assert case_of(number).claim.loss_at is None


def test_the_same_loss_is_recognised_once_its_day_is_known(client: Client, people: SimpleNamespace) -> None:
    first = small(client, loss_at=local(20))
    second = small(Client())
    handler = people.handler_of(case_of(second))
    at = case_of(first).claim.loss_at
    assert at is not None
    done(second, "claim", "correct", 0, c.CorrectReport(at + timedelta(hours=1)), handler)
    facts, _ = journal.said(models.Entry.objects.get(kind="claim.corrected").payload)
    assert tuple(facts["alike"]) == (first,)
