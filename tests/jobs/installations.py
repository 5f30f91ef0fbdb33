"""Whole installations for tests: a home and a database of their own, driven through the command line like anybody's."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

ROOT = Path(__file__).resolve().parent.parent.parent


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass(frozen=True)
class Installation:
    """A home, and the database URL (empty: SQLite in the home)."""

    home: Path
    url: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a process that belongs to it."""
        own = {n: v for n, v in os.environ.items() if not n.startswith("LIPEI_")}
        path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
        return {
            **own, "LIPEI_HOME": str(self.home), "LIPEI_DATABASE_URL": self.url, "PYTHONPATH": path,
            "DJANGO_SETTINGS_MODULE": "lipei.config.settings", "LIPEI_LOG": "ERROR", "PORT": str(free_port()),
        }  # fmt: skip

    def lipei(self, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return self._run([sys.executable, "-m", "lipei", *map(str, arguments)], more)

    @contextmanager
    def shell(self) -> Iterator[Shell]:
        """A process that runs one command after the other, as `lipei` would each in a process of its own."""
        command, pipe = [sys.executable, "-c", SHELL], subprocess.PIPE
        with subprocess.Popen(command, env=self.environment, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
            yield Shell(process)

    def python(self, program: str, *arguments: str) -> str:
        """What a program prints that works with this installation."""
        done = self._run([sys.executable, "-c", f"import django; django.setup()\n{program}", *arguments], {})
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.strip()

    def start(self, *command: str, log: Path | None = None) -> subprocess.Popen[bytes]:
        """A process that goes on; whoever starts it ends it. ``log`` takes what it says."""
        environment = {**self.environment, **({"LIPEI_LOG": "INFO"} if log else {})}
        with (log or Path(os.devnull)).open("wb") as out:
            return subprocess.Popen([sys.executable, *command], env=environment, cwd=ROOT, stdout=out, stderr=out)

    def _run(self, command: list[str], more: dict[str, str]) -> subprocess.CompletedProcess[str]:
        environment = {**self.environment, **more}
        return subprocess.run(
            command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=900, check=False
        )


SHELL = """
import contextlib, io, json, os, sys
from lipei.config import cli
before = dict(os.environ)
for line in sys.stdin:
    given, more = json.loads(line)
    out, err = io.StringIO(), io.StringIO()
    os.environ.update(more)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = cli.main(given)
    [os.environ.pop(name) for name in more]
    os.environ.update(before)
    print(json.dumps([status, out.getvalue(), err.getvalue()]), flush=True)
"""


@dataclass(frozen=True)
class Shell:
    """A process of `SHELL`: most of what a command takes is to begin. It reads settings until they make sense."""

    process: subprocess.Popen[str]

    def lipei(self, *arguments: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        given = [*map(str, arguments)]
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps([given, more]) + "\n")
        self.process.stdin.flush()
        return subprocess.CompletedProcess(given, *json.loads(self.process.stdout.readline()))


@contextmanager
def installation(home: Path) -> Iterator[Installation]:
    """An empty installation on the kind of database that the tests run on; its database is dropped afterwards."""
    home.mkdir(parents=True, exist_ok=True)
    url = os.environ.get("LIPEI_DATABASE_URL", "")
    if not url.startswith("postgres"):
        yield Installation(home)
        return
    name = f"lipei_test_{secrets.token_hex(5)}"
    own = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
    _server(url, f'CREATE DATABASE "{name}"')
    try:
        yield Installation(home, own)
    finally:
        _server(url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _server(url: str, statement: Any) -> None:
    with psycopg.connect(urlunsplit(urlsplit(url)._replace(path="/postgres")), autocommit=True) as connection:
        connection.execute(statement)


FOUND = """
from tests.company import company
company()
"""

FILL = """
import sys
from pathlib import Path
from tests.company import NOW
from tests.jobs.conftest import reported
from types import SimpleNamespace
from lipei.domain.events import Actor
from lipei.jobs import loop
people = SimpleNamespace(program=Actor("token:1", "program", frozenset({"program"})))
for n in range(int(sys.argv[1])):
    reported(people, f"fill-{n}", story=f"第{n}件", email="wang@example.com")
    [Path(mark).touch() for mark in sys.argv[2:]]
loop.settle(NOW)
"""
"""Reports as many losses as it is told; who else is named is a file to touch after each."""
