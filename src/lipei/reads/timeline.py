"""The timeline: the journal of a claim in words, as far as this reader may see it (norm 1.4.3, 2.4.1).

Each entry has a short name (``event.<kind>``) and, where its facts suffice, a sentence (``event.<kind>.sentence``).
The journal holds no personal data, so nothing here needs masking; what an outsider must not see is left out by kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

from lipei.domain.claims import Case
from lipei.domain.events import Actor
from lipei.domain.money import Money
from lipei.norms.money import money_text
from lipei.norms.texts import text, texts
from lipei.reads import people
from lipei.store import journal, models

CUSTOMER_SEES = frozenset({
    "claim.reported", "claim.registered", "claim.assigned", "claim.handed_over", "claim.opinion_given",
    "claim.papers_requested", "claim.closed", "claim.closed_without_payment", "claim.withdrawn", "claim.cancelled",
    "claim.reopened", "claim.duplicate_linked", "claim.customer_wrote", "claim.customer_told", "claim.imported",
    "document.received", "paper.requested", "paper.received", "paper.accepted", "paper.refused", "paper.waived",
    "survey.scheduled", "survey.recorded", "survey.cancelled", "exposure.refused", "exposure.settled",
    "exposure.dropped", "offer.sent", "offer.code_sent", "offer.agreed", "offer.declined", "offer.expired", "offer.reminded",
    "payment.submitted", "payment.confirmed", "payment.failed", "payment.given_back",
})  # fmt: skip
"""What the customer follows their claim by. Suspicion, reserves and who said what among colleagues are not theirs."""

PROGRAM_MISSES = frozenset({"claim.suspected", "claim.suspicion_cleared", "claim.personal_data_seen"})
"""What a program that acts for nobody in particular does not learn."""

AMOUNTS = ("amount_minor", "payable_minor", "paid_minor", "assessed_minor", "after_minor", "sum_minor", "reserve_minor")
"""Which fact is the ``{amount}`` of a sentence: the first of these."""


@dataclass(frozen=True, slots=True)
class Told:
    """One entry for a reader. ``sentence`` is the short name where the facts do not suffice for a sentence."""

    sequence: int
    kind: str
    part: int
    at: datetime
    recorded_at: datetime
    actor: str
    actor_name: str
    on_behalf_of: str
    name: str
    sentence: str
    facts: Mapping[str, Any]
    authority: str = ""  # by which authority it was done, in words, where the entry says so
    note: str = ""  # what was written along, for colleagues; `claims.with_notes` fills it in


def rows(case: Case, viewer: Actor) -> list[Any]:
    """The journal entries of a claim that the viewer may see, in order. One query."""
    found = models.Entry.objects.filter(stream_kind=Case.kind, stream_id=case.id).order_by("sequence")
    entries = found.values_list(
        "sequence", "kind", "part", "occurred_at", "recorded_at", "actor", "on_behalf_of", "payload", named=True
    )
    return [entry for entry in entries if visible(entry.kind, viewer)]


def visible(kind: str, viewer: Actor) -> bool:
    """Whether the viewer may see entries of this kind."""
    if viewer.id.startswith("customer:"):
        return kind in CUSTOMER_SEES
    return "program" not in viewer.roles or kind not in PROGRAM_MISSES


def told(
    entries: Iterable[Any], *, case: Case, viewer: Actor, language: str, zone: str, staff: Mapping[int, str]
) -> tuple[Told, ...]:
    """The entries in words. Facts are for colleagues and programs; a customer reads the words alone."""
    teller = Teller(case, language, zone, staff)
    outsider = viewer.id.startswith("customer:")
    found = []
    for entry in entries:
        facts, _ = journal.said(entry.payload)
        sentence = teller.sentence(entry.kind, entry.part, entry.actor, facts)
        found.append(
            Told(
                entry.sequence, entry.kind, entry.part, entry.occurred_at, entry.recorded_at, entry.actor,
                teller.actor(entry.actor), entry.on_behalf_of, text(called(entry.kind, facts), language), sentence,
                {} if outsider else facts, teller.authority(facts.get("authority")),
            )
        )  # fmt: skip
    return tuple(found)


def staff_in(entries: Iterable[Any]) -> set[int]:
    """Members of staff whose names the timeline needs."""
    found = set()
    for entry in entries:
        facts, _ = journal.said(entry.payload)
        found |= {facts[n] for n in ("handler", "to", "person") if isinstance(facts.get(n), int)}
        found |= people.staff_ids([(facts.get("authority") or {}).get("on_behalf_of", "")])
    return found | people.staff_ids(entry.actor for entry in entries)


def called(kind: str, facts: Mapping[str, Any]) -> str:
    """The key of what an entry is called: what nobody disputed is no advance, though money on account like one."""
    own = f"event.{kind}.undisputed"
    return own if facts.get("undisputed") and own in texts() else f"event.{kind}"


@cache
def _placeholders(wording: str) -> tuple[str, ...]:
    return tuple(name for _, name, _, _ in Formatter().parse(wording) if name)


@dataclass(frozen=True)
class Teller:
    """Makes sentences of entries, in one language and local time."""

    case: Case
    language: str
    zone: str
    staff: Mapping[int, str]

    def actor(self, actor: str) -> str:
        """The name of who acted."""
        return people.actor_name(actor, self.staff, self.language)

    def sentence(self, kind: str, part: int, actor: str, facts: Mapping[str, Any]) -> str:
        """The sentence of an entry; its short name where a fact is missing.

        What it was done without, and what of it is refused, is said along.
        """
        said = [self._of_head(kind, facts, self._sentence(kind, part, actor, facts))]
        if facts.get("refused_minor"):
            amount = money_text(Money(facts["refused_minor"], self.case.claim.currency), self.language)
            said.append(text("event_beside.refused", self.language, amount=amount))
        if facts.get("papers_missing"):
            named = self._coded("papers", kind, part, {"papers": facts["papers_missing"]})
            said.append(text("event_beside.papers_missing", self.language, papers=named))
        return " ".join(said)

    def _of_head(self, kind: str, facts: Mapping[str, Any], sentence: str) -> str:
        """What happened to a promise of one head of loss, with the head where the claim has several."""
        number = facts.get("exposure")
        head = self.case.exposures.get(number) if kind.startswith("clock.") and isinstance(number, int) else None
        if head is None or len(self.case.exposures) < 2:
            return sentence
        named = self._word("cover", head.cover) or self._word("loss", head.peril) or ""
        return text("event_beside.head", self.language, head=f"{number}. {named}".rstrip(". "), sentence=sentence)

    def authority(self, granted: Mapping[str, Any] | None) -> str:
        """Up to how much whoever did it may, and by whose authority where it was lent; empty where nothing is said."""
        if not granted:
            return ""
        limit, whose = granted.get("limit_minor"), granted.get("on_behalf_of")
        if limit is None:
            said = text("event_beside.authority_unlimited", self.language)
        else:
            amount = money_text(Money(limit, self.case.claim.currency), self.language)
            said = text("event_beside.authority", self.language, amount=amount)
        return f"{said} {text('event_beside.lent', self.language, person=self.actor(whose))}" if whose else said

    def _sentence(self, kind: str, part: int, actor: str, facts: Mapping[str, Any]) -> str:
        name = called(kind, facts)
        key = f"{name}.sentence"
        if key not in texts():
            return text(name, self.language)
        wording = texts()[key][self.language]
        params = {name: self._param(name, kind, part, actor, facts) for name in _placeholders(wording)}
        if any(value in (None, "") for value in params.values()):
            return text(name, self.language)
        return wording.format(**params)

    def _param(self, name: str, kind: str, part: int, actor: str, facts: Mapping[str, Any]) -> str | None:
        if name == "actor":
            return self.actor(actor)
        if name == "amount":
            return self._amount(kind, part, facts)
        if name == "before":
            return money_text(Money(facts.get("before_minor", 0), self.case.claim.currency), self.language)
        if name in ("due", "at"):
            return self._time(facts.get("due_at" if name == "due" else "at"))
        if name in ("handler", "person"):
            number = facts.get(name, facts.get("to"))
            return self.staff.get(number) if isinstance(number, int) else None
        if name == "claim":
            return facts.get("duplicate_of")
        return self._coded(name, kind, part, facts)

    def _coded(self, name: str, kind: str, part: int, facts: Mapping[str, Any]) -> str | None:
        if name == "cover":
            exposure = self.case.exposures.get(part) if kind.startswith("exposure.") else None
            return self._word("cover", facts.get("cover") or (exposure.cover if exposure else ""))
        if name == "paper":
            return self._word("paper", facts.get("code"))
        if name in ("papers", "roles"):
            prefix = {"papers": "paper", "roles": "party_role"}[name]
            separator = text("common.list_separator", self.language)
            return separator.join(self._word(prefix, code) or code for code in dict.fromkeys(facts.get(name, ())))
        if name == "message":
            subject = f"message.{facts.get('message')}.subject"
            found = texts()[subject][self.language] if subject in texts() else ""
            return None if "{" in found else found
        return self._word(name, facts.get(name))

    def _word(self, prefix: str, code: Any) -> str | None:
        key = f"{prefix}.{code}"
        return text(key, self.language) if code and key in texts() else None

    def _amount(self, kind: str, part: int, facts: Mapping[str, Any]) -> str | None:
        minor = next((facts[n] for n in AMOUNTS if isinstance(facts.get(n), int)), None)
        if minor is None:
            minor = next((v for n, v in facts.items() if n.endswith("_minor") and isinstance(v, int)), None)
        return None if minor is None else money_text(Money(minor, self.case.claim.currency), self.language)

    def _time(self, at: Any) -> str | None:
        return at.astimezone(ZoneInfo(self.zone)).strftime("%Y-%m-%d %H:%M") if isinstance(at, datetime) else None
