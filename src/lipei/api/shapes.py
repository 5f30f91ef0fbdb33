"""The shape of answers: plain dictionaries made by hand from frozen values, so that an answer costs next to nothing.

Money is ``{"amount": "1234.56", "currency": "CNY"}`` under the field's name without ``_minor``, times RFC 3339, UTC.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from functools import cache
from typing import Any, cast

import orjson
from django.http import HttpResponse

from lipei.domain.claims import Case
from lipei.domain.events import Actor, Event
from lipei.domain.lifecycle import Step
from lipei.domain.money import Money, plain
from lipei.domain.owing import NOTHING_OWED
from lipei.domain.promises import Explanation
from lipei.domain.rulebook import Rulebook
from lipei.norms.texts import text, texts
from lipei.reads import claims as claims_read
from lipei.reads import reasons
from lipei.reads.claims import Delivered, Possible, Promised, Settled
from lipei.reads.prenotices import Told as PreNotice
from lipei.reads.remarks import Remark
from lipei.reads.timeline import Told
from lipei.reads.worklist import Listed, Row

BASE = "/api/v1"
PLURALS: Mapping[str, str] = {
    "exposure": "exposures",
    "party": "parties",
    "paper": "papers",
    "survey": "surveys",
    "consultation": "consultations",
    "offer": "offers",
    "payment": "payments",
    "recovery": "recoveries",
}
"""How the parts of a claim stand in addresses."""
SHOWN = {**PLURALS, "document": "documents"}
HIDDEN = frozenset({"part", "settlement", "codes"})
NOT_FOR_PROGRAMS = frozenset({"suspicion", "sampled", "help_wanted"})
SEPARATOR = {"zh-hans": "", "zh-hant": "", "en": " "}


def respond(body: Any, status: int = 200, **headers: str) -> HttpResponse:
    """A JSON response."""
    data = orjson.dumps(body, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)
    return HttpResponse(data, status=status, content_type="application/json", headers=headers)


def version_tag(body: Mapping[str, Any]) -> dict[str, str]:
    """The header that names the version of the claim that an answer shows, to be sent back as If-Match."""
    return {"ETag": f'"{body["version"]}"'}


def money(minor: int | None, currency: str) -> dict[str, str] | None:
    """An amount of minor units."""
    return None if minor is None else {"amount": plain(Money(minor, currency)), "currency": currency}


def href(number: str, step: Step, part: int) -> str:
    """Where an action is done."""
    claim = f"{BASE}/claims/{number}"
    if step.subject == "claim":
        return f"{claim}/{step.action}"
    return f"{claim}/{PLURALS[step.subject]}/{'new' if step.makes_part else part}/{step.action}"


def actions(number: str, found: Iterable[Possible]) -> list[dict[str, Any]]:
    """The steps possible now, each with its address."""
    return [
        {
            "subject": one.subject,
            "part": "new" if one.step.makes_part else one.part,
            "action": one.action,
            "label": one.label,
            "href": href(number, one.step, one.part),
        }
        for one in found
    ]


def promises_with_basis(found: Iterable[Promised], language: str) -> list[dict[str, Any]]:
    """Promises with their reasons, in sentences and as the figures that they were counted from."""
    listed = list(found)
    return [
        {**said, "id": p.part, "basis": _basis(p.basis)}
        for p, said in zip(listed, promises(listed, language), strict=True)
    ]


def _basis(e: Explanation | None) -> dict[str, Any]:
    assert e is not None, "a promise as it stands on a claim"
    named = (
        "started_at",
        "limit",
        "unit",
        "calendar",
        "calendar_version",
        "promise_version",
        "counted_due_at",
        "told_due_at",
    )
    pauses = [{"from": begin, "until": end} for begin, end in e.pauses]
    return {**{name: getattr(e, name) for name in named}, "pauses": pauses, "reason": e.reason}


def promises(found: Iterable[Promised], language: str) -> list[dict[str, Any]]:
    """Promises with their reasons."""
    return [
        {
            "code": p.code,
            "name": p.name,
            "exposure": p.exposure,
            "due_at": p.due_at,
            "binds": p.binds,
            "state": p.state,
            "late": p.late,
            "provisional": p.provisional,
            "extended_due_at": p.extended_due_at,
            "breached_at": p.breached_at,
            "ended_at": p.ended_at,
            "why": SEPARATOR[language].join(p.why),
        }
        for p in found
    ]


def events(found: Iterable[tuple[int, Event]], language: str) -> list[dict[str, Any]]:
    """What happened, with its number in the claim's journal."""
    return [
        {"sequence": s, "kind": e.kind, "part": e.part, "name": _known(f"event.{e.kind}", language, e.kind)}
        for s, e in found
    ]


