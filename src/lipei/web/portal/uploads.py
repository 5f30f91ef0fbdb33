"""Files from the phone: the plain form that always works, and pieces for a line that breaks (norm 2.2.2)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from lipei.domain.claims import Case
from lipei.domain.events import Refusal
from lipei.gateways.uploads.partials import Partial, UploadConflict
from lipei.services import norms, portal, portal_files, portal_limits
from lipei.services.portal import Visit
from lipei.services.portal_files import Received, Sent
from lipei.web.portal import tracking
from lipei.web.portal.forms import clean
from lipei.web.portal.visits import caller, of_claim, say, why
from lipei.web.templatetags.lipei import word

ACCEPT = "image/*,application/pdf"
CHUNK_BYTES = 1 << 20
"""A piece of a resumable upload: small enough that a broken line loses little."""
_SAID_MAX = 200


# --- photos of a report ---------------------------------------------------------------------------------------------


def keep(request: HttpRequest, key: str, *, now: datetime) -> list[str]:
    """Put photos aside under the form's key, so that a correction elsewhere does not lose them; the ids kept so far."""
    rules, partials = norms.current().settings, portal_files.partials()
    kept = [upload for upload in request.POST.getlist("kept") if _is_of(upload, key)][: rules.upload_files_max]
    files = request.FILES.getlist("photos")[: rules.upload_files_max - len(kept)]
    if files and not portal_limits.may_put_aside(caller(request), now=now):
        messages.warning(request, say("portal.report.photos_later"))
        return kept
    for file in files:
        if not file.size or file.size > rules.upload_max_bytes:
            reason = say("refusal.upload_too_large", {"megabytes": f"{rules.upload_max_bytes / 1_000_000:g}"})
            reason = reason if file.size else say("refusal.upload_empty")
            messages.warning(
                request, say("portal.report.photo_refused", {"name": clean(file.name or ""), "why": reason})
            )
            continue
        about = {"key": key, "name": file.name, "type": file.content_type or ""}
        try:
            upload = partials.create(file.size, now=now, about=about)
            offset = 0
            for piece in file.chunks(CHUNK_BYTES):
                offset = partials.append(upload, offset, piece, now=now)
        except OSError:
            messages.warning(request, say("refusal.upload_disk"))
            break
        kept.append(upload)
    return kept


def _is_of(upload: str, key: str) -> bool:
    try:
        return portal_files.partials().look(upload).about.get("key") == key
    except UploadConflict:
        return False


def attach_kept(visit: Visit, kept: Sequence[str], key: str, *, now: datetime) -> list[str]:
    """Put the photos of a report to its claim; a sentence for each that was not taken. The report stands either way."""
    said = []
    for upload in kept:
        if not _is_of(upload, key):
            continue
        known = portal_files.partials().look(upload)
        received = _take(visit, known, paper=0, now=now)
        if received.refused:
            reason = why(received.refused[0][1])
            said.append(say("portal.report.photo_refused", {"name": clean(known.about["name"]), "why": reason}))
    return said


def _take(visit: Visit, known: Partial, *, paper: int, now: datetime) -> Received:
    """Hand a complete upload over to the claim, and forget it; what the disk had no room for is tried again."""
    partials = portal_files.partials()
    with partials.finish(known.id) as data:
        sent = Sent(known.about["name"], known.about["type"], data)
        done = portal_files.receive(visit, [sent], paper=paper, now=now)
    if portal_files.DISK_FULL not in [refusal for _, refusal in done.refused]:
        partials.drop(known.id)
    return done


# --- the plain form -------------------------------------------------------------------------------------------------


@require_POST
@of_claim()
def plain(request: HttpRequest, visit: Visit, case: Case, part: int) -> HttpResponse:
    """The files of a claim's page, sent as one form: those for the paper whose button was pressed (0: for the claim), and
    those chosen for others on the same page, which would be lost with it. JSON for who asks for it.
    """
    chosen = {part, *(int(name) for name in _parts(request))}
    came = {n: _received(request, visit, n) for n in sorted(chosen)}
    refused = {n: received.refused for n, received in came.items() if received.refused}
    said = [thanks(case, n) for n, received in came.items() if not received.refused]
    errors = {f"paper_{n}": "\n".join(_worded(name, refusal) for name, refusal in rows) for n, rows in refused.items()}
    status = max((_status(refusal) for rows in refused.values() for _, refusal in rows), default=200)
    kept = {n: portal_files.keep(visit, came[n].documents, n) for n, rows in refused.items() if _unplaced(came[n])}
    if "application/json" in request.headers.get("Accept", ""):
        return JsonResponse({"said": said, "errors": errors, "kept": kept}, status=status)
    for sentence in said:
        messages.success(request, sentence)
    if not refused:
        return HttpResponseRedirect(reverse("portal:track", args=[visit.number]) + f"#paper-{part}")
    typed = {name: str(value) for name, value in request.POST.items() if name.startswith("invoice-")}
    after = portal.claim_seen(visit) or case
    return tracking.shown(request, visit, after, status, errors=errors, typed=typed, kept_files=kept)


_FILES = "files-"


