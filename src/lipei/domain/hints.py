"""What a customer's own account already says: likely facts, offered for confirmation and never taken for granted.

Norm 2.1.1 and 1.3.3: the story is heard in one piece, and what it tells is not asked again. The rules are two short lists
of a table: patterns that catch a value (a plate, a phone), and words that stand for one (a kind of loss, a time).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from lipei.domain import spoken, spoken_days
from lipei.domain.spoken import PartOfDay

STORY_LENGTH_MAX = 4_000
"""So much of a story is looked at."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """``pattern`` catches the value of a field: its first group, else all of it. ``drop``: characters left out of it.
    ``count``: it catches a number as people say it, and the first that is caught is the field's."""

    code: str
    field: str
    pattern: str
    drop: str = ""
    count: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """Any of these words, unless one of those, suggests these values. ``days`` and ``hour`` suggest the time of the loss
    instead: so many days ago at that hour, company time; without an hour, now."""

    code: str
    any: tuple[str, ...]
    unless: tuple[str, ...] = ()
    says: Mapping[str, str] | None = None
    days: int | None = None
    hour: int | None = None


@dataclass(frozen=True, slots=True)
class HintTable:
    """The rules in their order: of two that suggest the same field, the earlier comes first. ``clock``: how people name
    the parts of the day."""

    version: int
    patterns: tuple[Pattern, ...]
    words: tuple[Words, ...]
    clock: tuple[PartOfDay, ...] = ()


@dataclass(frozen=True, slots=True)
class Hint:
    """What may be filled in, field → value, and the words of the story that suggest it."""

    code: str
    says: Mapping[str, str]
    because: str


def found(*, story: str, table: HintTable, known: Collection[str], now: datetime) -> tuple[Hint, ...]:
    """What a story suggests for fields that are not ``known`` yet; each value once.

    ``now`` is an instant in the company's zone; times are suggested as a form's field takes them, ``2026-11-24T10:00``.
    """
    story = story[:STORY_LENGTH_MAX]
    seen: set[tuple[tuple[str, str], ...]] = set()
    hints = []
    exact = (*_by_pattern(story, table.patterns), *_by_clock(story, table, now))
    read = {name for hint in exact for name in hint.says}
    general = (hint for hint in _by_words(story, table.words, now) if hint.says and read.isdisjoint(hint.says))
    for hint in (*exact, *general):
        fresh = {name: value for name, value in hint.says.items() if name not in known}
        key = tuple(sorted(fresh.items()))
        if fresh and key not in seen:
            seen.add(key)
            hints.append(Hint(hint.code, fresh, hint.because))
    return tuple(hints)


def _by_pattern(story: str, rules: Sequence[Pattern]) -> Iterator[Hint]:
    for rule in rules:
        for match in re.finditer(rule.pattern, story, re.IGNORECASE):
            value = (match[1] if match.re.groups else match[0]) or ""
            value = value.translate({ord(c): None for c in rule.drop}).strip()
            if rule.count:
                value = str(spoken.number(value) or "")
            if value:
                yield Hint(rule.code, {rule.field: value.upper() if rule.drop else value}, match[0].strip())
                if rule.count:
                    break


def _by_clock(story: str, table: HintTable, now: datetime) -> Iterator[Hint]:
    """The hours that are named, each on the day that is named for it."""
    low = story.lower()
    days = [
        (low.index(word.lower()), word, rule.days) for rule, word in _said(story, table.words) if rule.days is not None
    ]
    dated = list(spoken_days.days(story, now.date()))
    days += dated
    clocks = [clock for clock in spoken.clocks(story, table.clock) if clock.sure or _day_of(clock, days)]
    for clock in clocks:
        at, word, ago = _day_of(clock, days) or (clock.start, "", None)
        begin, end = min(at, clock.start), max(at + len(word), clock.end)
        near = end - begin <= len(word) + (clock.end - clock.start) + _NEAR
        because = story[begin:end] if near else story[clock.start : clock.end]
        yield Hint("clock", {"loss_at": f"{_at(clock.minutes, ago, now):%Y-%m-%dT%H:%M}"}, because)
    for _, word, ago in () if clocks else dated:  # no hour: noon, which whoever writes it down puts right
        yield Hint("day", {"loss_at": f"{_at(_NOON, ago, now):%Y-%m-%dT%H:%M}"}, word)


def _day_of(clock: spoken.Clock, days: Sequence[tuple[int, str, int]]) -> tuple[int, str, int] | None:
    """The day named last before an hour; in English, which may name it afterwards, else the next one."""
    before = [day for day in days if day[0] < clock.end]
    after = [day for day in days if day[0] >= clock.end and day[1].isascii()]
    return max(before, default=None) or min(after, default=None)


_NOON = 12 * spoken.HOUR
_NEAR = 6
"""A day and an hour with no more characters between them are shown as one."""


def _at(minutes: int, days: int | None, now: datetime) -> datetime:
    """An hour of the day so many days ago, which has passed: of a night that begins today, the last one."""
    midnight = datetime.combine(now.date() - timedelta(days=days or 0), time(), now.tzinfo)
    at = midnight + timedelta(minutes=minutes)
    if at > now and (days is None or minutes >= spoken.DAY):
        at -= timedelta(days=1)
    return min(at, now)


def _said(story: str, rules: Sequence[Words]) -> Iterator[tuple[Words, str]]:
    """The rules that a story speaks of, each with its word."""
    low = story.lower()
    for rule in rules:
        if any(word.lower() in low for word in rule.unless):
            continue
        word = next((word for word in rule.any if word.lower() in low), None)
        if word is not None:
            yield rule, word


def _by_words(story: str, rules: Sequence[Words], now: datetime) -> Iterator[Hint]:
    for rule, word in _said(story, rules):
        at = _when(rule, now)
        yield Hint(rule.code, {**(rule.says or {}), **({"loss_at": f"{at:%Y-%m-%dT%H:%M}"} if at else {})}, word)


def _when(rule: Words, now: datetime) -> datetime | None:
    if rule.days is None:
        return None
    if rule.hour is None:
        return now - timedelta(days=rule.days)
    at = datetime.combine(now.date() - timedelta(days=rule.days), time(rule.hour), now.tzinfo)
    return min(at, now)  # "this morning" said at seven is not nine
