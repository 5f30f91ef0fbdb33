"""What follows a decision of itself and must not be lost: rows written in its transaction.

Deliveries to customers and staff by the messages table, orders for the bank, webhooks to programs, tokens for search,
and the hints that lists are sorted by. Everything here is computed before the transaction begins and written by a
handful of statements.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType
from typing import Any

from django.db.models import Q

from lipei.domain import deliveries, messages
from lipei.domain.claims import Case
from lipei.domain.events import Actor, Event
from lipei.domain.rulebook import Rulebook
from lipei.services import owing, webhooks
from lipei.services.owing import INTENT, order_digest
from lipei.store import aggregates, claim_tokens, models
from lipei.store.aggregates import RowChange

CARRY_CODE = ("offer.code_sent",)
"""Events whose message carries the one-time code."""

DELIVERY = (
    "stream_kind", "stream_id", "sequence", "message", "party", "staff_id", "role", "channels", "position", "urgent",
    "letter", "language", "event", "part", "facts", "secret", "state", "due_at", "attempts", "leased_until",
    "provider_id", "reason", "body", "sent_at", "delivered_at", "dedupe",
)  # fmt: skip

ORDER = ("direction", "kind", "message_id", "digest", "at", "payments", "state", "leased_until", "detail")
"""The columns of a bank message. From here on `services/bank.py` owns it."""


class OrderLeaving(Exception):
    """A worker is handing the order to the bank at this very moment: whoever would stop it looks again in a moment."""


@dataclass
class Consequences:
    """Rows to be written with a decision."""

    deliveries: list[tuple[Any, ...]] = field(default_factory=list)
    orders: list[tuple[Any, ...]] = field(default_factory=list)
    stopped: list[str] = field(default_factory=list)
    """Digests of orders that a person says will not be paid: what has not left yet never leaves."""
    tokens: list[tuple[int, int]] = field(default_factory=list)
    renamed: dict[int, set[int]] = field(default_factory=dict)
    """Claims on which a name or number was corrected, with the tokens that are right now: no other is kept."""
    webhooks: list[Any] = field(default_factory=list)
    owes: dict[tuple[str, int], dict[int, dict[str, str]]] = field(default_factory=dict)
    """By stream and sequence what the entry names (`services.owing`)."""

    def write(self) -> None:
        """Write them, inside the decision's transaction. What is said once in a claim's life is not said again."""
        aggregates.insert_many(models.Delivery, DELIVERY, self.deliveries, ignore_known=True)
        aggregates.insert_many(models.BankMessage, ORDER, self.orders)
        aggregates.insert_many(models.SearchToken, ("token", "claim_id"), self.tokens, ignore_known=True)
        if self.webhooks:
            models.WebhookDelivery.objects.bulk_create(self.webhooks, ignore_conflicts=True)

    def forget_tokens(self) -> None:
        """Take away what nobody on a claim is called any more."""
        for claim, tokens in self.renamed.items():
            models.SearchToken.objects.filter(claim_id=claim).exclude(token__in=tokens).delete()

    def stop_orders(self, now: datetime) -> None:
        """Take back what has not left. Raises `OrderLeaving` for one that is in a worker's hands."""
        for digest in self.stopped:
            waiting = {"direction": "out", "digest": digest, "state": "queued"}
            stopped = models.BankMessage.objects.filter(
                Q(leased_until=None) | Q(leased_until__lte=now), **waiting
            ).update(state="void")
            if not stopped and models.BankMessage.objects.filter(**waiting).exists():
                raise OrderLeaving(digest)


def of(
    writes: Sequence[Any],
    *,
    rulebook: Rulebook,
    now: datetime,
    secret: str = "",
    owes: Mapping[str, str] = MappingProxyType({}),
) -> Consequences:
    """Everything that follows these writes. ``owes`` is what the first entry of the last of them owes besides."""
    found = Consequences()
    for write in writes:
        version = write.loaded.head.version
        numbers = range(version + 1, version + 1 + len(write.events))
        named = found.owes.setdefault((write.loaded.head.kind, write.loaded.head.stream_id), defaultdict(dict))
        if write is writes[-1]:
            named[numbers[0]].update(owes)
        if not isinstance(write.loaded.aggregate, Case):
            continue
        case: Case = write.after
        happened = [event for event, _ in write.events]
        for place, (number, (event, actor)) in enumerate(zip(numbers, write.events, strict=True), start=1):
            if event.kind in rulebook.messages.by_event:
                # Where much of a kind happens at once, each is told of as the case was then: the last paper is the last.
                several = sum(e.kind == event.kind for e in happened) > 1
                then = write.loaded.aggregate.after(happened[:place]) if several else case
                due = [*_deliveries(then, event, actor, number, rulebook, now, secret)]
                found.deliveries += due
                named[number].update(owing.owed(owing.DELIVERY, DELIVERY, one) for one in due)
        for event, actor in write.events:
            if event.kind == "payment.submitted":
                found.orders.append(_order(str(event.facts["end_to_end_id"]), now))
            elif event.kind == "payment.failed" and not actor.by_rule:
                found.stopped.append(order_digest(case.payments[event.part].end_to_end_id))
        if _renames(write):
            found.renamed[case.id] = _found_by(case)
        found.tokens += _tokens(case, write.events)
        found.webhooks += webhooks.due(case, [(n, e) for n, (e, _) in zip(numbers, write.events, strict=True)], now)
    return found


