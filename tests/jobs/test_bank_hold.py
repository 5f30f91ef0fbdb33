"""After a restore no payment order leaves until finance has looked (norm part 4: nothing is paid twice)."""

from __future__ import annotations

import pytest
from tests.company import NOW
from tests.jobs.conftest import approved

from lipei.domain.events import Refusal
from lipei.services import bank, bank_hold, verify
from lipei.store import models

pytestmark = [pytest.mark.django_db, pytest.mark.norm("4")]


@pytest.mark.parametrize(("begun", "state"), [(0, "approved"), (1, "submitted")])
def test_held_orders_wait_for_finance_and_then_leave(people, begun, state):
    approved(people)
    assert bank.submit(now=NOW, limit=begun) == begun  # approved only, or an intent already
    bank_hold.hold(now=NOW)
    assert bank.turn(now=NOW, limit=10) == 0
    assert models.Payment.objects.get().state == state
    assert list(models.BankMessage.objects.values_list("state", flat=True)) == ["queued"] * begun
    refused = bank_hold.release(actor=people.approver1, now=NOW)
    assert isinstance(refused, Refusal) and refused.kind == "permission"
    assert bank_hold.release(actor=people.finance1, now=NOW) is None
    assert bank_hold.since() is None and isinstance(bank_hold.release(actor=people.finance1, now=NOW), Refusal)
    while bank.turn(now=NOW, limit=10):
        pass
    assert set(models.Payment.objects.values_list("state", flat=True)) == {"confirmed"}
    assert models.Entry.objects.get(kind="bank.released").actor == people.finance1.id
    assert list(verify.differences(now=NOW)) == []


def test_the_banks_word_is_taken_while_orders_are_held(people, settings, tmp_path):
    approved(people)
    bank.submit(now=NOW, limit=10)
    bank.hand_over(now=NOW, limit=10)
    bank_hold.hold(now=NOW)
    assert bank.turn(now=NOW, limit=10) == 1
    assert models.Payment.objects.get().state == "confirmed"
