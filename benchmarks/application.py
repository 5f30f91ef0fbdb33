"""The product's own application in this process, as a server hands requests to it, on a clock that the benchmark sets."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any


def set_clock(at: datetime) -> None:
    """Let the edges read this instant instead of the clock on the wall: quiet hours must not decide what is measured."""
    from lipei.api import calls

    calls.now = lambda: at


def call(
    method: str, path: str, *, data: bytes = b"", content_type: str = "", headers: Mapping[str, str] | None = None
) -> tuple[int, bytes]:
    """Status and content of the answer to a request."""
    from lipei.config.wsgi import application

    path, _, query = path.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": query,
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(data)),
        "wsgi.input": io.BytesIO(data),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in (headers or {}).items()},
    }
    statuses: list[str] = []

    def begin(status: str, headers: Any, wrong: Any = None) -> Any:
        statuses.append(status)

    answer = application(environ, begin)
    content = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    return int(statuses[0][:3]), content


def post(secret: str, path: str, body: Any, **headers: str) -> dict[str, Any]:
    """Post JSON as the holder of a token; the JSON of the answer, which must be a good one."""
    data = json.dumps(body, ensure_ascii=False).encode()
    status, content = call(
        "POST",
        path,
        data=data,
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}", **headers},
    )
    assert status in (200, 201), content.decode()
    return dict(json.loads(content))


def upload(secret: str, path: str, file: bytes, **fields: Any) -> dict[str, Any]:
    """Send a photo with a form's fields."""
    mark = "benchmark-boundary"
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="photo.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
    data = b"".join(parts) + head.encode() + file + f"\r\n--{mark}--\r\n".encode()
    status, content = call(
        "POST",
        path,
        data=data,
        content_type=f"multipart/form-data; boundary={mark}",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert status == 201, content.decode()
    return dict(json.loads(content))


def statements(work: Any) -> int:
    """How many statements a piece of work sends to the database, BEGIN and COMMIT not counted."""
    from django.db import connection

    seen: list[str] = []

    def count(execute: Any, statement: str, *rest: Any) -> Any:
        seen.append(statement)
        return execute(statement, *rest)

    with connection.execute_wrapper(count):
        work()
    return len(seen)


def queries(path: str, headers: Mapping[str, str]) -> int:
    """The statements of a page or an answer, when everything that is kept in memory is there."""

    def ask() -> None:
        status, content = call("GET", path, headers=headers)
        assert status == 200, (path, status, content.decode()[-3000:])

    ask()
    return statements(ask)
