"""Template tags that every page uses; loaded as builtins, no ``{% load %}`` needed.

Each speaks the language that the middleware activated and shows instants in the company's zone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import timezone, translation
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lipei.domain.money import Money, MoneyError, grouped, plain
from lipei.norms.money import money_text
from lipei.norms.texts import LANGUAGES, text, texts
from lipei.reads import people

register = template.Library()

SOON = timedelta(hours=4)
"""A promise that breaks within this time is shown as urgent."""

OVERSEEN = timedelta(days=3)
"""Up to here what is left is told in working time."""


def language() -> str:
    """The language of this request, one of `LANGUAGES`."""
    active = (translation.get_language() or "").lower()
    return active if active in LANGUAGES else "zh-hans"


@register.simple_tag
def spoken() -> str:
    """The language of this page, for pages without a request."""
    return language()


@register.simple_tag
def t(key: str, /, **params: Any) -> str:
    """The wording of a text key, its braces filled from the arguments."""
    return text(key, language(), **params)


@register.simple_tag
def word(prefix: str, code: Any) -> str:
    """The wording of ``prefix.code``; the code itself where no table has words for it (an import, an own product)."""
    if code in (None, ""):
        return ""
    key = f"{prefix}.{code}"
    return text(key, language()) if key in texts() else str(code)


@register.simple_tag
def money(minor: int | None, currency: str) -> str:
    """An amount of minor units in words of the language: ``1,234.56元``, ``CNY 1,234.56``."""
    if minor is None:
        return "—"
    try:
        return money_text(Money(minor, currency), language())
    except MoneyError:
        return f"{minor} {currency}"


@register.simple_tag
def bare(minor: int | None, currency: str) -> str:
    """An amount of minor units in a column whose heading names the unit: ``1,234.56``."""
    return "—" if minor is None else grouped(Money(minor, currency))


@register.filter
def unit(currency: str) -> str:
    """What stands beside an amount of this currency in words of the language: ``元``, ``CNY``."""
    key = f"money.{currency}"
    return text(key if key in texts() else "money.other", language(), amount="", currency=currency).strip()


@register.filter
def amount(value: Money | None) -> str:
    """An amount as a form field holds it: ``1234.56``."""
    return "" if value is None else plain(value)


def local(at: datetime) -> str:
    """An instant in the company's zone, to the minute: ``2026-11-24 10:00``."""
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M")


@register.simple_tag
def when(at: datetime | None) -> SafeString | str:
    """An instant in the company's zone as a ``<time>`` element; a dash for none."""
    if at is None:
        return "—"
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), local(at))


@register.simple_tag(takes_context=True)
def since(context: template.Context, at: datetime | None) -> SafeString | str:
    """How long ago an instant was, with the instant itself; a dash for none."""
    if at is None:
        return "—"
    words = text("finance.since", language(), time=duration_words((context.get("now") or timezone.now()) - at))
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), local(at), words)


