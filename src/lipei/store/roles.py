"""A role for the application on PostgreSQL that may read and add to the journal but never alter or remove (norm 1.4.3).

`lipei role NAME` prints or runs these statements as the owner of the tables; the application then signs in as NAME.
"""

from __future__ import annotations

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
