"""Remarks on a claim: what is to be known before anything else, each in one sentence with what to do about it.

Whatever is doubtful about a report stops nobody from reporting; it is said at once, and a person looks at it. What keeps
agreed money from being ordered stands here too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lipei.domain import accounts, lifecycle, papers
from lipei.domain.claims import Case
from lipei.domain.conduct import Ask, World
from lipei.domain.events import Actor
from lipei.domain.lifecycle import BY_ACTION
from lipei.domain.rulebook import Rulebook
from lipei.domain.rules import payments
from lipei.norms.refusals import worded
from lipei.norms.texts import text, texts
from lipei.reads import interests
from lipei.store import journal, models

REPORTED, REGISTERED, CORRECTED = "claim.reported", "claim.registered", "claim.corrected"
ASSESSED, REOPENED = "exposure.assessed", "claim.reopened"
KINDS = (REPORTED, REGISTERED, CORRECTED, ASSESSED, REOPENED)
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
    """The remarks on an open claim. ``facts`` are those of its entries of `KINDS` with their part, the oldest first."""
    if case.claim.state not in lifecycle.OPEN:
        return ()
    told, said = list(facts), dict[str, Any]()
    for kind, more in told:
        if kind in (REPORTED, REGISTERED, CORRECTED, REOPENED):
            said |= more
    return (
        *_remarks(case, said, language),
        *_without_sum(case, told, language),
        *_interested(case, language),
        *_undocumented(case, book, language),
        *_bank_unknown(case, language),
        *_waiting(case, book, language, now),
    )


def _remarks(case: Case, said: Mapping[str, Any], language: str) -> Iterable[Remark]:
    if case.claim.policy_id is None:
        yield Remark("remark.policy_unknown", text("remark.policy_unknown", language))
    elif said.get("in_force") is False:
        yield Remark("remark.not_in_force", text("remark.not_in_force", language, policy=case.claim.policy_number))
    if case.claim.loss_at is None:
        yield Remark("remark.loss_at_unknown", text("remark.loss_at_unknown", language))
    if said.get("refused_under") and said["refused_under"] == case.claim.handler:
        yield Remark("remark.review_by_another", text("remark.review_by_another", language))
    alike = tuple(said.get("alike") or ())
    if alike:
        separator = text("common.list_separator", language)
        named = separator.join(alike[:NAMED_MAX]) + ("…" if len(alike) > NAMED_MAX else "")
        yield Remark("remark.alike", text("remark.alike", language, claims=named), alike)
    if any(c.provisional and c.state in ("running", "paused") for c in case.clocks.values()):
        yield Remark("remark.provisional", text("remark.provisional", language))


def not_computed(case: Case, facts: Iterable[tuple[str, Mapping[str, Any]]], language: str) -> Mapping[int, str]:
    """Exposure → why the terms gave no sum when it was assessed, in words."""
    found: dict[int, str] = {}
    for kind, more in facts:
        exposure = case.exposures.get(more.get("part", 0)) if kind == ASSESSED else None
        if exposure is not None and more.get("not_computed") and not exposure.settlement:
            params = defaultdict(str, worded(more.get("not_computed_of") or {}, language))
            found[exposure.part] = texts()[more["not_computed"]][language].format_map(params)
    return found


def _without_sum(case: Case, facts: Iterable[tuple[str, Mapping[str, Any]]], language: str) -> Iterable[Remark]:
    for number, why in not_computed(case, facts, language).items():
        if case.exposures[number].state in ("assessed", *DECIDING):
            cover = _cover(case, number, language)
            yield Remark("remark.not_computed", text("remark.not_computed", language, cover=cover, why=why))


def _cover(case: Case, number: int, language: str) -> str:
    cover = f"cover.{case.exposures[number].cover}"
    return text(cover, language) if cover in texts() else str(number)


def _interested(case: Case, language: str) -> Iterable[Remark]:
    """The handler turns out to be close to a party, as to one that was added later."""
    if interests.of_handler(case):
        yield Remark("remark.handler_interested", text("remark.handler_interested", language))


def _undocumented(case: Case, book: Rulebook, language: str) -> Iterable[Remark]:
    """Heads of loss about to be decided for which required papers are missing."""
    for number, exposure in case.exposures.items():
        if exposure.state not in DECIDING:
            continue
        away = papers.papers_away(case=case, table=book.papers, exposure=number)
        if away:
            named = text("common.list_separator", language).join(text(f"paper.{need.code}", language) for need in away)
            cover = _cover(case, number, language)
            yield Remark("remark.papers_missing", text("remark.papers_missing", language, cover=cover, papers=named))


def _bank_unknown(case: Case, language: str) -> Iterable[Remark]:
    """Whose account names no bank, so that nothing can be paid there: to be asked for in time."""
    for party in case.parties.values():
        if party.account_number and accounts.check_bank_code(number=party.account_number, code=party.account_bank):
            yield Remark("remark.bank_code", text("remark.bank_code", language, party=party.part))


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
    return tuple(
        (kind, {**journal.said(payload)[0], "part": part})
        for kind, payload, part in rows.values_list("kind", "payload", "part")
    )
