"""A step on several claims: the preview tells the truth, each claim stands for itself, and what can be undone is."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from tests.company import NOW
from tests.reads.conftest import Desk

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.domain.lifecycle import BY_ACTION
from lipei.services import actions, bulk_actions
from lipei.store import models


@pytest.fixture
def desk(db: Any) -> Desk:
    return Desk()


@pytest.fixture
def three(desk: Desk) -> SimpleNamespace:
    """Three claims of handler1."""
    us = desk.us
    cases = [desk.report(story=f"第{n}件", phone=f"1390013900{n}") for n in range(3)]
    for case in cases:
        if case.claim.handler != us.handler1.staff_id:
            desk.act(us.lead1, case, "claim", "assign", 0, c.Assign(handler=us.handler1.staff_id))
    return SimpleNamespace(us=us, desk=desk, cases=cases, numbers=[case.claim.number for case in cases])


def state() -> Any:
    return (
        list(models.Stream.objects.order_by("kind", "stream_id").values_list("kind", "stream_id", "version")),
        models.Entry.objects.count(),
        models.Delivery.objects.count(),
        models.Paper.objects.count(),
    )


def handlers(numbers: list[str]) -> list[int | None]:
    rows = dict(models.Claim.objects.filter(number__in=numbers).values_list("number", "handler"))
    return [rows[n] for n in numbers]


def seen(planned: Any) -> dict[str, int]:
    return {p.number: p.version for p in planned if p.refusal is None}


def test_the_preview_writes_nothing_and_comes_true(three: SimpleNamespace) -> None:
    us, numbers = three.us, three.numbers
    before = state()
    planned = bulk_actions.plan(numbers, "request_papers", actor=us.handler1, now=NOW)
    assert state() == before
    assert [p.number for p in planned] == numbers and all(p.refusal is None and p.tells_customer for p in planned)
    run = bulk_actions.run(seen(planned), "request_papers", actor=us.handler1, now=NOW)
    assert [o["refusal"] for o in run.outcomes] == ["", "", ""]
    for case, plan in zip(three.cases, planned, strict=True):
        asked = models.Paper.objects.filter(aggregate_id=case.id, state="requested").order_by("part")
        assert plan.papers and list(asked.values_list("code", flat=True)) == list(plan.papers)
        assert models.Claim.objects.get(id=case.id).state == plan.state_after


def test_one_that_is_not_possible_keeps_none_of_the_others_from_it(three: SimpleNamespace) -> None:
    us, numbers = three.us, three.numbers
    actions.act(numbers[1], "claim", "cancel", 0, c.Reasoned("重复录入"), actor=us.manager1, now=NOW)
    planned = bulk_actions.plan(numbers, "request_papers", actor=us.lead1, now=NOW)
    assert [p.refusal and p.refusal.code for p in planned] == [None, "refusal.not_possible_now", None]
    run = bulk_actions.run({p.number: p.version for p in planned}, "request_papers", actor=us.lead1, now=NOW)
    assert [o["refusal"] for o in run.outcomes] == ["", "refusal.not_possible_now", ""]


def test_what_changed_since_the_preview_is_left_as_it_is(three: SimpleNamespace) -> None:
    us, numbers = three.us, three.numbers
    planned = bulk_actions.plan(numbers, "assign", c.Assign(handler=us.handler2.staff_id), actor=us.lead1, now=NOW)
    assert [(p.handler, p.handler_after) for p in planned] == [(us.handler1.staff_id, us.handler2.staff_id)] * 3
    actions.act(numbers[0], "claim", "add_note", 0, c.Write("客户来电"), actor=us.handler1, now=NOW)
    run = bulk_actions.run(seen(planned), "assign", c.Assign(handler=us.handler2.staff_id), actor=us.lead1, now=NOW)
    assert [o["refusal"] for o in run.outcomes] == ["refusal.stale", "", ""]
    assert handlers(numbers) == [us.handler1.staff_id, us.handler2.staff_id, us.handler2.staff_id]


def test_an_assignment_is_undone_once_where_nobody_moved_it_on(three: SimpleNamespace) -> None:
    us, numbers = three.us, three.numbers
    before = handlers(numbers)
    planned = bulk_actions.plan(numbers, "assign", c.Assign(handler=us.handler2.staff_id), actor=us.lead1, now=NOW)
    run = bulk_actions.run(seen(planned), "assign", c.Assign(handler=us.handler2.staff_id), actor=us.lead1, now=NOW)
    assert bulk_actions.may_undo(run.action, run.outcomes)
    actions.act(numbers[2], "claim", "assign", 0, c.Assign(handler=us.handler1.staff_id), actor=us.manager1, now=NOW)
    for stranger in (us.manager1, us.program):
        refused = bulk_actions.undo(run.id, actor=stranger, now=NOW)
        assert isinstance(refused, Refusal) and refused.kind == "missing"
    undone = bulk_actions.undo(run.id, actor=us.lead1, now=NOW)
    assert [o["refusal"] for o in undone.outcomes] == ["", "", "refusal.bulk.moved_on"]
    assert handlers(numbers) == before
    again = bulk_actions.undo(run.id, actor=us.lead1, now=NOW)
    assert isinstance(again, Refusal) and again.code == "refusal.bulk.undone"
    causes = models.Entry.objects.filter(kind="claim.assigned", stream_id=three.cases[0].id).order_by("sequence")
    assert [e.cause for e in causes][-2:] == ["bulk.assign", "bulk.undo"]


def test_what_nobody_had_before_cannot_be_given_back(three: SimpleNamespace) -> None:
    us, numbers = three.us, three.numbers
    models.Claim.objects.filter(number=numbers[0]).update(handler=None)
    planned = bulk_actions.plan(numbers, "assign", c.Assign(handler=us.handler2.staff_id), actor=us.lead1, now=NOW)
    run = bulk_actions.run(seen(planned), "assign", c.Assign(handler=us.handler2.staff_id), actor=us.lead1, now=NOW)
    undone = bulk_actions.undo(run.id, actor=us.lead1, now=NOW)
    assert [o["refusal"] for o in undone.outcomes] == ["refusal.bulk.nobody_before", "", ""]
    assert handlers(numbers)[0] == us.handler2.staff_id


def test_what_the_lifecycle_does_not_take_back_is_not_undone(three: SimpleNamespace) -> None:
    us = three.us
    planned = bulk_actions.plan(three.numbers, "request_papers", actor=us.lead1, now=NOW)
    run = bulk_actions.run(seen(planned), "request_papers", actor=us.lead1, now=NOW)
    assert not bulk_actions.may_undo(run.action, run.outcomes)
    assert isinstance(bulk_actions.undo(run.id, actor=us.lead1, now=NOW), Refusal)


def test_claims_out_of_sight_are_left_out_as_if_they_did_not_exist(three: SimpleNamespace) -> None:
    us, numbers = three.us, three.numbers
    models.Claim.objects.filter(number=numbers[0]).update(unit="beijing", handler=us.manager2.staff_id)
    planned = bulk_actions.plan([*numbers, "no-such-claim"], "add_note", c.Write("记"), actor=us.lead1, now=NOW)
    assert [p.number for p in planned] == numbers[1:]
    run = bulk_actions.run(dict.fromkeys(numbers, 10**9), "add_note", c.Write("记"), actor=us.lead1, now=NOW)
    assert [o["number"] for o in run.outcomes] == numbers[1:]
    nothing = bulk_actions.run({numbers[0]: 10**9}, "add_note", c.Write("记"), actor=us.lead1, now=NOW)
    assert isinstance(nothing, Refusal) and nothing.code == "refusal.bulk.nothing"


def test_one_that_nobody_foresaw_is_named_and_the_others_are_done(
    three: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    us, numbers = three.us, three.numbers
    real = actions.act

    def breaks(number: str, *args: Any, **more: Any) -> Any:
        if number == numbers[1]:
            raise RuntimeError("nobody foresaw this")
        return real(number, *args, **more)

    planned = bulk_actions.plan(numbers, "add_note", c.Write("记"), actor=us.lead1, now=NOW)
    monkeypatch.setattr(actions, "act", breaks)
    run = bulk_actions.run(seen(planned), "add_note", c.Write("记"), actor=us.lead1, now=NOW)
    assert [o["refusal"] for o in run.outcomes] == ["", "refusal.bulk.unforeseen", ""]


@pytest.mark.parametrize("action", ["cancel", "withdraw", "report", "no_such_step", "suspect"])
def test_what_weighs_the_single_case_is_not_done_to_several(three: SimpleNamespace, action: str) -> None:
    done = bulk_actions.run(dict.fromkeys(three.numbers, 10**9), action, actor=three.us.manager1, now=NOW)
    assert isinstance(done, Refusal) and done.kind == "missing"


def test_who_is_offered_what_comes_from_the_lifecycle_table(desk: Desk) -> None:
    assert all(("claim", action) in BY_ACTION for action in bulk_actions.ACTIONS)
    assert "assign" in bulk_actions.offered(desk.us.lead1) and "assign" not in bulk_actions.offered(desk.us.handler1)
    assert bulk_actions.offered(desk.us.finance1) == ("add_note",)
    assert bulk_actions.offered(desk.us.admin1) == ()


def test_old_notes_of_runs_are_forgotten(three: SimpleNamespace) -> None:
    us = three.us
    models.BulkRun.objects.create(staff_id=us.lead1.staff_id, action="assign", at=NOW.replace(year=2025))
    models.BulkRun.objects.create(staff_id=us.lead1.staff_id, action="assign", at=NOW)
    bulk_actions.run(dict.fromkeys(three.numbers, 10**9), "add_note", c.Write("记"), actor=us.lead1, now=NOW)
    assert models.BulkRun.objects.filter(at__year=2025).count() == 0 and models.BulkRun.objects.count() == 2
