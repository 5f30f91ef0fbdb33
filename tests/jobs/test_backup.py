"""A backup made while others work is restored elsewhere and is equal; the data key is never in it (issue: reliability)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.jobs.installations import FILL, FOUND, ROOT, Installation, installation

pytestmark = pytest.mark.slow

COUNTS = """
from lipei.store import models
print([(m.__name__, m.objects.count()) for m in (models.Claim, models.Clock, models.Delivery)])
print(models.Entry.objects.exclude(stream_kind="bank").count())  # the hold on the bank is an entry
print(sorted(bytes(h).hex() for h in models.Stream.objects.exclude(kind="bank").values_list("head", flat=True)))
"""
MISSING = "from lipei.store import journal; print(journal.guards_missing())"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("source")) as made:
        assert made.lipei("migrate").returncode == 0
        made.python(FOUND + FILL, "3")
        yield made


@pytest.fixture(scope="module")
def saved(source: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("backups") / "one"
    done = source.lipei("backup", place, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] > 100
    return place


@pytest.fixture
def target(tmp_path: Path, source: Installation) -> Iterator[Installation]:
    """An empty installation that was given the data key, as an operator would."""
    with installation(tmp_path / "target") as made:
        (made.home / "keys").mkdir()
        shutil.copy(source.home / "keys" / "data.key", made.home / "keys")
        yield made


def test_restored_it_is_equal_and_verified(source: Installation, saved: Path, target: Installation) -> None:
    done = target.lipei("restore", saved)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "everything agrees" in done.stdout and "Restored. No payment order leaves yet" in done.stdout
    media = sorted(p.name for p in (target.home / "media").rglob("*") if p.is_file())
    assert media and media == sorted(p.name for p in (source.home / "media").rglob("*") if p.is_file())
    # It works on: the guards hold, numbers go on, people are readable.
    *counted, missing = target.python(f"{COUNTS}\n{MISSING}\n{FILL}", "5").splitlines()
    assert counted == source.python(COUNTS).splitlines()
    assert missing == "[]"
    with target.shell() as shell:
        assert shell.lipei("verify").returncode == 0
        again = shell.lipei("restore", saved)
    assert again.returncode == 1 and "not empty" in again.stderr


def test_the_data_key_is_never_in_it(source: Installation, saved: Path) -> None:
    key = (source.home / "keys" / "data.key").read_bytes().strip()
    secret = (source.home / "keys" / "secret.key").read_bytes().strip()
    files = [path for path in saved.rglob("*") if path.is_file()]
    assert len(files) > 3
    for path in files:
        content = path.read_bytes()
        assert key not in content and secret not in content, path
        assert "王小明".encode() not in content, path


def test_without_the_data_key_nothing_is_restored(saved: Path, tmp_path: Path) -> None:
    with installation(tmp_path / "stranger") as stranger:
        done = stranger.lipei("restore", saved)
        assert done.returncode == 1 and "LIPEI_DATA_KEY" in done.stderr


def test_a_backup_that_was_altered_is_not_restored(saved: Path, tmp_path: Path, target: Installation) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(saved, broken)
    database = next(p for p in broken.rglob("*") if p.name in ("database.sqlite3", "journal.copy"))
    data = bytearray(database.read_bytes())
    data[-20] ^= 1
    database.write_bytes(data)
    done = target.lipei("restore", broken)
    assert done.returncode == 1 and "not what was written" in done.stderr


def test_it_is_made_while_others_write(source: Installation, tmp_path: Path, target: Installation) -> None:
    writing = tmp_path / "writing"
    writer = source.start("-c", "import django; django.setup()\n" + FILL.replace("fill-", "busy-"), "400", str(writing))
    try:
        deadline = time.monotonic() + 60
        while not writing.exists():
            assert time.monotonic() < deadline and writer.poll() is None
            time.sleep(0.05)
        done = source.lipei("backup", tmp_path / "live")
        assert writer.poll() is None, "the writer had nothing left to write: the test shows nothing"
    finally:
        writer.kill()
        writer.wait()
    assert done.returncode == 0, done.stderr
    restored = target.lipei("restore", tmp_path / "live")
    assert restored.returncode == 0, restored.stdout + restored.stderr


def test_what_is_still_being_uploaded_stays_out(source: Installation, tmp_path: Path) -> None:
    half = (source.home / "uploads" / "half.part", source.home / "media" / "ab" / "cd" / ".writing-1")
    for file in half:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"only half of it has come")
    try:
        assert source.lipei("backup", tmp_path / "calm").returncode == 0
    finally:
        for file in half:
            file.unlink()
    names = {path.name for path in (tmp_path / "calm").rglob("*")}
    assert "manifest.json" in names and not names & {file.name for file in half}


def test_a_disk_that_is_full_leaves_no_backup_behind(source: Installation, tmp_path: Path) -> None:
    """No file of more than 64 KB can be written: a limit stands for the end of the disk."""
    command = f"ulimit -f 64; exec {sys.executable} -m lipei backup {tmp_path / 'full'}"
    done = subprocess.run(
        ["bash", "-c", command], env=source.environment, capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 1 and "Is the disk full?" in done.stderr and "Traceback" not in done.stderr, done.stderr
    assert [path for path in tmp_path.iterdir() if "full" in path.name] == []


def test_a_folder_that_is_there_is_never_written_over(source: Installation, saved: Path) -> None:
    done = source.lipei("backup", saved)
    assert done.returncode == 1 and "exists already" in done.stderr


def test_what_is_no_backup_is_said_to_be_none(target: Installation, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = target.lipei("restore", tmp_path / "empty")
    assert done.returncode == 1 and "is not a backup" in done.stderr


def test_migrations_keep_the_guards(tmp_path: Path) -> None:
    """SQLite drops a table's triggers when it remakes the table; `lipei migrate` puts them back, and `verify` would see."""
    with installation(tmp_path / "own") as own:
        assert own.lipei("migrate").returncode == 0
        remade = own.python("""
from django.db import connection, models as m
from lipei.store import journal, models
old = models.Entry._meta.get_field("cause")
new = m.CharField(max_length=81, default="")
new.set_attributes_from_name("cause")
new.model = models.Entry
with connection.schema_editor() as editor:
    editor.alter_field(models.Entry, old, new)
print(journal.guards_missing())
if connection.vendor == "postgresql":
    connection.cursor().execute("DROP TRIGGER journal_append_only_row ON journal")
""")
        assert own.url or remade == "['journal']"
        with own.shell() as shell:
            assert [shell.lipei(name).returncode for name in ("verify", "migrate", "verify")] == [1, 0, 0]
