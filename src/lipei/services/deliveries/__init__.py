"""Deliveries: every message owed leaves, once, and its fate is on record (norm 2.4.1).

A delivery's row goes through ``queued`` (to be sent when due), ``sending`` (a worker has it), ``asking`` (the provider
has it, or perhaps; to be asked about when due), and ends as ``sent``, ``delivered`` or ``failed``, or as ``overtaken``
where what it was to say is true no longer.

What a crash can do. The instant before an SMS is handed over, or mail that a later event can make void, its row says so
(`sent_at`). A worker killed earlier has sent nothing: the row is sent when its lease has run out. A worker killed between
handing over and recording leaves an outcome that nobody knows: the provider is asked. Mail, where nobody can be asked,
goes out once more under the same Message-ID, which mail readers show as one. Nothing is lost, and no SMS is sent twice on
suspicion.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db.models import Case as Either
from django.db.models import F, Q, Value, When

from lipei.domain import deliveries as patience
from lipei.domain import messages
from lipei.domain.claims import Case
from lipei.domain.events import Actor, Change, Event
from lipei.domain.rulebook import Rulebook
from lipei.gateways.channels import DeliveryReport, Inquiry, Receipt
from lipei.services import norms, unit_of_work
from lipei.services.amend import Busy, amend
from lipei.services.deliveries.composing import Composed, Stopped, addresses, compose, media, message_id, row_id
from lipei.services.deliveries.outlets import Outlet, outlet
from lipei.services.leases import LeaseLost, Watch, finish, hold_on, take
from lipei.store import aggregates, crypto, models
from lipei.store.aggregates import Loaded

__all__ = ["DELIVERIES", "media", "report", "work"]

DELIVERIES = Actor("system:deliveries", "deliveries")
BATCH = 10
"""Rows taken at once: few, so that those of a worker that dies wait for nobody long."""

_AS_TAKEN = {
    "state": Either(When(state="asking", then=F("state")), default=Value("sending")),
    "attempts": Either(When(state="asking", then=F("attempts")), default=F("attempts") + 1),
}
"""An attempt counts from when it is taken up: a message over which workers die is not tried for ever."""

SLOW_SECONDS = 2.0
"""A provider that takes longer and then was not to be reached, or says nothing, is left alone for the rest of a round."""

log = structlog.get_logger(__name__)


@dataclass
class Round:
    """One call of `work`: the instant it was given, how long it has lasted, and what was found to be down meanwhile."""

    now: datetime
    watch: Watch = field(default_factory=Watch)
    down: set[str] = field(default_factory=set)
    """Channels where nobody answers, and not at once: to wait for each message would keep all the others waiting."""


def work(*, now: datetime, limit: int) -> int:
    """Deal with up to ``limit`` deliveries that are due, urgent ones first; how many were dealt with."""
    assert not unit_of_work.in_transaction(), "the world outside is never spoken to inside a transaction"
    table, done, this = norms.current().jobs, 0, Round(now)
    while done < limit:
        rows = _taken(this, table.lease + this.watch.passed(), min(BATCH, limit - done))
        if not rows:
            break
        for row in rows:
            with norms.held():
                _deal_with(row, this)
        done += len(rows)
    return done


def _taken(this: Round, lease: timedelta, most: int) -> list[Any]:
    """Rows that are ours now: a one-time code or a duty call never stands behind the mail of a morning."""
    due = models.Delivery.objects.filter(state__in=("queued", "sending", "asking"), due_at__lte=this.now)
    rows: list[Any] = []
    if not due.exists():
        return rows
    for chosen in (due.filter(urgent=True), due):
        if len(rows) < most:
            rows += take(
                chosen.order_by("due_at", "id"), now=this.now, lease=lease, limit=most - len(rows), **_AS_TAKEN
            )
    return rows


def _deal_with(row: Any, this: Round) -> None:
    now = this.now
    try:
        loaded = aggregates.load(Case, row.stream_id)
        if loaded is None:
            finish(row, state="failed", reason="claim_gone", secret="")
        elif not row.channels:
            _give_up(row, loaded, "no_address", now)
        elif row.state == "asking":
            _ask(row, loaded, this)
        elif row.state == "sending" and row.sent_at is not None and not _outlet(row).repeatable:
            # Cut off between handing over and recording: ask, never repeat.
            _next(row, loaded, Receipt("unknown", reason="connection_lost"), Composed(()), now)
        else:
            _send(row, loaded, this)
    except (LeaseLost, Busy) as error:
        log.info("delivery left for another turn", delivery=row.id, why=str(error))
    except Exception:
        # One message that nobody foresaw must not keep the others: its lease runs out, and it is tried again.
        log.exception("delivery could not be dealt with", delivery=row.id, message=row.message)


def _outlet(row: Any) -> Outlet:
    settings = norms.current().settings
    name = settings[f"company_name_{settings.language_default.replace('-', '_')}"]
    return outlet(row.channels[row.position], sender_name=name)


def _send(row: Any, loaded: Loaded, this: Round) -> None:
    now, name = this.now, row.channels[row.position]
    morning = patience.may_leave(settings=norms.current().settings, now=now, urgent=row.urgent)
    if morning > now and row.sent_at is None:
        finish(row, state="queued", due_at=morning)
        return
    if name in this.down:
        _not_tried(row, loaded, this)
        return
    later = _voiding(row)
    # Mail whose worker was cut off may have left: it is not called void, it goes out once more.
    out = row.sent_at is not None or (row.state == "sending" and not _is_marked(row, later))
    later = None if out else later
    said = Event(row.event, row.part, row.facts or {})
    if row.event and not out and messages.overtaken(
        case=loaded.aggregate, event=said, message=row.message, table=norms.current().messages
    ):  # fmt: skip
        _overtaken(row, loaded, now, later)
        return
    try:
        composed = compose(row, loaded.aggregate, norms.current(), now=now)
    except Stopped as stop:
        if stop.code == "known_already" or (later is not None and later.exists()):
            _overtaken(row, loaded, now, later)
            return
        log.warning("message stopped", delivery=row.id, message=row.message, why=stop.code)
        if stop.code == "no_address":
            _fall_back(row, loaded, stop.code, now)
        else:
            _give_up(row, loaded, stop.code, now)
        return
    if not _leaves(row, this, later):
        _overtaken(row, loaded, now, later)
        return
    row.sent_at, row.attempts = now, row.attempts + 1
    channel = _outlet(row).channel
    began, receipts = time.monotonic(), []
    for message in composed.messages:
        receipts.append(channel.send(message, now=now))
        if receipts[-1].reason == "unreachable" and time.monotonic() - began > SLOW_SECONDS:
            this.down.add(name)
            break
    _next(row, loaded, _best(receipts), composed, now)


def _voiding(row: Any) -> Any | None:
    """The entries after the one that caused a message that make it void; None for a message that nothing makes void."""
    found = norms.current().messages.rows.get(row.message)
    if found is None or not found.void_by:
        return None
    after = models.Entry.objects.filter(stream_kind=row.stream_kind, stream_id=row.stream_id, sequence__gt=row.sequence)
    those = Q()
    for kind, part in messages.voids(row=found, event=row.event, part=row.part):
        those |= Q(kind=kind) if part is None else Q(kind=kind, part=part)
    return after.filter(those)


def _is_marked(row: Any, later: Any | None) -> bool:
    """Whether the row says the instant before its message is handed over: where it must not go twice, or may be void."""
    return later is not None or not _outlet(row).repeatable


def _leaves(row: Any, this: Round, later: Any | None) -> bool:
    """Mark that the message leaves now; False where ``later`` holds an entry that makes it void.

    Mark and question are one statement: what is in the journal by then is seen, what comes after comes too late. Only
    the holder of the lease asks, so that a message is sent or void, never both. Raises `LeaseLost`.
    """
    lease, ours = norms.current().jobs.lease, this.now + this.watch.passed()
    if _is_marked(row, later):
        # From here on a crash leaves an outcome that nobody knows.
        return hold_on(row, until=ours + lease, unless=later, sent_at=this.now)
    if row.leased_until - ours < lease / 2:
        # The rows before this one took long: its own lease begins anew, so that no other worker sends it beside us.
        hold_on(row, until=ours + lease)
    return True


def _overtaken(row: Any, loaded: Loaded, now: datetime, later: Any | None) -> None:
    """What the message was to say is true no longer: it is not sent, and that is on record, with the event that did it."""
    by = later.order_by("sequence").values_list("kind", flat=True).first() if later is not None else None
    _record(row, loaded, "notice.overtaken", now, {"state": "overtaken", "secret": ""}, by=by or "")


def _not_tried(row: Any, loaded: Loaded, this: Round) -> None:
    """An attempt that failed before it was made: another message found a moment ago that nobody answers."""
    row.attempts += 1
    _next(row, loaded, Receipt("failed", reason="unreachable", detail="not tried"), Composed(()), this.now)


def _best(receipts: Sequence[Receipt]) -> Receipt:
    """Of several readers' outcomes the one that decides: a role is told once anybody in it is."""
    order = ("accepted", "unknown", "failed", "rejected")
    return min(receipts, key=lambda receipt: order.index(receipt.outcome))


