"""Tokens by which a claim is found by part of what stands on it (docs/decisions/0006)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lipei.store import crypto

FOUND_BY: Mapping[str, tuple[str, ...]] = {
    "claim": ("number", "external_number", "policy_number"),
    "party": ("name", "phone"),
}
"""By kind of part, the columns of which a part is enough to find the claim."""


def of(entity: str, fields: Mapping[str, Any]) -> set[int]:
    """The tokens of what these fields of a part say. A policy on file is found by tokens of its own, once for all its claims."""
    on_file = ("policy_number",) if fields.get("policy_id") else ()
    said = (str(fields[name]) for name in FOUND_BY.get(entity, ()) if fields.get(name) and name not in on_file)
    if entity == "claim":
        return {token for number in said for token in crypto.number_tokens(number)}
    return crypto.search_tokens(*said)


def fill(claims: Any, model: Any) -> None:
    """Add the tokens of their numbers to these rows of claims, in one statement however many."""
    model.objects.bulk_create(
        [model(token=token, claim_id=pk) for pk, token in _pairs(claims)], batch_size=500, ignore_conflicts=True
    )


def _pairs(claims: Iterable[Any]) -> Iterable[tuple[int, int]]:
    for claim in claims:
        for token in sorted(of("claim", vars(claim))):
            yield claim.pk, token
