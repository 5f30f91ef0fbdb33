"""Processes are killed with SIGKILL at random under load, again and again; afterwards nothing is lost or done twice.

Killed are a web server, workers, an import, and the programs that report; workers also between the bank's intent and
its handing over, and around the handing over of a message. Well under a minute in the suite; LIPEI_TEST_CRASH_SECONDS
makes it longer. Runs on the kind of database that the tests run on, in an installation of its own.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.crash import load
from tests.jobs.installations import FOUND, Installation, free_port, installation

pytestmark = pytest.mark.slow

SECONDS = float(os.environ.get("LIPEI_TEST_CRASH_SECONDS", "6"))
# What a worker would have done by the next day: all leases have run out, and quiet hours are over.
SETTLE = """
from datetime import UTC, datetime, timedelta
from lipei.jobs import loop
now = datetime.now(UTC)
for minutes in (3, 6, 12, 40, 120, 900, 910, 920, 960):
    loop.settle(now + timedelta(minutes=minutes), turns_max=400)
"""

LOOK = """
import json, sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from django.conf import settings
from lipei.store import models
keys = dict(models.IdempotencyKey.objects.values_list("key", "claim_id"))
numbers = dict(models.Claim.objects.exclude(channel="import").values_list("id", "number"))
imported = models.Claim.objects.filter(channel="import").values_list("number", flat=True)
clocks = Counter(models.Clock.objects.values_list("aggregate_id", flat=True))
receipts = models.Delivery.objects.filter(message="receipt").values_list("stream_id", "state")
confirmed = models.Entry.objects.filter(kind="payment.confirmed").values_list("stream_id", "part")
book = list((Path(settings.LIPEI_HOME) / "bank" / "orders").rglob("*.json"))
print(json.dumps({
    "keys": {k: numbers.get(c) for k, c in keys.items()},
    "claims": sorted(numbers.values()),
    "imported": sorted(imported),
    "clocks": {numbers[i]: n for i, n in clocks.items()},
    "receipts": [[numbers.get(i), s] for i, s in receipts],
    "payments": [[n, p, s, a] for n, p, s, a in
                 models.Payment.objects.exclude(end_to_end_id="").values_list("aggregate_id", "part", "state", "end_to_end_id")],
    "confirmed": [list(row) for row in confirmed],
    "booked": [json.loads(p.read_text())["end_to_end_id"] for p in book],
    "outbox": len(list((Path(settings.LIPEI_HOME) / "outbox" / "sms").glob("*.json"))),
    # What has been due by then; a warning of the last minutes is still asked about later.
    "waiting": models.Delivery.objects.filter(
        state__in=("queued", "sending", "asking"), due_at__lte=datetime.now(UTC) + timedelta(minutes=950)).count(),
    "intents": Counter(models.BankMessage.objects.filter(direction="out").values_list("message_id", flat=True)).most_common(3),
}))
"""


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("target") / "home") as made:
        assert made.lipei("migrate").returncode == 0
        # Policies that are in force on the day the test runs.
        made.python(
            FOUND
            + """
from datetime import UTC, datetime, timedelta
from tests.company import policy
from tests.crash import load
from lipei.store import models
car = {"own_damage": {"sum_insured_minor": 15000000, "deductible_minor": 50000}}
for n in range(load.CARS):
    policy(f"CAR-{n}", "private_car", car, name="王小明", phone=load.phone(n), plate=f"沪B{n:05d}", seed=100 + n)
now = datetime.now(UTC)
models.Policy.objects.update(starts_at=now - timedelta(days=200), ends_at=now + timedelta(days=165))
"""
        )
        yield made


def test_nothing_acknowledged_is_lost_and_nothing_is_done_twice(target: Installation, tmp_path: Path) -> None:
    folder = tmp_path / "ledgers"
    folder.mkdir()
    token = json.loads(target.lipei("token", "crash", "--scope", "claims:write", "--json").stdout)["token"]
    command = ("-m", "tests.crash.nursery", str(folder), str(SECONDS), str(free_port()), token)
    nursery = target.start(*command, log=tmp_path / "nursery.log")
    try:
        assert nursery.wait(timeout=SECONDS * 16) == 0, (tmp_path / "nursery.log").read_text()[-3000:]
    finally:
        nursery.kill()
    text = "".join(file.read_text() for file in folder.glob("*.ledger"))
    acknowledged = dict(line.split() for line in text.splitlines() if len(line.split()) == 2)
    kills = json.loads((folder / "kills.json").read_text())
    assert sum(kills.values()) >= 12 and len(acknowledged) >= 12, (kills, len(acknowledged))
    assert {"serve", "work-1", "work-2", "report-a", "import"} <= set(kills), kills
    assert any(key.startswith("call") for key in acknowledged), "nothing came through the API"
    target.python(SETTLE)
    imported = json.loads(target.lipei("import", "claims", folder / "history.csv", "--json").stdout.splitlines()[-1])
    assert imported["read"] == imported["imported"] + imported["unchanged"] == load.IMPORTED, imported
    seen = json.loads(target.python(LOOK))
    check(seen, acknowledged)
    assert seen["imported"] == [f"H-OLD-{n:06d}" for n in range(load.IMPORTED)]
    print(f"{len(acknowledged)} reports acknowledged, {len(seen['confirmed'])} payments, killed: {kills}")
    verified = target.lipei("verify")
    assert verified.returncode == 0, verified.stdout


def check(seen: dict[str, Any], acknowledged: dict[str, str]) -> None:
    """Every acknowledged report is there once, with clocks and notice; every payment was made once."""
    claims = seen["claims"]
    for key, number in acknowledged.items():
        assert seen["keys"][key] == number, key
        assert claims.count(number) == 1, number
        assert seen["clocks"].get(number, 0) > 0, number
    told = [number for number, _ in seen["receipts"]]
    assert sorted(told) == claims  # one receipt for each claim there is, acknowledged or not
    assert {state for _, state in seen["receipts"]} <= {"sent", "delivered"}
    assert seen["waiting"] == 0
    assert seen["outbox"] >= len(claims)
    paid = [tuple(row) for row in seen["confirmed"]]
    assert len(paid) == len(set(paid)), "a payment was confirmed twice"
    assert len(seen["booked"]) == len(set(seen["booked"])), "an order is in the bank's book twice"
    names = [name for _, _, _, name in seen["payments"]]
    assert len(names) == len(set(names)) and set(seen["booked"]) <= set(names)
    assert all(times == 1 for _, times in seen["intents"])
    assert paid, "no money moved: the test shows less than it says"
    assert {state for _, _, state, _ in seen["payments"]} == {"confirmed"}
