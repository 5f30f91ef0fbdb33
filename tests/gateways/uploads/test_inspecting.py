"""What a file really is, whatever it says it is."""

from __future__ import annotations

import hashlib
import io
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.gateways.uploads import samples

from lipei.gateways.uploads import kinds
from lipei.gateways.uploads.inspecting import PAPERS, SHEETS, Inspected, Limits, UploadRefusal, clean_name, inspect
from lipei.norms.texts import LANGUAGES, text

pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning:PIL.TiffImagePlugin"),  # broken notes, on purpose
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),
]
BEIJING = timezone(timedelta(hours=8))
TAKEN_AT = datetime(2026, 3, 1, 1, 30, 15, tzinfo=UTC)
JPEG = samples.picture(notes=samples.exif())
HEIC = samples.heic(notes=samples.exif())
GIF = samples.picture("GIF")


def look(content: bytes, name: str = "", declared: str = "", *, max_bytes: int = 20_000_000, **more: Any) -> Any:
    return inspect(io.BytesIO(content), name, declared, max_bytes=max_bytes, **more)


def taken(content: bytes, name: str = "", declared: str = "", **more: Any) -> Inspected:
    found = look(content, name, declared, **more)
    assert isinstance(found, Inspected), found
    return found


def refused(content: bytes, name: str = "", declared: str = "", **more: Any) -> str:
    """The code of the refusal, whose sentence exists and can be filled in every language."""
    refusal = look(content, name, declared, **more)
    assert isinstance(refusal, UploadRefusal), refusal
    for language in LANGUAGES:
        assert "{" not in text(refusal.code, language, **refusal.params)
    return refusal.code.removeprefix("refusal.upload_")


@pytest.mark.norm("2.2.2")
@pytest.mark.parametrize(
    ("content", "name", "declared", "media_type"),
    [
        (JPEG, "IMG_0001.JPG", "image/jpeg", "image/jpeg"),
        (samples.picture("PNG", notes=samples.exif()), "截图.png", "image/png", "image/png"),
        (samples.picture("WEBP", notes=samples.exif()), "微信图片.webp", "image/webp", "image/webp"),
        (samples.heic(notes=samples.exif()), "IMG_0002.HEIC", "image/heic", "image/heic"),
        (samples.heic(notes=samples.exif(), brand=b"mif1"), "IMG_0003.heif", "image/heif", "image/heif"),
    ],
)
def test_a_photo_tells_size_time_and_place(content: bytes, name: str, declared: str, media_type: str) -> None:
    assert taken(content, name, declared) == Inspected(
        digest=hashlib.sha256(content).hexdigest(),
        media_type=media_type,
        size_bytes=len(content),
        file_name=name,
        width=120,
        height=80,
        taken_at=TAKEN_AT,
        latitude_microdegrees=31_240_018,
        longitude_microdegrees=121_490_317,
    )


def test_the_original_is_left_as_it_was_and_at_its_beginning() -> None:
    data = io.BytesIO(JPEG)
    inspect(data, "a.jpg", "", max_bytes=10**7)
    assert data.tell() == 0
    assert data.getvalue() == JPEG


@pytest.mark.parametrize("content", [samples.picture(), samples.heic(), samples.picture("PNG")])
def test_a_photo_without_notes(content: bytes) -> None:
    found = taken(content)
    assert (found.taken_at, found.latitude_microdegrees, found.longitude_microdegrees) == (None, None, None)
    assert (found.width, found.height) == (120, 80)


def test_a_camera_without_a_zone_is_taken_to_be_at_home() -> None:
    photo = samples.picture(notes=samples.exif(offset=""))
    assert taken(photo, zone=BEIJING).taken_at == TAKEN_AT
    assert taken(photo).taken_at == TAKEN_AT + timedelta(hours=8)


