"""What a list is asked for, read from its address: filters, columns, views. What makes no sense is left out silently.

The address says everything, so that it can be shared, kept as a view, exported and gone back to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.utils import timezone

from lipei.domain import lifecycle
from lipei.domain.events import Actor
from lipei.domain.rulebook import Rulebook
from lipei.norms.texts import text
from lipei.reads import agenda, colleagues
from lipei.reads import worklist as lists
from lipei.reads.worklist import Filters, Horizon
from lipei.web.templatetags.lipei import language, word

WORK, ALL = "worklist", "claims"
LEADS = frozenset({"team_lead", "manager"})
FLAGS = ("fast_lane", "unassigned", "for_customer", "help_wanted", "suspicion", "report_upwards", "new")
COLUMNS: Mapping[str, str] = {
    # column: the key of its heading
    "next": "worklist.col.next",
    "waits": "worklist.col.waits",
    "state": "field.state",
    "person": "console.col.person",
    "loss": "field.loss_kind",
    "handler": "field.handler",
    "unit": "field.unit",
    "lane": "worklist.col.lane",
    "estimate": "field.estimate",
    "reported": "field.reported_at",
    "loss_at": "field.loss_at",
}
"""What may be chosen; the promise and the number always stand in front."""
USUAL: Mapping[str, tuple[str, ...]] = {
    WORK: ("next", "waits", "state", "person", "handler", "estimate"),
    ALL: ("state", "person", "handler", "estimate", "reported"),
}
FITTING: Mapping[str, tuple[str, ...]] = {
    WORK: tuple(COLUMNS),
    ALL: tuple(c for c in COLUMNS if c not in ("next", "waits")),
}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Asked:
    """The clean query of a list. ``said`` holds only what narrows it; ``columns`` only a choice that is not the usual."""

    page: str
    whose: str
    said: Mapping[str, str]
    columns: tuple[str, ...]
    horizon: Horizon
    since: datetime
    handlers: Mapping[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> tuple[str, ...]:
        """The columns in their order."""
        return self.columns or _usual(self.page, self.whose)

    def pairs(self, without: Sequence[str] = (), **other: str) -> list[tuple[str, str]]:
        """The query of the same list, with some things left out or said otherwise."""
        said = {**({"whose": self.whose} if self.page == WORK else {}), **self.said, **other}
        pairs = [(k, v) for k, v in said.items() if v and k not in without]
        pairs += [("col", c) for c in self.columns if "col" not in without]
        if not pairs and self.page == ALL:
            pairs = [("plain", "1")]  # so that a view that the list opens with does not come back
        return pairs

    def query(self, without: Sequence[str] = (), **other: str) -> str:
        """The same as the query string of an address."""
        return urlencode(self.pairs(without, **other))

    def filters(self) -> Filters:
        """The same for `reads.worklist`."""
        said = self.said
        return Filters(
            q=said.get("q", ""),
            state=said.get("state", ""),
            line=said.get("line", ""),
            due=said.get("due", ""),
            late=said.get("late") == "1",
            horizon=self.horizon,
            fast_lane=_yes(said, "fast_lane"),
            help_wanted=_yes(said, "help_wanted"),
            suspicion=_yes(said, "suspicion"),
            report_upwards=_yes(said, "report_upwards"),
            unassigned=said.get("unassigned") == "1",
            for_customer=said.get("for_customer") == "1",
            handler=int(said["handler"]) if "handler" in said else None,
            reported_from=self.since if said.get("new") == "1" else _midnight(said.get("from", "")),
            reported_to=_midnight(said.get("to", ""), days=1),
        )


def _usual(page: str, whose: str) -> tuple[str, ...]:
    """One's own name is not repeated in every row; where it stands, the sum makes room for it."""
    needless = "" if page == ALL else "handler" if whose == "mine" else "estimate"
    return tuple(c for c in USUAL[page] if c != needless)


def _yes(said: Mapping[str, str], name: str) -> bool | None:
    return True if said.get(name) == "1" else None


def _midnight(day: str, days: int = 0) -> datetime | None:
    """The beginning of a day in the company's zone; of the day after with ``days`` 1."""
    if not day:
        return None
    begin = datetime.combine(date.fromisoformat(day) + timedelta(days=days), time.min)
    return timezone.make_aware(begin)


def read(request: HttpRequest, page: str, viewer: Actor, book: Rulebook, now: datetime, given: Any = None) -> Asked:
    """The query of a request (or ``given``), cleaned. Two queries for who may narrow by handler, else none."""
    got = request.GET if given is None else QueryDict(given)
    horizon = Horizon.of(now, timezone.get_current_timezone())
    handlers = _handlers(viewer, now)
    said: dict[str, str] = {}
    q = got.get("q", "").strip()[:80]
    if q:
        said["q"] = q
    choices: dict[str, Any] = {
        "state": lifecycle.OPEN if page == WORK else lifecycle.ANY,
        "line": book.lines.lines,
        "handler": handlers,
    }
    if page == WORK:
        choices["due"] = lists.DUE
    said |= {name: got[name] for name, known in choices.items() if got.get(name) in known}
    if got.get("late") == "1":
        said |= {"due": "late"} if page == WORK else {"late": "1"}
    if page == ALL:
        said |= {name: got[name] for name in ("from", "to") if _is_day(got.get(name, ""))}
    said |= {name: "1" for name in FLAGS if got.get(name) == "1"}
    whose = got.get("whose", "")
    whose = (whose if whose in lists.WHOSE else lists.usual(viewer)) if page == WORK else ""
    columns = tuple(c for c in FITTING[page] if c in set(got.getlist("col")))
    if columns == _usual(page, whose):
        columns = ()
    calendar = book.calendars.current.get(book.duty.calendar)
    return Asked(page, whose, said, columns, horizon, agenda.last_evening(calendar, now), handlers)


def _handlers(viewer: Actor, now: datetime) -> dict[str, str]:
    if not viewer.roles & LEADS:
        return {}
    unit = "" if "manager" in viewer.roles else viewer.unit
    return {str(c.id): c.name for c in colleagues.listed(now=now, roles=("handler",), unit=unit)}


def _is_day(said: str) -> bool:
    if not _DAY.fullmatch(said):
        return False
    try:
        return 1900 < date.fromisoformat(said).year < 2200
    except ValueError:
        return False


def chips(asked: Asked) -> list[dict[str, str]]:
    """What the list is narrowed by, in words, each with the address of the list without it."""
    found = []
    for name, value in asked.said.items():
        found.append({"label": _label(asked, name, value), "href": f"?{asked.query(without=(name,))}", "name": name})
    return found


def _label(asked: Asked, name: str, value: str) -> str:
    spoken = language()
    if name == "q":
        return text("worklist.chip.q", spoken, words=value)
    if name in FLAGS or name == "late":
        return text(f"worklist.filter.{name}", spoken)
    if name == "due":
        return word("worklist.due", value)
    if name == "state":
        return word("state.claim", value)
    if name == "line":
        return word("line", value)
    if name == "handler":
        return text("worklist.chip.handler", spoken, name=asked.handlers[value])
    return text(f"worklist.chip.{name}", spoken, day=value)
