"""Signs of life: when a worker was last at work, when the last backup and the last comparison were made.

Small facts about the installation, no facts of a claim: they are not journaled, and what they say is never relied on.
"""

from __future__ import annotations

from datetime import datetime

from django.db import DatabaseError

from lipei.reads.health import SIGN, SIGNS
from lipei.store import models


def note(what: str, *, now: datetime, good: bool = True) -> bool:
    """Keep that this was done just now (``good``: and went well). Whether it could be kept: a database that may only be
    read keeps the work itself from nobody.
    """
    assert what in SIGNS, what
    try:
        models.CompanyState.objects.update_or_create(
            key=f"{SIGN}{what}", defaults={"value": {"at": now.isoformat(), "good": good}}
        )
    except DatabaseError:
        return False
    return True
