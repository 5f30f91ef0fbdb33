"""A role for the application on PostgreSQL that may read and add to the journal but never alter or remove (norm 1.4.3).

`lipei role NAME` runs these statements as the owner of the tables; the application then signs in as NAME. To be run
again after an upgrade, since tables that came with it are nobody's but the owner's.
"""

from __future__ import annotations

from django.db import connection, transaction

from lipei.store.journal import GUARDED

# Moving a stream's version and erasing a salt are updates of the stream, which is no journal.
_EVERYWHERE = "SELECT, INSERT, UPDATE, DELETE"
_JOURNAL = "SELECT, INSERT"


def statements(role: str) -> list[str]:
    """The SQL that gives an existing role what the application needs and no more. Safe to run again.

    Raises ValueError for a name that is not a plain identifier.
    """
    if not role.isidentifier() or not role.isascii():
        raise ValueError(f"{role!r} is no plain role name")
    guarded = ", ".join(f'"{table}"' for table in GUARDED)
    return [
        f'GRANT USAGE ON SCHEMA public TO "{role}"',
        f'GRANT {_EVERYWHERE} ON ALL TABLES IN SCHEMA public TO "{role}"',
        f'GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO "{role}"',
        f'REVOKE ALL ON {guarded} FROM "{role}"',
        f'GRANT {_JOURNAL} ON {guarded} TO "{role}"',
    ]


class NoSuchRole(Exception):
    """The role is not there yet, or can do what no application may: the sentence says what to do."""


def grant(role: str) -> None:
    """Give an existing role its rights. Raises ValueError as `statements`, and `NoSuchRole`."""
    wanted = statements(role)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT rolsuper, EXISTS (SELECT FROM pg_tables WHERE tablename = ANY(%s) AND pg_has_role(oid, tableowner,"
            " 'MEMBER')) FROM pg_roles WHERE rolname = %s",
            [list(GUARDED), role],
        )
        found = cursor.fetchone()
        if found is None:
            raise NoSuchRole(f"there is no role {role}: make it with CREATE ROLE {role} LOGIN PASSWORD '…'.")
        if any(found):
            raise NoSuchRole(f"{role} owns the journal or is a superuser, whom no right can bind: name another role.")
        for statement in wanted:
            cursor.execute(statement)
