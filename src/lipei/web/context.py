"""What every page knows: the company, the language, the look."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest
from django.utils import timezone

from lipei.reads import rulebook
from lipei.web.templatetags.lipei import language

THEME_COOKIE = "lipei_theme"
THEMES = ("auto", "light", "dark")


@cache
def tabler_is_built() -> bool:
    """Whether `tools/assets.py` has put Tabler's style sheet in place; pages read well without it."""
    return finders.find("dist/tabler.min.css") is not None


def theme(request: HttpRequest) -> str:
    """The look chosen; ``auto`` follows the device (with JavaScript, else light)."""
    chosen = request.COOKIES.get(THEME_COOKIE, "")
    return chosen if chosen in THEMES else "auto"


def company(request: HttpRequest) -> dict[str, Any]:
    """The company's name and phone in the reader's language, and what the base template draws."""
    book = getattr(request, "rulebook", None) or rulebook.current()
    table = book.settings
    spoken = language()
    return {
        "company_name": table[f"company_name_{spoken.replace('-', '_')}"],
        "company_phone": table.company_phone,
        "html_language": spoken,
        "languages": settings.LANGUAGES,
        "theme": theme(request),
        "tabler": tabler_is_built(),
        "now": timezone.now(),
    }
