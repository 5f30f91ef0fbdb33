"""One step on several claims: first what it would do to each, then done, one claim after the other (norm 1.4.3).

Nothing here is a way around the lifecycle table. `plan` asks the rule itself for each claim and throws the answer away;
`run` goes through `actions.act` for each, in a transaction of its own, so that one that is refused keeps none of the
others from it. `undo` takes back what the lifecycle lets be taken back: an assignment, to whoever had the claim before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from lipei.domain import conduct, lifecycle, messages
from lipei.domain.claims import Case
from lipei.domain.commands import COMMANDS, Assign
from lipei.domain.events import Actor, Refusal
from lipei.domain.money import Money
from lipei.domain.rulebook import Rulebook
from lipei.reads import rulebook as rulebook_in_force
from lipei.reads import scope
from lipei.services import actions, norms, one_by_one, world
from lipei.store import aggregates, models

ACTIONS = (
    "accept_assignment", "acknowledge_duty", "assign", "hand_over", "request_papers", "add_note", "ask_for_help",
    "close",
)  # fmt: skip
"""Steps on a claim that make sense for several at a time: none that weighs the single case, or ends it by a decision."""
UNDOABLE = frozenset({"assign"})
CLAIMS_MAX = 100
"""So many claims at a time: what would happen to each must still be read by somebody."""
KEPT_DAYS = 30

NOT_DONE = "refusal.bulk.unforeseen"
GONE = "refusal.bulk.gone"
NOBODY_BEFORE = "refusal.bulk.nobody_before"
MOVED_ON = "refusal.bulk.moved_on"


@dataclass(frozen=True, slots=True)
class Planned:
    """What a step would do to a claim. With a ``refusal``: nothing, and why.

    ``version`` is the journal version that this was worked out on; ``papers`` what would be asked for anew;
    ``tells_customer`` whether the customer would get a message of it.
    """

    number: str
    version: int
    handler: int | None
    refusal: Refusal | None = None
    handler_after: int | None = None
    state: str = ""
    state_after: str = ""
    papers: tuple[str, ...] = ()
    tells_customer: bool = False


def offered(actor: Actor) -> tuple[str, ...]:
    """The steps of `ACTIONS` that the lifecycle table gives to any role of this colleague."""
    return tuple(a for a in ACTIONS if lifecycle.scopes(lifecycle.BY_ACTION["claim", a], actor))


def plan(
    numbers: Sequence[str], action: str, command: Any = None, *, actor: Actor, now: datetime
) -> tuple[Planned, ...]:
    """What the step would do to each of these claims, in the order given; nothing is written.

    Claims that the actor does not see are left out, as if they did not exist.
    """
    command = command if command is not None else COMMANDS["claim", action]()
    ids = _seen(numbers, actor)
    with rulebook_in_force.held():
        book = norms.current()
        found = [_planned(n, ids[n], action, command, book, actor, now) for n in numbers[:CLAIMS_MAX] if n in ids]
    return tuple(found)


def _seen(numbers: Iterable[str], actor: Actor) -> dict[str, int]:
    rows = models.Claim.objects.filter(scope.claims(actor), number__in=list(numbers)[:CLAIMS_MAX])
    return dict(rows.values_list("number", "id"))


def _planned(
    number: str, claim_id: int, action: str, command: Any, book: Rulebook, actor: Actor, now: datetime
) -> Planned:
    loaded = aggregates.load(Case, claim_id)
    if loaded is None:
        return Planned(number, 0, None, Refusal(GONE, "missing", {}))
    case = loaded.aggregate
    around, _ = world.of_case(case, rulebook=book, subject="claim", action=action, command=command, now=now)
    outcome = conduct.conduct(
        case=case, subject="claim", action=action, part=0, command=command, actor=actor, world=around, now=now
    )
    version = loaded.head.version
    if isinstance(outcome, Refusal):
        return Planned(number, version, case.claim.handler, outcome, state=case.claim.state)
    after = case.after(event for event, _ in outcome)
    return Planned(
        number, version, case.claim.handler, None, after.claim.handler, case.claim.state, after.claim.state,
        papers=tuple(
            paper.code for part, paper in after.of("paper").items()
            if paper.state == "requested" and part not in case.of("paper")
        ),
        tells_customer=any(
            due.to.party
            for n, (event, _) in enumerate(outcome, version + 1)
            for due in messages.deliveries_for(
                case=after, event=event, stream=f"claim:{claim_id}", sequence=n, table=book.messages, now=now
            )
        ),
    )  # fmt: skip


def run(
    seen: Mapping[str, int], action: str, command: Any = None, *, actor: Actor, now: datetime
) -> Refusal | models.BulkRun:
    """Take the step on each of these claims; answers with the row that says what became of each.

    ``seen``: claim number → the journal version that was looked at; a claim on which a colleague did something since is
    left as it is. Refused as a whole: a step that is not in `ACTIONS`, no claim at all.
    """
    if action not in ACTIONS or actor.staff_id is None:
        return Refusal("refusal.unknown_action", "missing", {"action": f"claim.{action}"})
    visible = _seen(seen, actor)
    numbers = [n for n in seen if n in visible]
    if not numbers:
        return Refusal("refusal.bulk.nothing", "fields", {})
    before = dict(models.Claim.objects.filter(number__in=numbers).values_list("number", "handler"))
    outcomes: dict[str, dict[str, Any]] = {}

    def one(number: str) -> int:
        done = actions.act(
            number, "claim", action, 0, command, actor=actor, now=now, seen_version=seen[number], cause=f"bulk.{action}"
        )
        outcomes[number] = _outcome(number, before.get(number), done)
        return 1

    with rulebook_in_force.held():
        one_by_one.each(numbers, one, work=f"bulk.{action}")
    world.forget_staff()
    failed = {n: _outcome(n, before.get(n), Refusal(NOT_DONE)) for n in numbers if n not in outcomes}
    _forget_old(actor, now)
    said = tuple({**outcomes, **failed}[n] for n in numbers)
    return models.BulkRun.objects.create(staff_id=actor.staff_id, action=action, outcomes=said, at=now)


def _outcome(number: str, before: int | None, done: Refusal | actions.Done) -> dict[str, Any]:
    if isinstance(done, Refusal):
        params: dict[str, Any] = {k: v for k, v in done.params.items() if isinstance(v, str | int)}
        params |= {
            k: {"minor": v.minor, "currency": v.currency} for k, v in done.params.items() if isinstance(v, Money)
        }
        fields = tuple(sorted(set(done.fields.values())))
        code = fields[0] if done.kind == "fields" and fields else done.code
        return {"number": number, "before": before, "after": before, "refusal": code, "params": params}
    return {"number": number, "before": before, "after": done.case.claim.handler, "refusal": "", "params": {}}


def _forget_old(actor: Actor, now: datetime) -> None:
    models.BulkRun.objects.filter(staff_id=actor.staff_id or 0, at__lt=now - timedelta(days=KEPT_DAYS)).delete()


def may_undo(action: str, outcomes: Iterable[Mapping[str, Any]]) -> bool:
    """Whether anything of a run can be taken back at all."""
    return action in UNDOABLE and any(_reversible(o) for o in outcomes)


def _reversible(outcome: Mapping[str, Any]) -> bool:
    return not outcome["refusal"] and outcome["before"] is not None and outcome["before"] != outcome["after"]


def undo_plan(run: Any, *, actor: Actor, now: datetime) -> tuple[tuple[Planned, tuple[str, ...]], ...]:
    """What taking a run back would do to each of its claims, and the messages about it that have left already.

    What has left cannot be called back; what waits to leave is overtaken by the undoing, see the table of messages.
    """
    given = [o for o in run.outcomes if not o["refusal"]]
    found = dict(models.Claim.objects.filter(number__in=[o["number"] for o in given]).values_list("number", "id"))
    told = _told(found.values(), run)
    with rulebook_in_force.held():
        book = norms.current()
        return tuple(
            (_planned_back(o, found[o["number"]], book, actor, now), told.get(found[o["number"]], ()))
            for o in given if o["number"] in found
        )  # fmt: skip


def _planned_back(was: Mapping[str, Any], claim_id: int, book: Rulebook, actor: Actor, now: datetime) -> Planned:
    if was["before"] is None:
        return Planned(was["number"], 0, was["after"], Refusal(NOBODY_BEFORE))
    planned = _planned(was["number"], claim_id, "assign", Assign(handler=was["before"]), book, actor, now)
    return planned if planned.handler == was["after"] else replace(planned, refusal=Refusal(MOVED_ON))


def _told(claims: Iterable[int], run: Any) -> dict[int, tuple[str, ...]]:
    """The messages to customers that a run caused and that have left, by claim. Two queries."""
    ids = list(claims)
    entries = models.Entry.objects.filter(
        stream_kind=Case.kind, stream_id__in=ids, occurred_at=run.at, cause__startswith="bulk."
    )
    caused = set(entries.values_list("stream_id", "sequence"))
    sent = models.Delivery.objects.filter(stream_kind=Case.kind, stream_id__in=ids, state__in=("sent", "delivered"))
    found: dict[int, tuple[str, ...]] = {}
    for claim_id, sequence, message in sent.exclude(party=0).values_list("stream_id", "sequence", "message"):
        if (claim_id, sequence) in caused:
            found[claim_id] = (*found.get(claim_id, ()), message)
    return found


def undo(run_id: int, *, actor: Actor, now: datetime) -> Refusal | models.BulkRun:
    """Take a run of one's own back, as far as the lifecycle allows: each claim goes to whoever had it before.

    A claim that somebody moved on meanwhile stays where it is. Answers with the row of the undoing, which like any run
    says what became of each claim and can be taken back itself. A run is taken back once.
    """
    row = models.BulkRun.objects.filter(id=run_id, staff_id=actor.staff_id or 0).first()
    if row is None or not may_undo(row.action, row.outcomes):
        return Refusal("refusal.unknown_part", "missing", {"part": str(run_id)})
    if not models.BulkRun.objects.filter(id=run_id, undone_at=None).update(undone_at=now):
        return Refusal("refusal.bulk.undone", "conflict", {})
    here = dict(
        models.Claim.objects.filter(number__in=[o["number"] for o in row.outcomes]).values_list("number", "handler")
    )
    outcomes: dict[str, dict[str, Any]] = {}

    def one(was: Mapping[str, Any]) -> int:
        number, handler = was["number"], here.get(was["number"])
        if was["before"] is None:
            done: Refusal | actions.Done = Refusal(NOBODY_BEFORE)
        elif handler != was["after"]:
            done = Refusal(MOVED_ON)
        else:
            done = actions.act(
                number, "claim", "assign", 0, Assign(handler=was["before"]), actor=actor, now=now, cause="bulk.undo"
            )
        outcomes[number] = _outcome(number, handler, done)
        return 1

    given = [o for o in row.outcomes if not o["refusal"]]
    with rulebook_in_force.held():
        one_by_one.each(given, one, work="bulk.undo")
    world.forget_staff()
    numbers = [o["number"] for o in given]
    said = tuple(outcomes.get(n) or _outcome(n, here.get(n), Refusal(NOT_DONE)) for n in numbers)
    return models.BulkRun.objects.create(staff_id=row.staff_id, action="assign", outcomes=said, at=now)