def handler(case: Case, staff: Mapping[int, str]) -> dict[str, Any] | None:
    """Who handles the claim by name (norm 1.4.3), or null."""
    number = case.claim.handler
    return None if number is None else {"id": number, "name": staff.get(number, "")}


def summary(
    case: Case, book: Rulebook, *, viewer: Actor, language: str, promised: Iterable[Promised],
    staff: Mapping[int, str], version: int, now: datetime,
) -> dict[str, Any]:  # fmt: skip
    """What every answer about one claim begins with."""
    number = case.claim.number
    return {
        "number": number,
        "state": case.claim.state,
        "state_name": text(f"state.claim.{case.claim.state}", language),
        "version": version,
        "handler": handler(case, staff),
        "promises": promises(promised, language),
        "actions": actions(number, claims_read.possible(case, book, viewer=viewer, language=language, now=now)),
    }


def claim(case: Case, *, viewer: Actor, language: str, staff: Mapping[int, str]) -> dict[str, Any]:
    """All that is known of a claim, part by part. The case is masked already, unless its reader asked otherwise."""
    currency = case.claim.currency
    outsider = is_outsider(viewer)
    body = part(case.claim, currency, staff)
    for name in (*(NOT_FOR_PROGRAMS if outsider else ()), "number", "state", "handler"):
        body.pop(name, None)
    body["triage_why"] = reasons.in_words(case.claim.triage_reasons, language, staff)
    body["assignment_why"] = reasons.in_words(case.claim.assignment_reasons, language, staff)
    for entity, plural in SHOWN.items():
        body[plural] = [{"id": n, **part(row, currency, staff)} for n, row in case.of(entity).items()]
    if not outsider:
        body["notes"] = [{"id": n, **part(row, currency, staff)} for n, row in case.of("note").items()]
    return body


@cache
def _names(cls: type) -> tuple[str, ...]:
    return tuple(f.name for f in fields(cls) if f.name not in HIDDEN)


def part(row: Any, currency: str, staff: Mapping[int, str]) -> dict[str, Any]:
    """One part of a claim as a dictionary."""
    found: dict[str, Any] = {}
    for name in _names(cast(type, type(row))):
        value = getattr(row, name)
        if name.endswith("_minor"):
            found[name.removesuffix("_minor")] = money(value, currency)
        elif name in ("surveyor", "duty_person"):
            found[name] = None if value is None else {"id": value, "name": staff.get(value, "")}
        else:
            found[name] = plain_value(value, currency)
    return found


def plain_value(value: Any, currency: str) -> Any:
    """A nested value, amounts inside it as money."""
    if isinstance(value, Mapping):
        return {
            (n.removesuffix("_minor") if n.endswith("_minor") else n): (
                money(v, currency)
                if n.endswith("_minor") and (v is None or type(v) is int)
                else plain_value(v, currency)
            )
            for n, v in value.items()
        }
    if isinstance(value, tuple | list):
        return [plain_value(v, currency) for v in value]
    return value


def remarks(found: Iterable[Remark]) -> list[dict[str, Any]]:
    """What is to be known before anything else, with the claims that it is about."""
    return [{"code": r.code, "message": r.message, "claims": list(r.claims)} for r in found]


