"""Seals: once a day one root over every stream that changed, chained to the root before (house: the journal).

A root can be handed to an outsider. Whoever later alters an entry that was sealed would have to alter the root that
somebody else already holds. The root is that of a binary Merkle tree (RFC 6962: leaves and nodes are hashed apart, so
that no node can pass for a leaf), so that one stream's head can be proven under it without showing the others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from lipei.services import norms
from lipei.store import canonical, models

BULK = 1000
STREAMS_MAX = 50_000
"""Streams under one seal at most: what an import of years brings is sealed in several steps, each of them short."""
EMPTY = b""
LOCK = 0x4C69706569  # "Lipei": names the lock that is held while a seal is made (PostgreSQL)


def leaf(kind: str, stream_id: int, version: int, head: bytes) -> bytes:
    """The hash of one stream's head."""
    return hashlib.sha256(b"\x00" + canonical.dumps((kind, stream_id, version)) + b"\n" + head).digest()


def merkle(leaves: Sequence[bytes]) -> bytes:
    """The root of a tree over these leaves; an odd one goes up as it is. None at all has the hash of nothing."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    row = list(leaves)
    while len(row) > 1:
        paired = [hashlib.sha256(b"\x01" + a + b).digest() for a, b in zip(row[::2], row[1::2], strict=False)]
        row = paired + ([row[-1]] if len(row) % 2 else [])
    return row[0]


def root(previous: bytes, at: datetime, leaves: Sequence[bytes]) -> bytes:
    """The root that a seal carries: the tree's, the instant's and that of the seal before."""
    body = previous + b"\n" + canonical.stamp(at).encode() + b"\n" + merkle(leaves)
    return hashlib.sha256(b"\x02" + body).digest()


def daily(*, now: datetime) -> Any | None:
    """Seal what changed, if nothing was sealed yet on this day at the company's place; the last seal made or None.

    A seal that lies further ahead than a day was made while a clock ran wrong, and keeps no day from its own.
    """
    day = norms.current().settings.day
    last = models.Seal.objects.order_by("-id").values_list("at", flat=True).first()
    ahead = last is not None and last > now + timedelta(days=1)
    if last is not None and not ahead and day(last) >= day(now):
        return None
    made = seal(now=now)
    while made is not None and made.streams == STREAMS_MAX:
        following = seal(now=now)
        if following is None:
            break
        made = following
    return made


def seal(*, now: datetime) -> Any | None:
    """Seal the heads that changed since the seal before; the seal, or None where none changed.

    A stream that somebody is writing to at this moment is left for the next seal: nobody waits for anybody.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                # Two workers make one seal, not two. A lock on the table would ask for rights that the role lacks.
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        changed = models.Stream.objects.filter(sealed_version__lt=F("version")).order_by("kind", "stream_id")
        if connection.features.has_select_for_update_skip_locked:
            changed = changed.select_for_update(skip_locked=True)
        heads = list(changed.values_list("kind", "stream_id", "version", "head")[:STREAMS_MAX])
        if not heads:
            return None
        last = models.Seal.objects.order_by("-id").first()
        previous = bytes(last.root) if last else EMPTY
        leaves = [leaf(kind, number, version, bytes(head)) for kind, number, version, head in heads]
        made = models.Seal.objects.create(
            at=now, previous=previous, root=root(previous, now, leaves), streams=len(heads)
        )
        models.SealedHead.objects.bulk_create(
            [
                models.SealedHead(seal=made, stream_kind=kind, stream_id=number, version=version, head=head)
                for kind, number, version, head in heads
            ],
            batch_size=BULK,
        )
        with connection.cursor() as cursor:
            cursor.execute(_MARK, [made.id])
    return made


# Never past what was sealed: a stream that moved meanwhile is sealed up to here and again tomorrow.
_MARK = """
UPDATE stream SET sealed_version = h.version FROM sealed_head h
WHERE h.seal_id = %s AND h.stream_kind = stream.kind AND h.stream_id = stream.stream_id
"""