@pytest.mark.parametrize(
    "noted", ["0000:00:00 00:00:00", "    :  :     :  :  ", "yesterday", "2026:13:01 00:00:00", ""]
)
def test_a_time_that_makes_no_sense_is_no_time(noted: str) -> None:
    assert taken(samples.picture(notes=samples.exif(taken=noted))).taken_at is None


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({1: "S", 2: (33.0, 52.0, 0.0), 3: "W", 4: (151.0, 12.0, 36.0)}, (-33_866_667, -151_210_000)),
        ({1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)}, (None, None)),
        ({1: "N", 2: (91.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)}, (None, None)),
        ({1: "N", 2: (31.0, 0.0, 0.0)}, (None, None)),
        ({1: "X", 2: (31.0, 0.0, 0.0), 3: "E", 4: (121.0, 0.0, 0.0)}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_places(place: dict[int, Any], expected: tuple[int | None, int | None]) -> None:
    found = taken(samples.picture(notes=samples.exif(place=place)))
    assert (found.latitude_microdegrees, found.longitude_microdegrees) == expected


@pytest.mark.parametrize(
    ("content", "name", "declared", "code"),
    [
        (b"MZ\x90\x00" + b"\0" * 100, "photo.jpg", "image/jpeg", "not_what_it_says"),
        (b"<html><script>alert(1)</script></html>", "report.pdf", "application/pdf", "not_what_it_says"),
        (b"<html>%PDF-1.7 <script>alert(1)</script></html>", "report.pdf", "application/pdf", "not_what_it_says"),
        (samples.pdf(), "photo.jpg", "", "not_what_it_says"),
        (samples.pdf(), "", "image/jpeg", "not_what_it_says"),
        (JPEG, "report.pdf", "application/pdf", "not_what_it_says"),
        (JPEG, "report.pdf", "image/jpeg", "not_what_it_says"),
        (JPEG, "photo.exe", "image/jpeg", "not_what_it_says"),
        (JPEG, "photo.jpg", "text/html", "not_what_it_says"),
        (samples.workbook(), "photo.png", "", "not_what_it_says"),
        (GIF, "photo.jpg", "", "not_what_it_says"),
        (GIF, "photo.gif", "image/gif", "type_not_taken"),
        (samples.picture("AVIF"), "photo.avif", "image/avif", "type_not_taken"),
        (samples.workbook(), "table.xlsx", kinds.XLSX, "type_not_taken"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "drawing.svg", "image/svg+xml", "type_not_taken"),
        (b"hello", "", "", "type_not_taken"),
        (b"hello", "note.txt", "text/plain", "type_not_taken"),
        (b"", "photo.jpg", "image/jpeg", "empty"),
    ],
)
def test_what_is_not_what_it_says_is_refused(content: bytes, name: str, declared: str, code: str) -> None:
    assert refused(content, name, declared) == code


def test_the_sentence_names_what_was_claimed_and_what_can_be_sent() -> None:
    refusal = look(b"MZ", "photo.jpg", "image/jpeg")
    assert text(refusal.code, "zh-hans", **refusal.params).startswith("文件标明的格式是“.jpg”，但内容并不是这种格式")
    other = look(GIF)
    assert text(other.code, "en", **other.params).endswith("You can send JPEG, PNG, HEIC, HEIF, WebP, PDF.")


@pytest.mark.parametrize(
    ("name", "declared"),
    [("IMG.JPG", ""), ("", "image/jpeg"), ("", ""), ("a.jpeg", "image/jpg"), ("a.jfif", "application/octet-stream"),
     ("a.jpg", "image/pjpeg; charset=binary"), ("scan 12.03.2026", ""), ("王小明.身份证", ""), ("a.jpg", "image/png")],
)  # fmt: skip
def test_honest_names_pass(name: str, declared: str) -> None:
    assert taken(JPEG, name, declared).flags == ()


def test_a_picture_under_another_formats_name_is_taken_and_flagged() -> None:
    assert taken(samples.picture("PNG"), "photo.jpg", "image/jpeg").flags == ("renamed",)
    assert taken(samples.picture("PNG"), "photo.jpg", "image/jpeg").media_type == "image/png"


def test_one_byte_too_much_is_too_large_and_no_more_is_read() -> None:
    assert taken(JPEG, max_bytes=len(JPEG)).size_bytes == len(JPEG)
    assert refused(JPEG, max_bytes=len(JPEG) - 1) == "too_large"

    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return b"\xff" * size

        def seek(self, offset: int, whence: int = 0) -> int:
            return 0

    endless = Endless()
    refusal = inspect(endless, "", "", max_bytes=5_000_000)  # type: ignore[arg-type]
    assert refusal == UploadRefusal("refusal.upload_too_large", {"megabytes": "5"})
    assert endless.given < 8_000_000


@pytest.mark.parametrize("size", [(50_000, 50_000), (4_000_000, 1), (20_000, 20_000)])
def test_a_picture_bomb_is_refused_without_going_off(size: tuple[int, int]) -> None:
    code = refused(samples.png_header(*size), "photo.png", "image/png", limits=Limits(pixels_max=1_000_000))
    assert code == "too_many_pixels"


def test_a_heic_bomb_too() -> None:
    assert refused(samples.heic(size=(400, 300)), limits=Limits(pixels_max=100_000)) == "too_many_pixels"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_that_breaks_off_is_damaged(kind: str) -> None:
    whole = samples.picture(kind, size=(640, 480))
    assert taken(whole).width == 640
    assert refused(whole[: len(whole) // 2]) == "damaged"


@given(cut=st.integers(1, 3000))
@settings(max_examples=40, deadline=None)
def test_a_heic_that_breaks_off_is_damaged(cut: int) -> None:
    whole = samples.heic(notes=samples.exif())
    assert refused(whole[: max(20, len(whole) - cut)]) in ("damaged", "type_not_taken")


def test_a_png_that_is_all_promise_is_damaged() -> None:
    assert refused(samples.png_header(3000, 3000)) == "damaged"


def test_a_photo_with_broken_notes_is_still_a_photo() -> None:
    notes = JPEG.replace(b"MM\x00*\x00\x00\x00\x08", b"MM\x00*\xff\xff\xff\x08").replace(b"II*\x00", b"II*\xff")
    assert notes != JPEG
    assert taken(notes).taken_at is None


@pytest.mark.parametrize(
    ("content", "flags"),
    [
        (samples.pdf(), ()),
        (samples.pdf(script=True), ("pdf_javascript",)),
        (samples.pdf(password="secret"), ("pdf_encrypted",)),
        (samples.pdf(attachment=True), ("pdf_attachment",)),
        (samples.pdf(launch=True), ("pdf_launch",)),
        (samples.pdf_with_hidden_script(), ("pdf_javascript",)),
    ],
)
def test_what_a_pdf_carries_is_flagged(content: bytes, flags: tuple[str, ...]) -> None:
    found = taken(content, "report.pdf", "application/pdf")
    assert (found.media_type, found.flags) == ("application/pdf", flags)
    for flag in flags:
        assert all(text(f"reason.upload_{flag}", language) for language in LANGUAGES)


def test_the_word_in_a_pdfs_text_is_not_a_script() -> None:
    innocent = samples.pdf().replace(b"%%EOF", b"% JavaScript JS /JSON /JavaScripts\n%%EOF")
    assert taken(innocent).flags == ()


def test_a_pdf_that_breaks_off_is_damaged() -> None:
    assert refused(samples.pdf()[:-30], "report.pdf") == "damaged"


def test_a_pdf_made_to_be_slow_is_not() -> None:
    def spent(streams: int) -> float:
        began = time.process_time()
        taken(b"%PDF-1.7\n" + b"stream\n" * streams + b"\nstartxref\n0\n%%EOF")
        return time.process_time() - began

    assert spent(400_000) < 12 * max(spent(100_000), 1e-3), "four times the file, not sixteen times the work"


@pytest.mark.parametrize(
    ("content", "name", "declared", "media_type"),
    [
        (samples.workbook(), "claims.xlsx", kinds.XLSX, kinds.XLSX),
        (samples.workbook(), "claims.xls", "application/vnd.ms-excel", kinds.XLSX),
        ("案件号,金额\nLP1,100\n".encode(), "claims.csv", "text/csv", kinds.CSV),
        ("案件号,金额\nLP1,100\n".encode("utf-8-sig"), "claims.csv", "application/vnd.ms-excel", kinds.CSV),
        ("案件号,金额\nLP1,100\n".encode("gb18030"), "claims.csv", "text/plain", kinds.CSV),
        ("案件號,金額\nLP1,100\n".encode("big5"), "claims.csv", "", kinds.CSV),
        ("案件号,金额\n".encode() * 5000, "claims.csv", "", kinds.CSV),
    ],
)
def test_tables_where_tables_are_wanted(content: bytes, name: str, declared: str, media_type: str) -> None:
    assert taken(content, name, declared, allowed=SHEETS).media_type == media_type


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (JPEG, "photo.jpg", "type_not_taken"),
        (JPEG, "table.csv", "not_what_it_says"),
        (b"a,b\x00c", "table.csv", "not_what_it_says"),
        (b"  <table><tr><td>", "table.csv", "not_what_it_says"),
        (samples.zipped({"word/document.xml": b"<x/>", "[Content_Types].xml": b""}), "table.xlsx", "not_what_it_says"),
        (samples.workbook()[:-100], "table.xlsx", "damaged"),
        (
            samples.zipped({"[Content_Types].xml": b"", "xl/workbook.xml": b"", "xl/vbaProject.bin": b""}),
            "table.xlsm",
            "type_not_taken",
        ),
        (
            samples.zipped({"[Content_Types].xml": b"", "xl/workbook.xml": b"0" * 3_000_000}),
            "table.xlsx",
            "unpacks_too_large",
        ),
    ],
)
def test_what_is_no_table(content: bytes, name: str, code: str) -> None:
    assert refused(content, name, allowed=SHEETS, limits=Limits(unpacked_bytes_max=2_000_000)) == code


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("../../etc/passwd.jpg", "passwd.jpg"),
        ("C:\\Users\\wang\\照片.jpg", "照片.jpg"),
        ("a\x00b\r\n.jpg", "ab.jpg"),
        ("photo\u202egpj.exe", "photogpj.exe"),
        ("  .hidden. ", "hidden"),
        ("长" * 300 + ".jpeg", "长" * 145 + ".jpeg"),
        ("", ""),
    ],
)
def test_names_are_cleaned(given_name: str, kept: str) -> None:
    assert clean_name(given_name) == kept


