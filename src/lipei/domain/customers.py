"""How far a customer reaches into a claim (norm part 4): their own party, papers asked of them, offers made to them.

A customer acts as ``customer:<number of the party>`` within the claim that the actor's unit names. What lies beyond is
refused as a permission, wherever the step comes from.
"""

from __future__ import annotations

from typing import Any

from lipei.domain import acting
from lipei.domain.claims import Case
from lipei.domain.events import Actor

PREFIX = "customer:"
LEADING = frozenset({"reporter", "insured"})


def party_of(actor: Actor) -> int | None:
    """The number of the party a customer acts as, written ``customer:3`` or ``customer:P3``; None for anybody else."""
    said = actor.id.removeprefix(PREFIX).removeprefix("P")
    return int(said) if actor.id.startswith(PREFIX) and said.isascii() and said.isdecimal() else None


def is_outside(actor: Actor) -> bool:
    """Whether a customer speaks, or a program in their stead: they add what nobody has said, and change nothing."""
    return not actor.roles.isdisjoint({"customer", "program"})


def own(case: Case, party: int) -> frozenset[int]:
    """The party, and whom they act for by a mandate that was checked; nobody where there is no such party alive."""
    return acting.represented(case, party)


def leads(case: Case, party: int) -> bool:
    """Whether the claim as a whole is this party's: who reported it, or whose policy it is."""
    return any(LEADING & set(case.parties[n].roles) for n in own(case, party))


def may_withdraw(case: Case, party: int) -> bool:
    """Whether the claim is this party's to take back: it is theirs as a whole, and nobody else claims under it."""
    claimants = {e.claimant for e in case.exposures.values() if e.state != "dropped"} - {None}
    claimants |= {n for n, p in case.parties.items() if "claimant" in p.roles and not p.deceased}
    return leads(case, party) and claimants <= own(case, party)


def asked(case: Case, party: int, offer: Any) -> bool:
    """Whether an offer is this party's to look at and to answer."""
    return bool(acting.answers_for(case, offer, party)) if offer.to is not None else leads(case, party)


def brings(case: Case, party: int, of: int | None) -> bool:
    """Whether a paper asked of somebody is this party's to send: asked of oneself or of nobody by name.

    Who leads also brings those of persons whom we cannot reach ourselves, or who have died.
    """
    if of is None or of not in case.parties or of in own(case, party):
        return True
    other = case.parties[of]
    return leads(case, party) and (other.deceased or not (other.phone or other.email))


def reaches(case: Case, actor: Actor, subject: str, action: str, part: Any) -> bool:
    """Whether this part of the claim is this customer's to act on. The table says beforehand which steps there are."""
    party = party_of(actor)
    if party is None or not own(case, party):
        return False
    if subject == "claim":
        return (action != "withdraw" or may_withdraw(case, party)) and (action != "correct" or leads(case, party))
    if subject == "party":
        return part is not None and part.part == party
    if subject == "offer":
        return asked(case, party, part)
    return subject == "paper" and brings(case, party, part.asked_of)
