"""``serve``, ``work`` and ``run``: the processes of an installation."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from lipei.config.commands import Failed, Stopped, require_migrated, set_up

PORT = 8000
STOP_SECONDS = 10.0
DEMO_CLAIMS = 60

_port = click.option(
    "--port", type=click.IntRange(1, 65535), default=PORT, envvar="PORT", show_default=True,
    help="Port; PORT in the environment moves it too.",
)  # fmt: skip
_host = click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")


@click.command(
    epilog="Example: lipei serve --host 0.0.0.0 --port 443 --workers 2 --certificate chain.pem --key key.pem"
)
@_host
@_port
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Web processes.")
@click.option(
    "--threads", type=click.IntRange(1, 128), default=8, show_default=True, help="Requests at once per process."
)
@click.option(
    "--certificate", type=click.Path(exists=True, dir_okay=False), help="TLS certificate with its chain (PEM)."
)
@click.option("--key", type=click.Path(exists=True, dir_okay=False), help="Key of the certificate (PKCS #8, PEM).")
@click.option("--checked", is_flag=True, hidden=True)  # `run` has looked already
def serve(
    host: str, port: int, workers: int, threads: int, certificate: str | None, key: str | None, checked: bool
) -> None:  # fmt: skip
    """Serve pages and API. Start as many as you like; each asks the same database."""
    if (certificate is None) != (key is None):
        raise click.UsageError("TLS needs both --certificate and --key.")
    if not checked:
        _checked_apart(host, port)
    from granian import Granian
    from granian.constants import Interfaces

    server: Any = Granian(
        "lipei.config.wsgi:application", address=host, port=port, interface=Interfaces.WSGI, workers=workers,
        # Connections, not requests, count against `backpressure`, and browsers and programs keep theirs open: with as
        # many as there are threads, the next caller would wait until somebody hangs up.
        blocking_threads=threads, backlog=1024, backpressure=1024, log_access=False, respawn_failed_workers=True,
        ssl_cert=Path(certificate) if certificate else None, ssl_key=Path(key) if key else None,
    )  # fmt: skip
    server.serve()


def _checked_apart(host: str, port: int) -> None:
    """Look whether it can be served, in a child: the process that only watches its workers stays small."""
    child = os.fork()
    if child == 0:
        os._exit(_checked(host, port))
    _, status = os.waitpid(child, 0)
    if status:
        raise Stopped


def _checked(host: str, port: int) -> int:
    try:
        _require_port(host, port)
        set_up()
        require_migrated()
        from lipei.config import checking

        checking.require()
        _refuse_demonstration(host)
    except Failed as error:
        click.echo(f"lipei: {error}", err=True)
        return 1
    _make_static_folder()
    return 0


def _make_static_folder() -> None:
    from django.conf import settings

    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


def _require_port(host: str, port: int) -> None:
    """A port that somebody listens on is not shared: two installations would answer in turns."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError as error:
            raise Failed(
                f"cannot listen on {host} port {port} ({error.strerror}): stop what uses it, "
                "or give another port with --port or PORT."
            ) from error


def _refuse_demonstration(host: str) -> None:
    """Demonstration users have passwords that everybody knows: such a database is never served to others."""
    from django.conf import settings

    from lipei.services.demo import is_demonstration

    if is_demonstration() and (settings.SESSION_COOKIE_SECURE or not _is_own(host)):
        raise Failed(
            "this database holds the demonstration company, whose passwords are public: serve it on 127.0.0.1 only, "
            "or set LIPEI_HOME or LIPEI_DATABASE_URL to a database of your own."
        )


def _is_own(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@click.command(epilog="Example: lipei work")
def work() -> None:
    """Do what runs by itself: messages, clocks, bank, webhooks, seals. Start as many as you like."""
    set_up()
    require_migrated()
    from lipei.config import checking
    from lipei.jobs import loop

    checking.require()
    loop.work()


@click.command(epilog="Example: PORT=8080 lipei run")
@_host
@_port
@click.option(
    "--claims", type=click.IntRange(1, 100_000), default=DEMO_CLAIMS, show_default=True,
    help="Claims of the demonstration made at first start.",
)  # fmt: skip
@click.option("--empty", is_flag=True, help="Start with an empty database instead of the demonstration.")
def run(host: str, port: int, claims: int, empty: bool) -> int:
    """Everything in one command: bring the database up to date, fill it at first start, serve and work."""
    lipei = [sys.executable, "-m", "lipei"]
    wanted = ["--host", host, "--port", str(port), "--claims", str(claims), *(["--empty"] if empty else [])]
    environment = _environment(f"http://{_shown(host)}:{port}")
    # In a process of its own, which gives back the memory that making a company took.
    if subprocess.run([*lipei, "prepare", *wanted], env=environment, check=False).returncode:
        return 1
    serving = ["serve", "--checked", "--host", host, "--port", str(port)]
    children = [
        # Each leads a group of its own: whatever it starts can be ended with it.
        subprocess.Popen([*lipei, *arguments], env=environment, start_new_session=True)
        for arguments in (serving, ["work"])
    ]
    return _watch(children)


def _environment(address: str) -> dict[str, str]:
    """A small heap for small processes (two arenas of malloc instead of eight per core), and links in messages that
    lead to where it is served, unless LIPEI_ORIGIN says otherwise.
    """
    return {"MALLOC_ARENA_MAX": "2", "LIPEI_ORIGIN": address, **os.environ}


def _shown(host: str) -> str:
    """The host as people reach it from this machine."""
    return "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host


@click.command(hidden=True)
@_host
@_port
@click.option("--claims", type=int, default=DEMO_CLAIMS)
@click.option("--empty", is_flag=True)
def prepare(host: str, port: int, claims: int, empty: bool) -> None:
    """The first part of `run`: database, demonstration, and what to do next."""
    _require_port(host, port)
    set_up()
    from lipei.config.commands import data, setting_up

    setting_up.bring_up_to_date()
    if not empty and data.is_fresh():
        data.fill(claims=claims, months=4, seed=1)
    _refuse_demonstration(host)
    _make_static_folder()
    _announce(host, port)


def _announce(host: str, port: int) -> None:
    from lipei.services import demo

    click.echo(f"\nLipei is served on http://{_shown(host)}:{port}  (Ctrl+C stops it)\n")
    if demo.is_demonstration():
        click.echo("Open that address and click the role you want to be, or sign in (demonstration only):")
        for role, name, password in demo.sign_ins():
            click.echo(f"  {role:<14} {name:<14} {password}")
        click.echo(f"One-time code of every customer: {demo.one_time_code()}\n")
        return
    from lipei.config.commands import data

    if not data.has_sign_in():
        lipei = Path(sys.executable).with_name("lipei")
        click.echo(f"Nobody can sign in yet: in another window, `{lipei} staff admin` makes the first sign-in.\n")


def _watch(children: Sequence[subprocess.Popen[bytes]]) -> int:
    """Wait until told to stop, or until a child ends by itself; then end all of them."""
    stopping = False

    def stop(number: int, frame: object) -> None:
        nonlocal stopping
        stopping = True

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, stop)
    while not stopping and all(child.poll() is None for child in children):
        time.sleep(0.2)
    ended = next((child.returncode for child in children if child.poll() is not None), 0)
    for child in children:
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for child in children:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(max(0.1, deadline - time.monotonic()))
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)  # what did not end in time, or was only being started
    return 0 if stopping else ended or 1
