"""The machine on which figures were taken: they mean nothing without it."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from benchmarks.database import ask


def told(database_url: str) -> str:
    """Processor, memory, Python, PostgreSQL and how busy the machine was, in one line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts = [f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GB", platform.system()]
    parts.append(f"Python {platform.python_version()}")
    (version, sync, fsync) = ask(
        database_url,
        "SELECT current_setting('server_version'), current_setting('synchronous_commit'), current_setting('fsync')",
    )
    parts.append(f"PostgreSQL {version.split()[0]} (synchronous_commit {sync}, fsync {fsync})")
    parts.append(f"load before {os.getloadavg()[2]:.1f} (15 min)")
    return "; ".join(parts) + "."


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
