"""The rules of the house that a program can hold: who may know whom, what the domain never does, how long things get.

Each rule is a small function from source text to what is wrong with it, so that it is itself tested on a bad example.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "lipei"

LINES_MAX = 500
FUNCTION_LINES_MAX = 60
CODE_SUFFIXES = {".py", ".html", ".css", ".js", ".typ"}
MADE_BY_TOOLS = ("migrations", "dist", "fonts")

# fmt: off
OUTSIDE_WORLD = frozenset({
    "asyncio", "concurrent", "glob", "http", "io", "logging", "multiprocessing", "os", "pathlib",
    "random", "secrets", "select", "shutil", "signal", "socket", "sqlite3", "ssl", "subprocess",
    "sys", "tempfile", "threading", "time", "urllib", "uuid",
})
# fmt: on
"""Modules of the standard library that do input, output, chance or the clock on the wall."""

CLOCK_READS = frozenset({"now", "utcnow", "today", "localtime", "gmtime", "monotonic", "perf_counter", "time_ns"})
OUTSIDE_CALLS = frozenset({"open", "print", "input", "exec", "eval", "__import__"})

HEAVY = ("typst", "pyiso20022", "PIL", "python_calamine", "xlsxwriter", "pyarrow", "chinese_calendar", "holidays")
"""Libraries that a page or a call of the API does not need in order to start."""

OWN_FATE = ("Delivery", "BankMessage", "WebhookDelivery")
"""Rows that are no part of a claim: workers claim and finish them by conditional update."""

Rule = Callable[[ast.Module], Iterator[str]]


def python_files(*rooms: str) -> list[Path]:
    folders = [SOURCE / room for room in rooms] or [SOURCE]
    found = [path for folder in folders for path in folder.rglob("*.py") if "migrations" not in path.parts]
    assert found, f"no source in {folders}"
    return sorted(found)


def broken(rule: Rule, paths: list[Path]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: {fault}"
        for path in paths
        for fault in rule(ast.parse(path.read_text(encoding="utf-8")))
    ]


# --- The rules ------------------------------------------------------------------------------------------------------


def foreign_imports(tree: ast.Module) -> Iterator[str]:
    """Imports that the domain may not have: third parties, other rooms, and what reaches the world outside."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "the house imports by full name"
            modules = [node.module or ""]
        else:
            continue
        for module in modules:
            top = module.partition(".")[0]
            ours = module == "lipei.domain" or module.startswith("lipei.domain.")
            if not ours and (top not in sys.stdlib_module_names or top in OUTSIDE_WORLD):
                yield f"line {node.lineno} imports {module}"


def outside_calls(tree: ast.Module) -> Iterator[str]:
    """Calls that read the clock on the wall or touch the world: `now` is always an argument."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Attribute) and called.attr in CLOCK_READS:
            yield f"line {node.lineno} reads the clock by {ast.unparse(called)}()"
        if isinstance(called, ast.Name) and called.id in OUTSIDE_CALLS:
            yield f"line {node.lineno} calls {called.id}()"


def defaults_for_now(tree: ast.Module) -> Iterator[str]:
    """Functions that take `now` and make one up where it is not given."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        positional = [*node.args.posonlyargs, *node.args.args]
        tail = positional[len(positional) - len(node.args.defaults) :]
        given = [
            *zip(tail, node.args.defaults, strict=True),
            *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True),
        ]
        if any(argument.arg == "now" and default is not None for argument, default in given):
            yield f"line {node.lineno} {node.name} has a default for now"


