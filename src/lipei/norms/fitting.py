"""Whether the tables fit each other: what one names, another has. Asked before a manager's edit is saved.

A code that nobody declares would be worse than a refusal: a rule on it never holds, and nobody is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lipei.domain import lifecycle
from lipei.domain.calendars import HOME
from lipei.domain.conditions import Condition
from lipei.domain.facts import comparisons
from lipei.domain.messages import STAFF_ROLES
from lipei.domain.papers import UNKNOWN
from lipei.domain.promises import PromiseTable
from lipei.domain.settlement import Products
from lipei.domain.triage import LANES
from lipei.norms import own_texts, promises
from lipei.norms.lines import known_codes

Tables = Mapping[str, Any]


def check(tables: Tables, products: Products, *, own: own_texts.Texts) -> None:
    """Raises NormError for the first thing that a table names and no other table has."""
    promises.check_calendars(tables["promises"], tables["calendars"])
    _check_promises(tables["promises"])
    known_codes("duty.calendar", [tables["duty"].calendar], {HOME, *tables["calendars"].current})
    codes = _codes(tables, products)
    for place, name, named in _named(tables):
        known_codes(place, named, codes[name])
    for place, condition in _conditions(tables):
        _check_condition(place, condition, codes)
    for table, value in tables.items():
        own_texts.check_named(table, value, own)


def _check_promises(table: PromiseTable) -> None:
    """A promise that begins with what never happens, binds in no market or tells nobody there is would silently do nothing."""
    kinds = {step.event for step in lifecycle.STEPS} | set(lifecycle.KINDS)
    groups = {market for profile in table.profiles.values() for market in profile.markets}
    known_codes("promises.ending", table.ending, kinds)
    known_codes("promises.voiding", table.voiding, kinds)
    for row in table.rows:
        place = f"promises.{row.code}"
        known_codes(place, sorted(row.kinds()), kinds)
        known_codes(place, row.markets, groups)
        known_codes(place, (*row.tell_warning, *row.tell_breach), STAFF_ROLES)


def _codes(tables: Tables, products: Products) -> Mapping[str, frozenset[str]]:
    """What may be named, by the last part of a field's name."""
    lines = tables["lines"]
    covers = frozenset(lines.covers) | {code for terms in products.terms for code in terms.covers} | {UNKNOWN}
    losses = frozenset(lines.losses) | {p for t in products.terms for c in t.covers.values() for p in c.perils}
    return {
        "line": frozenset(lines.lines),
        "loss": losses, "loss_kind": losses, "peril": losses, "perils": losses,
        "cover": covers, "covers": covers,
        "lane": frozenset(LANES),
    }  # fmt: skip


def _named(tables: Tables) -> Iterator[tuple[str, str, Iterable[str]]]:
    """Codes that tables name outside conditions: where, of what kind, which."""
    for row in tables["promises"].rows:
        yield f"promises.{row.code}", "line", row.lines
    for rule in tables["hints"].words:
        for name in ("line", "loss_kind"):
            if name in (rule.says or {}):
                yield f"hints.words.{rule.code}.says.{name}", name, [rule.says[name]]
    for reserve in tables["reserves"].rows:
        for kind, codes in (
            ("line", reserve.applies.lines),
            ("cover", reserve.applies.covers),
            ("loss", reserve.applies.losses),
        ):
            yield f"reserves.rows.{reserve.code}", kind, codes
    triage, assignment = tables["triage"], tables["assignment"]
    yield "triage.injury.covers", "cover", triage.injury_covers
    yield "triage.injury.perils", "peril", triage.injury_perils
    yield "assignment.minutes_by_line", "line", assignment.minutes_by_line
    for number, limit in enumerate(tables["authority"].limits, start=1):
        yield f"authority.limits.{number}", "line", limit.lines
    for name in ("payment", "advance"):
        path = getattr(tables["straight_through"], name)
        for lines in (path.limits_minor, path.claimed_lines, path.injury_lines, path.third_party_lines):
            yield f"straight_through.{name}", "line", lines
    for opinion in tables["opinions"].opinions:
        yield f"opinions.{opinion.code}.lines", "line", opinion.lines
    for one in tables["papers"].lists:
        for selector in one.applies:
            place = f"papers.lists.{one.code}"
            yield place, "line", selector.lines
            yield place, "cover", selector.covers
            yield place, "loss", selector.losses


def _conditions(tables: Tables) -> Iterator[tuple[str, Condition]]:
    for row in tables["promises"].rows:
        yield f"promises.{row.code}", row.condition
    for rule in tables["triage"].rules:
        yield f"triage.{rule.code}", rule.when
    for name in ("skills", "queues"):
        for code, when in getattr(tables["assignment"], name):
            yield f"assignment.{name}.{code}", when
    yield "duty.calls", tables["duty"].calls
    for kind in tables["papers"].kinds.values():
        if kind.on_file is not None:
            yield f"papers.{kind.code}", kind.on_file
    for one in tables["papers"].lists:
        for paper in one.rows:
            if paper.when is not None:
                yield f"papers.lists.{one.code}.{paper.paper}", paper.when


def _check_condition(place: str, condition: Condition, codes: Mapping[str, frozenset[str]]) -> None:
    for one in comparisons([condition]):
        name = one.field.rpartition(".")[2]
        if name in codes and "facts." not in one.field:
            values = one.value if isinstance(one.value, tuple) else (one.value,)
            known_codes(place, [value for value in values if value not in (None, "")], codes[name])
