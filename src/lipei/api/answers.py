"""The description of answers: JSON schemas of what `shapes` and `problems` make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lipei.api.problems import MEDIA_TYPE, TITLES

_TIME = {"type": ["string", "null"], "format": "date-time"}
_MONEY = {"anyOf": [{"$ref": "#/components/schemas/Money"}, {"type": "null"}]}


def _object(properties: Mapping[str, Any], *required: str, more: bool = False, **extra: Any) -> dict[str, Any]:
    found = {"type": "object", "properties": dict(properties), "additionalProperties": more, **extra}
    return {**found, "required": list(required)} if required else found


def _list(name: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}


PERSON = {"anyOf": [_object({"id": {"type": "integer"}, "name": {"type": "string"}}, "id", "name"), {"type": "null"}]}
ACTION = _object(
    {
        "subject": {"type": "string"},
        "part": {"anyOf": [{"type": "integer"}, {"const": "new"}], "description": "0: the claim; new: one is made."},
        "action": {"type": "string"},
        "label": {"type": "string"},
        "href": {"type": "string"},
    },
    "subject",
    "part",
    "action",
    "label",
    "href",
)
PROMISE = _object(
    {
        "code": {"type": "string"},
        "name": {"type": "string"},
        "exposure": {"type": "integer", "description": "0: the whole claim."},
        "due_at": _TIME,
        "binds": {"type": "string", "enum": ["company", "law", "regulator", "team"]},
        "state": {"type": "string", "enum": ["running", "paused", "fulfilled", "cancelled"]},
        "late": {"type": "boolean"},
        "provisional": {"type": "boolean"},
        "extended_due_at": _TIME,
        "breached_at": _TIME,
        "ended_at": _TIME,
        "why": {"type": "string", "description": "What the due time rests on, in sentences."},
        "id": {"type": "integer", "description": "Number of the clock within the claim."},
        "basis": {"$ref": "#/components/schemas/PromiseBasis"},
    },
    "code",
    "name",
    "due_at",
    "binds",
    "state",
    "why",
)
PROMISE_BASIS = _object(
    {
        "started_at": _TIME,
        "limit": {"type": "integer"},
        "unit": {"type": "string", "description": "What the limit counts, such as working_days."},
        "calendar": {"type": "string"},
        "calendar_version": {"type": "integer"},
        "promise_version": {"type": "integer"},
        "pauses": {
            "type": "array",
            "items": _object({"from": _TIME, "until": _TIME}, "from", "until"),
            "description": "Time that does not count; until is null while it lasts.",
        },
        "counted_due_at": {
            **_TIME,
            "description": "What counting gives; due_at is earlier where an earlier date was told.",
        },
        "told_due_at": {**_TIME, "description": "The date that the customer was told: it never moves to a later one."},
        "reason": {"type": "string", "description": "Code of why it ended or was computed anew; empty for neither."},
    },
    "started_at",
    "limit",
    "unit",
    "calendar",
    "calendar_version",
    "pauses",
)
EVENT = _object(
    {
        "sequence": {"type": "integer"},
        "kind": {"type": "string"},
        "part": {"type": "integer"},
        "name": {"type": "string"},
    },
    "sequence",
    "kind",
    "part",
    "name",
)
_SUMMARY = {
    "number": {"type": "string"},
    "state": {"type": "string"},
    "state_name": {"type": "string"},
    "version": {"type": "integer", "description": "Send it back as If-Match to be told if somebody was faster."},
    "handler": PERSON,
    "promises": _list("Promise"),
    "actions": _list("Action"),
    "remarks": {**_list("Remark"), "description": "Of a report and a claim: what it was taken in spite of."},
}
REMARK = _object(
    {
        "code": {"type": "string"},
        "message": {"type": "string", "description": "A sentence in the language of Accept-Language."},
        "claims": {"type": "array", "items": {"type": "string"}, "description": "The claims that it is about."},
    },
    "code",
    "message",
    "claims",
)
DONE = _object(
    {**_SUMMARY, "events": _list("Event")}, "number", "state", "handler", "promises", "actions", "events", more=True
)
CLAIM = _object(_SUMMARY, "number", "state", "handler", "promises", "actions", more=True)
LISTED = _object(
    {"claims": {"type": "array", "items": _object({}, more=True)}, "next": {"type": ["string", "null"]}},
    "claims",
    "next",
)
TIMELINE = _object(
    {
        "number": {"type": "string"},
        "version": {"type": "integer"},
        "entries": {"type": "array", "items": _object({}, more=True)},
    },
    "number",
    "entries",
)
PROMISES = _object({"number": {"type": "string"}, "promises": _list("Promise")}, "number", "promises")
SETTLEMENT = _object(
    {
        "number": {"type": "string"},
        "currency": {"type": "string"},
        "payable": _MONEY,
        "paid": _MONEY,
        "exposures": {
            "type": "array",
            "items": _object(
                {
                    "computed": {"type": "boolean"},
                    "why": {"type": "string", "description": "Why an assessed head of loss has no sum; else empty."},
                },
                more=True,
            ),
        },
    },
    "number",
    "currency",
    "exposures",
)
MESSAGES = _object(
    {"number": {"type": "string"}, "messages": {"type": "array", "items": _object({}, more=True)}}, "number", "messages"
)
_HOOK = {
    "id": {"type": "integer"},
    "url": {"type": "string"},
    "kinds": {"type": "array", "items": {"type": "string"}, "description": "Kinds of event; none: all."},
    "active": {"type": "boolean"},
    "created_at": _TIME,
    "waiting": {"type": "integer"},
    "failed": {"type": "integer"},
}
WEBHOOK = _object({**_HOOK, "secret": {"type": "string", "description": "Seen this once."}}, "id", "url", "secret")
WEBHOOKS = _object({"webhooks": {"type": "array", "items": _object(_HOOK, *_HOOK)}}, "webhooks")
STOPPED = _object({"id": {"type": "integer"}, "active": {"type": "boolean"}}, "id", "active")
REPLAYED = _object({"id": {"type": "integer"}, "queued": {"type": "integer"}}, "id", "queued")
BATCHED = _object(
    {"results": {"type": "array", "items": _object({"status": {"type": "integer"}}, "status", more=True)}}, "results"
)
PROBLEM = _object(
    {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable, for programs."},
        "detail": {"type": "string", "description": "A sentence in the language of Accept-Language."},
        "instance": {"type": "string"},
        "permission": {"type": "string", "description": "403: what is missing."},
        "state": {"type": "string", "description": "409: the state of the claim."},
        "actions": {**_list("Action"), "description": "409: what is possible now."},
        "errors": {
            "type": "array",
            "description": "422: the fields; those of lists are numbered from one.",
            "items": _object(
                {"field": {"type": "string"}, "code": {"type": "string"}, "message": {"type": "string"}},
                "field",
                "code",
                "message",
            ),
        },
    },
    "type",
    "title",
    "status",
    "detail",
    more=True,
)

COMPONENTS: Mapping[str, Any] = {
    "Action": ACTION,
    "Remark": REMARK,
    "Promise": PROMISE,
    "PromiseBasis": PROMISE_BASIS,
    "Event": EVENT,
    "Done": DONE,
    "Claim": CLAIM,
    "Listed": LISTED,
    "Timeline": TIMELINE,
    "PromisesOfClaim": PROMISES,
    "SettlementOfClaim": SETTLEMENT,
    "Batched": BATCHED,
    "MessagesOfClaim": MESSAGES,
    "Webhook": WEBHOOK,
    "Webhooks": WEBHOOKS,
    "Stopped": STOPPED,
    "Replayed": REPLAYED,
    "Problem": PROBLEM,
}


def responses(status: int, name: str, description: str, *problems: int) -> dict[int, Any]:
    """The responses of a call: its answer, and the problems that may come instead."""
    return _responses(status, "application/json", {"$ref": f"#/components/schemas/{name}"}, description, *problems)


def files(media_type: str, description: str, *problems: int) -> dict[int, Any]:
    """The responses of a call that is answered with a file."""
    return _responses(200, media_type, {"type": "string", "format": "binary"}, description, *problems)


def _responses(status: int, media_type: str, schema: Any, description: str, *problems: int) -> dict[int, Any]:
    found: dict[int, Any] = {status: {"description": description, "content": {media_type: {"schema": schema}}}}
    for problem in (400, 401, 403, *problems):
        found[problem] = {
            "description": TITLES[problem],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return found
