"""Bad moments of a whole installation: a mail server that is down for a day, a database that goes away, a year unknown.

What is shown is that nothing is lost and nothing happens twice, and that the processes come back by themselves.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen
from zoneinfo import ZoneInfo

import psycopg
import pytest
from aiosmtpd.controller import Controller
from tests.company import NOW
from tests.jobs.conftest import reported, small_report
from tests.jobs.installations import FILL, FOUND, Installation, installation

from lipei.domain import promises
from lipei.norms.promises import explanation_words
from lipei.norms.texts import LANGUAGES
from lipei.services import deliveries, intake, norms, verify
from lipei.store import models

# --- the mail server is down for a day -----------------------------------------------------------------------


class Mailbox:
    """What a mail server took."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.taken.append(str(message_from_bytes(envelope.content)["Message-ID"]))
        return "250 OK"


@pytest.fixture
def port() -> int:
    """A port on which nobody listens yet."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def mail_server(port: int) -> Iterator[Mailbox]:
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


@pytest.mark.django_db
@pytest.mark.norm("2.4.1")
def test_a_mail_server_that_is_down_for_a_day_loses_and_repeats_nothing(people: Any, settings: Any, port: int) -> None:
    settings.LIPEI_EMAIL_URL = f"smtp://127.0.0.1:{port}"
    cases = [reported(people, f"k{n}", story=f"第{n}件", phone="", email=f"wang{n}@example.com") for n in range(3)]
    receipts = models.Delivery.objects.filter(party__gt=0, message="receipt")
    assert {tuple(row.channels) for row in receipts.all()} == {("email",)}
    for minutes in range(0, 24 * 60, 30):
        deliveries.work(now=NOW + timedelta(minutes=minutes), limit=50)
    assert {row.state for row in receipts.all()} == {"queued"}
    assert not models.Entry.objects.filter(
        kind__in=("notice.sent", "notice.failed"), payload__contains="customer"
    ).exists()
    with mail_server(port) as mailbox:
        for hours in range(24, 48):
            deliveries.work(now=NOW + timedelta(hours=hours), limit=50)
    assert {row.state for row in receipts.all()} == {"sent"}
    assert max(Counter(mailbox.taken).values()) == 1  # nobody is told twice
    assert all(any(f"lipei-{row.id}-" in one for one in mailbox.taken) for row in receipts.all())
    for case in cases:
        entries = models.Entry.objects.filter(stream_id=case.id, kind="notice.sent", payload__contains='"receipt"')
        assert entries.count() == 1
    assert list(verify.differences(now=NOW)) == []


# --- a year whose days off nobody has published --------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.norm("2.3.1")
def test_a_year_without_calendar_is_named_where_a_date_rests_on_it(people: Any) -> None:
    late = datetime(2031, 3, 3, 2, 0, tzinfo=UTC)
    models.Policy.objects.update(starts_at=late - timedelta(days=30), ends_at=late + timedelta(days=300))
    done = intake.report(small_report(loss_at=late - timedelta(hours=2)), actor=people.program, now=late, key="2031")
    book = norms.current()
    rests = [clock for clock in done.case.clocks.values() if clock.provisional]
    assert rests, "no promise counts working days: the test shows nothing"
    for clock in rests:
        explained = promises.explain(clock=clock, calendars=book.calendars, now=late)
        year = str(clock.due_at.astimezone(ZoneInfo(explained.zone)).year)
        for language in LANGUAGES:
            assert any(
                year in said and ("暂定" in said or "暫定" in said or "provisional" in said)
                for said in explanation_words(explained, language)
            ), language


# --- the database goes away and comes back -------------------------------------------------------------------

READY_SECONDS = 180


@pytest.fixture
def served(tmp_path: Path, port: int) -> Iterator[tuple[Installation, str, list[subprocess.Popen[bytes]]]]:
    """An installation with a web process and a worker."""
    with installation(tmp_path / "home") as made:
        if not made.url:
            pytest.skip("SQLite is a file of the same machine: it does not go away")
        assert made.lipei("migrate").returncode == 0
        made.python(FOUND)
        processes = [made.start("-m", "lipei", "serve", "--port", str(port)), made.start("-m", "lipei", "work")]
        try:
            yield made, f"http://127.0.0.1:{port}", processes
        finally:
            for one in processes:
                one.terminate()
            for one in processes:
                one.wait(timeout=READY_SECONDS)


def status(address: str) -> int:
    try:
        with urlopen(address, timeout=READY_SECONDS) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code
    except (URLError, OSError):
        return 0


def until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not done():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.2)


@contextmanager
def away(url: str) -> Iterator[None]:
    """Nobody gets into the database, and whoever was in it is thrown out."""
    name = url.rpartition("/")[2]
    server = url.removesuffix(name) + "postgres"

    def tell(*statements: str) -> None:
        with psycopg.connect(server, autocommit=True) as connection:
            for one in statements:
                connection.execute(one)  # type: ignore[arg-type]

    tell(
        f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false',
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
    )
    try:
        yield
    finally:
        tell(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


@pytest.mark.slow
def test_processes_outlive_a_database_that_goes_away(
    served: tuple[Installation, str, list[subprocess.Popen[bytes]]],
) -> None:
    made, address, processes = served
    until(lambda: status(f"{address}/readyz") == 200)
    with away(made.url):
        assert status(f"{address}/healthz") == 200
        assert status(f"{address}/readyz") == 503
        assert status(f"{address}/") == 503
        assert status(f"{address}/api/v1/claims") in (401, 503)
        time.sleep(1.5)  # the worker turns at least once without it
    until(lambda: status(f"{address}/readyz") == 200)
    assert status(f"{address}/") in (200, 302)
    made.python(FILL.replace("loop.settle(NOW)", ""), "2")  # reported by another process; the worker has to tell
    # What the night holds back is not due.
    state = (
        "from datetime import UTC, datetime; from lipei.store import models; "
        "print(models.Delivery.objects.filter(state='queued', due_at__lte=datetime.now(UTC)).count())"
    )
    until(lambda: made.python(state) == "0")
    assert [one.poll() for one in processes] == [None, None]
    assert made.lipei("verify").returncode == 0
