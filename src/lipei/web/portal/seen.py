"""What a customer sees of their claim, made ready for the templates: steps, promises, papers, offers, letters, notices.

Everything is read from `portal.guarded`, in which other people's data no longer stand; `portal.*_for` says which parts
are this visitor's. No sentence is made here beyond what the texts give.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lipei.domain import acting
from lipei.domain.accounts import check_bank_code
from lipei.domain.claims import Case, Clock, Exposure, Offer, Paper, Party, Recovery
from lipei.domain.lifecycle import OPEN
from lipei.domain.money import Money
from lipei.domain.owing import (
    TURNED_DOWN,
    given_besides_minor,
    is_current,
    is_reworked,
    kept_minor,
    left_minor,
    paid_out_minor,
    undisputed_minor,
)
from lipei.domain.papers import SENDABLE, awaited, outstanding
from lipei.domain.rules.payments import shares_of
from lipei.gateways.letters import Way
from lipei.norms import messages as message_norms
from lipei.norms import settlement as explained
from lipei.norms.money import money_text
from lipei.norms.promises import told_as
from lipei.norms.settlement import ExplainedLine
from lipei.norms.texts import text, texts
from lipei.reads import masking
from lipei.reads.way import in_turn
from lipei.services import norms, portal
from lipei.services.deliveries.letters import ways_on
from lipei.services.deliveries.words import VALUES, Telling
from lipei.services.portal import Visit

HIDDEN = "***"
TALK = "offer_talk"
"""The promise to talk with a customer about an offer that came to nothing."""
DECIDED = ("approved", "refused", "agreed", "settled")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way: ``done`` at an instant, ``now`` or ``open``, with the promised instant if there is one."""

    code: str
    state: str
    at: datetime | None = None
    promised_at: datetime | None = None
    is_late: bool = False


@dataclass(frozen=True, slots=True)
class Promised:
    """One promise to the customer by its plain name. ``name`` is a text key."""

    name: str
    state: str  # running, paused, kept, late
    due_at: datetime | None
    ended_at: datetime | None
    is_late: bool
    provisional: bool
    by_law: bool


@dataclass(frozen=True, slots=True)
class PaperSeen:
    """One paper asked for. ``reason`` is a text key, empty where nothing is wrong with what was sent."""

    part: int
    code: str
    state: str
    required: bool
    due_at: datetime | None
    reason: str
    note: str
    files: int
    can_send: bool
    wants_invoice: bool


@dataclass(frozen=True, slots=True)
class Head:
    """One head of loss of an offer with its calculation, line by line; ``due_minor`` is what is paid for it.

    ``refused``: its number where a part is refused, of which there is a notice.
    """

    cover: str
    lines: tuple[ExplainedLine, ...]
    due_minor: int
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Sums:
    """What an offer comes to, in minor units: in all, given before, kept for a hospital, to be paid now, or to come back."""

    total_minor: int
    before_minor: int
    kept_minor: int
    now_minor: int
    back_minor: int


@dataclass(frozen=True, slots=True)
class Share:
    """What one payee gets of a shared offer. ``name`` in full for the visitor and whom they act for; ``agreed`` None: not asked."""

    number: int
    name: str
    roles: tuple[str, ...]
    is_you: bool
    part: str
    amount_minor: int
    agreed: bool | None


@dataclass(frozen=True, slots=True)
class Notice:
    """A message that went to this party. ``body`` only for a verified visit."""

    title: str
    at: datetime
    channel: str
    state: str
    body: str


def promises(case: Case) -> list[Promised]:
    """The promises that the customer was told, each name once, in the order of their dates."""
    told = [c for c in case.clocks.values() if c.told_due_at is not None and c.state != "cancelled"]
    found: dict[str, Clock] = {}
    for clock in sorted(told, key=_urgency):
        found.setdefault(clock.promise, clock)
    return sorted((_promised(c) for c in found.values()), key=lambda p: (p.due_at is None, p.due_at, p.name))


def _urgency(clock: Clock) -> tuple[int, float]:
    """Of several clocks of one promise the running one that is due first, else the one that ended last."""
    open_ = clock.state in ("running", "paused")
    at = (clock.due_at if open_ else clock.ended_at) or clock.told_due_at
    seconds = at.timestamp() if at else 0.0
    return (0, seconds) if open_ else (1, -seconds)


def _promised(clock: Clock) -> Promised:
    late = clock.breached_at is not None
    state = clock.state if clock.state in ("running", "paused") else "late" if late else "kept"
    return Promised(
        name=told_as(clock.promise),
        state=state,
        due_at=clock.due_at or clock.told_due_at,
        ended_at=clock.ended_at,
        is_late=late,
        provisional=clock.provisional,
        by_law=clock.binds in ("law", "regulator"),
    )


