"""What the page of a claim draws: what to do next, and each part beside the buttons that belong to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.urls import reverse

from lipei.domain import lifecycle
from lipei.domain.claims import Case
from lipei.domain.commands import COMMANDS
from lipei.domain.events import Actor
from lipei.domain.lifecycle import Step
from lipei.norms.texts import text, texts
from lipei.reads import claims as reads
from lipei.reads import prenotices
from lipei.reads.claims import Possible
from lipei.reads.next_steps import Next, ahead
from lipei.web.templatetags.lipei import language, local, money, word

PARTS: Mapping[str, str] = {
    "exposures": "exposure", "parties": "party", "papers": "paper", "surveys": "survey",
    "consultations": "consultation", "offers": "offer", "payments": "payment", "recoveries": "recovery",
}  # fmt: skip
PLURAL = {subject: parts for parts, subject in PARTS.items()}
NEW = "new"
BY_ITSELF = ("clock.", "notice.")
"""What promises and messages do by themselves stands apart from what people did, except where one broke or failed."""
TELLING = frozenset({"clock.breached", "notice.failed"})
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
AT_ONCE = frozenset(key for key, command in COMMANDS.items() if command.__name__ == "Nothing") - CAREFUL
MESSAGES_SHOWN = 6


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
    return f"{part}. {_words(case, subject, found)}".strip()


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
    return "" if amount is None else money(amount, case.claim.currency)


def button(number: str, one: Possible, *, first: bool) -> dict[str, Any]:
    """A button of the lifecycle table. ``first``: it belongs to what should be done next."""
    key = (one.subject, one.action)
    return {
        "label": one.label,
        "href": address(number, one.step, one.part),
        "at_once": key in AT_ONCE,
        "careful": key in CAREFUL,
        "first": first,
    }


def offered(number: str, found: tuple[Possible, ...], ahead: tuple[Next, ...]) -> dict[tuple[str, int], list[Any]]:
    """The buttons by what they are about: ("exposure", 1); making steps under (subject, 0)."""
    first = {(n.action.subject, n.action.action) for n in ahead}
    rows: dict[tuple[str, int], list[Any]] = {}
    for one in found:
        key = (one.subject, one.action)
        rows.setdefault((one.subject, one.part), []).append(button(number, one, first=key in first))
    return rows


def next_rows(number: str, case: Case, ahead: tuple[Next, ...]) -> list[dict[str, Any]]:
    """The next steps as the page draws them: one button each, or a way to the section where several parts wait."""
    rows = []
    for one in ahead:
        many = len(one.parts) > 1
        drawn = button(number, one.action, first=True)
        if many:
            drawn |= {"href": f"#s-{PLURAL[one.action.subject]}", "at_once": False}
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


def drawn(page: reads.Page, number: str, viewer: Actor) -> dict[str, Any]:
    """What the template of a claim draws, beside what only the request knows."""
    case = page.case
    first = ahead(page, viewer)
    buttons = offered(number, page.actions, first)

    def beside(subject: str, rows: Mapping[int, Any]) -> list[tuple[Any, list[Any]]]:
        return [(row, buttons.get((subject, part), [])) for part, row in rows.items()]

    sums = {s.exposure: s for s in page.settlements}
    running = [p for p in page.promises if p.state in ("running", "paused")]
    return {
        "page": page,
        "case": case,
        "claim": case.claim,
        "version": page.version,
        "staff": page.staff,
        "customer": customer(case),
        "totals": _totals(case),
        "next": next_rows(number, case, first),
        "claim_actions": sorted(
            (b for b in buttons.get(("claim", 0), []) if not b["first"]), key=lambda b: b["careful"]
        ),
        "parties": beside("party", case.parties),
        "exposures": [(e, sums[e.part], row) for e, row in beside("exposure", case.exposures)],
        "papers": beside("paper", case.papers),
        "surveys": beside("survey", case.surveys),
        "consultations": beside("consultation", case.consultations),
        "offers": beside("offer", case.offers),
        "payments": beside("payment", case.payments),
        "recoveries": beside("recovery", case.recoveries),
        "making": {subject: buttons.get((subject, 0), []) for subject in PLURAL},
        "running": running,
        "ended": [p for p in page.promises if p.state not in ("running", "paused")],
        "open": case.claim.state in lifecycle.OPEN,
        **_history(page),
    }


def customer(case: Case) -> Any | None:
    """Whom to talk to: who reported, else the first party."""
    return case.party("reporter") or next(iter(case.parties.values()), None)


def _totals(case: Case) -> dict[str, int]:
    """Sums over the heads of loss, in minor units."""
    heads = case.exposures.values()
    return {name: sum(getattr(e, f"{name}_minor") or 0 for e in heads) for name in ("reserve", "payable", "paid")}


def _history(page: reads.Page) -> dict[str, Any]:
    """Timeline and messages, newest first: what people did and what reached the customer stands in front."""
    entries = [e for e in reversed(page.timeline) if not _said_again(e)]
    quiet = [e for e in entries if e.kind.startswith(BY_ITSELF) and e.kind not in TELLING]
    hidden = {e.sequence for e in quiet}
    outward = [d for d in page.deliveries if d.party]
    return {
        "timeline": [e for e in entries if e.sequence not in hidden],
        "ticks": quiet,
        "messages_out": outward[:MESSAGES_SHOWN],
        "messages_rest": outward[MESSAGES_SHOWN:],
        "messages_in": [d for d in page.deliveries if not d.party],
    }


def _said_again(entry: Any) -> bool:
    """What a customer wrote stands in the journal twice, as a note and as word from the customer: shown is the latter."""
    return bool(entry.kind == "claim.note_added" and entry.actor.startswith("customer:"))


def label(step: Step) -> str:
    """The words of a step."""
    return text(f"action.{step.subject}.{step.action}", language())


def hint(step: Step) -> str:
    """What to know before this step is taken; empty where its form speaks for itself."""
    known = texts().get(f"action_hint.{step.subject}.{step.action}")
    return known[language()] if known else ""
