"""The duty roster, read from its document."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from lipei.domain.calendars import HOME
from lipei.domain.duty import DutyTable, Roster, Shift
from lipei.norms.errors import NormError
from lipei.norms.lines import known_keys
from lipei.norms.settings import whole, words, zone_of
from lipei.norms.triage import condition


def parse(document: Mapping[str, Any], *, home: str = "UTC") -> DutyTable:
    """The rules and the roster of a ``duty`` document.

    A shift is ``{from, to, persons}`` in local time of ``zone``, persons by staff id in the order of calling. The zone
    `HOME` is the company's: ``home``, that of nobody for who asks only whether the document makes sense.

    Raises NormError for a shift that ends before it begins, has nobody in it or names somebody twice, and for a time
    that the clock skips. Whether the roster has gaps is asked separately (`lipei.domain.duty.check_roster`).
    """
    known_keys("duty", document, required={"version", "calendar", "calls", "zone", "team_lead", "shifts"})
    zone = zone_of("duty.zone", home if document["zone"] == HOME else document["zone"])
    lead, shifts = document["team_lead"], document["shifts"]
    if not isinstance(shifts, list):
        raise NormError("norm_error.table.not_a_list", place="duty.shifts")
    version = whole("duty.version", document["version"], 1)
    roster = Roster(
        version=version,
        shifts=tuple(_shift(f"duty.shifts.{n}", row, zone) for n, row in enumerate(shifts, start=1)),
        team_lead=None if lead is None else whole("duty.team_lead", lead, 1),
    )
    calls = condition("duty.calls", document["calls"])
    return DutyTable(version, words("duty.calendar", document["calendar"]), calls, roster, zone.key)


def _shift(place: str, row: Any, zone: ZoneInfo) -> Shift:
    known_keys(place, row, required={"from", "to", "persons"})
    starts, ends = _instant(place, row["from"], zone), _instant(place, row["to"], zone)
    if ends <= starts:
        raise NormError("norm_error.duty.ends_before", place=place)
    persons = row["persons"]
    if not isinstance(persons, list) or not persons:
        raise NormError("norm_error.duty.nobody", place=place)
    staff = tuple(whole(place, person, 1) for person in persons)
    if len(set(staff)) != len(staff):
        raise NormError("norm_error.duty.twice", place=place)
    return Shift(starts, ends, staff)


def _instant(place: str, value: Any, zone: ZoneInfo) -> datetime:
    """A time of the document as a UTC instant. YAML may have read it as a datetime already."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise NormError("norm_error.duty.time", place=place, value=value) from None
    if not isinstance(value, datetime):
        raise NormError("norm_error.duty.time", place=place, value=str(value))
    if value.tzinfo is not None:
        return value.astimezone(UTC)
    instant = value.replace(tzinfo=zone).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) != value:
        raise NormError("norm_error.duty.time", place=place, value=str(value))
    return instant
