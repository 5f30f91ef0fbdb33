"""Assessment and decision (定损、核损、理算、核赔、拒赔): what the damage is, what the terms give, who may say so (norm 2.2.3).

Three persons or rules stand behind a sum: who assesses, who checks the assessment, who decides. The calculation is done
by the terms and can be re-run; a person may add (ex gratia) or refuse, with reasons and authority, but never alter it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lipei.domain import authority, limits, papers, sizes
from lipei.domain.authority import Granted
from lipei.domain.claims import ASSESSED, Case, Exposure, Offer
from lipei.domain.conduct import Ask
from lipei.domain.events import Change, Event, Outcome, Refusal, Value, wrong
from lipei.domain.facts import wrong_of_head
from lipei.domain.money import Money
from lipei.domain.owing import TURNED_DOWN
from lipei.domain.reserves import following
from lipei.domain.rules.authority import allowed
from lipei.domain.rules.intake import item_row, known_facts, unnamed_reserve
from lipei.domain.rules.settlement import overtaken, settlement_of
from lipei.domain.settlement import Settlement
from lipei.domain.settlement.values import EXCLUSION

RESERVE_REASON = "changed"
"""Why a reserve is as it is: somebody changed it, and a note says why; others are ``reported`` and ``registered``,
and those that nobody named, see `claims.USUAL` and `claims.ASSESSED`."""


def set_reserve(ask: Ask) -> Outcome:
    """A new reserve, within the authority for it (估损调整); reason and authority stand in the entry."""
    command, claim = ask.command, ask.case.claim
    if command.amount is None or not command.reason.strip():
        return wrong(
            **{
                n: c
                for n, c in (("amount", "refusal.amount_missing"), ("reason", "refusal.reason_missing"))
                if not getattr(command, n)
            }
        )
    if command.amount.currency != claim.currency:
        return wrong(amount="refusal.currency_mixed")
    granted = allowed(ask, "reserve", command.amount.minor)
    if isinstance(granted, Refusal):
        return granted
    facts = {
        "before_minor": ask.target.reserve_minor, "after_minor": command.amount.minor,
        "note": ask.case.next_part("note"), "authority": granted.as_value(),
    }  # fmt: skip
    why = _reasoned(ask, command.reason)
    return (ask.done(*why, facts=facts, reserve_minor=command.amount.minor, reserve_reason=RESERVE_REASON),)


def assess(ask: Ask) -> Outcome:
    """The damage line by line, and the facts that the terms ask for. The settlement is computed for all to see."""
    command, exposure = ask.command, ask.target
    rows = tuple(item_row(i) for i in command.items) or exposure.items
    facts = known_facts({**exposure.facts, **command.facts})
    covers = ask.rulebook.covers_of(ask.case.claim.product, exposure.cover)
    codes = _wrong_items(ask, rows)
    codes |= wrong_of_head(command.facts, tables=ask.rulebook.facts_asked, covers=covers)
    if codes:
        return wrong(**codes)
    assessed = sum(
        r["assessed_minor"] if r["assessed_minor"] is not None else r["claimed_minor"] or 0
        for r in rows
        if not r["excluded"]
    )
    changed = replace(exposure, items=rows, facts=facts, assessed_minor=assessed)
    found = settlement_of(ask.case, changed, ask.world)
    if isinstance(found, Refusal) and found.kind == "fields":
        return found
    granted = allowed(ask, "assess", assessed)
    if isinstance(granted, Refusal):
        return granted
    # What cannot be computed any more does not keep the sum of an earlier assessment.
    computed: dict[str, Value] = {"settlement": {}, "payable_minor": 0}
    if isinstance(found, Settlement):
        computed = {"settlement": found.as_dict(), "payable_minor": found.payable_minor}
        computed |= following(exposure, found.payable_minor)
    elif exposure.reserve_reason == ASSESSED:
        computed |= unnamed_reserve(ask, exposure)
    told = {
        "assessed_minor": assessed,
        "items": len(rows),
        "payable_minor": computed["payable_minor"] if computed["settlement"] else None,
    }
    if isinstance(found, Refusal):
        told |= {"not_computed": found.code, "not_computed_of": _kept(found.params)}
    return (_assessed(ask, told, rows, facts, assessed, computed),)


def _kept(value: Any) -> Value:
    """The parameters of a refusal as an entry keeps them: sums as mappings."""
    if isinstance(value, Mapping):
        return {name: _kept(one) for name, one in value.items()}
    if isinstance(value, tuple):
        return tuple(_kept(one) for one in value)
    return {"minor": value.minor, "currency": value.currency} if isinstance(value, Money) else value


def _assessed(
    ask: Ask, told: dict[str, Value], rows: tuple[dict[str, Value], ...], facts: dict[str, Value], assessed: int,
    computed: dict[str, Value],
) -> Event:  # fmt: skip
    fields = {
        "state": ask.step.target,
        "items": rows,
        "facts": facts,
        "assessed_minor": assessed,
        "assessed_by": ask.actor.id,
        "assessed_at": ask.now,
        "checked_by": "",
        "by_hand": ask.target.by_hand or not ask.actor.by_rule,
        **computed,
    }
    return Event(ask.step.event, ask.part, told, (Change("exposure", ask.part, fields),))


def _wrong_items(ask: Ask, rows: tuple[dict[str, Value], ...]) -> dict[str, str]:
    codes: dict[str, str] = {}
    currencies = {
        money.currency
        for item in ask.command.items
        for money in (item.claimed, item.assessed, item.standard)
        if money is not None
    }
    if currencies - {ask.case.claim.currency}:
        codes["items"] = "refusal.currency_mixed"
    for number, row in enumerate(rows, start=1):
        if row["claimed_minor"] is None and row["assessed_minor"] is None:
            codes[f"items.{number}.assessed"] = "refusal.amount_missing"
    return codes


def _to_assess(found: Refusal) -> Refusal:
    """Where a fact is wrong or missing it is entered by assessing anew: no field of a decision holds it."""
    facts = tuple(name.removeprefix("facts.") for name in found.fields if name.startswith("facts."))
    return Refusal("refusal.assess_anew", params={"facts": facts}) if facts else found


def check_assessment(ask: Ask) -> Outcome:
    """A second person has checked the damage (核损), within the authority to assess that much."""
    exposure = ask.target
    granted = allowed(ask, "assess", exposure.assessed_minor, involved=authority.people_of((exposure.assessed_by,)))
    if isinstance(granted, Refusal):
        return granted
    return (
        ask.done(
            facts={"assessed_minor": exposure.assessed_minor, "assessed_by": exposure.assessed_by},
            checked_by=ask.actor.id,
        ),
    )


def submit_decision(ask: Ask) -> Outcome:
    """The settlement goes to somebody with authority; more than the terms give needs a reason (通融赔付)."""
    command, claim = ask.command, ask.case.claim
    found = settlement_of(ask.case, ask.target, ask.world)
    if isinstance(found, Refusal):
        return _to_assess(found)
    beyond = command.ex_gratia.minor if command.ex_gratia else 0
    if command.ex_gratia and command.ex_gratia.currency != claim.currency:
        return wrong(ex_gratia="refusal.currency_mixed")
    refused = _refused_in_part(ask, found, beyond)
    if isinstance(refused, Refusal):
        return refused
    codes = {"reason": "refusal.reason_missing"} if beyond and not command.reason.strip() else {}
    if refused and not command.refusal_reason.strip():
        codes["refusal_reason"] = "refusal.part_without_reason"
    without = _without_papers(ask)
    if isinstance(without, Refusal):
        return replace(without, code="refusal.fields", fields={**codes, **without.fields}) if codes else without
    if codes:
        return wrong(**codes)
    written = [command.reason, command.without_papers if without else ""]
    text = "\n".join(w.strip() for w in written if w.strip())
    notes = _reasoned(ask, text) if text else ()
    facts = {
        "payable_minor": found.payable_minor, "ex_gratia_minor": beyond, "needs_person": found.needs_person, **without,
        **({"refused_minor": refused} if refused else {}),
    }  # fmt: skip
    return (
        ask.done(
            *notes, facts=facts, settlement=found.as_dict(), payable_minor=found.payable_minor, ex_gratia_minor=beyond,
            submitted_by=ask.actor.id, submitted_at=ask.now, approvals=(), **_why_in_part(ask, refused),
            **following(ask.target, found.payable_minor),
        ),
    )  # fmt: skip


def _why_in_part(ask: Ask, refused_minor: int) -> dict[str, Value]:
    """Why a part is refused, as the customer will read it; of a refusal proposed before nothing is left."""
    reason = ask.command.refusal_reason.strip() if refused_minor else ""
    said = {"refusal_reason": reason, "refusal_code": "", "refusal_clause": ""}
    return {name: value for name, value in said.items() if value != getattr(ask.target, name)}


def _refused_in_part(ask: Ask, found: Settlement, beyond_minor: int) -> int | Refusal:
    """Minor units that a person turned down and nobody makes good: a refusal in part, for who may refuse as much.

    That is what is excluded, and what was claimed and assessed at 0. The customer gets a notice of it as of a refusal of
    the whole (保险法24). That a loss is measured at less, and what a deductible, a ratio or a limit takes, is no refusal:
    the settlement explains it.

    Where it leaves nothing, it is a refusal and no decision of 0: another step, with reasons and the ways on (norm part
    4). A deductible, a ratio or a limit may leave nothing.
    """
    taken = _turned_down(ask, found) - beyond_minor
    if taken > 0 and not found.payable_minor + beyond_minor:
        code = "refusal.exclusion_is_a_refusal" if found.excluded_minor else "refusal.nothing_assessed_is_a_refusal"
        return Refusal(code)
    return max(0, taken)


def _turned_down(ask: Ask, found: Settlement) -> int:
    """What the terms would give beyond ``found`` if nothing were excluded, and all that was set at 0 were as claimed."""
    rows = ask.target.items
    if not found.excluded_minor and not any(sizes.set_at_nothing(row) for row in rows):
        return 0
    items = tuple({**row, "excluded": "", "assessed_minor": sizes.allowed_minor(row)} for row in rows)
    facts = {name: value for name, value in ask.target.facts.items() if name != EXCLUSION}
    whole = settlement_of(ask.case, replace(ask.target, items=items, facts=facts), ask.world)
    return (
        whole.payable_minor - found.payable_minor
        if isinstance(whole, Settlement)
        else sizes.turned_down_minor(ask.target)
    )


def _without_papers(ask: Ask) -> dict[str, Value] | Refusal:
    """What the entry says of papers that the head of loss needs and that are not here; nothing where all are.

    It is a warning and no bar: whoever goes on says why, of papers that the customer was asked for (a setting: always).
    No rule ever goes on without them.
    """
    table, reason = ask.rulebook.papers, ask.command.without_papers.strip()
    codes = tuple(need.code for need in papers.papers_away(case=ask.case, table=table, exposure=ask.part))
    asked = any(p.code in codes and p.state in ("requested", "refused") for p in ask.case.papers.values())
    owed = asked or ask.rulebook.settings.papers_missing_reason == "always"
    if codes and (ask.actor.by_rule or (owed and not reason)):
        missing = "refusal.papers_missing"
        return Refusal(missing, "fields", {"papers": codes}, {"without_papers": missing})
    if not codes:
        return {}
    return {"papers_missing": codes, **({"note": ask.case.next_part("note")} if reason else {})}


def _reasoned(ask: Ask, text: str) -> tuple[Change, ...]:
    fields = {"text": text.strip(), "author": ask.actor.id, "at": ask.now, "kind": "note"}
    return (Change("note", ask.case.next_part("note"), fields),)


def approve_decision(ask: Ask) -> Outcome:
    """The sum is approved by authority (核赔); above the threshold by two persons.

    It is computed anew on the ledger as it is now, so that two claims never both see the last of a shared limit. What
    then is not the sum that was submitted, and that an earlier approval was of, is not approved but submitted anew.
    """
    exposure = ask.target
    found = settlement_of(ask.case, exposure, ask.world)
    if isinstance(found, Refusal):
        return _to_assess(found)
    if found.payable_minor != exposure.payable_minor:
        return (overtaken(exposure, found),)
    total = found.payable_minor + exposure.ex_gratia_minor
    # Who assesses, who checks the assessment and who decides are three.
    made_by = (exposure.submitted_by, exposure.assessed_by, exposure.checked_by)
    involved = authority.people_of((*made_by, *exposure.approvals))
    granted: Granted | Refusal = allowed(ask, "decide", total, involved=involved)
    if isinstance(granted, Granted) and exposure.ex_gratia_minor:
        beyond = allowed(ask, "ex_gratia", total, involved=involved)
        granted = beyond if isinstance(beyond, Refusal) or beyond.needs_second else granted
    refused = _refused_in_part(ask, found, exposure.ex_gratia_minor)
    if isinstance(refused, Refusal):
        return refused
    if isinstance(granted, Granted) and refused:
        in_part = allowed(ask, "refuse", refused, involved=involved)
        granted = in_part if isinstance(in_part, Refusal) or in_part.needs_second else granted
    if isinstance(granted, Refusal):
        return granted
    if refused and (exposure.refusal_code or not exposure.refusal_reason):
        return Refusal("refusal.part_unexplained")  # nothing was excluded when it was submitted, or not to effect
    without = _without_papers(ask)
    if isinstance(without, Refusal):
        return without
    notes = _reasoned(ask, ask.command.without_papers) if "note" in without else ()
    approvals = (*exposure.approvals, authority.approval(actor=ask.actor, granted=granted))
    if not authority.approved_enough(granted=granted, approvals=approvals):
        facts = {"approvals": len(approvals), "sum_minor": total, **granted.lent, **without}
        change = Change("exposure", ask.part, {"approvals": approvals})
        return (Event("exposure.first_approval_given", ask.part, facts, (change, *notes)),)
    told = {**granted.lent, **without, **({"refused_minor": refused} if refused else {})}
    return _approved(ask, found, total, approvals, told, notes)


def _approved(
    ask: Ask, found: Settlement, total: int, approvals: tuple[str, ...], told: dict[str, Value],
    notes: tuple[Change, ...],
) -> Outcome:  # fmt: skip
    exposure, claim = ask.target, ask.case.claim
    drawn: Outcome = ()
    if ask.world.ledger is not None:
        drawn = limits.draw(
            ledger=ask.world.ledger,
            claim_number=claim.number,
            exposure=ask.part,
            wanted=found.draws,
            currency=claim.currency,
        )
    if isinstance(drawn, Refusal):
        return drawn
    facts = {
        "payable_minor": found.payable_minor,
        "ex_gratia_minor": exposure.ex_gratia_minor,
        "submitted_minor": exposure.payable_minor,
        "on_behalf_of": approvals[-1].partition("/")[2] or ask.actor.on_behalf_of,
        **told,
    }
    decided = ask.done(
        *notes, facts=facts, settlement=found.as_dict(), payable_minor=found.payable_minor, approvals=approvals,
        decided_by=ask.actor.id, decided_at=ask.now, refused_minor=told.get("refused_minor", 0),
    )  # fmt: skip
    return (decided, *drawn, _prepared(ask, total))


def _prepared(ask: Ask, total: int) -> Event:
    """The sum made ready to offer: joined to an offer to the same person that was not sent yet, else one of its own."""
    exposure = ask.target
    waiting = next((o for o in ask.case.offers.values() if o.state == "prepared" and o.to == exposure.claimant), None)
    if waiting is not None:
        numbers = tuple(dict.fromkeys((*waiting.exposures, ask.part)))
        amount = total + sum(_sum(ask.case.exposures[n]) for n in waiting.exposures if n != ask.part)
        fields: dict[str, Value] = {"exposures": numbers, "amount_minor": amount, "undisputed_minor": amount}
        part = waiting.part
    else:
        part = ask.case.next_part("offer")
        fields = {
            "state": "prepared",
            "exposures": (ask.part,),
            "to": exposure.claimant,
            "amount_minor": total,
            "undisputed_minor": total,
        }
    return Event(
        "offer.prepared",
        part,
        {"amount_minor": fields["amount_minor"], "exposures": fields["exposures"]},
        (Change("offer", part, fields),),
    )


def _sum(exposure: Exposure) -> int:
    return exposure.payable_minor + exposure.ex_gratia_minor


def return_for_rework(ask: Ask) -> Outcome:
    """Back to the handler with a reason; what it held of shared limits goes back, and no offer of it goes out."""
    if not ask.command.reason.strip():
        return wrong(reason="refusal.reason_missing")
    offers = [o for o in ask.case.offers.values() if ask.part in o.exposures]
    if any(o.state in ("sent", "agreed") for o in offers):
        return Refusal("refusal.offer_is_out")
    given_back = limits.freed(case=ask.case, exposure=ask.part, ledger=ask.world.ledger, reason="rework")
    void = [change for o in offers for change in without(ask.case, o, ask.part)]
    facts = {"from": ask.target.state, "note": ask.case.next_part("note")}
    return (
        ask.done(
            *_reasoned(ask, ask.command.reason), *void, facts=facts, checked_by="", submitted_by="", approvals=(),
            decided_by="", decided_at=None, ex_gratia_minor=0, refused_minor=0, by_hand=True,
        ),
        *given_back,
    )  # fmt: skip


def without(case: Case, offer: Offer, exposure: int) -> list[Change]:
    """An offer that is not agreed goes on without a head of loss that is decided anew; with none left it is over.

    One that was agreed, declined or ran out stays as it was: it is history, and the last offer of an exposure is the
    one that counts. What is left of several heads goes on, so that the others can still be agreed to.
    """
    if offer.state == "agreed" or exposure not in offer.exposures:
        return []
    left = tuple(n for n in offer.exposures if n != exposure)
    if not left and offer.state in TURNED_DOWN:
        return []
    if not left:
        return [Change("offer", offer.part, {"state": "expired", "exposures": (), "codes": ()})]
    amount = sum(_sum(case.exposures[n]) for n in left)
    return [Change("offer", offer.part, {"exposures": left, "amount_minor": amount, "undisputed_minor": amount})]


_PROPOSED = {
    "code": "refusal.ground_missing", "clause": "refusal.clause_missing", "reason": "refusal.plain_reason_missing",
}  # fmt: skip
"""What a proposed refusal says, and what it is told where that is missing."""


def propose_refusal(ask: Ask) -> Outcome:
    """A handler proposes to refuse, with the clause and reasons; the final act is another person's.

    An exclusion of the terms brings its clause along, and no other clause of theirs stands beside it.
    """
    command, terms = ask.command, ask.rulebook.products.version(ask.case.claim.product, ask.case.claim.terms_version)
    cover = terms.covers.get(ask.target.cover) if terms else None
    excluded = cover.exclusions.get(command.code.strip()) if cover else None
    clause = command.clause.strip() or (excluded.clause if excluded else "")
    codes = {
        name: code
        for name, code in _PROPOSED.items()
        if not (clause if name == "clause" else getattr(command, name).strip())
    }
    if terms and excluded and clause in terms.clauses and clause != excluded.clause:
        codes["clause"] = "refusal.clause_of_another"
    if codes:
        return wrong(**codes)
    return (
        ask.done(
            facts={"code": command.code, "clause": clause},
            refusal_code=command.code.strip(),
            refusal_clause=clause,
            refusal_reason=command.reason.strip(),
            refusal_proposed_by=ask.actor.id,
            approvals=(),
            by_hand=True,
        ),
    )


def refuse(ask: Ask) -> Outcome:
    """The final act of a person with that authority; the three days of 保险法24 run from it."""
    exposure = ask.target
    size = sizes.refused_minor(ask.case, {ask.part}, ask.rulebook.products)
    granted = allowed(
        ask, "refuse", size, involved=authority.people_of((exposure.refusal_proposed_by, *exposure.approvals))
    )
    if isinstance(granted, Refusal):
        return granted
    approvals = (*exposure.approvals, authority.approval(actor=ask.actor, granted=granted))
    if not authority.approved_enough(granted=granted, approvals=approvals):
        change = Change("exposure", ask.part, {"approvals": approvals})
        facts = {"approvals": len(approvals), "sum_minor": size, **granted.lent}
        return (Event("exposure.first_approval_given", ask.part, facts, (change,)),)
    facts = {
        **granted.lent,
        "code": exposure.refusal_code,
        "clause": exposure.refusal_clause,
        "proposed_by": exposure.refusal_proposed_by,
    }
    given_back = limits.freed(case=ask.case, exposure=ask.part, ledger=ask.world.ledger, reason=limits.REFUSED)
    refused = ask.done(
        facts=facts,
        decided_by=ask.actor.id,
        decided_at=ask.now,
        approvals=approvals,
        payable_minor=0,
        ex_gratia_minor=0,
    )
    return (refused, *given_back)
