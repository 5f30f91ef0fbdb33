"""The promised dates as a calendar entry: what stands in it, and the form that calendars read (RFC 5545; norm 2.3.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from tests.portal.conftest import done, reported

from lipei.domain import commands as c
from lipei.norms.texts import text
from lipei.services import portal
from lipei.services.portal import Visit
from lipei.web.portal.dates import LINE_BYTES_MAX, Entry, calendar, escaped, folded, instant

pytestmark = pytest.mark.once

AT = datetime(2026, 11, 24, 20, 31, tzinfo=timezone(timedelta(hours=8)))


def unfolded(said: str) -> list[str]:
    return said.replace("\r\n ", "").split("\r\n")[:-1]


def unescaped(value: str) -> str:
    out, letters = "", iter(value)
    for letter in letters:
        out += letter if letter != "\\" else {"n": "\n", "N": "\n"}.get(follows := next(letters), follows)
    return out


def test_an_entry_as_it_stands_in_the_file() -> None:
    entry = Entry("1@x", AT, "报案, 付款; \\", "第一行\n第二行", "https://example.com/claim/1/", reminder_hours=24)
    said = calendar([entry], name="案件 1", now=AT)
    assert said.endswith("END:VCALENDAR\r\n") and "\n" not in said.replace("\r\n", "")
    lines = unfolded(said)
    assert lines[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert "DTSTART:20261124T123100Z" in lines and "DTSTAMP:20261124T123100Z" in lines and "UID:1@x" in lines
    assert "SUMMARY:报案\\, 付款\\; \\\\" in lines and "DESCRIPTION:第一行\\n第二行" in lines
    assert lines.count("BEGIN:VEVENT") == lines.count("END:VEVENT") == 1
    assert lines[lines.index("BEGIN:VALARM") + 2] == "TRIGGER:-PT24H"


def test_an_instant_is_told_in_universal_time() -> None:
    assert instant(AT) == "20261124T123100Z" == instant(AT.astimezone(UTC))


@given(st.text(max_size=300))
def test_folding_loses_nothing_cuts_no_character_and_keeps_lines_short(words: str) -> None:
    line = "SUMMARY:" + escaped(words.encode("utf-8", "replace").decode())
    pieces = list(folded(line))
    assert all(len(piece.encode()) <= LINE_BYTES_MAX for piece in pieces)
    assert pieces[0] + "".join(piece[1:] for piece in pieces[1:]) == line
    assert all(piece.startswith(" ") for piece in pieces[1:])


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=80))
def test_what_was_escaped_reads_as_it_was(words: str) -> None:
    assert unescaped(escaped(words)) == words
    assert unescaped(escaped(f"{words}\r\n{words}")) == f"{words}\n{words}"


def test_what_controls_a_line_cannot_be_smuggled_in() -> None:
    said = calendar([Entry("1", AT, "x\r\nATTACH:evil\x00\x1b", "y\rz", "u")], name="n\nX:y", now=AT)
    assert "\r\nATTACH" not in said and "\r\nX:y" not in said and "\x00" not in said and "\x1b" not in said


@pytest.mark.django_db
@pytest.mark.norm("2.3.1")
@pytest.mark.parametrize("language", ["zh-hans", "zh-hant", "en"])
def test_every_running_promise_and_the_papers_stand_in_the_customers_calendar(
    client: Client, people: Any, language: str
) -> None:
    client.cookies["lipei_language"] = language
    number = reported(client, kind="motor:single_vehicle")
    handler = people.handler_of(portal.claim_seen(Visit(number, 1)))
    case = done(number, "claim", "request_papers", 0, c.RequestPapers(), handler)
    answer = client.get(f"/claim/{number}/dates.ics")
    assert (
        answer["Content-Type"] == "text/calendar; charset=utf-8" and f'"{number}.ics"' in answer["Content-Disposition"]
    )
    lines = unfolded(answer.content.decode())
    told = [clock for clock in case.clocks.values() if clock.told_due_at and clock.state == "running" and clock.due_at]
    assert told
    for clock in told:
        assert f"DTSTART:{instant(clock.due_at)}" in lines
    title = text("portal.dates.papers", language, number=number)
    assert f"SUMMARY:{escaped(title)}" in lines and lines.count("BEGIN:VALARM") == 1
    assert len({line for line in lines if line.startswith("UID:")}) == lines.count("BEGIN:VEVENT")
    assert f"/claim/{number}/dates.ics" in client.get(f"/claim/{number}/receipt").content.decode()


@pytest.mark.django_db
def test_a_stranger_gets_no_dates_and_the_file_carries_no_way_in(client: Client, people: Any) -> None:
    number = reported(client)
    assert Client().get(f"/claim/{number}/dates.ics").status_code == 302
    said = client.get(f"/claim/{number}/dates.ics")
    assert "/c/" not in said.content.decode().replace("\r\n ", "") and "no-store" in said["Cache-Control"]
