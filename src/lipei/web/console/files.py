"""Files and letters of a claim, for those who may see personal data; every look is recorded first."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from lipei.domain.claims import Document
from lipei.domain.events import Refusal
from lipei.reads import claims as reads
from lipei.services import documents, letters, personal_data
from lipei.web.console.claim_parts import PICTURES
from lipei.web.console.shell import complain, now, who

LETTERS = ("receipt", "paper_request", "settlement", "refusal", "advance")
SHOWN_INLINE = ("image/jpeg", "image/png", "image/webp", "application/pdf")


@require_GET
def document(request: HttpRequest, number: str, part: int) -> Any:
    """A file that came in. Kinds that a browser could run are only ever downloaded."""
    found = reads.find(number, viewer=who(request))
    if found is None or part not in found.raw.documents:
        raise Http404
    seen = personal_data.see(number, actor=who(request), now=now())
    if isinstance(seen, Refusal):
        complain(request, seen)
        return redirect("console:claim", number=number)
    row = found.raw.documents[part]
    try:
        if request.GET.get("size") == "small" and row.media_type in PICTURES:
            return small(row)
        chunks = documents.kept().chunks(row.digest)
        first = next(chunks, b"")
    except FileNotFoundError:
        raise Http404 from None
    response = StreamingHttpResponse(
        (piece for source in ((first,), chunks) for piece in source), content_type=row.media_type
    )
    inline = row.media_type in SHOWN_INLINE
    response.headers["Content-Disposition"] = f'{"inline" if inline else "attachment"}; filename="{number}-{part}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Length"] = str(row.size_bytes)
    return response


def small(row: Document) -> HttpResponse:
    """A picture as the grid of files shows it, read piece by piece: forty of 12 MB are looked at in one go.

    Raises Http404 where there is none, and FileNotFoundError.
    """
    from lipei.gateways.uploads import images  # heavy, and seldom needed

    with documents.kept().open(row.digest) as content:
        made = images.small(content, row.media_type)
    if made is None:
        raise Http404
    response = HttpResponse(made, content_type="image/jpeg")
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@require_GET
def letter(request: HttpRequest, number: str, letter: str) -> HttpResponse:
    """A letter of this claim as PDF: that of one message (``of``), else the latest."""
    if letter not in LETTERS or reads.find(number, viewer=who(request)) is None:
        raise Http404
    of = request.GET.get("of", "")
    delivery = int(of) if of.isdigit() and len(of) < 18 else 0
    made = letters.of_claim(number, letter, actor=who(request), now=now(), delivery=delivery)
    if isinstance(made, Refusal):
        if made.kind == "missing":
            raise Http404
        complain(request, made)
        return redirect("console:claim", number=number)
    response = HttpResponse(made, content_type="application/pdf")
    response.headers["Content-Disposition"] = f'inline; filename="{number}-{letter}.pdf"'
    return response
