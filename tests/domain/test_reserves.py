"""First reserves: what such losses usually cost, until somebody names this one's; nothing rests on an average."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.domain.conduct_desk import HANDLER, LEAD, Desk, cny, own_damage, policy, rulebook

from lipei.domain import commands as c
from lipei.domain import sizes
from lipei.domain.papers import Selector
from lipei.domain.reserves import ReserveRow, ReserveTable, following

TABLE = ReserveTable((
    ReserveRow("glass", Selector(("motor",), ("own_damage",), ("glass",)), {"CNY": 120_000}),
    ReserveRow("own", Selector(("motor",), ("own_damage",)), {"CNY": 400_000}),
))  # fmt: skip


def usual(**said: str) -> int:
    return TABLE.usual_minor(**{"line": "motor", "cover": "own_damage", "loss": "collision", "currency": "CNY", **said})


def test_the_first_row_that_fits_counts():
    assert usual() == 400_000
    assert usual(loss="glass") == 120_000
    assert usual(cover="third_party") == usual(line="household") == usual(currency="USD") == 0


def reported(reserve: int | None = None) -> Desk:
    desk = Desk(policy=policy())
    head = c.ExposureReported("own_damage", "single_vehicle", reserve=None if reserve is None else cny(reserve))
    desk.report(own_damage(exposures=(head,)))
    return desk


@pytest.mark.norm("2.2.3")
def test_every_head_has_a_reserve_from_registration_on():
    desk = reported()
    head = desk.case.exposures[1]
    expected = rulebook().reserves.usual_minor(line="motor", cover="own_damage", loss="single_vehicle", currency="CNY")
    assert expected > 0
    assert (head.reserve_minor, head.reserve_reason, head.named_reserve_minor) == (expected, "usual", 0)
    named = reported(700).case.exposures[1]
    assert (named.reserve_minor, named.reserve_reason, named.named_reserve_minor) == (70_000, "reported", 70_000)
    assert reported(0).case.exposures[1].reserve_reason == "usual", "nothing was said of what it may cost"
    desk.do(HANDLER, "exposure", "add", 0, c.AddExposure("own_damage", "glass"))
    assert desk.case.exposures[2].reserve_reason == "usual"
    desk.do(HANDLER, "exposure", "add", 0, c.AddExposure("own_damage", "glass", reserve=cny(10)))
    assert desk.case.exposures[3].named_reserve_minor == 1_000


@pytest.mark.norm("4")
def test_nothing_rests_on_an_average():
    """No size, no authority, no money on account; whoever names a reserve needs authority for that and no more."""
    desk = reported()
    assert sizes.likely_minor(desk.case.exposures[1]) == 0
    refused = desk.refused(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(100), 1, "急用"))
    assert refused.code == "refusal.reserve_only_usual", "it says what to do: the reserve on the page is not too low"
    desk.do(HANDLER, "exposure", "set_reserve", 1, c.SetReserve(cny(3_000), "查勘所见"))
    assert desk.case.exposures[1].named_reserve_minor == 300_000
    desk.do(HANDLER, "exposure", "advance", 1, c.OnAccount(cny(100), 1, "急用"))


def test_a_head_put_right_has_the_reserve_of_its_kind():
    desk = reported()
    before = desk.case.exposures[1].reserve_minor
    desk.do(HANDLER, "exposure", "correct", 1, c.CorrectExposure(peril="theft"))
    after = desk.case.exposures[1]
    assert after.reserve_minor > before and after.reserve_reason == "usual"
    desk.do(LEAD, "exposure", "set_reserve", 1, c.SetReserve(cny(3_000), "车已找到"))
    desk.do(HANDLER, "exposure", "correct", 1, c.CorrectExposure(peril="collision"))
    assert desk.case.exposures[1].named_reserve_minor == 300_000


def assess(desk: Desk, yuan: int, actor: object = HANDLER) -> None:
    desk.do(actor, "exposure", "assess", 1, c.Assess((c.ItemAssessed("后保险杠", assessed=cny(yuan)),)))


@pytest.mark.norm("2.2.3")
def test_a_reserve_that_nobody_named_follows_the_sum_assessed_and_nothing_rests_on_it():
    desk = reported()
    before = desk.case.exposures[1].reserve_minor
    assess(desk, 900)
    head = desk.case.exposures[1]
    assert head.payable_minor and head.reserve_minor == head.payable_minor != before
    assert (head.reserve_reason, head.named_reserve_minor) == ("assessed", 0), "no person named it"
    assert sizes.likely_minor(head) == sizes.likely_minor(replace(head, reserve_minor=9_999_999))
    assess(desk, 1_200)
    head = desk.case.exposures[1]
    assert head.reserve_minor == head.payable_minor, "and follows the next assessment"
    desk.do(HANDLER, "exposure", "correct", 1, c.CorrectExposure(peril="theft"))
    assert desk.case.exposures[1].reserve_reason == "usual", "of another kind of loss nothing is assessed"


def test_a_reserve_that_a_person_named_stays_whatever_is_assessed():
    for desk in (reported(700), reported()):
        if desk.case.exposures[1].reserve_reason == "usual":
            desk.do(HANDLER, "exposure", "set_reserve", 1, c.SetReserve(cny(700), "查勘所见"))
        named = desk.case.exposures[1].reserve_reason
        assess(desk, 900)
        head = desk.case.exposures[1]
        assert (head.reserve_minor, head.reserve_reason, head.named_reserve_minor) == (70_000, named, 70_000)


def test_a_loss_that_cannot_be_computed_any_more_has_the_reserve_of_its_kind_again():
    desk = reported()
    usual_minor = desk.case.exposures[1].reserve_minor
    assess(desk, 900)
    desk.policy = None
    assess(desk, 800)
    head = desk.case.exposures[1]
    assert (head.reserve_minor, head.reserve_reason, head.payable_minor) == (usual_minor, "usual", 0)


def test_the_reserve_follows_a_sum_that_changes_by_what_happens_beside_it():
    head = replace(reported().case.exposures[1], payable_minor=50_000, reserve_minor=50_000, reserve_reason="assessed")
    assert following(head, 40_000) == {"reserve_minor": 40_000, "reserve_reason": "assessed"}
    assert following(head, 50_000) == {}, "nothing is written where nothing changes"
    assert following(replace(head, reserve_reason="changed"), 40_000) == {}
    assert following(replace(head, reserve_minor=0, reserve_reason="changed"), 40_000) == {}, "0 was named too"
