"""What goes wrong, in one form: ``application/problem+json`` (RFC 9457), in the caller's language.

``code`` is stable and for programs, ``detail`` and the messages of ``errors`` are sentences for people.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from lipei.api.reading import Fault, Faults
from lipei.domain.events import Refusal
from lipei.norms.refusals import worded
from lipei.norms.texts import LANGUAGES, text, texts
from lipei.store import trouble

MEDIA_TYPE = "application/problem+json"
STATUS = {"state": 409, "conflict": 409, "permission": 403, "fields": 422, "missing": 404}
TITLES = {
    400: "malformed",
    401: "unauthorised",
    403: "permission",
    404: "missing",
    405: "method",
    409: "state",
    413: "too_large",
    415: "media_type",
    422: "fields",
    500: "ours",
    503: "unavailable",
    507: "storage",
}
_ZH_HANT = ("zh-hant", "zh-tw", "zh-hk", "zh-mo")


class Problem(Exception):
    """An answer that says what went wrong. ``more`` are further members: actions, permission, errors."""

    def __init__(
        self,
        status: int,
        code: str,
        params: Mapping[str, Any] | None = None,
        *,
        faults: Faults | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.status, self.code, self.params = status, code, dict(params or {})
        self.faults: Faults = faults or {}
        self.more = dict(more or {})

    def body(self, language: str) -> dict[str, Any]:
        """The members of the answer, in a language."""
        found: dict[str, Any] = {
            "type": f"urn:lipei:problem:{TITLES.get(self.status, 'ours')}",
            "title": text(f"api.title.{TITLES.get(self.status, 'ours')}", language),
            "status": self.status,
            "code": self.code,
            "detail": say(self.code, self.params, language),
            **self.more,
        }
        if self.faults:
            if self.code != "refusal.fields":  # a sentence of its own says what is wrong; this says where it goes
                fields = text("api.in_fields", language, fields=", ".join(self.faults))
                found["detail"] = f"{found['detail']} {fields}"
            found["errors"] = [
                {"field": field, "code": wrong.code, "message": say(wrong.code, wrong.params, language)}
                for field, wrong in self.faults.items()
            ]
        return found


def wrong_fields(faults: Faults) -> Problem:
    """422: the fields, each with its sentence."""
    return Problem(422, "refusal.fields", faults=faults)


def of_failure(error: BaseException | None) -> Problem:
    """What an exception that nobody caught is for the caller: no room (507), no database (503), our mistake (500)."""
    kind = trouble.of(error)
    if kind == trouble.STORAGE:
        return Problem(507, "refusal.no_room")
    if kind == trouble.DATABASE:
        return Problem(503, "refusal.database_away")
    return Problem(500, "refusal.ours")


def of_refusal(refusal: Refusal) -> Problem:
    """The problem of a refusal. 409 and 403 get their actions and permission where the claim is at hand."""
    more: dict[str, Any] = {}
    if "permission" in refusal.params:
        more["permission"] = refusal.params["permission"]
    if "changed" in refusal.params:
        more["changed"] = list(refusal.params["changed"])
    if "papers" in refusal.params:
        more["papers"] = list(refusal.params["papers"])
    faults = {_said(name): Fault(code, refusal.params) for name, code in refusal.fields.items()}
    return Problem(STATUS[refusal.kind], refusal.code, refusal.params, faults=faults, more=more)


def _said(field: str) -> str:
    """A field as a request names it: an amount among the facts is kept in minor units and said without (``salvage``)."""
    return field.removesuffix("_minor") if "facts" in field.split(".") else field


class _Lenient(string.Formatter):
    """Fills what is there: a sentence with a gap is better than no answer."""

    def get_value(self, key: Any, args: Any, kwargs: Any) -> Any:
        return kwargs.get(key, "") if isinstance(key, str) else ""


def say(code: str, params: Mapping[str, Any], language: str) -> str:
    """The sentence of a code; where nobody wrote one, that of its kind."""
    if code not in texts():
        code = "refusal.fields"
    return _Lenient().vformat(texts()[code][language], (), worded(params, language))


def language_of(request: HttpRequest) -> str:
    """The language that the caller asked for by Accept-Language, else the installation's."""
    wanted = request.headers.get("Accept-Language", "")
    ranked = []
    for place, part in enumerate(wanted[:500].split(",")):
        tag, _, weight = part.strip().lower().partition(";")
        found = _language(tag.strip())
        if found:
            ranked.append((-_weight(weight), place, found))
    return min(ranked)[2] if ranked else str(settings.LANGUAGE_CODE)


def _language(tag: str) -> str:
    if tag.startswith(_ZH_HANT):
        return "zh-hant"
    if tag == "zh" or tag.startswith("zh-"):
        return "zh-hans"
    return "en" if tag == "en" or tag.startswith("en-") else ""


def _weight(said: str) -> float:
    try:
        return float(said.strip().removeprefix("q=")) if said else 1.0
    except ValueError:
        return 0.0


def answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The response of a problem."""
    language = language_of(request)
    assert language in LANGUAGES, language
    body = {**problem.body(language), "instance": request.path}
    response = HttpResponse(orjson.dumps(body, default=str), status=problem.status, content_type=MEDIA_TYPE)
    response["Content-Language"] = language
    response["Vary"] = "Accept-Language"
    if problem.status == 401:
        # RFC 6750: nothing is said of an error to whom brought no token at all.
        wrong = ', error="invalid_token"' if problem.code == "refusal.token_wrong" else ""
        response["WWW-Authenticate"] = f'Bearer realm="lipei"{wrong}'
    return response
