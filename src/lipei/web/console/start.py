"""The first minutes: the tour of one's role, and the list of what an empty company still lacks."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from lipei.domain import permissions
from lipei.domain.permissions import ROLES
from lipei.norms.refusals import holders
from lipei.norms.texts import text
from lipei.reads import readiness
from lipei.services import demo, norms
from lipei.web.console.access import PAGES, allowed
from lipei.web.console.shell import book, now, show, who
from lipei.web.console.tours import CLAIM, HEADING, TOURS
from lipei.web.doors import ROLE
from lipei.web.templatetags.lipei import language

GATEWAYS = {"mail": "LIPEI_EMAIL_URL", "sms": "LIPEI_SMS_URL", "bank": "LIPEI_BANK_ACCOUNT"}
BANK_FOR_SHOW = "demonstration:"
TABLES = {
    "company": "settings",
    "calendar": "calendars",
    "duty": "duty",
    "products": "products",
    "messages": "messages",
}
ELSEWHERE = {"staff": "staff", "mail": "health", "sms": "health", "bank": "health"}


@require_GET
def tour(request: HttpRequest) -> HttpResponse:
    """Who one is, what waits, and the tour as a list; a script that asks for JSON gets its steps, to point them out."""
    role = _role(request)
    door = _waiting(request, role)
    steps = _steps(request, role, door.number if door else "")
    if request.headers.get("Accept", "").startswith("application/json"):
        words = {name: text(f"tour.{name}", language()) for name in ("name", "back", "next", "leave", "done", "step")}
        return JsonResponse({"steps": steps, "words": words})
    return show(request, "tour", "tour", role=role, door=door, steps=steps, name=who(request).name)


def _role(request: HttpRequest) -> str:
    """The role by whose door somebody came in, else the first that they have."""
    mine = who(request).roles
    came = str(request.session.get(ROLE, ""))
    return came if came in mine else next((role for role in ROLES if role in mine), "")


def _waiting(request: HttpRequest, role: str) -> demo.Door | None:
    """The claim of the demonstration that waits for the reader; nothing in a company of its own."""
    if ROLE not in request.session:
        return None
    return demo.waiting(request.staff, role, now=now())  # type: ignore[attr-defined]


def _steps(request: HttpRequest, role: str, number: str) -> list[dict[str, Any]]:
    found = []
    for step in TOURS.get(role, ()):
        if (step.page == CLAIM and not number) or not allowed(PAGES[step.page], who(request)):
            continue
        href = reverse(f"console:{step.page}", args=[number] if step.page == CLAIM else [])
        words = text(f"tour.{step.code}", language())
        found.append({"href": href, "at": [*step.at, HEADING], "words": words})
    return found


@require_GET
def setup(request: HttpRequest) -> HttpResponse:
    """What an empty company still lacks, with the place where each thing is done."""
    at, table = now(), book(request)
    gap = norms.roster_gap(norms.text_in_force("duty")[1], at) is not None
    found = readiness.items(book=table, roster_whole=not gap, gateways=gateways(), now=at)
    rows = [(item, *_where(request, item.code)) for item in found]
    done = sum(item.done for item in found)
    separator = text("common.list_separator", language())
    missing = separator.join(text(f"role.{role}", language()) for item in found for role in item.missing)
    return show(
        request, "setup", "setup", rows=rows, done=done, total=len(found), percent=100 * done // len(found),
        missing=missing,
    )  # fmt: skip


def gateways() -> dict[str, bool]:
    """Which ways out of the house are set up. A bank that confirms by itself is none."""
    found = {code: bool(getattr(settings, name)) for code, name in GATEWAYS.items()}
    return {**found, "bank": found["bank"] and settings.LIPEI_BANK_URL != BANK_FOR_SHOW}


def _where(request: HttpRequest, code: str) -> tuple[str, bool, str]:
    """The page where a thing is done (empty for none), whether the reader may do it there, and else the roles that may."""
    table = TABLES.get(code)
    if table is not None:
        permission = f"norm.{table}"
        mine = permissions.may(who(request), permission)
        edited = mine and table != "products"  # of which there are several: their page says which are still examples
        others = "" if mine else holders(permission, language())
        return reverse("console:norm-edit" if edited else "console:norm", args=[table]), mine, others
    page = ELSEWHERE.get(code, "")
    if not page or not allowed(PAGES[page], who(request)):
        return "", False, ""
    return reverse(f"console:{page}"), page == "staff", ""