def steps(case: Case, visit: Visit) -> list[Step]:
    """The way of the claim with what is done, when, and by when the rest is promised."""
    claim = case.claim
    if claim.outcome not in ("", "paid", "refused"):
        return []  # it went another way
    heads = [case.exposures[n] for n in portal.exposures_for(case, visit.party)]
    heads = [e for e in heads if e.state != "dropped"]
    paid = [case.payments[n] for n in portal.payments_for(case, visit.party)]
    refused = bool(heads) and all(e.state == "refused" for e in heads)
    paid_at = [p.confirmed_at for p in paid if p.state == "confirmed" and p.kind in ("settlement", "ex_gratia")]
    first_view_at = claim.opinion_at or _ended(case, "preliminary_opinion")
    papers_at = _papers_at(case)
    decided = bool(heads) and all(e.state in DECIDED for e in heads)
    unasked = papers_at is None and (refused or (decided and not needed(case)))
    done: list[tuple[str, datetime | None, bool]] = [
        ("reported", claim.reported_at, True),
        ("opinion", first_view_at, first_view_at is not None),
        *([] if unasked else [("papers", papers_at, papers_at is not None)]),
        ("decided", _last(e.decided_at for e in heads), decided),
    ]  # fmt: skip
    if not refused:
        agreed = bool(heads) and all(e.state in ("agreed", "settled", "refused") for e in heads)
        settled = bool(heads) and all(e.state in ("settled", "refused") for e in heads)
        done += [("agreed", _last(e.agreed_at for e in heads), agreed), ("paid", _last(paid_at), settled)]
    waiting = {"opinion"} if first_view_at is None and _promised_still(case, "preliminary_opinion") else set()
    waited_for = [case.papers[n] for n in needed(case)]
    if waited_for:
        waiting.add("papers")
    found = _in_order(done, promises(case), waiting)
    own = portal.papers_for(case, visit.party)
    papers_due_at = min((p.due_at for p in waited_for if p.due_at and p.part in own), default=None)
    return [replace(s, promised_at=papers_due_at) if s.code == "papers" and s.state == "now" else s for s in found]


def waits_for_others(case: Case, visit: Visit) -> bool:
    """Whether papers are awaited, all of them from others than this visitor."""
    found = needed(case)
    return bool(found) and found.isdisjoint(portal.papers_for(case, visit.party))


def needed(case: Case) -> frozenset[int]:
    """The papers that an open claim waits for, by number."""
    return frozenset(awaited(case) if case.claim.state in OPEN else ())


def _promised_still(case: Case, promise: str) -> bool:
    return any(c.promise == promise and c.state in ("running", "paused") for c in case.clocks.values())


def _in_order(done: list[tuple[str, datetime | None, bool]], told: list[Promised], waiting: set[str]) -> list[Step]:
    """What lies before a finished step is behind us too, unless something is still waited for there."""
    last = max(i for i, (_, _, is_done) in enumerate(done) if is_done)
    found = []
    for i, (code, at, _) in enumerate(done):
        state = "now" if code in waiting or i == last + 1 else "done" if i <= last else "open"
        promised = _promise_of(code, told)
        late = promised is not None and promised.is_late and state != "open"
        found.append(
            Step(code, state, at if state == "done" else None, promised.due_at if promised else None, is_late=late)
        )
    ahead = [n for n, step in enumerate(found) if step.state != "done"]
    for n, promised_at in zip(ahead, in_turn(found[n].promised_at for n in ahead), strict=True):
        if not found[n].is_late:
            found[n] = replace(found[n], promised_at=promised_at)
    return found


PROMISES_OF = {
    "opinion": ("preliminary_opinion",),
    "decided": ("complex_answer", "cn_decision"),
    "paid": ("simple_payment", "cn_payment"),
}
"""The promises that say by when a step is done; the company's own before the law's."""


def _promise_of(step: str, told: list[Promised]) -> Promised | None:
    """The promise of a step: one that still runs before one that has ended, the company's before the law's."""
    named = {p.name.rpartition(".")[2]: p for p in told if p.state != "paused"}
    found = [named[code] for code in PROMISES_OF.get(step, ()) if code in named]
    return min(found, key=lambda p: p.state != "running", default=None)


def _ended(case: Case, promise: str) -> datetime | None:
    return _last(c.ended_at for c in case.clocks.values() if c.promise == promise and c.state == "fulfilled")


