"""What time alone brings about: promises that come close or break, offers that end, papers that are waited for.

Each sweep asks one indexed question for what is due and amends those claims one by one; its cost grows with what is
due, not with what is open. All of them may run late, twice, or on several workers at once, and say the same, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import Error as DatabaseTrouble
from django.db.models import Exists, OuterRef

from lipei.domain import commands, lifecycle, promises
from lipei.domain.claims import Case
from lipei.domain.events import Actor, Event
from lipei.domain.papers import awaited
from lipei.domain.rulebook import Rulebook
from lipei.gateways.uploads.media import DurableFiles
from lipei.norms import loader
from lipei.reads.waiting import papers_awaited
from lipei.services import actions, documents, editions, norms, one_by_one, portal_files, portal_limits
from lipei.services.actions import Done
from lipei.services.amend import Busy, amend
from lipei.store import aggregates, models

CLOCKS = Actor("system:clocks", "clocks")
PAPERS = Actor("system:papers", "papers")
BULK = 500
PARTS = 256
"""Folders of the media store, of which tidying looks through one in an hour for files that nobody refers to."""

log = structlog.get_logger(__name__)


def _amend_all(
    ids: Sequence[int], decide: Any, actor: Actor, now: datetime, cause: str, *, most: int | None = None
) -> int:  # fmt: skip
    """Amend claims one by one, up to ``most``; one that others keep busy, or that fails, is left for the next turn."""

    def one(number: int) -> int:
        try:
            return amend(number, decide, actor=actor, now=now, cause=cause) is not None
        except Busy as error:
            log.info("left for another turn", cause=cause, why=str(error))
            return 0

    return one_by_one.each(ids, one, work=cause, most=most)


# --- promises ------------------------------------------------------------------------------------------------


def clocks(*, now: datetime, limit: int) -> int:
    """Warn of promises that come close and record those that broke, at their due instant; how many claims changed.

    The stored times are hints: `promises.sweep` computes them anew before it says anything.
    """
    running = models.Clock.objects.filter(state="running", breached_at=None)
    due: dict[int, None] = {}
    for hint in ("due_at", "warn_at"):
        found = running.filter(**{f"{hint}__lte": now}).order_by(hint).values_list("aggregate_id", flat=True)
        due.update(dict.fromkeys(found[: limit * 4]))

    def decide(case: Case, rulebook: Rulebook) -> Sequence[Event]:
        return promises.sweep(case=case, promises=rulebook.promises, calendars=rulebook.calendars, now=now)

    return _amend_all(list(due), decide, CLOCKS, now, "clocks:sweep", most=limit)


# --- offers --------------------------------------------------------------------------------------------------


def offers(*, now: datetime, limit: int) -> int:
    """Let offers expire that nobody answered, and remind of those that wait; how many."""
    past = models.Offer.objects.filter(state="sent", expires_at__lte=now).order_by("expires_at")

    def expire(place: tuple[int, int]) -> int:
        number = models.Claim.objects.filter(id=place[0]).values_list("number", flat=True).first()
        done = actions.act(number or "", "offer", "expire", place[1], commands.Nothing(), actor=actions.OFFERS, now=now)
        return isinstance(done, Done)

    waiting = past.values_list("aggregate_id", "part")[: limit * 4]
    return one_by_one.each(waiting, expire, work="offers:expire", most=limit) + _remind_of_offers(now, limit)


def _remind_of_offers(now: datetime, limit: int) -> int:
    book = norms.current().settings
    # By the day of expiry, which is indexed: an offer is sent `offer_expiry_days` before it.
    left = timedelta(days=book.offer_expiry_days - book.offer_remind_days)
    waiting = models.Offer.objects.filter(
        ~Exists(_said("offer.reminded", part=OuterRef("part"))),
        state="sent", expires_at__gt=now, expires_at__lte=now + left,
        sent_at__lte=now - timedelta(days=book.offer_remind_days),
    )  # fmt: skip
    done = 0
    for stream_id, part in waiting.order_by("expires_at").values_list("aggregate_id", "part")[: limit * 4]:
        if done < limit:
            done += _amend_all([stream_id], _reminder_of(part), actions.OFFERS, now, "offers:remind")
    return done


def _said(kind: str, **more: Any) -> Any:
    """Whether the journal of the row's claim has an entry of this kind."""
    return models.Entry.objects.filter(stream_kind=Case.kind, stream_id=OuterRef("aggregate_id"), kind=kind, **more)


