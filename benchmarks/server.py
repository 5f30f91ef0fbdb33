"""The product's own web process, started as `lipei serve` starts it, on a free port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

STARTS_SECONDS_MAX = 60


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(*, workers: int, threads: int) -> Iterator[int]:
    """`lipei serve` while the block lasts; its port."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "lipei",
        "serve",
        "--port",
        str(port),
        "--workers",
        str(workers),
        "--threads",
        str(threads),
    ]
    with running(command, port):
        yield port


@contextmanager
def running(
    command: list[str], port: int, path: str = "/healthz", *, seconds_max: float = STARTS_SECONDS_MAX
) -> Iterator[subprocess.Popen[bytes]]:
    """A process, from its first answer to the end of the block; whatever it started ends with it."""
    child = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        wait_for(port, path, child, seconds_max)
        yield child
    finally:
        child.terminate()
        try:
            child.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)


def wait_for(port: int, path: str, child: subprocess.Popen[bytes], seconds_max: float) -> None:
    """Until a page is there."""
    until = time.monotonic() + seconds_max
    while not answers(port, path):
        if child.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"nothing answers on port {port}: exit status {child.poll()}")
        time.sleep(0.05)


def answers(port: int, path: str) -> bool:
    """Whether a page comes, whatever it says."""
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 500
    except OSError:
        return False
    finally:
        connection.close()
