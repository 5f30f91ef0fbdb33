"""The command line: what each command promises, as it is promised to programs and operators (names, options, exit status)."""

from __future__ import annotations

import base64
import json
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import click
import pyarrow
import pytest
from pyarrow import parquet
from tests.jobs.installations import Installation, Shell, free_port, installation

from lipei.config import cli

NAMES = {
    "serve", "work", "run", "migrate", "token", "demo", "import", "export", "verify", "backup", "restore", "role",
    "check", "docs", "staff",
}  # fmt: skip
FOR_PROGRAMS = {"migrate", "token", "staff", "demo", "import", "export", "verify", "backup", "restore", "check"}
SHOWN = {name: command for name, command in cli.lipei.commands.items() if not command.hidden}


def test_the_commands_are_those_that_others_rely_on() -> None:
    assert set(SHOWN) == NAMES


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_every_command_has_help_with_an_example(name: str) -> None:
    command = SHOWN[name]
    assert command.help and (command.epilog or "").startswith("Example: "), name
    assert f"lipei {name}" in (command.epilog or "")
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    assert all(one.help for one in options), [one.name for one in options if not one.help]
    assert (name in FOR_PROGRAMS) == ("--json" in {o for one in options for o in one.opts})


# --- one installation, from nothing --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("fresh") / "home") as made:
        yield made


@pytest.fixture(scope="module")
def beginning(fresh: Installation) -> Iterator[Shell]:
    """Where no setting was read yet."""
    with fresh.shell() as shell:
        yield shell


def ended(done: subprocess.CompletedProcess[str], status: int, *words: str) -> str:
    """What was said by a command that ended like this; an error is one sentence and no traceback."""
    said = done.stdout if status == 0 else done.stderr
    assert done.returncode == status, done.stdout + done.stderr
    assert all(word in said for word in words), said
    assert "Traceback" not in done.stderr
    return said


