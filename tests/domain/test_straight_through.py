"""Straight-through: everything checked, doubt goes to a person, nothing is ever refused."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lipei.norms.straight_through
from lipei.domain.straight_through import (
    ALSO_FOR_ADVANCE,
    ALSO_FOR_PAYMENT,
    ALWAYS_FOR_ADVANCE,
    ALWAYS_FOR_PAYMENT,
    CHECKS,
    Facts,
    drawn,
    eligible,
    eligible_advance,
)
from lipei.norms import yaml_texts
from lipei.norms.errors import NormError
from lipei.norms.texts import LANGUAGES, text

DEFAULT = Path(lipei.norms.straight_through.__file__).parent / "defaults" / "straight_through.yaml"


def document() -> dict[str, Any]:
    return yaml_texts.load(DEFAULT.read_text(encoding="utf-8"))


TABLE = lipei.norms.straight_through.parse(document())
CLEAR = Facts(
    line="motor", currency="CNY", amount_minor=500_000, policy_in_force=True, cause_covered=True, papers_complete=True,
    suspicion=False, sampled=False, injury=False, third_party=False, identity_ok=True, account_ok=True, duplicate=False,
    report_upwards=False, reporter_known=True,
)  # fmt: skip

DOUBTS: list[tuple[dict[str, Any], str]] = [
    ({"policy_in_force": False}, "policy_in_force"),
    ({"cause_covered": False}, "cause_covered"),
    ({"papers_complete": False}, "papers_complete"),
    ({"amount_minor": 500_001}, "within_limit"),
    ({"claimed_minor": 500_001}, "within_limit"),
    ({"currency": "XTS"}, "within_limit"),
    ({"line": "liability"}, "within_limit"),
    ({"suspicion": True}, "no_suspicion"),
    ({"sampled": True}, "not_sampled"),
    ({"injury": True}, "nobody_hurt"),
    ({"third_party": True}, "no_third_party"),
    ({"identity_ok": False}, "identity_ok"),
    ({"account_ok": False}, "account_ok"),
    ({"reporter_known": False}, "reporter_known"),
    ({"duplicate": True}, "no_duplicate"),
    ({"report_upwards": True}, "not_large"),
    ({"needs_person": ("exclusion",)}, "nothing_doubtful"),
]


@pytest.mark.norm("1.3.1")
def test_a_clear_small_claim_goes_through_with_every_check_shown() -> None:
    verdict = eligible(facts=CLEAR, table=TABLE)
    assert verdict.ok and verdict.amount_minor == 500_000 and verdict.failed == ()
    assert [c.name for c in verdict.checks] == ["enabled", *TABLE.payment.checks, "something_due"]


@pytest.mark.parametrize(("change", "name"), DOUBTS)
def test_each_doubt_alone_sends_the_claim_to_a_person(change: dict[str, Any], name: str) -> None:
    verdict = eligible(facts=replace(CLEAR, **change), table=TABLE)
    assert not verdict.ok and verdict.amount_minor == 0
    assert [c.name for c in verdict.failed] == [name]
    assert verdict.failed[0].reason == f"reason.straight_through.{name}.no"


def test_what_nobody_has_established_fails() -> None:
    unknown = eligible(facts=Facts("motor", "CNY", 100), table=TABLE)
    assert {c.name for c in unknown.failed} == set(TABLE.payment.checks) - {"within_limit", "nothing_doubtful"}


def test_a_sum_of_nothing_is_for_a_person_and_no_refusal() -> None:
    verdict = eligible(facts=replace(CLEAR, amount_minor=0), table=TABLE)
    assert {c.name for c in verdict.failed} == {"within_limit", "something_due"}


def test_being_ill_is_what_health_cover_is_for() -> None:
    facts = replace(CLEAR, line="health", amount_minor=300_000, injury=True)
    assert eligible(facts=facts, table=TABLE).ok
    assert not eligible(facts=replace(facts, amount_minor=300_001), table=TABLE).ok


def test_switched_off_everything_goes_to_a_person() -> None:
    off = replace(TABLE, payment=replace(TABLE.payment, enabled=False))
    assert [c.name for c in eligible(facts=CLEAR, table=off).failed] == ["enabled"]


ANY_FACTS = st.builds(
    Facts,
    line=st.sampled_from(["motor", "health", "life", ""]),
    currency=st.sampled_from(["CNY", "USD", "XTS"]),
    amount_minor=st.integers(-10, 2_000_000),
    needs_person=st.sampled_from([(), ("doubt",)]),
    **{f.name: st.booleans() for f in fields(Facts) if f.type == "bool"},
)


@pytest.mark.norm("4")
@given(ANY_FACTS)
def test_automation_pays_or_passes_on_and_never_refuses(facts: Facts) -> None:
    verdict = eligible(facts=facts, table=TABLE)
    assert verdict.ok is (not verdict.failed)
    assert verdict.amount_minor == (facts.amount_minor if verdict.ok else 0)
    if verdict.ok:
        assert 0 < facts.amount_minor <= TABLE.payment.limits_minor[facts.line][facts.currency]
        assert facts.policy_in_force and facts.cause_covered and not facts.suspicion and not facts.needs_person
    advance = eligible_advance(facts=facts, table=TABLE, advanced_minor=0)
    assert 0 <= advance.amount_minor <= max(facts.amount_minor, 0)


# --- advances


@pytest.mark.norm("1.3.1")
def test_an_advance_is_a_share_up_to_a_cap_of_a_loss_that_is_shown_by_somebody_known() -> None:
    def advance(amount: int, advanced: int = 0, **change: Any) -> int:
        facts = replace(CLEAR, amount_minor=amount, **change)
        return eligible_advance(facts=facts, table=TABLE, advanced_minor=advanced).amount_minor

    assert TABLE.advance.share_percent == 50
    assert advance(300_001) == 150_000
    assert advance(50_000_000) == TABLE.advance.limits_minor["motor"]["CNY"]
    assert advance(300_000, advanced=100_000) == 50_000
    assert advance(300_000, advanced=150_000) == 0
    assert advance(300_000, suspicion=True) == 0
    assert advance(300_000, papers_complete=False) == 0
    assert advance(300_000, reporter_known=False) == 0
    assert advance(300_000, report_upwards=True) == 0
    assert advance(300_000, sampled=True) == 0
    assert advance(300_000, needs_person=("reason.triage.disputed",)) == 0
    assert advance(300_000, currency="XTS") == 0


@given(st.integers(1, 10**8), st.lists(st.integers(1, 10**8), max_size=4))
def test_advances_however_often_asked_for_stay_within_share_and_cap(first: int, later: list[int]) -> None:
    advanced, likely = 0, 0
    for amount in (first, *later):
        likely = max(likely, amount)
        verdict = eligible_advance(facts=replace(CLEAR, amount_minor=amount), table=TABLE, advanced_minor=advanced)
        advanced += verdict.amount_minor
    assert advanced <= min(likely * 50 // 100, TABLE.advance.limits_minor["motor"]["CNY"])


# --- sampling


def test_the_same_claim_is_always_drawn_alike_and_the_salt_decides() -> None:
    numbers = [f"C2026-{n:06d}" for n in range(4000)]
    one = {n for n in numbers if drawn(number=n, salt=b"one", rate_ppm=50_000)}
    assert one == {n for n in numbers if drawn(number=n, salt=b"one", rate_ppm=50_000)}
    assert 130 <= len(one) <= 270  # 200 expected, five standard deviations either way
    assert one != {n for n in numbers if drawn(number=n, salt=b"two", rate_ppm=50_000)}


@given(st.text(), st.binary(min_size=1), st.integers(0, 1_000_000), st.integers(0, 1_000_000))
def test_a_higher_rate_keeps_everybody_drawn(number: str, salt: bytes, a: int, b: int) -> None:
    low, high = sorted((a, b))
    if drawn(number=number, salt=salt, rate_ppm=low):
        assert drawn(number=number, salt=salt, rate_ppm=high)
    assert not drawn(number=number, salt=salt, rate_ppm=0)
    assert drawn(number=number, salt=salt, rate_ppm=1_000_000)


# --- the document


def test_every_check_says_what_it_found_in_three_languages() -> None:
    for name in (*CHECKS, "enabled", "something_due"):
        for found in ("yes", "no"):
            assert all(text(f"reason.straight_through.{name}.{found}", language) for language in LANGUAGES)


@pytest.mark.parametrize(
    ("path", "check"),
    [*(("payment", c) for c in ALWAYS_FOR_PAYMENT), *(("advance", c) for c in ALWAYS_FOR_ADVANCE)],
)
def test_no_table_may_leave_out_what_must_be_checked(path: str, check: str) -> None:
    broken = document()
    broken[path]["checks"].remove(check)
    with pytest.raises(NormError) as caught:
        lipei.norms.straight_through.parse(broken)
    assert caught.value.code == "norm_error.straight_through.check_missing"
    assert check in text(caught.value.code, "en", **caught.value.params)


def test_a_table_edited_before_a_check_was_asked_is_read_and_asked_it() -> None:
    edited = document()
    edited["advance"]["checks"] = list(ALWAYS_FOR_ADVANCE)
    edited["payment"]["checks"] = list(ALWAYS_FOR_PAYMENT)
    del edited["payment"]["claimed_lines"]
    table = lipei.norms.straight_through.parse(edited)
    assert table.advance.checks == (*ALWAYS_FOR_ADVANCE, *ALSO_FOR_ADVANCE)
    assert table.payment.checks == (*ALWAYS_FOR_PAYMENT, *ALSO_FOR_PAYMENT)
    assert table.payment.claimed_lines == set(table.payment.limits_minor)


def test_a_manager_says_in_which_lines_the_sum_claimed_counts() -> None:
    facts = replace(CLEAR, amount_minor=450_000, claimed_minor=500_001)
    without = replace(TABLE, payment=replace(TABLE.payment, claimed_lines=frozenset({"health"})))
    assert eligible(facts=facts, table=without).ok and not eligible(facts=facts, table=TABLE).ok


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda d: d["advance"].update(share_percent=101), "value.bounds"),
        (lambda d: d["payment"].update(enabled="yes"), "value.flag"),
        (lambda d: d["payment"]["limits_minor"]["motor"].update(CNY="5000"), "value.whole"),
        (lambda d: d["payment"].update(refuse=True), "table.unknown_key"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(edit: Any, code: str) -> None:
    broken = document()
    edit(broken)
    with pytest.raises(NormError) as caught:
        lipei.norms.straight_through.parse(broken)
    assert caught.value.code == f"norm_error.{code}"
