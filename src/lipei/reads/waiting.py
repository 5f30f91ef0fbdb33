"""What lies with the customer, asked of the tables: the same as `lipei.domain.papers.awaited` says of one case."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from lipei.domain.papers import DECIDED, SENDABLE
from lipei.store import models


def papers_awaited() -> QuerySet[models.Paper]:
    """The required papers asked for and not here that a head of loss not yet decided still waits for."""
    heads = models.Exposure.objects.filter(aggregate_id=OuterRef("aggregate_id"))
    decided = heads.filter(state__in=DECIDED)
    found: QuerySet[models.Paper] = models.Paper.objects.filter(
        ~Exists(decided.filter(part=OuterRef("exposure"))),
        Exists(heads.exclude(state__in=DECIDED)) | ~Exists(heads),
        state__in=SENDABLE,
        required=True,
    )
    return found


def lies_with_customer() -> Q:
    """The claims of which papers are awaited or an offer is out."""
    papers = papers_awaited().filter(aggregate_id=OuterRef("id"))
    offers = models.Offer.objects.filter(aggregate_id=OuterRef("id"), state="sent")
    return Q(Exists(papers)) | Q(Exists(offers))
