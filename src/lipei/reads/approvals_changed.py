"""What changed since a decision was returned: what whoever decides now looks at first (norm 2.2.3, 1.4.3).

Read from the journal alone: the head of loss and its papers as they stood just before it was returned, beside how they
stand now. Two queries, and one for a head of loss that never was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lipei.domain.claims import Case, Exposure
from lipei.store import journal, models

RETURNED = ("exposure.returned_for_rework", "exposure.decision_overtaken")
"""By which a decision comes back: sent by a colleague, or because it comes to another sum than was submitted."""
AGAIN = ("assessed", "checked", "submitted", "refusal_proposed")
"""The states in which somebody's word is asked for anew."""
SUMS = ("assessed_minor", "payable_minor", "ex_gratia_minor", "reserve_minor")
CODES = ("refusal_code", "refusal_clause")


@dataclass(frozen=True, slots=True)
class Changed:
    """One thing that is otherwise now. ``before`` or ``after`` None: it was not there, or is there no more.

    ``name`` says what: of a sum its field, of an item its words, of a paper its code. Sums and items hold minor units,
    papers states.
    """

    name: str
    before: Any
    after: Any

    @property
    def how(self) -> str:
        """``added``, ``gone`` or ``changed``."""
        return "added" if self.before is None else "gone" if self.after is None else "changed"


@dataclass(frozen=True, slots=True)
class Rework:
    """A decision that was returned, and what is otherwise since. ``times``: how often it was; ``note`` says why."""

    at: datetime
    by: str
    times: int
    note: int
    sums: tuple[Changed, ...]
    codes: tuple[Changed, ...]
    items: tuple[Changed, ...]
    papers: tuple[Changed, ...]

    @property
    def nothing(self) -> bool:
        """Whether it comes back as it was."""
        return not (self.sums or self.codes or self.items or self.papers)


def since_returned(case: Case, exposure: int) -> Rework | None:
    """What changed on a head of loss since it was last returned; None where it never was, or waits for nobody."""
    return returned({case.id: case}, {(case.id, exposure)}).get((case.id, exposure))


def returned(cases: Mapping[int, Case], heads: Collection[tuple[int, int]]) -> dict[tuple[int, int], Rework]:
    """The same for several heads of loss, each by the id of its claim and its number. Two queries, one where none was."""
    asked = {
        (i, n) for i, n in heads if (head := cases[i].exposures.get(n)) is not None and head.state in AGAIN
    }  # fmt: skip
    if not asked:
        return {}
    own = models.Entry.objects.filter(stream_kind=Case.kind, stream_id__in={i for i, _ in asked})
    turns: dict[tuple[int, int], list[Any]] = {}
    for entry in own.filter(kind__in=RETURNED).order_by("stream_id", "sequence"):
        if (entry.stream_id, entry.part) in asked:
            turns.setdefault((entry.stream_id, entry.part), []).append(entry)
    if not turns:
        return {}
    entries = (
        models.Entry.objects.filter(stream_kind=Case.kind, stream_id__in={i for i, _ in turns})
        .exclude(kind__startswith="clock.")
        .exclude(kind__startswith="notice.")
        .order_by("stream_id", "sequence")
    )
    said = list(entries.values_list("stream_id", "sequence", "payload"))
    return {place: _rework(cases[place[0]], place, entries, said) for place, entries in turns.items()}


def _rework(case: Case, place: tuple[int, int], turns: list[Any], said: list[tuple[int, int, str]]) -> Rework:
    last, (claim_id, exposure) = turns[-1], place
    before, papers = _as_it_was((p for i, n, p in said if i == claim_id and n < last.sequence), exposure)
    now = case.exposures[exposure]
    return Rework(
        at=last.occurred_at, by=last.actor, times=len(turns), note=journal.said(last.payload)[0].get("note", 0),
        sums=_fields(before, now, SUMS), codes=_fields(before, now, CODES),
        items=_items(before.get("items", ()), now.items), papers=_papers(papers, case, exposure),
    )  # fmt: skip


def _as_it_was(payloads: Iterable[str], exposure: int) -> tuple[dict[str, Any], dict[int, dict[str, Any]]]:
    """The fields of a head of loss, and the papers by number, as a stretch of the journal leaves them."""
    head: dict[str, Any] = {}
    papers: dict[int, dict[str, Any]] = {}
    for payload in payloads:
        for place, fields in journal.said(payload)[1].items():
            entity, _, number = place.partition("/")
            if entity == "exposure" and number == str(exposure):
                head |= fields
            elif entity == "paper":
                papers.setdefault(int(number), {}).update(fields)
    return head, papers


def _fields(before: Mapping[str, Any], now: Exposure, names: Iterable[str]) -> tuple[Changed, ...]:
    rows = ((n, before.get(n) or (0 if n in SUMS else ""), getattr(now, n)) for n in names)
    return tuple(Changed(n, was, is_now) for n, was, is_now in rows if was != is_now)


def _items(before: Iterable[Mapping[str, Any]], now: Iterable[Mapping[str, Any]]) -> tuple[Changed, ...]:
    was, is_now = _by_words(before), _by_words(now)
    names = dict.fromkeys((*was, *is_now))
    return tuple(
        Changed(name, was.get(name), is_now.get(name)) for name in names if was.get(name) != is_now.get(name)
    )  # fmt: skip


def _by_words(items: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """What each item comes to by its words; one that is excluded comes to nothing, of two alike the sum counts."""
    found: dict[str, int] = {}
    for row in items:
        minor = row["assessed_minor"] if row.get("assessed_minor") is not None else row.get("claimed_minor") or 0
        found[row["what"]] = found.get(row["what"], 0) + (0 if row.get("excluded") else minor)
    return found


def _papers(before: Mapping[int, Mapping[str, Any]], case: Case, exposure: int) -> tuple[Changed, ...]:
    rows = ((paper.code, before.get(n, {}).get("state"), paper) for n, paper in case.papers.items())
    return tuple(
        Changed(code, was, paper.state)
        for code, was, paper in rows
        if paper.exposure in (0, exposure) and was != paper.state
    )
