"""Ending a session before its time: one's own, or that of somebody whose phone is lost (norm part 4, 1.4.3).

Who ended whose stands in the register of access. A session that was ended is signed out with its next request.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from allauth.usersessions.models import UserSession

from lipei.domain.events import Actor, Event, Refusal
from lipei.domain.permissions import may
from lipei.domain.registers import AccessRegister
from lipei.services import registers
from lipei.store import models

ENDED = "access.session_ended"
PERMISSION = "staff.edit"
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Ended:
    """A session that somebody ended: when, and the id of whoever did."""

    at: datetime
    by: str


def of(staff_id: int) -> list[Any]:
    """The sessions of a member of staff that are still good, the last used first."""
    user_id = models.Staff.objects.filter(id=staff_id).values_list("user_id", flat=True).first()
    if user_id is None:
        return []
    rows = [one for one in UserSession.objects.filter(user_id=user_id) if not one.purge()]
    return sorted(rows, key=lambda one: one.last_seen_at, reverse=True)


def ended(staff_id: int) -> tuple[Ended, ...]:
    """Those of theirs that somebody ended, the newest first. One query."""
    about = (Ended(at, by) for at, by, facts in registers.told(AccessRegister, ENDED) if facts.get("staff") == staff_id)
    return tuple(islice(about, SHOWN))


def end(session_id: int, *, staff_id: int, actor: Actor, now: datetime) -> Refusal | None:
    """End one session of a member of staff: their own, or with permission anybody's."""
    if actor.staff_id != staff_id and not may(actor, PERMISSION):
        return Refusal("refusal.not_permitted", "permission", {"permission": PERMISSION})
    row = next((one for one in of(staff_id) if one.pk == session_id), None)
    if row is None:
        return Refusal("refusal.missing", "missing")
    facts = {"staff": staff_id, "session": session_id}
    registers.append(AccessRegister, Event(ENDED, 0, facts), actor=actor, now=now, inside=row.end)
    return None
