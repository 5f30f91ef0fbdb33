"""Keeping, forgetting and choosing the views of a list."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from lipei.domain.events import Refusal
from lipei.services import saved_views
from lipei.web.console.shell import book, complain, now, say, who
from lipei.web.console.work_filters import ALL, WORK, read


def _back(request: HttpRequest, page: str, query: str) -> HttpResponse:
    return redirect(f"{reverse('console:' + page)}?{query}" if query else reverse(f"console:{page}"))


def _page(request: HttpRequest) -> str:
    return ALL if request.POST.get("page") == ALL else WORK


@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """Keep the list as it is filtered now, under a name."""
    page, viewer = _page(request), who(request)
    query = read(request, page, viewer, book(request), now(), given=request.POST.get("query", "")).query()
    done = saved_views.keep(
        page=page, name=request.POST.get("name", ""), query=query, default=request.POST.get("default") == "1",
        actor=viewer, now=now(),
    )  # fmt: skip
    if isinstance(done, Refusal):
        complain(request, Refusal(next(iter(done.fields.values()), done.code)))
    else:
        say(request, "worklist.view.kept", name=" ".join(request.POST.get("name", "").split()))
    return _back(request, page, query)


@require_POST
def change(request: HttpRequest, view_id: int) -> HttpResponse:
    """Forget a view, or let the list open with it or as it comes."""
    page, viewer = _page(request), who(request)
    query = read(request, page, viewer, book(request), now(), given=request.POST.get("query", "")).query()
    act = request.POST.get("do", "")
    if act == "remove":
        done = saved_views.remove(view_id, actor=viewer)
    elif act in ("default", "plain"):
        done = saved_views.open_with(view_id, actor=viewer, default=act == "default")
    else:
        raise Http404
    if isinstance(done, Refusal):
        raise Http404
    say(request, f"worklist.view.{act}")
    return _back(request, page, query)
