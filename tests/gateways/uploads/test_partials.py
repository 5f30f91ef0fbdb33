"""Uploads that may be interrupted anywhere and go on."""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import random
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lipei.gateways.uploads.partials import PartialUploads, UploadConflict
from lipei.norms.texts import LANGUAGES, text

NOW = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)
PHOTO = random.Random(2).randbytes(100_000)


@pytest.fixture
def uploads(tmp_path: Path) -> PartialUploads:
    return PartialUploads(tmp_path / "partial", lifetime=timedelta(hours=24))


def conflict(raised: pytest.ExceptionInfo[UploadConflict]) -> str:
    """The code, whose sentence exists in every language."""
    for language in LANGUAGES:
        assert "{" not in text(raised.value.code, language, **raised.value.params)
    return raised.value.code.removeprefix("refusal.upload_")


def test_a_file_in_pieces_is_the_file(uploads: PartialUploads) -> None:
    id = uploads.create(len(PHOTO), now=NOW, about={"name": "照片.jpg"})
    assert uploads.received(id) == 0
    assert uploads.append(id, 0, PHOTO[:40_000], now=NOW) == 40_000
    assert uploads.append(id, 40_000, PHOTO[40_000:], now=NOW) == len(PHOTO)
    with uploads.finish(id) as whole:
        assert whole.read() == PHOTO
    with uploads.finish(id) as again:
        assert again.read() == PHOTO, "a crash after finishing loses nothing"
    known = uploads.look(id)
    assert (known.total_bytes, known.received_bytes, known.created_at, known.about) == (
        len(PHOTO),
        len(PHOTO),
        NOW,
        {"name": "照片.jpg"},
    )
    uploads.drop(id)
    uploads.drop(id)
    assert list(uploads.folder.iterdir()) == []


@pytest.mark.parametrize("offset", [0, 39_999, 40_001, 10**12, -1])
def test_a_piece_that_does_not_fit_is_refused_with_the_place_to_go_on(uploads: PartialUploads, offset: int) -> None:
    id = uploads.create(len(PHOTO), now=NOW)
    uploads.append(id, 0, PHOTO[:40_000], now=NOW)
    with pytest.raises(UploadConflict) as raised:
        uploads.append(id, offset, PHOTO[40_000:50_000], now=NOW)
    assert conflict(raised) == "offset"
    assert raised.value.params["received"] == 40_000
    assert uploads.received(id) == 40_000


def test_more_than_announced_is_refused(uploads: PartialUploads) -> None:
    id = uploads.create(10, now=NOW)
    with pytest.raises(UploadConflict) as raised:
        uploads.append(id, 0, b"x" * 11, now=NOW)
    assert conflict(raised) == "longer_than_said"
    assert uploads.received(id) == 0


def test_less_than_announced_is_not_finished(uploads: PartialUploads) -> None:
    id = uploads.create(10, now=NOW)
    uploads.append(id, 0, b"x" * 9, now=NOW)
    with pytest.raises(UploadConflict) as raised:
        uploads.finish(id)
    assert conflict(raised) == "incomplete"
    assert raised.value.params == {"received": 9, "total": 10}


@pytest.mark.parametrize("id", ["0" * 32, "", "../../etc/passwd", "x" * 32, "0" * 32 + "/.."])
def test_what_is_not_there_is_gone(uploads: PartialUploads, id: str) -> None:
    uploads.create(10, now=NOW)
    for step in (
        lambda: uploads.received(id),
        lambda: uploads.append(id, 0, b"x", now=NOW),
        lambda: uploads.finish(id),
    ):
        with pytest.raises(UploadConflict) as raised:
            step()
        assert conflict(raised) == "gone"


def test_a_restart_changes_nothing(uploads: PartialUploads) -> None:
    id = uploads.create(len(PHOTO), now=NOW)
    uploads.append(id, 0, PHOTO[:40_000], now=NOW)
    after_restart = PartialUploads(uploads.folder, lifetime=timedelta(hours=24))
    after_restart.append(id, after_restart.received(id), PHOTO[40_000:], now=NOW)
    assert after_restart.finish(id).read() == PHOTO


def test_two_requests_do_not_write_at_once(uploads: PartialUploads) -> None:
    id = uploads.create(len(PHOTO), now=NOW)
    with (uploads.folder / f"{id}.part").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(UploadConflict) as raised:
            uploads.append(id, 0, PHOTO, now=NOW)
        assert conflict(raised) == "offset"
    assert uploads.append(id, 0, PHOTO, now=NOW) == len(PHOTO)


