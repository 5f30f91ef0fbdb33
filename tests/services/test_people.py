"""Somebody falls ill; authority is lent and taken back; roles are given by others."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.company import NOW, company
from tests.journeys.test_small_motor import small_report

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.services import actions, intake, people
from lipei.store import models

pytestmark = pytest.mark.django_db


def test_who_falls_ill_has_their_claims_assigned_anew():
    us = company()
    numbers = [
        intake.report(small_report(loss_at=NOW - timedelta(days=9 * n + 1)), actor=us.program, now=NOW).case.claim
        for n in range(4)
    ]
    ill = next(h for h in (us.handler1, us.handler2) if any(claim.handler == h.staff_id for claim in numbers))
    theirs = [claim.number for claim in numbers if claim.handler == ill.staff_id]
    done = people.away(
        staff_id=ill.staff_id,
        starts_at=NOW,
        ends_at=NOW + timedelta(days=3),
        reason="病假",
        reassign=True,
        actor=us.lead1,
        now=NOW,
    )
    assert not isinstance(done, Refusal)
    assert {number for number, _ in done} == set(theirs)
    assert all(handler not in (None, ill.staff_id) for _, handler in done)
    assert not models.Claim.objects.filter(handler=ill.staff_id).exists()
    # Nothing new goes to them either.
    new = intake.report(small_report(loss_at=NOW - timedelta(days=99)), actor=us.program, now=NOW).case.claim
    assert new.handler != ill.staff_id
    told = (
        models.Entry.objects.filter(kind="claim.assigned", actor="system:assignment")
        .order_by("-id")
        .values_list("on_behalf_of", flat=True)
    )
    assert us.lead1.id in set(told)


def test_absence_needs_the_permission_and_an_end():
    us = company()
    said = {"staff_id": us.handler1.staff_id, "starts_at": NOW, "reason": "", "reassign": False, "now": NOW}
    assert people.away(**said, ends_at=NOW + timedelta(days=1), actor=us.handler2).kind == "permission"
    assert people.away(**said, ends_at=NOW, actor=us.lead1).fields == {"ends_at": "refusal.ends_before"}


@pytest.mark.norm("4")
def test_lent_authority_ends_has_no_loop_and_counts_once():
    us = company()
    day = timedelta(days=1)
    said = {"kinds": ("decide",), "starts_at": NOW, "ends_at": NOW + day, "now": NOW}
    lent = people.lend(giver_id=us.approver1.staff_id, taker_id=us.lead1.staff_id, actor=us.approver1, **said)
    assert not isinstance(lent, Refusal), lent
    loop = people.lend(giver_id=us.lead1.staff_id, taker_id=us.approver1.staff_id, actor=us.lead1, **said)
    assert loop.code == "refusal.authority.delegation_loop"
    assert (
        people.lend(giver_id=us.approver1.staff_id, taker_id=us.handler1.staff_id, actor=us.handler1, **said).kind
        == "permission"
    )
    assert people.take_back(delegation_id=lent.id, actor=us.approver1, now=NOW) is None
    assert not models.Delegation.objects.filter(ends_at__gt=NOW).exists()


@pytest.mark.norm("4")
def test_nobody_helps_themselves_to_a_colleagues_authority():
    us = company()
    said = {"starts_at": NOW, "ends_at": NOW + timedelta(days=1), "now": NOW, "actor": us.manager1}
    theirs, mine = us.manager2.staff_id, us.manager1.staff_id
    refused = people.lend(giver_id=theirs, taker_id=mine, kinds=("decide",), **said)
    assert isinstance(refused, Refusal) and refused.code == "refusal.authority.delegation_to_self"
    lent = people.lend(giver_id=theirs, taker_id=us.approver1.staff_id, kinds=("decide",), **said)
    assert not isinstance(lent, Refusal), "that of somebody who is away is lent to a third"


def test_nobody_gives_a_role_to_themselves():
    us = company()
    assert (
        people.save(code="admin1", fields={"roles": ("administrator", "manager")}, actor=us.admin1, now=NOW).code
        == "refusal.own_roles"
    )
    assert people.save(code="handler1", fields={"roles": ("boss",)}, actor=us.admin1, now=NOW).fields == {
        "roles": "refusal.role_unknown"
    }
    assert people.save(code="handler1", fields={"active": False}, actor=us.handler2, now=NOW).kind == "permission"
    gone = people.save(code="handler1", fields={"active": False}, actor=us.admin1, now=NOW)
    assert people.actor_of(gone).roles == frozenset()


def test_who_is_gone_gets_no_claim():
    us = company()
    people.save(code="handler1", fields={"active": False}, actor=us.admin1, now=NOW)
    claim = intake.report(small_report(), actor=us.program, now=NOW).case.claim
    assert claim.handler == us.handler2.staff_id
    refused = actions.act(
        claim.number, "claim", "assign", 0, c.Assign(handler=us.handler1.staff_id), actor=us.lead1, now=NOW
    )
    assert isinstance(refused, Refusal)


@pytest.mark.norm("2.3.3")
def test_nobody_is_kept_under_a_phone_or_an_address_that_cannot_be():
    """A duty call to it would go nowhere."""
    us = company()
    refused = people.save(code="handler1", fields={"phone": "12", "email": "x"}, actor=us.admin1, now=NOW)
    assert isinstance(refused, Refusal) and set(refused.fields) == {"phone", "email"}
    assert not isinstance(
        people.save(
            code="handler1", fields={"phone": "13800138001", "email": "h@example.com"}, actor=us.admin1, now=NOW
        ),
        Refusal,
    )
