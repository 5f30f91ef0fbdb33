"""Authority (权限): who may decide how much, and when a second person is needed (norm part 4, 2.2.4).

Four rules, none of which knows an exception for administrators:

* a limit belongs to a role, a line and a kind of act, and is compared with the claim's *cumulative* amount, so that
  splitting a claim evades nothing;
* above a threshold two persons must agree (four eyes);
* nobody continues their own work: who made a thing does not check it, who checked it does not pay it;
* authority may be lent, with an end, without loops, and never more than one has.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lipei.domain import sizes
from lipei.domain.claims import Case, Exposure
from lipei.domain.events import Actor, Refusal
from lipei.domain.money import Money
from lipei.domain.settlement.terms import Products

KINDS = ("assess", "reserve", "decide", "refuse", "ex_gratia", "advance", "guarantee", "pay", "waive")
FOUR_EYES = tuple(kind for kind in KINDS if kind not in ("assess", "reserve"))
"""The kinds for which a threshold makes sense: a second person checks every assessment, a reserve pays nobody."""
ONLY_PERSONS = ("refuse",)  # norm part 4: automation never refuses
UNLIMITED = 2**63 - 1  # minor units; no sum is larger
SYSTEM_ROLE = "system"


@dataclass(frozen=True, slots=True)
class Limit:
    """One row: what a role may do up to which sum. ``lines`` empty: every line without a row of its own."""

    role: str
    kinds: frozenset[str]
    limits_minor: Mapping[str, int]  # per currency, UNLIMITED included
    lines: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AuthorityTable:
    """All limits, and per kind and currency the sum above which a second person must agree.

    A kind that ``four_eyes_minor`` does not name never needs two; a currency that it does not name always does.
    """

    version: int
    limits: tuple[Limit, ...]
    four_eyes_minor: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    delegation_days_max: int = 0


@dataclass(frozen=True, slots=True)
class Delegation:
    """Authority lent by ``giver`` to ``taker`` (actor ids) from ``starts_at`` up to, not including, ``ends_at``.

    ``giver_roles`` are the roles the giver holds *now*, not when it was written: who loses a role lends it no longer.
    Empty ``kinds`` or ``lines`` mean all; ``limits_minor`` None means as much as the giver's own.
    """

    id: int
    giver: str
    giver_roles: frozenset[str]
    taker: str
    starts_at: datetime
    ends_at: datetime
    kinds: frozenset[str] = frozenset()
    lines: frozenset[str] = frozenset()
    limits_minor: Mapping[str, int] | None = None

    def covers(self, *, kind: str, line: str, at: datetime) -> bool:
        """Whether it lends authority for this kind and line at this instant."""
        return (
            self.starts_at <= at < self.ends_at
            and (not self.kinds or kind in self.kinds)
            and (not self.lines or line in self.lines)
        )


@dataclass(frozen=True, slots=True)
class Granted:
    """The actor may. ``via`` is the delegation used, 0 for one's own authority; ``on_behalf_of`` whose it is then."""

    limit_minor: int
    needs_second: bool
    via: int = 0
    on_behalf_of: str = ""

    def as_value(self) -> dict[str, Any]:
        """For the journal: up to how much (None: no limit), and whose authority it was where it was lent."""
        limit = None if self.limit_minor >= UNLIMITED else self.limit_minor
        return {"limit_minor": limit, "on_behalf_of": self.on_behalf_of}

    @property
    def lent(self) -> dict[str, Any]:
        """What an entry says of it besides: whose authority it was where it was lent, else nothing (norm 1.4.3)."""
        return {"authority": self.as_value()} if self.on_behalf_of else {}


@dataclass(frozen=True, slots=True)
class _Ask:
    """One question put to the table."""

    table: AuthorityTable
    delegations: tuple[Delegation, ...]
    kind: str
    line: str
    currency: str
    involved: frozenset[str]
    at: datetime


