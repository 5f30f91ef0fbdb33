"""Exporting: claims as a table, the journal entry by entry. Masked unless somebody with the permission asks otherwise.

The journal itself holds no personal data, so its export needs no mask. The column store for analysis (Parquet) is not
made here; JSON Lines and CSV are read by every tool.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from django.conf import settings

from lipei.domain import permissions
from lipei.domain.events import Actor, Refusal
from lipei.domain.money import Money, plain
from lipei.domain.owing import NOTHING_OWED
from lipei.gateways.tables import writer
from lipei.norms.texts import text, texts
from lipei.reads import masking
from lipei.reads import rulebook as rulebook_in_force
from lipei.store import canonical, journal, models

CHUNK = 2000
Progress = Callable[[int, int], None]

CLAIMS = (
    "number", "state", "outcome", "line", "loss_kind", "product", "policy_number", "channel", "region", "lane",
    "fast_lane",
    "reported_at", "loss_at", "registered_at", "closed_at", "currency", "claimed", "payable", "paid", "handler", "unit",
    "reopened", "promises_broken", "external_number", "insured", "phone",
)  # fmt: skip
JOURNAL = (
    "stream", "sequence", "kind", "part", "occurred_at", "recorded_at", "actor", "on_behalf_of", "cause", "facts",
    "set", "owes", "hash",
)  # fmt: skip
ENDINGS: Mapping[str, tuple[str, ...]] = {"claims": (".xlsx", ".csv"), "journal": (".jsonl", ".csv")}
_TIMES = frozenset({"reported_at", "loss_at", "registered_at", "closed_at"})


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: rows, and the file."""

    rows: int
    path: str

    def as_dict(self) -> dict[str, Any]:
        """As a command answers a program."""
        return {"rows": self.rows, "path": self.path}


def run(
    *, what: str, path: Path | str, actor: Actor, language: str = "", unmasked: bool = False,
    since: datetime | None = None, until: datetime | None = None, progress: Progress | None = None,
) -> Refusal | Exported:  # fmt: skip
    """Export ``claims`` (xlsx or csv) or the ``journal`` (jsonl or csv), of a time if one is named.

    Claims are taken by when they were reported, entries by when they were recorded. Refused: an unknown kind or ending,
    and names and phones in full (``unmasked``) for who may not see personal data.
    """
    path, language = Path(path), language or settings.LANGUAGE_CODE
    if what not in ENDINGS:
        return Refusal("refusal.export_kind", "fields", {"what": what})
    if path.suffix.lower() not in ENDINGS[what]:
        return Refusal(
            "refusal.export_ending", "fields", {"ending": path.suffix or path.name, "known": " ".join(ENDINGS[what])}
        )
    if unmasked and not permissions.may(actor, "personal_data.see"):
        return Refusal("refusal.not_permitted", "permission", {"permission": "personal_data.see"})
    if what == "journal":
        return _journal(path, since, until, progress)
    return _claims(path, language, unmasked, since, until, progress)


# --- claims ----------------------------------------------------------------------------------------------------------


def _claims(
    path: Path, language: str, unmasked: bool, since: datetime | None, until: datetime | None, progress: Progress | None
) -> Exported:
    found = models.Claim.objects.all()
    found = found.filter(reported_at__gte=since) if since else found
    found = found.filter(reported_at__lt=until) if until else found
    total, done = found.count(), 0
    with writer(path) as file:
        file.row([_label(name, language) for name in CLAIMS])
        for chunk in _chunks(found):
            for row in _claim_rows(chunk, language, unmasked):
                file.row([row[name] for name in CLAIMS])
            done += len(chunk)
            if progress is not None:
                progress(done, total)
    return Exported(done, str(path))


def _chunks(found: Any) -> Iterator[list[Any]]:
    """Rows by their key, so many at a time: nothing is held for long, nothing is counted off from the beginning."""
    last = -(2**63)
    while chunk := list(found.filter(id__gt=last).order_by("id")[:CHUNK]):
        yield chunk
        last = chunk[-1].id


