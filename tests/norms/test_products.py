"""Products as documents: what ships is whole, what makes no sense is refused in one sentence that says where."""

import copy
from collections.abc import Callable
from datetime import UTC, date, datetime
from string import Formatter
from typing import Any

import pytest

from lipei.domain.limits import PolicyLedger
from lipei.domain.money import Money
from lipei.domain.policies import Policy
from lipei.domain.settlement import Accident, Loss, Settlement, settle
from lipei.domain.settlement.steps import VOCABULARY
from lipei.norms import yaml_texts
from lipei.norms.errors import NormError
from lipei.norms.money import money_text, rate_text
from lipei.norms.products import FOLDER, catalogue, parse, shipped
from lipei.norms.settlement import explain
from lipei.norms.texts import LANGUAGES, text, texts

COVERS = {
    "private_car": [
        "compulsory_property", "compulsory_medical", "compulsory_death_disability", "own_damage", "third_party",
        "driver_passenger",
    ],
    "medical": ["medical_expense"],
    "personal_accident": ["disability", "accidental_death", "accident_medical", "hospital_allowance"],
    "household": ["building", "contents"],
    "travel": ["baggage", "baggage_delay", "trip_delay", "travel_medical"],
}  # fmt: skip


def document(name: str = "private_car-2") -> dict[str, Any]:
    return copy.deepcopy(yaml_texts.load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8")))


@pytest.mark.norm("2.2.3")
def test_the_products_that_ship() -> None:
    found = {code: list(latest.covers) for code in shipped().codes if (latest := shipped().latest(code))}
    assert found == dict(sorted(COVERS.items()))


@pytest.mark.parametrize(
    ("version", "limits"),
    [
        (
            1,
            {
                "property": (200_000, 10_000),
                "medical": (1_000_000, 100_000),
                "death_disability": (11_000_000, 1_100_000),
            },
        ),
        (
            2,
            {
                "property": (200_000, 10_000),
                "medical": (1_800_000, 180_000),
                "death_disability": (18_000_000, 1_800_000),
            },
        ),
    ],
)
def test_compulsory_limits_at_fault_and_not(version: int, limits: dict[str, tuple[int, int]]) -> None:
    terms = shipped().version("private_car", version)
    assert terms is not None
    for head, (at_fault, not_at_fault) in limits.items():
        amount = terms.limits[f"compulsory_{head}"].amount
        assert amount.otherwise is not None
        assert (amount.otherwise.value, amount.choices[0].value) == (at_fault, not_at_fault)


@pytest.mark.norm("2.2.3")
def test_the_terms_of_a_day_are_found() -> None:
    products = shipped()
    days = {date(2008, 1, 31): None, date(2008, 2, 1): 1, date(2020, 9, 18): 1, date(2020, 9, 19): 2}
    for day, version in days.items():
        terms = products.on("private_car", day)
        assert (terms.version if terms else None) == version
    assert products.on("unknown", date(2026, 1, 1)) is None
    assert products.version("private_car", 9) is None


def test_every_clause_that_ships_is_used() -> None:
    for terms in shipped().terms:
        used = {clause for cover in terms.covers.values() for clause in _clauses(cover)}
        assert used == set(terms.clauses), f"{terms.code} {terms.version}"


def _clauses(cover: Any) -> set[str]:
    return {cover.clause, *(s.clause for s in cover.steps), *(e.clause for e in cover.exclusions.values())}


def test_every_line_that_the_steps_can_give_has_its_sentence() -> None:
    always = {
        "settlement.items",
        "settlement.estimate",
        "settlement.benefit",
    }  # lines that move the sum or are not there
    always |= {"settlement.assessed", "settlement.under_insurance.value"}
    for key in list(texts()):
        if key.startswith("settlement.") and not key.startswith(("settlement.kind.", "settlement.person.")):
            base = key.removesuffix(".none")
            plain = base in always or (base.count(".") == 2 and "allowance" in base)
            assert plain or f"{base}.none" in texts(), key
    kinds = {operation.kind for operation in VOCABULARY.values()} | {"exclusion", "assessment"}
    assert all(f"settlement.kind.{kind}" in texts() for kind in kinds)


@pytest.mark.parametrize("key", [k for k in texts() if k.startswith(("settlement.", "norm_error.product", "money."))])
def test_the_three_languages_fill_the_same_places(key: str) -> None:
    places = [{name for _, name, _, _ in Formatter().parse(texts()[key][lang]) if name} for lang in LANGUAGES]
    if key.startswith("money.") and key != "money.other":
        places = [found - {"currency"} for found in places]
    assert places[0] == places[1] == places[2]


def _put(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(doc: dict[str, Any]) -> None:
        *way, last = path.split("/")
        here: Any = doc
        for part in way:
            here = here[int(part)] if isinstance(here, list) else here[part]
        if value is None:
            del here[last]
        elif isinstance(here, list):
            here[int(last)] = value
        else:
            here[last] = value

    return change


STEP = {"do": "deductible", "amount": "1.00", "clause": "D15"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (_put("line", None), "key_missing"),
        (_put("colour", "red"), "key_unknown"),
        (_put("currency", "XXX"), "value"),
        (_put("version", 0), "value"),
        (_put("version", True), "value"),
        (_put("valid_from", "2020-09-19"), "value"),
        (_put("rounding", "generously"), "value"),
        (_put("name", {"en": "Car"}), "wording"),
        (_put("clauses/D5/plain", {"zh-hans": "", "zh-hant": "x", "en": "x"}), "wording"),
        (_put("clauses/D15", None), "clause"),
        (_put("covers/own_damage/colour", 1), "key_unknown"),
        (_put("covers/own_damage/steps", []), "first_step"),
        (_put("covers/own_damage/steps/0", STEP), "first_step"),
        (_put("covers/own_damage/steps/4", {"do": "items", "clause": "D5"}), "first_step"),
        (_put("covers/own_damage/steps/4", {"do": "guess", "clause": "D5"}), "operation"),
        (_put("covers/own_damage/steps/4", {**STEP, "clause": "Z9"}), "clause"),
        (_put("covers/own_damage/steps/4", {**STEP, "amount": 1.0}), "value"),
        (_put("covers/own_damage/steps/4", {**STEP, "amount": "1.001"}), "value"),
        (
            _put(
                "covers/own_damage/steps/4",
                {**STEP, "amount": {"by": "salvage_minor", "bands": {}, "otherwise": "1.00"}},
            ),
            "value",
        ),
        (
            _put(
                "covers/own_damage/steps/4",
                {
                    **STEP,
                    "amount": {"by": "salvage_minor", "bands": {"9.00": "1.00", "8.00": "2.00"}, "otherwise": "1.00"},
                },
            ),
            "value",
        ),
        (
            _put(
                "covers/own_damage/steps/4",
                {**STEP, "amount": {"by": "drunk_driving", "bands": {"9.00": "1.00"}, "otherwise": "1.00"}},
            ),
            "figure",
        ),
        (_put("covers/own_damage/steps/4", {**STEP, "amount": "-1.00"}), "value"),
        (_put("covers/own_damage/steps/4", {**STEP, "rate": "5%"}), "key_unknown"),
        (_put("covers/own_damage/steps/4", {**STEP, "amount": {"fact": "nothing"}}), "figure"),
        (_put("covers/own_damage/steps/4", {**STEP, "amount": {"fact": "drunk_driving"}}), "figure"),
        (_put("covers/own_damage/steps/4", {**STEP, "amount": {"weather": "x"}}), "key_unknown"),
        (_put("covers/own_damage/steps/1/what", "luck"), "text"),
        (_put("covers/own_damage/steps/1/automatic", "yes"), "value"),
        (_put("covers/own_damage/facts/mood", {"type": "count"}), "text"),
        (_put("covers/own_damage/facts/salvage_minor/type", "float"), "value"),
        (_put("covers/own_damage/exclusions/race/fact", "salvage_minor"), "figure"),
        (_put("covers/own_damage/perils", []), "value"),
        (_put("covers/third_party/steps/3/limit", "other"), "limit"),
        (_put("limits/third_party", None), "limit"),
        (_put("limits/third_party/per", "month"), "value"),
        (_put("limits/third_party/amount", {"schedule": "deductible_rate"}), "figure"),
        (_put("limits/compulsory_property/amount/by", "mood"), "figure"),
        (_put("covers/third_party/steps/1/covers/third_party_injury", ["driver_passenger"]), "order"),
        (_put("covers/third_party/steps/1/covers/third_party_injury", None), "order"),
        (_put("covers/third_party/facts/compulsory_paid_minor/required", True), "figure"),
    ],
)
def test_a_document_that_makes_no_sense_is_refused_and_says_where(
    change: Callable[[dict[str, Any]], None], code: str
) -> None:
    doc = document()
    parse(doc)
    change(doc)
    with pytest.raises(NormError) as error:
        parse(doc)
    assert error.value.code == f"norm_error.product_{code}"
    for language in LANGUAGES:
        assert "private_car" in text(error.value.code, language, **error.value.params)


def test_not_even_a_mapping() -> None:
    with pytest.raises(NormError):
        parse([])  # type: ignore[arg-type]


def test_grades_and_their_rates_match() -> None:
    doc = document("personal_accident-1")
    del doc["covers"]["disability"]["steps"][1]["table"]["10"]
    with pytest.raises(NormError) as error:
        parse(doc)
    assert error.value.code == "norm_error.product_figure"


def test_versions_follow_each_other() -> None:
    later = document()
    later["version"] = 3
    later["valid_from"] = date(2026, 1, 1)
    assert [t.version for t in catalogue([later, document()]).terms] == [2, 3]
    for wrong in ({"version": 2}, {"valid_from": date(2020, 9, 19)}):
        with pytest.raises(NormError) as error:
            catalogue([{**later, **wrong}, document()])
        assert error.value.code == "norm_error.product_versions"


def test_amounts_and_rates_in_words() -> None:
    money = Money(123_456, "CNY")
    assert [money_text(money, lang) for lang in LANGUAGES] == ["1,234.56元", "人民幣1,234.56元", "CNY 1,234.56"]
    assert money_text(Money(5, "KWD"), "en") == "KWD 0.005"
    assert [rate_text(ppm) for ppm in (50_000, 333_333, 1_000_000, 0)] == ["5%", "33.3333%", "100%", "0%"]


@pytest.mark.norm("2.2.3")
def test_the_order_of_the_steps_is_the_documents() -> None:
    """Household, 50,000 lost: in proportion and then the deductible gives 36,500; the other way round 36,750."""
    doc = document("household-1")
    rows = doc["covers"]["building"]["steps"]
    facts = {"value_minor": 40_000_000}
    chosen = {"sum_insured_minor": 30_000_000, "deductible_minor": 100_000}
    as_shipped = settle_one(parse(doc), "building", "fire", facts, chosen, 5_000_000)
    rows[3], rows[5] = rows[5], rows[3]
    assert as_shipped.payable_minor == 3_650_000
    assert settle_one(parse(doc), "building", "fire", facts, chosen, 5_000_000).payable_minor == 3_675_000


@pytest.mark.norm("2.2.3")
def test_terms_may_let_a_machine_take_off_social_insurance_and_only_that() -> None:
    doc = document("medical-1")
    facts = {"social_insurance_minor": 100_000}
    chosen = {"limit_minor": 500_000}

    def needs(**more: int) -> tuple[str, ...]:
        found = settle_one(parse(doc), "medical_expense", "accident_medical", facts | more, chosen, 400_000)
        return found.needs_person

    assert needs() == ("settlement.person.subtraction",)
    doc["covers"]["medical_expense"]["steps"][1]["automatic"] = True
    assert needs() == ()
    assert needs(other_payment_minor=1) == ("settlement.person.subtraction",)


def settle_one(
    terms: Any, cover: str, peril: str, facts: dict[str, Any], schedule: dict[str, Any], claimed: int
) -> Settlement:
    policy = Policy(
        id=1,
        number="P1",
        product=terms.code,
        terms_version=terms.version,
        currency="CNY",
        starts_at=datetime(2026, 1, 1, tzinfo=UTC),
        ends_at=datetime(2027, 1, 1, tzinfo=UTC),
        schedule={cover: schedule},
    )
    found = settle(
        terms=terms,
        policy=policy,
        accident=Accident("C1", datetime(2026, 6, 1, tzinfo=UTC), "CNY"),
        loss=Loss(1, cover, peril, facts=facts, items=[{"claimed_minor": claimed}]),
        ledger=PolicyLedger(1),
    )
    assert isinstance(found, Settlement), found
    return found


def settlement(**facts: Any) -> tuple[Any, Settlement]:
    terms = shipped().latest("medical")
    assert terms is not None
    policy = Policy(
        id=1,
        number="P1",
        product="medical",
        terms_version=1,
        currency="CNY",
        starts_at=datetime(2026, 1, 1, tzinfo=UTC),
        ends_at=datetime(2027, 1, 1, tzinfo=UTC),
        schedule={"medical_expense": {"limit_minor": 500_000, "deductible_minor": 100_000}},
    )
    items = [{"claimed_minor": 1_740_000}, {"claimed_minor": 124_035, "excluded": "not_eligible"}]
    found = settle(
        terms=terms,
        policy=policy,
        accident=Accident("C1", datetime(2026, 6, 1, tzinfo=UTC), "CNY"),
        loss=Loss(1, "medical_expense", "illness_medical", facts=facts, items=items),
        ledger=PolicyLedger(1),
    )
    assert isinstance(found, Settlement)
    return terms, found


@pytest.mark.norm("2.2.4")
def test_the_make_up_of_a_sum_in_plain_words() -> None:
    terms, found = settlement(social_insurance_minor=920_000)
    lines = explain(terms=terms, settlement=found.as_dict(), language="en")
    assert [line.words for line in lines] == [
        "What you claimed comes to CNY 18,640.35 (number of items: 2)",
        "The policy does not pay for this part: drugs and services outside the agreed list; CNY 1,240.35 less",
        "Social insurance already paid CNY 9,200.00, so we count the rest",
        "Nobody else has paid for this loss",
        "The first CNY 1,000.00 is yours to pay: CNY 1,000.00 less",
        "The agreed share of 80% is paid",
        "The year's limit for treatment is CNY 5,000.00, of which CNY 5,000.00 is left: CNY 760.00 less",
    ]
    assert lines[-1].clause == "Medical expense terms, art. 11"
    assert (lines[-1].after, lines[-1].cut) == ("CNY 5,000.00", "CNY 760.00")


@pytest.mark.norm("2.2.4")
@pytest.mark.parametrize(
    ("language", "jargon"), [("zh-hans", "免赔额 免赔率 责任免除 除外责任"), ("zh-hant", "自負額 除外責任")]
)
def test_customers_read_no_jargon(language: str, jargon: str) -> None:
    terms, found = settlement(social_insurance_minor=920_000)
    shown = "".join(
        line.words + line.plain for line in explain(terms=terms, settlement=found.as_dict(), language=language)
    )
    assert "18,640.35" in shown
    assert not [word for word in jargon.split() if word in shown]
