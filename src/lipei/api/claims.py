"""Claims: report, list, read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse

from lipei.api import calls, problems, shapes
from lipei.api.access import token_of
from lipei.api.reading import Faults, fault
from lipei.domain import lifecycle
from lipei.domain.commands import Report
from lipei.domain.events import Actor, Refusal
from lipei.domain.triage import LANES
from lipei.reads import claims as claims_read
from lipei.reads import people, prenotices, reasons, remarks, rulebook, timeline, worklist
from lipei.services import intake, personal_data, world
from lipei.services.actions import Done
from lipei.services.tokens import Token

BATCH_MAX = 100
KEY_LENGTH_MAX = 200

FILTERS: Mapping[str, str] = {
    "state": "text",
    "line": "text",
    "loss_kind": "text",
    "lane": "text",
    "unit": "text",
    "policy_number": "text",
    "external_number": "text",
    "fast_lane": "flag",
    "suspicion": "flag",
    "report_upwards": "flag",
    "help_wanted": "flag",
    "unassigned": "flag",
    "late": "flag",
    "handler": "number",
    "reported_from": "time",
    "reported_to": "time",
    "q": "text",
}
PAGING: Mapping[str, str] = {"limit": "limit", "cursor": "text"}


def report(request: HttpRequest) -> HttpResponse:
    """Report a loss. 201 with number, handler by name, every promised date and the actions possible now.

    With the header Idempotency-Key the same report sent again is answered with the claim it made, and makes no second.
    """
    token, at = token_of(request), calls.now()
    command = calls.command_of(request, Report, lambda said: _currency(said, at))
    outcome = intake.report(command, actor=token.program, now=at, key=_key(request))
    if isinstance(outcome, Refusal):
        raise problems.of_refusal(outcome)
    body = _reported(outcome, token, problems.language_of(request), at)
    headers = {"Location": f"{shapes.BASE}/claims/{body['number']}", **shapes.version_tag(body)}
    if not outcome.events:
        headers["Idempotent-Replayed"] = "true"
    return shapes.respond(body, 201, **headers)


def _reported(done: Done, token: Token, language: str, at: datetime) -> dict[str, Any]:
    number = done.case.claim.handler
    facts: Iterable[tuple[str, Mapping[str, Any]]] = ((event.kind, event.facts) for _, event in done.events)
    if not done.events:
        done, facts = Done(done.case, claims_read.events_of_report(done.case)), remarks.facts_of(done.case)
    staff = {} if number is None else {number: world.name_of(number) or people.names({number}).get(number, "")}
    return calls.done_body(done, viewer=token.actor, language=language, at=at, staff=staff, facts=facts)


def _currency(command: Report, at: datetime) -> str:
    """The currency that a report's claim will have: its policy's, else that of the sums it names, else the company's."""
    policy = world.find_policy(command, at)
    if policy is not None:
        return str(policy.currency)
    named = [m.currency for m in (command.estimate, *(e.reserve for e in command.exposures)) if m]
    return named[0] if named else str(rulebook.current().settings.currency)


def _key(request: HttpRequest) -> str:
    key = request.headers.get("Idempotency-Key", "").strip()
    if key and not _sound_key(key):
        raise problems.wrong_fields({"Idempotency-Key": fault("refusal.idempotency_key")})
    return key


def _sound_key(key: str) -> bool:
    return len(key) <= KEY_LENGTH_MAX and all("!" <= c <= "~" for c in key)


def batch(request: HttpRequest) -> HttpResponse:
    """Many reports in one call, each answered on its own as by `POST /claims`; ``results`` in the order of ``reports``.

    Each report may carry its ``idempotency_key``; with the header Idempotency-Key, report n has the key ``<key>:n``.
    """
    token, language = token_of(request), problems.language_of(request)
    data = calls.body_of(request)
    if not isinstance(data, dict) or not isinstance(data.get("reports"), list) or set(data) != {"reports"}:
        raise problems.wrong_fields({"reports": fault("refusal.not_a_list")})
    if len(data["reports"]) > BATCH_MAX:
        raise problems.wrong_fields({"reports": fault("refusal.too_many")})
    key = _key(request)
    results = [
        _one(row, f"{key}:{n}" if key else "", token, language) for n, row in enumerate(data["reports"], start=1)
    ]
    return shapes.respond({"results": results})


