"""Letters again: a PDF as it was sent with a message of the claim, for a colleague who may see personal data."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from lipei.domain.claims import Case
from lipei.domain.events import Actor, Refusal
from lipei.services import actions, documents, norms, personal_data
from lipei.store import aggregates, journal, models


def of_claim(number: str, letter: str, *, actor: Actor, now: datetime, delivery: int = 0) -> Refusal | bytes:
    """A letter of this kind on a claim: that of one message (``delivery``), else the latest. The very bytes that were
    sent where it was, else made from the claim as it stands. That it was looked at is recorded (it names people in full).

    Refused: out of scope, without the permission, not on this claim, or not to be printed (a glyph that no font carries).
    """
    seen = personal_data.see(number, actor=actor, now=now)
    if isinstance(seen, Refusal):
        return seen
    stream_id = actions.claim_id(number)
    loaded = aggregates.load(Case, stream_id) if stream_id is not None else None
    rows = models.Delivery.objects.filter(stream_kind=Case.kind, stream_id=stream_id or 0, letter=letter)
    row = (rows.filter(id=delivery) if delivery else rows.order_by("-id")).first()
    if loaded is None or row is None:
        return Refusal("refusal.missing", "missing")
    kept = kept_bytes(loaded.aggregate, (row.id,))
    if kept is not None:
        return kept
    from lipei.gateways.letters import FontsMissing, MissingGlyph  # printing is heavy and seldom
    from lipei.services.deliveries import letters
    from lipei.services.deliveries.words import Telling

    language = row.language or loaded.aggregate.claim.language
    telling = Telling(
        loaded.aggregate, norms.current(), language, event=row.event, part=row.part, facts=row.facts, party=row.party
    )
    try:
        return bytes(letters.pdf(letter, telling, now=row.sent_at or now))
    except (MissingGlyph, FontsMissing, ValueError, KeyError):
        return Refusal("refusal.letter_not_printable", "state")


def kept_bytes(case: Case, deliveries: Iterable[int]) -> bytes | None:
    """The letter that went out last with any of these messages, as it was sent; None where none did."""
    causes = [f"delivery:{number}" for number in deliveries]
    entries = models.Entry.objects.filter(
        stream_kind=Case.kind, stream_id=case.id, kind="notice.sent", cause__in=causes
    )
    found = (
        journal.said(body)[0].get("letter_digest", "")
        for body in entries.order_by("-sequence").values_list("payload", flat=True)
    )
    digest = next((str(digest) for digest in found if digest), "")
    if not digest or not documents.kept().has(digest):
        return None
    with documents.kept().open(digest) as data:
        return bytes(data.read())
