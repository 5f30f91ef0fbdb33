"""API tokens: programs sign in with a bearer token of which only a digest is kept.

A token has scopes: what it may be used for at all. A token that belongs to a member of staff acts as that person, with
their roles and under their name, so that maker and checker stay two people whatever the way they come in. A token that
belongs to nobody acts as a program (role ``program``).
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from lipei.domain.events import Actor, Refusal, wrong
from lipei.domain.permissions import may
from lipei.reads import rulebook
from lipei.services import personnel
from lipei.store import canonical, models

SCOPES = ("claims:read", "claims:write", "worklist:read", "documents:write", "webhooks:write", "metrics:read")
PREFIX = "lipei_"
NAME_LENGTH_MAX = 80


# Every call asks this: a queryset would cost as much as the rest of signing in.
_FIND = f"""
SELECT t.id, t.name, t.scopes, s.id, s.name, s.roles, s.unit, s.active, {rulebook.EDITS_COUNT},
{rulebook.SUBSCRIBED}
FROM api_token t LEFT JOIN staff s ON s.id = t.staff_id WHERE t.digest = %s AND t.revoked_at IS NULL
"""


@dataclass(frozen=True, slots=True)
class Token:
    """A token that was shown and holds. ``actor`` is who acts with it; ``program`` who reports with it."""

    id: int
    name: str
    scopes: frozenset[str]
    actor: Actor
    program: Actor


def make(
    name: str, scopes: Iterable[str], staff: str | None = None, *, now: datetime, by: Actor | None = None
) -> Refusal | str:
    """A new token; the answer is the only time that it is seen. ``staff`` is the code of the person it belongs to.

    ``by`` is who makes it (None: the operator at the command line). Refused: no or unknown scopes, a name that is
    taken, an unknown member of staff, and a member of staff other than ``by``: what acts under a person's name is made
    by that person, or by the operator at the command line.
    """
    if by is not None and not may(by, "tokens.edit"):
        return Refusal("refusal.not_permitted", "permission", {"permission": "tokens.edit"})
    name, wanted = name.strip(), tuple(sorted(set(scopes)))
    codes = {}
    if not name or len(name) > NAME_LENGTH_MAX:
        codes["name"] = "refusal.required" if not name else "refusal.too_long"
    elif models.ApiToken.objects.filter(name=name).exists():
        codes["name"] = "refusal.token_name_taken"
    if not wanted or set(wanted) - set(SCOPES):
        codes["scopes"] = "refusal.token_scope_unknown"
    person = models.Staff.objects.filter(code=staff, active=True).first() if staff else None
    if staff and person is None:
        codes["staff"] = "refusal.staff_unknown"
    if by is not None and person is not None and person.id != by.staff_id:
        codes["staff"] = "refusal.token_of_another"  # whoever makes tokens would act under every name
    if codes:
        return wrong(**codes)
    secret = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        row = models.ApiToken.objects.create(
            name=name, digest=digest(secret), scopes=wanted, staff=person, created_at=now
        )
        facts = {"token": row.id, "scopes": wanted, "staff": person.id if person is not None else None}
        personnel.record(personnel.TOKEN_MADE, models.ApiToken.objects.filter(id=row.id), facts, actor=by, now=now)
    return secret


def revoke(name: str, *, now: datetime, by: Actor | None = None) -> Refusal | None:
    """The token is good for nothing from now on."""
    if by is not None and not may(by, "tokens.edit"):
        return Refusal("refusal.not_permitted", "permission", {"permission": "tokens.edit"})
    row = models.ApiToken.objects.filter(name=name, revoked_at=None).first()
    if row is None:
        return Refusal("refusal.token_unknown", "missing", {"name": name})
    rows = models.ApiToken.objects.filter(id=row.id)
    with transaction.atomic():
        if rows.filter(revoked_at=None).update(revoked_at=now):
            personnel.record(personnel.TOKEN_REVOKED, rows, {"token": row.id}, actor=by, now=now)
    return None


def digest(secret: str) -> str:
    """What is kept of a token. It is long and random, so that a plain digest tells nothing (no salt, no stretching)."""
    return hashlib.sha256(secret.encode()).hexdigest()


def find(secret: str) -> Token | None:
    """The token of a secret; None where it is unknown, revoked, or its person no longer works here. One query."""
    if not secret.startswith(PREFIX):
        return None
    with connection.cursor() as cursor:
        cursor.execute(_FIND, [digest(secret)])
        row = cursor.fetchone()
    if row is None:
        return None
    number, name, scopes, staff, person_name, roles, unit, active, *counted = row
    rulebook.note(*counted)
    if staff is not None and not active:
        return None
    scopes = frozenset(canonical.loads(scopes))
    if staff is None:
        program = Actor(f"token:{number}", name, frozenset({"program"}))
        return Token(number, name, scopes, program, program)
    person = Actor(f"staff:{staff}", person_name, frozenset(canonical.loads(roles)), unit)
    program = Actor(f"token:{number}", name, person.roles, unit, on_behalf_of=person.id)
    return Token(number, name, scopes, person, program)
