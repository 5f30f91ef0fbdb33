"""The page that shows every component in every state, so that what is ugly is seen before a user sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from lipei.norms.settlement import ExplainedLine
from lipei.norms.texts import text
from lipei.reads.claims import Promised
from lipei.reads.timeline import Told
from lipei.web.console.shell import now, show
from lipei.web.forms import Input
from lipei.web.templatetags.lipei import language, money
from lipei.web.templatetags.parts import Part

LONG_NAME = "阿不都热合曼·吐尔逊江·Alexander Konstantinopolitanski"


@dataclass(frozen=True, slots=True)
class Piece:
    """A file as the evidence grid draws it."""

    name: str
    is_image: bool
    about: str = ""
    href: str = ""
    thumb: str = ""
    taken_at: datetime | None = None
    duplicate_of: str = ""


@require_GET
def look(request: HttpRequest) -> HttpResponse:
    """The components with made-up values; nothing of a real claim."""
    at = now()
    return show(
        request, "look", "look",
        promises=_promises(at), people=("林晓", LONG_NAME, ""), amounts=(0, 123_456, 98_765_432_100, None),
        entries=_entries(at), pieces=_pieces(at), lines=_lines(), total=money(210_000, "CNY"), buttons=_buttons(),
        whys=_whys(),
        steps=_steps(), fields=_fields(), shares=((35, ""), (80, "soon"), (100, "late")), stacks=_stacks(),
    )  # fmt: skip


def _promises(at: datetime) -> tuple[Promised, ...]:
    usual: dict[str, Any] = {
        "part": 1, "code": "preliminary_opinion", "name": text("promise.preliminary_opinion", language()),
        "binds": "company", "state": "running", "exposure": 0, "due_at": at + timedelta(days=6),
        "extended_due_at": None, "provisional": False, "breached_at": None, "ended_at": None, "late": False,
        "why": (text("look.intro", language()),),
    }  # fmt: skip
    past, yesterday = at - timedelta(hours=30), at - timedelta(days=1)
    others: tuple[dict[str, Any], ...] = (
        {},
        {"due_at": at + timedelta(minutes=42)},
        {"due_at": past, "breached_at": past, "late": True},
        {"state": "paused", "due_at": None},
        {"state": "fulfilled", "ended_at": yesterday},
        {"state": "fulfilled", "due_at": past, "breached_at": past, "ended_at": yesterday},
        {"state": "cancelled"},
        {"binds": "law", "provisional": True, "extended_due_at": at + timedelta(days=8), "exposure": 2},
    )
    return tuple(Promised(**{**usual, **other}) for other in others)


def _whys() -> tuple[tuple[tuple[str, ...], str], ...]:
    """Reasons and the words that open them: one, several, long ones, of a name of their own, none at all."""
    one = text("reason.assignment.nobody", language(), unit=text("queue.motor", language()))
    long = " ".join([text("look.intro", language())] * 4)
    return ((one,), ""), ((one, long, LONG_NAME), ""), ((long,), text("claim_page.why_handler", language())), ((), "")


def _entries(at: datetime) -> tuple[Told, ...]:
    """By somebody, by a rule, with a note, several alike in one minute, of somebody with a long name, good and bad."""
    long = " ".join([text("look.intro", language())] * 4)
    told: tuple[tuple[str, int, dict[str, str]], ...] = (
        ("claim.reported", 0, {}), ("claim.assigned", 11, {"actor": "system:assignment", "actor_name": ""}),
        ("paper.received", 22, {}), ("paper.received", 22, {}), ("paper.received", 22, {}),
        ("claim.note_added", 23, {"note": long, "actor": "staff:2", "actor_name": LONG_NAME}),
        ("exposure.assessed", 33, {}), ("exposure.decision_approved", 40, {}), ("claim.suspected", 41, {"note": LONG_NAME}),
        ("clock.breached", 44, {}), ("payment.confirmed", 55, {}),
    )  # fmt: skip
    usual: dict[str, Any] = {
        "part": 0, "recorded_at": at, "actor": "staff:1", "actor_name": "林晓", "on_behalf_of": "", "facts": {},
    }  # fmt: skip
    found = []
    for n, (kind, hours, more) in enumerate(told):
        said = text(f"event.{kind}", language())
        own = {"sequence": n, "kind": kind, "name": kind, "at": at - timedelta(hours=hours), "sentence": said}
        found.append(Told(**{**usual, **own, **more}))
    return tuple(found)


def _pieces(at: datetime) -> tuple[Piece, ...]:
    return (
        Piece("IMG_0412.jpg", True, taken_at=at),
        Piece("定损单.pdf", False, about=text("subject.paper", language())),
        Piece("a-very-long-file-name-without-any-space-that-never-ends.jpeg", True, duplicate_of="261128087768399 · 2"),
    )


def _lines() -> tuple[ExplainedLine, ...]:
    said = text("look.intro", language())
    return tuple(
        ExplainedLine(words=said, clause=f"§ {n}", plain=said, after=money(after, "CNY"), cut="", kind="step")
        for n, after in ((7, 265_000), (12, 260_000), (18, 210_000))
    )


def _buttons() -> list[dict[str, Any]]:
    steps = (
        ("claim", "give_opinion", True, False), ("claim", "request_papers", True, False),
        ("claim", "hand_over", False, False), ("claim", "ask_for_help", False, False),
        ("claim", "add_note", False, False), ("claim", "withdraw", False, True), ("claim", "cancel", False, True),
    )  # fmt: skip
    return [
        {"label": text(f"action.{s}.{a}", language()), "href": "#actions", "at_once": False, "first": f, "careful": c}
        for s, a, f, c in steps
    ]


def _steps() -> list[dict[str, str]]:
    states = (
        ("reported", "done"),
        ("investigating", "done"),
        ("assessing", "late"),
        ("deciding", "now"),
        ("paying", "ahead"),
    )
    return [{"name": text(f"state.claim.{code}", language()), "state": state, "at": ""} for code, state in states]


def _stacks() -> list[list[Part]]:
    kinds = (("late", "late"), ("soon", "soon"), ("today", "today"), ("later", "ok"), ("none", "none"))
    figures = ((2, 1, 3, 12, 2), (0, 0, 0, 5, 0), (0, 0, 0, 0, 0))
    return [
        [Part(kind, n, text(f"team.risk.{risk}", language())) for (risk, kind), n in zip(kinds, row, strict=True)]
        for row in figures
    ]


def _fields() -> tuple[Input, ...]:
    return (
        Input("name", "name", "field.name", "text", value=LONG_NAME),
        Input("phone", "phone", "field.phone", "text", value="12", error="refusal.required"),
        Input("estimate", "estimate", "field.estimate", "money", value="1234.50", currency="CNY"),
        Input("story", "story", "field.story", "long", length_max=400),
        Input("rescue", "rescue", "field.rescue", "maybe"),
    )
