"""Uploads: what a file really is, where it belongs, and who may send it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from tests.api.conftest import Caller, Office

from lipei.api.schemas import REPORT
from lipei.services import documents
from lipei.store import models


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> None:
    settings.LIPEI_MEDIA = str(tmp_path / "media")


def picture(shade: int = 0) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (20, 20), (shade * 60, 0, 0)).save(out, "JPEG")
    return out.getvalue()


def send(
    caller: Caller, number: str, data: bytes, name: str = "车损.jpg", kind: str = "image/jpeg", **fields: Any
) -> Any:
    file = SimpleUploadedFile(name, data, kind)
    headers = {"Authorization": f"Bearer {caller.token}"}
    return caller.client.post(f"/api/v1/claims/{number}/documents", {"file": file, **fields}, headers=headers)


def with_papers(office: Office) -> tuple[str, Caller, list[int]]:
    body = office.program.post(
        "claims", {**REPORT, "exposures": [{"cover": "own_damage", "peril": "single_vehicle"}]}
    ).body
    handler = office.handler(body)
    assert handler.post(f"claims/{body['number']}/request_papers").status == 200
    return body["number"], handler, [p["id"] for p in handler.get(f"claims/{body['number']}").body["papers"]]


def test_a_photo_becomes_a_document_of_its_paper(office: Office) -> None:
    number, handler, papers = with_papers(office)
    found = send(office.program, number, picture(), paper=papers[0])
    assert found.status_code == 201, found.json()
    body = found.json()
    assert body["document"]["media_type"] == "image/jpeg" and body["document"]["paper"] == papers[0]
    assert {"document.received", "paper.received"} <= {e["kind"] for e in body["events"]}
    with documents.kept().open(body["document"]["digest"]) as kept:
        assert kept.read() == picture()
    second = send(office.program, number, picture(1), paper=papers[0]).json()
    claim = handler.get(f"claims/{number}").body
    assert claim["papers"][0]["uploads"] == [body["document"]["id"], second["document"]["id"]]
    assert claim["documents"][0]["file_name"] == "***.jpg"


def test_the_same_file_twice_is_one_document(office: Office) -> None:
    number, _, papers = with_papers(office)
    assert send(office.program, number, picture(), paper=papers[0]).status_code == 201
    again = send(office.program, number, picture(), paper=papers[0])
    assert again.status_code == 201 and again.json()["events"] == []
    assert again.json()["document"]["id"] == 1
    assert models.Document.objects.count() == 1


def test_a_photo_seen_on_another_claim_is_named(office: Office) -> None:
    first, _, _ = with_papers(office)
    second = office.program.post("claims", {**REPORT, "story": "另一件"}).body["number"]
    assert send(office.program, first, picture()).status_code == 201
    assert send(office.program, second, picture()).json()["document"]["duplicate_of"] == f"{first}/1"


def test_what_is_not_what_it_says_is_refused_with_a_sentence(office: Office) -> None:
    number, handler, papers = with_papers(office)
    for data, name, kind, status in (
        (b"MZ\x90\x00 program", "photo.jpg", "image/jpeg", 415),
        (b"<html>", "page.html", "text/html", 415),
        (b"", "photo.jpg", "image/jpeg", 422),
        (picture()[:200], "photo.jpg", "image/jpeg", 422),
    ):
        found = send(office.program, number, data, name, kind)
        assert found.status_code == status, found.content
        assert found.json()["detail"] and found.json()["errors"][0]["field"] == "file"
    assert models.Document.objects.count() == 0
    assert handler.post(f"claims/{number}/papers/{papers[0]}/waive", {"reason": "免"}).status == 200
    assert send(office.program, number, picture(), paper=papers[0]).status_code == 409
    assert send(office.program, number, picture(), paper=99).status_code == 404
    assert send(office.program, number, picture(), survey=99).status_code == 404
    assert send(office.program, number, picture(), paper="x").status_code == 422
    assert send(office.program, number, picture(), colour="red").status_code == 422
    assert send(office.program, "26112300000000", picture()).status_code == 404
    assert send(office.admin1, number, picture()).status_code == 404
    assert send(office.manager1, number, picture(2)).status_code == 201
    assert send(office.compliance1, number, picture(3)).status_code == 403


def test_a_file_that_is_too_large_is_refused(office: Office) -> None:
    number, _, _ = with_papers(office)
    large = picture() + b"\x00" * 20_000_001
    found = send(office.program, number, large)
    assert found.status_code == 413 and "20" in found.json()["detail"]
    larger = office.program.post(f"claims/{number}/documents", b"x", Content_Type="multipart/form-data; boundary=x")
    assert larger.status in (400, 422)
    assert office.program.post(f"claims/{number}/documents", {"file": 1}).status == 415
    assert office.program.post(f"claims/{number}/documents", b"x", Content_Type="multipart/form-data").status == 400


def test_a_full_disk_loses_nothing_and_says_so(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    number, _, _ = with_papers(office)

    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lipei.gateways.uploads.media.MediaStore.put", full)
    found = send(office.program, number, picture())
    assert (found.status_code, found.json()["code"]) == (507, "refusal.disk_full")
    assert models.Document.objects.count() == 0
