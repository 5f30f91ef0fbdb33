"""The application signs in as a role that may add to the journal and never alter it (norm 1.4.3); PostgreSQL only."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from tests.jobs.installations import FILL, FOUND, Installation, installation

pytestmark = [pytest.mark.slow, pytest.mark.norm("1.4.3")]
POSTGRES = os.environ.get("LIPEI_DATABASE_URL", "").startswith("postgres")

SEAL = """
from datetime import UTC, datetime
from lipei.services import seals
print(seals.seal(now=datetime.now(UTC)).streams)
"""


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A founded installation whose tables belong to whom the tests sign in as."""
    with installation(tmp_path_factory.mktemp("owned")) as made:
        assert made.lipei("migrate").returncode == 0
        made.python(FOUND)
        yield made


@pytest.fixture
def name(owned: Installation) -> Iterator[str]:
    role = f"lipei_app_{secrets.token_hex(4)}"
    with psycopg.connect(owned.url, autocommit=True) as owner:
        owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'lipei'")  # type: ignore[arg-type]
        yield role
        owner.execute(f"GRANT {role} TO CURRENT_USER")  # type: ignore[arg-type]  # only a member may drop what it owns
        owner.execute(f"DROP OWNED BY {role}")  # type: ignore[arg-type]
        owner.execute(f"DROP ROLE {role}")  # type: ignore[arg-type]


def signed_in(owned: Installation, role: str) -> Installation:
    parts = urlsplit(owned.url)
    place = f"{role}:lipei@{parts.hostname}:{parts.port or 5432}"
    return Installation(owned.home, urlunsplit(parts._replace(netloc=place)))


@pytest.mark.skipif(not POSTGRES, reason="roles are a matter of PostgreSQL")
def test_as_that_role_everything_works_and_the_journal_stays(owned: Installation, name: str) -> None:
    application = signed_in(owned, name)
    assert application.lipei("verify").returncode == 1  # no rights yet
    done = owned.lipei("role", name)
    assert done.returncode == 0, done.stderr
    application.python(FILL, "1")  # reported, clocks swept, told, letters sent
    assert int(application.python(SEAL)) > 0
    verified = application.lipei("verify")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    with psycopg.connect(application.url, autocommit=True) as connection:
        entries = connection.execute("SELECT count(*) FROM journal").fetchone()
        for attack in (
            "UPDATE journal SET actor = 'nobody'",
            "DELETE FROM journal",
            "TRUNCATE journal",
            "UPDATE seal SET streams = 0",
            "DELETE FROM sealed_head",
            "ALTER TABLE journal DISABLE TRIGGER ALL",
            "DROP TRIGGER journal_append_only_row ON journal",
            "DROP TABLE journal",
            "CREATE OR REPLACE FUNCTION lipei_append_only() RETURNS trigger LANGUAGE sql AS 'SELECT NULL'",
        ):
            with pytest.raises(psycopg.Error):
                connection.execute(attack)  # type: ignore[arg-type]
        assert connection.execute("SELECT count(*) FROM journal").fetchone() == entries


@pytest.mark.skipif(not POSTGRES, reason="roles are a matter of PostgreSQL")
def test_what_cannot_be_done_is_said_in_one_sentence(owned: Installation, name: str) -> None:
    unknown = owned.lipei("role", "nobody_at_all")
    assert unknown.returncode == 1 and "CREATE ROLE nobody_at_all" in unknown.stderr
    odd = owned.lipei("role", 'a"; DROP TABLE claim')
    assert odd.returncode == 1 and "no plain role name" in odd.stderr
    owner = urlsplit(owned.url).username or ""
    assert "name another role" in owned.lipei("role", owner).stderr
    assert "run `lipei role` as their owner" in signed_in(owned, name).lipei("serve").stderr


@pytest.mark.skipif(POSTGRES, reason="PostgreSQL has roles")
def test_sqlite_says_that_it_has_none(owned: Installation) -> None:
    done = owned.lipei("role", "lipei_app")
    assert done.returncode == 1 and "SQLite knows no roles" in done.stderr
    printed = owned.lipei("role", "lipei_app", "--print")
    assert printed.returncode == 0 and 'GRANT SELECT, INSERT ON "journal"' in printed.stdout
