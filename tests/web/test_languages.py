"""No page is half translated: whatever stands on it is a text of the page's language, or somebody's own words.

Every shipped text is put into brackets before the pages are drawn. What then stands outside of brackets and has letters
was written into a page by hand; what stands in the brackets of another language was drawn in the wrong one.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from tests.web.conftest import full_claim
from tests.web.every_page import pages, tables, unlooked_at

from lipei.domain.money import EXPONENTS
from lipei.norms import loader, yaml_texts
from lipei.norms import texts as wordings
from lipei.norms.texts import LANGUAGES
from lipei.services import tokens
from lipei.web import countries

pytestmark = pytest.mark.once
OPEN = dict(zip(LANGUAGES, "⟦⟪⟬", strict=True))
CLOSE = dict(zip(LANGUAGES, "⟧⟫⟭", strict=True))
SEEN = ("title", "alt", "placeholder", "aria-label", "aria-description")
SILENT = {"script", "style", "template", "code", "kbd", "pre", "textarea", "svg"}
GIVEN = re.compile(r"https?://\S+|[A-Z0-9]{5}-[A-Z0-9]{5}")
"""Addresses, and the code by which a customer finds back to a claim."""
OF_TABLES = ("console/norms/", "console/calendar/")
AS_WRITTEN = ("article", "festival", "zone", "pattern", "any", "unless")
"""What a table names in no language of its own: laws and festivals, time zones, what customers say."""
DAY = {
    "zh-hans": re.compile(r"\d+年\d+月\d+日"), "zh-hant": re.compile(r"\d+年\d+月\d+日"),
    "en": re.compile(r"[A-Z][a-z]{2,8}\.? \d{1,2}, \d{4}"),
}  # fmt: skip
OWN = (
    *(
        "简体中文",
        "繁體中文",
        "English",
        "CNY",
        "YAML",
        "Asia/Shanghai",
        "sqlite",
        "王*明",
        "沪A***45",
        "王",
        "上海",
        "PC-1",
        "PDF",
        "R6",
        "shanghai",
    ),
    *(
        "倒车时撞到柱子，后保险杠破损。",
        "后保险杠凹陷。",
        "后保险杠",
        "属于保险责任，请补齐材料。",
        "是否需要更换？",
        "徐汇区漕溪路",
    ),
    *("林晓", "林", "阿不都热合曼", "吐尔逊江", "Alexander Konstantinopolitanski", "阿", "定损单.pdf", "IMG_0412.jpg"),
    "a-very-long-file-name-without-any-space-that-never-ends.jpeg",
    *tokens.SCOPES,
)
"""Names of languages and codes, what the people of the test's claim said, and the samples of the look page."""
VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
LETTER = re.compile(r"[^\W\d_]")


class Visible(HTMLParser):
    """What a person reads or hears of a page, piece by piece, each with the language that its element names."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self.pieces: list[tuple[str, str]] = []
        self._inside = [("", language)]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        language = found.get("lang") or self._inside[-1][1]
        self.pieces += [(found[name] or "", language) for name in SEEN if found.get(name)]
        if tag == "input":
            self.pieces += [(found.get("value") or "", language)] if found.get("type") in ("submit", "button") else []
        if tag not in VOID:
            self._inside.append((tag, language))

    def handle_endtag(self, tag: str) -> None:
        while len(self._inside) > 1 and self._inside.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not SILENT & {tag for tag, _ in self._inside}:
            self.pieces.append((data, self._inside[-1][1]))


def outside(piece: str, language: str) -> str:
    """What stands outside of the brackets of a language."""
    kept, depth = [], 0
    for sign in piece:
        depth += (sign == OPEN[language]) - (sign == CLOSE[language])
        if depth <= 0 and sign != CLOSE[language]:
            kept.append(sign)
    return "".join(kept)


@pytest.fixture
def bracketed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every shipped text between the brackets of its language."""
    marked = {
        key: {language: f"{OPEN[language]}{words}{CLOSE[language]}" for language, words in found.items()}
        for key, found in wordings.shipped().items()
    }
    monkeypatch.setattr(wordings, "shipped", lambda: marked)
    monkeypatch.setattr(wordings, "_adopted", None)
    countries.options.cache_clear()
    yield
    countries.options.cache_clear()