def _reminder_of(part: int) -> Callable[[Case, Rulebook], Sequence[Event]]:
    def decide(case: Case, rulebook: Rulebook) -> Sequence[Event]:
        offer = case.offers[part]
        if offer.state != "sent":
            return ()
        return (Event("offer.reminded", part, {"amount_minor": offer.amount_minor, "expires_at": offer.expires_at}),)

    return decide


# --- papers --------------------------------------------------------------------------------------------------


def papers(*, now: datetime, limit: int) -> int:
    """Remind customers, once, of papers asked for long enough ago (norm 2.2.2); how many."""
    since = now - timedelta(days=norms.current().settings.papers_remind_days)
    waiting = papers_awaited().filter(
        ~Exists(_said("claim.papers_reminded")),
        requested_at__lte=since,
        aggregate_id__in=models.Claim.objects.filter(state__in=lifecycle.OPEN).values("id"),
    )
    ids = list(dict.fromkeys(waiting.order_by("requested_at").values_list("aggregate_id", flat=True)[: limit * 8]))

    def decide(case: Case, rulebook: Rulebook) -> Sequence[Event]:
        missing = [case.papers[n] for n in awaited(case)]
        if not missing or case.claim.state not in lifecycle.OPEN:
            return ()
        due = [p.due_at for p in missing if p.due_at]
        facts = {"papers": tuple(p.code for p in missing), "due_at": min(due, default=None)}
        return (Event("claim.papers_reminded", 0, facts),)

    return _amend_all(ids, decide, PAPERS, now, "papers:remind", most=limit)


# --- tidying -------------------------------------------------------------------------------------------------


def tidy(*, now: datetime, limit: int) -> int:
    """Forget what nobody asks for any more: old idempotency keys, tries at claims, unfinished uploads, files that no claim
    refers to; how many.
    """
    book = norms.current().settings
    old = models.IdempotencyKey.objects.filter(at__lt=now - norms.current().jobs.key_keep)
    removed: int = models.IdempotencyKey.objects.filter(
        id__in=list(old.values_list("id", flat=True)[: limit * 10])
    ).delete()[0]
    removed += portal_limits.forget(now=now)
    lifetime = timedelta(hours=book.upload_resume_hours)
    if portal_files.partials().folder.exists():
        removed += portal_files.partials().sweep(now)
    if Path(settings.LIPEI_MEDIA).exists():
        files = DurableFiles(location=str(settings.LIPEI_MEDIA))
        removed += files.sweep(now=now, older_than=lifetime)
        # A part of the store at a time: all of it within some days, and no turn is long.
        part = f"{int(now.timestamp() // 3600) % PARTS:02x}"
        removed += files.collect(now=now, older_than=lifetime, unreferenced=documents.unreferenced, folders=part)
    return removed


# --- edits of promises and calendars -------------------------------------------------------------------------


@dataclass(frozen=True)
class Effect:
    """What saving an edit would do: how many claims and clocks it touches, and the first of them in full."""

    claims: int
    clocks: int
    breaks: int
    ends: int
    listed: tuple[promises.Difference, ...]


