"""What the rules are shown of the company around a claim, asked for by many threads at once."""

from __future__ import annotations

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from lipei.norms import loader
from lipei.services import world
from lipei.services.world import _Company

PEOPLE, CLAIMS = 200, 400


def person(number: int) -> SimpleNamespace:
    return SimpleNamespace(
        id=number, unit="motor", roles=("handler",), skills=(), regions=(), languages=(), minutes_per_case={},
        absences=SimpleNamespace(all=tuple),
    )  # fmt: skip


@pytest.mark.once
def test_threads_count_one_anothers_claims_and_none_stumbles():
    company = _Company(0.0, loader.rulebook({}, market="CN"), tuple(person(n) for n in range(PEOPLE)), {})

    def assign(claim: int) -> None:
        for one in company.people:
            company.candidate(one, ("motor", "medical", "travel")[claim % 3])
        company.took_on(claim % PEOPLE)

    patience = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as threads:
            for done in [threads.submit(assign, n) for n in range(CLAIMS)]:
                done.result()
    finally:
        sys.setswitchinterval(patience)
    assert sum(open_ for open_, _ in company.load.values()) == CLAIMS
    loaded = company.candidate(company.people[0], "motor").load_minutes
    assert loaded == 2 * company.rulebook.assignment.minutes_by_line["motor"]


@pytest.mark.once
def test_one_thread_looks_colleagues_up_anew_and_nobody_waits_for_it(monkeypatch):
    """With many open claims the look-up takes long: reports that come meanwhile go on with what was known a moment ago."""
    book = loader.rulebook({}, market="CN")
    known = _Company(time.monotonic() - 1, book, (), {})
    begun, go_on, made = threading.Event(), threading.Event(), []

    def slowly(rulebook):
        begun.set()
        assert go_on.wait(20)
        made.append(_Company(time.monotonic() + 60, rulebook, (), {}))
        return made[-1]

    monkeypatch.setattr(world, "_company", known)
    monkeypatch.setattr(world, "_looked_up", slowly)
    with ThreadPoolExecutor(8) as threads:
        first = threads.submit(world._company_of, book)
        assert begun.wait(20)
        others = [threads.submit(world._company_of, book) for _ in range(7)]
        assert {id(one.result(20)) for one in others} == {id(known)}
        go_on.set()
        assert first.result(20) is made[0]
    assert world._company_of(book) is made[0] and len(made) == 1


@pytest.mark.once
def test_after_an_edit_everybody_waits_for_one_look_up(monkeypatch):
    """What was known before an edit of staff, or under other rules, is not good enough."""
    book = loader.rulebook({}, market="CN")
    made = []

    def slowly(rulebook):
        time.sleep(0.05)
        made.append(_Company(time.monotonic() + 60, rulebook, (), {}))
        return made[-1]

    monkeypatch.setattr(world, "_company", None)
    monkeypatch.setattr(world, "_looked_up", slowly)
    with ThreadPoolExecutor(8) as threads:
        found = [one.result(20) for one in [threads.submit(world._company_of, book) for _ in range(8)]]
    assert len(made) == 1 and {id(one) for one in found} == {id(made[0])}
    other = loader.rulebook({}, market="CN")
    assert world._company_of(other).rulebook is other


@pytest.mark.once
@pytest.mark.django_db
def test_a_look_up_that_takes_long_is_made_seldom(monkeypatch):
    ticks = iter([100.0, 100.5])
    monkeypatch.setattr(world.time, "monotonic", lambda: next(ticks))
    assert world._looked_up(loader.rulebook({}, market="CN")).holds_until == 100.5 + 0.5 * world.SELDOM
