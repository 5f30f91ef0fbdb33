"""Losses that are not assessed yet keep their place under a shared limit and are never a settlement themselves."""

from datetime import UTC, datetime
from typing import Any

from lipei.domain.events import Refusal
from lipei.domain.limits import PolicyLedger
from lipei.domain.policies import Policy
from lipei.domain.settlement import Accident, Loss, Settlement, settle, settle_together
from lipei.norms.products import shipped

TERMS = shipped().latest("private_car")
POLICY = Policy(
    id=1,
    number="P1",
    product="private_car",
    terms_version=2,
    currency="CNY",
    starts_at=datetime(2026, 1, 1, tzinfo=UTC),
    ends_at=datetime(2027, 1, 1, tzinfo=UTC),
    schedule={"compulsory_medical": {}, "third_party": {"limit_minor": 100_000_000}},
)
ACCIDENT = Accident("C1", datetime(2026, 6, 1, tzinfo=UTC), "CNY")


def victim(exposure: int, cover: str = "compulsory_medical", **more: Any) -> Loss:
    return Loss(exposure, cover, "third_party_injury", claimant=exposure % 10, **more)


def known(exposure: int, amount: int, cover: str = "compulsory_medical") -> Loss:
    return victim(exposure, cover, facts={"fault_percent": 100}, items=[{"claimed_minor": amount}])


def one(loss: Loss, *related: Loss) -> Settlement | Refusal:
    assert TERMS is not None
    return settle(terms=TERMS, policy=POLICY, accident=ACCIDENT, loss=loss, related=related, ledger=PolicyLedger(1))


def test_an_estimate_is_no_settlement() -> None:
    found = one(victim(1, facts={"fault_percent": 100}, estimate_minor=500))
    assert isinstance(found, Refusal)
    assert found.fields == {"items": "refusal.settlement_items_missing"}


def test_a_victim_of_whom_nothing_is_known_makes_the_others_provisional() -> None:
    found = one(known(1, 100), victim(2))
    assert isinstance(found, Settlement)
    assert (found.payable_minor, found.provisional) == (100, True)


def test_a_wrong_figure_is_named_even_where_others_are_missing() -> None:
    found = one(known(1, 100), victim(2, estimate_minor=-5))
    assert isinstance(found, Refusal)
    assert found.fields["exposures.2.estimate_minor"] == "refusal.settlement_amount"


def test_what_was_decided_before_is_calculated_anew_when_asked() -> None:
    decided = Loss(
        1,
        "compulsory_medical",
        "third_party_injury",
        1,
        {"fault_percent": 100},
        [{"claimed_minor": 7}],
        settled_minor=5,
    )
    found = one(decided)
    assert isinstance(found, Settlement)
    assert found.payable_minor == 7


def test_the_commercial_cover_waits_for_what_the_compulsory_one_will_pay() -> None:
    """The compulsory share of an injured person is still an estimate: what is beyond it may move."""
    found = one(known(11, 5_000_000, "third_party"), victim(1, estimate_minor=1_000_000))
    assert isinstance(found, Settlement)
    assert found.payable_minor == 4_000_000
    assert found.needs_person == ("settlement.person.other_cover", "settlement.person.provisional")


def test_together_an_estimate_is_shown_as_one() -> None:
    assert TERMS is not None
    found = settle_together(
        terms=TERMS,
        policy=POLICY,
        accident=ACCIDENT,
        losses=[known(1, 100), victim(2, facts={"fault_percent": 100}, estimate_minor=300), victim(3)],
        ledger=PolicyLedger(1),
    )
    assert not isinstance(found, Refusal)
    assert set(found) == {1, 2}, "nothing is said of a loss of which nothing is known"
    assert found[2].lines[0].text == "settlement.estimate"
    assert found[2].provisional
