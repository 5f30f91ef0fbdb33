"""Role × address × own or another unit's claim: who may open what, generated from the URL conf (norm part 4).

The table below is written by hand and not derived from `access.PAGES`: an address that it does not name fails.
"""

from __future__ import annotations

import itertools
import re

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from tests.company import NOW
from tests.web.conftest import reported

from lipei.domain import lifecycle
from lipei.domain.permissions import ROLES
from lipei.reads import claims as reads
from lipei.services import bank
from lipei.store import models
from lipei.web.console import access
from lipei.web.console.claim_page import address as address_of
from lipei.web.console.urls import urlpatterns

pytestmark = pytest.mark.once

ALL = set(ROLES)
SEES_CLAIMS = ALL - {"administrator"}
COMPANY_WIDE = {"intake", "approver", "manager", "finance", "investigator", "compliance"}
UNIT_WIDE = {"handler", "surveyor", "assessor", "team_lead"}
SEES_PEOPLE = SEES_CLAIMS - {"expert"}

EXPECTED = {
    "home": ALL,
    "worklist": SEES_CLAIMS,
    "work-take": SEES_CLAIMS,
    "worklist-export": SEES_CLAIMS,
    "work-bulk": SEES_CLAIMS,
    "work-bulk-done": SEES_CLAIMS,
    "work-bulk-undo": SEES_CLAIMS,
    "work-view-keep": SEES_CLAIMS,
    "work-view-change": SEES_CLAIMS,
    "claims": SEES_CLAIMS,
    "claims-export": SEES_CLAIMS,
    "claim": SEES_CLAIMS,
    "claim-pulse": SEES_CLAIMS,
    "claim-unmask": SEES_PEOPLE,
    "claim-upload": SEES_CLAIMS,
    "claim-document": SEES_PEOPLE,
    "claim-letter": SEES_PEOPLE,
    "claim-act": SEES_CLAIMS,
    "part-act": {"handler", "assessor", "team_lead", "manager"},  # who may set a reserve
    "receipt": SEES_CLAIMS,
    "report": {"intake", "handler", "team_lead", "manager"},
    "approvals": {"approver", "team_lead", "manager", "finance", "assessor"},
    "payments": {"finance", "team_lead", "manager"},
    "finance": {"finance", "team_lead", "manager"},
    "finance-export": {"finance", "team_lead", "manager"},
    "bank-file": {"finance"},
    "bank-cleared": {"finance"},
    "bank-submit": {"finance"},
    "bank-release": {"finance"},
    "bank-upload": {"finance"},
    "team": {"team_lead", "manager"},
    "duty": ALL,
    "duty-plan": {"manager", "team_lead"},
    "calendar": ALL,
    "calculation": ALL,
    "messages": ALL,
    "message-letter": ALL,
    "norms": ALL,
    "norm": ALL,
    "norm-version": ALL,
    "norm-edit": {"manager", "team_lead", "administrator"},
    "staff": {"manager", "administrator"},
    "staff-new": {"manager", "administrator"},
    "staff-edit": {"manager", "administrator"},
    "staff-session-end": {"manager", "administrator"},
    "absences": {"team_lead", "manager"},
    "absence-end": {"team_lead", "manager"},
    "delegations": {"approver", "team_lead", "manager"},
    "delegation-end": {"approver", "team_lead", "manager"},
    "tokens": {"administrator"},
    "token-revoke": {"administrator"},
    "webhooks": {"administrator"},
    "webhook-stop": {"administrator"},
    "prenotices": {"intake", "handler", "team_lead", "manager"},
    "health": {"administrator", "manager"},
    "failed": {"administrator", "manager"},
    "webhook-again": {"administrator"},
    "look": ALL,
    "tour": ALL,
    "palette": ALL,
    "setup": {"administrator", "manager"},
    "consultations": {"expert", "approver", "team_lead", "manager"},
    "visits": {"surveyor", "handler", "team_lead", "manager"},
    "visits-worker": ALL,
    "visit": {"surveyor", "handler", "team_lead", "manager"},
    "visit-photo": {"surveyor", "handler", "team_lead", "manager"},
    "visit-small": {"surveyor", "handler", "team_lead", "manager"},
}
POSTED = {
    "claim-unmask",
    "claim-upload",
    "work-take",
    "work-bulk",
    "work-bulk-undo",
    "work-view-keep",
    "work-view-change",
    "bank-submit",
    "bank-release",
    "bank-upload",
    "bank-cleared",
    "absence-end",
    "delegation-end",
    "token-revoke",
    "webhook-stop",
    "webhook-again",
    "staff-session-end",
    "visit-photo",
}
ON_CLAIM = {
    "claim",
    "claim-pulse",
    "claim-unmask",
    "claim-upload",
    "claim-document",
    "claim-letter",
    "claim-act",
    "part-act",
    "receipt",
}
ARGS = {
    "message-letter": lambda n: ["receipt", "en"],
    "bank-file": lambda n: ["read", "x.xml"],
    "bank-cleared": lambda n: [1],
    "work-bulk-done": lambda n: [1],
    "work-bulk-undo": lambda n: [1],
    "work-view-change": lambda n: [1],
    "claim-document": lambda n: [n, 1],
    "claim-letter": lambda n: [n, "receipt"],
    "claim-act": lambda n: [n, "add_note"],
    "part-act": lambda n: [n, "exposures", "1", "set_reserve"],
    "visit": lambda n: [n, 1],
    "visit-photo": lambda n: [n, 1],
    "visit-small": lambda n: [n, 1, 1],
    "norm": lambda n: ["triage"],
    "norm-version": lambda n: ["triage", 1],
    "norm-edit": lambda n: ["assignment"],
    "staff-edit": lambda n: [1],
    "absence-end": lambda n: [1],
    "delegation-end": lambda n: [1],
    "token-revoke": lambda n: ["x"],
    "webhook-stop": lambda n: [1],
    "webhook-again": lambda n: [1],
    "staff-session-end": lambda n: [1, 1],
}


