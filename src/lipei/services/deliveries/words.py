"""What the words of a message need: the case as it is when the message leaves, put into the reader's language.

`PLACEHOLDERS` of norms/messages.py is the closed list; `VALUES` here has one small function for each. Only what a text
really names is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings as django_settings

from lipei.domain import customers
from lipei.domain.claims import Case, Clock, Exposure, Paper
from lipei.domain.money import Money
from lipei.domain.owing import NOTHING_OWED, given_besides_minor, kept_minor, left_minor
from lipei.domain.papers import SENDABLE, outstanding
from lipei.domain.promises.clocks import RUNNING
from lipei.domain.rulebook import Rulebook
from lipei.norms import settlement as explained
from lipei.norms.messages import without_stop
from lipei.norms.money import money_text
from lipei.norms.texts import text, texts
from lipei.services import portal
from lipei.store import models

CONSOLE = "/console/claims/{number}/"


@dataclass(frozen=True)
class Telling:
    """One message to one reader: everything that its words are made from."""

    case: Case
    rulebook: Rulebook
    language: str
    event: str = ""
    part: int = 0
    facts: Mapping[str, Any] | None = None
    party: int = 0  # 0: the reader is a colleague
    secret: str = ""
    now: datetime | None = None

    @property
    def subject(self) -> str:
        return self.event.partition(".")[0]

    @cached_property
    def about(self) -> Any:
        """The part that the event is about."""
        return self.case.of(self.subject).get(self.part) if self.subject in self.case.entities else None

    @cached_property
    def exposures(self) -> tuple[Exposure, ...]:
        """The heads of loss that the event is about."""
        if self.subject == "exposure" and self.about is not None:
            return (self.about,)
        if self.subject == "offer" and self.about is not None:
            return tuple(self.case.exposures[n] for n in self.about.exposures)
        number = getattr(self.about, "exposure", 0)
        return (self.case.exposures[number],) if number in self.case.exposures else ()

    @cached_property
    def handler(self) -> Any:
        """The handler's row, or None while there is none."""
        number = self.case.claim.handler
        return models.Staff.objects.filter(id=number).first() if number is not None else None

    def say(self, key: str, /, **params: Any) -> str:
        return text(key, self.language, **params)

    def setting(self, name: str) -> Any:
        return self.rulebook.settings[name]

    def company(self) -> str:
        return str(self.setting(f"company_name_{self.language.replace('-', '_')}"))

    def money(self, minor: int) -> str:
        return money_text(Money(minor, self.case.claim.currency), self.language)

    def moment(self, at: datetime) -> str:
        """A last moment at the company's place; midnight is the end of the day before."""
        local = at.astimezone(ZoneInfo(self.setting("zone")))
        if (local.hour, local.minute) == (0, 0):
            return f"{local.date() - timedelta(days=1)} 24:00"
        return f"{local:%Y-%m-%d %H:%M}"

    def day(self, at: datetime) -> str:
        return self.moment(at)[:10]

    def promises(self) -> list[Clock]:
        """The open promises made to the customer, each once with its earliest date, in the order of the dates."""
        found: dict[str, Clock] = {}
        for clock in self.case.clocks.values():
            named = clock.state == RUNNING and clock.due_at is not None and clock.breached_at is None
            if not named or not self.rulebook.promises.of_clock(clock).told_to_customer:
                continue
            earlier = found.get(clock.promise)
            if earlier is None or clock.due_at < earlier.due_at:  # type: ignore[operator]
                found[clock.promise] = clock
        return sorted(found.values(), key=lambda c: (c.due_at, c.part))

    def papers(self) -> list[Paper]:
        """The papers still outstanding that are the reader's to send; all of them where none is.

        Once all is decided nothing is waited for: a letter made again names what was asked for and never came.
        """
        asked = [n for n, paper in self.case.papers.items() if paper.state in SENDABLE]
        waiting = [self.case.papers[n] for n in outstanding(self.case) or asked]
        own = [p for p in waiting if self.party and customers.brings(self.case, self.party, p.asked_of)]
        return own or waiting


# --- one function for each placeholder -----------------------------------------------------------------------


def _account_tail(t: Telling) -> str:
    party = t.case.parties.get(_payee(t) or 0)
    return party.account_number[-4:] if party and party.account_number else t.say("common.unknown")


def _payee(t: Telling) -> int | None:
    if t.subject == "payment":
        return t.about.payee  # type: ignore[no-any-return]
    if t.subject == "offer" and t.about.shares:
        payees = [s["payee"] for s in t.about.shares]
        return t.party if t.party in payees else payees[0]
    return getattr(t.about, "to", None) or t.party or None


