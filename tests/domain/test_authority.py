"""Authority: limits on the cumulative amount, four eyes, nobody's own work, delegation."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lipei.norms.authority
from lipei.domain.authority import (
    KINDS,
    UNLIMITED,
    AuthorityTable,
    Delegation,
    Granted,
    Limit,
    approved_enough,
    check_delegation,
    cumulative_minor,
    may,
    own_limit_minor,
)
from lipei.domain.claims import Case, Claim, Exposure, Payment, Recovery
from lipei.domain.events import Actor, Refusal
from lipei.norms import yaml_texts
from lipei.norms.errors import NormError
from lipei.norms.texts import LANGUAGES, text

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
DEFAULT = Path(lipei.norms.authority.__file__).parent / "defaults" / "authority.yaml"


def document() -> dict[str, Any]:
    return yaml_texts.load(DEFAULT.read_text(encoding="utf-8"))


SHIPPED = lipei.norms.authority.parse(document())
TABLE = AuthorityTable(
    version=1,
    limits=(
        Limit("approver", frozenset({"decide", "refuse"}), {"CNY": 1000, "USD": 100}),
        Limit("approver", frozenset({"decide"}), {"CNY": 300}, frozenset({"health"})),
        Limit("team_lead", frozenset({"decide"}), {"CNY": 500}),
        Limit("finance", frozenset({"pay"}), {"CNY": UNLIMITED}),
        Limit("system", frozenset({"decide", "pay"}), {"CNY": 50}),
    ),
    four_eyes_minor={"decide": {"CNY": 400}},
    delegation_days_max=30,
)


def staff(number: int, *roles: str) -> Actor:
    return Actor(f"staff:{number}", f"Person {number}", frozenset(roles))


ANN, BEN, ZOE = staff(1, "approver"), staff(2, "team_lead"), staff(3, "handler")


def ask(actor: Actor, amount: int, *lent: Delegation, involved: Any = (), at: datetime = NOW, **other: Any) -> Any:
    question: dict[str, Any] = {"kind": "decide", "line": "motor", "currency": "CNY", "table": TABLE} | other
    return may(actor=actor, delegations=lent, cumulative_minor=amount, involved=involved, at=at, **question)


def lend(giver: Actor, to: Actor, **change: Any) -> Delegation:
    return replace(Delegation(1, giver.id, giver.roles, to.id, NOW - DAY, NOW + DAY), **change)


def refused(answer: Any) -> str:
    assert isinstance(answer, Refusal) and answer.kind == "permission", answer
    assert str(answer.params["permission"]).startswith("authority.")
    for language in LANGUAGES:
        assert text(answer.code, language, **answer.params)
    return answer.code.removeprefix("refusal.authority.")


# --- limits


@pytest.mark.norm("2.2.4")
def test_a_limit_holds_up_to_and_including_its_sum() -> None:
    assert ask(ANN, 400) == Granted(1000, needs_second=False)
    assert ask(ANN, 1000) == Granted(1000, needs_second=True)
    assert refused(ask(ANN, 1001)) == "above_limit"


def test_a_row_for_the_line_beats_the_row_for_all_lines_even_if_lower() -> None:
    assert ask(ANN, 300, line="health").limit_minor == 300
    assert refused(ask(ANN, 301, line="health")) == "above_limit"


def test_of_several_roles_the_highest_limit_counts() -> None:
    both = staff(4, "approver", "team_lead")
    assert ask(both, 450, line="health").limit_minor == 500


def test_a_role_kind_or_currency_without_a_row_has_no_authority() -> None:
    assert refused(ask(ZOE, 1)) == "none"
    assert refused(ask(ANN, 1, kind="ex_gratia")) == "none"
    assert refused(ask(ANN, 1, currency="JPY")) == "none"
    assert refused(ask(ZOE, 0)) == "none"


def test_the_administrator_has_no_say_over_money_in_the_shipped_table() -> None:
    for kind in KINDS:
        assert refused(ask(staff(5, "administrator"), 1, kind=kind, table=SHIPPED)) == "none"


# --- nobody's own work


@pytest.mark.norm("4")
@pytest.mark.parametrize(
    "roles", [("approver",), ("approver", "administrator"), ("approver", "manager", "administrator")]
)
def test_nobody_approves_their_own_work_administrators_included(roles: tuple[str, ...]) -> None:
    actor = staff(1, *roles)
    assert isinstance(ask(actor, 10, table=SHIPPED), Granted)
    assert refused(ask(actor, 10, involved={"staff:1"}, table=SHIPPED)) == "own_work"


def test_a_program_does_not_check_what_it_made_the_systems_own_rule_may() -> None:
    program, system = Actor("token:7", "import", frozenset({"approver"})), Actor("system:straight-through", "")
    assert refused(ask(program, 10, involved={program.id})) == "own_work"
    assert isinstance(ask(system, 50, involved={system.id}), Granted)
    assert refused(ask(system, 51)) == "above_limit"


def test_nobody_becomes_the_system_by_its_role() -> None:
    assert refused(ask(staff(6, "system"), 10)) == "none"


@pytest.mark.norm("4")
def test_only_a_person_refuses() -> None:
    everything = replace(TABLE, limits=(Limit("system", frozenset(KINDS), {"CNY": 99}), *TABLE.limits))
    for actor in (Actor("system:straight-through", ""), Actor("token:1", "", frozenset({"approver"}))):
        assert refused(ask(actor, 1, kind="refuse", table=everything)) == "only_a_person"
    assert isinstance(ask(ANN, 1, kind="refuse", table=everything), Granted)


# --- four eyes


@pytest.mark.norm("2.2.4")
def test_above_the_threshold_two_different_persons_must_agree() -> None:
    first = ask(ANN, 401)
    assert first.needs_second and not approved_enough(granted=first, approvals=[ANN.id])
    assert not approved_enough(granted=first, approvals=[ANN.id, ANN.id])
    assert refused(ask(ANN, 401, involved={ANN.id})) == "own_work"
    second = ask(BEN, 401, involved={ANN.id})
    assert approved_enough(granted=second, approvals=[ANN.id, BEN.id])
    assert approved_enough(granted=ask(ANN, 400), approvals=[ANN.id])


def test_a_currency_without_a_threshold_always_needs_two() -> None:
    assert ask(ANN, 1, currency="USD").needs_second
    assert not ask(staff(8, "finance"), 10**9, kind="pay").needs_second  # this table asks it of no payment


# --- delegation


def test_lent_authority_counts_within_its_time_only() -> None:
    loan = lend(ANN, ZOE)
    assert ask(ZOE, 1000, loan) == Granted(1000, True, via=1, on_behalf_of="staff:1")
    assert refused(ask(ZOE, 10, loan, at=NOW - DAY - timedelta(seconds=1))) == "none"
    assert refused(ask(ZOE, 10, loan, at=NOW + DAY)) == "none"
    assert isinstance(ask(ZOE, 10, loan, at=NOW + DAY - timedelta(seconds=1)), Granted)


def test_lent_authority_is_bounded_by_kind_line_and_sum() -> None:
    loan = lend(ANN, ZOE, kinds=frozenset({"decide"}), lines=frozenset({"motor"}), limits_minor={"CNY": 100})
    assert ask(ZOE, 100, loan).limit_minor == 100
    assert refused(ask(ZOE, 101, loan)) == "above_limit"
    assert refused(ask(ZOE, 1, loan, line="health")) == "none"
    assert refused(ask(ZOE, 1, loan, kind="refuse")) == "none"


@given(st.integers(0, 10_000), st.integers(1, 2000), st.sampled_from(["motor", "health"]))
def test_a_loan_never_gives_more_than_the_giver_has(lent: int, amount: int, line: str) -> None:
    own = own_limit_minor(table=TABLE, roles=ANN.roles, kind="decide", line=line, currency="CNY")
    answer = ask(ZOE, amount, lend(ANN, ZOE, limits_minor={"CNY": lent}), line=line)
    assert isinstance(answer, Granted) is (amount <= min(lent, own))


def test_who_loses_a_role_lends_it_no_longer() -> None:
    assert refused(ask(ZOE, 10, lend(ANN, ZOE, giver_roles=frozenset()))) == "none"


def test_what_one_may_oneself_is_not_done_by_lent_authority() -> None:
    """Else the lender could not be the second pair of eyes."""
    loan = lend(ANN, BEN)
    assert (ask(BEN, 500, loan).via, ask(BEN, 500, loan).on_behalf_of) == (0, "")
    assert (ask(BEN, 501, loan).via, ask(BEN, 501, loan).on_behalf_of) == (1, ANN.id)


def test_borrowed_authority_is_not_lent_on() -> None:
    on = Delegation(2, ZOE.id, ZOE.roles, BEN.id, NOW - DAY, NOW + DAY)
    assert ask(BEN, 500, lend(ANN, ZOE), on).via == 0
    assert refused(ask(BEN, 501, lend(ANN, ZOE), on)) == "above_limit"


@pytest.mark.norm("4")
def test_one_does_not_approve_ones_own_work_through_a_friend() -> None:
    loan = lend(ANN, ZOE)
    assert isinstance(ask(ZOE, 10, loan), Granted)
    assert refused(ask(ZOE, 10, loan, involved={ANN.id})) == "none"


def test_own_authority_is_used_before_a_loan() -> None:
    assert ask(BEN, 500, lend(staff(7, "team_lead"), BEN)) == Granted(500, True)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"taker": ANN.id}, "delegation_to_self"),
        ({"ends_at": NOW - DAY}, "delegation_end"),
        ({"ends_at": NOW}, "delegation_end"),
        ({"ends_at": NOW + 30 * DAY}, "delegation_too_long"),
        ({"limits_minor": {"CNY": 1001}}, "delegation_beyond_own"),
        ({"limits_minor": {"JPY": 1}}, "delegation_beyond_own"),
        (
            {"limits_minor": {"CNY": 301}, "kinds": frozenset({"decide"}), "lines": frozenset({"health"})},
            "delegation_beyond_own",
        ),
        ({"limits_minor": {"CNY": 1}, "kinds": frozenset({"pay"})}, "delegation_lacking"),
        ({"kinds": frozenset({"decide", "pay"})}, "delegation_lacking"),
        ({"kinds": frozenset({"sell"})}, "delegation_lacking"),
    ],
)
def test_a_loan_that_cannot_be_is_refused(change: dict[str, Any], code: str) -> None:
    refusal = check_delegation(table=TABLE, delegation=lend(ANN, ZOE, **change), others=(), now=NOW)
    assert refusal is not None and refusal.code == f"refusal.authority.{code}"
    assert all(text(refusal.code, language, **refusal.params) for language in LANGUAGES)


def test_a_loan_within_ones_own_is_accepted() -> None:
    for change in ({}, {"limits_minor": {"CNY": 1000}}, {"ends_at": NOW + 29 * DAY}):
        assert check_delegation(table=TABLE, delegation=lend(ANN, ZOE, **change), others=(), now=NOW) is None


def test_a_loop_is_refused_however_long_unless_its_times_never_meet() -> None:
    others = [lend(ZOE, BEN, id=2), lend(BEN, ANN, id=3)]
    refusal = check_delegation(table=TABLE, delegation=lend(ANN, ZOE), others=others, now=NOW)
    assert refusal is not None and refusal.code == "refusal.authority.delegation_loop"
    over = [others[0], replace(others[1], starts_at=NOW - 9 * DAY, ends_at=NOW - DAY)]
    assert check_delegation(table=TABLE, delegation=lend(ANN, ZOE), others=over, now=NOW) is None


# --- the cumulative amount


def case(*exposures: Exposure, payments: tuple[Payment, ...] = (), recoveries: tuple[Recovery, ...] = ()) -> Case:
    parts: dict[str, dict[int, Any]] = {"claim": {0: Claim()}, "exposure": {e.part: e for e in exposures}}
    parts |= {"payment": {p.part: p for p in payments}, "recovery": {r.part: r for r in recoveries}}
    return Case(1, 1, parts)


def total(of: Case, kind: str, part: int, amount: int) -> int:
    return cumulative_minor(case=of, kind=kind, part=part, amount_minor=amount)


@pytest.mark.norm("2.2.4")
@given(st.lists(st.integers(1, 400), min_size=2, max_size=6))
def test_splitting_a_claim_evades_nothing(shares: list[int]) -> None:
    """Decided one by one, the last piece needs the authority that the whole would have needed."""
    whole = sum(shares)
    decided = [Exposure(n, state="approved", payable_minor=share) for n, share in enumerate(shares, start=1)]
    pending = replace(decided[-1], state="submitted", payable_minor=0)
    amount = total(case(*decided[:-1], pending), "decide", pending.part, shares[-1])
    assert amount == whole
    pieces, one_sum = ask(ANN, amount), ask(ANN, whole)
    assert type(pieces) is type(one_sum)
    if isinstance(pieces, Granted):
        assert pieces.needs_second == one_sum.needs_second == (whole > 400)


def test_an_exposure_decided_again_counts_once_and_never_below_what_is_paid() -> None:
    both = case(Exposure(1, state="approved", payable_minor=300), Exposure(2, state="approved", payable_minor=70))
    assert total(both, "decide", 1, 200) == 270
    paid = case(Exposure(1, payable_minor=300, paid_minor=300))
    assert total(paid, "decide", 1, 200) == 300


def test_advances_in_small_pieces_add_up() -> None:
    before = case(Exposure(1, advanced_minor=90, guaranteed_minor=5), Exposure(2, payable_minor=10))
    assert total(before, "advance", 1, 10) == 115
    assert total(before, "guarantee", 2, 10) == 105
    assert total(before, "ex_gratia", 2, 30) == 125


def test_refused_exposures_add_up_for_refusals_and_not_for_payments() -> None:
    one = Exposure(1, state="refused", reserve_minor=500, payable_minor=500)
    assert total(case(one, Exposure(2)), "refuse", 2, 100) == 600
    assert total(case(one, Exposure(2)), "decide", 2, 100) == 100


def test_payments_in_flight_count_failed_and_cancelled_ones_do_not() -> None:
    states = ["ordered", "approved", "submitted", "confirmed", "failed", "cancelled"]
    payments = tuple(Payment(n, state=state, amount_minor=10**n) for n, state in enumerate(states, start=1))
    assert total(case(payments=payments), "pay", 0, 1) == 11_111
    assert total(case(payments=payments), "pay", 1, 10) == 11_110


def test_assessments_reserves_and_waivers_add_up_by_their_own_measure() -> None:
    of = case(Exposure(1, assessed_minor=7, reserve_minor=50), Exposure(2, assessed_minor=9))
    assert total(of, "assess", 2, 3) == 10 and total(of, "reserve", 2, 3) == 53
    written_off = Recovery(1, state="written_off", due_minor=100, received_minor=40)
    assert total(case(recoveries=(written_off, Recovery(2, due_minor=9))), "waive", 2, 9) == 69


def test_every_kind_has_a_measure() -> None:
    for kind in KINDS:
        assert total(case(Exposure(1)), kind, 1, 5) == 5
        assert all(text(f"authority.{kind}", language) for language in LANGUAGES)


# --- the document


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (
            lambda d: d["limits"].append({"role": "system", "kinds": ["refuse"], "limits_minor": {"CNY": 1}}),
            "authority.only_persons",
        ),
        (lambda d: d["limits"].append(dict(d["limits"][0])), "authority.twice"),
        (lambda d: d["limits"][0].update(limits_minor={"CNY": 1.5}), "value.whole"),
        (lambda d: d["limits"][0].update(limits_minor={"CNY": -1}), "value.bounds"),
        (lambda d: d["limits"][0].update(limits_minor={"RMB¥": 1}), "value.currency"),
        (lambda d: d["four_eyes_minor"].update(paying={"CNY": 1}), "table.unknown_key"),
        (lambda d: d["four_eyes_minor"].update(reserve={"CNY": 1}), "table.unknown_key"),  # would ask nobody
        (lambda d: d.update(delegation_days_max=0), "value.bounds"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(edit: Any, code: str) -> None:
    broken = document()
    edit(broken)
    with pytest.raises(NormError) as caught:
        lipei.norms.authority.parse(broken)
    assert caught.value.code == f"norm_error.{code}"
