"""The user guide says what the product says: its words, its pictures, the same pages in both languages."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from lipei.norms import texts

ROOT = Path(__file__).resolve().parent.parent
GUIDE = ROOT / "docs/guide"
PICTURES = ROOT / "docs/pictures"
READMES = {"en": ROOT / "README.md", "zh": ROOT / "README.zh.md"}
SPOKEN = {"en": "en", "zh": "zh-hans"}
"""Folder of the guide → language of the texts."""

LINK = re.compile(r"\]\(([^)#\s]+\.(?:md|png))\)")
QUOTED = re.compile(r"\*\*([^*]+)\*\*")
"""What stands in bold is a text of the product."""
PAGES = sorted(GUIDE.glob("*/*.md"))
KILOBYTES_MAX = {"each": 150, "together": 3000}


def linked(page: Path) -> set[Path]:
    """What a page leads to and shows."""
    return {(page.parent / link).resolve() for link in LINK.findall(page.read_text(encoding="utf-8"))}


@cache
def shown(language: str) -> frozenset[str]:
    """Every text of the product in a language, as it stands on a page."""
    return frozenset(wordings[language].strip() for wordings in texts.shipped().values())


def pictures(page: Path) -> set[Path]:
    """What a page shows."""
    return {path for path in linked(page) if path.suffix == ".png"}


def pages(folder: str) -> list[Path]:
    """The pages in a language."""
    return [page for page in PAGES if page.parent.name == folder]


def strangers(words: str, language: str) -> list[str]:
    """What is quoted in bold and stands nowhere in the product."""
    quoted = (" ".join(found.split()) for found in QUOTED.findall(words))
    return [found for found in quoted if found not in shown(language)]


def test_every_page_is_linked_from_the_index_and_the_index_from_both_readmes() -> None:
    index = GUIDE / "README.md"
    assert linked(index) == set(PAGES)
    assert all(index in linked(readme) for readme in READMES.values())


def test_both_languages_have_the_same_pages_with_the_same_pictures() -> None:
    def told(folder: str) -> dict[str, set[str]]:
        return {page.name: {path.name for path in pictures(page)} for page in pages(folder)}

    assert told("en") == told("zh")


@pytest.mark.parametrize("folder", SPOKEN)
def test_every_picture_is_there_and_used_in_its_language(folder: str) -> None:
    used = {path for page in (READMES[folder], *pages(folder)) for path in pictures(page)}
    assert used == set((PICTURES / folder).glob("*.png"))


def test_pictures_lie_in_the_folder_of_a_language() -> None:
    assert {path.parent.relative_to(PICTURES).as_posix() for path in PICTURES.rglob("*.*")} == set(SPOKEN)


def test_pictures_are_light() -> None:
    sizes = [path.stat().st_size / 1000 for path in PICTURES.rglob("*.png")]
    assert max(sizes) <= KILOBYTES_MAX["each"]
    assert sum(sizes) <= KILOBYTES_MAX["together"]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_what_stands_in_bold_stands_in_the_product(page: Path) -> None:
    words = page.read_text(encoding="utf-8")
    assert QUOTED.search(words)
    assert strangers(words, SPOKEN[page.parent.name]) == []


def test_a_button_that_is_nowhere_is_found() -> None:
    assert strangers("press **Save** or **Save everything**", "en") == ["Save everything"]
    assert strangers("点**保存**或**Save**", "zh-hans") == ["Save"]
