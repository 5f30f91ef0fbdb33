"""`lipei verify` sees what an entry owes: a message, a bank order, the bank's answer, a key, a token altered, removed or
invented (norm part 4). By raw SQL, one test per kind of tampering.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from tests.company import NOW
from tests.jobs.conftest import approved, reported
from tests.jobs.tampering import found, sql

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.gateways.bank import BankAnswer
from lipei.services import actions, bank, bank_files, deliveries, norms, retention, verify
from lipei.store import journal, models

pytestmark = [pytest.mark.django_db, pytest.mark.norm("4")]


def clean() -> None:
    assert list(verify.differences(now=NOW)) == []


def went(case: Any) -> Any:
    """A message of the claim that went out to the customer."""
    return next(row for row in models.Delivery.objects.filter(stream_id=case.id, party__gt=0) if row.body)


@pytest.fixture
def sent(case: Any) -> Any:
    """The claim with its messages gone out."""
    while deliveries.work(now=NOW + timedelta(hours=20), limit=50):
        pass
    assert went(case)
    clean()
    return case


# --- messages ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"),
    [("party", 0), ("message", "claim_closed"), ("channels", '["email"]'), ("facts", "{}"), ("letter", "refusal"),
     ("language", "en"), ("event", "claim.cancelled"), ("staff_id", 99), ("part", 9), ("urgent", None)],
)  # fmt: skip
def test_an_altered_message(case, column, value):
    row = models.Delivery.objects.filter(stream_id=case.id, party__gt=0).exclude(letter="").order_by("id").first()
    value = (not row.urgent) if column == "urgent" else value
    assert str(getattr(row, column)) != str(value)
    sql(f"UPDATE delivery SET {column} = %s WHERE id = %s", value, row.id)
    assert f"is not the message that entry {row.sequence} caused" in found("deliveries", case.claim.number)[0]


def test_a_message_moved_to_another_entry(case):
    row = models.Delivery.objects.filter(stream_id=case.id).order_by("id").first()
    sql("UPDATE delivery SET sequence = sequence + 1 WHERE id = %s", row.id)
    assert found("deliveries", f"delivery {row.id}")


def test_a_removed_message(case):
    row = models.Delivery.objects.filter(stream_id=case.id).order_by("id").first()
    sql("DELETE FROM delivery WHERE id = %s", row.id)
    assert f"that entry {row.sequence} owes is gone" in found("deliveries", case.claim.number)[0]


@pytest.mark.parametrize("sequence", [0, 1, 5])
def test_an_invented_message(case, sequence):
    models.Delivery.objects.create(
        stream_kind="claim", stream_id=case.id, sequence=sequence, message="paid", party=1, channels=("sms",),
        due_at=NOW, dedupe=f"claim:{case.id}:99:paid:party-1",
    )  # fmt: skip
    assert "no entry caused it" in found("deliveries", "(paid)")[0]


def test_a_message_said_to_be_sent_that_never_left(case):
    row = models.Delivery.objects.filter(stream_id=case.id, state="queued").first()
    sql("UPDATE delivery SET state = 'sent' WHERE id = %s", row.id)
    assert "is said to be sent, the journal says nothing of it" in found("deliveries", f"delivery {row.id}")[0]


def test_a_message_that_would_be_sent_again(sent):
    row = went(sent)
    sql("UPDATE delivery SET state = 'queued' WHERE id = %s", row.id)
    assert "it would be sent twice" in found("deliveries", f"delivery {row.id}")[0]


def test_another_text_than_was_sent(sent):
    row = went(sent)
    models.Delivery.objects.filter(id=row.id).update(body="您的案件已结案。")
    assert "its text is not the one that was sent" in found("deliveries", f"delivery {row.id}")[0]
    models.Delivery.objects.filter(id=row.id).update(body="")
    assert "the text that was sent is gone" in found("deliveries", f"delivery {row.id}")[0]


def test_a_message_that_went_out_and_is_gone(sent):
    row = went(sent)
    sql("DELETE FROM delivery WHERE id = %s", row.id)
    assert any(f"delivery {row.id} of notice.sent is gone" in one for one in found("deliveries", sent.claim.number))


def test_messages_of_an_erased_claim_agree(sent):
    assert retention.erase(sent.id, now=NOW)
    assert [d for d in verify.differences(now=NOW) if d.comparison != "hints"] == []


# --- the bank ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"), [("message_id", "X-1-1"), ("kind", "x"), ("payments", '["X"]'), ("at", "2026-01-01 00:00:00+00:00")]
)  # fmt: skip
def test_an_altered_order(case, column, value):
    sql(f"UPDATE bank_message SET {column} = %s WHERE direction = 'out'", value)
    assert "its order is not what was written" in found("bank", f"{case.claim.number} payment/1")[0]


def test_a_removed_order(case):
    sql("DELETE FROM bank_message WHERE direction = 'out'")
    assert "its order is gone" in found("bank", f"{case.claim.number} payment/1")[0]


@pytest.mark.parametrize("state", ["refused", "void", "gone", ""])
def test_an_order_said_to_have_another_fate_than_its_payment(waiting, state):
    """With the bank or about to be: neither refused nor stopped, and in no state that there is not."""
    sql("UPDATE bank_message SET state = %s WHERE direction = 'out'", state)
    said = found("bank", f"{waiting.claim.number} payment/1")[0]
    assert f"said to be {state}" in said and "payment.submitted" in said


@pytest.mark.parametrize("state", ["refused", "gone"])
def test_an_order_of_a_payment_that_arrived_was_not_refused(case, state):
    sql("UPDATE bank_message SET state = %s WHERE direction = 'out'", state)
    assert "payment.confirmed" in found("bank", f"{case.claim.number} payment/1")[0]


@pytest.mark.parametrize("state", ["accepted", "gone"])
def test_an_order_of_a_payment_that_failed_is_in_a_state_that_there_is(people, waiting, state):
    number = waiting.claim.number
    failed = actions.act(number, "payment", "fail", 1, c.Failed("AC04"), actor=people.finance1, now=NOW)
    assert not isinstance(failed, Refusal), failed
    clean()
    sql("UPDATE bank_message SET state = %s WHERE direction = 'out'", state)
    assert "payment.failed" in found("bank", f"{number} payment/1")[0]


@pytest.fixture
def waiting(people: Any) -> Any:
    """A claim whose order is on its way to the bank."""
    made = approved(people)
    assert bank.submit(now=NOW, limit=9) == 1
    clean()
    return made


def test_an_invented_order(case):
    name = f"{case.claim.number}-1-2"
    models.BankMessage.objects.create(
        direction="out", kind="order", message_id=name, digest=hashlib.sha256(name.encode()).hexdigest(), at=NOW,
        payments=(name,), state="queued",
    )  # fmt: skip
    assert "no entry made this order" in found("bank", name)[0]


@pytest.mark.parametrize(
    ("column", "value"), [("detail", "confirmed  R 1"), ("message_id", "X-1-1"), ("state", "unmatched")]
)
def test_an_altered_answer(case, column, value):
    sql(f"UPDATE bank_message SET {column} = %s WHERE direction = 'in'", value)
    assert "the answer that it took is " in found("bank", case.claim.number)[0]


def test_a_removed_answer(case):
    sql("DELETE FROM bank_message WHERE direction = 'in'")
    assert "the answer that it took is gone" in found("bank", case.claim.number)[0]


def test_an_unmatched_answer_that_a_person_cleared_up_and_one_that_nobody_did(people, case):
    unmatched()
    row = models.BankMessage.objects.get(state="unmatched")
    assert bank_files.looked_at(row.id, "另一家公司的付款", actor=people.finance1, now=NOW) is None
    assert models.BankMessage.objects.get(id=row.id).state == "cleared"
    clean()
    sql("UPDATE bank_message SET state = 'unmatched' WHERE id = %s", row.id)
    assert "is unmatched, and was cleared" in found("bank", "bank 1")[0]


@pytest.mark.parametrize("state", ["done", "unmatched"])
def test_an_invented_answer(case, state):
    unmatched()
    models.BankMessage.objects.create(
        direction="in", kind="answer", message_id=case.payments[1].end_to_end_id, digest="ab" * 32, at=NOW, state=state
    )
    assert "no entry took this answer" in found("bank", case.payments[1].end_to_end_id)[0]


def unmatched() -> None:
    """An answer of the bank that fits no payment."""
    assert bank._take(BankAnswer("SOMEBODY-1-1", "confirmed", "", NOW, "R-1", 5), NOW)
    clean()


def test_an_unmatched_answer_altered_or_removed(case):
    unmatched()
    assert sql("UPDATE bank_message SET detail = 'failed' WHERE state = 'unmatched'") == 1
    assert found("bank", "bank 1")
    sql("DELETE FROM bank_message WHERE state = 'unmatched'")
    assert found("bank", "bank 1")


# --- keys and tokens -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("column", "value"), [("caller", "token:9"), ("key", "other"), ("body_digest", "0" * 64)])
def test_an_altered_key(case, column, value):
    sql(f"UPDATE idempotency_key SET {column} = %s WHERE claim_id = %s", value, case.id)
    assert "is not what was written" in found("keys", case.claim.number)[0]


def test_a_key_that_points_to_another_claim(case):
    other = models.Claim.objects.exclude(id=case.id).get()
    sql("UPDATE idempotency_key SET claim_id = %s WHERE claim_id = %s", other.id, case.id)
    assert found("keys", case.claim.number)


def test_a_removed_key_and_one_that_had_its_time(case):
    sql("DELETE FROM idempotency_key WHERE claim_id = %s", case.id)
    assert "would be taken twice" in found("keys", case.claim.number)[0]
    later = NOW + norms.current().jobs.key_keep + timedelta(hours=1)
    assert [d for d in verify.differences(now=later) if d.comparison == "keys"] == []


def test_an_invented_key(people, case):
    alone = reported(people, "")
    models.IdempotencyKey.objects.create(caller="token:1", key="x", body_digest="0" * 64, claim_id=alone.id, at=NOW)
    assert "no entry made it" in found("keys", alone.claim.number)[0]


def test_a_removed_token(case):
    token = models.SearchToken.objects.filter(claim_id=case.id).first()
    sql("DELETE FROM search_token WHERE id = %s", token.id)
    assert "is not found by all" in found("search", case.claim.number)[0]


def test_an_invented_token(case):
    models.SearchToken.objects.create(claim_id=case.id, token=7)
    assert "that is not on it" in found("search", case.claim.number)[0]


def test_a_corrected_name_is_found_and_the_wrong_one_no_more(people):
    case = reported(people)
    wrong = {row.token for row in models.SearchToken.objects.filter(claim_id=case.id)}
    done = actions.act(
        case.claim.number,
        "party",
        "correct",
        1,
        c.PartyReported(name="欧阳一二"),
        actor=people.handler_of(case),
        now=NOW,
    )
    assert not isinstance(done, Refusal), done
    assert wrong - {row.token for row in models.SearchToken.objects.filter(claim_id=case.id)}
    clean()


# --- journals from before ------------------------------------------------------------------------------------


def as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entries as an older release wrote them: schema 1, naming nothing."""
    payload = journal.payload
    monkeypatch.setattr(journal, "SCHEMA", 1)
    monkeypatch.setattr(journal, "payload", lambda aggregate, event, salt, owes=None: payload(aggregate, event, salt))


def test_an_old_journal_verifies_and_goes_on(people, monkeypatch):
    from tests.jobs.conftest import approved

    with monkeypatch.context() as older:
        as_before(older)
        old = approved(people)
        bank.turn(now=NOW, limit=10)
        models.BankMessage.objects.create(
            direction="in", kind="answer", message_id="NOBODY-1-1", digest="cd" * 32, at=NOW, state="unmatched"
        )
        clean()
    while bank.turn(now=NOW, limit=10) + deliveries.work(now=NOW + timedelta(hours=20), limit=50):
        pass
    assert models.Entry.objects.filter(stream_id=old.id, schema=2).exists()
    clean()
    unmatched()  # the register begins, and names what was there before it
    sql("UPDATE bank_message SET detail = 'x' WHERE digest = %s", "cd" * 32)
    assert found("bank", "bank 1")
