"""Which papers a claim is asked for: complete, once, and never what is on file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lipei.domain.claims import Case, Claim, Document, Exposure, Paper, Party
from lipei.domain.conditions import parse_condition
from lipei.domain.papers import Need, PaperTable, papers_at_hand, papers_list, papers_missing, papers_needed, truth
from lipei.norms import lines as norm_lines
from lipei.norms import papers as norm_papers
from lipei.norms import yaml_texts

FOLDER = Path(norm_papers.__file__).parent / "defaults"
LINES = norm_lines.parse(yaml_texts.load((FOLDER / "lines.yaml").read_text(encoding="utf-8")))
TABLE = norm_papers.parse(yaml_texts.load((FOLDER / "papers.yaml").read_text(encoding="utf-8")))
NOW = datetime(2026, 3, 4, 10, tzinfo=UTC)


def case(
    claim: dict[str, Any] | None = None,
    parties: list[Party] | None = None,
    exposures: list[Exposure] | None = None,
    papers: list[Paper] | None = None,
    documents: list[Document] | None = None,
) -> Case:
    root = Claim(**{"line": "motor", "loss_kind": "collision", "channel": "phone", "reported_at": NOW, **(claim or {})})
    everybody = parties if parties is not None else [Party(1, roles=("reporter", "insured", "claimant"), phone="1")]
    return Case(
        id=1,
        parts={
            "claim": {0: root},
            "party": {p.part: p for p in everybody},
            "exposure": {e.part: e for e in exposures or []},
            "paper": {p.part: p for p in papers or []},
            "document": {d.part: d for d in documents or []},
        },
    )


def needs(the_case: Case, table: PaperTable = TABLE, **more: Any) -> dict[str, Need]:
    found = papers_needed(case=the_case, table=table, **more)
    return {need.code: need for need in found}


OWN = Exposure(1, cover="own_damage", peril="collision", claimant=1)


@pytest.mark.norm("2.2.2")
def test_own_damage_after_a_collision_is_one_complete_request() -> None:
    found = papers_needed(case=case(exposures=[OWN]), table=TABLE)
    required = {need.code for need in found if need.required}
    assert required == {
        "claim_form", "insured_id", "driving_licence", "vehicle_registration", "accident_report", "loss_photos",
        "repair_invoice", "bank_account",
    }  # fmt: skip
    maybe = {need.code: need.why for need in found if not need.required}
    assert maybe == {"towing_bill": "paper.why.towed", "transport_permit": "paper.why.commercial_vehicle"}
    assert [need.required for need in found] == sorted((need.required for need in found), reverse=True)


def test_papers_that_the_insurer_makes_or_looks_up_are_never_asked() -> None:
    for line in LINES.lines.values():
        for loss in line.losses:
            found = papers_list(case=case({"line": line.code, "loss_kind": loss}), table=TABLE)
            assert found
            assert not {need.code for need in found} & {"policy", "appraisal"}


@pytest.mark.parametrize(("estimate", "asked"), [(300_000, False), (300_001, True)])
def test_a_single_vehicle_accident_needs_the_police_only_above_3000(estimate: int, asked: bool) -> None:
    claim = {"loss_kind": "single_vehicle", "estimate_minor": estimate}
    exposure = Exposure(1, cover="own_damage", peril="single_vehicle", claimant=1)
    assert ("accident_report" in needs(case(claim, exposures=[exposure]))) is asked


def test_an_injury_makes_the_police_report_necessary_whatever_the_sum() -> None:
    claim = {"loss_kind": "single_vehicle", "estimate_minor": 1000, "injured": 1}
    exposure = Exposure(1, cover="own_damage", peril="single_vehicle", claimant=1)
    assert needs(case(claim, exposures=[exposure]))["accident_report"].required


@pytest.mark.parametrize(("towed", "expected"), [(None, False), (True, True), (False, None)])
def test_a_fact_nobody_entered_yet_makes_a_paper_conditional(towed: bool | None, expected: bool | None) -> None:
    facts = {} if towed is None else {"towed": towed}
    found = needs(case(exposures=[Exposure(1, cover="own_damage", peril="collision", claimant=1, facts=facts)]))
    assert (found["towing_bill"].required if "towing_bill" in found else None) is expected


@pytest.mark.norm("1.3.1")
def test_a_payment_with_no_hand_waits_for_a_paper_that_may_be_needed() -> None:
    def at_hand(*rows: dict[str, Any], here: tuple[str, ...] = ()) -> bool:
        kinds = [
            {"code": code, "of": ["insured"], "per": "claim", "issuer": "x", "sensitivity": "low"} for code in "ab"
        ]
        applies = [{"lines": ["motor"]}]
        lists = [{"code": "l", "source": "s", "applies": applies, "papers": list(rows)}]
        table = norm_papers.parse({
            "version": 1, "adult_age_years": 18, "sources": {"s": {"source": "s", "status": "read"}},
            "papers": kinds, "lists": lists,
        })  # fmt: skip
        papers = [Paper(n, code=code, state="received") for n, code in enumerate(here, start=1)]
        return papers_at_hand(case=case(exposures=[OWN], papers=papers), table=table)

    known = {"paper": "a", "required": "Y"}
    unknown = {"paper": "b", "required": "C", "why": "w", "when": {"field": "facts.towed", "op": "is_true"}}
    assert not at_hand(known) and at_hand(known, here=("a",))
    assert not at_hand(unknown) and not at_hand(known, unknown, here=("a",))
    assert at_hand(known, unknown, here=("a", "b"))
    assert at_hand(unknown | {"waits": False}) and at_hand(known, unknown | {"waits": False}, here=("a",))


@pytest.mark.norm("1.3.3")
def test_what_is_on_file_is_not_asked_again() -> None:
    known = Party(
        1, roles=("reporter", "insured", "claimant"), phone="1", id_number="110101199003071234", account_number="6222"
    )
    found = needs(case({"channel": "portal"}, [known], [OWN]), on_file=["driving_licence"])
    assert not {"claim_form", "insured_id", "bank_account", "driving_licence"} & set(found)
    assert "vehicle_registration" in found


def test_the_third_party_is_asked_for_their_own_papers() -> None:
    parties = [
        Party(1, roles=("reporter", "insured", "claimant"), phone="1"),
        Party(2, roles=("claimant", "injured"), phone="2"),
        Party(3, roles=("claimant", "injured"), phone="3"),
    ]
    exposures = [
        OWN,
        Exposure(2, cover="compulsory_medical", peril="third_party_injury", claimant=2),
        Exposure(3, cover="third_party", peril="third_party_injury", claimant=2),
        Exposure(4, cover="compulsory_medical", peril="third_party_injury", claimant=3),
    ]
    found = papers_needed(case=case(parties=parties, exposures=exposures), table=TABLE)
    assert [(n.exposure, n.party) for n in found if n.code == "medical_records"] == [(2, 2), (4, 3)]
    assert [(n.exposure, n.party) for n in found if n.code == "injured_id"] == [(2, 2), (4, 3)]
    assert [n.party for n in found if n.code == "bank_account"] == [1, 2, 3]
    assert [n.exposure for n in found if n.code == "driving_licence"] == [0], "once for the claim"
    assert [n.exposure for n in found if n.code == "repair_invoice"] == [1], "once for the damaged car"


def test_one_owners_things_are_listed_once_whatever_covers_answer_for_them() -> None:
    """Compulsory and commercial cover pay for one damaged car: its owner sends one list and one bill."""
    parties = [Party(1, roles=("reporter", "insured")), Party(2, roles=("claimant",)), Party(3, roles=("claimant",))]
    exposures = [
        Exposure(1, cover="compulsory_property", peril="third_party_property", claimant=2),
        Exposure(2, cover="third_party", peril="third_party_property", claimant=2),
        Exposure(3, cover="compulsory_property", peril="third_party_property", claimant=3),
    ]
    found = papers_needed(case=case(parties=parties, exposures=exposures), table=TABLE)
    for code in ("property_list", "replacement_bill"):
        assert [n.party for n in found if n.code == code] == [2, 3]


@pytest.mark.norm("1.3.3")
def test_photos_sent_with_the_report_are_not_asked_for_again() -> None:
    photo = Document(1, media_type="image/jpeg")
    assert "loss_photos" in needs(case(exposures=[OWN]))
    assert "loss_photos" not in needs(case(exposures=[OWN], documents=[photo]))
    for other in (replace(photo, media_type="application/pdf"), replace(photo, paper=3), replace(photo, survey=1)):
        assert "loss_photos" in needs(case(exposures=[OWN], documents=[other]))


def test_nobody_living_is_asked_for_a_death_certificate() -> None:
    injured = Exposure(1, cover="compulsory_medical", peril="third_party_injury", claimant=1)
    assert "death_papers" not in needs(case(exposures=[injured]))
    dead = case({"deaths": 1}, exposures=[injured])
    assert "death_papers" in needs(dead)


def test_a_paper_asked_for_is_not_asked_for_twice_in_whatever_state() -> None:
    for state in ("requested", "received", "accepted", "refused", "waived"):
        papers = [
            Paper(1, state=state, code="driving_licence"),
            Paper(2, state=state, code="repair_invoice", exposure=1),
        ]
        assert not {"driving_licence", "repair_invoice"} & set(needs(case(exposures=[OWN], papers=papers)))


def test_a_paper_of_one_claimant_does_not_stand_for_that_of_another() -> None:
    exposures = [
        Exposure(1, cover="compulsory_medical", peril="third_party_injury", claimant=1),
        Exposure(2, cover="compulsory_medical", peril="third_party_injury", claimant=2),
    ]
    parties = [Party(1, roles=("claimant",)), Party(2, roles=("claimant",))]
    papers = [Paper(1, code="medical_records", exposure=1, asked_of=1)]
    found = papers_needed(case=case(parties=parties, exposures=exposures, papers=papers), table=TABLE)
    assert [n.party for n in found if n.code == "medical_records"] == [2]


def test_papers_are_complete_when_every_required_one_is_accepted_or_waived() -> None:
    wanted = [n for n in papers_list(case=case(exposures=[OWN]), table=TABLE) if n.required]
    papers = [Paper(i, state="accepted", code=n.code, exposure=n.exposure) for i, n in enumerate(wanted, 1)]
    assert papers_missing(case=case(exposures=[OWN], papers=papers), table=TABLE) == ()
    for state, missing in (("waived", 0), ("received", 1), ("refused", 1), ("requested", 1)):
        last = Paper(len(papers), state=state, code=wanted[-1].code, exposure=wanted[-1].exposure)
        left = papers_missing(case=case(exposures=[OWN], papers=[*papers[:-1], last]), table=TABLE)
        assert [n.code for n in left] == [wanted[-1].code] * missing


@pytest.mark.parametrize(
    ("born_on", "asked"), [("2008-03-05", True), ("2008-03-04", False), ("1990-01-01", False), ("", False)]
)
def test_a_guardian_is_asked_for_until_the_eighteenth_birthday(born_on: str, asked: bool) -> None:
    parties = [Party(1, roles=("insured", "claimant"), born_on=born_on), Party(2, roles=("guardian",), acts_for=1)]
    exposure = Exposure(1, cover="medical_expense", peril="illness_medical", claimant=1)
    claim = {"line": "health", "loss_kind": "illness_medical", "loss_at": NOW}
    found = needs(case(claim, parties, [exposure]))
    assert ("guardian_proof" in found) is asked
    if asked:
        assert (found["guardian_proof"].asked_of, found["guardian_proof"].party) == ("guardian", 2)


def test_without_a_named_beneficiary_the_heirs_prove_their_right() -> None:
    claim = {"line": "accident", "loss_kind": "accidental_death"}
    exposure = Exposure(1, cover="accidental_death", claimant=1)
    heir = [Party(1, roles=("claimant", "heir"))]
    named = [Party(1, roles=("claimant", "beneficiary"))]
    assert "inheritance_proof" in needs(case(claim, heir, [exposure]))
    assert "inheritance_proof" not in needs(case(claim, named, [exposure]))


def test_heads_of_loss_that_have_ended_need_nothing_more() -> None:
    for state in ("settled", "refused", "dropped"):
        ended = Exposure(1, state=state, cover="own_damage", peril="collision", claimant=1)
        assert papers_needed(case=case(exposures=[ended]), table=TABLE) == ()


def test_a_claim_without_heads_of_loss_is_asked_by_its_kind_of_loss() -> None:
    found = needs(case({"line": "household", "loss_kind": "water"}))
    assert {"home_title", "leak_cause_statement", "loss_photos"} <= set(found)
    assert all(need.exposure == 0 for need in found.values())


def test_a_claim_of_which_nobody_is_known_still_gets_its_list() -> None:
    found = needs(case(parties=[], exposures=[Exposure(1, cover="own_damage", peril="collision")]))
    assert found["repair_invoice"].party is None and found["repair_invoice"].asked_of == "claimant"


FACT = {"field": "facts.x", "op": "is_true"}
YES = {"field": "claim.rescue", "op": "is_true"}


@pytest.mark.parametrize(
    ("document", "values", "answer"),
    [
        (FACT, {}, None),
        (FACT, {"facts.x": None}, None),
        (FACT, {"facts.x": False}, False),
        (YES, {}, False),
        ({"all": [FACT, YES]}, {"claim.rescue": False}, False),
        ({"all": [FACT, YES]}, {"claim.rescue": True}, None),
        ({"any": [FACT, YES]}, {"claim.rescue": True}, True),
        ({"any": [FACT, YES]}, {"claim.rescue": False}, None),
        ({}, {}, True),
    ],
)
def test_truth_knows_what_is_not_known(document: dict[str, Any], values: dict[str, Any], answer: bool | None) -> None:
    assert truth(parse_condition(document), values) is answer


LOSSES = sorted((line.code, loss) for line in LINES.lines.values() for loss in line.losses)
COVERS = sorted({cover for product in LINES.products.values() for cover in product.covers})
HEADS = st.lists(st.tuples(st.sampled_from([*COVERS, ""]), st.sampled_from([1, 2, None])), max_size=4)


@given(
    st.sampled_from(LOSSES),
    HEADS,
    st.dictionaries(st.sampled_from(["towed", "fatal", "disabled", "repaired"]), st.booleans()),
)
def test_a_request_names_no_paper_twice_and_leaves_nothing_to_ask(
    kind: tuple[str, str], heads: list[tuple[str, int | None]], facts: dict[str, bool]
) -> None:
    line, loss = kind
    parties = [Party(1, roles=("reporter", "insured", "claimant")), Party(2, roles=("claimant",))]
    exposures = [Exposure(i, cover=c, peril=loss, claimant=who, facts=facts) for i, (c, who) in enumerate(heads, 1)]
    the_case = case({"line": line, "loss_kind": loss}, parties, exposures)
    first = papers_needed(case=the_case, table=TABLE)
    places = [(n.code, n.party if TABLE.kinds[n.code].per == "claimant" else n.exposure) for n in first]
    assert len(set(places)) == len(places)
    asked = [Paper(i, code=n.code, exposure=n.exposure, asked_of=n.party) for i, n in enumerate(first, 1)]
    assert papers_needed(case=case({"line": line, "loss_kind": loss}, parties, exposures, asked), table=TABLE) == ()
