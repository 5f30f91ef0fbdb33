"""The promised dates as a calendar entry (.ics, RFC 5545), for the customer's own calendar (norm 2.3.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from lipei.domain.lifecycle import OPEN
from lipei.norms.texts import text
from lipei.services import portal
from lipei.services.portal import Visit
from lipei.web.portal import seen
from lipei.web.portal.visits import Case, of_claim, say
from lipei.web.templatetags.lipei import language, word

LINE_BYTES_MAX = 75
"""A line is folded before it is longer, its line break not counted (RFC 5545, 3.1)."""
REMINDER_HOURS = 24
"""How long before its date the phone reminds of what we wait for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One date of a calendar. ``reminder_hours``: how long before it the phone reminds; 0 for not at all."""

    uid: str
    at: datetime
    title: str
    words: str
    url: str
    reminder_hours: int = 0


def calendar(entries: Iterable[Entry], *, name: str, now: datetime) -> str:
    """A calendar object of these entries, each at an instant in UTC and taking up no time."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Lipei//Portal//EN", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    lines.append(f"X-WR-CALNAME:{escaped(name)}")
    for entry in entries:
        lines += _event(entry, now)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in folded(line))


def _event(entry: Entry, now: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{entry.uid}"
    yield f"DTSTAMP:{instant(now)}"
    yield f"DTSTART:{instant(entry.at)}"
    yield f"SUMMARY:{escaped(entry.title)}"
    yield f"DESCRIPTION:{escaped(entry.words)}"
    yield f"URL:{entry.url}"
    yield "TRANSP:TRANSPARENT"  # a promise does not make anybody busy
    if entry.reminder_hours:
        yield "BEGIN:VALARM"
        yield "ACTION:DISPLAY"
        yield f"TRIGGER:-PT{entry.reminder_hours}H"
        yield f"DESCRIPTION:{escaped(entry.title)}"
        yield "END:VALARM"
    yield "END:VEVENT"


def instant(at: datetime) -> str:
    """An instant in UTC, to the second: ``20261124T123100Z``."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def escaped(words: str) -> str:
    """Text as a value of the format (RFC 5545, 3.3.11); what else controls a line is left out."""
    kept = "".join(c for c in words.replace("\r\n", "\n").replace("\r", "\n") if c >= " " or c in "\n\t")
    return kept.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def folded(line: str) -> Iterator[str]:
    """A line in pieces of at most `LINE_BYTES_MAX` octets, each but the first led by a space; no character is cut."""
    piece, size = "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > LINE_BYTES_MAX:
            yield piece
            piece, size = " ", 1
        piece, size = piece + character, size + octets
    yield piece


@require_safe
@of_claim()
def dates(request: HttpRequest, visit: Visit, case: Case) -> HttpResponse:
    """What we promised this customer and what we wait for, each at its date, to be kept in a calendar."""
    name = say("portal.track.title", {"number": visit.number})
    said = calendar(entries(portal.guarded(case, visit), visit), name=name, now=timezone.now())
    headers = {"Content-Disposition": f'attachment; filename="{visit.number}.ics"'}
    return HttpResponse(said, content_type="text/calendar; charset=utf-8", headers=headers)


def entries(case: Case, visit: Visit) -> list[Entry]:
    """The running promises, then the day by which papers are awaited."""
    spoken, number = language(), visit.number
    url = str(settings.LIPEI_ORIGIN).rstrip("/") + reverse("portal:track", args=[number])
    name, phone = portal.handler(case)
    words = say("portal.track.title", {"number": number})
    if name:
        words += f"\n{say('portal.receipt.handler')}{say('portal.colon')}{name} {phone}".rstrip()
    host = url.split("/")[2].split(":")[0]
    found = [
        Entry(
            f"{number}-{p.name}@{host}", p.due_at, text("portal.dates.promise", spoken, promise=say(p.name)), words, url
        )
        for p in seen.promises(case)
        if p.state == "running" and p.due_at
    ]
    wanted = [case.papers[n] for n in portal.papers_for(case, visit.party)] if case.claim.state in OPEN else []
    waiting = [p for p in wanted if p.part in seen.needed(case) and p.due_at]
    for due_at in sorted({p.due_at for p in waiting if p.due_at}):
        listed = "\n".join(f"– {word('paper', p.code)}" for p in waiting if p.due_at == due_at)
        title = text("portal.dates.papers", spoken, number=number)
        uid = f"{number}-papers-{instant(due_at)}@{host}"
        found.append(Entry(uid, due_at, title, f"{words}\n{listed}", url, reminder_hours=REMINDER_HOURS))
    return found
