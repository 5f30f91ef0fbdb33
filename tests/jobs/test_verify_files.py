"""Files and letters: compared with their digests, gone with the claim's time, collected when nobody refers to them."""

from __future__ import annotations

import hashlib
import io
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.company import NOW
from tests.jobs.tampering import found

from lipei.domain.events import Refusal
from lipei.gateways.uploads import media
from lipei.services import deliveries, documents, letters, retention, sweeps, verify
from lipei.store import models

pytestmark = [pytest.mark.django_db, pytest.mark.norm("4")]


def clean() -> None:
    assert list(verify.differences(now=NOW)) == []


def place(digest: str, settings: Any) -> Path:
    return Path(settings.LIPEI_MEDIA) / media.path_of(digest)


def old(path: Path) -> Path:
    """A file that was written long ago."""
    at = (NOW - timedelta(days=30)).timestamp()
    os.utime(path, (at, at))
    return path


@pytest.fixture
def paper(people: Any, case: Any) -> str:
    """The digest of a document on the claim."""
    from PIL import Image

    data = io.BytesIO()
    Image.new("RGB", (60, 40), "teal").save(data, "PNG")
    done = documents.receive(
        models.Claim.objects.exclude(id=case.id).get().number, data, file_name="a.png", declared_type="image/png",
        actor=people.intake1, now=NOW,
    )  # fmt: skip
    assert not isinstance(done, Refusal), done
    clean()
    return hashlib.sha256(data.getvalue()).hexdigest()


@pytest.fixture
def letter(case: Any) -> str:
    """The digest of a letter that went out."""
    while deliveries.work(now=NOW + timedelta(hours=20), limit=50):
        pass
    clean()
    return str(models.Delivery.objects.filter(stream_id=case.id).exclude(letter_digest="").first().letter_digest)


@pytest.mark.parametrize("which", ["paper", "letter"])
def test_a_file_altered_or_gone(which, request, settings):
    path = place(request.getfixturevalue(which), settings)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert "the file cannot be opened" in found("files")[0]
    path.unlink()
    assert "the file is gone" in found("files")[0]
    path.write_bytes(whole)
    clean()


def test_another_letter_on_record_than_was_sent(case, letter):
    models.Delivery.objects.filter(letter_digest=letter).update(letter_digest="ab" * 32)
    assert "the letter on record is not the one that was sent" in found("deliveries", case.claim.number)[0]


def test_letters_go_with_their_claim(people, case, letter, settings):
    assert letters.kept_bytes(case, models.Delivery.objects.filter(letter_digest=letter).values_list("id", flat=True))
    assert retention.erase(case.id, now=NOW)
    assert not place(letter, settings).exists()
    assert [d for d in verify.differences(now=NOW) if d.comparison != "hints"] == []


def test_files_that_nobody_refers_to_are_collected_and_no_others(paper, letter, settings):
    stray = [b"a file whose event was never written", b"one that is being written just now"]
    digests = [hashlib.sha256(data).hexdigest() for data in stray]
    for data, digest in zip(stray, digests, strict=True):
        documents.kept().put(io.BytesIO(data), digest=digest)
    for digest in (paper, letter, digests[0]):
        old(place(digest, settings))
    os.utime(place(digests[1], settings), ((NOW + timedelta(days=30)).timestamp(),) * 2)
    for hours in range(sweeps.PARTS):
        sweeps.tidy(now=NOW + timedelta(hours=hours), limit=10)
    assert not place(digests[0], settings).exists()
    assert all(place(digest, settings).exists() for digest in (paper, letter, digests[1]))
    clean()


def test_a_file_that_comes_again_while_it_is_being_collected_stays(settings):
    data = b"nobody's for a while, and now somebody's"
    digest = hashlib.sha256(data).hexdigest()
    documents.kept().put(io.BytesIO(data), digest=digest)
    path, store = old(place(digest, settings)), media.DurableFiles(location=str(settings.LIPEI_MEDIA))

    def asked(digests: Any) -> Any:
        assert documents.kept().put(io.BytesIO(data), digest=digest) is False  # in the midst of it
        return digests

    assert store.collect(now=NOW, older_than=timedelta(hours=1), unreferenced=asked) == 0
    assert path.exists() and [p.name for p in path.parent.iterdir()] == [digest]
    assert store.collect(now=NOW, older_than=timedelta(hours=1), unreferenced=lambda d: d) == 0
