"""The lifecycles of a claim and its parts, one table that reads like the rules of the house.

Each row says: in which states of the part an action is possible, what guards it, who may, which state follows and which
event tells of it. Nothing outside this table changes a state; deleting a row removes the button, the API's action and
the permission. The claim's own state is not set by rows but follows from its parts, see `claim_state`.

*Who* is written ``role:scope``: ``own`` is the handler's (or the customer's) own claims, ``unit`` those of one's unit,
``company`` all. ``system`` is the product itself, acting by a rule; it never refuses a claim (norm part 4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from lipei.domain import customers
from lipei.domain.claims import Case
from lipei.domain.events import Actor, Change, Event, Refusal, Value
from lipei.domain.owing import (
    UNSETTLED,
    beyond_minor,
    guaranteed_open_minor,
    is_current,
    is_past,
    is_turned_down,
    undisputed_minor,
)
from lipei.domain.permissions import MAY, ROLES, VIEW
from lipei.domain.rulebook import Rulebook
from lipei.domain.triage import is_injury

OPEN = ("reported", "investigating", "assessing", "deciding", "offering", "paying")
ENDED = ("closed", "withdrawn", "cancelled")
ANY = OPEN + ENDED
NEW = ()  # the action makes a new part
SAME = ""  # the state of the part stays
EVERY = ("*",)  # the part has no state of its own

GUARANTEED = ("open", "assessed", "checked", "submitted", "approved", "refusal_proposed", "agreed", "refused")
"""A promise to a hospital holds whatever becomes of the head of loss."""

DESK = ("handler:own", "team_lead:unit", "manager:company")
LEADS = ("team_lead:unit", "manager:company")
FRONT = ("intake:company", *DESK)


@dataclass(frozen=True, slots=True)
class Step:
    """One row: ``action`` on a ``subject`` in one of ``sources`` by one of ``who`` leads to ``target`` and ``event``."""

    subject: str
    action: str
    sources: tuple[str, ...]
    target: str
    event: str
    who: tuple[str, ...]
    guards: tuple[str, ...] = ()

    @property
    def makes_part(self) -> bool:
        """Whether the action starts a new part instead of changing one."""
        return self.sources == NEW


def _rows(subject: str, *rows: tuple[Any, ...]) -> tuple[Step, ...]:
    return tuple(Step(subject, *row) for row in rows)


STEPS: tuple[Step, ...] = (
    *_rows(
        "claim",
        # action, from, to, event, who, guards
        ("report", NEW, "reported", "claim.reported", ("customer:own", "program:company", *FRONT)),
        ("register", ("reported",), SAME, "claim.registered", (*FRONT, "system")),
        ("triage", OPEN, SAME, "claim.triaged", (*DESK, "system")),
        ("correct", OPEN, SAME, "claim.corrected", ("customer:own", "program:company", *FRONT), ("nothing_decided", "untold_or_ours")),
        ("assign", OPEN, SAME, "claim.assigned", (*LEADS, "system")),
        ("accept_assignment", OPEN, SAME, "claim.assignment_accepted", ("handler:own",), ("assigned_to_me", "not_accepted")),
        ("acknowledge_duty", OPEN, SAME, "claim.duty_acknowledged", ("handler:company", *LEADS), ("duty_calls_me",)),
        ("give_opinion", OPEN, SAME, "claim.opinion_given", DESK),
        ("request_papers", OPEN, SAME, "claim.papers_requested", (*DESK, "system")),
        ("close", OPEN, SAME, "claim.closed", (*DESK, "system"), ("exposures_ended", "money_at_rest", "something_decided")),
        ("close_without_payment", OPEN, SAME, "claim.closed_without_payment", DESK, ("nothing_paid", "money_at_rest", "nothing_refused", "nothing_promised")),
        ("withdraw", OPEN, SAME, "claim.withdrawn", ("customer:own", *FRONT), ("money_at_rest",)),
        ("cancel", OPEN, SAME, "claim.cancelled", DESK, ("nothing_paid", "money_at_rest", "nothing_promised")),
        ("reopen", ("closed", "withdrawn"), SAME, "claim.reopened", LEADS, ("not_imported",)),
        ("link_duplicate", OPEN, SAME, "claim.duplicate_linked", DESK, ("nothing_paid", "money_at_rest", "nothing_promised")),
        ("hand_over", OPEN, SAME, "claim.handed_over", DESK),
        ("ask_for_help", OPEN, SAME, "claim.help_asked", ("handler:own", "surveyor:unit", "assessor:unit")),
        ("add_note", ANY, SAME, "claim.note_added", (*FRONT, "surveyor:unit", "assessor:unit", "approver:company", "expert:company", "finance:company", "investigator:company", "compliance:company", "customer:own")),
        ("tell_customer", ANY, SAME, "claim.customer_told", (*FRONT, "surveyor:unit", "assessor:unit", "approver:company", "finance:company", "compliance:company")),
        ("suspect", OPEN, SAME, "claim.suspected", (*DESK, "investigator:company", "surveyor:unit", "assessor:unit", "approver:company"), ("not_suspected",)),
        ("clear_suspicion", OPEN, SAME, "claim.suspicion_cleared", ("investigator:company", *LEADS), ("suspected",)),
        ("report_upwards", OPEN, SAME, "claim.reported_upwards", (*DESK, "approver:company")),
    ),
    *_rows(
        "exposure",
        ("add", NEW, "open", "exposure.added", (*FRONT, "system"), ("claim_open",)),
        ("correct", ("open", "assessed", "checked"), "open", "exposure.corrected", FRONT, ("claim_open", "nothing_spent_on_it")),
        ("set_reserve", ("open", "assessed", "checked", "submitted", "approved", "refusal_proposed", "agreed"), SAME, "exposure.reserve_set", (*DESK, "assessor:unit", "system"), ("claim_open",)),
        ("assess", ("open", "assessed"), "assessed", "exposure.assessed", ("handler:own", "surveyor:unit", "assessor:unit", "system"), ("claim_registered",)),
        ("check_assessment", ("assessed",), "checked", "exposure.assessment_checked", ("assessor:unit", *LEADS, "system"), ("claim_open", "not_the_assessor")),
        ("submit_decision", ("checked",), "submitted", "exposure.decision_submitted", ("handler:own", *LEADS, "system"), ("claim_open",)),
        ("approve_decision", ("submitted",), "approved", "exposure.decision_approved", ("approver:company", *LEADS, "system"), ("claim_open", "not_the_maker", "not_approved_by_me")),
        ("return_for_rework", ("assessed", "checked", "submitted", "refusal_proposed", "approved"), "open", "exposure.returned_for_rework", ("handler:own", "assessor:unit", "approver:company", *LEADS), ("claim_open", "checker_or_turned_down")),
        ("propose_refusal", ("open", "assessed", "checked"), "refusal_proposed", "exposure.refusal_proposed", ("handler:own", *LEADS), ("claim_registered",)),
        ("refuse", ("refusal_proposed",), "refused", "exposure.refused", ("approver:company", *LEADS), ("claim_open", "a_person", "not_the_proposer", "not_approved_by_me")),
        ("drop", ("open", "assessed", "checked", "refusal_proposed"), "dropped", "exposure.dropped", LEADS, ("claim_open", "nothing_spent_on_it")),
        ("advance", ("open", "assessed", "checked", "submitted", "approved"), SAME, "exposure.advanced", ("handler:own", "approver:company", *LEADS, "system"), ("claim_registered",)),
        ("pay_undisputed", UNSETTLED, SAME, "exposure.advanced", ("handler:own", "approver:company", *LEADS, "system"), ("claim_registered", "something_undisputed")),
        ("guarantee", ("open", "assessed", "checked", "submitted"), SAME, "exposure.guaranteed", ("handler:own", "handler:company", "approver:company", *LEADS), ("claim_registered", "for_an_injury")),
        ("pay_guarantee", GUARANTEED, SAME, "exposure.guarantee_called", ("handler:own", *LEADS, "finance:company"), ("claim_open", "guarantee_open")),
        ("release_guarantee", GUARANTEED, SAME, "exposure.guarantee_released", ("handler:own", *LEADS), ("claim_open", "guarantee_open")),
    ),
    *_rows(
        "party",
        ("add", NEW, SAME, "party.added", FRONT, ("claim_open",)),
        ("correct", EVERY, SAME, "party.corrected", ("customer:own", "program:company", "finance:company", *FRONT)),
        ("check_identity", EVERY, SAME, "party.identity_checked", (*DESK, "finance:company", "surveyor:unit"), ("claim_open",)),
    ),
    *_rows(
        "paper",
        ("receive", ("requested", "refused"), "received", "paper.received", ("customer:own", "program:company", *FRONT, "surveyor:unit", "system")),
        ("accept", ("received",), "accepted", "paper.accepted", (*DESK, "assessor:unit", "system"), ("claim_open",)),
        ("refuse", ("received",), "refused", "paper.refused", (*DESK, "assessor:unit"), ("claim_open",)),
        ("waive", ("requested", "refused"), "waived", "paper.waived", DESK, ("claim_open",)),
    ),
    *_rows(
        "survey",
        ("schedule", NEW, "scheduled", "survey.scheduled", (*FRONT, "surveyor:unit"), ("claim_open",)),
        ("record", ("scheduled",), "recorded", "survey.recorded", ("surveyor:unit", *DESK), ("claim_open",)),
        ("cancel", ("scheduled",), "cancelled", "survey.cancelled", (*FRONT, "surveyor:unit")),
    ),
    *_rows(
        "consultation",
        ("convene", NEW, "convened", "consultation.convened", (*DESK, "approver:company"), ("claim_open",)),
        ("opine", ("convened",), "convened", "consultation.opined", ("expert:company", *LEADS, "approver:company"), ("invited",)),
        ("conclude", ("convened",), "concluded", "consultation.concluded", (*DESK, "approver:company"), ("has_opinions",)),
    ),
    *_rows(
        "offer",
        ("send", ("prepared", "expired", "declined"), "sent", "offer.sent", (*DESK, "system"), ("claim_open", "exposures_approved", "offer_current")),
        ("agree", ("sent",), "agreed", "offer.agreed", ("customer:own", "program:company", *FRONT, "system"), ("claim_open", "offer_live", "exposures_approved")),
        ("decline", ("sent",), "declined", "offer.declined", ("customer:own", "program:company", *FRONT), ("claim_open", "offer_live")),
        ("send_code", ("sent",), SAME, "offer.code_sent", ("customer:own", "program:company", *FRONT), ("claim_open", "offer_live")),
        ("expire", ("sent",), "expired", "offer.expired", ("system",), ("offer_past",)),
    ),
    *_rows(
        "payment",
        ("order", NEW, "ordered", "payment.ordered", ("handler:own", *LEADS, "finance:company", "system"), ("claim_open", "something_agreed")),
        ("approve_payment", ("ordered",), "approved", "payment.approved", ("finance:company", *LEADS, "system"), ("not_the_orderer", "not_the_account_giver", "not_the_estimator", "not_the_decider", "not_approved_by_me")),
        ("submit", ("approved",), "submitted", "payment.submitted", ("finance:company", "system")),
        ("confirm", ("submitted", "failed"), "confirmed", "payment.confirmed", ("finance:company", "system")),
        ("fail", ("submitted",), "failed", "payment.failed", ("finance:company", "system")),
        ("give_back", ("confirmed",), "failed", "payment.given_back", ("finance:company", "system")),
        ("retry", ("failed",), "approved", "payment.retried", ("finance:company", *LEADS), ("claim_open", "not_the_decider")),
        ("cancel", ("ordered", "approved", "failed"), "cancelled", "payment.cancelled", ("finance:company", *LEADS)),
    ),
    *_rows(
        "recovery",
        ("recover_overpayment", NEW, "open", "recovery.overpayment_found", (*DESK, "finance:company", "system"), ("something_overpaid",)),
        ("subrogate", NEW, "open", "recovery.subrogated", (*DESK, "finance:company"), ("something_paid",)),
        ("receive_recovery", ("open",), SAME, "recovery.received", ("finance:company",)),
        ("write_off", ("open",), "written_off", "recovery.written_off", ("manager:company",), ("not_the_opener", "not_approved_by_me")),
    ),
)  # fmt: skip

BY_ACTION: Mapping[tuple[str, str], Step] = {(step.subject, step.action): step for step in STEPS}

KINDS: Mapping[str, str] = {
    # Facts that no action of the table states: made by the product itself, by import or by the customer's own word.
    "claim.duty_unmanned": "an urgent off-hours report found nobody on the roster",
    "claim.duty_called": "an urgent off-hours report was put to a named person",
    "claim.customer_wrote": "the customer wrote or rang",
    "claim.papers_reminded": "the customer was reminded of papers",
    "claim.imported": "a closed claim of another system, with its real dates",
    "claim.terms_found": "the policy was found or corrected after the report",
    "claim.personal_data_erased": "the personal data of a claim long closed was erased",
    "claim.personal_data_seen": "somebody had masked personal data shown",
    "document.received": "a file came in",
    "paper.requested": "a document was asked for",
    "party.identity_differs": "a document was seen that is not the one on file",
    "offer.prepared": "a sum was made ready to offer",
    "offer.agreement_given": "one of several who are asked agreed to an offer",
    "offer.code_wrong": "a wrong one-time code was tried",
    "offer.reminded": "the customer was reminded of an offer",
    "exposure.first_approval_given": "the first of two persons agreed (four eyes)",
    "exposure.recomputed": "a sum that nobody has approved yet follows what changed on another head of loss",
    "exposure.decision_overtaken": "what was submitted comes to another sum now and is to be submitted anew",
    "exposure.guarantee_first_given": "the first of two persons guaranteed treatment (four eyes)",
    "exposure.settled": "everything due on the exposure has been paid",
    "payment.first_approval_given": "the first of two persons agreed (four eyes)",
    "recovery.first_approval_given": "the first of two persons agreed (four eyes)",
    "clock.told": "the customer was told dates; they never move to later ones",
    "clock.started": "a promise began to run",
    "clock.paused": "a promise paused",
    "clock.resumed": "a promise runs again",
    "clock.fulfilled": "a promise was kept, or fulfilled late",
    "clock.cancelled": "a promise no longer applies",
    "clock.warned": "a promise comes close",
    "clock.breached": "a promise broke at its due instant",
    "clock.recomputed": "a due time was computed anew",
    "notice.sent": "a message left",
    "notice.delivered": "a message arrived",
    "notice.failed": "a message could not be delivered",
    "notice.overtaken": "a message was no longer true when it was about to leave",
}

FALLS_SHORT: Mapping[str, tuple[str, str]] = {
    "offer.code_wrong": ("code", "refusal.code_wrong"),
    "party.identity_differs": ("id_number", "refusal.identity_differs"),
}
"""Kinds that record a step that was tried and did not succeed: the field that was wrong, and the sentence."""

_STATE_OF_STAGE = {
    "open": "investigating",
    "assessed": "assessing",
    "checked": "assessing",
    "submitted": "deciding",
    "refusal_proposed": "deciding",
    "approved": "offering",
    "agreed": "paying",
}
EXPOSURE_ENDS = ("settled", "refused", "dropped")
_END_OF_OUTCOME = {"withdrawn": "withdrawn", "cancelled": "cancelled", "duplicate": "cancelled"}


def claim_state(case: Case) -> str:
    """The state of the claim, from its parts; the first line that fits holds.

    An outcome ends it; before registration it is *reported*; else the least advanced exposure that still lives says
    where it stands; with none alive, what is left is *paying* until it is closed.
    """
    claim = case.claim
    if claim.outcome:
        return _END_OF_OUTCOME.get(claim.outcome, "closed")
    if claim.registered_at is None:
        return "reported"
    stages = {e.state for e in case.exposures.values()}
    return stands_of(stages) or ("paying" if stages - {"dropped"} else "investigating")


def stands_of(stages: Iterable[str]) -> str:
    """Where heads of loss in these states stand, by the least advanced; empty where none of them lives."""
    found = set(stages)
    return next((state for stage, state in _STATE_OF_STAGE.items() if stage in found), "")


# --- guards: may this step be taken, given the case and who asks? Each answers True, or says no by its name -----------

Guard = Callable[[Case, Any, Actor], bool]


def _nothing_paid(case: Case, part: Any, actor: Actor) -> bool:
    return not any(p.state == "confirmed" for p in case.payments.values())


def _money_at_rest(case: Case, part: Any, actor: Actor) -> bool:
    """Nothing is on its way to anybody, nor promised to a hospital."""
    moving = any(p.state in ("ordered", "approved", "submitted", "failed") for p in case.payments.values())
    return not moving and not any(guaranteed_open_minor(case, n) for n in case.exposures)


def _promised(case: Case) -> bool:
    """Whether a head of loss waits for its payment or for the last word on a refusal: that is not ended by the way."""
    return any(e.state in ("approved", "agreed", "refusal_proposed") for e in case.exposures.values())


def _mine(actor: Actor, *done_by: str) -> bool:
    """Whether somebody who stands behind this act did one of those. A rule has no interest of its own."""
    return not actor.by_rule and not actor.hands.isdisjoint(person for one in done_by for person in one.split("/"))


def _deciders(case: Case, payment: Any) -> tuple[str, ...]:
    exposure = case.exposures.get(payment.exposure)
    return (exposure.decided_by, *exposure.approvals) if exposure else ()


def _estimators(case: Case, payment: Any) -> tuple[str, ...]:
    exposure = case.exposures.get(payment.exposure)
    return (exposure.assessed_by, exposure.checked_by) if exposure else ()


def _account_giver(case: Case, payment: Any) -> str:
    payee = case.parties.get(payment.payee or 0)
    return payee.account_by if payee else ""


def _approved_by(part: Any) -> tuple[str, ...]:
    return tuple(getattr(part, "approvals", ()) or getattr(part, "approved_by", ()))


_DECIDED = ("approved", "agreed", "settled", "refused")
"""States of a head of loss in which somebody has said what is due on it, or that nothing is."""

_CHECKERS = frozenset({"assessor", "approver", "team_lead", "manager"})
"""Who sends work back at any time; a handler takes up their own again once the customer has not agreed to its sum."""

GUARDS: Mapping[str, Guard] = {
    "assigned_to_me": lambda case, part, actor: case.claim.handler is not None and case.claim.handler == actor.staff_id,
    "not_accepted": lambda case, part, actor: case.claim.accepted_at is None,
    "duty_calls_me": lambda case, part, actor: (
        case.claim.duty_person is not None
        and case.claim.duty_person == actor.staff_id
        and case.claim.duty_acknowledged_at is None
    ),
    "nothing_decided": lambda case, part, actor: not any(e.state in _DECIDED for e in case.exposures.values()),
    "untold_or_ours": lambda case, part, actor: not customers.is_outside(actor) or not (part.loss_at and part.place),
    "exposures_ended": lambda case, part, actor: all(e.state in EXPOSURE_ENDS for e in case.exposures.values()),
    "something_decided": lambda case, part, actor: any(
        e.state in ("settled", "refused") for e in case.exposures.values()
    ),
    "nothing_refused": lambda case, part, actor: not any(e.state == "refused" for e in case.exposures.values()),
    "nothing_promised": lambda case, part, actor: not _promised(case),
    "money_at_rest": _money_at_rest,
    "nothing_paid": _nothing_paid,
    "not_imported": lambda case, part, actor: case.claim.channel != "import",
    "not_suspected": lambda case, part, actor: not case.claim.suspicion,
    "suspected": lambda case, part, actor: case.claim.suspicion,
    "claim_open": lambda case, part, actor: case.claim.state in OPEN,
    "claim_registered": lambda case, part, actor: case.claim.state in OPEN and case.claim.registered_at is not None,
    "a_person": lambda case, part, actor: actor.is_person,
    "not_the_assessor": lambda case, part, actor: not _mine(actor, part.assessed_by),
    "not_the_maker": lambda case, part, actor: not _mine(actor, part.submitted_by, part.assessed_by, part.checked_by),
    "not_approved_by_me": lambda case, part, actor: not _mine(actor, *_approved_by(part)),
    "not_the_proposer": lambda case, part, actor: not _mine(actor, part.refusal_proposed_by),
    "not_the_orderer": lambda case, part, actor: not _mine(actor, part.ordered_by),
    "not_the_account_giver": lambda case, part, actor: not _mine(actor, _account_giver(case, part)),
    "not_the_estimator": lambda case, part, actor: not _mine(actor, *_estimators(case, part)),
    "not_the_decider": lambda case, part, actor: not _mine(actor, *_deciders(case, part)),
    "not_the_opener": lambda case, part, actor: not _mine(actor, part.opened_by),
    "invited": lambda case, part, actor: not part.experts or actor.staff_id in part.experts,
    "has_opinions": lambda case, part, actor: bool(part.opinions),
    "exposures_approved": lambda case, part, actor: (
        bool(part.exposures) and all(case.exposures[n].state == "approved" for n in part.exposures)
    ),
    "checker_or_turned_down": lambda case, part, actor: (
        not actor.roles.isdisjoint(_CHECKERS) or (part.state == "approved" and is_turned_down(case, part.part))
    ),
    "something_undisputed": lambda case, part, actor: undisputed_minor(case, part) > 0,
    "offer_current": lambda case, part, actor: is_current(case, part),
    "nothing_spent_on_it": lambda case, part, actor: (
        not any(p.exposure == part.part and p.state != "cancelled" for p in case.payments.values())
        and not guaranteed_open_minor(case, part.part)
    ),
    "guarantee_open": lambda case, part, actor: guaranteed_open_minor(case, part.part) > 0,
    "something_overpaid": lambda case, part, actor: any(beyond_minor(case, e) for e in case.exposures.values()),
    "something_paid": lambda case, part, actor: not _nothing_paid(case, part, actor),
    "something_agreed": lambda case, part, actor: any(e.state == "agreed" for e in case.exposures.values()),
}  # fmt: skip

BY_TABLES: Mapping[str, Callable[[Any, Rulebook], bool]] = {
    "for_an_injury": lambda part, book: is_injury(part, book.triage, book.products),
}
"""Guards that the company's tables answer: they say which covers and kinds of loss are about somebody's body."""

BY_CLOCK: Mapping[str, Callable[[Any, datetime], bool]] = {
    "offer_live": lambda part, now: not is_past(part, now),
    "offer_past": lambda part, now: is_past(part, now),
}
"""Guards that the instant answers at which somebody asks, whatever a sweep has found by then."""


# --- reading the table -------------------------------------------------------------------------------------------------


def scopes(step: Step, actor: Actor) -> frozenset[str]:
    """The scopes in which this actor may take the step; empty: never. The system's scope is ``company``."""
    if actor.id.startswith("system:"):
        return frozenset({"company"}) if "system" in step.who else frozenset()
    return _scopes(step.who, actor.roles)