def state_assignments(tree: ast.Module) -> Iterator[str]:
    """Places that set a state by hand; the lifecycle tables of the domain are the only place that may."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(
                isinstance(part, ast.Attribute) and part.attr == "state" for top in targets for part in ast.walk(top)
            ):
                yield f"line {node.lineno} assigns a state"
        elif isinstance(node, ast.Call):
            yield from _state_in_call(node)


def _state_in_call(node: ast.Call) -> Iterator[str]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if any(f"{row}.objects" in ast.unparse(node.func) for row in OWN_FATE):
        return
    if name in {"update", "replace"} and any(keyword.arg == "state" for keyword in node.keywords):
        yield f"line {node.lineno} sets a state by {name}()"
    if name in {"setattr", "__setattr__"} and any(getattr(word, "value", None) == "state" for word in node.args):
        yield f"line {node.lineno} sets a state by {name}()"
    keys = [key for word in ast.walk(node) if isinstance(word, ast.Dict) for key in word.keys]
    if name == "Change" and any(getattr(key, "value", None) == "state" for key in keys):
        yield f"line {node.lineno} sets a state by a Change of its own"


def long_functions(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{node.name} has {lines} lines"


# --- They hold ------------------------------------------------------------------------------------------------------


def test_every_room_knows_only_those_below_it() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_domain_imports_only_itself_and_the_standard_library() -> None:
    assert broken(foreign_imports, python_files("domain")) == []


def test_the_domain_reads_no_clock_and_touches_nothing_outside() -> None:
    assert broken(outside_calls, python_files("domain")) == []


def test_nobody_makes_up_the_time_that_was_not_given() -> None:
    assert broken(defaults_for_now, python_files("domain", "services")) == []


def test_states_are_set_by_the_domain_alone() -> None:
    elsewhere = [path for path in python_files() if SOURCE / "domain" not in path.parents]
    assert broken(state_assignments, elsewhere) == []


def test_a_function_fits_a_screen() -> None:
    assert broken(long_functions, python_files()) == []


def test_a_file_is_read_in_one_sitting() -> None:
    files = [path for path in SOURCE.rglob("*") if path.suffix in CODE_SUFFIXES and path.is_file()]
    ours = [path for path in files if not set(MADE_BY_TOOLS) & set(path.parts)]
    lines = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in ours}
    assert lines
    assert {name: count for name, count in lines.items() if count > LINES_MAX} == {}


def test_heavy_libraries_wait_until_they_are_used() -> None:
    """A web process that has loaded every view has not loaded what only letters, files and imports need."""
    program = (
        "import sys, django; django.setup()\n"
        "from django.urls import get_resolver; assert get_resolver().url_patterns\n"
        f"print(*[name for name in {HEAVY!r} if name in sys.modules])"
    )
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "lipei.config.settings", "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []


# --- And would notice -----------------------------------------------------------------------------------------------

BAD: list[tuple[Rule, str]] = [
    (foreign_imports, "import django"),
    (foreign_imports, "from lipei.store import journal"),
    (foreign_imports, "from lipei import norms"),
    (foreign_imports, "import time"),
    (foreign_imports, "from random import choice"),
    (foreign_imports, "def f():\n    import os.path"),
    (outside_calls, "datetime.now(UTC)"),
    (outside_calls, "x = datetime.date.today()"),
    (outside_calls, "open('a')"),
    (defaults_for_now, "def f(now=None): ..."),
    (defaults_for_now, "def f(a, *, b=1, now=datetime.min): ..."),
    (state_assignments, "claim.state = 'closed'"),
    (state_assignments, "a, claim.state = 1, 'closed'"),
    (state_assignments, "Claim.objects.filter(pk=1).update(state='closed')"),
    (state_assignments, "replace(claim, state='closed')"),
    (state_assignments, "setattr(claim, 'state', 'closed')"),
    (state_assignments, "Change('claim', 0, {'state': 'closed'})"),
    (state_assignments, "Change(entity='claim', part=0, fields={'state': 'closed'})"),
    (long_functions, "def f():\n" + "    x = 1\n" * FUNCTION_LINES_MAX),
]
GOOD: list[tuple[Rule, str]] = [
    (foreign_imports, "from datetime import date, time\nfrom lipei.domain.events import Event"),
    (outside_calls, "def f(*, now):\n    return now + timedelta(days=1)"),
    (defaults_for_now, "def f(a=1, *, now, b=2): ..."),
    (state_assignments, "state = claim.state\nrow.status = 'sent'\nClaim.objects.filter(state='open')"),
    (state_assignments, "models.Delivery.objects.filter(pk=1, state='queued').update(state='sending')"),
    (state_assignments, "Change('claim', 0, {'handler': 3})\nstates['a'] = 1"),
    (long_functions, "def f():\n" + "    x = 1\n" * (FUNCTION_LINES_MAX - 1)),
]


@pytest.mark.parametrize(("rule", "source"), BAD)
def test_what_breaks_a_rule_is_found(rule: Rule, source: str) -> None:
    assert list(rule(ast.parse(source)))


@pytest.mark.parametrize(("rule", "source"), GOOD)
def test_what_keeps_a_rule_is_left_alone(rule: Rule, source: str) -> None:
    assert list(rule(ast.parse(source))) == []
