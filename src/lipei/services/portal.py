"""The customer's way in: reports, signed links, one-time codes, and how far each party reaches (norm part 4).

A *visit* is one party looking at one claim. It begins with the report itself, with a link (signed, with an end) or with
the claim's number and a code. A visit is *verified* when it came by something that we sent to the party's own phone or
e-mail; only then does it show sums and what was on file, and only then may it name an account.
Whoever guesses learns nothing: what fits nothing is answered, counted and slowed down exactly like what fits.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import F, Q

from lipei.domain import acting, commands, customers, messages
from lipei.domain.claims import Case, Offer, Party
from lipei.domain.events import Actor, Refusal, private_fields
from lipei.domain.papers import facts_of_head
from lipei.domain.policies import Policy
from lipei.domain.rulebook import Rulebook
from lipei.domain.settlement.terms import Cover, FactSpec
from lipei.reads import masking
from lipei.services import actions, consequences, intake, norms, portal_limits, world
from lipei.services.actions import Done
from lipei.store import aggregates, crypto, models
from lipei.store.aggregates import normal

LINK = "/c/"
"""Where signed links begin; `claim_address` completes them."""
_SALT = "lipei.portal.link"
_RETURN_LETTERS = 10  # of 32 kinds each: 50 bits, behind a limit on tries
_MISREAD = str.maketrans("018", "OIB")
"""Figures that do not occur in the code of a receipt, and the letters that they were read for."""
_CODE = "portal_code"
REPORTING = Actor("customer:P1", "customer", frozenset({"customer"}))
"""Who reports, before there is a claim to be a party of."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One party at one claim. ``verified``: they showed that the phone or mailbox on the claim is theirs; ``proved``:

    just now, by a one-time code. A link can be handed on, so that it alone does not lead money elsewhere.
    """

    number: str
    party: int
    verified: bool = False
    proved: bool = False

    @property
    def actor(self) -> Actor:
        """Who acts: a customer whose own claim is this one and no other."""
        return Actor(f"customer:P{self.party}", "customer", frozenset({"customer"}), unit=self.number)


# --- signed links ----------------------------------------------------------------------------------------------------


def link(visit: Visit, *, now: datetime) -> str:
    """A path that opens this visit until `portal_link_days` have passed. Nobody can make one without our key."""
    ends_at = now + timedelta(days=norms.current().settings.portal_link_days)
    said = (
        f"{visit.number}.{visit.party}.{'v' if visit.verified else 'r'}.{signing.b62_encode(int(ends_at.timestamp()))}"
    )
    return LINK + signing.Signer(salt=_SALT).sign(said)


def claim_address(number: str, party: int, *, now: datetime) -> str:
    """The whole address for a message to a party: sent to their own phone or mailbox, it opens a verified visit."""
    return str(settings.LIPEI_ORIGIN).rstrip("/") + link(Visit(number, party, verified=True), now=now)


def open_link(token: str, *, now: datetime) -> Refusal | Visit:
    """The visit of a link. Refused alike where it was altered, has run out, or the claim is not there."""
    refused = Refusal("refusal.link", "missing")
    try:
        number, party, how, ends_at = signing.Signer(salt=_SALT).unsign(token).split(".")
        ended = datetime.fromtimestamp(signing.b62_decode(ends_at), UTC) <= now
        visit = Visit(number, int(party), verified=how == "v")
    except (signing.BadSignature, ValueError):
        return refused
    return refused if ended or claim_seen(visit) is None else visit


def return_code(number: str, party: int) -> str:
    """The code on the receipt with which to come back without a phone: keyed, the same each time, kept nowhere."""
    mac = hmac.digest(crypto.keys().index, f"portal-return:{number}:{party}".encode(), hashlib.sha256)
    letters = base64.b32encode(mac).decode()[:_RETURN_LETTERS]
    return f"{letters[:5]}-{letters[5:]}"


# --- coming back -----------------------------------------------------------------------------------------------------


def ask_code(*, number: str, phone: str, caller: str, now: datetime) -> Refusal | int:
    """Send a one-time code to the phone if number and phone belong together; the try's id, whatever became of it."""
    row = portal_limits.begin(portal_limits.about(number, normal(phone)), caller, now=now)
    if isinstance(row, Refusal):
        return row
    case, party = _party_with_phone(number, phone)
    return _send_code(case, party, row.id, now)


