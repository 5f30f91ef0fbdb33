"""Saved views: a colleague's own ways of looking at a list, each a name for the query of an address.

Whoever keeps a view keeps it for themselves. What it asks for is checked when the page is opened, like any other
address: a view can name nothing that its owner may not see.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from lipei.domain.events import Actor, Refusal, wrong
from lipei.store import models

PAGES = ("worklist", "claims")
NAME_LENGTH_MAX = 40
QUERY_LENGTH_MAX = 1000
VIEWS_MAX = 30
"""So many views of one list: more would be found by nobody."""


def keep(*, page: str, name: str, query: str, default: bool, actor: Actor, now: datetime) -> Refusal | int:
    """Keep a view under a name; the same name again replaces it. With ``default`` the list opens with it from now on.

    Refused (fields): no name, a name or query that is too long, an unknown page, more than `VIEWS_MAX` views.
    """
    name = " ".join(name.split())
    if actor.staff_id is None:
        return Refusal("refusal.not_permitted", "permission", {"permission": "staff"})
    if page not in PAGES:
        return wrong(page="refusal.not_a_choice")
    if not name:
        return wrong(name="refusal.required")
    if len(name) > NAME_LENGTH_MAX or len(query) > QUERY_LENGTH_MAX:
        return wrong(name="refusal.too_long")
    mine = models.SavedView.objects.filter(staff_id=actor.staff_id, page=page)
    with transaction.atomic():
        if not mine.filter(name=name).exists() and mine.count() >= VIEWS_MAX:
            return wrong(name="refusal.views_too_many")
        if default:
            mine.filter(default=True).exclude(name=name).update(default=False)
        row, _ = models.SavedView.objects.update_or_create(
            staff_id=actor.staff_id, page=page, name=name,
            defaults={"query": query, "default": default, "created_at": now},
        )  # fmt: skip
    return int(row.id)


def remove(view_id: int, *, actor: Actor) -> Refusal | None:
    """Forget a view of one's own."""
    gone, _ = models.SavedView.objects.filter(id=view_id, staff_id=actor.staff_id or 0).delete()
    return None if gone else Refusal("refusal.unknown_part", "missing", {"part": str(view_id)})


def open_with(view_id: int, *, actor: Actor, default: bool) -> Refusal | None:
    """Let the list open with this view (or, with ``default`` false, as it comes)."""
    row = models.SavedView.objects.filter(id=view_id, staff_id=actor.staff_id or 0).first()
    if row is None:
        return Refusal("refusal.unknown_part", "missing", {"part": str(view_id)})
    with transaction.atomic():
        models.SavedView.objects.filter(staff_id=row.staff_id, page=row.page, default=True).update(default=False)
        if default:
            models.SavedView.objects.filter(id=view_id).update(default=True)
    return None
