"""The page of a claim for its customer, and what can be done from it: write, withdraw, fetch letters …"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from lipei.domain import commands, customers, lifecycle
from lipei.domain.claims import Offer, Payment
from lipei.domain.events import Refusal
from lipei.domain.lifecycle import OPEN
from lipei.domain.owing import is_current
from lipei.gateways.bank import remedy
from lipei.services import norms, portal, portal_files
from lipei.services.portal import Visit
from lipei.web.portal import dates, drafts, seen
from lipei.web.portal.forms import clean, instant_of
from lipei.web.portal.visits import Case, of_claim, page, say, to_verify, why
from lipei.web.templatetags.lipei import language

NOTICES_SHOWN = 3
"""So many of the newest messages stand open on the page; those before are a click away."""
ACCOUNT_FIELDS = ("account_name", "account_number", "account_bank")
EVENT_OF_LETTER = {
    "receipt": "claim.reported", "paper_request": "claim.papers_requested", "settlement": "offer.sent",
    "refusal": "exposure.refused", "advance": "payment.confirmed",
}  # fmt: skip
"""What each letter is about, for whoever composes it."""


@require_safe
@of_claim()
def track(request: HttpRequest, visit: Visit, case: Case) -> HttpResponse:
    """Where the claim stands, what we promised, what is needed."""
    return shown(request, visit, case)


def shown(
    request: HttpRequest, visit: Visit, case: Case, status: int = 200, *, errors: Mapping[str, str] | None = None,
    typed: Mapping[str, str] | None = None, kept_files: Mapping[int, str] | None = None,
) -> HttpResponse:  # fmt: skip
    """The page, with what was typed and what is wrong with it where a step was refused.

    ``kept_files``: a token per paper whose files are here and need not be chosen again.
    """
    errors, kept_files = errors or {}, kept_files or {}
    typed = typed if typed is not None else drafts.take(request, visit.number, now=timezone.now())
    safe = portal.guarded(case, visit)
    name, phone = portal.handler(case)
    papers = seen.papers(safe, portal.papers_for(case, visit.party), is_open=case.claim.state in OPEN)
    offers = [safe.offers[n] for n in portal.offers_for(case, visit.party)]
    promised = seen.promises(safe)
    is_open, is_paid = case.claim.state in OPEN, _is_paid(case, visit)
    notices = seen.notices(case, visit, language())
    owed_back = seen.owed_back(case, visit) if visit.verified else []
    return page(
        request, "track", status, number=visit.number, visit=visit, claim=safe.claim, is_open=is_open, is_paid=is_paid,
        handler=name, handler_phone=phone, steps=seen.steps(case, visit), promises=promised,
        is_late=any(p.is_late for p in promised), todo=_todo(case, visit, papers, offers) if is_open else {}, offers=offers,
        owed_back=owed_back, owed_open=any(r.state == "open" for r in owed_back),
        kept={o.part: seen.sums(case, o).kept_minor for o in offers},
        papers=[
            (p, errors.get(f"paper_{p.part}"), typed.get(f"invoice-{p.part}", ""), kept_files.get(p.part, ""))
            for p in papers
        ],
        refused=[e for n in portal.exposures_for(case, visit.party) if seen.is_refused(e := safe.exposures[n])],
        others=_others(safe, visit), payments=[safe.payments[n] for n in portal.payments_for(case, visit.party)],
        account=_account(safe, visit), notes=list(safe.of("note").values()), letters=seen.letters(case, visit),
        by_others=seen.waits_for_others(case, visit), has_dates=bool(dates.entries(safe, visit)),
        notices=notices[:NOTICES_SHOWN], notices_before=notices[NOTICES_SHOWN:],
        may_withdraw=_can(case, visit, "withdraw"),
        persons=portal.sharing_phone(case, visit), me=case.parties[visit.party],
        agreed_alone=[o.part for o in offers if o.state == "sent" and not portal.awaits(case, visit.party, o)],
        stands=_stands(case, visit.party, offers), loose_files=_loose_files(case, visit), errors=errors, typed=typed,
        megabytes=f"{norms.current().settings.upload_max_bytes / 1_000_000:g}",
    )  # fmt: skip


def _refusal(case: Case, visit: Visit, action: str) -> Refusal | None:
    """Why the lifecycle does not let this visitor take a step on the claim now; None where it does."""
    step, book = lifecycle.BY_ACTION["claim", action], norms.current()
    return lifecycle.check(case=case, step=step, part=case.claim, actor=visit.actor, book=book, now=timezone.now())


def _can(case: Case, visit: Visit, action: str) -> bool:
    return _refusal(case, visit, action) is None


def _stands(case: Case, party: int, offers: Sequence[Offer]) -> str:
    """Where the claim stands for this visitor, whatever the heads of others still wait for: who has answered, or
    cannot, is not told that we wait for their agreement."""
    if case.claim.outcome == "duplicate":
        return "duplicate"
    if any(portal.awaits(case, party, o) for o in offers):
        return "offering"
    state, answered = _own_state(case, party), {o.state for o in offers if is_current(case, o)}
    if state != "offering":
        return state
    if not answered and (offers or _soon(case, party)):
        return "deciding"  # their sum is not out yet, or is worked out anew
    if "sent" in answered or not offers:
        return "others"
    known = {"declined": "declined", "expired": "expired", "agreed": "paying"}
    return next((stands for state, stands in known.items() if state in answered), state)


def _soon(case: Case, party: int) -> bool:
    """Whether an offer to this party is ready and has not been sent."""
    ready = (o for o in case.offers.values() if o.state == "prepared" and o.to is not None and is_current(case, o))
    return any(customers.asked(case, party, o) for o in ready)


def _own_state(case: Case, party: int) -> str:
    """The state of the claim as far as the visitor's own heads of loss make it."""
    state, own = case.claim.state, {case.exposures[n].state for n in portal.exposures_for(case, party)} - {"dropped"}
    if state not in OPEN or state in ("reported", "paying") or not own:
        return state
    return lifecycle.stands_of(own) or "closed"


