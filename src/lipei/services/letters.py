"""Letters again: a PDF as it was sent with a message of the claim, for a colleague who may see personal data."""

from __future__ import annotations

from datetime import datetime

from lipei.domain.claims import Case
from lipei.domain.events import Actor, Refusal
from lipei.services import actions, norms, personal_data
from lipei.store import aggregates, models


def of_claim(number: str, letter: str, *, actor: Actor, now: datetime) -> Refusal | bytes:
    """The latest letter of this kind on a claim. That it was looked at is recorded (it names people in full).

    Refused: out of scope, without the permission, never sent, or not to be printed (a glyph that no font carries).
    """
    seen = personal_data.see(number, actor=actor, now=now)
    if isinstance(seen, Refusal):
        return seen
    stream_id = actions.claim_id(number)
    loaded = aggregates.load(Case, stream_id) if stream_id is not None else None
    rows = models.Delivery.objects.filter(stream_kind=Case.kind, stream_id=stream_id or 0, letter=letter)
    row = rows.order_by("-id").first()
    if loaded is None or row is None:
        return Refusal("refusal.missing", "missing")
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
