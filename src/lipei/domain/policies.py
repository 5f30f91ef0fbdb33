"""The policy (保单): what was bought, for whom, from when to when.

Lipei keeps the policy as it was told by the policy system or an import: enough to find it, to see whether it was in
force, and to settle by its terms. Amounts of the schedule are minor units of the policy's currency.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from lipei.domain.calendars import local_date
from lipei.domain.events import private

STATUSES = ("active", "cancelled", "lapsed", "void")
"""``void`` was never in force; ``cancelled`` and ``lapsed`` were until ``ended_at``."""

PERIODS = ("accident", "policy_year", "policy")
"""What a shared limit counts over: one accident, one policy year, or the whole life of the policy."""


@dataclass(frozen=True, slots=True)
class InsuredObject:
    """What or who is insured: a vehicle by its plate, a home by its address, a person by name."""

    part: int
    kind: str = ""  # vehicle, home, person, baggage
    identifier: str = private()  # plate, frame number, address, name
    description: str = private()


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy as a settlement needs it. The period is ``[starts_at, ends_at)``, UTC instants.

    ``schedule`` says per cover bought what was chosen: ``{"own_damage": {"sum_insured_minor": 15000000}}``. A cover
    that is not in it was not bought. ``zone`` is the zone whose days the contract counts in.
    """

    id: int
    number: str
    product: str
    terms_version: int
    currency: str
    starts_at: datetime
    ends_at: datetime
    status: str = "active"
    ended_at: datetime | None = None  # when a cancelled or lapsed policy stopped
    zone: str = "Asia/Shanghai"
    holder: str = private()
    insured: str = private()
    objects: tuple[InsuredObject, ...] = ()
    schedule: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def in_force_at(self, instant: datetime) -> bool:
        """Whether a loss at this instant falls into the policy's time (保险法 14: 按照约定的时间开始承担保险责任).

        The first instant counts, the last does not: a policy to midnight and its renewal never overlap.
        """
        if self.status == "void" or not self.starts_at <= instant < self.ends_at:
            return False
        return self.status == "active" or (self.ended_at is not None and instant < self.ended_at)

    def bought(self, cover: str) -> bool:
        """Whether the cover is part of this policy."""
        return cover in self.schedule

    def days_in_force(self, instant: datetime) -> int:
        """Days of the contract from its first day to this instant, 0 on the first day; negative before it."""
        return (self.day(instant) - self.day(self.starts_at)).days

    def day(self, instant: datetime) -> date:
        """The day of the contract on which an instant falls."""
        return local_date(instant, self.zone)

    def period_key(self, per: str, *, instant: datetime, claim_number: str) -> str:
        """The name of the period that a limit counts over: the claim, the policy year's first day, or the policy."""
        assert per in PERIODS, per
        if per == "accident":
            return claim_number
        first = self.day(self.starts_at)
        if per == "policy":
            return first.isoformat()
        return _year_start(first, self.day(instant)).isoformat()


def _year_start(first: date, day: date) -> date:
    """The first day of the policy year that ``day`` is in; a policy of 29 February turns on 28 February."""
    start = _anniversary(first, day.year)
    return start if start <= day else _anniversary(first, day.year - 1)


def _anniversary(first: date, year: int) -> date:
    try:
        return first.replace(year=year)
    except ValueError:
        return first.replace(year=year, day=28)
