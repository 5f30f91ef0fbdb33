"""Intake: a report becomes a claim, once, and is on its way before the answer is given (norm 2.2.1).

The same key gets the same answer. Policy, contact and account that are on file are filled in; a report that looks like
one already made is taken all the same, and offered for linking. Urgent reports outside working hours call somebody.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db import IntegrityError

from lipei.domain import commands, conduct
from lipei.domain.claims import Case
from lipei.domain.conduct import Happened, World
from lipei.domain.events import Actor, Refusal
from lipei.domain.policies import Policy
from lipei.domain.rulebook import Rulebook
from lipei.services import actions, norms, roster, unit_of_work, world
from lipei.services.actions import Done
from lipei.services.unit_of_work import Stale
from lipei.store import aggregates, canonical, models

TRIES = 5
KEY_COLUMNS = ("caller", "key", "body_digest", "claim_id", "at")


def new_number(now: datetime, zone: str) -> str:
    """A claim number that can be read out on the phone: the day, eight random digits and a check digit (Luhn)."""
    body = f"{now.astimezone(ZoneInfo(zone)):%y%m%d}{secrets.randbelow(10**8):08d}"
    return body + luhn_digit(body)


def luhn_digit(digits: str) -> str:
    """The check digit that catches one wrong digit and nearly every swap of two neighbours (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def new_id(now: datetime) -> int:
    """An id that grows with time: milliseconds and 22 random bits, so that no counter is shared between processes."""
    return (int(now.timestamp() * 1000) << 22) | secrets.randbits(22)


def fingerprint(command: commands.Report) -> str:
    """What tells whether a repeated key came with the same report."""
    return canonical.digest(command)


def report(command: commands.Report, *, actor: Actor, now: datetime, key: str = "") -> Refusal | Done:
    """Take a report. ``key`` is the caller's idempotency key; without one every call is a new report.

    Everything that follows at once is in the answer: triage, registration, assignment, duty call, clocks, and for an
    eligible small claim even the payment order.
    """
    body = fingerprint(command) if key else ""
    rulebook = norms.current()
    policy = world.find_policy(command, now)
    for _ in range(TRIES):
        stream_id = new_id(now)
        w, ledger = _world(command, policy, rulebook, now)
        happened = decide(Case(id=stream_id), command, actor, w, now)
        if isinstance(happened, Refusal):
            # What was right when it was first sent may not be any more; the repetition still gets its claim.
            return (answered(actor, key, body) if key else None) or happened
        loaded = unit_of_work.begin(Case, stream_id)
        remembered = (models.IdempotencyKey, KEY_COLUMNS, [(actor.id, key, body, stream_id, now)] if key else [])
        try:
            done = unit_of_work.commit(
                actions.writes_of(loaded, ledger, happened), rulebook=rulebook, now=now, cause="claim.report",
                beside=[remembered],
            )  # fmt: skip
        except (Stale, IntegrityError):
            # A number or key that is taken, or a ledger that moved: an answer given meanwhile, else another try.
            known = answered(actor, key, body) if key else None
            if known is not None:
                return known
            continue
        case: Case = done.aggregates[Case.kind, stream_id]
        world.took_on(case.claim.handler)
        reported = Done(case, done.events)
        actions.share_anew(reported, now=now)
        return reported
    return Refusal("refusal.busy", "conflict", {})


def wrong(command: commands.Report, *, actor: Actor, now: datetime) -> Mapping[str, str]:
    """What the rules find wrong with a report as far as it can be read, a text code per field. Nothing is written.

    A page tells it along with what it could not read, so that nobody corrects a form twice.
    """
    w, _ = _world(command, world.find_policy(command, now), norms.current(), now)
    happened = decide(Case(id=0), command, actor, w, now)
    return happened.fields if isinstance(happened, Refusal) and happened.kind == "fields" else {}


def answered(actor: Actor, key: str, body: str) -> Refusal | Done | None:
    """The answer once given to this key; refused where the key came with another report."""
    row = models.IdempotencyKey.objects.filter(caller=actor.id, key=key).first()
    if row is None:
        return None
    if row.body_digest != body:
        return Refusal("refusal.key_reused", "conflict", {"key": key})
    loaded = aggregates.load(Case, row.claim_id)
    assert loaded is not None
    return Done(loaded.aggregate, ())


def _world(
    command: commands.Report, policy: object, rulebook: Rulebook, now: datetime
) -> tuple[World, aggregates.Loaded | None]:
    w = world.base(rulebook)
    ledger = None
    if policy is not None:
        row: models.Policy = policy  # type: ignore[assignment]
        value = world.policy_value(row, rulebook.settings.zone)
        ledger = world.ledger(row.id) if _shares_a_limit(command, value, rulebook) else None
        w = replace(
            w, policy=value, on_file=world.on_file(row), region=row.region, ledger=ledger.aggregate if ledger else None
        )
    phone = command.phone or next((p.phone for p in command.parties if p.phone), "")
    w = replace(
        w,
        number=new_number(now, rulebook.settings.zone),
        candidates=world.candidates(rulebook, None, world.indexes_of(None, command), command.line, roles=world.HANDLES),
        alike=world.alike(
            policy_id=w.policy.id if w.policy else None, phone=phone, loss_at=command.loss_at or now,
            window_hours=rulebook.settings.duplicate_window_hours,
        ),
    )  # fmt: skip
    return w, ledger


def _shares_a_limit(command: commands.Report, policy: Policy, rulebook: Rulebook) -> bool:
    """Whether a cover reported draws on a limit of the policy's ledger: only then the ledger is read."""
    terms = rulebook.products.latest(policy.product)
    covers = [terms.covers.get(e.cover) for e in command.exposures] if terms else []
    return any(step.limit for cover in covers if cover for step in cover.steps)


def decide(case: Case, command: commands.Report, actor: Actor, w: World, now: datetime) -> Refusal | Happened:
    """The report by the rules, and the duty call where one is due."""
    happened = conduct.conduct(
        case=case, subject="claim", action="report", part=0, command=command, actor=actor, world=w, now=now
    )
    if isinstance(happened, Refusal):
        return happened
    after = case.after(e for e, _ in happened if e.subject != "ledger")
    return (*happened, *roster.calls(after, w.rulebook, now))
