"""The consultations somebody is asked for: what waits for their opinion, what they said, what came of it (norm 2.2.3).

The votes of others are told as the page of the claim tells them: to whoever was asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lipei.domain import lifecycle
from lipei.domain.claims import Case
from lipei.domain.events import Actor
from lipei.norms.texts import text, texts
from lipei.reads import masking, people, scope
from lipei.store import models

WAITING_MAX = 100
CONCLUDED_MAX = 30
CONVENED = "consultation.convened"


@dataclass(frozen=True, slots=True)
class Vote:
    """One voice."""

    name: str
    vote: str
    amount_minor: int | None
    mine: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A consultation as whoever was asked sees it: words masked, ``version`` the length of the claim's journal.

    ``due_at`` is when the next promise of the claim breaks; ``missing`` are the names of those who were asked by name
    and have not spoken.
    """

    number: str
    part: int
    version: int
    question: str
    words: str
    loss_name: str
    currency: str
    fast_lane: bool
    due_at: datetime | None
    asked_at: datetime | None
    asked_by: str
    votes: tuple[Vote, ...]
    missing: tuple[str, ...]
    outcome: str
    conclusion: str
    concluded_at: datetime | None

    @property
    def spoken(self) -> bool:
        return any(vote.mine for vote in self.votes)


@dataclass(frozen=True, slots=True)
class Consultations:
    """Urgent and early ones first where something is to be done, the newest first where nothing is."""

    waiting: tuple[Asked, ...] = ()
    spoken: tuple[Asked, ...] = ()
    concluded: tuple[Asked, ...] = ()


def mine(viewer: Actor, *, language: str) -> Consultations:
    """What the viewer is or was asked. Seven queries."""
    if viewer.staff_id is None:
        return Consultations()
    asked = scope.asked(viewer.staff_id, "expert" in viewer.roles)
    open_ids = models.Claim.objects.filter(state__in=lifecycle.OPEN).values("id")
    running = list(asked.filter(state="convened", aggregate_id__in=open_ids).order_by("id")[:WAITING_MAX])
    done = list(asked.filter(state="concluded").order_by("-id")[:CONCLUDED_MAX])
    found = _told(running + done, viewer, language)
    first = sorted(found[: len(running)], key=lambda a: (not a.fast_lane, a.due_at is None, a.due_at, a.number))
    return Consultations(
        waiting=tuple(a for a in first if not a.spoken),
        spoken=tuple(a for a in first if a.spoken),
        concluded=tuple(found[len(running) :]),
    )


def _told(rows: Sequence[Any], viewer: Actor, language: str) -> list[Asked]:
    ids = {row.aggregate_id for row in rows}
    columns = ("id", "number", "loss_kind", "currency", "fast_lane", "due_at")
    claims = {c.id: c for c in models.Claim.objects.filter(id__in=ids).values_list(*columns, named=True)}
    versions = dict(models.Stream.objects.filter(kind=Case.kind, stream_id__in=ids).values_list("stream_id", "version"))
    entries = models.Entry.objects.filter(stream_kind=Case.kind, stream_id__in=ids, kind=CONVENED)
    convened = {
        (i, part): (at, actor)
        for i, part, at, actor in entries.values_list("stream_id", "part", "occurred_at", "actor")
    }
    persons: dict[int, list[str]] = {}
    for claim_id, name in models.Party.objects.filter(aggregate_id__in=ids).values_list("aggregate_id", "name"):
        persons.setdefault(claim_id, []).append(name)
    speakers = {o["expert"] for row in rows for o in row.opinions} | {e for row in rows for e in row.experts}
    staff = people.names(speakers | people.staff_ids(actor for _, actor in convened.values()))
    return [
        _asked(row, claims[row.aggregate_id], versions, convened, persons, staff, viewer, language)
        for row in rows
        if row.aggregate_id in claims
    ]


def _asked(
    row: Any, claim: Any, versions: Mapping[int, int], convened: Mapping[tuple[int, int], tuple[datetime, str]],
    persons: Mapping[int, Iterable[str]], staff: Mapping[int, str], viewer: Actor, language: str,
) -> Asked:  # fmt: skip
    at, by = convened.get((claim.id, row.part), (None, ""))
    spoken = {o["expert"] for o in row.opinions}
    masked = {
        name: masking.free_text(getattr(row, name) or "", persons.get(claim.id, ()))
        for name in ("question", "opinion_texts", "conclusion")
    }
    return Asked(
        number=claim.number, part=row.part, version=versions.get(claim.id, 0), question=masked["question"],
        words=masked["opinion_texts"],
        loss_name=text(f"loss.{claim.loss_kind}", language) if f"loss.{claim.loss_kind}" in texts() else claim.loss_kind,
        currency=claim.currency, fast_lane=claim.fast_lane, due_at=claim.due_at, asked_at=at,
        asked_by=people.actor_name(by, staff, language) if by else "",
        votes=tuple(
            Vote(staff.get(o["expert"], ""), o["vote"], o.get("amount_minor"), o["expert"] == viewer.staff_id)
            for o in row.opinions
        ),
        missing=tuple(staff.get(e, "") for e in row.experts if e not in spoken),
        outcome=row.outcome, conclusion=masked["conclusion"], concluded_at=row.concluded_at,
    )  # fmt: skip
