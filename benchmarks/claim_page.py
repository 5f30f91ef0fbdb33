"""The page of a claim with a long history."""

from __future__ import annotations

from datetime import UTC, datetime

from benchmarks import application, company, http, server
from benchmarks.figures import Figure, percentile
from benchmarks.options import Options
from benchmarks.reports import body

ENTRIES = 200
CLAIMS = 20
COUNTED = 120


def run(options: Options) -> list[Figure]:
    """The 95th percentile of the console's page and of the API's answer, over claims with so many entries each."""
    company.set_up()
    now = datetime.now(UTC)
    company.colleagues()
    company.policies(CLAIMS, now=now)
    secret = company.token()
    user, token = company.member("manager")
    numbers = [_with_history(secret, n, now) for n in range(CLAIMS)]
    with server.serving(workers=1, threads=options.threads) as port:
        pages = [f"/console/claims/{number}/" for number in numbers]
        page = http.latencies_ms(port, pages, http.cookie(user), counted=COUNTED)
        bearer = {"Authorization": f"Bearer {token}"}
        answers = [f"/api/v1/claims/{number}/timeline" for number in numbers]
        timeline = http.latencies_ms(port, answers, bearer, counted=COUNTED)
    note = f"{CLAIMS} claims of {ENTRIES} entries each"
    return [
        Figure("claim page, p95", percentile(page, 95), "ms", at_most=100, note=note),
        Figure("timeline by the API, p95", percentile(timeline, 95), "ms", note=note),
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
