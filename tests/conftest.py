"""What every test may use."""

from __future__ import annotations

import os
import tempfile

import pytest

# Before Django reads its settings: tests keep their files in a folder of their own.
os.environ.setdefault("LIPEI_HOME", tempfile.mkdtemp(prefix="lipei-test-"))


@pytest.fixture(autouse=True)
def no_memory(request: pytest.FixtureRequest) -> None:
    """What a process remembers by counting the rows of its database: every test begins with rows of its own."""
    if request.node.get_closest_marker("django_db"):
        from lipei.reads import rulebook
        from lipei.services import world

        rulebook.at.cache_clear()
        world.forget_staff()