def ask_code_for(visit: Visit, *, caller: str, now: datetime) -> Refusal | int:
    """Send a one-time code to the phone or mailbox on file for the party of an unverified visit."""
    row = portal_limits.begin(portal_limits.about(visit.number, f"party {visit.party}"), caller, now=now)
    if isinstance(row, Refusal):
        return row
    case = claim_seen(visit)
    return _send_code(case, case.parties[visit.party] if case else None, row.id, now)


def enter_code(attempt: int, code: str, *, now: datetime) -> Refusal | Visit:
    """A verified visit for the right code. Each try counts before it is looked at; a code is good once."""
    rulebook = norms.current()
    row = models.PortalTry.objects.filter(id=attempt, expires_at__gt=now).first()
    if row is None:
        return _wrong_code("refusal.code_expired")
    counted = models.PortalTry.objects.filter(
        id=attempt, expires_at__gt=now, attempts__lt=rulebook.settings.one_time_code_attempts
    ).update(attempts=F("attempts") + 1)
    if counted != 1:
        return _wrong_code("refusal.code_too_often")
    given = world.code_digest("".join(code.split()))
    # Compared even where no code was ever sent: the answer takes as long.
    if not hmac.compare_digest(given, row.code_digest or "0" * len(given)) or row.claim_id is None:
        return _wrong_code("refusal.code_wrong")
    used = models.PortalTry.objects.filter(id=attempt, expires_at__gt=now).update(expires_at=now, code_digest="")
    number = models.Claim.objects.filter(id=row.claim_id).values_list("number", flat=True).first()
    if used != 1 or number is None:
        return _wrong_code("refusal.code_expired")
    return Visit(number, row.party, verified=True, proved=True)


def come_back(*, number: str, code: str, caller: str, now: datetime) -> Refusal | Visit:
    """An unverified visit for a claim's number with the code of its receipt."""
    row = portal_limits.begin(portal_limits.about(number, "return"), caller, now=now)
    if isinstance(row, Refusal):
        return row
    case = _claim(number)
    given = "".join(c for c in code.upper().translate(_MISREAD) if c.isalnum())
    for party in case.parties if case else (0,):
        wanted = return_code(case.claim.number if case else "", party).replace("-", "")
        if hmac.compare_digest(given.encode(), wanted.encode()) and case is not None:
            return Visit(case.claim.number, party)
    return _wrong_code("refusal.return_code_wrong")


def _wrong_code(code: str) -> Refusal:
    return Refusal(code, "fields", fields={"code": code})


def _party_with_phone(number: str, phone: str) -> tuple[Case | None, Party | None]:
    case = _claim(number)
    found = _reached_at(case, phone) if case else ()
    return (case, found[0]) if found else (None, None)


def _reached_at(case: Case, phone: str) -> tuple[Party, ...]:
    """The living parties who gave this phone, however it is written."""
    index = crypto.blind_index("phone", normal(phone)) if normal(phone) else ""
    alive = (p for p in case.parties.values() if index and p.phone and not p.deceased)
    return tuple(p for p in alive if hmac.compare_digest(crypto.blind_index("phone", normal(p.phone)), index))


def sharing_phone(case: Case, visit: Visit) -> tuple[Party, ...]:
    """The others who gave the phone that this visitor just showed to be theirs: a couple, a parent and child."""
    me = case.parties[visit.party]
    return tuple(p for p in _reached_at(case, me.phone) if p.part != me.part) if visit.proved else ()


def visit_for(case: Case, visit: Visit, party: int) -> Refusal | Visit:
    """The visit of another person at the same phone, see `sharing_phone`."""
    if party not in {p.part for p in sharing_phone(case, visit)}:
        return Refusal("refusal.not_yours", "permission")
    return replace(visit, party=party)