def prenotices(found: Iterable[PreNotice]) -> list[dict[str, Any]]:
    """What sales and service told of the policy or the customer beforehand (norm 1.3.3)."""
    return [{"text": p.text, "author": p.author, "at": p.at, "policy_number": p.policy_number} for p in found]


def messages(number: str, found: Iterable[Delivered], language: str) -> list[dict[str, Any]]:
    """Messages, each with the address of the letter that went with it."""
    rows = []
    for one in found:
        body = asdict(one)
        body["reason"] = _known(f"reason.{one.reason}", language, one.reason)
        body["letter"] = (
            {"kind": one.letter, "href": f"{BASE}/claims/{number}/letters/{one.letter}"} if one.letter else None
        )
        rows.append(body)
    return rows


def _known(key: str, language: str, otherwise: str) -> str:
    return text(key, language) if key in texts() else otherwise


def settlement(case: Case, found: Iterable[Settled]) -> dict[str, Any]:
    """The explained sum, exposure by exposure (norm 2.2.4)."""
    currency, rows = case.claim.currency, list(found)
    total = sum(s.payable_minor + s.ex_gratia_minor for s in rows if s.state not in NOTHING_OWED)
    paid = sum(s.paid_minor for s in rows)
    return {
        "number": case.claim.number,
        "currency": currency,
        "payable": money(total, currency),
        "paid": money(paid, currency),
        "exposures": [_settled(case, s, currency) for s in rows],
    }


def _settled(case: Case, found: Settled, currency: str) -> dict[str, Any]:
    made = case.exposures[found.exposure].settlement.get("lines", ())
    lines = [
        {
            "step": raw["step"],
            "kind": raw["kind"],
            "words": line.words,
            "clause": line.clause,
            "plain": line.plain,
            "before": money(raw["before_minor"], currency),
            "after": money(raw["after_minor"], currency),
            "cut": money(raw["cut_minor"], currency),
        }
        for raw, line in zip(made, found.lines, strict=False)
    ]
    body = {
        name: getattr(found, name)
        for name in ("exposure", "cover", "cover_name", "state", "computed", "why", "provisional")
    }
    for name in ("reserve", "assessed", "payable", "ex_gratia", "refused", "paid"):
        body[name] = money(getattr(found, f"{name}_minor"), currency)
    return {**body, "needs_person": list(found.needs_person), "lines": lines}


def timeline(found: Iterable[Told], currency: str) -> list[dict[str, Any]]:
    """Entries of the journal as this reader may see them."""
    return [
        {
            "sequence": e.sequence,
            "kind": e.kind,
            "part": e.part,
            "at": e.at,
            "recorded_at": e.recorded_at,
            "actor": {"id": e.actor, "name": e.actor_name},
            "on_behalf_of": e.on_behalf_of,
            "name": e.name,
            "sentence": e.sentence,
            "note": e.note,
            "authority": e.authority,
            "facts": plain_value(e.facts, currency),
        }
        for e in found
    ]


def listed(found: Listed, viewer: Actor) -> dict[str, Any]:
    """A page of a list and the cursor of the next."""
    return {"claims": [_row(row, viewer) for row in found.rows], "next": found.next_cursor or None}


def is_outsider(viewer: Actor) -> bool:
    """Whether the caller is a program that acts for nobody of the house: it does not learn of suspicion and notes."""
    return "program" in viewer.roles


def _row(row: Row, viewer: Actor) -> dict[str, Any]:
    body = asdict(row)
    body["handler"] = None if row.handler is None else {"id": row.handler, "name": row.handler_name}
    body["estimate"] = money(row.estimate_minor, row.currency)
    body["promise"] = {"code": row.promise, "name": row.promise_name, "due_at": row.due_at} if row.promise else None
    body["href"] = f"{BASE}/claims/{row.number}"
    hidden = NOT_FOR_PROGRAMS if is_outsider(viewer) else ()
    for name in ("handler_name", "estimate_minor", "promise_name", *hidden):
        body.pop(name, None)
    return body
