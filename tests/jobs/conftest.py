"""Background work in tests: a folder for outbox and bank of each test's own, and the outside world let in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.company import NOW, company
from tests.kept import kept

from lipei.domain import commands as c
from lipei.domain import straight_through
from lipei.domain.claims import Case
from lipei.domain.events import Refusal
from lipei.domain.money import Money
from lipei.gateways.channels import DeliveryReport, Receipt
from lipei.reads import rulebook
from lipei.services import actions, bank, deliveries, intake, seals, unit_of_work, verify
from lipei.services.deliveries import outlets
from lipei.store import aggregates, models


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Any) -> Iterator[None]:
    """Messages and orders go into the test's own folder. A test is itself a transaction: the guard against it is off."""
    settings.LIPEI_HOME = tmp_path
    settings.LIPEI_MEDIA = str(tmp_path / "media")
    monkeypatch.setattr(unit_of_work, "in_transaction", lambda: False)
    monkeypatch.setattr(straight_through, "drawn", lambda **given: False)  # one claim in twenty is looked at by hand
    cached = (outlets._mail, outlets._sms, bank._gateway, rulebook.at)  # what another test edited counts as ours
    for one in cached:
        one.cache_clear()
    yield
    for one in cached:
        one.cache_clear()


@pytest.fixture
def people(db: None, tmp_path: Path, keep_in: Path) -> SimpleNamespace:
    return kept(company, files=tmp_path, keep_in=keep_in)


@pytest.fixture(scope="session")
def keep_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


def small_report(**more: Any) -> c.Report:
    """A small motor claim that may go straight through."""
    said: dict[str, Any] = {
        "story": "倒车时撞到柱子，后保险杠破损。",
        "phone": "13800138000",
        "line": "motor",
        "loss_kind": "single_vehicle",
        "loss_at": NOW - timedelta(hours=2),
        "exposures": (
            c.ExposureReported(
                cover="own_damage",
                peril="single_vehicle",
                items=(c.ItemAssessed("后保险杠", claimed=Money(265000, "CNY")),),
            ),
        ),
        "accept_automatic": True,
    }
    return c.Report(**{**said, **more})


def reported(people: SimpleNamespace, key: str = "one", **more: Any) -> Any:
    """The case of a report."""
    done = intake.report(small_report(**more), actor=people.program, now=NOW, key=key)
    assert not isinstance(done, Refusal), done
    return done.case


def approved(people: SimpleNamespace, key: str = "one", **more: Any) -> Any:
    """The case of a small claim whose payment a rule has approved: all papers are in."""
    case = reported(people, key, **more)
    number = case.claim.number
    done = actions.act(number, "claim", "request_papers", actor=people.handler_of(case), now=NOW)
    assert not isinstance(done, Refusal), done
    for part, paper in done.case.papers.items():
        if paper.required:
            done = actions.act(number, "paper", "receive", part, c.Receive(), actor=people.intake1, now=NOW)
            assert not isinstance(done, Refusal), done
    assert done.case.payments[1].state == "approved", done.case.claim
    return done.case


@pytest.fixture
def case(people: SimpleNamespace, tmp_path: Path, keep_in: Path) -> Any:
    """A claim that was paid, and another one beside it; the journal sealed."""
    return kept(_paid, people, files=tmp_path, keep_in=keep_in)


def _paid(people: SimpleNamespace) -> Any:
    done = approved(people)
    reported(people, "two", story="另一件事")
    while bank.turn(now=NOW, limit=10):
        pass
    seals.seal(now=NOW)
    found = aggregates.load(Case, done.id)
    assert found is not None and found.aggregate.claim.state == "closed"
    assert list(verify.differences(now=NOW)) == []
    return found.aggregate


class Provider:
    """A channel that answers as it is told, and counts what really left."""

    def __init__(self, *outcomes: Receipt, can_inquire: bool = False, reports: tuple[Any, ...] = ()) -> None:
        self.outcomes, self.reports = list(outcomes), list(reports)
        self.sent: list[Any] = []
        self.asked: list[Any] = []
        self.can_inquire = can_inquire
        self.name = "fake"

    def send(self, message: Any, *, now: Any) -> Receipt:
        self.sent.append(message)
        return self.outcomes.pop(0) if self.outcomes else Receipt("accepted", f"p-{len(self.sent)}")

    def inquire(self, inquiry: Any, *, now: Any) -> DeliveryReport | None:
        self.asked.append(inquiry)
        return self.reports.pop(0) if self.reports else None

    def parse_callback(self, body: bytes, headers: Any, *, query: Any) -> list[DeliveryReport]:
        return [DeliveryReport(True, message_id=body.decode(), at=NOW)]


@pytest.fixture
def plug(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put providers in place of the outlets: ``plug(sms=…, email=…)``."""

    def place(repeatable: bool = False, **providers: Provider) -> None:
        monkeypatch.setattr(
            deliveries, "outlet", lambda name, *, sender_name: outlets.Outlet(providers[name], repeatable)
        )

    return place


def kinds(case: Any) -> list[str]:
    return list(models.Entry.objects.filter(stream_id=case.id).order_by("sequence").values_list("kind", flat=True))


def loaded(case: Any) -> Any:
    found = aggregates.load(Case, case.id)
    assert found is not None
    return found.aggregate