def _order(end_to_end_id: str, now: datetime) -> tuple[Any, ...]:
    return ("out", INTENT, end_to_end_id, order_digest(end_to_end_id), now, (end_to_end_id,), "queued", None, "")


def _deliveries(
    case: Case, event: Event, actor: Actor, sequence: int, rulebook: Rulebook, now: datetime, secret: str
) -> Iterable[tuple[Any, ...]]:
    due = messages.deliveries_for(
        case=case, event=event, stream=f"claim:{case.id}", sequence=sequence, table=rulebook.messages, now=now, by=actor
    )
    with_code = secret if event.kind in CARRY_CODE else ""
    for one in due:
        yield row(case, one, sequence, event.facts, rulebook, now, with_code)


def row(
    case: Case, due: messages.Due, sequence: int, facts: Any, rulebook: Rulebook, now: datetime, secret: str = ""
) -> tuple[Any, ...]:
    """A delivery's columns; quiet hours of the company's zone move what is not urgent."""
    due_at = deliveries.may_leave(settings=rulebook.settings, now=now, urgent=due.urgent)
    return (
        "claim", case.id, sequence, due.message, due.to.party or 0, due.to.staff, due.to.role, due.channels, 0,
        due.urgent, due.letter, due.language, due.event, due.part, facts, secret, "queued", due_at, 0, None, "", "",
        "", None, None, due.dedupe,
    )  # fmt: skip


def _tokens(case: Case, events: Sequence[tuple[Event, Any]]) -> list[tuple[int, int]]:
    """Search tokens of the names and numbers that these events put on the claim."""
    changes = (change for event, _ in events for change in event.changes)
    tokens = {token for change in changes for token in claim_tokens.of(change.entity, change.fields)}
    return [(token, case.id) for token in sorted(tokens)]


def _found_by(case: Case) -> set[int]:
    """The tokens of all that a claim is found by: its numbers, the names and phones of everybody on it."""
    parts = ((entity, part) for entity in claim_tokens.FOUND_BY for part in case.of(entity).values())
    return {token for entity, part in parts for token in claim_tokens.of(entity, vars(part))}


def _renames(write: Any) -> bool:
    """Whether a claim is no longer found by a name or number that it was found by."""
    before: Case = write.loaded.aggregate
    changes = (c for event, _ in write.events for c in event.changes if c.part in before.of(c.entity))
    return any(
        (known := getattr(before.of(c.entity)[c.part], n)) and (known != c.fields[n] or "policy_id" in c.fields)
        for c in changes
        for n in claim_tokens.FOUND_BY.get(c.entity, ())
        if n in c.fields
    )


def with_hints(changes: Iterable[RowChange], writes: Sequence[Any]) -> list[RowChange]:
    """The row changes, each claim's with the next promise to break: what the worklist is sorted by."""
    due = {w.loaded.aggregate.id: next_due(w.after) for w in writes if isinstance(w.loaded.aggregate, Case)}
    found, hinted = [], set()
    for change in changes:
        if change.kind == Case.kind and change.entity == "claim":
            hinted.add(change.stream_id)
            change = replace(change, columns={**change.columns, "due_at": due[change.stream_id]})
        found.append(change)
    found += [
        RowChange(Case.kind, "claim", number, 0, False, {"due_at": at})
        for number, at in due.items()
        if number not in hinted
    ]
    return found


def next_due(case: Case) -> datetime | None:
    """When the next running promise of a claim falls due, broken ones first.

    A team's target is for the average of many claims (norm 1.1): it promises nothing to anybody and presses no claim.
    """
    running = (c for c in case.clocks.values() if c.state == "running" and c.binds != "team")
    return min((c.due_at for c in running if c.due_at), default=None)
