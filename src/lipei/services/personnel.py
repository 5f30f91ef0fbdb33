"""Who works here and what they may do, on record (norm 1.4.3, part 4).

Roles, absences, lent authority, tokens and webhooks decide who may do what, so that each change of them is an entry in
the register of people, in the same transaction: who, when, and what it was before. An entry names the rows as they are
from then on by digest; `lipei verify` finds one that was altered, added or removed past the product.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from lipei.domain.events import Actor, Event
from lipei.domain.registers import PeopleRegister
from lipei.services import registers
from lipei.store import models

SAVED, AWAY, BACK = "people.staff_saved", "people.away", "people.back"
LENT, TAKEN_BACK = "people.lent", "people.taken_back"
TOKEN_MADE, TOKEN_REVOKED = "people.token_made", "people.token_revoked"

PLAIN = ("code", "roles", "unit", "skills", "regions", "languages", "active")
"""What an entry says of a member of staff before and after; of everything else, that it was changed."""
SHOWN = 10


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody did to a member of staff. ``values``: field → before and after; ``besides``: other fields changed."""

    at: datetime
    by: str
    new: bool
    values: Mapping[str, tuple[Any, Any]]
    besides: tuple[str, ...]


def begin(*, now: datetime) -> None:
    """Put a company that was there before its record began on it, as it is; one that is empty begins with its first change."""
    if models.Staff.objects.exists():
        registers.begin(PeopleRegister, now=now)


def record(
    kind: str, rows: Any, facts: Mapping[str, Any], *, actor: Actor | None, now: datetime, gone: Sequence[str] = ()
) -> None:
    """Say in the register what was done to ``rows`` (a queryset), in the transaction in which it was.

    ``gone`` are the names of rows that are no more; ``actor`` None is the operator at the command line.
    """
    named = {**dict(registers.named(rows)), **dict.fromkeys(gone, "")}
    event = Event(kind, 0, {**facts, "rows": named})
    registers.append(PeopleRegister, event, actor=actor or registers.LIPEI, now=now)


def before(row: Any) -> dict[str, Any]:
    """The fields of a member of staff as they are now, to be given to `staff_saved` after the change."""
    return {f.attname: getattr(row, f.attname) for f in models.Staff._meta.concrete_fields} if row.pk else {}


def staff_saved(
    changed: Sequence[tuple[Any, Mapping[str, Any]]], *, actor: Actor, now: datetime, besides: Sequence[str] = ()
) -> None:
    """Members of staff, each with its fields `before`; ``besides`` are changes that no field shows (a new password).

    Where nothing changed nothing is said.
    """
    said = {str(row.pk): what for row, known in changed if (what := _difference(row, known, besides))}
    if said:
        rows = models.Staff.objects.filter(id__in=[int(number) for number in said])
        record(SAVED, rows, {"staff": said}, actor=actor, now=now)


def _difference(row: Any, known: Mapping[str, Any], besides: Sequence[str]) -> dict[str, Any]:
    after = before(row)
    differs = [name for name, value in after.items() if name != "id" and (not known or known[name] != value)]
    values = {name: (known.get(name), after[name]) for name in differs if name in PLAIN}
    others = sorted({*(name for name in differs if known and name not in PLAIN), *besides})
    return {"new": not known, "values": values, "besides": others} if differs or besides else {}


def history(staff_id: int) -> tuple[Change, ...]:
    """The last changes of a member of staff, the newest first. One query."""
    about = (
        (at, by, what) for at, by, facts in registers.told(PeopleRegister, SAVED)
        if (what := facts["staff"].get(str(staff_id)))
    )  # fmt: skip
    return tuple(
        Change(at, by, what["new"], {n: (a, b) for n, (a, b) in what["values"].items()}, tuple(what["besides"]))
        for at, by, what in islice(about, SHOWN)
    )
