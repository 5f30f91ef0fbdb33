"""Closed claims of another system, by the second gear (`bulk`): history with its real dates, and no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

import orjson
from django.db import IntegrityError, connection

from lipei.domain import imports, money
from lipei.domain.claims import Case
from lipei.domain.events import Actor, Refusal
from lipei.domain.imports import OUTCOMES, STILL_OPEN, ImportedClaim
from lipei.domain.rulebook import Rulebook
from lipei.services import bulk, unit_of_work
from lipei.services.imports.cells import Row, Wrong
from lipei.services.intake import new_id
from lipei.services.unit_of_work import Write
from lipei.store import canonical, crypto

TRIES = 3
_SALT = b"import"
_LENGTH_MAX = 60
_NAMES = tuple(f.name for f in fields(ImportedClaim))


@dataclass(frozen=True, slots=True)
class Told:
    """A row that makes sense: the claim under the number that it is told to have, and its digest.

    ``bare`` is that number without the layout's prefix, ``safe`` what it becomes here.
    """

    claim: ImportedClaim
    bare: str
    safe: str
    digest: str

    @property
    def number(self) -> str:
        """The number that the claim is told to have."""
        return self.claim.number


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a number here: the number it was told to have and its row's digest; both empty for a claim made here."""

    told: str = ""
    digest: str = ""


class Claims:
    """Takes rows of closed claims, a batch in one transaction."""

    def __init__(self, rulebook: Rulebook, dry_run: bool, now: datetime, actor: Actor) -> None:
        self._rulebook, self._dry_run, self._now, self._actor = rulebook, dry_run, now, actor
        self._next_id = new_id(now)
        self._seen: dict[str, Holder] = {}  # in a dry run: what an earlier row of the file would have written

    def take(self, rows: Sequence[Row]) -> Sequence[str | Refusal]:
        """What became of each row. Somebody else importing the same claims meanwhile means: look again."""
        read = [self._read(row) for row in rows]
        for _ in range(TRIES):
            fates, fresh = self._compared(read)
            if self._dry_run:
                self._seen |= {number: Holder(one.number, one.digest) for number, one in fresh.items()}
                return fates
            try:
                bulk.append([*self._writes(fresh)], now=self._now, cause="import.claims")
            except IntegrityError:
                self._next_id = new_id(self._now)
                continue
            self._next_id += len(fresh)
            return fates
        return [Refusal("refusal.busy", "conflict") if fate == "imported" else fate for fate in fates]

    def _read(self, row: Row) -> Told | Refusal:
        try:
            claim, bare = claim_of(row, self._rulebook)
        except Wrong as wrong:
            return wrong.refusal
        refusal = imports.wrong(claim, now=self._now, absurd_minor=self._rulebook.settings.amount_absurd_minor)
        return refusal or Told(claim, bare, imports.safe_number(claim.number), digest_of(claim))

    def _compared(self, read: Sequence[Told | Refusal]) -> tuple[list[str | Refusal], dict[str, Told]]:
        """The fate of each row against what is here already and the rows before it; and the new claims by number."""
        good = [one for one in read if isinstance(one, Told)]
        known = {**self._seen, **holders({n for one in good for n in (one.number, one.safe)})}
        fresh: dict[str, Told] = {}
        fates = [one if isinstance(one, Refusal) else _fate(one, known, fresh) for one in read]
        return fates, fresh

    def _writes(self, fresh: Mapping[str, Told]) -> Iterator[Write]:
        for stream_id, (number, one) in enumerate(fresh.items(), start=self._next_id):
            claim = imports.numbered(one.claim, number, one.bare)
            event = imports.imported(claim=claim, told=one.number, digest=one.digest)
            yield Write(unit_of_work.begin(Case, stream_id), ((event, self._actor),))


def _fate(one: Told, known: dict[str, Holder], fresh: dict[str, Told]) -> str | Refusal:
    """Whether a row is new (then it takes its number), here already, or another than what is here."""
    for number in _numbers(one):
        holder = known.get(number)
        if holder is None and number not in (one.number, one.safe):  # seldom, and so not among those asked for
            holder = holders({number}).get(number)
        if holder is None and number == one.number != one.safe:
            continue  # an earlier release kept it as it was told; this one cannot
        if holder is None:
            known[number] = Holder(one.number, one.digest)
            fresh[number] = one
            return "imported"
        if holder == Holder(one.number, one.digest):
            return "unchanged"
        if holder.told == one.number:
            return Refusal("refusal.import_differs", "fields", {"number": one.number})
        if not holder.told:
            break
    return Refusal("refusal.import_taken", "fields", {"number": one.safe})


