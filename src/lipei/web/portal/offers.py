"""An offer: its sum line by line, agreed with a one-time code or declined with a reason (norm 2.2.3, 2.2.4)."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from lipei.domain import commands
from lipei.domain.events import Refusal
from lipei.domain.lifecycle import FALLS_SHORT
from lipei.domain.owing import is_current, is_reworked
from lipei.services import norms, portal
from lipei.services.portal import Visit
from lipei.web.portal import drafts, seen
from lipei.web.portal.forms import clean
from lipei.web.portal.visits import Case, of_claim, page, say, why
from lipei.web.templatetags.lipei import language


@of_claim(verified=True)
def offer(request: HttpRequest, visit: Visit, case: Case, part: int) -> HttpResponse:
    """The offer; a POST's ``do`` is ``code``, ``agree`` or ``decline``."""
    if part not in portal.offers_for(case, visit.party):
        return HttpResponseRedirect(reverse("portal:track", args=[visit.number]))
    if request.method != "POST":
        return _page(
            request, visit, case, part, reason=drafts.take(request, visit.number, now=timezone.now()).get("reason", "")
        )
    answer = {"code": _send_code, "agree": _agree, "decline": _decline}.get(request.POST.get("do", ""))
    return answer(request, visit, case, part) if answer else _page(request, visit, case, part, 422)


def _page(request: HttpRequest, visit: Visit, case: Case, part: int, status: int = 200, **more: Any) -> HttpResponse:
    safe = portal.guarded(case, visit)
    found = safe.offers[part]
    reworked = is_reworked(case, found)
    current = is_current(case, found) and not reworked
    shares = seen.shares(case, visit, found)
    return page(
        request, "offer", status, number=visit.number, offer=found, claim=safe.claim, sums=seen.sums(case, found),
        current=current, reworked=reworked,
        onward=seen.onward(case, found, language()), heads=seen.heads(safe, found, language()) if current else (),
        no_bank=seen.no_bank(safe.parties[visit.party]),
        account=safe.parties[visit.party].account_number[-4:], is_paid=visit.party in portal.payees(case, found),
        shares=shares, your_minor=sum(s.amount_minor for s in shares if s.is_you), awaited=portal.awaits(case, visit.party, found),
        has_code=any(c["party"] in (None, visit.party) and timezone.now() < c["expires_at"] for c in found.codes),
        minutes=norms.current().settings.one_time_code_minutes, **more,
    )  # fmt: skip


def _send_code(request: HttpRequest, visit: Visit, case: Case, part: int) -> HttpResponse:
    done = portal.send_offer_code(visit, part, now=timezone.now())
    if isinstance(done, Refusal):
        return _page(request, visit, case, part, 409, errors={"code": why(done)})
    minutes = norms.current().settings.one_time_code_minutes
    messages.success(request, say("portal.offer.code_sent", {"minutes": minutes}))
    return HttpResponseRedirect(reverse("portal:offer", args=[visit.number, part]) + "#agree")


def _agree(request: HttpRequest, visit: Visit, case: Case, part: int) -> HttpResponse:
    code = "".join(request.POST.get("code", "").split())[:12]
    done = portal.act(visit, "offer", "agree", part, commands.Agree(code=code), now=timezone.now())
    if isinstance(done, Refusal):
        return _page(request, visit, case, part, 422, errors={"code": why(done)})
    if any(event.kind in FALLS_SHORT for _, event in done.events):
        return _page(request, visit, done.case, part, 422, errors={"code": say("refusal.code_wrong")})
    if done.case.offers[part].state != "agreed":
        told = "portal.offer.agreed_waiting"
    else:
        sums = seen.sums(case, case.offers[part])
        told = "portal.offer.agreed" if sums.now_minor or sums.kept_minor else "portal.offer.agreed_nothing"
    messages.success(request, say(told))
    return HttpResponseRedirect(reverse("portal:track", args=[visit.number]))


def _decline(request: HttpRequest, visit: Visit, case: Case, part: int) -> HttpResponse:
    reason = clean(request.POST.get("reason", ""))
    if len(reason) > commands.TEXT_LENGTH_MAX:
        return _page(request, visit, case, part, 422, errors={"reason": say("refusal.too_long")}, reason=reason)
    done = portal.act(visit, "offer", "decline", part, commands.Reasoned(reason), now=timezone.now())
    if isinstance(done, Refusal):
        return _page(request, visit, case, part, 422, errors={"reason": why(done)}, reason=reason)
    messages.success(request, say("portal.offer.declined"))
    return HttpResponseRedirect(reverse("portal:track", args=[visit.number]))