@cache
def _scopes(who: tuple[str, ...], roles: frozenset[str]) -> frozenset[str]:
    return frozenset(scope for role, _, scope in (w.partition(":") for w in who) if role in roles)


def holders(what: str) -> tuple[str, ...]:
    """The roles of colleagues that may take a step ``subject.action``, do something beside claims (`permissions.MAY`), or see
    ``claims``; empty where it is no matter of roles.
    """
    subject, _, action = what.partition(".")
    step = BY_ACTION.get((subject, action))
    who = {one.partition(":")[0] for one in step.who} if step else VIEW if what == "claims" else MAY.get(what, ())
    return tuple(role for role in ROLES if role in who)


def within(case: Case, actor: Actor, scope: str) -> bool:
    """Whether the case lies within a scope of the actor.

    A customer's own claims are checked where the customer signed in (the actor's unit names the claim's number).
    """
    claim = case.claim
    if scope == "company":
        return True
    if actor.id.startswith("customer:"):
        return scope == "own" and actor.unit == claim.number
    if scope == "unit":
        return not claim.unit or claim.unit == actor.unit
    return claim.handler is not None and claim.handler == actor.staff_id


def check(*, case: Case, step: Step, part: Any, actor: Actor, book: Rulebook, now: datetime) -> Refusal | None:
    """None if the step may be taken now, else the refusal: permission first, so that nobody learns states by trying."""
    allowed = scopes(step, actor)
    if not any(within(case, actor, scope) for scope in allowed):
        code = "refusal.only_by_itself" if step.who == ("system",) else "refusal.not_permitted"
        return Refusal(code, "permission", {"permission": f"{step.subject}.{step.action}"})
    if actor.id.startswith(customers.PREFIX) and not customers.reaches(case, actor, step.subject, step.action, part):
        return Refusal("refusal.not_yours", "permission", {"permission": f"{step.subject}.{step.action}"})
    if step.sources not in (NEW, EVERY) and part.state not in step.sources:
        return Refusal("refusal.not_possible_now", "state", {"state": f"{step.subject}.{part.state}"})
    for guard in step.guards:
        if not _holds(guard, case, part, actor, book, now):
            kind = "permission" if guard in _PERSONAL else "state"
            return Refusal(f"refusal.guard.{guard}", kind, {"permission": f"{step.subject}.{step.action}"})
    return None


