"""Noting who has a claim open, so that two people at one claim see each other. Kept in a table of its own, never journaled."""

from __future__ import annotations

from datetime import datetime, timedelta

from lipei.domain.events import Actor
from lipei.store import models

AGAIN_AFTER = timedelta(seconds=15)
"""A row younger than this is not written again: many open tabs of one person cost one write."""
FORGOTTEN_AFTER = timedelta(hours=1)


def note(claim_id: int, *, actor: Actor, now: datetime) -> None:
    """Put down that a member of staff has a claim open now. One query where that was noted just before, else two."""
    staff_id = actor.staff_id
    if staff_id is None:
        return
    mine = models.Presence.objects.filter(claim_id=claim_id, staff_id=staff_id)
    at = mine.values_list("at", flat=True).first()
    if at is not None and at > now - AGAIN_AFTER:
        return
    models.Presence.objects.update_or_create(claim_id=claim_id, staff_id=staff_id, defaults={"at": now})
    if at is None:  # a claim was opened anew: the moment to forget old rows, wherever they are
        models.Presence.objects.filter(at__lt=now - FORGOTTEN_AFTER).delete()