def _send_code(case: Case | None, party: Party | None, attempt: int, now: datetime) -> int:
    rulebook = norms.current()
    code = world.one_time_code(rulebook)
    said = {
        "claim_id": case.id if case else None,
        "party": party.part if party else 0,
        "code_digest": world.code_digest(code) if party else "",
        "expires_at": now + timedelta(minutes=rulebook.settings.one_time_code_minutes),
    }
    with transaction.atomic():
        models.PortalTry.objects.filter(id=attempt).update(**said)
        if case is not None and party is not None:
            to = messages.Recipient(party=party.part)
            due = messages.direct(
                case=case, message=_CODE, to=to, key=f"portal-{attempt}", table=rulebook.messages, now=now
            )
            values = consequences.row(case, due, 0, {}, rulebook, now, code)
            aggregates.insert_many(models.Delivery, consequences.DELIVERY, [values])
    return attempt


# --- how far a party reaches -----------------------------------------------------------------------------------------


def _claim(number: str) -> Case | None:
    stream_id = actions.claim_id(portal_limits.plain_number(number))
    loaded = aggregates.load(Case, stream_id) if stream_id is not None else None
    return loaded.aggregate if loaded else None


def claim_seen(visit: Visit) -> Case | None:
    """The claim of a visit, or None. Pages show of it only what the functions below let through."""
    case = _claim(visit.number)
    return case if case is not None and mine(case, visit.party) else None


mine, leads = customers.own, customers.leads


def papers_for(case: Case, party: int) -> tuple[int, ...]:
    """The papers a party is asked for; who reported also brings those of persons whom we cannot reach ourselves."""
    return tuple(n for n, paper in case.papers.items() if customers.brings(case, party, paper.asked_of))


def exposures_for(case: Case, party: int) -> tuple[int, ...]:
    """The heads of loss whose sums are this party's business."""
    own = mine(case, party)
    return tuple(
        n for n, e in case.exposures.items() if e.claimant in own or (e.claimant is None and leads(case, party))
    )


def offers_for(case: Case, party: int) -> tuple[int, ...]:
    """The offers that this party is asked to agree to, for themselves or for whom they act."""
    sent = ((n, offer) for n, offer in case.offers.items() if offer.state != "prepared")
    return tuple(n for n, offer in sent if offer.to is not None and customers.asked(case, party, offer))


def awaits(case: Case, party: int, offer: Offer) -> bool:
    """Whether an offer that is out still waits for this party's word; of several, each says it once."""
    said = acting.answers_for(case, offer, party) <= set(offer.agreed_parties)
    return offer.state == "sent" and not (offer.agreed_parties and said)


def payees(case: Case, offer: Offer) -> tuple[int, ...]:
    """Who is paid under an offer, in the order of its shares."""
    shared = tuple(s["payee"] for s in offer.shares)
    alone = acting.payee_of(case, offer.to)
    return shared or ((alone,) if alone is not None else ())


def payments_for(case: Case, party: int) -> tuple[int, ...]:
    """The payments that go to this party."""
    own = mine(case, party)
    return tuple(n for n, payment in case.payments.items() if payment.payee in own)


def within_reach(case: Case, party: int, subject: str, action: str, part: int) -> bool:
    """Whether this part of the claim is this party's to act on. What the lifecycle says of the step comes after."""
    if subject == "claim":
        return action != "withdraw" or customers.may_withdraw(case, party)
    parts: dict[str, Sequence[int]] = {
        "paper": papers_for(case, party), "offer": offers_for(case, party), "party": (party,)
    }  # fmt: skip
    return part in parts.get(subject, ())


VERIFIED_ONLY = frozenset({("party", "correct"), ("offer", "agree"), ("offer", "decline"), ("offer", "send_code")})
"""Steps about money: only for a visit that showed itself to be the party's."""


