"""One claim for a reader: the case, what can be done now, its promises with reasons, the sum with its make-up.

`page` answers everything that a claim's page needs in at most 16 queries, whatever the claim's history; `find` the case
alone. Both answer None for a claim that does not exist or is out of the reader's scope. Personal data is masked unless
the caller, having recorded it (`services/personal_data.py`), asks for the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery

from lipei.domain import lifecycle, promises, sizes
from lipei.domain.claims import Case, Claim, Clock, Exposure
from lipei.domain.events import Actor, Event
from lipei.domain.lifecycle import Step
from lipei.domain.owing import TURNED_DOWN, is_turned_down
from lipei.domain.rulebook import Rulebook
from lipei.domain.settlement.terms import Terms
from lipei.norms.promises import explanation_words
from lipei.norms.settlement import ExplainedLine
from lipei.norms.settlement import explain as explain_settlement
from lipei.norms.texts import text, texts
from lipei.reads import masking, people, reasons, remarks, rulebook, scope, timeline
from lipei.reads.remarks import Remark
from lipei.reads.timeline import Told
from lipei.store import journal, models
from lipei.store.aggregates import TABLES, names

DELIVERIES_MAX = 200


@dataclass(frozen=True)
class Found:
    """A claim as its reader may see it. ``raw`` is the whole case: rules decide on it, pages show ``case``."""

    raw: Case
    case: Case
    rulebook: Rulebook

    @property
    def version(self) -> int:
        """The journal version that was read: what a later change is compared with."""
        return self.raw.version


@dataclass(frozen=True, slots=True)
class Possible:
    """A step that the reader can take now. ``part`` 0 with ``makes_part``: a new one is made."""

    step: Step
    part: int
    label: str

    @property
    def subject(self) -> str:
        return self.step.subject

    @property
    def action(self) -> str:
        return self.step.action


@dataclass(frozen=True, slots=True)
class Promised:
    """A promise on this claim. ``why`` says in sentences what its due time rests on (norm 2.3.1)."""

    part: int
    code: str
    name: str
    binds: str
    state: str
    exposure: int
    due_at: datetime | None
    extended_due_at: datetime | None
    provisional: bool
    breached_at: datetime | None
    ended_at: datetime | None
    late: bool
    why: tuple[str, ...]
    basis: promises.Explanation | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What an exposure comes to, in minor units, and how the sum is made up."""

    exposure: int
    cover: str
    cover_name: str
    state: str
    reserve_minor: int
    assessed_minor: int
    payable_minor: int
    ex_gratia_minor: int
    refused_minor: int  # in part, see `Exposure`
    paid_minor: int
    computed: bool
    provisional: bool
    needs_person: tuple[str, ...]
    lines: tuple[ExplainedLine, ...]
    refusal: str = ""  # clause and ground of a refusal, proposed or final, in words
    why: str = ""  # why there is no sum although it was assessed
    exclusions: Mapping[str, str] = field(default_factory=dict)  # what the terms leave out, by code, with its clause


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message to somebody on this claim, and what became of it. Its wording is personal and not shown here."""

    message: str
    party: int
    staff: str
    channel: str
    state: str
    letter: str
    reason: str
    due_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    id: int = 0


@dataclass(frozen=True)
class Page:
    """Everything for the page of a claim."""

    found: Found
    actions: tuple[Possible, ...]
    promises: tuple[Promised, ...]
    settlements: tuple[Settled, ...]
    timeline: tuple[Told, ...]
    deliveries: tuple[Delivered, ...]
    staff: Mapping[int, str]
    remarks: tuple[Remark, ...] = ()
    lane_reasons: tuple[str, ...] = ()
    handler_reasons: tuple[str, ...] = ()

    @property
    def case(self) -> Case:
        """The case with personal data masked, or whole where that was asked for."""
        return self.found.case

    @property
    def version(self) -> int:
        return self.found.version

    @property
    def handler_name(self) -> str:
        """Who handles the claim; empty for nobody yet."""
        return self.staff.get(self.case.claim.handler or 0, "")


def find(number: str, *, viewer: Actor, unmask: bool = False) -> Found | None:
    """The claim of a number, or None where there is none that the viewer sees. 12 queries."""
    columns = names(Claim)
    version = models.Stream.objects.filter(kind=Case.kind, stream_id=OuterRef("id")).values("version")[:1]
    rows = models.Claim.objects.filter(number=number).annotate(stream_version=Subquery(version))
    row = rulebook.counting_edits(rows).values_list("id", "stream_version", "edits_count", *columns).first()
    if row is None:
        return None
    parts: dict[str, dict[int, Any]] = {"claim": {0: Claim(0, *row[3:])}}
    for entity, part in Case.entities.items():
        if entity != "claim":
            rows = TABLES[Case.kind][entity].objects.filter(aggregate_id=row[0]).order_by("part")
            parts[entity] = {r[0]: part(*r) for r in rows.values_list("part", *names(part))}
    case = Case(id=row[0], version=row[1] or 0, parts=parts)
    if not scope.sees(case, viewer):
        return None
    return Found(case, case if unmask else masking.case(case), rulebook.at(row[2]))


def page(number: str, *, viewer: Actor, language: str, now: datetime, unmask: bool = False) -> Page | None:
    """The claim with all that surrounds it, or None. At most 16 queries."""
    found = find(number, viewer=viewer, unmask=unmask)
    if found is None:
        return None
    case, book = found.raw, found.rulebook
    entries = timeline.rows(case, viewer)
    sent = _deliveries(case, viewer)
    why = (case.claim.triage_reasons, case.claim.assignment_reasons)
    named = {n for rows in why for n in reasons.staff_in(rows)}
    staff = people.names({*staff_of(case), *named, *timeline.staff_in(entries), *(d.staff_id for d in sent)})
    zone = book.settings.zone
    return Page(
        found=found,
        actions=possible(case, book, viewer=viewer, language=language, now=now),
        promises=promised(case, book, viewer=viewer, language=language, now=now),
        settlements=settled(case, book, language=language, facts=_facts(entries)),
        timeline=with_notes(
            timeline.told(entries, case=case, viewer=viewer, language=language, zone=zone, staff=staff), found.case
        ),
        deliveries=tuple(_delivered(d, staff) for d in sent),
        staff=staff,
        remarks=remarks.on(case, book, _facts(entries), language=language, now=now),
        lane_reasons=reasons.in_words(why[0], language, staff),
        handler_reasons=reasons.in_words(why[1], language, staff),
    )


def with_notes(entries: Iterable[Told], case: Case) -> tuple[Told, ...]:
    """Each entry with what was written along: a note, what the customer wrote or was told, the reason of a step.

    For colleagues alone. ``case`` is the one to be shown, masked or whole.
    """
    notes = case.of("note")
    texts_of = {number: note.text for number, note in notes.items()}
    return tuple(replace(e, note=texts_of.get(e.facts.get("note", 0), "")) for e in entries)


def _facts(entries: Iterable[Any]) -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """The facts that remarks want, from the entries of a timeline."""
    return tuple((e.kind, {**journal.said(e.payload)[0], "part": e.part}) for e in entries if e.kind in remarks.KINDS)


def currency(number: str) -> str:
    """The currency of a claim's amounts; empty where there is no such claim. One query."""
    return models.Claim.objects.filter(number=number).values_list("currency", flat=True).first() or ""


