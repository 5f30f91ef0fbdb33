"""Journey (a): a small motor claim, straight through (norm 1.3.1, 2.2.1, 2.2.4, 2.3.1)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.company import NOW, company

from lipei.domain import commands as c
from lipei.domain.money import Money
from lipei.jobs import loop
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


@pytest.mark.norm("1.4.3")
@pytest.mark.norm("2.2.1")
def test_report_answers_with_handler_and_promises(drive):
    people = company()
    case = drive.report(people.program, small_report(), now=NOW, key="one")
    claim = case.claim
    assert claim.handler in {people.rows["handler1"].id, people.rows["handler2"].id}
    assert claim.policy_number == "PC-1"
    assert claim.lane == "simple"
    told = {clock.promise: clock.due_at for clock in case.clocks.values()}
    assert told["preliminary_opinion"] == NOW + timedelta(hours=24)
    assert models.Delivery.objects.filter(stream_id=case.id, message="receipt").count() == 1


def test_same_key_same_claim(drive):
    people = company()
    one = drive.report(people.program, small_report(), now=NOW, key="one")
    two = drive.report(people.program, small_report(), now=NOW, key="one")
    assert one.claim.number == two.claim.number
    assert models.Claim.objects.count() == 1
    assert drive.no_report(people.program, small_report(story="别的事"), now=NOW, key="one") == "conflict"


def papers_in(drive, case, people):
    """The customer sends everything that is required."""
    number = case.claim.number
    case = drive.act(people.handler_of(case), number, "claim", "request_papers", now=NOW)
    for n, p in case.papers.items():
        if p.required:
            case = drive.act(people.intake1, number, "paper", "receive", n, now=NOW)
    return case


@pytest.mark.norm("1.3.1")
@pytest.mark.norm("2.2.4")
def test_straight_through_to_paid_and_closed(drive):
    people = company()
    case = drive.report(people.program, small_report(), now=NOW, key="one")
    number = case.claim.number
    case = papers_in(drive, case, people)
    payment = case.payments[1]
    assert (payment.state, payment.amount_minor) == ("approved", 215000)
    assert case.exposures[1].state == "agreed"
    drive.act(people.bank, number, "payment", "submit", 1, now=NOW)
    case = drive.act(people.bank, number, "payment", "confirm", 1, now=NOW)
    kinds = list(models.Entry.objects.filter(stream_id=case.id).order_by("sequence").values_list("kind", flat=True))
    told = [kind for kind in kinds if not kind.startswith("clock.")]
    assert told[-3:] == ["payment.confirmed", "exposure.settled", "claim.closed"]
    assert case.claim.state == "closed"
    assert case.exposures[1].paid_minor == 215000
    assert models.Delivery.objects.filter(stream_id=case.id, message="payment_confirmed").exists()
    kept = {k.promise: (k.state, k.breached_at) for k in case.clocks.values()}
    assert kept["simple_payment"] == ("fulfilled", None)
    drive.verify()


def test_paid_by_the_bank_of_the_demonstration_with_no_hand_at_all(drive):
    """From the papers to the money in the account, and the customer told, nobody does anything (norm 1.3.1)."""
    people = company()
    case = drive.report(people.program, small_report(), now=NOW, key="one")
    number = papers_in(drive, case, people).claim.number
    loop.settle(NOW)
    case = drive.case(number)
    assert (case.claim.state, case.claim.outcome, case.exposures[1].paid_minor) == ("closed", "paid", 215000)
    told = models.Delivery.objects.filter(stream_id=case.id, message="payment_confirmed", sent_at__isnull=False)
    assert told.count() == 1
    drive.verify()


def test_paid_once_however_often_the_bank_says_so(drive):
    people = company()
    case = drive.report(people.program, small_report(), now=NOW, key="one")
    number = case.claim.number
    papers_in(drive, case, people)
    drive.act(people.bank, number, "payment", "submit", 1, now=NOW)
    drive.act(people.bank, number, "payment", "confirm", 1, now=NOW)
    again = drive.refused(people.bank, number, "payment", "confirm", 1, now=NOW)
    assert again.kind == "state"


@pytest.mark.norm("4")
def test_what_is_excluded_goes_to_a_person(drive):
    people = company()
    item = c.ItemAssessed("后保险杠", claimed=Money(265000, "CNY"))
    drunk = c.ExposureReported("own_damage", "single_vehicle", items=(item,), facts={"drunk_driving": True})
    case = drive.report(people.program, small_report(exposures=(drunk,)), now=NOW, key="one")
    case = papers_in(drive, case, people)
    assert case.exposures[1].state == "open"
    assert not case.payments