def _papers_at(case: Case) -> datetime | None:
    """Since when every required paper is accepted or not needed; None while one is missing, or none was asked for."""
    asked = [p for p in case.papers.values() if p.required]
    if not asked or any(p.state not in ("accepted", "waived") for p in asked):
        return None
    return _last(p.decided_at for p in asked)


def _last(instants: Iterable[datetime | None]) -> datetime | None:
    return max((at for at in instants if at is not None), default=None)


def papers(case: Case, numbers: Iterable[int], *, is_open: bool) -> list[PaperSeen]:
    """The papers this visitor is asked for: what is still needed first. Of what has ended or is decided, what came."""
    of_use = outstanding(case)
    found = [_paper(p, is_open and p.part in of_use) for p in map(case.papers.__getitem__, numbers)]
    found = [p for p in found if p.can_send or p.files or p.state not in SENDABLE]
    return sorted(found, key=lambda p: (not p.can_send, not p.required, p.part))


def _paper(paper: Paper, is_open: bool) -> PaperSeen:
    refused = is_open and paper.state == "refused"
    reason = f"reason.{paper.reason}" if refused and paper.reason else ""
    return PaperSeen(
        part=paper.part, code=paper.code, state=paper.state, required=paper.required, due_at=paper.due_at,
        reason=reason if reason in texts() else ("reason.other" if reason else ""),
        note=paper.note if refused else "", files=len(paper.uploads),
        can_send=is_open and paper.state in SENDABLE, wants_invoice="invoice" in paper.code,
    )  # fmt: skip


def heads(case: Case, offer: Offer, language: str) -> list[Head]:
    """The heads of loss of an offer, each with its explained calculation (norm 2.2.4)."""
    return [_head(case.exposures[n], case.claim.currency, language) for n in offer.exposures]


def _head(exposure: Exposure, currency: str, language: str) -> Head:
    stored: Mapping[str, Any] = exposure.settlement
    book = norms.current()
    terms = book.products.version(stored["product"], stored["terms_version"]) if stored else None
    lines = explained.explain(terms=terms, settlement=stored, language=language) if terms else ()
    lines, due_minor = tuple(lines), exposure.payable_minor + exposure.ex_gratia_minor
    if exposure.ex_gratia_minor:
        lines += (_goodwill(exposure.ex_gratia_minor, due_minor, currency, language),)
    return Head(exposure.cover, lines, due_minor, exposure.part if exposure.refused_minor else 0)


def _goodwill(minor: int, after_minor: int, currency: str, language: str) -> ExplainedLine:
    """A line for what is added to the sum that the terms give."""
    words = f"{text('portal.offer.ex_gratia', language)} + {money_text(Money(minor, currency), language)}"
    after = money_text(Money(after_minor, currency), language)
    return ExplainedLine(words=words, clause="", plain="", after=after, cut="", kind="ex_gratia")


def sums(case: Case, offer: Offer) -> Sums:
    """An offer's sum, what of it was paid already (advances, a hospital's bill, an earlier round) or waits for a hospital."""
    before, total = given_besides_minor(case, offer.exposures, offer.part), offer.amount_minor
    left = left_minor(case, offer)
    kept = min(kept_minor(case, offer.exposures, offer.part), left) if is_current(case, offer) else 0
    return Sums(total, before, kept, left - kept, max(before - total, 0))


def no_bank(party: Party) -> bool:
    """Whether an account is on file to which nothing can be paid, as its bank is not known."""
    missing = check_bank_code(number=party.account_number, code=party.account_bank)
    return bool(party.account_number and missing)


def owed_back(case: Case, visit: Visit) -> list[Recovery]:
    """What this visitor, or whom they act for, was paid too much."""
    own = portal.mine(case, visit.party)
    return [r for r in case.recoveries.values() if r.kind == "overpayment" and r.debtor in own and r.due_minor]


@dataclass(frozen=True, slots=True)
class Onward:
    """What happens after an offer that nobody agreed to: who calls by when, what is paid first, what one can do."""

    by_at: datetime | None
    undisputed_minor: int
    given_minor: int
    ways: tuple[Way, ...]


def onward(case: Case, offer: Offer, language: str) -> Onward | None:
    """The ways on from an offer that was declined or ran out, as long as no later one stands; None for any other."""
    if offer.state not in TURNED_DOWN or not is_current(case, offer) or case.claim.state not in OPEN:
        return None
    talks = (c.due_at for c in case.clocks.values() if c.promise == TALK and c.state == "running" and c.due_at)
    return Onward(
        by_at=min(talks, default=None),
        undisputed_minor=sum(undisputed_minor(case, case.exposures[n]) for n in offer.exposures),
        given_minor=max(0, sum(paid_out_minor(case, n) for n in offer.exposures)),
        ways=ways_on(norms.current().settings, language),
    )


