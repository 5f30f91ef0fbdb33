"""``migrate``, ``token`` and ``staff``."""

from __future__ import annotations

import secrets
from dataclasses import replace

import click

from lipei.config.commands import Failed, answer, in_words, json_option, now, require_ready, set_up


@click.command(epilog="Example: lipei migrate --take calendars")
@click.option("--take", metavar="TABLE", help="Put this release's edition of a norm table in force, as a new version.")
@json_option
def migrate(take: str | None, as_json: bool) -> None:
    """Bring the database up to date and put the journal's guards in place. Safe to run again.

    Norm tables stay as they are; where this release ships another edition, that is said.
    """
    set_up()
    applied = bring_up_to_date()
    taken, offered = _editions(take)
    words = [f"The database is up to date ({applied} migrations applied)."]
    if taken:
        words.append(f"The shipped edition of {take} is in force as version {taken}.")
    if offered:
        words.append(
            f"This release ships another edition of: {', '.join(offered)}. Yours stay in force; see the difference on the"
            " page of the table, or put it in force with `lipei migrate --take TABLE`."
        )
    answer("\n".join(words), as_json, applied=applied, taken=taken, offered=list(offered))


def _editions(take: str | None) -> tuple[int, tuple[str, ...]]:
    """Keep what a company began with; the version that was taken (0: none), and the tables that are offered."""
    from lipei.domain.events import Actor, Refusal
    from lipei.services import backup, editions

    if backup.is_empty():
        return 0, ()
    editions.keep_shipped(now=now())
    if take is None:
        return 0, editions.offered()
    taken = editions.take(take, actor=Actor("system:operator", "operator"), now=now())
    if isinstance(taken, Refusal):
        raise Failed(f"nothing was put in force. {in_words(taken)}")
    return taken, editions.offered()


def bring_up_to_date() -> int:
    """Apply what is missing; how many migrations that was. Raises `Failed`."""
    from django.conf import settings
    from django.core.management import call_command
    from django.db import DatabaseError, connection
    from django.db.migrations.executor import MigrationExecutor

    from lipei.domain.registers import PolicyRegister
    from lipei.gateways.uploads.media import DurableFiles
    from lipei.services import personnel, registers
    from lipei.store import journal, models

    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if plan:
            call_command("migrate", verbosity=0, interactive=False)
        if journal.guards_missing():
            journal.install_guards()
        DurableFiles(location=settings.LIPEI_MEDIA).move_up()
        personnel.begin(now=now())
        if models.Policy.objects.exists():
            registers.begin(PolicyRegister, now=now())
    except (DatabaseError, OSError) as error:
        raise Failed(
            f"the database could not be brought up to date: {error}".strip() + " Check LIPEI_DATABASE_URL."
        ) from error
    return len(plan)


def make_tables_where_there_are_none() -> None:
    """Bring an untouched database up to date; one that has tables already is the operator's to migrate."""
    from django.db import DatabaseError, connection

    try:
        untouched = not connection.introspection.table_names()
    except (DatabaseError, OSError):
        return  # whoever goes on says what is wrong with it
    if untouched:
        bring_up_to_date()


@click.command(epilog="Example: lipei token claims-website --scope claims:write --scope claims:read")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help="What it may be used for; say it once for each.")
@click.option("--staff", help="Code of the member of staff as whom it acts; without one it acts as a program.")
@json_option
def token(name: str, scopes: tuple[str, ...], staff: str | None, as_json: bool) -> None:
    """Make an API token and print it, this once: only a digest of it is kept."""
    set_up()
    require_ready()
    from lipei.domain.events import Refusal
    from lipei.services import tokens

    made = tokens.make(name, scopes, staff, now=now())
    if isinstance(made, Refusal):
        raise Failed(f"no token was made. {in_words(made)}")
    answer(made, as_json, name=name, token=made, scopes=list(scopes))


@click.command(epilog='Example: lipei staff admin --name "Zeng Ping" --role administrator')
@click.argument("code")
@click.option("--name", help="Name of the person; without one the code.")
@click.option("--role", "roles", multiple=True, help="A role; say it once for each. Without one: administrator.")
@click.option("--unit", default="", help="Unit of the person.")
@json_option
def staff(code: str, name: str | None, roles: tuple[str, ...], unit: str, as_json: bool) -> None:
    """Give a member of staff a sign-in and print its password, this once: the first administrator gets in by it.

    For somebody who is on record already it makes a new password; name, roles and unit then change only where said.
    """
    set_up()
    require_ready()
    from lipei.domain.events import Actor, Refusal
    from lipei.domain.permissions import ROLES
    from lipei.services import staffing
    from lipei.store import models

    unknown = sorted(set(roles) - set(ROLES))
    if unknown:
        raise click.UsageError(f"there is no role {unknown[0]}; roles are: {', '.join(ROLES)}.")
    row = models.Staff.objects.filter(code=code).first()
    known = staffing.on_record(row.id) if row is not None else None
    known = known or staffing.SaveStaff(code=code, name=code, roles=("administrator",))
    password = secrets.token_urlsafe(12)
    wanted = replace(
        known, name=name or known.name, roles=roles or known.roles, unit=unit or known.unit, active=True,
        username=known.username or code, password=password,
    )  # fmt: skip
    operator = Actor("system:operator", "operator", frozenset({"administrator"}))
    saved = staffing.save(wanted, staff_id=row.id if row is not None else None, actor=operator, now=now())
    if isinstance(saved, Refusal):
        raise Failed(f"no sign-in was made. {in_words(saved)}")
    said = f'Sign in as {wanted.username} with the password {password} and change it there under "My account".'
    answer(said, as_json, code=code, username=wanted.username, password=password, roles=list(wanted.roles))
