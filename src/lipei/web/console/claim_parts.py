"""Sections of a claim's page, made ready for their templates: the way, the money with its history, files, the timeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from lipei.domain import acting
from lipei.domain.claims import Case, Document, Offer
from lipei.domain.owing import guaranteed_open_minor
from lipei.domain.rules.payments import shares_of
from lipei.gateways.uploads import kinds
from lipei.norms.texts import text, texts
from lipei.reads import claims as reads
from lipei.reads import people
from lipei.reads.approvals_changed import Changed, Rework
from lipei.reads.timeline import Told
from lipei.reads.way import Step
from lipei.web.templatetags.lipei import language, local, money, word

BY_ITSELF = ("clock.", "notice.")
"""What promises and messages do by themselves stands apart from what people did, except where one broke or failed."""
TELLING = frozenset({"clock.breached", "notice.failed"})
TIMELINES = ("people", "clocks", "all")
MESSAGES_SHOWN = 6
ENTRIES_SHOWN = 25
ABOUT_MONEY = ("offer.", "payment.", "recovery.")
ABOUT_MONEY_TOO = frozenset({
    "exposure.assessed", "exposure.assessment_checked", "exposure.decision_approved", "exposure.advanced",
    "exposure.guaranteed", "exposure.settled",
})  # fmt: skip
CODES = {"refusal_code": "refusal_ground", "refusal_clause": "clause"}
"""What the fields of a proposed refusal are called on its form."""
PICTURES = ("image/jpeg", "image/png", "image/webp")
"""What a browser shows as a picture."""
MICRO = 1_000_000


def way_words(steps: Sequence[Step]) -> list[dict[str, str]]:
    """The steps as the component draws them: done with its instant, else by when it is promised."""
    rows = []
    for one in steps:
        known = f"claim_page.step.{one.code}" in texts()
        name = text(f"claim_page.step.{one.code}", language()) if known else word("outcome", one.code)
        at = one.at or one.due_at
        key = "kept_late" if one.was_late else "kept" if one.at else "overdue" if one.state == "late" else "by"
        said = text(f"claim_page.{key}", language(), at=local(at)[5:]) if at else ""
        rows.append({"name": name, "state": one.state, "at": said})
    return rows


# --- money ----------------------------------------------------------------------------------------------------------


def totals(case: Case) -> dict[str, int]:
    """Sums over the heads of loss that still count, in minor units; ``left``: agreed or approved and not paid yet."""
    heads = [e for e in case.exposures.values() if e.state != "dropped"]
    found = {name: sum(getattr(e, f"{name}_minor") or 0 for e in heads) for name in ("reserve", "payable", "paid")}
    due = sum(
        e.payable_minor + e.ex_gratia_minor - e.paid_minor
        for e in heads
        if e.state in ("approved", "agreed", "settled")
    )
    return {**found, "left": max(0, due)}


@dataclass(frozen=True, slots=True)
class Reserve:
    """One change of a reserve, in minor units. ``before`` None: nothing was known before."""

    at: datetime
    exposure: int
    name: str
    before: int | None
    after: int
    by: str
    reason: str = ""
    authority: str = ""  # up to how much whoever set it may, in words


def reserves(page: reads.Page) -> list[Reserve]:
    """How the reserves changed, the newest first, as the journal has it."""
    found = []
    for entry in reversed(page.timeline):
        after = entry.facts.get("after_minor", entry.facts.get("reserve_minor"))
        if entry.kind != "exposure.reserve_set" or not isinstance(after, int):
            continue
        exposure = page.case.exposures.get(entry.part)
        name = word("cover", exposure.cover) or word("loss", exposure.peril) if exposure else ""
        before = entry.facts.get("before_minor")
        found.append(
            Reserve(
                entry.at, entry.part, name, before if isinstance(before, int) else None, after, entry.actor_name,
                entry.note, entry.authority,
            )
        )  # fmt: skip
    return found


def reworked(rework: Rework, case: Case) -> dict[str, Any]:
    """What changed since a decision was returned, as its table draws it."""
    note = case.of("note").get(rework.note)
    staff = people.names(people.staff_ids([rework.by]))
    return {
        "rework": rework, "rework_rows": rework_rows(rework, case.claim.currency), "rework_why": note.text if note else "",
        "staff": staff,
    }  # fmt: skip


def rework_rows(rework: Rework, currency: str) -> list[dict[str, str]]:
    """What changed since a decision was returned: a row each, in words."""

    def row(one: Changed, name: str, say: Callable[[Any], str]) -> dict[str, str]:
        before, after = ("" if value is None else say(value) for value in (one.before, one.after))
        return {"name": name, "how": one.how, "before": before, "after": after}

    def sum_of(minor: int) -> str:
        return money(minor, currency)

    def state_of(state: str) -> str:
        return word("state.paper", state)

    rows = [row(one, word("field", one.name.removesuffix("_minor")), sum_of) for one in rework.sums]
    rows += [row(one, word("field", CODES[one.name]), lambda code: word("reason", code)) for one in rework.codes]
    rows += [row(one, one.name, sum_of) for one in rework.items]
    rows += [row(one, word("paper", one.name), state_of) for one in rework.papers]
    return rows


@dataclass(frozen=True, slots=True)
class Share:
    """What one payee gets of an offer, in minor units; ``agreed`` None: they are not asked."""

    party: int
    part: str  # as a fraction of the whole
    amount_minor: int
    agreed: bool | None


def shares(case: Case, offer: Offer) -> tuple[Share, ...]:
    """Who gets how much of an offer that is shared or goes to somebody else than it is made to, and who has agreed."""
    sums = shares_of(case, offer.part)
    asked = acting.offerees(case, offer)
    return tuple(
        Share(
            s["payee"], f"{s['numerator']}/{s['denominator']}", sums.get(s["payee"], 0),
            (offer.state == "agreed" or s["payee"] in offer.agreed_parties) if s["payee"] in asked else None,
        )
        for s in offer.shares
    )  # fmt: skip


def guarantees(case: Case, exposure: int) -> tuple[tuple[int, int, int, bool], ...]:
    """(hospital, promised, still open, waits for a second person) of a head of loss, in minor units."""
    found: dict[tuple[int, bool], int] = {}
    for row in case.exposures[exposure].guarantees:
        key = (row["payee"], row["waits"])
        found[key] = found.get(key, 0) + row["amount_minor"]
    return tuple(
        (payee, minor, 0 if waits else guaranteed_open_minor(case, exposure, payee), waits)
        for (payee, waits), minor in found.items()
    )


def money_history(page: reads.Page) -> list[Told]:
    """What the journal tells about sums, the newest first."""
    return [e for e in reversed(page.timeline) if e.kind.startswith(ABOUT_MONEY) or e.kind in ABOUT_MONEY_TOO]


# --- papers and files -----------------------------------------------------------------------------------------------


def papers(rows: Sequence[tuple[Any, Any]]) -> dict[str, Any]:
    """Papers with their buttons: those still to come or to look at, and those done with."""
    closed = [row for row in rows if row[0].state in ("accepted", "waived")]
    return {"papers": rows, "papers_open": [row for row in rows if row not in closed], "papers_closed": closed}


def papers_done(case: Case) -> dict[str, int] | None:
    """How many of the required papers are accepted or waived; None where none is required."""
    required = [p for p in case.papers.values() if p.required]
    if not required:
        return None
    return {"done": sum(p.state in ("accepted", "waived") for p in required), "all": len(required)}


@dataclass(frozen=True, slots=True)
class Piece:
    """A file as the evidence grid and the viewer draw it. ``facts``: pairs of label and value."""

    part: int
    name: str
    is_image: bool
    about: str
    href: str
    thumb: str
    taken_at: datetime | None
    duplicate_of: str
    facts: tuple[tuple[str, str], ...]


def pieces(case: Case, *, may_open: bool, whole: bool) -> list[Piece]:
    """The files of a claim, pictures first. Thumbnails only where personal data is shown whole anyway."""
    found = [_piece(case, n, d, may_open, whole) for n, d in case.documents.items()]
    return sorted(found, key=lambda p: not p.is_image)


def _piece(case: Case, part: int, document: Document, may_open: bool, whole: bool) -> Piece:
    number = case.claim.number
    href = reverse("console:claim-document", args=[number, part]) if may_open else ""
    is_image = document.media_type in PICTURES
    name = document.file_name if may_open and document.file_name else document.media_type
    return Piece(
        part=part, name=f"{part}. {name}", is_image=is_image, about=_belongs(case, document), href=href,
        thumb=f"{href}?size=small" if is_image and whole and href else "", taken_at=document.taken_at,
        duplicate_of=document.duplicate_of, facts=_facts(document),
    )  # fmt: skip


def file_choices(case: Case) -> tuple[tuple[str, str], ...]:
    """The files of a claim as a form offers them: the number they have in the evidence grid, what they are, how large,
    when taken (else received) and what they belong to. Their names are masked, so that all would look alike.
    """
    return tuple((str(n), _told_apart(case, d)) for n, d in case.documents.items())


def _told_apart(case: Case, document: Document) -> str:
    at = document.taken_at or document.received_at
    kind = next(iter(kinds.labels(frozenset({document.media_type}))), document.media_type)
    said = (kind, _size(document), local(at) if at else "", _belongs(case, document))
    return f"{document.part}. " + " · ".join(part for part in said if part)


def thumbs(case: Case) -> dict[str, str]:
    """Where the small pictures of a claim's files are, by their number: for who has personal data shown whole."""
    shown = pieces(case, may_open=True, whole=True)
    return {str(p.part): p.thumb for p in shown if p.thumb}


