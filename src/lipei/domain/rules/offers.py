"""Offers (协议): a sum is offered with its make-up, agreed with a one-time code, declined or left to expire (norm 2.2.3, 2.2.4)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction

from lipei.domain.claims import Offer
from lipei.domain.commands import Share
from lipei.domain.conduct import Ask
from lipei.domain.events import Change, Event, Outcome, Refusal, Value, wrong
from lipei.domain.rules.payments import guardian_missing, settled_now


def send(ask: Ask) -> Outcome:
    """The offer goes out, with the day until which it stands; to be paid as the shares say, else all to the claimant."""
    offer, settings = ask.target, ask.rulebook.settings
    codes = wrong_shares(ask, ask.command.shares)
    if codes:
        return wrong(**codes)
    expires_at = ask.now + timedelta(days=settings.offer_expiry_days)
    shares = share_rows(ask.command.shares) or offer.shares
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
            code_digest="",
            code_expires_at=None,
            answered_at=None,
            answer="",
        ),
    )


def _fresh_code(ask: Ask) -> dict[str, Value]:
    return {
        "code_digest": ask.world.code_digest(ask.world.one_time_code),
        "code_expires_at": ask.now + timedelta(minutes=ask.rulebook.settings.one_time_code_minutes),
        "code_attempts": 0,
    }


def send_code(ask: Ask) -> Outcome:
    """A one-time code for who is asked to agree; the one before is void."""
    return (ask.done(facts={"amount_minor": ask.target.amount_minor}, **_fresh_code(ask)),)


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
    """The customer agrees. Anybody but the rule (on the customer's own beforehand agreement) shows the one-time code."""
    offer: Offer = ask.target
    if offer.expires_at is not None and ask.now >= offer.expires_at:
        return Refusal("refusal.offer_expired")
    refused = None if ask.actor.by_rule else _wrong_code(ask, offer)
    if refused is not None:
        return refused
    codes = wrong_shares(ask, ask.command.shares) or _shares_altered(ask, offer)
    if codes:
        return wrong(**codes)
    to = ask.case.parties.get(offer.to or 0)
    if to is not None and guardian_missing(ask.case, to, ask.rulebook, ask.now):
        return Refusal("refusal.guardian_needed", "fields", {"payee": to.part}, {"shares": "refusal.guardian_needed"})
    shares = share_rows(ask.command.shares) or offer.shares
    changes = [Change("exposure", n, {"state": "agreed", "agreed_at": ask.now}) for n in offer.exposures]
    facts = {"amount_minor": offer.amount_minor, "exposures": offer.exposures}
    agreed = ask.done(
        *changes,
        facts=facts,
        answered_at=ask.now,
        agreed_by=ask.actor.id,
        shares=shares,
        code_digest="",
        code_expires_at=None,
    )
    after = ask.case.after([agreed])
    nothing_due = tuple(e for n in offer.exposures for e in settled_now(after, n))
    return (agreed, *nothing_due)


def _shares_altered(ask: Ask, offer: Offer) -> dict[str, str]:
    """Who agrees agrees to what was offered. Shares are settled by the insurer's people, with whom the payees talk."""
    said = share_rows(ask.command.shares)
    staff = ask.actor.id.startswith("staff:")
    return {"shares": "refusal.shares_fixed"} if said and said != offer.shares and not staff else {}


def _wrong_code(ask: Ask, offer: Offer) -> Outcome | None:
    """The refusal for a code that is wrong, old or tried too often; a wrong try counts, so it is an event."""
    if not offer.code_digest or offer.code_expires_at is None or ask.now >= offer.code_expires_at:
        return Refusal("refusal.code_expired", "fields", fields={"code": "refusal.code_expired"})
    if offer.code_attempts >= ask.rulebook.settings.one_time_code_attempts:
        return Refusal("refusal.code_too_often", "fields", fields={"code": "refusal.code_too_often"})
    if ask.world.code_digest(ask.command.code.strip()) != offer.code_digest:
        return tried(ask, offer)
    return None


def tried(ask: Ask, offer: Offer) -> tuple[Event, ...]:
    """A wrong code: nothing changes but the number of tries."""
    change = Change("offer", ask.part, {"code_attempts": offer.code_attempts + 1})
    return (Event("offer.code_wrong", ask.part, {"attempt": offer.code_attempts + 1}, (change,)),)


def decline(ask: Ask) -> Outcome:
    """The customer does not agree. The way on is told; what is undisputed may be paid meanwhile (保险法25)."""
    if not ask.command.reason.strip():
        return wrong(reason="refusal.reason_missing")
    return (
        ask.done(
            facts={"amount_minor": ask.target.amount_minor},
            answered_at=ask.now,
            answer=ask.command.reason.strip(),
            code_digest="",
        ),
    )


def expire(ask: Ask) -> Outcome:
    """Nobody answered in time."""
    if ask.target.expires_at > ask.now:
        return Refusal("refusal.offer_still_stands")
    return (ask.done(facts={"amount_minor": ask.target.amount_minor}, code_digest=""),)
