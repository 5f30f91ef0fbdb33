"""What holds for every settlement whatever its figures: by all shipped products, covers and versions."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lipei.domain.events import Refusal
from lipei.domain.limits import Draw, PolicyLedger, draw
from lipei.domain.policies import Policy
from lipei.domain.settlement import Accident, Cover, FactSpec, Loss, Settlement, Terms, replay, settle, settle_together
from lipei.domain.settlement.results import AUTOMATIC
from lipei.domain.settlement.sharing import across_policies, among_victims
from lipei.norms.products import shipped

COVERS = [(terms, cover) for terms in shipped().terms for cover in terms.covers.values()]
BY_ITEMS = [(terms, cover) for terms, cover in COVERS if cover.steps[0].do == "items"]
NAMES = [f"{terms.code}-{terms.version}-{cover.code}" for terms, cover in COVERS]
amounts = st.integers(0, 5_000_000)


def figure(spec: FactSpec) -> st.SearchStrategy[Any]:
    """What may be entered for a fact or a field of the schedule."""
    if spec.type == "policies":
        row = st.fixed_dictionaries({"would_pay_minor": amounts, "sum_insured_minor": amounts})
        return st.lists(row, max_size=2)
    return {
        "money": st.integers(spec.minimum or 0, 5_000_000),
        "percent": st.integers(0, 100),
        "count": st.integers(0, 400),
        "yes_no": st.booleans(),
        "choice": st.sampled_from(spec.choices or ("",)),
    }[spec.type]


def entered(specs: dict[str, FactSpec]) -> st.SearchStrategy[dict[str, Any]]:
    must = {name: figure(spec) for name, spec in specs.items() if spec.required and spec.default is None}
    may = {name: figure(spec) for name, spec in specs.items() if name not in must}
    if "compulsory_paid_minor" in may:
        must["compulsory_paid_minor"] = may.pop("compulsory_paid_minor")
    return st.fixed_dictionaries(must, optional=may)


@st.composite
def items(draw_: st.DrawFn, cover: Cover) -> list[dict[str, Any]]:
    claimed = draw_(st.lists(amounts, min_size=1, max_size=4))
    codes = st.sampled_from(["repair", "jewellery"])
    excluded = st.sampled_from(["", "", "", *cover.exclusions])
    return [{"code": draw_(codes), "claimed_minor": c, "excluded": draw_(excluded)} for c in claimed]


def losses(cover: Cover, exposure: int = 1) -> st.SearchStrategy[Loss]:
    return st.builds(
        Loss,
        exposure=st.just(exposure),
        cover=st.just(cover.code),
        peril=st.sampled_from(cover.perils),
        claimant=st.just(exposure),
        facts=entered(dict(cover.facts)),
        items=items(cover),
    )


def policy(terms: Terms, schedule: dict[str, Any]) -> Policy:
    return Policy(
        id=1,
        number="P1",
        product=terms.code,
        terms_version=terms.version,
        currency=terms.currency,
        starts_at=datetime(2026, 1, 1, tzinfo=UTC),
        ends_at=datetime(2027, 1, 1, tzinfo=UTC),
        schedule=schedule,
    )


ACCIDENT = Accident("C1", datetime(2026, 6, 1, tzinfo=UTC), "CNY")


def settled(terms: Terms, of: Policy, loss: Loss, ledger: PolicyLedger) -> Settlement:
    found = settle(terms=terms, policy=of, accident=ACCIDENT, loss=loss, ledger=ledger)
    assert isinstance(found, Settlement), found
    return found


def used_ledger(terms: Terms, of: Policy, amount: int) -> PolicyLedger:
    """A ledger from which another claim already took something of every limit."""
    wanted = [
        Draw(
            limit.code,
            of.period_key(limit.per, instant=ACCIDENT.loss_at, claim_number="C1"),
            limit_minor=10**12,
            amount_minor=amount,
        )
        for limit in terms.limits.values()
    ]
    events = draw(ledger=PolicyLedger(1), claim_number="C0", exposure=1, wanted=wanted, currency="CNY")
    assert not isinstance(events, Refusal)
    return PolicyLedger(1).after(events)


@pytest.mark.norm("2.2.3")
@pytest.mark.parametrize(("terms", "cover"), COVERS, ids=NAMES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_settlement_explains_itself_and_stays_within_its_bounds(terms: Terms, cover: Cover, data: Any) -> None:
    of = policy(terms, {cover.code: data.draw(entered(dict(cover.schedule)))})
    loss, used = data.draw(losses(cover)), data.draw(amounts)
    ledger = used_ledger(terms, of, used)
    found = settled(terms, of, loss, ledger)
    before = 0
    for line in found.lines:
        assert line.before_minor == before
        assert line.after_minor >= 0
        assert line.cut_minor == max(0, line.before_minor - line.after_minor)
        assert line.clause in terms.clauses
        before = line.after_minor
    assert 0 <= found.payable_minor == before <= max(line.after_minor for line in found.lines)
    for drawn in found.draws:
        assert (
            0
            < drawn.amount_minor
            <= ledger.remaining(limit=drawn.limit, period=drawn.period, limit_minor=drawn.limit_minor)
        )
    if cover.steps[-1].do == "limit":
        assert found.payable_minor == sum(drawn.amount_minor for drawn in found.draws)
    ceiling = next((s.figures["amount"].key for s in cover.steps if s.do == "cap"), None)
    if ceiling:
        assert found.payable_minor <= of.schedule[cover.code][ceiling]
    by_hand = any(line.cut_minor and line.kind not in AUTOMATIC for line in found.lines)
    assert not by_hand or found.needs_person


@pytest.mark.norm("2.2.3")
@pytest.mark.parametrize(("terms", "cover"), COVERS, ids=NAMES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_what_was_stored_comes_out_the_same_to_the_cent(terms: Terms, cover: Cover, data: Any) -> None:
    of = policy(terms, {cover.code: data.draw(entered(dict(cover.schedule)))})
    found = settled(terms, of, data.draw(losses(cover)), used_ledger(terms, of, data.draw(amounts)))
    stored = json.loads(json.dumps(found.as_dict(), ensure_ascii=False))
    again = replay(terms=terms, settlement=stored)
    assert json.loads(json.dumps(again.as_dict())) == stored
    assert not [value for value in walk(found.as_dict()) if isinstance(value, float)]


def walk(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for one in value.values() for leaf in walk(one)]
    if isinstance(value, list | tuple):
        return [leaf for one in value for leaf in walk(one)]
    return [value]


@pytest.mark.parametrize(("terms", "cover"), BY_ITEMS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), more=st.integers(1, 100_000))
def test_a_larger_loss_never_pays_less(terms: Terms, cover: Cover, data: Any, more: int) -> None:
    of = policy(terms, {cover.code: data.draw(entered(dict(cover.schedule)))})
    loss = data.draw(losses(cover))
    larger = [dict(row) for row in loss.items]
    at = data.draw(st.integers(0, len(larger) - 1))
    larger[at]["claimed_minor"] += more
    other = Loss(1, loss.cover, loss.peril, loss.claimant, loss.facts, larger)
    ledger = PolicyLedger(1)
    assert settled(terms, of, loss, ledger).payable_minor <= settled(terms, of, other, ledger).payable_minor


@pytest.mark.norm("2.2.3")
@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 9_000_000), min_size=1, max_size=6),
    st.integers(0, 100),
    st.integers(0, 2_000_000),
    st.randoms(use_true_random=False),
)
def test_victims_share_alike_in_whatever_order_they_come(sizes: list[int], fault: int, used: int, random: Any) -> None:
    terms = shipped().latest("private_car")
    assert terms is not None
    of = policy(terms, {"compulsory_medical": {}})
    ledger = used_ledger(terms, of, used)
    victims = [
        Loss(n, "compulsory_medical", "third_party_injury", n, {"fault_percent": fault}, [{"claimed_minor": size}])
        for n, size in enumerate(sizes, start=1)
    ]
    shuffled = list(victims)
    random.shuffle(shuffled)
    found = settle_together(terms=terms, policy=of, accident=ACCIDENT, losses=victims, ledger=ledger)
    assert not isinstance(found, Refusal)
    assert found == settle_together(terms=terms, policy=of, accident=ACCIDENT, losses=shuffled, ledger=ledger)
    left = max(0, (180_000 if fault == 0 else 1_800_000) - used)
    paid = [found[victim.exposure].payable_minor for victim in victims]
    assert sum(paid) == min(sum(sizes), left)
    for one, size in zip(paid, sizes, strict=True):
        assert one <= size
        # Half a unit for each of them: who was paid already changes nothing for the others, see `among_victims`.
        assert abs(one - size * min(1, left / max(1, sum(sizes)))) <= max(1, len(sizes) / 2)
    for number, victim in enumerate(victims):
        others = [other for other in victims if other is not victim]
        alone = settle(terms=terms, policy=of, accident=ACCIDENT, loss=victim, related=others, ledger=ledger)
        assert isinstance(alone, Settlement)
        assert alone.payable_minor == paid[number]


@given(
    st.integers(0, 10**9),
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1, max_size=5),
    st.sampled_from(["by_payment", "by_sum_insured", "after_others"]),
)
def test_policies_together_pay_the_loss_and_none_more_than_alone(
    loss: int, policies: list[tuple[int, int]], method: str
) -> None:
    pays, sums = [p for p, _ in policies], [s for _, s in policies]
    shares = across_policies(loss_minor=loss, would_pay_minor=pays, method=method, sums_insured_minor=sums)
    assert sum(shares) == min(loss, sum(pays))
    assert all(0 <= share <= pay for share, pay in zip(shares, pays, strict=True))


@given(st.integers(0, 10**9), st.lists(st.integers(0, 10**9), min_size=1, max_size=8))
def test_a_shared_limit_gives_all_it_has_and_no_more_than_was_lost(left: int, wanted: list[int]) -> None:
    shares = among_victims(left_minor=left, wanted_minor=wanted)
    assert sum(shares) == min(left, sum(wanted))
    assert all(0 <= share <= want for share, want in zip(shares, wanted, strict=True))
