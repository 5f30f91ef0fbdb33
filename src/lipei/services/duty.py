"""The duty call that nobody answers goes to the next in line (norm 2.3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import F, Q

from lipei.domain import duty, lifecycle
from lipei.domain.claims import Case
from lipei.domain.events import Event, Refusal
from lipei.domain.rulebook import Rulebook
from lipei.domain.rules.handling import call_duty, duty_unmanned
from lipei.services import norms, one_by_one, world
from lipei.services.amend import amend
from lipei.services.roster import DUTY, absent_now
from lipei.store import models


def sweep(*, now: datetime, limit: int) -> int:
    """Call the next person wherever the one called was silent until the time set; how many calls were made.

    Whoever accepts the claim after the call has it in hand: nobody is called any more.
    """
    called_at = F("duty_due_at") - timedelta(minutes=norms.current().settings.duty_acknowledge_minutes)
    due = models.Claim.objects.filter(
        Q(accepted_at=None) | Q(accepted_at__lte=called_at),
        duty_due_at__lte=now, duty_acknowledged_at=None, state__in=lifecycle.OPEN,
    ).order_by("duty_due_at")  # fmt: skip

    def call(number: int) -> int:
        return amend(number, _next_call(now), actor=DUTY, now=now, cause="duty:sweep") is not None

    waiting = due.values_list("id", flat=True)[: limit * 4]
    return one_by_one.each(waiting, call, work="duty:sweep", most=limit)


def _next_call(now: datetime):  # type: ignore[no-untyped-def]
    def decide(case: Case, rulebook: Rulebook) -> Sequence[Event]:
        claim, table, minutes = case.claim, rulebook.duty, rulebook.settings.duty_acknowledge_minutes
        if claim.duty_due_at is None or claim.duty_acknowledged_at is not None or claim.state not in lifecycle.OPEN:
            return ()
        accepted = claim.accepted_at is not None and claim.accepted_at > claim.duty_due_at - timedelta(minutes=minutes)
        if accepted or claim.duty_due_at > now:
            return ()
        absent = absent_now(table.roster, now) | world.interested(rulebook, case)
        if claim.duty_person is None:
            found: duty.Call | Refusal | None = duty.call(
                roster=table.roster, at=now, acknowledge_minutes=minutes, absent=absent, position=claim.duty_position
            )
        else:
            found = duty.next_call(
                roster=table.roster, silent=claim.duty_person, position=claim.duty_position, absent=absent,
                due_at=claim.duty_due_at, now=now, acknowledge_minutes=minutes,
            )  # fmt: skip
        if isinstance(found, duty.Call):
            return (call_duty(found, claim),)
        calendar = rulebook.calendars.current.get(table.calendar)
        # In working time the claim has its handler and the handler's promises.
        return () if calendar is None or calendar.is_open(now) else (duty_unmanned(now, minutes),)

    return decide
