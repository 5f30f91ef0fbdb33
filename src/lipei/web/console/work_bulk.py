"""A step on several claims: what it would do to each, done, and taken back where that is possible.

Three answers of one address: the form of the step, the preview, the doing. The numbers and what was typed travel with
the form, so that nothing has to be remembered in between and the back button works.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods

from lipei.domain import lifecycle
from lipei.domain.commands import COMMANDS
from lipei.domain.events import Actor, Refusal
from lipei.norms.texts import text
from lipei.reads import people, saved_views
from lipei.services import bulk_actions
from lipei.services.bulk_actions import CLAIMS_MAX, Planned
from lipei.web import forms
from lipei.web.console import choices, claim_page
from lipei.web.console.messages import name as message_name
from lipei.web.console.shell import complain, now, say, show, status_of, who
from lipei.web.errors import sentence
from lipei.web.templatetags.lipei import language, word

OMITTED: Mapping[str, frozenset[str]] = {"request_papers": frozenset({"papers"})}
"""What differs from claim to claim is not asked for all of them: the rule finds it for each."""
HANDLERS: Mapping[str, tuple[str, ...]] = {"assign": ("handler",), "hand_over": ("handler", "team_lead")}


def _offers(action: str) -> forms.Offers:
    roles = HANDLERS.get(action)
    options = {"handler": (choices.EMPTY, *choices.staff(now(), *roles))} if roles else {}
    return forms.Offers(options=options, omit=OMITTED.get(action, frozenset()))


def _numbers(request: HttpRequest) -> list[str]:
    """The claims chosen, each once, in the order of choosing."""
    return list(dict.fromkeys(n for n in request.POST.getlist("claim") if n and len(n) <= 40))


def _back(request: HttpRequest) -> str:
    """Where somebody came from, if that is a list of ours."""
    asked = request.POST.get("back", "") or request.GET.get("back", "")
    home = reverse("console:worklist")
    local = url_has_allowed_host_and_scheme(asked, allowed_hosts=None) and asked.startswith("/console/")
    return asked if local else home


@require_http_methods(["GET", "POST"])
def bulk(request: HttpRequest) -> HttpResponse:
    """The form of a step on several claims, its preview, and (``stage`` *do*) the step itself."""
    if request.method == "GET":
        return redirect("console:worklist")
    viewer, action, numbers = who(request), request.POST.get("action", ""), _numbers(request)
    if action not in bulk_actions.offered(viewer) or not numbers:
        complain(request, Refusal("refusal.bulk.nothing" if not numbers else "refusal.bulk.choose"))
        return redirect(_back(request))
    cls, offers, stage = COMMANDS["claim", action], _offers(action), request.POST.get("stage", "")
    typed = forms.posted(request.POST) if stage else forms.typed_of(cls())
    command, errors = forms.read(cls, typed, offers) if stage else (cls(), {})
    asks = bool(forms.draw(cls, typed, offers))
    if stage == "do" and not errors:
        return _do(request, viewer, action, command, numbers)
    look_ahead = not errors and (bool(stage) or not asks)
    planned = bulk_actions.plan(numbers, action, command, actor=viewer, now=now()) if look_ahead else ()
    everywhere = _everywhere(planned)
    errors = {**everywhere, **errors}
    return show(
        request, "work_bulk", "worklist", action=action, fields=forms.draw(cls, typed, offers, errors),
        numbers=numbers[:CLAIMS_MAX], too_many=len(numbers) > CLAIMS_MAX, most=CLAIMS_MAX, count=len(numbers),
        rows=_drawn(planned) if not everywhere else (), typed=_kept(typed, cls, offers), back=_back(request),
        possible=sum(p.refusal is None for p in planned), impossible=sum(p.refusal is not None for p in planned),
        hint="" if action in OMITTED else claim_page.hint(lifecycle.BY_ACTION["claim", action]),
        undoable=action in bulk_actions.UNDOABLE,
        previewed=bool(planned) and not everywhere, has_errors=bool(errors), status=422 if errors else 200,
    )  # fmt: skip


def _everywhere(planned: Sequence[Planned]) -> dict[str, str]:
    """What is wrong with the form itself: where every claim is refused for the same field, that field says so."""
    if not planned or any(p.refusal is None or p.refusal.kind != "fields" for p in planned):
        return {}
    shared = set.intersection(*(set(p.refusal.fields.items()) for p in planned if p.refusal is not None))
    return dict(shared)


def _kept(typed: forms.Typed, cls: type, offers: forms.Offers) -> list[tuple[str, str]]:
    """What was typed, for the form that does it: the fields of the command and nothing else."""
    names = {drawn.name for drawn in forms.draw(cls, typed, offers)}
    return [(name, value) for name, values in typed.items() if name in names for value in values]


def _drawn(planned: Sequence[Planned]) -> list[dict[str, Any]]:
    """Per claim what would happen, or why nothing would."""
    staff = people.names({i for p in planned for i in (p.handler, p.handler_after)})
    return [
        {
            "number": p.number,
            "version": p.version,
            "refusal": _why_not(p.refusal) if p.refusal else "",
            "handler": staff.get(p.handler or 0, ""),
            "handler_after": staff.get(p.handler_after or 0, ""),
            "moves": p.refusal is None and p.handler != p.handler_after,
            "state": p.state,
            "state_after": p.state_after,
            "papers": [word("paper", code) for code in p.papers],
            "tells_customer": p.tells_customer,
        }
        for p in planned
    ]


def _why_not(refusal: Refusal) -> str:
    """A refusal in one sentence: of wrong fields, the sentences of the fields."""
    if refusal.fields:
        separator = text("common.list_separator", language())
        return separator.join(sentence(Refusal(code, params=refusal.params)) for code in set(refusal.fields.values()))
    return sentence(refusal)


def _do(request: HttpRequest, viewer: Actor, action: str, command: Any, numbers: Sequence[str]) -> HttpResponse:
    seen = {}
    for number in numbers[:CLAIMS_MAX]:
        version = request.POST.get(f"seen-{number}", "")
        if version.isdigit() and len(version) < 18:  # what was never shown in a preview is not done
            seen[number] = int(version)
    done = bulk_actions.run(seen, action, command, actor=viewer, now=now())
    if isinstance(done, Refusal):
        complain(request, done)
        return redirect(_back(request))
    return _to_done(request, done.id)


def _to_done(request: HttpRequest, run_id: int) -> HttpResponse:
    """To what became of a run, from where one comes back to the list that it was begun in."""
    where = reverse("console:work-bulk-done", args=[run_id])
    back = _back(request)
    return redirect(where if back.startswith(reverse("console:worklist")) else f"{where}?{urlencode({'back': back})}")


@require_GET
def done(request: HttpRequest, run_id: int) -> HttpResponse:
    """What became of each claim of a run of one's own."""
    run = saved_views.run(who(request), run_id)
    if run is None:
        raise Http404
    staff = people.names({i for o in run.outcomes for i in (o["before"], o["after"])})
    rows = [
        {
            "number": o["number"],
            "refusal": sentence(Refusal(o["refusal"], params=o["params"])) if o["refusal"] else "",
            "handler": staff.get(o["before"] or 0, ""),
            "handler_after": staff.get(o["after"] or 0, ""),
            "moves": o["before"] != o["after"],
        }
        for o in run.outcomes
    ]
    return show(
        request, "work_bulk_done", "worklist", run=run, back=_back(request), rows=rows, well=sum(not r["refusal"] for r in rows),
        badly=sum(bool(r["refusal"]) for r in rows),
        may_undo=run.undone_at is None and bulk_actions.may_undo(run.action, run.outcomes),
    )  # fmt: skip


@require_http_methods(["GET", "POST"])
def undo(request: HttpRequest, run_id: int) -> HttpResponse:
    """What taking a run of one's own back would do, and whom it has been told already; then the doing (POST)."""
    if request.method == "GET":
        run = saved_views.run(who(request), run_id)
        if run is None or not bulk_actions.may_undo(run.action, run.outcomes):
            raise Http404
        planned = bulk_actions.undo_plan(run, actor=who(request), now=now())
        rows = [
            {**row, "told": [message_name(code) for code in told]}
            for row, (_, told) in zip(_drawn([p for p, _ in planned]), planned, strict=True)
        ]
        return show(
            request, "work_bulk_undo", "worklist", run=run, back=_back(request), rows=rows,
            possible=sum(not r["refusal"] for r in rows), told=any(r["told"] for r in rows),
        )  # fmt: skip
    undone = bulk_actions.undo(run_id, actor=who(request), now=now())
    if isinstance(undone, Refusal):
        if status_of(undone) == 404:
            raise Http404
        complain(request, undone)
        return _to_done(request, run_id)
    say(request, "worklist.bulk.undone")
    return _to_done(request, undone.id)
