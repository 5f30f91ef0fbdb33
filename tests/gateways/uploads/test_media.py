"""Files at rest: sealed, stored once, whole or not at all."""

from __future__ import annotations

import hashlib
import io
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.files.storage import InMemoryStorage, Storage
from hypothesis import given
from hypothesis import strategies as st

from lipei.gateways.uploads.media import DurableFiles, MediaStore, WrongDigest, path_of
from lipei.gateways.uploads.sealing import CHUNK_BYTES, Tampered, Unsealed, seal

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
PHOTO = random.Random(1).randbytes(3 * CHUNK_BYTES + 1000)
TAG_BYTES, HEADER_BYTES = 16, 28


def digest_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def sealed(plain: bytes) -> bytes:
    return b"".join(seal(io.BytesIO(plain), key=KEY))


def opened(content: bytes, *keys: bytes) -> io.BufferedReader:
    return io.BufferedReader(Unsealed(io.BytesIO(content), keys=keys or (KEY,)))


SIZES = st.sampled_from([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 3 * CHUNK_BYTES + 77])


@given(size=SIZES)
def test_what_is_sealed_comes_out_again(size: int) -> None:
    content = sealed(PHOTO[:size])
    chunks = max(1, -(-size // CHUNK_BYTES))
    assert len(content) == HEADER_BYTES + size + chunks * TAG_BYTES
    assert opened(content).read() == PHOTO[:size]


@given(
    size=SIZES, at=st.integers(0, 4 * CHUNK_BYTES), length=st.integers(0, CHUNK_BYTES), whence=st.sampled_from([0, 2])
)
def test_it_can_be_read_from_anywhere(size: int, at: int, length: int, whence: int) -> None:
    plain = io.BytesIO(PHOTO[:size])
    stream = opened(sealed(PHOTO[:size]))
    offset = at if whence == 0 else -min(at, size)
    assert stream.seek(offset, whence) == plain.seek(offset, whence)
    assert stream.read(length) == plain.read(length)
    assert stream.tell() == plain.tell()


def test_nothing_of_the_content_is_visible_and_the_same_file_looks_different_each_time() -> None:
    plain = b"ID 310101199001011234 " * 5000
    first, second = sealed(plain), sealed(plain)
    assert b"310101" not in first
    assert first[HEADER_BYTES:200] != second[HEADER_BYTES:200]


WHOLE = sealed(PHOTO)
STEP = CHUNK_BYTES + TAG_BYTES


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(WHOLE[:-1], id="last byte missing"),
        pytest.param(WHOLE[: HEADER_BYTES + 3 * STEP], id="last chunk missing"),
        pytest.param(WHOLE[:HEADER_BYTES], id="only the header"),
        pytest.param(WHOLE[: HEADER_BYTES + 5], id="less than a tag"),
        pytest.param(WHOLE[:10], id="header cut off"),
        pytest.param(b"", id="empty"),
        pytest.param(WHOLE + b"x", id="a byte more"),
        pytest.param(WHOLE + WHOLE[HEADER_BYTES : HEADER_BYTES + STEP], id="a chunk more"),
        pytest.param(WHOLE[:HEADER_BYTES] + WHOLE[HEADER_BYTES + STEP :], id="first chunk missing"),
        pytest.param(
            WHOLE[:HEADER_BYTES]
            + WHOLE[HEADER_BYTES + STEP : HEADER_BYTES + 2 * STEP]
            + WHOLE[HEADER_BYTES : HEADER_BYTES + STEP]
            + WHOLE[HEADER_BYTES + 2 * STEP :],
            id="two chunks exchanged",
        ),
        pytest.param(sealed(PHOTO[::-1])[:HEADER_BYTES] + WHOLE[HEADER_BYTES:], id="another file's header"),
        pytest.param(PHOTO, id="not sealed at all"),
    ],
)
def test_tampering_is_noticed(content: bytes) -> None:
    with pytest.raises(Tampered):
        opened(content).read()


@given(position=st.integers(0, len(WHOLE) - 1), bit=st.integers(0, 7))
def test_every_altered_bit_is_noticed(position: int, bit: int) -> None:
    altered = bytearray(WHOLE)
    altered[position] ^= 1 << bit
    with pytest.raises(Tampered):
        opened(bytes(altered)).read()


def test_another_key_opens_nothing() -> None:
    with pytest.raises(Tampered):
        opened(WHOLE, OTHER_KEY)
    assert opened(WHOLE, OTHER_KEY, KEY).read() == PHOTO


