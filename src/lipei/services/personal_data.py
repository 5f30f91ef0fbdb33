"""Unmasking: personal data is shown whole only to who may see it, and every look is on record (norm part 4)."""

from __future__ import annotations

from datetime import datetime, timedelta

from lipei.domain.conduct import Happened, World
from lipei.domain.events import Actor, Event, Refusal
from lipei.domain.permissions import may
from lipei.reads import scope
from lipei.services import actions, norms
from lipei.services.actions import Done
from lipei.store import models
from lipei.store.aggregates import Loaded

KIND = "claim.personal_data_seen"
PERMISSION = "personal_data.see"


def see(number: str, *, actor: Actor, now: datetime, part: int = 0) -> Refusal | Done | None:
    """Record that somebody has a claim's personal data shown whole. ``part`` names one party; 0: the whole claim.

    None: it was recorded already and still holds (the setting ``unmask_minutes``). Refused without the permission, and
    for a claim out of the actor's scope (``missing``).
    """
    if not may(actor, PERMISSION):
        return Refusal("refusal.not_permitted", "permission", {"permission": PERMISSION})
    stream_id = actions.claim_id(number)
    if stream_id is None:
        return Refusal("refusal.claim_unknown", "missing", {"number": number})
    since = now - timedelta(minutes=norms.current().settings.unmask_minutes)
    if seen_since(stream_id, actor, part, since):
        return None

    def decide(loaded: Loaded, world: World) -> Refusal | Happened:
        case = loaded.aggregate
        if not scope.sees(case, actor):
            return Refusal("refusal.claim_unknown", "missing", {"number": number})
        if part and part not in case.parties:
            return Refusal("refusal.unknown_part", "missing", {"part": f"party {part}"})
        return ((Event(KIND, part, {"party": part}), actor),)

    return actions.change(stream_id, decide, subject="claim", action="see_personal_data", now=now)


def seen_since(stream_id: int, actor: Actor, part: int, since: datetime) -> bool:
    """Whether the actor has had this shown since then, as the journal has it."""
    rows = models.Entry.objects.filter(stream_kind="claim", stream_id=stream_id, kind=KIND, actor=actor.id)
    return rows.filter(part__in={0, part}, recorded_at__gte=since).exists()
