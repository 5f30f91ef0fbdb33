"""The bank that answers by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from stdnum import luhn

from lipei.gateways.bank import Account, DemonstrationGateway


def ending(tail):
    """A card with a right check digit and this ending."""
    return next(n for n in (f"62220202001122{i:02d}{tail}" for i in range(100)) if luhn.is_valid(n))


def paid_into(bank, number, tail):
    return bank.order(number, creditor=Account("张三", ending(tail), "102290068319"))


def test_it_confirms_after_its_delay_and_remembers_over_a_restart(tmp_path, bank):
    first = DemonstrationGateway(tmp_path, delay=timedelta(minutes=5))
    submission = first.submit([bank.order(1)], now=bank.now)
    assert submission.sent == ("LP-2026-000001",)
    restarted = DemonstrationGateway(tmp_path, delay=timedelta(minutes=5))
    assert restarted.poll(bank.now + timedelta(minutes=4)) == []
    (answer,) = restarted.poll(bank.now + timedelta(minutes=5))
    assert (answer.status, answer.amount_minor, answer.at) == ("confirmed", 123_456, bank.now + timedelta(minutes=5))
    assert answer == restarted.inquire("LP-2026-000001")
    restarted.acknowledge([answer])
    assert first.poll(bank.now + timedelta(days=1)) == []


@pytest.mark.parametrize(("tail", "reason"), [("0001", "AC01"), ("0004", "AC04"), ("0006", "AC06"), ("0007", "AM04")])
def test_certain_accounts_fail(tmp_path, bank, tail, reason):
    gateway = DemonstrationGateway(tmp_path)
    gateway.submit([paid_into(bank, 1, tail)], now=bank.now)
    assert [(answer.status, answer.reason) for answer in gateway.poll(bank.now)] == [("failed", reason)]


def test_one_bank_stays_silent(tmp_path, bank):
    gateway = DemonstrationGateway(tmp_path)
    gateway.submit([paid_into(bank, 1, "0009")], now=bank.now)
    assert gateway.poll(bank.now + timedelta(days=9)) == []
    assert gateway.inquire("LP-2026-000001").status == "unknown"
    assert gateway.inquire("LP-2026-000002") is None


def test_an_order_is_taken_once(tmp_path, bank):
    gateway = DemonstrationGateway(tmp_path)
    gateway.submit([bank.order(1), bank.order(1)], now=bank.now)
    again = gateway.submit([bank.order(1)], now=bank.now + timedelta(hours=1))
    other = gateway.submit([bank.order(1, amount_minor=5)], now=bank.now)
    assert (again.sent, again.known) == ((), ("LP-2026-000001",))
    assert other.refused == {"LP-2026-000001": "refusal.bank_order_reused"}
    assert len(gateway.poll(bank.now + timedelta(days=1))) == 1


def test_it_refuses_what_a_real_bank_would(tmp_path, bank):
    bad = bank.order(1, creditor=Account("张三", "6222020200112230019", "102290068319"))
    submission = DemonstrationGateway(tmp_path).submit([bad, bank.order(2)], now=bank.now)
    assert submission.sent == ("LP-2026-000002",)
    assert submission.refused == {"LP-2026-000001": "refusal.bank_account"}
