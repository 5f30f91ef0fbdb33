"""The bad moments that every screen has to stand, and that each has a test: `pytest -m bad_moment` runs them all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.once
HERE = Path(__file__).parent
MOMENTS = {
    "session ends": "what was typed is still there after signing in again",
    "double click": "a form is done once",
    "back after submit": "the form that comes back makes nothing twice",
    "two tabs": "neither tab undoes the other, or makes its work twice",
    "wrong clock": "the clock of a phone decides nothing",
    "forty photos": "forty photos of 12 MB each come in",
    "long story": "4,000 characters are kept and shown",
    "short and long names": "names of one character and of forty are taken and fit",
    "right to left": "words pasted in from right to left are kept and turn nothing around them",
    "a colleague was faster": "the claim was closed a second ago: it says so and keeps the words",
    "restart during upload": "an upload goes on after the server began anew",
    "no permission": "it says so, and whom to ask",
}
_SAID = re.compile(r'bad_moment\("([^"]+)"\)')


def test_every_bad_moment_has_its_test() -> None:
    files = [path for path in HERE.rglob("test_*.py") if path != Path(__file__)]
    said = {name for path in files for name in _SAID.findall(path.read_text(encoding="utf-8"))}
    assert said == set(MOMENTS)
