"""`make check`: everything that can be said about the source without running it, each failure listed at the end.

Runs in the environment that `tools/bootstrap.py` makes. `python tools/check.py NAME …` runs only the checks named.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from string import Formatter

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

COMMANDS: dict[str, list[str]] = {
    "format": [str(BIN / "ruff"), "format", "--check", "--quiet", "."],
    "lint": [str(BIN / "ruff"), "check", "--quiet", "."],
    "types": [str(BIN / "mypy")],
    "layers": [str(BIN / "lint-imports")],
    "texts": [sys.executable, __file__, "--texts"],
    "migrations": [sys.executable, "-m", "django", "makemigrations", "--check", "--dry-run"],
    "generated documents": [str(BIN / "lipei"), "docs", "--check"],
}
MENDED_BY = {
    "format": "ruff format .",
    "lint": "ruff check --fix . mends what it can",
    "migrations": "python -m django makemigrations",
    "generated documents": "make docs",
}

MAY_DIFFER = {"letter.date": "English writes the month as a word"}
"""Texts whose languages fill in different parameters, and why."""


def passes(name: str) -> bool:
    """Run one check; what it printed is shown only where it failed."""
    began = time.monotonic()
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "lipei.config.settings", "PYTHONIOENCODING": "utf-8"}
    try:
        done = subprocess.run(COMMANDS[name], cwd=ROOT, env=env, capture_output=True, text=True, encoding="utf-8")
        failed, said = done.returncode != 0, done.stdout + done.stderr
    except OSError as missing:
        failed, said = True, str(missing)
    print(f"{'FAILED' if failed else 'ok':<7}{name} ({time.monotonic() - began:.1f} s)", flush=True)
    if failed:
        print("".join(f"       {line}\n" for line in said.strip().splitlines()), flush=True)
    return not failed


def text_faults() -> list[str]:
    """What is wrong with the texts shown to people: a language missing, or not the same parameters in each."""
    from lipei.norms.texts import LANGUAGES, texts

    faults = []
    for key, wordings in texts().items():
        if set(wordings) != set(LANGUAGES) or not all(str(wording).strip() for wording in wordings.values()):
            faults.append(f"{key}: needs {', '.join(LANGUAGES)}, each with words, and nothing else")
        elif key not in MAY_DIFFER and len({parameters(str(wording)) for wording in wordings.values()}) > 1:
            faults.append(f"{key}: the languages do not name the same {{parameters}}")
    return faults


def parameters(wording: str) -> frozenset[str]:
    """The names in braces that a wording fills in; a wording with a stray brace has itself as its only parameter."""
    try:
        return frozenset(name for _, name, _, _ in Formatter().parse(wording) if name is not None)
    except ValueError:
        return frozenset({wording})


def main(names: list[str]) -> int:
    if names == ["--texts"]:
        faults = text_faults()
        print("\n".join(faults))
        return 1 if faults else 0
    unknown = [name for name in names if name not in COMMANDS]
    if unknown:
        print(f"No check is called {', '.join(unknown)}; there are: {', '.join(COMMANDS)}.", file=sys.stderr)
        return 2
    failed = [name for name in names or COMMANDS if not passes(name)]
    for name in failed:
        print(f"make check failed: {name}" + (f" (mend it with: {MENDED_BY[name]})" if name in MENDED_BY else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