def preview(*, table: str, text: str, now: datetime, list_max: int = 200) -> Effect:
    """What an edit of promises or calendars would do to the open claims, before it is saved (norm 2.3.1).

    Raises NormError where the document makes no sense.
    """
    book = loader.checked(norms.edits_with(table, text), market=settings.LIPEI_MARKET)
    claims = clock_count = breaks = ends = 0
    listed: list[promises.Difference] = []
    for batch in open_cases():
        found = promises.preview(cases=batch, promises=book.promises, calendars=book.calendars, now=now)
        claims += len({one.claim for one in found})
        clock_count += len(found)
        breaks += sum(one.breaks for one in found)
        ends += sum(one.ends for one in found)
        listed += found[: list_max - len(listed)]
    return Effect(claims, clock_count, breaks, ends, tuple(listed))


def open_cases(after: int = 0) -> Iterator[list[Case]]:
    """Claims with open clocks in batches, by id: root, exposures and clocks only, which is what clocks depend on."""
    while True:
        waiting = models.Clock.objects.filter(state__in=("running", "paused"), aggregate_id__gt=after)
        ids = list(waiting.order_by("aggregate_id").values_list("aggregate_id", flat=True).distinct()[:BULK])
        if not ids:
            return
        yield _readable(ids)
        after = ids[-1]


def _readable(ids: Sequence[int]) -> list[Case]:
    """The claims of a batch, all at once; where one of them cannot be read, those that can."""
    try:
        return _cases(ids)
    except DatabaseTrouble:
        raise
    except Exception:
        found: list[Case] = []

        def read(number: int) -> int:
            found.extend(_cases([number]))
            return 1

        one_by_one.each(ids, read, work="clocks:read")
        return found


def _cases(ids: Sequence[int]) -> list[Case]:
    parts: dict[int, dict[str, dict[int, Any]]] = {number: {} for number in ids}
    claim = aggregates.names(Case.entities["claim"])
    for row in models.Claim.objects.filter(id__in=ids).values_list("id", *claim):
        parts[row[0]]["claim"] = {0: Case.entities["claim"](0, *row[1:])}
    for entity in ("exposure", "clock"):
        part = Case.entities[entity]
        model = aggregates.TABLES[Case.kind][entity]
        rows = model.objects.filter(aggregate_id__in=ids).order_by("aggregate_id", "part")
        for row in rows.values_list("aggregate_id", "part", *aggregates.names(part)):
            parts[row[0]].setdefault(entity, {})[row[1]] = part(*row[1:])
    return [Case(id=number, parts=found) for number, found in parts.items() if "claim" in found]


def recompute_all(*, now: datetime, reason: str) -> int:
    """Bring every open clock to the promises and calendars in force; how many claims changed.

    May be cut off and begun again: what is brought up already has nothing left to say.
    """
    book = norms.current()
    done = 0
    for batch in open_cases():
        touched = [
            case.id
            for case in batch
            if promises.recompute(case=case, promises=book.promises, calendars=book.calendars, now=now, reason=reason)
        ]

        def decide(case: Case, rulebook: Rulebook) -> Sequence[Event]:
            return promises.recompute(
                case=case, promises=rulebook.promises, calendars=rulebook.calendars, now=now, reason=reason
            )

        done += _amend_all(touched, decide, CLOCKS, now, "norms:edit")
    return done


def after_edits(*, now: datetime) -> int:
    """Recompute all clocks once after promises or calendars were edited, whoever edited them and however; how many.

    Which versions the clocks were last brought to is remembered only when all of them have been.
    """
    editions.keep_shipped(now=now)
    book = norms.current()
    versions = dict(book.versions)
    market = book.settings.market
    wanted: Any = {"promises": versions["promises"], "calendars": versions["calendars"], "market": market}
    shipped: Any = {"promises": 1, "calendars": 1, "market": market}
    row, _ = models.CompanyState.objects.get_or_create(key="clocks", defaults={"value": shipped})
    if row.value == wanted:
        return 0
    changed = "calendar_changed" if row.value.get("calendars") != wanted["calendars"] else "promise_changed"
    done = recompute_all(now=now, reason=changed)
    models.CompanyState.objects.filter(key="clocks").update(value=wanted)
    log.info("clocks brought to edited norms", claims=done, **{k: str(v) for k, v in wanted.items()})
    return done
