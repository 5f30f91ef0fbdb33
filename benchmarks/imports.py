"""Closed claims of another system, imported by the command that an operator would use."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import company, tsa
from benchmarks.figures import Figure, say
from benchmarks.options import Options


def run(options: Options) -> list[Figure]:
    """Claims a second with journal, and the most memory; of the real files where they are, else of one made here."""
    company.set_up()
    with tempfile.TemporaryDirectory(prefix="lipei-bench-import-") as folder:
        files = tsa.files(options.tsa)
        if not files:
            say("  the TSA files are not here: a file made for the purpose is imported instead")
            files = [_made(Path(folder) / "closed-claims.csv", options.import_claims)]
        imported, seconds, kilobytes = 0, 0.0, 0
        for file in files:
            said, took, most = _imported(file, Path(folder))
            say(f"  {file.name}: {said['imported']} of {said['read']} in {took:.1f} s, {most / 1024:.0f} MB")
            imported, seconds, kilobytes = imported + said["imported"], seconds + took, max(kilobytes, most)
    source = ", ".join(file.name for file in files)
    return [
        Figure(
            "import",
            imported / seconds,
            "claims/s",
            at_least=3000,
            note=f"{imported:,} claims, whole command; {source}",
        ),
        Figure("memory of an import", kilobytes * 1024 / 1e6, "MB", at_most=500, note="largest resident size"),
    ]


def _imported(file: Path, folder: Path) -> tuple[dict[str, int], float, int]:
    """What the command said, its seconds from start to end, and its largest resident size in KiB."""
    command = [sys.executable, "-m", "lipei", "import", "claims", str(file), "--json"]
    command += ["--rejects", str(folder / f"{file.stem}.rejected.csv")]
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stderr is not None
    said, wrong = child.stdout.read(), child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - begun
    assert status == 0, wrong[-3000:]
    return json.loads(said.splitlines()[-1]), seconds, usage.ru_maxrss


def _made(path: Path, count: int) -> Path:
    """A file in the product's own layout: property claims of two years, most of them paid."""
    begun = datetime.now(UTC) - timedelta(days=800)
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(
            ["claim_number", "reported_at", "loss_at", "closed_at", "line", "loss_kind", "outcome", "claimed", "paid",
             "currency", "place", "name", "phone"]
        )  # fmt: skip
        for n in range(count):
            at = begun + timedelta(minutes=n % 700_000)
            paid = n % 4 != 0
            rows.writerow(
                [f"B-{n:07d}", at.isoformat(), (at - timedelta(days=3)).isoformat(),
                 (at + timedelta(days=20)).isoformat(), "household", "water", "paid" if paid else "refused",
                 f"{500 + n % 900}.00", f"{400 + n % 900}.00" if paid else "0.00", "CNY", "上海市", f"客户{n % 9973}",
                 f"139{n % 100_000_000:08d}"]
            )  # fmt: skip
    return path
