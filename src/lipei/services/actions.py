"""Actions: every command on an existing claim goes through `act`, whoever asks and by whatever way.

Load, decide, commit; where somebody was faster, decide again on what is true now. A person who was looking at an older
state is told what changed instead, if what changed matters.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db.models import Exists, OuterRef

from lipei.domain import conduct, lifecycle
from lipei.domain.claims import Case
from lipei.domain.commands import COMMANDS
from lipei.domain.conduct import Happened, World
from lipei.domain.events import Actor, Event, Refusal
from lipei.domain.lifecycle import Step
from lipei.domain.limits import PolicyLedger
from lipei.domain.owing import is_past
from lipei.domain.rules.settlement import UNDECIDED, not_approved, recomputed
from lipei.services import norms, roster, unit_of_work, world
from lipei.services.owing import Insert
from lipei.services.unit_of_work import Stale, Write
from lipei.store import aggregates, models
from lipei.store.aggregates import Loaded

OFFERS = Actor("system:offers", "offers")
"""Lets offers run out."""
LIMITS = Actor("system:limits", "limits")
"""Brings sums up to date that share a limit with another claim."""
BESIDE_MAX = 100
"""Claims under one policy that are looked at at once; those beyond follow at their own next event."""
TRIES = 8
WAIT_SECONDS = 0.02
"""The longest wait before the second try; it doubles with each."""
log = structlog.get_logger(__name__)
QUIET = ("clock.", "notice.", "claim.personal_data_seen")  # what happens of itself and makes nobody's form stale


@dataclass(frozen=True)
class Done:
    """What was done: the claim as it is now, and the events with their journal numbers."""

    case: Case
    events: tuple[tuple[int, Event], ...]


def claim_id(number: str) -> int | None:
    """The id of a claim by its number."""
    found: int | None = models.Claim.objects.filter(number=number).values_list("id", flat=True).first()
    return found


def act(
    number: str, subject: str, action: str, part: int = 0, command: Any = None, *, actor: Actor, now: datetime,
    seen_version: int | None = None, cause: str = "",
) -> Refusal | Done:  # fmt: skip
    """Take an action on a claim.

    ``seen_version`` is the journal version that a person was looking at: if a colleague did something since, or they
    took this very step themselves (a double click), nothing is done and the refusal (``conflict``) says so, so that the
    page can show what changed and keep what was typed. An offer whose day is past, and that nobody has let run out yet,
    runs out first: nobody answers it any more, and whoever sends it anew may. Whoever approves a decision that comes to
    another sum than was submitted is refused, and it is the handler's again to submit.
    """
    stream_id = claim_id(number)
    if stream_id is None:
        return Refusal("refusal.claim_unknown", "missing", {"number": number})
    if command is None:
        kind = COMMANDS.get((subject, action))
        if kind is None:
            return Refusal("refusal.unknown_action", "missing", {"action": f"{subject}.{action}"})
        command = kind()

    def decide(loaded: Loaded, w: World) -> Refusal | Happened:
        stale = _stale(loaded, seen_version, actor, lifecycle.BY_ACTION.get((subject, action)), part)
        if stale is not None:
            return stale
        outcome = conduct.conduct(
            case=loaded.aggregate,
            subject=subject,
            action=action,
            part=part,
            command=command,
            actor=actor,
            world=w,
            now=now,
        )
        permitted = not isinstance(outcome, Refusal) or outcome.kind != "permission"
        late = permitted and subject == "offer" and action != "expire" and _is_past(loaded.aggregate, part, now)
        return Refusal("refusal.offer_expired") if late else outcome

    outcome = change(stream_id, decide, subject=subject, action=action, command=command, now=now, cause=cause)
    if not isinstance(outcome, Refusal):
        asked = (subject, action) == ("exposure", "approve_decision")
        return (asked and not_approved(outcome.case, (e for _, e in outcome.events), part)) or outcome
    if outcome.code != "refusal.offer_expired":
        return outcome
    expired = act(number, subject, "expire", part, actor=OFFERS, now=now)
    if isinstance(expired, Refusal) or action != "send":
        return outcome
    return act(
        number, subject, action, part, command, actor=actor, now=now, seen_version=seen_version, cause=cause
    )  # fmt: skip


def wrong(
    number: str, subject: str, action: str, part: int, command: Any, *, actor: Actor, now: datetime
) -> Mapping[str, str]:
    """What the rule finds wrong with a step as far as it can be read, a text code per field. Nothing is written."""
    stream_id = claim_id(number)
    loaded = aggregates.load(Case, stream_id) if stream_id is not None else None
    if loaded is None:
        return {}
    w, _ = world.of_case(
        loaded.aggregate, rulebook=norms.current(), subject=subject, action=action, command=command, now=now
    )
    outcome = conduct.conduct(
        case=loaded.aggregate, subject=subject, action=action, part=part, command=command, actor=actor, world=w, now=now
    )  # fmt: skip
    return outcome.fields if isinstance(outcome, Refusal) and outcome.kind == "fields" else {}


def _is_past(case: Case, part: int, now: datetime) -> bool:
    """Whether an offer waits for an answer although its day is past."""
    offer = case.offers.get(part)
    return offer is not None and offer.state == "sent" and is_past(offer, now)


def change(
    stream_id: int, decide: Callable[[Loaded, World], Refusal | Happened], *, subject: str, action: str,
    command: Any = None, now: datetime, cause: str = "", inside: Callable[[], None] | None = None,
    beside: Sequence[Insert] = (),
) -> Refusal | Done:  # fmt: skip
    """Load a claim and its world, decide, commit; decide again where somebody was faster.

    ``inside`` and ``beside`` as in `unit_of_work.commit`. What it changes of the policy's shared limits is brought to the
    claims beside it, see `share_anew`.
    """
    done = _changed(
        stream_id, decide, subject=subject, action=action, command=command, now=now, cause=cause, inside=inside,
        beside=beside,
    )  # fmt: skip
    if isinstance(done, Done):
        share_anew(done, now=now)
    return done


def share_anew(done: Done, *, now: datetime) -> None:
    """After a claim took of its policy's shared limits or gave back: what the other open claims get of them is computed
    anew, each in a write of its own.

    Nothing hangs on it: where the process dies before, or others keep a claim busy, its sums follow at its own next
    event, and nobody approves a sum that is not what the terms give by then.
    """
    if not _drew(done) or done.case.claim.policy_id is None:
        return
    heads = models.Exposure.objects.filter(aggregate_id=OuterRef("id"), state__in=UNDECIDED).exclude(assessed_by="")
    open_claims = models.Claim.objects.filter(
        Exists(heads), policy_id=done.case.claim.policy_id, state__in=lifecycle.OPEN
    )
    ids = list(open_claims.exclude(id=done.case.id).order_by("id").values_list("id", flat=True)[:BESIDE_MAX])
    waiting = dict.fromkeys(ids)
    while waiting:
        one = next(iter(waiting))
        del waiting[one]
        try:
            found = _changed(one, _recomputed(now), subject="exposure", action="assess", now=now, cause="limits:shared")
        except Exception:
            log.exception("left for its next event", claim=one)
            continue
        if isinstance(found, Done) and _drew(found):  # a rule went on there with what is left
            waiting |= dict.fromkeys(number for number in ids if number != one)


def _drew(done: Done) -> bool:
    return any(event.subject == "ledger" for _, event in done.events)


def _recomputed(now: datetime) -> Callable[[Loaded, World], Refusal | Happened]:
    def decide(loaded: Loaded, w: World) -> Happened:
        case: Case = loaded.aggregate
        found = recomputed(case, (), w)
        return conduct.follow(case, [(e, LIMITS) for e in conduct.with_state(case, found)], w, now) if found else ()

    return decide


def _changed(
    stream_id: int, decide: Callable[[Loaded, World], Refusal | Happened], *, subject: str, action: str,
    command: Any = None, now: datetime, cause: str = "", inside: Callable[[], None] | None = None,
    beside: Sequence[Insert] = (),
) -> Refusal | Done:  # fmt: skip
    for tried in range(TRIES):
        loaded = aggregates.load(Case, stream_id)
        if loaded is None:
            return Refusal("refusal.claim_unknown", "missing", {"number": str(stream_id)})
        rulebook = norms.current()
        w, ledger = world.of_case(
            loaded.aggregate, rulebook=rulebook, subject=subject, action=action, command=command, now=now
        )
        outcome = decide(loaded, w)
        if isinstance(outcome, Refusal):
            return outcome
        if not outcome:
            return Done(loaded.aggregate, ())
        outcome = (*outcome, *roster.calls_learnt(loaded.aggregate, outcome, rulebook, now))
        secret = w.one_time_code
        try:
            committed = unit_of_work.commit(
                writes_of(loaded, ledger, outcome), rulebook=rulebook, now=now, cause=cause or f"{subject}.{action}",
                inside=inside, secret=secret, beside=beside,
            )  # fmt: skip
        except Stale:
            time.sleep(random.random() * WAIT_SECONDS * 2**tried)  # apart, so that the same do not meet again
            continue
        return Done(committed.aggregates[Case.kind, stream_id], committed.events)
    return Refusal("refusal.busy", "conflict", {})


def writes_of(loaded: Loaded, ledger: Loaded | None, happened: Happened) -> list[Write]:
    """The writes of a decision: the claim's own events, and those on the policy's ledger."""
    own = tuple((e, a) for e, a in happened if e.subject != "ledger")
    drawn = tuple((e, a) for e, a in happened if e.subject == "ledger")
    writes = [Write(loaded, own)]
    if drawn:
        assert ledger is not None and isinstance(ledger.aggregate, PolicyLedger)
        writes.append(Write(ledger, drawn))
    return writes


def _stale(loaded: Loaded, seen_version: int | None, actor: Actor, step: Step | None, part: int) -> Refusal | None:
    if seen_version is None or loaded.head.version == seen_version:
        return None
    if loaded.head.version < seen_version:  # nobody saw it here: it is of another claim, or of a day before a restore
        return Refusal("refusal.stale", "conflict", {"version": loaded.head.version, "changed": ()})
    rows = list(
        models.Entry.objects.filter(stream_kind=Case.kind, stream_id=loaded.aggregate.id, sequence__gt=seen_version)
        .order_by("sequence")
        .values_list("sequence", "kind", "actor", "part")
    )
    own = [r for r in rows if step and r[2] == actor.id and r[1] == step.event and (step.makes_part or r[3] == part)]
    others = [r for r in rows if r[2] != actor.id and not r[1].startswith(QUIET) and not r[2].startswith("system:")]
    if not own and not others:
        return None
    changed = tuple({"sequence": s, "kind": k, "actor": a} for s, k, a, _ in sorted({*own, *others}))
    code = "refusal.stale" if others else "refusal.done_already"
    return Refusal(code, "conflict", {"version": loaded.head.version, "changed": changed})
