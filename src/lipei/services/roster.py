"""Who on the duty roster can really be reached: they work here, may answer, and are not away (norm 2.3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from lipei.domain import duty, lifecycle
from lipei.domain.claims import Case
from lipei.domain.conditions import holds
from lipei.domain.conduct import Happened
from lipei.domain.duty import Roster, Span
from lipei.domain.events import Actor, Refusal
from lipei.domain.rulebook import Rulebook
from lipei.domain.rules.handling import call_duty, duty_unmanned
from lipei.domain.triage import claim_values
from lipei.reads.duty import away
from lipei.services import world
from lipei.store import models

DUTY = Actor("system:duty", "duty")

ABLE = frozenset(who.partition(":")[0] for who in lifecycle.BY_ACTION["claim", "acknowledge_duty"].who)
"""The roles of those who can acknowledge a call."""


def absent_now(roster: Roster, now: datetime) -> frozenset[int]:
    """Who on the roster is away at this moment, has left, or could not acknowledge a call."""
    named = _persons(roster, now)
    away = models.Absence.objects.filter(starts_at__lte=now, ends_at__gt=now, staff_id__in=named)
    return frozenset(named - able(named) | set(away.values_list("staff_id", flat=True)))


def able(staff_ids: set[int]) -> set[int]:
    """Those of the staff named who work here and hold a role that can acknowledge a call."""
    rows = models.Staff.objects.filter(id__in=staff_ids, active=True).values_list("id", "roles")
    return {number for number, roles in rows if ABLE & set(roles)}


def refused(roster: Roster, needed: Sequence[Span], now: datetime) -> Refusal | None:
    """Why a roster cannot be relied on: somebody on it who cannot answer, or an hour that nobody covers (norm 2.3.3)."""
    persons = _persons(roster, now)
    strangers = sorted(persons - able(persons))
    if strangers:
        return Refusal("refusal.duty.person", params={"person": strangers[0]})
    return duty.check_roster(roster=roster, needed=needed, away=away(persons, after=now))


def _persons(roster: Roster, now: datetime) -> set[int]:
    """Everybody whom the roster still names from now on."""
    persons = {person for shift in roster.shifts if shift.ends > now for person in shift.persons}
    return persons if roster.team_lead is None else persons | {roster.team_lead}


def calls(case: Case, rulebook: Rulebook, now: datetime) -> Happened:
    """The duty call of an urgent claim outside working hours (norm 2.3.3); nothing where none is needed.

    Where the roster has nobody the team leads and managers are told instead.
    """
    table, minutes = rulebook.duty, rulebook.settings.duty_acknowledge_minutes
    calendar = rulebook.calendars.current.get(table.calendar)
    if calendar is None or calendar.is_open(now) or not _is_urgent(case, rulebook, now):
        return ()
    absent = absent_now(table.roster, now) | world.interested(rulebook, case)
    found = duty.call(roster=table.roster, at=now, acknowledge_minutes=minutes, absent=absent)
    return ((call_duty(found, case.claim) if isinstance(found, duty.Call) else duty_unmanned(now, minutes), DUTY),)


def calls_learnt(case: Case, happened: Happened, rulebook: Rulebook, now: datetime) -> Happened:
    """The duty call of a claim that a new look shows to be urgent; whoever looks at their own claim is at work on it."""
    looks = [actor for event, actor in happened if event.kind == "claim.triaged"]
    if not looks or _is_urgent(case, rulebook, now) or happened[0][1].staff_id == (case.claim.handler or 0):
        return ()
    return calls(case.after(e for e, _ in happened if e.subject != "ledger"), rulebook, now)


def _is_urgent(case: Case, rulebook: Rulebook, now: datetime) -> bool:
    return holds(
        rulebook.duty.calls, claim_values(case=case, table=rulebook.triage, now=now, products=rulebook.products)
    )
