"""Authority (权限) as the rules ask for it: whether whoever acts may, on the claim as it stands (norm part 4)."""

from __future__ import annotations

from lipei.domain import authority
from lipei.domain.authority import Granted
from lipei.domain.conduct import Ask
from lipei.domain.events import Refusal


def allowed(
    ask: Ask, kind: str, amount_minor: int, *, part: int | None = None, involved: frozenset[str] = frozenset()
) -> Granted | Refusal:
    """Whether the actor has the authority for this act, compared with the claim's cumulative amount."""
    return may(ask, kind, cumulative_minor(ask, kind, amount_minor, part=part), involved=involved)


def cumulative_minor(ask: Ask, kind: str, amount_minor: int, *, part: int | None = None) -> int:
    """What the claim comes to with this act, see `authority.cumulative_minor`; ``part`` is that of the step."""
    return authority.cumulative_minor(
        case=ask.case, kind=kind, part=ask.part if part is None else part, amount_minor=amount_minor,
        products=ask.rulebook.products,
    )  # fmt: skip


def may(ask: Ask, kind: str, total_minor: int, *, involved: frozenset[str] = frozenset()) -> Granted | Refusal:
    """Whether the actor has the authority for this act on a claim that comes to so much."""
    claim = ask.case.claim
    return authority.may(
        table=ask.rulebook.authority, actor=ask.actor, delegations=ask.world.delegations, kind=kind, line=claim.line,
        cumulative_minor=total_minor, currency=claim.currency, involved=involved, at=ask.now,
        interested=ask.world.interested,
    )  # fmt: skip
