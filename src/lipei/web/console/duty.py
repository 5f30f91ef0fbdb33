"""The duty page: who is on duty, where nobody is, and which urgent reports wait for a person (norm 2.3.3)."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from lipei.reads import duty as reads
from lipei.services import norms
from lipei.web.console.shell import book, now, show, who
from lipei.web.errors import sentence
from lipei.web.templatetags.lipei import language


@require_GET
def duty(request: HttpRequest) -> HttpResponse:
    """Roster and open calls; the person called acknowledges here."""
    at, viewer = now(), who(request)
    page = reads.duty(viewer, rulebook=book(request), language=language(), now=at)
    _, text = norms.text_in_force("duty")
    gap = norms.roster_gap(text, at)
    may_edit = bool(viewer.roles & set(norms.EDITORS["duty"]))
    said = sentence(gap) if gap else ""
    # A call knows no office hours: what is left of it is real time.
    return show(request, "duty", "duty", duty=page, gap=said, may_edit=may_edit, working_calendar=None)
