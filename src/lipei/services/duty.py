"""The duty call that nobody answers goes to the next in line (norm 2.3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from lipei.domain import duty, lifecycle
from lipei.domain.claims import Case
from lipei.domain.events import Actor, Event
from lipei.domain.rulebook import Rulebook
from lipei.domain.rules.handling import call_duty
from lipei.services import one_by_one
from lipei.services.amend import amend
from lipei.store import models

DUTY = Actor("system:duty", "duty")


def sweep(*, now: datetime, limit: int) -> int:
    """Call the next person wherever the one called was silent until the time set; how many calls were made."""
    due = models.Claim.objects.filter(
        duty_due_at__lte=now, duty_acknowledged_at=None, state__in=lifecycle.OPEN
    ).order_by("duty_due_at")  # fmt: skip

    def call(number: int) -> int:
        return amend(number, _next_call(now), actor=DUTY, now=now, cause="duty:sweep") is not None

    waiting = due.values_list("id", flat=True)[: limit * 4]
    return one_by_one.each(waiting, call, work="duty:sweep", most=limit)


def _next_call(now: datetime):  # type: ignore[no-untyped-def]
    def decide(case: Case, rulebook: Rulebook) -> Sequence[Event]:
        claim = case.claim
        waiting = claim.duty_person is not None and claim.duty_acknowledged_at is None
        if not waiting or claim.duty_due_at is None or claim.state not in lifecycle.OPEN:
            return ()
        found = duty.next_call(
            roster=rulebook.duty.roster, silent=claim.duty_person, position=claim.duty_position,  # type: ignore[arg-type]
            due_at=claim.duty_due_at, now=now, acknowledge_minutes=rulebook.settings.duty_acknowledge_minutes,
        )  # fmt: skip
        return (call_duty(found, claim),) if isinstance(found, duty.Call) else ()

    return decide
