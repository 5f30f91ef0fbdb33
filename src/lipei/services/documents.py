"""Files that come in on a claim: looked at, kept under their digest, put to the paper or survey they belong to.

The bytes are kept before the event is written: a crash in between leaves bytes that nobody refers to, never an event
without its file. The same bytes sent twice to the same place are one document (a double click); seen on another claim
they are taken, and the journal names where.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from django.conf import settings

from lipei.domain import commands, conduct, lifecycle
from lipei.domain.claims import Case
from lipei.domain.conduct import Happened, World
from lipei.domain.events import Actor, Change, Event, Refusal
from lipei.domain.settings import Settings
from lipei.gateways.uploads import inspecting, media
from lipei.gateways.uploads.inspecting import Inspected, UploadRefusal
from lipei.reads import scope
from lipei.services import actions, norms
from lipei.services.actions import Done
from lipei.store import crypto, models
from lipei.store.aggregates import Loaded

RECEIVE = lifecycle.BY_ACTION["paper", "receive"]
"""Who may receive a paper may send a file in."""


@dataclass(frozen=True, slots=True)
class Capture:
    """When and where a photo was taken, as the phone that sends it says: believed where the file itself is silent."""

    taken_at: datetime | None = None
    latitude_microdegrees: int | None = None
    longitude_microdegrees: int | None = None


@cache
def store(location: str) -> media.MediaStore:
    """The store of a folder, sealed with the installation's key."""
    return media.MediaStore(media.DurableFiles(location=location), crypto.keys().media)


def kept() -> media.MediaStore:
    """Where this installation keeps its files."""
    return store(str(settings.LIPEI_MEDIA))


def unreferenced(digests: Sequence[str]) -> set[str]:
    """Which of these files no claim refers to, as a document or as a letter; a claim whose time is over refers to none."""
    kept = models.Claim.objects.filter(erased=False)
    documents = models.Document.objects.filter(digest__in=digests, aggregate_id__in=kept.values("id"))
    letters = models.Delivery.objects.filter(letter_digest__in=digests, stream_id__in=kept.values("id"))
    held = {*documents.values_list("digest", flat=True), *letters.values_list("letter_digest", flat=True)}
    return set(digests) - held


def receive(
    number: str,
    data: BinaryIO,
    *,
    file_name: str,
    declared_type: str,
    actor: Actor,
    now: datetime,
    paper: int = 0,
    survey: int = 0,
    capture: Capture = Capture(),
    digest: str = "",
) -> Refusal | Done:
    """Take a file for a claim, as part of a paper or survey where one is named.

    ``digest`` (SHA-256, hex; empty: unknown) is what the sender meant to send; other bytes are refused as damaged.
    Refused (``fields``: ``file``) for what is too large, of a kind that is not taken or not what it says; ``state`` for
    a paper that was accepted or waived; ``permission`` and ``missing`` as any action. Raises OSError where the disk is
    full.
    """
    stream_id = actions.claim_id(number)
    if stream_id is None:
        return Refusal("refusal.claim_unknown", "missing", {"number": number})
    book = norms.current()
    found = inspecting.inspect(
        data, file_name, declared_type, max_bytes=book.settings.upload_max_bytes, zone=ZoneInfo(book.settings.zone)
    )
    if isinstance(found, UploadRefusal):
        return Refusal(found.code, "fields", found.params, {"file": found.code})
    if digest and digest.lower() != found.digest:
        return Refusal("refusal.upload_damaged", "fields", {}, {"file": "refusal.upload_damaged"})
    inspected = _completed(found, capture)
    elsewhere = _seen_elsewhere(inspected.digest, stream_id)
    is_kept = False

    def decide(loaded: Loaded, world: World) -> Refusal | Happened:
        nonlocal is_kept
        case: Case = loaded.aggregate
        refusal = _refused(case, actor, paper, survey, inspected, world.rulebook.settings)
        if refusal is not None:
            return refusal
        if _known(case, inspected.digest, paper, survey) is not None:
            return ()
        if not is_kept:
            kept().put(data, digest=inspected.digest)
            is_kept = True
        return _received(case, inspected, paper, survey, elsewhere, actor, world, now)

    return actions.change(
        stream_id,
        decide,
        subject="paper",
        action="receive",
        command=commands.Receive(),
        now=now,
        cause="document.receive",
    )