def _todo(case: Case, visit: Visit, papers: Sequence[seen.PaperSeen], offers: Sequence[Offer]) -> dict[str, Any]:
    """What is needed of this visitor: papers with the first date, an answer, an account or one that works.

    Where somebody has died or is being rescued nobody is asked for an account before there is something to pay.
    """
    wanted = [p for p in papers if p.can_send and p.required]
    waiting = next((o for o in offers if portal.awaits(case, visit.party, o)), None)
    asks_account = _is_paid(case, visit) and (
        not case.parties[visit.party].account_number or seen.no_bank(case.parties[visit.party])
    )
    return {
        "papers": wanted,
        "papers_due_at": min((p.due_at for p in wanted if p.due_at), default=None),
        "offer": waiting,
        "account": asks_account and bool(offers or not (case.claim.deaths or case.claim.rescue)),
        "failed": bool(_failed(case, visit)),
        "when": case.claim.loss_at is None and _can(case, visit, "correct"),
    }


def _loose_files(case: Case, visit: Visit) -> int:
    """How many files came for the claim as a whole: told to whose claim it is."""
    return sum(not d.paper and not d.survey for d in case.documents.values()) if portal.leads(case, visit.party) else 0


def _others(case: Case, visit: Visit) -> list[Any]:
    """Heads of loss that are somebody else's: to who reported, that they exist and how far they are, no more."""
    own = set(portal.exposures_for(case, visit.party))
    return [e for n, e in case.exposures.items() if n not in own] if portal.leads(case, visit.party) else []


def _is_paid(case: Case, visit: Visit) -> bool:
    """Whether money may go to this party: who only acts for another is not asked for an account."""
    offers = (case.offers[n] for n in portal.offers_for(case, visit.party))
    named = bool({"claimant", "payee"} & set(case.parties[visit.party].roles))
    return named or any(visit.party in portal.payees(case, o) for o in offers)


def _account(case: Case, visit: Visit) -> str:
    """The last digits of the account on file, for a verified visit."""
    return case.parties[visit.party].account_number[-4:] if visit.verified else ""


def _failed(case: Case, visit: Visit) -> list[Payment]:
    """What did not reach this party by the account as it is now: a changed one takes the approvals of its orders away."""
    payments = (case.payments[n] for n in portal.payments_for(case, visit.party))
    return [p for p in payments if p.state == "failed" and p.approved_by]


def _failure(case: Case, visit: Visit) -> str:
    """Why the bank did not pay this party, where another account helps."""
    return next((p.failure for p in _failed(case, visit) if remedy(p.failure) == "mend"), "")


@require_POST
@of_claim()
def write(request: HttpRequest, visit: Visit, case: Case) -> HttpResponse:
    """A message to the handler; answering it is a promise (norm 2.4.2)."""
    text = clean(request.POST.get("text", ""))
    if len(text) > commands.TEXT_LENGTH_MAX:
        return shown(request, visit, case, 422, errors={"text": say("refusal.too_long")}, typed={"text": text})
    done = portal.act(visit, "claim", "add_note", 0, commands.Write(text), now=timezone.now())
    if isinstance(done, Refusal):
        return shown(request, visit, case, 422, errors={"text": why(done)}, typed={"text": text})
    return _done(request, visit, "portal.write.sent", "write")


@of_claim()
def withdraw(request: HttpRequest, visit: Visit, case: Case) -> HttpResponse:
    """Take the claim back, with a reason, on a page of its own: nobody withdraws by a slip."""
    reason = clean(request.POST.get("reason", ""))
    kept = {} if request.method == "POST" else drafts.take(request, visit.number, now=timezone.now())
    context: dict[str, Any] = {"number": visit.number, "typed": reason or kept.get("reason", "")}
    if request.method != "POST":
        return page(request, "withdraw", **context)
    if len(reason) > commands.TEXT_LENGTH_MAX:
        return page(request, "withdraw", 422, error=say("refusal.too_long"), **context)
    done = portal.act(visit, "claim", "withdraw", 0, commands.Reasoned(reason), now=timezone.now())
    if isinstance(done, Refusal):
        return page(request, "withdraw", 422, error=why(done), **context)
    return _done(request, visit, "portal.withdraw.done", "")


