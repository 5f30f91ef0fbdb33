"""What matters about each thing that waits for somebody's word, and what changed meanwhile (norm 2.2.3, part 4).

Read for a whole list at once: the number of queries does not grow with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lipei.domain import authority, papers, sizes
from lipei.domain.authority import Delegation
from lipei.domain.claims import Case, Clock, Document, Exposure, Paper, Party, Payment, Recovery
from lipei.domain.events import Actor, Refusal, private_fields
from lipei.domain.money import Money
from lipei.domain.rulebook import Rulebook
from lipei.domain.rules.recoveries import asked_back_minor
from lipei.domain.settlement import Products
from lipei.norms.texts import text, texts
from lipei.reads import approvals_changed, claims, people, timeline
from lipei.reads.approvals_changed import Rework
from lipei.store import journal, models
from lipei.store.aggregates import names

Place = tuple[int, str, int]
"""Claim id, subject, number of the part."""
ASKED = ("exposure.assessed", "exposure.decision_submitted", "exposure.refusal_proposed", "payment.ordered")
"""The entries by which something begins to wait for somebody."""
QUIET = ("clock.", "notice.")
ASKED_OF_PARTIES = frozenset({"id_number", "born_on", "account_number"})
"""What the list of papers has to know of people: what of it is known already is not asked for."""
OWN = ("company", "team")
KINDS: Mapping[str, str] = {
    "check_assessment": "assess", "approve_decision": "decide", "refuse": "refuse", "approve_payment": "pay",
}  # fmt: skip
"""Which authority a step takes."""
ENDS: Mapping[str, frozenset[str]] = {
    "exposure": frozenset({"exposure.assessment_checked", "exposure.decision_approved", "exposure.refused"}),
    "payment": frozenset({"payment.approved", "payment.submitted", "payment.confirmed"}),
}
"""The promises that such a step keeps, by what they end with."""


@dataclass(frozen=True, slots=True)
class Point:
    """Something to look at before one decides. ``grade``: ``bad`` bars it, ``warn`` is unusual, ``note`` is to be known."""

    code: str
    grade: str
    minor: int = 0
    n: int = 0


@dataclass(frozen=True, slots=True)
class News:
    """What happened on the claim since it was asked for."""

    name: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """Until when, by which promise, and who is bound by it."""

    at: datetime
    promise: str
    binds: str


@dataclass(frozen=True, slots=True)
class Weighed:
    """``amount_minor``: the sum that is decided on. ``due``: the promises that this step keeps, the first of the company's
    own and the first of the law's. ``sums``: names of fields with minor units, to compare the sum with. ``rework``: what
    changed since it was returned, ``why`` it was. ``ground``: what a refusal, of all or of a part, rests on. ``because``:
    what its maker wrote along, such as why it is decided without all papers."""

    amount_minor: int
    asked_at: datetime | None
    due: tuple[Due, ...]
    sums: tuple[tuple[str, int], ...]
    points: tuple[Point, ...]
    news: tuple[News, ...]
    rework: Rework | None = None
    why: str = ""
    ground: str = ""
    because: str = ""


def weigh(
    wanted: Mapping[Place, tuple[str, Case]], *, viewer: Actor, book: Rulebook, delegations: Sequence[Delegation],
    now: datetime, language: str,
) -> dict[Place, Weighed]:  # fmt: skip
    """Each of these places with its action and the claim as far as it is known. At most eleven queries."""
    if not wanted:
        return {}
    cases = _whole({claim_id: case for (claim_id, _, _), (_, case) in wanted.items()})
    told = _told(cases)
    reworks = approvals_changed.returned(cases, {(i, part) for i, subject, part in wanted if subject == "exposure"})
    since = {place: _asked(told.get(place[0], ()), place) for place in wanted}
    notes = _notes_of({place: entry[0] for place, entry in since.items() if entry is not None})
    written = _written({(i, rework.note) for (i, _), rework in reworks.items()} | {(p[0], n) for p, n in notes.items()})
    whys = {place: written.get((place[0], rework.note), "") for place, rework in reworks.items()}
    later = {
        place: [e for e in told.get(place[0], ()) if _is_news(e, since[place], viewer)]
        for place in wanted
    }  # fmt: skip
    staff = people.names(people.staff_ids(e[3] for rows in later.values() for e in rows))
    found = {}
    for place, (action, _) in wanted.items():
        claim_id, subject, part = place
        case, asked = cases[claim_id], since[place]
        found[place] = Weighed(
            amount_minor=amount_minor(case, case.of(subject)[part], book.products),
            asked_at=asked[4] if asked else None,
            due=_due(case, subject, part, book, language, now),
            sums=_sums(case, subject, part),
            points=tuple(_points(case, subject, part, action, viewer, book, delegations, now)),
            news=tuple(
                News(_called(case, kind, about, place, language), people.actor_name(by, staff, language), at)
                for _, kind, about, by, at in reversed(later[place])
            ),
            rework=reworks.get((claim_id, part)) if subject == "exposure" else None,
            why=whys.get((claim_id, part), "") if subject == "exposure" else "",
            ground=_ground(case, part, book, language) if action in ("refuse", "approve_decision") else "",
            because=written.get((claim_id, notes.get(place, 0)), ""),
        )
    return found


# --- what is read ----------------------------------------------------------------------------------------------------


def _whole(cases: Mapping[int, Case]) -> dict[int, Case]:
    """The claims with every part that counts here, also those that wait for nobody. Seven queries."""
    read = {
        name: parts(model, cls, cases)
        for name, model, cls in (
            ("exposure", models.Exposure, Exposure), ("payment", models.Payment, Payment),
            ("paper", models.Paper, Paper), ("clock", models.Clock, Clock), ("recovery", models.Recovery, Recovery),
            ("document", models.Document, Document),
        )
    }  # fmt: skip
    read["party"] = parts(models.Party, Party, cases, seen=ASKED_OF_PARTIES)
    return {
        i: Case(id=i, parts={**case.parts, **{name: rows.get(i, {}) for name, rows in read.items()}})
        for i, case in cases.items()
    }


def parts(
    model: type, cls: type, ids: Collection[int], *, seen: frozenset[str] = frozenset()
) -> dict[int, dict[int, object]]:
    """The parts of a kind on these claims, without their private fields but those ``seen``. One query."""
    hidden = private_fields(cls) - seen  # nothing of it is looked at, so that nothing is decrypted
    columns = tuple(name for name in names(cls) if name not in hidden and name != "part")
    rows = model.objects.filter(aggregate_id__in=list(ids))  # type: ignore[attr-defined]
    if cls is Clock:
        rows = rows.filter(state="running")
    if cls is Document:
        rows = rows.filter(paper=0, survey=0)  # what came with the report: it can stand for a paper
    found: dict[int, dict[int, object]] = {}
    for claim_id, part, *values in rows.order_by("part").values_list("aggregate_id", "part", *columns):
        found.setdefault(claim_id, {})[part] = cls(part, **dict(zip(columns, values, strict=True)))
    return found


Entry = tuple[int, str, int, str, datetime]
"""Sequence, kind, part, actor, instant."""


def _told(ids: Collection[int]) -> dict[int, list[Entry]]:
    """What the journal has of each claim but for promises and messages, in its order. One query."""
    rows = models.Entry.objects.filter(stream_kind=Case.kind, stream_id__in=list(ids))
    for kind in QUIET:
        rows = rows.exclude(kind__startswith=kind)
    found: dict[int, list[Entry]] = {}
    columns = ("stream_id", "sequence", "kind", "part", "actor", "occurred_at")
    for stream_id, *entry in rows.order_by("stream_id", "sequence").values_list(*columns):
        found.setdefault(stream_id, []).append(tuple(entry))
    return found


def _notes_of(sequences: Mapping[Place, int]) -> dict[Place, int]:
    """The note that was written with each of these entries. One query, none for nothing."""
    if not sequences:
        return {}
    rows = models.Entry.objects.filter(
        stream_kind=Case.kind,
        stream_id__in={p[0] for p in sequences},
        sequence__in=set(sequences.values()),
        kind__in=ASKED,
    )
    payloads = {(i, n): payload for i, n, payload in rows.values_list("stream_id", "sequence", "payload")}
    said = {
        place: journal.said(payloads[place[0], n])[0] for place, n in sequences.items() if (place[0], n) in payloads
    }
    return {place: int(facts["note"]) for place, facts in said.items() if facts.get("note")}


def _written(notes: Collection[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """These notes as they were written, by claim and number. One query, none for nothing."""
    if not notes:
        return {}
    rows = models.Note.objects.filter(aggregate_id__in={i for i, _ in notes}, part__in={n for _, n in notes})
    return {
        (i, part): words for i, part, words in rows.values_list("aggregate_id", "part", "text") if (i, part) in notes
    }


def because(case: Case, subject: str, part: int) -> str:
    """What the maker of a thing that waits wrote along, of a claim read whole. Two queries."""
    place = (case.id, subject, part)
    asked = _asked(_told({case.id}).get(case.id, ()), place)
    number = _notes_of({place: asked[0]}).get(place, 0) if asked is not None else 0
    note = case.of("note").get(number)
    return note.text if note is not None else ""


# --- what is made of it ----------------------------------------------------------------------------------------------


def _asked(entries: Iterable[Entry], place: Place) -> Entry | None:
    """The entry since which this waits."""
    _, subject, part = place
    own = [e for e in entries if e[1] in ASKED and e[2] == part and e[1].startswith(f"{subject}.")]
    return own[-1] if own else None


def _is_news(entry: Entry, asked: Entry | None, viewer: Actor) -> bool:
    """What somebody else did meanwhile, but for asking for something else: that stands in the list itself."""
    sequence, kind, _, by, _ = entry
    if asked is None or sequence <= asked[0] or kind in ASKED:
        return False
    return by != viewer.id and timeline.visible(kind, viewer)


def _called(case: Case, kind: str, about: int, place: Place, language: str) -> str:
    """What happened, in words; with the head of loss where it is another than the one waited for."""
    name, head = text(f"event.{kind}", language), case.exposures.get(about)
    if head is None or not kind.startswith("exposure.") or place[1:] == ("exposure", about):
        return name
    key = f"cover.{head.cover}"
    which = f"{about}. {text(key, language)}" if key in texts() else f"{about}."
    return text("event_beside.head", language, head=which, sentence=name)


def _ground(case: Case, part: int, book: Rulebook, language: str) -> str:
    terms = book.products.version(case.claim.product, case.claim.terms_version)
    return claims.refusal_words(case.exposures[part], terms or book.products.latest(case.claim.product), language)


def _due(case: Case, subject: str, part: int, book: Rulebook, language: str, now: datetime) -> tuple[Due, ...]:
    """The promises that this step keeps: of the company's own and of the others, each the one that breaks first."""
    exposure = part if subject == "exposure" else case.payments[part].exposure
    found: dict[bool, Due] = {}
    for clock in sorted(case.clocks.values(), key=lambda c: (c.due_at or now, c.part)):
        definition = book.promises.history.get((clock.promise, clock.promise_version))
        if definition is None or clock.due_at is None or clock.exposure not in (0, exposure):
            continue
        # A promise names first what it is really about; what ends it only by the way does not keep it.
        about = definition.fulfil[0].event.partition(".")[0] if definition.fulfil else ""
        if about in (subject, "exposure") and any(rule.event in ENDS[subject] for rule in definition.fulfil):
            key = f"promise.{clock.promise}"
            name = text(key, language) if key in texts() else clock.promise
            found.setdefault(clock.binds in OWN, Due(clock.due_at, name, clock.binds))
    return tuple(sorted(found.values(), key=lambda due: due.at))


