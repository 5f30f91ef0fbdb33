"""Approved payments reach the bank once, and its answers are matched by identity and amount (norm 2.2.4, part 4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.company import NOW
from tests.jobs.conftest import approved

from lipei.domain import commands as c
from lipei.domain.claims import Case
from lipei.domain.events import Refusal
from lipei.gateways.bank import BankAnswer, Submission
from lipei.services import actions, bank, norms, verify
from lipei.store import aggregates, models

pytestmark = [pytest.mark.django_db, pytest.mark.norm("2.2.4")]


class Bank:
    """A bank that counts the money, keeps silent or answers as it is told."""

    def __init__(self) -> None:
        self.paid: dict[str, int] = {}
        self.answers: list[BankAnswer] = []
        self.calls: list[list[str]] = []
        self.refuse: dict[str, str] = {}
        self.last_words: dict[str, BankAnswer | None] = {}

    def submit(self, orders: Any, *, now: Any, batch_id: str = "") -> Submission:
        names = [o.end_to_end_id for o in orders]
        self.calls.append(names)
        taken = [o for o in orders if o.end_to_end_id not in self.refuse]
        known = [o.end_to_end_id for o in taken if o.end_to_end_id in self.paid]
        for order in taken:
            self.paid.setdefault(order.end_to_end_id, order.amount_minor)
        fresh = tuple(o.end_to_end_id for o in taken if o.end_to_end_id not in known)
        return Submission("M1", fresh, tuple(known), {n: r for n, r in self.refuse.items() if n in names})

    def poll(self, now: Any) -> list[BankAnswer]:
        return list(self.answers)

    def acknowledge(self, answers: Any) -> None:
        self.answers = [a for a in self.answers if a not in answers]

    def inquire(self, name: str) -> BankAnswer | None:
        return self.last_words.get(name)


@pytest.fixture
def teller(monkeypatch: pytest.MonkeyPatch) -> Bank:
    made = Bank()
    monkeypatch.setattr(bank, "gateway", lambda: made)
    return made


def answer(case: Any, status: Any, *, reason: str = "", amount: int = 215000) -> BankAnswer:
    return BankAnswer(case.payments[1].end_to_end_id, status, reason, NOW, "R-1", amount)


def now_is(case: Any) -> Any:
    found = aggregates.load(Case, case.id)
    assert found is not None
    return found.aggregate


def test_the_demonstration_bank_confirms_by_itself(people):
    case = approved(people)
    while bank.turn(now=NOW, limit=10):
        pass
    after = now_is(case)
    assert after.payments[1].state == "confirmed" and after.claim.state == "closed"
    assert models.BankMessage.objects.filter(direction="in", state="done").count() == 1
    assert list(verify.differences()) == []


def test_the_intent_is_on_record_before_anything_leaves(people, teller):
    case = approved(people)
    assert bank.submit(now=NOW, limit=10) == 1
    assert now_is(case).payments[1].state == "submitted"
    intent = models.BankMessage.objects.get(direction="out")
    assert (intent.state, intent.message_id) == ("queued", case.payments[1].end_to_end_id)
    assert teller.calls == []
    assert bank.hand_over(now=NOW, limit=10) == 1
    assert teller.paid == {case.payments[1].end_to_end_id: 215000}
    assert bank.hand_over(now=NOW, limit=10) == 0


def test_killed_after_handing_over_the_order_is_handed_over_again_and_paid_once(people, teller, monkeypatch):
    case = approved(people)
    bank.submit(now=NOW, limit=10)
    taken = teller.submit

    def die(*args: Any, **kwargs: Any) -> Submission:
        taken(*args, **kwargs)
        raise SystemExit

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(teller, "submit", die)
        bank.hand_over(now=NOW, limit=10)
    assert bank.hand_over(now=NOW, limit=10) == 0  # the lease holds
    assert bank.hand_over(now=NOW + norms.current().jobs.lease, limit=10) == 1
    assert len(teller.calls) == 2 and teller.paid == {case.payments[1].end_to_end_id: 215000}


def test_killed_before_acknowledging_the_answer_is_recorded_once(people, teller):
    case = approved(people)
    bank.turn(now=NOW, limit=10)
    teller.answers = [answer(case, "confirmed")]
    keep = list(teller.answers)
    assert bank.collect(now=NOW) == 1
    teller.answers = keep  # it was not acknowledged: the bank tells it again
    assert bank.collect(now=NOW) == 1
    assert models.Entry.objects.filter(stream_id=case.id, kind="payment.confirmed").count() == 1
    assert models.BankMessage.objects.filter(direction="in").count() == 1


def test_an_answer_of_another_amount_changes_nothing_and_is_kept_for_a_person(people, teller):
    case = approved(people)
    bank.turn(now=NOW, limit=10)
    teller.answers = [answer(case, "confirmed", amount=1)]
    bank.collect(now=NOW)
    assert now_is(case).payments[1].state == "submitted"
    assert [row.message_id for row in bank.unmatched()] == [case.payments[1].end_to_end_id]
    assert teller.answers == []


def test_an_answer_to_nobodys_payment_is_kept_for_a_person(people, teller):
    case = approved(people)
    teller.answers = [replace(answer(case, "confirmed"), end_to_end_id="SOMEBODY-1")]
    bank.collect(now=NOW)
    assert [row.message_id for row in bank.unmatched()] == ["SOMEBODY-1"]


def test_a_failure_goes_back_to_a_person_and_the_retry_is_a_new_order(people, teller):
    case = approved(people)
    bank.turn(now=NOW, limit=10)
    teller.answers = [answer(case, "failed", reason="AC04")]
    bank.collect(now=NOW)
    failed = now_is(case).payments[1]
    assert (failed.state, failed.failure) == ("failed", "AC04")
    done = actions.act(case.claim.number, "payment", "retry", 1, c.Retry(), actor=people.finance1, now=NOW)
    assert not isinstance(done, Refusal), done
    bank.turn(now=NOW, limit=10)
    first, second = case.payments[1].end_to_end_id, now_is(case).payments[1].end_to_end_id
    assert first != second and set(teller.paid) == {first, second}
    # The bank's late word on the first order is nobody's: the second is what counts.
    teller.answers = [answer(case, "confirmed")]
    bank.collect(now=NOW)
    assert now_is(case).payments[1].state == "submitted"


def test_money_that_comes_back_after_it_was_confirmed(people, teller):
    case = approved(people)
    bank.turn(now=NOW, limit=10)
    teller.answers = [answer(case, "confirmed")]
    bank.collect(now=NOW)
    teller.answers = [answer(case, "failed", reason="AC06")]
    bank.collect(now=NOW)
    after = now_is(case)
    assert (after.payments[1].state, after.exposures[1].paid_minor) == ("failed", 0)
    assert list(verify.differences()) == []


def test_an_order_that_the_gateway_refuses_never_left_and_a_person_mends_it(people, teller):
    case = approved(people)
    teller.refuse = {case.payments[1].end_to_end_id: "refusal.bank_account"}
    bank.turn(now=NOW, limit=10)
    failed = now_is(case).payments[1]
    assert (failed.state, failed.failure) == ("failed", "bank_account") and teller.paid == {}


def test_silence_is_asked_about_and_never_paid_again_on_suspicion(people, teller):
    case = approved(people)
    bank.turn(now=NOW, limit=10)
    name = case.payments[1].end_to_end_id
    assert bank.ask(now=NOW + timedelta(minutes=1), limit=10) == 0  # too early to ask
    later = NOW + norms.current().jobs.bank_ask_after
    teller.last_words[name] = answer(case, "unknown")
    assert bank.ask(now=later, limit=10) == 0
    bank.turn(now=later, limit=10)
    assert len(teller.calls) == 1
    teller.last_words[name] = answer(case, "confirmed")
    assert bank.ask(now=later, limit=10) == 1
    assert now_is(case).payments[1].state == "confirmed"


def test_an_order_that_the_bank_never_had_is_handed_over_again(people, teller):
    case = approved(people)
    bank.turn(now=NOW, limit=10)
    teller.last_words[case.payments[1].end_to_end_id] = None
    teller.paid.clear()
    later = NOW + norms.current().jobs.bank_ask_after
    assert bank.ask(now=later, limit=10) == 1
    bank.turn(now=later, limit=10)
    assert teller.paid == {case.payments[1].end_to_end_id: 215000}


def test_two_workers_pay_once(people, teller):
    case = approved(people)
    bank.submit(now=NOW, limit=10)
    again = bank._submit(case.id, 1, NOW)
    assert again is False  # it is not approved any more
    assert models.BankMessage.objects.filter(direction="out").count() == 1


@pytest.mark.parametrize("said", ["", "Name;123", "Name;;102290000000"])
def test_a_real_bank_needs_an_account_to_pay_from(people, settings, tmp_path, said):
    settings.LIPEI_BANK_URL, settings.LIPEI_BANK_ACCOUNT = f"files:{tmp_path / 'bank'}", said
    case = approved(people)
    assert bank.turn(now=NOW, limit=10) == 1  # the intent
    assert now_is(case).payments[1].state == "submitted"
    assert models.BankMessage.objects.get().state == "queued"
    settings.LIPEI_BANK_ACCOUNT = "示例保险;100200300400;102100099996"
    bank.turn(now=NOW + norms.current().jobs.lease, limit=10)
    files = list((tmp_path / "bank" / "outbox").iterdir())
    assert len(files) == 1 and case.payments[1].end_to_end_id in files[0].read_text()
