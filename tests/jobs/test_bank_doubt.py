"""What nobody approved does not leave, and what may have been paid is not paid again (norm 2.2.4, part 4)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.company import NOW, card
from tests.gateways.bank.conftest import notification, status_report
from tests.jobs.conftest import approved, loaded
from tests.jobs.test_bank import files_bank

from lipei.domain import commands as c
from lipei.domain.events import Refusal
from lipei.norms.texts import LANGUAGES, text
from lipei.reads import finance
from lipei.services import actions, bank, bank_files, bank_hold, verify
from lipei.store import models

pytestmark = [pytest.mark.django_db, pytest.mark.norm("4")]
OURS = "100200300400"
LATER = NOW + timedelta(hours=2)


@pytest.fixture
def outbox(people: Any, settings: Any, tmp_path: Path) -> Path:
    return files_bank(settings, tmp_path)


def turn(now: Any = LATER) -> None:
    while bank.turn(now=now, limit=10):
        pass


def receive(outbox: Path, content: bytes, name: str) -> None:
    (outbox.parent / "inbox" / name).write_bytes(content)


def act(case: Any, action: str, command: Any, actor: Any, subject: str = "payment") -> Any:
    return actions.act(case.claim.number, subject, action, 1, command, actor=actor, now=LATER)


def payment(case: Any) -> Any:
    return loaded(case).payments[1]


def rejected(case: Any, outbox: Path) -> str:
    """The bank rejects the first order; its identity."""
    turn(NOW)
    (file,) = outbox.iterdir()
    name = str(payment(case).end_to_end_id)
    receive(outbox, status_report(file.stem, [(name, "RJCT", "AC04")]), "1.xml")
    turn()
    assert payment(case).state == "failed"
    return name


@pytest.mark.parametrize(
    "change",
    [
        c.PartyReported(account_number=card(77), account_bank="102290000000", account_name="王小明"),
        c.PartyReported(account_bank="103290000000"),
        c.PartyReported(deceased=True),
    ],
)
@pytest.mark.parametrize("held", [False, True])
def test_an_order_that_waits_does_not_leave_for_another_payee_than_was_approved(people, outbox, change, held):
    """The bank could not be reached, or orders were held after a restore, and somebody corrected the payee meanwhile."""
    case = approved(people)
    assert bank.submit(now=NOW, limit=5) == 1
    if held:
        bank_hold.hold(now=NOW)
    assert not isinstance(act(case, "correct", change, people.intake1, "party"), Refusal)
    if held:
        bank_hold.release(actor=people.finance1, now=LATER)
    turn()
    assert (payment(case).state, payment(case).failure) == ("failed", "bank_payee_changed")
    assert list(outbox.iterdir()) == []
    assert not isinstance(act(case, "retry", c.Retry(), people.finance1), Refusal)
    assert (payment(case).state, payment(case).approved_by) == ("ordered", ())
    assert list(verify.differences(now=LATER)) == []


def test_what_the_bank_has_comes_back_to_be_approved_for_the_account_that_is_new(people, outbox):
    case = approved(people)
    turn(NOW)
    other = c.PartyReported(account_number=card(77), account_bank="102290000000", account_name="王小明")
    act(case, "correct", other, people.intake1, "party")
    turn()
    assert payment(case).state == "submitted" and len(list(outbox.iterdir())) == 1
    (file,) = outbox.iterdir()
    receive(outbox, status_report(file.stem, [(payment(case).end_to_end_id, "RJCT", "AC04")]), "1.xml")
    turn()
    act(case, "retry", c.Retry(), people.finance1)
    assert payment(case).state == "ordered"


def test_what_the_bank_booked_after_it_had_rejected_it_is_not_paid_again_before_somebody_has_asked(people, outbox):
    case = approved(people)
    name = rejected(case, outbox)
    receive(outbox, notification([(name, "2150.00")], account=OURS), "2.xml")
    turn()
    (row,) = bank.unmatched()
    again = act(case, "retry", c.Retry(), people.finance1)
    assert isinstance(again, Refusal) and (again.code, again.kind) == ("refusal.bank_word_open", "state")
    assert len({text(again.code, language) for language in LANGUAGES}) == 3
    assert bank_files.looked_at(row.id, "银行确认已入账", actor=people.finance1, now=LATER) is None
    assert not isinstance(act(case, "confirm", c.Settled(reference="B"), people.finance1), Refusal)
    assert payment(case).state == "confirmed"


@pytest.mark.parametrize("begun", [False, True])
def test_the_next_order_waits_where_the_one_before_was_booked_after_all(people, outbox, begun):
    case = approved(people)
    name = rejected(case, outbox)
    assert not isinstance(act(case, "retry", c.Retry(), people.finance1), Refusal)
    if begun:
        bank.submit(now=LATER, limit=5)
    receive(outbox, notification([(name, "2150.00")], account=OURS), "2.xml")
    bank.collect(now=LATER)
    turn()
    assert len(list(outbox.iterdir())) == 1, "the second has not left"
    (row,) = bank.unmatched()
    (shown,) = finance.differences(people.finance1)
    assert (shown.number, shown.part, shown.ordered_minor) == (case.claim.number, 1, 215000), (
        "that of the attempt before"
    )
    bank_files.looked_at(row.id, "银行已撤销", actor=people.finance1, now=LATER)
    assert "银行已撤销" in list(loaded(case).of("note").values())[-1].text
    turn(LATER + timedelta(days=1))  # a lease has run out
    assert payment(case).state == "submitted" and len(list(outbox.iterdir())) == 2


@pytest.mark.parametrize("known", [False, True])
def test_what_takes_the_place_of_an_order_that_was_booked_after_all_waits_too(people, outbox, known):
    case = approved(people)
    name = rejected(case, outbox)
    if known:
        receive(outbox, notification([(name, "2150.00")], account=OURS), "2.xml")
        turn()
    cancelled = act(case, "cancel", c.Reasoned("改付他人"), people.finance1)
    assert isinstance(cancelled, Refusal) == known
    if known:
        return
    again = c.OrderPayment(exposure=1, payee=loaded(case).payments[1].payee)
    ordered = actions.act(case.claim.number, "payment", "order", 0, again, actor=people.finance2, now=LATER)
    assert not isinstance(ordered, Refusal), ordered
    done = actions.act(case.claim.number, "payment", "approve_payment", 2, None, actor=people.finance1, now=LATER)
    assert not isinstance(done, Refusal), done
    receive(outbox, notification([(name, "2150.00")], account=OURS), "2.xml")
    bank.collect(now=LATER)
    turn()
    assert loaded(case).payments[2].state == "approved" and len(list(outbox.iterdir())) == 1
    (row,) = bank.unmatched()
    bank_files.looked_at(row.id, "银行已撤销", actor=people.finance1, now=LATER)
    turn()
    assert len(list(outbox.iterdir())) == 2


def test_the_bank_says_what_finance_had_recorded_and_nobody_has_to_look(people, outbox):
    case = approved(people)
    turn(NOW)
    act(case, "confirm", c.Settled(reference="手工"), people.finance1)
    receive(outbox, notification([(payment(case).end_to_end_id, "2150.00")], account=OURS), "1.xml")
    turn()
    assert payment(case).state == "confirmed" and bank.unmatched() == []
    assert models.BankMessage.objects.get(direction="in").state == "done"
    assert list(verify.differences(now=LATER)) == []
