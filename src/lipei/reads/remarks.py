"""Remarks on a claim: what a report was taken in spite of, each in one sentence with what follows from it.

Whatever is doubtful about a report stops nobody from reporting; it is said at once, and a person looks at it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lipei.domain import lifecycle
from lipei.domain.claims import Case
from lipei.norms.texts import text
from lipei.store import journal, models

REPORTED, REGISTERED = "claim.reported", "claim.registered"
KINDS = (REPORTED, REGISTERED)


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to know. ``claims``: the numbers of the claims that it is about."""

    code: str
    message: str
    claims: tuple[str, ...] = ()


def on(case: Case, facts: Iterable[tuple[str, Mapping[str, Any]]], language: str) -> tuple[Remark, ...]:
    """The remarks on an open claim. ``facts`` are those of its report and registrations, the oldest first."""
    if case.claim.state not in lifecycle.OPEN:
        return ()
    said: dict[str, Any] = {}
    for kind, more in facts:
        if kind in KINDS:
            said |= more
    return tuple(_remarks(case, said, language))


def _remarks(case: Case, said: Mapping[str, Any], language: str) -> Iterable[Remark]:
    if case.claim.policy_id is None:
        yield Remark("remark.policy_unknown", text("remark.policy_unknown", language))
    elif said.get("in_force") is False:
        yield Remark("remark.not_in_force", text("remark.not_in_force", language, policy=case.claim.policy_number))
    alike = tuple(said.get("alike") or ())
    if alike:
        separator = text("common.list_separator", language)
        yield Remark("remark.alike", text("remark.alike", language, claims=separator.join(alike)), alike)
    if any(c.provisional and c.state in ("running", "paused") for c in case.clocks.values()):
        yield Remark("remark.provisional", text("remark.provisional", language))


def facts_of(case: Case) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """The facts that `on` wants, from the journal. One query."""
    rows = models.Entry.objects.filter(stream_kind=Case.kind, stream_id=case.id, kind__in=KINDS).order_by("sequence")
    return tuple((kind, journal.said(payload)[0]) for kind, payload in rows.values_list("kind", "payload"))
