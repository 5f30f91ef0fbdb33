"""What is on file before anything was asked: the policies that a caller may mean (norm 1.3.3, 2.1.1).

Enough is shown to confirm it with the caller, and no more: names, phones and accounts are masked, as everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from lipei.domain.events import Actor
from lipei.domain.permissions import may
from lipei.reads import masking, search
from lipei.store import crypto, models
from lipei.store.aggregates import normal

ROWS_MAX = 6
_NAME_LENGTH_MIN = 2


@dataclass(frozen=True, slots=True)
class OnFile:
    """One policy, to be recognised. ``things``: what is insured, masked; ``account``: where a payment would go, masked."""

    id: int
    number: str
    product: str
    insured: str
    phone: str
    things: tuple[str, ...]
    account: str
    in_force: bool
    ends_at: datetime


def matching(*, phone: str, plate: str, number: str, name: str, viewer: Actor, at: datetime) -> tuple[OnFile, ...]:
    """The policies that fit what is known, in force ones first: by number, plate and phone; by name, where none of these
    finds any, those on which somebody of that name has claimed. At most five queries."""
    if not may(viewer, "policies.see"):
        return ()
    ways = []
    if number.strip():
        ways.append(Q(number=number.strip()))
    for field, said in (("plate", plate), ("phone", phone)):
        if normal(said):
            ways.append(Q(**{f"{field}_index": crypto.blind_index(field, normal(said))}))
    found = _found(ways)
    if not found and len(name.strip()) >= _NAME_LENGTH_MIN:
        claims = search.claim_ids(name, viewer=viewer)[: ROWS_MAX * 4]
        ids = models.Claim.objects.filter(id__in=claims, policy_id__isnull=False).values_list("policy_id", flat=True)
        found = _found([Q(id__in=list(ids))])
    rows = (shown(row, at) for row in found)
    return tuple(sorted(rows, key=lambda one: not one.in_force)[:ROWS_MAX])


def _found(ways: Iterable[Q]) -> list[Any]:
    # One question per way, each served by its own index.
    rows = {row.id: row for way in ways for row in models.Policy.objects.filter(way).order_by("-ends_at")[:ROWS_MAX]}
    return list(rows.values())


def shown(row: Any, at: datetime) -> OnFile:
    """A policy row as it is shown."""
    objects = json.loads(row.insured_objects or "[]")
    return OnFile(
        id=row.id,
        number=row.number,
        product=row.product,
        insured=masking.name(row.insured_name),
        phone=masking.phone(row.phone),
        things=tuple(thing for one in objects if (thing := _thing(one, row.insured_name))),
        account=masking.account(row.account_number) if row.account_number else "",
        in_force=row.starts_at <= at < row.ends_at,
        ends_at=row.ends_at,
    )


def _thing(one: dict[str, str], insured: str) -> str:
    """A plate by its ends, an address by its beginning, a person as a person."""
    said = str(one.get("identifier") or "")
    if not said or said == insured:
        return ""
    if one.get("kind") == "person":
        return masking.name(said)
    return f"{said[:2]}***{said[-2:]}" if len(said) <= 10 else f"{said[:6]}***"
