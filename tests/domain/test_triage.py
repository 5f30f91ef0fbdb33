"""Triage by the shipped table, and the condition language it is written in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lipei.norms.triage
from lipei.domain.claims import Case, Claim, Exposure
from lipei.domain.conditions import ConditionError, fields_of, holds, matches, parse_condition
from lipei.domain.triage import CLAIM_FIELDS, Triage, TriageTable, claim_values, triage
from lipei.norms import yaml_texts
from lipei.norms.errors import NormError
from lipei.norms.promises import STATUSES
from lipei.norms.texts import LANGUAGES, text

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DEFAULT = Path(lipei.norms.triage.__file__).parent / "defaults" / "triage.yaml"


def document() -> dict[str, Any]:
    return yaml_texts.load(DEFAULT.read_text(encoding="utf-8"))


TABLE = lipei.norms.triage.parse(document())


def case(*exposures: Exposure, **fields: Any) -> Case:
    given_fields = {"line": "motor", "loss_kind": "collision", "policy_id": 1, "estimate_minor": 300_000} | fields
    root = Claim(loss_at=NOW - timedelta(hours=2), reported_at=NOW, **given_fields)
    return Case(1, 1, {"claim": {0: root}, "exposure": {e.part: e for e in exposures}})


def ask(*exposures: Exposure, table: TriageTable = TABLE, facts: Any = None, **fields: Any) -> Triage:
    return triage(case=case(*exposures, **fields), table=table, now=NOW, facts=facts)


def rules(answer: Triage) -> set[str]:
    return {reason.rule for reason in answer.reasons}


# --- the condition language


def test_a_comparison_holds_for_its_own_type_only() -> None:
    at_least = parse_condition({"field": "n", "op": "gte", "value": 5})
    assert holds(at_least, {"n": 5}) and not holds(at_least, {"n": 4})
    assert not holds(at_least, {"n": "9"}) and not holds(at_least, {"n": None}) and not holds(at_least, {})
    assert not holds(parse_condition({"field": "n", "op": "eq", "value": 1}), {"n": True})


def test_what_is_unknown_satisfies_nothing_but_being_unknown() -> None:
    for op, value in [("ne", "x"), ("in", ["x"]), ("gt", 0), ("lte", 9), ("eq", "x")]:
        assert not holds(parse_condition({"field": "f", "op": op, "value": value}), {"f": None})
    assert holds(parse_condition({"field": "f", "op": "eq", "value": None}), {})
    assert holds(parse_condition({"field": "f", "op": "is_true", "value": False}), {})


def test_one_of_several_values_suffices_but_none_may_be_true_for_is_false() -> None:
    assert holds(parse_condition({"field": "f", "op": "in", "value": ["b"]}), {"f": ("a", "b")})
    assert holds(parse_condition({"field": "f", "op": "is_true"}), {"f": (False, True)})
    assert not holds(parse_condition({"field": "f", "op": "is_true", "value": False}), {"f": (False, True)})
    assert not holds(parse_condition({"field": "f", "op": "eq", "value": "a"}), {"f": ()})


def test_groups_nest_and_say_what_matched() -> None:
    a, b = {"field": "a", "op": "eq", "value": 1}, {"field": "b", "op": "gt", "value": 10}
    both = parse_condition({"all": [a, {"any": [b, {"field": "c", "op": "is_true"}]}]})
    found = matches(both, {"a": 1, "b": 3, "c": True})
    assert found is not None and [m.field for m in found] == ["a", "c"]
    assert not holds(both, {"a": 2, "b": 30, "c": True}) and not holds(both, {"a": 1, "b": 3, "c": False})
    assert fields_of(both) == {"a", "b", "c"}
    assert matches(parse_condition({}), {}) == ()


@given(
    st.recursive(
        st.builds(
            lambda f, op, v: {"field": f, "op": op, "value": v},
            st.sampled_from("abc"),
            st.sampled_from(["eq", "ne", "gte", "gt", "lte", "lt"]),
            st.integers(-3, 3),
        ),
        lambda inner: st.lists(inner, min_size=1, max_size=3).flatmap(
            lambda parts: st.sampled_from([{"all": parts}, {"any": parts}])
        ),
        max_leaves=6,
    ),
    st.dictionaries(st.sampled_from("abc"), st.integers(-3, 3)),
)
def test_evaluation_is_plain_logic(document: Any, values: dict[str, int]) -> None:
    def plain(d: Any) -> bool:
        if "all" in d or "any" in d:
            return (all if "all" in d else any)([plain(p) for p in d.get("all") or d["any"]])
        if d["field"] not in values:
            return False
        x, y = values[d["field"]], d["value"]
        return {"eq": x == y, "ne": x != y, "gte": x >= y, "gt": x > y, "lte": x <= y, "lt": x < y}[d["op"]]

    assert holds(parse_condition(document), values) is plain(document)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ("line", "shape"),
        ({"field": "line"}, "shape"),
        ({"all": []}, "shape"),
        ({"all": [], "any": []}, "shape"),
        ({"field": "line", "op": "eq", "value": "x", "then": 1}, "shape"),
        ({"field": "linne", "op": "eq", "value": "motor"}, "unknown_field"),
        ({"field": "line", "op": "matches", "value": "m.*"}, "unknown_op"),
        ({"field": "line", "op": "eq"}, "value"),
        ({"field": "deaths", "op": "gte", "value": "1"}, "value"),
        ({"field": "deaths", "op": "gte", "value": 1.5}, "value"),
        ({"field": "deaths", "op": "gte", "value": True}, "value"),
        ({"field": "line", "op": "in", "value": "motor"}, "value"),
        ({"field": "rescue", "op": "is_true", "value": "yes"}, "value"),
    ],
)
def test_a_document_that_is_no_condition_is_refused_by_name(wrong: Any, code: str) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_condition(wrong, known=lambda name: name in CLAIM_FIELDS)
    assert caught.value.code == f"norm_error.condition.{code}"
    for language in LANGUAGES:
        assert text(caught.value.code, language, place="triage.x", **caught.value.params)


def test_private_fields_cannot_be_asked_for() -> None:
    assert "story" not in CLAIM_FIELDS and "line" in CLAIM_FIELDS
    broken = document()
    broken["rules"][0]["when"] = {"field": "story", "op": "eq", "value": "x"}
    with pytest.raises(NormError, match="unknown_field"):
        lipei.norms.triage.parse(broken)


# --- lanes


@pytest.mark.norm("2.3.1")
@pytest.mark.parametrize(
    ("line", "loss", "at_limit_minor"),
    [
        ("motor", "collision", 500_000),
        ("health", "illness_medical", 300_000),
        ("accident", "accident_medical", 300_000),
        ("household", "water", 500_000),
        ("travel", "baggage_loss", 500_000),
        ("travel", "travel_medical", 300_000),
    ],
)
def test_small_is_simple_up_to_the_limit_and_complex_above_it(line: str, loss: str, at_limit_minor: int) -> None:
    assert ask(line=line, loss_kind=loss, estimate_minor=at_limit_minor).lane == "simple"
    assert ask(line=line, loss_kind=loss, estimate_minor=at_limit_minor + 1).lane == "complex"


@pytest.mark.norm("2.3.1")
def test_nothing_is_simple_by_ignorance() -> None:
    assert rules(ask(line="", loss_kind="", estimate_minor=0, policy_id=None)) == {"policy_unknown"}
    assert rules(ask(estimate_minor=0)) == {"no_rule"}
    assert ask(estimate_minor=0).lane == ask(policy_id=None).lane == "complex"
    assert ask(loss_kind="theft").lane == "complex"


@pytest.mark.norm("2.3.1")
@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"injured": 1}, "somebody_hurt"),
        ({"suspicion": True}, "suspicion"),
        ({"facts": {"liability_disputed": True}}, "disputed"),
        ({"facts": {"lawsuit": True}}, "disputed"),
    ],
)
def test_a_small_claim_is_complex_when_something_speaks_against_it(change: dict[str, Any], rule: str) -> None:
    assert ask().lane == "simple"
    answer = ask(**change)
    assert answer.lane == "complex" and {"small_motor", rule} <= rules(answer)


@pytest.mark.norm("2.3.1")
def test_a_kind_of_loss_that_only_the_head_names_makes_a_simple_claim_too() -> None:
    collision = Exposure(1, cover="own_damage", peril="collision", reserve_minor=300_000)
    assert ask(collision, loss_kind="").lane == "simple"
    assert ask(replace(collision, peril="theft"), loss_kind="").lane == "complex"
    assert ask(collision, loss_kind="theft").lane == "complex", "what the report says is not outdone by a head"


def test_an_injured_third_party_makes_a_small_motor_claim_complex() -> None:
    hurt = Exposure(2, cover="compulsory_medical", peril="third_party_injury")
    answer = ask(Exposure(1, cover="own_damage", reserve_minor=100_000), hurt)
    assert answer.lane == "complex" and "somebody_hurt" in rules(answer)
    assert ask(Exposure(1, cover="own_damage", reserve_minor=100_000), replace(hurt, state="dropped")).lane == "simple"


def test_the_larger_of_estimate_reserve_and_assessment_counts() -> None:
    assert ask(Exposure(1, reserve_minor=500_001)).lane == "complex"
    assert ask(Exposure(1, reserve_minor=100, assessed_minor=500_001)).lane == "complex"
    assert ask(Exposure(1, reserve_minor=250_000), Exposure(2, reserve_minor=250_001)).lane == "complex"


def test_a_motor_claim_reported_a_month_late_is_complex_a_medical_one_is_not() -> None:
    late = case(loss_kind="collision")
    root = replace(late.claim, loss_at=NOW - timedelta(days=31))
    answer = triage(case=Case(1, 1, {"claim": {0: root}}), table=TABLE, now=NOW)
    assert answer.lane == "complex" and "reported_late" in rules(answer)
    medical = replace(root, line="health", loss_kind="illness_medical")
    assert triage(case=Case(1, 1, {"claim": {0: medical}}), table=TABLE, now=NOW).lane == "simple"


# --- fast lane


@pytest.mark.norm("2.3.2")
@pytest.mark.parametrize(
    "urgent",
    [{"deaths": 1}, {"serious_injuries": 1}, {"rescue": True}, {"major_accident": True}, {"incident": "typhoon-7"}],
)
def test_each_urgent_circumstance_opens_the_fast_lane(urgent: dict[str, Any]) -> None:
    assert not ask().fast_lane
    answer = ask(**urgent)
    assert answer.fast_lane
    told = [r.as_value() for r in answer.reasons if "fast_lane" in r.effects]
    assert told[0]["matched"][0]["value"] == next(iter(urgent.values()))


# --- report upwards: every row of the collected thresholds, at the threshold and one below

UPWARDS = [
    ("property", {"estimate_minor": 100_000_000}, {"estimate_minor": 99_999_999}),
    ("household", {"estimate_minor": 60_000_000}, {"estimate_minor": 59_999_999}),
    ("cargo", {"estimate_minor": 60_000_000}, {"estimate_minor": 59_999_999}),
    ("accident", {"estimate_minor": 80_000_000}, {"estimate_minor": 79_999_999}),
    ("liability", {"estimate_minor": 80_000_000}, {"estimate_minor": 79_999_999}),
    ("health", {"deaths": 2}, {"deaths": 1}),
    ("health", {"serious_injuries": 10}, {"serious_injuries": 9}),
    ("agriculture", {"estimate_minor": 100_000_000}, {"estimate_minor": 99_999_999}),
    ("agriculture", {"facts": {"crop_area_mu": 2000}}, {"facts": {"crop_area_mu": 1999}}),
    ("agriculture", {"facts": {"livestock_heads": 1000}}, {"facts": {"livestock_heads": 999}}),
    ("travel", {"facts": {"lawsuit_amount_minor": 50_000_000}}, {"facts": {"lawsuit_amount_minor": 49_999_999}}),
    ("travel", {"facts": {"public_attention": True}}, {"facts": {"public_attention": False}}),
    ("travel", {"facts": {"regulator_asks": True}}, {"facts": {"regulator_asks": False}}),
    ("motor", {"estimate_minor": 50_000_000}, {"estimate_minor": 49_999_999}),
    (
        "motor",
        {"loss_kind": "third_party_injury", "estimate_minor": 30_000_000},
        {"loss_kind": "third_party_injury", "estimate_minor": 29_999_999},
    ),
    ("motor", {"deaths": 1}, {"injured": 1}),
    ("motor", {"serious_injuries": 1}, {"injured": 3}),
    ("motor", {"suspicion": True}, {"suspicion": False}),
    ("motor", {"facts": {"lawsuit": True}}, {"facts": {"lawsuit": False}}),
    ("motor", {"incident": "flood"}, {"incident": ""}),
]


@pytest.mark.parametrize(("line", "at", "below"), UPWARDS)
def test_large_cases_are_reported_upwards(line: str, at: dict[str, Any], below: dict[str, Any]) -> None:
    base = {"line": line, "loss_kind": "own_damage" if line == "motor" else ""}
    assert ask(**{**base, **at}).report_upwards
    assert not ask(**{**base, **below}).report_upwards


def test_a_large_refusal_is_reported_upwards() -> None:
    refused = Exposure(1, state="refusal_proposed", reserve_minor=50_000_000)
    answer = ask(refused, line="health", loss_kind="illness_medical", estimate_minor=0)
    assert answer.report_upwards and "large_refusal" in rules(answer)
    assert not ask(replace(refused, state="open"), line="health", loss_kind="illness_medical").report_upwards


def test_every_row_of_the_table_has_a_source_and_a_sentence_in_three_languages() -> None:
    for rule in TABLE.rules:
        assert rule.source_status in STATUSES, rule.code
        for language in LANGUAGES:
            assert text(rule.text, language), rule.code
    for key in ("reason.triage.no_rule", "reason.triage.no_rate"):
        assert text(key, "zh-hant")


# --- currencies, facts, determinism


def test_another_currency_is_compared_at_the_tables_rate() -> None:
    table = replace(TABLE, rates_ppm={"USD": 7_000_000})
    assert ask(table=table, currency="USD", estimate_minor=71_428).lane == "simple"  # 4,999.96 yuan
    assert ask(table=table, currency="USD", estimate_minor=71_429).lane == "complex"  # 5,000.03 yuan
    assert ask(table=table, currency="USD", estimate_minor=7_142_858).report_upwards
    facts = {"lawsuit_amount_minor": 7_142_858}
    assert ask(table=table, currency="USD", line="travel", facts=facts).report_upwards


def test_a_currency_without_a_rate_goes_to_a_person_with_the_reason() -> None:
    answer = ask(currency="XTS")
    assert answer.lane == "complex" and "no_rate" in rules(answer)
    assert claim_values(case=case(currency="XTS"), table=TABLE, now=NOW)["amount_minor"] is None


def test_facts_of_all_exposures_count() -> None:
    one, two = Exposure(1, facts={"lawsuit": False}), Exposure(2, facts={"lawsuit": True})
    assert claim_values(case=case(one, two), table=TABLE, now=NOW)["facts.lawsuit"] == (False, True)
    assert ask(one, two).lane == "complex"


@given(
    st.integers(0, 10**9),
    st.integers(0, 3),
    st.integers(0, 12),
    st.booleans(),
    st.sampled_from(["", "motor", "health"]),
)
def test_more_harm_never_makes_a_claim_simpler_or_less_urgent(
    estimate: int, deaths: int, injuries: int, rescue: bool, line: str
) -> None:
    fields = {"estimate_minor": estimate, "deaths": deaths, "serious_injuries": injuries, "line": line}
    before, after = ask(**fields, rescue=rescue), ask(**(fields | {"deaths": deaths + 1}), rescue=True)
    assert not (before.lane == "complex" and after.lane == "simple")
    assert after.fast_lane and after.report_upwards >= before.report_upwards
    assert before == ask(**fields, rescue=rescue)


# --- documents that make no sense


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda d: d["rules"][0].pop("lane"), "norm_error.triage.no_effect"),
        (lambda d: d["rules"][0].update(lane="quick"), "norm_error.table.unknown_code"),
        (lambda d: d["rules"][0].update(lanes="simple"), "norm_error.table.unknown_key"),
        (lambda d: d["rules"][0].pop("source"), "norm_error.table.missing_key"),
        (lambda d: d["rules"].append(dict(d["rules"][0])), "norm_error.table.twice"),
        (lambda d: d["rates_ppm"]["rates"].update(USD=7.2), "norm_error.value.whole"),
        (lambda d: d.update(currency="yuan"), "norm_error.value.currency"),
        (lambda d: d.update(version=0), "norm_error.value.bounds"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(edit: Any, code: str) -> None:
    broken = document()
    edit(broken)
    with pytest.raises(NormError) as caught:
        lipei.norms.triage.parse(broken)
    assert caught.value.code == code
