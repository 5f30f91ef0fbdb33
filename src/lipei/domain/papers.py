"""Which papers (单证) a claim needs: one complete request, and never what is on file (norm 2.2.2, 1.3.3; 保险法 22).

The table says what is asked where. Two things keep a request both complete and short: a paper is asked once for the
claim, once for each person or once for each head of loss, as its kind says; and a paper that depends on a fact nobody
has entered yet is listed in the same request with "if this applies to you" instead of in a second request later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date

from lipei.domain import acting, facts
from lipei.domain.calendars import local_date
from lipei.domain.claims import Case, Claim, Document, Exposure, Paper, Party
from lipei.domain.commands import PARTY_ROLES
from lipei.domain.conditions import Compare, Condition, Group, holds, values_of
from lipei.domain.events import Value
from lipei.domain.settlement.terms import FactSpec

UNKNOWN = "unknown"
"""The cover of a head of loss, or of a whole claim, for which no cover has been entered yet."""

PERS = ("claim", "claimant", "exposure")
REQUIRED = ("Y", "N", "C")
FORMS = ("original", "copy", "photo")
ROLES = frozenset(PARTY_ROLES)
_DONE = ("settled", "refused", "dropped")
DECIDED = frozenset({"approved", "agreed", *_DONE})
SENDABLE = ("requested", "refused")
"""The states of a paper that is asked for and not here."""
_COMPUTED = frozenset(
    {"loss", "cover", "claim.policy_known", "claim.photos_here", "insured.identity_known", "claimant.identity_known",
     "claimant.account_known", "claimant.minor"}
)  # fmt: skip
_KNOWN = _COMPUTED.union(
    (f"claim.{f.name}" for f in fields(Claim)),
    (f"exposure.{f.name}" for f in fields(Exposure)),
    (f"party.{role}" for role in ROLES),
)


def known_field(name: str) -> bool:
    """Whether conditions of this table may ask for ``name``: claim's and exposure's fields, ``facts.…``, `_values`."""
    return name in _KNOWN or (name.startswith("facts.") and name.removeprefix("facts.").isidentifier())


@dataclass(frozen=True, slots=True)
class PaperKind:
    """One kind of paper. Its name is the text ``paper.<code>``, who issues it ``issuer.<issuer>``."""

    code: str
    of: tuple[str, ...]  # roles of whom it is asked, the first that the claim has
    per: str = "claim"
    issuer: str = "customer"
    sensitivity: str = "low"
    asked: bool = True  # False: the insurer makes it or looks it up
    on_file: Condition | None = None  # when this holds, we have it
    form: str = ""  # what of it is to be sent: original, copy, or a photo or scan of it


@dataclass(frozen=True, slots=True)
class Selector:
    """Where a list applies. Empty covers or losses mean any; a cover not yet entered counts as `UNKNOWN`."""

    lines: tuple[str, ...]
    covers: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()

    def fits(self, *, line: str, cover: str, loss: str) -> bool:
        return (
            line in self.lines
            and (not self.covers or (cover or UNKNOWN) in self.covers)
            and (not self.losses or loss in self.losses)
        )


@dataclass(frozen=True, slots=True)
class PaperRow:
    """One paper on one list. ``why`` is the text ``paper.why.<why>``: the condition in words."""

    paper: str
    required: str
    when: Condition | None = None
    why: str = ""
    waits: bool = True  # while nobody knows whether `when` holds, no rule pays
    source_status: str = ""


@dataclass(frozen=True, slots=True)
class PaperList:
    """The papers of one line, cover and kind of loss."""

    code: str
    applies: tuple[Selector, ...]
    rows: tuple[PaperRow, ...]


@dataclass(frozen=True, slots=True)
class PaperTable:
    """All kinds and lists, and the age in years from which a person acts without a guardian.

    ``zone`` is the company's: in it birthdays begin.
    """

    kinds: Mapping[str, PaperKind] = field(default_factory=dict)
    lists: tuple[PaperList, ...] = ()
    adult_age_years: int = 0
    zone: str = "UTC"
    known: dict[tuple[str, str, str], tuple[PaperList, ...]] = field(default_factory=dict, compare=False, repr=False)
    """What `lists_for` has answered: every step of every claim asks for the same few heads of loss."""

    def lists_for(self, *, line: str, cover: str, loss: str) -> tuple[PaperList, ...]:
        """The lists that apply to a head of loss."""
        found = self.known.get((line, cover, loss))
        if found is None:
            found = self.known[line, cover, loss] = tuple(
                one for one in self.lists if any(s.fits(line=line, cover=cover, loss=loss) for s in one.applies)
            )
        return found


HERE = ("received", "accepted", "waived")
"""States of a paper that is no longer waited for."""


@dataclass(frozen=True, slots=True)
class Need:
    """A paper to ask for. ``exposure`` 0: for the whole claim. Not ``required``: only where ``why`` applies."""

    code: str
    exposure: int
    asked_of: str  # role
    party: int | None
    required: bool
    why: str  # text key, empty where the paper is asked without condition
    waits: bool = False  # not required as far as is known; no rule pays before it is here or the fact is known


def papers_list(
    *, case: Case, table: PaperTable, on_file: Iterable[str] = (), exposure: int | None = None
) -> tuple[Need, ...]:
    """Every paper that the claim needs, each once, in the table's order, whether or not it has been asked for.

    ``exposure``: only what this head of loss needs. ``on_file`` names papers that we hold elsewhere (customer file,
    pre-notice): they and what the table itself knows to be on file are left out, as are papers that the insurer makes or
    looks up.
    """
    found: dict[tuple[str, int], Need] = {}
    for place, need in _needs(case, table, frozenset(on_file), exposure):
        found[need.code, place] = _firmer(found.get((need.code, place)), need)
    order = {code: place for place, code in enumerate(table.kinds)}
    return tuple(sorted(found.values(), key=lambda need: (not need.required, order[need.code], need.exposure)))


def _needs(case: Case, table: PaperTable, held: frozenset[str], only: int | None = None) -> Iterator[tuple[int, Need]]:
    """Every need that a row of a list gives, with the place that it is asked for; several rows may give the same."""
    for exposure in _heads(case):
        if only is not None and exposure.part != only:
            continue
        values = _values(case, exposure, table)
        for one in table.lists_for(line=case.claim.line, cover=values["cover"], loss=values["loss"]):
            for row in one.rows:
                kind = table.kinds[row.paper]
                if not kind.asked or row.paper in held or (kind.on_file and holds(kind.on_file, values)):
                    continue
                need = _need(case, exposure, kind, row, values)
                if need is not None:
                    yield _place(case, kind, exposure), need


def papers_needed(*, case: Case, table: PaperTable, on_file: Iterable[str] = ()) -> tuple[Need, ...]:
    """What is still to be asked for: `papers_list` without the papers that the claim already has, in whatever state.

    A paper that was refused is not asked for a second time: the customer sends it again under the same request.
    """
    return tuple(
        need
        for need in papers_list(case=case, table=table, on_file=on_file)
        if not any(_answers(case, table, paper, need) for paper in case.papers.values())
    )


def papers_missing(*, case: Case, table: PaperTable, on_file: Iterable[str] = ()) -> tuple[Need, ...]:
    """The required papers that nobody has accepted or waived yet. Empty: the papers are complete."""
    settled = [paper for paper in case.papers.values() if paper.state in ("accepted", "waived")]
    return tuple(
        need
        for need in papers_list(case=case, table=table, on_file=on_file)
        if need.required and not any(_answers(case, table, paper, need) for paper in settled)
    )


def awaited(case: Case, exposure: int = 0) -> tuple[int, ...]:
    """The required papers asked for and not here that a head of loss (or this one) still waits for, by number."""
    return tuple(n for n in outstanding(case, exposure) if case.papers[n].required)


def outstanding(case: Case, exposure: int = 0) -> tuple[int, ...]:
    """The papers asked for and not here, required or not, that a head of loss (or this one) may still use, by number.

    What was decided without a paper waits for it no more; a paper for the claim as a whole is waited for as long as one
    head of loss is not decided.
    """
    decided = {number for number, one in case.exposures.items() if one.state in DECIDED}
    all_decided = bool(decided) and len(decided) == len(case.exposures)
    if all_decided or exposure in decided:
        return ()
    return tuple(
        number
        for number, paper in case.papers.items()
        if paper.state in SENDABLE and paper.exposure not in decided
        and (not exposure or paper.exposure in (0, exposure))
    )  # fmt: skip


def papers_at_hand(*, case: Case, table: PaperTable, on_file: Iterable[str] = ()) -> bool:
    """Whether every paper is here, looked at or not, that a payment with no hand has to wait for.

    Each for the person and head of loss that it is asked for. A paper that depends on a fact nobody knows counts too.
    """
    if not case.papers:  # a new claim: the first paper that is required says it all
        return not any(need.required or need.waits for _, need in _needs(case, table, frozenset(on_file)))
    needs = papers_list(case=case, table=table, on_file=on_file)
    return not any(need.required or need.waits for need in _away(case, table, needs))


def papers_away(
    *, case: Case, table: PaperTable, on_file: Iterable[str] = (), exposure: int | None = None
) -> tuple[Need, ...]:
    """The required papers of the claim, or of one head of loss, that are not here: neither received nor waived."""
    needs = papers_list(case=case, table=table, on_file=on_file, exposure=exposure)
    return tuple(need for need in _away(case, table, needs) if need.required)


def _away(case: Case, table: PaperTable, needs: Iterable[Need]) -> Iterator[Need]:
    here = [paper for paper in case.papers.values() if paper.state in HERE]
    return (need for need in needs if not any(_answers(case, table, paper, need) for paper in here))


def papers_idle(*, case: Case, table: PaperTable, exposure: int) -> tuple[int, ...]:
    """The papers still waited for on account of an ended head of loss that no other head of loss asks for, by number."""
    needs = papers_list(case=case, table=table)
    return tuple(
        number
        for number, paper in case.papers.items()
        if paper.state in SENDABLE and paper.exposure == exposure
        and not any(_answers(case, table, paper, need) for need in needs)
    )  # fmt: skip


def _heads(case: Case) -> tuple[Exposure, ...]:
    """The heads of loss that still live; a claim without any is looked at as a whole (number 0, cover unknown)."""
    if not case.exposures:
        return (Exposure(part=0),)
    return tuple(e for e in case.exposures.values() if e.state not in _DONE)


def _need(
    case: Case, exposure: Exposure, kind: PaperKind, row: PaperRow, values: Mapping[str, Value]
) -> Need | None:  # fmt: skip
    answer = True if row.when is None else truth(row.when, values)
    if row.required == "N" or answer is False:
        return None
    role, party = _asked_of(case, exposure, kind)
    why = f"paper.why.{row.why}" if row.why else ""
    place = 0 if kind.per == "claim" else exposure.part
    return Need(kind.code, place, role, party, bool(answer), why, waits=answer is None and row.waits)


def facts_asked(*, case: Case, table: PaperTable) -> tuple[str, ...]:
    """The facts on which a paper of the claim's lists depends, in the lists' order: what to ask the customer once."""
    found: dict[str, FactSpec] = {}
    for head in _heads(case):
        loss = head.peril or case.claim.loss_kind
        found |= facts_of_head(table=table, line=case.claim.line, cover=head.cover, loss=loss)
    return tuple(found)


def facts_of_head(
    *, table: PaperTable, line: str, cover: str, loss: str, waiting: bool = False
) -> dict[str, FactSpec]:  # fmt: skip
    """The facts on which a paper of one head of loss depends, in the lists' order; ``waiting``: a paper for which a
    payment with no hand waits while nobody knows them."""
    rows = (row for one in table.lists_for(line=line, cover=cover, loss=loss) for row in one.rows)
    return dict(facts.asked_by(row.when for row in rows if row.when is not None and (row.waits or not waiting)))


def facts_waited_for(*, case: Case, table: PaperTable, exposure: Exposure) -> tuple[str, ...]:
    """The facts of a head of loss that nobody knows and on which it hangs whether a paper that is not here is needed."""
    here = [paper for paper in case.papers.values() if paper.state in HERE]
    values, found = _values(case, exposure, table), dict[str, None]()
    for one in table.lists_for(line=case.claim.line, cover=values["cover"], loss=values["loss"]):
        for row in one.rows:
            need = _need(case, exposure, table.kinds[row.paper], row, values) if row.when is not None else None
            if need is not None and need.waits and not any(_answers(case, table, paper, need) for paper in here):
                asked = facts.asked_by([row.when] if row.when is not None else ())
                found |= {name: None for name in asked if values.get(f"facts.{name}") is None}
    return tuple(found)


def truth(condition: Condition, values: Mapping[str, Value]) -> bool | None:
    """Whether a condition holds, or None where that depends on a fact (``facts.…``) that nobody has entered yet."""
    if isinstance(condition, Group):
        answers = [truth(part, values) for part in condition.parts]
        if (not condition.every) in answers:
            return not condition.every
        return None if None in answers else condition.every
    if _fact_unknown(condition, values):
        return None
    return holds(condition, values)


def _fact_unknown(condition: Compare, values: Mapping[str, Value]) -> bool:
    return condition.field.startswith("facts.") and values.get(condition.field) is None


def _firmer(before: Need | None, need: Need) -> Need:
    """Of two reasons for one paper the one that requires it, or waits for it; else the first."""
    return need if before is None or (need.required, need.waits) > (before.required, before.waits) else before


def _place(case: Case, kind: PaperKind, exposure: Exposure) -> int:
    """Once for the claim, once for each claimant, or once for each head of loss."""
    if kind.per == "claimant":
        return _claimant(case, exposure.part)
    return exposure.part if kind.per == "exposure" else 0


def _answers(case: Case, table: PaperTable, paper: Paper, need: Need) -> bool:
    """Whether a paper of the claim is the one that is needed."""
    if paper.code != need.code:
        return False
    per = table.kinds[need.code].per
    if per == "claimant":
        return _claimant(case, paper.exposure) == _claimant(case, need.exposure)
    return per == "claim" or paper.exposure == need.exposure


def _claimant(case: Case, exposure: int) -> int:
    """The claimant of a head of loss by number; where none is entered, the claim's first claimant stands for them."""
    found = case.exposures.get(exposure)
    if found is not None and found.claimant is not None:
        return found.claimant
    first = case.party("claimant")
    return first.part if first else 0


