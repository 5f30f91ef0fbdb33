"""The rulebook in force (`reads/rulebook.py`), and how a manager changes it: an edit holds from the next command on."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from lipei.domain import duty, permissions
from lipei.domain.events import Actor, Refusal
from lipei.domain.rulebook import Rulebook
from lipei.norms import loader
from lipei.norms.errors import NormError
from lipei.reads.rulebook import current, held, own
from lipei.services import roster
from lipei.store import models

__all__ = ["check", "current", "held", "save", "text_in_force"]


def text_in_force(table: str) -> tuple[int, str]:
    """Version and document of a table as it is in force."""
    row = models.NormVersion.objects.filter(table=table).order_by("-version").values_list("version", "document").first()
    return row or (1, loader.default_text(table) if table != "products" else "")


def versions(table: str) -> list[Any]:
    """Every version of a table that there is, as its domain value, the one in force last."""
    return loader.versions(table, own(table=table))


def edits_with(table: str, text: str) -> dict[str, list[tuple[int, str]]]:
    """Every edit in force and this one as if it were saved."""
    edits = own()
    versions = edits.setdefault(table, [])
    versions.append(((versions[-1][0] if versions else 1) + 1, text))
    return edits


def check(table: str, text: str) -> Refusal | None:
    """Whether a document could be saved: by itself, and beside all other tables. The refusal names the place."""
    try:
        loader.checked(edits_with(table, text), market=settings.LIPEI_MARKET)
    except NormError as error:
        return Refusal(error.code, "fields", error.params, {"document": error.code})
    return None


def tried(table: str, text: str) -> Rulebook:
    """The rulebook as it would be with a document. Raises NormError where it makes no sense."""
    return loader.rulebook(edits_with(table, text), market=settings.LIPEI_MARKET)


def roster_gap(text: str, now: datetime) -> Refusal | None:
    """Refuses a duty roster that leaves an hour of the days ahead without a person, the gap named (norm 2.3.3).

    Absences count: who is away covers nothing. Everybody named has to be able to answer.
    """
    book = tried("duty", text)
    table = book.duty
    calendar = book.calendars.current.get(table.calendar)
    if calendar is None:
        return Refusal("norm_error.table.unknown_code", "fields", {"place": "duty.calendar", "code": table.calendar})
    until = now + timedelta(days=book.settings.duty_roster_ahead_days)
    needed = duty.off_hours(calendar=calendar, starts=now, ends=until)
    return roster.refused(table.roster, needed, now)


def save(*, table: str, text: str, reason: str, seen_version: int, actor: Actor, now: datetime) -> Refusal | int:
    """Put a manager's document in force as the next version; answers with that version.

    Refused: without a reason, without the role, where it makes no sense, or where somebody saved another meanwhile.
    """
    if not permissions.may(actor, f"norm.{table}"):
        return Refusal("refusal.not_permitted", "permission", {"permission": f"norm.{table}"})
    if not reason.strip():
        return Refusal("refusal.reason_missing", "fields", fields={"reason": "refusal.reason_missing"})
    refusal = check(table, text) or (roster_gap(text, now) if table == "duty" else None)
    if refusal is not None:
        return refusal
    version, _ = text_in_force(table)
    if version != seen_version:
        return Refusal("refusal.stale_table", "conflict", {"version": version})
    from lipei.services import editions  # writing is seldom, and the write path itself asks for the rulebook

    if table in loader.KEPT:
        editions.keep_shipped(now=now)
    if editions.put(table, version + 1, text, reason=reason.strip(), actor=actor, now=now):
        return version + 1
    return Refusal("refusal.stale_table", "conflict", {"version": version + 1})
