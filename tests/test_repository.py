"""The repository as a stranger gets it: nothing of a developer's machine in it, locks that fit, commands that exist."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
THIS_FILE = "tests/test_repository.py"  # the only file that has to name what no file may contain

MACHINE_PATHS = r"/work/(?:main|shared)|\.\./shared|(?<![\w.])/(?:root|home/\w+|Users/\w+)/|/opt/(?:pypi|wheels)"
TEMPORARY = r"(?<![\w.}])/tmp/"
HOSTS = r"\bpypi\.org|pythonhosted\.org|npmjs\.(?:org|com)|npmmirror|deb\.debian\.org|yarnpkg\.com"
UNFINISHED = r"\b(?:TODO|FIXME|HACK)\b|(?i:\b(?:coming soon|lorem ipsum)\b)"
WORKSHOP = r"\b(?:Claude|Anthropic|ChatGPT|OpenAI|Copilot|subagents?|coding agents?|language models?)\b"

LOCKS = ("uv.txt", "build.txt", "run.txt", "dev.txt")
PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)(?: ; (?P<marker>[^\\]+))?", re.MULTILINE)
MARKDOWN_LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")


def listed_files() -> list[str]:
    """Files that are in the repository, or would be with the next commit."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout: there is no list of the repository's files")
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [name for name in names if name and (ROOT / name).is_file()]


def texts() -> Iterator[tuple[str, str]]:
    """Every text file but this one: (name, contents)."""
    for name in listed_files():
        data = (ROOT / name).read_bytes()
        if name != THIS_FILE and b"\0" not in data[:8000]:
            yield name, data.decode("utf-8", errors="replace")


def places(pattern: str, *, outside: str = "\0") -> list[str]:
    """Where a pattern stands: file, line, what was found."""
    found = re.compile(pattern)
    return [
        f"{name}:{number}: {match.group()}"
        for name, contents in texts()
        if not name.startswith(outside)
        for number, line in enumerate(contents.splitlines(), 1)
        if (match := found.search(line))
    ]


def project() -> Mapping[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def bootstrap() -> ModuleType:
    """tools/bootstrap.py as a module: it is a script, no part of the package."""
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "tools" / "bootstrap.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# --- Nothing that belongs to a developer's machine ------------------------------------------------------------------


def test_no_file_names_a_developers_machine() -> None:
    assert places(MACHINE_PATHS) == []
    assert places(TEMPORARY, outside="tests/") == []


def test_no_file_names_the_host_of_a_registry() -> None:
    """Whoever installs may use a mirror: packages are named by version and digest, never by where they lie."""
    assert places(HOSTS) == []


def test_no_file_is_left_unfinished() -> None:
    assert places(UNFINISHED) == []


def test_no_file_speaks_of_the_workshop() -> None:
    assert places(WORKSHOP) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (MACHINE_PATHS, "see ../shared/norm.md"),
        (MACHINE_PATHS, 'open("/home/wang/lipei/x")'),
        (MACHINE_PATHS, "#!/root/.venv/bin/python"),
        (TEMPORARY, "to /tmp/x"),
        (HOSTS, "--index-url https://pypi.org/simple"),
        (HOSTS, '"resolved": "https://registry.npmjs.org/a"'),
        (UNFINISHED, "# TODO: rest"),
        (WORKSHOP, "written by ChatGPT"),
    ],
)
def test_the_patterns_find_what_they_are_for(pattern: str, line: str) -> None:
    assert re.search(pattern, line)


@pytest.mark.parametrize("line", ["/worklist/", "a/work/list.css", "{{ base }}/home/", "https://x.example/home/a"])
def test_the_patterns_leave_addresses_of_pages_alone(line: str) -> None:
    assert not re.search(f"{MACHINE_PATHS}|{TEMPORARY}", line)


# --- Locks ----------------------------------------------------------------------------------------------------------


def pins(lock: str) -> dict[str, str]:
    """Name → version, as the lock has it for this machine."""
    contents = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for match in PIN.finditer(contents):
        marker = match["marker"]
        if marker is None or Marker(marker.strip()).evaluate():
            found[canonicalize_name(match["name"])] = match["version"]
    assert found, lock
    return found


def unmet(wanted: list[str], lock: str) -> list[str]:
    """What is asked for and not pinned in a version that will do."""
    pinned = pins(lock)
    missing = []
    for need in map(Requirement, wanted):
        version = pinned.get(canonicalize_name(need.name))
        if version is None or not need.specifier.contains(version, prereleases=True):
            missing.append(str(need))
    return missing


