"""Straight-through (自动理赔): which claims are approved and paid, or advanced money, with no hand (norm 1.3.1).

A list of named checks, each with its answer, so that anybody can see why. Whatever fails sends the claim to a person;
nothing here, and nothing that follows from it, refuses a claim (norm part 4).
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256

REASON = "reason.straight_through."


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one exposure of a claim, or of a claim, when it is looked at. Unknown is False: it fails.

    ``amount_minor`` is the claim's cumulative amount with this sum in it (for an advance, what is likely to be due);
    ``claimed_minor`` is what the items of the whole claim claim, 0 where none names a sum; ``needs_person`` are the flags
    of the settlement and of triage: anything excluded or doubtful.
    """

    line: str
    currency: str
    amount_minor: int
    policy_in_force: bool = False  # at the instant of the loss
    cause_covered: bool = False
    papers_complete: bool = False
    suspicion: bool = True
    sampled: bool = True
    injury: bool = True  # somebody is hurt
    third_party: bool = True  # a claimant other than the insured
    identity_ok: bool = False  # checked where the sum asks for it, and whoever acts for another has shown a mandate
    account_ok: bool = False  # the payee's account exists, is plausible and bears the payee's name
    reporter_known: bool = False  # the phone is the one on file of the insured, or somebody saw who they are
    duplicate: bool = True  # the same loss may have been reported twice
    report_upwards: bool = True
    needs_person: tuple[str, ...] = ()
    claimed_minor: int = 0


@dataclass(frozen=True, slots=True)
class Path:
    """One way without a hand: payment in full, or an advance. Limits are minor units per line and currency.

    ``claimed_lines``: lines in which the sum claimed has to be within the limit as well as the sum paid.
    ``told_heads``: heads of damage for which whatever changes the sum has to be told and not assumed.
    """

    enabled: bool
    checks: tuple[str, ...]
    limits_minor: Mapping[str, Mapping[str, int]]
    claimed_lines: frozenset[str] = frozenset()
    injury_lines: frozenset[str] = frozenset()
    third_party_lines: frozenset[str] = frozenset()
    told_heads: frozenset[str] = frozenset()
    share_percent: int = 100


@dataclass(frozen=True, slots=True)
class StraightThroughTable:
    """What a claims manager decides: how far automation may go."""

    version: int
    payment: Path
    advance: Path


@dataclass(frozen=True, slots=True)
class Check:
    """One check and its answer. ``reason`` is the text key that says what was found."""

    name: str
    passed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """With no hand, or to a person, and why. ``amount_minor`` is what may go out with no hand, 0 for a person."""

    ok: bool
    checks: tuple[Check, ...] = ()
    amount_minor: int = 0
    doubts: tuple[str, ...] = ()  # text keys of what a person has to judge, see `Facts.needs_person`
    untold: tuple[str, ...] = ()  # names of facts on which the sum hangs and that nobody has told

    @property
    def failed(self) -> tuple[Check, ...]:
        """Why a person has to look, for the worklist."""
        return tuple(check for check in self.checks if not check.passed)


def _within_limit(facts: Facts, path: Path) -> bool:
    limit = path.limits_minor.get(facts.line, {}).get(facts.currency, 0)
    return 0 < facts.amount_minor <= limit and (facts.line not in path.claimed_lines or facts.claimed_minor <= limit)


# The likely sum of an advance is no payment: its limit caps the advance and does not send the claim to a person.
_CHECKS: Mapping[str, Callable[[Facts, Path], bool]] = {
    "policy_in_force": lambda facts, path: facts.policy_in_force,
    "cause_covered": lambda facts, path: facts.cause_covered,
    "papers_complete": lambda facts, path: facts.papers_complete,
    "within_limit": _within_limit,
    "limit_known": lambda facts, path: bool(path.limits_minor.get(facts.line, {}).get(facts.currency)),
    "no_suspicion": lambda facts, path: not facts.suspicion,
    "not_sampled": lambda facts, path: not facts.sampled,
    "nobody_hurt": lambda facts, path: not facts.injury or facts.line in path.injury_lines,
    "no_third_party": lambda facts, path: not facts.third_party or facts.line in path.third_party_lines,
    "identity_ok": lambda facts, path: facts.identity_ok,
    "account_ok": lambda facts, path: facts.account_ok,
    "reporter_known": lambda facts, path: facts.reporter_known,
    "no_duplicate": lambda facts, path: not facts.duplicate,
    "not_large": lambda facts, path: not facts.report_upwards,
    "nothing_doubtful": lambda facts, path: not facts.needs_person,
}
CHECKS = tuple(_CHECKS)

# What no table may leave out.
ALWAYS_FOR_PAYMENT = (
    "policy_in_force", "cause_covered", "papers_complete", "within_limit", "no_suspicion", "not_sampled", "account_ok",
    "nothing_doubtful",
)  # fmt: skip
ALWAYS_FOR_ADVANCE = ("policy_in_force", "cause_covered", "limit_known", "no_suspicion", "account_ok")
ALSO_FOR_PAYMENT = ("reporter_known",)
ALSO_FOR_ADVANCE = ("papers_complete", "reporter_known", "not_large", "not_sampled", "nothing_doubtful")
"""Asked whether the table names them or not: a table that was edited before they were asked stays good."""


def eligible(*, facts: Facts, table: StraightThroughTable) -> Verdict:
    """Whether the sum may be approved and paid with no hand. Every check is answered, also after one has failed."""
    return _verdict(facts, table.payment, facts.amount_minor)


def eligible_advance(*, facts: Facts, table: StraightThroughTable, advanced_minor: int) -> Verdict:
    """Whether money may be advanced with no hand, and how much: a share of what is likely due, up to the limit.

    ``advanced_minor`` is what the claim has had on account already; it counts against both. Rounded down to the unit.
    """
    path = table.advance
    cap = path.limits_minor.get(facts.line, {}).get(facts.currency, 0)
    most = min(facts.amount_minor * path.share_percent // 100, cap)
    return _verdict(facts, path, most - advanced_minor)


def _verdict(facts: Facts, path: Path, amount_minor: int) -> Verdict:
    checks = [Check("enabled", path.enabled, _reason("enabled", path.enabled))]
    for name in path.checks:
        passed = _CHECKS[name](facts, path)
        checks.append(Check(name, passed, _reason(name, passed)))
    left = amount_minor > 0
    checks.append(Check("something_due", left, _reason("something_due", left)))
    ok = all(check.passed for check in checks)
    return Verdict(ok, tuple(checks), amount_minor if ok else 0)


def _reason(name: str, passed: bool) -> str:
    return f"{REASON}{name}.{'yes' if passed else 'no'}"


def drawn(*, number: str, salt: bytes, rate_ppm: int) -> bool:
    """Whether a claim is drawn for quality sampling, at a rate in millionths (norm 3.2: automatic decisions too).

    The same claim always has the same answer, and nobody without the salt can foresee it. At a higher rate everybody
    drawn at a lower one is still drawn.
    """
    digest = hmac.digest(salt, number.encode(), sha256)
    return int.from_bytes(digest[:8], "big") * 1_000_000 < rate_ppm << 64
