"""What happened: facts in the past tense, and the changes they carry.

Everything that Lipei knows about a claim is the sum of its events. An event says three things:

* its *kind*, past tense under its subject: ``exposure.assessed`` (the list is `lifecycle.STEPS` and `KINDS`);
* its *facts*: what a reader needs in order to tell the story. No personal data, no free text;
* its *changes*: which fields of which part have which value from now on.

An aggregate (a claim, a policy's ledger) is the fold of its events' changes, and nothing else: `Aggregate.after` is
that fold. The rows of the database are a copy of the fold kept for questions; `lipei verify` compares the two.

A rule answers with a `Refusal` or with events, never with an exception and never by altering what it was given.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Self

Value = Any
"""What a change or a fact may hold: None, bool, int, str, date, aware datetime, and tuples or dicts of these.

Money is an int of minor units beside its currency; floats are refused by the journal.
"""


def private(default: str = "") -> Any:
    """A field of a part that holds personal data or free text (norm part 4).

    The row keeps it encrypted, the journal keeps only a keyed digest of it, and pages show it masked.
    """
    return field(default=default, metadata={"private": True})


@cache
def private_fields(part: type) -> frozenset[str]:
    """The names of a part's fields declared with `private`."""
    return frozenset(f.name for f in fields(part) if f.metadata.get("private"))


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and on whose behalf (norm 1.4.3: a name on every step).

    ``id`` is stable and names the kind of actor: ``staff:12``, ``customer:P3``, ``token:7``, ``system:straight-through``.
    """

    id: str
    name: str
    roles: frozenset[str] = frozenset()
    unit: str = ""
    on_behalf_of: str = ""

    @property
    def is_person(self) -> bool:
        """Whether a human being acts. Only persons refuse claims (norm part 4)."""
        return self.id.startswith(("staff:", "customer:"))

    @property
    def by_rule(self) -> bool:
        """Whether the product itself acts. It has no interest of its own: what one rule made, another may go on with."""
        return self.id.startswith("system:")

    @property
    def hands(self) -> frozenset[str]:
        """The ids of whoever stands behind the act: who does it, and on whose behalf."""
        return frozenset({self.id, self.on_behalf_of} - {""})

    @property
    def staff_id(self) -> int | None:
        """The row of the member of staff, or None for customers, programs and the system itself."""
        return int(self.id.removeprefix("staff:")) if self.id.startswith("staff:") else None


@dataclass(frozen=True, slots=True)
class Change:
    """One part of an aggregate, put or altered.

    ``part`` is 0 for the aggregate's own root and 1, 2, … for its parts, numbered within it by kind (``exposure`` 1
    and ``paper`` 1 are different things). Only the fields named have a new value.
    """

    entity: str
    part: int
    fields: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Event:
    """One fact. ``part`` says which part of its subject's kind it is about (0: the aggregate itself).

    ``occurred_at`` is only given where it differs from the instant of the command: a breach happened at its due
    instant, an imported claim years ago.
    """

    kind: str
    part: int = 0
    facts: Mapping[str, Value] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    occurred_at: datetime | None = None

    @property
    def subject(self) -> str:
        """``exposure`` of ``exposure.assessed``."""
        return self.kind.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something was not done, as a code of the texts table with its parameters, and what to do instead.

    ``kind`` is how an interface answers: ``state`` (409, with the actions possible now), ``permission`` (403, with the
    permission missing), ``fields`` (422, with a code per field), ``conflict`` (409, somebody was faster) or
    ``missing`` (404).
    """

    code: str
    kind: str = "state"
    params: Mapping[str, Value] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)

    KINDS: ClassVar = ("state", "permission", "fields", "conflict", "missing")

    def __post_init__(self) -> None:
        assert self.kind in self.KINDS, self.kind


Outcome = Refusal | tuple[Event, ...]


def wrong(**codes: str) -> Refusal:
    """A refusal of what was entered: one text code per field."""
    return Refusal("refusal.fields", "fields", fields=codes)


@dataclass(frozen=True)
class Aggregate:
    """A frozen snapshot: its parts by kind and number, and the journal version it was read at.

    Subclasses name their ``kind`` (the stream's kind) and ``entities``: entity name → frozen dataclass of the part.
    """

    id: int
    version: int = 0
    parts: Mapping[str, Mapping[int, Any]] = field(default_factory=dict)

    kind: ClassVar[str]
    entities: ClassVar[Mapping[str, type]]

    def of(self, entity: str) -> Mapping[int, Any]:
        """The parts of one kind, in the order of their numbers; empty where there are none."""
        assert entity in self.entities, entity
        return self.parts.get(entity, {})

    def next_part(self, entity: str) -> int:
        """The number the next part of this kind gets. Parts are never deleted, so numbers are never reused."""
        return max(self.of(entity), default=0) + 1

    def after(self, events: Iterable[Event]) -> Self:
        """The aggregate once these events have happened. The fold: the only way in which a snapshot changes.

        ``version`` stays: it says what was read, and the write path needs it.
        """
        parts = dict(self.parts)
        for (entity, number), values in merged(events).items():
            rows = parts.get(entity, {})
            before = rows.get(number)
            after = self.entities[entity](part=number, **values) if before is None else altered(before, values)
            parts[entity] = {**rows, number: after}
        made: Self = altered(self, {"parts": parts})
        return made


def altered(part: Any, values: Mapping[str, Value]) -> Any:
    """A part with some fields changed: `dataclasses.replace` at a fraction of its cost, for parts without slots."""
    unknown = values.keys() - part.__dict__.keys()
    assert not unknown, (type(part), unknown)
    made = object.__new__(type(part))
    made.__dict__.update(part.__dict__, **values)
    return made


def merged(events: Iterable[Event]) -> dict[tuple[str, int], dict[str, Value]]:
    """Per part touched the fields with their last values, in the order in which the parts were first touched."""
    found: dict[tuple[str, int], dict[str, Value]] = {}
    for event in events:
        for change in event.changes:
            found.setdefault((change.entity, change.part), {}).update(change.fields)
    return found
