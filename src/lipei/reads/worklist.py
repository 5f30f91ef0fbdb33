"""Worklists: whose claims next, in the order in which promises would break (norm 2.3.1, 2.3.2).

Fast lane first, then by the next due time; claims without one last. Pages are cut by key, never by counting rows, so a
page costs the same on a thousand claims and on a million: each of the four stretches of the order (fast lane or not,
with a due time or without) is a range of one partial index. At most 6 queries.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from lipei.domain import lifecycle
from lipei.domain.claims import Case
from lipei.domain.events import Actor
from lipei.domain.permissions import view_scope
from lipei.norms.texts import text, texts
from lipei.reads import masking, people, scope, search
from lipei.reads.waiting import lies_with_customer
from lipei.store import models

LIMIT_MAX = 200
COUNTED_MAX = 300
"""How far a stretch of the worklist is counted: beyond that it is enough to know that there are more."""
WHOSE = ("mine", "unit", "all")
DUE = ("late", "today", "week", "later", "none")
"""When the next promise of a claim would break: already, before the day ends, within a week, after that, never."""
OPEN = Q(state__in=lifecycle.OPEN)


class BadCursor(ValueError):
    """A cursor that none of our lists gave out."""


@dataclass(frozen=True, slots=True)
class Horizon:
    """Where today and the week from today end in the company's zone, seen from now."""

    now: datetime
    today: datetime
    week: datetime

    @classmethod
    def of(cls, now: datetime, zone: ZoneInfo) -> Horizon:
        """Days and the week are counted by the calendar of the zone, from midnight to midnight."""
        local = now.astimezone(zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        return cls(now, midnight + timedelta(days=1), midnight + timedelta(days=7))

    def stretch(self, due_at: datetime | None) -> str:
        """Which of `DUE` a due time falls into."""
        if due_at is None:
            return "none"
        if due_at < self.now:
            return "late"
        return "today" if due_at < self.today else "week" if due_at < self.week else "later"

    def bounds(self, due: str) -> dict[str, Any]:
        """The same as a condition on ``due_at``."""
        found: dict[str, dict[str, Any]] = {
            "late": {"due_at__lt": self.now},
            "today": {"due_at__gte": self.now, "due_at__lt": self.today},
            "week": {"due_at__gte": self.today, "due_at__lt": self.week},
            "later": {"due_at__gte": self.week},
            "none": {"due_at__isnull": True},
        }
        return found[due]


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed by; None or empty: not at all."""

    state: str = ""
    line: str = ""
    loss_kind: str = ""
    lane: str = ""
    fast_lane: bool | None = None
    handler: int | None = None
    unassigned: bool = False
    unit: str = ""
    policy_number: str = ""
    external_number: str = ""
    suspicion: bool | None = None
    report_upwards: bool | None = None
    help_wanted: bool | None = None
    late: bool = False
    due: str = ""  # one of `DUE`
    horizon: Horizon | None = None  # what today and the week are; needed with ``due``
    due_before: datetime | None = None
    for_customer: bool = False  # papers are asked for or an offer lies with the customer
    reported_from: datetime | None = None
    reported_to: datetime | None = None
    q: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One claim in a list. ``person`` is the name of who reported, masked; ``version`` the journal's length as read."""

    id: int
    version: int
    number: str
    state: str
    state_name: str
    line: str
    loss_kind: str
    loss_name: str
    lane: str
    fast_lane: bool
    report_upwards: bool
    suspicion: bool
    help_wanted: bool
    handler: int | None
    handler_name: str
    unit: str
    currency: str
    estimate_minor: int
    reported_at: datetime | None
    loss_at: datetime | None
    closed_at: datetime | None
    outcome: str
    due_at: datetime | None
    promise: str
    promise_name: str
    late: bool
    person: str


@dataclass(frozen=True)
class Listed:
    """A page of a list and the cursor of the next one (empty: none)."""

    rows: tuple[Row, ...] = ()
    next_cursor: str = ""
    filters: Filters = field(default_factory=Filters)


def work(
    viewer: Actor,
    *,
    language: str,
    now: datetime,
    whose: str = "",
    filters: Filters = Filters(),
    limit: int = 50,
    cursor: str = "",
) -> Listed:
    """The open claims that wait for the viewer. Raises BadCursor.

    ``whose``: ``mine`` (handled by me, or my survey, opinion or acknowledgement is to come), ``unit`` or ``all`` that I
    see; empty: what fits the role.
    """
    rows = _narrowed(models.Claim.objects.filter(_whose(viewer, whose or usual(viewer)) & OPEN), filters, now)
    if filters.q:
        rows = rows.filter(id__in=search.claim_ids(filters.q, viewer=viewer))
    limit = max(1, min(limit, LIMIT_MAX))
    found: list[Any] = []
    for stretch in _stretches(rows, _read(cursor)):
        found += _shown(stretch)[: limit + 1 - len(found)]
        if len(found) > limit:
            break
    more = (
        _cursor(found[limit - 1].fast_lane, found[limit - 1].due_at, found[limit - 1].id) if len(found) > limit else ""
    )
    return Listed(tuple(_row(r, language, now) for r in found[:limit]), more, filters)


def counts(viewer: Actor, *, whose: str, horizon: Horizon) -> dict[str, int]:
    """How much waits for the viewer, by `DUE`.

    A figure beyond `COUNTED_MAX` means "more than that many": no stretch of the index is read further, so that it costs
    the same however many claims there are. One statement, after the at most one that finds what is put to the viewer.
    """
    rows = models.Claim.objects.filter(_whose(viewer, whose or usual(viewer)) & OPEN).order_by()
    asked, params = [], []
    for name in DUE:
        for fast in (True, False):
            part = rows.filter(fast_lane=fast, **horizon.bounds(name)).values("id")[: COUNTED_MAX + 1]
            statement, given = part.query.sql_with_params()
            asked.append(f"(SELECT COUNT(*) FROM ({statement}) AS counted)")
            params += given
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(asked)}", params)
        found = cursor.fetchone()
    return {name: found[2 * n] + found[2 * n + 1] for n, name in enumerate(DUE)}


