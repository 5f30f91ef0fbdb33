"""`python -m benchmarks [name …]`: take figures, each benchmark in a process and on a scratch database of its own."""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import machine, options
from benchmarks.database import scratch
from benchmarks.figures import Figure, say, shown, tell, told

NAMES = (
    "reports",
    "small_claim",
    "worklist",
    "claim_page",
    "imports",
    "sweep",
    "letters",
    "verify",
    "start",
    "pages",
    "replay",
)
OWN_DATABASE = ("start", "pages")
"""Benchmarks of the product as it comes out of the box: they make their own SQLite database."""
ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"


def main() -> int:
    """Run the benchmarks named (all of them), print a table, and answer 1 where a bar was missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"which: {', '.join(NAMES)}; none: all")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    options.add_to(parser)
    given = parser.parse_args()
    chosen = options.read(given)
    unknown = sorted(set(given.names) - set(NAMES))
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; choose of {', '.join(NAMES)}")
    if given.child:
        (name,) = given.names
        tell(importlib.import_module(f"benchmarks.{name}").run(chosen))
        return 0
    missing = machine.missing(chosen.database)
    if missing:
        parser.exit(2, f"{missing}\n")
    about = machine.told(chosen.database)
    found = {name: _taken(name, chosen) for name in (given.names or NAMES)}
    table = f"{about}\n\n{_table(found)}"
    print(table)
    if not given.names:
        _write(table)
    missed = [f for figures in found.values() for f in figures if f.met is False]
    return 1 if missed or any(not figures for figures in found.values()) else 0


def _taken(name: str, chosen: options.Options) -> list[Figure]:
    """One benchmark in a process of its own; no figures where it failed."""
    say(f"— {name} …")
    with tempfile.TemporaryDirectory(prefix="lipei-bench-") as home, scratch(chosen.database, name) as url:
        environ = {k: v for k, v in os.environ.items() if not k.startswith("LIPEI_") or k.startswith("LIPEI_BENCH_")}
        environ |= {"LIPEI_HOME": home, "LIPEI_LOG": "ERROR", "DJANGO_SETTINGS_MODULE": "lipei.config.settings"}
        if name not in OWN_DATABASE:
            environ["LIPEI_DATABASE_URL"] = url
        command = [sys.executable, "-m", "benchmarks", name, "--child", *options.arguments(chosen)]
        child = subprocess.run(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, check=False)
    figures = [figure for line in child.stdout.splitlines() if (figure := told(line)) is not None]
    if child.returncode:
        say(f"  {name} failed")
        return []
    for figure in figures:
        say(f"  {figure.name}: {shown(figure.value)} {figure.unit} {_verdict(figure)}".rstrip())
    return figures


def _verdict(figure: Figure) -> str:
    return "" if figure.met is None else f"(bar {figure.bar}: {'met' if figure.met else 'MISSED'})"


def _write(table: str) -> None:
    """Put a full run's figures where the documentation shows them."""
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}", encoding="utf-8")


def _table(found: dict[str, list[Figure]]) -> str:
    lines = [
        "| benchmark | figure | value | bar | met | |",
        "|---|---|---|---|---|---|",
    ]
    for name, figures in found.items():
        if not figures:
            lines.append(f"| {name} | failed | | | no | |")
        for f in figures:
            met = {True: "yes", False: "**no**", None: ""}[f.met]
            lines.append(f"| {name} | {f.name} | {shown(f.value)} {f.unit} | {f.bar} | {met} | {f.note} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
