"""Letters as customers get them, warm, a different one each time: from the delivery's row to the finished PDF."""

from __future__ import annotations

import time
from datetime import datetime

from benchmarks import application, company, straight
from benchmarks.figures import Figure, percentile
from benchmarks.options import Options

CLAIMS, WARM = 40, 3


def run(options: Options) -> list[Figure]:
    """Per kind of letter that small claims cause the 95th percentile, and the bar on all of them."""
    company.set_up()
    now = straight.working_hour()
    application.set_clock(now)
    company.colleagues()
    company.policies(2 * CLAIMS, now=now)
    secret = company.token()
    straight.settled(secret, CLAIMS, now)
    taken = _taken(now)
    everything = [ms for kind in taken.values() for ms in kind]
    kinds = "; ".join(f"{kind}: median {percentile(ms, 50):.1f} ms of {len(ms)}" for kind, ms in sorted(taken.items()))
    return [Figure("letter, warm, p95", percentile(everything, 95), "ms", at_most=50, note=kinds)]


def _taken(now: datetime) -> dict[str, list[float]]:
    """Milliseconds of each letter by its kind, without the first few of each kind."""
    from lipei.domain.claims import Case
    from lipei.services import norms
    from lipei.services.deliveries.composing import compose
    from lipei.store import aggregates, models

    rulebook = norms.current()
    taken: dict[str, list[float]] = {}
    rows = models.Delivery.objects.exclude(letter="").exclude(party=0).order_by("id")
    for row in rows:
        loaded = aggregates.load(Case, row.stream_id)
        assert loaded is not None
        begun = time.perf_counter()
        composed = compose(row, loaded.aggregate, rulebook, now=now)
        milliseconds = (time.perf_counter() - begun) * 1000
        if composed.letter_digest:
            taken.setdefault(row.letter, []).append(milliseconds)
    return {kind: found[WARM:] for kind, found in taken.items() if len(found) > WARM}
