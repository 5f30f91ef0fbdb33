"""What an empty company still lacks before it can serve customers, seen from the data themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from lipei.domain.rulebook import Rulebook
from lipei.norms import loader
from lipei.norms.texts import LANGUAGES
from lipei.store import models

NEEDED_ROLES = ("intake", "handler", "approver", "team_lead", "manager", "finance")
"""Without somebody in each of these no claim gets from report to payment, and nobody sets the rules by which it does."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the list. ``missing``: roles that nobody has; ``year``: of the calendar."""

    code: str
    done: bool
    missing: tuple[str, ...] = ()
    year: int = 0


def items(*, book: Rulebook, roster_whole: bool, gateways: Mapping[str, bool], now: datetime) -> tuple[Item, ...]:
    """Every line in its order. Four queries.

    ``roster_whole``: whether the duty roster has no gap in the days ahead; ``gateways``: code → whether it is set up.
    """
    rows = models.Staff.objects.filter(active=True, user__isnull=False).values_list("roles", flat=True)
    held = {role for roles in rows for role in roles}
    missing = tuple(role for role in NEEDED_ROLES if role not in held)
    edited = set(models.NormVersion.objects.filter(table__in=("products", "messages")).values_list("table", flat=True))
    calendar = book.calendars.current[book.duty.calendar]
    year = calendar.local_date(now).year
    return (
        Item("company", _named(book)),
        Item("calendar", calendar.is_published(year), year=year),
        Item("staff", not missing, missing),
        Item("duty", roster_whole),
        Item("products", "products" in edited),
        Item("messages", "messages" in edited),
        Item("import", models.Policy.objects.exists()),
        *(Item(code, done) for code, done in gateways.items()),
    )


def is_empty() -> bool:
    """Whether nothing was insured or reported here yet: then the list is where an administrator begins. Two queries."""
    return not models.Policy.objects.exists() and not models.Claim.objects.exists()


def _named(book: Rulebook) -> bool:
    """Whether the company has a phone and a name of its own in the language that is spoken where nobody chose one."""
    shipped = loader.read(loader.default_text("settings"))["settings"]
    spoken = book.settings.language_default if book.settings.language_default in LANGUAGES else LANGUAGES[0]
    name = f"company_name_{spoken.replace('-', '_')}"
    return bool(book.settings.company_phone) and book.settings[name] != shipped[name]["default"]
