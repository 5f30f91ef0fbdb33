"""``demo``, ``import`` and ``export``: data in and out."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from lipei.config.commands import (
    Failed,
    answer,
    in_words,
    json_option,
    now,
    over_many_rows,
    require_ready,
    set_up,
    setting_up,
)

KINDS = ("policies", "claims", "staff")


@contextmanager
def _bar(words: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on the error stream: done so far, and in all (0: not known)."""
    from tqdm import tqdm

    with tqdm(desc=words, unit=unit, leave=False, mininterval=0.5) as bar:

        def tell(done: int, total: int = 0) -> None:
            if total:
                bar.total = total
            bar.update(done - bar.n)

        yield tell


@click.command(epilog="Example: lipei demo --claims 200 --months 6 --seed 7")
@click.option(
    "--claims", type=click.IntRange(1, 100_000), default=100, show_default=True, help="Claims to live through."
)
@click.option("--months", type=click.IntRange(1, 60), default=4, show_default=True, help="Months of history.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed tells the same stories.")
@json_option
def demo(claims: int, months: int, seed: int, as_json: bool) -> None:
    """Fill an empty database with a demonstration company, through the real services on a clock of their own."""
    set_up()
    setting_up.make_tables_where_there_are_none()
    require_ready()
    filled = fill(claims=claims, months=months, seed=seed)
    answer(f"{filled.claims} claims and {filled.policies} policies are there.", as_json, **asdict(filled))


def fill(*, claims: int, months: int, seed: int) -> Any:
    """Make the demonstration company, with a progress bar. Raises `Failed` where the database is not empty."""
    from lipei.domain.events import Refusal
    from lipei.services import demo as service

    with _bar("Making the demonstration company", " claims") as tell:
        filled = service.fill(claims=claims, months=months, seed=seed, now=now(), progress=tell)
    if isinstance(filled, Refusal):
        raise Failed(in_words(filled))
    return filled


def is_fresh() -> bool:
    """Whether nobody has worked with this database yet."""
    from lipei.store import models

    return not models.Staff.objects.exists() and not models.Claim.objects.exists()


def has_sign_in() -> bool:
    """Whether anybody who works here can sign in."""
    from lipei.store import models

    return bool(models.Staff.objects.filter(active=True, user__is_active=True).exists())


@click.command("import", epilog="Example: lipei import claims closed-2019.xlsx --mapping tsa --dry-run")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--mapping", help="A layout's YAML file, or the name of a shipped one; else the columns decide.")
@click.option("--dry-run", is_flag=True, help="Look at every row, write nothing but the file of rejects.")
@click.option("--rejects", type=click.Path(dir_okay=False, path_type=Path), help="Where rejected rows are written.")
@json_option
def import_(kind: str, file: Path, mapping: str | None, dry_run: bool, rejects: Path | None, as_json: bool) -> None:
    """Import policies, claims or staff from xlsx, xls, csv or parquet. The same row twice changes nothing.

    Rejected rows go into a file with their reasons, to be mended and imported again.
    """
    set_up()
    require_ready()
    from lipei.domain.events import Actor, Refusal
    from lipei.services import imports

    over_many_rows()
    with _bar(f"Importing {kind}", " rows") as tell:
        report: Any = imports.run(
            kind=kind, path=file, mapping=mapping, dry_run=dry_run, rejects_path=rejects, now=now(), language="en",
            actor=Actor("system:import", _account()), progress=tell,
        )  # fmt: skip
    if isinstance(report, Refusal):
        raise Failed(in_words(report))
    said = report.as_dict()
    words = ", ".join(f"{said[n]} {n}" for n in ("read", "imported", "unchanged", "rejected"))
    where = f"; rejects in {said['rejects_file']}" if said.get("rejects_file") else ""
    answer(f"{words}{where}.", as_json, **said)


def _account() -> str:
    """The account at this machine under which the command runs."""
    try:
        return getpass.getuser()
    except (ImportError, KeyError, OSError):  # a container without names
        return ""


@click.command(epilog="Example: lipei export claims claims.xlsx")
@click.argument("what", type=click.Choice(("claims", "journal")))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--personal-data", is_flag=True, help="Names and phones in full, not masked (claims).")
@json_option
def export(what: str, file: Path, personal_data: bool, as_json: bool) -> None:
    """Write claims (xlsx, csv) or the journal (jsonl, csv) into a file. Personal data is masked."""
    set_up()
    require_ready()
    from lipei.domain.events import Actor, Refusal
    from lipei.services import exports

    operator = Actor("system:operator", "operator", frozenset({"compliance"}))
    with _bar(f"Exporting {what}", " rows") as tell:
        written = exports.run(
            what=what, path=file, actor=operator, language="en", unmasked=personal_data, progress=tell
        )  # fmt: skip
    if isinstance(written, Refusal):
        raise Failed(in_words(written))
    answer(f"{written.rows} rows are in {file}.", as_json, rows=written.rows, file=str(file))
