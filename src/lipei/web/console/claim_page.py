"""What the page of a claim draws: what to do next, and each part beside the buttons that belong to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from lipei.domain import acting, lifecycle
from lipei.domain.claims import Case
from lipei.domain.commands import COMMANDS, Nothing, SendCode
from lipei.domain.events import Actor
from lipei.domain.lifecycle import Step
from lipei.domain.owing import is_current, kept_minor
from lipei.norms.texts import text, texts
from lipei.reads import agenda, prenotices, way
from lipei.reads import claims as reads
from lipei.reads.approvals import WAITING
from lipei.reads.claims import Possible
from lipei.reads.next_steps import Next, ahead
from lipei.services.automation import Left
from lipei.web.console import claim_parts
from lipei.web.templatetags.lipei import language, local, money, word, word_of

PARTS: Mapping[str, str] = {
    "exposures": "exposure", "parties": "party", "papers": "paper", "surveys": "survey",
    "consultations": "consultation", "offers": "offer", "payments": "payment", "recoveries": "recovery",
}  # fmt: skip
PLURAL = {subject: parts for parts, subject in PARTS.items()}
NEW = "new"
KEYS: Mapping[tuple[str, str], str] = {
    ("claim", "give_opinion"): "o", ("claim", "request_papers"): "p", ("claim", "add_note"): "m",
    ("claim", "tell_customer"): "t", ("claim", "ask_for_help"): "h", ("claim", "hand_over"): "y",
    ("exposure", "assess"): "a", ("exposure", "set_reserve"): "r", ("exposure", "propose_refusal"): "x",
    ("exposure", "check_assessment"): "c", ("exposure", "submit_decision"): "d", ("exposure", "approve_decision"): "v",
    ("offer", "send"): "f",
}  # fmt: skip
"""Single keys for what handlers do all day; ``n`` is the next step, whatever it is."""
CAREFUL = frozenset(
    {
        ("exposure", "refuse"),
        ("claim", "cancel"),
        ("claim", "withdraw"),
        ("claim", "close_without_payment"),
        ("payment", "cancel"),
        ("recovery", "write_off"),
        ("exposure", "return_for_rework"),
    }
)
"""What ends or undoes work: asked once more on a page of its own."""
LOOKED_AT = frozenset(WAITING.values())
"""Somebody's word on what another made: always given on its form, where what changed and what is unusual stands."""
CORRECT = ("claim", "correct")
"""Stands beside what was told, which it puts right."""
AT_ONCE = frozenset(key for key, command in COMMANDS.items() if command in (Nothing, SendCode)) - CAREFUL - LOOKED_AT
"""What a press does without a form: nothing needs to be said."""


@dataclass(frozen=True, slots=True)
class LeftToUs:
    """Why no rule paid a head of loss, in words: what nobody has told yet, and the form to tell it, stand for themselves."""

    reasons: tuple[str, ...]
    untold: str
    form: str


def left_to_us(page: reads.Page, left: Mapping[int, Left]) -> Mapping[int, LeftToUs]:
    """By head of loss; the form only where the reader may say it."""
    may = {one.part: one.step for one in page.actions if (one.subject, one.action) == ("exposure", "correct")}
    found = {}
    for part, one in left.items():
        named = text("common.list_separator", language()).join(word("fact", name) for name in one.untold)
        found[part] = LeftToUs(
            tuple(word_of(key) for key in one.reasons),
            text("reason.straight_through.not_told", language(), facts=named) if named else "",
            address(page.case.claim.number, may[part], part) if part in may else "",
        )
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader asked for: when, whether files may be opened and personal data is shown whole, and which entries."""

    at: datetime
    may_open: bool = False
    whole: bool = False
    timeline: str = "people"
    all_entries: bool = False


def address(number: str, step: Step, part: int) -> str:
    """The page of an action."""
    if step.subject == "claim":
        return reverse("console:claim-act", args=[number, step.action])
    return reverse(
        "console:part-act", args=[number, PLURAL[step.subject], NEW if step.makes_part else part, step.action]
    )


def about(case: Case, subject: str, part: int) -> str:
    """Which part of the claim is meant, in words: ``1. Own damage``; empty for the claim itself or a part to be made."""
    found = case.of(subject).get(part) if subject != "claim" else None
    if found is None:
        return ""
    words = _words(case, subject, found)
    # A number alone says nothing of a consultation, of which there is mostly one; of heads or persons it tells them apart.
    return "" if subject == "consultation" and not words else f"{part}. {words}".strip()


def _words(case: Case, subject: str, found: Any) -> str:
    if subject == "exposure":
        return word("cover", found.cover) or word("loss", found.peril)
    if subject == "paper":
        return word("paper", found.code)
    if subject == "party":
        return str(found.name)
    if subject == "survey":
        return local(found.at) if found.at else ""
    amount = getattr(found, "amount_minor", getattr(found, "due_minor", None))
    said = ["" if amount is None else money(amount, case.claim.currency)]
    if subject == "payment":  # whoever lets money go sees to whom
        payee = case.parties.get(found.payee)
        said += [word("payment_kind", found.called), f"{payee.name} {payee.account_number}".strip() if payee else ""]
        said.append(_of_head(case, found.exposure))
    return " · ".join(one for one in said if one)


def _of_head(case: Case, number: int) -> str:
    """The head of loss that a payment is for, and whose it is; a list in which nobody's name is read leaves that out."""
    head = case.exposures.get(number)
    if head is None:
        return ""
    claimant = case.parties.get(head.claimant or 0)
    cover = word("cover", head.cover) or word("loss", head.peril)
    if not (claimant and claimant.name):
        return cover
    return text("claim_page.payment.for", language(), head=cover, claimant=claimant.name)