def _sums(case: Case, subject: str, part: int) -> tuple[tuple[str, int], ...]:
    """What to compare the sum with."""
    if subject == "payment":
        head = case.exposures.get(case.payments[part].exposure)
        return (("payable", head.payable_minor), ("paid", head.paid_minor)) if head else ()
    head = case.exposures[part]
    return (("claimed", sizes.claimed_minor(head)), ("assessed", head.assessed_minor), ("reserve", head.reserve_minor))


def amount_minor(case: Case, part: Exposure | Payment, products: Products) -> int:
    """The sum that is decided on."""
    if isinstance(part, Payment):
        return part.amount_minor
    if part.state == "assessed":
        return part.assessed_minor
    if part.state == "refusal_proposed":
        return sizes.refused_minor(case, {part.part}, products)
    return part.payable_minor + part.ex_gratia_minor


def _points(
    case: Case, subject: str, part: int, action: str, viewer: Actor, book: Rulebook,
    delegations: Sequence[Delegation], now: datetime,
) -> Iterator[Point]:  # fmt: skip
    target: Exposure | Payment = case.of(subject)[part]
    amount = amount_minor(case, target, book.products)
    total = authority.cumulative_minor(
        case=case, kind=KINDS[action], part=part, amount_minor=amount, products=book.products
    )
    granted = authority.may(
        table=book.authority, actor=viewer, delegations=delegations, kind=KINDS[action], line=case.claim.line,
        cumulative_minor=total, currency=case.claim.currency, involved=(), at=now,
    )  # fmt: skip
    approvals = len(target.approved_by if isinstance(target, Payment) else target.approvals)
    if isinstance(granted, Refusal):
        limit = granted.params.get("limit")
        minor = limit.minor if isinstance(limit, Money) else 0
        yield Point("above_limit" if minor else "no_authority", "bad", minor)
    elif granted.needs_second or approvals:
        yield Point("second", "note", n=approvals)
    if case.claim.suspicion:
        yield Point("suspicion", "warn")
    if isinstance(target, Payment):
        yield from _of_payment(case, target)
    else:
        yield from _of_head(case, target, amount, book)


