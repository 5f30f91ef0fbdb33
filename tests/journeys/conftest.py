"""Two ways to drive a journey: the services themselves, and the API over them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.jobs.conftest import own_home as own_home

from lipei.domain.events import Refusal
from lipei.services import actions, intake
from lipei.store import models


class Services:
    """Journeys through the services, on the time that the test says."""

    def report(self, actor: Any, command: Any, *, now: Any, key: str = "") -> Any:
        done = intake.report(command, actor=actor, now=now, key=key)
        assert not isinstance(done, Refusal), done
        return done.case

    def act(
        self, actor: Any, number: str, subject: str, action: str, part: int = 0, command: Any = None, *, now: Any
    ) -> Any:
        done = actions.act(number, subject, action, part, command, actor=actor, now=now)
        assert not isinstance(done, Refusal), (subject, action, part, done)
        return done.case

    def refused(
        self, actor: Any, number: str, subject: str, action: str, part: int = 0, command: Any = None, *, now: Any
    ) -> Refusal:
        done = actions.act(number, subject, action, part, command, actor=actor, now=now)
        assert isinstance(done, Refusal), (subject, action, done)
        return done

    def agree(self, actor: Any, number: str, offer: int, *, now: Any, shares: Any = ()) -> Any:
        from lipei.domain.commands import Agree

        self.act(actor, number, "offer", "send_code", offer, now=now)
        code = models.Delivery.objects.filter(message="one_time_code").order_by("-id").first().secret
        return self.act(actor, number, "offer", "agree", offer, Agree(code, shares), now=now)

    def case(self, number: str) -> Any:
        from lipei.domain.claims import Case
        from lipei.store import aggregates

        return aggregates.load(Case, actions.claim_id(number)).aggregate

    def verify(self) -> None:
        from lipei.services import verify

        found = list(verify.differences())
        assert not found, found


@pytest.fixture
def drive() -> Services:
    return Services()
