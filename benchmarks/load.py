"""The load generator: N connections kept alive, each sending its next request when the last is answered.

A process of its own that knows nothing of the product (`python -m benchmarks.load`), with requests made beforehand, so
that it takes as little as possible of the two cores that it shares with the product and the database. It reads one JSON
request per line (``{"path": …, "headers": {…}, "body": …}``) and answers with one JSON line.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Measured:
    """What the load came to: answers by status, seconds in all, and each answer's latency in ms."""

    seconds: float = 0.0
    statuses: dict[str, int] = field(default_factory=dict)
    latencies_ms: list[float] = field(default_factory=list)
    first_wrong: str = ""

    def rate(self, status: int = 201) -> float:
        """Answers of this status a second."""
        return self.statuses.get(str(status), 0) / self.seconds if self.seconds else 0.0


def put_on(port: int, requests: Sequence[dict[str, Any]], *, connections: int, seconds: float) -> Measured:
    """Start the generator, hand it the requests, wait. It ends when the time is up or the requests are used up."""
    command = [sys.executable, "-m", "benchmarks.load", str(port), str(connections), str(seconds)]
    lines = "\n".join(json.dumps(request, ensure_ascii=False) for request in requests)
    ran = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise RuntimeError(ran.stderr)
    return Measured(**json.loads(ran.stdout))


class Line:
    """One connection and the request under way on it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.begun = 0.0

    def send(self, data: bytes) -> None:
        self.received, self.begun = b"", time.perf_counter()
        self.socket.sendall(data)

    def answered(self) -> bool:
        """Take what has come; whether the answer is whole."""
        data = self.socket.recv(262_144)
        if not data:
            raise ConnectionError("the server hung up")
        self.received += data
        head, found, rest = self.received.partition(b"\r\n\r\n")
        return bool(found) and len(rest) >= _length(head)

    @property
    def status(self) -> str:
        return self.received[9:12].decode()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ValueError("an answer without content-length")


def raw(request: dict[str, Any], port: int) -> bytes:
    """The bytes of a request."""
    body = json.dumps(request["body"], ensure_ascii=False).encode() if "body" in request else b""
    lines = [
        f"{request.get('method', 'POST')} {request['path']} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        f"Content-Length: {len(body)}",
    ]
    lines += [f"{name}: {value}" for name, value in request.get("headers", {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def run(port: int, requests: Iterator[bytes], connections: int, seconds: float) -> Measured:
    """Send until the time is up or nothing is left; every request begun is waited for."""
    measured, lines = Measured(), [Line(port) for _ in range(connections)]
    chooser = selectors.DefaultSelector()
    begun = time.perf_counter()
    for one in lines:
        chooser.register(one.socket, selectors.EVENT_READ, one)
        one.send(next(requests))
    waiting = len(lines)
    while waiting:
        for key, _ in chooser.select():
            line: Line = key.data
            if not line.answered():
                continue
            now = time.perf_counter()
            measured.latencies_ms.append((now - line.begun) * 1000)
            measured.statuses[line.status] = measured.statuses.get(line.status, 0) + 1
            if not line.status.startswith("2") and not measured.first_wrong:
                measured.first_wrong = line.received.decode(errors="replace")
            following = next(requests, None) if now - begun < seconds else None
            if following is None:
                waiting -= 1
                chooser.unregister(line.socket)
            else:
                line.send(following)
    measured.seconds = time.perf_counter() - begun
    return measured


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("connections", type=int)
    parser.add_argument("seconds", type=float)
    given = parser.parse_args()
    made = [raw(json.loads(line), given.port) for line in sys.stdin]
    print(json.dumps(asdict(run(given.port, iter(made), given.connections, given.seconds))))


if __name__ == "__main__":
    main()
