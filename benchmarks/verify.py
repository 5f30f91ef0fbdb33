"""`lipei verify` over a journal of claims with everything that a report starts: rows, clocks, digests, indexes."""

from __future__ import annotations

from datetime import UTC, datetime

from benchmarks import application, company
from benchmarks.figures import Figure
from benchmarks.options import Options
from benchmarks.reports import body

REPORTS = 3000
POLICIES = 2000


def run(options: Options) -> list[Figure]:
    """Entries a second, of the comparison itself."""
    company.set_up()
    from lipei.domain.registers import PolicyRegister
    from lipei.services import registers, verify

    now = datetime.now(UTC)
    company.colleagues()
    company.policies(POLICIES, now=now)
    registers.begin(PolicyRegister, now=now)
    secret = company.token()
    for n in range(REPORTS):
        application.post(secret, "/api/v1/claims", body(n, now))
    reports = [verify.run(now=now) for _ in range(3)]
    for report in reports:
        assert report.clean, report.differences[:5]
    best = sorted(reports, key=lambda report: report.seconds)[1]
    return [
        Figure(
            "verify", best.entries / best.seconds, "entries/s", at_least=20_000,
            note=f"{best.entries:,} entries of {best.streams:,} streams, {best.entries / best.streams:.1f} each; median of 3",
        )
    ]  # fmt: skip
