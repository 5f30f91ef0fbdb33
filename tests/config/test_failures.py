"""A full disk and a database that is away: one clear sentence in the reader's language, and nothing half written."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.test import Client
from tests.api.conftest import ALL, Caller
from tests.company import NOW, company

from lipei.api import calls
from lipei.api.schemas import REPORT
from lipei.norms.texts import texts
from lipei.services import tokens, verify
from lipei.store import models, trouble


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


def sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("…")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.ENOSPC, "…"), "storage"),
        (OSError(errno.EDQUOT, "…"), "storage"),
        (caused(OperationalError(), sqlite_error(sqlite3.SQLITE_FULL)), "storage"),
        (caused(OperationalError(), sqlite_error(sqlite3.SQLITE_IOERR_WRITE)), "storage"),
        (caused(OperationalError(), psycopg.errors.DiskFull()), "storage"),
        (caused(ValueError(), OSError(errno.ENOSPC, "…")), "storage"),
        (caused(OperationalError(), sqlite_error(sqlite3.SQLITE_BUSY)), "database"),
        (OperationalError("the connection is lost"), "database"),
        (InterfaceError("connection already closed"), "database"),
        (OSError(errno.EACCES, "…"), ""),
        (DatabaseError("a mistake in a statement"), ""),
        (ValueError(), ""),
        (None, ""),
    ],
)
def test_what_kind_of_trouble_it_is(error: BaseException | None, kind: str) -> None:
    assert trouble.of(error) == kind


# --- the database has no room --------------------------------------------------------------------------------

FULL_POSTGRES = (
    """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON delivery FOR EACH ROW EXECUTE FUNCTION full_disk();
""",
)
ROOM_AGAIN = {
    "postgresql": ("DROP TRIGGER full_disk ON delivery; DROP FUNCTION full_disk()",),
    "sqlite": ("PRAGMA max_page_count = 1073741823", "DROP TABLE filled"),
}


def full_sqlite(cursor: Any) -> Iterator[str]:
    """Fill the pages that are free inside the file, then let it grow no more."""
    yield "CREATE TABLE filled (bytes BLOB)"
    free = cursor.execute("PRAGMA freelist_count").fetchone()[0] * cursor.execute("PRAGMA page_size").fetchone()[0]
    yield f"INSERT INTO filled VALUES (zeroblob({free}))"
    yield f"PRAGMA max_page_count = {cursor.execute('PRAGMA page_count').fetchone()[0]}"


@pytest.fixture
def caller(db: None, monkeypatch: pytest.MonkeyPatch) -> Caller:
    company()
    monkeypatch.setattr(calls, "now", lambda: NOW)
    made = tokens.make("partner", ALL, None, now=NOW)
    assert isinstance(made, str)
    return Caller(made)


@contextmanager
def no_room() -> Iterator[None]:
    """The database can take nothing more, in the middle of what a report writes."""
    with connection.cursor() as cursor:
        for statement in FULL_POSTGRES if connection.vendor == "postgresql" else full_sqlite(cursor):
            cursor.execute(statement)
        try:
            yield
        finally:
            for statement in ROOM_AGAIN[connection.vendor]:
                cursor.execute(statement)


LONG = {**REPORT, "story": "倒车时撞到柱子。" * 400}


def test_a_report_that_finds_no_room_leaves_nothing(caller: Caller) -> None:
    with no_room():
        said = {
            language: caller.post("claims", LONG, Idempotency_Key="one", Accept_Language=language)
            for language in ("zh-CN", "zh-TW", "en")
        }
    for language, answer in said.items():
        assert (answer.status, answer.body["code"]) == (507, "refusal.no_room"), language
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert len({answer.body["detail"] for answer in said.values()}) == 3
    assert "free disk space" in said["en"].body["detail"]
    for model in (models.Claim, models.Party, models.Clock, models.Delivery):
        assert not model.objects.exists(), model
    kinds = {
        *models.Entry.objects.values_list("stream_kind", flat=True),
        *models.Stream.objects.values_list("kind", flat=True),
    }
    assert kinds == {"people"}, "nothing but the token that the caller was given"
    assert not models.IdempotencyKey.objects.exists()
    assert list(verify.differences(now=NOW)) == []


def test_once_there_is_room_the_same_report_is_taken(caller: Caller) -> None:
    with no_room():
        assert caller.post("claims", LONG, Idempotency_Key="one").status == 507
    assert caller.post("claims", LONG, Idempotency_Key="one").status == 201


# --- pages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (OSError(errno.ENOSPC, "…"), 507, {"zh-hans": "存储空间不足", "zh-hant": "儲存空間不足", "en": "No room"}),
        (OperationalError(), 503, {"zh-hans": "暂时无法服务", "zh-hant": "暫時無法服務", "en": "Not available"}),
        (ValueError(), 500, {"zh-hans": "系统出错了", "zh-hant": "系統發生錯誤", "en": "Something went wrong"}),
    ],
)
def test_a_page_says_so_in_the_readers_language_without_the_database(
    monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, words: dict[str, str]
) -> None:
    def fails(*args: Any, **kwargs: Any) -> None:
        raise error

    monkeypatch.setattr("lipei.web.middleware.rulebook.current", fails)
    for language, text in words.items():
        client = Client(raise_request_exception=False)
        client.cookies["lipei_language"] = language
        answer = client.get("/console/")
        assert answer.status_code == status and text in answer.content.decode(), language
        assert (answer.headers.get("Retry-After") == "10") == (status == 503)
        customer = client.get("/")
        said = customer.content.decode()
        assert customer.status_code == status and texts()["error.sorry.words"][language] in said, language
        assert text not in said and 'href="/"' in said, "a customer is told nothing of databases"
