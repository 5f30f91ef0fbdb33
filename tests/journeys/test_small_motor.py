"""Journey (a): a small motor claim, straight through (norm 1.3.1, 2.2.1, 2.2.4, 2.3.1)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.company import NOW, company

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.domain.money import Money
from lipei.services import actions, intake
from lipei.store import models

pytestmark = pytest.mark.django_db


def small_report(**more):
    said = {
        "story": "倒车时撞到柱子，后保险杠破损。",
        "phone": "13800138000",
        "line": "motor",
        "loss_kind": "single_vehicle",
        "loss_at": NOW - timedelta(hours=2),
        "exposures": (
            c.ExposureReported(
                cover="own_damage",
                peril="single_vehicle",
                items=(c.ItemAssessed("后保险杠", claimed=Money(265000, "CNY")),),
            ),
        ),
        "accept_automatic": True,
    }
    return c.Report(**{**said, **more})


@pytest.mark.norm("2.2.1")
def test_report_answers_with_handler_and_promises():
    people = company()
    done = intake.report(small_report(), actor=people.program, now=NOW, key="one")
    assert not isinstance(done, Refusal), done
    claim = done.case.claim
    assert claim.handler in {people.rows["handler1"].id, people.rows["handler2"].id}
    assert claim.policy_number == "PC-1"
    assert claim.lane == "simple"
    told = {clock.promise: clock.due_at for clock in done.case.clocks.values()}
    assert told["preliminary_opinion"] == NOW + timedelta(hours=24)
    assert models.Delivery.objects.filter(stream_id=done.case.id, message="receipt").count() == 1


def test_same_key_same_claim():
    people = company()
    one = intake.report(small_report(), actor=people.program, now=NOW, key="one")
    two = intake.report(small_report(), actor=people.program, now=NOW, key="one")
    assert one.case.claim.number == two.case.claim.number
    assert models.Claim.objects.count() == 1
    other = intake.report(small_report(story="别的事"), actor=people.program, now=NOW, key="one")
    assert isinstance(other, Refusal) and other.kind == "conflict"


def papers_in(number, case, people):
    """The customer sends everything that is required."""
    handler = people.handler_of(case)
    r = actions.act(number, "claim", "request_papers", actor=handler, now=NOW)
    assert not isinstance(r, Refusal), r
    for n, p in r.case.papers.items():
        if p.required:
            r = actions.act(number, "paper", "receive", n, c.Receive(), actor=people.intake1, now=NOW)
            assert not isinstance(r, Refusal), r
    return r


@pytest.mark.norm("1.3.1")
@pytest.mark.norm("2.2.4")
def test_straight_through_to_paid_and_closed():
    people = company()
    done = intake.report(small_report(), actor=people.program, now=NOW, key="one")
    number = done.case.claim.number
    r = papers_in(number, done.case, people)
    payment = r.case.payments[1]
    assert (payment.state, payment.amount_minor) == ("approved", 215000)
    assert r.case.exposures[1].state == "agreed"
    bank = people.bank
    r = actions.act(number, "payment", "submit", 1, actor=bank, now=NOW)
    r = actions.act(number, "payment", "confirm", 1, actor=bank, now=NOW)
    assert not isinstance(r, Refusal), r
    assert [e.kind for _, e in r.events if e.subject != "clock"] == [
        "payment.confirmed",
        "exposure.settled",
        "claim.closed",
    ]
    assert r.case.claim.state == "closed"
    assert r.case.exposures[1].paid_minor == 215000
    assert models.Delivery.objects.filter(stream_id=r.case.id, message="payment_confirmed").exists()
    kept = {k.promise: (k.state, k.breached_at) for k in r.case.clocks.values()}
    assert kept["simple_payment"] == ("fulfilled", None)


def test_paid_once_however_often_the_bank_says_so():
    people = company()
    done = intake.report(small_report(), actor=people.program, now=NOW, key="one")
    number = done.case.claim.number
    papers_in(number, done.case, people)
    actions.act(number, "payment", "submit", 1, actor=people.bank, now=NOW)
    actions.act(number, "payment", "confirm", 1, actor=people.bank, now=NOW)
    again = actions.act(number, "payment", "confirm", 1, actor=people.bank, now=NOW)
    assert isinstance(again, Refusal) and again.kind == "state"


@pytest.mark.norm("4")
def test_what_is_excluded_goes_to_a_person():
    people = company()
    report = small_report()
    drunk = c.ExposureReported(
        **{
            **{f: getattr(report.exposures[0], f) for f in ("cover", "peril", "items")},
            "facts": {"drunk_driving": True},
        }
    )
    done = intake.report(small_report(exposures=(drunk,)), actor=people.program, now=NOW, key="one")
    r = papers_in(done.case.claim.number, done.case, people)
    assert r.case.exposures[1].state == "open"
    assert not r.case.payments
