"""`lipei verify`: the journal replayed, and everything derived from it compared (house: the journal; norm part 4).

A list of small comparisons, each with a name and the place of what it found. Whatever was changed, removed, inserted or
put in another order behind the product's back shows in at least one of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef

from lipei.domain.claims import Case
from lipei.domain.registers import BankRegister, NormsRegister, PeopleRegister
from lipei.norms import loader
from lipei.norms.errors import NormError
from lipei.services import norms, seals
from lipei.services.verify import files, owed, policies, reading
from lipei.services.verify.comparing import BY_KIND, Count, Difference, chain, fold
from lipei.store import journal, models

__all__ = ["Difference", "Report", "differences", "run"]


@dataclass(frozen=True)
class Report:
    """What `run` came to. ``seconds`` is what it took."""

    entries: int
    streams: int
    differences: tuple[Difference, ...]
    seconds: float

    @property
    def clean(self) -> bool:
        return not self.differences


def run(*, now: datetime | None, progress: Callable[[int], None] | None = None) -> Report:
    """Compare everything. ``progress`` is told the number of entries compared so far; ``now`` as in `differences`."""
    began, count = time.perf_counter(), Count()
    found = tuple(differences(now=now, count=count, progress=progress))
    return Report(count.entries, count.streams, found, time.perf_counter() - began)


def differences(
    *, now: datetime | None, count: Count | None = None, progress: Callable[[int], None] | None = None
) -> Iterator[Difference]:
    """Every difference, with one state of the database before the eyes while others go on writing.

    Without ``now`` nobody can tell whether an idempotency key that is gone was merely forgotten in its time.
    """
    count = count or Count()
    with reading.snapshot():
        for whole in WHOLE:
            yield from whole()
        try:
            rulebook = norms.current()
        except NormError as error:  # altered so that nobody can read it: the rest is compared by what was shipped
            yield Difference("norms", "norm tables", f"cannot be read: {error}")
            rulebook = loader.rulebook({})
        owes = {
            Case.kind: (owed.Owed(now).compare, files.Files().compare),
            BankRegister.kind: (owed.register,),
            NormsRegister.kind: (owed.editions,),
            PeopleRegister.kind: (owed.people,),
        }
        for kind in reading.kinds():
            for chunk in reading.chunks(kind):
                found = chain(chunk, count)
                yield from (Difference(name, chunk.name(number), detail) for number, name, detail in found)
                yield from fold(chunk)
                for comparison in (*BY_KIND.get(kind, ()), *owes.get(kind, ())):
                    yield from comparison(chunk, rulebook)
                if progress is not None:
                    progress(count.entries)


# --- comparisons that are made once --------------------------------------------------------------------------


def guards() -> Iterator[Difference]:
    """The database itself refuses to alter what was written."""
    for table in journal.guards_missing():
        yield Difference("guards", table, "can be altered: its triggers are missing; `lipei migrate` puts them back")


def seal_chain() -> Iterator[Difference]:
    """Every seal's root over its heads and the root before."""
    previous = seals.EMPTY
    for seal in models.Seal.objects.order_by("id").iterator():
        heads = models.SealedHead.objects.filter(seal_id=seal.id).order_by("stream_kind", "stream_id")
        leaves = [
            seals.leaf(kind, number, version, bytes(head))
            for kind, number, version, head in heads.values_list("stream_kind", "stream_id", "version", "head")
        ]
        place = f"seal {seal.id} of {seal.at:%Y-%m-%d}"
        if bytes(seal.previous) != previous:
            yield Difference("seals", place, "does not follow the seal before")
        if len(leaves) != seal.streams or seals.root(bytes(seal.previous), seal.at, leaves) != bytes(seal.root):
            yield Difference("seals", place, "its root is not that of its heads")
        previous = bytes(seal.root)


def references() -> Iterator[Difference]:
    """What was acknowledged or is owed belongs to a claim that is there, and a claim to a policy that is."""

    def gone(column: str) -> Any:
        return ~Exists(models.Stream.objects.filter(kind="claim", stream_id=OuterRef(column)))

    for key, claim in models.IdempotencyKey.objects.filter(gone("claim_id")).values_list("key", "claim_id"):
        yield Difference("references", f"idempotency key {key}", f"was answered with claim {claim}, which is gone")
    owed = models.Delivery.objects.filter(gone("stream_id"), stream_kind="claim")
    for number, claim in owed.values_list("id", "stream_id"):
        yield Difference("references", f"delivery {number}", f"belongs to claim {claim}, which is gone")
    policy = models.Policy.objects.filter(id=OuterRef("policy_id"))
    insured = models.Claim.objects.filter(~Exists(policy), policy_id__isnull=False)
    for number, named in insured.values_list("number", "policy_number"):
        yield Difference("references", f"claim {number}", f"is of policy {named}, which is gone")
    there = models.Claim.objects.filter(number=OuterRef("claim_number"))
    held = models.Usage.objects.filter(~Exists(there), released=False)
    for number, claim in held.values_list("aggregate_id", "claim_number"):
        yield Difference("references", f"policy {number}", f"a limit is held by claim {claim}, which is gone")


WHOLE = (guards, seal_chain, references, owed.invented, policies.compare)
