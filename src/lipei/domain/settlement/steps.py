"""The closed vocabulary of calculation. Terms choose and order these operations; they cannot invent one.

An operation looks at the running amount and answers with moves: where the amount goes next, and with which figures the
line explains itself. Each is a pure function of the step and the run; whatever lies outside the single loss (what is
left of a shared limit, what another cover pays first) was decided by the engine before and comes in ``Given.outside``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from lipei.domain.money import PPM, Rounding, divide, scale
from lipei.domain.settlement.results import Line
from lipei.domain.settlement.sharing import across_policies
from lipei.domain.settlement.terms import Cover, Figure, Step
from lipei.domain.settlement.values import EXCLUSION, Item

LOSS_KINDS = ("loss", "assessment", "exclusion", "subtraction")
"""Kinds of line that establish what was lost; the others say how much of it the terms pay."""


@dataclass(frozen=True, slots=True)
class Given:
    """All that a cover's steps may look at, checked and in the units of the terms.

    ``outside`` holds, per number of a step, what the engine found outside this loss; a step without it passes the
    amount on unchanged.
    """

    peril: str
    facts: Mapping[str, Any]
    schedule: Mapping[str, Any]
    items: tuple[Item, ...]
    rounding: Rounding
    estimate_minor: int | None = None
    outside: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Run:
    """Where the calculation stands: the running amount, and the loss as established so far."""

    amount: int
    loss: int
    given: Given
    at: str  # number of the step

    def figure(self, step: Step, name: str) -> int:
        """A figure of the step, resolved."""
        return resolve(step.figures[name], self.given)


@dataclass(frozen=True, slots=True)
class Move:
    """The amount after a line, and how the line is explained. ``kind`` and ``clause`` default to those of the step."""

    after: int
    text: str
    params: Mapping[str, Any]
    kind: str = ""
    clause: str = ""


def resolve(figure: Figure, given: Given) -> int:
    """The figure's value. The parser of terms made sure that what it refers to is always there."""
    if figure.source == "fixed":
        return figure.value
    if figure.source == "schedule":
        return int(given.schedule[figure.key])
    if figure.source == "fact":
        return int(given.facts[figure.key])
    found: Any = given.facts.get(figure.key)
    if figure.source == "band":
        fitting = (of_band for most, of_band in figure.bands if found <= most)
        figure = Figure("choice", key=figure.key, otherwise=next(fitting, figure.otherwise))
    assert figure.otherwise is not None, f"the choice by {figure.key} has no figure for other values"
    return resolve(figure.choices.get(found, figure.otherwise), given)


def items(step: Step, run: Run) -> tuple[Move, ...]:
    """The sum of what is claimed, then what the assessment made of it; an estimate where nothing is assessed yet."""
    rows, estimate = run.given.items, run.given.estimate_minor
    if not rows and estimate is not None:
        return (Move(estimate, "settlement.estimate", {"amount_minor": estimate}),)
    claimed, assessed = sum(row.claimed_minor for row in rows), sum(row.assessed_minor for row in rows)
    first = Move(claimed, "settlement.items", {"count": len(rows), "amount_minor": claimed})
    if claimed == assessed:
        return (first,)
    return first, Move(assessed, "settlement.assessed", {"amount_minor": assessed}, "assessment")


def benefit(step: Step, run: Run) -> tuple[Move, ...]:
    """A fixed sum that the terms promise for the event, whatever it cost."""
    amount = run.figure(step, "amount")
    return (Move(amount, "settlement.benefit", {"amount_minor": amount}),)


def allowance(step: Step, run: Run) -> tuple[Move, ...]:
    """So much per day (or per full block of hours), without the waiting units at the start, for so many at most."""
    per, units = run.figure(step, "per"), run.figure(step, "units") // run.figure(step, "block")
    waiting, most = run.figure(step, "waiting"), run.figure(step, "maximum")
    paid = max(0, units - waiting)
    key = f"settlement.allowance.{step.what}"
    shared = {"per_minor": per, "block": run.figure(step, "block")}
    return (
        Move(units * per, key, {**shared, "units": units}),
        Move(paid * per, f"{key}.waiting", {**shared, "units": waiting}, "deductible"),
        Move(min(paid, most) * per, f"{key}.maximum", {**shared, "units": most}, "limit"),
    )


def subtract(step: Step, run: Run) -> tuple[Move, ...]:
    """Less what came from elsewhere: salvage, social insurance, the party at fault. Never below zero."""
    amount = run.figure(step, "amount")
    return (Move(max(0, run.amount - amount), f"settlement.subtract.{step.what}", {"amount_minor": amount}),)


def cap_items(step: Step, run: Run) -> tuple[Move, ...]:
    """No single article counts for more than the figure."""
    most = run.figure(step, "amount")
    cut = sum(
        max(0, row.assessed_minor - most)
        for row in run.given.items
        if not row.excluded and (not step.codes or row.code in step.codes)
    )
    return (Move(max(0, run.amount - cut), f"settlement.cap_items.{step.what}", {"amount_minor": most}),)


