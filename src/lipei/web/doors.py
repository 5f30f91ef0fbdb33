"""The front page: of a demonstration the doors by which one comes in, a click for each role; else the portal.

The doors open only while all of this holds: the database is a demonstration, the page is served without TLS and without a
proxy before it, and whoever asks sits at the same machine. Everything else is answered as if there were no doors.
"""

from __future__ import annotations

import ipaddress

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from lipei.norms.texts import text
from lipei.services import demo
from lipei.web.middleware import COOKIE
from lipei.web.portal import report
from lipei.web.templatetags.lipei import language
from lipei.web.views import remember

ROLE = "demonstration_role"
"""In the session: the role by whose door somebody came in."""

ROLES: tuple[tuple[str, str], ...] = (
    # role, icon: in the order in which a claim meets them
    ("intake", "phone"), ("handler", "briefcase"), ("surveyor", "camera"), ("assessor", "tool"), ("approver", "gavel"),
    ("finance", "building-bank"), ("team_lead", "users"), ("manager", "chart-bar"), ("expert", "book-2"),
    ("investigator", "list-search"), ("compliance", "scale"), ("administrator", "settings"),
)  # fmt: skip


def open_to(request: HttpRequest) -> bool:
    """Whether the doors are open to this caller. Costs a query only where the rest holds."""
    if settings.SESSION_COOKIE_SECURE or settings.LIPEI_PROXIES:
        return False
    try:
        here = ipaddress.ip_address(str(request.META.get("REMOTE_ADDR", ""))).is_loopback
    except ValueError:
        return False
    return here and "X-Forwarded-For" not in request.headers and demo.is_demonstration()


@never_cache
def front(request: HttpRequest) -> HttpResponse:
    """Where the address of the installation leads: the doors of a demonstration, else the portal's report."""
    if request.method in ("GET", "HEAD") and open_to(request):
        return render(request, "doors.html", {"roles": ROLES})
    return report.report(request)


@require_POST
@never_cache
def enter(request: HttpRequest) -> HttpResponse:
    """Come in as a role: signed in with the name and password that `lipei run` prints, or as a customer with a claim."""
    if not open_to(request):
        raise Http404
    role, now = request.POST.get("role", ""), timezone.now()
    if role == demo.CUSTOMER:
        link = demo.customers_link(now=now)
        return HttpResponseRedirect(link) if link else redirect("portal:report")
    door = demo.door(role, now=now)
    if door is None:
        raise Http404
    user = authenticate(request, username=door.code, password=demo.PASSWORD)
    if user is None or is_mfa_enabled(user):  # somebody made this account their own
        messages.warning(request, text("doors.not_as_made", language(), name=door.name))
        return redirect("account_login")
    login(request, user)
    request.session[ROLE] = role
    # The page after the door speaks as the door did, whatever this colleague usually reads.
    return remember(redirect("console:tour"), COOKIE, language())