def events_of_report(case: Case) -> tuple[tuple[int, Event], ...]:
    """What a claim's report made happen at once, by the journal: the answer to a report that is sent again."""
    at = case.claim.reported_at
    assert at is not None, case.claim.number
    rows = models.Entry.objects.filter(stream_kind=Case.kind, stream_id=case.id, recorded_at=at)
    return tuple(
        (s, Event(kind, part)) for s, kind, part in rows.order_by("sequence").values_list("sequence", "kind", "part")
    )


def staff_of(case: Case) -> set[int]:
    """The members of staff who stand on a claim by name."""
    found = {case.claim.handler, case.claim.duty_person, *(s.surveyor for s in case.surveys.values())}
    found |= {n for c in case.consultations.values() for n in c.experts}
    acted = [a for e in case.exposures.values() for a in (e.assessed_by, e.checked_by, e.submitted_by, e.decided_by)]
    acted += [a for e in case.exposures.values() for a in (e.refusal_proposed_by, *e.approvals)]
    acted += [a for p in case.payments.values() for a in (p.ordered_by, *p.approved_by)]
    acted += [n.author for n in case.of("note").values()]
    return {n for n in found if n is not None} | people.staff_ids(acted)


# --- what can be done ------------------------------------------------------------------------------------------------


def possible(case: Case, book: Rulebook, *, viewer: Actor, language: str, now: datetime) -> tuple[Possible, ...]:
    """The steps that the viewer can take now, with the words for them, drawn from the lifecycle table."""
    return tuple(
        Possible(step, part, text(label_key(step, case, part), language))
        for step, part in lifecycle.possible(case=case, actor=viewer, book=book, now=now)
    )


