"""What to do next on a claim: the steps that keep a running promise, and those that carry a part forward (norm 2.3.1).

Nothing is offered here that the lifecycle table does not offer: this only says which of the possible steps come first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lipei.domain.claims import Case
from lipei.domain.events import Actor
from lipei.domain.owing import is_turned_down
from lipei.domain.papers import DECIDED
from lipei.domain.promises import Promise, Rule
from lipei.domain.rulebook import Rulebook
from lipei.domain.rules.payments import identity_awaited
from lipei.reads.approvals import WAITING
from lipei.reads.claims import Page, Possible, Promised

FORWARD = frozenset(WAITING.values()) | {
    ("claim", "acknowledge_duty"), ("claim", "accept_assignment"), ("claim", "register"), ("claim", "close"),
    ("exposure", "assess"), ("exposure", "submit_decision"), ("paper", "accept"), ("survey", "record"),
    ("consultation", "opine"), ("consultation", "conclude"), ("offer", "send"), ("payment", "submit"),
    ("payment", "retry"), ("exposure", "pay_undisputed"), ("claim", "hand_over"), ("claim", "clear_suspicion"),
}  # fmt: skip
"""The steps by which a claim usually goes on. Others come first only while they keep a promise."""

AT_ONCE = (("claim", "acknowledge_duty"), ("claim", "accept_assignment"), ("claim", "hand_over"))
"""By which a claim comes into somebody's hands, the most pressing first: until then no other step is theirs."""

ENDING = frozenset(
    {("exposure", "drop"), ("claim", "cancel"), ("claim", "withdraw"), ("claim", "close_without_payment")}
)
"""What ends a promise by taking away what it is about: never a way to keep it."""

CHECK = ("party", "check_identity")

OWN = frozenset({"company", "team"})

RECORD = ("claim", "add_note")
WATCHES = "compliance"
"""Who keeps no promise themselves, and puts on record how one that they are told of came to be broken."""


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
        key = (one.subject, one.action)
        if key in ENDING:
            continue
        carries = _carries(case, one, viewer) or (key == CHECK and one.part in identity_awaited(case, book))
        about = _to_record(case, running, book, viewer) if key == RECORD else _of(kept.get(one.step.event, ()), one)
        if not carries and key != RECORD:
            about = [p for p in about if _presses(case, p, book, viewer)]
        if not carries and not about:
            continue
        promise = next(iter(about), None)
        known = found.get(key)
        found[key] = Next(
            known.action if known else one,
            (*(known.parts if known else ()), one.part),
            _sooner(known.promise if known else None, promise),
        )
    order = {p.part: n for n, p in enumerate(running)}

    def rank(one: Next) -> int:
        """By the promise; what keeps none comes later, and what only breaks a silence last: most steps do that too."""
        key = (one.action.subject, one.action.action)
        if key in AT_ONCE:
            return AT_ONCE.index(key) - len(AT_ONCE)
        if one.promise is None:
            return len(order)
        firm = book.promises.of_clock(case.clocks[one.promise.part]).fulfil
        return order[one.promise.part] if firm else len(order) + 1

    return tuple(sorted(found.values(), key=rank))


