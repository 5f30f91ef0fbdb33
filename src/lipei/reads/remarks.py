"""Remarks on a claim: what is to be known before anything else, each in one sentence with what to do about it.

Whatever is doubtful about a report stops nobody from reporting; it is said at once, and a person looks at it. What keeps
agreed money from being ordered stands here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lipei.domain import lifecycle, papers
from lipei.domain.claims import Case
from lipei.domain.conduct import Ask, World
from lipei.domain.events import Actor
from lipei.domain.lifecycle import BY_ACTION
from lipei.domain.rulebook import Rulebook
from lipei.domain.rules import payments
from lipei.norms.refusals import worded
from lipei.norms.texts import text
from lipei.store import journal, models

REPORTED, REGISTERED = "claim.reported", "claim.registered"
KINDS = (REPORTED, REGISTERED)
DECIDING = ("checked", "submitted")
NAMED_MAX = 3
"""How many like claims the sentence names; all of them stand beside it."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to know. ``claims``: the numbers of the claims that it is about."""

    code: str
    message: str
    claims: tuple[str, ...] = ()


def on(
    case: Case, book: Rulebook, facts: Iterable[tuple[str, Mapping[str, Any]]], *, language: str, now: datetime
) -> tuple[Remark, ...]:
    """The remarks on an open claim. ``facts`` are those of its report and registrations, the oldest first."""
    if case.claim.state not in lifecycle.OPEN:
        return ()
    said: dict[str, Any] = {}
    for kind, more in facts:
        if kind in KINDS:
            said |= more
    return (*_remarks(case, said, language), *_undocumented(case, book, language), *_waiting(case, book, language, now))


def _remarks(case: Case, said: Mapping[str, Any], language: str) -> Iterable[Remark]:
    if case.claim.policy_id is None:
        yield Remark("remark.policy_unknown", text("remark.policy_unknown", language))
    elif said.get("in_force") is False:
        yield Remark("remark.not_in_force", text("remark.not_in_force", language, policy=case.claim.policy_number))
    alike = tuple(said.get("alike") or ())
    if alike:
        separator = text("common.list_separator", language)
        named = separator.join(alike[:NAMED_MAX]) + ("…" if len(alike) > NAMED_MAX else "")
        yield Remark("remark.alike", text("remark.alike", language, claims=named), alike)
    if any(c.provisional and c.state in ("running", "paused") for c in case.clocks.values()):
        yield Remark("remark.provisional", text("remark.provisional", language))


def _undocumented(case: Case, book: Rulebook, language: str) -> Iterable[Remark]:
    """Heads of loss about to be decided for which required papers are missing."""
    for number, exposure in case.exposures.items():
        if exposure.state not in DECIDING:
            continue
        away = papers.papers_away(case=case, table=book.papers, exposure=number)
        if away:
            named = text("common.list_separator", language).join(text(f"paper.{need.code}", language) for need in away)
            cover = text(f"cover.{exposure.cover}", language) if exposure.cover else str(number)
            yield Remark("remark.papers_missing", text("remark.papers_missing", language, cover=cover, papers=named))


def _waiting(case: Case, book: Rulebook, language: str, now: datetime) -> Iterable[Remark]:
    """Why agreed money is not ordered yet, payee by payee."""
    asked = Ask(case, BY_ACTION["payment", "order"], 0, None, Actor("system:payments", ""), World(rulebook=book), now)
    for number, offer in case.offers.items():
        for _, payee, amount in payments.planned(case, number) if offer.state == "agreed" else ():
            wrong = payments.wrong_payee(asked, case.parties[payee], amount)
            if wrong is not None:
                why = text(wrong.code, language, **worded(wrong.params, language))
                yield Remark("remark.payee_waits", text("remark.payee_waits", language, party=payee, why=why))


def facts_of(case: Case) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """The facts that `on` wants, from the journal. One query."""
    rows = models.Entry.objects.filter(stream_kind=Case.kind, stream_id=case.id, kind__in=KINDS).order_by("sequence")
    return tuple((kind, journal.said(payload)[0]) for kind, payload in rows.values_list("kind", "payload"))
