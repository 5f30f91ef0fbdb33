"""The surveyor's pages, for a phone in the field: today's visits, and one visit with its checklist, photos and report.

Everything is a plain form. With JavaScript (``console/visits.js``) photos and report are kept on the phone first and sent
when there is a network: each step here may be taken again without being done twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.contrib.staticfiles import finders
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from lipei.domain import commands, lifecycle
from lipei.domain.claims import Case, Document, Survey
from lipei.domain.events import Refusal
from lipei.norms.texts import text
from lipei.reads import claims as reads
from lipei.reads import on_file
from lipei.reads import visits as read_visits
from lipei.services import actions, documents
from lipei.services.documents import Capture
from lipei.web.console import as_workbook, files
from lipei.web.console.claim_parts import PICTURES
from lipei.web.console.shell import book, now, say, show, status_of, who
from lipei.web.errors import sentence
from lipei.web.templatetags.lipei import language

RECORD = lifecycle.BY_ACTION["survey", "record"]
ANSWERS = (("yes", "visits.yes"), ("no", "visits.no"), ("", "visits.unseen"))


@require_GET
def visits(request: HttpRequest) -> HttpResponse:
    """The visits that wait for the reader, by the day."""
    rows = read_visits.mine(who(request), language=language())
    at = now()
    midnight = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    groups = [
        ("late", [v for v in rows if v.at is not None and v.at < at]),
        ("today", [v for v in rows if v.at is not None and at <= v.at < midnight]),
        ("later", [v for v in rows if v.at is None or v.at >= midnight]),
    ]
    page = "visits_table" if as_workbook.asked(request) else "visits"
    return show(request, page, "visits", groups=[(name, found) for name, found in groups if found])


@require_GET
def worker(request: HttpRequest) -> HttpResponse:
    """The script that keeps these pages for a dead spot. Its address decides which pages it may keep."""
    path = finders.find("console/visits-offline.js")
    if not path:
        raise Http404
    script = Path(str(path)).read_text(encoding="utf-8")
    return HttpResponse(script, content_type="text/javascript", headers={"Cache-Control": "no-cache"})


@require_http_methods(["GET", "POST"])
def visit(request: HttpRequest, number: str, part: int) -> HttpResponse:
    """One visit: what to look at, photos, findings; POST sends the report in."""
    found = _found(request, number, part)
    if request.method == "POST":
        return _recorded(request, number, part, found.raw.surveys[part])
    return _shown(request, found, part)


def _found(request: HttpRequest, number: str, part: int) -> reads.Found:
    found = reads.find(number, viewer=who(request))
    if found is None or part not in found.raw.surveys:
        raise Http404
    return found


def _shown(request: HttpRequest, found: reads.Found, part: int, status: int = 200, **more: Any) -> HttpResponse:
    case, survey = found.case, found.case.surveys[part]
    step = lifecycle.check(case=found.raw, step=RECORD, part=survey, actor=who(request), book=found.rulebook, now=now())
    looks = book(request).surveys.looks_for(line=case.claim.line, loss=_loss(case, survey))
    typed: Mapping[str, Any] = more.pop("typed", {})
    rows = [(look, typed.get(f"look-{look.code}", "")) for look in looks]
    photos = _photos(request, found, part)
    return show(
        request, "visit", "visits", status=status, survey=survey, claim=case.claim, rows=rows, photos=photos,
        ended=step is not None and survey.state != "scheduled", refusal=more.pop("refusal", None),
        not_mine=step is not None and survey.state == "scheduled", findings=typed.get("findings", ""),
        place=survey.place or case.claim.place, things=on_file.things(case.claim.policy_id),
        findings_length_max=commands.TEXT_LENGTH_MAX, answers=ANSWERS,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo of a visit that has arrived. ``small``: where the reader sees it who sent it; empty for anybody else's."""

    part: int
    at: datetime | None
    small: str


def _photos(request: HttpRequest, found: reads.Found, part: int) -> list[Photo]:
    """What has arrived of a visit. Only one's own photos are shown: of others' a look would have to be recorded."""
    there = [d for d in found.raw.documents.values() if d.survey == part]
    own = read_visits.sent_by(who(request), found.raw.id) if there else frozenset()
    return [
        Photo(d.part, d.taken_at or d.received_at, _small(found.raw.claim.number, part, d) if d.part in own else "")
        for d in there
    ]


def _small(number: str, part: int, document: Document) -> str:
    """The address of a small picture of a photo; empty for what cannot be drawn."""
    if document.media_type not in PICTURES:
        return ""
    return reverse("console:visit-small", args=[number, part, document.part])


@require_GET
def small(request: HttpRequest, number: str, part: int, document: int) -> HttpResponse:
    """A small picture of a photo of this visit, for who sent it."""
    found = _found(request, number, part)
    row = found.raw.documents.get(document)
    if row is None or row.survey != part or document not in read_visits.sent_by(who(request), found.raw.id):
        raise Http404
    try:
        made = files.small(row)
    except FileNotFoundError:
        raise Http404 from None
    made.headers["Cache-Control"] = "private, max-age=86400, immutable"
    return made