def _completed(found: Inspected, capture: Capture) -> Inspected:
    """What the file says of when and where it was made, else what its sender says."""
    if found.taken_at is None:
        found = replace(found, taken_at=capture.taken_at)
    if found.latitude_microdegrees is None:
        found = replace(
            found,
            latitude_microdegrees=capture.latitude_microdegrees,
            longitude_microdegrees=capture.longitude_microdegrees,
        )
    return found


def _seen_elsewhere(digest: str, stream_id: int) -> str:
    """``claim number/part`` of the same bytes on another claim; empty where they are new."""
    row = (
        models.Document.objects.filter(digest=digest)
        .exclude(aggregate_id=stream_id)
        .order_by("id")
        .values_list("aggregate_id", "part")
        .first()
    )
    if row is None:
        return ""
    number = models.Claim.objects.filter(id=row[0]).values_list("number", flat=True).first()
    return f"{number}/{row[1]}"


def _refused(case: Case, actor: Actor, paper: int, survey: int, found: Inspected, limits: Settings) -> Refusal | None:
    if not scope.sees(case, actor):
        return Refusal("refusal.claim_unknown", "missing", {"number": case.claim.number})
    if not any(lifecycle.within(case, actor, s) for s in lifecycle.scopes(RECEIVE, actor)):
        return Refusal("refusal.not_permitted", "permission", {"permission": "paper.receive"})
    if paper and paper not in case.papers:
        return Refusal("refusal.unknown_part", "missing", {"part": f"paper {paper}"})
    if survey and survey not in case.surveys:
        return Refusal("refusal.unknown_part", "missing", {"part": f"survey {survey}"})
    if paper and case.papers[paper].state in ("accepted", "waived"):
        return Refusal("refusal.not_possible_now", "state", {"state": f"paper.{case.papers[paper].state}"})
    total = sum(d.size_bytes for d in case.documents.values()) + found.size_bytes
    if len(case.documents) >= limits.upload_files_max or total > limits.upload_claim_max_bytes:
        return Refusal("refusal.upload_claim_full", "fields", {}, {"file": "refusal.upload_claim_full"})
    return None


def _known(case: Case, digest: str, paper: int, survey: int) -> int | None:
    """The part number of the same file in the same place."""
    same = (d.part for d in case.documents.values() if (d.digest, d.paper, d.survey) == (digest, paper, survey))
    return next(same, None)


def document_of(case: Case, digest: str, *, paper: int = 0, survey: int = 0) -> int | None:
    """Which document a file became."""
    return _known(case, digest, paper, survey)


def _received(
    case: Case, found: Inspected, paper: int, survey: int, elsewhere: str, actor: Actor, world: World, now: datetime
) -> Refusal | Happened:
    part = case.next_part("document")
    fields: Mapping[str, Any] = {
        "digest": found.digest,
        "media_type": found.media_type,
        "size_bytes": found.size_bytes,
        "file_name": found.file_name,
        "paper": paper,
        "survey": survey,
        "taken_at": found.taken_at,
        "latitude_microdegrees": found.latitude_microdegrees,
        "longitude_microdegrees": found.longitude_microdegrees,
        "received_at": now,
        "duplicate_of": elsewhere,
    }
    changes = [Change("document", part, fields)]
    waiting = paper and case.papers[paper].state in ("requested", "refused")
    if paper and not waiting:  # one more page of a paper that is already here
        changes.append(Change("paper", paper, {"uploads": (*case.papers[paper].uploads, part)}))
    facts = {
        "media_type": found.media_type,
        "size_bytes": found.size_bytes,
        "paper": paper,
        "survey": survey,
        "duplicate_of": elsewhere,
        "flags": found.flags,
    }
    came = Event("document.received", part, facts, tuple(changes))
    if not waiting:
        return ((came, actor),)
    followed = conduct.conduct(
        case=case.after([came]),
        subject="paper",
        action="receive",
        part=paper,
        command=commands.Receive(documents=(part,)),
        actor=actor,
        world=world,
        now=now,
    )
    return followed if isinstance(followed, Refusal) else ((came, actor), *followed)