def _amount(t: Telling) -> str:
    return t.money(amount_minor(t))


def amount_minor(t: Telling) -> int:
    """The sum that the event is about, in minor units of the claim's currency."""
    stated = (t.facts or {}).get("amount_minor")
    if isinstance(stated, int):
        return stated
    if t.subject in ("payment", "offer"):
        return int(t.about.amount_minor)
    if t.subject == "recovery":
        return int(t.about.due_minor - t.about.received_minor)
    if t.exposures:
        return sum(e.payable_minor + e.ex_gratia_minor for e in t.exposures)
    # What was said at the report, or what persons have set aside since, whichever is more.
    live = (e for e in t.case.exposures.values() if e.state not in NOTHING_OWED)
    return max(t.case.claim.estimate_minor, sum(e.reserve_minor for e in live))


def _answer_by(t: Telling) -> str:
    at = getattr(t.about, "due_at", None) or (t.facts or {}).get("due_at")
    return t.moment(at) if at else t.say("jobs.soon")


def _breakdown(t: Telling) -> str:
    lines = [line for exposure in t.exposures for line in breakdown(t, exposure)]
    return "\n".join(t.say("jobs.list_line", line=line) for line in lines) or t.say("jobs.see_portal")


def breakdown(t: Telling, exposure: Exposure) -> list[str]:
    """How the sum of one head of loss is made up, a sentence for each step (norm 2.2.4)."""
    terms = terms_of(t, exposure)
    lines = explained.explain(terms=terms, settlement=exposure.settlement, language=t.language) if terms else ()
    said = [line.words for line in lines]
    if exposure.ex_gratia_minor:
        said.append(t.say("jobs.ex_gratia", amount=t.money(exposure.ex_gratia_minor)))
    return said


def terms_of(t: Telling, exposure: Exposure) -> Any:
    """The terms that the exposure's settlement was computed by, None where there is none yet."""
    if not exposure.settlement:
        return None
    return t.rulebook.products.version(exposure.settlement["product"], exposure.settlement["terms_version"])


def cover_name(t: Telling, cover: str) -> str:
    key = f"cover.{cover}"
    return t.say(key) if key in texts() else cover


def _cover(t: Telling) -> str:
    separator = t.say("common.list_separator")
    return separator.join(cover_name(t, e.cover) for e in t.exposures) or t.say("common.unknown")


def _customer_name(t: Telling) -> str:
    party = t.case.parties.get(t.party or (t.facts or {}).get("party") or 0) or t.case.party("reporter")
    return party.name if party and party.name else t.say("jobs.customer")


def _due_date(t: Telling) -> str:
    if t.event == "offer.agreed":
        paid_by = [c for c in t.promises() if "payment" in c.promise] or t.promises()
        return t.day(paid_by[0].due_at) if paid_by else t.say("jobs.soon")  # type: ignore[arg-type]
    if t.subject == "offer" and t.about.expires_at:
        return t.day(t.about.expires_at)
    days = [p.due_at for p in t.papers() if p.due_at]
    return t.day(min(days)) if days else t.say("jobs.soon")


def _handler_name(t: Telling) -> str:
    return t.handler.name if t.handler else t.say("common.claims_team")


def _handler_phone(t: Telling) -> str:
    own = t.handler.phone if t.handler else ""
    return own or t.setting("company_phone") or t.say("jobs.see_portal")


def _hospital(t: Telling) -> str:
    payee = t.case.parties.get((t.facts or {}).get("payee") or getattr(t.about, "payee", 0) or 0)
    hospital = payee if payee and "hospital" in payee.roles else t.case.party("hospital")
    return hospital.name if hospital and hospital.name else t.say("jobs.hospital")


def _kept(t: Telling) -> str:
    """What goes off the sum of an offer: paid before, or kept for a hospital."""
    if t.subject != "offer" or t.about is None:
        return ""
    left = left_minor(t.case, t.about)
    minor = min(kept_minor(t.case, t.about.exposures, t.about.part), left)
    kept = t.say("jobs.kept", amount=t.money(minor)) if minor else ""
    if not given_besides_minor(t.case, t.about.exposures, t.about.part):
        return kept
    return (t.say("jobs.left", amount=t.money(left)) if left else t.say("jobs.nothing_left")) + kept