def excess(step: Step, run: Run) -> tuple[Move, ...]:
    """Only what is beyond the cover that pays first, as for commercial over compulsory motor liability."""
    found = run.given.outside.get(run.at)
    if found is None:
        return (Move(run.amount, "settlement.excess", {"amount_minor": 0}),)
    paid = found["paid_minor"]
    return (Move(max(0, run.amount - paid), "settlement.excess", {"amount_minor": paid}),)


_WHOLE: Mapping[str, int | str] = {"rate_ppm": PPM}


def _proportion(part: int, whole: int) -> Mapping[str, int | str]:
    """A proportion that whoever recomputes the line gets the same sum from: a rate, else a fraction (``2/3``)."""
    share = Fraction(part, whole) * PPM
    return {"rate_ppm": int(share)} if share.denominator == 1 else {"rate": str(Fraction(part, whole))}


def under_insurance(step: Step, run: Run) -> tuple[Move, ...]:
    """Never more than the thing was worth, and in proportion where it is insured for less than that (保险法 55)."""
    insured, value = run.figure(step, "insured"), run.figure(step, "value")
    lost, short = min(run.amount, value), value > insured
    after = divide(lost * insured, value, rounding=run.given.rounding) if short else lost
    params = {"insured_minor": insured, "value_minor": value, **(_proportion(insured, value) if short else _WHOLE)}
    ratio = Move(after, "settlement.under_insurance", params)
    if lost == run.amount:
        return (ratio,)
    return Move(lost, "settlement.under_insurance.value", {"amount_minor": value}, "assessment"), ratio


def ratio(step: Step, run: Run) -> tuple[Move, ...]:
    """A share of the amount is paid: by fault, or by the pay ratio of the terms."""
    rate = run.figure(step, "rate")
    after = scale(run.amount, rate, rounding=run.given.rounding)
    return (Move(after, f"settlement.ratio.{step.what}", {"rate_ppm": rate}),)


def deductible(step: Step, run: Run) -> tuple[Move, ...]:
    """The first part is the customer's own."""
    amount = run.figure(step, "amount")
    return (Move(max(0, run.amount - amount), "settlement.deductible", {"amount_minor": amount}),)


def deductible_rate(step: Step, run: Run) -> tuple[Move, ...]:
    """A share is the customer's own. What is paid is rounded, the customer's share is the rest."""
    rate = run.figure(step, "rate")
    after = scale(run.amount, PPM - rate, rounding=run.given.rounding)
    return (Move(after, "settlement.deductible_rate", {"rate_ppm": rate}),)


def deductible_higher(step: Step, run: Run) -> tuple[Move, ...]:
    """The customer's own part is an amount or a share of the loss, whichever is higher."""
    amount, rate = run.figure(step, "amount"), run.figure(step, "rate")
    own = max(amount, run.amount - scale(run.amount, PPM - rate, rounding=run.given.rounding))
    params = {"amount_minor": amount, "rate_ppm": rate, "own_minor": own}
    return (Move(max(0, run.amount - own), "settlement.deductible_higher", params),)


def cap(step: Step, run: Run) -> tuple[Move, ...]:
    """Never more than the sum insured, or another ceiling for this loss alone."""
    most = run.figure(step, "amount")
    return (Move(min(run.amount, most), f"settlement.cap.{step.what}", {"amount_minor": most}),)


def limit(step: Step, run: Run) -> tuple[Move, ...]:
    """Never more than this loss may draw from a limit that it shares with others."""
    found = run.given.outside.get(run.at)
    if found is None:
        return (Move(run.amount, "settlement.limit", {"limit": step.limit}),)
    params = {key: found[key] for key in ("limit_minor", "left_minor", "sharers")}
    text = "settlement.limit.shared" if found["sharers"] > 1 else "settlement.limit"
    if found["sharers"] <= 1 and "settled" in found:  # what is left is a share beside those that are settled
        text = "settlement.limit.share"
        params["sharers"] = found["settled"] + 1
    return (Move(min(run.amount, found["available_minor"]), text, {"limit": step.limit, **params}),)


def grade(step: Step, run: Run) -> tuple[Move, ...]:
    """The share of the sum insured that the table gives for the grade found by the experts.

    The table goes from the heaviest grade down. Several injuries are one disability: the heaviest counts, and where
    another is as heavy the grade next above it (人身保险伤残评定标准 JR/T 0083-2013, 4.5).
    """
    found = str(run.given.facts[step.fact])
    grades = list(step.table)
    raised = bool(step.raised_by and run.given.facts[step.raised_by]) and found != grades[0]
    counted = grades[grades.index(found) - 1] if raised else found
    rate = step.table[counted]
    after = scale(run.amount, rate, rounding=run.given.rounding)
    if raised:
        return (Move(after, "settlement.grade.raised", {"grade": counted, "found": found, "rate_ppm": rate}),)
    return (Move(after, "settlement.grade", {"grade": found, "rate_ppm": rate}),)


