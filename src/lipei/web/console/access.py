"""Who may open which page: one row per address, deny by default (norm part 4).

An address without a row here cannot even be put into the URL conf. What may be *done* on a claim is not decided here but
by `lifecycle.STEPS`; which claims somebody sees, by `reads.scope`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from lipei.domain import lifecycle
from lipei.domain.events import Actor
from lipei.domain.permissions import MAY, may, view_scope
from lipei.web import errors
from lipei.web.console import as_workbook
from lipei.web.errors import forbidden, signed_out

PAGES: Mapping[str, str] = {
    # address: what its visitor must be allowed (see `allowed`)
    "home": "staff",
    "worklist": "claims",
    "work-take": "claims",
    "worklist-export": "claims",
    "work-bulk": "claims",
    "work-bulk-done": "claims",
    "work-bulk-undo": "claims",
    "work-view-keep": "claims",
    "work-view-change": "claims",
    "claims": "claims",
    "claims-export": "claims",
    "claim": "claims",
    "claim-pulse": "claims",
    "claim-unmask": "personal_data.see",
    "claim-upload": "claims",
    "claim-document": "personal_data.see",
    "claim-letter": "personal_data.see",
    "claim-act": "claims",
    "part-act": "claims",
    "report": "claim.report",
    "receipt": "claims",
    "approvals": "approvals.see",
    "payments": "payments.see",
    "finance": "payments.see",
    "finance-export": "payments.see",
    "bank-file": "bank.files",
    "bank-cleared": "bank.files",
    "bank-upload": "bank.files",
    "bank-submit": "bank.files",
    "bank-release": "bank.files",
    "duty": "norms.see",
    "duty-plan": "norms.see",
    "team": "team.see",
    "calendar": "norms.see",
    "calculation": "norms.see",
    "messages": "norms.see",
    "message-letter": "norms.see",
    "norms": "norms.see",
    "norm": "norms.see",
    "norm-version": "norms.see",
    "norm-edit": "norms.edit",
    "staff": "staff.edit",
    "staff-new": "staff.edit",
    "staff-edit": "staff.edit",
    "staff-session-end": "staff.edit",
    "absences": "absences.edit",
    "absence-end": "absences.edit",
    "delegations": "delegations.edit",
    "delegation-end": "delegations.edit",
    "tokens": "tokens.edit",
    "token-revoke": "tokens.edit",
    "webhooks": "webhooks.edit",
    "webhook-stop": "webhooks.edit",
    "prenotices": "prenotices.write",
    "health": "health.see",
    "failed": "health.see",
    "webhook-again": "webhooks.edit",
    "look": "staff",
    "tour": "staff",
    "palette": "staff",
    "setup": "health.see",
    "consultations": "consultation.opine",
    "visits": "survey.record",
    "visits-worker": "staff",
    "visit": "survey.record",
    "visit-photo": "survey.record",
    "visit-small": "survey.record",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the menu: the name of its page, its icon, the key of its words."""

    name: str
    icon: str

    @property
    def text(self) -> str:
        return f"console.nav.{self.name}"


MENU: tuple[tuple[str, tuple[Entry, ...]], ...] = (
    (
        "work",
        (
            Entry("worklist", "list-check"),
            Entry("report", "phone"),
            Entry("visits", "map-pin"),
            Entry("consultations", "messages"),
            Entry("claims", "folder"),
            Entry("approvals", "checks"),
            Entry("finance", "building-bank"),
            Entry("payments", "cash-banknote"),
        ),
    ),
    (
        "team",
        (
            Entry("team", "users-group"),
            Entry("duty", "calendar-event"),
            Entry("absences", "user-off"),
            Entry("delegations", "key"),
            Entry("prenotices", "note"),
        ),
    ),
    (
        "house",
        (
            Entry("setup", "checks"),
            Entry("calendar", "calendar"),
            Entry("norms", "scale"),
            Entry("calculation", "calculator"),
            Entry("messages", "mail"),
            Entry("staff", "users"),
            Entry("tokens", "id"),
            Entry("webhooks", "webhook"),
            Entry("health", "shield-check"),
        ),
    ),
)
"""The menu in its order, by group: everybody sees the entries whose page they may open."""


def allowed(what: str, actor: Actor | None) -> bool:
    """Whether an actor has a permission of `PAGES`. ``staff``: anybody who works here; ``claims``: who sees any claim;
    ``claim.report``, ``survey.record``, ``consultation.opine``: who may do that; else a row of `permissions.MAY`. What is
    unknown is denied."""
    if not actor:
        return False
    if what == "staff":
        return True
    if what == "claims":
        return bool(view_scope(actor))
    if what in ("claim.report", "survey.record", "consultation.opine"):
        subject, _, action = what.partition(".")
        return bool(lifecycle.scopes(lifecycle.BY_ACTION[subject, action], actor))
    return what in MAY and may(actor, what)


def page(route: str, view: Callable[..., HttpResponse], name: str) -> URLPattern:
    """An address of the console with its guard. Raises KeyError for a name without a row in `PAGES`."""
    return path(route, guarded(PAGES[name])(view), name=name)


def guarded(what: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Let only those through who are allowed; others sign in first, or read whom to ask."""

    def around(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def inside(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.is_authenticated:
                if request.headers.get("HX-Request"):  # a part of a page: what is typed beside it stays
                    return HttpResponse(status=401)
                return signed_out(request)
            if not allowed(what, request.actor):  # type: ignore[attr-defined]
                return refused(request, what)
            response = view(request, *args, **kwargs)
            if as_workbook.asked(request) and request.resolver_match is not None:
                response = as_workbook.of(response, str(request.resolver_match.url_name))
            response.headers.setdefault("Cache-Control", "private, no-store")
            return response

        inside.permission = what  # type: ignore[attr-defined]
        return inside

    return around


def frame(request: HttpRequest) -> dict[str, Any]:
    """What every page of the console is drawn with: the menu of who looks, and the company's own office hours."""
    actor, table = request.actor, request.rulebook  # type: ignore[attr-defined]
    return {
        "layout": "console/base.html",
        "menu": menu(actor),
        "may_find": allowed(PAGES["claims"], actor),
        "working_calendar": table.calendars.current.get(table.duty.calendar),
    }


def refused(request: HttpRequest, permission: str) -> HttpResponse:
    """403 within the console: its menu stays, and leads on."""
    return forbidden(request, permission=permission, frame=frame(request))


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose mark against forged requests is not good any more; one of the console keeps its menu."""
    inside = request.path_info.startswith(CONSOLE) and request.actor  # type: ignore[attr-defined]
    return errors.csrf_failed(request, reason, frame=frame(request) if inside else errors.NO_FRAME)


CONSOLE = "/console/"


def menu(actor: Actor | None) -> list[tuple[str, list[Entry]]]:
    """The menu of an actor: groups that have an entry, each with its entries."""
    found = ((head, [e for e in entries if allowed(PAGES[e.name], actor)]) for head, entries in MENU)
    return [(head, entries) for head, entries in found if entries]
