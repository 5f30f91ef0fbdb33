"""Planning a week of duty by day: persons put in, two duties exchanged, last week copied; previewed, then saved.

What is typed stays in the form; a roster with a gap is refused with the gap named (norm 2.3.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from lipei.domain import permissions
from lipei.domain.duty import Span
from lipei.domain.events import Refusal
from lipei.norms.texts import text
from lipei.reads import colleagues
from lipei.reads import duty as reads
from lipei.services import duty_plan, norms
from lipei.services.duty_plan import Line
from lipei.services.roster import ABLE
from lipei.web.console.access import refused
from lipei.web.console.duty import drawn, minute_of, monday_of
from lipei.web.console.norm_editing import mark
from lipei.web.console.shell import book, now, say, show, status_of, who
from lipei.web.errors import sentence
from lipei.web.templatetags.lipei import language

PLACES, PLACES_MAX = 3, 9
"""So many persons a day are asked for, and so many can be called one after the other before the team lead."""


@require_http_methods(["GET", "POST"])
def plan(request: HttpRequest) -> HttpResponse:
    """The week as a form; ``week`` is any of its days."""
    if not permissions.may(who(request), "norm.duty"):
        return refused(request, "norm.duty")
    monday = monday_of(request.GET.get("week", ""), now())
    days = [monday + timedelta(days=n) for n in range(7)]
    table, zone = duty_plan.in_force()
    whole = Span(duty_plan.span_of(days[0], time(), zone).starts, duty_plan.span_of(days[-1], time(), zone).ends)
    change = _change(request.POST.get("change", "")) or duty_plan.change_of(table.roster, whole, zone)
    held = duty_plan.lines(table.roster, days, change, zone)
    if request.method == "GET":
        return _page(request, monday, held, change, reason="")
    wanted = {day: _line(request, day) for day in days}
    do, reason = request.POST.get("do", "check"), request.POST.get("reason", "")
    if do == "copy":
        before = duty_plan.lines(table.roster, [day - timedelta(days=7) for day in days], change, zone)
        wanted = {day: before[day - timedelta(days=7)] for day in days}
        return _page(request, monday, wanted, change, reason=reason)
    if do == "exchange":
        first, second = (_day(request.POST.get(name, ""), days) for name in ("first", "second"))
        if first is None or second is None or first == second:
            return _page(request, monday, wanted, change, reason=reason, exchange_wrong=True, status=422)
        wanted[first], wanted[second] = wanted[second], wanted[first]
        return _page(request, monday, wanted, change, reason=reason)
    return _tried(request, monday, wanted, change, reason=reason, save=do == "save")


def _tried(
    request: HttpRequest, monday: date, wanted: Mapping[date, Line], change: time, *, reason: str, save: bool
) -> HttpResponse:
    made = duty_plan.planned(wanted, change, now())
    refusal = norms.check("duty", made) or norms.roster_gap(made, now())
    shown = request.POST.get("previewed", "") == mark(made)
    if refusal is None and save and shown:
        seen = request.POST.get("seen_version", "")
        outcome = norms.save(
            table="duty", text=made, reason=reason, seen_version=int(seen) if seen.isdigit() else 0,
            actor=who(request), now=now(),
        )  # fmt: skip
        if not isinstance(outcome, Refusal):
            say(request, "console.norms.saved", version=outcome)
            return redirect(f"{reverse('console:duty')}?{urlencode({'week': monday.isoformat()})}#roster")
        refusal = outcome
    return _page(
        request, monday, wanted, change, reason=reason, made=made, refusal=refusal,
        previewed=mark(made), status=status_of(refusal) if refusal else 200,
    )  # fmt: skip


def _change(said: str) -> time | None:
    try:
        return time.fromisoformat(said).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        return None


def _day(said: str, days: list[date]) -> date | None:
    return next((day for day in days if day.isoformat() == said), None)


def _line(request: HttpRequest, day: date) -> Line:
    """The persons chosen for a day, each once."""
    said = (request.POST.get(f"{day.isoformat()}.{n}", "") for n in range(PLACES_MAX))
    return tuple(dict.fromkeys(int(one) for one in said if one.isdecimal() and len(one) < 10))


def _page(
    request: HttpRequest, monday: date, wanted: Mapping[date, Line], change: time, *, reason: str, made: str = "",
    refusal: Refusal | None = None, status: int = 200, **more: Any,
) -> HttpResponse:  # fmt: skip
    at = now()
    staff = colleagues.listed(now=at, roles=ABLE)
    version, _ = norms.text_in_force("duty")
    _, zone = duty_plan.in_force()
    places = range(max(PLACES, *(len(line) for line in wanted.values())))
    rows = [
        {
            "day": day, "weekday": text(f"weekday.{day.isoweekday()}", language()),
            "over": duty_plan.span_of(day, change, zone).ends <= at,
            "places": [(n, line[n] if n < len(line) else 0) for n in places],
        }
        for day, line in wanted.items()
    ]  # fmt: skip
    tried = norms.tried("duty", made) if made else book(request)
    week = reads.week(monday, rulebook=tried, now=at) if made else ()
    stale = refusal is not None and refusal.kind == "conflict" and refusal.code == "refusal.stale_table"
    good = bool(made) and (refusal is None or "reason" in refusal.fields)
    return show(
        request, "duty_plan", "duty", status=status, monday=monday, sunday=monday + timedelta(days=6), rows=rows,
        staff=staff, change=f"{change:%H:%M}", reason=reason, checked=good, made=made,
        seen=version if stale else request.POST.get("seen_version") or version,
        refusal=sentence(refusal) if refusal else "", reason_missing=bool(refusal and "reason" in refusal.fields),
        week=[drawn(day) for day in week], now_minute=minute_of(at),
        gaps_until=book(request).settings.duty_roster_ahead_days if any(day.gaps for day in week) else 0,
        previous=monday - timedelta(days=7), following=monday + timedelta(days=7), **more,
    )  # fmt: skip