def button(number: str, one: Possible, *, first: bool) -> dict[str, Any]:
    """A button of the lifecycle table. ``first``: it belongs to what should be done next."""
    key = (one.subject, one.action)
    return {
        "label": one.label,
        "href": address(number, one.step, one.part),
        "action": key,
        "part": one.part,
        "at_once": key in AT_ONCE,
        "inline": key not in AT_ONCE,
        "careful": key in CAREFUL,
        "first": first,
        "says": {},
        "key": "",
        "key_label": "",
    }


def offered(
    number: str, case: Case, found: tuple[Possible, ...], ahead: tuple[Next, ...]
) -> dict[tuple[str, int], list[Any]]:
    """The buttons by what they are about: ("exposure", 1); making steps under (subject, 0)."""
    first = {(n.action.subject, n.action.action) for n in ahead}
    rows: dict[tuple[str, int], list[Any]] = {}
    undisputed = {one.part for one in found if (one.subject, one.action) == ("exposure", "pay_undisputed")}
    for one in found:
        key = (one.subject, one.action)
        if key == ("exposure", "advance") and one.part in undisputed:
            continue  # the same money by a name that says less
        drawn = button(number, one, first=key in first)
        several = _codes(case, one.part, drawn) if key == ("offer", "send_code") else []
        rows.setdefault((one.subject, one.part), []).extend(several or [drawn])
    return rows


def _codes(case: Case, offer: int, drawn: Mapping[str, Any]) -> list[Any]:
    """Where several are asked, a button for the code of each who is still to agree: the handler talks to one at a time."""
    asked = acting.awaited(case, case.offers[offer])
    names = ((n, f"{n}. {case.parties[n].name}") for n in asked)
    if len(acting.offerees(case, case.offers[offer])) < 2:
        return []
    return [
        {**drawn, "says": {"party": n}, "label": text("claim_page.code_to", language(), name=name)} for n, name in names
    ]


def next_rows(number: str, case: Case, ahead: tuple[Next, ...]) -> list[dict[str, Any]]:
    """The next steps as the page draws them: one button each, or a way to the section where several parts wait."""
    rows = []
    for one in ahead:
        many = len(one.parts) > 1
        drawn = button(number, one.action, first=True)
        if many:
            drawn |= {"href": f"#s-{PLURAL[one.action.subject]}", "at_once": False, "inline": False}
        rows.append(
            {
                "button": drawn,
                "about": "" if many else about(case, one.action.subject, one.parts[0]),
                "count": len(one.parts) if many else 0,
                "subject": one.action.subject,
                "promise": one.promise,
            }
        )
    return rows


def told_beforehand(page: reads.Page, at: datetime) -> tuple[prenotices.Told, ...]:
    """The pre-notices about the claim's policy or reporter (norm 1.3.3)."""
    case = page.found.raw
    reporter = case.party("reporter")
    return prenotices.about(
        policy_id=case.claim.policy_id, phone=reporter.phone if reporter else "", now=at, language=language(),
        show_days=page.found.rulebook.settings.pre_notice_show_days,
    )  # fmt: skip