@pytest.fixture(params=["disk", "elsewhere"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    return DurableFiles(location=tmp_path) if request.param == "disk" else InMemoryStorage()


@pytest.fixture
def store(storage: Storage) -> MediaStore:
    return MediaStore(storage, KEY)


@pytest.mark.norm("2.2.2")
def test_a_photo_is_kept_once_under_its_digest(store: MediaStore) -> None:
    digest = digest_of(PHOTO)
    assert not store.has(digest)
    assert store.put(io.BytesIO(PHOTO), digest=digest) is True
    before = store.storage.open(path_of(digest)).read()
    assert store.put(io.BytesIO(PHOTO), digest=digest) is False
    assert store.storage.open(path_of(digest)).read() == before, "the same bytes were written again"
    assert store.has(digest) and store.holds(digest)
    with store.open(digest) as stream:
        assert stream.read() == PHOTO
    assert b"".join(store.chunks(digest)) == PHOTO
    store.delete(digest)
    assert not store.has(digest)
    with pytest.raises(FileNotFoundError):
        store.open(digest)


def test_bytes_under_a_wrong_digest_are_not_kept(store: MediaStore) -> None:
    with pytest.raises(WrongDigest):
        store.put(io.BytesIO(PHOTO), digest=digest_of(b"other"))
    assert not store.has(digest_of(b"other"))
    assert not store.has(digest_of(PHOTO))


def test_a_storage_that_renames_keeps_one_copy(tmp_path: Path) -> None:
    """Two requests bring the same bytes at once, on a storage that gives the second another name."""

    class Late(InMemoryStorage):
        asked = 0

        def exists(self, name: str) -> bool:
            self.asked += 1
            return self.asked > 1 and super().exists(name)  # the first answer is from before the other's writing

    storage = Late()
    MediaStore(storage, KEY).put(io.BytesIO(PHOTO), digest=digest_of(PHOTO))
    storage.asked = 0
    assert MediaStore(storage, KEY).put(io.BytesIO(PHOTO), digest=digest_of(PHOTO)) is False
    folder = path_of(digest_of(PHOTO)).rpartition("/")[0]
    assert storage.listdir(folder)[1] == [digest_of(PHOTO)]


def test_a_change_of_keys(storage: Storage) -> None:
    MediaStore(storage, KEY).put(io.BytesIO(PHOTO), digest=digest_of(PHOTO))
    later = MediaStore(storage, OTHER_KEY, old_keys=(KEY,))
    later.put(io.BytesIO(b"new"), digest=digest_of(b"new"))
    assert later.holds(digest_of(PHOTO)) and later.holds(digest_of(b"new"))
    with pytest.raises(Tampered):
        MediaStore(storage, KEY).open(digest_of(b"new"))


@pytest.mark.parametrize("digest", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "/x"])
def test_what_is_no_digest_is_no_path(store: MediaStore, digest: str) -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        store.has(digest)


def test_keys_are_not_shown(store: MediaStore) -> None:
    assert repr(KEY)[2:20] not in repr(store)


def test_a_file_is_flushed_before_it_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        steps.append("flush folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "flush file")  # noqa: PTH112
        real_fsync(descriptor)

    def replace(self: Path, target: Path) -> Path:
        steps.append("rename")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    MediaStore(DurableFiles(location=tmp_path), KEY).put(io.BytesIO(PHOTO), digest=digest_of(PHOTO))
    assert steps[-3:] == ["flush file", "rename", "flush folder"]


def run(script: str, *arguments: object) -> subprocess.Popen[str]:
    code = textwrap.dedent(script)
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


WRITE_FOR_EVER = """
    import hashlib, io, sys
    from lipei.gateways.uploads.media import DurableFiles, MediaStore
    store = MediaStore(DurableFiles(location=sys.argv[1]), bytes(range(32)))
    for n in range(100_000):
        content = n.to_bytes(4) * 100_000
        digest = hashlib.sha256(content).hexdigest()
        store.put(io.BytesIO(content), digest=digest)
        print(digest, flush=True)
"""


def test_killed_at_any_moment_there_are_only_whole_files(tmp_path: Path) -> None:
    acknowledged: set[str] = set()
    for moment in (0.02, 0.07, 0.15):
        writer = run(WRITE_FOR_EVER, tmp_path)
        assert writer.stdout is not None
        acknowledged.add(writer.stdout.readline().strip())
        time.sleep(moment)
        writer.send_signal(signal.SIGKILL)
        acknowledged |= set(writer.stdout.read().split())
        writer.wait()
    storage = DurableFiles(location=tmp_path)
    store = MediaStore(storage, KEY)
    there = {file.name for file in tmp_path.rglob("*") if file.is_file() and not file.name.startswith(".")}
    assert {digest for digest in acknowledged if len(digest) == 64} <= there
    assert all(store.holds(digest) for digest in there)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    storage.sweep(now=tomorrow, older_than=timedelta(hours=1))
    assert not list(tmp_path.rglob(".writing-*"))


FULL_DISK = """
    import hashlib, io, resource, signal, sys
    from lipei.gateways.uploads.media import DurableFiles, MediaStore
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
    content = bytes(300_000)
    store = MediaStore(DurableFiles(location=sys.argv[1]), bytes(range(32)))
    try:
        store.put(io.BytesIO(content), digest=hashlib.sha256(content).hexdigest())
    except OSError as error:
        print("refused")
"""


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path) -> None:
    assert run(FULL_DISK, tmp_path).communicate()[0] == "refused\n"
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_a_sweep_leaves_alone_what_is_being_written(tmp_path: Path) -> None:
    storage = DurableFiles(location=tmp_path)
    (tmp_path / "ab").mkdir()
    (tmp_path / "ab" / ".writing-x").touch()
    assert storage.sweep(now=datetime.now(UTC), older_than=timedelta(hours=1)) == 0
    assert storage.sweep(now=datetime.now(UTC) + timedelta(hours=2), older_than=timedelta(hours=1)) == 1


def test_files_of_earlier_versions_move_to_their_place(tmp_path: Path) -> None:
    storage = DurableFiles(location=tmp_path)
    media = MediaStore(storage, KEY)
    digest = digest_of(PHOTO)
    media.put(io.BytesIO(PHOTO), digest=digest)
    deep = tmp_path / digest[:2] / digest[2:4] / digest
    deep.parent.mkdir()
    (tmp_path / path_of(digest)).replace(deep)
    assert not media.has(digest)
    assert storage.move_up() == 1
    assert media.holds(digest) and not deep.parent.exists()
    assert storage.move_up() == 0