def _next(row: Any, loaded: Loaded, receipt: Receipt, composed: Composed, now: datetime) -> None:
    """Record an attempt and what comes next, by `domain.deliveries`."""
    one_reader = bool(row.party or row.staff_id is not None)
    policy = norms.current().jobs.channels[row.channels[row.position]]
    step = patience.after_attempt(
        outcome=receipt.outcome, attempts=max(row.attempts, 1), now=now, policy=policy, key=row.dedupe,
        can_inquire=one_reader and _outlet(row).channel.can_inquire, retry_after=receipt.retry_after,
    )  # fmt: skip
    if receipt.outcome == "accepted":
        body = "\n\n".join(dict.fromkeys(f"{m.subject}\n{m.text}".strip() for m in composed.messages))
        after = {"state": "asking", "due_at": step.at} if step.action == "inquire" else {"state": "sent"}
        body = _without(row.secret, body)
        columns = {
            **after,
            "provider_id": receipt.provider_id[:120],
            "body": body,
            "letter_digest": composed.letter_digest,
            "secret": "",
            "reason": "",
            "attempts": 0,
            "sent_at": now,
        }
        _record(
            row, loaded, "notice.sent", now, columns, letter_digest=composed.letter_digest,
            body_digest=crypto.digest(body, loaded.head.salt),
        )  # fmt: skip
    elif step.action == "inquire":
        finish(
            row,
            state="asking",
            due_at=step.at,
            attempts=0,
            sent_at=row.sent_at,
            provider_id=receipt.provider_id[:120],
            reason=receipt.reason,
        )
    elif step.action == "send":
        finish(row, state="queued", due_at=step.at, sent_at=None, reason=receipt.reason)
    else:
        _fall_back(row, loaded, receipt.reason, now)


