"""What every call does alike: read the body, take the action, answer or say what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, UnreadablePostError

from lipei.api import problems, reading, shapes
from lipei.api.problems import Problem
from lipei.api.reading import Faults, fault
from lipei.domain.claims import NUMBER
from lipei.domain.events import Actor, Refusal
from lipei.reads import claims as claims_read
from lipei.reads import people, remarks, rulebook
from lipei.services.actions import Done

QUERY_LENGTH_MAX = 200
DRAIN_BYTES = 65_536
DRAIN_BYTES_MAX = 200_000_000
"""Beyond this a caller is cut off in the middle."""
_VERSION = re.compile(r'(?:W/)?"?([0-9]{1,15})"?')


def now() -> datetime:
    """The clock on the wall, read at the edge and nowhere below."""
    return datetime.now(UTC)


def body_of(request: HttpRequest) -> Any:
    """The JSON of a request; an empty body is an empty object. Raises Problem 400, 413 or 415."""
    try:
        data = request.body
    except RequestDataTooBig as error:
        drain(request)
        raise Problem(413, "refusal.body_too_large") from error
    except UnreadablePostError as error:
        raise Problem(400, "refusal.not_json") from error
    if not data:
        return {}
    if request.content_type != "application/json":
        raise Problem(415, "refusal.media_type", {"taken": "application/json"})
    try:
        said = orjson.loads(data)
        json.loads(data, object_pairs_hook=_once, parse_int=str, parse_float=str)
    except (orjson.JSONDecodeError, RecursionError) as error:
        raise Problem(400, "refusal.not_json") from error
    return said


def _once(pairs: list[tuple[str, Any]]) -> None:
    """Refuse an object that says a member twice: two readers would take it in two ways. Raises Problem 400."""
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise Problem(400, "refusal.not_json", faults={reading.shown(name): fault("refusal.said_twice")})
        names.add(name)


def drain(request: HttpRequest) -> None:
    """Read what is too large to be taken, and keep nothing: a caller that is still sending hears no answer."""
    left = DRAIN_BYTES_MAX
    try:
        while left > 0 and (chunk := request.read(min(DRAIN_BYTES, left))):
            left -= len(chunk)
    except UnreadablePostError:
        pass  # hung up meanwhile: there is nobody to answer


def command_of(request: HttpRequest, cls: type, currency: Callable[[Any], str]) -> Any:
    """The command in the body. ``currency`` tells the claim's, asked only where facts hold amounts. Raises Problem."""
    faults: Faults = {}
    data = body_of(request)
    command = read_command(cls, data, currency, faults)
    if faults:
        raise problems.wrong_fields(faults)
    return command


def read_command(cls: type, data: Any, currency: Callable[[Any], str], faults: Faults) -> Any:
    """The command that JSON says, or None with what is wrong added to ``faults``."""
    command = reading.command_of(cls, data, faults)
    said = reading.currencies(data) if command is not None and not faults else {}
    if said:
        own = currency(command)
        faults |= {at: fault("refusal.currency_mixed") for at, code in said.items() if code != own}
    return command


def seen_version(request: HttpRequest) -> int | None:
    """The version of the claim that the caller saw (header If-Match); None where they do not say."""
    said = request.headers.get("If-Match", "").strip()
    if not said or said == "*":
        return None
    found = _VERSION.fullmatch(said)
    if found is None:
        raise problems.wrong_fields({"If-Match": fault("refusal.version")})
    return int(found[1])


def known_number(number: str) -> str:
    """A claim number that can be one. Raises Problem 404: what cannot be a number names no claim."""
    if not NUMBER.fullmatch(number):
        raise missing()
    return number


def missing() -> Problem:
    """404 for a claim that does not exist, or not for this caller."""
    return Problem(404, "refusal.missing")


def find(number: str, viewer: Actor, *, unmask: bool = False) -> claims_read.Found:
    """The claim, or Problem 404."""
    found = claims_read.find(known_number(number), viewer=viewer, unmask=unmask)
    if found is None:
        raise missing()
    return found


