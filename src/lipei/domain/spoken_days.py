"""Days as people name them when they tell what happened: 11月28日, 上周五, last Friday, 28 November, 2026-11-28.

How dates are built is grammar and stands here; words such as "yesterday" are a table (`hints.words`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from lipei.domain.spoken import number

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CHINESE_WEEKDAYS = "一二三四五六日"
_N = r"\d{1,2}|[一二三四五六七八九十]{1,3}"
_MONTH = (
    r"jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?"
)
_WEEKDAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_WEEK = r"(?:周|週|星期|礼拜|禮拜)"

_WRITTEN = re.compile(r"(?<![\d-])(?P<year>20\d\d)[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)")
_CHINESE = re.compile(
    rf"(?:(?P<year>20\d\d|今|去)年)?(?<![\d一二三四五六七八九十])(?P<month>{_N})月(?P<day>{_N})[日号號]"
)
_DAY_FIRST = re.compile(
    rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<month>{_MONTH})\b\.?(?:,? (?P<year>20\d\d)\b)?", re.I
)
_MONTH_FIRST = re.compile(
    rf"\b(?P<month>{_MONTH})\b\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)(?:,? (?P<year>20\d\d)\b)?", re.I
)
_OF_WEEK = re.compile(rf"(?P<last>上个?|上個|这个?|這個?|本)?{_WEEK}(?P<weekday>[一二三四五六日天])")
_ENGLISH_OF_WEEK = re.compile(rf"\b(?:last |this |on )?(?P<weekday>{_WEEKDAY})\b", re.I)


def days(story: str, today: date) -> Iterator[tuple[int, str, int]]:
    """The days that a story names: where it does, the words, and how many days ago that was. What lies ahead is left out.

    A date without a year is the last one that has come; so is a day of the week, and 上周五 is the Friday of last week.
    """
    for pattern, read in _READERS.items():
        for match in pattern.finditer(story):
            found = read(match, today)
            if found is not None and found <= today:
                yield match.start(), match[0], (today - found).days


def _dated(match: re.Match[str], today: date) -> date | None:
    """A day with its month; of this year where it has come, else of the year before."""
    word = match["month"].lower()
    month = _MONTHS.index(word[:3]) + 1 if word[:3] in _MONTHS else number(word) or 0
    year = {None: today.year, "今": today.year, "去": today.year - 1}.get(match["year"]) or int(match["year"])
    found = _made(year, month, number(match["day"]) or 0)
    return _made(year - 1, month, number(match["day"]) or 0) if found and found > today and not match["year"] else found


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _of_week(match: re.Match[str], today: date) -> date:
    word = match["weekday"].replace("天", "日")
    weekday = _CHINESE_WEEKDAYS.index(word) if word in _CHINESE_WEEKDAYS else _WEEKDAYS.index(word[:3].lower())
    last = match.groupdict().get("last") or ""
    if last.startswith("上"):
        return today - timedelta(days=today.weekday() + 7 - weekday)
    return today - timedelta(days=(today.weekday() - weekday) % 7)


_READERS: dict[re.Pattern[str], Callable[[re.Match[str], date], date | None]] = {
    _WRITTEN: _dated,
    _CHINESE: _dated,
    _DAY_FIRST: _dated,
    _MONTH_FIRST: _dated,
    _OF_WEEK: _of_week,
    _ENGLISH_OF_WEEK: _of_week,
}