@of_claim()
def when(request: HttpRequest, visit: Visit, case: Case) -> HttpResponse:
    """When and where it happened, where nobody has said so: without the time nobody knows whether there was cover."""
    names, refusal = (
        [name for name in ("loss_at", "place") if not getattr(case.claim, name)],
        _refusal(case, visit, "correct"),
    )
    context: dict[str, Any] = {"number": visit.number, "asked": names, "refused": why(refusal) if refusal else ""}
    if request.method != "POST":
        kept = drafts.take(request, visit.number, now=timezone.now())
        return page(request, "when", typed=kept, errors={}, **context)
    typed = {name: clean(request.POST.get(name, "")) for name in names}
    wrong: dict[str, tuple[str, Mapping[str, Any]]] = {}
    zone = ZoneInfo(norms.current().settings.zone)
    said = commands.CorrectReport(instant_of(typed.get("loss_at", ""), zone, wrong), typed.get("place", ""))
    if len(said.place) > commands.CorrectReport.__dataclass_fields__["place"].metadata["length_max"]:
        wrong["place"] = ("refusal.too_long", {})
    if "loss_at" in names and not typed["loss_at"]:
        wrong["loss_at"] = ("refusal.required", {})
    errors = {name: say(code, params) for name, (code, params) in wrong.items()}
    if not errors:
        done = portal.act(visit, "claim", "correct", 0, said, now=timezone.now())
        if not isinstance(done, Refusal):
            return _done(request, visit, "portal.when.saved", "")
        errors = {name: say(code, done.params) for name, code in done.fields.items()} or {"loss_at": why(done)}
    return page(request, "when", 422, typed=typed, errors=errors, **context)


@of_claim(verified=True)
def account(request: HttpRequest, visit: Visit, case: Case) -> HttpResponse:
    """The account to pay to. A slip in the number is said in plain words before any money is sent.

    In place of one that is on file another is named only after a code to the phone: links are handed on.
    """
    if portal.needs_proof(case, visit):
        if request.method == "POST":
            drafts.keep(request, visit.number, now=timezone.now())
        return to_verify(request, visit.number)
    party = case.parties[visit.party]
    is_paid = _is_paid(case, visit)
    context: dict[str, Any] = {"number": visit.number, "tail": _account(case, visit), "is_paid": is_paid}
    context |= {"failure": _failure(case, visit), "no_bank": seen.no_bank(case.parties[visit.party])}
    if request.method != "POST":
        kept = drafts.take(request, visit.number, now=timezone.now())
        typed = {"account_name": party.account_name or party.name, **kept}
        return page(request, "account", typed=typed, errors={}, **context)
    typed = {name: clean(request.POST.get(name, "")) for name in ACCOUNT_FIELDS}
    errors = {name: say("refusal.required") for name in ACCOUNT_FIELDS[:2] if not typed[name]}
    limits = {f.name: int(f.metadata.get("length_max", 0)) for f in fields(commands.PartyReported)}
    errors |= {name: say("refusal.too_long") for name, value in typed.items() if len(value) > limits[name]}
    if not errors and is_paid:
        done = portal.act(visit, "party", "correct", visit.party, _account_said(typed), now=timezone.now())
        if not isinstance(done, Refusal) or done.fields.get("name") == "refusal.nothing_changed":
            return _done(request, visit, "portal.account.saved", "account")
        errors = {name: say(code, done.params) for name, code in done.fields.items()} or {"account_number": why(done)}
    return page(request, "account", 422, typed=typed, errors=errors, **context)


def _account_said(typed: Mapping[str, str]) -> commands.PartyReported:
    name, number, bank = (typed[field] for field in ACCOUNT_FIELDS)
    return commands.PartyReported(account_name=name, account_number=number, account_bank=bank)


@require_safe
@of_claim()
def letter(request: HttpRequest, visit: Visit, case: Case, letter: str, part: int) -> HttpResponse:
    """A letter as PDF, made from what this visitor may read. What is not theirs is not there."""
    if not any((letter, part) == (name, n) for name, n, *_ in seen.letters(case, visit)):
        return shown(request, visit, case, 404, errors={"letters": say("refusal.letter_not_here")})
    in_part = letter == "refusal" and case.exposures[part].refused_minor
    event = "exposure.decision_approved" if in_part else EVENT_OF_LETTER[letter]
    pdf = portal_files.letter(visit, letter, event=event, part=part, language=language(), now=timezone.now())
    if pdf is None:
        return shown(request, visit, case, 409, errors={"letters": say("refusal.letter_not_here")})
    name = f"{visit.number}-{letter}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(pdf, content_type="application/pdf", headers=headers)


def _done(request: HttpRequest, visit: Visit, key: str, place: str) -> HttpResponse:
    messages.success(request, say(key))
    where = reverse("portal:track", args=[visit.number])
    return HttpResponseRedirect(f"{where}#{place}" if place else where)