def _without(secret: str, body: str) -> str:
    """What was really sent, for the record; a one-time code is nobody's record."""
    return body.replace(secret, "*" * len(secret)) if secret else body


def _ask(row: Any, loaded: Loaded, this: Round) -> None:
    rulebook, now, name = norms.current(), this.now, row.channels[row.position]
    if name in this.down:
        finish(row, due_at=now + rulebook.jobs.channels[name].inquire_after[0])  # not asked, so nothing is concluded
        return
    found = addresses(row, loaded.aggregate, rulebook, name)
    said = None
    if found:
        inquiry = Inquiry(message_id(row, found[0].key), found[0].to, row.sent_at or now, row.provider_id)
        began = time.monotonic()
        said = _outlet(row).channel.inquire(inquiry, now=now)
        if said is None and time.monotonic() - began > SLOW_SECONDS:
            this.down.add(name)
    _answered(row, loaded, said, now)


def _answered(row: Any, loaded: Loaded, said: DeliveryReport | None, now: datetime) -> None:
    policy = norms.current().jobs.channels[row.channels[row.position]]
    step = patience.after_inquiry(
        delivered=said.delivered if said else None, inquiries=row.attempts + 1, now=now, policy=policy, key=row.dedupe
    )
    if step.action == "done":
        at = (said.at if said else None) or now
        columns = {"state": "delivered", "delivered_at": at, "attempts": row.attempts + 1, "secret": ""}
        _record(row, loaded, "notice.delivered", now, columns, arrived_at=at)
    elif step.action == "inquire":
        finish(row, due_at=step.at, attempts=row.attempts + 1)
    else:
        _fall_back(row, loaded, "not_delivered", now)