def duration_words(span: timedelta) -> str:
    """A stretch of time in one unit that fits: minutes up to two hours, hours up to two days, else days."""
    minutes = int(abs(span).total_seconds()) // 60
    if minutes < 120:
        return text("base.minutes", language(), n=minutes)
    if minutes < 48 * 60:
        return text("base.hours", language(), n=minutes // 60)
    return text("base.days", language(), n=minutes // (24 * 60))


@register.simple_tag(takes_context=True)
def remaining(context: template.Context, due_at: datetime | None) -> SafeString | str:
    """How long until a promise breaks, or since when it is broken, as a coloured label.

    Staff read what is left to work in (``working_calendar`` of the context), while that can still be overseen; others,
    and whatever is further away, real time.
    """
    if due_at is None:
        return ""
    now, calendar = context.get("now") or timezone.now(), context.get("working_calendar")
    left = due_at - now
    if left < timedelta(0):
        return _left("late", "base.overdue", left)
    if calendar is not None and left < OVERSEEN:
        worked = timedelta(minutes=calendar.between(now, due_at))
        if worked:
            return _left("soon" if worked < SOON else "ok", "base.left_working", worked)
        if left >= SOON:
            return _left("soon", "base.left_no_working", worked)
    return _left("soon" if left < SOON else "ok", "base.left", left)


def _left(kind: str, key: str, span: timedelta) -> SafeString:
    words = text(key, language(), time=duration_words(span))
    return format_html('<span class="lp-left lp-left-{}">{}</span>', kind, words)


@register.inclusion_tag("parts/promise.html", takes_context=True)
def promise(context: template.Context, clock: Any) -> dict[str, Any]:
    """One promise: its name, where it stands and by when. Takes a `Clock` or a read's row with the same names."""
    at = clock.get if isinstance(clock, dict) else lambda name, default=None: getattr(clock, name, default)
    state, breached = at("state", ""), at("breached_at")
    return {
        "code": at("promise") or at("code"),
        "state": state,
        "binds": at("binds"),
        "due_at": at("due_at"),
        "ended_at": at("ended_at"),
        "breached": breached is not None,
        "provisional": at("provisional"),
        "extended_due_at": at("extended_due_at"),
        "now": context.get("now"),
        "working_calendar": context.get("working_calendar"),
        "running": state == "running",
    }


@register.simple_tag
def person(name: Any) -> str:
    """A colleague's or party's name, or that nobody is named yet."""
    return str(name) if name else text("common.nobody", language())


@register.simple_tag
def state(subject: str, code: str) -> SafeString | str:
    """The state of a claim or part as a label."""
    if not code:
        return ""
    return format_html('<span class="lp-state lp-state-{}">{}</span>', code, word(f"state.{subject}", code))


@register.simple_tag
def action_label(subject: str, action: str) -> str:
    """The words on the button of an action."""
    return word(f"action.{subject}", action)


@register.simple_tag
def word_of(key: str) -> str:
    """The wording of a key; anything that is no key (a name, a sentence already made) stands as it is."""
    known = texts().get(str(key))
    return known[language()] if known else str(key)


@register.filter
def at(mapping: Any, key: Any) -> Any:
    """What a mapping holds under a key; empty for nothing."""
    return mapping.get(key, "") if mapping else ""


@register.simple_tag
def delivery_reason(code: str) -> str:
    """Why a message did not arrive, in words."""
    return word("reason", f"delivery_{code}") if code else ""


@register.simple_tag
def coordinates(document: Any) -> str:
    """Where a photo was taken, as degrees: ``31.18903, 121.43617``."""
    places = (document.latitude_microdegrees, document.longitude_microdegrees)
    return ", ".join(f"{n / 1_000_000:.5f}" for n in places)


@register.simple_tag
def lookup(names: Any, key: Any) -> str:
    """The name of a key in a mapping of names; that nobody is named where there is none."""
    return person(names.get(key) if key is not None else None)


@register.simple_tag
def lookup_name(parties: Any, part: int | None) -> str:
    """Number and name of a party of a claim, as masked as the case it comes from: masked names may read alike."""
    found = parties.get(part)
    return f"{part}. {person(found.name)}" if found else person(None)


@register.simple_tag
def party_label(parties: Any, part: int | None) -> str:
    """The same with the roles that tell one from another: ``2. 王* (继承人)``."""
    found = parties.get(part)
    if found is None:
        return person(None)
    roles = text("common.list_separator", language()).join(word("party_role", role) for role in found.roles)
    named = f"{part}. {person(found.name)}"
    return text("common.with_roles", language(), name=named, roles=roles) if roles else named


@register.simple_tag
def actor_name(actor: str, staff: Any) -> str:
    """How an actor id is called: a colleague by name, a rule by what it does."""
    return people.actor_name(actor, staff, language())


@register.simple_tag
def reason(row: Any) -> str:
    """A reason of triage or assignment in words: ``{"text": key, …}`` with what fills its braces."""
    if not isinstance(row, dict):
        return word_of(str(row))
    key = str(row.get("text", ""))
    known = texts().get(key)
    if known is None:
        return str(row.get("rule", key))
    try:
        return known[language()].format(**{**row, **row.get("params", {})})
    except (KeyError, IndexError):
        return known[language()]


ACCOUNT_FIELDS = {
    "login": "accounts.username",
    "password": "accounts.password",
    "code": "accounts.two_steps.code",
    "oldpassword": "accounts.old_password",
    "password1": "accounts.new_password",
    "password2": "accounts.new_password_again",
}


@register.filter
def account_label(field: Any) -> str:
    """The label of a field of a sign-in form: a text key of ours, else what the form itself says."""
    return ACCOUNT_FIELDS.get(field.name, str(field.label))


BROWSERS = (
    ("MicroMessenger", "WeChat"), ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"),
    ("CriOS", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
SYSTEMS = (
    ("Windows", "Windows"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)  # fmt: skip
"""How browsers and systems name themselves, and how people call them; the first that fits."""


@register.filter
def browser_name(agent: str) -> str:
    """The browser and the device as a person knows them, ``Chrome · Windows``; as sent where it is neither."""
    named = (next((name for sign, name in known if sign in agent), "") for known in (BROWSERS, SYSTEMS))
    return " · ".join(name for name in named if name) or agent
