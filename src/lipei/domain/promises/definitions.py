"""What is promised: the definitions that clocks run on, and the small language in which they are written.

A definition is a row of ``norms/defaults/promises.yaml`` or of a manager's edit of it. It names events by their journal
kind. Where an event alone does not tell, a rule adds named looks at the case (`LOOKS`) or values of the event's facts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

from lipei.domain import papers
from lipei.domain.calendars import HOME
from lipei.domain.claims import Case, Claim, Clock, Exposure
from lipei.domain.conditions import ALWAYS, Condition, holds
from lipei.domain.events import Event, Value, private_fields

UNITS_ELAPSED = {"elapsed_minutes": 1, "elapsed_hours": 60}  # unit → minutes of real time
UNITS_WORKING = {"working_minutes": 1, "working_hours": 60}  # unit → minutes of working time
UNITS_DAYS = {"calendar_days": 1, "weeks": 7}  # unit → days
UNITS_MONTHS = {"months": 1, "years": 12}  # unit → months
UNIT_WORKING_DAYS = "working_days"
UNITS = (*UNITS_ELAPSED, *UNITS_WORKING, *UNITS_DAYS, *UNITS_MONTHS, UNIT_WORKING_DAYS)

BINDS = ("company", "law", "regulator", "team")
SCOPES = ("claim", "exposure")
ON_REOPEN = ("", "resume", "new", "unkept", "again")
EFFECTS = ("escalate", "apologise", "report")

_SETTLED = frozenset({"settled", "refused", "dropped"})
_NOTHING_DUE = frozenset({"refused", "dropped"})
ENDED = frozenset({"closed", "withdrawn", "cancelled"})

Look = Callable[[Case, int], bool]
"""A question about the case, and about one exposure of it where a clock is the exposure's own (else 0)."""


def _every_exposure(case: Case, exposure: int, states: frozenset[str]) -> bool:
    if exposure:
        return exposure in case.exposures and case.exposures[exposure].state in states
    return bool(case.exposures) and all(e.state in states for e in case.exposures.values())


def _assessed(case: Case, exposure: int) -> bool:
    chosen = [case.exposures[exposure]] if exposure else list(case.exposures.values())
    return bool(chosen) and all(e.assessed_at is not None or e.state in papers.DECIDED for e in chosen)


def _unoffered(case: Case, exposure: int) -> bool:
    """Whether a head of loss that is not decided (any more) was never offered: no decision on it was ever told."""
    offered = {n for o in case.offers.values() if o.sent_at is not None for n in o.exposures}
    chosen = [case.exposures[exposure]] if exposure else list(case.exposures.values())
    return not chosen or any(e.state not in papers.DECIDED and e.part not in offered for e in chosen)


def _reported(case: Case, exposure: int) -> bool:
    """Whether a head of loss is of what the report told of, and the first that is."""
    alike = [part for part, one in case.exposures.items() if one.peril == case.claim.loss_kind]
    return exposure == min(alike, default=0)


def _unheard(case: Case, exposure: int) -> bool:
    told = any(note.kind == "told" for note in case.of("note").values())
    return case.claim.opinion_at is None and not told


