"""Approved payments reach the bank once, and its answers are matched by identity and amount (norm 2.2.4, part 4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from tests.company import NOW, card
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
    assert list(verify.differences(now=NOW)) == []


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
    assert list(verify.differences(now=NOW)) == []


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
    again = bank._act(case.id, "submit", 1, c.Nothing(), NOW)  # by a worker who saw it approved a moment ago
    assert isinstance(again, Refusal)
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


# --- what must not lead to a second order ---------------------------------------------------------------------


def files_bank(settings: Any, tmp_path: Any) -> Any:
    """The gateway that writes files, as in service; its outbox."""
    settings.LIPEI_BANK_URL = f"files:{tmp_path / 'bank'}"
    settings.LIPEI_BANK_ACCOUNT = "示例保险;100200300400;102100099996"
    return tmp_path / "bank" / "outbox"


def killed_once_it_has_left(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = bank.gateway().submit

    def die(*args: Any, **kwargs: Any) -> Submission:
        taken(*args, **kwargs)
        raise SystemExit

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(type(bank.gateway()), "submit", lambda self, *args, **kwargs: die(*args, **kwargs))
        bank.hand_over(now=NOW, limit=10)


def test_an_account_corrected_after_the_order_left_makes_no_second_order(people, settings, tmp_path, monkeypatch):
    """The worker dies right after the file was written, the customer corrects the account, another worker goes on."""
    outbox = files_bank(settings, tmp_path)
    case = approved(people)
    bank.submit(now=NOW, limit=10)
    killed_once_it_has_left(monkeypatch)
    assert len(list(outbox.iterdir())) == 1
    other = c.PartyReported(account_number=card(77))
    done = actions.act(case.claim.number, "party", "correct", 1, other, actor=people.finance1, now=NOW)
    assert not isinstance(done, Refusal), done
    later = NOW + norms.current().jobs.lease
    bank.turn(now=later, limit=10)
    assert now_is(case).payments[1].state == "submitted"  # not failed: a retry would pay it again
    assert models.BankMessage.objects.get(direction="out").state == "sent"
    assert len(list(outbox.iterdir())) == 1


def test_a_person_who_submits_sends_the_order_to_the_bank_like_the_worker(people, teller):
    case = approved(people)
    number = case.claim.number
    done = actions.act(number, "payment", "submit", 1, c.Nothing(), actor=people.finance1, now=NOW)
    assert not isinstance(done, Refusal), done
    bank.turn(now=NOW, limit=10)
    assert teller.paid == {case.payments[1].end_to_end_id: 215000}


def given_up(people: Any, case: Any, now: Any = NOW) -> Any:
    failed = c.Failed(reason="AC04")
    return actions.act(case.claim.number, "payment", "fail", 1, failed, actor=people.finance1, now=now)


def test_an_order_given_up_by_a_person_before_it_left_never_leaves(people, teller):
    case = approved(people)
    bank.submit(now=NOW, limit=10)
    assert not isinstance(given_up(people, case), Refusal)
    done = actions.act(case.claim.number, "payment", "retry", 1, c.Retry(), actor=people.finance1, now=NOW)
    assert not isinstance(done, Refusal), done
    bank.turn(now=NOW, limit=10)
    assert teller.paid == {now_is(case).payments[1].end_to_end_id: 215000}
    assert list(models.BankMessage.objects.order_by("id").values_list("state", flat=True)) == ["void", "sent"]


def test_an_order_in_a_workers_hands_cannot_be_given_up(people, teller, monkeypatch):
    """Between the worker's look at the claim and the bank's file nobody can stop it: whoever tries is told so."""
    monkeypatch.setattr(actions.time, "sleep", lambda seconds: None)
    case = approved(people)
    bank.submit(now=NOW, limit=10)
    said: list[Any] = []
    taken = teller.submit

    def slow(*args: Any, **kwargs: Any) -> Submission:
        said.append(given_up(people, case))
        return taken(*args, **kwargs)

    monkeypatch.setattr(teller, "submit", slow)
    bank.hand_over(now=NOW, limit=10)
    assert isinstance(said[0], Refusal) and said[0].kind == "conflict"
    assert now_is(case).payments[1].state == "submitted" and len(teller.paid) == 1


def test_a_worker_that_was_slow_for_longer_than_its_lease_hands_nothing_over(people, teller, monkeypatch):
    case = approved(people)
    bank.submit(now=NOW, limit=10)
    put_together = bank._orders

    def slow(*args: Any) -> Any:
        found = put_together(*args)
        models.BankMessage.objects.update(leased_until=NOW + timedelta(hours=1))  # another worker has it by now
        return found

    monkeypatch.setattr(bank, "_orders", slow)
    assert bank.hand_over(now=NOW, limit=10) == 0
    assert teller.paid == {}
    assert case.payments[1].end_to_end_id == models.BankMessage.objects.get().message_id


def test_what_a_person_gave_up_and_the_bank_paid_all_the_same_is_paid(people, teller):
    case = approved(people)
    bank.turn(now=NOW, limit=10)
    assert not isinstance(given_up(people, case), Refusal)
    teller.answers = [answer(case, "confirmed")]
    bank.collect(now=NOW)
    assert now_is(case).payments[1].state == "confirmed"
    again = actions.act(case.claim.number, "payment", "retry", 1, c.Retry(), actor=people.finance1, now=NOW)
    assert isinstance(again, Refusal)
    assert list(verify.differences(now=NOW)) == []


def test_an_order_that_left_and_was_answered_before_it_was_noted_is_kept_as_sent(people, teller, monkeypatch):
    case = approved(people)
    bank.submit(now=NOW, limit=10)
    taken, name = teller.submit, case.payments[1].end_to_end_id

    def die(*args: Any, **kwargs: Any) -> Submission:
        taken(*args, **kwargs)
        raise SystemExit

    with monkeypatch.context() as patched, pytest.raises(SystemExit):
        patched.setattr(teller, "submit", die)
        bank.hand_over(now=NOW, limit=10)
    teller.answers, teller.last_words[name] = [answer(case, "confirmed")], answer(case, "confirmed")
    bank.collect(now=NOW)
    bank.hand_over(now=NOW + norms.current().jobs.lease, limit=10)
    assert models.BankMessage.objects.get(direction="out").state == "sent"


# --- one that nobody foresaw keeps none of the others ---------------------------------------------------------


def unreadable(case: Any) -> None:
    blob = connection.Database.Binary(b"\x01" + b"\x00" * 40)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE party SET account_number = %s WHERE aggregate_id = %s", [blob, case.id])


def test_a_claim_that_cannot_be_read_keeps_no_other_from_the_bank(people, teller):
    first, second, whole = (
        approved(people, key, story=f"事故{key}", loss_at=NOW - timedelta(days=days))
        for key, days in (("one", 1), ("two", 10), ("three", 20))
    )
    unreadable(first)
    assert bank.submit(now=NOW, limit=10) == 2
    unreadable(second)
    assert bank.hand_over(now=NOW, limit=10) == 1
    assert set(teller.paid) == {whole.payments[1].end_to_end_id}
    waiting = models.BankMessage.objects.get(message_id=second.payments[1].end_to_end_id)
    assert waiting.state == "queued"  # nothing was given up: once it can be read again, it leaves
    teller.answers = [answer(second, "confirmed"), answer(whole, "confirmed")]
    assert bank.collect(now=NOW) == 1
    assert now_is(whole).payments[1].state == "confirmed"
    assert [one.end_to_end_id for one in teller.answers] == [second.payments[1].end_to_end_id]