def act(
    visit: Visit, subject: str, action: str, part: int = 0, command: Any = None, *, now: datetime
) -> Refusal | Done:  # fmt: skip
    """Take a step as the customer. Another party's part is refused as if it were not there."""
    case = claim_seen(visit)
    if case is None or not within_reach(case, visit.party, subject, action, part):
        return Refusal("refusal.missing", "missing")
    if (subject, action) == ("claim", "add_note") and portal_limits.wrote_too_often(case, visit.actor.id, now=now):
        minutes = norms.current().settings.portal_report_window_minutes
        return Refusal("refusal.too_many_messages", "conflict", {"minutes": minutes})
    unproved = (subject, action) == ("party", "correct") and needs_proof(case, visit)
    if unproved or ((subject, action) in VERIFIED_ONLY and not visit.verified):
        return Refusal("refusal.verify_first", "permission", {"permission": f"{subject}.{action}"})
    return actions.act(visit.number, subject, action, part, command, actor=visit.actor, now=now)


def needs_proof(case: Case, visit: Visit) -> bool:
    """Whether a one-time code stands before another account: where one is on file, and none was entered yet."""
    return bool(case.parties[visit.party].account_number) and not visit.proved


# --- reporting -------------------------------------------------------------------------------------------------------


def to_tell(rulebook: Rulebook) -> Mapping[tuple[str, str], Mapping[str, FactSpec]]:
    """Line and kind of loss → the facts on which the sum for treatment and its papers hang, by name.

    Whoever was treated may know them: what others have paid, whether there was a stay in hospital. Nothing is paid with
    no hand before somebody says them (norm 1.3.1).
    """
    path, products = rulebook.straight_through.payment, rulebook.products
    found: dict[tuple[str, str], dict[str, FactSpec]] = {}
    for terms in filter(None, map(products.latest, products.codes)):
        for cover in terms.covers.values() if terms.line in path.injury_lines else ():
            assumed = {n: spec for n, spec in cover.facts.items() if n in cover.assumed}
            for peril in cover.perils if cover.head in path.told_heads and assumed else ():
                of_papers = facts_of_head(
                    table=rulebook.papers, line=terms.line, cover=cover.code, loss=peril, waiting=True
                )
                asked = {n: spec for n, spec in (of_papers | assumed).items() if spec.type in ("money", "yes_no")}
                found[terms.line, peril] = found.get((terms.line, peril), {}) | asked
    return found


def report(
    command: commands.Report, items: Sequence[commands.ItemAssessed], *, facts: Mapping[str, Any] | None = None,
    key: str, caller: str, now: datetime,
) -> Refusal | Done:  # fmt: skip
    """Take a customer's report, once per ``key``. Which cover the items fall under is found, not asked.

    Of ``facts`` (see `to_tell`; sums in minor units of the company's currency) those count that this cover asks for.
    Refused (``conflict``) also where too many came from this phone or address; a repetition of a key counts nothing.
    """
    command = _with_head(command, items, facts or {}, now)
    known = intake.answered(REPORTING, key, intake.fingerprint(command))
    if known is not None:
        return known
    counted = portal_limits.report(command.phone, caller, now=now)
    if isinstance(counted, Refusal):
        return counted
    done = intake.report(command, actor=REPORTING, now=now, key=key)
    if isinstance(done, Refusal) or not done.events:
        portal_limits.give_back(counted)
    return done


def wrong(
    command: commands.Report, items: Sequence[commands.ItemAssessed], *, facts: Mapping[str, Any], now: datetime
) -> Mapping[str, str]:
    """What the rules find wrong with a customer's report as far as it can be read, a text code per field."""
    return intake.wrong(_with_head(command, items, facts, now), actor=REPORTING, now=now)


def _with_head(
    command: commands.Report, items: Sequence[commands.ItemAssessed], facts: Mapping[str, Any], now: datetime
) -> commands.Report:
    """The report with the head of loss that its items and facts are about, where there are any."""
    policy = world.find_policy(command, now) if command.loss_kind else None
    cover = _cover(command, policy, now) if policy else None
    told = _told(facts, cover, policy)
    if not (items or told or (cover and command.estimate is not None)):
        return command
    head = commands.ExposureReported(
        cover=cover.code if cover else "", peril=command.loss_kind, reserve=None, items=tuple(items), facts=told
    )
    return replace(command, exposures=(head,))