LOOKS: Mapping[str, Look] = {
    "papers_outstanding": lambda case, exposure: bool(papers.awaited(case, exposure)),
    "papers_complete": lambda case, exposure: not papers.awaited(case, exposure),
    # One complete request only (保险法22): a second request is our own doing and stops no promise.
    "first_request": lambda case, exposure: case.claim.papers_requests <= 1,
    "surveys_done": lambda case, exposure: all(s.state != "scheduled" for s in case.surveys.values()),
    "all_assessed": _assessed,
    "all_decided": lambda case, exposure: _every_exposure(case, exposure, papers.DECIDED),
    "all_settled": lambda case, exposure: _every_exposure(case, exposure, _SETTLED),
    # For starts that may come late (a new triage): a promise that was kept before it began could never be kept again.
    "undecided": lambda case, exposure: not _every_exposure(case, exposure, papers.DECIDED),
    "unsettled": lambda case, exposure: not _every_exposure(case, exposure, _SETTLED),
    "reported": _reported,
    "learnt_later": lambda case, exposure: not _reported(case, exposure),
    "unheard": _unheard,  # no person has told the customer anything yet
    "untold": lambda case, exposure: case.claim.last_told_at is None,  # nor has the product
    "unoffered": _unoffered,
    "unasked": lambda case, exposure: not case.claim.papers_requests,
    "nothing_due": lambda case, exposure: _every_exposure(case, exposure, _NOTHING_DUE),
    "refused_in_part": lambda case, exposure: any(
        e.refused_minor for n, e in case.exposures.items() if exposure in (0, n)
    ),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """An event that moves a clock, if every look holds and the event's facts have one of the values named.

    ``from_event``: a clock that it starts runs from the event, whatever the promise's ``since``.
    """

    event: str
    when: tuple[str, ...] = ()
    facts: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    from_event: bool = False

    def fires(self, event: Event, case: Case, exposure: int) -> bool:
        """Whether this event, on this case (after it) and this exposure (0: the claim), moves the clock."""
        return (
            event.kind == self.event
            and all(event.facts.get(name) in values for name, values in self.facts.items())
            and self.holds(case, exposure)
        )

    def holds(self, case: Case, exposure: int) -> bool:
        """Whether every look holds, whatever happened."""
        return all(LOOKS[name](case, exposure) for name in self.when)


class Fields(Mapping[str, Value]):
    """The fields that a promise's condition may look at, read from the case when they are asked for.

    A bare name is a field of the claim, ``exposure.…`` one of the clock's own exposure, ``any_exposure.…`` one of each
    exposure; ``….facts.<name>`` looks into an exposure's facts. What does not exist is unknown.
    """

    def __init__(self, case: Case, exposure: int) -> None:
        self._case, self._exposure = case, exposure

    def __getitem__(self, name: str) -> Value:
        where, _, rest = name.partition(".")
        if not rest:
            return getattr(self._case.claim, name)
        if where == "any_exposure":
            return tuple(_read(part, rest) for part in self._case.exposures.values())
        part = self._case.exposures.get(self._exposure)
        return None if part is None else _read(part, rest)

    def __iter__(self) -> Iterator[str]:
        return (f.name for f in fields(Claim))

    def __len__(self) -> int:
        return len(fields(Claim))


def _read(part: Exposure, name: str) -> Value:
    first, _, key = name.partition(".")
    value = getattr(part, first)
    return value.get(key) if key else value


def is_field(name: str) -> bool:
    """Whether a condition may name this field, see `Fields`."""
    where, _, rest = name.partition(".")
    if not rest:
        return name in _CLAIM_FIELDS
    first, _, key = rest.partition(".")
    return where in ("exposure", "any_exposure") and first in _EXPOSURE_FIELDS and bool(key) == (first == "facts")


_CLAIM_FIELDS = frozenset(f.name for f in fields(Claim)) - private_fields(Claim)
_EXPOSURE_FIELDS = frozenset(f.name for f in fields(Exposure)) - private_fields(Exposure)


@dataclass(frozen=True, slots=True)
class Warn:
    """A level of warning: at a share of the limit, or so many minutes (of working or real time) before the due time."""

    percent: int = 0
    minutes_before: int = 0
    working: bool = False


@dataclass(frozen=True)
class Promise:
    """One promise or legal limit (norm 2.3.1). ``limit`` counts in ``unit`` on ``calendar``.

    ``since`` names the field of the claim from which the clock runs, whoever starts it later (once the claim was
    reopened: from then on); empty: the event itself.
    ``restart``: another start event begins an open clock anew. ``again``: it may start once more after it ended.
    ``undo``: what shows that it was not kept after all; the clock runs on as if it had never ended.
    ``on_reopen``: with the claim its last clock goes on (``resume``), a ``new`` one begins (``unkept``: where the last was not
    kept), it may start ``again`` by its own events, or nothing.
    ``recheck``: an open clock whose condition no longer holds ends, unless its date was told to the customer.
    ``ends_with_claim``: closing the claim ends it. ``source_status`` is ``read`` or ``unsourced``, as in the texts.
    """

    code: str
    version: int
    binds: str
    limit: int
    unit: str
    calendar: str
    start: tuple[Rule, ...]
    fulfil: tuple[Rule, ...] = ()
    cancel: tuple[Rule, ...] = ()
    pause: tuple[Rule, ...] = ()
    resume: tuple[Rule, ...] = ()
    undo: tuple[Rule, ...] = ()
    since: str = ""
    scope: str = "claim"
    markets: tuple[str, ...] = ()  # empty: every market
    lines: tuple[str, ...] = ()  # lines of business; empty: every line, known or not
    condition: Condition = ALWAYS
    warnings: tuple[Warn, ...] = ()
    tell_warning: tuple[str, ...] = ()  # roles, or "handler" for the claim's own
    tell_breach: tuple[str, ...] = ()
    on_breach: tuple[str, ...] = ()  # of EFFECTS
    on_reopen: str = ""
    again: bool = False
    restart: bool = False
    recheck: bool = True
    ends_with_claim: bool = True
    told_to_customer: bool = False
    enabled: bool = True
    duties: tuple[str, ...] = ()  # rows of the law table that this promise serves
    clause: str = ""  # of the norm
    article: str = ""  # of the law
    source_status: str = ""

    @property
    def text_key(self) -> str:
        """The key of its plain name in the texts."""
        return f"promise.{self.code}"

    def applies(self, case: Case, exposure: int) -> bool:
        """Whether it is made for this claim, or for one exposure of it, by line and condition."""
        if self.lines and case.claim.line not in self.lines:
            return False
        return self.condition is ALWAYS or holds(self.condition, Fields(case, exposure))

    def kinds(self) -> frozenset[str]:
        """The journal kinds that start or move its clocks."""
        return self.moved_by | {rule.event for rule in (*self.start, *self.undo)}

    @cached_property
    def moved_by(self) -> frozenset[str]:
        """The journal kinds that move its open clocks."""
        return frozenset(rule.event for rule in (*self.fulfil, *self.cancel, *self.pause, *self.resume))


def fires(rules: tuple[Rule, ...], event: Event, case: Case, exposure: int) -> bool:
    """Whether any of the rules fires."""
    return any(rule.event == event.kind and rule.fires(event, case, exposure) for rule in rules)


@dataclass(frozen=True)
class Promises:
    """The promises in force by code, and every version that an open or ended clock may still name.

    ``ending`` are the kinds that end the clocks of a claim, see `Promise.ends_with_claim`; ``voiding`` those after
    which no clock of the claim makes sense (withdrawn, cancelled, merged: case 20 of the clock cases).
    """

    current: Mapping[str, Promise]
    history: Mapping[tuple[str, int], Promise]
    ending: frozenset[str] = frozenset()
    voiding: frozenset[str] = frozenset()

    @classmethod
    def of(
        cls,
        current: Iterable[Promise],
        older: Iterable[Promise] = (),
        *,
        ending: Iterable[str] = (),
        voiding: Iterable[str] = (),
    ) -> Promises:
        """Promises in force (rows switched off are left out, but remembered) and older versions."""
        rows = list(current)
        history = {(row.code, row.version): row for row in (*older, *rows)}
        in_force = {row.code: row for row in rows if row.enabled}
        return cls(in_force, history, frozenset(ending), frozenset(voiding))

    def at(self, code: str, version: int) -> Promise:
        """One version of a promise. Raises KeyError where it was never known."""
        return self.history[code, version]

    def of_clock(self, clock: Clock) -> Promise:
        """The definition a clock runs on."""
        return self.history[clock.promise, clock.promise_version]

    def in_force(self, clock: Clock) -> Promise:
        """What its promise says now, else the definition it runs on: who is told, and what a breach does, is no term of a
        clock that began, but of the company as it is when there is something to tell."""
        return self.current.get(clock.promise) or self.of_clock(clock)

    @cached_property
    def started_by(self) -> Mapping[str, tuple[tuple[Promise, Rule], ...]]:
        """Journal kind → promises in force that it may start, with the rule."""
        return _by_event((promise, rule) for promise in self.current.values() for rule in promise.start)

    @cached_property
    def undone_by(self) -> Mapping[str, tuple[tuple[Promise, Rule], ...]]:
        """Journal kind → promises in force whose keeping it undoes, with the rule."""
        return _by_event((promise, rule) for promise in self.current.values() for rule in promise.undo)

    @cached_property
    def kinds(self) -> frozenset[str]:
        """Every journal kind that may move a clock: all others are passed over at once."""
        named = (promise.kinds() for promise in self.history.values())
        return frozenset({"claim.reopened"}).union(self.ending, self.voiding, *named)


def _by_event(pairs: Iterable[tuple[Promise, Rule]]) -> Mapping[str, tuple[tuple[Promise, Rule], ...]]:
    found: dict[str, list[tuple[Promise, Rule]]] = {}
    for promise, rule in pairs:
        found.setdefault(rule.event, []).append((promise, rule))
    return {kind: tuple(rules) for kind, rules in found.items()}


@dataclass(frozen=True, slots=True)
class Profile:
    """Whose law applies: the markets whose rows are in force, and the company's own calendar."""

    markets: tuple[str, ...]
    calendar: str


@dataclass(frozen=True)
class PromiseTable:
    """The whole table of promises as it is edited: rows of every market, and which markets make up a profile."""

    version: int
    rows: tuple[Promise, ...]
    profiles: Mapping[str, Profile]
    ending: tuple[str, ...]
    voiding: tuple[str, ...]

    def promises(self, *, profile: str, older: Iterable[PromiseTable] = ()) -> Promises:
        """What is in force under a profile. ``older`` are earlier versions of the table, for clocks still on them.

        Raises KeyError for an unknown profile.
        """
        chosen = self.profiles[profile]
        rows = [
            row if not row.markets or set(row.markets) & set(chosen.markets) else replace(row, enabled=False)
            for row in self._at_home(chosen)
        ]
        # Rows of other markets are remembered, switched off: a clock outlives a change of profile.
        earlier = [row for table in older for row in table._at_home(table.profiles.get(profile, chosen))]
        return Promises.of(rows, earlier, ending=self.ending, voiding=self.voiding)

    def _at_home(self, profile: Profile) -> list[Promise]:
        return [replace(row, calendar=profile.calendar) if row.calendar == HOME else row for row in self.rows]


@dataclass(frozen=True, slots=True)
class LawRow:
    """One time limit or duty of the law table: served by promises, or with the reason why no clock runs."""

    id: str
    market: str
    line: str
    step: str
    trigger: str
    unit: str
    calendar: str
    kind: str
    contract_may_vary: bool
    limit: int | None = None
    article: str = ""
    clock_pause: str = ""
    promises: tuple[str, ...] = ()
    no_clock: str = ""
    source: str = ""
    source_status: str = ""
    note: str = ""

    @property
    def text_key(self) -> str:
        """The key of its wording in the texts."""
        return f"law.{self.id}"


NO_CLOCK = ("complaint", "conduct", "consequence", "contract", "customers_right", "no_event", "no_number", "retention",
            "superseded", "threshold")  # fmt: skip
"""Why a row of the law table runs no clock on a claim; each a text ``law_no_clock.<reason>``."""
