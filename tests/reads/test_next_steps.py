"""What stands first on the page of a claim, for each who looks at it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.company import NOW
from tests.reads.conftest import Desk

from lipei.domain import commands as c
from lipei.domain.claims import Offer, Paper, Recovery
from lipei.domain.lifecycle import BY_ACTION
from lipei.reads import claims as reads
from lipei.reads import rulebook
from lipei.reads.claims import Possible
from lipei.reads.next_steps import ahead, steps


def seen(viewer: Any, case: Any, **later: float) -> list[tuple[str, str]]:
    """The steps in their order, each with the promise that it keeps."""
    page = reads.page(case.claim.number, viewer=viewer, now=NOW + timedelta(**later), language="en")
    assert page is not None
    return [(n.action.action, n.promise.code if n.promise else "") for n in ahead(page, viewer)]


@pytest.mark.norm("1.4.3")
def test_whoever_was_assigned_a_claim_accepts_it_before_all_else(desk: Desk) -> None:
    case = desk.report()
    handler = desk.us.handler_of(case)
    assert seen(handler, case, hours=30)[0] == ("accept_assignment", "acceptance")
    desk.act(handler, case, "claim", "accept_assignment")
    assert "accept_assignment" not in dict(seen(handler, case))


def test_a_call_for_help_is_answered_by_handing_the_claim_over(desk: Desk) -> None:
    case = desk.report()
    handler, lead = desk.us.handler_of(case), desk.us.lead1
    desk.act(handler, case, "claim", "accept_assignment")
    assert "hand_over" not in dict(seen(lead, case))
    desk.act(handler, case, "claim", "ask_for_help", 0, c.Write("客户情绪激动"))
    assert seen(lead, case)[0][0] == "hand_over"
    assert "hand_over" not in dict(seen(handler, case)), "who asks does not answer"


def test_a_suspicion_waits_for_the_investigator(desk: Desk) -> None:
    case = desk.report()
    assert seen(desk.us.investigator1, case) == []
    desk.act(desk.us.handler_of(case), case, "claim", "suspect", 0, c.Reasoned("高度不一致"))
    assert seen(desk.us.investigator1, case) == [("clear_suspicion", "")]
    assert seen(desk.us.lead1, case)[0][0] != "clear_suspicion", "promises come first for who keeps them"


@pytest.mark.norm("2.3.1")
def test_compliance_puts_a_broken_limit_of_the_law_on_record_once(desk: Desk) -> None:
    case, compliance = desk.report(), desk.us.compliance1
    assert seen(compliance, case, days=29) == []
    assert seen(compliance, case, days=35) == [("add_note", "cn_decision")]
    desk.act(compliance, case, "claim", "add_note", 0, c.Write("已核实"), minutes=34 * 24 * 60)
    assert seen(compliance, case, days=35) == []
    assert "add_note" not in dict(seen(desk.us.handler_of(case), case, days=35))


@pytest.mark.parametrize(
    ("kind", "state", "found"),
    [("overpayment", "closed", 1), ("subrogation", "closed", 0), ("overpayment", "paying", 0)],
)
def test_what_was_paid_too_much_on_a_closed_claim_waits_for_the_manager(
    desk: Desk, kind: str, state: str, found: int
) -> None:
    case = desk.report()
    recovery = Recovery(1, kind=kind, due_minor=100)
    closed = replace(
        case, parts={**case.parts, "claim": {0: replace(case.claim, state=state)}, "recovery": {1: recovery}}
    )
    write_off = Possible(BY_ACTION["recovery", "write_off"], 1, "Write off")
    assert len(steps(closed, rulebook.current(), (), (write_off,), desk.us.manager1)) == found


@pytest.mark.norm("2.3.1")
@pytest.mark.parametrize(("state", "found"), [("submitted", 1), ("agreed", 0)])
def test_a_paper_is_looked_at_only_while_something_is_still_to_be_decided(desk: Desk, state: str, found: int) -> None:
    case = desk.report()
    head = replace(case.exposures[1], state=state)
    decided = replace(case, parts={**case.parts, "exposure": {1: head}, "paper": {1: Paper(1, state="received")}})
    accept = Possible(BY_ACTION["paper", "accept"], 1, "Accept")
    assert len(steps(decided, rulebook.current(), (), (accept,), desk.us.handler_of(case))) == found


@pytest.mark.norm("2.3.1")
def test_a_head_of_loss_without_a_cover_is_put_right_first(desk: Desk) -> None:
    case = desk.report()
    actions = tuple(Possible(BY_ACTION["exposure", name], 1, name) for name in ("correct", "assess"))

    def ahead_with(cover: str) -> list[str]:
        head = replace(case.exposures[1], cover=cover)
        named = replace(case, parts={**case.parts, "exposure": {1: head}})
        found = steps(named, rulebook.current(), (), actions, desk.us.handler_of(case))
        return [one.action.action for one in found]

    assert ahead_with("") == ["correct", "assess"]
    assert ahead_with("own_damage") == ["assess"]


@pytest.mark.norm("2.2.4")
@pytest.mark.parametrize(("yuan", "checked", "found"), [(10_001, False, 1), (10_001, True, 0), (9_000, False, 0)])
def test_an_identity_that_a_payment_waits_for_is_checked_next(desk: Desk, yuan: int, checked: bool, found: int) -> None:
    case = desk.report()
    payee = case.exposures[1].claimant
    assert payee is not None
    head = replace(case.exposures[1], state="agreed", payable_minor=yuan * 100)
    offer = Offer(1, state="agreed", exposures=(1,), amount_minor=yuan * 100, to=payee)
    person = replace(case.parties[payee], identity_checked_at=NOW if checked else None)
    agreed = replace(case, parts={**case.parts, "exposure": {1: head}, "offer": {1: offer}, "party": {payee: person}})
    check = Possible(BY_ACTION["party", "check_identity"], payee, "Check")
    assert len(steps(agreed, rulebook.current(), (), (check,), desk.us.handler_of(case))) == found
