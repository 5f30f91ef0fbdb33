"""The demonstration company: whether this database holds it, and what the examples of the API may count on there."""

from __future__ import annotations

from lipei.domain import lifecycle
from lipei.store import models

KEY = "demonstration"
CODE = "1234567890"
"""One-time codes begin like this in a demonstration, as its passwords are known too; it is never served to others."""


def exists() -> bool:
    """Whether this database was filled by `services.demo`."""
    return models.CompanyState.objects.filter(key=KEY).exists()


def first_claim() -> str:
    """The number of the oldest claim that another may be linked to; empty outside a demonstration."""
    if not exists():
        return ""
    rows = models.Claim.objects.filter(state__in=(*lifecycle.OPEN, "closed")).order_by("id")
    return str(rows.values_list("number", flat=True).first() or "")
