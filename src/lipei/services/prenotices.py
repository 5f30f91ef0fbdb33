"""Pre-notices: what a colleague of sales or service already knows of a customer or policy (norm 1.3.3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from lipei.domain.commands import said
from lipei.domain.events import Actor, Refusal, wrong
from lipei.domain.permissions import may
from lipei.store import crypto, models
from lipei.store.aggregates import normal


@dataclass(frozen=True, slots=True)
class Tell:
    """What to know, about a policy or a phone number."""

    text: str = said(long=True)
    policy_number: str = said(length_max=40)
    phone: str = said(length_max=40)


def tell(command: Tell, *, actor: Actor, now: datetime) -> Refusal | int:
    """Write a pre-notice; whoever takes the report sees it. It needs words, and a policy or a phone to be found by."""
    if not may(actor, "prenotices.write"):
        return Refusal("refusal.not_permitted", "permission", {"permission": "prenotices.write"})
    number = command.policy_number.strip()
    policy = models.Policy.objects.filter(number=number).first() if number else None
    codes: dict[str, str] = {}
    if not command.text.strip():
        codes["text"] = "refusal.text_missing"
    if number and policy is None:
        codes["policy_number"] = "refusal.policy_unknown"
    if not number and not normal(command.phone):
        codes["phone"] = "refusal.prenotice.about_whom"
    if codes:
        return wrong(**codes)
    phone = normal(command.phone)
    row = models.PreNotice.objects.create(
        policy=policy, phone_index=crypto.blind_index("phone", phone) if phone else "", text=command.text.strip(),
        author=actor.id, at=now,
    )  # fmt: skip
    return int(row.id)


def take_up(ids: Iterable[int], *, number: str) -> None:
    """Remember which claim a pre-notice came to; the first one stays."""
    models.PreNotice.objects.filter(id__in=list(ids), used_by="").update(used_by=number)
