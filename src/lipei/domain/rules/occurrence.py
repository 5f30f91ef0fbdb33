"""When and where a loss happened, and what hangs on it: the version of the terms, and whether there was cover at all.

Often nobody knows it when a loss is reported. It is added or put right as long as nothing has been decided on it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from lipei.domain import customers
from lipei.domain.claims import Claim
from lipei.domain.commands import CorrectReport
from lipei.domain.conduct import Ask
from lipei.domain.events import Change, Outcome, Value, wrong


def terms_on(ask: Ask, at: datetime) -> dict[str, Value]:
    """The version of the policy's terms that binds a loss of that instant, with its line; empty without a policy."""
    policy = ask.world.policy
    if policy is None:
        return {}
    terms = ask.rulebook.products.on(policy.product, policy.day(at))
    return {"terms_version": terms.version, "line": terms.line} if terms else {"terms_version": policy.terms_version}


def wrong_loss_at(ask: Ask, loss_at: datetime | None, reported_at: datetime) -> dict[str, str]:
    """What is wrong with a time of loss: after its report (by more than clocks differ), or too many years before it."""
    settings = ask.rulebook.settings
    if loss_at is None:
        return {}
    if loss_at > reported_at + timedelta(minutes=settings.clock_skew_minutes):
        return {"loss_at": "refusal.loss_after_report"}
    too_long_ago = loss_at.year < reported_at.year - settings.loss_years_max
    return {"loss_at": "refusal.loss_too_long_ago"} if too_long_ago else {}


def correct(ask: Ask) -> Outcome:
    """Time and place of the loss, as they are known now. The terms of that day bind, and sums that nobody has approved yet
    follow. A customer adds what nobody has said; what was said before only a colleague changes, for a reason.
    """
    command, claim = ask.command, ask.case.claim
    told: dict[str, Value] = {"loss_at": command.loss_at, "place": command.place.strip()}
    said = {name: value for name, value in told.items() if value and value != getattr(claim, name)}
    if not said:
        return wrong(loss_at="refusal.nothing_changed")
    codes = wrong_loss_at(ask, command.loss_at, claim.reported_at or ask.now)
    changed = [name for name in said if getattr(claim, name)]
    if customers.is_outside(ask.actor):
        codes |= dict.fromkeys(changed, "refusal.told_already")
    elif changed and not command.reason.strip():
        codes["reason"] = "refusal.reason_missing"
    if codes:
        return wrong(**codes)
    facts: dict[str, Value] = {"fields": tuple(sorted(said))}
    if "loss_at" in said:
        said |= _other_terms(ask, claim, command)
        facts |= {"at": command.loss_at, "loss_at_before": claim.loss_at, "alike": ask.world.alike}
        if ask.world.policy is not None:
            facts["in_force"] = ask.world.policy.in_force_at(command.loss_at)
    if not command.reason.strip():
        return (ask.done(facts=facts, **said),)
    note = {"text": command.reason.strip(), "author": ask.actor.id, "at": ask.now, "kind": "note"}
    number = ask.case.next_part("note")
    return (ask.done(Change("note", number, note), facts=facts | {"note": number}, **said),)


def _other_terms(ask: Ask, claim: Claim, command: CorrectReport) -> dict[str, Value]:
    """What is another by the terms of that day."""
    assert command.loss_at is not None
    return {name: v for name, v in terms_on(ask, command.loss_at).items() if v != getattr(claim, name)}
