"""What each letter is told, from the case (norm 2.2.1, 2.2.2, 2.2.4, 2.5.1). How it reads is the gateway's matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings as django_settings

from lipei.domain import sizes
from lipei.domain.claims import Exposure
from lipei.domain.owing import given_besides_minor, kept_minor
from lipei.domain.rules.payments import shares_of
from lipei.domain.settings import Settings
from lipei.gateways import letters
from lipei.norms import settlement as explained
from lipei.norms.texts import text, texts
from lipei.services.deliveries.words import Telling, amount_minor, coded, cover_name, link, terms_of
from lipei.store import models

BINDS = ("company", "law", "regulator")
NEUTRAL_BODY: Mapping[str, str] = {"CN": "mediation"}
"""The neutral body that a refusal names, by market; an ombudsman elsewhere."""


def pdf(letter: str, t: Telling, *, now: datetime) -> bytes:
    """The letter as PDF. Raises MissingGlyph, and ValueError where something it must say is not known."""
    return letters.render(letter=letter, language=t.language, data=DATA[letter](t, _common(letter, t, now)))


def _common(letter: str, t: Telling, now: datetime) -> dict[str, Any]:
    claim, setting = t.case.claim, t.setting
    party = t.case.parties.get(t.party)
    basis = f"jobs.legal.{setting('market')}.{letter}"
    return {
        "company": letters.Company(
            name=t.company(), address=setting("company_address"), phone=setting("company_phone"),
            email=setting("company_email"), website=str(django_settings.LIPEI_ORIGIN), time_zone=setting("zone"),
            time_zone_words=t.say("jobs.zone_words"),
        ),
        "addressee": letters.Addressee(name=(party.name if party else "") or t.say("jobs.customer")),
        "handler": letters.Handler(
            name=t.handler.name if t.handler else t.say("common.claims_team"),
            phone=t.handler.phone if t.handler else "",
            email=t.handler.email if t.handler else "",
        ),
        "claim_number": claim.number,
        "issued_at": now,
        "policy_number": claim.policy_number,
        "loss": t.say(f"loss.{claim.loss_kind}") if f"loss.{claim.loss_kind}" in texts() else "",
        "loss_at": claim.loss_at,
        "place": claim.place,
        "currency": claim.currency,
        "legal_basis": t.say(basis) if basis in texts() else "",
    }  # fmt: skip


def _receipt(t: Telling, common: Mapping[str, Any]) -> letters.LetterData:
    claim = t.case.claim
    promised = tuple(
        letters.Promise(
            what=t.say(f"promise.{c.promise}"), due_at=c.due_at, binds=c.binds, provisional=c.provisional,  # type: ignore[arg-type]
            extended_due_at=c.extended_due_at,
        )
        for c in t.promises()
        if c.binds in BINDS
    )  # fmt: skip
    steps = ("rescue", "contact") if claim.rescue else ("contact",)
    survey = ("survey",) if any(s.state == "scheduled" for s in t.case.surveys.values()) else ()
    return letters.ReceiptData(
        **common, reported_at=claim.reported_at, promises=promised, story=claim.story,  # type: ignore[arg-type]
        next_steps=(*steps, *survey, "papers", "assess", "offer", "payment"),
    )  # fmt: skip


def _paper_request(t: Telling, common: Mapping[str, Any]) -> letters.LetterData:
    wanted, kinds = t.papers(), t.rulebook.papers.kinds
    dates = [p.due_at for p in wanted if p.due_at]
    return letters.PaperRequestData(
        **common,
        papers=tuple(
            letters.Paper(
                name=t.say(f"paper.{p.code}"),
                why="" if p.required else t.say("common.if_applies"),
                form=kinds[p.code].form if p.code in kinds else "",
                problem=coded(t, p.reason) if p.state == "refused" else "",
            )
            for p in wanted
        ),
        due_at=min(dates, default=None),
        portal_url=link(t),
        email=t.setting("company_email"),
        postal_address=t.setting("company_address"),
        pauses_clocks=t.case.claim.papers_requests <= 1,
    )


def _settlement(t: Telling, common: Mapping[str, Any]) -> letters.LetterData:
    heads = tuple(_head(t, e) for e in t.exposures)
    offer = t.about if t.subject == "offer" else None
    under = offer.part if offer else t.about.offer if t.subject == "payment" else 0
    numbers = [e.part for e in t.exposures]
    before = given_besides_minor(t.case, numbers, under)
    total = sum(h.payable_minor for h in heads)
    kept = min(kept_minor(t.case, numbers, under), max(total - before, 0))
    paid_at = t.about.confirmed_at if t.subject == "payment" else None
    due = max(total - before - kept, 0)
    shared = t.subject == "payment" and 0 < t.about.amount_minor < due
    asked = offer is not None and offer.state == "sent"
    own = _own_share(t, offer, due) if offer is not None else t.about.amount_minor if shared else 0
    return letters.SettlementData(
        **common, heads=heads, already_paid_minor=before, kept_minor=kept, payees=_payees(t, due), paid_at=paid_at,
        share_minor=own if 0 < own < due else None,
        expires_at=offer.expires_at if offer and asked else None,
        agreed_at=offer.answered_at if offer and offer.state == "agreed" else None,
        undisputed_minor=min(max(offer.undisputed_minor - before - kept, 0), due) if offer and asked else 0,
    )  # fmt: skip


def _own_share(t: Telling, offer: Any, due_minor: int) -> int:
    """The reader's part of an offer that several are paid, in minor units; all of it where it is not shared."""
    return shares_of(t.case, offer.part).get(t.party, 0) if offer.shares else due_minor


