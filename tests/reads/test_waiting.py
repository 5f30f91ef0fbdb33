"""What lies with the customer is the same thing to the database as to the rules."""

from __future__ import annotations

from itertools import product

import pytest
from tests.reads.conftest import Desk

from lipei.domain import commands as c
from lipei.domain import papers
from lipei.domain.claims import Case
from lipei.reads import waiting
from lipei.store import models
from lipei.store.aggregates import load

HEADS = ("open", "submitted", "approved", "refused", "dropped")
PAPERS = ("requested", "refused", "received", "waived")


@pytest.mark.norm("2.2.2")
def test_tables_and_rules_agree_on_which_papers_are_awaited(desk: Desk) -> None:
    case = desk.report()
    handler = desk.us.handler_of(case)
    desk.act(handler, case, "claim", "accept_assignment")
    desk.act(handler, case, "claim", "give_opinion", 0, c.GiveOpinion("属于保险责任。"))
    desk.act(handler, case, "claim", "request_papers")
    heads = models.Exposure.objects.filter(aggregate_id=case.id)
    row = models.Paper.objects.filter(aggregate_id=case.id).first()
    assert row is not None
    models.Paper.objects.filter(aggregate_id=case.id).exclude(id=row.id).delete()
    answers = set()
    (first, *_) = numbers = list(heads.order_by("part").values_list("part", flat=True))
    for head, state, at, required in product(HEADS, PAPERS, (0, first), (True, False)):
        heads.filter(part=first).update(state=head)
        heads.exclude(part=first).update(state="approved")
        models.Paper.objects.filter(id=row.id).update(state=state, exposure=at, required=required)
        loaded = load(Case, case.id)
        assert loaded is not None
        said = papers.awaited(loaded.aggregate)
        found = tuple(waiting.papers_awaited().filter(aggregate_id=case.id).values_list("part", flat=True))
        assert found == said, (head, state, at, required, numbers)
        listed = models.Claim.objects.filter(waiting.lies_with_customer(), id=case.id).exists()
        assert listed == bool(said)
        answers.add((head, state, bool(said)))
    assert ("open", "refused", True) in answers
    assert ("approved", "requested", False) in answers
    heads.all().delete()
    models.Paper.objects.filter(id=row.id).update(state="requested", exposure=0, required=True)
    assert waiting.papers_awaited().count() == 1, "a claim of which nobody has said the head of loss waits too"
