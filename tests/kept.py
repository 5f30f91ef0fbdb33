"""What many tests begin with is made once by a process and laid into the database again: rows and files, as they were."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

from lipei.store import journal

FROM_THE_START = ("django_", "auth_permission", "sqlite_")
"""Tables that migrations fill, and that stay as they are."""


@dataclass(frozen=True)
class Kept:
    """What was made, the rows of every table with any, and the folder of files."""

    made: Any
    rows: dict[str, tuple[list[str], list[tuple[Any, ...]]]]
    files: Path


_kept: dict[Callable[..., Any], Kept] = {}


def kept(make: Callable[..., Any], *given: Any, files: Path, keep_in: Path) -> Any:
    """What ``make`` answers, its rows in the database and its files in a folder; made by the first who asks.

    Must be asked for inside a test's transaction, in one order: ``given`` was kept before, or nothing was.
    """
    if make not in _kept:
        made = make(*given)
        place = keep_in / f"kept-{len(_kept)}"
        shutil.copytree(files, place)
        _kept[make] = Kept(copy.deepcopy(made), _rows(), place)
        return made
    found = _kept[make]
    for table, (columns, rows) in found.rows.items():
        _lay(table, columns, rows)
    shutil.copytree(found.files, files, dirs_exist_ok=True)
    return copy.deepcopy(found.made)


def _rows() -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
    tables = [name for name in connection.introspection.table_names() if not name.startswith(FROM_THE_START)]
    return {table: found for table in tables if (found := _all(table))[1]}


def _all(table: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT * FROM "{table}"')
        rows = [tuple(bytes(value) if isinstance(value, memoryview) else value for value in row) for row in cursor]
        return [column[0] for column in cursor.description], rows


def _lay(table: str, columns: list[str], rows: list[tuple[Any, ...]]) -> None:
    """Make a table hold these rows; nothing was added to the journal before."""
    with connection.cursor() as cursor:
        if table not in journal.GUARDED:
            cursor.execute(f'DELETE FROM "{table}"')
        names, places = ", ".join(f'"{name}"' for name in columns), ", ".join(["%s"] * len(columns))
        cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({places})', rows)
