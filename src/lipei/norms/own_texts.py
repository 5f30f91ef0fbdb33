"""What a manager's own rows are called: a table may carry ``texts``, key → wording in every language.

A new promise, calendar, kind of paper or rule has a name for people like a shipped one, and a shipped name may be
given in the company's own words. A row that nobody could name is refused before it is saved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from lipei.norms.errors import NormError
from lipei.norms.lines import known_keys
from lipei.norms.texts import LANGUAGES, shipped

Texts = Mapping[str, Mapping[str, str]]

PREFIXES: Mapping[str, tuple[str, ...]] = {
    "promises": ("promise.", "portal.promise."),
    "calendars": ("calendar.",),
    "papers": ("paper.", "issuer."),
    "surveys": ("survey_look.",),
    "triage": ("reason.triage.",),
    "lines": ("line.", "loss."),
    "products": ("fact.", "cover."),
}
"""The tables that may bring texts, and how the keys begin that each may bring."""


def taken(table: str, document: Mapping[str, Any]) -> tuple[dict[str, Any], Texts]:
    """A document without its texts, and the texts. Raises NormError for a text that cannot be shown."""
    if table not in PREFIXES or "texts" not in document:
        return dict(document), {}
    rest = {key: value for key, value in document.items() if key != "texts"}
    found = known_keys(f"{table}.texts", document["texts"], optional=document["texts"])
    for key, wordings in found.items():
        place = f"{table}.texts.{key}"
        if not str(key).startswith(PREFIXES[table]):
            raise NormError("norm_error.table.unknown_key", place=f"{table}.texts", key=key)
        known_keys(place, wordings, required=LANGUAGES)
        if not all(
            isinstance(words, str) and words.strip() and not set("{}") & set(words) for words in wordings.values()
        ):
            raise NormError("norm_error.text.empty", place=place)
    return rest, dict(found)


def check_named(table: str, value: Any, own: Texts) -> None:
    """Refuse a table with a row that has no name for people."""
    for key in _NEEDED.get(table, lambda value: ())(value):
        if key not in own and key not in shipped():
            raise NormError("norm_error.text.missing", place=f"{table}.texts", key=key)


def _papers(table: Any) -> Iterator[str]:
    for kind in table.kinds.values():
        yield from (f"paper.{kind.code}", f"issuer.{kind.issuer}")
    yield from (f"paper.why.{row.why}" for one in table.lists for row in one.rows if row.why)


def _lines(table: Any) -> Iterator[str]:
    for code, line in table.lines.items():
        yield from (f"line.{code}", *(f"loss.{loss}" for loss in line.losses))


_NEEDED: Mapping[str, Callable[[Any], Iterable[str]]] = {
    "promises": lambda table: (row.text_key for row in table.rows),
    "calendars": lambda calendars: (f"calendar.{code}" for code in calendars.current),
    "papers": _papers,
    "triage": lambda table: (rule.text for rule in table.rules),
    "lines": _lines,
    "surveys": lambda table: (f"survey_look.{code}" for code in table.looks),
}


def gathered(documents: Sequence[tuple[str, Mapping[str, Any]]]) -> Texts:
    """The texts of documents of tables, oldest first: the newest words for a key hold, none are forgotten."""
    found: dict[str, Mapping[str, str]] = {}
    for table, document in documents:
        found |= taken(table, document)[1]
    return found
