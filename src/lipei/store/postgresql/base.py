"""Django's engine, with one difference: whether a pooled connection still lives is read off its socket.

Django lets the pool send an empty question before each use of a connection. Nothing is to be read on the socket of a
connection that lies idle in good order; where something is, the server hung up or has something to say, and only then
it is asked.
"""

from __future__ import annotations

import select
from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection
from psycopg_pool import ConnectionPool


def check(connection: Connection[Any]) -> None:
    """Return for a connection that lives. Raises psycopg.OperationalError for one that does not."""
    socket = select.poll()
    socket.register(connection.fileno(), select.POLLIN)
    if socket.poll(0):
        ConnectionPool.check_connection(connection)


class DatabaseWrapper(base.DatabaseWrapper):
    """The engine that `LIPEI_DATABASE_URL` chooses for PostgreSQL."""

    @property
    def pool(self) -> Any:
        made = super().pool
        if made is not None:
            made._check = check  # Django names the question itself and has no setting for another
        return made
