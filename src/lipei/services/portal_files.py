"""The customer's files in both directions: papers and photos that come in, letters that go out (norm 2.2.2, 2.4.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

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


def receive(
    visit: Visit, files: Sequence[Sent], *, paper: int = 0, invoice_number: str = "", now: datetime
) -> Refusal | Done:  # fmt: skip
    """Take files of the customer, for a paper they were asked for or (0) for the claim as a whole.

    With an invoice number the files are taken first and then put to the paper together with it, for that is where an
    invoice used elsewhere is noticed. Raises OSError where the disk is full; what came before is kept.
    """
    case = claim_seen(visit)
    if case is None or (paper and not within_reach(case, visit.party, "paper", "receive", paper)):
        return Refusal("refusal.missing", "missing")
    if not files:
        return Refusal("refusal.no_file", "fields", fields={"file": "refusal.no_file"})
    into = 0 if invoice_number else paper
    done: Refusal | Done = Done(case, ())
    for file in files:
        done = documents.receive(
            visit.number,
            file.data,
            file_name=file.name,
            declared_type=file.media_type,
            actor=visit.actor,
            now=now,
            paper=into,
        )
        if isinstance(done, Refusal):
            return done
    if not invoice_number or isinstance(done, Refusal):
        return done
    digests = {_digest(file.data) for file in files}
    came = tuple(n for n, d in done.case.documents.items() if d.digest in digests and d.paper in (0, paper))
    return act(visit, "paper", "receive", paper, commands.Receive(came, invoice_number), now=now)


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
