"""Closed claims of another system, by the second gear (`bulk`): history with its real dates, and no clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime

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


class Claims:
    """Takes rows of closed claims, a batch in one transaction."""

    def __init__(self, rulebook: Rulebook, dry_run: bool, now: datetime, actor: Actor) -> None:
        self._rulebook, self._dry_run, self._now, self._actor = rulebook, dry_run, now, actor
        self._next_id = new_id(now)
        self._seen: dict[str, str] = {}  # in a dry run: what an earlier row of the file would have written

    def take(self, rows: Sequence[Row]) -> Sequence[str | Refusal]:
        """What became of each row. Somebody else importing the same claims meanwhile means: look again."""
        read = [self._read(row) for row in rows]
        for _ in range(TRIES):
            fates, fresh = self._compared(read)
            if self._dry_run:
                self._seen |= {claim.number: digest for claim, digest in fresh}
                return fates
            try:
                bulk.append([*self._writes(fresh)], now=self._now, cause="import.claims")
            except IntegrityError:
                self._next_id = new_id(self._now)
                continue
            self._next_id += len(fresh)
            return fates
        return [Refusal("refusal.busy", "conflict") if fate == "imported" else fate for fate in fates]

    def _read(self, row: Row) -> tuple[ImportedClaim, str] | Refusal:
        try:
            claim = claim_of(row, self._rulebook)
        except Wrong as wrong:
            return wrong.refusal
        refusal = imports.wrong(claim, now=self._now, absurd_minor=self._rulebook.settings.amount_absurd_minor)
        return refusal or (claim, digest_of(claim))

    def _compared(
        self, read: Sequence[tuple[ImportedClaim, str] | Refusal]
    ) -> tuple[list[str | Refusal], list[tuple[ImportedClaim, str]]]:
        """The fate of each row against what is here already and against the rows before it; and the new claims."""
        known = {**self._seen, **known_digests([one[0].number for one in read if not isinstance(one, Refusal)])}
        fates: list[str | Refusal] = []
        fresh = []
        for one in read:
            if isinstance(one, Refusal):
                fates.append(one)
                continue
            claim, digest = one
            before = known.get(claim.number)
            if before is None:
                known[claim.number] = digest
                fresh.append(one)
                fates.append("imported")
            elif before == digest:
                fates.append("unchanged")
            else:
                code = "refusal.import_differs" if before else "refusal.import_taken"
                fates.append(Refusal(code, "fields", {"number": claim.number}))
        return fates, fresh

    def _writes(self, fresh: Sequence[tuple[ImportedClaim, str]]) -> Iterator[Write]:
        for stream_id, (claim, digest) in enumerate(fresh, start=self._next_id):
            loaded = unit_of_work.begin(Case, stream_id)
            yield Write(loaded, ((imports.imported(claim=claim, digest=digest), self._actor),))


def claim_of(row: Row, rulebook: Rulebook) -> ImportedClaim:
    """The closed claim that a row tells of. Raises Wrong with the first thing that cannot be understood."""
    layout, number = row.header.layout, _number(row)
    currency = row.text("currency").upper() or layout.currency or rulebook.settings.currency
    if currency not in money.EXPONENTS:
        raise Wrong("refusal.import_word_unknown", column=row.label("currency"), value=currency)
    line, loss_kind = _line(row, rulebook)
    outcome = row.text("outcome", needed=True)
    if outcome not in (*OUTCOMES, STILL_OPEN):
        raise Wrong("refusal.import_word_unknown", column=row.label("outcome"), value=outcome)
    loss_at, reported_at = row.at("loss_at"), row.at("reported_at", needed=True)
    assert reported_at is not None
    return ImportedClaim(
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


def _number(row: Row) -> str:
    """The number: what the other system called the claim, with the layout's prefix."""
    number = row.text("number", needed=True, length_max=_LENGTH_MAX)
    bare = number.removeprefix(row.header.fields["number"].source.prefix)
    if not any(c.isalnum() for c in bare) or "<" in bare:
        raise Wrong("refusal.import_number", column=row.label("number"), value=bare)
    return number


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


def known_digests(numbers: Sequence[str]) -> Mapping[str, str]:
    """Number → digest of the row it was imported from, empty for a claim made here. One query."""
    if not numbers:
        return {}
    marks = ", ".join(["%s"] * len(numbers))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.number, j.kind, j.payload FROM claim c JOIN journal j ON j.stream_kind = 'claim' "
            f"AND j.stream_id = c.id AND j.sequence = 1 WHERE c.number IN ({marks})",
            list(numbers),
        )
        rows = cursor.fetchall()
    return {n: canonical.loads(body)["facts"].get("digest", "") if k == "claim.imported" else "" for n, k, body in rows}