def _fall_back(row: Any, loaded: Loaded, reason: str, now: datetime) -> None:
    """On to the next channel; after the last a person has to tell the customer."""
    following = patience.fallback(channels=row.channels, tried=row.channels[: row.position + 1])
    if following is None:
        _give_up(row, loaded, reason, now)
        return
    finish(
        row, state="queued", position=row.channels.index(following), attempts=0, sent_at=None, provider_id="",
        due_at=now, reason=reason,
    )  # fmt: skip


def _give_up(row: Any, loaded: Loaded, reason: str, now: datetime) -> None:
    _record(row, loaded, "notice.failed", now, {"state": "failed", "reason": reason, "secret": ""}, reason=reason)


def _record(row: Any, loaded: Loaded, kind: str, now: datetime, columns: Mapping[str, Any], **facts: Any) -> None:
    """The outcome in the claim's journal and on the row, in one transaction."""
    channel = row.channels[row.position] if row.channels else ""

    def decide(case: Case, rulebook: Rulebook) -> tuple[Event, ...]:
        heard = kind == "notice.sent" and row.party
        changes = (Change("claim", 0, {"last_told_at": now}),) if heard else ()
        said = {name: value for name, value in facts.items() if value}
        return (Event(kind, 0, {**_facts(row, case, channel), **said}, changes),)

    amend(
        row.stream_id, decide, actor=DELIVERIES, now=now, cause=f"delivery:{row.id}", loaded=loaded,
        inside=lambda: finish(row, **columns),
    )  # fmt: skip


def _facts(row: Any, case: Case, channel: str) -> dict[str, Any]:
    if row.party:
        whom: dict[str, Any] = {"to": "customer", "party": row.party}
    else:
        whom = {"to": "staff", **({"staff": row.staff_id} if row.staff_id is not None else {"role": row.role})}
    subject = row.event.partition(".")[0]
    about = case.of(subject).get(row.part) if subject in case.entities else None
    # An offer is about several heads of loss: the promises of the others are not kept by it.
    several = tuple(getattr(about, "exposures", ()))
    exposure = row.part if subject == "exposure" else getattr(about, "exposure", 0)
    heads = {"exposures": several} if len(several) > 1 else {"exposure": several[0] if several else exposure}
    letter = {"letter": row.letter} if row.letter else {}
    return {"delivery": row.id, "message": row.message, "channel": channel, **heads, **whom, **letter}


# --- the provider's word -------------------------------------------------------------------------------------


def report(channel: str, body: bytes, headers: Mapping[str, str], *, query: Mapping[str, str], now: datetime) -> int:
    """Take in a provider's delivery reports; how many concerned messages still open.

    Raises `gateways.channels.CallbackRefused` for a call that is not the provider's.
    """
    reports = outlet(channel, sender_name="").channel.parse_callback(body, headers, query=query)
    return sum(_reported(one, now) for one in reports)


def _reported(said: DeliveryReport, now: datetime) -> bool:
    number = row_id(said.message_id)
    named = Q(id=number) if number is not None else Q(provider_id=said.provider_id) & ~Q(provider_id="")
    rows = take(
        models.Delivery.objects.filter(named, state="asking", leased_until=None),
        now=now, lease=norms.current().jobs.lease, limit=1,
    )  # fmt: skip
    for row in rows:
        loaded = aggregates.load(Case, row.stream_id)
        if loaded is not None:
            _answered(row, loaded, said, now)
    return bool(rows)
