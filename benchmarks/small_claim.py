"""An eligible small claim from the report to the money and the news of it: the product's own work, polls not counted."""

from __future__ import annotations

from benchmarks import application, company, straight
from benchmarks.figures import Figure, percentile
from benchmarks.options import Options

WARM, COUNTED = 5, 60


def run(options: Options) -> list[Figure]:
    """95th percentile of the whole way, and the medians of its parts."""
    company.set_up()
    now = straight.working_hour()
    application.set_clock(now)
    company.colleagues()
    company.policies(2 * (WARM + COUNTED), now=now)
    secret = company.token()
    taken = straight.settled(secret, WARM + COUNTED, now)[WARM:]
    whole = [sum(seconds.values()) * 1000 for seconds in taken]
    parts = {part: percentile([seconds[part] * 1000 for seconds in taken], 50) for part in taken[0]}
    said = ", ".join(f"{part} {ms:.0f} ms" for part, ms in parts.items())
    return [
        Figure(
            "small claim, report to paid and told, p95",
            percentile(whole, 95),
            "ms",
            at_most=300,
            note=f"median {percentile(whole, 50):.0f} ms: {said}; {COUNTED} claims",
        )
    ]
