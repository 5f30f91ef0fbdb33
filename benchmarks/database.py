"""Scratch databases, and questions to PostgreSQL beside the product."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg


@contextmanager
def scratch(url: str, name: str) -> Iterator[str]:
    """The URL of an empty database of this run, dropped afterwards."""
    made = f"lipei_bench_{name}_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {made}")
    try:
        yield urlunsplit(urlsplit(url)._replace(path=f"/{made}"))
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {made} WITH (FORCE)")


def ask(url: str, question: str) -> tuple[Any, ...]:
    """The first row of an answer."""
    with psycopg.connect(url) as connection:
        return connection.execute(question).fetchone() or ()


def tidy(url: str) -> None:
    """Statistics and visibility as autovacuum would have them by now, and what was written on disk."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def pgbench(url: str, script: str, *, clients: int, seconds: int, threads: int = 2) -> dict[str, float]:
    """Run a script by pgbench with prepared statements: transactions a second and the mean latency in ms."""
    parts = urlsplit(url)
    command = [
        "pgbench",
        "--no-vacuum",
        "--protocol=prepared",
        f"--client={clients}",
        f"--jobs={threads}",
        f"--time={seconds}",
        f"--file={script}",
        f"--host={parts.hostname}",
        f"--port={parts.port or 5432}",
        f"--username={parts.username}",
        parts.path[1:],
    ]
    environ = {**os.environ, **({"PGPASSWORD": parts.password} if parts.password else {})}
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    found = {}
    for line in ran.stdout.splitlines():
        if line.startswith("tps = "):
            found["tps"] = float(line.split()[2])
        if line.startswith("latency average = "):
            found["latency_ms"] = float(line.split()[3])
        if line.startswith("number of failed transactions: "):
            found["failed"] = float(line.split()[4])
    return found