def _payees(t: Telling, due_minor: int) -> tuple[letters.Payee, ...]:
    """Who is paid, where that is this payment alone; what others get is not this reader's business."""
    if t.subject != "payment" or t.about.amount_minor != due_minor or not due_minor:
        return ()
    party = t.case.parties.get(t.about.payee)
    if party is None:
        return ()
    return (letters.Payee(name=party.name, amount_minor=due_minor, account=f"**** {party.account_number[-4:]}"),)


def _head(t: Telling, exposure: Exposure) -> letters.SettlementHead:
    terms = terms_of(t, exposure)
    if terms is None:
        raise ValueError("a settlement letter explains a settlement")
    said = explained.explain(terms=terms, settlement=exposure.settlement, language=t.language)
    lines = [
        letters.SettlementLine(
            what=words.words, amount_minor=row["after_minor"] - row["before_minor"], result_minor=row["after_minor"],
            clause=words.clause, plain=words.plain,
        )
        for words, row in zip(said, exposure.settlement["lines"], strict=True)
    ]  # fmt: skip
    total = exposure.payable_minor + exposure.ex_gratia_minor
    if exposure.ex_gratia_minor:
        lines.append(
            letters.SettlementLine(
                what=t.say("jobs.ex_gratia", amount=t.money(exposure.ex_gratia_minor)),
                amount_minor=exposure.ex_gratia_minor, result_minor=total, clause=t.say("jobs.ex_gratia_clause"),
                plain=t.say("jobs.ex_gratia_plain"),
            )
        )  # fmt: skip
    claimant = t.case.parties.get(exposure.claimant or 0)
    own = claimant is None or claimant.part == t.party
    return letters.SettlementHead(
        cover=cover_name(t, exposure.cover), lines=tuple(lines), payable_minor=total,
        claimant="" if own or claimant is None else claimant.name,
    )  # fmt: skip


def _refusal(t: Telling, common: Mapping[str, Any]) -> letters.LetterData:
    refused = [e for e in t.exposures if e.state == "refused" or e.refused_minor] or list(t.exposures)
    if not refused:
        raise ValueError("a refusal says what is refused")
    whole = all(e.state in ("refused", "dropped") for e in t.case.exposures.values())
    decided = refused[0]
    staff = decided.decided_by.removeprefix("staff:")
    row = models.Staff.objects.filter(id=int(staff)).first() if staff.isdigit() else None
    return letters.RefusalData(
        **common, whole=whole, decided_by=row.name if row else "",
        refused=tuple(one for e in refused for one in (_in_part(t, e) if e.refused_minor else (_refused(t, e),))),
        decided_at=decided.decided_at, ways=ways_on(t.rulebook.settings, t.language),  # type: ignore[arg-type]
    )  # fmt: skip


def _refused(t: Telling, exposure: Exposure) -> letters.Refused:
    terms = t.rulebook.products.version(t.case.claim.product, t.case.claim.terms_version)
    clauses = terms.clauses if terms else {}
    named, code = exposure.refusal_clause, exposure.refusal_code
    cover = terms.covers.get(exposure.cover) if terms else None
    exclusion = cover.exclusions.get(code) if cover else None
    clause = clauses.get(named) or next((c for c in clauses.values() if named in c.name.values()), None)
    return letters.Refused(
        cover=cover_name(t, exposure.cover),
        reason=exclusion.wording[t.language] if exclusion else coded(t, code),
        clause=clause.name[t.language] if clause else named,
        plain=clause.plain[t.language] if clause else exposure.refusal_reason,
        findings=exposure.refusal_reason if clause else "",
        amount_minor=exposure.assessed_minor or None,
        claimed_minor=sizes.claimed_minor(exposure) or None,
    )


