"""Personal data has an end, and the chain is as whole as before."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from tests.company import NOW, company
from tests.journeys.test_small_motor import small_report

from lipei.domain import commands as c
from lipei.services import actions, intake, norms, retention, verify
from lipei.store import aggregates, claim_tokens, models

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
    left = set(models.SearchToken.objects.filter(claim_id=stream_id).values_list("token", flat=True))
    assert left == claim_tokens.of("claim", vars(case.claim)), "it is still found by part of its number, and by no name"
    kept = aggregates.load(aggregates.Case, actions.claim_id(open_claim.number)).aggregate
    assert kept.claim.story
    assert list(verify.differences(now=NOW)) == []


def test_files_of_the_bank_go_at_the_same_age_and_its_memory_stays(db, settings, tmp_path):
    settings.LIPEI_HOME, settings.LIPEI_BANK_URL = tmp_path, f"files:{tmp_path / 'bank'}"
    years = norms.current().settings.retention_years
    ages = {"old": timedelta(days=366 * years), "young": timedelta(days=365 * years - 30)}
    for folder in ("bank/outbox", "bank/read", "bank/rejected", "bank/orders", "bank/messages", "outbox/sms"):
        (tmp_path / folder).mkdir(parents=True)
        for name, age in ages.items():
            file = tmp_path / folder / name
            file.write_text("王小明")
            os.utime(file, times=((NOW - age).timestamp(),) * 2)
    assert retention.sweep(NOW) == 0
    left = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("old") if p.is_file())
    assert left == ["bank/messages/old", "bank/orders/old"]
    assert len(list(tmp_path.rglob("young"))) == 6
