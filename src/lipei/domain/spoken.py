"""Hours and numbers as people say them when they tell what happened: 下午4点半, 两人, half past four.

How numbers and hours are built is grammar and stands here; which words name a part of the day, and which hours it means,
is a table (`hints.clock`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HOUR, DAY = 60, 24 * 60
"""Minutes."""
_DIGITS = {**{c: n for n, c in enumerate("零一二三四五六七八九")}, "〇": 0, "两": 2, "兩": 2}
_ENGLISH = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_BEFORE_MIN, _AFTER_MIN = {"quarter": 15, "half": 30}, 15


@dataclass(frozen=True, slots=True)
class PartOfDay:
    """Beside any of these words an hour means one from hour ``start`` up to before hour ``end``; from 24 on these are
    hours of the night that follows."""

    code: str
    any: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Clock:
    """An hour said in a story: ``minutes`` after the midnight that begins the day it is said of; the characters from
    ``start`` to ``end`` say it. ``sure`` is whether the words leave no doubt that an hour is meant."""

    minutes: int
    start: int
    end: int
    sure: bool


def number(said: str) -> int | None:
    """A whole number below a hundred thousand in digits, in Chinese, or up to twelve in English; None where it is none."""
    said = said.strip().lower()
    if said.isdecimal():
        return int(said) if len(said) < 6 else None
    if said in _ENGLISH:
        return _ENGLISH.index(said)
    return _chinese(said)


def _chinese(said: str) -> int | None:
    """十二, 二十, 三百零五; also digit by digit: 三零."""
    if not said or any(c not in _DIGITS and c not in "十百" for c in said):
        return None
    if "十" not in said and "百" not in said:
        return int("".join(str(_DIGITS[c]) for c in said)) if len(said) < 6 else None
    total, digit = 0, 0
    for c in said:
        if c in _DIGITS:
            digit = _DIGITS[c]
        else:
            total, digit = total + (digit or 1) * (10 if c == "十" else 100), 0
    return total + digit


_N = r"\d{1,2}|[零〇一二两兩三四五六七八九十]{1,3}"
_NO_NUMBER = r"(?![\d零〇一二两兩三四五六七八九十百千万萬亿億米公元块塊])"
_COUNTED = r"[人个個名位辆輛台车車]"
"""What follows a number that counts: 下午4点两人受伤."""
_CHINESE = re.compile(
    rf"(?<![\d.第零〇一二两兩三四五六七八九十百])(?:差(?P<to>{_N}|一刻)分?(?:钟|鐘)?)?(?P<hour>{_N})"
    rf"(?:点|點|时(?![候间])|時(?![候間]))(?P<sharp>钟|鐘|整)?"
    rf"(?:(?P<half>半)|(?P<quarter>[一三])刻|[过過零]?(?P<minute>{_N})(?:分|(?!{_COUNTED}){_NO_NUMBER})|差(?P<less>{_N})分"
    rf"|(?=(?:{_N}){_COUNTED})|{_NO_NUMBER})"
)
_FIGURES = re.compile(
    r"(?<![\d:.\-/])(?P<hour>\d{1,2})[:\uff1a](?P<minute>[0-5]\d)(?![\d:])(?: ?(?P<half>[ap])\.?m\b\.?)?", re.I
)
_NAMES = "|".join(_ENGLISH[1:])
_SAID = re.compile(
    rf"\b(?P<before>half|quarter|five|ten|twenty(?:[- ]five)?|\d{{1,2}})(?: minutes?)? (?P<side>past|to) "
    rf"(?P<hour>{_NAMES}|\d{{1,2}})\b(?: ?(?P<half>[ap])\.?m\b\.?)?",
    re.I,
)
_ENGLISH_HOUR = re.compile(
    rf"(?<![\d:.])\b(?P<hour>{_NAMES}|\d{{1,2}})(?:\.(?P<minute>[0-5]\d))?(?: ?(?P<half>[ap])\.?m\b\.?| ?o['’]?clock\b)", re.I
)  # fmt: skip
_AT = re.compile(r"(?:\b(?:at|around|about|by|before|after|until|past)|[,\uff0c(])\s*(?:a )?$", re.I)
_HALVES = {"a": PartOfDay("am", (), 0, 12), "p": PartOfDay("pm", (), 12, 24)}
_DAYLIGHT = PartOfDay("", (), 7, 19)
"""What an hour means beside which nobody names a part of the day: 4 is in the afternoon, 9 in the morning."""
_STOPS = re.compile(r"[。\uff1b;!\uff01?\uff1f\n]|\. ")
_REACH_BEFORE, _REACH_AFTER = 20, 25
"""So many characters lie at most between an hour and the words for its part of the day."""


def clocks(story: str, parts: Sequence[PartOfDay]) -> Iterator[Clock]:
    """The hours that a story names, in its order."""
    found: list[Clock] = []
    for match in sorted(_matches(story), key=lambda m: (m.start(), -m.end())):
        if found and match.start() < found[-1].end:
            continue
        one = _clock(story, match, parts)
        if one is not None:
            found.append(one)
    yield from found


def _matches(story: str) -> Iterator[re.Match[str]]:
    for pattern in (_CHINESE, _FIGURES, _SAID, _ENGLISH_HOUR):
        yield from pattern.finditer(story)


def _clock(story: str, match: re.Match[str], parts: Sequence[PartOfDay]) -> Clock | None:
    said = match.groupdict()
    hour, minutes = number(said["hour"]), _minutes(said, match.re)
    if hour is None or hour > 24 or not -HOUR < minutes < HOUR:
        return None
    half = said.get("half") if match.re is not _CHINESE else None
    part, start, end = (_HALVES[half.lower()], match.start(), match.end()) if half else _part(story, match, parts)
    if match.re is _SAID and said["side"].lower() == "to" and not (part or _AT.search(story[: match.start()])):
        return None  # five to ten metres
    exact = match.re is not _CHINESE or bool(minutes or said["sharp"] or said["hour"].isdecimal())
    sure = part is not None or exact
    lead = said["hour"].startswith("0") and len(said["hour"]) == 2
    return Clock(_of_day(hour, minutes, part, as_said=lead), start, end, sure)


def _minutes(said: dict[str, str | None], pattern: re.Pattern[str]) -> int:
    """How many minutes after the hour named; before it, fewer than none."""
    if pattern is _SAID:
        word = (said["before"] or "").lower().replace("-", " ")
        plain = {"twenty": 20, "twenty five": 25, **_BEFORE_MIN}.get(word)
        count = plain if plain is not None else number(word) or 0
        return -count if (said["side"] or "").lower() == "to" else count
    if said.get("to") or said.get("less"):
        word = said.get("to") or said.get("less") or ""
        return -(_AFTER_MIN if word == "一刻" else number(word) or 0)
    if pattern is _CHINESE and said["half"]:
        return 30
    if said.get("quarter"):
        return _AFTER_MIN * (number(said["quarter"] or "") or 0)
    return number(said["minute"] or "") or 0 if said.get("minute") else 0


def _part(story: str, match: re.Match[str], parts: Sequence[PartOfDay]) -> tuple[PartOfDay | None, int, int]:
    """The part of the day named nearest to an hour in the same sentence, and where both together stand."""
    before = _STOPS.split(story[max(0, match.start() - _REACH_BEFORE) : match.start()])[-1]
    after = _STOPS.split(story[match.end() : match.end() + _REACH_AFTER])[0]
    near: list[tuple[int, int, PartOfDay, int, int]] = []
    for part in parts:
        for word in part.any:
            shape = re.compile(rf"\b{re.escape(word)}\b" if word.isascii() else re.escape(word), re.I)
            for one in shape.finditer(before):
                away = len(before) - one.end()
                near.append((away, -len(word), part, match.start() - len(before) + one.start(), match.end()))
            for one in shape.finditer(after) if word.isascii() else ():  # Chinese names it before the hour
                near.append((one.start(), -len(word), part, match.start(), match.end() + one.end()))
    if not near:
        return None, match.start(), match.end()
    return min(near, key=lambda n: n[:2])[2:]


def _of_day(hour: int, minutes: int, part: PartOfDay | None, *, as_said: bool) -> int:
    """Minutes after midnight: of the hours that this one may mean, the first that lies in its part of the day."""
    if part is None and (as_said or hour > 12):
        return hour * HOUR + minutes
    window = part or _DAYLIGHT
    step = 12 if hour <= 12 else 24
    for whole in range(hour % step, 48, step):
        at = whole * HOUR + minutes
        if window.start * HOUR <= at < window.end * HOUR:
            return at
    return hour * HOUR + minutes
