"""Why a rule left a claim to a person, for that person to read (norm 1.3.1, part 4: a person can always see why)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lipei.domain import automation, commands, lifecycle, papers, triage
from lipei.domain.claims import Case
from lipei.domain.rulebook import Rulebook
from lipei.domain.straight_through import Verdict
from lipei.services import world


@dataclass(frozen=True, slots=True)
class Left:
    """Why a head of loss is left to a person: text keys, and the names of the facts that somebody has to tell first."""

    reasons: tuple[str, ...]
    untold: tuple[str, ...]


def left_to_a_person(case: Case, rulebook: Rulebook, *, now: datetime) -> Mapping[int, Left]:
    """Exposure → why, where a rule might have gone on by itself.

    Nothing for a claim that waits for its papers, that no rule may touch, or that a person has in hand already: then
    there is nothing to explain and nothing is looked up. Else what one action costs, 3 or 4 queries.
    """
    simple = case.claim.lane == triage.SIMPLE or case.claim.accept_automatic
    waiting = [
        e for e in case.exposures.values() if e.state in automation.NEXT_STEP and not automation.person_at_work(case, e)
    ]
    if not waiting or not simple or case.claim.state not in lifecycle.OPEN or case.claim.registered_at is None:
        return {}
    if papers.papers_away(case=case, table=rulebook.papers):
        return {}
    known, _ = world.of_case(
        case, rulebook=rulebook, subject="exposure", action="assess", command=commands.Assess(), now=now
    )
    verdicts = {e.part: automation.verdict(case, e, known, now) for e in waiting}
    return {part: _left(v) for part, v in verdicts.items() if not v.ok and v.failed}


def _left(verdict: Verdict) -> Left:
    """Where the calculation leaves something in doubt, what it is stands instead of that it does."""
    found = [check.reason for check in verdict.failed if check.name != "nothing_doubtful"]
    doubts = (doubt for doubt in verdict.doubts if doubt != automation.NOT_TOLD)
    return Left((*found, *doubts), verdict.untold)
