"""Policies against their register: each is as the last entry about it made it (docs/decisions/0017)."""

from __future__ import annotations

import orjson

from lipei.domain.registers import ID, PolicyRegister
from lipei.services.verify.comparing import Difference, Found
from lipei.store import models, policy_digests


def compare() -> Found:
    """No policy is altered, none is there that no import brought, and none is gone."""
    wanted = _wanted()
    if wanted is None:
        return  # the register has not begun
    for number, digest in policy_digests.there():
        said, sequence = wanted.pop(number, ("", 0))
        if not sequence:
            yield Difference("policies", f"policy {number}", "no import brought it")
        elif said != digest:
            yield Difference("policies", f"policy {number}", f"is not what entry {sequence} made of it")
    for number, (_, sequence) in wanted.items():
        yield Difference("policies", f"policy {number}", f"what entry {sequence} made is gone")


def _wanted() -> dict[str, tuple[str, int]] | None:
    """Number → digest and the last entry about it; None before the register has begun."""
    entries = models.Entry.objects.filter(stream_kind=PolicyRegister.kind, stream_id=ID).order_by("sequence")
    found: dict[str, tuple[str, int]] = {}
    sequence = 0
    for sequence, payload in entries.values_list("sequence", "payload").iterator(chunk_size=50):
        rows = orjson.loads(payload)["facts"].get("rows", {})
        found.update((number, (digest, sequence)) for number, digest in rows.items())
    return found if sequence else None
