"""The duty page: who is on duty, where nobody is, and which urgent reports wait for a person (norm 2.3.3)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from lipei.domain import permissions
from lipei.norms.texts import text
from lipei.reads import duty as reads
from lipei.services import norms
from lipei.web.console.shell import book, now, show, who
from lipei.web.errors import sentence
from lipei.web.templatetags.lipei import language

WEEK = timedelta(days=7)
ANSWERED_SINCE = timedelta(days=7)
YEARS_MAX = 20


@require_GET
def duty(request: HttpRequest) -> HttpResponse:
    """Roster and open calls; the person called acknowledges here."""
    at, viewer = now(), who(request)
    page = reads.duty(viewer, rulebook=book(request), language=language(), now=at)
    _, text = norms.text_in_force("duty")
    gap = norms.roster_gap(text, at)
    may_edit = permissions.may(viewer, "norm.duty")
    monday = monday_of(request.GET.get("week", ""), at)
    # A call knows no office hours: what is left of it is real time.
    return show(
        request, "duty", "duty", duty=page, gap=sentence(gap) if gap else "", may_edit=may_edit, working_calendar=None,
        week=[drawn(day) for day in reads.week(monday, rulebook=book(request), now=at)], monday=monday,
        sunday=monday + timedelta(days=6), previous=monday - WEEK, following=monday + WEEK, this=monday_of("", at),
        answered=reads.answered(viewer, since=at - ANSWERED_SINCE), now_minute=minute_of(at), hours=range(0, 24, 3),
    )  # fmt: skip


def monday_of(said: str, at: datetime) -> date:
    """The Monday of the week asked for, else of this one."""
    today = timezone.localtime(at).date()
    try:
        day = date.fromisoformat(said) if said else today
    except ValueError:
        day = today
    day = day if abs(day.year - today.year) <= YEARS_MAX else today
    return day - timedelta(days=day.weekday())


def drawn(day: reads.Day) -> dict[str, Any]:
    """A day as the page draws it."""
    return {"d": day, "weekday": text(f"weekday.{day.day.isoweekday()}", language())}


def minute_of(at: datetime) -> int:
    """How many minutes of the day are over."""
    local = timezone.localtime(at)
    return local.hour * 60 + local.minute