def _size(document: Document) -> str:
    return f"{document.size_bytes / 1024:,.0f} KB"


def _belongs(case: Case, document: Document) -> str:
    if document.paper in case.papers:
        return word("paper", case.papers[document.paper].code)
    return f"{word('subject', 'survey')} {document.survey}" if document.survey else ""


def _facts(document: Document) -> tuple[tuple[str, str], ...]:
    """When and where a picture was taken, when it came in, and its digest: what shows that it is what it was."""
    place = ""
    if document.latitude_microdegrees is not None and document.longitude_microdegrees is not None:
        place = f"{document.latitude_microdegrees / MICRO:.5f}, {document.longitude_microdegrees / MICRO:.5f}"
    said = (
        ("taken", local(document.taken_at) if document.taken_at else ""),
        ("place", place),
        ("received", local(document.received_at) if document.received_at else ""),
        ("size", _size(document)),
        ("digest", document.digest),
    )
    return tuple((text(f"claim_page.file.{name}", language()), value) for name, value in said if value)


# --- timeline and messages ------------------------------------------------------------------------------------------


def history(page: reads.Page, which: str, everything: bool) -> dict[str, Any]:
    """The timeline, newest first: of people, of promises and messages, or all; so many entries unless all are asked for."""
    entries = [e for e in reversed(page.timeline) if not _said_again(e)]
    if which != "all":
        by_itself = which == "clocks"
        entries = [e for e in entries if _is_quiet(e) is by_itself or (by_itself and e.kind in TELLING)]
    shown = entries if everything else entries[:ENTRIES_SHOWN]
    return {
        "timeline": shown,
        "timeline_which": which,
        "timeline_rest": len(entries) - len(shown),
        "timeline_count": len(entries),
        "timelines": [(name, text(f"claim_page.timeline.{name}", language())) for name in TIMELINES],
    }


def _is_quiet(entry: Told) -> bool:
    return entry.kind.startswith(BY_ITSELF) and entry.kind not in TELLING


def _said_again(entry: Told) -> bool:
    """What a customer wrote stands in the journal twice, as a note and as word from the customer: shown is the latter."""
    return entry.kind == "claim.note_added" and entry.actor.startswith("customer:")


def messages(page: reads.Page) -> dict[str, Any]:
    """What went out, newest first: to the customer in front, to colleagues apart."""
    outward = [d for d in page.deliveries if d.party]
    return {
        "messages_out": outward[:MESSAGES_SHOWN],
        "messages_rest": outward[MESSAGES_SHOWN:],
        "messages_in": [d for d in page.deliveries if not d.party],
    }
