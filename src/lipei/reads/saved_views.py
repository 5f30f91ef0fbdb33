"""The saved views of a list, and what became of a step taken on several claims: each for the colleague whose it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lipei.domain.events import Actor
from lipei.store import models


@dataclass(frozen=True, slots=True)
class View:
    """A view: its name and the query of its address."""

    id: int
    name: str
    query: str
    default: bool


@dataclass(frozen=True, slots=True)
class Run:
    """A step that the reader took on several claims. ``outcomes`` as `services.bulk_actions` wrote them."""

    id: int
    action: str
    outcomes: tuple[Mapping[str, Any], ...]
    at: datetime
    undone_at: datetime | None


def of(viewer: Actor, page: str) -> tuple[View, ...]:
    """The reader's views of a list by name. One query."""
    rows = models.SavedView.objects.filter(staff_id=viewer.staff_id or 0, page=page).order_by("name", "id")
    return tuple(View(*row) for row in rows.values_list("id", "name", "query", "default"))


def run(viewer: Actor, run_id: int) -> Run | None:
    """A run of the reader's own, or None. One query."""
    rows = models.BulkRun.objects.filter(id=run_id, staff_id=viewer.staff_id or 0)
    row = rows.values_list("id", "action", "outcomes", "at", "undone_at").first()
    return None if row is None else Run(*row)
