"""The machine on which figures were taken: they mean nothing without it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import timeit
from datetime import UTC, datetime
from importlib.metadata import version as version_of
from pathlib import Path

import psycopg

from benchmarks.database import ask

ADDITIONS = 1_000_000


def missing(database_url: str) -> str:
    """What the benchmarks need and this machine does not have, in one sentence; empty where nothing is missing."""
    if shutil.which("pgbench") is None:
        return "The benchmarks need pgbench, which comes with PostgreSQL's server or contrib package: install it."
    try:
        ask(database_url, "SELECT 1")
    except psycopg.OperationalError as error:
        said = str(error).strip().splitlines()[0]
        return (
            f"The benchmarks need PostgreSQL, and none answers at {database_url} ({said}): start it, or say --database."
        )
    return ""


def told(database_url: str) -> str:
    """Processor and its speed at this moment, memory, Python, PostgreSQL and how busy the machine was, in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = [f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"]
    parts.append(f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GB")
    parts.append(f"{ADDITIONS:,} additions in {_additions():.0f} ms")
    parts.append(platform.system())
    parts.append(f"Python {platform.python_version()}")
    (version, sync, fsync) = ask(
        database_url,
        "SELECT current_setting('server_version'), current_setting('synchronous_commit'), current_setting('fsync')",
    )
    parts.append(f"PostgreSQL {version.split()[0]} (synchronous_commit {sync}, fsync {fsync})")
    parts.append(f"Lipei {_commit()}, Django {version_of('django')}, psycopg {version_of('psycopg')}")
    parts.append(f"load before {os.getloadavg()[2]:.1f} (15 min)")
    return "; ".join(parts) + "."


def _additions() -> float:
    """Milliseconds of a piece of work that never changes, the best of three: a shared processor is not always as fast."""
    return (
        min(timeit.repeat("for i in range(n): total += i", "total = 0", number=1, repeat=3, globals={"n": ADDITIONS}))
        * 1e3
    )


def _commit() -> str:
    """The commit measured, where there is a checkout."""
    said = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return said.stdout.strip() or version_of("lipei")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