def _asked_of(case: Case, exposure: Exposure, kind: PaperKind) -> tuple[str, int | None]:
    for role in kind.of:
        claimant = case.parties.get(exposure.claimant or 0) if role == "claimant" else None
        named = claimant or case.party(role)
        if named is not None and not named.deceased:
            return role, named.part
        instead = acting.addressees(case, named.part) if named is not None else ()
        if instead:  # of who has died nothing is asked: whoever is written to in their place brings it
            return role, instead[0]
    return kind.of[0], None


def _values(case: Case, exposure: Exposure, table: PaperTable) -> dict[str, Value]:
    """What conditions may ask for, see `known_field`."""
    claimant = case.parties.get(exposure.claimant or 0) or case.party("claimant")
    insured = case.party("insured")
    values = values_of("claim", case.claim) | values_of("exposure", exposure)
    values |= {f"facts.{name}": value for name, value in {**case.claim.facts, **exposure.facts}.items()}
    values |= {f"party.{role}": case.party(role) is not None for role in ROLES}
    return values | {
        "loss": exposure.peril or case.claim.loss_kind,
        "cover": exposure.cover,
        "claim.policy_known": case.claim.policy_id is not None,
        "claim.photos_here": any(_loose_photo(d) for d in case.documents.values()),
        "insured.identity_known": _identified(insured),
        "claimant.identity_known": _identified(claimant),
        "claimant.account_known": claimant is not None and bool(claimant.account_number),
        "claimant.minor": _minor_at_loss(case.claim, claimant, table),
    }


def _loose_photo(document: Document) -> bool:
    """A picture that came for the claim as a whole: with the report, or since."""
    return document.media_type.startswith("image/") and not document.paper and not document.survey


def _identified(party: Party | None) -> bool:
    return party is not None and (party.identity_checked_at is not None or bool(party.id_number))


def _minor_at_loss(claim: Claim, party: Party | None, table: PaperTable) -> bool:
    at = claim.loss_at or claim.reported_at
    return party is not None and at is not None and minor(party, table.adult_age_years, local_date(at, table.zone))


def minor(party: Party, adult_age_years: int, day: date) -> bool:
    """Whether a person is under age on a day; False where the day of birth is not known."""
    year, _, rest = party.born_on.partition("-")
    if not party.person or not (year.isdigit() and rest):
        return False
    return day.isoformat() < f"{int(year) + adult_age_years:04d}-{rest}"
