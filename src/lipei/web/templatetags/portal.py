"""Template tags of the portal: days as people say them."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.dateformat import format as written
from django.utils.html import format_html
from django.utils.safestring import SafeString

from lipei.norms.texts import text
from lipei.web.templatetags.lipei import language

register = template.Library()
_LAST_MINUTE = (23, 59)


@register.simple_tag
def day(at: datetime | None) -> SafeString | str:
    """An instant with its weekday: ``11月24日 星期二 20:31``; the year only where it is another one.

    The last minute of a day is the day itself. A dash for none.
    """
    if at is None:
        return "—"
    local = timezone.localtime(at)
    this_year = local.year == timezone.localtime(timezone.now()).year
    said = written(local, text("portal.date" if this_year else "portal.date_with_year", language()))
    if (local.hour, local.minute) != _LAST_MINUTE:
        said = f"{said} {local:%H:%M}"
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), said)
