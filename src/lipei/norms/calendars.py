"""The calendars table, read from its document.

A row may name a *seed*: years taken from a package of known holidays instead of being written out. Such days are looked
up when a calendar is first asked about a year, so that a company in one market never loads the holidays of another.
Days written in the row win over the seed. A version that is kept for good carries the days that its seeds gave when it was
made (``seeded``, see `seeded`): a package that learns better later changes no date that was promised.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from lipei.domain.calendars import Calendar, Calendars, Span, check_spans
from lipei.norms.errors import NormError
from lipei.norms.lines import check_remarks, known_keys, rows, texts_of

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY_OFF, MAKE_UP, OTHER_HOURS = "day off", "workday (make-up)", "other hours"
_OPENING = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_YEARS = range(1900, 2201)

Days = Mapping[date, tuple[Span, ...]]
Kept = Mapping[str, Mapping[str, Any]]
"""Calendar → day → openings, as `seeded` wrote them."""


def parse(document: Mapping[str, Any], *, older: Iterable[Calendar] = ()) -> Calendars:
    """The calendars of a ``calendars`` document; ``older`` are earlier versions that clocks may still name.

    Raises NormError for a calendar that makes no sense, above all for one with no working time (clock case 23).
    """
    known_keys("calendars", document, required={"version", "calendars"}, optional={"seeded"})
    version = _whole("calendars", document["version"])
    kept: Kept = json.loads(document.get("seeded", "{}"))
    return Calendars.of([_calendar(row, version, kept) for row in rows("calendars", document["calendars"])], older)


def seeded(calendars: Calendars) -> str:
    """What a kept version carries beside its document, as YAML: the days that its seeds give today. Empty: no seeds."""
    found = {
        code: {day.isoformat(): spans for day, spans in sorted(calendar.days.fetch().items())}
        for code, calendar in calendars.current.items()
        if isinstance(calendar.days, SeededDays)
    }
    return f"\nseeded: '{json.dumps(found, separators=(',', ':'))}'\n" if found else ""


def _calendar(row: Mapping[str, Any], version: int, kept: Kept) -> Calendar:
    place = f"calendars.{row['code']}"
    known_keys(
        place,
        row,
        required={"code", "zone", "hours"},
        optional={"version", "make_up_hours", "published", "seed", "days", "source", "source_status"},
    )
    check_remarks(place, row)
    hours = _hours(place, row["hours"])
    make_up = _openings(place, row.get("make_up_hours", []))
    days: Days = _days(place, row.get("days", []), make_up)
    published = _published(place, row.get("published", []))
    if "seed" in row:
        seed = known_keys(
            f"{place}.seed", row["seed"], required={"package", "years"}, optional={"country", "part", "categories"}
        )
        years = _seed_years(place, seed["years"])
        days = KeptDays(kept[row["code"]], days) if row["code"] in kept else _seeded(place, seed, years, make_up, days)
        published = None if published is None else published | frozenset(years)
    _check_zone(place, row["zone"])
    own_version = _whole(place, row.get("version", version))
    try:
        return Calendar(row["code"], own_version, row["zone"], hours, days, published)
    except ValueError:
        raise NormError("norm_error.calendar.no_working_time", place=place) from None


def _hours(place: str, value: Any) -> tuple[tuple[Span, ...], ...]:
    known_keys(f"{place}.hours", value, optional=WEEKDAYS)
    return tuple(_openings(place, value.get(day, [])) for day in WEEKDAYS)


def _openings(place: str, value: Any) -> tuple[Span, ...]:
    if not isinstance(value, list):
        raise NormError("norm_error.table.not_a_list", place=place)
    spans = tuple(_opening(place, text) for text in value)
    try:
        check_spans(spans)
    except ValueError:
        raise NormError("norm_error.calendar.hours", place=place, hours=", ".join(map(str, value))) from None
    return spans


def _opening(place: str, text: Any) -> Span:
    found = _OPENING.fullmatch(text) if isinstance(text, str) else None
    if found is None or int(found[2]) > 59 or int(found[4]) > 59:
        raise NormError("norm_error.calendar.hours", place=place, hours=str(text))
    return int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])


def _days(place: str, value: Any, make_up: tuple[Span, ...]) -> Days:
    if not isinstance(value, list):
        raise NormError("norm_error.table.not_a_list", place=place)
    found: dict[date, tuple[Span, ...]] = {}
    for row in value:
        known_keys(place, row, required={"date", "kind"}, optional={"hours", "festival", "source", "source_status"})
        day = row["date"]
        if type(day) is not date:
            raise NormError("norm_error.calendar.date", place=place, date=str(day))
        if day in found:
            raise NormError("norm_error.table.twice", place=place, code=day.isoformat())
        found[day] = _hours_of_day(place, row, make_up)
    return found


def _hours_of_day(place: str, row: Mapping[str, Any], make_up: tuple[Span, ...]) -> tuple[Span, ...]:
    """The openings of a day that differs: none on a day off, its own or those of make-up days on one that is worked.

    A day with other hours than its weekday's (a half-day before a holiday) is a working day and says its hours.
    """
    kind, day = row["kind"], row["date"].isoformat()
    if kind not in (DAY_OFF, MAKE_UP, OTHER_HOURS):
        raise NormError("norm_error.table.unknown_code", place=place, code=str(kind))
    if kind == DAY_OFF:
        if row.get("hours"):
            raise NormError("norm_error.calendar.day_off", place=place, date=day)
        return ()
    hours = _openings(place, row["hours"]) if "hours" in row else make_up if kind == MAKE_UP else ()
    if not hours:
        raise NormError(f"norm_error.calendar.{'make_up' if kind == MAKE_UP else 'other_hours'}", place=place, date=day)
    return hours


def _published(place: str, value: Any) -> frozenset[int] | None:
    if value == "every year":
        return None
    if not isinstance(value, list) or not all(type(year) is int and year in _YEARS for year in value):
        raise NormError("norm_error.calendar.years", place=place, years=str(value))
    return frozenset(value)


def _seed_years(place: str, value: Any) -> range:
    if not (isinstance(value, list) and len(value) == 2 and all(type(year) is int for year in value)):
        raise NormError("norm_error.calendar.years", place=place, years=str(value))
    first, last = value
    if first not in _YEARS or last not in _YEARS or last < first:
        raise NormError("norm_error.calendar.years", place=place, years=str(value))
    return range(first, last + 1)


def _check_zone(place: str, zone: Any) -> None:
    try:
        ZoneInfo(zone)
    except (ValueError, TypeError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        raise NormError("norm_error.calendar.zone", place=place, zone=str(zone)) from None


def _whole(place: str, value: Any) -> int:
    if type(value) is not int or value < 1:
        raise NormError("norm_error.calendar.version", place=place, version=str(value))
    return value


# --- seeds ---


def _seeded(place: str, seed: Mapping[str, Any], years: range, make_up: tuple[Span, ...], own: Days) -> Days:
    if seed["package"] == "chinesecalendar":
        return MainlandDays(years, make_up, own)
    if seed["package"] == "holidays" and isinstance(seed.get("country"), str):
        categories = texts_of(f"{place}.seed.categories", seed.get("categories", ["public"]))
        return HolidayDays(seed["country"], seed.get("part"), years, make_up, own, categories)
    raise NormError("norm_error.calendar.seed", place=place, package=str(seed["package"]))


class SeededDays(Mapping[date, tuple[Span, ...]]):
    """Days that differ from the week, fetched from a package when first asked for; those written out win."""

    def __init__(self, years: range, make_up: tuple[Span, ...], own: Days) -> None:
        self._years, self._make_up, self._own = years, make_up, own

    def fetch(self) -> dict[date, tuple[Span, ...]]:
        """The package's days of the seed's years."""
        raise NotImplementedError

    @cached_property
    def _all(self) -> dict[date, tuple[Span, ...]]:
        return self.fetch() | dict(self._own)

    def __getitem__(self, day: date) -> tuple[Span, ...]:
        return self._all[day]

    def __iter__(self) -> Iterator[date]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


class KeptDays(SeededDays):
    """The days that a package gave when the version was made."""

    def __init__(self, kept: Mapping[str, Any], own: Days) -> None:
        super().__init__(range(0), (), own)
        self._kept = kept

    def fetch(self) -> dict[date, tuple[Span, ...]]:
        return {date.fromisoformat(day): tuple((a, b) for a, b in spans) for day, spans in self._kept.items()}


class MainlandDays(SeededDays):
    """Mainland China's published holidays and make-up workdays (the package refuses years not yet published)."""

    def fetch(self) -> dict[date, tuple[Span, ...]]:
        from chinese_calendar.constants import holidays, workdays

        found: dict[date, tuple[Span, ...]] = {day: () for day in holidays if day.year in self._years}
        return found | {day: self._make_up for day in workdays if day.year in self._years}


class HolidayDays(SeededDays):
    """The holidays of a country or a part of it, of some of the package's categories: not every general holiday is in
    its *public* ones. Never used for mainland China: it is silently wrong there.
    """

    def __init__(
        self, country: str, part: str | None, years: range, make_up: tuple[Span, ...], own: Days,
        categories: tuple[str, ...],
    ) -> None:  # fmt: skip
        super().__init__(years, make_up, own)
        self._country, self._part, self._categories = country, part, categories

    def fetch(self) -> dict[date, tuple[Span, ...]]:
        import holidays

        known = holidays.country_holidays(
            self._country, subdiv=self._part, years=self._years, categories=self._categories
        )
        found: dict[date, tuple[Span, ...]] = {day: () for day in known if day.year in self._years}
        # Substituted workdays only count where the row says what hours they have.
        if self._make_up:
            found |= {day: self._make_up for day in known.weekend_workdays if day.year in self._years}
        return found
