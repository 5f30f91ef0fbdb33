"""The duty call that nobody answers goes to the next in line (norm 2.3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from lipei.domain import duty, lifecycle
from lipei.domain.claims import Case
from lipei.domain.events import Actor, Event, Refusal
from lipei.domain.rulebook import Rulebook
from lipei.domain.rules.handling import call_duty, duty_unmanned
from lipei.services import one_by_one
from lipei.services.amend import amend
from lipei.services.roster import absent_now
from lipei.store import models

DUTY = Actor("system:duty", "duty")


def sweep(*, now: datetime, limit: int) -> int:
    """Call the next person wherever the one called was silent until the time set; how many calls were made.

    Whoever has accepted the claim has it in hand: nobody is called any more.
    """
    due = models.Claim.objects.filter(
        duty_due_at__lte=now, duty_acknowledged_at=None, accepted_at=None, state__in=lifecycle.OPEN
    ).order_by("duty_due_at")  # fmt: skip

    def call(number: int) -> int:
        return amend(number, _next_call(now), actor=DUTY, now=now, cause="duty:sweep") is not None

    waiting = due.values_list("id", flat=True)[: limit * 4]
    return one_by_one.each(waiting, call, work="duty:sweep", most=limit)


def _next_call(now: datetime):  # type: ignore[no-untyped-def]
    def decide(case: Case, rulebook: Rulebook) -> Sequence[Event]:
        claim, table, minutes = case.claim, rulebook.duty, rulebook.settings.duty_acknowledge_minutes
        waits = claim.duty_due_at is not None and claim.duty_acknowledged_at is None and claim.accepted_at is None
        if not waits or claim.duty_due_at > now or claim.state not in lifecycle.OPEN:  # type: ignore[operator]
            return ()
        absent = absent_now(table.roster, now)
        if claim.duty_person is None:
            found: duty.Call | Refusal | None = duty.call(
                roster=table.roster, at=now, acknowledge_minutes=minutes, absent=absent, position=claim.duty_position
            )
        else:
            found = duty.next_call(
                roster=table.roster, silent=claim.duty_person, position=claim.duty_position, absent=absent,
                due_at=claim.duty_due_at, now=now, acknowledge_minutes=minutes,  # type: ignore[arg-type]
            )  # fmt: skip
        if isinstance(found, duty.Call):
            return (call_duty(found, claim),)
        calendar = rulebook.calendars.current.get(table.calendar)
        # In working time the claim has its handler and the handler's promises.
        return () if calendar is None or calendar.is_open(now) else (duty_unmanned(now, minutes),)

    return decide
