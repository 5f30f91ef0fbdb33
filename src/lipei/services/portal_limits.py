"""How often a stranger may try: codes and receipts per claim, reports per phone, and everything per network address.

Each try is a row, written before it is counted, so that many at once find no gap between counting and writing. What was
typed and from where is kept as keyed digests only. A limit for an address is wide, for a whole company may stand behind
one; whoever meets it is told so and what to do, and the operators find a warning in the log.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import structlog

from lipei.domain.claims import Case
from lipei.domain.events import Refusal
from lipei.domain.settings import Settings
from lipei.services import norms
from lipei.store import crypto, models
from lipei.store.aggregates import normal

DAY = timedelta(days=1)
TOO_MANY = ("refusal.too_many_reports", "refusal.too_many_reports_here")
"""What a report is refused with that would be taken later."""
log = structlog.get_logger(__name__)


def plain_number(number: str) -> str:
    """A claim number as it was typed, without its spaces."""
    return "".join(number.split())[:40]


def about(number: str, what: str) -> str:
    """What a try is about: a claim, whether it exists or not, and the way in."""
    return crypto.blind_index("portal-about", f"{plain_number(number)}:{what}")


def begin(about: str, caller: str, *, now: datetime) -> Refusal | Any:
    """A try to come to a claim, counted: its row, which carries no code yet. Refused where there were too many."""
    rules = norms.current().settings
    row = models.PortalTry.objects.create(about=about, caller=_digest(caller), at=now, expires_at=now)
    rows = models.PortalTry.objects
    lock = timedelta(minutes=rules.sign_in_lock_minutes)
    today = rows.filter(about=about, at__gt=now - DAY)
    if (
        today.count() > rules.portal_codes_per_day
        or today.filter(at__gt=now - lock).count() > rules.sign_in_attempts
        or rows.filter(caller=row.caller, at__gt=now - lock).count() > rules.portal_tries_per_caller
    ):
        row.delete()
        return Refusal("refusal.too_many_tries", "conflict", {"minutes": rules.sign_in_lock_minutes})
    return row


def report(phone: str, caller: str, *, now: datetime) -> Refusal | Any:
    """A report from the portal, counted: its row, to be given back (`give_back`) where nothing was reported.

    Refused (``conflict``) for a phone or an address from which too many came within the window.
    """
    rules = norms.current().settings
    minutes = rules.portal_report_window_minutes
    row = models.PortalTry.objects.create(
        about=_phone(phone), caller=_digest(f"report {caller}"), at=now, expires_at=now
    )
    recent = models.PortalTry.objects.filter(at__gt=now - timedelta(minutes=minutes))
    if recent.filter(caller=row.caller).count() > rules.portal_reports_per_caller:
        row.delete()
        log.warning("portal reports limited", address=row.caller, minutes=minutes, most=rules.portal_reports_per_caller)
        return Refusal("refusal.too_many_reports_here", "conflict", {"minutes": minutes})
    if recent.filter(about=row.about).count() > rules.portal_reports_per_phone:
        row.delete()
        return Refusal("refusal.too_many_reports", "conflict", {"minutes": minutes})
    return row


def may_put_aside(caller: str, *, now: datetime) -> bool:
    """Whether an address may leave photos of a report that still needs a correction; counted like its reports."""
    rules = norms.current().settings
    since = now - timedelta(minutes=rules.portal_report_window_minutes)
    row = models.PortalTry.objects.create(about="", caller=_digest(f"photos {caller}"), at=now, expires_at=now)
    seen = models.PortalTry.objects.filter(caller=row.caller, at__gt=since).count()
    return bool(seen <= rules.portal_reports_per_caller)


def wrote_too_often(case: Case, author: str, *, now: datetime) -> bool:
    """Whether a customer has written so many messages within the window that a person can no longer read them."""
    rules = norms.current().settings
    since = now - timedelta(minutes=rules.portal_report_window_minutes)
    own = (note for note in case.of("note").values() if note.author == author)
    return bool(sum(note.at is not None and note.at > since for note in own) >= rules.portal_messages_per_claim)


def give_back(row: Any) -> None:
    """The phone's part of a try that led to no report: typing mistakes are not held against it. The address's stays."""
    models.PortalTry.objects.filter(id=row.id).update(about="")


def forget(*, now: datetime) -> int:
    """Remove tries that no limit counts any more; how many (called by the sweeps)."""
    since = now - _longest(norms.current().settings)
    return int(models.PortalTry.objects.filter(at__lt=since, expires_at__lt=now).delete()[0])


def _longest(rules: Settings) -> timedelta:
    minutes = max(rules.sign_in_lock_minutes, rules.one_time_code_minutes, rules.portal_report_window_minutes)
    return max(timedelta(minutes=minutes), DAY)


def _digest(caller: str) -> str:
    return crypto.blind_index("portal-caller", caller)


def _phone(phone: str) -> str:
    return crypto.blind_index("portal-about", f"report:{normal(phone)}")
