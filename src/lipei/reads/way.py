"""The way of a claim as steps: what is done and when, where it stands, and by when the rest is promised (norm 2.3.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from lipei.domain import papers
from lipei.domain.claims import Case, Exposure
from lipei.domain.rulebook import Rulebook
from lipei.reads.claims import Page, Promised

ABOUT: Mapping[str, str] = {
    "claim.opinion_given": "opinion", "claim.papers_requested": "papers", "paper.accepted": "papers",
    "survey.recorded": "assessed", "exposure.assessed": "assessed", "exposure.assessment_checked": "assessed",
    "exposure.decision_submitted": "decided", "exposure.decision_approved": "decided", "exposure.refused": "decided",
    "offer.sent": "agreed", "offer.agreed": "agreed", "payment.submitted": "paid", "payment.confirmed": "paid",
    "exposure.settled": "paid", "claim.closed": "paid",
}  # fmt: skip
"""Journal kind that keeps a promise in the first place → the step of the way that the promise is about."""
ASSESSED = ("assessed", "checked", "submitted", "approved", "agreed", "settled", "refusal_proposed", "refused")
DECIDED = ("approved", "agreed", "settled", "refused")
AGREED = ("agreed", "settled", "refused")
ENDED = ("settled", "refused")
UNLIKE_REFUSED = frozenset({"decided", "agreed", "paid"})
"""Steps that a claim refused whole did not take, though nothing of them is left to do: its end is the refusal."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step. ``state``: done (``at``), now, late or ahead (``due_at``: by when it is promised, None where nobody said).

    ``was_late``: done, but after the promise had broken.
    """

    code: str
    state: str
    at: datetime | None = None
    due_at: datetime | None = None
    was_late: bool = False


def in_turn(dates: Iterable[datetime | None]) -> list[datetime | None]:
    """The dates of steps yet to be done, without those that a later step is promised before: that one says it all.

    Of a step that is late its date stays with it: that it has passed is what there is to say.
    """
    found: list[datetime | None] = []
    earliest: datetime | None = None
    for due_at in reversed(tuple(dates)):
        overtaken = due_at is not None and earliest is not None and due_at > earliest
        found.append(None if overtaken else due_at)
        earliest = earliest if overtaken or due_at is None else due_at
    return found[::-1]


def steps(page: Page, *, now: datetime) -> tuple[Step, ...]:
    """The way of a claim; its end as the last step where it went another way than to a decision. No query."""
    case, book = page.found.raw, page.found.rulebook
    done = _done(case, book)
    last = max((n for n, (_, _, is_done) in enumerate(done) if is_done), default=-1)
    promised = _promised(page, book)
    ended = case.claim.closed_at if case.claim.outcome else None
    found = []
    for n, (code, at, is_done) in enumerate(done):
        if case.claim.outcome == "refused" and (code in UNLIKE_REFUSED or at is None):
            continue
        about = promised.get(code, [])
        if is_done or (n <= last and code != "papers"):
            broke = any(p.breached_at is not None and p.ended_at is not None for p in about)
            found.append(Step(code, "done", at, was_late=broke))
        elif not case.claim.outcome:
            due_at = min((p.due_at for p in about if p.state == "running" and p.due_at is not None), default=None)
            late = due_at is not None and due_at < now
            here = n == last + 1 or n <= last
            found.append(Step(code, "late" if late else "now" if here else "ahead", due_at=due_at))
    dates = in_turn(step.due_at for step in found)
    turns = zip(found, dates, strict=True)
    found = [step if step.state == "late" else replace(step, due_at=due_at) for step, due_at in turns]
    if case.claim.outcome not in ("", "paid"):
        found.append(Step(case.claim.outcome, "done", ended))
    return tuple(found)


def _done(case: Case, book: Rulebook) -> tuple[tuple[str, datetime | None, bool], ...]:
    claim = case.claim
    heads = [e for e in case.exposures.values() if e.state != "dropped"]
    missing = papers.papers_missing(case=case, table=book.papers) if case.papers else ()
    complete = bool(case.papers) and not missing
    paid = [p.confirmed_at for p in case.payments.values() if p.state == "confirmed"]
    return (
        ("reported", claim.reported_at, True),
        ("opinion", claim.opinion_at, claim.opinion_at is not None),
        ("papers", _last(p.decided_at or p.received_at for p in case.papers.values()) if complete else None, complete),
        ("assessed", _last(e.assessed_at for e in heads), _all(heads, ASSESSED)),
        ("decided", _last(e.decided_at for e in heads), _all(heads, DECIDED)),
        ("agreed", _last(e.agreed_at for e in heads), _all(heads, AGREED)),
        ("paid", _last(paid), _all(heads, ENDED)),
    )


def _all(heads: Iterable[Exposure], states: Iterable[str]) -> bool:
    found = [e.state in states for e in heads]
    return bool(found) and all(found)


def _last(times: Iterable[datetime | None]) -> datetime | None:
    return max((t for t in times if t is not None), default=None)


def _promised(page: Page, book: Rulebook) -> Mapping[str, list[Promised]]:
    """Step → the promises about it: a promise names first what it is really about, then what makes it needless. What a team
    aims at in the mean is promised to nobody."""
    found: dict[str, list[Promised]] = {}
    for one in (p for p in page.promises if p.binds != "team"):
        try:
            rules = book.promises.of_clock(page.found.raw.clocks[one.part]).fulfil
        except KeyError:  # a definition that is no longer known
            continue
        step = ABOUT.get(rules[0].event) if rules else None
        if step is not None:
            found.setdefault(step, []).append(one)
    return found
