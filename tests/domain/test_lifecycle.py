"""The lifecycle table: every state × action × role, with counts and forbidden pairs written by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.conduct_desk import rulebook

from lipei.domain import lifecycle as lc
from lipei.domain.claims import (
    Case,
    Claim,
    Consultation,
    Exposure,
    Offer,
    Paper,
    Party,
    Payment,
    Recovery,
    Survey,
)
from lipei.domain.commands import COMMANDS
from lipei.domain.events import Actor
from lipei.domain.permissions import ROLES
from lipei.domain.rules import RULES

NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
STATES = {
    "claim": (
        "reported",
        "investigating",
        "assessing",
        "deciding",
        "offering",
        "paying",
        "closed",
        "withdrawn",
        "cancelled",
    ),
    "exposure": (
        "open",
        "assessed",
        "checked",
        "submitted",
        "approved",
        "refusal_proposed",
        "refused",
        "agreed",
        "settled",
        "dropped",
    ),
    "paper": ("requested", "received", "accepted", "refused", "waived"),
    "survey": ("scheduled", "recorded", "cancelled"),
    "consultation": ("convened", "concluded"),
    "offer": ("prepared", "sent", "agreed", "declined", "expired"),
    "payment": ("ordered", "approved", "submitted", "confirmed", "failed", "cancelled"),
    "recovery": ("open", "received", "written_off"),
}

# The contract's names, by hand: what is fixed may grow, never change.
CONTRACT = {
    "claim": "report register triage assign accept_assignment acknowledge_duty give_opinion request_papers close "
    "close_without_payment withdraw cancel reopen link_duplicate hand_over ask_for_help add_note suspect clear_suspicion "
    "report_upwards",
    "exposure": "add set_reserve assess check_assessment submit_decision approve_decision return_for_rework "
    "propose_refusal refuse advance guarantee",
    "paper": "receive accept refuse waive",
    "survey": "schedule record cancel",
    "consultation": "convene opine conclude",
    "offer": "send agree decline expire",
    "payment": "order approve_payment submit confirm fail retry cancel",
    "recovery": "recover_overpayment subrogate receive_recovery write_off",
}

# How many (action, state) pairs are possible at all, by hand.
PAIRS = {
    "claim": 123,
    "exposure": 58,
    "paper": 6,
    "survey": 2,
    "consultation": 2,
    "offer": 7,
    "payment": 10,
    "recovery": 2,
}

# How many (action, state) pairs are open to each role, by hand, as (own, unit, company); an action that makes a part, or
# on a part without a state, counts once. So compliance: note and word to the customer in each of the nine states.
OPEN_TO = {
    "customer": (28, 0, 0),
    "program": (0, 0, 13),
    "intake": (0, 0, 45),
    "handler": (179, 0, 10),
    "surveyor": (0, 38, 0),
    "assessor": (0, 47, 0),
    "approver": (0, 0, 54),
    "team_lead": (0, 198, 0),
    "manager": (0, 0, 199),
    "finance": (0, 0, 42),
    "expert": (0, 0, 10),
    "investigator": (0, 0, 21),
    "compliance": (0, 0, 18),
    "system": (0, 0, 64),
}
# Where each action leads, by hand; all others leave the part's state as it is.
LEADS_TO = {
    "claim": "report:reported",
    "exposure": "add:open correct:open assess:assessed check_assessment:checked submit_decision:submitted "
    "approve_decision:approved return_for_rework:open propose_refusal:refusal_proposed refuse:refused drop:dropped",
    "paper": "receive:received accept:accepted refuse:refused waive:waived",
    "survey": "schedule:scheduled record:recorded cancel:cancelled",
    "consultation": "convene:convened opine:convened conclude:concluded",
    "offer": "send:sent agree:agreed decline:declined expire:expired",
    "payment": "order:ordered approve_payment:approved submit:submitted confirm:confirmed fail:failed give_back:failed "
    "retry:approved cancel:cancelled",
    "recovery": "recover_overpayment:open subrogate:open write_off:written_off",
}
# How often each guard stands in the table, by hand.
GUARDED = {
    "assigned_to_me": 1, "not_accepted": 1, "duty_calls_me": 1, "exposures_ended": 1, "something_decided": 1,
    "money_at_rest": 5, "nothing_decided": 1, "nothing_paid": 3, "nothing_refused": 1, "nothing_promised": 3, "not_imported": 1,
    "not_suspected": 1, "suspected": 1, "claim_open": 25, "claim_registered": 5, "a_person": 1, "not_the_assessor": 1,
    "not_the_maker": 1, "not_approved_by_me": 4, "not_the_proposer": 1, "not_the_orderer": 1, "not_the_decider": 2,
    "not_the_account_giver": 1, "not_the_estimator": 1,
    "not_the_opener": 1, "invited": 1, "has_opinions": 1, "exposures_approved": 2, "something_agreed": 1, "offer_live": 3,
    "offer_past": 1, "nothing_spent_on_it": 2, "something_overpaid": 1, "something_paid": 1,
    "checker_or_turned_down": 1, "offer_current": 1, "something_undisputed": 1, "guarantee_open": 2, "for_an_injury": 1,
    "untold_or_ours": 1,
}  # fmt: skip

# What must never be possible, by hand: (subject, action, state).
NEVER = {
    ("exposure", "assess", "approved"),
    ("exposure", "assess", "agreed"),
    ("exposure", "assess", "settled"),
    ("exposure", "approve_decision", "open"),
    ("exposure", "approve_decision", "assessed"),
    ("exposure", "approve_decision", "approved"),
    ("exposure", "refuse", "open"),
    ("exposure", "refuse", "submitted"),
    ("exposure", "refuse", "settled"),
    ("exposure", "check_assessment", "open"),
    ("exposure", "advance", "settled"),
    ("exposure", "advance", "refused"),
    ("exposure", "return_for_rework", "agreed"),
    ("exposure", "set_reserve", "settled"),
    ("exposure", "correct", "submitted"),
    ("exposure", "correct", "approved"),
    ("exposure", "correct", "settled"),
    ("exposure", "drop", "submitted"),
    ("exposure", "drop", "agreed"),
    ("exposure", "drop", "settled"),
    ("exposure", "drop", "refused"),
    ("paper", "accept", "requested"),
    ("paper", "refuse", "accepted"),
    ("paper", "waive", "accepted"),
    ("paper", "receive", "accepted"),
    ("survey", "record", "cancelled"),
    ("consultation", "opine", "concluded"),
    ("offer", "agree", "prepared"),
    ("offer", "agree", "expired"),
    ("offer", "agree", "declined"),
    ("offer", "agree", "agreed"),
    ("offer", "send", "agreed"),
    ("offer", "decline", "agreed"),
    ("payment", "submit", "ordered"),
    ("payment", "submit", "submitted"),
    ("payment", "submit", "confirmed"),
    ("payment", "submit", "failed"),
    ("payment", "confirm", "confirmed"),
    ("payment", "confirm", "cancelled"),
    ("payment", "confirm", "approved"),
    ("payment", "fail", "confirmed"),
    ("payment", "cancel", "submitted"),
    ("payment", "cancel", "confirmed"),
    ("payment", "retry", "confirmed"),
    ("payment", "retry", "submitted"),
    ("claim", "assign", "closed"),
    ("claim", "correct", "closed"),
    ("claim", "close", "closed"),
    ("claim", "withdraw", "closed"),
    ("claim", "cancel", "closed"),
    ("claim", "reopen", "cancelled"),
    ("claim", "reopen", "investigating"),
    ("claim", "register", "investigating"),
    ("claim", "request_papers", "withdrawn"),
    ("recovery", "write_off", "received"),
    ("recovery", "receive_recovery", "written_off"),
}

# Who must never, whatever the state, by hand: (subject, action, role).
NOBODY = {
    ("exposure", "refuse", "handler"),
    ("exposure", "refuse", "surveyor"),
    ("exposure", "refuse", "administrator"),
    ("exposure", "approve_decision", "handler"),
    ("exposure", "approve_decision", "surveyor"),
    ("exposure", "approve_decision", "finance"),
    ("exposure", "approve_decision", "administrator"),
    ("payment", "approve_payment", "handler"),
    ("payment", "approve_payment", "approver"),
    ("payment", "approve_payment", "administrator"),
    ("payment", "confirm", "handler"),
    ("payment", "submit", "handler"),
    ("payment", "order", "surveyor"),
    ("exposure", "assess", "finance"),
    ("exposure", "drop", "handler"),
    ("exposure", "drop", "approver"),
    ("exposure", "drop", "system"),
    ("exposure", "correct", "customer"),
    ("exposure", "assess", "intake"),
    ("claim", "clear_suspicion", "handler"),
    ("claim", "assign", "handler"),
    ("claim", "correct", "approver"),
    ("claim", "correct", "finance"),
    ("claim", "reopen", "handler"),
    ("recovery", "write_off", "finance"),
    ("recovery", "write_off", "handler"),
    ("paper", "accept", "intake"),
    ("offer", "expire", "handler"),
    ("offer", "expire", "manager"),
    ("consultation", "opine", "handler"),
    ("claim", "tell_customer", "administrator"),
    ("claim", "tell_customer", "customer"),
    ("claim", "tell_customer", "system"),
}


def actor(role: str) -> Actor:
    if role == "system":
        return Actor("system:test", "test")
    if role == "customer":
        return Actor("customer:1", "customer", frozenset({"customer"}), unit="1")
    return Actor("staff:7", "seven", frozenset({role}), unit="u")


PARTS = {"exposure": Exposure, "paper": Paper, "survey": Survey, "consultation": Consultation, "offer": Offer,
         "payment": Payment, "recovery": Recovery}  # fmt: skip


def case_with(subject: str, state: str) -> Case:
    claim_state = state if subject == "claim" else "investigating"
    claim = Claim(number="1", state=claim_state, registered_at=NOW, handler=7, unit="u", policy_id=1)
    parts = {"claim": {0: claim}, "party": {1: Party(1, ("claimant",))}}
    if subject != "claim":
        parts[subject] = {1: replace(PARTS[subject](part=1), state=state)}
    return Case(id=1, parts=parts)


def test_every_action_of_the_contract_is_there():
    for subject, actions in CONTRACT.items():
        assert {s.action for s in lc.STEPS if s.subject == subject} >= set(actions.split()), subject


def test_every_step_has_a_command_and_a_rule():
    keys = {(s.subject, s.action) for s in lc.STEPS}
    assert keys == set(COMMANDS) == set(RULES)


def test_events_are_past_tense_under_their_subject():
    for step in lc.STEPS:
        assert step.event.split(".")[0] == step.subject
        assert step.event not in lc.KINDS


def test_counts_by_hand():
    found = dict.fromkeys(STATES, 0)
    for step in lc.STEPS:
        if step.subject in found and not step.makes_part:
            found[step.subject] += sum(state in step.sources for state in STATES[step.subject])
    assert found == PAIRS


@pytest.mark.norm("1.4.3")
def test_what_is_open_to_each_role_by_hand():
    found: dict[str, dict[str, int]] = {}
    for step in lc.STEPS:
        pairs = 1 if step.makes_part or step.sources == lc.EVERY else len(step.sources)
        for who in step.who:
            role, _, scope = who.partition(":")
            scopes = found.setdefault(role, dict.fromkeys(("own", "unit", "company"), 0))
            scopes[scope or "company"] += pairs
    assert {role: tuple(scopes.values()) for role, scopes in found.items()} == OPEN_TO


def test_where_actions_lead_by_hand():
    found: dict[str, set[str]] = {}
    for step in lc.STEPS:
        if step.target:
            found.setdefault(step.subject, set()).add(f"{step.action}:{step.target}")
    assert found == {subject: set(said.split()) for subject, said in LEADS_TO.items()}


def test_guards_by_hand():
    found = Counter(guard for step in lc.STEPS for guard in step.guards)
    assert found == GUARDED
    assert set(found) == {*lc.GUARDS, *lc.BY_TABLES, *lc.BY_CLOCK}


@pytest.mark.parametrize("pair", sorted(NEVER), ids="-".join)
def test_never(pair):
    subject, action, state = pair
    step = lc.BY_ACTION[subject, action]
    for role in (*ROLES, "system", "customer"):
        case = case_with(subject, state)
        part = case.claim if subject == "claim" else case.of(subject)[1]
        assert lc.check(case=case, step=step, part=part, actor=actor(role), book=rulebook(), now=NOW) is not None


@pytest.mark.norm("4")
@pytest.mark.parametrize("triple", sorted(NOBODY), ids="-".join)
def test_nobody_where_they_do_not_belong(triple):
    subject, action, role = triple
    step = lc.BY_ACTION[subject, action]
    for state in STATES[subject]:
        case = case_with(subject, state)
        part = case.claim if subject == "claim" else case.of(subject)[1]
        refusal = lc.check(case=case, step=step, part=part, actor=actor(role), book=rulebook(), now=NOW)
        assert refusal is not None and refusal.kind == "permission"


def test_states_named_are_states():
    for step in lc.STEPS:
        if step.subject in STATES:
            assert set(step.sources) <= set(STATES[step.subject])
            assert step.target in ("", *STATES[step.subject])


@pytest.mark.norm("4")
def test_automation_never_refuses():
    for step in lc.STEPS:
        if step.event == "exposure.refused":
            assert "system" not in step.who and "a_person" in step.guards
    assert lc.BY_ACTION["exposure", "propose_refusal"].who.count("system") == 0
    assert lc.BY_ACTION["claim", "close_without_payment"].who.count("system") == 0


def test_an_administrator_touches_no_claim():
    for step in lc.STEPS:
        assert not any(who.startswith("administrator") for who in step.who), step


@given(st.sampled_from(lc.STEPS), st.sampled_from((*ROLES, "system", "customer", "program")), st.data())
def test_check_never_raises_and_answers_by_the_table(step, role, data):
    states = STATES.get(step.subject, ("x",))
    state = data.draw(st.sampled_from(states))
    if step.subject in ("party",):
        return
    case = case_with(step.subject, state)
    part = None if step.makes_part else (case.claim if step.subject == "claim" else case.of(step.subject)[1])
    refusal = lc.check(case=case, step=step, part=part, actor=actor(role), book=rulebook(), now=NOW)
    if refusal is None and not step.makes_part:
        assert state in step.sources
    if refusal is not None:
        assert refusal.kind in ("state", "permission")


@given(st.lists(st.sampled_from(STATES["exposure"]), max_size=5))
def test_the_claim_stands_where_its_least_advanced_part_stands(states):
    exposures = {n: Exposure(part=n, state=s) for n, s in enumerate(states, 1)}
    case = Case(id=1, parts={"claim": {0: Claim(registered_at=NOW)}, "exposure": exposures})
    state = lc.claim_state(case)
    if "open" in states:
        assert state == "investigating"
    elif set(states) <= {"dropped"}:
        assert state == "investigating", "where nothing was decided, nothing is left to be paid"
    elif set(states) <= {"settled", "refused", "dropped"}:
        assert state == "paying"
    assert state in lc.OPEN


@pytest.mark.norm("2.2.4")
@pytest.mark.parametrize("action", ["agree", "decline", "send_code", "expire"])
def test_the_day_of_an_offer_is_over_at_its_instant_whoever_has_noticed(action):
    offer = Offer(1, state="sent", exposures=(1,), expires_at=NOW)
    case = case_with("offer", "sent")
    head = Exposure(1, state="approved")
    case = replace(case, parts={**case.parts, "offer": {1: offer}, "exposure": {1: head}})
    asker = actor("system" if action == "expire" else "handler")
    found = [
        lc.check(case=case, step=lc.BY_ACTION["offer", action], part=offer, actor=asker, book=rulebook(), now=at)
        for at in (NOW - timedelta(microseconds=1), NOW)
    ]
    late = [r.code if r else "" for r in found]
    assert late == (["refusal.guard.offer_past", ""] if action == "expire" else ["", "refusal.guard.offer_live"])