def _one(row: Any, key: str, token: Token, language: str) -> dict[str, Any]:
    """One report of a batch; whatever is wrong with it is its own answer and stops no other."""
    faults: Faults = {}
    if isinstance(row, dict) and "idempotency_key" in row:
        own = row["idempotency_key"]
        row = {name: value for name, value in row.items() if name != "idempotency_key"}
        if not isinstance(own, str) or not own or not _sound_key(own):
            faults["idempotency_key"] = fault("refusal.idempotency_key")
        else:
            key = own
    at = calls.now()
    command = calls.read_command(Report, row, lambda said: _currency(said, at), faults)
    if faults:
        return problems.wrong_fields(faults).body(language)
    outcome = intake.report(command, actor=token.program, now=at, key=key)
    if isinstance(outcome, Refusal):
        return problems.of_refusal(outcome).body(language)
    return {"status": 201, **_reported(outcome, token, language, at)}


def _filters(viewer: Actor) -> Mapping[str, str]:
    """What a caller may narrow a list by: an outsider not by what it does not learn."""
    hidden = shapes.NOT_FOR_PROGRAMS if shapes.is_outsider(viewer) else frozenset()
    return {name: kind for name, kind in FILTERS.items() if name not in hidden}


def _asked(request: HttpRequest, viewer: Actor, **more: str) -> dict[str, Any]:
    """What a list is asked for. Raises Problem, also for a state, lane or line that there is not."""
    asked = calls.query(request, {**_filters(viewer), **PAGING, **more})
    lines = rulebook.current().lines
    choices = {"state": lifecycle.ANY, "lane": LANES, "line": tuple(lines.lines), "loss_kind": tuple(lines.losses)}
    wrong = {name for name, known in choices.items() if asked.get(name) and asked[name] not in known}
    if wrong:
        raise problems.wrong_fields({name: fault("refusal.not_a_choice") for name in sorted(wrong)})
    return asked


def listing(request: HttpRequest) -> HttpResponse:
    """The claims that the caller sees, the newest report first. ``next`` is the cursor of the next page."""
    token, language = token_of(request), problems.language_of(request)
    asked = _asked(request, token.actor)
    limit, cursor = asked.pop("limit", 50), asked.pop("cursor", "")
    try:
        found = worklist.claims(
            token.actor,
            language=language,
            now=calls.now(),
            filters=worklist.Filters(**asked),
            limit=limit,
            cursor=cursor,
        )
    except worklist.BadCursor as error:
        raise problems.wrong_fields({"cursor": fault("refusal.cursor")}) from error
    return shapes.respond(shapes.listed(found, token.actor))


def work(request: HttpRequest) -> HttpResponse:
    """The caller's open work in the order in which promises would break, fast lane first."""
    token, language = token_of(request), problems.language_of(request)
    asked = _asked(request, token.actor, whose="text")
    limit, cursor, whose = asked.pop("limit", 50), asked.pop("cursor", ""), asked.pop("whose", "")
    if whose and whose not in worklist.WHOSE:
        raise problems.wrong_fields({"whose": fault("refusal.not_a_choice")})
    try:
        found = worklist.work(
            token.actor,
            language=language,
            now=calls.now(),
            whose=whose,
            filters=worklist.Filters(**asked),
            limit=limit,
            cursor=cursor,
        )
    except worklist.BadCursor as error:
        raise problems.wrong_fields({"cursor": fault("refusal.cursor")}) from error
    return shapes.respond(shapes.listed(found, token.actor))


