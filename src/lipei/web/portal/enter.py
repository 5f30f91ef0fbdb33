"""Coming back: by link, by a code to the phone, by the code of the receipt. Thin views over `services.portal`."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from lipei.domain import accounts
from lipei.domain.events import Refusal
from lipei.reads import masking
from lipei.services import norms, portal
from lipei.services.portal import Visit
from lipei.web.portal import drafts
from lipei.web.portal.visits import Case, caller, forget, of_claim, onward, page, remember, say

_TRY = "portal_try"


@never_cache
@require_safe
def by_link(request: HttpRequest, token: str) -> HttpResponse:
    """A signed link from a message or a receipt."""
    now = timezone.now()
    visit = portal.open_link(token, now=now)
    if isinstance(visit, Refusal):
        return page(request, "enter", 404, error=say(visit.code))
    remember(request, visit, now=now)
    return HttpResponseRedirect(_where(request, visit))


@never_cache
def enter(request: HttpRequest) -> HttpResponse:
    """Number and phone, or number and receipt code. What fits nothing is answered as if it did."""
    if request.method != "POST":
        number = request.GET.get("number", "")
        waits = bool(number) and bool(drafts.waits(request, number, now=timezone.now()))
        return page(request, "enter", typed={"number": number}, waits=waits)
    return _by_receipt(request) if "return_code" in request.POST else _by_phone(request)


def _by_phone(request: HttpRequest) -> HttpResponse:
    typed = {name: request.POST.get(name, "").strip() for name in ("number", "phone")}
    missing = {name: say("refusal.required") for name, value in typed.items() if not value}
    if missing:
        return page(request, "enter", 422, typed=typed, errors=missing)
    attempt = portal.ask_code(number=typed["number"], phone=typed["phone"], caller=caller(request), now=timezone.now())
    if isinstance(attempt, Refusal):
        return page(request, "enter", 429, typed=typed, error=say(attempt.code, attempt.params))
    request.session[_TRY] = attempt
    return HttpResponseRedirect(reverse("portal:code"))


def _by_receipt(request: HttpRequest) -> HttpResponse:
    typed = {name: request.POST.get(name, "").strip() for name in ("number", "return_code")}
    missing = {f"receipt_{name}": say("refusal.required") for name, value in typed.items() if not value}
    if missing:
        return page(request, "enter", 422, typed=typed, errors=missing)
    now = timezone.now()
    found = portal.come_back(number=typed["number"], code=typed["return_code"], caller=caller(request), now=now)
    if isinstance(found, Visit):
        remember(request, found, now=now)
        return HttpResponseRedirect(_where(request, found))
    if found.kind == "fields":
        return page(request, "enter", 422, typed=typed, errors={"receipt_return_code": say(found.code)})
    return page(request, "enter", 429, typed=typed, error=say(found.code, found.params))


@never_cache
def code(request: HttpRequest) -> HttpResponse:
    """The one-time code. After the last try only a new code helps."""
    minutes = norms.current().settings.one_time_code_minutes
    onto = onward(request, "")
    attempt = request.session.get(_TRY)
    if attempt is None:
        return HttpResponseRedirect(reverse("portal:enter"))
    if request.method != "POST":
        return page(request, "code", minutes=minutes, next=onto)
    now = timezone.now()
    found = portal.enter_code(int(attempt), request.POST.get("code", "")[:20], now=now)
    if isinstance(found, Refusal):
        return page(request, "code", 422, minutes=minutes, next=onto, errors={"code": say(found.code, found.params)})
    request.session.pop(_TRY, None)
    remember(request, found, now=now)
    return HttpResponseRedirect(onto or _where(request, found))


def _where(request: HttpRequest, visit: Visit) -> str:
    """To the form whose words wait, where there are some; else to the claim."""
    waits = drafts.waits(request, visit.number, now=timezone.now())
    track = reverse("portal:track", args=[visit.number])
    return f"{track}#write" if waits.endswith("/message") else waits or track


@of_claim()
def verify(request: HttpRequest, visit: Visit, case: Case) -> HttpResponse:
    """Show that the phone on the claim is yours, before sums are shown and before an account is changed."""
    party = case.parties[visit.party]
    onto = onward(request, reverse("portal:track", args=[visit.number]))
    if visit.verified and not portal.needs_proof(case, visit):
        return HttpResponseRedirect(onto)
    region = norms.current().settings.region
    texted = accounts.text_phone(number=party.phone, region=region)
    where = masking.phone(party.phone) if texted else masking.email(party.email)
    if request.method != "POST" or not where:
        return page(request, "verify", where=where, number=visit.number, next=onto)
    attempt = portal.ask_code_for(visit, caller=caller(request), now=timezone.now())
    if isinstance(attempt, Refusal):
        error = say(attempt.code, attempt.params)
        return page(request, "verify", 429, where=where, number=visit.number, next=onto, error=error)
    request.session[_TRY] = attempt
    return HttpResponseRedirect(reverse("portal:code") + "?next=" + onto)


@require_POST
@of_claim()
def other(request: HttpRequest, visit: Visit, case: Case, party: int) -> HttpResponse:
    """Go on for another person who gave the same phone."""
    found = portal.visit_for(case, visit, party)
    if isinstance(found, Refusal):
        messages.error(request, say(found.code, found.params))
    else:
        remember(request, found, now=timezone.now())
    return HttpResponseRedirect(reverse("portal:track", args=[visit.number]))


@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    """End the visits of this browser, on a phone that is not one's own."""
    forget(request)
    messages.success(request, say("portal.left"))
    return HttpResponseRedirect(reverse("portal:enter"))