WHERE: Mapping[tuple[str, str], Callable[[Case, Any, Actor], bool]] = {
    # The way to a new offer.
    ("exposure", "return_for_rework"): lambda case, part, viewer: (
        part.state == "approved" and is_turned_down(case, part.part)
    ),
    # Without a head of loss there is nothing to work out.
    ("exposure", "add"): lambda case, part, viewer: (
        case.claim.registered_at is not None and not any(e.state != "dropped" for e in case.exposures.values())
    ),
    # Nor can anything be worked out of a head of loss whose cover nobody has named.
    ("exposure", "correct"): lambda case, part, viewer: part.state == "open" and not part.cover,
    # What was decided needs its papers no more.
    ("paper", "accept"): lambda case, part, viewer: (
        not case.exposures or any(e.state not in DECIDED for n, e in case.exposures.items() if part.exposure in (0, n))
    ),
    # All else is done, only the hospital waits.
    ("exposure", "pay_guarantee"): lambda case, part, viewer: part.state in ("agreed", "refused"),
    # Whoever acts for another shows by what right.
    CHECK: lambda case, part, viewer: part.acts_for is not None and part.mandate_checked_at is None,
    # A colleague asks for help: whoever may takes the claim over or gives it to somebody else.
    ("claim", "hand_over"): lambda case, part, viewer: case.claim.help_wanted and case.claim.handler != viewer.staff_id,
    # What was declined is not simply sent again.
    ("offer", "send"): lambda case, part, viewer: part.state != "declined",
    ("consultation", "opine"): lambda case, part, viewer: (
        viewer.staff_id not in {opinion["expert"] for opinion in part.opinions}
    ),
    # All else is done, and what was paid too much has not come back: the last word on a closed claim.
    ("recovery", "write_off"): lambda case, part, viewer: case.claim.state == "closed" and part.kind == "overpayment",
}
"""Steps that carry a claim forward only where this holds of the case, the part and the reader."""


def _carries(case: Case, one: Possible, viewer: Actor) -> bool:
    key, part = (one.subject, one.action), case.of(one.subject).get(one.part)
    if key in WHERE:
        return WHERE[key](case, part, viewer)
    # What was made is not made again.
    return key in FORWARD and (not one.step.target or getattr(part, "state", None) != one.step.target)


def _presses(case: Case, promise: Promised, book: Rulebook, viewer: Actor) -> bool:
    """Whether the reader should think of a promise now: one of the company's own at once, any other when it warned.

    Others are those of the law, and those that only begin anew. A promise is the business of those who are told when it
    comes close or breaks.
    """
    clock = case.clocks[promise.part]
    row = book.promises.in_force(clock)
    if (promise.binds not in OWN or not row.fulfil) and not promise.late and not clock.warned:
        return False
    told = {*row.tell_warning, *row.tell_breach}
    mine = "handler" in told and case.claim.handler is not None and case.claim.handler == viewer.staff_id
    return mine or not told.isdisjoint(viewer.roles - {"handler"})


def _to_record(case: Case, running: Iterable[Promised], book: Rulebook, viewer: Actor) -> list[Promised]:
    """The broken promises of which the reader is told to watch over them, and has written nothing since."""
    if WATCHES not in viewer.roles:
        return []
    wrote = max((note.at for note in case.of("note").values() if note.author == viewer.id and note.at), default=None)
    found = []
    for promise in running:
        told = promise.late and WATCHES in book.promises.in_force(case.clocks[promise.part]).tell_breach
        if told and (wrote is None or promise.due_at is None or wrote < promise.due_at):
            found.append(promise)
    return found


def _kept_by(case: Case, book: Rulebook, running: Iterable[Promised]) -> Mapping[str, list[Promised]]:
    """Journal kind → the running promises that it fulfils, by due time.

    A promise names first what it is really about; what ends it only by the way (a refusal ends the wait for papers) is
    no way to keep it.
    """
    found: dict[str, list[Promised]] = {}
    for promise in running:
        try:
            rules = ways_to_keep(book.promises.of_clock(case.clocks[promise.part]))
        except KeyError:  # a definition that is no longer known
            continue
        about = rules[0].event.partition(".")[0] if rules else ""
        for event in {rule.event for rule in rules if rule.event.partition(".")[0] == about}:
            found.setdefault(event, []).append(promise)
    return found


def ways_to_keep(promise: Promise) -> tuple[Rule, ...]:
    """What keeps a promise: what fulfils it, or where nothing does what begins it anew, as every word breaks a silence."""
    return promise.fulfil or (promise.start if promise.restart else ())


def _of(promises: Iterable[Promised], one: Possible) -> list[Promised]:
    """Those of these promises that this step could keep: one about another head of loss it cannot."""
    return [p for p in promises if one.subject != "exposure" or p.exposure in (0, one.part)]


def _sooner(one: Promised | None, other: Promised | None) -> Promised | None:
    if one is None or other is None:
        return one or other
    return min(one, other, key=lambda p: (p.due_at is None, p.due_at))
