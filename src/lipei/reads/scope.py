"""Which claims somebody sees: `permissions.VIEW` as a filter of rows, and as a question about one case.

What is out of scope does not exist for its reader: pages and API answer 404, lists leave it out.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Q, TextField
from django.db.models.functions import Cast

from lipei.domain import lifecycle
from lipei.domain.claims import Case
from lipei.domain.events import Actor
from lipei.domain.permissions import view_scope
from lipei.store import models

NOTHING = Q(pk__in=())
PUT_TO_ME_MAX = 1000
"""Of a colleague with more than so many, the newest."""


def claims(viewer: Actor) -> Q:
    """The claims that the viewer sees, as a condition on the claim table."""
    if viewer.id.startswith("customer:"):
        return Q(number=viewer.unit) if viewer.unit else NOTHING
    scope = view_scope(viewer)
    if scope == "company":
        return Q()
    if scope == "unit":
        return Q(unit="") | Q(unit=viewer.unit) | _nobodys() | _own(viewer)
    return _own(viewer) if scope == "own" else NOTHING


def _nobodys() -> Q:
    """What waits in the queue of a unit in which nobody works: every unit sees it, or nobody would (norm 1.4.3)."""
    return Q(handler=None) & ~Q(unit__in=models.Staff.objects.filter(active=True).values("unit"))


def units_of_nobody() -> list[str]:
    """The units in which nobody works and in whose queue open claims wait. One query."""
    waiting = models.Claim.objects.filter(_nobodys(), state__in=lifecycle.OPEN).exclude(unit="")
    return list(waiting.order_by().values_list("unit", flat=True).distinct())


def _own(viewer: Actor) -> Q:
    if viewer.staff_id is None:
        return NOTHING
    return Q(handler=viewer.staff_id) | Q(id__in=put_to(viewer))


def put_to(viewer: Actor) -> list[int]:
    """Ids of claims on which something was ever put to a colleague: a survey, a question, a duty call. One query."""
    return _put_to(viewer, waiting=False)


def waiting_for(viewer: Actor) -> list[int]:
    """Ids of claims on which a colleague's survey, opinion or acknowledgement is still to come. One query."""
    return _put_to(viewer, waiting=True)


def _put_to(viewer: Actor, *, waiting: bool) -> list[int]:
    me = viewer.staff_id
    if me is None:
        return []
    surveys = models.Survey.objects.filter(surveyor=me)
    surveys = surveys.filter(state="scheduled") if waiting else surveys.exclude(state="cancelled")
    duty = models.Claim.objects.filter(duty_due_at__isnull=False, duty_acknowledged_at=None, duty_person=me)
    consultations = asked(me, "expert" in viewer.roles)
    if waiting:
        consultations = consultations.filter(state="convened").annotate(voices=Cast("opinions", TextField()))
        consultations = consultations.exclude(
            Q(voices__contains=f'"expert":{me},') | Q(voices__contains=f'"expert":{me}}}')
        )
    rows = surveys.values_list("aggregate_id").union(consultations.values_list("aggregate_id"), duty.values_list("id"))
    return sorted((row[0] for row in rows), reverse=True)[:PUT_TO_ME_MAX]


def asked(staff_id: int, is_expert: bool) -> Any:
    """The consultations to which somebody is invited; one without names is open to every expert.

    ``experts`` is canonical JSON: ``[3,12]``.
    """
    ways = (f"[{staff_id}]", f"[{staff_id},", f",{staff_id},", f",{staff_id}]", *(("[]",) if is_expert else ()))
    found = Q()
    for way in ways:
        found |= Q(said__contains=way)
    return models.Consultation.objects.annotate(said=Cast("experts", TextField())).filter(found)


def sees(case: Case, viewer: Actor) -> bool:
    """Whether the viewer sees a claim that is at hand. The same rule as `claims`."""
    claim = case.claim
    if viewer.id.startswith("customer:"):
        return bool(claim.number) and viewer.unit == claim.number
    scope = view_scope(viewer)
    if scope == "company":
        return True
    if not scope:
        return False
    if scope == "unit" and (not claim.unit or claim.unit == viewer.unit):
        return True
    me = viewer.staff_id
    if me is not None and (claim.handler == me or _put_to_me(case, viewer, me)):
        return True
    orphaned = scope == "unit" and claim.handler is None
    return orphaned and not models.Staff.objects.filter(active=True, unit=claim.unit).exists()


def _put_to_me(case: Case, viewer: Actor, me: int) -> bool:
    return (
        any(s.surveyor == me and s.state != "cancelled" for s in case.surveys.values())
        or any(me in c.experts or (not c.experts and "expert" in viewer.roles) for c in case.consultations.values())
        or (
            case.claim.duty_person == me
            and case.claim.duty_due_at is not None
            and case.claim.duty_acknowledged_at is None
        )
    )
