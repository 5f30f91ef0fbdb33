"""Backup and restore of a whole installation: database, files, the bank gateway's memory; never the data key.

A backup is a folder: ``manifest.json``, the database (``database.sqlite3``, or a ``tables/<name>.copy`` each),
``media/`` and ``bank/``, and ``files.sha256`` over all of them. It is made while others work: the database as of one
instant, then the files, which are only ever added and are there before an entry names them. The keys stay where they
are: whoever finds a backup finds no names in it, and whoever restores it must bring the data key from where it is kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.recorder import MigrationRecorder

from lipei.gateways.uploads.media import DurableFiles
from lipei.services import bank, bank_hold, verify
from lipei.store import crypto, journal, models

FORMAT = 1
MANIFEST, SUMS, SQLITE = "manifest.json", "files.sha256", "database.sqlite3"
BANK_MEMORY = ("orders", "messages", "unread", "staging")
"""What of a bank gateway's folder is its memory; the bank's own files are fetched and kept elsewhere."""
CHUNK = 1 << 20


class BackupError(Exception):
    """Why it cannot be done, and what to do, in one sentence."""


@dataclass(frozen=True)
class Made:
    """What was written: folder, rows of the database, files and bytes."""

    folder: Path
    rows: int
    files: int
    size_bytes: int


# --- backup --------------------------------------------------------------------------------------------------


def backup(target: Path, *, now: datetime, version: str) -> Made:
    """Write a backup into a folder that does not exist yet. Raises `BackupError`; then nothing is left behind."""
    if target.exists():
        raise BackupError(f"{target} exists already: name a folder that does not.")
    draft = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(parents=True, mode=0o700)
        rows = _write_database(draft)
        _copy_tree(Path(settings.LIPEI_MEDIA), draft / "media")
        for part in BANK_MEMORY:
            _copy_tree(bank.folder() / part, draft / "bank" / part)
        _write_json(draft / MANIFEST, _manifest(rows, now, version))
        sums = dict(_sums(draft))
        (draft / SUMS).write_text(
            "".join(f"{digest}  {name}\n" for name, (digest, _) in sums.items()), encoding="utf-8"
        )
        draft.replace(target)
    except (OSError, sqlite3.Error) as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise BackupError(f"the backup could not be written: {error}. Is the disk full?") from error
    return Made(target, sum(rows.values()), len(sums), sum(size for _, size in sums.values()))


def _manifest(rows: dict[str, int], now: datetime, version: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "version": version,
        "at": now.isoformat(),
        "database": connection.vendor,
        "migrations": _migrations(),
        "rows": rows,
        "data_key": _key_mark(),
    }


def _key_mark() -> str:
    """What tells whether a data key is the one, and tells nothing else about it."""
    return crypto.blind_index("backup", "the data key of this installation")


def _migrations() -> dict[str, str]:
    """The newest migration of each app."""
    found: dict[str, str] = {}
    for app, name in MigrationRecorder(connection).migration_qs.order_by("id").values_list("app", "name"):
        found[app] = name
    return found


def _write_database(folder: Path) -> dict[str, int]:
    if connection.vendor == "postgresql":
        return _write_postgres(folder / "tables")
    connection.ensure_connection()
    copy = sqlite3.connect(folder / SQLITE)
    try:
        # All pages in one step: one state of the database, and writers go on (the source is in WAL mode).
        connection.connection.backup(copy, pages=-1)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, which nothing is laid beside by whoever reads it
        names = [row[0] for row in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
        return {
            n: copy.execute(f'SELECT count(*) FROM "{n}"').fetchone()[0] for n in names if not n.startswith("sqlite_")
        }
    finally:
        copy.close()


def _write_postgres(folder: Path) -> dict[str, int]:
    folder.mkdir()
    rows: dict[str, int] = {}
    with verify.reading.snapshot(), connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            columns = _columns(cursor, table)
            with (folder / f"{table}.copy").open("wb") as file:
                file.write(json.dumps(columns).encode() + b"\n")
                with cursor.copy(f"COPY {_quoted(table)} ({_listed(columns)}) TO STDOUT") as out:
                    for data in out:
                        file.write(data)
            rows[table] = cursor.rowcount
    return rows


def _columns(cursor: Any, table: str) -> list[str]:
    return [column.name for column in connection.introspection.get_table_description(cursor, table)]


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


def _listed(columns: list[str]) -> str:
    return ", ".join(map(_quoted, columns))


def _copy_tree(source: Path, target: Path) -> None:
    """Copy the finished files below a folder, if it is there; unfinished ones begin with a dot."""
    for path in sorted(source.rglob("*")) if source.is_dir() else ():
        if path.is_file() and not path.name.startswith("."):
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(path, place)
            except FileNotFoundError:
                continue  # erased at the end of its time, or acknowledged, since we listed it


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True), encoding="utf-8")


def _sums(folder: Path) -> Iterator[tuple[str, tuple[str, int]]]:
    """Every file below a folder with its SHA-256 and size."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != SUMS):
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while data := file.read(CHUNK):
                digest.update(data)
            os.fsync(file.fileno())
        yield path.relative_to(folder).as_posix(), (digest.hexdigest(), path.stat().st_size)


