"""Interest in a claim: a colleague shares a phone or identity number with one of its parties (norm part 4)."""

from __future__ import annotations

from lipei.domain.claims import Case
from lipei.store import crypto, models
from lipei.store.aggregates import normal


def indexes_of(case: Case) -> frozenset[str]:
    """Blind indexes of the parties' phones and identity numbers: what an interest is seen by."""
    found = {
        crypto.blind_index(name, normal(getattr(party, name)))
        for party in case.parties.values()
        for name in ("phone", "id_number")
    }
    return frozenset(found - {""})


def of_handler(case: Case) -> bool:
    """Whether the claim is with somebody who has an interest in it, as by a party that was added later. One query."""
    if case.claim.handler is None:
        return False
    rows = models.Staff.objects.filter(id=case.claim.handler).values_list("conflicts", flat=True)
    return any(not indexes_of(case).isdisjoint(conflicts) for conflicts in rows)
