"""Editions of the norm tables: written once, for good, each with an entry in a register of their own (norm 1.4.3).

What a company began with is kept as its version 1 (of the tables that clocks name): a later release of the software may
ship other holidays or promises, and no date that was ever promised changes by it. What a release ships is offered, and
becomes a version like any other when somebody takes it.
"""

from __future__ import annotations

import hashlib
from datetime import datetime

from django.db import IntegrityError

from lipei.domain.events import Actor, Event, Refusal
from lipei.domain.registers import NormsRegister
from lipei.norms import loader
from lipei.services import norms, registers
from lipei.store import models

COLUMNS = ("table", "version", "document", "seeds", "default_digest", "author", "reason", "at")


def put(table: str, version: int, text: str, *, reason: str, actor: Actor, now: datetime) -> bool:
    """Write a version that makes sense; False where somebody has just written the same number."""
    shipped = loader.default_digest(table) if table != "products" else ""
    row = (table, version, text, loader.seeds(table, version, text), shipped, actor.id, reason, now)
    event = Event("norms.kept" if version == 1 else "norms.edited", 0, {"table": table, "version": version})
    try:
        registers.append(NormsRegister, event, actor=actor, now=now, beside=[(models.NormVersion, COLUMNS, [row])])
    except IntegrityError:
        return False
    return True


def keep_shipped(*, now: datetime) -> int:
    """Keep the shipped edition as version 1 of the tables that have none; how many were kept."""
    kept = models.NormVersion.objects.filter(version=1, table__in=loader.KEPT).values_list("table", flat=True)
    missing = [table for table in loader.KEPT if table not in kept]
    return sum(
        put(table, 1, loader.default_text(table), reason="shipped", actor=registers.LIPEI, now=now) for table in missing
    )


def offered() -> tuple[str, ...]:
    """The tables whose shipped edition is another one than the company's latest version was made from."""
    latest = dict(models.NormVersion.objects.order_by("version").values_list("table", "default_digest"))
    return tuple(t for t, digest in sorted(latest.items()) if t != "products" and digest != loader.default_digest(t))


def take(table: str, *, actor: Actor, now: datetime) -> Refusal | int:
    """Put the shipped edition in force as the next version; the number.

    Refused where the version in force is a manager's own: what to take over from the new edition, a person decides.
    """
    row = models.NormVersion.objects.filter(table=table).order_by("-version").first()
    if row is None or table not in offered():
        return Refusal("refusal.missing", "missing")
    if hashlib.sha256(row.document.encode()).hexdigest() != row.default_digest:
        return Refusal("refusal.edition_edited", "state", {"table": table})
    text = loader.default_text(table)
    refusal = norms.check(table, text)
    if refusal is not None:
        return refusal
    taken = put(table, row.version + 1, text, reason="shipped", actor=actor, now=now)
    return row.version + 1 if taken else Refusal("refusal.stale_table", "conflict", {"version": row.version + 1})