def label_key(step: Step, case: Case, part: int) -> str:
    """The key of the words for a step; what is done about an offer that came to nothing is called so."""
    own = case.of(step.subject).get(part)
    again = step.subject == "offer" and getattr(own, "state", "") in TURNED_DOWN
    again |= step.subject == "exposure" and getattr(own, "state", "") == "approved" and is_turned_down(case, part)
    turned_down = f"action.{step.subject}.{step.action}.turned_down"
    return turned_down if again and turned_down in texts() else turned_down.removesuffix(".turned_down")


# --- promises --------------------------------------------------------------------------------------------------------


def promised(case: Case, book: Rulebook, *, viewer: Actor, language: str, now: datetime) -> tuple[Promised, ...]:
    """The claim's promises, those that run first by due time. A customer sees those made to them."""
    clocks: Iterable[Clock] = case.clocks.values()
    if viewer.id.startswith("customer:"):
        clocks = [c for c in clocks if _told_to_customer(c, book)]
    last = datetime.max.replace(tzinfo=now.tzinfo)
    ordered = sorted(clocks, key=lambda c: (c.state not in ("running", "paused"), c.due_at or last, c.part))
    return tuple(_promised(clock, case.claim, book, language, now) for clock in ordered)


def _told_to_customer(clock: Clock, book: Rulebook) -> bool:
    definition = _definition(clock, book)
    return definition is not None and definition.told_to_customer


def _definition(clock: Clock, book: Rulebook) -> promises.Promise | None:
    """What a clock runs on; None for a definition that is no longer known: nobody can say whom it was told to."""
    return book.promises.history.get((clock.promise, clock.promise_version))


def _promised(clock: Clock, claim: Claim, book: Rulebook, language: str, now: datetime) -> Promised:
    explained = promises.explain(
        clock=clock, calendars=book.calendars, now=now, promise=_definition(clock, book), claim=claim
    )
    name = f"promise.{clock.promise}"
    return Promised(
        part=clock.part,
        code=clock.promise,
        name=text(name, language) if name in texts() else clock.promise,
        binds=clock.binds,
        state=clock.state,
        exposure=clock.exposure,
        due_at=explained.due_at,
        extended_due_at=explained.extended_due_at,
        provisional=explained.provisional,
        breached_at=clock.breached_at,
        ended_at=clock.ended_at,
        late=clock.breached_at is not None
        or (clock.state == "running" and explained.due_at is not None and explained.due_at < now),
        why=explanation_words(explained, language) if name in texts() else (),
        basis=explained,
    )


# --- the sum ---------------------------------------------------------------------------------------------------------


def settled(
    case: Case, book: Rulebook, *, language: str, facts: Iterable[tuple[str, Mapping[str, Any]]] = ()
) -> tuple[Settled, ...]:
    """The explained sum of each exposure, by the terms of its own day (norm 2.2.4), or why there is none (`facts`)."""
    why = remarks.not_computed(case, facts, language)
    found = (_settled(exposure, case, book, language) for exposure in case.exposures.values())
    return tuple(replace(one, why=why.get(one.exposure, "")) for one in found)


