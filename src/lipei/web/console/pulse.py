"""What a claim's page asks for while it is open: who else looks at it, and what changed meanwhile."""

from __future__ import annotations

import hashlib

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_GET

from lipei.norms.texts import text
from lipei.reads import presence as reads
from lipei.services import presence
from lipei.web.console.shell import now, who
from lipei.web.templatetags.lipei import language


@require_GET
def pulse(request: HttpRequest, number: str) -> HttpResponse:
    """Colleagues who have the claim open, and a bar where it changed since the version on the reader's screen (``seen``).

    Carries an ETag: mostly nothing travels. Opened by hand it leads to the claim.
    """
    at, viewer, seen = now(), who(request), request.GET.get("seen", "")
    since = int(seen) if seen.isdigit() and len(seen) < 18 else None
    found = reads.pulse(number, viewer=viewer, since=since, language=language())
    if found is None:
        raise Http404
    if not request.headers.get("HX-Request"):
        return redirect("console:claim", number=number)
    presence.note(found.claim_id, actor=viewer, now=at)
    names = text("common.list_separator", language()).join(reads.others(found.claim_id, viewer=viewer, now=at))
    answer = render(request, "console/claim/pulse.html", {"number": number, "pulse": found, "names": names})
    tag = f'"{hashlib.sha256(answer.content).hexdigest()[:20]}"'
    answer.headers["ETag"] = tag
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Vary"] = "HX-Request, Cookie"
    return get_conditional_response(request, etag=tag, response=answer) or answer