def read(request: HttpRequest, number: str) -> HttpResponse:
    """One claim with its parts. Personal data is masked; ``unmask=1`` shows it to whom that is permitted, on record."""
    token, language, at = token_of(request), problems.language_of(request), calls.now()
    unmask = bool(calls.query(request, {"unmask": "flag"}).get("unmask"))
    if unmask:
        _record_look(calls.known_number(number), token.actor, at)
    found = calls.find(number, token.actor, unmask=unmask)
    why = (*found.raw.claim.triage_reasons, *found.raw.claim.assignment_reasons)
    staff = people.names(claims_read.staff_of(found.raw) | reasons.staff_in(why))
    promised = claims_read.promised(found.raw, found.rulebook, viewer=token.actor, language=language, now=at)
    body = shapes.summary(
        found.raw, found.rulebook, viewer=token.actor, language=language, promised=promised, staff=staff,
        version=found.version, now=at,
    )  # fmt: skip
    body |= shapes.claim(found.case, viewer=token.actor, language=language, staff=staff)
    said = remarks.on(found.raw, found.rulebook, remarks.facts_of(found.raw), language=language, now=at)
    body["remarks"] = shapes.remarks(said)
    if not shapes.is_outsider(token.actor):
        body["prenotices"] = shapes.prenotices(_prenotices(found, language, at))
    return shapes.respond({**body, "masked": not unmask}, 200, **shapes.version_tag(body))


def _prenotices(found: claims_read.Found, language: str, at: datetime) -> tuple[prenotices.Told, ...]:
    reporter = found.raw.party("reporter")
    return prenotices.about(
        policy_id=found.raw.claim.policy_id, phone=reporter.phone if reporter else "", now=at,
        show_days=found.rulebook.settings["pre_notice_show_days"], language=language,
    )  # fmt: skip


def _record_look(number: str, actor: Actor, at: datetime) -> None:
    outcome = personal_data.see(number, actor=actor, now=at)
    if isinstance(outcome, Refusal):
        raise calls.missing() if outcome.kind == "missing" else problems.of_refusal(outcome)


def read_timeline(request: HttpRequest, number: str) -> HttpResponse:
    """The journal of the claim in words, as this caller may see it. ``after`` continues behind a sequence number."""
    asked = calls.query(request, {"after": "number", "limit": "limit"})
    token, language = token_of(request), problems.language_of(request)
    found = calls.find(number, token.actor)
    after, limit = asked.get("after", 0), min(asked.get("limit", 500), 1000)
    entries = [e for e in timeline.rows(found.raw, token.actor) if e.sequence > after][:limit]
    staff = people.names(timeline.staff_in(entries))
    told = timeline.told(
        entries, case=found.raw, viewer=token.actor, language=language, zone=found.rulebook.settings.zone, staff=staff
    )
    if not shapes.is_outsider(token.actor):
        told = claims_read.with_notes(told, found.case)
    return shapes.respond(
        {"number": number, "version": found.version, "entries": shapes.timeline(told, found.raw.claim.currency)}
    )


def read_promises(request: HttpRequest, number: str) -> HttpResponse:
    """The claim's clocks, each with its due time and what that rests on (norm 2.3.1)."""
    calls.query(request, {})
    token, language, at = token_of(request), problems.language_of(request), calls.now()
    found = calls.find(number, token.actor)
    promised = claims_read.promised(found.raw, found.rulebook, viewer=token.actor, language=language, now=at)
    return shapes.respond({"number": number, "promises": shapes.promises_with_basis(promised, language)})


def read_messages(request: HttpRequest, number: str) -> HttpResponse:
    """What was written to whom and what became of it, the newest first (norm 2.4.1). The wording is not shown."""
    calls.query(request, {})
    token, language = token_of(request), problems.language_of(request)
    found = calls.find(number, token.actor)
    told = claims_read.messages(found.raw, viewer=token.actor)
    return shapes.respond({"number": number, "messages": shapes.messages(number, told, language)})


def read_settlement(request: HttpRequest, number: str) -> HttpResponse:
    """The sum, exposure by exposure, line by line, with the clause behind each line (norm 2.2.4)."""
    calls.query(request, {})
    token, language = token_of(request), problems.language_of(request)
    found = calls.find(number, token.actor)
    told = remarks.facts_of(found.raw)
    settled = claims_read.settled(found.raw, found.rulebook, language=language, facts=told)
    return shapes.respond(shapes.settlement(found.raw, settled))