def indemnity(step: Step, run: Run) -> tuple[Move, ...]:
    """Several policies together never pay more than the loss (保险法 56)."""
    others = run.given.facts.get(step.fact) or ()
    sums = [run.figure(step, "insured"), *(row.get("sum_insured_minor", 0) for row in others)]
    pays = [run.amount, *(row["would_pay_minor"] for row in others)]
    shares = across_policies(loss_minor=run.loss, would_pay_minor=pays, method=step.method, sums_insured_minor=sums)
    params = {"policies": len(pays), "loss_minor": run.loss, "others_minor": sum(shares[1:]), "share_minor": shares[0]}
    return (Move(shares[0], f"settlement.indemnity.{step.method}", params),)


@dataclass(frozen=True, slots=True)
class Operation:
    """What the vocabulary says of an operation: its function, kind of line, and what a step must give it.

    ``figures`` maps each figure to its unit; ``defaults`` are taken where terms leave one out.
    """

    run: Callable[[Step, Run], tuple[Move, ...]]
    kind: str
    figures: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, int] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    may: tuple[str, ...] = ()  # options that a step may leave out
    base: bool = False


AMOUNT, RATE, COUNT = "money", "percent", "count"

VOCABULARY: Mapping[str, Operation] = {
    "items": Operation(items, "loss", base=True),
    "benefit": Operation(benefit, "loss", {"amount": AMOUNT}, base=True),
    "allowance": Operation(
        allowance,
        "loss",
        {"per": AMOUNT, "units": COUNT, "block": COUNT, "waiting": COUNT, "maximum": COUNT},
        {"block": 1, "waiting": 0},
        ("what",),
        base=True,
    ),
    "subtract": Operation(subtract, "subtraction", {"amount": AMOUNT}, options=("what",)),
    "cap_items": Operation(cap_items, "limit", {"amount": AMOUNT}, options=("what",), may=("codes",)),
    "excess": Operation(excess, "other_cover", options=("covers", "fact")),
    "under_insurance": Operation(under_insurance, "ratio", {"insured": AMOUNT, "value": AMOUNT}),
    "ratio": Operation(ratio, "ratio", {"rate": RATE}, options=("what",)),
    "deductible": Operation(deductible, "deductible", {"amount": AMOUNT}),
    "deductible_rate": Operation(deductible_rate, "deductible", {"rate": RATE}),
    "deductible_higher": Operation(deductible_higher, "deductible", {"amount": AMOUNT, "rate": RATE}),
    "cap": Operation(cap, "limit", {"amount": AMOUNT}, options=("what",)),
    "limit": Operation(limit, "limit", options=("limit",)),
    "grade": Operation(grade, "ratio", options=("fact", "table"), may=("raised_by",)),
    "indemnity": Operation(indemnity, "other_cover", {"insured": AMOUNT}, options=("fact", "method")),
}

OUTSIDE = ("excess", "limit")
"""Operations that need something from outside the single loss."""


def execute(cover: Cover, given: Given, *, until: int | None = None) -> tuple[Line, ...]:
    """The lines of a cover's steps, all of them or the first ``until``. Each begins where the one before ended."""
    lines: list[Line] = []
    amount = loss = 0
    for number, step in enumerate(cover.steps[:until]):
        run = Run(amount, loss, given, str(number))
        moves = VOCABULARY[step.do].run(step, run)
        if number == 0:
            moves = (*moves, *_exclusions(cover, given, moves[-1].after))
        for move in moves:
            line = _line(step, move, amount)
            lines.append(line)
            amount = line.after_minor
            if line.kind in LOSS_KINDS:
                loss += line.after_minor - line.before_minor
    return tuple(lines)


def _line(step: Step, move: Move, before: int) -> Line:
    kind = move.kind or VOCABULARY[step.do].kind
    idle = move.after == before and kind != "loss"
    text = f"{move.text}.none" if idle else move.text
    return Line(step.do, kind, move.clause or step.clause, text, move.params, before, move.after)


def _exclusions(cover: Cover, given: Given, amount: int) -> Iterator[Move]:
    """One line per exclusion that a person established, for items or for the whole loss."""
    for code in dict.fromkeys(row.excluded for row in given.items if row.excluded):
        cut = sum(row.assessed_minor for row in given.items if row.excluded == code)
        amount -= cut
        yield _excluded(cover, code, cut, amount)
    whole = given.facts.get(EXCLUSION)
    if whole:
        yield _excluded(cover, whole, amount, 0)


def _excluded(cover: Cover, code: str, cut: int, after: int) -> Move:
    params = {"exclusion": code, "amount_minor": cut}
    return Move(after, "settlement.excluded", params, "exclusion", cover.exclusions[code].clause)
