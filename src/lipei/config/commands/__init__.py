"""The commands of the command line, a module for each kind, and what they share."""

from __future__ import annotations

import gc
import json
from datetime import UTC, datetime
from typing import Any

import click

IN_FIELDS = "refusal.fields"
"""The refusal whose words are those of its fields."""
KEY_SAMPLE = 5
"""How many of the newest rows are opened to see that the data key is the right one."""


COLLECT_AFTER = 100_000
"""New objects after which garbage is looked for in work over many rows; some thousand rows make as many."""


class Failed(Exception):
    """A command that could not do what was asked: one sentence that says why and what to do. Exit status 1."""


class Stopped(Exception):
    """A command that ends with exit status 1 and has said why already."""


def set_up() -> None:
    """Make Django ready. Raises `Failed` where the settings make no sense or the database does not answer."""
    import django

    try:
        django.setup()
    except SystemExit as error:  # environment.Misconfigured says it in one sentence
        raise Failed(str(error).removeprefix("lipei: ")) from None


def over_many_rows() -> None:
    """Look for garbage seldom: what is loaded by now stays, and rows refer to nothing that refers to them. It is a fifth of
    the time of an import."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 10, 10)


def now() -> datetime:
    """The clock on the wall: read at the edge, handed down."""
    return datetime.now(UTC)


def answer(words: str, as_json: bool, **said: Any) -> None:
    """The outcome for a person, or for a program as one line of JSON."""
    click.echo(json.dumps(said, ensure_ascii=False, default=str) if as_json else words)


def in_words(refusal: Any) -> str:
    """A refusal in English, with what is wrong in each field."""
    from lipei.norms.refusals import worded
    from lipei.norms.texts import text, texts

    params = worded(refusal.params, "en")

    def said(code: str) -> str:
        if code not in texts():
            return code
        try:
            return text(code, "en", **params)
        except (KeyError, IndexError):
            return texts()[code]["en"]

    fields = {name: said(code) for name, code in refusal.fields.items()}
    if refusal.code == IN_FIELDS and fields:
        return " ".join(f"{name}: {words}" for name, words in fields.items())
    more = [f"{name}: {words}" for name, words in fields.items() if words != said(refusal.code)]
    return " ".join((said(refusal.code), *more))


def require_ready() -> None:
    """Raise `Failed` where commands cannot work: the database is not up to date, or was written with another key."""
    require_migrated()
    require_key()


def require_key() -> None:
    """Raise `Failed` where the data key is not the one that this database was written with.

    Whoever goes on would read no name and write new ones that the right key cannot read.
    """
    from cryptography.exceptions import InvalidTag

    from lipei.store import models

    try:
        for model in (models.Party, models.Policy):
            list(model.objects.order_by("-pk")[:KEY_SAMPLE])
    except InvalidTag:
        raise Failed(
            "LIPEI_DATA_KEY is not the key that this database was written with: bring it from where it is kept apart."
        ) from None


def require_migrated() -> None:
    """Raise `Failed` where the database is not up to date: a half-known schema is worked on by nobody."""
    from django.db import DatabaseError, ProgrammingError, connection
    from django.db.migrations.executor import MigrationExecutor

    try:
        executor = MigrationExecutor(connection)
    except ProgrammingError as error:  # connected, and not allowed to look
        raise Failed("this database role may not read the tables: run `lipei role` as their owner.") from error
    except (DatabaseError, OSError) as error:
        raise Failed(f"the database does not answer ({type(error).__name__}): check LIPEI_DATABASE_URL.") from error
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise Failed("the database is not up to date: run `lipei migrate` first.")


json_option = click.option("--json", "as_json", is_flag=True, help="One line of JSON for programs.")
