"""The authority table, read from its document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lipei.domain.authority import FOUR_EYES, KINDS, ONLY_PERSONS, SYSTEM_ROLE, UNLIMITED, AuthorityTable, Limit
from lipei.norms.errors import NormError
from lipei.norms.lines import check_remarks, known_codes, known_keys, texts_of
from lipei.norms.settings import currency_of, whole, words

ROLES = (
    "intake", "handler", "surveyor", "assessor", "approver", "team_lead", "manager", "finance", "expert",
    "investigator", "compliance", "administrator", "program", SYSTEM_ROLE,
)  # fmt: skip


def parse(document: Mapping[str, Any]) -> AuthorityTable:
    """The limits of an ``authority`` document.

    Raises NormError for an unknown role or kind, two rows that answer the same question, and for authority to refuse
    given to anything but a person (norm part 4).
    """
    required = {"version", "limits", "four_eyes_minor", "delegation_days_max", "source", "source_status"}
    known_keys("authority", document, required=required)
    check_remarks("authority", document)
    if not isinstance(document["limits"], list):
        raise NormError("norm_error.table.not_a_list", place="authority.limits")
    limits = tuple(_limit(f"authority.limits.{n}", row) for n, row in enumerate(document["limits"], start=1))
    _no_row_twice(limits)
    four_eyes = known_keys("authority.four_eyes_minor", document["four_eyes_minor"], optional=FOUR_EYES)
    return AuthorityTable(
        version=whole("authority.version", document["version"], 1),
        limits=limits,
        four_eyes_minor={kind: _limits(f"authority.four_eyes_minor.{kind}", row) for kind, row in four_eyes.items()},
        delegation_days_max=whole("authority.delegation_days_max", document["delegation_days_max"], 1, 366),
    )


def _limit(place: str, row: Any) -> Limit:
    known_keys(place, row, required={"role", "kinds", "limits_minor"}, optional={"lines"})
    role = words(place, row["role"])
    known_codes(place, [role], ROLES)
    kinds = texts_of(place, row["kinds"])
    known_codes(place, kinds, KINDS)
    if role in (SYSTEM_ROLE, "program") and set(kinds) & set(ONLY_PERSONS):
        raise NormError("norm_error.authority.only_persons", place=place, role=role)
    return Limit(role, frozenset(kinds), _limits(place, row["limits_minor"]), frozenset(_lines(place, row)))


def _lines(place: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    lines = texts_of(place, row.get("lines", []))
    if "lines" in row and not lines:
        raise NormError("norm_error.table.not_a_list", place=place)
    return lines


def _limits(place: str, row: Any) -> Mapping[str, int]:
    """Sums per currency, minor units; ``unlimited`` instead of a number where there is no limit."""
    known_keys(place, row, optional=row if isinstance(row, Mapping) else ())
    return {
        currency_of(place, currency): UNLIMITED if limit == "unlimited" else whole(place, limit, 0)
        for currency, limit in row.items()
    }


def _no_row_twice(limits: tuple[Limit, ...]) -> None:
    seen: set[tuple[str, str, str]] = set()
    for limit in limits:
        for kind in limit.kinds:
            for line in limit.lines or {""}:
                if (limit.role, kind, line) in seen:
                    raise NormError("norm_error.authority.twice", role=limit.role, kind=kind, line=line or "*")
                seen.add((limit.role, kind, line))
