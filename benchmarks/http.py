"""Pages and answers as one caller gets them: one connection kept alive, the next request after the last answer."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection
from typing import Any

WARM = 5


def latencies_ms(port: int, paths: Sequence[str], headers: Mapping[str, str], *, counted: int) -> list[float]:
    """Milliseconds of each of ``counted`` requests to the paths in turn, after a few that warm everything up."""
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    taken = []
    try:
        for n in range(WARM * len(paths) + counted):
            path = paths[n % len(paths)]
            begun = time.perf_counter()
            connection.request("GET", path, headers=dict(headers))
            answer = connection.getresponse()
            content = answer.read()
            taken.append((time.perf_counter() - begun) * 1000)
            assert answer.status == 200, (path, answer.status, content[:1000])
    finally:
        connection.close()
    return taken[WARM * len(paths) :]


def cookie(user: Any) -> dict[str, str]:
    """The header of a browser in which this user has signed in."""
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    return {"Cookie": f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"}
