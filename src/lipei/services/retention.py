"""Retention: personal data has an end (个保法19: no longer than needed; 保险法87: not shorter than the law asks).

When a claim has been closed for the years that the settings say, its private texts, files and search tokens go, and with
them the salt of its digests: nobody can tell any more what the digests stood for. What happened, when, by whom and for
how much stays in the journal, whose chain is as whole as before.

Files that went to the bank or came from it, and messages put into a folder, name people too: they go at the same age.
What the bank gateway needs in order not to pay twice holds no names, and stays.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from lipei.domain import lifecycle
from lipei.domain.claims import Case
from lipei.domain.events import Actor, Event, private_fields
from lipei.services import bank, documents, norms, one_by_one, unit_of_work
from lipei.services.unit_of_work import Stale, Write
from lipei.store import aggregates, claim_tokens, models

RETENTION = Actor("system:retention", "retention")
DONE = "claim.personal_data_erased"


WITH_NAMES = ("outbox", "read", "rejected")
"""Folders of the bank gateway whose files hold names and account numbers."""


def due(now: datetime, *, limit: int) -> list[int]:
    """Claims whose personal data has had its time, oldest first."""
    until = _kept_since(now)
    rows = models.Claim.objects.filter(state__in=lifecycle.ENDED, closed_at__lt=until, erased=False)
    return list(rows.order_by("closed_at").values_list("id", flat=True)[:limit])


def _kept_since(now: datetime) -> datetime:
    """What is older has had its time."""
    years = norms.current().settings.retention_years
    try:
        return now.replace(year=now.year - years)
    except ValueError:  # 29 February
        return now.replace(year=now.year - years, day=28)


def sweep(now: datetime, *, limit: int = 100) -> int:
    """Erase what is due; answers with the number of claims."""
    erase_files(now)
    waiting = due(now, limit=limit * 4)
    return one_by_one.each(waiting, lambda number: erase(number, now=now), work="retention", most=limit)


def erase_files(now: datetime) -> int:
    """Delete the bank's files and the folder's messages that have had their time; how many."""
    folders = [*(bank.folder() / name for name in WITH_NAMES), Path(settings.LIPEI_HOME) / "outbox"]
    until, erased = _kept_since(now), 0
    for path in (path for folder in folders for path in folder.rglob("*")):
        if path.is_file() and datetime.fromtimestamp(path.stat().st_mtime, UTC) < until:
            path.unlink(missing_ok=True)
            erased += 1
    return erased


def erase(stream_id: int, *, now: datetime) -> bool:
    """Erase one claim's personal data, once; False where somebody wrote to it meanwhile (the next sweep comes again)."""
    loaded = aggregates.load(Case, stream_id)
    if loaded is None:
        return False
    case: Case = loaded.aggregate
    letters = models.Delivery.objects.filter(stream_kind="claim", stream_id=stream_id).exclude(letter_digest="")
    digests = {d.digest for d in case.documents.values() if d.digest}
    digests |= set(letters.values_list("letter_digest", flat=True))

    def inside() -> None:
        for entity, part in Case.entities.items():
            private = private_fields(part)
            if private:
                key = {"id": stream_id} if entity == "claim" else {"aggregate_id": stream_id}
                indexes = {f"{n}_index": "" for n in ("phone", "id_number")} if entity == "party" else {}
                aggregates.TABLES["claim"][entity].objects.filter(**key).update(**dict.fromkeys(private, ""), **indexes)
        numbers = claim_tokens.of("claim", vars(case.claim))
        models.SearchToken.objects.filter(claim_id=stream_id).exclude(token__in=numbers).delete()
        models.Delivery.objects.filter(stream_kind="claim", stream_id=stream_id).update(body="", secret="")
        models.Claim.objects.filter(id=stream_id).update(erased=True)
        models.Stream.objects.filter(kind="claim", stream_id=stream_id).update(salt=b"")

    told = Event(
        DONE, 0, {"documents": len(digests), "parts": sum(len(case.of(e)) for e in case.entities if _private(e))}
    )
    try:
        unit_of_work.commit([Write(loaded, ((told, RETENTION),))], rulebook=norms.current(), now=now, inside=inside)
    except Stale:
        return False
    for digest in documents.unreferenced([*digests]):  # a claim that is kept may have the same file
        documents.kept().delete(digest)
    return True


def _private(entity: str) -> bool:
    return any(f.metadata.get("private") for f in fields(Case.entities[entity]))
