"""The demonstration company: months of history made by driving the real services on a simulated clock.

Nothing is written past the services: reports, actions, offers, bank and messages go the way that they always go, only
`now` is the play's. The same seed tells the same stories; claim numbers, keys and what is drawn for sampling
differ from one database to the next, as they should.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection

from lipei.domain.events import Refusal
from lipei.reads import demo as in_place
from lipei.services import norms
from lipei.services.demo.doors import CUSTOMER, Door, customers_link, door, waiting
from lipei.services.demo.founding import PASSWORD, STAFF, Company, found, these_days
from lipei.services.demo.stage import Play, Stage, waking
from lipei.services.demo.stories import STORIES, WAITING, Story
from lipei.store import models

__all__ = [
    "CUSTOMER",
    "PASSWORD",
    "Door",
    "Filled",
    "customers_link",
    "door",
    "fill",
    "is_demonstration",
    "one_time_code",
    "sign_ins",
    "waiting",
]
CLAIMS, MONTHS, SEED = 100, 4, 1
_SLOW_SHARE = 0.15

Progress = Callable[[int, int], None]
"""Told after every step: claims reported so far, and claims in all."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What the demonstration holds: claims, policies, and the stories that could not be told to their end."""

    claims: int
    policies: int
    stuck: tuple[str, ...] = ()


def fill(
    *, claims: int = CLAIMS, months: int = MONTHS, seed: int = SEED, now: datetime, progress: Progress | None = None
) -> Refusal | Filled:
    """Fill an empty database with ``claims`` claims over ``months`` months before ``now``. Else refused."""
    if models.Claim.objects.exists() or models.Staff.objects.exists():
        return Refusal("refusal.demo_not_empty")
    chance = Random(seed)
    starts = now - timedelta(days=30 * months)
    with _for_show():
        company = found(chance=chance, policies=max(60, claims // 2), starts=starts, now=now)
        play = Play(ends=now, progress=progress)
        for stage, story in _cast(company, chance, claims, starts, now):
            play.begin(stage, story(stage))
        play.run()
        these_days(company, now)
    value: Any = {"seed": seed, "claims": claims, "months": months}
    models.CompanyState.objects.update_or_create(key=in_place.KEY, defaults={"value": value})
    return Filled(models.Claim.objects.count(), models.Policy.objects.count(), tuple(play.stuck))


def is_demonstration() -> bool:
    """Whether this database was filled by `fill`: only then the sign-ins of the demonstration exist."""
    return in_place.exists()


def sign_ins() -> Sequence[tuple[str, str, str]]:
    """One sign-in per role: role, user name, password. Empty outside a demonstration."""
    if not is_demonstration():
        return []
    first: Mapping[str, str] = {role: code for code, _, role in reversed(STAFF)}
    return [(role, code, PASSWORD) for role, code in reversed(list(first.items()))]


def one_time_code() -> str:
    """The code that every customer of a demonstration is sent."""
    return in_place.CODE[: norms.current().settings.one_time_code_digits]


def _cast(
    company: Company, chance: Random, claims: int, starts: datetime, now: datetime
) -> Iterator[tuple[Stage, Story]]:
    """Every story with its stage: each kind at least once, the rest by their weights, and the work left waiting."""
    left = WAITING[: max(0, claims - len(STORIES))]
    told = list(STORIES)[: claims - len(left)]
    told += chance.choices(list(STORIES), list(STORIES.values()), k=max(0, claims - len(left) - len(told)))
    for number, story in enumerate(told):
        slow = chance.random() < _SLOW_SHARE
        at = _moment(chance, starts, now, night=story.__name__.endswith("night"), early=number < len(STORIES))
        yield Stage(company, Random(chance.getrandbits(64)), at, slow=slow), story
    for one in left:
        at = now - timedelta(hours=one.hours) if one.hours < 1 else waking(now, one.hours)
        papers_at = waking(now, one.papers) if one.papers is not None else None
        yield (
            Stage(
                company, Random(chance.getrandbits(64)), at, leave_at=one.leave_at, ends=now, papers_at=papers_at,
                visit_days=one.visit_days,
            ),
            one.story,
        )  # fmt: skip


def _moment(chance: Random, starts: datetime, now: datetime, *, night: bool, early: bool) -> datetime:
    """When a loss is reported: mostly by day. ``early`` leaves the story time to come to its end."""
    days = (now - starts).days
    day = chance.randrange(max(1, days // 3 if early else days))
    hour = chance.choice((20, 21, 22, 23, 2)) if night else min(23, max(0, round(chance.gauss(13, 4))))
    local = (starts + timedelta(days=day)).astimezone(ZoneInfo(settings.TIME_ZONE))
    at = local.replace(hour=hour, minute=chance.randrange(60), second=chance.randrange(60), microsecond=0)
    return min(max(at, starts), now - timedelta(minutes=5)).astimezone(starts.tzinfo)


@contextmanager
def _for_show() -> Iterator[None]:
    """Nothing leaves the house, and a database that can be made again need not wait for the disk."""
    names = ("LIPEI_EMAIL_URL", "LIPEI_SMS_URL", "LIPEI_BANK_URL")
    before = {name: getattr(settings, name) for name in names}
    for name in names:
        setattr(settings, name, "demonstration:" if name == "LIPEI_BANK_URL" else "")
    try:
        _patient(False)
        yield
    finally:
        _patient(True)
        for name, value in before.items():
            setattr(settings, name, value)


def _patient(patient: bool) -> None:
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA synchronous={'FULL' if patient else 'OFF'}")