def address(name: str, number: str) -> str:
    args = ARGS[name](number) if name in ARGS else [number] if name in ON_CLAIM else []
    return reverse(f"console:{name}", args=args)


def code_of(role: str) -> str:
    return {"team_lead": "lead1", "administrator": "admin1"}.get(role, f"{role}1")


def ask(client, name: str, number: str, role: str = "") -> int:
    where = address(name, number)
    if name == "norm-edit" and role == "administrator":
        where = reverse("console:norm-edit", args=["settings"])  # an administrator edits other tables than a team lead
    return (client.post(where) if name in POSTED else client.get(where)).status_code


def test_every_address_has_its_row():
    names = [p.name for p in urlpatterns]
    assert len(names) == len(set(names))
    assert set(names) == set(access.PAGES) == set(EXPECTED)
    assert all(hasattr(p.callback, "permission") for p in urlpatterns), "an address without its guard"


def patterns(resolver: URLResolver, prefix: str = ""):
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            yield from patterns(one, prefix + str(one.pattern))
        elif isinstance(one, URLPattern):
            yield prefix + str(one.pattern), one


def test_nothing_of_the_console_stands_outside_the_table():
    guarded = {p.callback for p in urlpatterns}
    for route, one in patterns(get_resolver()):
        if route.startswith("console/"):
            assert one.callback in guarded, route
        if (one.callback.__module__ or "").startswith("lipei.web.console"):
            assert route.startswith("console/"), route


FOR_ANYBODY = {
    "", "favicon.ico", "enter/", "report/", "language/", "theme/", "accounts/login/", "accounts/logout/", "accounts/inactive/",
    "accounts/signup/", "accounts/email/", "accounts/confirm-email/", "accounts/password/set/", "accounts/password/reset/",
    "accounts/login/code/confirm/", "accounts/^confirm-email/(?P<key>[-:\\w]+)/$", "accounts/password/reset/key/done/",
    "accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$", "accounts/password/reset/done/",
    "accounts/2fa/authenticate/",
    "^accounts/(?:signup|email|confirm-email|password/reset|password/set|login/code|phone)/",
}  # fmt: skip
"""Pages that need no sign-in: choices, signing in itself, and what an administrator is asked for instead."""
FOR_WHOEVER_SIGNED_IN = {
    "accounts/reauthenticate/", "accounts/password/change/", "accounts/2fa/", "accounts/2fa/reauthenticate/",
    "accounts/2fa/totp/activate/", "accounts/2fa/totp/deactivate/", "accounts/2fa/recovery-codes/",
    "accounts/2fa/recovery-codes/generate/", "accounts/2fa/recovery-codes/download/", "accounts/sessions/",
    "accounts/sessions/<int:session_id>/end/",
}  # fmt: skip
FOR_CUSTOMERS = (
    "claim/", "c/<str:token>", "help/", "text-size/", "manifest.webmanifest", "worker.js", "offline/<str:spoken>/",
)  # fmt: skip
FOR_PROGRAMS = ("api", "healthz", "readyz", "metrics")
"""Guarded by the portal and by the API, and tested there."""


