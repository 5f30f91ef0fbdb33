"""Orders as pain.001.001.09: they read back as they were, follow the schema, and nothing odd ever leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
import sepaxml
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import iban, luhn

from lipei.gateways.bank import amounts, orders, pain001
from lipei.gateways.bank.interface import Account, BankOrder
from lipei.gateways.bank.messages import Unreadable

NS = {"p": pain001.NAMESPACE}
CREATED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


@cache
def schema():
    return xmlschema.XMLSchema(str(Path(sepaxml.__file__).parent / "schemas" / "pain.001.001.09.xsd"))


digits = st.integers(10**6, 10**20).map(str)
names = st.text(st.characters(codec="utf-8", exclude_categories=("C",)), min_size=1, max_size=140)
cards = st.integers(10**14, 10**15 - 1).map(lambda n: f"62{n}{luhn.calc_check_digit(f'62{n}')}")
ibans = st.integers(10**17, 10**18 - 1).map(lambda n: f"DE{iban.calc_check_digits(f'DE00{n}')}{n}")
banks = st.sampled_from(["102290068319", "COBADEFF", "HSBCHKHHHKH", "0080017", "004"])
accounts = st.builds(Account, names, st.one_of(cards, ibans, digits), banks)
plain_orders = st.builds(
    BankOrder,
    end_to_end_id=st.from_regex(r"[A-Z0-9][A-Za-z0-9\-]{0,34}", fullmatch=True),
    amount_minor=st.integers(1, 10**15),
    currency=st.sampled_from(["CNY", "HKD", "TWD", "EUR", "JPY", "KWD", "CLF"]),
    debtor=accounts,
    creditor=accounts,
    remittance=st.one_of(st.just(""), names),
    requested_on=st.dates(date(2000, 1, 1), date(2100, 1, 1)),
)
batches = st.lists(plain_orders, min_size=1, max_size=4, unique_by=lambda order: order.end_to_end_id)


@settings(max_examples=40, deadline=None)
@given(batches)
def test_any_batch_reads_back_as_it_was_and_follows_the_schema(batch):
    good, refused = orders.select(batch)
    assert {order.end_to_end_id for order in good} | set(refused) == {order.end_to_end_id for order in batch}
    if not good:
        return
    content = pain001.build(good, message_id="BATCH-1", created_at=CREATED)
    message_id, found = pain001.read(content)
    assert message_id == "BATCH-1"
    assert sorted(found, key=lambda o: o.end_to_end_id) == sorted(good, key=lambda o: o.end_to_end_id)
    schema().validate(content.decode())


@given(st.integers(1, 10**18 - 1), st.sampled_from(["CNY", "JPY", "KWD", "CLF"]))
def test_amounts_go_there_and_back(amount_minor, currency):
    assert amounts.to_minor(amounts.to_decimal(amount_minor, currency), currency) == amount_minor


def test_what_the_bank_reads(bank):
    batch = [
        bank.order(1),
        bank.order(
            2, creditor=Account("𠮷田 & Söhne <GmbH>", "DE89370400440532013000"), currency="EUR", amount_minor=5
        ),
        bank.order(3, currency="JPY", amount_minor=1000),
    ]
    root = ElementTree.fromstring(pain001.build(batch, message_id="B1", created_at=CREATED))
    header = root.find("p:CstmrCdtTrfInitn/p:GrpHdr", NS)
    assert header.findtext("p:NbOfTxs", namespaces=NS) == "3"
    assert header.findtext("p:CtrlSum", namespaces=NS) == "2234.61"
    assert header.findtext("p:CreDtTm", namespaces=NS) == "2026-03-02T09:30:00Z"
    entries = {e.findtext("p:PmtId/p:EndToEndId", namespaces=NS): e for e in root.iter(f"{{{NS['p']}}}CdtTrfTxInf")}
    card, german, yen = (entries[f"LP-2026-00000{n}"] for n in (1, 2, 3))
    assert card.findtext("p:CdtrAcct/p:Id/p:Othr/p:Id", namespaces=NS) == bank.card
    assert card.find("p:CdtrAcct/p:Id/p:IBAN", NS) is None
    assert card.findtext("p:CdtrAgt/p:FinInstnId/p:ClrSysMmbId/p:ClrSysId/p:Cd", namespaces=NS) == "CNAPS"
    assert card.findtext("p:CdtrAgt/p:FinInstnId/p:ClrSysMmbId/p:MmbId", namespaces=NS) == "102290068319"
    assert card.findtext("p:Amt/p:InstdAmt", namespaces=NS) == "1234.56"
    assert card.findtext("p:RmtInf/p:Ustrd", namespaces=NS) == "C2026-000001"
    assert german.findtext("p:CdtrAcct/p:Id/p:IBAN", namespaces=NS) == "DE89370400440532013000"
    assert german.find("p:CdtrAcct/p:Id/p:Othr", NS) is None
    assert german.findtext("p:Cdtr/p:Nm", namespaces=NS) == "𠮷田 & Söhne <GmbH>"
    assert yen.findtext("p:Amt/p:InstdAmt", namespaces=NS) == "1000"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"end_to_end_id": ""}, "refusal.bank_order_id"),
        ({"end_to_end_id": "X" * 36}, "refusal.bank_order_id"),
        ({"end_to_end_id": "../etc/passwd"}, "refusal.bank_order_id"),
        ({"amount_minor": 0}, "refusal.bank_amount"),
        ({"amount_minor": -1}, "refusal.bank_amount"),
        ({"amount_minor": 10**18}, "refusal.bank_amount"),
        ({"currency": "cny"}, "refusal.bank_currency"),
        ({"remittance": "x" * 141}, "refusal.bank_remittance"),
        ({"remittance": "C1\u202e"}, "refusal.bank_remittance"),
        ({"creditor": Account("", "6222020200112230012", "102290068319")}, "refusal.bank_name"),
        ({"creditor": Account("  \u3000", "6222020200112230012", "102290068319")}, "refusal.bank_name"),
        ({"creditor": Account("名" * 141, "6222020200112230012", "102290068319")}, "refusal.bank_name_length"),
        ({"creditor": Account("张\x07三", "6222020200112230012", "102290068319")}, "refusal.bank_name_characters"),
        ({"creditor": Account("张\ue000", "6222020200112230012", "102290068319")}, "refusal.bank_name_characters"),
        ({"creditor": Account("张三", "6222020200112230013", "102290068319")}, "refusal.bank_account"),
        ({"creditor": Account("张三", "6222020200112230012", "")}, "refusal.bank_code"),
        ({"creditor": Account("张三", "6222020200112230012", "12345")}, "refusal.bank_code"),
        ({"debtor": Account("", "0200001209000123456", "102100099996")}, "refusal.bank_name_debtor"),
        ({"debtor": Account("甲", "DE89370400440532013000", "")}, "refusal.bank_code_debtor"),
    ],
)
def test_an_order_that_no_bank_can_carry_out_is_refused(bank, changes, code):
    order = bank.order(**changes)
    assert orders.select([order, bank.order(9)]) == ([bank.order(9)], {order.end_to_end_id: code})


def test_blanks_and_separators_are_cleaned_and_not_refused(bank):
    messy = bank.order(creditor=Account(" 张\u3000 三\n", "6222 0202 0011 2230 012", "1022 9006 8319"))
    assert orders.select([messy])[0] == [bank.order(creditor=Account("张 三", bank.card, "102290068319"))]


def test_the_same_order_twice_is_one_and_two_under_one_id_are_none(bank):
    assert orders.select([bank.order(1), bank.order(1)]) == ([bank.order(1)], {})
    twins = [bank.order(1), bank.order(1, amount_minor=2), bank.order(2)]
    assert orders.select(twins) == ([bank.order(2)], {"LP-2026-000001": "refusal.bank_order_reused"})


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        (b">1234.56</InstdAmt>", b">9234.56</InstdAmt>", pain001.MessageBroken),
        (b"<NbOfTxs>2</NbOfTxs>", b"<NbOfTxs>3</NbOfTxs>", pain001.MessageBroken),
        (b"<CtrlSum>2469.12</CtrlSum>", b"<CtrlSum>2469.11</CtrlSum>", pain001.MessageBroken),
        (b"<EndToEndId>LP-2026-000002", b"<EndToEndId>LP-2026-000001", pain001.MessageBroken),
        (b"1234.56</InstdAmt>", b"1234.567</InstdAmt>", pain001.MessageBroken),
        (b"1234.56</InstdAmt>", b"1e99999999</InstdAmt>", pain001.MessageBroken),
        (b"<Othr>", b"<IBAN>DE89370400440532013000</IBAN><Othr>", pain001.MessageBroken),
        (b"1234.56</InstdAmt>", b"lots</InstdAmt>", Unreadable),
        (b"<CdtrAcct>", b"<Sweets>1</Sweets><CdtrAcct>", Unreadable),
        (b"?>", b"?><!DOCTYPE Document>", Unreadable),
    ],
)
def test_a_message_that_was_tampered_with_is_noticed(bank, old, new, error):
    content = pain001.build([bank.order(1), bank.order(2)], message_id="B1", created_at=CREATED)
    assert old in content
    with pytest.raises(error):
        pain001.read(content.replace(old, new, 1))


def test_a_message_that_does_not_say_what_was_ordered_cannot_leave(bank, monkeypatch):
    monkeypatch.setattr(pain001, "to_decimal", lambda amount, currency: amounts.to_decimal(amount + 1, currency))
    with pytest.raises(pain001.MessageBroken):
        pain001.build([bank.order()], message_id="B1", created_at=CREATED)


def test_the_requested_date_is_not_part_of_what_an_order_is(bank):
    later = replace(bank.order(), requested_on=date(2026, 3, 9))
    assert orders.fingerprint(later, b"k") == orders.fingerprint(bank.order(), b"k")
    assert orders.fingerprint(bank.order(amount_minor=1), b"k") != orders.fingerprint(bank.order(), b"k")
    assert orders.fingerprint(bank.order(), b"other") != orders.fingerprint(bank.order(), b"k")
