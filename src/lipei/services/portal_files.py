"""The customer's files in both directions: papers and photos that come in, letters that go out (norm 2.2.2, 2.4.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core import signing

from lipei.domain import commands
from lipei.domain.claims import Case
from lipei.domain.events import Refusal
from lipei.gateways.uploads.partials import PartialUploads
from lipei.services import documents, letters, norms
from lipei.services.actions import Done
from lipei.services.portal import Visit, act, claim_seen, guarded, within_reach
from lipei.store import models


@dataclass(frozen=True, slots=True)
class Sent:
    """A file as the customer sent it: what it says it is has not been looked at."""

    name: str
    media_type: str
    data: BinaryIO


def partials() -> PartialUploads:
    """Uploads under way, and photos of a report that still needs a correction."""
    lifetime = timedelta(hours=norms.current().settings.upload_resume_hours)
    return PartialUploads(Path(settings.LIPEI_HOME) / "uploads", lifetime=lifetime)


@dataclass(frozen=True, slots=True)
class Received:
    """What became of files: the parts they are now, and each that was not taken by its name (empty: all of them)."""

    documents: tuple[int, ...] = ()
    refused: tuple[tuple[str, Refusal], ...] = ()


DISK_FULL = Refusal("refusal.upload_disk")


def receive(
    visit: Visit, files: Sequence[Sent], *, paper: int = 0, invoice_number: str = "", kept: str = "", now: datetime
) -> Received:  # fmt: skip
    """Take files of the customer, for a paper they were asked for or (0) for the claim as a whole.

    A file that is not taken stops no other. With an invoice number the files are taken first and then put to the paper
    together with it, for that is where an invoice used elsewhere is noticed; ``kept`` are those that an earlier call
    took and whose number was refused (see `keep`).
    """
    case = claim_seen(visit)
    if case is None or (paper and not within_reach(case, visit.party, "paper", "receive", paper)):
        return Received(refused=(("", Refusal("refusal.missing", "missing")),))
    before = _kept(visit, kept, paper)
    if not files and not before:
        return Received(refused=(("", Refusal("refusal.no_file", "fields", fields={"file": "refusal.no_file"})),))
    into = 0 if invoice_number or before else paper
    came, refused = list(before), []
    for file in files:
        done = _taken(visit, file, into, now=now)
        if isinstance(done, Refusal):
            refused.append((file.name, done))
            continue
        digest = _digest(file.data)
        came += [n for n, d in done.case.documents.items() if d.digest == digest and d.paper in (0, paper)]
    if into != paper and came:
        put = act(visit, "paper", "receive", paper, commands.Receive(tuple(came), invoice_number), now=now)
        if isinstance(put, Refusal):
            refused.append(("", put))
    return Received(tuple(dict.fromkeys(came)), tuple(refused))


def _taken(visit: Visit, file: Sent, paper: int, *, now: datetime) -> Refusal | Done:
    try:
        return documents.receive(
            visit.number, file.data, file_name=file.name, declared_type=file.media_type, actor=visit.actor, now=now,
            paper=paper,
        )  # fmt: skip
    except OSError:
        return DISK_FULL


_KEPT = "lipei.portal.kept"


def keep(visit: Visit, documents: Sequence[int], paper: int) -> str:
    """A token for files that are with the claim but not with their paper: its invoice number was refused, or is yet to come."""
    return signing.dumps([visit.number, visit.party, paper, [*documents]], salt=_KEPT)


def keep_with(visit: Visit, before: str, documents: Sequence[int], paper: int) -> str:
    """A token for these files and those of an earlier token, for the same paper."""
    return keep(visit, tuple(dict.fromkeys((*_kept(visit, before, paper), *documents))), paper)


def _kept(visit: Visit, token: str, paper: int) -> tuple[int, ...]:
    """The files of a token of `keep` for this very paper and party; none of any other."""
    try:
        *whose, documents = signing.loads(token, salt=_KEPT)
    except (signing.BadSignature, ValueError):
        return ()
    return tuple(documents) if paper and whose == [visit.number, visit.party, paper] else ()


def _digest(data: BinaryIO) -> str:
    found = hashlib.sha256()
    data.seek(0)
    while piece := data.read(_PIECE_BYTES):
        found.update(piece)
    data.seek(0)
    return found.hexdigest()


_PIECE_BYTES = 1 << 20


def letter(visit: Visit, name: str, *, event: str, part: int, language: str, now: datetime) -> bytes | None:
    """A letter as PDF: the very bytes that were sent, else made now from what this visit may read.

    None where it cannot be made (a missing glyph, a gap). An unverified visit gets the receipt, names masked.
    """
    case = claim_seen(visit)
    if case is None or not (visit.verified or name == "receipt"):
        return None
    sent = _sent(case, visit, name, event, part) if visit.verified else None
    if sent is not None:
        return sent
    return _printed(case, visit, name, event=event, part=part, language=language, now=now)


def _sent(case: Case, visit: Visit, name: str, event: str, part: int) -> bytes | None:
    """The latest letter of this kind that went to this party; None where none did."""
    rows = models.Delivery.objects.filter(
        stream_kind=Case.kind, stream_id=case.id, party=visit.party, letter=name, event=event, part=part
    )
    return letters.kept_bytes(case, rows.values_list("id", flat=True))


def _printed(
    case: Case, visit: Visit, name: str, *, event: str, part: int, language: str, now: datetime
) -> bytes | None:
    from lipei.gateways.letters import FontsMissing, MissingGlyph  # printing is heavy and seldom
    from lipei.services.deliveries import letters as printing
    from lipei.services.deliveries.words import Telling

    telling = Telling(
        guarded(case, visit), norms.current(), language, event=event, part=part, party=visit.party, now=now
    )
    try:
        return bytes(printing.pdf(name, telling, now=now))
    except (MissingGlyph, FontsMissing, ValueError):
        return None