def _of_payment(case: Case, target: Payment) -> Iterator[Point]:
    head = case.exposures.get(target.exposure)
    if target.kind != "settlement":
        yield Point(f"kind_{target.called}", "warn")
    elif head and target.amount_minor > (left := head.payable_minor + head.ex_gratia_minor - head.paid_minor):
        yield Point("beyond_due", "warn", target.amount_minor - max(0, left))


def _of_head(case: Case, head: Exposure, amount: int, book: Rulebook) -> Iterator[Point]:
    if head.ex_gratia_minor:
        yield Point("ex_gratia", "warn", head.ex_gratia_minor)
    if head.state == "submitted" and (excluded := sizes.turned_down_minor(head)):
        yield Point("excluded", "warn", excluded)
    if head.state != "refusal_proposed":
        if head.named_reserve_minor and amount > head.named_reserve_minor:
            yield Point("above_reserve", "warn", amount - head.named_reserve_minor)
        if back := asked_back_minor(case, head, "settled"):
            yield Point("below_paid", "warn", back)
        if 0 < sizes.claimed_minor(head) < amount:
            yield Point("above_claimed", "warn", amount - sizes.claimed_minor(head))
    # The papers that the form of the decision lists: those of this head of loss, not of the whole claim.
    if out := papers.papers_away(case=case, table=book.papers, exposure=head.part):
        yield Point("papers_out", "warn", n=len(out))