def own_words(office: Any, language: str) -> re.Pattern[str]:
    """What is nobody's text but somebody's name, words or code, and what tables word in this language alone."""
    people = {word for row in office.rows.values() for word in (row.name, row.code, row.name[0])}
    setting = loader.read(loader.default_text("settings"))["settings"][f"company_name_{language.replace('-', '_')}"]
    found = sorted({*people, *OWN, *worded(terms(), language), setting["default"]}, key=len, reverse=True)
    return re.compile("|".join(rf"(?<!\w){re.escape(one)}(?!\w)" for one in found))


def terms() -> list[Any]:
    """The documents of the shipped products."""
    return [yaml_texts.load(file.read_text(encoding="utf-8")) for file in (loader.FOLDER / "products").glob("*.yaml")]


def worded(document: Any, language: str) -> list[str]:
    """Every wording in this language that stands in a document."""
    if isinstance(document, dict):
        own = [document[language]] if isinstance(document.get(language), str) else []
        return own + [one for value in document.values() for one in worded(value, language)]
    return [one for value in document for one in worded(value, language)] if isinstance(document, list) else []


def as_written(document: Any, key: str = "") -> list[str]:
    """What a document says under the keys that have no language."""
    if isinstance(document, dict):
        return [one for inner, value in document.items() for one in as_written(value, inner)]
    if isinstance(document, list):
        return [one for value in document for one in as_written(value, key)]
    return [str(document)] if key in AS_WRITTEN else []


def _without(piece: str, *patterns: re.Pattern[str]) -> str:
    for pattern in patterns:
        piece = pattern.sub("", piece)
    return piece


def strange(page: str, language: str, own: re.Pattern[str], known: re.Pattern[str] = re.compile("(?!)")) -> set[str]:
    """What stands on a page in no text of its language and is nobody's ``own`` word and none of the ``known`` ones."""
    seen, found = Visible(language), set()
    seen.feed(page)
    for piece, spoken in seen.pieces:
        for left in outside(piece, spoken).split("·"):
            left = left.strip(" :：\n")
            if nobodys(left, own, known, spoken):
                found.add(left[:120])
    return found


@functools.cache
def nobodys(left: str, own: re.Pattern[str], known: re.Pattern[str], spoken: str) -> bool:
    """Whether letters are left once everybody's words are taken away; much stands on every page and is judged once."""
    ways = ((own, known, GIVEN, DAY[spoken]), (known, GIVEN, DAY[spoken], own))
    return all(LETTER.search(_without(left, *way)) for way in ways)


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_on_a_page_is_in_another_language(browser, office, bracketed, language):
    found, wrong = pages(full_claim(office), office.rows["handler1"].id), []
    own = own_words(office, language)
    documents = {table: loader.read(loader.default_text(table)) for table in loader.PARSERS}
    settings, units = documents["settings"]["settings"], documents["assignment"]
    names = [row["default"] for name, row in settings.items() if name.startswith("company_name_")]
    codes = [*(one["code"] for one in terms()), *(row["unit"] for row in units["queues"]), units["queue_other"]]
    said = {*as_written(documents), *worded(documents, language), *names, *codes, *EXPONENTS}
    said = {part for one in said for part in (one, *one.split("·"))}  # as `strange` takes a piece apart
    known = re.compile("|".join(rf"(?<!\w){re.escape(o.strip())}(?!\w)" for o in sorted(said, key=len, reverse=True)))
    of_managers = {"manager1": {**found["manager1"], **tables()}}
    for code, paths in {**found, **of_managers}.items():
        for path in paths.values() if code else ():
            answer = browser(code, language).get(f"/{path}", follow=True)
            assert answer.status_code == 200, path
            of_table = known if path.startswith(OF_TABLES) else re.compile("(?!)")
            wrong += [f"{path}: {one!r}" for one in strange(answer.content.decode(), language, own, of_table)]
    assert not wrong, "\n".join(sorted(wrong))


def test_every_page_is_looked_at():
    """Who adds an address says in `every_page` who opens it, or that it is no page."""
    assert not unlooked_at()
