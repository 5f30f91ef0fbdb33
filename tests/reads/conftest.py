"""A company with a claim or two, at a fixed time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.company import NOW, company

from lipei.domain import commands as c
from lipei.domain.events import Actor, Refusal
from lipei.domain.money import Money
from lipei.services import actions, intake


class Desk:
    """The company, and short words to make claims with."""

    def __init__(self) -> None:
        self.us = company()

    def report(self, *, now: Any = NOW, **more: Any) -> Any:
        exposure = c.ExposureReported(cover="own_damage", peril="collision", reserve=Money(180_000, "CNY"))
        said = {
            "story": "王小明倒车撞柱，电话13800138000",
            "phone": "13800138000",
            "name": "王小明",
            "line": "motor",
            "loss_kind": "single_vehicle",
            "exposures": (exposure,),
            **more,
        }
        done = intake.report(c.Report(**said), actor=self.us.program, now=now)
        assert not isinstance(done, Refusal), done
        return done.case

    def act(
        self,
        actor: Actor,
        case: Any,
        subject: str,
        action: str,
        part: int = 0,
        command: Any = None,
        *,
        minutes: int = 1,
    ) -> Any:
        at = NOW + timedelta(minutes=minutes)
        done = actions.act(case.claim.number, subject, action, part, command, actor=actor, now=at)
        assert not isinstance(done, Refusal), (subject, action, done)
        return done.case

    def busy(self) -> Any:
        """A claim on which something of every kind has happened."""
        case = self.report()
        lead, number = self.us.lead1, case
        case = self.act(lead, number, "claim", "request_papers")
        case = self.act(
            lead,
            case,
            "survey",
            "schedule",
            0,
            c.ScheduleSurvey(at=NOW + timedelta(days=1), place="x", surveyor=self.us.surveyor1.staff_id),
        )
        case = self.act(lead, case, "consultation", "convene", 0, c.Convene("?", (self.us.expert1.staff_id,)))
        case = self.act(lead, case, "claim", "add_note", 0, c.Write("记下"))
        item = c.ItemAssessed("保险杠", assessed=Money(180_000, "CNY"))
        case = self.act(self.us.assessor1, case, "exposure", "assess", 1, c.Assess((item,)))
        return self.act(lead, case, "exposure", "check_assessment", 1)


@pytest.fixture
def desk(db: Any) -> Desk:
    return Desk()
