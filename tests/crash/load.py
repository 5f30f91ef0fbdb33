"""Load for the crash test: processes that report losses, send papers in and import files, until they are killed.

What they were told was done they write down with a flush: that is what must be there afterwards, whatever was killed
when. One reports through the services, one through the HTTP API of a server that is itself killed again and again.
"""

from __future__ import annotations

import itertools
import json
import os
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

IMPORTED = 5000
"""Rows of the file that is imported over and over: many batches, so that a kill finds one half done."""
PATIENCE_SECONDS = 5


def reporter(name: str, ledger: Path) -> None:
    """Reports losses and sends their papers in, so that money moves."""
    from lipei.domain import commands as c
    from lipei.domain import straight_through
    from lipei.domain.events import Actor, Refusal
    from lipei.services import actions, intake
    from lipei.store import models

    straight_through.drawn = lambda **given: False  # every claim may go straight through
    program = Actor("token:1", "program", frozenset({"program"}))
    clerk = models.Staff.objects.get(code="intake1")
    desk = Actor(f"staff:{clerk.id}", clerk.name, frozenset(clerk.roles), unit=clerk.unit)
    with ledger.open("a", encoding="utf-8") as acknowledged:
        for count in itertools.count():
            now = datetime.now(UTC)
            key = f"{name}-{count}"
            done = intake.report(report(c, key, now), actor=program, now=now, key=key)
            if isinstance(done, Refusal):
                continue  # busy: the caller would try again
            note(acknowledged, f"{key} {done.case.claim.number}")
            send_papers(actions, c, done.case, desk, now)


def report(c: Any, key: str, now: datetime) -> Any:
    """A small claim of another car or day each time, so that none looks like another."""
    from lipei.domain.money import Money

    item = c.ItemAssessed("后保险杠", claimed=Money(265000, "CNY"))
    return c.Report(
        story=f"倒车时撞到柱子（{key}）", phone=phone(place(key)), line="motor", loss_kind="single_vehicle",
        loss_at=loss_at(key, now), accept_automatic=True,
        exposures=(c.ExposureReported(cover="own_damage", peril="single_vehicle", items=(item,)),),
    )  # fmt: skip


CARS, DAYS, APART = 40, 28, 4
"""Cars insured; losses are of the last so many days (of older ones a person decides), those of one car days apart."""


def place(key: str) -> int:
    return sum(key.encode()) * 7 + int(key.rpartition("-")[2])


def phone(number: int) -> str:
    """By which the insured of one of the cars is known."""
    return f"139{number % CARS:08d}"


def loss_at(key: str, now: datetime) -> datetime:
    return now - timedelta(days=place(key) // CARS * APART % DAYS, hours=1 + place(key) % 20)


def note(file: Any, line: str) -> None:
    file.write(line + "\n")
    file.flush()
    os.fsync(file.fileno())


def send_papers(actions: Any, c: Any, case: Any, desk: Any, now: datetime) -> None:
    from lipei.domain.events import Actor, Refusal

    handler = Actor(f"staff:{case.claim.handler}", "handler", frozenset({"handler"}), unit=case.claim.unit)
    done = actions.act(case.claim.number, "claim", "request_papers", actor=handler, now=now)
    if isinstance(done, Refusal):
        return
    for part, paper in done.case.papers.items():
        if paper.required:
            actions.act(case.claim.number, "paper", "receive", part, c.Receive(), actor=desk, now=now)


# --- through the API -----------------------------------------------------------------------------------------


class Quiet(WSGIRequestHandler):
    """Says nothing: hundreds of requests are cut off here by design."""

    def log_message(self, format: str, *args: Any) -> None: ...


def server(application: Any, port: int) -> None:
    """The product behind HTTP. A process of our own makes, so that it lives again within milliseconds."""
    with ThreadedWSGIServer(("127.0.0.1", port), Quiet) as web:
        web.set_app(application)
        web.serve_forever()


def caller(name: str, ledger: Path, port: int, token: str) -> None:
    """Reports by HTTP; where no answer comes, once more under the same key until there is one, as programs should."""
    with ledger.open("a", encoding="utf-8") as acknowledged:
        for count in itertools.count():
            key = f"{name}-{count}"
            note(acknowledged, f"{key} {reported_by_http(key, port, token)}")


def reported_by_http(key: str, port: int, token: str) -> str:
    body = {
        "story": f"停车时被剐蹭（{key}）", "phone": phone(place(key)), "line": "motor", "loss_kind": "single_vehicle",
        "loss_at": loss_at(key, datetime.now(UTC)).isoformat(),
        "exposures": [{"cover": "own_damage", "peril": "single_vehicle"}],
    }  # fmt: skip
    content = json.dumps(body)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": key}
    while True:
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        try:
            connection.request("POST", "/api/v1/claims", content, headers)
            answer = connection.getresponse()
            said = json.loads(answer.read())
            if answer.status == 201:
                return str(said["number"])
            assert answer.status in (409, 503), said  # busy, or the database was; a 422 or 500 is a fault
        except (OSError, HTTPException):
            pass  # killed before, in or after the writing: nobody here can know
        finally:
            connection.close()
        time.sleep(0.02)


# --- a job ---------------------------------------------------------------------------------------------------


def history(path: Path) -> None:
    """A file of closed claims of another system."""
    rows = ["claim_number,line,outcome,reported_at,closed_at,currency,paid"]
    for n in range(IMPORTED):
        day = f"{2019 + n % 4}-{1 + n % 12:02d}-{1 + n % 28:02d}"
        rows.append(f"OLD-{n:06d},property,paid,{day},{day},CNY,{100 + n}.00")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")


def importer(path: Path, rest_seconds: float) -> Any:
    """Imports the file; what an earlier import left off is gone on with, what it did is left alone.

    Rests first: a batch keeps the only writer of SQLite busy, and the others are to get somewhere too.
    """
    from lipei.domain.events import Actor
    from lipei.services import imports

    time.sleep(rest_seconds)
    return imports.run(
        kind="claims", path=path, mapping=None, dry_run=False, rejects_path=path.with_suffix(".rejects.csv"),
        now=datetime.now(UTC), language="en", actor=Actor("system:import", "import"), progress=None,
    )  # fmt: skip
