"""A hold on the bank: after a backup was restored no order leaves until finance has looked (norm part 4: nothing is paid twice).

What happened between backup and restore is not on record any more, the bank's memory of it in our folder neither: an
order that waits here may be with the bank already. Both the hold and its release stand in the bank's register.
"""

from __future__ import annotations

from datetime import datetime

from lipei.domain.events import Actor, Event, Refusal
from lipei.domain.permissions import may
from lipei.domain.registers import ID, BankRegister
from lipei.services import registers
from lipei.store import models

HELD, RELEASED = "bank.held", "bank.released"
PERMISSION = "bank.files"


def since() -> datetime | None:
    """Since when orders wait; None where they leave. One query."""
    entries = models.Entry.objects.filter(stream_kind=BankRegister.kind, stream_id=ID, kind__in=(HELD, RELEASED))
    last = entries.order_by("-sequence").values_list("kind", "recorded_at").first()
    return last[1] if last and last[0] == HELD else None


def hold(*, now: datetime) -> None:
    """Let no order leave from now on."""
    registers.append(BankRegister, Event(HELD, 0, {}), actor=registers.LIPEI, now=now)


def release(*, actor: Actor, now: datetime) -> Refusal | None:
    """Orders leave again: a person of finance has compared them with the bank's own list. Refused where nothing is held."""
    if not may(actor, PERMISSION):
        return Refusal("refusal.not_permitted", "permission", {"permission": PERMISSION})
    if since() is None:
        return Refusal("refusal.missing", "missing")
    registers.append(BankRegister, Event(RELEASED, 0, {}), actor=actor, now=now)
    return None
