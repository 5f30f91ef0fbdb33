"""A surveyor's visits in their order: what is still to be looked at, where and when (norm 2.2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lipei.domain import lifecycle
from lipei.domain.events import Actor
from lipei.norms.texts import text, texts
from lipei.reads import masking, people
from lipei.store import models

LISTED_MAX = 100


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit that waits. ``person`` is masked; of ``place`` only numbers of people are."""

    number: str
    part: int
    at: datetime | None
    place: str
    remote: bool
    line: str
    loss_kind: str
    loss_name: str
    fast_lane: bool
    person: str


def sent_by(viewer: Actor, claim_id: int) -> frozenset[int]:
    """Which documents of a claim the viewer sent in person, as the journal has it: those they have seen already."""
    came = models.Entry.objects.filter(stream_kind="claim", stream_id=claim_id, kind="document.received")
    return frozenset(came.filter(actor=viewer.id).values_list("part", flat=True))


def mine(viewer: Actor, *, language: str) -> tuple[Visit, ...]:
    """The scheduled visits of the viewer on open claims, the earliest first. Three queries."""
    if viewer.staff_id is None:
        return ()
    waiting = models.Survey.objects.filter(surveyor=viewer.staff_id, state="scheduled").order_by("at", "id")
    surveys = list(waiting.values_list("aggregate_id", "part", "at", "place", "remote")[:LISTED_MAX])
    ids = {row[0] for row in surveys}
    claims = models.Claim.objects.filter(id__in=ids, state__in=lifecycle.OPEN)
    columns = ("id", "number", "line", "loss_kind", "fast_lane", "place")
    about = {row[0]: row for row in claims.values_list(*columns)}
    parties = people.customers_first(models.Party.objects.filter(aggregate_id__in=ids))
    persons = dict(reversed(parties.values_list("aggregate_id", "name")))
    found = []
    for claim_id, part, at, place, remote in surveys:
        if claim_id not in about:
            continue
        _, number, line, loss, fast, reported_place = about[claim_id]
        name = text(f"loss.{loss}", language) if f"loss.{loss}" in texts() else loss
        who = masking.name(persons.get(claim_id, ""))
        where = masking.free_text(place or reported_place)
        found.append(Visit(number, part, at, where, remote, line, loss, name, fast, who))
    return tuple(found)