def _parts(request: HttpRequest) -> list[str]:
    """For which papers files were chosen."""
    names = [name.removeprefix(_FILES) for name in request.FILES if name.startswith(_FILES)]
    return [name for name in names if name.isascii() and name.isdigit() and len(name) < _DIGITS_MAX]


_DIGITS_MAX = 9


def _received(request: HttpRequest, visit: Visit, part: int) -> Received:
    files = [Sent(f.name or "", f.content_type or "", f.file) for f in request.FILES.getlist(f"{_FILES}{part}")]  # type: ignore[arg-type]
    invoice = clean(request.POST.get(f"invoice-{part}", ""))[:_INVOICE_MAX]
    kept = request.POST.get(f"kept-{part}", "")
    return portal_files.receive(visit, files, paper=part, invoice_number=invoice, kept=kept, now=timezone.now())


_INVOICE_MAX = 60
_TOKEN_MAX = 4000


def _unplaced(received: Received) -> bool:
    """Whether files came in, but their paper did not take them: their invoice number was refused."""
    return bool(received.documents) and any(not name for name, _ in received.refused)


def _worded(name: str, refusal: Refusal) -> str:
    """Why something was not taken, with the name of the file where it is about one."""
    return say("portal.report.photo_refused", {"name": clean(name), "why": why(refusal)}) if name else why(refusal)


def _status(refusal: Refusal) -> int:
    return 503 if refusal == portal_files.DISK_FULL else 404 if refusal.kind == "missing" else 422


def thanks(case: Case, part: int) -> str:
    """What the customer is told when files have come in."""
    if part not in case.papers:
        return say("portal.papers.more_sent")
    return say("portal.papers.sent", {"paper": word("paper", case.papers[part].code)})


# --- in pieces ------------------------------------------------------------------------------------------------------


@require_POST
@of_claim()
def begin(request: HttpRequest, visit: Visit, case: Case) -> JsonResponse:
    """Announce a file: JSON ``{name, type, size, paper}``; 201 with the address to send pieces to.

    ``apart``: it is put to its paper only together with the number of its invoice, by `plain` with the token that the last
    piece is answered with; ``kept``: the token of those that came before it.
    """
    try:
        said = json.loads(request.body)
        size, paper = said["size"], said.get("paper", 0)
        name, kind = str(said.get("name", ""))[:_SAID_MAX], str(said.get("type", ""))[:_SAID_MAX]
    except (ValueError, KeyError, AttributeError, TypeError):
        return _problem(400, "refusal.upload_damaged")
    if type(size) is not int or type(paper) is not int or size <= 0:
        return _problem(422, "refusal.upload_empty")
    most = norms.current().settings.upload_max_bytes
    if size > most:
        return _problem(413, "refusal.upload_too_large", {"megabytes": f"{most / 1_000_000:g}"})
    if paper and not portal.within_reach(case, visit.party, "paper", "receive", paper):
        return _problem(404, "refusal.missing")
    about = {"number": visit.number, "party": visit.party, "paper": paper, "name": name, "type": kind}
    if paper and said.get("apart") is True:
        about |= {"apart": True, "kept": str(said.get("kept", ""))[:_TOKEN_MAX]}
    try:
        upload = portal_files.partials().create(size, now=timezone.now(), about=about)
    except OSError:
        return _problem(503, "refusal.upload_disk")
    address = reverse("portal:upload-resume", args=[visit.number, upload])
    return JsonResponse({"address": address, "offset": 0, "chunk_bytes": CHUNK_BYTES}, status=201)


@require_http_methods(["GET", "PATCH"])
@of_claim()
def resume(request: HttpRequest, visit: Visit, case: Case, upload: str) -> JsonResponse:
    """GET: how much has come. PATCH with ``Upload-Offset``: the next piece; the last one hands the file over."""
    partials, now = portal_files.partials(), timezone.now()
    try:
        known = partials.look(upload)
        if (known.about.get("number"), known.about.get("party")) != (visit.number, visit.party):
            return _problem(410, "refusal.upload_gone")  # somebody else's is as good as gone
        if request.method == "GET":
            return JsonResponse({"offset": known.received_bytes})
        offset = int(request.headers.get("Upload-Offset", "-1"))
        received = partials.append(upload, offset, request.body, now=now)
    except ValueError:
        return _problem(400, "refusal.upload_damaged")
    except OSError:
        return _problem(503, "refusal.upload_disk")
    except UploadConflict as conflict:
        status = 410 if conflict.code == "refusal.upload_gone" else 409
        return _problem(status, conflict.code, conflict.params, offset=conflict.params.get("received", 0))
    if received < known.total_bytes:
        return JsonResponse({"offset": received})
    paper, apart = int(known.about["paper"]), bool(known.about.get("apart"))
    done = _take(visit, known, paper=0 if apart else paper, now=now)
    if done.refused:
        return JsonResponse({"error": why(done.refused[0][1])}, status=422)
    more = {"kept": portal_files.keep_with(visit, known.about["kept"], done.documents, paper)} if apart else {}
    return JsonResponse({"offset": received, "done": True, "said": thanks(case, paper), **more})


def _problem(status: int, code: str, params: Any = None, **more: Any) -> JsonResponse:
    return JsonResponse({"error": say(code, params), **more}, status=status)