@pytest.mark.once
def test_a_port_in_use_is_not_shared(fresh: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for command in ("serve", "run"):
            ended(fresh.lipei(command, "--port", taken.getsockname()[1]), 1, "another port")


@pytest.mark.slow
def test_from_nothing_to_a_company_and_out_again(fresh: Installation, tmp_path: Path) -> None:
    for arguments in (("serve",), ("verify",), ("token", "website", "--scope", "claims:read")):
        ended(fresh.lipei(*arguments), 1, "lipei migrate")
    ended(fresh.lipei("migrate"), 0, "up to date")
    with fresh.shell() as shell:
        a_company_comes_in(shell, tmp_path)
        it_goes_out_again(shell, tmp_path)
    verified = json.loads(ended(fresh.lipei("verify", "--json"), 0))
    assert verified["differences"] == []


def a_company_comes_in(fresh: Shell, tmp_path: Path) -> None:
    ended(fresh.lipei("migrate"), 0, "(0 migrations applied)")
    assert json.loads(ended(fresh.lipei("migrate", "--json"), 0)) == {"applied": 0, "offered": [], "taken": 0}

    ended(fresh.lipei("token", "website", "--scope", "no:such"), 1, "claims:write")
    ended(fresh.lipei("token", "website"), 2, "--scope")
    made = json.loads(ended(fresh.lipei("token", "website", "--scope", "claims:write", "--json"), 0))
    assert made["token"] and made["scopes"] == ["claims:write"]

    first = json.loads(ended(fresh.lipei("staff", "admin", "--name", "曾平", "--json"), 0))
    assert first["username"] == "admin" and first["roles"] == ["administrator"] and len(first["password"]) >= 16
    ended(fresh.lipei("staff", "admin", "--role", "king"), 2, "administrator")
    again = json.loads(ended(fresh.lipei("staff", "admin", "--role", "manager", "--json"), 0))
    assert again["roles"] == ["manager"] and again["password"] != first["password"]

    staff = tmp_path / "staff.csv"
    staff.write_text("code,name,roles\nhandler1,李华,handler\nx,,nobody\n", encoding="utf-8")
    rejects = tmp_path / "rejects.csv"
    dry = json.loads(ended(fresh.lipei("import", "staff", staff, "--rejects", rejects, "--dry-run", "--json"), 0))
    assert (dry["read"], dry["imported"], dry["rejected"]) == (2, 1, 1)
    rejects.unlink()
    for imported, unchanged in ((1, 0), (0, 1)):
        said = ended(fresh.lipei("import", "staff", staff, "--rejects", rejects, "--json"), 0)
        report = json.loads(said.splitlines()[-1])
        assert report == {
            "read": 2, "imported": imported, "unchanged": unchanged, "rejected": 1, "rejects_file": str(rejects)
        }  # fmt: skip
        rejects.unlink()
    ended(fresh.lipei("demo", "--claims", "1"), 1)  # not empty any more
    ended(fresh.lipei("import", "staff", tmp_path / "nowhere.csv"), 2)
    ended(fresh.lipei("import", "cars", staff), 2)
    ended(fresh.lipei("import", "policies", staff, "--json"), 1, "policy_number", "code, name, roles")
    columns = {"code": ["handler2", "x"], "name": ["陈刚", None], "roles": ["handler", "handler"]}
    parquet.write_table(pyarrow.table(columns), tmp_path / "staff.parquet")
    said = ended(fresh.lipei("import", "staff", tmp_path / "staff.parquet", "--rejects", rejects, "--json"), 0)
    report = json.loads(said.splitlines()[-1])
    assert (report["read"], report["imported"], report["rejected"]) == (2, 1, 1)


def it_goes_out_again(fresh: Shell, tmp_path: Path) -> None:
    for what, name in (("claims", "claims.xlsx"), ("journal", "journal.jsonl")):
        done = json.loads(ended(fresh.lipei("export", what, tmp_path / name, "--json"), 0))
        assert Path(done["file"]).exists() and done["rows"] >= 0
    looked = json.loads(ended(fresh.lipei("check", "--json"), 0))
    names = [one["name"] for one in looked["checks"]]
    assert looked["good"] and names == ["database", "keys", "rules", "folders", "mail", "sms", "bank"]


@pytest.mark.once
@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"LIPEI_NO_SUCH": "1"}, "there is no setting LIPEI_NO_SUCH"),
        ({"LIPEI_DATABASE_URL": "mysql://x"}, "postgresql://"),
        ({"LIPEI_DATABASE_URL": "postgresql://u:hush@h:port/x"}, "postgresql://user:password@host:port/name"),
        ({"LIPEI_DATABASE_URL": "sqlite:///"}, "sqlite:///path"),
        ({"LIPEI_DATABASE_POOL": "0"}, "1 or more"),
        ({"LIPEI_DATA_KEY": "hush-short"}, "LIPEI_DATA_KEY cannot be used: it must be 32 bytes"),
        ({"LIPEI_DATA_KEY": "hush"}, "it must be 32 bytes"),
        ({"LIPEI_SECRET_KEY": "hush"}, "32 characters"),
        ({"LIPEI_HOME": "/proc/nowhere"}, "name a folder that can be written"),
        ({"LIPEI_EMAIL_FROM": "nobody"}, "e-mail address"),
        ({"LIPEI_LANGUAGE": "fr"}, "zh-hant"),
        ({"LIPEI_TIME_ZONE": "Mars/Base"}, "LIPEI_TIME_ZONE"),
        ({"LIPEI_HOSTS": "http://claims.example.com"}, "without http://"),
        ({"LIPEI_WEBHOOK_INSIDE": "http://inside"}, "without http://"),
        ({"LIPEI_ORIGIN": "claims.example.com"}, "https://claims.example.com"),
        ({"LIPEI_ORIGIN": "https://example.com/claims"}, "without a path"),
        ({"LIPEI_LOG": "LOUD"}, "INFO"),
        ({"LIPEI_ANALYSIS": "abacus"}, "duckdb"),
        ({"LIPEI_PROXIES": "-1"}, "0 or more"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named_in_one_sentence(
    beginning: Shell, variables: dict[str, str], words: str
) -> None:
    said = ended(beginning.lipei("migrate", **variables), 1, words)
    assert said.count("\n") == 1
    assert "hush" not in said, "a secret is not repeated"


@pytest.mark.once
@pytest.mark.slow
def test_what_leads_nowhere_is_seen_at_the_start(fresh: Installation) -> None:
    assert fresh.lipei("migrate").returncode == 0
    nowhere = {"LIPEI_BANK_URL": "swift://x", "LIPEI_EMAIL_URL": "http://x", "LIPEI_SMS_URL": "tencent://id:key@host/"}
    looked = fresh.lipei("check", "--json", **nowhere)
    assert looked.returncode == 1
    assert {one["name"] for one in json.loads(looked.stdout)["checks"] if not one["good"]} == {"mail", "sms", "bank"}
    ended(fresh.lipei("work", **nowhere), 1, "mail: ")  # the first of them
    files = {"LIPEI_BANK_URL": f"files:{fresh.home}/bank-files"}
    ended(fresh.lipei("serve", **files), 1, "bank: ", "LIPEI_BANK_ACCOUNT")


@pytest.mark.slow
def test_a_key_or_a_market_that_does_not_fit_the_database_is_seen_at_the_start(tmp_path: Path) -> None:
    with installation(tmp_path / "home") as made:
        ended(made.lipei("demo", "--claims", "1", "--months", "1"), 0, "policies are there")  # makes its tables too
        other = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        for arguments in (("work",), ("export", "claims", tmp_path / "claims.csv"), ("backup", tmp_path / "backup")):
            ended(made.lipei(*arguments, LIPEI_DATA_KEY=other), 1, "LIPEI_DATA_KEY is not the key")
        assert not (tmp_path / "claims.csv").exists() and not (tmp_path / "backup").exists()
        policies = tmp_path / "policies.csv"
        policies.write_text("policy_number,product,starts_at,ends_at\nN-1,travel,2026-01-01,2026-12-31\n", "utf-8")
        for arguments in (("work",), ("import", "policies", policies)):
            ended(made.lipei(*arguments, LIPEI_MARKET="XX"), 1, "LIPEI_MARKET")


@pytest.mark.once
def test_what_it_was_asked_for_wrongly_is_said(fresh: Installation) -> None:
    ended(fresh.lipei("nonsense"), 2, "No such command")
    ended(fresh.lipei("serve", "--port", "99999999"), 2)
    ended(fresh.lipei("serve", "--key", __file__), 2, "--certificate")
    ended(fresh.lipei("backup"), 2)
    ended(fresh.lipei("--help"), 0, "serve", "work", "verify")


@pytest.mark.once
@pytest.mark.slow
def test_run_makes_a_demonstration_serves_it_and_ends_cleanly(tmp_path: Path) -> None:
    port = free_port()
    with installation(tmp_path / "shown") as shown:
        log = tmp_path / "run.log"
        process = shown.start("-m", "lipei", "run", "--port", str(port), "--claims", "3", log=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/readyz", process, log)
            said = log.read_text()
            assert f"http://127.0.0.1:{port}" in said
            assert all(role in said for role in ("handler", "approver", "finance", "administrator"))
            links = "".join(sent.read_text() for sent in (tmp_path / "shown").rglob("outbox/sms/*"))
            assert f"http://127.0.0.1:{port}/" in links and ":8000" not in links, "links lead to where it is served"
            ended(shown.lipei("serve", "--host", "0.0.0.0"), 1, "passwords are public")
            ended(shown.lipei("serve", LIPEI_HTTPS="1"), 1, "passwords are public")
        finally:
            process.terminate()
        assert process.wait(timeout=180) == 0
        assert shown.lipei("verify").returncode == 0


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 180
    while True:
        assert process.poll() is None and time.monotonic() < deadline, log.read_text()[-2000:]
        try:
            with urlopen(address, timeout=10) as answer:
                assert answer.status == 200
                return
        except (URLError, OSError):
            time.sleep(0.3)