def test_an_address_outside_the_console_has_its_row_too():
    found = {route for route, _ in patterns(get_resolver())}
    rest = {r for r in found if not r.startswith(("console/", *FOR_CUSTOMERS, *FOR_PROGRAMS))}
    assert rest == FOR_ANYBODY | FOR_WHOEVER_SIGNED_IN


@pytest.mark.parametrize("route", sorted(FOR_WHOEVER_SIGNED_IN))
def test_ones_own_account_is_for_whoever_signed_in(db, client, route):
    where = f"/{route.replace('<int:session_id>', '1')}"
    answer = client.post(where) if where.endswith("/end/") else client.get(where)
    assert answer.status_code == 302 and answer.url.startswith("/accounts/login/"), route


@pytest.mark.parametrize("role", ROLES)
def test_role_by_address(office, browser, claim, handler_code, monkeypatch, role):
    monkeypatch.setattr(bank, "turn", lambda **_: 0)  # the bank is not spoken to here
    client = browser(handler_code if role == "handler" else code_of(role))
    for name, roles in EXPECTED.items():
        status = ask(client, name, claim, role)
        if role == "expert" and name in ON_CLAIM:
            assert status in (403, 404)  # nobody asked this expert: the claim does not exist for them
        elif role not in roles:
            assert status == 403, (role, name, status)
        else:
            assert status != 403, (role, name, status)
            assert status < 500, (role, name, status)


def test_claims_out_of_scope_do_not_exist(office, browser):
    """A claim of another unit, handled by another: only who works for the whole company finds it."""
    number = reported(office)
    models.Claim.objects.filter(number=number).update(unit="beijing", handler=office.rows["manager2"].id)
    clients = {role: browser(code_of(role)) for role in ROLES}
    for role, name in itertools.product(ROLES, sorted(ON_CLAIM)):
        if role not in EXPECTED[name]:
            continue
        status = ask(clients[role], name, number)
        seen = role in COMPANY_WIDE
        if name == "claim-document":
            assert status == 404  # there is no file either
        elif not seen:
            assert status == 404, (role, name, status)
        else:
            assert status < 400, (role, name, status)


def test_strangers_are_sent_to_sign_in(client, claim):
    for name in EXPECTED:
        where = address(name, claim)
        answer = client.post(where) if name in POSTED else client.get(where)
        assert answer.status_code == 302 and answer.url.startswith("/accounts/login/"), name


def test_a_user_without_staff_record_may_nothing(office, browser, claim):
    client = browser("handler1")
    models.Staff.objects.filter(code="handler1").update(active=False)
    assert {ask(client, name, claim) for name in EXPECTED} == {403}


def test_buttons_are_the_table(office, browser, claim, handler_code):
    """A claim's page offers exactly what the lifecycle table lets each role do, and nothing more."""
    for role in sorted(SEES_CLAIMS - {"expert"}):
        code = handler_code if role == "handler" else code_of(role)
        page = browser(code).get(f"/console/claims/{claim}/").content.decode()
        shown = set(re.findall(rf'(?:href|action)="/console/claims/{claim}/((?:[a-z]+/(?:new|\d+)/)?[a-z_]+)/"', page))
        found = reads.find(claim, viewer=getattr(office, code))
        offered = {
            address_of(claim, step, part).removeprefix(f"/console/claims/{claim}/").rstrip("/")
            for step, part in lifecycle.possible(
                case=found.raw, actor=getattr(office, code), book=found.rulebook, now=NOW
            )
        }
        assert offered, role
        assert shown - {"unmask", "upload"} == offered, role
