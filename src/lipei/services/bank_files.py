"""The files that went to the bank and came from it, for finance to look at; opening one is on record (norm part 4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings

from lipei.domain.commands import Write
from lipei.domain.events import Actor, Event, Refusal
from lipei.domain.permissions import may
from lipei.domain.registers import BankRegister
from lipei.gateways.bank import shelf
from lipei.gateways.bank.interface import BankFile
from lipei.reads import finance
from lipei.services import actions, bank, personal_data, registers
from lipei.store import models

PERMISSION = "bank.files"


def speaks_in_files() -> bool:
    """Whether the bank is reached by files at all; the demonstration bank is not."""
    return str(settings.LIPEI_BANK_URL).startswith("files:")


def files() -> Sequence[BankFile]:
    """The latest files, the newest first; none where the bank is not reached by files."""
    return shelf.files(bank.folder()) if speaks_in_files() else ()


def opened(place: str, name: str, *, actor: Actor, now: datetime) -> Refusal | bytes:
    """A file as it is. It names people and their accounts: on every claim it speaks of, that they were seen is recorded.

    Refused without the permission, and (``missing``) for a file that is not there.
    """
    if not may(actor, PERMISSION):
        return Refusal("refusal.not_permitted", "permission", {"permission": PERMISSION})
    content = shelf.content(bank.folder(), place, name) if speaks_in_files() else None
    if content is None:
        return Refusal("refusal.missing", "missing")
    paid = models.Payment.objects.filter(end_to_end_id__in=shelf.orders(content)).values_list("aggregate_id")
    for number in models.Claim.objects.filter(id__in=paid).order_by("id").values_list("number", flat=True):
        seen = personal_data.see(number, actor=actor, now=now)
        if isinstance(seen, Refusal):
            return seen
    return content


def looked_at(message_id: int, text: str, *, actor: Actor, now: datetime) -> Refusal | None:
    """A person has cleared an answer of the bank up: what they found stands as a note on the claim, if it is on one.

    It moves no money and no state. Refused without the permission, without words, and where somebody was faster.
    """
    if not may(actor, PERMISSION):
        return Refusal("refusal.not_permitted", "permission", {"permission": PERMISSION})
    if not text.strip():
        return Refusal("refusal.reason_missing", "fields", fields={"text": "refusal.reason_missing"})
    row = models.BankMessage.objects.filter(id=message_id, direction="in", state=finance.DIFFERING).first()
    if row is None:
        return Refusal("refusal.missing", "missing")
    place = models.Payment.objects.filter(end_to_end_id=row.message_id).values_list("aggregate_id", flat=True).first()
    number = models.Claim.objects.filter(id=place).values_list("number", flat=True).first()
    if number is not None:
        done = actions.act(
            number, "claim", "add_note", 0, Write(f"{row.message_id}: {text.strip()}"), actor=actor, now=now,
            cause="bank.difference",
        )  # fmt: skip
        if isinstance(done, Refusal):
            return done
    cleared = Event("bank.answer_cleared", 0, {"digest": row.digest})

    def inside() -> None:
        models.BankMessage.objects.filter(id=row.id).update(state="cleared")

    registers.append(BankRegister, cleared, actor=actor, now=now, inside=inside)
    return None
