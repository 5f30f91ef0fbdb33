"""Payments across claims: what is ordered, with the bank, come back or arrived (norm 2.2.4). Payees are masked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, Subquery, Sum

from lipei.domain.authority import people_of
from lipei.domain.claims import payment_called
from lipei.domain.events import Actor
from lipei.norms.texts import text
from lipei.reads import masking, scope
from lipei.store import models

LIMIT_MAX = 200
MOVING = ("ordered", "approved", "submitted", "failed")


@dataclass(frozen=True, slots=True)
class Row:
    """One payment order. ``cursor`` continues the list behind it."""

    cursor: int
    number: str
    part: int
    state: str
    state_name: str
    kind: str  # as it is called, see `payment_called`
    exposure: int
    currency: str
    amount_minor: int
    payee: str
    account: str
    end_to_end_id: str
    attempt: int
    failure: str
    submitted_at: datetime | None
    confirmed_at: datetime | None
    party: int | None = None  # the payee's number on the claim: masked names may read alike
    made_by: frozenset[str] = frozenset()  # who had a hand in it or in its sum or account: not who may approve it next
    decided_by: frozenset[str] = frozenset()  # who decided the sum: not who may pay it again


def listed(
    viewer: Actor,
    *,
    language: str,
    states: tuple[str, ...] = MOVING,
    before: int | None = None,
    after: int | None = None,
    limit: int = 100,
) -> tuple[Row, ...]:
    """Payments in these states on claims that the viewer sees. At most two queries.

    The newest first, before the cursor ``before``; with ``after`` (0: from the beginning) the oldest first, behind it.
    """
    claims = models.Claim.objects.filter(scope.claims(viewer), id=OuterRef("aggregate_id"))
    party = models.Party.objects.filter(aggregate_id=OuterRef("aggregate_id"), part=OuterRef("payee"))
    head = models.Exposure.objects.filter(aggregate_id=OuterRef("aggregate_id"), part=OuterRef("exposure"))
    rows = models.Payment.objects.filter(state__in=states).annotate(
        number=Subquery(claims.values("number")[:1]),
        currency=Subquery(claims.values("currency")[:1]),
        payee_name=Subquery(party.values("account_name")[:1]),
        payee_person=Subquery(party.values("person")[:1]),
        payee_account=Subquery(party.values("account_number")[:1]),
        account_by=Subquery(party.values("account_by")[:1]),
        assessed_by=Subquery(head.values("assessed_by")[:1]),
        checked_by=Subquery(head.values("checked_by")[:1]),
        decided_by=Subquery(head.values("decided_by")[:1]),
        approvals=Subquery(head.values("approvals")[:1]),
    )
    if before is not None:
        rows = rows.filter(id__lt=before)
    if after is not None:
        rows = rows.filter(id__gt=after)
    found = rows.filter(number__isnull=False).order_by("-id" if after is None else "id")
    return tuple(_row(p, language) for p in found[: max(1, min(limit, LIMIT_MAX))])


def _row(payment: Any, language: str) -> Row:
    name = payment.payee_name or ""
    decided = (payment.decided_by or "", *(payment.approvals or ()))
    made = (payment.ordered_by, *payment.approved_by, payment.account_by or "", payment.assessed_by or "")
    return Row(
        cursor=payment.id,
        number=payment.number,
        part=payment.part,
        state=payment.state,
        state_name=text(f"state.payment.{payment.state}", language),
        kind=payment_called(payment.kind, payment.offer),
        exposure=payment.exposure,
        currency=payment.currency,
        amount_minor=payment.amount_minor,
        payee=name if payment.payee_person is False else masking.name(name),
        party=payment.payee,
        account=masking.account(payment.payee_account or ""),
        end_to_end_id=payment.end_to_end_id,
        attempt=payment.attempt,
        failure=payment.failure,
        submitted_at=payment.submitted_at,
        confirmed_at=payment.confirmed_at,
        made_by=people_of((*made, payment.checked_by or "", *decided)),
        decided_by=people_of(decided),
    )


def moving() -> Mapping[str, tuple[int, int]]:
    """State → (number, minor units) of the payments that still move. One query."""
    rows = (
        models.Payment.objects.filter(state__in=MOVING)
        .values("state")
        .annotate(n=Count("id"), minor=Sum("amount_minor"))
    )
    return {row["state"]: (row["n"], row["minor"] or 0) for row in rows}
