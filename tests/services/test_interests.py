"""Whoever is close to a party is kept from deciding, and is seen where they handle the claim (norm part 4, 1.4.3)."""

from __future__ import annotations

import pytest
from tests.company import NOW, company, policy

from lipei.domain import commands as c
from lipei.domain.claims import Case
from lipei.domain.events import Refusal
from lipei.domain.money import Money
from lipei.reads import remarks, rulebook
from lipei.services import actions, intake, world
from lipei.store import aggregates, crypto, models
from lipei.store.aggregates import normal

pytestmark = pytest.mark.django_db
THEIRS = "13700002222"


@pytest.mark.norm("4")
def test_a_party_added_later_is_seen_against_who_handles_who_decides_and_who_would_be_called():
    people = company()
    policy("P1", "private_car", {"own_damage": {"sum_insured_minor": 15_000_000}}, name="张三", phone="13700001111")
    head = c.ExposureReported("own_damage", "collision")
    report = c.Report(story="倒车撞柱", phone="13700001111", policy_number="P1", loss_at=NOW, exposures=(head,))
    done = intake.report(report, actor=people.program, now=NOW)
    assert not isinstance(done, Refusal), done
    number, handler = done.case.claim.number, done.case.claim.handler
    close = frozenset({handler, people.manager1.staff_id})
    declared = [crypto.blind_index("phone", normal(THEIRS))]
    models.Staff.objects.filter(id__in=close).update(conflicts=declared)
    world.forget_staff()

    def reserve() -> Refusal | object:
        command = c.SetReserve(amount=Money(100_000, "CNY"), reason="初步估计")
        return actions.act(number, "exposure", "set_reserve", 1, command, actor=people.manager1, now=NOW)

    def case() -> Case:
        loaded = aggregates.load(Case, actions.claim_id(number))
        assert loaded is not None
        return loaded.aggregate

    def said() -> set[str]:
        return {r.code for r in remarks.on(case(), rulebook.used(), (), language="en", now=NOW)}

    assert not isinstance(reserve(), Refusal) and "remark.handler_interested" not in said()
    party = c.PartyReported(roles=("claimant",), name="李四", phone=THEIRS)
    added = actions.act(number, "party", "add", 0, party, actor=people.intake1, now=NOW)
    assert not isinstance(added, Refusal), added
    refused = reserve()
    assert isinstance(refused, Refusal) and refused.code == "refusal.authority.interest"
    assert "remark.handler_interested" in said()
    assert world.interested(rulebook.used(), case()) == close  # nor is any of them called at night
