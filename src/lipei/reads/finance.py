"""What finance has before it: money to let go, to send, unanswered, come back, answers that differ, money owed to us.

Norm 2.2.4: paid quickly once due. Oldest first everywhere; amounts are never added over currencies. Payees are masked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, F, OuterRef, Q, Subquery, Sum

from lipei.domain.claims import without_attempt
from lipei.domain.events import Actor
from lipei.reads import masking, payments, scope
from lipei.store import models

GROUPS: Mapping[str, tuple[str, ...]] = {
    # the group: the states of the payments in it; none for what are no payments
    "differences": (),
    "failed": ("failed",),
    "approve": ("ordered",),
    "send": ("approved",),
    "sent": ("submitted",),
    "recoveries": (),
}
"""In the order in which somebody should look at them: what went wrong first, then what waits for a hand."""
DIFFERING = "unmatched"
LIMIT_MAX = 200


@dataclass(frozen=True, slots=True)
class Total:
    """How many stand in a group, and their sum per currency in minor units."""

    n: int = 0
    sums: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """An answer of the bank that fits no payment as it stands; a person has to look at it.

    ``number`` is empty where no payment of ours has this identity. ``ordered_minor`` is what we ordered,
    ``said_minor`` what the bank says.
    """

    id: int
    end_to_end_id: str
    at: datetime
    status: str
    reason: str
    reference: str
    said_minor: int | None
    number: str = ""
    part: int = 0
    state: str = ""
    currency: str = ""
    ordered_minor: int | None = None

    @property
    def amount_differs(self) -> bool:
        return self.ordered_minor is not None and self.said_minor not in (None, self.ordered_minor)


@dataclass(frozen=True, slots=True)
class Owed:
    """Money that is to come back to us."""

    cursor: int
    number: str
    part: int
    kind: str
    debtor: str
    currency: str
    due_minor: int
    received_minor: int
    opened_at: datetime | None

    @property
    def open_minor(self) -> int:
        return self.due_minor - self.received_minor


def totals(viewer: Actor) -> Mapping[str, Total]:
    """Every group of `GROUPS` with its number and sums. At most four queries."""
    currency = _claims(viewer).values("currency")[:1]
    by_state: dict[str, dict[str, Any]] = {}
    rows = models.Payment.objects.filter(state__in=payments.MOVING).annotate(currency=Subquery(currency))
    rows = rows.filter(currency__isnull=False).values("state", "currency")
    for row in rows.annotate(n=Count("id"), minor=Sum("amount_minor")):
        found = by_state.setdefault(row["state"], {"n": 0, "sums": {}})
        found["n"] += row["n"]
        found["sums"][row["currency"]] = row["minor"] or 0
    owed = models.Recovery.objects.filter(state="open").annotate(currency=Subquery(currency))
    owed = owed.filter(currency__isnull=False).values("currency")
    recoveries = list(owed.annotate(n=Count("id"), minor=Sum(F("due_minor") - F("received_minor"))))
    differing = models.BankMessage.objects.filter(direction="in", state=DIFFERING).count()
    payments_of = {
        group: Total(**by_state[states[0]]) if states[0] in by_state else Total()
        for group, states in GROUPS.items()
        if states
    }
    return {
        **payments_of,
        "differences": Total(differing),
        "recoveries": Total(sum(r["n"] for r in recoveries), {r["currency"]: r["minor"] or 0 for r in recoveries}),
    }


def _claims(viewer: Actor) -> Any:
    """The claim of a part, if the viewer sees it."""
    return models.Claim.objects.filter(scope.claims(viewer), id=OuterRef("aggregate_id")).order_by()


def differences(viewer: Actor, *, limit: int = LIMIT_MAX) -> tuple[Difference, ...]:
    """The answers that a person has to look at, the oldest first. At most three queries.

    What is on a claim out of the viewer's scope is told without the claim.
    """
    rows = list(
        models.BankMessage.objects.filter(direction="in", state=DIFFERING)
        .order_by("id")
        .values_list("id", "message_id", "at", "detail")[:limit]
    )
    ours = _ours(viewer, {row[1] for row in rows})
    return tuple(
        Difference(id=i, end_to_end_id=name, at=at, **_said(detail), **ours.get(name, {}))
        for i, name, at, detail in rows
    )


def _said(detail: str) -> dict[str, Any]:
    """What `services.bank` kept of an answer: status, reason, reference and amount, one space between each."""
    status, _, rest = detail.partition(" ")
    reason, _, rest = rest.partition(" ")
    reference, _, amount = rest.rpartition(" ")
    said = int(amount) if amount.removeprefix("-").isdigit() else None
    return {"status": status, "reason": reason, "reference": reference, "said_minor": said}


def _ours(viewer: Actor, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    claims = _claims(viewer)
    rows = models.Payment.objects.annotate(
        number=Subquery(claims.values("number")[:1]), currency=Subquery(claims.values("currency")[:1]),
        ordered_minor=F("amount_minor"),
    )  # fmt: skip
    return identified(ids, rows.filter(number__isnull=False), "number", "part", "state", "currency", "ordered_minor")


def identified(ids: Iterable[str], payments: Any, *columns: str) -> dict[str, dict[str, Any]]:
    """The payment that each identity is or once was, by these columns: of an order that was repeated the number of the
    attempt alone is another. One query."""
    names = set(ids)
    claims = models.Claim.objects.filter(number__in={name.rsplit("-", 2)[0] for name in names}).values("id")
    rows = payments.filter(Q(end_to_end_id__in=names) | Q(aggregate_id__in=claims)).exclude(end_to_end_id="")
    now = {row.pop("end_to_end_id"): row for row in rows.values("end_to_end_id", *columns)}
    attempts = {without_attempt(name): row for name, row in now.items()}
    found = {name: now.get(name) or attempts.get(without_attempt(name)) for name in names}
    return {name: dict(row) for name, row in found.items() if row}


def owed(viewer: Actor, *, after: int = 0, limit: int = 100) -> tuple[Owed, ...]:
    """What is still to come back, the oldest first. At most two queries."""
    claims = _claims(viewer)
    party = models.Party.objects.filter(aggregate_id=OuterRef("aggregate_id"), part=OuterRef("debtor"))
    rows = (
        models.Recovery.objects.filter(state="open", id__gt=after)
        .annotate(
            number=Subquery(claims.values("number")[:1]), currency=Subquery(claims.values("currency")[:1]),
            debtor_name=Subquery(party.values("name")[:1]),
        )
        .filter(number__isnull=False)
        .order_by("id")
    )  # fmt: skip
    return tuple(
        Owed(
            r.id, r.number, r.part, r.kind, masking.name(r.debtor_name or ""), r.currency, r.due_minor,
            r.received_minor, r.opened_at,
        )
        for r in rows[: max(1, min(limit, LIMIT_MAX))]
    )  # fmt: skip
