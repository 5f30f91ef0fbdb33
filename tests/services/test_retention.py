"""Personal data has an end, and the chain is as whole as before."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.company import NOW, company
from tests.journeys.test_small_motor import small_report

from lipei.domain import commands as c
from lipei.services import actions, intake, retention, verify
from lipei.store import aggregates, models

pytestmark = pytest.mark.django_db


@pytest.mark.norm("4")
def test_after_its_years_a_claim_says_no_more_who():
    us = company()
    claim = intake.report(small_report(), actor=us.program, now=NOW).case.claim
    open_claim = intake.report(small_report(loss_at=NOW - timedelta(days=30)), actor=us.program, now=NOW).case.claim
    actions.act(claim.number, "claim", "withdraw", 0, c.Reasoned("不再需要"), actor=us.intake1, now=NOW)
    nine, eleven = NOW + timedelta(days=9 * 365), NOW + timedelta(days=11 * 365)
    assert retention.sweep(nine) == 0
    assert retention.sweep(eleven) == 1
    assert retention.sweep(eleven) == 0
    stream_id = actions.claim_id(claim.number)
    case = aggregates.load(aggregates.Case, stream_id).aggregate
    assert case.claim.story == "" and all(not p.name and not p.phone for p in case.parties.values())
    assert case.claim.state == "withdrawn"
    assert not models.SearchToken.objects.filter(claim_id=stream_id).exists()
    kept = aggregates.load(aggregates.Case, actions.claim_id(open_claim.number)).aggregate
    assert kept.claim.story
    assert list(verify.differences()) == []
