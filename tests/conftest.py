"""What every test may use."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

# Before Django reads its settings: tests keep their files in a folder of their own.
if "LIPEI_HOME" not in os.environ:
    os.environ["LIPEI_HOME"] = tempfile.mkdtemp(prefix="lipei-test-")
    atexit.register(shutil.rmtree, os.environ["LIPEI_HOME"], ignore_errors=True)

# How long one example takes says something of the machine that is busy, and nothing of the rule.
settings.register_profile("lipei", deadline=None)
settings.load_profile("lipei")


def pytest_configure() -> None:
    """What takes long and shows nothing here: a digest against whoever guesses passwords, and a disk that is waited for.

    SQLite keeps a file as it does in use: one in memory would be one connection for the test and for every request of
    the server beside it, and what the one begins the other would end.
    """
    from django.contrib.auth.hashers import PBKDF2PasswordHasher
    from django.db import connections

    PBKDF2PasswordHasher.iterations = 1_000
    database = connections.settings["default"]
    if database["ENGINE"].endswith("sqlite3"):
        database["TEST"]["NAME"] = str(Path(os.environ["LIPEI_HOME"], "tests.sqlite3"))
        database["OPTIONS"]["init_command"] += "; PRAGMA synchronous=OFF"


@pytest.hookimpl(trylast=True)  # once those are gone that are not to be run
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that take long come first: what is left for the end is short, and everybody ends at one time.

    pytest-xdist begins with as many pieces of the list as there are processes; what is stolen later comes from the end of
    a piece. So each piece begins with long ones, those of a file together: what they share is made once.
    """
    pieces: list[list[pytest.Item]] = [[] for _ in range(int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))]
    slow = [item for item in items if item.get_closest_marker("slow")]
    for place, file in enumerate(sorted({item.path for item in slow})):
        pieces[place % len(pieces)] += [item for item in slow if item.path == file]
    others = [item for item in items if not item.get_closest_marker("slow")]
    for place, piece in enumerate(pieces):
        length = len(items) // len(pieces) if place < len(pieces) - 1 else len(items)
        taken = max(0, length - len(piece))
        piece += others[:taken]
        del others[:taken]
    items[:] = [item for piece in pieces for item in piece]


@pytest.fixture(autouse=True)
def even_ground(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reads rows begins with rows of its own, and with no claim drawn for sampling by lot.

    A process remembers some things by counting the rows of its database; and one claim in twenty would go to a person
    (norm 3.2), so that what automation does could not be foreseen. The lot has its tests in tests/domain.
    """
    if request.node.get_closest_marker("django_db") or {"db", "transactional_db"} & set(request.fixturenames):
        from lipei.domain import automation
        from lipei.reads import rulebook
        from lipei.services import webhooks, world

        rulebook.at.cache_clear()
        world.forget_staff()
        monkeypatch.setattr(webhooks, "_known", (-1, []))
        monkeypatch.setattr(automation, "drawn", lambda case, world: case.claim.sampled)
