"""Every claim has a handler who is named, and a queue that nobody keeps is seen by everybody who keeps one (norm 1.4.3)."""

from __future__ import annotations

import pytest
from tests.contract.conftest import Stranger, cny, good
from tests.contract.test_clocks import reported

from lipei.store import models

LARGE = {"line": "motor", "deaths": 1}


@pytest.mark.norm("1.4.3")
@pytest.mark.norm("2.2.1")
@pytest.mark.parametrize("estimate", ["100000.00", "100000.01", "5000000.00"])
def test_a_large_claim_has_a_handler_and_somebody_else_to_decide_it(stranger: Stranger, estimate: str) -> None:
    body = reported(stranger, "2026-11-23 10:00", estimate=cny(estimate), **LARGE)
    assert body["handler"]["name"].startswith("Handler")
    why = good(stranger.office.manager1.get(f"claims/{body['number']}", Accept_Language="en"))["assignment_why"]
    above = "The sum is above this person's authority; somebody else will decide"
    assert (above in why) == (estimate != "100000.00")
    assert not any("region" in reason or "speaks" in reason for reason in why)


@pytest.mark.norm("1.4.3")
def test_the_queue_of_a_unit_in_which_nobody_works_is_seen_by_every_lead(stranger: Stranger) -> None:
    models.Staff.objects.filter(code__startswith="handler").update(skills=())
    office = stranger.office
    body = reported(stranger, "2026-11-23 10:00", **LARGE)
    assert body["handler"] is None
    for who in (office.lead1, office.manager1):
        assert good(who.get(f"claims/{body['number']}", Accept_Language="en"))["unit"] == "motor"
        for page in ("worklist", "claims", "worklist?whose=unit"):
            assert [c["number"] for c in good(who.get(page))["claims"]] == [body["number"]], (who, page)
    why = good(office.lead1.get(f"claims/{body['number']}", Accept_Language="en"))["assignment_why"]
    assert "Nobody can take it now; it waits in the queue of motor claims" in why
    # Once somebody works there it is theirs.
    models.Staff.objects.filter(code="handler2").update(unit="motor")
    assert office.lead1.get(f"claims/{body['number']}").status == 404
    assert not good(office.lead1.get("worklist"))["claims"]
