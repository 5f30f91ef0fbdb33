"""What a customer's own account already says: likely facts, offered for confirmation and never taken for granted.

Norm 2.1.1 and 1.3.3: the story is heard in one piece, and what it tells is not asked again. The rules are two short lists
of a table: patterns that catch a value (a plate, a phone), and words that stand for one (a kind of loss, a time).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

STORY_LENGTH_MAX = 4_000
"""So much of a story is looked at."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """``pattern`` catches the value of a field: its first group, else all of it. ``drop``: characters left out of it."""

    code: str
    field: str
    pattern: str
    drop: str = ""


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
    """The rules in their order: of two that suggest the same field, the earlier comes first."""

    version: int
    patterns: tuple[Pattern, ...]
    words: tuple[Words, ...]


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
    for hint in (*_by_pattern(story, table.patterns), *_by_words(story, table.words, now)):
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
            if value:
                yield Hint(rule.code, {rule.field: value.upper() if rule.drop else value}, match[0].strip())


def _by_words(story: str, rules: Sequence[Words], now: datetime) -> Iterator[Hint]:
    low = story.lower()
    for rule in rules:
        if any(word.lower() in low for word in rule.unless):
            continue
        word = next((word for word in rule.any if word.lower() in low), None)
        if word is None:
            continue
        at = _when(rule, now)
        yield Hint(rule.code, {**(rule.says or {}), **({"loss_at": f"{at:%Y-%m-%dT%H:%M}"} if at else {})}, word)


def _when(rule: Words, now: datetime) -> datetime | None:
    if rule.days is None:
        return None
    if rule.hour is None:
        return now - timedelta(days=rule.days)
    at = datetime.combine(now.date() - timedelta(days=rule.days), time(rule.hour), now.tzinfo)
    return min(at, now)  # "this morning" said at seven is not nine