def test_the_sweep_takes_what_nobody_touches_any_more(uploads: PartialUploads) -> None:
    old, active = uploads.create(10, now=NOW), uploads.create(10, now=NOW)
    uploads.append(active, 0, b"x", now=NOW + timedelta(hours=20))
    assert uploads.sweep(NOW + timedelta(hours=24)) == 0
    assert uploads.sweep(NOW + timedelta(hours=25)) == 1
    with pytest.raises(UploadConflict):
        uploads.received(old)
    assert uploads.received(active) == 1
    assert uploads.sweep(NOW + timedelta(hours=45)) == 1
    assert list(uploads.folder.iterdir()) == []


def test_the_sweep_leaves_alone_what_is_being_written(uploads: PartialUploads) -> None:
    id = uploads.create(10, now=NOW)
    with (uploads.folder / f"{id}.part").open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert uploads.sweep(NOW + timedelta(days=9)) == 0
    assert uploads.received(id) == 0


def test_the_sweep_takes_what_a_crash_left_of_a_beginning(uploads: PartialUploads) -> None:
    id = uploads.create(10, now=NOW)
    (uploads.folder / f"{id}.json").rename(uploads.folder / f"{id}.draft")
    assert uploads.sweep(datetime.now(UTC) + timedelta(days=2)) >= 1
    assert list(uploads.folder.iterdir()) == []


@given(cuts=st.lists(st.integers(0, 5000), max_size=12), repeats=st.sets(st.integers(0, 12)))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_pieces_in_order_with_any_repeated_make_the_file(
    uploads: PartialUploads, cuts: list[int], repeats: set[int]
) -> None:
    content = PHOTO[:5000]
    edges = sorted({0, 5000, *cuts})
    id = uploads.create(5000, now=NOW)
    for number, (start, end) in enumerate(itertools.pairwise(edges)):
        uploads.append(id, start, content[start:end], now=NOW)
        if number in repeats:  # the answer was lost: the client sends the piece again
            with pytest.raises(UploadConflict):
                uploads.append(id, start, content[start:end], now=NOW)
    with uploads.finish(id) as whole:
        assert whole.read() == content


def run(script: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", textwrap.dedent(script), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


SEND = """
    import random, sys, time
    from datetime import UTC, datetime, timedelta
    from pathlib import Path
    from lipei.gateways.uploads.partials import PartialUploads
    uploads = PartialUploads(Path(sys.argv[1]), lifetime=timedelta(hours=24))
    content = random.Random(2).randbytes(20_000_000)
    at = uploads.received(sys.argv[2])
    while at < len(content):
        at = uploads.append(sys.argv[2], at, content[at:at + 150_000], now=datetime(2026, 3, 2, tzinfo=UTC))
        print(at, flush=True)
        time.sleep(0.002)  # a network is slower than a disk: no sender is through before it is killed
"""


def test_killed_again_and_again_it_goes_on_where_it_was(uploads: PartialUploads) -> None:
    content = random.Random(2).randbytes(20_000_000)
    id = uploads.create(len(content), now=NOW)
    kills = 0
    for moment in (0.0, 0.01, 0.03, 0.02, None):
        sender = run(SEND, uploads.folder, id)
        assert sender.stdout is not None
        last = sender.stdout.readline()
        if moment is not None:
            time.sleep(moment)
            sender.send_signal(signal.SIGKILL)
        last = (last + sender.stdout.read()).split()[-1]
        kills += sender.wait() == -signal.SIGKILL
        assert uploads.received(id) >= int(last), "an acknowledged piece is lost"
    assert kills >= 2, "the test has to hit something"
    with uploads.finish(id) as whole:
        assert hashlib.sha256(whole.read()).digest() == hashlib.sha256(content).digest()


FULL_DISK = """
    import resource, signal, sys
    from datetime import UTC, datetime, timedelta
    from pathlib import Path
    from lipei.gateways.uploads.partials import PartialUploads
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
    uploads = PartialUploads(Path(sys.argv[1]), lifetime=timedelta(hours=24))
    try:
        uploads.append(sys.argv[2], 4000, bytes(4000), now=datetime(2026, 3, 2, tzinfo=UTC))
    except OSError:
        print("refused")
"""


def test_a_full_disk_takes_nothing_and_keeps_what_it_had(uploads: PartialUploads) -> None:
    id = uploads.create(len(PHOTO), now=NOW)
    uploads.append(id, 0, PHOTO[:4000], now=NOW)
    assert run(FULL_DISK, uploads.folder, id).communicate()[0] == "refused\n"
    assert uploads.received(id) == 4000
    uploads.append(id, 4000, PHOTO[4000:], now=NOW)
    assert uploads.finish(id).read() == PHOTO
