"""Sets up everything a fresh machine needs, then runs one command.

    python3 tools/bootstrap.py run | test | check | bench | docs | pictures | lock | clean  [arguments passed on]

Needs nothing but Python: the standard library only, in a syntax that an old Python reads too, so that it can say in
one sentence what is missing. What is installed is pinned by hash in requirements/; a stamp in the environment holds
the digest of what it was made from, so that a second start does nothing.
"""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MINIMUM = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
LIPEI = VENV / "bin" / "lipei"

RUN = ("run.txt", "build.txt")  # the running program, and what its pages and letters are built with
DEVELOP = ("dev.txt",)  # all of that, and what tests and checks need

POSTGRES = ("127.0.0.1", 5432)
POSTGRES_URL = "postgresql://lipei:lipei@127.0.0.1:5432/lipei"
WITHOUT_DATABASE = ("browser", "domain", "gateways", "norms", "test_architecture.py", "test_repository.py")
"""Tests that touch no database, or see none of it: they run once, not once per database; so do those marked `once`."""
NO_TESTS = 5  # pytest's exit status where nothing was selected

REBUILT = (
    ".hypothesis",
    ".import_linter_cache",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".venv",
    "build",
    "dist",
    "node_modules",
    "src/lipei/gateways/letters/fonts",
    "src/lipei/web/static/dist",
)


def stop(sentence):
    """End with one sentence that says what to do."""
    sys.stderr.write(sentence + "\n")
    sys.exit(1)


def call(*command, **env):
    """Run a command in the project's folder. Where it fails, so do we; it has said why."""
    status = subprocess.call([str(word) for word in command], cwd=str(ROOT), env=dict(os.environ, **env))
    if status:
        sys.exit(status if status > 0 else 128 - status)


def fetch(*command, **env):
    """Run a command that asks a package index."""
    try:
        call(*command, **env)
    except SystemExit:
        stop(
            "The packages could not be installed (the reason stands above): see that the network is there,"
            " or name a mirror in PIP_INDEX_URL, and run this again."
        )


def succeeds(*command):
    """Whether a command ends well; what it prints is not shown."""
    quiet = subprocess.DEVNULL
    try:
        return subprocess.call([str(word) for word in command], stdout=quiet, stderr=quiet) == 0
    except OSError:
        return False


# --- The environment ------------------------------------------------------------------------------------------------


