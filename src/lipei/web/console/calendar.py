"""A business calendar as a year: working days, days off, make-up days and half days; a day is changed through a form.

A change is shown with its effect on the promises of open claims before it is saved (norm 2.3.1), by the same means as
an edit of the table itself, and is a version of that table like any other.
"""

from __future__ import annotations

import calendar as months
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from lipei.domain import permissions
from lipei.domain.calendars import Calendar
from lipei.domain.events import Refusal
from lipei.norms.calendars import DAY_OFF, MAKE_UP, OTHER_HOURS
from lipei.norms.texts import text
from lipei.services import calendar_days, norms
from lipei.services.calendar_days import AS_THE_WEEK, Days
from lipei.web.console.access import refused
from lipei.web.console.norm_editing import effect, mark
from lipei.web.console.shell import book, now, say, show, status_of, who
from lipei.web.errors import sentence
from lipei.web.templatetags.lipei import language

TABLE = "calendars"
YEARS = range(1950, 2151)
MARKS = {"off": DAY_OFF, "make_up": MAKE_UP, "other": OTHER_HOURS}
"""How a day that differs is drawn, and what the table calls it."""


@require_http_methods(["GET", "POST"])
def calendar(request: HttpRequest) -> HttpResponse:
    """The year of a calendar; ``day`` opens the form of a day. A POST is looked at first and saved when it was seen."""
    calendars = book(request).calendars.current
    code = request.GET.get("code", "") or book(request).duty.calendar
    if code not in calendars:
        raise Http404
    if request.method == "GET":
        return _page(request, code, {})
    if not _may_edit(request):
        return refused(request, f"norm.{TABLE}")
    return _changed(request, code)


def _may_edit(request: HttpRequest) -> bool:
    return permissions.may(who(request), f"norm.{TABLE}")


# --- a change ---------------------------------------------------------------------------------------------------------


def _changed(request: HttpRequest, code: str) -> HttpResponse:
    typed = {name: request.POST.get(name, "").strip()[:500] for name in ("first", "last", "kind", "hours", "festival")}
    typed |= {name: request.POST.get(name, "")[:500] for name in ("reason", "seen_version", "publish")}
    made = _made(code, typed)
    refusal = made if isinstance(made, Refusal) else norms.check(TABLE, made)
    if refusal is not None:
        return _page(request, code, typed, refusal=refusal)
    assert isinstance(made, str)
    shown = request.POST.get("previewed", "") == mark(made)
    if "save" not in request.POST or not shown:
        return _page(request, code, typed, checked=True, effect=effect(TABLE, made), previewed=mark(made))
    seen = typed["seen_version"]
    outcome = norms.save(
        table=TABLE, text=made, reason=typed["reason"], seen_version=int(seen) if seen.isdigit() else 0,
        actor=who(request), now=now(),
    )  # fmt: skip
    if isinstance(outcome, Refusal):
        return _page(request, code, typed, refusal=outcome, previewed=mark(made), checked=True)
    say(request, "console.norms.saved", version=outcome)
    year = typed["publish"] or typed["first"][:4]
    return redirect(f"{reverse('console:calendar')}?{urlencode({'code': code, 'year': year})}")


def _made(code: str, typed: Mapping[str, str]) -> Refusal | str:
    """The document as it would be; refused for what is no date, and by `calendar_days`."""
    if typed["publish"]:
        year = typed["publish"]
        if not (year.isdigit() and int(year) in YEARS):
            return Refusal("refusal.missing", "missing")
        return calendar_days.published(code, int(year))
    first, last = _day(typed["first"]), _day(typed["last"] or typed["first"])
    if first is None or last is None:
        wrong = {n: "refusal.calendar.date" for n, day in (("first", first), ("last", last)) if day is None}
        return Refusal("refusal.calendar.date", "fields", fields=wrong)
    return calendar_days.edited(Days(code, first, last, typed["kind"], typed["hours"], typed["festival"]))


def _day(said: str) -> date | None:
    try:
        day = date.fromisoformat(said)
    except ValueError:
        return None
    return day if day.year in YEARS else None


