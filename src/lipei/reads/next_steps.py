"""What to do next on a claim: the steps that keep a running promise, and those that carry a part forward (norm 2.3.1).

Nothing is offered here that the lifecycle table does not offer: this only says which of the possible steps come first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lipei.domain.claims import Case
from lipei.domain.events import Actor
from lipei.domain.owing import is_turned_down
from lipei.domain.rulebook import Rulebook
from lipei.reads.approvals import WAITING
from lipei.reads.claims import Page, Possible, Promised

FORWARD = frozenset(WAITING.values()) | {
    ("claim", "acknowledge_duty"), ("claim", "accept_assignment"), ("claim", "register"), ("claim", "close"),
    ("exposure", "assess"), ("exposure", "submit_decision"), ("paper", "accept"), ("survey", "record"),
    ("consultation", "opine"), ("consultation", "conclude"), ("offer", "send"), ("payment", "submit"),
    ("payment", "retry"), ("exposure", "pay_undisputed"),
}  # fmt: skip
"""The steps by which a claim usually goes on. Others come first only while they keep a promise."""

OWN = frozenset({"company", "team"})


@dataclass(frozen=True, slots=True)
class Next:
    """A step that the reader should think of first: on these parts, to keep this promise (None: to carry it forward)."""

    action: Possible
    parts: tuple[int, ...]
    promise: Promised | None


def ahead(page: Page, viewer: Actor) -> tuple[Next, ...]:
    """The next steps of the reader: what keeps the promise that breaks first stands first. No query."""
    return steps(page.found.raw, page.found.rulebook, page.promises, page.actions, viewer)


def steps(
    case: Case, book: Rulebook, promises: Iterable[Promised], actions: Iterable[Possible], viewer: Actor
) -> tuple[Next, ...]:
    """The same of a case at hand: ``promises`` by due time, ``actions`` that are possible now. No query."""
    running = [p for p in promises if p.state == "running" and p.due_at is not None]
    kept = _kept_by(case, book, running)
    found: dict[tuple[str, str], Next] = {}
    for one in actions:
        promise = _first(kept.get(one.step.event, ()), one)
        if not _carries(case, one, viewer) and (promise is None or not _presses(case, promise, book, viewer)):
            continue
        key = (one.subject, one.action)
        known = found.get(key)
        found[key] = Next(
            known.action if known else one,
            (*(known.parts if known else ()), one.part),
            _sooner(known.promise if known else None, promise),
        )
    order = {p.part: n for n, p in enumerate(running)}
    return tuple(sorted(found.values(), key=lambda n: order[n.promise.part] if n.promise else len(order)))


def _carries(case: Case, one: Possible, viewer: Actor) -> bool:
    part = case.of(one.subject).get(one.part)
    if (one.subject, one.action) == ("exposure", "return_for_rework"):  # the way to a new offer
        return getattr(part, "state", "") == "approved" and is_turned_down(case, one.part)
    if (one.subject, one.action) == ("exposure", "add"):  # without a head of loss there is nothing to work out
        registered = case.claim.registered_at is not None
        return registered and not any(e.state != "dropped" for e in case.exposures.values())
    if (one.subject, one.action) == ("exposure", "pay_guarantee"):  # all else is done, only the hospital waits
        return getattr(part, "state", "") in ("agreed", "refused")
    if (one.subject, one.action) == ("party", "check_identity"):  # whoever acts for another shows by what right
        return part is not None and part.acts_for is not None and part.mandate_checked_at is None
    if (one.subject, one.action) not in FORWARD:
        return False
    if (one.subject, one.action) == ("offer", "send"):  # what was declined is not simply sent again
        return getattr(part, "state", "") != "declined"
    if (one.subject, one.action) == ("consultation", "opine"):
        return viewer.staff_id not in {opinion["expert"] for opinion in getattr(part, "opinions", ())}
    return not one.step.target or getattr(part, "state", None) != one.step.target  # what was made is not made again


def _presses(case: Case, promise: Promised, book: Rulebook, viewer: Actor) -> bool:
    """Whether the reader should think of a promise now: one of the company's own at once, one of the law when it warned.

    It is the business of those who are told when it comes close or breaks.
    """
    clock = case.clocks[promise.part]
    if promise.binds not in OWN and not promise.late and not clock.warned:
        return False
    row = book.promises.of_clock(clock)
    told = {*row.tell_warning, *row.tell_breach}
    mine = "handler" in told and case.claim.handler is not None and case.claim.handler == viewer.staff_id
    return mine or not told.isdisjoint(viewer.roles - {"handler"})


def _kept_by(case: Case, book: Rulebook, running: Iterable[Promised]) -> Mapping[str, list[Promised]]:
    """Journal kind → the running promises that it fulfils, by due time.

    A promise names first what it is really about; what ends it only by the way (a refusal ends the wait for papers) is
    no way to keep it.
    """
    found: dict[str, list[Promised]] = {}
    for promise in running:
        try:
            rules = book.promises.of_clock(case.clocks[promise.part]).fulfil
        except KeyError:  # a definition that is no longer known
            continue
        about = rules[0].event.partition(".")[0] if rules else ""
        for event in {rule.event for rule in rules if rule.event.partition(".")[0] == about}:
            found.setdefault(event, []).append(promise)
    return found


def _first(promises: Iterable[Promised], one: Possible) -> Promised | None:
    """The first of these promises that this step could keep: one about another head of loss it cannot."""
    if one.subject != "exposure":
        return next(iter(promises), None)
    return next((p for p in promises if p.exposure in (0, one.part)), None)


def _sooner(one: Promised | None, other: Promised | None) -> Promised | None:
    if one is None or other is None:
        return one or other
    return min(one, other, key=lambda p: (p.due_at is None, p.due_at))
