"""Uploads: a file for a claim, a paper or a survey."""

from __future__ import annotations

import errno
import hashlib
from itertools import chain
from typing import Any, BinaryIO, cast

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError

from lipei.api import calls, problems
from lipei.api.access import token_of
from lipei.api.problems import Problem
from lipei.api.reading import Faults, fault
from lipei.domain.events import Refusal
from lipei.domain.permissions import may
from lipei.reads import claims as claims_read
from lipei.reads import rulebook
from lipei.services import documents, letters, personal_data

FORM_BYTES = 1_000_000
"""What a form may weigh beside its file."""
_STATUS = {
    "refusal.upload_too_large": 413,
    "refusal.upload_type_not_taken": 415,
    "refusal.upload_not_what_it_says": 415,
}
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


def upload(request: HttpRequest, number: str) -> HttpResponse:
    """Send a file (multipart, field ``file``), if need be for a ``paper`` or ``survey`` by its number."""
    token, at = token_of(request), calls.now()
    number = calls.known_number(number)
    file, paper, survey = _form(request)
    assert file.file is not None
    try:
        outcome = documents.receive(
            number,
            cast(BinaryIO, file.file),
            file_name=file.name or "",
            declared_type=file.content_type or "",
            actor=token.actor,
            now=at,
            paper=paper,
            survey=survey,
        )
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise Problem(507, "refusal.disk_full") from error
        raise
    if isinstance(outcome, Refusal):
        problem = calls.refused(outcome, number, token.actor, problems.language_of(request), now=at)
        problem.status = _STATUS.get(outcome.code, problem.status)
        raise problem
    file.file.seek(0)
    digest = hashlib.file_digest(file.file, "sha256").hexdigest()  # type: ignore[arg-type]
    part = documents.document_of(outcome.case, digest, paper=paper, survey=survey)
    document = _document(outcome.case, part) if part else None
    return calls.answer(request, outcome, viewer=token.actor, at=at, status=201, document=document)


def download(request: HttpRequest, number: str, part: int) -> StreamingHttpResponse:
    """A file that came in. It may name people: for whom personal data is shown, and on record."""
    calls.query(request, {})
    found = _opened(request, number)
    row = found.raw.documents.get(part)
    if row is None:
        raise calls.missing()
    try:
        chunks = documents.kept().chunks(row.digest)
        first = next(chunks, b"")
    except FileNotFoundError as error:
        raise calls.missing() from error
    _record_look(request, number)
    return StreamingHttpResponse(
        chain((first,), chunks),
        content_type=row.media_type,
        headers={
            "Content-Disposition": f'attachment; filename="{number}-{part}"',
            "Content-Length": str(row.size_bytes),
            "X-Content-Type-Options": "nosniff",
        },
    )


def letter(request: HttpRequest, number: str, letter: str) -> HttpResponse:
    """The latest letter of a kind as PDF, in its reader's language. For whom personal data is shown, and on record."""
    calls.query(request, {})
    _opened(request, number)
    made = letters.of_claim(number, letter, actor=token_of(request).actor, now=calls.now())
    if isinstance(made, Refusal):
        raise problems.of_refusal(made)
    headers = {"Content-Disposition": f'attachment; filename="{number}-{letter}.pdf"'}
    return HttpResponse(made, content_type="application/pdf", headers=headers)


def _opened(request: HttpRequest, number: str) -> claims_read.Found:
    """The claim, for a caller to whom its personal data may be shown. Raises Problem."""
    actor = token_of(request).actor
    found = calls.find(number, actor)
    if not may(actor, personal_data.PERMISSION):
        missing = {"permission": personal_data.PERMISSION}
        raise Problem(403, "refusal.not_permitted", missing, more=missing)
    return found


def _record_look(request: HttpRequest, number: str) -> None:
    outcome = personal_data.see(number, actor=token_of(request).actor, now=calls.now())
    if isinstance(outcome, Refusal):
        raise problems.of_refusal(outcome)


def _document(case: Any, part: int) -> dict[str, Any]:
    row = case.documents[part]
    return {
        "id": part,
        "digest": row.digest,
        "media_type": row.media_type,
        "size_bytes": row.size_bytes,
        "paper": row.paper,
        "survey": row.survey,
        "duplicate_of": row.duplicate_of,
    }


def _form(request: HttpRequest) -> tuple[UploadedFile[Any], int, int]:
    """The file and what it is for. Raises Problem 400, 413, 415 or 422."""
    if request.content_type != "multipart/form-data":
        raise Problem(415, "refusal.media_type", {"taken": "multipart/form-data"})
    most = rulebook.current().settings.upload_max_bytes + FORM_BYTES
    if _length(request) > most:
        calls.drain(request)
        raise Problem(413, "refusal.upload_too_large", {"megabytes": f"{(most - FORM_BYTES) / 1_000_000:g}"})
    try:
        fields, files = request.POST, request.FILES
    except (MultiPartParserError, SuspiciousOperation, UnreadablePostError, UnicodeError) as error:
        raise Problem(400, "refusal.form_unreadable") from error
    faults: Faults = {}
    for name in {*fields, *files} - {"file", "paper", "survey"}:
        faults[name[:60]] = fault("refusal.unknown_field")
    numbers = {name: _number(str(fields.get(name, "")), name, faults) for name in ("paper", "survey")}
    for name in fields:
        if len(fields.getlist(name)) > 1:
            faults.setdefault(name, fault("refusal.said_twice"))
    if len(files.getlist("file")) > 1:
        faults["file"] = fault("refusal.one_file")
    file = files.get("file")
    if not isinstance(file, UploadedFile):
        faults["file"] = fault("refusal.required")
    if faults:
        raise problems.wrong_fields(faults)
    assert isinstance(file, UploadedFile)
    return file, numbers["paper"], numbers["survey"]


def _length(request: HttpRequest) -> int:
    said = request.META.get("CONTENT_LENGTH") or "0"
    return int(said) if said.isdigit() else 0


def _number(said: str, name: str, faults: Faults) -> int:
    if not said:
        return 0
    if not (said.isascii() and said.isdigit() and len(said) <= 9):
        faults[name] = fault("refusal.not_a_number")
        return 0
    return int(said)