def _settled(exposure: Exposure, case: Case, book: Rulebook, language: str) -> Settled:
    made, claim = exposure.settlement, case.claim
    terms = book.products.version(made["product"], made["terms_version"]) if made else None
    contract = terms or book.products.version(claim.product, claim.terms_version)
    cover = f"cover.{exposure.cover}"
    return Settled(
        exposure=exposure.part,
        cover=exposure.cover,
        cover_name=text(cover, language) if cover in texts() else exposure.cover,
        state=exposure.state,
        reserve_minor=exposure.reserve_minor,
        assessed_minor=exposure.assessed_minor,
        payable_minor=exposure.payable_minor,
        ex_gratia_minor=exposure.ex_gratia_minor,
        refused_minor=exposure.refused_minor,
        paid_minor=exposure.paid_minor,
        computed=bool(made),
        provisional=bool(made.get("provisional")),
        needs_person=tuple(text(c, language) if c in texts() else c for c in made.get("needs_person", ())),
        lines=explain_settlement(terms=terms, settlement=made, language=language) if terms else (),
        refusal=refusal_words(exposure, contract, language),
        exclusions=_exclusions(exposure, contract, language),
    )


def _exclusions(exposure: Exposure, terms: Terms | None, language: str) -> Mapping[str, str]:
    cover = terms.covers.get(exposure.cover) if terms else None
    if terms is None or cover is None:
        return {}
    return {
        e.code: _pair(_clause(terms, e.clause, language), e.wording[language], language)
        for e in cover.exclusions.values()
    }


def _pair(name: str, value: str, language: str) -> str:
    return text("common.pair", language, name=name, value=value)


def refusal_words(exposure: Exposure, terms: Terms | None, language: str) -> str:
    """What a refusal rests on, of the whole or of a part: the clause and what it says."""
    code, clause = exposure.refusal_code, exposure.refusal_clause
    excluded = _exclusions(exposure, terms, language)
    if not code:
        cuts = (line for line in exposure.settlement.get("lines", ()) if line["kind"] == "exclusion")
        found = [excluded.get(line["params"]["exclusion"], "") for line in cuts]
        if any(sizes.set_at_nothing(row) for row in exposure.items):
            found.append(text("letter.refusal.at_nothing", language))
        return text("common.list_separator", language).join(filter(None, found))
    if code in excluded:
        return excluded[code]
    ground = text(f"reason.{code}", language) if f"reason.{code}" in texts() else code
    return _pair(_clause(terms, clause, language), ground, language)


def _clause(terms: Terms | None, clause: str, language: str) -> str:
    """The name of a clause of the terms; whatever else somebody wrote stands as it is."""
    return terms.clauses[clause].name[language] if terms and clause in terms.clauses else clause


# --- messages --------------------------------------------------------------------------------------------------------


def messages(case: Case, *, viewer: Actor) -> tuple[Delivered, ...]:
    """What was written to whom on this claim, and what became of it, the newest first. Two queries."""
    sent = _deliveries(case, viewer)
    staff = people.names({d.staff_id for d in sent if d.staff_id is not None})
    return tuple(_delivered(d, staff) for d in sent)


def _deliveries(case: Case, viewer: Actor) -> list[Any]:
    rows = models.Delivery.objects.filter(stream_kind=Case.kind, stream_id=case.id)
    if viewer.id.startswith("customer:"):
        rows = rows.filter(party=int(viewer.id.removeprefix("customer:")))
    elif "program" in viewer.roles:  # what colleagues are told may speak of suspicion
        rows = rows.filter(party__gt=0)
    columns = (
        "message",
        "party",
        "staff_id",
        "channels",
        "position",
        "state",
        "letter",
        "reason",
        "due_at",
        "sent_at",
        "delivered_at",
        "id",
    )
    return list(rows.order_by("-id").values_list(*columns, named=True)[:DELIVERIES_MAX])


def _delivered(row: Any, staff: Mapping[int, str]) -> Delivered:
    channel = row.channels[row.position] if row.position < len(row.channels) else ""
    return Delivered(
        row.message,
        row.party,
        staff.get(row.staff_id, ""),
        channel,
        row.state,
        row.letter,
        row.reason,
        row.due_at,
        row.sent_at,
        row.delivered_at,
        row.id,
    )