def drawn(page: reads.Page, number: str, viewer: Actor, asked: Asked) -> dict[str, Any]:
    """What the template of a claim draws, beside what only the request knows."""
    case = page.case
    first = ahead(page, viewer)
    buttons = offered(number, case, page.actions, first)

    def beside(subject: str, rows: Mapping[int, Any]) -> list[tuple[Any, list[Any]]]:
        return [(row, buttons.get((subject, part), [])) for part, row in rows.items()]

    sums = {s.exposure: s for s in page.settlements}
    running = [p for p in page.promises if p.state in ("running", "paused")]
    found = {
        "page": page,
        "case": case,
        "claim": case.claim,
        "version": page.version,
        "staff": page.staff,
        "customer": customer(case),
        "way": claim_parts.way_words(way.steps(page, now=asked.at)),
        "totals": claim_parts.totals(case),
        "lane_reasons": page.lane_reasons,
        "handler_reasons": page.handler_reasons,
        "next": next_rows(number, case, first),
        "waits": waits(page),
        **_remarks(page),
        "claim_actions": _claim_actions(buttons),
        "corrects": [b for b in buttons.get(("claim", 0), []) if b["action"] == CORRECT],
        "parties": beside("party", case.parties),
        "exposures": [(e, sums[e.part], row) for e, row in beside("exposure", case.exposures)],
        "sent_back": sent_back(page),
        **claim_parts.papers(beside("paper", case.papers)),
        "papers_done": claim_parts.papers_done(case),
        "pieces": claim_parts.pieces(case, may_open=asked.may_open, whole=asked.whole),
        "surveys": beside("survey", case.surveys),
        "consultations": beside("consultation", case.consultations),
        "offers": beside("offer", case.offers),
        "shares": {n: claim_parts.shares(case, o) for n, o in case.offers.items()},
        "kept": {n: kept_minor(case, o.exposures, n) for n, o in case.offers.items() if is_current(case, o)},
        "guarantees": {n: claim_parts.guarantees(case, n) for n in case.exposures},
        "payments": beside("payment", case.payments),
        "recoveries": beside("recovery", case.recoveries),
        "reserves": claim_parts.reserves(page),
        "money_history": claim_parts.money_history(page),
        "making": {subject: buttons.get((subject, 0), []) for subject in PLURAL},
        "running": running,
        "ended": [p for p in page.promises if p.state not in ("running", "paused")],
        "open": case.claim.state in lifecycle.OPEN,
        **claim_parts.history(page, asked.timeline, asked.all_entries),
        **claim_parts.messages(page),
    }
    return _keyed(found)


def _remarks(page: reads.Page) -> dict[str, Any]:
    """What is odd about the claim, to be read first; that a date is provisional stands with the dates."""
    first = [r for r in page.remarks if r.code != "remark.provisional"]
    return {"remarks": first, "provisional": next((r.message for r in page.remarks if r not in first), "")}


def sent_back(page: reads.Page) -> dict[int, Any]:
    """Head of loss → the entry by which it last came back, while nothing has been submitted since: why is told in it."""
    found: dict[int, Any] = {}
    for entry in sorted(page.timeline, key=lambda told: told.sequence):
        if entry.kind == "exposure.returned_for_rework":
            found[entry.part] = entry
        elif entry.kind in ("exposure.decision_submitted", "exposure.refusal_proposed"):
            found.pop(entry.part, None)
    return found


def waits(page: reads.Page) -> str:
    """For whom the claim waits, in words: those by name who are still to agree to an offer, a colleague by name."""
    _, whom, person = agenda.waited(page.found.raw)
    if whom == "customer":
        offers = (o for o in page.found.raw.offers.values() if o.state == "sent")
        asked = (n for o in offers for n in acting.awaited(page.found.raw, o))
        named = [f"{n}. {page.case.parties[n].name}" for n in dict.fromkeys(asked)]
        return text("common.list_separator", language()).join(named) or word("worklist.waits", whom)
    name = page.staff.get(person, "") if person else ""
    return name or word("worklist.waits", whom)


def _claim_actions(buttons: Mapping[tuple[str, int], list[Any]]) -> list[Any]:
    """The buttons of the claim itself that are not the next step already: what ends or undoes work stands last."""
    return sorted(
        (b for b in buttons.get(("claim", 0), []) if not b["first"] and b["action"] != CORRECT),
        key=lambda b: b["careful"],
    )


def _keyed(found: dict[str, Any]) -> dict[str, Any]:
    """Give the keys of `KEYS` to the buttons drawn, each step's to its first button.

    Where a step can be taken on several parts, each button has the key and says which part: the key asks which is meant.
    """
    nexts = [row["button"] for row in found["next"]]
    steps: dict[tuple[str, str], dict[int, Any]] = {}
    alone = [row["button"] for row in found["next"] if not row["count"]]  # the others lead to where the parts stand
    for one in (*alone, *found["claim_actions"], *_parts_buttons(found)):
        if KEYS.get(one["action"]):
            steps.setdefault(one["action"], {}).setdefault(one["part"], one)
    for action, parts in steps.items():
        for part, one in parts.items():
            which = about(found["case"], action[0], part) if len(parts) > 1 else ""
            one |= {"key": KEYS[action], "key_label": " · ".join(filter(None, (one["label"], which)))}
    for one in nexts:
        one["asks"] = KEYS.get(one["action"], "") if len(steps.get(one["action"], ())) > 1 else ""
    label = text("claim_page.next_key", language(), action=nexts[0]["label"]) if nexts else ""
    return {**found, "next_label": label}


def _parts_buttons(found: Mapping[str, Any]) -> Iterator[Any]:
    yield from (button for _, _, row in found["exposures"] for button in row)
    yield from (button for _, row in found["offers"] for button in row)


def customer(case: Case) -> Any | None:
    """Whom to talk to: who reported, else the first party."""
    return case.party("reporter") or next(iter(case.parties.values()), None)


def label(step: Step) -> str:
    """The words of a step."""
    return text(f"action.{step.subject}.{step.action}", language())


def hint(step: Step) -> str:
    """What to know before this step is taken; empty where its form speaks for itself."""
    known = texts().get(f"action_hint.{step.subject}.{step.action}")
    return known[language()] if known else ""
