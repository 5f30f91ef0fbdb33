"""Two people at one claim: who else has it open, and what changed since the version on the reader's screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import OuterRef, Subquery

from lipei.domain.claims import Case
from lipei.domain.events import Actor
from lipei.norms.texts import text
from lipei.reads import people, scope, timeline
from lipei.store import models

HERE_FOR = timedelta(minutes=1)
"""Whoever was heard of within this time has the claim open."""
NAMED_MAX = 5
QUIET = ("clock.", "notice.", "claim.personal_data_seen")
"""What happens of itself and changes nothing that a colleague would have to read."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One thing that somebody else did: its name and who."""

    name: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Pulse:
    """A claim's version now, and what others did since the version asked about: the newest of ``count``."""

    claim_id: int
    version: int
    count: int
    changed: tuple[Changed, ...]


def pulse(number: str, *, viewer: Actor, since: int | None, language: str) -> Pulse | None:
    """What changed on a claim since a version (None: nothing is asked); None where the viewer sees no such claim.

    At most four queries, and two while nothing changed.
    """
    version = models.Stream.objects.filter(kind=Case.kind, stream_id=OuterRef("id")).values("version")[:1]
    rows = models.Claim.objects.filter(scope.claims(viewer), number=number).annotate(now=Subquery(version))
    row = rows.values_list("id", "now").first()
    if row is None:
        return None
    claim_id, current = row[0], row[1] or 0
    if since is None or since >= current:
        return Pulse(claim_id, current, 0, ())
    entries = models.Entry.objects.filter(stream_kind=Case.kind, stream_id=claim_id, sequence__gt=since)
    said = entries.order_by("-sequence").values_list("kind", "actor", "occurred_at")
    others = [
        (kind, actor, at)
        for kind, actor, at in said
        if actor != viewer.id and not kind.startswith(QUIET) and timeline.visible(kind, viewer)
    ]
    staff = people.names(people.staff_ids(actor for _, actor, _ in others[:NAMED_MAX]))
    changed = tuple(
        Changed(text(f"event.{kind}", language), people.actor_name(actor, staff, language), at)
        for kind, actor, at in others[:NAMED_MAX]
    )
    return Pulse(claim_id, current, len(others), changed)


def others(claim_id: int, *, viewer: Actor, now: datetime) -> tuple[str, ...]:
    """The names of colleagues who have the claim open now, beside the viewer. One query."""
    here = models.Presence.objects.filter(claim_id=claim_id, at__gt=now - HERE_FOR).exclude(
        staff_id=viewer.staff_id or 0
    )
    rows = models.Staff.objects.filter(id__in=here.values("staff_id")).order_by("name")
    return tuple(rows.values_list("name", flat=True))
