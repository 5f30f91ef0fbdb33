"""The files that went to the bank and came from it, for finance to look at; opening one is on record (norm part 4)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings

from lipei.domain.commands import Write
from lipei.domain.events import Actor, Event, Refusal
from lipei.domain.permissions import may
from lipei.domain.registers import BankRegister
from lipei.gateways.bank import BankBusy, shelf
from lipei.gateways.bank.interface import BankFile
from lipei.reads import finance
from lipei.services import actions, bank, personal_data, registers
from lipei.store import models

PERMISSION = "bank.files"


def speaks_in_files() -> bool:
    """Whether the bank is reached by files at all; the demonstration bank is not."""
    return str(settings.LIPEI_BANK_URL).startswith("files:")


def files() -> Sequence[tuple[BankFile, int]]:
    """The latest files, the newest first, each with how many of its orders the bank has answered; none where the bank is
    not reached by files."""
    found = shelf.files(bank.folder()) if speaks_in_files() else []
    said = answered(name for file in found for name in file.ids)
    return [(file, sum(name in said for name in file.ids)) for file in found]


def answered(ids: Iterable[str]) -> dict[str, str]:
    """The state of the bank's last answer on each of these orders: *done*, *unmatched*, *cleared*. One query."""
    rows = models.BankMessage.objects.filter(direction="in", message_id__in=list(ids)).order_by("id")
    return dict(rows.values_list("message_id", "state"))


@dataclass(frozen=True)
class Taken:
    """What became of a file that somebody put in: ``state`` is *read*, *known* (read before), *rejected* or *waiting*
    (the bank's folder is busy). Of the orders it names, how many answers fit, differ, say nothing final, or are not ours.
    """

    kind: str
    state: str
    matched: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    code: str = ""
    params: Mapping[str, str] = field(default_factory=dict)


def take(name: str, content: bytes, *, now: datetime) -> Taken:
    """Put a file of the bank into the inbox and read it at once. Raises OSError where it cannot be stored."""
    folder, kind = bank.folder(), shelf.kind(content)
    known = (folder / "read" / f"{hashlib.sha256(content).hexdigest()}.xml").exists()
    part = folder / "inbox" / f"{name}.part"
    part.write_bytes(content)
    part.rename(part.with_suffix(""))  # the gateway leaves .part files alone: it never reads half a file
    try:
        bank.collect(now=now)
    except BankBusy:
        return Taken(kind, "waiting")
    if (why := shelf.rejected(folder, name)) is not None:
        return Taken(kind, "rejected", code=why[0], params=why[1])
    named = shelf.answered(folder, content)
    said = answered(named)
    ours = set(models.Payment.objects.filter(end_to_end_id__in=named).values_list("end_to_end_id", flat=True))
    return Taken(
        kind, "known" if known else "read",
        matched=tuple(sorted(n for n in named if said.get(n) == "done")),
        differing=tuple(sorted(n for n in named if said.get(n) in ("unmatched", "cleared"))),
        open=tuple(sorted(n for n in named & ours if n not in said)),
        foreign=tuple(sorted(n for n in named - ours if n not in said)),
    )  # fmt: skip


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
    paid = finance.identified([row.message_id], models.Payment.objects, "aggregate_id").get(row.message_id, {})
    number = models.Claim.objects.filter(id=paid.get("aggregate_id")).values_list("number", flat=True).first()
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