def _holds(guard: str, case: Case, part: Any, actor: Actor, book: Rulebook, now: datetime) -> bool:
    if guard in BY_TABLES:
        return BY_TABLES[guard](part, book)
    return BY_CLOCK[guard](part, now) if guard in BY_CLOCK else GUARDS[guard](case, part, actor)


_PERSONAL = frozenset(
    {"a_person", "not_the_assessor", "not_the_maker", "not_the_proposer", "not_the_orderer", "not_the_decider",
     "not_the_account_giver", "not_the_estimator", "not_the_opener", "not_approved_by_me", "assigned_to_me", "duty_calls_me", "invited",
     "checker_or_turned_down"}
)  # fmt: skip


def possible(*, case: Case, actor: Actor, book: Rulebook, now: datetime) -> tuple[tuple[Step, int], ...]:
    """Every (step, part) that this actor can take now: what pages draw as buttons and the API answers as actions."""
    found: list[tuple[Step, int]] = []
    for step in STEPS:
        if step.action == "report":
            continue
        if step.makes_part:
            if check(case=case, step=step, part=None, actor=actor, book=book, now=now) is None:
                found.append((step, 0))
            continue
        found.extend(
            (step, number)
            for number, part in case.of(step.subject).items()
            if check(case=case, step=step, part=part, actor=actor, book=book, now=now) is None
        )
    return tuple(found)


def done(step: Step, part: int, *more: Change, facts: Mapping[str, Value] | None = None, **fields: Value) -> Event:
    """The event of a step taken: its part in the target state, with these fields changed, and further changes."""
    if step.target and step.subject != "claim":
        fields = {"state": step.target, **fields}
    own = (Change(step.subject, part, fields),) if fields else ()
    return Event(step.event, part, facts or {}, (*own, *more))