def _told(facts: Mapping[str, Any], cover: Cover | None, policy: Policy | None) -> dict[str, Any]:
    """The facts that are asked under a cover; no sums where the policy is in another currency than they were asked in."""
    rulebook = norms.current()
    foreign = policy is not None and policy.currency != rulebook.settings.currency
    asked = {**rulebook.facts_asked, **cover.facts} if cover else facts
    return {n: value for n, value in facts.items() if n in asked and not (foreign and n.endswith("_minor"))}


def _cover(command: commands.Report, policy: Policy, now: datetime) -> Cover | None:
    """The one cover of the policy that answers for this kind of loss; None where there is none or a choice to make.

    Where nobody was hurt, a cover for the people in the car leaves no choice beside the one for the car.
    """
    rulebook = norms.current()
    terms = rulebook.products.on(policy.product, rulebook.settings.day(command.loss_at or now))
    if terms is None:
        return None
    bought = set(policy.schedule) or set(terms.covers)
    fits = [cover for code, cover in terms.covers.items() if code in bought and command.loss_kind in cover.perils]
    if not (command.deaths or command.serious_injuries or command.injured or command.rescue):
        fits = [cover for cover in fits if not cover.of_persons] or fits
    return fits[0] if len(fits) == 1 else None


def handler(case: Case) -> tuple[str, str]:
    """Name and phone of who is responsible (norm 1.4.3); empty where nobody is named yet."""
    row = models.Staff.objects.filter(id=case.claim.handler).first() if case.claim.handler else None
    return (row.name, row.phone) if row is not None else ("", "")


def notices(case: Case, party: int) -> list[models.Delivery]:
    """What was sent to this party, newest first."""
    rows = models.Delivery.objects.filter(Q(stream_kind=Case.kind, stream_id=case.id, party=party))
    return list(rows.exclude(message__in=(_CODE, "one_time_code")).order_by("-id"))


def guarded(case: Case, visit: Visit) -> Case:
    """The claim as this visit may read it: what belongs to others is emptied before any page or letter is made.

    Of the other parties nothing remains but that they exist; the story, the place and our opinion are for who reported
    and for the insured. An unverified visit gets what came from the policy and the parties' data in masked form.
    """
    seen = _without_others(case, visit.party)
    if visit.verified:
        return seen
    masked = masking.case(seen)
    return replace(masked, parts={**masked.parts, "claim": {0: replace(masked.claim, policy_number="")}})


def _without_others(case: Case, party: int) -> Case:
    own = mine(case, party)
    blank: dict[str, Any] = dict.fromkeys(private_fields(Party), "")
    parts = dict(case.parts)
    parts["party"] = {n: p if n in own else replace(p, **blank) for n, p in case.parties.items()}
    parts["note"] = {n: note for n, note in case.of("note").items() if note.author == f"customer:P{party}"}
    if not any("insured" in case.parties[n].roles for n in own):
        parts["claim"] = {0: replace(case.claim, policy_number="")}  # who reports a plate does not learn whose policy
    if not leads(case, party):
        parts["claim"] = {0: replace(case.claim, story="", place="", opinion="", policy_number="")}
    return replace(case, parts=parts)


def send_offer_code(visit: Visit, offer: int, *, now: datetime) -> Refusal | Done:
    """A one-time code to agree with, to the offeree's own phone; not more often than anybody may try."""
    about, caller = portal_limits.about(visit.number, f"offer {offer}"), f"visit {visit.number} {visit.party}"
    row = portal_limits.begin(about, caller, now=now)
    if isinstance(row, Refusal):
        return row
    done = act(visit, "offer", "send_code", offer, now=now)
    if isinstance(done, Refusal):
        row.delete()
    return done
