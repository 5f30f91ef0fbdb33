"""One day of a business calendar changed, as an edit of the table that the days stand in (norm 2.3.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from lipei.domain.events import Refusal
from lipei.norms import calendars, loader, yaml_texts
from lipei.norms.calendars import DAY_OFF, MAKE_UP, OTHER_HOURS
from lipei.services import norms

AS_THE_WEEK = "week"
KINDS = (AS_THE_WEEK, DAY_OFF, MAKE_UP, OTHER_HOURS)
DAYS_MAX = 31


@dataclass(frozen=True, slots=True)
class Days:
    """Days that are to differ from ``first`` to ``last``, both included; *week*: they no longer do.

    ``hours`` are openings as the table has them (``09:00-12:00``), separated by commas; empty: those of make-up days.
    """

    code: str
    first: date
    last: date
    kind: str
    hours: str = ""
    festival: str = ""


def of_table(code: str) -> Mapping[str, Any] | None:
    """The row of a calendar in the document in force; None for an unknown code."""
    document = loader.read(norms.text_in_force("calendars")[1])
    return next((row for row in document["calendars"] if row["code"] == code), None)


def edited(change: Days) -> Refusal | str:
    """The document in force with these days changed, as `norms.save` takes it. Whether it makes sense, that says.

    Refused: an unknown calendar or kind, days the wrong way round or more than `DAYS_MAX`.
    """
    days = (change.last - change.first).days + 1
    if not 1 <= days <= DAYS_MAX:
        return Refusal("refusal.calendar.span", "fields", {"n": DAYS_MAX}, {"last": "refusal.calendar.span"})
    if change.kind not in KINDS:
        return Refusal("refusal.not_a_choice", "fields", fields={"kind": "refusal.not_a_choice"})
    document = loader.read(norms.text_in_force("calendars")[1])
    row = next((r for r in document["calendars"] if r["code"] == change.code), None)
    if row is None:
        return Refusal("refusal.missing", "missing")
    touched = {change.first + timedelta(days=n) for n in range(days)}
    kept = [d for d in row.get("days", []) if d["date"] not in touched]
    if change.kind != AS_THE_WEEK:
        kept += [_day(change, day) for day in touched]
    row["days"] = sorted(kept, key=lambda d: d["date"])
    if change.kind == AS_THE_WEEK:
        row["days"] = sorted([*kept, *_against_seed(document, change.code, touched)], key=lambda d: d["date"])
    return yaml_texts.dump(document)


def _against_seed(document: Mapping[str, Any], code: str, days: Iterable[date]) -> Iterator[dict[str, Any]]:
    """Days that differ from the week by what ships with a calendar are written out as the week has them."""
    calendar = calendars.parse(document).current[code]
    for day in days:
        week = calendar.hours[day.weekday()]
        if calendar.openings(day) == week:
            continue
        hours = [f"{_clock(begin)}-{_clock(end)}" for begin, end in week]
        yield {"date": day, "kind": OTHER_HOURS, "hours": hours} if hours else {"date": day, "kind": DAY_OFF}


def _clock(minutes: int) -> str:
    return "{:02}:{:02}".format(*divmod(minutes, 60))


def published(code: str, year: int) -> Refusal | str:
    """The document in force with a year's days off declared as known."""
    document = loader.read(norms.text_in_force("calendars")[1])
    row = next((r for r in document["calendars"] if r["code"] == code), None)
    if row is None or not isinstance(row.get("published", []), list):
        return Refusal("refusal.missing", "missing")
    row["published"] = sorted({*row.get("published", []), year})
    return yaml_texts.dump(document)


def _day(change: Days, day: date) -> dict[str, Any]:
    found: dict[str, Any] = {"date": day, "kind": change.kind}
    hours = [part.strip() for part in change.hours.replace("，", ",").replace("、", ",").split(",") if part.strip()]
    if hours and change.kind != DAY_OFF:
        found["hours"] = hours
    if change.festival.strip():
        found["festival"] = change.festival.strip()
    return found
