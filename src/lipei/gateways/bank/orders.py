"""Which orders may go to a bank at all. Checked by every gateway before anything leaves."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

from lipei.domain.accounts import account_kind, check_account, check_bank_code, compact_account, compact_bank
from lipei.gateways.bank.amounts import fits, is_currency
from lipei.gateways.bank.interface import Account, BankOrder

NAME_LENGTH_MAX = 140  # ISO 20022 Max140Text; also of the remittance text
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-]{0,34}")  # Max35Text, in letters that every bank takes
_BATCH_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-]{0,27}")  # leaves room for the number of a group within the message


def clean(order: BankOrder) -> BankOrder:
    """The order as it is sent: texts with single blanks, account numbers and bank codes without separators."""
    return replace(
        order,
        debtor=_clean_account(order.debtor),
        creditor=_clean_account(order.creditor),
        remittance=_one_line(order.remittance),
    )


def check(order: BankOrder) -> str | None:
    """Why a cleaned order must not be sent, as a text key; None where it may."""
    if not _ID.fullmatch(order.end_to_end_id):
        return "refusal.bank_order_id"
    if not is_currency(order.currency):
        return "refusal.bank_currency"
    if not fits(order.amount_minor):
        return "refusal.bank_amount"
    if len(order.remittance) > NAME_LENGTH_MAX or not _is_printable(order.remittance):
        return "refusal.bank_remittance"
    if code := _check_side(order.debtor):
        return f"{code}_debtor"
    if not order.debtor.bank:
        return "refusal.bank_code_debtor"
    return _check_side(order.creditor)


def select(orders: Iterable[BankOrder]) -> tuple[list[BankOrder], dict[str, str]]:
    """The orders of a batch that may be sent, cleaned, and the text key of the reason for each of the others.

    The same order twice is one order. Two different ones under one id are both refused: nobody knows which is meant.
    """
    good: dict[str, BankOrder] = {}
    refused: dict[str, str] = {}
    for order in map(clean, orders):
        twin = good.get(order.end_to_end_id)
        if twin is not None and twin != order:
            refused[order.end_to_end_id] = "refusal.bank_order_reused"
        elif code := check(order):
            refused[order.end_to_end_id] = code
        else:
            good[order.end_to_end_id] = order
    return [order for order in good.values() if order.end_to_end_id not in refused], refused


def fingerprint(order: BankOrder, key: bytes) -> str:
    """A keyed digest of the whole cleaned order: two orders with the same digest ask for the same payment.

    Keyed, because it is kept for years beside no other personal data and account numbers can be guessed.
    The requested date is left out: the same order sent later is still the same order.
    """
    content = asdict(order) | {"requested_on": ""}
    return hmac.new(key, json.dumps(content, sort_keys=True).encode(), hashlib.sha256).hexdigest()


def message_id(orders: Sequence[BankOrder], batch_id: str) -> str:
    """The id of the message that carries a batch: ``batch_id``, else one derived from the orders' ids.

    Raises ValueError for a batch id that cannot be the id of a message and the name of a file.
    """
    if batch_id:
        if not _BATCH_ID.fullmatch(batch_id):
            raise ValueError(f"a batch id has at most 28 letters, digits and hyphens: {batch_id!r}")
        return batch_id
    ids = "\n".join(sorted({order.end_to_end_id for order in orders}))
    return "LP" + hashlib.sha256(ids.encode()).hexdigest()[:24].upper()


def _clean_account(account: Account) -> Account:
    number, bank = compact_account(number=account.number), compact_bank(code=account.bank)
    return Account(_one_line(account.name), number, bank)


def _one_line(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _is_printable(text: str) -> bool:
    """No control characters, no invisible formatting, no letters of private fonts that a bank would not know."""
    return all(unicodedata.category(char) not in {"Cc", "Cf", "Cn", "Co", "Cs"} for char in text)


def _check_side(account: Account) -> str | None:
    if not account.name:
        return "refusal.bank_name"
    if len(account.name) > NAME_LENGTH_MAX:
        return "refusal.bank_name_length"
    if not _is_printable(account.name):
        return "refusal.bank_name_characters"
    kind = account_kind(number=account.number)
    if check_account(number=account.number, kind=kind):
        return "refusal.bank_account"
    return check_bank_code(number=account.number, code=account.bank)
