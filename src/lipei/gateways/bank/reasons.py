"""What a bank's reason code means for us, and who can do something about it."""

from __future__ import annotations

from typing import Literal

Remedy = Literal["mend", "retry", "fund", "ask"]

# Our own codes, for what the bank's answer cannot be squared with. A person looks; nothing is paid again by itself.
AMOUNT_DIFFERS = "XAMT"
CONTRADICTION = "XCON"
UNKNOWN_STATUS = "XSTS"
WRONG_ACCOUNT = "XACC"
BOOKED_TWICE = "XTWO"
DUPLICATE = frozenset({"AM05", "DUPL"})  # rejected because the bank has it already: the other copy may be paid
NOT_GIVEN = "NARR"  # ISO 20022: the reason is given in words, or not at all

PAYEE_CHANGED = "refusal.bank_payee_changed"
"""Payee or account is another than was approved: nothing leaves before somebody has looked again."""

_MENDABLE = ("bank_name", "bank_name_length", "bank_name_characters", "bank_account", "bank_code")
BEFORE_IT_LEFT: dict[str, Remedy] = {
    **dict.fromkeys(_MENDABLE, "mend"),
    **dict.fromkeys((f"{code}_debtor" for code in _MENDABLE), "ask"),
    **dict.fromkeys(("bank_order_id", "bank_order_reused", "bank_currency", "bank_amount", "bank_remittance"), "ask"),
    **dict.fromkeys(("bank_batch_closed", "bank_payee_changed"), "retry"),
    "unknown": "ask",
}
"""Why an order did not leave: the gateways' refusals without their prefix, and what is kept where no reason was given."""

# ISO 20022 ExternalStatusReason1Code and ExternalReturnReason1Code. Any other code is a person's to clear up.
_REMEDIES: dict[str, Remedy] = {
    **dict.fromkeys(("AC01", "AC03", "AC04", "AC06", "AC07", "AC14", "AG01", "AGNT", "BE01", "RC01", "RC04"), "mend"),
    **dict.fromkeys(("AB05", "AB08", "AB09", "ED05", "TM01"), "retry"),
    **dict.fromkeys(("AM04", "AM14"), "fund"),
    **dict.fromkeys(("AC02", "AM02", "AM03", "AM05", "AM09", "CANC", "CUST", "DUPL", "FF01", "FOCR", "LEGL"), "ask"),
    **dict.fromkeys(("MD07", "MS02", "MS03", "RR03", "RR04", NOT_GIVEN), "ask"),
    **dict.fromkeys((AMOUNT_DIFFERS, CONTRADICTION, UNKNOWN_STATUS, WRONG_ACCOUNT, BOOKED_TWICE), "ask"),
    **BEFORE_IT_LEFT,
}


def remedy(reason: str) -> Remedy:
    """What helps against a failure: ``mend`` the payee's details, ``retry`` as it was, ``fund`` our own account,
    or ``ask``: a person clears it up with the bank or the payee. Every way is a new order with a new id.
    """
    return _REMEDIES.get(reason, "ask")


def reason_key(reason: str) -> str:
    """The key of the text that says what a reason code means; ``<key>.advice`` says what to do about it."""
    return f"reason.bank.{reason if reason in _REMEDIES else 'other'}"
