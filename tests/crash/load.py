"""Load for the crash test: a process that reports losses and sends papers in, until it is killed.

What it was told was done it writes down with a flush: that is what must be there afterwards, whatever was killed when.
"""

from __future__ import annotations

import itertools
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any


def main(name: str, ledger: Path) -> None:
    from lipei.domain import commands as c
    from lipei.domain import straight_through
    from lipei.domain.events import Actor, Refusal
    from lipei.services import actions, intake
    from lipei.store import models

    straight_through.drawn = lambda **given: False  # every claim may go straight through, so that money moves
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
    """A small claim of another day each time, so that none looks like another."""
    from lipei.domain.money import Money

    item = c.ItemAssessed("后保险杠", claimed=Money(265000, "CNY"))
    day = sum(key.encode()) * 7 + int(key.rpartition("-")[2]) * 4
    return c.Report(
        story=f"倒车时撞到柱子（{key}）", phone="13800138000", line="motor", loss_kind="single_vehicle",
        loss_at=now - timedelta(days=day % 160, hours=1 + day % 20), accept_automatic=True,
        exposures=(c.ExposureReported(cover="own_damage", peril="single_vehicle", items=(item,)),),
    )  # fmt: skip


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