# --- the year ---------------------------------------------------------------------------------------------------------


def _page(request: HttpRequest, code: str, typed: Mapping[str, str], **more: Any) -> HttpResponse:
    table = book(request).calendars.current
    here = table[code]
    day = _day(request.GET.get("day", ""))
    asked = typed.get("publish") or typed.get("first", "")[:4] or request.GET.get("year", "")
    year = _year(asked or (str(day.year) if day else ""))
    festivals = {d["date"]: d.get("festival", "") for d in (calendar_days.of_table(code) or {}).get("days", [])}
    version, _ = norms.text_in_force(TABLE)
    start = typed or _start(here, day, festivals)
    refusal = more.pop("refusal", None)
    return show(
        request, "calendar", "calendar", status=status_of(refusal) if refusal else 200,
        codes=sorted(table), code=code, year=year, months=_months(here, year, festivals, day),
        previous=year - 1, following=year + 1, published=here.is_published(year), may_edit=_may_edit(request),
        counted=_counted(here, year), typed=start, kinds=calendar_days.KINDS, opened=bool(start) and _may_edit(request),
        seen=typed.get("seen_version") or version, refusal=sentence(refusal) if refusal else "",
        wrong=refusal.fields if refusal else {}, publishing=bool(typed.get("publish")), weekdays=_weekdays(),
        reason_missing=bool(refusal and "reason" in refusal.fields), marks=tuple(MARKS), **more,
    )  # fmt: skip


def _year(said: str) -> int:
    return int(said) if said.isdigit() and int(said) in YEARS else timezone.localdate(now()).year


def _start(here: Calendar, day: date | None, festivals: Mapping[date, str]) -> dict[str, str]:
    """The form of a day as it stands."""
    if day is None:
        return {}
    look = _look(here, day)
    hours = ", ".join(_clock(span) for span in here.openings(day)) if look == "other" else ""
    return {
        "first": day.isoformat(), "last": day.isoformat(), "kind": MARKS.get(look, AS_THE_WEEK), "hours": hours,
        "festival": festivals.get(day, ""),
    }  # fmt: skip


def _look(here: Calendar, day: date) -> str:
    """*off*, *make_up* or *other* for a day that differs from its week, else *work* or *weekend*."""
    usual, special = here.hours[day.weekday()], here.days.get(day)
    if special is None or special == usual:
        return "work" if usual else "weekend"
    if not special:
        return "off"
    return "other" if usual else "make_up"


def _clock(span: tuple[int, int]) -> str:
    return "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in span)


def _months(here: Calendar, year: int, festivals: Mapping[date, str], opened: date | None) -> list[dict[str, Any]]:
    today = timezone.localdate(now())
    found = []
    for month in range(1, 13):
        weeks = [
            [
                None if day.month != month else {
                    "day": day, "look": (look := _look(here, day)), "today": day == today, "opened": day == opened,
                    "name": _name(here, day, look, festivals), "marked": look in MARKS,
                }
                for day in week
            ]
            for week in months.Calendar().monthdatescalendar(year, month)
        ]  # fmt: skip
        found.append({"name": text(f"letter.month.{month}", language()), "weeks": weeks})
    return found


def _name(here: Calendar, day: date, look: str, festivals: Mapping[date, str]) -> str:
    """A day in words: its date, what it is, of which festival, with which hours."""
    hours = ", ".join(_clock(span) for span in here.openings(day)) if look in ("make_up", "other") else ""
    said = [day.isoformat(), text(f"calendar.look.{look}", language()), festivals.get(day, ""), hours]
    return " · ".join(part for part in said if part)


def _weekdays() -> list[tuple[str, str]]:
    return [(text(f"weekday.{n}.short", language()), text(f"weekday.{n}", language())) for n in range(1, 8)]


def _counted(here: Calendar, year: int) -> dict[str, int]:
    first = date(year, 1, 1)
    days = [first + timedelta(days=n) for n in range(366 if months.isleap(year) else 365)]
    looks = [_look(here, day) for day in days]
    return {
        "working": sum(here.is_working_day(day) for day in days),
        **{name: looks.count(name) for name in MARKS},
    }