def require_python():
    """Go on with a Python that is new enough: this one, or another one of this machine."""
    if sys.version_info >= MINIMUM:
        return
    for minor in range(19, MINIMUM[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found and succeeds(found, "-c", f"import sys; sys.exit(sys.version_info < {MINIMUM})"):
            os.execv(found, [found, str(Path(__file__).resolve()), *sys.argv[1:]])
    here = "{}.{}".format(*sys.version_info)
    stop(f"Lipei needs Python 3.{MINIMUM[1]} or newer and this is {here}: install a newer one and run this again.")


def require_venv():
    """Debian and Ubuntu ship Python without the part that makes environments."""
    try:
        __import__("venv")
        __import__("ensurepip")
    except ImportError:
        stop(
            "This Python cannot make environments: install its venv module"
            " (on Debian or Ubuntu: apt-get install python3-venv) and run this again."
        )


def digest(locks):
    """What an environment is made from: the locked packages, the project file, the Python, the place."""
    found = hashlib.sha256(f"{sys.version_info[:2]} {ROOT}".encode())
    for source in [*(LOCKS / name for name in locks), ROOT / "pyproject.toml"]:
        found.update(source.read_bytes())
    return found.hexdigest()


def stamp(locks):
    return VENV / "-".join(["stamp", *locks])


def is_set_up(locks):
    """Whether the environment was made from these files as they are now."""
    return PYTHON.exists() and stamp(locks).exists() and stamp(locks).read_text() == digest(locks)


def keep_bytecode():
    """Let every process that we start find what another one compiled, also where Python is told to keep nothing.

    A command is there in half the time, and tests start hundreds. It is kept in the environment, beside no source.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.setdefault("PYTHONPYCACHEPREFIX", str(VENV / "bytecode"))


def set_up(locks):
    """Make the environment hold the pinned version of every package, then build the pages' assets and the fonts."""
    if not is_set_up(locks) and not (locks == RUN and is_set_up(DEVELOP)):
        print("Setting up: this happens once and takes as long as the downloads …", flush=True)
        began = time.monotonic()
        make_environment()
        install(locks)
        stamp(locks).write_text(digest(locks))
        print(f"Set up in {time.monotonic() - began:.0f} s.", flush=True)
    call(PYTHON, ROOT / "tools" / "assets.py")


def make_environment():
    """An environment with pip and the pinned uv. A broken one, or one of another Python, is made anew."""
    same = f"import sys, pip; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    if not succeeds(PYTHON, "-c", same):
        require_venv()
        call(sys.executable, "-m", "venv", "--clear", VENV)
    options = ("--quiet", "--require-hashes", "--only-binary", ":all:", "--no-deps")
    fetch(
        *(PYTHON, "-m", "pip", "install", *options, "-r", LOCKS / "uv.txt"),
        PIP_DISABLE_PIP_VERSION_CHECK="1",
        PIP_USER="0",
    )


def install(locks):
    """The locked packages by hash, then Lipei itself, editable, built with the locked hatchling."""
    here = (UV, "--quiet", "pip", "install", "--python", PYTHON)
    wanted = [word for name in locks for word in ("-r", LOCKS / name)]
    fetch(*here, "--require-hashes", *wanted, **package_settings())
    call(*here, "--no-deps", "--no-build-isolation", "--editable", ROOT, **package_settings())


def package_settings():
    """uv does not read pip's settings: where pip uses a mirror or a certificate of its own, hand them over."""
    settings = {}
    index = pip_setting("index-url")
    if index and not any(name in os.environ for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_CONFIG_FILE")):
        settings["UV_DEFAULT_INDEX"] = index
    certificate = pip_setting("cert")
    if certificate and "SSL_CERT_FILE" not in os.environ:
        settings["SSL_CERT_FILE"] = certificate
    return settings


def pip_setting(name):
    """A setting of pip, empty where there is none. Its variable wins over its files."""
    given = os.environ.get("PIP_" + name.upper().replace("-", "_"))
    if given:
        return given
    ask = subprocess.run(
        [str(PYTHON), "-m", "pip", "config", "get", f"global.{name}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    return ask.stdout.decode().strip() if ask.returncode == 0 else ""


# --- The commands ---------------------------------------------------------------------------------------------------


def run(arguments):
    """Serve with worker and scheduler; on first start the database is made and filled with a demonstration company."""
    set_up(RUN)
    os.chdir(str(ROOT))
    os.execv(str(LIPEI), [str(LIPEI), "run", *arguments])


def test(arguments):
    """All tests on SQLite, then those that touch a database on PostgreSQL, where there is one."""
    set_up(DEVELOP)
    began = time.monotonic()
    postgres, about_postgres = postgres_for_tests()
    print("Tests on SQLite …", flush=True)
    failed = run_tests(arguments, "") != 0
    if postgres:
        print(f"Tests on PostgreSQL ({about_postgres}) …", flush=True)
        once = ["-m", "not once", *(f"--ignore=tests/{name}" for name in WITHOUT_DATABASE)]
        failed = run_tests([*once, *arguments], postgres) not in (0, NO_TESTS) or failed
    print(f"Tested on SQLite{' and PostgreSQL' if postgres else ''} in {time.monotonic() - began:.0f} s.")
    if not postgres:
        print(f"NOT tested on PostgreSQL: {about_postgres}")
    sys.exit(1 if failed or (not postgres and os.environ.get("CI")) else 0)


def run_tests(arguments, database):
    """pytest's exit status on this database; an empty address is the built-in SQLite."""
    env = {name: value for name, value in os.environ.items() if name != "LIPEI_DATABASE_URL"}
    if database:
        env["LIPEI_DATABASE_URL"] = database
        # Tests kill whoever speaks to the server, never the server: it need not wait for its disk at each commit.
        env.setdefault("PGOPTIONS", "-c synchronous_commit=off")
    # One more than the processors of a small machine: one of them mostly waits for the processes that its tests start.
    spread = ("-n", os.environ.get("LIPEI_TEST_PROCESSES", "3"), "--dist", "worksteal")
    # A folder of its own: of those beside each other pytest removes all but the last three, in use or not.
    with tempfile.TemporaryDirectory(prefix="lipei-tests-", ignore_cleanup_errors=True) as folder:
        own = ("--basetemp", str(Path(folder) / "pytest"))
        return subprocess.call([str(PYTHON), "-m", "pytest", *spread, *own, *arguments], cwd=str(ROOT), env=env)


def postgres_for_tests():
    """(the address of the database to test on, where it comes from), or an empty address and why there is none."""
    given = os.environ.get("LIPEI_TEST_DATABASE_URL")
    if given:
        return given, "LIPEI_TEST_DATABASE_URL"
    server = "{}:{}".format(*POSTGRES)
    try:
        socket.create_connection(POSTGRES, timeout=2).close()
    except OSError:
        return "", f"no server answers at {server}, and LIPEI_TEST_DATABASE_URL is not set."
    if succeeds(PYTHON, "-c", f"import psycopg; psycopg.connect({POSTGRES_URL!r}, connect_timeout=3).close()"):
        return POSTGRES_URL, f"the server at {server}"
    return "", (
        f"the server at {server} has no database lipei for a role lipei with the password lipei:"
        " create both, the role with CREATEDB, or set LIPEI_TEST_DATABASE_URL."
    )


def check(arguments):
    """Format, lint, types, layers, texts, migrations, generated documents."""
    set_up(DEVELOP)
    call(PYTHON, ROOT / "tools" / "check.py", *arguments)


def bench(arguments):
    """The figures; how each is measured stands in benchmarks/."""
    set_up(DEVELOP)
    call(PYTHON, "-m", "benchmarks", *arguments)


def docs(arguments):
    """Write the generated documents anew."""
    set_up(DEVELOP)
    call(LIPEI, "docs", *arguments)


def pictures(arguments):
    """Take the pictures of guide and README anew."""
    set_up(DEVELOP)
    call(PYTHON, ROOT / "tools" / "pictures.py", *arguments)


def lock(arguments):
    """Pin every package by version and hash again; `lock --upgrade` takes the newest versions that are allowed."""
    make_environment()
    compile_lock("uv.txt", "requirements/uv.in", *arguments)
    compile_lock("dev.txt", "pyproject.toml", "requirements/build.in", "--group", "pyproject.toml:dev", *arguments)
    # What runs in service runs with the versions that were tested.
    compile_lock("build.txt", "requirements/build.in", "--constraints", "requirements/dev.txt")
    compile_lock("run.txt", "pyproject.toml", "--constraints", "requirements/dev.txt")


def compile_lock(name, *sources):
    """One file for every platform and Python that we run on; it names neither an index nor a path of this machine."""
    options = ("--universal", "--python-version", "{}.{}".format(*MINIMUM), "--generate-hashes", "--no-emit-index-url")
    fetch(
        *(UV, "--quiet", "pip", "compile", *options, *sources, "--output-file", f"requirements/{name}"),
        UV_CUSTOM_COMPILE_COMMAND="make lock",
        **package_settings(),
    )


def clean(arguments):
    """Remove whatever can be made again. The data in var/ stay."""
    for name in REBUILT:
        shutil.rmtree(str(ROOT / name), ignore_errors=True)


COMMANDS = {
    "run": run,
    "test": test,
    "check": check,
    "bench": bench,
    "docs": docs,
    "pictures": pictures,
    "lock": lock,
    "clean": clean,
}


def main():
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        stop(f"Usage: python3 tools/bootstrap.py {' | '.join(COMMANDS)}")
    require_python()
    keep_bytecode()
    try:
        COMMANDS[sys.argv[1]](sys.argv[2:])
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
