"""The surveyor's pages: visits in their order, a checklist by kind of loss, photos and report that arrive once."""

from __future__ import annotations

import hashlib
import io
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image
from tests.company import NOW
from tests.web.conftest import browser, office, reported, today

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.norms import loader
from lipei.services import actions
from lipei.store import models

pytestmark = [pytest.mark.once, pytest.mark.django_db]
__all__ = ["browser", "office", "today"]  # fixtures


def picture(shade: int = 90) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (60, 40), (shade, 120, 60)).save(data, "JPEG")
    return data.getvalue()


def to_visit(office: SimpleNamespace, *, hours: float = 3, **more: Any) -> str:
    """A claim whose survey waits for the surveyor."""
    number = reported(office, **more)
    command = c.ScheduleSurvey(
        at=NOW + timedelta(hours=hours), place="徐汇区漕溪路 8 号", surveyor=office.surveyor1.staff_id
    )
    done = actions.act(number, "survey", "schedule", 0, command, actor=office.intake1, now=NOW)
    assert not isinstance(done, Refusal), done
    return number


def sent(data: bytes, **more: Any) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("IMG_1.jpg", data, "image/jpeg"), **more}


@pytest.mark.norm("2.2.2")
def test_visits_stand_in_the_order_of_their_times(office, browser):
    later, sooner = to_visit(office, hours=26), to_visit(office, hours=1)
    page = browser("surveyor1").get("/console/visits/").content.decode()
    assert page.index(sooner) < page.index(later)
    assert "geo:0,0?q=" in page and "13800138000" not in page
    assert "No visit waits for you" in browser("lead1").get("/console/visits/").content.decode()


@pytest.mark.norm("2.2.2")
def test_the_checklist_is_that_of_the_loss(office, browser):
    number = to_visit(office)
    page = browser("surveyor1").get(f"/console/visits/{number}/1/").content.decode()
    assert "What is insured: 沪A***45" in page, "what the plate is compared with"
    assert "The plate is the one insured" in page and "The source of the water is found" not in page


@pytest.mark.norm("2.2.2")
def test_a_photo_arrives_once_with_time_place_and_digest(office, browser):
    number, data = to_visit(office), picture()
    client, where = browser("surveyor1"), f"/console/visits/{number}/1/photos/"
    about = {
        "taken_at": (NOW - timedelta(minutes=5)).isoformat(), "latitude": "31.1791", "longitude": "121.4365",
        "digest": hashlib.sha256(data).hexdigest(),
    }  # fmt: skip
    for _ in range(2):
        assert client.post(where, sent(data, **about)).status_code == 201
    found = models.Document.objects.get()
    assert (found.survey, found.taken_at) == (1, NOW - timedelta(minutes=5))
    assert (found.latitude_microdegrees, found.longitude_microdegrees) == (31_179_100, 121_436_500)
    assert found.digest == about["digest"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"taken_at": (NOW + timedelta(days=1)).isoformat()}, (None, None)),
        ({"taken_at": "yesterday"}, (None, None)),
        ({"latitude": "91", "longitude": "10"}, (None, None)),
        ({"latitude": "nan", "longitude": "10"}, (None, None)),
        ({"latitude": "31.5"}, (None, None)),
    ],
)
def test_what_a_phone_says_and_cannot_be_is_not_kept(office, browser, said, kept):
    number = to_visit(office)
    assert browser("surveyor1").post(f"/console/visits/{number}/1/photos/", sent(picture(), **said)).status_code == 201
    found = models.Document.objects.get()
    assert (found.taken_at, found.latitude_microdegrees) == kept


def test_bytes_that_came_otherwise_are_refused(office, browser):
    number = to_visit(office)
    answer = browser("surveyor1").post(f"/console/visits/{number}/1/photos/", sent(picture(), digest="0" * 64))
    assert answer.status_code == 422 and answer.json()["error"]
    assert not models.Document.objects.exists()


@pytest.mark.norm("2.2.2")
def test_a_report_is_taken_once_however_often_it_comes(office, browser):
    number = to_visit(office)
    client, where = browser("surveyor1"), f"/console/visits/{number}/1/"
    said = {
        "findings": "后保险杠凹陷。",
        "look-damage_matches": "yes",
        "look-old_damage_apart": "no",
        "look-vin_agrees": "",
    }
    for _ in range(2):
        assert client.post(where, said, headers={"Accept": "application/json"}).json() == {"done": True}
    survey = models.Survey.objects.get()
    assert (survey.state, survey.checklist) == ("recorded", {"damage_matches": True, "old_damage_apart": False})
    told = browser("lead1").get(f"/console/claims/{number}/").content.decode()
    assert "The damage matches the story: Yes" in told and "old_damage_apart" not in told
    assert models.Entry.objects.filter(kind="survey.recorded").count() == 1
    other = client.post(where, {"findings": "别的"}, headers={"Accept": "application/json"})
    assert other.status_code == 409 and other.json()["error"]


