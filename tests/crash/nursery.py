"""Where the victims of the crash test come from: one process that has everything loaded and forks what is to be killed.

A child begins at once, with connections of its own, so that its short life is spent in the middle of work. Some workers
carry a trap besides: they kill themselves just before or just after they speak to the bank or hand a message over,
where a random kill seldom falls. ``python -m tests.crash.nursery FOLDER SECONDS PORT TOKEN``: afterwards FOLDER holds a
ledger per reporter and the number of kills by role.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

LIFE_SECONDS = {"report": (0.2, 1.5), "call": (0.5, 4.0), "serve": (0.3, 2.0), "work": (0.2, 1.5), "import": (2.0, 6.0)}
ROLES = ("serve", "report-a", "call-a", "work-1", "work-2", "import")
TRAPS = ("bank.submit", "bank.acknowledge", "channel.send")
TRAP_CHANCE = 0.15
KILLS_MIN, REPORTS_MIN = 12, 12
PATIENCE = 10
"""On a busy machine it goes on, up to so many times as long, until there is something to see; and lives grow longer."""


class Nursery:
    def __init__(self, folder: Path, port: int, token: str) -> None:
        from django.core.wsgi import get_wsgi_application
        from django.test import Client
        from tests.crash import load

        from lipei.jobs import loop
        from lipei.reads import rulebook
        from lipei.services import imports

        # Loaded and parsed once, for all the children; no connection is opened here.
        assert loop.SCHEDULE and imports.KINDS and rulebook.at(0)
        assert Client(headers={"host": "127.0.0.1"}).get("/healthz").status_code == 200
        self.folder, self.port, self.token, self.load = folder, port, token, load
        self.application = get_wsgi_application()
        self.chance, self.born = random.Random(20261123), 0
        self.kills: Counter[str] = Counter()
        self.running: dict[str, tuple[int, float]] = {}
        load.history(folder / "history.csv")

    def go_on(self, began: float, seconds: float) -> None:
        while not self.over(began, seconds):
            for role in ROLES:
                pid, dies_at = self.running.get(role, (0, 0.0))
                if pid and time.monotonic() < dies_at and not self.ended(pid, role):
                    continue
                self.kill(pid, role)
                self.born += 1
                kind = role.partition("-")[0]
                life = self.chance.uniform(*LIFE_SECONDS[kind]) * max(1.0, 2 * (time.monotonic() - began) / seconds)
                self.running[role] = fork(self.task(role)), time.monotonic() + life
            time.sleep(0.02)
        for role, (pid, _) in self.running.items():
            self.kill(pid, role)

    def over(self, began: float, seconds: float) -> bool:
        passed = time.monotonic() - began
        if passed < seconds:
            return False
        written = {file.name: file.read_text().count("\n") for file in self.folder.glob("*.ledger")}
        called = sum(lines for name, lines in written.items() if name.startswith("call"))
        enough = self.kills.total() >= KILLS_MIN and sum(written.values()) >= REPORTS_MIN and called > 0
        return enough or passed > seconds * PATIENCE

    def task(self, role: str) -> Callable[[], Any]:
        load, name = self.load, f"{role}-{self.born}"
        ledger = self.folder / f"{name}.ledger"
        if role == "serve":
            return lambda: load.server(self.application, self.port)
        if role == "import":
            return lambda: load.importer(self.folder / "history.csv", self.chance.uniform(0, 2))
        if role.startswith("report"):
            return lambda: load.reporter(name, ledger)
        if role.startswith("call"):
            return lambda: load.caller(name, ledger, self.port, self.token)
        trap, seed = self.chance.choice(TRAPS), self.born
        return lambda: work(trap if role == "work-2" else "", seed)

    def ended(self, pid: int, role: str) -> bool:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done == pid and os.WIFSIGNALED(status):
            self.kills[f"{role} by its trap"] += 1
        return done == pid

    def kill(self, pid: int, role: str) -> None:
        """Kill and bury what there is to kill."""
        if not pid:
            return
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            self.kills[role] += 1
        except (ProcessLookupError, ChildProcessError):
            return


def work(trap: str, seed: int) -> None:
    """A worker, perhaps with a trap."""
    from lipei.gateways.bank import DemonstrationGateway
    from lipei.gateways.channels.folder import FolderChannel
    from lipei.jobs import loop

    if trap:
        owner: Any = FolderChannel if trap.startswith("channel") else DemonstrationGateway
        name = trap.partition(".")[2]
        setattr(owner, name, trapped(getattr(owner, name), random.Random(seed)))
    loop.work()


def trapped(call: Callable[..., Any], chance: random.Random) -> Callable[..., Any]:
    """The call, before or after which the process may die."""

    def run(*arguments: Any, **named: Any) -> Any:
        if chance.random() < TRAP_CHANCE:
            os.kill(os.getpid(), signal.SIGKILL)
        done = call(*arguments, **named)
        if chance.random() < TRAP_CHANCE:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    return run


def fork(task: Callable[[], Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        task()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(1)


def main(folder: Path, seconds: float, port: int, token: str) -> None:
    import django

    django.setup()
    nursery = Nursery(folder, port, token)
    nursery.go_on(time.monotonic(), seconds)
    (folder / "kills.json").write_text(json.dumps(nursery.kills))


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
