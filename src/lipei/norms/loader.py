"""From documents to the rulebook: the shipped defaults, and what managers put in their place.

A table's document is YAML. The shipped one is version 1, unless the company's own version 1 is kept (`KEPT`); each edit is
the next version and wins. Earlier versions of calendars and promises stay known, since clocks may still name them; all
versions of products do, since claims settle by the terms of their day.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from lipei.domain.calendars import HOME
from lipei.domain.rulebook import Rulebook
from lipei.norms import (
    assignment,
    authority,
    calendars,
    completing,
    declared,
    duty,
    fitting,
    hints,
    jobs,
    lines,
    messages,
    opinions,
    own_texts,
    papers,
    products,
    promises,
    reserves,
    settings,
    straight_through,
    surveys,
    triage,
    yaml_texts,
)
from lipei.norms.errors import NormError
from lipei.norms.lines import known_codes

FOLDER = Path(__file__).parent / "defaults"
PARSERS: Mapping[str, Callable[..., Any]] = {
    "settings": settings.parse,
    "calendars": calendars.parse,
    "promises": promises.parse,
    "lines": lines.parse,
    "triage": triage.parse,
    "assignment": assignment.parse,
    "duty": duty.parse,
    "authority": authority.parse,
    "straight_through": straight_through.parse,
    "papers": papers.parse,
    "messages": messages.parse,
    "jobs": jobs.parse,
    "opinions": opinions.parse,
    "surveys": surveys.parse,
    "hints": hints.parse,
    "reserves": reserves.parse,
}
TABLES = (*PARSERS, "products")
KEPT = ("calendars", "promises")
"""The tables of which a company keeps the edition that it began with: clocks name its versions for good."""
REMEMBERED = 1024
"""So many parsed documents are remembered: those in force and before, and drafts that somebody is trying."""
DRAFT = 2
"""The version a document is parsed as before it is in force."""
Edits = Mapping[str, Sequence[tuple[int, str]]]
"""What managers wrote: table → (version, YAML), oldest first. Products: one document per product and version."""


def read(text: str) -> dict[str, Any]:
    """The mapping of a YAML text. Raises NormError with the place where it is no YAML or no mapping."""
    try:
        document = yaml_texts.load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise NormError("norm_error.yaml", line=mark.line + 1 if mark else 1) from None
    except (ValueError, RecursionError):  # a date or number of the right form that there cannot be; nested without end
        raise NormError("norm_error.yaml_value") from None
    if not isinstance(document, dict):
        raise NormError("norm_error.yaml", line=1)
    return document


def document_of(table: str, text: str) -> dict[str, Any]:
    """The mapping of a table's text, with what an earlier release did not know as it is shipped."""
    document = read(text)
    if table not in declared.TABLES or table not in PARSERS:
        return document
    return completing.completed(declared.TABLES[table], document, read(default_text(table)))  # type: ignore[no-any-return]


def default_text(table: str) -> str:
    """The shipped document of a table, as text."""
    return (FOLDER / f"{table}.yaml").read_text(encoding="utf-8")


def default_digest(table: str) -> str:
    """SHA-256 of the shipped document: an edit remembers from which default it was made."""
    return hashlib.sha256(default_text(table).encode()).hexdigest()


@lru_cache(maxsize=REMEMBERED)
def parsed(table: str, version: int, text: str, **more: Any) -> Any:
    """The domain value of a document in a version. Raises NormError where it makes no sense.

    ``more`` is what the parser of this table is told besides.
    """
    document, own = own_texts.taken(table, document_of(table, text))
    if table == "products":
        return products.parse(document, own=own)
    return PARSERS[table]({**document, "version": version}, **more)


def draft(table: str, text: str) -> Any:
    """The domain value of a document that is not in force. Raises NormError where it makes no sense."""
    return parsed(table, DRAFT, text)


def texts_of(edits: Edits) -> own_texts.Texts:
    """The texts that these edits bring, see `lipei.norms.own_texts`."""
    return own_texts.gathered([(table, read(text)) for table in TABLES for _, text in edits.get(table, ())])


def versions(table: str, edits: Edits) -> list[Any]:
    """Every version of a table, the one in force last."""
    own = edits.get(table, ())
    shipped = [] if own and own[0][0] == 1 else [(1, default_text(table))]
    return [parsed(table, version, text) for version, text in (*shipped, *own)]


def _in_force(table: str, edits: Edits) -> tuple[int, str]:
    """Version and text of what is in force."""
    own = edits.get(table, ())
    return own[-1] if own else (1, default_text(table))


def seeds(table: str, version: int, text: str) -> str:
    """What has to be kept beside a document so that it says the same for ever, see `calendars.seeded`."""
    return calendars.seeded(parsed(table, version, text)) if table == "calendars" else ""


def rulebook(edits: Edits, *, market: str = "") -> Rulebook:
    """The rulebook of the shipped defaults and these edits. ``market`` names the profile of law, else the setting does.

    The company's zone is that of the profile's calendar where no setting names another; so is that of its duty roster.

    Raises NormError for a profile that there is not.
    """
    latest = {table: versions(table, edits)[-1] for table in PARSERS}
    calendar_versions = versions("calendars", edits)
    older = [calendar for book in calendar_versions[:-1] for calendar in book.current.values()]
    promise_tables = versions("promises", edits)
    profile = market or latest["settings"].market
    known_codes("LIPEI_MARKET" if market else "settings.market", [profile], promise_tables[-1].profiles)
    home = promise_tables[-1].profiles[profile].calendar
    zone = latest["settings"].zone
    company = replace(
        latest["settings"], market=profile,
        zone=latest["calendars"].current[home].zone if zone == HOME else zone,
    )  # fmt: skip
    return Rulebook(
        calendars=type(latest["calendars"]).of(latest["calendars"].current.values(), older),
        promises=promise_tables[-1].promises(profile=profile, older=promise_tables[:-1]),
        lines=latest["lines"],
        triage=latest["triage"],
        assignment=latest["assignment"],
        duty=parsed("duty", *_in_force("duty", edits), home=company.zone).at_home(home),
        authority=latest["authority"],
        straight_through=latest["straight_through"],
        papers=replace(latest["papers"], zone=company.zone),
        products=_products(edits),
        messages=latest["messages"],
        settings=company,
        jobs=latest["jobs"],
        opinions=latest["opinions"],
        surveys=latest["surveys"],
        hints=latest["hints"],
        reserves=latest["reserves"],
        versions=tuple((table, edits[table][-1][0] if edits.get(table) else 1) for table in TABLES),
    )


def checked(edits: Edits, *, market: str = "") -> Rulebook:
    """As `rulebook`, for edits that are not in force yet: the tables also have to fit each other.

    Raises NormError where one names what another no longer has: nothing may be saved that stops the whole house.
    """
    latest = {table: versions(table, edits)[-1] for table in PARSERS}
    fitting.check(latest, _products(edits), own=texts_of(edits))
    return rulebook(edits, market=market)


def _products(edits: Edits) -> Any:
    """The shipped products and a manager's own. Raises NormError for a version that does not follow its predecessor."""
    own = [parsed("products", version, text) for version, text in edits.get("products", ())]
    return products.joined([*products.shipped().terms, *own]) if own else products.shipped()
