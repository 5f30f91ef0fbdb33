"""The product as it comes out of the box: `lipei run` with its own SQLite database and demonstration."""

from __future__ import annotations

import os
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

from benchmarks import server
from benchmarks.figures import Figure, say
from benchmarks.options import Options

IDLE_SECONDS = 20
PAGES = ("/", "/accounts/login/", "/portal/")


def run(options: Options) -> list[Figure]:
    """Seconds of the first and the second start to the first page, and the memory of all processes when idle."""
    first, _ = _started(0.0)
    second, megabytes = _started(IDLE_SECONDS)
    return [
        Figure("first start to first page, demonstration made", first, "s", at_most=120, note="without downloads"),
        Figure("second start to first page", second, "s", at_most=6),
        Figure("idle memory of `make run`", megabytes, "MB", at_most=400,
               note="all processes, shared pages counted once (PSS), after a few pages"),
    ]  # fmt: skip


def _started(idle_seconds: float) -> tuple[float, float]:
    """Seconds to the first page, and megabytes after some idle time."""
    port = server.free_port()
    command = [sys.executable, "-m", "lipei", "run", "--port", str(port)]
    begun = time.perf_counter()
    with server.running(command, port, "/accounts/login/", seconds_max=300) as child:
        taken = time.perf_counter() - begun
        say(f"  the first page is there after {taken:.1f} s")
        if idle_seconds:
            for page in PAGES:
                _visited(port, page)
            time.sleep(idle_seconds)
        return taken, _memory_mb(child.pid)


def _visited(port: int, page: str) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", page)
    connection.getresponse().read()
    connection.close()


def _memory_mb(pid: int) -> float:
    """Proportional set size of a process and all its descendants, in millions of bytes."""
    family: set[int] = set()
    found = {pid}
    while found:
        family |= found
        found = {one for one, parent in _parents().items() if parent in family} - family
    return sum(_pss_kb(one) for one in family) * 1024 / 1e6


def _parents() -> dict[int, int]:
    found = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = int(Path(entry.path, "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it ended meanwhile
    return found


def _pss_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
