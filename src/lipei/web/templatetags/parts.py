"""The components of the pages: each a tag whose parameters are all that it knows; `console/look/` shows them in every state.

Loaded as builtins, like `templatetags.lipei`. A component never asks the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from lipei.norms.texts import text
from lipei.web.templatetags import lipei as words

register = template.Library()

SIGNS = {
    "ok": "clock",
    "soon": "bell",
    "late": "alert-triangle",
    "paused": "clock-pause",
    "kept": "circle-check",
    "none": "minus",
}
"""The sign of each standing of a promise: colour never stands alone."""


@cache
def _sprite() -> str:
    return str(static("dist/icons.svg"))


@register.simple_tag
def icon(name: str, label: str = "", size: str = "") -> SafeString:
    """An icon of ``icons.txt``. ``label``: what a screen reader says; without it the icon is decoration."""
    classes = f"lp-icon lp-icon-{size}" if size else "lp-icon"
    if label:
        return format_html(
            '<svg class="{}" role="img" aria-label="{}"><use href="{}#{}"/></svg>', classes, label, _sprite(), name
        )
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>', classes, _sprite(), name
    )


def standing(clock: Any, now: datetime, calendar: Any) -> tuple[str, str]:
    """Where a promise stands (a key of `SIGNS`) and the words for it: what is left, in working time where that tells more."""
    at = clock.get if isinstance(clock, dict) else lambda name, default=None: getattr(clock, name, default)
    state, language = at("state", "running"), words.language()
    if state == "paused":
        return "paused", text("state.clock.paused", language)
    if state in ("running", ""):
        return left(at("due_at"), now, calendar)
    if at("breached_at") is not None:
        return "late", text("base.kept_late", language)
    if state == "fulfilled":
        return "kept", text("base.kept", language)
    return "none", text(f"state.clock.{state}", language)


def left(due_at: datetime | None, now: datetime, calendar: Any) -> tuple[str, str]:
    """How long until a due time, or since when it is past: standing and words.

    Staff read what is left to work in (``calendar``), while that can still be overseen; others, and whatever is further
    away, real time.
    """
    if due_at is None:
        return "none", text("common.none", words.language())
    span = due_at - now
    if span < timedelta(0):
        return "late", _span("base.overdue", span)
    if calendar is not None and span < words.OVERSEEN:
        worked = timedelta(minutes=calendar.between(now, due_at))
        if worked:
            return "soon" if worked < words.SOON else "ok", _span("base.left_working", worked)
        if span >= words.SOON:
            return "soon", text("base.left_no_working", words.language())
    return "soon" if span < words.SOON else "ok", _span("base.left", span)


def _span(key: str, span: timedelta) -> str:
    return text(key, words.language(), time=words.duration_words(span))


def chip(kind: str, said: str, title: str = "") -> SafeString:
    """A chip: its sign, its words, its colour."""
    return format_html(
        '<span class="lp-chip lp-chip-{}"{}>{}<span>{}</span></span>',
        "ok" if kind == "kept" else kind, format_html(' title="{}"', title) if title else "", icon(SIGNS[kind]), said,
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def promise_chip(context: template.Context, clock: Any) -> SafeString:
    """Where a promise stands, in one glance. ``clock``: a `Clock`, or anything with state, due_at, breached_at."""
    now = context.get("now") or timezone.now()
    return chip(*standing(clock, now, context.get("working_calendar")))


@register.simple_tag(takes_context=True)
def due_chip(context: template.Context, due_at: datetime | None) -> SafeString | str:
    """How long until an instant. Nothing for none."""
    if due_at is None:
        return ""
    now = context.get("now") or timezone.now()
    kind, said = left(due_at, now, context.get("working_calendar"))
    return chip(kind, said, words.local(due_at))


@register.simple_tag(takes_context=True)
def appointment_chip(context: template.Context, at: datetime | None) -> SafeString | str:
    """How long until an appointment, in real time: it is kept at its hour, whatever the office hours are. Nothing for none."""
    if at is None:
        return ""
    span = at - (context.get("now") or timezone.now())
    if span < timedelta(0):
        return chip("late", _span("visits.begun", span), words.local(at))
    return chip("soon" if span < words.SOON else "ok", _span("visits.begins", span), words.local(at))


@register.inclusion_tag("parts/promise_row.html", takes_context=True)
def promise_row(context: template.Context, promised: Any, *, compact: bool = False) -> dict[str, Any]:
    """A promise with its name, chip, dates and the reason of its date (`reads.claims.Promised`)."""
    return {
        "p": promised, "compact": compact, "now": context.get("now"), "working_calendar": context.get("working_calendar"),
    }  # fmt: skip


@register.simple_tag
def who(name: Any) -> SafeString:
    """A person: initial and name; nobody yet, in words."""
    if not name:
        return format_html(
            '<span class="lp-person lp-person-nobody">{}<span>{}</span></span>', icon("user-off"), words.person(name)
        )
    said = str(name)
    return format_html(
        '<span class="lp-person"><span class="lp-face" aria-hidden="true">{}</span><span>{}</span></span>',
        said[:1].upper(),
        said,
    )


@register.simple_tag
def figure(minor: int | None, currency: str) -> SafeString:
    """An amount as the figure of a card."""
    return format_html('<span class="lp-figure lp-money">{}</span>', words.money(minor, currency))


@register.inclusion_tag("parts/why.html")
def why(reasons: Iterable[Any], label: str = "") -> dict[str, Any]:
    """The reasons behind a date, a sum, a person, a lane: closed until asked for; nothing where there are none."""
    return {
        "reasons": [words.reason(row) if isinstance(row, dict) else str(row) for row in reasons or ()],
        "label": label,
    }


SIGN_OF_EVENT = (
    ("clock.breached", "alert-triangle", "bad"),
    ("notice.failed", "alert-triangle", "bad"),
    ("exposure.refused", "ban", "bad"),
    ("payment.failed", "alert-triangle", "bad"),
    ("payment.confirmed", "cash", "good"),
    ("offer.agreed", "signature", "good"),
    ("claim.closed", "circle-check", "good"),
    ("claim.reported", "flag", "person"),
    ("claim.opinion_given", "message", "person"),
    ("claim.suspected", "alert-triangle", "bad"),
    ("claim.help_asked", "lifebuoy", "person"),
    ("exposure.assessed", "tool", "person"),
    ("exposure.decision_approved", "gavel", "good"),
    ("payment.", "cash", ""),
    ("paper.", "file-text", ""),
    ("document.", "paperclip", ""),
    ("survey.", "map-pin", ""),
    ("consultation.", "users", ""),
    ("offer.", "report-money", ""),
    ("clock.", "clock", ""),
    ("notice.", "send", ""),
    ("recovery.", "arrow-back-up", ""),
    ("party.", "user", ""),
)
"""The sign and standing of an event, by the beginning of its kind; the first that fits."""


def sign_of(kind: str) -> tuple[str, str]:
    """The icon and the standing of a kind of event."""
    return next(((name, tone) for start, name, tone in SIGN_OF_EVENT if kind.startswith(start)), ("note", ""))


@register.inclusion_tag("parts/timeline.html")
def timeline(entries: Sequence[Any], empty: str = "") -> dict[str, Any]:
    """What happened, as it was told (`reads.timeline.Told`), grouped by day, in the order given."""
    rows: list[dict[str, Any]] = []
    day = None
    for entry, alike in _runs(entries):
        local = timezone.localtime(entry.at)
        name, tone = sign_of(entry.kind)
        begins = None if local.date() == day else local.date()
        rows.append(
            {"entry": entry, "icon": name, "tone": tone, "day": begins, "time": f"{local:%H:%M}", "alike": alike}
        )
        day = local.date()
    return {"rows": rows, "empty": empty}


ALIKE_LEAST = 2
"""So many entries that say the same of something else stand folded behind the first of them."""


def _runs(entries: Iterable[Any]) -> Iterator[tuple[Any, Sequence[Any]]]:
    """Entries in their order, each with those that follow at once: the same act of the same person in the same minute."""
    for _, run in groupby(entries, lambda e: (e.kind, e.actor, e.at.replace(second=0, microsecond=0), e.note and e)):
        first, *alike = run
        if len(alike) >= ALIKE_LEAST:
            yield first, alike
        else:
            yield from ((one, ()) for one in (first, *alike))


@register.inclusion_tag("parts/evidence.html")
def evidence(pieces: Sequence[Any], *, may_open: bool = True) -> dict[str, Any]:
    """Files as a grid: each piece has ``href``, ``name``, ``is_image``, ``about``, ``taken_at``, ``duplicate_of``."""
    return {"pieces": pieces, "may_open": may_open}


@register.inclusion_tag("parts/calculation.html")
def calculation(lines: Sequence[Any], total: str, caption: str = "") -> dict[str, Any]:
    """A sum explained line by line (`norms.settlement.ExplainedLine`) with its clause; ``total`` is the amount in words."""
    return {"lines": lines, "total": total, "caption": caption}


ACTIONS_SHOWN = 4


@register.inclusion_tag("parts/action_bar.html", takes_context=True)
def action_bar(context: template.Context, buttons: Sequence[Any], shown: int = ACTIONS_SHOWN) -> dict[str, Any]:
    """Buttons of the lifecycle table: what comes next first, what ends or undoes work last, the rest behind *more*."""
    ordered = sorted(buttons, key=lambda b: (b["careful"], not b["first"]))
    front = [b for b in ordered if not b["careful"]][:shown] if len(ordered) > shown else ordered
    return {
        "front": front, "behind": [b for b in ordered if b not in front], "version": context.get("version"),
        "csrf_token": context.get("csrf_token"),
    }  # fmt: skip


@register.inclusion_tag("parts/empty.html")
def empty(title: str, said: str = "", icon: str = "circle-check", href: str = "", label: str = "") -> dict[str, str]:
    """Where there is nothing: what that means, and what to do next."""
    return {"title": title, "said": said, "icon": icon, "href": href, "label": label}


@register.inclusion_tag("parts/way.html")
def way(steps: Sequence[Any]) -> dict[str, Any]:
    """The steps of a way: each has ``name``, ``state`` (done, now, late, ahead) and ``at``, words for when."""
    return {"steps": steps}


@dataclass(frozen=True, slots=True)
class Part:
    """One stretch of a stacked bar: its look (late, soon, today, ok, none), its length, its name in words."""

    kind: str
    n: int
    name: str


@register.simple_tag
def stack(parts: Sequence[Part], most: int) -> SafeString:
    """Several amounts in one bar, drawn by the server; ``most`` is the full width. A screen reader hears the figures."""
    said = text("common.list_separator", words.language()).join(f"{p.name} {p.n}" for p in parts if p.n)
    full, at, rects = max(most, 1), 0, []
    for part in parts:
        if part.n > 0:
            rects.append((f"{100 * at / full:.2f}", f"{100 * part.n / full:.2f}", part.kind))
            at += part.n
    return format_html(
        '<svg class="lp-bar lp-stack-bar" role="img" aria-label="{}" viewBox="0 0 100 6" preserveAspectRatio="none">{}</svg>',
        said or text("common.none", words.language()),
        format_html_join("", '<rect x="{}" width="{}" height="6" class="lp-bar-{}"/>', rects),
    )


@register.simple_tag
def bar(percent: int, kind: str = "", label: str = "") -> SafeString:
    """A share of a whole as a bar, drawn by the server. ``kind``: soon or late; ``label`` says the same in words."""
    share = max(0, min(100, int(percent)))
    return format_html(
        '<svg class="lp-bar" role="img" aria-label="{}" viewBox="0 0 100 6" preserveAspectRatio="none">'
        '<rect width="{}" height="6"{}/></svg>',
        label or f"{share} %", share, format_html(' class="lp-bar-{}"', kind) if kind else "",
    )  # fmt: skip


@register.inclusion_tag("parts/as_workbook.html", takes_context=True)
def as_workbook(context: template.Context) -> dict[str, str]:
    """The way to the tables of this page as a workbook, as they stand there now."""
    query = context["request"].GET.copy()
    query["as"] = "xlsx"
    return {"query": query.urlencode()}
