"""Actions: one address for every row of `lifecycle.STEPS`, made from the table. A row that goes takes its address."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from lipei.api import calls, problems, shapes
from lipei.api.access import token_of
from lipei.api.problems import Problem
from lipei.api.reading import fault
from lipei.domain.commands import COMMANDS
from lipei.domain.events import Refusal
from lipei.domain.lifecycle import FALLS_SHORT, STEPS, Step
from lipei.reads import claims as claims_read
from lipei.services import actions

_ADDRESS = re.compile(r"claims/\d+/(?:([a-z_]{1,40})/([\w-]{1,40})/)?([a-z_]{1,40})")
Endpoint = Callable[..., HttpResponse]


def steps() -> tuple[Step, ...]:
    """The rows that have an address of their own; a report makes a claim and is `POST /claims`."""
    return tuple(step for step in STEPS if step.action != "report")


def path_of(step: Step) -> str:
    """Where a step is taken; a step that makes a part is taken on the part ``new``."""
    if step.subject == "claim":
        return f"/claims/{{number}}/{step.action}"
    part = "new" if step.makes_part else "{int:part}"
    return f"/claims/{{number}}/{shapes.PLURALS[step.subject]}/{part}/{step.action}"


def unknown(address: str) -> Problem | None:
    """What is wrong with an address that looks like one of an action: the kind of part, the action, or the number."""
    found = _ADDRESS.fullmatch(address)
    if found is None:
        return None
    plural, part, action = (said or "" for said in found.groups())
    subject = next((one for one, named in shapes.PLURALS.items() if named == plural), "" if plural else "claim")
    if not subject:
        known = ", ".join(shapes.PLURALS.values())
        return Problem(404, "refusal.unknown_parts", {"parts": plural, "known": known})
    own = [step for step in steps() if step.subject == subject]
    if any(step.action == action and not step.makes_part for step in own) and part:
        return Problem(404, "refusal.unknown_part", {"part": f"{subject} {part}"})
    names = [f"new/{step.action}" if step.makes_part and plural else step.action for step in own]
    return Problem(404, "refusal.unknown_action_here", {"action": action, "actions": ", ".join(names)})


def endpoint(step: Step) -> Endpoint:
    """The function behind a step's address."""
    if step.subject == "claim" or step.makes_part:

        def on_claim(request: HttpRequest, number: str) -> HttpResponse:
            return take(request, number, step, 0)

        return on_claim

    def on_part(request: HttpRequest, number: str, part: int) -> HttpResponse:
        return take(request, number, step, part)

    return on_part


def take(request: HttpRequest, number: str, step: Step, part: int) -> HttpResponse:
    """Take the step; 200 with the state after it and the events, else a problem."""
    token, at = token_of(request), calls.now()
    number = calls.known_number(number)
    command = calls.command_of(request, COMMANDS[step.subject, step.action], lambda _: claims_read.currency(number))
    outcome = actions.act(
        number,
        step.subject,
        step.action,
        part,
        command,
        actor=token.actor,
        now=at,
        seen_version=calls.seen_version(request),
        cause=f"{step.subject}.{step.action} token:{token.id}",
    )
    if isinstance(outcome, Refusal):
        raise calls.refused(outcome, number, token.actor, problems.language_of(request), now=at)
    for _, event in outcome.events:
        if event.kind in FALLS_SHORT:  # the try is on record, and nothing came of it
            field, code = FALLS_SHORT[event.kind]
            raise problems.wrong_fields({field: fault(code)})
    return calls.answer(request, outcome, viewer=token.actor, at=at)
