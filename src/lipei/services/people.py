"""People: members of staff, their absences and the authority they lend (norm 1.4.3, part 4).

Who falls ill loses nothing and nobody waits for them: their open claims are assigned anew, each with its reason, in the
order in which promises would break.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction

from lipei.domain import assignment, authority, commands, lifecycle, permissions, triage
from lipei.domain.assignment import OpenCase
from lipei.domain.claims import Case
from lipei.domain.events import Actor, Refusal, wrong
from lipei.domain.rules.persons import wrong_contact
from lipei.services import actions, norms, personnel, world
from lipei.store import aggregates, models

EDITABLE = ("code", "name", "phone", "email", "roles", "unit", "skills", "regions", "languages", "language", "active")


def prefer_language(*, language: str, actor: Actor) -> None:
    """Remember the language a member of staff reads."""
    if actor.staff_id is not None:
        models.Staff.objects.filter(id=actor.staff_id).update(language=language)


def actor_of(row: Any) -> Actor:
    """A member of staff as somebody who acts; who is not active has no roles."""
    return Actor(f"staff:{row.id}", row.name, frozenset(row.roles) if row.active else frozenset(), unit=row.unit)


def save(
    *, code: str, fields: Mapping[str, Any], actor: Actor, now: datetime,
    inside: Callable[[Any], None] = lambda row: None, besides: tuple[str, ...] = (),
) -> Refusal | Any:  # fmt: skip
    """Put or alter a member of staff. Nobody gives a role to themselves, administrators neither.

    ``inside`` does what stands or falls with it, such as the sign-in; ``besides`` says so on record
    (`personnel.staff_saved`).
    """
    if not permissions.may(actor, "staff.edit"):
        return Refusal("refusal.not_permitted", "permission", {"permission": "staff.edit"})
    known = {name: value for name, value in fields.items() if name in EDITABLE}
    codes = {}
    if not str(known.get("name", "x")).strip():
        codes["name"] = "refusal.text_missing"
    if set(known.get("roles", ())) - set(permissions.ROLES):
        codes["roles"] = "refusal.role_unknown"
    region = norms.current().settings.region
    codes |= wrong_contact(region, str(known.get("phone") or ""), str(known.get("email") or ""))
    if codes:
        return wrong(**codes)
    row = models.Staff.objects.filter(code=code).first()
    if row is not None and row.id == actor.staff_id and set(known.get("roles") or ()) - set(row.roles or ()):
        return Refusal("refusal.own_roles", "permission", {"permission": "staff.edit"})
    if row is None:
        row = models.Staff(code=code)
    before = personnel.before(row)
    for name, value in known.items():
        setattr(row, name, value)
    with transaction.atomic():
        row.save()
        if row.user_id is not None:
            get_user_model().objects.filter(id=row.user_id).update(is_active=row.active)
        inside(row)
        personnel.staff_saved([(row, before)], actor=actor, now=now, besides=besides)
    world.forget_staff()
    return row


# --- absences ---------------------------------------------------------------------------------------------------------


def away(
    *, staff_id: int, starts_at: datetime, ends_at: datetime, reason: str, reassign: bool, actor: Actor, now: datetime
) -> Refusal | tuple[tuple[str, int | None], ...]:
    """Somebody is away; from now on nothing new is assigned to them.

    With ``reassign`` their open claims go to colleagues at once; answers with (claim number, new handler or None for the
    unit's queue), in the order of assigning.
    """
    if not permissions.may(actor, "absences.edit"):
        return Refusal("refusal.not_permitted", "permission", {"permission": "absences.edit"})
    if ends_at <= starts_at:
        return wrong(ends_at="refusal.ends_before")
    reach = models.Staff.objects.filter(id=staff_id)
    if not (reach if "manager" in actor.roles else reach.filter(unit=actor.unit)).exists():
        return wrong(staff="refusal.staff_unknown")  # a team lead speaks for their own unit
    with transaction.atomic():
        row = models.Absence.objects.create(
            staff_id=staff_id, starts_at=starts_at, ends_at=ends_at, reason=reason.strip()
        )
        rows = models.Absence.objects.filter(id=row.id)
        facts = {"staff": staff_id, "starts_at": starts_at, "ends_at": ends_at}
        personnel.record(personnel.AWAY, rows, facts, actor=actor, now=now)
    world.forget_staff()
    return reassign_all(staff_id, actor=actor, now=now) if reassign else ()


def plan(staff_id: int, *, now: datetime) -> tuple[tuple[str, assignment.Assignment], ...]:
    """Who would take which of somebody's open claims: the preview of `reassign_all`, which does the same."""
    book = norms.current()
    cases = [_open_case(case, book, now) for case in _open_cases(staff_id)]
    people = world.candidates(book, None, frozenset(), roles=world.HANDLES)
    return assignment.reassign(cases=cases, away=staff_id, candidates=people, table=book.assignment, now=now)


def reassign_all(staff_id: int, *, actor: Actor, now: datetime) -> tuple[tuple[str, int | None], ...]:
    """Give every open claim of somebody to a colleague, one transaction each; what cannot be given stays and is named."""
    done = []
    for number, found in plan(staff_id, now=now):
        system = replace(actor, id="system:assignment", on_behalf_of=actor.id)
        command = commands.Assign(handler=found.staff_id) if found.staff_id is not None else commands.Assign()
        answer = actions.act(number, "claim", "assign", 0, command, actor=system, now=now)
        done.append((number, None if isinstance(answer, Refusal) else answer.case.claim.handler))
    world.forget_staff()
    return tuple(done)


def _open_cases(staff_id: int) -> list[Case]:
    ids = models.Claim.objects.filter(handler=staff_id, state__in=lifecycle.OPEN).values_list("id", flat=True)
    loaded = (aggregates.load(Case, number, ("claim", "exposure")) for number in ids)
    return [one.aggregate for one in loaded if one is not None]


def _open_case(case: Case, book: Any, now: datetime) -> OpenCase:
    values = triage.claim_values(case=case, table=book.triage, now=now, products=book.products)
    need = assignment.need_of(values=values, currency=book.triage.currency, table=book.assignment)
    due_at = models.Claim.objects.filter(id=case.id).values_list("due_at", flat=True).first()
    return OpenCase(case.claim.number, need, due_at)


# --- lent authority ---------------------------------------------------------------------------------------------------


def lend(
    *,
    giver_id: int,
    taker_id: int,
    kinds: tuple[str, ...],
    starts_at: datetime,
    ends_at: datetime,
    actor: Actor,
    now: datetime,
) -> Refusal | Any:
    """Lend authority to a colleague: with an end, without loops, never more than one has.

    A manager may lend that of somebody who is away, but not to themselves.
    """
    if not permissions.may(actor, "delegations.edit") or (actor.staff_id != giver_id and "manager" not in actor.roles):
        return Refusal("refusal.not_permitted", "permission", {"permission": "delegations.edit"})
    if actor.staff_id == taker_id:
        return Refusal("refusal.authority.delegation_to_self", "permission")
    giver = models.Staff.objects.filter(id=giver_id, active=True).first()
    taker = models.Staff.objects.filter(id=taker_id, active=True).first()
    if giver is None or taker is None:
        return wrong(taker="refusal.staff_unknown")
    wanted = authority.Delegation(
        id=0, giver=f"staff:{giver_id}", giver_roles=frozenset(giver.roles), taker=f"staff:{taker_id}",
        starts_at=starts_at, ends_at=ends_at, kinds=frozenset(kinds),
    )  # fmt: skip
    refusal = authority.check_delegation(
        table=norms.current().authority, delegation=wanted, others=_lent_after(now), now=now
    )
    if refusal is not None:
        return refusal
    with transaction.atomic():
        row = models.Delegation.objects.create(
            giver=giver, taker=taker, kinds=kinds, starts_at=starts_at, ends_at=ends_at
        )
        facts = {"giver": giver_id, "taker": taker_id, "kinds": kinds, "starts_at": starts_at, "ends_at": ends_at}
        personnel.record(personnel.LENT, models.Delegation.objects.filter(id=row.id), facts, actor=actor, now=now)
    return row


def take_back(*, delegation_id: int, actor: Actor, now: datetime) -> Refusal | None:
    """End lent authority now."""
    row = models.Delegation.objects.filter(id=delegation_id).first()
    if row is None:
        return Refusal("refusal.unknown_part", "missing", {"part": str(delegation_id)})
    if actor.staff_id != row.giver_id and "manager" not in actor.roles:
        return Refusal("refusal.not_permitted", "permission", {"permission": "delegations.edit"})
    rows = models.Delegation.objects.filter(id=delegation_id)
    with transaction.atomic():
        if rows.filter(ends_at__gt=now).update(ends_at=now):
            facts = {"giver": row.giver_id, "taker": row.taker_id}
            personnel.record(personnel.TAKEN_BACK, rows, facts, actor=actor, now=now)
    return None


def _lent_after(now: datetime) -> tuple[authority.Delegation, ...]:
    rows = models.Delegation.objects.filter(ends_at__gt=now).select_related("giver")
    return tuple(
        authority.Delegation(
            id=row.id,
            giver=f"staff:{row.giver_id}",
            giver_roles=frozenset(row.giver.roles),
            taker=f"staff:{row.taker_id}",
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            kinds=frozenset(row.kinds),
        )
        for row in rows
    )
