"""Writing to a register: one more entry at its end, and the rows that the entry owes, in one transaction.

The first entry of a register (``bank.begun``) names the rows that were there before it: what an older release wrote is
guarded from then on like anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from lipei.domain.events import Actor, Aggregate, Event
from lipei.domain.registers import ID, BankRegister, NormsRegister, PeopleRegister, PolicyRegister
from lipei.reads import rulebook
from lipei.services import owing, unit_of_work
from lipei.services.owing import Insert
from lipei.services.unit_of_work import Stale, Write
from lipei.store import aggregates, journal, models, policy_digests
from lipei.store.aggregates import Loaded

TRIES = 12
LIPEI = Actor("system:lipei", "lipei")

BEFORE: Mapping[str, Callable[[], Sequence[Any]]] = {
    BankRegister.kind: lambda: [models.BankMessage.objects.filter(direction="in", state="unmatched")],
    NormsRegister.kind: lambda: [models.NormVersion.objects.all()],
    PeopleRegister.kind: lambda: [kind.model.objects.all() for kind in owing.PEOPLE],
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
    kind = f"{register.kind}.begun"
    events = [(Event(kind, 0, facts), LIPEI) for facts in _facts(register)]
    write = Write(Loaded(register(id=ID), journal.new_head(register.kind, ID)), tuple(events))
    try:
        unit_of_work.commit([write], rulebook=rulebook.current(), now=now, cause=kind, owes=_there(register))
    except Stale:
        return  # somebody else has just begun it


def told(register: type[Aggregate], kind: str) -> Iterator[tuple[datetime, str, Mapping[str, Any]]]:
    """What a register says in entries of a kind, the newest first: when, who, and what; read as far as it is asked for."""
    entries = models.Entry.objects.filter(stream_kind=register.kind, stream_id=ID, kind=kind).order_by("-sequence")
    for at, by, payload in entries.values_list("occurred_at", "actor", "payload").iterator():
        yield at, by, journal.said(payload)[0]


def _facts(register: type[Aggregate]) -> list[Mapping[str, Any]]:
    """What the first entries say: policies are too many for one."""
    there = policy_digests.there() if register is PolicyRegister else iter(())
    return [{"rows": some} for some in iter(lambda: dict(islice(there, policy_digests.AT_ONCE)), {})] or [{}]


def _there(register: type[Aggregate]) -> dict[str, str]:
    found = BEFORE[register.kind]() if register.kind in BEFORE else ()
    return {name: digest for rows in found for name, digest in named(rows)}


def named(rows: Any) -> Iterator[tuple[str, str]]:
    """Rows by the names and digests under which entries name them."""
    kind = owing.BY_MODEL[rows.model]
    return (owing.owed(kind, kind.fixed, values) for values in rows.values_list(*kind.fixed))
