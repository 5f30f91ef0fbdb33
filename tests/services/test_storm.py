"""A storm: many claims, everybody at once, jobs and edits in between, through the services and the database.

What must hold whatever happens: nothing raises, the books agree with the journal, nobody is paid or told twice, a shared
limit is never exceeded, and a date once told never moves to a later one.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from tests.company import NOW, company, policy
from tests.domain.test_conduct_laws import ENDS, LIMITS_MINOR, REPORTS, USUAL, made, usual
from tests.jobs.conftest import own_home as own_home

from lipei.domain import commands as c
from lipei.domain import lifecycle
from lipei.domain.claims import Case
from lipei.domain.commands import COMMANDS
from lipei.domain.events import Actor, Refusal
from lipei.domain.limits import PolicyLedger
from lipei.jobs import loop
from lipei.norms import loader
from lipei.reads import claims as claims_read
from lipei.reads import worklist
from lipei.services import actions, intake, norms, people, sweeps, verify
from lipei.store import aggregates, canonical, models

pytestmark = pytest.mark.django_db
PLATES = ("沪A12345", "沪B00001")
HOURS = (1, 3, 20, 50, 24 * 9, 24 * 40)


def reports() -> Iterator[c.Report]:
    """Reports on both cars, some of them alike, some with nothing but a phone and a story."""
    for plate in (*PLATES, ""):
        for one in REPORTS:
            yield replace(
                one, plate=plate, loss_at=NOW - timedelta(hours=2), phone="13800138000" if plate else "13911112222"
            )
    yield c.Report(
        story="路上撞了，人受伤，正在抢救。", phone="13700001111", line="motor", rescue=True, serious_injuries=1
    )


def limit_of(hours: int) -> str:
    """The promises table with another limit for the preliminary opinion."""
    text = loader.default_text("promises")
    place = text.index("- code: preliminary_opinion")
    return text[:place] + text[place:].replace("limit: 24", f"limit: {hours}", 1)


class Storm(RuleBasedStateMachine):
    """A small company in bad weather."""

    @initialize()
    def begin(self) -> None:
        self.kept = transaction.atomic()
        self.kept.__enter__()
        self.us, self.now, self.numbers, self.edited = company(), NOW, [], False
        policy("PC-2", "private_car", self.us.car.schedule, name="李四", phone="13911112222", plate=PLATES[1], seed=2)
        names = [name for name in vars(self.us) if isinstance(getattr(self.us, name), Actor)]
        self.staff = [getattr(self.us, name) for name in names]
        self.told: dict[tuple[int, int], Any] = {}

    def teardown(self) -> None:
        if not hasattr(self, "kept"):
            return
        try:
            loop.settle(self.now)
            self.books_agree()
        finally:
            transaction.set_rollback(True)
            self.kept.__exit__(None, None, None)

    # --- what happens -------------------------------------------------------------------------------------------------

    @rule(report=st.sampled_from(tuple(reports())), key=st.sampled_from(("", "", "k1", "k2")))
    def somebody_reports(self, report: c.Report, key: str) -> None:
        done = intake.report(report, actor=self.us.program, now=self.now, key=key)
        if isinstance(done, Refusal):
            assert (done.code, done.kind) == ("refusal.key_reused", "conflict")
        elif done.case.claim.number not in self.numbers:
            self.numbers.append(done.case.claim.number)

    @precondition(lambda self: self.numbers)
    @rule(data=st.data())
    def somebody_does_something(self, data: Any) -> None:
        number = data.draw(st.sampled_from(self.numbers))
        actor = data.draw(st.sampled_from(self.actors(number)))
        case = self.case(number)
        found = lifecycle.possible(case=case, actor=actor, book=norms.current(), now=self.now)
        possible = [p for p in found if p[0].action not in ENDS[:-1]]
        if not possible:
            return
        step, part = data.draw(st.sampled_from(possible))
        self.act(actor, number, step, part, made(data.draw, COMMANDS[step.subject, step.action]))

    @precondition(lambda self: self.numbers)
    @rule(data=st.data(), strides=st.integers(3, 12))
    def work_goes_on(self, data: Any, strides: int) -> None:
        """Steps of the usual way by whoever may, so that claims get as far as their money and beyond."""
        number = data.draw(st.sampled_from(self.numbers))
        for _ in range(strides):
            case = self.case(number)
            able = [
                (actor, step, part)
                for actor in self.actors(number)
                for step, part in lifecycle.possible(case=case, actor=actor, book=norms.current(), now=self.now)
                if step.action in (*USUAL, "request_papers", "receive", "accept", "give_opinion", "tell_customer")
            ]
            if not able:
                return
            actor, step, part = data.draw(st.sampled_from(able))
            command = c.Agree(self.code(case)) if step.action == "agree" else usual(step.action, data.draw)
            self.act(actor, number, step, part, command)

    @precondition(lambda self: self.numbers)
    @rule(data=st.data(), how=st.sampled_from(("withdraw", "cancel", "reopen", "suspect", "hand_over")))
    def a_turn(self, data: Any, how: str) -> None:
        number = data.draw(st.sampled_from(self.numbers))
        command = c.HandOver(self.us.handler1.staff_id, "", "请接手") if how == "hand_over" else c.Reasoned("情况有变")
        self.act(data.draw(st.sampled_from(self.staff)), number, lifecycle.BY_ACTION["claim", how], 0, command)

    @rule(hours=st.sampled_from(HOURS))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        loop.run_once(self.now)

    @precondition(lambda self: self.numbers and not self.edited)
    @rule(limit=st.sampled_from((2, 200)))
    def a_promise_is_edited(self, limit: int) -> None:
        self.edited = True
        text, (seen, _) = limit_of(limit), norms.text_in_force("promises")
        foreseen = sweeps.preview(table="promises", text=text, now=self.now)
        by = self.us.manager1
        done = norms.save(table="promises", text=text, reason="调整", seen_version=seen, actor=by, now=self.now)
        assert done == seen + 1
        assert sweeps.after_edits(now=self.now) >= foreseen.claims

    @rule(who=st.sampled_from(("handler1", "handler2", "surveyor1")), days=st.integers(1, 9))
    def somebody_falls_ill(self, who: str, days: int) -> None:
        back = self.now + timedelta(days=days)
        staff_id = getattr(self.us, who).staff_id
        people.away(
            staff_id=staff_id, starts_at=self.now, ends_at=back, reason="病假", reassign=True, actor=self.us.lead1,
            now=self.now,
        )  # fmt: skip

    # --- how ----------------------------------------------------------------------------------------------------------

    def case(self, number: str) -> Case:
        loaded = aggregates.load(Case, actions.claim_id(number) or 0)
        assert loaded is not None
        return loaded.aggregate

    def actors(self, number: str) -> list[Actor]:
        customers = [Actor(f"customer:P{n}", "customer", frozenset({"customer"}), unit=number) for n in (1, 2)]
        return [*self.staff, *customers, Actor("system:straight-through", "rule")]

    def code(self, case: Case) -> str:
        rows = models.Delivery.objects.filter(message="one_time_code", stream_id=case.id).order_by("-id")
        return str(rows.values_list("secret", flat=True).first() or "000000")

    def act(self, actor: Actor, number: str, step: lifecycle.Step, part: int, command: Any) -> None:
        before = self.case(number)
        done = actions.act(number, step.subject, step.action, part, command, actor=actor, now=self.now)
        if isinstance(done, Refusal):
            assert done.kind != "fields" or done.fields
            assert self.case(number) == before, "what was refused changed something"
            return
        kept = self.case(number)
        for entity in Case.entities:
            for n, part in done.case.of(entity).items():
                assert canonical.dumps(asdict(kept.of(entity)[n])) == canonical.dumps(asdict(part)), (entity, n)
        for viewer in (actor, self.us.manager1):  # whoever looks, the page can be drawn
            if viewer.id.startswith("staff:"):
                claims_read.find(number, viewer=viewer)
        self.dates_told_stand(done.case)

    def dates_told_stand(self, case: Case) -> None:
        """A date that the customer was told moves later only by a pause that began after it was told."""
        for n, clock in case.clocks.items():
            before = self.told.get((case.id, n))
            if before is not None and clock.told_due_at is not None and len(clock.pauses) == before[1]:
                assert clock.told_due_at <= before[0] or clock.started_at != before[2], clock
            if clock.told_due_at is not None:
                self.told[case.id, n] = (clock.told_due_at, clock.told_pauses, clock.started_at)

    def books_agree(self) -> None:
        assert list(verify.differences(now=self.now)) == []
        sent = Counter(models.Delivery.objects.values_list("dedupe", flat=True))
        assert not [key for key, times in sent.items() if times > 1]
        ends = models.Payment.objects.filter(state="confirmed").values_list("end_to_end_id", flat=True)
        assert len(ends) == len(set(ends))
        for number in self.numbers:
            case = self.case(number)
            for n, exposure in case.exposures.items():
                given = sum(p.amount_minor for p in case.payments.values() if (p.exposure, p.state) == (n, "confirmed"))
                assert exposure.paid_minor == given
            for clock in case.clocks.values():
                assert clock.breached_at is None or clock.breached_at <= self.now
        for row in models.Policy.objects.all():
            self.limits_hold(row.id)
        open_ = {number for number in self.numbers if self.case(number).claim.state in lifecycle.OPEN}
        listed = worklist.work(viewer=self.us.manager1, language="en", now=self.now, whose="all", limit=200)
        assert {row.number for row in listed.rows} == open_

    def limits_hold(self, policy_id: int) -> None:
        """Per accident no more than the compulsory limits, all heads of it together."""
        loaded = aggregates.load(PolicyLedger, policy_id)
        used: Counter[tuple[str, str]] = Counter()
        for usage in loaded.aggregate.usages if loaded else ():
            used[usage.limit, usage.period] += 0 if usage.released else usage.amount_minor
        assert all(amount <= LIMITS_MINOR.get(limit, 10**15) for (limit, _), amount in used.items()), used


@pytest.mark.slow
def test_a_storm(django_db_blocker: Any) -> None:
    """A handful at every build; ``LIPEI_TEST_STORMS=200`` is a long night."""
    run_state_machine_as_test(
        Storm,
        settings=settings(
            max_examples=int(os.environ.get("LIPEI_TEST_STORMS", "4")), stateful_step_count=25, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