def _claim_rows(chunk: Sequence[Any], language: str, unmasked: bool) -> Iterator[dict[str, Any]]:
    ids = [claim.id for claim in chunk]
    sums: dict[int, tuple[int, int]] = {}
    for claim_id, state, payable, beyond, paid in models.Exposure.objects.filter(aggregate_id__in=ids).values_list(
        "aggregate_id", "state", "payable_minor", "ex_gratia_minor", "paid_minor"
    ):
        before = sums.get(claim_id, (0, 0))
        sums[claim_id] = before[0] + (0 if state in NOTHING_OWED else payable + beyond), before[1] + paid
    broken: dict[int, int] = {}
    for claim_id in models.Clock.objects.filter(aggregate_id__in=ids, breached_at__isnull=False).values_list(
        "aggregate_id", flat=True
    ):
        broken[claim_id] = broken.get(claim_id, 0) + 1
    people = _people(ids)
    staff = dict(models.Staff.objects.values_list("id", "code"))
    zone = ZoneInfo(rulebook_in_force.current().settings.zone)
    for claim in chunk:
        payable, paid = sums.get(claim.id, (0, 0))
        name, phone = people.get(claim.id, ("", ""))
        yield {
            **{column: _value(claim, column, language, zone) for column in CLAIMS if hasattr(claim, column)},
            "claimed": _amount(claim.estimate_minor, claim.currency),
            "payable": _amount(payable, claim.currency),
            "paid": _amount(paid, claim.currency),
            "handler": staff.get(claim.handler, ""),
            "promises_broken": broken.get(claim.id, 0),
            "insured": name if unmasked else masking.name(name),
            "phone": phone if unmasked else masking.phone(phone),
        }


def _people(ids: Sequence[int]) -> dict[int, tuple[str, str]]:
    """Name and phone of the insured of each claim, else of its first party."""
    found: dict[int, tuple[str, str]] = {}
    insured: set[int] = set()
    rows = (
        models.Party.objects.filter(aggregate_id__in=ids)
        .order_by("part")
        .values_list("aggregate_id", "roles", "name", "phone")
    )
    for claim_id, roles, name, phone in rows:
        first = claim_id not in found
        if first or ("insured" in roles and claim_id not in insured):
            found[claim_id] = (name, phone)
        if "insured" in roles:
            insured.add(claim_id)
    return found


def _value(claim: Any, column: str, language: str, zone: ZoneInfo) -> Any:
    value = getattr(claim, column)
    if column in _TIMES:
        return value.astimezone(zone).replace(tzinfo=None) if value else ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    prefix = {"state": "state.claim.", "line": "line.", "loss_kind": "loss."}.get(column)
    key = f"{prefix}{value}"
    return text(key, language) if prefix and key in texts() else value


def _amount(minor: int, currency: str) -> Decimal:
    return Decimal(plain(Money(minor, currency)))


def _label(name: str, language: str) -> str:
    for key in (f"field.{name}", f"export.{name}"):
        if key in texts():
            return text(key, language)
    return name


# --- journal ---------------------------------------------------------------------------------------------------------


def _journal(path: Path, since: datetime | None, until: datetime | None, progress: Progress | None) -> Exported:
    found = models.Entry.objects.all()
    found = found.filter(recorded_at__gte=since) if since else found
    found = found.filter(recorded_at__lt=until) if until else found
    total, done = found.count(), 0
    with _entries(path) as write:
        for chunk in _chunks(found):
            for entry in chunk:
                write(_entry(entry))
            done += len(chunk)
            if progress is not None:
                progress(done, total)
    return Exported(done, str(path))


def _entry(entry: Any) -> dict[str, Any]:
    """One entry as it stands, its hash in hexadecimal, so that an outsider can follow the chain."""
    facts, sets = journal.said(entry.payload)
    return {
        "stream": f"{entry.stream_kind}/{entry.stream_id}",
        "sequence": entry.sequence,
        "kind": entry.kind,
        "part": entry.part,
        "occurred_at": canonical.stamp(entry.occurred_at),
        "recorded_at": canonical.stamp(entry.recorded_at),
        "actor": entry.actor,
        "on_behalf_of": entry.on_behalf_of,
        "cause": entry.cause,
        "facts": facts,
        "set": sets,
        "owes": journal.owes(entry.payload),
        "hash": bytes(entry.hash).hex(),
    }


class _entries:  # noqa: N801 - reads as a verb in its one `with` statement
    """Where entries are written: one JSON object per line, or a table with the nested parts as JSON in their cells."""

    def __init__(self, path: Path) -> None:
        self._path, self._lines = path, path.suffix.lower() == ".jsonl"
        self._part = path.with_name(f".{path.name}.part")

    def __enter__(self) -> Callable[[dict[str, Any]], None]:
        if self._lines:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._part.open("wb")
            return lambda row: void(self._file.write(canonical.dumps(row) + b"\n"))
        self._table = writer(self._path)
        self._table.__enter__()
        self._table.row(JOURNAL)
        return lambda row: self._table.row([_flat(row[name]) for name in JOURNAL])

    def __exit__(self, *failure: Any) -> None:
        if not self._lines:
            self._table.__exit__(*failure)
            return
        self._file.close()
        if failure[0] is None:
            self._part.replace(self._path)
        else:
            self._part.unlink(missing_ok=True)


def _flat(value: Any) -> Any:
    return orjson.dumps(orjson.loads(canonical.dumps(value))).decode() if isinstance(value, Mapping) else value


def void(_: Any) -> None:
    """Nothing, of something that answers."""
