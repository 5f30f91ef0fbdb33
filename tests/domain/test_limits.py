"""Two claims never both get the last of a limit, and a policy is in force exactly in its time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipei.domain.events import Event, Refusal
from lipei.domain.limits import Draw, PolicyLedger, draw, release
from lipei.domain.policies import Policy

YEAR = "2026-01-01"


def take(ledger: PolicyLedger, claim: str, exposure: int, amount: int, *, limit: int = 500_000) -> tuple[Event, ...]:
    wanted = [Draw("medical_year", YEAR, limit, amount)]
    events = draw(ledger=ledger, claim_number=claim, exposure=exposure, wanted=wanted, currency="CNY")
    assert not isinstance(events, Refusal)
    return events


def left(ledger: PolicyLedger, limit: int = 500_000) -> int:
    return ledger.remaining(limit="medical_year", period=YEAR, limit_minor=limit)


@pytest.mark.norm("2.2.3")
@pytest.mark.parametrize("order", [("A", "B"), ("B", "A")])
def test_case_i_the_ledger_gives_what_is_left_whoever_comes_first(order: tuple[str, str]) -> None:
    empty = PolicyLedger(7)
    first = empty.after(take(empty, order[0], 1, 400_000))
    second = first.after(take(first, order[1], 1, 400_000))
    assert [usage.amount_minor for usage in second.usages] == [400_000, 100_000]
    assert left(second) == 0


def test_an_event_says_what_was_wanted_and_what_was_given() -> None:
    ledger = PolicyLedger(7).after(take(PolicyLedger(7), "A", 1, 400_000))
    (event,) = take(ledger, "B", 2, 400_000)
    assert event.kind == "ledger.drawn"
    assert event.facts == {
        "usage": 2, "limit": "medical_year", "period": YEAR, "claim_number": "B", "exposure": 2,
        "amount_minor": 100_000, "wanted_minor": 400_000,
    }  # fmt: skip


def test_drawing_twice_is_drawing_once() -> None:
    ledger = PolicyLedger(7).after(take(PolicyLedger(7), "A", 1, 400_000))
    assert take(ledger, "A", 1, 400_000) == ()
    assert left(ledger.after(take(ledger, "A", 1, 450_000))) == 50_000


def test_a_limit_that_is_used_up_gives_nothing() -> None:
    ledger = PolicyLedger(7).after(take(PolicyLedger(7), "A", 1, 500_000))
    assert take(ledger, "B", 1, 1) == ()


def test_released_money_is_there_again() -> None:
    ledger = PolicyLedger(7).after(take(PolicyLedger(7), "A", 1, 400_000))
    events = release(ledger=ledger, claim_number="A", exposure=1, reason="rework")
    assert [event.kind for event in events] == ["ledger.released"]
    after = ledger.after(events)
    assert left(after) == 500_000
    assert release(ledger=after, claim_number="A", exposure=1, reason="rework") == ()


def test_what_was_paid_under_a_limit_stays_taken() -> None:
    """Else a head of loss that is reopened and returned lets another claim have the same money once more."""
    ledger = PolicyLedger(7).after(take(PolicyLedger(7), "A", 1, 400_000))
    events = release(ledger=ledger, claim_number="A", exposure=1, reason="rework", given_minor=150_000)
    assert [event.kind for event in events] == ["ledger.released", "ledger.drawn"]
    after = ledger.after(events)
    assert left(after) == 350_000
    assert release(ledger=after, claim_number="A", exposure=1, reason="rework", given_minor=150_000) == ()
    assert release(ledger=ledger, claim_number="A", exposure=1, reason="rework", given_minor=400_000) == ()


def test_periods_and_limits_do_not_mix() -> None:
    ledger = PolicyLedger(7).after(take(PolicyLedger(7), "A", 1, 400_000))
    assert ledger.remaining(limit="medical_year", period="2027-01-01", limit_minor=500_000) == 500_000
    assert ledger.remaining(limit="other", period=YEAR, limit_minor=500_000) == 500_000


def test_a_ledger_has_one_currency() -> None:
    ledger = PolicyLedger(7).after(take(PolicyLedger(7), "A", 1, 400_000))
    wanted = [Draw("medical_year", YEAR, 500_000, 1)]
    refusal = draw(ledger=ledger, claim_number="B", exposure=1, wanted=wanted, currency="USD")
    assert isinstance(refusal, Refusal)
    assert refusal.code == "refusal.settlement_currency"


steps = st.lists(
    st.tuples(st.sampled_from("ABC"), st.integers(1, 2), st.integers(0, 300_000), st.booleans()), max_size=12
)


@given(steps)
def test_no_history_draws_more_than_the_limit(history: list[tuple[str, int, int, bool]]) -> None:
    ledger = PolicyLedger(7)
    for claim, exposure, amount, back in history:
        if back:
            ledger = ledger.after(release(ledger=ledger, claim_number=claim, exposure=exposure, reason="rework"))
        else:
            ledger = ledger.after(take(ledger, claim, exposure, amount))
        assert ledger.used(limit="medical_year", period=YEAR) + left(ledger) == 500_000
        assert len(ledger.held(claim_number=claim, exposure=exposure)) <= 1
    parts = [usage.part for usage in ledger.usages]
    assert all(a + 1 == b for a, b in pairwise(parts))


def policy(**changes: object) -> Policy:
    given = {
        "id": 7,
        "number": "P1",
        "product": "medical",
        "terms_version": 1,
        "currency": "CNY",
        "starts_at": datetime(2023, 2, 28, 16, tzinfo=UTC),  # 1 March 2023, 00:00 in Shanghai
        "ends_at": datetime(2026, 2, 28, 16, tzinfo=UTC),
    }
    return Policy(**{**given, **changes})  # type: ignore[arg-type]


def test_in_force_from_the_first_instant_to_before_the_last() -> None:
    one = policy()
    tick = timedelta(microseconds=1)
    assert one.in_force_at(one.starts_at)
    assert not one.in_force_at(one.starts_at - tick)
    assert one.in_force_at(one.ends_at - tick)
    assert not one.in_force_at(one.ends_at)


def test_a_cancelled_policy_was_in_force_until_it_ended() -> None:
    end = datetime(2024, 1, 1, tzinfo=UTC)
    cancelled = policy(status="cancelled", ended_at=end)
    assert cancelled.in_force_at(end - timedelta(seconds=1))
    assert not cancelled.in_force_at(end)
    assert not policy(status="void").in_force_at(end)
    assert not policy(status="lapsed").in_force_at(end), "without a known end nothing is promised"


@pytest.mark.parametrize(
    ("instant", "key"),
    [
        (datetime(2023, 2, 28, 16, tzinfo=UTC), "2023-03-01"),
        (datetime(2024, 2, 29, 15, 59, tzinfo=UTC), "2023-03-01"),  # 29 February 23:59 in Shanghai, a leap year
        (datetime(2024, 2, 29, 16, tzinfo=UTC), "2024-03-01"),
        (datetime(2025, 12, 31, tzinfo=UTC), "2025-03-01"),
    ],
)
def test_policy_years_turn_at_midnight_where_the_contract_lives(instant: datetime, key: str) -> None:
    assert policy().period_key("policy_year", instant=instant, claim_number="A") == key


def test_other_periods() -> None:
    instant = datetime(2025, 1, 1, tzinfo=UTC)
    assert policy().period_key("accident", instant=instant, claim_number="A") == "A"
    assert policy().period_key("policy", instant=instant, claim_number="A") == "2023-03-01"
    leap = policy(starts_at=datetime(2024, 2, 28, 16, tzinfo=UTC))  # 29 February
    assert leap.period_key("policy_year", instant=datetime(2025, 2, 28, tzinfo=UTC), claim_number="A") == "2025-02-28"


def test_names_and_plates_are_private() -> None:
    from lipei.domain.events import private_fields
    from lipei.domain.policies import InsuredObject

    assert private_fields(Policy) == {"holder", "insured"}
    assert private_fields(InsuredObject) == {"identifier", "description"}