def _numbers(one: Told) -> Iterator[str]:
    """The numbers under which a claim may be here, in the order in which they are looked at."""
    yield one.number
    if one.safe != one.number:
        yield one.safe
    yield imports.marked_number(one.number)


def claim_of(row: Row, rulebook: Rulebook) -> tuple[ImportedClaim, str]:
    """The closed claim that a row tells of, and what the other system calls it. Raises Wrong with what is wrong first."""
    layout, (number, bare) = row.header.layout, _number(row)
    currency = row.text("currency").upper() or layout.currency or rulebook.settings.currency
    if currency not in money.EXPONENTS:
        raise Wrong("refusal.import_word_unknown", column=row.label("currency"), value=currency)
    line, loss_kind = _line(row, rulebook)
    outcome = row.text("outcome", needed=True)
    if outcome not in (*OUTCOMES, STILL_OPEN):
        raise Wrong("refusal.import_word_unknown", column=row.label("outcome"), value=outcome)
    loss_at, reported_at = row.at("loss_at"), row.at("reported_at", needed=True)
    assert reported_at is not None
    claim = ImportedClaim(
        number=number,
        external_number=row.text("external_number", length_max=_LENGTH_MAX),
        line=line,
        loss_kind=loss_kind,
        outcome=outcome,
        currency=currency,
        reported_at=_not_before(row, reported_at, loss_at),
        loss_at=loss_at,
        closed_at=row.at("closed_at"),
        claimed_minor=row.minor("claimed", currency),
        paid_minor=row.minor("paid", currency),
        policy_number=row.text("policy_number", length_max=_LENGTH_MAX),
        region=row.text("region"),
        place=row.text("place"),
        language=row.text("language") or layout.language or rulebook.settings.language_default,
        name=row.text("name"),
        phone=row.text("phone", length_max=_LENGTH_MAX),
        facts={name: said for name, field in row.header.facts.items() if (said := row.fact(field))},
    )
    return claim, bare


def _number(row: Row) -> tuple[str, str]:
    """The number with the layout's prefix, and without: what the other system calls the claim."""
    number = row.text("number", needed=True, length_max=_LENGTH_MAX)
    bare = number.removeprefix(row.header.fields["number"].source.prefix)
    if not any(c.isalnum() for c in bare) or "<" in bare:
        raise Wrong("refusal.import_number", column=row.label("number"), value=bare)
    return number, bare


def _line(row: Row, rulebook: Rulebook) -> tuple[str, str]:
    """Line and kind of loss in our vocabulary; what people call a line of business is understood too."""
    line, loss = row.text("line", needed=True), row.text("loss_kind")
    if line not in rulebook.lines.lines:
        meaning = rulebook.lines.meaning(vocabulary="names", word=line)
        if meaning is None or len(meaning.lines) != 1:
            raise Wrong("refusal.import_word_unknown", column=row.label("line"), value=line)
        line = meaning.lines[0]
    if loss and loss not in rulebook.lines.lines[line].losses:
        raise Wrong("refusal.import_word_unknown", column=row.label("loss_kind"), value=loss)
    return line, loss


def _not_before(row: Row, reported_at: datetime, loss_at: datetime | None) -> datetime:
    """A report of which only the day is known was made no earlier on that day than the loss happened."""
    zone = row.header.layout.zone
    if loss_at is None or loss_at <= reported_at or not row.day_only("reported_at"):
        return reported_at
    return loss_at if loss_at.astimezone(zone).date() == reported_at.astimezone(zone).date() else reported_at


def digest_of(claim: ImportedClaim) -> str:
    """What a row is recognised by when the file comes again: keyed, for names and phones are in it."""
    return crypto.digest(canonical.dumps([getattr(claim, name) for name in _NAMES]).decode(), _SALT)


def holders(numbers: Iterable[str]) -> Mapping[str, Holder]:
    """Who has these numbers, of those that somebody has. One query."""
    asked = list(numbers)
    if not asked:
        return {}
    marks = ", ".join(["%s"] * len(asked))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.number, j.kind, j.payload FROM claim c JOIN journal j ON j.stream_kind = 'claim' "
            f"AND j.stream_id = c.id AND j.sequence = 1 WHERE c.number IN ({marks})",
            asked,
        )
        rows = cursor.fetchall()
    return {number: _holder(number, kind, payload) for number, kind, payload in rows}


def _holder(number: str, kind: str, payload: str) -> Holder:
    facts = orjson.loads(payload)["facts"] if kind == "claim.imported" else {}
    return Holder(facts.get("told", number), facts.get("digest", "")) if facts else Holder()
