"""A member of staff with their sign-in, as one edit: the record by `people.save`, the account beside it (norm part 4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from lipei.domain.commands import said
from lipei.domain.events import Actor, Refusal, wrong
from lipei.domain.permissions import ROLES, may
from lipei.norms.texts import LANGUAGES
from lipei.services import owing, people, personnel, world
from lipei.store import models


@dataclass(frozen=True, slots=True)
class SaveStaff:
    """A member of staff as an editor knows them. ``password`` is only said to give a new one."""

    code: str = said(length_max=40)
    name: str = said(length_max=80)
    roles: tuple[str, ...] = said((), choices=ROLES)
    unit: str = said(length_max=40)
    email: str = said(length_max=120)
    phone: str = said(length_max=40)
    skills: tuple[str, ...] = said(())
    regions: str = said(length_max=200)  # separated by commas
    languages: tuple[str, ...] = said((), choices=LANGUAGES)
    active: bool = said(True)
    username: str = said(length_max=150)
    password: str = said(length_max=120)


def on_record(staff_id: int) -> SaveStaff | None:
    """What is known of a member of staff, as the form starts with it; None for nobody."""
    row = models.Staff.objects.select_related("user").filter(id=staff_id).first()
    if row is None:
        return None
    return SaveStaff(
        code=row.code, name=row.name, roles=tuple(row.roles), unit=row.unit, email=row.email, phone=row.phone,
        skills=tuple(row.skills), regions=", ".join(row.regions), languages=tuple(row.languages), active=row.active,
        username=row.user.get_username() if row.user is not None else "",
    )  # fmt: skip


def save(command: SaveStaff, *, staff_id: int | None, actor: Actor, now: datetime) -> Refusal | int:
    """Add (``staff_id`` None) or change a member of staff and their sign-in, both or neither; answers with the id.

    Refused as by `people.save`, and for a code or sign-in name that is taken and a password that is easily guessed.
    """
    if not may(actor, "staff.edit"):
        return Refusal("refusal.not_permitted", "permission", {"permission": "staff.edit"})
    row = models.Staff.objects.select_related("user").filter(id=staff_id).first() if staff_id is not None else None
    if staff_id is not None and row is None:
        return Refusal("refusal.staff_unknown", "missing")
    codes = {**_wrong_record(command, row), **_wrong_sign_in(command, row)}
    if codes:
        return wrong(**codes)
    named = row.user.get_username() if row is not None and row.user is not None else ""
    sign_in = ("username",) if named != command.username else ()
    outcome = people.save(
        code=row.code if row is not None else command.code, fields=_fields(command), actor=actor, now=now,
        inside=lambda saved: _sign_in(command, saved), besides=(*sign_in, *(("password",) if command.password else ())),
    )  # fmt: skip
    return outcome if isinstance(outcome, Refusal) else int(outcome.id)


def _fields(command: SaveStaff) -> Mapping[str, Any]:
    names = ("code", "name", "phone", "email", "roles", "unit", "skills", "languages", "active")
    regions = tuple(part.strip() for part in command.regions.replace("，", ",").split(",") if part.strip())
    return {**{name: getattr(command, name) for name in names}, "regions": regions}


def _wrong_record(command: SaveStaff, row: Any | None) -> dict[str, str]:
    codes = {name: "refusal.required" for name in ("code", "name", "roles") if not getattr(command, name)}
    taken = models.Staff.objects.filter(code=command.code)
    if command.code and (taken if row is None else taken.exclude(id=row.id)).exists():
        codes["code"] = "refusal.people.code_taken"
    return codes


def _wrong_sign_in(command: SaveStaff, row: Any | None) -> dict[str, str]:
    user = row.user if row is not None else None
    if not command.username:
        return {"username": "refusal.required"} if command.password else {}
    taken = get_user_model().objects.filter(username=command.username)
    if (taken if user is None else taken.exclude(pk=user.pk)).exists():
        return {"username": "refusal.people.username_taken"}
    if user is None and not command.password:
        return {"password": "refusal.required"}
    if command.password:
        try:
            validate_password(command.password, user=user)
        except ValidationError:
            return {"password": "refusal.people.weak_password"}
    return {}


def _sign_in(command: SaveStaff, row: Any) -> None:
    """The account that goes with the record. Without a name there is none; a known one is kept but shut."""
    user = row.user
    if not command.username:
        if user is not None:
            user.is_active = False
            user.save(update_fields=["is_active"])
        return
    user = user or get_user_model()()
    user.username, user.is_active = command.username, command.active
    if command.password:
        user.set_password(command.password)
    user.save()
    if row.user_id is None:
        row.user = user
        row.save(update_fields=["user"])


def back(absence_id: int, *, actor: Actor, now: datetime) -> Refusal | None:
    """Somebody is back, or will not be away after all: the part of the absence that lies ahead is taken off.

    A team lead says so for their unit, a manager for everybody.
    """
    if not may(actor, "absences.edit"):
        return Refusal("refusal.not_permitted", "permission", {"permission": "absences.edit"})
    rows = models.Absence.objects.filter(id=absence_id, ends_at__gt=now)
    if "manager" not in actor.roles:
        rows = rows.filter(staff__unit=actor.unit)
    row = rows.first()
    if row is None:
        return Refusal("refusal.missing", "missing")
    this, gone = models.Absence.objects.filter(id=row.id), []
    with transaction.atomic():
        if row.starts_at >= now:
            this.delete()
            gone.append(owing.ABSENCE.called(row.id))
        else:
            this.update(ends_at=now)
        personnel.record(personnel.BACK, this, {"staff": row.staff_id}, actor=actor, now=now, gone=gone)
    world.forget_staff()
    return None
