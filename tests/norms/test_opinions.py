"""Templates of the preliminary opinion: for every line, in every language, and refused where one would be missing."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from lipei.norms import loader, yaml_texts
from lipei.norms.errors import NormError
from lipei.norms.texts import LANGUAGES

TABLE = loader.rulebook({}, market="CN").opinions


@pytest.mark.norm("2.2.1")
def test_every_line_has_ready_words_its_own_first() -> None:
    lines = loader.rulebook({}, market="CN").lines.lines
    for line in (*lines, ""):
        found = TABLE.of_line(line)
        assert len(found) >= 3, line
        own = [bool(o.lines) for o in found]
        assert own == sorted(own, reverse=True), line
        assert all(not o.lines or line in o.lines for o in found)


@pytest.mark.norm("2.1.2")
def test_the_words_are_plain() -> None:
    jargon = ("免责", "责任免除", "免賠", "除外责任", "拒赔", "拒賠", "exclusion", "deductible", "liability", "refuse")
    for opinion in TABLE.opinions:
        for language in LANGUAGES:
            assert not [word for word in jargon if word in opinion.text[language].lower()], opinion.code
            assert "{" not in opinion.text[language]


def document(**change: Any) -> str:
    found = yaml_texts.load(loader.default_text("opinions"))
    found["opinions"][0] |= change
    return yaml.safe_dump(found, allow_unicode=True)


@pytest.mark.parametrize(
    "change",
    [
        {"text": {"zh-hans": "好", "zh-hant": "好"}},
        {"text": {"zh-hans": "好", "zh-hant": "好", "en": "  "}},
        {"name": {"zh-hans": "好", "zh-hant": "好", "en": "x" * 41}},
        {"lines": ["spaceships"]},
        {"lines": "motor"},
        {"more": 1},
        {"code": "covered"},
    ],
)
def test_what_makes_no_sense_is_refused(change: Any) -> None:
    with pytest.raises(NormError):
        loader.checked({"opinions": [(2, document(**change))]}, market="CN")


def test_a_managers_own_words_win() -> None:
    said = dict.fromkeys(LANGUAGES, "Hello.")
    book = loader.checked({"opinions": [(2, document(text=said))]}, market="CN")
    assert book.opinions.of_line("motor")[0].text == said
