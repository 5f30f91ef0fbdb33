"""What is answered where nobody caught an exception: by its kind, to a program as a problem, to a person as a page.

The page asks the database for nothing, since that may be what failed.
"""

from __future__ import annotations

import sys

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views import defaults

from lipei.api import problems
from lipei.api.problems import Problem
from lipei.norms.texts import LANGUAGES
from lipei.store import trouble
from lipei.web import middleware

FOR_OPERATORS = ("/healthz", "/readyz", "/metrics")
PAGES = {trouble.STORAGE: ("507.html", 507), trouble.DATABASE: ("503.html", 503), trouble.NONE: ("500.html", 500)}
FOR_PROGRAMS = "/api/"
FOR_STAFF = ("/console/", "/accounts/")


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's ``handler400``: a request that reaches no view, most often for a host that is not ours."""
    if request.path_info.startswith(FOR_PROGRAMS) or request.path_info in FOR_OPERATORS:
        code = "refusal.host_unknown" if isinstance(exception, DisallowedHost) else "refusal.request_malformed"
        return problems.answer(request, Problem(400, code))
    return defaults.bad_request(request, exception)


def failed(request: HttpRequest) -> HttpResponse:
    """Django's ``handler500``: called while the exception is being handled."""
    error = sys.exc_info()[1]
    if request.path_info.startswith(FOR_PROGRAMS):
        return problems.answer(request, problems.of_failure(error))
    template, status = PAGES[trouble.of(error)]
    chosen = request.COOKIES.get(middleware.COOKIE, "")  # the staff record, which may say otherwise, is out of reach
    with translation.override(chosen if chosen in LANGUAGES else middleware.asked(request)):
        response = render(None, template, {"for_staff": request.path_info.startswith(FOR_STAFF)}, status=status)
    if status == 503:
        response["Retry-After"] = "10"
    return response
