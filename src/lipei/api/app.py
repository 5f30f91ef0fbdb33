"""The API put together: every call with its address, scope and description, at ``/api/v1``."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from typing import Any, cast

import structlog
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_safe
from ninja import NinjaAPI, Router
from ninja.errors import AuthenticationError, ValidationError
from ninja.openapi.schema import OpenAPISchema

from lipei.api import access, actions, answers, calls, claims, documents, operators, problems, schemas, webhooks
from lipei.api.problems import Problem
from lipei.domain.commands import COMMANDS, Report
from lipei.domain.permissions import ROLES
from lipei.norms.texts import text
from lipei.reads import demo, rulebook

logger = structlog.get_logger(__name__)

DESCRIPTION = """
Claims settlement for programs. Every request carries a bearer token; a token that belongs to a member of staff acts as
that person. Money is `{"amount": "1234.56", "currency": "CNY"}`, times are RFC 3339 with their zone, unknown fields are
refused, and what goes wrong comes as `application/problem+json` in the language of `Accept-Language`.
An answer names the actions possible now with their addresses; a 409 does too.
"""


IN_BATCH = {**schemas.REPORT, "idempotency_key": "2026-11-23-0001"}


class Api(NinjaAPI):
    """Ninja with the schemas of commands and answers beside those it makes itself."""

    def get_openapi_schema(
        self, *, path_prefix: str | None = None, path_params: dict[str, Any] | None = None
    ) -> OpenAPISchema:
        """The description; examples are made for the day on which it is asked for."""
        found = super().get_openapi_schema(path_prefix=path_prefix, path_params=path_params)
        found["components"]["schemas"].update(
            {**schemas.components(), **answers.COMPONENTS, "ReportInBatch": _in_batch()}
        )
        for methods in found["paths"].values():
            for operation in methods.values():
                if 201 in operation["responses"]:
                    operation["responses"].pop(200)  # what Ninja supposes where nobody says otherwise
        now, first = calls.now(), demo.first_claim()
        known = found["components"]["schemas"]
        for (subject, action), cls in COMMANDS.items():
            example = schemas.example(subject, action, now=now, first_claim=first)
            _with_example(found["paths"], f"{subject}.{action}", example)
            _add_example(known, cls.__name__, example)
        for name, shown in {**schemas.WEBHOOK_EXAMPLES, "ReportInBatch": IN_BATCH}.items():
            _add_example(known, name, shown)
        return found


def _add_example(known: dict[str, Any], name: str, example: Mapping[str, Any]) -> None:
    """The example in the schema too; a schema that several actions share has one of each."""
    said = known[name].get("examples", [])
    known[name] = {**known[name], "examples": [*said, *([] if example in said else [example])]}


def _in_batch() -> dict[str, Any]:
    report = dict(schemas.of(Report))
    key = {"type": "string", "maxLength": claims.KEY_LENGTH_MAX, "minLength": 1}
    return {**report, "title": "ReportInBatch", "properties": {**report["properties"], "idempotency_key": key}}


def _with_example(paths: Mapping[str, Any], operation_id: str, example: Mapping[str, Any]) -> None:
    for methods in paths.values():
        for operation in methods.values():
            if operation["operationId"] == operation_id:
                operation["requestBody"]["content"]["application/json"]["example"] = example


api = Api(title="Lipei", version="1", description=DESCRIPTION, docs_url=None, urls_namespace="api")
router = Router()


@api.exception_handler(Problem)
def _problem(request: HttpRequest, problem: Problem) -> HttpResponse:
    return problems.answer(request, problem)


@api.exception_handler(ValidationError)
def _wrong_address(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return problems.answer(request, calls.missing())


@api.exception_handler(AuthenticationError)
def _unauthorised(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    return problems.answer(request, Problem(401, "refusal.token_missing"))


@api.exception_handler(Exception)
def _ours(request: HttpRequest, error: Exception) -> HttpResponse:
    logger.error("api.failed", path=request.path, error=type(error).__name__, exc_info=error)
    return problems.answer(request, problems.of_failure(error))


# --- the calls -------------------------------------------------------------------------------------------------------


def _body(name: str, *, required: bool = True) -> dict[str, Any]:
    return {"required": required, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


_PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "flag": {"type": "boolean"},
    "number": {"type": "integer", "minimum": 0, "maximum": 10**15 - 1},
    "limit": {
        "type": "integer",
        "minimum": 1,
        "maximum": 10**15 - 1,
        "description": "At most so many; a page holds no more than it can, whatever is asked for.",
    },
    "text": {"type": "string", "maxLength": 200, "pattern": r"^[^\x00-\x1f\x7f-\x9f]*$"},
    "time": {"type": "string", "format": "date-time"},
}


def _query(spec: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"in": "query", "name": n, "required": False, "schema": dict(_PARAMETERS[k])} for n, k in spec.items()]


def _header(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {
        "in": "header",
        "name": name,
        "required": False,
        "description": description,
        "schema": {"type": "string", **schema},
    }


_KEY = _header(
    "Idempotency-Key", "The same key with the same report gets the same claim.", maxLength=200, pattern="^[!-~]+$"
)
_MATCH = _header("If-Match", "The version of the claim that the caller saw.", pattern='^"[0-9]{1,15}"$')


def _add(
    method: str,
    address: str,
    view: Callable[..., HttpResponse],
    auth: access.Bearer,
    operation_id: str,
    summary: str,
    extra: dict[str, Any],
    *,
    tag: str = "claims",
    description: str = "",
) -> None:
    router.add_api_operation(
        address,
        [method],
        view,
        auth=auth,
        operation_id=operation_id,
        summary=summary,
        tags=[tag],
        openapi_extra=extra,
        description=description or (view.__doc__ or "").strip(),
    )


def _read(
    address: str,
    view: Callable[..., HttpResponse],
    operation_id: str,
    answer: str,
    summary: str,
    spec: Mapping[str, str],
    auth: access.Bearer = access.READ,
) -> None:
    missing = (404,) if "{number}" in address else ()
    extra = {"parameters": _query(spec), "responses": answers.responses(200, answer, summary, 422, *missing)}
    _add("GET", address, view, auth, operation_id, summary, extra)


def _claims() -> None:
    extra = {
        "requestBody": _body("Report"),
        "parameters": [_KEY],
        "responses": answers.responses(201, "Done", "The claim as it is now.", 409, 413, 415, 422),
    }
    _add("POST", "/claims", claims.report, access.WRITE, "claim.report", text("action.claim.report", "en"), extra)
    example = {"reports": [IN_BATCH]}
    reports = {"type": "array", "items": {"$ref": "#/components/schemas/ReportInBatch"}, "maxItems": claims.BATCH_MAX}
    schema = {
        "type": "object",
        "properties": {"reports": reports},
        "required": ["reports"],
        "additionalProperties": False,
    }
    extra = {
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema, "example": example}}},
        "parameters": [_KEY],
        "responses": answers.responses(200, "Batched", "An answer per report.", 413, 415, 422),
    }
    _add("POST", "/claims:batch", claims.batch, access.WRITE, "claims.batch", "Report many losses", extra)
    listed = {**claims.FILTERS, **claims.PAGING}
    _read("/claims", claims.listing, "claims.list", "Listed", "Claims, newest first", listed)
    _read("/worklist", claims.work, "worklist", "Listed", "The caller's work", {**listed, "whose": "text"}, access.WORK)
    _read("/claims/{number}", claims.read, "claim.read", "Claim", "One claim", {"unmask": "flag"})
    paging = {"after": "number", "limit": "limit"}
    _read(
        "/claims/{number}/timeline", claims.read_timeline, "claim.timeline", "Timeline", "The journal in words", paging
    )
    _read(
        "/claims/{number}/promises",
        claims.read_promises,
        "claim.promises",
        "PromisesOfClaim",
        "Promises with reasons",
        {},
    )
    _read(
        "/claims/{number}/settlement",
        claims.read_settlement,
        "claim.settlement",
        "SettlementOfClaim",
        "The explained sum",
        {},
    )
    _read(
        "/claims/{number}/messages", claims.read_messages, "claim.messages", "MessagesOfClaim", "What was written", {}
    )


def _documents() -> None:
    number = {"type": "integer", "minimum": 0, "maximum": 999_999_999}
    schema = {
        "type": "object",
        "properties": {"file": {"type": "string", "format": "binary"}, "paper": number, "survey": number},
        "required": ["file"],
        "additionalProperties": False,
    }
    extra = {
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}},
        "responses": answers.responses(201, "Done", "The document and the claim.", 404, 409, 413, 415, 422),
    }
    _add(
        "POST",
        "/claims/{number}/documents",
        documents.upload,
        access.UPLOAD,
        "document.receive",
        "Upload a file",
        extra,
        tag="documents",
    )
    _file(
        "documents/{int:part}", documents.download, "document.read", "application/octet-stream", "A file that came in"
    )
    _file("letters/{letter}", documents.letter, "letter.read", "application/pdf", "A letter as PDF")


def _file(address: str, view: Callable[..., Any], name: str, media_type: str, summary: str) -> None:
    extra = {"responses": answers.files(media_type, summary, 404, 409, 422)}
    _add("GET", f"/claims/{{number}}/{address}", view, access.READ, name, summary, extra, tag="documents")


def _actions() -> None:
    for step in actions.steps():
        cls = COMMANDS[step.subject, step.action]
        who = ", ".join(w for w in step.who if w.partition(":")[0] in (*ROLES, "program"))
        description = f"{(cls.__doc__ or '').strip()}\n\nWho may: {who or 'the system alone'}. Event: `{step.event}`."
        extra = {
            "requestBody": _body(cls.__name__, required="required" in schemas.of(cls)),
            "parameters": [_MATCH],
            "responses": answers.responses(200, "Done", "State and events.", 404, 409, 413, 415, 422),
        }
        _add(
            "POST",
            actions.path_of(step),
            actions.endpoint(step),
            access.WRITE,
            f"{step.subject}.{step.action}",
            text(f"action.{step.subject}.{step.action}", "en"),
            extra,
            tag=step.subject,
            description=description,
        )


def _webhooks() -> None:
    _read("/webhooks", webhooks.listing, "webhooks.list", "Webhooks", "Who is told of events", {}, access.HOOKS)
    one = "/webhooks/{int:webhook}"
    for address, view, name, answer, status, example in (
        ("/webhooks", webhooks.subscribe, "subscribe", "Webhook", 201, "Subscribe"),
        (f"{one}/stop", webhooks.stop, "stop", "Stopped", 200, ""),
        (f"{one}/replay", webhooks.replay, "replay", "Replayed", 200, "Replay"),
    ):
        title = text(f"api.webhook.{name}", "en")
        extra: dict[str, Any] = {"responses": answers.responses(status, answer, title, 404, 413, 415, 422)}
        if example:
            extra["requestBody"] = _body(example, required=name == "subscribe")
            extra["requestBody"]["content"]["application/json"]["example"] = schemas.WEBHOOK_EXAMPLES[example]
        _add("POST", address, view, access.HOOKS, f"webhooks.{name}", title, extra, tag="webhooks")


_claims()
_documents()
_actions()
_webhooks()
api.add_router("", router)


# --- the edge --------------------------------------------------------------------------------------------------------


def _edge(view: Callable[..., HttpResponse], route: str) -> Callable[..., HttpResponse]:
    """Every call counted and timed; what Django itself answers (a wrong method) in the form of all problems.

    HEAD is answered as GET is; the server sends the head of it alone (RFC 9110 9.3.2).
    """

    @functools.wraps(view)
    def run(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        begun = time.perf_counter()
        asked, request.method = request.method or "", "GET" if request.method == "HEAD" else request.method
        with rulebook.held():
            response = view(request, *args, **kwargs)
        if response.status_code == 405:
            allowed = response.headers.get("Allow", "")
            allowed = f"{allowed}, HEAD" if "GET" in allowed and "HEAD" not in allowed else allowed
            response = problems.answer(request, Problem(405, "refusal.method", {"allowed": allowed}))
            response["Allow"] = allowed
        request.method = asked
        operators.observe(asked, route, response.status_code, time.perf_counter() - begun)
        return response

    return run


def not_found(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Any other address below ``/api``; of an action it says what is unknown and what there is."""
    return problems.answer(request, actions.unknown(rest) or Problem(404, "refusal.missing"))


not_found.csrf_exempt = True  # type: ignore[attr-defined]


def urlpatterns() -> list[URLPattern]:
    """The addresses of the API, to be mounted at ``/api/v1/``, and one that answers for all others."""
    patterns = cast(list[URLPattern], api.urls[0])
    for pattern in patterns:
        view = {"openapi-json": require_safe(pattern.callback), "api-root": not_found}.get(
            pattern.name or "", pattern.callback
        )
        pattern.callback = _edge(view, str(pattern.pattern))
        pattern.callback.csrf_exempt = True  # type: ignore[attr-defined]  # bearer tokens: no browser sends them of itself
    return [*patterns, path("<path:rest>", not_found)]
