"""What follows an event of itself: one readable table, event → reactions, instead of signals scattered over modules.

A reaction is an action of the lifecycle table taken by a rule of the product. It happens in the same transaction as the
event, is refused like anybody's action where it is not possible, and then leaves the matter to a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lipei.domain import automation, commands, triage
from lipei.domain.claims import Case
from lipei.domain.conduct import World
from lipei.domain.events import Actor, Event
from lipei.domain.money import Money
from lipei.domain.rules.payments import overpaid_minor, planned

INTAKE = Actor("system:intake", "intake")
TRIAGE = Actor("system:triage", "triage")
ASSIGNMENT = Actor("system:assignment", "assignment")
STRAIGHT_THROUGH = Actor("system:straight-through", "straight-through")
PAYMENTS = Actor("system:payments", "payments")


@dataclass(frozen=True, slots=True)
class Reaction:
    """An action that a rule takes because something happened."""

    actor: Actor
    subject: str
    action: str
    part: int
    command: Any


Follow = Callable[[Event, Case, World, datetime], Iterator[Reaction]]


def _triage(event: Event, case: Case, world: World, now: datetime) -> Iterator[Reaction]:
    yield Reaction(TRIAGE, "claim", "triage", 0, commands.Triage())


def _register(event: Event, case: Case, world: World, now: datetime) -> Iterator[Reaction]:
    if world.policy is not None and case.claim.registered_at is None:
        yield Reaction(INTAKE, "claim", "register", 0, commands.Register())


def _assign(event: Event, case: Case, world: World, now: datetime) -> Iterator[Reaction]:
    if case.claim.handler is None and not case.claim.unit:
        yield Reaction(ASSIGNMENT, "claim", "assign", 0, commands.Assign())


def _triage_again(event: Event, case: Case, world: World, now: datetime) -> Iterator[Reaction]:
    """A larger sum may take a claim out of the simple lane, a suspicion or refusal make it one to report upwards."""
    if automation.triage_differs(case, world, now):
        yield Reaction(TRIAGE, "claim", "triage", 0, commands.Triage())


def _straight_through(event: Event, case: Case, world: World, now: datetime) -> Iterator[Reaction]:
    """The next step without a hand, where the whole way to payment is free (norm 1.3.1)."""
    for exposure in automation.eligible_exposures(case, world, now):
        action = automation.NEXT_STEP.get(exposure.state)
        if action:
            yield Reaction(STRAIGHT_THROUGH, "exposure", action, exposure.part, commands.COMMANDS["exposure", action]())


def _resume(event: Event, case: Case, world: World, now: datetime) -> Iterator[Reaction]:
    """A doubt is gone: what a rule had begun goes on from where it stands."""
    yield from _straight_through(event, case, world, now)
    for number, offer in case.offers.items():
        if offer.state == "prepared":
            yield from _offer(Event("offer.prepared", number), case, world, now)
        elif offer.state == "sent":
            yield from _agree(Event("offer.sent", number), case, world, now)
    yield from _approve_again(event, case, world, now)


def _look_again(event: Event, case: Case, world: World, now: datetime) -> Iterator[Reaction]:
    """What somebody made known or took back, a dispute say, or a rule of triage that does not speak any more, may leave
    nothing in doubt; that triage was asked the same again is no news."""
    told = {name for change in event.changes for name in change.fields} - triage.ANSWERS
    if told or event.facts.get("no_longer"):
        yield from _advance(event, case, world, now)
        yield from _resume(event, case, world, now)


def _by_rule(case: Case, exposures: Iterable[int], world: World, now: datetime) -> bool:
    """Whether a rule decided all of these and nothing since speaks against its going on."""
    heads = [case.exposures[n] for n in exposures]
    decided = all(e.decided_by == STRAIGHT_THROUGH.id and not e.by_hand for e in heads)
    return decided and _undoubted(case, world, now)


def _undoubted(case: Case, world: World, now: datetime) -> bool:
    return not case.claim.suspicion and not automation.doubts_of(case, world, now)


def _offer(event: Event, case: Case, world: World, now: datetime) -> Iterator[Reaction]:
    offer = case.offers[event.part]
    # An offer is sent of itself where a rule decided; a person who decided sends it in their own time.
    if offer.exposures and _by_rule(case, offer.exposures, world, now):
        yield Reaction(PAYMENTS, "offer", "send", event.part, commands.SendOffer())


def _agree(event: Event, case: Case, world: World, now: datetime) -> Iterator[Reaction]:
    offer = case.offers[event.part]
    if automation.agreed_beforehand(case, offer, world) and _by_rule(case, offer.exposures, world, now):
        yield Reaction(STRAIGHT_THROUGH, "offer", "agree", event.part, commands.Agree())


def _order(event: Event, case: Case, world: World, now: datetime) -> Iterator[Reaction]:
    for number, offer in case.offers.items():
        if offer.state != "agreed":
            continue
        for exposure, payee, amount in planned(case, number):
            money = Money(amount, case.claim.currency)
            yield Reaction(PAYMENTS, "payment", "order", 0, commands.OrderPayment(exposure, payee, money))


def _approve_payment(event: Event, case: Case, world: World, now: datetime) -> Iterator[Reaction]:
    """What a rule decided or advanced, a rule may pay; its authority says up to how much.

    Not where a person gave the order, or a colleague changed the account it goes to: another person looks then.
    """
    payment = case.payments[event.part]
    payee = case.parties.get(payment.payee or 0)
    advanced = payment.kind == "advance" and payment.ordered_by == STRAIGHT_THROUGH.id and _undoubted(case, world, now)
    clean = payee is not None and not payee.account_by.startswith("staff:") and payment.ordered_by.startswith("system:")
    if payment.state == "ordered" and clean and (advanced or _by_rule(case, (payment.exposure,), world, now)):
        yield Reaction(PAYMENTS, "payment", "approve_payment", event.part, commands.Nothing())


def _approve_again(event: Event, case: Case, world: World, now: datetime) -> Iterator[Reaction]:
    """Orders that waited for something which has now been put right."""
    for number, payment in case.payments.items():
        if payment.state == "ordered":
            yield from _approve_payment(Event("payment.ordered", number), case, world, now)


def _order_rest(event: Event, case: Case, world: World, now: datetime) -> Iterator[Reaction]:
    """Money on account that did not go out is part of what is due again."""
    if event.facts.get("kind") in ("advance", "guarantee") or event.kind == "exposure.guarantee_released":
        yield from _order(event, case, world, now)


def _undisputed(event: Event, case: Case, world: World, now: datetime) -> Iterator[Reaction]:
    """What both sides agree is due is paid although the rest is open (保险法25)."""
    if case.offers[event.part].shares:
        return  # who gets how much of it is for a person to say
    for number in case.offers[event.part].exposures:
        yield Reaction(PAYMENTS, "exposure", "pay_undisputed", number, commands.PayUndisputed())


def _recover(event: Event, case: Case, world: World, now: datetime) -> Iterator[Reaction]:
    """More arrived than is due in the end, after a smaller decision, a refusal or a withdrawal: it is asked back."""
    for number, exposure in case.exposures.items():
        if over := overpaid_minor(case, exposure):
            money = Money(over, case.claim.currency)
            yield Reaction(PAYMENTS, "recovery", "recover_overpayment", 0, commands.OpenRecovery(number, None, money))


def _close(event: Event, case: Case, world: World, now: datetime) -> Iterator[Reaction]:
    yield Reaction(PAYMENTS, "claim", "close", 0, commands.Nothing())


def _ask_papers(event: Event, case: Case, world: World, now: datetime) -> Iterator[Reaction]:
    """The one complete request at once, where the company lets a rule ask and it is known what is claimed (norm 2.2.2)."""
    claim, by = case.claim, world.rulebook.settings.papers_ask_by_rule
    asked_by_rule = by == "simple" or (by == "agreed" and claim.accept_automatic)
    known = bool(case.exposures) and all(e.cover for e in case.exposures.values())
    if asked_by_rule and known and claim.lane == triage.SIMPLE and not (claim.papers_requests or claim.suspicion):
        yield Reaction(STRAIGHT_THROUGH, "claim", "request_papers", 0, commands.RequestPapers())


def _advance(event: Event, case: Case, world: World, now: datetime) -> Iterator[Reaction]:
    """Quick money on account for who is eligible (norm 1.3.1)."""
    for exposure, amount in automation.eligible_advances(case, world, now):
        money = Money(amount, case.claim.currency)
        yield Reaction(STRAIGHT_THROUGH, "exposure", "advance", exposure, commands.OnAccount(money))


REACTIONS: Mapping[str, tuple[Follow, ...]] = {
    "claim.reported": (_triage, _register, _assign),
    "claim.triaged": (_look_again,),
    "claim.corrected": (_triage_again, _advance, _straight_through),
    "claim.registered": (_triage_again, _ask_papers, _advance, _straight_through),
    "claim.suspected": (_triage_again,),
    "claim.suspicion_cleared": (_triage_again, _advance, _resume),
    "claim.reopened": (_triage_again,),
    "claim.withdrawn": (_recover,),
    "exposure.added": (_triage_again,),
    "exposure.corrected": (_triage_again, _advance, _straight_through),
    "exposure.dropped": (_triage_again, _close),
    "exposure.reserve_set": (_triage_again,),
    "exposure.assessed": (_triage_again, _straight_through),
    "exposure.assessment_checked": (_straight_through,),
    "exposure.decision_submitted": (_triage_again, _straight_through),
    "exposure.recomputed": (_triage_again, _straight_through),
    "exposure.decision_overtaken": (_triage_again, _straight_through),
    "exposure.returned_for_rework": (_triage_again,),
    "exposure.refusal_proposed": (_triage_again,),
    "exposure.guarantee_released": (_order_rest, _close),
    "exposure.refused": (_triage_again, _recover, _close),
    "exposure.settled": (_recover, _close),
    "paper.received": (_straight_through, _advance),
    "paper.accepted": (_straight_through, _advance),
    "paper.waived": (_straight_through, _advance),
    "survey.cancelled": (_advance, _resume),
    "offer.prepared": (_offer,),
    "offer.sent": (_agree,),
    "offer.agreed": (_order,),
    "offer.declined": (_undisputed,),
    "party.added": (_order, _straight_through),
    "party.corrected": (_order, _approve_again, _straight_through),
    "party.identity_checked": (_order, _approve_again, _straight_through, _advance),
    "payment.ordered": (_approve_payment,),
    "payment.confirmed": (_recover, _close),
    "payment.retried": (_approve_payment,),
    "payment.cancelled": (_order_rest, _close),
}


def follows(event: Event) -> tuple[Follow, ...]:
    """What follows an event, in this order, each asked of the case as the one before has left it."""
    return REACTIONS.get(event.kind, ())
