"""Where the victims of the crash test come from: one process that has everything loaded and forks what is to be killed.

A child begins at once, with connections of its own, so that its short life is spent in the middle of work. ``python -m
tests.crash.nursery FOLDER SECONDS``: afterwards FOLDER holds a ledger per reporter and the number of kills.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROLES = ("report-a", "report-b", "work-1", "work-2")
LIFE_SECONDS = (0.2, 1.5)
KILLS_MIN, REPORTS_MIN = 12, 12
PATIENCE = 5
"""On a busy machine it goes on, up to so many times as long, until there is something to see."""


def main(folder: Path, seconds: float) -> None:
    import django

    django.setup()
    from tests.crash import load

    from lipei.jobs import loop
    from lipei.reads import rulebook

    rulebook.at(0)  # parsed once, for all the children
    chance, kills, born = random.Random(20261123), 0, 0
    running: dict[str, tuple[int, float]] = {}
    began = time.monotonic()
    while not over(began, seconds, kills, folder):
        for role in ROLES:
            pid, dies_at = running.get(role, (0, 0.0))
            if pid and time.monotonic() < dies_at and not ended(pid):
                continue
            kills += kill(pid)
            born += 1
            task = loop.work if role.startswith("work") else reporter(load.main, f"{role}-{born}", folder)
            running[role] = (fork(task), time.monotonic() + chance.uniform(*LIFE_SECONDS))
        time.sleep(0.02)
    for pid, _ in running.values():
        kills += kill(pid)
    (folder / "kills").write_text(str(kills))


def over(began: float, seconds: float, kills: int, folder: Path) -> bool:
    passed = time.monotonic() - began
    if passed < seconds:
        return False
    reports = sum(file.read_text().count("\n") for file in folder.glob("*.ledger"))
    return (kills >= KILLS_MIN and reports >= REPORTS_MIN) or passed > seconds * PATIENCE


def reporter(report: Callable[[str, Path], None], name: str, folder: Path) -> Callable[[], None]:
    return lambda: report(name, folder / f"{name}.ledger")


def fork(task: Callable[[], None]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        task()
    finally:
        os._exit(1)


def ended(pid: int) -> bool:
    return os.waitpid(pid, os.WNOHANG)[0] == pid


def kill(pid: int) -> int:
    """Kill and bury; 1 where there was something to kill."""
    if not pid:
        return 0
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        return 0
    return 1


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
