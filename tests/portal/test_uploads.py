"""Files from customers: as a plain form, in pieces over a broken line, and refused where they are not what they say."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from tests.portal.conftest import done, report, reported

from lipei.domain import commands as c
from lipei.norms.texts import text
from lipei.reads import rulebook
from lipei.services import portal, portal_files
from lipei.services.portal import Visit
from lipei.store import models
from lipei.web.portal.uploads import CHUNK_BYTES

pytestmark = pytest.mark.django_db


def photo(seed: int = 0, size: tuple[int, int] = (64, 48)) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 50 + seed).convert("RGB").save(out, "JPEG", quality=95)
    return out.getvalue()


def file(content: bytes, name: str = "photo.jpg", kind: str = "image/jpeg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, kind)


@pytest.fixture
def asked(client: Client, people: Any) -> tuple[str, int]:
    """A claim whose customer was asked for papers, and one of the required ones."""
    number = reported(client, kind="motor:single_vehicle")
    case = portal.claim_seen(Visit(number, 1))
    case = done(number, "claim", "request_papers", 0, c.RequestPapers(), people.handler_of(case))
    return number, next(n for n in portal.papers_for(case, 1) if case.papers[n].required)


def of(number: str) -> Any:
    return portal.claim_seen(Visit(number, 1))


@pytest.mark.norm("2.2.2")
def test_several_photos_make_one_paper(client: Client, asked: tuple[str, int]) -> None:
    number, part = asked
    answer = client.post(f"/claim/{number}/papers/{part}", {f"files-{part}": [file(photo(1)), file(photo(2))]})
    assert answer.status_code == 302 and answer.url.endswith(f"#paper-{part}")
    paper = of(number).papers[part]
    assert paper.state == "received" and len(paper.uploads) == 2
    assert text("portal.paper.state.received", "zh-hans") in client.get(f"/claim/{number}/").content.decode()


def test_an_invoice_goes_with_its_number_and_is_used_once(client: Client, asked: tuple[str, int], people: Any) -> None:
    number, part = asked
    given = {f"files-{part}": [file(photo(3))], f"invoice-{part}": "fp 001"}
    client.post(f"/claim/{number}/papers/{part}", given)
    paper = of(number).papers[part]
    assert (paper.state, paper.invoice_number, len(paper.uploads)) == ("received", "FP001", 1)
    other = Client()
    second = reported(other, phone="13900139000", kind="motor:single_vehicle", key="o" * 24)
    case = done(second, "claim", "request_papers", 0, c.RequestPapers(), people.handler_of(of(second)))
    wanted = next(n for n in portal.papers_for(case, 1) if case.papers[n].code == "repair_invoice")
    said = {f"files-{wanted}": [file(photo(4))], f"invoice-{wanted}": "FP001"}
    again = other.post(f"/claim/{second}/papers/{wanted}", said)
    page = again.content.decode()
    assert again.status_code == 422 and number not in page and 'value="FP001"' in page
    assert text("portal.papers.kept", "zh-hans") in page, "its file is here: nobody has to choose it again"
    kept = page.split(f'name="kept-{wanted}" value="')[1].split('"')[0]
    stolen = client.post(f"/claim/{number}/papers/{part}", {f"kept-{part}": kept})
    assert stolen.status_code == 422 and len(of(number).documents) == 1
    right = other.post(f"/claim/{second}/papers/{wanted}", {f"kept-{wanted}": kept, f"invoice-{wanted}": "FP002"})
    paper = of(second).papers[wanted]
    assert right.status_code == 302 and (paper.state, paper.invoice_number, len(paper.uploads)) == (
        "received",
        "FP002",
        1,
    )


@pytest.mark.norm("2.2.2")
def test_what_was_chosen_for_several_papers_goes_with_whichever_button(client: Client, asked: tuple[str, int]) -> None:
    number, part = asked
    other = next(n for n, p in of(number).papers.items() if n != part and p.state == "requested")
    said = {f"files-{part}": [file(photo(1))], f"files-{other}": [file(photo(2))], "files-0": [file(photo(3))]}
    answer = client.post(f"/claim/{number}/papers/{part}", said)
    assert answer.status_code == 302 and answer.url.endswith(f"#paper-{part}")
    case = of(number)
    assert [case.papers[n].state for n in (part, other)] == ["received", "received"] and len(case.documents) == 3


@pytest.mark.norm("2.2.2")
def test_a_file_that_is_not_taken_stops_no_other_and_is_named(client: Client, asked: tuple[str, int]) -> None:
    number, part = asked
    other = next(n for n, p in of(number).papers.items() if n != part and p.state == "requested")
    bad = file(b"MZ" * 300, "scan-of-it.pdf", "application/pdf")
    said = {f"files-{part}": [file(photo(1)), bad, file(photo(2))], f"files-{other}": [file(photo(3))]}
    answer = client.post(f"/claim/{number}/papers/{part}", said)
    page, case = answer.content.decode(), of(number)
    assert answer.status_code == 422 and "scan-of-it.pdf" in page
    assert [len(case.papers[n].uploads) for n in (part, other)] == [2, 1]
    assert text("portal.papers.files", "zh-hans", n=2) in page, "the page says what has arrived"
    told = client.post(
        f"/claim/{number}/papers/{part}", {f"files-{part}": [bad]}, headers={"Accept": "application/json"}
    )
    assert told.status_code == 422 and list(told.json()["errors"]) == [f"paper_{part}"] and told.json()["said"] == []


@pytest.mark.parametrize(
    ("content", "name", "kind", "code"),
    [
        (b"MZ\x90\x00" + b"\0" * 600, "photo.jpg", "image/jpeg", "refusal.upload_not_what_it_says"),
        (b"<html><script>alert(1)</script></html>", "scan.pdf", "application/pdf", "refusal.upload_not_what_it_says"),
        (b"", "photo.jpg", "image/jpeg", "refusal.upload_empty"),
    ],
)
@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
def test_a_file_that_is_not_what_it_says_is_refused_in_one_sentence(
    client: Client, asked: tuple[str, int], content: bytes, name: str, kind: str, code: str, language: str
) -> None:  # fmt: skip
    number, part = asked
    client.cookies["lipei_language"] = language
    answer = client.post(f"/claim/{number}/papers/{part}", {f"files-{part}": [file(content, name, kind)]})
    params = {"declared": "." + name.partition(".")[2]} if code.endswith("says") else {}
    assert answer.status_code == 422 and text(code, language, **params) in answer.content.decode()
    assert of(number).papers[part].state == "requested" and not models.Document.objects.exists()


def test_no_file_chosen(client: Client, asked: tuple[str, int]) -> None:
    number, part = asked
    answer = client.post(f"/claim/{number}/papers/{part}", {})
    assert answer.status_code == 422 and text("refusal.no_file", "zh-hans") in answer.content.decode()


def test_a_full_disk_is_said(client: Client, asked: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lipei.gateways.uploads.media.MediaStore.put", full)
    number, part = asked
    answer = client.post(f"/claim/{number}/papers/{part}", {f"files-{part}": [file(photo())]})
    assert answer.status_code == 503 and text("refusal.upload_disk", "zh-hans") in answer.content.decode()


# --- photos of a report ----------------------------------------------------------------------------------------------


def test_photos_of_a_report_survive_a_correction(client: Client, people: Any) -> None:
    key = "p" * 24
    wrong = report(client, key=key, phone="12", photos=[file(photo(5))])
    assert wrong.status_code == 422 and text("portal.report.photos_kept", "zh-hans", n=1) in wrong.content.decode()
    kept = wrong.content.decode().split('name="kept" value="')[1].split('"')[0]
    right = report(client, key=key, kept=kept, photos=[file(photo(6))])
    number = right.url.split("/")[2]
    assert len(of(number).documents) == 2
    assert not list(portal_files.partials().folder.glob("*.part"))


def test_photos_kept_under_another_form_are_not_taken(client: Client, people: Any) -> None:
    wrong = report(client, key="p" * 24, phone="12", photos=[file(photo(5))])
    kept = wrong.content.decode().split('name="kept" value="')[1].split('"')[0]
    number = report(client, key="q" * 24, kept=kept).url.split("/")[2]
    assert not of(number).documents


def test_a_bad_photo_does_not_stop_the_report(client: Client, people: Any) -> None:
    answer = report(client, photos=[file(b"MZ" * 300), file(photo(7))])
    page = client.get(answer.url).content.decode()
    assert len(of(answer.url.split("/")[2]).documents) == 1
    assert "photo.jpg" in page and text("refusal.upload_not_what_it_says", "zh-hans", declared=".jpg") in page


# --- in pieces -------------------------------------------------------------------------------------------------------


def begin(client: Client, number: str, size: int, paper: int = 0, **more: Any) -> Any:
    body = {"name": "photo.jpg", "type": "image/jpeg", "size": size, "paper": paper, **more}
    return client.post(f"/claim/{number}/uploads", json.dumps(body), content_type="application/json")


def piece(client: Client, address: str, offset: int, data: bytes) -> Any:
    return client.patch(
        address, data, content_type="application/offset+octet-stream", headers={"Upload-Offset": str(offset)}
    )


def test_in_pieces_with_a_broken_line_in_between(client: Client, asked: tuple[str, int]) -> None:
    number, part = asked
    content = photo(8, (700, 500))
    begun = begin(client, number, len(content), part)
    assert begun.status_code == 201
    address, half = begun.json()["address"], len(content) // 2
    assert piece(client, address, 0, content[:half]).json() == {"offset": half}
    lost = piece(client, address, 0, content[:half])  # its answer was lost, so it is sent again
    assert lost.status_code == 409 and lost.json()["offset"] == half
    assert client.get(address).json() == {"offset": half}
    last = piece(client, address, half, content[half:])
    assert last.status_code == 200 and last.json()["done"]
    paper = of(number).papers[part]
    assert paper.state == "received" and of(number).documents[paper.uploads[0]].size_bytes == len(content)
    assert piece(client, address, len(content), b"").status_code == 410


@pytest.mark.norm("2.2.2")
def test_invoices_come_in_pieces_and_go_to_their_paper_with_the_number(client: Client, asked: tuple[str, int]) -> None:
    number, _ = asked
    part = next(n for n, p in of(number).papers.items() if p.code == "repair_invoice")
    kept = ""
    for seed in (21, 22):
        content = photo(seed)
        address = begin(client, number, len(content), part, apart=True, kept=kept).json()["address"]
        said = piece(client, address, 0, content).json()
        assert said["done"] and of(number).papers[part].state == "requested", "not without its number"
        kept = said["kept"]
    other = client.post(f"/claim/{number}/papers/{asked[1]}", {f"kept-{asked[1]}": kept, f"files-{asked[1]}": ""})
    assert other.status_code == 422, "a token is good for its own paper"
    client.post(f"/claim/{number}/papers/{part}", {f"kept-{part}": kept, f"invoice-{part}": "FP 77"})
    paper = of(number).papers[part]
    assert (paper.state, paper.invoice_number, len(paper.uploads)) == ("received", "FP77", 2)


@pytest.mark.bad_moment("restart during upload")
def test_an_upload_goes_on_after_the_server_began_anew(client: Client, asked: tuple[str, int]) -> None:
    """Nothing of it lives in the process: another one, with empty memory, goes on where the first was."""
    number, part = asked
    content = photo(9, (700, 500))
    address, half = begin(client, number, len(content), part).json()["address"], len(content) // 2
    assert piece(client, address, 0, content[:half]).json() == {"offset": half}
    cache.clear()
    rulebook.at.cache_clear()
    after = Client()
    after.cookies = client.cookies
    assert after.get(address).json() == {"offset": half}
    assert piece(after, address, half, content[half:]).json()["done"]
    assert of(number).papers[part].state == "received"


def test_somebody_elses_upload_is_gone(client: Client, asked: tuple[str, int], people: Any) -> None:
    number, part = asked
    address = begin(client, number, 100, part).json()["address"]
    other = Client()
    own = reported(other, phone="13900139000", key="o" * 24)
    stolen = address.replace(number, own)
    assert other.get(stolen).status_code == 410 and piece(other, stolen, 0, b"x").status_code == 410
    assert piece(other, address, 0, b"x").status_code == 302


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"size": 0}, 422),
        ({"size": 10**12}, 413),
        ({"size": "9"}, 422),
        ({"size": 9, "paper": 99}, 404),
        ({"size": True}, 422),
    ],
)
def test_what_cannot_be_announced(client: Client, asked: tuple[str, int], said: dict[str, Any], status: int) -> None:
    number, _ = asked
    answer = begin(client, number, **{"size": 9, **said})
    assert answer.status_code == status and answer.json()["error"]


@pytest.mark.parametrize("body", ["", "[]", "{}", "null", '"x"', "{"])
def test_what_is_no_announcement(client: Client, asked: tuple[str, int], body: str) -> None:
    answer = client.post(f"/claim/{asked[0]}/uploads", body, content_type="application/json")
    assert answer.status_code == 400 and answer.json()["error"]


def test_more_than_announced_and_nonsense_offsets(client: Client, asked: tuple[str, int]) -> None:
    address = begin(client, asked[0], 4).json()["address"]
    assert piece(client, address, 0, b"12345").status_code == 409
    answer = client.patch(address, b"1", content_type="application/octet-stream", headers={"Upload-Offset": "x"})
    assert answer.status_code == 400
    assert client.get(f"/claim/{asked[0]}/uploads/..%2f..%2fetc").status_code in (404, 410)


def test_a_piece_that_is_not_what_it_says(client: Client, asked: tuple[str, int]) -> None:
    number, part = asked
    address = begin(client, number, 600, part).json()["address"]
    answer = piece(client, address, 0, b"MZ" * 300)
    assert answer.status_code == 422 and ".jpg" in answer.json()["error"]
    assert of(number).papers[part].state == "requested"


def test_a_piece_fits_into_a_request() -> None:
    from django.conf import settings

    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE >= CHUNK_BYTES
