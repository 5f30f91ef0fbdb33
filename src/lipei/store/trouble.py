"""What kind of trouble with the ground we stand on an exception tells of: no room left, or a database that is away.

Nothing is half written in either: what was to be written was undone with its transaction. Who answers a person or a
program says which it is; whoever mends it finds the exception in the log.
"""

from __future__ import annotations

import errno
import sqlite3
import sys
from collections.abc import Iterator
from operator import attrgetter
from typing import Final

from django.db import InterfaceError, OperationalError

STORAGE: Final = "storage"
DATABASE: Final = "database"
NONE: Final = ""

_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_PRIMARY_CODE = 0xFF  # of SQLite's extended result codes
_SQLITE_NO_ROOM = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})


def of(error: BaseException | None) -> str:
    """``storage``: no room, ``database``: it does not answer or is too busy, or neither: a mistake of our own."""
    chain = list(_chain(error))
    if any(_no_room(one) for one in chain):
        return STORAGE
    if any(isinstance(one, OperationalError | InterfaceError) or _is(one, "OperationalError") for one in chain):
        return DATABASE
    return NONE


def collided(error: BaseException) -> bool:
    """Whether two transactions stood in each other's way and this one was undone: it may be begun again at once."""
    return any(_is(one, "errors.DeadlockDetected", "errors.SerializationFailure") for one in _chain(error))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An exception and those that led to it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        yield error
        seen.add(id(error))
        error = error.__cause__ or error.__context__


def _no_room(error: BaseException) -> bool:
    if isinstance(error, sqlite3.Error):
        return (getattr(error, "sqlite_errorcode", None) or 0) & _PRIMARY_CODE in _SQLITE_NO_ROOM
    if isinstance(error, OSError):
        return error.errno in _NO_ROOM
    return _is(error, "errors.DiskFull", "errors.ConfigurationLimitExceeded")


def _is(error: BaseException, *names: str) -> bool:
    """Whether it is one of PostgreSQL's, whose driver an installation on SQLite does not load."""
    psycopg = sys.modules.get("psycopg")
    return psycopg is not None and any(isinstance(error, attrgetter(name)(psycopg)) for name in names)