def shares(case: Case, visit: Visit, offer: Offer) -> list[Share]:
    """Who gets how much of an offer, where it is shared: oneself and whom one acts for by name, the others masked."""
    sums, asked = shares_of(case, offer.part), acting.offerees(case, offer)
    own = portal.mine(case, visit.party)
    found = []
    for row in offer.shares:
        party, you = case.parties[row["payee"]], row["payee"] == visit.party
        agreed = offer.state == "agreed" or party.part in offer.agreed_parties
        found.append(
            Share(
                party.part, party.name if party.part in own or not party.person else masking.name(party.name), party.roles, you,
                f"{row['numerator']}/{row['denominator']}", sums.get(party.part, 0),
                agreed if party.part in asked else None,
            )
        )  # fmt: skip
    return found


def is_refused(exposure: Exposure) -> bool:
    """Whether there is a notice of what is not paid: of the whole head of loss, or of a part."""
    return exposure.state == "refused" or exposure.refused_minor > 0


def letters(case: Case, visit: Visit) -> list[tuple[str, int, datetime | None, str]]:
    """The letters for this visitor: name, part it is about, date, what it is called. All but the receipt are for verified visits.

    The receipt is for who told us. An offer that a later round has replaced is explained by the later one.
    """
    told_us = any("reporter" in case.parties[n].roles for n in portal.mine(case, visit.party))
    found: list[tuple[str, int, datetime | None]] = [("receipt", 0, case.claim.reported_at)] if told_us else []
    if visit.verified:
        found += _verified_letters(case, visit)
    called = {n: p.called for n, p in case.payments.items()}
    return [(name, n, at, called[n] if name == "advance" else name) for name, n, at in found]


def _verified_letters(case: Case, visit: Visit) -> list[tuple[str, int, datetime | None]]:
    found: list[tuple[str, int, datetime | None]] = []
    if any(case.papers[n].state in SENDABLE for n in portal.papers_for(case, visit.party)):
        found.append(("paper_request", 0, case.claim.papers_requested_at))
    offers = [case.offers[n] for n in portal.offers_for(case, visit.party)]
    standing = (o for o in offers if is_current(case, o) and not is_reworked(case, o))
    found += [("settlement", o.part, o.sent_at) for o in standing]
    own = [(n, case.exposures[n]) for n in portal.exposures_for(case, visit.party)]
    found += [("refusal", n, e.decided_at) for n, e in own if is_refused(e)]
    paid = [(n, case.payments[n]) for n in portal.payments_for(case, visit.party)]
    found += [
        ("advance", n, p.confirmed_at or p.submitted_at)
        for n, p in paid
        if p.kind == "advance" and p.state != "cancelled"
    ]
    return found


class _Words(dict[str, str]):
    """What fills a subject line: what the message said."""

    def __init__(self, telling: Telling) -> None:
        super().__init__(claim_number=telling.case.claim.number)
        self._telling = telling

    def __missing__(self, name: str) -> str:
        try:
            return VALUES[name](self._telling)
        except (AttributeError, KeyError, TypeError):  # the part that it spoke of is gone
            return HIDDEN


_PLAIN = frozenset({"claim_number"})
"""What a subject line says to whoever has not shown who they are."""


def notices(case: Case, visit: Visit, language: str) -> list[Notice]:
    """What was sent to this visitor, newest first."""
    book = norms.current()
    table, found = book.messages, []
    for row in portal.notices(case, visit.party):
        if row.message not in table.rows or row.state == "overtaken":
            continue
        title = message_norms.wording(table, f"message.{row.message}.subject", language)
        if not visit.verified and message_norms.placeholders(title) - _PLAIN:
            known = f"message_name.{row.message}"  # what it says is not shown, so what it is about
            title = text(known if known in texts() else "portal.notices.title", language)
        telling = Telling(
            portal.guarded(case, visit), book, language, event=row.event, part=row.part, facts=row.facts,
            party=visit.party,
        )  # fmt: skip
        at = row.delivered_at or row.sent_at or row.due_at
        channel = row.channels[min(row.position, len(row.channels) - 1)] if row.channels else ""
        found.append(
            Notice(title.format_map(_Words(telling)), at, channel, row.state, row.body if visit.verified else "")
        )
    return found
