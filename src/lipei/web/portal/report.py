"""The report (报案) and its receipt: a story and a phone number are enough (norm 2.1.1, 2.2.1, 1.3.3)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.views.decorators.cache import never_cache

from lipei.domain.events import Refusal
from lipei.domain.rulebook import Rulebook
from lipei.norms.money import unit_text
from lipei.services import norms, portal, portal_limits
from lipei.services.portal import Visit
from lipei.web import countries
from lipei.web.portal import dates, forms, seen, uploads
from lipei.web.portal.visits import Case, caller, known_visits, of_claim, page, remember, say
from lipei.web.templatetags.lipei import language

FIELD_OF = {"line": "kind", "loss_kind": "kind", "contact": "phone"}
"""Fields of the report that stand under another name on the page."""
_SAID = "portal_said"


@never_cache
def report(request: HttpRequest) -> HttpResponse:
    """The form, and what was typed into it. Nothing typed is lost, and sending it twice is one report.

    A script that asks for JSON gets JSON: the report comes first, its photos follow in pieces once it is safe.
    """
    if request.method != "POST":
        mine = list(known_visits(request, now=timezone.now()))
        return _form(request, {"key": forms.new_key()}, {}, 200, before=mine[-1:])
    now, rulebook = timezone.now(), norms.current()
    typed = forms.read(request.POST.dict(), rulebook=rulebook, language=language())
    kept = uploads.keep(request, typed.key, now=now)
    again = {**typed.typed, "key": typed.key, "kept": kept}
    if typed.errors:
        more = portal.wrong(typed.command, typed.items, facts=typed.facts, now=now)
        errors = {_shown(name): say(code) for name, code in more.items()}
        return _form(request, again, errors | {name: say(*why) for name, why in typed.errors.items()}, 422)
    before = _before(request, typed, now)
    if before:
        return _taken(request, before)
    done = portal.report(typed.command, typed.items, facts=typed.facts, key=typed.key, caller=caller(request), now=now)
    if isinstance(done, Refusal):
        return _refused(request, again, done)
    reporter = done.case.party("reporter")
    assert reporter is not None, "a report has a reporter"
    visit = Visit(done.case.claim.number, reporter.part)
    known = known_visits(request, now=now)
    remember(request, visit, now=now)
    request.session[_SAID] = [_digest(typed), visit.number, now.timestamp()]
    if done.events:  # an answer given before brings nothing new
        for sentence in uploads.attach_kept(visit, kept, typed.key, now=now):
            messages.warning(request, sentence)
        # Of claims that look like this one only those are named that this browser has seen: others are others'.
        for number in set(done.events[0][1].facts.get("alike", ())) & set(known):
            messages.info(request, say("portal.receipt.alike", {"number": number}))
    return _taken(request, visit.number)


def _digest(typed: forms.Typed) -> str:
    said = json.dumps(
        {name: words for name, words in typed.typed.items() if name not in ("key", "kept")}, sort_keys=True
    )
    return salted_hmac("lipei.portal.said", said, algorithm="sha256").hexdigest()


def _before(request: HttpRequest, typed: forms.Typed, now: datetime) -> str:
    """The claim that this browser made of the very same words a while ago, under the key of another copy of the form.

    Whoever goes back and sends the form again, or sends it from a second tab, has one claim.
    """
    digest, number, at = request.session.get(_SAID, ("", "", 0.0))
    window_seconds = norms.current().settings.portal_report_window_minutes * 60
    same = digest == _digest(typed) and now.timestamp() - at < window_seconds
    return str(number) if same and number in known_visits(request, now=now) else ""


def _taken(request: HttpRequest, number: str) -> HttpResponse:
    receipt = reverse("portal:receipt", args=[number])
    if not _wants_json(request):
        return HttpResponseRedirect(receipt)
    said = say("portal.report.taken", {"number": number})
    return JsonResponse({"receipt": receipt, "uploads": reverse("portal:upload-begin", args=[number]), "said": said})


def _wants_json(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def _refused(request: HttpRequest, again: Mapping[str, Any], refusal: Refusal) -> HttpResponse:
    if refusal.code == "refusal.key_reused":
        mine = list(known_visits(request, now=timezone.now()))
        return _form(request, {**again, "key": forms.new_key()}, {}, 409, error=say("portal.report.already"), mine=mine)
    if refusal.kind != "fields":
        status = 429 if refusal.code in portal_limits.TOO_MANY else 409
        return _form(request, again, {}, status, error=say(refusal.code, refusal.params))
    errors = {_shown(name): say(code, refusal.params) for name, code in refusal.fields.items()}
    return _form(request, again, errors, 422)


def _shown(name: str) -> str:
    """The field of the page that a field of the report stands for; ``""`` for one that the page does not have."""
    if name.startswith("exposures."):
        return forms.FACT + name.rpartition(".facts.")[2] if ".facts." in name else "kind"
    return FIELD_OF.get(name, name)


def _form(
    request: HttpRequest, typed: Mapping[str, Any], errors: Mapping[str, str], status: int, **more: Any
) -> HttpResponse:  # fmt: skip
    if request.method == "POST" and _wants_json(request):
        said = {"error": more.get("error", ""), "errors": dict(errors), "key": typed["key"]}
        return JsonResponse(said, status=status)
    rulebook = norms.current()
    rows = [
        (n, *(found.get(f"item_{n}{end}", "") for found in (typed, errors) for end in ("", "_amount")))
        for n in range(1, forms.ITEM_ROWS + 1)
    ]
    optional = (
        "loss_at",
        "place",
        "country",
        "policy_number",
        "plate",
        "kind",
        "estimate",
        "email",
        "accept_automatic",
    )
    to_tell = portal.to_tell(rulebook)
    asked = {name: spec for specs in to_tell.values() for name, spec in specs.items()}
    facts = [(f := forms.FACT + n, n, spec.type, typed.get(f, ""), errors.get(f, "")) for n, spec in asked.items()]
    named = [*optional, *(f"item_{n}{end}" for n, *_ in rows for end in ("", "_amount")), *(one[0] for one in facts)]
    kinds = [
        (line.code, [(loss, (line.code, loss) in to_tell) for loss in line.losses])
        for line in rulebook.lines.lines.values()
        if line.products
    ]
    return page(
        request, "report", status, typed=typed, errors=errors, rows=rows, kinds=kinds, facts=facts, hurt=forms.HURT,
        open=any(typed.get(name) or errors.get(name) for name in named), currency=unit_text(rulebook.settings.currency, language()),
        kept=typed.get("kept", ()), accept=uploads.ACCEPT, countries=_countries(rulebook), **more,
    )  # fmt: skip


def _countries(rulebook: Rulebook) -> countries.Options:
    """The countries to choose from. Not by policy: what somebody's policy covers is nothing for a stranger to learn."""
    asked = rulebook.products.end_at_borders()
    return countries.options(language(), rulebook.settings.region) if asked else ()


@of_claim()
def receipt(request: HttpRequest, visit: Visit, case: Case) -> HttpResponse:
    """Number, named handler, what happens next, every promised date, and the ways back (norm 2.2.1)."""
    name, phone = portal.handler(case)
    address = str(settings.LIPEI_ORIGIN).rstrip("/") + portal.link(Visit(visit.number, visit.party), now=timezone.now())
    return page(
        request, "receipt", number=visit.number, handler=name, handler_phone=phone, claim=case.claim,
        promises=seen.promises(case), address=address, return_code=portal.return_code(visit.number, visit.party),
        has_dates=bool(dates.entries(case, visit)),
    )  # fmt: skip
