"""The worked settlements, A to K: what each product's terms give, and why (norm 2.2.3, 2.2.4)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from lipei.domain.claims import Exposure
from lipei.domain.events import Refusal
from lipei.domain.limits import Draw, PolicyLedger, draw
from lipei.domain.policies import Policy
from lipei.domain.settlement import (
    Accident,
    Loss,
    Settlement,
    across_policies,
    due,
    loss_of,
    replay,
    settle,
    settle_together,
)
from lipei.norms.products import shipped

LOSS_AT = datetime(2026, 6, 1, 2, tzinfo=UTC)
ACCIDENT = Accident("C1", LOSS_AT, "CNY")
EMPTY = PolicyLedger(1)


def policy(product: str, **schedule: Mapping[str, Any]) -> Policy:
    return Policy(
        id=1,
        number="P1",
        product=product,
        terms_version=1,
        currency="CNY",
        starts_at=datetime(2026, 1, 1, tzinfo=UTC),
        ends_at=datetime(2027, 1, 1, tzinfo=UTC),
        schedule=schedule,
    )


CAR = policy(
    "private_car",
    compulsory_property={},
    compulsory_medical={},
    compulsory_death_disability={},
    own_damage={"sum_insured_minor": 15_000_000, "deductible_minor": 50_000},
    third_party={"limit_minor": 100_000_000, "deductible_rate": 5},
    driver_passenger={"seat_limit_minor": 1_000_000},
)
MEDICAL = policy("medical", medical_expense={"limit_minor": 500_000, "deductible_minor": 100_000, "pay_rate": "80%"})
HOME = policy("household", building={"sum_insured_minor": 30_000_000, "deductible_minor": 100_000})


def item(claimed: int, assessed: int | None = None, **more: Any) -> dict[str, Any]:
    return {"code": "repair", "claimed_minor": claimed, "assessed_minor": assessed, **more}


def terms(product: str) -> Any:
    found = shipped().on(product, LOSS_AT.date())
    assert found is not None
    return found


def one(of: Policy, loss: Loss, *related: Loss, ledger: PolicyLedger = EMPTY) -> Settlement:
    found = settle(terms=terms(of.product), policy=of, accident=ACCIDENT, loss=loss, related=related, ledger=ledger)
    assert isinstance(found, Settlement), found
    return found


def together(of: Policy, *losses: Loss, ledger: PolicyLedger = EMPTY) -> Mapping[int, Settlement]:
    found = settle_together(terms=terms(of.product), policy=of, accident=ACCIDENT, losses=losses, ledger=ledger)
    assert not isinstance(found, Refusal), found
    return found


def refused(of: Policy, loss: Loss, *related: Loss, accident: Accident = ACCIDENT) -> Refusal:
    found = settle(terms=terms(of.product), policy=of, accident=accident, loss=loss, related=related, ledger=EMPTY)
    assert isinstance(found, Refusal), found
    return found


def afters(settlement: Settlement, *steps: str) -> list[int]:
    return [line.after_minor for line in settlement.lines if not steps or line.step in steps]


def own_damage(*items: Mapping[str, Any], **facts: Any) -> Loss:
    return Loss(1, "own_damage", "collision", facts=facts, items=items)


@pytest.mark.norm("2.2.3")
def test_case_a_own_damage() -> None:
    settlement = one(CAR, own_damage(item(120_000), item(80_000), item(65_000), salvage_minor=5_000))
    assert afters(settlement) == [265_000, 260_000, 260_000, 260_000, 210_000]
    assert settlement.payable_minor == 210_000
    assert [line.cut_minor for line in settlement.lines] == [0, 5_000, 0, 0, 50_000]
    assert [line.clause for line in settlement.lines] == ["D5", "D12", "D12", "D14", "D15"]


@pytest.mark.norm("2.2.3")
def test_case_b_compulsory_first_then_commercial_by_fault() -> None:
    found = together(
        CAR,
        Loss(1, "compulsory_property", "third_party_property", 2, {"fault_percent": 70}, [item(900_000)]),
        Loss(2, "third_party", "third_party_property", 2, {"fault_percent": 70}, [item(900_000)]),
    )
    assert found[1].payable_minor == 200_000
    assert afters(found[2]) == [900_000, 700_000, 490_000, 490_000, 465_500]
    assert found[1].payable_minor + found[2].payable_minor == 665_500


def test_case_b_with_the_compulsory_cover_at_another_insurer() -> None:
    facts = {"fault_percent": 70, "compulsory_paid_minor": 200_000}
    settlement = one(CAR, Loss(2, "third_party", "third_party_property", 2, facts, [item(900_000)]))
    assert settlement.payable_minor == 465_500


def test_without_knowing_what_compulsory_cover_pays_nothing_is_said() -> None:
    loss = Loss(2, "third_party", "third_party_property", 2, {"fault_percent": 70}, [item(900_000)])
    other_claimant = Loss(1, "compulsory_property", "third_party_property", 9, {"fault_percent": 70}, [item(1)])
    for refusal in (refused(CAR, loss), refused(CAR, loss, other_claimant)):
        assert refusal.fields == {"facts.compulsory_paid_minor": "refusal.settlement_fact_missing"}


def medical(*items: Mapping[str, Any], **facts: Any) -> Loss:
    return Loss(1, "medical_expense", "illness_medical", facts=facts, items=items)


@pytest.mark.norm("2.2.3")
def test_case_c_medical_with_social_insurance_and_the_years_limit() -> None:
    settlement = one(
        MEDICAL,
        medical(item(1_740_000), item(124_035, excluded="not_eligible"), social_insurance_minor=920_000),
    )
    assert afters(settlement) == [1_864_035, 1_740_000, 820_000, 820_000, 720_000, 576_000, 500_000]
    last = settlement.lines[-1]
    assert (last.kind, last.cut_minor, last.params["left_minor"]) == ("limit", 76_000, 500_000)
    assert settlement.excluded == ({"item": 2, "exclusion": "not_eligible", "amount_minor": 124_035},)
    assert [(d.limit, d.period, d.amount_minor) for d in settlement.draws] == [("medical_year", "2026-01-01", 500_000)]


@pytest.mark.norm("2.2.3")
@pytest.mark.parametrize(("days", "payable"), [(12, 135_000), (3, 0), (0, 0), (183, 2_700_000), (400, 2_700_000)])
def test_case_d_hospital_allowance(days: int, payable: int) -> None:
    of = policy("personal_accident", hospital_allowance={"daily_minor": 15_000})
    settlement = one(of, Loss(1, "hospital_allowance", "hospital_allowance", facts={"hospital_days": days}))
    assert settlement.payable_minor == payable
    assert afters(settlement)[0] == days * 15_000


@pytest.mark.norm("2.2.3")
def test_case_e_household_in_proportion_with_the_deductible_after_the_ratio() -> None:
    settlement = one(HOME, Loss(1, "building", "fire", facts={"value_minor": 40_000_000}, items=[item(5_000_000)]))
    assert afters(settlement, "under_insurance", "deductible") == [3_750_000, 3_650_000]
    assert settlement.payable_minor == 3_650_000
    ratio = next(line for line in settlement.lines if line.step == "under_insurance")
    assert ratio.params["rate_ppm"] == 750_000


@pytest.mark.norm("2.2.3")
def test_a_proportion_that_is_no_round_rate_stands_as_a_fraction_that_gives_the_same_sum() -> None:
    found = one(HOME, Loss(1, "building", "fire", facts={"value_minor": 45_000_000}, items=[item(300_000_000)]))
    line = next(line for line in found.lines if line.text == "settlement.under_insurance")
    assert "rate_ppm" not in line.params and line.params["rate"] == "2/3"
    assert line.before_minor * 2 // 3 == line.after_minor == 30_000_000


def test_a_home_insured_for_its_value_is_not_reduced() -> None:
    settlement = one(HOME, Loss(1, "building", "fire", facts={"value_minor": 30_000_000}, items=[item(5_000_000)]))
    assert settlement.payable_minor == 4_900_000
    assert "settlement.under_insurance.none" in [line.text for line in settlement.lines]


def test_a_home_insured_for_more_than_its_value_is_paid_no_more_than_that() -> None:
    """保险法 55 and 56: what is insured beyond the value is void, with one policy and with two."""
    of = policy("household", building={"sum_insured_minor": 50_000_000, "deductible_minor": 0})
    loss = Loss(1, "building", "fire", facts={"value_minor": 40_000_000}, items=[item(45_000_000)])
    found = one(of, loss)
    assert (found.loss_minor, found.payable_minor) == (40_000_000, 40_000_000)
    cut = next(line for line in found.lines if line.text == "settlement.under_insurance.value")
    assert (cut.cut_minor, cut.clause) == (5_000_000, "F11")
    assert found.needs_person == ("settlement.person.assessment",)
    other = {**loss.facts, "other_policies": [{"would_pay_minor": 40_000_000}]}
    assert one(of, replace(loss, facts=other)).payable_minor == 20_000_000


@pytest.mark.norm("2.2.4")
def test_case_g_an_advance_is_set_off_and_never_becomes_a_negative_payment() -> None:
    assert due(final_minor=5_230_000, advanced_minor=2_000_000) == (3_230_000, 0)
    assert due(final_minor=1_800_000, advanced_minor=2_000_000) == (0, 200_000)
    assert due(final_minor=2_000_000, advanced_minor=2_000_000) == (0, 0)
    with pytest.raises(ValueError, match="negative"):
        due(final_minor=-1, advanced_minor=0)


@pytest.mark.norm("2.2.3")
@pytest.mark.parametrize(
    ("method", "sums", "shares"),
    [
        ("by_payment", (), (500_000, 500_000)),
        ("by_sum_insured", (3, 1), (750_000, 250_000)),
        ("by_sum_insured", (99, 1), (800_000, 200_000)),
        ("after_others", (), (200_000, 800_000)),
    ],
)
def test_case_h_two_policies_never_pay_more_than_the_loss(
    method: str, sums: tuple[int, ...], shares: tuple[int, ...]
) -> None:
    split = across_policies(
        loss_minor=1_000_000, would_pay_minor=(800_000, 800_000), method=method, sums_insured_minor=sums
    )
    assert split == shares


def test_case_h_in_the_terms_of_a_household_policy() -> None:
    of = policy("household", building={"sum_insured_minor": 80_000_000, "deductible_minor": 200_000})
    facts = {"value_minor": 80_000_000, "other_policies": [{"would_pay_minor": 800_000}]}
    settlement = one(of, Loss(1, "building", "fire", facts=facts, items=[item(1_000_000)]))
    assert settlement.payable_minor == 500_000
    last = settlement.lines[-1]
    assert (last.before_minor, last.params["others_minor"], last.params["share_minor"]) == (800_000, 500_000, 500_000)
    assert settlement.needs_person == ("settlement.person.other_cover",)


@pytest.mark.norm("2.2.3")
@pytest.mark.parametrize("first", ["A", "B"])
def test_case_i_two_claims_of_one_year_decided_at_the_same_moment(first: str) -> None:
    """Both see 5,000 left. One commits, the other finds the ledger moved, settles again and gets the rest."""
    loss = medical(item(600_000))
    assert one(MEDICAL, loss).payable_minor == 400_000
    wanted = one(MEDICAL, loss).draws
    events = draw(ledger=EMPTY, claim_number=first, exposure=1, wanted=wanted, currency="CNY")
    assert not isinstance(events, Refusal)
    ledger = EMPTY.after(events)
    second = one(MEDICAL, loss, ledger=ledger)
    assert second.payable_minor == 100_000
    assert second.lines[-1].cut_minor == 300_000


def injured(exposure: int, claimant: int, amount: int, **facts: Any) -> Loss:
    facts = {"fault_percent": 100, **facts}
    return Loss(exposure, "compulsory_medical", "third_party_injury", claimant, facts, [item(amount)])


@pytest.mark.norm("2.2.3")
def test_case_j_victims_share_a_limit_in_proportion_and_heads_do_not_borrow() -> None:
    found = together(
        CAR,
        injured(1, 1, 1_200_000),
        injured(2, 2, 2_400_000),
        Loss(3, "compulsory_property", "third_party_property", 1, {"fault_percent": 100}, [item(900_000)]),
        Loss(4, "compulsory_death_disability", "third_party_injury", 2, {"fault_percent": 100}, [item(5_000_000)]),
    )
    assert [found[n].payable_minor for n in (1, 2, 3, 4)] == [600_000, 1_200_000, 200_000, 5_000_000]
    assert found[1].lines[-1].text == "settlement.limit.shared"
    assert found[1].needs_person == ()


def test_case_j_lower_limits_when_not_at_fault() -> None:
    def head(cover: str, peril: str) -> int:
        return one(CAR, Loss(1, cover, peril, 1, {"fault_percent": 0}, [item(50_000_000)])).payable_minor

    assert head("compulsory_death_disability", "third_party_injury") == 1_800_000
    assert head("compulsory_medical", "third_party_injury") == 180_000
    assert head("compulsory_property", "third_party_property") == 10_000


def test_case_j_the_commercial_cover_takes_what_the_shared_limit_left_open() -> None:
    found = together(
        CAR,
        injured(1, 1, 1_200_000),
        injured(2, 2, 2_400_000),
        Loss(3, "third_party", "third_party_injury", 1, {"fault_percent": 100}, [item(1_200_000)]),
        Loss(4, "third_party", "third_party_injury", 2, {"fault_percent": 100}, [item(2_400_000)]),
    )
    assert [found[n].payable_minor for n in (3, 4)] == [570_000, 1_140_000]


def test_what_compulsory_cover_paid_is_taken_off_once_over_several_losses_of_one_claimant() -> None:
    compulsory = Loss(1, "compulsory_property", "third_party_property", 2, {"fault_percent": 100}, [item(900_000)])
    car = Loss(2, "third_party", "third_party_property", 2, {"fault_percent": 100}, [item(600_000)])
    fence = Loss(3, "third_party", "third_party_property", 2, {"fault_percent": 100}, [item(300_000)])
    found = together(CAR, compulsory, car, fence)
    assert sum(afters(found[n], "excess")[0] for n in (2, 3)) == 700_000


def test_a_victim_who_is_not_assessed_yet_keeps_a_place_by_the_estimate() -> None:
    waiting = Loss(2, "compulsory_medical", "third_party_injury", 2, estimate_minor=2_400_000)
    settlement = one(CAR, injured(1, 1, 1_200_000), waiting)
    assert settlement.payable_minor == 600_000
    assert settlement.provisional
    assert settlement.needs_person == ("settlement.person.provisional",)


def test_an_estimate_that_fits_beside_makes_nothing_provisional() -> None:
    waiting = Loss(2, "compulsory_medical", "third_party_injury", 2, estimate_minor=100_000)
    settlement = one(CAR, injured(1, 1, 1_200_000), waiting)
    assert (settlement.payable_minor, settlement.provisional) == (1_200_000, False)


def test_a_victim_settled_before_is_not_touched() -> None:
    drawn = one(CAR, injured(1, 1, 1_200_000))
    events = draw(ledger=EMPTY, claim_number="C1", exposure=1, wanted=drawn.draws, currency="CNY")
    assert not isinstance(events, Refusal)
    before = Loss(1, "compulsory_medical", "third_party_injury", 1, settled_minor=drawn.payable_minor)
    later = one(CAR, injured(2, 2, 2_400_000), before, ledger=EMPTY.after(events))
    assert later.payable_minor == 600_000
    assert later.lines[-1].text == "settlement.limit.share", "what is left is a share: the rest is another victim's"
    assert later.lines[-1].params["sharers"] == 2
    assert replay(terms=terms(CAR.product), settlement=later.as_dict()) == later
    same = replace(before, claimant=2)
    assert one(CAR, injured(2, 2, 2_400_000), same, ledger=EMPTY.after(events)).lines[-1].text == "settlement.limit"
    assert one(CAR, injured(2, 2, 400_000), before, ledger=EMPTY.after(events)).lines[-1].text.endswith("share.none")


def test_victims_who_state_different_fault_are_refused() -> None:
    refusal = refused(CAR, injured(1, 1, 100), injured(2, 2, 100, fault_percent=0))
    assert refusal.code == "refusal.settlement_limits_differ"


@pytest.mark.norm("2.2.3")
@pytest.mark.parametrize(
    ("loss", "of", "needs"),
    [
        (own_damage(item(265_000)), CAR, ()),
        (own_damage(item(99_000_000)), CAR, ()),
        (medical(item(9_000_000)), MEDICAL, ()),
        (medical(item(100), item(50, excluded="not_eligible")), MEDICAL, ("exclusion",)),
        (own_damage(item(265_000), exclusion="race"), CAR, ("exclusion",)),
        (own_damage(item(0, 0, excluded="wear"), item(265_000)), CAR, ("exclusion",)),
        (own_damage(item(265_000), drunk_driving=True), CAR, ("possible_exclusion",)),
        (own_damage(item(265_000, 200_000)), CAR, ("assessment",)),
        (own_damage(item(100, 50), item(50, 100)), CAR, ("above_claimed", "assessment")),
        (own_damage(item(265_000, 265_000, standard_minor=1)), CAR, ("above_standard",)),
        (own_damage(item(265_000), salvage_minor=1), CAR, ("subtraction",)),
    ],
)
def test_case_k_a_machine_cuts_by_deductible_ratio_or_limit_only(
    loss: Loss, of: Policy, needs: tuple[str, ...]
) -> None:
    assert one(of, loss).needs_person == tuple(f"settlement.person.{code}" for code in needs)


def test_an_exclusion_of_the_whole_loss_leaves_nothing_and_shows_why() -> None:
    settlement = one(CAR, own_damage(item(265_000), exclusion="race"))
    assert settlement.payable_minor == 0
    cut = next(line for line in settlement.lines if line.kind == "exclusion")
    assert (cut.cut_minor, cut.clause, cut.params["exclusion"]) == (265_000, "D8", "race")


@pytest.mark.parametrize(
    ("grade", "payable"), [("1", 100_000_00), ("2", 90_000_00), ("7", 40_000_00), ("10", 10_000_00)]
)
def test_disability_by_the_table_of_ten_grades(grade: str, payable: int) -> None:
    of = policy("personal_accident", disability={"sum_insured_minor": 100_000_00})
    settlement = one(of, Loss(1, "disability", "disability", facts={"disability_grade": grade}))
    assert settlement.payable_minor == payable


def test_death_after_disability_stays_within_the_sum_insured() -> None:
    sums = {"sum_insured_minor": 10_000_000}
    of = policy("personal_accident", disability=sums, accidental_death=sums)
    grade = one(of, Loss(1, "disability", "disability", facts={"disability_grade": "8"}))
    events = draw(ledger=EMPTY, claim_number="C0", exposure=1, wanted=grade.draws, currency="CNY")
    assert not isinstance(events, Refusal)
    facts = {"earlier_benefit_minor": grade.payable_minor}
    death = one(of, Loss(1, "accidental_death", "accidental_death", facts=facts), ledger=EMPTY.after(events))
    forgotten = one(of, Loss(1, "accidental_death", "accidental_death"), ledger=EMPTY.after(events))
    assert death.payable_minor == forgotten.payable_minor == 7_000_000


def test_treatment_after_an_accident_is_paid_better_with_social_insurance() -> None:
    of = policy("personal_accident", accident_medical={"limit_minor": 2_000_000})

    def paid(**facts: Any) -> int:
        return one(
            of, Loss(1, "accident_medical", "accident_medical", facts=facts, items=[item(110_000)])
        ).payable_minor

    assert paid() == 80_000
    assert paid(used_social_insurance=True) == 100_000


@pytest.mark.parametrize(("hours", "payable"), [(3, 0), (4, 30_000), (11, 60_000), (40, 90_000)])
def test_a_late_journey_is_paid_by_full_blocks(hours: int, payable: int) -> None:
    of = policy("travel", trip_delay={})
    assert one(of, Loss(1, "trip_delay", "trip_delay", facts={"delay_hours": hours})).payable_minor == payable


def test_baggage_with_a_limit_per_article_and_the_higher_deductible() -> None:
    of = policy("travel", baggage={"sum_insured_minor": 800_000})
    settlement = one(of, Loss(1, "baggage", "baggage_loss", items=[item(350_000), item(150_000)]))
    assert afters(settlement, "items", "cap_items", "deductible_higher") == [500_000, 350_000, 315_000]
    little = one(of, Loss(1, "baggage", "baggage_loss", items=[item(50_000)]))
    assert little.payable_minor == 40_000


def test_passengers_are_paid_per_seat_by_fault() -> None:
    settlement = one(CAR, Loss(1, "driver_passenger", "collision", 1, {"fault_percent": 50}, [item(3_000_000)]))
    assert settlement.payable_minor == 1_000_000


def test_illness_in_the_waiting_period_goes_to_a_person() -> None:
    early = Accident("C1", datetime(2026, 1, 30, tzinfo=UTC), "CNY")
    accident = Loss(1, "medical_expense", "accident_medical", items=[item(300_000)])
    found = [
        settle(terms=terms("medical"), policy=MEDICAL, accident=early, loss=loss, ledger=EMPTY)
        for loss in (medical(item(300_000)), accident)
    ]
    assert [one.needs_person for one in found if isinstance(one, Settlement)] == [
        ("settlement.person.waiting_period",),
        (),
    ]


def test_a_loss_abroad_goes_to_a_person() -> None:
    abroad = Accident("C1", LOSS_AT, "CNY", country="LA")
    found = settle(
        terms=terms("private_car"), policy=CAR, accident=abroad, loss=own_damage(item(265_000)), ledger=EMPTY
    )
    assert isinstance(found, Settlement)
    assert found.needs_person == ("settlement.person.territory",)


@pytest.mark.parametrize(
    ("loss", "fields"),
    [
        (own_damage(), {"items": "items_missing"}),
        (own_damage(item(-1)), {"items.1.claimed_minor": "amount"}),
        (own_damage(item(10**16)), {"items.1.claimed_minor": "amount"}),
        (own_damage({"claimed_minor": 1.5}), {"items.1.claimed_minor": "amount"}),
        (own_damage({"what": "door"}), {"items.1.claimed_minor": "fact_missing"}),
        (own_damage({"claimed_minor": 1, "price": 2}), {"items.1.price": "fact_unknown"}),
        (own_damage(item(1, excluded="dental")), {"items.1.excluded": "exclusion_unknown"}),
        (own_damage(item(1), exclusion="dental"), {"facts.exclusion": "exclusion_unknown"}),
        (own_damage(item(1), salvage=1), {"facts.salvage": "fact_unknown"}),
        (own_damage(item(1), salvage_minor=-1), {"facts.salvage_minor": "fact_range"}),
        (own_damage(item(1), salvage_minor="1.00"), {"facts.salvage_minor": "fact_form"}),
        (own_damage(item(1), drunk_driving="no"), {"facts.drunk_driving": "fact_form"}),
        (
            Loss(1, "compulsory_medical", "third_party_injury", 1, {"fault_percent": 101}, [item(1)]),
            {"facts.fault_percent": "fact_range"},
        ),
        (
            Loss(1, "compulsory_medical", "third_party_injury", 1, {"fault_percent": -1}, [item(1)]),
            {"facts.fault_percent": "fact_percent"},
        ),
        (
            Loss(1, "compulsory_medical", "third_party_injury", 1, {}, [item(-1)]),
            {"facts.fault_percent": "fact_missing", "items.1.claimed_minor": "amount"},
        ),
    ],
)
def test_what_is_wrong_is_named_all_at_once(loss: Loss, fields: dict[str, str]) -> None:
    refusal = refused(CAR, loss)
    assert (refusal.code, refusal.kind) == ("refusal.fields", "fields")
    assert refusal.fields == {field: f"refusal.settlement_{code}" for field, code in fields.items()}


def test_wrong_fields_of_a_related_loss_carry_its_number() -> None:
    refusal = refused(CAR, injured(1, 1, 100), injured(2, 2, -100))
    assert refusal.fields == {"exposures.2.items.1.claimed_minor": "refusal.settlement_amount"}


def test_losses_that_cannot_matter_are_not_asked_about() -> None:
    assert one(CAR, own_damage(item(265_000)), injured(2, 2, -100)).payable_minor == 215_000


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"loss_at": datetime(2027, 1, 1, tzinfo=UTC)}, "not_in_force"),
        ({"loss_at": datetime(2025, 12, 31, 23, tzinfo=UTC)}, "not_in_force"),
        ({"currency": "USD"}, "currency"),
    ],
)
def test_what_no_terms_can_answer(changes: dict[str, Any], code: str) -> None:
    accident = Accident(**{"claim_number": "C1", "loss_at": LOSS_AT, "currency": "CNY", **changes})
    assert refused(CAR, own_damage(item(1)), accident=accident).code == f"refusal.settlement_{code}"


def test_a_cover_not_bought_and_a_peril_not_covered() -> None:
    bare = policy("private_car", compulsory_property={})
    assert refused(bare, own_damage(item(1))).code == "refusal.settlement_cover"
    assert refused(CAR, Loss(1, "own_damage", "water", items=[item(1)])).code == "refusal.settlement_peril"
    assert refused(CAR, Loss(1, "nonsense", "water", items=[item(1)])).code == "refusal.settlement_cover"


def test_terms_of_another_product_are_refused() -> None:
    found = settle(terms=terms("medical"), policy=CAR, accident=ACCIDENT, loss=own_damage(item(1)), ledger=EMPTY)
    assert isinstance(found, Refusal)
    assert found.code == "refusal.settlement_product"


def test_an_exposure_takes_part_by_its_state() -> None:
    rows = ({"claimed_minor": 500},)
    parts = {"cover": "own_damage", "peril": "collision", "reserve_minor": 900, "payable_minor": 400}
    bare = Exposure(part=3, **parts)  # type: ignore[arg-type]
    assessed = Exposure(part=3, items=rows, **parts)  # type: ignore[arg-type]
    decided = replace(assessed, state="approved")
    found = [loss_of(exposure) for exposure in (bare, assessed, decided)]
    assert [(one.estimate_minor, one.settled_minor) for one in found if one] == [(900, None), (None, None), (None, 400)]
    again = [loss_of(exposure, calculate=True) for exposure in (bare, decided)]
    assert [(one.estimate_minor, one.settled_minor) for one in again if one] == [(None, None), (None, None)]
    assert loss_of(replace(bare, state="refused")) is None
    assert loss_of(replace(bare, cover="")) is None


# --- more of each, worked by hand: (policy, losses in the order of their numbers, what each is paid) ---


def car(third: int | str = 0, limit: int = 100_000_000) -> Policy:
    return replace(CAR, schedule={**CAR.schedule, "third_party": {"limit_minor": limit, "deductible_rate": third}})


def motor(cover: str, *amounts: int, fault: int | str = 100, **facts: Any) -> list[Loss]:
    """One loss per amount, each of another claimant from 1."""
    peril = "third_party_property" if cover.endswith(("property", "party")) else "third_party_injury"
    facts = {"fault_percent": fault, **facts}
    return [Loss(n, cover, peril, n, facts, [item(amount)]) for n, amount in enumerate(amounts, 1)]


def cost(pay_rate: str = "100%", deductible: int = 0, limit: int = 500_000) -> Policy:
    bought = {"limit_minor": limit, "deductible_minor": deductible, "pay_rate": pay_rate}
    return policy("medical", medical_expense=bought)


def home(insured: int, deductible: int = 0) -> Policy:
    return policy("household", building={"sum_insured_minor": insured, "deductible_minor": deductible})


def burnt(amount: int, value: int, *others: int) -> list[Loss]:
    facts = {"value_minor": value, "other_policies": [{"would_pay_minor": other} for other in others]}
    return [Loss(1, "building", "fire", facts=facts, items=[item(amount)])]


THINGS = policy("household", contents={"sum_insured_minor": 5_000_000, "deductible_minor": 20_000})
TRIP = policy(
    "travel",
    baggage={"sum_insured_minor": 800_000},
    baggage_delay={},
    travel_medical={"limit_minor": 20_000_000, "deductible_minor": 10_000},
)
HURT = policy(
    "personal_accident",
    disability={"sum_insured_minor": 10_000_000},
    accidental_death={"sum_insured_minor": 10_000_000},
    accident_medical={"limit_minor": 2_000_000},
)


def rated(grade: str, exposure: int = 1, **facts: Any) -> Loss:
    return Loss(exposure, "disability", "disability", 1, {"disability_grade": grade, **facts})


def bags(*items: dict[str, Any], **facts: Any) -> list[Loss]:
    return [Loss(1, "baggage", "baggage_loss", facts=facts, items=items)]


def seat(fault: int, amount: int, **facts: Any) -> Loss:
    return Loss(1, "driver_passenger", "collision", 1, {"fault_percent": fault, **facts}, [item(amount)])


def treated(cover: str, amount: int, **facts: Any) -> Loss:
    return Loss(1, cover, cover, facts=facts, items=[item(amount)])


def late(cover: str, hours: int) -> list[Loss]:
    return [Loss(1, cover, cover, facts={"delay_hours": hours})]


@pytest.mark.norm("2.2.3")
@pytest.mark.parametrize(
    ("of", "losses", "payable"),
    [
        # own damage
        (CAR, [own_damage(item(10_000), salvage_minor=20_000)], [0]),  # salvage worth more than the loss
        (CAR, [own_damage(item(0))], [0]),
        (CAR, [own_damage(item(50_000))], [0]),
        (CAR, [own_damage(item(50_001))], [1]),
        (CAR, [own_damage(item(20_000_000))], [14_950_000]),  # the sum insured first, then the deductible
        (CAR, [own_damage(item(300_000, excluded="wear"), item(10_000), salvage_minor=50_000)], [0]),
        # compulsory limits, shared by who is hurt
        (CAR, motor("compulsory_medical", 1_000_000, 2_000_000, 600_000), [500_000, 1_000_000, 300_000]),
        (CAR, motor("compulsory_medical", 700_001, 700_001, 700_001), [600_000] * 3),
        (CAR, motor("compulsory_property", 90_000, 90_000, 90_000), [66_667, 66_667, 66_666]),
        (CAR, motor("compulsory_property", 90_000, 90_000, 90_000, fault=0), [3_334, 3_333, 3_333]),
        (CAR, motor("compulsory_death_disability", 9_000_000, 9_000_001), [9_000_000, 9_000_000]),
        # the commercial cover over it, by fault
        (CAR, motor("third_party", 150_000, fault=70, compulsory_paid_minor=200_000), [0]),
        (CAR, motor("third_party", 900_000, fault=0, compulsory_paid_minor=10_000), [0]),
        (car(), motor("third_party", 900_000, fault="33.3333", compulsory_paid_minor=200_000), [233_333]),
        (car(5, 400_000), motor("third_party", 900_000, fault=70, compulsory_paid_minor=200_000), [380_000]),
        (car(0, 900_000), motor("third_party", 1_200_000, 600_000, compulsory_paid_minor=0), [600_000, 300_000]),
        # 7,999.99 by half is 3,999.995
        (CAR, [seat(50, 900_000, other_payment_minor=100_001)], [400_000]),
        # medical
        (cost("80%"), [medical(item(3_333))], [2_666]),
        (cost("50%"), [medical(item(1))], [1]),
        (cost("80%", 100_000), [medical(item(90_000), social_insurance_minor=100_000)], [0]),
        (cost(), [medical(item(400_000)), replace(medical(item(600_000)), exposure=2)], [200_000, 300_000]),
        # accident
        (HURT, [rated("8", same_grade_twice=True)], [4_000_000]),  # two of grade 8 count as 7
        (HURT, [rated("1", same_grade_twice=True)], [10_000_000]),  # nothing is above grade 1
        (HURT, [rated("2", same_grade_twice=True)], [10_000_000]),
        (HURT, [rated("8"), Loss(2, "accidental_death", "accidental_death", 1)], [3_000_000, 7_000_000]),
        (HURT, [treated("accident_medical", 110_000, used_social_insurance=True, social_insurance_minor=60_000)], [40_000]),
        # household
        (home(10_000_000), burnt(10_000, 30_000_000), [3_333]),
        (home(20_000_000), burnt(10_000, 30_000_000), [6_667]),
        (home(30_000_000, 100_000), burnt(40_000_000, 40_000_000), [29_900_000]),
        (home(30_000_000, 100_000), burnt(25_000_000, 20_000_000), [19_900_000]),  # insured for more than it is worth
        (home(30_000_000), burnt(900_000, 30_000_000, 900_000, 450_000), [360_000]),
        (home(30_000_000), burnt(900_000, 60_000_000, 400_000), [450_000]),  # together less than the loss
        (THINGS, [Loss(1, "contents", "theft", facts={"value_minor": 5_000_000}, items=[
            {"code": "jewellery", "claimed_minor": 900_000}, item(100_000), {"code": "watch", "claimed_minor": 300_000}])], [880_000]),
        (THINGS, [Loss(1, "contents", "theft", facts={"value_minor": 5_000_000}, items=[
            {"code": "jewellery", "claimed_minor": 900_000, "excluded": "cash"}, item(100_000)])], [80_000]),
        # travel
        (TRIP, bags(item(99_999)), [89_999]),  # the fixed first amount is higher
        (TRIP, bags(item(100_000)), [90_000]),
        (TRIP, bags(*[item(200_000)] * 6), [800_000]),
        (TRIP, bags(item(150_000), other_payment_minor=140_001), [0]),
        (TRIP, bags(item(100_000), other_policies=[{"would_pay_minor": 90_000, "sum_insured_minor": 400_000}]), [66_667]),
        (TRIP, late("baggage_delay", 5), [0]),
        (TRIP, late("baggage_delay", 12), [100_000]),
        (TRIP, late("baggage_delay", 48), [100_000]),
        (TRIP, [treated("travel_medical", 500_000, social_insurance_minor=20_000)], [470_000]),
    ],
)  # fmt: skip
def test_worked_by_hand(of: Policy, losses: list[Loss], payable: list[int]) -> None:
    found = together(of, *losses)
    assert [found[loss.exposure].payable_minor for loss in losses] == payable
    for settlement in found.values():
        again = replay(terms=terms(of.product), settlement=settlement.as_dict())
        assert (
            again.payable_minor
            == settlement.payable_minor
            == sum(line.after_minor - line.before_minor for line in settlement.lines)
        )


def test_several_injuries_of_one_person_entered_apart_go_to_a_person() -> None:
    found = together(HURT, rated("8"), rated("9", 2))
    assert all("settlement.person.second_grade" in one.needs_person for one in found.values())
    raised = one(HURT, rated("8", same_grade_twice=True)).lines
    line = next(line for line in raised if line.step == "grade")
    assert (line.text, line.params["found"], line.params["grade"]) == ("settlement.grade.raised", "8", "7")


def test_a_victim_of_whom_nobody_knows_the_size_leaves_the_others_provisional() -> None:
    unknown = loss_of(Exposure(part=2, cover="compulsory_medical", peril="third_party_injury", claimant=2))
    assert unknown is not None and unknown.estimate_minor is None
    settlement = one(CAR, injured(1, 1, 100_000), unknown)
    assert settlement.provisional and settlement.payable_minor == 100_000


@pytest.mark.parametrize(
    ("fault", "payable"),
    [
        (1, 6_650),
        (30, 199_500),
        (40, 266_000),
        (50, 315_000),
        (51, 303_450),
        (70, 416_500),
        (99, 589_050),
        (100, 560_000),
    ],
)
def test_the_old_terms_keep_a_share_that_grows_with_the_fault(fault: int, payable: int) -> None:
    """Losses before 2020-09-19: 5 % for a minor share, 10 % for an equal one, 15 % for the main one, 20 % for all."""
    (loss,) = motor("third_party", 900_000, fault=fault, compulsory_paid_minor=200_000)
    old = shipped().version("private_car", 1)
    assert old is not None
    found = settle(terms=old, policy=car(), accident=ACCIDENT, loss=loss, ledger=EMPTY)
    assert isinstance(found, Settlement)
    assert found.payable_minor == payable
    assert replay(terms=old, settlement=found.as_dict()) == found


@pytest.mark.norm("2.2.3")
def test_an_old_settlement_keeps_the_terms_of_its_day() -> None:
    """The compulsory limits rose on 2020-09-19. What was settled before comes out the same today."""
    old = shipped().version("private_car", 1)
    new = shipped().on("private_car", datetime(2020, 9, 19, tzinfo=UTC).date())
    assert old and new and new.version == 2
    assert shipped().on("private_car", datetime(2020, 9, 18, tzinfo=UTC).date()) is old
    results = []
    for version in (old, new):
        found = settle(terms=version, policy=CAR, accident=ACCIDENT, loss=injured(1, 1, 9_999_999), ledger=EMPTY)
        assert isinstance(found, Settlement)
        assert replay(terms=version, settlement=found.as_dict()) == found
        results.append(found)
    assert [found.payable_minor for found in results] == [1_000_000, 1_800_000]
    with pytest.raises(ValueError, match="version 1 is needed"):
        replay(terms=new, settlement=results[0].as_dict())


def held(limit: str, minor: int) -> PolicyLedger:
    """A ledger in which exposure 1 of the claim holds something of a limit."""
    wanted = [Draw(limit, CAR.period_key("accident", instant=LOSS_AT, claim_number="C1"), minor, minor)]
    drawn = draw(ledger=EMPTY, claim_number="C1", exposure=1, wanted=wanted, currency="CNY")
    assert not isinstance(drawn, Refusal)
    return EMPTY.after(list(drawn))


@pytest.mark.parametrize(
    ("first", "second", "fault", "shares"),
    [
        (1_200_000, 1_000_000, 70, [1_200_000, 600_000]),  # what was given is kept, the other gets what is left
        (1_500_000, 1_000_000, 70, [1_338_462, 461_538]),  # both want more: in proportion to what is open
        (500_000, 1_000_000, 70, [500_000, 600_000]),  # what is too much is free once that is decided
        (1_200_000, 1_000_000, 0, [180_000, 0]),  # nobody is given beyond the limit, whatever was given once
    ],
)
def test_a_victim_who_was_paid_before_the_claim_was_reopened_keeps_it(
    first: int, second: int, fault: int, shares: list[int]
) -> None:
    """Case J: together never more than the limit, and each no more than the ledger will grant when it is decided."""
    losses = [
        Loss(n, "compulsory_medical", "third_party_injury", n, {"fault_percent": fault}, [item(amount)])
        for n, amount in ((1, first), (2, second))
    ]
    ledger = held("compulsory_medical", 1_200_000)
    found = together(CAR, *losses, ledger=ledger)
    assert [found[n].payable_minor for n in (1, 2)] == shares
    for n in (1, 2):
        drawn = draw(ledger=ledger, claim_number="C1", exposure=n, wanted=found[n].draws, currency="CNY")
        assert not isinstance(drawn, Refusal)
        granted = sum(u.amount_minor for u in ledger.after(list(drawn)).held(claim_number="C1", exposure=n))
        assert granted == found[n].payable_minor