def test_the_locks_hold_what_the_project_asks_for() -> None:
    """Whoever changes pyproject.toml runs `make lock`."""
    build = (ROOT / "requirements" / "build.in").read_text(encoding="utf-8").splitlines()
    building = [line for line in build if line and not line.startswith("#")]
    running = project()["project"]["dependencies"]
    assert unmet(running, "run.txt") == []
    assert unmet(building, "build.txt") == []
    assert unmet([*running, *building, *project()["dependency-groups"]["dev"]], "dev.txt") == []
    assert unmet(["django>=99", "no-such-package"], "dev.txt") == ["django>=99", "no-such-package"]


def test_what_runs_is_what_was_tested() -> None:
    tested = pins("dev.txt").items()
    assert pins("run.txt").items() <= tested
    assert pins("build.txt").items() <= tested


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_hashes(lock: str) -> None:
    contents = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    blocks = re.split(r"^(?=[A-Za-z0-9])", contents, flags=re.MULTILINE)[1:]
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert len(blocks) == len(PIN.findall(contents))


# --- Commands and documents -----------------------------------------------------------------------------------------


def test_make_and_the_script_have_the_same_commands() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^([a-z ]+):\n\t", makefile, re.MULTILINE)
    assert targets
    assert set(targets[1].split()) == set(bootstrap().COMMANDS)


def test_an_old_python_can_read_the_script() -> None:
    source = (ROOT / "tools" / "bootstrap.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 7))
    imported = {
        alias.name.partition(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert imported <= sys.stdlib_module_names


def test_an_old_python_is_told_so_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = bootstrap()
    monkeypatch.setattr(script, "MINIMUM", (3, 99))
    with pytest.raises(SystemExit, match="1"):
        script.require_python()
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "3.99" in said


def test_a_python_without_venv_is_told_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "ensurepip.py").write_text("raise ImportError")
    program = f"import sys; sys.path.insert(0, {str(ROOT / 'tools')!r}); import bootstrap; bootstrap.require_venv()"
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
    assert done.stderr.count("\n") == 1


def test_processes_find_what_another_one_compiled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = bootstrap()
    monkeypatch.setattr(script, "VENV", tmp_path)
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    script.keep_bytecode()
    subprocess.run([sys.executable, "-c", "import this"], check=True, capture_output=True, env=os.environ)
    assert list((tmp_path / "bytecode").rglob("this.*.pyc"))


def test_the_tests_say_why_there_is_no_postgresql(monkeypatch: pytest.MonkeyPatch) -> None:
    script = bootstrap()
    monkeypatch.delenv("LIPEI_TEST_DATABASE_URL", raising=False)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setattr(script, "POSTGRES", closed.getsockname())
        address, why = script.postgres_for_tests()
    assert address == ""
    assert "LIPEI_TEST_DATABASE_URL" in why
    monkeypatch.setenv("LIPEI_TEST_DATABASE_URL", "postgresql://a/b")
    assert script.postgres_for_tests() == ("postgresql://a/b", "LIPEI_TEST_DATABASE_URL")


def test_a_mirror_of_pip_is_handed_to_uv(monkeypatch: pytest.MonkeyPatch) -> None:
    script = bootstrap()
    monkeypatch.setattr(script, "PYTHON", Path(sys.executable))
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    assert script.package_settings()["UV_DEFAULT_INDEX"] == "https://mirror.example/simple"
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://other.example/simple")
    assert "UV_DEFAULT_INDEX" not in script.package_settings()


def test_cleaning_removes_only_what_the_repository_ignores_and_never_the_data() -> None:
    removed = bootstrap().REBUILT
    assert not [name for name in removed if name.split("/")[0] == "var"]
    tracked = [name for name in listed_files() if name.startswith(tuple(f"{folder}/" for folder in removed))]
    assert tracked == []


def test_links_between_documents_lead_somewhere() -> None:
    lost = [
        f"{name}: {link}"
        for name, contents in texts()
        if name.endswith(".md")
        for link in MARKDOWN_LINK.findall(contents)
        if not (ROOT / name).parent.joinpath(link).exists()
    ]
    assert lost == []


@pytest.mark.parametrize("script", [".ci/run"])
def test_scripts_can_be_started(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)
    assert subprocess.run(["bash", "-n", ROOT / script], check=False).returncode == 0