HEADS = [JPEG[:400], samples.heic(notes=samples.exif())[:400], samples.picture("PNG")[:100], samples.pdf()[:200],
         samples.workbook()[:200], samples.picture("WEBP")[:60], b""]  # fmt: skip


@given(head=st.sampled_from(HEADS), cut=st.integers(0, 400), tail=st.binary(max_size=400), name=st.text(max_size=20))
@settings(max_examples=300, deadline=None)
def test_no_bytes_and_no_name_make_it_fall_over(head: bytes, cut: int, tail: bytes, name: str) -> None:
    found = look(head[:cut] + tail, name, "", allowed=PAPERS | SHEETS)
    assert isinstance(found, Inspected | UploadRefusal)


@given(position=st.integers(0, 600), value=st.integers(0, 255))
@settings(max_examples=300, deadline=None)
def test_no_altered_byte_of_a_heic_makes_it_fall_over(position: int, value: int) -> None:
    whole = bytearray(HEIC)
    whole[position % len(whole)] = value
    assert isinstance(look(bytes(whole)), Inspected | UploadRefusal)


def test_the_picture_in_the_samples_is_what_pillow_says() -> None:
    """The writer of the container is another than its reader here: the sizes agree."""
    with Image.open(io.BytesIO(samples.picture("AVIF", size=(333, 77)))) as image:
        assert image.size == (333, 77)
    found = taken(samples.heic(size=(333, 77)))
    assert (found.width, found.height) == (333, 77)