def usual(viewer: Actor) -> str:
    """Whose work somebody usually looks at: their own, their unit's, or all."""
    if viewer.roles & {"handler", "surveyor", "expert"}:
        return "mine"
    return "unit" if viewer.roles & {"team_lead", "assessor"} else "all"


def _whose(viewer: Actor, whose: str) -> Q:
    if whose == "mine":
        ids = scope.waiting_for(viewer)
        mine = Q(handler=viewer.staff_id) if viewer.staff_id is not None else scope.NOTHING
        return mine | Q(id__in=ids) if ids else mine
    if whose == "unit" and viewer.unit and view_scope(viewer) in ("unit", "company"):
        alone = scope.units_of_nobody()  # all of it is in scope: a plain condition keeps to the index
        return Q(unit__in=(viewer.unit, *alone)) if alone else Q(unit=viewer.unit)
    return scope.claims(viewer)


def _stretches(rows: QuerySet, after: tuple[bool, datetime | None, int] | None) -> Iterator[QuerySet]:  # type: ignore[type-arg]
    """The four stretches of the order that are still ahead, each a range of the index."""
    fast, due_at, last = after or (True, None, 0)
    for stretch_fast in (True, False):
        for dated in (True, False):
            part = rows.filter(fast_lane=stretch_fast, due_at__isnull=not dated).order_by("due_at", "id")
            if after is not None:
                if (stretch_fast, dated) > (fast, due_at is not None):
                    continue
                if (stretch_fast, dated) == (fast, due_at is not None):
                    later = Q(due_at__gt=due_at) | Q(due_at=due_at, id__gt=last) if dated else Q(id__gt=last)
                    part = part.filter(later, due_at__gte=due_at) if dated else part.filter(later)
            yield part


# --- the list of all claims ------------------------------------------------------------------------------------------


def claims(
    viewer: Actor, *, language: str, now: datetime, filters: Filters = Filters(), limit: int = 50, cursor: str = ""
) -> Listed:
    """All claims that the viewer sees, the newest report first. Raises BadCursor."""
    rows = _narrowed(models.Claim.objects.filter(scope.claims(viewer), reported_at__isnull=False), filters, now)
    if filters.q:
        rows = rows.filter(id__in=search.claim_ids(filters.q, viewer=viewer))
    after = _key(cursor)
    if after is not None:
        at, last = after[1], after[2]
        rows = rows.filter(Q(reported_at__lt=at) | Q(reported_at=at, id__lt=last), reported_at__lte=at)
    limit = max(1, min(limit, LIMIT_MAX))
    found = _shown(rows.order_by("-reported_at", "-id"))[: limit + 1]
    shown = list(found)
    more = _cursor(False, shown[limit - 1].reported_at, shown[limit - 1].id) if len(shown) > limit else ""
    return Listed(tuple(_row(r, language, now) for r in shown[:limit]), more, filters)


