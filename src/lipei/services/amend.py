"""Amending a claim with what is known from outside: a message left, a clock broke, somebody was called.

The short sibling of `actions.act` for facts that no action of the lifecycle table states. Nobody is asked whether it
may be: it has happened. Where somebody was faster, what is to be said is decided again on the claim as it then is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from lipei.domain.claims import Case
from lipei.domain.events import Actor, Event
from lipei.domain.rulebook import Rulebook
from lipei.services import norms, unit_of_work
from lipei.services.actions import Done
from lipei.services.unit_of_work import Stale, Write
from lipei.store import aggregates
from lipei.store.aggregates import Loaded

TRIES = 12
"""A machine waits for people: conflicts are rare, and giving up would lose what happened."""

Decide = Callable[[Case, Rulebook], Sequence[Event]]


class Busy(Exception):
    """The claim was written to by others at every try. The caller's row stays due and is taken up again."""


def amend(
    stream_id: int, decide: Decide, *, actor: Actor, now: datetime, cause: str, loaded: Loaded | None = None,
    inside: Callable[[], None] | None = None,
) -> Done | None:  # fmt: skip
    """Append what ``decide`` says of the claim; None where it says nothing or the claim does not exist.

    ``loaded`` is a snapshot read shortly before, tried first. ``inside`` as in `unit_of_work.commit`. Raises `Busy`.
    """
    for _ in range(TRIES):
        loaded = loaded or aggregates.load(Case, stream_id)
        if loaded is None:
            return None
        rulebook = norms.current()
        events = tuple(decide(loaded.aggregate, rulebook))
        if not events:
            return None
        write = Write(loaded, tuple((event, actor) for event in events))
        try:
            done = unit_of_work.commit([write], rulebook=rulebook, now=now, cause=cause, inside=inside)
        except Stale:
            loaded = None
            continue
        return Done(done.aggregates[Case.kind, stream_id], done.events)
    raise Busy(f"claim {stream_id}")