def test_without_javascript_photos_and_report_go_as_one_form(office, browser):
    number = to_visit(office)
    client, where = browser("surveyor1"), f"/console/visits/{number}/1/"
    kept = client.post(where, {"findings": " ", "look-vin_agrees": "yes"})
    assert kept.status_code == 422 and 'value="yes" checked' in kept.content.decode()
    files = [SimpleUploadedFile(f"{n}.jpg", picture(n), "image/jpeg") for n in (10, 200)]
    bad = SimpleUploadedFile("broken.jpg", b"MZ" * 300, "image/jpeg")
    some = client.post(where, {"findings": "凹陷。", "photos": [files[0], bad, files[1]]})
    told = some.content.decode()
    assert some.status_code == 422 and "“broken.jpg” was not taken" in told and "2 received" in told
    assert "凹陷。" in told, "what was written is still there"
    for one in files:
        one.seek(0)
    done = client.post(where, {"findings": "凹陷。", "photos": files}, follow=True)
    assert "The report is in. Photos received: 2." in done.content.decode()
    assert models.Document.objects.filter(survey=1).count() == 2


def test_a_visit_of_another_unit_does_not_exist(office, browser):
    number = to_visit(office)
    claim = models.Claim.objects.get(number=number)
    models.Claim.objects.filter(id=claim.id).update(unit="beijing", handler=office.rows["manager2"].id)
    models.Survey.objects.update(surveyor=office.rows["manager2"].id)
    client = browser("surveyor1")
    assert client.get(f"/console/visits/{number}/1/").status_code == 404
    assert client.post(f"/console/visits/{number}/1/photos/", sent(picture())).status_code == 404


def test_every_kind_of_loss_has_something_to_look_at():
    book = loader.rulebook({}, market="CN")
    general = len(book.surveys.always)
    for line in ("motor", "household", "travel"):
        for loss in book.lines.lines[line].losses:
            looks = book.surveys.looks_for(line=line, loss=loss)
            assert len({one.code for one in looks}) == len(looks) >= general, (line, loss)
    assert len(book.surveys.looks_for(line="motor", loss="collision")) == general + 11
    assert {one.code for one in book.surveys.looks_for(line="household", loss="water")} >= {
        "source_of_water_found",
        "rooms_listed",
    }


def test_an_appointment_says_when_it_begins_not_what_working_time_is_left(office, browser):
    """At seven in the evening the office is shut; a visit at nine the next morning begins in fourteen hours."""
    to_visit(office, hours=23)
    for hours, said in ((9, "Begins in 14 h"), (24, "Its time was 60 min ago")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(timezone, "now", lambda hours=hours: NOW + timedelta(hours=hours))
            page = browser("surveyor1").get("/console/visits/").content.decode()
        assert said in page and "working time" not in page


# --- what has arrived ---------------------------------------------------------------------------------------------------


def arrive(client: Any, number: str, shades: range) -> list[dict[str, Any]]:
    """Photos as the page sends them; what the server said to each."""
    said = []
    for shade in shades:
        data = picture(shade)
        about = sent(data, digest=hashlib.sha256(data).hexdigest())
        said.append(client.post(f"/console/visits/{number}/1/photos/", about).json())
    return said


@pytest.mark.norm("2.2.2")
def test_the_surveyor_sees_how_many_photos_arrived_and_which(office, browser):
    number = to_visit(office)
    client, where = browser("surveyor1"), f"/console/visits/{number}/1/"
    assert 'data-there="0"' in client.get(where).content.decode()
    first, second = arrive(client, number, range(2))
    assert (first["part"], second["part"]) == (1, 2)
    page = client.get(where).content.decode()
    assert "2 received" in page and page.count("<img") == 2
    assert f'src="{where}photos/1/"' in page and f'src="{where}photos/2/"' in page
    small = client.get(f"{where}photos/1/")
    assert small["Content-Type"] == "image/jpeg" and small["Cache-Control"].startswith("private")
    assert not models.Entry.objects.filter(kind="claim.personal_data_seen").exists(), "they are the reader's own"
    client.post(where, {"findings": "凹陷。"})
    assert "2 received" in client.get(where).content.decode(), "a visit that has ended still says what came"


def test_a_photo_of_somebody_else_is_counted_and_not_shown(office, browser):
    number = to_visit(office)
    data = sent(picture())
    browser("lead1").post(f"/console/claims/{number}/upload/", {**data, "place": "/1"})
    client, small = browser("surveyor1"), f"/console/visits/{number}/1/photos/1/"
    page = client.get(f"/console/visits/{number}/1/").content.decode()
    assert "1 received" in page and small not in page
    assert (
        client.get(small).status_code == 404 and client.get(small.replace("/1/photos", "/9/photos")).status_code == 404
    )


def test_many_photos_cost_no_more_queries_than_one(office, browser):
    number = to_visit(office)
    client, where, counts = browser("surveyor1"), f"/console/visits/{number}/1/", []
    for shades in (range(0, 20, 20), range(20, 180, 20)):  # so far apart that no two are one photo
        arrive(client, number, shades)
        with CaptureQueriesContext(connection) as asked:
            page = client.get(where).content.decode()
        counts.append(len(asked))
    assert page.count("<img") == 9 and counts[0] == counts[1]