def taken(viewer: Actor, *, since: datetime, language: str, now: datetime, limit: int = 50) -> tuple[Row, ...]:
    """The reports that the viewer took since then and may still see, the newest first. One query."""
    own = models.Entry.objects.filter(
        stream_kind=Case.kind, stream_id=OuterRef("id"), kind="claim.reported", actor=viewer.id
    )
    rows = models.Claim.objects.filter(scope.claims(viewer), Exists(own), reported_at__gte=since)
    return tuple(_row(r, language, now) for r in _shown(rows.order_by("-reported_at", "-id"))[:limit])


def _narrowed(rows: QuerySet, filters: Filters, now: datetime) -> QuerySet:  # type: ignore[type-arg]
    plain = ("state", "line", "loss_kind", "lane", "unit", "policy_number", "external_number")
    asked: dict[str, Any] = {name: getattr(filters, name) for name in plain if getattr(filters, name)}
    flags = ("fast_lane", "suspicion", "report_upwards", "help_wanted", "handler")
    asked |= {name: getattr(filters, name) for name in flags if getattr(filters, name) is not None}
    if filters.unassigned:
        asked["handler__isnull"] = True
    if filters.late:
        rows = rows.filter(due_at__lt=now)
    if filters.due_before is not None:
        rows = rows.filter(due_at__lt=filters.due_before)
    if filters.due and filters.horizon is not None:
        rows = rows.filter(**filters.horizon.bounds(filters.due))
    if filters.for_customer:
        rows = rows.filter(lies_with_customer())
    if filters.reported_from:
        asked["reported_at__gte"] = filters.reported_from
    if filters.reported_to:
        asked["reported_at__lt"] = filters.reported_to
    return rows.filter(**asked)


COLUMNS = (
    "id",
    "number",
    "state",
    "line",
    "loss_kind",
    "lane",
    "fast_lane",
    "report_upwards",
    "suspicion",
    "help_wanted",
    "handler",
    "unit",
    "currency",
    "estimate_minor",
    "reported_at",
    "loss_at",
    "closed_at",
    "outcome",
    "due_at",
)


def _shown(rows: Any) -> Any:
    """The columns of a list, with what stands in other tables looked up for the rows shown and no others."""
    promised = models.Clock.objects.filter(aggregate_id=OuterRef("id"), state="running").exclude(binds="team")
    clocks = promised.order_by("due_at", "part")
    person = people.customers_first(models.Party.objects.filter(aggregate_id=OuterRef("id")))
    staff = models.Staff.objects.filter(id=OuterRef("handler"))
    stream = models.Stream.objects.filter(kind=Case.kind, stream_id=OuterRef("id"))
    return rows.annotate(
        version=Subquery(stream.values("version")[:1]),
        promise=Subquery(clocks.values("promise")[:1]),
        person=Subquery(person.values("name")[:1]),
        handler_name=Subquery(staff.values("name")[:1]),
    ).values_list(*COLUMNS, "version", "promise", "person", "handler_name", named=True)


def _row(row: Any, language: str, now: datetime) -> Row:
    return Row(
        **{name: getattr(row, name) for name in COLUMNS},
        version=row.version or 0,
        state_name=text(f"state.claim.{row.state}", language),
        loss_name=_word("loss", row.loss_kind, language),
        handler_name=row.handler_name or "",
        promise=row.promise or "",
        promise_name=_word("promise", row.promise, language),
        late=row.state in lifecycle.OPEN and row.due_at is not None and row.due_at < now,
        person=masking.name(row.person or ""),
    )


def _word(prefix: str, code: str | None, language: str) -> str:
    key = f"{prefix}.{code}"
    return text(key, language) if code and key in texts() else code or ""


# --- cursors ---------------------------------------------------------------------------------------------------------


def _cursor(fast: bool, at: datetime | None, last: int) -> str:
    said = f"{int(fast)}|{at.isoformat() if at else ''}|{last}"
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def _key(cursor: str) -> tuple[bool, datetime, int] | None:
    found = _read(cursor)
    if found is None:
        return None
    if found[1] is None:
        raise BadCursor(cursor)
    return found[0], found[1], found[2]


def _read(cursor: str) -> tuple[bool, datetime | None, int] | None:
    if not cursor:
        return None
    try:
        said = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)).decode()
        fast, at, last = said.split("|")
        found = datetime.fromisoformat(at) if at else None
        if fast not in "01" or (found is not None and found.tzinfo is None) or not 0 <= int(last) < 2**63:
            raise BadCursor(cursor)
        return fast == "1", found, int(last)
    except (ValueError, UnicodeError, binascii.Error) as error:
        raise BadCursor(cursor) from error
