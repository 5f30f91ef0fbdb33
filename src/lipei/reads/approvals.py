"""What waits for somebody's word: assessments to check, decisions to make, payments to let go (norm 2.2.3).

Only what this colleague may do now is listed: whoever made something does not see it as waiting for themselves. Whether
the sum is within their authority is said beside it, and the rule decides when they act. Twenty queries at most, however
much waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lipei.domain import lifecycle
from lipei.domain.authority import Delegation
from lipei.domain.claims import Case, Claim, Exposure, Party, Payment
from lipei.domain.events import Actor
from lipei.domain.rulebook import Rulebook
from lipei.norms.texts import text, texts
from lipei.reads import approvals_weighed, people, scope
from lipei.reads.approvals_weighed import Weighed
from lipei.store import models
from lipei.store.aggregates import names

LOOKED_AT_MAX = 500
WAITING: Mapping[str, tuple[str, str]] = {
    "assessed": ("exposure", "check_assessment"),
    "submitted": ("exposure", "approve_decision"),
    "refusal_proposed": ("exposure", "refuse"),
    "ordered": ("payment", "approve_payment"),
}
"""State → the step that it waits for."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One thing that waits. ``asked_by`` is who made it, ``weighed`` what to look at before deciding."""

    number: str
    subject: str
    part: int
    action: str
    label: str
    cover: str
    currency: str
    amount_minor: int
    asked_by: str
    due_at: datetime | None
    fast_lane: bool
    case: Case
    weighed: Weighed


def waiting(
    viewer: Actor,
    *,
    book: Rulebook,
    language: str,
    now: datetime,
    delegations: Sequence[Delegation] = (),
    limit: int = 100,
) -> tuple[Waiting, ...]:
    """What the viewer may decide now, urgent claims and early due times first."""
    exposures = models.Exposure.objects.filter(state__in=("assessed", "submitted", "refusal_proposed"))
    payments = models.Payment.objects.filter(state="ordered")
    live = _parts(exposures, Exposure)
    ordered = _parts(payments, Payment)
    claims = _claims({*live, *ordered}, viewer)
    behind = _parts(models.Exposure.objects.filter(aggregate_id__in=[i for i in ordered if i in claims]), Exposure)
    payees = approvals_weighed.parts(models.Party, Party, [i for i in ordered if i in claims])
    found = []
    for claim_id, (claim, due_at) in claims.items():
        parts = {
            "claim": {0: claim}, "exposure": {**behind.get(claim_id, {}), **live.get(claim_id, {})},
            "payment": ordered.get(claim_id, {}), "party": payees.get(claim_id, {}),
        }  # fmt: skip
        case = Case(id=claim_id, parts=parts)
        found += [(step, part, case, due_at) for step, part in _asked(case, viewer, book, now)]
    found.sort(key=lambda f: (not f[2].claim.fast_lane, f[3] is None, f[3], f[2].claim.number))
    shown = found[: max(1, limit)]
    weighed = approvals_weighed.weigh(
        {(case.id, step.subject, part): (step.action, case) for step, part, case, _ in shown},
        viewer=viewer, book=book, delegations=delegations, now=now, language=language,
    )  # fmt: skip
    staff = people.names(
        people.staff_ids(_maker(step.subject, case.of(step.subject)[part]) for step, part, case, _ in shown)
    )
    return tuple(
        _row(step, part, case, due_at, weighed[case.id, step.subject, part], staff, language)
        for step, part, case, due_at in shown
    )


def _parts(rows: Any, cls: type) -> dict[int, dict[int, Any]]:
    found: dict[int, dict[int, Any]] = {}
    for row in rows.order_by("id").values_list("aggregate_id", "part", *names(cls))[:LOOKED_AT_MAX]:
        found.setdefault(row[0], {})[row[1]] = cls(*row[1:])
    return found


def _claims(ids: Iterable[int], viewer: Actor) -> dict[int, tuple[Claim, datetime | None]]:
    rows = models.Claim.objects.filter(scope.claims(viewer), id__in=list(ids)).values_list(
        "id", "due_at", *names(Claim)
    )
    return {row[0]: (Claim(0, *row[2:]), row[1]) for row in rows}


def _asked(case: Case, viewer: Actor, book: Rulebook, now: datetime) -> list[tuple[lifecycle.Step, int]]:
    found = []
    for subject, rows in (("exposure", case.exposures), ("payment", case.payments)):
        for number, part in rows.items():
            key = WAITING.get(part.state)
            if key is None or key[0] != subject:
                continue
            step = lifecycle.BY_ACTION[key]
            if lifecycle.check(case=case, step=step, part=part, actor=viewer, book=book, now=now) is None:
                found.append((step, number))
    return found


def _maker(subject: str, part: Any) -> str:
    if subject == "payment":
        return str(part.ordered_by)
    by_state = {
        "assessed": part.assessed_by,
        "submitted": part.submitted_by,
        "refusal_proposed": part.refusal_proposed_by,
    }
    return str(by_state.get(part.state, ""))


def _row(
    step: lifecycle.Step, part: int, case: Case, due_at: datetime | None, weighed: Weighed, staff: Mapping[int, str],
    language: str,
) -> Waiting:  # fmt: skip
    target = case.of(step.subject)[part]
    exposure = target if step.subject == "exposure" else case.exposures.get(target.exposure)
    cover = f"cover.{exposure.cover}" if exposure else ""
    return Waiting(
        number=case.claim.number,
        subject=step.subject,
        part=part,
        action=step.action,
        label=text(f"action.{step.subject}.{step.action}", language),
        cover=text(cover, language) if cover in texts() else (exposure.cover if exposure else ""),
        currency=case.claim.currency,
        amount_minor=weighed.amount_minor,
        asked_by=people.actor_name(_maker(step.subject, target), staff, language),
        due_at=due_at,
        fast_lane=case.claim.fast_lane,
        case=case,
        weighed=weighed,
    )
