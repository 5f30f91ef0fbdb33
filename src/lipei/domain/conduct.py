"""How a command becomes events: the table says whether it may be, the rule says what happens, the wiring what follows.

`conduct` is the one way into the rules. It answers with a refusal, or with everything that follows at once: the events
of the command itself and those of its reactions (`reactions.REACTIONS`), each with the actor who caused it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from lipei.domain import lifecycle
from lipei.domain.assignment import Candidate
from lipei.domain.claims import Case
from lipei.domain.commands import COMMANDS, wrong_fields
from lipei.domain.duty import Roster
from lipei.domain.events import Actor, Change, Event, Outcome, Refusal, wrong
from lipei.domain.lifecycle import Step
from lipei.domain.limits import PolicyLedger
from lipei.domain.policies import Policy
from lipei.domain.rulebook import Rulebook

REACTIONS_MAX = 60
"""More consequences than this of one command, for each head of loss and payment, is a circle in the wiring."""


@dataclass(frozen=True)
class World:
    """What a rule may know beside the case: the rulebook, and what the service looked up for this command.

    Nothing here is looked up by the rules themselves; what was not looked up is empty.
    """

    rulebook: Rulebook
    policy: Policy | None = None
    ledger: PolicyLedger | None = None
    candidates: tuple[Candidate, ...] = ()
    roster: Roster | None = None
    delegations: tuple[Any, ...] = ()
    interested: frozenset[str] = frozenset()  # ids of colleagues who share a phone or identity number with a party
    alike: tuple[str, ...] = ()  # numbers of claims that look like the same loss
    on_file: Mapping[str, str] = field(default_factory=dict)  # contact and account known from the policy
    number: str = ""  # the number a new claim gets
    one_time_code: str = ""  # the code a sent offer is agreed with
    code_digest: Callable[[str], str] = str
    sampling_salt: bytes = b""
    invoices_seen: Mapping[str, str] = field(default_factory=dict)  # invoice number → claim that holds it
    doubted: frozenset[str] = frozenset()  # payments of which the bank said what nobody has cleared up yet
    region: str = ""


@dataclass(frozen=True)
class Ask:
    """One command on its way through a rule."""

    case: Case
    step: Step
    part: int
    command: Any
    actor: Actor
    world: World
    now: datetime

    @property
    def target(self) -> Any:
        """The part that the step is about."""
        return self.case.of(self.step.subject)[self.part]

    @property
    def rulebook(self) -> Rulebook:
        return self.world.rulebook

    def done(
        self, *more: Change, facts: Mapping[str, Any] | None = None, part: int | None = None, **fields: Any
    ) -> Event:
        """The event of this step, see `lifecycle.done`."""
        return lifecycle.done(self.step, self.part if part is None else part, *more, facts=facts, **fields)


Rule = Callable[[Ask], Outcome]
Happened = tuple[tuple[Event, Actor], ...]


def decide(
    *, case: Case, subject: str, action: str, part: int, command: Any, actor: Actor, world: World, now: datetime
) -> Outcome:
    """One command by one rule, without what follows. The sums of other heads of loss and the claim's state, in the last
    event, are brought up to date."""
    from lipei.domain.rules import RULES  # the rules build on this module
    from lipei.domain.rules.settlement import recomputed

    step = lifecycle.BY_ACTION.get((subject, action))
    if step is None:
        return Refusal("refusal.unknown_action", "missing", {"action": f"{subject}.{action}"})
    if action == "report":
        refusal = _may_report(step, actor)
    else:
        target = None if step.makes_part else case.of(subject).get(part)
        if target is None and not step.makes_part:
            return Refusal("refusal.unknown_part", "missing", {"part": f"{subject} {part}"})
        refusal = lifecycle.check(case=case, step=step, part=target, actor=actor, book=world.rulebook, now=now)
    refusal = refusal or _wrong_entries(command, COMMANDS[subject, action], world)
    if refusal is not None:
        return refusal
    outcome = RULES[subject, action](Ask(case, step, part, command, actor, world, now))
    if isinstance(outcome, Refusal):
        return outcome
    return with_state(case, (*outcome, *recomputed(case, outcome, world)))


def _wrong_entries(command: Any, kind: type, world: World) -> Refusal | None:
    """What was entered is looked at once, here, whichever way it came in."""
    if not isinstance(command, kind):
        return wrong(command="refusal.value_form")
    codes = wrong_fields(command, amount_max_minor=world.rulebook.settings.amount_absurd_minor)
    return wrong(**codes) if codes else None


def _may_report(step: Step, actor: Actor) -> Refusal | None:
    if lifecycle.scopes(step, actor) or actor.id.startswith("customer:"):
        return None
    return Refusal("refusal.not_permitted", "permission", {"permission": "claim.report"})


def with_state(case: Case, events: Sequence[Event]) -> tuple[Event, ...]:
    """The events, the last one about the claim also setting the state that now follows from the parts."""
    after = case.after(e for e in events if e.subject != "ledger")
    state = lifecycle.claim_state(after)
    if state == after.claim.state:
        return tuple(events)
    at = max(i for i, e in enumerate(events) if e.subject != "ledger")
    last = events[at]
    facts = {**last.facts, "claim_state": state}
    told = replace(last, facts=facts, changes=(*last.changes, Change("claim", 0, {"state": state})))
    return (*events[:at], told, *events[at + 1 :])


def conduct(
    *, case: Case, subject: str, action: str, part: int, command: Any, actor: Actor, world: World, now: datetime
) -> Refusal | Happened:
    """A command and everything that follows from it at once.

    A reaction that is refused does not happen and leaves the matter to a person; the command itself stands.
    """
    first = decide(
        case=case, subject=subject, action=action, part=part, command=command, actor=actor, world=world, now=now
    )
    if isinstance(first, Refusal):
        return first
    return follow(case, [(e, actor) for e in first], world, now)


def follow(case: Case, begun: Sequence[tuple[Event, Actor]], world: World, now: datetime) -> Happened:
    """The events begun with and their consequences, breadth first, by the wiring table."""
    from lipei.domain.reactions import follows

    happened = list(begun)
    case, world = _seen(case, world, begun)
    most = REACTIONS_MAX * (1 + len(case.exposures) + len(case.payments))
    at = 0
    while at < len(happened):
        event = happened[at][0]
        for reaction in (r for rule in follows(event) for r in rule(event, case, world, now)):
            outcome = decide(
                case=case, subject=reaction.subject, action=reaction.action, part=reaction.part,
                command=reaction.command, actor=reaction.actor, world=world, now=now,
            )  # fmt: skip
            if isinstance(outcome, Refusal):
                continue
            more = [(e, reaction.actor) for e in outcome]
            happened.extend(more)
            case, world = _seen(case, world, more)
            assert len(happened) < most, "the wiring goes in a circle"
        at += 1
    return tuple(happened)


def _seen(case: Case, world: World, events: Sequence[tuple[Event, Actor]]) -> tuple[Case, World]:
    own = [e for e, _ in events if e.subject != "ledger"]
    drawn = [e for e, _ in events if e.subject == "ledger"]
    if drawn and world.ledger is not None:
        world = replace(world, ledger=world.ledger.after(drawn))
    return case.after(own), world
