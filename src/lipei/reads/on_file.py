"""What is on file before anything was asked: the policies that a caller may mean (norm 1.3.3, 2.1.1).

Enough is shown to confirm it with the caller, and no more: names, phones and accounts are masked, as everywhere.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from lipei.domain.events import Actor
from lipei.domain.permissions import may
from lipei.reads import masking, search
from lipei.store import crypto, models, policy_tokens
from lipei.store.aggregates import normal

ROWS_MAX = 6
_NAME_LENGTH_MIN = 2
_APART = re.compile(r"[\W_]+")
_HEAD = re.compile(r"([^\W\d_a-zA-Z][A-Za-z])(\w+)$")
"""The beginning of a mainland plate, province and city, and what follows."""


@dataclass(frozen=True, slots=True)
class OnFile:
    """One policy, to be recognised. ``things``: what is insured, masked; ``account``: where a payment would go, masked;
    ``last_at``: the last moment of its time."""

    id: int
    number: str
    product: str
    insured: str
    phone: str
    things: tuple[str, ...]
    account: str
    in_force: bool
    last_at: datetime


def matching(*, phone: str, plate: str, number: str, name: str, viewer: Actor, at: datetime) -> tuple[OnFile, ...]:
    """The policies that fit what is known, in force ones first: by number, plate and phone; where none of these finds any,
    by part of a plate (``沪A`` and the last digits) or name, or those on which somebody of that name has claimed. At most
    nine queries, however many policies there are."""
    if not may(viewer, "policies.see"):
        return ()
    ways = []
    if number.strip():
        ways.append(Q(number=number.strip()))
    for field, said in (("plate", plate), ("phone", phone)):
        if normal(said):
            ways.append(Q(**{f"{field}_index": crypto.blind_index(field, normal(said))}))
    found = _found(ways)
    for parts in (_of_plate(plate), name.split()):
        found = found or _by_part([part.lower() for part in parts])
    if not found and len(name.strip()) >= _NAME_LENGTH_MIN:
        claims = search.claim_ids(name, viewer=viewer)[: ROWS_MAX * 4]
        ids = models.Claim.objects.filter(id__in=claims, policy_id__isnull=False).values_list("policy_id", flat=True)
        found = _found([Q(id__in=list(ids))])
    rows = (shown(row, at) for row in found)
    return tuple(sorted(rows, key=lambda one: not one.in_force)[:ROWS_MAX])


def _of_plate(said: str) -> list[str]:
    """The parts of a plate that somebody remembers: ``沪A…345`` as well as ``沪A345`` and ``345``."""
    parts = _APART.split(said.strip())
    head = _HEAD.match(parts[0]) if len(parts) == 1 else None
    return [p for p in ((head[1], head[2]) if head else parts) if p]


def _by_part(parts: list[str]) -> list[Any]:
    """Policies with a name or plate that holds all the parts in their order: by tokens, then compared as real text."""
    tokens = [token for part in parts for token in crypto.tokens_of(part, crypto.PERSONAL_RUN)]
    ids = list(search.holding(models.PolicyToken, "policy_id", tokens)[: search.FOUND_MAX])
    wanted = re.compile(".*".join(re.escape(part) for part in parts))
    found = models.Policy.objects.filter(id__in=ids).order_by("-ends_at")
    return [row for row in found if any(wanted.search(_plain(text)) for text in policy_tokens.texts(row))][:ROWS_MAX]


def _plain(text: str) -> str:
    return "".join(_APART.split(text)).lower()


def _found(ways: Iterable[Q]) -> list[Any]:
    # One question per way, each served by its own index.
    rows = {row.id: row for way in ways for row in models.Policy.objects.filter(way).order_by("-ends_at")[:ROWS_MAX]}
    return list(rows.values())


def things(policy_id: int | None, *, whole: bool = False) -> tuple[str, ...]:
    """What a policy insures, beside the insured: plates, addresses, persons, masked unless ``whole``. One query."""
    row = (
        models.Policy.objects.filter(id=policy_id).only("insured_objects", "insured_name").first()
        if policy_id
        else None
    )
    if row is None:
        return ()
    objects = json.loads(row.insured_objects or "[]")
    if whole:
        return tuple(
            filter(None, (" ".join(filter(None, (o.get("identifier"), o.get("description")))) for o in objects))
        )
    return tuple(thing for one in objects if (thing := _thing(one, row.insured_name)))


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
        last_at=row.ends_at - timedelta(microseconds=1),
    )


def _thing(one: dict[str, str], insured: str) -> str:
    """A plate by its ends, an address by its beginning, a person as a person."""
    said = str(one.get("identifier") or "")
    if not said or said == insured:
        return ""
    if one.get("kind") == "person":
        return masking.name(said)
    return f"{said[:2]}***{said[-2:]}" if len(said) <= 10 else f"{said[:6]}***"