def _loss(case: Case, survey: Survey) -> str:
    exposure = case.exposures.get(survey.exposure)
    return (exposure.peril if exposure else "") or case.claim.loss_kind


def _recorded(request: HttpRequest, number: str, part: int, survey: Survey) -> HttpResponse:
    wants_json = "application/json" in request.headers.get("Accept", "")
    findings = request.POST.get("findings", "").strip()
    if survey.state == "recorded" and survey.findings == findings:
        return _told(request, number, part, wants_json)  # sent once more because the answer was lost on the way
    not_taken = []
    for file in request.FILES.getlist("photos"):  # one that is not taken stops no other
        taken = _taken(request, number, part, cast(BinaryIO, file), file.name or "", file.content_type or "")
        if isinstance(taken, Refusal):
            not_taken.append(text("visits.photo.not_taken", language(), name=file.name, why=_worded(taken)))
    if not_taken:
        return _again(request, number, part, 422, "\n".join(not_taken), wants_json)
    answers = {name.removeprefix("look-"): value for name, value in request.POST.items() if name.startswith("look-")}
    checked = {code: value == "yes" for code, value in answers.items() if value in ("yes", "no")}
    outcome = actions.act(
        number, "survey", "record", part, commands.RecordSurvey(findings, checked), actor=who(request), now=now()
    )
    if isinstance(outcome, Refusal):
        return _again(request, number, part, status_of(outcome), _worded(outcome), wants_json)
    return _told(request, number, part, wants_json)


def _told(request: HttpRequest, number: str, part: int, wants_json: bool) -> HttpResponse:
    """Whoever sent the report reads on the next page that it is in, and how many photos with it."""
    there = _found(request, number, part).raw.documents.values()
    say(request, "visits.recorded", n=sum(d.survey == part for d in there))
    if wants_json:
        return JsonResponse({"done": True})
    return redirect("console:visits")


def _worded(refusal: Refusal) -> str:
    """The sentence of a refusal, of its first field if it has one."""
    field = next(iter(refusal.fields.values()), "")
    return sentence(Refusal(field, "fields", refusal.params)) if field else sentence(refusal)


def _again(request: HttpRequest, number: str, part: int, status: int, said: str, wants_json: bool) -> HttpResponse:
    """The visit once more, with what is wrong and what was filled in."""
    if wants_json:
        return JsonResponse({"error": said}, status=status)
    return _shown(request, _found(request, number, part), part, status, typed=request.POST, refusal=said)


@require_POST
def photo(request: HttpRequest, number: str, part: int) -> HttpResponse:
    """One photo of a visit: 201 and, if it came with its digest, its number among the claim's documents, the same for the
    same photo again.

    Beside ``file``: ``taken_at`` (RFC 3339), ``latitude``, ``longitude`` as the phone knew them, ``digest`` (SHA-256,
    hex) of what it meant to send: bytes that came otherwise are refused, and the phone sends again.
    """
    _found(request, number, part)
    file = request.FILES.get("file")
    if file is None or isinstance(file, list):
        return JsonResponse({"error": sentence(Refusal("refusal.upload_empty", "fields"))}, status=422)
    done = _taken(request, number, part, cast(BinaryIO, file), file.name or "", file.content_type or "")
    if isinstance(done, Refusal):
        return JsonResponse({"error": _worded(done)}, status=status_of(done))
    known = documents.document_of(done.case, request.POST.get("digest", "").lower(), survey=part)
    return JsonResponse({"done": True, "part": known}, status=201)


def _taken(request: HttpRequest, number: str, part: int, data: BinaryIO, name: str, kind: str) -> Any:
    return documents.receive(
        number, data, file_name=name, declared_type=kind, actor=who(request), now=now(), survey=part,
        capture=_capture(request), digest=request.POST.get("digest", ""),
    )  # fmt: skip


def _capture(request: HttpRequest) -> Capture:
    """What the phone says of a photo, as far as it can be: a time that is past, a place on this earth."""
    taken_at = None
    try:
        taken_at = datetime.fromisoformat(request.POST.get("taken_at", ""))
        taken_at = taken_at.astimezone(UTC) if taken_at.tzinfo and taken_at <= now() else None
    except (ValueError, OverflowError):
        pass
    place = [_microdegrees(request.POST.get(name, ""), most) for name, most in (("latitude", 90), ("longitude", 180))]
    latitude, longitude = place if None not in place else (None, None)
    return Capture(taken_at, latitude, longitude)


def _microdegrees(said: str, most: int) -> int | None:
    try:
        found = round(float(said) * 1_000_000)
    except (ValueError, OverflowError):
        return None
    return found if abs(found) <= most * 1_000_000 else None