def may(
    *,
    table: AuthorityTable,
    actor: Actor,
    delegations: Sequence[Delegation],
    kind: str,
    line: str,
    cumulative_minor: int,
    currency: str,
    involved: Collection[str],
    at: datetime,
    interested: Collection[str] = (),
) -> Granted | Refusal:
    """Whether the actor may do this at this instant.

    ``cumulative_minor`` is the claim's total with this act included (see `cumulative_minor`), ``involved`` the ids of
    all who made, checked or approved what is now to be continued, and of those on whose behalf they did: a first
    approver is involved for the second. ``interested`` are the ids of those who have an interest in the matter.

    What one may do by oneself is not done by lent authority: the lender can still be the second pair of eyes.
    """
    assert kind in KINDS, kind
    needed = {"permission": f"authority.{kind}", "line": line, "currency": currency, "amount_minor": cumulative_minor}
    if kind in ONLY_PERSONS and not actor.is_person:
        return Refusal("refusal.authority.only_a_person", "permission", needed)
    # A rule has no interest of its own: what the system worked out by table, it may also approve by table.
    by_rule = actor.id.startswith("system:")
    if actor.id in involved and not by_rule:
        return Refusal("refusal.authority.own_work", "permission", needed)
    if not actor.hands.isdisjoint(interested):
        return Refusal("refusal.authority.interest", "permission", needed)
    ask = _Ask(table, tuple(delegations), kind, line, currency, frozenset(involved) | frozenset(interested), at)
    roles = actor.roles | {SYSTEM_ROLE} if by_rule else actor.roles - {SYSTEM_ROLE}
    found = sorted(_authorities(ask, actor, roles), key=lambda one: (-one.limit_minor, one.via))
    enough = [one for one in found if one.limit_minor and one.limit_minor >= cumulative_minor]
    best = min(enough, key=lambda one: bool(one.on_behalf_of)) if enough else found[0]
    if not enough:
        above = "above_ex_gratia_limit" if kind == "ex_gratia" else "above_limit"
        code = above if best.limit_minor else "none"
        sums = {"amount": Money(cumulative_minor, currency), "limit": Money(best.limit_minor, currency)}
        return Refusal(f"refusal.authority.{code}", "permission", {**needed, **sums})
    second = needs_second(table=table, kind=kind, cumulative_minor=cumulative_minor, currency=currency)
    return Granted(best.limit_minor, second, best.via, best.on_behalf_of)


def needs_second(*, table: AuthorityTable, kind: str, cumulative_minor: int, currency: str) -> bool:
    """Whether two persons must agree to this sum (four eyes)."""
    thresholds = table.four_eyes_minor.get(kind)
    return thresholds is not None and cumulative_minor > thresholds.get(currency, 0)


def approval(*, actor: Actor, granted: Granted) -> str:
    """How an approval is kept: who approved, and behind a stroke whose authority it was where it was lent."""
    return f"{actor.id}/{granted.on_behalf_of}" if granted.on_behalf_of else actor.id


def people_of(approvals: Iterable[str]) -> frozenset[str]:
    """Everybody who stands behind approvals: nobody's authority counts twice."""
    return frozenset(person for one in approvals for person in one.split("/") if person)


def approved_enough(*, granted: Granted, approvals: Collection[str]) -> bool:
    """Whether the persons who have approved so far, this one included, are as many as the sum asks for."""
    return len(set(approvals)) >= (2 if granted.needs_second else 1)


def own_limit_minor(*, table: AuthorityTable, roles: Iterable[str], kind: str, line: str, currency: str) -> int:
    """The highest limit that these roles give by themselves; 0 for none. A row for the line beats one for all lines."""
    return max((_role_limit(table, role, kind, line, currency) for role in roles), default=0)


def _role_limit(table: AuthorityTable, role: str, kind: str, line: str, currency: str) -> int:
    rows = [row for row in table.limits if row.role == role and kind in row.kinds]
    fitting = [row for row in rows if line in row.lines] or [row for row in rows if not row.lines]
    return max((row.limits_minor.get(currency, 0) for row in fitting), default=0)


def _authorities(ask: _Ask, actor: Actor, roles: Collection[str]) -> Iterator[Granted]:
    """What the actor may do by their own roles and by each delegation, as limits.

    Only what the giver's own roles give is lent: borrowed authority is not lent on. Who is involved in the matter
    cannot lend authority over it, or one could approve one's own work through a friend.
    """

    def own(holder: Collection[str]) -> int:
        return own_limit_minor(table=ask.table, roles=holder, kind=ask.kind, line=ask.line, currency=ask.currency)

    yield Granted(own(roles), False)
    for d in ask.delegations:
        if d.taker != actor.id or d.giver == actor.id or d.giver in ask.involved:
            continue
        if d.covers(kind=ask.kind, line=ask.line, at=ask.at):
            cap = UNLIMITED if d.limits_minor is None else d.limits_minor.get(ask.currency, 0)
            yield Granted(min(cap, own(d.giver_roles - {SYSTEM_ROLE})), False, d.id, d.giver)


def check_delegation(
    *, table: AuthorityTable, delegation: Delegation, others: Sequence[Delegation], now: datetime
) -> Refusal | None:
    """Whether authority may be lent like this: to somebody else, with an end, without a loop, not beyond one's own."""
    d = delegation
    if d.giver == d.taker:
        return Refusal("refusal.authority.delegation_to_self", "permission")
    if d.ends_at <= d.starts_at or d.ends_at <= now:
        return Refusal("refusal.authority.delegation_end")
    if d.ends_at - d.starts_at > timedelta(days=table.delegation_days_max):
        return Refusal("refusal.authority.delegation_too_long", params={"days": table.delegation_days_max})
    if d.giver in _reached(d.taker, [o for o in others if o.starts_at < d.ends_at and d.starts_at < o.ends_at]):
        return Refusal("refusal.authority.delegation_loop", "permission")
    lacking = sorted(kind for kind in d.kinds if not any(_names(row, d.giver_roles, kind) for row in table.limits))
    if lacking:
        return Refusal("refusal.authority.delegation_lacking", "permission", {"kinds": lacking})
    return _beyond_own(table, d)