def refused(refusal: Refusal, number: str, viewer: Actor, language: str, *, now: datetime) -> Problem:
    """The problem of a refused action: 409 with the actions possible now, 404 where the caller sees no such claim."""
    if refusal.code == "refusal.claim_unknown":
        return missing()
    found = claims_read.find(number, viewer=viewer)
    if found is None:
        return missing()
    problem = problems.of_refusal(refusal)
    if problem.status == 409:
        possible = claims_read.possible(found.raw, found.rulebook, viewer=viewer, language=language, now=now)
        more: Mapping[str, Any] = {
            "state": found.raw.claim.state,
            "version": found.version,
            "actions": shapes.actions(number, possible),
        }
        problem.more |= more
    return problem


def answer(
    request: HttpRequest, done: Done, *, viewer: Actor, at: datetime, status: int = 200, **more: Any
) -> HttpResponse:
    """The answer to an action, built from what was done without reading it again (but for the handler's name)."""
    language = problems.language_of(request)
    staff = people.names({done.case.claim.handler})
    body = done_body(done, viewer=viewer, language=language, at=at, staff=staff, **more)
    return shapes.respond(body, status, **shapes.version_tag(body))


def done_body(
    done: Done,
    *,
    viewer: Actor,
    language: str,
    at: datetime,
    staff: Mapping[int, str],
    facts: Iterable[tuple[str, Mapping[str, Any]]] = (),
    **more: Any,
) -> dict[str, Any]:
    """State, handler, promises, actions, events and remarks after something was done.

    ``facts`` are those of the claim's report where they are at hand.
    """
    book = rulebook.used()
    own = [(s, e) for s, e in done.events if e.subject != "ledger"]
    version = max((s for s, _ in own), default=done.case.version)
    promised = claims_read.promised(done.case, book, viewer=viewer, language=language, now=at)
    told = (*facts, *((e.kind, {**e.facts, "part": e.part}) for _, e in own))
    said = shapes.remarks(remarks.on(done.case, book, told, language=language, now=at))
    body = shapes.summary(
        done.case, book, viewer=viewer, language=language, promised=promised, staff=staff, version=version, now=at
    )
    return {**body, "remarks": said, "events": shapes.events(own, language), **more}


def query(request: HttpRequest, spec: Mapping[str, str]) -> dict[str, Any]:
    """The parameters of the address by name and kind. Raises Problem 422 for one that is unknown or makes no sense."""
    faults: Faults = {}
    found: dict[str, Any] = {}
    for name in request.GET:
        kind = spec.get(name)
        if kind is None:
            faults[name[:60]] = fault("refusal.unknown_field")
            continue
        if len(request.GET.getlist(name)) > 1:
            faults[name] = fault("refusal.said_twice")
            continue
        said = str(request.GET[name])
        if said == "" and kind != "flag":
            continue
        value = _QUERY[kind](said)
        if value is None:
            faults[name] = fault(_QUERY_FAULT[kind](said))
        found[name] = value
    if faults:
        raise problems.wrong_fields(faults)
    return found


def _flag(said: str) -> bool | None:
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(said.lower())


def _number(said: str) -> int | None:
    return int(said) if re.fullmatch(r"[0-9]{1,15}", said) else None


def _limit(said: str) -> int | None:
    return _number(said) or None


def _text(said: str) -> str | None:
    return said if len(said) <= QUERY_LENGTH_MAX and reading.printable(said) else None


_QUERY = {"flag": _flag, "number": _number, "limit": _limit, "text": _text, "time": reading.instant}
_QUERY_FAULT: Mapping[str, Callable[[str], str]] = {
    "flag": lambda said: "refusal.not_yes_or_no",
    "number": lambda said: "refusal.not_a_number",
    "limit": lambda said: "refusal.not_a_number" if _number(said) is None else "refusal.out_of_bounds",
    "text": lambda said: "refusal.characters" if len(said) <= QUERY_LENGTH_MAX else "refusal.too_long",
    "time": reading.time_fault,
}
