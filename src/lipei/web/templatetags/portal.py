"""Template tags of the portal: days as people say them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.dateformat import format as written
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lipei.norms.texts import text
from lipei.web.templatetags.lipei import language, word

register = template.Library()
_LAST_MINUTE = (23, 59)


@register.simple_tag
def day(at: datetime | None) -> SafeString | str:
    """An instant with its weekday: ``11月24日 星期二 20:31``; the year only where it is another one.

    The last minute of a day is the day itself. A dash for none.
    """
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), _spoken(at)) if at is not None else "—"


def _spoken(at: datetime) -> str:
    local = timezone.localtime(at)
    this_year = local.year == timezone.localtime(timezone.now()).year
    said = written(local, text("portal.date" if this_year else "portal.date_with_year", language()))
    return said if (local.hour, local.minute) == _LAST_MINUTE else f"{said} {local:%H:%M}"


@register.simple_tag
def way_of(steps: Iterable[Any]) -> list[dict[str, str]]:
    """The steps of a claim (`seen.Step`) as the component ``way`` takes them: what is done, when, and what was promised."""
    return [{"name": word("portal.step", s.code), "state": _standing(s), "at": _when(s)} for s in steps]


def _standing(step: Any) -> str:
    return "late" if step.is_late else {"done": "done", "now": "now"}.get(step.state, "ahead")


def _when(step: Any) -> str:
    said = word("portal.step", step.state)
    if step.at is not None:
        said = f"{said} · {_spoken(step.at)}"
    if step.promised_at is not None:
        key = "portal.step.yours" if step.code == "papers" else "portal.step.promised"
        said = f"{said}\n{text(key, language(), at=_spoken(step.promised_at))}"
    return said


@register.filter
def together(words: str) -> str:
    """Words that stay on one line: a currency with its amount."""
    return words.replace(" ", "\N{NO-BREAK SPACE}")


@register.filter
def tel(phone: str) -> str:
    """A phone number as the address of a call: digits, a leading plus, and nothing else."""
    kept = "".join(c for c in str(phone) if c.isascii() and c.isdigit())
    return f"tel:+{kept}" if str(phone).strip().startswith("+") else f"tel:{kept}"
