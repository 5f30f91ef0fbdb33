"""Offers (协议): a sum is offered with its make-up, agreed with a one-time code, declined or left to expire (norm 2.2.3, 2.2.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Any

from lipei.domain import acting
from lipei.domain.claims import Offer
from lipei.domain.commands import Share
from lipei.domain.conduct import Ask
from lipei.domain.customers import party_of
from lipei.domain.events import Change, Event, Outcome, Refusal, Value, wrong
from lipei.domain.rules.payments import guardian_missing, settled_now


def send(ask: Ask) -> Outcome:
    """The offer goes out, with the day until which it stands; to be paid as the shares say, else all to the claimant."""
    offer, settings = ask.target, ask.rulebook.settings
    codes = wrong_shares(ask, ask.command.shares)
    if codes:
        return wrong(**codes)
    shares = share_rows(ask.command.shares) or offer.shares or _only_heir(ask, offer)
    refusal = _wrong_heirs(ask, offer, shares)
    if refusal is not None:
        return refusal
    expires_at = ask.now + timedelta(days=settings.offer_expiry_days)
    heads = [ask.case.exposures[n] for n in offer.exposures]
    amount = sum(e.payable_minor + e.ex_gratia_minor for e in heads)
    facts = {"amount_minor": amount, "exposures": offer.exposures, "expires_at": expires_at}
    return (
        ask.done(
            facts=facts,
            sent_at=ask.now,
            expires_at=expires_at,
            shares=shares,
            amount_minor=amount,
            undisputed_minor=amount,
            codes=(),
            agreed_parties=(),
            answered_at=None,
            answer="",
        ),
    )


def _only_heir(ask: Ask, offer: Offer) -> tuple[dict[str, int], ...]:
    """The whole sum to whoever is paid in place of somebody who has died, where that is one alone."""
    to = ask.case.parties.get(offer.to or 0)
    payee = acting.payee_of(ask.case, to.part) if to is not None and to.deceased else None
    return ({"payee": payee, "numerator": 1, "denominator": 1},) if payee and payee != offer.to else ()


def _wrong_heirs(ask: Ask, offer: Offer, shares: Sequence[Mapping[str, int]]) -> Refusal | None:
    """Why an offer cannot go out yet: nobody may act for the dead, several inherit and nothing says how much each, a payee

    has died, or the right of an heir was not checked: sums are told to nobody who has not shown a right to them.
    """
    to = ask.case.parties.get(offer.to or 0)
    codes: dict[str, str] = {}
    for number, share in enumerate(shares, start=1):
        payee = ask.case.parties[share["payee"]]
        if payee.deceased:
            codes[f"shares.{number}.payee"] = "refusal.payee_deceased"
        elif acting.ENTITLED & set(payee.roles) and not acting.mandate_holds(payee):
            codes[f"shares.{number}.payee"] = "refusal.mandate_not_checked"
    if codes or to is None:
        return wrong(**codes) if codes else None
    if to.deceased and not acting.offerees(ask.case, replace(offer, shares=tuple(shares))):
        return Refusal("refusal.heir_missing")
    several = to.deceased or acting.co_heirs(ask.case.parties, to.part)
    return wrong(shares="refusal.shares_missing") if several and not shares else None


def send_code(ask: Ask) -> Outcome:
    """A one-time code for who is asked to agree; the one before of the same person is void, that of anybody else stays."""
    offer: Offer = ask.target
    said = party_of(ask.actor) or ask.command.party or _asked_next(ask, offer)
    if said is not None and ask.command.party and not acting.answers_for(ask.case, offer, said):
        return wrong(party="refusal.not_asked_to_agree")
    facts = {"amount_minor": offer.amount_minor, "party": said}
    fresh = {
        "party": said,
        "digest": ask.world.code_digest(ask.world.one_time_code),
        "expires_at": ask.now + timedelta(minutes=ask.rulebook.settings.one_time_code_minutes),
        "attempts": 0,
    }
    others = (code for code in offer.codes if code["party"] != said and ask.now < code["expires_at"])
    return (ask.done(facts=facts, codes=(*others, fresh)),)


def _asked_next(ask: Ask, offer: Offer) -> int | None:
    """Who is to say it next: the first whose agreement is missing, or who speaks for them."""
    to = offer.to if offer.to in ask.case.parties else None
    named = acting.addressees(ask.case, to) if to is not None else ()
    return next(iter((*acting.awaited(ask.case, offer), *named)), None)


def share_rows(shares: Sequence[Share]) -> tuple[dict[str, int], ...]:
    """Shares as they stand in the offer."""
    return tuple({"payee": s.payee, "numerator": s.numerator, "denominator": s.denominator} for s in shares)


def wrong_shares(ask: Ask, shares: Sequence[Share]) -> dict[str, str]:
    """What is wrong with how a sum is to be shared: an unknown payee, one named twice, or parts that are not a whole."""
    codes: dict[str, str] = {}
    for number, share in enumerate(shares, start=1):
        if share.payee not in ask.case.parties:
            codes[f"shares.{number}.payee"] = "refusal.party_unknown"
    if len({s.payee for s in shares}) < len(shares):
        codes["shares"] = "refusal.payee_twice"
    if shares and sum(Fraction(s.numerator, s.denominator) for s in shares) != 1:
        codes["shares"] = "refusal.shares_do_not_add_up"
    return codes


def agree(ask: Ask) -> Outcome:
    """The customer agrees. Anybody but the rule (on the customer's own beforehand agreement) shows the one-time code.

    Where several are asked, each says so with a code of their own; the offer is agreed when the last of them has
    (docs/decisions/0012).
    """
    offer: Offer = ask.target
    shown = None if ask.actor.by_rule else _code_shown(ask, offer)
    if isinstance(shown, (Refusal, tuple)):
        return shown
    codes = wrong_shares(ask, ask.command.shares) or _shares_altered(ask, offer)
    if codes:
        return wrong(**codes)
    signer = party_of(ask.actor) or (shown and shown["party"]) or offer.to
    agreed_to = _agreed_now(ask, offer, signer)
    if isinstance(agreed_to, Refusal):
        return agreed_to
    if set(acting.offerees(ask.case, offer)) - agreed_to:
        return _one_agreed(ask, offer, signer, agreed_to, tuple(code for code in offer.codes if code is not shown))
    to = ask.case.parties.get(offer.to or 0)
    if to is not None and guardian_missing(ask.case, to, ask.rulebook, ask.now):
        return Refusal("refusal.guardian_needed", "fields", {"payee": to.part}, {"shares": "refusal.guardian_needed"})
    shares = share_rows(ask.command.shares) or offer.shares
    changes = [Change("exposure", n, {"state": "agreed", "agreed_at": ask.now}) for n in offer.exposures]
    facts = {"amount_minor": offer.amount_minor, "exposures": offer.exposures, "party": signer}
    agreed = ask.done(
        *changes,
        facts=facts,
        answered_at=ask.now,
        agreed_by=ask.actor.id,
        agreed_parties=tuple(sorted(agreed_to)),
        shares=shares,
        codes=(),
    )
    after = ask.case.after([agreed])
    nothing_due = tuple(e for n in offer.exposures for e in settled_now(after, n))
    return (agreed, *nothing_due)


def _agreed_now(ask: Ask, offer: Offer, signer: int | None) -> set[int] | Refusal:
    """Those whose agreement is there with this one; refused where nobody asked this person, or they have said it already."""
    needed = acting.offerees(ask.case, offer)
    if ask.actor.by_rule or (needed and ask.rulebook.settings.heirs_agree == "one"):
        return set(needed)
    now = acting.answers_for(ask.case, offer, signer) if signer is not None else frozenset(needed)
    if needed and not now:
        return Refusal("refusal.not_asked_to_agree", "fields", fields={"code": "refusal.not_asked_to_agree"})
    if needed and now <= set(offer.agreed_parties):
        return Refusal("refusal.agreed_already", "fields", fields={"code": "refusal.agreed_already"})
    return {*now, *offer.agreed_parties}


def _one_agreed(
    ask: Ask, offer: Offer, signer: int | None, agreed_to: set[int], codes: tuple[Mapping[str, Any], ...]
) -> Outcome:
    """One of several has agreed; the others are still asked, and the codes that they have stay good."""
    fields: dict[str, Value] = {"agreed_parties": tuple(sorted(agreed_to)), "codes": codes}
    facts = {"amount_minor": offer.amount_minor, "party": signer}
    return (Event("offer.agreement_given", ask.part, facts, (Change("offer", ask.part, fields),)),)


def _shares_altered(ask: Ask, offer: Offer) -> dict[str, str]:
    """Who agrees agrees to what was offered. Shares are settled by the insurer's people, with whom the payees talk; not

    any more once one of several has agreed to them.
    """
    said = share_rows(ask.command.shares)
    staff = ask.actor.id.startswith("staff:") and not offer.agreed_parties
    return {"shares": "refusal.shares_fixed"} if said and said != offer.shares and not staff else {}


def _code_shown(ask: Ask, offer: Offer) -> Mapping[str, Any] | Outcome:
    """The code that was shown, which says whose it is: a customer's own, or to the company's people anybody's.

    Else the refusal for one that is old or tried too often; a wrong try counts, so it is an event.
    """
    party = party_of(ask.actor)
    good = [c for c in offer.codes if ask.now < c["expires_at"] and (party is None or c["party"] in (None, party))]
    if not good:
        return Refusal("refusal.code_expired", "fields", fields={"code": "refusal.code_expired"})
    open_ = [code for code in good if code["attempts"] < ask.rulebook.settings.one_time_code_attempts]
    if not open_:
        return Refusal("refusal.code_too_often", "fields", fields={"code": "refusal.code_too_often"})
    digest = ask.world.code_digest(ask.command.code.strip())
    shown = next((code for code in open_ if code["digest"] == digest), None)
    return shown if shown is not None else _tried(ask, offer, open_)


def _tried(ask: Ask, offer: Offer, codes: Sequence[Mapping[str, Any]]) -> tuple[Event, ...]:
    """A wrong code: nothing changes but the number of tries of each code that it might have been."""
    now = tuple({**code, "attempts": code["attempts"] + (code in codes)} for code in offer.codes)
    facts = {"attempt": 1 + max(code["attempts"] for code in codes)}
    return (Event("offer.code_wrong", ask.part, facts, (Change("offer", ask.part, {"codes": now}),)),)


def decline(ask: Ask) -> Outcome:
    """The customer does not agree. The way on is told; what is undisputed may be paid meanwhile (保险法25)."""
    if not ask.command.reason.strip():
        return wrong(reason="refusal.reason_missing")
    return (
        ask.done(
            facts={"amount_minor": ask.target.amount_minor},
            answered_at=ask.now,
            answer=ask.command.reason.strip(),
            codes=(),
        ),
    )


def expire(ask: Ask) -> Outcome:
    """Nobody answered in time."""
    return (ask.done(facts={"amount_minor": ask.target.amount_minor}, codes=()),)
