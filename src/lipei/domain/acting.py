"""Who acts for whom (代理、监护、继承): whose word counts, whom we write to, who agrees to an offer (民法典 23, 161, 1121).

Somebody recorded as deceased is written to, asked and paid nothing any more: in their place stand the heirs whose right
was checked, or whoever holds the mandate of all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lipei.domain.claims import Case, Offer, Party
from lipei.domain.parties import FIRMS

INHERITANCE_ALL = "inheritance_all"
MANDATES: Mapping[str, tuple[str, ...]] = {
    "agent": ("power_of_attorney",),
    "guardian": ("guardianship",),
    "heir": ("inheritance", INHERITANCE_ALL),
}
"""What a party in a role shows before money goes to them: 民法典 161, 34, 1145. The second of an heir speaks for all heirs."""
ENTITLED = frozenset({"heir", "beneficiary"})
"""Roles of those to whom a share belongs in their own right, so that each agrees to it."""


def fitting(roles: Iterable[str]) -> frozenset[str]:
    """The mandates that fit these roles; empty where none of them needs one."""
    return frozenset(mandate for role in roles for mandate in MANDATES.get(role, ()))


def mandate_holds(party: Party) -> bool:
    """Whether a party who acts for another, or inherits, has shown the right to: the mandate was seen and fits the role."""
    fits = fitting(party.roles)
    if not fits and party.acts_for is None:
        return True
    return party.mandate_checked_at is not None and (not fits or party.mandate in fits)


def acts(case: Case, party: Party) -> bool:
    """Whether a party acts now for whom they say: alive, by a checked mandate, an heir only for somebody who has died."""
    principal = case.parties.get(party.acts_for or 0)
    if principal is None or party.deceased or not mandate_holds(party):
        return False
    return principal.deceased or "heir" not in party.roles


def acting_for(case: Case, number: int) -> tuple[Party, ...]:
    """Those who act for a party by a mandate that was checked."""
    return tuple(p for p in case.parties.values() if p.acts_for == number and acts(case, p))


def represented(case: Case, number: int) -> frozenset[int]:
    """The party, whom they act for, whom those act for in turn; nobody for a party who is not there or has died."""
    found: dict[int, None] = {}
    party = case.parties.get(number)
    if party is None or party.deceased:
        return frozenset()
    while party is not None and party.part not in found:
        found[party.part] = None
        party = case.parties.get(party.acts_for or 0) if acts(case, party) else None
    return frozenset(found)


def speaks_for_all(party: Party) -> bool:
    """Whether somebody who acts for a deceased person speaks for all the heirs: a representative, or an heir so mandated."""
    return party.mandate == INHERITANCE_ALL or "agent" in party.roles


def heirs(case: Case, number: int) -> tuple[int, ...]:
    """The heirs of a deceased person whose right was checked."""
    return tuple(p.part for p in acting_for(case, number) if "heir" in p.roles)


def co_heirs(parties: Mapping[int, Party], number: int) -> tuple[int, ...]:
    """The others who are named heirs of the same person as this heir, proved or not."""
    own = parties[number]
    if own.acts_for is None or "heir" not in own.roles:
        return ()
    others = (p for p in parties.values() if p.acts_for == own.acts_for and "heir" in p.roles and not p.deceased)
    return tuple(p.part for p in others if p.part != number)


def whose_is_unsaid(parties: Mapping[int, Party], claimant: int | None) -> bool:
    """Whether the claimant found for a head of loss is one of several who inherit or benefit: then a person says whether

    it belongs to the dead, of whom all of them inherit, or to which of them (docs/decisions/0012).
    """
    if claimant is None or not ENTITLED & set(parties[claimant].roles):
        return False
    others = (p for p in parties.values() if p.part != claimant and not p.deceased and "claimant" in p.roles)
    return bool(co_heirs(parties, claimant)) or any(ENTITLED & set(p.roles) for p in others)


def may_receive(case: Case, claimant: int | None, payee: int) -> bool:
    """Whether money for a claimant may go to this party before it was agreed who is paid.

    To themselves, to who acts for them by a checked mandate, for the dead to who inherits, and to who treats or repairs.
    """
    if claimant in (None, payee) or claimant in represented(case, payee):
        return True
    party, owner = case.parties[payee], case.parties.get(claimant)
    entitled = owner is not None and owner.deceased and bool(ENTITLED & set(party.roles))
    provider = bool(FIRMS & set(party.roles)) and party.acts_for in (None, claimant)
    return entitled or provider


def payee_of(case: Case, party: int | None) -> int | None:
    """Who is paid for a claimant: whoever is named payee for them, for the dead their only heir, else themselves, or the
    guardian of who has no account of their own (民法典34: who keeps the property of a ward).

    Of the dead it is the only one who is named heir or payee for them; among several a person says who gets how much.
    """
    owner = case.parties.get(party or 0)
    if owner is not None and owner.deceased:
        return _only_one_for(case, owner)
    named = next((p.part for p in case.parties.values() if "payee" in p.roles and p.acts_for == party), None)
    if named is not None:
        return named
    if owner is not None and owner.account_number:
        return party
    guardians = [p.part for p in acting_for(case, party or 0) if "guardian" in p.roles and p.account_number]
    if len(guardians) == 1:
        return guardians[0]
    alone = [p.part for p in case.parties.values() if "payee" in p.roles]
    return alone[0] if len(alone) == 1 and party in (None, alone[0]) else party


def _only_one_for(case: Case, dead: Party) -> int:
    """The one heir or payee of somebody who has died, whose right was checked; else the dead, who are paid nothing."""
    named = [p for p in case.parties.values() if p.acts_for == dead.part and {"heir", "payee"} & set(p.roles)]
    alive = [p for p in named if not p.deceased]
    return alive[0].part if len(alive) == 1 and acts(case, alive[0]) else dead.part


# --- whom we write to -------------------------------------------------------------------------------------------------


def addressees(case: Case, number: int) -> tuple[int, ...]:
    """Whom to write to about a party: themselves, the guardian of who is under one, a representative of who left no address.

    Of somebody who has died: who speaks for all heirs, else each heir whose right was checked, else whoever reported,
    else whoever is named as acting for them. Nobody who has died; empty where nobody is left.
    """
    party = case.parties[number]
    alive = [p for p in case.parties.values() if p.acts_for == number and not p.deceased and p.part != number]
    if party.deceased:
        return _for_the_dead(case, number, alive)
    guardian = next((p for p in alive if "guardian" in p.roles), None)
    if guardian is not None:
        return (guardian.part,)
    if party.phone or party.email:
        return (number,)
    return (next((p.part for p in alive if p.phone or p.email), number),)


def _for_the_dead(case: Case, number: int, alive: list[Party]) -> tuple[int, ...]:
    proved = acting_for(case, number)
    for_all = tuple(p.part for p in proved if speaks_for_all(p))
    if for_all:
        return for_all[:1]
    reporter = case.party("reporter")
    found = proved or ((reporter,) if reporter is not None and not reporter.deceased else tuple(alive))
    return tuple(dict.fromkeys(to for p in found for to in addressees(case, p.part)))


# --- whose agreement an offer needs -----------------------------------------------------------------------------------


def offerees(case: Case, offer: Offer) -> tuple[int, ...]:
    """Whose agreement an offer needs: whom it is made to, and every heir or beneficiary who gets a share of it.

    Made to somebody who has died it needs the heirs alone. Empty where nobody is named.
    """
    to = case.parties.get(offer.to or 0)
    own = (to.part,) if to is not None and not to.deceased else ()
    sharing = tuple(s["payee"] for s in offer.shares if _entitled(case, s["payee"]))
    left = heirs(case, to.part) if to is not None and to.deceased and not sharing else ()
    return tuple(dict.fromkeys((*own, *sharing, *left)))


def awaited(case: Case, offer: Offer) -> tuple[int, ...]:
    """Who is still to agree to an offer, each by who speaks for them: to each of these goes a code of their own."""
    missing = (n for n in offerees(case, offer) if n not in offer.agreed_parties)
    return tuple(dict.fromkeys(to for n in missing for to in addressees(case, n)[:1]))


def _entitled(case: Case, number: int) -> bool:
    """Whether a payee gets a share in their own right, or takes it as guardian or representative of who does."""
    party = case.parties.get(number)
    if party is None or party.deceased:
        return False
    named = (case.parties[n] for n in represented(case, number))
    return mandate_holds(party) and any(ENTITLED & set(p.roles) for p in named)


def answers_for(case: Case, offer: Offer, number: int) -> frozenset[int]:
    """Of those whose agreement an offer needs, for whom this party's word counts: themselves, whom they act for, or all."""
    reached = represented(case, number)
    needed = frozenset(offerees(case, offer))
    to = case.parties.get(offer.to or 0)
    party = case.parties.get(number)
    if (
        to is not None
        and to.deceased
        and party is not None
        and party in acting_for(case, to.part)
        and speaks_for_all(party)
    ):
        return needed
    return needed & reached
