"""The worklist, page and API, on a company of a thousand claims and on one of a million."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from benchmarks import application, company, database, http, server
from benchmarks.figures import Figure, percentile, say
from benchmarks.options import Options
from benchmarks.reports import body, database_url

ROLES = ("handler", "team_lead", "manager")
"""Whose work it is: one's own, the unit's, everybody's."""
COUNTED = 60
PAGE, ANSWER = "/console/work/", "/api/v1/worklist"


def run(options: Options) -> list[Figure]:
    """The 95th percentile for the slowest of the roles, and the number of queries on either company."""
    company.set_up()
    from django.conf import settings

    url = database_url(settings.DATABASES["default"])
    company.colleagues()
    company.policies(1, now=datetime.now(UTC))
    secret = company.token()
    members = {role: company.member(role) for role in ROLES}
    number = application.post(secret, "/api/v1/claims", body(0, datetime.now(UTC)))["number"]
    company.multiply(number, company.SMALL, company.SMALL_OPEN)
    database.tidy(url)
    few = {role: _queries(member) for role, member in members.items()}
    company.multiply(number, options.claims, options.open_claims)
    database.tidy(url)
    many = {role: _queries(member) for role, member in members.items()}
    pages, answers = {}, {}
    with server.serving(workers=1, threads=options.threads) as port:
        for role, (user, token) in members.items():
            pages[role] = percentile(http.latencies_ms(port, [PAGE], http.cookie(user), counted=COUNTED), 95)
            taken = http.latencies_ms(port, [ANSWER], company.bearer(token), counted=COUNTED)
            answers[role] = percentile(taken, 95)
            say(f"  {role}: page {pages[role]:.0f} ms, API {answers[role]:.0f} ms")
    size = f"{options.claims:,} claims, {options.open_claims:,} open"
    more = max(m - f for role in ROLES for f, m in zip(few[role], many[role], strict=True))
    said = "; ".join(f"{role}: page {p}, API {a}" for role, (p, a) in many.items())
    return [
        Figure("worklist page, p95", max(pages.values()), "ms", at_most=150, note=_by_role(pages, size)),
        Figure("worklist API, p95", max(answers.values()), "ms", at_most=150, note=_by_role(answers, size)),
        Figure("queries more than with 1,000 claims", more, "", at_most=0, note=said),
    ]


def _by_role(taken: dict[str, float], size: str) -> str:
    return size + "; " + ", ".join(f"{role} {ms:.0f}" for role, ms in taken.items())


def _queries(member: tuple[Any, str]) -> tuple[int, int]:
    """The queries of the page and of the API's answer."""
    user, token = member
    return application.queries(PAGE, http.cookie(user)), application.queries(ANSWER, company.bearer(token))
