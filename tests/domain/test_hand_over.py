"""A hand-over reaches somebody who can take the claim: the same as an assignment asks (norm 2.1.3, 1.4.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.domain.conduct_desk import HANDLER, NOW, Desk, candidates, own_damage, policy

from lipei.domain import commands as c

ABLE = replace(candidates()[0], staff_id=21)


@pytest.mark.norm("2.1.3")
@pytest.mark.parametrize(
    ("who", "why"),
    [
        (replace(ABLE, skills=frozenset()), "skill"),
        (replace(ABLE, absences=((NOW - timedelta(days=1), NOW + timedelta(days=9)),)), "absent"),
        (replace(ABLE, conflict=True), "conflict"),
    ],
)
def test_who_could_not_be_assigned_is_handed_nothing(who, why):
    desk = Desk(policy=policy(), candidates=(*candidates(), who))
    desk.report(own_damage())
    refused = desk.refused(HANDLER, "claim", "hand_over", 0, c.HandOver(21, "", "客户情绪激动，请接手"))
    assert refused.code == f"refusal.assignment.{why}"


@pytest.mark.norm("2.1.3")
def test_who_could_be_assigned_is_handed_it():
    desk = Desk(policy=policy(), candidates=(*candidates(), ABLE))
    desk.report(own_damage())
    desk.do(HANDLER, "claim", "hand_over", 0, c.HandOver(21, "", "客户情绪激动，请接手"))
    assert (desk.case.claim.handler, desk.case.claim.accepted_at) == (21, None)
