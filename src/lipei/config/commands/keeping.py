"""``verify``, ``backup``, ``restore``, ``role`` and ``check``: what keeps the books honest and safe."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import Any

import click

from lipei.config.commands import (
    Failed,
    answer,
    json_option,
    now,
    over_many_rows,
    require_migrated,
    require_ready,
    set_up,
)

SHOWN_MAX = 200


@click.command(epilog="Example: lipei verify --json")
@json_option
def verify(as_json: bool) -> int:
    """Replay the journal and compare everything derived from it. Exit status 1 where anything differs.

    May run while others work: it sees one state of the database.
    """
    set_up()
    require_ready()
    from tqdm import tqdm

    from lipei.services import signs
    from lipei.services import verify as service

    over_many_rows()
    with tqdm(desc="Verifying", unit=" entries", leave=False, mininterval=0.5) as bar:
        report = service.run(now=now(), progress=lambda done: bar.update(done - bar.n) and None)
    signs.note("verify", now=now(), good=report.clean)
    return _told(report, as_json)


def _told(report: Any, as_json: bool) -> int:
    if as_json:
        found = [{"comparison": d.comparison, "place": d.place, "detail": d.detail} for d in report.differences]
        answer(
            "",
            True,
            entries=report.entries,
            streams=report.streams,
            seconds=round(report.seconds, 3),
            differences=found,
        )
        return 0 if report.clean else 1
    for difference in report.differences[:SHOWN_MAX]:
        click.echo(str(difference))
    if len(report.differences) > SHOWN_MAX:
        click.echo(f"… and {len(report.differences) - SHOWN_MAX} more (--json lists all).")
    compared = f"{report.entries} entries of {report.streams} streams compared in {report.seconds:.1f} s"
    click.echo(f"{compared}: {'everything agrees' if report.clean else f'{len(report.differences)} differences'}.")
    return 0 if report.clean else 1


@click.command(epilog="Example: lipei backup /backups/lipei-2026-11-23")
@click.argument("dest", type=click.Path(path_type=Path))
@json_option
def backup(dest: Path, as_json: bool) -> None:
    """Write a backup of the whole system into a new folder DEST, while it runs. The data key is never in it.

    Keep LIPEI_DATA_KEY (or the file keys/data.key of LIPEI_HOME) apart: without it a backup shows no names.
    """
    set_up()
    require_ready()
    from lipei.services import backup as service
    from lipei.services import signs

    try:
        made = service.backup(dest, now=now(), version=version("lipei"))
    except service.BackupError as error:
        raise Failed(str(error)) from None
    signs.note("backup", now=now())
    size = f"{made.size_bytes:,} bytes"
    words = f"{made.rows} rows and {made.files} files ({size}) are in {dest}. Keep the data key apart."
    answer(words, as_json, folder=str(dest), rows=made.rows, files=made.files, size_bytes=made.size_bytes)


@click.command(epilog="Example: LIPEI_HOME=/srv/lipei LIPEI_DATA_KEY=… lipei restore /backups/lipei-2026-11-23")
@click.argument("src", type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
def restore(src: Path, as_json: bool) -> int:
    """Put the backup SRC into an empty installation, and verify it before saying that it is done."""
    set_up()
    from lipei.services import backup as service

    try:
        report = service.restore(src, now=now())
    except service.BackupError as error:
        raise Failed(str(error)) from None
    status = _told(report, as_json)
    if status:
        raise Failed("the restored data does not agree with its journal: use another backup.")
    if not as_json:
        click.echo(
            "Restored. No payment order leaves yet: the bank may have some of them already. Compare them with the bank's"
            " list, then release them on the finance page."
        )
    return status


@click.command(epilog="Example: lipei role lipei_app")
@click.argument("name")
@click.option("--print", "only_print", is_flag=True, help="Show the SQL, run nothing.")
def role(name: str, only_print: bool) -> None:
    """Give a PostgreSQL role what the application needs: it may read and add to the journal, never alter or remove.

    Run it as the owner of the tables, again after each upgrade; then let `serve` and `work` sign in as NAME.
    """
    from django.db import DatabaseError, connection

    from lipei.store import roles

    try:
        wanted = roles.statements(name)
        if only_print:
            click.echo("".join(f"{statement};\n" for statement in wanted), nl=False)
            return
        set_up()
        require_migrated()
        if connection.vendor != "postgresql":
            raise Failed("SQLite knows no roles: triggers alone guard the journal there. Use PostgreSQL for this.")
        roles.grant(name)
    except (ValueError, roles.NoSuchRole) as error:
        raise Failed(str(error)) from None
    except DatabaseError as error:
        raise Failed(f"the rights were not given: {str(error).strip()}. Sign in as the owner of the tables.") from None
    click.echo(f"{name} may now work, and only read and add to the journal.")


@click.command(epilog="Example: lipei check")
@json_option
def check(as_json: bool) -> int:
    """Look whether this installation can work: database, folders, mail, SMS, bank. Sends nothing. Exit status 1 if not.

    Shows the address to be entered with the SMS provider for its delivery reports.
    """
    set_up()
    from lipei.config import checking

    found = checking.run()
    wrong = [one for one in found if not one.good]
    if as_json:
        answer("", True, good=not wrong, checks=[vars(one) for one in found])
    else:
        for one in found:
            click.echo(f"{'ok' if one.good else 'WRONG':<6}{one.name:<16}{one.says}")
    return 1 if wrong else 0