# --- restore -------------------------------------------------------------------------------------------------


def restore(source: Path, *, now: datetime) -> verify.Report:
    """Put a backup into an empty installation and verify it; done only if the report is clean.

    No bank order leaves until finance has looked, see `bank_hold`. Raises `BackupError`.
    """
    manifest = _checked(source)
    if not is_empty():
        raise BackupError(
            "this database is not empty: restore into a new one (another LIPEI_HOME or LIPEI_DATABASE_URL)."
        )
    if connection.vendor == "postgresql":
        _load_postgres(source / "tables", manifest)
    else:
        _load_sqlite(source / SQLITE)
    _copy_tree(source / "media", Path(settings.LIPEI_MEDIA))
    DurableFiles(location=settings.LIPEI_MEDIA).move_up()
    for part in BANK_MEMORY:
        _copy_tree(source / "bank" / part, bank.folder() / part)
    call_command("migrate", verbosity=0, interactive=False)
    journal.install_guards()
    _compare_rows(manifest)
    bank_hold.hold(now=now)
    return verify.run(now=now)


def _checked(source: Path) -> dict[str, Any]:
    """The manifest of a backup that is whole and fits this installation."""
    try:
        manifest: dict[str, Any] = json.loads((source / MANIFEST).read_text(encoding="utf-8"))
        lines = (line.partition("  ") for line in (source / SUMS).read_text("utf-8").splitlines())
        listed = {name: digest for digest, _, name in lines}
    except (OSError, ValueError) as error:
        raise BackupError(f"{source} is not a backup ({error}); name the folder that `lipei backup` wrote.") from error
    if manifest.get("format") != FORMAT:
        raise BackupError(f"this backup was written by lipei {manifest.get('version')}: restore it with that version.")
    if manifest["database"] != connection.vendor:
        raise BackupError(
            f"this backup is of {manifest['database']}: set LIPEI_DATABASE_URL to an empty database of that kind."
        )
    if manifest["data_key"] != _key_mark():
        raise BackupError("LIPEI_DATA_KEY is not the key of this backup: bring it from where it is kept apart.")
    there = {name: digest for name, (digest, _) in _sums(source)}
    wrong = sorted(name for name in {*listed, *there} if listed.get(name) != there.get(name))
    if wrong:
        raise BackupError(
            f"{len(wrong)} files of the backup are not what was written, the first is {wrong[0]}: use another one."
        )
    return manifest


def is_empty() -> bool:
    """Whether nothing was ever written here: no tables, or none with claims, policies or people in it."""
    there = set(connection.introspection.table_names())
    of_store = [m for m in apps.get_app_config("store").get_models() if m._meta.db_table in there]
    return not any(m._default_manager.exists() for m in of_store)


def _load_sqlite(file: Path) -> None:
    connection.ensure_connection()
    copy = sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)
    try:
        copy.backup(connection.connection)
    finally:
        copy.close()
    connection.close()  # the next one finds the schema as it now is


def _load_postgres(folder: Path, manifest: dict[str, Any]) -> None:
    for app, name in manifest["migrations"].items():
        # To the schema of the backup first, with its rows; then forward like any upgrade.
        call_command("migrate", app, name, verbosity=0, interactive=False)
    files = sorted(folder.glob("*.copy"))
    with transaction.atomic(), connection.cursor() as cursor:
        for file in files:
            cursor.execute(f"DELETE FROM {_quoted(file.stem)}")  # what migrations put there
        for file in files:
            with file.open("rb") as data:
                columns = json.loads(data.readline())
                with cursor.copy(f"COPY {_quoted(file.stem)} ({_listed(columns)}) FROM STDIN") as into:
                    while chunk := data.read(CHUNK):
                        into.write(chunk)
        for statement in connection.ops.sequence_reset_sql(no_style(), apps.get_models(include_auto_created=True)):
            cursor.execute(statement)


def _compare_rows(manifest: dict[str, Any]) -> None:
    for model in (models.Stream, models.Entry, models.Claim, models.Delivery):
        table = model._meta.db_table
        wanted, found = manifest["rows"].get(table), model._default_manager.count()
        if found != wanted:
            raise BackupError(f"table {table} has {found} rows, the backup {wanted}: try again in a new database.")
