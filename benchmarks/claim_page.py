"""The page of a claim with a long history, in a company of a thousand claims and in one of a million."""

from __future__ import annotations

from datetime import UTC, datetime

from benchmarks import application, company, database, http, server
from benchmarks.figures import Figure, percentile
from benchmarks.options import Options
from benchmarks.reports import body, database_url

ENTRIES = 200
CLAIMS = 20
COUNTED = 120


def run(options: Options) -> list[Figure]:
    """The 95th percentile of the console's page and of the API's answer, over claims with so many entries each, and the
    number of queries in either company."""
    company.set_up()
    from django.conf import settings

    url, now = database_url(settings.DATABASES["default"]), datetime.now(UTC)
    company.colleagues()
    company.policies(CLAIMS + 1, now=now)
    secret = company.token()
    user, token = company.member("manager")
    numbers = [_with_history(secret, n, now) for n in range(CLAIMS)]
    another = str(application.post(secret, "/api/v1/claims", body(CLAIMS, now))["number"])
    cookie, bearer = http.cookie(user), company.bearer(token)
    pages = [f"/console/claims/{number}/" for number in numbers]
    answers = [f"/api/v1/claims/{number}/timeline" for number in numbers]

    def queries(claims: int, open_claims: int) -> tuple[int, int]:
        """Those of a page and of an answer when the company has so many claims."""
        company.multiply(another, claims, open_claims)
        database.tidy(url)
        return application.queries(pages[0], cookie), application.queries(answers[0], bearer)

    few, many = queries(company.SMALL, company.SMALL_OPEN), queries(options.claims, options.open_claims)
    with server.serving(workers=1, threads=options.threads) as port:
        page = http.latencies_ms(port, pages, cookie, counted=COUNTED)
        timeline = http.latencies_ms(port, answers, bearer, counted=COUNTED)
    more = max(m - f for f, m in zip(few, many, strict=True))
    note = f"{CLAIMS} claims of {ENTRIES} entries each; {options.claims:,} claims, {options.open_claims:,} open"
    return [
        Figure("claim page, p95", percentile(page, 95), "ms", at_most=100, note=note),
        Figure("timeline by the API, p95", percentile(timeline, 95), "ms", note=note),
        Figure("queries more than with 1,000 claims", more, "", at_most=0, note=f"page {many[0]}, API {many[1]}"),
    ]


def _with_history(secret: str, n: int, now: datetime) -> str:
    """A claim on which people wrote notes until its journal was long enough."""
    from lipei.domain.commands import Write
    from lipei.domain.events import Actor, Refusal
    from lipei.services import actions
    from lipei.store import models

    number = str(application.post(secret, "/api/v1/claims", body(n, now))["number"])
    claim = models.Claim.objects.get(number=number)
    handler = Actor(f"staff:{claim.handler}", "", frozenset({"handler"}), claim.unit)
    there = models.Entry.objects.filter(stream_id=claim.id).count()
    for at in range(ENTRIES - there):
        said = Write(f"第{at}次联系客户：已电话说明下一步所需材料，客户表示明天上传照片。")
        done = actions.act(number, "claim", "add_note", 0, said, actor=handler, now=now)
        assert not isinstance(done, Refusal), done
    assert models.Entry.objects.filter(stream_id=claim.id).count() >= ENTRIES
    return number
