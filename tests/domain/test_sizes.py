"""How large a claim is: a loss under compulsory and commercial cover is one loss (norm 2.3.1, part 4)."""

from __future__ import annotations

import pytest
from tests.domain.conduct_desk import HANDLER, MANAGER, Desk, cny, own_damage, policy

from lipei.domain import commands as c

PROPERTY = ("compulsory_property", "third_party")
INJURY = ("compulsory_medical", "third_party")


def both(covers: tuple[str, ...], peril: str, yuan: int = 0, **more) -> Desk:
    """One loss of the other side, entered under both covers, with this reserve under each."""
    desk = Desk(policy=policy())
    reserve = cny(yuan) if yuan else None
    heads = tuple(c.ExposureReported(cover, peril, reserve=reserve) for cover in covers)
    desk.report(own_damage(loss_kind=peril, exposures=heads, **more))
    return desk


@pytest.mark.norm("2.3.1")
def test_a_small_loss_under_two_covers_stays_small():
    desk = both(PROPERTY, "third_party_property", estimate=cny(3000))
    for part in (1, 2):
        desk.assess(part, 3000, fault_percent="100")
        assert desk.case.claim.lane == "simple", part


@pytest.mark.norm("2.3.1")
def test_one_injury_under_two_covers_is_no_larger_than_it_is():
    desk = both(INJURY, "third_party_injury", 160_000, estimate=cny(160_000))
    assert not desk.case.claim.report_upwards  # from 300,000 on
    desk.do(MANAGER, "exposure", "set_reserve", 2, c.SetReserve(cny(310_000), "伤情加重"))
    assert desk.case.claim.report_upwards


@pytest.mark.norm("2.3.1")
def test_two_victims_are_two_losses():
    desk = Desk(policy=policy())
    named = tuple(c.PartyReported(roles=("claimant",), name=name) for name in ("李四", "王五"))
    heads = (
        c.ExposureReported("compulsory_medical", "third_party_injury", claimant=1, reserve=cny(160_000)),
        c.ExposureReported("third_party", "third_party_injury", claimant=2, reserve=cny(160_000)),
    )
    desk.report(own_damage(loss_kind="third_party_injury", parties=named, exposures=heads))
    assert desk.case.claim.report_upwards


@pytest.mark.norm("4")
def test_authority_is_asked_for_one_loss_once():
    desk = both(INJURY, "third_party_injury")
    for part in (1, 2):
        desk.assess(part, 60_000, fault_percent="100")  # a handler assesses up to 100,000
    items = (c.ItemAssessed("后续治疗", assessed=cny(100_001)),)
    refused = desk.refused(HANDLER, "exposure", "assess", 2, c.Assess(items, {"fault_percent": "100"}))
    assert refused.params["amount_minor"] == 10_000_100  # 18,000 of it by the compulsory cover


@pytest.mark.norm("4")
def test_reserves_for_one_loss_count_once():
    desk = both(INJURY, "third_party_injury")
    for part in (1, 2):
        desk.do(HANDLER, "exposure", "set_reserve", part, c.SetReserve(cny(90_000), "初步估计"))
    more = c.AddExposure("own_damage", "collision", reserve=cny(10_001))
    assert desk.refused(HANDLER, "exposure", "add", 0, more).params["amount_minor"] == 10_000_100
