"""The doors of the demonstration: for each role somebody to be, and a claim that waits for exactly that role.

Nothing here is remembered from the making: what waits is found in the rows as they are now, and named only where the page
of the claim says the same first, so that a door never leads to work that somebody has done already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, QuerySet

from lipei.domain import lifecycle
from lipei.norms.texts import LANGUAGES
from lipei.reads import claims as reads
from lipei.reads.next_steps import ahead
from lipei.services import portal
from lipei.services.demo.founding import STAFF
from lipei.services.people import actor_of
from lipei.services.portal import Visit
from lipei.store import models

CUSTOMER = "customer"
LOOKED_AT_MAX = 6
"""So many claims are looked at for each person before the next one is tried."""

Find = Callable[[Any, datetime], "QuerySet[Any]"]
"""The claims that may wait for a member of staff (their row), most pressing first: rows of `Claim` ids."""


@dataclass(frozen=True, slots=True)
class Door:
    """Somebody of a role, and what waits for them: a step on a claim. Number empty: nothing does."""

    role: str
    code: str
    name: str
    number: str = ""
    subject: str = ""
    action: str = ""
    part: int = 0


def _claims(**found: Any) -> QuerySet[Any]:
    rows = models.Claim.objects.filter(state__in=lifecycle.OPEN, **found)
    found_ids: QuerySet[Any] = rows.order_by(F("due_at").asc(nulls_last=True), "id").values_list("id", flat=True)
    return found_ids


def _with(model: Any, **found: Any) -> QuerySet[Any]:
    rows: QuerySet[Any] = model.objects.filter(**found).order_by("aggregate_id").values_list("aggregate_id", flat=True)
    return rows.filter(aggregate_id__in=models.Claim.objects.filter(state__in=lifecycle.OPEN).values("id"))


WANTED: Mapping[str, Sequence[tuple[str, str, Find]]] = {
    # role: subject, action, where such claims are; the first that is somebody's next step is the one
    "intake": (("claim", "register", lambda s, now: _claims(state="reported", policy_id=None)),),
    "handler": (
        ("claim", "accept_assignment", lambda s, now: _claims(handler=s.id, accepted_at=None, registered_at__isnull=False)),
        ("claim", "give_opinion", lambda s, now: _claims(handler=s.id, state="investigating")),
    ),
    "surveyor": (
        (
            "survey", "record",
            lambda s, now: models.Survey.objects.filter(state="scheduled", surveyor=s.id)
            .order_by("at").values_list("aggregate_id", flat=True),
        ),
    ),
    "assessor": (("exposure", "check_assessment", lambda s, now: _with(models.Exposure, state="assessed")),),
    "approver": (
        ("exposure", "approve_decision", lambda s, now: _with(models.Exposure, state="submitted")),
        ("exposure", "refuse", lambda s, now: _with(models.Exposure, state="refusal_proposed")),
    ),
    "team_lead": (
        ("claim", "hand_over", lambda s, now: _claims(help_wanted=True)),
        ("claim", "assign", lambda s, now: _claims(handler=None)),
    ),
    "manager": (
        (
            "recovery", "write_off",
            lambda s, now: models.Recovery.objects.filter(state="open", kind="overpayment")
            .order_by("-aggregate_id").values_list("aggregate_id", flat=True),
        ),
    ),
    "finance": (
        ("payment", "retry", lambda s, now: _with(models.Payment, state="failed")),
        ("payment", "approve_payment", lambda s, now: _with(models.Payment, state="ordered")),
    ),
    "expert": (("consultation", "opine", lambda s, now: _with(models.Consultation, state="convened")),),
    "investigator": (("claim", "clear_suspicion", lambda s, now: _claims(suspicion=True)),),
    "compliance": (
        ("claim", "add_note", lambda s, now: _with(models.Clock, state="running", binds="law", due_at__lt=now)),
    ),
}  # fmt: skip
"""What waits for a role. An administrator sees no claims: for them the installation waits."""


def door(role: str, *, now: datetime) -> Door | None:
    """Through whose door a role comes in: the first colleague for whom what is wanted first waits. None: no such role."""
    codes = [code for code, _, its in STAFF if its == role]
    rows = {row.code: row for row in models.Staff.objects.filter(code__in=codes, active=True)}
    people = [rows[code] for code in codes if code in rows]
    for wanted in WANTED.get(role, ()):
        for row in people:
            if (found := _found(row, role, wanted, now)) is not None:
                return found
    return Door(role, people[0].code, people[0].name) if people else None


def waiting(row: Any, role: str, *, now: datetime) -> Door | None:
    """What waits for a member of staff (their row) in a role; None where nothing does."""
    found = (_found(row, role, wanted, now) for wanted in WANTED.get(role, ()))
    return next((one for one in found if one is not None), None)


def _found(row: Any, role: str, wanted: tuple[str, str, Find], now: datetime) -> Door | None:
    """The first claim on whose page this step stands first for this colleague, one look at each."""
    subject, action, find = wanted
    actor = actor_of(row)
    ids = list(dict.fromkeys(find(row, now)[: LOOKED_AT_MAX * 2]))[:LOOKED_AT_MAX]
    numbers = dict(models.Claim.objects.filter(id__in=ids).values_list("id", "number"))
    for claim_id in ids:
        page = reads.page(numbers[claim_id], viewer=actor, language=LANGUAGES[0], now=now)
        first = next(iter(ahead(page, actor)), None) if page is not None else None
        if first is not None and (first.action.subject, first.action.action) == (subject, action):
            return Door(role, row.code, row.name, numbers[claim_id], subject, action, first.parts[0])
    return None


def customers_link(*, now: datetime) -> str | None:
    """A path that opens, as the customer, the claim whose offer was made last; else any open claim. None: no claim.

    Nobody comes in as somebody who has died.
    """
    died = models.Claim.objects.filter(insured_died=True).values("id")
    sent = models.Offer.objects.filter(state="sent").exclude(aggregate_id__in=died).order_by("-id")
    offered = sent.values_list("aggregate_id", "to").first()
    if offered is None:
        claim = (
            models.Claim.objects.filter(state__in=lifecycle.OPEN).order_by("id").values_list("id", flat=True).first()
        )
        offered = (claim, 1) if claim is not None else None
    if offered is None:
        return None
    number = models.Claim.objects.values_list("number", flat=True).get(id=offered[0])
    return portal.link(Visit(number, offered[1] or 1, verified=True), now=now)
