"""Reports through the HTTP API, complete and durable, beside the rate at which PostgreSQL alone commits the same rows.

Both rates are taken in this run, on the same server, on the same cores, load generator included. Rounds of peer and
product alternate, so that whatever else the machine does weighs on both; the figure is the median of the rounds.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks import application, company, database, load, peer, server
from benchmarks.figures import Figure, percentile, say
from benchmarks.options import Options

POLICIES = 2000
ROUNDS = 3
REPORTS_PER_SECOND_MAX = 600


def run(options: Options) -> list[Figure]:
    """Rate as a share of the peer's, latency, statements and processor time of one report."""
    company.set_up()
    from django.conf import settings

    now = datetime.now(UTC)
    company.colleagues()
    company.policies(POLICIES, now=now)
    secret = company.token()
    url = database_url(settings.DATABASES["default"])
    statements, milliseconds, claim_id = _in_process(secret, now)
    shares, rates, peers, latencies = [], [], [], []
    text, rows = peer.script(url, claim_id)
    with (
        tempfile.NamedTemporaryFile("w", suffix=".sql") as file,
        server.serving(workers=options.workers, threads=options.threads) as port,
    ):
        file.write(text)
        file.flush()
        load.put_on(port, requests(secret, now, 200, "warm"), connections=options.connections, seconds=5)
        for turn in range(ROUNDS):
            alone = database.pgbench(url, file.name, clients=options.connections, seconds=max(3, options.seconds // 2))
            assert not alone.get("failed"), "pgbench had failures"
            some = requests(secret, now, options.seconds * REPORTS_PER_SECOND_MAX, f"round{turn}")
            measured = load.put_on(port, some, connections=options.connections, seconds=options.seconds)
            assert set(measured.statuses) == {"201"}, measured.first_wrong[:2000]
            shares.append(measured.rate() / alone["tps"])
            rates.append(measured.rate())
            peers.append(alone["tps"])
            latencies.append(percentile(measured.latencies_ms, 99))
            say(f"  {rates[-1]:.0f}/s beside {peers[-1]:.0f}/s, p99 {latencies[-1]:.0f} ms")
    note = f"{options.connections} connections, {options.workers} web processes of {options.threads} threads"
    return [
        Figure(
            "reports beside pgbench committing the same rows",
            statistics.median(shares),
            "",
            at_least=0.04,
            note="aim 0.08",
        ),
        Figure("reports", statistics.median(rates), "/s", note=note),
        Figure(
            "pgbench", statistics.median(peers), "/s", note=f"{rows} rows each, {options.connections} clients, prepared"
        ),
        Figure("p99", statistics.median(latencies), "ms", at_most=80),
        Figure("statements of a report", statements, "", at_most=14, note="BEGIN and COMMIT not counted"),
        Figure(
            "processor time of a report in process", milliseconds, "ms", note="from request to answer, without Granian"
        ),
    ]


def database_url(described: dict[str, Any]) -> str:
    """The URL of the database that Django uses."""
    secret = f":{described['PASSWORD']}" if described["PASSWORD"] else ""
    return (
        f"postgresql://{described['USER']}{secret}@{described['HOST']}:{described['PORT'] or 5432}/{described['NAME']}"
    )


def requests(secret: str, now: datetime, count: int, series: str) -> list[dict[str, Any]]:
    """Reports on policies of many customers, each with a key of its own."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {secret}"}
    return [
        {"path": "/api/v1/claims", "headers": {**headers, "Idempotency-Key": f"{series}-{n}"}, "body": body(n, now)}
        for n in range(count)
    ]


def body(n: int, now: datetime) -> dict[str, Any]:
    """An ordinary report of the small sort: a bumper against a post, an estimate, photos to follow."""
    at = now - timedelta(minutes=7 * (n % 20_000) + 60)
    cents = 90_000 + 100 * (n % 1500)
    amount = {"amount": f"{cents // 100}.{cents % 100:02d}", "currency": "CNY"}
    return {
        "story": "今天早上倒车时撞到停车场的柱子，后保险杠破损，漆面刮伤，无人受伤。",
        "policy_number": company.policy_number("private_car", n % POLICIES),
        "phone": f"139{n % POLICIES:08d}",
        "name": "王小明",
        "line": "motor",
        "loss_kind": "single_vehicle",
        "loss_at": at.isoformat(),
        "place": "上海市徐汇区漕溪北路停车场",
        "estimate": amount,
        "exposures": [
            {"cover": "own_damage", "peril": "single_vehicle", "items": [{"what": "后保险杠", "claimed": amount}]}
        ],
    }


def _in_process(secret: str, now: datetime) -> tuple[int, float, int]:
    """Statements of one report, processor time of a report in ms (the least of several batches), and a claim's id."""
    from lipei.store import models

    for n in range(30):
        _post(secret, n, now)
    count = application.statements(lambda: _post(secret, 30, now))
    batches = []
    for batch in range(8):
        begun = time.process_time()
        for n in range(25):
            _post(secret, 31 + 25 * batch + n, now)
        batches.append((time.process_time() - begun) / 25 * 1000)
    answer = _post(secret, 31 + 200, now)
    return count, min(batches), int(models.Claim.objects.get(number=answer["number"]).id)


def _post(secret: str, n: int, now: datetime) -> dict[str, Any]:
    return application.post(secret, "/api/v1/claims", body(n, now), **{"Idempotency-Key": f"in-process-{n}"})
