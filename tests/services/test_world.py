"""What the rules are shown of the company around a claim, asked for by many threads at once."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from lipei.norms import loader
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
