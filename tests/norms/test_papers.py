"""The table of papers: complete for every line and cover, sourced, and strict."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from lipei.domain.papers import FORMS
from lipei.norms import lines, papers, yaml_texts
from lipei.norms.errors import NormError
from lipei.norms.promises import STATUSES
from lipei.norms.texts import LANGUAGES, texts

FOLDER = Path(papers.__file__).parent / "defaults"
LINES = lines.parse(yaml_texts.load((FOLDER / "lines.yaml").read_text(encoding="utf-8")))
DOCUMENT = yaml_texts.load((FOLDER / "papers.yaml").read_text(encoding="utf-8"))
TABLE = papers.parse(DOCUMENT, lines=LINES)


def codes(line: str, cover: str = "", loss: str = "") -> set[str]:
    return {row.paper for one in TABLE.lists_for(line=line, cover=cover, loss=loss) for row in one.rows}


def test_every_paper_condition_issuer_and_sensitivity_has_words() -> None:
    wanted = {f"paper.{code}" for code in TABLE.kinds}
    wanted |= {f"issuer.{kind.issuer}" for kind in TABLE.kinds.values()}
    wanted |= {f"sensitivity.{kind.sensitivity}" for kind in TABLE.kinds.values()}
    wanted |= {f"paper.why.{row.why}" for one in TABLE.lists for row in one.rows if row.why}
    assert wanted <= set(texts())


def test_no_paper_is_described_and_never_used() -> None:
    assert {row.paper for one in TABLE.lists for row in one.rows} == set(TABLE.kinds)


def test_every_line_and_kind_of_loss_has_a_list_with_a_payee() -> None:
    for code, line in LINES.lines.items():
        for loss in line.losses:
            found = codes(code, loss=loss)
            assert "bank_account" in found, (code, loss)
            assert "claim_form" in found or "claim_form_transfer" in found or "loss_notice" in found, (code, loss)
            assert len(found) >= 5, (code, loss)


def test_every_cover_has_a_list_of_its_own() -> None:
    for product in LINES.products.values():
        losses = LINES.lines[product.line].losses
        for cover in product.covers:
            lists = {one.code for loss in losses for one in TABLE.lists_for(line=product.line, cover=cover, loss=loss)}
            assert any(
                cover in s.covers or not s.covers for one in TABLE.lists if one.code in lists for s in one.applies
            )
            assert lists - {f"{product.line}_all", "any_minor", "persons_agent", "motor_third_party_payee"}, cover


@pytest.mark.norm("2.2.2")
@pytest.mark.parametrize(
    ("line", "cover", "loss", "expected"),
    [
        ("household", "building", "water", {"home_title", "repair_estimate", "leak_cause_statement", "loss_photos"}),
        ("household", "contents", "theft", {"police_report", "damaged_item_list", "purchase_proof"}),
        ("household", "building", "fire", {"fire_certificate", "home_title"}),
        ("travel", "baggage", "baggage_loss", {"damaged_item_list", "baggage_report", "police_report", "travel_proof"}),
        ("travel", "baggage_delay", "baggage_delay", {"baggage_report", "baggage_receipt_time"}),
        ("travel", "trip_delay", "trip_delay", {"carrier_delay_certificate", "travel_proof"}),
        ("travel", "travel_medical", "travel_medical", {"medical_records", "medical_invoices"}),
        ("motor", "own_damage", "theft", {"theft_certificates", "vehicle_title_and_keys"}),
        ("life", "", "illness_death", {"death_papers", "beneficiary_proof", "inheritance_proof"}),
    ],
)
def test_the_lists_hold_what_such_a_claim_needs(line: str, cover: str, loss: str, expected: set[str]) -> None:
    assert expected <= codes(line, cover, loss)


def test_a_cover_is_not_asked_for_the_papers_of_another() -> None:
    assert "medical_records" not in codes("motor", "own_damage", "collision")
    assert "vehicle_title_and_keys" not in codes("motor", "own_damage", "collision")
    assert "home_title" not in codes("household", "contents", "theft")
    assert "damaged_item_list" not in codes("travel", "trip_delay", "trip_delay")


def test_every_row_says_where_it_comes_from() -> None:
    assert all(row.source_status in STATUSES for one in TABLE.lists for row in one.rows)
    own = {one.code for one in TABLE.lists for row in one.rows if row.source_status == "unsourced"}
    assert {"household_all", "travel_all", "cargo_all", "agriculture_all", "liability_all", "motor_theft"} <= own
    assert "motor_own_damage" not in own and "property_commercial" not in own


def test_sensitive_papers_are_marked() -> None:
    for code in ("medical_records", "pathology_report", "disability_report"):
        assert TABLE.kinds[code].sensitivity == "medical"
    assert TABLE.kinds["insured_id"].sensitivity == "id" and TABLE.kinds["bank_account"].sensitivity == "financial"


def test_what_the_insurer_makes_is_never_asked() -> None:
    assert {code for code, kind in TABLE.kinds.items() if not kind.asked} == {"policy", "appraisal"}
    assert {r.paper for one in TABLE.lists for r in one.rows if r.required == "N"} >= {"policy", "appraisal"}


def broken(change: str, value: Any) -> dict[str, Any]:
    document = copy.deepcopy(DOCUMENT)
    where = {
        "kind": document["papers"][0],
        "list": document["lists"][0],
        "row": document["lists"][0]["papers"][5],
        "selector": document["lists"][0]["applies"][0],
        "top": document,
    }
    place, _, key = change.partition(".")
    if value is None:
        del where[place][key]
    else:
        where[place][key] = value
    return document


@pytest.mark.parametrize(
    ("change", "value", "code"),
    [
        ("top.adult_age_years", "eighteen", "norm_error.table.not_a_number"),
        ("top.colour", "red", "norm_error.table.unknown_key"),
        ("kind.of", ["uncle"], "norm_error.table.unknown_code"),
        ("kind.of", [], "norm_error.table.missing_key"),
        ("kind.per", "month", "norm_error.table.unknown_code"),
        ("kind.on_file", {"field": "claim.chanel", "op": "eq", "value": "x"}, "norm_error.condition.unknown_field"),
        ("list.source", "nobody", "norm_error.table.unknown_code"),
        ("list.applies", [], "norm_error.table.not_a_list"),
        ("row.paper", "passport_of_the_dog", "norm_error.table.unknown_code"),
        ("row.required", "X", "norm_error.table.unknown_code"),
        ("row.when", None, "norm_error.table.missing_key"),
        ("row.why", None, "norm_error.table.missing_key"),
        ("row.when", {"field": "loss", "op": "sounds like", "value": "x"}, "norm_error.condition.unknown_op"),
        ("selector.lines", ["hull"], "norm_error.table.unknown_code"),
        ("selector.covers", ["hull"], "norm_error.table.unknown_code"),
        ("selector.losses", ["baggage_loss"], "norm_error.table.unknown_code"),
    ],
)
def test_a_document_that_makes_no_sense_is_refused_with_a_sentence(change: str, value: Any, code: str) -> None:
    with pytest.raises(NormError) as refused:
        papers.parse(broken(change, value), lines=LINES)
    assert refused.value.code == code
    for language in LANGUAGES:
        assert texts()[code][language].format(**refused.value.params)


def test_sources_that_are_none_are_refused_in_words() -> None:
    for odd in (None, [], "x", 7):
        with pytest.raises(NormError):
            papers.parse({**copy.deepcopy(DOCUMENT), "sources": odd}, lines=LINES)


@pytest.mark.norm("2.2.2")
def test_of_every_paper_that_is_asked_for_the_table_says_in_which_form() -> None:
    asked = [kind for kind in TABLE.kinds.values() if kind.asked]
    assert asked and all(kind.form in FORMS for kind in asked), [k.code for k in asked if k.form not in FORMS]
    assert {TABLE.kinds[code].form for code in ("insured_id", "medical_records", "medical_invoices")} == set(FORMS)
    with pytest.raises(NormError):
        papers.parse({**DOCUMENT, "papers": [{**DOCUMENT["papers"][0], "form": "parchment"}, *DOCUMENT["papers"][1:]]})
