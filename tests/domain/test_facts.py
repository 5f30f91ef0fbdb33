"""Facts of a loss: what is asked is taken, what nobody asks for is refused, and the settlement hears what concerns it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.domain.conduct_desk import HANDLER, PROGRAM, Desk, cny, own_damage, policy, rulebook

from lipei.domain import commands as c
from lipei.domain import papers
from lipei.domain.conditions import Compare, Group
from lipei.domain.facts import SHARED, asked_by, of_head, wrong_of_claim, wrong_of_head

BOOK = rulebook()
COVERS = BOOK.covers_of("private_car")
THIRD_PARTY = BOOK.covers_of("private_car", "third_party")[0]


@pytest.fixture
def desk() -> Desk:
    return Desk(policy=policy())


def test_conditions_say_which_kind_of_fact_they_need():
    conditions = (
        Group(False, (Compare("facts.towed", "is_true", True), Compare("line", "eq", "motor"))),
        Compare("exposure.facts.heads", "gte", 3),
        Compare("facts.sum_minor", "gt", 0),
    )
    assert {n: s.type for n, s in asked_by(conditions).items()} == {
        "towed": "yes_no", "heads": "count", "sum_minor": "money",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        ({"towed": True, "inpatient": False, "fault_percent": 70, "lawsuit_amount_minor": 5}, {}),
        ({"towed": None}, {}),
        ({"toewd": True}, {"facts.toewd": "refusal.settlement_fact_unknown"}),
        ({"towed": "yes"}, {"facts.towed": "refusal.settlement_fact_form"}),
        ({"towed": 1}, {"facts.towed": "refusal.settlement_fact_form"}),
        ({"fault_percent": 33.3}, {"facts.fault_percent": "refusal.settlement_fact_percent"}),
        ({"fault_percent": 170}, {"facts.fault_percent": "refusal.settlement_fact_range"}),
        ({"lawsuit_amount_minor": -1}, {"facts.lawsuit_amount_minor": "refusal.settlement_fact_range"}),
        ({"salvage_minor": 5000}, {"facts.salvage_minor": "refusal.fact_of_a_head"}),
    ],
)
def test_what_is_said_of_the_claim_as_a_whole(said, codes):
    assert wrong_of_claim(said, tables=BOOK.facts_asked, covers=COVERS) == codes


def test_a_sum_is_one_head_s_so_that_it_is_never_deducted_twice():
    for cover in BOOK.covers_of():
        for name, spec in cover.facts.items():
            told = of_head({name: 1}, {}, tables=BOOK.facts_asked, cover=cover)
            assert (name in told) == (spec.type in SHARED), name


def test_a_head_s_own_word_counts_before_the_claim_s():
    said = of_head({"fault_percent": 70}, {"fault_percent": 30}, tables=BOOK.facts_asked, cover=THIRD_PARTY)
    assert said == {"fault_percent": 30}
    assert of_head({"fault_percent": 70}, {}, tables=BOOK.facts_asked, cover=THIRD_PARTY) == {"fault_percent": 70}


@given(st.dictionaries(st.sampled_from(sorted(BOOK.facts_asked)), st.booleans()))
def test_what_only_tables_ask_never_reaches_the_terms(said):
    for cover in BOOK.covers_of():
        assert set(of_head(said, said, tables=BOOK.facts_asked, cover=cover)) <= set(cover.facts)


def test_a_misspelt_fact_of_a_head_is_refused_and_not_dropped():
    assert wrong_of_head({"towd": True}, tables=BOOK.facts_asked, covers=COVERS) == {
        "facts.towd": "refusal.settlement_fact_unknown"
    }
    assert of_head({}, {"towd": True}, tables=BOOK.facts_asked, cover=THIRD_PARTY) == {"towd": True}


# --- through the rules --------------------------------------------------------------------------------------------------


@pytest.mark.norm("2.2.2")
def test_a_towed_car_makes_the_towing_bill_a_paper_that_is_asked_for(desk):
    desk.report(own_damage(facts={"towed": True}))
    needs = {n.code: n.required for n in papers.papers_list(case=desk.case, table=BOOK.papers)}
    assert needs["towing_bill"] is True
    desk.do(HANDLER, "claim", "triage", 0, c.Triage(facts={"towed": False}))
    assert "towing_bill" not in {n.code for n in papers.papers_list(case=desk.case, table=BOOK.papers)}
    desk.do(HANDLER, "claim", "triage", 0, c.Triage(facts={"towed": None}))
    needs = {n.code: n.required for n in papers.papers_list(case=desk.case, table=BOOK.papers)}
    assert needs["towing_bill"] is False  # asked with "if this applies to you"
    assert "towed" not in desk.case.claim.facts
    assert "towed" in papers.facts_asked(case=desk.case, table=BOOK.papers)


def test_a_fact_for_the_papers_does_not_stop_the_settlement(desk):
    lost = c.ExposureReported("own_damage", "single_vehicle", reserve=cny(9000), facts={"towed": True})
    desk.report(own_damage(exposures=(lost,)))
    desk.assess()
    assert desk.case.exposures[1].payable_minor == 850000
    assert desk.case.exposures[1].facts == {"towed": True}


def test_fault_said_of_the_accident_holds_for_every_head(desk):
    parties = (
        c.PartyReported(("reporter", "insured", "claimant"), "王小明", "13800138000"),
        c.PartyReported(("third_party", "claimant"), "陈一"),
    )
    damage = (c.ItemAssessed("对方车门", claimed=cny(9000), assessed=cny(9000)),)
    lost = tuple(
        c.ExposureReported(cover, "third_party_property", 2, items=damage)
        for cover in ("compulsory_property", "third_party")
    )
    desk.report(own_damage(parties=parties, exposures=lost, facts={"fault_percent": 70}))
    desk.assess(1)
    desk.assess(2)
    # Case B of the worked settlements: 2,000.00 by the compulsory cover, 70 % and 95 % of the rest by the other.
    assert [e.payable_minor for e in desk.case.exposures.values()] == [200000, 465500]
    assert desk.case.exposures[2].settlement["inputs"]["facts"]["fault_percent"] == 70


def test_a_fact_can_take_a_claim_out_of_the_simple_lane(desk):
    desk.report(own_damage(exposures=(c.ExposureReported("own_damage", "single_vehicle", reserve=cny(900)),)))
    assert desk.case.claim.lane == "simple"
    desk.do(HANDLER, "claim", "triage", 0, c.Triage(facts={"liability_disputed": True}))
    assert desk.case.claim.lane == "complex"


@pytest.mark.parametrize("said", [{"toewd": True}, {"fault_percent": 33.3}, {"towed": "x"}, {"salvage_minor": 1}])
def test_wrong_facts_are_refused_by_field_in_report_and_triage(desk, said):
    field = f"facts.{next(iter(said))}"
    assert set(desk.refused(PROGRAM, "claim", "report", 0, own_damage(facts=said)).fields) == {field}
    desk.report()
    assert set(desk.refused(HANDLER, "claim", "triage", 0, c.Triage(facts=said)).fields) == {field}


def test_a_head_with_facts_nobody_asks_for_is_refused_when_it_is_reported(desk):
    lost = c.ExposureReported("own_damage", "single_vehicle", facts={"hospital_days": 3})
    refused = desk.refused(PROGRAM, "claim", "report", 0, own_damage(exposures=(lost,)))
    assert dict(refused.fields) == {"exposures.1.facts.hospital_days": "refusal.settlement_fact_unknown"}
