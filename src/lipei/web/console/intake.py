"""Taking a report with the customer on the phone (norm 1.3.3, 2.2.1): what is on file is shown, not asked."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from lipei.domain.commands import Report
from lipei.domain.events import Refusal
from lipei.reads import claims as reads
from lipei.reads import masking, prenotices
from lipei.services import intake, world
from lipei.services import prenotices as prenotice_service
from lipei.web import forms
from lipei.web.console import choices
from lipei.web.console.shell import book, now, show, status_of, who
from lipei.web.errors import sentence
from lipei.web.forms import Offers
from lipei.web.templatetags.lipei import language

MAIN = (
    "phone",
    "name",
    "policy_number",
    "plate",
    "story",
    "loss_at",
    "line",
    "loss_kind",
    "place",
    "rescue",
    "accept_automatic",
)
KEY = "idempotency_key"


@dataclass(frozen=True)
class OnFile:
    """What is known before anything was asked."""

    policy_number: str
    product: str
    insured: str
    in_force: bool


def _offers(request: HttpRequest, product: str = "") -> Offers:
    table = book(request)
    options = {
        "line": choices.lines(table), "loss_kind": choices.losses(table), "peril": choices.losses(table),
        "cover": choices.covers(table, product), "language": choices.LANGUAGES,
    }  # fmt: skip
    omit = frozenset(
        {
            "exposures.facts",
            "exposures.claimant",
            "parties.acts_for",
            "parties.mandate",
            "exposures.items",
            "external_number",
        }
    )
    return Offers(currency=table.settings.currency, options=options, omit=omit)


@require_http_methods(["GET", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """Take a report. "Look up" shows what is on file for a phone, plate or policy and keeps what was typed."""
    if request.method == "GET":
        typed = {
            **forms.typed_of(Report()),
            **{k: request.GET.getlist(k) for k in ("phone", "policy_number", "plate") if k in request.GET},
        }
        return _page(request, typed, key=secrets.token_urlsafe(18), on_file=_look_up(request, typed))
    typed = forms.posted(request.POST)
    found = _look_up(request, typed)
    key = request.POST.get(KEY, "")[:60] or secrets.token_urlsafe(18)
    if "look_up" in request.POST:
        return _page(request, typed, key=key, on_file=found)
    command, errors = forms.read(Report, typed, _offers(request))
    if errors:
        return _page(request, typed, key=key, on_file=found, errors=errors, status=422)
    outcome = intake.report(command, actor=who(request), now=now(), key=key)
    if isinstance(outcome, Refusal):
        return _page(
            request, typed, key=key, on_file=found, errors=outcome.fields, refusal=outcome, status=status_of(outcome)
        )
    number = outcome.case.claim.number
    prenotice_service.take_up([p.id for p in found["prenotices"]], number=number)
    return redirect("console:receipt", number=number)


def _look_up(request: HttpRequest, typed: forms.Typed) -> dict[str, Any]:
    """The policy that would be found, masked, and the pre-notices about it."""
    said: dict[str, Any] = {
        name: (typed.get(name) or [""])[0].strip() for name in ("phone", "policy_number", "plate", "line")
    }
    at, table = now(), book(request)
    row = world.find_policy(Report(**said), at) if any(said[n] for n in ("phone", "policy_number", "plate")) else None
    notices = prenotices.about(
        policy_id=row.id if row else None, phone=said["phone"], now=at, show_days=table.settings.pre_notice_show_days,
        language=language(),
    )  # fmt: skip
    policy = (
        OnFile(row.number, row.product, masking.name(row.insured_name), row.starts_at <= at < row.ends_at)
        if row
        else None
    )
    return {"policy": policy, "prenotices": notices, "asked": any(said.values())}


def _page(
    request: HttpRequest, typed: forms.Typed, *, key: str, on_file: dict[str, Any], status: int = 200,
    errors: Mapping[str, str] = forms.NO_ERRORS, refusal: Refusal | None = None,
) -> HttpResponse:  # fmt: skip
    policy = on_file["policy"]
    drawn = forms.draw(Report, typed, _offers(request, policy.product if policy else ""), errors)
    by_name = {f.name: f for f in drawn}
    return show(
        request,
        "report",
        "report",
        status=status,
        main=[by_name[n] for n in MAIN],
        more=[f for f in drawn if f.name not in MAIN],
        key=key,
        on_file=on_file,
        unplaced=forms.unplaced(drawn, errors),
        refusal=sentence(refusal) if refusal else "",
        has_errors=bool(errors),
        more_open=any(_touched(f) for f in drawn if f.name not in MAIN),
    )


def _touched(one: forms.Input) -> bool:
    """Whether something was typed into a field or its rows, beside defaults, or is wrong with it."""
    if one.kind == "rows":
        return bool(one.error) or any(_touched(f) for row in one.rows for f in row)
    return bool(one.error or (one.value and one.kind not in ("whole", "flag")))


@require_GET
def receipt(request: HttpRequest, number: str) -> HttpResponse:
    """What to read out to the customer: number, named handler, what happens next and every promised date."""
    page = reads.page(number, viewer=who(request), language=language(), now=now())
    if page is None:
        raise Http404
    told = [p for p in page.promises if p.state in ("running", "paused") and _customers(page, p.part)]
    reported = next((e for e in page.timeline if e.kind == "claim.reported"), None)
    alike = tuple(reported.facts.get("alike", ())) if reported else ()
    return show(request, "receipt", "report", page=page, claim=page.case.claim, told=told, alike=alike)


def _customers(page: reads.Page, part: int) -> bool:
    """Whether a promise is one that the customer is told of."""
    try:
        return bool(page.found.rulebook.promises.of_clock(page.found.raw.clocks[part]).told_to_customer)
    except KeyError:
        return False
