"""The command palette: claims by what one remembers of them, every step on a claim, every page and table of rules.

It answers with what this reader may see and do, and nothing that the pages themselves would not show. What stands on the
page that is open, and in the menu with the reader's name, the palette finds there by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from lipei.domain import lifecycle
from lipei.norms import loader
from lipei.norms.texts import text
from lipei.reads import claims as reads
from lipei.reads import search
from lipei.reads import worklist as lists
from lipei.reads.worklist import Filters
from lipei.web.console.access import PAGES, allowed, menu
from lipei.web.console.claim_page import about, address
from lipei.web.console.shell import now, who
from lipei.web.templatetags.lipei import language, word

CLAIMS_MAX = 8
GO: Mapping[str, str] = {
    "worklist": "w", "report": "r", "claims": "c", "approvals": "a", "payments": "p", "duty": "d", "absences": "b",
    "delegations": "l", "prenotices": "n", "norms": "m", "staff": "s", "tokens": "t", "webhooks": "k", "health": "h",
    "setup": "u", "team": "e", "finance": "f", "calendar": "y", "calculation": "q", "messages": "i", "consultations": "o",
}  # fmt: skip
"""The letter after ``g`` that goes to a page of the menu."""
WORDS = (
    "palette", "hint", "foot", "claims", "actions", "steps", "pages", "mine", "nothing", "found", "which", "which_hint",
    "selected", "not_now", "open", "keys", "here", "everywhere", "single", "close",
)  # fmt: skip


@require_GET
def palette(request: HttpRequest) -> HttpResponse:
    """As JSON: with ``q`` the claims that it fits; without it pages, rules, words, and actions on ``claim`` or, without one,
    the steps of which a claim is to be chosen. A person is led to the list."""
    typed = request.GET.get("q", "").strip()[:80]
    if not request.headers.get("Accept", "").startswith("application/json"):
        found = reverse("console:claims") + "?" + urlencode({"q": typed})
        return redirect(found if allowed(PAGES["claims"], who(request)) else "console:home")
    if typed:
        says = text("worklist.empty.short.said", language()) if search.too_short(typed) else ""
        return JsonResponse({"claims": _claims(request, typed), "says": says})
    number, actions = _actions(request, request.GET.get("claim", "")[:40])
    return JsonResponse(
        {
            "pages": _pages(request), "actions": actions, "claim": number, "finds": allowed(PAGES["claims"], who(request)),
            "steps": [] if number else _steps(request), "rules": _rules(request),
            "words": {name: text(f"palette.{name}", language()) for name in WORDS},
        }
    )  # fmt: skip


def _claims(request: HttpRequest, typed: str) -> list[dict[str, Any]]:
    if not allowed(PAGES["claims"], who(request)):
        return []
    rows = lists.claims(who(request), language=language(), now=now(), filters=Filters(q=typed), limit=CLAIMS_MAX).rows
    return [
        {
            "number": row.number,
            "label": f"{row.number} {row.person}".strip(),
            "hint": " · ".join(part for part in (row.loss_name or word("line", row.line), row.state_name) if part),
            "href": reverse("console:claim", args=[row.number]),
        }
        for row in rows
    ]


def _actions(request: HttpRequest, number: str) -> tuple[str, list[dict[str, Any]]]:
    """The number of the claim that is open and every step on it that the reader can take now; nothing for none."""
    found = reads.find(number, viewer=who(request)) if number and allowed(PAGES["claims"], who(request)) else None
    if found is None:
        return "", []
    rows = []
    for step, part in lifecycle.possible(case=found.raw, actor=who(request), book=found.rulebook, now=now()):
        label, hint = word(f"action.{step.subject}", step.action), about(found.case, step.subject, part)
        rows.append({"label": label, "hint": hint, "href": address(number, step, part), "step": _code(step)})
    return number, rows


def _code(step: lifecycle.Step) -> str:
    return f"{step.subject}.{step.action}"


def _steps(request: HttpRequest) -> list[dict[str, Any]]:
    """Every step that the reader's roles may take on some claim or other."""
    if not allowed(PAGES["claims"], who(request)):
        return []
    return [
        {
            "label": word(f"action.{step.subject}", step.action),
            "hint": word("subject", step.subject),
            "step": _code(step),
        }
        for step in lifecycle.STEPS
        if step.action != "report" and lifecycle.scopes(step, who(request))
    ]


def _pages(request: HttpRequest) -> list[dict[str, Any]]:
    return [
        {"label": text(entry.text, language()), "href": reverse(f"console:{entry.name}"), "key": GO.get(entry.name, "")}
        for _, entries in menu(who(request))
        for entry in entries
    ]


def _rules(request: HttpRequest) -> list[dict[str, Any]]:
    """Each table of the rules, by its name."""
    if not allowed(PAGES["norm"], who(request)):
        return []
    hint = text("console.nav.norms", language())
    return [
        {"label": word("console.norm", table), "hint": hint, "href": reverse("console:norm", args=[table])}
        for table in loader.TABLES
    ]