def _in_part(t: Telling, exposure: Exposure) -> tuple[letters.Refused, ...]:
    """What each exclusion takes of a head that is paid for the rest, and what was set at nothing without one: which
    items, their sums, clause and reason."""
    terms = terms_of(t, exposure)
    if terms is None:
        raise ValueError("a refusal in part explains a settlement")
    said = explained.explain(terms=terms, settlement=exposure.settlement, language=t.language)
    grounds = [
        (row["params"]["exclusion"], words, row["cut_minor"])
        for row, words in zip(exposure.settlement["lines"], said, strict=True)
        if row["kind"] == "exclusion"
    ]
    grounds.append(("", said[0], 0))  # by the clause that says what a loss is
    exclusions = terms.covers[exposure.cover].exclusions
    parts = [
        letters.Refused(
            cover=cover_name(t, exposure.cover), findings=exposure.refusal_reason, clause=words.clause, plain=words.plain,
            reason=exclusions[code].wording[t.language] if code else t.say("letter.refusal.at_nothing"), **sums,
        )
        for code, words, cut_minor in grounds
        if (sums := _sums_refused(exposure, code, cut_minor))
    ]  # fmt: skip
    if exposure.ex_gratia_minor:
        parts[-1] = replace(parts[-1], beyond=t.say("jobs.ex_gratia", amount=t.money(exposure.ex_gratia_minor)))
    return tuple(parts)


def _sums_refused(exposure: Exposure, exclusion: str, cut_minor: int) -> dict[str, Any]:
    """The items that an exclusion takes (without a code: those set at nothing), what is refused of them and what was
    claimed; of an exclusion that names none, all of it. Nothing where it refuses nothing."""
    items = [item for item in exposure.items if (item.get("excluded") or "") == exclusion]
    if not exclusion:
        items = [item for item in items if sizes.set_at_nothing(item)]
    amount = cut_minor + sum(item["claimed_minor"] for item in items if sizes.set_at_nothing(item))
    if not amount:
        return {}
    claimed = sum(item["claimed_minor"] or 0 for item in items or exposure.items)
    return {
        "items": tuple(item["what"] for item in items), "amount_minor": amount, "claimed_minor": claimed or None,
    }  # fmt: skip


def ways_on(rules: Settings, language: str) -> tuple[letters.Way, ...]:
    """What somebody can do who does not agree with us (norm 2.5.1): review, complaint, a neutral body, the court."""
    ours = rules.company_phone or rules.company_email
    neutral = NEUTRAL_BODY.get(rules.market, "ombudsman")
    return (
        letters.Way(code="review", contact=ours),
        letters.Way(code="complaint", contact=ours),
        letters.Way(code=neutral, contact=text("jobs.mediation", language) if neutral == "mediation" else ""),
        letters.Way(code="court"),
    )


def _advance(t: Telling, common: Mapping[str, Any]) -> letters.LetterData:
    why = "jobs.undisputed_reason" if undisputed(t) else "jobs.advance_reason"
    return letters.AdvanceData(
        **common, amount_minor=amount_minor(t), reason=str((t.facts or {}).get("reason") or "") or t.say(why),
        heads=tuple(cover_name(t, e.cover) for e in t.exposures), undisputed=undisputed(t),
    )  # fmt: skip


def undisputed(t: Telling) -> bool:
    """Whether money on account is what nobody disputes of an offer that was turned down."""
    return bool((t.facts or {}).get("undisputed")) or getattr(t.about, "called", "") == "undisputed"


def called(letter: str, t: Telling) -> str:
    """What a letter is called, in the reader's language."""
    return t.say("letter_kind." + ("undisputed" if letter == "advance" and undisputed(t) else letter))


def _guarantee(t: Telling, common: Mapping[str, Any]) -> letters.LetterData:
    """For the hospital: whose treatment is borne, in full, for it has to know whom."""
    hurt = [p for p in t.case.parties.values() if "injured" in p.roles]
    claimants = (t.case.parties.get(e.claimant or 0) for e in t.exposures)
    own = [p for p in claimants if p is not None and p.person]
    named = tuple(dict.fromkeys(p.name for p in (own if not hurt or set(own) <= set(hurt) else hurt) if p.name))
    return letters.GuaranteeData(
        **{**common, "policy_number": "", "place": ""}, amount_minor=amount_minor(t), patients=named or (t.say("jobs.customer"),),
        reason=str((t.facts or {}).get("reason") or ""),
    )  # fmt: skip


DATA: Mapping[str, Callable[[Telling, Mapping[str, Any]], letters.LetterData]] = {
    "receipt": _receipt,
    "paper_request": _paper_request,
    "settlement": _settlement,
    "refusal": _refusal,
    "advance": _advance,
    "guarantee": _guarantee,
}
