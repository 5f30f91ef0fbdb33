"""Writing to a register: one more entry at its end, and the rows that the entry owes, in one transaction.

The first entry of a register (``bank.begun``) names the rows that were there before it: what an older release wrote is
guarded from then on like anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from lipei.domain.events import Actor, Aggregate, Event
from lipei.domain.registers import ID, BankRegister, NormsRegister
from lipei.reads import rulebook
from lipei.services import owing, unit_of_work
from lipei.services.owing import Insert
from lipei.services.unit_of_work import Stale, Write
from lipei.store import aggregates, journal, models
from lipei.store.aggregates import Loaded

TRIES = 12
LIPEI = Actor("system:lipei", "lipei")

BEFORE: Mapping[str, Callable[[], Any]] = {
    BankRegister.kind: lambda: models.BankMessage.objects.filter(direction="in", state="unmatched"),
    NormsRegister.kind: lambda: models.NormVersion.objects.all(),
}
"""By register the rows that belong to it; one that is not here has none."""


def append(
    register: type[Aggregate], event: Event, *, actor: Actor, now: datetime, beside: Sequence[Insert] = (),
    inside: Callable[[], None] | None = None,
) -> None:  # fmt: skip
    """Append an entry with its rows; ``beside`` and ``inside`` as in `unit_of_work.commit`.

    Raises IntegrityError where a row is there already, `Stale` where others write all the time.
    """
    begin(register, now=now)
    for tried in range(1, TRIES + 1):
        head = aggregates.head(register.kind, ID)
        assert head is not None
        write = Write(Loaded(register(id=ID, version=head.version), head), ((event, actor),))
        try:
            unit_of_work.commit(
                [write], rulebook=rulebook.current(), now=now, cause=event.kind, beside=beside, inside=inside
            )
            return
        except Stale:
            if tried == TRIES:
                raise


def begin(register: type[Aggregate], *, now: datetime) -> None:
    """Begin a register that is not there yet, with what belongs to it already."""
    if aggregates.head(register.kind, ID) is not None:
        return
    event = Event(f"{register.kind}.begun", 0, {})
    write = Write(Loaded(register(id=ID), journal.new_head(register.kind, ID)), ((event, LIPEI),))
    try:
        unit_of_work.commit([write], rulebook=rulebook.current(), now=now, cause=event.kind, owes=_there(register))
    except Stale:
        return  # somebody else has just begun it


def _there(register: type[Aggregate]) -> dict[str, str]:
    if register.kind not in BEFORE:
        return {}
    rows = BEFORE[register.kind]()
    kind = owing.BY_MODEL[rows.model]
    return dict(owing.owed(kind, kind.fixed, values) for values in rows.values_list(*kind.fixed))