def _names(row: Limit, roles: Collection[str], kind: str) -> bool:
    return row.role in roles and kind in row.kinds


def _beyond_own(table: AuthorityTable, d: Delegation) -> Refusal | None:
    """Refuses a lent limit above the giver's own for any kind and line it names. Borrowed authority is not lent on."""
    lines = d.lines or frozenset({"", *(line for row in table.limits for line in row.lines)})
    for currency, limit in (d.limits_minor or {}).items():
        own = [
            own_limit_minor(table=table, roles=d.giver_roles, kind=kind, line=line, currency=currency)
            for kind in d.kinds or KINDS
            for line in lines
        ]
        # A general loan covers what the giver has and no more; a named kind must be the giver's own in full.
        most = min(own) if d.kinds else max(own)
        if limit > most:
            params = {"permission": "authority.delegate", "limit": Money(most, currency)}
            return Refusal("refusal.authority.delegation_beyond_own", "permission", params)
    return None


def _reached(start: str, delegations: Sequence[Delegation]) -> set[str]:
    """Everybody whom authority lent to ``start`` could be lent on to."""
    reached, waiting = set[str](), [start]
    while waiting:
        person = waiting.pop()
        if person not in reached:
            reached.add(person)
            waiting.extend(d.taker for d in delegations if d.giver == person)
    return reached


# --- the claim's cumulative amount ------------------------------------------------------------------------------------


def cumulative_minor(*, case: Case, kind: str, part: int, amount_minor: int, products: Products | None = None) -> int:
    """What the claim comes to for an act of this kind once ``amount_minor`` is done to ``part``.

    ``part`` is the exposure (for ``pay`` the payment; 0 for one not ordered yet, for ``waive`` ignored), in whose place
    ``amount_minor`` counts. For ``advance`` and ``guarantee`` it comes on top of earlier ones. A head that is proposed
    for refusal is refused whole, whatever is said. Minor units.
    """
    if kind == "pay":
        live = ("ordered", "approved", "submitted", "confirmed")
        return amount_minor + sum(p.amount_minor for p in case.payments.values() if p.part != part and p.state in live)
    if kind == "waive":
        ended = (r for r in case.recoveries.values() if r.state == "written_off")
        return amount_minor + sum(r.due_minor - r.received_minor for r in ended)
    own = case.exposures.get(part)
    if kind == "refuse":
        refused = {e.part for e in case.exposures.values() if e.state == "refused"} - {part}
        if own is not None and own.state == "refusal_proposed":
            refused, amount_minor = refused | {part}, 0
        decided = (
            e for e in case.exposures.values() if e.part != part and e.state in ("approved", "agreed", "settled")
        )
        in_part = sum(sizes.turned_down_minor(e) for e in decided)
        return sizes.refused_minor(case, refused, products) + in_part + amount_minor
    others = {e.part: _MEASURES[kind](e) for e in case.exposures.values() if e.part != part}
    if kind in ("assess", "reserve") and own is not None:  # of sums that were decided nothing counts twice
        return sum(sizes.counted_once(case, others | {part: amount_minor}, products, anew=part).values())
    return _with_own(own, kind, amount_minor) + sum(others.values())


def _with_own(own: Exposure | None, kind: str, amount_minor: int) -> int:
    """What an act makes of the exposure itself: a sum on account comes on top of what was given before."""
    if own is None:
        return amount_minor
    given = own.advanced_minor + own.guaranteed_minor
    if kind in ("advance", "guarantee"):
        return max(_committed(own), given + amount_minor)
    return max(amount_minor, own.paid_minor, given)


def _committed(exposure: Exposure) -> int:
    """What has been promised or paid on an exposure; advances are set off from the sum due, so the larger counts."""
    ended = exposure.state in ("refused", "dropped")
    return max(
        0 if ended else exposure.payable_minor + exposure.ex_gratia_minor,
        exposure.paid_minor,
        exposure.advanced_minor + exposure.guaranteed_minor,
    )


_MEASURES: Mapping[str, Callable[[Exposure], int]] = {
    "assess": lambda exposure: exposure.assessed_minor,
    "reserve": lambda exposure: exposure.named_reserve_minor,
    "decide": _committed,
    "ex_gratia": _committed,
    "advance": _committed,
    "guarantee": _committed,
}
