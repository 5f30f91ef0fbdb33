"""Real claims taken once more, as new reports through the HTTP API: triage, assignment, clocks and notices of each."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from benchmarks import company, load, server, tsa
from benchmarks.figures import Figure, percentile, say
from benchmarks.options import Options

ALL = 10**9


def run(options: Options) -> list[Figure]:
    """How many were taken and at what rate, and that every one has its handler or queue, clocks and notice."""
    if not tsa.files(options.tsa):
        say("  the TSA files are not here: nothing to replay")
        return [Figure("real claims replayed", 0, "", note="the TSA files are not on this machine")]
    company.set_up()
    company.colleagues()
    secret = company.token()
    now = datetime.now(UTC)
    chosen = islice(tsa.claims(options.tsa), options.replay or ALL)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {secret}"}
    requests = [
        {"path": "/api/v1/claims", "headers": {**headers, "Idempotency-Key": one.number}, "body": _report(one, now, n)}
        for n, one in enumerate(chosen)
    ]
    say(f"  {len(requests)} claims are sent")
    with server.serving(workers=options.workers, threads=options.threads) as port:
        measured = load.put_on(port, requests, connections=options.connections, seconds=ALL)
    assert set(measured.statuses) == {"201"}, measured.first_wrong[:2000]
    lanes, lacking = _looked_at()
    return [
        Figure("real claims replayed", measured.statuses["201"], "", note=", ".join(f"{k} {n}" for k, n in lanes)),
        Figure("of them without handler or queue, clocks or notice", lacking, "", at_most=0),
        Figure("rate of the replay", measured.rate(), "/s", note=f"p99 {percentile(measured.latencies_ms, 99):.0f} ms"),
    ]


def _report(claim: Any, now: datetime, n: int) -> dict[str, Any]:
    """A closed claim as its owner would report it today: the same kind, place, thing and sum, at a time of late."""
    site, item = claim.facts.get("site") or "", claim.facts.get("item") or ""
    story = ", ".join(
        part for part in (claim.line, claim.loss_kind, site, item, claim.facts.get("carrier") or "") if part
    )
    said: dict[str, Any] = {
        "story": f"{story} ({claim.number})",
        "phone": f"1391{n % 10_000_000:07d}",
        "line": claim.line,
        "loss_at": (now - timedelta(hours=3, minutes=n % 40_000)).isoformat(),
        "place": claim.place[:100],
        "language": "en",
        "external_number": claim.external_number,
    }
    if claim.loss_kind:
        said["loss_kind"] = claim.loss_kind
    if claim.claimed_minor or claim.paid_minor:
        minor = claim.claimed_minor or claim.paid_minor
        said["estimate"] = {"amount": f"{minor // 100}.{minor % 100:02d}", "currency": claim.currency}
    return said


def _looked_at() -> tuple[list[tuple[str, int]], int]:
    """Claims by lane, and how many lack somebody who is responsible, a clock or a notice."""
    from django.db.models import Exists, OuterRef, Q

    from lipei.store import models

    lanes = Counter(models.Claim.objects.values_list("lane", flat=True))
    clock = Exists(models.Clock.objects.filter(aggregate_id=OuterRef("id")))
    notice = Exists(models.Delivery.objects.filter(stream_id=OuterRef("id")))
    whole = ~Q(handler=None, unit="") & clock & notice
    return sorted(lanes.items()), models.Claim.objects.exclude(whole).count()
