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
SMALL, SMALL_OPEN = 1000, 100
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
    _multiply(number, SMALL, SMALL_OPEN)
    database.tidy(url)
    few = {role: _queries(member) for role, member in members.items()}
    _multiply(number, options.claims, options.open_claims)
    database.tidy(url)
    many = {role: _queries(member) for role, member in members.items()}
    pages, answers = {}, {}
    with server.serving(workers=1, threads=options.threads) as port:
        for role, (user, token) in members.items():
            pages[role] = percentile(http.latencies_ms(port, [PAGE], http.cookie(user), counted=COUNTED), 95)
            bearer = {"Authorization": f"Bearer {token}"}
            answers[role] = percentile(http.latencies_ms(port, [ANSWER], bearer, counted=COUNTED), 95)
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
    """The queries of the page and of the API's answer, when everything that is kept in memory is there."""
    user, token = member
    found = []
    for path, headers in ((PAGE, http.cookie(user)), (ANSWER, {"Authorization": f"Bearer {token}"})):

        def ask(path: str = path, headers: dict[str, str] = headers) -> None:
            status, content = application.call("GET", path, headers=headers)
            assert status == 200, (path, status, content.decode()[-3000:])

        ask()
        found.append(application.statements(ask))
    return found[0], found[1]


def _multiply(number: str, claims: int, open_claims: int) -> None:
    """Copies of a claim with its party and clocks, until there are so many: the first ones open, the others closed.

    The copies differ in what lists are sorted and narrowed by: handler, due times, dates, fast lane and state.
    """
    from django.db import connection

    from lipei.store import models

    columns = {
        "id": "o.id + g.n",
        "number": "'M' || g.n",
        "state": f"CASE WHEN g.n <= {open_claims} THEN o.state ELSE 'closed' END",
        "outcome": f"CASE WHEN g.n <= {open_claims} THEN '' ELSE 'paid' END",
        "handler": "(SELECT min(id) FROM staff) + g.n % " + str(company.HANDLERS),
        "fast_lane": "g.n % 50 = 0",
        "due_at": f"CASE WHEN g.n <= {open_claims} THEN o.due_at + make_interval(mins => (g.n % 20000)::int) END",
        "reported_at": "o.reported_at - make_interval(mins => (g.n % 500000)::int)",
        "loss_at": "o.loss_at - make_interval(mins => (g.n % 500000)::int)",
        "closed_at": f"CASE WHEN g.n <= {open_claims} THEN NULL ELSE o.reported_at END",
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM claim WHERE number = %s", [number])
        (origin,) = cursor.fetchone()
        cursor.execute("DELETE FROM clock WHERE aggregate_id > %s", [origin])
        cursor.execute("DELETE FROM party WHERE aggregate_id > %s", [origin])
        cursor.execute("DELETE FROM claim WHERE id > %s", [origin])
        series = f"generate_series(1, {claims - 1}) AS g(n)"
        copied(cursor, models.Claim, columns, series, f"o.id = {origin}")
        copied(cursor, models.Party, {"aggregate_id": "o.aggregate_id + g.n"}, series, f"o.aggregate_id = {origin}")
        later = {
            "aggregate_id": "o.aggregate_id + g.n",
            "due_at": "o.due_at + make_interval(mins => (g.n % 20000)::int)",
        }
        series = f"generate_series(1, {open_claims - 1}) AS g(n)"
        copied(cursor, models.Clock, later, series, f"o.aggregate_id = {origin}")


def copied(cursor: Any, model: Any, other: dict[str, str], series: str, which: str) -> None:
    fields = [field for field in model._meta.concrete_fields if field.name in other or field.name != "id"]
    into = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(other.get(field.name, f'o."{field.column}"') for field in fields)
    table = f'"{model._meta.db_table}"'
    cursor.execute(f"INSERT INTO {table} ({into}) SELECT {values} FROM {table} o, {series} WHERE {which}")
