"""Business calendars: when we work, and what a time limit means in working time, in working days and in days.

A calendar is a value with a version. It answers on instants (aware datetimes; results are in UTC) and counts dates in
its own zone, so the zone of whoever looks changes nothing. Working time is real time while open: on the day on which
the clocks are put forward a round-the-clock calendar is open for 23 hours.

How it is fast: the open spans of a year are laid out once as microseconds since 1970, with the working time that has
passed before each span. Working time is then a coordinate: adding, subtracting and measuring are one look-up each way.

Day counts follow 民法典 201-203: the first day is not counted, the last one ends at its end (a working day at the close
of business); where the last day is a day off the law moves it to the next working day. We work to the date that was
not moved and show the other one beside it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import NamedTuple
from zoneinfo import ZoneInfo

Span = tuple[int, int]
"""One opening, in minutes since local midnight: from (inclusive) and to (exclusive, up to 1440)."""

HOME = "home"
"""In a table of rules: the calendar of the profile in force."""

DAY_MINUTES = 24 * 60
MINUTE = 60_000_000  # microseconds
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_DAY = timedelta(days=1)
# Where the coordinate of working time is zero. Any year would do; a near one keeps the first look-up cheap.
_ORIGIN_YEAR = 2024


def microseconds(instant: datetime) -> int:
    """Microseconds since 1970 of an aware instant."""
    delta = instant - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def instant(value: int) -> datetime:
    """The UTC instant of so many microseconds since 1970."""
    return _EPOCH + timedelta(microseconds=value)


class _Year(NamedTuple):
    """The open spans of one local year, in microseconds, and the working time of the year before each of them."""

    first: int
    starts: list[int]
    ends: list[int]
    before: list[int]
    total: int


@dataclass(frozen=True)
class Calendar:
    """Opening hours of a place, with the days that differ.

    ``hours`` has seven entries, Monday first. ``days`` are the days that differ: date → openings of that day, none for
    a day off. ``published`` are the years whose days off are known; None where nothing needs to be published (round
    the clock). In any other year the week's hours serve, and results are *provisional*.
    """

    code: str
    version: int
    zone: str
    hours: tuple[tuple[Span, ...], ...]
    days: Mapping[date, tuple[Span, ...]] = field(default_factory=dict, repr=False)
    published: frozenset[int] | None = frozenset()
    _years: dict[int, _Year] = field(default_factory=dict, init=False, repr=False, compare=False)
    _prefix: dict[int, int] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # An empty week would make every addition run for ever: single special days come to an end.
        if len(self.hours) != 7 or not any(self.hours):
            raise ValueError(f"calendar {self.code!r} has no working time")
        for spans in self.hours:
            check_spans(spans)

    @cached_property
    def tz(self) -> ZoneInfo:
        """The zone in which dates are counted."""
        return ZoneInfo(self.zone)

    # --- days ---

    def openings(self, day: date) -> tuple[Span, ...]:
        """The openings of a date: its own where it differs, else those of its weekday."""
        special = self.days.get(day)
        return self.hours[day.weekday()] if special is None else special

    def is_working_day(self, day: date) -> bool:
        """Whether there is any working time on this date (a make-up Saturday: yes; a holiday: no)."""
        return bool(self.openings(day))

    def is_published(self, year: int) -> bool:
        """Whether the days off of this year are known."""
        return self.published is None or year in self.published

    def local_date(self, at: datetime) -> date:
        """The date on which an instant falls here."""
        return at.astimezone(self.tz).date()

    def end_of_day(self, day: date) -> datetime:
        """The last second of a date: 23:59:59, so that the due time carries the date that people name.

        Where clocks are put back at midnight 23:59:59 comes twice; the date ends with the second.
        """
        return datetime.combine(day, time(23, 59, 59, fold=1), self.tz).astimezone(UTC)

    def close_of_business(self, day: date) -> datetime:
        """When work ends on a working day; the end of the day where that is midnight or nobody works."""
        spans = self.openings(day)
        if not spans or spans[-1][1] == DAY_MINUTES:
            return self.end_of_day(day)
        return instant(self._at(day, spans[-1][1]))

    def next_working_day(self, day: date) -> date:
        """The first working day after a date."""
        day += _ONE_DAY
        while not self.is_working_day(day):
            day += _ONE_DAY
        return day

    def add_working_days(self, day: date, days: int) -> date:
        """The n-th working day after a date, which itself is not counted; n = 0 gives the date itself."""
        for _ in range(days):
            day = self.next_working_day(day)
        return day

    def working_days_between(self, start: datetime, end: datetime) -> int:
        """Working days whose work ended after ``start`` and by ``end``: none where no working time lies between them."""
        day, last, ended = self.local_date(start), self.local_date(end), 0
        while day <= last:
            ended += self.is_working_day(day) and start < self.close_of_business(day) <= end
            day += _ONE_DAY
        return ended

    def extended(self, day: date) -> date | None:
        """Where the law moves a last day that is a day off (民法典 203); None where it does not.

        A year without a published calendar extends nothing: nobody knows its days off yet.
        """
        if not self.is_published(day.year) or self.is_working_day(day):
            return None
        moved = self.next_working_day(day)
        return moved if self.is_published(moved.year) else None

    def is_extension_unknown(self, day: date) -> bool:
        """Whether the law may move a last day, and nobody can say yet whether and where to."""
        if not self.is_published(day.year):
            return True
        return not self.is_working_day(day) and not self.is_published(self.next_working_day(day).year)

    # --- working time ---

    def is_open(self, at: datetime) -> bool:
        """Whether there is working time at this instant. Closing time itself is no longer open."""
        value = microseconds(at)
        year = self._year(self._year_of(at, value))
        found = bisect_right(year.starts, value) - 1
        return found >= 0 and value < year.ends[found]

    def add(self, start: datetime, minutes: int) -> datetime:
        """The instant after so many working minutes; due exactly at closing stays at closing.

        A negative number goes back: exactly at opening stays at opening. Zero gives ``start``.
        """
        return self.add_microseconds(start, minutes * MINUTE)

    def add_microseconds(self, start: datetime, amount: int) -> datetime:
        """As `add`, in microseconds of working time."""
        if amount == 0:
            return start.astimezone(UTC)
        goal = self.worked(start) + amount
        return self._reached(goal, start.year) if amount > 0 else self._left(goal, start.year)

    def between(self, start: datetime, end: datetime) -> int:
        """Whole working minutes from ``start`` to ``end``; negative where ``end`` is earlier."""
        amount = self.worked(end) - self.worked(start)
        return amount // MINUTE if amount >= 0 else -(-amount // MINUTE)

    def worked(self, at: datetime) -> int:
        """The coordinate of working time at an instant, in microseconds since an arbitrary origin."""
        value = microseconds(at)
        number = self._year_of(at, value)
        year = self._year(number)
        found = bisect_right(year.starts, value) - 1
        done = year.before[found] + min(value, year.ends[found]) - year.starts[found] if found >= 0 else 0
        return self._worked_before(number) + done

    def is_provisional(self, start: datetime, end: datetime) -> bool:
        """Whether a span of working time touches a year whose calendar is not published."""
        if self.published is None:
            return False
        years = range(self.local_date(start).year, self.local_date(end).year + 1)
        return any(year not in self.published for year in years)

    # --- the layout of a year ---

    def _reached(self, goal: int, year: int) -> datetime:
        """The first instant at which the coordinate is ``goal``."""
        while self._worked_before(year) >= goal:
            year -= 1
        while self._worked_before(year) + self._year(year).total < goal:
            year += 1
        layout, rest = self._year(year), goal - self._worked_before(year)
        found = bisect_left(layout.before, rest) - 1
        return instant(layout.starts[found] + rest - layout.before[found])

    def _left(self, goal: int, year: int) -> datetime:
        """The last instant at which the coordinate is ``goal``: the mirror of `_reached`, for going back."""
        while self._worked_before(year) > goal:
            year -= 1
        while self._worked_before(year) + self._year(year).total <= goal:
            year += 1
        layout, rest = self._year(year), goal - self._worked_before(year)
        found = bisect_right(layout.before, rest) - 1
        return instant(layout.starts[found] + rest - layout.before[found])

    def _year_of(self, at: datetime, value: int) -> int:
        """The local year of an instant, without building a local datetime."""
        year = at.year
        if value < self._year(year).first:
            return year - 1
        # Zones lie at most 26 hours apart, so only at the end of December can our year be ahead.
        if at.month == 12 and at.day >= 30 and value >= self._at(date(year + 1, 1, 1), 0):
            return year + 1
        return year

    def _worked_before(self, year: int) -> int:
        """The coordinate of working time at the start of a local year."""
        known = self._prefix.get(year)
        if known is not None:
            return known
        total = 0
        for number in range(_ORIGIN_YEAR, year):
            total += self._year(number).total
        for number in range(year, _ORIGIN_YEAR):
            total -= self._year(number).total
        self._prefix[year] = total
        return total

    def _year(self, number: int) -> _Year:
        # Two threads may both lay out a year; they write the same value, so nothing needs a lock.
        layout = self._years.get(number)
        if layout is None:
            layout = self._years[number] = self._lay_out(number)
        return layout

    def _lay_out(self, number: int) -> _Year:
        starts: list[int] = []
        ends: list[int] = []
        before: list[int] = []
        total = 0
        day, last = date(number, 1, 1), date(number, 12, 31)
        while True:
            for start, end in self._spans(day):
                starts.append(start)
                ends.append(end)
                before.append(total)
                total += end - start
            if day == last:
                break
            day += _ONE_DAY
        return _Year(self._at(date(number, 1, 1), 0), starts, ends, before, total)

    def open_spans(self, day: date) -> tuple[tuple[datetime, datetime], ...]:
        """The openings of a date as UTC instants, from (inclusive) and to (exclusive)."""
        return tuple((instant(start), instant(end)) for start, end in self._spans(day))

    def _spans(self, day: date) -> Iterator[Span]:
        for opens, closes in self.openings(day):
            start, end = self._at(day, opens), self._at(day, closes)
            if end > start:  # 02:15-02:45 has no length on the day that skips 02:00-03:00
                yield start, end

    def _at(self, day: date, minute: int) -> int:
        """The instant at which the clocks show a time; the instant of the skip for one that they skip that day."""
        if minute == DAY_MINUTES:
            day, minute = day + _ONE_DAY, 0
        shown = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=self.tz)
        before, after = shown.utcoffset(), shown.replace(fold=1).utcoffset()
        if before == after or before is None or after is None or before > after:
            return microseconds(shown)
        # Skipped: `before` puts it after the skip by as much as `after` puts it ahead. The skip lies between.
        late, early = microseconds(shown), microseconds(shown.replace(fold=1))
        while late - early > 1_000_000:
            middle = (early + late) // 2_000_000 * 1_000_000
            if instant(middle).astimezone(self.tz).utcoffset() == before:
                early = max(middle, early + 1_000_000)
            else:
                late = middle
        return late


def check_spans(spans: tuple[Span, ...]) -> None:
    """Openings of a day follow each other, do not overlap and lie within the day; else ValueError."""
    last = 0
    for opens, closes in spans:
        if not last <= opens < closes <= DAY_MINUTES:
            raise ValueError(f"openings {spans} overlap, run backwards or leave the day")
        last = closes


def local_date(at: datetime, zone: str) -> date:
    """The date on which an instant falls in a zone: a day begins at the midnight of its own place, not of UTC."""
    return at.astimezone(ZoneInfo(zone)).date()


def add_months(day: date, months: int) -> date:
    """The same-numbered day so many months later, else the last day of that month (民法典 202)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class Calendars:
    """The calendars in force by code, and every version ever used: a fulfilled clock explains itself with its own."""

    current: Mapping[str, Calendar]
    history: Mapping[tuple[str, int], Calendar]

    @classmethod
    def of(cls, current: Iterable[Calendar], older: Iterable[Calendar] = ()) -> Calendars:
        """Calendars in force, and older versions of them (or of calendars that are gone)."""
        now = {calendar.code: calendar for calendar in current}
        history = {(calendar.code, calendar.version): calendar for calendar in older}
        history |= {(calendar.code, calendar.version): calendar for calendar in now.values()}
        return cls(now, history)

    def at(self, code: str, version: int) -> Calendar:
        """One version of a calendar. Raises KeyError where it was never known: the journal and the tables disagree."""
        return self.history[code, version]
