"""The table of lines: every word of the collected tables means something here, and nothing unknown slips in."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from lipei.norms import lines, yaml_texts
from lipei.norms.errors import NormError
from lipei.norms.texts import texts

DOCUMENT = yaml_texts.load((Path(lines.__file__).parent / "defaults/lines.yaml").read_text(encoding="utf-8"))
TABLE = lines.parse(DOCUMENT)

DEADLINES = [
    "agriculture",
    "agriculture_crop_forest",
    "agriculture_livestock",
    "all",
    "health",
    "life",
    "life_health_accident",
    "motor",
    "motor_compulsory",
    "motor_health",
    "motor_liability",
    "non_life",
    "non_motor",
    "policy_term_over_1y",
    "policy_term_up_to_1y",
    "property",
    "property_casualty",
]
PAPER_LISTS = [
    "motor / own damage",
    "motor / third-party property",
    "motor / third-party injury",
    "motor / theft",
    "accident_health_life / accident medical",
    "accident_health_life / illness medical",
    "accident_health_life / critical illness",
    "accident_health_life / moderate/mild illness",
    "accident_health_life / disability",
    "accident_health_life / accidental death",
    "accident_health_life / illness death",
    "accident_health_life / premium waiver",
    "accident_health_life / hospital cash",
    "accident_health_life / any minor",
    "accident_health_life / death as estate",
    "property / commercial",
]
THRESHOLDS = [
    "enterprise property, machinery, engineering, special, guarantee",
    "household, cargo, hull",
    "accident, liability",
    "any",
    "agriculture",
    "agriculture crop",
    "agriculture livestock",
    "refusal",
    "lawsuit",
    "motor vehicle/property",
    "motor injury",
    "motor",
]


def changed(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(DOCUMENT), **changes}


def test_every_line_loss_and_cover_has_a_name() -> None:
    wanted = {f"line.{code}" for code in TABLE.lines} | {f"loss.{code}" for code in TABLE.losses}
    wanted |= {f"cover.{code}" for code in TABLE.covers} | {f"product.{code}" for code in TABLE.products}
    assert wanted <= set(texts())
    assert len(TABLE.lines) == 10 and len(TABLE.products) == 5 and len(TABLE.covers) == 17


@pytest.mark.parametrize(
    ("vocabulary", "words"),
    [("deadlines", DEADLINES), ("documents_required", PAPER_LISTS), ("thresholds", THRESHOLDS)],
)
def test_every_word_of_a_collected_table_means_something(vocabulary: str, words: list[str]) -> None:
    assert {word.casefold() for word in words} == set(TABLE.vocabularies[vocabulary])
    for word in words:
        meaning = TABLE.meaning(vocabulary=vocabulary, word=word)
        assert meaning is not None and meaning.lines


def test_compulsory_motor_means_three_covers_of_motor() -> None:
    meaning = TABLE.meaning(vocabulary="deadlines", word="motor_compulsory")
    assert meaning is not None
    assert meaning.fits(line="motor", cover="compulsory_medical")
    assert not meaning.fits(line="motor", cover="own_damage")
    assert not meaning.fits(line="household", cover="compulsory_medical")
    assert meaning.fits(line="motor"), "a cover nobody has entered yet is not held against the claim"


def test_words_of_an_imported_file_are_found_whatever_their_case() -> None:
    for word in ("车险", " 汽車保險 ", "Motor", "MOTOR"):
        meaning = TABLE.meaning(vocabulary="names", word=word)
        assert meaning is not None and meaning.lines == ("motor",)
    assert TABLE.meaning(vocabulary="names", word="pet insurance") is None
    assert TABLE.meaning(vocabulary="nowhere", word="motor") is None


@pytest.mark.parametrize(
    ("document", "code"),
    [
        (changed(extra=1), "norm_error.table.unknown_key"),
        ({"version": 1, "lines": []}, "norm_error.table.missing_key"),
        (changed(lines="motor"), "norm_error.table.not_a_list"),
        (changed(lines=[{"code": "motor", "losses": []}, {"code": "motor", "losses": []}]), "norm_error.table.twice"),
        (changed(lines=[{"code": "motor", "losses": [], "colour": "red"}]), "norm_error.table.unknown_key"),
        (changed(products=[{"code": "boat", "line": "hull", "covers": []}]), "norm_error.table.unknown_code"),
        (changed(vocabularies={"v": [{"word": "x", "lines": ["hull"]}]}), "norm_error.table.unknown_code"),
        (
            changed(vocabularies={"v": [{"word": "x", "lines": ["motor"], "covers": ["baggag"]}]}),
            "norm_error.table.unknown_code",
        ),
    ],
)
def test_a_document_that_makes_no_sense_is_refused_with_a_sentence(document: dict[str, Any], code: str) -> None:
    with pytest.raises(NormError) as refused:
        lines.parse(document)
    assert refused.value.code == code
    for sentence in texts()[code].values():
        assert sentence.format(**refused.value.params)


def test_every_country_has_its_name_and_every_territory_is_one() -> None:
    from lipei.domain.countries import CODES
    from lipei.norms import loader
    from lipei.norms.texts import texts

    assert len(CODES) == 249 and {f"country.{code}" for code in CODES} == {
        k for k in texts() if k.startswith("country.")
    }
    for terms in loader.rulebook({}, market="CN").products.terms:
        assert all(set(cover.territory) <= CODES for cover in terms.covers.values())