def link(t: Telling) -> str:
    """The address of the claim's page: the customer's own signed one in the portal, a colleague's in the console."""
    number = t.case.claim.number
    if t.party and t.now is not None:
        return portal.claim_address(number, t.party, now=t.now)
    return str(django_settings.LIPEI_ORIGIN).rstrip("/") + CONSOLE.format(number=number)


def _minutes(t: Telling) -> str:
    name = "duty_acknowledge_minutes" if t.event == "claim.duty_called" else "one_time_code_minutes"
    return str(t.setting(name))


def _paper(t: Telling) -> str:
    return t.say(f"paper.{t.about.code}") if t.subject == "paper" else _listed(t, t.papers())


def _listed(t: Telling, papers: Iterable[Paper]) -> str:
    return t.say("common.list_separator").join(t.say(f"paper.{p.code}") for p in papers)


def _paper_count(t: Telling) -> str:
    """How many papers the portal asks the reader for: those that may not apply are listed there and not counted."""
    papers = t.papers()
    return str(sum(p.required for p in papers) or len(papers))


def _paper_list(t: Telling) -> str:
    def line(paper: Paper) -> str:
        name = t.say(f"paper.{paper.code}")
        return name if paper.required else t.say("jobs.if_applies", paper=name)

    return "\n".join(t.say("jobs.list_line", line=line(p)) for p in t.papers())


def _promise(t: Telling) -> str:
    return t.say(f"promise.{t.about.promise}") if isinstance(t.about, Clock) else t.say("jobs.answer")


def _promise_list(t: Telling) -> str:
    lines = [
        t.say("jobs.promise_line", promise=t.say(f"promise.{c.promise}"), due=t.moment(c.due_at))  # type: ignore[arg-type]
        for c in t.promises()
    ]
    return "\n".join(lines) or t.say("jobs.no_promise")


def reason(t: Telling) -> str:
    """Why, in plain words: of a paper, a refusal, a bank's failure, or as the colleague who did it wrote it."""
    from lipei.gateways.bank.reasons import reason_key

    if t.event == "payment.failed":
        return t.say(reason_key(str((t.facts or {}).get("reason") or t.about.failure)))
    if t.subject == "paper" and t.about.reason:
        return _with_note(t, coded(t, t.about.reason), t.about.note)
    if t.event == "exposure.refused" or (t.subject == "exposure" and t.about.refused_minor):
        return str(t.about.refusal_reason)
    if t.subject == "recovery":
        return coded(t, t.about.reason or "calculation")
    note = t.case.of("note").get((t.facts or {}).get("note") or 0)
    return str(note.text) if note else t.say("reason.other")


def coded(t: Telling, code: str) -> str:
    """The words of a reason that is a code; what a colleague wrote freely stays as written."""
    key = f"reason.{code}"
    return t.say(key) if key in texts() else code


def _with_note(t: Telling, words: str, note: str) -> str:
    """A reason and, in brackets, what was written along: neither ends a sentence there."""
    plain, more = without_stop(words), without_stop(note)
    return t.say("jobs.reason_with_note", reason=plain, note=more) if more else words


def _survey_place(t: Telling) -> str:
    return t.say("jobs.remote") if t.about.remote else t.about.place or t.say("jobs.by_arrangement")


def _surveyor_name(t: Telling) -> str:
    row = models.Staff.objects.filter(id=t.about.surveyor).first() if t.about.surveyor else None
    return row.name if row else t.say("common.claims_team")


VALUES: Mapping[str, Callable[[Telling], str]] = {
    "account_tail": _account_tail,
    "amount": _amount,
    "answer_by": _answer_by,
    "breakdown": _breakdown,
    "claim_number": lambda t: t.case.claim.number,
    "code": lambda t: t.secret,
    "company": Telling.company,
    "company_phone": lambda t: t.setting("company_phone") or link(t),
    "cover": _cover,
    "customer_name": _customer_name,
    "due_date": _due_date,
    "expert_question": lambda t: t.about.question,
    "handler_name": _handler_name,
    "handler_phone": _handler_phone,
    "hospital": _hospital,
    "kept": _kept,
    "link": link,
    "minutes": _minutes,
    "opinion": lambda t: t.case.claim.opinion,
    "paper": _paper,
    "paper_list": _paper_list,
    "paper_count": _paper_count,
    "promise": _promise,
    "promise_list": _promise_list,
    "reason": reason,
    "survey_place": _survey_place,
    "survey_time": lambda t: t.moment(t.about.at) if t.about.at else t.say("jobs.by_arrangement"),
    "surveyor_name": _surveyor_name,
}
